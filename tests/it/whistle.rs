//! Whistles: a town calls departments, they report in and answer; what is refused goes elsewhere; what the town cannot settle is
//! called for from above; bad input changes nothing, and the rest of a batch goes on.

use chrono::TimeDelta;
use concord::{
    domain::{
        Ctx, Result,
        governance::membership::{self, Contact},
        identity::{
            account::{self, NewAccount},
            seat::{self, NewSeat},
        },
        whistle::{
            self, NewCall, NewWhistle, Which,
            answer::{self, Evaluation, ReportIn, WhichCall},
            steps,
        },
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, WhistleId, WhistleResponseId},
    problem,
    seat::Role,
    whistle::{Kind, Model, State},
    whistle_response::{self, Solved, State as Answered},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::problem::{count, problem_in};

pub fn which(id: WhistleId) -> Which {
    Which { id, expected_version: None }
}

pub fn call(id: WhistleResponseId) -> WhichCall {
    WhichCall { id, expected_version: None }
}

pub fn plain(unit: OrganizationId) -> NewCall {
    NewCall { organization_id: unit, report_in_by: None, resolve_by: None }
}

pub fn flood(world: &World, kind: Kind) -> NewWhistle {
    NewWhistle {
        alliance_id: world.town,
        kind,
        title: "地下室违建群租".to_owned(),
        description: "需多部门到场联合处置".to_owned(),
        place: Some("第1社区3号楼".to_owned()),
        region_id: world.communities.first().copied(),
        problem_id: None,
    }
}

/// A whistle that an officer applied for and a leader approved.
pub async fn approved(app: &TestApp, world: &World, kind: Kind) -> Model {
    let row = whistle::apply(&app.ctx(world.officer), flood(world, kind)).await.expect("applied");
    steps::approve(&app.ctx(world.approver), which(row.id)).await.expect("approved")
}

/// A whistle that sounds for these units, with a backstop.
pub async fn sounded(
    app: &TestApp,
    world: &World,
    kind: Kind,
    units: &[OrganizationId],
    backstop: Option<OrganizationId>,
) -> (Model, Vec<whistle_response::Model>) {
    let row = approved(app, world, kind).await;
    let new: Vec<NewCall> = units.iter().copied().map(plain).collect();
    let row = steps::sound(&app.ctx(world.committee), which(row.id), &new, backstop).await.expect("sounded");
    let calls = calls(app, row.id).await;
    let called: Vec<_> = calls.iter().map(|call| call.organization_id).collect();
    assert_eq!(called, units, "those of one instant stand as they were called");
    (row, calls)
}

/// The calls of two units.
async fn of_units(app: &TestApp, of: WhistleId, units: &[OrganizationId]) -> [whistle_response::Model; 2] {
    let mut found = calls(app, of).await;
    found.sort_by_key(|call| units.iter().position(|unit| *unit == call.organization_id));
    found.try_into().expect("two calls")
}

/// The calls of a whistle in the order in which they were made.
pub async fn calls(app: &TestApp, of: WhistleId) -> Vec<whistle_response::Model> {
    whistle_response::Entity::find()
        .filter(whistle_response::Column::WhistleId.eq(of))
        .order_by_asc(whistle_response::Column::CalledAt)
        .order_by_asc(whistle_response::Column::Id)
        .all(&app.app.read)
        .await
        .expect("calls")
}

pub fn here() -> ReportIn {
    ReportIn { place: "第1社区居委会".to_owned(), head_count: 3 }
}

pub fn well_done() -> Evaluation {
    Evaluation { solved: Solved::Yes, score: 5, words: "到场快，处置彻底".to_owned() }
}

/// Brings a call as far as a state, by its verbs.
pub async fn bring(app: &TestApp, unit: &Ctx, town: &Ctx, of: WhistleResponseId, state: Answered) {
    loop {
        let now = whistle::find_call(&app.system(), of).await.expect("a read").expect("a call");
        if now.state == state {
            return;
        }
        let done = match now.state {
            Answered::Called => answer::report_in(unit, call(of), &here()).await,
            Answered::ReportedIn => answer::arrive(unit, call(of)).await,
            Answered::OnSite => answer::claim(unit, call(of), "已拆除并清运").await,
            Answered::ClaimedResolved => answer::evaluate(town, call(of), &well_done()).await,
            _ => answer::release(town, call(of)).await,
        };
        done.expect("a step on the way");
    }
}

/// Somebody with a seat.
pub async fn person(
    app: &TestApp,
    name: &str,
    alliance_id: AllianceId,
    role: Role,
    organization_id: Option<OrganizationId>,
) -> AccountId {
    let new = NewAccount {
        username: name.to_owned(),
        display_name: name.to_owned(),
        password_hash: Some("!".to_owned()),
        ..NewAccount::default()
    };
    let account_id = account::create(&app.system(), new).await.expect("an account").id;
    let new = NewSeat { account_id, alliance_id, role, organization_id, region_id: None };
    seat::grant(&app.system(), new).await.expect("a seat");
    account_id
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("a refusal").code().text().to_owned()
}

const FIELDS: &str = "id number state refusedCount reason endedAt escalatedTo { name } backstopOrganization { name }
    responses { id state isOpen isBackstop place headCount score solved evaluation reason returnedCount refusals
        organization { name } memberAlliance { name } proposedOrganization { name } insteadOf { id }
        availableTransitions { mutation available blockers { code } } }
    availableTransitions { mutation available } breaches { clock organization { name } }";

async fn shown(app: &TestApp, who: AccountId, of: WhistleId) -> Answer {
    let query = format!("query($id: ID!) {{ whistle(id: $id) {{ {FIELDS} }} }}");
    app.client(who).send(&query, json!({ "id": id::encode(of) })).await
}

/// Runs a mutation of whistles.
pub async fn send(app: &TestApp, who: AccountId, mutation: &str, of: &str, input: Value) -> Answer {
    let object = if of.contains("Call") && of != "CallWhistleUnitsInput"
        || ["ReportInToWhistleInput", "ClaimWhistleResolvedInput"].contains(&of)
    {
        "response { id state version }"
    } else {
        "whistle { id state version }"
    };
    let query = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{ {object} userErrors {{ code field }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

#[tokio::test]
async fn a_whistle_is_blown_answered_evaluated_and_released() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem = problem_in(&app, &world, problem::State::Triaged).await;
    let new = NewWhistle { problem_id: Some(problem.id), ..flood(&world, Kind::Enforcement) };
    let row = whistle::apply(&app.ctx(world.officer), new).await.expect("applied");
    assert_eq!((row.number.as_str(), row.state), ("哨〔2026〕0001号", State::Applied));
    let committee = app.ctx(world.committee);
    // Whoever runs the town does not approve its own application.
    assert_eq!(code(steps::approve(&committee, which(row.id)).await), "FORBIDDEN");
    steps::approve(&app.ctx(world.approver), which(row.id)).await.expect("approved");
    let units = [plain(world.members[1]), plain(world.members[2])];
    steps::sound(&committee, which(row.id), &units, Some(world.members[3])).await.expect("sounded");
    let [first, second] = of_units(&app, row.id, &world.members[1..3]).await;
    assert_eq!(first.report_in_due_at - first.called_at, TimeDelta::hours(24));
    let (staff, other) = (app.ctx(world.staff), app.ctx(world.other_staff));
    // Each unit answers for itself.
    assert_eq!(code(answer::report_in(&other, call(first.id), &here()).await), "FORBIDDEN");
    bring(&app, &staff, &committee, first.id, Answered::ClaimedResolved).await;
    answer::return_claim(&committee, call(first.id), "垃圾未清").await.expect("returned");
    bring_on(&staff, first.id).await;
    // Only the town evaluates, and only once.
    assert_eq!(code(answer::evaluate(&staff, call(first.id), &well_done()).await), "FORBIDDEN");
    let partly = Evaluation { solved: Solved::Partly, score: 3, words: "仍有遗留".to_owned() };
    answer::evaluate(&committee, call(first.id), &partly).await.expect("evaluated");
    assert_eq!(code(answer::evaluate(&committee, call(first.id), &partly).await), "STATE_REFUSED");
    answer::release(&committee, call(first.id)).await.expect("released");
    assert_eq!(whistle::find(&committee, row.id).await.expect("a read").expect("one").state, State::Sounded);
    bring(&app, &other, &committee, second.id, Answered::Released).await;
    let answer = shown(&app, world.committee, row.id).await;
    assert_eq!(answer.text("/whistle/state"), "RELEASED");
    assert!(answer.0.to_string().contains("PARTLY"));
    let scores: Vec<_> =
        (0..2).map(|at| answer.at(&format!("/whistle/responses/{at}/score")).clone()).collect();
    assert!(scores.contains(&json!(3)) && scores.contains(&json!(5)), "{scores:?}");
    let ahead = answer.at("/whistle/availableTransitions").as_array().expect("steps").clone();
    assert!(ahead.iter().all(|step| step["available"] == false));
    let query = "query($id: ID!) { problem(id: $id) { whistles { number } } }";
    let found = app.client(world.committee).send(query, json!({ "id": id::encode(problem.id) })).await;
    assert_eq!(found.text("/problem/whistles/0/number"), "哨〔2026〕0001号");
    // Each step is on record, and the departments were told.
    app.run_background().await;
    let told = "SELECT COUNT(*) AS n FROM event WHERE subject_kind = 'whistle'";
    assert_eq!(count(&app, told).await, 3 + 3 + 4 + 5 + 1);
    let inbox = "query { inbox(first: 50) { nodes { event { kind } } } }";
    let told = app.client(world.staff).run(inbox).await.at("/inbox/nodes").to_string();
    assert!(told.contains("WHISTLE_SOUNDED") && told.contains("WHISTLE_CLAIM_RETURNED"), "{told}");
}

async fn bring_on(unit: &Ctx, of: WhistleResponseId) {
    answer::claim(unit, call(of), "已清运").await.expect("claimed again");
}

#[tokio::test]
async fn what_is_refused_is_counted_and_ends_with_the_backstop() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, staff) = (app.ctx(world.committee), app.ctx(world.staff));
    let [one, two, three] = [world.members[1], world.members[2], world.members[3]];
    let (row, calls_made) = sounded(&app, &world, Kind::PriorityWork, &[one], Some(three)).await;
    let first = &calls_made[0];
    for (reason, proposed, expected) in [
        ("  ", two, "REQUIRED"),
        ("不属我局", one, "PROPOSES_ITSELF"),
        ("不属我局", app.system().new_id(), "NOT_A_MEMBER"),
    ] {
        assert_eq!(code(answer::refuse(&staff, call(first.id), reason, proposed).await), expected);
    }
    answer::refuse(&staff, call(first.id), "不属我局职责", two).await.expect("refused");
    assert_eq!(code(answer::report_in(&staff, call(first.id), &here()).await), "STATE_REFUSED");
    app.advance(TimeDelta::hours(1));
    let fresh = answer::reroute(&committee, call(first.id), Some(two), None, None).await.expect("re-routed");
    assert_eq!((fresh.organization_id, fresh.refusals, fresh.from_id), (two, 1, Some(first.id)));
    // Who quarrels about whose it is does not hold up the clock.
    assert_eq!(fresh.resolve_due_at, first.resolve_due_at);
    assert_eq!(fresh.report_in_due_at - fresh.called_at, TimeDelta::hours(24));
    app.advance(TimeDelta::hours(1));
    let other = app.ctx(world.other_staff);
    answer::refuse(&other, call(fresh.id), "亦不属我局", one).await.expect("refused again");
    // The second refusal calls the backstop unit at once, which cannot refuse.
    let answer = shown(&app, world.committee, row.id).await;
    assert_eq!(answer.at("/whistle/refusedCount"), 2);
    let states: Vec<_> = (0..3).map(|at| answer.text(&format!("/whistle/responses/{at}/state"))).collect();
    assert_eq!(states, ["REROUTED", "REROUTED", "CALLED"]);
    assert_eq!(answer.at("/whistle/responses/2/isBackstop"), true);
    let last = calls(&app, row.id).await.pop().expect("the backstop's");
    let backstop = app.ctx(person(&app, "backstop", world.town, Role::MemberStaff, Some(three)).await);
    assert_eq!(code(answer::refuse(&backstop, call(last.id), "不接", one).await), "CALL_BINDS");
    bring(&app, &backstop, &committee, last.id, Answered::Released).await;
    assert_eq!(whistle::find(&committee, row.id).await.expect("a read").expect("one").state, State::Released);
}

#[tokio::test]
async fn an_emergency_binds_and_wants_departments_within_half_an_hour() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, made) = sounded(&app, &world, Kind::Emergency, &[world.members[1]], None).await;
    assert_eq!(made[0].report_in_due_at - made[0].called_at, TimeDelta::minutes(30));
    let refused = answer::refuse(&app.ctx(world.staff), call(made[0].id), "不属我局", world.members[2]).await;
    assert_eq!(code(refused), "EMERGENCY_BINDS");
    // Without a backstop nobody is called by default; and after the time to report in nothing is refused.
    let (_, made) =
        sounded(&app, &world, Kind::Enforcement, &[world.members[1], world.members[2]], None).await;
    answer::refuse(&app.ctx(world.staff), call(made[0].id), "不属我局", world.members[3])
        .await
        .expect("refused");
    let none = answer::reroute(&app.ctx(world.committee), call(made[0].id), None, None, None).await;
    assert_eq!(code(none), "NO_BACKSTOP");
    let town = app.ctx(world.committee);
    let there = answer::reroute(&town, call(made[0].id), Some(world.members[2]), None, None);
    assert_eq!(code(there.await), "ALREADY_CALLED");
    app.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    let late =
        answer::refuse(&app.ctx(world.other_staff), call(made[1].id), "不属我局", world.members[1]).await;
    assert_eq!(code(late), "OBJECTION_WINDOW_CLOSED");
}

