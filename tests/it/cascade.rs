//! Cascade: a county's task becomes tasks of its towns and of a town's communities, and their progress rolls up exactly.

use chrono::TimeDelta;
use concord::{
    domain::{
        governance::{
            alliance::{self, NewAlliance},
            membership::{self, Contact},
        },
        identity::seat::{self, NewSeat},
        list::recount,
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, PriorityTaskId, RegionId},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    priority_task::{CREATE, CREATE_LIST, PUBLISH_LIST, step},
    rotation::unit,
    task_list::events,
};

const DECOMPOSE: &str =
    "mutation($input: DecomposePriorityTaskInput!) { decomposePriorityTask(input: $input) {
    task { version parts { allianceName weight state dueOn counts task { id } progress { percent } } }
    userErrors { code field message } } }";
const ROLLED: &str = "query($id: ID!) { priorityTask(id: $id) { title dueOn state
    parentTask { title allianceName dueOn source }
    rolledUpProgress { percent numerator denominator partCount }
    parts { allianceName weight state dueOn counts task { id title } progress { percent partCount } } } }";

/// A county with two towns, of which the first has two communities that are alliances, too.
pub struct County {
    pub world: World,
    pub second: AllianceId,
    pub communities: Vec<AllianceId>,
    pub unit: OrganizationId,
    list: Value,
    task: Value,
}

