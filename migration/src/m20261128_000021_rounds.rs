//! Reopening (重新立账): a struck-off problem goes on as its next round, and the one that ended stays as it was. A round begins
//! only once the one before is kept, whoever writes the SQL. How often problems were reopened is counted.

use sea_orm_migration::prelude::*;

use crate::{
    build::{create, date, integer, optional, text, timestamp, uuid},
    counted::{self, AT_FIRST, Counted},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The states are those of before.
pub const COUNTED: Counted = Counted {
    sums: &[("problem_reopened", "{row}.round - 1")],
    changes: &["OLD.round <> NEW.round"],
    ..AT_FIRST
};

/// A text may be taken away whole, where it names somebody who is erased; nothing else changes.
const EDITED: &str = "NEW.problem_id <> OLD.problem_id OR NEW.round <> OLD.round
    OR NEW.lead_organization_id IS DISTINCT FROM OLD.lead_organization_id
    OR NEW.joint_organization_ids <> OLD.joint_organization_ids
    OR NEW.handler_id IS DISTINCT FROM OLD.handler_id OR NEW.submitted_by IS DISTINCT FROM OLD.submitted_by
    OR NEW.verifier_id IS DISTINCT FROM OLD.verifier_id OR NEW.approver_id IS DISTINCT FROM OLD.approver_id
    OR NEW.verifier_organization_id IS DISTINCT FROM OLD.verifier_organization_id
    OR NEW.due_on IS DISTINCT FROM OLD.due_on OR NEW.declined_count <> OLD.declined_count
    OR NEW.returned_count <> OLD.returned_count OR NEW.assigned_at IS DISTINCT FROM OLD.assigned_at
    OR NEW.accepted_at IS DISTINCT FROM OLD.accepted_at OR NEW.submitted_at IS DISTINCT FROM OLD.submitted_at
    OR NEW.verified_at IS DISTINCT FROM OLD.verified_at OR NEW.struck_off_at IS DISTINCT FROM OLD.struck_off_at
    OR NEW.reopened_at <> OLD.reopened_at OR NEW.reopened_by IS DISTINCT FROM OLD.reopened_by
    OR (NEW.measures IS NOT NULL AND NEW.measures IS DISTINCT FROM OLD.measures)
    OR (NEW.criterion IS NOT NULL AND NEW.criterion IS DISTINCT FROM OLD.criterion)
    OR (NEW.verdict IS NOT NULL AND NEW.verdict IS DISTINCT FROM OLD.verdict)
    OR (NEW.reason IS NOT NULL AND NEW.reason IS DISTINCT FROM OLD.reason)";

const REFUSALS: [Refusal; 3] = [
    Refusal {
        name: "problem_round_is_kept",
        table: "problem_round",
        on: "DELETE",
        guard: "1 = 1",
        condition: "1 = 1",
        says: "a round that ended is kept",
    },
    Refusal {
        name: "problem_round_is_not_edited",
        table: "problem_round",
        on: "UPDATE",
        guard: "1 = 1",
        condition: EDITED,
        says: "a round that ended is never changed",
    },
    Refusal {
        name: "problem_keeps_its_rounds",
        table: "problem",
        on: "UPDATE",
        guard: "OLD.state = 'struck_off' AND NEW.round > OLD.round",
        condition: "NEW.round <> OLD.round + 1 OR NOT EXISTS
            (SELECT 1 FROM problem_round r WHERE r.problem_id = OLD.id AND r.round = OLD.round)",
        says: "a round begins once the one before is kept",
    },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            uuid("problem_id"),
            integer("round"),
            optional(uuid("lead_organization_id")),
            text("joint_organization_ids"),
            optional(uuid("handler_id")),
            optional(text("measures")),
            optional(text("criterion")),
            optional(date("due_on")),
            integer("declined_count"),
            integer("returned_count"),
            optional(timestamp("assigned_at")),
            optional(timestamp("accepted_at")),
            optional(timestamp("submitted_at")),
            optional(uuid("submitted_by")),
            optional(timestamp("verified_at")),
            optional(uuid("verifier_id")),
            optional(uuid("verifier_organization_id")),
            optional(text("verdict")),
            optional(timestamp("struck_off_at")),
            optional(uuid("approver_id")),
            timestamp("reopened_at"),
            optional(uuid("reopened_by")),
            optional(text("reason")),
        ];
        let foreign = [
            ("problem_id", "problem"),
            ("lead_organization_id", "organization"),
            ("verifier_organization_id", "organization"),
        ];
        create(manager, "problem_round", &["problem_id", "round"], columns, &foreign).await?;
        refusal::make(manager, &REFUSALS).await?;
        counted::replace(manager, &COUNTED, &["problem_reopened"], &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::replace(manager, &AT_FIRST, &[], &["problem_reopened"]).await?;
        refusal::unmake(manager, &REFUSALS).await?;
        manager.drop_table(Table::drop().table(Alias::new("problem_round")).to_owned()).await
    }
}
