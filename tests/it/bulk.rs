//! Many items in one mutation: each stands for itself, and one key stands for them all.

use chrono::NaiveDate;
use concord::{
    domain::{
        bulk,
        list::problem::{self, moves},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, HandoverItemId, ProblemId},
    problem::{Model, State},
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    page,
    problem::{problem_in, which},
    rotation::{
        Town,
        duty::at,
        handover_item::{answer, handed_on, items},
    },
    task_list::events,
};

const ASSIGN: &str = "mutation($input: AssignProblemsInput!) { assignProblems(input: $input) {
    results { id problem { state leadOrganization { name } dueOn } userErrors { code field } }
    userErrors { code field } } }";
const EXTEND: &str = "mutation($input: ExtendProblemsInput!) { extendProblems(input: $input) {
    results { problem { dueOn } userErrors { code field } } userErrors { code field } } }";

const HAND_OVER: &str = "mutation($input: HandOverItemsInput!) { handOverItems(input: $input) {
    results { id item { state reason organization { name } } userErrors { code field } }
    userErrors { code field } } }";

fn assignment(world: &World, problem: &Value) -> Value {
    json!({ "problemId": problem, "leadOrganizationId": id::encode(world.members[1]), "dueOn": "2026-01-20" })
}

fn global(row: &Model) -> Value {
    json!(id::encode(row.id))
}

