//! Credentials that were checked a moment ago, so that a busy caller's signature and session are not checked at every request.
//!
//! It remembers who somebody is, never what they may do: seats, accounts and keys stand in every reading statement. On
//! this node a sign-out, a disabled account or a revoked key ends every memory at once; on another node within a second.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::door::Authenticated;

/// How long a check is believed.
const BELIEVED: TimeDelta = TimeDelta::seconds(1);
/// Most credentials remembered.
const REMEMBERED: u64 = 20_000;

#[derive(Clone, Copy)]
struct Admission {
    found: Authenticated,
    checked_at: DateTime<Utc>,
    era: u64,
}

/// The credentials that this node has checked.
pub struct Admissions {
    known: moka::sync::Cache<Arc<str>, Admission>,
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
        Self { known, era: AtomicU64::new(0) }
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
        let age = now - known.checked_at;
        let fresh = TimeDelta::zero() <= age && age < BELIEVED && known.era == self.era();
        let lasting = known.found.1.is_none_or(|ends_at| ends_at > now);
        (fresh && lasting).then_some(known.found)
    }

    /// Remembers a check that began in `era`; one that was overtaken is of no use and is not found again.
    pub fn remember(&self, credential: &str, found: Authenticated, now: DateTime<Utc>, era: u64) {
        self.known.insert(Arc::from(credential), Admission { found, checked_at: now, era });
    }

    /// Forgets everything: somebody who was let in may no longer come in.
    pub fn forget(&self) {
        self.era.fetch_add(1, Ordering::AcqRel);
    }
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
