//! Going down without dropping anybody: readiness turns 503, streams end, running requests finish.
//!
//! It only carries the word; who listens decides what to do.

use std::time::Duration;

use actix_web::dev::Server;
use tokio::sync::watch;

/// Tells every part of the door that the process is about to end.
#[derive(Clone, Debug)]
pub struct Drain {
    begun: watch::Sender<bool>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { begun: watch::Sender::new(false) }
    }
}

impl Drain {
    /// Says it, once and for all.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether it was said.
    pub fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Resolves when it is said, at once when it was.
    pub async fn begun(&self) {
        let mut begun = self.begun.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = begun.wait_for(|begun| *begun).await;
    }
}

/// Serves until SIGTERM or SIGINT, then drains: no new connections, running requests within the server's own shutdown
/// timeout, at most `limit` in all.
pub async fn serve_until_terminated(server: Server, drain: Drain, limit: Duration) -> std::io::Result<()> {
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let ended = async { running.await.map_err(std::io::Error::other)? };
    tokio::pin!(ended);
    tokio::select! {
        ended = &mut ended => return ended,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    drain.begin();
    let stop = handle.stop(true);
    if tokio::time::timeout(limit, stop).await.is_err() {
        tracing::warn!("drain took too long, connections are cut");
        handle.stop(false).await;
        return Ok(());
    }
    ended.await
}
