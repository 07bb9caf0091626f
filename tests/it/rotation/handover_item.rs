//! What a turn hands on: each open task and problem accepted or declined, the rest for the committee.

use concord::{
    domain::{
        Ctx,
        list::{
            extension,
            problem::{moves, reporter},
            supervision,
        },
        rotation::handover_item::pass_on,
    },
    graphql::id,
};
use concord_entities::{id::AccountId, problem::State};
use concord_tests::{Answer, TestApp};
use serde_json::{Value, json};

use super::{
    Town,
    duty::{ACKNOWLEDGE, CHECK_IN, DOCK, OFFER, at, came, is, met},
    events,
};
use crate::{
    priority_task::published,
    problem::{count, problem_in, which},
};

const ITEMS: &str =
    "query($filter: HandoverItemFilter!) { handoverItems(filter: $filter) { totalCount nodes {
    id state isClosed reason version task { title } problem { number state } organization { name } } } }";
const ANSWER: &str = "mutation($input: AnswerHandoverItemsInput!) { answerHandoverItems(input: $input) {
    handover { id items { totalCount } } userErrors { code field message } } }";
const ASSIGN: &str = "mutation($input: AssignHandoverItemInput!) { assignHandoverItem(input: $input) {
    item { state reason organization { name } } userErrors { code field message } } }";
const INBOX: &str = "{ inbox { nodes { kind event { kind } } } }";

/// A turn in service at its end, handed on; the handover's id.
pub async fn handed_on(app: &TestApp, town: &Town) -> String {
    let plan = town.published(app, "2026-01", 3).await;
    let slot = town.slot(app, &plan, 1).await;
    let staff = app.client(town.world.staff);
    staff.send(CHECK_IN, came(&slot, "2026-01-05T00:30:00Z")).await.fine();
    app.set_now(at("2026-01-07T01:00:00Z"));
    staff.send(DOCK, met(&slot, true, true)).await.fine();
    app.set_now(at("2026-01-30T01:00:00Z"));
    let offered = staff.send(OFFER, json!({ "input": { "slotId": slot } })).await.fine();
    offered.text("/offerHandover/handover/id")
}

/// The items of handovers that somebody finds.
pub async fn items(app: &TestApp, who: AccountId, filter: Value) -> Vec<Value> {
    let answer = app.client(who).send(ITEMS, json!({ "filter": filter })).await;
    answer.at("/handoverItems/nodes").as_array().expect("items").clone()
}

/// Answers items of a handover.
pub async fn answer(app: &TestApp, who: AccountId, handover: &str, items: Value) -> Answer {
    let input = json!({ "input": { "handoverId": handover, "items": items } });
    app.client(who).send(ANSWER, input).await
}

