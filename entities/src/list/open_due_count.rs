//! How many open items of an alliance are due on a day; kept by triggers, a day without any has no row.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// How many open items of an alliance are due on a day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "open_due_count")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    /// The day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub due_on: Date,
    /// Open priority tasks.
    pub tasks: i32,
    /// Open problems, but for those whose date is not firm or that were submitted or put on account by it.
    pub problems: i32,
}

impl ActiveModelBehavior for ActiveModel {}
