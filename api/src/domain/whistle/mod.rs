//! Whistles (吹哨报到): applied for, found, listed. How they move on stands in `steps`, how the departments answer in `answer`,
//! who is called in `call`, by when in `deadlines`, what follows a deadline in `watch` and `supervision`, the figures in `statistics`. A whistle is its town's; where it
//! was escalated, alliances above call members of their own to it, and these see it like everybody called.

pub mod answer;
mod call;
pub mod deadlines;
pub mod ranking;
pub mod states;
pub mod statistics;
pub mod steps;
pub mod supervision;
pub mod watch;

use chrono::Datelike;
use concord_entities::{
    account, alliance, alliance_closure,
    id::{AccountId, AllianceId, OrganizationId, ProblemId, RegionId, WhistleId, WhistleResponseId},
    problem, seat,
    whistle::{self, Column, Entity, Kind, Model, State},
    whistle_escalation, whistle_response,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter,
    QuerySelect, QueryTrait, Select,
};

use crate::domain::{
    Action, Actor, Ctx, Error, Event, Fact, Result, Target, Tx, governance,
    governance::alliance::expect_version,
    list::{
        problem::{self as problems, zone},
        sequence,
        transition::Step,
    },
    number_pattern::NumberPattern,
    page::{self, Order, Page},
    policy, scope,
    territory::region::require_within,
    text,
};

pub use self::call::NewCall;

/// How whistles are numbered.
const PATTERN: &str = "哨〔{year}〕{seq:4}号";
/// Room for the numbers of one year within an ordinal.
const NUMBERS_A_YEAR: i64 = 10_000_000_000;
/// Longest title.
const TITLE: usize = 200;
/// Longest place.
const PLACE: usize = 300;
/// Longest free text.
const FREE_TEXT: usize = 4_000;

/// What of whistles the caller may see: those of the alliances they read, and those that a unit is called to for which they act.
fn seen(ctx: &Ctx) -> Condition {
    use whistle_response::Column as Call;
    if ctx.actor == Actor::System {
        return Condition::all();
    }
    let called = whistle_response::Entity::find()
        .select_only()
        .column(Call::WhistleId)
        .filter(scope::acts_for(ctx, Call::MemberAllianceId, Call::OrganizationId))
        .into_query();
    Condition::any().add(scope::in_alliances(ctx, Column::AllianceId)).add(Column::Id.in_subquery(called))
}

/// The whistles that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(seen(ctx))
}

/// The calls of these.
pub fn visible_calls(ctx: &Ctx) -> Select<whistle_response::Entity> {
    let of = visible(ctx).select_only().column(Column::Id).into_query();
    whistle_response::Entity::find().filter(whistle_response::Column::WhistleId.in_subquery(of))
}

