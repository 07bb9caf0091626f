//! Joint handling (问题联治): units that share a problem beside the one that leads, each with a part of its own. What the
//! leading unit does with the whole stands in `moves`; a part's states in `problem_part_states`. Every change of a part is a
//! change of its problem, whose version grows.

use concord_entities::{
    alliance, evidence,
    id::{AccountId, OrganizationId, ProblemId},
    membership,
    problem::{self, Column, Model},
    problem_responsible::{self, Duty, PartState},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, IntoActiveModel, JoinType,
    PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, RelationTrait,
    sea_query::{Expr, OnConflict, Query, SelectStatement, SimpleExpr},
};

use super::{
    FREE_TEXT,
    clocks::{self, Clocks, Moved},
    fact,
    moves::{Held, Which, hold},
    visible,
};
use crate::domain::{
    Code, Ctx, Error, Event, HELD, Result, Standing, Target, Tx,
    fact::erasure::Words,
    governance::alliance::expect_version,
    list::{
        deadline_policy::Terms,
        extension,
        problem_part_states::{self as states, JOINT, Joint},
        problem_states::{self, Policy},
        supervision,
        transition::Step,
    },
    text,
};

/// Whose part of which problem.
#[derive(Clone, Copy, Debug)]
pub struct WhichPart {
    pub problem: Which,
    pub organization: OrganizationId,
}

/// A joint unit's part and its problem under lock in a unit of work, its mover's right and both states checked.
struct Taken<'ctx> {
    tx: Tx<'ctx>,
    row: Model,
    part: problem_responsible::Model,
    standing: Standing,
}

/// Takes a part with its problem under a lock and checks version, right and states.
async fn take<'ctx>(ctx: &'ctx Ctx, which: WhichPart, step: &Step<PartState>) -> Result<Taken<'ctx>> {
    let tx = ctx.begin().await?;
    let found = visible(ctx)
        .filter(Column::Id.eq(which.problem.id))
        .join(JoinType::InnerJoin, problem_responsible::Relation::Problem.def().rev())
        .filter(problem_responsible::Column::OrganizationId.eq(which.organization))
        .select_also(problem_responsible::Entity)
        .lock(HELD)
        .one(&tx.db)
        .await?;
    let Some((row, Some(part))) = found else {
        return Err(Error::NotFound("problem"));
    };
    let target = Target::alliance(row.alliance_id);
    let units = [part.organization_id];
    let standing = ctx.require(&tx.db, step.action, target.of(&units)).await?;
    if let Some(expected) = which.problem.expected_version {
        expect_version(expected, row.version)?;
    }
    if part.duty == Duty::Lead {
        return Err(Error::refused(Code::LeadHasNoPart));
    }
    states::may_move(row.state)?;
    step.check(part.state)?;
    Ok(Taken { tx, row, part, standing })
}

impl Taken<'_> {
    /// The caller, who must be a person.
    fn account(&self) -> Result<AccountId> {
        self.standing.account_id.ok_or(Error::Forbidden)
    }

    /// Writes the part and its event, and commits.
    async fn settle(self, event: Event, change: problem_responsible::ActiveModel) -> Result<Model> {
        let before = self.part.state;
        let part = change.update(&self.tx.db).await?;
        self.told(event, before, &part).await
    }

    /// Records what became of a part that has been written.
    async fn told(self, event: Event, before: PartState, part: &problem_responsible::Model) -> Result<Model> {
        let Self { tx, row, .. } = self;
        let row = grown(&tx, row).await?;
        let told = fact(event, &row)
            .organizations([part.organization_id])
            .moved(before.to_value(), part.state.to_value())
            .detail("organizationId", part.organization_id.to_string())
            .detail("title", row.title.clone());
        let reason = matches!(event, Event::ProblemPartDeclined | Event::ProblemPartReopened);
        tx.record(told.reason(part.reason.as_deref().filter(|_| reason))).await?;
        tx.commit(row.id).await?;
        Ok(row)
    }
}

