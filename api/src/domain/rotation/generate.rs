//! Filling a plan's turns fairly: the preview before anything is saved, the generation, and the fairness and gap report.
//! What is fair stands in `fair`; here plans become problems and outcomes become turns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    alliance,
    id::{AllianceId, RotationPlanId, ServiceTeamId},
    rotation_block,
    rotation_plan::{self, CadenceUnit},
    rotation_slot::{self, Origin, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType,
    QueryFilter, QuerySelect, RelationTrait,
};

use super::{
    fair::{self, Constraint, Objective, Outcome, Problem},
    plan::{self, MOST_SLOTS, Opened},
    timetable::{self, Timetable, Turn},
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, governance::alliance::expect_version, text,
};

/// What a rotation is filled from: everything that decides the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Roster {
    teams: Vec<ServiceTeamId>,
    /// Teams outside the list that turns to come were given to by hand.
    strangers: Vec<ServiceTeamId>,
    /// The turns that take part, by number.
    numbers: Vec<i32>,
    problem: Problem,
}

impl Roster {
    fn team(&self, index: usize) -> Option<ServiceTeamId> {
        self.teams.get(index).or_else(|| self.strangers.get(index.checked_sub(self.teams.len())?)).copied()
    }
}

/// How a turn of a preview came to its team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is past changing.
    Kept,
    /// The committee gave it by hand, or a swap did.
    Assigned,
    /// The generator chose it.
    Generated,
}

/// One turn of a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviewSlot {
    pub turn: Turn,
    pub team_id: ServiceTeamId,
    pub source: Source,
}

/// What keeps a turn empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    NoTeams,
    Blocked,
    AssignedButBlocked,
    AssignedOutsidePlan,
}

/// A turn that no team can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyTurn {
    pub turn: Turn,
    pub why: Vec<(Obstacle, Option<ServiceTeamId>)>,
}

/// What generating would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub slots: Vec<PreviewSlot>,
    pub objective: Option<Objective>,
    pub empty: Vec<EmptyTurn>,
    pub too_hard: bool,
}

/// A plan that is only imagined.
#[derive(Clone, Debug)]
pub struct PreviewRequest {
    pub alliance_id: AllianceId,
    pub anchor_on: NaiveDate,
    pub cadence_unit: CadenceUnit,
    pub cadence_every: i32,
    pub slot_count: i32,
    pub team_ids: Vec<ServiceTeamId>,
    pub blocks: Vec<(ServiceTeamId, i32)>,
    pub assignments: Vec<(ServiceTeamId, i32)>,
}

/// Shows a rotation before a plan is even drafted.
pub async fn preview(ctx: &Ctx, request: PreviewRequest) -> Result<Preview> {
    let alliance = plan::alliance_of(ctx, ctx.read(), request.alliance_id).await?;
    // Searching costs work, so it is for those who may draft a plan.
    ctx.require(ctx.read(), Action::ManageRotationPlan, Target::alliance(alliance.id)).await?;
    let every = text::within(request.cadence_every, "cadenceEvery", 1, 12)?;
    let count = text::within(request.slot_count, "slotCount", 1, MOST_SLOTS)?;
    plan::require_teams(ctx.read(), alliance.id, &request.team_ids).await?;
    let table = Timetable {
        anchor_on: request.anchor_on,
        cadence: timetable::cadence(request.cadence_unit, every),
        zone: timetable::zone(&alliance),
    };
    let place = |pairs: &[(ServiceTeamId, i32)], field: &'static str| -> Result<Vec<(usize, usize)>> {
        let mut placed = Vec::with_capacity(pairs.len());
        for (index, (team, number)) in pairs.iter().enumerate() {
            let slot = text::within(*number, field, 1, count)
                .map_err(|error| error.at(format!("{field}.{index}.slotNumber")))?;
            let team = request
                .team_ids
                .iter()
                .position(|known| known == team)
                .ok_or(Error::NotFound("service_team"))?;
            placed.push((team, usize::try_from(slot - 1).unwrap_or_default()));
        }
        Ok(placed)
    };
    let first = table.turn(1)?;
    let roster = Roster {
        problem: Problem {
            teams: request.team_ids.len(),
            slots: usize::try_from(count).unwrap_or_default(),
            blocked: place(&request.blocks, "blocks")?.into_iter().collect(),
            fixed: place(&request.assignments, "assignments")?
                .into_iter()
                .map(|(team, slot)| (slot, team))
                .collect(),
            before: before(ctx.read(), alliance.id, None, first.starts_on, &request.team_ids).await?,
        },
        teams: request.team_ids,
        strangers: Vec::new(),
        numbers: (1..=count).collect(),
    };
    let outcome = solve(roster.problem.clone()).await?;
    show(&roster, &outcome, &table, |_| Source::Assigned)
}

