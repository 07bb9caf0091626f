//! GraphQL over HTTP: POST with a JSON body, GET for queries, and the way to event streams and sockets.
//!
//! It speaks the protocol; admission, cost and execution are the same for every transport and stand elsewhere.

use std::time::Duration;

use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use async_graphql::parser::types::OperationType;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::negotiation::{self, Accepted, Media};
use super::operation::Paid;
use super::origin::Origin;
use super::parameters::{self, Body, Parameters};
use super::refusal::{DoorCode, Refusal};
use super::{Backend, Door, RequestMeta, Session, sse, websocket};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const VARY: &str = "Authorization, Accept, Accept-Language";

/// The one endpoint.
pub async fn serve<B: Backend>(
    request: HttpRequest,
    payload: web::Payload,
    door: web::Data<Door<B>>,
) -> HttpResponse {
    let origin = Origin::from_request(&request, &door);
    let locale = negotiation::locale(request.headers());
    let meta =
        RequestMeta { request_id: origin.request_id, locale, client: origin.client, idempotency: None };
    if request.method() == Method::GET && is_upgrade(&request) {
        return match websocket::accept(&request, payload, &door, meta.clone()) {
            Ok(response) => response,
            Err(refusal) => refuse(&door, &meta, Media::Json, refusal),
        };
    }
    let accepted = match negotiation::accept(request.headers()) {
        Ok(accepted) => accepted,
        Err(refusal) => return refuse(&door, &meta, Media::Json, refusal),
    };
    let exchange = Exchange { door: &door, meta: &meta, accepted, request: &request };
    match exchange.answer(payload).await {
        Ok(response) => response,
        Err(refusal) => refuse(&door, &meta, accepted.media(), refusal),
    }
}

fn is_upgrade(request: &HttpRequest) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

struct Exchange<'a, B> {
    door: &'a Door<B>,
    meta: &'a RequestMeta,
    accepted: Accepted,
    request: &'a HttpRequest,
}

