//! Seals committed events: a global, gap-free position and a link of the alliance's hash chain for each. One sealer works
//! at a time, under a lock row; writers never wait for it.

pub mod checkpoint;
mod marks;
pub mod proof;
mod verify;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use concord_entities::{
    event, event_chain, event_organization, event_pending, event_seal, hand_cursor, id::OrganizationId,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::{
    marks::{Fault, Marks},
    verify::{Break, Verification, verify},
};
use super::{
    context::{Ctx, Tx},
    error::{Error, Result},
};
use crate::storage::Sha256Hex;

/// Name of the lock row; its position is the last one given.
const SEALER: &str = "sealer";
/// Most events sealed in one transaction.
pub const BATCH: u64 = 500;
/// Most rows of an insert whose number nobody bounds; SQLite binds at most 32,766 values a statement.
pub(super) const BINDABLE: usize = 2000;

/// Seals up to `BATCH` waiting events in the order they were written; tells how many.
pub async fn seal(ctx: &Ctx) -> Result<usize> {
    // A look without a lock: an idle sealer costs one cheap read.
    if event_pending::Entity::find().limit(1).one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let last = lock(&tx).await?;
    let waiting = event_pending::Entity::find()
        .find_also_related(event::Entity)
        .order_by_asc(event_pending::Column::Seq)
        .limit(BATCH)
        .all(&tx.db)
        .await?;
    let events: Vec<&event::Model> = waiting.iter().filter_map(|(_, event)| event.as_ref()).collect();
    if events.is_empty() {
        return Ok(0);
    }
    let mut heads = heads(&tx.db, events.iter().map(|event| chain_of(event))).await?;
    let now = ctx.now();
    let mut position = last;
    let mut seals = Vec::with_capacity(events.len());
    let mut concerned = Vec::new();
    for event in &events {
        let chain_id = chain_of(event);
        let (length, hash) = heads.entry(chain_id).or_insert_with(|| (0, vec![0; 32]));
        position += 1;
        *length += 1;
        *hash = link(hash, (position, now), event);
        concerned.extend(organizations(event).into_iter().map(|organization_id| {
            event_organization::ActiveModel { organization_id: Set(organization_id), position: Set(position) }
        }));
        seals.push(event_seal::ActiveModel {
            position: Set(position),
            event_id: Set(event.id),
            chain_id: Set(chain_id),
            chain_index: Set(*length),
            hash: Set(hash.clone()),
            sealed_at: Set(now),
        });
    }
    let sealed = seals.len();
    // SQLite binds at most 32,766 values a statement; a batch of rows of six stays far below.
    event_seal::Entity::insert_many(seals).exec_without_returning(&tx.db).await?;
    for rows in concerned.chunks(BINDABLE) {
        event_organization::Entity::insert_many(rows.to_vec()).exec_without_returning(&tx.db).await?;
    }
    let heads = heads.into_iter().map(|(chain_id, (length, hash))| event_chain::ActiveModel {
        chain_id: Set(chain_id),
        length: Set(length),
        hash: Set(hash),
    });
    event_chain::Entity::insert_many(heads)
        .on_conflict(
            OnConflict::column(event_chain::Column::ChainId)
                .update_columns([event_chain::Column::Length, event_chain::Column::Hash])
                .to_owned(),
        )
        .exec_without_returning(&tx.db)
        .await?;
    event_pending::Entity::delete_many()
        .filter(event_pending::Column::Seq.is_in(waiting.iter().map(|(pending, _)| pending.seq)))
        .exec(&tx.db)
        .await?;
    hand_cursor::Entity::update_many()
        .col_expr(hand_cursor::Column::Position, Expr::value(position))
        .col_expr(hand_cursor::Column::UpdatedAt, Expr::value(now))
        .filter(hand_cursor::Column::Name.eq(SEALER))
        .exec(&tx.db)
        .await?;
    tx.commit(Uuid::nil()).await?;
    Ok(sealed)
}

/// The last link of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    pub chain: Uuid,
    pub length: i64,
    pub hash: Sha256Hex,
}

