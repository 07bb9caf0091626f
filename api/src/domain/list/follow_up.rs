//! Follow-up (回访): somebody who has no part in a problem asks whoever reported it. It is due on submission where the alliance
//! wants that, and on request. A dissatisfied answer returns what is submitted and reopens what was struck off, in the same
//! unit of work. What the reporter says stands beside the chain of events, never in it.

pub mod link;

use chrono::{Days, NaiveDate};
use concord_entities::{
    follow_up::{self, Column, Entity, Kind, Model, Solved, State},
    follow_up_link,
    id::{AccountId, AllianceId, FollowUpId, OrganizationId, ProblemId},
    problem, problem_round,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect, Select, sea_query::Expr,
};

use super::{
    problem::{
        fact, merge,
        moves::{self, Held, Which},
        round,
    },
    problem_states as states,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Result, Tx,
    fact::erasure::Words,
    governance::alliance::expect_version,
    page::{self, Order, Page},
    scope, text,
};

/// After how many tries in vain a reporter counts as unreachable.
pub const TRIES: i32 = 3;
/// By when a reporter is asked where nobody names a day.
const DAYS: Days = Days::new(7);
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
pub async fn request(ctx: &Ctx, new: NewFollowUp) -> Result<Model> {
    let held = moves::take(ctx.begin().await?, new.problem, Action::RequestFollowUp).await?;
    let asked_in = [problem::State::Submitted, problem::State::Verified, problem::State::StruckOff];
    if !asked_in.contains(&held.row.state) {
        return Err(Error::refused(Code::StateRefused).with("state", held.row.state.to_value()));
    }
    let due_on = new.due_on.map(|on| moves::due_date(on, held.today)).transpose()?;
    let reporters = reporters(&held).await?;
    let wanted = new.reporter_problem_id.unwrap_or(held.row.id);
    if !reporters.contains(&wanted) {
        let field = if new.reporter_problem_id.is_some() { "reporterProblemId" } else { "problemId" };
        return Err(Error::invalid(Code::NoReporter, field));
    }
    if waiting(&held).await?.contains(&wanted) {
        return Err(Error::refused(Code::AlreadyExists));
    }
    let row = due(&held, wanted, new.kind, due_on, ctx.author()).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Lets the reporters of a problem that was just submitted be asked, as far as nobody is to ask them already.
pub(super) async fn on_submission(held: &Held<'_>) -> Result<()> {
    let waiting = waiting(held).await?;
    for reporter in reporters(held).await? {
        if !waiting.contains(&reporter) {
            due(held, reporter, Kind::Call, None, None).await?;
        }
    }
    Ok(())
}

/// The problems whose reporters can be asked: the problem itself and those merged into it, as far as somebody is known to
/// have reported them.
async fn reporters(held: &Held<'_>) -> Result<Vec<ProblemId>> {
    let is_known = |row: &&problem::Model| row.reporter_name.is_some() || row.reporter_phone.is_some();
    let merged = merge::merged_into(&held.tx, held.row.id).await?;
    Ok(std::iter::once(&held.row).chain(&merged).filter(is_known).map(|row| row.id).collect())
}

/// Whose reporters somebody is to ask already.
async fn waiting(held: &Held<'_>) -> Result<Vec<ProblemId>> {
    Ok(Entity::find()
        .select_only()
        .column(Column::ReporterProblemId)
        .filter(Column::ProblemId.eq(held.row.id))
        .filter(Column::State.eq(State::Due))
        .into_tuple()
        .all(&held.tx.db)
        .await?)
}

async fn due(
    held: &Held<'_>,
    of: ProblemId,
    kind: Kind,
    due_on: Option<NaiveDate>,
    by: Option<AccountId>,
) -> Result<Model> {
    let ctx = held.tx.ctx;
    let row = follow_up::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(held.row.alliance_id),
        problem_id: Set(held.row.id),
        round: Set(held.row.round),
        reporter_problem_id: Set(of),
        kind: Set(kind),
        state: Set(State::Due),
        due_on: Set(due_on.unwrap_or_else(|| held.today.checked_add_days(DAYS).unwrap_or(held.today))),
        tries: Set(0),
        solved: Set(None),
        is_satisfied: Set(None),
        words: Set(None),
        note: Set(None),
        done_by: Set(None),
        done_at: Set(None),
        created_by: Set(by),
        created_at: Set(ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&held.tx.db).await?;
    record(held, Event::FollowUpDue, &row).await?;
    Ok(row)
}

/// Tells of a follow-up where its problem's history is read.
async fn record(held: &Held<'_>, event: Event, row: &Model) -> Result<()> {
    let fact = fact(event, &held.row)
        .detail("followUpId", row.id.to_string())
        .detail("round", row.round)
        .detail("kind", serde_json::json!(row.kind))
        .detail("tries", row.tries)
        .detail("solved", serde_json::json!(row.solved))
        .detail("satisfied", serde_json::json!(row.is_satisfied));
    held.tx.record(fact).await?;
    Ok(())
}

/// Which follow-up, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct WhichFollowUp {
    pub id: FollowUpId,
    pub expected_version: Option<i64>,
}

