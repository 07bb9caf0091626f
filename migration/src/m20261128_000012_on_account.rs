//! Problems held on account: a state of its own, which is open and counted, and what it is held by. The new state's counter
//! has triggers of its own beside those that count the others, so that neither knows of the other; like them they wait for
//! the commit on PostgreSQL and begin with the row of `alliance_count`.

use sea_orm_migration::prelude::*;

use crate::build::{date, execute, integer, optional, text, timestamp, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const GROUNDED: &str = "problem_on_account_is_grounded";
const SAYS: &str = "a problem is held by somebody above its handler, with reason, unit and review date";
const UNGROUNDED: &str = "NEW.state = 'on_account' AND (NEW.held_reason IS NULL OR NEW.held_by IS NULL
    OR NEW.held_organization_id IS NULL OR NEW.review_on IS NULL OR NEW.held_by = NEW.handler_id)";

/// (trigger, verb, when, by how much the counter grows)
const COUNTED: [(&str, &str, &str, &str); 2] = [
    ("problem_held_insert_is_counted", "INSERT", "NEW.state = 'on_account'", "1"),
    (
        "problem_held_update_is_counted",
        "UPDATE",
        "(OLD.state = 'on_account') <> (NEW.state = 'on_account')",
        "CASE WHEN NEW.state = 'on_account' THEN 1 ELSE -1 END",
    ),
];

fn columns() -> Vec<ColumnDef> {
    vec![
        optional(timestamp("held_at")),
        optional(uuid("held_by")),
        optional(text("held_reason")),
        optional(uuid("held_organization_id")),
        optional(date("review_on")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in columns() {
            let mut table = Table::alter();
            table.table(Alias::new("problem")).add_column(&mut column);
            manager.alter_table(table).await?;
        }
        let mut counter = integer("problem_on_account");
        let mut table = Table::alter();
        table.table(Alias::new("alliance_count")).add_column(counter.default(0));
        manager.alter_table(table).await?;
        let mut sqlite = vec![format!(
            "CREATE TRIGGER {GROUNDED} BEFORE UPDATE ON problem WHEN {UNGROUNDED}
             BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
        )];
        let mut postgres = vec![format!(
            "CREATE TRIGGER {GROUNDED} BEFORE UPDATE ON problem FOR EACH ROW WHEN ({UNGROUNDED})
             EXECUTE FUNCTION concord_refuse('{SAYS}')"
        )];
        for (name, verb, when, by) in COUNTED {
            let count = format!(
                "UPDATE alliance_count SET problem_on_account = problem_on_account + {by}
                 WHERE alliance_id = NEW.alliance_id"
            );
            sqlite.push(format!(
                "CREATE TRIGGER {name} AFTER {verb} ON problem WHEN {when} BEGIN {count}; END"
            ));
            postgres.push(format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN {count}; RETURN NULL; END $$"
            ));
            postgres.push(format!(
                "CREATE CONSTRAINT TRIGGER {name} AFTER {verb} ON problem DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION concord_{name}()"
            ));
        }
        let [sqlite, postgres] =
            [&sqlite, &postgres].map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
        execute(manager, &sqlite, &postgres).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sqlite = vec![format!("DROP TRIGGER {GROUNDED}")];
        let mut postgres = vec![format!("DROP TRIGGER {GROUNDED} ON problem")];
        for (name, ..) in COUNTED {
            sqlite.push(format!("DROP TRIGGER {name}"));
            postgres.push(format!("DROP TRIGGER {name} ON problem"));
            postgres.push(format!("DROP FUNCTION concord_{name}()"));
        }
        let [sqlite, postgres] =
            [&sqlite, &postgres].map(|all| all.iter().map(String::as_str).collect::<Vec<_>>());
        execute(manager, &sqlite, &postgres).await?;
        let mut table = Table::alter();
        table.table(Alias::new("alliance_count")).drop_column(Alias::new("problem_on_account"));
        manager.alter_table(table).await?;
        for column in columns() {
            let mut table = Table::alter();
            table.table(Alias::new("problem")).drop_column(Alias::new(column.get_column_name()));
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
