//! What the caller's own organisations still have to do: open tasks and problems that they lead or share in the alliances
//! where the caller acts for them, as one list by date. It reads both tables in one statement and takes the rows of a page in
//! one more for each.

use std::collections::HashMap;

use chrono::NaiveDate;
use concord_entities::{
    id::{AccountId, OrganizationId, PriorityTaskId, ProblemId},
    priority_task, problem,
    problem_responsible::{self, PartState},
    seat, task_co_organizer,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult,
    IntoSimpleExpr, JoinType, QueryFilter, QuerySelect, QueryTrait, RelationTrait, Value,
    sea_query::{Alias, Expr, Order, Query, SelectStatement, SimpleExpr, UnionType},
};
use uuid::Uuid;

use super::{problem as problems, task_read as tasks};
use crate::domain::{
    Code, Ctx, Error, Result,
    page::{self, Window},
    scope,
};

/// Name of the list's order, as its cursors carry it.
const ORDER: &str = "open_item.due";

/// A task or a problem on which work remains.
#[derive(Clone, Debug)]
pub enum Item {
    Task(priority_task::Model),
    Problem(problem::Model),
}

/// One page, with what it takes to count the whole list.
pub struct OpenItems {
    pub items: Vec<(String, Item)>,
    pub has_next: bool,
    pub has_previous: bool,
    pub all: SelectStatement,
}

/// A row of the list: enough to sort it and to find the rest.
#[derive(FromQueryResult)]
struct Place {
    kind: i32,
    id: Uuid,
    due: NaiveDate,
}

/// Reads one page: first what is due first. A problem without a date stands where it was recorded (in UTC).
pub async fn list(ctx: &Ctx, organization: Option<OrganizationId>, args: &page::Args) -> Result<OpenItems> {
    let account = ctx.account_id()?;
    let Window { limit, backward } = page::window(args)?;
    let all = all(ctx, account, organization);
    let item = Alias::new("item");
    let (due, id) =
        (Expr::col((item.clone(), Alias::new("due"))), Expr::col((item.clone(), Alias::new("id"))));
    let mut select = Query::select()
        .column((item.clone(), Alias::new("kind")))
        .column((item.clone(), Alias::new("id")))
        .column((item.clone(), Alias::new("due")))
        .from_subquery(all.clone(), item)
        .to_owned();
    for (cursor, field, later) in [(&args.after, "after", true), (&args.before, "before", false)] {
        let Some(cursor) = cursor else { continue };
        let (on, row) = page::read(cursor, ORDER)
            .filter(|(on, _)| matches!(on, Value::ChronoDate(_)))
            .ok_or_else(|| Error::invalid(Code::CursorMalformed, field))?;
        let beyond = |left: Expr, right: Value| if later { left.gt(right) } else { left.lt(right) };
        select.cond_where(
            Condition::any()
                .add(beyond(due.clone(), on.clone()))
                .add(due.clone().eq(on).and(beyond(id.clone(), row))),
        );
    }
    let direction = if backward { Order::Desc } else { Order::Asc };
    select.order_by_expr(due, direction.clone()).order_by_expr(id, direction).limit(limit + 1);
    let mut places = Vec::new();
    for row in ctx.read().query_all(&select).await? {
        places.push(Place::from_query_result(&row, "")?);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = places.len() > limit;
    places.truncate(limit);
    if backward {
        places.reverse();
    }
    Ok(OpenItems {
        items: filled(ctx, places).await?,
        has_next: if backward { args.before.is_some() } else { more },
        has_previous: if backward { more } else { args.after.is_some() },
        all,
    })
}

/// Counts a whole list.
pub async fn count(ctx: &Ctx, all: SelectStatement) -> Result<u64> {
    let select = Query::select()
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("items"))
        .from_subquery(all, Alias::new("item"))
        .to_owned();
    let row = ctx.read().query_one(&select).await?.ok_or_else(|| Error::internal("a count without a row"))?;
    let items: i64 = row.try_get("", "items")?;
    Ok(u64::try_from(items).unwrap_or_default())
}

