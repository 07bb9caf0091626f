//! A due date that depends on a year without a published notice says so beside the problem: nothing is late by it, neither on the
//! dashboard nor in figures and filters, until it is firm.

use sea_orm_migration::prelude::*;

use super::m20261206_000001_rounds_stay as rounds;
use crate::{
    build::boolean,
    counted::{self, Counted},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What is counted from now on.
pub const COUNTED: Counted = Counted { firm: true, ..rounds::COUNTED };

const TABLES: [&str; 2] = ["problem", "problem_round"];
const COLUMN: &str = "due_is_provisional";

const MARK: &str = "UPDATE problem SET due_is_provisional = TRUE WHERE due_on IS NOT NULL AND EXISTS (
    SELECT 1 FROM problem_responsible r WHERE r.problem_id = problem.id
        AND r.organization_id = problem.lead_organization_id AND r.resolution_is_provisional)";
const UNMARK: &str = "UPDATE problem SET due_is_provisional = FALSE WHERE due_is_provisional";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            let mut change = Table::alter();
            // An older version writes rows without it.
            change.table(Alias::new(table)).add_column(boolean(COLUMN).default(false).to_owned());
            manager.alter_table(change).await?;
        }
        counted::replace(manager, &COUNTED, &[], &[]).await?;
        // The triggers take the dates out of the counters that are marked, or put them back.
        counted::after(manager, MARK).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::after(manager, UNMARK).await?;
        counted::replace(manager, &rounds::COUNTED, &[], &[]).await?;
        for table in TABLES {
            let mut change = Table::alter();
            change.table(Alias::new(table)).drop_column(Alias::new(COLUMN));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
