//! Faces of the figures of problems over a period: what is counted, what a rate is made of, and the rows behind each.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result, SimpleObject};

use super::problem::{ALONG, ProblemConnection};
use crate::{
    domain::list::statistics::{self as verbs, Figures, Measure, Of, Period, Statistics as Counted},
    graphql::{connection::args, ctx, error::OrApiError, id, loaders, scalar::Date},
};

/// What is counted. A problem registered here begins on the day it was recorded; one from another system on the day its
/// source says. It closes on the day it is struck off, or its source closes it. A problem that has been reopened since counts
/// as open from its beginning. Days are those of each alliance's calendar.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::list::statistics::Measure")]
pub enum StatisticsMeasure {
    /// Began in the period, whatever became of it.
    Registered,
    /// Open at the end of the period, which it was not between a strike-off and its reopening; what was rejected, withdrawn or
    /// merged since is left out, but for its earlier rounds, which were struck off.
    Open,
    /// Of these, with a due date that has passed at the end of the period, or by today where the period goes on. It goes by
    /// the due date that the problem has now; nothing is late by one that is provisional, nor what was submitted for closure or put
    /// on account by that date and has not come back to work since.
    Overdue,
    /// Open at some time of the period: closed in it, or open at its end.
    OpenInPeriod,
    /// Struck off in the period, also in a round that was reopened since, whatever became of the next one; such a round counts
    /// for the organisations that were responsible in it.
    StruckOff,
    /// Struck off in the period, in whatever round, or closed in it by the system the problem came from.
    Closed,
    /// Of these, closed on the due date or before, in a round of which no deadline had passed unmet: what was late stays late when
    /// it is given more time afterwards, and what was submitted in time is in time whenever it is struck off. What was closed twice in the period was on time both times. The deadline is that of the
    /// organisations asked about; where none are, that of whichever led.
    ClosedOnTime,
    /// Closed in the period with a due date or after a deadline that passed unmet, or open at its end and either overdue or, in the
    /// round it was in then, with such a deadline.
    Due,
    /// Closed in the period without a due date, or with one that is provisional, and without a deadline that passed unmet: neither
    /// on time nor late.
    ClosedWithoutDueDate,
    /// Rejected in the period.
    Rejected,
    /// Withdrawn in the period.
    Withdrawn,
    /// Merged into another problem in the period.
    Merged,
    /// Returned for rework in the period, however often; for an organisation, while it was responsible, leading or sharing.
    Returned,
    /// Returned for rework or struck off in the period.
    Judged,
    /// Declined in the period, however often, the whole or a part, by an organisation that it was assigned to; counted for that
    /// one alone.
    Declined,
    /// Reopened as a new round in the period, however often; for an organisation, where it was responsible in the round that ended.
    Reopened,
    /// Struck off or reopened in the period.
    StruckOffOrReopened,
    /// Given more time in the period, however often, by request or by hand: a deadline of an organisation moved further out, or was
    /// taken away. What another urgency or tier, a pause or another assignment brings is none.
    Extended,
    /// Of which a deadline ended in the period unmet, whoever was late; it goes by when it ended, not by when that was noted. For an
    /// organisation, where that was late itself; with dispatching no organisation is.
    Breached,
    /// Given to a responsible organisation in the period (dispatched); counted where that organisation leads, or is the one asked
    /// about. Organisations of a round before, and those that declined, are not known any more.
    Dispatched,
    /// Of these, without a deadline to accept, or with one that depends on a year whose holidays are not published; left out of
    /// the response.
    ResponseWithoutDeadline,
    /// Of these, not accepted, with time left; left out of the response.
    ResponsePending,
    /// Dispatched in the period, without the two above.
    ResponseDue,
    /// Of these, accepted by the deadline.
    AcceptedInTime,
    /// Whose reporter answered a follow-up in the period (a valid answer, not excluded); of several answers the last counts.
    Answered,
    /// Of these, solved in the reporter's view; in part is not solved.
    Resolved,
    /// Of the answered, with a satisfied reporter.
    Satisfied,
    /// Whose reporter was given up in the period after three tries in vain, or erased before they were asked, and did not answer in it;
    /// left out of resolution and satisfaction.
    Unreachable,
    /// Closed in the period without an answer in it, without a reporter who was given up, and without an excluded one; left out of
    /// resolution and satisfaction.
    ClosedUnasked,
    /// Of which an approver excluded an answer of the period, or a reporter who was given up in it; left out of resolution and
    /// satisfaction, and shown beside them even where another answer of the period counts.
    Excluded,
}

