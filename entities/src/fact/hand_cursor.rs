//! How far one of the background hands has read.

use sea_orm::entity::prelude::*;

/// How far one of the background hands has read.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hand_cursor")]
pub struct Model {
    /// The hand.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(32))")]
    pub name: String,
    /// The last position it has dealt with.
    pub position: i64,
    /// When.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
