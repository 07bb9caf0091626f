//! Whether it was told that the day has passed by which a reporter was to be asked, so that what is still to be told is an index of
//! its own.

use sea_orm_migration::prelude::*;

use crate::build::{index, optional, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

const UNTOLD: &str = "state = 'due' AND overdue_told_at IS NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new("follow_up")).add_column(optional(timestamp("overdue_told_at")));
        manager.alter_table(change).await?;
        index(manager, "follow_up", &["due_on"], false, Some(UNTOLD)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("ix_follow_up_due_on").table(Alias::new("follow_up")).to_owned();
        manager.drop_index(index).await?;
        let mut change = Table::alter();
        change.table(Alias::new("follow_up")).drop_column(Alias::new("overdue_told_at"));
        manager.alter_table(change).await
    }
}