/// Something that a rate leaves out.
#[derive(SimpleObject)]
pub struct StatisticsExclusion {
    /// What is left out; its rows can be asked for.
    measure: StatisticsMeasure,
    /// How many.
    count: i64,
}

/// A share, with what it is a share of and what was left out.
pub struct StatisticsRate {
    numerator: (Measure, i64),
    denominator: (Measure, i64),
    excluded: Vec<(Measure, i64)>,
}

/// A share, with what it is a share of and what was left out.
#[Object]
impl StatisticsRate {
    /// The share from 0 to 1; null where the denominator is 0.
    async fn value(&self) -> Option<f64> {
        let exact = |count: i64| i32::try_from(count).ok().map(f64::from);
        let (numerator, denominator) = (self.numerator.1, self.denominator.1);
        (denominator > 0).then(|| Some(exact(numerator)? / exact(denominator)?)).flatten()
    }

    /// How many of the denominator.
    async fn numerator(&self) -> i64 {
        self.numerator.1
    }

    /// What the numerator counts.
    async fn numerator_measure(&self) -> StatisticsMeasure {
        self.numerator.0.into()
    }

    /// Of how many.
    async fn denominator(&self) -> i64 {
        self.denominator.1
    }

    /// What the denominator counts.
    async fn denominator_measure(&self) -> StatisticsMeasure {
        self.denominator.0.into()
    }

    /// What was left out although it ended in the period, each by its reason.
    async fn excluded(&self) -> Vec<StatisticsExclusion> {
        let told = self.excluded.iter();
        told.map(|(measure, count)| StatisticsExclusion { measure: (*measure).into(), count: *count })
            .collect()
    }
}

/// How long the problems took that were closed in a period, from their beginning to their end, around the clock.
#[derive(SimpleObject)]
pub struct StatisticsHandlingTime {
    /// How many were closed.
    count: i64,
    /// The median in seconds, by nearest rank: of n times in order the ⌈n/2⌉-th. Null where nothing was closed.
    median_seconds: Option<i64>,
    /// The 90th percentile in seconds, by nearest rank: of n times in order the ⌈9n/10⌉-th. Null where nothing was closed.
    p90_seconds: Option<i64>,
}

/// What is left out of what reporters answered.
const UNANSWERED: [Measure; 3] = [Measure::Unreachable, Measure::ClosedUnasked, Measure::Excluded];

/// The figures of one period.
pub struct StatisticsPeriod {
    counted: Counted,
    period: Period,
    figures: Figures,
}

impl StatisticsPeriod {
    fn counted(&self, measure: Measure) -> (Measure, i64) {
        (measure, self.figures.get(measure))
    }

    fn rate(&self, numerator: Measure, denominator: Measure, excluded: &[Measure]) -> StatisticsRate {
        StatisticsRate {
            numerator: self.counted(numerator),
            denominator: self.counted(denominator),
            excluded: excluded.iter().map(|measure| self.counted(*measure)).collect(),
        }
    }
}

/// The figures of one period.
#[Object]
impl StatisticsPeriod {
    /// Its first day.
    async fn from(&self) -> Date {
        self.period.from.into()
    }

    /// Its last day.
    async fn to(&self) -> Date {
        self.period.to.into()
    }

    /// How many problems a measure counts.
    async fn count(&self, #[graphql(desc = "What to count.")] measure: StatisticsMeasure) -> i64 {
        self.figures.get(measure.into())
    }

    /// How many began in the period.
    async fn registered(&self) -> i64 {
        self.figures.get(Measure::Registered)
    }

    /// How many are open at its end.
    async fn open(&self) -> i64 {
        self.figures.get(Measure::Open)
    }

    /// How many of these are overdue: what was submitted for closure or put on account in time is not, unless it came back to work.
    async fn overdue(&self) -> i64 {
        self.figures.get(Measure::Overdue)
    }

