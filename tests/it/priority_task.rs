//! Priority tasks: from draft to completed, by those who may, in the order that holds.

use chrono::TimeDelta;
use concord::graphql::id;
use concord_entities::{
    api_key, api_key_scope,
    id::{AllianceId, ApiKeyId},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::{Value, json};

use crate::task_list::events;

pub(crate) const CREATE_LIST: &str = "mutation($input: CreateTaskListInput!) {
    createTaskList(input: $input) { taskList { id version } userErrors { code field message } }
}";
pub(crate) const PUBLISH_LIST: &str = "mutation($input: PublishTaskListInput!) {
    publishTaskList(input: $input) { taskList { state version } userErrors { code field message } }
}";
pub(crate) const CREATE: &str = "mutation($input: CreatePriorityTaskInput!) {
    createPriorityTask(input: $input) { task { id place version state } userErrors { code field message } }
}";
const UPDATE: &str = "mutation($input: UpdatePriorityTaskInput!) {
    updatePriorityTask(input: $input) {
        task { title criterion version dueOn region { name } leadOrganization { name } coOrganizations { name } }
        userErrors { code field message }
    }
}";
const TASK: &str = "query($id: ID!) { priorityTask(id: $id) {
    title state isOpen isOverdue percent version returnedCount reason responsibleName dueOn
    acknowledgedAt submittedAt completedAt
    leadOrganization { name } coOrganizations { name } region { name } taskList { title } alliance { name }
    milestones { id title dueOn reachedAt }
    latestProgress { note percent organization { name } reportedByName }
    progress(first: 10) { totalCount nodes { note percent } }
    availableTransitions { mutation to available blockers { code } }
} }";

/// Drafts the list of a month of the town.
pub(crate) async fn create_list(app: &TestApp, world: &World, month: &str) -> Value {
    let input = json!({ "input": {
        "allianceId": id::encode(world.town), "month": month, "title": format!("{month}重点任务")
    } });
    let answer = app.client(world.committee).send(CREATE_LIST, input).await.fine();
    answer.at("/createTaskList/taskList/id").clone()
}

/// What a task is written with: led by `members[1]`, with `members[2]` beside it.
pub(crate) fn written(world: &World, list: &Value, title: &str, due_on: &str) -> Value {
    json!({
        "taskListId": list, "title": title, "content": "清理背街小巷", "dueOn": due_on,
        "leadOrganizationId": id::encode(world.members[1]),
        "coOrganizationIds": [id::encode(world.members[2])],
        "regionId": id::encode(world.communities[0]),
        "responsibleName": "张三丰",
    })
}

/// Writes a draft task.
pub(crate) async fn task(app: &TestApp, world: &World, list: &Value, title: &str, due_on: &str) -> Value {
    let input = json!({ "input": written(world, list, title, due_on) });
    let answer = app.client(world.committee).send(CREATE, input).await.fine();
    answer.at("/createPriorityTask/task/id").clone()
}

/// A published list of January with one task.
pub(crate) async fn published(app: &TestApp, world: &World) -> Value {
    let list = create_list(app, world, "2026-01").await;
    let task = task(app, world, &list, "整治背街小巷", "2026-01-20").await;
    let input = json!({ "input": { "taskListId": list } });
    app.client(world.committee).send(PUBLISH_LIST, input).await.fine();
    task
}

/// A key that reads one alliance.
pub(crate) async fn key(app: &TestApp, alliance: AllianceId) -> ApiKeyId {
    let ctx = app.system();
    let row = api_key::ActiveModel {
        id: Set(ctx.new_id()),
        name: Set("看板".to_owned()),
        prefix: Set("test".to_owned()),
        hash: Set(vec![7; 32]),
        alliance_id: Set(alliance),
        created_by: Set(None),
        created_at: Set(ctx.now()),
        is_bound: Set(false),
        expires_at: Set(ctx.now() + TimeDelta::days(30)),
        revoked_at: Set(None),
        last_used_at: Set(None),
    };
    let key = row.insert(&app.app.write).await.expect("a key").id;
    let scope = api_key_scope::ActiveModel { api_key_id: Set(key), alliance_id: Set(alliance) };
    scope.insert(&app.app.write).await.expect("a scope");
    key
}

