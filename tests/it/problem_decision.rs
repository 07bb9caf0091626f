//! What is decided above the handler: holding on account, sign-offs before the strike-off, the window for objections, and
//! moves between tiers.

use chrono::{NaiveDate, TimeDelta};
use concord::{
    domain::{
        governance::alliance::{self, AllianceChange},
        identity::seat::{self, NewSeat},
        list::{
            problem::{
                moves,
                on_account::{self, NewHold},
                parts::{self, WhichPart},
                reporter,
            },
            recount,
        },
    },
    graphql::id,
};
use concord_entities::{
    id::AccountId,
    problem::{Model, State},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::problem::{count, problem_in, show_closure, step, triage, which};

const FIELDS: &str = "state isOpen version tier
    onAccount { reason organization { name } reviewOn isReviewDue heldAt heldBy { name } }
    signOffs { round stands signedAt person { name } }
    tierMoves { fromTier toTier forum reason movedAt movedBy { name } }
    availableTransitions { mutation to available blockers { code message } }";

async fn decide(app: &TestApp, who: AccountId, mutation: &str, problem: &Value, more: Value) -> Answer {
    let of = match mutation {
        "holdProblem" => "HoldProblemInput",
        "moveProblemTier" => "MoveProblemTierInput",
        _ => "DecideProblemInput",
    };
    let mut input = json!({ "problemId": problem });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        input[name] = value;
    }
    let query = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{
        problem {{ {FIELDS} }} userErrors {{ code field message }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

async fn see(app: &TestApp, who: AccountId, problem: &Value) -> Value {
    let query = format!("query($id: ID!) {{ problem(id: $id) {{ {FIELDS} }} }}");
    app.client(who).send(&query, json!({ "id": problem })).await.fine().at("/problem").clone()
}

/// The codes that block a step, as its viewer is told; nothing where it can be taken.
async fn blockers(app: &TestApp, who: AccountId, problem: &Value, mutation: &str) -> Vec<String> {
    let seen = see(app, who, problem).await;
    let all = seen["availableTransitions"].as_array().expect("a list").clone();
    let found = all.iter().find(|one| one["mutation"] == mutation).expect("the step");
    let codes = found["blockers"].as_array().expect("blockers");
    codes.iter().map(|blocker| blocker["code"].as_str().expect("a code").to_owned()).collect()
}

async fn seated(app: &TestApp, world: &World, account_id: AccountId, role: Role, unit: Option<usize>) {
    let organization_id = unit.map(|unit| world.members[unit]);
    let new = NewSeat { account_id, alliance_id: world.town, role, organization_id, region_id: None };
    seat::grant(&app.system(), new).await.expect("a seat");
}

async fn settle(app: &TestApp, world: &World, change: AllianceChange) {
    let row = alliance::find(&app.system(), world.town).await.expect("a read").expect("the town");
    alliance::update(&app.ctx(world.committee), world.town, row.version, change).await.expect("settled");
}

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

fn new_hold() -> NewHold {
    NewHold { reason: "待管网改造".to_owned(), organization_id: None, review_on: day(2026, 3, 1) }
}

fn hold_input() -> Value {
    json!({ "reason": "待管网改造", "reviewOn": "2026-03-01" })
}

fn id_of(row: &Model) -> Value {
    json!(id::encode(row.id))
}

#[tokio::test]
async fn a_problem_is_held_on_account_and_resumed() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let problem = id_of(&row);
    let mut input = hold_input();
    input["organizationId"] = json!(id::encode(world.members[3]));
    let answer = decide(&app, world.committee, "holdProblem", &problem, input).await.fine();
    let held = answer.at("/holdProblem/problem").clone();
    assert_eq!((&held["state"], &held["isOpen"]), (&json!("ON_ACCOUNT"), &json!(true)));
    let account = &held["onAccount"];
    assert_eq!(account["reason"], "待管网改造");
    assert_eq!(account["organization"]["name"], "成员单位3-632223");
    assert_eq!((&account["reviewOn"], &account["isReviewDue"]), (&json!("2026-03-01"), &json!(false)));
    assert_eq!(
        (&account["heldAt"], &account["heldBy"]["name"]),
        (&json!("2026-01-05T01:00:00Z"), &json!("committee"))
    );
    // It counts as open, in a column of its own, and a recount agrees.
    let counts = "query($id: ID!) { alliance(id: $id) { problemCounts { open byState { state count } } } }";
    let seen = app.client(world.observer).send(counts, json!({ "id": id::encode(world.town) })).await.fine();
    assert_eq!(seen.at("/alliance/problemCounts/open"), 1);
    let by_state = seen.at("/alliance/problemCounts/byState").as_array().expect("states").clone();
    assert!(by_state.contains(&json!({ "state": "ON_ACCOUNT", "count": 1 })), "{by_state:?}");
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    // Nothing but the resumption moves it.
    let submitted = step(&app, world.staff, "submitProblem", &problem, json!({})).await;
    assert_eq!(submitted.code().as_deref(), Some("STATE_REFUSED"));
    // The day of its review comes where the alliance is: eight hours ahead.
    let due = async |wanted: bool| {
        let query = "query($filter: ProblemFilter) { problems(filter: $filter) { totalCount } }";
        let filter = json!({ "filter": { "reviewDue": wanted } });
        app.client(world.staff).send(query, filter).await.fine().at("/problems/totalCount").clone()
    };
    assert_eq!((due(true).await, due(false).await), (json!(0), json!(1)));
    app.set_now("2026-02-28T16:00:00Z".parse().expect("an instant"));
    assert_eq!((due(true).await, due(false).await), (json!(1), json!(0)));
    assert_eq!(see(&app, world.staff, &problem).await["onAccount"]["isReviewDue"], true);

    let answer = decide(&app, world.approver, "resumeProblem", &problem, json!({})).await.fine();
    let resumed = answer.at("/resumeProblem/problem");
    assert_eq!((&resumed["state"], &resumed["onAccount"]), (&json!("IN_PROGRESS"), &Value::Null));
    assert_eq!((due(true).await, due(false).await), (json!(0), json!(1)));
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    // From acceptance as well, and back to work from there.
    let accepted = problem_in(&app, &world, State::Accepted).await;
    let new = NewHold { review_on: day(2026, 4, 1), ..new_hold() };
    let held = on_account::hold(&app.ctx(world.approver), which(accepted.id), new).await.expect("held");
    assert_eq!((held.state, held.held_organization_id), (State::OnAccount, Some(world.members[1])));
    let back = on_account::resume(&app.ctx(world.committee), which(accepted.id)).await.expect("resumed");
    assert_eq!(back.state, State::InProgress);
    app.run_background().await;
}

#[tokio::test]
async fn whoever_answers_for_a_held_problem_is_reminded_once_on_its_day_of_review() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let hold = async |review_on| {
        let new = NewHold { organization_id: Some(world.members[2]), review_on, ..new_hold() };
        on_account::hold(&app.ctx(world.approver), which(row.id), new).await.expect("held");
    };
    let told = async |who| {
        let query = "{ inbox(filter: { kind: DUE }, first: 20) { nodes { event { kind } } } }";
        let seen = app.client(who).run(query).await.fine();
        let nodes = seen.at("/inbox/nodes").as_array().expect("entries").clone();
        nodes.iter().filter(|entry| entry["event"]["kind"] == "PROBLEM_REVIEW_DUE").count()
    };
    hold(day(2026, 3, 1)).await;
    // The minute before midnight where the alliance is, which is eight hours ahead.
    app.set_now("2026-02-28T15:59:00Z".parse().expect("an instant"));
    app.run_background().await;
    assert_eq!((told(world.other_staff).await, told(world.committee).await), (0, 0));
    app.set_now("2026-02-28T16:00:00Z".parse().expect("an instant"));
    app.run_background().await;
    app.advance(TimeDelta::days(1));
    app.run_background().await;
    assert_eq!((told(world.other_staff).await, told(world.committee).await), (1, 1));
    // The unit that leads is concerned by everything about the problem.
    assert_eq!((told(world.staff).await, told(world.observer).await), (1, 0));
    // Held anew, it is told of anew; what is taken off account is not.
    on_account::resume(&app.ctx(world.committee), which(row.id)).await.expect("resumed");
    hold(day(2026, 4, 1)).await;
    app.set_now("2026-04-02T01:00:00Z".parse().expect("an instant"));
    app.run_background().await;
    assert_eq!(told(world.other_staff).await, 2);
    on_account::resume(&app.ctx(world.committee), which(row.id)).await.expect("resumed");
    hold(day(2026, 5, 1)).await;
    on_account::resume(&app.ctx(world.committee), which(row.id)).await.expect("resumed");
    app.set_now("2026-05-02T01:00:00Z".parse().expect("an instant"));
    app.run_background().await;
    assert_eq!(told(world.other_staff).await, 2);
}

#[tokio::test]
async fn a_problem_is_held_from_above_the_handler_alone() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let row = problem_in(&app, &world, State::InProgress).await;
    let problem = id_of(&row);
    for who in [world.manager, world.staff, world.other_staff, world.officer, world.verifier, world.observer]
    {
        for (mutation, more) in [("holdProblem", hold_input()), ("resumeProblem", json!({}))] {
            let refused = decide(&app, who, mutation, &problem, more).await;
            assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"), "{mutation} by {who}");
        }
    }
    for who in [there.committee, there.approver, world.stranger] {
        let refused = decide(&app, who, "holdProblem", &problem, hold_input()).await;
        assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));
    }
    // An approver who also acts for the unit that handles it is not above it; nor for one that shares it.
    seated(&app, &world, world.manager, Role::Approver, None).await;
    assert_eq!(blockers(&app, world.manager, &problem, "holdProblem").await, ["HELD_FROM_ABOVE"]);
    let refused = decide(&app, world.manager, "holdProblem", &problem, hold_input()).await;
    assert_eq!(refused.code().as_deref(), Some("HELD_FROM_ABOVE"));
    seated(&app, &world, world.other_staff, Role::Approver, None).await;
    parts::add(&app.ctx(world.committee), which(row.id), world.members[2]).await.expect("shared");
    let refused = decide(&app, world.other_staff, "holdProblem", &problem, hold_input()).await;
    assert_eq!(refused.code().as_deref(), Some("HELD_FROM_ABOVE"));
    assert!(blockers(&app, world.approver, &problem, "holdProblem").await.is_empty());

    let foreign = json!(id::encode(there.members[1]));
    for (field, value, code) in [
        ("reason", json!("  "), "REQUIRED"),
        ("reviewOn", json!("2026-01-05"), "OUT_OF_RANGE"),
        ("reviewOn", json!("2036-02-01"), "OUT_OF_RANGE"),
        ("organizationId", foreign, "NOT_A_MEMBER"),
        ("expectedVersion", json!(1), "VERSION_CONFLICT"),
    ] {
        let mut input = hold_input();
        input[field] = value;
        let refused = decide(&app, world.committee, "holdProblem", &problem, input).await;
        assert_eq!(refused.code().as_deref(), Some(code), "{field}");
        assert_eq!(refused.text("/holdProblem/userErrors/0/field"), format!("input.{field}"));
    }
    let early = decide(&app, world.committee, "resumeProblem", &problem, json!({})).await;
    assert_eq!(early.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem WHERE held_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn as_many_sign_off_as_the_alliance_wants() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for who in [world.stranger, world.observer, world.verifier, world.staff] {
        seated(&app, &world, who, Role::Approver, None).await;
    }
    let row = problem_in(&app, &world, State::Verified).await;
    let problem = id_of(&row);
    // One is enough where the alliance says nothing: the strike-off itself.
    let needless = decide(&app, world.approver, "signOffProblem", &problem, json!({})).await;
    assert_eq!(needless.code().as_deref(), Some("SIGN_OFFS_COMPLETE"));
    assert_eq!(blockers(&app, world.approver, &problem, "signOffProblem").await, ["SIGN_OFFS_COMPLETE"]);
    assert!(blockers(&app, world.approver, &problem, "strikeOffProblem").await.is_empty());

    settle(&app, &world, AllianceChange { sign_offs: Some(3), ..AllianceChange::default() }).await;
    assert_eq!(blockers(&app, world.approver, &problem, "strikeOffProblem").await, ["SIGN_OFFS_MISSING"]);
    let early = step(&app, world.approver, "strikeOffProblem", &problem, json!({})).await;
    assert_eq!(early.code().as_deref(), Some("SIGN_OFFS_MISSING"));
    // Who verified or handled it signs nothing.
    for who in [world.verifier, world.staff] {
        assert_eq!(blockers(&app, who, &problem, "signOffProblem").await, ["NOT_INDEPENDENT"]);
        let refused = decide(&app, who, "signOffProblem", &problem, json!({})).await;
        assert_eq!(refused.code().as_deref(), Some("NOT_INDEPENDENT"));
    }
    for who in [world.committee, world.manager, world.officer] {
        let refused = decide(&app, who, "signOffProblem", &problem, json!({})).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let answer = decide(&app, world.approver, "signOffProblem", &problem, json!({})).await.fine();
    assert_eq!(answer.at("/signOffProblem/problem/state"), "VERIFIED");
    assert_eq!(answer.at("/signOffProblem/problem/signOffs/0/stands"), true);
    assert_eq!(blockers(&app, world.approver, &problem, "signOffProblem").await, ["ALREADY_SIGNED_OFF"]);
    let twice = decide(&app, world.approver, "signOffProblem", &problem, json!({})).await;
    assert_eq!(twice.code().as_deref(), Some("ALREADY_SIGNED_OFF"));
    app.advance(TimeDelta::minutes(5));
    decide(&app, world.stranger, "signOffProblem", &problem, json!({})).await.fine();
    // The two who signed cannot be the third.
    assert_eq!(blockers(&app, world.stranger, &problem, "strikeOffProblem").await, ["ALREADY_SIGNED_OFF"]);
    let third = step(&app, world.stranger, "strikeOffProblem", &problem, json!({})).await;
    assert_eq!(third.code().as_deref(), Some("ALREADY_SIGNED_OFF"));

    // A return ends what was signed, and keeps it.
    moves::send_back(&app.ctx(world.approver), which(row.id), "照片不清").await.expect("returned");
    show_closure(&app, &world, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(row.id), "好").await.expect("verified");
    let seen = see(&app, world.approver, &problem).await;
    let stand: Vec<_> =
        seen["signOffs"].as_array().expect("sign-offs").iter().map(|one| &one["stands"]).collect();
    assert_eq!(stand, [false, false]);
    assert_eq!(blockers(&app, world.observer, &problem, "strikeOffProblem").await, ["SIGN_OFFS_MISSING"]);
    app.advance(TimeDelta::minutes(5));
    for who in [world.approver, world.stranger] {
        decide(&app, who, "signOffProblem", &problem, json!({})).await.fine();
    }
    step(&app, world.observer, "strikeOffProblem", &problem, json!({})).await.fine();
    let seen = see(&app, world.approver, &problem).await;
    let stand: Vec<_> =
        seen["signOffs"].as_array().expect("sign-offs").iter().map(|one| &one["stands"]).collect();
    assert_eq!(stand, [false, false, true, true, true]);
    app.run_background().await;
}

#[tokio::test]
async fn the_database_counts_the_sign_offs_itself() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    seated(&app, &world, world.stranger, Role::Approver, None).await;
    let row = problem_in(&app, &world, State::Verified).await;
    settle(&app, &world, AllianceChange { sign_offs: Some(2), ..AllianceChange::default() }).await;
    let postgres = app.app.backend() == DbBackend::Postgres;
    let literal = |id: uuid::Uuid| if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
    let one = literal(row.id.0);
    let strike = |approver: AccountId| {
        format!(
            "UPDATE problem SET state = 'struck_off', approver_id = {} WHERE id = {one}",
            literal(approver.0)
        )
    };
    let refused = app.sql(&strike(world.approver)).await.expect_err("too few").to_string();
    assert!(refused.contains("every sign-off"), "{refused}");
    moves::sign_off(&app.ctx(world.approver), which(row.id)).await.expect("signed off");
    let refused = app.sql(&strike(world.approver)).await.expect_err("the same one twice").to_string();
    assert!(refused.contains("every sign-off"), "{refused}");
    // What was signed before a return does not count after it.
    let returned =
        |by: i32| format!("UPDATE problem SET returned_count = returned_count + {by} WHERE id = {one}");
    app.sql(&returned(1)).await.expect("returned");
    assert!(app.sql(&strike(world.stranger)).await.is_err());
    app.sql(&returned(-1)).await.expect("as before");
    assert_eq!(app.sql(&strike(world.stranger)).await.expect("an earned strike-off"), 1);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_sign_off").await, 2);
}

