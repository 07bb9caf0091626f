//! The process-wide parts of identity, built once from the settings: key ring, tokens, passwords, external issuers, uses of
//! keys. It deliberately holds no rights: those are read in the statement that needs them.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    admission::Admissions,
    api_key::KeyUses,
    issuer::{self, IssuerSet},
    password::{self, Passwords},
    signing::{self, Algorithm, KeyRing},
    stored_documents::StoredDocuments,
    token::Tokens,
    turns::Turns,
};
use crate::{
    config::{self, Config},
    domain::{App, context::Random},
    outbound,
};

/// Why the parts cannot be built from the settings.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Keys(#[from] signing::Error),
    #[error(transparent)]
    Passwords(#[from] password::Error),
    #[error(transparent)]
    Issuers(#[from] issuer::SettingsError),
    #[error(transparent)]
    Outbound(#[from] outbound::Error),
    #[error("[identity] {name} must lie between {least} and {most}")]
    Setting { name: &'static str, least: i64, most: i64 },
}

/// Turns away durations and counts with which nobody could sign in, or with which a lock would never open.
pub fn check(identity: &config::Identity) -> Result<(), BuildError> {
    let bounds = [
        ("access_token_seconds", identity.access_token_seconds, 1, 24 * 60 * 60),
        ("refresh_token_days", identity.refresh_token_days, 1, 3_650),
        ("session_days", identity.session_days, 1, 3_650),
        ("invitation_hours", identity.invitation_hours, 1, 8_760),
        ("lockout_attempts", identity.lockout_attempts.into(), 1, 1_000),
        ("lockout_minutes", identity.lockout_minutes, 1, 10_080),
    ];
    match bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        Some((name, _, least, most)) => Err(BuildError::Setting { name, least, most }),
        None => Ok(()),
    }
}

/// What signing in and authenticating need besides the database.
#[derive(Debug)]
pub struct Parts {
    pub keys: Arc<KeyRing>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    /// In which order attempts at one person's password are made.
    pub turns: Turns,
    pub issuers: IssuerSet,
    /// When keys were used and not yet written down.
    pub key_uses: KeyUses,
    /// Credentials that were checked a moment ago.
    pub admissions: Admissions,
    /// What keys are bound to.
    pub stored_documents: StoredDocuments,
}

impl Parts {
    /// Builds the parts; the first start makes the first signing key.
    pub fn build(config: &Config, now: DateTime<Utc>, random: &Random) -> Result<Self, BuildError> {
        let identity = &config.identity;
        check(identity)?;
        let keys = Arc::new(ring(config, now, random)?);
        let mut salt = [0; password::SALT_BYTES];
        fill(random, &mut salt);
        let settings = password::Settings::from(identity);
        // Without issuers nothing is called, so a machine without name resolution starts as well.
        let issuers = if identity.issuers.is_empty() {
            IssuerSet::default()
        } else {
            IssuerSet::new(identity.issuers.clone(), &outbound::Client::new(&config.outbound)?)?
        };
        Ok(Self {
            tokens: Tokens::new(keys.clone(), identity.issuer.clone(), identity.audience.clone()),
            passwords: Passwords::new(&settings, salt)?,
            turns: Turns::new(std::time::Duration::from_millis(identity.argon2_wait_ms)),
            keys,
            issuers,
            key_uses: KeyUses::default(),
            admissions: Admissions::default(),
            stored_documents: StoredDocuments::default(),
        })
    }
}

fn fill(random: &Random, bytes: &mut [u8]) {
    (random.lock().expect("the generator does not panic"))(bytes);
}

/// Where the signing keys live.
pub fn keys_directory(config: &Config) -> PathBuf {
    config.data.directory.join("keys")
}

/// Opens the key ring of an installation without its database.
pub fn ring(config: &Config, now: DateTime<Utc>, random: &Random) -> Result<KeyRing, signing::Error> {
    KeyRing::open(&keys_directory(config), Algorithm::EdDsa, now, &|bytes| fill(random, bytes))
}

/// Makes a new signing key and gives its id; tokens of the older ones stay valid until those are retired.
pub fn rotate_keys(
    config: &Config,
    now: DateTime<Utc>,
    random: &Random,
    algorithm: Algorithm,
) -> Result<String, signing::Error> {
    ring(config, now, random)?.rotate(algorithm, now, &|bytes| fill(random, bytes))
}

/// The public keys by which others verify our tokens, as a JWK set.
pub fn jwks(app: &App) -> Value {
    app.identity.keys.jwks()
}
