//! What stands before any order: units paired with places, members reported to their home communities; and who may check in
//! because of it.

use chrono::{NaiveDate, TimeDelta};
use concord::{
    domain::{
        mobilization::{
            check_in::{self, NewCheckIn},
            home_report::{self, NewHomeReport, Reported},
            pairing::{self, Filter, NewPairing},
        },
        page,
    },
    graphql::id,
};
use concord_entities::{home_report as reports, region::Level};
use concord_tests::{TestApp, World};
use futures_util::future::join_all;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::{
    changes::dashboard_key,
    grid::place,
    mobilization::{assert_counted, code, compound, counted, issued, person, send, told},
    problem::count,
};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn pair(world: &World, unit: usize, place: usize) -> NewPairing {
    NewPairing {
        alliance_id: world.town,
        organization_id: world.members[unit],
        region_id: world.communities[place],
        since: None,
        until: None,
    }
}

#[tokio::test]
async fn a_unit_is_paired_with_a_place_once_at_a_time() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let first = pairing::pair(&committee, pair(&world, 1, 0)).await.expect("paired");
    assert_eq!((first.since_on, first.until_on), (day("2026-01-05"), None));
    assert_eq!(code(pairing::pair(&committee, pair(&world, 1, 0)).await), "ALREADY_PAIRED");
    // Another place, another unit.
    for (unit, place) in [(1, 1), (2, 0)] {
        pairing::pair(&committee, pair(&world, unit, place)).await.expect("paired");
    }
    let with = |change: &dyn Fn(&mut NewPairing)| {
        let mut new = pair(&world, 3, 0);
        change(&mut new);
        new
    };
    for (new, expected) in [
        (with(&|new| new.region_id = world.town_region), "REGION_ABOVE_COMMUNITY"),
        (with(&|new| new.region_id = other.communities[0]), "OUTSIDE_TERRITORY"),
        (with(&|new| new.region_id = app.system().new_id()), "NOT_FOUND"),
        (with(&|new| new.organization_id = other.members[1]), "NOT_A_MEMBER"),
        (with(&|new| new.until = Some(day("2026-01-05"))), "OUT_OF_RANGE"),
        (with(&|new| new.since = Some(day("2027-01-07"))), "TOO_LATE"),
        (with(&|new| new.alliance_id = other.town), "NOT_FOUND"),
    ] {
        assert_eq!(code(pairing::pair(&committee, new).await), expected);
    }
    for who in [world.staff, world.officer, world.observer, world.county_committee] {
        assert_eq!(code(pairing::pair(&app.ctx(who), pair(&world, 3, 0)).await), "FORBIDDEN");
    }
    // It ends on a day, and from that day on another may begin; never two on one day.
    assert_eq!(code(pairing::end(&committee, first.id, None, Some(day("2026-01-04"))).await), "OUT_OF_RANGE");
    assert_eq!(code(pairing::end(&committee, first.id, Some(7), None).await), "VERSION_CONFLICT");
    let ended = pairing::end(&committee, first.id, None, Some(day("2026-02-01"))).await.expect("ended");
    assert_eq!(ended.until_on, Some(day("2026-02-01")));
    let next = |since: &str| NewPairing { since: Some(day(since)), ..pair(&world, 1, 0) };
    assert_eq!(code(pairing::pair(&committee, next("2026-01-31")).await), "ALREADY_PAIRED");
    pairing::pair(&committee, next("2026-02-01")).await.expect("paired again");
    assert_eq!(
        code(pairing::end(&committee, first.id, None, Some(day("2026-02-02"))).await),
        "ALREADY_PAIRED"
    );
    app.advance(TimeDelta::days(30));
    assert_eq!(code(pairing::end(&committee, first.id, None, None).await), "STATE_REFUSED");
    // Asked by day, unit and place.
    let ask = async |filter: Filter| {
        let page = pairing::list(&committee, &filter, &page::Args::default()).await.expect("a page");
        page.items.len()
    };
    let on = |on: &str| Filter { on: Some(day(on)), ..Filter::default() };
    assert_eq!((ask(on("2026-01-04")).await, ask(on("2026-01-31")).await), (0, 3));
    assert_eq!(ask(Filter { organization_id: Some(world.members[1]), ..on("2026-02-01") }).await, 2);
    let town = pairing::path_of(&committee, world.town_region).await.expect("a path");
    assert_eq!(ask(Filter { within: Some(town), ..Filter::default() }).await, 4);
    let place = pairing::path_of(&committee, world.communities[0]).await.expect("a path");
    assert_eq!(ask(Filter { within: Some(place), ..on("2026-02-01") }).await, 2);
    assert!(pairing::find(&app.ctx(other.committee), first.id).await.expect("a read").is_none());
    // What was planned by mistake and taken back bars nothing.
    let far = NewPairing { since: Some(day("2026-12-31")), ..pair(&world, 3, 1) };
    let far = pairing::pair(&committee, far).await.expect("planned");
    let gone = pairing::end(&committee, far.id, None, None).await.expect("taken back");
    assert_eq!(gone.until_on, Some(far.since_on));
    pairing::pair(&committee, pair(&world, 3, 1)).await.expect("paired");
}

