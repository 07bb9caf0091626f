//! Small words for writing migrations, so that each reads as a list of tables. Knows nothing of the entities.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

pub fn uuid(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).uuid())
}

pub fn string(name: &'static str, length: u32) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).string_len(length))
}

pub fn text(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).text())
}

pub fn integer(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).integer())
}

pub fn big_integer(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).big_integer())
}

pub fn boolean(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).boolean())
}

pub fn timestamp(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).timestamp_with_time_zone())
}

pub fn date(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).date())
}

pub fn double(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).double())
}

pub fn bytes(name: &'static str, length: u32) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).var_binary(length))
}

/// A growing number that is the primary key.
pub fn serial(name: &'static str) -> ColumnDef {
    not_null(ColumnDef::new(Alias::new(name)).big_integer().auto_increment().primary_key())
}

fn not_null(column: &mut ColumnDef) -> ColumnDef {
    column.not_null().to_owned()
}

pub fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().to_owned()
}

pub fn unique(mut column: ColumnDef) -> ColumnDef {
    column.unique_key().to_owned()
}

/// Creates a table with its primary key (none given: a `serial` column is it) and its foreign keys, given as (column, table referred to).
pub async fn create(
    manager: &SchemaManager<'_>,
    table: &'static str,
    primary_key: &[&'static str],
    columns: Vec<ColumnDef>,
    foreign_keys: &[(&'static str, &'static str)],
) -> Result<(), DbErr> {
    let mut statement = Table::create().table(Alias::new(table)).to_owned();
    for mut column in columns {
        statement.col(&mut column);
    }
    if !primary_key.is_empty() {
        let mut key = Index::create();
        for column in primary_key {
            key.col(Alias::new(*column));
        }
        statement.primary_key(&mut key);
    }
    for (column, target) in foreign_keys {
        statement.foreign_key(
            ForeignKey::create()
                .name(format!("fk_{table}_{column}"))
                .from(Alias::new(table), Alias::new(*column))
                .to(Alias::new(*target), Alias::new("id")),
        );
    }
    manager.create_table(statement).await
}

/// Creates an index, unique or not, whole or over the rows that fit `condition`.
pub async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
    is_unique: bool,
    condition: Option<&'static str>,
) -> Result<(), DbErr> {
    let mut statement = Index::create();
    let kind = if is_unique { "uq" } else { "ix" };
    statement.name(format!("{kind}_{table}_{}", columns.join("_"))).table(Alias::new(table));
    for column in columns {
        statement.col(Alias::new(*column));
    }
    if is_unique {
        statement.unique();
    }
    if let Some(condition) = condition {
        statement.and_where(Expr::cust(condition));
    }
    manager.create_index(statement).await
}

/// Runs the text meant for the engine at hand.
pub async fn execute(manager: &SchemaManager<'_>, sqlite: &[&str], postgres: &[&str]) -> Result<(), DbErr> {
    let texts = if manager.get_database_backend() == DbBackend::Sqlite { sqlite } else { postgres };
    for text in texts {
        manager.get_connection().execute_unprepared(text).await?;
    }
    Ok(())
}
