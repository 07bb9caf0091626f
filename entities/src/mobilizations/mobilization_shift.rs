//! A span of time in which a place needs a number of people.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, MobilizationId, MobilizationShiftId, RegionId};

/// A span of time in which a place needs a number of people.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_shift")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationShiftId,
    /// The order.
    pub mobilization_id: MobilizationId,
    /// The place.
    pub region_id: RegionId,
    /// When it begins.
    pub starts_at: DateTimeUtc,
    /// When it ends.
    pub ends_at: DateTimeUtc,
    /// How many people it needs.
    pub needed: i32,
    /// When it was set up.
    pub added_at: DateTimeUtc,
    /// Who set it up.
    pub added_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
