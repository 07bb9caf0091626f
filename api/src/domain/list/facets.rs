//! How many items of a list fall under each value of a facet: one statement for each facet that is asked for, with all
//! filters but the facet's own, so that a reader sees what another choice would give.

use concord_entities::{
    id::{OrganizationId, RegionId},
    priority_task, problem, problem_responsible,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait, Select, TryGetable,
    sea_query::{Expr, SimpleExpr},
};

use super::{problem as problems, task_read};
use crate::domain::{Ctx, Result};

/// Most values of a facet that are told, the most frequent first.
pub const MOST: u64 = 20;

/// A value and how many items have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<T> {
    pub value: T,
    pub count: i64,
}

struct Row<T>(T, i64);

impl<T: TryGetable> FromQueryResult for Row<T> {
    fn from_query_result(row: &sea_orm::QueryResult, _: &str) -> std::result::Result<Self, sea_orm::DbErr> {
        Ok(Self(row.try_get("", "facet")?, row.try_get("", "facet_count")?))
    }
}

/// Counts the rows of a list by an expression, the most frequent values first.
async fn count<E: EntityTrait, T: TryGetable>(
    ctx: &Ctx,
    select: Select<E>,
    by: SimpleExpr,
    most: Option<u64>,
) -> Result<Vec<Count<T>>> {
    let rows: Vec<Row<T>> = select
        .select_only()
        .expr_as(by.clone(), "facet")
        .expr_as(Expr::cust("COUNT(*)"), "facet_count")
        .group_by(by.clone())
        .order_by(Expr::cust("COUNT(*)"), Order::Desc)
        // The databases do not agree where nothing sorts.
        .order_by(by.clone().is_null(), Order::Asc)
        .order_by(by, Order::Asc)
        .limit(most)
        .into_model()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().map(|Row(value, count)| Count { value, count }).collect())
}

fn column<E: EntityTrait>(column: E::Column) -> SimpleExpr {
    Expr::col((E::default(), column))
}

async fn problems_of(ctx: &Ctx, filter: problems::Filter) -> Result<Select<problem::Entity>> {
    Ok(problems::visible(ctx).filter(filter.condition(ctx).await?))
}

async fn tasks_of(ctx: &Ctx, filter: task_read::Filter) -> Result<Select<priority_task::Entity>> {
    Ok(task_read::visible(ctx).filter(task_read::narrowed(ctx, filter).await?))
}

/// Problems by state.
pub async fn problem_states(ctx: &Ctx, filter: &problems::Filter) -> Result<Vec<Count<problem::State>>> {
    let select = problems_of(ctx, problems::Filter { states: None, ..filter.clone() }).await?;
    count(ctx, select, column::<problem::Entity>(problem::Column::State), None).await
}

/// Problems by tier; nothing stands for those without one.
pub async fn problem_tiers(
    ctx: &Ctx,
    filter: &problems::Filter,
) -> Result<Vec<Count<Option<problem::Tier>>>> {
    let select = problems_of(ctx, problems::Filter { tier: None, ..filter.clone() }).await?;
    count(ctx, select, column::<problem::Entity>(problem::Column::Tier), None).await
}

/// Problems by urgency.
pub async fn problem_severities(
    ctx: &Ctx,
    filter: &problems::Filter,
) -> Result<Vec<Count<problem::Severity>>> {
    let select = problems_of(ctx, problems::Filter { severity: None, ..filter.clone() }).await?;
    count(ctx, select, column::<problem::Entity>(problem::Column::Severity), None).await
}

/// Problems by category.
pub async fn problem_categories(ctx: &Ctx, filter: &problems::Filter) -> Result<Vec<Count<String>>> {
    let select = problems_of(ctx, problems::Filter { category: None, ..filter.clone() }).await?;
    count(ctx, select, column::<problem::Entity>(problem::Column::Category), Some(MOST)).await
}

/// Problems by the organisations responsible for them; one with several counts for each.
pub async fn problem_organizations(
    ctx: &Ctx,
    filter: &problems::Filter,
) -> Result<Vec<Count<OrganizationId>>> {
    let select = problems_of(ctx, problems::Filter { organization_id: None, ..filter.clone() }).await?;
    let select = select.join_rev(JoinType::InnerJoin, problem_responsible::Relation::Problem.def());
    let by = column::<problem_responsible::Entity>(problem_responsible::Column::OrganizationId);
    count(ctx, select, by, Some(MOST)).await
}

/// Problems by the region they lie in, not counting the regions above it.
pub async fn problem_regions(ctx: &Ctx, filter: &problems::Filter) -> Result<Vec<Count<RegionId>>> {
    let select = problems_of(ctx, problems::Filter { region_id: None, ..filter.clone() }).await?;
    let select = select.filter(problem::Column::RegionId.is_not_null());
    count(ctx, select, column::<problem::Entity>(problem::Column::RegionId), Some(MOST)).await
}

/// Tasks by state.
pub async fn task_states(ctx: &Ctx, filter: &task_read::Filter) -> Result<Vec<Count<priority_task::State>>> {
    let select = tasks_of(ctx, task_read::Filter { states: None, ..filter.clone() }).await?;
    count(ctx, select, column::<priority_task::Entity>(priority_task::Column::State), None).await
}

/// Tasks by the organisation that leads.
pub async fn task_leads(ctx: &Ctx, filter: &task_read::Filter) -> Result<Vec<Count<OrganizationId>>> {
    let select = tasks_of(ctx, task_read::Filter { lead_organization_id: None, ..filter.clone() }).await?;
    let by = column::<priority_task::Entity>(priority_task::Column::LeadOrganizationId);
    count(ctx, select, by, Some(MOST)).await
}

/// Tasks by the region they concern, not counting the regions above it.
pub async fn task_regions(ctx: &Ctx, filter: &task_read::Filter) -> Result<Vec<Count<RegionId>>> {
    let select = tasks_of(ctx, task_read::Filter { region_id: None, ..filter.clone() }).await?;
    let select = select.filter(priority_task::Column::RegionId.is_not_null());
    count(ctx, select, column::<priority_task::Entity>(priority_task::Column::RegionId), Some(MOST)).await
}
