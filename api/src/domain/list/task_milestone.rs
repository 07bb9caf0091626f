//! Milestones of a task: set by the committee, reached by the units that work on it. The task's lock is theirs, and each
//! change of theirs is a change of the task.

use chrono::NaiveDate;
use concord_entities::{
    id::{PriorityTaskId, TaskMilestoneId},
    priority_task::{self, State},
    task_milestone,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter,
};

use super::{
    priority_task::{co_organizers_of, concerned, concerning, hold, touched},
    task_list::{self, sane},
    task_states,
};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, Target, text};

/// Most milestones of a task.
const MOST: usize = 50;

/// A step of a task about to be written.
#[derive(Clone, Debug)]
pub struct NewMilestone {
    pub title: String,
    pub due_on: NaiveDate,
}

/// The milestones that a task comes with, as stored.
pub(super) fn rows(
    ctx: &Ctx,
    task: &priority_task::Model,
    new: &[NewMilestone],
) -> Result<Vec<task_milestone::ActiveModel>> {
    if new.len() > MOST {
        return Err(Error::invalid(Code::OutOfRange, "milestones").with("least", 0).with("most", MOST));
    }
    let checked = new.iter().enumerate().map(|(index, milestone)| {
        row(ctx, task, milestone).map_err(|error| {
            let field = format!("milestones.{index}.{}", error.field().unwrap_or_default());
            error.at(field)
        })
    });
    checked.collect()
}

/// Writes the milestones that a task comes with.
pub(super) async fn write(db: &impl ConnectionTrait, rows: Vec<task_milestone::ActiveModel>) -> Result<()> {
    if !rows.is_empty() {
        task_milestone::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// A milestone as stored, on the task's last day at the latest.
fn row(ctx: &Ctx, task: &priority_task::Model, new: &NewMilestone) -> Result<task_milestone::ActiveModel> {
    let due_on = sane(new.due_on, "dueOn")?;
    if due_on > task.due_on {
        let refused = Error::invalid(Code::OutOfRange, "dueOn");
        return Err(refused.with("least", task_list::YEARS.start()).with("most", task.due_on));
    }
    Ok(task_milestone::ActiveModel {
        id: Set(ctx.new_id()),
        task_id: Set(task.id),
        title: Set(text::required(&new.title, "title", 200)?),
        due_on: Set(due_on),
        reached_at: Set(None),
    })
}

/// The committee sets a task a further milestone.
pub async fn add(ctx: &Ctx, id: PriorityTaskId, new: NewMilestone) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let row = hold(&tx, id).await?;
    ctx.require(&tx.db, Action::UpdatePriorityTask, Target::alliance(row.alliance_id)).await?;
    if !(row.is_open || row.state == State::Draft) {
        return Err(Error::refused(Code::StateRefused).with("state", row.state.to_value()));
    }
    let standing =
        task_milestone::Entity::find().filter(task_milestone::Column::TaskId.eq(id)).count(&tx.db).await?;
    if usize::try_from(standing).is_ok_and(|standing| standing >= MOST) {
        return Err(Error::invalid(Code::OutOfRange, "taskId").with("least", 0).with("most", MOST));
    }
    let milestone = self::row(ctx, &row, &new)?;
    let milestone = milestone.insert(&tx.db).await?;
    let joint = co_organizers_of(&tx.db, id).await?;
    let row = touched(row).update(&tx.db).await?;
    let mut fact = Fact::of(Event::PriorityTaskMilestoneAdded, id).alliance(row.alliance_id);
    if row.state != State::Draft {
        fact = concerning(fact, &row, &joint).detail("milestone", milestone.title);
    }
    tx.record(fact).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// The lead unit or a co-organiser notes that a milestone has been reached.
pub async fn reach(ctx: &Ctx, id: TaskMilestoneId) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let milestone =
        task_milestone::Entity::find_by_id(id).one(&tx.db).await?.ok_or(Error::NotFound("task_milestone"))?;
    let row = hold(&tx, milestone.task_id).await.map_err(|error| match error {
        // Whoever may not see the task may not learn that the milestone is there.
        Error::NotFound(_) => Error::NotFound("task_milestone"),
        error => error,
    })?;
    let joint = co_organizers_of(&tx.db, row.id).await?;
    let units = concerned(&row, &joint);
    ctx.require(&tx.db, Action::ReportProgress, Target::alliance(row.alliance_id).of(&units)).await?;
    task_states::REPORT.check(row.state)?;
    // Read again under the task's lock: two units may note the same milestone at once.
    let milestone =
        task_milestone::Entity::find_by_id(id).one(&tx.db).await?.ok_or(Error::NotFound("task_milestone"))?;
    if milestone.reached_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "reached"));
    }
    let mut milestone = milestone.into_active_model();
    milestone.reached_at = Set(Some(ctx.now()));
    let milestone = milestone.update(&tx.db).await?;
    let row = touched(row).update(&tx.db).await?;
    let fact = Fact::of(Event::PriorityTaskMilestoneReached, row.id).alliance(row.alliance_id);
    tx.record(concerning(fact, &row, &joint).detail("milestone", milestone.title)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
