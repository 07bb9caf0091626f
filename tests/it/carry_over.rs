//! Carrying over: what a month leaves unfinished goes on on the next list, once, with its lineage, and the month's list
//! never changes again.

use chrono::{TimeDelta, TimeZone, Utc};
use concord::{
    domain::{
        Code,
        list::{carry_over, recount},
    },
    graphql::id,
};
use concord_entities::{priority_task, task_carry_over};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::{
    priority_task::{CREATE, PUBLISH_LIST, create_list, published, step, task, written},
    task_list::events,
};

const CARRY: &str = "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) {
    taskList { id title month state tasks { nodes {
        id title place state percent dueOn leadOrganization { name } coOrganizations { name }
        milestones { title dueOn reachedAt } carriedFrom { id state percent progress { totalCount } }
    } } } userErrors { code field message } } }";
const TASK: &str = "query($id: ID!) { priorityTask(id: $id) { state isOpen percent version
    carriedTo { id } carriedFrom { id } lineage { id taskList { month } } taskList { state } } }";

async fn carry(
    app: &TestApp,
    who: concord_entities::id::AccountId,
    from: &Value,
    to: Option<&Value>,
) -> Answer {
    let mut input = json!({ "fromTaskListId": from });
    if let Some(to) = to {
        input["toTaskListId"] = to.clone();
    }
    app.client(who).send(CARRY, json!({ "input": input })).await
}

async fn list_of(app: &TestApp, world: &World, task: &Value) -> Value {
    let query = "query($id: ID!) { priorityTask(id: $id) { taskList { id } } }";
    let answer = app.client(world.committee).send(query, json!({ "id": task })).await;
    answer.at("/priorityTask/taskList/id").clone()
}

async fn hold(app: &TestApp) {
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
}

