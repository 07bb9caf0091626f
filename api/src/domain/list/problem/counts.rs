//! How many problems an alliance has, by state, and how many a month closed. One statement; nothing is stored.

use chrono::{DateTime, Months, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use concord_entities::{
    alliance,
    problem::{Column, Entity, State},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::zone;
use crate::domain::{Ctx, Result, list::problem_states::is_open, scope};

/// The counts of an alliance's problems.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub by_state: Vec<(State, i64)>,
    /// The month's first day.
    pub month: NaiveDate,
    /// Open at some time of the month, rejected and withdrawn ones left out.
    pub month_open: i64,
    /// Of those, closed within the month.
    pub month_closed: i64,
}

impl Counts {
    pub fn of(&self, state: State) -> i64 {
        self.by_state.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count)
    }

    pub fn total(&self) -> i64 {
        self.by_state.iter().map(|(_, count)| count).sum()
    }

    pub fn open(&self) -> i64 {
        self.by_state.iter().filter(|(state, _)| is_open(*state)).map(|(_, count)| count).sum()
    }
}

#[derive(FromQueryResult)]
struct Row {
    state: State,
    total: i64,
    month_open: i64,
    month_closed: i64,
}

/// Counts the problems of an alliance that the caller sees; `month` is the present one where nobody names it.
pub async fn counts(ctx: &Ctx, alliance: &alliance::Model, month: Option<NaiveDate>) -> Result<Counts> {
    let zone = zone(&alliance.time_zone);
    let today = ctx.now().with_timezone(&zone).date_naive();
    let month = first_of(month.unwrap_or(today));
    let (from, to) =
        (begins(month, zone), begins(month.checked_add_months(Months::new(1)).unwrap_or(month), zone));
    let was_open = || {
        Condition::all()
            .add(Column::RecordedAt.lt(to))
            .add(Condition::any().add(Column::ClosedAt.is_null()).add(Column::ClosedAt.gte(from)))
            .add(Column::State.is_not_in([State::Rejected, State::Withdrawn]))
    };
    let rows = Entity::find()
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "total")
        .column_as(how_many(was_open()), "month_open")
        .column_as(how_many(was_open().add(Column::ClosedAt.lt(to))), "month_closed")
        .filter(scope::in_alliances(ctx, Column::AllianceId))
        .filter(Column::AllianceId.eq(alliance.id))
        .group_by(Column::State)
        .into_model::<Row>()
        .all(ctx.read())
        .await?;
    Ok(Counts {
        month,
        month_open: rows.iter().map(|row| row.month_open).sum(),
        month_closed: rows.iter().map(|row| row.month_closed).sum(),
        by_state: rows.into_iter().map(|row| (row.state, row.total)).collect(),
    })
}

/// How many rows of a group fulfil a condition; `COUNT` passes over NULLs, and is a big integer on both engines.
fn how_many(condition: Condition) -> SimpleExpr {
    Func::count(Expr::case(condition, 1)).into()
}

fn first_of(day: NaiveDate) -> NaiveDate {
    use chrono::Datelike;
    day.with_day(1).unwrap_or(day)
}

/// The instant at which a day begins in a zone; where a clock jumps over midnight, the first instant after it.
fn begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    zone.from_local_datetime(&midnight).earliest().map_or_else(
        || (midnight - zone.offset_from_utc_datetime(&midnight).fix()).and_utc(),
        |at| at.with_timezone(&Utc),
    )
}
