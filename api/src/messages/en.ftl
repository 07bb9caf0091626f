unauthenticated = Sign in first, or send a valid token.
forbidden = Your role does not allow this.
not-found = There is no such object, or you may not see it.
internal = Something went wrong on our side. Quote the request id when you report it.
unavailable = The service is busy. Nothing was changed; please send the request again.
outcome-unknown = The database went away while your change was being saved. It was saved whole or not at all: send the request again with the same idempotency key, or look first.
required = A value is required here.
too-long = The text is too long: at most { $most } characters.
too-short = The text is too short: at least { $least } characters.
out-of-range = The value, time or number of items must lie between { $least } and { $most }.
malformed = The value is not of the expected form: { $expected ->
    [token] 1 to 64 letters, digits, "-" or "_"
    [line] one line of text, without line breaks, tabs or other control characters
    [text] text without control characters
    [null] nothing
   *[other] { $expected }
}.
id-malformed = This is not an identifier of ours.
cursor-malformed = This cursor is not one of ours, or belongs to another list or order.
page-invalid = Ask for 1 to 100 items, with either first or last.
already-exists = It exists already.
version-conflict = It changed since you read it; the current version is { $current }.
number-pattern-taken = With this pattern a number would be given again that exists already: { $number }.
position-ahead = The last position here is { $most }. A position ahead of it comes from another database or from a later state of this one; read everything anew.
credit-code-kept = The organisation has a unified social credit code already, and keeps it: another code is another organisation.
credit-code-taken = This credit code belongs to an organisation of another name. Correct the code, or the name.
state-refused = This cannot be done while it is { $state }.
nothing-to-erase = There is nothing to erase, or it was erased before.
reason-names-erased = The reason repeats the name or number that is to be erased; write it without.
idempotency-key-reused = This idempotency key was used before with another request.
idempotency-key-refused = This mutation answers with a secret and takes no idempotency key.
credit-code-length = A unified social credit code has 18 characters; this one has { $found }.
credit-code-character = The character at position { $position } cannot stand in a unified social credit code.
credit-code-mistyped = One or more characters of the unified social credit code are mistyped.
not-a-member = The organisation is not an active member of this alliance.
not-responsible = The organisation is not responsible for this problem.
no-deadline = There is no deadline that could be moved.
not-vouched-for = No signed checkpoint names this strike-off yet. Ask again in a minute.
font-missing = This program was built without the font that certificates are printed in. Run `make web` in the source folder, build again, and ask again; the JSON form is there all the same.
too-early = The day must be { $least } or later.

# door
document-too-large = The document is too long: at most { $limit } bytes.
too-many-tokens = The document has too many tokens: at most { $limit }.
nesting-too-deep = The document is nested too deeply: at most { $limit } levels.
graphql-parse-failed = This is not valid GraphQL: { $detail }
graphql-validation-failed = The document does not fit the schema: { $detail }
bad-user-input = A value does not fit its type: { $detail }
too-many-selections = The document selects too many fields: at most { $limit } with fragments expanded.
fragment-cycle = The fragment { $fragment } contains itself.
too-deep = Fields are nested too deeply: at most { $limit } levels.
introspection-too-deep = The introspection is nested too deeply: at most { $limit } levels.
too-many-aliases = The document has too many aliases: at most { $limit }.
too-many-field-directives = One place has too many directives: at most { $limit }.
too-many-directives = The document has too many directives: at most { $limit }.
too-many-fragments = The document has too many fragments: at most { $limit }.
too-many-variables = There are too many variables: at most { $limit }.
list-too-long = A list literal is too long: at most { $limit } items.
too-many-nodes = The nested pages ask for too many nodes: at most { $limit } along one path.
cost-too-high = The operation costs { $cost } points, more than the { $limit } that you can ever have. Ask for less at once.
operation-not-found = The document has no operation { $operation }.
operation-name-required = The document has several operations: say which one with operationName.
json-too-deep = The JSON is nested too deeply: at most { $limit } levels.
bad-json = This is not valid JSON: { $detail }
bad-parameter = The parameter { $parameter } has the wrong form; expected: { $expected }.
parameter-repeated = This parameter is given more than once: give it once.
query-missing = The request has no query.
batch-not-allowed = Send one operation at a time.
batch-size-invalid = A batch holds 1 to { $limit } operations.
idempotency-key-invalid = An idempotency key is one value of 1 to 255 visible ASCII characters.
idempotency-needs-one-mutation = A request with an idempotency key has exactly one mutation field.
method-not-allowed = This HTTP method does not fit: mutations and bodies need POST.
unsupported-media-type = Send application/json in UTF-8, uncompressed.
not-acceptable = Accept application/graphql-response+json, application/json or text/event-stream.
stream-required = A subscription needs Accept: text/event-stream, or a WebSocket.
body-too-large = The body is too large: at most { $limit } bytes.
body-incomplete = The body did not arrive completely in time.
bad-upgrade = This is not a valid WebSocket handshake.
# Clients compare these two texts, in every language.
persisted-query-not-found = PersistedQueryNotFound
persisted-query-not-supported = PersistedQueryNotSupported
persisted-query-hash-mismatch = The hash is not that of the document.
document-not-stored = This key runs only the documents that were registered with it, and this is none of them.
throttled = Too much was asked in a short time. Try again in { $seconds } s.
too-many-subscriptions = Too many operations run on this connection: at most { $limit }.
overloaded = The server has as many connections as it can serve. Try again soon.
deadline-exceeded = The operation took too long and was stopped.
not-reached = The time of this request ran out before this item was reached. Nothing of it was done: send it again.

