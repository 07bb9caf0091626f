//! Carrying over (结转): what a month leaves unfinished goes on on a later list, each task once and with its lineage, and
//! the list it came from is closed. A closed list never changes again; the database refuses it as well.

use std::collections::HashMap;

use chrono::{Datelike, Months, NaiveDate};
use concord_entities::{
    alliance, handover_item,
    id::{AllianceId, PriorityTaskId, TaskListId},
    priority_task::{self, State},
    task_carry_over, task_co_organizer, task_list, task_milestone, task_part,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr},
};

use super::{
    cascade, due,
    priority_task::{MOST_TASKS, co_organizers_by_task, last_place, moved, published, touched},
    task_list::{hold as hold_list, require_unclosed, sane, slot_of_month},
    task_states::{self, CARRY_OVER},
    transition::Step,
};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx};

/// Most rows of one insert; none has more than five values, and SQLite binds at most 32,766.
const ROWS: usize = 5_000;
/// Most cases of one statement.
const CASES: usize = 500;
/// Longest chain of carried tasks that is followed, in months.
const LONGEST: usize = 240;

/// The list is closed, with everything on it.
pub const CLOSE: Step<task_list::State> = Step {
    mutation: "carryOverTasks",
    from: &[task_list::State::Published],
    to: task_list::State::Closed,
    action: Action::ManageTaskList,
};

/// Carries the unfinished tasks of a list over to a later one, by default that of the next month, which is drafted where it
/// is missing; closes the list, and gives the later one.
pub async fn carry_over(ctx: &Ctx, from: TaskListId, to: Option<TaskListId>) -> Result<task_list::Model> {
    let tx = ctx.begin().await?;
    let source = hold_list(&tx, from).await?;
    ctx.require(&tx.db, CLOSE.action, Target::alliance(source.alliance_id)).await?;
    // What was carried over before is told first: whatever is named then, the same call twice is answered in one way.
    CLOSE.check(source.state)?;
    let named = match to {
        Some(to) => Some(later(&tx, &source, to).await?),
        None => None,
    };
    let next_on = source.month_on.checked_add_months(Months::new(1)).unwrap_or(source.month_on);
    let known = match named {
        Some(list) => Some(list),
        None => of_month(&tx.db, source.alliance_id, next_on).await?,
    };
    let zone = alliance::Entity::find_by_id(source.alliance_id)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))?
        .time_zone;
    if source.month_on > due::today(&zone, ctx.now()) {
        let month = source.month_on.format("%Y-%m");
        return Err(Error::invalid(Code::MonthNotBegun, "fromTaskListId").with("month", month));
    }
    let target = match known {
        Some(list) if list.state == task_list::State::Closed => {
            return Err(Error::invalid(Code::TaskListClosed, "toTaskListId"));
        }
        Some(list) => list,
        None => draft(&tx, source.alliance_id, next_on).await?,
    };
    let (unfinished, last) = unfinished(&tx, &source, &target).await?;
    let carried = write_successors(&tx, &unfinished, &target, last).await?;
    close(&tx, source, &target, carried).await?;
    tx.commit(target.id).await?;
    Ok(target)
}

/// A list named as the later one: of the same alliance, of a later month.
async fn later(tx: &Tx<'_>, source: &task_list::Model, to: TaskListId) -> Result<task_list::Model> {
    let list = hold_list(tx, to).await?;
    if list.alliance_id != source.alliance_id {
        return Err(Error::NotFound("task_list"));
    }
    if list.month_on <= source.month_on {
        let least = source.month_on.checked_add_months(Months::new(1)).unwrap_or(source.month_on);
        return Err(Error::invalid(Code::OutOfRange, "toTaskListId")
            .with("least", least.format("%Y-%m"))
            .with("most", "2100-12"));
    }
    Ok(list)
}

/// The list of an alliance's month, held, drafted where there is none; a closed one is turned away.
pub async fn open_of_month(
    tx: &Tx<'_>,
    alliance_id: AllianceId,
    month_on: NaiveDate,
) -> Result<task_list::Model> {
    match of_month(&tx.db, alliance_id, month_on).await? {
        Some(list) => require_unclosed(&list, "month").map(|()| list),
        None => draft(tx, alliance_id, sane(month_on, "month")?).await,
    }
}

/// The list of an alliance's month, held.
async fn of_month(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    month_on: NaiveDate,
) -> Result<Option<task_list::Model>> {
    Ok(task_list::Entity::find()
        .filter(task_list::Column::AllianceId.eq(alliance))
        .filter(task_list::Column::MonthOn.eq(month_on))
        .lock(HELD)
        .one(db)
        .await?)
}

