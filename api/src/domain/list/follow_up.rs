//! Follow-up (回访): somebody who has no part in a problem asks whoever reported it. It is due on submission or when the limit of
//! the leading unit ends, where the alliance wants that, and on request. A dissatisfied answer returns what is submitted and
//! reopens what was struck off, in the same unit of work. What the reporter says stands beside the chain of events, never in it.

pub mod exclusion;
pub mod link;

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use concord_entities::{
    alliance,
    follow_up::{self, Column, Entity, Kind, Model, Solved, State},
    follow_up_link,
    id::{AccountId, AllianceId, FollowUpId, OrganizationId, ProblemId},
    problem, problem_past_unit, problem_round,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, TryIntoModel, sea_query::Expr,
};

use super::{
    deadline_policy::Terms,
    due,
    problem::{
        self as problems, fact, merge,
        moves::{self, Held, Which},
        round,
    },
    problem_states as states,
    statistics::start_of,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Tx,
    fact::erasure::Words,
    governance::alliance::expect_version,
    page::{self, Order, Page},
    scope, text,
};

/// After how many tries in vain a reporter counts as unreachable.
pub const TRIES: i32 = 3;
/// By when a reporter is asked where nobody names a day.
const DAYS: Days = Days::new(7);
/// Most problems looked at in one unit of work.
const BATCH: u64 = 50;
/// Longest words of a reporter.
const WORDS: usize = 2_000;
/// Longest note of whoever asks.
const NOTE: usize = 1_000;
/// Why a problem comes back; the reporter's own words are in no event.
const DISSATISFIED: &str = "回访不满意 (the reporter is not satisfied)";

/// The follow-ups of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One follow-up, if the caller may see it.
pub async fn find(ctx: &Ctx, id: FollowUpId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which follow-ups to list; what is absent does not restrict.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub problem_id: Option<ProblemId>,
    pub state: Option<State>,
}

/// The follow-ups that the caller may see, those due first coming first.
pub async fn list(ctx: &Ctx, filter: Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let wanted = Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(filter.problem_id.map(|id| Column::ProblemId.eq(id)))
        .add_option(filter.state.map(|state| Column::State.eq(state)));
    let order = Order { column: Column::DueOn, descending: false };
    page::fetch(ctx, visible(ctx).filter(wanted), order, Column::Id, args).await
}

/// Whom to ask, and how.
#[derive(Clone, Copy, Debug)]
pub struct NewFollowUp {
    pub problem: Which,
    /// The problem whose reporter is asked, where it is one that was merged into the other.
    pub reporter_problem_id: Option<ProblemId>,
    pub kind: Kind,
    pub due_on: Option<NaiveDate>,
}

/// Wants a reporter asked: of a problem that is submitted, verified or struck off.
pub async fn request(ctx: &Ctx, wants: NewFollowUp) -> Result<Model> {
    let held = moves::take(ctx.begin().await?, wants.problem, Action::RequestFollowUp).await?;
    let asked_in = [problem::State::Submitted, problem::State::Verified, problem::State::StruckOff];
    if !asked_in.contains(&held.row.state) {
        return Err(Error::refused(Code::StateRefused).with("state", held.row.state.to_value()));
    }
    let due_on = wants.due_on.map(|on| moves::due_date(on, held.today)).transpose()?;
    let merged = merge::merged_into(&held.tx.db, [held.row.id]).await?;
    let reporters = reporters(&held.row, merged.iter());
    let wanted = wants.reporter_problem_id.unwrap_or(held.row.id);
    if !reporters.contains(&wanted) {
        let field = if wants.reporter_problem_id.is_some() { "reporterProblemId" } else { "problemId" };
        return Err(Error::invalid(Code::NoReporter, field));
    }
    if waiting(&held.tx, [held.row.id]).await?.contains(&(held.row.id, wanted)) {
        return Err(Error::refused(Code::AlreadyExists));
    }
    let asked = Asked { kind: wants.kind, due_on, by: ctx.author() };
    let row = new(&held.tx, &held.row, wanted, held.today, asked).insert(&held.tx.db).await?;
    held.tx.record(told(Event::FollowUpDue, &held.row, &row)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Lets the reporters of a problem that was just submitted be asked, as far as nobody is to ask them already; gives what is to be
/// recorded of it.
pub(super) async fn on_submission(held: &Held<'_>) -> Result<Vec<Fact>> {
    ask(&held.tx, &[(&held.row, held.today)]).await
}

/// The same of problems whose leading unit let its limit end without asking for closure, for the alliances that want it: what
/// comes in late, or never, is asked about all the same.
pub(super) async fn on_limit(tx: &Tx<'_>, rows: &[&problem::Model]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let wanting: Vec<(AllianceId, String)> = alliance::Entity::find()
        .select_only()
        .columns([alliance::Column::Id, alliance::Column::TimeZone])
        .filter(alliance::Column::Id.is_in(rows.iter().map(|row| row.alliance_id)))
        .filter(alliance::Column::FollowUpOnSubmission.eq(true))
        .into_tuple()
        .all(&tx.db)
        .await?;
    let wanting: HashMap<AllianceId, String> = wanting.into_iter().collect();
    let of: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let zone = wanting.get(&row.alliance_id)?;
            Some((*row, due::today(zone, tx.ctx.now())))
        })
        .collect();
    tx.record_all(ask(tx, &of).await?).await
}