async fn found(
    app: &TestApp,
    name: &str,
    region: RegionId,
    parent: AllianceId,
    unit: OrganizationId,
) -> AllianceId {
    let new = NewAlliance {
        name: name.to_owned(),
        region_id: region,
        parent_id: Some(parent),
        committee_organization_id: Some(unit),
        oversight_organization_id: None,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: format!("{name}〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    let id = alliance::found(&app.system(), new).await.expect("an alliance").id;
    membership::admit(&app.system(), id, unit, Contact::default()).await.expect("a membership");
    id
}

async fn sit(app: &TestApp, account_id: AccountId, alliance_id: AllianceId, organization: OrganizationId) {
    let new = NewSeat {
        account_id,
        alliance_id,
        role: Role::MemberStaff,
        organization_id: Some(organization),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
}

/// Puts one more task on the county's list.
pub async fn task_under(app: &TestApp, county: &County) -> PriorityTaskId {
    let input = json!({ "taskListId": county.list, "title": "春季防汛", "content": "清淤", "dueOn": "2026-01-25",
        "leadOrganizationId": id::encode(county.unit) });
    let committee = county.world.county_committee;
    let made = app.client(committee).send(CREATE, json!({ "input": input })).await.fine();
    let made = made.at("/createPriorityTask/task/id");
    step(app, committee, "publishPriorityTask", made, json!({})).await.fine();
    id::decode(&made.as_str().expect("an identifier").into(), "taskId").expect("an identifier")
}

pub async fn county(app: &TestApp) -> County {
    let world = World::build(app, "632223").await;
    let unit = unit(app, &world, "县住建局").await;
    membership::admit(&app.system(), world.county, unit, Contact::default()).await.expect("a membership");
    let second = found(app, "第二镇联盟", world.county_region, world.county, unit).await;
    let mut communities = Vec::new();
    for (index, region) in world.communities.iter().enumerate() {
        communities.push(found(app, &format!("第{}社区联盟", index + 1), *region, world.town, unit).await);
    }
    // Whoever works for the unit reports in all these alliances.
    for alliance in [world.county, second, communities[0], communities[1]] {
        sit(app, world.staff, alliance, unit).await;
    }
    let committee = app.client(world.county_committee);
    let input = json!({ "allianceId": id::encode(world.county), "month": "2026-01", "title": "一月" });
    let list = committee.send(CREATE_LIST, json!({ "input": input })).await.fine();
    let list = list.at("/createTaskList/taskList/id").clone();
    let input = json!({ "taskListId": list, "title": "冬季供暖保障", "content": "排查隐患", "source": "县委一号文",
        "dueOn": "2026-01-25", "leadOrganizationId": id::encode(unit) });
    let task = committee.send(CREATE, json!({ "input": input })).await.fine();
    let task = task.at("/createPriorityTask/task/id").clone();
    committee.send(PUBLISH_LIST, json!({ "input": { "taskListId": list } })).await.fine();
    County { world, second, communities, unit, list, task }
}

async fn decompose(app: &TestApp, who: AccountId, task: &Value, parts: Value) -> Answer {
    app.client(who).send(DECOMPOSE, json!({ "input": { "taskId": task, "parts": parts } })).await
}

async fn rolled(app: &TestApp, who: AccountId, task: &Value) -> Answer {
    app.client(who).send(ROLLED, json!({ "id": task })).await
}

async fn fraction(app: &TestApp, who: AccountId, task: &Value) -> (String, String, i64) {
    let answer = rolled(app, who, task).await;
    let at = |name: &str| answer.at(&format!("/priorityTask/rolledUpProgress/{name}")).clone();
    let text = |name: &str| at(name).as_str().expect("a text").to_owned();
    (text("numerator"), text("denominator"), at("percent").as_i64().expect("a number"))
}

/// Publishes the list that a part stands on, as its alliance's own hand, and reports on it.
async fn work(app: &TestApp, world: &World, task: &Value, percent: i32) {
    step(app, world.staff, "acknowledgePriorityTask", task, json!({})).await.fine();
    step(app, world.staff, "reportProgress", task, json!({ "note": "推进", "percent": percent }))
        .await
        .fine();
}

async fn publish(app: &TestApp, who: AccountId, task: &Value) {
    let query = "query($id: ID!) { priorityTask(id: $id) { taskList { id } } }";
    let list =
        app.client(who).send(query, json!({ "id": task })).await.at("/priorityTask/taskList/id").clone();
    app.client(who).send(PUBLISH_LIST, json!({ "input": { "taskListId": list } })).await.fine();
}

/// Lets somebody run an alliance of the test's.
async fn chair(app: &TestApp, account_id: AccountId, alliance_id: AllianceId) {
    let new =
        NewSeat { account_id, alliance_id, role: Role::Committee, organization_id: None, region_id: None };
    seat::grant(&app.system(), new).await.expect("a seat");
}

#[tokio::test]
async fn three_levels_roll_up_exactly_and_each_sees_what_is_theirs() {
    let app = TestApp::new().await;
    let County { world, second, communities, unit, task, .. } = county(&app).await;
    chair(&app, world.committee, second).await;
    for community in &communities {
        chair(&app, world.committee, *community).await;
    }
    let town = id::encode(world.town);
    let parts = json!([
        { "allianceId": town, "weight": 2, "title": "西海镇供暖", "dueOn": "2026-01-20" },
        { "allianceId": id::encode(second), "weight": 1, "leadOrganizationId": id::encode(unit) },
    ]);
    for (who, code) in [
        // The county's own list is no business of its towns.
        (world.committee, "NOT_FOUND"),
        (world.staff, "FORBIDDEN"),
        (world.observer, "NOT_FOUND"),
        (world.stranger, "NOT_FOUND"),
    ] {
        let refused = decompose(&app, who, &task, parts.clone()).await;
        assert_eq!(refused.code().as_deref(), Some(code));
    }
    let answer = decompose(&app, world.county_committee, &task, parts.clone()).await.fine();
    let mut given = answer.at("/decomposePriorityTask/task/parts").as_array().expect("parts").clone();
    given.sort_by_key(|part| part["weight"].as_i64());
    // The towns' lists are drafts of theirs: the county sees the parts, not the tasks.
    assert_eq!(
        given[1],
        json!({ "allianceName": "西海镇联盟", "weight": 2, "state": "DRAFT", "dueOn": "2026-01-20",
            "counts": true, "task": null, "progress": { "percent": 0 } })
    );
    assert_eq!((&given[0]["dueOn"], &given[0]["allianceName"]), (&json!("2026-01-25"), &json!("第二镇联盟")));
    let twice = decompose(&app, world.county_committee, &task, parts).await;
    assert_eq!(twice.code().as_deref(), Some("ALREADY_EXISTS"));

    let drafts = "{ priorityTasks { nodes { id title alliance { name } state } } }";
    let seen = app.client(world.committee).run(drafts).await;
    let nodes = seen.at("/priorityTasks/nodes").as_array().expect("tasks").clone();
    let of = |title: &str, alliance: &str| -> Value {
        let node = nodes.iter().find(|node| node["title"] == title && node["alliance"]["name"] == alliance);
        node.expect("a part")["id"].clone()
    };
    let (here, there) = (of("西海镇供暖", "西海镇联盟"), of("冬季供暖保障", "第二镇联盟"));
    publish(&app, world.committee, &here).await;
    publish(&app, world.committee, &there).await;
    // The town is told where its task comes from, and no more of the county's.
    let seen = rolled(&app, world.committee, &here).await;
    assert_eq!(
        seen.at("/priorityTask/parentTask"),
        &json!({ "title": "冬季供暖保障", "allianceName": "海晏县联盟", "dueOn": "2026-01-25", "source": "县委一号文" })
    );
    assert!(rolled(&app, world.observer, &task).await.at("/priorityTask").is_null());

    let parts = json!([
        { "allianceId": id::encode(communities[0]), "weight": 3 },
        { "allianceId": id::encode(communities[1]), "weight": 4 },
    ]);
    let refused = decompose(&app, world.county_committee, &here, parts.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    decompose(&app, world.committee, &here, parts).await.fine();
    let seen = app
        .client(world.committee)
        .run("{ priorityTasks(filter: { text: \"西海镇供暖\" }) { nodes { id alliance { name } } } }")
        .await;
    let nodes = seen.at("/priorityTasks/nodes").as_array().expect("tasks").clone();
    let community = |name: &str| -> Value {
        nodes.iter().find(|node| node["alliance"]["name"] == name).expect("a part")["id"].clone()
    };
    let (one, two) = (community("第1社区联盟"), community("第2社区联盟"));
    publish(&app, world.committee, &one).await;
    publish(&app, world.committee, &two).await;
    work(&app, &world, &one, 50).await;
    work(&app, &world, &two, 25).await;
    work(&app, &world, &there, 10).await;
    // Town: (3 · 50 + 4 · 25) / 7 percent. County: (2 · 250/7 + 10) / 3 = 190/7 percent.
    assert_eq!(fraction(&app, world.committee, &here).await, ("5".to_owned(), "14".to_owned(), 35));
    let whole = ("19".to_owned(), "70".to_owned(), 27);
    assert_eq!(fraction(&app, world.county_committee, &task).await, whole);
    assert_eq!(fraction(&app, world.staff, &task).await, whole);
    // Whoever has a seat in a town is shown its part.
    let seen = rolled(&app, world.staff, &task).await;
    assert_eq!(seen.at("/priorityTask/parts").as_array().map(Vec::len), Some(2));
    let seen = rolled(&app, world.county_committee, &task).await;
    let shown = seen.at("/priorityTask/parts").as_array().expect("parts").clone();
    assert!(shown.iter().any(
        |part| part["task"]["id"] == here && part["progress"] == json!({ "percent": 35, "partCount": 2 })
    ));

    // What is given up is left out of the denominator.
    step(&app, world.committee, "cancelPriorityTask", &two, json!({ "reason": "并入" })).await.fine();
    assert_eq!(fraction(&app, world.committee, &here).await, ("1".to_owned(), "2".to_owned(), 50));
    assert_eq!(fraction(&app, world.county_committee, &task).await, ("11".to_owned(), "30".to_owned(), 36));
    assert_eq!(events(&app, "priority_task_decomposed").await, 2);
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    app.run_background().await;
}

#[tokio::test]
async fn a_part_that_is_carried_over_stays_a_part() {
    let app = TestApp::new().await;
    let County { world, second, list, task, .. } = county(&app).await;
    chair(&app, world.committee, second).await;
    let parts = json!([
        { "allianceId": id::encode(world.town), "weight": 1 },
        { "allianceId": id::encode(second), "weight": 1 },
    ]);
    let town = app.client(world.committee);
    decompose(&app, world.county_committee, &task, parts).await.fine();
    let seen = town.run("{ taskLists { nodes { id alliance { name } tasks { nodes { id } } } } }").await;
    let lists = seen.at("/taskLists/nodes").as_array().expect("lists").clone();
    let of = |name: &str| lists.iter().find(|list| list["alliance"]["name"] == name).expect("a list").clone();
    let (here, there) = (of("西海镇联盟"), of("第二镇联盟"));
    for list in [&here, &there] {
        town.send(PUBLISH_LIST, json!({ "input": { "taskListId": list["id"] } })).await.fine();
    }
    work(&app, &world, &there["tasks"]["nodes"][0]["id"], 30).await;
    assert_eq!(fraction(&app, world.county_committee, &task).await.2, 15);
    let carry = "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) {
        taskList { id tasks { nodes { id parentTask { title } } } } userErrors { code field } } }";
    app.advance(TimeDelta::days(25));
    // The part first: its successor stands for it, with what was reached.
    let input = json!({ "input": { "fromTaskListId": there["id"] } });
    let next = town.send(carry, input).await.fine();
    let heir = next.at("/carryOverTasks/taskList/tasks/nodes/0").clone();
    assert_eq!(heir["parentTask"]["title"], "冬季供暖保障");
    assert_eq!(fraction(&app, world.county_committee, &task).await, ("3".to_owned(), "20".to_owned(), 15));
    let seen = rolled(&app, world.county_committee, &task).await;
    let counted: Vec<_> = seen
        .at("/priorityTask/parts")
        .as_array()
        .expect("parts")
        .iter()
        .map(|part| part["counts"].clone())
        .collect();
    assert_eq!(counted.iter().filter(|counts| **counts == true).count(), 2);
    assert_eq!(counted.len(), 3);
    // Then the whole: the parts go on below its successor, and what it had come to stays with it for good.
    let input = json!({ "input": { "fromTaskListId": list } });
    let next = app.client(world.county_committee).send(carry, input).await.fine();
    let whole = next.at("/carryOverTasks/taskList/tasks/nodes/0/id").clone();
    assert_eq!(fraction(&app, world.county_committee, &whole).await.2, 15);
    let february = next.at("/carryOverTasks/taskList/id").clone();
    app.advance(TimeDelta::days(10));
    let of_town = town
        .send("query($id: ID!) { priorityTask(id: $id) { taskList { id } } }", json!({ "id": heir["id"] }))
        .await;
    let input = json!({ "input": { "taskListId": of_town.at("/priorityTask/taskList/id") } });
    town.send(PUBLISH_LIST, input).await.fine();
    work(&app, &world, &heir["id"], 90).await;
    assert_eq!(fraction(&app, world.county_committee, &whole).await.2, 45);
    assert_eq!(fraction(&app, world.county_committee, &task).await.2, 15);
    app.client(world.county_committee)
        .send(PUBLISH_LIST, json!({ "input": { "taskListId": february } }))
        .await
        .fine();
}

#[tokio::test]
async fn what_a_task_had_come_to_is_kept_exactly_when_it_is_carried_over() {
    let app = TestApp::new().await;
    let County { world, second, list, task, communities, .. } = county(&app).await;
    chair(&app, world.committee, second).await;
    chair(&app, world.committee, communities[0]).await;
    let part = |alliance, weight| json!({ "allianceId": id::encode(alliance), "weight": weight });
    let parts = json!([part(world.town, 4), part(second, 1), part(communities[0], 2)]);
    decompose(&app, world.county_committee, &task, parts).await.fine();
    let town = app.client(world.committee);
    let seen = town.run("{ taskLists { nodes { id alliance { name } tasks { nodes { id } } } } }").await;
    let lists = seen.at("/taskLists/nodes").as_array().expect("lists").clone();
    let there = lists.iter().find(|list| list["alliance"]["name"] == "第二镇联盟").expect("a list").clone();
    town.send(PUBLISH_LIST, json!({ "input": { "taskListId": there["id"] } })).await.fine();
    let lightest = &there["tasks"]["nodes"][0]["id"];
    work(&app, &world, lightest, 60).await;
    step(&app, world.staff, "submitPriorityTask", lightest, json!({})).await.fine();
    step(&app, world.committee, "completePriorityTask", lightest, json!({})).await.fine();
    let exactly = ("1".to_owned(), "7".to_owned(), 14);
    assert_eq!(fraction(&app, world.county_committee, &task).await, exactly);
    app.advance(TimeDelta::days(27));
    let carry = "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) {
        taskList { tasks { nodes { id } } } userErrors { code field } } }";
    let input = json!({ "input": { "fromTaskListId": list } });
    let next = app.client(world.county_committee).send(carry, input).await.fine();
    let successor = next.at("/carryOverTasks/taskList/tasks/nodes/0/id").clone();
    for whole in [&task, &successor] {
        assert_eq!(fraction(&app, world.county_committee, whole).await, exactly);
    }
}

