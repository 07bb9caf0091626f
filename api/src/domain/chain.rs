//! Seals committed events: a global, gap-free position and a link of the alliance's hash chain for each. One sealer works
//! at a time, under a lock row; writers never wait for it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use concord_entities::{
    event, event_chain, event_organization, event_pending, event_seal, hand_cursor, id::OrganizationId,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    context::{Ctx, Tx},
    error::Result,
};

/// Name of the lock row; its position is the last one given.
const SEALER: &str = "sealer";
/// Most events sealed in one transaction.
pub const BATCH: u64 = 500;
/// Most rows of an insert whose number nobody bounds; SQLite binds at most 32,766 values a statement.
const BINDABLE: usize = 2000;

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

/// A break in a chain, as `verify` reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub chain_id: Uuid,
    pub position: i64,
    pub what: &'static str,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub events: u64,
    pub erased: u64,
    pub chains: u64,
    pub first_break: Option<Break>,
}

/// Walks every seal in order of position, recomputing each link, and stops at the first that does not hold.
pub async fn verify(db: &impl ConnectionTrait) -> Result<Verification> {
    let mut found = Verification::default();
    let mut heads: HashMap<Uuid, (i64, Vec<u8>)> = HashMap::new();
    let mut last = 0_i64;
    loop {
        let rows = event_seal::Entity::find()
            .find_also_related(event::Entity)
            .filter(event_seal::Column::Position.gt(last))
            .order_by_asc(event_seal::Column::Position)
            .limit(5000)
            .all(db)
            .await?;
        if rows.is_empty() {
            break;
        }
        for (seal, event) in rows {
            let (length, hash) = heads.entry(seal.chain_id).or_insert_with(|| (0, vec![0; 32]));
            let what = match &event {
                _ if seal.position != last + 1 => Some("a position is missing before it"),
                None => Some("its event is missing"),
                Some(event) => {
                    let expected = link(hash, (seal.position, seal.sealed_at), event);
                    let altered = event.salt.as_ref().zip(event.payload.as_ref());
                    if chain_of(event) != seal.chain_id || seal.chain_index != *length + 1 {
                        Some("its chain has a gap or another order")
                    } else if expected != seal.hash {
                        Some("its event or the link before was altered")
                    } else if altered
                        .is_some_and(|(salt, payload)| super::event::digest(salt, payload) != event.digest)
                    {
                        Some("its payload was altered")
                    } else {
                        *hash = expected;
                        *length += 1;
                        found.erased += u64::from(event.payload.is_none());
                        None
                    }
                }
            };
            if let Some(what) = what {
                found.first_break = Some(Break { chain_id: seal.chain_id, position: seal.position, what });
                return Ok(found);
            }
            found.events += 1;
            last = seal.position;
        }
    }
    // A cut tail shows as a head that is ahead of the links that are left.
    for head in event_chain::Entity::find().all(db).await? {
        let (length, hash) = heads.get(&head.chain_id).cloned().unwrap_or_else(|| (0, vec![0; 32]));
        if (length, hash) != (head.length, head.hash) {
            found.first_break =
                Some(Break { chain_id: head.chain_id, position: last, what: "links are missing after it" });
            return Ok(found);
        }
    }
    found.chains = u64::try_from(heads.len()).unwrap_or_default();
    // An event that neither waits nor is sealed was written past the trigger, or its seal was removed.
    let stray = event::Entity::find()
        .filter(
            event::Column::Id.not_in_subquery(
                sea_orm::sea_query::Query::select()
                    .column(event_seal::Column::EventId)
                    .from(event_seal::Entity)
                    .to_owned(),
            ),
        )
        .filter(
            event::Column::Id.not_in_subquery(
                sea_orm::sea_query::Query::select()
                    .column(event_pending::Column::EventId)
                    .from(event_pending::Entity)
                    .to_owned(),
            ),
        )
        .one(db)
        .await?;
    if let Some(event) = stray {
        found.first_break =
            Some(Break { chain_id: chain_of(&event), position: last, what: "an event has no seal" });
    }
    Ok(found)
}
