//! Grids: three networks over one territory; who is responsible at a place on whatever day; overlaps, jumps and days that go backwards
//! are refused; holes are found.

use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use concord::{
    domain::{
        Result,
        grid::{
            cell::{self, NewCell, Which},
            network,
            officer::{self, NewOfficer},
        },
        territory::region::{self, NewRegion},
    },
    graphql::id,
};
use concord_entities::{
    grid_cell::{self, Category},
    grid_network::{self, Kind},
    grid_officer::{self, Role},
    id::{AccountId, GridCellId, OrganizationId, RegionId},
    region::Level,
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::problem::count;

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("a refusal").code().text().to_owned()
}

/// A place below another.
pub async fn place(app: &TestApp, parent: RegionId, name: &str, level: Level) -> RegionId {
    let new = NewRegion { parent_id: Some(parent), code: None, name: name.to_owned(), level };
    region::record(&app.system(), new).await.expect("a region").id
}

pub async fn network_of(app: &TestApp, world: &World, kind: Kind) -> grid_network::Model {
    network::establish(&app.ctx(world.committee), world.town, kind).await.expect("a network")
}

/// A comprehensive cell of level 3 that stands from the new year on.
pub fn new_cell(code: &str, regions: &[RegionId]) -> NewCell {
    NewCell {
        parent_id: None,
        code: code.to_owned(),
        name: format!("{code}网格"),
        level: 3,
        category: Category::Comprehensive,
        region_ids: regions.to_vec(),
        since: Some(day("2026-01-01")),
    }
}

pub async fn drawn(
    app: &TestApp,
    world: &World,
    network: &grid_network::Model,
    new: NewCell,
) -> grid_cell::Model {
    cell::draw(&app.ctx(world.committee), network.id, new).await.expect("a cell")
}

pub fn new_officer(unit: OrganizationId, role: Role, name: &str) -> NewOfficer {
    NewOfficer {
        organization_id: unit,
        role,
        name: name.to_owned(),
        phone: Some("13912345678".to_owned()),
        is_main: true,
        since: Some(day("2026-01-01")),
    }
}

async fn assigned(app: &TestApp, world: &World, cell: GridCellId, new: NewOfficer) -> grid_officer::Model {
    officer::assign(&app.ctx(world.committee), cell, new).await.expect("a post")
}

pub fn which(id: GridCellId) -> Which {
    Which { id, expected_version: None }
}

const OVERLAY: &str = "query($a: ID!, $r: ID!, $on: Date) { gridOverlay(allianceId: $a, regionId: $r, on: $on) {
    on region { name } networks { kind isHole network { id } cells { cell { code level category }
    officers { role isMain person { name phone masked } organization { name } alsoHolds { role cell { code } } } } } } }";

async fn overlay(app: &TestApp, world: &World, who: AccountId, at: RegionId, on: Option<&str>) -> Answer {
    let given = json!({ "a": id::encode(world.town), "r": id::encode(at), "on": on });
    app.client(who).send(OVERLAY, given).await
}

/// The codes of the cells over a place, network by network.
fn codes(answer: &Answer) -> Vec<Vec<String>> {
    let networks = answer.at("/gridOverlay/networks").as_array().expect("networks").clone();
    let of = |network: &Value| {
        let cells = network["cells"].as_array().expect("cells").clone();
        cells.iter().map(|cell| cell["cell"]["code"].as_str().expect("a code").to_owned()).collect()
    };
    networks.iter().map(of).collect()
}

