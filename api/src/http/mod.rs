//! The door: GraphQL over HTTP, server-sent events and WebSocket, with admission and cost in front of every operation.
//!
//! It turns bytes into admitted operations and answers into bytes. What a credential means and what fields do is the
//! backend's; no rule of the domain stands here.

mod absent;
pub mod admission;
pub mod answer;
pub mod assets;
pub mod backend;
pub mod certificates;
pub mod drain;
pub mod extras;
pub mod files;
pub mod graphql;
pub mod health;
pub mod ledgers;
pub mod lexer;
pub mod limit;
pub mod measure;
pub mod negotiation;
pub mod operation;
pub mod origin;
pub mod parameters;
pub mod refusal;
pub mod server;
pub mod sse;
pub mod websocket;

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_cors::Cors;
use actix_web::http::header;
use actix_web::web;
use async_graphql::futures_util::stream::BoxStream;
use async_graphql::parser::types::OperationType;
use serde::Deserialize;

use self::admission::{Admitted, Documents, Idempotency, Limits, ParsedDocument};
use self::drain::Drain;
use self::limit::{Buckets, CostSettings, Principal};
use self::negotiation::Locale;
use self::origin::TrustedProxies;
use self::parameters::PersistedDocuments;
use self::refusal::Refusal;
use crate::graphql::values::Types;

/// Settings of the door; every one has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How long running requests may take to end once the process is told to.
    pub drain_timeout_ms: u64,
    /// How long after that word new connections are still taken: readiness answers 503 meanwhile.
    pub drain_linger_ms: u64,
    /// Largest request body in bytes.
    pub body_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout_ms: u64,
    /// How many operations one body may hold as an array; 0 refuses arrays.
    pub batch_operations: usize,
    /// How long a query or mutation may run.
    pub deadline_ms: u64,
    /// Errors told in one answer.
    pub errors_per_answer: usize,
    /// Sockets and event streams open at once on this node.
    pub streams: usize,
    /// Operations running at once on one WebSocket.
    pub operations_per_socket: usize,
    /// Largest WebSocket message in bytes, continuations counted.
    pub message_bytes: usize,
    /// How long a WebSocket may wait with `connection_init`.
    pub init_timeout_ms: u64,
    /// How often idle sockets and streams get a sign of life.
    pub heartbeat_ms: u64,
    /// Origins that browsers may call from; none switches CORS off.
    pub cors_origins: Vec<String>,
    /// Networks (CIDR) whose forwarding headers are believed.
    pub trusted_proxies: Vec<String>,
    /// What a document may cost.
    pub limits: Limits,
    /// What a caller may spend.
    pub cost: CostSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            drain_timeout_ms: 25_000,
            drain_linger_ms: 2_000,
            body_bytes: 1024 * 1024,
            body_timeout_ms: 10_000,
            batch_operations: 0,
            deadline_ms: 10_000,
            errors_per_answer: 20,
            streams: 10_000,
            operations_per_socket: 50,
            message_bytes: 64 * 1024,
            init_timeout_ms: 5_000,
            heartbeat_ms: 15_000,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            cost: CostSettings::default(),
        }
    }
}

/// What is known about one request or one socket operation besides its parameters.
#[derive(Clone, Debug)]
pub struct RequestMeta {
    /// Told to the client in `X-Request-Id` and `extensions.requestId`, written in every log line.
    pub request_id: String,
    /// The language of messages.
    pub locale: Locale,
    /// The client's address, behind trusted proxies.
    pub client: IpAddr,
    /// The claim of an idempotent mutation.
    pub idempotency: Option<Idempotency>,
}

/// A caller whose credential was accepted, or who brought none.
#[derive(Clone, Debug)]
pub struct Session<A> {
    /// Who pays for operations.
    pub principal: Principal,
    /// After how long streams of this session end.
    pub expires_in: Option<Duration>,
    /// The only texts that this caller may run, by their SHA-256; nothing where any may be run.
    pub documents: Option<Arc<HashMap<[u8; 32], Arc<str>>>>,
    /// Whatever the backend wants to find again.
    pub actor: A,
}

