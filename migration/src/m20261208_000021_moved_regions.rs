//! Where a register moves a region, the counters of what lies in it go along; their paths are those of their regions otherwise.

use sea_orm_migration::prelude::*;

use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

const fn refusal(condition: &'static str) -> Refusal {
    Refusal {
        name: "mobilization_coverage_counts_people",
        table: "mobilization_coverage",
        on: "UPDATE",
        guard: "NEW.present < 0 OR NEW.needed < 0 OR NEW.region_id <> OLD.region_id
            OR NEW.mobilization_id <> OLD.mobilization_id OR NEW.path <> OLD.path",
        condition,
        says: "a place has nobody or somebody",
    }
}

const BEFORE: [Refusal; 1] = [refusal("1 = 1")];
const AFTER: [Refusal; 1] = [refusal(
    "NEW.present < 0 OR NEW.needed < 0 OR NEW.region_id <> OLD.region_id OR NEW.mobilization_id <> OLD.mobilization_id
        OR NEW.path <> (SELECT path FROM region WHERE id = NEW.region_id)",
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