#[tokio::test]
async fn three_networks_over_one_place_say_who_is_responsible() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [north, south] = world.communities;
    let compound = place(&app, north, "东小区", Level::Compound).await;
    let building = place(&app, compound, "3号楼", Level::Building).await;
    let party = network_of(&app, &world, Kind::Party).await;
    let governance = network_of(&app, &world, Kind::Governance).await;
    let wide = drawn(&app, &world, &party, new_cell("D-1", &[north, south])).await;
    let above = drawn(&app, &world, &governance, new_cell("Z-1", &[north])).await;
    let below = NewCell { parent_id: Some(above.id), level: 4, ..new_cell("Z-1-1", &[compound]) };
    let near = drawn(&app, &world, &governance, below).await;
    let market = NewCell { category: Category::Special, level: 4, ..new_cell("Z-S1", &[building]) };
    drawn(&app, &world, &governance, market).await;
    let unit = world.members[1];
    assigned(&app, &world, near.id, new_officer(unit, Role::GridOfficer, "张三丰")).await;
    assigned(&app, &world, wide.id, new_officer(unit, Role::PartyGroupHead, "张三丰")).await;
    let second = NewOfficer { is_main: false, ..new_officer(unit, Role::GridOfficer, "李四") };
    assigned(&app, &world, near.id, second).await;
    // A building below a community that is covered; the nearest level comes first, the special cell ahead of its equal.
    let answer = overlay(&app, &world, world.committee, building, None).await;
    assert_eq!(codes(&answer), [vec!["D-1"], vec!["Z-S1", "Z-1-1", "Z-1"], vec![]]);
    assert_eq!(answer.text("/gridOverlay/on"), "2026-01-05");
    let holes: Vec<_> =
        (0..3).map(|at| answer.at(&format!("/gridOverlay/networks/{at}/isHole")).clone()).collect();
    assert_eq!(holes, [json!(false), json!(false), json!(true)]);
    assert!(answer.at("/gridOverlay/networks/2/network").is_null());
    let officers = answer.at("/gridOverlay/networks/1/cells/1/officers").clone();
    assert_eq!(officers.as_array().expect("officers").len(), 2);
    assert_eq!(officers[0]["person"], json!({ "name": "张三丰", "phone": "13912345678", "masked": false }));
    // One person, two roles.
    assert_eq!(officers[0]["alsoHolds"], json!([{ "role": "PARTY_GROUP_HEAD", "cell": { "code": "D-1" } }]));
    // Who may not read contacts sees masks; whoever is of the unit sees their own.
    let masked = overlay(&app, &world, world.other_staff, building, None).await;
    let person = masked.at("/gridOverlay/networks/1/cells/1/officers/0/person").clone();
    assert_eq!(person, json!({ "name": "张**", "phone": "139****5678", "masked": true }));
    let own = overlay(&app, &world, world.staff, building, None).await;
    assert_eq!(own.at("/gridOverlay/networks/1/cells/1/officers/0/person/masked"), false);
    // Of the other community only the Party's cell knows; before the year nobody did.
    assert_eq!(
        codes(&overlay(&app, &world, world.observer, south, None).await),
        [vec!["D-1"], vec![], vec![]]
    );
    let before = overlay(&app, &world, world.observer, building, Some("2025-12-31")).await;
    assert_eq!(codes(&before), [Vec::<String>::new(), vec![], vec![]]);
    // Beyond the territory there is nothing to say, and to strangers there is no alliance.
    let beyond = overlay(&app, &world, world.observer, world.county_region, None).await;
    assert_eq!(beyond.code().as_deref(), Some("OUTSIDE_TERRITORY"));
    assert!(overlay(&app, &world, world.stranger, building, None).await.at("/gridOverlay").is_null());
    app.run_background().await;
}

#[tokio::test]
async fn two_comprehensive_cells_of_one_level_never_cover_one_place() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let [north, south] = world.communities;
    let compound = place(&app, north, "东小区", Level::Compound).await;
    let network = network_of(&app, &world, Kind::Governance).await;
    let draw = async |new: NewCell| cell::draw(&committee, network.id, new).await;
    let first = draw(new_cell("Z-1", &[north])).await.expect("a cell");
    // The same place, one within it, and one that holds it.
    for regions in [vec![north], vec![compound], vec![south, north]] {
        let refused = draw(new_cell("Z-2", &regions)).await.expect_err("an overlap");
        assert_eq!(refused.code().text(), "GRID_OVERLAP");
        assert!(format!("{refused:?}").contains("Z-1 Z-1网格"), "the other cell is named: {refused:?}");
    }
    let inner = draw(NewCell { level: 4, ..new_cell("Z-3", &[compound]) }).await.expect("another level");
    let outer = NewCell { level: 4, ..new_cell("Z-4", &[north]) };
    assert_eq!(code(draw(outer).await), "GRID_OVERLAP");
    draw(NewCell { category: Category::Special, ..new_cell("Z-5", &[north]) }).await.expect("a special one");
    let other = network_of(&app, &world, Kind::Police).await;
    cell::draw(&committee, other.id, new_cell("Z-1", &[north])).await.expect("another network");
    // From the day on which it is given up the place is free, on that very day and no earlier.
    cell::redraw(&committee, which(first.id), &[south], Some(day("2026-03-01"))).await.expect("redrawn");
    let late = |since: &str| NewCell { since: Some(day(since)), ..new_cell("Z-6", &[north]) };
    assert_eq!(code(draw(late("2026-02-28")).await), "GRID_OVERLAP");
    let heir = draw(late("2026-03-01")).await.expect("an heir");
    let back = cell::redraw(&committee, which(first.id), &[north, south], Some(day("2026-04-01"))).await;
    assert_eq!(code(back), "GRID_OVERLAP");
    // What was so on a day stays so.
    let query =
        "query($id: ID!) { node(id: $id) { ... on GridCell { before: territory(on: \"2026-02-28\") { name }
        then: territory(on: \"2026-03-01\") { name } none: territory(on: \"2025-01-01\") { name } } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id::encode(first.id) })).await;
    assert_eq!(
        shown.0["data"]["node"],
        json!({ "before": [{ "name": "第1社区" }], "then": [{ "name": "第2社区" }], "none": [] })
    );
    let answer = overlay(&app, &world, world.observer, north, Some("2026-02-28")).await;
    assert_eq!(codes(&answer)[1], ["Z-5", "Z-1"]);
    let answer = overlay(&app, &world, world.observer, compound, Some("2026-03-01")).await;
    assert_eq!(codes(&answer)[1], ["Z-3", "Z-5", "Z-6"]);
    // A code is free again once its cell has ended.
    let again = |since: &str| NewCell { since: Some(day(since)), ..new_cell("Z-6", &[north]) };
    assert_eq!(code(draw(again("2026-05-01")).await), "ALREADY_EXISTS");
    cell::end(&committee, which(heir.id), Some(day("2026-05-01"))).await.expect("ended");
    assert_eq!(code(draw(again("2026-04-30")).await), "ALREADY_EXISTS");
    draw(again("2026-05-01")).await.expect("the code again");
    let told = "SELECT COUNT(*) AS n FROM event WHERE subject_kind = 'grid_cell'";
    assert_eq!(count(&app, told).await, 6 + 1 + 1);
    assert_eq!(inner.version, 1);
    app.run_background().await;
}

