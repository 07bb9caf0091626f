//! The process is killed as a power cut would end it, again and again, under eight writers.

use std::time::Duration;

use crate::{
    Told, count, invariants,
    load::{ENOUGH, Ledger, Load},
    node::{Node, free_address},
    town::{Town, on_postgres},
};

/// Writers at work while something breaks.
pub const WRITERS: usize = 8;
/// Kills between two looks at everything.
const BATCH: usize = 10;

/// `kill -9` with writes under way.
pub async fn killed_under_load() -> Told {
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let kills = if on_postgres() { count(3, 50) } else { count(4, 100) };
    let (mut ledger, mut ready, mut under_way, address) = (Ledger::default(), Vec::new(), 0, free_address());
    let mut node = Node::start_at(&town, address).await;
    while ready.len() < kills {
        let batch = BATCH.min(kills - ready.len());
        let load = Load::start(&town, &[address], WRITERS).await;
        for kill in 0..batch {
            under_way += load.more(ENOUGH / batch + 1).await;
            // Falls at another moment of the writes each time.
            tokio::time::sleep(Duration::from_micros(u64::try_from(kill).expect("few") * 1700 % 9000)).await;
            node.kill();
            node = Node::start_at(&town, address).await;
            ready.push(node.ready_in);
        }
        ledger.add(load.stop().await);
        invariants::hold(&town, &node, &ledger).await;
    }
    assert!(ledger.acknowledged.len() >= ENOUGH, "too few acknowledgements to count");
    Told::Held(format!(
        "{kills} kills with {under_way} writes under way, {}; start to ready {}",
        ledger.summary(),
        spread(ready)
    ))
}

/// Two nodes share a database; one after the other is killed and comes back.
pub async fn one_of_two_nodes_killed() -> Told {
    if !on_postgres() {
        return Told::Skipped("several nodes need PostgreSQL".to_owned());
    }
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let (kills, pause) = (count(2, 12), Duration::from_secs(if crate::is_full() { 5 } else { 1 }));
    let addresses = [free_address(), free_address()];
    let mut nodes = Vec::new();
    for address in addresses {
        nodes.push(Node::start_at(&town, address).await);
    }
    let load = Load::start(&town, &addresses, WRITERS).await;
    let mut ready = Vec::new();
    for kill in 0..kills {
        tokio::time::sleep(pause).await;
        load.more(ENOUGH / kills).await;
        let turn = kill % nodes.len();
        let node = nodes.remove(turn);
        let address = node.address;
        node.kill();
        // The other one goes on answering and sealing alone.
        load.more(10).await;
        nodes.insert(turn, Node::start_at(&town, address).await);
        ready.push(nodes[turn].ready_in);
    }
    let ledger = load.stop().await;
    assert!(ledger.acknowledged.len() >= ENOUGH, "too few acknowledgements to count");
    for node in &nodes {
        invariants::hold(&town, node, &ledger).await;
    }
    Told::Held(format!("{kills} kills, {}; start to ready {}", ledger.summary(), spread(ready)))
}

/// The middle and the worst of some times.
pub fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let (middle, worst) = (times[times.len() / 2], times[times.len() - 1]);
    format!("{} ms, at most {} ms", middle.as_millis(), worst.as_millis())
}
