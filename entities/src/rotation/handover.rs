//! The outgoing team hands its open items to the incoming one, who acknowledges.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, HandoverId, RotationSlotId};

/// The outgoing team hands its open items to the incoming one, who acknowledges.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "handover")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HandoverId,
    /// Where.
    pub alliance_id: AllianceId,
    /// The outgoing duty.
    #[sea_orm(unique)]
    pub slot_id: RotationSlotId,
    /// The incoming duty.
    pub next_slot_id: RotationSlotId,
    /// What the outgoing team says.
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    /// Who handed over.
    pub offered_by: Option<AccountId>,
    /// When.
    pub offered_at: DateTimeUtc,
    /// Who acknowledged for the incoming team.
    pub acknowledged_by: Option<AccountId>,
    /// When.
    pub acknowledged_at: Option<DateTimeUtc>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Slot", from = "slot_id", to = "id")]
    pub slot: BelongsTo<super::rotation_slot::Entity>,
    #[sea_orm(belongs_to, relation_enum = "NextSlot", from = "next_slot_id", to = "id")]
    pub next_slot: BelongsTo<super::rotation_slot::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
