//! How many days before its due date a task is told of, set by its alliance beside its other reminders.

use sea_orm_migration::prelude::*;

use crate::build::integer;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        // An older version writes rows without it.
        change
            .table(Alias::new("deadline_policy"))
            .add_column(integer("task_remind_days").default(3).to_owned());
        manager.alter_table(change).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new("deadline_policy")).drop_column(Alias::new("task_remind_days"));
        manager.alter_table(change).await
    }
}
