//! A chain of ten thousand events: what is done to any row of it is found at that row.

use concord::{
    app::seeded_random,
    domain::{
        Event, Fact,
        chain::{self, Marks},
        context::Random,
    },
};
use concord_entities::{event_seal, id::TypedId};
use concord_tests::{TestApp, World};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, TransactionTrait,
};
use uuid::Uuid;

use crate::chain::drop_guards;

const EVENTS: usize = 10_000;
/// How many rows are tampered with in each way.
const SAMPLES: usize = 10;

/// Records events of the town, each tenth of the county, in one unit of work, and seals them.
async fn record(app: &TestApp, world: &World, events: usize) {
    let ctx = app.system();
    let tx = ctx.begin().await.expect("a unit of work");
    for number in 0..events {
        let unit = world.members[number % world.members.len()];
        let alliance = if number % 10 == 0 { world.county } else { world.town };
        let fact = Fact::of(Event::OrganizationUpdated, unit).alliance(alliance).organizations([unit]);
        tx.record(fact.detail("name", format!("第{number}件"))).await.expect("an event");
    }
    tx.commit(Uuid::nil()).await.expect("they are committed");
    while chain::seal(&ctx).await.expect("they are sealed") > 0 {}
}

/// Tampers, expects the first break at a position, and takes the tampering back.
async fn broken_at(app: &TestApp, tampering: &[String], position: i64) {
    let tx = app.app.write.begin().await.expect("a transaction");
    for text in tampering {
        let done = tx.execute_unprepared(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(done.rows_affected() > 0, "nothing tampered with: {text}");
    }
    let found = chain::verify(&tx, &Marks::default()).await.expect("the walk ends");
    assert_eq!(found.first_break.map(|found| found.position), Some(position), "{tampering:?}");
    tx.rollback().await.expect("it is taken back");
}

/// Draws one of many rows.
fn draw(random: &Random, rows: &[i64]) -> i64 {
    let mut bytes = [0; 8];
    (random.lock().expect("the generator does not panic"))(&mut bytes);
    let number = usize::from_be_bytes(bytes);
    rows[number % rows.len()]
}

fn event_at(position: i64) -> String {
    format!("(SELECT event_id FROM event_seal WHERE position = {position})")
}

/// Makes room for one more row at a position, and in the chain of the row that stood there.
fn pushed_back_from(position: i64) -> [String; 2] {
    [
        format!(
            "UPDATE event_seal SET position = -position, chain_index = -chain_index WHERE position >= {position}"
        ),
        format!(
            "UPDATE event_seal SET position = 1 - position, chain_index = CASE
                 WHEN chain_id = (SELECT chain_id FROM event_seal WHERE position = -{position}) THEN 1 - chain_index
                 ELSE -chain_index END
             WHERE position < 0"
        ),
    ]
}

#[tokio::test]
async fn what_is_done_to_any_of_ten_thousand_rows_is_found_at_that_row() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    record(&app, &world, EVENTS).await;
    let whole = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    assert!(whole.first_break.is_none() && whole.events > EVENTS as u64 && whole.chains == 3, "{whole:?}");
    drop_guards(&app).await;
    // Rows of the long chain; the last leaves a neighbour to swap with.
    let seals = event_seal::Entity::find()
        .filter(event_seal::Column::ChainId.eq(Uuid::from(world.town)))
        .order_by_asc(event_seal::Column::Position)
        .all(&app.app.read)
        .await
        .expect("seals");
    let positions: Vec<i64> = seals.iter().map(|seal| seal.position).collect();
    let (_, rows) = positions.split_last().expect("a chain");
    assert!(rows.len() > 9_000);
    let random = seeded_random(20_260_105);
    let sample = || (0..SAMPLES).map(|_| draw(&random, rows));
    for row in sample() {
        let (event, payload) = (event_at(row), "payload = '{\"name\":\"别人\"}'");
        broken_at(&app, &[format!("UPDATE event SET {payload} WHERE id = {event}")], row).await;
    }
    for row in sample() {
        let deletions = [
            format!("DELETE FROM event WHERE id = {}", event_at(row)),
            format!("DELETE FROM event_seal WHERE position = {row}"),
        ];
        let which = usize::try_from(row % 3).expect("a number");
        let both: Vec<String> = deletions.into_iter().skip(which % 2).take(1 + which / 2).collect();
        broken_at(&app, &both, row).await;
    }
    for row in sample() {
        let id = app.system().new_id::<concord_entities::id::EventId>();
        broken_at(&app, &inserted(&app, id, row), row).await;
    }
    for row in sample() {
        let later = positions.iter().filter(|other| **other > row).copied().collect::<Vec<_>>();
        let other = draw(&random, &later);
        let swap = [(row, -1), (other, row), (-1, other)];
        let swap =
            swap.map(|(from, to)| format!("UPDATE event_seal SET position = {to} WHERE position = {from}"));
        broken_at(&app, &swap, row).await;
    }
}

/// `CONCORD_CHAIN_EVENTS=1000000` makes it the chain of docs/reliability.md.
#[tokio::test]
async fn a_long_chain_is_verified() {
    let asked = std::env::var("CONCORD_CHAIN_EVENTS").ok();
    let events: usize = asked.map_or(1_000, |events| events.parse().expect("a number of events"));
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for start in (0..events).step_by(EVENTS) {
        record(&app, &world, EVENTS.min(events - start)).await;
    }
    let since = std::time::Instant::now();
    let whole = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    println!("{} events verified in {:.1} s", whole.events, since.elapsed().as_secs_f64());
    assert!(whole.first_break.is_none() && whole.events > events as u64, "{whole:?}");
}

/// An event like the one of a row, with a seal like its seal, put in before it.
fn inserted(app: &TestApp, id: impl TypedId, row: i64) -> Vec<String> {
    let id: Uuid = id.into();
    let literal = match app.app.backend() {
        DbBackend::Sqlite => format!("x'{}'", id.simple()),
        _ => format!("'{id}'::uuid"),
    };
    let columns = "alliance_id, kind, actor_kind, actor_id, subject_kind, subject_id, organization_ids, occurred_at, digest, salt, payload";
    let [away, back] = pushed_back_from(row);
    vec![
        format!("INSERT INTO event (id, {columns}) SELECT {literal}, {columns} FROM event WHERE id = {}", event_at(row)),
        away,
        back,
        format!(
            "INSERT INTO event_seal (position, event_id, chain_id, chain_index, hash, sealed_at)
             SELECT {row}, {literal}, chain_id, chain_index - 1, hash, sealed_at FROM event_seal WHERE position = {row} + 1"
        ),
    ]
}
