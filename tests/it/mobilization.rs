//! Orders of mobilisation: drafted, issued, answered by the units they call, stood down; bad input changes nothing; what others may
//! not see does not exist.

use chrono::TimeDelta;
use concord::{
    domain::{
        Ctx, Result,
        governance::{
            membership::{self, Contact},
            organization::{self, NewOrganization},
        },
        mobilization::{
            self, Which,
            check_in::{self, Came, NewCheckIn},
            come::Outcome,
            coverage::{self, View},
            order::{self, NewMobilization, NewNeed, NewShift, NewUnit},
            report,
            unit::{self, WhichUnit},
        },
        territory::region::{self, NewRegion},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, MembershipId, MobilizationId, OrganizationId, RegionId},
    membership as memberships,
    mobilization::{Model, State},
    mobilization_check_in, mobilization_coverage, mobilization_unit, organization as organizations,
    region::Level,
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{changes::dashboard_key, problem::count, whistle};

pub fn which(id: MobilizationId) -> Which {
    Which { id, expected_version: None }
}

pub fn need(region_id: RegionId, needed: i32) -> NewNeed {
    NewNeed { region_id, needed, work: "值守".to_owned() }
}

/// An order over the town that needs ten people in one community and five in the other, and calls two units.
pub fn snow(world: &World) -> NewMobilization {
    let [one, two] = world.communities;
    NewMobilization {
        alliance_id: world.town,
        title: "除雪保畅".to_owned(),
        reason: "暴雪红色预警".to_owned(),
        region_ids: vec![world.town_region],
        needs: vec![need(one, 10), need(two, 5)],
        units: vec![
            NewUnit { organization_id: world.members[1], quota: 8 },
            NewUnit { organization_id: world.members[2], quota: 4 },
        ],
    }
}

pub async fn drafted(app: &TestApp, world: &World) -> Model {
    order::draft(&app.ctx(world.committee), snow(world)).await.expect("drafted")
}

pub async fn issued(app: &TestApp, world: &World) -> Model {
    let row = drafted(app, world).await;
    order::issue(&app.ctx(world.committee), which(row.id)).await.expect("issued")
}

pub fn person(name: &str, region_id: RegionId) -> NewCheckIn {
    NewCheckIn { person: name.to_owned(), region_id, organization_id: None, at: None, shift_id: None }
}

/// What came of it, or why it was refused.
pub fn told(came: &Came) -> String {
    match came {
        Ok((outcome, _)) => format!("{outcome:?}"),
        Err(error) => error.code().text().to_owned(),
    }
}

pub fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("a refusal").code().text().to_owned()
}

/// A compound below a community.
pub async fn compound(app: &TestApp, below: RegionId, name: &str) -> RegionId {
    let new = NewRegion { parent_id: Some(below), code: None, name: name.to_owned(), level: Level::Compound };
    region::record(&app.system(), new).await.expect("a compound").id
}

/// Everything counted equals a recount, and nobody counts twice.
pub async fn assert_counted(app: &TestApp) {
    let different = coverage::first_difference(&app.app.read).await.expect("a recount");
    assert_eq!(different, None);
}

/// Needed and present in a place.
pub async fn counted(app: &TestApp, of: MobilizationId, region: RegionId) -> (i32, i32) {
    let row = mobilization_coverage::Entity::find_by_id((of, region)).one(&app.app.read).await;
    row.expect("a read").map_or((0, 0), |row| (row.needed, row.present))
}

