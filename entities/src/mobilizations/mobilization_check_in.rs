//! A person who came: one row for each person of an order, wherever they go. Who it is stands here as a digest alone.

use sea_orm::entity::prelude::*;

use crate::id::{
    AccountId, AllianceId, MobilizationCheckInId, MobilizationId, MobilizationShiftId, OrganizationId,
    RegionId,
};

/// A person who came: one row for each person of an order, wherever they go.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_check_in")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationCheckInId,
    /// The order.
    pub mobilization_id: MobilizationId,
    /// The alliance that orders it, for rights.
    pub alliance_id: AllianceId,
    /// A keyed digest of what the alliance calls the person.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub person: Vec<u8>,
    /// Where the person is.
    pub region_id: RegionId,
    /// The unit that the person came with; absent for a volunteer.
    pub organization_id: Option<OrganizationId>,
    /// The shift that the person is on.
    pub shift_id: Option<MobilizationShiftId>,
    /// When the person came there.
    pub at: DateTimeUtc,
    /// Until when the person is known to have been there; absent where that is when they came.
    pub seen_at: Option<DateTimeUtc>,
    /// Where the person came first.
    pub first_region_id: RegionId,
    /// When that was.
    pub first_at: DateTimeUtc,
    /// When the person left; absent while present.
    pub left_at: Option<DateTimeUtc>,
    /// When it was first recorded.
    pub recorded_at: DateTimeUtc,
    /// Who recorded it.
    pub recorded_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Shift", from = "shift_id", to = "id")]
    pub shift: BelongsTo<Option<super::mobilization_shift::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