/// Shows what generating a saved plan would come to.
pub async fn preview_of(ctx: &Ctx, id: RotationPlanId) -> Result<Preview> {
    let plan = plan::find(ctx, id).await?.ok_or(Error::NotFound("rotation_plan"))?;
    ctx.require(ctx.read(), Action::ManageRotationPlan, Target::alliance(plan.alliance_id)).await?;
    let alliance = plan::alliance_of(ctx, ctx.read(), plan.alliance_id).await?;
    let table = Timetable::of(&plan, &alliance);
    let rows = plan::slots_of(ctx.read(), id).await?;
    let roster = roster(ctx.read(), &plan, &table, &rows, ctx.now()).await?;
    let outcome = solve(roster.problem.clone()).await?;
    let now = ctx.now();
    show(&roster, &outcome, &table, |turn| {
        if plan::is_frozen(&plan, turn, now) { Source::Kept } else { Source::Assigned }
    })
}

fn show(
    roster: &Roster,
    outcome: &Outcome,
    table: &Timetable,
    fixed: impl Fn(&Turn) -> Source,
) -> Result<Preview> {
    let turn_of = |slot: usize| table.turn(roster.numbers.get(slot).copied().unwrap_or_default());
    match outcome {
        Outcome::Plan(found) => {
            let mut slots = Vec::with_capacity(found.assignment.len());
            for (slot, team) in found.assignment.iter().enumerate() {
                let turn = turn_of(slot)?;
                let team_id = roster.team(*team).ok_or_else(|| Error::internal("a team outside the list"))?;
                let given = roster.problem.fixed.contains_key(&slot);
                slots.push(PreviewSlot {
                    turn,
                    team_id,
                    source: if given { fixed(&turn) } else { Source::Generated },
                });
            }
            Ok(Preview { slots, objective: Some(found.objective), ..Preview::default() })
        }
        Outcome::Refused(refusal) => {
            let mut empty = Vec::with_capacity(refusal.months.len());
            for month in &refusal.months {
                let why = month.why.iter().map(|constraint| explain(roster, *constraint)).collect();
                empty.push(EmptyTurn { turn: turn_of(month.slot)?, why });
            }
            Ok(Preview { empty, ..Preview::default() })
        }
        Outcome::TooHard => Ok(Preview { too_hard: true, ..Preview::default() }),
    }
}

fn explain(roster: &Roster, constraint: Constraint) -> (Obstacle, Option<ServiceTeamId>) {
    match constraint {
        Constraint::NoTeams => (Obstacle::NoTeams, None),
        Constraint::Blocked { team } => (Obstacle::Blocked, roster.team(team)),
        Constraint::HandAssignmentBlocked { team } => (Obstacle::AssignedButBlocked, roster.team(team)),
        Constraint::HandAssignmentUnknownTeam { team } => (Obstacle::AssignedOutsidePlan, roster.team(team)),
    }
}

/// Searches on a thread of its own: a hard rotation may take a second.
async fn solve(problem: Problem) -> Result<Outcome> {
    tokio::task::spawn_blocking(move || fair::generate(&problem)).await.map_err(Error::internal)
}

/// The team on duty right before a day in another plan of the alliance, as a place in the list.
async fn before(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    except: Option<RotationPlanId>,
    first_on: NaiveDate,
    teams: &[ServiceTeamId],
) -> Result<Option<usize>> {
    let mut earlier = rotation_slot::Entity::find()
        .join(JoinType::InnerJoin, rotation_slot::Relation::Plan.def())
        .filter(rotation_slot::Column::AllianceId.eq(alliance))
        .filter(rotation_slot::Column::EndsOn.eq(first_on))
        .filter(rotation_slot::Column::State.ne(State::Excused))
        .filter(
            rotation_plan::Column::State
                .is_in([rotation_plan::State::Published, rotation_plan::State::Ended]),
        );
    if let Some(plan) = except {
        earlier = earlier.filter(rotation_slot::Column::PlanId.ne(plan));
    }
    let earlier = earlier.one(db).await?;
    Ok(earlier.and_then(|slot| teams.iter().position(|team| *team == slot.team_id)))
}

