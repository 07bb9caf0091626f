//! Request parameters as they travel in JSON bodies, query strings and socket messages: shapes are checked, nothing more.
//!
//! It also resolves persisted documents (APQ), so that `admit` always sees a text, and holds callers to their own list of
//! documents where they are bound to one.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::admission::{IncomingRequest, Limits};
use super::lexer;
use super::refusal::{DoorCode, Refusal};

const PERSISTED_BYTES: u64 = 8 * 1024 * 1024;

/// Parameters of one operation, type-checked.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// The GraphQL text; absent only for a persisted document.
    pub query: Option<String>,
    /// Which operation is meant.
    pub operation_name: Option<String>,
    /// Values for the variables.
    pub variables: Map<String, Json>,
    /// The protocol's extensions.
    pub extensions: Map<String, Json>,
}

/// A body holds one operation or a batch.
#[derive(Debug)]
pub enum Body {
    /// One operation.
    Single(Parameters),
    /// Several, in order.
    Batch(Vec<Parameters>),
}

/// Reads a JSON body.
pub fn from_body(bytes: &[u8], limits: &Limits, batch_limit: usize) -> Result<Body, Refusal> {
    match parse_json(bytes, limits)? {
        Json::Object(fields) => from_object(fields).map(Body::Single),
        Json::Array(_) if batch_limit == 0 => Err(DoorCode::BatchNotAllowed.into()),
        Json::Array(items) if items.is_empty() || items.len() > batch_limit => {
            Err(Refusal::over(DoorCode::BatchSizeInvalid, batch_limit))
        }
        Json::Array(items) => {
            let operations: Result<Vec<_>, _> = items
                .into_iter()
                .map(|item| match item {
                    Json::Object(fields) => from_object(fields),
                    _ => Err(bad("body", "Object")),
                })
                .collect();
            operations.map(Body::Batch)
        }
        _ => Err(bad("body", "Object")),
    }
}

/// Reads the parameters of a GET request from its decoded query string.
pub fn from_query(pairs: Vec<(String, String)>, limits: &Limits) -> Result<Parameters, Refusal> {
    let mut fields = Map::new();
    for (name, value) in pairs {
        let value = match name.as_str() {
            // Nothing was chosen, as in the forms that browsers send.
            "operationName" | "variables" | "extensions" if value.is_empty() => Json::Null,
            "query" | "operationName" => Json::String(value),
            "variables" | "extensions" => parse_json(value.as_bytes(), limits)?,
            _ => continue,
        };
        if fields.insert(name.clone(), value).is_some() {
            return Err(bad(&name, "one value"));
        }
    }
    from_object(fields)
}

/// Parses JSON after bounding its nesting on the raw bytes.
pub fn parse_json(bytes: &[u8], limits: &Limits) -> Result<Json, Refusal> {
    lexer::check_json_nesting(bytes, limits.json_nesting)?;
    serde_json::from_slice(bytes).map_err(|fault| Refusal::new(DoorCode::BadJson).with("detail", fault))
}

/// Type-checks the parameters of one operation.
pub fn from_object(mut fields: Map<String, Json>) -> Result<Parameters, Refusal> {
    let query = string(&mut fields, "query")?;
    let operation_name = string(&mut fields, "operationName")?;
    let variables = object(&mut fields, "variables")?;
    let extensions = object(&mut fields, "extensions")?;
    if query.is_none() && !extensions.contains_key("persistedQuery") {
        return Err(DoorCode::QueryMissing.into());
    }
    Ok(Parameters { query, operation_name, variables, extensions })
}

fn string(fields: &mut Map<String, Json>, name: &str) -> Result<Option<String>, Refusal> {
    match fields.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(name, "String")),
    }
}

fn object(fields: &mut Map<String, Json>, name: &str) -> Result<Map<String, Json>, Refusal> {
    match fields.remove(name) {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map),
        Some(_) => Err(bad(name, "Object")),
    }
}

fn bad(name: &str, expected: &str) -> Refusal {
    Refusal::new(DoorCode::BadParameter).with("parameter", name).with("expected", expected)
}

/// Documents that clients refer to by their hash, bounded by memory.
#[derive(Clone)]
pub struct PersistedDocuments {
    cache: moka::sync::Cache<[u8; 32], Arc<str>>,
}

impl Default for PersistedDocuments {
    fn default() -> Self {
        let cache = moka::sync::Cache::builder()
            .weigher(|_: &[u8; 32], text: &Arc<str>| {
                u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_add(128)
            })
            .max_capacity(PERSISTED_BYTES)
            .build();
        Self { cache }
    }
}

/// A text with its hash, to be remembered once the document is admitted.
pub struct Pending([u8; 32], Arc<str>);

impl PersistedDocuments {
    /// Gives the request its text; a new text with a matching hash is to be remembered after admission. A caller who is
    /// bound to a list gets the texts on it and no others.
    pub fn resolve(
        &self,
        parameters: Parameters,
        idempotency_key: Option<String>,
        bound_to: Option<&HashMap<[u8; 32], Arc<str>>>,
    ) -> Result<(IncomingRequest, Option<Pending>), Refusal> {
        let Parameters { query, operation_name, variables, extensions } = parameters;
        let hash = match extensions.get("persistedQuery") {
            None | Some(Json::Null) => None,
            Some(extension) => Some(requested_hash(extension)?),
        };
        let (query, pending) = match (query, hash) {
            (Some(text), hash) if hash.is_some() || bound_to.is_some() => {
                let digest = <[u8; 32]>::from(Sha256::digest(&text));
                if hash.is_some_and(|hash| hash != digest) {
                    return Err(DoorCode::PersistedQueryHashMismatch.into());
                }
                match bound_to {
                    Some(known) if !known.contains_key(&digest) => {
                        return Err(DoorCode::DocumentNotStored.into());
                    }
                    Some(_) => (text, None),
                    None => {
                        let pending = Pending(digest, Arc::from(text.as_str()));
                        (text, Some(pending))
                    }
                }
            }
            (Some(text), _) => (text, None),
            (None, Some(hash)) => match bound_to {
                Some(known) => {
                    let text = known.get(&hash).ok_or(DoorCode::DocumentNotStored)?;
                    (text.to_string(), None)
                }
                None => {
                    let text = self.cache.get(&hash).ok_or(DoorCode::PersistedQueryNotFound)?;
                    (text.to_string(), None)
                }
            },
            (None, None) => return Err(DoorCode::QueryMissing.into()),
        };
        Ok((IncomingRequest { query, operation_name, variables, extensions, idempotency_key }, pending))
    }

    /// Remembers a document that was admitted.
    pub fn remember(&self, Pending(hash, text): Pending) {
        self.cache.insert(hash, text);
    }
}

fn requested_hash(extension: &Json) -> Result<[u8; 32], Refusal> {
    let version = extension.get("version").and_then(Json::as_u64);
    let hash = extension.get("sha256Hash").and_then(Json::as_str).and_then(from_hex);
    match (version, hash) {
        (Some(1), Some(hash)) => Ok(hash),
        _ => Err(DoorCode::PersistedQueryNotSupported.into()),
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0_u8; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        let mut value = 0_u32;
        for &digit in pair {
            value = value * 16 + char::from(digit).to_digit(16)?;
        }
        *byte = u8::try_from(value).ok()?;
    }
    Some(hash)
}