#[tokio::test]
async fn what_cannot_be_changes_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let [north, south] = world.communities;
    let network = network_of(&app, &world, Kind::Party).await;
    let twice = network::establish(&committee, world.town, Kind::Party).await;
    assert_eq!(code(twice), "ALREADY_EXISTS");
    let top = drawn(&app, &world, &network, new_cell("D-1", &[north])).await;
    let building = place(&app, world.town_region, "门楼", Level::Building).await;
    let before = count(&app, "SELECT COUNT(*) AS n FROM event").await;
    let under = |level: i32| NewCell { parent_id: Some(top.id), level, ..new_cell("D-2", &[south]) };
    for (new, expected) in [
        (under(3), "GRID_LEVEL_JUMP"),
        (under(5), "GRID_LEVEL_JUMP"),
        (under(2), "GRID_LEVEL_JUMP"),
        (under(6), "OUT_OF_RANGE"),
        (under(0), "OUT_OF_RANGE"),
        (NewCell { since: Some(day("2025-12-31")), ..under(4) }, "TOO_EARLY"),
        (NewCell { code: " ".to_owned(), ..under(4) }, "REQUIRED"),
        (NewCell { name: "长".repeat(129), ..under(4) }, "TOO_LONG"),
        (NewCell { name: "城北\n网格".to_owned(), ..under(4) }, "MALFORMED"),
        (NewCell { code: "D\t2".to_owned(), ..under(4) }, "MALFORMED"),
        (NewCell { region_ids: vec![], ..under(4) }, "REQUIRED"),
        (NewCell { region_ids: vec![south; 201], ..under(4) }, "OUT_OF_RANGE"),
        (NewCell { region_ids: vec![beyond.communities[0]], ..under(4) }, "OUTSIDE_TERRITORY"),
        (NewCell { region_ids: vec![world.town_region], ..under(4) }, "REGION_ABOVE_COMMUNITY"),
        (NewCell { since: Some(day("2062-01-01")), ..under(4) }, "TOO_LATE"),
        (NewCell { region_ids: vec![app.system().new_id()], ..under(4) }, "NOT_FOUND"),
        (NewCell { parent_id: Some(app.system().new_id()), ..under(4) }, "NOT_FOUND"),
        (new_cell("D-1", &[building]), "ALREADY_EXISTS"),
    ] {
        assert_eq!(code(cell::draw(&committee, network.id, new.clone()).await), expected, "{new:?}");
    }
    // A cell of another network is nobody's parent here, and so no circle ever closes.
    let police = network_of(&app, &world, Kind::Police).await;
    assert_eq!(code(cell::draw(&committee, police.id, under(4)).await), "NOT_FOUND");
    let redraw = async |regions: &[RegionId], since: &str| {
        cell::redraw(&committee, which(top.id), regions, Some(day(since))).await
    };
    assert_eq!(code(redraw(&[south], "2026-01-01").await), "TOO_EARLY");
    assert_eq!(code(redraw(&[south], "2025-06-01").await), "TOO_EARLY");
    assert_eq!(code(redraw(&[north], "2026-02-01").await), "ALREADY_EXISTS");
    assert_eq!(code(redraw(&[], "2026-02-01").await), "REQUIRED");
    assert_eq!(code(redraw(&[south], "2027-01-07").await), "TOO_LATE");
    assert_eq!(code(cell::end(&committee, which(top.id), Some(day("2062-01-01"))).await), "TOO_LATE");
    let stale = Which { id: top.id, expected_version: Some(7) };
    assert_eq!(code(cell::redraw(&committee, stale, &[south], None).await), "VERSION_CONFLICT");
    assert_eq!(code(cell::end(&committee, which(top.id), Some(day("2025-01-01"))).await), "TOO_EARLY");
    let unit = world.members[1];
    let post = |role| new_officer(unit, role, "王五");
    for (new, expected) in [
        (NewOfficer { organization_id: beyond.members[1], ..post(Role::GridHead) }, "NOT_A_MEMBER"),
        (NewOfficer { name: String::new(), ..post(Role::GridHead) }, "REQUIRED"),
        (NewOfficer { phone: Some("1".repeat(33)), ..post(Role::GridHead) }, "TOO_LONG"),
        (NewOfficer { since: Some(day("2025-12-31")), ..post(Role::GridHead) }, "TOO_EARLY"),
        (NewOfficer { since: Some(day("2062-01-01")), ..post(Role::GridHead) }, "TOO_LATE"),
    ] {
        assert_eq!(code(officer::assign(&committee, top.id, new).await), expected);
    }
    // One network more, and nothing else.
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, before + 1);
    // Only the committee may, and to whoever is outside there is nothing.
    for (who, expected) in [
        (world.observer, "FORBIDDEN"),
        (world.grid_officer, "FORBIDDEN"),
        (world.officer, "FORBIDDEN"),
        (world.manager, "FORBIDDEN"),
        (world.county_committee, "FORBIDDEN"),
        (beyond.committee, "NOT_FOUND"),
        (world.stranger, "NOT_FOUND"),
    ] {
        let ctx = app.ctx(who);
        assert_eq!(code(cell::draw(&ctx, network.id, under(4)).await), expected);
        assert_eq!(code(cell::redraw(&ctx, which(top.id), &[south], None).await), expected);
        assert_eq!(code(cell::end(&ctx, which(top.id), None).await), expected);
        assert_eq!(code(officer::assign(&ctx, top.id, post(Role::GridHead)).await), expected);
        assert_eq!(code(network::establish(&ctx, world.town, Kind::Governance).await), expected);
    }
}

