//! `concord backup DIR`: the database as it stands at one instant and every evidence file that it names, while others go on
//! writing. Signing keys stay out unless asked for: whoever holds a backup should not be able to sign.

mod dump;
mod manifest;
mod restore;

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use concord_entities::stored_file;
use futures_util::TryStreamExt;
use sea_orm::{DatabaseConnection, DbBackend, EntityTrait};
use sha2::{Digest, Sha256};

use self::manifest::{Copied, Manifest};
pub use self::restore::{Restore, run as restore};
use super::{Failure, Outcome, build};
use crate::{
    app::SystemClock,
    config::Config,
    database,
    domain::{
        App,
        chain::{Head, checkpoint, sealed_position},
        context::Clock,
    },
    storage::{self, Sha256Hex},
};

/// Name of the database's copy, by its kind.
const SQLITE: &str = "concord.db";
const POSTGRES: &str = "concord.dump";
/// Folders of a backup.
const FILES: &str = "files";
const KEYS: &str = "keys";
const CHECKPOINTS: &str = "checkpoints";
/// The public halves of the signing keys: enough to check what was signed, not to sign.
const PUBLIC_KEYS: &str = "public-keys.json";

/// How the command was called.
#[derive(Args)]
pub struct Backup {
    /// Folder to make; one that holds something is refused
    #[arg(value_name = "DIR")]
    into: PathBuf,
    /// Take the signing keys too; then keep the backup as secret as a password
    #[arg(long)]
    with_keys: bool,
}

pub async fn run(config: Config, command: Backup) -> Outcome {
    let into = &command.into;
    let url = config.database_url();
    if url.reveal().starts_with("sqlite:")
        && config.database.url.reveal().is_empty()
        && !config.data.directory.join(SQLITE).exists()
    {
        return Err(Failure::usage(format!("there is no database in {}", config.data.directory.display())));
    }
    let app = build(config, false).await?;
    database::ready(&app.write, &app.read)
        .await
        .map_err(|error| Failure::wrong(format!("{error}; `concord check` says more")))?;
    empty(into)?;
    super::make_folder(into)?;
    // Before the database: what a checkpoint speaks of is in every later copy.
    let mut files = Vec::new();
    let checkpoints = checkpoint::folder(&app.config);
    if checkpoints.exists() {
        folder(&checkpoints, into, CHECKPOINTS, &mut files)?;
    }
    let taken = match app.backend() {
        DbBackend::Sqlite => sqlite(&app, into).await?,
        _ => dump::take(&app, &into.join(POSTGRES)).await?,
    };
    files.push(copied(into, if app.backend() == DbBackend::Sqlite { SQLITE } else { POSTGRES })?);
    let mut gone = 0_u64;
    for file in &taken.files {
        for digest in std::iter::once(&file.sha256).chain(file.copy_sha256.as_ref()) {
            let sha256: Sha256Hex = digest.parse().map_err(Failure::wrong)?;
            let path = format!("{FILES}/{sha256}");
            if files.iter().any(|file| file.path == path) {
                continue;
            }
            match keep(&app, &sha256, &into.join(&path)).await? {
                Some(size) => files.push(Copied { path, size, sha256 }),
                // Nothing was attached to it within its hour, and the sweep took it between the two copies.
                None if file.expires_at.is_some() => gone += 1,
                None => return Err(Failure::wrong(format!("the evidence file {sha256} is missing"))),
            }
        }
    }
    if command.with_keys {
        folder(&app.config.data.directory.join(KEYS), into, KEYS, &mut files)?;
    }
    let public = serde_json::to_vec_pretty(&app.identity.keys.list()).map_err(Failure::wrong)?;
    std::fs::write(into.join(PUBLIC_KEYS), public)
        .map_err(|error| failure(&into.join(PUBLIC_KEYS), error))?;
    files.push(copied(into, PUBLIC_KEYS)?);
    let manifest = Manifest::new(SystemClock.now(), app.backend(), taken.position, taken.heads, files);
    manifest.write(into)?;
    let waiting = if gone == 0 { String::new() } else { format!(", {gone} swept files left out") };
    eprintln!(
        "concord: {} files, chain head at position {}, in {}{waiting}",
        manifest.files.len(),
        manifest.position,
        into.display()
    );
    Ok(())
}

