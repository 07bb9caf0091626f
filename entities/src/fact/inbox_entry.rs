//! What a person should look at, drawn from one event.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, EventId, InboxEntryId};

/// Why it is shown.
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
pub enum Kind {
    Assigned,
    Returned,
    Due,
    Published,
    Swapped,
    Recalled,
    Closed,
}

/// What a person should look at, drawn from one event.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox_entry")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InboxEntryId,
    /// Whose inbox.
    pub account_id: AccountId,
    /// Where it happened.
    pub alliance_id: Option<AllianceId>,
    /// What happened.
    pub event_id: EventId,
    /// The event's position.
    pub position: i64,
    /// Why it is shown.
    pub kind: Kind,
    /// Noun of the object.
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub subject_kind: String,
    /// The object.
    pub subject_id: Uuid,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it was read.
    pub read_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<crate::identity::account::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<Option<crate::governance::alliance::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Event", from = "event_id", to = "id")]
    pub event: BelongsTo<super::event::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
