//! The months of the dashboard know the rounds that ended: a problem that was struck off in one month and reopened in another
//! counts as closed in the one and as open again from the other, as in the figures of a period. A round says on which day, where
//! its alliance is, the next one began; those of before say it by Beijing's.

use sea_orm_migration::prelude::*;

use super::m20261128_000024_escalation as escalation;
use crate::{
    build::{date, integer, optional},
    counted::{self, Counted},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What is counted from now on.
pub const COUNTED: Counted = Counted { rounds: true, ..escalation::COUNTED };

const REFUSALS: [Refusal; 1] = [Refusal {
    name: "problem_round_keeps_its_end",
    table: "problem_round",
    on: "UPDATE",
    guard: "NEW.reopened_on IS DISTINCT FROM OLD.reopened_on",
    condition: "1 = 1",
    says: "a round that ended is never changed",
}];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("problem_round", optional(date("reopened_on"))),
            ("month_count", integer("reopened_within").default(0).to_owned()),
        ] {
            let mut change = Table::alter();
            change.table(Alias::new(table)).add_column(column);
            manager.alter_table(change).await?;
        }
        refusal::make(manager, &REFUSALS).await?;
        // The triggers first: they lock the table until the rounds of before are counted.
        counted::replace(manager, &COUNTED, &[], &[]).await?;
        counted::move_rounds(manager, &COUNTED, 1).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::move_rounds(manager, &COUNTED, -1).await?;
        counted::replace(manager, &escalation::COUNTED, &[], &[]).await?;
        refusal::unmake(manager, &REFUSALS).await?;
        for (table, column) in [("problem_round", "reopened_on"), ("month_count", "reopened_within")] {
            let mut change = Table::alter();
            change.table(Alias::new(table)).drop_column(Alias::new(column));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
