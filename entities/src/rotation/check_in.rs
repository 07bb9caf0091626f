//! A team reported for duty: who came, when, where.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, CheckInId, RotationSlotId};

/// A team reported for duty: who came, when, where.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "check_in")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CheckInId,
    /// The duty.
    pub slot_id: RotationSlotId,
    /// Where.
    pub alliance_id: AllianceId,
    /// When they came.
    pub came_at: DateTimeUtc,
    /// Where they reported.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub place: String,
    /// How many came.
    pub head_count: i32,
    /// Who came, as the roll was written.
    #[sea_orm(column_type = "Text", nullable)]
    pub attendees: Option<String>,
    /// Who wrote it down.
    pub recorded_by: Option<AccountId>,
    /// When.
    pub recorded_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Slot", from = "slot_id", to = "id")]
    pub slot: BelongsTo<super::rotation_slot::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
