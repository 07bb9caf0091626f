//! Priority tasks by the many: lists with filters and counts in few statements, due notices once, nothing lost in parallel.

use std::collections::HashMap;

use chrono::{TimeDelta, TimeZone, Utc};
use concord::{domain::list::due, graphql::id};
use concord_tests::{TestApp, World};
use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::{
    deadline::set,
    priority_task::{CREATE, PUBLISH_LIST, create_list, key, published, step, written},
    task_list::events,
};

const TASKS: &str =
    "query($filter: PriorityTaskFilter!, $order: PriorityTaskOrder!, $first: Int, $after: String) {
    priorityTasks(filter: $filter, orderBy: $order, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes {
            title dueOn place responsibleName isOverdue
            alliance { name } taskList { title } region { name }
            leadOrganization { name } coOrganizations { name }
            milestones { title } latestProgress { note }
            availableTransitions { mutation available }
        }
    }
}";

async fn ask(app: &TestApp, who: concord_entities::id::AccountId, filter: Value) -> Value {
    let variables = json!({ "filter": filter, "order": "PLACE_ASC" });
    app.client(who).send(TASKS, variables).await.at("/priorityTasks").clone()
}

fn titles(connection: &Value) -> Vec<&str> {
    let nodes = connection["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["title"].as_str().expect("a title")).collect()
}

/// Twenty tasks on a published list, due from the 10th on; the odd ones led by `members[1]`, the even ones by `members[2]`.
async fn twenty(app: &TestApp, world: &World) -> Value {
    let list = create_list(app, world, "2026-01").await;
    for number in 1..=20 {
        let mut input = written(world, &list, &format!("任务{number}"), &format!("2026-01-{}", 31 - number));
        if number % 2 == 0 {
            input["leadOrganizationId"] = json!(id::encode(world.members[2]));
            input["coOrganizationIds"] = json!([id::encode(world.members[3]), id::encode(world.members[4])]);
            input["regionId"] = json!(id::encode(world.communities[1]));
        }
        input["milestones"] = json!([{ "title": "过半", "dueOn": "2026-01-08" }]);
        app.client(world.committee).send(CREATE, json!({ "input": input })).await.fine();
    }
    let input = json!({ "input": { "taskListId": list } });
    app.client(world.committee).send(PUBLISH_LIST, input).await.fine();
    list
}

#[tokio::test]
async fn twenty_tasks_with_all_they_name_take_a_fixed_number_of_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    twenty(&app, &world).await;
    let variables = |first: i32| json!({ "filter": {}, "order": "DUE_ON_ASC", "first": first });
    let mut counted = Vec::new();
    for first in [1, 20] {
        let client = app.client(world.staff);
        let (answer, statements) = app.statements(async || client.send(TASKS, variables(first)).await).await;
        assert_eq!(
            answer.fine().at("/priorityTasks/nodes").as_array().map(Vec::len),
            usize::try_from(first).ok()
        );
        counted.push(statements);
    }
    // Tasks with their alliances, lists, regions and leads; count, co-organisers, milestones, reports, the viewer's seats.
    assert_eq!(counted[1].len(), 6, "{:#?}", counted[1]);
    assert!(counted[0].len() <= 6);
    // What a small list shows costs no more than it names.
    let small = "query { priorityTasks(first: 20) { nodes { title leadOrganization { name } } } }";
    let client = app.client(world.staff);
    let (answer, statements) = app.statements(async || client.run(small).await).await;
    assert!(answer.code().is_none());
    assert_eq!(statements.len(), 1, "{statements:#?}");
}

const BY_MEMBER: &str =
    "query($id: ID!, $tasks: Int, $after: String, $before: String, $last: Int) { alliance(id: $id) {
    members(first: 6, filter: { state: [ACTIVE] }) { nodes { organization {
        id name
        openTasks(first: $tasks, after: $after, last: $last, before: $before) {
            totalCount nodes { title leadOrganization { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        }
    } } }
} }";

