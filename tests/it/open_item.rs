//! "What is on our list?": an organisation's open tasks and problems of all its alliances, as one list by date.

use concord::{
    domain::{
        governance::membership::{self, Contact},
        identity::seat::{self, NewSeat},
        list::problem::{
            self, NewProblem,
            moves::{self, Triage, Which},
        },
    },
    graphql::id,
};
use concord_entities::{
    id::OrganizationId,
    problem::{Channel, Severity, Tier},
    seat::Role,
};
use concord_tests::{TestApp, World};
use serde_json::{Value, json};

use crate::priority_task::{CREATE, PUBLISH_LIST, create_list, key, published, step, task, written};

const MINE: &str = "query($organization: ID, $first: Int, $after: String, $last: Int, $before: String) {
    myOpenItems(organizationId: $organization, first: $first, after: $after, last: $last, before: $before) {
        totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        nodes { __typename ... on PriorityTask { title dueOn } ... on Problem { title number } }
    }
}";

/// A problem assigned to a unit.
async fn assigned(app: &TestApp, world: &World, title: &str, unit: OrganizationId, due_on: Option<&str>) {
    let new = NewProblem {
        alliance_id: world.town,
        title: title.to_owned(),
        description: "路口路面坑洼".to_owned(),
        category: "道路".to_owned(),
        place: None,
        region_id: None,
        channel: Channel::GridOfficer,
        reporter_name: None,
        reporter_phone: None,
        severity: Severity::Ordinary,
        occurred_at: None,
        evidence: Vec::new(),
    };
    let id = problem::register(&app.ctx(world.grid_officer), new).await.expect("registered").id;
    let which = Which { id, expected_version: None };
    let triage = Triage {
        tier: Tier::Small,
        measures: "铺沥青".to_owned(),
        criterion: "路面平整".to_owned(),
        is_complex: false,
    };
    let committee = app.ctx(world.committee);
    moves::triage(&committee, which, triage).await.expect("triaged");
    let due_on = due_on.map(|on| on.parse().expect("a date"));
    moves::assign(&committee, which, unit, due_on).await.expect("assigned");
}

fn titles(answer: &concord_tests::Answer) -> Vec<&str> {
    let nodes = answer.at("/myOpenItems/nodes").as_array().expect("nodes");
    nodes.iter().map(|node| node["title"].as_str().expect("a title")).collect()
}

#[tokio::test]
async fn a_unit_finds_its_open_items_of_all_alliances_in_one_list() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let unit = here.members[1];
    // The unit sits in the neighbouring town as well, and the same person speaks for it there.
    membership::admit(&app.system(), there.town, unit, Contact::default()).await.expect("a second seat");
    let also = NewSeat {
        account_id: here.staff,
        alliance_id: there.town,
        role: Role::MemberStaff,
        organization_id: Some(unit),
        region_id: None,
    };
    seat::grant(&app.system(), also).await.expect("a role there");

    let first = published(&app, &here).await;
    let list = create_list(&app, &there, "2026-01").await;
    let mut beside = written(&there, &list, "邻镇之事", "2026-01-12");
    beside["leadOrganizationId"] = json!(id::encode(there.members[2]));
    beside["coOrganizationIds"] = json!([id::encode(unit)]);
    let committee = app.client(there.committee);
    committee.send(CREATE, json!({ "input": beside })).await.fine();
    task(&app, &there, &list, "他人之事", "2026-01-13").await;
    committee.send(PUBLISH_LIST, json!({ "input": { "taskListId": list } })).await.fine();
    let february = create_list(&app, &here, "2026-02").await;
    task(&app, &here, &february, "草稿", "2026-01-06").await;
    assigned(&app, &here, "坑洼", unit, Some("2026-01-15")).await;
    assigned(&app, &there, "井盖", unit, None).await;
    assigned(&app, &here, "他人之题", here.members[2], None).await;

    let staff = app.client(here.staff);
    let (mine, statements) = app.statements(async || staff.send(MINE, json!({})).await).await;
    // The places, the count, the tasks, the problems.
    assert_eq!(statements.len(), 4, "{statements:#?}");
    assert_eq!(titles(&mine), ["井盖", "邻镇之事", "坑洼", "整治背街小巷"]);
    assert_eq!(mine.at("/myOpenItems/totalCount"), 4);
    assert_eq!(mine.at("/myOpenItems/nodes/0/__typename"), "Problem");
    assert_eq!(mine.at("/myOpenItems/nodes/1/__typename"), "PriorityTask");

    // Forward and backward, in pages of any size.
    let page = staff.send(MINE, json!({ "first": 3 })).await;
    assert_eq!(titles(&page), ["井盖", "邻镇之事", "坑洼"]);
    assert_eq!(page.at("/myOpenItems/pageInfo/hasNextPage"), true);
    let after = page.at("/myOpenItems/pageInfo/endCursor");
    let rest = staff.send(MINE, json!({ "first": 3, "after": after })).await;
    assert_eq!(titles(&rest), ["整治背街小巷"]);
    assert_eq!(rest.at("/myOpenItems/pageInfo/hasNextPage"), false);
    let before = rest.at("/myOpenItems/pageInfo/startCursor");
    let back = staff.send(MINE, json!({ "last": 2, "before": before })).await;
    assert_eq!(titles(&back), ["邻镇之事", "坑洼"]);
    assert_eq!(back.at("/myOpenItems/pageInfo/hasPreviousPage"), true);

    // A colleague without a seat in the other town sees this town's; what others lead is nobody else's.
    assert_eq!(titles(&app.client(here.manager).send(MINE, json!({})).await), ["坑洼", "整治背街小巷"]);
    assert_eq!(
        titles(&app.client(here.other_staff).send(MINE, json!({})).await),
        ["他人之题", "整治背街小巷"]
    );
    assert_eq!(titles(&app.client(here.county_committee).send(MINE, json!({})).await), [""; 0]);
    let foreign = json!({ "organization": id::encode(here.members[2]) });
    assert_eq!(titles(&staff.send(MINE, foreign).await), [""; 0]);
    let own = json!({ "organization": id::encode(unit) });
    assert_eq!(staff.send(MINE, own).await.at("/myOpenItems/totalCount"), 4);

    step(&app, here.committee, "cancelPriorityTask", &first, json!({ "reason": "不办了" })).await.fine();
    assert_eq!(titles(&staff.send(MINE, json!({})).await), ["井盖", "邻镇之事", "坑洼"]);
}