/// Drafts the list of an alliance's month, named after it.
async fn draft(tx: &Tx<'_>, alliance_id: AllianceId, month_on: NaiveDate) -> Result<task_list::Model> {
    let row = task_list::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(alliance_id),
        month_on: Set(month_on),
        slot_id: Set(slot_of_month(&tx.db, alliance_id, month_on).await?),
        title: Set(format!("{}年{}月重点任务清单", month_on.year(), month_on.month())),
        state: Set(task_list::State::Draft),
        published_at: Set(None),
        created_by: Set(tx.ctx.author()),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(Fact::of(Event::TaskListCreated, row.id).alliance(alliance_id)).await?;
    Ok(row)
}

/// The tasks on which work remains, held, and the last place taken before them on the later list. Drafts, which nobody has
/// seen yet, move to that list as they are, with what is to be reached.
async fn unfinished(
    tx: &Tx<'_>,
    source: &task_list::Model,
    target: &task_list::Model,
) -> Result<(Vec<priority_task::Model>, i32)> {
    use priority_task::Column;
    let mut rows = priority_task::Entity::find()
        .filter(Column::TaskListId.eq(source.id))
        .filter(Condition::any().add(Column::IsOpen.eq(true)).add(Column::State.eq(State::Draft)))
        .order_by_asc(Column::Id)
        .lock(HELD)
        .all(&tx.db)
        .await?;
    // Locked in the order in which all tasks are, taken over in the list's own.
    rows.sort_by_key(|row| row.place);
    let last = last_place(&tx.db, target.id).await?;
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
    if last.saturating_add(count) > MOST_TASKS {
        return Err(Error::invalid(Code::OutOfRange, "toTaskListId")
            .with("least", 0)
            .with("most", MOST_TASKS));
    }
    let (drafts, open): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.state == State::Draft);
    let after = last + i32::try_from(open.len()).unwrap_or_default();
    move_milestones(tx, &drafts, target).await?;
    for (place, row) in (after + 1..).zip(drafts) {
        let (id, due_on) = (row.id, moved_on(row.due_on, target.month_on));
        let mut row = touched(row);
        row.task_list_id = Set(target.id);
        row.place = Set(place);
        row.due_on = Set(due_on);
        row.update(&tx.db).await?;
        tx.record(Fact::of(Event::PriorityTaskUpdated, id).alliance(source.alliance_id)).await?;
    }
    Ok((open, last))
}

/// A date that lies before the month it is carried to moves to the same day of that month, or to its last.
pub fn moved_on(on: NaiveDate, month_on: NaiveDate) -> NaiveDate {
    if on >= month_on {
        return on;
    }
    let months = (month_on.year() - on.year()) * 12 + i32::try_from(month_on.month()).unwrap_or_default()
        - i32::try_from(on.month()).unwrap_or_default();
    on.checked_add_months(Months::new(months.unsigned_abs())).unwrap_or(month_on)
}