/// Lets the reporters of problems under lock be asked, as far as nobody is to ask them already.
async fn ask(tx: &Tx<'_>, of: &[(&problem::Model, NaiveDate)]) -> Result<Vec<Fact>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || of.iter().map(|(row, _)| row.id);
    let merged = merge::merged_into(&tx.db, ids()).await?;
    let waiting = waiting(tx, ids()).await?;
    let mut asked = Vec::new();
    for (row, today) in of {
        let theirs = merged.iter().filter(|other| other.merged_into_id == Some(row.id));
        for reporter in reporters(row, theirs) {
            if !waiting.contains(&(row.id, reporter)) {
                asked.push((*row, new(tx, row, reporter, *today, Asked::default())));
            }
        }
    }
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let mut facts = Vec::with_capacity(asked.len());
    let mut rows = Vec::with_capacity(asked.len());
    for (of, row) in asked {
        facts.push(told(Event::FollowUpDue, of, &row.clone().try_into_model()?));
        rows.push(row);
    }
    Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    Ok(facts)
}

/// The hand: tells once of each reporter whom nobody asked by the day by which somebody was to; tells how many.
pub(super) async fn remind(ctx: &Ctx) -> Result<usize> {
    let zones = due::zones(ctx).await?;
    if zones.is_empty() {
        return Ok(0);
    }
    let has_passed = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::DueOn.lt(today));
    let waiting = Entity::find()
        .filter(Column::State.eq(State::Due))
        .filter(Column::OverdueToldAt.is_null())
        .filter(has_passed);
    // A look without a lock: most of the time no day has passed.
    let ids: Vec<ProblemId> = waiting
        .clone()
        .select_only()
        .column(Column::ProblemId)
        .distinct()
        .limit(BATCH)
        .into_tuple()
        .all(ctx.read())
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let problems = problems::lock(&tx, ids).await?;
    // What was answered, or told of by another node, while this one waited for the lock is found no more.
    let rows = waiting
        .filter(Column::ProblemId.is_in(problems.iter().map(|row| row.id)))
        .order_by_asc(Column::Id)
        .all(&tx.db)
        .await?;
    Entity::update_many()
        .col_expr(Column::OverdueToldAt, Expr::value(ctx.now()))
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(&tx.db)
        .await?;
    let facts = rows.iter().filter_map(|row| {
        let of = problems.iter().find(|problem| problem.id == row.problem_id)?;
        let told = told(Event::FollowUpOverdue, of, row).detail("dueOn", row.due_on.to_string());
        Some(told.detail("title", of.title.clone()))
    });
    tx.record_all(facts).await?;
    tx.commit(problems.first().map_or_else(uuid::Uuid::nil, |row| row.id.into())).await?;
    Ok(rows.len())
}

/// The problems whose reporters can be asked: the problem itself and those merged into it, as far as somebody is known to
/// have reported them.
fn reporters<'a>(
    row: &'a problem::Model,
    merged: impl Iterator<Item = &'a problem::Model>,
) -> Vec<ProblemId> {
    std::iter::once(row).chain(merged).filter(|row| is_known(row)).map(|row| row.id).collect()
}

