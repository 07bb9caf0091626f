//! What a backup says of itself. It is written last: a backup without a manifest was not finished.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};
use sea_orm::DbBackend;
use serde::{Deserialize, Serialize};

use super::{super::Outcome, Failure, failure};
use crate::{domain::chain::Head, storage::Sha256Hex};

const NAME: &str = "manifest.json";
/// Grows when older versions can no longer read a backup.
const FORMAT: u32 = 1;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    pub(super) version: String,
    pub(super) made_at: DateTime<Utc>,
    pub(super) engine: Engine,
    /// The last position that the copy of the database holds.
    pub(super) position: i64,
    /// The last link of every chain.
    pub(super) heads: Vec<Head>,
    pub(super) files: Vec<Copied>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(super) fn of(backend: DbBackend) -> Self {
        if backend == DbBackend::Sqlite { Self::Sqlite } else { Self::Postgres }
    }
}

/// One file of the backup, by its path within.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Copied {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256Hex,
}

impl Manifest {
    pub(super) fn new(
        made_at: DateTime<Utc>,
        backend: DbBackend,
        position: i64,
        heads: Vec<Head>,
        files: Vec<Copied>,
    ) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, made_at, engine: Engine::of(backend), position, heads, files }
    }

    pub(super) fn write(&self, folder: &Path) -> Outcome {
        let path = folder.join(NAME);
        let text = serde_json::to_vec_pretty(self).map_err(Failure::wrong)?;
        fs::write(&path, text)
            .and_then(|()| fs::File::open(&path)?.sync_all())
            .and_then(|()| fs::File::open(folder)?.sync_all())
            .map_err(|error| failure(&path, error))
    }

    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(NAME);
        let text = fs::read(&path).map_err(|error| {
            Failure::usage(format!("{}: {error}; this is no backup, or one that broke off", path.display()))
        })?;
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| failure(&path, error))?;
        if manifest.format > FORMAT {
            return Err(Failure::usage(format!("the backup was made by Concord {}", manifest.version)));
        }
        Ok(manifest)
    }
}
