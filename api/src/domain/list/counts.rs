//! How many items an alliance has where, read from the counters that triggers keep: one statement for any number of
//! alliances, with the alliances themselves and the caller's rights. It sums nothing; the few dates and months that it
//! gives are added here, where the alliance's zone is known. `recount` proves the counters.

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::{Datelike, NaiveDate};
use concord_entities::{
    alliance, alliance_count, id::AllianceId, month_count, open_due_count, priority_task::State as TaskState,
    problem::State as ProblemState,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, IdenStatic, Iterable,
    JoinType, QueryFilter, QueryOrder, QueryResult, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Func, LockType, Query, SelectStatement, SimpleExpr},
};

use super::{due, problem_states, task_list::drafts_of, task_states};
use crate::domain::{
    Actor, Ctx, Result, Tx, governance,
    page::{Chosen, Layout},
    scope,
};

/// Most alliances settled in one unit of work.
const BATCH: u64 = 500;

/// The problems of a month, those rejected, withdrawn, merged or over before they were recorded left out; rounds that ended count
/// in their own months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub on: NaiveDate,
    /// Open at some time of it.
    pub open: i64,
    /// Of those, closed within it.
    pub closed: i64,
}

/// What a month's counters say.
#[derive(Clone, Copy, Debug)]
struct Moved {
    recorded: i32,
    closed: i32,
    reopened_within: i32,
}

/// The counts of one alliance, as the caller may see them.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Absent where the caller sees the alliance but not what is on its lists.
    row: Option<alliance_count::Model>,
    sees_drafts: bool,
    today: NaiveDate,
    /// Open tasks and problems by due dates that are not settled.
    due: BTreeMap<NaiveDate, (i32, i32)>,
    /// What was recorded and closed, by the months since the first that was asked for.
    months: BTreeMap<NaiveDate, Moved>,
}

impl Counts {
    /// The counts of an alliance of which the caller sees nothing.
    pub fn nothing(today: NaiveDate) -> Self {
        Self { row: None, sees_drafts: false, today, due: BTreeMap::new(), months: BTreeMap::new() }
    }

    /// Takes the due date and the month that a row names.
    fn add(&mut self, row: &QueryResult) -> Result<()> {
        if let Some(on) = row.try_get::<Option<NaiveDate>>("", "due_on")? {
            self.due.insert(on, (row.try_get("", "tasks")?, row.try_get("", "problems")?));
        }
        if let Some(on) = row.try_get::<Option<NaiveDate>>("", "month_on")? {
            let moved = Moved {
                recorded: row.try_get("", "recorded")?,
                closed: row.try_get("", "closed")?,
                reopened_within: row.try_get("", "reopened_within")?,
            };
            self.months.insert(on, moved);
        }
        Ok(())
    }

    /// Reads all due dates instead of what was settled: the clock went back.
    async fn recall(&mut self, ctx: &Ctx, alliance: AllianceId) -> Result<()> {
        let rows = open_due_count::Entity::find()
            .filter(open_due_count::Column::AllianceId.eq(alliance))
            .filter(open_due_count::Column::DueOn.lt(self.today))
            .all(ctx.read())
            .await?;
        self.due = rows.into_iter().map(|row| (row.due_on, (row.tasks, row.problems))).collect();
        if let Some(row) = &mut self.row {
            (row.settled_tasks, row.settled_problems) = (0, 0);
        }
        Ok(())
    }

    /// Open tasks whose due date has passed by the alliance's calendar.
    pub fn overdue_tasks(&self) -> i64 {
        let settled = self.row.as_ref().map_or(0, |row| row.settled_tasks);
        i64::from(settled)
            + self.due.range(..self.today).map(|(_, (tasks, _))| i64::from(*tasks)).sum::<i64>()
    }

    /// Open problems whose due date has passed by the alliance's calendar.
    pub fn overdue_problems(&self) -> i64 {
        let settled = self.row.as_ref().map_or(0, |row| row.settled_problems);
        i64::from(settled)
            + self.due.range(..self.today).map(|(_, (_, problems))| i64::from(*problems)).sum::<i64>()
    }

    /// How many tasks are in a state.
    pub fn tasks(&self, state: TaskState) -> i64 {
        let Some(row) = &self.row else { return 0 };
        let count = match state {
            TaskState::Draft if !self.sees_drafts => 0,
            TaskState::Draft => row.task_draft,
            TaskState::Published => row.task_published,
            TaskState::Acknowledged => row.task_acknowledged,
            TaskState::InProgress => row.task_in_progress,
            TaskState::Submitted => row.task_submitted,
            TaskState::Completed => row.task_completed,
            TaskState::Cancelled if !self.sees_drafts => row.task_cancelled - row.task_cancelled_draft,
            TaskState::Cancelled => row.task_cancelled,
            TaskState::CarriedOver => row.task_carried_over,
        };
        count.into()
    }