# identity
sign-in-refused = The user name or the password is wrong, or sign-in is paused after too many attempts.
password-weak = This password is too easy to guess. Choose another one.
password-unchanged = This is the password you have already. Choose another one.
link-invalid = This link is not valid: it was used, replaced, has lapsed, or is mistyped. Ask for a new one.
account-acts-elsewhere = This person also acts outside what you look after, so you cannot do this to the whole account. End their roles in your unit or alliance (endSeat): that shuts them out there at once. Ending the whole account takes everybody whom it concerns, or a platform administrator.
last-committee = Nobody would run this alliance any more. Give somebody else the committee's role first, or ask a platform administrator.
role-conflict = The committee of an alliance neither verifies nor approves in it, and this person holds the other role. End that role first, or choose somebody else.

# territory

# governance
organization-code-doubtful = The organisation code in positions 9 to 17 does not fit its own check character: { $expected } was expected, not { $found }.
designation-refused = The designation of a military unit is not recorded; write the name without it.
committee-kept = This organisation is the alliance's committee and keeps its seat.
unit-answers-itself = This organisation answers its invitation itself, through its manager in the alliance where it has been a member the longest; a platform administrator can answer on its behalf.
leads-team = This organisation leads the service team { $team }; give the team another lead first.
stands-in-duties = This organisation still stands in { $pairings } pairings, { $posts } posts in grids, { $hosts } hosts of branches, { $instructors } instructors and { $orders } orders of mobilisation; end these first.
stands-in-calls = This organisation is still called to { $whistles }; release, excuse or re-route it there first.
in-another-team = { $organization } is in the service team { $team } already.
team-in-rotation = This service team still has turns in a rotation; reassign them first.

# calendar

# rotation
unit-in-two-teams = { $unit } sits in more than one team of the plan.
rotation-unfillable = No team can take these turns: { $months }. The blocked teams stand in brackets; = marks an assignment by hand that is blocked or whose team is not in the plan.
rotation-too-hard = The best rotation could not be found in time. Assign some turns by hand or lift some blocks.
rotation-incomplete = These turns are empty, or their team is blocked or no longer in the plan: { $months }. Generate the rotation again.
rotation-overlaps = The plan “{ $plan }” is published for the same time.
approval-required = The oversight body must approve the plan before it is published.
approval-not-needed = The alliance has no oversight body; publish the plan directly.
slot-begun = The turn of { $month } has begun or is over and cannot be changed.
slot-not-begun = The turn of { $month } has not begun yet.
team-blocked = The turn of { $month } is blocked for { $team }.
swap-stale = The slots changed since the swap was proposed. Withdraw it and propose it again.
swap-overlaps = One of the slots stands in another swap that is still open.
swap-pointless = A swap needs two slots of different teams.
swap-needs-team = The committee may act for one of the two teams only; the other must agree itself.
no-next-slot = There is no next turn to hand over to.
handover-unanswered = { $count } of the items handed on have no answer yet; accept or decline each.
rotation-feed-name = { $alliance }: { $plan }
rotation-feed-lead = Lead: { $name }
rotation-feed-units = Units: { $names }

# priority task
task-list-not-published = The list has not been published yet: publish the list with all its tasks.
task-list-closed = The task list was closed when its unfinished tasks were carried over; nothing on it changes any more.
month-not-begun = The month { $month } has not begun yet.
alliance-not-below = A part of a task goes to an alliance below the task's own.
lead-is-co-organizer = The lead unit cannot be one of the co-organisers as well.
outside-territory = The region lies outside the territory of this alliance.
not-your-organization = Only the organisation that this concerns may do it.

