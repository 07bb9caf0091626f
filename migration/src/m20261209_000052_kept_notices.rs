//! A supervision notice is issued for good: it is answered, and never taken away.

use sea_orm_migration::prelude::*;

use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REFUSALS: [Refusal; 1] = [Refusal {
    name: "supervision_notice_is_kept",
    table: "supervision_notice",
    on: "DELETE",
    guard: "1 = 1",
    condition: "1 = 1",
    says: "supervision notices are never deleted",
}];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await
    }
}
