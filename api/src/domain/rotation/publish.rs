//! A plan's way from draft to its end: submitted to the oversight body where the alliance has one, approved, published,
//! ended. Publishing announces the turns; ending excuses those that have not begun.

use chrono::NaiveDate;
use concord_entities::{
    id::RotationPlanId,
    rotation_plan::{self, Model, State},
    rotation_slot, seat,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder, sea_query::Expr,
};

use super::{
    generate,
    plan::{self, Opened},
    states::{self, PLAN},
    timetable,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    governance::alliance::expect_version,
    list::transition::{self, Transition, Viewer},
    text,
};

/// Opens a plan for one of its steps, with the state that the step leads to.
async fn begin_step(
    ctx: &Ctx,
    tx: &Tx<'_>,
    id: RotationPlanId,
    expected_version: Option<i64>,
    mutation: &str,
    action: Action,
) -> Result<(Opened, State)> {
    let opened = plan::open(tx, id).await?;
    ctx.require(&tx.db, action, Target::alliance(opened.plan.alliance_id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, opened.plan.version)?;
    }
    let to = states::follow(PLAN, mutation, opened.plan.state)?;
    Ok((opened, to))
}

/// Writes the new state down with its event.
async fn end_step(tx: Tx<'_>, mut row: Model, to: State, fact: Fact) -> Result<Model> {
    let from = row.state;
    row.state = to;
    row.version += 1;
    let row = row.into_active_model().reset_all().update(&tx.db).await?;
    tx.record(fact.alliance(row.alliance_id).moved(states::text(from), states::text(to))).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Submits a complete draft to the oversight body.
pub async fn submit(ctx: &Ctx, id: RotationPlanId, expected_version: Option<i64>) -> Result<Model> {
    let tx = ctx.begin().await?;
    let (opened, to) =
        begin_step(ctx, &tx, id, expected_version, "submitRotationPlan", Action::ManageRotationPlan).await?;
    if opened.alliance.oversight_organization_id.is_none() {
        return Err(Error::refused(Code::ApprovalNotNeeded));
    }
    require_complete(ctx, &tx, &opened).await?;
    let fact =
        Fact::of(Event::RotationPlanSubmitted, id).organizations(opened.alliance.oversight_organization_id);
    end_step(tx, opened.plan, to, fact).await
}

/// Approves a submitted plan for the oversight body.
pub async fn approve(ctx: &Ctx, id: RotationPlanId, expected_version: Option<i64>) -> Result<Model> {
    let tx = ctx.begin().await?;
    let (opened, to) =
        begin_step(ctx, &tx, id, expected_version, "approveRotationPlan", Action::ApproveRotationPlan)
            .await?;
    let mut row = opened.plan;
    row.approved_by = ctx.author();
    row.approved_at = Some(ctx.now());
    let fact =
        Fact::of(Event::RotationPlanApproved, id).organizations(opened.alliance.committee_organization_id);
    end_step(tx, row, to, fact).await
}

/// Sends a submitted or approved plan back to be changed.
pub async fn send_back(
    ctx: &Ctx,
    id: RotationPlanId,
    expected_version: Option<i64>,
    reason: &str,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let (opened, to) =
        begin_step(ctx, &tx, id, expected_version, "returnRotationPlan", Action::ApproveRotationPlan).await?;
    let reason = text::required(reason, "reason", 2000)?;
    let mut row = opened.plan;
    row.approved_by = None;
    row.approved_at = None;
    let fact = Fact::of(Event::RotationPlanReturned, id)
        .organizations(opened.alliance.committee_organization_id)
        .reason(Some(&reason));
    end_step(tx, row, to, fact).await
}

/// Publishes a plan: its turns are announced to the teams.
pub async fn publish(ctx: &Ctx, id: RotationPlanId, expected_version: Option<i64>) -> Result<Model> {
    let tx = ctx.begin().await?;
    let (opened, to) =
        begin_step(ctx, &tx, id, expected_version, "publishRotationPlan", Action::ManageRotationPlan).await?;
    if needs_approval(&opened) {
        return Err(Error::refused(Code::ApprovalRequired));
    }
    require_complete(ctx, &tx, &opened).await?;
    require_alone(&tx.db, &opened.plan).await?;
    rotation_slot::Entity::update_many()
        .col_expr(rotation_slot::Column::State, Expr::value(rotation_slot::State::Announced))
        .col_expr(rotation_slot::Column::Version, Expr::col(rotation_slot::Column::Version).add(1))
        .col_expr(rotation_slot::Column::UpdatedAt, Expr::value(ctx.now()))
        .filter(rotation_slot::Column::PlanId.eq(id))
        .filter(rotation_slot::Column::State.eq(rotation_slot::State::Scheduled))
        // A turn that went by before anybody was told of it is no duty.
        .filter(rotation_slot::Column::EndsOn.gt(timetable::today(&opened.alliance, ctx.now())))
        .exec(&tx.db)
        .await?;
    let teams = plan::slots_of(&tx.db, id).await?.into_iter().map(|slot| slot.team_id);
    let units = plan::units(&tx.db, teams).await?;
    let mut row = opened.plan;
    row.published_at = Some(ctx.now());
    end_step(tx, row, to, Fact::of(Event::RotationPlanPublished, id).organizations(units)).await
}

fn needs_approval(opened: &Opened) -> bool {
    opened.alliance.oversight_organization_id.is_some() && opened.plan.state == State::Draft
}

/// Ends a plan; turns that have not begun are excused, so that another plan can take their time.
pub async fn end(
    ctx: &Ctx,
    id: RotationPlanId,
    expected_version: Option<i64>,
    reason: Option<&str>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let (opened, to) =
        begin_step(ctx, &tx, id, expected_version, "endRotationPlan", Action::ManageRotationPlan).await?;
    let reason = text::optional(reason, "reason", 2000)?;
    let (table, now) = (opened.timetable(), ctx.now());
    let mut teams = Vec::new();
    for slot in plan::slots_of(&tx.db, id).await? {
        let open = matches!(slot.state, rotation_slot::State::Scheduled | rotation_slot::State::Announced);
        if !open || table.turn(slot.number)?.begun(now) {
            continue;
        }
        teams.push(slot.team_id);
        let version = slot.version + 1;
        let mut slot = slot.into_active_model();
        slot.state = Set(rotation_slot::State::Excused);
        slot.reason = Set(reason.clone());
        slot.updated_at = Set(now);
        slot.version = Set(version);
        slot.update(&tx.db).await?;
    }
    let units = plan::units(&tx.db, teams).await?;
    let fact = Fact::of(Event::RotationPlanEnded, id).organizations(units).reason(reason.as_deref());
    end_step(tx, opened.plan, to, fact).await
}

/// Turns away a plan with turns that are empty or whose team may not take them.
async fn require_complete(ctx: &Ctx, tx: &Tx<'_>, opened: &Opened) -> Result<()> {
    let teams = plan::team_order(&tx.db, opened.plan.id).await?;
    plan::require_teams(&tx.db, opened.plan.alliance_id, &teams).await?;
    let missing = incomplete(&tx.db, opened, ctx).await?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Error::refused(Code::RotationIncomplete).with("months", missing.join(", ")))
    }
}