async fn kinds(app: &TestApp, who: AccountId) -> Vec<String> {
    let answer = app.client(who).run(INBOX).await;
    let nodes = answer.at("/inbox/nodes").as_array().expect("entries").clone();
    nodes.iter().map(|node| node["event"]["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_open_item_is_answered_and_the_rest_is_the_committees() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let world = &town.world;
    published(&app, world).await;
    let assigned = problem_in(&app, world, State::Assigned).await;
    let fresh = problem_in(&app, world, State::Registered).await;
    problem_in(&app, world, State::StruckOff).await;
    let handover = handed_on(&app, &town).await;
    let all = items(&app, world.observer, json!({ "handoverId": handover })).await;
    assert_eq!(all.len(), 3);
    let of = |number: &str| -> Value {
        all.iter().find(|item| item["problem"]["number"] == number).expect("an item").clone()
    };
    let task = all.iter().find(|item| item["task"]["title"] == "整治背街小巷").expect("a task").clone();
    let (bound, closed) = (of(&assigned.number), of(&fresh.number));
    assert!(all.iter().all(|item| item["state"] == "PENDING" && item["isClosed"] == false));

    let take = json!({ "input": { "handoverId": handover } });
    let incoming = app.client(world.other_staff);
    is(&incoming.send(ACKNOWLEDGE, take.clone()).await, "HANDOVER_UNANSWERED");
    let accept = json!([{ "itemId": task["id"], "accept": true }]);
    for (who, code) in [
        (world.staff, "FORBIDDEN"),
        (world.observer, "FORBIDDEN"),
        (world.county_committee, "FORBIDDEN"),
        (world.stranger, "NOT_FOUND"),
    ] {
        is(&answer(&app, who, &handover, accept.clone()).await, code);
    }
    for (items, code, field) in [
        (json!([]), "REQUIRED", "input.items"),
        (json!([{ "itemId": bound["id"], "accept": false }]), "REQUIRED", "input.items.0.reason"),
        (
            json!([{ "itemId": task["id"], "accept": true }, { "itemId": task["id"], "accept": true }]),
            "ALREADY_EXISTS",
            "input.items.1.itemId",
        ),
    ] {
        let refused = answer(&app, world.other_staff, &handover, items).await;
        is(&refused, code);
        assert_eq!(refused.text("/answerHandoverItems/userErrors/0/field"), field);
    }
    let foreign = json!([{ "itemId": id::encode(app.system().new_id::<concord_entities::id::HandoverItemId>()), "accept": true }]);
    is(&answer(&app, world.other_staff, &handover, foreign).await, "NOT_FOUND");
    // All or none: the refusals above left everything as it was.
    assert_eq!(
        items(&app, world.staff, json!({ "handoverId": handover, "states": ["PENDING"] })).await.len(),
        3
    );

    let replies = json!([
        { "itemId": task["id"], "accept": true },
        { "itemId": bound["id"], "accept": false, "reason": "本队无相应资质" },
    ]);
    let done = answer(&app, world.other_staff, &handover, replies).await.fine();
    assert_eq!(done.at("/answerHandoverItems/handover/items/totalCount"), 3);
    is(&incoming.send(ACKNOWLEDGE, take.clone()).await, "HANDOVER_UNANSWERED");
    // What closes meanwhile is shown as closed and needs no answer.
    moves::withdraw(&app.ctx(world.committee), which(fresh.id), "重复登记").await.expect("withdrawn");
    let open = items(&app, world.staff, json!({ "handoverId": handover, "open": false })).await;
    assert_eq!((open.len(), &open[0]["id"], &open[0]["isClosed"]), (1, &closed["id"], &json!(true)));
    incoming.send(ACKNOWLEDGE, take).await.fine();
    is(&answer(&app, world.other_staff, &handover, accept).await, "STATE_REFUSED");

    let queue = items(&app, world.committee, json!({ "states": ["TO_COMMITTEE"] })).await;
    assert_eq!(queue.len(), 1);
    assert_eq!((&queue[0]["id"], &queue[0]["reason"]), (&bound["id"], &json!("本队无相应资质")));
    app.run_background().await;
    assert!(kinds(&app, world.committee).await.contains(&"HANDOVER_ITEMS_TO_COMMITTEE".to_owned()));
    assert!(kinds(&app, world.staff).await.contains(&"HANDOVER_ITEMS_ANSWERED".to_owned()));

    let there = Town::build(&app, "632224", 1).await;
    let give = |item: &Value, unit| json!({ "input": { "itemId": item["id"], "organizationId": id::encode(unit), "note": "专业单位办理" } });
    for (who, item, unit, code) in [
        (world.other_staff, &bound, world.members[3], "FORBIDDEN"),
        (there.world.committee, &bound, world.members[3], "NOT_FOUND"),
        (world.committee, &bound, there.world.members[3], "NOT_A_MEMBER"),
        (world.committee, &task, world.members[3], "STATE_REFUSED"),
    ] {
        is(&app.client(who).send(ASSIGN, give(item, unit)).await, code);
    }
    let stale = json!({ "input": { "itemId": bound["id"], "organizationId": id::encode(world.members[1]), "expectedVersion": 1 } });
    is(&app.client(world.committee).send(ASSIGN, stale).await, "VERSION_CONFLICT");
    let given = app.client(world.committee).send(ASSIGN, give(&bound, world.members[1])).await.fine();
    assert_eq!(
        given.at("/assignHandoverItem/item"),
        &json!({ "state": "ASSIGNED", "reason": "专业单位办理", "organization": { "name": "成员单位1-632223" } })
    );
    // Whoever has it keeps it: of many who give it at once, one does.
    is(&app.client(world.committee).send(ASSIGN, give(&bound, world.members[3])).await, "STATE_REFUSED");
    app.run_background().await;
    assert_eq!(kinds(&app, world.staff).await[0], "HANDOVER_ITEM_ASSIGNED");
    assert!(items(&app, world.committee, json!({ "states": ["TO_COMMITTEE"] })).await.is_empty());
    assert!(items(&app, there.world.committee, json!({})).await.is_empty());
}

#[tokio::test]
async fn what_is_carried_over_meanwhile_is_still_handed_on() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let world = &town.world;
    let task = published(&app, world).await;
    let handover = handed_on(&app, &town).await;
    let query = "query($id: ID!) { priorityTask(id: $id) { taskList { id } } }";
    let list = app.client(world.committee).send(query, json!({ "id": task })).await;
    let carry = "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) {
        taskList { tasks { nodes { id } } } userErrors { code } } }";
    let input = json!({ "input": { "fromTaskListId": list.at("/priorityTask/taskList/id") } });
    let carried = app.client(world.committee).send(carry, input).await.fine();
    let all = items(&app, world.observer, json!({ "handoverId": handover })).await;
    assert_eq!((all.len(), &all[0]["isClosed"], &all[0]["state"]), (1, &json!(false), &json!("PENDING")));
    let query = "query($id: ID!) { node(id: $id) { ... on HandoverItem { task { id } } } }";
    let handed = app.client(world.committee).send(query, json!({ "id": all[0]["id"] })).await;
    assert_eq!(handed.at("/node/task/id"), carried.at("/carryOverTasks/taskList/tasks/nodes/0/id"));
    // The incoming team sees nothing of a list that is not published, and is not asked about it: the committee is.
    let unseen = items(&app, world.other_staff, json!({ "handoverId": handover })).await;
    assert!(unseen[0]["task"].is_null(), "{unseen:?}");
    let take = json!({ "input": { "handoverId": handover } });
    app.client(world.other_staff).send(ACKNOWLEDGE, take).await.fine();
    let queue = items(&app, world.committee, json!({ "states": ["TO_COMMITTEE"] })).await;
    assert_eq!((queue.len(), &queue[0]["id"]), (1, &all[0]["id"]));
    assert_eq!(queue[0]["task"]["title"], "整治背街小巷");
}

