//! Which teams take turns, from when, and how long a turn is.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, RotationPlanId};

/// Unit of a turn.
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
pub enum CadenceUnit {
    Month,
    Week,
}

/// Where it stands.
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
    Draft,
    Submitted,
    Approved,
    Published,
    Ended,
}

/// Which teams take turns, from when, and how long a turn is.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rotation_plan")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RotationPlanId,
    /// Where.
    pub alliance_id: AllianceId,
    /// What it is called.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub name: String,
    /// First day of the first slot; every boundary is computed from it.
    pub anchor_on: Date,
    /// Unit of a turn.
    pub cadence_unit: CadenceUnit,
    /// Units per turn.
    pub cadence_every: i32,
    /// How many turns the plan has.
    pub slot_count: i32,
    /// Where it stands.
    pub state: State,
    /// Who approved it for the oversight body.
    pub approved_by: Option<AccountId>,
    /// When.
    pub approved_at: Option<DateTimeUtc>,
    /// When the alliance was told.
    pub published_at: Option<DateTimeUtc>,
    /// When it was drafted.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
