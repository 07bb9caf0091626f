//! Mobilisation (红色动员令): pairings and home reports that stand before any order, orders with regions, needs and called units,
//! shifts, check-ins, transfers, and the counters of what is covered. A person is one row of an order, under a digest.

use sea_orm_migration::prelude::*;

use crate::{
    build::{
        big_integer, boolean, bytes, create, date, execute, index, integer, optional, string, text,
        timestamp, uuid,
    },
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const STANDING: &str = "ended_at IS NULL";
const ON_SHIFT: &str = "shift_id IS NOT NULL";

const fn kept(name: &'static str, table: &'static str, on: &'static str, says: &'static str) -> Refusal {
    Refusal { name, table, on, guard: "1 = 1", condition: "1 = 1", says }
}

/// The same unit and place at the same time.
pub const PAIRED: &str = "EXISTS (SELECT 1 FROM pairing p WHERE p.alliance_id = NEW.alliance_id
    AND p.organization_id = NEW.organization_id AND p.region_id = NEW.region_id AND p.id <> NEW.id
    AND p.since_on < COALESCE(NEW.until_on, '9999-12-31') AND NEW.since_on < COALESCE(p.until_on, '9999-12-31'))";
const BACKWARDS: &str = "NEW.until_on IS NOT NULL AND NEW.until_on < NEW.since_on";

const REFUSALS: [Refusal; 22] = [
    kept("pairing_is_kept", "pairing", "DELETE", "pairings end and are never deleted"),
    Refusal {
        name: "pairing_stands_once",
        table: "pairing",
        on: "INSERT",
        guard: "1 = 1",
        condition: PAIRED,
        says: "a unit is paired with a place once at a time",
    },
    Refusal {
        name: "pairing_stays_once",
        table: "pairing",
        on: "UPDATE",
        guard: "1 = 1",
        condition: PAIRED,
        says: "a unit is paired with a place once at a time",
    },
    Refusal {
        name: "pairing_ends_after_it_begins",
        table: "pairing",
        on: "INSERT",
        guard: BACKWARDS,
        condition: "1 = 1",
        says: "a pairing ends no earlier than it begins",
    },
    Refusal {
        name: "pairing_is_ended_after_it_begins",
        table: "pairing",
        on: "UPDATE",
        guard: BACKWARDS,
        condition: "1 = 1",
        says: "a pairing ends no earlier than it begins",
    },
    kept("home_report_is_kept", "home_report", "DELETE", "home reports end and are never deleted"),
    kept("mobilization_is_kept", "mobilization", "DELETE", "orders are never deleted"),
    Refusal {
        name: "mobilization_keeps_its_number",
        table: "mobilization",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.alliance_id <> OLD.alliance_id OR NEW.year <> OLD.year OR NEW.seq <> OLD.seq
            OR NEW.ordinal <> OLD.ordinal OR NEW.number <> OLD.number",
        says: "an order keeps its alliance and number",
    },
    Refusal {
        name: "mobilization_ends_once",
        table: "mobilization",
        on: "UPDATE",
        guard: "OLD.state IN ('stood_down', 'discarded') OR (OLD.state = 'issued' AND NEW.state IN ('draft', 'discarded'))",
        condition: "NEW.state <> OLD.state OR NEW.ended_at IS DISTINCT FROM OLD.ended_at",
        says: "an order is issued once and ends once",
    },
    Refusal {
        name: "mobilization_is_issued_over_a_region",
        table: "mobilization",
        on: "UPDATE",
        guard: "NEW.state = 'issued' AND OLD.state <> 'issued'",
        condition: "NEW.issued_at IS NULL OR OLD.state <> 'draft'
            OR NOT EXISTS (SELECT 1 FROM mobilization_region r WHERE r.mobilization_id = NEW.id)",
        says: "an order is issued over a region",
    },
    Refusal {
        name: "mobilization_need_is_of_people",
        table: "mobilization_need",
        on: "INSERT",
        guard: "NEW.needed < 1 OR NEW.needed > 1000000",
        condition: "1 = 1",
        says: "a place needs 1 to 1,000,000 people",
    },
    Refusal {
        name: "mobilization_need_stays_of_people",
        table: "mobilization_need",
        on: "UPDATE",
        guard: "NEW.needed < 0 OR NEW.needed > 1000000",
        condition: "1 = 1",
        says: "a place needs 0 to 1,000,000 people",
    },
    Refusal {
        name: "mobilization_unit_has_a_quota",
        table: "mobilization_unit",
        on: "INSERT",
        guard: "NEW.quota < 1",
        condition: "1 = 1",
        says: "a called unit sends somebody",
    },
    Refusal {
        name: "mobilization_unit_stays_called",
        table: "mobilization_unit",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.mobilization_id <> OLD.mobilization_id OR NEW.organization_id <> OLD.organization_id
            OR NEW.quota < 1 OR (OLD.state = 'released' AND NEW.state <> 'released')",
        says: "a called unit stays on its order and is released once",
    },
    Refusal {
        name: "mobilization_shift_lasts",
        table: "mobilization_shift",
        on: "INSERT",
        guard: "NEW.ends_at <= NEW.starts_at OR NEW.needed < 1",
        condition: "1 = 1",
        says: "a shift lasts, and needs somebody",
    },
    kept("mobilization_shift_is_not_edited", "mobilization_shift", "UPDATE", "a shift stays as it was set up"),
    kept("mobilization_check_in_is_kept", "mobilization_check_in", "DELETE", "check-ins are never deleted"),
    Refusal {
        name: "mobilization_check_in_is_ones_own",
        table: "mobilization_check_in",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.mobilization_id <> OLD.mobilization_id OR NEW.person <> OLD.person OR NEW.alliance_id <> OLD.alliance_id
            OR NEW.first_region_id <> OLD.first_region_id OR NEW.first_at <> OLD.first_at
            OR NEW.recorded_at <> OLD.recorded_at OR NEW.at < OLD.at",
        says: "a check-in stays of one person, and time goes on",
    },
    kept("mobilization_transfer_is_kept", "mobilization_transfer", "DELETE", "transfers are never deleted"),
    kept("mobilization_transfer_is_not_edited", "mobilization_transfer", "UPDATE", "transfers are never edited"),
    kept("mobilization_coverage_is_kept", "mobilization_coverage", "DELETE", "counters are never deleted"),
    Refusal {
        name: "mobilization_coverage_counts_people",
        table: "mobilization_coverage",
        on: "UPDATE",
        guard: "NEW.present < 0 OR NEW.needed < 0 OR NEW.region_id <> OLD.region_id
            OR NEW.mobilization_id <> OLD.mobilization_id OR NEW.path <> OLD.path",
        condition: "1 = 1",
        says: "a place has nobody or somebody",
    },
];

