//! Coverage of organisation and of work: every place counts once, under the best that it has; the rows behind a figure are exactly
//! those counted; past days answer as they were.

use concord::{
    domain::{
        branch::{
            host::NewHost,
            instructor::{self, NewInstructor},
            steps::{self, NewBranch},
        },
        governance::{
            membership::{self, Contact},
            organization::{self, NewOrganization},
        },
    },
    graphql::id,
};
use concord_entities::{
    branch_host::Kind as Host,
    grid_network,
    id::{AccountId, OrganizationId},
    organization::Kind as Unit,
    region::Level,
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    branch::{established, named, new_branch, which},
    grid::{code, day, drawn, network_of, new_cell, place},
};

const FIGURES: &str = "query($a: ID!, $on: Date) { alliance(id: $a) { branchCoverage(on: $on) { on kinds {
    kind total own joint temporary instructor uncovered organizationCovered workCovered
    places(first: 100) { totalCount nodes { name by } } } } } }";

async fn ask(app: &TestApp, world: &World, who: AccountId, on: Option<&str>) -> Answer {
    app.client(who).send(FIGURES, json!({ "a": id::encode(world.town), "on": on })).await
}

/// The figures of a kind: total, own, joint, temporary, instructor, uncovered; and its places with what covers them.
fn figures(answer: &Answer, kind: &str) -> ([i64; 6], Vec<(String, String)>) {
    let kinds = answer.at("/alliance/branchCoverage/kinds").as_array().expect("kinds").clone();
    let of = kinds.iter().find(|figures| figures["kind"] == kind).expect("the kind").clone();
    let number = |name: &str| of[name].as_i64().expect("a number");
    let found = ["total", "own", "joint", "temporary", "instructor", "uncovered"].map(number);
    assert_eq!(found[0], found[1..].iter().sum::<i64>(), "{kind}");
    assert_eq!(number("organizationCovered"), found[1] + found[2]);
    assert_eq!(number("workCovered"), found[0] - found[5]);
    assert_eq!(of["places"]["totalCount"].as_i64(), Some(found[0]));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let places = of["places"]["nodes"].as_array().expect("places").clone();
    (found, places.iter().map(|place| (text(&place["name"]), text(&place["by"]))).collect())
}

async fn enterprise(app: &TestApp, world: &World, name: &str) -> OrganizationId {
    let new = NewOrganization {
        name: name.to_owned(),
        short_name: None,
        kind: Unit::Enterprise,
        credit_code: None,
        region_id: None,
    };
    let unit = organization::record(&app.system(), new).await.expect("an organisation").id;
    membership::admit(&app.system(), world.town, unit, Contact::default()).await.expect("a membership");
    unit
}

pub fn new_instructor(world: &World, place: NewHost) -> NewInstructor {
    NewInstructor {
        organization_id: world.members[1],
        name: "周指导".to_owned(),
        phone: None,
        place,
        since: Some(day("2026-01-01")),
    }
}