/// One whistle, if the caller may see it.
pub async fn find(ctx: &Ctx, id: WhistleId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One call, if the caller may see it.
pub async fn find_call(ctx: &Ctx, id: WhistleResponseId) -> Result<Option<whistle_response::Model>> {
    Ok(visible_calls(ctx).filter(whistle_response::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which whistles to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    /// To which this unit is called, or was.
    pub organization_id: Option<OrganizationId>,
    pub problem_id: Option<ProblemId>,
    pub states: Option<Vec<State>>,
    pub kind: Option<Kind>,
    /// Escalated to this alliance.
    pub escalated_to_id: Option<AllianceId>,
}

/// The whistles that fit, the latest first.
pub fn listed(ctx: &Ctx, filter: &Filter) -> (Select<Entity>, Order<Column>) {
    use whistle_response::Column as Call;
    let called = filter.organization_id.map(|unit| {
        let calls = whistle_response::Entity::find()
            .select_only()
            .column(Call::WhistleId)
            .filter(Call::OrganizationId.eq(unit))
            .into_query();
        Column::Id.in_subquery(calls)
    });
    let wanted = Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(called)
        .add_option(filter.problem_id.map(|id| Column::ProblemId.eq(id)))
        .add_option(filter.states.clone().map(|states| Column::State.is_in(states)))
        .add_option(filter.kind.map(|kind| Column::Kind.eq(kind)))
        .add_option(filter.escalated_to_id.map(|id| Column::EscalatedToId.eq(id)));
    (visible(ctx).filter(wanted), Order { column: Column::AppliedAt, descending: true })
}

/// The whistles that the caller may see, the latest first.
pub async fn list(ctx: &Ctx, filter: &Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = listed(ctx, filter);
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// Which calls to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    /// To whistles that this alliance blew.
    pub alliance_id: Option<AllianceId>,
    pub organization_id: Option<OrganizationId>,
    pub whistle_id: Option<WhistleId>,
    pub states: Option<Vec<whistle_response::State>>,
    pub open: Option<bool>,
}

/// The calls that fit, the latest first.
pub fn listed_calls(
    ctx: &Ctx,
    filter: &CallFilter,
) -> (Select<whistle_response::Entity>, Order<whistle_response::Column>) {
    use whistle_response::Column as Call;
    let wanted = Condition::all()
        .add_option(filter.alliance_id.map(|id| Call::AllianceId.eq(id)))
        .add_option(filter.organization_id.map(|id| Call::OrganizationId.eq(id)))
        .add_option(filter.whistle_id.map(|id| Call::WhistleId.eq(id)))
        .add_option(filter.states.clone().map(|states| Call::State.is_in(states)))
        .add_option(filter.open.map(|open| Call::IsOpen.eq(open)));
    (visible_calls(ctx).filter(wanted), Order { column: Call::CalledAt, descending: true })
}

/// The calls that the caller may see, the latest first.
pub async fn list_calls(
    ctx: &Ctx,
    filter: &CallFilter,
    args: &page::Args,
) -> Result<Page<whistle_response::Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = listed_calls(ctx, filter);
    page::fetch(ctx, select, order, whistle_response::Column::Id, args).await
}

/// What is applied for.
#[derive(Clone, Debug)]
pub struct NewWhistle {
    pub alliance_id: AllianceId,
    pub kind: Kind,
    pub title: String,
    pub description: String,
    pub place: Option<String>,
    pub region_id: Option<RegionId>,
    /// The problem of the same alliance that it serves.
    pub problem_id: Option<ProblemId>,
}

/// Applies for a whistle under the next number of the town's year.
pub async fn apply(ctx: &Ctx, new: NewWhistle) -> Result<Model> {
    let tx = ctx.begin().await?;
    let alliance = governance::alliance::visible(ctx).filter(alliance::Column::Id.eq(new.alliance_id));
    let alliance = alliance.one(&tx.db).await?.ok_or(Error::NotFound("alliance"))?;
    ctx.require(&tx.db, Action::ApplyForWhistle, Target::alliance(alliance.id)).await?;
    if let Some(region) = new.region_id {
        require_within(&tx.db, region, alliance.region_id).await?;
    }
    if let Some(problem) = new.problem_id {
        let there = problems::visible(ctx)
            .filter(problem::Column::Id.eq(problem))
            .filter(problem::Column::AllianceId.eq(alliance.id));
        there.one(&tx.db).await?.ok_or(Error::NotFound("problem"))?;
    }
    let title = text::required(&new.title, "title", TITLE)?;
    let description = text::required(&new.description, "description", FREE_TEXT)?;
    let place = text::optional(new.place.as_deref(), "place", PLACE)?;
    let now = ctx.now();
    let year = now.with_timezone(&zone(&alliance.time_zone)).year();
    let pattern = NumberPattern::parse(PATTERN).map_err(Error::internal)?;
    let seq = sequence::take(&tx, sequence::WHISTLES, alliance.id, year, 1).await?;
    let row = whistle::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(alliance.id),
        year: Set(year),
        seq: Set(seq),
        ordinal: Set(i64::from(year) * NUMBERS_A_YEAR + i64::from(seq)),
        number: Set(pattern.render(year, u32::try_from(seq).unwrap_or_default())),
        kind: Set(new.kind),
        title: Set(title),
        description: Set(description),
        place: Set(place),
        region_id: Set(new.region_id),
        problem_id: Set(new.problem_id),
        state: Set(State::Applied),
        backstop_organization_id: Set(None),
        escalated_to_id: Set(None),
        escalated_at: Set(None),
        reason: Set(None),
        refused_count: Set(0),
        applied_at: Set(now),
        applied_by: Set(ctx.author()),
        approved_at: Set(None),
        approved_by: Set(None),
        sounded_at: Set(None),
        sounded_by: Set(None),
        ended_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(fact(Event::WhistleApplied, &row).detail("kind", row.kind.to_value())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// A fact about a whistle, with what every reader of its history wants.
fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id)
        .alliance(row.alliance_id)
        .detail("number", row.number.clone())
        .detail("title", row.title.clone())
}

/// Tells of something that also concerns an alliance above, in the chains of both.
async fn record(
    tx: &Tx<'_>,
    kind: Event,
    row: &Model,
    beside: impl IntoIterator<Item = AllianceId>,
    about: impl Fn(Fact) -> Fact,
) -> Result<()> {
    tx.record(about(fact(kind, row))).await?;
    for above in beside.into_iter().filter(|above| *above != row.alliance_id) {
        tx.record(about(fact(kind, row).alliance(above))).await?;
    }
    Ok(())
}

/// Which whistle, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    pub id: WhistleId,
    pub expected_version: Option<i64>,
}

/// A whistle under lock in a unit of work, its mover's right and the step's place checked.
struct Held<'ctx> {
    tx: Tx<'ctx>,
    row: Model,
    /// The caller's active seats everywhere.
    seats: Vec<seat::Model>,
}

