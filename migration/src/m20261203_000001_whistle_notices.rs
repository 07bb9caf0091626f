//! Supervision notices about calls to whistles, in one list and under one sequence of numbers with those about problems. A notice
//! is about the one or the other, and keeps what it is about.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{
    build::{big_integer, create, date, execute, index, integer, optional, string, text, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "supervision_notice";
const ESCALATION: &str = "escalates_at IS NOT NULL";
const KEPT: &str =
    "id, alliance_id, year, seq, number, problem_id, organization_id, breach_id, level, name, colour,
    demand, reply_by, issued_at, issued_by, escalates_at, answer, answered_at, answered_by, version";

const REFUSALS: [Refusal; 2] = [
    Refusal {
        name: "supervision_notice_has_one_matter",
        table: TABLE,
        on: "INSERT",
        guard: "1 = 1",
        condition: "(NEW.problem_id IS NULL) = (NEW.whistle_id IS NULL)
            OR (NEW.whistle_id IS NULL) <> (NEW.response_id IS NULL)",
        says: "a notice is about a problem or about a call to a whistle",
    },
    Refusal {
        name: "supervision_notice_keeps_its_matter",
        table: TABLE,
        on: "UPDATE",
        guard: "1 = 1",
        condition: "NEW.problem_id IS DISTINCT FROM OLD.problem_id OR NEW.whistle_id IS DISTINCT FROM OLD.whistle_id
            OR NEW.response_id IS DISTINCT FROM OLD.response_id OR NEW.organization_id <> OLD.organization_id
            OR NEW.breach_id IS DISTINCT FROM OLD.breach_id OR NEW.whistle_breach_id IS DISTINCT FROM OLD.whistle_breach_id
            OR NEW.level <> OLD.level",
        says: "a notice keeps what it is about",
    },
];

/// The columns; those about whistles are new, and what was always about a problem may then be about none.
fn columns(with_whistles: bool) -> Vec<ColumnDef> {
    let problem = uuid("problem_id");
    let mut columns = vec![
        uuid("id"),
        uuid("alliance_id"),
        integer("year"),
        integer("seq"),
        string("number", 96),
        if with_whistles { optional(problem) } else { problem },
        uuid("organization_id"),
        optional(uuid("breach_id")),
        integer("level"),
        string("name", 64),
        string("colour", 24),
        text("demand"),
        date("reply_by"),
        timestamp("issued_at"),
        optional(uuid("issued_by")),
        optional(timestamp("escalates_at")),
        optional(text("answer")),
        optional(timestamp("answered_at")),
        optional(uuid("answered_by")),
        big_integer("version"),
    ];
    if with_whistles {
        columns.extend(["whistle_id", "response_id", "whistle_breach_id"].map(uuid).map(optional));
    }
    columns
}

const FOREIGN: [(&str, &str); 7] = [
    ("alliance_id", "alliance"),
    ("problem_id", "problem"),
    ("organization_id", "organization"),
    ("breach_id", "breach"),
    ("whistle_id", "whistle"),
    ("response_id", "whistle_response"),
    ("whistle_breach_id", "whistle_breach"),
];

/// SQLite cannot let a column be empty that was not: the table is made anew, with its rows.
async fn rebuild(manager: &SchemaManager<'_>, with_whistles: bool) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared("ALTER TABLE supervision_notice RENAME TO supervision_notice_before").await?;
    let foreign = if with_whistles { FOREIGN.as_slice() } else { &FOREIGN[..4] };
    create(manager, TABLE, &["id"], columns(with_whistles), foreign).await?;
    db.execute_unprepared(&format!(
        "INSERT INTO supervision_notice ({KEPT}) SELECT {KEPT} FROM supervision_notice_before WHERE problem_id IS NOT NULL"
    ))
    .await?;
    db.execute_unprepared("DROP TABLE supervision_notice_before").await?;
    index(manager, TABLE, &["alliance_id", "year", "seq"], true, None).await?;
    index(manager, TABLE, &["breach_id", "level"], true, None).await?;
    index(manager, TABLE, &["problem_id"], false, None).await?;
    index(manager, TABLE, &["organization_id"], false, None).await?;
    index(manager, TABLE, &["escalates_at"], false, Some(ESCALATION)).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Sqlite {
            rebuild(manager, true).await?;
        } else {
            let keys = FOREIGN[4..].iter().flat_map(|(column, table)| {
                [
                    format!("ALTER TABLE {TABLE} ADD COLUMN {column} uuid"),
                    format!(
                        "ALTER TABLE {TABLE} ADD CONSTRAINT fk_{TABLE}_{column} FOREIGN KEY ({column}) REFERENCES {table} (id)"
                    ),
                ]
            });
            let texts: Vec<String> =
                keys.chain([format!("ALTER TABLE {TABLE} ALTER COLUMN problem_id DROP NOT NULL")]).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            execute(manager, &[], &texts).await?;
        }
        index(manager, TABLE, &["whistle_breach_id", "level"], true, None).await?;
        index(manager, TABLE, &["whistle_id"], false, None).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        if manager.get_database_backend() == DbBackend::Sqlite {
            return rebuild(manager, false).await;
        }
        let texts = [
            "DELETE FROM supervision_notice WHERE problem_id IS NULL",
            "ALTER TABLE supervision_notice DROP COLUMN whistle_id, DROP COLUMN response_id, DROP COLUMN whistle_breach_id",
            "ALTER TABLE supervision_notice ALTER COLUMN problem_id SET NOT NULL",
        ];
        execute(manager, &[], &texts).await
    }
}