/// The codes of the outcomes, empty where it was done.
fn codes(answer: &Answer, name: &str) -> Vec<String> {
    let results = answer.at(&format!("/{name}/results")).as_array().expect("results").clone();
    results.iter().map(|one| one["userErrors"][0]["code"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn one_items_refusal_leaves_the_others() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let (one, two) =
        (problem_in(&app, &world, State::Triaged).await, problem_in(&app, &world, State::Triaged).await);
    let raw = problem_in(&app, &world, State::Registered).await;
    let foreign = problem_in(&app, &there, State::Triaged).await;
    let mut outsider = assignment(&world, &global(&two));
    outsider["leadOrganizationId"] = json!(id::encode(there.members[1]));
    let items = json!([
        assignment(&world, &global(&one)),
        assignment(&world, &global(&raw)),
        assignment(&world, &global(&foreign)),
        outsider,
        assignment(&world, &json!("!")),
        assignment(&world, &global(&two)),
    ]);
    let input = json!({ "input": { "items": items } });
    for (who, code) in
        [(world.staff, "FORBIDDEN"), (world.county_committee, "FORBIDDEN"), (world.stranger, "NOT_FOUND")]
    {
        let refused = app.client(who).send(ASSIGN, input.clone()).await;
        assert_eq!(codes(&refused, "assignProblems")[0], code);
    }
    let signed_out = app.anonymous().send(ASSIGN, input.clone()).await;
    assert_eq!(signed_out.code().as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(events(&app, "problem_assigned").await, 0);
    let answer = app.client(world.committee).send(ASSIGN, input).await;
    assert_eq!(
        codes(&answer, "assignProblems"),
        ["", "STATE_REFUSED", "NOT_FOUND", "NOT_A_MEMBER", "ID_MALFORMED", ""]
    );
    let at = |path: &str| answer.at(&format!("/assignProblems/results/{path}")).clone();
    assert_eq!(at("0/id"), global(&one));
    assert_eq!(at("3/userErrors/0/field"), "input.items.3.leadOrganizationId");
    assert_eq!(at("4/userErrors/0/field"), "input.items.4.problemId");
    assert_eq!(
        at("5/problem"),
        json!({ "state": "ASSIGNED", "leadOrganization": { "name": "成员单位1-632223" }, "dueOn": "2026-01-20" })
    );
    assert_eq!(events(&app, "problem_assigned").await, 2);
    app.run_background().await;
}

#[tokio::test]
async fn one_key_stands_for_all_items_also_after_a_break() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut rows = Vec::new();
    for _ in 0..3 {
        rows.push(problem_in(&app, &world, State::Triaged).await);
    }
    let committee = app.client(world.committee);
    let items: Vec<Value> = rows.iter().map(|row| assignment(&world, &global(row))).collect();
    let input = json!({ "input": { "items": items } });
    // The request broke off after its first item.
    let keyed = committee.keyed("bulk", 5);
    bulk::begin(&keyed.ctx, 3).await.expect("the key is claimed");
    let due = NaiveDate::from_ymd_opt(2026, 1, 20);
    let first = bulk::item(&keyed.ctx, 0).expect("time is left");
    moves::assign(&first, which(rows[0].id), world.members[1], due).await.expect("assigned");
    let done = keyed.send(ASSIGN, input.clone()).await.fine();
    assert_eq!(codes(&done, "assignProblems"), ["", "", ""]);
    assert_eq!(events(&app, "problem_assigned").await, 3);
    // Sent once more it answers the same and does nothing.
    assert_eq!(committee.keyed("bulk", 5).send(ASSIGN, input.clone()).await, done);
    assert_eq!(events(&app, "problem_assigned").await, 3);
    // The key is good for no other request, large or small.
    let other = committee.keyed("bulk", 6).send(ASSIGN, input.clone()).await;
    assert_eq!(other.at("/assignProblems/userErrors/0/code"), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(other.at("/assignProblems/results"), &json!([]));
    // Without a key each is refused by its state.
    let again = committee.send(ASSIGN, input).await;
    assert_eq!(codes(&again, "assignProblems"), ["STATE_REFUSED", "STATE_REFUSED", "STATE_REFUSED"]);
}

#[tokio::test]
async fn what_is_not_reached_in_time_is_told_and_done_when_sent_again() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut rows = Vec::new();
    for _ in 0..12 {
        rows.push(problem_in(&app, &world, State::Triaged).await);
    }
    let items: Vec<Value> = rows.iter().map(|row| assignment(&world, &global(row))).collect();
    let input = json!({ "input": { "items": items } });
    // Every look at the clock takes a microsecond.
    app.tick();
    let mut hurried = app.client(world.committee).keyed("bulk", 5);
    hurried.ctx.begins_until = Some(app.system().now() + chrono::TimeDelta::microseconds(20));
    let told = codes(&hurried.send(ASSIGN, input.clone()).await, "assignProblems");
    let done = told.iter().take_while(|code| code.is_empty()).count();
    assert!((1..12).contains(&done), "{told:?}");
    assert!(told[done..].iter().all(|code| code == "NOT_REACHED"), "{told:?}");
    assert_eq!(events(&app, "problem_assigned").await, done as u64);
    let left = problem::find(&app.system(), rows[11].id).await.expect("a read").expect("a problem");
    assert_eq!((left.state, left.version), (State::Triaged, rows[11].version));
    // The same key stands for the rest as after a break.
    let again = app.client(world.committee).keyed("bulk", 5).send(ASSIGN, input.clone()).await.fine();
    assert_eq!(codes(&again, "assignProblems"), vec![""; 12]);
    assert_eq!(events(&app, "problem_assigned").await, 12);
    // Every other verb of many items tells the same.
    let reason = json!("材料未到");
    let dates: Vec<Value> =
        rows.iter().map(|row| json!({ "problemId": global(row), "dueOn": "2026-01-27" })).collect();
    let mut late = app.client(world.committee);
    late.ctx.begins_until = Some(app.system().now());
    let told = late.send(EXTEND, json!({ "input": { "items": dates, "reason": reason } })).await;
    assert_eq!(codes(&told, "extendProblems"), vec!["NOT_REACHED"; 12]);
    let item = json!({ "itemId": id::encode(app.system().new_id::<HandoverItemId>()),
        "organizationId": id::encode(world.members[3]) });
    let told = late.send(HAND_OVER, json!({ "input": { "items": [item] } })).await;
    assert_eq!(codes(&told, "handOverItems"), ["NOT_REACHED"]);
}

#[tokio::test]
async fn five_hundred_are_taken_and_one_more_is_not() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Triaged).await;
    let committee = app.client(world.committee);
    let many = |count: usize| -> Value {
        let missing = |_| assignment(&world, &json!(id::encode(app.system().new_id::<ProblemId>())));
        let mut items: Vec<Value> = (1..count).map(missing).collect();
        items.push(assignment(&world, &global(&row)));
        json!({ "input": { "items": items } })
    };
    for (input, code) in [(json!({ "input": { "items": [] } }), "REQUIRED"), (many(501), "OUT_OF_RANGE")] {
        let refused = committee.send(ASSIGN, input).await;
        assert_eq!(
            refused.at("/assignProblems/userErrors/0"),
            &json!({ "code": code, "field": "input.items" })
        );
    }
    assert_eq!(events(&app, "problem_assigned").await, 0);
    let told = codes(&committee.send(ASSIGN, many(500)).await, "assignProblems");
    assert_eq!(told.iter().filter(|code| *code == "NOT_FOUND").count(), 499);
    assert_eq!(told[499], "");
}

