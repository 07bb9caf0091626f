//! Which task of a later list stands for which unfinished one of an earlier.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, PriorityTaskId};

/// Which task of a later list stands for which unfinished one of an earlier.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_carry_over")]
pub struct Model {
    /// The later task.
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: PriorityTaskId,
    /// The earlier one, which has one successor at most.
    #[sea_orm(unique)]
    pub from_task_id: PriorityTaskId,
    /// When.
    pub carried_at: DateTimeUtc,
    /// Who.
    pub carried_by: Option<AccountId>,
    /// What the earlier one, where it had parts, had come to by then: above the line, a whole number of any length.
    #[sea_orm(column_type = "Text", nullable)]
    pub numerator: Option<String>,
    /// Below the line.
    #[sea_orm(column_type = "Text", nullable)]
    pub denominator: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<super::priority_task::Entity>,
    #[sea_orm(belongs_to, relation_enum = "FromTask", from = "from_task_id", to = "id")]
    pub from_task: BelongsTo<super::priority_task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