#[tokio::test]
async fn bad_parts_are_refused_by_name_and_nothing_is_written() {
    let app = TestApp::new().await;
    let County { world, second, unit, task, .. } = county(&app).await;
    let there = World::build(&app, "632224").await;
    let part = |alliance: AllianceId, more: Value| {
        let mut part = json!({ "allianceId": id::encode(alliance), "weight": 1 });
        for (key, value) in more.as_object().expect("an object") {
            part[key] = value.clone();
        }
        part
    };
    let lead = |unit: OrganizationId| json!({ "leadOrganizationId": id::encode(unit) });
    for (parts, code, field) in [
        (json!([]), "REQUIRED", "input.parts"),
        (json!([part(world.town, json!({ "weight": 0 }))]), "OUT_OF_RANGE", "input.parts.0.weight"),
        (json!([part(world.town, json!({ "weight": 10_001 }))]), "OUT_OF_RANGE", "input.parts.0.weight"),
        (json!([part(world.town, json!({ "title": " " }))]), "REQUIRED", "input.parts.0.title"),
        (json!([part(world.town, json!({ "dueOn": "2026-01-26" }))]), "OUT_OF_RANGE", "input.parts.0.dueOn"),
        (json!([part(world.county, json!({}))]), "ALLIANCE_NOT_BELOW", "input.parts.0.allianceId"),
        (
            json!([part(second, json!({})), part(second, json!({}))]),
            "ALREADY_EXISTS",
            "input.parts.1.allianceId",
        ),
        (json!([part(second, lead(world.members[1]))]), "NOT_A_MEMBER", "input.parts.0.leadOrganizationId"),
        (json!([part(there.town, json!({}))]), "NOT_FOUND", ""),
        (json!([part(second, lead(there.members[1]))]), "NOT_FOUND", ""),
    ] {
        let refused = decompose(&app, world.county_committee, &task, parts.clone()).await;
        assert_eq!(refused.code().as_deref(), Some(code), "{parts}");
        if !field.is_empty() {
            assert_eq!(refused.text("/decomposePriorityTask/userErrors/0/field"), field);
        }
    }
    let stale =
        json!({ "input": { "taskId": task, "expectedVersion": 1, "parts": [part(second, lead(unit))] } });
    let refused = app.client(world.county_committee).send(DECOMPOSE, stale).await;
    assert_eq!(refused.code().as_deref(), Some("VERSION_CONFLICT"));
    assert_eq!(events(&app, "priority_task_decomposed").await, 0);
    assert_eq!(events(&app, "task_list_created").await, 1);
}