/// Kind, identifier and date of every open item of the caller's organisations, or of the one named if it is theirs.
fn all(ctx: &Ctx, account: AccountId, organization: Option<OrganizationId>) -> SelectStatement {
    let mine = scope::own_units(account)
        .filter(Condition::all().add_option(organization.map(|unit| seat::Column::OrganizationId.eq(unit))));
    let led = |alliance: SimpleExpr, lead: SimpleExpr| {
        Condition::all()
            .add(scope::acts_for(ctx, alliance, lead.clone()))
            .add_option(organization.map(|unit| lead.eq(Uuid::from(unit))))
    };
    // Shared work is found from the seats, each in its own alliance.
    let here = |item: SimpleExpr| item.eq(seat::Column::AllianceId.into_simple_expr());
    let joined = mine
        .clone()
        .join(
            JoinType::InnerJoin,
            seat::Entity::belongs_to(task_co_organizer::Entity)
                .from(seat::Column::OrganizationId)
                .to(task_co_organizer::Column::OrganizationId)
                .into(),
        )
        .join(JoinType::InnerJoin, task_co_organizer::Relation::Task.def())
        .filter(here(priority_task::Column::AllianceId.into_simple_expr()))
        .select_only()
        .column(task_co_organizer::Column::TaskId)
        .into_query();
    let mut tasks = tasks::visible(ctx)
        .select_only()
        .expr_as(Expr::cust("0"), "kind")
        .column_as(priority_task::Column::Id, "id")
        .column_as(priority_task::Column::DueOn, "due")
        .filter(priority_task::Column::IsOpen.eq(true))
        .filter(
            Condition::any()
                .add(led(
                    priority_task::Column::AllianceId.into_simple_expr(),
                    priority_task::Column::LeadOrganizationId.into_simple_expr(),
                ))
                .add(priority_task::Column::Id.in_subquery(joined)),
        )
        .into_query();
    let shared = mine
        .join(
            JoinType::InnerJoin,
            seat::Entity::belongs_to(problem_responsible::Entity)
                .from(seat::Column::OrganizationId)
                .to(problem_responsible::Column::OrganizationId)
                .into(),
        )
        .join(JoinType::InnerJoin, problem_responsible::Relation::Problem.def())
        .filter(here(problem::Column::AllianceId.into_simple_expr()))
        // A part that is done, or was handed back, is nobody's work; the leading unit's column stays as it was assigned.
        .filter(problem_responsible::Column::State.is_not_in([PartState::Done, PartState::Declined]))
        .select_only()
        .column(problem_responsible::Column::ProblemId)
        .into_query();
    let due = match ctx.app.backend() {
        DbBackend::Postgres => {
            r#"COALESCE("problem"."due_on", ("problem"."recorded_at" AT TIME ZONE 'UTC')::date)"#
        }
        _ => r#"COALESCE("problem"."due_on", DATE("problem"."recorded_at"))"#,
    };
    let problems = problems::visible(ctx)
        .select_only()
        .expr_as(Expr::cust("1"), "kind")
        .column_as(problem::Column::Id, "id")
        .expr_as(Expr::cust(due), "due")
        .filter(problem::Column::IsOpen.eq(true))
        .filter(
            Condition::any()
                .add(led(
                    problem::Column::AllianceId.into_simple_expr(),
                    problem::Column::LeadOrganizationId.into_simple_expr(),
                ))
                .add(problem::Column::Id.in_subquery(shared)),
        )
        .into_query();
    tasks.union(UnionType::All, problems).to_owned()
}

/// The rows behind the places of a page, in their order; what vanished meanwhile is left out.
async fn filled(ctx: &Ctx, places: Vec<Place>) -> Result<Vec<(String, Item)>> {
    let of_kind = |kind| places.iter().filter(move |place| place.kind == kind).map(|place| place.id);
    let mut found: HashMap<Uuid, Item> = HashMap::with_capacity(places.len());
    if of_kind(0).next().is_some() {
        let rows = tasks::visible(ctx)
            .filter(page::among(ctx, priority_task::Column::Id, of_kind(0).map(PriorityTaskId::from)))
            .all(ctx.read())
            .await?;
        found.extend(rows.into_iter().map(|row| (row.id.into(), Item::Task(row))));
    }
    if of_kind(1).next().is_some() {
        let rows = problems::visible(ctx)
            .filter(page::among(ctx, problem::Column::Id, of_kind(1).map(ProblemId::from)))
            .all(ctx.read())
            .await?;
        found.extend(rows.into_iter().map(|row| (row.id.into(), Item::Problem(row))));
    }
    Ok(places
        .into_iter()
        .filter_map(|place| {
            let item = found.remove(&place.id)?;
            Some((page::write(ORDER, &place.due.into(), place.id), item))
        })
        .collect())
}
