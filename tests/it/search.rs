//! What a clerk searches both lists by: words in both languages, windows of due dates, what is theirs; facets that keep the
//! other filters; and filters kept for oneself.

use chrono::{TimeDelta, TimeZone, Utc};
use concord::{
    domain::list::problem::{self, NewProblem, moves},
    graphql::id,
};
use concord_entities::problem::{Severity, State};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    priority_task::{self as tasks, create_list, key, task},
    problem::{count, pothole, problem_in, which},
};

/// Numbers of the problems that a filter leaves, without the year.
async fn found(app: &TestApp, who: concord_entities::id::AccountId, filter: Value) -> Vec<i64> {
    let query =
        "query($filter: ProblemFilter) { problems(filter: $filter, orderBy: NUMBER) { nodes { sequence } } }";
    let answer = app.client(who).send(query, json!({ "filter": filter })).await;
    let nodes = answer.at("/problems/nodes").as_array().expect("a list").clone();
    nodes.iter().map(|node| node["sequence"].as_i64().expect("a number")).collect()
}

#[tokio::test]
async fn every_word_must_stand_somewhere_in_whatever_language() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let texts = [
        ("路面坑洼", "第1社区路口，夜间有人摔倒", Some("昆仑路12号")),
        ("Street light broken", "The LAMP at the corner is out", Some("Kunlun Road 12")),
        ("下水道堵塞", "污水外溢 100% 堵住", None),
        ("ÄÖ Haus", "Die Tür klemmt", None),
    ];
    for (title, description, place) in texts {
        let new = NewProblem {
            title: title.to_owned(),
            description: description.to_owned(),
            place: place.map(str::to_owned),
            ..pothole(&world)
        };
        problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
    }
    for (text, numbers) in [
        ("坑洼", vec![1]),
        ("夜间 昆仑", vec![1]),
        ("昆仑\u{3000}摔倒", vec![1]),
        ("lamp STREET", vec![2]),
        ("lamp 坑洼", vec![]),
        ("12", vec![1, 2]),
        ("堵", vec![3]),
        ("0%", vec![3]),
        ("%", vec![3]),
        ("西海销 light", vec![2]),
        ("_", vec![]),
        ("ÄÖ", vec![4]),
        ("TÜR", vec![4]),
    ] {
        assert_eq!(found(&app, world.observer, json!({ "text": text })).await, numbers, "{text}");
    }
    let list = create_list(&app, &world, "2026-01").await;
    task(&app, &world, &list, "清运 Garbage 垃圾", "2026-01-20").await;
    let query = "query($text: String) { priorityTasks(filter: { text: $text }) { totalCount } }";
    for (text, number) in [("垃圾 garbage", 1), ("垃圾 沥青", 0)] {
        let answer = app.client(world.committee).send(query, json!({ "text": text })).await;
        assert_eq!(answer.at("/priorityTasks/totalCount"), number, "{text}");
    }
}