/// Sends a step's mutation; `more` joins the task's id in its input.
pub(crate) async fn step(
    app: &TestApp,
    who: concord_entities::id::AccountId,
    name: &str,
    task: &Value,
    more: Value,
) -> Answer {
    let (text, input) = step_request(name, task, more);
    app.client(who).send(&text, input).await
}

fn step_request(name: &str, task: &Value, more: Value) -> (String, Value) {
    let mut input = json!({ "taskId": task });
    for (key, value) in more.as_object().expect("an object") {
        input[key] = value.clone();
    }
    let type_name = name[..1].to_uppercase() + &name[1..];
    let text = format!(
        "mutation($input: {type_name}Input!) {{ {name}(input: $input) {{
            task {{ state isOpen percent version returnedCount reason }} userErrors {{ code field message }}
        }} }}"
    );
    (text, json!({ "input": input }))
}

fn state_of(answer: &Answer, name: &str) -> String {
    answer.text(&format!("/{name}/task/state"))
}

#[tokio::test]
async fn a_task_goes_from_draft_to_completed_with_one_return_on_the_way() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let task = published(&app, &world).await;
    let (committee, staff, helper) = (world.committee, world.staff, world.other_staff);

    let acknowledged = step(&app, staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    assert_eq!(state_of(&acknowledged, "acknowledgePriorityTask"), "ACKNOWLEDGED");
    let reported =
        step(&app, staff, "reportProgress", &task, json!({ "note": "清运两车", "percent": 40 })).await.fine();
    assert_eq!(reported.at("/reportProgress/task/percent"), 40);
    assert_eq!(state_of(&reported, "reportProgress"), "IN_PROGRESS");
    // A co-organiser reports as well; without a percentage the last one stands.
    app.advance(TimeDelta::minutes(1));
    let joint = step(&app, helper, "reportProgress", &task, json!({ "note": "出动志愿者十人" })).await.fine();
    assert_eq!(joint.at("/reportProgress/task/percent"), 40);
    app.advance(TimeDelta::minutes(1));
    let submitted =
        step(&app, staff, "submitPriorityTask", &task, json!({ "note": "全部完成" })).await.fine();
    assert_eq!(state_of(&submitted, "submitPriorityTask"), "SUBMITTED");
    assert_eq!(
        step(&app, staff, "submitPriorityTask", &task, json!({})).await.code().as_deref(),
        Some("STATE_REFUSED")
    );
    let returned =
        step(&app, committee, "returnPriorityTask", &task, json!({ "reason": "北巷未清" })).await.fine();
    assert_eq!(returned.at("/returnPriorityTask/task/returnedCount"), 1);
    assert_eq!(returned.at("/returnPriorityTask/task/reason"), "北巷未清");
    assert_eq!(state_of(&returned, "returnPriorityTask"), "IN_PROGRESS");
    step(&app, staff, "submitPriorityTask", &task, json!({})).await.fine();
    let completed = step(&app, committee, "completePriorityTask", &task, json!({})).await.fine();
    assert_eq!(state_of(&completed, "completePriorityTask"), "COMPLETED");
    assert_eq!(completed.at("/completePriorityTask/task/percent"), 100);
    assert_eq!(completed.at("/completePriorityTask/task/isOpen"), false);

    let seen = app.client(world.observer).send(TASK, json!({ "id": task })).await;
    assert_eq!(seen.at("/priorityTask/progress/totalCount"), 3);
    assert_eq!(seen.at("/priorityTask/latestProgress/note"), "全部完成");
    assert_eq!(seen.at("/priorityTask/version"), 10 - 1);
    for kind in ["acknowledged", "submitted", "returned", "completed"] {
        let times = if kind == "submitted" { 2 } else { 1 };
        assert_eq!(events(&app, &format!("priority_task_{kind}")).await, times, "{kind}");
    }
    assert_eq!(events(&app, "priority_task_progress_reported").await, 2);
    app.run_background().await;
}

