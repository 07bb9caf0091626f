//! What came of an order: who came, hour by hour, and what was covered when. Numbers alone, as the rows are at one moment. Once the
//! order is stood down only what was captured before and came in late still moves them, and the report says how much that was.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use concord_entities::{
    id::{MobilizationId, OrganizationId, RegionId},
    mobilization, mobilization_check_in, mobilization_coverage, mobilization_transfer, mobilization_unit,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    coverage,
    reach::{self, Within},
    visible_units,
};
use crate::domain::{Ctx, Result};

/// Most hours of a report, from the first on: two months.
pub const HOURS: usize = 1_464;

/// A called unit, and how many came with it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub unit: mobilization_unit::Model,
    pub came: i64,
}

/// What an hour saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub began_at: DateTime<Utc>,
    /// People who came for the first time.
    pub arrived: i64,
    /// People who had come by its end.
    pub cumulative: i64,
    /// Those of them who had not left for good by its end. When somebody was away who came back stands nowhere.
    pub present: i64,
    /// Places that had once had as many as they need by its end.
    pub covered: i64,
}

/// A place: what it needs and has, and when it first had as many.
#[derive(Clone, Debug)]
pub struct Place {
    pub region: RegionId,
    pub needed: i64,
    pub present: i64,
    pub covered_at: Option<DateTime<Utc>>,
}

/// What came of an order.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whoever sent the least of its quota comes first.
    pub units: Vec<Sent>,
    pub hours: Vec<Hour>,
    /// The greatest gap first, at most `coverage::MOST` of `place_count`.
    pub places: Vec<Place>,
    pub place_count: usize,
    pub came: i64,
    /// Of these, those who came with no called unit; of an order that is seen in part, those who came with no unit at all.
    pub others: i64,
    pub present: i64,
    /// How often people went from one place to another.
    pub transfers: u64,
    /// Check-ins that were recorded after the order was stood down, transfers among them.
    pub late: u64,
}

