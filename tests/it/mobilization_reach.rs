//! An order of a county in its towns: their officers receive people, transfer them and let them go within their own territory, and see
//! what the order covers there. What lies outside does not exist for them.

use std::{collections::BTreeMap, time::Duration};

use chrono::TimeDelta;
use concord::{
    domain::{
        governance::{
            alliance::{self, NewAlliance},
            membership::{self, Contact},
        },
        mobilization::{
            check_in::{self, NewCheckIn},
            coverage::{self, View},
            order::{self, NewMobilization, NewUnit},
            pairing::{self, NewPairing},
        },
        territory::region::{self, NewRegion},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, AllianceId, MobilizationId, RegionId},
    mobilization::Model,
    mobilization_check_in,
    region::Level,
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionTrait};
use serde_json::json;

use crate::{
    changes::dashboard_key,
    mobilization::{assert_counted, code, counted, need, person, told, which},
    mobilization_check_in::Told as _,
    whistle,
};

/// A county of two towns: the world's own, and one beside it with a community of its own.
struct County {
    world: World,
    community: RegionId,
    /// Committee of the town beside.
    neighbour: AccountId,
}

pub async fn founded(
    app: &TestApp,
    name: &str,
    region_id: RegionId,
    parent_id: Option<AllianceId>,
) -> AllianceId {
    let new = NewAlliance {
        name: name.to_owned(),
        region_id,
        parent_id,
        committee_organization_id: None,
        oversight_organization_id: None,
        time_zone: "Asia/Shanghai".to_owned(),
        number_pattern: "甘子河销〔{year}〕{seq:4}号".to_owned(),
        check_in_working_day: 5,
    };
    alliance::found(&app.system(), new).await.expect("an alliance").id
}

impl County {
    async fn build(app: &TestApp) -> Self {
        let world = World::build(app, "632223").await;
        let record = async |code: &str, name: &str, level, parent| {
            let new = NewRegion {
                parent_id: Some(parent),
                code: Some(code.to_owned()),
                name: name.to_owned(),
                level,
            };
            region::record(&app.system(), new).await.expect("a region").id
        };
        let beside = record("632223200", "甘子河乡", Level::Township, world.county_region).await;
        let community = record("632223200001", "第3社区", Level::Village, beside).await;
        let town = founded(app, "甘子河乡联盟", beside, Some(world.county)).await;
        let neighbour = whistle::person(app, "neighbour", town, Role::Committee, None).await;
        Self { world, community, neighbour }
    }

    /// An order of the county that needs ten people in each of the three communities.
    async fn issued(&self, app: &TestApp, over: &[RegionId], needs: &[RegionId]) -> Model {
        let county = app.ctx(self.world.county_committee);
        let new = NewMobilization {
            alliance_id: self.world.county,
            title: "全县除雪".to_owned(),
            reason: "暴雪红色预警".to_owned(),
            region_ids: over.to_vec(),
            needs: needs.iter().map(|place| need(*place, 10)).collect(),
            units: Vec::new(),
        };
        let draft = order::draft(&county, new).await.expect("drafted");
        // Nobody in the towns sees a draft.
        let early =
            check_in::check_in(&app.ctx(self.world.committee), draft.id, person("V0", needs[0])).await;
        assert_eq!(told(&early), "NOT_FOUND");
        let row = order::issue(&county, which(draft.id)).await.expect("issued");
        app.advance(TimeDelta::minutes(1));
        row
    }

    async fn over_everything(&self, app: &TestApp) -> Model {
        let [one, two] = self.world.communities;
        self.issued(app, &[self.world.county_region], &[one, two, self.community]).await
    }
}

async fn come(app: &TestApp, who: AccountId, of: MobilizationId, new: NewCheckIn) -> String {
    told(&check_in::check_in(&app.ctx(who), of, new).await)
}

