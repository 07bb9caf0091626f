//! The day on which a round was struck off, where its alliance is: it counts as closed then, however the problem goes on. Rounds of
//! before count by Beijing's.

use sea_orm_migration::prelude::*;

use crate::{
    build::{date, optional},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REFUSALS: [Refusal; 1] = [Refusal {
    name: "problem_round_keeps_its_day",
    table: "problem_round",
    on: "UPDATE",
    guard: "NEW.closed_on IS DISTINCT FROM OLD.closed_on",
    condition: "1 = 1",
    says: "a round that ended is never changed",
}];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table.table(Alias::new("problem_round")).add_column(optional(date("closed_on")));
        manager.alter_table(table).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        let mut table = Table::alter();
        table.table(Alias::new("problem_round")).drop_column(Alias::new("closed_on"));
        manager.alter_table(table).await
    }
}
