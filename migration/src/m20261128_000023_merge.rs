//! Merging (并案): a duplicate ends as merged and points to the problem that goes on. SQLite adds no foreign key to a table that
//! is there, so a trigger sees to it, on both engines: the other one stands on the same list and is not merged itself, what
//! others were merged into is not merged without them, and what is merged stays so.

use sea_orm_migration::prelude::*;

use crate::{
    build::{index, optional, uuid},
    counted::{self, Counted},
    m20261128_000021_rounds as rounds,
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A merged problem is none of its own, so it counts neither as open in a month nor as closed in it.
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
    ],
    irregular: &["rejected", "withdrawn", "merged"],
    ..rounds::COUNTED
};

const REFUSALS: [Refusal; 1] = [Refusal {
    name: "problem_is_merged_once",
    table: "problem",
    on: "UPDATE",
    guard: "NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id OR (NEW.state = 'merged') <> (OLD.state = 'merged')",
    condition: "OLD.state = 'merged' AND NEW.state <> 'merged'
        OR (NEW.state = 'merged') <> (NEW.merged_into_id IS NOT NULL)
        OR NEW.merged_into_id IS NOT NULL AND (
            NOT EXISTS (SELECT 1 FROM problem s WHERE s.id = NEW.merged_into_id AND s.id <> NEW.id
                AND s.alliance_id = NEW.alliance_id AND s.state <> 'merged')
            OR EXISTS (SELECT 1 FROM problem d WHERE d.merged_into_id = NEW.id))",
    says: "a problem is merged once, into one of its list that goes on",
}];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table.table(Alias::new("problem")).add_column(optional(uuid("merged_into_id")));
        manager.alter_table(table).await?;
        index(manager, "problem", &["merged_into_id"], false, Some("merged_into_id IS NOT NULL")).await?;
        refusal::make(manager, &REFUSALS).await?;
        counted::replace(manager, &COUNTED, &["problem_merged"], &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        counted::replace(manager, &rounds::COUNTED, &[], &["problem_merged"]).await?;
        refusal::unmake(manager, &REFUSALS).await?;
        manager.drop_index(Index::drop().name("ix_problem_merged_into_id").to_owned()).await?;
        let mut table = Table::alter();
        table.table(Alias::new("problem")).drop_column(Alias::new("merged_into_id"));
        manager.alter_table(table).await
    }
}
