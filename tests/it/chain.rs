//! The chain of events: gap-free under any number of writers and sealers, and telling of every tampering at its row.

use std::sync::Arc;

use concord::{
    app,
    domain::{
        Ctx,
        chain::{self, Marks, Verification},
        governance::organization::{self, NewOrganization},
    },
};
use concord_entities::{event_organization, event_seal, organization::Kind};
use concord_tests::{TestApp, World};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};

async fn verify(app: &TestApp) -> Verification {
    chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends")
}

/// A sealed town.
async fn sealed() -> TestApp {
    let app = TestApp::new().await;
    World::build(&app, "632223").await;
    app.run_background().await;
    let found = verify(&app).await;
    assert!(found.first_break.is_none() && found.events > 20, "{found:?}");
    app
}

/// Takes away what guards the tables, as somebody with the file in hand would.
pub async fn drop_guards(app: &TestApp) {
    let triggers = [
        ("event_is_kept", "event"),
        ("event_is_not_edited", "event"),
        ("event_waits_for_seal", "event"),
        ("event_seal_is_kept", "event_seal"),
        ("event_seal_is_not_edited", "event_seal"),
    ];
    for (trigger, table) in triggers {
        let on =
            if app.app.backend() == DbBackend::Postgres { format!(" ON {table}") } else { String::new() };
        app.sql(&format!("DROP TRIGGER {trigger}{on}")).await.expect("the trigger is dropped");
    }
    if app.app.backend() == DbBackend::Sqlite {
        app.sql("PRAGMA foreign_keys = OFF").await.expect("foreign keys are off");
    } else {
        for constraint in ["event_seal", "inbox_entry", "event_pending"] {
            app.sql(&format!("ALTER TABLE {constraint} DROP CONSTRAINT fk_{constraint}_event_id"))
                .await
                .expect("the key is dropped");
        }
    }
}

/// Tampers and expects the first break at a position.
async fn broken_by(tampering: &[&str], position: i64, what: &str) {
    let app = sealed().await;
    drop_guards(&app).await;
    for text in tampering {
        assert!(app.sql(text).await.expect("the tampering succeeds") > 0, "nothing tampered with: {text}");
    }
    let found = verify(&app).await.first_break.expect("a break");
    assert_eq!((found.position, found.what.as_str()), (position, what), "{tampering:?}");
}

#[tokio::test]
async fn an_altered_event_is_found_at_its_row() {
    let event = "(SELECT event_id FROM event_seal WHERE position = 10)";
    for field in [
        "kind = 'alliance_updated'",
        "subject_kind = 'nothing'",
        "organization_ids = '[\"00000000-0000-0000-0000-000000000000\"]'",
        "actor_kind = 'account'",
    ] {
        let text = format!("UPDATE event SET {field} WHERE id = {event}");
        broken_by(&[&text], 10, "its event or the link before was altered").await;
    }
    let text = format!("UPDATE event SET payload = '{{\"name\":\"别人\"}}' WHERE id = {event}");
    broken_by(&[&text], 10, "its payload was altered").await;
    // A payload with the digest to match it still breaks the link.
    let zero = "digest = (SELECT digest FROM event WHERE id = (SELECT event_id FROM event_seal WHERE position = 11))";
    let text = format!("UPDATE event SET {zero} WHERE id = {event}");
    broken_by(&[&text], 10, "its event or the link before was altered").await;
}

#[tokio::test]
async fn an_altered_seal_is_found_at_its_row() {
    let other = "hash = (SELECT hash FROM event_seal WHERE position = 3)";
    broken_by(
        &[&format!("UPDATE event_seal SET {other} WHERE position = 12")],
        12,
        "its event or the link before was altered",
    )
    .await;
    broken_by(
        &["UPDATE event_seal SET chain_index = chain_index + 1000 WHERE position = 12"],
        12,
        "its chain has a gap or another order",
    )
    .await;
}

#[tokio::test]
async fn a_deleted_event_or_seal_is_found_at_its_row() {
    broken_by(
        &["DELETE FROM event WHERE id = (SELECT event_id FROM event_seal WHERE position = 15)"],
        15,
        "its event is missing",
    )
    .await;
    broken_by(&["DELETE FROM event_seal WHERE position = 15"], 15, "this position is missing").await;
    broken_by(
        &[
            "DELETE FROM event_seal WHERE position = 15",
            "UPDATE event_seal SET position = position - 100000 WHERE position > 15",
            "UPDATE event_seal SET position = position + 99999 WHERE position < 0",
        ],
        15,
        "its chain has a gap or another order",
    )
    .await;
}

#[tokio::test]
async fn a_cut_tail_is_found_through_the_head_of_its_chain() {
    let app = sealed().await;
    drop_guards(&app).await;
    let last = chain_length(&app).await;
    app.sql(&format!("DELETE FROM event_seal WHERE position = {last}")).await.expect("a cut");
    let found = verify(&app).await.first_break.expect("a break");
    assert_eq!((found.position, found.what.as_str()), (last - 1, "links are missing after it"));
}

