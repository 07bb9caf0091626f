//! The hand that tells of nearing due dates: one event per task or problem and date, whichever node runs first. What has
//! been told is kept in `due_notice`; what has its date moved is told of again. It neither reminds twice nor escalates.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use concord_entities::{alliance, due_notice, priority_task, problem};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::priority_task::{co_organizers_by_task, due};
use crate::domain::{Ctx, Event, Result, Tx};

/// Most tasks or problems told of in one unit of work.
const BATCH: u64 = 200;

/// Tells of the tasks and problems that fall due within the configured days; tells how many.
pub async fn notify(ctx: &Ctx) -> Result<usize> {
    let zones = zones(ctx).await?;
    if zones.is_empty() {
        return Ok(0);
    }
    Ok(tell_of_tasks(ctx, &zones).await? + tell_of_problems(ctx, &zones).await?)
}

async fn tell_of_tasks(ctx: &Ctx, zones: &[String]) -> Result<usize> {
    use priority_task::{Column, Entity};
    let waiting = waiting::<Entity>(ctx, zones, Column::AllianceId, Column::Id, Column::DueOn)
        .filter(Column::IsOpen.eq(true));
    // A look without a lock: most of the time nothing has come near.
    if waiting.clone().limit(1).one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    // All nodes go in the same order, so that they wait for each other and never in a circle.
    let tasks = waiting.order_by_asc(Column::DueOn).order_by_asc(Column::Id).limit(BATCH).all(&tx.db).await?;
    let mut units = co_organizers_by_task(&tx.db, tasks.iter().map(|task| task.id)).await?;
    let mut told = 0;
    for task in &tasks {
        if mark(&tx, task.id.into(), task.due_on).await? {
            tx.record(due(task, &units.remove(&task.id).unwrap_or_default())).await?;
            told += 1;
        }
    }
    let first = tasks.first().map_or_else(Uuid::nil, |task| task.id.into());
    tx.commit(first).await?;
    Ok(told)
}

async fn tell_of_problems(ctx: &Ctx, zones: &[String]) -> Result<usize> {
    use problem::{Column, Entity};
    let waiting = waiting::<Entity>(ctx, zones, Column::AllianceId, Column::Id, Column::DueOn)
        .filter(Column::IsOpen.eq(true))
        .filter(Column::LeadOrganizationId.is_not_null());
    if waiting.clone().limit(1).one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let problems =
        waiting.order_by_asc(Column::DueOn).order_by_asc(Column::Id).limit(BATCH).all(&tx.db).await?;
    let mut told = 0;
    for row in &problems {
        if let Some(due_on) = row.due_on
            && mark(&tx, row.id.into(), due_on).await?
        {
            let fact = super::problem::fact(Event::ProblemDue, row);
            tx.record(fact.detail("title", row.title.clone()).detail("dueOn", due_on.to_string())).await?;
            told += 1;
        }
    }
    let first = problems.first().map_or_else(Uuid::nil, |row| row.id.into());
    tx.commit(first).await?;
    Ok(told)
}

/// Notes that a date has been told; false where another node told of it while this one waited.
async fn mark(tx: &Tx<'_>, subject: Uuid, due_on: NaiveDate) -> Result<bool> {
    let mark = due_notice::ActiveModel {
        subject_id: Set(subject),
        due_on: Set(due_on),
        noted_at: Set(tx.ctx.now()),
    };
    let key = [due_notice::Column::SubjectId, due_notice::Column::DueOn];
    let marked = due_notice::Entity::insert(mark)
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    Ok(marked == 1)
}

/// The rows that fall due soon by the calendar of their alliance and have not been told of.
fn waiting<E: EntityTrait>(
    ctx: &Ctx,
    zones: &[String],
    alliance: E::Column,
    id: E::Column,
    due_on: E::Column,
) -> Select<E> {
    let days = u64::try_from(ctx.app.config.background.due_notice_days).unwrap_or_default();
    let soon = by_zone(ctx, zones, alliance, |today| {
        due_on.lte(today.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX))
    });
    let told = due_notice::Entity::find()
        .select_only()
        .column(due_notice::Column::SubjectId)
        .filter(due_notice::Column::SubjectId.into_expr().eq(id.into_expr()))
        .filter(due_notice::Column::DueOn.into_expr().eq(due_on.into_expr()))
        .into_query();
    E::find().filter(soon).filter(Expr::exists(told).not())
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
