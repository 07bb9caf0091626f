//! Figures of problems over a period, for an alliance with those below it, an organisation, a service team or a region. Each
//! figure is the number of rows that one condition holds for; the same condition lists them, so that a figure and the rows
//! behind it cannot differ, and figures of alliances add up. Rates and handling times are made of these. A round that was struck
//! off counts as closed in its own period, for the units responsible in it, however the problem went on; what set a problem back,
//! for the units whose it was (`setbacks`). What is counted for the dashboard without a period stands in `counts`, and goes by how problems stand now.

use chrono::{Datelike, Days, Months, NaiveDate};
use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, RegionId, ServiceTeamId},
    problem::{Column, Entity, State},
    problem_responsible, problem_round, problem_round_unit,
    problem_setback::Kind,
    region, service_team_member,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait,
    sea_query::{Alias, CaseStatement, Expr, Func, Query, SelectStatement, SimpleExpr, WindowStatement},
};

use super::{due, problem, rates::Rates};
use crate::domain::{
    Code, Ctx, Error, Result, governance,
    page::{self, Along, Order, Page},
    scope,
    territory::region as regions,
};

mod days;
mod late;
mod setbacks;

use days::{Day, day, round_day};
pub use days::{in_period, in_zones, start_of};
use late::Closing;

/// States of what is no closure and no open matter either.
const IRREGULAR: [State; 3] = [State::Rejected, State::Withdrawn, State::Merged];
/// How long after its first day the last of a period lies at most: ten years.
const LONGEST: Months = Months::new(120);
/// First year of a period; the same period of the year before must be a day both databases know.
const FIRST_YEAR: i32 = 1_980;
const LAST_YEAR: i32 = 9_990;

/// Days from the first to the last, both included, each by the calendar of the problem's alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Period {
    /// Checks that the days follow each other and lie not too far apart.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self> {
        if !(FIRST_YEAR..=LAST_YEAR).contains(&from.year()) {
            return Err(Error::invalid(Code::OutOfRange, "from")
                .with("least", format!("{FIRST_YEAR}-01-01"))
                .with("most", format!("{LAST_YEAR}-12-31")));
        }
        let most = from.checked_add_months(LONGEST).unwrap_or(from);
        if !(from..=most).contains(&to) {
            return Err(Error::invalid(Code::OutOfRange, "to").with("least", from).with("most", most));
        }
        Ok(Self { from, to })
    }

    /// The day after the last.
    pub fn end(self) -> NaiveDate {
        self.to.succ_opt().unwrap_or(self.to)
    }

    /// How many calendar months it is, where it is whole ones.
    fn months(self) -> Option<u32> {
        let end = self.end();
        let months = (end.year() - self.from.year()) * 12 + i32::try_from(end.month()).ok()?
            - i32::try_from(self.from.month()).ok()?;
        (self.from.day() == 1 && end.day() == 1).then(|| u32::try_from(months).ok()).flatten()
    }

    /// The period before: as many whole months where it is made of months, otherwise as many days.
    #[must_use]
    pub fn previous(self) -> Self {
        let from = match self.months() {
            Some(months) => self.from.checked_sub_months(Months::new(months)),
            None => {
                let days = u64::try_from((self.end() - self.from).num_days()).unwrap_or_default();
                self.from.checked_sub_days(Days::new(days))
            }
        };
        Self { from: from.unwrap_or(self.from), to: self.from.pred_opt().unwrap_or(self.from) }
    }

    /// The same days a year earlier; whole months stay whole.
    #[must_use]
    pub fn a_year_before(self) -> Self {
        let before = |day: NaiveDate| day.checked_sub_months(Months::new(12)).unwrap_or(day);
        let end = before(self.end());
        Self { from: before(self.from), to: end.pred_opt().unwrap_or(end) }
    }
}

/// Whose problems are counted.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// On the list of an alliance and, unless only its own is wanted, of those below it.
    Alliance { id: AllianceId, own_only: bool },
    /// For which this unit is responsible, leading or sharing, or was when a round ended or something set them back.
    Organization(OrganizationId),
    /// For which a unit of this team is responsible, on the list of the team's alliance.
    Team(ServiceTeamId),
    /// In this region or below it.
    Region(RegionId),
}

