//! Swaps: two teams change places. A swap is bound to the two turns as they were when it was asked for; both teams agree,
//! the committee approves. It is a recorded fact and no state of a turn.

use concord_entities::{
    id::{
        AllianceId, OrganizationId, RotationPlanId, RotationSlotId, RotationSwapId, ServiceTeamId, TypedId,
    },
    rotation_slot::{self, Origin},
    rotation_swap::{self, Column, Model, State},
    seat,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    Select,
};

use super::{
    block,
    plan::{self, Opened},
    slot,
    states::{self, OPEN_SWAP, SWAP},
};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    governance::alliance::expect_version,
    list::transition::{self, Step, Transition, Viewer},
    page::{self, Order, Page},
    policy, scope, text,
};

/// The swaps of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<rotation_swap::Entity> {
    rotation_swap::Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One swap, if the caller may see it.
pub async fn find(ctx: &Ctx, id: RotationSwapId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// What a list of swaps is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct SwapFilter {
    pub alliance_id: Option<AllianceId>,
    pub plan_id: Option<RotationPlanId>,
    pub states: Option<Vec<State>>,
}

/// The swaps that the caller may see, by when they were proposed.
pub async fn list(
    ctx: &Ctx,
    filter: SwapFilter,
    descending: bool,
    args: &page::Args,
) -> Result<Page<rotation_swap::Entity>> {
    ctx.require_signed_in()?;
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance_id {
        select = select.filter(Column::AllianceId.eq(alliance));
    }
    if let Some(plan) = filter.plan_id {
        select = select.filter(Column::PlanId.eq(plan));
    }
    if let Some(states) = filter.states {
        select = select.filter(Column::State.is_in(states));
    }
    page::fetch(ctx, select, Order { column: Column::CreatedAt, descending }, Column::Id, args).await
}

/// A swap under its plan's lock, with its two turns as they are now and the units of the two teams.
struct OpenedSwap {
    opened: Opened,
    swap: Model,
    slots: [rotation_slot::Model; 2],
    units: [Vec<OrganizationId>; 2],
}

impl OpenedSwap {
    fn everybody(&self) -> impl Iterator<Item = OrganizationId> + '_ {
        self.units.iter().flatten().copied()
    }
}

async fn open(tx: &Tx<'_>, id: RotationSwapId) -> Result<OpenedSwap> {
    let missing = || Error::NotFound(RotationSwapId::NOUN);
    let seen = visible(tx.ctx).filter(Column::Id.eq(id)).one(&tx.db).await?.ok_or_else(missing)?;
    let opened = plan::open(tx, seen.plan_id).await?;
    let swap = rotation_swap::Entity::find_by_id(id).one(&tx.db).await?.ok_or_else(missing)?;
    let slots = pair(&tx.db, swap.first_slot_id, swap.second_slot_id).await?;
    let units =
        [plan::units(&tx.db, [swap.first_team_id]).await?, plan::units(&tx.db, [swap.second_team_id]).await?];
    Ok(OpenedSwap { opened, swap, slots, units })
}

/// Two turns, in the order asked.
async fn pair(
    db: &impl ConnectionTrait,
    first: RotationSlotId,
    second: RotationSlotId,
) -> Result<[rotation_slot::Model; 2]> {
    let missing = || Error::NotFound(RotationSlotId::NOUN);
    let rows = rotation_slot::Entity::find()
        .filter(rotation_slot::Column::Id.is_in([first, second]))
        .all(db)
        .await?;
    let of = |id| rows.iter().find(|row| row.id == id).cloned().ok_or_else(missing);
    Ok([of(first)?, of(second)?])
}

/// A swap about to be proposed.
#[derive(Clone, Debug)]
pub struct NewSwap {
    /// The turn of the team that asks.
    pub first_slot_id: RotationSlotId,
    /// The turn that it asks for.
    pub second_slot_id: RotationSlotId,
    pub reason: String,
}