#[tokio::test]
async fn every_step_is_refused_to_those_without_the_right() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let task = published(&app, &world).await;
    let everyone = [
        ("committee", world.committee),
        ("approver", world.approver),
        ("manager", world.manager),
        ("staff", world.staff),
        ("other", world.other_staff),
        ("officer", world.officer),
        ("grid", world.grid_officer),
        ("verifier", world.verifier),
        ("observer", world.observer),
        ("county", world.county_committee),
    ];
    let steps: [(&str, Value, &[&str], Option<&str>); 8] = [
        ("publishPriorityTask", json!({}), &["committee"], None),
        ("acknowledgePriorityTask", json!({}), &["manager", "staff"], Some("staff")),
        ("reportProgress", json!({ "note": "一" }), &["manager", "staff", "other"], Some("other")),
        ("submitPriorityTask", json!({}), &["manager", "staff"], Some("manager")),
        ("returnPriorityTask", json!({ "reason": "二" }), &["committee"], Some("committee")),
        ("submitPriorityTask", json!({}), &["manager", "staff"], Some("staff")),
        ("completePriorityTask", json!({}), &["committee"], Some("committee")),
        ("cancelPriorityTask", json!({ "reason": "三" }), &["committee"], None),
    ];
    for (name, more, allowed, taker) in steps {
        for (role, who) in everyone {
            if !allowed.contains(&role) {
                let refused = step(&app, who, name, &task, more.clone()).await;
                assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"), "{name} by {role}");
            }
        }
        for outsider in [there.committee, there.staff, world.stranger] {
            let refused = step(&app, outsider, name, &task, more.clone()).await;
            assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"), "{name} by an outsider");
        }
        let key = app.key(key_of(&app, &world).await);
        let (text, input) = step_request(name, &task, more.clone());
        assert_eq!(
            key.send(&text, input.clone()).await.code().as_deref(),
            Some("FORBIDDEN"),
            "{name} by a key"
        );
        assert_eq!(app.anonymous().send(&text, input).await.code().as_deref(), Some("NOT_FOUND"), "{name}");
        if let Some((_, taker)) = everyone.iter().find(|(role, _)| Some(*role) == taker) {
            step(&app, *taker, name, &task, more).await.fine();
        } else {
            // The right is there, the state is not.
            let refused = step(&app, world.committee, name, &task, more).await;
            assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"), "{name}");
        }
    }
}

async fn key_of(app: &TestApp, world: &World) -> ApiKeyId {
    use concord_entities::api_key::Entity;
    use sea_orm::EntityTrait;
    match Entity::find().one(&app.app.write).await.expect("keys are read") {
        Some(key) => key.id,
        None => key(app, world.town).await,
    }
}

#[tokio::test]
async fn the_viewer_is_told_what_is_open_to_them_and_what_blocks_the_rest() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let list = create_list(&app, &world, "2026-01").await;
    let draft = task(&app, &world, &list, "甲", "2026-01-20").await;
    let blockers = async |who, task: &Value, mutation: &str| -> Vec<String> {
        let seen = app.client(who).send(TASK, json!({ "id": task })).await;
        let all = seen.at("/priorityTask/availableTransitions").as_array().expect("transitions").clone();
        let found = all.iter().find(|found| found["mutation"] == mutation).expect("the mutation").clone();
        let codes = found["blockers"].as_array().expect("blockers").clone();
        assert_eq!(found["available"], codes.is_empty());
        codes.iter().map(|blocker| blocker["code"].as_str().expect("a code").to_owned()).collect()
    };
    assert_eq!(blockers(world.committee, &draft, "publishPriorityTask").await, ["TASK_LIST_NOT_PUBLISHED"]);
    assert_eq!(
        blockers(world.committee, &draft, "acknowledgePriorityTask").await,
        ["FORBIDDEN", "STATE_REFUSED"]
    );
    assert!(blockers(world.committee, &draft, "cancelPriorityTask").await.is_empty());
    let early = step(&app, world.committee, "publishPriorityTask", &draft, json!({})).await;
    assert_eq!(early.code().as_deref(), Some("TASK_LIST_NOT_PUBLISHED"));

    let input = json!({ "input": { "taskListId": list } });
    app.client(world.committee).send(PUBLISH_LIST, input).await.fine();
    let late = task(&app, &world, &list, "乙", "2026-01-25").await;
    assert!(blockers(world.committee, &late, "publishPriorityTask").await.is_empty());
    step(&app, world.committee, "publishPriorityTask", &late, json!({ "expectedVersion": 1 })).await.fine();
    assert!(blockers(world.staff, &late, "acknowledgePriorityTask").await.is_empty());
    // The co-organiser's role could, but the task is another unit's.
    assert_eq!(
        blockers(world.other_staff, &late, "acknowledgePriorityTask").await,
        ["NOT_YOUR_ORGANIZATION"]
    );
    assert_eq!(blockers(world.other_staff, &late, "reportProgress").await, ["STATE_REFUSED"]);
    assert_eq!(blockers(world.county_committee, &late, "cancelPriorityTask").await, ["FORBIDDEN"]);
}