#[tokio::test]
async fn windows_go_by_the_alliances_day_and_mine_is_what_my_unit_has_to_do() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for (place, day) in [(1, "2026-01-05"), (1, "2026-01-08"), (2, "2026-01-06"), (2, "2026-01-20")] {
        let row = problem_in(&app, &world, State::Triaged).await;
        let due = Some(day.parse().expect("a day"));
        moves::assign(&app.ctx(world.committee), which(row.id), world.members[place], due)
            .await
            .expect("assigned");
    }
    problem_in(&app, &world, State::Registered).await;
    let seen = async |filter: Value| found(&app, world.observer, filter).await;
    app.advance(TimeDelta::days(3));
    assert_eq!(seen(json!({ "dueWithinDays": 0 })).await, [2]);
    assert_eq!(seen(json!({ "dueWithinDays": 11 })).await, [2]);
    assert_eq!(seen(json!({ "dueWithinDays": 12 })).await, [2, 4]);
    assert_eq!(seen(json!({ "overdueByDays": 2 })).await, [1, 3]);
    assert_eq!(seen(json!({ "overdueByDays": 3 })).await, [1]);
    assert_eq!(seen(json!({ "overdueByDays": 4 })).await, Vec::<i64>::new());
    // Midnight in Beijing.
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 8, 16, 0, 0).single().expect("an instant"));
    assert_eq!(seen(json!({ "dueWithinDays": 0 })).await, Vec::<i64>::new());
    assert_eq!(seen(json!({ "overdueByDays": 1 })).await, [1, 2, 3]);
    let mine = async |who, mine: bool| found(&app, who, json!({ "mine": mine })).await;
    assert_eq!(mine(world.staff, true).await, [1, 2]);
    assert_eq!(mine(world.manager, true).await, [1, 2]);
    assert_eq!(mine(world.other_staff, true).await, [3, 4]);
    assert_eq!(mine(world.other_staff, false).await, [1, 2, 5]);
    assert_eq!(mine(world.observer, true).await, Vec::<i64>::new());
    let board = key(&app, world.town).await;
    for (client, filter, code) in [
        (app.key(board), json!({ "mine": true }), "FORBIDDEN"),
        (app.client(world.observer), json!({ "dueWithinDays": -1 }), "OUT_OF_RANGE"),
        (app.client(world.observer), json!({ "overdueByDays": 0 }), "OUT_OF_RANGE"),
    ] {
        for query in [
            "query($filter: ProblemFilter) { of: problems(filter: $filter) { totalCount } }",
            "query($filter: PriorityTaskFilter!) { of: priorityTasks(filter: $filter) { totalCount } }",
        ] {
            let answer = client.send(query, json!({ "filter": filter })).await;
            assert_eq!(answer.code().as_deref(), Some(code), "{query} {filter}");
        }
    }
    // Tasks as well: led or joined by a unit of mine, and by their own due dates.
    let list = create_list(&app, &world, "2026-01").await;
    task(&app, &world, &list, "清运垃圾", "2026-01-10").await;
    app.client(world.committee)
        .send(tasks::PUBLISH_LIST, json!({ "input": { "taskListId": list } }))
        .await
        .fine();
    let query = "query($filter: PriorityTaskFilter!) { priorityTasks(filter: $filter) { totalCount } }";
    for (who, filter, number) in [
        (world.staff, json!({ "mine": true }), 1),
        (world.observer, json!({ "mine": true }), 0),
        (world.observer, json!({ "mine": false }), 1),
        (world.observer, json!({ "dueWithinDays": 1 }), 1),
        (world.observer, json!({ "dueWithinDays": 0 }), 0),
        (world.observer, json!({ "overdueByDays": 1 }), 0),
    ] {
        let answer = app.client(who).send(query, json!({ "filter": filter })).await;
        assert_eq!(answer.at("/priorityTasks/totalCount"), number, "{filter}");
    }
    app.advance(TimeDelta::days(5));
    let answer = app.client(world.observer).send(query, json!({ "filter": { "overdueByDays": 1 } })).await;
    assert_eq!(answer.at("/priorityTasks/totalCount"), 1);
}

const FACETS: &str =
    "query($filter: ProblemFilter) { problems(filter: $filter, first: 1) { totalCount facets {
    states { state count } tiers { tier count } severities { severity count } categories { category count }
    organizations { organization { name } count } regions { region { name } count } } } }";