#[tokio::test]
async fn towns_receive_people_of_the_county_within_their_own_territory() {
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let (world, elsewhere) = (&county.world, county.community);
    let [one, two] = world.communities;
    let row = county.over_everything(&app).await;
    // The committee within the town, an officer within the community of the seat.
    assert_eq!(come(&app, world.committee, row.id, person("V1", two)).await, "CheckedIn");
    assert_eq!(come(&app, world.grid_officer, row.id, person("V2", one)).await, "CheckedIn");
    assert_eq!(come(&app, world.officer, row.id, person("V3", two)).await, "FORBIDDEN");
    assert_eq!(come(&app, county.neighbour, row.id, person("V4", elsewhere)).await, "CheckedIn");
    // Outside their territory the order is nowhere for them, as it is outside its own regions.
    let far = World::build(&app, "632224").await;
    for who in [world.committee, world.grid_officer] {
        for place in [elsewhere, far.communities[0]] {
            assert_eq!(come(&app, who, row.id, person("V5", place)).await, "OUTSIDE_MOBILIZATION");
        }
    }
    for who in [far.committee, far.county_committee, world.stranger] {
        assert_eq!(come(&app, who, row.id, person("V5", one)).await, "NOT_FOUND");
    }
    for who in [world.observer, world.approver, world.verifier] {
        assert_eq!(come(&app, who, row.id, person("V5", one)).await, "FORBIDDEN");
    }
    // Staff of a unit that the town has paired with the place bring its people there.
    let new = NewPairing {
        alliance_id: world.town,
        organization_id: world.members[1],
        region_id: one,
        since: None,
        until: None,
    };
    pairing::pair(&app.ctx(world.committee), new).await.expect("paired");
    let unit =
        |name: &str, place| NewCheckIn { organization_id: Some(world.members[1]), ..person(name, place) };
    assert_eq!(come(&app, world.staff, row.id, unit("V6", one)).await, "CheckedIn");
    assert_eq!(come(&app, world.staff, row.id, unit("V7", two)).await, "UNIT_NOT_CALLED");
    assert_eq!(come(&app, world.staff, row.id, person("V7", one)).await, "FORBIDDEN");
    // Whoever comes from elsewhere is transferred, and whoever is elsewhere cannot be let go.
    app.advance(TimeDelta::minutes(1));
    assert_eq!(come(&app, world.grid_officer, row.id, person("V4", one)).await, "Transferred");
    assert_eq!(come(&app, county.neighbour, row.id, person("V8", elsewhere)).await, "CheckedIn");
    for gone in ["V8", "V9"] {
        let out = check_in::check_out(&app.ctx(world.committee), row.id, gone, None).await;
        assert_eq!(code(out), "NOT_CHECKED_IN");
    }
    // Where somebody came from is nowhere for them either, nor how they came.
    let query = "query($id: ID!) { mobilization(id: $id) { checkIns(first: 100) { nodes { firstRegion { name } transfers { isSuperseded } } } } }";
    let places = async |who| {
        let shown = app.client(who).send(query, json!({ "id": id::encode(row.id) })).await.fine();
        let nodes = shown.at("/mobilization/checkIns/nodes").as_array().expect("check-ins").clone();
        let nowhere = nodes.iter().filter(|node| node["firstRegion"].is_null()).count();
        let moved: usize = nodes.iter().map(|node| node["transfers"].as_array().map_or(0, Vec::len)).sum();
        (nodes.len(), nowhere, moved)
    };
    assert_eq!(places(world.committee).await, (4, 1, 0));
    assert_eq!(places(world.county_committee).await, (5, 0, 1));
    check_in::check_out(&app.ctx(world.grid_officer), row.id, "V4", None).await.expect("out");
    let out = check_in::check_out(&app.ctx(world.grid_officer), row.id, "V1", None).await;
    assert_eq!(code(out), "FORBIDDEN");
    // Of a batch each for itself, in as many statements as in one's own alliance.
    let items = vec![Ok(person("W1", one)), Ok(person("W2", elsewhere)), Ok(person("W3", two))];
    let (came, within) = app
        .statements_within(async || check_in::check_in_many(&app.ctx(world.committee), row.id, items).await)
        .await;
    let came: Vec<String> = came.expect("done").iter().map(told).collect();
    assert_eq!(came, ["CheckedIn", "OUTSIDE_MOBILIZATION", "CheckedIn"]);
    assert_eq!(within.len(), 5, "{within:#?}");
    assert_eq!((counted(&app, row.id, one).await.1, counted(&app, row.id, elsewhere).await.1), (3, 1));
    assert_counted(&app).await;
}

