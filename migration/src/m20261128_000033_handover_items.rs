//! What a handover hands on: each task and problem that was open then, with the answer of the team that comes.

use sea_orm_migration::prelude::*;

use crate::build::{big_integer, create, index, optional, string, text, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "handover_item",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                uuid("handover_id"),
                optional(uuid("task_id")),
                optional(uuid("problem_id")),
                string("state", 24),
                optional(text("reason")),
                optional(uuid("organization_id")),
                optional(uuid("answered_by")),
                optional(timestamp("answered_at")),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[
                ("alliance_id", "alliance"),
                ("handover_id", "handover"),
                ("task_id", "priority_task"),
                ("problem_id", "problem"),
                ("organization_id", "organization"),
            ],
        )
        .await?;
        let each_once = [("task_id", "task_id IS NOT NULL"), ("problem_id", "problem_id IS NOT NULL")];
        for (column, condition) in each_once {
            index(manager, "handover_item", &["handover_id", column], true, Some(condition)).await?;
        }
        index(manager, "handover_item", &["alliance_id", "state", "created_at", "id"], false, None).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("handover_item")).to_owned()).await
    }
}