#[tokio::test]
async fn the_lists_below_many_parents_take_one_statement() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    twenty(&app, &world).await;
    published(&app, &there).await;
    let draft = create_list(&app, &world, "2026-02").await;
    let unseen = written(&world, &draft, "二月的草稿", "2026-02-10");
    app.client(world.committee).send(CREATE, json!({ "input": unseen })).await.fine();
    let text = "query($id: ID!) { alliance(id: $id) { name members(first: 6, filter: { state: [ACTIVE] }) {
        nodes { state organization { name openTasks(first: 5) { nodes { title dueOn state } } } } } } }";
    let client = app.client(world.staff);
    let ask = json!({ "id": id::encode(world.town) });
    let (answer, statements) = app.statements(async || client.send(text, ask.clone()).await).await;
    answer.fine();
    // The alliance; its members with their organisations; the first tasks of each. PostgreSQL joins all three.
    let most = if app.app.backend() == DbBackend::Postgres { 1 } else { 3 };
    assert_eq!(statements.len(), most, "{statements:#?}");
    let page = async |more: Value| {
        let mut variables = ask.clone();
        let fields = variables.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        client.send(BY_MEMBER, variables).await
    };
    let first = page(json!({ "tasks": 3 })).await;
    let lists = |answer: &concord_tests::Answer| -> HashMap<String, Value> {
        let members = answer.at("/alliance/members/nodes").as_array().expect("members").clone();
        assert_eq!(members.len(), 6);
        members
            .into_iter()
            .map(|member| {
                let unit = &member["organization"];
                for task in unit["openTasks"]["nodes"].as_array().expect("tasks") {
                    assert_eq!(task["leadOrganization"]["id"], unit["id"], "each under its own unit");
                }
                (unit["id"].as_str().expect("an id").to_owned(), unit["openTasks"].clone())
            })
            .collect()
    };
    let [none, odd, even] = [0, 1, 2].map(|index| id::encode(world.members[index]).0);
    // `members[1]` leads the odd ones, `members[2]` the even ones; what is due first comes first.
    let first = lists(&first);
    assert_eq!([&none, &odd, &even].map(|unit| first[unit]["totalCount"].clone()), [0, 10, 10]);
    assert_eq!(titles(&first[&odd]), ["任务19", "任务17", "任务15"]);
    assert_eq!(titles(&first[&even]), ["任务20", "任务18", "任务16"]);
    let (some, nothing) = (&first[&odd]["pageInfo"], &first[&none]["pageInfo"]);
    assert_eq!((&some["hasNextPage"], &some["hasPreviousPage"]), (&json!(true), &json!(false)));
    assert_eq!((&nothing["hasNextPage"], &nothing["endCursor"]), (&json!(false), &Value::Null));
    // A cursor is a place in the order, for every parent alike.
    let next = lists(&page(json!({ "tasks": 2, "after": some["endCursor"] })).await);
    assert_eq!(
        (titles(&next[&odd]), titles(&next[&even])),
        (vec!["任务13", "任务11"], vec!["任务14", "任务12"])
    );
    let back = lists(&page(json!({ "last": 2, "before": some["endCursor"] })).await);
    assert_eq!(
        (titles(&back[&odd]), titles(&back[&even])),
        (vec!["任务19", "任务17"], vec!["任务18", "任务16"])
    );
    // What is wrong with one list is told of that one.
    let two = "query($id: ID!) { alliance(id: $id) {
        bad: members(first: 2, after: \"x\") { nodes { id } } good: members(first: 2) { nodes { id } } } }";
    let answer = client.send(two, ask.clone()).await;
    assert_eq!(answer.code().as_deref(), Some("CURSOR_MALFORMED"));
    assert_eq!(answer.0["errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.0["errors"][0]["path"], json!(["alliance", "bad"]));
    // A carriage return ends a line for GraphQL and not for the library's counting; each field keeps its own arguments.
    let lines = "query($id: ID!) { alliance(id: $id) {\rp: members(first: 1) { nodes { id } }\rq: members(first: 3) { nodes { id } }
        } }";
    let answer = client.send(lines, ask.clone()).await.fine();
    let count = |at: &str| answer.at(at).as_array().map(Vec::len);
    assert_eq!((count("/alliance/p/nodes"), count("/alliance/q/nodes")), (Some(1), Some(3)));
    // The same list asked for twice is there twice; of two alliances, each has its own.
    let twice = "query($a: ID!, $b: ID!) { nodes(ids: [$a, $b, $a]) { ... on Alliance { members(first: 1) { nodes { id } } } } }";
    let both = json!({ "a": id::encode(world.town), "b": id::encode(there.town) });
    let admin = app.client(world.admin);
    let answer = admin.send(twice, both.clone()).await;
    assert_eq!(answer.at("/nodes/0"), answer.at("/nodes/2"));
    assert_ne!(answer.at("/nodes/0"), answer.at("/nodes/1"));
    assert!(client.send(twice, both).await.at("/nodes/1").is_null());
}

