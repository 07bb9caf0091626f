//! How many items an alliance has in each state; kept by triggers, one row per alliance.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// How many items an alliance has in each state.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alliance_count")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    pub task_draft: i32,
    pub task_published: i32,
    pub task_acknowledged: i32,
    pub task_in_progress: i32,
    pub task_submitted: i32,
    pub task_completed: i32,
    pub task_cancelled: i32,
    /// Of the cancelled tasks, those that were never published.
    pub task_cancelled_draft: i32,
    pub task_carried_over: i32,
    pub problem_registered: i32,
    pub problem_triaged: i32,
    pub problem_assigned: i32,
    pub problem_accepted: i32,
    pub problem_in_progress: i32,
    pub problem_on_account: i32,
    pub problem_submitted: i32,
    pub problem_verified: i32,
    pub problem_struck_off: i32,
    pub problem_rejected: i32,
    pub problem_withdrawn: i32,
    pub problem_closed_at_source: i32,
    pub problem_merged: i32,
    pub problem_escalated: i32,
    /// Problems that were neither closed nor rejected, withdrawn or merged.
    pub problem_unclosed: i32,
    /// How often problems were reopened as a new round.
    pub problem_reopened: i32,
    /// Open tasks that were due before `settled_on`.
    pub settled_tasks: i32,
    /// Open problems that were due before `settled_on`.
    pub settled_problems: i32,
    /// The day up to which due dates are summed up here; `open_due_count` has all of them.
    pub settled_on: Date,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
