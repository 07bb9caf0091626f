//! A key may be bound to documents that were registered with it; it then runs only those.

use sea_orm_migration::prelude::*;

use crate::build::{boolean, bytes, create, text, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut bound = boolean("is_bound");
        // Keys of before run any document; an older version still writes rows without it.
        bound.default(false);
        let mut change = Table::alter();
        change.table(Alias::new("api_key")).add_column(bound);
        manager.alter_table(change).await?;
        let columns = vec![uuid("api_key_id"), bytes("hash", 32), text("text")];
        let key = [("api_key_id", "api_key")];
        create(manager, "api_key_document", &["api_key_id", "hash"], columns, &key).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("api_key_document")).to_owned()).await?;
        let mut change = Table::alter();
        change.table(Alias::new("api_key")).drop_column(Alias::new("is_bound"));
        manager.alter_table(change).await
    }
}
