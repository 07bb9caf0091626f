//! Memberships: applied for or offered, admitted, suspended, ended; contacts masked outside the unit.

use chrono::TimeDelta;
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
        grid::officer::{self, NewOfficer},
        identity::seat::{self, NewSeat},
        mobilization::{
            home_report::{self, NewHomeReport},
            pairing::{self, NewPairing},
            unit::{self, WhichUnit},
        },
    },
    graphql::id,
};
use concord_entities::{
    grid_network, grid_officer,
    id::{AccountId, AllianceId, OrganizationId, RegionId},
    organization::Kind,
    seat::Role,
};
use concord_tests::{Answer, Client, TestApp, World};
use serde_json::{Value, json};

use crate::{
    branch::{established, new_branch},
    grid::{drawn, network_of, new_cell, new_officer},
    mobilization::issued,
    problem::count,
};

const FIELDS: &str = "membership { id version state reason admittedAt endedAt allianceName alliance { name }
    organization { id name } invitedCreditCode contact { name title phone masked }
    availableTransitions { mutation available blockers { code message } } } userErrors { code field message }";

async fn change(client: &Client<'_>, mutation: &str, input_type: &str, input: Value) -> Answer {
    let document = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {FIELDS} }} }}");
    client.send(&document, json!({ "input": input })).await
}

async fn invite(client: &Client<'_>, input: Value) -> Answer {
    change(client, "inviteOrganization", "InviteOrganizationInput", input).await
}

async fn step(client: &Client<'_>, mutation: &str, membership: &str) -> Answer {
    change(client, mutation, "MembershipStepInput", json!({ "membershipId": membership })).await
}

async fn because(client: &Client<'_>, mutation: &str, membership: &str) -> Answer {
    let input = json!({ "membershipId": membership, "reason": "按章程" });
    change(client, mutation, "MembershipReasonInput", input).await
}

/// The membership of the world's unit in its town, with its version.
async fn standing(app: &TestApp, world: &World, unit: usize) -> (String, i64) {
    let query = "query($alliance: ID!, $filter: MembershipFilter) {
        memberships(allianceId: $alliance, filter: $filter) { nodes { id version } } }";
    let filter = json!({ "organizationId": id::encode(world.members[unit]) });
    let ask = json!({ "alliance": id::encode(world.town), "filter": filter });
    let answer = app.client(world.committee).send(query, ask).await.fine();
    let version = answer.at("/memberships/nodes/0/version").as_i64().expect("a version");
    (answer.text("/memberships/nodes/0/id"), version)
}

