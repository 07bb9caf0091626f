//! Passwords: what may be one, and argon2id hashes as PHC strings.
//!
//! Hashing is meant to be expensive, so only so many run at once and the queue is bounded; a sign-in for an unknown
//! user costs the same as a real one. This file deliberately does not count failures or lock accounts.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash,
    password_hash::phc::{Output, PasswordHash, Salt},
};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config;

/// The shortest password, in characters.
pub const MIN_LENGTH: usize = 10;
/// The longest password, in characters; hashing costs the same for any, but a request has to end somewhere.
pub const MAX_LENGTH: usize = 128;
/// The length of a salt, in bytes.
pub const SALT_BYTES: usize = 16;

/// Passwords that are long enough and yet the first that anybody tries.
const COMMON: &[&str] = &[
    "0123456789",
    "0987654321",
    "1111111111",
    "1122334455",
    "123123123123",
    "1234512345",
    "1234567890",
    "12345678910",
    "1234567891",
    "123456789a",
    "123456789q",
    "1357924680",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "5201314520",
    "66666666666",
    "8888888888",
    "9876543210",
    "a123456789",
    "aa123456789",
    "abc123456789",
    "abcd123456",
    "abcdefghij",
    "admin12345",
    "admin123456",
    "administrator",
    "asdfghjkl;",
    "changeme123",
    "chinachina",
    "concord123",
    "iloveyou123",
    "letmein123",
    "p@ssw0rd123",
    "passw0rd123",
    "password12",
    "password123",
    "password1234",
    "password12345",
    "password123456",
    "q1w2e3r4t5",
    "qazwsxedc123",
    "qq123456789",
    "qwer123456",
    "qwerty1234",
    "qwerty12345",
    "qwerty123456",
    "qwertyuiop",
    "qwertyuiop123",
    "wang123456",
    "welcome123",
    "woaini1314",
    "woaini1314520",
    "woaini520520",
    "zxcvbnm123",
];

/// Why a text may not become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("shorter than 10 characters")]
    TooShort,
    #[error("longer than 128 characters")]
    TooLong,
    #[error("the same as the user name")]
    Username,
    #[error("one of the first that anybody tries")]
    Common,
}

/// Checks a new password of the account `username`.
pub fn check(password: &str, username: &str) -> Result<(), Weakness> {
    let length = password.chars().count();
    if length < MIN_LENGTH {
        return Err(Weakness::TooShort);
    }
    if length > MAX_LENGTH {
        return Err(Weakness::TooLong);
    }
    let lower = password.to_lowercase();
    if lower.trim() == username.to_lowercase().trim() {
        return Err(Weakness::Username);
    }
    let first = lower.chars().next();
    if COMMON.contains(&lower.as_str()) || lower.chars().all(|character| Some(character) == first) {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// What a hash costs and how many run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    /// How many hashes run at the same time.
    pub concurrency: usize,
    /// How long a request waits for its turn.
    pub wait_ms: u64,
}

impl Default for Settings {
    /// OWASP's first recommendation: 19 MiB, two passes.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, concurrency: 2, wait_ms: 5_000 }
    }
}

impl From<&config::Identity> for Settings {
    fn from(identity: &config::Identity) -> Self {
        Self {
            memory_kib: identity.argon2_memory_kib,
            iterations: identity.argon2_passes,
            parallelism: identity.argon2_lanes,
            concurrency: identity.argon2_concurrency,
            wait_ms: identity.argon2_wait_ms,
        }
    }
}

impl Settings {
    /// The parameters of argon2, if they are usable.
    pub fn check(&self) -> Result<Params, Error> {
        if self.concurrency == 0 || self.concurrency > Semaphore::MAX_PERMITS {
            return Err(Error::Parameters("the concurrency is not usable".into()));
        }
        Params::new(self.memory_kib, self.iterations, self.parallelism, None)
            .map_err(|error| Error::Parameters(error.to_string()))
    }
}

