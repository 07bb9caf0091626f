//! The one gate before validation: HTTP POST and GET, batches, persisted documents, SSE and WebSocket all pass `admit`.
//!
//! It bounds what a document may cost and says what it will do. It knows no schema, no caller and no network.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::Name;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, Type,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::absent;
use super::lexer::{self, Tokens};
use super::measure::{self, OperationFacts};
use super::refusal::{DoorCode, Refusal};
use crate::{domain::page::Needs, graphql::complete};

const DOCUMENT_CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// A parsed document takes about this many times the memory of its text.
const PARSED_FACTOR: u32 = 24;
const IDEMPOTENCY_KEY_MAX: usize = 255;

/// What one document and its variables may cost; the exact number passes, one more is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of GraphQL text.
    pub document_bytes: usize,
    /// Lexical tokens.
    pub tokens: usize,
    /// Selected fields with all fragments expanded, over all operations, `__typename` included.
    pub selections: usize,
    /// Levels of fields.
    pub depth: usize,
    /// Levels of fields in introspection.
    pub introspection_depth: usize,
    /// Levels of brackets in the text, and of selection sets with fragments expanded.
    pub nesting: usize,
    /// Aliases in the document.
    pub aliases: usize,
    /// Directives on one field, fragment, variable or operation.
    pub directives_per_field: usize,
    /// Directives in the document.
    pub directives: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Variables, declared or given.
    pub variables: usize,
    /// Items of one list literal.
    pub list_items: usize,
    /// Levels of brackets in JSON.
    pub json_nesting: usize,
    /// Nodes along one path: the product of its page sizes.
    pub nodes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 64 * 1024,
            tokens: 2_000,
            selections: 5_000,
            depth: 12,
            introspection_depth: 15,
            nesting: 32,
            aliases: 30,
            directives_per_field: 5,
            directives: 50,
            fragments: 50,
            variables: 100,
            list_items: 200,
            json_nesting: 32,
            nodes: 10_000,
        }
    }
}

/// One operation as it came in over any transport, its parameters already type-checked.
#[derive(Clone, Debug, Default)]
pub struct IncomingRequest {
    /// The GraphQL text.
    pub query: String,
    /// Which operation of the text is meant.
    pub operation_name: Option<String>,
    /// Values for its variables.
    pub variables: Map<String, Json>,
    /// The protocol's own extensions.
    pub extensions: Map<String, Json>,
    /// The key from the `Idempotency-Key` header; sockets use `extensions.idempotencyKey`.
    pub idempotency_key: Option<String>,
}

/// A document that passed every limit that needs no variables.
#[derive(Debug)]
pub struct ParsedDocument {
    /// The parsed text.
    pub document: ExecutableDocument,
    /// Whether the text has passed full validation; the schema does not change while the process lives.
    pub validated: AtomicBool,
    /// What its queries read, once one has run.
    pub needs: OnceLock<Arc<Needs>>,
    operations: HashMap<Option<Name>, OperationFacts>,
}

/// The claim of one idempotent mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// SHA-256 over the document's tokens, the operation's name and the variables.
    pub digest: [u8; 32],
}

/// An operation that may go on to validation.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The document, shared with the cache.
    pub document: Arc<ParsedDocument>,
    /// Which operation runs.
    pub operation_name: Option<String>,
    /// What kind it is.
    pub kind: OperationType,
    /// Whether the door has checked its variables to the end, so that a text validated before needs no validation.
    pub plain_variables: bool,
    /// Its root fields, fragments expanded.
    pub root_fields: Vec<Name>,
    /// What it takes from the caller's bucket.
    pub cost: u64,
    /// Values for its variables.
    pub variables: Map<String, Json>,
    /// Present when the request carries a key.
    pub idempotency: Option<Idempotency>,
}

impl Admitted {
    /// Whether this text and these variables need no validation any more.
    pub fn is_validated(&self) -> bool {
        self.plain_variables && self.document.validated.load(Ordering::Relaxed)
    }
}

/// Parsed documents by their text, bounded by memory.
#[derive(Clone)]
pub struct Documents {
    cache: moka::sync::Cache<Arc<str>, Arc<ParsedDocument>>,
}

impl Default for Documents {
    fn default() -> Self {
        let cache = moka::sync::Cache::builder()
            .weigher(|text: &Arc<str>, _: &Arc<ParsedDocument>| {
                u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_mul(PARSED_FACTOR).max(1_024)
            })
            .max_capacity(DOCUMENT_CACHE_BYTES)
            .build();
        Self { cache }
    }
}

