//! What a branch serves: a problem, a task or a whistle of its own alliance.

use concord_entities::{
    branch_matter::{Column, Entity},
    id::{AllianceId, BranchMatterId, PriorityTaskId, ProblemId, WhistleId},
    party_branch, priority_task, problem, whistle,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, Query, SimpleExpr},
};

use super::steps::{Which, open};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, Tx, list, whistle as whistles};

/// A problem, a task or a whistle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    Problem(ProblemId),
    Task(PriorityTaskId),
    Whistle(WhistleId),
}

impl Matter {
    /// A condition that holds for the rows about it.
    pub fn is(self) -> SimpleExpr {
        match self {
            Self::Problem(id) => Column::ProblemId.eq(id),
            Self::Task(id) => Column::TaskId.eq(id),
            Self::Whistle(id) => Column::WhistleId.eq(id),
        }
    }

    /// Whose it is, if the caller may see it; that never changes.
    async fn alliance(self, ctx: &Ctx) -> Result<AllianceId> {
        let of = match self {
            Self::Problem(id) => {
                let row = list::problem::visible(ctx).filter(problem::Column::Id.eq(id)).one(ctx.read());
                row.await?.map(|row| row.alliance_id)
            }
            Self::Task(id) => {
                let row = list::task_read::visible(ctx).filter(priority_task::Column::Id.eq(id));
                row.one(ctx.read()).await?.map(|row| row.alliance_id)
            }
            Self::Whistle(id) => {
                let row = whistles::visible(ctx).filter(whistle::Column::Id.eq(id)).one(ctx.read());
                row.await?.map(|row| row.alliance_id)
            }
        };
        of.ok_or_else(|| self.missing())
    }

    const fn missing(self) -> Error {
        Error::NotFound(match self {
            Self::Problem(_) => "problem",
            Self::Task(_) => "priority_task",
            Self::Whistle(_) => "whistle",
        })
    }
}

/// A branch and a matter of one alliance, under its lock.
async fn both(
    ctx: &Ctx,
    which: Which,
    matter: Matter,
    action: Action,
) -> Result<(Tx<'_>, party_branch::Model)> {
    let of = matter.alliance(ctx).await;
    let (tx, alliance, row) = open(ctx, which, action).await?;
    if of? == alliance.id { Ok((tx, row)) } else { Err(matter.missing()) }
}

/// Says that a branch serves a matter. Only the committee may.
pub async fn link(ctx: &Ctx, which: Which, matter: Matter) -> Result<party_branch::Model> {
    let (tx, row) = both(ctx, which, matter, Action::LinkBranchMatter).await?;
    let (mut problem, mut task, mut whistle) = (None, None, None);
    match matter {
        Matter::Problem(id) => problem = Some(id),
        Matter::Task(id) => task = Some(id),
        Matter::Whistle(id) => whistle = Some(id),
    }
    let id: BranchMatterId = ctx.new_id();
    // Looked for by the statement that writes it, which saves one: nobody else links under the alliance's lock.
    let there = Entity::find().select_only().expr(Expr::val(1)).filter(stands(&row, matter)).into_query();
    let new = Query::select()
        .expr(Expr::value(id))
        .expr(Expr::value(row.alliance_id))
        .expr(Expr::value(row.id))
        .expr(Expr::value(problem))
        .expr(Expr::value(task))
        .expr(Expr::value(whistle))
        .expr(Expr::value(ctx.now()))
        .expr(Expr::value(ctx.author()))
        .and_where(Expr::exists(there).not())
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns([
            Column::Id,
            Column::AllianceId,
            Column::BranchId,
            Column::ProblemId,
            Column::TaskId,
            Column::WhistleId,
            Column::LinkedAt,
            Column::LinkedBy,
        ])
        .select_from(new)
        .map_err(Error::internal)?;
    if tx.db.execute(&insert).await?.rows_affected() == 0 {
        return Err(Error::invalid(Code::AlreadyExists, "matter"));
    }
    tx.record(fact(Event::BranchMatterLinked, &row, matter)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Takes back that a branch serves a matter; that it was said stays on record. Only the committee may.
pub async fn unlink(ctx: &Ctx, which: Which, matter: Matter) -> Result<party_branch::Model> {
    let (tx, row) = both(ctx, which, matter, Action::UnlinkBranchMatter).await?;
    let unlinked = Entity::update_many()
        .col_expr(Column::UnlinkedAt, Expr::value(ctx.now()))
        .col_expr(Column::UnlinkedBy, Expr::value(ctx.author()))
        .filter(stands(&row, matter))
        .exec(&tx.db)
        .await?;
    if unlinked.rows_affected == 0 {
        return Err(Error::invalid(Code::NotLinked, "matter"));
    }
    tx.record(fact(Event::BranchMatterUnlinked, &row, matter)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Holds for what says that a branch serves a matter, until it is taken back.
fn stands(row: &party_branch::Model, matter: Matter) -> Condition {
    Condition::all().add(Column::BranchId.eq(row.id)).add(Column::UnlinkedAt.is_null()).add(matter.is())
}

fn fact(kind: Event, row: &party_branch::Model, matter: Matter) -> Fact {
    let (name, id) = match matter {
        Matter::Problem(id) => ("problemId", id.to_string()),
        Matter::Task(id) => ("taskId", id.to_string()),
        Matter::Whistle(id) => ("whistleId", id.to_string()),
    };
    Fact::of(kind, row.id).alliance(row.alliance_id).detail("name", row.name.clone()).detail(name, id)
}
