//! On which day something happened by the calendar of its alliance, as a condition over many alliances at once.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use concord_entities::{
    alliance,
    problem::{Column, Entity},
    problem_round,
};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::Period;
use crate::domain::Ctx;

/// A condition that is given, for the alliances of each zone, that zone.
pub fn in_zones<C: ColumnTrait>(
    zones: &[String],
    alliance: C,
    holds: impl Fn(Tz) -> SimpleExpr,
) -> Condition {
    zones.iter().fold(Condition::any(), |any, name| {
        let there = alliance::Entity::find()
            .select_only()
            .column(alliance::Column::Id)
            .filter(alliance::Column::TimeZone.eq(name))
            .into_query();
        any.add(Condition::all().add(alliance.in_subquery(there)).add(holds(name.parse().unwrap_or(Tz::UTC))))
    })
}

/// Whether an instant falls in a period by the calendar of an alliance.
pub fn in_period<A: ColumnTrait, C: ColumnTrait>(
    zones: &[String],
    alliance: A,
    period: Period,
    at: C,
) -> Condition {
    in_zones(zones, alliance, |zone| {
        at.gte(start_of(zone, period.from)).and(at.lt(start_of(zone, period.end())))
    })
}

/// The instant at which a day begins in a zone.
pub fn start_of(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // Where midnight is skipped, the day begins an hour later.
    zone.from_local_datetime(&midnight)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(midnight + chrono::TimeDelta::hours(1))).earliest())
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

#[derive(Clone, Copy)]
pub(super) enum Day {
    Recorded,
    Closed,
}

/// The day on which a problem was recorded or closed, by its alliance's calendar; rows of before count by Beijing's.
pub(super) fn day(ctx: &Ctx, which: Day) -> SimpleExpr {
    let (on, at) = match which {
        Day::Recorded => (Column::RecordedOn, Column::RecordedAt),
        Day::Closed => (Column::ClosedOn, Column::ClosedAt),
    };
    Func::coalesce([Expr::col((Entity, on)), beijing(ctx, Expr::col((Entity, at)))]).into()
}

/// The day on which a round was struck off, by its alliance's calendar; those of before count by Beijing's.
pub(super) fn round_day(ctx: &Ctx) -> SimpleExpr {
    let column = |column: problem_round::Column| Expr::col((problem_round::Entity, column));
    let at = column(problem_round::Column::StruckOffAt);
    Func::coalesce([column(problem_round::Column::ClosedOn), beijing(ctx, at)]).into()
}

/// The day in Beijing of an instant.
fn beijing(ctx: &Ctx, at: SimpleExpr) -> SimpleExpr {
    match ctx.app.backend() {
        DbBackend::Sqlite => Func::cust("date").args([at, Expr::value("+8 hours")]).into(),
        _ => Expr::cust_with_expr("($1 AT TIME ZONE 'Asia/Shanghai')::date", at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_the_alliance_is() {
        let begins = |zone: Tz, day: &str| start_of(zone, day.parse().expect("a day")).to_rfc3339();
        assert_eq!(begins(chrono_tz::Asia::Shanghai, "2026-02-01"), "2026-01-31T16:00:00+00:00");
        assert_eq!(begins(chrono_tz::America::New_York, "2024-05-01"), "2024-05-01T04:00:00+00:00");
        // No midnight: clocks went from 0:00 to 1:00.
        assert_eq!(begins(chrono_tz::America::Sao_Paulo, "2018-11-04"), "2018-11-04T03:00:00+00:00");
    }
}
