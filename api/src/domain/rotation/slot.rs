//! Turns: who is on duty when, given by hand, excused, found missed. How they are filled stands in `generate`, what a team
//! does in its turn in `check_in`, `docking` and `handover`.

use std::collections::{HashMap, hash_map::Entry};

use chrono::{DateTime, Days, NaiveDate, Utc};
use concord_entities::{
    alliance, check_in,
    id::{AllianceId, OrganizationId, RotationPlanId, RotationSlotId, ServiceTeamId, TypedId},
    rotation_plan,
    rotation_slot::{self, Column, Model, Origin, State},
    service_team_member,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use super::{
    block, generate,
    plan::{self, Opened},
    states::{self, REASSIGNABLE, SLOT},
    timetable::{self, Turn},
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    calendar::{self, working_day::Calendar},
    governance::alliance::expect_version,
    list::transition::{self, Step, Transition, Viewer},
    page::{self, Order, Page},
    text,
};

/// The turns of the plans that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<rotation_slot::Entity> {
    let plans = plan::visible(ctx).select_only().column(rotation_plan::Column::Id).into_query();
    rotation_slot::Entity::find().filter(Column::PlanId.in_subquery(plans))
}

/// One turn, if the caller may see it.
pub async fn find(ctx: &Ctx, id: RotationSlotId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// What a list of turns is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct SlotFilter {
    pub alliance_id: Option<AllianceId>,
    pub plan_id: Option<RotationPlanId>,
    pub team_id: Option<ServiceTeamId>,
    /// A unit of the team.
    pub organization_id: Option<OrganizationId>,
    pub states: Option<Vec<State>>,
    /// Only turns that end after this day.
    pub from: Option<NaiveDate>,
    /// Only turns that begin before this day.
    pub to: Option<NaiveDate>,
}

/// The turns that the caller may see, by their first day.
pub async fn list(
    ctx: &Ctx,
    filter: SlotFilter,
    descending: bool,
    args: &page::Args,
) -> Result<Page<rotation_slot::Entity>> {
    ctx.require_signed_in()?;
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance_id {
        select = select.filter(Column::AllianceId.eq(alliance));
    }
    if let Some(plan) = filter.plan_id {
        select = select.filter(Column::PlanId.eq(plan));
    }
    if let Some(team) = filter.team_id {
        select = select.filter(Column::TeamId.eq(team));
    }
    if let Some(organization) = filter.organization_id {
        let teams = service_team_member::Entity::find()
            .select_only()
            .column(service_team_member::Column::TeamId)
            .filter(service_team_member::Column::OrganizationId.eq(organization))
            .into_query();
        select = select.filter(Column::TeamId.in_subquery(teams));
    }
    if let Some(states) = filter.states {
        select = select.filter(Column::State.is_in(states));
    }
    if let Some(from) = filter.from {
        select = select.filter(Column::EndsOn.gt(from));
    }
    if let Some(to) = filter.to {
        select = select.filter(Column::StartsOn.lt(to));
    }
    page::fetch(ctx, select, Order { column: Column::StartsOn, descending }, Column::Id, args).await
}

/// The turn that an alliance is in today, if its published rotation has one.
pub async fn current_duty(ctx: &Ctx, alliance: AllianceId) -> Result<Option<Model>> {
    ctx.require_signed_in()?;
    let alliance = plan::alliance_of(ctx, ctx.read(), alliance).await?;
    on_duty(ctx.read(), &alliance, timetable::today(&alliance, ctx.now())).await
}

/// The announced turn of an alliance on a day.
pub async fn on_duty(
    db: &impl ConnectionTrait,
    alliance: &alliance::Model,
    on: NaiveDate,
) -> Result<Option<Model>> {
    Ok(rotation_slot::Entity::find()
        .filter(Column::AllianceId.eq(alliance.id))
        .filter(Column::StartsOn.lte(on))
        .filter(Column::EndsOn.gt(on))
        .filter(Column::State.is_not_in([State::Scheduled, State::Excused]))
        .order_by_desc(Column::StartsOn)
        .one(db)
        .await?)
}

/// A turn under its plan's lock.
pub struct OpenedSlot {
    pub opened: Opened,
    pub slot: Model,
    /// The units of the team on duty.
    pub units: Vec<OrganizationId>,
}

impl OpenedSlot {
    pub fn turn(&self) -> Turn {
        turn_of(&self.slot, &self.opened.alliance)
    }

    /// What is acted on.
    pub fn target(&self) -> Target<'_> {
        Target::alliance(self.slot.alliance_id).of(&self.units)
    }
}

/// A stored turn in days and instants.
pub fn turn_of(slot: &Model, alliance: &alliance::Model) -> Turn {
    timetable::turn(slot.number, (slot.starts_on, slot.ends_on), timetable::zone(alliance))
}

