//! Concord's own tokens: short-lived, signed by the key ring, one `typ` per kind of token.
//!
//! Verification believes nothing that a token says about itself: type, issuer, audience, key and algorithm have to be
//! exactly ours. It deliberately puts no rights into a token and does not know whether the session still stands;
//! tokens of other issuers are the business of `issuer`.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::crypto;
use serde_json::json;

use super::{
    jws::{Compact, LEEWAY_SECONDS, MAX_ID_BYTES, MAX_LIFETIME_SECONDS, Rejection},
    signing::{self, Algorithm, Found, KeyRing},
};

/// What a token is for; a token of one kind is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Authenticates requests of one session.
    Access,
}

impl TokenKind {
    /// Gives the `typ` that stands in the header.
    pub const fn typ(self) -> &'static str {
        match self {
            Self::Access => "concord-access+jwt",
        }
    }
}

/// For whom a token is issued.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    pub subject: &'a str,
    pub session: &'a str,
    /// The id of the token itself.
    pub token_id: &'a str,
    pub lifetime: TimeDelta,
}

/// A token that was just issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("token", &"***").field("expires_at", &self.expires_at).finish()
    }
}

/// What a genuine token of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnToken {
    pub subject: String,
    pub session: String,
    pub token_id: String,
    /// The key that signed it.
    pub key_id: String,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Why a token cannot be issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error("an identifier is empty or too long")]
    Identifier,
    #[error("the lifetime is not between one second and 24 hours")]
    Lifetime,
    #[error(transparent)]
    Signing(#[from] signing::Error),
}

/// Gives the issuer that a token names, unverified: good for choosing who verifies it and for nothing else.
pub fn claimed_issuer(token: &str) -> Result<String, Rejection> {
    Compact::parse(token)?.claims.issuer().map(str::to_owned)
}

/// Issues and verifies the tokens of this installation.
#[derive(Debug, Clone)]
pub struct Tokens {
    keys: Arc<KeyRing>,
    issuer: String,
    audience: String,
}

impl Tokens {
    /// Binds the key ring to the name of this installation and of its API.
    pub fn new(keys: Arc<KeyRing>, issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self { keys, issuer: issuer.into(), audience: audience.into() }
    }

    /// Gives the name under which this installation issues.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Issues a token of one kind.
    pub fn issue(
        &self,
        kind: TokenKind,
        grant: &Grant<'_>,
        now: DateTime<Utc>,
    ) -> Result<Issued, IssueError> {
        let texts = [grant.subject, grant.session, grant.token_id];
        if texts
            .iter()
            .any(|text| text.is_empty() || text.len() > MAX_ID_BYTES || text.chars().any(char::is_control))
        {
            return Err(IssueError::Identifier);
        }
        let lifetime = grant.lifetime.num_seconds();
        if !(1..=MAX_LIFETIME_SECONDS).contains(&lifetime) {
            return Err(IssueError::Lifetime);
        }
        let issued_at = now.timestamp();
        let expires = issued_at.saturating_add(lifetime);
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "sub": grant.subject,
            "sid": grant.session,
            "jti": grant.token_id,
            "iat": issued_at,
            "exp": expires,
        });
        let token = self.keys.sign_token(kind.typ(), &claims)?;
        let expires_at = DateTime::from_timestamp(expires, 0).ok_or(IssueError::Lifetime)?;
        Ok(Issued { token, expires_at })
    }

    /// Whether what a key signed is still good.
    pub fn trusts(&self, key_id: &str, now: DateTime<Utc>) -> bool {
        matches!(self.keys.find(key_id, now), Found::Key(..))
    }

    /// Verifies that a token is ours, of this kind, and valid now.
    pub fn verify(&self, kind: TokenKind, token: &str, now: DateTime<Utc>) -> Result<OwnToken, Rejection> {
        let compact = Compact::parse(token)?;
        if compact.typ()? != Some(kind.typ()) {
            return Err(Rejection::Type);
        }
        compact.require_only(&["alg", "kid", "typ"])?;
        // The name of the algorithm is settled before a key is looked up, so that no key is ever used as a secret.
        let named = match compact.algorithm()? {
            "EdDSA" => Algorithm::EdDsa,
            "ES256" => Algorithm::Es256,
            _ => return Err(Rejection::Algorithm),
        };
        let (algorithm, key) = match self.keys.find(compact.key_id()?, now) {
            Found::Key(algorithm, key) => (algorithm, key),
            Found::Retired => return Err(Rejection::RetiredKey),
            Found::Unknown => return Err(Rejection::UnknownKey),
        };
        if named != algorithm {
            return Err(Rejection::Algorithm);
        }
        let jose = match algorithm {
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        };
        if !crypto::verify(compact.signature, compact.signed.as_bytes(), &key, jose).unwrap_or(false) {
            return Err(Rejection::Signature);
        }
        let claims = &compact.claims;
        if claims.issuer()? != self.issuer {
            return Err(Rejection::Issuer);
        }
        if !claims.is_only_for(&self.audience) {
            return Err(Rejection::Audience);
        }
        let times = claims.check_times(now, LEEWAY_SECONDS)?;
        Ok(OwnToken {
            subject: claims.id("sub")?.to_owned(),
            session: claims.id("sid")?.to_owned(),
            token_id: claims.id("jti")?.to_owned(),
            key_id: compact.key_id()?.to_owned(),
            issued_at: times.issued_at.ok_or(Rejection::Claims)?,
            expires_at: times.expires_at,
        })
    }
}

#[cfg(test)]
mod tests;
