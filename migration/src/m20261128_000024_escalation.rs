//! Escalation (提级办理): a problem of an alliance is taken up as one of the alliance above, which has a number and states of its
//! own; this row is the link between the two.

use sea_orm_migration::prelude::*;

use crate::{
    build::{create, index, optional, string, timestamp, uuid},
    counted::{self, Counted},
    m20261128_000023_merge as merge,
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// An escalated problem is open and counted where it came from.
pub const COUNTED: Counted = Counted {
    states: &[
        "registered",
        "triaged",
        "assigned",
        "accepted",
        "in_progress",
        "submitted",
        "verified",
        "struck_off",
        "rejected",
        "withdrawn",
        "closed_at_source",
        "merged",
        "escalated",
    ],
    ..merge::COUNTED
};

const REFUSALS: [Refusal; 2] = [
    Refusal {
        name: "escalation_is_kept",
        table: "escalation",
        on: "DELETE",
        guard: "1 = 1",
        condition: "1 = 1",
        says: "escalations are never deleted",
    },
    Refusal {
        name: "escalation_stays_ended",
        table: "escalation",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "OLD.state <> 'open' OR NEW.problem_id <> OLD.problem_id OR NEW.alliance_id <> OLD.alliance_id
            OR NEW.parent_problem_id <> OLD.parent_problem_id OR NEW.parent_alliance_id <> OLD.parent_alliance_id
            OR NEW.escalated_at <> OLD.escalated_at OR NEW.escalated_by IS DISTINCT FROM OLD.escalated_by",
        says: "an escalation ends once",
    },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            uuid("parent_problem_id"),
            uuid("parent_alliance_id"),
            uuid("problem_id"),
            uuid("alliance_id"),
            string("state", 24),
            timestamp("escalated_at"),
            optional(uuid("escalated_by")),
            optional(timestamp("ended_at")),
            optional(uuid("ended_by")),
        ];
        let foreign = [
            ("parent_problem_id", "problem"),
            ("parent_alliance_id", "alliance"),
            ("problem_id", "problem"),
            ("alliance_id", "alliance"),
        ];
        create(manager, "escalation", &["parent_problem_id"], columns, &foreign).await?;
        index(manager, "escalation", &["problem_id"], true, Some("state = 'open'")).await?;
        index(manager, "escalation", &["problem_id", "escalated_at"], false, None).await?;
        refusal::make(manager, &REFUSALS).await?;
        counted::replace(manager, &COUNTED, &["problem_escalated"], &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::replace(manager, &merge::COUNTED, &[], &["problem_escalated"]).await?;
        refusal::unmake(manager, &REFUSALS).await?;
        manager.drop_table(Table::drop().table(Alias::new("escalation")).to_owned()).await
    }
}
