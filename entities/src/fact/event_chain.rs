//! The head of a hash chain.

use sea_orm::entity::prelude::*;

/// The head of a hash chain.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_chain")]
pub struct Model {
    /// The alliance, or nil for the platform's chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: Uuid,
    /// Links so far.
    pub length: i64,
    /// Hash of the last link.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