/// Sends a mutation of orders and gives what came back.
pub async fn send(
    app: &TestApp,
    who: AccountId,
    mutation: &str,
    of: &str,
    shown: &str,
    input: Value,
) -> Answer {
    let query = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{ {shown} userErrors {{ code field }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

fn unit_of(order: &Model, unit: OrganizationId) -> WhichUnit {
    WhichUnit { mobilization_id: order.id, organization_id: unit, expected_version: None }
}

#[tokio::test]
async fn an_order_is_drafted_issued_answered_and_stood_down() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let row = drafted(&app, &world).await;
    assert_eq!((row.number.as_str(), row.state), ("动员令〔2026〕0001号", State::Draft));
    // Nobody but those who write it sees a draft.
    assert!(mobilization::find(&app.ctx(world.staff), row.id).await.expect("a read").is_none());
    assert_eq!(code(order::issue(&app.ctx(world.staff), which(row.id)).await), "NOT_FOUND");
    order::amend_needs(&committee, which(row.id), &[need(world.communities[0], 12)]).await.expect("amended");
    let more = [NewUnit { organization_id: world.members[3], quota: 2 }];
    order::call_units(&committee, which(row.id), &more).await.expect("called");
    let stale = Which { id: row.id, expected_version: Some(1) };
    assert_eq!(code(order::issue(&committee, stale).await), "VERSION_CONFLICT");
    for (who, expected) in [(world.approver, "FORBIDDEN"), (world.county_committee, "NOT_FOUND")] {
        assert_eq!(code(order::issue(&app.ctx(who), which(row.id)).await), expected);
    }
    let row = order::issue(&committee, which(row.id)).await.expect("issued");
    assert_eq!(code(order::issue(&committee, which(row.id)).await), "STATE_REFUSED");
    // Units answer for themselves.
    let (staff, other) = (app.ctx(world.staff), app.ctx(world.other_staff));
    assert_eq!(code(unit::acknowledge(&other, unit_of(&row, world.members[1])).await), "FORBIDDEN");
    unit::acknowledge(&staff, unit_of(&row, world.members[1])).await.expect("acknowledged");
    assert_eq!(code(unit::acknowledge(&staff, unit_of(&row, world.members[1])).await), "STATE_REFUSED");
    let arrived = unit::arrive(&other, unit_of(&row, world.members[2])).await.expect("arrived");
    assert!(arrived.acknowledged_at.is_some());
    assert_eq!(code(unit::release(&staff, unit_of(&row, world.members[1])).await), "FORBIDDEN");
    unit::release(&committee, unit_of(&row, world.members[3])).await.expect("released");
    assert_eq!(code(unit::arrive(&staff, unit_of(&row, world.members[5])).await), "NOT_FOUND");
    let row = order::stand_down(&committee, which(row.id), "险情解除").await.expect("stood down");
    let standing = mobilization_unit::Entity::find()
        .filter(mobilization_unit::Column::MobilizationId.eq(row.id))
        .filter(mobilization_unit::Column::State.ne(mobilization_unit::State::Released));
    assert_eq!(standing.count(&app.app.read).await.expect("a count"), 0);
    assert_eq!(code(unit::arrive(&staff, unit_of(&row, world.members[1])).await), "STATE_REFUSED");
    assert_eq!(
        code(order::amend_needs(&committee, which(row.id), &[need(world.communities[0], 1)]).await),
        "STATE_REFUSED"
    );
    // The units were told, each once; nobody else was.
    app.run_background().await;
    let inbox = "query { inbox(first: 50) { nodes { event { kind } } } }";
    for (who, expected) in [(world.staff, 2), (world.other_staff, 2), (world.officer, 0)] {
        let answer = app.client(who).run(inbox).await;
        let told = answer.at("/inbox/nodes").to_string();
        let count =
            told.matches("MOBILIZATION_ISSUED").count() + told.matches("MOBILIZATION_STOOD_DOWN").count();
        assert_eq!(count, expected, "{told}");
    }
    assert_counted(&app).await;
    // A draft that is discarded keeps its number.
    let next = drafted(&app, &world).await;
    order::discard(&committee, which(next.id), "不再需要").await.expect("discarded");
    let third = drafted(&app, &world).await;
    assert_eq!((next.seq, third.seq), (2, 3));
}

#[tokio::test]
async fn bad_orders_are_refused_and_change_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let with = |change: &dyn Fn(&mut NewMobilization)| {
        let mut new = snow(&world);
        change(&mut new);
        new
    };
    let [one, _] = world.communities;
    let bad: [(NewMobilization, &str, &str); 13] = [
        (with(&|new| new.title = " ".to_owned()), "REQUIRED", "title"),
        (with(&|new| new.region_ids.clear()), "REQUIRED", "regionIds"),
        (with(&|new| new.region_ids = vec![other.town_region]), "OUTSIDE_TERRITORY", "regionIds.0"),
        (with(&|new| new.region_ids = vec![app.system().new_id()]), "NOT_FOUND", ""),
        (with(&|new| new.region_ids = vec![one, one]), "ALREADY_EXISTS", "regionIds.1"),
        (with(&|new| new.region_ids = vec![one]), "OUTSIDE_MOBILIZATION", "needs.1.regionId"),
        (with(&|new| new.needs[1].needed = 0), "OUT_OF_RANGE", "needs.1.needed"),
        (with(&|new| new.needs[1].needed = 1_000_001), "OUT_OF_RANGE", "needs.1.needed"),
        (
            with(&|new| new.needs[0].region_id = world.town_region),
            "REGION_ABOVE_COMMUNITY",
            "needs.0.regionId",
        ),
        (with(&|new| new.needs[1].region_id = one), "ALREADY_EXISTS", "needs.1.regionId"),
        (with(&|new| new.units[0].quota = 0), "OUT_OF_RANGE", "units.0.quota"),
        (
            with(&|new| new.units[1].organization_id = other.members[1]),
            "NOT_A_MEMBER",
            "units.1.organizationId",
        ),
        (
            with(&|new| new.units[1].organization_id = world.members[1]),
            "ALREADY_ORDERED",
            "units.1.organizationId",
        ),
    ];
    for (new, expected, field) in bad {
        let error = order::draft(&committee, new).await.expect_err("a refusal");
        assert_eq!(error.code().text(), expected, "{error:?}");
        if let concord::domain::Error::Refused(refusal) = &error {
            assert_eq!(refusal.field.as_deref(), Some(field));
        }
    }
    assert_eq!(code(order::draft(&app.ctx(other.committee), snow(&world)).await), "NOT_FOUND");
    for who in [world.staff, world.officer, world.approver, world.observer] {
        assert_eq!(code(order::draft(&app.ctx(who), snow(&world)).await), "FORBIDDEN");
    }
    for table in [
        "mobilization",
        "mobilization_need",
        "mobilization_unit",
        "mobilization_coverage",
        "mobilization_sequence",
    ] {
        assert_eq!(count(&app, &format!("SELECT COUNT(*) AS n FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn needs_move_while_people_are_there_and_the_board_shows_gaps_first() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (app.ctx(world.committee), world.communities);
    let yard = compound(&app, one, "东小区").await;
    let row = issued(&app, &world).await;
    order::amend_needs(&committee, which(row.id), &[need(yard, 3), need(one, 0)]).await.expect("amended");
    for (name, place) in [("V1", one), ("V2", two), ("V3", two), ("V4", yard)] {
        check_in::check_in(&committee, row.id, person(name, place)).await.expect("in");
    }
    assert_eq!(counted(&app, row.id, one).await, (0, 1));
    assert_eq!(counted(&app, row.id, two).await, (5, 2));
    assert_eq!(counted(&app, row.id, yard).await, (3, 1));
    let query = "query($id: ID!, $below: ID, $level: RegionLevel) { mobilization(id: $id) { coverage(below: $below, level: $level) {
        region { name level } needed present uncovered surplus } } }";
    let ask = async |who, below: Option<RegionId>, level: Option<&str>| {
        let variables = json!({ "id": id::encode(row.id), "below": below.map(id::encode), "level": level });
        app.client(who).send(query, variables).await.at("/mobilization/coverage").clone()
    };
    let line = |name: &str, level: &str, sums: [i64; 4]| json!({ "region": { "name": name, "level": level }, "needed": sums[0], "present": sums[1], "uncovered": sums[2], "surplus": sums[3] });
    let first = line("第1社区", "VILLAGE", [3, 2, 2, 1]);
    let second = line("第2社区", "VILLAGE", [5, 2, 3, 0]);
    assert_eq!(ask(world.committee, None, None).await, json!([second, first]));
    assert_eq!(
        ask(world.staff, None, Some("TOWNSHIP")).await,
        json!([line("西海镇", "TOWNSHIP", [8, 4, 5, 1])])
    );
    let yards =
        [second.clone(), line("东小区", "COMPOUND", [3, 1, 2, 0]), line("第1社区", "VILLAGE", [0, 1, 0, 1])];
    assert_eq!(ask(world.county_committee, None, Some("COMPOUND")).await, json!(yards));
    assert_eq!(ask(world.committee, Some(yard), None).await, json!([yards[1]]));
    let outside = app
        .client(world.committee)
        .send(query, json!({ "id": id::encode(row.id), "below": id::encode(world.county_region) }))
        .await;
    assert_eq!(outside.code().as_deref(), Some("OUTSIDE_TERRITORY"));
    // Numbers are for dashboards too; who came is not.
    let key = dashboard_key(&app, world.town).await;
    let query =
        "query($id: ID!) { mobilization(id: $id) { number coverage { present } checkIns { totalCount } } }";
    let shown = app.key(key).send(query, json!({ "id": id::encode(row.id) })).await;
    assert_eq!(shown.at("/mobilization/coverage/0/present"), 2);
    assert_eq!(shown.at("/mobilization/checkIns/totalCount"), 0);
    let whole = app.client(world.officer).send(query, json!({ "id": id::encode(row.id) })).await;
    assert_eq!(whole.at("/mobilization/checkIns/totalCount"), 4);
    let unit = app.client(world.staff).send(query, json!({ "id": id::encode(row.id) })).await;
    assert_eq!(unit.at("/mobilization/checkIns/totalCount"), 0);
    // Strangers and neighbours find nothing.
    for who in [world.stranger, World::build(&app, "632225").await.committee] {
        assert!(
            app.client(who)
                .send(query, json!({ "id": id::encode(row.id) }))
                .await
                .at("/mobilization")
                .is_null()
        );
    }
    let sums = coverage::of(&committee, &row, View::default()).await.expect("sums");
    assert_eq!(sums.iter().map(|sum| sum.present).sum::<i64>(), 4);
    assert_counted(&app).await;
}

#[tokio::test]
async fn an_order_goes_through_the_api() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two] = world.communities;
    let input = json!({
        "allianceId": id::encode(world.town), "title": "除雪保畅", "reason": "暴雪红色预警", "regionIds": [id::encode(world.town_region)],
        "needs": [{ "regionId": id::encode(one), "needed": 10, "work": "除雪" }],
        "units": [{ "organizationId": id::encode(world.members[1]), "quota": 8 }],
    });
    let shown = "mobilization { id number state needs { totalCount nodes { work needed region { name } } }
        units { nodes { quota state organization { name } availableTransitions { mutation available } } } regions { name }
        availableTransitions { mutation to available } }";
    let answer =
        send(&app, world.committee, "draftMobilization", "DraftMobilizationInput", shown, input).await.fine();
    let order = answer.text("/draftMobilization/mobilization/id");
    assert_eq!(answer.at("/draftMobilization/mobilization/needs/nodes/0/needed"), 10);
    let steps =
        answer.at("/draftMobilization/mobilization/availableTransitions").as_array().expect("steps").clone();
    let open: Vec<&str> = steps
        .iter()
        .filter(|step| step["available"] == true)
        .filter_map(|step| step["mutation"].as_str())
        .collect();
    let expected = [
        "amendMobilizationNeeds",
        "callMobilizationUnits",
        "addMobilizationShifts",
        "issueMobilization",
        "discardMobilization",
    ];
    assert_eq!(open, expected);
    let input = json!({ "mobilizationId": order });
    send(
        &app,
        world.committee,
        "issueMobilization",
        "MoveMobilizationInput",
        "mobilization { state }",
        input,
    )
    .await
    .fine();
    let input = json!({ "mobilizationId": order, "organizationId": id::encode(world.members[1]) });
    let answer = send(
        &app,
        world.staff,
        "acknowledgeMobilization",
        "MoveMobilizationUnitInput",
        "unit { state }",
        input,
    )
    .await
    .fine();
    assert_eq!(answer.text("/acknowledgeMobilization/unit/state"), "ACKNOWLEDGED");
    let input = json!({ "mobilizationId": order, "person": "V0001", "regionId": id::encode(one), "organizationId": id::encode(world.members[1]) });
    let shown = "outcome checkIn { id organization { name } region { name } }";
    let answer =
        send(&app, world.staff, "checkInToMobilization", "CheckInToMobilizationInput", shown, input.clone())
            .await
            .fine();
    assert_eq!(answer.text("/checkInToMobilization/outcome"), "CHECKED_IN");
    let first = answer.text("/checkInToMobilization/checkIn/id");
    let answer = send(&app, world.staff, "checkInToMobilization", "CheckInToMobilizationInput", shown, input)
        .await
        .fine();
    assert_eq!(answer.text("/checkInToMobilization/outcome"), "DUPLICATE");
    assert_eq!(answer.text("/checkInToMobilization/checkIn/id"), first);
    let items = json!([
        { "person": "V0002", "regionId": id::encode(two) },
        { "person": "V0001", "regionId": id::encode(two), "organizationId": id::encode(world.members[1]) },
        { "person": "230800199001011234", "regionId": id::encode(two) },
        { "person": "V0003", "regionId": "nonsense" },
        { "person": "V0003", "regionId": id::encode(world.town) },
    ]);
    let shown = "results { index outcome code field message checkInId }";
    let input = json!({ "mobilizationId": order, "items": items });
    let answer = send(
        &app,
        world.committee,
        "checkInManyToMobilization",
        "CheckInManyToMobilizationInput",
        shown,
        input,
    )
    .await;
    let results = answer.at("/checkInManyToMobilization/results").as_array().expect("results").clone();
    let outcomes: Vec<&str> = results.iter().filter_map(|result| result["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["CHECKED_IN", "TRANSFERRED", "REFUSED", "REFUSED", "REFUSED"]);
    assert_eq!(results[2]["code"], "PERSON_IDENTIFIED");
    assert_eq!(results[2]["field"], "input.items.2.person");
    assert_eq!((&results[3]["code"], &results[4]["code"]), (&json!("ID_MALFORMED"), &json!("NOT_FOUND")));
    assert_eq!(results[1]["checkInId"], json!(first));
    let input = json!({ "mobilizationId": order, "person": "V0002" });
    send(
        &app,
        world.committee,
        "checkOutOfMobilization",
        "CheckOutOfMobilizationInput",
        "checkIn { leftAt }",
        input.clone(),
    )
    .await
    .fine();
    let again = send(
        &app,
        world.committee,
        "checkOutOfMobilization",
        "CheckOutOfMobilizationInput",
        "checkIn { leftAt }",
        input,
    )
    .await;
    assert_eq!(again.code().as_deref(), Some("NOT_CHECKED_IN"));
    let query = "query($id: ID!) { alliance(id: $id) { mobilizations { nodes { number coverage { present } history { nodes { kind } } } } } }";
    let answer = app.client(world.committee).send(query, json!({ "id": id::encode(world.town) })).await;
    let present: i64 = answer
        .at("/alliance/mobilizations/nodes/0/coverage")
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["present"].as_i64())
        .sum();
    assert_eq!(present, 1);
    // No digest, no name: nothing of a person is told anywhere.
    let rows = mobilization_check_in::Entity::find().all(&app.app.read).await.expect("rows");
    assert!(
        rows.iter().all(|row| row.person.len() == 32 && !row.person.windows(5).any(|part| part == b"V0001"))
    );
    assert_counted(&app).await;
}

