//! What a handover hands on: every task and problem that is open then, each accepted or declined with a reason by the team
//! that comes. What nobody accepts goes to the committee, at the acknowledgement or once the third working day of the next
//! turn has passed; the committee gives it to a unit. Who answers for an item is on record here; the lists themselves stay as
//! they are. What has closed meanwhile needs no answer.

use std::collections::{HashMap, hash_map::Entry};

use chrono::{DateTime, Days, NaiveDate, Utc};
use concord_entities::{
    alliance, handover,
    handover_item::{self, Column, Model, State},
    id::{
        AllianceId, HandoverId, HandoverItemId, OrganizationId, PriorityTaskId, ProblemId, RotationSlotId,
        TypedId,
    },
    priority_task, problem, rotation_slot,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationTrait, Select,
    sea_query::{Expr, Query, SimpleExpr},
};

use super::{
    plan,
    slot::{self, OpenedSlot},
    slots, states, timetable,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    calendar::{self, working_day::Calendar},
    governance::{alliance::expect_version, membership},
    page::{self, Order, Page},
    scope, text,
};

/// Most items answered at once.
const MOST: usize = 500;
/// Rows of one insert: twelve values each, and SQLite binds at most 32,766.
const ROWS: usize = 2_000;
/// The working day of the next turn after which what was not answered goes to the committee.
const ANSWER_WORKING_DAY: u32 = 3;
/// Most handovers that the hand looks at in one round.
const BATCH: u64 = 200;

/// The items of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<handover_item::Entity> {
    handover_item::Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One item, if the caller may see it.
pub async fn find(ctx: &Ctx, id: HandoverItemId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which items; what is absent does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub handover_id: Option<HandoverId>,
    pub organization_id: Option<OrganizationId>,
    pub states: Option<Vec<State>>,
    /// Whether what is handed on is still open.
    pub open: Option<bool>,
}

const ORDER: Order<Column> = Order { column: Column::CreatedAt, descending: false };

/// The items that the caller may see, the earliest handed on first.
pub async fn list(ctx: &Ctx, filter: Filter, args: &page::Args) -> Result<Page<handover_item::Entity>> {
    ctx.require_signed_in()?;
    let open = filter.open.map(|open| if open { is_open() } else { is_open().not() });
    let narrowed = Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(filter.handover_id.map(|id| Column::HandoverId.eq(id)))
        .add_option(filter.organization_id.map(|id| Column::OrganizationId.eq(id)))
        .add_option(filter.states.map(|states| Column::State.is_in(states)))
        .add_option(open);
    page::fetch(ctx, visible(ctx).filter(narrowed), ORDER, Column::Id, args).await
}

/// The items of handovers, the earliest first.
pub fn of_handovers(ctx: &Ctx) -> (Select<handover_item::Entity>, Order<Column>) {
    (visible(ctx), ORDER)
}

/// Whether work remains on the task or problem that an item hands on: looked up for each, since few items wait and many
/// problems are open.
fn is_open() -> Condition {
    // A draft is what was carried over into a list that is not published yet.
    handed_on(
        priority_task::Column::IsOpen
            .eq(true)
            .or(priority_task::Column::State.eq(priority_task::State::Draft)),
    )
}

/// Whether the incoming team is asked about it: of a list that is not published yet they see nothing, and what stands there is
/// asked for once it is, or goes to the committee with what nobody answered.
fn is_asked_for() -> Condition {
    handed_on(priority_task::Column::IsOpen.eq(true))
}

/// Whether an item hands on an open problem, or a task of which something holds.
fn handed_on(task_holds: SimpleExpr) -> Condition {
    let here = |column: Column| Expr::col((handover_item::Entity, column));
    let task = Query::select()
        .expr(Expr::val(1))
        .from(priority_task::Entity)
        .and_where(here(Column::TaskId).equals((priority_task::Entity, priority_task::Column::Id)))
        .and_where(task_holds)
        .to_owned();
    let problem = Query::select()
        .expr(Expr::val(1))
        .from(problem::Entity)
        .and_where(here(Column::ProblemId).equals((problem::Entity, problem::Column::Id)))
        .and_where(problem::Column::IsOpen.eq(true))
        .to_owned();
    Condition::any().add(Expr::exists(task)).add(Expr::exists(problem))
}

