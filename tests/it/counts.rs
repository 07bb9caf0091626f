//! The dashboard's counters: one statement, equal to a recount whatever the verbs do, in whatever order, at once or past
//! the product, and equal to what the rows say of each month by the alliance's own clock.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use concord::{
    domain::list::{
        counts,
        problem::{
            self,
            moves::{self, Triage},
            on_account::{self, NewHold},
            take_over::{Destination, Origin, SourceProblem},
        },
        recount,
    },
    graphql::id,
};
use concord_entities::{
    organization,
    priority_task::{self, State as TaskState},
    problem::{Channel, Entity as Problems, Model, Severity, State, Tier},
};
use concord_migration::{Migrator, MigratorTrait};
use concord_tests::{TestApp, World};
use sea_orm::{EntityTrait, Iterable};
use serde_json::{Value, json};

use crate::{
    priority_task::{self as tasks, create_list, key, published, task},
    problem::{pothole, problem_in, show_closure, which},
};

const DASHBOARD: &str = "query($id: ID!, $month: YearMonth) { alliance(id: $id) { name
    taskCounts { open overdue completed byState { state count } }
    problemCounts { total open overdue struckOff closedAtSource month byState { state count }
        closureRate { value numerator denominator } }
    then: problemCounts(month: $month) { month closureRate { numerator denominator } } } }";

/// Fails where a counter differs from a recount.
async fn hold(app: &TestApp, when: &str) {
    let different = recount::first_difference(&app.app.read).await.expect("a recount");
    assert_eq!(different, None, "{when}");
}

#[tokio::test]
async fn a_dashboard_is_one_statement_that_touches_neither_list() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    published(&app, &world).await;
    problem_in(&app, &world, State::StruckOff).await;
    problem_in(&app, &world, State::Assigned).await;
    let board = key(&app, world.town).await;
    let ask = json!({ "id": id::encode(world.town), "month": "2025-12" });
    for client in [app.key(board), app.client(world.observer), app.client(world.county_committee)] {
        let (answer, statements) = app.statements(async || client.send(DASHBOARD, ask.clone()).await).await;
        assert_eq!(answer.at("/alliance/taskCounts/open"), 1);
        let problems = answer.at("/alliance/problemCounts");
        assert_eq!((&problems["total"], &problems["open"]), (&json!(2), &json!(1)));
        assert_eq!(problems["closureRate"], json!({ "value": 0.5, "numerator": 1, "denominator": 2 }));
        let then = json!({ "month": "2025-12", "closureRate": { "numerator": 0, "denominator": 0 } });
        assert_eq!(answer.at("/alliance/then"), &then);
        assert_eq!(statements.len(), 1, "{statements:#?}");
        assert!(!statements[0].contains("\"priority_task\"") && !statements[0].contains("\"problem\""));
    }
    // Many alliances: the list, and one statement for all their counts.
    let all = "query { alliances { nodes { name taskCounts { open } problemCounts { open }
        then: problemCounts(month: \"2025-11\") { month } } } }";
    let client = app.client(world.county_committee);
    let (answer, statements) = app.statements(async || client.run(all).await).await;
    assert_eq!(answer.at("/alliances/nodes").as_array().map(Vec::len), Some(2));
    assert_eq!(statements.len(), 2, "{statements:#?}");
    // What asks for no counts reads none.
    let (_, statements) = app
        .statements(async || client.send("query($id: ID!) { alliance(id: $id) { name } }", ask.clone()).await)
        .await;
    assert!(!statements[0].contains("_count"), "{statements:#?}");
}

