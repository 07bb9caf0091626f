//! What a branch serves: a problem, a task or a whistle of its own alliance.

use concord_entities::{
    branch_matter::{self, Column, Entity},
    id::{AllianceId, PriorityTaskId, ProblemId, WhistleId},
    party_branch, priority_task, problem, whistle,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::SimpleExpr,
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
    if standing(&tx, &row, matter).await?.is_some() {
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
        alliance_id: Set(alliance.id),
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
    let tx = ctx.begin().await?;
    let (alliance, row) = open(&tx, which, Action::UnlinkBranchMatter).await?;
    matter.require(&tx, alliance.id).await?;
    let linked = standing(&tx, &row, matter).await?;
    let linked = linked.ok_or_else(|| Error::invalid(Code::NotLinked, "matter"))?;
    let change = branch_matter::ActiveModel {
        unlinked_at: Set(Some(ctx.now())),
        unlinked_by: Set(ctx.author()),
        ..linked.into_active_model()
    };
    change.update(&tx.db).await?;
    tx.record(fact(Event::BranchMatterUnlinked, &row, matter)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// What says that a branch serves a matter, until it is taken back.
async fn standing(
    tx: &Tx<'_>,
    row: &party_branch::Model,
    matter: Matter,
) -> Result<Option<branch_matter::Model>> {
    let linked = Entity::find().filter(Column::BranchId.eq(row.id)).filter(Column::UnlinkedAt.is_null());
    Ok(linked.filter(matter.is()).one(&tx.db).await?)
}

fn fact(kind: Event, row: &party_branch::Model, matter: Matter) -> Fact {
    let (name, id) = match matter {
        Matter::Problem(id) => ("problemId", id.to_string()),
        Matter::Task(id) => ("taskId", id.to_string()),
        Matter::Whistle(id) => ("whistleId", id.to_string()),
    };
    Fact::of(kind, row.id).alliance(row.alliance_id).detail("name", row.name.clone()).detail(name, id)
}
