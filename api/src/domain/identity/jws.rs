//! Reads a compact JWS strictly: size, shape, canonical base64url, JSON without duplicate keys, a header without
//! surprises, whole-number times within reason.
//!
//! It deliberately knows no keys and verifies no signature: what it returns is well-formed, not yet true.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 8 * 1_024;
/// By how many seconds clocks may disagree.
pub const LEEWAY_SECONDS: i64 = 60;
/// How far in the future a token may end.
pub const MAX_LIFETIME_SECONDS: i64 = 24 * 60 * 60;
/// The longest identifier inside a token, in bytes.
pub const MAX_ID_BYTES: usize = 255;
/// 9999-12-31T23:59:59Z, the last moment that our timestamps can tell.
const MAX_TIME: i64 = 253_402_300_799;
const DUPLICATE: &str = "duplicate key";

/// Why a token is refused: for the log and for tests; a caller only ever learns that it is not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("token refused: {}", self.reason())]
pub enum Rejection {
    TooLarge,
    Shape,
    Encoding,
    Json,
    DuplicateKey,
    Header,
    Critical,
    EmbeddedKey,
    Algorithm,
    Type,
    MissingKeyId,
    UnknownKey,
    RetiredKey,
    Signature,
    Claims,
    Time,
    Issuer,
    Audience,
    Expired,
    NotYetValid,
    TooLong,
    KeysUnavailable,
}

impl Rejection {
    /// Gives the stable word under which logs and metrics count this refusal.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Shape => "shape",
            Self::Encoding => "encoding",
            Self::Json => "json",
            Self::DuplicateKey => "duplicate_key",
            Self::Header => "header",
            Self::Critical => "critical_header",
            Self::EmbeddedKey => "embedded_key",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::MissingKeyId => "missing_key_id",
            Self::UnknownKey => "unknown_key",
            Self::RetiredKey => "retired_key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Time => "time",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::TooLong => "too_long",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

/// A well-formed token whose signature nobody has looked at yet.
#[derive(Debug)]
pub struct Compact<'a> {
    header: Map<String, Value>,
    pub claims: Claims,
    /// What the signature is made over.
    pub signed: &'a str,
    /// The signature in canonical base64url.
    pub signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes a token apart; everything that can be refused without a key is refused here.
    pub fn parse(token: &'a str) -> Result<Self, Rejection> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Rejection::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(Rejection::Shape)?;
        if claims.contains('.') || [header, claims, signature].iter().any(|segment| segment.is_empty()) {
            return Err(Rejection::Shape);
        }
        let header = object(&decode(header)?)?;
        let claims = Claims(object(&decode(claims)?)?);
        decode(signature)?;
        check_header(&header)?;
        Ok(Self { header, claims, signed, signature })
    }

    /// The algorithm that the token claims to be signed with.
    pub fn algorithm(&self) -> Result<&str, Rejection> {
        self.header.get("alg").and_then(Value::as_str).ok_or(Rejection::Algorithm)
    }

    /// The type of the token, if it names one.
    pub fn typ(&self) -> Result<Option<&str>, Rejection> {
        match self.header.get("typ") {
            None => Ok(None),
            Some(Value::String(typ)) => Ok(Some(typ)),
            Some(_) => Err(Rejection::Type),
        }
    }

    /// The id of the key that the token claims to be signed with.
    pub fn key_id(&self) -> Result<&str, Rejection> {
        match self.header.get("kid") {
            Some(Value::String(kid)) if is_id(kid) => Ok(kid),
            Some(_) => Err(Rejection::Header),
            None => Err(Rejection::MissingKeyId),
        }
    }

    /// Refuses a header that has anything beside `names`.
    pub fn require_only(&self, names: &[&str]) -> Result<(), Rejection> {
        if self.header.keys().all(|name| names.contains(&name.as_str())) {
            Ok(())
        } else {
            Err(Rejection::Header)
        }
    }
}

/// A base64url segment that is not the one canonical spelling of its bytes is refused by the engine.
fn decode(segment: &str) -> Result<Vec<u8>, Rejection> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Rejection::Encoding)
}