/// Proposes a swap; the team that asks has thereby agreed.
pub async fn propose(ctx: &Ctx, new: NewSwap) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = slot::open(&tx, new.first_slot_id).await?;
    let standing = ctx.require(&tx.db, Action::ProposeSwap, open.target()).await?;
    let second = slot::visible(ctx)
        .filter(rotation_slot::Column::Id.eq(new.second_slot_id))
        .filter(rotation_slot::Column::PlanId.eq(open.slot.plan_id))
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(RotationSlotId::NOUN))?;
    let reason = text::required(&new.reason, "reason", 2000)?;
    if open.slot.team_id == second.team_id {
        return Err(Error::invalid(Code::SwapPointless, "secondSlotId"));
    }
    for slot in [&open.slot, &second] {
        require_swappable(ctx, &open.opened, slot)?;
    }
    require_places(&tx.db, &open.opened, [&open.slot, &second]).await?;
    if holding(&tx.db, [open.slot.id, second.id]).await? {
        return Err(Error::refused(Code::SwapOverlaps));
    }
    let row = Model {
        id: ctx.new_id(),
        alliance_id: open.slot.alliance_id,
        plan_id: open.slot.plan_id,
        first_slot_id: open.slot.id,
        second_slot_id: second.id,
        first_team_id: open.slot.team_id,
        second_team_id: second.team_id,
        first_slot_version: open.slot.version,
        second_slot_version: second.version,
        state: State::Proposed,
        reason,
        proposed_by: ctx.author(),
        first_agreed_by: ctx.author(),
        first_agreed_at: Some(ctx.now()),
        first_by_committee: !is_own(&tx.db, ctx, open.slot.alliance_id, &open.units).await?
            && standing.account_id.is_some(),
        second_agreed_by: None,
        second_agreed_at: None,
        second_by_committee: false,
        decided_by: None,
        decided_at: None,
        created_at: ctx.now(),
        version: 1,
    };
    let row = row.into_active_model().reset_all().insert(&tx.db).await?;
    let units = plan::units(&tx.db, [row.first_team_id, row.second_team_id]).await?;
    let fact = Fact::of(Event::RotationSwapProposed, row.id).organizations(units);
    tx.record(tell(fact, &row, None).reason(Some(&row.reason))).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// The details that every event of a swap carries.
fn tell(fact: Fact, swap: &Model, from: Option<State>) -> Fact {
    let fact = fact
        .alliance(swap.alliance_id)
        .detail("firstSlotId", swap.first_slot_id.to_string())
        .detail("secondSlotId", swap.second_slot_id.to_string())
        .detail("firstTeamId", swap.first_team_id.to_string())
        .detail("secondTeamId", swap.second_team_id.to_string());
    match from {
        Some(from) => fact.moved(states::text(from), states::text(swap.state)),
        None => fact,
    }
}

/// Turns away turns that have begun or are not announced.
fn require_swappable(ctx: &Ctx, opened: &Opened, slot: &rotation_slot::Model) -> Result<()> {
    if slot::turn_of(slot, &opened.alliance).begun(ctx.now()) {
        let month = opened.timetable().label(slot.starts_on);
        return Err(Error::refused(Code::SlotBegun).with("month", month));
    }
    if slot.state != rotation_slot::State::Announced {
        return Err(states::refused(slot.state));
    }
    Ok(())
}

/// Turns away a swap that would put a team into a turn that is blocked for it.
async fn require_places(
    db: &impl ConnectionTrait,
    opened: &Opened,
    [first, second]: [&rotation_slot::Model; 2],
) -> Result<()> {
    block::require_free(db, opened, first.team_id, second.number).await?;
    block::require_free(db, opened, second.team_id, first.number).await
}

/// Whether one of the turns stands in a swap that is still open.
async fn holding(db: &impl ConnectionTrait, slots: [RotationSlotId; 2]) -> Result<bool> {
    let held = rotation_swap::Entity::find()
        .filter(Column::State.is_in(OPEN_SWAP))
        .filter(Condition::any().add(Column::FirstSlotId.is_in(slots)).add(Column::SecondSlotId.is_in(slots)))
        .one(db)
        .await?;
    Ok(held.is_some())
}