/// Writes an item for every open task and problem of a handover's alliance; tells how many.
pub(super) async fn write(tx: &Tx<'_>, handover: &handover::Model) -> Result<usize> {
    let tasks: Vec<PriorityTaskId> = priority_task::Entity::find()
        .select_only()
        .column(priority_task::Column::Id)
        .filter(priority_task::Column::AllianceId.eq(handover.alliance_id))
        .filter(priority_task::Column::IsOpen.eq(true))
        .order_by_asc(priority_task::Column::DueOn)
        .into_tuple()
        .all(&tx.db)
        .await?;
    let problems: Vec<ProblemId> = problem::Entity::find()
        .select_only()
        .column(problem::Column::Id)
        .filter(problem::Column::AllianceId.eq(handover.alliance_id))
        .filter(problem::Column::IsOpen.eq(true))
        .order_by_asc(problem::Column::Ordinal)
        .into_tuple()
        .all(&tx.db)
        .await?;
    let row = |task_id, problem_id| handover_item::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(handover.alliance_id),
        handover_id: Set(handover.id),
        task_id: Set(task_id),
        problem_id: Set(problem_id),
        state: Set(State::Pending),
        reason: Set(None),
        organization_id: Set(None),
        answered_by: Set(None),
        answered_at: Set(None),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
    };
    let rows: Vec<_> = tasks
        .into_iter()
        .map(|task| row(Some(task), None))
        .chain(problems.into_iter().map(|problem| row(None, Some(problem))))
        .collect();
    for some in rows.chunks(ROWS) {
        handover_item::Entity::insert_many(some.to_vec()).exec_without_returning(&tx.db).await?;
    }
    Ok(rows.len())
}

/// What the incoming team says to an item.
#[derive(Clone, Debug)]
pub struct Reply {
    pub item_id: HandoverItemId,
    pub accept: bool,
    pub reason: Option<String>,
}

/// A handover whose turn is locked, with the units of both teams.
struct Opened {
    handover: handover::Model,
    open: OpenedSlot,
    incoming: Vec<OrganizationId>,
}

/// Locks a handover that the caller may see, by its outgoing turn.
async fn hold(tx: &Tx<'_>, id: HandoverId) -> Result<Opened> {
    let missing = || Error::NotFound(HandoverId::NOUN);
    let seen = super::handover::visible(tx.ctx)
        .filter(handover::Column::Id.eq(id))
        .one(&tx.db)
        .await?
        .ok_or_else(missing)?;
    let open = slot::open(tx, seen.slot_id).await?;
    let handover = handover::Entity::find_by_id(id).one(&tx.db).await?.ok_or_else(missing)?;
    let next =
        rotation_slot::Entity::find_by_id(handover.next_slot_id).one(&tx.db).await?.ok_or_else(missing)?;
    let incoming = plan::units(&tx.db, [next.team_id]).await?;
    Ok(Opened { handover, open, incoming })
}

