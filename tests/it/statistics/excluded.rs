//! What came of asking a reporter leaves the rates by an approver's word, once, and is counted and listed beside them.

use concord::domain::{
    Code,
    identity::seat::{self, NewSeat},
    list::{
        follow_up::{self, NewFollowUp, WhichFollowUp, exclusion},
        problem::reporter,
    },
};
use concord_entities::{
    follow_up::{Kind as Asking, Solved},
    id::FollowUpId,
    seat::Role,
};

use super::{
    setbacks::{JANUARY, listed, town, unit},
    *,
};
use crate::{erasure::traces, problem::count};

const EXCLUDE: &str = "mutation($input: ExcludeFollowUpInput!) { excludeFollowUp(input: $input) {
    followUp { state solved satisfied excludedAt excludedBy { name } exclusionReason version }
    userErrors { code field message } } }";

const REASON: &str = "恶意重复投诉";

fn wanted(id: FollowUpId, reason: &str) -> Value {
    json!({ "input": { "followUpId": id::encode(id), "reason": reason } })
}

async fn asked(app: &TestApp, world: &World, row: &Model) -> WhichFollowUp {
    let wants = NewFollowUp {
        problem: which(row.id),
        reporter_problem_id: None,
        kind: Asking::default(),
        due_on: None,
    };
    let due = follow_up::request(&app.ctx(world.committee), wants).await.expect("due");
    WhichFollowUp { id: due.id, expected_version: None }
}

async fn answer(app: &TestApp, world: &World, of: WhichFollowUp, satisfied: bool) {
    let solved = if satisfied { Solved::Yes } else { Solved::No };
    let answer = follow_up::Answer { solved, satisfied, words: None, note: None };
    follow_up::record_answer(&app.ctx(world.verifier), of, answer).await.expect("answered");
}

/// Makes somebody an approver of the town as well.
async fn approving(app: &TestApp, world: &World, who: AccountId) {
    let new = NewSeat {
        account_id: who,
        alliance_id: world.town,
        role: Role::Approver,
        organization_id: None,
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
}

/// Numerator, denominator and what was excluded of a rate over January.
async fn rate(app: &TestApp, who: AccountId, of: Value, name: &str) -> Value {
    let query = format!(
        "query($input: StatisticsInput!) {{ statistics(input: $input) {{ period {{ {name} {{
            numerator denominator excluded {{ measure count }} }} }} }} }}"
    );
    let answer = app.client(who).send(&query, input(of, JANUARY.0, JANUARY.1)).await;
    answer.at(&format!("/statistics/period/{name}")).clone()
}

