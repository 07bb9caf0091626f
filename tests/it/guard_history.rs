//! The history guard: what the migrations build is what the entities say, on both engines; up, down, up; and every trigger
//! and unique key of the database refuses what it is there to refuse.

mod branches;
mod cases;
mod city;

use std::collections::{BTreeMap, BTreeSet};

use concord::database as product;
use concord_entities as nouns;
use concord_migration::{Migrator, MigratorTrait};
use concord_tests::{
    Frozen, TestApp, World,
    database::{self, Home},
    introspection::{Shape, Table, Unique},
    specimens,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Schema, sea_query::TableCreateStatement};
use tokio::sync::OnceCell;

use cases::{Case, by, excluded_by, strike_off};

macro_rules! tables {
    ($schema:ident: $($noun:ident),+ $(,)?) => {
        vec![$($schema.create_table_from_entity(nouns::$noun::Entity)),+]
    };
}

/// Every table as its entity describes it, each after those it refers to.
fn from_entities(engine: DbBackend) -> Vec<TableCreateStatement> {
    let schema = Schema::new(engine);
    tables!(schema:
        account, external_identity, session, refresh_token, account_link, region, organization, alliance, seat, api_key,
        api_key_document, api_key_scope, idempotency_key, alliance_closure, membership, service_team, service_team_member, rotation_plan,
        rotation_plan_team, rotation_block, rotation_slot, rotation_swap, check_in, docking, handover, calendar_feed,
        calendar_day, task_list, priority_task, task_carry_over, task_part, task_co_organizer, task_milestone, task_progress, problem_sequence,
        problem, handover_item, problem_handler, problem_past_unit, problem_responsible, problem_round, problem_round_unit, problem_sign_off, problem_tier_move, follow_up,
        follow_up_link, escalation, stored_file, evidence, event, event_seal, event_organization,
        event_chain, checkpoint, hand_cursor, inbox_entry, event_pending, saved_filter, alliance_count, open_due_count, month_count,
        deadline_policy, breach, notice_sequence, extension, problem_setback,
        whistle_sequence, whistle, whistle_response, whistle_breach, supervision_notice, whistle_escalation, ranking, ranking_place, ranking_item,
        grid_network, grid_cell, grid_cell_region, grid_officer,
        person_salt, pairing, home_report, mobilization_sequence, mobilization, mobilization_region, mobilization_need,
        mobilization_unit, mobilization_shift, mobilization_check_in, mobilization_transfer, mobilization_coverage,
        mobilization_batch,
        party_branch, branch_host, branch_member_count, branch_matter, branch_instructor,
    )
}

async fn open(home: &Home) -> DatabaseConnection {
    let config = database::config(home);
    product::connect(&config.database, &config.database_url(), false).await.expect("the database opens").write
}

/// Columns, primary key and foreign keys of a table.
type Comparable<'a> = (
    &'a BTreeMap<String, concord_tests::introspection::Column>,
    &'a Vec<String>,
    Vec<&'a (String, String, String)>,
);

/// What of a table the entities speak of.
fn told(table: &Table) -> Comparable<'_> {
    (&table.columns, &table.primary, table.foreign.iter().collect())
}

fn single(table: &Table) -> BTreeSet<&str> {
    let whole =
        |unique: &&Unique| unique.columns.len() == 1 && unique.condition.is_none() && !unique.is_primary;
    table.uniques.iter().filter(whole).map(|unique| unique.columns[0].as_str()).collect()
}

/// How two databases differ in what entities speak of: columns, nullability, primary, foreign and one-column unique keys.
fn differences(migrated: &Shape, described: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    let names: BTreeSet<&String> = migrated.tables.keys().chain(described.tables.keys()).collect();
    for name in names {
        let (Some(left), Some(right)) = (migrated.tables.get(name), described.tables.get(name)) else {
            found.push(format!("{name}: only in one of the two"));
            continue;
        };
        if told(left) != told(right) {
            found.push(format!("{name}: migrated {:?}\n    described {:?}", told(left), told(right)));
        }
        if single(left) != single(right) {
            found.push(format!(
                "{name}: unique when migrated {:?}, when described {:?}",
                single(left),
                single(right)
            ));
        }
    }
    found
}

async fn shapes() -> (Shape, Shape, DatabaseConnection, [Home; 2]) {
    let (migrated, described) = (database::empty().await, database::empty().await);
    let (history, entities) = (open(&migrated).await, open(&described).await);
    Migrator::up(&history, None).await.expect("the migrations run");
    for table in from_entities(entities.get_database_backend()) {
        entities.execute(&table).await.expect("the entity makes a table");
    }
    (Shape::read(&history).await, Shape::read(&entities).await, entities, [migrated, described])
}

