//! The last number given to a mobilisation in a year.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// The last number given to a mobilisation in a year.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_sequence")]
pub struct Model {
    /// The alliance.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    /// The year.
    #[sea_orm(primary_key, auto_increment = false)]
    pub year: i32,
    /// The number given last.
    pub last: i32,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
