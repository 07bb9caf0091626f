//! The database breaks while the process lives: it crashes, cuts connections, or is lost for good.

use std::time::{Duration, Instant};

use crate::{
    Told,
    cluster::Cluster,
    count,
    crash::{WRITERS, spread},
    invariants,
    load::{ENOUGH, Load},
    node::{Node, free_address},
    town::{Town, on_postgres},
};

/// Longest wait for the node to be ready once the database is back.
const BACK_WITHIN: Duration = Duration::from_secs(15);

fn skipped_without_postgres() -> Option<Told> {
    (!on_postgres()).then(|| Told::Skipped("it is PostgreSQL's".to_owned()))
}

/// PostgreSQL ends without a checkpoint and recovers, with transactions open.
pub async fn postgres_crashes() -> Told {
    if let Some(skipped) = skipped_without_postgres() {
        return skipped;
    }
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let crashes = count(1, 50);
    let node = Node::start(&town).await;
    let load = Load::start(&town, &[node.address], WRITERS).await;
    let (mut back, mut under_way) = (Vec::new(), 0);
    for crash in 0..crashes {
        under_way += load.more((ENOUGH / crashes).max(20)).await;
        tokio::time::sleep(Duration::from_micros(u64::try_from(crash).expect("few") * 1700 % 9000)).await;
        town.cluster().crash();
        assert_eq!(node.ready().await, Some(503), "readiness tells that the database is away");
        town.cluster().up();
        back.push(ready_again(&node).await);
    }
    let ledger = load.stop().await;
    assert!(ledger.acknowledged.len() >= ENOUGH, "too few acknowledgements to count");
    invariants::hold(&town, &node, &ledger).await;
    Told::Held(format!(
        "{crashes} crashes with {under_way} writes under way, {}; ready after PostgreSQL {}",
        ledger.summary(),
        spread(back)
    ))
}

async fn ready_again(node: &Node) -> Duration {
    let started = Instant::now();
    while node.ready().await != Some(200) {
        assert!(started.elapsed() < BACK_WITHIN, "the node does not come back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    started.elapsed()
}

/// A storm of `pg_terminate_backend` on every connection of the node.
pub async fn connections_are_cut() -> Told {
    if let Some(skipped) = skipped_without_postgres() {
        return skipped;
    }
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let storms = count(10, 200);
    let node = Node::start(&town).await;
    let load = Load::start(&town, &[node.address], WRITERS).await;
    for _ in 0..storms {
        load.more((ENOUGH / storms).max(5)).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = 'concord' AND pid <> pg_backend_pid()";
        town.cluster().sql(cut).await;
    }
    let again = ready_again(&node).await;
    let ledger = load.stop().await;
    assert!(ledger.acknowledged.len() >= ENOUGH, "too few acknowledgements to count");
    invariants::hold(&town, &node, &ledger).await;
    Told::Held(format!(
        "{storms} storms, {}; ready {} ms after the last",
        ledger.summary(),
        again.as_millis()
    ))
}

/// The primary is lost with its disk; the synchronous standby takes over.
pub async fn the_primary_is_lost() -> Told {
    if let Some(skipped) = skipped_without_postgres() {
        return skipped;
    }
    let mut town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let standby = town.cluster().standby().await;
    let address = free_address();
    let node = Node::start_at(&town, address).await;
    let load = Load::start(&town, &[address], WRITERS).await;
    let under_way = load.more(ENOUGH).await;
    let lost = Instant::now();
    town.cluster().crash();
    node.kill();
    standby.promote();
    let primary = town.move_to(standby);
    let node = Node::start_at(&town, address).await;
    let away = lost.elapsed();
    load.more(20).await;
    let ledger = load.stop().await;
    invariants::hold(&town, &node, &ledger).await;
    drop::<Option<Cluster>>(primary);
    Told::Held(format!(
        "primary lost with {under_way} writes under way, {}; served again after {} ms",
        ledger.summary(),
        away.as_millis()
    ))
}
