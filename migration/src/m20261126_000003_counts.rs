//! The counters of the dashboard, kept by triggers in the transaction of the change, whoever writes the SQL: items by
//! state, open items by due date (overdue is their sum before today, so the turn of a day writes nothing), and problems
//! by the month in which they were recorded and closed. What was due before `settled_on` is summed up beside the states,
//! so that a reader adds few dates; a hand moves that day on, and nothing is wrong where it does not.
//!
//! On PostgreSQL the triggers wait for the commit: an alliance's counters are locked last and briefly, so that nobody
//! who holds them waits for anything else. Both kinds begin with the row of `alliance_count`, so they never wait in a
//! circle. The tables of dates and months have no foreign keys: only triggers write them, with an alliance that the
//! counted row's own key has checked.

use std::fmt::Write as _;

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::build::{create, date, execute, integer, optional, uuid};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TASK_STATES: [&str; 7] =
    ["draft", "published", "acknowledged", "in_progress", "submitted", "completed", "cancelled"];
const PROBLEM_STATES: [&str; 11] = [
    "registered",
    "triaged",
    "assigned",
    "accepted",
    "in_progress",
    "submitted",
    "verified",
    "struck_off",
    "rejected",
    "withdrawn",
    "closed_at_source",
];

/// What happens to a row; the rows that it leaves and that it makes.
#[derive(Clone, Copy)]
struct Change {
    verb: &'static str,
    old: bool,
    new: bool,
}

const INSERT: Change = Change { verb: "INSERT", old: false, new: true };
const UPDATE: Change = Change { verb: "UPDATE", old: true, new: true };
const DELETE: Change = Change { verb: "DELETE", old: true, new: false };

impl Change {
    /// The row that tells whose counters these are.
    fn row(self) -> &'static str {
        if self.new { "NEW" } else { "OLD" }
    }

    /// How many rows more fulfil a condition.
    fn delta(self, condition: impl Fn(&str) -> String) -> String {
        let one_if = |row| format!("CASE WHEN {} THEN 1 ELSE 0 END", condition(row));
        match (self.new, self.old) {
            (true, true) => format!("{} - {}", one_if("NEW"), one_if("OLD")),
            (true, false) => one_if("NEW"),
            _ => format!("-({})", one_if("OLD")),
        }
    }

    /// `differs` for an update; the rest always counts.
    fn guard(self, differs: &str) -> String {
        if self.old && self.new { format!("({differs})") } else { "TRUE".to_owned() }
    }
}

/// Whether a problem counts for the closure rate at all.
fn regular(row: &str) -> String {
    format!("{row}.state NOT IN ('rejected', 'withdrawn')")
}

/// Statements of a trigger that have work to do only where `guard` holds; each has it in its own condition as well.
struct Part {
    guard: String,
    statements: Vec<String>,
}

#[derive(Clone, Copy)]
struct Engine(DbBackend);

impl Engine {
    fn is_sqlite(self) -> bool {
        self.0 == DbBackend::Sqlite
    }

    /// The day of something in the alliance's zone, once it has happened. Where a row does not say it (it is older than
    /// the column, or was written by a node of before), the day in Beijing.
    fn day(self, row: &str, what: &str) -> String {
        let beijing = if self.is_sqlite() {
            format!("date({row}.{what}_at, '+8 hours')")
        } else {
            format!("({row}.{what}_at AT TIME ZONE 'Asia/Shanghai')::date")
        };
        format!("CASE WHEN {row}.{what}_at IS NOT NULL THEN COALESCE({row}.{what}_on, {beijing}) END")
    }

    fn month(self, row: &str, what: &str) -> String {
        let day = self.day(row, what);
        if self.is_sqlite() {
            format!("date({day}, 'start of month')")
        } else {
            format!("date_trunc('month', ({day})::timestamp)::date")
        }
    }

    /// Whether a problem counts for the months: what was rejected, withdrawn, or over before it was recorded does not.
    fn counts(self, row: &str) -> String {
        let (closed, recorded) = (self.month(row, "closed"), self.month(row, "recorded"));
        format!("({} AND ({row}.closed_at IS NULL OR {closed} >= {recorded}))", regular(row))
    }