impl Documents {
    /// The parsed document, from the cache when its very text was admitted before.
    pub fn parse(&self, text: &str, limits: &Limits) -> Result<Arc<ParsedDocument>, Refusal> {
        if text.len() > limits.document_bytes {
            return Err(Refusal::over(DoorCode::DocumentTooLarge, limits.document_bytes));
        }
        // The cache's own keys hold it, and no GraphQL text does.
        if text.contains('\0') {
            return Err(Refusal::new(DoorCode::ParseFailed).with("detail", "U+0000"));
        }
        if let Some(known) = self.cache.get(text) {
            return Ok(known);
        }
        lexer::check_document(text, limits.tokens, limits.nesting)?;
        let mut document =
            parse_query(text).map_err(|fault| Refusal::new(DoorCode::ParseFailed).with("detail", fault))?;
        let operations = measure::measure(&document, limits)?;
        complete::fill(&mut document);
        let parsed = Arc::new(ParsedDocument {
            document,
            validated: AtomicBool::new(false),
            needs: OnceLock::new(),
            operations,
        });
        self.cache.insert(Arc::from(text), Arc::clone(&parsed));
        Ok(parsed)
    }

    /// The same document without what names absent variables, from the cache when the same were absent before.
    fn without(&self, text: &str, parsed: &ParsedDocument, absent: &[Name]) -> Arc<ParsedDocument> {
        let names: Vec<&str> = absent.iter().map(Name::as_str).collect();
        let key: Arc<str> = format!("{text}\0{}", names.join(" ")).into();
        self.cache.get_with(key, || {
            Arc::new(ParsedDocument {
                document: absent::without(&parsed.document, absent),
                validated: AtomicBool::new(false),
                needs: OnceLock::new(),
                operations: parsed.operations.clone(),
            })
        })
    }
}

/// Decides whether an operation may go on to validation, and what it costs.
pub fn admit(request: &IncomingRequest, limits: &Limits, documents: &Documents) -> Result<Admitted, Refusal> {
    if request.variables.len() > limits.variables {
        return Err(Refusal::over(DoorCode::TooManyVariables, limits.variables));
    }
    let mut parsed = documents.parse(&request.query, limits)?;
    let (name, operation) = chosen(&parsed.document.operations, request.operation_name.as_deref())?;
    check_variables(operation, &request.variables)?;
    let mut variables = request.variables.clone();
    let absent = absent::fill(operation, &mut variables);
    let pages = measure::pages(&parsed.document, operation, &variables);
    if pages.widest > limits.nodes {
        return Err(Refusal::over(DoorCode::TooManyNodes, limits.nodes));
    }
    let facts = parsed.operations.get(&name).ok_or(DoorCode::OperationNotFound)?;
    let (kind, root_fields, plain_variables) = (facts.kind, facts.root_fields.clone(), facts.plain_variables);
    let cost = cost(facts.selections, pages.total);
    if kind == OperationType::Subscription && !has_one_root(operation) {
        let detail = "a subscription selects one field at its root, and no fragment";
        return Err(Refusal::new(DoorCode::ValidationFailed).with("detail", detail));
    }
    let idempotency = idempotency(request, kind, &root_fields)?;
    let operation_name = name.map(|name| name.to_string());
    if !absent.is_empty() {
        parsed = documents.without(&request.query, &parsed, &absent);
    }
    Ok(Admitted {
        document: parsed,
        operation_name,
        kind,
        plain_variables,
        root_fields,
        cost,
        variables,
        idempotency,
    })
}

/// The library runs each root field of a subscription and knows none that stands in a fragment.
fn has_one_root(operation: &OperationDefinition) -> bool {
    let [only] = operation.selection_set.node.items.as_slice() else { return false };
    matches!(&only.node, Selection::Field(_))
}

/// A tenth for every selection and a hundredth for every node, but at least one.
fn cost(selections: usize, nodes: u64) -> u64 {
    let selections = u64::try_from(selections).unwrap_or(u64::MAX);
    (selections / 10).saturating_add(nodes / 100).max(1)
}

