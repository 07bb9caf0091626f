//! What a branch serves: a problem, a task or a whistle of its own alliance.

use concord_entities::{
    branch_matter::{self, Column, Entity},
    id::{AllianceId, PriorityTaskId, ProblemId, WhistleId},
    party_branch, priority_task, problem, whistle,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::SimpleExpr,
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

    /// Turns away what the caller may not see, or what is another alliance's.
    async fn require(self, tx: &Tx<'_>, alliance: AllianceId) -> Result<()> {
        let ctx = tx.ctx;
        match self {
            Self::Problem(id) => {
                let row = list::problem::visible(ctx)
                    .filter(problem::Column::Id.eq(id))
                    .filter(problem::Column::AllianceId.eq(alliance));
                row.one(&tx.db).await?.map(drop).ok_or(Error::NotFound("problem"))
            }
            Self::Task(id) => {
                let row = list::task_read::visible(ctx)
                    .filter(priority_task::Column::Id.eq(id))
                    .filter(priority_task::Column::AllianceId.eq(alliance));
                row.one(&tx.db).await?.map(drop).ok_or(Error::NotFound("priority_task"))
            }
            Self::Whistle(id) => {
                let row = whistles::visible(ctx)
                    .filter(whistle::Column::Id.eq(id))
                    .filter(whistle::Column::AllianceId.eq(alliance));
                row.one(&tx.db).await?.map(drop).ok_or(Error::NotFound("whistle"))
            }
        }
    }
}

/// Says that a branch serves a matter. Only the committee may.
pub async fn link(ctx: &Ctx, which: Which, matter: Matter) -> Result<party_branch::Model> {
    let tx = ctx.begin().await?;
    let (alliance, row) = open(&tx, which, Action::LinkBranchMatter).await?;
    matter.require(&tx, alliance.id).await?;
    let linked = Entity::find().filter(Column::BranchId.eq(row.id)).filter(matter.is());
    if linked.one(&tx.db).await?.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "matter"));
    }
    let (mut problem, mut task, mut whistle) = (None, None, None);
    let (name, id) = match matter {
        Matter::Problem(id) => ("problemId", problem.insert(id).0),
        Matter::Task(id) => ("taskId", task.insert(id).0),
        Matter::Whistle(id) => ("whistleId", whistle.insert(id).0),
    };
    let new = branch_matter::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(alliance.id),
        branch_id: Set(row.id),
        problem_id: Set(problem),
        task_id: Set(task),
        whistle_id: Set(whistle),
        linked_at: Set(ctx.now()),
        linked_by: Set(ctx.author()),
    };
    new.insert(&tx.db).await?;
    let fact = Fact::of(Event::BranchMatterLinked, row.id).alliance(alliance.id);
    tx.record(fact.detail("name", row.name.clone()).detail(name, id.to_string())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
