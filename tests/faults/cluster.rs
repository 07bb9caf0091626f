//! A PostgreSQL cluster of the run's own, in a temporary folder, synced to the disk as in production: it can be crashed
//! without anybody else noticing.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

use crate::node;

/// A cluster; ended when dropped.
pub struct Cluster {
    folder: TempDir,
    tools: PathBuf,
    pub port: u16,
}

/// Where PostgreSQL's own programs are, or why there are none.
fn tools() -> Result<PathBuf, String> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders
        .into_iter()
        .find(|folder| ["initdb", "pg_ctl", "pg_basebackup"].iter().all(|name| folder.join(name).is_file()))
        .ok_or_else(|| "there is no initdb; Debian, Ubuntu: apt-get install postgresql".to_owned())
}

impl Cluster {
    /// Makes and starts an empty cluster.
    pub fn start() -> Result<Self, String> {
        let cluster = Self::folder()?;
        let data = cluster.data();
        let made = cluster
            .tool("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
            .output();
        let made = made.expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.up();
        Ok(cluster)
    }

    /// A standby that follows this cluster, which waits for it with every commit.
    pub async fn standby(&self) -> Self {
        let standby = Self::folder().expect("the tools are there");
        let source = format!("host=127.0.0.1 port={} user=postgres application_name=standby", self.port);
        let copied = standby
            .tool("pg_basebackup")
            .arg("-D")
            .arg(standby.data())
            .args(["-d", &source, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"])
            .output()
            .expect("pg_basebackup runs");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.up();
        self.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'").await;
        self.sql("SELECT pg_reload_conf()").await;
        standby
    }

    fn folder() -> Result<Self, String> {
        let tools = tools()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        own(folder.path());
        Ok(Self { folder, tools, port: node::free_address().port() })
    }

    /// Where the cluster's files are.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The URL of a database.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Starts it, after a crash too.
    pub fn up(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=100",
            self.port
        );
        self.control(&["-w", "-t", "60", "-l"], &["-o", &options, "start"]);
    }

    /// Ends it as a power cut would.
    pub fn crash(&self) {
        self.control(&["-m", "immediate", "-w", "-l"], &["stop"]);
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.control(&["-w", "-l"], &["promote"]);
    }

    /// Runs one statement in the maintenance database.
    pub async fn sql(&self, text: &str) {
        let db = Database::connect(self.url("postgres")).await.expect("PostgreSQL answers");
        db.execute_unprepared(text).await.expect("the statement runs");
        db.close().await.expect("the connection closes");
    }

    fn control(&self, before: &[&str], after: &[&str]) {
        let log = self.folder.path().join("log");
        // Its own children keep what it writes to open, so nothing is read from it.
        let status = self
            .tool("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(before)
            .arg(&log)
            .args(after)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.expect("pg_ctl runs").success(), "pg_ctl {after:?}\n{}", node::tail(&log));
    }

    /// PostgreSQL refuses to run as root.
    fn tool(&self, name: &str) -> Command {
        let program = self.tools.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", server_user(), "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let _ = self.tool("pg_ctl").arg("-D").arg(data).args(["-m", "immediate", "-w", "stop"]).output();
    }
}

/// Gives a folder to PostgreSQL's user.
pub fn own(folder: &Path) {
    if is_root() {
        let owner = Command::new("chown").arg(server_user()).arg(folder).status();
        assert!(owner.expect("chown runs").success());
    }
}

pub fn is_root() -> bool {
    let own = Command::new("id").arg("-u").output().expect("id runs");
    own.stdout.trim_ascii() == b"0"
}

fn server_user() -> &'static str {
    let there = Command::new("id").arg("postgres").output().is_ok_and(|found| found.status.success());
    if there { "postgres" } else { "nobody" }
}