fn chosen<'a>(
    operations: &'a DocumentOperations,
    asked: Option<&str>,
) -> Result<(Option<Name>, &'a OperationDefinition), Refusal> {
    match (operations, asked) {
        (DocumentOperations::Single(operation), None) => Ok((None, &operation.node)),
        (DocumentOperations::Multiple(named), Some(asked)) if named.contains_key(asked) => {
            let (name, operation) = named.get_key_value(asked).ok_or(DoorCode::OperationNotFound)?;
            Ok((Some(name.clone()), &operation.node))
        }
        (DocumentOperations::Multiple(named), None) => match (named.len(), named.iter().next()) {
            (1, Some((name, operation))) => Ok((Some(name.clone()), &operation.node)),
            _ => Err(DoorCode::OperationNameRequired.into()),
        },
        (_, Some(asked)) => Err(Refusal::new(DoorCode::OperationNotFound).with("operation", asked)),
    }
}

/// Checks presence and the built-in scalars; enums and input objects need the schema and are left to validation.
fn check_variables(operation: &OperationDefinition, given: &Map<String, Json>) -> Result<(), Refusal> {
    for definition in &operation.variable_definitions {
        let (name, expected) = (&definition.node.name.node, &definition.node.var_type.node);
        let fits = match given.get(name.as_str()) {
            Some(value) => fits(expected, value),
            None => expected.nullable || definition.node.default_value.is_some(),
        };
        if !fits {
            return Err(Refusal::new(DoorCode::BadUserInput).with("detail", format!("${name}: {expected}")));
        }
    }
    Ok(())
}

/// Whether `check_variables` decides alone that values of this type are right.
pub(super) fn is_plain(expected: &Type) -> bool {
    match &expected.base {
        BaseType::List(item) => is_plain(item),
        BaseType::Named(name) => matches!(name.as_str(), "Int" | "Float" | "String" | "Boolean" | "ID"),
    }
}

fn fits(expected: &Type, value: &Json) -> bool {
    match (&expected.base, value) {
        (_, Json::Null) => expected.nullable,
        (BaseType::List(item), Json::Array(values)) => values.iter().all(|value| fits(item, value)),
        // A single value stands for a list of one.
        (BaseType::List(item), value) => fits(item, value),
        (BaseType::Named(name), value) => match name.as_str() {
            "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            "Float" => value.is_number(),
            "String" => value.is_string(),
            "Boolean" => value.is_boolean(),
            "ID" => value.is_string() || value.is_i64() || value.is_u64(),
            _ => true,
        },
    }
}

fn idempotency(
    request: &IncomingRequest,
    kind: OperationType,
    root_fields: &[Name],
) -> Result<Option<Idempotency>, Refusal> {
    let extension = match request.extensions.get("idempotencyKey") {
        None | Some(Json::Null) => None,
        Some(Json::String(key)) => Some(key.as_str()),
        Some(_) => return Err(DoorCode::IdempotencyKeyInvalid.into()),
    };
    let key = match (request.idempotency_key.as_deref(), extension) {
        (None, None) => return Ok(None),
        (Some(header), Some(extension)) if header != extension => {
            return Err(DoorCode::IdempotencyKeyInvalid.into());
        }
        (Some(key), _) | (None, Some(key)) => key,
    };
    if !is_idempotency_key(key) {
        return Err(DoorCode::IdempotencyKeyInvalid.into());
    }
    let mutations = root_fields.iter().filter(|name| name.as_str() != "__typename").count();
    if kind != OperationType::Mutation || mutations != 1 {
        return Err(DoorCode::IdempotencyNeedsOneMutation.into());
    }
    Ok(Some(Idempotency { key: key.to_owned(), digest: digest(request) }))
}

fn is_idempotency_key(key: &str) -> bool {
    (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Layout, comments and the order of variables make no difference; every token and value does.
fn digest(request: &IncomingRequest) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for token in Tokens::new(&request.query).flatten() {
        hasher.update(token);
        hasher.update(b" ");
    }
    hasher.update(b"\0");
    hasher.update(request.operation_name.as_deref().unwrap_or_default());
    hasher.update(b"\0");
    let mut canonical = String::new();
    write_sorted_object(&request.variables, &mut canonical);
    hasher.update(canonical);
    hasher.finalize().into()
}

fn write_canonical(value: &Json, into: &mut String) {
    match value {
        Json::Object(fields) => write_sorted_object(fields, into),
        Json::Array(items) => {
            into.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write_canonical(item, into);
            }
            into.push(']');
        }
        scalar => into.push_str(&scalar.to_string()),
    }
}

fn write_sorted_object(fields: &Map<String, Json>, into: &mut String) {
    // The map's own order depends on a feature that another crate may switch on.
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    into.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            into.push(',');
        }
        into.push_str(&Json::String(name.clone()).to_string());
        into.push(':');
        write_canonical(value, into);
    }
    into.push('}');
}

#[cfg(test)]
mod tests;