/// Whether somebody is known to have reported a problem.
const fn is_known(row: &problem::Model) -> bool {
    row.reporter_name.is_some() || row.reporter_phone.is_some()
}

/// Of which problems whose reporters somebody is to ask already.
async fn waiting(
    tx: &Tx<'_>,
    of: impl IntoIterator<Item = ProblemId>,
) -> Result<Vec<(ProblemId, ProblemId)>> {
    Ok(Entity::find()
        .select_only()
        .columns([Column::ProblemId, Column::ReporterProblemId])
        .filter(Column::ProblemId.is_in(of))
        .filter(Column::State.eq(State::Due))
        .into_tuple()
        .all(&tx.db)
        .await?)
}

/// How and by when somebody is to be asked, and who wants it.
#[derive(Default)]
struct Asked {
    kind: Kind,
    due_on: Option<NaiveDate>,
    by: Option<AccountId>,
}

fn new(
    tx: &Tx<'_>,
    row: &problem::Model,
    of: ProblemId,
    today: NaiveDate,
    asked: Asked,
) -> follow_up::ActiveModel {
    follow_up::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(row.alliance_id),
        problem_id: Set(row.id),
        round: Set(row.round),
        reporter_problem_id: Set(of),
        kind: Set(asked.kind),
        state: Set(State::Due),
        due_on: Set(asked.due_on.unwrap_or_else(|| today.checked_add_days(DAYS).unwrap_or(today))),
        tries: Set(0),
        tried_at: Set(None),
        solved: Set(None),
        is_satisfied: Set(None),
        words: Set(None),
        note: Set(None),
        done_by: Set(None),
        done_at: Set(None),
        created_by: Set(asked.by),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
        overdue_told_at: Set(None),
        excluded_at: Set(None),
        excluded_by: Set(None),
        exclusion_reason: Set(None),
    }
}

/// What tells of a follow-up where its problem's history is read.
fn told(event: Event, of: &problem::Model, row: &Model) -> Fact {
    fact(event, of)
        .detail("followUpId", row.id.to_string())
        .detail("round", row.round)
        .detail("kind", serde_json::json!(row.kind))
        .detail("tries", row.tries)
        .detail("solved", serde_json::json!(row.solved))
        .detail("satisfied", serde_json::json!(row.is_satisfied))
}

/// Which follow-up, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct WhichFollowUp {
    pub id: FollowUpId,
    pub expected_version: Option<i64>,
}

/// A follow-up that is due, its problem under lock, for somebody who may ask.
async fn hold(ctx: &Ctx, which: WhichFollowUp) -> Result<(Held<'_>, Model)> {
    let (held, row) = take(ctx, which, Action::RecordFollowUp).await?;
    if row.state != State::Answered && !has_reporter(&held, &row).await? {
        return Err(Error::invalid(Code::NoReporter, "followUpId"));
    }
    is_due(&row)?;
    require_independent(&held, row.round).await?;
    Ok((held, row))
}

/// A follow-up, its problem under lock, for somebody who may take the step.
async fn take(ctx: &Ctx, which: WhichFollowUp, action: Action) -> Result<(Held<'_>, Model)> {
    // Read ahead of the unit of work; which problem it asks about is looked at again under that one's lock.
    let problem = find(ctx, which.id).await?.ok_or(Error::NotFound("follow_up"))?.problem_id;
    let which_problem = Which { id: problem, expected_version: None };
    let held = moves::take(ctx.begin().await?, which_problem, action).await?;
    // Every change of a follow-up holds its problem, so this one stands still.
    let row = Entity::find_by_id(which.id).one(&held.tx.db).await?.ok_or(Error::NotFound("follow_up"))?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    is_of(&row, &held)?;
    Ok((held, row))
}

/// Whether somebody is still known who can be asked: a reporter who was erased is not.
async fn has_reporter(held: &Held<'_>, row: &Model) -> Result<bool> {
    if row.reporter_problem_id == held.row.id {
        return Ok(is_known(&held.row));
    }
    let other = problem::Entity::find_by_id(row.reporter_problem_id).one(&held.tx.db).await?;
    Ok(other.as_ref().is_some_and(is_known))
}