/// Answers items for the incoming team, all of them or none; an answer may change until the handover is acknowledged.
pub async fn answer(ctx: &Ctx, id: HandoverId, replies: Vec<Reply>) -> Result<handover::Model> {
    let tx = ctx.begin().await?;
    let Opened { handover, open, incoming } = hold(&tx, id).await?;
    let target = Target::alliance(handover.alliance_id).of(&incoming);
    ctx.require(&tx.db, Action::AnswerHandoverItems, target).await?;
    if open.slot.state != rotation_slot::State::HandingOver {
        return Err(states::refused(open.slot.state));
    }
    if replies.is_empty() {
        return Err(Error::invalid(Code::Required, "items"));
    }
    if replies.len() > MOST {
        return Err(Error::invalid(Code::OutOfRange, "items").with("least", 1).with("most", MOST));
    }
    let rows: HashMap<HandoverItemId, Model> = handover_item::Entity::find()
        .filter(Column::HandoverId.eq(id))
        .filter(Column::Id.is_in(replies.iter().map(|reply| reply.item_id)))
        .all(&tx.db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let mut accepted = Vec::new();
    let mut answered = Vec::new();
    for (index, reply) in replies.into_iter().enumerate() {
        let row = rows.get(&reply.item_id).ok_or(Error::NotFound(HandoverItemId::NOUN))?;
        if answered.contains(&row.id) {
            return Err(Error::invalid(Code::AlreadyExists, format!("items.{index}.itemId")));
        }
        answered.push(row.id);
        if !matches!(row.state, State::Pending | State::Accepted | State::Declined) {
            return Err(Error::invalid(Code::StateRefused, format!("items.{index}.itemId"))
                .with("state", row.state.to_value()));
        }
        if reply.accept {
            accepted.push(row.id);
            continue;
        }
        let reason = text::required(reply.reason.as_deref().unwrap_or_default(), "reason", 1_000)
            .map_err(|error| error.at(format!("items.{index}.reason")))?;
        let version = row.version + 1;
        let mut row = row.clone().into_active_model();
        row.state = Set(State::Declined);
        row.reason = Set(Some(reason));
        row.answered_by = Set(ctx.author());
        row.answered_at = Set(Some(ctx.now()));
        row.version = Set(version);
        row.update(&tx.db).await?;
    }
    let declined = answered.len() - accepted.len();
    handover_item::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Accepted.to_value()))
        .col_expr(Column::Reason, Expr::value(Option::<String>::None))
        .col_expr(Column::AnsweredBy, Expr::value(ctx.author().map(uuid::Uuid::from)))
        .col_expr(Column::AnsweredAt, Expr::value(ctx.now()))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.is_in(accepted.iter().copied()))
        .exec(&tx.db)
        .await?;
    tx.record(
        Fact::of(Event::HandoverItemsAnswered, id)
            .alliance(handover.alliance_id)
            .organizations(open.units.into_iter().chain(incoming))
            .detail("accepted", accepted.len())
            .detail("declined", declined),
    )
    .await?;
    tx.commit(id).await?;
    Ok(handover)
}

/// How many items of a handover the incoming team is asked about and has not answered.
pub(super) async fn unanswered(db: &impl ConnectionTrait, id: HandoverId) -> Result<u64> {
    Ok(handover_item::Entity::find()
        .filter(Column::HandoverId.eq(id))
        .filter(Column::State.eq(State::Pending))
        .filter(is_asked_for())
        .count(db)
        .await?)
}

/// Gives the committee what of a handover was declined, or never answered, and is still open; tells how many.
pub(super) async fn give_to_committee(
    tx: &Tx<'_>,
    handover: &handover::Model,
    units: impl IntoIterator<Item = OrganizationId>,
) -> Result<u64> {
    let done = handover_item::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::ToCommittee.to_value()))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::HandoverId.eq(handover.id))
        .filter(Column::State.is_in([State::Pending, State::Declined]))
        .filter(is_open())
        .exec(&tx.db)
        .await?
        .rows_affected;
    if done > 0 {
        tx.record(
            Fact::of(Event::HandoverItemsToCommittee, handover.id)
                .alliance(handover.alliance_id)
                .organizations(units)
                .detail("count", done),
        )
        .await?;
    }
    Ok(done)
}

/// The committee gives an item that nobody accepted to a unit, once: from then on the problem or task changes hands by verbs of its
/// own.
pub async fn assign(
    ctx: &Ctx,
    id: HandoverItemId,
    expected_version: Option<i64>,
    unit: OrganizationId,
    note: Option<&str>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(HandoverItemId::NOUN))?;
    ctx.require(&tx.db, Action::AssignHandoverItem, Target::alliance(row.alliance_id)).await?;
    expect_version(expected_version.unwrap_or(row.version), row.version)?;
    if row.state != State::ToCommittee {
        return Err(Error::refused(Code::StateRefused).with("state", row.state.to_value()));
    }
    membership::require_active(&tx.db, row.alliance_id, unit, "organizationId").await?;
    let note = text::optional(note, "note", 1_000)?;
    let (from, alliance_id, version) = (row.state, row.alliance_id, row.version + 1);
    let reason = note.clone().or_else(|| row.reason.clone());
    let mut row = row.into_active_model();
    row.state = Set(State::Assigned);
    row.organization_id = Set(Some(unit));
    row.reason = Set(reason);
    row.answered_by = Set(ctx.author());
    row.answered_at = Set(Some(ctx.now()));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(
        Fact::of(Event::HandoverItemAssigned, id)
            .alliance(alliance_id)
            .organizations([unit])
            .moved(from.to_value(), row.state.to_value())
            .detail("organizationId", unit.to_string())
            .reason(note.as_deref()),
    )
    .await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The instant from which what the incoming team has not answered is the committee's; none where a day on the way lies in
