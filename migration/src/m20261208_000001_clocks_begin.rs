//! From when the limits for assignment and for acceptance count: what comes back is assigned by a clock of its own, which a later
//! judgement counts from, and what stood still is accepted by one that began later.

use sea_orm_migration::prelude::*;

use crate::build::{optional, timestamp};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: [(&str, &str); 2] = [("problem", "dispatch_from"), ("problem_responsible", "response_from")];

/// When an open problem last came back, as its events tell. What never did counts from its registration, without the column.
const CAME_BACK: &str = "UPDATE problem SET dispatch_from = (
        SELECT MAX(e.occurred_at) FROM event e WHERE e.subject_id = problem.id AND e.kind IN ('problem_declined',
            'problem_recalled', 'problem_reopened', 'problem_escalation_recalled', 'problem_escalation_resolved',
            'problem_escalation_returned'))
    WHERE is_open AND dispatch_due_at IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in COLUMNS {
            let mut change = Table::alter();
            change.table(Alias::new(table)).add_column(optional(timestamp(column)));
            manager.alter_table(change).await?;
        }
        manager.get_connection().execute_unprepared(CAME_BACK).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in COLUMNS {
            let mut change = Table::alter();
            change.table(Alias::new(table)).drop_column(Alias::new(column));
            manager.alter_table(change).await?;
        }
        Ok(())
    }
}
