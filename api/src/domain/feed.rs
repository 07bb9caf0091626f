//! Sealed events of this process, as they come: a broadcast that subscriptions follow. The table stays the truth; a
//! listener that lags is told so and resumes from its last position.

use std::sync::Arc;

use concord_entities::event;
use tokio::sync::broadcast;

/// How many events a slow listener may be behind before it is ended.
const CAPACITY: usize = 1024;

/// An event with the position it was sealed at.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub position: i64,
    pub event: event::Model,
}

/// The live tail.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Arc<Sealed>>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::channel(CAPACITY).0)
    }
}

impl Feed {
    /// Hands an event to whoever listens.
    pub fn publish(&self, sealed: Sealed) {
        // Nobody listening is fine.
        let _ = self.0.send(Arc::new(sealed));
    }

    pub fn listen(&self) -> broadcast::Receiver<Arc<Sealed>> {
        self.0.subscribe()
    }
}
