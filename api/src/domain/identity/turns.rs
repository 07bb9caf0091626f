//! Turns at a password: attempts under one sign-in name follow one another on this node, each counted and settled before
//! the next begins, so that several right ones at once do not lock their owner out. The count itself stands in the
//! database, where every node sees it: turns only order what one node does.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};

use super::password::Error;

/// How many names go on at once; two that share a place by chance wait for each other.
const PLACES: u16 = 1024;

/// The places where attempts wait.
#[derive(Debug)]
pub struct Turns {
    places: Vec<Mutex<()>>,
    // Seeded by the process: nobody outside can choose names that share a place with another's.
    names: RandomState,
    wait: Duration,
}

impl Turns {
    /// Places at which an attempt waits no longer than `wait`.
    pub fn new(wait: Duration) -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect(), names: RandomState::new(), wait }
    }

    /// Waits for the turn of `username`. Names that nobody bears take turns too, or the time of an answer would tell them.
    pub async fn take(&self, username: &str) -> Result<MutexGuard<'_, ()>, Error> {
        let place = usize::try_from(self.names.hash_one(username) % u64::from(PLACES));
        let place = place.ok().and_then(|place| self.places.get(place)).ok_or(Error::Busy)?;
        tokio::time::timeout(self.wait, place.lock()).await.map_err(|_| Error::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_name_takes_turns_and_waits_so_long_only() {
        let turns = Turns::new(Duration::from_millis(50));
        let first = turns.take("staff").await.expect("free");
        assert_eq!(turns.take("staff").await.err(), Some(Error::Busy));
        let mut others = 0;
        for number in 0..20 {
            others += usize::from(turns.take(&format!("other{number}")).await.is_ok());
        }
        assert!(others >= 18, "{others} of 20 other names go on meanwhile");
        drop(first);
        assert!(turns.take("staff").await.is_ok());
    }
}
