//! Reading priority tasks: who sees which, and the lists with their filters and orders.

use chrono::NaiveDate;
use concord_entities::{
    id::{AllianceId, OrganizationId, PriorityTaskId, RegionId, TaskListId, TaskMilestoneId, TaskProgressId},
    priority_task::{self, State},
    region, task_co_organizer, task_list, task_milestone, task_progress,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, IntoCondition, SimpleExpr},
};

use super::{
    search::{self, Window},
    task_list::drafts_of,
};
use crate::domain::{
    Ctx, Result,
    page::{self, Along, Order, Page},
    scope, text,
};

/// Longest search.
const SEARCH: usize = 100;

/// The tasks that the caller may see: those of visible alliances; what was never published only for their committee and
/// approvers.
pub fn visible(ctx: &Ctx) -> Select<priority_task::Entity> {
    seen(ctx, scope::in_alliances(ctx, priority_task::Column::AllianceId))
}

/// The same among the tasks of one owner.
fn visible_of_few(ctx: &Ctx) -> Select<priority_task::Entity> {
    seen(ctx, scope::in_alliances_of_few(ctx, priority_task::Column::AllianceId))
}

fn seen(ctx: &Ctx, within: impl IntoCondition) -> Select<priority_task::Entity> {
    priority_task::Entity::find().filter(within.into_condition()).filter(
        Condition::any()
            .add(priority_task::Column::PublishedAt.is_not_null())
            .add(drafts_of(ctx, priority_task::Column::AllianceId)),
    )
}