#[tokio::test]
async fn what_a_town_cannot_settle_is_called_for_from_above_and_stays_the_town_s() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    // A unit of the county, which is no member of the town.
    let unit = concord::domain::governance::organization::record(
        &app.system(),
        concord::domain::governance::organization::NewOrganization {
            name: "县住建局".to_owned(),
            short_name: None,
            kind: concord_entities::organization::Kind::GovernmentUnit,
            credit_code: None,
            region_id: None,
        },
    )
    .await
    .expect("an organisation")
    .id;
    membership::admit(&app.system(), world.county, unit, Contact::default()).await.expect("a membership");
    let bureau = person(&app, "bureau", world.county, Role::MemberStaff, Some(unit)).await;
    let above = steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await;
    assert_eq!(code(above), "FORBIDDEN");
    assert!(shown(&app, bureau, row.id).await.at("/whistle").is_null());
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    // The town calls its own members, the county its own.
    let foreign = steps::call_units(&town, which(row.id), Some(world.county), &[plain(unit)]).await;
    assert_eq!(code(foreign), "FORBIDDEN");
    let not_there =
        steps::call_units(&county, which(row.id), Some(world.county), &[plain(world.members[2])]).await;
    assert_eq!(code(not_there), "NOT_A_MEMBER");
    app.advance(TimeDelta::minutes(1));
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await.expect("called");
    assert_eq!(code(steps::escalate(&county, which(row.id), "再提级").await), "NO_PARENT_ALLIANCE");
    let of_bureau = calls(&app, row.id).await.pop().expect("a call");
    // Whoever is called sees the whistle and its calls, and nothing else of the town.
    let answer = shown(&app, bureau, row.id).await;
    assert_eq!(answer.at("/whistle/responses").as_array().expect("calls").len(), 2);
    let towns =
        app.client(bureau).run("{ whistles { nodes { alliance { name } } } problems { totalCount } }").await;
    assert!(towns.at("/whistles/nodes/0/alliance").is_null() && towns.at("/problems/totalCount") == 0);
    // The county called; the town evaluates.
    let unit = app.ctx(bureau);
    bring(&app, &unit, &town, of_bureau.id, Answered::ClaimedResolved).await;
    assert_eq!(code(answer::evaluate(&county, call(of_bureau.id), &well_done()).await), "FORBIDDEN");
    bring(&app, &unit, &town, of_bureau.id, Answered::Released).await;
    // Both chains tell of it, and the bureau's inbox too.
    app.run_background().await;
    let told = app.client(bureau).run("{ inbox { nodes { event { kind } } } }").await;
    assert!(told.at("/inbox/nodes").to_string().contains("WHISTLE_UNITS_CALLED"), "{}", told.0);
}

