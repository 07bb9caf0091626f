//! The limit of the door: the web framework that Concord stands on, answering with as many bytes as Concord does and doing
//! nothing else. `POST /{operation}`; the port comes from `PORT`.

use actix_web::{App, HttpResponse, HttpServer, web};

/// Bytes of an answer, as measured on the large set.
fn size(operation: &str) -> usize {
    match operation {
        "Q1" => 6_900,
        "Q2" => 960,
        "Q3" => 29_000,
        "Q4" => 2_000,
        _ => 280,
    }
}

async fn answer(operation: web::Path<String>, body: web::Bytes) -> HttpResponse {
    // The body is read like any other; only its content does not matter.
    let filler = "x".repeat(size(&operation).saturating_sub(body.len().min(1) + 13));
    HttpResponse::Ok().content_type("application/json").body(format!("{{\"data\":\"{filler}\"}}"))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(4105);
    HttpServer::new(|| App::new().route("/{operation}", web::post().to(answer)))
        .workers(2)
        .bind(("127.0.0.1", port))?
        .run()
        .await
}