/// The problems that figures are made of, within what the caller may see.
#[derive(Clone, Debug)]
pub struct Statistics {
    counted: Condition,
    /// Where only some units' problems are counted: of rounds that ended and of what set problems back, theirs.
    units: Option<SelectStatement>,
    /// On whose list those are.
    within: Option<AllianceId>,
    zones: Vec<String>,
}

/// Opens the figures of something; nothing where it is not there or the caller may not see it.
pub async fn of(ctx: &Ctx, of: Of) -> Result<Option<Statistics>> {
    ctx.require_signed_in()?;
    let responsible = |units: SelectStatement| {
        let rows = problem_responsible::Entity::find()
            .select_only()
            .column(problem_responsible::Column::ProblemId)
            .filter(problem_responsible::Column::OrganizationId.in_subquery(units))
            .into_query();
        Condition::all().add(Column::Id.in_subquery(rows))
    };
    let (mut units, mut within) = (None, None);
    let counted = match of {
        Of::Alliance { id, own_only } => governance::alliance::find_of_reach(ctx, id)
            .await?
            .map(|_| Condition::all().add(lists(Column::AllianceId, id, own_only))),
        Of::Organization(id) => governance::organization::find_of_reach(ctx, id).await?.map(|unit| {
            let one = Query::select().expr(Expr::value(uuid::Uuid::from(unit.id))).to_owned();
            responsible(units.insert(one).clone())
        }),
        Of::Team(id) => governance::service_team::find(ctx, id).await?.map(|team| {
            let members = service_team_member::Entity::find()
                .select_only()
                .column(service_team_member::Column::OrganizationId)
                .filter(service_team_member::Column::TeamId.eq(team.id))
                .into_query();
            within = Some(team.alliance_id);
            responsible(units.insert(members).clone()).add(Column::AllianceId.eq(team.alliance_id))
        }),
        Of::Region(id) => regions::find(ctx, id)
            .await?
            .map(|found: region::Model| Condition::all().add(problem::regions_below(&found.path))),
    };
    let Some(counted) = counted else { return Ok(None) };
    Ok(Some(Statistics { counted, units, within, zones: due::zones(ctx).await? }))
}

/// A condition that holds for the lists of an alliance, and of those below it where they count too.
fn lists(alliance: impl ColumnTrait, id: AllianceId, own_only: bool) -> SimpleExpr {
    if own_only { alliance.eq(id) } else { scope::at_or_below(alliance, id) }
}