/// A change of a part is a change of its problem: whoever judges by an older version is told so.
async fn grown(tx: &Tx<'_>, row: Model) -> Result<Model> {
    let version = row.version + 1;
    problem::Entity::update_many()
        .col_expr(Column::Version, Expr::value(version))
        .filter(Column::Id.eq(row.id))
        .exec(&tx.db)
        .await?;
    Ok(Model { version, ..row })
}

/// Takes a part on; whoever does so for their unit becomes its handler.
pub async fn accept(ctx: &Ctx, which: WhichPart) -> Result<Model> {
    let taken = take(ctx, which, &states::ACCEPT).await?;
    let change = problem_responsible::ActiveModel {
        state: Set(PartState::Accepted),
        handler_id: Set(Some(taken.account()?)),
        accepted_at: Set(Some(ctx.now())),
        ..taken.part.clone().into_active_model()
    };
    taken.settle(Event::ProblemPartAccepted, change).await
}

/// Hands a part back to the committee, which takes it away or insists. It counts, and after two the assignment binds.
pub async fn decline(ctx: &Ctx, which: WhichPart, reason: &str) -> Result<Model> {
    // Read ahead of the unit of work: what an alliance settles now holds for what is asked now.
    let policy = policy(ctx, which.problem.id).await?;
    let taken = take(ctx, which, &states::DECLINE).await?;
    problem_states::may_decline(taken.part.declined_count)?;
    policy.may_object(Some(taken.part.assigned_at), ctx.now())?;
    let change = problem_responsible::ActiveModel {
        state: Set(PartState::Declined),
        reason: Set(Some(text::required(reason, "reason", FREE_TEXT)?)),
        declined_count: Set(taken.part.declined_count + 1),
        ..taken.part.clone().into_active_model()
    };
    taken.settle(Event::ProblemPartDeclined, change).await
}

/// What the alliance of a problem settles.
async fn policy(ctx: &Ctx, id: ProblemId) -> Result<Policy> {
    let of = problem::Entity::find_by_id(id).select_only().column(Column::AllianceId).into_query();
    let found = alliance::Entity::find().filter(alliance::Column::Id.in_subquery(of)).one(ctx.read()).await?;
    Ok(found.as_ref().map(Policy::of).unwrap_or_default())
}

/// Begins the work on a part.
pub async fn start(ctx: &Ctx, which: WhichPart) -> Result<Model> {
    let taken = take(ctx, which, &states::START).await?;
    let change = problem_responsible::ActiveModel {
        state: Set(PartState::InProgress),
        handler_id: Set(Some(taken.account()?)),
        ..taken.part.clone().into_active_model()
    };
    taken.settle(Event::ProblemPartStarted, change).await
}

/// Reports a part as done, with evidence that its own unit brought in this round.
pub async fn finish(ctx: &Ctx, which: WhichPart) -> Result<Model> {
    use problem_responsible::{Column as To, Entity};
    let taken = take(ctx, which, &states::FINISH).await?;
    // Counted in the statement that writes, which the lock has made the last word.
    let done = Entity::update_many()
        .col_expr(To::State, Expr::value(PartState::Done.to_value()))
        .col_expr(To::DoneAt, Expr::value(ctx.now()))
        .filter(To::ProblemId.eq(taken.row.id))
        .filter(To::OrganizationId.eq(which.organization))
        .filter(brought(&taken.row, which.organization).gt(Expr::col((Entity, To::EvidenceAtReturn))))
        .exec(&taken.tx.db)
        .await?;
    if done.rows_affected != 1 {
        return Err(states::evidence_missing(&taken.part));
    }
    let (before, part) =
        (taken.part.state, problem_responsible::Model { state: PartState::Done, ..taken.part.clone() });
    taken.told(Event::ProblemPartFinished, before, &part).await
}

/// How many pieces of closure evidence a unit brought to a problem in its present round.
fn brought(row: &Model, unit: OrganizationId) -> SimpleExpr {
    let shown = evidence::Entity::find()
        .select_only()
        .column_as(evidence::Column::Id.count(), "shown")
        .filter(evidence::Column::ProblemId.eq(row.id))
        .filter(evidence::Column::OrganizationId.eq(unit))
        .filter(evidence::Column::Stage.eq(evidence::Stage::Closure))
        .filter(evidence::Column::Round.eq(row.round))
        .into_query();
    SimpleExpr::SubQuery(None, Box::new(shown.into()))
}