fn available(answer: &Answer, path: &str) -> Vec<String> {
    let transitions = answer.at(path).as_array().expect("transitions").clone();
    transitions
        .iter()
        .filter(|transition| transition["available"] == true)
        .map(|transition| transition["mutation"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn a_committee_invites_a_new_unit_and_seats_it_as_nobody_else_could_speak_for_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let input = json!({ "allianceId": id::encode(world.town), "name": "海晏县农商行", "kind": "ENTERPRISE",
        "creditCode": "11632223DEM000014X", "regionId": id::encode(world.county_region),
        "contactName": "马文海", "contactTitle": "办公室主任", "contactPhone": "13912345678" });
    let invited = invite(&committee, input.clone()).await.fine();
    let membership = invited.text("/inviteOrganization/membership/id");
    assert_eq!(invited.text("/inviteOrganization/membership/state"), "INVITED");
    assert_eq!(invited.text("/inviteOrganization/membership/contact/phone"), "13912345678");
    assert_eq!(
        available(&invited, "/inviteOrganization/membership/availableTransitions"),
        ["declineInvitation", "admitMember"]
    );
    // Neither a second invitation nor one by name only makes a second seat.
    let again = invite(&committee, input).await;
    assert_eq!(again.code().as_deref(), Some("ALREADY_EXISTS"));
    let namesake =
        json!({ "allianceId": id::encode(world.town), "name": "海晏县农商行", "kind": "ENTERPRISE" });
    assert_eq!(invite(&committee, namesake).await.code().as_deref(), Some("ALREADY_EXISTS"));
    for person in [world.manager, world.staff, world.observer] {
        assert_eq!(
            step(&app.client(person), "admitMember", &membership).await.code().as_deref(),
            Some("FORBIDDEN")
        );
    }
    // What the unit says of itself, the committee does not say for it.
    let own = step(&committee, "acceptInvitation", &membership).await;
    assert_eq!(own.code().as_deref(), Some("FORBIDDEN"));
    let admitted = step(&committee, "admitMember", &membership).await.fine();
    assert_eq!(admitted.text("/admitMember/membership/state"), "ACTIVE");
    assert_eq!(
        step(&committee, "admitMember", &membership).await.code().as_deref(),
        Some("STATE_REFUSED"),
        "a double submit changes nothing"
    );
    app.run_background().await;
}

#[tokio::test]
async fn a_credit_code_on_record_attaches_to_its_unit_which_answers_from_where_it_sits() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let code = "91230800DEM000022H";
    let (home, _) = {
        let input = json!({ "allianceId": id::encode(here.town), "name": "共用单位", "kind": "ENTERPRISE", "creditCode": code });
        let answer = invite(&app.client(here.committee), input).await.fine();
        (answer.text("/inviteOrganization/membership/id"), ())
    };
    let seated = step(&app.client(here.committee), "admitMember", &home).await.fine();
    let unit = seated.text("/admitMember/membership/organization/id");
    let manager = here.stranger;
    let organization = id::decode(&unit.clone().into(), "id").expect("an id");
    let new = NewSeat {
        account_id: manager,
        alliance_id: here.town,
        role: Role::MemberManager,
        organization_id: Some(organization),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    // The neighbour knows the code only, and invites the same unit under whatever name.
    let invited = invite(&app.client(there.committee), by_code(&there, code)).await.fine();
    // Until it accepts, it stays what the neighbour typed.
    assert!(invited.at("/inviteOrganization/membership/organization").is_null());
    assert_eq!(invited.text("/inviteOrganization/membership/invitedCreditCode"), code);
    let invitation = invited.text("/inviteOrganization/membership/id");
    app.run_background().await;
    let told = "query($town: ID!, $unit: ID!) {
        changes(allianceId: $town, first: 100) { events { kind organizationIds } }
        memberships(allianceId: $town, filter: { organizationId: $unit }) { totalCount } }";
    let ask = json!({ "town": id::encode(there.town), "unit": unit });
    let answer = app.client(there.committee).send(told, ask.clone()).await.fine();
    assert!(!answer.at("/changes").to_string().contains(&unit), "not by its id either");
    assert_eq!(answer.at("/memberships/totalCount"), 0);
    // Its manager sees the invitation and the alliance's name, not the alliance; colleagues of other units see nothing.
    let query = "query($id: ID!) { membership(id: $id) { allianceName alliance { name }
        availableTransitions { mutation available } } }";
    let seen = app.client(manager).send(query, json!({ "id": invitation })).await.fine();
    assert_eq!(seen.text("/membership/allianceName"), "西海镇联盟");
    assert!(seen.at("/membership/alliance").is_null());
    assert_eq!(
        available(&seen, "/membership/availableTransitions"),
        ["acceptInvitation", "declineInvitation"]
    );
    let unseen = app.client(here.committee).send(query, json!({ "id": invitation })).await.fine();
    assert!(unseen.at("/membership").is_null());
    assert_eq!(
        step(&app.client(here.manager), "acceptInvitation", &invitation).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    let accepted = step(&app.client(manager), "acceptInvitation", &invitation).await.fine();
    assert_eq!(accepted.text("/acceptInvitation/membership/state"), "ACTIVE");
    let shown = app.client(there.committee).send(WHO, json!({ "id": invitation })).await.fine();
    assert_eq!(shown.text("/membership/organization/name"), "共用单位");
    assert!(shown.at("/membership/invitedCreditCode").is_null());
    let answer = app.client(there.committee).send(told, ask).await.fine();
    assert_eq!(answer.at("/memberships/totalCount"), 1);
}

/// An invitation by somebody who has the code and whatever name.
fn by_code(world: &World, code: &str) -> Value {
    json!({ "allianceId": id::encode(world.town), "creditCode": code, "name": "别名", "kind": "COOPERATIVE" })
}

const WHO: &str = "query($id: ID!) { membership(id: $id) { invitedCreditCode
    organization { name shortName kind region { name } } availableTransitions { mutation available blockers { code } } } }";

