//! Accounts: invited, let in by a link that is good once, disabled at once, listed for those who look after them.

use chrono::{NaiveDate, TimeDelta};
use concord::{
    domain::{Error, identity::session, list},
    graphql::id,
};
use concord_entities::{
    id::{AccountId, OrganizationId},
    problem::{Channel, Severity, Tier},
};
use concord_tests::{Answer, Client, TestApp, World};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

const INVITE: &str = "mutation($input: InviteAccountInput!) {
    inviteAccount(input: $input) {
        account { id username displayName phone state seats { id role organization { id } } version }
        link { token purpose expiresAt }
        userErrors { code field message }
    }
}";

const REDEEM: &str = "mutation($input: RedeemAccountLinkInput!) {
    redeemAccountLink(input: $input) { username userErrors { code field } }
}";

const RESET: &str = "mutation($input: ResetPasswordInput!) {
    resetPassword(input: $input) { account { id } link { token purpose } userErrors { code } }
}";

const DISABLE: &str = "mutation($input: DisableAccountInput!) {
    disableAccount(input: $input) { account { id state disabledAt version } userErrors { code field } }
}";

const ENABLE: &str = "mutation($input: EnableAccountInput!) {
    enableAccount(input: $input) { account { state disabledAt } userErrors { code } }
}";

const LIST: &str =
    "query($id: ID!, $filter: AccountFilter, $order: AccountOrder, $first: Int, $after: String) {
    accounts(allianceId: $id, filter: $filter, orderBy: $order, first: $first, after: $after) {
        nodes { id username displayName phone state seats { role alliance { name } } }
        totalCount pageInfo { hasNextPage endCursor }
    }
}";

async fn town() -> (TestApp, World) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    (app, world)
}

fn invitation(world: &World, username: &str, role: &str, organization: Option<OrganizationId>) -> Value {
    json!({ "input": {
        "allianceId": id::encode(world.town), "username": username, "displayName": "张三丰",
        "phone": "13912345678", "role": role, "organizationId": organization.map(id::encode),
    } })
}

async fn redeem(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().send(REDEEM, json!({ "input": { "token": token, "password": password } })).await
}

async fn reset(client: &Client<'_>, account: AccountId) -> Answer {
    client.send(RESET, json!({ "input": { "accountId": id::encode(account) } })).await
}

async fn disable(client: &Client<'_>, account: AccountId, version: Option<i64>) -> Answer {
    let input = json!({ "input": { "accountId": id::encode(account), "expectedVersion": version } });
    client.send(DISABLE, input).await
}

#[tokio::test]
async fn the_committee_invites_a_person_who_sets_a_password_once() {
    let (app, world) = town().await;
    let input = invitation(&world, "Zhang.San", "MEMBER_STAFF", Some(world.members[3]));
    let invited = app.client(world.committee).send(INVITE, input).await.fine();
    assert_eq!(invited.text("/inviteAccount/account/username"), "zhang.san");
    assert_eq!(invited.text("/inviteAccount/account/state"), "INVITED");
    assert_eq!(invited.text("/inviteAccount/account/seats/0/role"), "MEMBER_STAFF");
    assert_eq!(invited.text("/inviteAccount/link/purpose"), "INVITATION");
    assert_eq!(invited.text("/inviteAccount/link/expiresAt"), "2026-01-08T01:00:00Z");
    let token = invited.text("/inviteAccount/link/token");
    // A weak password does not use the link up.
    assert_eq!(redeem(&app, &token, "short").await.code().as_deref(), Some("TOO_SHORT"));
    assert_eq!(redeem(&app, &token, PASSWORD).await.fine().text("/redeemAccountLink/username"), "zhang.san");
    assert_eq!(redeem(&app, &token, PASSWORD).await.code().as_deref(), Some("LINK_INVALID"));
    let tokens = app.sign_in("zhang.san", PASSWORD).await;
    let mine =
        app.bearer(&tokens.access_token).await.expect("good").run("{ alliances { totalCount } }").await;
    assert_eq!(mine.at("/alliances/totalCount"), 1);
    app.run_background().await;
}