#[tokio::test]
async fn whoever_acts_in_two_alliances_hears_of_what_touches_both_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    // A unit of both, whose person has a seat in each.
    let unit = world.members[2];
    membership::admit(&app.system(), world.county, unit, Contact::default()).await.expect("a membership");
    let bureau = person(&app, "bureau", world.county, Role::MemberStaff, Some(unit)).await;
    let new = NewSeat {
        account_id: bureau,
        alliance_id: world.town,
        role: Role::MemberStaff,
        organization_id: Some(unit),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await.expect("called");
    // Much else is told at the same instant.
    for _ in 0..2 {
        problem_in(&app, &world, problem::State::Assigned).await;
    }
    app.advance(TimeDelta::minutes(1));
    steps::call_off(&town, which(row.id), "险情解除").await.expect("called off");
    app.run_background().await;
    let told = app.client(bureau).run("{ inbox(first: 100) { nodes { event { kind } } } }").await;
    let nodes = told.at("/inbox/nodes").as_array().expect("entries").clone();
    let of = |kind: &str| nodes.iter().filter(|node| node["event"]["kind"] == kind).count();
    assert_eq!((of("WHISTLE_CALLED_OFF"), of("WHISTLE_UNITS_CALLED")), (1, 1), "{nodes:#?}");
    let both = "SELECT COUNT(*) AS n FROM event WHERE kind = 'whistle_called_off'";
    assert_eq!(crate::problem::count(&app, both).await, 2);
}

