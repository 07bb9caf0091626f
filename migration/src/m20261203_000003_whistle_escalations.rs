//! How often a whistle was handed up and handed back, each time on record: up once, back once at most.

use sea_orm_migration::prelude::*;

use crate::{
    build::{create, execute, index, integer, optional, text, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "whistle_escalation";

const REFUSALS: [Refusal; 2] = [
    Refusal {
        name: "whistle_escalation_is_kept",
        table: TABLE,
        on: "DELETE",
        guard: "1 = 1",
        condition: "1 = 1",
        says: "escalations are never deleted",
    },
    Refusal {
        name: "whistle_escalation_comes_back_once",
        table: TABLE,
        on: "UPDATE",
        guard: "1 = 1",
        condition: "OLD.returned_at IS NOT NULL OR NEW.whistle_id <> OLD.whistle_id OR NEW.place <> OLD.place
            OR NEW.from_alliance_id <> OLD.from_alliance_id OR NEW.to_alliance_id <> OLD.to_alliance_id
            OR NEW.escalated_at <> OLD.escalated_at OR NEW.reason IS DISTINCT FROM OLD.reason",
        says: "an escalation comes back once, and stays as it was",
    },
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            uuid("whistle_id"),
            integer("place"),
            uuid("from_alliance_id"),
            uuid("to_alliance_id"),
            timestamp("escalated_at"),
            optional(uuid("escalated_by")),
            optional(text("reason")),
            optional(timestamp("returned_at")),
            optional(uuid("returned_by")),
            optional(text("return_reason")),
        ];
        let of =
            [("whistle_id", "whistle"), ("from_alliance_id", "alliance"), ("to_alliance_id", "alliance")];
        create(manager, TABLE, &["whistle_id", "place"], columns, &of).await?;
        index(manager, TABLE, &["to_alliance_id"], false, None).await?;
        // Of those that were handed up before, the last time is known.
        let known = "INSERT INTO whistle_escalation (whistle_id, place, from_alliance_id, to_alliance_id, escalated_at, reason)
            SELECT w.id, 1, COALESCE((SELECT a.id FROM alliance a JOIN alliance_closure c ON c.ancestor_id = a.id
                    WHERE c.descendant_id = w.alliance_id AND a.parent_id = w.escalated_to_id), w.alliance_id),
                w.escalated_to_id, COALESCE(w.escalated_at, w.applied_at), w.reason
            FROM whistle w WHERE w.escalated_to_id IS NOT NULL";
        execute(manager, &[known], &[known]).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        manager.drop_table(Table::drop().table(Alias::new(TABLE)).to_owned()).await
    }
}
