//! A document that a key is bound to.

use sea_orm::entity::prelude::*;

use crate::id::ApiKeyId;

/// A document that a key is bound to.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_document")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub api_key_id: ApiKeyId,
    /// SHA-256 of the text.
    #[sea_orm(primary_key, auto_increment = false, column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// The GraphQL text.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    #[sea_orm(belongs_to, relation_enum = "ApiKey", from = "api_key_id", to = "id")]
    pub api_key: BelongsTo<super::api_key::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
