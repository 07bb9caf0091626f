//! That an event happened, for somebody without the database: the event whole, every link of its chain up to the next signed
//! checkpoint, and that checkpoint. Of the events between it holds identifiers and digests, no content.

use chrono::{DateTime, Utc};
use concord_entities::{
    checkpoint, event, event_seal,
    id::{AccountId, AllianceId, EventId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    checkpoint::{Checkpoint, Line, PURPOSE},
    link,
};
use crate::{
    domain::{
        Ctx, Error, Result,
        event::digest,
        identity::signing::{PublicKeys, Signed},
    },
    storage::Sha256Hex,
};

/// Most links between an event and its checkpoint; at least one is made a minute.
const LINKS: i64 = 20_000;

/// A link: everything of an event that its hash is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Link {
    position: i64,
    sealed_at: DateTime<Utc>,
    event_id: Uuid,
    kind: String,
    by_account: bool,
    actor_id: Option<Uuid>,
    subject_kind: String,
    subject_id: Uuid,
    organization_ids: String,
    occurred_at: DateTime<Utc>,
    digest: Sha256Hex,
}

impl Link {
    fn of(seal: &event_seal::Model, event: &event::Model) -> Result<Self> {
        let bytes = event.digest.clone().try_into().map_err(|_| Error::internal("an event has no digest"))?;
        Ok(Self {
            position: seal.position,
            sealed_at: seal.sealed_at,
            event_id: event.id.into(),
            kind: event.kind.clone(),
            by_account: event.actor_kind == event::ActorKind::Account,
            actor_id: event.actor_id.map(Uuid::from),
            subject_kind: event.subject_kind.clone(),
            subject_id: event.subject_id,
            organization_ids: event.organization_ids.clone(),
            occurred_at: event.occurred_at,
            digest: Sha256Hex::from_digest(bytes),
        })
    }

    /// The hash of this link in a chain.
    fn hash(&self, chain: Uuid, previous: &[u8]) -> Vec<u8> {
        let kind = if self.by_account { event::ActorKind::Account } else { event::ActorKind::System };
        let event = event::Model {
            id: EventId(self.event_id),
            alliance_id: (!chain.is_nil()).then_some(AllianceId(chain)),
            kind: self.kind.clone(),
            actor_kind: kind,
            actor_id: self.actor_id.map(AccountId),
            subject_kind: self.subject_kind.clone(),
            subject_id: self.subject_id,
            organization_ids: self.organization_ids.clone(),
            occurred_at: self.occurred_at,
            digest: bytes(&self.digest),
            salt: None,
            payload: None,
        };
        link(previous, (self.position, self.sealed_at), &event)
    }
}

/// The bytes of a digest.
fn bytes(hex: &Sha256Hex) -> Vec<u8> {
    let text = hex.to_string();
    let pairs = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

/// That an event happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    /// The chain: the alliance's identifier.
    chain: Uuid,
    /// What the event says; absent where it was erased, of which the digest in its link is left.
    #[serde(default)]
    payload: Option<String>,
    /// What its digest was salted with, in hexadecimal; absent where it was erased.
    #[serde(default)]
    salt: Option<String>,
    /// Number of the event's link in the chain, from 1.
    number: i64,
    /// The hash of the link before it.
    previous: Sha256Hex,
    /// The event's link first, then all up to the checkpoint.
    links: Vec<Link>,
    /// The checkpoint, as it was written.
    checkpoint: String,
}

/// Proves the last event of a kind about something; nothing while no checkpoint names it yet.
pub async fn of(ctx: &Ctx, kind: &str, subject: Uuid) -> Result<Option<Proof>> {
    let found = event_seal::Entity::find()
        .find_also_related(event::Entity)
        .filter(event::Column::SubjectId.eq(subject))
        .filter(event::Column::Kind.eq(kind))
        .order_by_desc(event_seal::Column::Position)
        .one(ctx.read())
        .await?;
    let Some((seal, Some(event))) = found else { return Ok(None) };
    let Some(mark) = checkpoint::Entity::find()
        .filter(checkpoint::Column::Position.gte(seal.position))
        .order_by_asc(checkpoint::Column::Position)
        .one(ctx.read())
        .await?
    else {
        return Ok(None);
    };
    let said = read(&mark.line).ok_or_else(|| Error::internal("a checkpoint cannot be read"))?.1;
    let Some(head) = said.heads.iter().find(|head| head.chain == seal.chain_id) else { return Ok(None) };
    if head.length - seal.chain_index > LINKS {
        return Err(Error::internal("too many links up to a checkpoint"));
    }
    let of_chain = || event_seal::Entity::find().filter(event_seal::Column::ChainId.eq(seal.chain_id));
    let before = of_chain()
        .filter(event_seal::Column::ChainIndex.eq(seal.chain_index - 1))
        .limit(1)
        .one(ctx.read())
        .await?;
    let rows = of_chain()
        .find_also_related(event::Entity)
        .filter(event_seal::Column::ChainIndex.between(seal.chain_index, head.length))
        .order_by_asc(event_seal::Column::ChainIndex)
        .all(ctx.read())
        .await?;
    let links: Result<Vec<Link>> = rows
        .iter()
        .map(|(seal, event)| {
            let event = event.as_ref().ok_or_else(|| Error::internal("a seal without its event"))?;
            Link::of(seal, event)
        })
        .collect();
    let previous = before.map_or_else(|| vec![0; 32], |seal| seal.hash);
    let previous = previous.try_into().map_err(|_| Error::internal("a link has no hash"))?;
    Ok(Some(Proof {
        chain: seal.chain_id,
        payload: event.payload,
        salt: event.salt.as_deref().map(hex),
        number: seal.chain_index,
        previous: Sha256Hex::from_digest(previous),
        links: links?,
        checkpoint: mark.line,
    }))
}

