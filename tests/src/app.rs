//! `TestApp`: the product under a frozen clock and seeded randomness, answering GraphQL in the process.

use std::{
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use concord::{
    app, background,
    domain::{
        Actor, App, Ctx,
        context::Clock,
        idempotency::Claim,
        identity::{door, link, session},
    },
    graphql::{self, ApiSchema, loaders, needs, values::Types},
    messages::Locale,
};
use concord_entities::id::{AccountId, ApiKeyId};
use futures_util::{StreamExt, stream::BoxStream};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::database::{self, Home};

/// A clock that stands still until a test moves it, or lets it go on by a microsecond with every look.
pub struct TestClock(Mutex<DateTime<Utc>>, AtomicBool);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let mut now = self.0.lock().expect("no panics while held");
        if self.1.load(Ordering::Relaxed) {
            *now += TimeDelta::microseconds(1);
        }
        *now
    }
}

static TYPES: LazyLock<Types> = LazyLock::new(Types::default);

/// The schema knows nothing of an app, so all share one.
static SCHEMA: LazyLock<ApiSchema> = LazyLock::new(graphql::schema);

/// A whole app on a database of its own.
pub struct TestApp {
    pub app: Arc<App>,
    pub schema: ApiSchema,
    pub clock: Arc<TestClock>,
    pub home: Home,
    /// Each with whether it went through the connection that writes.
    statements: Arc<Mutex<Vec<(bool, String)>>>,
}

impl TestApp {
    /// An app at nine in the morning of Monday, 5 January 2026, in Beijing.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// An app with other settings.
    pub async fn with(change: impl FnOnce(&mut concord::config::Config)) -> Self {
        Self::open(database::home().await, 1, change).await
    }

    /// An app with a single connection to PostgreSQL: whoever holds it and waits for another one fails.
    pub async fn narrow() -> Self {
        Self::with(|config| config.database.max_connections = 1).await
    }

    /// An app on a migrated database.
    pub async fn on(home: Home) -> Self {
        Self::open(home, 1, |_| {}).await
    }

    /// Closes the app and keeps its database, for copies to be opened.
    pub async fn freeze(self) -> Frozen {
        Frozen { now: self.app.now(), opened: AtomicU64::new(2), home: self.close().await }
    }