    /// How many tasks are open.
    pub fn open_tasks(&self) -> i64 {
        TaskState::iter().filter(|state| task_states::is_open(*state)).map(|state| self.tasks(state)).sum()
    }

    /// How many problems are in a state.
    pub fn problems(&self, state: ProblemState) -> i64 {
        let Some(row) = &self.row else { return 0 };
        let count = match state {
            ProblemState::Registered => row.problem_registered,
            ProblemState::Triaged => row.problem_triaged,
            ProblemState::Assigned => row.problem_assigned,
            ProblemState::Accepted => row.problem_accepted,
            ProblemState::InProgress => row.problem_in_progress,
            ProblemState::OnAccount => row.problem_on_account,
            ProblemState::Submitted => row.problem_submitted,
            ProblemState::Verified => row.problem_verified,
            ProblemState::StruckOff => row.problem_struck_off,
            ProblemState::Rejected => row.problem_rejected,
            ProblemState::Withdrawn => row.problem_withdrawn,
            ProblemState::ClosedAtSource => row.problem_closed_at_source,
            ProblemState::Merged => row.problem_merged,
            ProblemState::Escalated => row.problem_escalated,
        };
        count.into()
    }

    /// How often problems were reopened as a new round.
    pub fn reopened_problems(&self) -> i64 {
        self.row.as_ref().map_or(0, |row| row.problem_reopened).into()
    }

    /// How many problems are open.
    pub fn open_problems(&self) -> i64 {
        let open = ProblemState::iter().filter(|state| problem_states::is_open(*state));
        open.map(|state| self.problems(state)).sum()
    }

    /// The problems of a month that was asked for; of the present one where nobody names it.
    pub fn month(&self, asked: Option<NaiveDate>) -> Month {
        let on = first_of(asked.unwrap_or(self.today));
        // Open in the month was what is not closed yet and what was closed since, less what was recorded later.
        let unclosed = self.row.as_ref().map_or(0, |row| row.problem_unclosed);
        let open = self.months.range(on..).fold(i64::from(unclosed), |open, (month, moved)| {
            open + i64::from(moved.closed) - if *month > on { i64::from(moved.recorded) } else { 0 }
        });
        // What was struck off and reopened within the month was closed in it all the same.
        let closed = self.months.get(&on).map_or(0, |moved| moved.closed + moved.reopened_within);
        Month { on, open, closed: closed.into() }
    }
}

/// Alliances that the caller may see, with their counts; `asked` names months besides each alliance's present one.
pub async fn read(
    ctx: &Ctx,
    ids: &[AllianceId],
    asked: impl IntoIterator<Item = NaiveDate>,
) -> Result<Vec<(alliance::Model, Counts)>> {
    let first = asked.into_iter().chain([yesterday(ctx)]).min();
    let since = first_of(first.unwrap_or_default());
    let chosen = Chosen::<alliance::Entity>::of(ctx, [alliance::Column::Id, alliance::Column::TimeZone]);
    let rows = ctx.read().query_all(&statement(ctx, ids, since, &chosen)).await?;
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let placed = chosen.placed(&Layout::of(first), "")?;
    let mut found: BTreeMap<AllianceId, (alliance::Model, Counts)> = BTreeMap::new();
    // Each alliance comes once for every pair of a date and a month that its counters name.
    for row in &rows {
        let (_, counts) = match found.entry(row.try_get("", alliance::Column::Id.as_str())?) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(begin(ctx, placed.read(row)?, row)?),
        };
        counts.add(row)?;
    }
    for (alliance, counts) in found.values_mut() {
        if counts.row.as_ref().is_some_and(|row| row.settled_on > counts.today) {
            counts.recall(ctx, alliance.id).await?;
        }
    }
    Ok(found.into_values().collect())
}

/// No alliance's day is earlier than this one.
fn yesterday(ctx: &Ctx) -> NaiveDate {
    let today = ctx.now().date_naive();
    today.pred_opt().unwrap_or(today)
}

fn begin(ctx: &Ctx, alliance: alliance::Model, row: &QueryResult) -> Result<(alliance::Model, Counts)> {
    let mut counts = Counts::nothing(due::today(&alliance.time_zone, ctx.now()));
    if row.try_get::<Option<uuid::Uuid>>("count_", "alliance_id")?.is_some() {
        counts.row = Some(alliance_count::Model::from_query_result(row, "count_")?);
        counts.sees_drafts = row.try_get::<i32>("", "sees_drafts")? == 1;
    }
    Ok((alliance, counts))
}