/// One task, if the caller may see it.
pub async fn find(ctx: &Ctx, id: PriorityTaskId) -> Result<Option<priority_task::Model>> {
    Ok(visible(ctx).filter(priority_task::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which tasks to show; what is absent does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub task_list_id: Option<TaskListId>,
    /// First day of the month of the list.
    pub month_on: Option<NaiveDate>,
    /// The unit that leads or co-organises.
    pub organization_id: Option<OrganizationId>,
    pub lead_organization_id: Option<OrganizationId>,
    pub states: Option<Vec<State>>,
    pub open: Option<bool>,
    pub due_from: Option<NaiveDate>,
    pub due_to: Option<NaiveDate>,
    /// The region with everything below it.
    pub region_id: Option<RegionId>,
    /// Part of title or content.
    pub text: Option<String>,
    pub window: Window,
}

impl Filter {
    /// Checks what the list would refuse, for a filter that is kept for later.
    pub fn check(&self) -> Result<()> {
        text::optional(self.text.as_deref(), "filter.text", SEARCH)?;
        self.window.check()
    }
}

/// How tasks are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOrder {
    /// What is due first comes first.
    DueOnAsc,
    /// What is due last comes first.
    DueOnDesc,
    /// The oldest first.
    CreatedAtAsc,
    /// The newest first.
    CreatedAtDesc,
    /// By the row on the list.
    PlaceAsc,
}

impl TaskOrder {
    const fn order(self) -> Order<priority_task::Column> {
        use priority_task::Column;
        let (column, descending) = match self {
            Self::DueOnAsc => (Column::DueOn, false),
            Self::DueOnDesc => (Column::DueOn, true),
            Self::CreatedAtAsc => (Column::CreatedAt, false),
            Self::CreatedAtDesc => (Column::CreatedAt, true),
            Self::PlaceAsc => (Column::Place, false),
        };
        Order { column, descending }
    }
}

/// The tasks that the caller may see.
pub async fn list(
    ctx: &Ctx,
    filter: Filter,
    order: TaskOrder,
    args: &page::Args,
    along: &[Along<priority_task::Column>],
) -> Result<Page<priority_task::Entity>> {
    ctx.require_signed_in()?;
    let owned = filter.lead_organization_id.is_some() || filter.task_list_id.is_some();
    let select = if owned { visible_of_few(ctx) } else { visible(ctx) }.filter(narrowed(ctx, filter).await?);
    page::fetch_along(ctx, select, order.order(), priority_task::Column::Id, args, along).await
}

/// The open tasks that organisations lead, what is due first comes first.
pub fn open_of_leads(ctx: &Ctx) -> (Select<priority_task::Entity>, Order<priority_task::Column>) {
    (visible_of_few(ctx).filter(priority_task::Column::IsOpen.eq(true)), TaskOrder::DueOnAsc.order())
}

/// The tasks of task lists, by their row.
pub fn of_lists(ctx: &Ctx) -> (Select<priority_task::Entity>, Order<priority_task::Column>) {
    (visible_of_few(ctx), TaskOrder::PlaceAsc.order())
}

pub(super) async fn narrowed(ctx: &Ctx, filter: Filter) -> Result<Condition> {
    use priority_task::Column;
    let window = filter.window.condition::<priority_task::Entity>(ctx, search::TASK).await?;
    let month = filter.month_on.map(|month_on| {
        let lists = task_list::Entity::find()
            .select_only()
            .column(task_list::Column::Id)
            .filter(task_list::Column::MonthOn.eq(month_on))
            .into_query();
        Column::TaskListId.in_subquery(lists)
    });
    let region = filter.region_id.map(|region| {
        let root = region::Entity::find()
            .select_only()
            .column(region::Column::Path)
            .filter(region::Column::Id.eq(region))
            .into_query();
        // Paths end in a slash, so that a prefix is a whole step and never the beginning of a neighbour's name.
        let below = region::Entity::find()
            .select_only()
            .column(region::Column::Id)
            .filter(Expr::expr(starts_with(region::Column::Path, root)))
            .into_query();
        Column::RegionId.in_subquery(below)
    });
    let words = text::optional(filter.text.as_deref(), "filter.text", SEARCH)?
        .map(|words| search::mentions(&words, &[Column::Title, Column::Content]));
    Ok(Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(filter.task_list_id.map(|id| Column::TaskListId.eq(id)))
        .add_option(month)
        .add_option(filter.organization_id.map(led_or_joined))
        .add_option(filter.lead_organization_id.map(|id| Column::LeadOrganizationId.eq(id)))
        .add_option(filter.states.map(|states| Column::State.is_in(states)))
        .add_option(filter.open.map(|open| Column::IsOpen.eq(open)))
        .add_option(filter.due_from.map(|on| Column::DueOn.gte(on)))
        .add_option(filter.due_to.map(|on| Column::DueOn.lte(on)))
        .add_option(region)
        .add(window)
        .add_option(words))
}

/// Whether `column` begins with the one text that `select` finds.
fn starts_with(column: region::Column, select: sea_orm::sea_query::SelectStatement) -> SimpleExpr {
    let root = SimpleExpr::SubQuery(None, Box::new(select.into()));
    // SUBSTR and LENGTH count characters on both engines; LIKE would fold case on one and not on the other.
    let head = Func::cust("SUBSTR").args([
        Expr::col((region::Entity, column)),
        Expr::val(1),
        Func::cust("LENGTH").arg(root.clone()).into(),
    ]);
    Expr::expr(head).eq(root)
}

/// A condition that holds where `unit` leads or co-organises the task.
pub(super) fn led_or_joined(unit: OrganizationId) -> Condition {
    let joined = task_co_organizer::Entity::find()
        .select_only()
        .column(task_co_organizer::Column::TaskId)
        .filter(task_co_organizer::Column::OrganizationId.eq(unit))
        .into_query();
    Condition::any()
        .add(priority_task::Column::LeadOrganizationId.eq(unit))
        .add(priority_task::Column::Id.in_subquery(joined))
}

/// The progress logs of the tasks that the caller may see, the latest report first.
pub fn progress(ctx: &Ctx) -> (Select<task_progress::Entity>, Order<task_progress::Column>) {
    (visible_progress(ctx), Order { column: task_progress::Column::ReportedAt, descending: true })
}

fn visible_progress(ctx: &Ctx) -> Select<task_progress::Entity> {
    let seen = visible(ctx).select_only().column(priority_task::Column::Id).into_query();
    task_progress::Entity::find().filter(task_progress::Column::TaskId.in_subquery(seen))
}

/// One entry of a progress log, if the caller may see the task.
pub async fn find_progress(ctx: &Ctx, id: TaskProgressId) -> Result<Option<task_progress::Model>> {
    Ok(visible_progress(ctx).filter(task_progress::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The latest report of each of `tasks`, in one statement. The caller has read the tasks as their viewer sees them.
pub async fn latest_progress(ctx: &Ctx, tasks: &[PriorityTaskId]) -> Result<Vec<task_progress::Model>> {
    use task_progress::Column;
    let later = sea_orm::sea_query::Alias::new("later");
    let newer = sea_orm::sea_query::Query::select()
        .expr(Expr::val(1))
        .from_as(task_progress::Entity, later.clone())
        .and_where(Expr::col((later.clone(), Column::TaskId)).equals((task_progress::Entity, Column::TaskId)))
        .cond_where(
            Condition::any()
                .add(
                    Expr::col((later.clone(), Column::ReportedAt))
                        .gt(Expr::col((task_progress::Entity, Column::ReportedAt))),
                )
                .add(
                    Expr::col((later.clone(), Column::ReportedAt))
                        .eq(Expr::col((task_progress::Entity, Column::ReportedAt)))
                        .and(
                            Expr::col((later, Column::Id)).gt(Expr::col((task_progress::Entity, Column::Id))),
                        ),
                ),
        )
        .to_owned();
    let select = task_progress::Entity::find()
        .filter(Column::TaskId.is_in(tasks.iter().copied()))
        .filter(Expr::exists(newer).not());
    Ok(select.all(ctx.read()).await?)
}

/// One milestone, if the caller may see the task.
pub async fn find_milestone(ctx: &Ctx, id: TaskMilestoneId) -> Result<Option<task_milestone::Model>> {
    let seen = visible(ctx).select_only().column(priority_task::Column::Id).into_query();
    let select = task_milestone::Entity::find()
        .filter(task_milestone::Column::Id.eq(id))
        .filter(task_milestone::Column::TaskId.in_subquery(seen));
    Ok(select.one(ctx.read()).await?)
}
