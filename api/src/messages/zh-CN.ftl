unauthenticated = 请先登录，或提供有效的令牌。
forbidden = 您的角色无权执行此操作。
not-found = 对象不存在，或您无权查看。
internal = 服务内部出错。反馈时请提供请求编号。
unavailable = 服务繁忙，未作任何更改，请重新提交。
outcome-unknown = 保存时数据库连接中断，更改要么全部生效，要么完全未生效。请用同一幂等键重新提交，或先查看结果。
required = 此项必填。
too-long = 文字过长：最多 { $most } 个字符。
too-short = 文字过短：至少 { $least } 个字符。
out-of-range = 数值、时间或项数须在 { $least } 与 { $most } 之间。
malformed = 格式不符，应为：{ $expected ->
    [token] 1 至 64 位字母、数字、“-”或“_”
    [line] 单行文字，不含换行、制表符及其他控制字符
    [text] 不含控制字符的文字
    [null] 不填
   *[other] { $expected }
}。
id-malformed = 标识符无效。
cursor-malformed = 游标无效，或不属于此列表及排序。
page-invalid = 每页 1 至 100 条，first 与 last 只能用其一。
already-exists = 已存在。
version-conflict = 内容已被他人更改，当前版本为 { $current }。
number-pattern-taken = 使用该编号格式会与已有编号重复：{ $number }。
position-ahead = 当前最大位置为 { $most }；给出的位置超前，说明数据库不同或已恢复到较早状态，请重新全量读取。
credit-code-kept = 该单位已登记统一社会信用代码，不得更换：不同代码即不同单位。
credit-code-taken = 该统一社会信用代码属于另一名称的单位，请核对代码或名称。
state-refused = 当前状态（{ $state ->
    [DRAFT] 草稿
    [PUBLISHED] 已发布
    [ACKNOWLEDGED] 已签收
    [IN_PROGRESS] 办理中
    [SUBMITTED] 已提交
    [COMPLETED] 已完成
    [CANCELLED] 已取消
    [CARRIED_OVER] 已结转
    [CLOSED] 已封存
    [REGISTERED] 已登记
    [TRIAGED] 已研判
    [ASSIGNED] 已交办
    [ACCEPTED] 已签收
    [DONE] 已办结
    [ON_ACCOUNT] 挂账
    [VERIFIED] 核验通过
    [STRUCK_OFF] 已销号
    [REJECTED] 不予受理
    [WITHDRAWN] 已撤回
    [MERGED] 已并案
    [ESCALATED] 已提级
    [CLOSED_AT_SOURCE] 在来源处已办结
    [OPEN] 未结
    [RESOLVED] 已解决
    [RETURNED] 已退回
    [RECALLED] 已收回
    [ASKED] 已申请
    [GRANTED] 已准许
    [REFUSED] 已拒绝
    [LAPSED] 已失效
    [DUE] 待回访
    [ANSWERED] 已答复
    [UNREACHABLE] 未联系上
    [EXCLUDED] 已剔除
    [PENDING] 待答复
    [TO_COMMITTEE] 已转党委
    [SCHEDULED] 已排定
    [ANNOUNCED] 已公布
    [CHECKED_IN] 已报到
    [IN_SERVICE] 在岗
    [HANDING_OVER] 交接中
    [HANDED_OVER] 已交接
    [MISSED] 未报到
    [EXCUSED] 已免除
    [PROPOSED] 已提出
    [AGREED] 已同意
    [APPROVED] 已批准
    [DECLINED] 已退回
    [APPLIED] 已申请
    [SOUNDED] 已吹哨
    [CALLED_OFF] 已撤哨
    [CALLED] 已召集
    [REPORTED_IN] 已报到
    [ON_SITE] 已到场
    [CLAIMED_RESOLVED] 已报解决
    [EVALUATED] 已评价
    [RELEASED] 已放行
    [REROUTED] 已改派
    [ARRIVED] 已到位
    [ISSUED] 已签发
    [STOOD_DOWN] 已解除
    [DISCARDED] 已作废
    [INVITED] 已邀请
    [ACTIVE] 有效
    [SUSPENDED] 已暂停
    [DISABLED] 已停用
    [ENDED] 已终止
    [STANDING] 在任
    [REACHED] 已达到
    [REVOKED] 已吊销
    [ERASED] 已删除
    [DELETED] 已删除
    [DISBANDED] 已解散
    [EXTERNAL] 由外部身份登录
   *[other] { $state }
}）下不能执行此操作。
nothing-to-erase = 没有可删除的个人信息，或此前已删除。
reason-names-erased = 理由中重复了要删除的姓名或号码，请去掉后重写。
idempotency-key-reused = 该幂等键已用于另一请求。
idempotency-key-refused = 此操作会返回密钥类信息，不接受幂等键。
credit-code-length = 统一社会信用代码应为 18 位，当前为 { $found } 位。
credit-code-character = 统一社会信用代码第 { $position } 位的字符无效。
credit-code-mistyped = 统一社会信用代码有一处或多处录入错误。
not-a-member = 该单位不是本联盟的在任成员。
not-responsible = 该单位不是此问题的责任单位。
no-deadline = 没有可以延长的期限。
not-vouched-for = 尚无签名检查点覆盖此次销号，请一分钟后再试。
font-missing = 本程序构建时没有打印证明所用的字库。请在源码目录运行 make web 后重新构建；JSON 格式的证明不受影响。
too-early = 日期不得早于 { $least }。