# problem
evidence-missing = Add closure evidence of this round first: { $expected } or more in all, and after a return some that is new.
not-independent = Whoever decides must have no part in it: they neither handled it nor act for a unit that is responsible for it or called to it.
merge-refused = A problem is merged into another one of the same list.
no-parent-alliance = This alliance stands below no other; there is nobody to hand the problem up to.
not-escalated = This was not escalated, or it came back already.
escalation-taken = The alliance above has assigned it already; only they can hand it back.
escalated-from-below = This problem came from an alliance below; hand it back there with its reason.
no-reporter = Nobody is known to have reported this problem, so there is nobody to ask.
tried-today = Not reached today already; the next try counts from { $earliest } on.
notice-unanswered = Notice { $number } of this level is not answered yet.
assignment-binds = The assignment was declined twice before; it binds now.
lead-is-joint = The leading organisation cannot be one of the joint ones as well.
lead-has-no-part = The leading organisation has no part of its own; it goes on with the problem itself.
first-receiver-leads = Several organisations handle this problem: the one that leads cannot decline. Ask the committee.
parts-unfinished = { $count } parts of joint organisations are not done yet. Every part must be done first.
part-evidence-missing = Add closure evidence of this round from your own organisation first: { $expected } or more pieces in all.
held-from-above = Whoever puts a problem on account or takes it off must neither handle it nor act for a responsible organisation.
sign-offs-missing = { $expected } approvers have to sign this problem off before it is struck off; { $found } did. Sign it off (signOffProblem).
already-signed-off = You have signed this problem off already. The next sign-off is somebody else's.
sign-offs-complete = No further sign-off is needed: the last one is the strike-off itself (strikeOffProblem).
objection-window-closed = This could be declined until { $until }; it binds now.
tier-unchanged = The problem is in this tier already.

# whistle
emergency-binds = A call to an emergency cannot be refused.
call-binds = This call binds: it was refused twice before, or the unit is the backstop.
already-called = The unit is called to this whistle already.
units-still-called = Units that you called to this whistle still answer; let them finish, or ask the town to excuse them, before you hand it back.
calls-itself = A town does not call itself to its own whistle.
proposes-itself = Choose another unit than the one that refuses.
resolved-before-report-in = The time to resolve is shorter than the time to report in, for a kind of whistle to which this rule applies; lengthen the one or shorten the other.
no-backstop = The whistle names no backstop unit; name the unit to call.

# grid
too-late = The day must be { $most } or earlier.
grid-level-jump = A cell that stands below this one is of level { $level }.
grid-loop = These cells stand above each other in a circle: { $value }.
grid-outside-parent = A grid cell covers no more than the one above it: { $cell }.
grid-overlap = The comprehensive cell { $cell } of the same level already covers { $region }, or a part of it.
parent-ended = What it is to stand below has ended, or its end is set; choose one that stands.
others-stand-below = { $name } still stands below it; end or move that first.
hosts-branches = From that day on { $branches } Party organisations are at home in this cell, and { $instructors } instructors serve it; move or end these first.
main-officer-taken = The cell has a main officer of this role since { $since }; end that post first, or assign this one beside it.
# mobilization
person-identified = A person is given by a volunteer number or a token, never by an identity card's or a phone's number.
region-above-community = The region is larger than a community; name a community, natural village, compound or building.
outside-mobilization = The region lies outside the regions of this order.
already-ordered = The unit is on this order already.
unit-not-called = The order does not call the unit, and it is not paired with this place; leave it out for a volunteer.
unit-released = This unit was released from the order; nobody comes with it any more.
shift-elsewhere = The shift is one of another place.
shift-over = The shift was over at { $until }.
check-in-in-future = The time lies in the future; the latest is { $most }.
check-in-before-issue = The time lies before the order was issued, at { $least }.
check-in-after-end = The time lies after the order was stood down, at { $most }.
not-checked-in = The person is not present in this mobilisation.
already-paired = The unit is paired with this place at that time already.
not-reported-home = The person has no standing report to a home community.
not-linked = The Party organisation does not serve it.

# party branch
branch-kind-order = It cannot stand below this one: a group stands below a branch, a branch below a general branch or a committee, a general branch below a committee.
groups-exceed-branch = The groups together would count { $groups } members, the branch { $branch }; count the branch first.

# file
file-too-large = The file is larger than { $most } bytes.
file-type-refused = Files of this type are not taken; send JPEG, PNG, WebP, GIF, PDF, MP4, DOCX, XLSX or plain text.
picture-unreadable = The picture is damaged or has more than { $most } pixels.
upload-incomplete = The upload broke off; please send the file again.
upload-header-missing = Send the header X-Concord-Upload: 1 with an upload.
too-many-files = { $most } of your files wait to be attached already; attach them, or wait until they expire.

# fact
lagged = You fell too far behind. Go on from the position given with this error.

# import
mapping-invalid = The mapping of columns does not fit: { $reason }.
import-file-missing = The file { $file } is not there or cannot be read.
import-too-large = The file is too large: at most { $most } are taken.
import-not-utf-8 = This value is not UTF-8; save the file as "CSV UTF-8".
import-quote-open = A quotation mark has no counterpart here; the file may be cut off.
import-wrong-columns = This row has { $found } columns, the header has { $expected }.
import-column-missing = The header lacks the column { $name }, or names it twice.
import-duplicate = This row repeats line { $first }.
import-unknown = { $value } is neither on record nor in the files.
import-ambiguous = { $value } may mean several; give the code, or the name of what lies above in front of it, such as 城南社区/东小区.
import-differs = It is { $value } elsewhere; a file says it once, and changes it nowhere.
