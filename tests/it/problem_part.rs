//! Joint handling: one unit leads, others share the work, each with a part of its own; the whole waits for all of them.

use concord::{
    domain::list::{
        evidence::{self, NewEvidence, Subject},
        problem::{
            moves,
            parts::{self, WhichPart},
        },
    },
    graphql::id,
};
use concord_entities::{
    evidence::Stage,
    id::{AccountId, OrganizationId, ProblemId},
    problem::{Model, State},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::problem::{count, problem_in, show_closure, step, upload, which};

const FIELDS: &str =
    "problem { state version parts { organization { name } duty state handler { name } reason declinedCount
    acceptedAt doneAt evidence { name } availableTransitions { mutation to available blockers { code } } } }
    userErrors { code field message }";

/// Runs one of the mutations that move a part.
async fn part(
    app: &TestApp,
    who: AccountId,
    mutation: &str,
    problem: &Value,
    unit: OrganizationId,
    more: Value,
) -> Answer {
    let of = match mutation {
        "declineProblemPart" | "reopenProblemPart" | "removeProblemPart" => "MoveProblemPartWithReasonInput",
        _ => "MoveProblemPartInput",
    };
    let mut input = json!({ "problemId": problem, "organizationId": id::encode(unit) });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        input[name] = value;
    }
    let query = format!("mutation($input: {of}!) {{ {mutation}(input: $input) {{ {FIELDS} }} }}");
    app.client(who).send(&query, json!({ "input": input })).await
}

/// A problem that `members[1]` leads and the others named share.
async fn shared(app: &TestApp, world: &World, with: &[usize]) -> Model {
    let row = problem_in(app, world, State::Triaged).await;
    let joint: Vec<_> = with.iter().map(|unit| world.members[*unit]).collect();
    moves::assign_jointly(&app.ctx(world.committee), which(row.id), world.members[1], &joint, None)
        .await
        .expect("assigned jointly")
}

fn of(problem: ProblemId, unit: OrganizationId) -> WhichPart {
    WhichPart { problem: which(problem), organization: unit }
}

pub async fn bring(app: &TestApp, who: AccountId, problem: ProblemId) {
    let new = NewEvidence {
        subject: Subject::Problem(problem),
        files: vec![upload(app, who, "本单位已完成").await],
        stage: Stage::Closure,
        note: None,
    };
    evidence::add(&app.ctx(who), new).await.expect("evidence");
}

/// The part of `members[2]` carried through to its end.
async fn finish(app: &TestApp, world: &World, problem: ProblemId) {
    let (ctx, which) = (app.ctx(world.other_staff), of(problem, world.members[2]));
    parts::accept(&ctx, which).await.expect("accepted");
    parts::start(&ctx, which).await.expect("started");
    bring(app, world.other_staff, problem).await;
    parts::finish(&ctx, which).await.expect("finished");
}

