//! A unit that works on a task beside its lead.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, PriorityTaskId};

/// A unit that works on a task beside its lead.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_co_organizer")]
pub struct Model {
    /// The task.
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: PriorityTaskId,
    /// The unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<super::priority_task::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