#[tokio::test]
async fn what_is_planned_is_not_ended_before_it_begins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let network = network_of(&app, &world, Kind::Party).await;
    let [north, south] = [world.communities[0], world.communities[1]];
    let top = drawn(&app, &world, &network, new_cell("D-1", &[north])).await;
    cell::redraw(&committee, which(top.id), &[south], Some(day("2026-03-01"))).await.expect("planned");
    // A place that is given up later on would outlive the cell.
    let police = network_of(&app, &world, Kind::Police).await;
    let both = drawn(&app, &world, &police, new_cell("J-1", &[north, south])).await;
    cell::redraw(&committee, which(both.id), &[north], Some(day("2026-03-01"))).await.expect("planned");
    let early = cell::end(&committee, which(both.id), Some(day("2026-02-28"))).await;
    assert_eq!(code(early), "TOO_EARLY");
    cell::end(&committee, which(both.id), Some(day("2026-03-01"))).await.expect("ended");
    // "Today" is today, and never the day of what is planned.
    assert_eq!(code(cell::end(&committee, which(top.id), None).await), "TOO_EARLY");
    let ended = cell::end(&committee, which(top.id), Some(day("2026-03-01"))).await.expect("ended");
    assert_eq!(ended.until_on, Some(day("2026-03-01")));
    // What ends on the day on which it would have begun never stood, and bars nothing.
    let planned = NewCell { since: Some(day("2026-03-01")), ..new_cell("D-2", &[north]) };
    let planned = drawn(&app, &world, &network, planned).await;
    cell::end(&committee, which(planned.id), Some(day("2026-03-01"))).await.expect("taken back");
    let now = drawn(&app, &world, &network, new_cell("D-2", &[south])).await;
    let main = new_officer(world.members[2], Role::GridOfficer, "赵一");
    let later = NewOfficer { since: Some(day("2026-02-01")), ..main.clone() };
    let later = assigned(&app, &world, now.id, later).await;
    officer::end(&committee, later.id, None, Some(day("2026-02-01"))).await.expect("taken back");
    assigned(&app, &world, now.id, main).await;
}

