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
unit-in-two-teams = { $unit } 在本计划中同时属于多支服务队。
rotation-unfillable = 以下轮次无队可派：{ $months }。括号内为被限制的服务队；= 表示人工指定的服务队受限或不在计划内。
rotation-too-hard = 未能在限定时间内求得最优轮值，请人工指定部分轮次或解除部分限制。
rotation-incomplete = 以下轮次空缺，或其服务队受限、已不在计划内：{ $months }。请重新生成轮值。
rotation-overlaps = 同一时段已有发布的计划“{ $plan }”。
approval-required = 计划须经监督单位批准后方可发布。
approval-not-needed = 本联盟没有监督单位，请直接发布计划。
slot-begun = { $month } 的轮次已开始或已结束，不能更改。
slot-not-begun = { $month } 的轮次尚未开始。
team-blocked = { $month } 的轮次对 { $team } 已设限制。
swap-stale = 提出调换后轮次已有变动，请撤回后重新提出。
swap-overlaps = 其中一个轮次已在另一项未结的调换中。
swap-pointless = 调换须涉及两支不同服务队的轮次。
swap-needs-team = 党委只能代其中一支服务队同意，另一队须自行同意。
no-next-slot = 没有可交接的下一轮次。
rotation-feed-name = { $alliance }：{ $plan }
rotation-feed-lead = 牵头单位：{ $name }
rotation-feed-units = 成员单位：{ $names }

# priority task
not-your-organization = 只有本事项所涉单位才能办理。

# problem

# file

# fact

# import
