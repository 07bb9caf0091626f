//! A unit: government unit, enterprise, property firm, volunteer group and so on.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{OrganizationId, RegionId};

/// What kind of unit it is.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
    #[default]
    GovernmentUnit,
    PublicInstitution,
    Enterprise,
    PropertyManagement,
    VolunteerGroup,
    SocialOrganization,
    Cooperative,
    SchoolOrHospital,
    StationOrOffice,
    CommunityCommittee,
    TownCommittee,
    MilitaryUnit,
}

/// A unit: government unit, enterprise, property firm, volunteer group and so on.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// Full name.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    /// Name as used in lists.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub short_name: Option<String>,
    /// What kind of unit it is.
    pub kind: Kind,
    /// Unified social credit code, where it has one.
    #[sea_orm(unique, column_type = "String(StringLen::N(18))", nullable)]
    pub credit_code: Option<String>,
    /// Where it is registered or, for a community, what it governs.
    pub region_id: Option<RegionId>,
    /// When it was first recorded.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
