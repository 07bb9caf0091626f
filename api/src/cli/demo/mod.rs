//! `concord demo`: tells the story of Xihai town in a fresh SQLite file, then serves it. Everything in it is done through
//! verbs under a clock that the story moves; once it serves, clock and randomness are the system's.
//!
//! A folder that holds a demo already is served again as it is; `--fresh` tells the story anew for today. A folder that
//! holds any other database is left alone.

mod beijing;
mod city;
mod county;
mod days;
mod duties;
mod further;
mod handout;
mod ledger;
mod leping;
mod nanyang;
mod opening;
mod pictures;
mod problems;
mod register;
mod rules;
mod shiyan;
mod small;
mod stage;
mod story;
mod tasks;
mod units;
mod weihai;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, SubsecRound, Utc};

use self::stage::Stage;
pub use self::{
    city::Arrivals,
    handout::{Account, Handout},
};
use super::{Failure, Outcome, build, serve};
use crate::{
    app::SystemClock,
    config::{Config, Secret, StorageKind},
    domain::{App, chain, context::Clock},
};

/// Folder of the demo when no other is named.
pub const FOLDER: &str = "demo-data";

/// Which story a demo tells.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// A year of Xihai town, with small stories of other places beside it
    #[default]
    Xihai,
    /// Jiamusi's mobilisation: 26,000 people check in while one watches
    City,
}

/// How the command was called.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Forget the demo in the folder and tell it anew for today
    #[arg(long)]
    fresh: bool,
    /// Which story to tell
    #[arg(long, value_enum, default_value_t)]
    story: Which,
    /// Stands in the place of the option that every other command takes and this one refuses, so that its help leaves it out
    #[arg(long, hide = true)]
    database_url: Option<String>,
}

/// Runs the command; the folder is the one named on the command line, if any.
pub async fn run(mut config: Config, folder: Option<PathBuf>, options: Options) -> Outcome {
    if options.database_url.is_some() || !config.database.url.reveal().is_empty() {
        return Err(Failure::usage(
            "the demo lives in a SQLite file of its own; leave --database-url and CONCORD__DATABASE__URL out",
        ));
    }
    keep_at_home(&mut config);
    config.data.directory = folder.unwrap_or_else(|| PathBuf::from(FOLDER));
    if let Some(listen) = options.listen {
        config.http.listen = listen;
    }
    let folder = config.data.directory.clone();
    let listen = config.http.listen;
    let (app, mut handout) = if let Some(handout) = standing(&folder, options.story, options.fresh)? {
        let app = build(config, true).await?;
        sound(&app).await?;
        eprintln!("concord: {} holds a demo already; it is served as it is", folder.display());
        (app, handout)
    } else {
        eprintln!(
            "{}",
            match options.story {
                Which::Xihai => "concord: 正在生成西海镇演示数据 telling the story of Xihai town",
                Which::City => "concord: 正在生成佳木斯市演示数据 telling the story of Jiamusi",
            }
        );
        Box::pin(create(config, options.story, SystemClock.now())).await?
    };
    handout.serve_at(listen);
    handout.write(&folder)?;
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    {
        println!("{}", handout.terminal());
    }
    if !listen.ip().is_loopback() {
        eprintln!(
            "concord: 密码公开，请勿暴露到外网 the passwords are well known: keep this demo off public networks"
        );
    }
    if handout.story == Which::City {
        city::let_people_come(&app);
    }
    serve::serve(app).await
}

/// Whatever else is configured, a demo's database and files stay in its folder.
fn keep_at_home(config: &mut Config) {
    config.database.url = Secret::default();
    config.storage.kind = StorageKind::Local;
}