#[tokio::test]
async fn a_step_takes_few_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let task = published(&app, &world).await;
    let (answer, statements) = app
        .statements(async || step(&app, world.staff, "acknowledgePriorityTask", &task, json!({})).await)
        .await;
    answer.fine();
    // BEGIN; task, co-organisers, seats, update, event.
    let work = statements.iter().filter(|sql| !sql.starts_with("BEGIN")).count();
    assert_eq!(work, 5, "{statements:#?}");
}

#[tokio::test]
async fn tasks_are_narrowed_sorted_and_paged() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let list = twenty(&app, &world).await;
    let staff = world.staff;
    let unit = |index: usize| json!(id::encode(world.members[index]));
    for (filter, count) in [
        (json!({}), 20),
        (json!({ "allianceId": id::encode(world.town) }), 20),
        (json!({ "allianceId": id::encode(there.town) }), 0),
        (json!({ "taskListId": list }), 20),
        (json!({ "month": "2026-01" }), 20),
        (json!({ "month": "2026-02" }), 0),
        (json!({ "organizationId": unit(2) }), 20),
        (json!({ "leadOrganizationId": unit(2) }), 10),
        (json!({ "organizationId": unit(3) }), 10),
        (json!({ "organizationId": unit(5) }), 0),
        (json!({ "states": ["PUBLISHED", "DRAFT"] }), 20),
        (json!({ "states": ["COMPLETED"] }), 0),
        (json!({ "states": [] }), 0),
        (json!({ "open": true }), 20),
        (json!({ "open": false }), 0),
        (json!({ "dueFrom": "2026-01-29" }), 2),
        (json!({ "dueFrom": "2026-01-12", "dueTo": "2026-01-14" }), 3),
        (json!({ "regionId": id::encode(world.communities[1]) }), 10),
        (json!({ "regionId": id::encode(world.county_region) }), 20),
        (json!({ "regionId": id::encode(there.county_region) }), 0),
        (json!({ "text": "任务1" }), 11),
        (json!({ "text": "背街" }), 20),
        (json!({ "text": "%" }), 0),
        (json!({ "text": "_" }), 0),
        (json!({ "text": "'; DROP TABLE event; --" }), 0),
    ] {
        assert_eq!(ask(&app, staff, filter.clone()).await["totalCount"], count, "{filter}");
    }
    assert_eq!(ask(&app, there.committee, json!({})).await["totalCount"], 0);
    assert_eq!(ask(&app, world.county_committee, json!({})).await["totalCount"], 20);
    for (filter, code) in [
        (json!({ "text": "长".repeat(101) }), "TOO_LONG"),
        (json!({ "regionId": "x" }), "ID_MALFORMED"),
        (json!({ "organizationId": id::encode(world.town) }), "NOT_FOUND"),
    ] {
        let refused = app.client(staff).send(TASKS, json!({ "filter": filter, "order": "PLACE_ASC" })).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    for (order, first, last) in [
        ("DUE_ON_ASC", "任务20", "任务1"),
        ("DUE_ON_DESC", "任务1", "任务20"),
        ("PLACE_ASC", "任务1", "任务20"),
        ("CREATED_AT_DESC", "任务20", "任务1"),
    ] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        for _ in 0..3 {
            let variables = json!({ "filter": {}, "order": order, "first": 7, "after": after });
            let page = app.client(staff).send(TASKS, variables).await.at("/priorityTasks").clone();
            seen.extend(titles(&page).into_iter().map(str::to_owned));
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen.len(), 20, "{order}");
        if order != "CREATED_AT_DESC" {
            // Written at one instant, only their identifiers tell them apart.
            assert_eq!(
                (seen.first().map(String::as_str), seen.last().map(String::as_str)),
                (Some(first), Some(last)),
                "{order}"
            );
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 20, "{order}: nothing twice, nothing left out");
        let foreign = json!({ "filter": {}, "order": if order == "PLACE_ASC" { "DUE_ON_ASC" } else { "PLACE_ASC" }, "after": after });
        let refused = app.client(staff).send(TASKS, foreign).await;
        assert_eq!(refused.code().as_deref(), Some("CURSOR_MALFORMED"), "{order}");
    }
}

