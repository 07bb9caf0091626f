//! A database per test: a copy of a migrated template, on SQLite or, with `CONCORD_TEST_DATABASE_URL`, on PostgreSQL.

use std::{path::PathBuf, time::Duration};

use concord::config::{Config, Secret};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Where a test's data lives; dropped with the test.
pub struct Home {
    pub directory: TempDir,
    pub url: Secret,
    /// Server and name of a PostgreSQL database to drop.
    copy: Option<(String, String)>,
}

impl Home {
    /// A folder of its own, with the database of the URL or else a SQLite file in the folder; nothing is migrated yet.
    pub fn new(url: Option<String>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let own = || format!("sqlite://{}?mode=rwc", directory.path().join("concord.db").display());
        Self { url: Secret::new(url.unwrap_or_else(own)), directory, copy: None }
    }

    /// The settings by which a program of its own works on this database; SQLite's file stands in the data folder.
    pub fn settings(&self) -> Vec<(&str, &str)> {
        self.copy.iter().map(|_| ("CONCORD__DATABASE__URL", self.url.reveal())).collect()
    }

    /// The same as an option of a command.
    pub fn option(&self) -> String {
        self.copy.iter().map(|_| format!("--database-url {}", self.url.reveal())).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Some((server, name)) = self.copy.take() else { return };
        // A test's runtime cannot wait inside a drop, so another one does.
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let admin = Database::connect(server).await.expect("PostgreSQL answers");
                // A database that another test copies from at this moment stays; the next run removes it.
                let _ = admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        });
        let _ = dropping.join();
    }
}

static SQLITE: OnceCell<PathBuf> = OnceCell::const_new();
static POSTGRES: OnceCell<String> = OnceCell::const_new();

/// The PostgreSQL server to test on, if any.
pub fn postgres() -> Option<String> {
    std::env::var("CONCORD_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// The settings of the tests: the defaults, cheap passwords, the given home.
pub fn config(home: &Home) -> Config {
    let mut config = Config::defaults();
    config.database.url = home.url.clone();
    config.database.max_connections = 8;
    config.data.directory = home.directory.path().to_owned();
    config.identity.argon2_memory_kib = 64;
    config.identity.argon2_passes = 1;
    config
}

/// Makes a migrated database for one test.
pub async fn home() -> Home {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let (url, copy) = match postgres() {
        Some(server) => {
            let template = POSTGRES.get_or_init(|| postgres_template(&server)).await;
            let name = postgres_copy(&server, template).await;
            (with_name(&server, &name), Some((server, name)))
        }
        None => {
            let template = SQLITE.get_or_init(sqlite_template).await;
            let path = directory.path().join("concord.db");
            std::fs::copy(template, &path).expect("the template is copied");
            (format!("sqlite://{}?mode=rwc", path.display()), None)
        }
    };
    Home { directory, url: Secret::new(url), copy }
}

/// Makes an empty database, without any table.
pub async fn empty() -> Home {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let (url, copy) = match postgres() {
        Some(server) => {
            let name = name();
            let admin = Database::connect(&server).await.expect("PostgreSQL answers");
            admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
            admin.close().await.expect("the connection closes");
            (with_name(&server, &name), Some((server, name)))
        }
        None => (format!("sqlite://{}?mode=rwc", directory.path().join("concord.db").display()), None),
    };
    Home { directory, url: Secret::new(url), copy }
}

/// Copies a database that nobody has open.
pub async fn copy(of: &Home) -> Home {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let (url, copy) = match &of.copy {
        Some((server, template)) => {
            let name = postgres_copy(server, template).await;
            (with_name(server, &name), Some((server.clone(), name)))
        }
        None => {
            let path = directory.path().join("concord.db");
            std::fs::copy(of.directory.path().join("concord.db"), &path).expect("the file is copied");
            (format!("sqlite://{}?mode=rwc", path.display()), None)
        }
    };
    Home { directory, url: Secret::new(url), copy }
}

async fn sqlite_template() -> PathBuf {
    let directory = tempfile::tempdir().expect("a temporary folder").keep();
    let path = directory.join("template.db");
    let url = Secret::new(format!("sqlite://{}?mode=rwc", path.display()));
    let connections = concord::database::connect(&Config::defaults().database, &url, true)
        .await
        .expect("the template is migrated");
    connections.read.close().await.expect("readers close");
    connections
        .write
        .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .expect("the log is folded in");
    connections.write.close().await.expect("the writer closes");
    path
}

async fn postgres_copy(server: &str, template: &str) -> String {
    let name = name();
    let admin = Database::connect(server).await.expect("PostgreSQL answers");
    let text = format!("CREATE DATABASE {name} TEMPLATE {template}");
    // Two copies of one template at once are refused, whoever makes them; the loser waits its turn.
    for attempt in 0.. {
        match admin.execute_unprepared(&text).await {
            Ok(_) => break,
            Err(error) => assert!(attempt < 100, "a test database: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    admin.close().await.expect("the connection closes");
    name
}

async fn postgres_template(server: &str) -> String {
    let name = name();
    let admin = Database::connect(server).await.expect("PostgreSQL answers");
    sweep(&admin).await;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a template database");
    admin.close().await.expect("the connection closes");
    let url = Secret::new(with_name(server, &name));
    let connections = concord::database::connect(&Config::defaults().database, &url, true)
        .await
        .expect("the template is migrated");
    connections.write.close().await.expect("the connection closes");
    name
}

/// The server's URL with another database's name.
fn with_name(server: &str, name: &str) -> String {
    let (before, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{before}/{name}")
}

/// A name with the second it was made in, so that a later run can tell what an earlier one left behind.
fn name() -> String {
    let (now, unique) = (chrono::Utc::now().timestamp(), uuid::Uuid::new_v4().simple());
    format!("{PREFIX}{now}_{unique}")
}

const PREFIX: &str = "concord_test_";
/// After how long a database of a run that was killed is removed.
const STALE_SECONDS: i64 = 7200;

/// Drops what runs that were killed left behind.
async fn sweep(admin: &sea_orm::DatabaseConnection) {
    let text = format!("SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'");
    let rows = admin
        .query_all_raw(Statement::from_string(DbBackend::Postgres, text))
        .await
        .expect("a list of databases");
    let now = chrono::Utc::now().timestamp();
    for row in rows {
        let name: String = row.try_get_by_index(0).expect("a name");
        let made =
            name.trim_start_matches(PREFIX).split('_').next().and_then(|made| made.parse::<i64>().ok());
        if made.is_none_or(|made| now - made > STALE_SECONDS) {
            let _ = admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}