/// Somebody who may check in anybody.
pub fn committee(app: &TestApp, world: &World) -> Ctx {
    app.ctx(world.committee)
}

#[tokio::test]
async fn late_check_ins_come_in_for_a_day() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    let issued_at = app.app.now();
    let at = |name: &str, place, at| NewCheckIn { at: Some(at), ..person(name, place) };
    let before = at("V1", one, issued_at - TimeDelta::seconds(1));
    assert_eq!(code(check_in::check_in(&committee, row.id, before).await), "CHECK_IN_BEFORE_ISSUE");
    let ahead = at("V1", one, issued_at + TimeDelta::seconds(121));
    assert_eq!(code(check_in::check_in(&committee, row.id, ahead).await), "CHECK_IN_IN_FUTURE");
    let fast = at("V1", one, issued_at + TimeDelta::seconds(120));
    check_in::check_in(&committee, row.id, fast).await.expect("within what clocks differ");
    app.advance(TimeDelta::hours(2));
    let ended = order::stand_down(&committee, which(row.id), "险情解除")
        .await
        .expect("stood down")
        .ended_at
        .expect("an end");
    app.advance(TimeDelta::hours(24));
    let late = at("V2", two, ended - TimeDelta::seconds(1));
    assert_eq!(told(&check_in::check_in(&committee, row.id, late).await), "CheckedIn");
    let after = at("V3", two, ended);
    assert_eq!(code(check_in::check_in(&committee, row.id, after).await), "CHECK_IN_AFTER_END");
    assert_eq!(code(check_in::check_in(&committee, row.id, person("V3", two)).await), "CHECK_IN_AFTER_END");
    // What was captured offline and comes late moves nobody back.
    let earlier = at("V1", two, issued_at + TimeDelta::seconds(60));
    let came = check_in::check_in(&committee, row.id, earlier.clone()).await;
    assert_eq!(came.as_ref().map(|came| came.0).ok(), Some(Outcome::Superseded));
    check_in::check_in(&committee, row.id, earlier).await.expect("again");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM mobilization_transfer").await, 1);
    // Whoever came late and whoever turns out to have been elsewhere.
    let order = mobilization::find(&committee, row.id).await.expect("a read").expect("an order");
    assert_eq!(report::of(&committee, &order).await.expect("a report").late, 2);
    assert_eq!((counted(&app, row.id, one).await.1, counted(&app, row.id, two).await.1), (1, 1));
    app.advance(TimeDelta::seconds(1));
    let too_late = at("V4", two, ended - TimeDelta::seconds(1));
    assert_eq!(code(check_in::check_in(&committee, row.id, too_late).await), "STATE_REFUSED");
    assert_counted(&app).await;
}