#[tokio::test]
async fn a_month_ends_and_what_is_unfinished_goes_on_in_the_next() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let busy = published(&app, &world).await;
    let january = list_of(&app, &world, &busy).await;
    let publish = json!({ "input": { "taskListId": january } });
    let [fresh, done, dropped] = ["新任务", "已完成", "已取消"];
    let mut others = Vec::new();
    for (title, due_on) in [(fresh, "2026-01-31"), (done, "2026-01-15"), (dropped, "2026-01-16")] {
        let other = task(&app, &world, &january, title, due_on).await;
        step(&app, world.committee, "publishPriorityTask", &other, json!({})).await.fine();
        others.push(other);
    }
    let draft = task(&app, &world, &january, "草稿", "2026-01-18").await;
    let milestone = "mutation($input: AddTaskMilestoneInput!) { addTaskMilestone(input: $input) {
        task { milestones { id title } } userErrors { code } } }";
    for (title, due_on) in [("摸底", "2026-01-08"), ("清运", "2026-01-19")] {
        let input = json!({ "input": { "taskId": busy, "title": title, "dueOn": due_on } });
        committee.send(milestone, input).await.fine();
    }
    step(&app, world.staff, "acknowledgePriorityTask", &busy, json!({})).await.fine();
    step(&app, world.staff, "reportProgress", &busy, json!({ "note": "清运两车", "percent": 40 }))
        .await
        .fine();
    let seen = committee
        .send("query($id: ID!) { priorityTask(id: $id) { milestones { id } } }", json!({ "id": busy }))
        .await;
    let first = seen.at("/priorityTask/milestones/0/id").clone();
    let reach = "mutation($input: ReachTaskMilestoneInput!) { reachTaskMilestone(input: $input) {
        task { id } userErrors { code } } }";
    app.client(world.staff).send(reach, json!({ "input": { "milestoneId": first } })).await.fine();
    for name in ["acknowledgePriorityTask", "reportProgress", "submitPriorityTask"] {
        let more = if name == "reportProgress" { json!({ "note": "办结" }) } else { json!({}) };
        step(&app, world.staff, name, &others[1], more).await.fine();
    }
    step(&app, world.committee, "completePriorityTask", &others[1], json!({})).await.fine();
    step(&app, world.committee, "cancelPriorityTask", &others[2], json!({ "reason": "不办了" })).await.fine();

    for (who, code) in [
        (world.staff, "FORBIDDEN"),
        (world.approver, "FORBIDDEN"),
        (world.county_committee, "FORBIDDEN"),
        (world.stranger, "NOT_FOUND"),
    ] {
        assert_eq!(carry(&app, who, &january, None).await.code().as_deref(), Some(code));
    }
    let answer = carry(&app, world.committee, &january, None).await.fine();
    let list = answer.at("/carryOverTasks/taskList");
    assert_eq!(
        (&list["title"], &list["month"], &list["state"]),
        (&json!("2026年2月重点任务清单"), &json!("2026-02"), &json!("DRAFT"))
    );
    let nodes = list["tasks"]["nodes"].as_array().expect("tasks");
    let titles: Vec<_> = nodes.iter().map(|node| (&node["title"], &node["place"], &node["dueOn"])).collect();
    assert_eq!(
        titles,
        [
            (&json!("整治背街小巷"), &json!(1), &json!("2026-02-20")),
            (&json!(fresh), &json!(2), &json!("2026-02-28")),
            (&json!("草稿"), &json!(3), &json!("2026-02-18")),
        ]
    );
    assert_eq!(nodes[2]["id"], draft);
    let heir = &nodes[0];
    assert_eq!((&heir["state"], &heir["percent"]), (&json!("DRAFT"), &json!(40)));
    assert_eq!(heir["coOrganizations"], json!([{ "name": "成员单位2-632223" }]));
    assert_eq!(heir["milestones"], json!([{ "title": "清运", "dueOn": "2026-02-19", "reachedAt": null }]));
    assert_eq!(
        heir["carriedFrom"],
        json!({ "id": busy, "state": "CARRIED_OVER", "percent": 40, "progress": { "totalCount": 1 } })
    );
    hold(&app).await;

    // The successor is a draft: a member sees that the task ended, not yet where it goes on.
    let old = app.client(world.staff).send(TASK, json!({ "id": busy })).await;
    assert_eq!(old.at("/priorityTask/state"), "CARRIED_OVER");
    assert_eq!(old.at("/priorityTask/isOpen"), false);
    assert_eq!(old.at("/priorityTask/taskList/state"), "CLOSED");
    assert!(old.at("/priorityTask/carriedTo").is_null());
    assert_eq!(old.at("/priorityTask/lineage").as_array().map(Vec::len), Some(1));
    let counts = "query($id: ID!) { alliance(id: $id) { taskCounts { open byState { state count } } } }";
    let counted = app.client(world.staff).send(counts, json!({ "id": id::encode(world.town) })).await;
    assert_eq!(
        counted.at("/alliance/taskCounts"),
        &json!({ "open": 0, "byState": [{ "state": "COMPLETED", "count": 1 },
            { "state": "CANCELLED", "count": 1 }, { "state": "CARRIED_OVER", "count": 2 }] })
    );

    // Nothing is carried twice, and nothing on the closed list changes any more.
    let march = create_list(&app, &world, "2026-03").await;
    for to in [None, Some(&list["id"]), Some(&march), Some(&january)] {
        let again = carry(&app, world.committee, &january, to).await;
        assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
    }
    assert_eq!(task_carry_over::Entity::find().count(&app.app.read).await.expect("links"), 2);
    assert_eq!(priority_task::Entity::find().count(&app.app.read).await.expect("tasks"), 7);
    let late = json!({ "input": written(&world, &january, "迟到", "2026-01-30") });
    assert_eq!(committee.send(CREATE, late).await.code().as_deref(), Some("TASK_LIST_CLOSED"));
    let rename = "mutation($input: UpdateTaskListInput!) { updateTaskList(input: $input) {
        taskList { title } userErrors { code field } } }";
    let input = json!({ "input": { "taskListId": january, "expectedVersion": 3, "title": "改名" } });
    assert_eq!(committee.send(rename, input).await.code().as_deref(), Some("TASK_LIST_CLOSED"));
    assert_eq!(committee.send(PUBLISH_LIST, publish).await.code().as_deref(), Some("STATE_REFUSED"));
    for (who, name, more) in [
        (world.staff, "reportProgress", json!({ "note": "又一车" })),
        (world.staff, "submitPriorityTask", json!({})),
        (world.committee, "cancelPriorityTask", json!({ "reason": "不办了" })),
    ] {
        assert_eq!(step(&app, who, name, &busy, more).await.code().as_deref(), Some("STATE_REFUSED"));
    }
    let refused = app.sql("UPDATE priority_task SET percent = 99 WHERE state = 'carried_over'").await;
    assert!(refused.expect_err("it is refused").to_string().contains("a closed task list never changes"));
    assert_eq!(events(&app, "task_list_closed").await, 1);
    assert_eq!(events(&app, "priority_task_carried_over").await, 2);
    app.run_background().await;
}

