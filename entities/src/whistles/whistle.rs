//! A whistle (吹哨): a town calls departments to report in (报到) for what is beyond its own power.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, OrganizationId, ProblemId, RegionId, WhistleId};

/// What a whistle is blown for.
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
    /// Comprehensive enforcement (综合执法).
    Enforcement,
    /// Priority work (重点工作).
    PriorityWork,
    /// An emergency (应急处置): whoever is called cannot refuse.
    Emergency,
}

/// Where a whistle stands.
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
    /// Applied for.
    Applied,
    /// Approved by the town's leader.
    Approved,
    /// Sounded: the departments are called.
    Sounded,
    /// Every department that came is released.
    Released,
    /// The leader rejected the application.
    Rejected,
    /// Withdrawn before it was sounded.
    Withdrawn,
    /// Called off after it was sounded.
    CalledOff,
}

/// A whistle (吹哨): a town calls departments for what is beyond its own power.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whistle")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WhistleId,
    /// The town that blows it.
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
    /// What it is blown for.
    pub kind: Kind,
    /// In a few words.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// What the departments are wanted for.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Where, in words.
    #[sea_orm(column_type = "String(StringLen::N(300))", nullable)]
    pub place: Option<String>,
    /// The region it lies in.
    pub region_id: Option<RegionId>,
    /// The problem that it serves.
    pub problem_id: Option<ProblemId>,
    /// Where it stands.
    pub state: State,
    /// The unit that takes what nobody accepts (兜底单位).
    pub backstop_organization_id: Option<OrganizationId>,
    /// The alliance above that calls its own members too, where it was escalated.
    pub escalated_to_id: Option<AllianceId>,
    /// When it was last escalated.
    pub escalated_at: Option<DateTimeUtc>,
    /// Why it was last rejected, withdrawn, called off or escalated.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// How often a call was refused.
    pub refused_count: i32,
    /// When it was applied for.
    pub applied_at: DateTimeUtc,
    /// Who applied.
    pub applied_by: Option<AccountId>,
    /// When it was approved or rejected.
    pub approved_at: Option<DateTimeUtc>,
    /// Who decided.
    pub approved_by: Option<AccountId>,
    /// When it was sounded.
    pub sounded_at: Option<DateTimeUtc>,
    /// Who sounded it.
    pub sounded_by: Option<AccountId>,
    /// When it ended, whichever way.
    pub ended_at: Option<DateTimeUtc>,
    /// Grows by one with every change of its own; its calls have versions of theirs.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "EscalatedTo", from = "escalated_to_id", to = "id")]
    pub escalated_to: BelongsTo<Option<crate::governance::alliance::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<Option<crate::list::problem::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "BackstopOrganization",
        from = "backstop_organization_id",
        to = "id"
    )]
    pub backstop_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
