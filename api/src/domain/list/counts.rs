//! How many items an alliance has where, read from the counters that triggers keep: one statement for any number of
//! alliances, with the alliances themselves and the caller's rights. `recount` proves the counters.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use concord_entities::{
    alliance, alliance_count, id::AllianceId, month_count, open_due_count, priority_task::State as TaskState,
    problem::State as ProblemState,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, ExprTrait, FromQueryResult, IdenStatic, IntoSimpleExpr,
    Iterable, JoinType, QueryFilter, QueryResult, QueryTrait,
    sea_query::{Alias, Expr, Func, Query, SelectStatement, SimpleExpr},
};

use super::{due, problem_states, task_list::drafts_of, task_states};
use crate::domain::{Actor, Ctx, Result, governance, scope};

/// The problems of a month, those rejected, withdrawn or over before they were recorded left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub on: NaiveDate,
    /// Open at some time of it.
    pub open: i64,
    /// Of those, closed within it.
    pub closed: i64,
}

/// The counts of one alliance, as the caller may see them.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Absent where the caller sees the alliance but not what is on its lists.
    row: Option<alliance_count::Model>,
    sees_drafts: bool,
    /// Open tasks whose due date has passed by the alliance's calendar.
    pub overdue_tasks: i64,
    /// Open problems whose due date has passed.
    pub overdue_problems: i64,
    this_month: NaiveDate,
    months: Vec<Month>,
}

impl Counts {
    /// The counts of an alliance of which the caller sees nothing.
    pub fn nothing(now: DateTime<Utc>) -> Self {
        let this_month = first_of(now.date_naive());
        Self {
            row: None,
            sees_drafts: false,
            overdue_tasks: 0,
            overdue_problems: 0,
            this_month,
            months: Vec::new(),
        }
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
            ProblemState::Submitted => row.problem_submitted,
            ProblemState::Verified => row.problem_verified,
            ProblemState::StruckOff => row.problem_struck_off,
            ProblemState::Rejected => row.problem_rejected,
            ProblemState::Withdrawn => row.problem_withdrawn,
            ProblemState::ClosedAtSource => row.problem_closed_at_source,
        };
        count.into()
    }

    /// How many problems are open.
    pub fn open_problems(&self) -> i64 {
        let open = ProblemState::iter().filter(|state| problem_states::is_open(*state));
        open.map(|state| self.problems(state)).sum()
    }

    /// The problems of a month that was asked for; of the present one where nobody names it.
    pub fn month(&self, asked: Option<NaiveDate>) -> Month {
        let on = first_of(asked.unwrap_or(self.this_month));
        let found = self.months.iter().find(|month| month.on == on).copied();
        found.unwrap_or(Month { on, open: 0, closed: 0 })
    }
}

/// Alliances that the caller may see, with their counts; `asked` names months besides each alliance's present one.
pub async fn read(
    ctx: &Ctx,
    ids: &[AllianceId],
    asked: impl IntoIterator<Item = NaiveDate>,
) -> Result<Vec<(alliance::Model, Counts)>> {
    // Where it is which day depends on the alliance's zone, which the statement only finds; it is one of these.
    let today = ctx.now().date_naive();
    let days =
        [today.checked_sub_days(Days::new(1)).unwrap_or(today), today, today.succ_opt().unwrap_or(today)];
    let months: BTreeSet<_> = asked.into_iter().chain(days).map(first_of).collect();
    let months: Vec<_> = months.into_iter().collect();
    let query = statement(ctx, ids, &days, &months);
    let rows = ctx.read().query_all(&query).await?;
    rows.iter().map(|row| one(ctx, row, &days, &months)).collect()
}

fn one(
    ctx: &Ctx,
    row: &QueryResult,
    days: &[NaiveDate],
    months: &[NaiveDate],
) -> Result<(alliance::Model, Counts)> {
    let alliance = alliance::Model::from_query_result(row, "")?;
    let today = due::today(&alliance.time_zone, ctx.now());
    let mut counts = Counts { this_month: first_of(today), ..Counts::nothing(ctx.now()) };
    if row.try_get::<Option<uuid::Uuid>>("count_", "alliance_id")?.is_none() {
        return Ok((alliance, counts));
    }
    let number = |name: String| Ok::<_, sea_orm::DbErr>(row.try_get::<Option<i64>>("", &name)?.unwrap_or(0));
    let place = days.iter().position(|day| *day == today).unwrap_or_default();
    counts.row = Some(alliance_count::Model::from_query_result(row, "count_")?);
    counts.sees_drafts = row.try_get::<i32>("", "sees_drafts")? == 1;
    counts.overdue_tasks = number(format!("tasks{place}"))?;
    counts.overdue_problems = number(format!("problems{place}"))?;
    for (place, on) in months.iter().enumerate() {
        let (open, closed) = (number(format!("open{place}"))?, number(format!("closed{place}"))?);
        counts.months.push(Month { on: *on, open, closed });
    }
    Ok((alliance, counts))
}

