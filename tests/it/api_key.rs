//! Dashboards' keys: shown once, scoped, lapsing, revoked at once, reading only.

use chrono::TimeDelta;
use concord::{
    domain::{
        Error,
        identity::seat::{self, NewSeat},
    },
    graphql::id,
};
use concord_entities::{api_key, id::AllianceId, seat::Role};
use concord_tests::{Answer, Client, TestApp, World};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

const CREATE: &str = "mutation($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
        apiKey { id name prefix alliances { id } expiresAt lastUsedAt createdBy { id } }
        secret userErrors { code field }
    }
}";

const REVOKE: &str = "mutation($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) { apiKey { id revokedAt } userErrors { code } }
}";

const LIST: &str = "query($id: ID!) { apiKeys(allianceId: $id) {
    totalCount nodes { id name prefix lastUsedAt revokedAt alliances { id } } } }";

fn input(alliances: &[AllianceId]) -> Value {
    let alliances: Vec<_> = alliances.iter().map(|alliance| id::encode(*alliance)).collect();
    json!({ "input": { "name": "大屏", "allianceIds": alliances, "expiresAt": "2026-06-30T00:00:00Z" } })
}

async fn make(client: &Client<'_>, alliances: &[AllianceId]) -> (Value, String) {
    let made: Answer = client.send(CREATE, input(alliances)).await.fine();
    (made.at("/createApiKey/apiKey/id").clone(), made.text("/createApiKey/secret"))
}

fn unauthenticated(found: Result<Client<'_>, Error>) -> bool {
    matches!(found.err(), Some(Error::Unauthenticated))
}

#[tokio::test]
async fn a_key_reads_its_alliance_and_nothing_else() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let (key, secret) = make(&app.client(here.committee), &[here.town]).await;
    let reader = app.bearer(&secret).await.expect("the key is good");
    let seen = reader
        .run("{ alliances { nodes { name } } me { id } viewer { ... on ApiKey { id alliances { id } } } }");
    let seen = seen.await;
    assert_eq!(seen.at("/alliances/nodes").as_array().expect("nodes").len(), 1);
    assert!(seen.at("/me").is_null());
    assert_eq!(seen.at("/viewer/id"), &key);
    assert_eq!(seen.at("/viewer/alliances/0/id"), id::encode(here.town).as_str());
    for hidden in [there.town, here.county] {
        let ask = json!({ "id": id::encode(hidden) });
        assert!(reader.send("query($id: ID!) { node(id: $id) { id } }", ask).await.at("/node").is_null());
    }
    // Neither people nor keys are for keys.
    let ask = json!({ "id": id::encode(here.town) });
    assert_eq!(reader.send(LIST, ask.clone()).await.at("/apiKeys/totalCount"), 0);
    let people = reader.send("query($id: ID!) { accounts(allianceId: $id) { totalCount } }", ask).await;
    assert_eq!(people.at("/accounts/totalCount"), 0);
}

#[tokio::test]
async fn a_key_changes_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (key, secret) = make(&app.client(world.committee), &[world.town]).await;
    let reader = app.bearer(&secret).await.expect("good");
    let update = "mutation($input: UpdateAllianceInput!) {
        updateAlliance(input: $input) { userErrors { code } } }";
    let change =
        json!({ "input": { "allianceId": id::encode(world.town), "expectedVersion": 1, "name": "x" } });
    assert_eq!(reader.send(update, change).await.code().as_deref(), Some("FORBIDDEN"));
    assert_eq!(reader.send(CREATE, input(&[world.town])).await.code().as_deref(), Some("FORBIDDEN"));
    let revoke = json!({ "input": { "apiKeyId": key } });
    assert_eq!(reader.send(REVOKE, revoke).await.code().as_deref(), Some("FORBIDDEN"));
    let out = reader.run("mutation { signOut(input: { everywhere: true }) { userErrors { code } } }").await;
    assert_eq!(out.code().as_deref(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn keys_lapse_and_revoked_ones_are_refused_at_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let ((first, one), (_, two)) =
        (make(&committee, &[world.town]).await, make(&committee, &[world.town]).await);
    let reader = app.bearer(&one).await.expect("good");
    let revoke = json!({ "input": { "apiKeyId": first } });
    let done = committee.send(REVOKE, revoke.clone()).await.fine();
    assert_eq!(done.text("/revokeApiKey/apiKey/revokedAt"), "2026-01-05T01:00:00Z");
    assert!(unauthenticated(app.bearer(&one).await));
    // Also a request or a subscription that was let in before reads nothing more.
    assert_eq!(reader.run("{ alliances { totalCount } }").await.at("/alliances/totalCount"), 0);
    assert_eq!(committee.send(REVOKE, revoke).await.code().as_deref(), Some("STATE_REFUSED"));
    assert!(app.bearer(&two).await.is_ok());
    app.advance(TimeDelta::days(176));
    assert!(unauthenticated(app.bearer(&two).await));
}

#[tokio::test]
async fn a_known_prefix_opens_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let ((_, one), (_, two)) = (make(&committee, &[world.town]).await, make(&committee, &[world.town]).await);
    assert!(one.starts_with("cnc_key_"));
    let mixed = format!("{}{}", &one[..17], &two[17..]);
    for text in [mixed.as_str(), &one[..one.len() - 1], &one.to_lowercase(), "cnc_key_abcdefgh_", &one[..17]]
    {
        assert!(unauthenticated(app.bearer(text).await), "{text}");
    }
    let rows = api_key::Entity::find().all(&app.app.read).await.expect("a read");
    assert!(rows.iter().all(|row| row.hash.len() == 32 && one != row.prefix && row.prefix.len() == 8));
}

