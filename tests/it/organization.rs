//! Organisations: recorded with or without a credit code, seen by whoever shares an alliance with them.

use concord::{domain::credit_code::CreditCode, graphql::id};
use concord_tests::{TestApp, World};
use serde_json::json;

const RECORD: &str = "mutation($input: RecordOrganizationInput!) {
    recordOrganization(input: $input) {
        organization { id name kind creditCode warnings { code message } region { name } }
        userErrors { code message field }
    }
}";

#[tokio::test]
async fn a_wrong_credit_code_is_refused_with_the_place_of_its_mistake() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let admin = app.client(world.admin);
    let input =
        |code: &str| json!({ "input": { "name": "某单位", "kind": "ENTERPRISE", "creditCode": code } });
    for (code, expected) in [
        ("11632223DEM00001", "CREDIT_CODE_LENGTH"),
        ("11632223DEM00O014X", "CREDIT_CODE_CHARACTER"),
        ("11632223DEM000024X", "CREDIT_CODE_MISTYPED"),
    ] {
        let answer = admin.send(RECORD, input(code)).await;
        assert_eq!(answer.code().as_deref(), Some(expected), "{code}");
        assert_eq!(answer.text("/recordOrganization/userErrors/0/field"), "input.creditCode");
    }
    let misplaced = admin.send(RECORD, input("11632223DEM00O014X")).await;
    assert!(misplaced.text("/recordOrganization/userErrors/0/message").contains("14"));
    let taken = admin.send(RECORD, input(" 11632223dem000014x ")).await.fine();
    assert_eq!(taken.text("/recordOrganization/organization/creditCode"), "11632223DEM000014X");
    assert_eq!(taken.at("/recordOrganization/organization/warnings"), &json!([]));
    assert_eq!(
        admin.send(RECORD, input("11632223DEM000014X")).await.code().as_deref(),
        Some("ALREADY_EXISTS")
    );
}

#[tokio::test]
async fn an_organisation_code_that_fails_its_own_check_only_warns() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // Organisation code DEM00001 with a check of 5 instead of 4, closed by the right check of the whole.
    let stem = "11632223DEM000015";
    let code = format!("{stem}{}", concord::domain::credit_code::check_char(stem).expect("a check"));
    assert!(CreditCode::parse(&code).is_ok());
    let input = json!({ "input": { "name": "某单位", "kind": "ENTERPRISE", "creditCode": code } });
    let answer = app.client(world.admin).send(RECORD, input).await.fine();
    let warning = "/recordOrganization/organization/warnings/0";
    assert_eq!(answer.text(&format!("{warning}/code")), "ORGANIZATION_CODE_DOUBTFUL");
    assert!(answer.text(&format!("{warning}/message")).contains('4'));
}

#[tokio::test]
async fn the_designation_of_a_military_unit_is_never_recorded() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let admin = app.client(world.admin);
    let input = |name: &str, short: Option<&str>| json!({ "input": { "name": name, "shortName": short, "kind": "MILITARY_UNIT" } });
    for (name, short) in [
        ("31605部队", None),
        ("驻镇３１６０５ 部队", None),
        ("武警三一六〇五部队", None),
        ("驻镇部队", Some("31605部队")),
    ] {
        let answer = admin.send(RECORD, input(name, short)).await;
        assert_eq!(answer.code().as_deref(), Some("DESIGNATION_REFUSED"), "{name}");
    }
    admin.send(RECORD, input("驻镇部队", Some("驻军"))).await.fine();
}

#[tokio::test]
async fn only_an_administrator_records_without_an_invitation_and_inputs_are_bounded() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let input = json!({ "input": { "name": "某单位", "kind": "ENTERPRISE" } });
    for person in [world.committee, world.manager, world.stranger] {
        let answer = app.client(person).send(RECORD, input.clone()).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    let admin = app.client(world.admin);
    let blank = json!({ "input": { "name": "  ", "kind": "ENTERPRISE" } });
    assert_eq!(admin.send(RECORD, blank).await.code().as_deref(), Some("REQUIRED"));
    let long = json!({ "input": { "name": "单".repeat(201), "kind": "ENTERPRISE" } });
    assert_eq!(admin.send(RECORD, long).await.code().as_deref(), Some("TOO_LONG"));
    let nowhere =
        json!({ "input": { "name": "某", "kind": "ENTERPRISE", "regionId": id::encode(world.town) } });
    assert_eq!(admin.send(RECORD, nowhere).await.code().as_deref(), Some("NOT_FOUND"));
    // The same key answers with the same organisation.
    let first = admin.keyed("k", 1).send(RECORD, input.clone()).await.fine();
    let again = admin.keyed("k", 1).send(RECORD, input).await.fine();
    assert_eq!(first, again);
}

