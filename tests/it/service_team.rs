//! Service teams: formed of active members, each unit in at most one standing team.

use concord::graphql::id;
use concord_tests::{Answer, Client, TestApp, World};
use serde_json::{Value, json};

const FIELDS: &str = "serviceTeam { id name version endedAt leadOrganization { name } members { name }
    captain { name title phone masked } liaison { name phone masked } } userErrors { code field message }";

async fn change(client: &Client<'_>, mutation: &str, input_type: &str, input: Value) -> Answer {
    let document = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {FIELDS} }} }}");
    client.send(&document, json!({ "input": input })).await
}

fn team(world: &World, name: &str, units: &[usize]) -> Value {
    let units: Vec<_> = units.iter().map(|unit| id::encode(world.members[*unit])).collect();
    json!({ "allianceId": id::encode(world.town), "name": name, "leadOrganizationId": units[0],
        "memberOrganizationIds": units, "captainName": "李队长", "captainTitle": "副局长",
        "captainPhone": "13900001111", "liaisonName": "王联络", "liaisonPhone": "13900002222" })
}

async fn form(client: &Client<'_>, input: Value) -> Answer {
    change(client, "formServiceTeam", "FormServiceTeamInput", input).await
}

#[tokio::test]
async fn a_committee_forms_teams_of_active_members_and_a_unit_is_in_one_of_them() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let committee = app.client(here.committee);
    for (person, code) in [
        (here.manager, "FORBIDDEN"),
        (here.observer, "FORBIDDEN"),
        (there.committee, "NOT_FOUND"),
        (here.stranger, "NOT_FOUND"),
    ] {
        let answer = form(&app.client(person), team(&here, "第一服务队", &[1, 2])).await;
        assert_eq!(answer.code().as_deref(), Some(code));
    }
    let formed = form(&committee, team(&here, "第一服务队", &[1, 2])).await.fine();
    assert_eq!(formed.text("/formServiceTeam/serviceTeam/leadOrganization/name"), "成员单位1-632223");
    assert_eq!(formed.at("/formServiceTeam/serviceTeam/members").as_array().map(Vec::len), Some(2));
    let taken = form(&committee, team(&here, "第二服务队", &[3, 2])).await;
    assert_eq!(taken.code().as_deref(), Some("IN_ANOTHER_TEAM"));
    assert!(taken.text("/formServiceTeam/userErrors/0/message").contains("第一服务队"));
    let namesake = form(&committee, team(&here, "第一服务队", &[3])).await;
    assert_eq!(namesake.code().as_deref(), Some("ALREADY_EXISTS"));
    let mut outsider = team(&here, "第三服务队", &[3]);
    outsider["memberOrganizationIds"] = json!([id::encode(there.members[1])]);
    assert_eq!(form(&committee, outsider).await.code().as_deref(), Some("NOT_A_MEMBER"));
    let mut nameless = team(&here, "第三服务队", &[3]);
    nameless["captainName"] = json!("");
    assert_eq!(form(&committee, nameless).await.code().as_deref(), Some("REQUIRED"));
    app.run_background().await;
}

#[tokio::test]
async fn a_team_changes_its_units_and_frees_them_when_it_is_disbanded() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let formed = form(&committee, team(&world, "第一服务队", &[1, 2])).await.fine();
    let team_id = formed.text("/formServiceTeam/serviceTeam/id");
    let update =
        async |input: Value| change(&committee, "updateServiceTeam", "UpdateServiceTeamInput", input).await;
    let units = json!([id::encode(world.members[3])]);
    let input = json!({ "serviceTeamId": team_id, "expectedVersion": 1, "memberOrganizationIds": units,
        "name": "先锋队", "captainPhone": null });
    let changed = update(input.clone()).await.fine();
    assert_eq!(changed.text("/updateServiceTeam/serviceTeam/name"), "先锋队");
    assert!(changed.at("/updateServiceTeam/serviceTeam/captain/phone").is_null());
    assert_eq!(
        changed.text("/updateServiceTeam/serviceTeam/members/0/name"),
        "成员单位1-632223",
        "the lead stays"
    );
    assert_eq!(changed.text("/updateServiceTeam/serviceTeam/members/1/name"), "成员单位3-632223");
    assert_eq!(update(input).await.code().as_deref(), Some("VERSION_CONFLICT"));
    // The unit that left is free, the others are not.
    form(&committee, team(&world, "第二服务队", &[2])).await.fine();
    assert_eq!(
        form(&committee, team(&world, "第三服务队", &[3])).await.code().as_deref(),
        Some("IN_ANOTHER_TEAM")
    );
    let input = json!({ "serviceTeamId": team_id, "reason": "重组" });
    let disbanded =
        change(&committee, "disbandServiceTeam", "DisbandServiceTeamInput", input.clone()).await.fine();
    assert!(!disbanded.at("/disbandServiceTeam/serviceTeam/endedAt").is_null());
    assert_eq!(
        disbanded.at("/disbandServiceTeam/serviceTeam/members").as_array().map(Vec::len),
        Some(2),
        "its history stays"
    );
    let twice = change(&committee, "disbandServiceTeam", "DisbandServiceTeamInput", input).await;
    assert_eq!(twice.code().as_deref(), Some("STATE_REFUSED"));
    form(&committee, team(&world, "先锋队", &[3, 1])).await.fine();
    let query = "query($id: ID!, $filter: ServiceTeamFilter) {
        alliance(id: $id) { serviceTeams(filter: $filter) { totalCount nodes { name } } }
        serviceTeams(allianceId: $id, filter: $filter, orderBy: NEWEST) { totalCount } }";
    for (filter, count) in [
        (json!({}), 3),
        (json!({ "standing": true }), 2),
        (json!({ "standing": false }), 1),
        (json!({ "organizationId": id::encode(world.members[1]) }), 2),
        (json!({ "nameContains": "第二" }), 1),
    ] {
        let ask = json!({ "id": id::encode(world.town), "filter": filter });
        let answer = app.client(world.staff).send(query, ask).await.fine();
        assert_eq!(answer.at("/alliance/serviceTeams/totalCount"), count);
        assert_eq!(answer.at("/serviceTeams/totalCount"), count);
    }
}