#[tokio::test]
async fn whoever_sees_no_list_counts_nothing_and_drafts_are_for_drafters() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    published(&app, &world).await;
    problem_in(&app, &world, State::Registered).await;
    let february = create_list(&app, &world, "2026-02").await;
    task(&app, &world, &february, "草稿", "2026-02-10").await;
    let dropped = task(&app, &world, &february, "不办的草稿", "2026-02-11").await;
    let reason = json!({ "reason": "不办了" });
    tasks::step(&app, world.committee, "cancelPriorityTask", &dropped, reason).await.fine();
    let ask = json!({ "id": id::encode(world.town) });
    // A platform administrator sees the alliance, and what is on its lists is none of their business.
    let answer = app.client(world.admin).send(DASHBOARD, ask.clone()).await;
    assert_eq!(answer.text("/alliance/name"), "西海镇联盟");
    assert_eq!(
        answer.at("/alliance/taskCounts"),
        &json!({ "open": 0, "overdue": 0, "completed": 0, "byState": [] })
    );
    assert_eq!(answer.at("/alliance/problemCounts/total"), 0);
    for outsider in [there.committee, world.stranger] {
        assert!(app.client(outsider).send(DASHBOARD, ask.clone()).await.at("/alliance").is_null());
    }
    let by_state = async |who| {
        let answer = app.client(who).send(DASHBOARD, ask.clone()).await;
        answer.at("/alliance/taskCounts/byState").clone()
    };
    let seen = json!([{ "state": "PUBLISHED", "count": 1 }]);
    let drafted = json!([{ "state": "DRAFT", "count": 1 }, { "state": "PUBLISHED", "count": 1 },
        { "state": "CANCELLED", "count": 1 }]);
    assert_eq!(by_state(world.observer).await, seen);
    assert_eq!(by_state(world.county_committee).await, seen);
    assert_eq!(by_state(world.committee).await, drafted);
    assert_eq!(by_state(world.approver).await, drafted);
    hold(&app, "with drafts").await;
}

#[tokio::test]
async fn a_problem_is_overdue_by_the_alliances_own_calendar() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Triaged).await;
    let due = NaiveDate::from_ymd_opt(2026, 1, 12);
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[1], due).await.expect("assigned");
    let overdue = async || {
        let ask = json!({ "id": id::encode(world.town) });
        app.client(world.observer).send(DASHBOARD, ask).await.at("/alliance/problemCounts/overdue").clone()
    };
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 12, 15, 59, 59).single().expect("an instant"));
    assert_eq!(overdue().await, 0);
    app.advance(TimeDelta::seconds(1));
    assert_eq!(overdue().await, 1);
    // The sum of what is long past says the same, also when the clock goes back.
    app.advance(TimeDelta::days(9));
    counts::settle(&app.system()).await.expect("settled");
    assert_eq!(overdue().await, 1);
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 12, 15, 59, 59).single().expect("an instant"));
    assert_eq!(overdue().await, 0);
    app.advance(TimeDelta::seconds(1));
    assert_eq!(overdue().await, 1);
    // Taken back, it is due no more.
    moves::recall(&app.ctx(world.committee), which(row.id), "长期未办").await.expect("taken back");
    assert_eq!(overdue().await, 0);
    hold(&app, "after it was taken back").await;
}

/// A stream of choices that a seed determines.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it fits") % most
    }
}

/// One random step; what the rules refuse changes nothing, which is a case as well.
async fn wander(app: &TestApp, world: &World, dice: &mut Dice, lists: &[Value], written: &mut Vec<Value>) {
    let problems = Problems::find().all(&app.app.read).await.expect("problems");
    // The oldest that are open, so that some come to the end of their way.
    let mut open: Vec<_> = problems.iter().filter(|row| row.is_open).collect();
    open.sort_by_key(|row| row.ordinal);
    let row: Option<&Model> = (!open.is_empty()).then(|| open[dice.below(open.len().min(4))]);
    let task = (!written.is_empty()).then(|| written[dice.below(written.len())].clone());
    match (dice.below(10), row, task) {
        (0, ..) => {
            app.advance(TimeDelta::hours(i64::try_from(dice.below(400)).expect("hours")));
            if dice.below(2) > 0 {
                counts::settle(&app.system()).await.expect("settled");
            }
        }
        (1 | 2, ..) => {
            problem::register(&app.ctx(world.grid_officer), pothole(world)).await.expect("registered");
        }
        (3, ..) => {
            let (number, list) = (written.len(), &lists[dice.below(lists.len())]);
            let due_on = format!("2026-{:02}-{:02}", 1 + dice.below(9), 1 + dice.below(28));
            written.push(tasks::task(app, world, list, &format!("任务{number}"), &due_on).await);
        }
        (4, ..) => take_over(app, world, dice, &format!("{}", problems.len())).await,
        (5 | 6, _, Some(task)) => step_task(app, world, dice, &task).await,
        (_, Some(row), _) => step_problem(app, world, dice, row).await,
        _ => {}
    }
}

