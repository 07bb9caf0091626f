//! A unit responsible for a problem in its present round.
#![expect(clippy::struct_excessive_bools, reason = "each is a column")]

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, OrganizationId, ProblemId};

/// Whether it leads.
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
pub enum Duty {
    #[default]
    Lead,
    Joint,
}

/// What a limit counts.
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
pub enum Unit {
    /// Hours around the clock.
    Hours,
    /// Calendar days, to the end of the last.
    #[default]
    Days,
    /// Working days by the alliance's calendar, to the end of the last.
    WorkingDays,
}

/// Where the part of a joint unit stands; that of the leading one goes with its problem.
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
pub enum PartState {
    #[default]
    Assigned,
    Accepted,
    InProgress,
    Done,
    Declined,
}

/// A unit responsible for a problem in its present round.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_responsible")]
pub struct Model {
    /// The problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub problem_id: ProblemId,
    /// The unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Whether it leads.
    pub duty: Duty,
    /// When it was made responsible.
    pub assigned_at: DateTimeUtc,
    /// From when the limit for its acceptance counts, pauses added; absent in rows of before, where it is from its assignment.
    pub response_from: Option<DateTimeUtc>,
    /// By when it is to accept.
    pub response_due_at: Option<DateTimeUtc>,
    /// Whether that instant depends on a year without a published notice.
    pub response_is_provisional: bool,
    /// Whether that instant has passed and was looked at.
    pub response_settled: bool,
    /// From when the limit for its solution counts, pauses of hours added.
    pub resolution_from: Option<DateTimeUtc>,
    /// The limit, pauses of days added; absent where a day was set.
    pub resolution_amount: Option<i32>,
    /// What the limit counts.
    pub resolution_unit: Option<Unit>,
    /// By when it is to ask for closure.
    pub resolution_due_at: Option<DateTimeUtc>,
    /// Whether that instant depends on a year without a published notice.
    pub resolution_is_provisional: bool,
    /// Whether that instant has passed and was looked at.
    pub resolution_settled: bool,
    /// When it is to be reminded; absent once it was.
    pub remind_at: Option<DateTimeUtc>,
    /// Where a joint unit's part stands.
    pub state: PartState,
    /// Who handles a joint unit's part.
    pub handler_id: Option<AccountId>,
    /// Why the part was last declined or reopened.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// How often the part was declined.
    pub declined_count: i32,
    /// How many pieces of closure evidence of the unit there were when its part was last reopened.
    pub evidence_at_return: i32,
    /// When the part was accepted.
    pub accepted_at: Option<DateTimeUtc>,
    /// When the part was last done.
    pub done_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
