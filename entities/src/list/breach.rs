//! A deadline that passed unmet; it stays on record when the matter is finished later.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, BreachId, OrganizationId, ProblemId};

/// Which of a problem's clocks ran out.
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
pub enum Clock {
    /// From registration to assignment.
    #[default]
    Dispatch,
    /// From assignment to acceptance, per responsible unit.
    Response,
    /// From assignment to submission for closure, per responsible unit.
    Resolution,
}

/// A deadline that passed unmet; it stays on record when the matter is finished later.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "breach")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BreachId,
    /// Where.
    pub alliance_id: AllianceId,
    /// Whose deadline.
    pub problem_id: ProblemId,
    /// Round of the problem it belongs to.
    pub round: i32,
    /// Which clock.
    pub clock: Clock,
    /// The unit that was late; absent where the committee was, with dispatching.
    pub organization_id: Option<OrganizationId>,
    /// Whether that unit led.
    pub is_lead: bool,
    /// The deadline that passed.
    pub due_at: DateTimeUtc,
    /// When it was noted.
    pub noted_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
