//! Binds a door to an address, with the middleware that every route passes through.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::{Compress, Condition, from_fn},
    web,
};

use super::{
    Backend, Door,
    drain::{self, Drain},
    origin,
};
use crate::database;

/// How long a client may take to send the head of a request.
const SLOWEST_HEAD: Duration = Duration::from_secs(5);

/// A server that listens but does not run yet.
pub struct Bound {
    pub server: Server,
    pub addresses: Vec<SocketAddr>,
    pub drain: Drain,
}

/// Binds `door` to the address of its settings, with the routes that `configure` adds to its own.
pub fn bind<B: Backend>(door: Door<B>, configure: fn(&mut web::ServiceConfig)) -> io::Result<Bound> {
    let (listen, drained) = (door.settings.listen, door.drain.clone());
    let limit = Duration::from_millis(door.settings.drain_timeout_ms);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(door.at_worker()))
            .wrap(Compress::default())
            .wrap(Condition::new(!door.settings.cors_origins.is_empty(), door.cors()))
            .wrap(from_fn(origin::middleware::<B>))
            .wrap(from_fn(drain::middleware::<B>))
            .configure(configure)
    })
    .workers(database::workers())
    .client_request_timeout(SLOWEST_HEAD)
    // Whoever is still running then is cut by the drain's own limit.
    .shutdown_timeout(limit.as_secs().saturating_sub(5).max(1))
    .disable_signals()
    .bind(listen)?;
    Ok(Bound { addresses: server.addrs(), server: server.run(), drain: drained })
}
