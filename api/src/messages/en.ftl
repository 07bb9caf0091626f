unauthenticated = Sign in first, or send a valid token.
forbidden = Your role does not allow this.
not-found = There is no such object, or you may not see it.
internal = Something went wrong on our side. Quote the request id when you report it.
unavailable = The service is busy. Nothing was changed; please send the request again.
required = A value is required here.
too-long = The text is too long: at most { $most } characters.
too-short = The text is too short: at least { $least } characters.
out-of-range = The value must lie between { $least } and { $most }.
malformed = The value is not of the expected form: { $expected }.
id-malformed = This is not an identifier of ours.
cursor-malformed = This cursor is not one of ours, or belongs to another list or order.
page-invalid = Ask for 1 to 100 items, with either first or last.
already-exists = It exists already.
version-conflict = It changed since you read it; the current version is { $current }.
state-refused = This cannot be done while it is { $state }.
idempotency-key-reused = This idempotency key was used before with another request.
idempotency-key-refused = This mutation answers with a secret and takes no idempotency key.
credit-code-length = A unified social credit code has 18 characters; this one has { $found }.
credit-code-character = The character at position { $position } cannot stand in a unified social credit code.
credit-code-mistyped = One or more characters of the unified social credit code are mistyped.
not-a-member = The organisation is not an active member of this alliance.

# identity

# territory

# governance
organization-code-doubtful = The organisation code in positions 9 to 17 does not fit its own check character: { $expected } was expected, not { $found }.
designation-refused = The designation of a military unit is not recorded; write the name without it.
committee-kept = This organisation is the alliance's committee and keeps its seat.
leads-team = This organisation leads the service team { $team }; give the team another lead first.
in-another-team = { $organization } is in the service team { $team } already.
team-in-rotation = This service team still has turns in a rotation; reassign them first.

# calendar

# rotation

# priority task
not-your-organization = Only the organisation that this concerns may do it.

# problem

# file

# fact

# import
import-file-missing = The file { $file } is not there or cannot be read.
import-too-large = The file is too large: at most { $most } are taken.
import-not-utf8 = This value is not UTF-8; save the file as "CSV UTF-8".
import-quote-open = A quotation mark has no counterpart here; the file may be cut off.
import-wrong-columns = This row has { $found } columns, the header has { $expected }.
import-column-missing = The header lacks the column { $name }, or names it twice.
import-duplicate = This row repeats line { $first }.
import-unknown = { $value } is neither on record nor in the files.
