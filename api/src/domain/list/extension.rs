//! More time (延期): a responsible unit asks for it with a reason, the committee grants or refuses it; a granted day becomes the
//! unit's deadline, and what was late stays late. A request ends with the assignment that it was made in. While closure is asked for
//! or the problem is on account it waits: it can be refused then, and granted once work goes on.

use chrono::NaiveDate;
use concord_entities::{
    breach::Clock,
    extension::{self, Column, Model, State as Stage},
    id::{AllianceId, ExtensionId, OrganizationId, ProblemId},
    problem::{self, State},
    problem_responsible::{self as responsible, Duty},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QuerySelect, Select, sea_query::Expr,
};

use super::{
    deadline_policy::Terms,
    problem::{
        self as problems, FREE_TEXT,
        clocks::{self, Moved},
        moves::due_date,
    },
    supervision,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, HELD, Result, Standing, Target, Tx,
    governance::alliance::expect_version, policy, scope, text,
};

/// States in which somebody works on it.
const WORKED_ON: [State; 3] = [State::Assigned, State::Accepted, State::InProgress];

/// The requests of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<extension::Entity> {
    extension::Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One request, if the caller may see it.
pub async fn find(ctx: &Ctx, id: ExtensionId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The problem under a lock, if the caller may see it.
async fn locked(tx: &Tx<'_>, id: ProblemId) -> Result<problem::Model> {
    problems::visible(tx.ctx)
        .filter(problem::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("problem"))
}

fn worked_on(row: &problem::Model) -> Result<()> {
    if WORKED_ON.contains(&row.state) {
        Ok(())
    } else {
        Err(Error::refused(Code::StateRefused).with("state", row.state.to_value()))
    }
}

/// Asks for more time for a responsible unit that the caller acts for.
pub async fn request(ctx: &Ctx, id: ProblemId, until: NaiveDate, reason: &str) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), id).await?;
    let tx = ctx.begin().await?;
    let row = locked(&tx, id).await?;
    let units =
        super::supervision::units(&tx, std::slice::from_ref(&row)).await?.remove(&id).unwrap_or_default();
    let ids: Vec<OrganizationId> = units.iter().map(|unit| unit.organization_id).collect();
    let target = Target::alliance(row.alliance_id).of(&ids);
    let standing: Standing = ctx.require(&tx.db, Action::RequestExtension, target).await?;
    worked_on(&row)?;
    let unit = units
        .into_iter()
        .find(|unit| Some(unit.organization_id) == standing.organization_id)
        .ok_or(Error::Forbidden)?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let due_at = unit.resolution_due_at.ok_or_else(|| Error::refused(Code::NoDeadline))?;
    let until = later(&terms, until, terms.place.last_day(due_at), ctx)?;
    let open = extension::Entity::find()
        .filter(Column::ProblemId.eq(id))
        .filter(Column::OrganizationId.eq(unit.organization_id))
        .filter(Column::State.eq(Stage::Asked))
        .one(&tx.db)
        .await?;
    match open {
        Some(open) if stands(&open, &row, Some(&unit)) => return Err(Error::refused(Code::AlreadyExists)),
        // It asked for an assignment that is over.
        Some(open) => lapse(&tx, open).await?,
        None => {}
    }
    let asked = extension::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(row.alliance_id),
        problem_id: Set(row.id),
        round: Set(row.round),
        organization_id: Set(unit.organization_id),
        state: Set(Stage::Asked),
        reason: Set(reason),
        asked_until: Set(until),
        asked_at: Set(ctx.now()),
        asked_by: Set(ctx.author()),
        due_before: Set(None),
        granted_until: Set(None),
        decision: Set(None),
        decided_at: Set(None),
        decided_by: Set(None),
        version: Set(1),
    };
    let asked = asked.insert(&tx.db).await?;
    let fact = about(Event::ExtensionRequested, &row, &asked).reason(Some(&asked.reason));
    tx.record(fact.detail("until", until.to_string())).await?;
    tx.commit(asked.id).await?;
    Ok(asked)
}

/// Nobody gives a unit that they act for more time.
async fn require_outsider(tx: &Tx<'_>, alliance: AllianceId, unit: OrganizationId) -> Result<()> {
    let Ok(account) = tx.ctx.account_id() else { return Ok(()) };
    let own = policy::active_seats(&tx.db, account, alliance).await?;
    if own.iter().any(|seat| seat.organization_id == Some(unit)) {
        Err(Error::refused(Code::NotIndependent))
    } else {
        Ok(())
    }
}

/// A day that is later than the deadline and not past.
fn later(terms: &Terms, until: NaiveDate, last_day: NaiveDate, ctx: &Ctx) -> Result<NaiveDate> {
    let today = terms.place.day(ctx.now());
    let least = Ord::max(last_day.succ_opt().unwrap_or(last_day), today);
    let most = due_date(until, today).map_err(|error| error.at("until"))?;
    if most >= least { Ok(until) } else { Err(Error::invalid(Code::TooEarly, "until").with("least", least)) }
}

/// Whether a request still concerns the assignment that it was made in.
fn stands(asked: &Model, row: &problem::Model, unit: Option<&responsible::Model>) -> bool {
    asked.round == row.round && unit.is_some_and(|unit| unit.assigned_at <= asked.asked_at)
}