#[tokio::test]
async fn an_assignment_is_declined_within_the_objection_window() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let reason = json!({ "reason": "职责不在我单位" });
    let at_its_end = problem_in(&app, &world, State::Assigned).await;
    let too_late = problem_in(&app, &world, State::Assigned).await;
    let shared = problem_in(&app, &world, State::Assigned).await;
    parts::add(&app.ctx(world.committee), which(shared.id), world.members[2]).await.expect("shared");
    let part = WhichPart { problem: which(shared.id), organization: world.members[2] };
    app.advance(TimeDelta::hours(24));
    step(&app, world.staff, "declineProblem", &id_of(&at_its_end), reason.clone()).await.fine();
    app.advance(TimeDelta::seconds(1));
    let problem = id_of(&too_late);
    assert_eq!(blockers(&app, world.staff, &problem, "declineProblem").await, ["OBJECTION_WINDOW_CLOSED"]);
    let refused = step(&app, world.staff, "declineProblem", &problem, reason.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("OBJECTION_WINDOW_CLOSED"));
    // The end is told as the clock on the wall of the alliance shows it.
    assert!(refused.text("/declineProblem/userErrors/0/message").contains("2026-01-06 09:00"));
    let refused = parts::decline(&app.ctx(world.other_staff), part, "非本单位").await.expect_err("too late");
    assert_eq!(refused.code().text(), "OBJECTION_WINDOW_CLOSED");
    let query = "query($id: ID!) { problem(id: $id) { parts { availableTransitions { mutation blockers { code } } } } }";
    let seen = app.client(world.other_staff).send(query, json!({ "id": id_of(&shared) })).await.fine();
    assert!(seen.0.to_string().contains("OBJECTION_WINDOW_CLOSED"));
    // A longer window, and none at all.
    settle(&app, &world, AllianceChange { objection_hours: Some(48), ..AllianceChange::default() }).await;
    assert!(blockers(&app, world.staff, &problem, "declineProblem").await.is_empty());
    app.advance(TimeDelta::days(30));
    assert_eq!(blockers(&app, world.staff, &problem, "declineProblem").await, ["OBJECTION_WINDOW_CLOSED"]);
    settle(&app, &world, AllianceChange { objection_hours: Some(0), ..AllianceChange::default() }).await;
    step(&app, world.staff, "declineProblem", &problem, reason).await.fine();
    parts::decline(&app.ctx(world.other_staff), part, "非本单位").await.expect("no limit");
}

