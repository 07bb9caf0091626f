//! `concord restore DIR`: puts a backup into an empty database and data directory, and proves that it is whole.

use std::path::{Path, PathBuf};

use clap::Args;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};

use super::{
    super::{Failure, Outcome, build, verify},
    CHECKPOINTS, FILES, KEYS, POSTGRES, PUBLIC_KEYS, SQLITE, Taken, copied, dump, failure,
    manifest::{Engine, Manifest},
};
use crate::{
    config::{Config, StorageKind},
    domain::{App, identity::signing::Entry},
};

/// How the command was called.
#[derive(Args)]
pub struct Restore {
    /// Folder that `concord backup` made
    #[arg(value_name = "DIR")]
    from: PathBuf,
}

pub async fn run(config: Config, command: Restore) -> Outcome {
    let from = &command.from;
    let manifest = Manifest::read(from)?;
    whole(from, &manifest)?;
    let url = config.database_url();
    let engine = if url.reveal().starts_with("sqlite:") { Engine::Sqlite } else { Engine::Postgres };
    if manifest.engine != engine {
        return Err(Failure::usage(format!(
            "the backup is of {:?}, the database is {engine:?}",
            manifest.engine
        )));
    }
    if engine == Engine::Sqlite && !config.database.url.reveal().is_empty() {
        return Err(Failure::usage(
            "restore into a data directory: name it with --data, without a database URL",
        ));
    }
    unused(&config.data.directory)?;
    super::super::make_folder(&config.data.directory)?;
    match engine {
        Engine::Sqlite => put(&from.join(SQLITE), &config.data.directory.join(SQLITE))?,
        Engine::Postgres => {
            without_tables(url.reveal()).await?;
            dump::put_back(&url, &from.join(POSTGRES)).await?;
        }
    }
    let brought = folder(from, &manifest, KEYS, &config.data.directory)?;
    folder(from, &manifest, CHECKPOINTS, &config.data.directory)?;
    let stored = config.storage.kind;
    // Tables of an older version are brought up to date on the way.
    let app = build(config, true).await?;
    public_keys(&app, from, &manifest)?;
    evidence(&app, from, &manifest).await?;
    proven(&app, &manifest).await?;
    eprintln!(
        "concord: restored up to position {}, {} files{}{}",
        manifest.position,
        manifest.files.len(),
        if stored == StorageKind::S3 { ", evidence in the bucket" } else { "" },
        if brought { "" } else { "; bring the signing keys back too, or people sign in again" },
    );
    Ok(())
}

/// Compares every file of the backup with the manifest, before anything is touched.
fn whole(from: &Path, manifest: &Manifest) -> Outcome {
    for file in &manifest.files {
        if Path::new(&file.path).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(Failure::wrong(format!("{} lies outside the backup", file.path)));
        }
        if copied(from, &file.path)? != *file {
            return Err(Failure::wrong(format!("{} is not the file that was backed up", file.path)));
        }
    }
    Ok(())
}

/// Turns away a data directory that holds anything but signing keys, which are kept elsewhere and may come first.
fn unused(folder: &Path) -> Outcome {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(|error| failure(folder, error))?;
        if entry.file_name() != KEYS {
            return Err(Failure::usage(format!(
                "{} holds {} already; restore into an empty folder",
                folder.display(),
                entry.file_name().display()
            )));
        }
    }
    Ok(())
}

async fn without_tables(url: &str) -> Outcome {
    let failed = |error| Failure::wrong(format!("the database: {error}"));
    let db = Database::connect(url).await.map_err(failed)?;
    let ask = "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
               WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await.map_err(failed)?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(failed)?;
    db.close().await.map_err(failed)?;
    if found > 0 {
        return Err(Failure::usage("the database holds tables already; restore into an empty one"));
    }
    Ok(())
}

fn put(from: &Path, to: &Path) -> Outcome {
    std::fs::copy(from, to)
        .and_then(|_| std::fs::File::open(to)?.sync_all())
        .map_err(|error| failure(to, error))
}

/// Puts back a folder, where the backup holds it and there is none yet; tells whether there is one now.
fn folder(from: &Path, manifest: &Manifest, name: &str, data: &Path) -> Result<bool, Failure> {
    let folder = data.join(name);
    if folder.exists() {
        return Ok(true);
    }
    let mut held = manifest.files.iter().filter(|file| Path::new(&file.path).starts_with(name)).peekable();
    if held.peek().is_none() {
        return Ok(false);
    }
    super::super::make_folder(&folder)?;
    for file in held {
        put(&from.join(&file.path), &data.join(&file.path))?;
    }
    Ok(true)
}

/// Lets the keys that signed before the backup verify what they signed, whether or not they were brought back.
fn public_keys(app: &App, from: &Path, manifest: &Manifest) -> Outcome {
    // A backup of an older version has none.
    if !manifest.files.iter().any(|file| file.path == PUBLIC_KEYS) {
        return Ok(());
    }
    let path = from.join(PUBLIC_KEYS);
    let text = std::fs::read(&path).map_err(|error| failure(&path, error))?;
    let keys: Vec<Entry> = serde_json::from_slice(&text).map_err(|error| failure(&path, error))?;
    app.identity.keys.remember(keys, app.now()).map_err(Failure::wrong)
}

async fn evidence(app: &App, from: &Path, manifest: &Manifest) -> Outcome {
    for file in manifest.files.iter().filter(|file| Path::new(&file.path).starts_with(FILES)) {
        let path = from.join(&file.path);
        let source = tokio::fs::File::open(&path).await.map_err(|error| failure(&path, error))?;
        let stored = app.files.put(chunks(source), u64::MAX).await.map_err(|error| failure(&path, error))?;
        if stored.sha256 != file.sha256 {
            return Err(failure(&path, "changed while it was read"));
        }
    }
    Ok(())
}

fn chunks(file: tokio::fs::File) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> {
    futures_util::stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; 1 << 16];
        let read = tokio::io::AsyncReadExt::read(&mut file, &mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then_some((chunk, file)))
    })
}

/// Walks the chain, and compares its heads, the checkpoints and the evidence with what the manifest says.
async fn proven(app: &App, manifest: &Manifest) -> Outcome {
    let taken = Taken::read(&app.read).await?;
    if (taken.position, &taken.heads) != (manifest.position, &manifest.heads) {
        return Err(Failure::wrong("the restored chain is not the one that was backed up"));
    }
    verify::holds(app, Vec::new()).await?;
    for file in taken.files.iter().filter(|file| file.expires_at.is_none()) {
        for digest in std::iter::once(&file.sha256).chain(file.copy_sha256.as_ref()) {
            let sha256 = digest.parse().map_err(Failure::wrong)?;
            if !app.files.exists(&sha256).await.map_err(Failure::wrong)? {
                return Err(Failure::wrong(format!("the evidence file {sha256} is missing")));
            }
        }
    }
    Ok(())
}
