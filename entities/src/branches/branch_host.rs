//! Where a branch is at home, from one day up to another: a region, a grid cell, an organisation, or a place without a record of its own.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, BranchHostId, GridCellId, OrganizationId, PartyBranchId, RegionId};

/// What kind of host it is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A region that is no compound.
    Region,
    /// A compound (小区).
    Compound,
    /// A grid cell (网格).
    GridCell,
    /// An organisation.
    Organization,
    /// A market.
    Market,
    /// A ship.
    Ship,
    /// A fleet.
    Fleet,
    /// A courier station.
    CourierStation,
    /// A cooperative.
    Cooperative,
}

/// Where a branch is at home.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "branch_host")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BranchHostId,
    /// Whose branch it is.
    pub alliance_id: AllianceId,
    /// The branch.
    pub branch_id: PartyBranchId,
    /// What kind of host it is.
    pub kind: Kind,
    /// The region, of a region or compound.
    pub region_id: Option<RegionId>,
    /// The cell, of a grid cell.
    pub cell_id: Option<GridCellId>,
    /// The organisation, of an organisation.
    pub organization_id: Option<OrganizationId>,
    /// The name, of what has no record.
    #[sea_orm(column_type = "String(StringLen::N(128))", nullable)]
    pub name: Option<String>,
    /// The first day.
    pub since_on: Date,
    /// The first day on which it hosts the branch no more.
    pub until_on: Option<Date>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Branch", from = "branch_id", to = "id")]
    pub branch: BelongsTo<super::party_branch::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Cell", from = "cell_id", to = "id")]
    pub cell: BelongsTo<Option<crate::grids::grid_cell::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