#[tokio::test]
async fn the_whole_is_submitted_when_every_part_is_done() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Triaged).await;
    let problem = json!(id::encode(row.id));
    let units = json!({ "leadOrganizationId": id::encode(world.members[1]),
        "jointOrganizationIds": [id::encode(world.members[2])] });
    step(&app, world.committee, "assignProblem", &problem, units).await.fine();
    let unit = world.members[2];
    let blockers = async |mutation: &str| -> Vec<String> {
        let query =
            "query($id: ID!) { problem(id: $id) { availableTransitions { mutation blockers { code } } } }";
        let seen = app.client(world.staff).send(query, json!({ "id": problem })).await.fine();
        let all = seen.at("/problem/availableTransitions").as_array().expect("a list").clone();
        let found = all.iter().find(|one| one["mutation"] == mutation).expect("the step").clone();
        let codes = found["blockers"].as_array().expect("blockers").clone();
        codes.iter().map(|blocker| blocker["code"].as_str().expect("a code").to_owned()).collect()
    };
    // The first receiver leads, and cannot hand the matter back.
    assert_eq!(blockers("declineProblem").await, ["FIRST_RECEIVER_LEADS"]);
    let back = step(&app, world.staff, "declineProblem", &problem, json!({ "reason": "非本单位" })).await;
    assert_eq!(back.code().as_deref(), Some("FIRST_RECEIVER_LEADS"));
    step(&app, world.staff, "acceptProblem", &problem, json!({})).await.fine();

    // A part runs at its own pace: accepted, begun and done before the leading unit has begun.
    let answer = part(&app, world.other_staff, "acceptProblemPart", &problem, unit, json!({})).await.fine();
    let seen = answer.at("/acceptProblemPart/problem/parts").clone();
    assert_eq!((&seen[0]["duty"], &seen[0]["state"]), (&json!("LEAD"), &json!("ACCEPTED")));
    assert_eq!((&seen[1]["duty"], &seen[1]["state"]), (&json!("JOINT"), &json!("ACCEPTED")));
    assert_eq!(seen[1]["handler"]["name"], "other");
    part(&app, world.other_staff, "startProblemPart", &problem, unit, json!({})).await.fine();
    let early = part(&app, world.other_staff, "finishProblemPart", &problem, unit, json!({})).await;
    assert_eq!(early.code().as_deref(), Some("PART_EVIDENCE_MISSING"));
    assert!(early.text("/finishProblemPart/userErrors/0/message").contains('1'));

    // Evidence of the leading unit is not that of the part.
    step(&app, world.staff, "startProblem", &problem, json!({})).await.fine();
    show_closure(&app, &world, row.id).await;
    let early = part(&app, world.other_staff, "finishProblemPart", &problem, unit, json!({})).await;
    assert_eq!(early.code().as_deref(), Some("PART_EVIDENCE_MISSING"));
    assert_eq!(blockers("submitProblem").await, ["PARTS_UNFINISHED"]);
    let early = step(&app, world.staff, "submitProblem", &problem, json!({})).await;
    assert_eq!(early.code().as_deref(), Some("PARTS_UNFINISHED"));

    bring(&app, world.other_staff, row.id).await;
    let answer = part(&app, world.other_staff, "finishProblemPart", &problem, unit, json!({})).await.fine();
    let seen = answer.at("/finishProblemPart/problem/parts/1").clone();
    assert_eq!((&seen["state"], &seen["doneAt"]), (&json!("DONE"), &json!("2026-01-05T01:00:00Z")));
    assert_eq!(seen["evidence"].as_array().map(Vec::len), Some(1));
    assert!(blockers("submitProblem").await.is_empty());
    step(&app, world.staff, "submitProblem", &problem, json!({})).await.fine();

    // What is with the verifier no unit changes; what comes back every unit works on again.
    let late =
        part(&app, world.committee, "reopenProblemPart", &problem, unit, json!({ "reason": "再查" })).await;
    assert_eq!(late.code().as_deref(), Some("STATE_REFUSED"));
    let (returned, statements) = app
        .statements(async || {
            step(&app, world.verifier, "returnProblem", &problem, json!({ "reason": "未完" })).await
        })
        .await;
    returned.fine();
    let event = statements.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
    assert!(event < 5, "{statements:#?}");
    assert_eq!(blockers("submitProblem").await, ["PARTS_UNFINISHED"]);
    show_closure(&app, &world, row.id).await;
    part(&app, world.other_staff, "finishProblemPart", &problem, unit, json!({})).await.fine();
    step(&app, world.staff, "submitProblem", &problem, json!({})).await.fine();
    step(&app, world.verifier, "verifyProblem", &problem, json!({ "verdict": "好" })).await.fine();
    let answer = step(&app, world.approver, "strikeOffProblem", &problem, json!({})).await.fine();
    assert_eq!(answer.text("/strikeOffProblem/problem/state"), "STRUCK_OFF");
    app.run_background().await;
}

