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
organization-code-doubtful = 第9至17位的组织机构代码校验位不符：应为 { $expected }，实为 { $found }。
designation-refused = 不记录部队番号，请填写不含番号的名称。
committee-kept = 该单位是本联盟的党委，成员资格须保留。
leads-team = 该单位是服务队“{ $team }”的牵头单位，请先更换牵头单位。
in-another-team = { $organization } 已在服务队“{ $team }”中。
team-in-rotation = 该服务队在轮值中仍有期次，请先另行安排。

# calendar

# rotation

# priority task
not-your-organization = 只有本事项所涉单位才能办理。

# problem

# file

# fact

# import
import-file-missing = 文件 { $file } 不存在或无法读取。
import-too-large = 文件过大：最多 { $most }。
import-not-utf8 = 此值不是 UTF-8 编码，请将文件另存为“CSV UTF-8”。
import-quote-open = 此处引号不成对，文件可能被截断。
import-wrong-columns = 此行有 { $found } 列，表头有 { $expected } 列。
import-column-missing = 表头缺少“{ $name }”列，或该列重复。
import-duplicate = 此行与第 { $first } 行重复。
import-unknown = “{ $value }”既未登记，也不在导入文件中。
