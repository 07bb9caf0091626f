//! Power over people: who may invite, reset, disable and give roles, and where that power ends.

use concord::{
    domain::identity::seat::{self, NewSeat},
    graphql::id,
};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId},
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

const INVITE: &str = "mutation($input: InviteAccountInput!) {
    inviteAccount(input: $input) { account { id } userErrors { code } }
}";

const RESET: &str = "mutation($input: ResetPasswordInput!) {
    resetPassword(input: $input) { link { purpose } userErrors { code } }
}";

const DISABLE: &str = "mutation($input: DisableAccountInput!) {
    disableAccount(input: $input) { account { id } userErrors { code } }
}";

const ASSIGN: &str = "mutation($input: AssignRoleInput!) {
    assignRole(input: $input) { seat { id role state account { id } } userErrors { code field } }
}";

const END: &str = "mutation($input: EndSeatInput!) {
    endSeat(input: $input) { seat { id state endedAt } userErrors { code } }
}";

async fn town() -> (TestApp, World) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    (app, world)
}

fn about(account: AccountId) -> Value {
    json!({ "input": { "accountId": id::encode(account) } })
}

fn role(person: Value, alliance: AllianceId, role: &str, organization: Option<OrganizationId>) -> Value {
    json!({ "input": { "person": person, "allianceId": id::encode(alliance), "role": role,
        "organizationId": organization.map(id::encode) } })
}

async fn grant(
    app: &TestApp,
    account_id: AccountId,
    alliance_id: AllianceId,
    role: Role,
    unit: OrganizationId,
) {
    let organization_id = Some(unit);
    let new = NewSeat { account_id, alliance_id, role, organization_id, region_id: None };
    seat::grant(&app.system(), new).await.expect("a seat");
}

fn code(answer: &Answer) -> Option<String> {
    answer.code()
}

#[tokio::test]
async fn only_the_committee_a_units_manager_and_the_administrator_invite() {
    let (app, world) = town().await;
    let there = World::build(&app, "632224").await;
    let mut number = 0;
    let mut invite = async |who: AccountId| {
        number += 1;
        let input = json!({ "input": {
            "allianceId": id::encode(world.town), "username": format!("new{number}"), "displayName": "新人",
            "role": "MEMBER_STAFF", "organizationId": id::encode(world.members[1]),
        } });
        code(&app.client(who).send(INVITE, input).await)
    };
    for who in [world.committee, world.manager, world.admin] {
        assert_eq!(invite(who).await, None);
    }
    for who in [
        world.approver,
        world.staff,
        world.other_staff,
        world.officer,
        world.grid_officer,
        world.verifier,
        world.observer,
        world.county_committee,
    ] {
        assert_eq!(invite(who).await.as_deref(), Some("FORBIDDEN"));
    }
    for who in [world.stranger, there.committee, there.manager] {
        assert_eq!(invite(who).await.as_deref(), Some("NOT_FOUND"));
    }
}

