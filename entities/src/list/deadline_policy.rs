//! What an alliance sets for the deadlines of its problems and whistles, for what follows when one passes, and for reminders.

use sea_orm::entity::prelude::*;

use crate::id::AllianceId;

/// What an alliance sets for the deadlines of its problems and whistles, for what follows when one passes, and for reminders.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deadline_policy")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub alliance_id: AllianceId,
    /// The rules, as JSON; what none of them covers takes the platform's defaults.
    #[sea_orm(column_type = "Text")]
    pub rules: String,
    /// The levels of supervision, as JSON.
    #[sea_orm(column_type = "Text")]
    pub levels: String,
    /// How many hours before a resolution's deadline a reminder goes out.
    pub remind_hours: i32,
    /// Within how many days a supervision notice is to be answered.
    pub reply_days: i32,
    /// Grows by one with every change.
    pub version: i64,
    /// The rules for whistles, as JSON; what none of them covers takes the platform's defaults.
    #[sea_orm(column_type = "Text")]
    pub whistle_rules: String,
    /// How many hours before the deadline to resolve a whistle's matter a unit is reminded.
    pub whistle_remind_hours: i32,
    /// How many days before its due date the units of a task are reminded.
    pub task_remind_days: i32,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
