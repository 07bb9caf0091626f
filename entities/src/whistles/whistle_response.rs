//! One department's answer to a whistle: called, reported in, on site, claimed resolved, evaluated, released.
#![expect(clippy::struct_excessive_bools, reason = "each is a column")]

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, OrganizationId, WhistleId, WhistleResponseId};

/// Where a department's answer to a whistle stands.
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
    /// Called: it is to report in.
    Called,
    /// Reported in (报到).
    ReportedIn,
    /// On site.
    OnSite,
    /// The department says that it is done.
    ClaimedResolved,
    /// Evaluated by the town.
    Evaluated,
    /// Released by the town.
    Released,
    /// Refused: the town is to re-route it.
    Refused,
    /// Re-routed to another unit.
    Rerouted,
    /// Excused by the town, or called off with the whistle.
    Excused,
}

/// Whether the town finds the matter resolved.
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
    /// It is.
    Yes,
    /// In part.
    Partly,
    /// It is not.
    No,
}

/// One department's answer to a whistle.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whistle_response")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WhistleResponseId,
    /// The town that blew.
    pub alliance_id: AllianceId,
    /// The whistle.
    pub whistle_id: WhistleId,
    /// The alliance as whose member the unit was called: the town, or one above it.
    pub member_alliance_id: AllianceId,
    /// The unit that is called.
    pub organization_id: OrganizationId,
    /// Where it stands.
    pub state: State,
    /// Whether the unit still has something to do, or the town with what the unit did.
    pub is_open: bool,
    /// Whether it is called as the backstop unit, which takes what nobody accepts.
    pub is_backstop: bool,
    /// The refused call that was re-routed here.
    pub from_id: Option<WhistleResponseId>,
    /// How often this matter was refused before it came here.
    pub refusals: i32,
    /// When it was called.
    pub called_at: DateTimeUtc,
    /// Who called it; absent where the refusal of another did.
    pub called_by: Option<AccountId>,
    /// By when it is to report in.
    pub report_in_due_at: DateTimeUtc,
    /// Whether that instant has passed and was looked at.
    pub report_in_settled: bool,
    /// By when it is to have resolved the matter.
    pub resolve_due_at: DateTimeUtc,
    /// Whether that instant has passed and was looked at.
    pub resolve_settled: bool,
    /// When it is reminded of that; absent once it was.
    pub remind_at: Option<DateTimeUtc>,
    /// When it reported in.
    pub reported_in_at: Option<DateTimeUtc>,
    /// Who reported in.
    pub reported_in_by: Option<AccountId>,
    /// Where it reported in.
    #[sea_orm(column_type = "String(StringLen::N(300))", nullable)]
    pub place: Option<String>,
    /// How many people it sent.
    pub head_count: Option<i32>,
    /// When it came on site.
    pub on_site_at: Option<DateTimeUtc>,
    /// Who said so.
    pub on_site_by: Option<AccountId>,
    /// When it last said that it is done.
    pub claimed_at: Option<DateTimeUtc>,
    /// Who said so.
    pub claimed_by: Option<AccountId>,
    /// What it did.
    #[sea_orm(column_type = "Text", nullable)]
    pub claim: Option<String>,
    /// How often the town returned what was claimed.
    pub returned_count: i32,
    /// When the town evaluated it.
    pub evaluated_at: Option<DateTimeUtc>,
    /// Who evaluated it.
    pub evaluated_by: Option<AccountId>,
    /// Whether the town finds the matter resolved.
    pub solved: Option<Solved>,
    /// How satisfied the town is, 1 to 5.
    pub score: Option<i32>,
    /// What the town says.
    #[sea_orm(column_type = "Text", nullable)]
    pub evaluation: Option<String>,
    /// When the unit refused.
    pub refused_at: Option<DateTimeUtc>,
    /// Who refused.
    pub refused_by: Option<AccountId>,
    /// Why it was last refused, returned or excused.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// The unit that it thinks right.
    pub proposed_organization_id: Option<OrganizationId>,
    /// When it was released, re-routed or excused.
    pub ended_at: Option<DateTimeUtc>,
    /// Who did.
    pub ended_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Whistle", from = "whistle_id", to = "id")]
    pub whistle: BelongsTo<super::whistle::Entity>,
    #[sea_orm(belongs_to, relation_enum = "MemberAlliance", from = "member_alliance_id", to = "id")]
    pub member_alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(
        belongs_to,
        relation_enum = "ProposedOrganization",
        from = "proposed_organization_id",
        to = "id"
    )]
    pub proposed_organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
