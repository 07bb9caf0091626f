//! Going down without dropping anybody: readiness turns 503, streams end, running requests finish.
//!
//! It only carries the word; who listens decides what to do.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web;
use tokio::sync::watch;

use super::{Backend, Door};

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

/// Serves until SIGTERM or SIGINT, then drains within `limit` in all: after SIGTERM whoever comes is still answered for
/// `linger`, then nobody new; running requests end within the server's own shutdown timeout.
pub async fn serve_until_terminated(
    server: Server,
    drain: Drain,
    linger: Duration,
    limit: Duration,
) -> std::io::Result<()> {
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let ended = async { running.await.map_err(std::io::Error::other)? };
    tokio::pin!(ended);
    let linger = tokio::select! {
        ended = &mut ended => return ended,
        _ = terminate.recv() => linger.min(limit),
        // Somebody at a terminal: no balancer asks.
        _ = interrupt.recv() => Duration::ZERO,
    };
    tracing::info!("draining");
    drain.begin();
    tokio::time::sleep(linger).await;
    let stop = handle.stop(true);
    if tokio::time::timeout(limit.saturating_sub(linger), stop).await.is_err() {
        tracing::warn!("drain took too long, connections are cut");
        handle.stop(false).await;
        return Ok(());
    }
    ended.await
}

/// Ends every connection with the answer under way once draining has begun, so that nobody sends another request on one
/// that is about to be cut.
pub async fn middleware<B: Backend>(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let door = request.app_data::<web::Data<Door<B>>>().cloned();
    let mut response = next.call(request).await?;
    let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    if !is_upgrade && door.is_some_and(|door| door.drain.has_begun()) {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
