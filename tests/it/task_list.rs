//! Task lists: one a month, drafted out of sight, published with all their tasks in one stroke.

use concord::{
    domain::{
        governance::service_team::{self, NewTeam},
        rotation::{
            generate,
            plan::{self, NewPlan},
            publish,
        },
    },
    graphql::id,
};
use concord_entities::rotation_plan::CadenceUnit;
use concord_tests::{TestApp, World};
use serde_json::{Value, json};

use crate::priority_task::{CREATE_LIST, PUBLISH_LIST, create_list, key, task};

const LIST: &str = "query($id: ID!) { taskList(id: $id) {
    id title month state version publishedAt alliance { name }
    tasks(first: 10) { totalCount nodes { title place state } }
    availableTransitions { mutation to available blockers { code message } }
} node(id: $id) { id } }";

const LISTS: &str = "query($alliance: ID, $month: YearMonth, $state: TaskListState) {
    taskLists(allianceId: $alliance, month: $month, state: $state) { totalCount nodes { title month state } }
}";

const UPDATE: &str = "mutation($input: UpdateTaskListInput!) {
    updateTaskList(input: $input) { taskList { title version } userErrors { code field message } }
}";

#[tokio::test]
async fn the_committee_drafts_one_list_a_month_and_publishes_it_with_its_tasks() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let list = create_list(&app, &world, "2026-01").await;
    for number in 1..=3 {
        task(&app, &world, &list, &format!("任务{number}"), "2026-01-20").await;
    }
    let twice =
        json!({ "input": { "allianceId": id::encode(world.town), "month": "2026-01", "title": "又一张" } });
    assert_eq!(committee.send(CREATE_LIST, twice).await.code().as_deref(), Some("ALREADY_EXISTS"));

    let drafted = committee.send(LIST, json!({ "id": list })).await;
    assert_eq!(drafted.at("/taskList/state"), "DRAFT");
    assert_eq!(drafted.at("/taskList/tasks/totalCount"), 3);
    assert_eq!(
        drafted.at("/taskList/availableTransitions"),
        &json!([
            { "mutation": "publishTaskList", "to": "PUBLISHED", "available": true, "blockers": [] },
            { "mutation": "carryOverTasks", "to": "CLOSED", "available": false,
              "blockers": drafted.at("/taskList/availableTransitions/1/blockers") },
        ])
    );
    assert_eq!(drafted.at("/taskList/availableTransitions/1/blockers/0/code"), "STATE_REFUSED");
    // Nobody else knows that there is a draft, not even the level above.
    for outsider in [world.staff, world.observer, world.officer, world.county_committee, world.stranger] {
        let unseen = app.client(outsider).send(LIST, json!({ "id": list })).await;
        assert!(unseen.at("/taskList").is_null() && unseen.at("/node").is_null());
    }
    assert_eq!(
        app.client(world.approver).send(LIST, json!({ "id": list })).await.at("/taskList/state"),
        "DRAFT"
    );

    let publish = json!({ "input": { "taskListId": list, "expectedVersion": 1 } });
    assert_eq!(
        app.client(world.approver).send(PUBLISH_LIST, publish.clone()).await.code().as_deref(),
        Some("FORBIDDEN")
    );
    assert_eq!(
        app.client(world.staff).send(PUBLISH_LIST, publish.clone()).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    let published = committee.send(PUBLISH_LIST, publish.clone()).await.fine();
    assert_eq!(published.at("/publishTaskList/taskList/state"), "PUBLISHED");
    // A second click: the version it read is gone; without a version the state refuses.
    assert_eq!(committee.send(PUBLISH_LIST, publish).await.code().as_deref(), Some("VERSION_CONFLICT"));
    let blind = json!({ "input": { "taskListId": list } });
    assert_eq!(committee.send(PUBLISH_LIST, blind).await.code().as_deref(), Some("STATE_REFUSED"));

    let seen = app.client(world.staff).send(LIST, json!({ "id": list })).await;
    assert_eq!(
        seen.at("/taskList/tasks/nodes"),
        &json!([
            { "title": "任务1", "place": 1, "state": "PUBLISHED" },
            { "title": "任务2", "place": 2, "state": "PUBLISHED" },
            { "title": "任务3", "place": 3, "state": "PUBLISHED" },
        ])
    );
    assert_eq!(seen.at("/taskList/availableTransitions/0/blockers/0/code"), "FORBIDDEN");
    assert_eq!(seen.at("/taskList/availableTransitions/0/blockers/1/code"), "STATE_REFUSED");
    // One event for the list and one for each task.
    assert_eq!(events(&app, "task_list_published").await, 1);
    assert_eq!(events(&app, "priority_task_published").await, 3);
    app.run_background().await;
}

