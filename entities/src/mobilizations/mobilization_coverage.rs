//! How many people a place needs and has: a counter that every change of needs and every check-in moves in its own transaction.

use sea_orm::entity::prelude::*;

use crate::id::{MobilizationId, RegionId};

/// How many people a place needs and has.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_coverage")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mobilization_id: MobilizationId,
    /// The place: a village, natural village, compound or building.
    #[sea_orm(primary_key, auto_increment = false)]
    pub region_id: RegionId,
    /// Its path, so that sums over a subtree need no register of regions.
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub path: String,
    /// How many people it needs.
    pub needed: i32,
    /// How many are there.
    pub present: i32,
    /// When it first had as many as it needs.
    pub covered_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
