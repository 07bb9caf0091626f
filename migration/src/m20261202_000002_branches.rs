//! Party branches (党组织): a tree in which each stands below one of an earlier kind, so that no circle closes; where each is at home; how
//! many members it counts, no fewer than its groups; what it serves; and instructors where there is none. Rows are ended, not deleted.

use sea_orm_migration::prelude::*;

use crate::{
    build::{big_integer, boolean, create, date, index, integer, optional, string, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const fn kept(name: &'static str, table: &'static str, on: &'static str, says: &'static str) -> Refusal {
    Refusal { name, table, on, guard: "1 = 1", condition: "1 = 1", says }
}

const BELOW: &str = "(NEW.kind = 'committee' AND NEW.parent_id IS NOT NULL)
    OR (NEW.kind = 'party_group' AND NEW.parent_id IS NULL)
    OR (NEW.parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM party_branch p
        WHERE p.id = NEW.parent_id AND p.alliance_id = NEW.alliance_id AND p.until_on IS NULL
            AND ((NEW.kind = 'general_branch' AND p.kind = 'committee')
                OR (NEW.kind = 'branch' AND p.kind IN ('committee', 'general_branch'))
                OR (NEW.kind = 'party_group' AND p.kind = 'branch'))))";
const BELOW_SAYS: &str = "a Party organisation stands below a standing one of an earlier kind";
const FITS: &str =
    "EXISTS (SELECT 1 FROM party_branch p WHERE p.id = NEW.parent_id AND p.member_count IS NOT NULL
    AND p.member_count < NEW.member_count + (SELECT COALESCE(SUM(g.member_count), 0) FROM party_branch g
        WHERE g.parent_id = NEW.parent_id AND g.id <> NEW.id AND g.until_on IS NULL))";
const FITS_SAYS: &str = "a branch counts no fewer members than its groups";

