//! Roles as a whole: whom one may take in, which roles one person may hold together, and the committee that must remain.

use concord::{
    domain::{
        Event,
        governance::membership::{self, Contact},
        identity::{
            account,
            seat::{self, NewSeat},
        },
        policy::{Grant, ROLES, excludes, grant as power},
    },
    graphql::id,
};
use concord_entities::{
    account as accounts, event,
    id::{AccountId, AllianceId, OrganizationId, SeatId},
    seat::{self as seats, Role},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

const ASSIGN: &str = "mutation($input: AssignRoleInput!) {
    assignRole(input: $input) { seat { id } userErrors { code field message } }
}";

const END: &str = "mutation($input: EndSeatInput!) {
    endSeat(input: $input) { seat { state } userErrors { code message } }
}";

const DISABLE: &str = "mutation($input: DisableAccountInput!) {
    disableAccount(input: $input) { account { state } userErrors { code message } }
}";

const RESET: &str = "mutation($input: ResetPasswordInput!) {
    resetPassword(input: $input) { link { purpose } userErrors { code } }
}";

async fn towns() -> (TestApp, World, World) {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    (app, here, there)
}

/// Gives a role to whoever bears a sign-in name.
async fn assign(
    app: &TestApp,
    who: AccountId,
    username: &str,
    alliance: AllianceId,
    role: &str,
    unit: Option<OrganizationId>,
) -> Answer {
    let input = json!({ "input": { "person": { "username": username }, "allianceId": id::encode(alliance),
        "role": role, "organizationId": unit.map(id::encode) } });
    app.client(who).send(ASSIGN, input).await
}

async fn grant(
    app: &TestApp,
    account_id: AccountId,
    alliance_id: AllianceId,
    role: Role,
    organization_id: Option<OrganizationId>,
) -> Result<SeatId, concord::domain::Error> {
    let new = NewSeat { account_id, alliance_id, role, organization_id, region_id: None };
    seat::grant(&app.system(), new).await.map(|seat| seat.id)
}

async fn seat_of(app: &TestApp, account: AccountId, alliance: AllianceId) -> SeatId {
    seats::Entity::find()
        .filter(seats::Column::AccountId.eq(account))
        .filter(seats::Column::AllianceId.eq(alliance))
        .filter(seats::Column::State.eq(seats::State::Active))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a seat")
        .id
}

async fn end(app: &TestApp, who: AccountId, seat: SeatId) -> Answer {
    app.client(who).send(END, json!({ "input": { "seatId": id::encode(seat) } })).await
}

fn about(account: AccountId) -> Value {
    json!({ "input": { "accountId": id::encode(account) } })
}

async fn sees_the_alliance(app: &TestApp, who: AccountId, alliance: AllianceId) -> bool {
    let query = "query($id: ID!) { alliance(id: $id) { id } }";
    !app.client(who).send(query, json!({ "id": id::encode(alliance) })).await.at("/alliance").is_null()
}

#[tokio::test]
async fn a_sign_in_name_alone_takes_nobody_in() {
    let (app, here, there) = towns().await;
    let unknown = assign(&app, there.committee, "nobody", there.town, "OBSERVER", None).await;
    assert_eq!(unknown.code().as_deref(), Some("NOT_FOUND"));
    account::disable(&app.system(), here.observer, None).await.expect("disabled");
    for known in ["staff.632223", " Staff.632223", "stranger.632223", "observer.632223", "admin.632223"] {
        let answer = assign(&app, there.committee, known, there.town, "OBSERVER", None).await;
        assert_eq!(answer, unknown, "{known}");
        // Not even for a unit, where they do not act for it.
        let unit = Some(there.members[1]);
        let answer = assign(&app, there.committee, known, there.town, "MEMBER_STAFF", unit).await;
        assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"), "{known}");
    }
    let person = "query($id: ID!) { account(id: $id) { username phone } }";
    let seen = app.client(there.committee).send(person, json!({ "id": id::encode(here.staff) })).await;
    assert!(seen.at("/account").is_null());
    // Nor does a manager make the town's verifier staff of the own unit.
    let unit = Some(here.members[1]);
    let answer = assign(&app, here.manager, "verifier.632223", here.town, "MEMBER_STAFF", unit).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    let held = seats::Entity::find().filter(seats::Column::AccountId.eq(here.verifier));
    assert_eq!(held.count(&app.app.read).await.expect("a count"), 1);
    // So the home committee keeps the whole account in its hands.
    app.client(here.committee).send(RESET, about(here.staff)).await.fine();
    app.client(here.committee).send(DISABLE, about(here.staff)).await.fine();
}

