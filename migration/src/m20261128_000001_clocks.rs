//! Deadlines to the instant, for dispatching and per responsible unit; what passed unmet, what was demanded then, and more
//! time. A deadline that passed is looked at once and then leaves its index, whatever became of it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::build::{
    big_integer, boolean, create, date, execute, index, integer, optional, string, text, timestamp, uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const DISPATCH: &str = "dispatch_due_at IS NOT NULL AND NOT dispatch_settled";
const RESPONSE: &str = "response_due_at IS NOT NULL AND NOT response_settled";
const RESOLUTION: &str = "resolution_due_at IS NOT NULL AND NOT resolution_settled";
const REMINDER: &str = "remind_at IS NOT NULL";
const UNKNOWN: &str = "response_is_provisional OR resolution_is_provisional";
const ESCALATION: &str = "escalates_at IS NOT NULL";
const REFUSALS: [(&str, &str); 2] = [("breach_is_kept", "DELETE"), ("breach_is_not_edited", "UPDATE")];
const SAYS: &str = "a breach stays on record";

fn no(name: &'static str) -> ColumnDef {
    // An older version writes rows without it.
    boolean(name).default(false).to_owned()
}

fn of_problem() -> Vec<ColumnDef> {
    vec![
        optional(timestamp("dispatch_due_at")),
        no("dispatch_is_provisional"),
        no("dispatch_settled"),
        optional(timestamp("carried_due_at")),
    ]
}