fn pairing() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("organization_id"),
        uuid("region_id"),
        date("since_on"),
        optional(date("until_on")),
        timestamp("recorded_at"),
        optional(uuid("recorded_by")),
        optional(uuid("ended_by")),
        big_integer("version"),
    ]
}

fn home_report() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("organization_id"),
        uuid("region_id"),
        bytes("person", 32),
        timestamp("reported_at"),
        optional(uuid("reported_by")),
        optional(timestamp("ended_at")),
        optional(uuid("ended_by")),
    ]
}

fn mobilization() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        integer("year"),
        integer("seq"),
        big_integer("ordinal"),
        string("number", 96),
        string("title", 200),
        text("reason"),
        string("state", 24),
        string("territory", 400),
        timestamp("drafted_at"),
        optional(uuid("drafted_by")),
        optional(timestamp("issued_at")),
        optional(uuid("issued_by")),
        optional(timestamp("ended_at")),
        optional(uuid("ended_by")),
        optional(text("end_reason")),
        big_integer("version"),
    ]
}

fn need() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("mobilization_id"),
        uuid("region_id"),
        string("work", 200),
        integer("needed"),
        timestamp("set_at"),
    ]
}

fn unit() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("mobilization_id"),
        uuid("alliance_id"),
        uuid("organization_id"),
        integer("quota"),
        string("state", 24),
        timestamp("called_at"),
        optional(uuid("called_by")),
        optional(timestamp("acknowledged_at")),
        optional(uuid("acknowledged_by")),
        optional(timestamp("arrived_at")),
        optional(uuid("arrived_by")),
        optional(timestamp("released_at")),
        optional(uuid("released_by")),
        big_integer("version"),
    ]
}

fn shift() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("mobilization_id"),
        uuid("region_id"),
        timestamp("starts_at"),
        timestamp("ends_at"),
        integer("needed"),
        timestamp("added_at"),
        optional(uuid("added_by")),
    ]
}

fn check_in() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("mobilization_id"),
        uuid("alliance_id"),
        bytes("person", 32),
        uuid("region_id"),
        optional(uuid("organization_id")),
        optional(uuid("shift_id")),
        timestamp("at"),
        uuid("first_region_id"),
        timestamp("first_at"),
        optional(timestamp("left_at")),
        timestamp("recorded_at"),
        optional(uuid("recorded_by")),
    ]
}

fn transfer() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("mobilization_id"),
        uuid("check_in_id"),
        uuid("from_region_id"),
        uuid("to_region_id"),
        timestamp("at"),
        boolean("is_superseded"),
        timestamp("recorded_at"),
        optional(uuid("recorded_by")),
    ]
}

