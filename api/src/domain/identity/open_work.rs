//! What a leaver leaves open: problems that they handle, tasks and calls of the units for which they act. It only lists;
//! reassigning is the lists' own business.

use concord_entities::{
    id::{AccountId, AllianceId},
    priority_task, problem, seat, whistle, whistle_response,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoSimpleExpr, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Alias, Expr, Query},
};

use super::authority;
use crate::domain::{Action, Ctx, Error, Result, page};

/// Open work of one person, oldest first, as far as the caller looks after it.
#[derive(Clone, Debug)]
pub struct OpenWork {
    pub problems: Vec<problem::Model>,
    pub problem_count: u64,
    pub tasks: Vec<priority_task::Model>,
    pub task_count: u64,
    pub calls: Vec<(whistle_response::Model, Option<whistle::Model>)>,
    pub call_count: u64,
}

/// Lists a person's open work, at most `first` items of each kind, in one alliance or in all.
pub async fn of(ctx: &Ctx, account: AccountId, alliance: Option<AllianceId>, first: u64) -> Result<OpenWork> {
    ctx.require_signed_in()?;
    super::account::find(ctx, account).await?.ok_or(Error::NotFound("account"))?;
    let first = first.clamp(1, page::MOST);
    let (problems, tasks) = (problems(ctx, account, alliance), tasks(ctx, account, alliance));
    let calls = calls(ctx, account, alliance);
    Ok(OpenWork {
        problem_count: problems.clone().count(ctx.read()).await?,
        problems: problems.order_by_asc(problem::Column::Id).limit(first).all(ctx.read()).await?,
        task_count: tasks.clone().count(ctx.read()).await?,
        tasks: tasks.order_by_asc(priority_task::Column::DueOn).limit(first).all(ctx.read()).await?,
        call_count: calls.clone().count(ctx.read()).await?,
        calls: calls
            .find_also_related(whistle::Entity)
            .order_by_asc(whistle_response::Column::ResolveDueAt)
            .order_by_asc(whistle_response::Column::Id)
            .limit(first)
            .all(ctx.read())
            .await?,
    })
}

fn problems(ctx: &Ctx, account: AccountId, alliance: Option<AllianceId>) -> Select<problem::Entity> {
    let mut select = problem::Entity::find()
        .filter(problem::Column::HandlerId.eq(account))
        .filter(problem::Column::IsOpen.eq(true))
        .filter(authority::governed(
            ctx,
            Action::ReadOpenWork,
            problem::Column::AllianceId.into_simple_expr(),
            Some(problem::Column::LeadOrganizationId.into_simple_expr()),
        ));
    if let Some(alliance) = alliance {
        select = select.filter(problem::Column::AllianceId.eq(alliance));
    }
    select
}

/// Tasks name no account as their handler, so those of the person's units count.
fn tasks(ctx: &Ctx, account: AccountId, alliance: Option<AllianceId>) -> Select<priority_task::Entity> {
    use priority_task::Column;
    let select = priority_task::Entity::find()
        .filter(of_their_units(ctx, account, Column::AllianceId, Column::LeadOrganizationId))
        .filter(Column::IsOpen.eq(true));
    match alliance {
        Some(alliance) => select.filter(Column::AllianceId.eq(alliance)),
        None => select,
    }
}

/// Nor do calls to whistles.
fn calls(ctx: &Ctx, account: AccountId, alliance: Option<AllianceId>) -> Select<whistle_response::Entity> {
    use whistle_response::Column;
    let select = whistle_response::Entity::find()
        .filter(of_their_units(ctx, account, Column::MemberAllianceId, Column::OrganizationId))
        .filter(Column::IsOpen.eq(true));
    match alliance {
        Some(alliance) => select.filter(Column::MemberAllianceId.eq(alliance)),
        None => select,
    }
}

/// What is some unit's as a member of an alliance, where the person works for that unit and the caller looks after its work.
fn of_their_units<C: ColumnTrait>(ctx: &Ctx, account: AccountId, alliance: C, unit: C) -> Condition {
    let theirs = Alias::new("theirs");
    let of = |column: seat::Column| Expr::col((theirs.clone(), column));
    let mut units = Query::select();
    units
        .expr(Expr::val(1))
        .from_as(seat::Entity, theirs.clone())
        .and_where(of(seat::Column::AccountId).eq(account))
        .and_where(of(seat::Column::AllianceId).eq(alliance.into_simple_expr()))
        .and_where(of(seat::Column::OrganizationId).eq(unit.into_simple_expr()))
        .and_where(of(seat::Column::Role).is_in(authority::MEMBER_ROLES));
    let looked_after = authority::governed(
        ctx,
        Action::ReadOpenWork,
        alliance.into_simple_expr(),
        Some(unit.into_simple_expr()),
    );
    Condition::all().add(Expr::exists(units)).add(looked_after)
}