/// What the rates say, and which rows each of their figures lists, for the town, a unit and the county.
async fn hold(
    app: &TestApp,
    world: &World,
    shares: [i64; 2],
    left_out: [i64; 3],
    lists: &[(&str, &[&Model])],
) {
    let expected = json!({ "numerator": shares[0], "denominator": shares[1], "excluded": [
        { "measure": "UNREACHABLE", "count": left_out[0] }, { "measure": "CLOSED_UNASKED", "count": left_out[1] },
        { "measure": "EXCLUDED", "count": left_out[2] }] });
    let county = json!({ "allianceId": id::encode(world.county) });
    for (of, who) in
        [(town(world), world.observer), (unit(world, 1), world.observer), (county, world.county_committee)]
    {
        for name in ["resolutionRate", "satisfactionRate"] {
            assert_eq!(rate(app, who, of.clone(), name).await, expected, "{name} of {of}");
        }
        for (measure, rows) in lists {
            let numbers: Vec<String> = rows.iter().map(|row| row.number.clone()).collect();
            assert_eq!(listed(app, who, of.clone(), JANUARY, measure).await, numbers, "{measure} of {of}");
        }
    }
    // Nobody else's.
    assert_eq!(listed(app, world.observer, unit(world, 2), JANUARY, "EXCLUDED").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_an_approver_excludes_leaves_the_rates_and_is_shown_beside_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // One reporter is satisfied, one is not, one is not reached, and one is never asked.
    let content = problem_in(&app, &world, State::StruckOff).await;
    let cross = problem_in(&app, &world, State::Submitted).await;
    let silent = problem_in(&app, &world, State::StruckOff).await;
    let unasked = problem_in(&app, &world, State::StruckOff).await;
    let of_content = asked(&app, &world, &content).await;
    answer(&app, &world, of_content, true).await;
    let of_cross = asked(&app, &world, &cross).await;
    answer(&app, &world, of_cross, false).await;
    let of_silent = asked(&app, &world, &silent).await;
    for hours in [1, 24, 24] {
        app.advance(TimeDelta::hours(hours));
        follow_up::record_try(&app.ctx(world.verifier), of_silent, None).await.expect("tried");
    }
    hold(
        &app,
        &world,
        [1, 2],
        [1, 1, 0],
        &[
            ("ANSWERED", &[&content, &cross]),
            ("RESOLVED", &[&content]),
            ("SATISFIED", &[&content]),
            ("UNREACHABLE", &[&silent]),
            ("CLOSED_UNASKED", &[&unasked]),
            ("EXCLUDED", &[]),
        ],
    )
    .await;

    let done = app.client(world.approver).send(EXCLUDE, wanted(of_cross.id, REASON)).await.fine();
    let told = done.at("/excludeFollowUp/followUp");
    assert_eq!((&told["state"], &told["satisfied"]), (&json!("ANSWERED"), &json!(false)));
    assert_eq!((&told["excludedBy"]["name"], &told["exclusionReason"]), (&json!("approver"), &json!(REASON)));
    assert!(told["excludedAt"].is_string());
    // What the answer brought about stays.
    let back = problem::find(&app.system(), cross.id).await.expect("a read").expect("a row");
    assert_eq!((back.state, back.returned_count), (State::InProgress, 1));
    hold(
        &app,
        &world,
        [1, 1],
        [1, 1, 1],
        &[
            ("ANSWERED", &[&content]),
            ("RESOLVED", &[&content]),
            ("SATISFIED", &[&content]),
            ("UNREACHABLE", &[&silent]),
            ("EXCLUDED", &[&cross]),
        ],
    )
    .await;

    exclusion::exclude(&app.ctx(world.approver), of_silent, "号码登记有误").await.expect("excluded");
    exclusion::exclude(&app.ctx(world.approver), of_content, "代答").await.expect("excluded");
    hold(
        &app,
        &world,
        [0, 0],
        [0, 1, 3],
        &[
            ("ANSWERED", &[]),
            ("UNREACHABLE", &[]),
            ("CLOSED_UNASKED", &[&unasked]),
            ("EXCLUDED", &[&content, &cross, &silent]),
        ],
    )
    .await;
    // Asked anew, the later answer counts; that an earlier one was excluded stays in sight.
    let anew = asked(&app, &world, &content).await;
    answer(&app, &world, anew, true).await;
    hold(
        &app,
        &world,
        [1, 1],
        [0, 1, 3],
        &[("ANSWERED", &[&content]), ("EXCLUDED", &[&content, &cross, &silent])],
    )
    .await;
}

#[tokio::test]
async fn an_answer_is_excluded_once_by_an_independent_approver() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let of = asked(&app, &world, &row).await;
    let refused = async |who: AccountId, reason: &str| {
        let answer = app.client(who).send(EXCLUDE, wanted(of.id, reason)).await;
        answer.code().expect("a refusal")
    };
    // There is nothing to exclude yet.
    assert_eq!(refused(world.approver, REASON).await, "STATE_REFUSED");
    answer(&app, &world, of, false).await;
    for who in [world.committee, world.verifier, world.manager, world.staff, world.officer, world.observer] {
        assert_eq!(refused(who, REASON).await, "FORBIDDEN");
    }
    for who in [world.stranger, world.admin] {
        assert_eq!(refused(who, REASON).await, "NOT_FOUND");
    }
    assert_eq!(refused(world.approver, " ").await, "REQUIRED");
    // Not by an approver of the unit that was responsible in the round asked about, also when another one is now.
    approving(&app, &world, world.manager).await;
    assert_eq!(refused(world.manager, REASON).await, "NOT_INDEPENDENT");
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[2], None).await.expect("assigned");
    assert_eq!(refused(world.manager, REASON).await, "NOT_INDEPENDENT");
    let stale = WhichFollowUp { expected_version: Some(1), ..of };
    let late = exclusion::exclude(&app.ctx(world.approver), stale, REASON).await.expect_err("it changed");
    assert_eq!(late.code(), Code::VersionConflict);
    // A refusal leaves no trace.
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'follow_up_excluded'";
    let excluded =
        "SELECT COUNT(*) AS n FROM follow_up WHERE excluded_at IS NOT NULL OR excluded_by IS NOT NULL
        OR exclusion_reason IS NOT NULL OR version > 2";
    assert_eq!((count(&app, told).await, count(&app, excluded).await), (0, 0));
    // Sent twice under one key it is done once, and answered the same.
    let mut answers = Vec::new();
    for _ in 0..2 {
        let client = app.client(world.approver).keyed("exclude", 1);
        let done = client.send(EXCLUDE, wanted(of.id, REASON)).await.fine();
        answers.push(done.at("/excludeFollowUp").clone());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(count(&app, told).await, 1);
    let again = app.client(world.approver).send(EXCLUDE, wanted(of.id, "再次")).await;
    assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
    let seen = "query($id: ID!) { problem(id: $id) { followUps { exclusionReason excludedBy { name } } } }";
    let seen = app.client(world.observer).send(seen, json!({ "id": id::encode(row.id) })).await.fine();
    // An observer reads no names of people.
    let expected = json!([{ "exclusionReason": REASON, "excludedBy": { "name": "a*******" } }]);
    assert_eq!(seen.at("/problem/followUps"), &expected);
}

#[tokio::test]
async fn a_reason_that_names_the_reporter_goes_with_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let of = asked(&app, &world, &row).await;
    answer(&app, &world, of, true).await;
    let reason = "张三丰本人未接听";
    exclusion::exclude(&app.ctx(world.approver), of, reason).await.expect("excluded");
    reporter::erase(&app.ctx(world.committee), which(row.id), "本人要求").await.expect("erased");
    assert_eq!(traces(&app, &["张三丰"]).await, Vec::<String>::new());
    let left = follow_up::find(&app.ctx(world.approver), of.id).await.expect("a read").expect("a follow-up");
    assert_eq!((left.excluded_by, left.exclusion_reason), (Some(world.approver), None));
    assert_eq!(listed(&app, world.observer, town(&world), JANUARY, "EXCLUDED").await, [row.number]);
}
