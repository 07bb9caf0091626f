//! Rounds: a struck-off problem is reopened and goes on as the next one, the old one stays whole, and everything is counted.

use concord::{
    domain::{
        Error,
        list::{
            problem::{moves, reporter, round},
            recount,
        },
    },
    graphql::id,
};
use concord_entities::{id::ProblemId, problem::State, problem_round};
use concord_tests::{Answer, TestApp, World};
use sea_orm::EntityTrait;
use serde_json::json;

use crate::problem::{count, problem_in, show_closure, step, triage, which};

const ROUNDS: &str = "query($id: ID!, $alliance: ID!) {
    problem(id: $id) { number state isOpen round reopenedCount reason declinedCount returnedCount closedAt struckOffAt
        leadOrganization { name } verdict dueOn availableTransitions { mutation available }
        rounds { number isPresent leadOrganization { name } jointOrganizations { name } handler { name }
            submittedBy { name } verifier { name } verifierOrganization { name } verdict approver { name }
            measures criterion returnedCount declinedCount struckOffAt reopenedAt reopenedBy { name } reopenedReason
            evidence { stage round } } }
    alliance(id: $alliance) { problemCounts { total open struckOff reopenedCount closureRate { numerator denominator } } } }";

async fn seen(app: &TestApp, world: &World, of: ProblemId) -> Answer {
    let ask = json!({ "id": id::encode(of), "alliance": id::encode(world.town) });
    app.client(world.committee).send(ROUNDS, ask).await.fine()
}

/// Brings a problem that was triaged to its strike-off.
pub async fn finish(app: &TestApp, world: &World, of: ProblemId) {
    let [committee, staff] = [app.ctx(world.committee), app.ctx(world.staff)];
    moves::assign(&committee, which(of), world.members[1], None).await.expect("assigned");
    moves::accept(&staff, which(of)).await.expect("accepted");
    moves::start(&staff, which(of), None).await.expect("started");
    show_closure(app, world, of).await;
    moves::submit(&staff, which(of)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(of), "二次平整").await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(of)).await.expect("struck off");
}

async fn assert_counted(app: &TestApp, when: &str) {
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None, "{when}");
}

#[tokio::test]
async fn a_reopened_problem_goes_on_as_its_next_round_and_the_old_one_stays_whole() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let before = seen(&app, &world, row.id).await;
    assert_eq!(before.at("/problem/rounds").as_array().map(Vec::len), Some(1));
    assert_eq!(before.at("/problem/rounds/0/isPresent"), true);
    let offered = before.at("/problem/availableTransitions").as_array().expect("a list").clone();
    let open: Vec<_> = offered.iter().filter(|step| step["available"] == true).collect();
    assert_eq!(open, [&json!({ "mutation": "reopenProblem", "available": true })]);
    app.advance(chrono::TimeDelta::days(3));
    let id = json!(id::encode(row.id));
    let reason = json!({ "reason": "雨后再次下沉", "expectedVersion": row.version });
    step(&app, world.committee, "reopenProblem", &id, reason).await.fine();
    let after = seen(&app, &world, row.id).await;
    let problem = after.at("/problem");
    assert_eq!(problem["number"], row.number);
    assert_eq!((&problem["state"], &problem["isOpen"]), (&json!("TRIAGED"), &json!(true)));
    assert_eq!((&problem["round"], &problem["reopenedCount"]), (&json!(2), &json!(1)));
    assert_eq!(problem["reason"], "雨后再次下沉");
    for gone in ["closedAt", "struckOffAt", "leadOrganization", "verdict"] {
        assert!(problem[gone].is_null(), "{gone}: {problem:#}");
    }
    let old = &problem["rounds"][0];
    assert_eq!(old["number"], 1);
    assert_eq!(old["leadOrganization"]["name"], "成员单位1-632223");
    assert_eq!(old["handler"]["name"], "staff");
    assert_eq!(old["verifier"]["name"], "verifier");
    assert_eq!(old["verifierOrganization"]["name"], "成员单位6-632223");
    assert_eq!((&old["verdict"], &old["approver"]["name"]), (&json!("已平整"), &json!("approver")));
    assert_eq!(old["struckOffAt"], "2026-01-05T01:00:00Z");
    assert_eq!(
        (&old["reopenedAt"], &old["reopenedBy"]["name"]),
        (&json!("2026-01-08T01:00:00Z"), &json!("committee"))
    );
    assert_eq!(old["evidence"], json!([{ "stage": "CLOSURE", "round": 1 }]));
    let present = &problem["rounds"][1];
    assert_eq!((&present["number"], &present["isPresent"]), (&json!(2), &json!(true)));
    assert_eq!((&present["evidence"], &present["criterion"]), (&json!([]), &json!("路面平整")));
    let counts = after.at("/alliance/problemCounts");
    assert_eq!((&counts["open"], &counts["struckOff"]), (&json!(1), &json!(0)));
    assert_eq!(counts["reopenedCount"], 1);
    // It was closed in the month and is open in it again.
    assert_eq!(counts["closureRate"], json!({ "numerator": 1, "denominator": 1 }));
    assert_counted(&app, "reopened").await;

    // The second round earns its strike-off anew: with evidence of its own, by others than who handled either round.
    finish(&app, &world, row.id).await;
    let done = seen(&app, &world, row.id).await;
    assert_eq!(done.at("/problem/state"), "STRUCK_OFF");
    assert_eq!(done.at("/problem/rounds/0"), old);
    assert_eq!(done.at("/problem/rounds/1/verdict"), "二次平整");
    assert_eq!(done.at("/alliance/problemCounts/reopenedCount"), 1);
    assert_eq!(done.at("/alliance/problemCounts/closureRate/numerator"), 1);
    assert_counted(&app, "struck off again").await;
    app.run_background().await;
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_reopened'";
    assert_eq!(count(&app, told).await, 1);
}

