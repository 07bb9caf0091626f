//! `concord serve`: the API over HTTP and the background hands, until SIGTERM.

use std::{sync::Arc, time::Duration};

use super::{Failure, Outcome, build};
use crate::{
    background,
    config::Config,
    domain::App,
    http::{Door, backend::Product, drain, server},
    telemetry,
};

pub async fn run(config: Config) -> Outcome {
    let app = build(config, true).await?;
    serve(app).await
}

/// Serves an app that is ready: what `serve` and `demo` share.
pub async fn serve(app: Arc<App>) -> Outcome {
    let (roles, settings) = (app.config.roles.clone(), app.config.http.clone());
    let listen = settings.listen;
    let linger = Duration::from_millis(settings.drain_linger_ms);
    let limit = Duration::from_millis(settings.drain_timeout_ms);
    let product = Product::new(app.clone(), telemetry::metrics());
    let door = Door::new(product, settings).map_err(|error| Failure::usage(format!("[http] {error}")))?;
    let routes = if roles.http { Product::routes } else { Door::<Product>::health_routes };
    let bound = server::bind(door, routes).map_err(|error| {
        Failure::wrong(format!("{listen}: {error}; choose another address with --listen"))
    })?;
    let hands = background::spawn(&app);
    tracing::info!(http.listen = %listen, "serving");
    let served = drain::serve_until_terminated(bound.server, bound.drain, linger, limit).await;
    hands.stop().await;
    served.map_err(Failure::wrong)
}
