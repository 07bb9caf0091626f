//! The composition root: builds the process-wide parts from the settings.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::{
    config::Config,
    database::{self, Connections},
    domain::{
        context::{App, Clock, Random},
        identity::parts::{BuildError, Parts},
    },
    storage::Store,
};

/// Why the app cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database: {0}")]
    Database(#[from] DbErr),
    #[error("the file storage: {0}")]
    Files(String),
    #[error(transparent)]
    Identity(#[from] BuildError),
}

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A generator seeded by the operating system.
pub fn system_random() -> Random {
    // StdRng is a cryptographic generator; seeding it once spares a system call per identifier.
    let mut generator = StdRng::from_os_rng();
    Arc::new(Mutex::new(move |bytes: &mut [u8]| generator.fill(bytes)))
}

/// A generator that gives the same bytes for the same seed.
pub fn seeded_random(seed: u64) -> Random {
    let mut generator = StdRng::seed_from_u64(seed);
    Arc::new(Mutex::new(move |bytes: &mut [u8]| generator.fill(bytes)))
}

/// Builds the app on the configured database, bringing its tables up to date when `migrate` is set.
pub async fn build(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Random,
    migrate: bool,
) -> Result<Arc<App>, Error> {
    let Connections { write, read, near } =
        database::connect(&config.database, &config.database_url(), migrate).await?;
    let identity = Parts::build(&config, clock.now(), &random)?;
    let files = Store::open(&config.file_storage()).await.map_err(|error| Error::Files(error.to_string()))?;
    Ok(Arc::new(App {
        config,
        files,
        write,
        read,
        near,
        clock,
        random,
        committed: Notify::new(),
        feed: crate::domain::feed::Feed::default(),
        boards: crate::domain::mobilization::live::Boards::default(),
        identity,
    }))
}
