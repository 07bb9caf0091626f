//! `concord check`: says what is wrong with settings, database and keys, and how to mend it.

use super::{Failure, Outcome};
use crate::{
    config::Config,
    database::{self, NotReady},
};

pub async fn run(config: Config) -> Outcome {
    let mut wrong = 0_u32;
    let mut say = |what: &str, found: Result<String, String>| match found {
        Ok(fine) => eprintln!("ok     {what}: {fine}"),
        Err(fault) => {
            wrong += 1;
            eprintln!("WRONG  {what}: {fault}");
        }
    };
    let faults = config.faults();
    let can_open = faults.is_empty();
    if can_open {
        say("settings", Ok(format!("listen on {}", config.http.listen)));
    }
    for fault in faults {
        say("settings", Err(fault));
    }
    let folder = &config.data.directory;
    say("data folder", folder_state(folder));
    // With settings out of their bounds it may not even be opened.
    if can_open {
        say("database", database_state(&config).await);
    }
    for (what, state) in crate::domain::identity::door::check(&config) {
        say(what, state);
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::wrong(format!("{wrong} found wrong"))) }
}

fn folder_state(folder: &std::path::Path) -> Result<String, String> {
    if !folder.is_dir() {
        return Err(format!(
            "{} is not there; `concord migrate` makes it, or give another with --data",
            folder.display()
        ));
    }
    tempfile::tempfile_in(folder).map(|_| folder.display().to_string()).map_err(|error| {
        format!("{} takes no files: {error}; give its owner the right to write", folder.display())
    })
}

async fn database_state(config: &Config) -> Result<String, String> {
    let url = config.database_url();
    if url.reveal().starts_with("sqlite:") && !config.data.directory.join("concord.db").exists() {
        return Err("there is no database yet; run `concord migrate`".to_owned());
    }
    let connections = database::connect(&config.database, &url, false)
        .await
        .map_err(|error| format!("{error}; is the server up and the URL right? (CONCORD__DATABASE__URL)"))?;
    match database::ready(&connections.write, &connections.read).await {
        Ok(()) => Ok("answers, takes writes, up to date".to_owned()),
        Err(NotReady::Pending(names)) => {
            Err(format!("{} migrations are pending; run `concord migrate`", names.len()))
        }
        Err(NotReady::ReadOnly(error)) => {
            Err(format!("takes no writes: {error}; is the disk full, or is it a replica?"))
        }
        Err(NotReady::Unreachable(error)) => Err(format!("{error}; run `concord migrate` on a new database")),
    }
}
