//! The closure list: a problem's way from registration to strike-off, who may take which step, what blocks the others,
//! numbers without gaps, and the tenant wall around it all.

use std::collections::BTreeSet;

use chrono::{TimeDelta, TimeZone, Utc};
use concord::domain::{
    Error, file,
    list::{
        evidence::{self, NewEvidence, Subject},
        problem::{
            self, NewProblem,
            moves::{self, Triage, Which},
        },
    },
};
use concord::graphql::id;
use concord_entities::{
    evidence::Stage,
    id::{AccountId, ProblemId, StoredFileId},
    problem::{Channel, Model, Severity, State, Tier},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

/// A file of a person's, waiting to be attached.
pub async fn upload(app: &TestApp, by: AccountId, text: &str) -> StoredFileId {
    try_upload(app, by, text).await.expect("a file")
}

/// The same by somebody who may not be allowed to.
pub async fn try_upload(app: &TestApp, by: AccountId, text: &str) -> Result<StoredFileId, Error> {
    let chunks = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(text.as_bytes().to_vec())]);
    Ok(file::receive(&app.ctx(by), chunks, Some("说明.txt")).await?.id)
}

pub fn pothole(world: &World) -> NewProblem {
    NewProblem {
        alliance_id: world.town,
        title: "路面坑洼".to_owned(),
        description: "第1社区路口路面坑洼，夜间有人摔倒".to_owned(),
        category: "道路".to_owned(),
        place: Some("第1社区路口".to_owned()),
        region_id: world.communities.first().copied(),
        channel: Channel::GridOfficer,
        reporter_name: Some("张三丰".to_owned()),
        reporter_phone: Some("13912345678".to_owned()),
        severity: Severity::Ordinary,
        occurred_at: None,
        evidence: Vec::new(),
    }
}

pub fn which(id: ProblemId) -> Which {
    Which { id, expected_version: None }
}

/// A problem brought as far as `state` through its verbs.
pub async fn problem_in(app: &TestApp, world: &World, state: State) -> Model {
    let mut row = problem::register(&app.ctx(world.grid_officer), pothole(world)).await.expect("registered");
    let id = row.id;
    let lead = world.members[1];
    for step in [
        State::Triaged,
        State::Assigned,
        State::Accepted,
        State::InProgress,
        State::Submitted,
        State::Verified,
        State::StruckOff,
    ] {
        if row.state == state {
            break;
        }
        row = match step {
            State::Triaged => {
                let triage = Triage {
                    tier: Tier::Small,
                    measures: "铺沥青".to_owned(),
                    criterion: "路面平整".to_owned(),
                    is_complex: false,
                };
                moves::triage(&app.ctx(world.committee), which(id), triage).await
            }
            State::Assigned => moves::assign(&app.ctx(world.committee), which(id), lead, None).await,
            State::Accepted => moves::accept(&app.ctx(world.staff), which(id)).await,
            State::InProgress => moves::start(&app.ctx(world.staff), which(id), None).await,
            State::Submitted => {
                show_closure(app, world, id).await;
                moves::submit(&app.ctx(world.staff), which(id)).await
            }
            State::Verified => moves::verify(&app.ctx(world.verifier), which(id), "已平整").await,
            _ => moves::strike_off(&app.ctx(world.approver), which(id)).await,
        }
        .expect("a step on the way");
    }
    row
}

pub async fn show_closure(app: &TestApp, world: &World, id: ProblemId) {
    let new = NewEvidence {
        subject: Subject::Problem(id),
        files: vec![upload(app, world.staff, "已铺沥青").await],
        stage: Stage::Closure,
        note: None,
    };
    evidence::add(&app.ctx(world.staff), new).await.expect("evidence");
}

/// The one number that a statement gives.
pub async fn count(app: &TestApp, text: &str) -> i64 {
    let statement = Statement::from_string(app.app.backend(), text);
    let row = app.app.read.query_one_raw(statement).await.expect("an answer").expect("a row");
    row.try_get("", "n").expect("a number")
}