#[tokio::test]
async fn links_lapse_are_replaced_and_cannot_be_guessed() {
    let (app, world) = town().await;
    let input = invitation(&world, "zhang", "MEMBER_STAFF", Some(world.members[3]));
    let invited = app.client(world.committee).send(INVITE, input).await.fine();
    let account = id::decode(&invited.text("/inviteAccount/account/id").into(), "id").expect("an id");
    let first = invited.text("/inviteAccount/link/token");
    let again = reset(&app.client(world.committee), account).await.fine();
    assert_eq!(again.text("/resetPassword/link/purpose"), "INVITATION");
    let second = again.text("/resetPassword/link/token");
    for token in [first.as_str(), "", "cnc_inv_", &second.to_lowercase(), &second.replace("inv", "rt")] {
        assert_eq!(redeem(&app, token, PASSWORD).await.code().as_deref(), Some("LINK_INVALID"), "{token}");
    }
    app.advance(TimeDelta::hours(72));
    assert_eq!(redeem(&app, &second, PASSWORD).await.code().as_deref(), Some("LINK_INVALID"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_link_redeemed_many_times_at_once_works_once() {
    let (app, world) = town().await;
    let input = invitation(&world, "zhang", "MEMBER_STAFF", Some(world.members[3]));
    let invited = app.client(world.committee).send(INVITE, input).await.fine();
    let token = invited.text("/inviteAccount/link/token");
    let passwords: Vec<String> = (0..16).map(|number| format!("correct horse {number}")).collect();
    let all = passwords.iter().map(|password| redeem(&app, &token, password));
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.code().is_none()).count(), 1);
}

#[tokio::test]
async fn a_reset_link_ends_the_sessions_and_sets_a_new_password() {
    let (app, world) = town().await;
    app.give_password(world.staff, PASSWORD).await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let link = reset(&app.client(world.manager), world.staff).await.fine();
    assert_eq!(link.text("/resetPassword/link/purpose"), "RESET");
    // Until it is used, nothing changes.
    assert!(app.bearer(&tokens.access_token).await.is_ok());
    redeem(&app, &link.text("/resetPassword/link/token"), "another horse").await.fine();
    assert!(matches!(app.bearer(&tokens.access_token).await.err(), Some(Error::Unauthenticated)));
    assert!(session::sign_in(&app.anonymous().ctx, "staff.632223", PASSWORD).await.is_err());
    app.sign_in("staff.632223", "another horse").await;
}

#[tokio::test]
async fn a_reset_link_also_opens_a_locked_account() {
    let (app, world) = town().await;
    app.give_password(world.staff, PASSWORD).await;
    for _ in 0..9 {
        assert!(session::sign_in(&app.anonymous().ctx, "staff.632223", "wrong").await.is_err());
    }
    assert!(session::sign_in(&app.anonymous().ctx, "staff.632223", PASSWORD).await.is_err());
    app.give_password(world.staff, "another horse").await;
    app.sign_in("staff.632223", "another horse").await;
}

#[tokio::test]
async fn bad_invitations_are_refused_and_change_nothing() {
    let (app, world) = town().await;
    let committee = app.client(world.committee);
    let with = |change: Value| {
        let mut input = invitation(&world, "zhang", "MEMBER_STAFF", Some(world.members[3]));
        for (key, value) in change.as_object().expect("an object") {
            input["input"][key] = value.clone();
        }
        input
    };
    for (change, code, field) in [
        (json!({ "username": "  " }), "REQUIRED", "input.username"),
        (json!({ "username": "a b" }), "MALFORMED", "input.username"),
        (json!({ "username": "a".repeat(65) }), "TOO_LONG", "input.username"),
        (json!({ "username": "STAFF.632223" }), "ALREADY_EXISTS", "input.username"),
        (json!({ "displayName": "" }), "REQUIRED", "input.displayName"),
        (json!({ "phone": "1".repeat(33) }), "TOO_LONG", "input.phone"),
        (json!({ "organizationId": null }), "REQUIRED", "input.organizationId"),
        (json!({ "organizationId": "!" }), "ID_MALFORMED", "input.organizationId"),
        (json!({ "role": "GRID_OFFICER", "organizationId": null }), "REQUIRED", "input.regionId"),
    ] {
        let answer = committee.send(INVITE, with(change.clone())).await;
        let error = answer.at("/inviteAccount/userErrors/0").clone();
        assert_eq!((error["code"].as_str(), error["field"].as_str()), (Some(code), Some(field)), "{change}");
    }
    let keyed = committee.keyed("k", 1).send(INVITE, with(json!({}))).await;
    assert_eq!(keyed.code().as_deref(), Some("IDEMPOTENCY_KEY_REFUSED"));
    committee.send(INVITE, with(json!({}))).await.fine();
}

#[tokio::test]
async fn an_invitation_tells_that_a_sign_in_name_is_taken_and_nothing_else() {
    let (app, world) = town().await;
    let there = World::build(&app, "632224").await;
    disable(&app.client(there.admin), there.staff, None).await.fine();
    let waits = invitation(&there, "waits.632224", "MEMBER_STAFF", Some(there.members[3]));
    app.client(there.committee).send(INVITE, waits).await.fine();
    let committee = app.client(world.committee);
    let ask = |name: &str| invitation(&world, name, "MEMBER_STAFF", Some(world.members[3]));
    let own = committee.send(INVITE, ask("staff.632223")).await;
    assert_eq!(own.code().as_deref(), Some("ALREADY_EXISTS"));
    for taken in ["staff.632224", "waits.632224", "committee.632224", "stranger.632224", "admin.632224"] {
        assert_eq!(committee.send(INVITE, ask(taken)).await, own, "{taken}");
        // Whatever else is wrong is told first, so that nobody asks for names without making an account.
        for (field, value) in
            [("displayName", json!("")), ("phone", json!("1".repeat(33))), ("organizationId", Value::Null)]
        {
            let [bad, free] = [taken, "nobody"].map(|name| {
                let mut input = ask(name);
                input["input"][field] = value.clone();
                input
            });
            let bad = committee.send(INVITE, bad).await;
            assert_ne!(bad.code().as_deref(), Some("ALREADY_EXISTS"));
            assert_eq!(bad, committee.send(INVITE, free).await, "{taken} {field}");
        }
    }
}

#[tokio::test]
async fn disabling_ends_all_access_at_once_and_enabling_gives_it_back() {
    let (app, world) = town().await;
    app.give_password(world.staff, PASSWORD).await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let link = reset(&app.client(world.manager), world.staff).await.fine().text("/resetPassword/link/token");
    let committee = app.client(world.committee);
    let standing = app.client(world.staff);
    assert_eq!(disable(&committee, world.staff, Some(1)).await.code().as_deref(), Some("VERSION_CONFLICT"));
    let done = disable(&committee, world.staff, Some(2)).await.fine();
    assert_eq!(done.text("/disableAccount/account/state"), "DISABLED");
    assert_eq!(done.text("/disableAccount/account/disabledAt"), "2026-01-05T01:00:00Z");
    // The token, the refresh token, the link and a request that was already let in: none works.
    assert!(matches!(app.bearer(&tokens.access_token).await.err(), Some(Error::Unauthenticated)));
    assert!(session::refresh(&app.anonymous().ctx, &tokens.refresh_token).await.is_err());
    assert_eq!(redeem(&app, &link, "another horse").await.code().as_deref(), Some("LINK_INVALID"));
    assert_eq!(standing.run("{ alliances { totalCount } }").await.at("/alliances/totalCount"), 0);
    assert_eq!(disable(&committee, world.staff, None).await.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(reset(&committee, world.staff).await.code().as_deref(), Some("STATE_REFUSED"));
    let enable = json!({ "input": { "accountId": id::encode(world.staff) } });
    let back = committee.send(ENABLE, enable.clone()).await.fine();
    assert_eq!(back.text("/enableAccount/account/state"), "ACTIVE");
    assert!(back.at("/enableAccount/account/disabledAt").is_null());
    // The old session stays ended; the password and the role are there again.
    assert!(app.bearer(&tokens.access_token).await.is_err());
    app.sign_in("staff.632223", PASSWORD).await;
    assert_eq!(standing.run("{ alliances { totalCount } }").await.at("/alliances/totalCount"), 1);
    assert_eq!(committee.send(ENABLE, enable).await.code().as_deref(), Some("STATE_REFUSED"));
    app.run_background().await;
}

#[tokio::test]
async fn an_invited_person_who_was_disabled_waits_for_the_invitation_again() {
    let (app, world) = town().await;
    let committee = app.client(world.committee);
    let input = invitation(&world, "zhang", "MEMBER_STAFF", Some(world.members[3]));
    let invited = committee.send(INVITE, input).await.fine();
    let account: AccountId =
        id::decode(&invited.text("/inviteAccount/account/id").into(), "id").expect("an id");
    disable(&committee, account, None).await.fine();
    let enable = json!({ "input": { "accountId": id::encode(account) } });
    let back = committee.send(ENABLE, enable).await.fine();
    assert_eq!(back.text("/enableAccount/account/state"), "INVITED");
    let token = invited.text("/inviteAccount/link/token");
    assert_eq!(redeem(&app, &token, PASSWORD).await.code().as_deref(), Some("LINK_INVALID"));
    let link = reset(&committee, account).await.fine().text("/resetPassword/link/token");
    redeem(&app, &link, PASSWORD).await.fine();
}

#[tokio::test]
async fn a_replayed_disabling_answers_with_the_account_again() {
    let (app, world) = town().await;
    let client = app.client(world.committee);
    let keyed = client.keyed("k", 1);
    let first = disable(&keyed, world.staff, None).await.fine();
    assert_eq!(disable(&keyed, world.staff, None).await, first);
}

#[tokio::test]
async fn people_are_listed_for_those_who_look_after_them() {
    let (app, world) = town().await;
    let there = World::build(&app, "632224").await;
    let ask = json!({ "id": id::encode(world.town) });
    let names = |answer: &Answer| -> Vec<String> {
        let nodes = answer.at("/accounts/nodes").as_array().expect("nodes").clone();
        nodes.iter().map(|node| node["username"].as_str().expect("in clear").to_owned()).collect()
    };
    let all = app.client(world.committee).send(LIST, ask.clone()).await;
    assert_eq!(all.at("/accounts/totalCount"), 9);
    assert_eq!(names(&all).first().map(String::as_str), Some("approver.632223"));
    assert_eq!(all.text("/accounts/nodes/0/seats/0/alliance/name"), "西海镇联盟");
    let own = app.client(world.manager).send(LIST, ask.clone()).await;
    assert_eq!(names(&own), ["manager.632223", "staff.632223"]);
    for stranger in [world.staff, world.approver, world.verifier, world.observer, world.officer] {
        assert_eq!(app.client(stranger).send(LIST, ask.clone()).await.at("/accounts/totalCount"), 0);
    }
    for foreign in [there.committee, world.county_committee, world.stranger] {
        assert_eq!(app.client(foreign).send(LIST, ask.clone()).await.at("/accounts/totalCount"), 0);
    }
    assert_eq!(app.client(world.admin).send(LIST, ask.clone()).await.at("/accounts/totalCount"), 9);
    assert_eq!(app.anonymous().send(LIST, ask).await.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn the_list_is_narrowed_ordered_and_paged() {
    let (app, world) = town().await;
    let client = app.client(world.committee);
    let ask = |more: Value| {
        let mut variables = json!({ "id": id::encode(world.town) });
        for (key, value) in more.as_object().expect("an object") {
            variables[key] = value.clone();
        }
        client.send(LIST, variables)
    };
    let count =
        async |filter: Value| ask(json!({ "filter": filter })).await.at("/accounts/totalCount").clone();
    assert_eq!(count(json!({ "role": "MEMBER_STAFF" })).await, 2);
    assert_eq!(count(json!({ "organizationId": id::encode(world.members[1]) })).await, 2);
    assert_eq!(count(json!({ "state": "DISABLED" })).await, 0);
    disable(&client, world.staff, None).await.fine();
    assert_eq!(count(json!({ "state": "DISABLED", "role": "MEMBER_STAFF" })).await, 1);
    let first = ask(json!({ "first": 5, "order": "CREATED_AT_DESC" })).await;
    assert_eq!(first.at("/accounts/pageInfo/hasNextPage"), true);
    let after = first.text("/accounts/pageInfo/endCursor");
    let rest = ask(json!({ "first": 5, "order": "CREATED_AT_DESC", "after": after })).await;
    assert_eq!(rest.at("/accounts/nodes").as_array().expect("nodes").len(), 4);
    assert_eq!(ask(json!({ "first": 101 })).await.code().as_deref(), Some("PAGE_INVALID"));
    assert_eq!(ask(json!({ "after": "x" })).await.code().as_deref(), Some("CURSOR_MALFORMED"));
    // Another list's order does not fit the cursor.
    assert_eq!(ask(json!({ "after": after })).await.code().as_deref(), Some("CURSOR_MALFORMED"));
}

#[tokio::test]
async fn a_list_of_people_costs_as_many_statements_for_nine_as_for_one() {
    let (app, world) = town().await;
    let client = app.client(world.committee);
    let mut counts = Vec::new();
    for first in [1, 9] {
        let variables = json!({ "id": id::encode(world.town), "first": first });
        let (answer, statements) = app.statements(async || client.send(LIST, variables).await).await;
        answer.fine();
        counts.push(statements.len());
    }
    // The page, its count, names in clear, seats, alliances.
    assert_eq!(counts, [5, 5]);
}

#[tokio::test]
async fn names_and_numbers_are_masked_outside_the_own_organisation() {
    let (app, world) = town().await;
    let ids = [world.manager, world.staff, world.other_staff, world.committee];
    let clear = async |who| {
        let ctx = app.ctx(who);
        let seen = concord::domain::identity::account::in_clear(&ctx, &ids).await.expect("a read");
        ids.map(|id| seen.contains(&id))
    };
    assert_eq!(clear(world.staff).await, [true, true, false, false]);
    assert_eq!(clear(world.committee).await, [true; 4]);
    assert_eq!(clear(world.verifier).await, [false; 4]);
    assert_eq!(clear(world.county_committee).await, [false; 4]);
    assert_eq!(clear(world.stranger).await, [false; 4]);
}

/// Registers a problem that `handler` of the first member takes on, and gives its number.
async fn handled(app: &TestApp, world: &World, handler: AccountId) -> String {
    use list::problem::{self, moves};
    let committee = app.ctx(world.committee);
    let new = problem::NewProblem {
        alliance_id: world.town,
        title: "路灯不亮".to_owned(),
        description: "第1社区东门".to_owned(),
        category: "市政".to_owned(),
        place: None,
        region_id: None,
        channel: Channel::Patrol,
        reporter_name: None,
        reporter_phone: None,
        severity: Severity::Ordinary,
        occurred_at: None,
        evidence: Vec::new(),
    };
    let row = problem::register(&committee, new).await.expect("a problem");
    let which = moves::Which { id: row.id, expected_version: None };
    let triage = moves::Triage {
        tier: Tier::Small,
        measures: "换灯".to_owned(),
        criterion: "灯亮".to_owned(),
        is_complex: false,
    };
    moves::triage(&committee, which, triage).await.expect("triaged");
    moves::assign(&committee, which, world.members[1], None).await.expect("assigned");
    moves::accept(&app.ctx(handler), which).await.expect("accepted").number
}

#[tokio::test]
async fn what_a_leaver_leaves_open_is_listed_for_reassignment() {
    let (app, world) = town().await;
    let list = list::task_list::create(
        &app.ctx(world.committee),
        list::task_list::NewTaskList {
            alliance_id: world.town,
            month_on: NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day"),
            title: "一月清单".to_owned(),
        },
    )
    .await
    .expect("a list");
    for (title, unit) in [("清雪", world.members[1]), ("除草", world.members[2])] {
        let new = list::priority_task::NewPriorityTask {
            task_list_id: list.id,
            title: title.to_owned(),
            content: title.to_owned(),
            criterion: None,
            source: None,
            lead_organization_id: unit,
            co_organization_ids: Vec::new(),
            region_id: None,
            starts_on: None,
            due_on: NaiveDate::from_ymd_opt(2026, 1, 20).expect("a day"),
            responsible_name: None,
            milestones: Vec::new(),
        };
        list::priority_task::create(&app.ctx(world.committee), new).await.expect("a task");
    }
    list::task_list::publish(&app.ctx(world.committee), list.id, None).await.expect("published");
    let (mine, _) = (handled(&app, &world, world.staff).await, handled(&app, &world, world.manager).await);
    let query = "query($id: ID!) { openWork(accountId: $id) {
        problemCount problems { number } taskCount tasks { id title dueOn alliance { name } } } }";
    let ask = json!({ "id": id::encode(world.staff) });
    disable(&app.client(world.committee), world.staff, None).await.fine();
    for who in [world.committee, world.manager, world.admin] {
        let answer = app.client(who).send(query, ask.clone()).await;
        assert_eq!(answer.at("/openWork/taskCount"), 1);
        assert_eq!(answer.text("/openWork/tasks/0/title"), "清雪");
        assert_eq!(answer.text("/openWork/tasks/0/dueOn"), "2026-01-20");
        assert_eq!(answer.at("/openWork/problemCount"), 1);
        assert_eq!(answer.text("/openWork/problems/0/number"), mine);
    }
    for who in [world.other_staff, world.stranger, world.county_committee] {
        assert_eq!(app.client(who).send(query, ask.clone()).await.code().as_deref(), Some("NOT_FOUND"));
    }
}