fn coverage() -> Vec<ColumnDef> {
    vec![
        uuid("mobilization_id"),
        uuid("region_id"),
        string("path", 400),
        integer("needed"),
        integer("present"),
        optional(timestamp("covered_at")),
    ]
}

fn batch() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("mobilization_id"),
        optional(uuid("recorded_by")),
        timestamp("recorded_at"),
        text("results"),
    ]
}

const TABLES: [&str; 13] = [
    "mobilization_batch",
    "mobilization_coverage",
    "mobilization_transfer",
    "mobilization_check_in",
    "mobilization_shift",
    "mobilization_unit",
    "mobilization_need",
    "mobilization_region",
    "mobilization",
    "mobilization_sequence",
    "home_report",
    "pairing",
    "person_salt",
];

async fn standing(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let alliance = ("alliance_id", "alliance");
    let salt = vec![uuid("alliance_id"), bytes("salt", 32)];
    create(manager, "person_salt", &["alliance_id"], salt, &[alliance]).await?;
    let of = [alliance, ("organization_id", "organization"), ("region_id", "region")];
    create(manager, "pairing", &["id"], pairing(), &of).await?;
    let pair = ["alliance_id", "organization_id", "region_id"];
    // Spans of days, which no unique key tells apart: a trigger refuses what overlaps, and the alliance's row gives turns.
    index(manager, "pairing", &pair, false, None).await?;
    index(manager, "pairing", &["alliance_id", "since_on", "id"], false, None).await?;
    create(manager, "home_report", &["id"], home_report(), &of).await?;
    index(manager, "home_report", &["alliance_id", "person"], true, Some(STANDING)).await?;
    index(manager, "home_report", &pair, false, Some(STANDING)).await
}

async fn orders(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (alliance, region) = (("alliance_id", "alliance"), ("region_id", "region"));
    let order = ("mobilization_id", "mobilization");
    let unit_of = ("organization_id", "organization");
    let numbers = vec![uuid("alliance_id"), integer("year"), integer("last")];
    create(manager, "mobilization_sequence", &["alliance_id", "year"], numbers, &[alliance]).await?;
    create(manager, "mobilization", &["id"], mobilization(), &[alliance]).await?;
    index(manager, "mobilization", &["alliance_id", "ordinal"], true, None).await?;
    index(manager, "mobilization", &["alliance_id", "drafted_at", "id"], false, None).await?;
    let regions = vec![uuid("mobilization_id"), uuid("region_id"), string("path", 400)];
    let key = ["mobilization_id", "region_id"];
    create(manager, "mobilization_region", &key, regions, &[order, region]).await?;
    create(manager, "mobilization_need", &["id"], need(), &[order, region]).await?;
    index(manager, "mobilization_need", &["mobilization_id", "region_id", "work"], true, None).await?;
    create(manager, "mobilization_unit", &["id"], unit(), &[order, alliance, unit_of]).await?;
    index(manager, "mobilization_unit", &["mobilization_id", "organization_id"], true, None).await?;
    index(manager, "mobilization_unit", &["organization_id", "called_at", "id"], false, None).await?;
    create(manager, "mobilization_shift", &["id"], shift(), &[order, region]).await?;
    index(manager, "mobilization_shift", &["mobilization_id", "starts_at", "id"], false, None).await?;
    let of = [order, region, unit_of, ("shift_id", "mobilization_shift")];
    create(manager, "mobilization_check_in", &["id"], check_in(), &of).await?;
    index(manager, "mobilization_check_in", &["mobilization_id", "person"], true, None).await?;
    index(manager, "mobilization_check_in", &["mobilization_id", "recorded_at", "id"], false, None).await?;
    index(manager, "mobilization_check_in", &["shift_id"], false, Some(ON_SHIFT)).await?;
    let of = [
        order,
        ("check_in_id", "mobilization_check_in"),
        ("from_region_id", "region"),
        ("to_region_id", "region"),
    ];
    create(manager, "mobilization_transfer", &["id"], transfer(), &of).await?;
    // What was told late is kept once, however often it is sent.
    let told = ["check_in_id", "from_region_id", "to_region_id", "at"];
    index(manager, "mobilization_transfer", &told, true, None).await?;
    create(manager, "mobilization_coverage", &key, coverage(), &[order, region]).await?;
    create(manager, "mobilization_batch", &["id"], batch(), &[order]).await?;
    index(manager, "mobilization_batch", &["recorded_at"], false, None).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        standing(manager).await?;
        orders(manager).await?;
        // A counter that moves in place leaves no new entries in the index.
        execute(manager, &[], &["ALTER TABLE mobilization_coverage SET (fillfactor = 50)"]).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for table in TABLES {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