async fn hold<'ctx>(ctx: &'ctx Ctx, which: Which, step: &Step<State>) -> Result<Held<'ctx>> {
    let tx = ctx.begin().await?;
    let row = visible(ctx).filter(Column::Id.eq(which.id)).lock_exclusive().one(&tx.db).await?;
    let row = row.ok_or(Error::NotFound("whistle"))?;
    let seats = seats(&tx).await?;
    let above = match (step.action, row.escalated_to_id) {
        (Action::CallWhistleUnits, Some(_)) => handed_up(&tx, row.id).await?,
        (Action::ReturnWhistleEscalation, None) => above(&tx, row.alliance_id).await?,
        _ => Vec::new(),
    };
    allowed(ctx, &seats, step.action, &states::whose(&row, &above, step.action), &[], row.applied_by)?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    step.check(row.state)?;
    Ok(Held { tx, row, seats })
}

/// The alliances that a whistle was handed up to and is still with.
async fn handed_up(tx: &Tx<'_>, of: WhistleId) -> Result<Vec<AllianceId>> {
    use whistle_escalation::{Column, Entity};
    Ok(Entity::find()
        .select_only()
        .column(Column::ToAllianceId)
        .filter(Column::WhistleId.eq(of))
        .filter(Column::ReturnedAt.is_null())
        .into_tuple()
        .all(&tx.db)
        .await?)
}

/// The alliances above another, and that one.
async fn above(tx: &Tx<'_>, of: AllianceId) -> Result<Vec<AllianceId>> {
    use alliance_closure::{Column, Entity};
    Ok(Entity::find()
        .select_only()
        .column(Column::AncestorId)
        .filter(Column::DescendantId.eq(of))
        .into_tuple()
        .all(&tx.db)
        .await?)
}

/// The caller's active seats in whatever alliance; whoever is no person has none, and may do nothing but as the platform.
async fn seats(tx: &Tx<'_>) -> Result<Vec<seat::Model>> {
    let account = match tx.ctx.actor {
        Actor::System => return Ok(Vec::new()),
        Actor::Anonymous => return Err(Error::Unauthenticated),
        Actor::Key(_) => return Err(Error::Forbidden),
        Actor::Account { id, .. } => id,
    };
    Ok(seat::Entity::find()
        .inner_join(account::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AccountId.eq(account))
        .filter(seat::Column::State.eq(seat::State::Active))
        .all(&tx.db)
        .await?)
}

/// Turns away whoever has no right to an action in any of these alliances.
fn allowed(
    ctx: &Ctx,
    seats: &[seat::Model],
    action: Action,
    alliances: &[AllianceId],
    units: &[OrganizationId],
    author: Option<AccountId>,
) -> Result<()> {
    let Actor::Account { id, .. } = ctx.actor else { return Ok(()) };
    let may = |alliance: &AllianceId| {
        let here: Vec<seat::Model> =
            seats.iter().filter(|seat| seat.alliance_id == *alliance).cloned().collect();
        policy::standing(id, &here, action, Target::alliance(*alliance).of(units).by(author)).is_some()
    };
    if alliances.iter().any(may) { Ok(()) } else { Err(Error::Forbidden) }
}