impl Head {
    /// The heads of all chains, or of those that moved beyond a position.
    pub async fn read(db: &impl ConnectionTrait, beyond: Option<i64>) -> Result<Vec<Self>> {
        let mut heads = event_chain::Entity::find().order_by_asc(event_chain::Column::ChainId);
        if let Some(position) = beyond {
            let moved = event_seal::Entity::find()
                .select_only()
                .column(event_seal::Column::ChainId)
                .filter(event_seal::Column::Position.gt(position));
            heads = heads.filter(event_chain::Column::ChainId.in_subquery(moved.into_query()));
        }
        let head = |row: event_chain::Model| {
            let hash = row.hash.try_into().map_err(|_| Error::internal("a link has no hash"))?;
            Ok(Self { chain: row.chain_id, length: row.length, hash: Sha256Hex::from_digest(hash) })
        };
        heads.all(db).await?.into_iter().map(head).collect()
    }
}

/// The last position that was given.
pub async fn sealed_position(db: &impl ConnectionTrait) -> Result<i64> {
    let sealer = hand_cursor::Entity::find_by_id(SEALER.to_owned()).one(db).await?;
    Ok(sealer.map_or(0, |row| row.position))
}

/// Takes the sealer's lock for this transaction and gives the last position.
async fn lock(tx: &Tx<'_>) -> Result<i64> {
    let row = hand_cursor::ActiveModel {
        name: Set(SEALER.to_owned()),
        position: Set(0),
        updated_at: Set(tx.ctx.now()),
    };
    hand_cursor::Entity::insert(row)
        .on_conflict(OnConflict::column(hand_cursor::Column::Name).do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    let row = hand_cursor::Entity::find_by_id(SEALER.to_owned()).lock_exclusive().one(&tx.db).await?;
    Ok(row.map_or(0, |row| row.position))
}

async fn heads(
    db: &impl ConnectionTrait,
    chains: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, (i64, Vec<u8>)>> {
    let mut wanted: Vec<Uuid> = chains.collect();
    wanted.sort_unstable();
    wanted.dedup();
    let rows = event_chain::Entity::find().filter(event_chain::Column::ChainId.is_in(wanted)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.chain_id, (row.length, row.hash))).collect())
}

/// The chain an event joins: its alliance's, or the platform's, which has the nil identifier.
pub fn chain_of(event: &event::Model) -> Uuid {
    event.alliance_id.map_or(Uuid::nil(), Uuid::from)
}

/// The organisations that an event concerns.
pub fn organizations(event: &event::Model) -> Vec<OrganizationId> {
    // Written by `record` as a list of identifiers; anything else was put there past it and concerns nobody.
    serde_json::from_str(&event.organization_ids).unwrap_or_default()
}

/// The hash of a link: over the one before, its place, and everything of the event that an erasure leaves.
pub fn link(previous: &[u8], (position, sealed_at): (i64, DateTime<Utc>), event: &event::Model) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(previous);
    // The place among all chains too, so that moving an event past another chain's breaks its own.
    hash.update(position.to_be_bytes());
    hash.update(sealed_at.timestamp_micros().to_be_bytes());
    hash.update(event.id.0);
    hash.update(chain_of(event));
    for text in [
        event.kind.as_str(),
        match event.actor_kind {
            event::ActorKind::Account => "account",
            event::ActorKind::System => "system",
        },
        event.subject_kind.as_str(),
        event.organization_ids.as_str(),
    ] {
        // Lengths keep one field from running into the next.
        hash.update(u64::try_from(text.len()).unwrap_or_default().to_be_bytes());
        hash.update(text);
    }
    hash.update(event.actor_id.map_or(Uuid::nil(), Uuid::from));
    hash.update(event.subject_id);
    hash.update(event.occurred_at.timestamp_micros().to_be_bytes());
    hash.update(&event.digest);
    hash.finalize().to_vec()
}
