//! A round of a problem that ended in a strike-off and was followed by another: as it was, never changed.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, OrganizationId, ProblemId};

/// A round of a problem that ended in a strike-off and was followed by another.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_round")]
pub struct Model {
    /// The problem.
    #[sea_orm(primary_key, auto_increment = false)]
    pub problem_id: ProblemId,
    /// From 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    /// The responsible unit that led.
    pub lead_organization_id: Option<OrganizationId>,
    /// The responsible units that did not lead, as a JSON list.
    #[sea_orm(column_type = "Text")]
    pub joint_organization_ids: String,
    /// Who handled it.
    pub handler_id: Option<AccountId>,
    /// Measures set at triage.
    #[sea_orm(column_type = "Text", nullable)]
    pub measures: Option<String>,
    /// What verification checked against.
    #[sea_orm(column_type = "Text", nullable)]
    pub criterion: Option<String>,
    /// By when it was to be solved.
    pub due_on: Option<Date>,
    /// Whether that day depended on a year without a published notice when it ended: it was late by none.
    pub due_is_provisional: bool,
    /// How often an assignment was declined.
    pub declined_count: i32,
    /// How often it was returned for rework.
    pub returned_count: i32,
    /// When it was last assigned.
    pub assigned_at: Option<DateTimeUtc>,
    /// When the unit accepted it.
    pub accepted_at: Option<DateTimeUtc>,
    /// When closure was last asked for.
    pub submitted_at: Option<DateTimeUtc>,
    /// On which day, where its alliance is; absent in rounds that ended before this was kept.
    pub rested_on: Option<Date>,
    /// Who asked.
    pub submitted_by: Option<AccountId>,
    /// When the evidence passed.
    pub verified_at: Option<DateTimeUtc>,
    /// Who passed it.
    pub verifier_id: Option<AccountId>,
    /// For which unit the verifier acted.
    pub verifier_organization_id: Option<OrganizationId>,
    /// What the verifier said.
    #[sea_orm(column_type = "Text", nullable)]
    pub verdict: Option<String>,
    /// When it was struck off.
    pub struck_off_at: Option<DateTimeUtc>,
    /// On which day, where its alliance is; absent in rounds that ended before this was kept.
    pub closed_on: Option<Date>,
    /// Who struck it off.
    pub approver_id: Option<AccountId>,
    /// When the next round began.
    pub reopened_at: DateTimeUtc,
    /// On which day, where its alliance is; absent in rounds that ended before this was kept.
    pub reopened_on: Option<Date>,
    /// Who began it; absent where an answer to a follow-up did.
    pub reopened_by: Option<AccountId>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<super::problem::Entity>,
    #[sea_orm(belongs_to, relation_enum = "LeadOrganization", from = "lead_organization_id", to = "id")]
    pub lead_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "VerifierOrganization",
        from = "verifier_organization_id",
        to = "id"
    )]
    pub verifier_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