/// Whether the problem under lock is the one that is asked about; it is another where a merge came in between.
fn is_of(row: &Model, held: &Held<'_>) -> Result<()> {
    if row.problem_id == held.row.id {
        Ok(())
    } else {
        Err(Error::invalid(Code::VersionConflict, "expectedVersion").with("current", row.version))
    }
}

fn is_due(row: &Model) -> Result<()> {
    match row.state {
        State::Due => Ok(()),
        State::Answered => Err(Error::refused(Code::StateRefused).with("state", "answered")),
        State::Unreachable => Err(Error::refused(Code::StateRefused).with("state", "unreachable")),
    }
}

/// Whoever asks has no part in the problem, by the rules of verification; also none in the round that is asked about.
async fn require_independent(held: &Held<'_>, asked: i32) -> Result<()> {
    let account = held.account()?;
    let mut hands = moves::bound(&held.tx, &held.row).await?;
    if asked != held.row.round {
        let ended = problem_round::Entity::find_by_id((held.row.id, asked)).one(&held.tx.db).await?;
        let units = |row: &problem_round::Model| -> Vec<OrganizationId> {
            row.lead_organization_id.into_iter().chain(round::joint_of(row)).collect()
        };
        hands.responsible.extend(ended.as_ref().map(units).unwrap_or_default());
        let past = problem_past_unit::Entity::find()
            .filter(problem_past_unit::Column::ProblemId.eq(held.row.id))
            .filter(problem_past_unit::Column::Round.eq(asked));
        hands.responsible.extend(past.all(&held.tx.db).await?.into_iter().map(|unit| unit.organization_id));
    }
    states::may_follow_up(&held.row, account, &held.own_units(), hands.bound())
}