const REFUSALS: [Refusal; 19] = [
    kept("party_branch_is_kept", "party_branch", "DELETE", "Party organisations are never deleted"),
    kept("branch_host_is_kept", "branch_host", "DELETE", "where a branch was at home stays on record"),
    kept("branch_member_count_is_kept", "branch_member_count", "DELETE", "counts of members stay on record"),
    kept("branch_member_count_is_not_edited", "branch_member_count", "UPDATE", "counts of members stay on record"),
    kept("branch_matter_is_kept", "branch_matter", "DELETE", "what a branch served stays on record"),
    kept("branch_matter_is_not_edited", "branch_matter", "UPDATE", "what a branch served stays on record"),
    kept("branch_instructor_is_kept", "branch_instructor", "DELETE", "instructors stay on record"),
    Refusal {
        name: "party_branch_is_born_below",
        table: "party_branch",
        on: "INSERT",
        guard: "1 = 1",
        condition: BELOW,
        says: BELOW_SAYS,
    },
    Refusal {
        name: "party_branch_moves_below",
        table: "party_branch",
        on: "UPDATE",
        guard: "NEW.parent_id IS DISTINCT FROM OLD.parent_id",
        condition: BELOW,
        says: BELOW_SAYS,
    },
    Refusal {
        name: "party_branch_keeps_its_kind",
        table: "party_branch",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.alliance_id <> OLD.alliance_id OR NEW.kind <> OLD.kind OR NEW.since_on <> OLD.since_on
            OR NEW.member_count < 0 OR NEW.until_on < NEW.since_on
            OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
        says: "a Party organisation keeps its kind and its days",
    },
    Refusal {
        name: "party_branch_ends_after_those_below",
        table: "party_branch",
        on: "UPDATE",
        guard: "NEW.until_on IS NOT NULL AND OLD.until_on IS NULL",
        condition: "EXISTS (SELECT 1 FROM party_branch c WHERE c.parent_id = NEW.id AND c.until_on IS NULL)",
        says: "others still stand below a Party organisation",
    },
    Refusal {
        name: "party_branch_counts_its_groups",
        table: "party_branch",
        on: "UPDATE",
        guard: "NEW.kind = 'branch' AND NEW.member_count IS NOT NULL",
        condition: "NEW.member_count < (SELECT COALESCE(SUM(g.member_count), 0) FROM party_branch g
            WHERE g.parent_id = NEW.id AND g.until_on IS NULL)",
        says: FITS_SAYS,
    },
    Refusal {
        name: "party_group_is_born_within_its_branch",
        table: "party_branch",
        on: "INSERT",
        guard: "NEW.kind = 'party_group' AND NEW.member_count IS NOT NULL AND NEW.until_on IS NULL",
        condition: FITS,
        says: FITS_SAYS,
    },
    Refusal {
        name: "party_group_stays_within_its_branch",
        table: "party_branch",
        on: "UPDATE",
        guard: "NEW.kind = 'party_group' AND NEW.member_count IS NOT NULL AND NEW.until_on IS NULL",
        condition: FITS,
        says: FITS_SAYS,
    },
    Refusal {
        name: "branch_host_is_one_thing",
        table: "branch_host",
        on: "INSERT",
        guard: "1 = 1",
        condition: "NOT (
            (NEW.kind IN ('region', 'compound') AND NEW.region_id IS NOT NULL AND NEW.cell_id IS NULL
                AND NEW.organization_id IS NULL AND NEW.name IS NULL)
            OR (NEW.kind = 'grid_cell' AND NEW.cell_id IS NOT NULL AND NEW.region_id IS NULL
                AND NEW.organization_id IS NULL AND NEW.name IS NULL)
            OR (NEW.kind = 'organization' AND NEW.organization_id IS NOT NULL AND NEW.region_id IS NULL
                AND NEW.cell_id IS NULL AND NEW.name IS NULL)
            OR (NEW.kind IN ('market', 'ship', 'fleet', 'courier_station', 'cooperative') AND NEW.name IS NOT NULL
                AND NEW.region_id IS NULL AND NEW.cell_id IS NULL AND NEW.organization_id IS NULL))",
        says: "a host is one thing of its kind",
    },
    Refusal {
        name: "branch_host_is_not_edited",
        table: "branch_host",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.branch_id <> OLD.branch_id OR NEW.alliance_id <> OLD.alliance_id OR NEW.kind <> OLD.kind
            OR NEW.region_id IS DISTINCT FROM OLD.region_id OR NEW.cell_id IS DISTINCT FROM OLD.cell_id
            OR NEW.organization_id IS DISTINCT FROM OLD.organization_id OR NEW.name IS DISTINCT FROM OLD.name
            OR NEW.since_on <> OLD.since_on OR NEW.until_on < NEW.since_on
            OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
        says: "where a branch was at home stays on record",
    },
    Refusal {
        name: "branch_matter_is_one_thing",
        table: "branch_matter",
        on: "INSERT",
        guard: "1 = 1",
        condition: "(CASE WHEN NEW.problem_id IS NULL THEN 0 ELSE 1 END)
            + (CASE WHEN NEW.task_id IS NULL THEN 0 ELSE 1 END)
            + (CASE WHEN NEW.whistle_id IS NULL THEN 0 ELSE 1 END) <> 1",
        says: "a branch serves a problem, a task or a whistle",
    },
    Refusal {
        name: "branch_instructor_serves_one_place",
        table: "branch_instructor",
        on: "INSERT",
        guard: "1 = 1",
        condition: "(CASE WHEN NEW.region_id IS NULL THEN 0 ELSE 1 END)
            + (CASE WHEN NEW.cell_id IS NULL THEN 0 ELSE 1 END)
            + (CASE WHEN NEW.served_organization_id IS NULL THEN 0 ELSE 1 END)
            + (CASE WHEN NEW.market IS NULL THEN 0 ELSE 1 END) <> 1",
        says: "an instructor serves one place",
    },
    Refusal {
        name: "branch_instructor_is_not_edited",
        table: "branch_instructor",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.alliance_id <> OLD.alliance_id OR NEW.organization_id <> OLD.organization_id
            OR NEW.region_id IS DISTINCT FROM OLD.region_id OR NEW.cell_id IS DISTINCT FROM OLD.cell_id
            OR NEW.served_organization_id IS DISTINCT FROM OLD.served_organization_id
            OR NEW.market IS DISTINCT FROM OLD.market OR NEW.since_on <> OLD.since_on OR NEW.until_on < NEW.since_on
            OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
        says: "instructors stay on record",
    },
];

