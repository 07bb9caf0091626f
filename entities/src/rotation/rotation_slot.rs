//! One turn: the team on duty from one day up to another.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, RotationPlanId, RotationSlotId, ServiceTeamId};

/// Whether the generator or the committee chose the team.
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
pub enum Origin {
    Generated,
    Assigned,
}

/// Where the duty stands.
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
    Scheduled,
    Announced,
    CheckedIn,
    InService,
    HandingOver,
    HandedOver,
    Missed,
    Excused,
}

/// One turn: the team on duty from one day up to another.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rotation_slot")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RotationSlotId,
    /// Where.
    pub alliance_id: AllianceId,
    /// Its plan.
    pub plan_id: RotationPlanId,
    /// 1 for the first turn of the plan.
    pub number: i32,
    /// First day, in the alliance's time zone.
    pub starts_on: Date,
    /// First day after it.
    pub ends_on: Date,
    /// The team on duty.
    pub team_id: ServiceTeamId,
    /// Whether the generator or the committee chose the team.
    pub origin: Origin,
    /// Where the duty stands.
    pub state: State,
    /// Why it was excused or assigned by hand.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// When it was found missed.
    pub missed_at: Option<DateTimeUtc>,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Plan", from = "plan_id", to = "id")]
    pub plan: BelongsTo<super::rotation_plan::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Team", from = "team_id", to = "id")]
    pub team: BelongsTo<crate::governance::service_team::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
