//! The product behind the door: credentials become a `Ctx`, operations run on the schema.

use std::sync::Arc;

use actix_web::web;
use async_graphql::{
    Request, Response, ValidationMode, futures_util::stream::BoxStream, parser::types::OperationType,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{
    Backend, Door, RequestMeta, Session,
    admission::{Admitted, ParsedDocument},
    assets, extras,
    limit::Principal,
    negotiation::Locale,
    refusal::{DoorCode, Refusal},
};
use crate::{
    database::{self, Reader},
    domain::{Actor, App, Ctx, Error, idempotency::Claim, identity},
    graphql::{self, ApiSchema, loaders, needs, values::Types},
    messages,
};

/// The share of an operation's deadline, in tenths, within which items of it are begun: what is left is for the last of them and for
/// reading the answer.
const BEGINNING: i64 = 7;
/// Bytes free on the data directory's disk below which the process is not ready.
const LEAST_ROOM: u64 = 1 << 20;

/// Concord itself.
#[derive(Clone)]
pub struct Product {
    pub app: Arc<App>,
    pub schema: ApiSchema,
    /// The same schema for texts that have passed validation before.
    pub validated_schema: ApiSchema,
    pub types: Types,
    pub metrics: Option<PrometheusHandle>,
    reader: Reader,
}

impl Product {
    /// Puts the app behind the door.
    pub fn new(app: Arc<App>, metrics: Option<PrometheusHandle>) -> Self {
        let validated_schema = graphql::schema_with(ValidationMode::Fast);
        let reader = Reader::shared(&app.read);
        Self { app, schema: graphql::schema(), validated_schema, types: Types::default(), metrics, reader }
    }

    /// All routes of the product.
    pub fn routes(config: &mut web::ServiceConfig) {
        Door::<Self>::routes(config);
        extras::routes(config);
        assets::configure(config);
    }

    /// The context of one request.
    pub fn ctx(&self, actor: Actor, meta: &RequestMeta) -> Ctx {
        Ctx {
            app: self.app.clone(),
            actor,
            locale: meta.locale,
            request_id: meta.request_id.as_str().into(),
            idempotency: meta
                .idempotency
                .as_ref()
                .map(|claim| Arc::new(Claim { key: claim.key.clone(), digest: claim.digest })),
            begins_until: None,
            needs: Arc::default(),
            reader: self.reader.clone(),
        }
    }
}

impl Backend for Product {
    type Actor = Actor;

    fn at_worker(&self) -> Self {
        let own = self.app.near.as_ref().map(|openers| Reader::own(&self.app.read, openers));
        Self { reader: own.unwrap_or_else(|| self.reader.clone()), ..self.clone() }
    }

    async fn authenticate(
        &self,
        credential: Option<&str>,
        meta: &RequestMeta,
    ) -> Result<Session<Actor>, Refusal> {
        let found = async {
            let (actor, expires_at) = identity::door::authenticate(&self.app, credential).await?;
            let documents = match actor {
                Actor::Key(id) => identity::stored_documents::of(&self.app, id).await?,
                _ => None,
            };
            Ok::<_, Error>((actor, expires_at, documents))
        };
        let (actor, expires_at, documents) = match found.await {
            Ok(found) => found,
            Err(error) => {
                if error.is_failure() {
                    tracing::error!(request.id = meta.request_id, error = ?error, "a credential could not be checked");
                }
                return Err(match error {
                    Error::Unavailable(_) => DoorCode::Unavailable.into(),
                    Error::Internal(_) => DoorCode::Internal.into(),
                    _ => DoorCode::Unauthenticated.into(),
                });
            }
        };
        let principal = match actor {
            Actor::Account { id, .. } => Principal::User(id.to_string().into()),
            Actor::Key(id) => Principal::Key(id.to_string().into()),
            Actor::Anonymous | Actor::System => Principal::Anonymous,
        };
        let expires_in = expires_at.map(|at| (at - self.app.now()).to_std().unwrap_or_default());
        Ok(Session { principal, expires_in, documents, actor })
    }

    fn check(&self, admitted: &Admitted) -> Result<(), Refusal> {
        let document = &admitted.document.document;
        self.types.check(document, admitted.operation_name.as_deref(), &admitted.variables).map_err(
            |misfit| {
                let code = if misfit.literal { DoorCode::ValidationFailed } else { DoorCode::BadUserInput };
                Refusal::new(code).with("detail", misfit.detail)
            },
        )
    }

    fn prepare(
        &self,
        session: &Session<Actor>,
        meta: &RequestMeta,
        kind: OperationType,
        document: &ParsedDocument,
        request: Request,
    ) -> Request {
        let mut ctx = self.ctx(session.actor, meta);
        let is_query = kind == OperationType::Query;
        if is_query {
            let needs = || Arc::new(needs::of(&self.types, &document.document));
            ctx.needs = document.needs.get_or_init(needs).clone();
        } else {
            // A deadline beyond what time can tell is none.
            let tenth = i64::try_from(self.app.config.http.deadline_ms / 10).ok();
            let most = tenth.and_then(|tenth| TimeDelta::try_milliseconds(tenth.checked_mul(BEGINNING)?));
            ctx.begins_until = most.and_then(|most| ctx.now().checked_add_signed(most));
        }
        request.data(loaders::per_request(&ctx, is_query)).data(ctx)
    }

    async fn execute(&self, request: Request, validated: bool) -> Response {
        let schema = if validated { &self.validated_schema } else { &self.schema };
        schema.execute(request).await
    }

    fn types(&self) -> Option<&Types> {
        Some(&self.types)
    }

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }

    fn message(&self, code: &str, arguments: &[(&'static str, String)], locale: Locale) -> String {
        messages::find(locale, &messages::key(code), arguments).unwrap_or_else(|| code.to_owned())
    }

    fn new_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.app.random_bytes::<12>())
    }

    async fn ready(&self) -> Result<(), String> {
        // A write of the database may still find room when evidence, or the next write, does not.
        let room = rustix::fs::statvfs(&self.app.config.data.directory)
            .map_err(|error| format!("the data directory: {error}"))?;
        if room.f_bavail.saturating_mul(room.f_frsize) < LEAST_ROOM {
            return Err("the disk is full".to_owned());
        }
        database::ready(&self.app.write, &self.app.read).await.map_err(|error| {
            tracing::warn!(error = ?error, "not ready");
            error.reason().to_owned()
        })
    }

    fn metrics(&self) -> String {
        self.metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default()
    }
}