/// Sends a part back to its unit: what was done wants something new, what was declined is to be answered again.
pub async fn reopen(ctx: &Ctx, which: WhichPart, reason: &str) -> Result<Model> {
    use problem_responsible::{Column as To, Entity};
    let taken = take(ctx, which, &states::REOPEN).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let before = taken.part.state;
    let to = states::reopened(before);
    let mut update = Entity::update_many()
        .col_expr(To::State, Expr::value(to.to_value()))
        .col_expr(To::Reason, Expr::value(reason.clone()))
        .filter(To::ProblemId.eq(taken.row.id))
        .filter(To::OrganizationId.eq(which.organization));
    update = if to == PartState::Assigned {
        update.col_expr(To::AssignedAt, Expr::value(ctx.now()))
    } else {
        update.col_expr(To::EvidenceAtReturn, brought(&taken.row, which.organization))
    };
    update.exec(&taken.tx.db).await?;
    let part = problem_responsible::Model { state: to, reason: Some(reason), ..taken.part.clone() };
    taken.told(Event::ProblemPartReopened, before, &part).await
}

/// Gives an active member a part in a problem that others are at work on.
pub async fn add(ctx: &Ctx, which: Which, unit: OrganizationId) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let held = hold(ctx, which, &problem_states::ADD_PART).await?;
    let shares = Shares { lead: None, joint: &[unit] };
    let clocks = Clocks::from_now(&terms, &held.row, None, ctx.now())?;
    if make_responsible(&held.tx, &held.row, shares, &clocks).await? != 1 {
        return Err(unable_to_add(&held, unit).await?);
    }
    change_units(held, unit, Event::ProblemPartAdded, None, &clocks.moved(unit)).await
}

/// Why a unit could not be given a part.
async fn unable_to_add(held: &Held<'_>, unit: OrganizationId) -> Result<Error> {
    let parts = problem_responsible::Entity::find()
        .filter(problem_responsible::Column::ProblemId.eq(held.row.id))
        .all(&held.tx.db)
        .await?;
    Ok(if parts.iter().any(|part| part.organization_id == unit) {
        Error::invalid(Code::AlreadyExists, "organizationId")
    } else if Joint::of(&parts).units >= JOINT {
        Error::invalid(Code::OutOfRange, "organizationId").with("least", 0).with("most", JOINT)
    } else {
        Error::invalid(Code::NotAMember, "organizationId")
    })
}

/// Takes a joint unit's part away.
pub async fn remove(ctx: &Ctx, which: Which, unit: OrganizationId, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &problem_states::REMOVE_PART).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let gone = problem_responsible::Entity::delete_many()
        .filter(problem_responsible::Column::ProblemId.eq(which.id))
        .filter(problem_responsible::Column::OrganizationId.eq(unit))
        .filter(problem_responsible::Column::Duty.eq(Duty::Joint))
        .exec_with_returning(&held.tx.db)
        .await?;
    if gone.is_empty() {
        return Err(if held.row.lead_organization_id == Some(unit) {
            Error::refused(Code::LeadHasNoPart)
        } else {
            Error::NotFound("organization")
        });
    }
    supervision::note_freed(&held.tx, &held.row, &gone).await?;
    extension::end_with_assignment(&held.tx, held.row.id, Some(unit)).await?;
    change_units(held, unit, Event::ProblemPartRemoved, Some(&reason), &[]).await
}

