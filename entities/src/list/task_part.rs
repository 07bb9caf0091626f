//! A task of a lower alliance as part of a task above it.

use sea_orm::entity::prelude::*;

use crate::id::PriorityTaskId;

/// A task of a lower alliance as part of a task above it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_part")]
pub struct Model {
    /// The part.
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: PriorityTaskId,
    /// The task above.
    pub parent_task_id: PriorityTaskId,
    /// What it weighs among the parts, 1 at least.
    pub weight: i32,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<super::priority_task::Entity>,
    #[sea_orm(belongs_to, relation_enum = "ParentTask", from = "parent_task_id", to = "id")]
    pub parent_task: BelongsTo<super::priority_task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