/// A unit of the town with a credit code, and its manager there.
async fn coded_unit(app: &TestApp, world: &World, code: &str) -> (String, AccountId) {
    let new = NewOrganization {
        name: "秘密单位".to_owned(),
        short_name: None,
        kind: Kind::Enterprise,
        credit_code: Some(code.to_owned()),
        region_id: Some(world.county_region),
    };
    let unit = organization::record(&app.system(), new).await.expect("a unit").id;
    membership::admit(&app.system(), world.town, unit, Contact::default()).await.expect("a seat");
    manage(app, world.town, world.stranger, unit).await;
    (id::encode(unit).to_string(), world.stranger)
}

async fn manage(app: &TestApp, alliance_id: AllianceId, account_id: AccountId, unit: OrganizationId) {
    let (role, organization_id) = (Role::MemberManager, Some(unit));
    let new = NewSeat { account_id, alliance_id, role, organization_id, region_id: None };
    seat::grant(&app.system(), new).await.expect("a seat");
}

#[tokio::test]
async fn whoever_knows_a_credit_code_learns_nothing_of_its_unit_and_cannot_seat_it() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let code = "91230800DEM000022H";
    let (unit, manager) = coded_unit(&app, &here, code).await;
    let neighbour = app.client(there.committee);
    let input = by_code(&there, code);
    let invited = invite(&neighbour, input).await.fine();
    let invitation = invited.text("/inviteOrganization/membership/id");
    assert!(!invited.at("/inviteOrganization").to_string().contains("秘密单位"));
    // Nor in any other answer: the unit, the lists and their filters, the events.
    let query = "query($unit: ID!, $id: ID!, $alliance: ID!, $filter: MembershipFilter) {
        organization(id: $unit) { name } node(id: $unit) { id }
        organizations(filter: { nameContains: \"秘密\" }) { totalCount }
        memberships(filter: $filter) { totalCount }
        membership(id: $id) { organization { name region { name } } }
        history(id: $id) { nodes { kind organizations { name } } }
        alliance(id: $alliance) { members(filter: { state: [INVITED] }) { nodes { organization { name } } } } }";
    let ask = json!({ "unit": unit, "id": invitation, "alliance": id::encode(there.town),
        "filter": { "nameContains": "秘密" } });
    app.run_background().await;
    let seen = neighbour.send(query, ask.clone()).await.fine();
    assert!(!seen.at("").to_string().contains("秘密单位"), "{seen:?}");
    assert!(seen.at("/organization").is_null() && seen.at("/node").is_null());
    assert_eq!(seen.at("/memberships/totalCount"), 0);
    assert_eq!(seen.at("/organizations/totalCount"), 0);
    assert_eq!(seen.text("/history/nodes/0/kind"), "MEMBERSHIP_INVITED");
    // Its word is its own.
    let seated = step(&neighbour, "admitMember", &invitation).await;
    assert_eq!(seated.code().as_deref(), Some("UNIT_ANSWERS_ITSELF"));
    let taken = step(&neighbour, "acceptInvitation", &invitation).await;
    assert_eq!(taken.code().as_deref(), Some("FORBIDDEN"));
    let offered = neighbour.send(WHO, json!({ "id": invitation })).await.fine();
    assert_eq!(available(&offered, "/membership/availableTransitions"), ["declineInvitation"]);
    assert_eq!(offered.text("/membership/availableTransitions/2/blockers/0/code"), "UNIT_ANSWERS_ITSELF");
    // A platform administrator may speak on its behalf, as the manager at home may.
    for person in [here.admin, manager] {
        let offered = app.client(person).send(WHO, json!({ "id": invitation })).await.fine();
        let open = available(&offered, "/membership/availableTransitions");
        assert_eq!(open, ["acceptInvitation", "declineInvitation"]);
    }
    step(&app.client(here.admin), "acceptInvitation", &invitation).await.fine();
    let seen = neighbour.send(query, ask).await.fine();
    assert_eq!(seen.text("/organization/name"), "秘密单位");
    assert_eq!(seen.at("/memberships/totalCount"), 1);
}