    /// Closes the app and gives its database back.
    pub async fn close(self) -> Home {
        if self.app.backend() == sea_orm::DbBackend::Sqlite {
            self.sql("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("the log is folded in");
        }
        self.app.read.clone().close().await.expect("the readers close");
        self.app.write.clone().close().await.expect("the writer closes");
        self.home
    }

    async fn open(home: Home, seed: u64, change: impl FnOnce(&mut concord::config::Config)) -> Self {
        let mut config = database::config(&home);
        change(&mut config);
        let start = Utc.with_ymd_and_hms(2026, 1, 5, 1, 0, 0).single().expect("an instant");
        let clock = Arc::new(TestClock(Mutex::new(start), AtomicBool::new(false)));
        let mut app =
            app::build(config, clock.clone(), app::seeded_random(seed), false).await.expect("the app builds");
        let statements = Arc::new(Mutex::new(Vec::new()));
        let parts = Arc::get_mut(&mut app).expect("nobody else holds the app yet");
        for (writes, connection) in [(false, &mut parts.read), (true, &mut parts.write)] {
            let heard = statements.clone();
            connection.set_metric_callback(move |info| {
                heard.lock().expect("no panics while held").push((writes, info.statement.sql.clone()));
            });
        }
        Self { app, schema: SCHEMA.clone(), clock, home, statements }
    }

    /// The statements that some work sends to the database, with what came of it. Nothing else may run meanwhile.
    pub async fn statements<T>(&self, work: impl AsyncFnOnce() -> T) -> (T, Vec<String>) {
        let (done, all) = self.heard(work).await;
        (done, all.into_iter().map(|(_, sql)| sql).collect())
    }

    /// Those of them that its units of work send, without what begins and ends these.
    pub async fn statements_within<T>(&self, work: impl AsyncFnOnce() -> T) -> (T, Vec<String>) {
        let (done, all) = self.heard(work).await;
        let frames = |sql: &str| ["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|frame| sql.starts_with(frame));
        let within = all.into_iter().filter(|(writes, sql)| *writes && !frames(sql)).map(|(_, sql)| sql);
        (done, within.collect())
    }

    async fn heard<T>(&self, work: impl AsyncFnOnce() -> T) -> (T, Vec<(bool, String)>) {
        self.statements.lock().expect("no panics while held").clear();
        let done = work().await;
        (done, std::mem::take(&mut *self.statements.lock().expect("no panics while held")))
    }

    /// From now on no two looks at the clock show the same instant, as in service.
    pub fn tick(&self) {
        self.clock.1.store(true, Ordering::Relaxed);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.clock.0.lock().expect("no panics while held") += by;
    }

    /// Moves the clock to an instant.
    pub fn set_now(&self, now: DateTime<Utc>) {
        *self.clock.0.lock().expect("no panics while held") = now;
    }

    /// The context of the platform itself, for setting things up through verbs.
    pub fn system(&self) -> Ctx {
        Ctx::system(&self.app)
    }

    /// The context of a person.
    pub fn ctx(&self, account: AccountId) -> Ctx {
        Ctx { actor: Actor::Account { id: account, session: None }, locale: Locale::En, ..self.system() }
    }

    /// A client of a person.
    pub fn client(&self, account: AccountId) -> Client<'_> {
        Client { app: self, ctx: self.ctx(account) }
    }

    /// A client that has not signed in.
    pub fn anonymous(&self) -> Client<'_> {
        Client { app: self, ctx: Ctx { actor: Actor::Anonymous, locale: Locale::En, ..self.system() } }
    }

    /// A client of a dashboard key.
    pub fn key(&self, key: ApiKeyId) -> Client<'_> {
        Client { app: self, ctx: Ctx { actor: Actor::Key(key), locale: Locale::En, ..self.system() } }
    }

    /// Gives a person a password through a one-time link made by the platform.
    pub async fn give_password(&self, account: AccountId, password: &str) {
        let (_, link) = link::reset(&self.system(), account).await.expect("a link");
        link::redeem(&self.anonymous().ctx, &link.secret, password).await.expect("the link is good");
    }

    /// Signs a person in.
    pub async fn sign_in(&self, username: &str, password: &str) -> session::Tokens {
        session::sign_in(&self.anonymous().ctx, username, password)
            .await
            .expect("name and password are right")
    }

    /// A client of whoever a credential stands for, as the door finds out.
    pub async fn bearer(&self, credential: &str) -> Result<Client<'_>, concord::domain::Error> {
        let (actor, _) = door::authenticate(&self.app, Some(credential)).await?;
        Ok(Client { app: self, ctx: Ctx { actor, locale: Locale::En, ..self.system() } })
    }

    /// Runs the background work until nothing is left.
    pub async fn run_background(&self) {
        background::run_once(&self.system()).await.expect("the background work is done");
    }

    /// Runs raw SQL, to prove that the database itself refuses.
    pub async fn sql(&self, text: &str) -> Result<u64, sea_orm::DbErr> {
        Ok(self.app.write.execute_unprepared(text).await?.rows_affected())
    }
}

/// The database of a closed app, of which any number of copies can be opened.
pub struct Frozen {
    home: Home,
    now: DateTime<Utc>,
    opened: AtomicU64,
}

impl Frozen {
    /// Opens a copy; what happens to it stays there.
    pub async fn thaw(&self) -> TestApp {
        // Another seed each time, so that new identifiers do not repeat those in the copy.
        let seed = self.opened.fetch_add(1, Ordering::Relaxed);
        let settings = |config: &mut concord::config::Config| {
            // As `narrow` says.
            config.database.max_connections = 1;
            // Whoever asks this much on a machine that is busy otherwise is not told so.
            config.database.acquire_timeout_ms = 120_000;
        };
        let app = TestApp::open(database::copy(&self.home).await, seed, settings).await;
        app.set_now(self.now);
        app
    }
}