#[tokio::test]
async fn the_committee_changes_a_task_until_its_lead_has_taken_it_on() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let task = published(&app, &world).await;
    let committee = app.client(world.committee);
    let change = |version: i64, more: Value| {
        let mut input = json!({ "taskId": task, "expectedVersion": version });
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        json!({ "input": input })
    };
    let lead = |unit| json!({ "leadOrganizationId": id::encode(unit) });
    for (more, code) in [
        (json!({ "title": "" }), "REQUIRED"),
        (json!({ "content": "长".repeat(4001) }), "TOO_LONG"),
        (json!({ "dueOn": "1999-01-01" }), "OUT_OF_RANGE"),
        (json!({ "startsOn": "2026-02-01" }), "OUT_OF_RANGE"),
        (json!({ "regionId": id::encode(there.communities[0]) }), "OUTSIDE_TERRITORY"),
        (lead(there.members[1]), "NOT_FOUND"),
        (json!({ "coOrganizationIds": [id::encode(world.members[1])] }), "LEAD_IS_CO_ORGANIZER"),
        (json!({ "coOrganizationIds": ["x"] }), "ID_MALFORMED"),
    ] {
        let refused = committee.send(UPDATE, change(2, more.clone())).await;
        assert_eq!(refused.code().as_deref(), Some(code), "{more}");
    }
    for (who, code) in
        [(world.staff, "FORBIDDEN"), (world.approver, "FORBIDDEN"), (there.committee, "NOT_FOUND")]
    {
        let refused = app.client(who).send(UPDATE, change(2, json!({ "title": "丙" }))).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    let stale = committee.send(UPDATE, change(1, json!({ "title": "丙" }))).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    let done = committee
        .send(
            UPDATE,
            change(
                2,
                json!({ "title": "丙", "criterion": "无垃圾", "regionId": null, "dueOn": "2026-01-25" }),
            ),
        )
        .await
        .fine();
    assert_eq!(done.at("/updatePriorityTask/task/criterion"), "无垃圾");
    assert!(done.at("/updatePriorityTask/task/region").is_null());
    // The co-organiser comes to lead and is no longer beside itself.
    let led = committee.send(UPDATE, change(3, lead(world.members[2]))).await.fine();
    assert_eq!(led.at("/updatePriorityTask/task/coOrganizations"), &json!([]));
    assert_eq!(led.at("/updatePriorityTask/task/criterion"), "无垃圾");
    assert_eq!(led.at("/updatePriorityTask/task/dueOn"), "2026-01-25");
    step(&app, world.other_staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    let late = committee.send(UPDATE, change(5, json!({ "title": "丁" }))).await;
    assert_eq!(late.code().as_deref(), Some("STATE_REFUSED"));
}

#[tokio::test]
async fn bad_input_of_a_task_is_told_by_code_and_changes_nothing() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let list = create_list(&app, &world, "2026-01").await;
    let foreign = create_list(&app, &there, "2026-01").await;
    let with = |key: &str, value: Value| {
        let mut input = written(&world, &list, "甲", "2026-01-20");
        input[key] = value;
        json!({ "input": input })
    };
    let committee = app.client(world.committee);
    for (input, code) in [
        (with("taskListId", foreign), "NOT_FOUND"),
        (with("title", json!(" ")), "REQUIRED"),
        (with("title", json!("长".repeat(201))), "TOO_LONG"),
        (with("content", json!("\u{7}")), "MALFORMED"),
        (with("dueOn", json!("2101-01-01")), "OUT_OF_RANGE"),
        (with("startsOn", json!("2026-01-21")), "OUT_OF_RANGE"),
        (with("leadOrganizationId", json!(id::encode(there.members[1]))), "NOT_FOUND"),
        (with("leadOrganizationId", json!(id::encode(world.town))), "NOT_FOUND"),
        (with("coOrganizationIds", json!([id::encode(world.members[1])])), "LEAD_IS_CO_ORGANIZER"),
        (with("coOrganizationIds", json!([id::encode(there.members[1])])), "NOT_FOUND"),
        (with("regionId", json!(id::encode(there.town_region))), "OUTSIDE_TERRITORY"),
        (with("milestones", json!([{ "title": "", "dueOn": "2026-01-10" }])), "REQUIRED"),
        (with("milestones", json!([{ "title": "一", "dueOn": "2026-01-21" }])), "OUT_OF_RANGE"),
        (
            with("milestones", json!(vec![json!({ "title": "一", "dueOn": "2026-01-10" }); 51])),
            "OUT_OF_RANGE",
        ),
    ] {
        assert_eq!(committee.send(CREATE, input.clone()).await.code().as_deref(), Some(code), "{input:.200}");
    }
    // Which of several milestones is wrong is told.
    let far = with(
        "milestones",
        json!([{ "title": "一", "dueOn": "2026-01-10" }, { "title": "二", "dueOn": "2026-01-21" }]),
    );
    let refused = committee.send(CREATE, far).await;
    assert_eq!(refused.at("/createPriorityTask/userErrors/0/field"), "input.milestones.1.dueOn");
    for (who, code) in
        [(world.approver, "FORBIDDEN"), (world.staff, "NOT_FOUND"), (there.committee, "NOT_FOUND")]
    {
        let refused = app.client(who).send(CREATE, with("title", json!("甲"))).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    assert_eq!(events(&app, "priority_task_created").await, 0);
    let task = task(&app, &world, &list, "甲", "2026-01-20").await;
    let input = json!({ "input": { "taskListId": list } });
    committee.send(PUBLISH_LIST, input).await.fine();
    step(&app, world.staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    for (more, code) in [
        (json!({ "note": " " }), "REQUIRED"),
        (json!({ "note": "长".repeat(2001) }), "TOO_LONG"),
        (json!({ "note": "一", "percent": 101 }), "OUT_OF_RANGE"),
        (json!({ "note": "一", "percent": -1 }), "OUT_OF_RANGE"),
        (json!({ "note": "一", "expectedVersion": 1 }), "VERSION_CONFLICT"),
    ] {
        let refused = step(&app, world.staff, "reportProgress", &task, more).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    assert_eq!(events(&app, "priority_task_progress_reported").await, 0);
    // The log itself refuses to be rewritten.
    step(&app, world.staff, "reportProgress", &task, json!({ "note": "一" })).await.fine();
    assert!(app.sql("UPDATE task_progress SET note = 'x'").await.is_err());
    assert!(app.sql("DELETE FROM task_progress").await.is_err());
}

#[tokio::test]
async fn drafts_and_cancelled_drafts_stay_with_the_committee() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let list = create_list(&app, &world, "2026-01").await;
    let draft = task(&app, &world, &list, "甲", "2026-01-20").await;
    let cancelled =
        step(&app, world.committee, "cancelPriorityTask", &draft, json!({ "reason": "写错了" })).await.fine();
    assert_eq!(cancelled.at("/cancelPriorityTask/task/state"), "CANCELLED");
    let input = json!({ "input": { "taskListId": list } });
    app.client(world.committee).send(PUBLISH_LIST, input).await.fine();
    for outsider in [world.staff, world.observer, world.county_committee] {
        let unseen = app.client(outsider).send(TASK, json!({ "id": draft })).await;
        assert!(unseen.at("/priorityTask").is_null());
    }
    let seen = app.client(world.approver).send(TASK, json!({ "id": draft })).await;
    assert_eq!(seen.at("/priorityTask/reason"), "写错了");
    assert_eq!(events(&app, "priority_task_published").await, 0);
}

#[tokio::test]
async fn milestones_are_set_by_the_committee_and_reached_by_the_units_once() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let task = published(&app, &world).await;
    let add = "mutation($input: AddTaskMilestoneInput!) { addTaskMilestone(input: $input) {
        task { version milestones { id title dueOn } } userErrors { code field } } }";
    let input = json!({ "input": { "taskId": task, "title": "完成摸排", "dueOn": "2026-01-10" } });
    assert_eq!(app.client(world.staff).send(add, input.clone()).await.code().as_deref(), Some("FORBIDDEN"));
    assert_eq!(
        app.client(there.committee).send(add, input.clone()).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    // The task's last day is the last for a milestone as well.
    let late = json!({ "input": { "taskId": task, "title": "完成摸排", "dueOn": "2026-01-21" } });
    let late = app.client(world.committee).send(add, late).await;
    assert_eq!(late.code().as_deref(), Some("OUT_OF_RANGE"));
    assert_eq!(late.at("/addTaskMilestone/userErrors/0/field"), "input.dueOn");
    let added = app.client(world.committee).send(add, input).await.fine();
    assert_eq!(added.at("/addTaskMilestone/task/version"), 3);
    let milestone = added.at("/addTaskMilestone/task/milestones/0/id").clone();

    let reach = "mutation($input: ReachTaskMilestoneInput!) { reachTaskMilestone(input: $input) {
        task { version milestones { reachedAt } } userErrors { code } } }";
    let input = json!({ "input": { "milestoneId": milestone } });
    let early = app.client(world.staff).send(reach, input.clone()).await;
    assert_eq!(early.code().as_deref(), Some("STATE_REFUSED"));
    step(&app, world.staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    for (who, code) in
        [(world.committee, "FORBIDDEN"), (there.staff, "NOT_FOUND"), (world.stranger, "NOT_FOUND")]
    {
        assert_eq!(app.client(who).send(reach, input.clone()).await.code().as_deref(), Some(code));
    }
    let reached = app.client(world.other_staff).send(reach, input.clone()).await.fine();
    assert_eq!(reached.at("/reachTaskMilestone/task/milestones/0/reachedAt"), "2026-01-05T01:00:00Z");
    assert_eq!(app.client(world.staff).send(reach, input).await.code().as_deref(), Some("STATE_REFUSED"));
    let node = "query($id: ID!) { node(id: $id) { id ... on TaskMilestone { title } } }";
    let seen = app.client(world.observer).send(node, json!({ "id": milestone })).await;
    assert_eq!(seen.at("/node/title"), "完成摸排");
    assert!(app.client(there.observer).send(node, json!({ "id": milestone })).await.at("/node").is_null());
}