    /// The trigger that counts a change of a table's rows.
    fn trigger(self, table: &str, change: Change, when: &str, parts: &[Part]) -> Vec<String> {
        let verb = change.verb;
        let name = format!("{table}_{}_is_counted", verb.to_lowercase());
        let when = if when.is_empty() { String::new() } else { format!(" WHEN ({when})") };
        let mut body = String::new();
        for part in parts {
            let statements = part.statements.join(";\n") + ";\n";
            if self.is_sqlite() || part.guard == "TRUE" {
                body += &statements;
            } else {
                // A statement that finds nothing to do still costs its start.
                let _ = write!(body, "IF {} THEN\n{statements}END IF;\n", part.guard);
            }
        }
        if self.is_sqlite() {
            return vec![format!("CREATE TRIGGER {name} AFTER {verb} ON {table}{when} BEGIN\n{body}END")];
        }
        let function = format!("concord_{name}");
        vec![
            format!(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n{body}RETURN NULL; END $$"
            ),
            format!(
                "CREATE CONSTRAINT TRIGGER {name} AFTER {verb} ON {table} DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW{when} EXECUTE FUNCTION {function}()"
            ),
        ]
    }
}

/// The row of `alliance_count`, which is always taken first.
fn by_state(change: Change, kind: &str, states: &[&str]) -> Part {
    let mut sets: Vec<String> = states
        .iter()
        .map(|state| {
            let delta = change.delta(|row| format!("{row}.state = '{state}'"));
            format!("{kind}_{state} = {kind}_{state} + {delta}")
        })
        .collect();
    let delta = change.delta(|row| format!("{row}.is_open AND {row}.due_on < settled_on"));
    sets.push(format!("settled_{kind}s = settled_{kind}s + {delta}"));
    if kind == "problem" {
        let delta = change.delta(|row| format!("{row}.closed_at IS NULL AND {}", regular(row)));
        sets.push(format!("problem_unclosed = problem_unclosed + {delta}"));
    } else {
        let delta = change.delta(|row| format!("{row}.state = 'cancelled' AND {row}.published_at IS NULL"));
        sets.push(format!("task_cancelled_draft = task_cancelled_draft + {delta}"));
    }
    let (sets, row) = (sets.join(", "), change.row());
    let statement = format!("UPDATE alliance_count SET {sets} WHERE alliance_id = {row}.alliance_id");
    Part { guard: "TRUE".to_owned(), statements: vec![statement] }
}

/// Open items by due date; a date with none has no row.
fn by_due(change: Change, counter: &str) -> Part {
    let guard = change.guard("OLD.is_open <> NEW.is_open OR OLD.due_on IS DISTINCT FROM NEW.due_on");
    let mut statements = Vec::new();
    if change.old {
        let here = "alliance_id = OLD.alliance_id AND due_on = OLD.due_on AND OLD.is_open";
        statements
            .push(format!("UPDATE open_due_count SET {counter} = {counter} - 1 WHERE {here} AND {guard}"));
        statements.push(format!("DELETE FROM open_due_count WHERE {here} AND tasks = 0 AND problems = 0"));
    }
    if change.new {
        let (tasks, problems) = if counter == "tasks" { (1, 0) } else { (0, 1) };
        statements.push(format!(
            "INSERT INTO open_due_count (alliance_id, due_on, tasks, problems)
             SELECT NEW.alliance_id, NEW.due_on, {tasks}, {problems}
             WHERE NEW.is_open AND NEW.due_on IS NOT NULL AND {guard}
             ON CONFLICT (alliance_id, due_on) DO UPDATE SET {counter} = open_due_count.{counter} + 1"
        ));
    }
    Part { guard, statements }
}

/// Problems by the month in which they were `recorded` or `closed`.
fn by_month(engine: Engine, change: Change, what: &str) -> Part {
    let (day, month) = (|row| engine.day(row, what), |row| engine.month(row, what));
    let counts = |row| format!("{} AND {row}.{what}_at IS NOT NULL", engine.counts(row));
    let guard = change.guard(&format!(
        "{} <> {} OR {} IS DISTINCT FROM {}",
        engine.counts("OLD"),
        engine.counts("NEW"),
        day("OLD"),
        day("NEW")
    ));
    let mut statements = Vec::new();
    if change.old {
        statements.push(format!(
            "UPDATE month_count SET {what} = {what} - 1
             WHERE alliance_id = OLD.alliance_id AND month_on = {} AND {} AND {guard}",
            month("OLD"),
            counts("OLD")
        ));
    }
    if change.new {
        let (recorded, closed) = if what == "recorded" { (1, 0) } else { (0, 1) };
        statements.push(format!(
            "INSERT INTO month_count (alliance_id, month_on, recorded, closed)
             SELECT NEW.alliance_id, {}, {recorded}, {closed} WHERE {} AND {guard}
             ON CONFLICT (alliance_id, month_on) DO UPDATE SET {what} = month_count.{what} + 1",
            month("NEW"),
            counts("NEW")
        ));
    }
    Part { guard, statements }
}

