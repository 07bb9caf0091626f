//! Regions: everyone signed in reads the tree, committees record what lies below their villages.

use concord::graphql::id;
use concord_tests::{TestApp, World};
use serde_json::json;

const RECORD: &str = "mutation($input: RecordRegionInput!) {
    recordRegion(input: $input) { region { id name level code parent { name } } userErrors { code field } }
}";

#[tokio::test]
async fn everyone_signed_in_reads_the_tree_and_nobody_else() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let query = "query($id: ID!, $code: String!) {
        region(id: $id) { name level children(first: 1) { totalCount nodes { name parent { name } } pageInfo { hasNextPage } } }
        regionByCode(code: $code) { id }
        node(id: $id) { ... on Region { name } }
    }";
    let ask = json!({ "id": id::encode(world.town_region), "code": "632223100001" });
    let seen = app.client(world.stranger).send(query, ask.clone()).await.fine();
    assert_eq!(seen.text("/region/name"), "西海镇");
    assert_eq!(seen.text("/region/level"), "TOWNSHIP");
    assert_eq!(seen.at("/region/children/totalCount"), 2);
    assert_eq!(seen.text("/region/children/nodes/0/parent/name"), "西海镇");
    assert_eq!(seen.at("/region/children/pageInfo/hasNextPage"), true);
    assert_eq!(seen.text("/regionByCode/id"), id::encode(world.communities[0]).0);
    assert_eq!(seen.text("/node/name"), "西海镇");
    let unseen = app.anonymous().send(query, ask).await;
    assert_eq!(unseen.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn regions_are_found_by_parent_level_name_and_subtree() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    World::build(&app, "632224").await;
    let query =
        "query($filter: RegionFilter) { regions(filter: $filter) { totalCount nodes { name code } } }";
    let count = async |filter| {
        let answer = app.client(world.stranger).send(query, json!({ "filter": filter })).await.fine();
        answer.at("/regions/totalCount").as_u64().expect("a count")
    };
    let county = id::encode(world.county_region);
    assert_eq!(count(json!({})).await, 8);
    assert_eq!(count(json!({ "level": ["VILLAGE"] })).await, 4);
    assert_eq!(count(json!({ "withinId": county })).await, 3);
    assert_eq!(count(json!({ "withinId": county, "level": ["VILLAGE"], "nameContains": "2社" })).await, 1);
    assert_eq!(count(json!({ "parentId": county })).await, 1);
    assert_eq!(count(json!({ "nameContains": "%" })).await, 0);
    let foreign = json!({ "filter": { "withinId": id::encode(world.town) } });
    let answer = app.client(world.stranger).send(query, foreign).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    let broken = json!({ "filter": { "parentId": "%%%" } });
    assert_eq!(app.client(world.stranger).send(query, broken).await.code().as_deref(), Some("ID_MALFORMED"));
}

#[tokio::test]
async fn a_committee_records_compounds_and_buildings_of_its_own_territory_only() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let committee = app.client(world.committee);
    let input = |parent, name: &str, level: &str| json!({ "input": { "parentId": id::encode(parent), "name": name, "level": level } });
    let home = world.communities[0];
    let compound = committee.send(RECORD, input(home, "金滩小区", "COMPOUND")).await.fine();
    assert_eq!(compound.text("/recordRegion/region/parent/name"), "第1社区");
    let building = json!({ "input": {
        "parentId": compound.text("/recordRegion/region/id"), "name": "3号楼", "level": "BUILDING" } });
    committee.send(RECORD, building.clone()).await.fine();
    assert_eq!(committee.send(RECORD, building).await.code().as_deref(), Some("ALREADY_EXISTS"));
    // The register down to the village is official; a neighbour's territory is not the committee's.
    let village = committee.send(RECORD, input(world.town_region, "第3社区", "VILLAGE")).await;
    assert_eq!(village.code().as_deref(), Some("MALFORMED"));
    let upside_down = committee.send(RECORD, input(home, "某镇", "TOWNSHIP")).await;
    assert_eq!(upside_down.code().as_deref(), Some("MALFORMED"));
    let neighbour = committee.send(RECORD, input(other.communities[0], "小区", "COMPOUND")).await;
    assert_eq!(neighbour.code().as_deref(), Some("FORBIDDEN"));
    for person in [world.staff, world.officer, world.observer, world.stranger] {
        let answer = app.client(person).send(RECORD, input(home, "小区", "COMPOUND")).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    let anonymous = app.anonymous().send(RECORD, input(home, "小区", "COMPOUND")).await;
    assert_eq!(anonymous.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn an_administrator_records_official_regions_whose_code_fits_the_level() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let admin = app.client(world.admin);
    let input = |code: &str, level: &str| json!({ "input": { "parentId": id::encode(world.town_region), "code": code, "name": "新社区", "level": level } });
    for (code, level, expected) in [
        ("63222310000", "VILLAGE", "MALFORMED"),
        ("63222310000x", "VILLAGE", "MALFORMED"),
        ("632223100", "VILLAGE", "MALFORMED"),
        ("632223100001", "VILLAGE", "ALREADY_EXISTS"),
    ] {
        let answer = admin.send(RECORD, input(code, level)).await;
        assert_eq!(answer.code().as_deref(), Some(expected), "{code}");
    }
    let answer = admin.send(RECORD, input("632223100003", "VILLAGE")).await.fine();
    assert_eq!(answer.text("/recordRegion/region/code"), "632223100003");
    app.run_background().await;
}
