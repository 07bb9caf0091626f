//! What the chains had come to at an instant, signed.

use sea_orm::entity::prelude::*;

/// What the chains had come to at an instant, signed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "checkpoint")]
pub struct Model {
    /// The last position that was given then.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// When.
    pub made_at: DateTimeUtc,
    /// The signed statement as JSON, the same text as the line outside the database.
    #[sea_orm(column_type = "Text")]
    pub line: String,
}

impl ActiveModelBehavior for ActiveModel {}
