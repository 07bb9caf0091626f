//! The verbs of priority tasks: written and published by the committee, carried out by the lead unit and its co-organisers,
//! accepted by the committee. Which step leads where stands in `task_states`; reading stands in `task_read`.

use std::collections::HashMap;

use chrono::NaiveDate;
use concord_entities::{
    id::{OrganizationId, PriorityTaskId, RegionId, TaskListId},
    priority_task::{self, State},
    task_co_organizer, task_list, task_progress,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QuerySelect,
};

use super::{
    task_checks::{co_organizers, period, require_units},
    task_list::hold as hold_list,
    task_milestone::{self, NewMilestone},
    task_read::visible,
    task_states,
    transition::Step,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Standing, Target, Tx,
    governance::alliance::expect_version, territory::region::require_in_alliance, text,
};

/// Most tasks on a list.
pub(super) const MOST_TASKS: i32 = 500;

/// What a task is written with.
#[derive(Clone, Debug)]
pub struct NewPriorityTask {
    pub task_list_id: TaskListId,
    pub title: String,
    pub content: String,
    pub criterion: Option<String>,
    pub source: Option<String>,
    pub lead_organization_id: OrganizationId,
    pub co_organization_ids: Vec<OrganizationId>,
    pub region_id: Option<RegionId>,
    pub starts_on: Option<NaiveDate>,
    pub due_on: NaiveDate,
    pub responsible_name: Option<String>,
    pub milestones: Vec<NewMilestone>,
}

/// Writes a draft task at the end of a list.
pub async fn create(ctx: &Ctx, new: NewPriorityTask) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    // Held, so that two tasks written at once do not take the same place.
    let list = hold_list(&tx, new.task_list_id).await?;
    ctx.require(&tx.db, Action::CreatePriorityTask, Target::alliance(list.alliance_id)).await?;
    super::task_list::require_unclosed(&list, "taskListId")?;
    let row = insert(&tx, &list, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Writes a draft task within a unit of work whose rights were checked and that holds its open list. What is refused has written
/// nothing.
pub async fn insert(
    tx: &Tx<'_>,
    list: &task_list::Model,
    new: NewPriorityTask,
) -> Result<priority_task::Model> {
    let (ctx, alliance_id) = (tx.ctx, list.alliance_id);
    let due_on = period(new.starts_on, new.due_on)?;
    let joint = co_organizers(new.lead_organization_id, new.co_organization_ids)?;
    require_units(tx, alliance_id, new.lead_organization_id, &joint).await?;
    require_in_alliance(&tx.db, alliance_id, new.region_id).await?;
    let place = next_place(&tx.db, list.id).await?;
    let row = priority_task::Model {
        id: ctx.new_id(),
        alliance_id,
        task_list_id: list.id,
        place,
        title: text::required(&new.title, "title", 200)?,
        content: text::required(&new.content, "content", 4000)?,
        criterion: text::optional(new.criterion.as_deref(), "criterion", 2000)?,
        source: text::optional(new.source.as_deref(), "source", 200)?,
        lead_organization_id: new.lead_organization_id,
        region_id: new.region_id,
        starts_on: new.starts_on,
        due_on,
        due_told_on: None,
        state: State::Draft,
        is_open: false,
        percent: 0,
        responsible_name: text::optional(new.responsible_name.as_deref(), "responsibleName", 64)?,
        reason: None,
        returned_count: 0,
        published_at: None,
        acknowledged_at: None,
        submitted_at: None,
        completed_at: None,
        created_by: ctx.author(),
        created_at: ctx.now(),
        version: 1,
    };
    let milestones = task_milestone::rows(ctx, &row, &new.milestones)?;
    let row = row.into_active_model().reset_all().insert(&tx.db).await?;
    write_co_organizers(&tx.db, row.id, &joint).await?;
    task_milestone::write(&tx.db, milestones).await?;
    // A draft is not for all: its event does not say what it is about, nor to whom it will matter.
    tx.record(Fact::of(Event::PriorityTaskCreated, row.id).alliance(alliance_id)).await?;
    Ok(row)
}

/// A change of a value that may be absent.
#[derive(Clone, Debug, Default)]
pub enum Edit<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It becomes this.
    To(T),
}

impl<T> Edit<T> {
    /// The new value, if anything changes.
    pub(super) fn value(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::To(value) => Some(Some(value)),
        }
    }
}

