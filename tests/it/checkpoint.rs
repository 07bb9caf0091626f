//! Checkpoints: made while changes come in, the same in the database and outside it, and telling of what the chain alone
//! cannot tell: a tail that was cut off, a history that was written anew.

use std::{fs, path::PathBuf};

use chrono::TimeDelta;
use concord::domain::{
    Ctx, Event, Fact,
    chain::{self, Break, Fault, Marks, checkpoint},
    event::digest,
    identity::signing::Algorithm,
};
use concord_entities::{checkpoint as rows, event, event_seal};
use concord_tests::{TestApp, World};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QueryOrder};
use serde_json::Value;
use uuid::Uuid;

use crate::chain::{chain_length, drop_guards};

fn age() -> TimeDelta {
    TimeDelta::seconds(60)
}

/// A sealed town with a checkpoint.
async fn town() -> (TestApp, World) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.run_background().await;
    (app, world)
}

/// Records something in the town and seals it.
async fn more(ctx: &Ctx, world: &World) {
    let tx = ctx.begin().await.expect("a unit of work");
    let unit = world.members[1];
    tx.record(Fact::of(Event::OrganizationUpdated, unit).alliance(world.town)).await.expect("an event");
    tx.commit(Uuid::nil()).await.expect("it is committed");
    while chain::seal(ctx).await.expect("it is sealed") > 0 {}
}

/// The checkpoints of the database, oldest first.
async fn kept(app: &TestApp) -> Vec<rows::Model> {
    rows::Entity::find().order_by_asc(rows::Column::Position).all(&app.app.read).await.expect("checkpoints")
}

/// The file of January, in which the tests' clock stands.
fn file(app: &TestApp) -> PathBuf {
    checkpoint::folder(&app.app.config).join("2026-01.jsonl")
}

async fn marks(app: &TestApp) -> Result<Marks, Fault> {
    Marks::read(&app.app.read, &app.app.identity.keys, &[checkpoint::folder(&app.app.config)]).await
}

/// What the walk finds by itself, and what it finds with the checkpoints at hand.
async fn found(app: &TestApp) -> (Option<Break>, Option<Break>) {
    let alone = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    let marks = marks(app).await.expect("the checkpoints are sound");
    let held = chain::verify(&app.app.read, &marks).await.expect("the walk ends");
    (alone.first_break, held.first_break)
}

