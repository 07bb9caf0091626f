unauthenticated = 请先登录，或提供有效的令牌。
forbidden = 您的角色无权执行此操作。
not-found = 对象不存在，或您无权查看。
internal = 服务内部出错。反馈时请提供请求编号。
unavailable = 服务繁忙，未作任何更改，请重新提交。
required = 此项必填。
too-long = 文字过长：最多 { $most } 个字符。
too-short = 文字过短：至少 { $least } 个字符。
out-of-range = 数值须在 { $least } 与 { $most } 之间。
malformed = 格式不符，应为：{ $expected }。
id-malformed = 标识符无效。
cursor-malformed = 游标无效，或不属于此列表及排序。
page-invalid = 每页 1 至 100 条，first 与 last 只能用其一。
already-exists = 已存在。
version-conflict = 内容已被他人更改，当前版本为 { $current }。
state-refused = 当前状态（{ $state }）下不能执行此操作。
idempotency-key-reused = 该幂等键已用于另一请求。
idempotency-key-refused = 此操作会返回密钥类信息，不接受幂等键。
credit-code-length = 统一社会信用代码应为 18 位，当前为 { $found } 位。
credit-code-character = 统一社会信用代码第 { $position } 位的字符无效。
credit-code-mistyped = 统一社会信用代码有一处或多处录入错误。
not-a-member = 该单位不是本联盟的在任成员。

# identity

# territory

# governance

# calendar

# rotation

# priority task

# problem

# file

# fact
lagged = 接收过慢，推送已结束。请从此错误所附的位置继续。

# import
