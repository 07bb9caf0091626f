//! What came of asking a reporter may be taken out of the rates, once, with who did so and why: nobody who has a part in the problem,
//! and nothing else of the follow-up changes by it. The reason may only be taken away whole.

use sea_orm_migration::prelude::*;

use crate::{
    build::{optional, text, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "follow_up";
const SAYS: &str = "an answer is taken out of the rates once, by somebody and with a reason";

const REFUSALS: [Refusal; 3] = [
    Refusal {
        name: "follow_up_is_born_counted",
        table: TABLE,
        on: "INSERT",
        guard: "NEW.excluded_at IS NOT NULL OR NEW.excluded_by IS NOT NULL OR NEW.exclusion_reason IS NOT NULL",
        condition: "1 = 1",
        says: "a follow-up counts before it is taken out of the rates",
    },
    Refusal {
        name: "follow_up_is_excluded_once",
        table: TABLE,
        on: "UPDATE",
        guard: "OLD.excluded_at IS NOT NULL OR NEW.excluded_at IS NOT NULL OR NEW.excluded_by IS NOT NULL
            OR NEW.exclusion_reason IS NOT NULL",
        condition: "(OLD.excluded_at IS NOT NULL AND (NEW.excluded_at IS DISTINCT FROM OLD.excluded_at
                OR NEW.excluded_by IS DISTINCT FROM OLD.excluded_by
                OR (NEW.exclusion_reason IS NOT NULL
                    AND NEW.exclusion_reason IS DISTINCT FROM OLD.exclusion_reason)))
            OR (OLD.excluded_at IS NULL AND (OLD.state = 'due' OR NEW.excluded_at IS NULL
                OR NEW.excluded_by IS NULL OR NEW.exclusion_reason IS NULL))",
        says: SAYS,
    },
    Refusal {
        name: "follow_up_is_excluded_independently",
        table: TABLE,
        on: "UPDATE",
        guard: "OLD.excluded_at IS NULL AND NEW.excluded_at IS NOT NULL",
        condition: "EXISTS (SELECT 1 FROM seat s JOIN problem p ON p.id = NEW.problem_id
                WHERE s.account_id = NEW.excluded_by AND (s.state <> 'ended' OR s.ended_at >= p.recorded_at)
                    AND (s.organization_id = p.lead_organization_id
                        OR EXISTS (SELECT 1 FROM problem_responsible r
                            WHERE r.problem_id = p.id AND r.organization_id = s.organization_id)
                        OR EXISTS (SELECT 1 FROM problem_past_unit u WHERE u.problem_id = p.id
                            AND u.round = NEW.round AND u.organization_id = s.organization_id)
                        OR EXISTS (SELECT 1 FROM problem_round_unit o WHERE o.problem_id = p.id
                            AND o.round = NEW.round AND o.organization_id = s.organization_id)))
            OR EXISTS (SELECT 1 FROM problem_handler h
                WHERE h.problem_id = NEW.problem_id AND h.account_id = NEW.excluded_by)
            OR EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.problem_id AND e.stage = 'closure'
                AND e.added_by = NEW.excluded_by)",
        says: "an answer is taken out of the rates by somebody who has no part in the problem",
    },
];

fn columns() -> [ColumnDef; 3] {
    [optional(timestamp("excluded_at")), optional(uuid("excluded_by")), optional(text("exclusion_reason"))]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in columns() {
            let mut table = Table::alter();
            table.table(Alias::new(TABLE)).add_column(&mut column);
            manager.alter_table(table).await?;
        }
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for column in columns() {
            let mut table = Table::alter();
            table.table(Alias::new(TABLE)).drop_column(Alias::new(column.get_column_name()));
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
