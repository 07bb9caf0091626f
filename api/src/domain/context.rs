//! Who asks, when, and the unit of work. Every verb starts from a `Ctx`; nothing else gives time, ids or randomness.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, SubsecRound, Utc};
use concord_entities::id::{AccountId, ApiKeyId, SessionId};
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait, sea_query::LockType,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    error::{Error, Result},
    feed::Feed,
    idempotency::{self, Claim},
    identity,
    mobilization::live::Boards,
    page::Needs,
};
use crate::{
    config::Config,
    database::{Openers, Reader},
    messages::Locale,
    storage::Store,
};

/// Where time comes from: the system's clock, or a clock that tests and the demo move.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;
}

/// Where randomness comes from: the system, or a seeded generator in tests and the demo.
pub type Random = Arc<Mutex<dyn FnMut(&mut [u8]) + Send>>;

/// Process-wide parts, built once by `app::build` or by the test harness.
pub struct App {
    pub config: Config,
    /// Where evidence files are kept.
    pub files: Store,
    /// Takes every write; on SQLite it has a single connection behind a fair queue.
    pub write: DatabaseConnection,
    /// Serves reads; on SQLite a pool of read-only connections, on PostgreSQL the same pool as `write`.
    pub read: DatabaseConnection,
    /// How a worker of the server opens connections of its own to read through.
    pub near: Option<Openers>,
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    /// Rung after every commit; the hands sleep on it.
    pub committed: Notify,
    /// Sealed events of this process's tail; the table stays the truth.
    pub feed: Feed,
    /// Boards that somebody of this process watches.
    pub boards: Boards,
    /// Signing keys, passwords, external issuers.
    pub identity: identity::parts::Parts,
}

impl App {
    pub fn now(&self) -> DateTime<Utc> {
        // Databases keep microseconds; a finer instant would not equal itself when read back.
        self.clock.now().trunc_subsecs(6)
    }

    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill_random(&mut bytes);
        bytes
    }

    pub fn fill_random(&self, bytes: &mut [u8]) {
        (self.random.lock().expect("the generator does not panic"))(bytes);
    }

    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }
}

/// Who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody signed in.
    Anonymous,
    /// A person.
    Account { id: AccountId, session: Option<SessionId> },
    /// A dashboard's read-only key.
    Key(ApiKeyId),
    /// The platform itself: the operator's commands and the background hands.
    System,
}

/// One request: the app, who asks, and how to answer.
#[derive(Clone)]
pub struct Ctx {
    pub app: Arc<App>,
    pub actor: Actor,
    pub locale: Locale,
    pub request_id: Arc<str>,
    /// The client's idempotency key, where the request carries one.
    pub idempotency: Option<Arc<Claim>>,
    /// From when on no further item of it is begun, so that its answer still comes in time; none where nobody waits.
    pub begins_until: Option<DateTime<Utc>>,
    /// Which columns its answer shows.
    pub needs: Arc<Needs>,
    /// Through what it reads.
    pub reader: Reader,
}

impl Ctx {
    /// The context of the platform's own work.
    pub fn system(app: &Arc<App>) -> Self {
        Self {
            app: app.clone(),
            actor: Actor::System,
            locale: Locale::ZhCn,
            request_id: "system".into(),
            idempotency: None,
            begins_until: None,
            needs: Arc::default(),
            reader: Reader::shared(&app.read),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.app.now()
    }

    /// A time-ordered identifier from the injected clock and randomness.
    pub fn new_id<I: From<Uuid>>(&self) -> I {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or_default();
        I::from(uuid::Builder::from_unix_timestamp_millis(millis, &self.app.random_bytes()).into_uuid())
    }

    /// The connection for reads outside a unit of work.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// The person asking; keys and anonymous callers are turned away.
    pub fn account_id(&self) -> Result<AccountId> {
        match self.actor {
            Actor::Account { id, .. } => Ok(id),
            Actor::Key(_) => Err(Error::Forbidden),
            Actor::Anonymous | Actor::System => Err(Error::Unauthenticated),
        }
    }

    /// Whether a dashboard asks.
    pub const fn is_key(&self) -> bool {
        matches!(self.actor, Actor::Key(_))
    }

    /// The person to name as the author of a change; absent for the platform itself.
    pub fn author(&self) -> Option<AccountId> {
        match self.actor {
            Actor::Account { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Turns away whoever has not signed in.
    pub fn require_signed_in(&self) -> Result<()> {
        if self.actor == Actor::Anonymous { Err(Error::Unauthenticated) } else { Ok(()) }
    }

    /// Opens the unit of work. Dropping it without `commit` rolls back.
    ///
    /// A request with an idempotency key claims it here; one that was carried out before ends with `Error::Replayed`.
    pub async fn begin(&self) -> Result<Tx<'_>> {
        let options = TransactionOptions {
            // A deferred transaction that reads and then writes loses against a concurrent writer.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        #[expect(clippy::disallowed_methods, reason = "the one place that opens a transaction")]
        let db = self.app.write.begin_with_options(options).await?;
        let tx = Tx { ctx: self, db, ends_admissions: AtomicBool::new(false) };
        if let Some(claim) = &self.idempotency {
            idempotency::claim(&tx, claim).await?;
        }
        Ok(tx)
    }

    /// The database as it is at one moment, whatever is written meanwhile; for figures that have to agree with each other.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let mut options = TransactionOptions::default();
        if self.app.backend() == DbBackend::Postgres {
            options.isolation_level = Some(IsolationLevel::RepeatableRead);
            options.access_mode = Some(AccessMode::ReadOnly);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads of one moment; nothing is written in it"
        )]
        Ok(self.app.read.begin_with_options(options).await?)
    }
}

/// How a row is locked that is about to change. Whoever only refers to it, by a foreign key, does not wait: otherwise hanging
/// something on one row while holding another would be a place in a circle too.
pub const HELD: LockType = LockType::NoKeyUpdate;

/// A unit of work: changes and the events that tell of them commit together.
#[must_use = "dropping a unit of work rolls it back"]
pub struct Tx<'ctx> {
    pub ctx: &'ctx Ctx,
    pub db: DatabaseTransaction,
    ends_admissions: AtomicBool,
}

impl Tx<'_> {
    /// Says that this unit of work turns somebody away who may have been let in before: once it commits, every
    /// credential is checked anew.
    pub fn end_admissions(&self) {
        self.ends_admissions.store(true, Ordering::Relaxed);
    }

    /// Commits; `result` is the object that a replay of the request answers with.
    pub async fn commit(self, result: impl Into<Uuid>) -> Result<()> {
        if let Some(claim) = &self.ctx.idempotency {
            idempotency::settle(&self, claim, result.into()).await?;
        }
        self.db.commit().await.map_err(Error::of_commit)?;
        if self.ends_admissions.into_inner() {
            self.ctx.app.identity.admissions.forget();
        }
        self.ctx.app.committed.notify_one();
        Ok(())
    }
}