/// The turns that stand in the way of publishing, as people name them. Turns that went by before the plan was filled do not.
async fn incomplete(db: &impl ConnectionTrait, opened: &Opened, ctx: &Ctx) -> Result<Vec<String>> {
    let table = opened.timetable();
    let report = generate::report(db, &opened.plan, &opened.alliance, ctx.now()).await?;
    let mut wanting: Vec<i32> = report.conflicting;
    for number in report.empty {
        if !table.turn(number)?.ended(ctx.now()) {
            wanting.push(number);
        }
    }
    wanting.sort_unstable();
    wanting.iter().map(|number| Ok(table.label(table.turn(*number)?.starts_on))).collect()
}

/// Turns away a plan of which a turn falls into one of another published plan of the alliance.
pub async fn require_alone(db: &impl ConnectionTrait, own: &Model) -> Result<()> {
    let mine = plan::slots_of(db, own.id).await?;
    let live = |slot: &&rotation_slot::Model| slot.state != rotation_slot::State::Excused;
    let (Some(first), Some(last)) = (mine.iter().find(live), mine.iter().rfind(live)) else {
        return Ok(());
    };
    require_untaken(db, own, (first.starts_on, last.ends_on)).await
}

/// Turns away days of a plan, up to the second, of which one falls into a turn of another published plan of the alliance.
pub async fn require_untaken(
    db: &impl ConnectionTrait,
    own: &Model,
    (from, to): (NaiveDate, NaiveDate),
) -> Result<()> {
    let other = rotation_slot::Entity::find()
        .find_also_related(rotation_plan::Entity)
        .filter(rotation_slot::Column::AllianceId.eq(own.alliance_id))
        .filter(rotation_slot::Column::PlanId.ne(own.id))
        .filter(rotation_slot::Column::State.ne(rotation_slot::State::Excused))
        .filter(rotation_slot::Column::StartsOn.lt(to))
        .filter(rotation_slot::Column::EndsOn.gt(from))
        .filter(rotation_plan::Column::State.is_in([State::Published, State::Ended]))
        .order_by_asc(rotation_slot::Column::StartsOn)
        .one(db)
        .await?;
    match other {
        Some((_, other)) => {
            let name = other.map(|plan| plan.name).unwrap_or_default();
            Err(Error::refused(Code::RotationOverlaps).with("plan", name))
        }
        None => Ok(()),
    }
}

/// What the viewer may do to a plan next, and what stands in the way.
pub async fn transitions(ctx: &Ctx, row: &Model, seats: &[seat::Model]) -> Result<Vec<Transition>> {
    let alliance = plan::alliance_of(ctx, ctx.read(), row.alliance_id).await?;
    let opened = Opened { plan: row.clone(), alliance };
    // Only what is about to be shown to others has to be complete.
    let wanting = match row.state {
        State::Draft | State::Approved => incomplete(ctx.read(), &opened, ctx).await?,
        _ => Vec::new(),
    };
    let viewer = Viewer { actor: ctx.actor, seats };
    let target = Target::alliance(row.alliance_id);
    Ok(transition::offer(PLAN, row.state, viewer, target, |step| {
        let mut missing = Vec::new();
        match step.mutation {
            "submitRotationPlan" if opened.alliance.oversight_organization_id.is_none() => {
                missing.push(Error::refused(Code::ApprovalNotNeeded));
            }
            "publishRotationPlan" if needs_approval(&opened) => {
                missing.push(Error::refused(Code::ApprovalRequired));
            }
            _ => {}
        }
        let shows = matches!(step.mutation, "submitRotationPlan" | "publishRotationPlan");
        if shows && !wanting.is_empty() {
            missing.push(Error::refused(Code::RotationIncomplete).with("months", wanting.join(", ")));
        }
        missing
    }))
}
