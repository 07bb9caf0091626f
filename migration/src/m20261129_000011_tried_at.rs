//! When a reporter was last not reached stands beside the tries: each of them has a day of its own.

use sea_orm_migration::prelude::*;

use crate::build::{optional, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table.table(Alias::new("follow_up")).add_column(optional(timestamp("tried_at")));
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table.table(Alias::new("follow_up")).drop_column(Alias::new("tried_at"));
        manager.alter_table(table).await
    }
}
