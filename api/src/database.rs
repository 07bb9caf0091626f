//! Opens the database. SQLite gets one writer connection and a pool of read-only ones; PostgreSQL one pool for both. The
//! workers of the server read through connections of their own.

mod near;

use std::{path::Path, thread, time::Duration};

use concord_migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement,
    sqlx::{self, ConnectOptions as _, Connection, postgres::PgConnectOptions, sqlite},
};

pub use self::near::{Opener, Openers, Reader};

use crate::config;

/// The connections: for writes, for reads, and how a worker of the server opens its own.
pub struct Connections {
    pub write: DatabaseConnection,
    pub read: DatabaseConnection,
    /// None where so few are allowed that all must share them.
    pub near: Option<Openers>,
}

/// How many threads serve requests: one for each core.
pub fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How many connections each worker may keep to itself: together half of all.
fn near(settings: &config::Database) -> usize {
    usize::try_from(settings.max_connections).unwrap_or(usize::MAX) / 2 / workers()
}

/// Connects; with `migrate` it first brings the tables up to date.
pub async fn connect(
    settings: &config::Database,
    url: &config::Secret,
    migrate: bool,
) -> Result<Connections, DbErr> {
    if url.reveal().starts_with("sqlite:") {
        sqlite(settings, url.reveal(), migrate).await
    } else {
        postgres(settings, url.reveal(), migrate).await
    }
}

fn options(settings: &config::Database, url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .sqlx_logging(false)
        .acquire_timeout(Duration::from_millis(settings.acquire_timeout_ms))
        .max_connections(settings.max_connections);
    options
}

async fn sqlite(settings: &config::Database, url: &str, migrate: bool) -> Result<Connections, DbErr> {
    let busy = Duration::from_millis(settings.acquire_timeout_ms);
    // A file does not go away: nothing is asked whether it is still there.
    let options = |settings, url| {
        let mut options = options(settings, url);
        options.test_before_acquire(false);
        options
    };
    let mut write = options(settings, url);
    write.max_connections(1).min_connections(1).map_sqlx_sqlite_opts(move |options| {
        options
            .journal_mode(sqlite::SqliteJournalMode::Wal)
            // An acknowledged write must survive a power cut, so every commit is synced.
            .synchronous(sqlite::SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(busy)
            .pragma("wal_autocheckpoint", "2000")
            .statement_cache_capacity(512)
    });
    write.map_sqlx_sqlite_pool_opts(|options| {
        options.after_release(|connection, _| {
            Box::pin(async move {
                // A full disk makes SQLite roll back by itself; the library's own rollback then fails, and it goes on to
                // count a transaction that is none: what is committed after that would not be. The ping waits for it.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
    });
    let write = Database::connect(write).await?;
    if migrate {
        Migrator::up(&write, None).await?;
    }
    let reading = move |options: sqlite::SqliteConnectOptions| {
        options
            .foreign_keys(true)
            .busy_timeout(busy)
            // Read-only by pragma: a connection opened read-only could not map the shared memory of the log.
            .pragma("query_only", "1")
            .statement_cache_capacity(512)
    };
    let mut read = options(settings, url);
    read.min_connections(1).map_sqlx_sqlite_opts(reading);
    let read = Database::connect(read).await?;
    // One reads while another has a long answer; more would only keep more pages and statements.
    let connections = near(settings).min(2);
    let near = if connections == 0 {
        None
    } else {
        let parsed: sqlite::SqliteConnectOptions = url.parse().map_err(wrong_url)?;
        let options = reading(parsed).disable_statement_logging();
        Some(Openers::Sqlite(Opener { options, connections, patience: busy }))
    };
    Ok(Connections { write, read, near })
}

fn wrong_url(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// What PostgreSQL shows the connections as.
const NAME: &str = "concord";

async fn postgres(settings: &config::Database, url: &str, migrate: bool) -> Result<Connections, DbErr> {
    let mut options = options(settings, url);
    options
        .statement_timeout(Duration::from_millis(settings.statement_timeout_ms))
        .set_application_name(NAME);
    if migrate {
        let mut once = options.clone();
        once.max_connections(1).statement_timeout(Duration::from_hours(1));
        let db = Database::connect(once).await?;
        Migrator::up(&db, None).await?;
        db.close().await?;
    }
    let connections = near(settings);
    let near = if connections == 0 {
        None
    } else {
        let parsed: PgConnectOptions = url.parse().map_err(wrong_url)?;
        let timeout = settings.statement_timeout_ms.to_string();
        let own = parsed.application_name(NAME).options([("statement_timeout", timeout)]);
        options.max_connections(settings.max_connections.div_ceil(2));
        Some(Openers::Postgres(Opener {
            options: own.disable_statement_logging(),
            connections,
            patience: Duration::from_millis(settings.acquire_timeout_ms),
        }))
    };
    let write = Database::connect(options).await?;
    Ok(Connections { read: write.clone(), write, near })
}

/// Copies a SQLite database as it stands now into a new file, while others write, and opens the copy to read it.
pub async fn copy_sqlite(from: &DatabaseConnection, to: &Path) -> Result<DatabaseConnection, DbErr> {
    let text = "VACUUM INTO ?";
    let to = to.to_str().ok_or_else(|| DbErr::Custom("the path is not UTF-8".to_owned()))?;
    from.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, text, [to.into()])).await?;
    // Read-only, so that it stays the file that was made: a writer would put a log beside it.
    let mut options = ConnectOptions::new(format!("sqlite://{to}?mode=ro"));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

/// Why the database cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("the database does not answer")]
    Unreachable(#[source] DbErr),
    #[error("migrations are pending")]
    Pending(Vec<String>),
    #[error("the database takes no writes")]
    ReadOnly(#[source] DbErr),
}

impl NotReady {
    /// A word for whoever asks from outside; the cause stays in the log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "the database does not answer",
            Self::Pending(_) => "migrations are pending",
            Self::ReadOnly(_) => "the database takes no writes",
        }
    }
}

/// Checks that the database answers, is up to date, and takes writes.
pub async fn ready(write: &DatabaseConnection, read: &DatabaseConnection) -> Result<(), NotReady> {
    let pending = Migrator::get_pending_migrations_read_only(read).await.map_err(NotReady::Unreachable)?;
    if !pending.is_empty() {
        return Err(NotReady::Pending(pending.iter().map(|migration| migration.name().to_owned()).collect()));
    }
    // A write that changes nothing: it fails on a full disk or a read-only replica.
    write
        .execute_unprepared("UPDATE hand_cursor SET position = position WHERE name = 'sealer'")
        .await
        .map_err(NotReady::ReadOnly)?;
    Ok(())
}
