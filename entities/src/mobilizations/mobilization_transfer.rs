//! A person who was in one place and then in another, or was told late to have been elsewhere before.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, MobilizationCheckInId, MobilizationId, MobilizationTransferId, RegionId};

/// A person who was in one place and then in another.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_transfer")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationTransferId,
    /// The order.
    pub mobilization_id: MobilizationId,
    /// Whose.
    pub check_in_id: MobilizationCheckInId,
    /// Where the person was.
    pub from_region_id: RegionId,
    /// Where the person is then.
    pub to_region_id: RegionId,
    /// When the person came there; of what was told late, when the person was where they no longer were.
    pub at: DateTimeUtc,
    /// Whether it was told late: the person was elsewhere already and did not move.
    pub is_superseded: bool,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
    /// Who recorded it.
    pub recorded_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "CheckIn", from = "check_in_id", to = "id")]
    pub check_in: BelongsTo<super::mobilization_check_in::Entity>,
    #[sea_orm(belongs_to, relation_enum = "FromRegion", from = "from_region_id", to = "id")]
    pub from_region: BelongsTo<crate::territory::region::Entity>,
    #[sea_orm(belongs_to, relation_enum = "ToRegion", from = "to_region_id", to = "id")]
    pub to_region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
