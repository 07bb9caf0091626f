//! The usable part of a JWK set: keys that verify, of an allowed algorithm and a sufficient size.
//!
//! A key that does not fit is ignored, so that one exotic key does not make the others useless. It deliberately reads
//! no certificates and follows no references.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{super::jws, ExternalAlgorithm};

/// How many keys of a set are looked at.
const MAX_KEYS: usize = 100;
const MIN_RSA_BITS: usize = 2_048;
const MAX_RSA_BITS: usize = 8_192;
/// The smallest public exponent that is accepted.
const MIN_RSA_EXPONENT: u32 = 65_537;

#[derive(Debug)]
struct PublicKey {
    kid: String,
    algorithms: Vec<ExternalAlgorithm>,
    key: DecodingKey,
}

/// The keys of an issuer that its tokens may be verified with.
#[derive(Debug)]
pub(super) struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// Reads a key set; gives nothing when the text is none.
    pub(super) fn parse(bytes: &[u8], allowed: &[ExternalAlgorithm]) -> Option<Self> {
        let set = jws::object(bytes).ok()?;
        let keys = set.get("keys")?.as_array()?;
        let usable = keys.iter().take(MAX_KEYS).filter_map(|key| PublicKey::read(key.as_object()?, allowed));
        Some(Self(usable.collect()))
    }

    pub(super) fn find(&self, kid: &str, algorithm: ExternalAlgorithm) -> Option<DecodingKey> {
        let found = self.0.iter().find(|key| key.kid == kid && key.algorithms.contains(&algorithm));
        found.map(|key| key.key.clone())
    }
}

impl PublicKey {
    fn read(jwk: &Map<String, Value>, allowed: &[ExternalAlgorithm]) -> Option<Self> {
        let kid = text(jwk, "kid").filter(|kid| !kid.is_empty())?;
        if jwk.contains_key("use") && text(jwk, "use") != Some("sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops")
            && !operations.as_array()?.iter().any(|operation| operation == "verify")
        {
            return None;
        }
        let (fitting, key): (&[ExternalAlgorithm], _) = match text(jwk, "kty")? {
            "OKP" if text(jwk, "crv") == Some("Ed25519") => {
                let x = text(jwk, "x").filter(|x| has_length(x, 32))?;
                (&[ExternalAlgorithm::EdDsa], DecodingKey::from_ed_components(x))
            }
            "EC" if text(jwk, "crv") == Some("P-256") => {
                let x = text(jwk, "x").filter(|x| has_length(x, 32))?;
                let y = text(jwk, "y").filter(|y| has_length(y, 32))?;
                (&[ExternalAlgorithm::Es256], DecodingKey::from_ec_components(x, y))
            }
            "RSA" => {
                let n = bytes(text(jwk, "n")?)?;
                let e = bytes(text(jwk, "e")?)?;
                if !is_strong(&n, &e) {
                    return None;
                }
                let algorithms = &[ExternalAlgorithm::Rs256, ExternalAlgorithm::Ps256];
                (algorithms, Ok(DecodingKey::from_rsa_raw_components(&n, &e)))
            }
            _ => return None,
        };
        let mut algorithms: Vec<_> = fitting.iter().copied().filter(|one| allowed.contains(one)).collect();
        if jwk.contains_key("alg") {
            let named = ExternalAlgorithm::from_name(text(jwk, "alg")?)?;
            algorithms.retain(|one| *one == named);
        }
        if algorithms.is_empty() {
            return None;
        }
        Some(Self { kid: kid.to_owned(), algorithms, key: key.ok()? })
    }
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    jwk.get(name).and_then(Value::as_str)
}

/// Decodes a big-endian number without the zeros that some issuers put in front.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn has_length(text: &str, length: usize) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == length)
}

fn is_strong(n: &[u8], e: &[u8]) -> bool {
    let (Some(first), Some(last)) = (n.first(), n.last()) else {
        return false;
    };
    let leading_zeros = usize::try_from(first.leading_zeros()).unwrap_or_default();
    let bits = n.len().saturating_mul(8).saturating_sub(leading_zeros);
    let exponent =
        if e.len() <= 4 { e.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) } else { 0 };
    (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits)
        && last % 2 == 1
        && exponent >= MIN_RSA_EXPONENT
        && exponent % 2 == 1
}