#[tokio::test]
async fn what_was_taken_back_may_be_taken_back_again_and_a_shift_is_planned_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    let patrol = NewNeed { work: "巡逻".to_owned(), ..need(one, 0) };
    for _ in 0..2 {
        // Also of what was never said.
        order::amend_needs(&committee, which(row.id), &[need(one, 0), patrol.clone()])
            .await
            .expect("taken back");
        assert_eq!(counted(&app, row.id, one).await, (0, 0));
    }
    order::amend_needs(&committee, which(row.id), &[need(one, 4)]).await.expect("said again");
    assert_eq!(counted(&app, row.id, one).await, (4, 0));
    let now = app.app.now();
    let shift = |region_id, hours: i64| NewShift {
        region_id,
        starts_at: now + TimeDelta::hours(hours),
        ends_at: now + TimeDelta::hours(hours + 8),
        needed: 2,
    };
    let add = async |shifts: &[NewShift]| order::add_shifts(&committee, which(row.id), shifts).await;
    add(&[shift(one, 0), shift(two, 0), shift(one, 8)]).await.expect("planned");
    for again in [[shift(one, 16), shift(one, 0)], [shift(two, 8), shift(two, 8)]] {
        let refused = add(&again).await.expect_err("planned already");
        assert_eq!((refused.code().text(), refused.field()), ("ALREADY_EXISTS", Some("shifts.1.startsAt")));
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM mobilization_shift").await, 3);
    assert_counted(&app).await;
}