/// Whether the caller acts for one of these units rather than in its place.
async fn is_own(
    db: &impl ConnectionTrait,
    ctx: &Ctx,
    alliance: AllianceId,
    units: &[OrganizationId],
) -> Result<bool> {
    let Actor::Account { id, .. } = ctx.actor else { return Ok(false) };
    let seats = policy::active_seats(db, id, alliance).await?;
    Ok(seats.iter().any(|seat| seat.organization_id.is_some_and(|own| units.contains(&own))))
}

/// Agrees to a swap for one of its teams; without naming it, for the one that the caller acts for, or that is missing.
pub async fn agree(
    ctx: &Ctx,
    id: RotationSwapId,
    team: Option<ServiceTeamId>,
    expected_version: Option<i64>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = open(&tx, id).await?;
    let everybody: Vec<OrganizationId> = open.everybody().collect();
    let alliance = open.swap.alliance_id;
    ctx.require(&tx.db, Action::AgreeSwap, Target::alliance(alliance).of(&everybody)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, open.swap.version)?;
    }
    let to = states::follow(SWAP, "agreeSwap", open.swap.state)?;
    let [first_units, second_units] = &open.units;
    let second = match team {
        Some(team) if team == open.swap.first_team_id => false,
        Some(team) if team == open.swap.second_team_id => true,
        Some(_) => return Err(Error::NotFound(ServiceTeamId::NOUN)),
        // The team that asked agreed when it asked, so it is the other one's word that is missing.
        None => open.swap.second_agreed_at.is_none(),
    };
    let units = if second { second_units } else { first_units };
    ctx.require(&tx.db, Action::AgreeSwap, Target::alliance(alliance).of(units)).await?;
    let by_committee = ctx.author().is_some() && !is_own(&tx.db, ctx, alliance, units).await?;
    let from = open.swap.state;
    let mut row = open.swap.clone();
    let (said, other_by_committee) = if second {
        (row.second_agreed_at, row.first_by_committee)
    } else {
        (row.first_agreed_at, row.second_by_committee)
    };
    if said.is_some() {
        return Err(Error::refused(Code::AlreadyExists));
    }
    if by_committee && other_by_committee {
        return Err(Error::refused(Code::SwapNeedsTeam));
    }
    if second {
        (row.second_agreed_by, row.second_agreed_at) = (ctx.author(), Some(ctx.now()));
        row.second_by_committee = by_committee;
    } else {
        (row.first_agreed_by, row.first_agreed_at) = (ctx.author(), Some(ctx.now()));
        row.first_by_committee = by_committee;
    }
    if row.first_agreed_at.is_some() && row.second_agreed_at.is_some() {
        row.state = to;
    }
    row.version += 1;
    let row = row.into_active_model().reset_all().update(&tx.db).await?;
    let fact =
        Fact::of(Event::RotationSwapAgreed, id).organizations(everybody).detail("byCommittee", by_committee);
    tx.record(tell(fact, &row, Some(from))).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Approves a swap: the two turns change teams at once, or nothing changes.
pub async fn approve(ctx: &Ctx, id: RotationSwapId, expected_version: Option<i64>) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = open(&tx, id).await?;
    ctx.require(&tx.db, Action::ApproveSwap, Target::alliance(open.swap.alliance_id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, open.swap.version)?;
    }
    let to = states::follow(SWAP, "approveSwap", open.swap.state)?;
    if is_stale(ctx, &open.swap, &open.slots, &open.opened) {
        return Err(Error::refused(Code::SwapStale));
    }
    let [first, second] = &open.slots;
    require_places(&tx.db, &open.opened, [first, second]).await?;
    for (slot, team) in [(first, second.team_id), (second, first.team_id)] {
        let mut row = slot.clone();
        row.team_id = team;
        // What two teams agreed on is not the generator's to change.
        row.origin = Origin::Assigned;
        row.updated_at = ctx.now();
        row.version += 1;
        let row = row.into_active_model().reset_all().update(&tx.db).await?;
        tx.record(
            Fact::of(Event::RotationSlotAssigned, row.id)
                .alliance(row.alliance_id)
                .detail("number", row.number)
                .detail("fromTeamId", slot.team_id.to_string())
                .detail("toTeamId", team.to_string())
                .detail("swapId", id.to_string()),
        )
        .await?;
    }
    let everybody: Vec<OrganizationId> = open.everybody().collect();
    decide(tx, open.swap, to, Event::RotationSwapApproved, everybody, None).await
}

