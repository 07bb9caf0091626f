//! Merging: a duplicate ends and points to the problem that goes on, without loops or chains; its reporter is asked about the
//! other, and every count still holds.

use concord::{
    domain::list::{
        problem::{self, NewProblem, escalation, merge, moves},
        recount,
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, ProblemId},
    problem::State,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::problem::{count, pothole, problem_in, which};

const MERGE: &str = "mutation($input: MergeProblemInput!) { mergeProblem(input: $input) {
    problem { number state isOpen reason version closedAt mergedInto { number }
        availableTransitions { mutation available } }
    userErrors { code field } } }";

async fn merge_as(app: &TestApp, who: AccountId, duplicate: ProblemId, survivor: ProblemId) -> Answer {
    let input = json!({ "duplicateId": id::encode(duplicate), "survivorId": id::encode(survivor),
        "reason": "同一处坑洼" });
    app.client(who).send(MERGE, json!({ "input": input })).await
}

async fn seen(app: &TestApp, who: AccountId, of: ProblemId) -> Value {
    let query = "query($id: ID!) { problem(id: $id) { number state
        mergedProblems { number reporterName reporterPhone state } followUps { state reporterProblem { number } }
        history(first: 50) { nodes { kind } } } }";
    app.client(who).send(query, json!({ "id": id::encode(of) })).await.fine().at("/problem").clone()
}

async fn assert_counted(app: &TestApp, when: &str) {
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None, "{when}");
}

