//! A problem, task or whistle that a branch serves.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, BranchMatterId, PartyBranchId, PriorityTaskId, ProblemId, WhistleId};

/// A problem, task or whistle that a branch serves.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "branch_matter")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BranchMatterId,
    /// Whose branch and matter it is.
    pub alliance_id: AllianceId,
    /// The branch.
    pub branch_id: PartyBranchId,
    /// The problem, if it is one.
    pub problem_id: Option<ProblemId>,
    /// The task, if it is one.
    pub task_id: Option<PriorityTaskId>,
    /// The whistle, if it is one.
    pub whistle_id: Option<WhistleId>,
    /// When it was linked.
    pub linked_at: DateTimeUtc,
    /// Who linked it.
    pub linked_by: Option<AccountId>,
    /// When that was taken back.
    pub unlinked_at: Option<DateTimeUtc>,
    /// Who took it back.
    pub unlinked_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Branch", from = "branch_id", to = "id")]
    pub branch: BelongsTo<super::party_branch::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<Option<crate::list::problem::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<Option<crate::list::priority_task::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Whistle", from = "whistle_id", to = "id")]
    pub whistle: BelongsTo<Option<crate::whistles::whistle::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