fn check_header(header: &Map<String, Value>) -> Result<(), Rejection> {
    for name in header.keys() {
        match name.as_str() {
            // No extension is understood here, so none may be declared critical, not even an empty list.
            "crit" => return Err(Rejection::Critical),
            "jwk" | "jku" | "x5u" | "x5c" => return Err(Rejection::EmbeddedKey),
            // Unencoded payloads, compression, encryption and nesting change what the claims are.
            "b64" | "zip" | "enc" | "cty" => return Err(Rejection::Header),
            _ => {}
        }
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && !text.chars().any(char::is_control)
}

/// The claims of a token.
#[derive(Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Gives a claim that has to be a non-empty text of reasonable length.
    pub fn id(&self, name: &str) -> Result<&str, Rejection> {
        self.optional_id(name)?.ok_or(Rejection::Claims)
    }

    /// Gives a claim that may be absent, and otherwise has to be a non-empty text of reasonable length.
    pub fn optional_id(&self, name: &str) -> Result<Option<&str>, Rejection> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if is_id(text) => Ok(Some(text)),
            Some(_) => Err(Rejection::Claims),
        }
    }

    /// Gives the issuer.
    pub fn issuer(&self) -> Result<&str, Rejection> {
        self.id("iss").map_err(|_| Rejection::Issuer)
    }

    /// Tells whether the token is meant for `audience`, alone or in a list.
    pub fn is_for(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().any(|one| one.as_str() == Some(audience))
            }
            _ => false,
        }
    }

    /// Tells whether the token is meant for `audience` alone.
    pub fn is_only_for(&self, audience: &str) -> bool {
        self.0.get("aud").and_then(Value::as_str) == Some(audience)
    }

    fn time(&self, name: &str) -> Result<Option<i64>, Rejection> {
        match self.0.get(name) {
            None => Ok(None),
            // A fraction, an exponent, a sign or a number beyond i64 is no integer for serde_json either.
            Some(Value::Number(number)) => match number.as_i64() {
                Some(seconds) if (0..=MAX_TIME).contains(&seconds) => Ok(Some(seconds)),
                _ => Err(Rejection::Time),
            },
            Some(_) => Err(Rejection::Time),
        }
    }

    /// Checks `iat`, `nbf` and `exp` against the clock, and gives the moment when the token ends.
    pub fn check_times(&self, now: DateTime<Utc>, leeway_seconds: i64) -> Result<Times, Rejection> {
        let leeway = leeway_seconds.clamp(0, LEEWAY_SECONDS);
        let now = now.timestamp();
        let issued = self.time("iat")?;
        let not_before = self.time("nbf")?;
        let expires = self.time("exp")?.ok_or(Rejection::Time)?;
        if [issued, not_before].iter().flatten().any(|start| *start >= expires) {
            return Err(Rejection::Time);
        }
        if expires.saturating_add(leeway) <= now {
            return Err(Rejection::Expired);
        }
        if expires > now.saturating_add(MAX_LIFETIME_SECONDS) {
            return Err(Rejection::TooLong);
        }
        if [issued, not_before].iter().flatten().any(|start| *start > now.saturating_add(leeway)) {
            return Err(Rejection::NotYetValid);
        }
        let moment = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Rejection::Time);
        Ok(Times { issued_at: issued.map(moment).transpose()?, expires_at: moment(expires)? })
    }
}

/// When a token was issued and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub issued_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
}

/// Reads one JSON object in which no key stands twice, at any depth.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Rejection> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(map)) => Ok(map),
        Err(error) if error.to_string().starts_with(DUPLICATE) => Err(Rejection::DuplicateKey),
        _ => Err(Rejection::Json),
    }
}

/// Builds a [`Value`] as serde does, except that a repeated key is an error instead of the last one winning.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate keys")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = seq.next_element_seed(Self)? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(DUPLICATE));
            }
            let value = entries.next_value_seed(Self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests;