/// The demo that stands in a folder, or nothing where one is to be told; what is left of an unfinished one goes.
fn standing(folder: &Path, story: Which, fresh: bool) -> Result<Option<Handout>, Failure> {
    let database = folder.join("concord.db");
    if !folder.join(handout::FILE).exists() {
        return if database.exists() {
            Err(Failure::usage(format!(
                "{} holds a database that is no demo; name another folder with --data",
                folder.display()
            )))
        } else {
            Ok(None)
        };
    }
    if !fresh
        && let Some(handout) = Handout::read(folder)?
        && handout.complete
        && database.exists()
    {
        return if handout.story == story {
            Ok(Some(handout))
        } else {
            Err(Failure::usage(format!(
                "{} holds another story; name another folder with --data, or tell this one there with --fresh",
                folder.display()
            )))
        };
    }
    let database = ["concord.db", "concord.db-wal", "concord.db-shm"].map(|name| folder.join(name));
    database.iter().try_for_each(|path| gone(path, std::fs::remove_file(path)))?;
    let folders = ["files", "checkpoints"].map(|name| folder.join(name));
    folders.iter().try_for_each(|path| gone(path, std::fs::remove_dir_all(path)))?;
    Ok(None)
}

/// What was not there need not be removed.
fn gone(path: &Path, removed: std::io::Result<()>) -> Outcome {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::wrong(format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Tells the story up to `now` in the folder of the settings; the app that comes back runs on the system's clock.
pub async fn create(
    mut config: Config,
    which: Which,
    now: DateTime<Utc>,
) -> Result<(Arc<App>, Handout), Failure> {
    keep_at_home(&mut config);
    let folder = config.data.directory.clone();
    super::make_folder(&folder)?;
    // Marks the folder as a demo's before there is a database in it, so that an unfinished one can be told afresh.
    Handout::default().write(&folder)?;
    let stage = Stage::build(config).await?;
    let now = now.trunc_subsecs(0);
    let gathered = match which {
        Which::Xihai => handout::gather(&stage, &story::tell(&stage, now).await?).await,
        Which::City => Box::pin(city::tell(&stage, now)).await,
    };
    let handout = gathered.map_err(|error| Failure::wrong(format!("the demo: {error:?}")))?;
    crate::background::run_once(&stage.system())
        .await
        .map_err(|error| Failure::wrong(format!("sealing the demo: {error:?}")))?;
    handout.write(&folder)?;
    stage.leave();
    Ok((stage.app, handout))
}

/// Turns away a demo whose events do not hold together.
async fn sound(app: &Arc<App>) -> Outcome {
    let found = chain::verify(&app.read, &chain::Marks::default())
        .await
        .map_err(|error| Failure::wrong(format!("reading: {error:?}")))?;
    match found.first_break {
        None => Ok(()),
        Some(link) => Err(Failure::wrong(format!(
            "the demo's events break at position {}: {}; start afresh with --fresh",
            link.position, link.what
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    #[test]
    fn a_database_that_is_no_demo_is_left_alone() {
        let folder = folder_with(&["concord.db"]);
        for fresh in [false, true] {
            assert!(standing(folder.path(), Which::Xihai, fresh).is_err());
        }
        assert!(folder.path().join("concord.db").exists());
    }

    #[test]
    fn a_finished_demo_is_served_again_and_an_unfinished_one_is_told_afresh() {
        let folder = folder_with(&["concord.db", "concord.db-wal"]);
        let finished = Handout { complete: true, ..Handout::default() };
        finished.write(folder.path()).unwrap();
        assert_eq!(standing(folder.path(), Which::Xihai, false).unwrap(), Some(finished));
        assert!(standing(folder.path(), Which::City, false).is_err());
        Handout::default().write(folder.path()).unwrap();
        assert_eq!(standing(folder.path(), Which::Xihai, false).unwrap(), None);
        assert!(!folder.path().join("concord.db").exists());
    }

    #[test]
    fn fresh_forgets_a_finished_demo() {
        let folder = folder_with(&["concord.db"]);
        Handout { complete: true, ..Handout::default() }.write(folder.path()).unwrap();
        assert_eq!(standing(folder.path(), Which::Xihai, true).unwrap(), None);
        assert!(!folder.path().join("concord.db").exists());
    }
}