#[tokio::test]
async fn a_unit_that_somebody_acts_for_elsewhere_is_not_theirs_here() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let unit = here.members[1];
    published(&app, &here).await;
    assigned(&app, &here, "坑洼", unit, None).await;
    membership::admit(&app.system(), there.town, unit, Contact::default()).await.expect("a second seat");
    assigned(&app, &there, "井盖", unit, None).await;
    // Somebody who only reads here acts for the unit there: its work there is theirs, its work here is not.
    let acts = NewSeat {
        account_id: here.observer,
        alliance_id: there.town,
        role: Role::MemberStaff,
        organization_id: Some(unit),
        region_id: None,
    };
    seat::grant(&app.system(), acts).await.expect("a role there");
    let own = json!({ "organization": id::encode(unit) });
    for ask in [json!({}), own] {
        assert_eq!(titles(&app.client(here.observer).send(MINE, ask).await), ["井盖"]);
    }
}

#[tokio::test]
async fn the_list_of_open_items_tells_bad_input_by_code() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    published(&app, &world).await;
    let staff = app.client(world.staff);
    let of_another = "query { priorityTasks(first: 1) { pageInfo { endCursor } } }";
    let cursor = staff.run(of_another).await.at("/priorityTasks/pageInfo/endCursor").clone();
    let forged = |text: &str| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        json!(URL_SAFE_NO_PAD.encode(text))
    };
    let id = "00000000-0000-0000-0000-000000000000";
    for (variables, code) in [
        (json!({ "after": cursor }), "CURSOR_MALFORMED"),
        (json!({ "after": "%%%" }), "CURSOR_MALFORMED"),
        (json!({ "before": forged(&format!("open_item.due\nsabc\n{id}")) }), "CURSOR_MALFORMED"),
        (json!({ "before": forged(&format!("open_item.due\nd-9999-01-01\n{id}")) }), "CURSOR_MALFORMED"),
        (json!({ "first": 0 }), "PAGE_INVALID"),
        (json!({ "first": 101 }), "PAGE_INVALID"),
        (json!({ "first": 1, "last": 1 }), "PAGE_INVALID"),
        (json!({ "organization": "x" }), "ID_MALFORMED"),
        (json!({ "organization": id::encode(world.town) }), "NOT_FOUND"),
    ] {
        assert_eq!(staff.send(MINE, variables.clone()).await.code().as_deref(), Some(code), "{variables}");
    }
    // A forged cursor of the right order with a value of the wrong type is told apart as well.
    let tasks = "query($after: String) { priorityTasks(after: $after) { nodes { id } } }";
    for value in ["sabc", "i7", "d+99999-01-01"] {
        let after = forged(&format!("due_on\n{value}\n{id}"));
        let refused = staff.send(tasks, json!({ "after": after })).await;
        assert_eq!(refused.code().as_deref(), Some("CURSOR_MALFORMED"), "{value}");
    }
    assert_eq!(app.anonymous().send(MINE, Value::Null).await.code().as_deref(), Some("UNAUTHENTICATED"));
    let key = app.key(key(&app, world.town).await);
    assert_eq!(key.send(MINE, json!({})).await.code().as_deref(), Some("FORBIDDEN"));
}
