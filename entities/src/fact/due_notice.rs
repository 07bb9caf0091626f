//! Marks that a nearing due date has been told, once.

use sea_orm::entity::prelude::*;

/// Marks that a nearing due date has been told, once.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "due_notice")]
pub struct Model {
    /// The task or problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
    /// The date that nears.
    #[sea_orm(primary_key, auto_increment = false)]
    pub due_on: Date,
    /// When it was told.
    pub noted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
