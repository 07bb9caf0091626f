//! A file that shows a fact about a problem or task, with its SHA-256.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, EvidenceId, OrganizationId, PriorityTaskId, ProblemId, StoredFileId};

/// What it shows: the matter as found, work, or the result.
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
pub enum Stage {
    Registration,
    Progress,
    Closure,
}

/// A file that shows a fact about a problem or task, with its SHA-256.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evidence")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EvidenceId,
    /// Where.
    pub alliance_id: AllianceId,
    /// The problem.
    pub problem_id: Option<ProblemId>,
    /// The task.
    pub task_id: Option<PriorityTaskId>,
    /// The file.
    pub file_id: StoredFileId,
    /// What it shows: the matter as found, work, or the result.
    pub stage: Stage,
    /// Round of the problem it belongs to.
    pub round: i32,
    /// What is to be seen.
    #[sea_orm(column_type = "Text", nullable)]
    pub note: Option<String>,
    /// The unit that brought it.
    pub organization_id: Option<OrganizationId>,
    /// Who.
    pub added_by: Option<AccountId>,
    /// When.
    pub added_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<Option<super::problem::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id")]
    pub task: BelongsTo<Option<super::priority_task::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "File", from = "file_id", to = "id")]
    pub file: BelongsTo<crate::file::stored_file::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<Option<crate::governance::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