#[tokio::test]
async fn a_draft_tells_nothing_of_itself_below() {
    let app = TestApp::new().await;
    let County { world, unit, list, task, .. } = county(&app).await;
    let committee = app.client(world.county_committee);
    // A draft of the county's next month has no parts that could tell of it.
    let input = json!({ "allianceId": id::encode(world.county), "month": "2026-02", "title": "二月" });
    let next = committee.send(CREATE_LIST, json!({ "input": input })).await.fine();
    let input = json!({ "taskListId": next.at("/createTaskList/taskList/id"), "title": "未公布的安排", "content": "排查",
        "dueOn": "2026-02-20", "leadOrganizationId": id::encode(unit) });
    let draft = committee.send(CREATE, json!({ "input": input })).await.fine();
    let draft = draft.at("/createPriorityTask/task/id").clone();
    let parts = json!([{ "allianceId": id::encode(world.town), "weight": 1 }]);
    let refused = decompose(&app, world.county_committee, &draft, parts.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"));

    decompose(&app, world.county_committee, &task, parts).await.fine();
    let town = app.client(world.committee);
    let seen = town.run("{ priorityTasks { nodes { id alliance { name } } } }").await;
    let nodes = seen.at("/priorityTasks/nodes").as_array().expect("tasks").clone();
    let part =
        nodes.iter().find(|node| node["alliance"]["name"] == "西海镇联盟").expect("a part")["id"].clone();
    publish(&app, world.committee, &part).await;
    let above = async || rolled(&app, world.observer, &part).await.at("/priorityTask/parentTask").clone();
    assert_eq!(above().await["title"], "冬季供暖保障");
    // Carried over it stands on a draft, and its parts are silent about it until that is published.
    app.advance(TimeDelta::days(25));
    let carry = "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) {
        taskList { id } userErrors { code field } } }";
    let carried = committee.send(carry, json!({ "input": { "fromTaskListId": list } })).await.fine();
    assert_eq!(above().await, Value::Null);
    let february = carried.at("/carryOverTasks/taskList/id");
    committee.send(PUBLISH_LIST, json!({ "input": { "taskListId": february } })).await.fine();
    assert_eq!(above().await["title"], "冬季供暖保障");
}