#[tokio::test]
async fn where_single_people_were_stands_in_the_history_for_the_committee_alone() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, place) = (committee(&app, &world), world.communities[0]);
    let row = issued(&app, &world).await;
    check_in::check_in(&committee, row.id, person("V1", place)).await.expect("in");
    check_in::check_out(&committee, row.id, "V1", None).await.expect("out");
    let query = "query($id: ID!) { mobilization(id: $id) { history { nodes { kind } } } }";
    for (who, expected) in [(world.committee, 1), (world.staff, 0), (world.observer, 0), (world.officer, 0)] {
        let told = app.client(who).send(query, json!({ "id": id::encode(row.id) })).await;
        let told = told.at("/mobilization/history/nodes").to_string();
        assert!(told.contains("MOBILIZATION_ISSUED"), "{told}");
        for kind in ["MOBILIZATION_CHECKED_IN", "MOBILIZATION_CHECKED_OUT"] {
            assert_eq!(told.matches(kind).count(), expected, "{told}");
        }
    }
}

#[tokio::test]
async fn of_more_than_fit_it_is_told_how_many_there_are() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = issued(&app, &world).await;
    let mut yards = Vec::new();
    for number in 0..coverage::MOST {
        yards.push(compound(&app, world.communities[0], &format!("{number}号院")).await);
    }
    let needs: Vec<NewNeed> = yards.iter().map(|yard| need(*yard, 1)).collect();
    order::amend_needs(&committee(&app, &world), which(row.id), &needs).await.expect("amended");
    let query = "query($id: ID!) { mobilization(id: $id) {
        coverage(level: COMPOUND) { needed } coverageCount(level: COMPOUND) few: coverageCount
        report { places { needed } placeCount } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id::encode(row.id) })).await;
    let shown = shown.at("/mobilization");
    // The two communities of the order are places of their own.
    assert_eq!((&shown["coverageCount"], &shown["few"]), (&json!(502), &json!(2)));
    assert_eq!(shown["report"]["placeCount"], 502);
    for rows in [&shown["coverage"], &shown["report"]["places"]] {
        assert_eq!(rows.as_array().map(Vec::len), Some(500));
    }
}