#[tokio::test]
async fn many_who_pair_at_once_pair_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let new = NewPairing { until: Some(day("2026-06-01")), ..pair(&world, 1, 0) };
    let tries = (0..8).map(|_| {
        let ctx = committee.clone();
        tokio::spawn(async move { pairing::pair(&ctx, new).await })
    });
    let done =
        join_all(tries).await.into_iter().filter(|done| done.as_ref().is_ok_and(Result::is_ok)).count();
    assert_eq!(done, 1);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM pairing").await, 1);
    // Five hundred in a request, each for itself.
    let item = |unit: usize, place: usize| {
        json!({ "allianceId": id::encode(world.town), "organizationId": id::encode(world.members[unit]),
            "regionId": id::encode(world.communities[place]) })
    };
    let input = json!({ "items": [item(1, 0), item(2, 0), item(2, 1), item(2, 0)] });
    let shown = "results { id pairing { since organization { name } } userErrors { code field } }";
    let answer =
        send(&app, world.committee, "pairOrganizations", "PairOrganizationsInput", shown, input).await;
    let codes: Vec<_> = (0..4)
        .map(|at| answer.at(&format!("/pairOrganizations/results/{at}/userErrors/0/code")).clone())
        .collect();
    assert_eq!(codes, [json!("ALREADY_PAIRED"), json!(null), json!(null), json!("ALREADY_PAIRED")]);
    assert_eq!(answer.text("/pairOrganizations/results/0/userErrors/0/field"), "input.items.0.since");
    let query = "query($id: ID!, $region: ID!) { alliance(id: $id) { pairings(filter: { regionId: $region, on: \"2026-01-05\" }) {
        totalCount nodes { organization { name } region { name } since until } } } }";
    let variables = json!({ "id": id::encode(world.town), "region": id::encode(world.communities[0]) });
    let answer = app.client(world.staff).send(query, variables).await;
    assert_eq!(answer.at("/alliance/pairings/totalCount"), 2);
}

#[tokio::test]
async fn paired_units_come_where_they_are_paired() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (app.ctx(world.committee), world.communities);
    let yard = compound(&app, one, "东小区").await;
    let until = Some(day("2026-01-06"));
    pairing::pair(&committee, NewPairing { until, ..pair(&world, 5, 0) }).await.expect("paired");
    let row = issued(&app, &world).await;
    let of =
        |name: &str, place| NewCheckIn { organization_id: Some(world.members[5]), ..person(name, place) };
    assert_eq!(told(&check_in::check_in(&committee, row.id, of("V1", yard)).await), "CheckedIn");
    assert_eq!(told(&check_in::check_in(&committee, row.id, of("V2", two)).await), "UNIT_NOT_CALLED");
    app.advance(TimeDelta::days(1));
    assert_eq!(told(&check_in::check_in(&committee, row.id, of("V3", one)).await), "UNIT_NOT_CALLED");
    assert_counted(&app).await;
}