/// A town whose committee has items that no team accepted: the items, the last of them accepted after all.
async fn queue(app: &TestApp) -> (Town, Vec<Value>) {
    let town = Town::build(app, "632223", 3).await;
    for _ in 0..4 {
        problem_in(app, &town.world, State::Triaged).await;
    }
    let handover = handed_on(app, &town).await;
    let all = items(app, town.world.committee, json!({ "handoverId": handover })).await;
    let accepted = json!([{ "itemId": all[3]["id"], "accept": true }]);
    answer(app, town.world.other_staff, &handover, accepted).await.fine();
    // The third working day of the next turn has passed.
    app.set_now(at("2026-02-05T01:00:00Z"));
    app.run_background().await;
    let waiting = items(app, town.world.committee, json!({ "states": ["TO_COMMITTEE"] })).await;
    assert_eq!((all.len(), waiting.len()), (4, 3));
    (town, all)
}

#[tokio::test]
async fn items_are_handed_over_each_with_an_outcome_of_its_own_and_once_by_a_key() {
    let app = TestApp::new().await;
    let (town, all) = queue(&app).await;
    let world = &town.world;
    let there = World::build(&app, "632224").await;
    let give = |item: &Value, unit| json!({ "itemId": item, "organizationId": id::encode(unit), "note": "专业单位办理" });
    let nowhere = json!(id::encode(app.system().new_id::<HandoverItemId>()));
    let mut stale = give(&all[1]["id"], world.members[3]);
    stale["expectedVersion"] = json!(7);
    let items = json!([
        give(&all[0]["id"], world.members[3]),
        give(&all[3]["id"], world.members[3]),
        give(&nowhere, world.members[3]),
        give(&all[1]["id"], there.members[3]),
        give(&json!("!"), world.members[3]),
        stale,
        give(&all[2]["id"], world.members[4]),
    ]);
    let input = json!({ "input": { "items": items } });
    for (who, code) in
        [(world.staff, "FORBIDDEN"), (world.county_committee, "FORBIDDEN"), (world.stranger, "NOT_FOUND")]
    {
        assert_eq!(codes(&app.client(who).send(HAND_OVER, input.clone()).await, "handOverItems")[0], code);
    }
    let signed_out = app.anonymous().send(HAND_OVER, input.clone()).await;
    assert_eq!(signed_out.code().as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(events(&app, "handover_item_assigned").await, 0);
    let committee = app.client(world.committee);
    let done = committee.keyed("hand-over", 5).send(HAND_OVER, input.clone()).await;
    let outcomes = ["", "STATE_REFUSED", "NOT_FOUND", "NOT_A_MEMBER", "ID_MALFORMED", "VERSION_CONFLICT", ""];
    assert_eq!(codes(&done, "handOverItems"), outcomes);
    let of = |path: &str| done.at(&format!("/handOverItems/results/{path}")).clone();
    assert_eq!((of("0/id"), of("6/id")), (all[0]["id"].clone(), all[2]["id"].clone()));
    for (path, unit) in [("0/item", "成员单位3-632223"), ("6/item", "成员单位4-632223")] {
        let given =
            json!({ "state": "ASSIGNED", "reason": "专业单位办理", "organization": { "name": unit } });
        assert_eq!(of(path), given);
    }
    assert!((1..6).all(|at| of(&format!("{at}/item")).is_null()));
    assert_eq!(of("3/userErrors/0/field"), "input.items.3.organizationId");
    assert_eq!(of("4/userErrors/0/field"), "input.items.4.itemId");
    assert_eq!(events(&app, "handover_item_assigned").await, 2);
    // Sent once more under its key it answers the same and does nothing; without one, what was given is not given anew.
    assert_eq!(committee.keyed("hand-over", 5).send(HAND_OVER, input.clone()).await, done);
    assert_eq!(events(&app, "handover_item_assigned").await, 2);
    let other = committee.keyed("hand-over", 6).send(HAND_OVER, input.clone()).await;
    assert_eq!(other.at("/handOverItems/userErrors/0/code"), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(other.at("/handOverItems/results"), &json!([]));
    let outcomes = [
        "STATE_REFUSED",
        "STATE_REFUSED",
        "NOT_FOUND",
        "NOT_A_MEMBER",
        "ID_MALFORMED",
        "VERSION_CONFLICT",
        "STATE_REFUSED",
    ];
    assert_eq!(codes(&committee.send(HAND_OVER, input).await, "handOverItems"), outcomes);
    assert_eq!(events(&app, "handover_item_assigned").await, 2);
    // An item that stands twice in one request is given once.
    let twice = json!([give(&all[1]["id"], world.members[3]), give(&all[1]["id"], world.members[4])]);
    let told = committee.send(HAND_OVER, json!({ "input": { "items": twice } })).await;
    assert_eq!(codes(&told, "handOverItems"), ["", "STATE_REFUSED"]);
    assert_eq!(told.at("/handOverItems/results/0/item/organization/name"), "成员单位3-632223");
    assert_eq!(events(&app, "handover_item_assigned").await, 3);
}

#[tokio::test]
async fn five_hundred_items_are_handed_over_and_one_more_is_not() {
    let app = TestApp::new().await;
    let (town, all) = queue(&app).await;
    let unit = id::encode(town.world.members[3]);
    let committee = app.client(town.world.committee);
    let many = |count: usize| -> Value {
        let missing = |_| json!({ "itemId": id::encode(app.system().new_id::<HandoverItemId>()), "organizationId": unit });
        let mut items: Vec<Value> = (1..count).map(missing).collect();
        items.push(json!({ "itemId": all[0]["id"], "organizationId": unit }));
        json!({ "input": { "items": items } })
    };
    for (input, code) in [(json!({ "input": { "items": [] } }), "REQUIRED"), (many(501), "OUT_OF_RANGE")] {
        let refused = committee.send(HAND_OVER, input).await;
        let told = json!({ "code": code, "field": "input.items" });
        assert_eq!(refused.at("/handOverItems/userErrors/0"), &told);
        assert_eq!(refused.at("/handOverItems/results"), &json!([]));
    }
    assert_eq!(events(&app, "handover_item_assigned").await, 0);
    let told = codes(&committee.send(HAND_OVER, many(500)).await, "handOverItems");
    assert_eq!(told.iter().filter(|code| *code == "NOT_FOUND").count(), 499);
    assert_eq!(told[499], "");
    assert_eq!(events(&app, "handover_item_assigned").await, 1);
}

async fn extend(app: &TestApp, who: AccountId, reason: &str, items: Value) -> Answer {
    app.client(who).send(EXTEND, json!({ "input": { "items": items, "reason": reason } })).await
}

#[tokio::test]
async fn due_dates_move_out_with_a_reason() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut rows = Vec::new();
    for _ in 0..2 {
        let row = problem_in(&app, &world, State::Triaged).await;
        let due = NaiveDate::from_ymd_opt(2026, 1, 12);
        rows.push(
            moves::assign(&app.ctx(world.committee), which(row.id), world.members[1], due)
                .await
                .expect("assigned"),
        );
    }
    let open = problem_in(&app, &world, State::Triaged).await;
    let over = problem_in(&app, &world, State::StruckOff).await;
    let item = |row: &Model, on: &str| json!({ "problemId": global(row), "dueOn": on });
    let mut stale = item(&rows[1], "2026-01-19");
    stale["expectedVersion"] = json!(1);
    let items = json!([
        item(&rows[0], "2026-01-19"),
        item(&rows[1], "2026-01-12"),
        stale,
        item(&open, "2026-01-19"),
        item(&over, "2026-01-19"),
    ]);
    let refused = extend(&app, world.staff, "材料未到", items.clone()).await;
    assert!(codes(&refused, "extendProblems").iter().all(|code| code == "FORBIDDEN"));
    let blank = extend(&app, world.committee, " ", json!([item(&rows[0], "2026-01-19")])).await;
    assert_eq!(
        blank.at("/extendProblems/userErrors/0"),
        &json!({ "code": "REQUIRED", "field": "input.reason" })
    );
    let done = extend(&app, world.committee, "材料未到", items).await;
    assert_eq!(
        codes(&done, "extendProblems"),
        ["", "OUT_OF_RANGE", "VERSION_CONFLICT", "STATE_REFUSED", "STATE_REFUSED"]
    );
    assert_eq!(done.at("/extendProblems/results/0/problem/dueOn"), "2026-01-19");
    assert_eq!(done.at("/extendProblems/results/1/userErrors/0/field"), "input.items.1.dueOn");
    let query = "query($id: ID!) { history(id: $id, first: 10) { nodes { kind details { name value } } } }";
    app.run_background().await;
    let told = app.client(world.committee).send(query, json!({ "id": global(&rows[0]) })).await;
    let details = told.at("/history/nodes").to_string();
    assert!(details.contains("材料未到") && details.contains("dueOnBefore"), "{details}");
}

#[tokio::test]
async fn what_the_page_shows_assigns_two_problems() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let blocks = page::blocks_of(page::END_OF_MONTH, page::Runner::Bulk);
    let mut shown = blocks.first().expect("a block").text.clone();
    for (name, id) in [
        ("problem 1", id::encode(problem_in(&app, &world, State::Triaged).await.id)),
        ("problem 2", id::encode(problem_in(&app, &world, State::Triaged).await.id)),
        ("unit", id::encode(world.members[1])),
        ("another unit", id::encode(world.members[2])),
        ("date", "2026-01-20".into()),
    ] {
        shown = shown.replace(&format!("<{name}>"), &id);
    }
    let answer = app.client(world.committee).run(&shown).await.fine();
    assert_eq!(codes(&answer, "assignProblems"), ["", ""]);
    assert_eq!(events(&app, "problem_assigned").await, 2);
}