/// Notes that the reporter was not reached; after the third time they count as unreachable. Each try has a day of its own by the
/// alliance's calendar: who does not pick up at nine may do so tomorrow, but hardly a minute past nine.
pub async fn record_try(ctx: &Ctx, which: WhichFollowUp, note: Option<&str>) -> Result<Model> {
    let (held, before) = hold(ctx, which).await?;
    if let Some(last) = before.tried_at {
        let day = last.with_timezone(&held.zone()).date_naive();
        let earliest = start_of(held.zone(), day.succ_opt().unwrap_or(day));
        if ctx.now() < earliest {
            let earliest = earliest.with_timezone(&held.zone()).to_rfc3339();
            return Err(Error::refused(Code::TriedToday).with("earliest", earliest));
        }
    }
    let note = text::optional(note, "note", NOTE)?;
    let tries = before.tries + 1;
    let is_last = tries >= TRIES;
    let mut change = before.clone().into_active_model();
    change.tries = Set(tries);
    change.tried_at = Set(Some(ctx.now()));
    change.version = Set(before.version + 1);
    if note.is_some() {
        change.note = Set(note);
    }
    if is_last {
        change.state = Set(State::Unreachable);
        change.done_by = Set(Some(held.account()?));
        change.done_at = Set(Some(ctx.now()));
    }
    let row = change.update(&held.tx.db).await?;
    let event = if is_last { Event::FollowUpUnreachable } else { Event::FollowUpTried };
    held.tx.record(told(event, &held.row, &row)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// What a reporter answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub solved: Solved,
    pub satisfied: bool,
    pub words: Option<String>,
    pub note: Option<String>,
}

/// Notes what the reporter answered, and lets the problem come back where they are not satisfied.
pub async fn record_answer(ctx: &Ctx, which: WhichFollowUp, answer: Answer) -> Result<Model> {
    let terms = terms(ctx, which.id).await?;
    let (held, before) = hold(ctx, which).await?;
    let row = settle(&held, &terms, &before, before.kind, answer).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// What the deadlines of a problem are computed with that may come back by an answer.
async fn terms(ctx: &Ctx, of: FollowUpId) -> Result<Terms> {
    let there = Entity::find_by_id(of).select_only().column(Column::AllianceId).into_query();
    Terms::read(ctx.read(), alliance::Entity::find().filter(alliance::Column::Id.in_subquery(there))).await
}

async fn settle(held: &Held<'_>, terms: &Terms, before: &Model, kind: Kind, answer: Answer) -> Result<Model> {
    let ctx = held.tx.ctx;
    let mut change = before.clone().into_active_model();
    change.kind = Set(kind);
    change.state = Set(State::Answered);
    change.solved = Set(Some(answer.solved));
    change.is_satisfied = Set(Some(answer.satisfied));
    change.words = Set(text::optional(answer.words.as_deref(), "words", WORDS)?);
    if let Some(note) = text::optional(answer.note.as_deref(), "note", NOTE)? {
        change.note = Set(Some(note));
    }
    change.done_by = Set(ctx.author());
    change.done_at = Set(Some(ctx.now()));
    change.version = Set(before.version + 1);
    let row = change.update(&held.tx.db).await?;
    let answered = told(Event::FollowUpAnswered, &held.row, &row);
    // An answer about a round that was followed by another moves nothing any more.
    let comes_back = !answer.satisfied && row.round == held.row.round;
    let back = match held.row.state {
        problem::State::Submitted | problem::State::Verified if comes_back => {
            Some(moves::return_held(held, DISSATISFIED.to_owned()).await?)
        }
        problem::State::StruckOff if comes_back => {
            Some(round::begin(held, terms, DISSATISFIED.to_owned()).await?)
        }
        _ => None,
    };
    let back = back.map(|(_, fact)| fact.detail("followUpId", row.id.to_string()));
    held.tx.record_all(std::iter::once(answered).chain(back)).await?;
    Ok(row)
}

/// Whether something of a reporter is left where they were asked: their words, or that they are still to be.
pub(super) async fn is_left(tx: &Tx<'_>, of: ProblemId) -> Result<bool> {
    let left = Condition::any().add(Column::Words.is_not_null()).add(Column::State.eq(State::Due));
    let found = Entity::find().filter(Column::ReporterProblemId.eq(of)).filter(left).one(&tx.db).await?;
    Ok(found.is_some())
}

/// Takes the words of a reporter away who is erased, and takes away the notes and the reasons that name them. Where they are still to
/// be asked, nobody can be reached any more: that ends, on the problem itself or on the one `into` which it was merged, and so do the
/// links that were made for them. Tells in the history of which other problems such a reason stands.
pub(super) async fn erase(
    tx: &Tx<'_>,
    problem: &problem::Model,
    into: Option<&problem::Model>,
    words: &Words<'_>,
) -> Result<Vec<ProblemId>> {
    let of = problem.id;
    let about = Condition::any().add(Column::ReporterProblemId.eq(of)).add(Column::ProblemId.eq(of));
    let asked = Entity::find().filter(about).all(&tx.db).await?;
    let own: Vec<FollowUpId> =
        asked.iter().filter(|row| row.reporter_problem_id == of).map(|row| row.id).collect();
    let mut elsewhere = Vec::new();
    for row in asked {
        let mut change = row.clone().into_active_model();
        let says = |text: &Option<String>| text.clone().filter(|text| !words.stand_in(text));
        let kept = if row.reporter_problem_id == of { None } else { says(&row.words) };
        change.words.set_if_not_equals(kept);
        change.note.set_if_not_equals(says(&row.note));
        let reason = says(&row.exclusion_reason);
        if reason != row.exclusion_reason && row.problem_id != of {
            elsewhere.push(row.problem_id);
        }
        change.exclusion_reason.set_if_not_equals(reason);
        let ends = row.reporter_problem_id == of && row.state == State::Due;
        if ends {
            change.state = Set(State::Unreachable);
            change.done_at = Set(Some(tx.ctx.now()));
            // Whoever tried in vain before does not end it.
            change.done_by = Set(None);
            change.version = Set(row.version + 1);
        }
        if change.is_changed() {
            let row = change.update(&tx.db).await?;
            let asked_in = std::iter::once(problem).chain(into).find(|one| one.id == row.problem_id);
            if let Some(asked_in) = asked_in.filter(|_| ends) {
                tx.record(told(Event::FollowUpUnreachable, asked_in, &row)).await?;
            }
        }
    }
    follow_up_link::Entity::update_many()
        .col_expr(follow_up_link::Column::UsedAt, Expr::value(tx.ctx.now()))
        .filter(follow_up_link::Column::FollowUpId.is_in(own))
        .filter(follow_up_link::Column::UsedAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(elsewhere)
}