/// States a plan as a problem. Turns past changing and turns given by hand are fixed; turns whose team was excused, turns
/// that went by unfilled, and past turns of teams that have left the plan take no part.
async fn roster(
    db: &impl ConnectionTrait,
    plan: &rotation_plan::Model,
    table: &Timetable,
    rows: &[rotation_slot::Model],
    now: DateTime<Utc>,
) -> Result<Roster> {
    let teams = plan::team_order(db, plan.id).await?;
    let place: HashMap<ServiceTeamId, usize> =
        teams.iter().enumerate().map(|(place, team)| (*team, place)).collect();
    let blocks = blocks_of(db, plan.id).await?;
    let by_number: BTreeMap<i32, &rotation_slot::Model> = rows.iter().map(|row| (row.number, row)).collect();
    let mut roster = Roster {
        problem: Problem { teams: teams.len(), ..Problem::default() },
        teams,
        strangers: Vec::new(),
        numbers: Vec::new(),
    };
    for number in 1..=plan.slot_count {
        let turn = table.turn(number)?;
        let row = by_number.get(&number).copied();
        let frozen = plan::is_frozen(plan, &turn, now);
        let slot = roster.numbers.len();
        match row {
            None if turn.ended(now) => continue,
            Some(row) if row.state == State::Excused => continue,
            Some(row) if frozen || is_given(row) => {
                let team = match place.get(&row.team_id) {
                    Some(team) => *team,
                    None if frozen => continue,
                    None => {
                        roster.strangers.push(row.team_id);
                        roster.teams.len() + roster.strangers.len() - 1
                    }
                };
                roster.problem.fixed.insert(slot, team);
            }
            _ => {}
        }
        if !frozen {
            let blocked = blocks
                .iter()
                .filter(|block| block.slot_number == number)
                .filter_map(|block| place.get(&block.team_id));
            roster.problem.blocked.extend(blocked.map(|team| (*team, slot)));
        }
        roster.numbers.push(number);
    }
    roster.problem.slots = roster.numbers.len();
    if let Some(first) = roster.numbers.first() {
        let first_on = table.turn(*first)?.starts_on;
        roster.problem.before = before(db, plan.alliance_id, Some(plan.id), first_on, &roster.teams).await?;
    }
    Ok(roster)
}

/// Whether the generator leaves a turn's team alone even though the turn is still to come.
fn is_given(row: &rotation_slot::Model) -> bool {
    row.origin == Origin::Assigned || !matches!(row.state, State::Scheduled | State::Announced)
}

/// The blocks of a plan.
pub async fn blocks_of(
    db: &impl ConnectionTrait,
    plan: RotationPlanId,
) -> Result<Vec<rotation_block::Model>> {
    Ok(rotation_block::Entity::find().filter(rotation_block::Column::PlanId.eq(plan)).all(db).await?)
}

