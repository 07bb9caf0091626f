//! Tokens of other issuers, which the operator has named in the settings, verified by the keys that they publish.
//!
//! Who somebody is, is the pair of issuer and subject, never an e-mail address or a name. Keys are fetched through the
//! outbound walls, kept for a while, and asked for again when a token names an unknown one: by one request at a time
//! and not more often than the limits below. This file deliberately does not know which account belongs to an identity.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use jsonwebtoken::{DecodingKey, crypto};
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::jws::{Compact, LEEWAY_SECONDS, Rejection};
use crate::outbound::Client;

mod keyset;

use keyset::KeySet;

/// How long fetched keys are used without asking again.
const FRESH_SECONDS: i64 = 10 * 60;
/// How long they are used when the issuer does not answer.
const STALE_SECONDS: i64 = 60 * 60;
/// How often an unknown key makes us ask at most.
const REFETCH_SECONDS: i64 = 30;
/// How often we ask at most after a failure.
const RETRY_SECONDS: i64 = 5;
/// How long a request waits for keys; a little more than the outbound client takes at most by default.
const WAIT: Duration = Duration::from_secs(12);
const MAX_KEY_SET_BYTES: usize = 64 * 1_024;

/// An algorithm that an external issuer may sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum ExternalAlgorithm {
    #[serde(rename = "EdDSA")]
    EdDsa,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
}

impl ExternalAlgorithm {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }

    const fn jose(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
        }
    }
}

/// A `typ` that is accepted from an external issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ExternalType {
    #[serde(rename = "JWT")]
    Jwt,
    #[serde(rename = "at+jwt")]
    AccessToken,
    #[serde(rename = "absent")]
    Absent,
}

impl ExternalType {
    /// Media types are compared without case, and `application/` may be left out (RFC 7515, 4.1.9).
    fn of(typ: Option<&str>) -> Option<Self> {
        let Some(typ) = typ else {
            return Some(Self::Absent);
        };
        let lower = typ.to_ascii_lowercase();
        match lower.strip_prefix("application/").unwrap_or(&lower) {
            "jwt" => Some(Self::Jwt),
            "at+jwt" => Some(Self::AccessToken),
            _ => None,
        }
    }
}

/// One external issuer, as the operator describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSettings {
    /// Exactly what stands in `iss`.
    pub issuer: String,
    /// What has to stand in `aud`.
    pub audience: String,
    pub jwks_url: String,
    pub algorithms: Vec<ExternalAlgorithm>,
    #[serde(default = "default_types")]
    pub types: Vec<ExternalType>,
    #[serde(default = "default_leeway")]
    pub leeway_seconds: i64,
}

fn default_types() -> Vec<ExternalType> {
    vec![ExternalType::Jwt, ExternalType::AccessToken, ExternalType::Absent]
}

const fn default_leeway() -> i64 {
    30
}

/// What is wrong with the settings of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("issuer {issuer:?}: {reason}")]
pub struct SettingsError {
    pub issuer: String,
    pub reason: String,
}

/// What a genuine token of an external issuer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub issuer: String,
    pub subject: String,
    pub expires_at: DateTime<Utc>,
    /// The issuer's own session, when it tells.
    pub session: Option<String>,
}

/// All external issuers that are trusted.
#[derive(Debug, Clone, Default)]
pub struct IssuerSet {
    issuers: HashMap<String, Arc<Issuer>>,
}

impl IssuerSet {
    /// Checks the settings; nothing is fetched before the first token comes.
    pub fn new(settings: Vec<IssuerSettings>, client: &Client) -> Result<Self, SettingsError> {
        let mut issuers = HashMap::new();
        for settings in settings {
            let error =
                |reason: &str| SettingsError { issuer: settings.issuer.clone(), reason: reason.into() };
            if settings.issuer.is_empty() || settings.audience.is_empty() {
                return Err(error("issuer and audience must not be empty"));
            }
            if settings.algorithms.is_empty() || settings.types.is_empty() {
                return Err(error("algorithms and types must name at least one"));
            }
            if !(0..=LEEWAY_SECONDS).contains(&settings.leeway_seconds) {
                return Err(error("leeway_seconds must be between 0 and 60"));
            }
            client.check(&settings.jwks_url).map_err(|refusal| error(&format!("jwks_url: {refusal}")))?;
            if issuers.contains_key(&settings.issuer) {
                return Err(error("is listed twice"));
            }
            let name = settings.issuer.clone();
            issuers.insert(name, Arc::new(Issuer::new(settings, client.clone())));
        }
        Ok(Self { issuers })
    }

    /// Tells whether tokens of `issuer` are verified here.
    pub fn knows(&self, issuer: &str) -> bool {
        self.issuers.contains_key(issuer)
    }

    /// Verifies that a token comes from one of the issuers, is meant for us and is valid now.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, Rejection> {
        let compact = Compact::parse(token)?;
        let issuer = self.issuers.get(compact.claims.issuer()?).ok_or(Rejection::Issuer)?;
        issuer.verify(&compact, now).await
    }
}

/// What is known of an issuer's keys.
#[derive(Debug, Clone, Default)]
struct Snapshot {
    keys: Option<(Arc<KeySet>, DateTime<Utc>)>,
    /// When we last asked, and whether that succeeded.
    tried: Option<(DateTime<Utc>, bool)>,
}