#[tokio::test]
async fn whether_a_code_is_on_record_is_told_by_an_invitation_alone() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let (taken, free) = ("91230800DEM000022H", "11632223DEM000014X");
    coded_unit(&app, &here, taken).await;
    let neighbour = app.client(there.committee);
    let units = "SELECT COUNT(*) AS n FROM organization";
    let before = (count(&app, units).await, count(&app, "SELECT COUNT(*) AS n FROM event").await);
    for (more, code) in [
        (json!({ "name": null }), "REQUIRED"),
        (json!({ "kind": null }), "REQUIRED"),
        (json!({ "name": "31605部队" }), "DESIGNATION_REFUSED"),
        (json!({ "shortName": "长".repeat(65) }), "TOO_LONG"),
        (json!({ "regionId": id::encode(RegionId::from(uuid::Uuid::nil())) }), "NOT_FOUND"),
        (json!({ "name": "成员单位1-632224" }), "ALREADY_EXISTS"),
        (json!({ "contactPhone": "1".repeat(33) }), "TOO_LONG"),
    ] {
        let mut answers = Vec::new();
        for known in [taken, free] {
            let mut input = by_code(&there, known);
            for (name, value) in more.as_object().expect("an object") {
                input[name] = value.clone();
            }
            answers.push(invite(&neighbour, input).await);
        }
        assert_eq!(answers[0].code().as_deref(), Some(code), "{more}");
        assert_eq!(answers[0], answers[1], "{more}");
    }
    let after = (count(&app, units).await, count(&app, "SELECT COUNT(*) AS n FROM event").await);
    assert_eq!(before, after);
    // A new unit is the committee's own record; one on record is told of the invitation, and answers itself.
    let new = invite(&neighbour, by_code(&there, free)).await.fine();
    assert_eq!(new.text("/inviteOrganization/membership/organization/name"), "别名");
    let mut input = by_code(&there, taken);
    input["name"] = json!("另一别名");
    let old = invite(&neighbour, input).await.fine();
    assert!(old.at("/inviteOrganization/membership/organization").is_null());
    let told = "{ memberships(filter: { state: [INVITED] }) { totalCount } }";
    assert_eq!(app.client(here.stranger).run(told).await.fine().at("/memberships/totalCount"), 1);
}

#[tokio::test]
async fn a_seat_that_another_alliance_gives_speaks_for_the_unit_there_alone() {
    let app = TestApp::new().await;
    let here = World::build(&app, "632223").await;
    let code = "91230800DEM000022H";
    let (unit, manager) = coded_unit(&app, &here, code).await;
    let organization: OrganizationId = id::decode(&unit.clone().into(), "id").expect("an id");
    app.advance(TimeDelta::days(1));
    // The unit joins a second alliance by its own word, and that alliance makes a man of its own the unit's manager.
    let there = World::build(&app, "632224").await;
    let input = by_code(&there, code);
    let invited = invite(&app.client(there.committee), input).await.fine();
    let invitation = invited.text("/inviteOrganization/membership/id");
    step(&app.client(manager), "acceptInvitation", &invitation).await.fine();
    manage(&app, there.town, there.stranger, organization).await;
    // A third alliance invites the unit.
    let third = World::build(&app, "632225").await;
    let input = by_code(&third, code);
    let offer = invite(&app.client(third.committee), input).await.fine();
    let offer = offer.text("/inviteOrganization/membership/id");
    let mole = app.client(there.stranger);
    let list = "query($filter: MembershipFilter) { memberships(filter: $filter) { totalCount } }";
    let filter = json!({ "filter": { "organizationId": unit } });
    assert_eq!(mole.send(list, filter.clone()).await.fine().at("/memberships/totalCount"), 1);
    for mutation in ["acceptInvitation", "declineInvitation"] {
        assert_eq!(step(&mole, mutation, &offer).await.code().as_deref(), Some("NOT_FOUND"));
    }
    let fourth = World::build(&app, "632226").await;
    let input = json!({ "allianceId": id::encode(fourth.town), "organizationId": unit });
    let applied = change(&mole, "applyForMembership", "ApplyForMembershipInput", input.clone()).await;
    assert_eq!(applied.code().as_deref(), Some("FORBIDDEN"));
    // Not even while the unit is suspended at home: then only the platform speaks for it.
    let ask = json!({ "alliance": id::encode(here.town), "filter": { "organizationId": unit } });
    let query = "query($alliance: ID!, $filter: MembershipFilter) {
        memberships(allianceId: $alliance, filter: $filter) { nodes { id } } }";
    let home = app.client(here.committee).send(query, ask).await.fine().text("/memberships/nodes/0/id");
    because(&app.client(here.committee), "suspendMember", &home).await.fine();
    assert_eq!(step(&mole, "acceptInvitation", &offer).await.code().as_deref(), Some("NOT_FOUND"));
    assert_eq!(
        step(&app.client(manager), "acceptInvitation", &offer).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    step(&app.client(here.committee), "restoreMember", &home).await.fine();
    // Its own manager sees all three and speaks.
    assert_eq!(app.client(manager).send(list, filter).await.fine().at("/memberships/totalCount"), 3);
    step(&app.client(manager), "acceptInvitation", &offer).await.fine();
    change(&app.client(manager), "applyForMembership", "ApplyForMembershipInput", input).await.fine();
}

