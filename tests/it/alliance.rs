//! Alliances: founded by administrators, seen by their people and by the level above, changed by their committee.

use concord::graphql::id;
use concord_tests::{TestApp, World};
use serde_json::json;

const UPDATE: &str = "mutation($input: UpdateAllianceInput!) {
    updateAlliance(input: $input) { alliance { name version } userErrors { code field message } }
}";

#[tokio::test]
async fn only_the_committee_changes_its_alliance() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let input = json!({ "input": { "allianceId": id::encode(world.town), "expectedVersion": 1, "name": "西海大联盟" } });
    assert_eq!(app.anonymous().send(UPDATE, input.clone()).await.code().as_deref(), Some("NOT_FOUND"));
    assert_eq!(
        app.client(world.stranger).send(UPDATE, input.clone()).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    assert_eq!(
        app.client(world.staff).send(UPDATE, input.clone()).await.code().as_deref(),
        Some("FORBIDDEN")
    );
    let answer = app.client(world.committee).send(UPDATE, input.clone()).await.fine();
    assert_eq!(answer.at("/updateAlliance/alliance/version"), 2);
    // The version it was read at is gone.
    let stale = app.client(world.committee).send(UPDATE, input).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));
    app.run_background().await;
}

#[tokio::test]
async fn a_supervising_level_sees_its_towns_and_a_neighbour_does_not() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let query = "query($id: ID!) { alliance(id: $id) { name parent { name } } node(id: $id) { id } }";
    let ask = json!({ "id": id::encode(here.town) });
    let seen = app.client(here.county_committee).send(query, ask.clone()).await;
    assert_eq!(seen.text("/alliance/parent/name"), "海晏县联盟");
    for outsider in [there.committee, there.county_committee, here.stranger] {
        let unseen = app.client(outsider).send(query, ask.clone()).await;
        assert!(unseen.at("/alliance").is_null() && unseen.at("/node").is_null());
    }
}

#[tokio::test]
async fn an_idempotency_key_has_one_effect() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let client = app.client(world.committee);
    let input =
        json!({ "input": { "allianceId": id::encode(world.town), "expectedVersion": 1, "name": "一" } });
    client.keyed("k", 1).send(UPDATE, input.clone()).await.fine();
    let again = client.keyed("k", 1).send(UPDATE, input.clone()).await.fine();
    assert_eq!(again.at("/updateAlliance/alliance/version"), 2);
    assert_eq!(
        client.keyed("k", 2).send(UPDATE, input).await.code().as_deref(),
        Some("IDEMPOTENCY_KEY_REUSED")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_fifty_times_in_parallel_has_one_effect() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let input =
        json!({ "input": { "allianceId": id::encode(world.town), "expectedVersion": 1, "name": "一" } });
    let sent = (0..50).map(|_| {
        let client = app.client(world.committee).keyed("same", 1);
        let input = input.clone();
        async move { client.send(UPDATE, input).await.fine() }
    });
    for answer in futures_util::future::join_all(sent).await {
        assert_eq!(answer.at("/updateAlliance/alliance/version"), 2);
    }
    let events =
        app.sql("UPDATE event SET payload = NULL, salt = NULL WHERE kind = 'alliance_updated'").await;
    assert_eq!(events.ok(), Some(1), "one update left one event");
}
