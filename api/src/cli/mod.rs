//! The commands of the operator. Each says what it did; exit codes are for scripts: 0 fine, 1 something was found wrong,
//! 2 the command was called wrongly.

mod admin;
mod backup;
mod check;
pub mod demo;
mod import;
mod keys;
mod migrate;
mod schema;
mod serve;
mod verify;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    app::{self, SystemClock},
    config::{Config, Secret},
    domain::{App, Error},
    messages::{self, Locale},
    telemetry,
};

/// Concord (合治): the platform on which the organisations that govern one place together coordinate.
///
/// Start with `concord demo` to see a town at work, or with `concord migrate`, `concord admin create` and `concord serve`
/// to run your own. Settings come from the built-in defaults, then --config FILE, then CONCORD__SECTION__KEY variables.
#[derive(Parser)]
#[command(name = "concord", version, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// File with settings; see config.default.toml for all of them
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the SQLite file, the signing keys and the evidence files
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Database to use instead of the SQLite file: `postgres://user:password@host/name`
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the GraphQL API and do the background work
    Serve {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Tell the story of Xihai town in a fresh SQLite file and serve it, with accounts and queries to try
    ///
    /// The folder is `demo-data` unless --data names another; `demo.json` in it tells scripts of accounts and objects. A
    /// folder that holds a demo already is served again.
    Demo(demo::Options),
    /// Bring the tables up to date and stop
    Migrate,
    /// Bring in registers, rosters, problems and calendars from files
    #[command(subcommand)]
    Import(import::Import),
    /// Make accounts that run the platform
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Show, renew and retire the signing keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Say whether settings, database and keys are in order, and how to mend what is not
    Check,
    /// Print the GraphQL schema in SDL
    Schema,
    /// Copy the database and the evidence into a folder, while Concord runs
    Backup(backup::Backup),
    /// Put a backup into an empty database and data directory, and prove that it is whole
    Restore(backup::Restore),
    /// Walk the event chain, hold it against the checkpoints, and name the first broken link, if there is one
    Verify(verify::Verify),
}

/// What went wrong, for the operator.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Something was found wrong.
    pub fn wrong(message: impl std::fmt::Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// The command was called wrongly.
    pub fn usage(message: impl std::fmt::Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }
}

pub type Outcome = Result<(), Failure>;

/// What a verb refused, in words.
pub fn explain(error: Error) -> Failure {
    match &error {
        Error::Internal(cause) | Error::Unavailable(cause) => Failure::wrong(cause),
        Error::OutcomeUnknown(cause) => Failure::wrong(cause),
        _ => Failure::wrong(messages::of(&error, Locale::En)),
    }
}

/// Runs the command on the command line.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("concord: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

fn start(cli: Cli) -> Outcome {
    if let Command::Schema = cli.command {
        return schema::run();
    }
    let mut config = cli.global.load()?;
    if let Command::Serve { listen: Some(listen) } = &cli.command {
        config.http.listen = *listen;
    }
    // `check` tells all of them; whoever would work with them stops at once.
    if let (false, Some(fault)) = (matches!(cli.command, Command::Check), config.faults().first()) {
        return Err(Failure::usage(format!("settings: {fault}")));
    }
    let _telemetry =
        telemetry::start(&config.log).map_err(|error| Failure::usage(format!("[log] {error}")))?;
    let body = async {
        match cli.command {
            Command::Serve { .. } => serve::run(config).await,
            Command::Demo(options) => Box::pin(demo::run(config, cli.global.data, options)).await,
            Command::Migrate => migrate::run(config).await,
            Command::Import(command) => import::run(config, command).await,
            Command::Admin(command) => admin::run(config, command).await,
            Command::Keys(command) => keys::run(&config, command),
            Command::Check => check::run(config).await,
            Command::Backup(command) => backup::run(config, command).await,
            Command::Restore(command) => Box::pin(backup::restore(config, command)).await,
            Command::Verify(command) => verify::run(config, command).await,
            Command::Schema => schema::run(),
        }
    };
    actix_web::rt::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the runtime starts")
    })
    .block_on(body)
}

impl Global {
    /// The settings, with the command line's on top.
    fn load(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref())
            .map_err(|error| Failure::usage(format!("settings: {error}")))?;
        if let Some(data) = &self.data {
            config.data.directory.clone_from(data);
        }
        if let Some(url) = &self.database_url {
            config.database.url = Secret::new(url.clone());
        }
        Ok(config)
    }
}

/// Makes the data folder, readable by its owner only.
pub fn make_folder(path: &Path) -> Outcome {
    std::fs::create_dir_all(path).map_err(|error| {
        Failure::wrong(format!("{}: {error}; give another folder with --data", path.display()))
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A folder that belongs to somebody else keeps its rights; `check` tells.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700));
    }
    Ok(())
}

/// Builds the app on the system's clock.
pub async fn build(config: Config, migrate: bool) -> Result<Arc<App>, Failure> {
    make_folder(&config.data.directory)?;
    app::build(config, Arc::new(SystemClock), app::system_random(), migrate)
        .await
        .map_err(|error| Failure::wrong(format!("{error}; `concord check` says more")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn help_offers_what_the_command_takes() {
        Cli::command().debug_assert();
        let mut cli = Cli::command();
        cli.build();
        let mut help =
            |name: &str| cli.find_subcommand_mut(name).expect("a command").render_long_help().to_string();
        assert!(help("serve").contains("--database-url"));
        let demo = help("demo");
        assert!(
            demo.contains("--data ") && demo.contains("--fresh") && !demo.contains("--database-url"),
            "{demo}"
        );
        // It is understood all the same, and refused by what it means.
        for line in [
            ["concord", "demo", "--database-url", "postgres://x"],
            ["concord", "--database-url", "postgres://x", "demo"],
        ] {
            let cli = Cli::parse_from(line);
            assert_eq!(cli.global.database_url.as_deref(), Some("postgres://x"), "{line:?}");
        }
    }
}
