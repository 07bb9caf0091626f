//! Proves the counters: counts the rows anew and tells the first counter that says something else. Each statement sees
//! counters and rows of one instant, so it may run while others write.

use concord_entities::{id::AllianceId, priority_task::State as TaskState, problem::State as ProblemState};
use sea_orm::{ActiveEnum, ConnectionTrait, DbBackend, FromQueryResult, Iterable, Statement};

use crate::domain::Result;

/// States of problems that count neither as open in a month nor as closed in it, as the triggers have them.
const IRREGULAR: &str = "'rejected', 'withdrawn', 'merged'";

/// Which problems can be overdue, as the triggers have it.
const CAN_BE_OVERDUE: &str =
    "NOT item.due_is_provisional AND (item.rested_on IS NULL OR item.rested_on > item.due_on)";

/// A counter that differs from the rows.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Difference {
    pub alliance_id: AllianceId,
    /// Which counter: a state, a due date, a month.
    pub what: String,
    /// What the counter says.
    pub counted: i64,
    /// How many rows there are.
    pub found: i64,
}

/// The first counter that differs from a recount.
pub async fn first_difference(db: &impl ConnectionTrait) -> Result<Option<Difference>> {
    let engine = db.get_database_backend();
    for sides in [states(), due_dates(), months(engine)] {
        let text = format!(
            "SELECT alliance_id, what, CAST(SUM(counted) AS bigint) AS counted, CAST(SUM(found) AS bigint) AS found
             FROM ({sides}) side GROUP BY alliance_id, what HAVING SUM(counted) <> SUM(found)
             ORDER BY alliance_id, what LIMIT 1"
        );
        let different = Difference::find_by_statement(Statement::from_string(engine, text)).one(db).await?;
        if different.is_some() {
            return Ok(different);
        }
    }
    Ok(None)
}

fn states() -> String {
    let names = |kind: &str, values: Vec<String>| -> Vec<String> {
        values.iter().map(|value| format!("{kind}_{value}")).collect()
    };
    let mut counters = names("task", TaskState::iter().map(|state| state.to_value()).collect());
    counters.push("task_cancelled_draft".to_owned());
    counters.extend(
        ["problem_unclosed", "problem_reopened", "settled_tasks", "settled_problems"].map(str::to_owned),
    );
    counters.extend(names("problem", ProblemState::iter().map(|state| state.to_value()).collect()));
    let mut sides: Vec<String> = counters
        .iter()
        .map(|name| {
            format!("SELECT alliance_id, '{name}' AS what, {name} AS counted, 0 AS found FROM alliance_count")
        })
        .collect();
    sides.push(
        "SELECT alliance_id, 'task_' || state, 0, COUNT(*) FROM priority_task GROUP BY 1, 2".to_owned(),
    );
    sides.push(
        "SELECT alliance_id, 'task_cancelled_draft', 0, COUNT(*) FROM priority_task
         WHERE state = 'cancelled' AND published_at IS NULL GROUP BY 1"
            .to_owned(),
    );
    sides.push("SELECT alliance_id, 'problem_' || state, 0, COUNT(*) FROM problem GROUP BY 1, 2".to_owned());
    sides.push(format!(
        "SELECT alliance_id, 'problem_unclosed', 0, COUNT(*) FROM problem
             WHERE closed_at IS NULL AND state NOT IN ({IRREGULAR}) GROUP BY 1"
    ));
    sides
        .push("SELECT alliance_id, 'problem_reopened', 0, SUM(round - 1) FROM problem GROUP BY 1".to_owned());
    for (name, table, firm) in
        [("settled_tasks", "priority_task", "TRUE"), ("settled_problems", "problem", CAN_BE_OVERDUE)]
    {
        sides.push(format!(
            "SELECT c.alliance_id, '{name}', 0, COUNT(*) FROM {table} item
             JOIN alliance_count c ON c.alliance_id = item.alliance_id
             WHERE item.is_open AND item.due_on < c.settled_on AND {firm} GROUP BY 1"
        ));
    }
    sides.join(" UNION ALL ")
}

