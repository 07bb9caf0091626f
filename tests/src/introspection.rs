//! What a database really holds: tables, columns, keys, triggers, as the engine itself tells it.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The type as the engine names it.
    pub kind: String,
    pub is_required: bool,
}

/// A unique index or a primary key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unique {
    pub columns: Vec<String>,
    /// The rows it covers, where not all.
    pub condition: Option<String>,
    pub is_primary: bool,
    pub name: String,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub columns: BTreeMap<String, Column>,
    pub primary: Vec<String>,
    pub uniques: BTreeSet<Unique>,
    /// Column, table referred to, column there.
    pub foreign: BTreeSet<(String, String, String)>,
    pub indexes: BTreeSet<String>,
}

/// A whole database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    pub tables: BTreeMap<String, Table>,
    pub triggers: BTreeSet<String>,
    pub checks: BTreeSet<String>,
}

impl Shape {
    /// Reads the shape of a database.
    pub async fn read(db: &DatabaseConnection) -> Self {
        if db.get_database_backend() == DbBackend::Sqlite { sqlite(db).await } else { postgres(db).await }
    }

    /// Every row of every table as text.
    pub async fn rows(&self, db: &DatabaseConnection) -> BTreeMap<String, Vec<String>> {
        let mut found = BTreeMap::new();
        for (name, table) in &self.tables {
            let line = if db.get_database_backend() == DbBackend::Sqlite {
                let quoted: Vec<String> =
                    table.columns.keys().map(|column| format!("quote({column})")).collect();
                quoted.join(" || ' ' || ")
            } else {
                format!("{name}::text")
            };
            let rows = rows(db, &format!("SELECT {line} AS line FROM {name}")).await;
            found.insert(name.clone(), rows.iter().map(|row| string(row, "line")).collect());
        }
        found
    }

    /// The tables so that each comes after those it refers to.
    pub fn in_order(&self) -> Vec<String> {
        let mut done: Vec<String> = Vec::new();
        while done.len() < self.tables.len() {
            let next = self.tables.iter().find(|(name, table)| {
                !done.contains(name)
                    && table.foreign.iter().all(|(_, target, _)| target == *name || done.contains(target))
            });
            done.push(next.expect("foreign keys run in no circle").0.clone());
        }
        done
    }
}