#[tokio::test]
async fn compounds_and_buildings_are_paired_for_themselves_and_for_what_lies_in_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let (committee, [one, _]) = (app.ctx(world.committee), world.communities);
    let (yard, beside) = (compound(&app, one, "东小区").await, compound(&app, one, "西小区").await);
    let tower = place(&app, yard, "1号楼", Level::Building).await;
    let elsewhere = compound(&app, other.communities[0], "南小区").await;
    let at = |unit: usize, region_id| NewPairing { region_id, ..pair(&world, unit, 0) };
    pairing::pair(&committee, at(3, one)).await.expect("a community");
    let whole = pairing::pair(&committee, at(4, yard)).await.expect("a compound");
    pairing::pair(&committee, at(5, tower)).await.expect("a building");
    for (unit, taken) in [(4, yard), (5, tower)] {
        assert_eq!(code(pairing::pair(&committee, at(unit, taken)).await), "ALREADY_PAIRED");
    }
    assert_eq!(code(pairing::pair(&committee, at(5, elsewhere)).await), "OUTSIDE_TERRITORY");
    // Of a place whatever lies in it is told too, and nothing around it.
    let query = "query($id: ID!, $region: ID!) { alliance(id: $id) { pairings(filter: { regionId: $region, on: \"2026-01-05\" }) {
        nodes { organization { name } region { name level } } } } }";
    let community = ("成员单位3-632223", "第1社区", "VILLAGE");
    let (compound, building) =
        (("成员单位4-632223", "东小区", "COMPOUND"), ("成员单位5-632223", "1号楼", "BUILDING"));
    for (region, expected) in [
        (one, vec![community, compound, building]),
        (yard, vec![compound, building]),
        (tower, vec![building]),
        (beside, vec![]),
    ] {
        let variables = json!({ "id": id::encode(world.town), "region": id::encode(region) });
        let answer = app.client(world.staff).send(query, variables).await.fine();
        let nodes = answer.at("/alliance/pairings/nodes").as_array().expect("pairings").clone();
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let mut found: Vec<_> = nodes
            .iter()
            .map(|node| {
                let region = &node["region"];
                (text(&node["organization"]["name"]), text(&region["name"]), text(&region["level"]))
            })
            .collect();
        found.sort_unstable();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(unit, place, level)| (unit.to_owned(), place.to_owned(), level.to_owned()))
            .collect();
        assert_eq!(found, expected);
    }
    // Nobody of them is called: each brings people to what it is paired with, and to what lies in that.
    let row = issued(&app, &world).await;
    let come = async |unit: usize, name: &str, place| {
        let new = NewCheckIn { organization_id: Some(world.members[unit]), ..person(name, place) };
        told(&check_in::check_in(&committee, row.id, new).await)
    };
    let mut number = 0;
    for (unit, places) in [(3, [true; 4]), (4, [false, true, true, false]), (5, [false, false, true, false])]
    {
        for (place, may) in [one, yard, tower, beside].into_iter().zip(places) {
            number += 1;
            let expected = if may { "CheckedIn" } else { "UNIT_NOT_CALLED" };
            assert_eq!(come(unit, &format!("V{number}"), place).await, expected, "{unit} at {place:?}");
        }
    }
    for (place, present) in [(one, 1), (yard, 2), (tower, 3), (beside, 1)] {
        assert_eq!(counted(&app, row.id, place).await, (if place == one { 10 } else { 0 }, present));
    }
    // With the compound its building is given up, by that unit alone.
    pairing::end(&committee, whole.id, None, None).await.expect("ended");
    assert_eq!(come(4, "W1", tower).await, "UNIT_NOT_CALLED");
    assert_eq!(come(5, "W2", tower).await, "CheckedIn");
    assert_counted(&app).await;
}

