//! A step of a task with its own date.

use sea_orm::entity::prelude::*;

use crate::id::{PriorityTaskId, TaskMilestoneId};

/// A step of a task with its own date.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_milestone")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaskMilestoneId,
    /// The task.
    pub task_id: PriorityTaskId,
    /// What.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// By when.
    pub due_on: Date,
    /// When it was reached.
    pub reached_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<super::priority_task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
