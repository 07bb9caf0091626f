//! Rotation plans: drafted by the committee over an ordered list of teams, changed while in draft or for turns to come.
//! Turns are filled in `generate`; a plan's way through approval and publishing stands in `publish`.

use std::collections::{HashMap, HashSet};

use chrono::{Datelike, NaiveDate};
use concord_entities::{
    alliance, alliance_closure,
    id::{AllianceId, OrganizationId, RotationPlanId, ServiceTeamId, TypedId},
    organization,
    rotation_plan::{self, CadenceUnit, Column, Model, State},
    rotation_plan_team, rotation_slot,
    seat::{self, Role},
    service_team, service_team_member,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};

use super::{
    states::{self, EDITABLE},
    timetable::Timetable,
};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    governance::alliance::expect_version,
    page::{self, Order, Page},
    scope, text,
};

/// Most turns of a plan.
pub const MOST_SLOTS: i32 = 60;
/// Most teams of a plan.
pub const MOST_TEAMS: usize = 60;

/// Roles that see a plan before it is published.
const DRAFTING: [Role; 2] = [Role::Committee, Role::Approver];

/// The plans that the caller may see: published ones, and drafts where they draft or approve.
pub fn visible(ctx: &Ctx) -> Select<rotation_plan::Entity> {
    let told = Column::State.is_in([State::Published, State::Ended]);
    rotation_plan::Entity::find()
        .filter(scope::in_alliances(ctx, Column::AllianceId))
        .filter(Condition::any().add(told).add(drafting(ctx)))
}

fn drafting(ctx: &Ctx) -> Condition {
    match ctx.actor {
        Actor::System => Condition::all(),
        Actor::Account { id, .. } => {
            let alliances = seat::Entity::find()
                .select_only()
                .column(alliance_closure::Column::DescendantId)
                .join(
                    JoinType::InnerJoin,
                    seat::Entity::belongs_to(alliance_closure::Entity)
                        .from(seat::Column::AllianceId)
                        .to(alliance_closure::Column::AncestorId)
                        .into(),
                )
                .filter(seat::Column::AccountId.eq(id))
                .filter(seat::Column::State.eq(seat::State::Active))
                .filter(seat::Column::Role.is_in(DRAFTING))
                .into_query();
            Condition::all().add(Column::AllianceId.in_subquery(alliances))
        }
        Actor::Anonymous | Actor::Key(_) => Condition::all().add(Expr::val(1).eq(0)),
    }
}

/// One plan, if the caller may see it.
pub async fn find(ctx: &Ctx, id: RotationPlanId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// What a list of plans is narrowed by.
#[derive(Clone, Debug, Default)]
pub struct PlanFilter {
    pub alliance_id: Option<AllianceId>,
    pub states: Option<Vec<State>>,
}

/// The plans that the caller may see, by their first day.
pub async fn list(
    ctx: &Ctx,
    filter: PlanFilter,
    descending: bool,
    args: &page::Args,
) -> Result<Page<rotation_plan::Entity>> {
    ctx.require_signed_in()?;
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance_id {
        select = select.filter(Column::AllianceId.eq(alliance));
    }
    if let Some(states) = filter.states {
        select = select.filter(Column::State.is_in(states));
    }
    let order = Order { column: Column::AnchorOn, descending };
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// A plan under its lock, with the alliance it belongs to. The plan's lock is the lock of all its turns and swaps.
pub struct Opened {
    pub plan: Model,
    pub alliance: alliance::Model,
}

impl Opened {
    pub fn timetable(&self) -> Timetable {
        Timetable::of(&self.plan, &self.alliance)
    }

    /// Turns away a change of what was submitted or has ended.
    pub fn require_editable(&self) -> Result<()> {
        if EDITABLE.contains(&self.plan.state) { Ok(()) } else { Err(states::refused(self.plan.state)) }
    }

    /// Whether a turn is past changing: over, or begun once it has been announced.
    pub fn is_frozen(&self, turn: &super::timetable::Turn, now: chrono::DateTime<chrono::Utc>) -> bool {
        is_frozen(&self.plan, turn, now)
    }
}

/// Whether a turn is past changing: over, or begun once it has been announced.
pub fn is_frozen(plan: &Model, turn: &super::timetable::Turn, now: chrono::DateTime<chrono::Utc>) -> bool {
    turn.ended(now) || (plan.state != State::Draft && turn.begun(now))
}

/// Locks a plan for this unit of work.
pub async fn open(tx: &Tx<'_>, id: RotationPlanId) -> Result<Opened> {
    let plan = visible(tx.ctx)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(RotationPlanId::NOUN))?;
    let alliance = alliance::Entity::find_by_id(plan.alliance_id)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(AllianceId::NOUN))?;
    Ok(Opened { plan, alliance })
}

