//! What follows a deadline: a reminder before it, a breach on record when it passes unmet, and numbered supervision notices
//! (督办单), one level after the other, until the matter is done. Each of these once, whichever node comes first: the problem is
//! locked, what waits is looked at again, and what was looked at leaves its index with the same commit.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    breach::{self, Clock},
    id::{AllianceId, BreachId, OrganizationId, ProblemId, SupervisionNoticeId, WhistleId},
    membership,
    problem::{self, State},
    problem_responsible::{self as responsible, Column as Unit, Duty, PartState},
    supervision_notice::{self, Column as Notice, Model},
    whistle as whistles,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    sea_query::{Expr, OnConflict, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{
    deadline_policy::Terms,
    follow_up,
    problem::{
        self as problems, FREE_TEXT,
        moves::{self, Which},
    },
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Result, Tx,
    page::{self, Order, Page},
    scope, text, whistle,
};

mod notice;
mod reply;

pub(in crate::domain) use notice::{About, NewNotice, about_notice};
pub use reply::answer;

/// Most problems looked at in one unit of work.
const BATCH: u64 = 50;
/// The level of the first notice about a matter, and of those that are issued by hand.
const FIRST: i32 = 1;

/// The notices of the alliances that the caller may see, and those about the whistles that they may see.
pub fn visible(ctx: &Ctx) -> Select<supervision_notice::Entity> {
    let whistles = whistle::visible(ctx).select_only().column(whistles::Column::Id).into_query();
    let seen = Condition::any()
        .add(scope::in_alliances(ctx, Notice::AllianceId))
        .add(Notice::WhistleId.in_subquery(whistles));
    supervision_notice::Entity::find().filter(seen)
}

/// One notice, if the caller may see it.
pub async fn find(ctx: &Ctx, id: SupervisionNoticeId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Notice::Id.eq(id)).one(ctx.read()).await?)
}

/// Which notices to list; what is absent does not restrict.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub organization_id: Option<OrganizationId>,
    pub problem_id: Option<ProblemId>,
    pub whistle_id: Option<WhistleId>,
    pub answered: Option<bool>,
}

/// The notices that the caller may see, the latest first.
pub async fn list(ctx: &Ctx, filter: Filter, args: &page::Args) -> Result<Page<supervision_notice::Entity>> {
    ctx.require_signed_in()?;
    let condition = Condition::all()
        .add_option(filter.alliance_id.map(|id| Notice::AllianceId.eq(id)))
        .add_option(filter.organization_id.map(|id| Notice::OrganizationId.eq(id)))
        .add_option(filter.problem_id.map(|id| Notice::ProblemId.eq(id)))
        .add_option(filter.whistle_id.map(|id| Notice::WhistleId.eq(id)))
        .add_option(filter.answered.map(|answered| {
            if answered { Notice::AnsweredAt.is_not_null() } else { Notice::AnsweredAt.is_null() }
        }));
    let order = Order { column: Notice::IssuedAt, descending: true };
    page::fetch(ctx, visible(ctx).filter(condition), order, Notice::Id, args).await
}

/// The hand: does once everything that deadlines have come to by now; tells how much that was.
pub async fn watch(ctx: &Ctx) -> Result<usize> {
    let recalculated = super::recalculation::recalculate(ctx).await?;
    let reminded =
        remind(ctx).await? + problems::on_account::remind(ctx).await? + follow_up::remind(ctx).await?;
    let late = settle_dispatches(ctx).await?
        + settle_units(ctx, Clock::Response).await?
        + settle_units(ctx, Clock::Resolution).await?;
    Ok(recalculated + reminded + late + escalate(ctx).await? + reply::note_unanswered(ctx).await?)
}

/// What an alliance's deadlines are computed with, read once for a batch.
#[derive(Default)]
pub(in crate::domain) struct AllTerms(HashMap<AllianceId, Terms>);

