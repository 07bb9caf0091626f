//! The list of an alliance's month. It is drafted by the committee and published with its tasks in one stroke; tasks that
//! are added later are published one by one.

use chrono::{Datelike, NaiveDate};
use concord_entities::{
    alliance,
    id::{AllianceId, RotationSlotId, TaskListId},
    priority_task, rotation_plan, rotation_slot,
    seat::{self, Role},
    task_list::{self, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::Expr,
};

use super::{priority_task::co_organizers_by_task, task_states, transition::Step};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx,
    governance::alliance::{self as alliances, expect_version},
    page::{self, Order, Page},
    scope, text,
};

/// First and last year that a list or task may name.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

/// The members see the list with its tasks.
pub const PUBLISH: Step<State> = Step {
    mutation: "publishTaskList",
    from: &[State::Draft],
    to: State::Published,
    action: Action::ManageTaskList,
};

/// A condition that holds where the caller may see the drafts of `alliance`: its committee and its approvers.
pub(in crate::domain) fn drafts_of(ctx: &Ctx, alliance: impl IntoSimpleExpr) -> Condition {
    let id = match ctx.actor {
        Actor::System => return Condition::all(),
        Actor::Account { id, .. } => id,
        Actor::Anonymous | Actor::Key(_) => return Condition::all().add(Expr::val(1).eq(0)),
    };
    let drafting = seat::Entity::find()
        .select_only()
        .column(seat::Column::AllianceId)
        .filter(seat::Column::AccountId.eq(id))
        .filter(seat::Column::State.into_expr().eq(scope::word(seat::State::Active)))
        .filter(seat::Column::Role.into_expr().is_in([Role::Committee, Role::Approver].map(scope::word)))
        .into_query();
    Condition::all().add(alliance.into_simple_expr().in_subquery(drafting))
}

/// The lists that the caller may see: those of visible alliances, drafts only for their committee and approvers.
pub fn visible(ctx: &Ctx) -> Select<task_list::Entity> {
    task_list::Entity::find().filter(scope::in_alliances(ctx, task_list::Column::AllianceId)).filter(
        Condition::any()
            .add(task_list::Column::State.ne(State::Draft))
            .add(drafts_of(ctx, task_list::Column::AllianceId)),
    )
}