/// The triggers that count, and the one that makes an alliance's row.
fn triggers(engine: Engine) -> Vec<String> {
    let mut made = if engine.is_sqlite() {
        vec![
            "CREATE TRIGGER alliance_has_counters AFTER INSERT ON alliance
             BEGIN INSERT INTO alliance_count (alliance_id) VALUES (NEW.id); END"
                .to_owned(),
            "CREATE TRIGGER priority_task_keeps_its_alliance BEFORE UPDATE ON priority_task
             WHEN NEW.alliance_id <> OLD.alliance_id
             BEGIN SELECT RAISE(ABORT, 'concord: a task keeps its alliance'); END"
                .to_owned(),
        ]
    } else {
        vec![
            "CREATE FUNCTION concord_alliance_has_counters() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO alliance_count (alliance_id) VALUES (NEW.id); RETURN NULL; END $$"
                .to_owned(),
            "CREATE TRIGGER alliance_has_counters AFTER INSERT ON alliance
             FOR EACH ROW EXECUTE FUNCTION concord_alliance_has_counters()"
                .to_owned(),
            "CREATE TRIGGER priority_task_keeps_its_alliance BEFORE UPDATE ON priority_task FOR EACH ROW
             WHEN (NEW.alliance_id <> OLD.alliance_id) EXECUTE FUNCTION concord_refuse('a task keeps its alliance')"
                .to_owned(),
        ]
    };
    for change in [INSERT, UPDATE, DELETE] {
        let when = if change.old && change.new {
            "OLD.state <> NEW.state OR OLD.is_open <> NEW.is_open OR OLD.due_on <> NEW.due_on
             OR (OLD.published_at IS NULL) <> (NEW.published_at IS NULL)"
        } else {
            ""
        };
        let parts = [by_state(change, "task", &TASK_STATES), by_due(change, "tasks")];
        made.extend(engine.trigger("priority_task", change, when, &parts));
    }
    // Problems are never deleted.
    for change in [INSERT, UPDATE] {
        let when = if change.old {
            "OLD.state <> NEW.state OR OLD.is_open <> NEW.is_open OR OLD.due_on IS DISTINCT FROM NEW.due_on
             OR OLD.recorded_at <> NEW.recorded_at OR OLD.recorded_on IS DISTINCT FROM NEW.recorded_on
             OR OLD.closed_at IS DISTINCT FROM NEW.closed_at OR OLD.closed_on IS DISTINCT FROM NEW.closed_on"
        } else {
            ""
        };
        let parts = [
            by_state(change, "problem", &PROBLEM_STATES),
            by_due(change, "problems"),
            by_month(engine, change, "recorded"),
            by_month(engine, change, "closed"),
        ];
        made.extend(engine.trigger("problem", change, when, &parts));
    }
    made
}

/// Fills the counters from the rows that are there.
fn fill(engine: Engine) -> Vec<String> {
    let sum = |condition: String| format!("SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)");
    let (mut columns, mut values, mut tasks, mut problems) = (vec![], vec![], vec![], vec![]);
    for state in TASK_STATES {
        columns.push(format!("task_{state}"));
        values.push(format!("COALESCE(t.{state}, 0)"));
        tasks.push(format!("{} AS {state}", sum(format!("state = '{state}'"))));
    }
    columns.push("task_cancelled_draft".to_owned());
    values.push("COALESCE(t.cancelled_draft, 0)".to_owned());
    tasks.push(format!(
        "{} AS cancelled_draft",
        sum("state = 'cancelled' AND published_at IS NULL".to_owned())
    ));
    for state in PROBLEM_STATES {
        columns.push(format!("problem_{state}"));
        values.push(format!("COALESCE(p.{state}, 0)"));
        problems.push(format!("{} AS {state}", sum(format!("state = '{state}'"))));
    }
    columns.push("problem_unclosed".to_owned());
    values.push("COALESCE(p.unclosed, 0)".to_owned());
    problems.push(format!("{} AS unclosed", sum(format!("closed_at IS NULL AND {}", regular("problem")))));
    let [columns, values, tasks, problems] =
        [columns, values, tasks, problems].map(|listed| listed.join(", "));
    let (recorded, closed) = (engine.month("p", "recorded"), engine.month("p", "closed"));
    let counts = engine.counts("p");
    vec![
        format!(
            "INSERT INTO alliance_count (alliance_id, {columns}) SELECT a.id, {values} FROM alliance a
             LEFT JOIN (SELECT alliance_id, {tasks} FROM priority_task GROUP BY alliance_id) t ON t.alliance_id = a.id
             LEFT JOIN (SELECT alliance_id, {problems} FROM problem GROUP BY alliance_id) p ON p.alliance_id = a.id"
        ),
        "INSERT INTO open_due_count (alliance_id, due_on, tasks, problems)
         SELECT alliance_id, due_on, SUM(task), SUM(problem) FROM (
             SELECT alliance_id, due_on, 1 AS task, 0 AS problem FROM priority_task WHERE is_open
             UNION ALL SELECT alliance_id, due_on, 0, 1 FROM problem WHERE is_open AND due_on IS NOT NULL
         ) item GROUP BY alliance_id, due_on"
            .to_owned(),
        format!(
            "INSERT INTO month_count (alliance_id, month_on, recorded, closed)
             SELECT alliance_id, month_on, SUM(recorded), SUM(closed) FROM (
                 SELECT p.alliance_id, {recorded} AS month_on, 1 AS recorded, 0 AS closed FROM problem p WHERE {counts}
                 UNION ALL SELECT p.alliance_id, {closed}, 0, 1 FROM problem p WHERE {counts} AND p.closed_at IS NOT NULL
             ) moved GROUP BY alliance_id, month_on"
        ),
    ]
}

