//! The built program in a process of its own, as an operator runs it: its commands, and its server on a free port.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// How long the server may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The program under the name that pages call it by, in a folder that can stand on a path.
pub struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    /// `built` is what cargo built: `env!("CARGO_BIN_EXE_concord-under-test")`.
    pub fn new(built: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::os::unix::fs::symlink(built, folder.path().join("concord")).expect("a link");
        Self { folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("concord")
    }

    /// Runs a shell script at the root of the checkout, with the program on its path.
    pub fn shell(&self, script: &str, settings: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", script]).current_dir(root());
        bash.env("PATH", format!("{}:{path}", self.folder.path().display()));
        bash.envs(settings.iter().copied());
        bash.output().expect("bash runs")
    }
}

/// A served data folder; killed when dropped.
pub struct Served {
    pub url: String,
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Served {
    /// Starts `concord serve` with these arguments on a free port and waits until it is ready.
    pub async fn start(program: &Program, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let port = {
            let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            probe.local_addr().expect("its address").port()
        };
        let listen = format!("127.0.0.1:{port}");
        let mut command = Command::new(program.path());
        command.args(arguments).args(["--listen", &listen]).current_dir(root());
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let heard = log.reopen().expect("the file");
        command.envs(settings.iter().copied()).stdout(Stdio::null()).stderr(Stdio::from(heard));
        let child = command.spawn().expect("the program starts");
        let mut served = Self { url: format!("http://{listen}"), child, log };
        let (client, begun) = (reqwest::Client::new(), Instant::now());
        loop {
            let ready = client.get(format!("{}/health/ready", served.url)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return served;
            }
            let ended = served.child.try_wait().expect("the process is there");
            assert!(ended.is_none(), "the server ended with {ended:?}: {}", served.log());
            assert!(begun.elapsed() < PATIENCE, "the server is not ready: {}", served.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("the log")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