#[tokio::test]
async fn posts_are_dated_and_of_each_role_one_is_the_main_one() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let network = network_of(&app, &world, Kind::Police).await;
    let top = drawn(&app, &world, &network, new_cell("J-1", &[world.communities[0]])).await;
    let unit = world.members[2];
    let first = assigned(&app, &world, top.id, new_officer(unit, Role::PoliceOfficer, "赵一")).await;
    let heir = |since: &str| NewOfficer {
        since: Some(day(since)),
        ..new_officer(unit, Role::PoliceOfficer, "钱二")
    };
    assert_eq!(code(officer::assign(&committee, top.id, heir("2026-06-01")).await), "MAIN_OFFICER_TAKEN");
    let twice = NewOfficer { is_main: false, ..new_officer(unit, Role::PoliceOfficer, "赵一") };
    assert_eq!(code(officer::assign(&committee, top.id, twice).await), "ALREADY_EXISTS");
    // The security director of the village is auxiliary police too.
    assigned(&app, &world, top.id, new_officer(unit, Role::SecurityDirector, "孙三")).await;
    assigned(&app, &world, top.id, new_officer(unit, Role::AuxiliaryPolice, "孙三")).await;
    assert_eq!(code(officer::end(&committee, first.id, None, Some(day("2025-12-31"))).await), "TOO_EARLY");
    assert_eq!(code(officer::end(&committee, first.id, Some(9), None).await), "VERSION_CONFLICT");
    assert_eq!(code(officer::end(&app.ctx(world.staff), first.id, None, None).await), "FORBIDDEN");
    officer::end(&committee, first.id, None, Some(day("2026-06-01"))).await.expect("ended");
    assert_eq!(code(officer::end(&committee, first.id, None, None).await), "STATE_REFUSED");
    assert_eq!(code(officer::assign(&committee, top.id, heir("2026-05-31")).await), "MAIN_OFFICER_TAKEN");
    officer::assign(&committee, top.id, heir("2026-06-01")).await.expect("the heir");
    let query =
        "query($id: ID!) { gridCell(id: $id) { may: officers(on: \"2026-05-31\") { role person { name } }
        june: officers(on: \"2026-06-01\") { role person { name } } officerHistory { until }
        history(newestFirst: false) { nodes { kind details { name value } } } } }";
    let shown = app.client(world.committee).send(query, json!({ "id": id::encode(top.id) })).await;
    let names = |on: &str| {
        let rows = shown.at(&format!("/gridCell/{on}")).as_array().expect("officers").clone();
        let name = |row: &Value| row["person"]["name"].as_str().expect("a name").to_owned();
        rows.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names("may"), ["赵一", "孙三", "孙三"]);
    assert_eq!(names("june"), ["钱二", "孙三", "孙三"]);
    assert_eq!(shown.at("/gridCell/officerHistory").as_array().expect("all").len(), 4);
    let told = shown.at("/gridCell/history").to_string();
    assert!(told.contains("GRID_OFFICER_ENDED") && !told.contains("赵一"), "no names in events: {told}");
    // With the cell its posts end, those to come too.
    cell::end(&committee, which(top.id), Some(day("2026-05-01"))).await.expect("ended");
    let open = "SELECT COUNT(*) AS n FROM grid_officer WHERE until_on IS NULL OR (until_on > '2026-05-01' AND until_on > since_on)";
    assert_eq!(count(&app, open).await, 0);
    let empty = "SELECT COUNT(*) AS n FROM grid_officer WHERE until_on = since_on";
    assert_eq!(count(&app, empty).await, 1);
    let late = officer::assign(&committee, top.id, new_officer(unit, Role::GridHead, "李四")).await;
    assert_eq!(code(late), "STATE_REFUSED");
    assert_eq!(code(cell::end(&committee, which(top.id), None).await), "STATE_REFUSED");
    app.run_background().await;
}

