//! Cascade: which task of a lower alliance is a part of which task above it, and what it weighs there.

use sea_orm_migration::prelude::*;

use crate::build::{create, execute, index, integer, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SAYS: &str = "a part weighs something";

/// (trigger, when)
const REFUSALS: [(&str, &str); 2] =
    [("task_part_is_born_heavy", "INSERT"), ("task_part_stays_heavy", "UPDATE")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "task_part",
            &["task_id"],
            vec![uuid("task_id"), uuid("parent_task_id"), integer("weight")],
            &[("task_id", "priority_task"), ("parent_task_id", "priority_task")],
        )
        .await?;
        index(manager, "task_part", &["parent_task_id"], false, None).await?;
        for (name, when) in REFUSALS {
            let sqlite = format!(
                "CREATE TRIGGER {name} BEFORE {when} ON task_part WHEN NEW.weight < 1
                 BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            );
            let postgres = format!(
                "CREATE TRIGGER {name} BEFORE {when} ON task_part FOR EACH ROW WHEN (NEW.weight < 1)
                 EXECUTE FUNCTION concord_refuse('{SAYS}')"
            );
            execute(manager, &[&sqlite], &[&postgres]).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("task_part")).to_owned()).await
    }
}