# door
document-too-large = 查询文档过长：最多 { $limit } 字节。
too-many-tokens = 查询文档的词法单元过多：最多 { $limit } 个。
nesting-too-deep = 查询文档嵌套过深：最多 { $limit } 层。
graphql-parse-failed = 不是有效的 GraphQL：{ $detail }
graphql-validation-failed = 查询文档与模式不符：{ $detail }
bad-user-input = 取值与类型不符：{ $detail }
too-many-selections = 选取的字段过多：展开片段后最多 { $limit } 个。
fragment-cycle = 片段 { $fragment } 包含了自身。
too-deep = 字段嵌套过深：最多 { $limit } 层。
introspection-too-deep = 内省查询嵌套过深：最多 { $limit } 层。
too-many-aliases = 别名过多：最多 { $limit } 个。
too-many-field-directives = 同一处的指令过多：最多 { $limit } 个。
too-many-directives = 查询文档中的指令过多：最多 { $limit } 个。
too-many-fragments = 片段过多：最多 { $limit } 个。
too-many-variables = 变量过多：最多 { $limit } 个。
list-too-long = 列表字面量过长：最多 { $limit } 项。
too-many-nodes = 嵌套分页请求的节点过多：同一路径上最多 { $limit } 个。
cost-too-high = 此操作需要 { $cost } 点，超出您的上限 { $limit } 点，请减少一次请求的内容。
operation-not-found = 查询文档中没有名为 { $operation } 的操作。
operation-name-required = 查询文档中有多个操作，请用 operationName 指明其一。
json-too-deep = JSON 嵌套过深：最多 { $limit } 层。
bad-json = 不是有效的 JSON：{ $detail }
bad-parameter = 参数 { $parameter } 的形式不对，应为：{ $expected }。
parameter-repeated = 该参数重复出现，请只填一次。
query-missing = 请求中没有 query。
batch-not-allowed = 一次只能发送一个操作。
batch-size-invalid = 一批须有 1 至 { $limit } 个操作。
idempotency-key-invalid = 幂等键须为一个值，由 1 至 255 个可见 ASCII 字符组成。
idempotency-needs-one-mutation = 带幂等键的请求须恰好含一个变更字段。
method-not-allowed = HTTP 方法不符：变更及请求体须用 POST。
unsupported-media-type = 请发送 UTF-8 编码、未压缩的 application/json。
not-acceptable = 可接受的类型为 application/graphql-response+json、application/json 或 text/event-stream。
stream-required = 订阅须用 Accept: text/event-stream 或 WebSocket。
body-too-large = 请求体过大：最多 { $limit } 字节。
body-incomplete = 请求体未能按时完整送达。
bad-upgrade = WebSocket 握手无效。
# Clients compare these two texts, in every language.
persisted-query-not-found = PersistedQueryNotFound
persisted-query-not-supported = PersistedQueryNotSupported
persisted-query-hash-mismatch = 散列值与查询文档不符。
document-not-stored = 此密钥只能执行随其登记的查询文档，当前文档不在其中。
throttled = 短时间内请求过多，请在 { $seconds } 秒后重试。
too-many-subscriptions = 此连接上运行的操作过多：最多 { $limit } 个。
overloaded = 服务器的连接数已达上限，请稍后重试。
deadline-exceeded = 操作用时过长，已停止。
not-reached = 本次请求时间已用尽，尚未处理到该项，未作任何更改，请重新发送。