#[tokio::test]
async fn only_committees_make_keys_for_their_own_alliances() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    for who in [world.approver, world.manager, world.staff, world.observer, world.county_committee] {
        let answer = app.client(who).send(CREATE, input(&[world.town])).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    for who in [world.stranger, there.committee] {
        let answer = app.client(who).send(CREATE, input(&[world.town])).await;
        assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    }
    let committee = app.client(world.committee);
    assert_eq!(
        committee.send(CREATE, input(&[world.town, there.town])).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    assert_eq!(committee.send(CREATE, input(&[])).await.code().as_deref(), Some("REQUIRED"));
    for (field, value, code) in [
        ("name", json!(" "), "REQUIRED"),
        ("name", json!("长".repeat(129)), "TOO_LONG"),
        ("expiresAt", json!("2026-01-05T01:00:00Z"), "OUT_OF_RANGE"),
        ("expiresAt", json!("2027-01-06T01:00:01Z"), "OUT_OF_RANGE"),
    ] {
        let mut bad = input(&[world.town]);
        bad["input"][field] = value;
        let answer = committee.send(CREATE, bad).await;
        assert_eq!(answer.code().as_deref(), Some(code));
        assert_eq!(
            answer.at("/createApiKey/userErrors/0/field").as_str(),
            Some(format!("input.{field}").as_str())
        );
    }
    let keyed = committee.keyed("k", 1).send(CREATE, input(&[world.town])).await;
    assert_eq!(keyed.code().as_deref(), Some("IDEMPOTENCY_KEY_REFUSED"));
    make(&app.client(world.admin), &[world.town, there.town]).await;
}

#[tokio::test]
async fn a_key_of_two_alliances_is_seen_and_ended_by_either_committee() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let new = NewSeat {
        account_id: here.committee,
        alliance_id: there.town,
        role: Role::Committee,
        organization_id: None,
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let (key, secret) = make(&app.client(here.committee), &[here.town, there.town, here.town]).await;
    let seen = app.bearer(&secret).await.expect("good").run("{ alliances { totalCount } }").await;
    assert_eq!(seen.at("/alliances/totalCount"), 2);
    let list = app.client(there.committee).send(LIST, json!({ "id": id::encode(there.town) })).await;
    assert_eq!(list.at("/apiKeys/totalCount"), 1);
    // The alliance beyond the wall is not named.
    assert_eq!(list.at("/apiKeys/nodes/0/alliances").as_array().expect("alliances").len(), 1);
    let foreign = app.client(there.committee).send(LIST, json!({ "id": id::encode(here.town) })).await;
    assert_eq!(foreign.at("/apiKeys/totalCount"), 0);
    app.client(there.committee).send(REVOKE, json!({ "input": { "apiKeyId": key } })).await.fine();
    assert!(unauthenticated(app.bearer(&secret).await));
    app.run_background().await;
}

#[tokio::test]
async fn the_last_use_is_written_down_in_the_background() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.client(world.committee);
    let (_, secret) = make(&committee, &[world.town]).await;
    let last = async || {
        let answer = committee.send(LIST, json!({ "id": id::encode(world.town) })).await;
        answer.at("/apiKeys/nodes/0/lastUsedAt").clone()
    };
    let (found, statements) = app.statements(async || app.bearer(&secret).await.is_ok()).await;
    assert!(found);
    assert_eq!(statements.len(), 1, "one statement finds the key, none writes: {statements:?}");
    assert!(last().await.is_null());
    app.run_background().await;
    assert_eq!(last().await, "2026-01-05T01:00:00Z");
    // Within a minute it is not written again.
    app.advance(TimeDelta::seconds(59));
    app.bearer(&secret).await.expect("good");
    app.run_background().await;
    assert_eq!(last().await, "2026-01-05T01:00:00Z");
    app.advance(TimeDelta::seconds(1));
    app.bearer(&secret).await.expect("good");
    app.run_background().await;
    assert_eq!(last().await, "2026-01-05T01:01:00Z");
}