/// What the committee changes of a task; absent means unchanged.
#[derive(Clone, Debug, Default)]
pub struct PriorityTaskChange {
    pub title: Option<String>,
    pub content: Option<String>,
    pub criterion: Edit<String>,
    pub source: Edit<String>,
    pub lead_organization_id: Option<OrganizationId>,
    pub co_organization_ids: Option<Vec<OrganizationId>>,
    pub region_id: Edit<RegionId>,
    pub starts_on: Edit<NaiveDate>,
    pub due_on: Option<NaiveDate>,
    pub responsible_name: Edit<String>,
}

/// Changes a task that its lead unit has not yet acknowledged.
pub async fn update(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: i64,
    change: PriorityTaskChange,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let row = hold(&tx, id).await?;
    let (alliance_id, state) = (row.alliance_id, row.state);
    ctx.require(&tx.db, Action::UpdatePriorityTask, Target::alliance(alliance_id)).await?;
    expect_version(expected_version, row.version)?;
    if !task_states::is_editable(state) {
        return Err(Error::refused(Code::StateRefused).with("state", state.to_value()));
    }
    let before = co_organizers_of(&tx.db, id).await?;
    let lead = change.lead_organization_id.unwrap_or(row.lead_organization_id);
    let joint = match change.co_organization_ids {
        Some(units) => co_organizers(lead, units)?,
        // A unit that comes to lead a task no longer works beside its lead.
        None => before.iter().copied().filter(|unit| *unit != lead).collect(),
    };
    if lead != row.lead_organization_id || joint != before {
        require_units(&tx, alliance_id, lead, &joint).await?;
    }
    let starts_on = change.starts_on.value().unwrap_or(row.starts_on);
    let due_on = period(starts_on, change.due_on.unwrap_or(row.due_on))?;
    let concerned = [vec![row.lead_organization_id, lead], before.clone(), joint.clone()].concat();
    let version = row.version + 1;
    let mut row = row.into_active_model();
    if let Some(title) = change.title {
        row.title = Set(text::required(&title, "title", 200)?);
    }
    if let Some(content) = change.content {
        row.content = Set(text::required(&content, "content", 4000)?);
    }
    if let Some(criterion) = change.criterion.value() {
        row.criterion = Set(text::optional(criterion.as_deref(), "criterion", 2000)?);
    }
    if let Some(source) = change.source.value() {
        row.source = Set(text::optional(source.as_deref(), "source", 200)?);
    }
    if let Some(region) = change.region_id.value() {
        require_in_alliance(&tx.db, alliance_id, region).await?;
        row.region_id = Set(region);
    }
    if let Some(name) = change.responsible_name.value() {
        row.responsible_name = Set(text::optional(name.as_deref(), "responsibleName", 64)?);
    }
    row.lead_organization_id = Set(lead);
    row.starts_on = Set(starts_on);
    row.due_on = Set(due_on);
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    if joint != before {
        task_co_organizer::Entity::delete_many()
            .filter(task_co_organizer::Column::TaskId.eq(id))
            .exec(&tx.db)
            .await?;
        write_co_organizers(&tx.db, id, &joint).await?;
    }
    let mut fact = Fact::of(Event::PriorityTaskUpdated, id).alliance(alliance_id);
    if state != State::Draft {
        fact = fact.organizations(concerned).detail("title", row.title.clone());
    }
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Publishes a task that was added after its list had been published.
pub async fn publish(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, _) = take(&tx, id, &task_states::PUBLISH, expected_version).await?;
    let list = task_list::Entity::find_by_id(row.task_list_id).one(&tx.db).await?;
    if list.is_none_or(|list| list.state != task_list::State::Published) {
        return Err(Error::refused(Code::TaskListNotPublished));
    }
    let mut row = step(row, &task_states::PUBLISH);
    row.published_at = Set(Some(ctx.now()));
    let row = row.update(&tx.db).await?;
    tx.record(published(&row, &joint)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// What tells of a task's publication.
pub(super) fn published(task: &priority_task::Model, joint: &[OrganizationId]) -> Fact {
    moved(Event::PriorityTaskPublished, task, joint, State::Draft, State::Published)
        .detail("dueOn", task.due_on.to_string())
}

/// What tells of a task's nearing due date.
pub(super) fn due(task: &priority_task::Model, joint: &[OrganizationId]) -> Fact {
    let fact = Fact::of(Event::PriorityTaskDue, task.id).alliance(task.alliance_id);
    concerning(fact, task, joint).detail("dueOn", task.due_on.to_string())
}

/// The lead unit takes a task on.
pub async fn acknowledge(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, _) = take(&tx, id, &task_states::ACKNOWLEDGE, expected_version).await?;
    let from = row.state;
    let mut row = step(row, &task_states::ACKNOWLEDGE);
    row.acknowledged_at = Set(Some(ctx.now()));
    let row = row.update(&tx.db).await?;
    tx.record(moved(Event::PriorityTaskAcknowledged, &row, &joint, from, row.state)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The lead unit or a co-organiser adds to the progress log; the first report puts the task in progress.
pub async fn report_progress(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
    note: &str,
    percent: Option<i32>,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, standing) = take(&tx, id, &task_states::REPORT, expected_version).await?;
    let note = text::required(note, "note", 2000)?;
    let percent = percent.map(|percent| text::within(percent, "percent", 0, 100)).transpose()?;
    append(&tx, id, standing, note, percent).await?;
    let from = row.state;
    let percent = percent.unwrap_or(row.percent);
    let mut row = step(row, &task_states::REPORT);
    row.percent = Set(percent);
    let row = row.update(&tx.db).await?;
    let mut fact =
        moved(Event::PriorityTaskProgressReported, &row, &joint, from, row.state).detail("percent", percent);
    if let Some(unit) = standing.organization_id {
        fact = fact.detail("organizationId", unit.to_string());
    }
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The lead unit says that a task is done; a closing note goes into the progress log.
pub async fn submit(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
    note: Option<&str>,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, standing) = take(&tx, id, &task_states::SUBMIT, expected_version).await?;
    if let Some(note) = text::optional(note, "note", 2000)? {
        append(&tx, id, standing, note, Some(row.percent)).await?;
    }
    let from = row.state;
    let mut row = step(row, &task_states::SUBMIT);
    row.submitted_at = Set(Some(ctx.now()));
    let row = row.update(&tx.db).await?;
    tx.record(moved(Event::PriorityTaskSubmitted, &row, &joint, from, row.state)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The committee accepts a task as done.
pub async fn complete(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, _) = take(&tx, id, &task_states::COMPLETE, expected_version).await?;
    let from = row.state;
    let mut row = step(row, &task_states::COMPLETE);
    row.percent = Set(100);
    row.completed_at = Set(Some(ctx.now()));
    let row = row.update(&tx.db).await?;
    tx.record(moved(Event::PriorityTaskCompleted, &row, &joint, from, row.state)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The committee wants more before it accepts.
pub async fn return_for_rework(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
    reason: &str,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, _) = take(&tx, id, &task_states::RETURN, expected_version).await?;
    let reason = text::required(reason, "reason", 1000)?;
    let (from, returned) = (row.state, row.returned_count + 1);
    let mut row = step(row, &task_states::RETURN);
    row.reason = Set(Some(reason.clone()));
    row.returned_count = Set(returned);
    let row = row.update(&tx.db).await?;
    let fact = moved(Event::PriorityTaskReturned, &row, &joint, from, row.state).reason(Some(&reason));
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The committee gives a task up.
pub async fn cancel(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
    reason: &str,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let (row, joint, _) = take(&tx, id, &task_states::CANCEL, expected_version).await?;
    let reason = text::required(reason, "reason", 1000)?;
    let from = row.state;
    let mut row = step(row, &task_states::CANCEL);
    row.reason = Set(Some(reason.clone()));
    let row = row.update(&tx.db).await?;
    let fact = if from == State::Draft {
        // Nobody but the committee ever saw it.
        Fact::of(Event::PriorityTaskCancelled, id).alliance(row.alliance_id)
    } else {
        moved(Event::PriorityTaskCancelled, &row, &joint, from, row.state).reason(Some(&reason))
    };
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Finds a task that the caller may see and holds it for this unit of work.
pub(super) async fn hold(tx: &Tx<'_>, id: PriorityTaskId) -> Result<priority_task::Model> {
    visible(tx.ctx)
        .filter(priority_task::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("priority_task"))
}

/// Holds a task for a step: seen, allowed, at the version read, in a state that allows it; with its co-organisers.
async fn take(
    tx: &Tx<'_>,
    id: PriorityTaskId,
    step: &Step<State>,
    expected_version: Option<i64>,
) -> Result<(priority_task::Model, Vec<OrganizationId>, Standing)> {
    let row = hold(tx, id).await?;
    let joint = co_organizers_of(&tx.db, id).await?;
    let units = acting(&row, &joint, step.action);
    let target = Target::alliance(row.alliance_id).of(&units);
    let standing = tx.ctx.require(&tx.db, step.action, target).await?;
    expect_version(expected_version.unwrap_or(row.version), row.version)?;
    step.check(row.state)?;
    Ok((row, joint, standing))
}

/// The organisations for which `action` on a task is their own affair: co-organisers report, the rest is the lead's.
pub fn acting(task: &priority_task::Model, joint: &[OrganizationId], action: Action) -> Vec<OrganizationId> {
    if action == Action::ReportProgress { concerned(task, joint) } else { vec![task.lead_organization_id] }
}

pub(super) fn concerned(task: &priority_task::Model, joint: &[OrganizationId]) -> Vec<OrganizationId> {
    std::iter::once(task.lead_organization_id).chain(joint.iter().copied()).collect()
}

/// The row one version on, in the state that a step leads to.
fn step(row: priority_task::Model, step: &Step<State>) -> priority_task::ActiveModel {
    let mut row = touched(row);
    row.state = Set(step.to);
    row.is_open = Set(task_states::is_open(step.to));
    row
}

pub(super) fn touched(row: priority_task::Model) -> priority_task::ActiveModel {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.version = Set(version);
    row
}

pub(super) fn concerning(fact: Fact, task: &priority_task::Model, joint: &[OrganizationId]) -> Fact {
    fact.organizations(concerned(task, joint)).detail("title", task.title.clone())
}

pub(super) fn moved(
    kind: Event,
    task: &priority_task::Model,
    joint: &[OrganizationId],
    from: State,
    to: State,
) -> Fact {
    concerning(Fact::of(kind, task.id).alliance(task.alliance_id), task, joint)
        .moved(from.to_value(), to.to_value())
}

async fn append(
    tx: &Tx<'_>,
    task: PriorityTaskId,
    standing: Standing,
    note: String,
    percent: Option<i32>,
) -> Result<()> {
    let entry = task_progress::ActiveModel {
        id: Set(tx.ctx.new_id()),
        task_id: Set(task),
        organization_id: Set(standing.organization_id),
        percent: Set(percent),
        note: Set(note),
        reported_by: Set(standing.account_id),
        reported_at: Set(tx.ctx.now()),
    };
    task_progress::Entity::insert(entry).exec_without_returning(&tx.db).await?;
    Ok(())
}

/// The co-organisers of one task.
pub(super) async fn co_organizers_of(
    db: &impl ConnectionTrait,
    task: PriorityTaskId,
) -> Result<Vec<OrganizationId>> {
    Ok(co_organizers_by_task(db, [task]).await?.remove(&task).unwrap_or_default())
}

/// The co-organisers of several tasks, in one statement.
pub(super) async fn co_organizers_by_task(
    db: &impl ConnectionTrait,
    tasks: impl IntoIterator<Item = PriorityTaskId>,
) -> Result<HashMap<PriorityTaskId, Vec<OrganizationId>>> {
    let rows = task_co_organizer::Entity::find()
        .filter(task_co_organizer::Column::TaskId.is_in(tasks))
        .all(db)
        .await?;
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        found.entry(row.task_id).or_default().push(row.organization_id);
    }
    Ok(found)
}

async fn write_co_organizers(
    db: &impl ConnectionTrait,
    task: PriorityTaskId,
    units: &[OrganizationId],
) -> Result<()> {
    if units.is_empty() {
        return Ok(());
    }
    let rows = units
        .iter()
        .map(|unit| task_co_organizer::ActiveModel { task_id: Set(task), organization_id: Set(*unit) });
    task_co_organizer::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

pub(super) async fn next_place(db: &impl ConnectionTrait, list: TaskListId) -> Result<i32> {
    let place = last_place(db, list).await? + 1;
    if place > MOST_TASKS {
        return Err(Error::invalid(Code::OutOfRange, "taskListId").with("least", 0).with("most", MOST_TASKS));
    }
    Ok(place)
}

/// The last place taken on a list, 0 on an empty one.
pub(super) async fn last_place(db: &impl ConnectionTrait, list: TaskListId) -> Result<i32> {
    let taken: Option<Option<i32>> = priority_task::Entity::find()
        .select_only()
        .column_as(priority_task::Column::Place.max(), "last")
        .filter(priority_task::Column::TaskListId.eq(list))
        .into_tuple()
        .one(db)
        .await?;
    Ok(taken.flatten().unwrap_or(0))
}