# identity
sign-in-refused = 用户名或密码不正确，或因多次尝试已暂停登录，请稍后再试。
password-weak = 此密码过于简单，请另设密码。
password-unchanged = 新密码与当前密码相同，请另设密码。
link-invalid = 链接无效：可能已使用、已被替换、已过期或录入有误，请重新索取。
account-acts-elsewhere = 该人员还在您管理范围之外任职，不能对整个账号执行此操作。请终止其在本单位或本联盟的角色（endSeat），此后即刻不能再进入；停用整个账号须由各相关方分别办理，或联系平台管理员。
last-committee = 此后本联盟将无人主持。请先将党委角色授予他人，或联系平台管理员处理。
role-conflict = 同一人在同一联盟不得既主持联盟又核验或审批，该人员已担任其中另一角色。请先终止该角色，或另选他人。

# territory

# governance
organization-code-doubtful = 第9至17位的组织机构代码校验位不符：应为 { $expected }，实为 { $found }。
designation-refused = 不记录部队番号，请填写不含番号的名称。
committee-kept = 该单位是本联盟的党委，成员资格须保留。
unit-answers-itself = 该单位须由其最早加入的联盟中的单位管理员自行答复邀请，也可由平台管理员代为答复。
leads-team = 该单位是服务队“{ $team }”的牵头单位，请先更换牵头单位。
stands-in-duties = 该单位仍有未结束的事项：包保 { $pairings } 处、网格岗位 { $posts } 个、党组织驻在 { $hosts } 处、党建指导员 { $instructors } 名、动员令 { $orders } 件。请先逐项结束。
stands-in-calls = 该单位仍在吹哨 { $whistles } 的召集中，请先放行、免除或改派。
in-another-team = { $organization } 已在服务队“{ $team }”中。
team-in-rotation = 该服务队在轮值中仍有期次，请先另行安排。

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
handover-unanswered = 还有 { $count } 项交接事项未答复，请逐项接收或说明理由退回。
rotation-feed-name = { $alliance }：{ $plan }
rotation-feed-lead = 牵头单位：{ $name }
rotation-feed-units = 成员单位：{ $names }

# priority task
task-list-not-published = 清单尚未发布：请先发布整张清单。
task-list-closed = 该任务清单已结转封存，内容不再变动。
month-not-begun = { $month } 月份尚未开始。
alliance-not-below = 任务只能分解到本联盟的下级联盟。
lead-is-co-organizer = 牵头单位不能同时列为配合单位。
outside-territory = 该区域不在本联盟辖区内。
not-your-organization = 只有本事项所涉单位才能办理。

# problem
evidence-missing = 申请销号至少需有 { $expected } 份本轮的销号佐证材料，退回重办后须有新补充的材料。请先补充。
not-independent = 须由未经办此事、且不属于责任单位或被召集单位的人员办理。
merge-refused = 只能并入同一清单上的另一个问题。
no-parent-alliance = 本联盟没有上级联盟，无法提级办理。
not-escalated = 此事未提级，或已经退回。
escalation-taken = 上级联盟已经交办，只能由上级退回。
escalated-from-below = 该问题由下级联盟提级而来，请说明理由退回下级。
no-reporter = 该问题没有登记反映人，无法回访。
tried-today = 今日已回访未果，下一次须在 { $earliest } 之后。
notice-unanswered = 同级督办单 { $number } 尚未答复，不得重复下发。
assignment-binds = 该问题已退单两次，此次交办不得再退。
lead-is-joint = 牵头单位不能同时作为配合单位。
lead-has-no-part = 牵头单位没有单独的分办事项，请直接办理该问题。
first-receiver-leads = 该问题由多家单位联合办理，首接牵头单位不得退单，请与党委办公室沟通。
parts-unfinished = 还有 { $count } 家配合单位的任务未办结，全部办结后方可申请销号。
part-evidence-missing = 请先由本单位补充本轮的销号佐证材料，合计至少 { $expected } 份。
held-from-above = 批准挂账、解除挂账的人须未经办该问题，且不属于责任单位。
sign-offs-missing = 该问题销号前须有 { $expected } 位审批人会签，目前为 { $found } 位。请先会签（signOffProblem）。
already-signed-off = 您已会签该问题，须由其他审批人继续会签。
sign-offs-complete = 无需再会签，最后一位审批人直接销号（strikeOffProblem）即可。
objection-window-closed = 可退回的时限已于 { $until } 届满，现已不得再退。
tier-unchanged = 该问题已属于这一层级。

