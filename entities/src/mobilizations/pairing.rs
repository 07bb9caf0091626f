//! A pairing (包保): a unit is responsible for a community, compound or building, from one day up to another.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, OrganizationId, PairingId, RegionId};

/// A pairing (包保): a unit is responsible for a place, from one day up to another.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pairing")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PairingId,
    /// The alliance whose member the unit is.
    pub alliance_id: AllianceId,
    /// The unit.
    pub organization_id: OrganizationId,
    /// The place.
    pub region_id: RegionId,
    /// The first day.
    pub since_on: Date,
    /// The first day on which it no longer holds; absent as long as nobody says.
    pub until_on: Option<Date>,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
    /// Who recorded it.
    pub recorded_by: Option<AccountId>,
    /// Who last said when it ends.
    pub ended_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