/// Writes the successors of tasks, with who works on them and what is still to be reached, and ends the tasks as carried
/// over; tells how many. The progress that was reported stays with the old task, the percentage goes on from there.
async fn write_successors(
    tx: &Tx<'_>,
    tasks: &[priority_task::Model],
    target: &task_list::Model,
    last: i32,
) -> Result<usize> {
    if tasks.is_empty() {
        return Ok(0);
    }
    let ids: Vec<PriorityTaskId> = tasks.iter().map(|task| task.id).collect();
    let successors: HashMap<PriorityTaskId, PriorityTaskId> =
        ids.iter().map(|id| (*id, tx.ctx.new_id())).collect();
    let of = |id: &PriorityTaskId| successors.get(id).copied().unwrap_or_default();
    let is_told = target.state == task_list::State::Published;
    let state = if is_told { State::Published } else { State::Draft };
    let rows = tasks.iter().zip(last + 1..).map(|(task, place)| priority_task::ActiveModel {
        id: Set(of(&task.id)),
        alliance_id: Set(task.alliance_id),
        task_list_id: Set(target.id),
        place: Set(place),
        title: Set(task.title.clone()),
        content: Set(task.content.clone()),
        criterion: Set(task.criterion.clone()),
        source: Set(task.source.clone()),
        lead_organization_id: Set(task.lead_organization_id),
        region_id: Set(task.region_id),
        starts_on: Set(task.starts_on),
        due_on: Set(moved_on(task.due_on, target.month_on)),
        due_told_on: Set(None),
        state: Set(state),
        is_open: Set(task_states::is_open(state)),
        percent: Set(task.percent),
        responsible_name: Set(task.responsible_name.clone()),
        reason: Set(None),
        returned_count: Set(0),
        published_at: Set(is_told.then(|| tx.ctx.now())),
        acknowledged_at: Set(None),
        submitted_at: Set(None),
        completed_at: Set(None),
        created_by: Set(tx.ctx.author()),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
    });
    let rows = priority_task::Entity::insert_many(rows).exec_with_returning(&tx.db).await?;
    let written: HashMap<PriorityTaskId, &priority_task::Model> =
        rows.iter().map(|row| (row.id, row)).collect();
    let joint = co_organizers_by_task(&tx.db, ids.iter().copied()).await?;
    copy_co_organizers(tx, &joint, of).await?;
    copy_milestones(tx, tasks, target, of).await?;
    let links = ids.iter().map(|id| task_carry_over::ActiveModel {
        task_id: Set(of(id)),
        from_task_id: Set(*id),
        carried_at: Set(tx.ctx.now()),
        carried_by: Set(tx.ctx.author()),
        numerator: Set(None),
        denominator: Set(None),
    });
    task_carry_over::Entity::insert_many(links).exec_without_returning(&tx.db).await?;
    keep_handed_over(tx, &ids, of).await?;
    keep_cascade(tx, &ids, of).await?;
    priority_task::Entity::update_many()
        .col_expr(priority_task::Column::State, Expr::value(CARRY_OVER.to.to_value()))
        .col_expr(priority_task::Column::IsOpen, Expr::value(false))
        .col_expr(priority_task::Column::Version, Expr::col(priority_task::Column::Version).add(1))
        .filter(priority_task::Column::Id.is_in(ids.iter().copied()))
        .exec(&tx.db)
        .await?;
    let none = Vec::new();
    for task in tasks {
        CARRY_OVER.check(task.state)?;
        let joint = joint.get(&task.id).unwrap_or(&none);
        let month = target.month_on.format("%Y-%m").to_string();
        let fact = moved(Event::PriorityTaskCarriedOver, task, joint, task.state, CARRY_OVER.to);
        tx.record(fact.detail("toMonth", month)).await?;
        match written.get(&of(&task.id)) {
            Some(row) if is_told => tx.record(published(row, joint)).await?,
            _ => {
                let fact = Fact::of(Event::PriorityTaskCreated, of(&task.id));
                tx.record(fact.alliance(task.alliance_id)).await?
            }
        };
    }
    Ok(tasks.len())
}

async fn copy_co_organizers(
    tx: &Tx<'_>,
    joint: &HashMap<PriorityTaskId, Vec<concord_entities::id::OrganizationId>>,
    of: impl Fn(&PriorityTaskId) -> PriorityTaskId,
) -> Result<()> {
    let rows: Vec<_> = joint
        .iter()
        .flat_map(|(task, units)| units.iter().map(move |unit| (task, *unit)))
        .map(|(task, unit)| task_co_organizer::ActiveModel {
            task_id: Set(of(task)),
            organization_id: Set(unit),
        })
        .collect();
    for some in rows.chunks(ROWS) {
        task_co_organizer::Entity::insert_many(some.to_vec()).exec_without_returning(&tx.db).await?;
    }
    Ok(())
}

/// The milestones of tasks that were not reached, and when each is due on the later list: on the task's last day at the latest.
async fn to_reach(
    tx: &Tx<'_>,
    tasks: &[priority_task::Model],
    target: &task_list::Model,
) -> Result<Vec<(task_milestone::Model, NaiveDate)>> {
    let last: HashMap<PriorityTaskId, NaiveDate> =
        tasks.iter().map(|task| (task.id, moved_on(task.due_on, target.month_on))).collect();
    let steps = task_milestone::Entity::find()
        .filter(task_milestone::Column::TaskId.is_in(tasks.iter().map(|task| task.id)))
        .filter(task_milestone::Column::ReachedAt.is_null())
        .all(&tx.db)
        .await?;
    let with_day = |step: task_milestone::Model| {
        let due_on = moved_on(step.due_on, target.month_on);
        let due_on = last.get(&step.task_id).map_or(due_on, |last| std::cmp::Ord::min(due_on, *last));
        (step, due_on)
    };
    Ok(steps.into_iter().map(with_day).collect())
}

