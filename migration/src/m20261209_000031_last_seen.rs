//! Until when a person is known to have been where they are: a later check-in at the same place moves nobody, and is not forgotten.

use sea_orm_migration::prelude::*;

use crate::build::{optional, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "mobilization_check_in";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        // An older version writes rows without it.
        change.table(Alias::new(TABLE)).add_column(optional(timestamp("seen_at")));
        manager.alter_table(change).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new(TABLE)).drop_column(Alias::new("seen_at"));
        manager.alter_table(change).await
    }
}
