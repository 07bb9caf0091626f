//! One task of a month's list.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, OrganizationId, PriorityTaskId, RegionId, TaskListId};

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
    Draft,
    Published,
    Acknowledged,
    InProgress,
    Submitted,
    Completed,
    Cancelled,
    CarriedOver,
}

/// One task of a month's list.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "priority_task")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PriorityTaskId,
    /// Where.
    pub alliance_id: AllianceId,
    /// The list it stands on.
    pub task_list_id: TaskListId,
    /// Its row on the list, 1 for the first.
    pub place: i32,
    /// What it is called.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub title: String,
    /// What is to be done.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// When it counts as done.
    #[sea_orm(column_type = "Text", nullable)]
    pub criterion: Option<String>,
    /// Document, meeting or demand it comes from.
    #[sea_orm(column_type = "String(StringLen::N(200))", nullable)]
    pub source: Option<String>,
    /// The unit that leads.
    pub lead_organization_id: OrganizationId,
    /// The community it concerns.
    pub region_id: Option<RegionId>,
    /// First day of work.
    pub starts_on: Option<Date>,
    /// Last day, in the alliance's time zone.
    pub due_on: Date,
    /// The due date that was told of when it came near.
    pub due_told_on: Option<Date>,
    /// Where it stands.
    pub state: State,
    /// Whether work remains: published and neither completed, cancelled nor carried over.
    pub is_open: bool,
    /// Progress as last reported, 0 to 100.
    pub percent: i32,
    /// Person responsible in the lead unit.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub responsible_name: Option<String>,
    /// Why it was last returned or cancelled.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// How often it was returned.
    pub returned_count: i32,
    /// When the members could first see it.
    pub published_at: Option<DateTimeUtc>,
    /// When the lead unit acknowledged it.
    pub acknowledged_at: Option<DateTimeUtc>,
    /// When it was last submitted.
    pub submitted_at: Option<DateTimeUtc>,
    /// When it was accepted as done.
    pub completed_at: Option<DateTimeUtc>,
    /// Who wrote it.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "TaskList", from = "task_list_id", to = "id")]
    pub task_list: BelongsTo<super::task_list::Entity>,
    #[sea_orm(belongs_to, relation_enum = "LeadOrganization", from = "lead_organization_id", to = "id")]
    pub lead_organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<Option<crate::territory::region::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