#[tokio::test]
async fn each_facet_keeps_all_filters_but_its_own() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    problem_in(&app, &there, State::Assigned).await;
    problem_in(&app, &world, State::Assigned).await;
    problem_in(&app, &world, State::Assigned).await;
    problem_in(&app, &world, State::StruckOff).await;
    let new = NewProblem {
        category: "照明".to_owned(),
        severity: Severity::Utilities,
        region_id: Some(world.communities[1]),
        ..pothole(&world)
    };
    problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
    let client = app.client(world.observer);
    let (answer, statements) = app
        .statements(async || client.send(FACETS, json!({ "filter": { "states": ["ASSIGNED"] } })).await)
        .await;
    assert_eq!(answer.at("/problems/totalCount"), 2);
    let facets = answer.at("/problems/facets");
    let expected = json!({
        "states": [{ "state": "ASSIGNED", "count": 2 }, { "state": "REGISTERED", "count": 1 },
            { "state": "STRUCK_OFF", "count": 1 }],
        "tiers": [{ "tier": "SMALL", "count": 2 }],
        "severities": [{ "severity": "ORDINARY", "count": 2 }],
        "categories": [{ "category": "道路", "count": 2 }],
        "organizations": [{ "organization": { "name": "成员单位1-632223" }, "count": 2 }],
        "regions": [{ "region": { "name": "第1社区" }, "count": 2 }],
    });
    assert_eq!(facets, &expected);
    // The list, its count, six facets, and the organisations and regions that they name.
    assert_eq!(statements.len(), 10, "{statements:#?}");
    let answer = client.send(FACETS, json!({ "filter": { "category": "照明", "text": "路口" } })).await;
    let facets = answer.at("/problems/facets");
    let both = json!([{ "category": "道路", "count": 3 }, { "category": "照明", "count": 1 }]);
    assert_eq!(facets["categories"], both);
    assert_eq!(facets["tiers"], json!([{ "tier": null, "count": 1 }]));
    assert_eq!(facets["regions"], json!([{ "region": { "name": "第2社区" }, "count": 1 }]));
    assert_eq!(facets["organizations"], json!([]));
    // Who does not ask pays nothing.
    let plain = "{ problems(first: 1) { nodes { number } } }";
    let (_, statements) = app.statements(async || client.run(plain).await.fine()).await;
    assert_eq!(statements.len(), 1, "{statements:#?}");
    let list = create_list(&app, &world, "2026-01").await;
    task(&app, &world, &list, "清运垃圾", "2026-01-20").await;
    let query =
        "{ priorityTasks { facets { states { state count } leadOrganizations { organization { name } count }
        regions { region { name } count } } } }";
    let answer = app.client(world.committee).run(query).await;
    let facets = answer.at("/priorityTasks/facets");
    assert_eq!(facets["states"], json!([{ "state": "DRAFT", "count": 1 }]));
    assert_eq!(facets["leadOrganizations"][0]["count"], 1);
    // A draft is nobody else's, counted or not.
    let answer = client.run(query).await;
    assert_eq!(answer.at("/priorityTasks/facets/states"), &json!([]));
}

const SAVE: &str = "mutation($input: SaveFilterInput!) { saveFilter(input: $input) {
    savedFilter { id noun name filter endedAt } userErrors { code field } } }";
const DELETE: &str = "mutation($input: DeleteSavedFilterInput!) { deleteSavedFilter(input: $input) {
    savedFilter { id endedAt } userErrors { code field } } }";

