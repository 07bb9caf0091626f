//! A round that was struck off stays in the months of the dashboard when the next one is rejected, withdrawn or merged: what was
//! closed was closed, and only what came after it is left out.

use sea_orm_migration::prelude::*;

use super::m20261203_000005_month_rounds as months;
use crate::counted::{self, Counted};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What is counted from now on.
pub const COUNTED: Counted = Counted { rounds_stay: true, ..months::COUNTED };

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::replace(manager, &COUNTED, &[], &[]).await?;
        counted::move_rounds(manager, &months::COUNTED, -1).await?;
        counted::move_rounds(manager, &COUNTED, 1).await?;
        counted::move_beginnings(manager, &COUNTED, 1).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::replace(manager, &months::COUNTED, &[], &[]).await?;
        counted::move_beginnings(manager, &COUNTED, -1).await?;
        counted::move_rounds(manager, &COUNTED, -1).await?;
        counted::move_rounds(manager, &months::COUNTED, 1).await
    }
}
