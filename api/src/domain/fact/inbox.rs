//! Each person's inbox: what `inbox_rules` draws from the events, once each, with its read state. The hand that fills it
//! follows the positions; a node that dies in between leaves nothing half done.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use concord_entities::{
    account, event, event_seal, hand_cursor,
    id::{AccountId, AllianceId, InboxEntryId, OrganizationId},
    inbox_entry::{self, Column, Entity, Kind},
    problem, seat, whistle,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, OnConflict, UnionType},
};
use uuid::Uuid;

use super::{follow, inbox_rules};
use crate::domain::{
    Actor, Code, Ctx, Error, Event, Fact, Result, Tx, chain,
    page::{self, Order, Page},
    scope,
};

/// Name of the hand's place.
const HAND: &str = "inbox";
/// Most events dealt with in one transaction.
const BATCH: u64 = 200;
/// Most rows of one insert: nine values each, and SQLite binds at most 32,766.
const ROWS: usize = 2000;
/// Most entries marked by their ids in one request.
const MOST_MARKED: usize = 100;

/// The caller's own entries, of the alliances that the caller may still read.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    let own = match ctx.actor {
        Actor::Account { id, .. } => Column::AccountId.eq(id),
        _ => Expr::val(1).eq(0),
    };
    Entity::find().filter(own).filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One entry, if it is the caller's own.
pub async fn find(ctx: &Ctx, id: InboxEntryId) -> Result<Option<inbox_entry::Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which entries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub unread: Option<bool>,
    pub kind: Option<Kind>,
    pub alliance: Option<AllianceId>,
}