const FIELDS: &str = "problem { id number state isOpen version reason declinedCount returnedCount verdict
    leadOrganization { name } handler { name } reporterName reporterPhone closedAt
    availableTransitions { mutation available blockers { code } } } userErrors { code field message }";

/// Runs one of the mutations that move a problem.
pub async fn step(app: &TestApp, who: AccountId, mutation: &str, problem: &Value, more: Value) -> Answer {
    let input_type = match mutation {
        "triageProblem" => "TriageProblemInput",
        "assignProblem" => "AssignProblemInput",
        "declineProblem" => "DeclineProblemInput",
        "startProblem" => "StartProblemInput",
        "verifyProblem" => "VerifyProblemInput",
        "returnProblem" | "rejectProblem" | "withdrawProblem" | "recallProblem" | "reopenProblem"
        | "escalateProblem" | "returnEscalation" | "recallEscalation" => "MoveProblemWithReasonInput",
        _ => "MoveProblemInput",
    };
    let mut input = json!({ "problemId": problem });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        input[name] = value;
    }
    let query = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {FIELDS} }} }}");
    app.client(who).send(&query, json!({ "input": input })).await
}

fn state_of<'a>(answer: &'a Answer, mutation: &str) -> &'a Value {
    answer.at(&format!("/{mutation}/problem/state"))
}

pub fn triage() -> Value {
    json!({ "tier": "SMALL", "measures": "铺沥青", "criterion": "路面平整" })
}

const REGISTER: &str = "mutation($input: RegisterProblemInput!) { registerProblem(input: $input) {
    problem { id number state isOpen version reporterName reporterPhone
        evidence { sha256 size mediaType name stage url } }
    userErrors { code field message } } }";

fn registration(world: &World) -> Value {
    json!({
        "allianceId": id::encode(world.town), "title": "路面坑洼", "description": "夜间有人摔倒",
        "category": "道路", "channel": "GRID_OFFICER", "regionId": id::encode(world.communities[0]),
        "reporterName": "张三丰", "reporterPhone": "13912345678", "severity": "LIFE_SAFETY",
    })
}