impl AllTerms {
    pub(in crate::domain) async fn of(&mut self, tx: &Tx<'_>, alliance: AllianceId) -> Result<Terms> {
        if let Some(terms) = self.0.get(&alliance) {
            return Ok(terms.clone());
        }
        let terms = Terms::of_alliance(&tx.db, alliance).await?;
        self.0.insert(alliance, terms.clone());
        Ok(terms)
    }
}

/// Locks problems for a hand, and gives them alliance by alliance: numbers of notices are taken in that order.
async fn lock(tx: &Tx<'_>, ids: Vec<ProblemId>) -> Result<Vec<problem::Model>> {
    let mut rows = problems::lock(tx, ids).await?;
    rows.sort_by_key(|row| (row.alliance_id, row.id));
    Ok(rows)
}

/// The problems of some responsible units, looked for without a lock: most of the time there is nothing.
async fn waiting(ctx: &Ctx, condition: Condition) -> Result<Vec<ProblemId>> {
    let of = responsible::Entity::find()
        .inner_join(problem::Entity)
        .select_only()
        .column(Unit::ProblemId)
        .filter(condition)
        .distinct()
        .limit(BATCH);
    Ok(of.into_tuple().all(ctx.read()).await?)
}

/// The units responsible for locked problems.
pub(super) async fn units(
    tx: &Tx<'_>,
    rows: &[problem::Model],
) -> Result<HashMap<ProblemId, Vec<responsible::Model>>> {
    let all = responsible::Entity::find()
        .filter(Unit::ProblemId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(Unit::OrganizationId)
        .all(&tx.db)
        .await?;
    let mut units: HashMap<ProblemId, Vec<responsible::Model>> = HashMap::new();
    for unit in all {
        units.entry(unit.problem_id).or_default().push(unit);
    }
    Ok(units)
}

/// What a unit of work of a hand is remembered by.
fn first(rows: &[problem::Model]) -> Uuid {
    rows.first().map_or_else(Uuid::nil, |row| row.id.into())
}

/// States in which somebody else looks at what the unit has done.
const IN_REVIEW: [State; 2] = [State::Submitted, State::Verified];

/// Whether a deadline was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    Yes,
    No,
    /// It was, unless what was handed in comes back.
    InReview,
}

fn met(at: Option<DateTime<Utc>>, due_at: DateTime<Utc>) -> Met {
    if at.is_some_and(|at| at <= due_at) { Met::Yes } else { Met::No }
}

/// Whether a problem was assigned in time.
fn dispatched(row: &problem::Model, due_at: DateTime<Utc>) -> Met {
    met(row.assigned_at.or(row.closed_at), due_at)
}

/// When a unit did what its clocks are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub accepted: Option<DateTime<Utc>>,
    pub resolved: Option<DateTime<Utc>>,
}

/// When a unit accepted, and when it last asked for closure, or a joint one was done with its part, if that stands.
pub fn done_at(row: &problem::Model, unit: &responsible::Model) -> Done {
    if unit.duty == Duty::Joint {
        return Done {
            accepted: unit.accepted_at,
            resolved: unit.done_at.filter(|_| unit.state == PartState::Done),
        };
    }
    let stands = !row.is_open || IN_REVIEW.contains(&row.state);
    Done { accepted: row.accepted_at, resolved: row.submitted_at.filter(|_| stands) }
}

/// Whether a unit met its deadline. A return does not set the clock going anew: rework is the unit's.
fn done(clock: Clock, row: &problem::Model, unit: &responsible::Model, due_at: DateTime<Utc>) -> Met {
    let at = done_at(row, unit);
    match clock {
        Clock::Dispatch => dispatched(row, due_at),
        Clock::Response => met(at.accepted.or(row.closed_at), due_at),
        Clock::Resolution => match met(at.resolved.or(row.closed_at), due_at) {
            // What comes back is not done.
            Met::Yes if IN_REVIEW.contains(&row.state) => Met::InReview,
            other => other,
        },
    }
}

