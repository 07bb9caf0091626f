//! More time for a unit's part of a problem: asked for with a reason, granted or refused, and counted.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, ExtensionId, OrganizationId, ProblemId};

/// Where a request for more time stands.
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
    Asked,
    Granted,
    Refused,
    Lapsed,
}

/// More time for a unit's part of a problem: asked for with a reason, granted or refused, and counted.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "extension")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExtensionId,
    /// Where.
    pub alliance_id: AllianceId,
    /// Of which problem.
    pub problem_id: ProblemId,
    /// Round of the problem it belongs to.
    pub round: i32,
    /// For which unit.
    pub organization_id: OrganizationId,
    /// Where it stands.
    pub state: State,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// The last day that is asked for.
    pub asked_until: Date,
    /// When it was asked for.
    pub asked_at: DateTimeUtc,
    /// Who asked.
    pub asked_by: Option<AccountId>,
    /// The deadline before it was granted.
    pub due_before: Option<DateTimeUtc>,
    /// The last day that was granted.
    pub granted_until: Option<Date>,
    /// What the committee says to it.
    #[sea_orm(column_type = "Text", nullable)]
    pub decision: Option<String>,
    /// When it was decided.
    pub decided_at: Option<DateTimeUtc>,
    /// Who decided.
    pub decided_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