#[tokio::test]
async fn a_problem_goes_from_registration_to_strike_off_by_way_of_a_return() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut input = registration(&world);
    input["evidenceFileIds"] = json!([id::encode(upload(&app, world.grid_officer, "坑").await)]);
    let answer = app.client(world.grid_officer).send(REGISTER, json!({ "input": input })).await.fine();
    assert_eq!(answer.text("/registerProblem/problem/number"), "西海销〔2026〕0001号");
    assert_eq!(answer.text("/registerProblem/problem/evidence/0/stage"), "REGISTRATION");
    assert_eq!(answer.text("/registerProblem/problem/reporterName"), "张**");
    assert_eq!(answer.text("/registerProblem/problem/reporterPhone"), "139****5678");
    let id = answer.at("/registerProblem/problem/id").clone();

    let answer = step(&app, world.committee, "triageProblem", &id, triage()).await.fine();
    assert_eq!(state_of(&answer, "triageProblem"), "TRIAGED");
    let unit = json!({ "leadOrganizationId": id::encode(world.members[1]), "dueOn": "2026-01-12" });
    let answer = step(&app, world.committee, "assignProblem", &id, unit).await.fine();
    assert_eq!(answer.text("/assignProblem/problem/leadOrganization/name"), "成员单位1-632223");
    let answer = step(&app, world.staff, "acceptProblem", &id, json!({})).await.fine();
    assert_eq!(answer.text("/acceptProblem/problem/handler/name"), "staff");
    step(&app, world.staff, "startProblem", &id, json!({})).await.fine();

    // Without closure evidence there is no closure to ask for.
    let answer = step(&app, world.staff, "submitProblem", &id, json!({})).await;
    assert_eq!(answer.code().as_deref(), Some("EVIDENCE_MISSING"));
    let add = "mutation($input: AddEvidenceInput!) { addEvidence(input: $input) {
        evidence { id sha256 round stage organization { name } addedBy { name } } userErrors { code field } } }";
    let file = upload(&app, world.staff, "已铺沥青").await;
    let input = json!({ "subject": { "problemId": id }, "fileIds": [id::encode(file)], "stage": "CLOSURE" });
    let added = app.client(world.staff).send(add, json!({ "input": input })).await.fine();
    assert_eq!(added.text("/addEvidence/evidence/0/organization/name"), "成员单位1-632223");
    step(&app, world.staff, "submitProblem", &id, json!({})).await.fine();

    let reason = json!({ "reason": "边缘未压实" });
    let answer = step(&app, world.verifier, "returnProblem", &id, reason).await.fine();
    assert_eq!(state_of(&answer, "returnProblem"), "IN_PROGRESS");
    assert_eq!(answer.at("/returnProblem/problem/returnedCount"), 1);
    // What was returned asks for something new: what there was did not do.
    let query = "query($id: ID!) { problem(id: $id) {
        availableTransitions { mutation available blockers { code message } } } }";
    let offered = async || {
        let seen = app.client(world.staff).send(query, json!({ "id": id })).await;
        let all = seen.at("/problem/availableTransitions").as_array().expect("a list").clone();
        all.into_iter().find(|found| found["mutation"] == "submitProblem").expect("the step")
    };
    let blocked = offered().await;
    assert_eq!(blocked["blockers"][0]["code"], "EVIDENCE_MISSING");
    assert!(blocked["blockers"][0]["message"].as_str().expect("a text").contains("2 or more"));
    let answer = step(&app, world.staff, "submitProblem", &id, json!({})).await;
    assert_eq!(answer.code().as_deref(), Some("EVIDENCE_MISSING"));
    show_closure(&app, &world, row_id(&id)).await;
    assert_eq!(offered().await["available"], true);
    step(&app, world.staff, "submitProblem", &id, json!({})).await.fine();
    let answer = step(&app, world.verifier, "verifyProblem", &id, json!({ "verdict": "平整" })).await.fine();
    assert_eq!(state_of(&answer, "verifyProblem"), "VERIFIED");
    assert_eq!(answer.text("/verifyProblem/problem/verdict"), "平整");

    app.advance(TimeDelta::hours(1));
    let answer = step(&app, world.approver, "strikeOffProblem", &id, json!({})).await.fine();
    assert_eq!(state_of(&answer, "strikeOffProblem"), "STRUCK_OFF");
    assert_eq!(answer.at("/strikeOffProblem/problem/isOpen"), false);
    assert_eq!(answer.text("/strikeOffProblem/problem/closedAt"), "2026-01-05T02:00:00Z");
    let open = answer.at("/strikeOffProblem/problem/availableTransitions").as_array().expect("a list");
    assert!(open.iter().all(|transition| transition["available"] == false));
    app.run_background().await;
}

fn row_id(id: &Value) -> ProblemId {
    id::decode(&id.as_str().expect("an id").into(), "id").expect("a problem")
}

#[tokio::test]
async fn evidence_that_came_before_the_return_does_not_count_after_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Submitted).await;
    // Added while the first closure was being looked at, and returned with it.
    show_closure(&app, &world, row.id).await;
    for round in 1..=2 {
        moves::send_back(&app.ctx(world.verifier), which(row.id), "重拍").await.expect("returned");
        let refused = moves::submit(&app.ctx(world.staff), which(row.id)).await.expect_err("nothing new");
        assert_eq!(refused.code().text(), "EVIDENCE_MISSING", "{round}");
        show_closure(&app, &world, row.id).await;
        moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted again");
    }
}

#[tokio::test]
async fn an_event_is_recorded_for_every_step() {
    use concord_entities::event;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let events = event::Entity::find()
        .filter(event::Column::SubjectId.eq(row.id.0))
        .order_by_asc(event::Column::Id)
        .all(&app.app.read)
        .await
        .expect("events");
    let mut kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    // The clock stands still, so ids of one millisecond sort by chance.
    kinds.sort_unstable();
    let expected = [
        "evidence_added",
        "problem_accepted",
        "problem_assigned",
        "problem_registered",
        "problem_started",
        "problem_struck_off",
        "problem_submitted",
        "problem_triaged",
        "problem_verified",
    ];
    assert_eq!(kinds, expected);
    let reporter = events.iter().filter_map(|event| event.payload.as_deref());
    assert!(reporter.clone().all(|payload| !payload.contains("张三丰") && !payload.contains("13912345678")));
    assert!(reporter.clone().any(|payload| payload.contains("\"from\":\"verified\"")));
}

