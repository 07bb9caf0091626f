//! A role that a person holds in an alliance, perhaps for a member organisation or a community.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, OrganizationId, RegionId, SeatId};

/// As what.
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
    Committee,
    Approver,
    MemberManager,
    MemberStaff,
    CommunityOfficer,
    GridOfficer,
    Verifier,
    Observer,
}

/// Only active seats give rights.
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
pub enum State {
    Active,
    Suspended,
    Ended,
}

/// A role that a person holds in an alliance, perhaps for a member organisation or a community.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seat")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SeatId,
    /// Who.
    pub account_id: AccountId,
    /// Where.
    pub alliance_id: AllianceId,
    /// As what.
    pub role: Role,
    /// The member organisation, community or station the person acts for.
    pub organization_id: Option<OrganizationId>,
    /// The community that an officer is responsible for.
    pub region_id: Option<RegionId>,
    /// Only active seats give rights.
    pub state: State,
    /// Who gave it.
    pub granted_by: Option<AccountId>,
    /// When.
    pub granted_at: DateTimeUtc,
    /// When it ended.
    pub ended_at: Option<DateTimeUtc>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<super::account::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
