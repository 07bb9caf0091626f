//! SIGTERM in the middle of a burst: nobody who was let in goes without an answer.

use std::time::{Duration, Instant};

use crate::{
    Told, count,
    crash::WRITERS,
    invariants,
    load::{Client, ENOUGH, Load},
    node::{Node, free_address},
    socket::{Heard, Socket},
    town::{GRID_OFFICER, Town},
};

/// The promise: from SIGTERM to the end of the process.
const ENDS_WITHIN: Duration = Duration::from_secs(25);
const SOCKETS: usize = 20;

/// Told to stop under load, several times.
pub async fn told_to_stop_in_a_burst() -> Told {
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let (mut worst, address, bursts) = (Duration::ZERO, free_address(), count(1, 10));
    let mut ledger = crate::load::Ledger::default();
    let mut node = Node::start_at(&town, address).await;
    for _ in 0..bursts {
        let token = Client::new(&[address], GRID_OFFICER).token().await.expect("they sign in");
        let mut sockets = Vec::new();
        for _ in 0..SOCKETS {
            sockets.push(Socket::open(address, &token, None).await);
        }
        let load = Load::start(&town, &[address], WRITERS).await;
        load.more(ENOUGH).await;
        let told = Instant::now();
        node.terminate();
        // The signal is on its way; as soon as it is heard, readiness says so, on a new connection too.
        let mut answer = node.ready().await;
        while answer == Some(200) && told.elapsed() < Duration::from_secs(1) {
            answer = node.ready().await;
        }
        assert_eq!(answer, Some(503), "readiness turns at once");
        // As behind a balancer: nobody new is sent here any more, and whoever was let in is answered.
        let answered = load.stop().await;
        assert_eq!(answered.doubts, 0, "requests went without an answer: {}", answered.summary());
        ledger.add(answered);
        for socket in &mut sockets {
            let heard = socket.hear().await;
            assert!(matches!(heard, Heard::Closed(Some(1012))), "{heard:?}");
        }
        let status = node.ended().await;
        worst = worst.max(told.elapsed());
        assert_eq!(status.code(), Some(0));
        assert!(worst <= ENDS_WITHIN, "the drain took {worst:?}");
        node = Node::start_at(&town, address).await;
        invariants::hold(&town, &node, &ledger).await;
    }
    Told::Held(format!(
        "{bursts} drains, {} sockets closed with 1012, {}; SIGTERM to exit 0 at most {} ms",
        bursts * SOCKETS,
        ledger.summary(),
        worst.as_millis()
    ))
}