/// Reminds the units whose deadline is near.
async fn remind(ctx: &Ctx) -> Result<usize> {
    let now = ctx.now();
    let is_due = Condition::all()
        .add(Unit::RemindAt.lte(now))
        .add(Unit::ResolutionIsProvisional.eq(false))
        .add(problem::Column::State.is_not_in(IN_REVIEW))
        .add(problem::Column::State.ne(State::OnAccount));
    let ids = waiting(ctx, is_due).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let rows = lock(&tx, ids).await?;
    let mut units = units(&tx, &rows).await?;
    let mut reminded = 0;
    for row in &rows {
        for unit in units.remove(&row.id).unwrap_or_default() {
            let (Some(at), Some(due_at)) = (unit.remind_at, unit.resolution_due_at) else { continue };
            if at > now || row.state == State::OnAccount || unit.resolution_is_provisional {
                continue;
            }
            // Where the clock went past the deadline itself, the breach says it.
            if row.is_open && due_at > now && done(Clock::Resolution, row, &unit, due_at) == Met::No {
                let fact = problems::fact(Event::ProblemDue, row)
                    .organizations([unit.organization_id])
                    .detail("title", row.title.clone())
                    .detail("dueOn", row.due_on.map(|on| on.to_string()))
                    .detail("dueAt", due_at.to_rfc3339());
                tx.record(fact).await?;
            }
            let mut change = unit.into_active_model();
            change.remind_at = Set(None);
            change.update(&tx.db).await?;
            reminded += 1;
        }
    }
    tx.commit(first(&rows)).await?;
    Ok(reminded)
}

/// Looks at the dispatches whose deadline has passed.
async fn settle_dispatches(ctx: &Ctx) -> Result<usize> {
    use problem::{Column, Entity};
    let now = ctx.now();
    let passed = Condition::all()
        .add(Column::DispatchDueAt.lte(now))
        .add(Column::DispatchSettled.into_expr().not())
        .add(Column::DispatchIsProvisional.eq(false));
    let select = Entity::find().select_only().column(Column::Id).filter(passed).limit(BATCH);
    let ids: Vec<ProblemId> = select.into_tuple().all(ctx.read()).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let rows = lock(&tx, ids).await?;
    let mut settled = 0;
    for row in &rows {
        let Some(due_at) = row.dispatch_due_at.filter(|due| *due <= now && !row.dispatch_settled) else {
            continue;
        };
        if dispatched(row, due_at) == Met::No {
            note(&tx, row, Clock::Dispatch, None, due_at).await?;
        }
        Entity::update_many()
            .col_expr(Column::DispatchSettled, Expr::value(true))
            .filter(Column::Id.eq(row.id))
            .exec(&tx.db)
            .await?;
        settled += 1;
    }
    tx.commit(first(&rows)).await?;
    Ok(settled)
}

/// The columns of one of a unit's clocks.
const fn columns(clock: Clock) -> (Unit, Unit, Unit) {
    match clock {
        Clock::Response => (Unit::ResponseDueAt, Unit::ResponseSettled, Unit::ResponseIsProvisional),
        _ => (Unit::ResolutionDueAt, Unit::ResolutionSettled, Unit::ResolutionIsProvisional),
    }
}

/// A unit's deadline as far as it runs: it was not looked at yet, and is known.
fn runs_to(clock: Clock, unit: &responsible::Model) -> Option<DateTime<Utc>> {
    let (due_at, is_settled, is_provisional) = match clock {
        Clock::Response => (unit.response_due_at, unit.response_settled, unit.response_is_provisional),
        _ => (unit.resolution_due_at, unit.resolution_settled, unit.resolution_is_provisional),
    };
    due_at.filter(|_| !is_settled && !is_provisional)
}