#[tokio::test]
async fn bad_input_is_told_by_field_and_changes_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let apply = |change: Value| {
        let mut input = json!({ "allianceId": id::encode(world.town), "kind": "ENFORCEMENT", "title": "违建",
            "description": "联合执法" });
        for (name, value) in change.as_object().expect("changes") {
            input[name] = value.clone();
        }
        send(&app, world.committee, "applyForWhistle", "ApplyForWhistleInput", input)
    };
    let long = "长".repeat(201);
    for (change, expected, field) in [
        (json!({ "title": " " }), "REQUIRED", "title"),
        (json!({ "title": long }), "TOO_LONG", "title"),
        (json!({ "description": "" }), "REQUIRED", "description"),
        (json!({ "regionId": id::encode(world.county_region) }), "OUTSIDE_TERRITORY", "regionId"),
        (json!({ "problemId": "x" }), "ID_MALFORMED", "problemId"),
    ] {
        let answer = apply(change.clone()).await;
        assert_eq!(answer.code().as_deref(), Some(expected), "{change}");
        let told = answer.at("/applyForWhistle/userErrors/0/field").clone();
        assert_eq!(told, format!("input.{field}"), "{change}");
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM whistle").await, 0);
    let row = approved(&app, &world, Kind::Enforcement).await;
    // Numbers are not lost by what was refused.
    assert_eq!(row.seq, 1);
    let unit = |at: usize| json!({ "organizationId": id::encode(world.members[at]) });
    let with = |at: usize, name: &str, value: &str| {
        let mut call = unit(at);
        call[name] = json!(value);
        call
    };
    for (calls, expected, field) in [
        (json!([]), "REQUIRED", "calls"),
        (json!([unit(1), unit(1)]), "ALREADY_CALLED", "calls.1.organizationId"),
        (json!([unit(1), unit(0)]), "CALLS_ITSELF", "calls.1.organizationId"),
        (json!([with(1, "reportInBy", "2026-01-05T00:59:00Z")]), "OUT_OF_RANGE", "calls.0.reportInBy"),
        (json!([with(1, "reportInBy", "9999-12-31T00:00:00Z")]), "OUT_OF_RANGE", "calls.0.reportInBy"),
        (json!([with(1, "resolveBy", "2026-01-05T00:59:00Z")]), "OUT_OF_RANGE", "calls.0.resolveBy"),
        (json!([with(1, "resolveBy", "2036-01-05T02:00:00Z")]), "OUT_OF_RANGE", "calls.0.resolveBy"),
    ] {
        let input = json!({ "whistleId": id::encode(row.id), "calls": calls });
        let answer = send(&app, world.committee, "soundWhistle", "SoundWhistleInput", input).await;
        assert_eq!(answer.code().as_deref(), Some(expected), "{calls}");
        assert_eq!(
            answer.at("/soundWhistle/userErrors/0/field"),
            &json!(format!("input.{field}")),
            "{calls}"
        );
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM whistle_response").await, 0);
    assert_eq!(whistle::find(&app.system(), row.id).await.expect("a read"), Some(row));
}

#[tokio::test]
async fn of_many_each_stands_for_itself() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, a) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let (_, b) = sounded(&app, &world, Kind::Enforcement, &[world.members[1], world.members[2]], None).await;
    let item = |of: WhistleResponseId, people: i32| json!({ "responseId": id::encode(of), "place": "现场", "headCount": people });
    let nobody: WhistleResponseId = app.system().new_id();
    let items = [item(a[0].id, 2), item(b[0].id, 0), item(b[1].id, 2), item(nobody, 2), item(a[0].id, 2)];
    let query = "mutation($input: ReportInToWhistlesInput!) { reportInToWhistles(input: $input) {
        results { id response { state } userErrors { code field } } userErrors { code } } }";
    let send = async || {
        app.client(world.staff).keyed("batch", 1).send(query, json!({ "input": { "items": items } })).await
    };
    let answer = send().await;
    let results = answer.at("/reportInToWhistles/results");
    assert_eq!(results[0]["response"]["state"], "REPORTED_IN");
    assert_eq!(
        results[1]["userErrors"][0],
        json!({ "code": "OUT_OF_RANGE", "field": "input.items.1.headCount" })
    );
    assert_eq!(results[2]["userErrors"][0]["code"], "FORBIDDEN");
    assert_eq!(results[3]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(results[4]["userErrors"][0]["code"], "STATE_REFUSED");
    // Sent again, it answers with what was done and does nothing twice.
    let events = "SELECT COUNT(*) AS n FROM event WHERE kind = 'whistle_reported_in'";
    assert_eq!(count(&app, events).await, 1);
    assert_eq!(send().await.at("/reportInToWhistles/results/0"), &results[0]);
    assert_eq!(count(&app, events).await, 1);
}