#[tokio::test]
async fn the_migrations_build_what_the_entities_say() {
    let (migrated, described, entities, homes) = shapes().await;
    let found = differences(&migrated, &described);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(migrated.tables.len() > 40);
    entities.close().await.expect("it closes");
    drop(homes);
}

#[tokio::test]
async fn the_comparison_sees_every_kind_of_difference() {
    let (migrated, _, entities, homes) = shapes().await;
    let mut unseen = Vec::new();
    for (change, undo) in [
        ("ALTER TABLE membership ADD COLUMN extra integer", "ALTER TABLE membership DROP COLUMN extra"),
        (
            "ALTER TABLE problem RENAME COLUMN place TO spot",
            "ALTER TABLE problem RENAME COLUMN spot TO place",
        ),
        ("CREATE TABLE stray (id integer PRIMARY KEY)", "DROP TABLE stray"),
        ("CREATE UNIQUE INDEX uq_stray ON account (display_name)", "DROP INDEX uq_stray"),
        (
            "ALTER TABLE problem_sequence RENAME TO problem_series",
            "ALTER TABLE problem_series RENAME TO problem_sequence",
        ),
    ] {
        entities.execute_unprepared(change).await.expect("the change is made");
        if differences(&migrated, &Shape::read(&entities).await).is_empty() {
            unseen.push(change);
        }
        entities.execute_unprepared(undo).await.expect("the change is unmade");
    }
    assert_eq!(unseen, Vec::<&str>::new());
    // What SQL cannot change in place on both engines is changed in the description itself.
    let described = Shape::read(&entities).await;
    let mut other = described.clone();
    let account = other.tables.get_mut("account").expect("accounts");
    let name = account.columns.get_mut("username").expect("a name");
    name.is_required = !name.is_required;
    assert!(!differences(&migrated, &other).is_empty(), "nullability");
    let mut other = described.clone();
    other.tables.get_mut("seat").expect("seats").foreign.pop_first();
    assert!(!differences(&migrated, &other).is_empty(), "foreign keys");
    let mut other = described.clone();
    other.tables.get_mut("alliance_closure").expect("pairs").primary.pop();
    assert!(!differences(&migrated, &other).is_empty(), "primary keys");
    let mut other = described;
    other.tables.get_mut("account").expect("accounts").columns.get_mut("username").expect("a name").kind =
        "x".to_owned();
    assert!(!differences(&migrated, &other).is_empty(), "types");
    entities.close().await.expect("it closes");
    drop(homes);
}

#[tokio::test]
async fn the_history_runs_up_and_down_and_up_again() {
    let home = database::empty().await;
    let db = open(&home).await;
    Migrator::up(&db, None).await.expect("up");
    let first = Shape::read(&db).await;
    Migrator::down(&db, None).await.expect("down");
    let bare = Shape::read(&db).await;
    assert_eq!(bare, Shape::default(), "down leaves nothing");
    Migrator::up(&db, None).await.expect("up again");
    assert_eq!(Shape::read(&db).await, first);
    db.close().await.expect("it closes");
}

/// What every trigger refuses.
fn cases() -> Vec<Case> {
    let mut all = cases::cases();
    all.extend(city::cases());
    all.extend(branches::cases());
    all
}

static TOWN: OnceCell<Frozen> = OnceCell::const_new();

/// A town with a row in every table.
async fn town() -> TestApp {
    let frozen = TOWN.get_or_init(|| async {
        let app = TestApp::narrow().await;
        let world = World::build(&app, "632223").await;
        specimens::insert(&app, &world).await;
        app.freeze().await
    });
    frozen.await.thaw().await
}

/// Whether a condition names a column.
fn speaks_of(condition: &str, column: &str) -> bool {
    condition
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .any(|word| word == column)
}

