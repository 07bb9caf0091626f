//! Two slots whose teams change places once both agree and the committee approves.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, RotationPlanId, RotationSlotId, RotationSwapId, ServiceTeamId};

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
    Proposed,
    Agreed,
    Approved,
    Declined,
    Withdrawn,
}

/// Two slots whose teams change places once both agree and the committee approves.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rotation_swap")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RotationSwapId,
    /// Where.
    pub alliance_id: AllianceId,
    /// The plan.
    pub plan_id: RotationPlanId,
    /// The slot of the team that asks.
    pub first_slot_id: RotationSlotId,
    /// The slot it asks for.
    pub second_slot_id: RotationSlotId,
    /// Team of the first slot when it was asked.
    pub first_team_id: ServiceTeamId,
    /// Team of the second slot when it was asked.
    pub second_team_id: ServiceTeamId,
    /// Version of the first slot when it was asked.
    pub first_slot_version: i64,
    /// Version of the second slot when it was asked.
    pub second_slot_version: i64,
    /// Where it stands.
    pub state: State,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Who asked.
    pub proposed_by: Option<AccountId>,
    /// Who agreed for the first team.
    pub first_agreed_by: Option<AccountId>,
    /// When.
    pub first_agreed_at: Option<DateTimeUtc>,
    /// Whether the committee agreed in the first team's place.
    pub first_by_committee: bool,
    /// Who agreed for the second team.
    pub second_agreed_by: Option<AccountId>,
    /// When.
    pub second_agreed_at: Option<DateTimeUtc>,
    /// Whether the committee agreed in the second team's place.
    pub second_by_committee: bool,
    /// Who approved or declined.
    pub decided_by: Option<AccountId>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// When it was asked.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Plan", from = "plan_id", to = "id")]
    pub plan: BelongsTo<super::rotation_plan::Entity>,
    #[sea_orm(belongs_to, relation_enum = "FirstSlot", from = "first_slot_id", to = "id")]
    pub first_slot: BelongsTo<super::rotation_slot::Entity>,
    #[sea_orm(belongs_to, relation_enum = "SecondSlot", from = "second_slot_id", to = "id")]
    pub second_slot: BelongsTo<super::rotation_slot::Entity>,
    #[sea_orm(belongs_to, relation_enum = "FirstTeam", from = "first_team_id", to = "id")]
    pub first_team: BelongsTo<crate::governance::service_team::Entity>,
    #[sea_orm(belongs_to, relation_enum = "SecondTeam", from = "second_team_id", to = "id")]
    pub second_team: BelongsTo<crate::governance::service_team::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
