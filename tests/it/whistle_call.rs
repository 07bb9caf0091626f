//! Who can be called, proposed in somebody's place, and let go: a refusal proposes whom the town could call; nobody leaves an
//! alliance while called; a whistle to which nobody came goes on sounding; above, each thing is told once.

use chrono::TimeDelta;
use concord::{
    domain::{
        governance::membership::{self, Contact},
        identity::seat::{self, NewSeat},
        whistle::{self, answer, steps},
    },
    graphql::id,
};
use concord_entities::{
    id::{OrganizationId, WhistleId},
    membership as memberships, organization,
    seat::Role,
    whistle::{Kind, State},
    whistle_response::State as Answered,
};
use concord_tests::{TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::whistle::{bring, call, calls, flood, here, person, plain, send, sounded, which};

/// A unit of the county, which is no member of the town.
pub async fn county_unit(app: &TestApp, world: &World, name: &str) -> OrganizationId {
    let new = concord::domain::governance::organization::NewOrganization {
        name: name.to_owned(),
        short_name: None,
        kind: organization::Kind::GovernmentUnit,
        credit_code: None,
        region_id: None,
    };
    let unit =
        concord::domain::governance::organization::record(&app.system(), new).await.expect("a unit").id;
    membership::admit(&app.system(), world.county, unit, Contact::default()).await.expect("a membership");
    unit
}

async fn membership_of(app: &TestApp, world: &World, unit: OrganizationId) -> memberships::Model {
    memberships::Entity::find()
        .filter(memberships::Column::AllianceId.eq(world.town))
        .filter(memberships::Column::OrganizationId.eq(unit))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a membership")
}

async fn state(app: &TestApp, of: WhistleId) -> State {
    whistle::find(&app.system(), of).await.expect("a read").expect("a whistle").state
}

#[tokio::test]
async fn a_refusal_proposes_whom_the_town_could_call() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let units = [world.members[1], world.members[2]];
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &units, None).await;
    let outside = county_unit(&app, &world, "县水利局").await;
    let refuse = async |proposed: OrganizationId| {
        let input = json!({ "responseId": id::encode(made[0].id), "reason": "不属我局",
            "proposedOrganizationId": id::encode(proposed) });
        send(&app, world.staff, "refuseWhistleCall", "RefuseWhistleCallInput", input).await
    };
    for (proposed, expected) in [
        (outside, "NOT_A_MEMBER"),
        (world.members[0], "CALLS_ITSELF"),
        (world.members[2], "ALREADY_CALLED"),
        (world.members[1], "PROPOSES_ITSELF"),
    ] {
        let answer = refuse(proposed).await;
        assert_eq!(answer.code().as_deref(), Some(expected));
        let field = answer.text("/refuseWhistleCall/userErrors/0/field");
        assert_eq!(field, "input.proposedOrganizationId", "{expected}");
    }
    assert_eq!(calls(&app, row.id).await[0].refused_at, None);
    assert_eq!(refuse(world.members[3]).await.fine().text("/refuseWhistleCall/response/state"), "REFUSED");
    // Who was called from above proposes members of the alliance that called, or the town's backstop unit.
    let town = app.ctx(world.committee);
    let (row, _) =
        sounded(&app, &world, Kind::Enforcement, &[world.members[2]], Some(world.members[4])).await;
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    let county = app.ctx(world.county_committee);
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(outside)]).await.expect("called");
    let bureau = app.ctx(person(&app, "bureau", world.county, Role::MemberStaff, Some(outside)).await);
    let made = calls(&app, row.id).await;
    let above = made.iter().find(|call| call.organization_id == outside).expect("a call");
    let of_town = answer::refuse(&bureau, call(above.id), "不属我局", world.members[3]).await;
    assert_eq!(of_town.expect_err("no member of the county").code().text(), "NOT_A_MEMBER");
    answer::refuse(&bureau, call(above.id), "不属我局", world.members[4]).await.expect("the backstop unit");
}

