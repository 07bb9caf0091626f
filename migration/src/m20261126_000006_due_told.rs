//! Which due date a task or problem has been told of stands beside that date, so that what is still to be told is an index
//! of its own: on a large installation most open work is overdue and was told of long ago.

use sea_orm_migration::prelude::*;

use crate::build::{create, date, execute, index, optional, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tables, each with the column that tells when a row came to be.
const TABLES: [(&str, &str); 2] = [("priority_task", "created_at"), ("problem", "recorded_at")];
const UNTOLD: &str = "is_open AND (due_told_on IS NULL OR due_told_on <> due_on)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, _) in TABLES {
            let mut change = Table::alter();
            change.table(Alias::new(table)).add_column(optional(date("due_told_on")));
            manager.alter_table(change).await?;
            let told = format!(
                "UPDATE {table} SET due_told_on = due_on WHERE EXISTS (SELECT 1 FROM due_notice
                 WHERE due_notice.subject_id = {table}.id AND due_notice.due_on = {table}.due_on)"
            );
            execute(manager, &[&told], &[&told]).await?;
            index(manager, table, &["due_on"], false, Some(UNTOLD)).await?;
        }
        manager.drop_table(Table::drop().table(Alias::new("due_notice")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![uuid("subject_id"), date("due_on"), timestamp("noted_at")];
        create(manager, "due_notice", &["subject_id", "due_on"], columns, &[]).await?;
        for (table, since) in TABLES {
            let told = format!(
                "INSERT INTO due_notice (subject_id, due_on, noted_at)
                 SELECT id, due_told_on, {since} FROM {table} WHERE due_told_on IS NOT NULL"
            );
            execute(manager, &[&told], &[&told]).await?;
            let name = format!("ix_{table}_due_on");
            manager.drop_index(Index::drop().name(name).table(Alias::new(table)).to_owned()).await?;
            let mut change = Table::alter();
            change.table(Alias::new(table)).drop_column(Alias::new("due_told_on"));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