/// A visible alliance.
pub async fn alliance_of(ctx: &Ctx, db: &impl ConnectionTrait, id: AllianceId) -> Result<alliance::Model> {
    crate::domain::governance::alliance::visible(ctx)
        .filter(alliance::Column::Id.eq(id))
        .one(db)
        .await?
        .ok_or(Error::NotFound(AllianceId::NOUN))
}

/// What a plan is drafted with.
#[derive(Clone, Debug)]
pub struct NewPlan {
    pub alliance_id: AllianceId,
    pub name: String,
    /// First day of the first turn.
    pub anchor_on: NaiveDate,
    pub cadence_unit: CadenceUnit,
    pub cadence_every: i32,
    pub slot_count: i32,
    /// In the order of their turns.
    pub team_ids: Vec<ServiceTeamId>,
}

/// Drafts a plan.
pub async fn create(ctx: &Ctx, new: NewPlan) -> Result<Model> {
    let tx = ctx.begin().await?;
    let alliance = alliance_of(ctx, &tx.db, new.alliance_id).await?;
    ctx.require(&tx.db, Action::ManageRotationPlan, Target::alliance(alliance.id)).await?;
    let row = insert(&tx, &alliance, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Drafts a plan of an alliance within a unit of work whose rights were checked.
pub async fn insert(tx: &Tx<'_>, alliance: &alliance::Model, new: NewPlan) -> Result<Model> {
    let ctx = tx.ctx;
    let row = Model {
        id: ctx.new_id(),
        alliance_id: alliance.id,
        name: text::required(&new.name, "name", 128)?,
        anchor_on: anchor(new.anchor_on)?,
        cadence_unit: new.cadence_unit,
        cadence_every: text::within(new.cadence_every, "cadenceEvery", 1, 12)?,
        slot_count: text::within(new.slot_count, "slotCount", 1, MOST_SLOTS)?,
        state: State::Draft,
        approved_by: None,
        approved_at: None,
        published_at: None,
        created_at: ctx.now(),
        version: 1,
    };
    Timetable::of(&row, alliance).turn(row.slot_count)?;
    require_teams(&tx.db, alliance.id, &new.team_ids).await?;
    let row = row.into_active_model().reset_all().insert(&tx.db).await?;
    place(&tx.db, row.id, &new.team_ids).await?;
    tx.record(
        Fact::of(Event::RotationPlanCreated, row.id)
            .alliance(alliance.id)
            .detail("name", row.name.clone())
            .detail("anchorOn", row.anchor_on.to_string())
            .detail("slotCount", row.slot_count),
    )
    .await?;
    Ok(row)
}

fn anchor(on: NaiveDate) -> Result<NaiveDate> {
    if (2000..=2100).contains(&on.year()) {
        Ok(on)
    } else {
        Err(Error::invalid(Code::OutOfRange, "anchorOn")
            .with("least", "2000-01-01")
            .with("most", "2100-12-31"))
    }
}

/// What may change of a plan; what is absent stays. Name, anchor and cadence change in draft only.
#[derive(Clone, Debug, Default)]
pub struct PlanChange {
    pub name: Option<String>,
    pub anchor_on: Option<NaiveDate>,
    pub cadence_unit: Option<CadenceUnit>,
    pub cadence_every: Option<i32>,
    pub slot_count: Option<i32>,
    pub team_ids: Option<Vec<ServiceTeamId>>,
}

/// Changes a plan. Turns keep their teams until the rotation is generated again; turns past changing keep them for good.
pub async fn update(
    ctx: &Ctx,
    id: RotationPlanId,
    expected_version: i64,
    change: PlanChange,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let opened = open(&tx, id).await?;
    ctx.require(&tx.db, Action::ManageRotationPlan, Target::alliance(opened.plan.alliance_id)).await?;
    expect_version(expected_version, opened.plan.version)?;
    let plan = amend(&tx, &opened, change).await?;
    tx.commit(id).await?;
    Ok(plan)
}

/// Changes a plan that this unit of work holds, whose rights were checked.
pub async fn amend(tx: &Tx<'_>, opened: &Opened, change: PlanChange) -> Result<Model> {
    opened.require_editable()?;
    let (ctx, id) = (tx.ctx, opened.plan.id);
    let mut plan = opened.plan.clone();
    let dates = (plan.anchor_on, plan.cadence_unit, plan.cadence_every);
    if let Some(name) = change.name {
        plan.name = text::required(&name, "name", 128)?;
    }
    if let Some(on) = change.anchor_on {
        plan.anchor_on = anchor(on)?;
    }
    if let Some(unit) = change.cadence_unit {
        plan.cadence_unit = unit;
    }
    if let Some(every) = change.cadence_every {
        plan.cadence_every = text::within(every, "cadenceEvery", 1, 12)?;
    }
    let rows = slots_of(&tx.db, id).await?;
    if let Some(count) = change.slot_count {
        // What has been announced is never taken back by shortening the plan.
        let kept = if plan.state == State::Draft { 0 } else { rows.last().map_or(0, |row| row.number) };
        plan.slot_count = text::within(count, "slotCount", std::cmp::max(kept, 1), MOST_SLOTS)?;
    }
    let table = Timetable::of(&plan, &opened.alliance);
    table.turn(plan.slot_count)?;
    if dates != (plan.anchor_on, plan.cadence_unit, plan.cadence_every) {
        if plan.state != State::Draft {
            return Err(states::refused(plan.state).at("anchorOn"));
        }
        for row in rows.iter().filter(|row| row.number <= plan.slot_count) {
            let turn = table.turn(row.number)?;
            let version = row.version + 1;
            let mut row = row.clone().into_active_model();
            row.starts_on = Set(turn.starts_on);
            row.ends_on = Set(turn.ends_on);
            row.updated_at = Set(ctx.now());
            row.version = Set(version);
            row.update(&tx.db).await?;
        }
    }
    if rows.last().is_some_and(|row| row.number > plan.slot_count) {
        // Only a draft comes here; its turns were never announced to anybody.
        rotation_slot::Entity::delete_many()
            .filter(rotation_slot::Column::PlanId.eq(id))
            .filter(rotation_slot::Column::Number.gt(plan.slot_count))
            .exec(&tx.db)
            .await?;
    }
    if let Some(teams) = &change.team_ids {
        require_teams(&tx.db, plan.alliance_id, teams).await?;
        rotation_plan_team::Entity::delete_many()
            .filter(rotation_plan_team::Column::PlanId.eq(id))
            .exec(&tx.db)
            .await?;
        place(&tx.db, id, teams).await?;
    }
    plan.version += 1;
    let plan = plan.into_active_model().reset_all().update(&tx.db).await?;
    tx.record(
        Fact::of(Event::RotationPlanUpdated, id)
            .alliance(plan.alliance_id)
            .detail("slotCount", plan.slot_count)
            .detail("version", plan.version),
    )
    .await?;
    Ok(plan)
}

async fn place(db: &impl ConnectionTrait, plan: RotationPlanId, teams: &[ServiceTeamId]) -> Result<()> {
    let rows = teams.iter().zip(1..).map(|(team, place)| rotation_plan_team::ActiveModel {
        plan_id: Set(plan),
        team_id: Set(*team),
        place: Set(place),
    });
    rotation_plan_team::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Checks the teams of a plan: there, standing, of this alliance, each once, and no unit in two of them.
pub async fn require_teams(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    teams: &[ServiceTeamId],
) -> Result<()> {
    if teams.is_empty() {
        return Err(Error::invalid(Code::Required, "teamIds"));
    }
    if teams.len() > MOST_TEAMS {
        return Err(Error::invalid(Code::OutOfRange, "teamIds").with("least", 1).with("most", MOST_TEAMS));
    }
    let mut seen = HashSet::new();
    if let Some(index) = teams.iter().position(|team| !seen.insert(*team)) {
        return Err(Error::invalid(Code::AlreadyExists, format!("teamIds.{index}")));
    }
    let standing: HashMap<ServiceTeamId, service_team::Model> =
        teams_by_id(db, alliance, teams.iter().copied())
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
    for (index, team) in teams.iter().enumerate() {
        let team = standing.get(team).ok_or(Error::NotFound(ServiceTeamId::NOUN))?;
        if team.ended_at.is_some() {
            let refusal = Error::invalid(Code::StateRefused, format!("teamIds.{index}"));
            return Err(refusal.with("state", "ENDED"));
        }
    }
    require_units_apart(db, teams).await
}

/// Turns away teams that share a unit.
pub async fn require_units_apart(db: &impl ConnectionTrait, teams: &[ServiceTeamId]) -> Result<()> {
    let mut seen: HashSet<OrganizationId> = HashSet::new();
    for member in members(db, teams.iter().copied()).await? {
        if !seen.insert(member.organization_id) {
            let unit = organization::Entity::find_by_id(member.organization_id).one(db).await?;
            let name = unit.map(|unit| unit.name).unwrap_or_default();
            return Err(Error::invalid(Code::UnitInTwoTeams, "teamIds").with("unit", name));
        }
    }
    Ok(())
}

/// Teams of an alliance by their identifiers, standing or ended.
pub async fn teams_by_id(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    teams: impl IntoIterator<Item = ServiceTeamId>,
) -> Result<Vec<service_team::Model>> {
    Ok(service_team::Entity::find()
        .filter(service_team::Column::AllianceId.eq(alliance))
        .filter(service_team::Column::Id.is_in(teams))
        .all(db)
        .await?)
}

/// The memberships of teams, in one statement.
pub async fn members(
    db: &impl ConnectionTrait,
    teams: impl IntoIterator<Item = ServiceTeamId>,
) -> Result<Vec<service_team_member::Model>> {
    Ok(service_team_member::Entity::find()
        .filter(service_team_member::Column::TeamId.is_in(teams))
        .order_by_asc(service_team_member::Column::JoinedAt)
        .all(db)
        .await?)
}

/// The units of teams, each once.
pub async fn units(
    db: &impl ConnectionTrait,
    teams: impl IntoIterator<Item = ServiceTeamId>,
) -> Result<Vec<OrganizationId>> {
    let mut units: Vec<OrganizationId> =
        members(db, teams).await?.into_iter().map(|member| member.organization_id).collect();
    units.sort_unstable();
    units.dedup();
    Ok(units)
}

/// The teams of a plan in the order of their turns.
pub async fn team_order(db: &impl ConnectionTrait, plan: RotationPlanId) -> Result<Vec<ServiceTeamId>> {
    let rows = rotation_plan_team::Entity::find()
        .filter(rotation_plan_team::Column::PlanId.eq(plan))
        .order_by_asc(rotation_plan_team::Column::Place)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.team_id).collect())
}

/// The turns of a plan by number.
pub async fn slots_of(db: &impl ConnectionTrait, plan: RotationPlanId) -> Result<Vec<rotation_slot::Model>> {
    Ok(rotation_slot::Entity::find()
        .filter(rotation_slot::Column::PlanId.eq(plan))
        .order_by_asc(rotation_slot::Column::Number)
        .all(db)
        .await?)
}