#[tokio::test]
async fn what_was_carried_over_is_asked_for_once_its_list_is_published() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let world = &town.world;
    let task = published(&app, world).await;
    let handover = handed_on(&app, &town).await;
    let query = "query($id: ID!) { priorityTask(id: $id) { taskList { id } } }";
    let list = app.client(world.committee).send(query, json!({ "id": task })).await;
    let carry = "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) {
        taskList { id } userErrors { code } } }";
    let input = json!({ "input": { "fromTaskListId": list.at("/priorityTask/taskList/id") } });
    let carried = app.client(world.committee).send(carry, input).await.fine();
    let publish =
        "mutation($input: PublishTaskListInput!) { publishTaskList(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "taskListId": carried.at("/carryOverTasks/taskList/id") } });
    app.client(world.committee).send(publish, input).await.fine();
    let seen = items(&app, world.other_staff, json!({ "handoverId": handover })).await;
    assert_eq!(seen[0]["task"]["title"], "整治背街小巷");
    let take = json!({ "input": { "handoverId": handover } });
    is(&app.client(world.other_staff).send(ACKNOWLEDGE, take.clone()).await, "HANDOVER_UNANSWERED");
    let accept = json!([{ "itemId": seen[0]["id"], "accept": true }]);
    answer(&app, world.other_staff, &handover, accept).await.fine();
    app.client(world.other_staff).send(ACKNOWLEDGE, take).await.fine();
}