async fn step_problem(app: &TestApp, world: &World, dice: &mut Dice, row: &Model) {
    let it = which(row.id);
    let aside = dice.below(8);
    let moved = match (row.state, aside) {
        (State::Registered | State::Triaged, 0) => {
            moves::reject(&app.ctx(world.committee), it, "不属实").await
        }
        (State::Registered | State::Triaged, 1) => {
            moves::withdraw(&app.ctx(world.committee), it, "重复").await
        }
        (State::Assigned, 0 | 1) => moves::decline(&app.ctx(world.staff), it, "不属本单位", None).await,
        (State::Submitted | State::Verified, 0) => {
            moves::send_back(&app.ctx(world.approver), it, "未完").await
        }
        (State::Registered, _) => {
            let triage = Triage {
                tier: Tier::Small,
                measures: "铺沥青".to_owned(),
                criterion: "路面平整".to_owned(),
                is_complex: false,
            };
            moves::triage(&app.ctx(world.committee), it, triage).await
        }
        (State::Triaged, _) => {
            let today = app.app.now().with_timezone(&chrono_tz::Pacific::Auckland).date_naive();
            let due =
                (aside > 2).then(|| today + TimeDelta::days(i64::try_from(dice.below(20)).expect("days")));
            moves::assign(&app.ctx(world.committee), it, world.members[1], due).await
        }
        (State::Assigned, _) => moves::accept(&app.ctx(world.staff), it).await,
        (State::Accepted, _) => moves::start(&app.ctx(world.staff), it, None).await,
        (State::InProgress, 2) => {
            let today = app.app.now().with_timezone(&chrono_tz::Pacific::Auckland).date_naive();
            let new = NewHold {
                reason: "待管网改造".to_owned(),
                organization_id: None,
                review_on: today + TimeDelta::days(9),
            };
            on_account::hold(&app.ctx(world.committee), it, new).await
        }
        (State::OnAccount, _) => on_account::resume(&app.ctx(world.committee), it).await,
        (State::InProgress, _) => {
            show_closure(app, world, row.id).await;
            moves::submit(&app.ctx(world.staff), it).await
        }
        (State::Submitted, _) => moves::verify(&app.ctx(world.verifier), it, "好").await,
        _ => moves::strike_off(&app.ctx(world.approver), it).await,
    };
    drop(moved);
}

async fn step_task(app: &TestApp, world: &World, dice: &mut Dice, task: &Value) {
    let (committee, staff) = (world.committee, world.staff);
    let step = async |who, name: &str, more: Value| {
        tasks::step(app, who, name, task, more).await;
    };
    match dice.below(9) {
        0 => step(committee, "cancelPriorityTask", json!({ "reason": "不办了" })).await,
        1 | 2 => step(committee, "publishPriorityTask", json!({})).await,
        3 => step(staff, "acknowledgePriorityTask", json!({})).await,
        4 => step(staff, "reportProgress", json!({ "note": "清运两车" })).await,
        5 => step(staff, "submitPriorityTask", json!({})).await,
        6 => step(committee, "completePriorityTask", json!({})).await,
        7 => step(committee, "returnPriorityTask", json!({ "reason": "未完" })).await,
        _ => {
            let due_on = format!("2026-{:02}-{:02}", 1 + dice.below(9), 1 + dice.below(28));
            let more = json!({ "dueOn": due_on, "expectedVersion": 1 + dice.below(3) });
            step(committee, "updatePriorityTask", more).await;
        }
    }
}

/// Takes over three problems of another system, of which some were over long before.
async fn take_over(app: &TestApp, world: &World, dice: &mut Dice, key: &str) {
    let origin = Origin { source: "12345".to_owned(), organization_kind: organization::Kind::GovernmentUnit };
    let system = app.system();
    let mut destination = Destination::open(&system, world.town, origin, false).await.expect("a list");
    let batch = (0..3).map(|place| {
        let ago = TimeDelta::hours(i64::try_from(dice.below(3000)).expect("hours"));
        source(&format!("{key}-{place}"), (dice.below(3) > 0).then(|| app.app.now() - ago))
    });
    let taken = destination.take(batch.collect()).await.expect("taken over");
    assert_eq!((taken.imported, taken.refused.len()), (3, 0));
}

