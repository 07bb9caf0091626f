//! What a backup says of itself. It is written last: a backup without a manifest was not finished.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};
use concord_entities::{event_chain, hand_cursor};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, EntityTrait, QueryOrder};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{super::Outcome, Failure, failure};
use crate::storage::Sha256Hex;

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

/// The last link of a chain.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Head {
    chain: Uuid,
    length: i64,
    hash: Sha256Hex,
}

/// One file of the backup, by its path within.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Copied {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256Hex,
}

impl Head {
    pub(super) async fn read(db: &DatabaseConnection) -> Result<Vec<Self>, DbErr> {
        let rows = event_chain::Entity::find().order_by_asc(event_chain::Column::ChainId).all(db).await?;
        let head = |row: event_chain::Model| {
            let hash = row.hash.try_into().map_err(|_| DbErr::Custom("a link has no hash".to_owned()))?;
            Ok(Self { chain: row.chain_id, length: row.length, hash: Sha256Hex::from_digest(hash) })
        };
        rows.into_iter().map(head).collect()
    }
}

/// The last position that was given.
pub(super) async fn sealed_position(db: &DatabaseConnection) -> Result<i64, DbErr> {
    let sealer = hand_cursor::Entity::find_by_id("sealer".to_owned()).one(db).await?;
    Ok(sealer.map_or(0, |row| row.position))
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