#[tokio::test]
async fn texts_tell_times_as_the_town_s_clocks_show_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    app.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    let told = async |who, mutation: &str, of: &str, input: Value| {
        let query = format!(
            "mutation($input: {of}!) {{ {mutation}(input: $input) {{ userErrors {{ code message }} }} }}"
        );
        let answer = app.client(who).send(&query, json!({ "input": input })).await;
        let error = answer.at(&format!("/{mutation}/userErrors/0")).clone();
        [&error["code"], &error["message"]].map(|text| text.as_str().expect("a text").to_owned())
    };
    let input = json!({ "responseId": id::encode(made[0].id), "reason": "不属我局",
        "proposedOrganizationId": id::encode(world.members[2]) });
    let [code, text] = told(world.staff, "refuseWhistleCall", "RefuseWhistleCallInput", input).await;
    assert_eq!(code, "OBJECTION_WINDOW_CLOSED");
    // Nine o'clock in Beijing is one o'clock in UTC.
    assert_eq!(text, "This could be declined until 2026-01-06 09:00; it binds now.");
    let query = "query($id: ID!) { whistle(id: $id) { responses { availableTransitions { mutation blockers { message } } } } }";
    let offered = app.client(world.staff).send(query, json!({ "id": id::encode(made[0].whistle_id) })).await;
    assert!(offered.at("/whistle/responses/0").to_string().contains("2026-01-06 09:00"), "{}", offered.0);
    let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let early = json!({ "whistleId": id::encode(row.id), "calls": [{ "organizationId": id::encode(world.members[2]),
        "reportInBy": "2026-01-05T00:00:00Z" }] });
    let [code, text] = told(world.committee, "callWhistleUnits", "CallWhistleUnitsInput", early).await;
    assert!(code == "OUT_OF_RANGE" && text.contains("2026-01-06T09:00:01+08:00"), "{text}");
    let both = person(&app, "both", world.town, Role::Committee, Some(world.members[0])).await;
    let new = NewSeat {
        account_id: both,
        alliance_id: world.town,
        role: Role::MemberStaff,
        organization_id: Some(world.members[1]),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let input = json!({ "responseId": id::encode(made[0].id), "reason": "误吹" });
    let [code, text] = told(both, "excuseWhistleCall", "MoveWhistleCallWithReasonInput", input).await;
    assert!(code == "NOT_INDEPENDENT" && text.contains("called to it"), "{text}");
}

