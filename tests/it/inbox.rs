//! Inboxes: each concerned person is told once, in their own inbox, and marks it read.

use concord::graphql::id;
use concord_entities::id::{ProblemId, RotationPlanId};
use concord_tests::{Answer, TestApp, World};
use serde_json::json;

use crate::changes::{dashboard_key, write_event};

const INBOX: &str = "query($filter: InboxFilter) { inbox(filter: $filter, first: 50) {
    totalCount unreadCount nodes { id kind position readAt alliance { id } subjectId event { kind } } } }";

const READ: &str = "mutation($input: MarkInboxReadInput!) {
    markInboxRead(input: $input) { unreadCount userErrors { code field } } }";

const TAIL: &str = "subscription($after: Int) { inbox(after: $after) { kind position subjectId } }";

fn kinds(answer: &Answer) -> Vec<String> {
    let nodes = answer.at("/inbox/nodes").as_array().expect("nodes").clone();
    nodes.iter().map(|entry| entry["kind"].as_str().expect("a kind").to_owned()).collect()
}

async fn inbox(app: &TestApp, account: concord_entities::id::AccountId) -> Answer {
    app.client(account).send(INBOX, json!({})).await
}

#[tokio::test]
async fn an_assignment_reaches_the_unit_and_nobody_else() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem: ProblemId = app.system().new_id();
    let subject = ("problem", problem.into());
    write_event(&app, world.town, "problem_assigned", subject, &[world.members[1]], Some(world.committee))
        .await;
    app.run_background().await;
    for told in [world.manager, world.staff] {
        let answer = inbox(&app, told).await;
        assert_eq!(kinds(&answer), ["ASSIGNED"]);
        assert_eq!(answer.text("/inbox/nodes/0/subjectId"), id::encode(problem).as_str());
        assert_eq!(answer.text("/inbox/nodes/0/alliance/id"), id::encode(world.town).as_str());
        assert_eq!(answer.at("/inbox/unreadCount"), 1);
    }
    for other in [world.committee, world.other_staff, world.officer, world.observer, world.stranger] {
        assert_eq!(inbox(&app, other).await.at("/inbox/totalCount"), 0);
    }
    // The hand looks at each event once, however often it runs.
    app.run_background().await;
    assert_eq!(inbox(&app, world.staff).await.at("/inbox/totalCount"), 1);
}

#[tokio::test]
async fn what_waits_for_a_check_goes_to_an_independent_verifier_and_then_to_the_approver() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let subject = ("problem", app.system().new_id::<ProblemId>().into());
    write_event(&app, world.town, "problem_submitted", subject, &[world.members[1]], Some(world.staff)).await;
    // The verifier's own unit is responsible here, so the verifier is not asked.
    write_event(&app, world.town, "problem_submitted", subject, &[world.members[6]], Some(world.staff)).await;
    write_event(&app, world.town, "problem_verified", subject, &[world.members[1]], Some(world.verifier))
        .await;
    write_event(&app, world.town, "problem_returned", subject, &[world.members[1]], Some(world.verifier))
        .await;
    write_event(&app, world.town, "problem_declined", subject, &[world.members[1]], Some(world.staff)).await;
    app.run_background().await;
    assert_eq!(kinds(&inbox(&app, world.verifier).await), ["ASSIGNED"]);
    assert_eq!(kinds(&inbox(&app, world.approver).await), ["ASSIGNED"]);
    assert_eq!(kinds(&inbox(&app, world.committee).await), ["RETURNED"]);
    assert_eq!(kinds(&inbox(&app, world.staff).await), ["RETURNED"]);
}

#[tokio::test]
async fn a_publication_reaches_all_members_but_not_its_author() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let subject = ("rotation_plan", app.system().new_id::<RotationPlanId>().into());
    write_event(&app, here.town, "rotation_plan_published", subject, &[], Some(here.manager)).await;
    write_event(&app, here.town, "rotation_swap_approved", subject, &[here.members[2]], Some(here.committee))
        .await;
    write_event(&app, here.town, "priority_task_due", subject, &[here.members[2]], None).await;
    app.run_background().await;
    assert_eq!(kinds(&inbox(&app, here.staff).await), ["PUBLISHED"]);
    assert_eq!(kinds(&inbox(&app, here.other_staff).await), ["DUE", "SWAPPED", "PUBLISHED"]);
    assert_eq!(inbox(&app, here.manager).await.at("/inbox/totalCount"), 0);
    assert_eq!(inbox(&app, there.staff).await.at("/inbox/totalCount"), 0);
}