fn statement(ctx: &Ctx, ids: &[AllianceId], days: &[NaiveDate], months: &[NaiveDate]) -> SelectStatement {
    let [of_days, of_months] = [due_sums(ids, days), month_sums(ids, months)];
    let mut query = governance::alliance::visible(ctx)
        .filter(alliance::Column::Id.is_in(ids.iter().copied()))
        .into_query();
    let here = |column: SimpleExpr| column.equals((alliance::Entity, alliance::Column::Id));
    let counted = Condition::all()
        .add(here(Expr::col((alliance_count::Entity, alliance_count::Column::AllianceId))))
        // A platform administrator sees every alliance, and the lists of none.
        .add_option(
            matches!(ctx.actor, Actor::Account { .. })
                .then(|| scope::in_alliances(ctx, alliance::Column::Id)),
        );
    query.join(JoinType::LeftJoin, alliance_count::Entity, counted);
    for column in alliance_count::Column::iter() {
        let name = format!("count_{}", column.as_str());
        query.expr_as(Expr::col((alliance_count::Entity, column)), Alias::new(name));
    }
    let drafts = drafts_of(ctx, alliance::Column::Id);
    query.expr_as(Expr::case(drafts, 1).finally(0), Alias::new("sees_drafts"));
    for (name, (sums, names)) in [("of_days", of_days), ("of_months", of_months)] {
        query.join_subquery(
            JoinType::LeftJoin,
            sums,
            name,
            here(Expr::col((name, Alias::new("alliance_id")))),
        );
        for sum in names {
            query.expr_as(Expr::col((name, Alias::new(&*sum))), Alias::new(sum));
        }
    }
    query
}

/// A statement of sums per alliance, and their names.
type Sums = (SelectStatement, Vec<String>);

/// What is overdue on each of `days`.
fn due_sums(ids: &[AllianceId], days: &[NaiveDate]) -> Sums {
    use open_due_count::{Column, Entity};
    let mut names = Vec::new();
    let mut sums = Query::select();
    sums.column(Column::AllianceId)
        .from(Entity)
        .and_where(Column::AllianceId.is_in(ids.iter().copied()))
        .group_by_col(Column::AllianceId);
    if let Some(last) = days.last() {
        sums.and_where(Column::DueOn.lt(*last));
    }
    for (place, day) in days.iter().enumerate() {
        for (name, column) in [("tasks", Column::Tasks), ("problems", Column::Problems)] {
            let name = format!("{name}{place}");
            sums.expr_as(sum_if(Column::DueOn.lt(*day), column), Alias::new(&*name));
            names.push(name);
        }
    }
    (sums.take(), names)
}

/// What was open at some time of each of `months`, and what was closed within it.
fn month_sums(ids: &[AllianceId], months: &[NaiveDate]) -> Sums {
    use month_count::{Column, Entity};
    let mut names = Vec::new();
    let mut sums = Query::select();
    sums.column(Column::AllianceId)
        .from(Entity)
        .and_where(Column::AllianceId.is_in(ids.iter().copied()))
        .group_by_col(Column::AllianceId);
    for (place, month) in months.iter().enumerate() {
        let recorded = sum_if(Column::MonthOn.lte(*month), Column::Recorded);
        let over = sum_if(Column::MonthOn.lt(*month), Column::Closed);
        let closed = sum_if(Column::MonthOn.eq(*month), Column::Closed);
        for (name, sum) in [("open", recorded.sub(over)), ("closed", closed)] {
            let name = format!("{name}{place}");
            sums.expr_as(sum, Alias::new(&*name));
            names.push(name);
        }
    }
    (sums.take(), names)
}

fn sum_if(condition: SimpleExpr, column: impl ColumnTrait) -> SimpleExpr {
    Func::sum(Expr::case(condition, column.into_simple_expr()).finally(0)).into()
}

fn first_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}
