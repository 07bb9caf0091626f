//! Grids (网格): a network of each kind over an alliance's territory, its cells, what they cover and who holds them, all of it from
//! one day up to another. What was so on a day stays so: rows are ended, never changed or deleted.

use sea_orm_migration::prelude::*;

use crate::{
    build::{big_integer, boolean, create, date, index, integer, optional, string, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const STANDS: &str = "until_on IS NULL";
const MAIN: &str = "until_on IS NULL AND is_main";

const fn kept(name: &'static str, table: &'static str, on: &'static str, says: &'static str) -> Refusal {
    Refusal { name, table, on, guard: "1 = 1", condition: "1 = 1", says }
}

const REFUSALS: [Refusal; 11] = [
    kept("grid_network_is_kept", "grid_network", "DELETE", "grid networks are never deleted"),
    kept("grid_network_is_not_edited", "grid_network", "UPDATE", "a grid network keeps its alliance and kind"),
    kept("grid_cell_is_kept", "grid_cell", "DELETE", "grid cells are never deleted"),
    kept("grid_cell_region_is_kept", "grid_cell_region", "DELETE", "what a grid cell covered stays on record"),
    kept("grid_officer_is_kept", "grid_officer", "DELETE", "who held a grid cell stays on record"),
    Refusal {
        name: "grid_cell_stands_below_its_parent",
        table: "grid_cell",
        on: "INSERT",
        guard: "1 = 1",
        condition: "NEW.level < 1 OR NEW.level > 5 OR (NEW.parent_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM grid_cell p WHERE p.id = NEW.parent_id AND p.network_id = NEW.network_id
                AND p.level = NEW.level - 1))",
        says: "a grid cell stands below one of the level above in its network",
    },
    Refusal {
        name: "grid_cell_keeps_its_place",
        table: "grid_cell",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.alliance_id <> OLD.alliance_id OR NEW.network_id <> OLD.network_id
            OR NEW.parent_id IS DISTINCT FROM OLD.parent_id OR NEW.code <> OLD.code OR NEW.level <> OLD.level
            OR NEW.category <> OLD.category OR NEW.since_on <> OLD.since_on OR NEW.until_on < NEW.since_on
            OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
        says: "a grid cell keeps its place and its days",
    },
    // What lies above or below is the verb's to see: here it would be looked for through the whole network each time.
    Refusal {
        name: "grid_cells_do_not_overlap",
        table: "grid_cell_region",
        on: "INSERT",
        guard: "1 = 1",
        condition: "EXISTS (SELECT 1 FROM grid_cell n
            JOIN grid_cell_region t ON t.region_id = NEW.region_id
            JOIN grid_cell o ON o.id = t.cell_id AND o.network_id = n.network_id AND o.level = n.level AND o.id <> n.id
            WHERE n.id = NEW.cell_id AND n.category = 'comprehensive' AND o.category = 'comprehensive'
                AND (t.until_on IS NULL OR (t.until_on > NEW.since_on AND t.until_on > t.since_on))
                AND (NEW.until_on IS NULL OR NEW.until_on > t.since_on))",
        says: "two comprehensive grid cells of one level cover one place",
    },
    Refusal {
        name: "grid_cell_region_is_not_edited",
        table: "grid_cell_region",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.cell_id <> OLD.cell_id OR NEW.region_id <> OLD.region_id OR NEW.since_on <> OLD.since_on
            OR NEW.alliance_id <> OLD.alliance_id OR NEW.until_on < NEW.since_on
            OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
        says: "what a grid cell covered stays on record",
    },
    Refusal {
        name: "grid_officer_is_dated",
        table: "grid_officer",
        on: "INSERT",
        guard: "1 = 1",
        condition: "NEW.until_on < NEW.since_on",
        says: "a post ends no earlier than it began",
    },
    Refusal {
        name: "grid_officer_keeps_the_post",
        table: "grid_officer",
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.alliance_id <> OLD.alliance_id OR NEW.cell_id <> OLD.cell_id OR NEW.role <> OLD.role
            OR NEW.organization_id <> OLD.organization_id OR NEW.is_main <> OLD.is_main
            OR NEW.since_on <> OLD.since_on OR NEW.until_on < NEW.since_on
            OR (OLD.until_on IS NOT NULL AND NEW.until_on IS DISTINCT FROM OLD.until_on)",
        says: "who held a grid cell stays on record",
    },
];

fn network() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        string("kind", 24),
        timestamp("established_at"),
        optional(uuid("established_by")),
    ]
}

fn cell() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("network_id"),
        optional(uuid("parent_id")),
        string("code", 64),
        string("name", 128),
        integer("level"),
        string("category", 24),
        date("since_on"),
        optional(date("until_on")),
        timestamp("created_at"),
        optional(uuid("created_by")),
        big_integer("version"),
    ]
}

fn territory() -> Vec<ColumnDef> {
    vec![
        uuid("cell_id"),
        uuid("region_id"),
        date("since_on"),
        optional(date("until_on")),
        uuid("alliance_id"),
    ]
}

fn officer() -> Vec<ColumnDef> {
    vec![
        uuid("id"),
        uuid("alliance_id"),
        uuid("cell_id"),
        uuid("organization_id"),
        string("role", 24),
        string("name", 64),
        optional(string("phone", 32)),
        boolean("is_main"),
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
        create(manager, "grid_network", &["id"], network(), &[("alliance_id", "alliance")]).await?;
        index(manager, "grid_network", &["alliance_id", "kind"], true, None).await?;
        let of = [("alliance_id", "alliance"), ("network_id", "grid_network"), ("parent_id", "grid_cell")];
        create(manager, "grid_cell", &["id"], cell(), &of).await?;
        index(manager, "grid_cell", &["network_id", "code"], true, Some(STANDS)).await?;
        index(manager, "grid_cell", &["alliance_id", "code", "id"], false, None).await?;
        index(manager, "grid_cell", &["parent_id"], false, None).await?;
        let of = [("cell_id", "grid_cell"), ("region_id", "region"), ("alliance_id", "alliance")];
        let key = ["cell_id", "region_id", "since_on"];
        create(manager, "grid_cell_region", &key, territory(), &of).await?;
        index(manager, "grid_cell_region", &["region_id"], false, None).await?;
        let of = [("alliance_id", "alliance"), ("cell_id", "grid_cell"), ("organization_id", "organization")];
        create(manager, "grid_officer", &["id"], officer(), &of).await?;
        index(manager, "grid_officer", &["cell_id", "role"], true, Some(MAIN)).await?;
        index(manager, "grid_officer", &["cell_id", "since_on"], false, None).await?;
        index(manager, "grid_officer", &["alliance_id", "phone"], false, None).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for table in ["grid_officer", "grid_cell_region", "grid_cell", "grid_network"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