#[tokio::test]
async fn an_alliance_counts_its_tasks_by_state_and_by_its_own_calendar() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let task = published(&app, &world).await;
    let list = create_list(&app, &world, "2026-02").await;
    app.client(world.committee)
        .send(CREATE, json!({ "input": written(&world, &list, "二月的草稿", "2026-02-10") }))
        .await
        .fine();
    published(&app, &there).await;
    let counts = async |client: concord_tests::Client<'_>| {
        let text = "query($id: ID!) { alliance(id: $id) { taskCounts { open overdue completed byState { state count } } } }";
        let answer = client.send(text, json!({ "id": id::encode(world.town) })).await;
        answer.at("/alliance/taskCounts").clone()
    };
    let published_only = json!([{ "state": "PUBLISHED", "count": 1 }]);
    let seen = counts(app.client(world.staff)).await;
    assert_eq!(seen, json!({ "open": 1, "overdue": 0, "completed": 0, "byState": published_only }));
    let drafts = counts(app.client(world.committee)).await;
    assert_eq!(drafts["byState"].as_array().map(Vec::len), Some(2));
    // Due on the 20th: at its last minute in Beijing it is not late, a minute later it is.
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 20, 15, 59, 0).single().expect("an instant"));
    assert_eq!(counts(app.client(world.staff)).await["overdue"], 0);
    app.advance(TimeDelta::minutes(1));
    assert_eq!(counts(app.client(world.staff)).await["overdue"], 1);
    let late = ask(&app, world.staff, json!({})).await;
    assert_eq!(late["nodes"][0]["isOverdue"], true);
    step(&app, world.committee, "cancelPriorityTask", &task, json!({ "reason": "并入下月" })).await.fine();
    let after = counts(app.key(key(&app, world.town).await)).await;
    assert_eq!((&after["open"], &after["overdue"]), (&json!(0), &json!(0)));
    let all = "query { alliances { nodes { taskCounts { open } } } }";
    let client = app.client(world.admin);
    let (answer, statements) = app.statements(async || client.run(all).await).await;
    assert!(answer.code().is_none());
    assert_eq!(statements.len(), 2, "{statements:#?}");
}

#[tokio::test]
async fn an_alliance_sets_how_long_before_its_date_a_task_is_told_of() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    for world in [&here, &there] {
        published(&app, world).await;
    }
    let days = async |world: &World| {
        let read = "query($id: ID!) { alliance(id: $id) { deadlinePolicy { taskRemindDays } } }";
        let seen = app.client(world.observer).send(read, json!({ "id": id::encode(world.town) })).await;
        seen.at("/alliance/deadlinePolicy/taskRemindDays").as_i64().expect("a number")
    };
    assert_eq!(days(&here).await, 3);
    set(&app, here.committee, &here, json!({ "taskRemindDays": 10 })).await.fine();
    assert_eq!((days(&here).await, days(&there).await), (10, 3));
    // Ten days before the 20th, by the calendar of Beijing.
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 9, 15, 59, 0).single().expect("an instant"));
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 0);
    app.advance(TimeDelta::minutes(1));
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 1);
    // On the day itself; what was told of is not told of once more.
    for world in [&here, &there] {
        set(&app, world.committee, world, json!({ "taskRemindDays": 0 })).await.fine();
    }
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 19, 15, 59, 0).single().expect("an instant"));
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 1);
    app.advance(TimeDelta::minutes(1));
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 2);
}