#[tokio::test]
async fn a_manager_gives_only_the_roles_of_the_own_units_people() {
    let (app, world) = town().await;
    let manager = app.client(world.manager);
    let staff = json!({ "accountId": id::encode(world.staff) });
    let (own, other) = (world.members[1], world.members[2]);
    manager.send(ASSIGN, role(staff.clone(), world.town, "MEMBER_MANAGER", Some(own))).await.fine();
    for (what, unit) in [
        ("MEMBER_STAFF", Some(other)),
        ("COMMITTEE", Some(own)),
        ("APPROVER", Some(own)),
        ("VERIFIER", Some(own)),
        ("OBSERVER", None),
    ] {
        let answer = manager.send(ASSIGN, role(staff.clone(), world.town, what, unit)).await;
        assert_eq!(code(&answer).as_deref(), Some("FORBIDDEN"), "{what}");
    }
    let elsewhere = manager.send(ASSIGN, role(staff, world.county, "MEMBER_STAFF", Some(own))).await;
    assert_eq!(code(&elsewhere).as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn the_manager_of_the_committees_unit_does_not_become_the_committee() {
    let (app, world) = town().await;
    let unit = world.members[0];
    grant(&app, world.stranger, world.town, Role::MemberManager, unit).await;
    let manager = app.client(world.stranger);
    for target in [world.committee, world.approver] {
        for query in [RESET, DISABLE] {
            let answer = manager.send(query, about(target)).await;
            assert_eq!(code(&answer).as_deref(), Some("FORBIDDEN"));
        }
    }
    let me = json!({ "accountId": id::encode(world.stranger) });
    let rise = manager.send(ASSIGN, role(me, world.town, "COMMITTEE", Some(unit))).await;
    assert_eq!(code(&rise).as_deref(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn who_resets_or_disables_a_person() {
    let (app, world) = town().await;
    let there = World::build(&app, "632224").await;
    for query in [RESET, DISABLE] {
        for (who, expected) in [
            (world.staff, "FORBIDDEN"), // themselves
            (world.other_staff, "NOT_FOUND"),
            (world.approver, "NOT_FOUND"),
            (world.observer, "NOT_FOUND"),
            (world.county_committee, "NOT_FOUND"),
            (world.stranger, "NOT_FOUND"),
            (there.committee, "NOT_FOUND"),
        ] {
            assert_eq!(
                code(&app.client(who).send(query, about(world.staff)).await).as_deref(),
                Some(expected)
            );
        }
        let anonymous = app.anonymous().send(query, about(world.staff)).await;
        assert_eq!(code(&anonymous).as_deref(), Some("NOT_FOUND"));
        // Nobody disables or resets themselves, an administrator only by another.
        let own = app.client(world.committee).send(query, about(world.committee)).await;
        assert_eq!(code(&own).as_deref(), Some("FORBIDDEN"));
    }
    app.client(world.manager).send(RESET, about(world.staff)).await.fine();
    app.client(world.committee).send(RESET, about(world.staff)).await.fine();
    app.client(world.admin).send(RESET, about(world.committee)).await.fine();
    app.client(world.manager).send(DISABLE, about(world.staff)).await.fine();
    app.client(world.committee).send(DISABLE, about(world.manager)).await.fine();
    app.client(world.admin).send(DISABLE, about(world.committee)).await.fine();
    let own = app.client(world.admin).send(DISABLE, about(world.admin)).await;
    assert_eq!(code(&own).as_deref(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn power_in_one_alliance_is_no_power_over_a_person_of_two() {
    let (app, world) = town().await;
    let there = World::build(&app, "632224").await;
    grant(&app, world.staff, there.town, Role::Committee, there.members[0]).await;
    for query in [RESET, DISABLE] {
        let answer = app.client(world.committee).send(query, about(world.staff)).await;
        assert_eq!(code(&answer).as_deref(), Some("ACCOUNT_ACTS_ELSEWHERE"));
    }
    // Each committee ends the role in its own alliance; then the other's power is whole.
    let seats = "query($id: ID!) { account(id: $id) { seats { id alliance { id } } } }";
    let ask = json!({ "id": id::encode(world.staff) });
    let seen = app.client(there.committee).send(seats, ask).await;
    assert_eq!(seen.at("/account/seats").as_array().expect("seats").len(), 1, "the other seat is not shown");
    let seat = json!({ "input": { "seatId": seen.text("/account/seats/0/id") } });
    let foreign = app.client(world.committee).send(END, seat.clone()).await;
    assert_eq!(code(&foreign).as_deref(), Some("NOT_FOUND"));
    app.client(there.committee).send(END, seat).await.fine();
    app.client(world.committee).send(RESET, about(world.staff)).await.fine();
}

#[tokio::test]
async fn a_role_gives_access_and_its_end_takes_it_at_once() {
    let (app, world) = town().await;
    let committee = app.client(world.committee);
    // Somebody without any role is known to the administrator alone, who brings them in.
    let person = json!({ "username": "Stranger.632223" });
    let first = role(person.clone(), world.town, "GRID_OFFICER", Some(world.members[2]));
    assert_eq!(code(&committee.send(ASSIGN, first.clone()).await).as_deref(), Some("NOT_FOUND"));
    let first = app.client(world.admin).send(ASSIGN, first).await.fine();
    let first = json!({ "input": { "seatId": first.text("/assignRole/seat/id") } });
    let input = role(person.clone(), world.town, "OBSERVER", None);
    let given = committee.keyed("k", 1).send(ASSIGN, input.clone()).await.fine();
    assert_eq!(committee.keyed("k", 1).send(ASSIGN, input.clone()).await, given);
    assert_eq!(given.text("/assignRole/seat/account/id"), id::encode(world.stranger).0);
    let again = committee.send(ASSIGN, input).await;
    assert_eq!(again.at("/assignRole/userErrors/0/field"), "input.role");
    assert_eq!(code(&again).as_deref(), Some("ALREADY_EXISTS"));
    let count = async || {
        let answer = app.client(world.stranger).run("{ alliances { totalCount } }").await;
        answer.at("/alliances/totalCount").as_i64().expect("a count")
    };
    committee.send(END, first).await.fine();
    assert_eq!(count().await, 1);
    let seat = json!({ "input": { "seatId": given.text("/assignRole/seat/id") } });
    for who in [world.manager, world.staff, world.observer] {
        assert!(code(&app.client(who).send(END, seat.clone()).await).is_some());
    }
    let ended = committee.send(END, seat.clone()).await.fine();
    assert_eq!(ended.text("/endSeat/seat/state"), "ENDED");
    assert_eq!(count().await, 0);
    assert_eq!(code(&committee.send(END, seat).await).as_deref(), Some("STATE_REFUSED"));
    // After its end the same role can be given again, by whoever still sees the person.
    let again = role(person, world.town, "OBSERVER", None);
    assert_eq!(code(&committee.send(ASSIGN, again.clone()).await).as_deref(), Some("NOT_FOUND"));
    app.client(world.admin).send(ASSIGN, again).await.fine();
    app.run_background().await;
}

#[tokio::test]
async fn roles_for_nobody_for_nothing_or_for_strangers_are_refused() {
    let (app, world) = town().await;
    let there = World::build(&app, "632224").await;
    let committee = app.client(world.committee);
    let staff = json!({ "accountId": id::encode(world.staff) });
    for (person, what, unit, expected) in [
        (json!({ "username": "nobody" }), "OBSERVER", None, "NOT_FOUND"),
        (json!({ "accountId": id::encode(there.staff) }), "OBSERVER", None, "NOT_FOUND"),
        (json!({ "accountId": "!" }), "OBSERVER", None, "ID_MALFORMED"),
        (staff.clone(), "VERIFIER", None, "REQUIRED"),
        (staff.clone(), "COMMUNITY_OFFICER", None, "REQUIRED"),
        (staff.clone(), "MEMBER_STAFF", Some(there.members[1]), "NOT_A_MEMBER"),
    ] {
        let answer = committee.send(ASSIGN, role(person.clone(), world.town, what, unit)).await;
        assert_eq!(code(&answer).as_deref(), Some(expected), "{person} {what}");
    }
    let both = json!({ "username": "a", "accountId": id::encode(world.staff) });
    let answer = committee.send(ASSIGN, role(both, world.town, "OBSERVER", None)).await;
    assert!(answer.0["errors"][0].is_object(), "{answer:?}");
    app.client(world.admin).send(DISABLE, about(world.staff)).await.fine();
    let disabled = committee.send(ASSIGN, role(staff, world.town, "OBSERVER", None)).await;
    assert_eq!(code(&disabled).as_deref(), Some("STATE_REFUSED"));
}