/// Locks a turn for this unit of work, by locking its plan first.
pub async fn open(tx: &Tx<'_>, id: RotationSlotId) -> Result<OpenedSlot> {
    let missing = || Error::NotFound(RotationSlotId::NOUN);
    let seen = visible(tx.ctx).filter(Column::Id.eq(id)).one(&tx.db).await?.ok_or_else(missing)?;
    let opened = plan::open(tx, seen.plan_id).await?;
    // Read again: it may have changed while this waited for the lock.
    let slot = rotation_slot::Entity::find_by_id(id).one(&tx.db).await?.ok_or_else(missing)?;
    let units = plan::units(&tx.db, [slot.team_id]).await?;
    Ok(OpenedSlot { opened, slot, units })
}

/// Moves a turn to another state.
pub async fn move_to(tx: &Tx<'_>, slot: Model, to: State, reason: Option<String>) -> Result<Model> {
    let version = slot.version + 1;
    let mut row = slot.into_active_model();
    row.state = Set(to);
    if reason.is_some() {
        row.reason = Set(reason);
    }
    if to == State::Missed {
        row.missed_at = Set(Some(tx.ctx.now()));
    }
    row.updated_at = Set(tx.ctx.now());
    row.version = Set(version);
    Ok(row.update(&tx.db).await?)
}

/// Gives a turn to a team by hand, in place of whichever team had it.
pub async fn assign(
    ctx: &Ctx,
    plan_id: RotationPlanId,
    number: i32,
    team: ServiceTeamId,
    reason: Option<&str>,
    expected_version: Option<i64>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let opened = plan::open(&tx, plan_id).await?;
    ctx.require(&tx.db, Action::AssignRotationSlot, Target::alliance(opened.plan.alliance_id)).await?;
    let slot = give(&tx, &opened, number, team, reason, expected_version).await?;
    tx.commit(slot.id).await?;
    Ok(slot)
}

/// Gives a turn of a plan that this unit of work holds, whose rights were checked. What is refused has written nothing.
pub async fn give(
    tx: &Tx<'_>,
    opened: &Opened,
    number: i32,
    team: ServiceTeamId,
    reason: Option<&str>,
    expected_version: Option<i64>,
) -> Result<Model> {
    let (ctx, plan_id) = (tx.ctx, opened.plan.id);
    opened.require_editable()?;
    let number = text::within(number, "slotNumber", 1, opened.plan.slot_count)?;
    let reason = text::optional(reason, "reason", 2000)?;
    let table = opened.timetable();
    let turn = table.turn(number)?;
    if opened.is_frozen(&turn, ctx.now()) {
        return Err(Error::refused(Code::SlotBegun).with("month", table.label(turn.starts_on)));
    }
    block::require_listed(&tx.db, opened, team).await?;
    block::require_free(&tx.db, opened, team, number).await?;
    let published = opened.plan.state == rotation_plan::State::Published;
    let state = if published { State::Announced } else { State::Scheduled };
    let existing = rotation_slot::Entity::find()
        .filter(Column::PlanId.eq(plan_id))
        .filter(Column::Number.eq(number))
        .one(&tx.db)
        .await?;
    let before = existing.as_ref().map(|slot| slot.team_id);
    let slot = if let Some(slot) = existing {
        if let Some(expected) = expected_version {
            expect_version(expected, slot.version)?;
        }
        if !REASSIGNABLE.contains(&slot.state) {
            return Err(states::refused(slot.state));
        }
        let version = slot.version + 1;
        let mut row = slot.into_active_model();
        row.team_id = Set(team);
        row.origin = Set(Origin::Assigned);
        row.state = Set(state);
        row.reason = Set(reason.clone());
        row.updated_at = Set(ctx.now());
        row.version = Set(version);
        row.update(&tx.db).await?
    } else {
        let mut row = generate::fresh_slot(ctx, &opened.plan, &turn, team, Origin::Assigned, state);
        row.reason = Set(reason.clone());
        row.insert(&tx.db).await?
    };
    let units =
        if published { plan::units(&tx.db, before.into_iter().chain([team])).await? } else { Vec::new() };
    let mut fact = Fact::of(Event::RotationSlotAssigned, slot.id)
        .alliance(slot.alliance_id)
        .organizations(units)
        .detail("number", number)
        .detail("toTeamId", team.to_string())
        .reason(reason.as_deref());
    if let Some(before) = before {
        fact = fact.detail("fromTeamId", before.to_string());
    }
    tx.record(fact).await?;
    Ok(slot)
}

/// Excuses a team from its turn.
pub async fn excuse(
    ctx: &Ctx,
    id: RotationSlotId,
    reason: &str,
    expected_version: Option<i64>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = open(&tx, id).await?;
    ctx.require(&tx.db, Action::ExcuseRotationSlot, open.target()).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, open.slot.version)?;
    }
    let to = states::follow(SLOT, "excuseRotationSlot", open.slot.state)?;
    let reason = text::required(reason, "reason", 2000)?;
    let from = open.slot.state;
    let slot = move_to(&tx, open.slot, to, Some(reason.clone())).await?;
    tx.record(
        Fact::of(Event::RotationSlotExcused, id)
            .alliance(slot.alliance_id)
            .organizations(open.units)
            .moved(states::text(from), states::text(to))
            .reason(Some(&reason)),
    )
    .await?;
    tx.commit(id).await?;
    Ok(slot)
}

