//! A problem on the closure list, struck off only after evidence has been verified.
#![expect(clippy::struct_excessive_bools, reason = "each is a column")]

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, OrganizationId, ProblemId, RegionId};

/// How it came in.
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
pub enum Channel {
    #[default]
    GridOfficer,
    Patrol,
    Resident,
    Hotline,
    Online,
    MemberOrganization,
    Inspection,
    Import,
    Escalation,
}

/// How urgent it is.
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
pub enum Severity {
    #[default]
    LifeSafety,
    Utilities,
    Ordinary,
}

/// Who can settle it, set at triage.
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
pub enum Tier {
    #[default]
    Small,
    Big,
    Hard,
}

/// Where it stands.
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
    Registered,
    Triaged,
    Assigned,
    Accepted,
    InProgress,
    OnAccount,
    Submitted,
    Verified,
    StruckOff,
    Rejected,
    Withdrawn,
    ClosedAtSource,
    Merged,
    Escalated,
}

/// A problem on the closure list, struck off only after evidence has been verified.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProblemId,
    /// Whose list.
    pub alliance_id: AllianceId,
    /// Year of its number.
    pub year: i32,
    /// Gap-free within alliance and year.
    pub seq: i32,
    /// Year and number in one, for the order of the list.
    pub ordinal: i64,
    /// The number as shown, by the alliance's pattern.
    #[sea_orm(column_type = "String(StringLen::N(96))")]
    pub number: String,
    /// In a few words.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// What is wrong.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Kind of matter.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub category: String,
    /// Where, in words.
    #[sea_orm(column_type = "String(StringLen::N(300))", nullable)]
    pub place: Option<String>,
    /// The community.
    pub region_id: Option<RegionId>,
    /// How it came in.
    pub channel: Channel,
    /// Who reported it; masked.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub reporter_name: Option<String>,
    /// Phone of the reporter; masked.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub reporter_phone: Option<String>,
    /// How urgent it is.
    pub severity: Severity,
    /// Who can settle it, set at triage.
    pub tier: Option<Tier>,
    /// Whether it takes the longer limit.
    pub is_complex: bool,
    /// Measures set at triage (整改措施).
    #[sea_orm(column_type = "Text", nullable)]
    pub measures: Option<String>,
    /// Closure criterion that verification checks against (销号标准).
    #[sea_orm(column_type = "Text", nullable)]
    pub criterion: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Whether it still counts as open.
    pub is_open: bool,
    /// 1 for the first; a reopening begins the next.
    pub round: i32,
    /// The responsible unit that leads.
    pub lead_organization_id: Option<OrganizationId>,
    /// Who handles it in that unit.
    pub handler_id: Option<AccountId>,
    /// The unit that the last decliner thinks right.
    pub proposed_organization_id: Option<OrganizationId>,
    /// By when it is to be solved, where somebody set a date.
    pub due_on: Option<Date>,
    /// Whether that day depends on a year without a published notice: nothing is late by it until it is firm.
    pub due_is_provisional: bool,
    /// The day, where the alliance is, on which it was submitted for closure or put on account, while that stands: what was in
    /// time then is not overdue while others have it.
    pub rested_on: Option<Date>,
    /// The due date that was told of when it came near.
    pub due_told_on: Option<Date>,
    /// From when the limit for its assignment counts; absent in rows of before, where it is from its registration.
    pub dispatch_from: Option<DateTimeUtc>,
    /// By when it is to be assigned.
    pub dispatch_due_at: Option<DateTimeUtc>,
    /// Whether that instant depends on a year without a published notice.
    pub dispatch_is_provisional: bool,
    /// Whether that instant has passed and was looked at.
    pub dispatch_settled: bool,
    /// The deadline of a unit that declined: it binds the next one too, unless it has passed.
    pub carried_due_at: Option<DateTimeUtc>,
    /// Why it was last moved, where that takes a reason.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// How often an assignment was declined.
    pub declined_count: i32,
    /// How often it was returned for rework.
    pub returned_count: i32,
    /// How many pieces of closure evidence of this round there were when it was last returned.
    pub evidence_at_return: i32,
    /// When it was last assigned.
    pub assigned_at: Option<DateTimeUtc>,
    /// When the unit accepted it.
    pub accepted_at: Option<DateTimeUtc>,
    /// When closure was last asked for.
    pub submitted_at: Option<DateTimeUtc>,
    /// Who asked.
    pub submitted_by: Option<AccountId>,
    /// When the evidence passed.
    pub verified_at: Option<DateTimeUtc>,
    /// Who passed it.
    pub verifier_id: Option<AccountId>,
    /// For which unit the verifier acts.
    pub verifier_organization_id: Option<OrganizationId>,
    /// What the verifier said.
    #[sea_orm(column_type = "Text", nullable)]
    pub verdict: Option<String>,
    /// When it was struck off.
    pub struck_off_at: Option<DateTimeUtc>,
    /// Who struck it off.
    pub approver_id: Option<AccountId>,
    /// Who last signed it off while more had to.
    pub signed_off_by: Option<AccountId>,
    /// When that was.
    pub signed_off_at: Option<DateTimeUtc>,
    /// When it was put on account.
    pub held_at: Option<DateTimeUtc>,
    /// Who put it on account.
    pub held_by: Option<AccountId>,
    /// Why it is held.
    #[sea_orm(column_type = "Text", nullable)]
    pub held_reason: Option<String>,
    /// The unit that answers for it while it is held.
    pub held_organization_id: Option<OrganizationId>,
    /// When it is to be looked at again.
    pub review_on: Option<Date>,
    /// The day of review that was told of when it came.
    pub review_told_on: Option<Date>,
    /// The system it was imported from.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub external_source: Option<String>,
    /// Its key there.
    #[sea_orm(column_type = "String(StringLen::N(128))", nullable)]
    pub external_key: Option<String>,
    /// When it was noticed.
    pub occurred_at: DateTimeUtc,
    /// When Concord learnt of it.
    pub recorded_at: DateTimeUtc,
    /// The day of that in the alliance's zone; absent in rows of before, which count by Beijing's day.
    pub recorded_on: Option<Date>,
    /// Who registered it.
    pub recorded_by: Option<AccountId>,
    /// When it stopped being open.
    pub closed_at: Option<DateTimeUtc>,
    /// The day of that in the alliance's zone.
    pub closed_on: Option<Date>,
    /// The problem that goes on where this one was a duplicate of it; a trigger sees to it that it is there.
    pub merged_into_id: Option<ProblemId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "LeadOrganization", from = "lead_organization_id", to = "id")]
    pub lead_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "ProposedOrganization",
        from = "proposed_organization_id",
        to = "id"
    )]
    pub proposed_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "VerifierOrganization",
        from = "verifier_organization_id",
        to = "id"
    )]
    pub verifier_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
