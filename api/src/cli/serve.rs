//! `concord serve`: the API over HTTP and the background hands, until SIGTERM.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpServer,
    middleware::{Compress, Condition, from_fn},
    web,
};

use super::{Failure, Outcome, build};
use crate::{
    background,
    config::Config,
    domain::App,
    graphql,
    http::{Door, assets, backend::Product, drain, extras, origin},
    telemetry,
};

/// How long a client may take to send the head of a request.
const SLOWEST_HEAD: Duration = Duration::from_secs(5);

pub async fn run(config: Config) -> Outcome {
    let app = build(config, true).await?;
    serve(app).await
}

/// Serves an app that is ready: what `serve` and `demo` share.
pub async fn serve(app: Arc<App>) -> Outcome {
    let roles = app.config.roles.clone();
    let hands = background::spawn(&app, roles.background);
    let product = Product { app: app.clone(), schema: graphql::schema(), metrics: telemetry::metrics() };
    let settings = app.config.http.clone();
    let (listen, limit) = (settings.listen, Duration::from_millis(settings.drain_timeout_ms));
    let door = Door::new(product, settings).map_err(|error| Failure::usage(format!("[http] {error}")))?;
    let drain = door.drain.clone();
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::new(door.clone()))
            .wrap(Compress::default())
            .wrap(Condition::new(!door.settings.cors_origins.is_empty(), door.cors()))
            .wrap(from_fn(origin::middleware::<Product>))
            .configure(|routes| {
                if roles.http {
                    Door::<Product>::routes(routes);
                    extras::routes(routes);
                    assets::configure(routes);
                } else {
                    Door::<Product>::health_routes(routes);
                }
            })
    })
    .client_request_timeout(SLOWEST_HEAD)
    .shutdown_timeout(limit.as_secs().saturating_sub(5).max(1))
    .disable_signals()
    .bind(listen)
    .map_err(|error| Failure::wrong(format!("{listen}: {error}; choose another address with --listen")))?
    .run();
    tracing::info!(http.listen = %listen, "serving");
    let served = drain::serve_until_terminated(server, drain, limit).await;
    hands.stop().await;
    served.map_err(Failure::wrong)
}
