//! Evidence: uploaded files that show a fact about a problem or a task. Added, never changed, never taken away; the bytes
//! are `domain::file`'s.

use concord_entities::{
    evidence::{self, Column, Entity, Model, Stage},
    id::{AccountId, AllianceId, EvidenceId, OrganizationId, PriorityTaskId, ProblemId, StoredFileId},
    priority_task, problem,
    problem_responsible::{self, Duty, PartState},
    stored_file, task_co_organizer,
};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select,
    sea_query::Expr,
};

use super::problem_part_states;
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Standing, Target, Tx, file, scope, text,
};

/// Most files of one call.
const MOST_FILES: usize = 20;
/// Longest note.
const NOTE: usize = 1_000;

/// The evidence of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One piece of evidence, if the caller may see it.
pub async fn find(ctx: &Ctx, id: EvidenceId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The pieces that one call added, by one of them: what a replay of the call answers with.
pub async fn added_with(ctx: &Ctx, id: EvidenceId) -> Result<Vec<Model>> {
    let Some(one) = find(ctx, id).await? else {
        return Ok(Vec::new());
    };
    let mut all = visible(ctx)
        .filter(Column::AddedAt.eq(one.added_at))
        .filter(Column::Stage.eq(one.stage))
        .filter(one.added_by.map_or(Column::AddedBy.is_null(), |by| Column::AddedBy.eq(by)))
        .filter(match (one.problem_id, one.task_id) {
            (Some(problem), _) => Column::ProblemId.eq(problem),
            (None, Some(task)) => Column::TaskId.eq(task),
            (None, None) => Column::Id.eq(one.id),
        })
        .all(ctx.read())
        .await?;
    all.sort_by_key(|row| row.id);
    Ok(all)
}

/// What a piece of evidence belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    Problem(ProblemId),
    Task(PriorityTaskId),
}

/// Evidence about to be added.
#[derive(Clone, Debug)]
pub struct NewEvidence {
    pub subject: Subject,
    pub files: Vec<StoredFileId>,
    pub stage: Stage,
    pub note: Option<String>,
}

/// What evidence hangs on, as far as rights and rules go.
struct Place {
    alliance: AllianceId,
    problem: Option<ProblemId>,
    task: Option<PriorityTaskId>,
    round: i32,
    concerned: Vec<OrganizationId>,
    author: Option<AccountId>,
    state: String,
    /// Whether evidence of this stage is taken now.
    takes: bool,
}

/// Adds uploaded files to a problem or a task.
pub async fn add(ctx: &Ctx, new: NewEvidence) -> Result<Vec<Model>> {
    let tx = ctx.begin().await?;
    let place = match new.subject {
        Subject::Problem(id) => problem_place(&tx, id, new.stage).await?,
        Subject::Task(id) => task_place(&tx, id).await?,
    };
    let target = Target::alliance(place.alliance).of(&place.concerned).by(place.author);
    let standing = ctx.require_for_unit(&tx.db, Action::AddEvidence, target).await?;
    if !place.takes {
        return Err(Error::refused(Code::StateRefused).with("state", &place.state));
    }
    if new.files.is_empty() {
        return Err(Error::invalid(Code::Required, "fileIds"));
    }
    let note = text::optional(new.note.as_deref(), "note", NOTE)?;
    let files = file::attach(&tx, &new.files, "fileIds").await?;
    let rows = insert(&tx, &place, &files, new.stage, note, standing).await?;
    grow(&tx, new.subject).await?;
    let fact = match new.subject {
        Subject::Problem(id) => Fact::of(Event::EvidenceAdded, id),
        Subject::Task(id) => Fact::of(Event::EvidenceAdded, id),
    };
    tx.record(
        fact.alliance(place.alliance)
            .organizations(place.concerned.iter().copied())
            .detail("stage", new.stage.to_value())
            .detail("evidence", digests(&files)),
    )
    .await?;
    let first = rows.first().ok_or_else(|| Error::internal("no evidence was written"))?.id;
    tx.commit(first).await?;
    Ok(rows)
}

/// New evidence is a change of what it belongs to: whoever judges by an older version is told so.
async fn grow(tx: &Tx<'_>, subject: Subject) -> Result<()> {
    match subject {
        Subject::Problem(id) => {
            problem::Entity::update_many()
                .col_expr(problem::Column::Version, Expr::col(problem::Column::Version).add(1))
                .filter(problem::Column::Id.eq(id))
                .exec(&tx.db)
                .await?;
        }
        Subject::Task(id) => {
            priority_task::Entity::update_many()
                .col_expr(priority_task::Column::Version, Expr::col(priority_task::Column::Version).add(1))
                .filter(priority_task::Column::Id.eq(id))
                .exec(&tx.db)
                .await?;
        }
    }
    Ok(())
}