#[tokio::test]
async fn an_alliance_settles_sign_offs_and_objections_within_bounds() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let query = "mutation($input: UpdateAllianceInput!) { updateAlliance(input: $input) {
        alliance { signOffs objectionHours version } userErrors { code field } } }";
    let update = async |who: AccountId, field: &str, value: i32| {
        let row = alliance::find(&app.system(), world.town).await.expect("a read").expect("the town");
        let mut input = json!({ "allianceId": id::encode(world.town), "expectedVersion": row.version });
        input[field] = json!(value);
        app.client(who).send(query, json!({ "input": input })).await
    };
    for (field, value) in [("signOffs", 0), ("signOffs", 4), ("objectionHours", -1), ("objectionHours", 721)]
    {
        let refused = update(world.committee, field, value).await;
        assert_eq!(refused.code().as_deref(), Some("OUT_OF_RANGE"));
        assert_eq!(refused.text("/updateAlliance/userErrors/0/field"), format!("input.{field}"));
    }
    let refused = update(world.approver, "signOffs", 2).await;
    assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    let answer = update(world.committee, "signOffs", 2).await.fine();
    let settled = answer.at("/updateAlliance/alliance");
    assert_eq!((&settled["signOffs"], &settled["objectionHours"]), (&json!(2), &json!(24)));
}