/// a year without a published notice.
fn answer_deadline(
    next: &rotation_slot::Model,
    alliance: &alliance::Model,
    calendar: &Calendar,
) -> Option<DateTime<Utc>> {
    let due = calendar.nth_working_day_of(next.starts_on, ANSWER_WORKING_DAY)?;
    if due.provisional {
        return None;
    }
    let after = due.on.checked_add_days(Days::new(1))?;
    Some(slots::local_midnight(after, timetable::zone(alliance)))
}

/// The background's hand: what nobody answered by the third working day of the next turn goes to the committee, once.
pub async fn pass_on(ctx: &Ctx) -> Result<usize> {
    let now = ctx.now();
    // Anywhere on earth the day is at most one ahead; the third working day is the third day at the earliest.
    let latest = now.date_naive().checked_sub_days(Days::new(1)).unwrap_or(NaiveDate::MIN);
    let waiting = handover_item::Entity::find()
        .select_only()
        .column(Column::HandoverId)
        .filter(Column::State.is_in([State::Pending, State::Declined]))
        .filter(is_open())
        .into_query();
    let waiting: Vec<handover::Model> = handover::Entity::find()
        .join(JoinType::InnerJoin, handover::Relation::NextSlot.def())
        .filter(handover::Column::AcknowledgedAt.is_null())
        .filter(rotation_slot::Column::StartsOn.lte(latest))
        .filter(handover::Column::Id.in_subquery(waiting))
        .order_by_asc(handover::Column::Id)
        .limit(BATCH)
        .all(ctx.read())
        .await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let next: HashMap<RotationSlotId, rotation_slot::Model> = rotation_slot::Entity::find()
        .filter(rotation_slot::Column::Id.is_in(waiting.iter().map(|handover| handover.next_slot_id)))
        .all(ctx.read())
        .await?
        .into_iter()
        .map(|slot| (slot.id, slot))
        .collect();
    let alliances: HashMap<AllianceId, alliance::Model> = alliance::Entity::find()
        .filter(alliance::Column::Id.is_in(waiting.iter().map(|handover| handover.alliance_id)))
        .all(ctx.read())
        .await?
        .into_iter()
        .map(|alliance| (alliance.id, alliance))
        .collect();
    let mut calendars: HashMap<AllianceId, Calendar> = HashMap::new();
    let mut passed = 0;
    for handover in waiting {
        let (Some(next), Some(alliance)) =
            (next.get(&handover.next_slot_id), alliances.get(&handover.alliance_id))
        else {
            continue;
        };
        let calendar = match calendars.entry(alliance.id) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => place.insert(calendar::store::load(ctx.read(), Some(alliance.id)).await?),
        };
        let due = answer_deadline(next, alliance, calendar);
        if due.is_some_and(|due| due <= now) && pass(ctx, handover.id).await? {
            passed += 1;
        }
    }
    Ok(passed)
}

/// Passes the items of one handover on unless somebody was faster: the incoming team, or another node.
async fn pass(ctx: &Ctx, id: HandoverId) -> Result<bool> {
    let tx = ctx.begin().await?;
    let Opened { handover, open, incoming } = hold(&tx, id).await?;
    let next = rotation_slot::Entity::find_by_id(handover.next_slot_id)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(HandoverId::NOUN))?;
    let calendar = calendar::store::load(&tx.db, Some(handover.alliance_id)).await?;
    let due = answer_deadline(&next, &open.opened.alliance, &calendar);
    if handover.acknowledged_at.is_some() || due.is_none_or(|due| due > ctx.now()) {
        return Ok(false);
    }
    let units = open.units.into_iter().chain(incoming);
    let passed = give_to_committee(&tx, &handover, units).await?;
    tx.commit(id).await?;
    Ok(passed > 0)
}
