//! Walks the chains and names the first link that does not hold.

use std::collections::HashMap;

use concord_entities::{event, event_pending, event_seal};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{Head, Marks, chain_of, link};
use crate::{
    domain::{
        error::Result,
        event::{Event, digest},
    },
    storage::Sha256Hex,
};

/// Most links read in one statement.
const PAGE: u64 = 5000;

/// A break in a chain, as `verify` reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub chain_id: Uuid,
    pub position: i64,
    pub what: String,
}

/// What `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub events: u64,
    pub erased: u64,
    pub chains: u64,
    pub first_break: Option<Break>,
}

/// The chains as far as they were walked: how many links, and the hash of the last.
type Walked = HashMap<Uuid, (i64, Vec<u8>)>;

/// Events that tell of an erasure: it takes payloads of earlier events about the same subject.
const ERASURES: [&str; 5] = [
    Event::ReporterErased.text(),
    Event::AccountErased.text(),
    Event::GridOfficerErased.text(),
    Event::BranchInstructorErased.text(),
    Event::BranchSecretaryErased.text(),
];

/// The first erased event of each subject that no later event explains: its position and chain.
type Gone = HashMap<Uuid, (i64, Uuid)>;

/// The first event whose payload is gone although nothing was erased.
async fn unexplained(db: &impl ConnectionTrait, mut gone: Gone) -> Result<Option<(i64, Uuid)>> {
    if !gone.is_empty() {
        // What was erased a moment ago is told of by an event that still waits for its seal.
        let pending = event_pending::Entity::find().select_only().column(event_pending::Column::EventId);
        let waiting: Vec<Uuid> = event::Entity::find()
            .select_only()
            .column(event::Column::SubjectId)
            .filter(event::Column::Kind.is_in(ERASURES))
            .filter(event::Column::Id.in_subquery(pending.into_query()))
            .into_tuple()
            .all(db)
            .await?;
        gone.retain(|subject, _| !waiting.contains(subject));
    }
    Ok(gone.into_values().min())
}

/// Walks every seal in order of position, recomputing each link and holding it against `marks`, and stops at the first
/// that does not hold. Sealing may go on meanwhile.
pub async fn verify(db: &impl ConnectionTrait, marks: &Marks) -> Result<Verification> {
    let mut found = Verification::default();
    let mut walked = Walked::new();
    // Read before the walk, so that what is sealed meanwhile only lies beyond them.
    let heads = Head::read(db, None).await?;
    let head_of: HashMap<Uuid, &Head> = heads.iter().map(|head| (head.chain, head)).collect();
    let mut last = 0_i64;
    let mut gone = Gone::new();
    loop {
        let rows = event_seal::Entity::find()
            .find_also_related(event::Entity)
            .filter(event_seal::Column::Position.gt(last))
            .order_by_asc(event_seal::Column::Position)
            .limit(PAGE)
            .all(db)
            .await?;
        if rows.is_empty() {
            break;
        }
        for (seal, event) in rows {
            if seal.position != last + 1 {
                return Ok(found.broken(seal.chain_id, last + 1, "this position is missing"));
            }
            let end = walked.entry(seal.chain_id).or_insert_with(|| (0, vec![0; 32]));
            if let Err(what) = follow(end, &seal, event.as_ref()) {
                return Ok(found.broken(seal.chain_id, seal.position, what));
            }
            if let Some(head) = head_of.get(&seal.chain_id)
                && head.length == end.0
                && !is_hash(&head.hash, &end.1)
            {
                return Ok(found.broken(seal.chain_id, seal.position, "the head of its chain is another"));
            }
            if let Some(by) = marks.contradicts(seal.chain_id, end.0, &end.1) {
                return Ok(found.broken(
                    seal.chain_id,
                    seal.position,
                    format!("it is not what {by} says, so it or a link before was replaced"),
                ));
            }
            found.events += 1;
            last = seal.position;
            let Some(event) = event else { continue };
            if ERASURES.contains(&event.kind.as_str()) {
                gone.remove(&event.subject_id);
            }
            if event.payload.is_none() {
                found.erased += 1;
                gone.entry(event.subject_id).or_insert((seal.position, seal.chain_id));
            }
        }
    }
    if let Some((chain, what)) = cut_off(&walked, &heads, &Head::read(db, None).await?) {
        return Ok(found.broken(chain, last, what));
    }
    if let Some((chain, what)) = marks.missing(last, |chain| walked.get(&chain).map_or(0, |end| end.0)) {
        return Ok(found.broken(chain, last, what));
    }
    if let Some((position, chain)) = unexplained(db, gone).await? {
        return Ok(found.broken(chain, position, "its payload is gone, and no erasure took it"));
    }
    found.chains = u64::try_from(walked.len()).unwrap_or_default();
    if let Some(event) = stray(db).await? {
        return Ok(found.broken(chain_of(&event), last, "an event has no seal"));
    }
    Ok(found)
}

impl Verification {
    fn broken(self, chain_id: Uuid, position: i64, what: impl Into<String>) -> Self {
        Self { first_break: Some(Break { chain_id, position, what: what.into() }), ..self }
    }
}

/// Takes one step along a chain, or tells why the link does not hold.
fn follow(
    end: &mut (i64, Vec<u8>),
    seal: &event_seal::Model,
    event: Option<&event::Model>,
) -> std::result::Result<(), &'static str> {
    let Some(event) = event else { return Err("its event is missing") };
    let (length, hash) = end;
    if chain_of(event) != seal.chain_id || seal.chain_index != *length + 1 {
        return Err("its chain has a gap or another order");
    }
    let expected = link(hash, (seal.position, seal.sealed_at), event);
    if expected != seal.hash {
        return Err("its event or the link before was altered");
    }
    match (&event.salt, &event.payload) {
        (None, None) => {}
        (Some(salt), Some(payload)) if digest(salt, payload) == event.digest => {}
        // Erasure takes both: a payload without its salt is another one.
        _ => return Err("its payload was altered"),
    }
    *hash = expected;
    *length += 1;
    Ok(())
}

fn is_hash(told: &Sha256Hex, hash: &[u8]) -> bool {
    <[u8; 32]>::try_from(hash).is_ok_and(|hash| Sha256Hex::from_digest(hash) == *told)
}

/// A chain that is shorter than its head was before the walk, or longer than its head is after it.
fn cut_off(walked: &Walked, before: &[Head], after: &[Head]) -> Option<(Uuid, &'static str)> {
    let length = |chain: &Uuid| walked.get(chain).map_or(0, |end| end.0);
    let shorter = before.iter().find(|head| length(&head.chain) < head.length);
    if let Some(head) = shorter {
        return Some((head.chain, "links are missing after it"));
    }
    let headed: HashMap<Uuid, i64> = after.iter().map(|head| (head.chain, head.length)).collect();
    let beyond = walked.iter().find(|(chain, end)| headed.get(chain).is_none_or(|length| *length < end.0));
    beyond.map(|(chain, _)| (*chain, "links lie beyond the head of their chain"))
}

/// An event that neither waits nor is sealed: it was written past the trigger, or its seal was removed.
async fn stray(db: &impl ConnectionTrait) -> Result<Option<event::Model>> {
    let sealed = event_seal::Entity::find().select_only().column(event_seal::Column::EventId);
    let waiting = event_pending::Entity::find().select_only().column(event_pending::Column::EventId);
    let neither = event::Entity::find()
        .filter(event::Column::Id.not_in_subquery(sealed.into_query()))
        .filter(event::Column::Id.not_in_subquery(waiting.into_query()));
    Ok(neither.one(db).await?)
}