/// The caller's entries, newest first.
pub async fn list(ctx: &Ctx, filter: Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.account_id()?;
    let mut select = visible(ctx);
    if let Some(unread) = filter.unread {
        select = select.filter(if unread { Column::ReadAt.is_null() } else { Column::ReadAt.is_not_null() });
    }
    if let Some(kind) = filter.kind {
        select = select.filter(Column::Kind.eq(kind));
    }
    if let Some(alliance) = filter.alliance {
        select = select.filter(Column::AllianceId.eq(alliance));
    }
    let order = Order { column: Column::Position, descending: true };
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// How many of the caller's entries are unread.
pub async fn unread_count(ctx: &Ctx) -> Result<u64> {
    ctx.account_id()?;
    Ok(visible(ctx).filter(Column::ReadAt.is_null()).count(ctx.read()).await?)
}

/// What is marked as read.
#[derive(Clone, Debug)]
pub enum Marked {
    /// These entries.
    Entries(Vec<InboxEntryId>),
    /// Everything up to a position.
    UpTo(i64),
}

/// Marks entries of the caller's inbox as read; tells how many were unread before.
pub async fn mark_read(ctx: &Ctx, marked: Marked) -> Result<u64> {
    let account = ctx.account_id()?;
    let tx = ctx.begin().await?;
    let which = match &marked {
        Marked::Entries(ids) if ids.is_empty() => return Err(Error::invalid(Code::Required, "entryIds")),
        Marked::Entries(ids) if ids.len() > MOST_MARKED => {
            return Err(Error::invalid(Code::OutOfRange, "entryIds")
                .with("least", 1)
                .with("most", MOST_MARKED));
        }
        Marked::Entries(ids) => {
            let wanted: HashSet<InboxEntryId> = ids.iter().copied().collect();
            let found = visible(ctx).filter(Column::Id.is_in(wanted.iter().copied())).all(&tx.db).await?;
            if found.len() != wanted.len() {
                return Err(Error::NotFound("inbox entry"));
            }
            Column::Id.is_in(wanted)
        }
        Marked::UpTo(position) => Column::Position.lte(*position),
    };
    let done = Entity::update_many()
        .col_expr(Column::ReadAt, Expr::value(ctx.now()))
        .filter(Column::AccountId.eq(account))
        .filter(Column::ReadAt.is_null())
        .filter(which)
        .exec(&tx.db)
        .await?;
    tx.record(Fact::of(Event::InboxRead, account).detail("count", done.rows_affected)).await?;
    tx.commit(account).await?;
    Ok(done.rows_affected)
}

/// How far the hand has read.
pub async fn cursor(ctx: &Ctx) -> Result<i64> {
    follow::cursor(ctx, HAND).await
}

/// Draws entries from the next sealed events; tells how many events it dealt with.
pub async fn project(ctx: &Ctx) -> Result<usize> {
    // A look without a lock: an idle hand costs two cheap reads.
    if super::changes::head(ctx).await? <= cursor(ctx).await? {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let last = lock(&tx).await?;
    let mut sealed = event_seal::Entity::find()
        .find_both_related(event::Entity)
        .filter(event_seal::Column::Position.gt(last))
        .order_by_asc(event_seal::Column::Position)
        .limit(BATCH)
        .all(&tx.db)
        .await?;
    keep_together(&mut sealed);
    let Some(position) = sealed.last().map(|(seal, _)| seal.position) else {
        return Ok(0);
    };
    let told: Vec<_> = sealed
        .iter()
        .filter_map(|(seal, event)| Some((seal, event, event.alliance_id?, inbox_rules::find(&event.kind)?)))
        .collect();
    let people = people(&tx.db, told.iter().map(|(_, _, alliance, _)| *alliance).collect()).await?;
    let registrars = registrars(&tx.db, told.iter().map(|(_, event, ..)| event.subject_id)).await?;
    let mut rows = Vec::new();
    // Where somebody was told first of what happened to an object at one instant: what touches several alliances stands in the chain
    // of each, and whoever has seats in more than one of them hears of it once.
    let mut heard: HashMap<(AccountId, &str, Uuid, DateTime<Utc>), AllianceId> = HashMap::new();
    for (seal, event, alliance, rule) in told {
        let concerned = chain::organizations(event);
        let registrar = registrars.get(&event.subject_id);
        let mut reached = HashSet::new();
        for person in people.iter().filter(|person| person.alliance == alliance) {
            let is_concerned = person.organization.is_some_and(|own| concerned.contains(&own));
            if Some(person.account) != event.actor_id
                && rule.tells(
                    person.role,
                    is_concerned,
                    !concerned.is_empty(),
                    registrar == Some(&person.account),
                )
                && reached.insert(person.account)
                && alliance
                    == *heard
                        .entry((person.account, &event.kind, event.subject_id, event.occurred_at))
                        .or_insert(alliance)
            {
                rows.push(inbox_entry::ActiveModel {
                    id: Set(ctx.new_id()),
                    account_id: Set(person.account),
                    alliance_id: Set(Some(alliance)),
                    event_id: Set(event.id),
                    position: Set(seal.position),
                    kind: Set(rule.why),
                    subject_kind: Set(event.subject_kind.clone()),
                    subject_id: Set(event.subject_id),
                    created_at: Set(ctx.now()),
                    read_at: Set(None),
                });
            }
        }
    }
    for some in rows.chunks(ROWS) {
        Entity::insert_many(some.to_vec())
            .on_conflict(OnConflict::columns([Column::AccountId, Column::EventId]).do_nothing().to_owned())
            .exec_without_returning(&tx.db)
            .await?;
    }
    hand_cursor::Entity::update_many()
        .col_expr(hand_cursor::Column::Position, Expr::value(position))
        .col_expr(hand_cursor::Column::UpdatedAt, Expr::value(ctx.now()))
        .filter(hand_cursor::Column::Name.eq(HAND))
        .exec(&tx.db)
        .await?;
    tx.commit(Uuid::nil()).await?;
    Ok(sealed.len())
}

/// Leaves what was recorded at the last instant of a full batch to the next one, so that what was recorded together is dealt with
/// together.
fn keep_together(sealed: &mut Vec<(event_seal::Model, event::Model)>) {
    let Some(last) = sealed.last().map(|(_, event)| event.occurred_at) else { return };
    let is_full = u64::try_from(sealed.len()).is_ok_and(|count| count >= BATCH);
    if let Some(earlier) = sealed.iter().rposition(|(_, event)| event.occurred_at != last)
        && is_full
    {
        sealed.truncate(earlier + 1);
    }
}

/// Takes the hand's lock for this transaction and gives its place.
async fn lock(tx: &Tx<'_>) -> Result<i64> {
    let row = hand_cursor::ActiveModel {
        name: Set(HAND.to_owned()),
        position: Set(0),
        updated_at: Set(tx.ctx.now()),
    };
    hand_cursor::Entity::insert(row)
        .on_conflict(OnConflict::column(hand_cursor::Column::Name).do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    let row = hand_cursor::Entity::find_by_id(HAND.to_owned()).lock_exclusive().one(&tx.db).await?;
    Ok(row.map_or(0, |row| row.position))
}

/// Who registered the problems, or applied for the whistles, among these subjects.
async fn registrars(
    db: &impl ConnectionTrait,
    subjects: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, AccountId>> {
    let subjects: Vec<Uuid> = subjects.collect();
    let problems = problem::Entity::find()
        .select_only()
        .column(problem::Column::Id)
        .column(problem::Column::RecordedBy)
        .filter(problem::Column::Id.is_in(subjects.iter().copied()))
        .filter(problem::Column::RecordedBy.is_not_null());
    let mut whistles = whistle::Entity::find()
        .select_only()
        .column(whistle::Column::Id)
        .column(whistle::Column::AppliedBy)
        .filter(whistle::Column::Id.is_in(subjects))
        .filter(whistle::Column::AppliedBy.is_not_null())
        .into_query();
    let both = problems.into_query().union(UnionType::All, whistles.take()).take();
    let rows = db.query_all(&both).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// Somebody with an active seat.
struct Person {
    alliance: AllianceId,
    account: AccountId,
    role: seat::Role,
    organization: Option<OrganizationId>,
}

async fn people(db: &impl ConnectionTrait, alliances: HashSet<AllianceId>) -> Result<Vec<Person>> {
    if alliances.is_empty() {
        return Ok(Vec::new());
    }
    let seats = seat::Entity::find()
        .inner_join(account::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::State.eq(seat::State::Active))
        .filter(seat::Column::AllianceId.is_in(alliances))
        .order_by_asc(seat::Column::Id)
        .all(db)
        .await?;
    Ok(seats
        .into_iter()
        .map(|seat| Person {
            alliance: seat.alliance_id,
            account: seat.account_id,
            role: seat.role,
            organization: seat.organization_id,
        })
        .collect())
}