fn branch() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        string("kind", 24),
        optional(uuid("parent_id")),
        string("name", 128),
        boolean("is_temporary"),
        optional(integer("member_count")),
        optional(date("counted_on")),
        optional(string("secretary_name", 64)),
        optional(string("secretary_phone", 32)),
        date("since_on"),
        optional(date("until_on")),
        timestamp("created_at"),
        optional(uuid("created_by")),
        big_integer("version"),
    ]
}

fn host() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("branch_id"),
        string("kind", 24),
        optional(uuid("region_id")),
        optional(uuid("cell_id")),
        optional(uuid("organization_id")),
        optional(string("name", 128)),
        date("since_on"),
        optional(date("until_on")),
    ]
}

fn count() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("branch_id"),
        integer("member_count"),
        date("counted_on"),
        timestamp("recorded_at"),
        optional(uuid("recorded_by")),
    ]
}

fn matter() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("branch_id"),
        optional(uuid("problem_id")),
        optional(uuid("task_id")),
        optional(uuid("whistle_id")),
        timestamp("linked_at"),
        optional(uuid("linked_by")),
    ]
}

fn instructor() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("organization_id"),
        string("name", 64),
        optional(string("phone", 32)),
        optional(uuid("region_id")),
        optional(uuid("cell_id")),
        optional(uuid("served_organization_id")),
        optional(string("market", 128)),
        date("since_on"),
        optional(date("until_on")),
        timestamp("created_at"),
        optional(uuid("created_by")),
        big_integer("version"),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of = [("alliance_id", "alliance"), ("parent_id", "party_branch")];
        create(manager, "party_branch", &["id"], branch(), &of).await?;
        index(manager, "party_branch", &["alliance_id", "name", "id"], false, None).await?;
        index(manager, "party_branch", &["parent_id", "name", "id"], false, None).await?;
        let of = [
            ("alliance_id", "alliance"),
            ("branch_id", "party_branch"),
            ("region_id", "region"),
            ("cell_id", "grid_cell"),
            ("organization_id", "organization"),
        ];
        create(manager, "branch_host", &["id"], host(), &of).await?;
        index(manager, "branch_host", &["branch_id", "since_on", "id"], false, None).await?;
        index(manager, "branch_host", &["alliance_id", "kind"], false, None).await?;
        let of = [("alliance_id", "alliance"), ("branch_id", "party_branch")];
        create(manager, "branch_member_count", &["id"], count(), &of).await?;
        index(manager, "branch_member_count", &["branch_id", "recorded_at", "id"], false, None).await?;
        let of = [
            ("alliance_id", "alliance"),
            ("branch_id", "party_branch"),
            ("problem_id", "problem"),
            ("task_id", "priority_task"),
            ("whistle_id", "whistle"),
        ];
        create(manager, "branch_matter", &["id"], matter(), &of).await?;
        for of in ["problem_id", "task_id", "whistle_id"] {
            index(manager, "branch_matter", &[of], false, None).await?;
        }
        index(manager, "branch_matter", &["branch_id", "linked_at", "id"], false, None).await?;
        let of = [
            ("alliance_id", "alliance"),
            ("organization_id", "organization"),
            ("region_id", "region"),
            ("cell_id", "grid_cell"),
            ("served_organization_id", "organization"),
        ];
        create(manager, "branch_instructor", &["id"], instructor(), &of).await?;
        index(manager, "branch_instructor", &["alliance_id", "since_on", "id"], false, None).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for table in
            ["branch_instructor", "branch_matter", "branch_member_count", "branch_host", "party_branch"]
        {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
