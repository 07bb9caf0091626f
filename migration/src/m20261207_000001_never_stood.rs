//! A pairing that ended on the day on which it began never stood, and bars no other.

use sea_orm_migration::prelude::*;

use super::m20261201_000001_mobilizations::PAIRED;
use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The same unit and place at the same time, on one day at least.
const STOOD: &str = "EXISTS (SELECT 1 FROM pairing p WHERE p.alliance_id = NEW.alliance_id
    AND p.organization_id = NEW.organization_id AND p.region_id = NEW.region_id AND p.id <> NEW.id
    AND p.since_on < COALESCE(p.until_on, '9999-12-31') AND NEW.since_on < COALESCE(NEW.until_on, '9999-12-31')
    AND p.since_on < COALESCE(NEW.until_on, '9999-12-31') AND NEW.since_on < COALESCE(p.until_on, '9999-12-31'))";

const fn once(name: &'static str, on: &'static str, condition: &'static str) -> Refusal {
    let says = "a unit is paired with a place once at a time";
    Refusal { name, table: "pairing", on, guard: "1 = 1", condition, says }
}

const fn both(condition: &'static str) -> [Refusal; 2] {
    [once("pairing_stands_once", "INSERT", condition), once("pairing_stays_once", "UPDATE", condition)]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &both(PAIRED)).await?;
        refusal::make(manager, &both(STOOD)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &both(STOOD)).await?;
        refusal::make(manager, &both(PAIRED)).await
    }
}
