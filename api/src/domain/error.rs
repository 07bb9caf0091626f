//! Everything that can go wrong in a verb, sorted by who can mend it. Texts stand in `messages/`, one per code and language.

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx, sqlx::sqlite::SqliteError};
use uuid::Uuid;

pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Stable codes of failures: clients switch on these, never on messages.
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[graphql(name = "ErrorCode")]
        pub enum Code { $($(#[$doc])* #[graphql(name = $text)] $name,)+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in answers and, in lower case with dashes, the key of its message.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// No valid credential came with the request.
    Unauthenticated = "UNAUTHENTICATED",
    /// The caller may see the object but not do this to it.
    Forbidden = "FORBIDDEN",
    /// There is no such object, or the caller may not see it.
    NotFound = "NOT_FOUND",
    /// The server failed; the request id finds the details in its log.
    Internal = "INTERNAL",
    /// The database is busy, full or away; nothing was changed and the request may be sent again.
    Unavailable = "UNAVAILABLE",
    /// The database went away while the change was being committed: it was made whole or not at all. Sending the request
    /// again with the same idempotency key tells which, and makes it if it was not.
    OutcomeUnknown = "OUTCOME_UNKNOWN",
    /// A value that must be given is missing or blank.
    Required = "REQUIRED",
    /// A text is longer than allowed.
    TooLong = "TOO_LONG",
    /// A text is shorter than allowed.
    TooShort = "TOO_SHORT",
    /// A number or date lies outside what is allowed.
    OutOfRange = "OUT_OF_RANGE",
    /// A value is not of the form it must have.
    Malformed = "MALFORMED",
    /// An identifier is not one of ours.
    IdMalformed = "ID_MALFORMED",
    /// A cursor is not one of ours, or belongs to another list or order.
    CursorMalformed = "CURSOR_MALFORMED",
    /// A page asks for more than 100 items, fewer than one, or for both directions at once.
    PageInvalid = "PAGE_INVALID",
    /// Something with the same key exists already.
    AlreadyExists = "ALREADY_EXISTS",
    /// The object changed since the caller read it.
    VersionConflict = "VERSION_CONFLICT",
    /// The object's state does not allow this.
    StateRefused = "STATE_REFUSED",
    /// What was to be erased is not there, or was erased before.
    NothingToErase = "NOTHING_TO_ERASE",
    /// The reason for an erasure repeats what is to be erased.
    ReasonNamesErased = "REASON_NAMES_ERASED",
    /// The idempotency key was used before with another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
    /// This mutation answers with a secret and takes no idempotency key.
    IdempotencyKeyRefused = "IDEMPOTENCY_KEY_REFUSED",
    /// A unified social credit code has the wrong length.
    CreditCodeLength = "CREDIT_CODE_LENGTH",
    /// A unified social credit code has a character outside its alphabet.
    CreditCodeCharacter = "CREDIT_CODE_CHARACTER",
    /// One or more characters of a unified social credit code are mistyped.
    CreditCodeMistyped = "CREDIT_CODE_MISTYPED",
    /// The unified social credit code belongs to an organisation of another name.
    CreditCodeTaken = "CREDIT_CODE_TAKEN",
    /// The organisation is not an active member of the alliance.
    NotAMember = "NOT_A_MEMBER",
    /// The organisation is not responsible for the problem.
    NotResponsible = "NOT_RESPONSIBLE",
    /// There is no deadline that could be moved.
    NoDeadline = "NO_DEADLINE",
    /// No signed checkpoint names the strike-off yet; one is made within a minute or so.
    NotVouchedFor = "NOT_VOUCHED_FOR",
    /// This program was built without the font that certificates are printed in: the JSON form is there all the same.
    FontMissing = "FONT_MISSING",
    /// The day is earlier than what it follows or replaces allows.
    TooEarly = "TOO_EARLY",
    /// A position lies ahead of everything that was ever recorded here: the database is another, or an older one.
    PositionAhead = "POSITION_AHEAD",
    // identity
    /// The user name or the password is wrong, or sign-in is paused after too many attempts.
    SignInRefused = "SIGN_IN_REFUSED",
    /// A new password is the user name or one of the first that anybody tries.
    PasswordWeak = "PASSWORD_WEAK",
    /// The new password is the one that is to be changed.
    PasswordUnchanged = "PASSWORD_UNCHANGED",
    /// A one-time link is not one of ours, was used, was replaced, or has lapsed.
    LinkInvalid = "LINK_INVALID",
    /// The person also acts where the caller has no power: end their roles here, which shuts them out here at once. The whole
    /// account takes everybody concerned, or a platform administrator.
    AccountActsElsewhere = "ACCOUNT_ACTS_ELSEWHERE",
    // the door: told in `extensions.code` before anything runs
    /// The document's text is longer than allowed.
    DocumentTooLarge = "DOCUMENT_TOO_LARGE",
    /// The document has more lexical tokens than allowed.
    TooManyTokens = "TOO_MANY_TOKENS",
    /// Brackets, or selection sets with fragments expanded, are nested deeper than allowed.
    NestingTooDeep = "NESTING_TOO_DEEP",
    /// The document is not GraphQL.
    ParseFailed = "GRAPHQL_PARSE_FAILED",
    /// The document does not fit the schema.
    ValidationFailed = "GRAPHQL_VALIDATION_FAILED",
    /// A variable or an argument has a value that its type does not allow.
    BadUserInput = "BAD_USER_INPUT",
    /// More selections than allowed after expanding fragments.
    TooManySelections = "TOO_MANY_SELECTIONS",
    /// A fragment contains itself.
    FragmentCycle = "FRAGMENT_CYCLE",
    /// Fields are nested deeper than allowed.
    TooDeep = "TOO_DEEP",
    /// Introspection fields are nested deeper than allowed.
    IntrospectionTooDeep = "INTROSPECTION_TOO_DEEP",
    /// More aliases than allowed.
    TooManyAliases = "TOO_MANY_ALIASES",
    /// More directives on one place than allowed.
    TooManyFieldDirectives = "TOO_MANY_FIELD_DIRECTIVES",
    /// More directives in the document than allowed.
    TooManyDirectives = "TOO_MANY_DIRECTIVES",
    /// More fragment definitions than allowed.
    TooManyFragments = "TOO_MANY_FRAGMENTS",
    /// More variables than allowed, declared or given.
    TooManyVariables = "TOO_MANY_VARIABLES",
    /// A list literal has more items than allowed.
    ListTooLong = "LIST_TOO_LONG",
    /// The page sizes along one path multiply to more nodes than allowed.
    TooManyNodes = "TOO_MANY_NODES",
    /// The operation could never be paid for by this caller.
    CostTooHigh = "COST_TOO_HIGH",
    /// The document has no operation of the name given.
    OperationNotFound = "OPERATION_NOT_FOUND",
    /// The document has several operations and no name was given.
    OperationNameRequired = "OPERATION_NAME_REQUIRED",
    /// JSON is nested deeper than allowed.
    JsonTooDeep = "JSON_TOO_DEEP",
    /// The body or a parameter is not JSON.
    BadJson = "BAD_JSON",
    /// A request parameter has the wrong type.
    BadParameter = "BAD_PARAMETER",
    /// A parameter of the address is given more than once.
    ParameterRepeated = "PARAMETER_REPEATED",
    /// The request has no query.
    QueryMissing = "QUERY_MISSING",
    /// Batches are switched off.
    BatchNotAllowed = "BATCH_NOT_ALLOWED",
    /// The batch is empty or has more operations than allowed.
    BatchSizeInvalid = "BATCH_SIZE_INVALID",
    /// The idempotency key is not 1 to 255 visible ASCII characters.
    IdempotencyKeyInvalid = "IDEMPOTENCY_KEY_INVALID",
    /// An idempotency key was sent with anything but one mutation field.
    IdempotencyNeedsOneMutation = "IDEMPOTENCY_NEEDS_ONE_MUTATION",
    /// The HTTP method does not fit.
    MethodNotAllowed = "METHOD_NOT_ALLOWED",
    /// The body is not `application/json` in UTF-8.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
    /// None of the accepted media types can be given.
    NotAcceptable = "NOT_ACCEPTABLE",
    /// A subscription was asked for without `Accept: text/event-stream`.
    StreamRequired = "STREAM_REQUIRED",
    /// The body is longer than allowed.
    BodyTooLarge = "BODY_TOO_LARGE",
    /// The body did not arrive in time or broke off.
    BodyIncomplete = "BODY_INCOMPLETE",
    /// The WebSocket upgrade is malformed.
    BadUpgrade = "BAD_UPGRADE",
    /// The document of this hash is not known here: send it in full once.
    PersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND",
    /// The persisted-query extension has a form that is not supported.
    PersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED",
    /// The hash is not the document's.
    PersistedQueryHashMismatch = "PERSISTED_QUERY_HASH_MISMATCH",
    /// The key is bound to a list of documents, and this is none of them.
    DocumentNotStored = "DOCUMENT_NOT_STORED",
    /// The caller's cost bucket is empty.
    Throttled = "THROTTLED",
    /// Too many operations run on this socket.
    TooManySubscriptions = "TOO_MANY_SUBSCRIPTIONS",
    /// The server has as many streams as it can serve.
    Overloaded = "OVERLOADED",
    /// The operation took longer than allowed.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    /// The request's time ran out before this item was reached: nothing of it was done, and it is to be sent again.
    NotReached = "NOT_REACHED",
    /// Nobody would run the alliance any more.
    LastCommittee = "LAST_COMMITTEE",
    /// The person holds a role in the alliance that excludes this one: who runs it is never who checks it.
    RoleConflict = "ROLE_CONFLICT",
    // territory
    // governance
    /// The organisation code inside a unified social credit code has a check of its own, which disagrees: only a warning.
    OrganizationCodeDoubtful = "ORGANIZATION_CODE_DOUBTFUL",
    /// The organisation has a credit code, which is never replaced by another.
    CreditCodeKept = "CREDIT_CODE_KEPT",
    /// A name carries the designation of a military unit, which is never recorded.
    DesignationRefused = "DESIGNATION_REFUSED",
    /// The pattern would write a number that was given before.
    NumberPatternTaken = "NUMBER_PATTERN_TAKEN",
    /// The organisation runs the alliance as its committee and keeps its seat.
    CommitteeKept = "COMMITTEE_KEPT",
    /// The invited organisation speaks for itself: its own manager or a platform administrator takes up the invitation.
    UnitAnswersItself = "UNIT_ANSWERS_ITSELF",
    /// The organisation leads a standing service team.
    LeadsTeam = "LEADS_TEAM",
    /// The organisation stands in open calls to whistles.
    StandsInCalls = "STANDS_IN_CALLS",
    /// The organisation still stands in duties of the alliance, which end first: pairings, posts in grids, hosts of branches, instructors.
    StandsInDuties = "STANDS_IN_DUTIES",
    /// The organisation is in another standing service team of the alliance.
    InAnotherTeam = "IN_ANOTHER_TEAM",
    /// The service team still has turns in a rotation.
    TeamInRotation = "TEAM_IN_ROTATION",
    // calendar
    // rotation
    /// A unit sits in more than one team of the plan.
    UnitInTwoTeams = "UNIT_IN_TWO_TEAMS",
    /// No complete rotation exists: some turns can be taken by no team.
    RotationUnfillable = "ROTATION_UNFILLABLE",
    /// The best rotation could not be found within the time allowed for it.
    RotationTooHard = "ROTATION_TOO_HARD",
    /// The plan has empty turns, or turns whose team is blocked or no longer in the plan.
    RotationIncomplete = "ROTATION_INCOMPLETE",
    /// The alliance has another published plan for the same time.
    RotationOverlaps = "ROTATION_OVERLAPS",
    /// The alliance has an oversight body, which must approve the plan first.
    ApprovalRequired = "APPROVAL_REQUIRED",
    /// The alliance has no oversight body to submit the plan to.
    ApprovalNotNeeded = "APPROVAL_NOT_NEEDED",
    /// The turn has begun or is over and cannot be changed.
    SlotBegun = "SLOT_BEGUN",
    /// The turn has not begun yet.
    SlotNotBegun = "SLOT_NOT_BEGUN",
    /// The turn is blocked for the team.
    TeamBlocked = "TEAM_BLOCKED",
    /// The slot has another team, or changed otherwise, since the swap was proposed.
    SwapStale = "SWAP_STALE",
    /// One of the slots stands in another swap that is still open.
    SwapOverlaps = "SWAP_OVERLAPS",
    /// Both slots belong to the same team or are the same slot.
    SwapPointless = "SWAP_POINTLESS",
    /// The committee may act for one of the two teams only.
    SwapNeedsTeam = "SWAP_NEEDS_TEAM",
    /// There is no next turn to hand over to.
    NoNextSlot = "NO_NEXT_SLOT",
    /// Some of what is handed on is open and has no answer yet.
    HandoverUnanswered = "HANDOVER_UNANSWERED",
    // priority task
    /// The task's list has not been published yet.
    TaskListNotPublished = "TASK_LIST_NOT_PUBLISHED",
    /// The task list was closed when its unfinished tasks were carried over, and never changes again.
    TaskListClosed = "TASK_LIST_CLOSED",
    /// The month of the task list has not begun yet.
    MonthNotBegun = "MONTH_NOT_BEGUN",
    /// A part of a task goes to an alliance below the task's own.
    AllianceNotBelow = "ALLIANCE_NOT_BELOW",
    /// The lead unit stands among the co-organisers.
    LeadIsCoOrganizer = "LEAD_IS_CO_ORGANIZER",
    /// The region lies outside the alliance's territory.
    OutsideTerritory = "OUTSIDE_TERRITORY",
    /// Only an organisation that the object concerns may do this, and the caller acts for none of them.
    NotYourOrganization = "NOT_YOUR_ORGANIZATION",
    // problem
    /// Closure needs at least one piece of evidence of the present round, and one that came since the last return.
    EvidenceMissing = "EVIDENCE_MISSING",
    /// The problem to merge into is the same one, or stands on another list.
    MergeRefused = "MERGE_REFUSED",
    /// The alliance stands below no other, so there is nobody to hand a problem up to.
    NoParentAlliance = "NO_PARENT_ALLIANCE",
    /// The problem is not one that was escalated, or came back already.
    NotEscalated = "NOT_ESCALATED",
    /// The alliance above has made somebody responsible already.
    EscalationTaken = "ESCALATION_TAKEN",
    /// The problem came from an alliance below and is handed back there by `returnEscalation`.
    EscalatedFromBelow = "ESCALATED_FROM_BELOW",
    /// Nobody is known to have reported the problem, so nobody can be asked.
    NoReporter = "NO_REPORTER",
    /// The reporter was not reached today already; the next try counts from the next day on, by the alliance's calendar.
    TriedToday = "TRIED_TODAY",
    /// The organisation has a notice of this level about this problem that it has not answered yet.
    NoticeUnanswered = "NOTICE_UNANSWERED",
    /// Whoever decides must have no part in it: neither handled it nor act for a unit that is responsible for it or called to it.
    NotIndependent = "NOT_INDEPENDENT",
    /// The assignment was declined twice before and now binds.
    AssignmentBinds = "ASSIGNMENT_BINDS",
    /// The leading unit stands among the joint ones.
    LeadIsJoint = "LEAD_IS_JOINT",
    /// The leading organisation has no part of its own: it goes with the problem.
    LeadHasNoPart = "LEAD_HAS_NO_PART",
    /// In a matter of several units the first receiver leads and cannot decline.
    FirstReceiverLeads = "FIRST_RECEIVER_LEADS",
    /// Parts of joint units are not done yet.
    PartsUnfinished = "PARTS_UNFINISHED",
    /// A part is finished with closure evidence that its own unit brought, and after a reopening with some that is new.
    PartEvidenceMissing = "PART_EVIDENCE_MISSING",
    /// Whoever puts a problem on account or takes it off must neither handle it nor act for a responsible organisation.
    HeldFromAbove = "HELD_FROM_ABOVE",
    /// More approvers have to sign the problem off before it is struck off.
    SignOffsMissing = "SIGN_OFFS_MISSING",
    /// The caller has signed this problem off already; the next sign-off is somebody else's.
    AlreadySignedOff = "ALREADY_SIGNED_OFF",
    /// Every sign-off but the last is there, and the last is the strike-off itself.
    SignOffsComplete = "SIGN_OFFS_COMPLETE",
    /// The time within which the assignment or call could be declined is over.
    ObjectionWindowClosed = "OBJECTION_WINDOW_CLOSED",
    /// The problem is in this tier already.
    TierUnchanged = "TIER_UNCHANGED",
    // whistle
    /// A call to an emergency cannot be refused.
    EmergencyBinds = "EMERGENCY_BINDS",
    /// The call was refused twice before, or it is the backstop unit's: it binds.
    CallBinds = "CALL_BINDS",
    /// The unit stands in an open call of the whistle already.
    AlreadyCalled = "ALREADY_CALLED",
    /// Units that the alliance above called still answer, or what they refused is not re-routed.
    UnitsStillCalled = "UNITS_STILL_CALLED",
    /// The town does not call itself.
    CallsItself = "CALLS_ITSELF",
    /// The unit that refuses stands neither proposed nor called in its own place.
    ProposesItself = "PROPOSES_ITSELF",
    /// A unit would have to resolve the matter before it has to report in.
    ResolvedBeforeReportIn = "RESOLVED_BEFORE_REPORT_IN",
    /// The whistle names no backstop unit.
    NoBackstop = "NO_BACKSTOP",
    // grid, branch
    /// A day that is still to come, or too far ahead, where what happens then cannot be recorded yet.
    TooLate = "TOO_LATE",
    /// A grid cell stands directly below one of the level above.
    GridLevelJump = "GRID_LEVEL_JUMP",
    /// A grid cell covers no more than the one above it.
    GridOutsideParent = "GRID_OUTSIDE_PARENT",
    /// Grid cells stand above each other in a circle.
    GridLoop = "GRID_LOOP",
    /// Another comprehensive grid cell of the level covers the place, or a part of it, from that day on.
    GridOverlap = "GRID_OVERLAP",
    /// What it is to stand below has ended.
    ParentEnded = "PARENT_ENDED",
    /// Others still stand below it.
    OthersStandBelow = "OTHERS_STAND_BELOW",
    /// Party organisations are at home in the grid cell, or instructors serve it.
    HostsBranches = "HOSTS_BRANCHES",
    /// The grid cell has a main officer of this role then.
    MainOfficerTaken = "MAIN_OFFICER_TAKEN",
    // mobilization
    /// What stands for a person looks like an identity card's or a phone's number, which is never taken.
    PersonIdentified = "PERSON_IDENTIFIED",
    /// The region lies above the level of communities; people are needed, and come, to a community, natural village, compound or building.
    RegionAboveCommunity = "REGION_ABOVE_COMMUNITY",
    /// The region lies outside the regions of the order.
    OutsideMobilization = "OUTSIDE_MOBILIZATION",
    /// The unit is on the order already.
    AlreadyOrdered = "ALREADY_ORDERED",
    /// The order does not call the unit, and it is not paired with the place.
    UnitNotCalled = "UNIT_NOT_CALLED",
    /// The unit was released from the order; whoever came with it before still counts.
    UnitReleased = "UNIT_RELEASED",
    /// The shift is one of another place.
    ShiftElsewhere = "SHIFT_ELSEWHERE",
    /// The shift was over by then.
    ShiftOver = "SHIFT_OVER",
    /// The time lies in the future.
    CheckInInFuture = "CHECK_IN_IN_FUTURE",
    /// The time lies before the order was issued.
    CheckInBeforeIssue = "CHECK_IN_BEFORE_ISSUE",
    /// The time lies after the order was stood down.
    CheckInAfterEnd = "CHECK_IN_AFTER_END",
    /// The person is not present.
    NotCheckedIn = "NOT_CHECKED_IN",
    /// The unit is paired with the place at that time already.
    AlreadyPaired = "ALREADY_PAIRED",
    /// The person has no standing report to a home community.
    NotReportedHome = "NOT_REPORTED_HOME",
    // party branch
    /// A Party organisation stands below one of an earlier kind.
    BranchKindOrder = "BRANCH_KIND_ORDER",
    /// The groups of a branch would count more members than the branch.
    GroupsExceedBranch = "GROUPS_EXCEED_BRANCH",
    /// The Party organisation does not serve it.
    NotLinked = "NOT_LINKED",
    // file
    /// A file is larger than allowed.
    FileTooLarge = "FILE_TOO_LARGE",
    /// A file is of no type that is taken.
    FileTypeRefused = "FILE_TYPE_REFUSED",
    /// A picture is damaged, or has more pixels than allowed.
    PictureUnreadable = "PICTURE_UNREADABLE",
    /// The upload broke off.
    UploadIncomplete = "UPLOAD_INCOMPLETE",
    /// The upload lacks its preflight header.
    UploadHeaderMissing = "UPLOAD_HEADER_MISSING",
    /// Too many uploaded files of the caller wait to be attached.
    TooManyFiles = "TOO_MANY_FILES",
    // fact
    /// The listener fell too far behind; it goes on from the last position it got.
    Lagged = "LAGGED",
    // import
    /// A mapping of columns cannot be read, or does not fit the file.
    MappingInvalid = "MAPPING_INVALID",
    /// A file to import is not there or cannot be read.
    ImportFileMissing = "IMPORT_FILE_MISSING",
    /// A file to import is larger than allowed, or has too many rows.
    ImportTooLarge = "IMPORT_TOO_LARGE",
    /// A value of an imported file is not UTF-8.
    ImportNotUtf8 = "IMPORT_NOT_UTF_8",
    /// A quotation mark of an imported row has no counterpart; the file may be cut off.
    ImportQuoteOpen = "IMPORT_QUOTE_OPEN",
    /// An imported row has more or fewer columns than its header.
    ImportWrongColumns = "IMPORT_WRONG_COLUMNS",
    /// The header of an imported file lacks a column, or names one twice.
    ImportColumnMissing = "IMPORT_COLUMN_MISSING",
    /// An imported row repeats an earlier one.
    ImportDuplicate = "IMPORT_DUPLICATE",
    /// An imported row refers to something that is neither on record nor in the files.
    ImportUnknown = "IMPORT_UNKNOWN",
    /// A value of an imported row may mean several.
    ImportAmbiguous = "IMPORT_AMBIGUOUS",
    /// An imported row says something else than an earlier one about the same, or than what is on record.
    ImportDiffers = "IMPORT_DIFFERS",
}

impl Code {
    /// The key of the message: the code in lower case with dashes.
    pub fn message_key(self) -> String {
        crate::messages::key(self.text())
    }
}

/// A failure that the person at the screen can mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// Path of the input at fault, in the names of the schema, such as `input.dueOn`.
    pub field: Option<Cow<'static, str>>,
    /// Values that the message names.
    pub args: Vec<(&'static str, String)>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("unauthenticated")]
    Unauthenticated,
    #[error("forbidden")]
    Forbidden,
    /// Also the answer for what the viewer may not see.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The same of what one input names: its path in the schema's names without the leading `input.`.
    #[error("{0} not found at {1}")]
    NotFoundAt(&'static str, Cow<'static, str>),
    #[error("refused: {0:?}")]
    Refused(Box<Refusal>),
    /// The request was carried out before under the same idempotency key; the object it answered with.
    #[error("replayed")]
    Replayed(Option<Uuid>),
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("whether the change was made is unknown")]
    OutcomeUnknown(#[source] DbErr),
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    pub fn refused(code: Code) -> Self {
        Self::Refused(Box::new(Refusal { code, field: None, args: Vec::new() }))
    }

    /// A refusal of one input, by its path in the schema's names without the leading `input.`.
    pub fn invalid(code: Code, field: impl Into<Cow<'static, str>>) -> Self {
        Self::refused(code).at(field)
    }

    /// Says which input it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        match &mut self {
            Self::Refused(refusal) => refusal.field = Some(field.into()),
            Self::NotFound(noun) | Self::NotFoundAt(noun, _) => return Self::NotFoundAt(noun, field.into()),
            _ => {}
        }
        self
    }

    /// The input that it is about, if it is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.field.as_deref(),
            Self::NotFoundAt(_, field) => Some(field),
            _ => None,
        }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.args.push((name, value.to_string()));
        }
        self
    }

    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// What a failed commit means: a refusal, or nobody knows.
    pub(super) fn of_commit(source: DbErr) -> Self {
        let is_answer = sqlx_error(&source).is_some_and(|error| match error {
            sqlx::Error::Database(error) => match Sign::of(error.as_ref()) {
                // What a failed sync leaves on the disk shows at the next start only.
                Sign::Sqlite(code) => code != SQLITE_IOERR,
                Sign::Postgres(code) => !GOING_AWAY.iter().any(|class| code.starts_with(class)),
            },
            _ => false,
        });
        if is_answer { source.into() } else { Self::OutcomeUnknown(source) }
    }

    /// Whether the cause belongs in the log, because the caller is not told of it.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::OutcomeUnknown(_) | Self::Internal(_))
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::Forbidden,
            Self::NotFound(_) | Self::NotFoundAt(..) => Code::NotFound,
            Self::Refused(refusal) => refusal.code,
            Self::Unavailable(_) => Code::Unavailable,
            Self::OutcomeUnknown(_) => Code::OutcomeUnknown,
            Self::Replayed(_) | Self::Internal(_) => Code::Internal,
        }
    }
}

