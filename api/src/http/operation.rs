//! From parameters to answers, the same for every transport: resolve, admit, charge, prepare, run, present.
//!
//! A panic below becomes an answer here, and so does an operation that takes too long.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};
use futures_util::stream::{self, BoxStream, LocalBoxStream};
use futures_util::{FutureExt, StreamExt};
use serde_json::Value as Json;
use tracing::Instrument;

use super::admission::{self, Admitted, ParsedDocument};
use super::answer::Answer;
use super::limit::{Charge, Principal};
use super::parameters::Parameters;
use super::refusal::{DoorCode, Refusal};
use super::{Backend, Door, RequestMeta, Session};
use crate::graphql::complete::complete;

/// An admitted operation whose cost was taken.
#[derive(Clone, Debug)]
pub struct Paid {
    /// The operation.
    pub admitted: Admitted,
    /// What was taken.
    pub charge: Charge,
}

impl<B: Backend> Door<B> {
    /// Accepts a credential; a refused one costs its sender's address a point, so that guessing is slow.
    pub async fn session(
        &self,
        credential: Option<&str>,
        meta: &RequestMeta,
    ) -> Result<Session<B::Actor>, Refusal> {
        match self.backend.authenticate(credential, meta).await {
            Ok(session) => Ok(session),
            Err(refusal) => {
                self.buckets.take(&Principal::Anonymous, meta.client, 1, Instant::now())?;
                Err(refusal)
            }
        }
    }

    /// Resolves persisted documents and admits the operation; refusals cost a point, because parsing costs time.
    pub fn admit(
        &self,
        session: &Session<B::Actor>,
        meta: &RequestMeta,
        parameters: Parameters,
        idempotency_key: Option<String>,
    ) -> Result<Admitted, Refusal> {
        let resolved = self.persisted.resolve(parameters, idempotency_key, session.documents.as_deref());
        let admitted = resolved.and_then(|(request, pending)| {
            let admitted = admission::admit(&request, &self.settings.limits, &self.documents)?;
            if !admitted.is_validated() {
                self.backend.check(&admitted)?;
            }
            if let Some(pending) = pending {
                self.persisted.remember(pending);
            }
            Ok(admitted)
        });
        match admitted {
            Ok(admitted) => Ok(admitted),
            Err(refusal) => {
                metrics::counter!("graphql_refusals_total", "code" => refusal.code).increment(1);
                self.buckets.take(&session.principal, meta.client, 1, Instant::now())?;
                Err(refusal)
            }
        }
    }

    /// Takes the operation's cost from the caller's bucket.
    pub fn charge(
        &self,
        session: &Session<B::Actor>,
        meta: &RequestMeta,
        admitted: Admitted,
    ) -> Result<Paid, Refusal> {
        let charge = self.buckets.take(&session.principal, meta.client, admitted.cost, Instant::now())?;
        Ok(Paid { admitted, charge })
    }

    /// Runs a query or a mutation.
    pub async fn run(&self, session: &Session<B::Actor>, meta: &RequestMeta, paid: Paid) -> Answer {
        let Paid { admitted, charge } = paid;
        let kind = admitted.kind;
        let started = Instant::now();
        let span = tracing::info_span!(
            "graphql",
            request.id = %meta.request_id,
            graphql.operation.type = kind_name(kind),
            graphql.operation.name = admitted.operation_name.as_deref().unwrap_or_default(),
        );
        let document = Arc::clone(&admitted.document);
        let operation = admitted.operation_name.clone();
        let validated = admitted.is_validated();
        let work = async {
            let request = self.request(session, meta, admitted);
            let mut response = self.backend.execute(request, validated).await;
            complete(self.backend.types(), &document.document, operation.as_deref(), &mut response);
            if !validated && response.errors.is_empty() {
                document.validated.store(true, Ordering::Relaxed);
            }
            response
        }
        .instrument(span);
        let limit = Duration::from_millis(self.settings.deadline_ms);
        let outcome = tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await;
        let answer = match outcome {
            Ok(Ok(response)) => {
                Answer::executed(&self.backend, meta, response, Some(charge), self.settings.errors_per_answer)
            }
            Ok(Err(panic)) => self.panicked(meta, panic.as_ref()),
            Err(_) => {
                tracing::warn!(request.id = %meta.request_id, "operation took too long");
                Answer::refused(&self.backend, meta, DoorCode::DeadlineExceeded.into())
            }
        };
        let outcome = if answer.errors.is_empty() { "ok" } else { "error" };
        metrics::histogram!("graphql_operation_seconds", "kind" => kind_name(kind), "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
        answer
    }

    /// Runs any operation as a stream of answers; queries and mutations give one.
    pub fn answers(
        self,
        session: Session<B::Actor>,
        meta: RequestMeta,
        paid: Paid,
    ) -> LocalBoxStream<'static, Answer> {
        if paid.admitted.kind != OperationType::Subscription {
            return stream::once(async move { self.run(&session, &meta, paid).await }).boxed_local();
        }
        let Paid { admitted, charge } = paid;
        let (document, operation) = (Arc::clone(&admitted.document), admitted.operation_name.clone());
        let start = AssertUnwindSafe(|| {
            let request = self.request(&session, &meta, admitted);
            self.backend.execute_stream(request)
        });
        match std::panic::catch_unwind(start) {
            Ok(responses) => {
                let (responses, charge) = (Some(responses), Some(charge));
                let state = Subscription { door: self, meta, document, operation, responses, charge };
                stream::unfold(state, Subscription::next).boxed_local()
            }
            Err(panic) => {
                let answer = self.panicked(&meta, panic.as_ref());
                stream::once(async move { answer }).boxed_local()
            }
        }
    }

    fn request(&self, session: &Session<B::Actor>, meta: &RequestMeta, admitted: Admitted) -> Request {
        // The text stays with the cache: nothing reads it once the parsed document is handed over.
        let mut request =
            Request::new(String::new()).variables(Variables::from_json(Json::Object(admitted.variables)));
        let kind = admitted.kind;
        request.operation_name = admitted.operation_name;
        request.set_parsed_query(admitted.document.document.clone());
        let meta = RequestMeta { idempotency: admitted.idempotency, ..meta.clone() };
        self.backend.prepare(session, &meta, kind, &admitted.document, request)
    }

    fn panicked(&self, meta: &RequestMeta, panic: &(dyn std::any::Any + Send)) -> Answer {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("not a text");
        tracing::error!(request.id = %meta.request_id, panic = message, "resolver panicked");
        Answer::refused(&self.backend, meta, DoorCode::Internal.into())
    }
}

struct Subscription<B> {
    door: Door<B>,
    meta: RequestMeta,
    document: Arc<ParsedDocument>,
    operation: Option<String>,
    responses: Option<BoxStream<'static, async_graphql::Response>>,
    charge: Option<Charge>,
}

impl<B: Backend> Subscription<B> {
    async fn next(mut self) -> Option<(Answer, Self)> {
        let responses = self.responses.as_mut()?;
        let answer = match AssertUnwindSafe(responses.next()).catch_unwind().await {
            Ok(response) => {
                let mut response = response?;
                let operation = self.operation.as_deref();
                complete(self.door.backend.types(), &self.document.document, operation, &mut response);
                let max_errors = self.door.settings.errors_per_answer;
                Answer::executed(&self.door.backend, &self.meta, response, self.charge.take(), max_errors)
            }
            Err(panic) => {
                self.responses = None;
                self.door.panicked(&self.meta, panic.as_ref())
            }
        };
        Some((answer, self))
    }
}

fn kind_name(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}