async fn change_units(
    held: Held<'_>,
    unit: OrganizationId,
    event: Event,
    reason: Option<&str>,
    begun: &[Moved],
) -> Result<Model> {
    let Held { tx, row, .. } = held;
    let row = grown(&tx, row).await?;
    let told = fact(event, &row)
        .organizations([unit])
        .detail("organizationId", unit.to_string())
        .detail("title", row.title.clone());
    tx.record(clocks::told(told.reason(reason), begun)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Who is to share a problem.
#[derive(Clone, Copy)]
pub(super) struct Shares<'a> {
    /// The unit that leads, where it is named now.
    pub lead: Option<OrganizationId>,
    pub joint: &'a [OrganizationId],
}

/// The joint units as given, each once; the leading one is none of them.
pub(super) fn joint_units(lead: OrganizationId, given: &[OrganizationId]) -> Result<Vec<OrganizationId>> {
    let mut units = given.to_vec();
    units.sort_unstable();
    units.dedup();
    if units.contains(&lead) {
        return Err(Error::invalid(Code::LeadIsJoint, "jointOrganizationIds"));
    }
    if units.len() > JOINT {
        return Err(Error::invalid(Code::OutOfRange, "jointOrganizationIds")
            .with("least", 0)
            .with("most", JOINT));
    }
    Ok(units)
}

/// Notes as responsible whoever of the units is an active member: check and change in one statement. Tells how many were
/// noted; a joint unit only where it is not responsible yet and fewer than the most are.
pub(super) async fn make_responsible(
    tx: &Tx<'_>,
    row: &Model,
    shares: Shares<'_>,
    clocks: &Clocks,
) -> Result<u64> {
    use problem_responsible::{Column as To, Entity as Responsible};
    let unit = Expr::col((membership::Entity, membership::Column::OrganizationId));
    let duty = Expr::case(
        unit.clone().is_in(shares.lead.iter().map(|unit| unit.0)),
        Expr::value(Duty::Lead.to_value()),
    )
    .finally(Expr::value(Duty::Joint.to_value()));
    let units = shares.lead.iter().chain(shares.joint).map(|unit| unit.0);
    let mut member = Query::select();
    member
        .expr(Expr::value(row.id.0))
        .expr(unit.clone())
        .expr(duty)
        .expr(Expr::value(tx.ctx.now()))
        .from(membership::Entity)
        .and_where(membership::Column::AllianceId.eq(row.alliance_id))
        .and_where(unit.is_in(units))
        .and_where(membership::Column::State.eq(membership::State::Active));
    let running = clocks.columns();
    member.exprs(running.iter().map(|(_, value)| Expr::value(value.clone())));
    if shares.lead.is_none() {
        let most = i64::try_from(JOINT).map_err(Error::internal)?;
        member.and_where(count_of_joint(row.id).lt(most)).and_where(Expr::exists(shared_by(row.id)).not());
    }
    let mut insert = Query::insert();
    let columns = [To::ProblemId, To::OrganizationId, To::Duty, To::AssignedAt].into_iter();
    insert.into_table(Responsible).columns(columns.chain(running.iter().map(|(column, _)| *column)));
    insert.select_from(member).map_err(Error::internal)?;
    let again = [To::AssignedAt].into_iter().chain(running.iter().map(|(column, _)| *column));
    insert.on_conflict(
        OnConflict::columns([To::ProblemId, To::OrganizationId]).update_columns(again).to_owned(),
    );
    Ok(tx.db.execute(&insert).await?.rows_affected())
}

/// How many joint units a problem has.
fn count_of_joint(id: ProblemId) -> SimpleExpr {
    let joint = problem_responsible::Entity::find()
        .select_only()
        .column_as(problem_responsible::Column::OrganizationId.count(), "units")
        .filter(problem_responsible::Column::ProblemId.eq(id))
        .filter(problem_responsible::Column::Duty.eq(Duty::Joint))
        .into_query();
    SimpleExpr::SubQuery(None, Box::new(joint.into()))
}

/// Whether the member of the statement around it shares a problem already.
fn shared_by(id: ProblemId) -> SelectStatement {
    use problem_responsible::{Column as To, Entity as Responsible};
    problem_responsible::Entity::find()
        .select_only()
        .column(To::OrganizationId)
        .filter(To::ProblemId.eq(id))
        .filter(
            Expr::col((Responsible, To::OrganizationId))
                .equals((membership::Entity, membership::Column::OrganizationId)),
        )
        .into_query()
}

/// Which of the units that are to share a problem are no active members of its alliance.
pub(super) async fn not_members(tx: &Tx<'_>, row: &Model, lead: OrganizationId) -> Result<Error> {
    let seated = membership::Entity::find()
        .filter(membership::Column::AllianceId.eq(row.alliance_id))
        .filter(membership::Column::OrganizationId.eq(lead))
        .filter(membership::Column::State.eq(membership::State::Active))
        .count(&tx.db)
        .await?;
    let field = if seated == 0 { "leadOrganizationId" } else { "jointOrganizationIds" };
    Ok(Error::invalid(Code::NotAMember, field))
}

/// Frees whoever was responsible, and tells who that was. What they asked for ends with it.
pub(super) async fn release(tx: &Tx<'_>, id: ProblemId) -> Result<Vec<problem_responsible::Model>> {
    extension::end_with_assignment(tx, id, None).await?;
    freed(tx, id).await
}

/// The same of a round that ended, and with it what was asked for.
pub(super) async fn freed(tx: &Tx<'_>, id: ProblemId) -> Result<Vec<problem_responsible::Model>> {
    Ok(problem_responsible::Entity::delete_many()
        .filter(problem_responsible::Column::ProblemId.eq(id))
        .exec_with_returning(&tx.db)
        .await?)
}

/// What the whole depends on, read once the problem is locked.
pub(super) struct Shown {
    /// How many pieces of closure evidence of the present round there are.
    pub pieces: u64,
    pub units: Vec<OrganizationId>,
    pub joint: Joint,
}

#[derive(FromQueryResult)]
struct ShownPart {
    pieces: i64,
    organization_id: Option<OrganizationId>,
    state: Option<PartState>,
}

/// The closure evidence and the joint units of a problem, in one statement.
pub(super) async fn shown(held: &Held<'_>) -> Result<Shown> {
    use problem_responsible::{Column as To, Entity as Responsible};
    let pieces = evidence::Entity::find()
        .select_only()
        .column_as(evidence::Column::Id.count(), "pieces")
        .filter(evidence::Column::ProblemId.eq(held.row.id))
        .filter(evidence::Column::Stage.eq(evidence::Stage::Closure))
        .filter(evidence::Column::Round.eq(held.row.round))
        .into_query();
    let of_problem = Expr::col((Responsible, To::ProblemId))
        .equals((problem::Entity, Column::Id))
        .and(To::Duty.eq(Duty::Joint));
    let select = Query::select()
        .expr_as(SimpleExpr::SubQuery(None, Box::new(pieces.into())), "pieces")
        .column((Responsible, To::OrganizationId))
        .column((Responsible, To::State))
        .from(problem::Entity)
        .join(JoinType::LeftJoin, Responsible, of_problem)
        .and_where(Column::Id.eq(held.row.id))
        .to_owned();
    let mut found = Shown { pieces: 0, units: Vec::new(), joint: Joint::default() };
    for row in held.tx.db.query_all(&select).await? {
        let part = ShownPart::from_query_result(&row, "")?;
        found.pieces = u64::try_from(part.pieces).map_err(Error::internal)?;
        found.units.extend(part.organization_id);
        if let Some(state) = part.state {
            found.joint.units += 1;
            found.joint.unfinished += usize::from(state != PartState::Done);
        }
    }
    Ok(found)
}

/// Sends every part of a returned problem back to work. What the units add is up to them: the whole wants something new.
pub(super) async fn resume(tx: &Tx<'_>, id: ProblemId) -> Result<()> {
    use problem_responsible::{Column as To, Entity};
    Entity::update_many()
        .col_expr(To::State, Expr::value(PartState::InProgress.to_value()))
        .filter(To::ProblemId.eq(id))
        .filter(To::Duty.eq(Duty::Joint))
        .filter(To::State.eq(PartState::Done))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Strikes words out of the reasons of a problem's parts.
pub(super) async fn erase(tx: &Tx<'_>, id: ProblemId, words: &Words<'_>) -> Result<()> {
    let parts = problem_responsible::Entity::find()
        .filter(problem_responsible::Column::ProblemId.eq(id))
        .filter(problem_responsible::Column::Reason.is_not_null())
        .all(&tx.db)
        .await?;
    for part in parts {
        if let Some(reason) = part.reason.clone().filter(|reason| words.stand_in(reason)) {
            let mut change = part.into_active_model();
            change.reason = Set(Some(words.struck_from(&reason)));
            change.update(&tx.db).await?;
        }
    }
    Ok(())
}