#[tokio::test]
async fn a_duplicate_ends_and_its_reporter_follows_the_problem_that_goes_on() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let survivor = problem_in(&app, &world, State::InProgress).await;
    let duplicate = problem_in(&app, &world, State::Registered).await;
    let done = merge_as(&app, world.committee, duplicate.id, survivor.id).await.fine();
    let ended = done.at("/mergeProblem/problem");
    assert_eq!((&ended["state"], &ended["isOpen"]), (&json!("MERGED"), &json!(false)));
    assert_eq!(ended["mergedInto"]["number"], survivor.number);
    assert_eq!(
        (&ended["reason"], &ended["closedAt"]),
        (&json!("同一处坑洼"), &json!("2026-01-05T01:00:00Z"))
    );
    let offered = ended["availableTransitions"].as_array().expect("a list");
    assert!(offered.iter().all(|step| step["available"] == false));
    let whole = seen(&app, world.observer, survivor.id).await;
    let listed = json!([{ "number": duplicate.number, "reporterName": "张**", "reporterPhone": "139****5678",
        "state": "MERGED" }]);
    assert_eq!(whole["mergedProblems"], listed);
    let told = whole["history"]["nodes"].as_array().expect("events");
    assert_eq!(told.iter().filter(|event| event["kind"] == "PROBLEM_ABSORBED").count(), 1);
    assert_counted(&app, "merged").await;
    let query = "query($id: ID!) { alliance(id: $id) { problemCounts { total open merged
        byState { state count } closureRate { numerator denominator } } } }";
    let counts = app.client(world.observer).send(query, json!({ "id": id::encode(world.town) })).await.fine();
    let counts = counts.at("/alliance/problemCounts");
    assert_eq!((&counts["total"], &counts["open"], &counts["merged"]), (&json!(2), &json!(1), &json!(1)));
    // A duplicate that ends is no closure: it counts on neither side.
    assert_eq!(counts["closureRate"], json!({ "numerator": 0, "denominator": 1 }));

    // Both reporters can be asked about the one that went on.
    crate::problem::show_closure(&app, &world, survivor.id).await;
    moves::submit(&app.ctx(world.staff), which(survivor.id)).await.expect("submitted");
    let ask = "mutation($input: RequestFollowUpInput!) { requestFollowUp(input: $input) {
        followUp { reporterProblem { number } } userErrors { code field } } }";
    for of in [survivor.id, duplicate.id] {
        let input = json!({ "problemId": id::encode(survivor.id), "reporterProblemId": id::encode(of) });
        app.client(world.committee).send(ask, json!({ "input": input })).await.fine();
    }
    let stranger = problem_in(&app, &world, State::Registered).await;
    let input = json!({ "problemId": id::encode(survivor.id), "reporterProblemId": id::encode(stranger.id) });
    let refused = app.client(world.committee).send(ask, json!({ "input": input })).await;
    assert_eq!(refused.code().as_deref(), Some("NO_REPORTER"));
    assert_eq!(seen(&app, world.committee, survivor.id).await["followUps"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn merging_makes_neither_chains_nor_loops() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [first, second, third] = [
        problem_in(&app, &world, State::Registered).await,
        problem_in(&app, &world, State::Submitted).await,
        problem_in(&app, &world, State::Triaged).await,
    ];
    let committee = app.ctx(world.committee);
    merge::merge(&committee, which(first.id), second.id, "重复").await.expect("merged");
    // What was asked of the duplicate's reporter goes along too.
    let ask =
        "mutation($input: RequestFollowUpInput!) { requestFollowUp(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "problemId": id::encode(second.id) } });
    app.client(world.committee).send(ask, input).await.fine();
    merge::merge(&committee, which(second.id), third.id, "重复").await.expect("merged");
    let whole = seen(&app, world.committee, third.id).await;
    let numbers: Vec<_> =
        whole["mergedProblems"].as_array().expect("a list").iter().map(|row| row["number"].clone()).collect();
    assert_eq!(numbers, [json!(first.number), json!(second.number)]);
    assert_eq!(whole["followUps"][0]["reporterProblem"]["number"], second.number);
    for (duplicate, survivor, code) in [
        (third.id, third.id, "MERGE_REFUSED"),
        (third.id, first.id, "STATE_REFUSED"),
        (first.id, third.id, "STATE_REFUSED"),
    ] {
        let answer = merge_as(&app, world.committee, duplicate, survivor).await;
        assert_eq!(answer.code().as_deref(), Some(code));
    }
    assert_counted(&app, "moved along").await;
    // Past the product, too.
    let raw = |id: ProblemId| concord_tests::specimens::uuid(&app, id.0);
    for text in [
        format!("UPDATE problem SET merged_into_id = {} WHERE id = {}", raw(first.id), raw(second.id)),
        format!("UPDATE problem SET state = 'merged', merged_into_id = {0} WHERE id = {0}", raw(third.id)),
        format!("UPDATE problem SET state = 'triaged', merged_into_id = NULL WHERE id = {}", raw(first.id)),
    ] {
        let said = app.sql(&text).await.expect_err("it is refused").to_string();
        assert!(said.contains("merged once"), "{said}");
    }
}

#[tokio::test]
async fn only_the_committee_merges_and_only_within_its_list() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let survivor = problem_in(&app, &world, State::Triaged).await;
    let duplicate = problem_in(&app, &world, State::Registered).await;
    let foreign = problem_in(&app, &there, State::Registered).await;
    for who in [world.approver, world.staff, world.grid_officer, world.verifier, world.observer] {
        let answer = merge_as(&app, who, duplicate.id, survivor.id).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    for (who, one, other) in [
        (world.committee, duplicate.id, foreign.id),
        (world.committee, foreign.id, survivor.id),
        (there.committee, duplicate.id, survivor.id),
    ] {
        assert_eq!(merge_as(&app, who, one, other).await.code().as_deref(), Some("NOT_FOUND"));
    }
    let input = json!({ "duplicateId": id::encode(duplicate.id), "survivorId": id::encode(survivor.id),
        "reason": "重复", "expectedVersion": 9 });
    let stale = app.client(world.committee).send(MERGE, json!({ "input": input })).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    let closed = problem_in(&app, &world, State::StruckOff).await;
    let answer = merge_as(&app, world.committee, duplicate.id, closed.id).await;
    assert_eq!(answer.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(answer.at("/mergeProblem/userErrors/0/field"), "input.survivorId");
    let answer = merge_as(&app, world.committee, closed.id, survivor.id).await;
    assert_eq!(answer.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem WHERE state = 'merged'").await, 0);
    let input = json!({ "duplicateId": id::encode(duplicate.id), "survivorId": id::encode(survivor.id),
        "reason": "重复" });
    for _ in 0..2 {
        let client = app.client(world.committee).keyed("merge", 5);
        let done = client.send(MERGE, json!({ "input": input })).await.fine();
        assert_eq!(done.at("/mergeProblem/problem/state"), "MERGED");
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_merged'").await, 1);
}

#[tokio::test]
async fn nothing_is_merged_into_what_is_above_and_a_survivor_that_ends_is_told_to_who_registered_the_duplicate()
 {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let survivor = problem_in(&app, &world, State::Triaged).await;
    let duplicate = problem_in(&app, &world, State::Registered).await;
    let committee = app.ctx(world.committee);
    escalation::escalate(&committee, which(survivor.id), "超出权限").await.expect("escalated");
    let refused = merge_as(&app, world.committee, duplicate.id, survivor.id).await;
    assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(refused.at("/mergeProblem/userErrors/0/field"), "input.survivorId");
    // What is back in the hands of its own list goes on.
    escalation::recall(&committee, which(survivor.id), "自行解决").await.expect("recalled");
    merge_as(&app, world.committee, duplicate.id, survivor.id).await.fine();
    app.advance(chrono::TimeDelta::minutes(1));
    moves::reject(&committee, which(survivor.id), "不属实").await.expect("rejected");
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_survivor_ended'";
    assert_eq!(count(&app, told).await, 1);
    app.run_background().await;
    let query = "query($id: ID!) { history(id: $id, first: 1, newestFirst: true) { nodes { kind details { name value } } } }";
    let last =
        app.client(world.grid_officer).send(query, json!({ "id": id::encode(duplicate.id) })).await.fine();
    assert_eq!(last.at("/history/nodes/0/kind"), "PROBLEM_SURVIVOR_ENDED");
    assert!(last.0.to_string().contains(&survivor.number));
    let inbox = "{ inbox(first: 20) { nodes { event { kind } } } }";
    let told = app.client(world.grid_officer).run(inbox).await.fine();
    assert!(told.0.to_string().contains("PROBLEM_SURVIVOR_ENDED"), "{:#}", told.0);
    assert_counted(&app, "rejected").await;
}

#[tokio::test]
async fn who_reported_a_duplicate_above_hears_that_the_matter_went_back() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    let told = async |of: ProblemId| {
        let client = app.client(world.county_committee);
        let seen = client.run("{ inbox(first: 100) { nodes { event { kind subjectId } } } }").await;
        let inbox = seen.at("/inbox/nodes").clone();
        let ended = inbox.as_array().expect("entries").iter().filter(|entry| {
            entry["event"]["kind"] == "PROBLEM_SURVIVOR_ENDED"
                && entry["event"]["subjectId"] == json!(id::encode(of))
        });
        ended.count()
    };
    let events = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_survivor_ended'";
    for (round, is_recalled) in [(1, true), (2, false)] {
        let below = problem_in(&app, &world, State::Triaged).await;
        escalation::escalate(&town, which(below.id), "超出镇级权限").await.expect("escalated");
        let above = concord_entities::escalation::Entity::find()
            .filter(concord_entities::escalation::Column::ProblemId.eq(below.id))
            .one(&app.app.read)
            .await
            .expect("a read")
            .expect("a link")
            .parent_problem_id;
        let own = NewProblem { alliance_id: world.county, region_id: None, ..pothole(&world) };
        let own = problem::register(&county, own).await.expect("registered").id;
        merge::merge(&county, which(own), above, "同一处坑洼").await.expect("merged");
        // By the county's own hand it would be told of too; here it ends from elsewhere.
        if is_recalled {
            escalation::recall(&town, which(below.id), "镇级自行办理").await.expect("recalled");
        } else {
            escalation::hand_back(&county, which(above), "属镇级职责").await.expect("handed back");
        }
        assert_eq!(count(&app, events).await, round);
        app.run_background().await;
        // Nobody is told of what they did themselves.
        assert_eq!(told(own).await, usize::from(is_recalled));
        assert_counted(&app, "gone back").await;
    }
}