#[tokio::test]
async fn nobody_leaves_an_alliance_while_called() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let unit = world.members[1];
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &[unit], None).await;
    let seat = membership_of(&app, &world, unit).await;
    let committee = app.client(world.committee);
    let end = async || {
        let mutation = "mutation($input: MembershipReasonInput!) {
            endMembership(input: $input) { membership { state } userErrors { code message } } }";
        let input = json!({ "membershipId": id::encode(seat.id), "reason": "迁出" });
        committee.send(mutation, json!({ "input": input })).await
    };
    let refused = end().await;
    assert_eq!(refused.code().as_deref(), Some("STANDS_IN_CALLS"));
    assert!(refused.text("/endMembership/userErrors/0/message").contains(&row.number));
    assert_eq!(membership_of(&app, &world, unit).await, seat);
    // What its people leave open names the call too.
    let query =
        "query($id: ID!) { openWork(accountId: $id) { whistleCallCount whistleCalls { id number title } } }";
    let ask = json!({ "id": id::encode(world.staff) });
    let open = committee.send(query, ask.clone()).await.fine();
    assert_eq!(open.at("/openWork/whistleCallCount"), 1);
    assert_eq!(open.text("/openWork/whistleCalls/0/id"), id::encode(made[0].id).as_str());
    assert_eq!(open.text("/openWork/whistleCalls/0/number"), row.number);
    let town = app.ctx(world.committee);
    answer::excuse(&town, call(made[0].id), "误吹").await.expect("excused");
    assert_eq!(committee.send(query, ask).await.fine().at("/openWork/whistleCallCount"), 0);
    assert_eq!(end().await.fine().text("/endMembership/membership/state"), "ENDED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_calling_a_unit_and_ending_its_membership_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for unit in [world.members[3], world.members[4], world.members[5]] {
        let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
        let seat = membership_of(&app, &world, unit).await.id;
        let (calling, ending) = (app.ctx(world.committee), app.ctx(world.committee));
        let called =
            tokio::spawn(
                async move { steps::call_units(&calling, which(row.id), None, &[plain(unit)]).await },
            );
        let ended = tokio::spawn(async move { membership::end(&ending, seat, None, "迁出").await });
        let (called, ended) = (called.await.expect("no panic"), ended.await.expect("no panic"));
        match (called, ended) {
            (Ok(_), Err(refused)) => assert_eq!(refused.code().text(), "STANDS_IN_CALLS"),
            (Err(refused), Ok(_)) => assert_eq!(refused.code().text(), "NOT_A_MEMBER"),
            other => panic!("not one of two: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_whistle_to_which_nobody_came_goes_on_sounding() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let town = app.ctx(world.committee);
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    answer::excuse(&town, call(made[0].id), "误吹").await.expect("excused");
    assert_eq!(state(&app, row.id).await, State::Sounded);
    // Others are called in the place of whoever was let go, and end it.
    steps::call_units(&town, which(row.id), None, &[plain(world.members[2])]).await.expect("called");
    let last = calls(&app, row.id).await.into_iter().find(|call| call.is_open).expect("a call");
    bring(&app, &app.ctx(world.other_staff), &town, last.id, Answered::Released).await;
    assert_eq!(state(&app, row.id).await, State::Released);
    // Or it is called off, and says why.
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    answer::excuse(&town, call(made[0].id), "误吹").await.expect("excused");
    let row = steps::call_off(&town, which(row.id), "误吹").await.expect("called off");
    assert_eq!((row.state, row.reason.as_deref()), (State::CalledOff, Some("误吹")));
    // What came of the others decides where the last is let go.
    let units = [world.members[1], world.members[2]];
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &units, None).await;
    bring(&app, &app.ctx(world.staff), &town, made[0].id, Answered::Released).await;
    answer::excuse(&town, call(made[1].id), "无需到场").await.expect("excused");
    assert_eq!(state(&app, row.id).await, State::Released);
}

#[tokio::test]
async fn above_each_thing_is_told_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    // Told a minute apart, so that they have one order.
    let row =
        whistle::apply(&app.ctx(world.officer), flood(&world, Kind::Enforcement)).await.expect("applied");
    app.advance(TimeDelta::minutes(1));
    steps::approve(&app.ctx(world.approver), which(row.id)).await.expect("approved");
    app.advance(TimeDelta::minutes(1));
    steps::sound(&town, which(row.id), &[plain(world.members[1])], None).await.expect("sounded");
    app.advance(TimeDelta::minutes(1));
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    let unit = county_unit(&app, &world, "县住建局").await;
    let bureau = person(&app, "bureau", world.county, Role::MemberStaff, Some(unit)).await;
    app.advance(TimeDelta::minutes(1));
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await.expect("called");
    app.advance(TimeDelta::minutes(1));
    let made =
        calls(&app, row.id).await.into_iter().find(|call| call.organization_id == unit).expect("a call");
    answer::report_in(&app.ctx(bureau), call(made.id), &here()).await.expect("reported in");
    let kinds = async |who| {
        let query =
            "query($id: ID!) { whistle(id: $id) { history(newestFirst: false) { totalCount nodes { kind } } }
            history(id: $id, newestFirst: false) { totalCount nodes { kind } } }";
        let found = app.client(who).send(query, json!({ "id": id::encode(row.id) })).await.fine();
        assert_eq!(found.at("/whistle/history"), found.at("/history"));
        let nodes = found.at("/history/nodes").as_array().expect("events").clone();
        assert_eq!(found.at("/history/totalCount"), nodes.len());
        nodes.iter().map(|node| node["kind"].as_str().expect("a kind").to_owned()).collect::<Vec<_>>()
    };
    let all = [
        "WHISTLE_APPLIED",
        "WHISTLE_APPROVED",
        "WHISTLE_SOUNDED",
        "WHISTLE_ESCALATED",
        "WHISTLE_UNITS_CALLED",
        "WHISTLE_REPORTED_IN",
    ];
    assert_eq!(kinds(world.committee).await, all);
    assert_eq!(kinds(world.county_committee).await, all);
    // Who sees no more than the alliance above finds there what concerns it.
    assert_eq!(kinds(bureau).await, all[3..]);
}