/// The instant by which a team must have checked in; none where a day on the way lies in a year without a published notice.
pub fn check_in_deadline(
    slot: &Model,
    plan: &rotation_plan::Model,
    alliance: &alliance::Model,
    calendar: &Calendar,
) -> Option<DateTime<Utc>> {
    // Whoever was told late has the same number of days from then on.
    let told_on = plan.published_at.map(|at| timetable::today(alliance, at));
    let from = told_on.map_or(slot.starts_on, |told| told.max(slot.starts_on));
    if from >= slot.ends_on {
        return None;
    }
    let nth = u32::try_from(alliance.check_in_working_day).ok()?;
    let due = calendar.nth_working_day_of(from, nth)?;
    if due.provisional {
        return None;
    }
    let after = due.on.checked_add_days(Days::new(1))?;
    Some(super::slots::local_midnight(after, timetable::zone(alliance)))
}

/// The background's hand: finds announced turns in which nobody checked in in time and marks each once.
pub async fn mark_missed(ctx: &Ctx) -> Result<usize> {
    let now = ctx.now();
    // Anywhere on earth the day is at most one ahead.
    let latest = now.date_naive().checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    let waiting = rotation_slot::Entity::find()
        .find_also_related(rotation_plan::Entity)
        .filter(Column::State.eq(State::Announced))
        .filter(Column::StartsOn.lte(latest))
        .filter(
            rotation_plan::Column::State
                .is_in([rotation_plan::State::Published, rotation_plan::State::Ended]),
        )
        .all(ctx.read())
        .await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let alliances: HashMap<AllianceId, alliance::Model> = alliance::Entity::find()
        .filter(alliance::Column::Id.is_in(waiting.iter().map(|(slot, _)| slot.alliance_id)))
        .all(ctx.read())
        .await?
        .into_iter()
        .map(|alliance| (alliance.id, alliance))
        .collect();
    let mut calendars: HashMap<AllianceId, Calendar> = HashMap::new();
    let mut marked = 0;
    for (slot, plan) in &waiting {
        let (Some(plan), Some(alliance)) = (plan, alliances.get(&slot.alliance_id)) else { continue };
        // The nth working day is the nth day at the earliest: until then nothing has to be read.
        let days = u64::try_from(alliance.check_in_working_day).unwrap_or_default();
        let earliest = slot.starts_on.checked_add_days(Days::new(days));
        if earliest.is_none_or(|earliest| timetable::today(alliance, now) < earliest) {
            continue;
        }
        let calendar = match calendars.entry(alliance.id) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => place.insert(calendar::store::load(ctx.read(), Some(alliance.id)).await?),
        };
        let due = check_in_deadline(slot, plan, alliance, calendar);
        if due.is_some_and(|due| due <= now) && miss(ctx, slot.id).await? {
            marked += 1;
        }
    }
    Ok(marked)
}

/// Marks one turn missed unless somebody was faster: a team, the committee, or another node.
async fn miss(ctx: &Ctx, id: RotationSlotId) -> Result<bool> {
    let tx = ctx.begin().await?;
    let open = open(&tx, id).await?;
    let Some(to) = states::miss(open.slot.state) else { return Ok(false) };
    let calendar = calendar::store::load(&tx.db, Some(open.slot.alliance_id)).await?;
    let due = check_in_deadline(&open.slot, &open.opened.plan, &open.opened.alliance, &calendar);
    let came = check_in::Entity::find().filter(check_in::Column::SlotId.eq(id)).one(&tx.db).await?;
    if came.is_some() || due.is_none_or(|due| due > ctx.now()) {
        return Ok(false);
    }
    let from = open.slot.state;
    let slot = move_to(&tx, open.slot, to, None).await?;
    tx.record(
        Fact::of(Event::RotationSlotMissed, id)
            .alliance(slot.alliance_id)
            .organizations(open.units)
            .moved(states::text(from), states::text(to))
            .detail("number", slot.number),
    )
    .await?;
    tx.commit(id).await?;
    Ok(true)
}

/// What the viewer may do to a turn next, and what stands in the way; from what was read already. `incoming` are the units
/// of the team that the turn is being handed to.
pub fn transitions(
    now: DateTime<Utc>,
    slot: &Model,
    alliance: &alliance::Model,
    viewer: Viewer<'_>,
    units: &[OrganizationId],
    incoming: &[OrganizationId],
) -> Vec<Transition> {
    let target = Target::alliance(slot.alliance_id);
    let (taking, others): (Vec<Step<State>>, Vec<Step<State>>) =
        SLOT.iter().copied().partition(|step| step.action == Action::AcknowledgeHandover);
    let mut found = transition::offer(&others, slot.state, viewer, target.of(units), |step| {
        let early = step.action == Action::RecordCheckIn && !turn_of(slot, alliance).begun(now);
        early.then(|| not_begun(slot)).into_iter().collect()
    });
    found.extend(transition::offer(&taking, slot.state, viewer, target.of(incoming), |_| Vec::new()));
    found
}

/// The refusal of what a turn still to come does not allow.
pub fn not_begun(slot: &Model) -> Error {
    Error::refused(Code::SlotNotBegun).with("month", slot.starts_on)
}