#[tokio::test]
async fn every_move_between_tiers_is_kept_with_forum_and_reason() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Registered).await;
    let problem = id_of(&row);
    let early = json!({ "tier": "HARD", "forum": "COUNCIL", "reason": "居民意见不一" });
    let refused = decide(&app, world.committee, "moveProblemTier", &problem, early.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"));
    step(&app, world.committee, "triageProblem", &problem, triage()).await.fine();
    // Triaged anew into the same tier nothing moves; into another one a reason is due.
    step(&app, world.committee, "triageProblem", &problem, triage()).await.fine();
    let mut again = triage();
    again["tier"] = json!("BIG");
    let refused = step(&app, world.committee, "triageProblem", &problem, again.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("REQUIRED"));
    assert_eq!(refused.text("/triageProblem/userErrors/0/field"), "input.tierReason");
    again["tierReason"] = json!("张三丰称须物业出资");
    again["forum"] = json!("PROPERTY_FIRM");
    step(&app, world.committee, "triageProblem", &problem, again).await.fine();
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[1], None).await.expect("assigned");
    app.advance(TimeDelta::hours(2));
    let answer = decide(&app, world.committee, "moveProblemTier", &problem, early.clone()).await.fine();
    let moved = answer.at("/moveProblemTier/problem");
    assert_eq!((&moved["state"], &moved["tier"]), (&json!("ASSIGNED"), &json!("HARD")));
    let told: Vec<_> = moved["tierMoves"]
        .as_array()
        .expect("moves")
        .iter()
        .map(|one| (one["fromTier"].as_str(), one["toTier"].as_str(), one["forum"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (None, Some("SMALL"), Some("COMMITTEE")),
            (Some("SMALL"), Some("BIG"), Some("PROPERTY_FIRM")),
            (Some("BIG"), Some("HARD"), Some("COUNCIL")),
        ]
    );
    let last = &moved["tierMoves"][2];
    assert_eq!((&last["reason"], &last["movedBy"]["name"]), (&json!("居民意见不一"), &json!("committee")));
    assert_eq!(last["movedAt"], "2026-01-05T03:00:00Z");

    let same = decide(&app, world.committee, "moveProblemTier", &problem, early.clone()).await;
    assert_eq!(same.code().as_deref(), Some("TIER_UNCHANGED"));
    let blank = json!({ "tier": "SMALL", "forum": "RESIDENTS", "reason": " " });
    let blank = decide(&app, world.committee, "moveProblemTier", &problem, blank).await;
    assert_eq!(blank.code().as_deref(), Some("REQUIRED"));
    for who in [world.staff, world.approver, world.verifier, world.officer, world.observer] {
        let refused = decide(&app, who, "moveProblemTier", &problem, early.clone()).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let outside = decide(&app, world.stranger, "moveProblemTier", &problem, early.clone()).await;
    assert_eq!(outside.code().as_deref(), Some("NOT_FOUND"));
    let submitted = id_of(&problem_in(&app, &world, State::Submitted).await);
    let late = decide(&app, world.committee, "moveProblemTier", &submitted, early).await;
    assert_eq!(late.code().as_deref(), Some("STATE_REFUSED"));
    // A reason that names a reporter who is erased goes whole; the move stays.
    reporter::erase(&app.ctx(world.committee), which(row.id), "本人申请").await.expect("erased");
    let seen = see(&app, world.committee, &problem).await;
    let reasons: Vec<_> =
        seen["tierMoves"].as_array().expect("moves").iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, [&Value::Null, &Value::Null, &json!("居民意见不一")]);
    app.run_background().await;
}

