//! A problem that was submitted for closure or put on account says since which day it rests: what was in time then is not overdue while
//! others have it, neither on the dashboard nor in figures and filters. Of what rests already the day is Beijing's.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use super::m20261206_000003_firm_dates as firm;
use crate::{
    build::{date, optional},
    counted::{self, Counted},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What is counted from now on.
pub const COUNTED: Counted = Counted { rests: true, ..firm::COUNTED };

const TABLE: &str = "problem";
const COLUMN: &str = "rested_on";

/// What was struck off keeps the day, for the periods at whose end it was open.
fn mark(engine: DbBackend) -> String {
    let since = "CASE WHEN state = 'on_account' THEN held_at ELSE submitted_at END";
    let day = match engine {
        DbBackend::Sqlite => format!("date({since}, '+8 hours')"),
        _ => format!("(({since}) AT TIME ZONE 'Asia/Shanghai')::date"),
    };
    format!(
        "UPDATE problem SET rested_on = {day} WHERE state IN ('on_account', 'submitted', 'verified', 'struck_off')"
    )
}

/// Closed problems count no due date.
const UNMARK: &str = "UPDATE problem SET rested_on = NULL WHERE is_open AND rested_on IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter();
        change.table(Alias::new(TABLE)).add_column(optional(date(COLUMN)));
        manager.alter_table(change).await?;
        counted::replace(manager, &COUNTED, &[], &[]).await?;
        counted::after(manager, &mark(manager.get_database_backend())).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::after(manager, UNMARK).await?;
        counted::replace(manager, &firm::COUNTED, &[], &[]).await?;
        let mut change = Table::alter();
        change.table(Alias::new(TABLE)).drop_column(Alias::new(COLUMN));
        manager.alter_table(change).await
    }
}