/// The rest of the product, as the door sees it.
pub trait Backend: Clone + Send + Sync + 'static {
    /// What the backend remembers about a caller.
    type Actor: Clone + 'static;

    /// The same backend for a worker of the server, with what that worker keeps to itself.
    #[must_use]
    fn at_worker(&self) -> Self {
        self.clone()
    }

    /// Accepts or refuses a credential; none is a caller too.
    fn authenticate(
        &self,
        credential: Option<&str>,
        meta: &RequestMeta,
    ) -> impl Future<Output = Result<Session<Self::Actor>, Refusal>>;

    /// Refuses values that their types do not take, where the schema's own validation comes too late.
    fn check(&self, _: &Admitted) -> Result<(), Refusal> {
        Ok(())
    }

    /// Gives the request what resolvers look for: the context, loaders.
    fn prepare(
        &self,
        session: &Session<Self::Actor>,
        meta: &RequestMeta,
        kind: OperationType,
        document: &ParsedDocument,
        request: async_graphql::Request,
    ) -> async_graphql::Request;

    /// Runs a query or a mutation; `validated` says that its text and its variables need no validation any more.
    fn execute(
        &self,
        request: async_graphql::Request,
        validated: bool,
    ) -> impl Future<Output = async_graphql::Response>;

    /// The schema's types, by which answers are put in order.
    fn types(&self) -> Option<&Types> {
        None
    }

    /// Runs a subscription.
    fn execute_stream(&self, request: async_graphql::Request) -> BoxStream<'static, async_graphql::Response>;

    /// The message of a code in a language.
    fn message(&self, code: &str, arguments: &[(&'static str, String)], locale: Locale) -> String;

    /// A new request id.
    fn new_id(&self) -> String;

    /// Whether the backend can serve, or a word on why not.
    fn ready(&self) -> impl Future<Output = Result<(), String>>;

    /// The metrics in Prometheus' text format.
    fn metrics(&self) -> String;
}

/// Everything that requests share.
#[derive(Clone)]
pub struct Door<B> {
    /// The product.
    pub backend: B,
    /// How the door is set.
    pub settings: Arc<Settings>,
    /// Parsed documents.
    pub documents: Documents,
    /// Documents by hash.
    pub persisted: PersistedDocuments,
    /// Who has spent what.
    pub buckets: Buckets,
    /// Whether the process is ending.
    pub drain: Drain,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    streams: Arc<AtomicUsize>,
}

impl<B: Backend> Door<B> {
    /// Builds the door; fails when a setting cannot be read.
    pub fn new(backend: B, settings: Settings) -> Result<Self, String> {
        Ok(Self {
            backend,
            documents: Documents::default(),
            persisted: PersistedDocuments::default(),
            buckets: Buckets::new(settings.cost.clone()),
            drain: Drain::default(),
            trusted_proxies: TrustedProxies::parse(&settings.trusted_proxies)?,
            streams: Arc::default(),
            settings: Arc::new(settings),
        })
    }

    /// The same door for a worker of the server.
    #[must_use]
    pub fn at_worker(&self) -> Self {
        Self { backend: self.backend.at_worker(), ..self.clone() }
    }

    /// A place for one more socket or stream, or nothing when all are taken.
    pub fn stream_slot(&self) -> Option<StreamSlot> {
        let limit = self.settings.streams;
        let taken = self
            .streams
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| (open < limit).then_some(open + 1));
        taken.ok().map(|_| StreamSlot(Arc::clone(&self.streams)))
    }

    /// Cross-origin rules as set; without origins every cross-origin read is left to the browser to refuse.
    pub fn cors(&self) -> Cors {
        let mut cors = Cors::default()
            .allowed_methods(["GET", "POST"])
            .allowed_headers([
                header::ACCEPT.as_str(),
                header::ACCEPT_LANGUAGE.as_str(),
                header::AUTHORIZATION.as_str(),
                header::CONTENT_TYPE.as_str(),
                header::IF_NONE_MATCH.as_str(),
                "idempotency-key",
                "x-request-id",
            ])
            .expose_headers([header::ETAG.as_str(), header::RETRY_AFTER.as_str(), "x-request-id"])
            .max_age(3_600);
        for origin in &self.settings.cors_origins {
            cors = cors.allowed_origin(origin);
        }
        cors
    }

    /// Registers the door's routes; the data must be registered by the caller with `web::Data::new(door)`.
    pub fn routes(config: &mut web::ServiceConfig) {
        config
            .service(web::resource("/graphql").route(web::route().to(graphql::serve::<B>)))
            .configure(Self::health_routes);
    }

    /// Registers what the operator asks: alive, ready, metrics.
    pub fn health_routes(config: &mut web::ServiceConfig) {
        config
            .service(web::resource("/health/live").route(web::get().to(health::live)))
            .service(web::resource("/health/ready").route(web::get().to(health::ready::<B>)))
            .service(web::resource("/metrics").route(web::get().to(health::metrics::<B>)));
    }
}

/// One open socket or stream; dropping it frees the place.
#[derive(Debug)]
pub struct StreamSlot(Arc<AtomicUsize>);

impl Drop for StreamSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