#[tokio::test]
async fn a_joint_unit_declines_its_part_and_the_committee_decides() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = shared(&app, &world, &[2, 3]).await;
    let (problem, unit) = (json!(id::encode(row.id)), world.members[2]);
    let reason = json!({ "reason": "不属本单位职责" });
    for declined in 1..=2 {
        let answer =
            part(&app, world.other_staff, "declineProblemPart", &problem, unit, reason.clone()).await.fine();
        let all = answer.at("/declineProblemPart/problem/parts").as_array().expect("parts").clone();
        let own = all.iter().find(|one| one["state"] == "DECLINED").expect("the part that was declined");
        assert_eq!((&own["declinedCount"], &own["reason"]), (&json!(declined), &json!("不属本单位职责")));
        let again = part(&app, world.other_staff, "acceptProblemPart", &problem, unit, json!({})).await;
        assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
        let insisted = json!({ "reason": "职责清单第三条" });
        let answer = part(&app, world.committee, "reopenProblemPart", &problem, unit, insisted).await.fine();
        let all = answer.at("/reopenProblemPart/problem/parts").as_array().expect("parts").clone();
        assert!(all.iter().any(|one| one["reason"] == "职责清单第三条" && one["state"] == "ASSIGNED"));
    }
    let bound = part(&app, world.other_staff, "declineProblemPart", &problem, unit, reason.clone()).await;
    assert_eq!(bound.code().as_deref(), Some("ASSIGNMENT_BINDS"));
    // The committee takes one part away and gives another unit one.
    let answer =
        part(&app, world.committee, "removeProblemPart", &problem, world.members[3], reason).await.fine();
    assert_eq!(answer.at("/removeProblemPart/problem/parts").as_array().map(Vec::len), Some(2));
    let answer =
        part(&app, world.committee, "addProblemPart", &problem, world.members[4], json!({})).await.fine();
    assert_eq!(answer.at("/addProblemPart/problem/parts").as_array().map(Vec::len), Some(3));
    for (unit, code) in [
        (world.members[4], "ALREADY_EXISTS"),
        (world.members[1], "ALREADY_EXISTS"),
        (OrganizationId(app.system().new_id()), "NOT_A_MEMBER"),
    ] {
        let refused = part(&app, world.committee, "addProblemPart", &problem, unit, json!({})).await;
        assert_eq!(refused.code().as_deref(), Some(code));
        assert_eq!(refused.text("/addProblemPart/userErrors/0/field"), "input.organizationId");
    }
    let lead = part(
        &app,
        world.committee,
        "removeProblemPart",
        &problem,
        world.members[1],
        json!({ "reason": "换" }),
    );
    assert_eq!(lead.await.code().as_deref(), Some("LEAD_HAS_NO_PART"));
    // Once the joint units are gone, the one that is left may decline.
    for unit in [world.members[2], world.members[4]] {
        let gone = json!({ "reason": "另行安排" });
        part(&app, world.committee, "removeProblemPart", &problem, unit, gone).await.fine();
    }
    step(&app, world.staff, "declineProblem", &problem, json!({ "reason": "非本单位" })).await.fine();
    app.run_background().await;
}

#[tokio::test]
async fn a_reopened_part_wants_something_new() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = shared(&app, &world, &[2]).await;
    let problem = json!(id::encode(row.id));
    finish(&app, &world, row.id).await;
    let reason = json!({ "reason": "照片不清" });
    part(&app, world.committee, "reopenProblemPart", &problem, world.members[2], reason).await.fine();
    let early =
        part(&app, world.other_staff, "finishProblemPart", &problem, world.members[2], json!({})).await;
    assert_eq!(early.code().as_deref(), Some("PART_EVIDENCE_MISSING"));
    assert!(early.text("/finishProblemPart/userErrors/0/message").contains('2'));
    bring(&app, world.other_staff, row.id).await;
    part(&app, world.other_staff, "finishProblemPart", &problem, world.members[2], json!({})).await.fine();
}

#[tokio::test]
async fn only_its_own_unit_moves_a_part_and_only_the_committee_shares_one_out() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let row = shared(&app, &world, &[2]).await;
    let (problem, unit) = (json!(id::encode(row.id)), world.members[2]);
    let reason = json!({ "reason": "无故" });
    let inside = [
        world.committee,
        world.approver,
        world.manager,
        world.staff,
        world.officer,
        world.grid_officer,
        world.verifier,
        world.observer,
        world.other_staff,
        world.county_committee,
    ];
    let own = [world.other_staff];
    let steps: [(&str, Value, &[AccountId]); 7] = [
        ("acceptProblemPart", json!({}), &own),
        ("declineProblemPart", reason.clone(), &own),
        ("startProblemPart", json!({}), &own),
        ("finishProblemPart", json!({}), &own),
        ("reopenProblemPart", reason.clone(), &[world.committee]),
        ("removeProblemPart", reason.clone(), &[world.committee]),
        ("addProblemPart", json!({}), &[world.committee]),
    ];
    for (mutation, more, allowed) in &steps {
        for who in inside.iter().filter(|who| !allowed.contains(who)) {
            let answer = part(&app, *who, mutation, &problem, unit, more.clone()).await;
            assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{mutation} by {who}: {:#}", answer.0);
        }
        for who in [there.committee, there.other_staff, world.stranger] {
            let answer = part(&app, who, mutation, &problem, unit, more.clone()).await;
            assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"), "{mutation}");
        }
    }
    // The leading unit's part moves with the problem, and a unit without a part has none.
    for (unit, code) in [
        (world.members[1], "LEAD_HAS_NO_PART"),
        (world.members[5], "NOT_FOUND"),
        (there.members[2], "NOT_FOUND"),
    ] {
        let answer = part(&app, world.staff, "acceptProblemPart", &problem, unit, json!({})).await;
        assert_eq!(answer.code().as_deref(), Some(code));
    }
    let stale =
        part(&app, world.other_staff, "acceptProblemPart", &problem, unit, json!({ "expectedVersion": 1 }));
    assert_eq!(stale.await.code().as_deref(), Some("VERSION_CONFLICT"));
    let blank =
        part(&app, world.other_staff, "declineProblemPart", &problem, unit, json!({ "reason": " " })).await;
    assert_eq!(blank.code().as_deref(), Some("REQUIRED"));
    // A replay answers as the first call did and changes nothing.
    let (ctx, before) = (app.ctx(world.other_staff), row.version);
    let first = parts::accept(&ctx, of(row.id, unit)).await.expect("accepted");
    assert_eq!(first.version, before + 1);
    let again = parts::accept(&ctx, of(row.id, unit)).await.expect_err("accepted already");
    assert_eq!(again.code().text(), "STATE_REFUSED");
}