impl<B: Backend> Exchange<'_, B> {
    async fn answer(&self, payload: web::Payload) -> Result<HttpResponse, Refusal> {
        let headers = self.request.headers();
        match *self.request.method() {
            Method::POST => negotiation::check_content_type(headers)?,
            Method::GET => {}
            _ => return Err(Refusal { allow: Some("GET, POST"), ..DoorCode::MethodNotAllowed.into() }),
        }
        let credential = negotiation::credential(headers)?;
        let session = self.door.session(credential.as_deref(), self.meta).await?;
        let limits = &self.door.settings.limits;
        let body = if self.request.method() == Method::GET {
            let pairs = web::Query::<Vec<(String, String)>>::from_query(self.request.query_string())
                .map_err(|fault| Refusal::new(DoorCode::BadParameter).with("parameter", fault))?;
            Body::Single(parameters::from_query(pairs.into_inner(), limits)?)
        } else {
            let bytes = self.body(payload).await?;
            parameters::from_body(&bytes, limits, self.door.settings.batch_operations)?
        };
        match body {
            Body::Single(parameters) => self.single(session, parameters).await,
            Body::Batch(operations) => self.batch(session, operations).await,
        }
    }

    /// Counts while reading, because a length need not be told or true.
    async fn body(&self, mut payload: web::Payload) -> Result<Vec<u8>, Refusal> {
        let limit = self.door.settings.body_bytes;
        let too_large = || Refusal::over(DoorCode::BodyTooLarge, limit);
        let declared =
            self.request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if declared
            .and_then(|length| length.parse::<u64>().ok())
            .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit))
        {
            return Err(too_large());
        }
        let read = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|_| DoorCode::BodyIncomplete)?;
                if bytes.len() + chunk.len() > limit {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        let patience = Duration::from_millis(self.door.settings.body_timeout_ms);
        tokio::time::timeout(patience, read).await.map_err(|_| DoorCode::BodyIncomplete)?
    }

    fn idempotency_key(&self) -> Result<Option<String>, Refusal> {
        let mut values = self.request.headers().get_all(IDEMPOTENCY_KEY);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value
                .to_str()
                .map(|key| Some(key.to_owned()))
                .map_err(|_| DoorCode::IdempotencyKeyInvalid.into()),
            (Some(_), Some(_)) => Err(DoorCode::IdempotencyKeyInvalid.into()),
        }
    }

    async fn single(
        &self,
        session: Session<B::Actor>,
        parameters: Parameters,
    ) -> Result<HttpResponse, Refusal> {
        let admitted = self.door.admit(&session, self.meta, parameters, self.idempotency_key()?)?;
        let is_get = self.request.method() == Method::GET;
        if is_get && admitted.kind == OperationType::Mutation {
            return Err(Refusal { allow: Some("POST"), ..DoorCode::MethodNotAllowed.into() });
        }
        let subscription = admitted.kind == OperationType::Subscription;
        if subscription && !self.accepted.stream {
            return Err(DoorCode::StreamRequired.into());
        }
        let as_stream = subscription || self.accepted.prefers_stream;
        let slot = if as_stream { Some(self.door.stream_slot().ok_or_else(overloaded)?) } else { None };
        let paid = self.door.charge(&session, self.meta, admitted)?;
        if let Some(slot) = slot {
            return Ok(sse::respond(self.door.clone(), session, self.meta.clone(), paid, slot));
        }
        let answer = self.door.run(&session, self.meta, paid).await;
        Ok(self.write(&answer, is_get))
    }

    async fn batch(
        &self,
        session: Session<B::Actor>,
        operations: Vec<Parameters>,
    ) -> Result<HttpResponse, Refusal> {
        // A key names one mutation; a batch could hold several.
        if self.idempotency_key()?.is_some() {
            return Err(DoorCode::IdempotencyNeedsOneMutation.into());
        }
        let mut body = vec![b'['];
        for parameters in operations {
            let answer = match self.batched(&session, parameters) {
                Ok(paid) => self.door.run(&session, self.meta, paid).await,
                Err(refusal) => Answer::refused(&self.door.backend, self.meta, refusal),
            };
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(&answer.to_json());
        }
        body.push(b']');
        Ok(head(StatusCode::OK, self.accepted.media(), self.meta).body(body))
    }

    fn batched(&self, session: &Session<B::Actor>, parameters: Parameters) -> Result<Paid, Refusal> {
        let admitted = self.door.admit(session, self.meta, parameters, None)?;
        if admitted.kind == OperationType::Subscription {
            return Err(DoorCode::StreamRequired.into());
        }
        self.door.charge(session, self.meta, admitted)
    }

    fn write(&self, answer: &Answer, is_get: bool) -> HttpResponse {
        let media = self.accepted.media();
        let status = status(answer, media);
        let mut response = head(status, media, self.meta);
        // An answer with errors carries the request's id and is never the same twice.
        if is_get && answer.errors.is_empty() {
            let tag = tag(&answer.data);
            response.insert_header((header::ETAG, tag.as_str()));
            if self.has_tag(&tag) {
                return response.status(StatusCode::NOT_MODIFIED).finish();
            }
        }
        response.body(answer.to_json())
    }

    fn has_tag(&self, tag: &str) -> bool {
        let strong = tag.trim_start_matches("W/");
        let values =
            self.request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|known| known == "*" || known.trim_start_matches("W/") == strong)
    }
}

/// Weak, because the cost that is told beside the data changes.
fn tag(data: &impl Serialize) -> String {
    let mut hasher = Sha256::new();
    serde_json::to_writer(&mut hasher, data)
        .expect("GraphQL values have string keys and a hasher takes every byte");
    format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(hasher.finalize()))
}

/// The refusal of one more stream than this node serves.
pub fn overloaded() -> Refusal {
    Refusal { retry_after_s: Some(5), ..DoorCode::Overloaded.into() }
}

/// Writes a refusal as an answer.
pub(super) fn refuse<B: Backend>(
    door: &Door<B>,
    meta: &RequestMeta,
    media: Media,
    refusal: Refusal,
) -> HttpResponse {
    let answer = Answer::refused(&door.backend, meta, refusal);
    let mut response = head(status(&answer, media), media, meta);
    if let Some(refusal) = &answer.refusal {
        if let Some(seconds) = refusal.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allow) = refusal.allow {
            response.insert_header((header::ALLOW, allow));
        }
        if refusal.status == Some(StatusCode::UNAUTHORIZED) {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if refusal.is(DoorCode::BodyTooLarge) || refusal.is(DoorCode::BodyIncomplete) {
            // What was not read must not be taken for the next request.
            response.force_close();
        }
    }
    response.body(answer.to_json())
}

fn status(answer: &Answer, media: Media) -> StatusCode {
    let fixed = answer.refusal.as_ref().and_then(|refusal| refusal.status);
    match (fixed, media) {
        (Some(status), _) => status,
        (None, Media::GraphqlResponse) if answer.is_request_error() => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

fn head(status: StatusCode, media: Media, meta: &RequestMeta) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, media.as_str()))
        .insert_header((header::CACHE_CONTROL, "private"))
        .insert_header((header::VARY, VARY))
        .insert_header((header::CONTENT_LANGUAGE, meta.locale.tag()));
    response
}
