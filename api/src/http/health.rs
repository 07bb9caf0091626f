//! Answers for whoever runs the process: alive, ready, metrics.
//!
//! Liveness asks nothing of the database; readiness asks the backend and says 503 as soon as draining begins.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::{Backend, Door};

const READY_TIMEOUT: Duration = Duration::from_secs(3);

/// The process runs.
pub async fn live() -> HttpResponse {
    answer(HttpResponse::Ok(), "ok", None)
}

/// The process can serve.
pub async fn ready<B: Backend>(door: web::Data<Door<B>>) -> HttpResponse {
    if door.drain.has_begun() {
        return answer(HttpResponse::ServiceUnavailable(), "draining", None);
    }
    match tokio::time::timeout(READY_TIMEOUT, door.backend.ready()).await {
        Ok(Ok(())) => answer(HttpResponse::Ok(), "ok", None),
        Ok(Err(reason)) => answer(HttpResponse::ServiceUnavailable(), "unavailable", Some(&reason)),
        Err(_) => answer(HttpResponse::ServiceUnavailable(), "unavailable", Some("the check took too long")),
    }
}

/// The metrics for Prometheus.
pub async fn metrics<B: Backend>(door: web::Data<Door<B>>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(door.backend.metrics())
}

fn answer(mut response: actix_web::HttpResponseBuilder, status: &str, reason: Option<&str>) -> HttpResponse {
    let body = match reason {
        Some(reason) => serde_json::json!({ "status": status, "reason": reason }),
        None => serde_json::json!({ "status": status }),
    };
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}
