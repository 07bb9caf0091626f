//! How much closure evidence a problem had when it was returned: what is asked to close again shows something new.

use sea_orm_migration::prelude::*;

use crate::build::integer;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut shown = integer("evidence_at_return");
        // What was returned before asks for none; an older version still writes rows without it.
        shown.default(0);
        let table = Table::alter().table(Alias::new("problem")).add_column(&mut shown).to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Alias::new("problem"))
            .drop_column(Alias::new("evidence_at_return"))
            .to_owned();
        manager.alter_table(table).await
    }
}
