//! What a branch serves may be taken back: the link stays on record with its end.

use sea_orm_migration::prelude::*;

use crate::{
    build::{optional, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const NAME: &str = "branch_matter_is_not_edited";

const fn refusal(guard: &'static str, condition: &'static str) -> Refusal {
    Refusal {
        name: NAME,
        table: "branch_matter",
        on: "UPDATE",
        guard,
        condition,
        says: "what a branch served stays on record",
    }
}

const BEFORE: [Refusal; 1] = [refusal("1 = 1", "1 = 1")];
const AFTER: [Refusal; 1] = [refusal(
    "1 = 1",
    "NEW.id <> OLD.id OR NEW.alliance_id <> OLD.alliance_id OR NEW.branch_id <> OLD.branch_id
        OR NEW.problem_id IS DISTINCT FROM OLD.problem_id OR NEW.task_id IS DISTINCT FROM OLD.task_id
        OR NEW.whistle_id IS DISTINCT FROM OLD.whistle_id OR NEW.linked_at <> OLD.linked_at
        OR NEW.linked_by IS DISTINCT FROM OLD.linked_by OR OLD.unlinked_at IS NOT NULL",
)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [optional(timestamp("unlinked_at")), optional(uuid("unlinked_by"))] {
            let mut change = Table::alter();
            change.table(Alias::new("branch_matter")).add_column(column);
            manager.alter_table(change).await?;
        }
        refusal::unmake(manager, &BEFORE).await?;
        refusal::make(manager, &AFTER).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &AFTER).await?;
        refusal::make(manager, &BEFORE).await?;
        for column in ["unlinked_by", "unlinked_at"] {
            let mut change = Table::alter();
            change.table(Alias::new("branch_matter")).drop_column(Alias::new(column));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