#[tokio::test]
async fn evidence_of_the_old_round_closes_nothing_in_the_new_one() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    round::reopen(&app.ctx(world.committee), which(row.id), "复发").await.expect("reopened");
    let [committee, staff] = [app.ctx(world.committee), app.ctx(world.staff)];
    moves::assign(&committee, which(row.id), world.members[1], None).await.expect("assigned");
    moves::accept(&staff, which(row.id)).await.expect("accepted");
    moves::start(&staff, which(row.id), None).await.expect("started");
    let refused = moves::submit(&staff, which(row.id)).await.expect_err("nothing new is shown");
    assert_eq!(refused.code().text(), "EVIDENCE_MISSING");
}

#[tokio::test]
async fn only_the_committee_reopens_and_only_what_was_struck_off() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let row = problem_in(&app, &world, State::StruckOff).await;
    let id = json!(id::encode(row.id));
    let reason = json!({ "reason": "复发" });
    for who in [world.approver, world.manager, world.staff, world.officer, world.verifier, world.observer] {
        let answer = step(&app, who, "reopenProblem", &id, reason.clone()).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    let answer = step(&app, there.committee, "reopenProblem", &id, reason.clone()).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    let answer = step(&app, world.committee, "reopenProblem", &id, json!({ "reason": " " })).await;
    assert_eq!(answer.code().as_deref(), Some("REQUIRED"));
    let stale = json!({ "reason": "复发", "expectedVersion": row.version - 1 });
    let answer = step(&app, world.committee, "reopenProblem", &id, stale).await;
    assert_eq!(answer.code().as_deref(), Some("VERSION_CONFLICT"));
    let other = problem_in(&app, &world, State::Verified).await;
    let other = json!(id::encode(other.id));
    let answer = step(&app, world.committee, "reopenProblem", &other, reason.clone()).await;
    assert_eq!(answer.code().as_deref(), Some("STATE_REFUSED"));
    step(&app, world.committee, "rejectProblem", &other, reason.clone()).await;
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_round").await, 0);
    // A request that is sent twice opens one round.
    let mutation = "mutation($input: MoveProblemWithReasonInput!) { reopenProblem(input: $input) {
        problem { round } userErrors { code } } }";
    let input = json!({ "input": { "problemId": id, "reason": "复发" } });
    for _ in 0..2 {
        let answer = app.client(world.committee).keyed("again", 1).send(mutation, input.clone()).await.fine();
        assert_eq!(answer.at("/reopenProblem/problem/round"), 2);
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_round").await, 1);
}

#[tokio::test]
async fn an_erased_reporter_leaves_the_old_rounds_without_what_named_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Triaged).await;
    let mut named = triage();
    named["criterion"] = json!("张三丰确认平整");
    step(&app, world.committee, "triageProblem", &json!(id::encode(row.id)), named).await.fine();
    finish(&app, &world, row.id).await;
    round::reopen(&app.ctx(world.committee), which(row.id), "张三丰来电").await.expect("reopened");
    reporter::erase(&app.ctx(world.committee), which(row.id), "本人要求").await.expect("erased");
    let rounds = problem_round::Entity::find().all(&app.app.read).await.expect("rounds");
    assert_eq!((&rounds[0].criterion, &rounds[0].reason), (&None, &None));
    assert_eq!(rounds[0].verdict.as_deref(), Some("二次平整"));
    let seen = seen(&app, &world, row.id).await;
    assert!(!seen.0.to_string().contains("张三丰"), "{:#}", seen.0);
}

#[tokio::test]
async fn the_database_begins_no_round_on_its_own() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    problem_in(&app, &world, State::StruckOff).await;
    for text in [
        "UPDATE problem SET state = 'triaged', is_open = true",
        "UPDATE problem SET state = 'triaged', is_open = true, round = round + 1",
    ] {
        let error = Error::from(app.sql(text).await.expect_err("it is refused"));
        assert!(matches!(error, Error::Internal(_)), "{error:?}");
    }
}