#[tokio::test]
async fn a_unit_applies_elsewhere_and_the_committee_there_decides() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let apply = async |person: AccountId| {
        let input =
            json!({ "allianceId": id::encode(there.town), "organizationId": id::encode(here.members[1]) });
        change(&app.client(person), "applyForMembership", "ApplyForMembershipInput", input).await
    };
    assert_eq!(apply(here.stranger).await.code().as_deref(), Some("NOT_FOUND"));
    assert_eq!(apply(here.other_staff).await.code().as_deref(), Some("FORBIDDEN"));
    let applied = apply(here.manager).await.fine();
    assert_eq!(apply(here.manager).await.code().as_deref(), Some("ALREADY_EXISTS"));
    let membership = applied.text("/applyForMembership/membership/id");
    // The applicant cannot admit itself.
    let own = step(&app.client(here.manager), "admitMember", &membership).await;
    assert_eq!(own.code().as_deref(), Some("FORBIDDEN"));
    let invitation = step(&app.client(here.manager), "acceptInvitation", &membership).await;
    assert_eq!(invitation.code().as_deref(), Some("STATE_REFUSED"));
    let declined = because(&app.client(there.committee), "declineApplication", &membership).await.fine();
    assert_eq!(declined.text("/declineApplication/membership/state"), "DECLINED");
    assert_eq!(declined.text("/declineApplication/membership/reason"), "按章程");
    // What was declined stays on record, and a new application may follow.
    let second = apply(here.manager).await.fine();
    assert_ne!(second.text("/applyForMembership/membership/id"), membership);
}

#[tokio::test]
async fn suspending_a_member_suspends_its_people_and_ending_it_keeps_the_history() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let (membership, version) = standing(&app, &world, 1).await;
    let sees = async |person| {
        let answer = app
            .client(person)
            .send("query($id: ID!) { alliance(id: $id) { name } }", json!({ "id": id::encode(world.town) }))
            .await
            .fine();
        !answer.at("/alliance").is_null()
    };
    assert!(sees(world.staff).await);
    let blank = json!({ "membershipId": membership, "reason": " " });
    let refused = change(&committee, "suspendMember", "MembershipReasonInput", blank).await;
    assert_eq!(refused.code().as_deref(), Some("REQUIRED"));
    let stale = json!({ "membershipId": membership, "reason": "x", "expectedVersion": version + 7 });
    let stale = change(&committee, "suspendMember", "MembershipReasonInput", stale).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    assert_eq!(
        because(&app.client(world.manager), "suspendMember", &membership).await.code().as_deref(),
        Some("FORBIDDEN")
    );
    assert_eq!(
        because(&app.client(world.stranger), "suspendMember", &membership).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    because(&committee, "suspendMember", &membership).await.fine();
    assert!(!sees(world.staff).await && !sees(world.manager).await && sees(world.other_staff).await);
    step(&committee, "restoreMember", &membership).await.fine();
    assert!(sees(world.staff).await);
    let ended = because(&committee, "endMembership", &membership).await.fine();
    assert_eq!(ended.text("/endMembership/membership/state"), "ENDED");
    assert!(!sees(world.staff).await);
    assert_eq!(step(&committee, "restoreMember", &membership).await.code().as_deref(), Some("STATE_REFUSED"));
    // It stays on the list of members, and may come back under a new seat.
    let again =
        json!({ "allianceId": id::encode(world.town), "organizationId": id::encode(world.members[1]) });
    invite(&committee, again).await.fine();
    let query = "query($id: ID!) { alliance(id: $id) { members(orderBy: NEWEST, filter: { state: [ENDED, INVITED] }) {
        totalCount nodes { state } } } }";
    let list = committee.send(query, json!({ "id": id::encode(world.town) })).await.fine();
    assert_eq!(list.at("/alliance/members/totalCount"), 2);
    assert_eq!(list.text("/alliance/members/nodes/0/state"), "INVITED");
    app.run_background().await;
}

