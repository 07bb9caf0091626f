//! A small schema that proves the door alone: it panics, fails, waits and counts on demand, which the product never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_graphql::futures_util::stream::{BoxStream, Stream};
use async_graphql::parser::types::OperationType;
use async_graphql::{
    Context, Error, ErrorExtensions, ID, Object, Request, Response, Schema, SimpleObject, Subscription,
};

use concord::http::admission::ParsedDocument;
use concord::http::limit::Principal;
use concord::http::negotiation::Locale;
use concord::http::refusal::{DoorCode, Refusal};
use concord::http::{Backend, RequestMeta, Session};

pub struct Query(pub Option<i32>);

pub struct Node(u32);

#[Object]
impl Node {
    async fn id(&self) -> ID {
        ID::from(self.0)
    }
    async fn name(&self) -> String {
        format!("node {}", self.0)
    }
    async fn child(&self) -> Node {
        Node(self.0 + 1)
    }
    async fn children(&self, first: Option<i32>) -> Nodes {
        Nodes(first.unwrap_or(20))
    }
}

pub struct Nodes(i32);

#[Object]
impl Nodes {
    async fn nodes(&self) -> Vec<Node> {
        (0..self.0.clamp(0, 2)).map(|i| Node(u32::try_from(i).unwrap_or_default())).collect()
    }
    async fn total_count(&self) -> i32 {
        self.0
    }
}

#[derive(SimpleObject)]
pub struct Done {
    pub value: i32,
    pub key: Option<String>,
    pub digest: Option<String>,
}

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("hello {}", name.unwrap_or_else(|| "world".into()))
    }
    async fn me(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Actor>().0.clone()
    }
    async fn node(&self, id: Option<ID>) -> Node {
        let _ = id;
        Node(0)
    }
    async fn nodes(&self, first: Option<i32>) -> Nodes {
        Nodes(first.unwrap_or(20))
    }
    async fn sum(&self, list: Vec<i32>) -> i32 {
        list.iter().sum()
    }
    async fn panic(&self) -> Option<i32> {
        let none: Option<i32> = self.0;
        Some(none.expect("resolver bug with a secret"))
    }
    async fn broken(&self) -> async_graphql::Result<Option<i32>> {
        Err(std::io::Error::other("secret path").into())
    }
    async fn refused(&self) -> async_graphql::Result<Option<i32>> {
        Err(Error::new("no").extend_with(|_, e| e.set("code", "NOT_FOUND")))
    }
    async fn strict(&self) -> async_graphql::Result<i32> {
        Err(Error::new("no").extend_with(|_, e| e.set("code", "NOT_FOUND")))
    }
    async fn slow(&self, ms: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        true
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn act(&self, ctx: &Context<'_>, value: i32) -> Done {
        let meta = ctx.data_unchecked::<RequestMeta>();
        Done {
            value,
            key: meta.idempotency.as_ref().map(|i| i.key.clone()),
            digest: meta
                .idempotency
                .as_ref()
                .map(|i| i.digest.iter().fold(String::new(), |hex, b| hex + &format!("{b:02x}"))),
        }
    }
}

pub struct Sub;

#[Subscription]
impl Sub {
    async fn count(&self, to: i32, every_ms: Option<u64>) -> impl Stream<Item = i32> {
        async_graphql::futures_util::stream::unfold(1, move |i| async move {
            if i > to {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(every_ms.unwrap_or(5))).await;
            Some((i, i + 1))
        })
    }
    async fn explode(&self) -> impl Stream<Item = i32> {
        async_graphql::futures_util::stream::unfold(1, |i| async move {
            assert!(i < 2, "stream bug");
            Some((i, i + 1))
        })
    }
}

#[derive(Clone)]
pub struct Actor(pub String);

pub type DemoSchema = Schema<Query, Mutation, Sub>;

#[derive(Clone)]
pub struct Demo {
    pub schema: DemoSchema,
    pub ids: Arc<AtomicU64>,
}

impl Default for Demo {
    fn default() -> Self {
        Self {
            schema: Schema::build(Query(None), Mutation, Sub).disable_suggestions().finish(),
            ids: Arc::default(),
        }
    }
}

impl Backend for Demo {
    type Actor = Actor;

    async fn authenticate(
        &self,
        credential: Option<&str>,
        _: &RequestMeta,
    ) -> Result<Session<Actor>, Refusal> {
        match credential {
            None => Ok(Session {
                principal: Principal::Anonymous,
                expires_in: None,
                documents: None,
                actor: Actor("anonymous".into()),
            }),
            Some("bad") => Err(DoorCode::Unauthenticated.into()),
            Some(token) => Ok(Session {
                principal: Principal::User(token.into()),
                expires_in: token.strip_prefix("short").map(|_| Duration::from_millis(300)),
                documents: None,
                actor: Actor(token.into()),
            }),
        }
    }

    fn prepare(
        &self,
        session: &Session<Actor>,
        meta: &RequestMeta,
        _: OperationType,
        _: &ParsedDocument,
        request: Request,
    ) -> Request {
        request.data(session.actor.clone()).data(meta.clone())
    }

    async fn execute(&self, request: Request, _: bool) -> Response {
        self.schema.execute(request).await
    }

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }

    fn message(&self, code: &str, arguments: &[(&'static str, String)], _: Locale) -> String {
        match code {
            "PERSISTED_QUERY_NOT_FOUND" => "PersistedQueryNotFound".into(),
            "PERSISTED_QUERY_NOT_SUPPORTED" => "PersistedQueryNotSupported".into(),
            code => format!("{code} {arguments:?}"),
        }
    }

    fn new_id(&self) -> String {
        format!("request-{}", self.ids.fetch_add(1, Ordering::Relaxed))
    }

    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn metrics(&self) -> String {
        String::new()
    }
}