pub fn source(key: &str, closed_at: Option<DateTime<Utc>>) -> SourceProblem {
    SourceProblem {
        line: 1,
        key: key.to_owned(),
        title: "噪音".to_owned(),
        description: "夜间施工".to_owned(),
        category: "噪音".to_owned(),
        place: None,
        channel: Channel::Import,
        severity: Severity::Ordinary,
        organization: None,
        organization_short_name: None,
        occurred_at: Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0).single().expect("an instant"),
        is_closed: closed_at.is_some(),
        closed_at,
    }
}

/// What the rows themselves say of a month, instant by instant: open at some time of it, and of those closed within it.
fn month_of(rows: &[Model], zone: Tz, on: NaiveDate) -> (i64, i64) {
    let begins = |day: NaiveDate| zone.from_local_datetime(&day.and_time(chrono::NaiveTime::MIN)).earliest();
    let (from, to) = (begins(on).expect("a midnight"), begins(on + Months::new(1)).expect("a midnight"));
    let open: Vec<_> = rows
        .iter()
        .filter(|row| !matches!(row.state, State::Rejected | State::Withdrawn))
        .filter(|row| row.recorded_at < to && row.closed_at.is_none_or(|at| at >= from))
        .collect();
    let closed = open.iter().filter(|row| row.closed_at.is_some_and(|at| at < to)).count();
    (i64::try_from(open.len()).expect("few"), i64::try_from(closed).expect("few"))
}

/// Compares what a viewer is told with what the rows say.
async fn compare(app: &TestApp, world: &World, zone: Tz) {
    let today = app.app.now().with_timezone(&zone).date_naive();
    let this_month = today.with_day(1).expect("a first day");
    let months: Vec<_> = (0..14).map(|back| this_month + Months::new(1) - Months::new(back)).collect();
    let ctx = app.ctx(world.committee);
    let (_, told) = counts::read(&ctx, &[world.town], months.clone()).await.expect("counts").remove(0);
    let problems = Problems::find().all(&app.app.read).await.expect("problems");
    let rows = priority_task::Entity::find().all(&app.app.read).await.expect("tasks");
    let number = |count: usize| i64::try_from(count).expect("few");
    for state in State::iter() {
        let found = problems.iter().filter(|row| row.state == state).count();
        assert_eq!(told.problems(state), number(found), "{state:?}");
    }
    for state in TaskState::iter() {
        let found = rows.iter().filter(|row| row.state == state).count();
        assert_eq!(told.tasks(state), number(found), "{state:?}");
    }
    assert_eq!(told.open_problems(), number(problems.iter().filter(|row| row.is_open).count()));
    assert_eq!(told.open_tasks(), number(rows.iter().filter(|row| row.is_open).count()));
    let late = rows.iter().filter(|row| row.is_open && row.due_on < today).count();
    assert_eq!(told.overdue_tasks(), number(late));
    let is_late = |row: &&Model| {
        let passed = |on: NaiveDate| on < today && row.rested_on.is_none_or(|rested_on| on < rested_on);
        row.is_open && row.due_on.is_some_and(passed)
    };
    let late = problems.iter().filter(is_late).count();
    assert_eq!(told.overdue_problems(), number(late));
    for on in months {
        let month = told.month(Some(on));
        assert_eq!((month.open, month.closed), month_of(&problems, zone, on), "{on}");
    }
    assert_eq!(told.month(None), told.month(Some(this_month)));
}

