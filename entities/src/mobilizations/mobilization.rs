//! A mobilisation (红色动员令): an alliance calls units and people to its communities.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, MobilizationId};

/// Where an order stands.
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
pub enum State {
    /// Being written; nobody but the committee sees it.
    Draft,
    /// Issued: units are called and people check in.
    Issued,
    /// Stood down.
    StoodDown,
    /// Discarded before it was issued.
    Discarded,
}

/// A mobilisation (红色动员令): an alliance calls units and people to its communities.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationId,
    /// The alliance that orders it.
    pub alliance_id: AllianceId,
    /// Year of its number.
    pub year: i32,
    /// Gap-free within alliance and year.
    pub seq: i32,
    /// Year and place within it in one number, for lists in their order.
    pub ordinal: i64,
    /// The number as shown.
    #[sea_orm(column_type = "String(StringLen::N(96))")]
    pub number: String,
    /// In a few words.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// What it is ordered for.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Where it stands.
    pub state: State,
    /// The path of the alliance's territory.
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub territory: String,
    /// When it was drafted.
    pub drafted_at: DateTimeUtc,
    /// Who drafted it.
    pub drafted_by: Option<AccountId>,
    /// When it was issued.
    pub issued_at: Option<DateTimeUtc>,
    /// Who issued it.
    pub issued_by: Option<AccountId>,
    /// When it was stood down or discarded.
    pub ended_at: Option<DateTimeUtc>,
    /// Who stood it down or discarded it.
    pub ended_by: Option<AccountId>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub end_reason: Option<String>,
    /// Grows by one with every change of its own; check-ins and answers of units leave it.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
