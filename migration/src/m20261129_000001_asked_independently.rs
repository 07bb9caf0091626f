//! A reporter is asked by somebody who has no part in the problem, whoever writes the SQL: nobody with a seat in a unit that is
//! responsible, or that led the round asked about, and nobody who handled it or brought closure evidence. An answer by a link
//! names nobody and passes. What stands already stays.

use sea_orm_migration::prelude::*;

use crate::refusal::{self, Refusal};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REFUSALS: [Refusal; 2] = [
    Refusal {
        name: "follow_up_is_born_due",
        table: "follow_up",
        on: "INSERT",
        guard: "NEW.state <> 'due'",
        condition: "1 = 1",
        says: "a follow-up is due before it is answered",
    },
    Refusal {
        name: "follow_up_is_independent",
        table: "follow_up",
        on: "UPDATE",
        guard: "OLD.state = 'due' AND NEW.state <> 'due' AND NEW.done_by IS NOT NULL",
        // A seat that ended before the problem was there binds nobody.
        condition: "EXISTS (SELECT 1 FROM seat s JOIN problem p ON p.id = NEW.problem_id
                WHERE s.account_id = NEW.done_by AND (s.state <> 'ended' OR s.ended_at >= p.recorded_at)
                    AND (s.organization_id = p.lead_organization_id
                        OR EXISTS (SELECT 1 FROM problem_responsible r
                            WHERE r.problem_id = p.id AND r.organization_id = s.organization_id)
                        OR EXISTS (SELECT 1 FROM problem_round o WHERE o.problem_id = p.id
                            AND o.round = NEW.round AND o.lead_organization_id = s.organization_id)))
            OR EXISTS (SELECT 1 FROM problem_handler h
                WHERE h.problem_id = NEW.problem_id AND h.account_id = NEW.done_by)
            OR EXISTS (SELECT 1 FROM evidence e WHERE e.problem_id = NEW.problem_id AND e.stage = 'closure'
                AND e.added_by = NEW.done_by)",
        says: "a reporter is asked by somebody who has no part in the problem",
    },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await
    }
}