#[tokio::test]
async fn what_nobody_answers_by_the_third_working_day_goes_to_the_committee_once() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let world = &town.world;
    published(&app, world).await;
    problem_in(&app, world, State::Assigned).await;
    let handover = handed_on(&app, &town).await;
    // February begins on a Sunday: its third working day is Wednesday the fourth.
    app.set_now(at("2026-02-04T15:59:59Z"));
    app.run_background().await;
    assert!(items(&app, world.committee, json!({ "states": ["TO_COMMITTEE"] })).await.is_empty());
    app.set_now(at("2026-02-04T16:00:00Z"));
    let ctx = app.system();
    let hand = |ctx: Ctx| async move { pass_on(&ctx).await.expect("the hand works") };
    let passed = tokio::join!(hand(ctx.clone()), hand(ctx.clone()), hand(ctx));
    assert_eq!(passed.0 + passed.1 + passed.2, 1);
    app.run_background().await;
    assert_eq!(items(&app, world.committee, json!({ "states": ["TO_COMMITTEE"] })).await.len(), 2);
    assert_eq!(events(&app, "handover_items_to_committee").await, 1);
    // The clock may go back and forth: nothing is passed on twice.
    app.set_now(at("2026-02-01T16:00:00Z"));
    app.run_background().await;
    app.set_now(at("2026-02-20T16:00:00Z"));
    app.run_background().await;
    assert_eq!(events(&app, "handover_items_to_committee").await, 1);
    let late = items(&app, world.other_staff, json!({ "handoverId": handover })).await;
    let accept = json!([{ "itemId": late[0]["id"], "accept": true }]);
    is(&answer(&app, world.other_staff, &handover, accept).await, "STATE_REFUSED");
    let take = json!({ "input": { "handoverId": handover } });
    app.client(world.other_staff).send(ACKNOWLEDGE, take).await.fine();
}

#[tokio::test]
async fn an_erased_reporter_is_taken_out_of_what_was_asked_demanded_and_handed_over() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let world = &town.world;
    let row = problem_in(&app, world, State::InProgress).await;
    let (committee, staff) = (app.ctx(world.committee), app.ctx(world.staff));
    let until = "2026-02-20".parse().expect("a day");
    let asked = extension::request(&staff, row.id, until, "张三丰不在家").await.expect("asked");
    extension::refuse(&committee, asked.id, "请电话联系张三丰", None).await.expect("refused");
    let asked = extension::request(&staff, row.id, until, "张三丰外出").await.expect("asked");
    extension::grant(&committee, asked.id, None, Some("待张三丰返回"), None).await.expect("granted");
    let notice = supervision::issue(&committee, row.id, world.members[1], "尽快联系张三丰", None);
    let notice = notice.await.expect("issued");
    supervision::answer(&staff, notice.id, "已联系张三丰", None).await.expect("answered");
    let handover = handed_on(&app, &town).await;
    let all = items(&app, world.observer, json!({ "handoverId": handover })).await;
    let decline = json!([{ "itemId": all[0]["id"], "accept": false, "reason": "张三丰拒绝本队" }]);
    answer(&app, world.other_staff, &handover, decline).await.fine();
    let named =
        "SELECT (SELECT COUNT(*) FROM extension WHERE reason LIKE '%张三丰%' OR decision LIKE '%张三丰%')
        + (SELECT COUNT(*) FROM supervision_notice WHERE demand LIKE '%张三丰%' OR answer LIKE '%张三丰%')
        + (SELECT COUNT(*) FROM handover_item WHERE reason LIKE '%张三丰%') AS n";
    assert_eq!(count(&app, named).await, 4);
    reporter::erase(&committee, which(row.id), "本人要求").await.expect("erased");
    assert_eq!(count(&app, named).await, 0);
    // What was said besides stays.
    let kept = "SELECT COUNT(*) AS n FROM extension e, supervision_notice s, handover_item h
        WHERE e.reason = '**外出' AND e.decision = '待**返回' AND s.demand = '尽快联系**' AND s.answer = '已联系**'
            AND h.reason = '**拒绝本队'";
    assert_eq!(count(&app, kept).await, 1);
}
