//! Faces of the figures of calls to whistles over a period: what is counted, what a rate is made of, and the rows behind each.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};

use super::call::WhistleResponseConnection;
use crate::{
    domain::{
        list::statistics::Period,
        whistle::statistics::{self as verbs, Figures, Measure, Statistics as Counted},
    },
    graphql::{connection::args, ctx, error::OrApiError, list::statistics::StatisticsInput, scalar::Date},
};

/// What is counted of calls to whistles. Days are those of each town's calendar.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::whistle::statistics::Measure")]
pub enum WhistleMeasure {
    /// Called in the period (dispatched), whatever became of it.
    Called,
    /// Of these, excused by the town since; left out of the response.
    CalledExcused,
    /// Of these, refused and re-routed by the town to another unit since; left out of the response.
    CalledRerouted,
    /// Of these, with time left to report in, or refused and not re-routed yet; left out of the response.
    CalledPending,
    /// Called in the period, without the three above.
    ResponseDue,
    /// Of these, reported in by the deadline.
    ReportedInTime,
    /// Evaluated by the town in the period.
    Evaluated,
    /// Of these, resolved in the town's view; in part is not resolved.
    Resolved,
    /// Of these, with a score of 4 or 5.
    Satisfied,
    /// Claimed to be done at the end of the period and not evaluated yet; left out of resolution and satisfaction.
    Unevaluated,
    /// Excused by the town in the period, or called off in it with the whistle; left out everywhere.
    Excused,
    /// Released in the period.
    Released,
    /// Of these, claimed to be done by the deadline.
    ReleasedInTime,
    /// Open at the end of the period, or now where it goes on, although the deadline to resolve the matter has passed.
    Overdue,
    /// Released in the period, or overdue at its end.
    ResolutionDue,
    /// Refused in the period.
    Refused,
}

/// Calls that a rate leaves out.
#[derive(SimpleObject)]
pub struct WhistleExclusion {
    /// What is left out; its rows can be asked for.
    measure: WhistleMeasure,
    /// How many.
    count: i64,
}

/// A share of calls, with what it is a share of and what was left out.
pub struct WhistleRate {
    numerator: (Measure, i64),
    denominator: (Measure, i64),
    excluded: Vec<(Measure, i64)>,
}

/// A share of calls, with what it is a share of and what was left out.
#[Object]
impl WhistleRate {
    /// The share from 0 to 1; null where the denominator is 0.
    async fn value(&self) -> Option<f64> {
        share(self.numerator.1, self.denominator.1)
    }

    /// How many of the denominator.
    async fn numerator(&self) -> i64 {
        self.numerator.1
    }

    /// What the numerator counts.
    async fn numerator_measure(&self) -> WhistleMeasure {
        self.numerator.0.into()
    }

    /// Of how many.
    async fn denominator(&self) -> i64 {
        self.denominator.1
    }

    /// What the denominator counts.
    async fn denominator_measure(&self) -> WhistleMeasure {
        self.denominator.0.into()
    }

    /// What neither of them counts, each by its reason.
    async fn excluded(&self) -> Vec<WhistleExclusion> {
        let told = self.excluded.iter();
        told.map(|(measure, count)| WhistleExclusion { measure: (*measure).into(), count: *count }).collect()
    }
}

/// The share from 0 to 1; nothing where the denominator is 0.
pub fn share(numerator: i64, denominator: i64) -> Option<f64> {
    let exact = |count: i64| i32::try_from(count).ok().map(f64::from);
    (denominator > 0).then(|| Some(exact(numerator)? / exact(denominator)?)).flatten()
}

/// The figures of calls in one period.
pub struct WhistleStatisticsPeriod {
    counted: Counted,
    period: Period,
    figures: Figures,
}

impl WhistleStatisticsPeriod {
    fn rate(&self, numerator: Measure, denominator: Measure, excluded: &[Measure]) -> WhistleRate {
        let counted = |measure: Measure| (measure, self.figures.get(measure));
        WhistleRate {
            numerator: counted(numerator),
            denominator: counted(denominator),
            excluded: excluded.iter().map(|measure| counted(*measure)).collect(),
        }
    }
}

