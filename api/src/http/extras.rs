//! Routes beside `/graphql`: the SDL, the key set, calendar feeds and files. Each calls one verb.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{Door, backend::Product};
use crate::{domain::identity::parts, graphql};

pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/.well-known/jwks.json", web::get().to(jwks));
    config.route("/schema.graphql", web::get().to(sdl));
}

/// The SDL with its validator; it cannot change while the process runs.
static SDL: LazyLock<(web::Bytes, String)> = LazyLock::new(|| {
    let text = graphql::sdl();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&text)));
    (web::Bytes::from(text), tag)
});

/// The public keys of our tokens. Verifiers look again for a key they do not know, so a short life is enough.
async fn jwks(request: HttpRequest, door: web::Data<Door<Product>>) -> HttpResponse {
    let text = parts::jwks(&door.backend.app).to_string();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&text)));
    answer(&request, text.into(), &tag, "application/jwk-set+json", "public, max-age=300")
}

async fn sdl(request: HttpRequest) -> HttpResponse {
    let (text, tag) = &*SDL;
    answer(&request, text.clone(), tag, "text/plain; charset=utf-8", "public, max-age=0, must-revalidate")
}

/// A whole text with a validator, or 304 for who has it already.
pub fn answer(request: &HttpRequest, body: web::Bytes, tag: &str, media: &str, cache: &str) -> HttpResponse {
    let known =
        request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(
            |tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*"),
        );
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, cache));
    if known { response.finish() } else { response.content_type(media).body(body) }
}
