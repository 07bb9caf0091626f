//! Credentials that were checked before, so that a busy caller's signature and session are not checked at every request.
//!
//! It remembers who somebody is, never what they may do: seats, accounts and keys stand in every reading statement. A
//! token of ours proves itself while it lasts, unless its session ends; the sessions that ended lately are read once a
//! second for all callers. Keys and tokens of other issuers are believed for a second. On this node a sign-out, a disabled
//! account or a revoked key ends every memory at once; on another node within a second.

use std::{
    collections::HashSet,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    id::{AccountId, SessionId},
    session,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use sha2::{Digest, Sha256};

use super::{door::Authenticated, jws::LEEWAY_SECONDS};
use crate::domain::{App, Result};

/// How long a check is believed.
const BELIEVED: TimeDelta = TimeDelta::seconds(1);
/// How far clocks of nodes may differ, and a unit of work may last, before an ended session could be overlooked.
const SLACK: TimeDelta = TimeDelta::minutes(10);
/// How far the clock of whoever issued a token may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(LEEWAY_SECONDS);
/// Most credentials remembered.
const REMEMBERED: u64 = 20_000;

#[derive(Clone, Copy)]
struct Admission {
    found: Authenticated,
    checked_at: DateTime<Utc>,
    era: u64,
}

/// What a genuine token of ours says, and the key that signed it.
#[derive(Clone, Debug)]
pub struct Genuine {
    pub account: AccountId,
    pub session: SessionId,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub key_id: Arc<str>,
}

/// The sessions that ended lately.
struct Ended {
    sessions: HashSet<SessionId>,
    read_at: DateTime<Utc>,
    era: u64,
}

/// The credentials that this node has checked.
pub struct Admissions {
    known: moka::sync::Cache<Arc<str>, Admission>,
    /// By the digest of the token.
    genuine: moka::sync::Cache<[u8; 32], Genuine>,
    ended: RwLock<Option<Arc<Ended>>>,
    /// Whoever holds it reads what ended; the others wait for that.
    reading: tokio::sync::Mutex<()>,
    era: AtomicU64,
}

impl std::fmt::Debug for Admissions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The keys are credentials.
        f.debug_struct("Admissions").finish_non_exhaustive()
    }
}

impl Default for Admissions {
    fn default() -> Self {
        let known = moka::sync::Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(std::time::Duration::from_secs(2))
            .build();
        Self {
            known,
            genuine: moka::sync::Cache::new(REMEMBERED),
            ended: RwLock::default(),
            reading: tokio::sync::Mutex::default(),
            era: AtomicU64::new(0),
        }
    }
}

impl Admissions {
    /// What was current when a check begins; give it to `remember`.
    pub fn era(&self) -> u64 {
        self.era.load(Ordering::Acquire)
    }

    /// Whom a credential stood for a moment ago.
    pub fn find(&self, credential: &str, now: DateTime<Utc>) -> Option<Authenticated> {
        let known = self.known.get(credential)?;
        let lasting = known.found.1.is_none_or(|ends_at| ends_at > now);
        (self.is_fresh(known.checked_at, known.era, now) && lasting).then_some(known.found)
    }

    /// Remembers a check that began in `era`; one that was overtaken is of no use and is not found again.
    pub fn remember(&self, credential: &str, found: Authenticated, now: DateTime<Utc>, era: u64) {
        self.known.insert(Arc::from(credential), Admission { found, checked_at: now, era });
    }

    /// What a token says whose signature was verified before; its times, its key and its session are still to be looked at.
    pub fn genuine(&self, token: &str) -> Option<Genuine> {
        self.genuine.get(&digest(token))
    }

    /// Remembers that a token is genuine.
    pub fn remember_genuine(&self, token: &str, says: Genuine) {
        self.genuine.insert(digest(token), says);
    }

    /// Whether the session of a genuine token has not ended. A token that is older than tokens may become today, since the
    /// setting was lowered, has no session to stand on: those that ended before are not read.
    pub async fn stands(&self, app: &App, Genuine { session, issued_at, .. }: &Genuine) -> Result<bool> {
        let now = app.now();
        if *issued_at < now - lifetime(app) - LEEWAY {
            return Ok(false);
        }
        if let Some(ended) = self.ended(now) {
            return Ok(!ended.sessions.contains(session));
        }
        let _turn = self.reading.lock().await;
        let ended = match self.ended(app.now()) {
            Some(ended) => ended,
            None => self.read_ended(app).await?,
        };
        Ok(!ended.sessions.contains(session))
    }

    fn ended(&self, now: DateTime<Utc>) -> Option<Arc<Ended>> {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        self.is_fresh(ended.read_at, ended.era, now).then_some(ended)
    }

    /// Reads the sessions that ended since the oldest token that may still be good was issued.
    async fn read_ended(&self, app: &App) -> Result<Arc<Ended>> {
        let (read_at, era) = (app.now(), self.era());
        let since = read_at - lifetime(app) - LEEWAY - SLACK;
        let sessions: Vec<SessionId> = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .filter(session::Column::EndedAt.gt(since))
            .into_tuple()
            .all(&app.read)
            .await?;
        let ended = Arc::new(Ended { sessions: sessions.into_iter().collect(), read_at, era });
        *self.ended.write().unwrap_or_else(PoisonError::into_inner) = Some(ended.clone());
        Ok(ended)
    }

    fn is_fresh(&self, checked_at: DateTime<Utc>, era: u64, now: DateTime<Utc>) -> bool {
        let age = now - checked_at;
        // A clock that went back proves nothing.
        TimeDelta::zero() <= age && age < BELIEVED && era == self.era()
    }

    /// Forgets everything: somebody who was let in may no longer come in.
    pub fn forget(&self) {
        self.era.fetch_add(1, Ordering::AcqRel);
    }
}

/// How long a token is good at most.
fn lifetime(app: &App) -> TimeDelta {
    TimeDelta::seconds(app.config.identity.access_token_seconds)
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Actor;

    #[test]
    fn a_check_is_believed_for_a_second_and_never_after_a_change() {
        let admissions = Admissions::default();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let found = (Actor::Anonymous, Some(now + TimeDelta::milliseconds(1_500)));
        admissions.remember("token", found, now, admissions.era());
        let at = |millis| admissions.find("token", now + TimeDelta::milliseconds(millis));
        assert_eq!(at(0), Some(found));
        assert_eq!(at(999), Some(found));
        assert_eq!(at(1_000), None);
        assert_eq!(at(-1), None, "a clock that went back proves nothing");
        assert_eq!(admissions.find("other", now), None);
        let era = admissions.era();
        admissions.forget();
        assert_eq!(at(0), None);
        admissions.remember("token", found, now, era);
        assert_eq!(at(0), None, "the check began before the change");
        let short = (Actor::Anonymous, Some(now + TimeDelta::milliseconds(10)));
        admissions.remember("token", short, now, admissions.era());
        assert_eq!(at(9), Some(short));
        assert_eq!(at(10), None);
    }
}