#[tokio::test]
async fn each_step_is_refused_to_whoever_has_no_part_in_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let everyone = [
        world.committee,
        world.approver,
        world.manager,
        world.staff,
        world.other_staff,
        world.officer,
        world.grid_officer,
        world.verifier,
        world.observer,
        world.county_committee,
    ];
    let lead = json!({ "leadOrganizationId": id::encode(world.members[1]) });
    let reason = json!({ "reason": "不属实" });
    let unit = [world.manager, world.staff];
    let steps: [(State, &str, Value, &[AccountId]); 10] = [
        (State::Registered, "triageProblem", triage(), &[world.committee]),
        (State::Triaged, "assignProblem", lead, &[world.committee]),
        (State::Assigned, "acceptProblem", json!({}), &unit),
        (State::Assigned, "declineProblem", reason.clone(), &unit),
        (State::Accepted, "startProblem", json!({}), &unit),
        (State::InProgress, "submitProblem", json!({}), &unit),
        (State::Submitted, "verifyProblem", json!({ "verdict": "好" }), &[world.verifier]),
        (State::Verified, "strikeOffProblem", json!({}), &[world.approver]),
        (State::Registered, "rejectProblem", reason.clone(), &[world.committee]),
        (State::Registered, "withdrawProblem", reason, &[world.committee, world.grid_officer]),
    ];
    for (state, mutation, more, allowed) in steps {
        let row = problem_in(&app, &world, state).await;
        let id = json!(id::encode(row.id));
        for who in everyone.iter().filter(|who| !allowed.contains(who)) {
            let answer = step(&app, *who, mutation, &id, more.clone()).await;
            assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{mutation} by {who}: {:#}", answer.0);
        }
        let query = "query($id: ID!) { problem(id: $id) { id } }";
        assert!(app.anonymous().send(query, json!({ "id": id })).await.at("/problem").is_null());
    }
}

#[tokio::test]
async fn a_verifier_passes_one_and_returns_another_and_nobody_verifies_themselves() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let passed = problem_in(&app, &world, State::Submitted).await;
    let returned = problem_in(&app, &world, State::Submitted).await;
    moves::verify(&app.ctx(world.verifier), which(passed.id), "好").await.expect("passes");
    let back =
        moves::send_back(&app.ctx(world.verifier), which(returned.id), "未完").await.expect("returned");
    assert_eq!(back.state, State::InProgress);
    // What has passed the verifier cannot send back any more; the approver can.
    let again = moves::send_back(&app.ctx(world.verifier), which(passed.id), "反悔").await;
    assert!(matches!(again, Err(Error::Forbidden)));
    let back =
        moves::send_back(&app.ctx(world.approver), which(passed.id), "照片不清").await.expect("returned");
    assert_eq!((back.state, back.verifier_id, back.verdict), (State::InProgress, None, None));

    // The handler gets a verifier's seat for another unit, and still may not verify their own work.
    use concord::domain::identity::seat::{self, NewSeat};
    let new = NewSeat {
        account_id: world.staff,
        alliance_id: world.town,
        role: concord_entities::seat::Role::Verifier,
        organization_id: world.members.get(5).copied(),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let row = problem_in(&app, &world, State::Submitted).await;
    let id = json!(id::encode(row.id));
    let answer = step(&app, world.staff, "verifyProblem", &id, json!({ "verdict": "好" })).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_INDEPENDENT"));
    // So says the list of transitions as well.
    let query = "query($id: ID!) { problem(id: $id) { availableTransitions { mutation available blockers { code message } } } }";
    let answer = app.client(world.staff).send(query, json!({ "id": id })).await;
    let transitions = answer.at("/problem/availableTransitions").as_array().expect("a list").clone();
    let verify = transitions.iter().find(|found| found["mutation"] == "verifyProblem").expect("verification");
    assert_eq!(verify["available"], false);
    assert_eq!(verify["blockers"][0]["code"], "NOT_INDEPENDENT");
    assert!(verify["blockers"][0]["message"].as_str().expect("a text").contains("no part in it"));

    // Nor does a verifier of the responsible unit.
    let colleague = NewSeat {
        account_id: world.manager,
        alliance_id: world.town,
        role: concord_entities::seat::Role::Verifier,
        organization_id: world.members.get(5).copied(),
        region_id: None,
    };
    seat::grant(&app.system(), colleague).await.expect("a seat");
    let answer = step(&app, world.manager, "verifyProblem", &id, json!({ "verdict": "好" })).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_INDEPENDENT"));
}

