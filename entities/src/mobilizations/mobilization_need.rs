//! How many people a place needs for a kind of work.

use sea_orm::entity::prelude::*;

use crate::id::{MobilizationId, MobilizationNeedId, RegionId};

/// How many people a place needs for a kind of work.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_need")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationNeedId,
    /// The order.
    pub mobilization_id: MobilizationId,
    /// The place.
    pub region_id: RegionId,
    /// The kind of work.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub work: String,
    /// How many people; none any more where the need was taken back.
    pub needed: i32,
    /// When it was last said.
    pub set_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
