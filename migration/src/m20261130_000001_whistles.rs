//! Whistles (吹哨报到): a town calls departments, each with a deadline to report in and one to resolve the matter. A deadline that
//! passed is looked at once and then leaves its index; what a town has evaluated and released stays as it was.

use sea_orm_migration::prelude::*;

use crate::{
    build::{big_integer, boolean, create, index, integer, optional, string, text, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const REPORT_IN: &str = "NOT report_in_settled";
const RESOLVE: &str = "NOT resolve_settled";
const REMINDER: &str = "remind_at IS NOT NULL";
const OPEN: &str = "is_open";

const fn kept(name: &'static str, table: &'static str, on: &'static str, says: &'static str) -> Refusal {
    Refusal { name, table, on, guard: "1 = 1", condition: "1 = 1", says }
}

const REFUSALS: [Refusal; 9] = [
    kept("whistle_is_kept", "whistle", "DELETE", "whistles are never deleted"),
    kept("whistle_response_is_kept", "whistle_response", "DELETE", "calls are never deleted"),
    kept("whistle_breach_is_kept", "whistle_breach", "DELETE", "a breach stays on record"),
    kept("whistle_breach_is_not_edited", "whistle_breach", "UPDATE", "a breach stays on record"),
    Refusal {
        name: "whistle_keeps_its_number",
        table: "whistle",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.alliance_id <> OLD.alliance_id OR NEW.year <> OLD.year OR NEW.seq <> OLD.seq
            OR NEW.ordinal <> OLD.ordinal OR NEW.number <> OLD.number OR NEW.kind <> OLD.kind",
        says: "a whistle keeps its town, number and kind",
    },
    Refusal {
        name: "whistle_stays_ended",
        table: "whistle",
        on: "UPDATE",
        guard: "OLD.state IN ('released', 'rejected', 'withdrawn', 'called_off')",
        condition: "NEW.state <> OLD.state",
        says: "a whistle ends once",
    },
    Refusal {
        name: "whistle_refusal_is_grounded",
        table: "whistle_response",
        on: "UPDATE",
        guard: "NEW.state = 'refused' AND OLD.state <> 'refused'",
        condition: "OLD.state <> 'called' OR NEW.is_backstop OR NEW.reason IS NULL OR NEW.proposed_organization_id IS NULL
            OR EXISTS (SELECT 1 FROM whistle w WHERE w.id = NEW.whistle_id AND w.kind = 'emergency')",
        says: "a refusal has a reason and a right unit, and an emergency is not refused",
    },
    Refusal {
        name: "whistle_response_is_evaluated",
        table: "whistle_response",
        on: "UPDATE",
        guard: "NEW.state IN ('evaluated', 'released') AND OLD.state <> NEW.state",
        condition: "NEW.evaluated_at IS NULL OR NEW.solved IS NULL OR NEW.score IS NULL OR NEW.score < 1 OR NEW.score > 5
            OR NEW.claimed_at IS NULL OR NEW.reported_in_at IS NULL",
        says: "what a town releases has come, claimed and been evaluated",
    },
    Refusal {
        name: "whistle_response_stays_answered",
        table: "whistle_response",
        on: "UPDATE",
        guard: "OLD.evaluated_at IS NOT NULL OR OLD.state IN ('released', 'rerouted', 'excused')",
        condition: "NEW.evaluated_at IS DISTINCT FROM OLD.evaluated_at OR NEW.solved IS DISTINCT FROM OLD.solved
            OR NEW.score IS DISTINCT FROM OLD.score OR NEW.evaluation IS DISTINCT FROM OLD.evaluation
            OR NEW.reported_in_at IS DISTINCT FROM OLD.reported_in_at OR NEW.claimed_at IS DISTINCT FROM OLD.claimed_at
            OR NEW.report_in_due_at <> OLD.report_in_due_at OR NEW.resolve_due_at <> OLD.resolve_due_at
            OR NEW.organization_id <> OLD.organization_id OR NEW.whistle_id <> OLD.whistle_id
            OR (OLD.state IN ('released', 'rerouted', 'excused') AND NEW.state <> OLD.state)",
        says: "an evaluation and an end stay as they were",
    },
];

fn whistle() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        integer("year"),
        integer("seq"),
        big_integer("ordinal"),
        string("number", 96),
        string("kind", 24),
        string("title", 200),
        text("description"),
        optional(string("place", 300)),
        optional(uuid("region_id")),
        optional(uuid("problem_id")),
        string("state", 24),
        optional(uuid("backstop_organization_id")),
        optional(uuid("escalated_to_id")),
        optional(timestamp("escalated_at")),
        optional(text("reason")),
        integer("refused_count"),
        timestamp("applied_at"),
        optional(uuid("applied_by")),
        optional(timestamp("approved_at")),
        optional(uuid("approved_by")),
        optional(timestamp("sounded_at")),
        optional(uuid("sounded_by")),
        optional(timestamp("ended_at")),
        big_integer("version"),
    ]
}

