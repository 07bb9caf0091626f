//! Global identifiers: opaque, typed, resolvable by `node`. A malformed one is told so; a foreign one is merely not found.

use std::borrow::Cow;

use async_graphql::ID;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use concord_entities::id::TypedId;
use uuid::Uuid;

use crate::domain::{Code, Error, Result};

/// Writes the global id of an object.
pub fn encode<I: TypedId>(id: I) -> ID {
    encode_raw(I::NOUN, id.into())
}

/// Writes the global id of an object whose noun is known by name only.
pub fn encode_raw(noun: &str, id: Uuid) -> ID {
    let mut bytes = Vec::with_capacity(noun.len() + 17);
    bytes.extend_from_slice(noun.as_bytes());
    bytes.push(b':');
    bytes.extend_from_slice(id.as_bytes());
    ID(URL_SAFE_NO_PAD.encode(bytes))
}

/// Takes a global id apart into its noun and raw identifier.
pub fn split(id: &str) -> Option<(String, Uuid)> {
    if id.len() > 128 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
    let (noun, raw) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
    let noun = std::str::from_utf8(noun.strip_suffix(b":")?).ok()?;
    Some((noun.to_owned(), Uuid::from_slice(raw).ok()?))
}

/// Reads the id of a `I` given as the input `field`.
pub fn decode<I: TypedId>(id: &ID, field: impl Into<Cow<'static, str>>) -> Result<I> {
    match split(id) {
        Some((noun, raw)) if noun == I::NOUN => Ok(I::from(raw)),
        Some(_) => Err(Error::NotFound(I::NOUN).at(field)),
        None => Err(Error::invalid(Code::IdMalformed, field)),
    }
}

/// Reads an optional id.
pub fn decode_optional<I: TypedId>(id: Option<&ID>, field: &'static str) -> Result<Option<I>> {
    id.map(|id| decode(id, field)).transpose()
}

/// Reads a list of ids; the field at fault carries its index.
pub fn decode_all<I: TypedId>(ids: &[ID], field: &'static str) -> Result<Vec<I>> {
    ids.iter().enumerate().map(|(index, id)| decode(id, format!("{field}.{index}"))).collect()
}
