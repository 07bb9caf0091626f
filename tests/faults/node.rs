//! One `concord serve` process: started, asked, killed.

use std::{
    net::{SocketAddr, TcpListener},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::town::Town;

/// The name by which this binary is the product.
pub const PRODUCT: &str = "concord";
/// Longest wait for a look at its health.
const ANSWER: Duration = Duration::from_secs(5);
/// Longest wait for a process to be ready, or gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process; killed when dropped.
pub struct Node {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first 200 of `/health/ready`.
    pub ready_in: Duration,
}

/// A command of the product on the town's data, with the settings of these tests.
pub fn product(town: &Town) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.arg0(PRODUCT).args(["--data".as_ref(), town.data().as_os_str()]);
    if town.is_postgres() {
        command.env("CONCORD__DATABASE__URL", town.url());
    }
    for (name, value) in [
        ("HTTP__COST__USER__CAPACITY", "1000000000"),
        ("HTTP__COST__USER__RESTORE_PER_S", "1000000000"),
        ("HTTP__COST__ANONYMOUS__CAPACITY", "1000000000"),
        ("IDENTITY__ARGON2_MEMORY_KIB", "64"),
        ("IDENTITY__ARGON2_PASSES", "1"),
        // Longer than any fault here lasts.
        ("IDENTITY__ACCESS_TOKEN_SECONDS", "43200"),
        ("LOG__FILTER", "warn"),
    ] {
        command.env(format!("CONCORD__{name}"), value);
    }
    command
}

/// Runs a command of the product to its end.
pub fn run(town: &Town, arguments: &[&str]) -> Output {
    product(town).args(arguments).output().expect("the command runs")
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
}

impl Node {
    /// Starts a process on a free port and waits until it is ready.
    pub async fn start(town: &Town) -> Self {
        Self::start_at(town, free_address()).await
    }

    /// Starts a process where another one listened before.
    pub async fn start_at(town: &Town, address: SocketAddr) -> Self {
        Self::start_with(town, address, &[]).await
    }

    /// Starts a process with more in its environment.
    pub async fn start_with(town: &Town, address: SocketAddr, environment: &[(&str, &str)]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(town.log()).expect("a log");
        let started = Instant::now();
        let child = product(town)
            .args(["serve", "--listen", &address.to_string()])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the process starts");
        let mut node = Self { child, address, ready_in: Duration::ZERO };
        while node.ready().await != Some(200) {
            if let Some(status) = node.child.try_wait().expect("its state") {
                panic!("it ended with {status}\n{}", tail(&town.log()));
            }
            assert!(started.elapsed() < PATIENCE, "it does not become ready\n{}", tail(&town.log()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        node.ready_in = started.elapsed();
        node
    }

    /// What `/health/ready` answers on a connection of its own, if anything.
    pub async fn ready(&self) -> Option<u16> {
        let ask = async {
            let mut stream = TcpStream::connect(self.address).await.ok()?;
            stream
                .write_all(b"GET /health/ready HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
                .await
                .ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            answer.split(' ').nth(1)?.parse().ok()
        };
        tokio::time::timeout(ANSWER, ask).await.ok()?
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it is killed");
        let status = self.child.wait().expect("its end");
        assert_eq!(status.signal(), Some(9), "it was dead before: {status}");
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("a signal").success());
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the process's state");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// Raises the limit of open files as far as it goes, for this process and those it starts.
pub fn raise_open_files() {
    let own = std::process::id().to_string();
    // Without the tool the limit stays, and what needs more says so.
    let _ = Command::new("prlimit").args(["--pid", &own, "--nofile=unlimited:unlimited"]).output();
    let hard = open_files(1);
    let _ = Command::new("prlimit").args(["--pid", &own, &format!("--nofile={hard}:{hard}")]).output();
}

/// How many files may be open: the soft limit, or the hard one.
pub fn open_files(column: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
    line.split_whitespace().nth(column).and_then(|limit| limit.parse().ok()).unwrap_or(1024)
}