#[tokio::test]
async fn an_approver_who_handled_or_verified_does_not_strike_off() {
    use concord::domain::identity::seat::{self, NewSeat};
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for who in [world.staff, world.verifier] {
        let new = NewSeat {
            account_id: who,
            alliance_id: world.town,
            role: concord_entities::seat::Role::Approver,
            organization_id: None,
            region_id: None,
        };
        seat::grant(&app.system(), new).await.expect("a seat");
    }
    let row = problem_in(&app, &world, State::Verified).await;
    for who in [world.staff, world.verifier] {
        let answer = step(&app, who, "strikeOffProblem", &json!(id::encode(row.id)), json!({})).await;
        assert_eq!(answer.code().as_deref(), Some("NOT_INDEPENDENT"));
    }
    moves::strike_off(&app.ctx(world.approver), which(row.id)).await.expect("struck off");
}

#[tokio::test]
async fn the_database_itself_refuses_an_unearned_strike_off() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let verified = problem_in(&app, &world, State::Verified).await;
    let postgres = app.app.backend() == DbBackend::Postgres;
    let literal = |id: uuid::Uuid| {
        if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    };
    let one = literal(verified.id.0);
    let strike = |sets: &str| format!("UPDATE problem SET state = 'struck_off', {sets} WHERE id = {one}");
    let approved = format!("approver_id = {}", literal(world.approver.0));
    let staff = literal(world.staff.0);
    let lead = literal(world.members[1].0);
    for (what, sets) in [
        ("without an approver", "approver_id = NULL".to_owned()),
        ("verified by the handler", format!("{approved}, verifier_id = {staff}")),
        ("verified for the responsible unit", format!("{approved}, verifier_organization_id = {lead}")),
        ("unverified", format!("{approved}, verifier_id = NULL")),
        ("without evidence of the round", format!("{approved}, round = 2")),
    ] {
        let refused = app.sql(&strike(&sets)).await.expect_err(what).to_string();
        assert!(refused.contains("strike-off needs evidence"), "{what}: {refused}");
    }
    assert_eq!(app.sql(&strike(&approved)).await.expect("an earned strike-off"), 1);
    let reopened = format!("UPDATE problem SET state = 'in_progress' WHERE id = {one}");
    assert!(app.sql(&reopened).await.is_err(), "struck off stays struck off");
    assert!(app.sql(&format!("UPDATE problem SET seq = 9 WHERE id = {one}")).await.is_err());
    assert!(app.sql(&format!("DELETE FROM problem WHERE id = {one}")).await.is_err());
}

