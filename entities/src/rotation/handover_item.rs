//! A task or problem that is handed on with a turn, and what the incoming team says to it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{
    AccountId, AllianceId, HandoverId, HandoverItemId, OrganizationId, PriorityTaskId, ProblemId,
};

/// What was said to it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Pending,
    Accepted,
    Declined,
    ToCommittee,
    Assigned,
}

/// A task or problem that is handed on with a turn, and what the incoming team says to it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "handover_item")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HandoverItemId,
    /// Where.
    pub alliance_id: AllianceId,
    /// The handover.
    pub handover_id: HandoverId,
    /// The task.
    pub task_id: Option<PriorityTaskId>,
    /// The problem.
    pub problem_id: Option<ProblemId>,
    /// What was said to it.
    pub state: State,
    /// Why it was declined, or what the committee says with it.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// The unit that the committee gave it to.
    pub organization_id: Option<OrganizationId>,
    /// Who answered last.
    pub answered_by: Option<AccountId>,
    /// When.
    pub answered_at: Option<DateTimeUtc>,
    /// When it was handed on.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Handover", from = "handover_id", to = "id")]
    pub handover: BelongsTo<super::handover::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<Option<crate::list::priority_task::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<Option<crate::list::problem::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