#[tokio::test]
async fn lists_are_found_by_alliance_month_and_state_and_stay_within_the_alliance() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let january = create_list(&app, &here, "2026-01").await;
    create_list(&app, &here, "2026-02").await;
    create_list(&app, &there, "2026-01").await;
    app.client(here.committee).send(PUBLISH_LIST, json!({ "input": { "taskListId": january } })).await.fine();
    let ask = async |who, variables| app.client(who).send(LISTS, variables).await;
    assert_eq!(ask(here.committee, json!({})).await.at("/taskLists/nodes/0/month"), "2026-02");
    assert_eq!(ask(here.committee, json!({})).await.at("/taskLists/totalCount"), 2);
    assert_eq!(ask(here.committee, json!({ "month": "2026-01" })).await.at("/taskLists/totalCount"), 1);
    assert_eq!(ask(here.committee, json!({ "state": "DRAFT" })).await.at("/taskLists/totalCount"), 1);
    assert_eq!(ask(here.staff, json!({})).await.at("/taskLists/totalCount"), 1);
    assert_eq!(ask(here.county_committee, json!({})).await.at("/taskLists/totalCount"), 1);
    assert_eq!(ask(there.staff, json!({})).await.at("/taskLists/totalCount"), 0);
    let foreign = json!({ "alliance": id::encode(here.town) });
    assert_eq!(ask(there.committee, foreign).await.at("/taskLists/totalCount"), 0);
    let unsigned = app.anonymous().send(LISTS, json!({})).await;
    assert_eq!(unsigned.code().as_deref(), Some("UNAUTHENTICATED"));
    // A key sees what is published in its alliances, and no drafts.
    let key = key(&app, here.town).await;
    assert_eq!(app.key(key).send(LISTS, json!({})).await.at("/taskLists/totalCount"), 1);

    let rename = |title: &str, version| json!({ "input": { "taskListId": january, "expectedVersion": version, "title": title } });
    for (who, code) in
        [(here.staff, "FORBIDDEN"), (here.county_committee, "FORBIDDEN"), (there.committee, "NOT_FOUND")]
    {
        assert_eq!(app.client(who).send(UPDATE, rename("一月", 2)).await.code().as_deref(), Some(code));
    }
    let committee = app.client(here.committee);
    assert_eq!(committee.send(UPDATE, rename("一月", 1)).await.code().as_deref(), Some("VERSION_CONFLICT"));
    assert_eq!(committee.send(UPDATE, rename(" ", 2)).await.code().as_deref(), Some("REQUIRED"));
    assert_eq!(
        committee.send(UPDATE, rename(&"长".repeat(201), 2)).await.code().as_deref(),
        Some("TOO_LONG")
    );
    let renamed = committee.send(UPDATE, rename(" 一月清单 ", 2)).await.fine();
    assert_eq!(renamed.at("/updateTaskList/taskList"), &json!({ "title": "一月清单", "version": 3 }));
}