#[tokio::test]
async fn a_cell_ends_after_those_below_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let network = network_of(&app, &world, Kind::Party).await;
    let top = drawn(&app, &world, &network, new_cell("D-1", &[world.communities[0]])).await;
    let below = NewCell { parent_id: Some(top.id), level: 4, ..new_cell("D-1-1", &[world.communities[0]]) };
    let low = drawn(&app, &world, &network, below).await;
    assert_eq!(code(cell::end(&committee, which(top.id), None).await), "OTHERS_STAND_BELOW");
    cell::end(&committee, which(low.id), Some(day("2026-07-01"))).await.expect("ended");
    assert_eq!(
        code(cell::end(&committee, which(top.id), Some(day("2026-06-30"))).await),
        "OTHERS_STAND_BELOW"
    );
    cell::end(&committee, which(top.id), Some(day("2026-07-01"))).await.expect("ended");
    let late = NewCell { parent_id: Some(top.id), level: 4, ..new_cell("D-9", &[world.communities[1]]) };
    assert_eq!(code(cell::draw(&committee, network.id, late).await), "PARENT_ENDED");
    app.advance(TimeDelta::days(365));
    let query = "query($id: ID!) { gridNetwork(id: $id) { all: cells { nodes { code } } now: cells(filter: { on: \"2027-01-01\" }) { totalCount }
        then: cells(filter: { on: \"2026-06-30\", level: 4 }) { nodes { code parent { code } } } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id::encode(network.id) })).await;
    assert_eq!(shown.at("/gridNetwork/now/totalCount"), 0);
    assert_eq!(shown.at("/gridNetwork/all/nodes").as_array().expect("cells").len(), 2);
    assert_eq!(
        shown.at("/gridNetwork/then/nodes"),
        &json!([{ "code": "D-1-1", "parent": { "code": "D-1" } }])
    );
    app.run_background().await;
}

#[tokio::test]
async fn holes_are_found_in_the_alliance_s_own_territory() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    World::build(&app, "632224").await;
    let [north, south] = world.communities;
    let east = place(&app, north, "东小区", Level::Compound).await;
    let west = place(&app, north, "西小区", Level::Compound).await;
    let hamlet = place(&app, south, "上屯", Level::NaturalVillage).await;
    let network = network_of(&app, &world, Kind::Governance).await;
    let query = "query($id: ID!, $on: Date, $after: String) { gridNetwork(id: $id) {
        gaps(on: $on, first: 2, after: $after) { totalCount nodes { name } pageInfo { hasNextPage endCursor } }
        overlaps(on: $on) { totalCount nodes { region { name } cells { code } } } } }";
    let ask = async |on: Option<&str>, after: Option<&str>| {
        let given = json!({ "id": id::encode(network.id), "on": on, "after": after });
        app.client(world.observer).send(query, given).await
    };
    let bare = ask(None, None).await;
    assert_eq!(bare.at("/gridNetwork/gaps/totalCount"), 5);
    let cursor = bare.text("/gridNetwork/gaps/pageInfo/endCursor");
    let rest = ask(None, Some(&cursor)).await;
    assert_eq!(rest.at("/gridNetwork/gaps/nodes").as_array().expect("regions").len(), 2);
    // A cell over one compound: its community is touched, the other compound stays a hole.
    drawn(&app, &world, &network, NewCell { level: 5, ..new_cell("Z-1", &[east]) }).await;
    let names = |answer: &Answer| {
        let rows = answer.at("/gridNetwork/gaps/nodes").as_array().expect("regions").clone();
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let some = ask(None, None).await;
    assert_eq!(some.at("/gridNetwork/gaps/totalCount"), 3);
    assert_eq!(names(&some)[0], "西小区");
    // A special cell fills no hole.
    let special = NewCell { category: Category::Special, ..new_cell("Z-S", &[west]) };
    drawn(&app, &world, &network, special).await;
    assert_eq!(ask(None, None).await.at("/gridNetwork/gaps/totalCount"), 3);
    drawn(&app, &world, &network, new_cell("Z-2", &[north])).await;
    drawn(&app, &world, &network, NewCell { level: 4, ..new_cell("Z-3", &[hamlet]) }).await;
    let full = ask(None, None).await;
    assert_eq!(full.at("/gridNetwork/gaps/totalCount"), 0);
    assert_eq!(full.at("/gridNetwork/overlaps"), &json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(ask(Some("2025-12-31"), None).await.at("/gridNetwork/gaps/totalCount"), 5);
    // A fixed number of statements, however many regions and cells there are.
    let (_, few) = app.statements(async || ask(None, None).await).await;
    for number in 0..30 {
        place(&app, south, &format!("{number}号小区"), Level::Compound).await;
    }
    let (many, statements) = app.statements(async || ask(None, None).await).await;
    assert_eq!(many.at("/gridNetwork/gaps/totalCount"), 30);
    assert_eq!(statements.len(), few.len(), "{statements:#?}");
    assert!(few.len() <= 9, "{few:#?}");
    let (_, over) = app.statements(async || overlay(&app, &world, world.observer, east, None).await).await;
    assert!(over.len() <= 8, "{over:#?}");
}

#[tokio::test]
async fn a_place_that_the_register_moves_under_another_cell_is_told() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [north, south] = world.communities;
    let hamlet = place(&app, south, "上屯", Level::NaturalVillage).await;
    let network = network_of(&app, &world, Kind::Governance).await;
    drawn(&app, &world, &network, new_cell("Z-1", &[north])).await;
    drawn(&app, &world, &network, new_cell("Z-2", &[hamlet])).await;
    // A hamlet belongs to the other community from now on.
    let path = |id: RegionId| {
        format!("(SELECT path FROM region WHERE id = {})", concord_tests::specimens::uuid(&app, id.0))
    };
    let raw = concord_tests::specimens::uuid(&app, hamlet.0);
    let moved =
        format!("UPDATE region SET path = {} || '{}/' WHERE id = {raw}", path(north), hamlet.0.simple());
    assert_eq!(app.sql(&moved).await.expect("moved"), 1);
    let query =
        "query($id: ID!, $after: String) { gridNetwork(id: $id) { overlaps(first: 50, after: $after) {
        totalCount nodes { region { name } cells { code } } pageInfo { hasNextPage endCursor } } } }";
    let ask = async |after: Option<&str>| {
        let given = json!({ "id": id::encode(network.id), "after": after });
        app.client(world.observer).send(query, given).await
    };
    assert_eq!(
        ask(None).await.at("/gridNetwork/overlaps/nodes"),
        &json!([{ "region": { "name": "上屯" }, "cells": [{ "code": "Z-1" }, { "code": "Z-2" }] }])
    );
    // However many there are, all are told, each once, page by page.
    for number in 0..119 {
        let yard = place(&app, south, &format!("{number:03}屯"), Level::NaturalVillage).await;
        drawn(&app, &world, &network, new_cell(&format!("Y-{number:03}"), &[yard])).await;
        let raw = concord_tests::specimens::uuid(&app, yard.0);
        let moved =
            format!("UPDATE region SET path = {} || '{}/' WHERE id = {raw}", path(north), yard.0.simple());
        assert_eq!(app.sql(&moved).await.expect("moved"), 1);
    }
    let (mut told, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = ask(after.as_deref()).await;
        assert_eq!(page.at("/gridNetwork/overlaps/totalCount"), 120);
        let rows = page.at("/gridNetwork/overlaps/nodes").as_array().expect("overlaps").clone();
        told.extend(rows.iter().map(|row| row["region"]["name"].as_str().expect("a name").to_owned()));
        if page.at("/gridNetwork/overlaps/pageInfo/hasNextPage") == false {
            break;
        }
        after = Some(page.text("/gridNetwork/overlaps/pageInfo/endCursor"));
    }
    assert_eq!(told.len(), 120);
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 120);
    assert_eq!(ask(Some("nowhere")).await.code().as_deref(), Some("CURSOR_MALFORMED"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_draw_over_one_place_at_once_one_wins() {
    let app = Arc::new(TestApp::new().await);
    let world = World::build(&app, "632223").await;
    let network = network_of(&app, &world, Kind::Governance).await;
    let (who, north) = (world.committee, world.communities[0]);
    let tries: Vec<_> = (0..12)
        .map(|number| {
            let (app, network) = (app.clone(), network.id);
            tokio::spawn(async move {
                cell::draw(&app.ctx(who), network, new_cell(&format!("Z-{number}"), &[north])).await
            })
        })
        .collect();
    let mut won = 0;
    for attempt in tries {
        match attempt.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code().text(), "GRID_OVERLAP"),
        }
    }
    assert_eq!(won, 1);
    let top = cell::draw(&app.ctx(who), network.id, new_cell("Z-20", &[world.communities[1]])).await;
    let (top, unit) = (top.expect("a cell").id, world.members[1]);
    let tries: Vec<_> = (0..8)
        .map(|number| {
            let app = app.clone();
            tokio::spawn(async move {
                let new = new_officer(unit, Role::GridHead, &format!("甲{number}"));
                officer::assign(&app.ctx(who), top, new).await
            })
        })
        .collect();
    let mut won = 0;
    for attempt in tries {
        match attempt.await.expect("no panic") {
            Ok(_) => won += 1,
            Err(error) => assert_eq!(error.code().text(), "MAIN_OFFICER_TAKEN"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_request_sent_again_draws_once_and_tells_what_is_wrong_by_field() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let network = network_of(&app, &world, Kind::Party).await;
    let draw = "mutation($input: DrawGridCellInput!) { drawGridCell(input: $input) {
        cell { id code since until category } userErrors { code field message } } }";
    let input = |code: &str, region: RegionId| {
        json!({ "input": {
        "networkId": id::encode(network.id), "code": code, "name": "一号", "level": 1, "regionIds": [id::encode(region)],
    } })
    };
    let client = app.client(world.committee);
    let [north, south] = world.communities;
    let first = client.keyed("draw-1", 1).send(draw, input("D-1", north)).await.fine();
    let again = client.keyed("draw-1", 1).send(draw, input("D-1", north)).await.fine();
    assert_eq!(first.0["data"], again.0["data"]);
    assert_eq!(first.at("/drawGridCell/cell/since"), "2026-01-05");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM grid_cell").await, 1);
    let taken = client.send(draw, input("D-2", north)).await;
    assert_eq!(taken.at("/drawGridCell/userErrors/0/code"), "GRID_OVERLAP");
    assert_eq!(taken.at("/drawGridCell/userErrors/0/field"), "input.regionIds.0");
    assert!(taken.text("/drawGridCell/userErrors/0/message").contains("D-1 一号"));
    let elsewhere = client.send(draw, input("D-1", south)).await;
    assert_eq!(elsewhere.at("/drawGridCell/userErrors/0/field"), "input.code");
    app.run_background().await;
}

#[tokio::test]
async fn a_cell_covers_no_more_than_the_one_above_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let [north, south] = world.communities;
    let yard = place(&app, north, "东小区", Level::Compound).await;
    let network = network_of(&app, &world, Kind::Party).await;
    let top = drawn(&app, &world, &network, new_cell("D-1", &[north])).await;
    let under =
        |regions: &[RegionId]| NewCell { parent_id: Some(top.id), level: 4, ..new_cell("D-1-1", regions) };
    let outside = cell::draw(&committee, network.id, under(&[yard, south])).await.expect_err("outside");
    assert_eq!(outside.code().text(), "GRID_OUTSIDE_PARENT");
    assert_eq!(outside.field(), Some("regionIds.1"));
    let low = drawn(&app, &world, &network, under(&[yard])).await;
    let redraw = async |id, regions: &[RegionId], since: &str| {
        cell::redraw(&committee, which(id), regions, Some(day(since))).await
    };
    assert_eq!(code(redraw(low.id, &[south], "2026-02-01").await), "GRID_OUTSIDE_PARENT");
    // Nor is it taken away from under those that stand in it.
    assert_eq!(code(redraw(top.id, &[south], "2026-02-01").await), "GRID_OUTSIDE_PARENT");
    redraw(top.id, &[north, south], "2026-02-01").await.expect("redrawn");
    assert_eq!(code(redraw(low.id, &[south], "2026-01-20").await), "GRID_OUTSIDE_PARENT");
    redraw(low.id, &[south], "2026-02-01").await.expect("redrawn");
    redraw(top.id, &[south], "2026-02-02").await.expect("redrawn");
}

