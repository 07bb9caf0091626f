//! What a branch serves: a problem, a task or a whistle of its own alliance.

use concord_entities::{
    branch_matter::{self, Column, Entity},
    id::{AllianceId, PriorityTaskId, ProblemId, WhistleId},
    party_branch, priority_task, problem, whistle,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, SimpleExpr},
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
    if Entity::find().filter(stands(&row, matter)).one(&tx.db).await?.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "matter"));
    }
    let (mut problem, mut task, mut whistle) = (None, None, None);
    match matter {
        Matter::Problem(id) => problem = Some(id),
        Matter::Task(id) => task = Some(id),
        Matter::Whistle(id) => whistle = Some(id),
    }
    let new = branch_matter::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(row.alliance_id),
        branch_id: Set(row.id),
        problem_id: Set(problem),
        task_id: Set(task),
        whistle_id: Set(whistle),
        linked_at: Set(ctx.now()),
        linked_by: Set(ctx.author()),
        unlinked_at: Set(None),
        unlinked_by: Set(None),
    };
    new.insert(&tx.db).await?;
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
