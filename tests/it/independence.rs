//! Nobody verifies or strikes off what they once had a hand in, whatever seat they hold by then; an assignment can be taken
//! back; numbers stay unique under any pattern.

use chrono::TimeDelta;
use concord::{
    domain::{
        Ctx,
        governance::membership,
        identity::seat::{self as seats, NewSeat},
        list::{
            evidence::{self, NewEvidence, Subject},
            problem::{
                moves::{self, Which},
                parts::{self, WhichPart},
                round,
            },
        },
    },
    graphql::id,
};
use concord_entities::{
    evidence::Stage,
    id::{AccountId, MembershipId, ProblemId},
    problem::{self, State},
    problem_responsible,
    seat::Role,
};
use concord_tests::{TestApp, World};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    problem::{pothole, problem_in, step, upload},
    whistle::person,
};

const fn which(id: ProblemId) -> Which {
    Which { id, expected_version: None }
}

/// Gives somebody a seat in the town, by the platform itself.
async fn seated(app: &TestApp, world: &World, who: AccountId, role: Role, unit: Option<usize>) {
    let new = NewSeat {
        account_id: who,
        alliance_id: world.town,
        role,
        organization_id: unit.map(|unit| world.members[unit]),
        region_id: None,
    };
    seats::grant(&Ctx::system(&app.app), new).await.expect("a seat");
}

/// Ends the seats that somebody holds for a unit.
async fn unseated(app: &TestApp, world: &World, who: AccountId, unit: usize) {
    use concord_entities::seat::{Column, Entity, State};
    let held = Entity::find()
        .filter(Column::AccountId.eq(who))
        .filter(Column::OrganizationId.eq(world.members[unit]))
        .filter(Column::State.eq(State::Active));
    for seat in held.all(&app.app.read).await.expect("seats") {
        seats::end(&Ctx::system(&app.app), seat.id).await.expect("ended");
    }
}

async fn show(app: &TestApp, who: AccountId, problem: ProblemId) {
    let new = NewEvidence {
        subject: Subject::Problem(problem),
        files: vec![upload(app, who, "已铺沥青").await],
        stage: Stage::Closure,
        note: None,
    };
    evidence::add(&app.ctx(who), new).await.expect("evidence");
}

/// Tries a step that judges; what is refused must not have been offered.
async fn judged(app: &TestApp, who: AccountId, mutation: &str, problem: ProblemId) -> Option<String> {
    let id = json!(id::encode(problem));
    let offered = "query($id: ID!) { problem(id: $id) { availableTransitions { mutation available } } }";
    let seen = app.client(who).send(offered, json!({ "id": id })).await;
    let all = seen.at("/problem/availableTransitions").as_array().expect("a list").clone();
    let available =
        all.iter().find(|one| one["mutation"] == mutation).expect("the step")["available"] == true;
    let more = if mutation == "verifyProblem" { json!({ "verdict": "已平整" }) } else { json!({}) };
    let code = step(app, who, mutation, &id, more).await.code();
    assert_eq!(available, code.is_none(), "{mutation}: {all:#?}");
    code
}

/// A problem that staff accepted and the manager carried through to submission.
async fn passed_on(app: &TestApp, world: &World) -> problem::Model {
    let row = problem_in(app, world, State::Accepted).await;
    moves::start(&app.ctx(world.staff), which(row.id), Some(world.manager)).await.expect("started");
    show(app, world.manager, row.id).await;
    moves::submit(&app.ctx(world.manager), which(row.id)).await.expect("submitted");
    row
}

const NOT_INDEPENDENT: Option<&str> = Some("NOT_INDEPENDENT");

