//! What the digests of persons of an alliance are salted with: the same person is recognised within it, and nowhere else.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// What the digests of persons of an alliance are salted with.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person_salt")]
pub struct Model {
    /// The alliance.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    /// The key of its digests.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub salt: Vec<u8>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