#[tokio::test]
async fn the_committees_own_unit_keeps_its_seat() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (membership, _) = standing(&app, &world, 0).await;
    for mutation in ["suspendMember", "endMembership"] {
        let answer = because(&app.client(world.committee), mutation, &membership).await;
        assert_eq!(answer.code().as_deref(), Some("COMMITTEE_KEPT"));
    }
}

#[tokio::test]
async fn contacts_are_masked_outside_the_unit_and_changed_by_its_manager() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (membership, version) = standing(&app, &world, 1).await;
    let input = json!({ "membershipId": membership, "expectedVersion": version,
        "contactName": "张三丰", "contactPhone": "13912345678" });
    let update = async |person, input: Value| {
        change(&app.client(person), "updateMemberContact", "UpdateMemberContactInput", input).await
    };
    assert_eq!(update(world.staff, input.clone()).await.code().as_deref(), Some("FORBIDDEN"));
    let changed = update(world.manager, input.clone()).await.fine();
    assert_eq!(changed.at("/updateMemberContact/membership/contact/masked"), false);
    assert_eq!(update(world.manager, input).await.code().as_deref(), Some("VERSION_CONFLICT"));
    let query = "query($id: ID!) { membership(id: $id) { contact { name phone masked } } }";
    for (person, phone) in [
        (world.committee, "13912345678"),
        (world.staff, "13912345678"),
        (world.officer, "13912345678"),
        (world.other_staff, "139****5678"),
        (world.observer, "139****5678"),
        (world.county_committee, "139****5678"),
    ] {
        let answer = app.client(person).send(query, json!({ "id": membership })).await.fine();
        assert_eq!(answer.text("/membership/contact/phone"), phone);
        assert_eq!(answer.at("/membership/contact/masked"), phone.contains('*'));
    }
    // Null clears, absence keeps.
    let clear = json!({ "membershipId": membership, "expectedVersion": version + 1, "contactPhone": null });
    let cleared = update(world.committee, clear).await.fine();
    assert_eq!(cleared.text("/updateMemberContact/membership/contact/name"), "张三丰");
    assert!(cleared.at("/updateMemberContact/membership/contact/phone").is_null());
    let long =
        json!({ "membershipId": membership, "expectedVersion": version + 2, "contactPhone": "1".repeat(33) });
    assert_eq!(update(world.committee, long).await.code().as_deref(), Some("TOO_LONG"));
}

#[tokio::test]
async fn what_a_unit_does_in_one_alliance_is_invisible_in_another() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    membership::admit(&app.system(), there.town, here.members[1], Contact::default()).await.expect("a seat");
    let query = "query($id: ID!) { organization(id: $id) { name memberships { totalCount nodes { id } } } }";
    let ask = json!({ "id": id::encode(here.members[1]) });
    for (person, count) in [(here.committee, 1), (there.committee, 1), (here.manager, 2), (here.admin, 2)] {
        let answer = app.client(person).send(query, ask.clone()).await.fine();
        assert_eq!(answer.at("/organization/memberships/totalCount"), count);
    }
    let foreign = json!({ "allianceId": id::encode(there.town), "name": "x", "kind": "ENTERPRISE" });
    assert_eq!(invite(&app.client(here.committee), foreign).await.code().as_deref(), Some("NOT_FOUND"));
    let (membership, _) = standing(&app, &here, 2).await;
    assert_eq!(
        because(&app.client(there.committee), "endMembership", &membership).await.code().as_deref(),
        Some("NOT_FOUND")
    );
}

#[tokio::test]
async fn a_replayed_invitation_makes_one_membership() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let input = json!({ "allianceId": id::encode(world.town), "name": "新单位", "kind": "ENTERPRISE" });
    let first = invite(&committee.keyed("k", 1), input.clone()).await.fine();
    let again = invite(&committee.keyed("k", 1), input).await.fine();
    assert_eq!(first, again);
    let unknown =
        json!({ "allianceId": id::encode(world.town), "name": "31605部队", "kind": "MILITARY_UNIT" });
    assert_eq!(invite(&committee, unknown).await.code().as_deref(), Some("DESIGNATION_REFUSED"));
    let nameless = json!({ "allianceId": id::encode(world.town), "kind": "ENTERPRISE" });
    assert_eq!(invite(&committee, nameless).await.code().as_deref(), Some("REQUIRED"));
}