const SHOWN: &str = "query($id: ID!, $below: ID) { mobilization(id: $id) {
    number alliance { name } regions { name } needs { nodes { region { name } } } units { totalCount }
    coverage(below: $below) { region { name } needed present uncovered }
    checkIns { nodes { region { name } } }
    report { came others present units { came } places { region { name } needed present } } } }";

fn names(answer: &Answer, list: &str) -> Vec<String> {
    let rows = answer.at(&format!("/mobilization/{list}")).as_array().expect("rows").clone();
    rows.iter().map(|row| row["region"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_town_sees_what_lies_in_its_territory_and_nothing_else() {
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let (world, elsewhere) = (&county.world, county.community);
    let [one, two] = world.communities;
    let row = county.over_everything(&app).await;
    for (name, place) in [("V1", one), ("V2", two), ("V3", two), ("V4", elsewhere)] {
        assert_eq!(come(&app, world.county_committee, row.id, person(name, place)).await, "CheckedIn");
    }
    let show = async |who, below: Option<RegionId>| {
        app.client(who).send(SHOWN, json!({ "id": id::encode(row.id), "below": below.map(id::encode) })).await
    };
    let town = show(world.grid_officer, None).await.fine_or_told();
    assert!(town.at("/mobilization/alliance").is_null());
    assert_eq!(town.at("/mobilization/regions"), &json!([{ "name": "海晏县" }]));
    assert_eq!(town.at("/mobilization/units/totalCount"), 0);
    let mut needing = names(&town, "needs/nodes");
    needing.sort_unstable();
    assert_eq!(needing, ["第1社区", "第2社区"]);
    assert_eq!(
        town.at("/mobilization/coverage"),
        &json!([
            { "region": { "name": "第1社区" }, "needed": 10, "present": 1, "uncovered": 9 },
            { "region": { "name": "第2社区" }, "needed": 10, "present": 2, "uncovered": 8 },
        ])
    );
    assert_eq!(names(&town, "checkIns/nodes").len(), 3);
    assert_eq!(
        (town.at("/mobilization/report/came"), town.at("/mobilization/report/others")),
        (&json!(3), &json!(3))
    );
    assert_eq!(names(&town, "report/places"), ["第1社区", "第2社区"]);
    // Staff see those who came with their unit, observers nobody; a dashboard's key of the town sees the figures.
    assert_eq!(names(&show(world.staff, None).await, "checkIns/nodes"), [""; 0]);
    let key = dashboard_key(&app, world.town).await;
    let board = app.key(key).send(SHOWN, json!({ "id": id::encode(row.id) })).await;
    assert_eq!(names(&board, "coverage"), ["第1社区", "第2社区"]);
    assert_eq!(names(&board, "checkIns/nodes"), [""; 0]);
    for outside in [elsewhere, world.county_region] {
        assert_eq!(
            show(world.grid_officer, Some(outside)).await.code().as_deref(),
            Some("OUTSIDE_TERRITORY")
        );
    }
    // Whom the county calls is not the town's to learn, by no filter and no figure.
    let unit = world.members[1];
    let county_committee = app.ctx(world.county_committee);
    membership::admit(&app.system(), world.county, unit, Contact::default()).await.expect("a membership");
    let called = NewUnit { organization_id: unit, quota: 5 };
    order::call_units(&county_committee, which(row.id), &[called]).await.expect("called");
    let brought = NewCheckIn { organization_id: Some(unit), ..person("V5", one) };
    check_in::check_in(&county_committee, row.id, brought).await.expect("there");
    let calling = "query($unit: ID!) { mobilizations(filter: { organizationId: $unit }) { totalCount } }";
    for (who, expected) in [(world.county_committee, 1), (world.committee, 0), (world.grid_officer, 0)] {
        let found = app.client(who).send(calling, json!({ "unit": id::encode(unit) })).await;
        assert_eq!(found.at("/mobilizations/totalCount"), expected);
    }
    let town = show(world.grid_officer, None).await.fine_or_told();
    let report = |answer: &Answer, field: &str| answer.at(&format!("/mobilization/report/{field}")).clone();
    assert_eq!((report(&town, "came"), report(&town, "others")), (json!(4), json!(3)));
    // The county sees it whole.
    let whole = show(world.county_committee, None).await.fine_or_told();
    assert_eq!(names(&whole, "coverage"), ["西海镇", "甘子河乡"]);
    assert_eq!((names(&whole, "needs/nodes").len(), names(&whole, "checkIns/nodes").len()), (3, 5));
    assert_eq!((report(&whole, "came"), report(&whole, "others")), (json!(5), json!(4)));
    let listed = app.client(world.observer).run("{ mobilizations { totalCount nodes { number } } }").await;
    assert_eq!(listed.at("/mobilizations/totalCount"), 1);
    // What the county orders over the other town is not there for this one; over a part of the town it is, below in the tree alone.
    let other = county.issued(&app, &[elsewhere], &[elsewhere]).await;
    let part = county.issued(&app, &[one], &[one]).await;
    let apart = founded(&app, "西海镇商会联盟", world.town_region, None).await;
    let chamber = whistle::person(&app, "chamber", apart, Role::Committee, None).await;
    let sees = async |who, of: &Model| {
        let seen = concord::domain::mobilization::find(&app.ctx(who), of.id).await.expect("a read");
        seen.is_some()
    };
    assert!(!sees(world.committee, &other).await && sees(county.neighbour, &other).await);
    assert!(sees(world.committee, &part).await && !sees(county.neighbour, &part).await);
    // Beside the tree no order is there, whatever the territory.
    for order in [&row, &part, &other] {
        assert!(!sees(chamber, order).await);
        assert_eq!(come(&app, chamber, order.id, person("V9", one)).await, "NOT_FOUND");
    }
}

const WATCH: &str = "subscription($id: ID!) { mobilizationCoverage(mobilizationId: $id) {
    isWhole rows { region { name } present } } }";

#[tokio::test]
async fn a_town_watches_its_own_part_of_the_board() {
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let (world, elsewhere) = (&county.world, county.community);
    let [one, _] = world.communities;
    let row = county.over_everything(&app).await;
    app.run_background().await;
    let ask = json!({ "id": id::encode(row.id) });
    let (town, whole) = (app.client(world.observer), app.client(world.county_committee));
    let (mut own, mut all) = (town.subscribe(WATCH, ask.clone()), whole.subscribe(WATCH, ask));
    let row_of = |name: &str, present: i64| json!({ "region": { "name": name }, "present": present });
    let rows = |answer: &Answer| answer.at("/mobilizationCoverage/rows").clone();
    assert_eq!(rows(&own.next().await), json!([row_of("第1社区", 0), row_of("第2社区", 0)]));
    assert_eq!(rows(&all.next().await), json!([row_of("西海镇", 0), row_of("甘子河乡", 0)]));
    assert_eq!(come(&app, county.neighbour, row.id, person("V1", elsewhere)).await, "CheckedIn");
    app.run_background().await;
    assert_eq!(rows(&all.next().await), json!([row_of("甘子河乡", 1)]));
    assert_eq!(come(&app, world.grid_officer, row.id, person("V2", one)).await, "CheckedIn");
    app.run_background().await;
    // What happened elsewhere rang for nobody here.
    assert_eq!(rows(&own.next().await), json!([row_of("第1社区", 1)]));
    assert_eq!(rows(&all.next().await), json!([row_of("西海镇", 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_while_an_order_is_stood_down_came_before_or_is_turned_away() {
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let [one, _] = county.world.communities;
    let row = county.over_everything(&app).await;
    // No two looks at the clock show the same instant.
    app.tick();
    let ctx = app.ctx(county.world.committee);
    let work = (0..60).map(|number| {
        let (ctx, of) = (ctx.clone(), row.id);
        let ends = (number == 30).then(|| app.ctx(county.world.county_committee));
        tokio::spawn(async move {
            if let Some(committee) = ends {
                order::stand_down(&committee, which(of), "险情解除").await.expect("stood down");
                return None;
            }
            Some(told(&check_in::check_in(&ctx, of, person(&format!("V{number}"), one)).await))
        })
    });
    let came: Vec<String> =
        join_all(work).await.into_iter().filter_map(|done| done.expect("an end")).collect();
    let known = ["CheckedIn", "CHECK_IN_AFTER_END"];
    assert!(came.iter().all(|outcome| known.contains(&outcome.as_str())), "{came:?}");
    let ended = concord::domain::mobilization::find(&ctx, row.id).await.expect("a read").expect("an order");
    let ended = ended.ended_at.expect("an end");
    let rows = mobilization_check_in::Entity::find()
        .filter(mobilization_check_in::Column::MobilizationId.eq(row.id))
        .all(&app.app.read)
        .await
        .expect("rows");
    assert_eq!(rows.len(), came.iter().filter(|outcome| *outcome == "CheckedIn").count());
    for row in rows {
        assert!(row.first_at < ended && row.recorded_at < ended, "{row:?} came after {ended}");
    }
    assert_eq!(come(&app, county.world.committee, row.id, person("W1", one)).await, "CHECK_IN_AFTER_END");
    assert_counted(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn standing_down_waits_for_whoever_is_checking_in() {
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let [one, two] = county.world.communities;
    let row = county.over_everything(&app).await;
    if app.app.backend() == sea_orm::DbBackend::Sqlite {
        // There each unit of work has the database to itself.
        return;
    }
    // Somebody holds the place's counter, so that a check-in stops after it has read the order.
    let holder = app.app.write.begin().await.expect("a unit of work");
    let counter = format!("UPDATE mobilization_coverage SET needed = needed WHERE region_id = '{}'", one.0);
    holder.execute_unprepared(&counter).await.expect("held");
    let (ctx, of) = (app.ctx(county.world.committee), row.id);
    let first = tokio::spawn(async move { check_in::check_in(&ctx, of, person("V1", one)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let ctx = app.ctx(county.world.county_committee);
    let ending = tokio::spawn(async move { order::stand_down(&ctx, which(of), "险情解除").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!ending.is_finished(), "the order was stood down while somebody was checking in");
    // Whoever comes now waits behind it, and is turned away.
    let ctx = app.ctx(county.world.committee);
    let late = tokio::spawn(async move { check_in::check_in(&ctx, of, person("V2", two)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!late.is_finished());
    holder.rollback().await.expect("let go");
    assert_eq!(told(&first.await.expect("an end")), "CheckedIn");
    ending.await.expect("an end").expect("stood down");
    assert_eq!(told(&late.await.expect("an end")), "CHECK_IN_AFTER_END");
    assert_counted(&app).await;
}

#[tokio::test]
async fn standing_down_takes_five_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = crate::mobilization::issued(&app, &world).await;
    let committee = app.ctx(world.committee);
    let (done, within) =
        app.statements_within(async || order::stand_down(&committee, which(row.id), "险情解除").await).await;
    done.expect("stood down");
    assert_eq!(within.len(), 5, "{within:#?}");
}

/// What cells need and have, counted anew from needs and check-ins.
async fn recount(app: &TestApp, of: MobilizationId, tops: &[RegionId]) -> (i64, i64) {
    let path = async |id: RegionId| {
        let row = concord_entities::region::Entity::find_by_id(id).one(&app.app.read).await;
        row.expect("a read").expect("a region").path
    };
    let mut above = Vec::new();
    for top in tops {
        above.push(path(*top).await);
    }
    let (mut needed, mut present) = (0, 0);
    let needs = concord_entities::mobilization_need::Entity::find()
        .filter(concord_entities::mobilization_need::Column::MobilizationId.eq(of))
        .all(&app.app.read)
        .await
        .expect("needs");
    for row in needs {
        let place = path(row.region_id).await;
        if above.iter().any(|top| place.starts_with(top)) {
            needed += i64::from(row.needed);
        }
    }
    let rows = mobilization_check_in::Entity::find()
        .filter(mobilization_check_in::Column::MobilizationId.eq(of))
        .filter(mobilization_check_in::Column::LeftAt.is_null())
        .all(&app.app.read)
        .await
        .expect("check-ins");
    for row in rows {
        let place = path(row.region_id).await;
        if above.iter().any(|top| place.starts_with(top)) {
            present += 1;
        }
    }
    (needed, present)
}

#[tokio::test]
async fn what_grid_cells_cover_equals_a_recount() {
    use concord::domain::{
        grid::cell::NewCell,
        mobilization::{cells::Cells, coverage::Of},
    };
    use concord_entities::{grid_cell::Category, grid_network::Kind};

    use crate::grid::{drawn, network_of, new_cell, place};
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let world = &county.world;
    let [one, two] = world.communities;
    let east = place(&app, one, "东小区", Level::Compound).await;
    let tower = place(&app, east, "1号楼", Level::Building).await;
    let west = place(&app, one, "西小区", Level::Compound).await;
    let network = network_of(&app, world, Kind::Governance).await;
    let special = NewCell { category: Category::Special, ..new_cell("Z-S", &[west, two]) };
    let drawn_cells = [
        (drawn(&app, world, &network, new_cell("Z-1", &[one])).await, vec![one]),
        (drawn(&app, world, &network, new_cell("Z-2", &[two])).await, vec![two]),
        (drawn(&app, world, &network, NewCell { level: 4, ..new_cell("Z-1-1", &[east]) }).await, vec![east]),
        (drawn(&app, world, &network, special).await, vec![west, two]),
    ];
    let row = county.issued(&app, &[world.county_region], &[one, east, two, county.community]).await;
    app.run_background().await;
    let query = "subscription($id: ID!, $network: ID!) {
        mobilizationCoverage(mobilizationId: $id, cells: { networkId: $network, level: 3 }) {
            isWhole rows { region { name } cell { code } needed present uncovered surplus } } }";
    let ask = json!({ "id": id::encode(row.id), "network": id::encode(network.id) });
    let client = app.client(world.observer);
    let mut board = client.subscribe(query, ask.clone());
    let cell = |code: &str, needed: i64, present: i64, uncovered: i64, surplus: i64| {
        json!({ "region": null, "cell": { "code": code }, "needed": needed, "present": present,
            "uncovered": uncovered, "surplus": surplus })
    };
    assert_eq!(
        board.next().await.at("/mobilizationCoverage/rows"),
        &json!([cell("Z-1", 20, 0, 20, 0), cell("Z-2", 10, 0, 10, 0), cell("Z-S", 10, 0, 10, 0)])
    );
    let view = View { cells: Some(Cells { network: network.id, level: None }), ..View::default() };
    let mut number = 0;
    for (place, many) in [(tower, 3), (east, 2), (west, 1), (two, 12), (county.community, 4), (one, 1)] {
        let items = (0..many).map(|_| {
            number += 1;
            Ok(person(&format!("V{number}"), place))
        });
        check_in::check_in_many(&app.ctx(world.county_committee), row.id, items.collect()).await.expect("in");
        // At every moment.
        let sums = coverage::of(&app.ctx(world.observer), &row, view).await.expect("sums");
        for (cell, tops) in &drawn_cells {
            let found = sums.iter().find(|sum| sum.of == Of::Cell(cell.id)).expect("a cell");
            assert_eq!((found.needed, found.present), recount(&app, row.id, tops).await, "{}", cell.code);
        }
        assert_eq!(sums.len(), 4);
    }
    app.run_background().await;
    let query = "query($id: ID!, $network: ID!, $level: Int) { mobilization(id: $id) {
        coverage(cells: { networkId: $network, level: $level }) { region { name } cell { code } needed present uncovered surplus } } }";
    let mut given = ask.clone();
    given["level"] = json!(3);
    let asked = client.send(query, given.clone()).await.fine_or_told();
    assert_eq!(
        asked.at("/mobilization/coverage"),
        &json!([cell("Z-1", 20, 7, 17, 4), cell("Z-2", 10, 12, 0, 2), cell("Z-S", 10, 13, 0, 3)])
    );
    // What changed is pushed.
    let mut pushed = BTreeMap::new();
    while &json!(pushed.values().collect::<Vec<_>>()) != asked.at("/mobilization/coverage") {
        let delta = board.next().await;
        assert_eq!(delta.at("/mobilizationCoverage/isWhole"), false);
        for row in delta.at("/mobilizationCoverage/rows").as_array().expect("rows") {
            pushed.insert(row["cell"]["code"].to_string(), row.clone());
        }
    }
    // Bad input.
    given["level"] = json!(6);
    assert_eq!(client.send(query, given).await.code().as_deref(), Some("OUT_OF_RANGE"));
    let both = "query($id: ID!, $network: ID!) { mobilization(id: $id) {
        coverage(level: COUNTY, cells: { networkId: $network }) { needed } } }";
    assert_eq!(client.send(both, ask.clone()).await.code().as_deref(), Some("MALFORMED"));
    // A network that one may not see is not there.
    let foreign = app.client(county.neighbour).send(query, ask).await;
    assert_eq!(foreign.code().as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn towns_hear_of_the_order_that_reaches_them_once_each() {
    let app = TestApp::new().await;
    let county = County::build(&app).await;
    let world = &county.world;
    let row = county.over_everything(&app).await;
    // One that reaches the neighbour alone.
    let other = county.issued(&app, &[county.community], &[county.community]).await;
    order::stand_down(&app.ctx(world.county_committee), which(row.id), "道路已通").await.expect("stood down");
    app.run_background().await;
    let query = "query { inbox(first: 50) { nodes { event { kind subjectId details { name value } } } }
        changes(after: 0, first: 100) { events { kind } } }";
    let of = |row: &Model| id::encode(row.id).0;
    for (who, issued) in [(world.committee, vec![of(&row)]), (county.neighbour, vec![of(&row), of(&other)])] {
        let answer = app.client(who).run(query).await;
        let nodes = answer.at("/inbox/nodes").as_array().expect("entries").clone();
        let told = |kind: &str| -> Vec<String> {
            let about = nodes.iter().filter(|node| node["event"]["kind"] == kind);
            let mut about: Vec<String> =
                about.map(|node| node["event"]["subjectId"].as_str().expect("an id").to_owned()).collect();
            about.sort_unstable();
            about
        };
        let mut issued = issued;
        issued.sort_unstable();
        assert_eq!(told("MOBILIZATION_ISSUED"), issued);
        assert_eq!(told("MOBILIZATION_STOOD_DOWN"), [of(&row)]);
        let changes = answer.at("/changes/events").to_string();
        assert_eq!(changes.matches("MOBILIZATION_ISSUED").count(), issued.len(), "{changes}");
        assert!(answer.at("/inbox/nodes").to_string().contains("全县除雪"));
    }
    // Staff and officers of the towns are not called by it; the history of the order tells each thing once.
    let inbox = app.client(world.officer).run("query { inbox { nodes { id } } }").await;
    assert_eq!(inbox.at("/inbox/nodes"), &json!([]));
    let query = "query($id: ID!) { mobilization(id: $id) { history { nodes { kind } } } }";
    let told = app.client(world.county_committee).send(query, json!({ "id": id::encode(row.id) })).await;
    let told = told.at("/mobilization/history/nodes").to_string();
    assert_eq!(told.matches("MOBILIZATION_ISSUED").count(), 1, "{told}");
}