fn counter(name: String) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).integer().not_null().default(0).to_owned()
}

async fn run(manager: &SchemaManager<'_>, texts: &[String]) -> Result<(), DbErr> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    execute(manager, &texts, &texts).await
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let engine = Engine(manager.get_database_backend());
        let mut columns = vec![uuid("alliance_id")];
        columns.extend(TASK_STATES.map(|state| counter(format!("task_{state}"))));
        columns.push(counter("task_cancelled_draft".to_owned()));
        columns.extend(PROBLEM_STATES.map(|state| counter(format!("problem_{state}"))));
        columns.extend(
            ["problem_unclosed", "settled_tasks", "settled_problems"].map(|name| counter(name.to_owned())),
        );
        columns.push(date("settled_on").default("1970-01-01").to_owned());
        create(manager, "alliance_count", &["alliance_id"], columns, &[("alliance_id", "alliance")]).await?;
        let columns = vec![uuid("alliance_id"), date("due_on"), integer("tasks"), integer("problems")];
        create(manager, "open_due_count", &["alliance_id", "due_on"], columns, &[]).await?;
        let columns = vec![uuid("alliance_id"), date("month_on"), integer("recorded"), integer("closed")];
        create(manager, "month_count", &["alliance_id", "month_on"], columns, &[]).await?;
        for column in ["recorded_on", "closed_on"] {
            let mut table = Table::alter();
            table.table(Alias::new("problem")).add_column(optional(date(column)));
            manager.alter_table(table).await?;
        }
        // SQLite knows no zones, so there the older rows of alliances outside Beijing's zone keep Beijing's days.
        let zones = "UPDATE problem SET recorded_on = (recorded_at AT TIME ZONE a.time_zone)::date,
                closed_on = (closed_at AT TIME ZONE a.time_zone)::date
             FROM alliance a WHERE a.id = problem.alliance_id AND a.time_zone <> 'Asia/Shanghai'
                AND a.time_zone IN (SELECT name FROM pg_timezone_names)";
        execute(manager, &[], &[zones]).await?;
        // The triggers first: they lock the tables until the counters are filled.
        run(manager, &triggers(engine)).await?;
        run(manager, &fill(engine)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let triggers = [
            ("priority_task_insert_is_counted", "priority_task"),
            ("priority_task_update_is_counted", "priority_task"),
            ("priority_task_delete_is_counted", "priority_task"),
            ("problem_insert_is_counted", "problem"),
            ("problem_update_is_counted", "problem"),
            ("alliance_has_counters", "alliance"),
            ("priority_task_keeps_its_alliance", "priority_task"),
        ];
        let mut texts = Vec::new();
        for (name, table) in triggers {
            if Engine(manager.get_database_backend()).is_sqlite() {
                texts.push(format!("DROP TRIGGER {name}"));
            } else {
                texts.push(format!("DROP TRIGGER {name} ON {table}"));
                if name != "priority_task_keeps_its_alliance" {
                    texts.push(format!("DROP FUNCTION concord_{name}()"));
                }
            }
        }
        run(manager, &texts).await?;
        for column in ["recorded_on", "closed_on"] {
            let mut table = Table::alter();
            table.table(Alias::new("problem")).drop_column(Alias::new(column));
            manager.alter_table(table).await?;
        }
        for table in ["month_count", "open_due_count", "alliance_count"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
