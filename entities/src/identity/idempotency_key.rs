//! A client's key of one mutation, claimed in the verb's own transaction and kept 24 hours.

use sea_orm::entity::prelude::*;

/// A client's key of one mutation, claimed in the verb's own transaction and kept 24 hours.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_key")]
pub struct Model {
    /// Who sent it.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(64))")]
    pub actor: String,
    /// The client's key.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(255))")]
    pub key: String,
    /// SHA-256 of operation and variables.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub digest: Vec<u8>,
    /// The object the mutation answered with.
    pub result_id: Option<Uuid>,
    /// When it was claimed.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