#[tokio::test]
async fn members_report_home_to_one_community_each() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let [one, two] = world.communities;
    let new = |name: &str, unit: usize, region_id| NewHomeReport {
        alliance_id: world.town,
        person: name.to_owned(),
        organization_id: world.members[unit],
        region_id,
    };
    let (staff, officer) = (app.ctx(world.staff), app.ctx(world.officer));
    assert_eq!(home_report::report(&staff, new("V1", 1, one)).await.expect("reported"), Reported::Reported);
    assert_eq!(home_report::report(&staff, new("V1", 1, one)).await.expect("again"), Reported::Duplicate);
    assert_eq!(home_report::report(&staff, new("V1", 1, two)).await.expect("moved"), Reported::Moved);
    assert_eq!(home_report::report(&officer, new("V2", 2, one)).await.expect("reported"), Reported::Reported);
    for (who, report, expected) in [
        (world.staff, new("V3", 2, one), "FORBIDDEN"),
        (world.staff, new("V2", 1, one), "FORBIDDEN"),
        (world.officer, new("V3", 2, two), "FORBIDDEN"),
        (world.observer, new("V3", 2, one), "FORBIDDEN"),
        (other.committee, new("V3", 2, one), "NOT_FOUND"),
        (world.committee, new("13912345678", 2, one), "PERSON_IDENTIFIED"),
        (world.committee, new("V3", 2, world.town_region), "REGION_ABOVE_COMMUNITY"),
        (world.committee, new("V3", 2, other.communities[0]), "OUTSIDE_TERRITORY"),
        (
            world.committee,
            NewHomeReport { organization_id: other.members[1], ..new("V3", 2, one) },
            "NOT_A_MEMBER",
        ),
    ] {
        assert_eq!(code(home_report::report(&app.ctx(who), report).await), expected);
    }
    // The same at many places at once stands at one.
    let tries = (0..8).map(|number: usize| {
        let (ctx, place) = (app.ctx(world.committee), if number.is_multiple_of(2) { one } else { two });
        let report = new("V4", 1, place);
        tokio::spawn(async move { home_report::report(&ctx, report).await })
    });
    for done in join_all(tries).await {
        done.expect("an end").expect("nobody is turned away");
    }
    let standing = "SELECT COUNT(*) AS n FROM home_report WHERE ended_at IS NULL";
    assert_eq!(count(&app, standing).await, 3);
    // To the outside a number for each unit and community, and nobody's digest.
    let query =
        "query($id: ID!, $town: ID!) { alliance(id: $id) { homeReports { organization { id } region { id } members }
            all: homeReportCount below: homeReportCount(regionId: $town) under: homeReports(regionId: $town) { members } } }";
    let key = dashboard_key(&app, world.town).await;
    let given = json!({ "id": id::encode(world.town), "town": id::encode(world.town_region) });
    let answer = app.key(key).send(query, given).await;
    assert_eq!(answer.at("/alliance/all"), 3);
    assert_eq!(answer.at("/alliance/below"), 3);
    assert_eq!(
        answer.at("/alliance/under").as_array().map(Vec::len),
        answer.at("/alliance/homeReports").as_array().map(Vec::len)
    );
    let rows = answer.at("/alliance/homeReports").as_array().expect("rows").clone();
    let members: i64 = rows.iter().filter_map(|row| row["members"].as_i64()).sum();
    assert_eq!(members, 3);
    let input = json!({ "allianceId": id::encode(world.town), "person": "V1" });
    let ended =
        send(&app, world.staff, "endHomeReport", "EndHomeReportInput", "ended", input.clone()).await.fine();
    assert_eq!(ended.at("/endHomeReport/ended"), true);
    let again = send(&app, world.staff, "endHomeReport", "EndHomeReportInput", "ended", input).await;
    assert_eq!(again.code().as_deref(), Some("NOT_REPORTED_HOME"));
    let item = |name: &str, unit: usize| json!({ "allianceId": id::encode(world.town), "person": name, "organizationId": id::encode(world.members[unit]), "regionId": id::encode(one) });
    let input =
        json!({ "items": [item("V5", 1), item("V5", 1), item("230800199001011234", 1), item("V6", 2)] });
    let shown = "results { index outcome code field }";
    let answer = send(&app, world.staff, "reportHomes", "ReportHomesInput", shown, input).await;
    let outcomes: Vec<_> =
        (0..4).map(|at| answer.text(&format!("/reportHomes/results/{at}/outcome"))).collect();
    assert_eq!(outcomes, ["REPORTED", "DUPLICATE", "REFUSED", "REFUSED"]);
    assert_eq!(answer.text("/reportHomes/results/2/field"), "input.items.2.person");
    assert_eq!(answer.text("/reportHomes/results/3/code"), "FORBIDDEN");
    // What is sent again under its key is answered as at first, and only an event tells of what was done.
    let client = app.client(world.staff);
    let query =
        "mutation($input: ReportHomeInput!) { reportHome(input: $input) { outcome userErrors { code } } }";
    let at = |place| {
        let unit = id::encode(world.members[1]);
        json!({ "input": { "allianceId": id::encode(world.town), "person": "V7", "organizationId": unit, "regionId": id::encode(place) } })
    };
    for (key, place, expected) in
        [("home-1", one, "REPORTED"), ("home-2", one, "DUPLICATE"), ("home-3", two, "MOVED")]
    {
        for _ in 0..2 {
            let answer = client.keyed(key, 1).send(query, at(place)).await.fine();
            assert_eq!(answer.text("/reportHome/outcome"), expected, "{key}");
        }
    }
    let first = client.keyed("home-1", 1).send(query, at(one)).await.fine();
    assert_eq!(first.text("/reportHome/outcome"), "REPORTED");
    let query = "mutation($input: ReportHomesInput!) { reportHomes(input: $input) { results { outcome } } }";
    let many = json!({ "input": { "items": [item("V8", 1), item("V8", 1), item("V7", 1)] } });
    let expected = json!([{ "outcome": "REPORTED" }, { "outcome": "DUPLICATE" }, { "outcome": "MOVED" }]);
    for _ in 0..2 {
        let answer = client.keyed("homes", 1).send(query, many.clone()).await;
        assert_eq!(answer.at("/reportHomes/results"), &expected);
    }
    let rows = reports::Entity::find().count(&app.app.read).await.expect("a count");
    let told = count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'home_reported'").await;
    assert_eq!(i64::try_from(rows).ok(), Some(told));
}