/// What the copy of the database says at the instant at which it was taken.
struct Taken {
    position: i64,
    heads: Vec<Head>,
    files: Vec<stored_file::Model>,
}

impl Taken {
    /// Reads the copy, or the snapshot that it is taken from.
    async fn read(db: &DatabaseConnection) -> Result<Self, Failure> {
        Ok(Self {
            position: sealed_position(db).await.map_err(super::explain)?,
            heads: Head::read(db, None).await.map_err(super::explain)?,
            files: stored_file::Entity::find().all(db).await.map_err(Failure::wrong)?,
        })
    }
}

async fn sqlite(app: &App, into: &Path) -> Result<Taken, Failure> {
    let copy = into.join(SQLITE);
    let copied = database::copy_sqlite(&app.write, &copy).await;
    let copy = copied.map_err(|error| Failure::wrong(format!("{}: {error}", copy.display())))?;
    let taken = Taken::read(&copy).await?;
    copy.close().await.map_err(Failure::wrong)?;
    Ok(taken)
}

/// Copies an evidence file and gives its size, or nothing where it is not there.
async fn keep(app: &App, sha256: &Sha256Hex, path: &Path) -> Result<Option<u64>, Failure> {
    let download = match app.files.get(sha256).await {
        Err(storage::Error::NotFound) => return Ok(None),
        got => got.map_err(Failure::wrong)?,
    };
    if let Some(folder) = path.parent() {
        super::make_folder(folder)?;
    }
    let mut file = File::create_new(path).map_err(|error| failure(path, error))?;
    let mut chunks = download.chunks;
    while let Some(chunk) = chunks.try_next().await.map_err(Failure::wrong)? {
        file.write_all(&chunk).map_err(|error| failure(path, error))?;
    }
    file.sync_all().map_err(|error| failure(path, error))?;
    Ok(Some(download.size))
}

/// Copies the files of a folder of the data directory.
fn folder(from: &Path, into: &Path, name: &str, files: &mut Vec<Copied>) -> Outcome {
    super::make_folder(&into.join(name))?;
    for entry in std::fs::read_dir(from).map_err(|error| failure(from, error))? {
        let entry = entry.map_err(|error| failure(from, error))?;
        let path = format!("{name}/{}", entry.file_name().to_string_lossy());
        // A copy keeps its rights, so a private key stays its owner's alone.
        std::fs::copy(entry.path(), into.join(&path)).map_err(|error| failure(&entry.path(), error))?;
        files.push(copied(into, &path)?);
    }
    Ok(())
}

/// Syncs a file of the backup, and tells its size and digest.
fn copied(folder: &Path, path: &str) -> Result<Copied, Failure> {
    let place = folder.join(path);
    let mut file = File::open(&place).map_err(|error| failure(&place, error))?;
    file.sync_all().map_err(|error| failure(&place, error))?;
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(|error| failure(&place, error))?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        hasher.update(chunk);
        size += u64::try_from(read).unwrap_or_default();
    }
    Ok(Copied { path: path.to_owned(), size, sha256: Sha256Hex::from_digest(hasher.finalize().into()) })
}

/// Turns away a folder that holds anything.
fn empty(folder: &Path) -> Outcome {
    let holds_nothing = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(failure(folder, error)),
    };
    if holds_nothing {
        Ok(())
    } else {
        Err(Failure::usage(format!("{} holds something already; name a new folder", folder.display())))
    }
}

fn failure(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::wrong(format!("{}: {error}", path.display()))
}