#[tokio::test]
async fn organisations_are_listed_by_alliance_kind_and_name_and_only_to_those_who_share_one() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let query = "query($filter: OrganizationFilter) {
        organizations(filter: $filter, orderBy: NAME, first: 2) {
            totalCount nodes { id name memberships { nodes { allianceName state } } } pageInfo { hasNextPage endCursor }
        }
    }";
    let count = async |person, filter| {
        let answer = app.client(person).send(query, json!({ "filter": filter })).await.fine();
        answer.at("/organizations/totalCount").as_u64().expect("a count")
    };
    assert_eq!(count(here.staff, json!({})).await, 7);
    assert_eq!(
        count(here.staff, json!({ "allianceId": id::encode(here.town), "kind": ["TOWN_COMMITTEE"] })).await,
        1
    );
    assert_eq!(count(here.staff, json!({ "nameContains": "成员单位3" })).await, 1);
    assert_eq!(count(here.county_committee, json!({ "allianceId": id::encode(here.town) })).await, 7);
    assert_eq!(count(here.staff, json!({ "allianceId": id::encode(there.town) })).await, 0);
    assert_eq!(count(here.stranger, json!({})).await, 0);
    assert_eq!(count(here.admin, json!({})).await, 14);
    let one = "query($id: ID!) { organization(id: $id) { name } node(id: $id) { id } }";
    let ask = json!({ "id": id::encode(here.members[1]) });
    let foreign = app.client(there.committee).send(one, ask.clone()).await.fine();
    assert!(foreign.at("/organization").is_null() && foreign.at("/node").is_null());
    let own = app.client(here.observer).send(one, ask).await.fine();
    assert_eq!(own.text("/organization/name"), "成员单位1-632223");
}

#[tokio::test]
async fn an_alliance_shows_where_it_stands_and_what_its_viewer_may_do() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let query = "query($id: ID!) { alliance(id: $id) { viewerRoles region { name } committeeOrganization { kind }
        oversightOrganization { name } parent { children { totalCount nodes { name } } } members { totalCount } } }";
    let ask = json!({ "id": id::encode(world.town) });
    let seen = app.client(world.committee).send(query, ask.clone()).await.fine();
    assert_eq!(seen.at("/alliance/viewerRoles"), &json!(["COMMITTEE"]));
    assert_eq!(seen.text("/alliance/region/name"), "西海镇");
    assert_eq!(seen.text("/alliance/committeeOrganization/kind"), "TOWN_COMMITTEE");
    assert!(seen.at("/alliance/oversightOrganization").is_null());
    assert_eq!(seen.at("/alliance/members/totalCount"), 7);
    let above = app.client(world.county_committee).send(query, ask).await.fine();
    assert_eq!(above.at("/alliance/viewerRoles"), &json!([]));
    assert_eq!(above.text("/alliance/parent/children/nodes/0/name"), "西海镇联盟");
}

#[tokio::test]
async fn the_pattern_of_closure_numbers_is_checked() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let update = "mutation($input: UpdateAllianceInput!) {
        updateAlliance(input: $input) { alliance { numberPattern } userErrors { code field } } }";
    let input = |version: i64, pattern: &str| json!({ "input": { "allianceId": id::encode(world.town), "expectedVersion": version, "numberPattern": pattern } });
    let committee = app.client(world.committee);
    for (pattern, code) in [
        ("西海〔{year}〕号", "MALFORMED"),
        ("{seq}", "MALFORMED"),
        ("{year}{seq}{month}", "MALFORMED"),
        (&"长".repeat(65), "TOO_LONG"),
    ] {
        assert_eq!(
            committee.send(update, input(1, pattern)).await.code().as_deref(),
            Some(code),
            "{pattern}"
        );
    }
    let taken = committee.send(update, input(1, " 海销〔{year}〕{seq:5}号 ")).await.fine();
    assert_eq!(taken.text("/updateAlliance/alliance/numberPattern"), "海销〔{year}〕{seq:5}号");
}