#[tokio::test]
async fn every_decision_takes_at_most_five_statements_and_two_more_where_it_moves_deadlines() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    seated(&app, &world, world.stranger, Role::Approver, None).await;
    let running = id_of(&problem_in(&app, &world, State::InProgress).await);
    let verified = id_of(&problem_in(&app, &world, State::Verified).await);
    settle(&app, &world, AllianceChange { sign_offs: Some(2), ..AllianceChange::default() }).await;
    let tier = json!({ "tier": "HARD", "forum": "COUNCIL", "reason": "居民意见不一" });
    for (problem, who, mutation, more, most) in [
        // The units' clocks are read and written too.
        (&running, world.committee, "moveProblemTier", tier, 7),
        (&running, world.committee, "holdProblem", hold_input(), 5),
        (&running, world.committee, "resumeProblem", json!({}), 7),
        (&verified, world.approver, "signOffProblem", json!({}), 5),
    ] {
        let (answer, statements) =
            app.statements(async || decide(&app, who, mutation, problem, more).await).await;
        answer.fine();
        // What the deadlines are computed with is read ahead.
        let within: Vec<_> =
            statements.iter().filter(|sql| !sql.contains("LEFT JOIN \"deadline_policy\"")).collect();
        let event = within.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
        assert!(event < most, "{mutation}: {within:#?}");
    }
    let (answer, statements) = app
        .statements(async || step(&app, world.stranger, "strikeOffProblem", &verified, json!({})).await)
        .await;
    answer.fine();
    let event = statements.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
    // What was asked for, and nobody decided, ends with the problem.
    assert!(event < 6, "{statements:#?}");
}

#[tokio::test]
async fn a_decision_that_is_sent_again_is_made_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let input = json!({ "problemId": id_of(&row), "reason": "待管网改造", "reviewOn": "2026-03-01" });
    let query = "mutation($input: HoldProblemInput!) { holdProblem(input: $input) {
        problem { state version } userErrors { code } } }";
    let mut answers = Vec::new();
    for _ in 0..2 {
        let client = app.client(world.committee).keyed("hold-1", 7);
        answers.push(client.send(query, json!({ "input": input })).await.fine().0.to_string());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_held'").await, 1);
}