#[tokio::test]
async fn what_is_entered_late_changes_the_days_since_then_alone_and_stands_in_the_history() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let [north, south] = world.communities;
    let network = network_of(&app, &world, Kind::Governance).await;
    let row = drawn(&app, &world, &network, new_cell("Z-1", &[north])).await;
    app.advance(TimeDelta::days(40));
    let redraw = async |regions: &[RegionId], since: &str| {
        cell::redraw(&committee, which(row.id), regions, Some(day(since))).await
    };
    redraw(&[south], "2026-02-01").await.expect("entered late");
    // Not behind its last change.
    assert_eq!(code(redraw(&[north, south], "2026-02-01").await), "TOO_EARLY");
    app.run_background().await;
    let query =
        "query($id: ID!) { node(id: $id) { ... on GridCell { before: territory(on: \"2026-01-31\") { name }
        then: territory(on: \"2026-02-01\") { name } history { nodes { kind occurredAt } } } } }";
    let shown = app.client(world.observer).send(query, json!({ "id": id::encode(row.id) })).await;
    let node = &shown.0["data"]["node"];
    assert_eq!(
        (&node["before"], &node["then"]),
        (&json!([{ "name": "第1社区" }]), &json!([{ "name": "第2社区" }]))
    );
    let history = node["history"]["nodes"].as_array().expect("events");
    let entered = history.iter().find(|event| event["kind"] == "GRID_CELL_REDRAWN").expect("the change");
    assert!(entered["occurredAt"].as_str().expect("an instant").starts_with("2026-02-"), "{entered}");
}
