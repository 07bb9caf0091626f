//! An event that waits for its seal; filled by a trigger, emptied by the sealer.

use sea_orm::entity::prelude::*;

use crate::id::EventId;

/// An event that waits for its seal; filled by a trigger, emptied by the sealer.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_pending")]
pub struct Model {
    /// Order in which events were written.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The event.
    #[sea_orm(unique)]
    pub event_id: EventId,
    #[sea_orm(belongs_to, relation_enum = "Event", from = "event_id", to = "id")]
    pub event: BelongsTo<super::event::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