impl Snapshot {
    fn find(
        &self,
        kid: &str,
        algorithm: ExternalAlgorithm,
        now: DateTime<Utc>,
        max_age: i64,
    ) -> Option<DecodingKey> {
        let (keys, fetched_at) = self.keys.as_ref()?;
        if age(*fetched_at, now) < max_age { keys.find(kid, algorithm) } else { None }
    }

    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.keys.as_ref().is_some_and(|(_, fetched_at)| age(*fetched_at, now) < FRESH_SECONDS)
    }

    fn may_ask(&self, now: DateTime<Utc>) -> bool {
        match self.tried {
            Some((at, true)) => age(at, now) >= REFETCH_SECONDS,
            Some((at, false)) => age(at, now) >= RETRY_SECONDS,
            None => true,
        }
    }
}

/// A clock that was set back makes things old, not forever young.
fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (now - then).num_seconds().abs()
}

#[derive(Debug)]
struct Issuer {
    settings: IssuerSettings,
    client: Client,
    snapshot: RwLock<Snapshot>,
    /// Held by the one request that asks.
    flight: Arc<Mutex<()>>,
}

impl Issuer {
    fn new(settings: IssuerSettings, client: Client) -> Self {
        Self { settings, client, snapshot: RwLock::default(), flight: Arc::default() }
    }

    async fn verify(
        self: &Arc<Self>,
        compact: &Compact<'_>,
        now: DateTime<Utc>,
    ) -> Result<Verified, Rejection> {
        let typ = ExternalType::of(compact.typ()?).ok_or(Rejection::Type)?;
        if !self.settings.types.contains(&typ) {
            return Err(Rejection::Type);
        }
        let algorithm = ExternalAlgorithm::from_name(compact.algorithm()?).ok_or(Rejection::Algorithm)?;
        if !self.settings.algorithms.contains(&algorithm) {
            return Err(Rejection::Algorithm);
        }
        let kid = compact.key_id()?;
        // The claims are looked at before the signature, so that a token that would fail anyway causes no fetching.
        let claims = &compact.claims;
        if !claims.is_for(&self.settings.audience) {
            return Err(Rejection::Audience);
        }
        let times = claims.check_times(now, self.settings.leeway_seconds)?;
        let subject = claims.id("sub")?;
        let session = claims.optional_id("sid")?;
        let key = self.key(kid, algorithm, now).await?;
        if !crypto::verify(compact.signature, compact.signed.as_bytes(), &key, algorithm.jose())
            .unwrap_or(false)
        {
            return Err(Rejection::Signature);
        }
        Ok(Verified {
            issuer: self.settings.issuer.clone(),
            subject: subject.to_owned(),
            expires_at: times.expires_at,
            session: session.map(str::to_owned),
        })
    }

    async fn key(
        self: &Arc<Self>,
        kid: &str,
        algorithm: ExternalAlgorithm,
        now: DateTime<Utc>,
    ) -> Result<DecodingKey, Rejection> {
        let snapshot = self.snapshot();
        if let Some(key) = snapshot.find(kid, algorithm, now, FRESH_SECONDS) {
            return Ok(key);
        }
        let stale = snapshot.find(kid, algorithm, now, STALE_SECONDS);
        if snapshot.may_ask(now) {
            // Who has a key that is merely old does not queue behind the request that asks.
            let turn = if stale.is_some() {
                Arc::clone(&self.flight).try_lock_owned().ok()
            } else {
                tokio::time::timeout(WAIT, Arc::clone(&self.flight).lock_owned()).await.ok()
            };
            if let Some(turn) = turn {
                self.ask(turn, now).await;
            }
        }
        let snapshot = self.snapshot();
        if snapshot.is_fresh(now) {
            // A key that the issuer has withdrawn is not saved by having been known before.
            snapshot.find(kid, algorithm, now, FRESH_SECONDS).ok_or(Rejection::UnknownKey)
        } else {
            stale.ok_or(Rejection::KeysUnavailable)
        }
    }

    /// Fetches the keys unless somebody else just did while we waited for our turn.
    async fn ask(self: &Arc<Self>, turn: OwnedMutexGuard<()>, now: DateTime<Utc>) {
        if !self.snapshot().may_ask(now) {
            return;
        }
        let issuer = Arc::clone(self);
        // A task of its own: a client that hangs up must not be able to cancel the fetch for everybody else.
        let task = tokio::spawn(async move {
            let _turn = turn;
            let fetched = issuer.fetch().await;
            let mut snapshot = issuer.snapshot.write().unwrap_or_else(PoisonError::into_inner);
            snapshot.tried = Some((now, fetched.is_ok()));
            match fetched {
                Ok(keys) => snapshot.keys = Some((Arc::new(keys), now)),
                Err(reason) => {
                    tracing::warn!(issuer = %issuer.settings.issuer, reason = %reason, "key set not fetched");
                }
            }
        });
        let _ = tokio::time::timeout(WAIT, task).await;
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let answer = self.client.get(&self.settings.jwks_url, MAX_KEY_SET_BYTES).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("status {}", answer.status));
        }
        KeySet::parse(&answer.body, &self.settings.algorithms).ok_or_else(|| "not a key set".to_owned())
    }

    fn snapshot(&self) -> Snapshot {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