fn statement(
    ctx: &Ctx,
    ids: &[AllianceId],
    since: NaiveDate,
    chosen: &Chosen<alliance::Entity>,
) -> SelectStatement {
    let visible = governance::alliance::visible(ctx).filter(alliance::Column::Id.is_in(ids.iter().copied()));
    let mut query = chosen.narrow(visible).into_query();
    let here = |column: SimpleExpr| column.equals((alliance::Entity, alliance::Column::Id));
    let mut counted =
        Condition::all().add(here(Expr::col((alliance_count::Entity, alliance_count::Column::AllianceId))));
    if let (Actor::Account { .. }, Some(administrator)) =
        (ctx.actor, governance::alliance::administrator(ctx))
    {
        // A platform administrator sees every alliance, but the lists of their own only.
        let own = scope::in_alliances(ctx, alliance::Column::Id);
        counted = counted.add(Condition::any().add(administrator.not()).add(own));
    }
    query.join(JoinType::LeftJoin, alliance_count::Entity, counted);
    for column in alliance_count::Column::iter() {
        let name = format!("count_{}", column.as_str());
        query.expr_as(Expr::col((alliance_count::Entity, column)), Alias::new(name));
    }
    let drafts = drafts_of(ctx, alliance::Column::Id);
    query.expr_as(
        Expr::case(drafts, Expr::Constant(1.into())).finally(Expr::Constant(0.into())),
        Alias::new("sees_drafts"),
    );
    let settled = Expr::col((alliance_count::Entity, alliance_count::Column::SettledOn));
    let due = here(Expr::col((open_due_count::Entity, open_due_count::Column::AllianceId)))
        .and(Expr::col((open_due_count::Entity, open_due_count::Column::DueOn)).gte(settled))
        // Today is at most a day ahead of the day in UTC.
        .and(open_due_count::Column::DueOn.lte(ctx.now().date_naive()));
    query.join(JoinType::LeftJoin, open_due_count::Entity, due);
    let month = here(Expr::col((month_count::Entity, month_count::Column::AllianceId)))
        .and(month_count::Column::MonthOn.gte(since));
    query.join(JoinType::LeftJoin, month_count::Entity, month);
    for column in
        [open_due_count::Column::DueOn, open_due_count::Column::Tasks, open_due_count::Column::Problems]
    {
        query.column((open_due_count::Entity, column));
    }
    for column in [
        month_count::Column::MonthOn,
        month_count::Column::Recorded,
        month_count::Column::Closed,
        month_count::Column::ReopenedWithin,
    ] {
        query.column((month_count::Entity, column));
    }
    query
}

/// Takes the counters of alliances in one order, ahead of a commit that changes several of them and would take them in the order
/// of what was written.
pub(super) async fn hold(tx: &Tx<'_>, alliances: impl IntoIterator<Item = AllianceId>) -> Result<()> {
    use alliance_count::{Column, Entity};
    let held = Entity::find()
        .select_only()
        .column(Column::AllianceId)
        .filter(Column::AllianceId.is_in(alliances))
        .order_by_asc(Column::AllianceId)
        .lock(LockType::NoKeyUpdate);
    held.into_tuple::<AllianceId>().all(&tx.db).await?;
    Ok(())
}

/// Sums up, for some of the alliances where it has not been done, what was due before any of them has its today; tells for
/// how many. Readers then add the last dates only.
pub async fn settle(ctx: &Ctx) -> Result<usize> {
    use alliance_count::{Column, Entity};
    let day = yesterday(ctx);
    let behind = Entity::find()
        .select_only()
        .column(Column::AllianceId)
        .filter(Column::SettledOn.lt(day))
        .order_by_asc(Column::AllianceId)
        .limit(BATCH);
    if behind.clone().into_tuple::<AllianceId>().one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    // Locked by a statement of its own: the next one sees what was counted before the lock was had.
    let ids: Vec<AllianceId> = behind.lock(LockType::NoKeyUpdate).into_tuple().all(&tx.db).await?;
    let mut update = Entity::update_many().col_expr(Column::SettledOn, Expr::value(day));
    for (sum, column) in [
        (Column::SettledTasks, open_due_count::Column::Tasks),
        (Column::SettledProblems, open_due_count::Column::Problems),
    ] {
        let passed = Query::select()
            .expr(Func::coalesce([sum_of(column), Expr::value(0)]))
            .from(open_due_count::Entity)
            .and_where(
                Expr::col((open_due_count::Entity, open_due_count::Column::AllianceId))
                    .equals((Entity, Column::AllianceId)),
            )
            .and_where(
                Expr::col((open_due_count::Entity, open_due_count::Column::DueOn))
                    .gte(Expr::col((Entity, Column::SettledOn))),
            )
            .and_where(open_due_count::Column::DueOn.lt(day))
            .to_owned();
        let passed = SimpleExpr::SubQuery(None, Box::new(passed.into()));
        update = update.col_expr(sum, Expr::col((Entity, sum)).add(passed));
    }
    update.filter(Column::AllianceId.is_in(ids.iter().copied())).exec(&tx.db).await?;
    tx.commit(uuid::Uuid::nil()).await?;
    Ok(ids.len())
}

fn sum_of(column: open_due_count::Column) -> SimpleExpr {
    Func::sum(Expr::col((open_due_count::Entity, column))).into()
}

fn first_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}