#[tokio::test]
async fn after_two_declines_the_assignment_binds() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Assigned).await;
    let id = json!(id::encode(row.id));
    let proposal =
        json!({ "reason": "职责不在我单位", "proposedOrganizationId": id::encode(world.members[2]) });
    let lead = json!({ "leadOrganizationId": id::encode(world.members[1]) });
    for declined in 1..=2 {
        let answer = step(&app, world.staff, "declineProblem", &id, proposal.clone()).await.fine();
        assert_eq!(state_of(&answer, "declineProblem"), "TRIAGED");
        assert_eq!(answer.at("/declineProblem/problem/declinedCount"), declined);
        assert!(answer.at("/declineProblem/problem/leadOrganization").is_null());
        step(&app, world.committee, "assignProblem", &id, lead.clone()).await.fine();
    }
    let answer = step(&app, world.staff, "declineProblem", &id, proposal).await;
    assert_eq!(answer.code().as_deref(), Some("ASSIGNMENT_BINDS"));
    step(&app, world.staff, "acceptProblem", &id, json!({})).await.fine();
}

#[tokio::test]
async fn bad_input_is_told_by_its_field_and_changes_nothing() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let officer = app.client(world.grid_officer);
    let foreign_file = upload(&app, world.staff, "别人的").await;
    let good = registration(&world);
    let cases: [(&str, Value, &str, Option<&str>); 10] = [
        ("title", json!("  "), "REQUIRED", Some("input.title")),
        ("title", json!("字".repeat(201)), "TOO_LONG", Some("input.title")),
        ("description", json!("a\u{0}b"), "MALFORMED", Some("input.description")),
        ("occurredAt", json!("2026-01-05T01:00:01Z"), "OUT_OF_RANGE", Some("input.occurredAt")),
        ("channel", json!("IMPORT"), "MALFORMED", Some("input.channel")),
        ("regionId", json!(id::encode(there.communities[0])), "OUTSIDE_TERRITORY", Some("input.regionId")),
        ("regionId", json!("x"), "ID_MALFORMED", Some("input.regionId")),
        ("regionId", json!(id::encode(world.town)), "NOT_FOUND", None),
        ("allianceId", json!(id::encode(there.town)), "NOT_FOUND", None),
        ("evidenceFileIds", json!([id::encode(foreign_file)]), "NOT_FOUND", None),
    ];
    for (field, value, code, at) in cases {
        let mut input = good.clone();
        input[field] = value;
        let answer = officer.send(REGISTER, json!({ "input": input })).await;
        assert_eq!(answer.code().as_deref(), Some(code), "{field}: {:#}", answer.0);
        if let Some(at) = at {
            assert_eq!(answer.text("/registerProblem/userErrors/0/field"), at);
        }
    }
    // No number was lost on any of them.
    let answer = officer.send(REGISTER, json!({ "input": good })).await.fine();
    assert_eq!(answer.text("/registerProblem/problem/number"), "西海销〔2026〕0001号");

    let id = answer.at("/registerProblem/problem/id").clone();
    step(&app, world.committee, "triageProblem", &id, triage()).await.fine();
    let foreign = json!({ "leadOrganizationId": id::encode(there.members[1]) });
    let answer = step(&app, world.committee, "assignProblem", &id, foreign).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_A_MEMBER"));
    let past = json!({ "leadOrganizationId": id::encode(world.members[1]), "dueOn": "2026-01-04" });
    let answer = step(&app, world.committee, "assignProblem", &id, past).await;
    assert_eq!(answer.text("/assignProblem/userErrors/0/field"), "input.dueOn");
    let mut stale = triage();
    stale["expectedVersion"] = json!(1);
    let answer = step(&app, world.committee, "triageProblem", &id, stale).await;
    assert_eq!(answer.code().as_deref(), Some("VERSION_CONFLICT"));
    let answer = step(&app, world.approver, "strikeOffProblem", &id, json!({})).await;
    assert_eq!(answer.code().as_deref(), Some("STATE_REFUSED"));
}