async fn membership_of(app: &TestApp, world: &World, unit: OrganizationId) -> MembershipId {
    let of = memberships::Entity::find()
        .filter(memberships::Column::AllianceId.eq(world.town))
        .filter(memberships::Column::OrganizationId.eq(unit));
    of.one(&app.app.read).await.expect("a read").expect("a membership").id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_calling_a_unit_to_an_order_and_ending_its_membership_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let order = issued(&app, &world).await.id;
    for unit in world.members[3..6].iter().copied() {
        let seat = membership_of(&app, &world, unit).await;
        let (calling, ending) = (committee(&app, &world), committee(&app, &world));
        let called = tokio::spawn(async move {
            let units = [NewUnit { organization_id: unit, quota: 2 }];
            order::call_units(&calling, which(order), &units).await.map(drop)
        });
        let ended = tokio::spawn(async move { membership::end(&ending, seat, None, "迁出").await.map(drop) });
        match (called.await.expect("no panic"), ended.await.expect("no panic")) {
            (Ok(()), Err(refused)) => assert_eq!(refused.code().text(), "STANDS_IN_DUTIES"),
            (Err(refused), Ok(())) => assert_eq!(refused.code().text(), "NOT_A_MEMBER"),
            other => panic!("not one of two: {other:?}"),
        }
    }
}