#[tokio::test]
async fn of_many_evaluations_each_stands_for_itself() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let (_, a) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let (_, b) = sounded(&app, &world, Kind::Enforcement, &[world.members[1], world.members[2]], None).await;
    for of in [a[0].id, b[0].id] {
        bring(&app, &app.ctx(world.staff), &committee, of, Answered::ClaimedResolved).await;
    }
    let item = |of: WhistleResponseId, score: i32, words: &str| json!({ "responseId": id::encode(of), "solved": "YES", "score": score, "words": words });
    // One by one, a score is told by its field; nothing came of it.
    for score in [i32::MIN, 0, 6] {
        let input = item(a[0].id, score, "好");
        let answer =
            send(&app, world.committee, "evaluateWhistleCall", "EvaluateWhistleCallInput", input).await;
        let told = &answer.0["data"]["evaluateWhistleCall"];
        assert_eq!(
            told["userErrors"],
            json!([{ "code": "OUT_OF_RANGE", "field": "input.score" }]),
            "{score}"
        );
        assert!(told["response"].is_null(), "{score}");
    }
    assert_eq!(calls(&app, a[0].whistle_id).await[0].state, Answered::ClaimedResolved);
    let items = [
        item(a[0].id, 0, "好"),
        item(a[0].id, 6, "好"),
        item(b[0].id, 2, " "),
        item(b[1].id, 3, "好"),
        item(app.system().new_id(), 3, "好"),
        item(b[0].id, 1, "仍有遗留"),
        item(a[0].id, 5, "处置彻底"),
        item(a[0].id, 4, "好"),
    ];
    let query = "mutation($input: EvaluateWhistleCallsInput!) { evaluateWhistleCalls(input: $input) {
        results { id response { state score evaluation } userErrors { code field } } userErrors { code } } }";
    let ask = async |who| {
        let answer = app.client(who).send(query, json!({ "input": { "items": items } })).await;
        answer.at("/evaluateWhistleCalls/results").as_array().expect("results").clone()
    };
    let code = |result: &Value| result["userErrors"][0]["code"].as_str().map(str::to_owned);
    // Who is called evaluates nothing of it, and learns nothing of what is not there.
    let by_unit: Vec<_> = ask(world.staff).await.iter().map(code).collect();
    let mut expected = vec![Some("FORBIDDEN".to_owned()); items.len()];
    expected[4] = Some("NOT_FOUND".to_owned());
    assert_eq!(by_unit, expected);
    let results = ask(world.committee).await;
    let bad = |code: &str, field: &str| json!([{ "code": code, "field": field }]);
    for (at, errors) in [
        bad("OUT_OF_RANGE", "input.items.0.score"),
        bad("OUT_OF_RANGE", "input.items.1.score"),
        bad("REQUIRED", "input.items.2.words"),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(&results[at]["userErrors"], errors);
    }
    let codes: Vec<_> = results[3..].iter().map(code).collect();
    let refused = |code: &str| Some(code.to_owned());
    assert_eq!(codes, [refused("STATE_REFUSED"), refused("NOT_FOUND"), None, None, refused("STATE_REFUSED")]);
    let done = |score: i32, words: &str| json!({ "state": "EVALUATED", "score": score, "evaluation": words });
    assert_eq!(
        (&results[5]["response"], &results[6]["response"]),
        (&done(1, "仍有遗留"), &done(5, "处置彻底"))
    );
    let kept = |calls: Vec<whistle_response::Model>| calls.iter().map(|call| call.score).collect::<Vec<_>>();
    assert_eq!(kept(calls(&app, a[0].whistle_id).await), [Some(5)]);
    assert_eq!(kept(calls(&app, b[0].whistle_id).await), [Some(1), None]);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'whistle_evaluated'").await, 2);
}