#[tokio::test]
async fn who_runs_the_platform_has_no_figures_of_an_alliance() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let query = "query($id: ID!) {
        statistics(input: { of: { allianceId: $id }, from: \"2026-01-01\", to: \"2026-01-31\" }) { allianceCount }
        whistleStatistics(input: { of: { allianceId: $id }, from: \"2026-01-01\", to: \"2026-01-31\" }) { period { count(measure: CALLED) } }
        departmentRanking(allianceId: $id, month: \"2026-01\", over: WHISTLES) { departmentCount } }";
    let ask = json!({ "id": id::encode(world.town) });
    let admin = app.client(world.admin).send(query, ask.clone()).await.fine();
    let stranger = app.client(world.stranger).send(query, ask.clone()).await.fine();
    assert_eq!(admin, stranger);
    for field in ["statistics", "whistleStatistics", "departmentRanking"] {
        assert!(admin.at(&format!("/{field}")).is_null(), "{field}");
    }
    let committee = app.client(world.committee).send(query, ask).await.fine();
    assert_eq!(committee.at("/statistics/allianceCount"), 1);
    assert_eq!(committee.at("/departmentRanking/departmentCount"), 0);
}

#[tokio::test]
async fn a_backstop_unit_that_is_called_already_takes_what_others_refuse() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two, backstop] = [world.members[1], world.members[2], world.members[4]];
    let town = app.ctx(world.committee);
    let (row, made) = sounded(&app, &world, Kind::Enforcement, &[one, backstop], Some(backstop)).await;
    let clerk = app.ctx(person(&app, "backstop", world.town, Role::MemberStaff, Some(backstop)).await);
    let binds = answer::refuse(&clerk, call(made[1].id), "不接", two).await;
    assert_eq!(binds.expect_err("it binds").code().text(), "CALL_BINDS");
    answer::refuse(&app.ctx(world.staff), call(made[0].id), "不属我局", two).await.expect("refused");
    app.advance(TimeDelta::minutes(1));
    let fresh = answer::reroute(&town, call(made[0].id), Some(two), None, None).await.expect("re-routed");
    let last = answer::refuse(&app.ctx(world.other_staff), call(fresh.id), "亦不属我局", one).await;
    assert_eq!(last.expect("refused again").state, Answered::Rerouted);
    let states: Vec<_> =
        calls(&app, row.id).await.iter().map(|call| (call.organization_id, call.state)).collect();
    assert_eq!(
        states,
        [(one, Answered::Rerouted), (backstop, Answered::Called), (two, Answered::Rerouted)],
        "nobody is called twice, and nothing lies with nobody"
    );
    // So it is by hand too, where none is named.
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[one, backstop], Some(backstop)).await;
    answer::refuse(&app.ctx(world.staff), call(made[0].id), "不属我局", two).await.expect("refused");
    let taken = answer::reroute(&town, call(made[0].id), None, None, None).await.expect("re-routed");
    assert_eq!(taken.id, made[1].id);
}

#[tokio::test]
async fn a_refusal_gains_no_time() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let town = app.ctx(world.committee);
    let [one, two, three] = [world.members[1], world.members[2], world.members[3]];
    let row = crate::whistle::approved(&app, &world, Kind::Enforcement).await;
    // Whoever has an hour for the matter reports in within it.
    let hour = town.now() + TimeDelta::hours(1);
    let new = whistle::NewCall { resolve_by: Some(hour), ..plain(one) };
    steps::sound(&town, which(row.id), &[new], None).await.expect("sounded");
    let made = calls(&app, row.id).await.remove(0);
    assert_eq!((made.report_in_due_at, made.resolve_due_at), (hour, hour));
    answer::refuse(&app.ctx(world.staff), call(made.id), "不属我局", two).await.expect("refused");
    let late = json!({ "responseId": id::encode(made.id), "organizationId": id::encode(two),
        "reportInBy": hour + TimeDelta::minutes(1) });
    let refused = send(&app, world.committee, "rerouteWhistleCall", "RerouteWhistleCallInput", late).await;
    assert_eq!(refused.code().as_deref(), Some("OUT_OF_RANGE"));
    assert_eq!(refused.text("/rerouteWhistleCall/userErrors/0/field"), "input.reportInBy");
    let fresh = answer::reroute(&town, call(made.id), Some(two), None, None).await.expect("re-routed");
    assert_eq!((fresh.report_in_due_at, fresh.resolve_due_at), (hour, hour));
    // What has passed already begins anew.
    answer::refuse(&app.ctx(world.other_staff), call(fresh.id), "不属我局", three).await.expect("refused");
    app.advance(TimeDelta::hours(2));
    let fresh = answer::reroute(&town, call(fresh.id), Some(three), None, None).await.expect("re-routed");
    assert_eq!(fresh.resolve_due_at - town.now(), TimeDelta::days(7));
}

