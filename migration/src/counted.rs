//! The triggers that count problems, made from one list of states. A migration that adds a state names the whole list as it
//! is from then on, and `replace` makes the triggers anew; nothing else of them has to be told again. The rules are those of
//! `m20261126_000003_counts`, which also made the tables.

use std::fmt::Write as _;

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// What is counted of problems.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is what one migration added")]
pub struct Counted {
    /// Every state; each has a column `problem_{state}` in `alliance_count`.
    pub states: &'static [&'static str],
    /// States of problems that count neither as open in a month nor as closed in it.
    pub irregular: &'static [&'static str],
    /// Sums over all problems of an alliance: the column, and what each problem adds, `{row}` for the row.
    pub sums: &'static [(&'static str, &'static str)],
    /// Changes besides those of state and dates after which there is something to count.
    pub changes: &'static [&'static str],
    /// Whether rounds that ended count in the months of their own end and of the next one's beginning.
    pub rounds: bool,
    /// Whether they do so whatever becomes of the next one. A next one that is irregular then counts as if it had not begun.
    pub rounds_stay: bool,
    /// Whether a due date counts only where it is firm.
    pub firm: bool,
    /// Whether it counts only where the problem was not submitted or put on account by then.
    pub rests: bool,
}

/// What was counted at first.
pub const AT_FIRST: Counted = Counted {
    states: &[
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
    ],
    irregular: &["rejected", "withdrawn"],
    sums: &[],
    changes: &[],
    rounds: false,
    rounds_stay: false,
    firm: false,
    rests: false,
};

const TRIGGERS: [(&str, bool); 2] =
    [("problem_insert_is_counted", false), ("problem_update_is_counted", true)];

/// Makes the triggers count `now`; columns are those that `alliance_count` gains or, with `gone`, loses by it.
pub async fn replace(
    manager: &SchemaManager<'_>,
    now: &Counted,
    more: &[&'static str],
    gone: &[&'static str],
) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    for (name, _) in TRIGGERS {
        if is_sqlite {
            db.execute_unprepared(&format!("DROP TRIGGER {name}")).await?;
        } else {
            db.execute_unprepared(&format!("DROP TRIGGER {name} ON problem")).await?;
            db.execute_unprepared(&format!("DROP FUNCTION concord_{name}()")).await?;
        }
    }
    for column in more {
        let mut counter = ColumnDef::new(Alias::new(*column)).integer().not_null().default(0).to_owned();
        let mut table = Table::alter();
        table.table(Alias::new("alliance_count")).add_column(&mut counter);
        manager.alter_table(table).await?;
    }
    for column in gone {
        let mut table = Table::alter();
        table.table(Alias::new("alliance_count")).drop_column(Alias::new(*column));
        manager.alter_table(table).await?;
    }
    for text in triggers(is_sqlite, now) {
        db.execute_unprepared(&text).await?;
    }
    Ok(())
}

fn triggers(is_sqlite: bool, counted: &Counted) -> Vec<String> {
    let mut made = Vec::new();
    for (name, is_update) in TRIGGERS {
        let change = Change { is_sqlite, is_update, counted };
        let mut parts =
            vec![change.by_state(), change.by_due(), change.by_month("recorded"), change.by_month("closed")];
        if is_update && counted.rounds {
            parts.push(change.by_rounds());
        }
        let mut body = String::new();
        for Part { guard, statements } in &parts {
            let statements = statements.join(";\n") + ";\n";
            if is_sqlite || guard == "TRUE" {
                body += &statements;
            } else {
                // A statement that finds nothing to do still costs its start.
                let _ = write!(body, "IF {guard} THEN\n{statements}END IF;\n");
            }
        }
        let (verb, when) = if is_update { ("UPDATE", change.when()) } else { ("INSERT", String::new()) };
        if is_sqlite {
            made.push(format!("CREATE TRIGGER {name} AFTER {verb} ON problem{when} BEGIN\n{body}END"));
        } else {
            made.push(format!(
                "CREATE FUNCTION concord_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n{body}RETURN NULL; END $$"
            ));
            made.push(format!(
                "CREATE CONSTRAINT TRIGGER {name} AFTER {verb} ON problem DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW{when} EXECUTE FUNCTION concord_{name}()"
            ));
        }
    }
    made
}

/// Changes problems and lets the triggers count at once, where they would at the end of the unit of work and hold up changes of the
/// table until then.
pub async fn after(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared(text).await?;
    if manager.get_database_backend() != DbBackend::Sqlite {
        db.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
        db.execute_unprepared("SET CONSTRAINTS ALL DEFERRED").await?;
    }
    Ok(())
}

/// Counts the rounds that ended of the problems that are there, or with -1 takes them out again.
pub async fn move_rounds(manager: &SchemaManager<'_>, counted: &Counted, sign: i32) -> Result<(), DbErr> {
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let change = Change { is_sqlite, is_update: true, counted };
    let moved = change.of_rounds("p", "problem_round r JOIN problem p ON p.id = r.problem_id");
    let text = add_to_months(&moved, sign, "TRUE");
    manager.get_connection().execute_unprepared(&text).await?;
    Ok(())
}

/// Counts the beginning of the problems that are irregular now and had a round that ended, or with -1 takes it out again.
pub async fn move_beginnings(manager: &SchemaManager<'_>, counted: &Counted, sign: i32) -> Result<(), DbErr> {
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let change = Change { is_sqlite, is_update: true, counted };
    let (month, regular) = (change.month("p", "recorded"), change.regular("p"));
    let moved = format!(
        "SELECT p.alliance_id AS alliance_id, {month} AS month_on, 1 AS recorded, 0 AS closed, 0 AS reopened_within
         FROM problem p WHERE p.round > 1 AND NOT ({regular})"
    );
    let text = add_to_months(&moved, sign, "TRUE");
    manager.get_connection().execute_unprepared(&text).await?;
    Ok(())
}

/// Adds what `moved` selects to the months.
fn add_to_months(moved: &str, sign: i32, guard: &str) -> String {
    let columns = ["recorded", "closed", "reopened_within"];
    let sums = columns.map(|column| format!("{sign} * SUM({column})")).join(", ");
    let added =
        columns.map(|column| format!("{column} = month_count.{column} + EXCLUDED.{column}")).join(", ");
    format!(
        "INSERT INTO month_count (alliance_id, month_on, recorded, closed, reopened_within)
         SELECT alliance_id, month_on, {sums} FROM ({moved}) moved WHERE {guard} GROUP BY alliance_id, month_on
         ON CONFLICT (alliance_id, month_on) DO UPDATE SET {added}"
    )
}

/// Statements of a trigger that have work to do only where `guard` holds; each has it in its own condition as well.
struct Part {
    guard: String,
    statements: Vec<String>,
}

struct Change<'a> {
    is_sqlite: bool,
    is_update: bool,
    counted: &'a Counted,
}