#[tokio::test]
async fn another_alliance_sees_and_moves_nothing() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let row = problem_in(&app, &here, State::Submitted).await;
    let id = json!(id::encode(row.id));
    let query = "query($id: ID!, $alliance: ID!, $number: String!) {
        problem(id: $id) { id } node(id: $id) { id }
        problemByNumber(allianceId: $alliance, number: $number) { id }
        problems(filter: { allianceId: $alliance }) { totalCount nodes { id } } }";
    let variables = json!({ "id": id, "alliance": id::encode(here.town), "number": row.number });
    for outsider in [there.committee, there.verifier, there.county_committee, here.stranger] {
        let answer = app.client(outsider).send(query, variables.clone()).await;
        for path in ["/problem", "/node", "/problemByNumber"] {
            assert!(answer.at(path).is_null());
        }
        assert_eq!(answer.at("/problems/totalCount"), 0);
        let answer = step(&app, outsider, "verifyProblem", &id, json!({ "verdict": "好" })).await;
        assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    }
    let answer = app.client(here.county_committee).send(query, variables).await;
    assert_eq!(answer.text("/problemByNumber/id"), id.as_str().expect("an id"));
    assert_eq!(answer.at("/problems/totalCount"), 1);
}

#[tokio::test]
async fn the_list_is_filtered_ordered_and_counted() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let first = problem_in(&app, &world, State::Registered).await;
    app.advance(TimeDelta::hours(1));
    let second = problem_in(&app, &world, State::InProgress).await;
    app.advance(TimeDelta::hours(1));
    let third = problem_in(&app, &world, State::StruckOff).await;
    let ids = async |filter: Value, order: &str| -> Vec<String> {
        let query = format!(
            "query($filter: ProblemFilter) {{ problems(filter: $filter, orderBy: {order}) {{ totalCount nodes {{ id }} }} }}"
        );
        let answer = app.client(world.observer).send(&query, json!({ "filter": filter })).await;
        let nodes = answer.at("/problems/nodes").as_array().expect("nodes").clone();
        assert_eq!(answer.at("/problems/totalCount"), nodes.len());
        nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()).collect()
    };
    let expect =
        |rows: &[&Model]| -> Vec<String> { rows.iter().map(|row| id::encode(row.id).to_string()).collect() };
    assert_eq!(ids(Value::Null, "NUMBER").await, expect(&[&first, &second, &third]));
    assert_eq!(ids(Value::Null, "RECORDED_AT").await, expect(&[&third, &second, &first]));
    assert_eq!(ids(json!({ "open": true }), "NUMBER").await, expect(&[&first, &second]));
    assert_eq!(ids(json!({ "states": ["STRUCK_OFF"] }), "NUMBER").await, expect(&[&third]));
    let unit = json!({ "organizationId": id::encode(world.members[1]), "open": true });
    assert_eq!(ids(unit, "NUMBER").await, expect(&[&second]));
    let region = json!({ "regionId": id::encode(world.county_region) });
    assert_eq!(ids(region, "NUMBER").await.len(), 3);
    let elsewhere = json!({ "regionId": id::encode(world.communities[1]) });
    assert!(ids(elsewhere, "NUMBER").await.is_empty());
    assert_eq!(ids(json!({ "number": second.number }), "NUMBER").await, expect(&[&second]));
    assert_eq!(ids(json!({ "text": "坑洼" }), "NUMBER").await.len(), 3);
    assert!(ids(json!({ "text": "100%_" }), "NUMBER").await.is_empty());
    assert_eq!(ids(json!({ "recordedFrom": "2026-01-05T02:00:00Z" }), "NUMBER").await.len(), 2);
    assert_eq!(ids(json!({ "recordedTo": "2026-01-05T02:00:00Z" }), "NUMBER").await, expect(&[&first]));

    let page = "query($after: String) { problems(orderBy: NUMBER, first: 2, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let answer = app.client(world.observer).send(page, json!({})).await;
    assert_eq!(answer.at("/problems/pageInfo/hasNextPage"), true);
    let after = answer.at("/problems/pageInfo/endCursor").clone();
    let answer = app.client(world.observer).send(page, json!({ "after": after })).await;
    assert_eq!(answer.text("/problems/nodes/0/id"), expect(&[&third])[0]);

    let counts = "query($id: ID!) { alliance(id: $id) { problemCounts {
        total open struckOff closedAtSource month closureRate { value numerator denominator }
        byState { state count } } } }";
    let answer = app.client(world.observer).send(counts, json!({ "id": id::encode(world.town) })).await;
    let counts = answer.at("/alliance/problemCounts");
    assert_eq!((&counts["total"], &counts["open"], &counts["struckOff"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!(counts["month"], "2026-01");
    assert_eq!(
        (&counts["closureRate"]["numerator"], &counts["closureRate"]["denominator"]),
        (&json!(1), &json!(3))
    );
}

#[tokio::test]
async fn the_reporter_is_shown_to_whoever_may_know_and_says_why() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Registered).await;
    let reveal = "mutation($input: RevealReporterInput!) { revealReporter(input: $input) {
        reporterName reporterPhone problem { reporterName } userErrors { code field } } }";
    let input = json!({ "input": { "problemId": id::encode(row.id), "reason": "回访" } });
    for who in [world.staff, world.grid_officer, world.verifier, world.observer] {
        let answer = app.client(who).send(reveal, input.clone()).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    let keyed = app.client(world.committee).keyed("k", 1).send(reveal, input.clone()).await;
    assert_eq!(keyed.code().as_deref(), Some("IDEMPOTENCY_KEY_REFUSED"));
    let blank = json!({ "input": { "problemId": id::encode(row.id), "reason": " " } });
    let answer = app.client(world.committee).send(reveal, blank).await;
    assert_eq!(answer.code().as_deref(), Some("REQUIRED"));
    let answer = app.client(world.committee).send(reveal, input).await.fine();
    assert_eq!(answer.text("/revealReporter/reporterName"), "张三丰");
    assert_eq!(answer.text("/revealReporter/reporterPhone"), "13912345678");
    assert_eq!(answer.text("/revealReporter/problem/reporterName"), "张**");
    let looks = count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'reporter_revealed'").await;
    assert_eq!(looks, 1);
}

