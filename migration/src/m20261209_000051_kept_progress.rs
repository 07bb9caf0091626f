//! What a task with parts had come to when it was carried over, as the exact fraction, with the row that says so: whole numbers of any
//! length, as texts. What was carried over before keeps its whole percents.

use sea_orm_migration::prelude::*;

use crate::build::{optional, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "task_carry_over";
const COLUMNS: [&str; 2] = ["numerator", "denominator"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let mut change = Table::alter();
            change.table(Alias::new(TABLE)).add_column(optional(text(column)));
            manager.alter_table(change).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            let mut change = Table::alter();
            change.table(Alias::new(TABLE)).drop_column(Alias::new(column));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