#[tokio::test]
async fn who_once_accepted_a_problem_never_verifies_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = passed_on(&app, &world).await;
    unseated(&app, &world, world.staff, 1).await;
    seated(&app, &world, world.staff, Role::Verifier, Some(3)).await;
    assert_eq!(judged(&app, world.staff, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    assert_eq!(judged(&app, world.verifier, "verifyProblem", row.id).await, None);
    app.run_background().await;
}

#[tokio::test]
async fn a_unit_whose_part_was_taken_away_judges_nothing_of_the_round() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Triaged).await;
    let [lead, worked, idle] = [1, 2, 3].map(|unit| world.members[unit]);
    let committee = app.ctx(world.committee);
    moves::assign_jointly(&committee, which(row.id), lead, &[worked, idle], None).await.expect("assigned");
    let part = WhichPart { problem: which(row.id), organization: worked };
    parts::accept(&app.ctx(world.other_staff), part).await.expect("accepted");
    parts::start(&app.ctx(world.other_staff), part).await.expect("started");
    for unit in [worked, idle] {
        parts::remove(&committee, which(row.id), unit, "分工调整").await.expect("removed");
    }
    // Somebody of each who handled nothing themselves.
    let insider = person(&app, "insider", world.town, Role::Verifier, Some(worked)).await;
    let outsider = person(&app, "outsider", world.town, Role::Verifier, Some(idle)).await;
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
    moves::start(&app.ctx(world.staff), which(row.id), None).await.expect("started");
    show(&app, world.staff, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    assert_eq!(judged(&app, insider, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    // A unit that never took its part on did nothing that it could judge.
    assert_eq!(judged(&app, outsider, "verifyProblem", row.id).await, None);
    // The database refuses a strike-off on the word of the first as well.
    let forged = "UPDATE problem SET state = 'struck_off', is_open = FALSE, verifier_id = v.id,
             verifier_organization_id = u.organization_id, approver_id = a.id
         FROM account v, account a, problem_past_unit u
         WHERE v.username LIKE 'insider%' AND a.username LIKE 'approver%'";
    let refused = app.sql(forged).await.expect_err("it is refused");
    assert!(refused.to_string().contains("independent verifier"), "{refused}");
    assert_eq!(judged(&app, world.approver, "strikeOffProblem", row.id).await, None);
    // In a round of its own it is nobody's any more.
    round::reopen(&committee, which(row.id), "复发").await.expect("reopened");
    moves::assign(&committee, which(row.id), lead, None).await.expect("assigned");
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
    moves::start(&app.ctx(world.staff), which(row.id), None).await.expect("started");
    show(&app, world.staff, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    assert_eq!(judged(&app, insider, "verifyProblem", row.id).await, None);
    app.run_background().await;
}

#[tokio::test]
async fn who_supplied_the_closure_evidence_never_verifies_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    show(&app, world.verifier, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    assert_eq!(judged(&app, world.verifier, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    app.run_background().await;
}

#[tokio::test]
async fn who_once_asked_for_closure_never_verifies_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    show(&app, world.staff, row.id).await;
    moves::submit(&app.ctx(world.manager), which(row.id)).await.expect("submitted");
    moves::send_back(&app.ctx(world.verifier), which(row.id), "重拍").await.expect("returned");
    show(&app, world.staff, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted again, by another");
    unseated(&app, &world, world.manager, 1).await;
    seated(&app, &world, world.manager, Role::Verifier, Some(3)).await;
    assert_eq!(judged(&app, world.manager, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    app.run_background().await;
}

#[tokio::test]
async fn a_suspended_unit_still_binds_its_people() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Submitted).await;
    seated(&app, &world, world.verifier, Role::MemberStaff, Some(1)).await;
    assert_eq!(judged(&app, world.verifier, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    let query = "query($alliance: ID!, $filter: MembershipFilter) {
        memberships(allianceId: $alliance, filter: $filter) { nodes { id } } }";
    let filter = json!({ "organizationId": id::encode(world.members[1]) });
    let ask = json!({ "alliance": id::encode(world.town), "filter": filter });
    let found = app.client(world.committee).send(query, ask).await.fine();
    let lead: MembershipId =
        id::decode(&found.text("/memberships/nodes/0/id").into(), "id").expect("a membership");
    membership::suspend(&app.ctx(world.committee), lead, None, "整改").await.expect("suspended");
    assert_eq!(judged(&app, world.verifier, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    app.run_background().await;
}

#[tokio::test]
async fn who_had_a_hand_in_a_problem_never_strikes_it_off() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = passed_on(&app, &world).await;
    moves::verify(&app.ctx(world.verifier), which(row.id), "已平整").await.expect("verified");
    seated(&app, &world, world.staff, Role::Approver, None).await;
    assert_eq!(judged(&app, world.staff, "strikeOffProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    assert_eq!(judged(&app, world.approver, "strikeOffProblem", row.id).await, None);
    app.run_background().await;
}

#[tokio::test]
async fn who_acts_for_a_responsible_unit_never_strikes_its_problem_off() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Verified).await;
    // Their own hands are clean, but their unit's are not.
    let colleague = world.manager;
    seated(&app, &world, colleague, Role::Approver, None).await;
    assert_eq!(judged(&app, colleague, "strikeOffProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    seated(&app, &world, world.approver, Role::MemberStaff, Some(1)).await;
    assert_eq!(judged(&app, world.approver, "strikeOffProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    // Nobody becomes independent by laying down the role; of what comes later they may judge.
    unseated(&app, &world, world.approver, 1).await;
    assert_eq!(judged(&app, world.approver, "strikeOffProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    app.advance(TimeDelta::seconds(1));
    let later = problem_in(&app, &world, State::Verified).await;
    assert_eq!(judged(&app, world.approver, "strikeOffProblem", later.id).await, None);
    // Beside the lead, whoever is responsible with it.
    let joint = problem_in(&app, &world, State::Verified).await;
    let also = problem_responsible::ActiveModel {
        problem_id: Set(joint.id),
        organization_id: Set(world.members[2]),
        duty: Set(problem_responsible::Duty::Joint),
        assigned_at: Set(joint.recorded_at),
        ..Default::default()
    };
    also.insert(&app.app.write).await.expect("a joint unit");
    seated(&app, &world, world.other_staff, Role::Approver, None).await;
    assert_eq!(
        judged(&app, world.other_staff, "strikeOffProblem", joint.id).await.as_deref(),
        NOT_INDEPENDENT
    );
    app.run_background().await;
}

#[tokio::test]
async fn the_committee_takes_an_assignment_back_and_gives_it_to_another_unit() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let reason = json!({ "reason": "长期未办" });
    for state in [State::Assigned, State::Accepted, State::InProgress] {
        let row = problem_in(&app, &world, state).await;
        let id = json!(id::encode(row.id));
        for who in [world.staff, world.manager, world.verifier, world.approver, world.observer] {
            let refused = step(&app, who, "recallProblem", &id, reason.clone()).await;
            assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
        }
        let blank = step(&app, world.committee, "recallProblem", &id, json!({ "reason": " " })).await;
        assert_eq!(blank.code().as_deref(), Some("REQUIRED"));
        let answer = step(&app, world.committee, "recallProblem", &id, reason.clone()).await.fine();
        assert_eq!(answer.text("/recallProblem/problem/state"), "TRIAGED");
        assert!(answer.at("/recallProblem/problem/leadOrganization").is_null());
        assert!(answer.at("/recallProblem/problem/handler").is_null());
        assert_eq!(answer.at("/recallProblem/problem/declinedCount"), 0);
        let lead = json!({ "leadOrganizationId": id::encode(world.members[2]) });
        let answer = step(&app, world.committee, "assignProblem", &id, lead).await.fine();
        assert_eq!(answer.text("/assignProblem/problem/leadOrganization/name"), "成员单位2-632223");
        let again = step(&app, world.staff, "acceptProblem", &id, json!({})).await;
        assert_eq!(again.code().as_deref(), Some("FORBIDDEN"), "the first unit has no part in it any more");
    }
    let submitted = problem_in(&app, &world, State::Submitted).await;
    let id = json!(id::encode(submitted.id));
    let refused = step(&app, world.committee, "recallProblem", &id, reason).await;
    assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"));
    app.run_background().await;
}

#[tokio::test]
async fn a_pattern_that_would_give_a_number_again_is_refused() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let ask = "query($id: ID!) { alliance(id: $id) { version } }";
    let update = "mutation($input: UpdateAllianceInput!) { updateAlliance(input: $input) {
        alliance { numberPattern } userErrors { code field message } } }";
    let town = json!(id::encode(world.town));
    let set = async |pattern: &str| {
        let seen = app.client(world.committee).send(ask, json!({ "id": town })).await.fine();
        let input: Value = json!({ "allianceId": town, "expectedVersion": seen.at("/alliance/version"), "numberPattern": pattern });
        app.client(world.committee).send(update, json!({ "input": input })).await
    };
    set("{year}-1{seq}").await.fine();
    let grid = app.ctx(world.grid_officer);
    let first = concord::domain::list::problem::register(&grid, pothole(&world)).await.expect("registered");
    assert_eq!(first.number, "2026-11");
    let refused = set("{year}-{seq}").await;
    assert_eq!(refused.code().as_deref(), Some("NUMBER_PATTERN_TAKEN"));
    assert_eq!(refused.at("/updateAlliance/userErrors/0/field"), "input.numberPattern");
    set("西海{year}-{seq:3}").await.fine();
    let second = concord::domain::list::problem::register(&grid, pothole(&world)).await.expect("registered");
    assert_eq!(second.number, "西海2026-002");
    app.run_background().await;
}

#[tokio::test]
async fn work_goes_from_one_colleague_to_another_and_neither_verifies_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for state in [State::Accepted, State::InProgress] {
        let row = problem_in(&app, &world, state).await;
        let id = json!(id::encode(row.id));
        let to = |who: AccountId| json!({ "handlerId": id::encode(who) });
        for who in [world.staff, world.verifier, world.approver, world.other_staff, world.observer] {
            let refused = step(&app, who, "reassignProblem", &id, to(world.manager)).await;
            assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
        }
        let stranger = step(&app, world.manager, "reassignProblem", &id, to(world.other_staff)).await;
        assert_eq!(stranger.code().as_deref(), Some("NOT_FOUND"), "not of the lead unit");
        let answer = step(&app, world.manager, "reassignProblem", &id, to(world.manager)).await.fine();
        assert_eq!(answer.text("/reassignProblem/problem/handler/name"), "manager");
        let kept = sea_orm::ActiveEnum::to_value(&state).to_ascii_uppercase();
        assert_eq!(answer.text("/reassignProblem/problem/state"), kept);
        step(&app, world.committee, "reassignProblem", &id, to(world.staff)).await.fine();
    }
    let assigned = problem_in(&app, &world, State::Assigned).await;
    let id = json!(id::encode(assigned.id));
    let more = json!({ "handlerId": id::encode(world.manager) });
    let refused = step(&app, world.manager, "reassignProblem", &id, more).await;
    assert_eq!(refused.code().as_deref(), Some("STATE_REFUSED"));
    // Both hands are remembered.
    let row = problem_in(&app, &world, State::InProgress).await;
    moves::reassign(&app.ctx(world.manager), which(row.id), world.manager).await.expect("reassigned");
    show(&app, world.manager, row.id).await;
    moves::submit(&app.ctx(world.manager), which(row.id)).await.expect("submitted");
    unseated(&app, &world, world.staff, 1).await;
    seated(&app, &world, world.staff, Role::Verifier, Some(3)).await;
    assert_eq!(judged(&app, world.staff, "verifyProblem", row.id).await.as_deref(), NOT_INDEPENDENT);
    app.run_background().await;
}

#[tokio::test]
async fn what_twenty_events_are_about_is_read_at_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for _ in 0..5 {
        problem_in(&app, &world, State::Verified).await;
    }
    app.run_background().await;
    let changes = "query($alliance: ID!) { changes(allianceId: $alliance, first: 20) { events { kind subject { __typename id } } } }";
    let ask = json!({ "alliance": id::encode(world.town) });
    let client = app.client(world.committee);
    let (answer, statements) = app.statements(async || client.send(changes, ask).await).await;
    let events = answer.fine().at("/changes/events").as_array().expect("events").len();
    assert_eq!(events, 20);
    // Account, alliance, head (twice), events; then one for each noun.
    assert!(statements.len() <= 12, "{}: {statements:#?}", statements.len());
    let inbox = "{ inbox(first: 20) { nodes { kind event { kind } subject { id } } } }";
    let client = app.client(world.staff);
    let (answer, statements) = app.statements(async || client.run(inbox).await).await;
    assert!(answer.fine().at("/inbox/nodes").as_array().expect("entries").len() >= 5);
    assert!(statements.len() <= 5, "{statements:#?}");
}
