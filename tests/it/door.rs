//! The door over real connections, with the proving schema behind it.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use concord::http::{Door, Settings, drain::Drain, server};
use concord_tests::proving::Demo;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const LIMIT: usize = 1024 * 1024;

struct Server {
    address: SocketAddr,
    drain: Drain,
    client: reqwest::Client,
}

fn rich() -> Json {
    let rate = json!({ "capacity": 1_000_000, "restore_per_s": 1_000 });
    json!({ "anonymous": rate })
}

fn start(settings: Json) -> Server {
    let mut settings: Settings = serde_json::from_value(settings).unwrap();
    settings.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let door = Door::new(Demo::default(), settings).unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let bound = server::bind(door, Door::<Demo>::routes).unwrap();
            tell.send((bound.addresses[0], bound.drain.clone())).unwrap();
            bound.server.await.unwrap();
        });
    });
    let (address, drain) = told.recv().unwrap();
    Server { address, drain, client: reqwest::Client::new() }
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
    fn post(&self, body: &Json) -> reqwest::RequestBuilder {
        self.client.post(self.url("/graphql")).json(body)
    }
    fn get(&self, query: &str) -> reqwest::RequestBuilder {
        self.client.get(self.url("/graphql")).query(&[("query", query)])
    }
    async fn query(&self, query: &str) -> Json {
        self.post(&json!({ "query": query })).send().await.unwrap().json().await.unwrap()
    }
    async fn socket(&self) -> Socket {
        open(self.address).await
    }
    async fn ready_socket(&self, payload: Json) -> Socket {
        ready_socket(self.address, payload).await
    }
}

