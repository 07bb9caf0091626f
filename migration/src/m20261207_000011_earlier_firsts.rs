//! Where a person came first may turn out to be earlier than what was known, when a list that was kept offline comes in; never later.

use sea_orm_migration::prelude::*;

use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

const fn refusal(condition: &'static str) -> Refusal {
    Refusal {
        name: "mobilization_check_in_is_ones_own",
        table: "mobilization_check_in",
        on: "UPDATE",
        guard: "1 = 1",
        condition,
        says: "a check-in stays of one person, and time goes on",
    }
}

const BEFORE: [Refusal; 1] = [refusal(
    "NEW.mobilization_id <> OLD.mobilization_id OR NEW.person <> OLD.person OR NEW.alliance_id <> OLD.alliance_id
        OR NEW.first_region_id <> OLD.first_region_id OR NEW.first_at <> OLD.first_at
        OR NEW.recorded_at <> OLD.recorded_at OR NEW.at < OLD.at",
)];
const AFTER: [Refusal; 1] = [refusal(
    "NEW.mobilization_id <> OLD.mobilization_id OR NEW.person <> OLD.person OR NEW.alliance_id <> OLD.alliance_id
        OR NEW.first_at > OLD.first_at OR (NEW.first_region_id <> OLD.first_region_id AND NEW.first_at = OLD.first_at)
        OR NEW.recorded_at <> OLD.recorded_at OR NEW.at < OLD.at",
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