#[tokio::test]
async fn bad_input_of_a_list_is_told_by_code_and_changes_nothing() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let create = |alliance, month: &str, title: &str| json!({ "input": { "allianceId": id::encode(alliance), "month": month, "title": title } });
    let committee = app.client(here.committee);
    for (input, code) in [
        (create(there.town, "2026-01", "一"), "NOT_FOUND"),
        (create(here.county, "2026-01", "一"), "NOT_FOUND"),
        (create(here.town, "1999-12", "一"), "OUT_OF_RANGE"),
        (create(here.town, "2101-01", "一"), "OUT_OF_RANGE"),
        (create(here.town, "2026-01", "\u{0}x"), "MALFORMED"),
        (json!({ "input": { "allianceId": "???", "month": "2026-01", "title": "一" } }), "ID_MALFORMED"),
        (
            json!({ "input": { "allianceId": id::encode(here.committee), "month": "2026-01", "title": "一" } }),
            "NOT_FOUND",
        ),
    ] {
        assert_eq!(committee.send(CREATE_LIST, input.clone()).await.code().as_deref(), Some(code), "{input}");
    }
    for who in [here.approver, here.manager, here.officer, here.verifier, here.county_committee] {
        let refused = app.client(who).send(CREATE_LIST, create(here.town, "2026-01", "一")).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(committee.send(LISTS, json!({})).await.at("/taskLists/totalCount"), 0);
    assert_eq!(events(&app, "task_list_created").await, 0);
}

#[tokio::test]
async fn a_list_belongs_to_the_turn_of_its_month_once_the_rotation_is_published() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let committee = app.ctx(world.committee);
    let mut teams = Vec::new();
    for number in 1..=2 {
        let new = NewTeam {
            name: format!("第{number}服务队"),
            lead_organization_id: world.members[number],
            member_organization_ids: Vec::new(),
            captain_name: "王队长".to_owned(),
            captain_title: None,
            captain_phone: None,
            liaison_name: None,
            liaison_phone: None,
        };
        teams.push(service_team::form(&committee, world.town, new).await.expect("a team").id);
    }
    let early = create_list(&app, &world, "2026-02").await;
    let new = NewPlan {
        alliance_id: world.town,
        name: "年度轮值".to_owned(),
        anchor_on: "2026-02-01".parse().expect("a date"),
        cadence_unit: CadenceUnit::Month,
        cadence_every: 1,
        slot_count: 2,
        team_ids: teams,
    };
    let plan = plan::create(&committee, new).await.expect("a plan").id;
    generate::generate(&committee, plan, None).await.expect("generated");
    // A rotation that is not published yet binds nobody.
    let march = create_list(&app, &world, "2026-03").await;
    let slot = async |list: &Value| {
        let text = "query($id: ID!) { taskList(id: $id) { slot { startsOn } } }";
        let seen = app.client(world.committee).send(text, json!({ "id": list })).await;
        seen.at("/taskList/slot/startsOn").clone()
    };
    assert_eq!((slot(&early).await, slot(&march).await), (Value::Null, Value::Null));
    publish::publish(&committee, plan, None).await.expect("published");
    for list in [&early, &march] {
        let input = json!({ "input": { "taskListId": list } });
        app.client(world.committee).send(PUBLISH_LIST, input).await.fine();
    }
    assert_eq!((slot(&early).await, slot(&march).await), (json!("2026-02-01"), json!("2026-03-01")));
    // After its last turn the alliance rotates no more, and its neighbour never did.
    let april = create_list(&app, &world, "2026-04").await;
    assert_eq!(slot(&april).await, Value::Null);
    create_list(&app, &there, "2026-02").await;
    let text = "query { taskLists { nodes { slot { startsOn } } } }";
    let seen = app.client(there.committee).run(text).await;
    assert_eq!(seen.at("/taskLists/nodes"), &json!([{ "slot": null }]));
}

/// How many events of a kind there are.
pub(crate) async fn events(app: &TestApp, kind: &str) -> u64 {
    use concord_entities::event;
    use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
    event::Entity::find()
        .filter(event::Column::Kind.eq(kind))
        .count(&app.app.write)
        .await
        .expect("events are counted")
}