fn read(line: &str) -> Option<(Line, Checkpoint)> {
    let line: Line = serde_json::from_str(line).ok()?;
    let said = serde_json::from_str(line.checkpoint.get()).ok()?;
    Some((line, said))
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is not of the expected form")]
    Unreadable,
    #[error("a signature does not fit, or its key is not among those given")]
    Forged,
    #[error("what the event says does not fit its digest")]
    Payload,
    #[error("the links do not lead to the checkpoint")]
    Links,
}

/// What a proof shows of its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub chain: Uuid,
    pub kind: String,
    pub subject: Uuid,
    pub occurred_at: DateTime<Utc>,
    /// What it says; nothing where that was erased: it happened all the same, and nobody can tell any more what else it said.
    pub payload: Option<serde_json::Value>,
    /// When the checkpoint was made that vouches for it.
    pub vouched_at: DateTime<Utc>,
}

/// What a proof shows to somebody who reads it.
pub struct Shown {
    pub chain: Uuid,
    pub event: Uuid,
    /// Number of the event's link in the chain.
    pub number: i64,
    /// The hash of the link before it.
    pub previous: String,
    /// The hash of every link, the event's first.
    pub hashes: Vec<String>,
    /// Whose signature vouches for the last of them, and when it was made.
    pub checkpoint_kid: String,
    pub checkpoint_signature: String,
    pub checkpoint_made_at: Option<DateTime<Utc>>,
}

impl Proof {
    /// When its event happened.
    pub fn occurred_at(&self) -> Option<DateTime<Utc>> {
        self.links.first().map(|link| link.occurred_at)
    }

    /// What stands in it; whether it holds, `check` says.
    pub fn shown(&self) -> Shown {
        let (line, said) = read(&self.checkpoint).unzip();
        let (kid, signature) = line.map(|line| (line.kid, line.signature)).unwrap_or_default();
        Shown {
            chain: self.chain,
            event: self.links.first().map(|link| link.event_id).unwrap_or_default(),
            number: self.number,
            previous: self.previous.to_string(),
            hashes: self.hashes().map(|hash| hex(&hash)).collect(),
            checkpoint_kid: kid,
            checkpoint_signature: signature,
            checkpoint_made_at: said.map(|said| said.made_at),
        }
    }

    /// The hashes of the links, each made of the one before.
    fn hashes(&self) -> impl Iterator<Item = Vec<u8>> {
        self.links.iter().scan(bytes(&self.previous), |hash, link| {
            *hash = link.hash(self.chain, hash);
            Some(hash.clone())
        })
    }

    /// Checks everything with nothing but public keys.
    pub fn check(&self, keys: &PublicKeys) -> std::result::Result<Proven, Fault> {
        let (line, said) = read(&self.checkpoint).ok_or(Fault::Unreadable)?;
        let signed = Signed { kid: line.kid, signature: line.signature };
        if !keys.verify_for(PURPOSE, line.checkpoint.get().as_bytes(), &signed) {
            return Err(Fault::Forged);
        }
        let first = self.links.first().ok_or(Fault::Unreadable)?;
        let payload = match (&self.payload, &self.salt) {
            (Some(payload), Some(salt)) => Some(said_by(payload, salt, &first.digest)?),
            (None, None) => None,
            _ => return Err(Fault::Unreadable),
        };
        let hash = self.hashes().last().ok_or(Fault::Unreadable)?;
        let length = i64::try_from(self.links.len()).map_err(|_| Fault::Unreadable)?;
        let end = self.number.checked_add(length - 1).ok_or(Fault::Unreadable)?;
        let head = said.heads.iter().find(|head| head.chain == self.chain).ok_or(Fault::Links)?;
        if head.length != end || bytes(&head.hash) != hash {
            return Err(Fault::Links);
        }
        Ok(Proven {
            chain: self.chain,
            kind: first.kind.clone(),
            subject: first.subject_id,
            occurred_at: first.occurred_at,
            payload,
            vouched_at: said.made_at,
        })
    }
}

/// What a payload says whose digest, salted, is that of a link.
fn said_by(payload: &str, salt: &str, of: &Sha256Hex) -> std::result::Result<serde_json::Value, Fault> {
    let salt: Option<Vec<u8>> = (0..salt.len())
        .step_by(2)
        .map(|at| salt.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    if digest(&salt.ok_or(Fault::Unreadable)?, payload) != bytes(of) {
        return Err(Fault::Payload);
    }
    serde_json::from_str(payload).map_err(|_| Fault::Unreadable)
}
