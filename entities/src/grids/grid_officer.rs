//! A person who holds a grid cell in a role from one day up to another. The same person may hold several.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, GridCellId, GridOfficerId, OrganizationId};

/// In which role.
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
pub enum Role {
    /// Head of the cell (网格长).
    GridHead,
    /// Grid officer (网格员).
    GridOfficer,
    /// Head of the cell's Party group (党小组长).
    PartyGroupHead,
    /// Police officer (民警).
    PoliceOfficer,
    /// Auxiliary police (辅警).
    AuxiliaryPolice,
    /// Security director of a village (治保主任).
    SecurityDirector,
}

/// A person who holds a grid cell in a role.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grid_officer")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GridOfficerId,
    /// Whose cell it is.
    pub alliance_id: AllianceId,
    /// The cell.
    pub cell_id: GridCellId,
    /// The unit that the person is of.
    pub organization_id: OrganizationId,
    /// In which role.
    pub role: Role,
    /// Name, masked outside the unit.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub name: String,
    /// Phone, masked outside the unit.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub phone: Option<String>,
    /// Whether it is the main one of the cell and role.
    pub is_main: bool,
    /// The first day.
    pub since_on: Date,
    /// The first day on which the person holds it no more.
    pub until_on: Option<Date>,
    /// When it was recorded.
    pub created_at: DateTimeUtc,
    /// Who recorded it.
    pub created_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Cell", from = "cell_id", to = "id")]
    pub cell: BelongsTo<super::grid_cell::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