/// Ends what the units of a problem asked for, or one of them, and nobody decided: their assignment ends in this unit of work.
pub(super) async fn end_with_assignment(
    tx: &Tx<'_>,
    of: ProblemId,
    unit: Option<OrganizationId>,
) -> Result<()> {
    let theirs = Condition::all().add_option(unit.map(|unit| Column::OrganizationId.eq(unit)));
    extension::Entity::update_many()
        .col_expr(Column::State, Expr::value(Stage::Lapsed.to_value()))
        .col_expr(Column::DecidedAt, Expr::value(tx.ctx.now()))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::ProblemId.eq(of))
        .filter(Column::State.eq(Stage::Asked))
        .filter(theirs)
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Ends a request whose assignment is over.
async fn lapse(tx: &Tx<'_>, asked: Model) -> Result<()> {
    let version = asked.version + 1;
    let mut change = asked.into_active_model();
    change.state = Set(Stage::Lapsed);
    change.decided_at = Set(Some(tx.ctx.now()));
    change.version = Set(version);
    change.update(&tx.db).await?;
    Ok(())
}

fn about(kind: Event, row: &problem::Model, asked: &Model) -> crate::domain::Fact {
    problems::fact(kind, row)
        .organizations([asked.organization_id])
        .detail("title", row.title.clone())
        .detail("extensionId", asked.id.to_string())
        .detail("organizationId", asked.organization_id.to_string())
}

/// A request under the lock of its problem, still to be decided, its decider's right checked.
async fn held(
    tx: &Tx<'_>,
    id: ExtensionId,
    expected: Option<i64>,
) -> Result<(problem::Model, Option<responsible::Model>, Model)> {
    let missing = || Error::NotFound("extension");
    let seen = visible(tx.ctx).filter(Column::Id.eq(id)).one(&tx.db).await?.ok_or_else(missing)?;
    let row = locked(tx, seen.problem_id).await?;
    let asked = extension::Entity::find_by_id(id).one(&tx.db).await?.ok_or_else(missing)?;
    let target = Target::alliance(asked.alliance_id);
    tx.ctx.require(&tx.db, Action::DecideExtension, target).await?;
    if asked.asked_by.is_some() && asked.asked_by == tx.ctx.author() {
        return Err(Error::refused(Code::NotIndependent));
    }
    require_outsider(tx, asked.alliance_id, asked.organization_id).await?;
    if let Some(expected) = expected {
        expect_version(expected, asked.version)?;
    }
    if asked.state != Stage::Asked {
        return Err(Error::refused(Code::StateRefused).with("state", asked.state.to_value()));
    }
    let unit = clocks::of_unit(tx, &row, asked.organization_id).await?;
    let unit = unit.filter(|unit| stands(&asked, &row, Some(unit)));
    Ok((row, unit, asked))
}

/// Grants a request, to the day asked for or another.
pub async fn grant(
    ctx: &Ctx,
    id: ExtensionId,
    until: Option<NaiveDate>,
    decision: Option<&str>,
    expected: Option<i64>,
) -> Result<Model> {
    let asked = find(ctx, id).await?.ok_or(Error::NotFound("extension"))?;
    let terms = Terms::of_problem(ctx.read(), asked.problem_id).await?;
    let tx = ctx.begin().await?;
    let (row, unit, asked) = held(&tx, id, expected).await?;
    worked_on(&row)?;
    // What was asked for an assignment that is over can only be refused.
    let unit = unit.ok_or_else(|| Error::refused(Code::NotResponsible))?;
    let decision = text::optional(decision, "decision", FREE_TEXT)?;
    let due_before = unit.resolution_due_at.ok_or_else(|| Error::refused(Code::NoDeadline))?;
    let until = later(&terms, until.unwrap_or(asked.asked_until), terms.place.last_day(due_before), ctx)?;
    let running = terms.until(unit.resolution_from.unwrap_or(unit.assigned_at), terms.place.end_of(until));
    let moved = Moved {
        unit: Some(unit.organization_id),
        clock: Clock::Resolution,
        before: Some(due_before),
        after: Some(running.due.at),
        is_provisional: false,
    };
    let is_lead = unit.duty == Duty::Lead;
    supervision::note_passed(&tx, &row, &[(Clock::Resolution, &unit)]).await?;
    clocks::set(&tx, row.id, unit.organization_id, running).await?;
    let mut change = row.clone().into_active_model();
    if is_lead {
        change.due_on = Set(Some(until));
        change.due_is_provisional = Set(false);
    }
    change.version = Set(row.version + 1);
    let row = change.update(&tx.db).await?;
    let version = asked.version + 1;
    let mut change = asked.into_active_model();
    change.state = Set(Stage::Granted);
    change.due_before = Set(Some(due_before));
    change.granted_until = Set(Some(until));
    change.decision = Set(decision);
    change.decided_at = Set(Some(ctx.now()));
    change.decided_by = Set(ctx.author());
    change.version = Set(version);
    let asked = change.update(&tx.db).await?;
    let fact = about(Event::ExtensionGranted, &row, &asked).reason(asked.decision.as_deref());
    tx.record(clocks::told(fact.detail("until", until.to_string()), &[moved])).await?;
    tx.commit(asked.id).await?;
    Ok(asked)
}

/// Refuses a request, with the reason why.
pub async fn refuse(ctx: &Ctx, id: ExtensionId, decision: &str, expected: Option<i64>) -> Result<Model> {
    let tx = ctx.begin().await?;
    let (row, _, asked) = held(&tx, id, expected).await?;
    let decision = text::required(decision, "reason", FREE_TEXT)?;
    let version = asked.version + 1;
    let mut change = asked.into_active_model();
    change.state = Set(Stage::Refused);
    change.decision = Set(Some(decision));
    change.decided_at = Set(Some(ctx.now()));
    change.decided_by = Set(ctx.author());
    change.version = Set(version);
    let asked = change.update(&tx.db).await?;
    tx.record(about(Event::ExtensionRefused, &row, &asked).reason(asked.decision.as_deref())).await?;
    tx.commit(asked.id).await?;
    Ok(asked)
}
