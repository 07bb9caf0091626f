//! A home report (双报到): an in-service member reports to their home community. Who it is stands here as a digest alone.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, HomeReportId, OrganizationId, RegionId};

/// A home report (双报到): an in-service member reports to their home community.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "home_report")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HomeReportId,
    /// The alliance.
    pub alliance_id: AllianceId,
    /// The unit that the member works for.
    pub organization_id: OrganizationId,
    /// The community.
    pub region_id: RegionId,
    /// A keyed digest of what the alliance calls the person.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub person: Vec<u8>,
    /// When it was recorded.
    pub reported_at: DateTimeUtc,
    /// Who recorded it.
    pub reported_by: Option<AccountId>,
    /// Whether one elsewhere, or of another unit, gave way to it.
    pub is_move: bool,
    /// When it ended, or gave way to one elsewhere.
    pub ended_at: Option<DateTimeUtc>,
    /// Who ended it.
    pub ended_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