    /// How many were struck off in it.
    async fn struck_off(&self) -> i64 {
        self.figures.get(Measure::StruckOff)
    }

    /// How many were closed in it: struck off, or closed at their source.
    async fn closed(&self) -> i64 {
        self.figures.get(Measure::Closed)
    }

    /// How many were returned for rework in it.
    async fn returned(&self) -> i64 {
        self.figures.get(Measure::Returned)
    }

    /// How many were declined in it, the whole or a part, by an organisation that they were assigned to.
    async fn declined(&self) -> i64 {
        self.figures.get(Measure::Declined)
    }

    /// How many were reopened in it as a new round.
    async fn reopened(&self) -> i64 {
        self.figures.get(Measure::Reopened)
    }

    /// How many were given more time in it.
    async fn extended(&self) -> i64 {
        self.figures.get(Measure::Extended)
    }

    /// Of how many a deadline passed unmet in it, whoever was late.
    async fn breached(&self) -> i64 {
        self.figures.get(Measure::Breached)
    }

    /// Closure rate: closed in the period ÷ open at some time of it. Rejected, withdrawn and merged ones are left out.
    async fn closure_rate(&self) -> StatisticsRate {
        self.rate(
            Measure::Closed,
            Measure::OpenInPeriod,
            &[Measure::Rejected, Measure::Withdrawn, Measure::Merged],
        )
    }

    /// On-time rate: closed on time ÷ (closed with a due date + open and overdue), so that hiding late items cannot improve
    /// it: what was late once stays so in its round, whatever its date is moved to. What was closed without a due date, rejected,
    /// withdrawn or merged is left out.
    async fn on_time_rate(&self) -> StatisticsRate {
        let excluded =
            [Measure::ClosedWithoutDueDate, Measure::Rejected, Measure::Withdrawn, Measure::Merged];
        self.rate(Measure::ClosedOnTime, Measure::Due, &excluded)
    }

    /// Return rate: returned for rework ÷ returned or struck off.
    async fn return_rate(&self) -> StatisticsRate {
        self.rate(Measure::Returned, Measure::Judged, &[])
    }

    /// Reopening rate: reopened ÷ struck off or reopened.
    async fn reopen_rate(&self) -> StatisticsRate {
        self.rate(Measure::Reopened, Measure::StruckOffOrReopened, &[])
    }

    /// Response rate (响应率): accepted by the deadline ÷ dispatched to the organisation in the period. What has no deadline, or time
    /// left, is left out.
    async fn response_rate(&self) -> StatisticsRate {
        let excluded = [Measure::ResponseWithoutDeadline, Measure::ResponsePending];
        self.rate(Measure::AcceptedInTime, Measure::ResponseDue, &excluded)
    }

    /// Resolution rate (解决率): solved in the reporter's view ÷ valid answers of the period. Reporters who were not reached, or not
    /// asked, and answers that an approver excluded, are left out.
    async fn resolution_rate(&self) -> StatisticsRate {
        self.rate(Measure::Resolved, Measure::Answered, &UNANSWERED)
    }

    /// Satisfaction rate (满意率): satisfied reporters ÷ valid answers of the period. Reporters who were not reached, or not asked, and
    /// answers that an approver excluded, are left out.
    async fn satisfaction_rate(&self) -> StatisticsRate {
        self.rate(Measure::Satisfied, Measure::Answered, &UNANSWERED)
    }

    /// How long the closed ones took.
    async fn handling_time(&self, context: &Context<'_>) -> Result<StatisticsHandlingTime> {
        let ctx = ctx(context);
        let count = self.figures.get(Measure::Closed);
        let time = self.counted.handling_time(ctx, self.period, count).await.or_api_error(ctx)?;
        Ok(StatisticsHandlingTime {
            count: time.count,
            median_seconds: time.median_seconds,
            p90_seconds: time.p90_seconds,
        })
    }

    /// Exactly the problems that a measure counts, by year and number.
    async fn rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is counted.")] measure: StatisticsMeasure,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ProblemConnection> {
        let (ctx, along) = (ctx(context), loaders::asked(context, &ALONG));
        let args = args(first, after, last, before);
        let page = self.counted.rows(ctx, measure.into(), self.period, &args, &along).await;
        Ok(loaders::fed(context, page)?.into())
    }
}