#[tokio::test]
async fn entries_are_read_one_by_one_or_up_to_a_position() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for _ in 0..4 {
        let subject = ("problem", app.system().new_id::<ProblemId>().into());
        write_event(&app, world.town, "problem_assigned", subject, &[world.members[1]], None).await;
    }
    app.run_background().await;
    let client = app.client(world.staff);
    let all = client.send(INBOX, json!({})).await;
    let newest = all.text("/inbox/nodes/0/id");
    let done = client.send(READ, json!({ "input": { "entryIds": [newest] } })).await.fine();
    assert_eq!(done.at("/markInboxRead/unreadCount"), 3);
    let unread = client.send(INBOX, json!({ "filter": { "unread": true } })).await;
    assert_eq!(unread.at("/inbox/totalCount"), 3);
    let read = client.send(INBOX, json!({ "filter": { "unread": false, "kind": "ASSIGNED" } })).await;
    assert_eq!(read.text("/inbox/nodes/0/id"), newest);
    // Everything but the second newest, which is newer than the position.
    let position = all.at("/inbox/nodes/2/position").clone();
    let done = client.send(READ, json!({ "input": { "upToPosition": position } })).await.fine();
    assert_eq!(done.at("/markInboxRead/unreadCount"), 1);
    // Its colleague's inbox is another.
    assert_eq!(inbox(&app, world.manager).await.at("/inbox/unreadCount"), 4);
    let keyed = client.keyed("k", 1);
    let position = all.at("/inbox/nodes/0/position").clone();
    let input = json!({ "input": { "upToPosition": position } });
    keyed.send(READ, input.clone()).await.fine();
    assert_eq!(keyed.send(READ, input).await.fine().at("/markInboxRead/unreadCount"), 0);
}

#[tokio::test]
async fn nobody_reads_another_persons_inbox() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let subject = ("problem", app.system().new_id::<ProblemId>().into());
    write_event(&app, world.town, "problem_assigned", subject, &[world.members[1]], None).await;
    app.run_background().await;
    let entry = inbox(&app, world.staff).await.text("/inbox/nodes/0/id");
    let foreign = json!({ "input": { "entryIds": [entry] } });
    let refused = app.client(world.manager).send(READ, foreign.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert!(app.client(world.manager).send(node, json!({ "id": entry })).await.at("/node").is_null());
    assert_eq!(app.client(world.staff).send(node, json!({ "id": entry })).await.text("/node/id"), entry);
    let key = dashboard_key(&app, world.town).await;
    assert_eq!(app.key(key).send(INBOX, json!({})).await.code().as_deref(), Some("FORBIDDEN"));
    assert_eq!(app.key(key).send(READ, foreign).await.code().as_deref(), Some("FORBIDDEN"));
    assert_eq!(app.anonymous().send(INBOX, json!({})).await.code().as_deref(), Some("UNAUTHENTICATED"));
    let none = app.client(world.staff).send(READ, json!({ "input": { "entryIds": [] } })).await;
    assert_eq!(none.code().as_deref(), Some("REQUIRED"));
    let nonsense = app.client(world.staff).send(READ, json!({ "input": { "entryIds": ["x"] } })).await;
    assert_eq!(nonsense.at("/markInboxRead/userErrors/0/field"), "input.entryIds.0");
}

#[tokio::test]
async fn a_tail_of_the_inbox_catches_up_and_follows() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let assign = async || {
        let subject = ("problem", app.system().new_id::<ProblemId>().into());
        write_event(&app, world.town, "problem_assigned", subject, &[world.members[1]], None).await;
        app.run_background().await;
    };
    assign().await;
    let mut tail = app.client(world.staff).subscribe(TAIL, json!({ "after": 0 }));
    let first = tail.next().await.at("/inbox/position").as_i64().expect("a position");
    assert!(tail.is_quiet().await);
    assign().await;
    assign().await;
    assert_eq!(tail.next().await.at("/inbox/position").as_i64(), Some(first + 1));
    assert_eq!(tail.next().await.at("/inbox/position").as_i64(), Some(first + 2));
    assert!(tail.is_quiet().await);
    let mut other = app.client(world.other_staff).subscribe(TAIL, json!({ "after": 0 }));
    assert!(other.is_quiet().await);
    assert_eq!(
        app.anonymous().subscribe(TAIL, json!({})).next().await.code().as_deref(),
        Some("UNAUTHENTICATED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_at_once_tell_everybody_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for _ in 0..30 {
        let subject = ("problem", app.system().new_id::<ProblemId>().into());
        write_event(&app, world.town, "problem_assigned", subject, &[world.members[1]], None).await;
    }
    let systems = [app.system(), app.system(), app.system(), app.system()];
    let runs = systems.iter().map(concord::background::run_once);
    for done in futures_util::future::join_all(runs).await {
        done.expect("each finishes");
    }
    assert_eq!(inbox(&app, world.staff).await.at("/inbox/totalCount"), 30);
}