#[tokio::test]
async fn a_draft_moves_with_the_days_of_what_is_to_be_reached() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let january = create_list(&app, &world, "2026-01").await;
    let committee = app.client(world.committee);
    committee.send(PUBLISH_LIST, json!({ "input": { "taskListId": january } })).await.fine();
    let steps = |days: &[&str]| -> Value {
        days.iter().map(|day| json!({ "title": format!("到{day}"), "dueOn": day })).collect()
    };
    for (title, due_on, days) in [
        ("短月", "2026-01-31", ["2026-01-08", "2026-01-31"].as_slice()),
        // What is due next month as it is stays, and nothing comes after its task.
        ("跨月", "2026-02-10", ["2026-01-05", "2026-01-20", "2026-02-03"].as_slice()),
    ] {
        let mut input = written(&world, &january, title, due_on);
        input["milestones"] = steps(days);
        committee.send(CREATE, json!({ "input": input })).await.fine();
    }
    let carried = carry(&app, world.committee, &january, None).await.fine();
    let nodes = carried.at("/carryOverTasks/taskList/tasks/nodes").as_array().expect("tasks").clone();
    let days = |node: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let steps = node["milestones"].as_array().expect("milestones");
        let mut days: Vec<_> =
            steps.iter().map(|step| (text(&step["title"]), text(&step["dueOn"]))).collect();
        days.sort();
        days
    };
    let moved = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(from, to)| (format!("到{from}"), (*to).to_owned())).collect()
    };
    assert_eq!(nodes.iter().map(|node| &node["dueOn"]).collect::<Vec<_>>(), ["2026-02-28", "2026-02-10"]);
    assert_eq!(days(&nodes[0]), moved(&[("2026-01-08", "2026-02-08"), ("2026-01-31", "2026-02-28")]));
    let across = [("2026-01-05", "2026-02-05"), ("2026-01-20", "2026-02-10"), ("2026-02-03", "2026-02-03")];
    assert_eq!(days(&nodes[1]), moved(&across));
}

#[tokio::test]
async fn a_lineage_goes_on_through_the_months_and_onto_published_lists_at_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let first = published(&app, &world).await;
    let january = list_of(&app, &world, &first).await;
    let february = create_list(&app, &world, "2026-02").await;
    let march = create_list(&app, &world, "2026-03").await;
    let committee = app.client(world.committee);
    committee.send(PUBLISH_LIST, json!({ "input": { "taskListId": february } })).await.fine();
    // A month that has not begun has nothing to leave behind.
    let early = carry(&app, world.committee, &february, None).await;
    assert_eq!(early.code().as_deref(), Some("MONTH_NOT_BEGUN"));
    for (from, to, code) in [
        (&march, None, "STATE_REFUSED"),
        (&january, Some(&january), "OUT_OF_RANGE"),
        (&january, Some(&first), "NOT_FOUND"),
    ] {
        let refused = carry(&app, world.committee, from, to).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    let there = World::build(&app, "632224").await;
    let foreign = create_list(&app, &there, "2026-02").await;
    let refused = carry(&app, world.committee, &january, Some(&foreign)).await;
    assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));

    let answer = carry(&app, world.committee, &january, Some(&february)).await.fine();
    let second = answer.at("/carryOverTasks/taskList/tasks/nodes/0/id").clone();
    assert_eq!(answer.at("/carryOverTasks/taskList/tasks/nodes/0/state"), "PUBLISHED");
    app.run_background().await;
    step(&app, world.staff, "acknowledgePriorityTask", &second, json!({})).await.fine();
    app.set_now(Utc.with_ymd_and_hms(2026, 2, 27, 2, 0, 0).single().expect("an instant"));
    // A client that sends again gets the same answer, and nothing is done twice.
    let input = json!({ "input": { "fromTaskListId": february, "toTaskListId": march } });
    let once = committee.keyed("carry", 3).send(CARRY, input.clone()).await.fine();
    let again = committee.keyed("carry", 3).send(CARRY, input).await.fine();
    assert_eq!(once, again);
    let third = once.at("/carryOverTasks/taskList/tasks/nodes/0/id").clone();
    let chain = json!([
        { "id": first, "taskList": { "month": "2026-01" } },
        { "id": second, "taskList": { "month": "2026-02" } },
        { "id": third, "taskList": { "month": "2026-03" } },
    ]);
    for task in [&first, &second, &third] {
        let seen = committee.send(TASK, json!({ "id": task })).await;
        assert_eq!(seen.at("/priorityTask/lineage"), &chain);
    }
    let middle = committee.send(TASK, json!({ "id": second })).await;
    assert_eq!(middle.at("/priorityTask/carriedFrom/id"), &first);
    assert_eq!(middle.at("/priorityTask/carriedTo/id"), &third);
    hold(&app).await;
    app.advance(TimeDelta::days(1));
    app.run_background().await;
}

#[tokio::test]
async fn two_who_carry_over_at_once_carry_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let first = published(&app, &world).await;
    let january = list_of(&app, &world, &first).await;
    let january: concord_entities::id::TaskListId =
        id::decode(&async_graphql::ID(january.as_str().expect("an id").to_owned()), "id").expect("a list");
    let (one, other) = (app.ctx(world.committee), app.ctx(world.committee));
    let (one, other) = tokio::join!(
        carry_over::carry_over(&one, january, None),
        carry_over::carry_over(&other, january, None)
    );
    let refused = one.and(other).expect_err("whoever comes second finds it closed");
    assert_eq!(refused.code(), Code::StateRefused);
    assert_eq!(task_carry_over::Entity::find().count(&app.app.read).await.expect("links"), 1);
    assert_eq!(priority_task::Entity::find().count(&app.app.read).await.expect("tasks"), 2);
    hold(&app).await;
}