/// Generates a plan's rotation: fills turns still to come and changes those the generator had filled before, where the best
/// rotation is now another one. Doing it again changes nothing.
pub async fn generate(
    ctx: &Ctx,
    id: RotationPlanId,
    expected_version: Option<i64>,
) -> Result<rotation_plan::Model> {
    // The search runs before the unit of work, so that it holds up no other writer.
    let early = {
        let plan = plan::find(ctx, id).await?.ok_or(Error::NotFound("rotation_plan"))?;
        ctx.require(ctx.read(), Action::ManageRotationPlan, Target::alliance(plan.alliance_id)).await?;
        let alliance = plan::alliance_of(ctx, ctx.read(), plan.alliance_id).await?;
        let rows = plan::slots_of(ctx.read(), id).await?;
        let table = Timetable::of(&plan, &alliance);
        let roster = roster(ctx.read(), &plan, &table, &rows, ctx.now()).await?;
        let outcome = solve(roster.problem.clone()).await?;
        (roster, outcome)
    };
    let tx = ctx.begin().await?;
    let opened = plan::open(&tx, id).await?;
    ctx.require(&tx.db, Action::ManageRotationPlan, Target::alliance(opened.plan.alliance_id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, opened.plan.version)?;
    }
    opened.require_editable()?;
    let table = opened.timetable();
    let rows = plan::slots_of(&tx.db, id).await?;
    let roster = roster(&tx.db, &opened.plan, &table, &rows, ctx.now()).await?;
    // Somebody may have changed the plan in between; then what was found answers another question.
    let outcome = if early.0 == roster { early.1 } else { solve(roster.problem.clone()).await? };
    let found = match outcome {
        Outcome::Plan(found) => found,
        Outcome::TooHard => return Err(Error::refused(Code::RotationTooHard)),
        refused @ Outcome::Refused(_) => {
            let shown = show(&roster, &refused, &table, |_| Source::Assigned)?;
            return Err(unfillable(&tx.db, &opened.alliance, &table, &shown.empty).await?);
        }
    };
    let (filled, touched) = fill(ctx, &tx.db, &opened, &roster, &found.assignment, &rows).await?;
    let published = opened.plan.state == rotation_plan::State::Published;
    if published {
        super::publish::require_alone(&tx.db, &opened.plan).await?;
    }
    let mut row = opened.plan;
    if filled.created + filled.changed > 0 {
        row.version += 1;
        row = row.into_active_model().reset_all().update(&tx.db).await?;
    }
    // While it is a draft it concerns nobody but the committee.
    let units = if published { plan::units(&tx.db, touched).await? } else { Vec::new() };
    tx.record(
        Fact::of(Event::RotationGenerated, id)
            .alliance(row.alliance_id)
            .organizations(units)
            .detail("created", filled.created)
            .detail("changed", filled.changed)
            .detail("backToBack", found.objective.back_to_back)
            .detail("spread", found.objective.spread),
    )
    .await?;
    tx.commit(id).await?;
    Ok(row)
}

#[derive(Default)]
struct Filled {
    created: u32,
    changed: u32,
}

/// Writes an assignment down; tells how much changed and for which teams.
async fn fill(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    opened: &Opened,
    roster: &Roster,
    assignment: &[usize],
    rows: &[rotation_slot::Model],
) -> Result<(Filled, BTreeSet<ServiceTeamId>)> {
    let table = opened.timetable();
    let by_number: BTreeMap<i32, &rotation_slot::Model> = rows.iter().map(|row| (row.number, row)).collect();
    let published = opened.plan.state == rotation_plan::State::Published;
    let (mut filled, mut touched, mut fresh) = (Filled::default(), BTreeSet::new(), Vec::new());
    for (slot, (number, team)) in roster.numbers.iter().zip(assignment).enumerate() {
        if roster.problem.fixed.contains_key(&slot) {
            continue;
        }
        let team = roster.team(*team).ok_or_else(|| Error::internal("a team outside the list"))?;
        match by_number.get(number) {
            Some(row) if row.team_id == team => {}
            Some(row) => {
                touched.extend([row.team_id, team]);
                let version = row.version + 1;
                let mut row = (*row).clone().into_active_model();
                row.team_id = Set(team);
                row.version = Set(version);
                row.updated_at = Set(ctx.now());
                row.update(db).await?;
                filled.changed += 1;
            }
            None => {
                touched.insert(team);
                let turn = table.turn(*number)?;
                let state = if published { State::Announced } else { State::Scheduled };
                fresh.push(fresh_slot(ctx, &opened.plan, &turn, team, Origin::Generated, state));
                filled.created += 1;
            }
        }
    }
    if !fresh.is_empty() {
        rotation_slot::Entity::insert_many(fresh).exec_without_returning(db).await?;
    }
    Ok((filled, touched))
}

/// A turn that does not exist yet.
pub fn fresh_slot(
    ctx: &Ctx,
    plan: &rotation_plan::Model,
    turn: &Turn,
    team: ServiceTeamId,
    origin: Origin,
    state: State,
) -> rotation_slot::ActiveModel {
    rotation_slot::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(plan.alliance_id),
        plan_id: Set(plan.id),
        number: Set(turn.number),
        starts_on: Set(turn.starts_on),
        ends_on: Set(turn.ends_on),
        team_id: Set(team),
        origin: Set(origin),
        state: Set(state),
        reason: Set(None),
        missed_at: Set(None),
        updated_at: Set(ctx.now()),
        version: Set(1),
    }
}