# whistle
emergency-binds = 应急处置哨不得拒绝报到。
call-binds = 此次吹哨已被退回两次或由兜底单位承接，不得再拒绝。
already-called = 该单位已在本次吹哨中被召集。
units-still-called = 本级召集的单位尚未办结，请待其办结或由镇街免除后再退回。
calls-itself = 吹哨的镇街不能召集自己。
proposes-itself = 请另选一个单位，不能是拒绝的单位本身。
resolved-before-report-in = 对本规则适用的某类哨，解决时限短于报到时限；请延长前者或缩短后者。
no-backstop = 本次吹哨未指定兜底单位，请指明召集单位。

# grid
too-late = 日期不得晚于 { $most }。
grid-level-jump = 此网格的下一级应为 { $level } 级。
grid-loop = 这些网格互为上级，形成循环：{ $value }。
grid-outside-parent = 网格不得超出上级网格“{ $cell }”的范围。
grid-overlap = 同级综合网格“{ $cell }”已覆盖 { $region }（或其一部分）。
parent-ended = 上级已终止，请另选在用的上级。
others-stand-below = 其下仍有“{ $name }”，请先终止或调整。
hosts-branches = 自该日起仍有 { $branches } 个党组织驻在该网格、{ $instructors } 名党建指导员服务该网格，请先调整或结束。
main-officer-taken = 该网格此角色自 { $since } 起已有主责人员，请先结束其任职，或将此人设为非主责。
# mobilization
person-identified = 人员须用志愿者编号或令牌表示，不得使用身份证号或手机号。
region-above-community = 该区域大于社区（村）；请填写社区（村）、屯、小区或楼栋。
outside-mobilization = 该区域不在本动员令的范围内。
already-ordered = 该单位已列入本动员令。
unit-not-called = 本动员令未召集该单位，该单位也未包保此处；志愿者请不填单位。
unit-released = 该单位已从本动员令放行，不能再随该单位报到。
shift-elsewhere = 该班次不属于此处。
shift-over = 该班次已于 { $until } 结束。
check-in-in-future = 时间晚于当前时间，最晚为 { $most }。
check-in-before-issue = 时间早于动员令签发时间 { $least }。
check-in-after-end = 时间晚于动员令解除时间 { $most }。
not-checked-in = 该人员当前未在本次动员中报到。
already-paired = 该单位在此期间已包保此处。
not-reported-home = 该人员没有有效的居住地社区报到。
not-linked = 该党组织没有承办此事项。

# party branch
branch-kind-order = 隶属关系不符：党小组隶属党支部，党支部隶属党总支或党委，党总支隶属党委。
groups-exceed-branch = 各党小组合计 { $groups } 人，超过党支部的 { $branch } 人，请先更新党支部人数。

# file
file-too-large = 文件超过 { $most } 字节的上限。
file-type-refused = 不接受此类型的文件，请上传 JPEG、PNG、WebP、GIF、PDF、MP4、DOCX、XLSX 或纯文本。
picture-unreadable = 图片已损坏，或超过 { $most } 像素。
upload-incomplete = 上传中断，请重新上传。
upload-header-missing = 上传时请携带请求头 X-Concord-Upload: 1。
too-many-files = 您已有 { $most } 个文件尚未关联，请先关联或等待其过期。

# fact
lagged = 接收过慢，推送已结束。请从此错误所附的位置继续。

# import
mapping-invalid = 列映射不适用：{ $reason }。
import-file-missing = 文件 { $file } 不存在或无法读取。
import-too-large = 文件过大：最多 { $most }。
import-not-utf-8 = 此值不是 UTF-8 编码，请将文件另存为“CSV UTF-8”。
import-quote-open = 此处引号不成对，文件可能被截断。
import-wrong-columns = 此行有 { $found } 列，表头有 { $expected } 列。
import-column-missing = 表头缺少“{ $name }”列，或该列重复。
import-duplicate = 此行与第 { $first } 行重复。
import-unknown = “{ $value }”既未登记，也不在导入文件中。
import-ambiguous = “{ $value }”不唯一，请改填代码，或在前面写明上级，如“城南社区/东小区”。
import-differs = 与别处所填不一致（别处为“{ $value }”），导入不作更改。
