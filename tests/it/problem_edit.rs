//! Correcting a problem, finding what is due, and who is told of it.

use chrono::{NaiveDate, TimeDelta};
use concord::{
    domain::list::problem::moves::{self, Which},
    graphql::id,
};
use concord_entities::{
    id::AccountId,
    problem::{Model, State},
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::problem::{problem_in, step};

async fn update(app: &TestApp, who: AccountId, row: &Model, version: i64, more: Value) -> Answer {
    let mut input = json!({ "problemId": id::encode(row.id), "expectedVersion": version });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        input[name] = value;
    }
    let text = "mutation($input: UpdateProblemInput!) { updateProblem(input: $input) {
        problem { version title description category place severity dueOn region { name } }
        userErrors { code field } } }";
    app.client(who).send(text, json!({ "input": input })).await
}

#[tokio::test]
async fn the_registrar_corrects_until_triage_and_the_committee_while_it_is_open() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Registered).await;
    let change = json!({ "title": "路面塌陷", "place": "张三家门前", "severity": "LIFE_SAFETY" });
    for stranger in [world.officer, world.staff, world.observer, world.verifier] {
        let refused = update(&app, stranger, &row, 1, change.clone()).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let foreign = update(&app, world.stranger, &row, 1, change.clone()).await;
    assert_eq!(foreign.code().as_deref(), Some("NOT_FOUND"));
    let done = update(&app, world.grid_officer, &row, 1, change.clone()).await.fine();
    assert_eq!(done.text("/updateProblem/problem/title"), "路面塌陷");
    assert_eq!(done.at("/updateProblem/problem/version"), 2);
    let stale = update(&app, world.grid_officer, &row, 1, change.clone()).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    // The same again changes nothing, and says so by its version.
    let same = update(&app, world.grid_officer, &row, 2, change).await.fine();
    assert_eq!(same.at("/updateProblem/problem/version"), 2);
    for (change, code) in [
        (json!({ "title": " " }), "REQUIRED"),
        (json!({ "regionId": id::encode(world.county_region) }), "OUTSIDE_TERRITORY"),
        (json!({ "dueOn": "2026-02-01" }), "STATE_REFUSED"),
    ] {
        let refused = update(&app, world.grid_officer, &row, 2, change).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    let other = json!({ "regionId": id::encode(world.communities[1]), "place": null });
    let done = update(&app, world.committee, &row, 2, other).await.fine();
    assert_eq!(done.text("/updateProblem/problem/region/name"), "第2社区");
    assert!(done.at("/updateProblem/problem/place").is_null());
    // What people typed about places stays out of the record; what else changed is there, before and after.
    app.run_background().await;
    let text = "query($id: ID!) { history(id: $id) { nodes { kind details { name value } } } }";
    let told = app.client(world.observer).send(text, json!({ "id": id::encode(row.id) })).await.fine();
    let nodes = told.at("/history/nodes").as_array().expect("events").clone();
    let updates: Vec<String> =
        nodes.iter().filter(|event| event["kind"] == "PROBLEM_UPDATED").map(Value::to_string).collect();
    assert_eq!(updates.len(), 2);
    assert!(updates.iter().all(|event| !event.contains("张三")), "{updates:?}");
    assert!(updates[1].contains("路面坑洼") && updates[1].contains("路面塌陷"), "{updates:?}");
    assert!(updates[0].contains("placeChanged") && updates[0].contains("beforeRegionId"), "{updates:?}");

    let assigned = problem_in(&app, &world, State::Assigned).await;
    let due = json!({ "dueOn": "2026-02-01" });
    let late = update(&app, world.grid_officer, &assigned, assigned.version, due.clone()).await;
    assert_eq!(late.code().as_deref(), Some("STATE_REFUSED"));
    let done = update(&app, world.committee, &assigned, assigned.version, due).await.fine();
    assert_eq!(done.text("/updateProblem/problem/dueOn"), "2026-02-01");
    let past =
        update(&app, world.committee, &assigned, assigned.version + 1, json!({ "dueOn": "2025-01-01" }))
            .await;
    assert_eq!(past.code().as_deref(), Some("OUT_OF_RANGE"));
    let closed = problem_in(&app, &world, State::StruckOff).await;
    let refused = update(&app, world.committee, &closed, closed.version, json!({ "title": "x" })).await;
    assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"));
}

async fn due(app: &TestApp, world: &World, on: Option<&str>) -> Model {
    let row = problem_in(app, world, State::Triaged).await;
    // What is not assigned is due on no day.
    let Some(on) = on.map(|on| on.parse::<NaiveDate>().expect("a date")) else { return row };
    let which = Which { id: row.id, expected_version: None };
    moves::assign(&app.ctx(world.committee), which, world.members[1], Some(on)).await.expect("assigned")
}

#[tokio::test]
async fn the_closure_list_is_read_by_due_date() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let none = due(&app, &world, None).await;
    let late = due(&app, &world, Some("2026-03-01")).await;
    let soon = due(&app, &world, Some("2026-01-20")).await;
    let also_none = due(&app, &world, None).await;
    let titled = |rows: &[&Model]| rows.iter().map(|row| row.number.clone()).collect::<Vec<_>>();
    let read = async |who: AccountId, filter: Value| -> Vec<String> {
        // Two at a time, so that pages turn within the dates and within what has none.
        let text = "query($filter: ProblemFilter, $after: String) {
            problems(filter: $filter, orderBy: DUE_ON, first: 1, after: $after) {
                totalCount pageInfo { hasNextPage endCursor } nodes { number } } }";
        let (mut found, mut after) = (Vec::new(), Value::Null);
        for _ in 0..10 {
            let page = app.client(who).send(text, json!({ "filter": filter, "after": after })).await.fine();
            for node in page.at("/problems/nodes").as_array().expect("nodes") {
                found.push(node["number"].as_str().expect("a number").to_owned());
            }
            if page.at("/problems/pageInfo/hasNextPage") != &json!(true) {
                assert_eq!(page.at("/problems/totalCount"), found.len());
                return found;
            }
            after = page.at("/problems/pageInfo/endCursor").clone();
        }
        panic!("the list does not end");
    };
    let all = read(world.observer, Value::Null).await;
    assert_eq!(all[..2], titled(&[&soon, &late]));
    let (mut rest, mut undated) = (all[2..].to_vec(), titled(&[&none, &also_none]));
    rest.sort();
    undated.sort();
    assert_eq!(rest, undated);
    let backward = "{ problems(orderBy: DUE_ON, last: 3) { nodes { number } } }";
    let last = app.client(world.observer).run(backward).await.fine();
    assert_eq!(last.text("/problems/nodes/0/number"), late.number);
    assert_eq!(read(world.observer, json!({ "dueFrom": "2026-01-21" })).await, titled(&[&late]));
    assert_eq!(read(world.observer, json!({ "dueTo": "2026-01-20" })).await, titled(&[&soon]));
    assert!(read(world.observer, json!({ "overdue": true })).await.is_empty());
    assert_eq!(read(world.grid_officer, json!({ "registeredByMe": true })).await.len(), 4);
    assert!(read(world.grid_officer, json!({ "registeredByMe": false })).await.is_empty());
    assert!(read(world.staff, json!({ "registeredByMe": true })).await.is_empty());
    // The 21st by the calendar of Beijing.
    app.set_now("2026-01-20T15:59:59Z".parse().expect("an instant"));
    assert!(read(world.observer, json!({ "overdue": true })).await.is_empty());
    app.advance(TimeDelta::seconds(1));
    assert_eq!(read(world.observer, json!({ "overdue": true })).await, titled(&[&soon]));
    assert_eq!(read(world.observer, json!({ "overdue": false })).await.len(), 3);
    let text = "query($id: ID!) { problem(id: $id) { isOverdue } }";
    for (row, is_overdue) in [(&soon, true), (&late, false), (&none, false)] {
        let seen = app.client(world.observer).send(text, json!({ "id": id::encode(row.id) })).await.fine();
        assert_eq!(seen.at("/problem/isOverdue"), is_overdue);
    }
}

