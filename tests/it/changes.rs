//! Changes by position, as a query and as a live tail: nothing missing, nothing twice, nothing foreign.

use std::collections::BTreeSet;

use concord::{
    domain::{
        Ctx,
        event::digest,
        governance::alliance::{self, AllianceChange},
        identity::seat::{self, NewSeat},
    },
    graphql::id,
};
use concord_entities::{
    account, event,
    id::{AccountId, AllianceId, EventId, OrganizationId},
    seat as seats,
};
use concord_tests::{TestApp, World};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

const CHANGES: &str = "query($after: Int, $alliance: ID, $organization: ID, $first: Int) {
    changes(after: $after, allianceId: $alliance, organizationId: $organization, first: $first) {
        position hasMore events { position kind alliance { id } actorName organizationIds organizations { name } details { name value } } } }";

const TAIL: &str = "subscription($after: Int, $alliance: ID, $organization: ID) {
    changes(after: $after, allianceId: $alliance, organizationId: $organization) { position kind actorName } }";

/// Writes an event of a kind whose verb is not at hand, as `record` would.
pub async fn write_event(
    app: &TestApp,
    alliance: AllianceId,
    kind: &str,
    subject: (&str, Uuid),
    organizations: &[OrganizationId],
    actor: Option<AccountId>,
) -> EventId {
    let ctx = app.system();
    let id = ctx.new_id();
    let row = event::ActiveModel {
        id: Set(id),
        alliance_id: Set(Some(alliance)),
        kind: Set(kind.to_owned()),
        actor_kind: Set(if actor.is_some() { event::ActorKind::Account } else { event::ActorKind::System }),
        actor_id: Set(actor),
        subject_kind: Set(subject.0.to_owned()),
        subject_id: Set(subject.1),
        organization_ids: Set(serde_json::to_string(organizations).expect("a list")),
        occurred_at: Set(ctx.now()),
        digest: Set(digest(&[0; 16], "{}")),
        salt: Set(Some(vec![0; 16])),
        payload: Set(Some("{}".to_owned())),
    };
    row.insert(&app.app.write).await.expect("an event");
    id
}

/// Changes the town's name, which is one event.
async fn rename(ctx: &Ctx, world: &World, version: i64, name: &str) {
    let change = AllianceChange { name: Some(name.to_owned()), ..AllianceChange::default() };
    alliance::update(ctx, world.town, version, change).await.expect("an update");
}

fn positions(answer: &concord_tests::Answer) -> Vec<i64> {
    let events = answer.at("/changes/events").as_array().expect("events").clone();
    events.iter().map(|event| event["position"].as_i64().expect("a position")).collect()
}

/// A dashboard's key on one alliance.
pub async fn dashboard_key(app: &TestApp, alliance: AllianceId) -> concord_entities::id::ApiKeyId {
    let ctx = app.system();
    let id: concord_entities::id::ApiKeyId = ctx.new_id();
    concord_entities::api_key::ActiveModel {
        id: Set(id),
        name: Set("大屏".to_owned()),
        prefix: Set(id.0.simple().to_string().chars().rev().take(12).collect()),
        hash: Set(id.0.as_bytes().repeat(2)),
        alliance_id: Set(alliance),
        created_by: Set(None),
        created_at: Set(ctx.now()),
        is_bound: Set(false),
        expires_at: Set(ctx.now() + chrono::TimeDelta::days(30)),
        revoked_at: Set(None),
        last_used_at: Set(None),
    }
    .insert(&app.app.write)
    .await
    .expect("a key");
    concord_entities::api_key_scope::ActiveModel { api_key_id: Set(id), alliance_id: Set(alliance) }
        .insert(&app.app.write)
        .await
        .expect("a scope");
    id
}

