//! An alliance that a key may read.

use sea_orm::entity::prelude::*;

use crate::id::{AllianceId, ApiKeyId};

/// An alliance that a key may read.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_scope")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub api_key_id: ApiKeyId,
    /// The alliance.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    #[sea_orm(belongs_to, relation_enum = "ApiKey", from = "api_key_id", to = "id")]
    pub api_key: BelongsTo<super::api_key::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