#[tokio::test]
async fn names_and_phones_of_a_team_are_masked_outside_its_units_and_the_committee() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let formed = form(&app.client(here.committee), team(&here, "第一服务队", &[1, 3])).await.fine();
    let ask = json!({ "id": formed.text("/formServiceTeam/serviceTeam/id") });
    let query = "query($id: ID!) { serviceTeam(id: $id) { captain { name title phone } liaison { name phone masked } } node(id: $id) { id } }";
    for (person, name, phone) in [
        (here.committee, "李队长", "13900001111"),
        (here.staff, "李队长", "13900001111"),
        (here.officer, "李队长", "13900001111"),
        (here.other_staff, "李**", "139****1111"),
        (here.observer, "李**", "139****1111"),
    ] {
        let answer = app.client(person).send(query, ask.clone()).await.fine();
        assert_eq!(answer.text("/serviceTeam/captain/name"), name);
        assert_eq!(answer.text("/serviceTeam/captain/phone"), phone);
        assert_eq!(answer.text("/serviceTeam/captain/title"), "副局长");
        assert_eq!(answer.at("/serviceTeam/liaison/masked"), name.contains('*'));
    }
    let foreign = app.client(there.committee).send(query, ask).await.fine();
    assert!(foreign.at("/serviceTeam").is_null() && foreign.at("/node").is_null());
}

#[tokio::test]
async fn a_leaving_member_leaves_its_team_unless_it_leads_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let formed = form(&committee, team(&world, "第一服务队", &[1, 2])).await.fine();
    let end = async |unit: usize| {
        let query = "query($alliance: ID!, $unit: ID!) {
            memberships(allianceId: $alliance, filter: { organizationId: $unit }) { nodes { id } } }";
        let ask = json!({ "alliance": id::encode(world.town), "unit": id::encode(world.members[unit]) });
        let found = committee.send(query, ask).await.fine();
        let mutation = "mutation($input: MembershipReasonInput!) {
            endMembership(input: $input) { membership { state } userErrors { code message } } }";
        let input = json!({ "membershipId": found.text("/memberships/nodes/0/id"), "reason": "迁出" });
        committee.send(mutation, json!({ "input": input })).await
    };
    let lead = end(1).await;
    assert_eq!(lead.code().as_deref(), Some("LEADS_TEAM"));
    assert!(lead.text("/endMembership/userErrors/0/message").contains("第一服务队"));
    end(2).await.fine();
    let query = "query($id: ID!) { serviceTeam(id: $id) { version members { name } } }";
    let ask = json!({ "id": formed.text("/formServiceTeam/serviceTeam/id") });
    let left = committee.send(query, ask).await.fine();
    assert_eq!(left.at("/serviceTeam/members").as_array().map(Vec::len), Some(1));
    assert_eq!(left.at("/serviceTeam/version"), 2);
}

#[tokio::test]
async fn two_teams_formed_at_once_cannot_take_the_same_unit() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let attempts = (0..8).map(|number| form(&committee, team(&world, &format!("第{number}队"), &[1])));
    let answers = futures_util::future::join_all(attempts).await;
    let formed = answers.iter().filter(|answer| answer.code().is_none()).count();
    assert_eq!(formed, 1);
    assert!(answers.iter().all(|answer| matches!(answer.code().as_deref(), None | Some("IN_ANOTHER_TEAM"))));
}

#[tokio::test]
async fn a_list_of_teams_reads_its_units_in_one_batch_and_a_key_replays() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let first = form(&committee.keyed("k", 1), team(&world, "一队", &[1])).await.fine();
    let again = form(&committee.keyed("k", 1), team(&world, "一队", &[1])).await.fine();
    assert_eq!(first, again);
    form(&committee, team(&world, "二队", &[2, 3])).await.fine();
    let query = "query($id: ID!) { serviceTeams(allianceId: $id) { nodes { name members { name } captain { name } alliance { name } } } }";
    let list = committee.send(query, json!({ "id": id::encode(world.town) })).await.fine();
    let sizes: Vec<usize> = list
        .at("/serviceTeams/nodes")
        .as_array()
        .expect("teams")
        .iter()
        .map(|team| team["members"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 3);
    let page = committee.run("{ serviceTeams(first: 0) { nodes { id } } }").await;
    assert_eq!(page.code().as_deref(), Some("PAGE_INVALID"));
}