async fn rows(db: &DatabaseConnection, text: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(db.get_database_backend(), text);
    db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn string(row: &QueryResult, column: &str) -> String {
    row.try_get("", column).unwrap_or_else(|error| panic!("{column}: {error}"))
}

fn optional(row: &QueryResult, column: &str) -> Option<String> {
    row.try_get("", column).unwrap_or_else(|error| panic!("{column}: {error}"))
}

fn number(row: &QueryResult, column: &str) -> i64 {
    row.try_get::<i64>("", column)
        .or_else(|_| row.try_get::<i32>("", column).map(i64::from))
        .unwrap_or_else(|error| panic!("{column}: {error}"))
}

async fn sqlite(db: &DatabaseConnection) -> Shape {
    let mut shape = Shape::default();
    let master = rows(
        db,
        "SELECT type AS kind, name, tbl_name AS owner, sql FROM sqlite_master
         WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> 'seaql_migrations'",
    )
    .await;
    for row in &master {
        let (kind, name) = (string(row, "kind"), string(row, "name"));
        match kind.as_str() {
            "table" => {
                if string(row, "sql").to_uppercase().contains("CHECK (") {
                    shape.checks.insert(name.clone());
                }
                shape.tables.insert(name.clone(), sqlite_table(db, &name).await);
            }
            "trigger" => {
                shape.triggers.insert(name);
            }
            _ => {}
        }
    }
    shape
}

async fn sqlite_table(db: &DatabaseConnection, name: &str) -> Table {
    let mut table = Table::default();
    let mut primary = BTreeMap::new();
    for row in rows(
        db,
        &format!("SELECT name, type AS kind, \"notnull\" AS required, pk FROM pragma_table_info('{name}')"),
    )
    .await
    {
        let column = string(&row, "name");
        let place = number(&row, "pk");
        if place > 0 {
            primary.insert(place, column.clone());
        }
        let is_required = number(&row, "required") == 1;
        table.columns.insert(column, Column { kind: string(&row, "kind"), is_required });
    }
    table.primary = primary.into_values().collect();
    for row in rows(db, &format!("SELECT \"from\" AS own, \"table\" AS target, \"to\" AS key FROM pragma_foreign_key_list('{name}')")).await {
        table.foreign.insert((string(&row, "own"), string(&row, "target"), string(&row, "key")));
    }
    for row in
        rows(db, &format!("SELECT name, \"unique\" AS is_unique, origin FROM pragma_index_list('{name}')"))
            .await
    {
        let index = string(&row, "name");
        let listed = rows(db, &format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno")).await;
        let columns: Vec<String> = listed.iter().map(|row| string(row, "name")).collect();
        let text =
            rows(db, &format!("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = '{index}'"))
                .await;
        let text = text.first().and_then(|row| optional(row, "sql")).unwrap_or_default();
        let condition = text.split_once(" WHERE ").map(|(_, condition)| condition.trim().to_owned());
        if number(&row, "is_unique") == 1 {
            let is_primary = string(&row, "origin") == "pk";
            table.uniques.insert(Unique { columns, condition, is_primary, name: index });
        } else {
            table.indexes.insert(format!("{index}({})", columns.join(",")));
        }
    }
    // A whole-number key is the row's own place and has no index.
    if !table.primary.is_empty() && !table.uniques.iter().any(|unique| unique.is_primary) {
        let columns = table.primary.clone();
        let name = format!("{name}_rowid");
        table.uniques.insert(Unique { columns, condition: None, is_primary: true, name });
    }
    table
}

async fn postgres(db: &DatabaseConnection) -> Shape {
    let mut shape = Shape::default();
    let columns = "SELECT c.relname::text AS owner, a.attname::text AS name,
            format_type(a.atttypid, a.atttypmod) AS kind, a.attnotnull::int AS required
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
            AND c.relname <> 'seaql_migrations'";
    for row in rows(db, columns).await {
        let table = shape.tables.entry(string(&row, "owner")).or_default();
        let is_required = number(&row, "required") == 1;
        table.columns.insert(string(&row, "name"), Column { kind: string(&row, "kind"), is_required });
    }
    let indexes = "SELECT c.relname::text AS owner, i.relname::text AS name, x.indisunique::int AS is_unique,
            x.indisprimary::int AS is_primary, pg_get_expr(x.indpred, x.indrelid) AS condition,
            (SELECT string_agg(a.attname::text, ',' ORDER BY k.place) FROM unnest(x.indkey) WITH ORDINALITY k(attnum, place)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum) AS columns
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname <> 'seaql_migrations'";
    for row in rows(db, indexes).await {
        let table = shape.tables.entry(string(&row, "owner")).or_default();
        let name = string(&row, "name");
        let columns: Vec<String> = string(&row, "columns").split(',').map(str::to_owned).collect();
        let is_primary = number(&row, "is_primary") == 1;
        if is_primary {
            table.primary.clone_from(&columns);
        }
        if number(&row, "is_unique") == 1 {
            table.uniques.insert(Unique {
                columns,
                condition: optional(&row, "condition"),
                is_primary,
                name,
            });
        } else {
            table.indexes.insert(format!("{name}({})", columns.join(",")));
        }
    }
    let foreign = "SELECT k.conrelid::regclass::text AS owner, a.attname::text AS own,
            k.confrelid::regclass::text AS target, f.attname::text AS key
        FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
            JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
        WHERE k.contype = 'f'";
    for row in rows(db, foreign).await {
        let table = shape.tables.entry(string(&row, "owner")).or_default();
        table.foreign.insert((string(&row, "own"), string(&row, "target"), string(&row, "key")));
    }
    let checks =
        "SELECT k.conname::text AS name FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
        WHERE k.contype = 'c' AND n.nspname = 'public'";
    shape.checks.extend(rows(db, checks).await.iter().map(|row| string(row, "name")));
    let triggers = "SELECT tgname::text AS name FROM pg_trigger WHERE NOT tgisinternal";
    shape.triggers.extend(rows(db, triggers).await.iter().map(|row| string(row, "name")));
    shape
}