/// How many came with each unit, and with none.
async fn by_unit(
    ctx: &Ctx,
    db: &DatabaseTransaction,
    of: MobilizationId,
) -> Result<HashMap<Option<OrganizationId>, i64>> {
    use mobilization_check_in::{Column, Entity};
    let rows: Vec<(Option<OrganizationId>, i64)> = Entity::find()
        .select_only()
        .column(Column::OrganizationId)
        .expr_as(Column::Id.count(), "came")
        .filter(reach::placed(ctx, Column::MobilizationId, Column::RegionId))
        .filter(Column::MobilizationId.eq(of))
        .group_by(Column::OrganizationId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Numbers by the hour that they belong to.
type Hours = BTreeMap<DateTime<Utc>, i64>;

/// Counts check-ins by the hour of a time.
async fn by_hour(
    ctx: &Ctx,
    db: &DatabaseTransaction,
    of: MobilizationId,
    column: mobilization_check_in::Column,
) -> Result<Hours> {
    use mobilization_check_in::{Column, Entity};
    let hour: SimpleExpr = if ctx.app.backend() == DbBackend::Sqlite {
        Expr::cust_with_expr("replace(substr(?, 1, 13), ' ', 'T')", Expr::col(column))
    } else {
        Expr::cust_with_expr("to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24')", Expr::col(column))
    };
    let query = Entity::find()
        .select_only()
        .expr_as(hour.clone(), "hour")
        .expr_as(Column::Id.count(), "people")
        .filter(reach::placed(ctx, Column::MobilizationId, Column::RegionId))
        .filter(Column::MobilizationId.eq(of))
        .filter(column.is_not_null())
        .into_query()
        .add_group_by([hour])
        .to_owned();
    let rows = db.query_all(&query).await?;
    let mut found = Hours::new();
    for row in rows {
        let hour: String = row.try_get("", "hour")?;
        if let Ok(at) = format!("{hour}:00:00Z").parse::<DateTime<Utc>>() {
            found.insert(at, row.try_get("", "people")?);
        }
    }
    Ok(found)
}

/// How many of some times lie in each hour.
fn counted(times: impl Iterator<Item = DateTime<Utc>>) -> Hours {
    let mut found = Hours::new();
    for hour in times.filter_map(|at| at.duration_trunc(TimeDelta::hours(1)).ok()) {
        *found.entry(hour).or_default() += 1;
    }
    found
}

/// Lines up arrivals, departures and places that were covered by the hour. Pure.
pub fn hours(arrived: &Hours, left: &Hours, covered: &Hours) -> Vec<Hour> {
    let ends = arrived.keys().chain(left.keys()).chain(covered.keys());
    let (Some(first), Some(last)) = (ends.clone().min(), ends.max()) else { return Vec::new() };
    let (mut cumulative, mut gone, mut places) = (0, 0, 0);
    let mut found = Vec::new();
    let mut began_at = *first;
    while began_at <= *last && found.len() < HOURS {
        let now = arrived.get(&began_at).copied().unwrap_or_default();
        cumulative += now;
        gone += left.get(&began_at).copied().unwrap_or_default();
        places += covered.get(&began_at).copied().unwrap_or_default();
        found.push(Hour { began_at, arrived: now, cumulative, present: cumulative - gone, covered: places });
        began_at += TimeDelta::hours(1);
    }
    found
}

/// What came of an order that the caller may see: of one that they see in part, of those who are within it, and no units.
pub async fn of(ctx: &Ctx, order: &mobilization::Model) -> Result<Report> {
    use mobilization_check_in::{Column, Entity};
    use mobilization_coverage::Column as Counter;
    use mobilization_transfer::Column as Moved;
    let sees_units = Within::of(ctx, order.id).await? == Some(Within::Everything);
    let snapshot = ctx.snapshot().await?;
    let db = &snapshot;
    let mut came_with = by_unit(ctx, db, order.id).await?;
    let came: i64 = came_with.values().sum();
    let rows = visible_units(ctx)
        .filter(mobilization_unit::Column::MobilizationId.eq(order.id))
        .order_by_asc(mobilization_unit::Column::Id)
        .all(db)
        .await?;
    let mut units: Vec<Sent> = rows
        .into_iter()
        .map(|unit| Sent { came: came_with.remove(&Some(unit.organization_id)).unwrap_or_default(), unit })
        .collect();
    if !sees_units {
        // Who is called is not theirs to see, nor then who is not.
        came_with.retain(|unit, _| unit.is_none());
    }
    // What is owed most comes first.
    units.sort_by_key(|sent| sent.came - i64::from(sent.unit.quota));
    let arrived = by_hour(ctx, db, order.id, Column::FirstAt).await?;
    let left = by_hour(ctx, db, order.id, Column::LeftAt).await?;
    let moved = mobilization_transfer::Entity::find()
        .filter(reach::placed(ctx, Moved::MobilizationId, Moved::ToRegionId))
        .filter(Moved::MobilizationId.eq(order.id));
    let transfers = moved.clone().filter(Moved::IsSuperseded.eq(false)).count(db).await?;
    let late = match order.ended_at {
        None => 0,
        Some(ended) => {
            let came = Entity::find()
                .filter(reach::placed(ctx, Column::MobilizationId, Column::RegionId))
                .filter(Column::MobilizationId.eq(order.id))
                .filter(Column::RecordedAt.gt(ended));
            let moved = moved.filter(Moved::RecordedAt.gt(ended));
            came.count(db).await? + moved.count(db).await?
        }
    };
    let mut places: Vec<mobilization_coverage::Model> = mobilization_coverage::Entity::find()
        .filter(Counter::MobilizationId.eq(order.id))
        .filter(reach::placed(ctx, Counter::MobilizationId, Counter::RegionId))
        .all(db)
        .await?;
    snapshot.commit().await?;
    places.sort_by(|one, other| {
        let gap = |row: &mobilization_coverage::Model| Ord::max(row.needed - row.present, 0);
        gap(other).cmp(&gap(one)).then_with(|| one.path.cmp(&other.path))
    });
    let covered = counted(places.iter().filter_map(|row| row.covered_at));
    let present = places.iter().map(|row| i64::from(row.present)).sum();
    let place_count = places.len();
    places.truncate(coverage::MOST);
    let places = places.into_iter().map(|row| Place {
        region: row.region_id,
        needed: row.needed.into(),
        present: row.present.into(),
        covered_at: row.covered_at,
    });
    Ok(Report {
        units,
        hours: hours(&arrived, &left, &covered),
        places: places.collect(),
        place_count,
        came,
        others: came_with.values().sum(),
        present,
        transfers,
        late,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_follow_each_other_without_a_gap() {
        let at = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        let arrived = BTreeMap::from([(at(1), 5), (at(3), 2)]);
        let left = BTreeMap::from([(at(4), 3)]);
        let covered = counted([at(1), at(5), at(5)].map(|at| at + TimeDelta::minutes(59)).into_iter());
        let found = hours(&arrived, &left, &covered);
        let figure = |hour: &Hour| (hour.arrived, hour.cumulative, hour.present, hour.covered);
        let figures: Vec<_> = found.iter().map(figure).collect();
        assert_eq!(figures, [(5, 5, 5, 1), (0, 5, 5, 1), (2, 7, 7, 1), (0, 7, 4, 1), (0, 7, 4, 3)]);
        assert_eq!(hours(&Hours::new(), &Hours::new(), &Hours::new()), Vec::new());
    }
}
