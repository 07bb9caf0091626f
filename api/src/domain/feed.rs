//! Sealed events of this process, as they come: a broadcast that subscriptions follow. The table stays the truth; a
//! listener that lags is told so and resumes from its last position.

use std::sync::Arc;

use concord_entities::{event, id::AccountId};
use tokio::sync::{Mutex, broadcast};

/// How many events a slow listener may be behind before it is ended.
pub const CAPACITY: usize = 1024;

/// An event with the position it was sealed at.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    pub position: i64,
    pub event: event::Model,
}

/// People whose inboxes got something from the events up to a position.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub position: i64,
    pub accounts: Vec<AccountId>,
}

/// How far this process has handed out the tables.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// The last sealed event.
    pub sealed: i64,
    /// The last event that the inbox hand dealt with.
    pub told: i64,
}

/// The live tail.
#[derive(Debug)]
pub struct Feed {
    sealed: broadcast::Sender<Arc<Sealed>>,
    told: broadcast::Sender<Arc<Told>>,
    /// Unset until the first look; one look at a time keeps the order.
    pub(super) heads: Mutex<Option<Heads>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            sealed: broadcast::channel(CAPACITY).0,
            told: broadcast::channel(CAPACITY).0,
            heads: Mutex::new(None),
        }
    }
}

impl Feed {
    /// Hands an event to whoever listens.
    pub fn publish(&self, sealed: Sealed) {
        // Nobody listening is fine.
        let _ = self.sealed.send(Arc::new(sealed));
    }

    /// Tells whose inboxes have something new.
    pub fn tell(&self, told: Told) {
        let _ = self.told.send(Arc::new(told));
    }

    pub fn listen(&self) -> broadcast::Receiver<Arc<Sealed>> {
        self.sealed.subscribe()
    }

    pub fn listen_inbox(&self) -> broadcast::Receiver<Arc<Told>> {
        self.told.subscribe()
    }
}
