//! Connections that a worker of the server keeps to itself and reads through.
//!
//! A pool that all workers share asks a connection whether it is there before each use and after it, and hands it from thread to
//! thread. A worker's own connections need neither: they live and end with the worker, one that turns out to be gone is
//! replaced, and what it was asked is asked again, since a read may be.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement,
    sea_query::Values,
    sqlx::{self, AssertSqlSafe, Connection, Database, Executor, IntoArguments, Postgres, Sqlite},
};
use sea_query_sqlx::SqlxValues;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// After how long a connection is opened anew, so that none outlives a change of the database's address for long.
const OLDEST: Duration = Duration::from_mins(30);
/// How long a connection may take to end a statement that nobody waits for any more.
const SLOWEST_END: Duration = Duration::from_secs(10);

/// How a worker opens connections of its own, and how many.
#[derive(Clone)]
pub struct Opener<Options> {
    pub options: Options,
    pub connections: usize,
    /// How long a read waits for one.
    pub patience: Duration,
}

/// The openers of either database.
#[derive(Clone)]
pub enum Openers {
    Postgres(Opener<sqlx::postgres::PgConnectOptions>),
    Sqlite(Opener<sqlx::sqlite::SqliteConnectOptions>),
}

/// Through what a request reads.
#[derive(Clone)]
pub struct Reader {
    /// What all share: whoever has no connections of their own reads through it, and whatever is no read goes there.
    shared: DatabaseConnection,
    own: Option<Own>,
}

#[derive(Clone)]
enum Own {
    Postgres(Arc<Near<Postgres>>),
    Sqlite(Arc<Near<Sqlite>>),
}

impl Reader {
    /// Reads through what all share.
    pub fn shared(shared: &DatabaseConnection) -> Self {
        Self { shared: shared.clone(), own: None }
    }

    /// Reads through connections of its own, which it opens when they are needed.
    pub fn own(shared: &DatabaseConnection, openers: &Openers) -> Self {
        let own = match openers.clone() {
            Openers::Postgres(opener) => Own::Postgres(Near::new(opener)),
            Openers::Sqlite(opener) => Own::Sqlite(Near::new(opener)),
        };
        Self { shared: shared.clone(), own: Some(own) }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.shared.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.shared.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.own {
            None => self.shared.query_all_raw(statement).await,
            Some(Own::Postgres(near)) => near.query(statement).await,
            Some(Own::Sqlite(near)) => near.query(statement).await,
        }
    }
}

struct Near<DB: Database> {
    opener: Opener<<DB::Connection as Connection>::Options>,
    idle: Mutex<Vec<Kept<DB>>>,
    places: Arc<Semaphore>,
}

struct Kept<DB: Database> {
    connection: DB::Connection,
    since: Instant,
}

impl<DB: Database> Near<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
{
    fn new(opener: Opener<<DB::Connection as Connection>::Options>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(opener.connections));
        Arc::new(Self { opener, idle: Mutex::default(), places })
    }

    async fn query(self: &Arc<Self>, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Statement { sql, values, .. } = statement;
        let values = values.unwrap_or(Values(Vec::new()));
        let place = match self.places.clone().try_acquire_owned() {
            Ok(place) => place,
            Err(_) => timeout(self.opener.patience, self.places.clone().acquire_owned())
                .await
                .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
                .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?,
        };
        let mut lent = Lent { of: self.clone(), kept: None, place: Some(place), is_done: false };
        let idle = self.idle().pop().filter(|kept| kept.since.elapsed() < OLDEST);
        if let Some(kept) = idle {
            match lent.ask(kept, &sql, values.clone()).await {
                // Where one is gone the others are too.
                Err(error) if is_gone(&error) => self.idle().clear(),
                asked => return asked.map_err(refused),
            }
        }
        let opened = timeout(self.opener.patience, DB::Connection::connect_with(&self.opener.options)).await;
        let connection = opened
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
            .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        let kept = Kept { connection, since: Instant::now() };
        lent.ask(kept, &sql, values).await.map_err(refused)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Kept<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection while it is asked.
struct Lent<DB: Database> {
    of: Arc<Near<DB>>,
    kept: Option<Kept<DB>>,
    place: Option<OwnedSemaphorePermit>,
    /// Whether its last statement ended well.
    is_done: bool,
}

impl<DB: Database> Lent<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
{
    async fn ask(&mut self, kept: Kept<DB>, sql: &str, values: Values) -> sqlx::Result<Vec<QueryResult>> {
        let kept = self.kept.insert(kept);
        let query = sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values));
        let rows = query.fetch_all(&mut kept.connection).await?;
        self.is_done = true;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }
}

fn refused(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

/// Whether a connection has ended: it broke, or the database sent it away (SQLSTATE 08, 57P).
fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["08", "57P"].iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        let give_back = |near: &Near<DB>, kept| {
            near.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        };
        if self.is_done {
            give_back(&self.of, kept);
            return;
        }
        // Whoever asked has gone, or the statement failed: the connection keeps its place until it is free again, or gone.
        let (near, place) = (self.of.clone(), self.place.take());
        tokio::spawn(async move {
            if matches!(timeout(SLOWEST_END, kept.connection.ping()).await, Ok(Ok(()))) {
                give_back(&near, kept);
            }
            drop(place);
        });
    }
}