/// Whether the turns are no longer what they were when the swap was proposed, or have begun.
fn is_stale(ctx: &Ctx, swap: &Model, [first, second]: &[rotation_slot::Model; 2], opened: &Opened) -> bool {
    (first.version, second.version) != (swap.first_slot_version, swap.second_slot_version)
        || (first.team_id, second.team_id) != (swap.first_team_id, swap.second_team_id)
        || require_swappable(ctx, opened, first).is_err()
        || require_swappable(ctx, opened, second).is_err()
}

async fn decide(
    tx: Tx<'_>,
    mut row: Model,
    to: State,
    event: Event,
    units: Vec<OrganizationId>,
    reason: Option<&str>,
) -> Result<Model> {
    let from = row.state;
    row.state = to;
    row.decided_by = tx.ctx.author();
    row.decided_at = Some(tx.ctx.now());
    row.version += 1;
    let row = row.into_active_model().reset_all().update(&tx.db).await?;
    let fact = Fact::of(event, row.id).organizations(units).reason(reason);
    tx.record(tell(fact, &row, Some(from))).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Declines a swap, for the team that was asked or for the committee.
pub async fn decline(
    ctx: &Ctx,
    id: RotationSwapId,
    reason: Option<&str>,
    expected_version: Option<i64>,
) -> Result<Model> {
    close(ctx, id, reason, expected_version, "declineSwap").await
}

/// Withdraws a swap, for the team that asked or for the committee.
pub async fn withdraw(
    ctx: &Ctx,
    id: RotationSwapId,
    reason: Option<&str>,
    expected_version: Option<i64>,
) -> Result<Model> {
    close(ctx, id, reason, expected_version, "withdrawSwap").await
}

async fn close(
    ctx: &Ctx,
    id: RotationSwapId,
    reason: Option<&str>,
    expected_version: Option<i64>,
    mutation: &str,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let open = open(&tx, id).await?;
    let [first, second] = &open.units;
    let (action, units, event) = if mutation == "declineSwap" {
        (Action::AgreeSwap, second, Event::RotationSwapDeclined)
    } else {
        (Action::ProposeSwap, first, Event::RotationSwapWithdrawn)
    };
    ctx.require(&tx.db, action, Target::alliance(open.swap.alliance_id).of(units)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, open.swap.version)?;
    }
    let to = states::follow(SWAP, mutation, open.swap.state)?;
    let reason = text::optional(reason, "reason", 2000)?;
    let everybody: Vec<OrganizationId> = open.everybody().collect();
    decide(tx, open.swap, to, event, everybody, reason.as_deref()).await
}

/// What the viewer may do to a swap next, and what stands in the way; from what was read already.
pub fn transitions(
    swap: &Model,
    viewer: Viewer<'_>,
    [first, second]: [&[OrganizationId]; 2],
) -> Vec<Transition> {
    let target = Target::alliance(swap.alliance_id);
    let (withdrawing, others): (Vec<Step<State>>, Vec<Step<State>>) =
        SWAP.iter().copied().partition(|step| step.action == Action::ProposeSwap);
    let own = |seat: &seat::Model| seat.organization_id.is_some_and(|own| second.contains(&own));
    let mut found = transition::offer(&others, swap.state, viewer, target.of(second), |step| {
        let alone = step.mutation == "agreeSwap" && swap.first_by_committee && !viewer.seats.iter().any(own);
        alone.then(|| Error::refused(Code::SwapNeedsTeam)).into_iter().collect()
    });
    found.extend(transition::offer(&withdrawing, swap.state, viewer, target.of(first), |_| Vec::new()));
    found
}