fn names(answer: &Answer) -> Vec<String> {
    let rows = answer.at("/savedFilters").as_array().expect("a list");
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_filter_is_kept_for_oneself_alone_and_checked_before() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (staff, other) = (app.client(world.staff), app.client(world.other_staff));
    let save = async |name: &str, noun: &str, filter: &str| {
        let input = json!({ "name": name, "noun": noun, "filter": filter });
        staff.send(SAVE, json!({ "input": input })).await
    };
    let of = id::encode(world.town);
    let filter =
        json!({ "open": true, "mine": true, "tier": null, "allianceId": of, "states": ["ASSIGNED"] });
    let kept = save(" 本单位待签收 ", "PROBLEM", &filter.to_string()).await.fine();
    assert_eq!(kept.at("/saveFilter/savedFilter/name"), "本单位待签收");
    let text = kept.text("/saveFilter/savedFilter/filter");
    let stored: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(stored, json!({ "open": true, "mine": true, "allianceId": of, "states": ["ASSIGNED"] }));
    assert_eq!(found(&app, world.staff, stored).await, Vec::<i64>::new());
    save("近期", "PRIORITY_TASK", r#"{"dueWithinDays":7}"#).await.fine();
    // The same name for the other list is another filter.
    save("近期", "PROBLEM", r#"{"dueWithinDays":7}"#).await.fine();
    for (name, filter, code) in [
        ("近期", "{}", "ALREADY_EXISTS"),
        (" ", "{}", "REQUIRED"),
        ("a", "open", "MALFORMED"),
        ("a", "[]", "MALFORMED"),
        ("a", r#"{"open":"yes"}"#, "MALFORMED"),
        ("a", r#"{"opened":true}"#, "MALFORMED"),
        ("a", r#"{"states":["LOST"]}"#, "MALFORMED"),
        ("a", r#"{"allianceId":"x"}"#, "ID_MALFORMED"),
        (&"长".repeat(65), "{}", "TOO_LONG"),
        // What the lists refuse is not kept either.
        ("a", r#"{"dueWithinDays":99999}"#, "OUT_OF_RANGE"),
        ("a", r#"{"overdueByDays":0}"#, "OUT_OF_RANGE"),
        ("a", &json!({ "text": "长".repeat(101) }).to_string(), "TOO_LONG"),
    ] {
        assert_eq!(save(name, "PROBLEM", filter).await.code().as_deref(), Some(code), "{name} {filter}");
    }
    let far = save("a", "PRIORITY_TASK", r#"{"dueWithinDays":99999}"#).await;
    assert_eq!(far.at("/saveFilter/userErrors/0/field"), "input.filter.dueWithinDays");
    let query = "query($noun: SavedFilterNoun) { savedFilters(noun: $noun) { name } }";
    let list = async |noun: Value| names(&staff.send(query, json!({ "noun": noun })).await);
    assert_eq!(list(Value::Null).await.len(), 3);
    assert_eq!(list(json!("PRIORITY_TASK")).await, ["近期"]);
    assert_eq!(names(&other.send(query, json!({})).await), Vec::<String>::new());
    // Another's is not there, for a colleague, the committee and the platform's administrator alike.
    let kept = kept.text("/saveFilter/savedFilter/id");
    let input = json!({ "input": { "savedFilterId": kept } });
    for who in [world.other_staff, world.committee, world.admin] {
        assert_eq!(app.client(who).send(DELETE, input.clone()).await.code().as_deref(), Some("NOT_FOUND"));
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert!(app.client(who).send(node, json!({ "id": kept })).await.at("/node").is_null());
    }
    let key = key(&app, world.town).await;
    for (client, code) in [(app.key(key), "FORBIDDEN"), (app.anonymous(), "UNAUTHENTICATED")] {
        let input = json!({ "input": { "name": "a", "noun": "PROBLEM", "filter": "{}" } });
        assert_eq!(client.send(SAVE, input).await.code().as_deref(), Some(code));
        assert_eq!(client.run("{ savedFilters { name } }").await.code().as_deref(), Some(code));
    }
    // It ends and stays; its name is free again, and what was carried out once is answered again.
    let keyed = staff.keyed("end-it", 1);
    let ended = keyed.send(DELETE, input.clone()).await.fine();
    assert!(!ended.at("/deleteSavedFilter/savedFilter/endedAt").is_null());
    assert_eq!(keyed.send(DELETE, input.clone()).await.fine(), ended);
    assert_eq!(staff.send(DELETE, input).await.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(list(Value::Null).await.len(), 2);
    save("本单位待签收", "PROBLEM", "{}").await.fine();
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM saved_filter").await, 4);
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind LIKE 'saved_filter_%'";
    assert_eq!(count(&app, told).await, 5);
    for number in 4..=50 {
        save(&format!("第{number}个"), "PROBLEM", "{}").await.fine();
    }
    assert_eq!(save("第51个", "PROBLEM", "{}").await.code().as_deref(), Some("OUT_OF_RANGE"));
}