#[tokio::test]
async fn checkpoints_are_made_once_in_a_while_and_only_of_what_moved() {
    let (app, world) = town().await;
    let ctx = app.system();
    let first = kept(&app).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].position, chain_length(&app).await);
    // Nothing was sealed since.
    app.advance(age());
    assert!(!checkpoint::make(&ctx, age()).await.expect("nothing to do"));
    more(&ctx, &world).await;
    assert!(checkpoint::make(&ctx, age()).await.expect("a second one"));
    // It is too young for a third, unless somebody leaves.
    more(&ctx, &world).await;
    app.advance(age() - TimeDelta::seconds(1));
    assert!(!checkpoint::make(&ctx, age()).await.expect("nothing to do"));
    assert!(checkpoint::make(&ctx, TimeDelta::zero()).await.expect("a third one"));
    // The clock was turned back by an hour: none is owed until then, yet none is held up for longer than that.
    more(&ctx, &world).await;
    app.advance(-TimeDelta::hours(1));
    assert!(checkpoint::make(&ctx, age()).await.expect("a fourth one"));
    let kept = kept(&app).await;
    let lines = fs::read_to_string(file(&app)).expect("the file");
    let said: Vec<&str> = kept.iter().map(|row| row.line.as_str()).collect();
    assert_eq!(lines.lines().collect::<Vec<_>>(), said, "row and line are the same text");
    let heads: Vec<usize> = said
        .iter()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let heads = line["checkpoint"]["heads"].as_array().expect("heads").clone();
            assert!(heads.len() == 3 || heads[0]["chain"] == world.town.to_string(), "{heads:?}");
            heads.len()
        })
        .collect();
    assert_eq!(heads, [3, 1, 1, 1], "every chain once, then those that moved");
    assert_eq!(marks(&app).await.expect("they are sound").count(), 4);
    assert_eq!(found(&app).await, (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_may_make_one_at_the_same_time() {
    let (app, world) = town().await;
    let settings = app.app.config.clone();
    let random = concord::app::seeded_random(2);
    let second =
        concord::app::build(settings, app.clock.clone(), random, false).await.expect("a second node");
    for _ in 0..5 {
        more(&app.system(), &world).await;
        let (one, other) = (app.system(), Ctx::system(&second));
        let (one, other) = tokio::join!(
            checkpoint::make(&one, TimeDelta::zero()),
            checkpoint::make(&other, TimeDelta::zero())
        );
        assert!(one.expect("no failure") || other.expect("no failure"));
    }
    assert_eq!(kept(&app).await.len(), 6);
    for line in fs::read_to_string(file(&app)).expect("the file").lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    assert_eq!(found(&app).await, (None, None));
    second.write.clone().close().await.expect("the second node closes");
}

#[tokio::test]
async fn a_tail_that_was_cut_off_with_all_that_tells_of_it_is_found() {
    let (app, _) = town().await;
    drop_guards(&app).await;
    let last = chain_length(&app).await;
    let kept = last - 5;
    // Everything of the last five is gone, and the heads say that it never was.
    for text in [
        format!("DELETE FROM inbox_entry WHERE position > {kept}"),
        format!("DELETE FROM event_organization WHERE position > {kept}"),
        format!("DELETE FROM event WHERE id IN (SELECT event_id FROM event_seal WHERE position > {kept})"),
        format!("DELETE FROM event_seal WHERE position > {kept}"),
        "DELETE FROM event_chain WHERE chain_id NOT IN (SELECT chain_id FROM event_seal)".to_owned(),
        "UPDATE event_chain SET length = (SELECT MAX(chain_index) FROM event_seal s WHERE s.chain_id = event_chain.chain_id)"
            .to_owned(),
        "UPDATE event_chain SET hash = (SELECT hash FROM event_seal s WHERE s.chain_id = event_chain.chain_id
         AND s.chain_index = event_chain.length)"
            .to_owned(),
        format!("UPDATE hand_cursor SET position = {kept} WHERE name = 'sealer'"),
    ] {
        app.sql(&text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let (alone, held) = found(&app).await;
    assert_eq!(alone, None, "the chain alone cannot tell");
    let held = held.expect("the checkpoint tells");
    assert_eq!(held.position, kept);
    assert!(held.what.starts_with("links are missing after it: line 1 of "), "{held:?}");
    // The row goes too, the file stays.
    app.sql("DROP TRIGGER checkpoint_is_kept").await.ok();
    app.sql("DROP TRIGGER checkpoint_is_kept ON checkpoint").await.ok();
    assert_eq!(app.sql("DELETE FROM checkpoint").await.expect("no row"), 1);
    assert_eq!(found(&app).await.1.expect("the file tells").position, kept);
    // What is written in place of the tail is found at its row.
    let (ctx, world_of) = (app.system(), held.chain_id);
    let tx = ctx.begin().await.expect("a unit of work");
    for _ in 0..6 {
        let alliance = concord_entities::id::AllianceId::from(world_of);
        let fact = Fact::of(Event::AllianceUpdated, alliance);
        let fact = if world_of.is_nil() { fact } else { fact.alliance(alliance) };
        tx.record(fact).await.expect("an event");
    }
    tx.commit(Uuid::nil()).await.expect("it is committed");
    // The trigger that does this went with the other guards.
    let waits = "INSERT INTO event_pending (event_id) SELECT id FROM event WHERE id NOT IN (SELECT event_id FROM event_seal)";
    assert_eq!(app.sql(waits).await.expect("they wait"), 6);
    while chain::seal(&ctx).await.expect("it is sealed") > 0 {}
    let (alone, held) = found(&app).await;
    assert_eq!(alone, None);
    let held = held.expect("the file tells");
    assert!(held.position > kept && held.what.contains("was replaced"), "{held:?}");
}

#[tokio::test]
async fn a_history_that_was_written_anew_is_found() {
    let (app, _) = town().await;
    drop_guards(&app).await;
    let rows = event_seal::Entity::find()
        .find_also_related(event::Entity)
        .order_by_asc(event_seal::Column::Position)
        .all(&app.app.read)
        .await
        .expect("the chain");
    let forged = 10;
    let mut ends = std::collections::HashMap::new();
    for (seal, event) in rows {
        let mut event = event.expect("an event");
        if seal.position == forged {
            let salt = event.salt.clone().expect("a salt");
            let payload = "{\"name\":\"别人\"}".to_owned();
            let mut row = event.clone().into_active_model();
            row.digest = Set(digest(&salt, &payload));
            row.payload = Set(Some(payload));
            event = row.update(&app.app.write).await.expect("it is altered");
        }
        let end = ends.entry(seal.chain_id).or_insert_with(|| vec![0; 32]);
        *end = chain::link(end, (seal.position, seal.sealed_at), &event);
        let mut row = seal.into_active_model();
        row.hash = Set(end.clone());
        row.update(&app.app.write).await.expect("every link fits again");
    }
    app.sql(
        "UPDATE event_chain SET hash = (SELECT hash FROM event_seal s WHERE s.chain_id = event_chain.chain_id
         AND s.chain_index = event_chain.length)",
    )
    .await
    .expect("the heads fit again");
    let (alone, held) = found(&app).await;
    assert_eq!(alone, None, "the chain alone cannot tell");
    let held = held.expect("the checkpoint tells");
    assert!(held.position > forged && held.what.contains("was replaced"), "{held:?}");
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    let (app, world) = town().await;
    let (ctx, file) = (app.system(), file(&app));
    let sound = fs::read_to_string(&file).expect("the file");
    let fault = async |text: &str| {
        fs::write(&file, format!("{sound}{text}\n")).expect("it is written");
        let fault = marks(&app).await.map(|marks| marks.count());
        fs::write(&file, &sound).expect("it is mended");
        fault
    };
    let position = chain_length(&app).await;
    let changed = sound.trim_end().replace(&format!("\"position\":{position}"), "\"position\":7");
    assert_ne!(changed, sound.trim_end());
    assert!(matches!(fault(&changed).await, Err(Fault::Forged(place)) if place.starts_with("line 2 of ")));
    // Signed well, by a key of somebody else.
    let stranger = TestApp::with(|config| config.identity.issuer = "elsewhere".to_owned()).await;
    let text = "{\"position\":9,\"madeAt\":\"2026-01-05T01:00:00Z\",\"heads\":[]}";
    let by = |app: &TestApp, purpose: &str| {
        let signed = app.app.identity.keys.sign_for(purpose, text.as_bytes()).expect("signed");
        format!("{{\"checkpoint\":{text},\"kid\":\"{}\",\"signature\":\"{}\"}}", signed.kid, signed.signature)
    };
    let rotated = stranger.app.identity.keys.rotate(Algorithm::Es256, ctx.now(), &|bytes| {
        stranger.app.fill_random(bytes);
    });
    let kid = rotated.expect("a key of their own");
    let unknown = fault(&by(&stranger, "checkpoint")).await;
    assert!(matches!(&unknown, Err(Fault::UnknownKey { kid: told, .. }) if *told == kid), "{unknown:?}");
    // Signed by the right key for something else.
    assert!(matches!(fault(&by(&app, "token")).await, Err(Fault::Forged(_))));
    assert!(matches!(fault(&by(&app, "checkpoint")).await, Ok(2)), "the right one would be taken");
    for garbage in ["", "{}", "null", "\u{0}", "{\"checkpoint\":{}}", &sound[..40]] {
        assert!(matches!(fault(garbage).await, Err(Fault::Unreadable(_))), "{garbage:?}");
    }
    // A row that was put in past the product.
    let line = by(&app, "token").replace('\'', "''");
    let insert = format!(
        "INSERT INTO checkpoint (position, made_at, line) VALUES (9, '2026-01-05 01:00:00.000000+00:00', '{line}')"
    );
    app.sql(&insert).await.expect("a forged row");
    let told = marks(&app).await.expect_err("it is found").to_string();
    assert_eq!(
        told,
        "the checkpoint of position 9 in the database is forged: its signature does not fit what it says"
    );
    drop(world);
}

#[tokio::test]
async fn what_a_key_signed_stays_true_when_it_is_retired() {
    let (app, world) = town().await;
    let (ctx, keys) = (app.system(), &app.app.identity.keys);
    let old = keys.active();
    keys.rotate(Algorithm::Es256, ctx.now(), &|bytes| app.app.fill_random(bytes)).expect("a new key");
    keys.retire(&old, ctx.now()).expect("the old one ends");
    more(&ctx, &world).await;
    assert!(checkpoint::make(&ctx, TimeDelta::zero()).await.expect("the new key signs"));
    assert_eq!(marks(&app).await.expect("both count").count(), 2);
    // A line that is being written does not count yet.
    let text = fs::read_to_string(file(&app)).expect("the file");
    fs::write(file(&app), format!("{text}{}", &text[..50])).expect("it is cut off");
    assert_eq!(marks(&app).await.expect("both count").count(), 2);
    assert_eq!(found(&app).await, (None, None));
}
