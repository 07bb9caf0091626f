//! The link between a problem and the one as which the alliance above took it up.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, ProblemId};

/// What became of it.
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
    Open,
    Resolved,
    Returned,
    Recalled,
}

/// The link between a problem and the one as which the alliance above took it up.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "escalation")]
pub struct Model {
    /// The problem on the list of the alliance above.
    #[sea_orm(primary_key, auto_increment = false)]
    pub parent_problem_id: ProblemId,
    /// The alliance above.
    pub parent_alliance_id: AllianceId,
    /// The problem that was escalated.
    pub problem_id: ProblemId,
    /// On whose list that one stands.
    pub alliance_id: AllianceId,
    /// What became of it.
    pub state: State,
    /// When it was escalated.
    pub escalated_at: DateTimeUtc,
    /// Who escalated it.
    pub escalated_by: Option<AccountId>,
    /// When it came back.
    pub ended_at: Option<DateTimeUtc>,
    /// Who let it come back.
    pub ended_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "ParentProblem", from = "parent_problem_id", to = "id")]
    pub parent_problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "ParentAlliance", from = "parent_alliance_id", to = "id")]
    pub parent_alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