#[tokio::test]
async fn every_place_counts_once_under_the_best_that_it_has() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let [north, south] = world.communities;
    let mut compounds = Vec::new();
    for name in ["东小区", "西小区", "北小区", "中小区"] {
        compounds.push(place(&app, north, name, Level::Compound).await);
    }
    let mill = enterprise(&app, &world, "面粉厂").await;
    let mine = enterprise(&app, &world, "盐场").await;
    enterprise(&app, &world, "茶厂").await;
    let network = network_of(&app, &world, grid_network::Kind::Party).await;
    let cell = drawn(&app, &world, &network, new_cell("D-1", &[north])).await;
    drawn(&app, &world, &network, new_cell("D-2", &[south])).await;
    let branch = async |name: &str, temporary: bool, hosts: Vec<NewHost>| {
        let new = NewBranch { hosts, is_temporary: temporary, ..new_branch(&world, name) };
        established(&app, &world, new).await
    };
    let own = branch("东小区党支部", false, vec![NewHost::Region(compounds[0])]).await;
    branch(
        "商圈联合党支部",
        false,
        vec![NewHost::Region(compounds[1]), NewHost::Organization(mill), named(Host::Market, "集贸市场")],
    )
    .await;
    branch("临时党支部", true, vec![NewHost::Region(compounds[2])]).await;
    // A temporary branch beside a joint one, an instructor beside a branch: the better counts.
    branch("盐场临时党支部", true, vec![NewHost::Organization(mine)]).await;
    branch("盐场党支部", false, vec![NewHost::Organization(mine)]).await;
    branch("夜市党支部", false, vec![named(Host::Market, "夜市")]).await;
    for place in [NewHost::Region(south), NewHost::Organization(mill), named(Host::Market, "早市")] {
        instructor::appoint(&committee, world.town, new_instructor(&world, place)).await.expect("appointed");
    }
    let answer = ask(&app, &world, world.observer, None).await;
    assert_eq!(answer.text("/alliance/branchCoverage/on"), "2026-01-05");
    assert_eq!(figures(&answer, "COMMUNITY").0, [2, 0, 0, 0, 1, 1]);
    let (found, places) = figures(&answer, "COMPOUND");
    assert_eq!(found, [4, 1, 1, 1, 0, 1]);
    let by = |name: &str| places.iter().find(|(of, _)| of == name).expect("the place").1.clone();
    assert_eq!(
        [by("东小区"), by("西小区"), by("北小区"), by("中小区")],
        ["OWN", "JOINT", "TEMPORARY", "NOTHING"].map(str::to_owned)
    );
    // A cell is covered by what is at home within its territory.
    assert_eq!(figures(&answer, "GRID_CELL").0, [2, 1, 0, 0, 1, 0]);
    let (found, places) = figures(&answer, "ENTERPRISE");
    assert_eq!(found, [3, 1, 1, 0, 0, 1]);
    assert!(places.contains(&("盐场".to_owned(), "OWN".to_owned())), "{places:?}");
    assert_eq!(figures(&answer, "MARKET").0, [3, 1, 1, 0, 1, 0]);
    // Whoever supervises sees of a town what the town sees, at the town and, since it is the only one, at the county.
    let county = json!({ "a": id::encode(world.county), "on": null });
    let county = app.client(world.county_committee).send(FIGURES, county).await;
    for kind in ["COMMUNITY", "COMPOUND", "GRID_CELL", "ENTERPRISE", "MARKET"] {
        assert_eq!(figures(&county, kind), figures(&answer, kind), "{kind}");
    }
    let counts =
        "query($a: ID!) { alliance(id: $a) { partyBranchCounts { branches temporary joint members } } }";
    for of in [world.town, world.county] {
        let counted = app.client(world.county_committee).send(counts, json!({ "a": id::encode(of) })).await;
        let expected = json!({ "branches": 6, "temporary": 2, "joint": 1, "members": 0 });
        assert_eq!(counted.at("/alliance/partyBranchCounts"), &expected);
    }
    // Exactly the rows behind a figure, page by page.
    let drill = "query($a: ID!, $by: BranchCoverageBy, $after: String, $before: String, $first: Int, $last: Int) { alliance(id: $a) { branchCoverage { figures(kind: COMPOUND) {
        places(by: $by, first: $first, after: $after, last: $last, before: $before) { totalCount edges { cursor node { name region { level } branches { name } } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } } }";
    let page = async |given: Value| {
        let mut all = json!({ "a": id::encode(world.town) });
        for (name, value) in given.as_object().expect("variables") {
            all[name] = value.clone();
        }
        let answer = app.client(world.observer).send(drill, all).await;
        answer.at("/alliance/branchCoverage/figures/places").clone()
    };
    let own_ones = page(json!({ "by": "OWN" })).await;
    assert_eq!(own_ones["totalCount"], 1);
    assert_eq!(
        own_ones["edges"][0]["node"],
        json!({ "name": "东小区", "region": { "level": "COMPOUND" }, "branches": [{ "name": "东小区党支部" }] })
    );
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let some = page(json!({ "first": 3, "after": after })).await;
        seen.extend(some["edges"].as_array().expect("edges").iter().map(|edge| edge["node"]["name"].clone()));
        after = some["pageInfo"]["endCursor"].clone();
        if some["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen.len(), 4);
    let back = page(json!({ "last": 1, "before": after })).await;
    assert_eq!(back["edges"][0]["node"]["name"], seen[2]);
    assert_eq!(back["pageInfo"]["hasPreviousPage"], true);
    let wrong = json!({ "a": id::encode(world.town), "after": "x" });
    assert_eq!(
        app.client(world.observer).send(drill, wrong).await.code().as_deref(),
        Some("CURSOR_MALFORMED")
    );
    // Past days answer as they were, and a market that nothing serves any more is still known.
    steps::end(&committee, which(own.id), Some(day("2026-01-04")), None).await.expect("ended");
    assert_eq!(figures(&ask(&app, &world, world.observer, None).await, "COMPOUND").0, [4, 0, 1, 1, 0, 2]);
    let then = ask(&app, &world, world.observer, Some("2026-01-03")).await;
    assert_eq!(figures(&then, "COMPOUND").0, [4, 1, 1, 1, 0, 1]);
    let before = ask(&app, &world, world.observer, Some("2025-12-31")).await;
    assert_eq!(figures(&before, "MARKET").0, [0; 6]);
    assert_eq!(figures(&before, "GRID_CELL").0, [0; 6]);
    assert_eq!(figures(&before, "ENTERPRISE").0, [0; 6]);
    // A branch at home in the cell itself.
    let grid =
        NewBranch { hosts: vec![NewHost::Cell(cell.id)], ..new_branch(&world, "第一网格党支部") };
    established(&app, &world, grid).await;
    assert_eq!(figures(&ask(&app, &world, world.observer, None).await, "GRID_CELL").0, [2, 1, 0, 0, 1, 0]);
    // As many statements however many places there are.
    let (_, few) = app.statements(async || ask(&app, &world, world.observer, None).await).await;
    for number in 0..25 {
        place(&app, south, &format!("{number}号小区"), Level::Compound).await;
    }
    let (_, many) = app.statements(async || ask(&app, &world, world.observer, None).await).await;
    assert_eq!(many.len(), few.len(), "{many:#?}");
    assert!(few.len() <= 12, "{few:#?}");
    assert!(ask(&app, &world, world.stranger, None).await.at("/alliance").is_null());
    app.run_background().await;
}