fn of_responsible() -> Vec<ColumnDef> {
    vec![
        optional(timestamp("response_due_at")),
        no("response_is_provisional"),
        no("response_settled"),
        optional(timestamp("resolution_from")),
        optional(integer("resolution_amount")),
        optional(string("resolution_unit", 24)),
        optional(timestamp("resolution_due_at")),
        no("resolution_is_provisional"),
        no("resolution_settled"),
        optional(timestamp("remind_at")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in [("problem", of_problem()), ("problem_responsible", of_responsible())] {
            for column in columns {
                let mut change = Table::alter();
                change.table(Alias::new(table)).add_column(column);
                manager.alter_table(change).await?;
            }
        }
        // Where a day was set before there were clocks, it ends at Beijing's midnight, as such days are counted elsewhere.
        let sqlite = "UPDATE problem_responsible SET (resolution_from, resolution_due_at) = (
                SELECT problem_responsible.assigned_at, strftime('%Y-%m-%dT16:00:00+00:00', problem.due_on)
                FROM problem WHERE problem.id = problem_responsible.problem_id)
            WHERE EXISTS (SELECT 1 FROM problem WHERE problem.id = problem_responsible.problem_id
                AND problem.is_open AND problem.due_on IS NOT NULL)";
        let postgres = "UPDATE problem_responsible SET resolution_from = problem_responsible.assigned_at,
                resolution_due_at = (problem.due_on + time '16:00') AT TIME ZONE 'UTC'
            FROM problem WHERE problem.id = problem_responsible.problem_id
                AND problem.is_open AND problem.due_on IS NOT NULL";
        execute(manager, &[sqlite], &[postgres]).await?;
        index(manager, "problem", &["dispatch_due_at"], false, Some(DISPATCH)).await?;
        index(manager, "problem_responsible", &["response_due_at"], false, Some(RESPONSE)).await?;
        index(manager, "problem_responsible", &["resolution_due_at"], false, Some(RESOLUTION)).await?;
        index(manager, "problem_responsible", &["remind_at"], false, Some(REMINDER)).await?;
        index(manager, "problem_responsible", &["resolution_is_provisional"], false, Some(UNKNOWN)).await?;
        index(manager, "problem", &["dispatch_is_provisional"], false, Some("dispatch_is_provisional"))
            .await?;

        let columns = vec![
            uuid("alliance_id"),
            text("rules"),
            text("levels"),
            integer("remind_hours"),
            integer("reply_days"),
            big_integer("version"),
        ];
        create(manager, "deadline_policy", &["alliance_id"], columns, &[("alliance_id", "alliance")]).await?;

        let columns = vec![
            uuid("id"),
            uuid("alliance_id"),
            uuid("problem_id"),
            integer("round"),
            string("clock", 24),
            optional(uuid("organization_id")),
            timestamp("due_at"),
            timestamp("noted_at"),
        ];
        let of =
            [("alliance_id", "alliance"), ("problem_id", "problem"), ("organization_id", "organization")];
        create(manager, "breach", &["id"], columns, &of).await?;
        // Each deadline of each unit passes once.
        let once = ["problem_id", "clock", "organization_id", "due_at"];
        index(manager, "breach", &once, true, None).await?;
        index(manager, "breach", &["alliance_id", "noted_at"], false, None).await?;
        for (name, when) in REFUSALS {
            let sqlite = format!(
                "CREATE TRIGGER {name} BEFORE {when} ON breach BEGIN SELECT RAISE(ABORT, 'concord: {SAYS}'); END"
            );
            let postgres = format!(
                "CREATE TRIGGER {name} BEFORE {when} ON breach FOR EACH ROW EXECUTE FUNCTION concord_refuse('{SAYS}')"
            );
            execute(manager, &[&sqlite], &[&postgres]).await?;
        }

        let columns = vec![uuid("alliance_id"), integer("year"), integer("last")];
        create(manager, "notice_sequence", &["alliance_id", "year"], columns, &[("alliance_id", "alliance")])
            .await?;
        let columns = vec![
            uuid("id"),
            uuid("alliance_id"),
            integer("year"),
            integer("seq"),
            string("number", 96),
            uuid("problem_id"),
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
        let of = [
            ("alliance_id", "alliance"),
            ("problem_id", "problem"),
            ("organization_id", "organization"),
            ("breach_id", "breach"),
        ];
        create(manager, "supervision_notice", &["id"], columns, &of).await?;
        index(manager, "supervision_notice", &["alliance_id", "year", "seq"], true, None).await?;
        index(manager, "supervision_notice", &["breach_id", "level"], true, None).await?;
        index(manager, "supervision_notice", &["problem_id"], false, None).await?;
        index(manager, "supervision_notice", &["organization_id"], false, None).await?;
        index(manager, "supervision_notice", &["escalates_at"], false, Some(ESCALATION)).await?;

        let columns = vec![
            uuid("id"),
            uuid("alliance_id"),
            uuid("problem_id"),
            integer("round"),
            uuid("organization_id"),
            string("state", 24),
            text("reason"),
            date("asked_until"),
            timestamp("asked_at"),
            optional(uuid("asked_by")),
            optional(timestamp("due_before")),
            optional(date("granted_until")),
            optional(text("decision")),
            optional(timestamp("decided_at")),
            optional(uuid("decided_by")),
            big_integer("version"),
        ];
        let of =
            [("alliance_id", "alliance"), ("problem_id", "problem"), ("organization_id", "organization")];
        create(manager, "extension", &["id"], columns, &of).await?;
        // One request at a time.
        index(manager, "extension", &["problem_id", "organization_id"], true, Some("state = 'asked'"))
            .await?;
        index(manager, "extension", &["problem_id"], false, None).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        for table in ["extension", "supervision_notice", "notice_sequence"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        for (name, _) in REFUSALS {
            let on = if is_sqlite { "" } else { " ON breach" };
            manager.get_connection().execute_unprepared(&format!("DROP TRIGGER {name}{on}")).await?;
        }
        for table in ["breach", "deadline_policy"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        for (table, column) in [
            ("problem", "dispatch_due_at"),
            ("problem_responsible", "response_due_at"),
            ("problem_responsible", "resolution_due_at"),
            ("problem_responsible", "remind_at"),
            ("problem_responsible", "resolution_is_provisional"),
            ("problem", "dispatch_is_provisional"),
        ] {
            let name = format!("ix_{table}_{column}");
            manager.drop_index(Index::drop().name(name).table(Alias::new(table)).to_owned()).await?;
        }
        for (table, columns) in [("problem", of_problem()), ("problem_responsible", of_responsible())] {
            for column in columns {
                let mut change = Table::alter();
                change.table(Alias::new(table)).drop_column(Alias::new(column.get_column_name()));
                manager.alter_table(change).await?;
            }
        }
        Ok(())
    }
}
