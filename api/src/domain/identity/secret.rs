//! Opaque secrets: refresh tokens, API keys, one-time links, calendar feeds.
//!
//! A secret is 256 random bits in base62 behind a prefix that tells what it is, and ends in a checksum, so that a typo
//! is told apart without asking the database. Only its SHA-256 is stored: with that much randomness a slow hash would
//! add nothing. This file deliberately does not know who holds a secret or until when.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// How many random bytes a secret is made of.
pub const SECRET_BYTES: usize = 32;
/// How many random bytes the public prefix of an API key is made of.
pub const KEY_PREFIX_BYTES: usize = 8;
/// The length of the public prefix of an API key.
pub const KEY_PREFIX_LENGTH: usize = 8;

const BODY_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// Renews a session, once.
    Refresh,
    /// Reads for a dashboard.
    ApiKey,
    /// Accepts an invitation or resets a password, once.
    Invitation,
    /// Reads a calendar feed.
    Calendar,
    /// Answers a follow-up, once.
    FollowUp,
}

impl SecretKind {
    const ALL: [Self; 5] = [Self::Refresh, Self::ApiKey, Self::Invitation, Self::Calendar, Self::FollowUp];

    /// Gives the beginning of every secret of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "cnc_rt_",
            Self::ApiKey => "cnc_key_",
            Self::Invitation => "cnc_inv_",
            Self::Calendar => "cnc_cal_",
            Self::FollowUp => "cnc_fol_",
        }
    }

    /// Tells what a text claims to be, by its beginning.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))
    }
}

/// A secret that was just made; its text is shown once and then forgotten.
pub struct Secret {
    text: String,
    digest: SecretDigest,
    key_prefix: Option<String>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("text", &"***")
            .field("key_prefix", &self.key_prefix)
            .finish_non_exhaustive()
    }
}

impl Secret {
    /// Makes a secret of random bytes.
    pub fn generate(kind: SecretKind, random: &dyn Fn(&mut [u8])) -> Self {
        let key_prefix = (kind == SecretKind::ApiKey).then(|| {
            let mut bytes = [0; KEY_PREFIX_BYTES];
            random(&mut bytes);
            base62(&bytes, KEY_PREFIX_LENGTH)
        });
        let mut bytes = [0; SECRET_BYTES];
        random(&mut bytes);
        let mut text = String::from(kind.prefix());
        if let Some(prefix) = &key_prefix {
            text.push_str(prefix);
            text.push('_');
        }
        text.push_str(&base62(&bytes, BODY_LENGTH));
        let checksum = checksum(&text);
        text.push_str(&checksum);
        let digest = SecretDigest::of(&text);
        Self { text, digest, key_prefix }
    }

    /// Gives the text, to be shown to its holder and to nobody else.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Gives what is stored.
    pub fn digest(&self) -> SecretDigest {
        self.digest
    }

    /// Gives the public prefix by which people tell their API keys apart.
    pub fn key_prefix(&self) -> Option<&str> {
        self.key_prefix.as_deref()
    }
}

/// The SHA-256 of a secret's whole text; comparisons take the same time wherever they differ.
#[derive(Clone, Copy, Eq)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads a stored digest.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Gives the bytes to store and to look up by.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDigest(***)")
    }
}

/// Why a text is no secret of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("not a secret of this kind")]
    Kind,
    #[error("not of the right length and characters")]
    Shape,
    #[error("mistyped or cut off")]
    Checksum,
}

/// A text that has the form of a secret; whether it opens anything, its digest tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub kind: SecretKind,
    pub digest: SecretDigest,
    /// The public prefix of an API key.
    pub key_prefix: Option<String>,
}

impl Presented {
    /// Reads what somebody presents where a secret of `kind` belongs.
    pub fn parse(kind: SecretKind, text: &str) -> Result<Self, Malformed> {
        let rest = text.strip_prefix(kind.prefix()).ok_or(Malformed::Kind)?;
        let (key_prefix, rest) = match kind {
            SecretKind::ApiKey => {
                let (prefix, rest) = rest.split_once('_').ok_or(Malformed::Shape)?;
                (Some(prefix), rest)
            }
            _ => (None, rest),
        };
        let base62 = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if rest.len() != BODY_LENGTH + CHECKSUM_LENGTH
            || !base62(rest)
            || key_prefix.is_some_and(|prefix| prefix.len() != KEY_PREFIX_LENGTH || !base62(prefix))
        {
            return Err(Malformed::Shape);
        }
        let split = text.len() - CHECKSUM_LENGTH;
        let (covered, given) = text.split_at_checked(split).ok_or(Malformed::Shape)?;
        if checksum(covered) != given {
            return Err(Malformed::Checksum);
        }
        Ok(Self { kind, digest: SecretDigest::of(text), key_prefix: key_prefix.map(str::to_owned) })
    }
}

/// The checksum covers the prefix too, so a secret pasted behind another prefix does not pass.
fn checksum(covered: &str) -> String {
    let digest = Sha256::digest(format!("concord secret checksum\0{covered}"));
    let [a, b, c, d, ..]: [u8; 32] = digest.into();
    base62(&[a, b, c, d], CHECKSUM_LENGTH)
}

/// Writes the lowest `length` digits of a big-endian number in base 62.
fn base62(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::with_capacity(length);
    for _ in 0..length {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            // The quotient of a remainder below 62 and one byte is again one byte.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        let digit = usize::try_from(remainder).ok().and_then(|index| ALPHABET.get(index));
        digits.push(char::from(digit.copied().unwrap_or(b'0')));
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests;
