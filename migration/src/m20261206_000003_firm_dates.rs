//! A due date that depends on a year without a published notice says so beside the problem: nothing is late by it, neither on the
//! dashboard nor in figures and filters, until it is firm.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

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

/// Marks the dates that are there, or takes the marks away; the triggers take them out of the counters, or put them back.
async fn mark(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared(text).await?;
    if manager.get_database_backend() != DbBackend::Sqlite {
        // They count at the end of the unit of work otherwise, and hold up changes of the table until then.
        db.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
        db.execute_unprepared("SET CONSTRAINTS ALL DEFERRED").await?;
    }
    Ok(())
}

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
        mark(manager, MARK).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        mark(manager, UNMARK).await?;
        counted::replace(manager, &rounds::COUNTED, &[], &[]).await?;
        for table in TABLES {
            let mut change = Table::alter();
            change.table(Alias::new(table)).drop_column(Alias::new(COLUMN));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