#[tokio::test]
async fn nobody_evaluates_their_own_unit() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let both = person(&app, "both", world.town, Role::Committee, Some(world.members[0])).await;
    let new = NewSeat {
        account_id: both,
        alliance_id: world.town,
        role: Role::MemberStaff,
        organization_id: Some(world.members[1]),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let both = app.ctx(both);
    bring(&app, &both, &app.ctx(world.committee), made[0].id, Answered::ClaimedResolved).await;
    assert_eq!(code(answer::evaluate(&both, call(made[0].id), &well_done()).await), "NOT_INDEPENDENT");
    assert_eq!(code(answer::return_claim(&both, call(made[0].id), "不行").await), "NOT_INDEPENDENT");
    // Nor is it excused or called anew by one of its own, in whatever way.
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    assert_eq!(code(answer::excuse(&both, call(made[0].id), "误吹").await), "NOT_INDEPENDENT");
    assert_eq!(code(steps::call_off(&both, which(row.id), "险情解除").await), "NOT_INDEPENDENT");
    answer::refuse(&both, call(made[0].id), "不属我局", world.members[2]).await.expect("refused");
    let again = answer::reroute(&both, call(made[0].id), Some(world.members[2]), None, None).await;
    assert_eq!(code(again), "NOT_INDEPENDENT");
    // Whoever refused is not called again in its own place.
    let committee = app.ctx(world.committee);
    let again = answer::reroute(&committee, call(made[0].id), Some(world.members[1]), None, None).await;
    assert_eq!(code(again), "PROPOSES_ITSELF");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_and_calling_off_wait_for_each_other_in_one_order() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let units = [world.members[1], world.members[2]];
    for _ in 0..6 {
        let (row, made) = sounded(&app, &world, Kind::Enforcement, &units, None).await;
        let mut all = Vec::new();
        for (who, call_of) in [(world.staff, made[0].id), (world.other_staff, made[1].id)] {
            for _ in 0..2 {
                let ctx = app.ctx(who);
                all.push(tokio::spawn(async move {
                    answer::report_in(&ctx, call(call_of), &here())
                        .await
                        .err()
                        .map(|error| error.code().text())
                }));
            }
        }
        let ctx = app.ctx(world.committee);
        all.push(tokio::spawn(async move {
            steps::call_off(&ctx, which(row.id), "险情解除").await.err().map(|error| error.code().text())
        }));
        for done in futures_util::future::join_all(all).await {
            let code = done.expect("no panic");
            assert!(matches!(code, None | Some("STATE_REFUSED")), "{code:?}");
        }
    }
}