#[tokio::test]
async fn pages_of_changes_join_without_a_gap() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for version in 1..=7 {
        rename(&app.ctx(world.committee), &world, version, &format!("联盟{version}")).await;
    }
    app.run_background().await;
    let client = app.client(world.committee);
    let whole = positions(&client.send(CHANGES, json!({ "after": 0, "first": 100 })).await);
    let (mut after, mut read) = (0, Vec::new());
    loop {
        let page = client.send(CHANGES, json!({ "after": after, "first": 3 })).await;
        read.extend(positions(&page));
        after = page.at("/changes/position").as_i64().expect("a position");
        if page.at("/changes/hasMore") == false {
            break;
        }
    }
    assert_eq!(read, whole);
    assert!(whole.len() >= 7 && whole.is_sorted());
    let rest = client.send(CHANGES, json!({ "after": after })).await;
    assert_eq!(positions(&rest), Vec::<i64>::new());
    assert_eq!(rest.at("/changes/position"), after);
}

#[tokio::test]
async fn changes_keep_within_what_the_caller_sees_and_asks_for() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let subject = ("problem", app.system().new_id::<concord_entities::id::ProblemId>().into());
    write_event(&app, here.town, "alliance_updated", subject, &[here.members[1]], Some(here.committee)).await;
    write_event(&app, here.town, "alliance_updated", subject, &[here.members[2]], Some(here.committee)).await;
    write_event(&app, there.town, "alliance_updated", subject, &[there.members[1]], Some(there.committee))
        .await;
    app.run_background().await;
    let client = app.client(here.staff);
    let all = client.send(CHANGES, json!({ "first": 100 })).await;
    let alliances: BTreeSet<String> = all
        .at("/changes/events")
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["alliance"]["id"].as_str().expect("an alliance").to_owned())
        .collect();
    assert_eq!(alliances, BTreeSet::from([id::encode(here.town).to_string()]));
    let own = json!({ "organization": id::encode(here.members[2]), "first": 100 });
    let own = client.send(CHANGES, own).await;
    let own = own.at("/changes/events").as_array().expect("events").clone();
    assert!(own.iter().all(|event| event["organizationIds"] == json!([id::encode(here.members[2])])));
    assert_eq!(own.iter().filter(|event| event["kind"] == "ALLIANCE_UPDATED").count(), 1);
    for foreign in [
        json!({ "alliance": id::encode(there.town) }),
        json!({ "organization": id::encode(there.members[1]) }),
        json!({ "alliance": id::encode(app.system().new_id::<AllianceId>()) }),
    ] {
        assert_eq!(client.send(CHANGES, foreign).await.code().as_deref(), Some("NOT_FOUND"));
    }
    for (bad, code) in [
        (json!({ "first": 0 }), "PAGE_INVALID"),
        (json!({ "first": 101 }), "PAGE_INVALID"),
        (json!({ "after": -1 }), "OUT_OF_RANGE"),
        (json!({ "alliance": "x" }), "ID_MALFORMED"),
    ] {
        assert_eq!(client.send(CHANGES, bad).await.code().as_deref(), Some(code));
    }
    assert_eq!(app.anonymous().send(CHANGES, json!({})).await.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_dashboard_gets_no_names_and_no_words() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    rename(&app.ctx(world.committee), &world, 1, "联盟").await;
    app.run_background().await;
    let key = dashboard_key(&app, world.town).await;
    let told = app.key(key).send(CHANGES, json!({ "alliance": id::encode(world.town), "first": 100 })).await;
    let events = told.at("/changes/events").as_array().expect("events").clone();
    let renamed = events.iter().find(|event| event["kind"] == "ALLIANCE_UPDATED").expect("the change");
    assert_eq!(renamed["actorName"], "c********");
    let founded = events.iter().find(|event| event["kind"] == "ALLIANCE_FOUNDED").expect("the beginning");
    assert_eq!(founded["details"], json!([]));
    assert!(!events.iter().any(|event| event["kind"] == "SEAT_GRANTED"));
    app.advance(chrono::TimeDelta::days(31));
    let expired = app.key(key).send(CHANGES, json!({ "alliance": id::encode(world.town) })).await;
    assert_eq!(expired.code().as_deref(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn a_tail_catches_up_and_then_follows_without_a_gap_or_a_duplicate() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for version in 1..=3 {
        rename(&app.ctx(world.committee), &world, version, "旧").await;
    }
    app.run_background().await;
    let alliance = json!({ "alliance": id::encode(world.town), "after": 0 });
    let before = positions(
        &app.client(world.staff)
            .send(CHANGES, json!({ "alliance": id::encode(world.town), "first": 100 }))
            .await,
    );
    let mut tail = app.client(world.staff).subscribe(TAIL, alliance);
    let mut seen = Vec::new();
    for _ in 0..before.len() {
        seen.push(tail.next().await.at("/changes/position").as_i64().expect("a position"));
    }
    assert_eq!(seen, before);
    assert!(tail.is_quiet().await);
    for version in 4..=8 {
        rename(&app.ctx(world.committee), &world, version, "新").await;
        app.run_background().await;
    }
    let head = before.last().copied().expect("events before");
    for step in 1..=5 {
        let next = tail.next().await;
        assert_eq!(next.at("/changes/position").as_i64(), Some(head + step));
        assert_eq!(next.text("/changes/actorName"), "c********");
    }
    assert!(tail.is_quiet().await);
    // Resumed elsewhere, from a position in the middle.
    let again = json!({ "alliance": id::encode(world.town), "after": head + 3 });
    let mut resumed = app.client(world.staff).subscribe(TAIL, again);
    assert_eq!(resumed.next().await.at("/changes/position").as_i64(), Some(head + 4));
    assert_eq!(resumed.next().await.at("/changes/position").as_i64(), Some(head + 5));
    assert!(resumed.is_quiet().await);
}

#[tokio::test]
async fn a_tail_of_an_organisation_follows_only_what_concerns_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.run_background().await;
    let own = json!({ "organization": id::encode(world.members[1]) });
    let mut tail = app.client(world.staff).subscribe(TAIL, own);
    assert!(tail.is_quiet().await, "without a position it begins now");
    let subject = ("problem", app.system().new_id::<concord_entities::id::ProblemId>().into());
    write_event(&app, world.town, "membership_contact_updated", subject, &[world.members[2]], None).await;
    write_event(&app, world.town, "membership_contact_updated", subject, &[world.members[1]], None).await;
    app.run_background().await;
    let one = tail.next().await;
    assert_eq!(one.at("/changes/kind"), "MEMBERSHIP_CONTACT_UPDATED");
    assert!(tail.is_quiet().await);
}

#[tokio::test]
async fn a_tail_needs_something_that_the_caller_may_see() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    for (client, asked, code) in [
        (app.anonymous(), json!({ "alliance": id::encode(here.town) }), "UNAUTHENTICATED"),
        (app.client(here.stranger), json!({ "alliance": id::encode(here.town) }), "NOT_FOUND"),
        (app.client(here.staff), json!({ "alliance": id::encode(there.town) }), "NOT_FOUND"),
        (app.client(here.staff), json!({ "organization": id::encode(there.members[1]) }), "NOT_FOUND"),
        (app.client(here.staff), json!({}), "REQUIRED"),
        (app.client(here.staff), json!({ "alliance": id::encode(here.town), "after": -1 }), "OUT_OF_RANGE"),
    ] {
        let mut tail = client.subscribe(TAIL, asked);
        assert_eq!(tail.next().await.code().as_deref(), Some(code));
        assert!(tail.end().await.is_none());
    }
}