#[tokio::test]
async fn an_inserted_event_is_found() {
    let app = sealed().await;
    drop_guards(&app).await;
    let columns = "alliance_id, kind, actor_kind, actor_id, subject_kind, subject_id, organization_ids, occurred_at, digest, salt, payload";
    let id = concord_entities::id::EventId::from(app.system().new_id::<concord_entities::id::EventId>().0);
    let literal = if app.app.backend() == DbBackend::Sqlite {
        format!("x'{}'", id.0.simple())
    } else {
        format!("'{id}'")
    };
    let text = format!(
        "INSERT INTO event (id, {columns}) SELECT {literal}, {columns} FROM event WHERE kind = 'alliance_founded' LIMIT 1"
    );
    assert_eq!(app.sql(&text).await.expect("an insert past the trigger"), 1);
    let found = verify(&app).await.first_break.expect("a break");
    assert_eq!(found.what, "an event has no seal");
    // With a seal of its own at the end it breaks its chain there.
    let last = chain_length(&app).await;
    let seal = format!(
        "INSERT INTO event_seal (position, event_id, chain_id, chain_index, hash, sealed_at)
         SELECT {last} + 1, {literal}, chain_id, 100000, hash, sealed_at FROM event_seal WHERE position = {last}"
    );
    assert_eq!(app.sql(&seal).await.expect("a forged seal"), 1);
    assert_eq!(verify(&app).await.first_break.expect("a break").position, last + 1);
}

#[tokio::test]
async fn reordered_events_are_found_at_the_first_of_them() {
    let app = sealed().await;
    drop_guards(&app).await;
    for text in [
        "UPDATE event_seal SET position = -1 WHERE position = 20",
        "UPDATE event_seal SET position = 20 WHERE position = 21",
        "UPDATE event_seal SET position = 21 WHERE position = -1",
    ] {
        app.sql(text).await.expect("a swap");
    }
    assert_eq!(verify(&app).await.first_break.expect("a break").position, 20);
}

#[tokio::test]
async fn a_payload_is_gone_by_an_erasure_that_is_on_record_or_it_is_a_break() {
    let app = sealed().await;
    drop_guards(&app).await;
    let row = event_seal::Entity::find().filter(event_seal::Column::Position.eq(20)).one(&app.app.read).await;
    let id = row.expect("a read").expect("a seal").event_id;
    let of = match app.app.backend() {
        DbBackend::Sqlite => format!("x'{}'", id.0.simple()),
        _ => format!("'{id}'"),
    };
    for (change, what) in [
        ("payload = NULL", "its payload was altered"),
        ("payload = '{}', salt = NULL", "its payload was altered"),
        ("payload = NULL, salt = NULL", "its payload is gone, and no erasure took it"),
    ] {
        app.sql(&format!("UPDATE event SET {change} WHERE id = {of}")).await.expect("a change");
        let found = verify(&app).await.first_break.expect("a break");
        assert_eq!((found.position, found.what.as_str()), (20, what), "{change}");
    }
}

pub async fn chain_length(app: &TestApp) -> i64 {
    let last =
        event_seal::Entity::find().order_by_desc(event_seal::Column::Position).one(&app.app.read).await;
    last.expect("a read").map_or(0, |seal| seal.position)
}

async fn record(ctx: &Ctx, name: String) {
    let new = NewOrganization {
        name,
        short_name: None,
        kind: Kind::Enterprise,
        credit_code: None,
        region_id: None,
    };
    organization::record(ctx, new).await.expect("a write");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_writers_and_two_sealing_nodes_leave_no_gap() {
    let app = TestApp::new().await;
    World::build(&app, "632223").await;
    // A second node on the same database, with its own connections and randomness.
    let settings = app.app.config.clone();
    let second =
        app::build(settings, app.clock.clone(), app::seeded_random(2), false).await.expect("a second node");
    let nodes = [app.system(), Ctx::system(&second)];
    let writers = (0..64).map(|writer| {
        let ctx = app.system();
        tokio::spawn(async move {
            for round in 0..3 {
                record(&ctx, format!("单位{writer}-{round}")).await;
            }
        })
    });
    let sealers = nodes.iter().flat_map(|node| [node.clone(), node.clone()]).map(|node| {
        tokio::spawn(async move {
            for _ in 0..20 {
                chain::seal(&node).await.expect("sealing goes on");
                tokio::time::sleep(std::time::Duration::from_millis(15)).await;
            }
        })
    });
    let all: Vec<_> = writers.chain(sealers).collect();
    for done in join_all(all).await {
        done.expect("no task fails");
    }
    app.run_background().await;
    let seals =
        event_seal::Entity::find().order_by_asc(event_seal::Column::Position).all(&app.app.read).await;
    let positions: Vec<i64> = seals.expect("seals").iter().map(|seal| seal.position).collect();
    let expected: Vec<i64> = (1..=i64::try_from(positions.len()).expect("a number")).collect();
    assert_eq!(positions, expected);
    let found = verify(&app).await;
    assert!(found.first_break.is_none(), "{found:?}");
    assert!(found.events >= 192);
    let told = event_organization::Entity::find().all(&app.app.read).await.expect("rows");
    assert!(told.len() >= 192);
    second.write.clone().close().await.expect("the second node closes");
}

#[tokio::test]
async fn a_sealer_that_dies_in_between_leaves_nothing_half_done() {
    let app = TestApp::new().await;
    World::build(&app, "632223").await;
    let ctx: Arc<Ctx> = Arc::new(app.system());
    for patience in [0, 1, 2, 3] {
        // The future is dropped wherever it happens to be.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(patience), chain::seal(&ctx)).await;
    }
    app.run_background().await;
    assert!(verify(&app).await.first_break.is_none());
}