/// Looks at the units' deadlines of one clock that have passed.
async fn settle_units(ctx: &Ctx, clock: Clock) -> Result<usize> {
    let now = ctx.now();
    let (due, settled_column, provisional) = columns(clock);
    let mut passed = Condition::all()
        .add(due.lte(now))
        .add(settled_column.into_expr().not())
        .add(provisional.eq(false))
        .add(problem::Column::State.ne(State::OnAccount));
    if clock == Clock::Resolution {
        let in_review = problem::Column::State.is_not_in(IN_REVIEW);
        let late = Expr::col((problem::Entity, problem::Column::SubmittedAt)).gt(due.into_expr());
        passed = passed.add(Condition::any().add(in_review).add(late));
    }
    let ids = waiting(ctx, passed).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let rows = lock(&tx, ids).await?;
    let mut units = units(&tx, &rows).await?;
    let mut terms = AllTerms::default();
    let (mut settled, mut late) = (0, Vec::new());
    for row in &rows {
        for unit in units.remove(&row.id).unwrap_or_default() {
            let passed = runs_to(clock, &unit).filter(|due| *due <= now && row.state != State::OnAccount);
            let Some(due_at) = passed else { continue };
            match done(clock, row, &unit, due_at) {
                Met::InReview => continue,
                Met::Yes => {}
                Met::No => {
                    let id = unit.organization_id;
                    if let Some(breach) = note(&tx, row, clock, Some(id), due_at).await? {
                        let is_asked_for = !row.is_open || IN_REVIEW.contains(&row.state);
                        if clock == Clock::Resolution && unit.duty == Duty::Lead && !is_asked_for {
                            late.push(row);
                        }
                        let terms = terms.of(&tx, row.alliance_id).await?;
                        issue_level(&tx, row, &terms, (breach, due_at, id), FIRST).await?;
                    }
                }
            }
            let mut change = unit.into_active_model();
            change.set(settled_column, true.into());
            change.update(&tx.db).await?;
            settled += 1;
        }
    }
    follow_up::on_limit(&tx, &late).await?;
    tx.commit(first(&rows)).await?;
    Ok(settled)
}

/// Puts a deadline that passed unmet on record.
async fn note(
    tx: &Tx<'_>,
    row: &problem::Model,
    clock: Clock,
    unit: Option<OrganizationId>,
    due_at: DateTime<Utc>,
) -> Result<Option<BreachId>> {
    let id: BreachId = tx.ctx.new_id();
    let fresh = breach::ActiveModel {
        id: Set(id),
        alliance_id: Set(row.alliance_id),
        problem_id: Set(row.id),
        round: Set(row.round),
        clock: Set(clock),
        organization_id: Set(unit),
        is_lead: Set(unit.is_some() && unit == row.lead_organization_id),
        due_at: Set(due_at),
        noted_at: Set(tx.ctx.now()),
    };
    // A deadline that came back to an instant that it was late for before is late for it once.
    let insert = breach::Entity::insert(fresh)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    if insert == 0 {
        return Ok(None);
    }
    let fact = problems::fact(Event::ProblemBreached, row)
        .organizations(unit)
        .detail("title", row.title.clone())
        .detail("clock", clock.to_value())
        .detail("organizationId", unit.map(|unit| unit.to_string()))
        .detail("dueAt", due_at.to_rfc3339());
    tx.record(fact).await?;
    Ok(Some(id))
}

/// Puts deadlines of units that have passed unmet on record ahead of a change that moves them: what was late was late, whether or
/// not the hand has come to it. One that stays where it is stays the hand's, which sees to what follows.
pub(super) async fn note_passed(
    tx: &Tx<'_>,
    row: &problem::Model,
    of: &[(Clock, &responsible::Model)],
) -> Result<()> {
    // On account the clocks stand still: what has passed had done so before.
    let stands_since = row.held_at.filter(|_| row.state == State::OnAccount);
    let now = stands_since.unwrap_or_else(|| tx.ctx.now());
    for (clock, unit) in of {
        if let Some(due_at) = runs_to(*clock, unit).filter(|due| *due <= now)
            && done(*clock, row, unit, due_at) == Met::No
        {
            note(tx, row, *clock, Some(unit.organization_id), due_at).await?;
        }
    }
    Ok(())
}

