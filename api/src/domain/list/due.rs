//! The hand that tells of tasks' nearing due dates, as long before as their alliance wants: one event per task and date, whichever
//! node runs first. The date that was told stands beside the date that is due; where it moved, it is told of again. Of problems
//! `list::supervision` tells.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use concord_entities::{alliance, deadline_policy, priority_task};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, RelationTrait, Select,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{
    deadline_policy::TASK_REMIND_DAYS,
    priority_task::{co_organizers_by_task, due},
};
use crate::domain::{Ctx, Result};

/// Most tasks told of in one unit of work.
const BATCH: u64 = 200;

/// Tells of the tasks that fall due within the days that their alliances set; tells how many.
pub async fn notify(ctx: &Ctx) -> Result<usize> {
    use priority_task::{Column, Entity};
    let ahead = ahead(ctx).await?;
    if ahead.is_empty() {
        return Ok(0);
    }
    let waiting = Entity::find().filter(untold()).filter(soon(ctx, &ahead));
    // A look without a lock: most of the time nothing has come near.
    if waiting.clone().limit(1).one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    // All nodes go in the same order, so that they wait for each other and never in a circle.
    let mut tasks =
        waiting.order_by_asc(Column::DueOn).order_by_asc(Column::Id).limit(BATCH).all(&tx.db).await?;
    tasks.sort_by_key(|task| task.id);
    let mut units = co_organizers_by_task(&tx.db, tasks.iter().map(|task| task.id)).await?;
    let mut told = 0;
    for task in &tasks {
        let which = untold().add(Column::Id.eq(task.id)).add(Column::DueOn.eq(task.due_on));
        let mark = Entity::update_many().col_expr(Column::DueToldOn, Expr::value(task.due_on)).filter(which);
        // Another node may have told of it while this one waited.
        if mark.exec(&tx.db).await?.rows_affected == 1 {
            tx.record(due(task, &units.remove(&task.id).unwrap_or_default())).await?;
            told += 1;
        }
    }
    let first = tasks.first().map_or_else(Uuid::nil, |task| task.id.into());
    tx.commit(first).await?;
    Ok(told)
}

/// Whether a task's date is still to be told of, in the words of the index that holds just those rows.
fn untold() -> Condition {
    use priority_task::Column;
    let moved = Column::DueToldOn.into_expr().ne(Column::DueOn.into_expr());
    let stale = Condition::any().add(Column::DueToldOn.is_null()).add(moved);
    Condition::all().add(Column::IsOpen.into_expr()).add(stale)
}

/// The alliances with what they set for their deadlines, where they set anything.
fn alliances() -> Select<alliance::Entity> {
    let policy = deadline_policy::Relation::Alliance.def();
    alliance::Entity::find().select_only().join_rev(JoinType::LeftJoin, policy)
}

/// How many days ahead an alliance wants its tasks to be told of.
fn days_ahead() -> Expr {
    let set = deadline_policy::Column::TaskRemindDays.into_expr();
    Func::coalesce([set, Expr::value(TASK_REMIND_DAYS)]).into()
}

/// How many days ahead tasks are told of, in each time zone.
async fn ahead(ctx: &Ctx) -> Result<Vec<(String, i32)>> {
    let all = alliances().column(alliance::Column::TimeZone).expr(days_ahead()).distinct();
    Ok(all.into_tuple().all(ctx.read()).await?)
}

/// Whether a task falls due soon by the calendar of its alliance.
fn soon(ctx: &Ctx, ahead: &[(String, i32)]) -> Condition {
    use priority_task::Column;
    ahead.iter().fold(Condition::any(), |any, (zone, days)| {
        let there = alliances()
            .column(alliance::Column::Id)
            .filter(alliance::Column::TimeZone.eq(zone))
            .filter(days_ahead().eq(*days))
            .into_query();
        let days = Days::new(u64::try_from(*days).unwrap_or_default());
        let last = today(zone, ctx.now()).checked_add_days(days).unwrap_or(NaiveDate::MAX);
        any.add(Condition::all().add(Column::AllianceId.in_subquery(there)).add(Column::DueOn.lte(last)))
    })
}

/// The time zones of all alliances.
pub async fn zones(ctx: &Ctx) -> Result<Vec<String>> {
    let zones = alliance::Entity::find().select_only().column(alliance::Column::TimeZone).distinct();
    Ok(zones.into_tuple().all(ctx.read()).await?)
}

/// A condition that is given, for the alliances of each zone, the day that it is there.
pub fn by_zone<C: ColumnTrait>(
    ctx: &Ctx,
    zones: &[String],
    alliance: C,
    holds: impl Fn(NaiveDate) -> Expr,
) -> Condition {
    zones.iter().fold(Condition::any(), |any, zone| {
        let there = alliance::Entity::find()
            .select_only()
            .column(alliance::Column::Id)
            .filter(alliance::Column::TimeZone.eq(zone))
            .into_query();
        any.add(Condition::all().add(alliance.in_subquery(there)).add(holds(today(zone, ctx.now()))))
    })
}

/// The day that it is in `zone`; in UTC where nobody knows the zone.
pub fn today(zone: &str, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&zone.parse::<Tz>().unwrap_or(Tz::UTC)).date_naive()
}
