//! A region over which a mobilisation is ordered, with everything below it.

use sea_orm::entity::prelude::*;

use crate::id::{MobilizationId, RegionId};

/// A region over which a mobilisation is ordered, with everything below it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_region")]
pub struct Model {
    /// The order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mobilization_id: MobilizationId,
    /// The region.
    #[sea_orm(primary_key, auto_increment = false)]
    pub region_id: RegionId,
    /// Its path.
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub path: String,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