#[tokio::test]
async fn units_that_share_a_problem_are_told_apart_when_it_is_assigned() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let row = problem_in(&app, &world, State::Triaged).await;
    let problem = json!(id::encode(row.id));
    let units = |lead: OrganizationId, joint: &[OrganizationId]| {
        let joint: Vec<_> = joint.iter().map(|unit| id::encode(*unit)).collect();
        json!({ "leadOrganizationId": id::encode(lead), "jointOrganizationIds": joint })
    };
    let many: Vec<_> = (0..21).map(|_| OrganizationId(app.system().new_id())).collect();
    for (given, code, field) in [
        (units(world.members[1], &[world.members[1]]), "LEAD_IS_JOINT", "jointOrganizationIds"),
        (units(world.members[1], &many), "OUT_OF_RANGE", "jointOrganizationIds"),
        (units(world.members[1], &[there.members[1]]), "NOT_A_MEMBER", "jointOrganizationIds"),
        (units(there.members[1], &[world.members[1]]), "NOT_A_MEMBER", "leadOrganizationId"),
    ] {
        let refused = step(&app, world.committee, "assignProblem", &problem, given).await;
        assert_eq!(refused.code().as_deref(), Some(code));
        assert_eq!(refused.text("/assignProblem/userErrors/0/field"), format!("input.{field}"));
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_responsible").await, 0);
    let three = units(world.members[1], &[world.members[3], world.members[2], world.members[3]]);
    let (answer, statements) =
        app.statements(async || step(&app, world.committee, "assignProblem", &problem, three).await).await;
    answer.fine();
    let event = statements.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
    assert!(event < 6, "{statements:#?}");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_responsible").await, 3);
    // Each of them has it on the list of open work, until its part is done.
    let open = async |who: AccountId| {
        let seen = app.client(who).send("{ myOpenItems { totalCount } }", json!({})).await.fine();
        seen.at("/myOpenItems/totalCount").clone()
    };
    assert_eq!((open(world.staff).await, open(world.other_staff).await), (json!(1), json!(1)));
    finish(&app, &world, row.id).await;
    assert_eq!((open(world.staff).await, open(world.other_staff).await), (json!(1), json!(0)));
    // Taking the assignment back frees all of them.
    step(&app, world.committee, "recallProblem", &problem, json!({ "reason": "改派" })).await.fine();
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_responsible").await, 0);
    // And the joint units hear of it.
    app.run_background().await;
    let inbox = "{ inbox(first: 5) { nodes { event { kind } } } }";
    let told = app.client(world.other_staff).send(inbox, json!({})).await.fine().0.to_string();
    assert!(told.contains("PROBLEM_RECALLED") && told.contains("PROBLEM_ASSIGNED"), "{told}");
}