/// The same of all deadlines of units that are freed.
pub(super) async fn note_freed(
    tx: &Tx<'_>,
    row: &problem::Model,
    units: &[responsible::Model],
) -> Result<()> {
    let both = |unit| [(Clock::Response, unit), (Clock::Resolution, unit)];
    let all: Vec<_> = units.iter().flat_map(both).collect();
    note_passed(tx, row, &all).await
}

/// The same of a dispatch.
pub(super) async fn note_dispatch(tx: &Tx<'_>, row: &problem::Model) -> Result<()> {
    let runs = !row.dispatch_settled && !row.dispatch_is_provisional;
    if let Some(due_at) = row.dispatch_due_at.filter(|due| runs && *due <= tx.ctx.now())
        && dispatched(row, due_at) == Met::No
    {
        note(tx, row, Clock::Dispatch, None, due_at).await?;
    }
    Ok(())
}

/// Issues the notice of a level, from 1, where the alliance has one.
async fn issue_level(
    tx: &Tx<'_>,
    row: &problem::Model,
    terms: &Terms,
    (breach, due_at, unit): (BreachId, DateTime<Utc>, OrganizationId),
    level: i32,
) -> Result<()> {
    let about = About::Problem(row.id, Some(breach));
    let Some(new) = NewNotice::of_level(terms, tx.ctx.now(), (about, due_at, unit), level) else {
        return Ok(());
    };
    match new.addressed(tx, row.alliance_id).await? {
        Some(new) => write(tx, row, terms, new).await.map(drop),
        None => Ok(()),
    }
}

async fn write(tx: &Tx<'_>, row: &problem::Model, terms: &Terms, new: NewNotice) -> Result<Model> {
    let notice = new.write(tx, row.alliance_id, terms).await?;
    let fact = problems::fact(Event::SupervisionNoticeIssued, row).detail("title", row.title.clone());
    tx.record(about_notice(fact, &notice)).await?;
    Ok(notice)
}

/// Issues the next level where a matter is still not done.
async fn escalate(ctx: &Ctx) -> Result<usize> {
    let now = ctx.now();
    let select = supervision_notice::Entity::find()
        .inner_join(problem::Entity)
        .select_only()
        .column(Notice::ProblemId)
        .filter(Notice::ProblemId.is_not_null())
        .filter(Notice::EscalatesAt.lte(now))
        .filter(problem::Column::State.is_not_in(IN_REVIEW))
        .filter(problem::Column::State.ne(State::OnAccount))
        .distinct()
        .limit(BATCH);
    let ids: Vec<ProblemId> = select.into_tuple().all(ctx.read()).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let rows = lock(&tx, ids).await?;
    let units = units(&tx, &rows).await?;
    let mut terms = AllTerms::default();
    let mut escalated = 0;
    for row in &rows {
        let notices = supervision_notice::Entity::find()
            .find_also_related(breach::Entity)
            .filter(Notice::ProblemId.eq(row.id))
            .filter(Notice::EscalatesAt.lte(now))
            .order_by_asc(Notice::Id)
            .all(&tx.db)
            .await?;
        for (notice, breach) in notices {
            // Whose deadline it was: the notice went elsewhere where that unit could not answer.
            let late = breach.as_ref().and_then(|breach| breach.organization_id);
            let unit = late.unwrap_or(notice.organization_id);
            let theirs =
                units.get(&row.id).and_then(|all| all.iter().find(|one| one.organization_id == unit));
            let level = notice.level + 1;
            let mut change = notice.into_active_model();
            change.escalates_at = Set(None);
            change.update(&tx.db).await?;
            escalated += 1;
            // Late it was already: what counts now is whether it is done at all.
            let (Some(breach), Some(theirs)) = (breach, theirs) else { continue };
            // A deadline that moved, or of a round that ended, is missed no more; a new one that is missed begins anew.
            let due_at = match breach.clock {
                Clock::Response => theirs.response_due_at,
                _ => theirs.resolution_due_at,
            };
            if breach.round != row.round || due_at != Some(breach.due_at) {
                continue;
            }
            if row.is_open && done(breach.clock, row, theirs, now) == Met::No {
                let terms = terms.of(&tx, row.alliance_id).await?;
                issue_level(&tx, row, &terms, (breach.id, breach.due_at, unit), level).await?;
            }
        }
    }
    tx.commit(first(&rows)).await?;
    Ok(escalated)
}

