//! A place never begins with fewer than nobody either. Looked at once the row stands: what moves a counter that is there already is
//! written as a row of differences, which may be negative.

use sea_orm_migration::prelude::*;

use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REFUSALS: [Refusal; 1] = [Refusal {
    name: "mobilization_coverage_begins_with_people",
    table: "mobilization_coverage",
    on: "INSERT",
    guard: "NEW.present < 0 OR NEW.needed < 0",
    condition: "1 = 1",
    says: "a place begins with nobody or somebody",
}];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::make_after(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await
    }
}