/// A follow-up that is due, its problem under lock, for somebody who may ask.
async fn hold(ctx: &Ctx, which: WhichFollowUp) -> Result<(Held<'_>, Model)> {
    let tx = ctx.begin().await?;
    let seen = visible(ctx).filter(Column::Id.eq(which.id)).one(&tx.db).await?;
    let problem = seen.ok_or(Error::NotFound("follow_up"))?.problem_id;
    let held = moves::take(tx, Which { id: problem, expected_version: None }, Action::RecordFollowUp).await?;
    // Every change of a follow-up holds its problem, so this one stands still.
    let row = Entity::find_by_id(which.id).one(&held.tx.db).await?.ok_or(Error::NotFound("follow_up"))?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    is_of(&row, &held)?;
    is_due(&row)?;
    require_independent(&held, row.round).await?;
    Ok((held, row))
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
    }
    states::may_follow_up(&held.row, account, &held.own_units(), hands.bound())
}

/// Notes that the reporter was not reached; after the third time they count as unreachable.
pub async fn record_try(ctx: &Ctx, which: WhichFollowUp, note: Option<&str>) -> Result<Model> {
    let (held, before) = hold(ctx, which).await?;
    let note = text::optional(note, "note", NOTE)?;
    let tries = before.tries + 1;
    let is_last = tries >= TRIES;
    let mut change = before.clone().into_active_model();
    change.tries = Set(tries);
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
    record(&held, event, &row).await?;
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
    let (held, before) = hold(ctx, which).await?;
    let row = settle(&held, &before, before.kind, answer).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

async fn settle(held: &Held<'_>, before: &Model, kind: Kind, answer: Answer) -> Result<Model> {
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
    record(held, Event::FollowUpAnswered, &row).await?;
    // An answer about a round that was followed by another moves nothing any more.
    if !answer.satisfied && row.round == held.row.round {
        let about = |fact: crate::domain::Fact| fact.detail("followUpId", row.id.to_string());
        match held.row.state {
            problem::State::Submitted | problem::State::Verified => {
                moves::return_held(held, DISSATISFIED.to_owned(), about).await?;
            }
            problem::State::StruckOff => {
                round::begin(held, DISSATISFIED.to_owned(), about).await?;
            }
            _ => {}
        }
    }
    Ok(row)
}

/// Takes the words of a reporter away who is erased, ends the links that were made for them, and takes away the notes that
/// name them.
pub(super) async fn erase(tx: &Tx<'_>, of: ProblemId, words: &Words<'_>) -> Result<()> {
    let about = Condition::any().add(Column::ReporterProblemId.eq(of)).add(Column::ProblemId.eq(of));
    let asked = Entity::find().filter(about).all(&tx.db).await?;
    let own: Vec<FollowUpId> =
        asked.iter().filter(|row| row.reporter_problem_id == of).map(|row| row.id).collect();
    for row in asked {
        let mut change = row.clone().into_active_model();
        let says = |text: &Option<String>| text.clone().filter(|text| !words.stand_in(text));
        let kept = if row.reporter_problem_id == of { None } else { says(&row.words) };
        change.words.set_if_not_equals(kept);
        change.note.set_if_not_equals(says(&row.note));
        if change.is_changed() {
            change.update(&tx.db).await?;
        }
    }
    follow_up_link::Entity::update_many()
        .col_expr(follow_up_link::Column::UsedAt, Expr::value(tx.ctx.now()))
        .filter(follow_up_link::Column::FollowUpId.is_in(own))
        .filter(follow_up_link::Column::UsedAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}