impl Change<'_> {
    fn when(&self) -> String {
        let mut changes = vec![
            "OLD.state <> NEW.state OR OLD.is_open <> NEW.is_open OR OLD.due_on IS DISTINCT FROM NEW.due_on
             OR OLD.recorded_at <> NEW.recorded_at OR OLD.recorded_on IS DISTINCT FROM NEW.recorded_on
             OR OLD.closed_at IS DISTINCT FROM NEW.closed_at OR OLD.closed_on IS DISTINCT FROM NEW.closed_on",
        ];
        if self.counted.firm {
            changes.push("OLD.due_is_provisional <> NEW.due_is_provisional");
        }
        if self.counted.rests {
            changes.push("(OLD.is_open AND OLD.rested_on IS DISTINCT FROM NEW.rested_on)");
        }
        changes.extend(self.counted.changes);
        format!(" WHEN ({})", changes.join(" OR "))
    }

    /// The due date by which something can be late.
    fn due(&self, row: &str) -> String {
        let mut holds = Vec::new();
        if self.counted.firm {
            holds.push(format!("NOT {row}.due_is_provisional"));
        }
        if self.counted.rests {
            holds.push(format!("({row}.rested_on IS NULL OR {row}.rested_on > {row}.due_on)"));
        }
        if holds.is_empty() {
            format!("{row}.due_on")
        } else {
            format!("(CASE WHEN {} THEN {row}.due_on END)", holds.join(" AND "))
        }
    }

    /// How much more something adds up to.
    fn delta(&self, of: impl Fn(&str) -> String) -> String {
        if self.is_update { format!("({}) - ({})", of("NEW"), of("OLD")) } else { of("NEW") }
    }

    /// How many rows more fulfil a condition.
    fn more(&self, condition: impl Fn(&str) -> String) -> String {
        self.delta(|row| format!("CASE WHEN {} THEN 1 ELSE 0 END", condition(row)))
    }

    /// `differs` for an update; an insertion always counts.
    fn guard(&self, differs: &str) -> String {
        if self.is_update { format!("({differs})") } else { "TRUE".to_owned() }
    }

    fn regular(&self, row: &str) -> String {
        let states: Vec<String> = self.counted.irregular.iter().map(|state| format!("'{state}'")).collect();
        format!("{row}.state NOT IN ({})", states.join(", "))
    }

    /// The day of something in the alliance's zone, once it has happened; where a row does not say it, the day in Beijing.
    fn day(&self, row: &str, what: &str) -> String {
        let beijing = if self.is_sqlite {
            format!("date({row}.{what}_at, '+8 hours')")
        } else {
            format!("({row}.{what}_at AT TIME ZONE 'Asia/Shanghai')::date")
        };
        format!("CASE WHEN {row}.{what}_at IS NOT NULL THEN COALESCE({row}.{what}_on, {beijing}) END")
    }

    fn month(&self, row: &str, what: &str) -> String {
        let day = self.day(row, what);
        if self.is_sqlite {
            format!("date({day}, 'start of month')")
        } else {
            format!("date_trunc('month', ({day})::timestamp)::date")
        }
    }

    /// Whether a problem counts for the months: what is irregular, or was over before it was recorded, does not.
    fn counts(&self, row: &str) -> String {
        let (closed, recorded) = (self.month(row, "closed"), self.month(row, "recorded"));
        format!("({} AND ({row}.closed_at IS NULL OR {closed} >= {recorded}))", self.regular(row))
    }

    /// Whether the beginning of a problem counts for the months.
    fn begins(&self, row: &str) -> String {
        if self.counted.rounds_stay {
            format!("({} OR {row}.round > 1)", self.counts(row))
        } else {
            self.counts(row)
        }
    }

    /// The row of `alliance_count`, which is always taken first.
    fn by_state(&self) -> Part {
        let mut sets = Vec::new();
        for state in self.counted.states {
            let delta = self.more(|row| format!("{row}.state = '{state}'"));
            sets.push(format!("problem_{state} = problem_{state} + {delta}"));
        }
        let delta = self.more(|row| format!("{row}.is_open AND {} < settled_on", self.due(row)));
        sets.push(format!("settled_problems = settled_problems + {delta}"));
        let delta = self.more(|row| format!("{row}.closed_at IS NULL AND {}", self.regular(row)));
        sets.push(format!("problem_unclosed = problem_unclosed + {delta}"));
        for (column, adds) in self.counted.sums {
            let delta = self.delta(|row| adds.replace("{row}", row));
            sets.push(format!("{column} = {column} + {delta}"));
        }
        let statement =
            format!("UPDATE alliance_count SET {} WHERE alliance_id = NEW.alliance_id", sets.join(", "));
        Part { guard: "TRUE".to_owned(), statements: vec![statement] }
    }

    /// Open problems by due date; a date with none has no row.
    fn by_due(&self) -> Part {
        let (old, new) = (self.due("OLD"), self.due("NEW"));
        let guard = self.guard(&format!("OLD.is_open <> NEW.is_open OR {old} IS DISTINCT FROM {new}"));
        let mut statements = Vec::new();
        if self.is_update {
            let here = format!("alliance_id = OLD.alliance_id AND due_on = {old} AND OLD.is_open");
            statements
                .push(format!("UPDATE open_due_count SET problems = problems - 1 WHERE {here} AND {guard}"));
            statements
                .push(format!("DELETE FROM open_due_count WHERE {here} AND tasks = 0 AND problems = 0"));
        }
        statements.push(format!(
            "INSERT INTO open_due_count (alliance_id, due_on, tasks, problems)
             SELECT NEW.alliance_id, {new}, 0, 1 WHERE NEW.is_open AND {new} IS NOT NULL AND {guard}
             ON CONFLICT (alliance_id, due_on) DO UPDATE SET problems = open_due_count.problems + 1"
        ));
        Part { guard, statements }
    }

    /// Problems by the month in which they were `recorded` or `closed`.
    fn by_month(&self, what: &str) -> Part {
        let (day, month) = (|row| self.day(row, what), |row| self.month(row, what));
        let counted = |row| if what == "recorded" { self.begins(row) } else { self.counts(row) };
        let counts = |row| format!("{} AND {row}.{what}_at IS NOT NULL", counted(row));
        let guard = self.guard(&format!(
            "{} <> {} OR {} IS DISTINCT FROM {}",
            counted("OLD"),
            counted("NEW"),
            day("OLD"),
            day("NEW")
        ));
        let mut statements = Vec::new();
        if self.is_update {
            statements.push(format!(
                "UPDATE month_count SET {what} = {what} - 1
                 WHERE alliance_id = OLD.alliance_id AND month_on = {} AND {} AND {guard}",
                month("OLD"),
                counts("OLD")
            ));
        }
        let (recorded, closed) = if what == "recorded" { (1, 0) } else { (0, 1) };
        statements.push(format!(
            "INSERT INTO month_count (alliance_id, month_on, recorded, closed)
             SELECT NEW.alliance_id, {}, {recorded}, {closed} WHERE {} AND {guard}
             ON CONFLICT (alliance_id, month_on) DO UPDATE SET {what} = month_count.{what} + 1",
            month("NEW"),
            counts("NEW")
        ));
        Part { guard, statements }
    }

    /// The month of a day that a round says, or of the instant in Beijing.
    fn month_of_round(&self, round: &str, on: &str, at: &str) -> String {
        if self.is_sqlite {
            format!("date(COALESCE({round}.{on}, date({round}.{at}, '+8 hours')), 'start of month')")
        } else {
            let day = format!("COALESCE({round}.{on}, ({round}.{at} AT TIME ZONE 'Asia/Shanghai')::date)");
            format!("date_trunc('month', {day}::timestamp)::date")
        }
    }

    /// What a problem's rounds that ended add to the months. A round that ended in one month and was followed by the next in a
    /// later one closes there and begins anew here. One that was followed in the same month goes on as far as being open is
    /// concerned; the month has the problem among its closed ones by that alone, unless it was closed in it otherwise too.
    fn of_rounds(&self, row: &str, from: &str) -> String {
        let closed = |round| self.month_of_round(round, "closed_on", "struck_off_at");
        let reopened = |round| self.month_of_round(round, "reopened_on", "reopened_at");
        let (ended, began) = (closed("r"), reopened("r"));
        let mut of = format!("r.problem_id = {row}.id AND r.round < {row}.round");
        if !self.counted.rounds_stay {
            of = format!("{of} AND {}", self.counts(row));
        }
        let regular = self.regular(row);
        // Whether nothing that counts came after a round.
        let last = |round: &str| {
            if self.counted.rounds_stay {
                format!("(NOT ({regular}) AND {round}.round = {row}.round - 1)")
            } else {
                "FALSE".to_owned()
            }
        };
        let (is_last, last) = (last("r"), last("o"));
        let now = self.month(row, "closed");
        let (closed, reopened) = (closed("o"), reopened("o"));
        format!(
            "SELECT {row}.alliance_id AS alliance_id, {began} AS month_on, 1 AS recorded, 0 AS closed, 0 AS reopened_within
                 FROM {from} WHERE {of} AND {ended} <> {began} AND NOT {is_last}
             UNION ALL SELECT {row}.alliance_id, {ended}, 0, 1, 0
                 FROM {from} WHERE {of} AND ({ended} <> {began} OR {is_last})
             UNION ALL SELECT one.alliance_id, one.month_on, 0, 0, 1 FROM (
                 SELECT DISTINCT {row}.id AS problem_id, {row}.alliance_id AS alliance_id, {ended} AS month_on
                 FROM {from} WHERE {of} AND {ended} = {began} AND NOT {is_last}
                     AND (NOT ({regular}) OR {now} IS DISTINCT FROM {ended})
                     AND NOT EXISTS (SELECT 1 FROM problem_round o WHERE o.problem_id = r.problem_id
                         AND o.round < {row}.round AND {closed} = {ended} AND ({closed} <> {reopened} OR {last}))
             ) one"
        )
    }

    /// Rounds that ended, by the months of their end and of the next one's beginning.
    fn by_rounds(&self) -> Part {
        let guard = format!(
            "((OLD.round > 1 OR NEW.round > 1) AND (OLD.round <> NEW.round OR {} <> {}
                OR {} IS DISTINCT FROM {}))",
            self.counts("OLD"),
            self.counts("NEW"),
            self.day("OLD", "closed"),
            self.day("NEW", "closed")
        );
        let statement = |row, sign| add_to_months(&self.of_rounds(row, "problem_round r"), sign, &guard);
        Part { statements: vec![statement("OLD", -1), statement("NEW", 1)], guard }
    }
}