/// The figures of calls in one period.
#[Object]
impl WhistleStatisticsPeriod {
    /// Its first day.
    async fn from(&self) -> Date {
        self.period.from.into()
    }

    /// Its last day.
    async fn to(&self) -> Date {
        self.period.to.into()
    }

    /// How many calls a measure counts.
    async fn count(&self, #[graphql(desc = "What to count.")] measure: WhistleMeasure) -> i64 {
        self.figures.get(measure.into())
    }

    /// Response rate (响应率): reported in by the deadline ÷ called. Calls that were excused or re-routed, and those that may still
    /// report in in time, are left out.
    async fn response_rate(&self) -> WhistleRate {
        let excluded = [Measure::CalledExcused, Measure::CalledRerouted, Measure::CalledPending];
        self.rate(Measure::ReportedInTime, Measure::ResponseDue, &excluded)
    }

    /// Resolution rate (解决率): resolved in the town's view ÷ evaluated. What was excused, or waits for its evaluation, is left out.
    async fn resolution_rate(&self) -> WhistleRate {
        self.rate(Measure::Resolved, Measure::Evaluated, &[Measure::Excused, Measure::Unevaluated])
    }

    /// Satisfaction rate (满意率): scored 4 or 5 by the town ÷ evaluated. What was excused, or waits for its evaluation, is left out.
    async fn satisfaction_rate(&self) -> WhistleRate {
        self.rate(Measure::Satisfied, Measure::Evaluated, &[Measure::Excused, Measure::Unevaluated])
    }

    /// On-time rate: released, and claimed by the deadline ÷ (released + open and overdue), so that hiding late calls cannot
    /// improve it. What was excused is left out.
    async fn on_time_rate(&self) -> WhistleRate {
        self.rate(Measure::ReleasedInTime, Measure::ResolutionDue, &[Measure::Excused])
    }

    /// Exactly the calls that a measure counts, the latest first.
    async fn rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is counted.")] measure: WhistleMeasure,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WhistleResponseConnection> {
        let ctx = ctx(context);
        let args = args(first, after, last, before);
        let page = self.counted.rows(ctx, measure.into(), self.period, &args).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// Figures of calls to whistles over a period and over the periods it is compared with.
pub struct WhistleStatistics {
    counted: Counted,
    period: Period,
}

impl WhistleStatistics {
    async fn at(&self, context: &Context<'_>, period: Period) -> Result<WhistleStatisticsPeriod> {
        let ctx = ctx(context);
        let figures = self.counted.figures(ctx, period).await.or_api_error(ctx)?;
        Ok(WhistleStatisticsPeriod { counted: self.counted.clone(), period, figures })
    }
}

/// Figures of calls to whistles over a period and over the periods it is compared with.
#[Object]
impl WhistleStatistics {
    /// The period that was asked for.
    async fn period(&self, context: &Context<'_>) -> Result<WhistleStatisticsPeriod> {
        self.at(context, self.period).await
    }

    /// The period before: as many calendar months where it is made of whole ones, otherwise as many days.
    async fn previous_period(&self, context: &Context<'_>) -> Result<WhistleStatisticsPeriod> {
        self.at(context, self.period.previous()).await
    }

    /// The same period a year earlier.
    async fn same_period_last_year(&self, context: &Context<'_>) -> Result<WhistleStatisticsPeriod> {
        self.at(context, self.period.a_year_before()).await
    }
}

#[derive(Default)]
pub struct WhistleStatisticsQuery;

#[Object]
impl WhistleStatisticsQuery {
    /// Figures of calls to whistles over a period, by the town that blew (an alliance with those below it, or alone), the unit or
    /// service team called, or the region; null where there is no such thing or the caller may not see it. Only calls that the
    /// caller may see are counted.
    async fn whistle_statistics(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose calls, and which days.")] input: StatisticsInput,
    ) -> Result<Option<WhistleStatistics>> {
        let ctx = ctx(context);
        let (of, period) = input.read().or_api_error(ctx)?;
        let found = verbs::of(ctx, of).await.or_api_error(ctx)?;
        Ok(found.map(|counted| WhistleStatistics { counted, period }))
    }
}
