//! A docking meeting (对接会) of the team with the committee, a community or a station's branch.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, DockingId, OrganizationId, RegionId, RotationSlotId};

/// With whom.
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
pub enum Counterpart {
    Committee,
    Community,
    StationBranch,
}

/// A docking meeting (对接会) of the team with the committee, a community or a station's branch.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "docking")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DockingId,
    /// The duty.
    pub slot_id: RotationSlotId,
    /// Where.
    pub alliance_id: AllianceId,
    /// With whom.
    pub counterpart: Counterpart,
    /// The community.
    pub region_id: Option<RegionId>,
    /// The station, office or community committee.
    pub organization_id: Option<OrganizationId>,
    /// When.
    pub held_at: DateTimeUtc,
    /// Where.
    #[sea_orm(column_type = "String(StringLen::N(200))", nullable)]
    pub place: Option<String>,
    /// What was agreed.
    #[sea_orm(column_type = "Text", nullable)]
    pub minutes: Option<String>,
    /// Whether it confirmed the priority task list.
    pub confirms_tasks: bool,
    /// Whether it confirmed the problem-closure list.
    pub confirms_problems: bool,
    /// Who wrote it down.
    pub recorded_by: Option<AccountId>,
    /// When.
    pub recorded_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Slot", from = "slot_id", to = "id")]
    pub slot: BelongsTo<super::rotation_slot::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