/// Drafts take what is to be reached along.
async fn move_milestones(
    tx: &Tx<'_>,
    drafts: &[priority_task::Model],
    target: &task_list::Model,
) -> Result<()> {
    use task_milestone::Column;
    for some in to_reach(tx, drafts, target).await?.chunks(CASES) {
        let due_on = some.iter().fold(CaseStatement::new(), |case, (step, due_on)| {
            case.case(Column::Id.eq(step.id), Expr::value(*due_on))
        });
        task_milestone::Entity::update_many()
            .col_expr(Column::DueOn, due_on.finally(Expr::col(Column::DueOn)).into())
            .filter(Column::Id.is_in(some.iter().map(|(step, _)| step.id)))
            .exec(&tx.db)
            .await?;
    }
    Ok(())
}

/// The milestones that were not reached go on.
async fn copy_milestones(
    tx: &Tx<'_>,
    tasks: &[priority_task::Model],
    target: &task_list::Model,
    of: impl Fn(&PriorityTaskId) -> PriorityTaskId,
) -> Result<()> {
    let rows: Vec<_> = to_reach(tx, tasks, target)
        .await?
        .into_iter()
        .map(|(step, due_on)| task_milestone::ActiveModel {
            id: Set(tx.ctx.new_id()),
            task_id: Set(of(&step.task_id)),
            due_on: Set(due_on),
            title: Set(step.title),
            reached_at: Set(None),
        })
        .collect();
    for some in rows.chunks(ROWS) {
        task_milestone::Entity::insert_many(some.to_vec()).exec_without_returning(&tx.db).await?;
    }
    Ok(())
}

/// A successor takes its task's place in a handover, as long as nobody has answered for the task there.
async fn keep_handed_over(
    tx: &Tx<'_>,
    ids: &[PriorityTaskId],
    of: impl Fn(&PriorityTaskId) -> PriorityTaskId,
) -> Result<()> {
    use handover_item::{Column, State};
    for some in ids.chunks(CASES) {
        let to = some
            .iter()
            .fold(CaseStatement::new(), |case, id| case.case(Column::TaskId.eq(*id), Expr::value(of(id))));
        handover_item::Entity::update_many()
            .col_expr(Column::TaskId, to.finally(Expr::col(Column::TaskId)).into())
            .filter(Column::TaskId.is_in(some.iter().copied()))
            .filter(Column::State.is_in([State::Pending, State::Declined, State::ToCommittee]))
            .exec(&tx.db)
            .await?;
    }
    Ok(())
}

