//! An instructor (党建指导员) who serves a place that has no branch, from one day up to another.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, BranchInstructorId, GridCellId, OrganizationId, RegionId};

/// An instructor who serves a place that has no branch.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "branch_instructor")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BranchInstructorId,
    /// Whose territory it is.
    pub alliance_id: AllianceId,
    /// The unit that the person is of.
    pub organization_id: OrganizationId,
    /// Name, masked outside the unit.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub name: String,
    /// Phone, masked outside the unit.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub phone: Option<String>,
    /// The community, compound or other region that is served, if it is one.
    pub region_id: Option<RegionId>,
    /// The grid cell, if it is one.
    pub cell_id: Option<GridCellId>,
    /// The enterprise or other organisation, if it is one.
    pub served_organization_id: Option<OrganizationId>,
    /// The market's name, if it is one.
    #[sea_orm(column_type = "String(StringLen::N(128))", nullable)]
    pub market: Option<String>,
    /// The first day.
    pub since_on: Date,
    /// The first day on which the person serves it no more.
    pub until_on: Option<Date>,
    /// When it was recorded.
    pub created_at: DateTimeUtc,
    /// Who recorded it.
    pub created_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Cell", from = "cell_id", to = "id")]
    pub cell: BelongsTo<Option<crate::grids::grid_cell::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "ServedOrganization", from = "served_organization_id", to = "id")]
    pub served_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
