//! Routes beside `/graphql`: the SDL, the key set, calendar feeds, files, ledgers and certificates. Each calls one verb.

use std::{sync::LazyLock, time::Instant};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{
    Door, RequestMeta, backend::Product, certificates, files, graphql::IDEMPOTENCY_KEY, graphql::refuse,
    ledgers, limit::Principal, negotiation, negotiation::Media, origin::Origin, refusal::DoorCode,
};
use crate::{
    domain::{Actor, Ctx, Error, identity::parts, rotation::feed},
    graphql,
};

/// What a request beside GraphQL costs its caller.
const COST: u64 = 5;

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/.well-known/jwks.json", web::get().to(jwks))
        .route("/schema.graphql", web::get().to(sdl))
        .route("/feeds/{secret}.ics", web::get().to(calendar))
        .route("/files", web::post().to(upload))
        .route("/files/{id}", web::get().to(download))
        .route("/ledgers/{name}", web::get().to(ledger))
        .route("/certificates/{name}", web::get().to(certificate))
        // The same headers; the server leaves the body out.
        .route("/certificates/{name}", web::head().to(certificate));
}

fn meta(door: &Door<Product>, request: &HttpRequest) -> RequestMeta {
    let origin = Origin::from_request(request, door);
    let locale = negotiation::locale(request.headers());
    RequestMeta { request_id: origin.request_id, locale, client: origin.client, idempotency: None }
}

/// Who asks, once their credential is accepted and the request is paid for.
async fn enter(door: &Door<Product>, request: &HttpRequest) -> Result<Ctx, HttpResponse> {
    let meta = meta(door, request);
    let entered = async {
        let credential = negotiation::credential(request.headers())?;
        let session = door.session(credential.as_deref(), &meta).await?;
        door.buckets.take(&session.principal, meta.client, COST, Instant::now())?;
        Ok(door.backend.ctx(session.actor, &meta))
    };
    entered.await.map_err(|refusal| refuse(door, &meta, Media::Json, refusal))
}

async fn upload(door: web::Data<Door<Product>>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        // An upload changes nothing that lasts: sent again, it gives another id, and the first one lapses.
        return refuse(
            &door,
            &meta(&door, &request),
            Media::Json,
            DoorCode::IdempotencyNeedsOneMutation.into(),
        );
    }
    match enter(&door, &request).await {
        Ok(ctx) => files::upload(ctx, request, payload).await,
        Err(refused) => refused,
    }
}

async fn download(
    door: web::Data<Door<Product>>,
    request: HttpRequest,
    id: web::Path<String>,
) -> HttpResponse {
    match enter(&door, &request).await {
        Ok(ctx) => files::download(ctx, id).await,
        Err(refused) => refused,
    }
}

async fn ledger(
    door: web::Data<Door<Product>>,
    request: HttpRequest,
    name: web::Path<String>,
) -> HttpResponse {
    match enter(&door, &request).await {
        Ok(ctx) => ledgers::download(ctx, request, name).await,
        Err(refused) => refused,
    }
}

async fn certificate(
    door: web::Data<Door<Product>>,
    request: HttpRequest,
    name: web::Path<String>,
) -> HttpResponse {
    match enter(&door, &request).await {
        Ok(ctx) => certificates::download(ctx, name).await,
        Err(refused) => refused,
    }
}

/// A rotation as a calendar; the secret in the address is the credential, since calendar programs send no other.
async fn calendar(
    door: web::Data<Door<Product>>,
    request: HttpRequest,
    secret: web::Path<String>,
) -> HttpResponse {
    let meta = meta(&door, &request);
    if let Err(refusal) = door.buckets.take(&Principal::Anonymous, meta.client, COST, Instant::now()) {
        return refuse(&door, &meta, Media::Json, refusal);
    }
    let ctx = door.backend.ctx(Actor::Anonymous, &meta);
    match feed::render(&ctx, &secret).await {
        Ok(Some((body, tag))) => {
            answer(&request, body.into(), &tag, "text/calendar; charset=utf-8", "private, max-age=300")
        }
        Ok(None) => refuse(&door, &meta, Media::Json, DoorCode::NotFound.into()),
        Err(error) => {
            tracing::error!(request.id = meta.request_id, error = ?error, "a feed could not be read");
            let code = if matches!(error, Error::Unavailable(_)) {
                DoorCode::Unavailable
            } else {
                DoorCode::Internal
            };
            refuse(&door, &meta, Media::Json, code.into())
        }
    }
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