#[tokio::test]
async fn a_shared_member_brings_its_people_for_itself_only() {
    let (app, here, there) = towns().await;
    let (unit, system) = (here.members[1], app.system());
    let take = async |role: &str, unit: Option<OrganizationId>| {
        assign(&app, there.committee, "staff.632223", there.town, role, unit).await.code()
    };
    assert_eq!(take("MEMBER_STAFF", Some(unit)).await.as_deref(), Some("NOT_FOUND"), "it is no member yet");
    membership::admit(&system, there.town, unit, Contact::default()).await.expect("a second membership");
    assert_eq!(take("OBSERVER", None).await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(take("MEMBER_STAFF", Some(there.members[1])).await.as_deref(), Some("NOT_FOUND"));
    assert_eq!(take("MEMBER_STAFF", Some(unit)).await, None);
    // Whoever acts for the unit no more is not taken in either.
    let manager = seat_of(&app, here.manager, here.town).await;
    seat::end(&system, manager).await.expect("the role ends");
    let gone = assign(&app, there.committee, "manager.632223", there.town, "MEMBER_STAFF", Some(unit)).await;
    assert_eq!(gone.code().as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn a_leaver_who_acts_elsewhere_too_is_shut_out_here_at_once() {
    let (app, here, there) = towns().await;
    membership::admit(&app.system(), there.town, here.members[1], Contact::default()).await.expect("shared");
    for home in [here.manager, here.committee] {
        grant(&app, here.staff, there.town, Role::MemberStaff, Some(here.members[1])).await.expect("a seat");
        // Nobody but all concerned ends the whole person, and the answer says what to do instead.
        for query in [RESET, DISABLE] {
            let answer = app.client(home).send(query, about(here.staff)).await;
            assert_eq!(answer.code().as_deref(), Some("ACCOUNT_ACTS_ELSEWHERE"));
        }
        let told = app.client(home).send(DISABLE, about(here.staff)).await;
        assert!(told.text("/disableAccount/userErrors/0/message").contains("endSeat"));
        let foreign = seat_of(&app, here.staff, there.town).await;
        assert_eq!(end(&app, home, foreign).await.code().as_deref(), Some("NOT_FOUND"));
        assert!(sees_the_alliance(&app, here.staff, here.town).await);
        let own = seat_of(&app, here.staff, here.town).await;
        end(&app, home, own).await.fine();
        assert!(!sees_the_alliance(&app, here.staff, here.town).await);
        assert!(sees_the_alliance(&app, here.staff, there.town).await);
        // What they do there is theirs; whoever is left to look after them may end the account.
        let answer = app.client(there.committee).send(RESET, about(here.staff)).await.fine();
        assert_eq!(answer.text("/resetPassword/link/purpose"), "RESET");
        // Back for the next round.
        seat::end(&app.system(), foreign).await.expect("ended");
        grant(&app, here.staff, here.town, Role::MemberStaff, Some(here.members[1])).await.expect("a seat");
    }
}

#[tokio::test]
async fn a_role_that_ended_gives_no_power_over_its_former_holder() {
    let (app, here, there) = towns().await;
    let (left, unit) = (seat_of(&app, here.staff, here.town).await, Some(here.members[1]));
    seat::end(&app.system(), left).await.expect("ended");
    // The leaver checks others now: next door, and here for another unit.
    grant(&app, here.staff, there.town, Role::Verifier, Some(there.members[6])).await.expect("a seat");
    let person = "query($id: ID!) { account(id: $id) { id } }";
    let (ask, seen) = (json!({ "id": id::encode(here.staff) }), json!({ "id": id::encode(left) }));
    let old = "query($id: ID!) { node(id: $id) { ... on Seat { state } } }";
    for former in [here.manager, here.committee] {
        let client = app.client(former);
        let answer = assign(&app, former, "staff.632223", here.town, "MEMBER_STAFF", unit).await;
        assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
        for query in [RESET, DISABLE] {
            assert_eq!(client.send(query, about(here.staff)).await.code().as_deref(), Some("NOT_FOUND"));
        }
        assert!(client.send(person, ask.clone()).await.fine().at("/account").is_null());
        // That they once were here stays on record.
        assert_eq!(client.send(old, seen.clone()).await.fine().text("/node/state"), "ENDED");
    }
    grant(&app, here.staff, here.town, Role::Verifier, Some(here.members[5])).await.expect("a seat");
    let answer = assign(&app, here.manager, "staff.632223", here.town, "MEMBER_STAFF", unit).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"), "of the manager's unit no more");
    // A role that is only suspended is still one.
    app.sql("UPDATE seat SET state = 'suspended' WHERE role = 'member_staff'").await.expect("suspended");
    let ask = json!({ "id": id::encode(here.other_staff) });
    assert!(!app.client(here.committee).send(person, ask).await.fine().at("/account").is_null());
}

#[tokio::test]
async fn everybody_may_lay_down_a_role_of_their_own() {
    let (app, here, there) = towns().await;
    let own = async |who| seat_of(&app, who, here.town).await;
    // A verifier who feels bound, a member of staff who leaves: nobody need be asked.
    for who in [here.verifier, here.staff, here.manager, here.approver, here.observer] {
        let ended = end(&app, who, own(who).await).await.fine();
        assert_eq!(ended.text("/endSeat/seat/state"), "ENDED");
        assert!(!sees_the_alliance(&app, who, here.town).await);
    }
    let seat = own(here.other_staff).await;
    for who in [here.grid_officer, here.county_committee, there.committee] {
        assert_eq!(end(&app, who, seat).await.code().as_deref(), Some("NOT_FOUND"));
    }
    end(&app, here.other_staff, seat).await.fine();
    assert_eq!(end(&app, here.other_staff, seat).await.code().as_deref(), Some("STATE_REFUSED"));
    let told = event::Entity::find()
        .filter(event::Column::Kind.eq(Event::SeatEnded.text()))
        .filter(event::Column::SubjectId.eq(uuid::Uuid::from(seat)))
        .filter(event::Column::ActorId.eq(here.other_staff));
    assert_eq!(told.count(&app.app.read).await.expect("a count"), 1);
    let last = end(&app, here.committee, own(here.committee).await).await;
    assert_eq!(last.code().as_deref(), Some("LAST_COMMITTEE"));
}

#[tokio::test]
async fn the_last_committee_stays() {
    let (app, here, there) = towns().await;
    let last = seat_of(&app, here.committee, here.town).await;
    let refused = end(&app, here.committee, last).await;
    assert_eq!(refused.code().as_deref(), Some("LAST_COMMITTEE"));
    // A second one who cannot sign in, or sits elsewhere, is none.
    grant(&app, here.observer, here.town, Role::Committee, None).await.expect("a seat");
    account::disable(&app.system(), here.observer, None).await.expect("disabled");
    grant(&app, here.stranger, there.town, Role::Committee, None).await.expect("a seat");
    assert_eq!(end(&app, here.committee, last).await.code().as_deref(), Some("LAST_COMMITTEE"));
    account::enable(&app.system(), here.observer, None).await.expect("enabled");
    // Another role for the same person ends without further ado, and with a second committee this one does as well.
    end(&app, here.committee, last).await.fine();
    let last = seats::Entity::find()
        .filter(seats::Column::AccountId.eq(here.observer))
        .filter(seats::Column::Role.eq(Role::Committee))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a seat")
        .id;
    assert_eq!(end(&app, here.observer, last).await.code().as_deref(), Some("LAST_COMMITTEE"));
    // Only the platform itself leaves an alliance without one.
    app.client(here.admin).send(DISABLE, about(here.observer)).await.fine();
    end(&app, here.admin, last).await.fine();
}

#[tokio::test]
async fn a_member_is_not_suspended_or_ended_with_the_last_committee_in_it() {
    let (app, here, _) = towns().await;
    let unit = here.members[3];
    let last = grant(&app, here.stranger, here.town, Role::Committee, Some(unit)).await.expect("a seat");
    seat::end(&app.system(), seat_of(&app, here.committee, here.town).await).await.expect("ended");
    let row = concord_entities::membership::Entity::find()
        .filter(concord_entities::membership::Column::AllianceId.eq(here.town))
        .filter(concord_entities::membership::Column::OrganizationId.eq(unit))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a membership");
    let ctx = app.ctx(here.stranger);
    let code = |done: Result<_, concord::domain::Error>| {
        done.map(|_: concord_entities::membership::Model| ()).err().map(|error| error.code().text())
    };
    assert_eq!(code(membership::suspend(&ctx, row.id, None, "整改").await), Some("LAST_COMMITTEE"));
    assert_eq!(code(membership::end(&ctx, row.id, None, "退出").await), Some("LAST_COMMITTEE"));
    let kept = seats::Entity::find_by_id(last).one(&app.app.read).await.expect("a read").expect("the seat");
    assert_eq!(kept.state, seats::State::Active);
    grant(&app, here.observer, here.town, Role::Committee, None).await.expect("a seat");
    assert_eq!(code(membership::suspend(&ctx, row.id, None, "整改").await), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_committees_do_not_end_each_other() {
    let (app, here, _) = towns().await;
    let second = grant(&app, here.stranger, here.town, Role::Committee, None).await.expect("a seat");
    let first = seat_of(&app, here.committee, here.town).await;
    let done =
        futures_util::future::join(end(&app, here.committee, first), end(&app, here.stranger, second)).await;
    let codes = [done.0.code(), done.1.code()];
    assert!(codes.contains(&None), "{codes:?}");
    assert!(codes.contains(&Some("LAST_COMMITTEE".to_owned())), "{codes:?}");
    // Nor do they shut each other out at the same moment.
    let (app, here, _) = towns().await;
    grant(&app, here.stranger, here.town, Role::Committee, None).await.expect("a seat");
    let (one, other) = (app.client(here.committee), app.client(here.stranger));
    futures_util::future::join(
        one.send(DISABLE, about(here.stranger)),
        other.send(DISABLE, about(here.committee)),
    )
    .await;
    let active = accounts::Entity::find()
        .filter(accounts::Column::Id.is_in([here.committee, here.stranger]))
        .filter(accounts::Column::State.eq(accounts::State::Active));
    assert_eq!(active.count(&app.app.read).await.expect("a count"), 1);
}

#[tokio::test]
async fn nobody_gives_a_role_to_themselves() {
    let (app, here, _) = towns().await;
    let unit = here.members.get(1).copied();
    for role in ["VERIFIER", "APPROVER", "MEMBER_STAFF", "OBSERVER"] {
        let answer = assign(&app, here.committee, "committee.632223", here.town, role, unit).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{role}");
        let me = json!({ "input": { "person": { "accountId": id::encode(here.committee) },
            "allianceId": id::encode(here.town), "role": role, "organizationId": unit.map(id::encode) } });
        assert_eq!(app.client(here.committee).send(ASSIGN, me).await.code().as_deref(), Some("FORBIDDEN"));
    }
    let answer = assign(&app, here.manager, "manager.632223", here.town, "MEMBER_STAFF", unit).await;
    assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    // An administrator only where nobody runs the alliance yet.
    let rise =
        async |role: &str| assign(&app, here.admin, "admin.632223", here.town, role, None).await.code();
    assert_eq!(rise("COMMITTEE").await.as_deref(), Some("FORBIDDEN"));
    seat::end(&app.system(), seat_of(&app, here.committee, here.town).await).await.expect("ended");
    assert_eq!(rise("COMMITTEE").await, None);
    assert_eq!(rise("OBSERVER").await.as_deref(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn the_committee_is_never_its_own_check() {
    let (app, here, there) = towns().await;
    let unit = here.members.get(5).copied();
    for (who, role) in [
        ("committee.632223", "VERIFIER"),
        ("committee.632223", "APPROVER"),
        ("approver.632223", "COMMITTEE"),
        ("verifier.632223", "COMMITTEE"),
    ] {
        let answer = assign(&app, here.admin, who, here.town, role, unit).await;
        assert_eq!(answer.code().as_deref(), Some("ROLE_CONFLICT"), "{who} {role}");
        assert_eq!(answer.at("/assignRole/userErrors/0/field"), "input.role");
    }
    // Not while it is suspended either, but after its end.
    app.sql("UPDATE seat SET state = 'suspended' WHERE role = 'verifier'").await.expect("suspended");
    let answer = assign(&app, here.admin, "verifier.632223", here.town, "COMMITTEE", None).await;
    assert_eq!(answer.code().as_deref(), Some("ROLE_CONFLICT"));
    app.sql("UPDATE seat SET state = 'ended' WHERE role = 'verifier'").await.expect("ended");
    assign(&app, here.admin, "verifier.632223", here.town, "COMMITTEE", None).await.fine();
    // Elsewhere it checks others.
    assign(&app, here.admin, "committee.632223", there.town, "APPROVER", None).await.fine();
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_exclude_each_other_are_not_given_at_once() {
    let (app, here, _) = towns().await;
    let done = futures_util::future::join(
        grant(&app, here.stranger, here.town, Role::Committee, None),
        grant(&app, here.stranger, here.town, Role::Approver, None),
    )
    .await;
    assert_eq!([done.0.is_ok(), done.1.is_ok()].iter().filter(|given| **given).count(), 1);
    let given = event::Entity::find()
        .filter(event::Column::Kind.eq(Event::SeatGranted.text()))
        .filter(event::Column::AllianceId.eq(here.town))
        .count(&app.app.read)
        .await;
    assert_eq!(given.expect("a count"), 10, "nine of the town and one more");
}

#[test]
fn whoever_checks_the_committee_is_excluded_from_it() {
    use concord::domain::Action as A;
    for role in ROLES {
        let checks = [A::VerifyProblem, A::StrikeOffProblem, A::ApproveRotationPlan]
            .iter()
            .any(|action| power(role, *action) != Grant::Never);
        assert_eq!(excludes(Role::Committee, role), checks, "{role:?}");
        for other in ROLES {
            assert_eq!(excludes(role, other), excludes(other, role), "{role:?} {other:?}");
        }
        assert!(!excludes(role, role));
    }
}

#[tokio::test]
async fn nobody_is_seated_for_a_region_outside_the_territory() {
    let (app, here, there) = towns().await;
    let invite = "mutation($input: InviteAccountInput!) { inviteAccount(input: $input) { userErrors { code field } } }";
    for (region, refused) in
        [(there.town_region, true), (here.county_region, true), (here.town_region, false)]
    {
        let input = json!({ "person": { "username": "staff.632223" }, "allianceId": id::encode(here.town),
            "role": "GRID_OFFICER", "regionId": id::encode(region) });
        let seated = app.client(here.committee).send(ASSIGN, json!({ "input": input })).await;
        let name = format!(
            "grid.{}",
            id::encode(region).to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect::<String>()
        );
        let input = json!({ "username": name, "displayName": "网格员", "allianceId": id::encode(here.town),
            "role": "GRID_OFFICER", "regionId": id::encode(region) });
        let invited = app.client(here.committee).send(invite, json!({ "input": input })).await;
        for answer in [seated, invited] {
            let code = refused.then_some("OUTSIDE_TERRITORY");
            assert_eq!(answer.code().as_deref(), code, "{answer:?}");
        }
    }
}