#[tokio::test]
async fn whoever_handled_a_part_judges_nothing_and_neither_does_their_unit() {
    use concord::domain::identity::seat::{self, NewSeat};
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let seated = async |account_id, role, unit: Option<usize>| {
        let new = NewSeat {
            account_id,
            alliance_id: world.town,
            role,
            organization_id: unit.map(|unit| world.members[unit]),
            region_id: None,
        };
        seat::grant(&app.system(), new).await.expect("a seat")
    };
    let row = shared(&app, &world, &[2]).await;
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
    moves::start(&app.ctx(world.staff), which(row.id), None).await.expect("started");
    // The part is handled by somebody who supplies no evidence and later sits elsewhere.
    let (ctx, part) = (app.ctx(world.other_staff), of(row.id, world.members[2]));
    parts::accept(&ctx, part).await.expect("accepted");
    parts::start(&ctx, part).await.expect("started");
    seated(world.officer, Role::MemberStaff, Some(2)).await;
    bring(&app, world.officer, row.id).await;
    parts::finish(&app.ctx(world.officer), part).await.expect("finished");
    show_closure(&app, &world, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    let problem = json!(id::encode(row.id));
    for who in [world.other_staff, world.officer] {
        seated(who, Role::Verifier, Some(5)).await;
        let refused = step(&app, who, "verifyProblem", &problem, json!({ "verdict": "好" })).await;
        assert_eq!(refused.code().as_deref(), Some("NOT_INDEPENDENT"));
    }
    moves::verify(&app.ctx(world.verifier), which(row.id), "好").await.expect("verified");

    // The database holds it as well, whoever writes the SQL.
    let postgres = app.app.backend() == DbBackend::Postgres;
    let literal = |id: uuid::Uuid| if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) };
    let strike = |sets: &str| {
        format!("UPDATE problem SET state = 'struck_off', {sets} WHERE id = {}", literal(row.id.0))
    };
    let approver = format!("approver_id = {}", literal(world.approver.0));
    for sets in [
        format!("{approver}, verifier_organization_id = {}", literal(world.members[2].0)),
        format!("{approver}, verifier_id = {}", literal(world.other_staff.0)),
        format!("approver_id = {}", literal(world.other_staff.0)),
    ] {
        let refused = app.sql(&strike(&sets)).await.expect_err("it is refused").to_string();
        assert!(refused.contains("strike-off needs evidence"), "{sets}: {refused}");
    }
    assert_eq!(app.sql(&strike(&approver)).await.expect("an earned strike-off"), 1);
}

#[tokio::test]
async fn every_step_of_a_part_takes_at_most_five_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = shared(&app, &world, &[2]).await;
    let (problem, unit) = (json!(id::encode(row.id)), world.members[2]);
    let reason = json!({ "reason": "再办" });
    bring_ready(&app, &world, row.id).await;
    for (who, mutation, more) in [
        (world.other_staff, "finishProblemPart", json!({})),
        (world.committee, "reopenProblemPart", reason.clone()),
        (world.committee, "removeProblemPart", reason.clone()),
        (world.committee, "addProblemPart", json!({})),
        (world.other_staff, "declineProblemPart", reason.clone()),
        (world.committee, "reopenProblemPart", reason.clone()),
        (world.other_staff, "acceptProblemPart", json!({})),
        (world.other_staff, "startProblemPart", json!({})),
    ] {
        let (answer, statements) =
            app.statements(async || part(&app, who, mutation, &problem, unit, more).await).await;
        answer.fine();
        let event =
            statements.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
        // What an alliance settles is read ahead of the unit of work.
        let ahead = statements[..event].iter().filter(|sql| sql.contains("FROM \"alliance\" WHERE")).count();
        // What its unit asked for, and nobody decided, ends with a part.
        let ended = usize::from(mutation == "removeProblemPart");
        assert!(event - ahead - ended < 5, "{mutation}: {statements:#?}");
    }
}

/// The part of `members[2]` in progress, with its evidence.
async fn bring_ready(app: &TestApp, world: &World, problem: ProblemId) {
    let (ctx, which) = (app.ctx(world.other_staff), of(problem, world.members[2]));
    parts::accept(&ctx, which).await.expect("accepted");
    parts::start(&ctx, which).await.expect("started");
    bring(app, world.other_staff, problem).await;
}

#[tokio::test]
async fn whoever_leads_is_told_that_a_part_is_done() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = shared(&app, &world, &[2]).await;
    finish(&app, &world, row.id).await;
    app.run_background().await;
    let told = async |who| {
        let inbox = "{ inbox(first: 20) { nodes { event { kind } } } }";
        app.client(who).run(inbox).await.fine().0.to_string().matches("PROBLEM_PART_FINISHED").count()
    };
    assert_eq!((told(world.staff).await, told(world.manager).await), (1, 1));
    for who in [world.other_staff, world.committee, world.observer, world.stranger] {
        assert_eq!(told(who).await, 0);
    }
}
