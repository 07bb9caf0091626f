//! The priority tasks of an alliance's month.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, RotationSlotId, TaskListId};

/// Whether the members can see it.
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
pub enum State {
    #[default]
    Draft,
    Published,
    Closed,
}

/// The priority tasks of an alliance's month.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_list")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TaskListId,
    /// Where.
    pub alliance_id: AllianceId,
    /// First day of the month.
    pub month_on: Date,
    /// The duty of that month, where the alliance rotates.
    pub slot_id: Option<RotationSlotId>,
    /// What it is called.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// Whether the members can see it.
    pub state: State,
    /// When it was published.
    pub published_at: Option<DateTimeUtc>,
    /// Who drafted it.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Slot", from = "slot_id", to = "id")]
    pub slot: BelongsTo<Option<crate::rotation::rotation_slot::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
