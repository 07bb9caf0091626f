//! A unit that an alliance invites by its credit code alone stays unknown to it until the unit accepts.

use sea_orm_migration::prelude::*;

use crate::build::boolean;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut known = boolean("is_unit_known");
        // Whoever was invited before was shown to the committee already; an older version still writes rows without it.
        known.default(true);
        let table = Table::alter().table(Alias::new("membership")).add_column(&mut known).to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Alias::new("membership"))
            .drop_column(Alias::new("is_unit_known"))
            .to_owned();
        manager.alter_table(table).await
    }
}