#[tokio::test]
async fn a_replayed_registration_answers_with_the_same_problem() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let client = app.client(world.grid_officer);
    let input = json!({ "input": registration(&world) });
    let first = client.keyed("k", 1).send(REGISTER, input.clone()).await.fine();
    let again = client.keyed("k", 1).send(REGISTER, input).await.fine();
    assert_eq!(first.at("/registerProblem/problem/id"), again.at("/registerProblem/problem/id"));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_get_numbers_without_gaps() {
    let app = std::sync::Arc::new(TestApp::new().await);
    let world = World::build(&app, "632223").await;
    let ctx = app.ctx(world.grid_officer);
    let jobs = (0..64).map(|_| {
        let (ctx, new) = (ctx.clone(), pothole(&world));
        tokio::spawn(async move { problem::register(&ctx, new).await.map(|row| row.seq) })
    });
    let mut given = BTreeSet::new();
    for job in jobs.collect::<Vec<_>>() {
        given.insert(job.await.expect("no panic").expect("registered"));
    }
    assert_eq!(given, (1..=64).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_conflicting_steps_exactly_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Submitted).await;
    let jobs: Vec<_> = (0..16)
        .map(|number| {
            let (ctx, id) = (app.ctx(world.verifier), row.id);
            tokio::spawn(async move {
                if number % 2 == 0 {
                    moves::verify(&ctx, which(id), "好").await
                } else {
                    moves::send_back(&ctx, which(id), "不好").await
                }
            })
        })
        .collect();
    let mut won = 0;
    for job in jobs {
        match job.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, Error::Refused(_) | Error::Forbidden), "{error:?}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_number_belongs_to_the_year_where_the_alliance_is() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // An hour before midnight in Beijing, then an hour after it; in UTC it is the same day throughout.
    app.set_now(Utc.with_ymd_and_hms(2026, 12, 31, 15, 0, 0).single().expect("an instant"));
    let old = problem::register(&app.ctx(world.grid_officer), pothole(&world)).await.expect("registered");
    app.advance(TimeDelta::hours(2));
    let new = problem::register(&app.ctx(world.grid_officer), pothole(&world)).await.expect("registered");
    assert_eq!((old.year, old.seq, new.year, new.seq), (2026, 1, 2027, 1));
    assert_eq!(new.number, "西海销〔2027〕0001号");
}