#[tokio::test]
async fn names_of_persons_are_masked_outside_their_unit_and_hidden_from_keys() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let task = published(&app, &world).await;
    step(&app, world.staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    step(&app, world.staff, "reportProgress", &task, json!({ "note": "一" })).await.fine();
    let names = async |client: concord_tests::Client<'_>| {
        let seen = client.send(TASK, json!({ "id": task })).await;
        (
            seen.at("/priorityTask/responsibleName").clone(),
            seen.at("/priorityTask/latestProgress/reportedByName").clone(),
        )
    };
    for open in [world.committee, world.staff, world.manager] {
        assert_eq!(names(app.client(open)).await, (json!("张三丰"), json!("staff")));
    }
    for masked in [world.other_staff, world.observer, world.county_committee] {
        assert_eq!(names(app.client(masked)).await, (json!("张**"), json!("s****")));
    }
    assert_eq!(names(app.key(key(&app, world.town).await)).await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn a_repeated_request_with_its_key_has_one_effect_and_answers_as_of_now() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let task = published(&app, &world).await;
    step(&app, world.staff, "acknowledgePriorityTask", &task, json!({})).await.fine();
    let (text, input) = step_request("reportProgress", &task, json!({ "note": "一", "percent": 10 }));
    let staff = app.client(world.staff);
    staff.keyed("k", 1).send(&text, input.clone()).await.fine();
    step(&app, world.staff, "reportProgress", &task, json!({ "note": "二", "percent": 20 })).await.fine();
    let again = staff.keyed("k", 1).send(&text, input.clone()).await.fine();
    assert_eq!(again.at("/reportProgress/task/percent"), 20);
    assert_eq!(events(&app, "priority_task_progress_reported").await, 2);
    assert_eq!(
        staff.keyed("k", 2).send(&text, input).await.code().as_deref(),
        Some("IDEMPOTENCY_KEY_REUSED")
    );
}