/// Figures of problems over a period and over the periods it is compared with.
pub struct Statistics {
    of: Of,
    counted: Counted,
    period: Period,
}

impl Statistics {
    async fn at(&self, context: &Context<'_>, period: Period) -> Result<StatisticsPeriod> {
        let ctx = ctx(context);
        let figures = self.counted.figures(ctx, period).await.or_api_error(ctx)?;
        Ok(StatisticsPeriod { counted: self.counted.clone(), period, figures })
    }
}

/// Figures of problems over a period and over the periods it is compared with.
#[Object]
impl Statistics {
    /// On how many alliances' lists these problems stand, as far as the caller may see them.
    async fn alliance_count(&self, context: &Context<'_>) -> Result<u64> {
        let ctx = ctx(context);
        self.counted.alliances(ctx, self.of).await.or_api_error(ctx)
    }

    /// The period that was asked for.
    async fn period(&self, context: &Context<'_>) -> Result<StatisticsPeriod> {
        self.at(context, self.period).await
    }

    /// The period before: as many calendar months where it is made of whole ones, otherwise as many days.
    async fn previous_period(&self, context: &Context<'_>) -> Result<StatisticsPeriod> {
        self.at(context, self.period.previous()).await
    }

    /// The same period a year earlier.
    async fn same_period_last_year(&self, context: &Context<'_>) -> Result<StatisticsPeriod> {
        self.at(context, self.period.a_year_before()).await
    }
}

/// Whose problems are counted; exactly one is given.
#[derive(OneofObject)]
pub enum StatisticsOf {
    /// Those on the lists of this alliance and of all below it that the caller may see. A figure of a supervising alliance is
    /// the sum of those of its towns and of its own list.
    AllianceId(ID),
    /// Those on this alliance's own list alone.
    OwnAllianceId(ID),
    /// Those for which this organisation is responsible, leading or sharing. What was struck off, returned, declined, extended, reopened
    /// or late while it was responsible stays its own.
    OrganizationId(ID),
    /// Those for which an organisation of this service team is responsible, on the list of its alliance; the same of what was its
    /// organisations' when it happened.
    ServiceTeamId(ID),
    /// Those in this region or one below it.
    RegionId(ID),
}

/// Which problems are counted, and over which days.
#[derive(InputObject)]
pub struct StatisticsInput {
    /// Whose problems.
    of: StatisticsOf,
    /// The first day, by the calendar of each problem's alliance.
    from: Date,
    /// The last day; at most ten years after the first. A day to come is as good as today.
    to: Date,
}

impl StatisticsInput {
    pub fn read(&self) -> crate::domain::Result<(Of, Period)> {
        let alliance = |given: &ID, name, own_only| {
            Ok::<_, crate::domain::Error>(Of::Alliance { id: id::decode(given, name)?, own_only })
        };
        let of = match &self.of {
            StatisticsOf::AllianceId(given) => alliance(given, "of.allianceId", false)?,
            StatisticsOf::OwnAllianceId(given) => alliance(given, "of.ownAllianceId", true)?,
            StatisticsOf::OrganizationId(given) => Of::Organization(id::decode(given, "of.organizationId")?),
            StatisticsOf::ServiceTeamId(given) => Of::Team(id::decode(given, "of.serviceTeamId")?),
            StatisticsOf::RegionId(given) => Of::Region(id::decode(given, "of.regionId")?),
        };
        Ok((of, Period::new(self.from.0, self.to.0)?))
    }
}

#[derive(Default)]
pub struct StatisticsQuery;

#[Object]
impl StatisticsQuery {
    /// Figures of problems over a period; null where there is no such alliance, organisation, team or region, or the caller
    /// may not see it. Only the lists of alliances that the caller may see are counted.
    async fn statistics(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose problems, and which days.")] input: StatisticsInput,
    ) -> Result<Option<Statistics>> {
        let ctx = ctx(context);
        let (of, period) = input.read().or_api_error(ctx)?;
        let found = verbs::of(ctx, of).await.or_api_error(ctx)?;
        Ok(found.map(|counted| Statistics { of, counted, period }))
    }
}