#[tokio::test]
async fn after_two_refusals_the_next_call_binds_where_there_is_no_backstop() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let town = app.ctx(world.committee);
    let (staff, other) = (app.ctx(world.staff), app.ctx(world.other_staff));
    let [one, two, three] = [world.members[1], world.members[2], world.members[3]];
    for next in [one, two] {
        let (row, made) = sounded(&app, &world, Kind::PriorityWork, &[one], None).await;
        answer::refuse(&staff, call(made[0].id), "不属我局", two).await.expect("refused once");
        let second =
            answer::reroute(&town, call(made[0].id), Some(two), None, None).await.expect("re-routed");
        // Of two refusals the second is still one, and leaves the matter with the town.
        let twice =
            answer::refuse(&other, call(second.id), "亦不属我局", three).await.expect("refused twice");
        assert_eq!((twice.state, twice.refusals), (Answered::Refused, 1));
        // Who refused before is called all the same, and now bound.
        let last = answer::reroute(&town, call(second.id), Some(next), None, None).await.expect("re-routed");
        assert_eq!((last.organization_id, last.refusals, last.is_backstop), (next, 2, false));
        let (unit, who) = if next == one { (&staff, world.staff) } else { (&other, world.other_staff) };
        let binds = answer::refuse(unit, call(last.id), "仍不属我局", three).await;
        assert_eq!(binds.expect_err("it binds").code().text(), "CALL_BINDS");
        let query = "query($id: ID!) { whistle(id: $id) { refusedCount responses { id availableTransitions {
            mutation available blockers { code } } } } }";
        let shown = app.client(who).send(query, json!({ "id": id::encode(row.id) })).await.fine();
        assert_eq!(shown.at("/whistle/refusedCount"), 2);
        let responses = shown.at("/whistle/responses").as_array().expect("calls");
        let own = responses.iter().find(|one| one["id"] == json!(id::encode(last.id))).expect("the call");
        let steps = own["availableTransitions"].as_array().expect("steps");
        let offered =
            |mutation: &str| steps.iter().find(|step| step["mutation"] == mutation).expect("a step");
        let refusing = offered("refuseWhistleCall");
        assert_eq!(
            (&refusing["available"], &refusing["blockers"]),
            (&json!(false), &json!([{ "code": "CALL_BINDS" }]))
        );
        assert_eq!(offered("reportInToWhistle")["available"], true);
        bring(&app, unit, &town, last.id, Answered::Released).await;
        assert_eq!(state(&app, row.id).await, State::Released);
    }
}
