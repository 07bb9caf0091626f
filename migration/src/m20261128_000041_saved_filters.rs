//! Filters that people keep under a name, each for themselves.

use sea_orm_migration::prelude::*;

use crate::build::{create, index, optional, string, text, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            uuid("id"),
            uuid("account_id"),
            string("noun", 24),
            string("name", 64),
            text("filter"),
            timestamp("created_at"),
            optional(timestamp("ended_at")),
        ];
        create(manager, "saved_filter", &["id"], columns, &[("account_id", "account")]).await?;
        // One name stands for one filter of a list, as long as it is kept.
        let standing = Some("ended_at IS NULL");
        index(manager, "saved_filter", &["account_id", "noun", "name"], true, standing).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("saved_filter")).to_owned()).await
    }
}
