//! Whether another home report gave way to one, so that whoever sends it again under its key is answered as at first.

use sea_orm_migration::prelude::*;

use crate::build::boolean;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut moved = boolean("is_move");
        moved.default(false);
        let mut change = Table::alter();
        change.table(Alias::new("home_report")).add_column(moved);
        manager.alter_table(change).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new("home_report")).drop_column(Alias::new("is_move"));
        manager.alter_table(change).await
    }
}
