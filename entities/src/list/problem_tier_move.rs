//! A change of a problem's tier, with the forum that settled it; kept in order.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::problem::Tier;
use crate::id::{AccountId, ProblemId};

/// Who settled that a problem belongs to a tier.
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
pub enum Forum {
    #[default]
    Committee,
    Residents,
    PropertyFirm,
    Council,
    JointMeeting,
}

/// A change of a problem's tier.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_tier_move")]
pub struct Model {
    /// The problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub problem_id: ProblemId,
    /// The version that the problem got by it, which puts the moves in order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// The tier before; none at the first triage.
    pub from_tier: Option<Tier>,
    /// The tier since.
    pub to_tier: Tier,
    /// Who settled it.
    pub forum: Forum,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// Who wrote it down.
    pub moved_by: Option<AccountId>,
    /// When.
    pub moved_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