/// A successor takes its task's place in the cascade: as a part of what is above it, and with the parts below it. What the
/// task had come to by then stays with it as its percentage.
async fn keep_cascade(
    tx: &Tx<'_>,
    ids: &[PriorityTaskId],
    of: impl Fn(&PriorityTaskId) -> PriorityTaskId,
) -> Result<()> {
    let above = task_part::Entity::find()
        .filter(task_part::Column::TaskId.is_in(ids.iter().copied()))
        .all(&tx.db)
        .await?;
    let rows = above.into_iter().map(|part| task_part::ActiveModel {
        task_id: Set(of(&part.task_id)),
        parent_task_id: Set(part.parent_task_id),
        weight: Set(part.weight),
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        task_part::Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    }
    let parents: Vec<PriorityTaskId> = task_part::Entity::find()
        .select_only()
        .column(task_part::Column::ParentTaskId)
        .filter(task_part::Column::ParentTaskId.is_in(ids.iter().copied()))
        .distinct()
        .into_tuple()
        .all(&tx.db)
        .await?;
    if parents.is_empty() {
        return Ok(());
    }
    let tree = cascade::gather(&tx.db, &parents).await?;
    for parent in parents {
        let progress = tree.progress(parent);
        let percent = i32::from(progress.percent());
        task_carry_over::Entity::update_many()
            .col_expr(task_carry_over::Column::Numerator, Expr::value(progress.numerator.to_string()))
            .col_expr(task_carry_over::Column::Denominator, Expr::value(progress.denominator.to_string()))
            .filter(task_carry_over::Column::FromTaskId.eq(parent))
            .exec(&tx.db)
            .await?;
        priority_task::Entity::update_many()
            .col_expr(priority_task::Column::Percent, Expr::value(percent))
            .filter(priority_task::Column::Id.is_in([parent, of(&parent)]))
            .exec(&tx.db)
            .await?;
        task_part::Entity::update_many()
            .col_expr(task_part::Column::ParentTaskId, Expr::value(uuid::Uuid::from(of(&parent))))
            .filter(task_part::Column::ParentTaskId.eq(parent))
            .exec(&tx.db)
            .await?;
    }
    Ok(())
}

async fn close(
    tx: &Tx<'_>,
    source: task_list::Model,
    target: &task_list::Model,
    carried: usize,
) -> Result<()> {
    let (id, alliance, version) = (source.id, source.alliance_id, source.version + 1);
    let (title, month) = (source.title.clone(), source.month_on.format("%Y-%m").to_string());
    let mut row = source.into_active_model();
    row.state = Set(CLOSE.to);
    row.version = Set(version);
    row.update(&tx.db).await?;
    tx.record(
        Fact::of(Event::TaskListClosed, id)
            .alliance(alliance)
            .detail("title", title)
            .detail("month", month)
            .detail("carried", carried)
            .detail("toMonth", target.month_on.format("%Y-%m").to_string()),
    )
    .await?;
    Ok(())
}

/// The chain of carrying over that each of `tasks` stands in, the earliest first and the task itself with it; what of it the
/// caller may see is told by reading the tasks.
pub async fn lineages(
    db: &impl ConnectionTrait,
    tasks: &[PriorityTaskId],
) -> Result<HashMap<PriorityTaskId, Vec<PriorityTaskId>>> {
    use task_carry_over::Column;
    let (mut earlier, mut later) = (HashMap::new(), HashMap::new());
    let mut edge: Vec<PriorityTaskId> = tasks.to_vec();
    // A statement for each month that the longest chain goes on.
    for _ in 0..LONGEST {
        let links = task_carry_over::Entity::find()
            .filter(
                Condition::any()
                    .add(Column::TaskId.is_in(edge.iter().copied()))
                    .add(Column::FromTaskId.is_in(edge.iter().copied())),
            )
            .all(db)
            .await?;
        edge.clear();
        for link in links {
            if earlier.insert(link.task_id, link.from_task_id).is_none() {
                later.insert(link.from_task_id, link.task_id);
                edge.extend([link.task_id, link.from_task_id]);
            }
        }
        if edge.is_empty() {
            break;
        }
    }
    Ok(tasks.iter().map(|task| (*task, chain(*task, &earlier, &later))).collect())
}

type Links = HashMap<PriorityTaskId, PriorityTaskId>;

fn chain(task: PriorityTaskId, earlier: &Links, later: &Links) -> Vec<PriorityTaskId> {
    let mut chain = vec![task];
    let walk = |links: &Links, chain: &mut Vec<PriorityTaskId>| {
        let mut at = task;
        while let Some(next) = links.get(&at).filter(|next| !chain.contains(next)) {
            chain.push(*next);
            at = *next;
        }
    };
    walk(earlier, &mut chain);
    chain.reverse();
    walk(later, &mut chain);
    chain
}

/// Which tasks each of `tasks` was carried from, or to.
pub async fn neighbours(
    db: &impl ConnectionTrait,
    tasks: &[PriorityTaskId],
    onward: bool,
) -> Result<HashMap<PriorityTaskId, PriorityTaskId>> {
    use task_carry_over::Column;
    let by = if onward { Column::FromTaskId } else { Column::TaskId };
    let links = task_carry_over::Entity::find().filter(by.is_in(tasks.iter().copied())).all(db).await?;
    let pair = |link: task_carry_over::Model| {
        if onward { (link.from_task_id, link.task_id) } else { (link.task_id, link.from_task_id) }
    };
    Ok(links.into_iter().map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_moves_into_the_month_and_never_back() {
        let on = |text: &str| text.parse::<NaiveDate>().expect("a day");
        for (from, month, to) in [
            ("2026-01-20", "2026-02-01", "2026-02-20"),
            ("2026-01-31", "2026-02-01", "2026-02-28"),
            ("2028-01-31", "2028-02-01", "2028-02-29"),
            ("2025-12-31", "2026-04-01", "2026-04-30"),
            ("2026-02-01", "2026-02-01", "2026-02-01"),
            ("2026-06-15", "2026-02-01", "2026-06-15"),
        ] {
            assert_eq!(moved_on(on(from), on(month)), on(to), "{from} to {month}");
        }
    }

    #[test]
    fn a_chain_goes_both_ways_and_never_in_a_circle() {
        let ids: Vec<PriorityTaskId> =
            (1..=4).map(|number| PriorityTaskId(uuid::Uuid::from_u128(number))).collect();
        let links = |pairs: &[(usize, usize)]| -> (Links, Links) {
            let later: Links = pairs.iter().map(|(from, to)| (ids[*from], ids[*to])).collect();
            (later.iter().map(|(from, to)| (*to, *from)).collect(), later)
        };
        let (earlier, later) = links(&[(0, 1), (1, 2), (2, 3)]);
        for task in &ids {
            assert_eq!(chain(*task, &earlier, &later), ids);
        }
        let (earlier, later) = links(&[(0, 0)]);
        assert_eq!(chain(ids[0], &earlier, &later), ids[..1]);
    }
}
