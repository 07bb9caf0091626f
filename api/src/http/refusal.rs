//! What the door answers when it refuses: a stable code, arguments for the message and an HTTP status.
//!
//! It holds no texts (the product's catalogue does) and no rules (each room decides what it refuses).

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal $(, $status:ident)?;)*) => {
        /// Every code that the door itself gives.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DoorCode { $($(#[$doc])* $variant,)* }

        impl DoorCode {
            /// All codes, for tests that ask for a message in every language.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as clients see it in `extensions.code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The fixed HTTP status, or nothing where the negotiated media type decides (400 or 200).
            pub const fn status(self) -> Option<StatusCode> {
                match self { $(Self::$variant => codes!(@status $($status)?),)* }
            }
        }
    };
    (@status) => { None };
    (@status $status:ident) => { Some(StatusCode::$status) };
}

codes! {
    /// The document's text is longer than allowed.
    DocumentTooLarge = "DOCUMENT_TOO_LARGE";
    /// The document has more lexical tokens than allowed.
    TooManyTokens = "TOO_MANY_TOKENS";
    /// Brackets, or selection sets with fragments expanded, are nested deeper than allowed.
    NestingTooDeep = "NESTING_TOO_DEEP";
    /// The document is not GraphQL.
    ParseFailed = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema.
    ValidationFailed = "GRAPHQL_VALIDATION_FAILED";
    /// A variable or an argument has a value that its type does not allow.
    BadUserInput = "BAD_USER_INPUT";
    /// More selections than allowed after expanding fragments.
    TooManySelections = "TOO_MANY_SELECTIONS";
    /// A fragment contains itself.
    FragmentCycle = "FRAGMENT_CYCLE";
    /// Fields are nested deeper than allowed.
    TooDeep = "TOO_DEEP";
    /// Introspection fields are nested deeper than allowed.
    IntrospectionTooDeep = "INTROSPECTION_TOO_DEEP";
    /// More aliases than allowed.
    TooManyAliases = "TOO_MANY_ALIASES";
    /// More directives on one place than allowed.
    TooManyFieldDirectives = "TOO_MANY_FIELD_DIRECTIVES";
    /// More directives in the document than allowed.
    TooManyDirectives = "TOO_MANY_DIRECTIVES";
    /// More fragment definitions than allowed.
    TooManyFragments = "TOO_MANY_FRAGMENTS";
    /// More variables than allowed, declared or given.
    TooManyVariables = "TOO_MANY_VARIABLES";
    /// A list literal has more items than allowed.
    ListTooLong = "LIST_TOO_LONG";
    /// The page sizes along one path multiply to more nodes than allowed.
    TooManyNodes = "TOO_MANY_NODES";
    /// The operation could never be paid for by this caller.
    CostTooHigh = "COST_TOO_HIGH";
    /// The document has no operation of the name given.
    OperationNotFound = "OPERATION_NOT_FOUND";
    /// The document has several operations and no name was given.
    OperationNameRequired = "OPERATION_NAME_REQUIRED";
    /// JSON is nested deeper than allowed.
    JsonTooDeep = "JSON_TOO_DEEP", BAD_REQUEST;
    /// The body or a parameter is not JSON.
    BadJson = "BAD_JSON", BAD_REQUEST;
    /// A request parameter has the wrong type.
    BadParameter = "BAD_PARAMETER", BAD_REQUEST;
    /// The request has no query.
    QueryMissing = "QUERY_MISSING", BAD_REQUEST;
    /// Batches are switched off.
    BatchNotAllowed = "BATCH_NOT_ALLOWED", BAD_REQUEST;
    /// The batch is empty or has more operations than allowed.
    BatchSizeInvalid = "BATCH_SIZE_INVALID", BAD_REQUEST;
    /// The idempotency key is not 1 to 255 visible ASCII characters.
    IdempotencyKeyInvalid = "IDEMPOTENCY_KEY_INVALID", BAD_REQUEST;
    /// An idempotency key was sent with anything but one mutation field.
    IdempotencyNeedsOneMutation = "IDEMPOTENCY_NEEDS_ONE_MUTATION", BAD_REQUEST;
    /// The HTTP method does not fit.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// The body is not `application/json` in UTF-8.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// None of the accepted media types can be given.
    NotAcceptable = "NOT_ACCEPTABLE", NOT_ACCEPTABLE;
    /// A subscription was asked for without `Accept: text/event-stream`.
    StreamRequired = "STREAM_REQUIRED", NOT_ACCEPTABLE;
    /// The body is longer than allowed.
    BodyTooLarge = "BODY_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The body did not arrive in time or broke off.
    BodyIncomplete = "BODY_INCOMPLETE", REQUEST_TIMEOUT;
    /// The WebSocket upgrade is malformed.
    BadUpgrade = "BAD_UPGRADE", BAD_REQUEST;
    /// The document of this hash is not known here: send it in full once.
    PersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND";
    /// The persisted-query extension has a form that is not supported.
    PersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED";
    /// The hash is not the document's.
    PersistedQueryHashMismatch = "PERSISTED_QUERY_HASH_MISMATCH", BAD_REQUEST;
    /// The key is bound to a list of documents, and this is none of them.
    DocumentNotStored = "DOCUMENT_NOT_STORED", FORBIDDEN;
    /// The credential is missing, malformed or refused.
    Unauthenticated = "UNAUTHENTICATED", UNAUTHORIZED;
    /// The caller's cost bucket is empty.
    Throttled = "THROTTLED", TOO_MANY_REQUESTS;
    /// Too many operations run on this socket.
    TooManySubscriptions = "TOO_MANY_SUBSCRIPTIONS";
    /// The server has as many streams as it can serve.
    Overloaded = "OVERLOADED", SERVICE_UNAVAILABLE;
    /// The database is away; nothing was done.
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE;
    /// The operation took longer than allowed.
    DeadlineExceeded = "DEADLINE_EXCEEDED", SERVICE_UNAVAILABLE;
    /// No such page.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// Something failed that is not the caller's doing.
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR;
}

/// One refusal on its way to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code in `extensions.code`.
    pub code: &'static str,
    /// The fixed HTTP status; without one the negotiated media type decides.
    pub status: Option<StatusCode>,
    /// Arguments of the localised message.
    pub arguments: Vec<(&'static str, String)>,
    /// After how many seconds another attempt can succeed.
    pub retry_after_s: Option<u64>,
    /// The methods that would fit, for `Allow`.
    pub allow: Option<&'static str>,
}

impl Refusal {
    /// A refusal with a code of the door and no arguments.
    pub fn new(code: DoorCode) -> Self {
        Self {
            code: code.as_str(),
            status: code.status(),
            arguments: Vec::new(),
            retry_after_s: None,
            allow: None,
        }
    }

    /// A refusal because more was asked than `limit` allows.
    pub fn over(code: DoorCode, limit: impl ToString) -> Self {
        Self::new(code).with("limit", limit)
    }

    /// Adds an argument of the message.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }

    /// Whether this refusal has the code.
    pub fn is(&self, code: DoorCode) -> bool {
        self.code == code.as_str()
    }
}

impl From<DoorCode> for Refusal {
    fn from(code: DoorCode) -> Self {
        Self::new(code)
    }
}