/// The refusal that names the turns and what blocks them.
async fn unfillable(
    db: &impl ConnectionTrait,
    alliance: &alliance::Model,
    table: &Timetable,
    empty: &[EmptyTurn],
) -> Result<Error> {
    let wanted: BTreeSet<ServiceTeamId> =
        empty.iter().flat_map(|turn| &turn.why).filter_map(|(_, team)| *team).collect();
    let names: HashMap<ServiceTeamId, String> = plan::teams_by_id(db, alliance.id, wanted)
        .await?
        .into_iter()
        .map(|team| (team.id, team.name))
        .collect();
    let months: Vec<String> = empty
        .iter()
        .map(|turn| {
            let why: Vec<String> = turn
                .why
                .iter()
                .map(|(obstacle, team)| {
                    let name = team.and_then(|team| names.get(&team)).map_or("-", String::as_str);
                    match obstacle {
                        Obstacle::NoTeams | Obstacle::Blocked => name.to_owned(),
                        Obstacle::AssignedButBlocked | Obstacle::AssignedOutsidePlan => format!("={name}"),
                    }
                })
                .collect();
            format!("{} ({})", table.label(turn.turn.starts_on), why.join(", "))
        })
        .collect();
    Ok(Error::refused(Code::RotationUnfillable).with("months", months.join("; ")))
}

/// How one team fares in a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamShare {
    pub team_id: ServiceTeamId,
    pub fairness: fair::TeamFairness,
}

/// How fair a plan's rotation is, and where it has gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub teams: Vec<TeamShare>,
    /// Numbers of the turns whose team was on duty right before.
    pub back_to_back: Vec<i32>,
    pub spread: u32,
    /// Numbers of the turns that nobody takes.
    pub empty: Vec<i32>,
    /// Numbers of the turns to come whose team is blocked or no longer in the plan.
    pub conflicting: Vec<i32>,
}

/// Measures a plan's rotation as it stands.
pub async fn report(
    db: &impl ConnectionTrait,
    plan: &rotation_plan::Model,
    alliance: &alliance::Model,
    now: DateTime<Utc>,
) -> Result<Report> {
    let table = Timetable::of(plan, alliance);
    let teams = plan::team_order(db, plan.id).await?;
    let rows = plan::slots_of(db, plan.id).await?;
    let by_number: BTreeMap<i32, &rotation_slot::Model> =
        rows.iter().filter(|row| row.state != State::Excused).map(|row| (row.number, row)).collect();
    let blocks: BTreeSet<(i32, ServiceTeamId)> =
        blocks_of(db, plan.id).await?.iter().map(|block| (block.slot_number, block.team_id)).collect();
    let (mut assignment, mut empty, mut conflicting) = (Vec::new(), Vec::new(), Vec::new());
    for (number, slot) in (1..=plan.slot_count).zip(0_usize..) {
        let Some(row) = by_number.get(&number) else {
            empty.push(number);
            // A place that is nobody's, and nobody's twice in a row either.
            assignment.push(usize::MAX - slot);
            continue;
        };
        let place = teams.iter().position(|team| *team == row.team_id);
        let open = !plan::is_frozen(plan, &table.turn(number)?, now);
        if open && (place.is_none() || blocks.contains(&(number, row.team_id))) {
            conflicting.push(number);
        }
        assignment.push(place.unwrap_or(usize::MAX - slot));
    }
    let first_on = table.turn(1)?.starts_on;
    let before = before(db, plan.alliance_id, Some(plan.id), first_on, &teams).await?;
    let measured = fair::fairness(&assignment, teams.len(), before);
    let number = |slot: usize| i32::try_from(slot).unwrap_or(i32::MAX).saturating_add(1);
    Ok(Report {
        teams: teams
            .into_iter()
            .zip(measured.teams)
            .map(|(team_id, fairness)| TeamShare { team_id, fairness })
            .collect(),
        back_to_back: measured.back_to_back.into_iter().map(number).collect(),
        spread: measured.spread,
        empty,
        conflicting,
    })
}

/// The fairness and gap report of a plan that the caller may see.
pub async fn fairness_report(ctx: &Ctx, plan: &rotation_plan::Model) -> Result<Report> {
    let alliance = plan::alliance_of(ctx, ctx.read(), plan.alliance_id).await?;
    report(ctx.read(), plan, &alliance, ctx.now()).await
}