#[tokio::test]
async fn a_nearing_date_is_told_once_whichever_node_looks() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let task = published(&app, &world).await;
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 0);
    // Three days before the 20th, by the calendar of Beijing.
    app.set_now(Utc.with_ymd_and_hms(2026, 1, 16, 15, 59, 0).single().expect("an instant"));
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 0);
    app.advance(TimeDelta::minutes(1));
    let contexts: Vec<_> = (0..8).map(|_| app.system()).collect();
    let told = futures_util::future::join_all(contexts.iter().map(due::notify)).await;
    let told: usize = told.into_iter().map(|told| told.expect("the hand works")).sum();
    assert_eq!((told, events(&app, "priority_task_due").await), (1, 1));
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 1);
    // A date that moves is told of again when it comes near.
    let text = "mutation($input: UpdatePriorityTaskInput!) {
        updatePriorityTask(input: $input) { task { version } userErrors { code } } }";
    let input = json!({ "input": { "taskId": task, "expectedVersion": 2, "dueOn": "2026-01-18" } });
    app.client(world.committee).send(text, input).await.fine();
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 2);
    // Closed work is nobody's concern.
    step(&app, world.committee, "cancelPriorityTask", &task, json!({ "reason": "不办了" })).await.fine();
    app.sql("UPDATE priority_task SET due_told_on = NULL").await.expect("the marks are wiped");
    app.run_background().await;
    assert_eq!(events(&app, "priority_task_due").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_reports_at_once_are_all_kept() {
    let app = TestApp::with(|config| config.database.acquire_timeout_ms = 60_000).await;
    let world = World::build(&app, "632223").await;
    let task = published(&app, &world).await;
    step(&app, world.staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    let before = version(&app, &world, &task).await;
    let (app_ref, task_ref, world_ref) = (&app, &task, &world);
    let reports = (0..200).map(|number| async move {
        let who = if number % 2 == 0 { world_ref.staff } else { world_ref.other_staff };
        let note = json!({ "note": format!("第{number}次"), "percent": number % 101 });
        step(app_ref, who, "reportProgress", task_ref, note).await.fine()
    });
    futures_util::future::join_all(reports).await;
    assert_eq!(version(&app, &world, &task).await, before + 200);
    let text = "query($id: ID!) { priorityTask(id: $id) { progress(first: 1) { totalCount } } }";
    let seen = app.client(world.staff).send(text, json!({ "id": task })).await;
    assert_eq!(seen.at("/priorityTask/progress/totalCount"), 200);
    assert_eq!(events(&app, "priority_task_progress_reported").await, 200);
    // With the version that all of them read, exactly one of two hundred gets through.
    let read = version(&app, &world, &task).await;
    let rivals = (0..200).map(|number| async move {
        let note = json!({ "note": format!("争{number}"), "expectedVersion": read });
        step(app_ref, world_ref.staff, "reportProgress", task_ref, note).await.code()
    });
    let answers = futures_util::future::join_all(rivals).await;
    assert_eq!(answers.iter().filter(|code| code.is_none()).count(), 1);
    assert_eq!(answers.iter().filter(|code| code.as_deref() == Some("VERSION_CONFLICT")).count(), 199);
    assert_eq!(version(&app, &world, &task).await, read + 1);
    app.run_background().await;
}

async fn version(app: &TestApp, world: &World, task: &Value) -> i64 {
    let text = "query($id: ID!) { priorityTask(id: $id) { version } }";
    let seen = app.client(world.staff).send(text, json!({ "id": task })).await;
    seen.at("/priorityTask/version").as_i64().expect("a version")
}
