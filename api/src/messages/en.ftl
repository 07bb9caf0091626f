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
rotation-feed-name = { $alliance }: { $plan }
rotation-feed-lead = Lead: { $name }
rotation-feed-units = Units: { $names }

# priority task
not-your-organization = Only the organisation that this concerns may do it.

# problem

# file

# fact

# import
