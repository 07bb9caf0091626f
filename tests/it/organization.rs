//! Organisations: recorded with or without a credit code, seen by whoever shares an alliance with them.

use concord::{
    domain::{
        credit_code::CreditCode,
        governance::membership::{self, Contact},
        identity::seat::{self, NewSeat},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, OrganizationId, RegionId},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

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

const UPDATE: &str = "mutation($input: UpdateOrganizationInput!) {
    updateOrganization(input: $input) {
        organization { name shortName kind creditCode version region { name } }
        userErrors { code field }
    }
}";

/// A change of a unit, at the version that it has.
async fn update(app: &TestApp, who: AccountId, unit: OrganizationId, more: Value) -> Answer {
    let query = "query($id: ID!) { organization(id: $id) { version } }";
    let ask = json!({ "id": id::encode(unit) });
    let version = app.client(who).send(query, ask).await.fine().at("/organization/version").clone();
    let version = version.as_i64().unwrap_or(1);
    let mut input = json!({ "organizationId": id::encode(unit), "expectedVersion": version });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    app.client(who).send(UPDATE, json!({ "input": input })).await
}

#[tokio::test]
async fn a_unit_is_changed_by_those_who_speak_for_it() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let unit = here.members[1];
    let renamed = |name: &str| json!({ "name": name });
    for who in
        [here.staff, here.approver, here.verifier, here.observer, here.other_staff, here.county_committee]
    {
        assert_eq!(update(&app, who, unit, renamed("甲局")).await.code().as_deref(), Some("FORBIDDEN"));
    }
    for who in [here.stranger, there.committee, there.manager] {
        assert_eq!(update(&app, who, unit, renamed("甲局")).await.code().as_deref(), Some("NOT_FOUND"));
    }
    let ask = json!({ "organizationId": id::encode(unit), "expectedVersion": 1, "name": "甲局" });
    let anonymous = app.anonymous().send(UPDATE, json!({ "input": ask })).await;
    assert_eq!(anonymous.code().as_deref(), Some("NOT_FOUND"));
    for (who, name) in [(here.committee, "甲局"), (here.manager, "乙局"), (here.admin, "丙局")] {
        let changed = update(&app, who, unit, renamed(name)).await.fine();
        assert_eq!(changed.text("/updateOrganization/organization/name"), name);
    }
    // As soon as another alliance has taken it in, it is its own manager's; neither committee rewrites what both share.
    app.advance(chrono::TimeDelta::days(1));
    membership::admit(&app.system(), there.town, unit, Contact::default()).await.expect("a second seat");
    let mole = NewSeat {
        account_id: there.stranger,
        alliance_id: there.town,
        role: Role::MemberManager,
        organization_id: Some(unit),
        region_id: None,
    };
    seat::grant(&app.system(), mole).await.expect("a seat");
    for who in [here.committee, there.committee, there.stranger] {
        assert_eq!(update(&app, who, unit, renamed("丁局")).await.code().as_deref(), Some("FORBIDDEN"));
    }
    let everything = json!({ "name": "海晏县某局", "shortName": "某局", "kind": "PUBLIC_INSTITUTION",
        "creditCode": "11632223DEM000014X", "regionId": id::encode(here.town_region) });
    let changed = update(&app, here.manager, unit, everything.clone()).await.fine();
    let expected = json!({ "name": "海晏县某局", "shortName": "某局", "kind": "PUBLIC_INSTITUTION",
        "creditCode": "11632223DEM000014X", "version": 5, "region": { "name": "西海镇" } });
    assert_eq!(changed.at("/updateOrganization/organization"), &expected);
    // The same again changes nothing; both alliances were told of what did.
    let same = update(&app, here.manager, unit, everything).await.fine();
    assert_eq!(same.at("/updateOrganization/organization/version"), 5);
    app.run_background().await;
    let changes = "query($id: ID!) { changes(allianceId: $id, first: 100) { events { kind subjectId } } }";
    for (who, alliance, times) in [(here.observer, here.town, 4), (there.observer, there.town, 1)] {
        let told = app.client(who).send(changes, json!({ "id": id::encode(alliance) })).await.fine();
        let events = told.at("/changes/events").as_array().expect("events").clone();
        let about = |event: &&Value| event["kind"] == "ORGANIZATION_UPDATED";
        assert_eq!(events.iter().filter(about).count(), times);
    }
}

#[tokio::test]
async fn a_change_of_a_unit_is_refused_by_code_and_its_credit_code_is_given_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (unit, other) = (world.members[1], world.members[2]);
    let (code, another) = ("11632223DEM000014X", "91230800DEM000022H");
    update(&app, world.admin, other, json!({ "creditCode": another })).await.fine();
    for (change, expected, field) in [
        (json!({ "name": " " }), "REQUIRED", "input.name"),
        (json!({ "name": "31605部队" }), "DESIGNATION_REFUSED", "input.name"),
        (json!({ "name": "成员单位2-632223" }), "ALREADY_EXISTS", "input.name"),
        (json!({ "shortName": "长".repeat(65) }), "TOO_LONG", "input.shortName"),
        (json!({ "creditCode": "11632223DEM000024X" }), "CREDIT_CODE_MISTYPED", "input.creditCode"),
        (json!({ "creditCode": another }), "ALREADY_EXISTS", "input.creditCode"),
        (json!({ "expectedVersion": 2 }), "VERSION_CONFLICT", "input.expectedVersion"),
    ] {
        let answer = update(&app, world.manager, unit, change.clone()).await;
        assert_eq!(answer.code().as_deref(), Some(expected), "{change}");
        assert_eq!(answer.text("/updateOrganization/userErrors/0/field"), field);
    }
    let nowhere = json!({ "regionId": id::encode(RegionId::from(uuid::Uuid::nil())) });
    assert_eq!(update(&app, world.manager, unit, nowhere).await.code().as_deref(), Some("NOT_FOUND"));
    // Whatever else is wrong is told first, so that a refusal says nothing of whose a code is.
    for code in [code, another] {
        let probe = json!({ "creditCode": code, "regionId": id::encode(RegionId::from(uuid::Uuid::nil())) });
        assert_eq!(update(&app, world.manager, unit, probe).await.code().as_deref(), Some("NOT_FOUND"));
    }
    update(&app, world.manager, unit, json!({ "creditCode": code.to_lowercase(), "shortName": "单" }))
        .await
        .fine();
    for who in [world.manager, world.committee, world.admin] {
        let answer = update(&app, who, unit, json!({ "creditCode": another })).await;
        assert_eq!(answer.code().as_deref(), Some("CREDIT_CODE_KEPT"));
    }
    let cleared =
        update(&app, world.manager, unit, json!({ "shortName": "", "creditCode": code })).await.fine();
    assert!(cleared.at("/updateOrganization/organization/shortName").is_null());
    assert_eq!(cleared.text("/updateOrganization/organization/creditCode"), code);
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