#[tokio::test]
async fn whoever_stands_in_duties_stays_until_they_are_ended() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, unit, place) = (app.ctx(world.committee), world.members[1], world.communities[0]);
    let pair = NewPairing {
        alliance_id: world.town,
        organization_id: unit,
        region_id: place,
        since: None,
        until: None,
    };
    let pairing = pairing::pair(&committee, pair).await.expect("paired");
    let network = network_of(&app, &world, grid_network::Kind::Party).await;
    let cell = drawn(&app, &world, &network, new_cell("D-1", &[place])).await;
    let post = new_officer(unit, grid_officer::Role::GridOfficer, "张三丰");
    let post = officer::assign(&committee, cell.id, post).await.expect("assigned");
    let new = NewBranch { hosts: vec![NewHost::Organization(unit)], ..new_branch(&world, "甲") };
    let branch = established(&app, &world, new).await;
    let new = NewInstructor {
        organization_id: unit,
        name: "李四光".to_owned(),
        phone: None,
        place: NewHost::Region(place),
        since: None,
    };
    let served = instructor::appoint(&committee, world.town, new).await.expect("appointed");
    let order = issued(&app, &world).await;
    let new = NewHomeReport {
        alliance_id: world.town,
        person: "V1".to_owned(),
        organization_id: unit,
        region_id: place,
    };
    home_report::report(&app.ctx(world.staff), new).await.expect("reported");
    let (membership, _) = standing(&app, &world, 1).await;
    let client = app.client(world.committee);
    let refused = because(&client, "endMembership", &membership).await;
    assert_eq!(refused.code().as_deref(), Some("STANDS_IN_DUTIES"));
    let message = refused.text("/endMembership/userErrors/0/message");
    for part in ["1 pairings", "1 posts", "1 hosts", "1 instructors", "1 orders"] {
        assert!(message.contains(part), "{message}");
    }
    pairing::end(&committee, pairing.id, None, None).await.expect("ended");
    officer::end(&committee, post.id, None, None).await.expect("ended");
    steps::end(&committee, crate::branch::which(branch.id), None, None).await.expect("ended");
    instructor::end(&committee, served.id, None, None).await.expect("ended");
    let which = WhichUnit { mobilization_id: order.id, organization_id: unit, expected_version: None };
    let refused = because(&client, "endMembership", &membership).await;
    assert!(refused.text("/endMembership/userErrors/0/message").contains("0 instructors and 1 orders"));
    unit::release(&committee, which).await.expect("released");
    let ended = because(&client, "endMembership", &membership).await.fine();
    assert_eq!(ended.text("/endMembership/membership/state"), "ENDED");
    // What its people reported nobody else could end.
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM home_report WHERE ended_at IS NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_giving_a_duty_and_ending_the_membership_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let network = network_of(&app, &world, grid_network::Kind::Party).await;
    let cell = drawn(&app, &world, &network, new_cell("D-1", &[world.communities[0]])).await.id;
    for (at, is_post) in [(2, true), (3, false), (4, true), (5, false)] {
        let (unit, place) = (world.members[at], world.communities[0]);
        let (membership, _) = standing(&app, &world, at).await;
        let (_, raw) = id::split(&membership).expect("one of ours");
        let (giving, ending) = (app.ctx(world.committee), app.ctx(world.committee));
        let alliance_id = world.town;
        let given = tokio::spawn(async move {
            if is_post {
                let new = new_officer(unit, grid_officer::Role::GridOfficer, "张三丰");
                let new = NewOfficer { is_main: false, name: format!("张三{at}"), ..new };
                officer::assign(&giving, cell, new).await.map(drop)
            } else {
                let (since, until) = (None, None);
                let new = NewPairing { alliance_id, organization_id: unit, region_id: place, since, until };
                pairing::pair(&giving, new).await.map(drop)
            }
        });
        let ended =
            tokio::spawn(async move { membership::end(&ending, raw.into(), None, "迁出").await.map(drop) });
        match (given.await.expect("no panic"), ended.await.expect("no panic")) {
            (Ok(()), Err(refused)) => assert_eq!(refused.code().text(), "STANDS_IN_DUTIES"),
            (Err(refused), Ok(())) => assert_eq!(refused.code().text(), "NOT_A_MEMBER"),
            other => panic!("not one of two: {other:?}"),
        }
    }
}
