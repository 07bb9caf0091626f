//! Turns results and refusals into answers: every error gets a code and the request's id, internals stay in the log.
//!
//! It decides nothing about transport; each transport writes an answer in its own frame.

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::limit::Charge;
use super::refusal::{DoorCode, Refusal};
use super::{Backend, RequestMeta};

/// How the library begins the messages of values that do not fit their type.
const COERCION_MESSAGES: [&str; 5] = [
    "Failed to parse \"",
    "Expected input type \"",
    "Invalid value for argument",
    "Variable ",
    "Invalid input value",
];

/// One GraphQL result in the form in which it leaves.
#[derive(Debug)]
pub struct Answer {
    /// Absent when nothing was executed.
    pub data: Option<Value>,
    /// At most as many as the settings allow.
    pub errors: Vec<ServerError>,
    /// What the operation took.
    pub charge: Option<Charge>,
    /// The refusal behind the only error, when there is one: its status and headers matter to HTTP.
    pub refusal: Option<Refusal>,
}

impl Answer {
    /// The answer to an operation that was refused.
    pub fn refused<B: Backend>(backend: &B, meta: &RequestMeta, refusal: Refusal) -> Self {
        let message = backend.message(refusal.code, &refusal.arguments, meta.locale);
        let mut error = ServerError::new(message, None);
        let mut extensions = coded(refusal.code, meta);
        if let Some(seconds) = refusal.retry_after_s {
            extensions.set("retryAfter", seconds);
        }
        error.extensions = Some(extensions);
        Self { data: None, errors: vec![error], charge: None, refusal: Some(refusal) }
    }

    /// The answer of the library, its errors coded, masked and counted.
    pub fn executed<B: Backend>(
        backend: &B,
        meta: &RequestMeta,
        response: Response,
        charge: Option<Charge>,
        max_errors: usize,
    ) -> Self {
        // Only validation leaves errors without a path: then nothing ran and the answer has no data.
        let request_error = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        let errors =
            response.errors.into_iter().take(max_errors).map(|error| present(backend, meta, error)).collect();
        Self { data: (!request_error).then_some(response.data), errors, charge, refusal: None }
    }

    /// Whether nothing was executed.
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// The answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        serde_json::to_writer(&mut out, self)
            .expect("answers have string keys and the buffer takes every byte");
        out
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Extensions<'a> {
            cost: &'a Charge,
        }
        let mut map = serializer.serialize_map(None)?;
        if !self.errors.is_empty() {
            map.serialize_entry("errors", &self.errors)?;
        }
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        if let Some(cost) = &self.charge {
            map.serialize_entry("extensions", &Extensions { cost })?;
        }
        map.end()
    }
}

fn coded(code: &str, meta: &RequestMeta) -> ErrorExtensionValues {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    extensions.set("requestId", meta.request_id.as_str());
    extensions
}

fn present<B: Backend>(backend: &B, meta: &RequestMeta, mut error: ServerError) -> ServerError {
    if let Some(extensions) = &mut error.extensions
        && matches!(extensions.get("code"), Some(Value::String(_)))
    {
        extensions.set("requestId", meta.request_id.as_str());
        return error;
    }
    let code = if error.path.is_empty() {
        DoorCode::ValidationFailed
    } else if error.source.is_none() && COERCION_MESSAGES.iter().any(|start| error.message.starts_with(start))
    {
        DoorCode::BadUserInput
    } else {
        tracing::error!(request.id = %meta.request_id, error = %error.message, path = ?error.path, "resolver failed");
        DoorCode::Internal
    };
    let arguments = if code == DoorCode::Internal { Vec::new() } else { vec![("detail", error.message)] };
    error.message = backend.message(code.as_str(), &arguments, meta.locale);
    error.source = None;
    error.extensions = Some(coded(code.as_str(), meta));
    error
}