fn due_dates() -> String {
    let problems = format!(
        "SELECT alliance_id, 'problems due ' || CAST(due_on AS text), 0, COUNT(*) FROM problem item
         WHERE is_open AND due_on IS NOT NULL AND {CAN_BE_OVERDUE} GROUP BY 1, 2"
    );
    ["SELECT alliance_id, 'tasks due ' || CAST(due_on AS text) AS what, tasks AS counted, 0 AS found FROM open_due_count",
     "SELECT alliance_id, 'problems due ' || CAST(due_on AS text), problems, 0 FROM open_due_count",
     "SELECT alliance_id, 'tasks due ' || CAST(due_on AS text), 0, COUNT(*) FROM priority_task WHERE is_open GROUP BY 1, 2",
     &problems]
        .join(" UNION ALL ")
}

/// Rows without a day count by Beijing's, as the triggers do.
fn months(engine: DbBackend) -> String {
    let day = |what: &str| match engine {
        DbBackend::Sqlite => format!("COALESCE({what}_on, date({what}_at, '+8 hours'))"),
        _ => format!("COALESCE({what}_on, ({what}_at AT TIME ZONE 'Asia/Shanghai')::date)"),
    };
    let (recorded, closed) = (day("recorded"), day("closed"));
    let month = |day: &str| format!("SUBSTR(CAST({day} AS text), 1, 7)");
    let columns = format!(
        "alliance_id, {} AS recorded, CASE WHEN closed_at IS NOT NULL THEN {} END AS closed, round,
         state NOT IN ({IRREGULAR}) AS is_regular FROM problem",
        month(&recorded),
        month(&closed)
    );
    let moved = format!("SELECT {columns}");
    let counts = "(is_regular AND (closed IS NULL OR closed >= recorded))";
    let of_round = |on: &str, at: &str| {
        month(&match engine {
            DbBackend::Sqlite => format!("COALESCE(e.{on}, date(e.{at}, '+8 hours'))"),
            _ => format!("COALESCE(e.{on}, (e.{at} AT TIME ZONE 'Asia/Shanghai')::date)"),
        })
    };
    // Rounds that ended; the last of them where the next one is none that counts.
    let rounds = format!(
        "SELECT p.alliance_id, p.id AS problem_id, CASE WHEN p.is_regular THEN p.closed END AS closed,
             NOT p.is_regular AND e.round = p.round - 1 AS is_last, {} AS ended, {} AS reopened
         FROM (SELECT id, {columns}) p JOIN problem_round e ON e.problem_id = p.id AND e.round < p.round",
        of_round("closed_on", "struck_off_at"),
        of_round("reopened_on", "reopened_at"),
    );
    let on = month("month_on");
    [
        format!("SELECT alliance_id, 'recorded in ' || {on} AS what, recorded AS counted, 0 AS found FROM month_count"),
        format!("SELECT alliance_id, 'closed in ' || {on}, closed, 0 FROM month_count"),
        format!("SELECT alliance_id, 'reopened within ' || {on}, reopened_within, 0 FROM month_count"),
        format!(
            "SELECT alliance_id, 'recorded in ' || reopened, 0, COUNT(*) FROM ({rounds}) r
             WHERE ended <> reopened AND NOT is_last GROUP BY 1, 2"
        ),
        format!(
            "SELECT alliance_id, 'closed in ' || ended, 0, COUNT(*) FROM ({rounds}) r
             WHERE ended <> reopened OR is_last GROUP BY 1, 2"
        ),
        format!(
            "SELECT alliance_id, 'reopened within ' || ended, 0, COUNT(DISTINCT problem_id) FROM ({rounds}) r
             WHERE ended = reopened AND NOT is_last AND closed IS DISTINCT FROM ended AND NOT EXISTS (
                 SELECT 1 FROM ({rounds}) o WHERE o.problem_id = r.problem_id AND o.ended = r.ended
                     AND (o.ended <> o.reopened OR o.is_last)) GROUP BY 1, 2"
        ),
        format!(
            "SELECT alliance_id, 'recorded in ' || recorded, 0, COUNT(*) FROM ({moved}) moved
             WHERE {counts} OR round > 1 GROUP BY 1, 2"
        ),
        format!(
            "SELECT alliance_id, 'closed in ' || closed, 0, COUNT(*) FROM ({moved}) moved
             WHERE {counts} AND closed IS NOT NULL GROUP BY 1, 2"
        ),
    ]
    .join(" UNION ALL ")
}
