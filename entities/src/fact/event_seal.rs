//! The place of a committed event: a global, gap-free position and a link of its alliance's hash chain.

use sea_orm::entity::prelude::*;

use crate::id::EventId;

/// The place of a committed event: a global, gap-free position and a link of its alliance's hash chain.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_seal")]
pub struct Model {
    /// 1 for the first event of all.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The event.
    #[sea_orm(unique)]
    pub event_id: EventId,
    /// The alliance, or nil for the platform's chain.
    pub chain_id: Uuid,
    /// 1 for the first link of the chain.
    pub chain_index: i64,
    /// SHA-256 over the link before and this event.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// When.
    pub sealed_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Event", from = "event_id", to = "id")]
    pub event: BelongsTo<super::event::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