async fn inbox(app: &TestApp, who: AccountId) -> Vec<(String, String)> {
    app.run_background().await;
    let text = "{ inbox(first: 50) { nodes { kind event { kind } } } }";
    let answer = app.client(who).run(text).await.fine();
    let nodes = answer.at("/inbox/nodes").as_array().expect("nodes").clone();
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    nodes.iter().rev().map(|node| (word(&node["kind"]), word(&node["event"]["kind"]))).collect()
}

fn told(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries.iter().map(|(kind, event)| ((*kind).to_owned(), (*event).to_owned())).collect()
}

#[tokio::test]
async fn whoever_registered_a_problem_hears_what_becomes_of_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let reason = json!({ "reason": "不属本单位职责" });
    let row = problem_in(&app, &world, State::Assigned).await;
    let problem = json!(id::encode(row.id));
    step(&app, world.staff, "declineProblem", &problem, reason.clone()).await.fine();
    let lead = json!({ "leadOrganizationId": id::encode(world.members[1]) });
    step(&app, world.committee, "assignProblem", &problem, lead).await.fine();
    step(&app, world.committee, "recallProblem", &problem, reason.clone()).await.fine();
    step(&app, world.committee, "rejectProblem", &problem, reason.clone()).await.fine();
    let heard = told(&[
        ("RETURNED", "PROBLEM_DECLINED"),
        ("RECALLED", "PROBLEM_RECALLED"),
        ("CLOSED", "PROBLEM_REJECTED"),
    ]);
    assert_eq!(inbox(&app, world.grid_officer).await, heard);
    assert!(inbox(&app, world.officer).await.is_empty(), "another officer's problem is not theirs");
    let unit = told(&[
        ("ASSIGNED", "PROBLEM_ASSIGNED"),
        ("ASSIGNED", "PROBLEM_ASSIGNED"),
        ("RECALLED", "PROBLEM_RECALLED"),
    ]);
    assert_eq!(inbox(&app, world.manager).await, unit);
    assert!(inbox(&app, world.other_staff).await.is_empty());
    let row = problem_in(&app, &world, State::Submitted).await;
    step(&app, world.verifier, "returnProblem", &json!(id::encode(row.id)), reason).await.fine();
    problem_in(&app, &world, State::StruckOff).await;
    let heard = inbox(&app, world.grid_officer).await;
    let later = told(&[("RETURNED", "PROBLEM_RETURNED"), ("CLOSED", "PROBLEM_STRUCK_OFF")]);
    assert_eq!(heard[3..], later);
}

#[tokio::test]
async fn a_problems_due_date_rings_once_for_the_unit() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = due(&app, &world, Some("2026-01-20")).await;
    due(&app, &world, None).await;
    let rings = async || {
        let heard = inbox(&app, world.staff).await;
        heard.into_iter().filter(|(kind, event)| kind == "DUE" && event == "PROBLEM_DUE").count()
    };
    assert_eq!(rings().await, 0);
    // Three days before the day is over, by the calendar of Beijing.
    app.set_now("2026-01-17T16:00:00Z".parse().expect("an instant"));
    assert_eq!(rings().await, 1);
    assert_eq!(rings().await, 1);
    update(&app, world.committee, &row, row.version, json!({ "dueOn": "2026-01-19" })).await.fine();
    assert_eq!(rings().await, 2, "a date that moves is told of again");
    let reason = json!({ "reason": "改派" });
    step(&app, world.committee, "recallProblem", &json!(id::encode(row.id)), reason).await.fine();
    app.advance(TimeDelta::days(30));
    assert_eq!(rings().await, 2, "nobody is bound by it any more");
}