#[tokio::test]
async fn instructors_are_dated_and_serve_what_is_there() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let beyond = World::build(&app, "632224").await;
    let committee = app.ctx(world.committee);
    let north = NewHost::Region(world.communities[0]);
    let of = |place: NewHost| new_instructor(&world, place);
    for (new, expected) in [
        (of(NewHost::Region(beyond.communities[0])), "OUTSIDE_TERRITORY"),
        (of(NewHost::Cell(app.system().new_id())), "NOT_FOUND"),
        (of(NewHost::Organization(beyond.members[1])), "NOT_A_MEMBER"),
        (of(named(Host::Market, " ")), "REQUIRED"),
        (NewInstructor { organization_id: beyond.members[1], ..of(north.clone()) }, "NOT_A_MEMBER"),
        (NewInstructor { name: String::new(), ..of(north.clone()) }, "REQUIRED"),
    ] {
        assert_eq!(code(instructor::appoint(&committee, world.town, new).await), expected);
    }
    let row = instructor::appoint(&committee, world.town, of(north.clone())).await.expect("appointed");
    assert_eq!(code(instructor::appoint(&committee, world.town, of(north)).await), "ALREADY_EXISTS");
    for (who, expected) in
        [(world.staff, "FORBIDDEN"), (world.observer, "FORBIDDEN"), (beyond.committee, "NOT_FOUND")]
    {
        assert_eq!(code(instructor::end(&app.ctx(who), row.id, None, None).await), expected);
        let again = of(NewHost::Region(world.communities[1]));
        assert_eq!(code(instructor::appoint(&app.ctx(who), world.town, again).await), expected);
    }
    assert_eq!(code(instructor::end(&committee, row.id, None, Some(day("2025-12-31"))).await), "TOO_EARLY");
    assert_eq!(code(instructor::end(&committee, row.id, Some(3), None).await), "VERSION_CONFLICT");
    instructor::end(&committee, row.id, None, None).await.expect("ended");
    assert_eq!(code(instructor::end(&committee, row.id, None, None).await), "STATE_REFUSED");
    let query = "query($id: ID!) { branchInstructor(id: $id) { until person { name masked } organization { name } place { region { name } market } } }";
    let shown = app.client(world.other_staff).send(query, json!({ "id": id::encode(row.id) })).await;
    assert_eq!(shown.at("/branchInstructor/person"), &json!({ "name": "周**", "masked": true }));
    assert_eq!(
        shown.at("/branchInstructor/place"),
        &json!({ "region": { "name": "第1社区" }, "market": null })
    );
    app.run_background().await;
}
