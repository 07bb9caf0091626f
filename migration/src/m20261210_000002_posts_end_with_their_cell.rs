//! A post that was to end later ends with its cell: an end may come earlier than was said, and never later.

use sea_orm_migration::prelude::*;

use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

const fn refusal(condition: &'static str) -> Refusal {
    Refusal {
        name: "grid_officer_keeps_the_post",
        table: "grid_officer",
        on: "UPDATE",
        guard: "1 = 1",
        condition,
        says: "who held a grid cell stays on record",
    }
}

const BEFORE: [Refusal; 1] = [refusal(
    "NEW.alliance_id <> OLD.alliance_id OR NEW.cell_id <> OLD.cell_id OR NEW.role <> OLD.role
        OR NEW.organization_id <> OLD.organization_id OR NEW.is_main <> OLD.is_main
        OR NEW.since_on <> OLD.since_on OR NEW.until_on < NEW.since_on
        OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
)];

const AFTER: [Refusal; 1] = [refusal(
    "NEW.alliance_id <> OLD.alliance_id OR NEW.cell_id <> OLD.cell_id OR NEW.role <> OLD.role
        OR NEW.organization_id <> OLD.organization_id OR NEW.is_main <> OLD.is_main
        OR NEW.since_on <> OLD.since_on OR NEW.until_on < NEW.since_on
        OR (OLD.until_on IS NOT NULL AND (NEW.until_on IS NULL OR NEW.until_on > OLD.until_on))",
)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &BEFORE).await?;
        refusal::make(manager, &AFTER).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &AFTER).await?;
        refusal::make(manager, &BEFORE).await
    }
}
