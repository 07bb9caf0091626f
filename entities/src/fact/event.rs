//! One recorded fact: audit log, outbox and source of subscriptions in one.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, EventId};

/// Whether a person or the platform acted.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
pub enum ActorKind {
    #[default]
    Account,
    System,
}

/// One recorded fact: audit log, outbox and source of subscriptions in one.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// The alliance whose chain it joins; absent for the platform's own.
    pub alliance_id: Option<AllianceId>,
    /// What happened, in the past tense.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub kind: String,
    /// Whether a person or the platform acted.
    pub actor_kind: ActorKind,
    /// Who.
    pub actor_id: Option<AccountId>,
    /// Noun of the object it happened to.
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub subject_kind: String,
    /// The object.
    pub subject_id: Uuid,
    /// Organisations concerned, as a JSON list of identifiers.
    #[sea_orm(column_type = "Text")]
    pub organization_ids: String,
    /// When.
    pub occurred_at: DateTimeUtc,
    /// SHA-256 over salt and payload.
    #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
    pub digest: Vec<u8>,
    /// Removed by an erasure.
    #[sea_orm(column_type = "VarBinary(StringLen::N(16))", nullable)]
    pub salt: Option<Vec<u8>>,
    /// Details as JSON text; removed by an erasure.
    #[sea_orm(column_type = "Text", nullable)]
    pub payload: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<Option<crate::governance::alliance::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
