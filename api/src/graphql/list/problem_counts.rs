//! Faces of the counts of an alliance's problems.

use async_graphql::{Context, Object, Result, SimpleObject};
use concord_entities::{alliance, problem::State};
use sea_orm::Iterable;

use super::problem::ProblemState;
use crate::{
    domain::list::problem::counts::{self, Counts},
    graphql::{ctx, error::OrApiError, scalar::YearMonth},
};

/// How many problems are in a state.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct ProblemStateCount {
    /// The state.
    state: ProblemState,
    /// How many are in it.
    count: i64,
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

    /// How many were open at some time of the month; rejected and withdrawn ones are left out.
    async fn denominator(&self) -> i64 {
        self.denominator
    }
}

/// The counts of an alliance's problems.
pub struct ProblemCounts(pub Counts);

/// The counts of an alliance's problems.
#[Object]
impl ProblemCounts {
    /// All problems on the list, whatever became of them.
    async fn total(&self) -> i64 {
        self.0.total()
    }

    /// Those still open.
    async fn open(&self) -> i64 {
        self.0.open()
    }

    /// Those struck off.
    async fn struck_off(&self) -> i64 {
        self.0.of(State::StruckOff)
    }

    /// Those closed in the system they were imported from; closed, but never struck off.
    async fn closed_at_source(&self) -> i64 {
        self.0.of(State::ClosedAtSource)
    }

    /// How many are in each state, in the order of the work.
    async fn by_state(&self) -> Vec<ProblemStateCount> {
        State::iter()
            .map(|state| ProblemStateCount { state: state.into(), count: self.0.of(state) })
            .collect()
    }

    /// The month of the closure rate.
    async fn month(&self) -> YearMonth {
        self.0.month.into()
    }

    /// The closure rate of the month: of the problems open at some time of it, the share closed in it.
    async fn closure_rate(&self) -> Rate {
        Rate { numerator: self.0.month_closed, denominator: self.0.month_open }
    }
}

/// The counts of an alliance, as the viewer sees it.
pub async fn problem_counts(
    context: &Context<'_>,
    alliance: &alliance::Model,
    month: Option<YearMonth>,
) -> Result<ProblemCounts> {
    let ctx = ctx(context);
    let counts = counts::counts(ctx, alliance, month.map(|month| month.0)).await.or_api_error(ctx)?;
    Ok(ProblemCounts(counts))
}
