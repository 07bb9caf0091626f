//! A region that a grid cell covers from one day up to another.

use sea_orm::entity::prelude::*;

use crate::id::{AllianceId, GridCellId, RegionId};

/// A region that a grid cell covers from one day up to another.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grid_cell_region")]
pub struct Model {
    /// The cell.
    #[sea_orm(primary_key, auto_increment = false)]
    pub cell_id: GridCellId,
    /// The region, with all that lies below it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub region_id: RegionId,
    /// The first day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub since_on: Date,
    /// The first day on which it does so no more.
    pub until_on: Option<Date>,
    /// Whose cell it is.
    pub alliance_id: AllianceId,
    #[sea_orm(belongs_to, relation_enum = "Cell", from = "cell_id", to = "id")]
    pub cell: BelongsTo<super::grid_cell::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