fn response() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("whistle_id"),
        uuid("member_alliance_id"),
        uuid("organization_id"),
        string("state", 24),
        boolean("is_open"),
        boolean("is_backstop"),
        optional(uuid("from_id")),
        integer("refusals"),
        timestamp("called_at"),
        optional(uuid("called_by")),
        timestamp("report_in_due_at"),
        boolean("report_in_settled"),
        timestamp("resolve_due_at"),
        boolean("resolve_settled"),
        optional(timestamp("remind_at")),
        optional(timestamp("reported_in_at")),
        optional(uuid("reported_in_by")),
        optional(string("place", 300)),
        optional(integer("head_count")),
        optional(timestamp("on_site_at")),
        optional(uuid("on_site_by")),
        optional(timestamp("claimed_at")),
        optional(uuid("claimed_by")),
        optional(text("claim")),
        integer("returned_count"),
        optional(timestamp("evaluated_at")),
        optional(uuid("evaluated_by")),
        optional(string("solved", 24)),
        optional(integer("score")),
        optional(text("evaluation")),
        optional(timestamp("refused_at")),
        optional(uuid("refused_by")),
        optional(text("reason")),
        optional(uuid("proposed_organization_id")),
        optional(timestamp("ended_at")),
        optional(uuid("ended_by")),
        big_integer("version"),
    ]
}

fn breach() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("whistle_id"),
        uuid("response_id"),
        uuid("organization_id"),
        string("clock", 24),
        timestamp("due_at"),
        timestamp("noted_at"),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let numbers = vec![uuid("alliance_id"), integer("year"), integer("last")];
        let of = [("alliance_id", "alliance")];
        create(manager, "whistle_sequence", &["alliance_id", "year"], numbers, &of).await?;
        let of = [
            ("alliance_id", "alliance"),
            ("region_id", "region"),
            ("problem_id", "problem"),
            ("backstop_organization_id", "organization"),
            ("escalated_to_id", "alliance"),
        ];
        create(manager, "whistle", &["id"], whistle(), &of).await?;
        index(manager, "whistle", &["alliance_id", "ordinal"], true, None).await?;
        index(manager, "whistle", &["alliance_id", "applied_at", "id"], false, None).await?;
        index(manager, "whistle", &["problem_id"], false, None).await?;
        let of = [
            ("alliance_id", "alliance"),
            ("whistle_id", "whistle"),
            ("member_alliance_id", "alliance"),
            ("organization_id", "organization"),
            ("proposed_organization_id", "organization"),
        ];
        create(manager, "whistle_response", &["id"], response(), &of).await?;
        index(manager, "whistle_response", &["whistle_id", "organization_id"], true, Some(OPEN)).await?;
        index(manager, "whistle_response", &["organization_id", "called_at", "id"], false, None).await?;
        index(manager, "whistle_response", &["alliance_id", "called_at"], false, None).await?;
        index(manager, "whistle_response", &["report_in_due_at"], false, Some(REPORT_IN)).await?;
        index(manager, "whistle_response", &["resolve_due_at"], false, Some(RESOLVE)).await?;
        index(manager, "whistle_response", &["remind_at"], false, Some(REMINDER)).await?;
        let of = [
            ("alliance_id", "alliance"),
            ("whistle_id", "whistle"),
            ("response_id", "whistle_response"),
            ("organization_id", "organization"),
        ];
        create(manager, "whistle_breach", &["id"], breach(), &of).await?;
        index(manager, "whistle_breach", &["response_id", "clock"], true, None).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for table in ["whistle_breach", "whistle_response", "whistle", "whistle_sequence"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
