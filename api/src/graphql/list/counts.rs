//! Faces of the counts of an alliance's two lists, which come with the alliance in one statement.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use async_graphql::{Context, InputType, Object, Result, SimpleObject, dataloader::Loader};
use chrono::NaiveDate;
use concord_entities::{alliance, id::AllianceId, priority_task, problem};
use sea_orm::Iterable;

use super::{priority_task::PriorityTaskState, problem::ProblemState};
use crate::{
    domain::{
        self, Ctx, Error,
        list::counts::{self, Counts, Month},
    },
    graphql::{
        ctx,
        loaders::{self, Loaders},
        scalar::YearMonth,
    },
};

/// How many tasks are in a state.
#[derive(SimpleObject)]
pub struct TaskStateCount {
    /// The state.
    pub(super) state: PriorityTaskState,
    /// How many tasks.
    pub(super) count: i64,
}

/// How many tasks of an alliance stand where; only what the viewer may see counts.
#[derive(SimpleObject)]
pub struct TaskCounts {
    /// Work remains: published and neither completed, cancelled nor carried over.
    open: i64,
    /// Work remains and the due date has passed by the alliance's calendar.
    overdue: i64,
    /// Accepted as done.
    completed: i64,
    /// By state; states without tasks are left out.
    by_state: Vec<TaskStateCount>,
}

impl From<Counts> for TaskCounts {
    fn from(counts: Counts) -> Self {
        let by_state = priority_task::State::iter()
            .map(|state| TaskStateCount { state: state.into(), count: counts.tasks(state) })
            .filter(|entry| entry.count > 0)
            .collect();
        Self {
            open: counts.open_tasks(),
            overdue: counts.overdue_tasks(),
            completed: counts.tasks(priority_task::State::Completed),
            by_state,
        }
    }
}

/// How many problems are in a state.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct ProblemStateCount {
    /// The state.
    pub(super) state: ProblemState,
    /// How many are in it.
    pub(super) count: i64,
}

/// A share, with what it is a share of.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub numerator: i64,
    pub denominator: i64,
}

/// A share, with what it is a share of.
#[Object(name = "ClosureRate")]
impl Rate {
    /// The share from 0 to 1; null where the denominator is 0.
    async fn value(&self) -> Option<f64> {
        let exact = |count: i64| i32::try_from(count).ok().map(f64::from);
        (self.denominator > 0).then(|| Some(exact(self.numerator)? / exact(self.denominator)?)).flatten()
    }

    /// How many were struck off or closed at their source within the month, among those of the denominator.
    async fn numerator(&self) -> i64 {
        self.numerator
    }

    /// How many were open at some time of the month; rejected, withdrawn and merged ones are left out.
    async fn denominator(&self) -> i64 {
        self.denominator
    }
}

/// The counts of an alliance's problems.
pub struct ProblemCounts {
    counts: Counts,
    month: Month,
}

/// The counts of an alliance's problems.
#[Object]
impl ProblemCounts {
    /// All problems on the list, whatever became of them.
    async fn total(&self) -> i64 {
        problem::State::iter().map(|state| self.counts.problems(state)).sum()
    }

    /// Those still open.
    async fn open(&self) -> i64 {
        self.counts.open_problems()
    }

    /// Those still open whose due date has passed by the alliance's calendar, but for what was submitted for closure or put on account
    /// in time and has not come back to work.
    async fn overdue(&self) -> i64 {
        self.counts.overdue_problems()
    }

    /// Those struck off.
    async fn struck_off(&self) -> i64 {
        self.counts.problems(problem::State::StruckOff)
    }

    /// Those closed in the system they were imported from; closed, but never struck off.
    async fn closed_at_source(&self) -> i64 {
        self.counts.problems(problem::State::ClosedAtSource)
    }

    /// Those that were duplicates of others and ended as merged.
    async fn merged(&self) -> i64 {
        self.counts.problems(problem::State::Merged)
    }

    /// Those still open that the alliance above is to settle.
    async fn escalated(&self) -> i64 {
        self.counts.problems(problem::State::Escalated)
    }

    /// How often problems were reopened after strike-off, all rounds of all of them together.
    async fn reopened_count(&self) -> i64 {
        self.counts.reopened_problems()
    }

    /// How many are in each state, in the order of the work.
    async fn by_state(&self) -> Vec<ProblemStateCount> {
        problem::State::iter()
            .map(|state| ProblemStateCount { state: state.into(), count: self.counts.problems(state) })
            .collect()
    }

    /// The month of the closure rate.
    async fn month(&self) -> YearMonth {
        self.month.on.into()
    }

    /// The closure rate of the month: of the problems open at some time of it, the share closed in it.
    async fn closure_rate(&self) -> Rate {
        Rate { numerator: self.month.closed, denominator: self.month.open }
    }
}

/// Key of the counts of an alliance, with a month besides the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountsOf(AllianceId, Option<NaiveDate>);

impl Loader<CountsOf> for Loaders {
    type Value = Counts;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CountsOf]) -> Result<HashMap<CountsOf, Self::Value>, Self::Error> {
        let ids: BTreeSet<_> = keys.iter().map(|key| key.0).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let found = counts::read(&self.0, &ids, keys.iter().filter_map(|key| key.1)).await;
        let found: HashMap<_, _> =
            found.map_err(Arc::new)?.into_iter().map(|(alliance, counts)| (alliance.id, counts)).collect();
        Ok(keys.iter().filter_map(|key| Some((*key, found.get(&key.0)?.clone()))).collect())
    }
}

async fn of(context: &Context<'_>, alliance: AllianceId, month: Option<NaiveDate>) -> Result<Counts> {
    let found = loaders::one(context, CountsOf(alliance, month)).await?;
    Ok(found.unwrap_or_else(|| Counts::nothing(ctx(context).now().date_naive())))
}

/// The counts of an alliance's tasks.
pub async fn tasks(context: &Context<'_>, alliance: AllianceId) -> Result<TaskCounts> {
    Ok(of(context, alliance, None).await?.into())
}

/// The counts of an alliance's problems.
pub async fn problems(
    context: &Context<'_>,
    alliance: AllianceId,
    month: Option<YearMonth>,
) -> Result<ProblemCounts> {
    let month = month.map(|month| month.0);
    let counts = of(context, alliance, month).await?;
    Ok(ProblemCounts { month: counts.month(month), counts })
}

/// An alliance with its counts in the same statement, where the selection asks for counts at all.
pub async fn alliance(
    context: &Context<'_>,
    id: AllianceId,
) -> domain::Result<Option<Option<alliance::Model>>> {
    let ctx: &Ctx = ctx(context);
    let ahead = context.look_ahead();
    let problems = ahead.field("problemCounts").selection_fields();
    if problems.is_empty() && !ahead.field("taskCounts").exists() {
        return Ok(None);
    }
    // A month that cannot be read is refused where it stands.
    let months: Vec<NaiveDate> = problems
        .iter()
        .filter_map(|field| field.arguments().ok())
        .flatten()
        .filter_map(|(_, value)| Option::<YearMonth>::parse(Some(value)).ok().flatten())
        .map(|month| month.0)
        .collect();
    let found = counts::read(ctx, &[id], months.iter().copied()).await?.pop();
    let Some((alliance, counts)) = found else { return Ok(Some(None)) };
    let keys = months.into_iter().map(Some).chain([None]);
    let fed = keys.map(|month| (CountsOf(id, month), counts.clone()));
    loaders::bring(context, fed);
    Ok(Some(Some(alliance)))
}
