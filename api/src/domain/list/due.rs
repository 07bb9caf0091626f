//! The hand that tells of nearing due dates: one event per task and date, whichever node runs first. What has been told
//! is kept in `due_notice`; a task whose date moves is told of again. It neither reminds twice nor escalates.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use concord_entities::{alliance, due_notice, priority_task};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, OnConflict},
};

use super::priority_task::{co_organizers_by_task, due};
use crate::domain::{Ctx, Result};

/// Most tasks told of in one unit of work.
const BATCH: u64 = 200;

/// Tells of the tasks that fall due within the configured days; tells how many.
pub async fn notify(ctx: &Ctx) -> Result<usize> {
    let zones: Vec<String> = alliance::Entity::find()
        .select_only()
        .column(alliance::Column::TimeZone)
        .distinct()
        .into_tuple()
        .all(ctx.read())
        .await?;
    if zones.is_empty() {
        return Ok(0);
    }
    let waiting = waiting(ctx, &zones);
    // A look without a lock: most of the time nothing has come near.
    if waiting.clone().limit(1).one(ctx.read()).await?.is_none() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    // All nodes go in the same order, so that they wait for each other and never in a circle.
    let tasks = waiting
        .order_by_asc(priority_task::Column::DueOn)
        .order_by_asc(priority_task::Column::Id)
        .limit(BATCH)
        .all(&tx.db)
        .await?;
    let mut units = co_organizers_by_task(&tx.db, tasks.iter().map(|task| task.id)).await?;
    let mut told = 0;
    for task in &tasks {
        let mark = due_notice::ActiveModel {
            subject_id: Set(task.id.into()),
            due_on: Set(task.due_on),
            noted_at: Set(ctx.now()),
        };
        let marked = due_notice::Entity::insert(mark)
            .on_conflict(
                OnConflict::columns([due_notice::Column::SubjectId, due_notice::Column::DueOn])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(&tx.db)
            .await?;
        // Nothing inserted: another node told of it while this one waited.
        if marked == 1 {
            tx.record(due(task, &units.remove(&task.id).unwrap_or_default())).await?;
            told += 1;
        }
    }
    let first = tasks.first().map_or_else(uuid::Uuid::nil, |task| task.id.into());
    tx.commit(first).await?;
    Ok(told)
}

/// The open tasks that fall due soon by the calendar of their alliance and have not been told of.
fn waiting(ctx: &Ctx, zones: &[String]) -> Select<priority_task::Entity> {
    let days = u64::try_from(ctx.app.config.background.due_notice_days).unwrap_or_default();
    let soon = zones.iter().fold(Condition::any(), |any, zone| {
        let there = alliance::Entity::find()
            .select_only()
            .column(alliance::Column::Id)
            .filter(alliance::Column::TimeZone.eq(zone))
            .into_query();
        let last = today(zone, ctx.now()).checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX);
        any.add(
            Condition::all()
                .add(priority_task::Column::AllianceId.in_subquery(there))
                .add(priority_task::Column::DueOn.lte(last)),
        )
    });
    let told = due_notice::Entity::find()
        .select_only()
        .column(due_notice::Column::SubjectId)
        .filter(
            Expr::col((due_notice::Entity, due_notice::Column::SubjectId))
                .equals((priority_task::Entity, priority_task::Column::Id)),
        )
        .filter(
            Expr::col((due_notice::Entity, due_notice::Column::DueOn))
                .equals((priority_task::Entity, priority_task::Column::DueOn)),
        )
        .into_query();
    priority_task::Entity::find()
        .filter(priority_task::Column::IsOpen.eq(true))
        .filter(soon)
        .filter(Expr::exists(told).not())
}

/// The day that it is in `zone`; in UTC where nobody knows the zone.
pub fn today(zone: &str, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&zone.parse::<Tz>().unwrap_or(Tz::UTC)).date_naive()
}