/// Somebody who sends GraphQL requests.
pub struct Client<'app> {
    app: &'app TestApp,
    pub ctx: Ctx,
}

impl Client<'_> {
    /// Sends a document without variables.
    pub async fn run(&self, query: &str) -> Answer {
        self.send(query, json!({})).await
    }

    /// Sends a document with variables.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        // As the door does: a query remembers what it read.
        let remembers = !query.trim_start().starts_with("mutation");
        let mut ctx = self.ctx.clone();
        if let Ok(document) = async_graphql::parser::parse_query(query)
            && remembers
        {
            ctx.needs = Arc::new(needs::of(&TYPES, &document));
        }
        let request = async_graphql::Request::new(query)
            .variables(async_graphql::Variables::from_json(variables))
            .data(loaders::per_request(&ctx, remembers))
            .data(ctx);
        let response = self.app.schema.execute(request).await;
        Answer(serde_json::to_value(response).expect("an answer serialises"))
    }

    /// Subscribes; each item is one answer.
    pub fn subscribe(&self, query: &str, variables: Value) -> Answers {
        let request = async_graphql::Request::new(query)
            .variables(async_graphql::Variables::from_json(variables))
            .data(loaders::per_request(&self.ctx, false))
            .data(self.ctx.clone());
        Answers(self.app.schema.execute_stream(request).boxed())
    }

    /// The same client with an idempotency key for its next request.
    #[must_use]
    pub fn keyed(&self, key: &str, digest: u8) -> Self {
        let claim = Claim { key: key.to_owned(), digest: [digest; 32] };
        Self { app: self.app, ctx: Ctx { idempotency: Some(Arc::new(claim)), ..self.ctx.clone() } }
    }
}

/// A live tail as a client sees it.
pub struct Answers(BoxStream<'static, async_graphql::Response>);

impl Answers {
    /// The next answer; fails the test when none comes soon.
    pub async fn next(&mut self) -> Answer {
        self.end().await.expect("the tail goes on")
    }

    /// The next answer, or nothing where the tail has ended.
    pub async fn end(&mut self) -> Option<Answer> {
        let next = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await;
        next.expect("something comes")
            .map(|response| Answer(serde_json::to_value(response).expect("it serialises")))
    }

    /// The answers as they come, for whoever waits longer.
    pub fn stream(self) -> BoxStream<'static, Answer> {
        self.0.map(|response| Answer(serde_json::to_value(response).expect("it serialises"))).boxed()
    }

    /// Whether nothing comes for a moment.
    pub async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(300), self.0.next()).await.is_err()
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub Value);

impl Answer {
    /// The value at a path such as `/updateAlliance/alliance/name` within `data`.
    pub fn at(&self, path: &str) -> &Value {
        assert!(self.0["errors"].is_null(), "unexpected errors: {:#}", self.0);
        self.0["data"].pointer(path).unwrap_or(&Value::Null)
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> String {
        self.at(path).as_str().unwrap_or_else(|| panic!("no text at {path}: {:#}", self.0)).to_owned()
    }

    /// The code of the first error, or of the first user error of the only mutation.
    pub fn code(&self) -> Option<String> {
        let first = &self.0["errors"][0]["extensions"]["code"];
        let user = self.0["data"]
            .as_object()
            .and_then(|data| data.values().next())
            .map(|payload| match &payload["userErrors"][0]["code"] {
                // Of many items, what came of the first.
                Value::Null => match &payload["results"][0]["userErrors"][0]["code"] {
                    Value::Null => &payload["results"][0]["code"],
                    code => code,
                },
                code => code,
            })
            .unwrap_or(&Value::Null);
        first.as_str().or_else(|| user.as_str()).map(str::to_owned)
    }

    /// The answer's data when nothing at all went wrong: neither errors nor user errors.
    pub fn fine(self) -> Self {
        assert!(self.code().is_none(), "unexpected refusal: {:#}", self.0);
        self
    }
}
