//! Where the story plays: an app whose clock the story moves and whose randomness repeats, until both are handed back to
//! the system. Serving never starts before that: what is secret afterwards was never predictable.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, Utc};
use concord_entities::id::AccountId;

use crate::{
    app::{self, SystemClock},
    cli::Failure,
    config::Config,
    domain::{
        Actor, App, Ctx,
        context::{Clock, Random},
    },
};

/// Seed of everything random in the story.
const SEED: u64 = 632_223_101;

/// A clock that stands where the story is, and runs with the system once released.
#[derive(Default)]
pub struct DemoClock(Mutex<Option<DateTime<Utc>>>);

impl DemoClock {
    fn hold(&self, at: Option<DateTime<Utc>>) {
        *self.0.lock().expect("no panic while it is held") = at;
    }
}

impl Clock for DemoClock {
    fn now(&self) -> DateTime<Utc> {
        let held = *self.0.lock().expect("no panic while it is held");
        held.unwrap_or_else(|| SystemClock.now())
    }
}

/// An app with the means to move it through time.
pub struct Stage {
    pub app: Arc<App>,
    clock: Arc<DemoClock>,
    repeating: Arc<AtomicBool>,
}

impl Stage {
    /// Builds the app on a new database. What it makes of itself, such as signing keys, comes from the system.
    pub async fn build(config: Config) -> Result<Self, Failure> {
        crate::cli::make_folder(&config.data.directory)?;
        let (clock, repeating) = (Arc::new(DemoClock::default()), Arc::new(AtomicBool::new(false)));
        let app = app::build(config, clock.clone(), random(repeating.clone()), true)
            .await
            .map_err(|error| Failure::wrong(format!("building the demo: {error}")))?;
        Ok(Self { app, clock, repeating })
    }

    /// Takes the clock into the story and makes randomness repeat.
    pub fn enter(&self, at: DateTime<Utc>) {
        self.repeating.store(true, Ordering::SeqCst);
        self.clock.hold(Some(at));
    }

    /// Moves on; the story never goes back.
    pub fn advance(&self, to: DateTime<Utc>) {
        self.clock.hold(Some(to.max(self.clock.now())));
    }

    /// Makes randomness the system's again while the clock still stands: for secrets that the story hands out.
    pub fn draw_secrets(&self) {
        self.repeating.store(false, Ordering::SeqCst);
    }

    /// Hands clock and randomness back to the system.
    pub fn leave(&self) {
        self.draw_secrets();
        self.clock.hold(None);
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The platform's own hand.
    pub fn system(&self) -> Ctx {
        Ctx::system(&self.app)
    }

    /// A person's hand.
    pub fn hand(&self, account: AccountId) -> Ctx {
        Ctx {
            actor: Actor::Account { id: account, session: None },
            request_id: "demo".into(),
            ..self.system()
        }
    }
}

fn random(repeating: Arc<AtomicBool>) -> Random {
    let (seeded, system) = (app::seeded_random(SEED), app::system_random());
    Arc::new(Mutex::new(move |bytes: &mut [u8]| {
        let source = if repeating.load(Ordering::SeqCst) { &seeded } else { &system };
        (source.lock().expect("a generator does not panic"))(bytes);
    }))
}
