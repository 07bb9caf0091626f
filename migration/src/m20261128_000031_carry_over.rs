//! Carrying over: which task of a later list stands for which of an earlier one, how many tasks ended that way, and that a
//! closed list with all that hangs on its tasks never changes again.

use sea_orm_migration::prelude::*;

use crate::build::{create, execute, integer, optional, timestamp, unique, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SAYS: &str = "a closed task list never changes";

/// (trigger, table, when, whether the row hangs on a task rather than being one)
const CLOSED: [(&str, &str, &str, bool); 9] = [
    ("closed_list_takes_no_task", "priority_task", "INSERT", false),
    ("closed_list_keeps_its_tasks", "priority_task", "UPDATE", false),
    ("closed_list_loses_no_task", "priority_task", "DELETE", false),
    ("closed_list_takes_no_co_organizer", "task_co_organizer", "INSERT", true),
    ("closed_list_loses_no_co_organizer", "task_co_organizer", "DELETE", true),
    ("closed_list_takes_no_milestone", "task_milestone", "INSERT", true),
    ("closed_list_keeps_its_milestones", "task_milestone", "UPDATE", true),
    ("closed_list_loses_no_milestone", "task_milestone", "DELETE", true),
    ("closed_list_takes_no_progress", "task_progress", "INSERT", true),
];

/// The list itself: (trigger, when)
const LIST: [(&str, &str); 2] = [("closed_list_is_not_edited", "UPDATE"), ("closed_list_is_kept", "DELETE")];

/// (trigger, when, condition, by how much the counter grows)
const COUNTED: [(&str, &str, &str, &str); 3] = [
    ("carried_over_insert_is_counted", "INSERT", "NEW.state = 'carried_over'", "1"),
    (
        "carried_over_update_is_counted",
        "UPDATE",
        "(OLD.state = 'carried_over') <> (NEW.state = 'carried_over')",
        "CASE WHEN NEW.state = 'carried_over' THEN 1 ELSE -1 END",
    ),
    ("carried_over_delete_is_counted", "DELETE", "OLD.state = 'carried_over'", "-1"),
];

/// The row that a change is about.
fn row(when: &str) -> &'static str {
    if when == "INSERT" { "NEW" } else { "OLD" }
}

fn is_closed(when: &str, hangs_on_a_task: bool) -> String {
    let row = row(when);
    if hangs_on_a_task {
        format!(
            "EXISTS (SELECT 1 FROM priority_task t JOIN task_list l ON l.id = t.task_list_id
             WHERE t.id = {row}.task_id AND l.state = 'closed')"
        )
    } else if when == "UPDATE" {
        "EXISTS (SELECT 1 FROM task_list l WHERE l.id IN (OLD.task_list_id, NEW.task_list_id) AND l.state = 'closed')"
            .to_owned()
    } else {
        format!("EXISTS (SELECT 1 FROM task_list l WHERE l.id = {row}.task_list_id AND l.state = 'closed')")
    }
}

async fn run(manager: &SchemaManager<'_>, sqlite: &[String], postgres: &[String]) -> Result<(), DbErr> {
    let sqlite: Vec<&str> = sqlite.iter().map(String::as_str).collect();
    let postgres: Vec<&str> = postgres.iter().map(String::as_str).collect();
    execute(manager, &sqlite, &postgres).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "task_carry_over",
            &["task_id"],
            vec![
                uuid("task_id"),
                unique(uuid("from_task_id")),
                timestamp("carried_at"),
                optional(uuid("carried_by")),
            ],
            &[("task_id", "priority_task"), ("from_task_id", "priority_task")],
        )
        .await?;
        let mut counter = integer("task_carried_over");
        counter.default(0);
        let mut table = Table::alter();
        table.table(Alias::new("alliance_count")).add_column(&mut counter);
        manager.alter_table(table).await?;
        let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
        for (name, when, condition, delta) in COUNTED {
            let row = if when == "DELETE" { "OLD" } else { "NEW" };
            let count = format!(
                "UPDATE alliance_count SET task_carried_over = task_carried_over + {delta}
                 WHERE alliance_id = {row}.alliance_id"
            );
            sqlite.push(format!(
                "CREATE TRIGGER {name} AFTER {when} ON priority_task WHEN {condition} BEGIN {count}; END"
            ));
            postgres.push(format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN {count}; RETURN NULL; END $$"
            ));
            postgres.push(format!(
                "CREATE CONSTRAINT TRIGGER {name} AFTER {when} ON priority_task DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION concord_{name}()"
            ));
        }
        for (name, table, when, hangs_on_a_task) in CLOSED {
            let condition = is_closed(when, hangs_on_a_task);
            sqlite.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} WHEN {condition}
                 BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            ));
            let row = if when == "DELETE" { "OLD" } else { "NEW" };
            // PostgreSQL allows no subquery in WHEN.
            postgres.push(format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN IF {condition} THEN
                     RAISE EXCEPTION 'concord: {SAYS}' USING ERRCODE = 'integrity_constraint_violation';
                 END IF; RETURN {row}; END $$"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION concord_{name}()"
            ));
        }
        for (name, when) in LIST {
            sqlite.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON task_list WHEN OLD.state = 'closed'
                 BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            ));
            postgres.push(format!(
                "CREATE TRIGGER {name} BEFORE {when} ON task_list FOR EACH ROW WHEN (OLD.state = 'closed')
                 EXECUTE FUNCTION concord_refuse('{SAYS}')"
            ));
        }
        run(manager, &sqlite, &postgres).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
        for (name, table, ..) in CLOSED {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON {table}"));
            postgres.push(format!("DROP FUNCTION concord_{name}()"));
        }
        for (name, _) in LIST {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON task_list"));
        }
        for (name, ..) in COUNTED {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON priority_task"));
            postgres.push(format!("DROP FUNCTION concord_{name}()"));
        }
        // The version before knows neither word; the counters of what it knows follow.
        for text in [
            "UPDATE priority_task SET state = 'cancelled' WHERE state = 'carried_over'",
            "UPDATE task_list SET state = 'published' WHERE state = 'closed'",
        ] {
            sqlite.push(text.to_owned());
            postgres.push(text.to_owned());
        }
        // What the triggers of before put off until the commit is done before the tables change.
        postgres.push("SET CONSTRAINTS ALL IMMEDIATE".to_owned());
        run(manager, &sqlite, &postgres).await?;
        let mut table = Table::alter();
        table.table(Alias::new("alliance_count")).drop_column(Alias::new("task_carried_over"));
        manager.alter_table(table).await?;
        manager.drop_table(Table::drop().table(Alias::new("task_carry_over")).to_owned()).await
    }
}