async fn open(address: SocketAddr) -> Socket {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

/// A socket whose `connection_init` was accepted.
pub(crate) async fn ready_socket(address: SocketAddr, payload: Json) -> Socket {
    let mut socket = open(address).await;
    send(&mut socket, &json!({ "type": "connection_init", "payload": payload })).await;
    assert_eq!(receive(&mut socket).await["type"], "connection_ack");
    socket
}

pub(crate) type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

pub(crate) async fn send(socket: &mut Socket, message: &Json) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

pub(crate) async fn receive(socket: &mut Socket) -> Json {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

pub(crate) async fn close_code(socket: &mut Socket) -> u16 {
    let wait = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("ended without a close frame: {other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap()
}

fn code(answer: &Json) -> &str {
    assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code in {answer}"))
}

async fn refused(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let answer: Json = response.json().await.unwrap();
    assert!(answer.get("data").is_none(), "{answer}");
    (status, code(&answer).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn http_refuses_by_status_and_code() {
    let server = start(json!({ "cost": rich() }));
    let url = server.url("/graphql");
    let is = |status: u16, code: &str| (status, code.to_owned());
    let raw = |kind: &str, body: &str| {
        server.client.post(&url).header("content-type", kind.to_owned()).body(body.to_owned())
    };
    let q = json!({ "query": "{ hello }" });
    for kind in [
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ] {
        assert_eq!(refused(raw(kind, &q.to_string())).await, is(415, "UNSUPPORTED_MEDIA_TYPE"), "{kind}");
    }
    assert_eq!(
        refused(server.client.post(&url).body(q.to_string())).await,
        is(415, "UNSUPPORTED_MEDIA_TYPE")
    );
    assert_eq!(
        refused(server.post(&q).header("content-encoding", "gzip")).await,
        is(415, "UNSUPPORTED_MEDIA_TYPE")
    );
    assert_eq!(refused(raw("application/json", "nonsense")).await, is(400, "BAD_JSON"));
    assert_eq!(refused(raw("application/json", "")).await, is(400, "BAD_JSON"));
    assert_eq!(refused(raw("application/json", "1")).await, is(400, "BAD_PARAMETER"));
    assert_eq!(refused(raw("application/json", &"[".repeat(100_000))).await, is(400, "JSON_TOO_DEEP"));
    assert_eq!(refused(raw("application/json", "[]")).await, is(400, "BATCH_NOT_ALLOWED"));
    assert_eq!(refused(server.post(&json!({}))).await, is(400, "QUERY_MISSING"));
    assert_eq!(refused(server.post(&json!({ "query": 1 }))).await, is(400, "BAD_PARAMETER"));
    assert_eq!(
        refused(server.post(&json!({ "query": "{ hello }", "variables": [] }))).await,
        is(400, "BAD_PARAMETER")
    );
    assert_eq!(refused(server.post(&q).header("accept", "text/html")).await, is(406, "NOT_ACCEPTABLE"));
    assert_eq!(refused(server.client.put(&url).json(&q)).await, is(405, "METHOD_NOT_ALLOWED"));
    assert_eq!(
        refused(server.get("mutation { act(value: 1) { value } }")).await,
        is(405, "METHOD_NOT_ALLOWED")
    );
    assert_eq!(refused(server.get("subscription { count(to: 1) }")).await, is(406, "STREAM_REQUIRED"));
    assert_eq!(
        refused(server.get("{ hello }").query(&[("query", "{ hello }")])).await,
        is(400, "BAD_PARAMETER")
    );
    assert_eq!(refused(server.get("{ hello }").query(&[("variables", "{")])).await, is(400, "BAD_JSON"));
    for (accept, status) in [("application/json", 200), ("application/graphql-response+json", 400)] {
        let ask = |query: &str| refused(server.post(&json!({ "query": query })).header("accept", accept));
        assert_eq!(ask("{").await, is(status, "GRAPHQL_PARSE_FAILED"));
        assert_eq!(ask("{ none }").await, is(status, "GRAPHQL_VALIDATION_FAILED"));
        assert_eq!(ask("{ hello(name: 1) }").await, is(status, "GRAPHQL_VALIDATION_FAILED"));
        assert_eq!(ask("query($v: Int!) { sum(list: [$v]) }").await, is(status, "BAD_USER_INPUT"));
    }
    let bad = server.post(&q).header("authorization", "Bearer bad");
    let response = bad.send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(
        refused(server.post(&q).header("authorization", "Basic eA==")).await,
        is(401, "UNAUTHENTICATED")
    );
    assert_eq!(
        refused(server.post(&q).header("idempotency-key", "k")).await,
        is(400, "IDEMPOTENCY_NEEDS_ONE_MUTATION")
    );
    let act = json!({ "query": "mutation { act(value: 1) { value key digest } }" });
    assert_eq!(
        refused(server.post(&act).header("idempotency-key", "a b")).await,
        is(400, "IDEMPOTENCY_KEY_INVALID")
    );
    let answer: Json =
        server.post(&act).header("idempotency-key", "k").send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["act"]["key"], "k");
    assert_eq!(answer["data"]["act"]["digest"].as_str().unwrap().len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_with_and_without_a_length() {
    let server = start(json!({ "cost": rich() }));
    let body = |length: usize| {
        let frame = json!({ "query": "{ hello }", "x": "" }).to_string();
        json!({ "query": "{ hello }", "x": "y".repeat(length - frame.len()) }).to_string()
    };
    let post = || server.client.post(server.url("/graphql")).header("content-type", "application/json");
    let chunked = |length: usize| {
        let chunks: Vec<_> = body(length).into_bytes().chunks(10_000).map(<[u8]>::to_vec).collect();
        reqwest::Body::wrap_stream(futures_util::stream::iter(
            chunks.into_iter().map(Ok::<_, std::io::Error>),
        ))
    };
    assert_eq!(post().body(body(LIMIT)).send().await.unwrap().status(), 200);
    assert_eq!(refused(post().body(body(LIMIT + 1))).await, (413, "BODY_TOO_LARGE".into()));
    assert_eq!(post().body(chunked(LIMIT)).send().await.unwrap().status(), 200);
    assert_eq!(refused(post().body(chunked(LIMIT + 1))).await, (413, "BODY_TOO_LARGE".into()));
    assert_eq!(server.query("{ hello }").await["data"]["hello"], "hello world");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_headers_of_their_kind() {
    let server = start(json!({ "cost": rich() }));
    let response = server.get("{ hello }").header("accept-language", "en").send().await.unwrap();
    let headers = response.headers().clone();
    assert_eq!(headers["cache-control"], "private");
    assert!(headers["vary"].to_str().unwrap().starts_with("Authorization, Accept, Accept-Language"));
    assert_eq!(headers["content-language"], "en");
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["x-request-id"].to_str().unwrap().starts_with("request-"));
    let answer: Json = response.json().await.unwrap();
    assert_eq!(answer["extensions"]["cost"]["requested"], 1);
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let again =
        server.get("{ hello }").header("if-none-match", format!("\"x\", {tag}")).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()));
    assert_eq!(again.headers()["cache-control"], "private");
    assert!(again.bytes().await.unwrap().is_empty());
    let other = server.get("{ hello(name: \"x\") }").header("if-none-match", tag).send().await.unwrap();
    assert_eq!(other.status(), 200);
    assert!(
        server.post(&json!({ "query": "{ hello }" })).send().await.unwrap().headers().get("etag").is_none()
    );
    assert!(server.get("{ refused }").send().await.unwrap().headers().get("etag").is_none());
    let untrusted = server.get("{ hello }").header("x-request-id", "mine").send().await.unwrap();
    assert_ne!(untrusted.headers()["x-request-id"], "mine");
    let trusting = start(json!({ "trusted_proxies": ["127.0.0.0/8"] }));
    let trusted = trusting.get("{ hello }").header("x-request-id", "mine").send().await.unwrap();
    assert_eq!(trusted.headers()["x-request-id"], "mine");
    let invalid = trusting.get("{ hello }").header("x-request-id", "a b").send().await.unwrap();
    assert_ne!(invalid.headers()["x-request-id"], "a b");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_coded_masked_and_survived() {
    let server = start(json!({ "cost": rich(), "deadline_ms": 200 }));
    for query in ["{ panic }", "{ broken }"] {
        let answer = server.query(query).await;
        assert_eq!(code(&answer), "INTERNAL");
        assert!(!answer.to_string().contains("secret"), "{answer}");
    }
    let answer = server.query("{ broken hello }").await;
    assert_eq!(answer["data"]["hello"], "hello world");
    assert_eq!(code(&server.query("{ refused }").await), "NOT_FOUND");
    let strict = server.query("{ strict }").await;
    assert_eq!((code(&strict), strict.get("data")), ("NOT_FOUND", Some(&Json::Null)));
    assert_eq!(code(&server.query("{ slow(ms: 5000) }").await), "DEADLINE_EXCEEDED");
    let fields: String = (0..30).fold(String::new(), |all, index| all + &format!("a{index}: refused "));
    let answer = server.query(&format!("{{ {fields} }}")).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 20);
    assert_eq!(server.query("{ hello }").await["data"]["hello"], "hello world");
}

#[tokio::test(flavor = "multi_thread")]
async fn persisted_documents_need_their_hash() {
    let server = start(json!({ "cost": rich() }));
    // SHA-256 of `{ hello }`.
    let hash = {
        use sha2::{Digest, Sha256};
        Sha256::digest("{ hello }").iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    let extension =
        |version: u64, hash: &str| json!({ "persistedQuery": { "version": version, "sha256Hash": hash } });
    let by_hash = json!({ "extensions": extension(1, &hash) });
    assert_eq!(refused(server.post(&by_hash)).await.1, "PERSISTED_QUERY_NOT_FOUND");
    let wrong = json!({ "query": "{ me }", "extensions": extension(1, &hash) });
    assert_eq!(refused(server.post(&wrong)).await.1, "PERSISTED_QUERY_HASH_MISMATCH");
    for (version, hash) in [(2, hash.as_str()), (1, "abc"), (1, &"z".repeat(64))] {
        let request = json!({ "query": "{ hello }", "extensions": extension(version, hash) });
        assert_eq!(refused(server.post(&request)).await.1, "PERSISTED_QUERY_NOT_SUPPORTED");
    }
    let full = json!({ "query": "{ hello }", "extensions": extension(1, &hash) });
    assert_eq!(server.post(&full).send().await.unwrap().status(), 200);
    let answer: Json = server.post(&by_hash).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["hello"], "hello world");
    let got =
        server.client.get(server.url("/graphql")).query(&[("extensions", extension(1, &hash).to_string())]);
    assert_eq!(got.send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_throttled_each_for_itself() {
    let server = start(json!({ "cost": { "anonymous": { "capacity": 3, "restore_per_s": 1 } } }));
    for _ in 0..3 {
        assert_eq!(server.get("{ hello }").send().await.unwrap().status(), 200);
    }
    let response = server.get("{ hello }").send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "1");
    let answer: Json = response.json().await.unwrap();
    assert_eq!((code(&answer), &answer["errors"][0]["extensions"]["retryAfter"]), ("THROTTLED", &json!(1)));
    let user = server.get("{ me }").header("authorization", "Bearer someone").send().await.unwrap();
    assert_eq!(user.json::<Json>().await.unwrap()["data"]["me"], "someone");
    // Guessing credentials and sending nonsense pay too.
    assert_eq!(refused(server.get("{ hello }").header("authorization", "Bearer bad")).await.0, 429);
    assert_eq!(refused(server.get("{")).await.0, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_bounded_when_allowed() {
    let server = start(json!({ "cost": rich(), "batch_operations": 2 }));
    let one = json!({ "query": "{ hello }" });
    let answers: Json =
        server.post(&json!([one, { "query": "{ none }" }])).send().await.unwrap().json().await.unwrap();
    assert_eq!(answers[0]["data"]["hello"], "hello world");
    assert_eq!(code(&answers[1]), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(refused(server.post(&json!([one, one, one]))).await, (400, "BATCH_SIZE_INVALID".into()));
    assert_eq!(refused(server.post(&json!([]))).await, (400, "BATCH_SIZE_INVALID".into()));
    assert_eq!(
        refused(server.post(&json!([one])).header("idempotency-key", "k")).await.1,
        "IDEMPOTENCY_NEEDS_ONE_MUTATION"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_let_in_by_origin_only() {
    let preflight = |server: &Server, origin: &str| {
        server
            .client
            .request(reqwest::Method::OPTIONS, server.url("/graphql"))
            .header("origin", origin.to_owned())
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,idempotency-key")
    };
    let closed = start(json!({}));
    assert_eq!(preflight(&closed, "https://a.example").send().await.unwrap().status(), 405);
    let open = start(json!({ "cors_origins": ["https://a.example"] }));
    let allowed = preflight(&open, "https://a.example").send().await.unwrap();
    assert_eq!(
        (allowed.status().as_u16(), allowed.headers()["access-control-allow-origin"].to_str().unwrap()),
        (200, "https://a.example")
    );
    let foreign = preflight(&open, "https://b.example").send().await.unwrap();
    assert!(foreign.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_end_with_tokens_drain_and_overload() {
    let server = start(json!({ "cost": rich(), "streams": 2 }));
    let mut short = server.ready_socket(json!({ "Authorization": "Bearer short" })).await;
    assert_eq!(close_code(&mut short).await, 4403);
    drop(short);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut socket = server.ready_socket(json!({ "authorization": "Bearer someone" })).await;
    send(&mut socket, &json!({ "id": "1", "type": "subscribe", "payload": { "query": "{ me }" } })).await;
    assert_eq!(receive(&mut socket).await["payload"]["data"]["me"], "someone");
    assert_eq!(receive(&mut socket).await["type"], "complete");
    send(
        &mut socket,
        &json!({ "id": "2", "type": "subscribe", "payload": {
        "query": "mutation { act(value: 2) { key } }", "extensions": { "idempotencyKey": "k2" } } }),
    )
    .await;
    assert_eq!(receive(&mut socket).await["payload"]["data"]["act"]["key"], "k2");
    assert_eq!(receive(&mut socket).await["type"], "complete");
    send(
        &mut socket,
        &json!({ "id": "3", "type": "subscribe", "payload": { "query": "subscription { explode }" } }),
    )
    .await;
    assert_eq!(receive(&mut socket).await["payload"]["data"]["explode"], 1);
    let failed = receive(&mut socket).await;
    assert_eq!(
        (&failed["type"], &failed["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("INTERNAL"))
    );
    let mut second = server.ready_socket(json!({})).await;
    let mut third = server.socket().await;
    assert_eq!(close_code(&mut third).await, 1013);
    assert_eq!(server.client.get(server.url("/health/ready")).send().await.unwrap().status(), 200);
    let started = Instant::now();
    server.drain.begin();
    assert_eq!(server.client.get(server.url("/health/ready")).send().await.unwrap().status(), 503);
    assert_eq!(server.client.get(server.url("/health/live")).send().await.unwrap().status(), 200);
    assert_eq!(close_code(&mut socket).await, 1012);
    assert_eq!(close_code(&mut second).await, 1012);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_end_on_drain_and_expiry_without_complete() {
    let server = start(json!({ "cost": rich(), "heartbeat_ms": 50 }));
    let stream = |token: &str| {
        server
            .get("subscription { count(to: 100000, everyMs: 400) }")
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {token}"))
    };
    let text = stream("short").send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with(":\n\n:\n\n") && !text.contains("complete"), "{text}");
    let response = stream("long").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    let reading = tokio::spawn(response.text());
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.drain.begin();
    let text = reading.await.unwrap().unwrap();
    assert!(
        text.contains("event: next\ndata: {\"data\":{\"count\":1}") && !text.contains("complete"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_common_introspection_query_fits() {
    let server = start(json!({}));
    // A type below nine wrappers is as deep as the common tools look.
    let wrapped = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let value = format!("name description type {{ {wrapped} }} defaultValue");
    let query = format!(
        "{{ __schema {{ queryType {{ name }} types {{ kind name description
            fields(includeDeprecated: true) {{ name description args {{ {value} }} type {{ {wrapped} }} isDeprecated }}
            inputFields {{ {value} }} interfaces {{ {wrapped} }} enumValues(includeDeprecated: true) {{ name }}
            possibleTypes {{ {wrapped} }} }} directives {{ name locations args {{ {value} }} }} }} }}"
    );
    let answer = server.query(&query).await;
    assert_eq!(answer["data"]["__schema"]["queryType"]["name"], "Query", "{answer}");
}