/// Issues a notice by hand to a unit that is responsible for an open problem.
pub async fn issue(
    ctx: &Ctx,
    problem: ProblemId,
    unit: OrganizationId,
    demand: &str,
    reply_by: Option<NaiveDate>,
) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), problem).await?;
    let which = Which { id: problem, expected_version: None };
    let held = moves::take(ctx.begin().await?, which, Action::IssueSupervisionNotice).await?;
    let row = &held.row;
    // What is on account stands still: nothing can be demanded of its units meanwhile.
    if !row.is_open || row.state == State::OnAccount {
        return Err(Error::refused(Code::StateRefused).with("state", row.state.to_value()));
    }
    let demand = text::required(demand, "demand", FREE_TEXT)?;
    let reply_by = match reply_by {
        Some(day) => moves::due_date(day, held.today).map_err(|error| error.at("replyBy"))?,
        None => terms.reply_by(ctx.now()),
    };
    match unanswered(&held.tx, row, unit).await? {
        None => return Err(Error::invalid(Code::NotResponsible, "organizationId")),
        Some((Some(number), _)) => return Err(Error::refused(Code::NoticeUnanswered).with("number", number)),
        // Nobody there could answer.
        Some((None, 0)) => return Err(Error::invalid(Code::NotAMember, "organizationId")),
        Some((None, _)) => {}
    }
    let level = terms.policy.levels.first();
    let new = NewNotice {
        about: About::Problem(row.id, None),
        unit,
        level: FIRST,
        name: level.map(|level| level.name.clone()).unwrap_or_default(),
        colour: level.map_or("yellow", |level| level.colour.text()),
        demand,
        reply_by,
        escalates_at: None,
    };
    let notice = write(&held.tx, row, &terms, new).await?;
    held.tx.commit(notice.id).await?;
    Ok(notice)
}

/// The number of a notice of the first level that a unit was given since it became responsible and has not answered, and how often
/// it is an active member; nothing at all where it is not responsible.
async fn unanswered(
    tx: &Tx<'_>,
    of: &problem::Model,
    unit: OrganizationId,
) -> Result<Option<(Option<String>, i64)>> {
    let number = supervision_notice::Entity::find()
        .select_only()
        .column(Notice::Number)
        .filter(Notice::ProblemId.eq(of.id))
        .filter(Notice::OrganizationId.eq(unit))
        .filter(Notice::Level.eq(FIRST))
        .filter(Notice::AnsweredAt.is_null())
        .filter(Notice::IssuedAt.into_expr().gte(Expr::col((responsible::Entity, Unit::AssignedAt))))
        .limit(1)
        .into_query();
    let seats = membership::Entity::find()
        .select_only()
        .column_as(membership::Column::Id.count(), "seats")
        .filter(membership::Column::AllianceId.eq(of.alliance_id))
        .filter(membership::Column::OrganizationId.eq(unit))
        .filter(membership::Column::State.eq(membership::State::Active))
        .into_query();
    let below = |select: SelectStatement| SimpleExpr::SubQuery(None, Box::new(select.into()));
    let of = responsible::Entity::find_by_id((of.id, unit)).select_only();
    let of = of.expr_as(below(number), "number").expr_as(below(seats), "seats");
    Ok(of.into_tuple().one(&tx.db).await?)
}