#[tokio::test]
async fn a_tail_ends_when_the_seat_does() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.run_background().await;
    let mut tail = app.client(world.observer).subscribe(TAIL, json!({ "alliance": id::encode(world.town) }));
    assert!(tail.is_quiet().await);
    rename(&app.ctx(world.committee), &world, 1, "一").await;
    app.run_background().await;
    let last = tail.next().await.at("/changes/position").as_i64();
    app.sql("UPDATE seat SET state = 'ended' WHERE role = 'observer'").await.expect("the seat ends");
    // Whatever is said about seats makes the tail look at its rights at once.
    let new = NewSeat {
        account_id: world.staff,
        alliance_id: world.town,
        role: seats::Role::Observer,
        organization_id: None,
        region_id: None,
    };
    seat::grant(&app.ctx(world.committee), new).await.expect("a seat");
    rename(&app.ctx(world.committee), &world, 2, "二").await;
    app.run_background().await;
    let end = tail.next().await;
    assert_eq!(end.code().as_deref(), Some("NOT_FOUND"));
    assert_eq!(end.0["errors"][0]["extensions"]["position"].as_i64(), last);
    assert!(tail.end().await.is_none());
}

#[tokio::test]
async fn a_tail_ends_by_itself_when_the_account_is_disabled_without_a_word() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut tail = app.client(world.observer).subscribe(TAIL, json!({ "alliance": id::encode(world.town) }));
    assert!(tail.is_quiet().await);
    let row = account::ActiveModel {
        id: Set(world.observer),
        state: Set(account::State::Disabled),
        ..Default::default()
    };
    account::Entity::update(row).exec(&app.app.write).await.expect("the account is disabled");
    assert_eq!(tail.next().await.code().as_deref(), Some("UNAUTHENTICATED"));
    assert!(tail.end().await.is_none());
}