macro_rules! measures {
    ($($name:ident,)+) => {
        /// What is counted: the number of problems of which something holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Measure { $($name,)+ }

        impl Measure {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

measures! {
    Registered, Open, Overdue, OpenInPeriod, StruckOff, Closed, ClosedOnTime, Due, ClosedWithoutDueDate, Rejected,
    Withdrawn, Merged, Returned, Judged, Declined, Reopened, StruckOffOrReopened, Extended, Breached, Dispatched,
    ResponseWithoutDeadline, ResponsePending, ResponseDue, AcceptedInTime, Answered, Resolved, Satisfied, Unreachable,
    ClosedUnasked, Excluded,
}

/// The figures of a period, one for each measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures(Vec<i64>);

impl Figures {
    pub fn get(&self, measure: Measure) -> i64 {
        let place = Measure::ALL.iter().position(|known| *known == measure);
        place.and_then(|place| self.0.get(place).copied()).unwrap_or_default()
    }
}

/// How long the problems took that were closed in a period, from their beginning; nearest rank: of n times in order, the
/// ⌈n/2⌉-th and the ⌈9n/10⌉-th.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlingTime {
    pub count: i64,
    pub median_seconds: Option<i64>,
    pub p90_seconds: Option<i64>,
}

impl Statistics {
    /// Those of some lists, of which the parts of some units count.
    pub fn new(counted: Condition, units: Option<SelectStatement>, zones: Vec<String>) -> Self {
        Self { counted, units, within: None, zones }
    }

    /// How many alliances' lists the figures draw on, whether or not there is something on them.
    pub async fn alliances(&self, ctx: &Ctx, of: Of) -> Result<u64> {
        let lists = match of {
            Of::Alliance { id, own_only } => Condition::all().add(lists(alliance::Column::Id, id, own_only)),
            _ => {
                let lists = problem::visible(ctx)
                    .select_only()
                    .column(Column::AllianceId)
                    .filter(self.counted.clone())
                    .into_query();
                Condition::all().add(alliance::Column::Id.in_subquery(lists))
            }
        };
        let seen = alliance::Entity::find().filter(scope::in_alliances(ctx, alliance::Column::Id));
        Ok(seen.filter(lists).count(ctx.read()).await?)
    }

    /// Counts every measure of a period in one statement.
    pub async fn figures(&self, ctx: &Ctx, period: Period) -> Result<Figures> {
        let mut query = problem::visible(ctx).filter(self.concerned()).select_only().into_query();
        for (place, measure) in Measure::ALL.iter().enumerate() {
            let holds = Expr::case(self.condition(ctx, *measure, period), 1);
            query.expr_as(Func::count(holds), Alias::new(format!("m{place}")));
        }
        let row = ctx.read().query_one(&query).await?.ok_or_else(|| Error::internal("no figures"))?;
        let figures = (0..Measure::ALL.len()).map(|place| row.try_get::<i64>("", &format!("m{place}")));
        Ok(Figures(figures.collect::<Result<_, _>>()?))
    }

    /// How long what was closed in a period took; the databases order the times and give two of them.
    pub async fn handling_time(&self, ctx: &Ctx, period: Period, count: i64) -> Result<HandlingTime> {
        if count == 0 {
            return Ok(HandlingTime::default());
        }
        let (seconds, place, times) = (Alias::new("seconds"), Alias::new("place"), Alias::new("times"));
        let mut over = WindowStatement::new();
        let closed_here = self.closed_now(ctx, period);
        let seconds_taken = || seconds_taken(ctx, closed_here.clone(), self.round_ended_at(ctx, period));
        over.order_by_expr(seconds_taken(), sea_orm::Order::Asc);
        let mut inner = problem::visible(ctx)
            .filter(self.concerned())
            .filter(self.condition(ctx, Measure::Closed, period))
            .select_only()
            .into_query();
        inner.expr_as(seconds_taken(), seconds.clone()).expr_window_as(
            Expr::cust("ROW_NUMBER()"),
            over,
            place.clone(),
        );
        let (median, p90) = (nearest_rank(count, 5), nearest_rank(count, 9));
        let query = Query::select()
            .columns([seconds, place.clone()])
            .from_subquery(inner, times)
            .and_where(Expr::col(place).is_in([median, p90]))
            .to_owned();
        let rows = ctx.read().query_all(&query).await?;
        let mut found = HandlingTime { count, ..HandlingTime::default() };
        for row in rows {
            let (seconds, place): (i64, i64) = (row.try_get("", "seconds")?, row.try_get("", "place")?);
            if place == median {
                found.median_seconds = Some(seconds);
            }
            if place == p90 {
                found.p90_seconds = Some(seconds);
            }
        }
        Ok(found)
    }

    /// Exactly the problems that a measure counts, by year and number.
    pub async fn rows(
        &self,
        ctx: &Ctx,
        measure: Measure,
        period: Period,
        args: &page::Args,
        along: &[Along<Column>],
    ) -> Result<Page<Entity>> {
        let select =
            problem::visible(ctx).filter(self.concerned()).filter(self.condition(ctx, measure, period));
        let order = Order { column: Column::Ordinal, descending: false };
        page::fetch_along(ctx, select, order, Column::Id, args, along).await
    }

    /// The problems that any measure may count.
    fn concerned(&self) -> Condition {
        match self.units {
            None => self.counted.clone(),
            Some(_) => Condition::any().add(self.counted.clone()).add(self.ever_set_back()),
        }
    }

    /// Whether a problem has a round that ended, of those that are counted, of which something holds.
    fn round(&self, holds: Condition) -> SimpleExpr {
        // Few problems have any, and the others are not looked up.
        let exists = Expr::exists(self.rounds(holds).expr(Expr::val(1)).to_owned());
        Column::Round.gt(1).and(exists)
    }

    fn rounds(&self, holds: Condition) -> SelectStatement {
        let theirs = self.units.clone().map(|units| {
            use problem_round_unit::{Column as Unit, Entity as Units};
            let same = |unit: Unit, round: problem_round::Column| {
                Expr::col((Units, unit)).equals((problem_round::Entity, round))
            };
            let one = Query::select()
                .expr(Expr::val(1))
                .from(Units)
                .and_where(same(Unit::ProblemId, problem_round::Column::ProblemId))
                .and_where(same(Unit::Round, problem_round::Column::Round))
                .and_where(Unit::OrganizationId.in_subquery(units))
                .to_owned();
            Expr::exists(one)
        });
        let here = self.within.map(|alliance| Column::AllianceId.eq(alliance));
        let of_problem =
            Expr::col((problem_round::Entity, problem_round::Column::ProblemId)).equals((Entity, Column::Id));
        Query::select()
            .from(problem_round::Entity)
            .and_where(of_problem)
            .cond_where(Condition::all().add(holds).add_option(theirs).add_option(here))
            .to_owned()
    }

    /// Rounds that were struck off in a period.
    fn ended_in(ctx: &Ctx, period: Period) -> Condition {
        Condition::all().add(round_day(ctx).between(period.from, period.to))
    }

    /// The last instant at which a round of a problem was struck off in a period.
    fn round_ended_at(&self, ctx: &Ctx, period: Period) -> SimpleExpr {
        let ended = Expr::col((problem_round::Entity, problem_round::Column::StruckOffAt));
        let last = self.rounds(Self::ended_in(ctx, period)).expr(Func::max(ended)).to_owned();
        SimpleExpr::SubQuery(None, Box::new(last.into()))
    }

    /// Whether a problem is closed and was so in a period.
    fn closed_now(&self, ctx: &Ctx, period: Period) -> Condition {
        let done = Column::State.eq(State::StruckOff).or(Column::State.eq(State::ClosedAtSource));
        self.own(Condition::all().add(done).add(day(ctx, Day::Closed).between(period.from, period.to)))
    }

    /// What holds of a problem as it stands, for whoever is responsible for it now.
    fn own(&self, holds: Condition) -> Condition {
        if self.units.is_some() { Condition::all().add(holds).add(self.counted.clone()) } else { holds }
    }

    /// What holds of the problems that a measure counts.
    pub fn condition(&self, ctx: &Ctx, measure: Measure, period: Period) -> Condition {
        let own = |measure| self.own(self.now(ctx, measure, period));
        let closed = |closing| self.closed(ctx, period, closing);
        let either = |one, other| {
            Condition::any().add(self.condition(ctx, one, period)).add(self.condition(ctx, other, period))
        };
        match measure {
            Measure::ClosedOnTime => {
                Condition::all().add(closed(Closing::Due)).add(closed(Closing::Late).not())
            }
            Measure::Due => Condition::any()
                .add(closed(Closing::Due))
                .add(own(Measure::Overdue))
                .add(Condition::all().add(own(Measure::Open)).add(self.is_late_by(ctx, period))),
            Measure::ClosedWithoutDueDate => {
                Condition::all().add(closed(Closing::Any)).add(closed(Closing::Due).not())
            }
            Measure::StruckOff | Measure::Closed | Measure::OpenInPeriod => {
                Condition::any().add(own(measure)).add(self.round(Self::ended_in(ctx, period)))
            }
            Measure::Returned => Condition::all().add(self.set_back(Kind::Returned, period)),
            Measure::Declined => Condition::all().add(self.set_back(Kind::Declined, period)),
            Measure::Extended => Condition::all().add(self.set_back(Kind::Extended, period)),
            Measure::Reopened => Condition::all().add(self.reopened(period)),
            Measure::Breached => Condition::all().add(self.breached_in(period)),
            Measure::Judged => either(Measure::Returned, Measure::StruckOff),
            Measure::StruckOffOrReopened => either(Measure::StruckOff, Measure::Reopened),
            Measure::ClosedUnasked => Condition::all()
                .add(self.condition(ctx, Measure::Closed, period))
                .add(self.now(ctx, Measure::Answered, period).not())
                .add(self.now(ctx, Measure::Unreachable, period).not())
                .add(self.now(ctx, Measure::Excluded, period).not()),
            _ => own(measure),
        }
    }

    /// The same of problems as they stand, without the rounds that ended.
    fn now(&self, ctx: &Ctx, measure: Measure, period: Period) -> Condition {
        let regular = || Column::State.is_not_in(IRREGULAR);
        let is = |state: State| Column::State.eq(state);
        let done = || is(State::StruckOff).or(is(State::ClosedAtSource));
        let in_period = || day(ctx, Day::Closed).between(period.from, period.to);
        let condition = |measure| self.now(ctx, measure, period);
        let all = Condition::all;
        let rates = Rates { zones: &self.zones, period, units: self.units.as_ref(), now: ctx.now() };
        match measure {
            Measure::Registered => {
                all().add(self.begun_by(ctx, period.end())).add(self.begun_by(ctx, period.from).not())
            }
            Measure::Open => {
                let later = day(ctx, Day::Closed).gt(period.to);
                let now =
                    all().add(regular()).add(Condition::any().add(Column::ClosedAt.is_null()).add(later));
                all()
                    .add(self.begun_by(ctx, period.end()))
                    // What became of a later round says nothing of those before it.
                    .add(Condition::any().add(now).add(self.struck_off_after(ctx, period)))
                    // Between a strike-off and its reopening it was not.
                    .add(self.rested(ctx, period).not())
            }
            Measure::Overdue => {
                let late = due::by_zone(ctx, &self.zones, Column::AllianceId, |today| {
                    Column::DueOn.lt(std::cmp::min(today, period.end()))
                });
                condition(Measure::Open)
                    .add(Column::DueOn.is_not_null())
                    .add(problem::can_be_overdue())
                    .add(late)
            }
            Measure::OpenInPeriod => {
                Condition::any().add(condition(Measure::Open)).add(condition(Measure::Closed))
            }
            Measure::StruckOff => all().add(is(State::StruckOff)).add(in_period()),
            Measure::Closed => all().add(done()).add(in_period()),
            Measure::Rejected => all().add(is(State::Rejected)).add(in_period()),
            Measure::Withdrawn => all().add(is(State::Withdrawn)).add(in_period()),
            Measure::Merged => all().add(is(State::Merged)).add(in_period()),
            Measure::ClosedOnTime
            | Measure::Due
            | Measure::ClosedWithoutDueDate
            | Measure::Returned
            | Measure::Declined
            | Measure::Extended
            | Measure::Reopened
            | Measure::Breached
            | Measure::Judged
            | Measure::StruckOffOrReopened
            | Measure::ClosedUnasked => self.condition(ctx, measure, period),
            Measure::Dispatched => all().add(rates.dispatched()),
            Measure::ResponseWithoutDeadline => all().add(rates.without_deadline()),
            Measure::ResponsePending => all().add(rates.pending()),
            Measure::ResponseDue => all().add(rates.due()),
            Measure::AcceptedInTime => all().add(rates.in_time()),
            Measure::Answered => all().add(rates.answered()),
            Measure::Resolved => all().add(rates.resolved()),
            Measure::Satisfied => all().add(rates.satisfied()),
            Measure::Unreachable => all().add(rates.unreachable()),
            Measure::Excluded => all().add(rates.excluded()),
        }
    }

    /// Whether a problem was struck off by the end of a period and reopened only after it.
    fn rested(&self, ctx: &Ctx, period: Period) -> SimpleExpr {
        let later = in_zones(&self.zones, Column::AllianceId, |zone| {
            problem_round::Column::ReopenedAt.gte(start_of(zone, period.end()))
        });
        self.any_round(Condition::all().add(round_day(ctx).lte(period.to)).add(later))
    }

    /// Whether a problem has a round that was struck off after a period.
    fn struck_off_after(&self, ctx: &Ctx, period: Period) -> SimpleExpr {
        self.any_round(Condition::all().add(round_day(ctx).gt(period.to)))
    }

    /// Whether a problem has a round that ended of which something holds, whoever was responsible for it.
    fn any_round(&self, holds: Condition) -> SimpleExpr {
        let any = Self { units: None, within: None, ..self.clone() };
        any.round(holds)
    }

    /// Problems that began before a day: here when they were recorded, elsewhere when their source says.
    fn begun_by(&self, ctx: &Ctx, day_after: NaiveDate) -> Condition {
        let here =
            Condition::all().add(Column::ExternalSource.is_null()).add(day(ctx, Day::Recorded).lt(day_after));
        let there = Condition::all().add(Column::ExternalSource.is_not_null()).add(in_zones(
            &self.zones,
            Column::AllianceId,
            |zone| Column::OccurredAt.lt(start_of(zone, day_after)),
        ));
        Condition::any().add(here).add(there)
    }
}

/// Whole seconds from a problem's beginning to its end: its present one where that counts, otherwise that of a round.
fn seconds_taken(ctx: &Ctx, is_closed: Condition, round_ended_at: SimpleExpr) -> SimpleExpr {
    let column = |column: Column| Expr::col((Entity, column));
    let began = CaseStatement::new()
        .case(Column::ExternalSource.is_null(), column(Column::RecordedAt))
        .finally(column(Column::OccurredAt));
    let whole = |at: SimpleExpr| match ctx.app.backend() {
        // Without the fraction, which one engine would round and the other cut.
        DbBackend::Sqlite => Expr::cust_with_expr("CAST(strftime('%s', substr(?, 1, 19)) AS INTEGER)", at),
        _ => Expr::cust_with_expr("FLOOR(EXTRACT(EPOCH FROM $1))::bigint", at),
    };
    let ended = CaseStatement::new().case(is_closed, column(Column::ClosedAt)).finally(round_ended_at);
    whole(ended.into()).sub(whole(began.into()))
}

/// The place, from 1, of the nearest rank among `count` values in order, for a share in tenths.
const fn nearest_rank(count: i64, tenths: i64) -> i64 {
    (count * tenths + 9) / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str) -> Period {
        Period::new(from.parse().expect("a day"), to.parse().expect("a day")).expect("a period")
    }

    #[test]
    fn periods_before_keep_their_months() {
        for (now, previous, year) in [
            (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28"), ("2025-03-01", "2025-03-31")),
            (("2028-02-01", "2028-02-29"), ("2028-01-01", "2028-01-31"), ("2027-02-01", "2027-02-28")),
            (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31"), ("2025-01-01", "2025-12-31")),
            (("2026-04-01", "2026-06-30"), ("2026-01-01", "2026-03-31"), ("2025-04-01", "2025-06-30")),
            (("2026-03-02", "2026-03-08"), ("2026-02-23", "2026-03-01"), ("2025-03-02", "2025-03-08")),
            (("2028-02-29", "2028-02-29"), ("2028-02-28", "2028-02-28"), ("2027-02-28", "2027-02-28")),
        ] {
            let now = period(now.0, now.1);
            assert_eq!(now.previous(), period(previous.0, previous.1), "{now:?}");
            assert_eq!(now.a_year_before(), period(year.0, year.1), "{now:?}");
        }
    }

    #[test]
    fn a_period_that_ends_before_it_begins_or_never_is_refused() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        assert!(Period::new(day("2026-02-01"), day("2026-01-31")).is_err());
        assert!(Period::new(day("2026-02-01"), day("2046-02-01")).is_err());
        assert!(Period::new(day("1970-01-01"), day("1970-01-31")).is_err());
        assert!(Period::new(day("2026-02-01"), day("2026-02-01")).is_ok());
    }

    #[test]
    fn the_nearest_rank_is_the_first_that_reaches_the_share() {
        let ranks: Vec<_> =
            [1, 2, 3, 4, 10, 11, 20].map(|count| (nearest_rank(count, 5), nearest_rank(count, 9))).into();
        assert_eq!(ranks, [(1, 1), (1, 2), (2, 3), (2, 4), (5, 9), (6, 10), (10, 18)]);
    }
}