impl From<DbErr> for Error {
    fn from(source: DbErr) -> Self {
        match source.sql_err() {
            // The verbs check first for the good message; this is the net under a race.
            Some(SqlErr::UniqueConstraintViolation(_)) => return Self::refused(Code::AlreadyExists),
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => return Self::NotFound("object"),
            _ => {}
        }
        if is_unwritable(&source) {
            return Self::refused(Code::Malformed).with("expected", "text");
        }
        if is_passing(&source) { Self::Unavailable(source.into()) } else { Self::Internal(source.into()) }
    }
}

const SQLITE_BUSY: i32 = 5;
const SQLITE_IOERR: i32 = 10;
const SQLITE_FULL: i32 = 13;
/// SQLSTATEs with which a PostgreSQL connection ends: connection exceptions, operator intervention.
const GOING_AWAY: [&str; 2] = ["08", "57P"];
/// SQLSTATEs that pass: those, a cancelled statement, no room or memory or connections, and transactions in each other's way.
const PASSING: [&str; 6] = ["08", "57P", "57014", "53", "40", "55P03"];

/// A database's own code of a failure. Its texts depend on the language of the server.
enum Sign<'error> {
    Sqlite(i32),
    Postgres(Cow<'error, str>),
}

impl<'error> Sign<'error> {
    fn of(error: &'error dyn sqlx::error::DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        if error.try_downcast_ref::<SqliteError>().is_some() {
            // The low byte is the code; the others only say more.
            Self::Sqlite(code.parse::<i32>().unwrap_or_default() & 0xff)
        } else {
            Self::Postgres(code)
        }
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error.as_ref()),
        _ => None,
    }
}

/// Whether a text held NUL, which PostgreSQL can neither store nor be asked for.
fn is_unwritable(error: &DbErr) -> bool {
    let told = sqlx_error(error).and_then(sqlx::Error::as_database_error);
    told.is_some_and(|told| told.code().is_some_and(|code| code == "22021"))
}

/// Whether the database refused for now: busy, full, shutting down, or out of connections.
fn is_passing(error: &DbErr) -> bool {
    match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => match Sign::of(error.as_ref()) {
            Sign::Sqlite(code) => [SQLITE_BUSY, SQLITE_IOERR, SQLITE_FULL].contains(&code),
            Sign::Postgres(code) => PASSING.iter().any(|class| code.starts_with(class)),
        },
        Some(error) => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        ),
        None => matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)),
    }
}