/// Why a password could be neither hashed nor compared; none of these says anything about the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("too many passwords are being checked")]
    Busy,
    #[error("the parameters of argon2 are not usable: {0}")]
    Parameters(String),
    #[error("the stored hash cannot be read")]
    StoredHash,
    #[error("hashing failed")]
    Hashing,
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The password is right; `rehash` says that the hash was made with other parameters than today's.
    Match {
        rehash: bool,
    },
    Mismatch,
}

/// Hashes and compares passwords; shared by every request.
#[derive(Clone)]
pub struct Passwords {
    params: Params,
    turns: Arc<Semaphore>,
    wait: Duration,
    /// Compared in place of the hash of a user who does not exist.
    dummy: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("params", &self.params).finish_non_exhaustive()
    }
}

impl Passwords {
    /// Prepares hashing; `salt` is random and makes the hash that stands in for unknown users.
    pub fn new(settings: &Settings, salt: [u8; SALT_BYTES]) -> Result<Self, Error> {
        let params = settings.check()?;
        Ok(Self {
            turns: Arc::new(Semaphore::new(settings.concurrency)),
            wait: Duration::from_millis(settings.wait_ms),
            dummy: dummy(&params, &salt).ok_or(Error::Hashing)?.to_string().into(),
            params,
        })
    }

    /// Hashes a password into a PHC string.
    pub async fn hash(&self, password: &str, salt: [u8; SALT_BYTES]) -> Result<String, Error> {
        let params = self.params.clone();
        let password = password.to_owned();
        self.run(move || hash(&params, &password, &salt)).await
    }

    /// Compares a password with the stored hash, or with a stand-in when there is no such user.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Outcome, Error> {
        // An overlong text is never right, but takes as long as any other.
        let stored = stored.filter(|_| password.chars().count() <= MAX_LENGTH);
        let known = stored.is_some();
        let phc = stored.map_or_else(|| Arc::clone(&self.dummy), Arc::from);
        let password: String = password.chars().take(MAX_LENGTH).collect();
        let params = self.params.clone();
        let outcome = self.run(move || compare(&params, &password, &phc)).await?;
        Ok(if known { outcome } else { Outcome::Mismatch })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned());
        let permit: OwnedSemaphorePermit = turn.await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        // The permit goes with the work: a caller that hangs up does not free the turn before the hash is done.
        let task = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        task.await.map_err(|_| Error::Hashing)?
    }
}

fn argon2(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash(params: &Params, password: &str, salt: &[u8]) -> Result<String, Error> {
    let hash: PasswordHash =
        argon2(params).hash_password_with_salt(password.as_bytes(), salt).map_err(|_| Error::Hashing)?;
    Ok(hash.to_string())
}

/// A hash that is compared like any other although no password was hashed for it, so that a start costs no hashing.
fn dummy(params: &Params, salt: &[u8]) -> Option<PasswordHash> {
    Some(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(&salt.repeat(2)).ok()?),
    })
}

fn compare(params: &Params, password: &str, stored: &str) -> Result<Outcome, Error> {
    let stored = PasswordHash::new(stored).map_err(|_| Error::StoredHash)?;
    match argon2(params).verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(Outcome::Match { rehash: needs_rehash(params, &stored) }),
        Err(password_hash::Error::PasswordInvalid) if stored.hash.is_some() && stored.salt.is_some() => {
            Ok(Outcome::Mismatch)
        }
        Err(_) => Err(Error::StoredHash),
    }
}

fn needs_rehash(params: &Params, stored: &PasswordHash) -> bool {
    let same = Params::try_from(stored).is_ok_and(|made| {
        made.m_cost() == params.m_cost()
            && made.t_cost() == params.t_cost()
            && made.p_cost() == params.p_cost()
    });
    !same || stored.algorithm != Algorithm::Argon2id.ident() || stored.version != Some(Version::V0x13.into())
}

#[cfg(test)]
mod tests;
