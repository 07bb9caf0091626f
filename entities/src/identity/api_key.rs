//! A read-only key of a dashboard, kept as a hash and shown once.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, ApiKeyId};

/// A read-only key of a dashboard, kept as a hash and shown once.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// What it is for.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub name: String,
    /// The part shown in lists and logs.
    #[sea_orm(unique, column_type = "String(StringLen::N(16))")]
    pub prefix: String,
    /// SHA-256 of the whole key.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// The alliance whose managers keep it.
    pub alliance_id: AllianceId,
    /// Who made it.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Whether it runs only the documents that were registered with it.
    pub is_bound: bool,
    /// When it lapses.
    pub expires_at: DateTimeUtc,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeUtc>,
    /// Last use, recorded off the request path.
    pub last_used_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