#[tokio::test]
async fn whoever_is_no_member_when_an_order_is_issued_is_left_out_of_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = committee(&app, &world);
    let row = drafted(&app, &world).await;
    let [gone, suspended, stays] = [world.members[1], world.members[2], world.members[3]];
    let more = [NewUnit { organization_id: stays, quota: 2 }];
    order::call_units(&committee, which(row.id), &more).await.expect("called");
    let seat = membership_of(&app, &world, gone).await;
    membership::end(&committee, seat, None, "迁出").await.expect("ended");
    let seat = membership_of(&app, &world, suspended).await;
    membership::suspend(&committee, seat, None, "停业整顿").await.expect("suspended");
    order::issue(&committee, which(row.id)).await.expect("issued");
    let units = mobilization_unit::Entity::find().all(&app.app.read).await.expect("units");
    assert_eq!(units.iter().map(|unit| unit.organization_id).collect::<Vec<_>>(), [stays]);
    app.run_background().await;
    let query = "query($id: ID!) { history(id: $id, first: 10) { nodes { kind details { name value } } } }";
    let shown = app.client(world.committee).send(query, json!({ "id": id::encode(row.id) })).await.fine();
    let history = shown.at("/history/nodes").as_array().expect("events").clone();
    let told = history.iter().find(|event| event["kind"] == "MOBILIZATION_ISSUED").expect("the event");
    let details = told["details"].as_array().expect("details");
    let left_out = details.iter().find(|one| one["name"] == "leftOutOrganizationIds").expect("who");
    let left_out = left_out["value"].as_str().expect("a list");
    assert!([gone, suspended].iter().all(|unit| left_out.contains(id::encode(*unit).as_str())), "{left_out}");
    // Restored, it is called like any other.
    membership::restore(&committee, seat, None).await.expect("restored");
    let again = [NewUnit { organization_id: suspended, quota: 4 }];
    order::call_units(&committee, which(row.id), &again).await.expect("called");
}