#[tokio::test]
async fn whatever_the_verbs_do_the_counters_equal_a_recount() {
    for (seed, zone) in [(1, chrono_tz::Asia::Shanghai), (2, chrono_tz::Pacific::Auckland)] {
        let app = TestApp::new().await;
        let world = World::build(&app, "632223").await;
        app.sql(&format!("UPDATE alliance SET time_zone = '{}'", zone.name())).await.expect("another zone");
        let lists = [create_list(&app, &world, "2026-01").await, create_list(&app, &world, "2026-02").await];
        let publish = json!({ "input": { "taskListId": lists[1] } });
        let mut dice = Dice(seed);
        let mut written = Vec::new();
        for step in 0..240 {
            wander(&app, &world, &mut dice, &lists, &mut written).await;
            if step == 120 {
                app.client(world.committee).send(tasks::PUBLISH_LIST, publish.clone()).await.fine();
            }
            if step % 12 == 0 {
                hold(&app, &format!("seed {seed}, step {step}")).await;
                compare(&app, &world, zone).await;
            }
        }
        hold(&app, "at the end").await;
        compare(&app, &world, zone).await;
        let states = Problems::find().all(&app.app.read).await.expect("problems");
        for state in [State::StruckOff, State::Rejected, State::Withdrawn, State::ClosedAtSource] {
            assert!(states.iter().any(|row| row.state == state), "seed {seed} never came to {state:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_in_one_alliance_lose_no_count_and_never_wait_in_a_circle() {
    let app = Arc::new(TestApp::with(|config| config.database.acquire_timeout_ms = 60_000).await);
    let world = Arc::new(World::build(&app, "632223").await);
    let mut ready = Vec::new();
    for _ in 0..12 {
        ready.push(problem_in(&app, &world, State::Verified).await.id);
        ready.push(problem_in(&app, &world, State::Assigned).await.id);
    }
    let list = create_list(&app, &world, "2026-01").await;
    app.advance(TimeDelta::days(30));
    let mut jobs = Vec::new();
    for (place, id) in ready.into_iter().enumerate() {
        let (app, world, list) = (app.clone(), world.clone(), list.clone());
        jobs.push(tokio::spawn(async move {
            if place % 2 == 0 {
                moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off");
            } else {
                moves::accept(&app.ctx(world.staff), which(id)).await.expect("accepted");
            }
            problem::register(&app.ctx(world.grid_officer), pothole(&world)).await.expect("registered");
            if place % 6 == 0 {
                take_over(&app, &world, &mut Dice(7), &format!("{place}")).await;
            }
            if place % 8 == 0 {
                counts::settle(&app.system()).await.expect("settled");
            }
            if place % 4 == 0 {
                task(&app, &world, &list, &format!("任务{place}"), "2026-01-20").await;
            }
        }));
    }
    for job in jobs {
        job.await.expect("neither panic nor deadlock");
    }
    hold(&app, "after all of them").await;
    compare(&app, &world, chrono_tz::Asia::Shanghai).await;
}

#[tokio::test]
async fn whoever_writes_the_sql_the_counters_hold() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    for place in [&world, &there] {
        published(&app, place).await;
        let list = create_list(&app, place, "2026-02").await;
        task(&app, place, &list, "二月的草稿", "2026-02-10").await;
        problem_in(&app, place, State::Assigned).await;
        problem_in(&app, place, State::StruckOff).await;
        problem_in(&app, place, State::Registered).await;
    }
    app.advance(TimeDelta::days(70));
    assert_eq!(counts::settle(&app.system()).await.expect("settled"), 4);
    assert_eq!(counts::settle(&app.system()).await.expect("settled"), 0);
    let open = "WHERE state <> 'struck_off'";
    for text in [
        "UPDATE priority_task SET state = 'in_progress', is_open = TRUE",
        "UPDATE priority_task SET due_on = '2026-03-01'",
        "UPDATE priority_task SET state = 'cancelled', is_open = FALSE, published_at = NULL",
        "UPDATE priority_task SET is_open = TRUE, due_on = '2026-04-01'",
        "UPDATE priority_task SET title = 'other'",
        &format!("UPDATE problem SET due_on = '2026-03-01' {open}"),
        &format!("UPDATE problem SET rested_on = '2026-03-01' {open}"),
        &format!("UPDATE problem SET rested_on = '2026-03-02' {open}"),
        &format!("UPDATE problem SET due_on = NULL {open}"),
        &format!("UPDATE problem SET due_on = '2026-03-02', is_open = FALSE {open}"),
        &format!("UPDATE problem SET is_open = TRUE, state = 'verified' {open}"),
        &format!("UPDATE problem SET rested_on = NULL {open}"),
        &format!(
            "UPDATE problem SET state = 'rejected', closed_at = '2026-01-31 15:59:59.000000+00:00' {open}"
        ),
        &format!("UPDATE problem SET state = 'closed_at_source' {open}"),
        // Without a day of their own, instants count by Beijing's clock: this is the first of February.
        &format!("UPDATE problem SET closed_at = '2026-01-31 16:00:00.000000+00:00' {open}"),
        &format!("UPDATE problem SET closed_on = '2026-03-05' {open}"),
        &format!("UPDATE problem SET closed_on = '2025-12-31' {open}"),
        &format!("UPDATE problem SET closed_at = NULL {open}"),
        &format!("UPDATE problem SET recorded_on = '2025-11-30', closed_at = recorded_at {open}"),
        &format!("UPDATE problem SET recorded_on = NULL, closed_on = NULL {open}"),
        "INSERT INTO problem_round (problem_id, round, joint_organization_ids, declined_count, returned_count, reopened_at)
         SELECT id, round, '[]', 0, 0, recorded_at FROM problem",
        "UPDATE problem SET state = 'registered', closed_at = NULL, is_open = TRUE, round = round + 1",
        "DELETE FROM task_co_organizer",
        "DELETE FROM priority_task WHERE due_on = '2026-04-01'",
    ] {
        assert!(app.sql(text).await.unwrap_or_else(|error| panic!("{text}: {error}")) > 0, "{text}");
        hold(&app, text).await;
    }
    let stray = "SELECT COUNT(*) AS n FROM open_due_count WHERE tasks = 0 AND problems = 0";
    assert_eq!(crate::problem::count(&app, stray).await, 0, "a date with none has no row");
}

#[tokio::test]
async fn a_recount_finds_each_counter_that_is_wrong() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    published(&app, &world).await;
    problem_in(&app, &world, State::StruckOff).await;
    hold(&app, "before").await;
    for (text, undo, what) in [
        ("task_published = task_published + 1", "task_published = task_published - 1", "task_published"),
        ("task_cancelled_draft = 7", "task_cancelled_draft = 0", "task_cancelled_draft"),
        ("problem_unclosed = 5", "problem_unclosed = 0", "problem_unclosed"),
        ("settled_problems = 5", "settled_problems = 0", "settled_problems"),
        ("settled_on = '2026-02-01'", "settled_on = '1970-01-01'", "settled_tasks"),
        ("problem_struck_off = 0", "problem_struck_off = 1", "problem_struck_off"),
    ] {
        let town = format!("WHERE task_published > 0 OR problem_struck_off > 0 OR '{what}' = ''");
        app.sql(&format!("UPDATE alliance_count SET {text} {town}")).await.expect("a raw change");
        let found = recount::first_difference(&app.app.read).await.expect("a recount").expect("a difference");
        assert_eq!((found.alliance_id, found.what.as_str()), (world.town, what));
        app.sql(&format!("UPDATE alliance_count SET {undo} {town}")).await.expect("undone");
    }
    for (table, what, counted, found) in [
        ("month_count", "closed in 2026-01", 0, 1),
        ("open_due_count", "tasks due 2026-01-20", 0, 1),
        ("alliance_count", "problem_struck_off", 0, 1),
    ] {
        app.sql(&format!("DELETE FROM {table}")).await.expect("a raw change");
        let told = recount::first_difference(&app.app.read).await.expect("a recount").expect("a difference");
        assert_eq!((told.what.as_str(), told.counted, told.found), (what, counted, found));
    }
}

#[tokio::test]
async fn the_migration_counts_what_is_there() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut dice = Dice(3);
    let lists = [create_list(&app, &world, "2026-01").await];
    let mut written = Vec::new();
    for _ in 0..80 {
        wander(&app, &world, &mut dice, &lists, &mut written).await;
    }
    let later = Migrator::migrations().iter().rev().position(|step| step.name().ends_with("_counts"));
    let steps = u32::try_from(later.expect("it is there") + 1).expect("a few");
    Migrator::down(&app.app.write, Some(steps)).await.expect("back to before it");
    assert!(app.sql("DELETE FROM alliance_count").await.is_err(), "its tables are gone");
    Migrator::up(&app.app.write, None).await.expect("and forward again");
    hold(&app, "counted anew").await;
    compare(&app, &world, chrono_tz::Asia::Shanghai).await;
    problem_in(&app, &world, State::StruckOff).await;
    let input = json!({ "input": { "taskListId": lists[0] } });
    app.client(world.committee).send(tasks::PUBLISH_LIST, input).await.fine();
    hold(&app, "and counted on").await;
}
