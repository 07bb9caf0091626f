//! Joint handling: the part of each joint unit has its own state, handler and count of declines. Whoever handles a part is
//! remembered like whoever handles the whole, and nothing is submitted before every part is done.

use sea_orm_migration::prelude::*;

use crate::build::{execute, integer, optional, string, text, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "problem_responsible";
const REMEMBERS: &str = "problem_part_remembers_its_handler";
const WHOLE: &str = "problem_is_submitted_whole";
const SAYS: &str = "a problem is submitted when every part is done";

/// Whoever handles a part is written down once.
const REMEMBER: &str =
    "INSERT INTO problem_handler (problem_id, account_id) SELECT NEW.problem_id, NEW.handler_id
    WHERE NOT EXISTS (SELECT 1 FROM problem_handler h
                      WHERE h.problem_id = NEW.problem_id AND h.account_id = NEW.handler_id)";
const CHANGED: &str = "NEW.handler_id IS NOT NULL AND NEW.handler_id IS DISTINCT FROM OLD.handler_id";

const SUBMITTED: &str = "NEW.state = 'submitted' AND OLD.state <> 'submitted'";
const UNFINISHED: &str = "EXISTS (SELECT 1 FROM problem_responsible r
    WHERE r.problem_id = NEW.id AND r.duty = 'joint' AND r.state <> 'done')";

fn columns() -> Vec<ColumnDef> {
    let mut state = string("state", 24);
    state.default("assigned");
    let mut declined = integer("declined_count");
    declined.default(0);
    let mut shown = integer("evidence_at_return");
    shown.default(0);
    vec![
        state,
        optional(uuid("handler_id")),
        optional(text("reason")),
        declined,
        shown,
        optional(timestamp("accepted_at")),
        optional(timestamp("done_at")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in columns() {
            let mut table = Table::alter();
            table.table(Alias::new(TABLE)).add_column(&mut column);
            manager.alter_table(table).await?;
        }
        let sqlite = [
            format!(
                "CREATE TRIGGER {REMEMBERS} AFTER UPDATE OF handler_id ON {TABLE} WHEN {CHANGED} BEGIN {REMEMBER}; END"
            ),
            format!(
                "CREATE TRIGGER {WHOLE} BEFORE UPDATE ON problem WHEN {SUBMITTED} AND {UNFINISHED}
                 BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            ),
        ];
        let postgres = [
            format!(
                "CREATE FUNCTION concord_{REMEMBERS}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN {REMEMBER}; RETURN NEW; END $$"
            ),
            format!(
                "CREATE TRIGGER {REMEMBERS} AFTER UPDATE OF handler_id ON {TABLE} FOR EACH ROW WHEN ({CHANGED})
                 EXECUTE FUNCTION concord_{REMEMBERS}()"
            ),
            format!(
                "CREATE FUNCTION concord_{WHOLE}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN IF {UNFINISHED} THEN
                     RAISE EXCEPTION 'concord: {SAYS}' USING ERRCODE = 'integrity_constraint_violation';
                 END IF; RETURN NEW; END $$"
            ),
            format!(
                "CREATE TRIGGER {WHOLE} BEFORE UPDATE ON problem FOR EACH ROW WHEN ({SUBMITTED})
                 EXECUTE FUNCTION concord_{WHOLE}()"
            ),
        ];
        execute(manager, &sqlite.each_ref().map(String::as_str), &postgres.each_ref().map(String::as_str))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let triggers = [(REMEMBERS, TABLE), (WHOLE, "problem")];
        let sqlite = triggers.map(|(name, _)| format!("DROP TRIGGER {name}"));
        let dropped = triggers.map(|(name, table)| format!("DROP TRIGGER {name} ON {table}"));
        let functions = triggers.map(|(name, _)| format!("DROP FUNCTION concord_{name}()"));
        let postgres: Vec<&str> = dropped.iter().chain(&functions).map(String::as_str).collect();
        execute(manager, &sqlite.each_ref().map(String::as_str), &postgres).await?;
        for column in columns() {
            let mut table = Table::alter();
            table.table(Alias::new(TABLE)).drop_column(Alias::new(column.get_column_name()));
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
