//! Listeners: one that stops reading, and very many that are only there.

use std::time::{Duration, Instant};

use concord_entities::event_seal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    Told, count,
    crash::WRITERS,
    invariants, is_full,
    load::{Client, Load},
    node::{Node, free_address, open_files},
    socket::{Heard, Socket},
    town::{COMMITTEE, GRID_OFFICER, Town, on_postgres},
};

/// Much for each event, so that a listener that does not read falls behind soon.
const WIDE: &str = "subscription($alliance: ID!) { changes(allianceId: $alliance) { position
    a: subject { ...on Problem { description } } b: subject { ...on Problem { description } } } }";
const RESUMED: &str = "subscription($alliance: ID!, $after: Int) { changes(allianceId: $alliance, after: $after) { position } }";
/// Most that one listener may cost the process.
const MOST_MEMORY: u64 = 50 << 20;
/// Files that the two processes need besides the sockets.
const SPARE_FILES: usize = 500;

fn skipped_in_short() -> Option<Told> {
    (on_postgres() && !is_full())
        .then(|| Told::Skipped("sockets do not know the database; the short form runs on SQLite".to_owned()))
}

/// It stops reading while events come; it costs little, is told that it lagged, and goes on from there without a loss.
pub async fn a_subscriber_stops_reading() -> Told {
    if let Some(skipped) = skipped_in_short() {
        return skipped;
    }
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    // The committee reads everything that the load does. The heartbeat would end a socket that reads nothing before it has fallen behind.
    let patient = [("CONCORD__HTTP__HEARTBEAT_MS", "300000")];
    let node = Node::start_with(&town, free_address(), &patient).await;
    let token = Client::new(&[node.address], COMMITTEE).token().await.expect("they sign in");
    // Warm, so that what the listener costs is not mistaken for what the load costs.
    let description = "，影响出行".repeat(780);
    let load = Load::start_with(&town, &[node.address], WRITERS, &description).await;
    load.more(300).await;
    let mut ledger = load.stop().await;
    invariants::hold(&town, &node, &ledger).await;
    let (first, before) = (positions(&town, 0).await.last().copied().unwrap_or(0), node.resident());
    let mut socket = Socket::open(node.address, &token, Some(4096)).await;
    socket.subscribe(WIDE, json!({ "alliance": town.alliance })).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let load = Load::start_with(&town, &[node.address], WRITERS, &description).await;
    load.more(count(1400, 3000)).await;
    let grown = node.resident().saturating_sub(before);
    ledger.add(load.stop().await);
    assert!(grown < MOST_MEMORY, "a listener that does not read costs {grown} bytes");
    invariants::hold(&town, &node, &ledger).await;
    let mut seen = Vec::new();
    let lagged = loop {
        match socket.hear().await {
            Heard::Message(message) => match position(&message) {
                Some(position) => seen.push(position),
                None => break told_to_resume(&message),
            },
            Heard::Closed(code) => panic!("closed with {code:?} before it was told"),
        }
    };
    assert_eq!(Some(&lagged), seen.last(), "it is told to go on from the last position that it got");
    let read_before = seen.len();
    let mut socket = Socket::open(node.address, &token, None).await;
    socket.subscribe(RESUMED, json!({ "alliance": town.alliance, "after": lagged })).await;
    let sealed = positions(&town, first).await;
    while seen.last() < sealed.last() {
        let Heard::Message(message) = socket.hear().await else { panic!("the tail ended") };
        seen.push(position(&message).unwrap_or_else(|| panic!("{message}")));
    }
    assert!(seen == sealed, "every position once and in order");
    Told::Held(format!(
        "{} events, {} KiB more resident, told LAGGED after {read_before}, the rest read from there",
        seen.len(),
        grown / 1024
    ))
}

fn position(message: &Value) -> Option<i64> {
    message["payload"]["data"]["changes"]["position"].as_i64()
}

fn told_to_resume(message: &Value) -> i64 {
    // An operation's end and an answer with errors come in different frames.
    let error = [&message["payload"][0], &message["payload"]["errors"][0]]
        .into_iter()
        .find(|error| error.is_object())
        .unwrap_or_else(|| panic!("{message}"));
    assert_eq!(error["extensions"]["code"], "LAGGED", "{message}");
    error["extensions"]["position"].as_i64().expect("a position")
}

/// The positions of the alliance's events after one.
async fn positions(town: &Town, after: i64) -> Vec<i64> {
    let db = town.look().await;
    let sealed = event_seal::Entity::find()
        .filter(event_seal::Column::ChainId.eq(town.alliance_id.0))
        .filter(event_seal::Column::Position.gt(after))
        .order_by_asc(event_seal::Column::Position)
        .all(&db.read)
        .await
        .expect("seals");
    db.write.close().await.expect("the connection closes");
    sealed.iter().map(|seal| seal.position).collect()
}

/// Ten thousand sockets that only listen; others are answered meanwhile, and a drain closes every one of them.
pub async fn many_idle_sockets() -> Told {
    if let Some(skipped) = skipped_in_short() {
        return skipped;
    }
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let wanted = count(1_000, 10_000);
    let sockets = wanted.min(open_files(0).saturating_sub(SPARE_FILES));
    let node = Node::start(&town).await;
    let client = Client::new(&[node.address], GRID_OFFICER);
    let token = client.token().await.expect("they sign in");
    let before = node.resident();
    let started = Instant::now();
    let mut idle = Vec::new();
    while idle.len() < sockets {
        let batch = 50.min(sockets - idle.len());
        let opened = (0..batch).map(|_| Socket::open(node.address, &token, None));
        for socket in futures_util::future::join_all(opened).await {
            idle.push(tokio::spawn(socket.idle()));
        }
    }
    let opened_in = started.elapsed();
    let each = node.resident().saturating_sub(before) / u64::try_from(sockets).expect("few");
    let load = Load::start(&town, &[node.address], WRITERS).await;
    load.more(200).await;
    let ledger = load.stop().await;
    invariants::hold(&town, &node, &ledger).await;
    let told = Instant::now();
    node.terminate();
    let status = node.ended().await;
    let drained_in = told.elapsed();
    assert_eq!(status.code(), Some(0));
    let mut closed = 0;
    for socket in idle {
        closed += usize::from(socket.await.expect("its end") == Some(1012));
    }
    assert_eq!(closed, sockets, "every socket is closed with 1012");
    assert!(drained_in <= Duration::from_secs(25), "the drain took {drained_in:?}");
    let fewer =
        if sockets < wanted { format!(" (of {wanted}: the limit of open files)") } else { String::new() };
    Told::Held(format!(
        "{sockets} sockets{fewer} opened in {:.1} s, {} KiB each, {} meanwhile; all closed with 1012, exit 0 after {} ms",
        opened_in.as_secs_f64(),
        each / 1024,
        ledger.summary(),
        drained_in.as_millis()
    ))
}
