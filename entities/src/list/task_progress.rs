//! An entry of a task's progress log, which is only appended to.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, OrganizationId, PriorityTaskId, TaskProgressId};

/// An entry of a task's progress log, which is only appended to.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_progress")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaskProgressId,
    /// The task.
    pub task_id: PriorityTaskId,
    /// The unit that reports.
    pub organization_id: Option<OrganizationId>,
    /// Progress it claims, 0 to 100.
    pub percent: Option<i32>,
    /// What was done.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// Who.
    pub reported_by: Option<AccountId>,
    /// When.
    pub reported_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<super::priority_task::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
