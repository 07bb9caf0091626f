//! What an alliance sets for the deadlines of its whistles, beside what it sets for its problems.

use sea_orm_migration::prelude::*;

use crate::build::{integer, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // An older version writes rows without them.
        for column in [
            text("whistle_rules").default("[]").to_owned(),
            integer("whistle_remind_hours").default(24).to_owned(),
        ] {
            let mut change = Table::alter();
            change.table(Alias::new("deadline_policy")).add_column(column);
            manager.alter_table(change).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["whistle_rules", "whistle_remind_hours"] {
            let mut change = Table::alter();
            change.table(Alias::new("deadline_policy")).drop_column(Alias::new(column));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