/// One list, if the caller may see it.
pub async fn find(ctx: &Ctx, id: TaskListId) -> Result<Option<task_list::Model>> {
    Ok(visible(ctx).filter(task_list::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which lists to show; what is absent does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub month_on: Option<NaiveDate>,
    pub state: Option<State>,
}

/// The lists that the caller may see, the latest month first.
pub async fn list(ctx: &Ctx, filter: Filter, args: &page::Args) -> Result<Page<task_list::Entity>> {
    ctx.require_signed_in()?;
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance_id {
        select = select.filter(task_list::Column::AllianceId.eq(alliance));
    }
    if let Some(month_on) = filter.month_on {
        select = select.filter(task_list::Column::MonthOn.eq(month_on));
    }
    if let Some(state) = filter.state {
        select = select.filter(task_list::Column::State.eq(state));
    }
    let order = Order { column: task_list::Column::MonthOn, descending: true };
    page::fetch(ctx, select, order, task_list::Column::Id, args).await
}

/// What a list is drafted with.
#[derive(Clone, Debug)]
pub struct NewTaskList {
    pub alliance_id: AllianceId,
    /// First day of the month.
    pub month_on: NaiveDate,
    pub title: String,
}

/// Drafts the list of an alliance's month.
pub async fn create(ctx: &Ctx, new: NewTaskList) -> Result<task_list::Model> {
    let tx = ctx.begin().await?;
    if alliances::visible(ctx).filter(alliance::Column::Id.eq(new.alliance_id)).one(&tx.db).await?.is_none() {
        return Err(Error::NotFound("alliance"));
    }
    ctx.require(&tx.db, Action::ManageTaskList, Target::alliance(new.alliance_id)).await?;
    let title = text::required(&new.title, "title", 200)?;
    let month_on = sane(new.month_on, "month")?;
    let standing = task_list::Entity::find()
        .filter(task_list::Column::AllianceId.eq(new.alliance_id))
        .filter(task_list::Column::MonthOn.eq(month_on))
        .one(&tx.db)
        .await?;
    if standing.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "month"));
    }
    let row = task_list::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(new.alliance_id),
        month_on: Set(month_on),
        slot_id: Set(slot_of_month(&tx.db, new.alliance_id, month_on).await?),
        title: Set(title),
        state: Set(State::Draft),
        published_at: Set(None),
        created_by: Set(ctx.author()),
        created_at: Set(ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    // The alliance's changes are open to all its people, a draft is not: the event does not say what it is about.
    tx.record(Fact::of(Event::TaskListCreated, row.id).alliance(row.alliance_id)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// The turn on duty on the first day of a month by a published plan, where the alliance rotates.
pub(super) async fn slot_of_month(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    month_on: NaiveDate,
) -> Result<Option<RotationSlotId>> {
    let slot = rotation_slot::Entity::find()
        .inner_join(rotation_plan::Entity)
        .filter(rotation_slot::Column::AllianceId.eq(alliance))
        .filter(rotation_plan::Column::State.eq(rotation_plan::State::Published))
        .filter(rotation_slot::Column::StartsOn.lte(month_on))
        .filter(rotation_slot::Column::EndsOn.gt(month_on))
        .one(db)
        .await?;
    Ok(slot.map(|slot| slot.id))
}

/// Finds a list that the caller may see and holds it for this unit of work.
pub(super) async fn hold(tx: &Tx<'_>, id: TaskListId) -> Result<task_list::Model> {
    visible(tx.ctx)
        .filter(task_list::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("task_list"))
}

/// Turns away a change of a list that was closed when its tasks were carried over.
pub(super) fn require_unclosed(list: &task_list::Model, field: &'static str) -> Result<()> {
    if list.state == State::Closed { Err(Error::invalid(Code::TaskListClosed, field)) } else { Ok(()) }
}

/// Renames a list.
pub async fn update(
    ctx: &Ctx,
    id: TaskListId,
    expected_version: i64,
    title: &str,
) -> Result<task_list::Model> {
    let tx = ctx.begin().await?;
    let row = hold(&tx, id).await?;
    ctx.require(&tx.db, Action::ManageTaskList, Target::alliance(row.alliance_id)).await?;
    expect_version(expected_version, row.version)?;
    require_unclosed(&row, "taskListId")?;
    let (alliance_id, version) = (row.alliance_id, row.version + 1);
    let mut row = row.into_active_model();
    row.title = Set(text::required(title, "title", 200)?);
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(Fact::of(Event::TaskListUpdated, id).alliance(alliance_id)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Publishes a list with all its draft tasks.
pub async fn publish(ctx: &Ctx, id: TaskListId, expected_version: Option<i64>) -> Result<task_list::Model> {
    let tx = ctx.begin().await?;
    let row = hold(&tx, id).await?;
    ctx.require(&tx.db, Action::ManageTaskList, Target::alliance(row.alliance_id)).await?;
    expect_version(expected_version.unwrap_or(row.version), row.version)?;
    PUBLISH.check(row.state)?;
    let (alliance_id, month_on, version) = (row.alliance_id, row.month_on, row.version + 1);
    let slot_id = match row.slot_id {
        Some(slot) => Some(slot),
        // The rotation may have been published after the list was drafted.
        None => slot_of_month(&tx.db, alliance_id, month_on).await?,
    };
    let mut row = row.into_active_model();
    row.slot_id = Set(slot_id);
    row.state = Set(State::Published);
    row.published_at = Set(Some(ctx.now()));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    let tasks = publish_tasks(&tx, id).await?;
    tx.record(
        Fact::of(Event::TaskListPublished, id)
            .alliance(alliance_id)
            .detail("title", row.title.clone())
            .detail("month", month_on.format("%Y-%m").to_string())
            .detail("tasks", tasks),
    )
    .await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Publishes the draft tasks of a list in one statement, with an event for each; tells how many.
async fn publish_tasks(tx: &Tx<'_>, list: TaskListId) -> Result<usize> {
    let drafts = priority_task::Entity::find()
        .filter(priority_task::Column::TaskListId.eq(list))
        .filter(priority_task::Column::State.eq(priority_task::State::Draft))
        .order_by_asc(priority_task::Column::Id)
        .lock(HELD)
        .all(&tx.db)
        .await?;
    if drafts.is_empty() {
        return Ok(0);
    }
    priority_task::Entity::update_many()
        .col_expr(
            priority_task::Column::State,
            Expr::value(sea_orm::ActiveEnum::to_value(&task_states::PUBLISH.to)),
        )
        .col_expr(priority_task::Column::IsOpen, Expr::value(true))
        .col_expr(priority_task::Column::PublishedAt, Expr::value(tx.ctx.now()))
        .col_expr(priority_task::Column::Version, Expr::col(priority_task::Column::Version).add(1))
        .filter(priority_task::Column::TaskListId.eq(list))
        .filter(priority_task::Column::State.eq(priority_task::State::Draft))
        .exec(&tx.db)
        .await?;
    let mut units = co_organizers_by_task(&tx.db, drafts.iter().map(|task| task.id)).await?;
    let published = drafts.iter().map(|task| {
        let joint = units.remove(&task.id).unwrap_or_default();
        super::priority_task::published(task, &joint)
    });
    tx.record_all(published).await?;
    Ok(drafts.len())
}

/// A date within the years that make sense on a list.
pub(super) fn sane(on: NaiveDate, field: &'static str) -> Result<NaiveDate> {
    if YEARS.contains(&on.year()) {
        Ok(on)
    } else {
        Err(Error::invalid(Code::OutOfRange, field).with("least", YEARS.start()).with("most", YEARS.end()))
    }
}
