//! A follow-up: somebody independent asks whoever reported a problem how it went.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, FollowUpId, ProblemId};

/// How the reporter is asked.
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
pub enum Kind {
    #[default]
    Call,
    Link,
    Visit,
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
    Due,
    Answered,
    Unreachable,
}

/// Whether the matter is solved, in the reporter's view.
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
pub enum Solved {
    Yes,
    Partly,
    No,
}

/// A follow-up: somebody independent asks whoever reported a problem how it went.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpId,
    /// On whose list the problem stands.
    pub alliance_id: AllianceId,
    /// The problem.
    pub problem_id: ProblemId,
    /// The round of it that is asked about.
    pub round: i32,
    /// The problem whose reporter is asked: the same, or one that was merged into it.
    pub reporter_problem_id: ProblemId,
    /// How the reporter is asked.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// By when the reporter is to be asked.
    pub due_on: Date,
    /// How often the reporter was not reached.
    pub tries: i32,
    /// When the reporter was last not reached.
    pub tried_at: Option<DateTimeUtc>,
    /// Whether the matter is solved, in the reporter's view.
    pub solved: Option<Solved>,
    /// Whether the reporter is satisfied.
    pub is_satisfied: Option<bool>,
    /// The reporter's own words; erasable, and in no event.
    #[sea_orm(column_type = "Text", nullable)]
    pub words: Option<String>,
    /// What whoever asked adds.
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    /// Who asked; absent where the reporter answered by a link, or was erased before they were asked.
    pub done_by: Option<AccountId>,
    /// When it was answered or given up.
    pub done_at: Option<DateTimeUtc>,
    /// Who wanted it; absent where the alliance's policy did.
    pub created_by: Option<AccountId>,
    /// When it fell due.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was told that the day by which the reporter was to be asked has passed.
    pub overdue_told_at: Option<DateTimeUtc>,
    /// When it was taken out of the rates.
    pub excluded_at: Option<DateTimeUtc>,
    /// Who took it out of the rates.
    pub excluded_by: Option<AccountId>,
    /// Why it was taken out of the rates; erasable.
    #[sea_orm(column_type = "Text", nullable)]
    pub exclusion_reason: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "ReporterProblem", from = "reporter_problem_id", to = "id")]
    pub reporter_problem: BelongsTo<super::problem::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