/// Writes a second row with the same key; the other keys of the table differ. Gives what the database said.
async fn duplicate(app: &TestApp, name: &str, table: &Table, unique: &Unique) -> Result<u64, String> {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for (column, shape) in &table.columns {
        let is_of_other = table.uniques.iter().any(|other| other != unique && other.columns.contains(column))
            && !unique.condition.as_ref().is_some_and(|condition| speaks_of(condition, column));
        columns.push(column.clone());
        values.push(if !unique.columns.contains(column) && is_of_other {
            specimens::fresh(app, shape)
        } else {
            column.clone()
        });
    }
    let mut conditions: Vec<String> = unique.condition.iter().cloned().collect();
    conditions.extend(
        unique
            .columns
            .iter()
            .filter(|column| !table.columns[*column].is_required)
            .map(|column| format!("{column} IS NOT NULL")),
    );
    if conditions.is_empty() {
        conditions.push("1 = 1".to_owned());
    }
    let text = format!(
        "INSERT INTO {name} ({}) SELECT {} FROM {name} WHERE {} LIMIT 1",
        columns.join(", "),
        values.join(", "),
        conditions.join(" AND ")
    );
    match app.sql(&text).await {
        Ok(0) => panic!("no specimen for {} of {name}: {text}", unique.name),
        Ok(written) => Ok(written),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the database refused because of this very key.
fn is_refused_by(said: &Result<u64, String>, app: &TestApp, table: &str, unique: &Unique) -> bool {
    let Err(said) = said else { return false };
    if app.app.backend() == DbBackend::Postgres {
        said.contains(&format!("\"{}\"", unique.name))
    } else {
        let columns: Vec<String> = unique.columns.iter().map(|column| format!("{table}.{column}")).collect();
        said.contains("UNIQUE constraint failed") && columns.iter().all(|column| said.contains(column))
    }
}

#[tokio::test]
async fn every_unique_key_refuses_a_second_row() {
    let app = town().await;
    let shape = Shape::read(&app.app.write).await;
    let mut tried = 0;
    for (name, table) in &shape.tables {
        assert!(table.uniques.iter().any(|unique| unique.is_primary), "{name} has no primary key");
        for unique in &table.uniques {
            let said = duplicate(&app, name, table, unique).await;
            assert!(is_refused_by(&said, &app, name, unique), "{} of {name}: {said:?}", unique.name);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

#[tokio::test]
async fn a_missing_unique_key_is_noticed() {
    let app = town().await;
    let shape = Shape::read(&app.app.write).await;
    let mut noticed = 0;
    for (name, table) in &shape.tables {
        // Partial keys and keys of several columns are indexes of their own that can be dropped alone.
        for unique in table.uniques.iter().filter(|unique| unique.name.starts_with("uq_")) {
            app.sql(&format!("DROP INDEX {}", unique.name)).await.expect("the index is dropped");
            let said = duplicate(&app, name, table, unique).await;
            assert!(
                !is_refused_by(&said, &app, name, unique),
                "{} of {name} is gone, yet: {said:?}",
                unique.name
            );
            noticed += 1;
        }
    }
    assert!(noticed > 10, "{noticed}");
}

/// Triggers whose cases are tests of their own: what they do cannot be said as an update that is refused.
const ALONE: [&str; 21] = [
    "problem_is_not_born_struck_off",
    "event_waits_for_seal",
    "problem_remembers_its_handler",
    "problem_remembers_who_submitted",
    "problem_part_remembers_its_handler",
    // Whoever worked on it is bound: tried in `independence.rs`.
    "problem_remembers_past_units",
    "problem_remembers_its_sign_off",
    // A round that ended says whose it was: tried in `problem_round_units.rs`.
    "problem_round_names_its_units",
    "problem_remembers_its_strike_off",
    // Whose a return, a decline or more time was: tried in `statistics/setbacks.rs`.
    "problem_setback_is_noted",
    // What counts is tried in `counts.rs`.
    "alliance_has_counters",
    "priority_task_insert_is_counted",
    "priority_task_update_is_counted",
    "priority_task_delete_is_counted",
    "problem_insert_is_counted",
    "problem_update_is_counted",
    "problem_held_insert_is_counted",
    "problem_held_update_is_counted",
    "carried_over_insert_is_counted",
    "carried_over_update_is_counted",
    "carried_over_delete_is_counted",
];

/// The triggers of a database that have no case, and the cases that have no trigger.
fn uncovered(shape: &Shape) -> Vec<String> {
    let covered: BTreeSet<String> =
        cases().iter().map(|case| case.trigger).chain(ALONE).map(str::to_owned).collect();
    shape.triggers.symmetric_difference(&covered).cloned().collect()
}

#[tokio::test]
async fn every_trigger_and_check_has_a_case_that_violates_it() {
    let app = town().await;
    let shape = Shape::read(&app.app.write).await;
    assert_eq!(uncovered(&shape), Vec::<String>::new());
    assert!(shape.checks.is_empty(), "checks want cases too: {:?}", shape.checks);
    // The guard itself: one more trigger, one fewer, one check are each noticed.
    let mut other = shape.clone();
    other.triggers.insert("stray".to_owned());
    assert_eq!(uncovered(&other), ["stray"]);
    other = shape;
    other.triggers.remove("event_is_kept");
    assert_eq!(uncovered(&other), ["event_is_kept"]);
    let engine = app.app.backend();
    app.sql("CREATE TABLE stray (id integer PRIMARY KEY, n integer, CONSTRAINT n_is_small CHECK (n < 9))")
        .await
        .expect("a table");
    if engine == DbBackend::Sqlite {
        app.sql("CREATE TRIGGER stray BEFORE DELETE ON stray BEGIN SELECT RAISE(ABORT, 'x'); END")
            .await
            .expect("made");
    } else {
        app.sql(
            "CREATE TRIGGER stray BEFORE DELETE ON stray FOR EACH ROW EXECUTE FUNCTION concord_refuse('x')",
        )
        .await
        .expect("made");
    }
    let shape = Shape::read(&app.app.write).await;
    assert_eq!(uncovered(&shape), ["stray"]);
    assert_eq!(shape.checks.len(), 1);
}

/// What a case's violations came to that were not refused as they must be.
async fn unrefused(app: &TestApp, case: &Case) -> Vec<String> {
    for text in &case.stage {
        assert!(
            app.sql(text).await.unwrap_or_else(|error| panic!("{text}: {error}")) > 0,
            "nothing changed: {text}"
        );
    }
    let mut found = Vec::new();
    for text in &case.violations {
        match app.sql(text).await {
            Err(error) if error.to_string().contains(case.says) => {}
            other => found.push(format!("{}: {text}: {other:?}", case.trigger)),
        }
    }
    found
}

#[tokio::test]
async fn every_trigger_refuses_its_violations() {
    for case in cases() {
        let app = town().await;
        assert_eq!(unrefused(&app, &case).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_trigger_that_is_gone_is_noticed() {
    let app = town().await;
    let on = if app.app.backend() == DbBackend::Postgres { " ON task_progress" } else { "" };
    app.sql(&format!("DROP TRIGGER task_progress_is_not_edited{on}")).await.expect("it is dropped");
    let all = cases();
    let case = all.iter().find(|case| case.trigger == "task_progress_is_not_edited").expect("a case");
    assert_eq!(unrefused(&app, case).await.len(), case.violations.len());
}

#[tokio::test]
async fn what_the_rules_allow_passes() {
    let app = town().await;
    for text in [
        "UPDATE event SET payload = NULL, salt = NULL",
        "UPDATE problem SET title = 'other'",
        "UPDATE problem_tier_move SET reason = NULL",
        &strike_off("staff", "verifier", "other", "approver"),
        "UPDATE problem SET state = 'registered', round = round + 1",
        "UPDATE problem_round SET verdict = NULL",
        "UPDATE escalation SET state = 'resolved'",
        &by("answered", "verifier"),
        "UPDATE follow_up SET words = NULL, note = NULL",
        &excluded_by("approver"),
        "UPDATE follow_up SET exclusion_reason = NULL",
    ] {
        assert!(app.sql(text).await.unwrap_or_else(|error| panic!("{text}: {error}")) > 0, "{text}");
    }
}

#[tokio::test]
async fn no_problem_is_born_struck_off() {
    let app = town().await;
    let shape = Shape::read(&app.app.write).await;
    let table = &shape.tables["problem"];
    let insert = |state: &str| {
        let values: Vec<String> = table
            .columns
            .iter()
            .map(|(name, column)| {
                let is_key = table.uniques.iter().any(|unique| unique.columns.contains(name));
                match name.as_str() {
                    "state" => format!("'{state}'"),
                    "alliance_id" => name.clone(),
                    _ if is_key => specimens::fresh(&app, column),
                    _ => name.clone(),
                }
            })
            .collect();
        let columns: Vec<&str> = table.columns.keys().map(String::as_str).collect();
        format!(
            "INSERT INTO problem ({}) SELECT {} FROM problem LIMIT 1",
            columns.join(", "),
            values.join(", ")
        )
    };
    let said = app.sql(&insert("struck_off")).await.expect_err("it is refused").to_string();
    assert!(said.contains("strike-off needs evidence"), "{said}");
    assert_eq!(app.sql(&insert("registered")).await.expect("another problem"), 1);
}

#[tokio::test]
async fn every_event_waits_for_its_seal() {
    let app = town().await;
    let shape = Shape::read(&app.app.write).await;
    let columns: Vec<&String> = shape.tables["event"].columns.keys().collect();
    let values: Vec<String> = shape.tables["event"]
        .columns
        .iter()
        .map(|(name, column)| if name == "id" { specimens::fresh(&app, column) } else { name.clone() })
        .collect();
    let columns = columns.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    app.sql("DELETE FROM event_pending").await.expect("nothing waits");
    app.sql(&format!("INSERT INTO event ({columns}) SELECT {} FROM event LIMIT 1", values.join(", ")))
        .await
        .expect("an event, written past the product");
    assert_eq!(app.sql("DELETE FROM event_pending").await.expect("it waited"), 1);
}