/// Units called at once in a story of many.
const MANY: usize = 40;

#[tokio::test]
async fn of_however_many_units_each_is_told_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = committee(&app, &world);
    let mut called = Vec::new();
    for number in 0..MANY {
        let new = NewOrganization {
            name: format!("驻地单位{number}"),
            short_name: None,
            kind: organizations::Kind::Enterprise,
            credit_code: None,
            region_id: None,
        };
        let unit = organization::record(&app.system(), new).await.expect("a unit").id;
        membership::admit(&app.system(), world.town, unit, Contact::default()).await.expect("a membership");
        let name = format!("unit{number}");
        called.push((unit, whistle::person(&app, &name, world.town, Role::MemberStaff, Some(unit)).await));
    }
    let few = drafted(&app, &world).await;
    let units = called.iter().map(|(unit, _)| NewUnit { organization_id: *unit, quota: 2 }).collect();
    let many = order::draft(&committee, NewMobilization { units, ..snow(&world) }).await.expect("drafted");
    app.run_background().await;
    let mut sent = Vec::new();
    for row in [&few, &many] {
        let (done, within) =
            app.statements_within(async || order::issue(&committee, which(row.id)).await).await;
        done.expect("issued");
        let ((), told) = app.statements(async || app.run_background().await).await;
        let entries = told.iter().filter(|sql| sql.starts_with("INSERT") && sql.contains("inbox_entry"));
        sent.push((within.len(), entries.count()));
    }
    // Forty take no more statements than two, neither to call them nor to tell them.
    assert_eq!(sent[0], sent[1]);
    assert_eq!(sent[1].1, 1);
    // The order stands, and whoever is called to it later is told, nobody else again.
    let more = [NewUnit { organization_id: world.members[1], quota: 1 }];
    order::call_units(&committee, which(many.id), &more).await.expect("called");
    for _ in 0..2 {
        app.run_background().await;
    }
    let told = async |who: AccountId| {
        let query = "query { inbox(first: 50) { nodes { event { kind subjectId } } } }";
        let inbox = app.client(who).run(query).await;
        let nodes = inbox.at("/inbox/nodes").as_array().expect("entries").clone();
        let mut of: Vec<(String, String)> = nodes
            .iter()
            .map(|node| ["kind", "subjectId"].map(|field| node["event"][field].as_str().expect("a text")))
            .map(|[kind, subject]| (kind.to_owned(), subject.to_owned()))
            .collect();
        of.sort_unstable();
        of
    };
    let entry = |kind: &str, of: &Model| (kind.to_owned(), id::encode(of.id).to_string());
    for (unit, who) in &called {
        assert_eq!(told(*who).await, [entry("MOBILIZATION_ISSUED", &many)], "{unit:?}");
    }
    assert_eq!(told(world.other_staff).await, [entry("MOBILIZATION_ISSUED", &few)]);
    let first = [entry("MOBILIZATION_ISSUED", &few), entry("MOBILIZATION_UNITS_CALLED", &many)];
    assert_eq!(told(world.staff).await, first);
    assert!(told(world.officer).await.is_empty());
}