#[tokio::test]
async fn a_slow_listener_is_told_where_it_stands_and_goes_on_there() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.run_background().await;
    let asked = json!({ "alliance": id::encode(world.town) });
    let mut tail = app.client(world.staff).subscribe(TAIL, asked.clone());
    assert!(tail.is_quiet().await);
    let subject = ("problem", app.system().new_id::<concord_entities::id::ProblemId>().into());
    write_event(&app, world.town, "membership_contact_updated", subject, &[], None).await;
    app.run_background().await;
    let first = tail.next().await.at("/changes/position").as_i64().expect("a position");
    let many = concord::domain::feed::CAPACITY + 50;
    // Once it waits for the feed, it is left behind.
    assert!(tail.is_quiet().await);
    for _ in 0..many {
        write_event(&app, world.town, "membership_contact_updated", subject, &[], None).await;
    }
    app.run_background().await;
    let end = tail.next().await;
    assert_eq!(end.code().as_deref(), Some("LAGGED"));
    assert_eq!(end.0["errors"][0]["extensions"]["position"], Value::from(first));
    assert!(tail.end().await.is_none());
    let mut resumed = app
        .client(world.staff)
        .subscribe(TAIL, json!({ "alliance": id::encode(world.town), "after": first }));
    for step in 1..=i64::try_from(many).expect("a number") {
        assert_eq!(resumed.next().await.at("/changes/position").as_i64(), Some(first + step));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn running_hands_seal_and_tell_and_stop() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let hands = concord::background::spawn(&app.app);
    let mut tail =
        app.client(world.staff).subscribe(TAIL, json!({ "alliance": id::encode(world.town), "after": 0 }));
    let client = app.client(world.committee);
    for version in 1..=20 {
        rename(&client.ctx, &world, version, "快").await;
        loop {
            let next = tail.next().await;
            if next.at("/changes/kind") == "ALLIANCE_UPDATED" {
                break;
            }
        }
    }
    tokio::time::timeout(std::time::Duration::from_secs(5), hands.stop()).await.expect("the hands stop");
}

#[tokio::test]
async fn a_position_that_was_never_given_is_refused() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.run_background().await;
    let client = app.client(world.committee);
    let asked = json!({ "alliance": id::encode(world.town), "first": 1 });
    let head = client.send(CHANGES, asked).await.fine().at("/changes/position").as_i64().expect("a position");
    assert!(head > 0);
    let after = |after: i64| json!({ "alliance": id::encode(world.town), "after": after });
    let last = concord::domain::fact::changes::head(&app.system()).await.expect("the head");
    client.send(CHANGES, after(last)).await.fine();
    let refused = client.send(CHANGES, after(last + 1)).await;
    assert_eq!(refused.code().as_deref(), Some("POSITION_AHEAD"), "{:#}", refused.0);
    let mut tail = client.subscribe(TAIL, after(last + 1));
    let first = tail.next().await;
    assert_eq!(first.code().as_deref(), Some("POSITION_AHEAD"));
}