#[tokio::test]
async fn a_report_takes_at_most_five_statements_and_numbers_have_no_gaps() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let staff = app.ctx(world.staff);
    let (done, statements) =
        app.statements(async || answer::report_in(&staff, call(made[0].id), &here()).await).await;
    done.expect("reported in");
    assert!(statements.len() <= 5, "{statements:#?}");
    let many = (0..8).map(|at| {
        let who = app.ctx(if at % 2 == 0 { world.officer } else { world.committee });
        let world = &world;
        async move { whistle::apply(&who, flood(world, Kind::Enforcement)).await.expect("applied").seq }
    });
    let mut given = futures_util::future::join_all(many).await;
    given.sort_unstable();
    assert_eq!(given, (2..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_whistle_is_called_off_and_excuses_whoever_is_left() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let units = [world.members[1], world.members[2], world.members[3]];
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &units, None).await;
    bring(&app, &app.ctx(world.staff), &committee, made[0].id, Answered::Evaluated).await;
    answer::excuse(&committee, call(made[2].id), "无需到场").await.expect("excused");
    let row = steps::call_off(&committee, which(row.id), "险情解除").await.expect("called off");
    assert_eq!(row.state, State::CalledOff);
    let now = calls(&app, row.id).await;
    let states =
        units.map(|unit| now.iter().find(|call| call.organization_id == unit).map(|call| call.state));
    assert_eq!(states, [Answered::Released, Answered::Excused, Answered::Excused].map(Some));
}

#[tokio::test]
async fn nobody_approves_what_they_applied_for() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let both = world.officer;
    let new = NewSeat {
        account_id: both,
        alliance_id: world.town,
        role: Role::Approver,
        organization_id: None,
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let row = whistle::apply(&app.ctx(both), flood(&world, Kind::Enforcement)).await.expect("applied");
    assert_eq!(code(steps::approve(&app.ctx(both), which(row.id)).await), "NOT_INDEPENDENT");
    for (who, expected) in [(both, false), (world.approver, true)] {
        let answer = shown(&app, who, row.id).await;
        let steps = answer.at("/whistle/availableTransitions").as_array().expect("steps").clone();
        let approving = steps.iter().find(|step| step["mutation"] == "approveWhistle").expect("a step");
        assert_eq!(approving["available"], expected);
    }
    steps::approve(&app.ctx(world.approver), which(row.id)).await.expect("approved");
}