/// The digests of files, as events tell them.
pub(super) fn digests(files: &[stored_file::Model]) -> Vec<String> {
    files.iter().map(|file| file.sha256.clone()).collect()
}

async fn problem_place(tx: &Tx<'_>, id: ProblemId, stage: Stage) -> Result<Place> {
    use problem::State;
    let row = super::problem::visible(tx.ctx)
        .filter(problem::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("problem"))?;
    let concerned = problem_responsible::Entity::find()
        .filter(problem_responsible::Column::ProblemId.eq(id))
        .all(&tx.db)
        .await?;
    // A joint unit finishes its part whether or not the leading one has begun.
    let part_begun =
        concerned.iter().any(|part| part.duty == Duty::Joint && part.state == PartState::InProgress)
            && problem_part_states::may_move(row.state).is_ok();
    Ok(Place {
        alliance: row.alliance_id,
        problem: Some(id),
        task: None,
        round: row.round,
        concerned: concerned.into_iter().map(|row| row.organization_id).collect(),
        author: row.recorded_by,
        state: row.state.to_value(),
        takes: match stage {
            Stage::Closure => matches!(row.state, State::InProgress | State::Submitted) || part_begun,
            Stage::Registration | Stage::Progress => row.is_open,
        },
    })
}

async fn task_place(tx: &Tx<'_>, id: PriorityTaskId) -> Result<Place> {
    let row = priority_task::Entity::find()
        .filter(scope::in_alliances(tx.ctx, priority_task::Column::AllianceId))
        .filter(priority_task::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        // A draft is nobody's but the committee's, who see no need to prove it.
        .filter(|row| row.state != priority_task::State::Draft)
        .ok_or(Error::NotFound("priority_task"))?;
    let others = task_co_organizer::Entity::find()
        .filter(task_co_organizer::Column::TaskId.eq(id))
        .all(&tx.db)
        .await?;
    let others = others.into_iter().map(|row| row.organization_id);
    Ok(Place {
        alliance: row.alliance_id,
        problem: None,
        task: Some(id),
        round: 1,
        concerned: std::iter::once(row.lead_organization_id).chain(others).collect(),
        author: None,
        state: row.state.to_value(),
        takes: row.is_open,
    })
}

/// Writes the evidence that came with a problem's registration.
pub(super) async fn insert_for_problem(
    tx: &Tx<'_>,
    row: &problem::Model,
    files: &[stored_file::Model],
    stage: Stage,
    note: Option<String>,
    standing: Standing,
) -> Result<Vec<Model>> {
    let place = Place {
        alliance: row.alliance_id,
        problem: Some(row.id),
        task: None,
        round: row.round,
        concerned: Vec::new(),
        author: row.recorded_by,
        state: row.state.to_value(),
        takes: true,
    };
    insert(tx, &place, files, stage, note, standing).await
}

async fn insert(
    tx: &Tx<'_>,
    place: &Place,
    files: &[stored_file::Model],
    stage: Stage,
    note: Option<String>,
    standing: Standing,
) -> Result<Vec<Model>> {
    if files.len() > MOST_FILES {
        return Err(Error::invalid(Code::OutOfRange, "fileIds").with("least", 1).with("most", MOST_FILES));
    }
    let rows: Vec<Model> = files
        .iter()
        .map(|file| Model {
            id: tx.ctx.new_id(),
            alliance_id: place.alliance,
            problem_id: place.problem,
            task_id: place.task,
            file_id: file.id,
            stage,
            round: place.round,
            note: note.clone(),
            organization_id: standing.organization_id,
            added_by: tx.ctx.author(),
            added_at: tx.ctx.now(),
        })
        .collect();
    if !rows.is_empty() {
        let new = rows.iter().cloned().map(active);
        Entity::insert_many(new).exec_without_returning(&tx.db).await?;
    }
    Ok(rows)
}

fn active(row: Model) -> evidence::ActiveModel {
    evidence::ActiveModel {
        id: Set(row.id),
        alliance_id: Set(row.alliance_id),
        problem_id: Set(row.problem_id),
        task_id: Set(row.task_id),
        file_id: Set(row.file_id),
        stage: Set(row.stage),
        round: Set(row.round),
        note: Set(row.note),
        organization_id: Set(row.organization_id),
        added_by: Set(row.added_by),
        added_at: Set(row.added_at),
    }
}
