//! Random requests at the product's own server: nothing that a stranger or a member sends is answered with a failure of ours.
//!
//! `PROPTEST_CASES` says how many; 3,000 without it.

use concord_tests::{Server, TestApp, World};
use futures_util::{StreamExt, stream};
use proptest::{
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::page::{self, Runner, WALKTHROUGH};

const REQUESTS: usize = 3_000;
const AT_ONCE: usize = 16;

/// One request, whatever it may be.
#[derive(Clone, Debug)]
struct Random {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    /// Whether a member sends it.
    known: bool,
    /// Sent as it stands, past any client's care.
    raw: bool,
}

/// Some bytes changed, taken out or put in.
fn spoil(mut bytes: Vec<u8>, changes: &[(Index, u8)]) -> Vec<u8> {
    for (place, byte) in changes {
        let at = place.index(bytes.len() + 1);
        match byte % 3 {
            0 => bytes.insert(at, *byte),
            _ if at == bytes.len() => {}
            1 => bytes[at] = byte.wrapping_mul(31),
            _ => drop(bytes.remove(at)),
        }
    }
    bytes
}

fn requests(documents: Vec<String>) -> impl Strategy<Value = Random> {
    let changes = || prop::collection::vec((any::<Index>(), any::<u8>()), 0..4);
    let value = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,30}".prop_map(|text| json!(text)),
        "[A-Za-z0-9_-]{0,60}".prop_map(|text| json!(text)),
        "[0-9]{4}-[0-9]{2}(-[0-9]{2})?(T[0-9:]{5,8}Z)?".prop_map(|text| json!(text)),
        Just(json!({ "x": [1, { "y": null }] })),
        Just(json!([])),
    ];
    let names = ["alliance", "problem", "id", "input", "now", "today", "month", "due", "lamp", "first"];
    let variables = prop::collection::vec((select(names.to_vec()), value), 0..5);
    let operation =
        (select(documents), changes(), variables, changes()).prop_map(|(text, spoilt, values, late)| {
            let text = String::from_utf8_lossy(&spoil(text.into_bytes(), &spoilt)).into_owned();
            let variables: serde_json::Map<_, _> =
                values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            spoil(
                json!({ "query": text, "variables": variables }).to_string().into_bytes(),
                &late[..late.len() / 2],
            )
        });
    let body = prop_oneof![8 => operation, 1 => prop::collection::vec(any::<u8>(), 0..300), 1 => ".{0,80}".prop_map(String::into_bytes)];
    let path = prop_oneof![
        12 => Just("/graphql".to_owned()),
        2 => "/graphql\\?(query|variables|extensions|operationName)=[%a-zA-Z0-9{}_]{0,40}",
        1 => "/files\\?name=[%a-z0-9.]{0,12}",
        1 => "/(files|calendars)/[A-Za-z0-9_%.-]{0,40}",
        1 => "/(health/live|health/ready|metrics|schema.graphql|graphiql|\\.well-known/jwks.json|[a-z%/.]{0,12})",
    ];
    let headers = prop::collection::vec(
        prop_oneof![
            "((application|text|\\*)/(json|graphql-response\\+json|\\*)(;q=[01](\\.[0-9])?)?,?){0,3}"
                .prop_map(|text| ("accept", text.into_bytes())),
            ".{0,20}".prop_map(|text| ("accept-language", text.into_bytes())),
            "[ -~]{0,40}".prop_map(|text| ("authorization", text.into_bytes())),
            "Bearer [A-Za-z0-9_.-]{0,80}".prop_map(|text| ("authorization", text.into_bytes())),
            "[ -~]{0,20}".prop_map(|text| ("idempotency-key", text.into_bytes())),
            "[0-9a-f.:, ]{0,40}".prop_map(|text| ("x-forwarded-for", text.into_bytes())),
            "[ -~]{0,40}".prop_map(|text| ("x-request-id", text.into_bytes())),
            "[ -~]{0,20}".prop_map(|text| ("if-none-match", text.into_bytes())),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| ("content-encoding", bytes)),
            Just(("x-concord-upload", b"1".to_vec())),
        ],
        0..3,
    );
    let method = prop_oneof![8 => Just("POST"), 3 => Just("GET"), 1 => select(vec!["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])];
    let json_mostly = prop::bool::weighted(0.9);
    let (known, raw) = (prop::bool::weighted(0.5), prop::bool::weighted(0.05));
    (method, path, headers, body, known, raw, json_mostly).prop_map(
        |(method, path, mut headers, body, known, raw, json)| {
            headers
                .push(("content-type", if json { &b"application/json"[..] } else { b"text/plain" }.to_vec()));
            Random { method, path, headers, body, known, raw }
        },
    )
}

/// Sends a request and gives its status and its text; nothing where the server hung up on bytes that are no HTTP.
async fn send(server: &Server, random: &Random, token: &str) -> Option<(u16, String)> {
    if random.raw {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", random.method, random.path).into_bytes();
        for (name, value) in &random.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        bytes.extend_from_slice(&random.body);
        let mut stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
        // The server may hang up before it has read everything.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        return Some((status, answer));
    }
    let method = random.method.parse().expect("a method");
    let mut request = server.http.request(method, server.url(&random.path)).body(random.body.clone());
    for (name, value) in &random.headers {
        if let Ok(value) = reqwest::header::HeaderValue::from_bytes(value) {
            request = request.header(*name, value);
        }
    }
    if random.known {
        request = request.bearer_auth(token);
    }
    let request = request.build().ok()?;
    let response = server.http.execute(request).await.unwrap_or_else(|error| panic!("{error}: {random:?}"));
    Some((response.status().as_u16(), response.text().await.expect("a whole answer")))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_random_request_is_answered_with_a_failure_of_ours() {
    let app = TestApp::with(|config| {
        for rate in [&mut config.http.cost.anonymous, &mut config.http.cost.user] {
            rate.capacity = 1_000_000_000;
            rate.restore_per_s = 1_000_000;
        }
        config.http.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.committee, "one of their own").await;
    let token = app.sign_in("committee.632223", "one of their own").await.access_token;
    let server = Server::start(app.app.clone());
    // What the walkthrough sends, save what waits for events.
    let documents: Vec<String> = page::blocks_of(WALKTHROUGH, Runner::Walkthrough)
        .into_iter()
        .filter(|block| block.language == "graphql" && !block.text.contains("subscription"))
        .map(|block| block.text)
        .collect();
    let many = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(REQUESTS);
    let (strategy, mut runner) = (requests(documents), TestRunner::deterministic());
    let random =
        std::iter::repeat_with(|| strategy.new_tree(&mut runner).expect("a request").current()).take(many);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    let mut answers = stream::iter(random)
        .map(async |random| (send(&server, &random, &token).await, random))
        .buffer_unordered(AT_ONCE);
    while let Some((answer, random)) = answers.next().await {
        let Some((status, text)) = answer else { continue };
        assert!(status < 500 && !text.contains("\"INTERNAL\""), "{status} {text}\n{random:?}");
        *statuses.entry(status).or_default() += 1;
    }
    for status in [200, 400, 401] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
    assert_eq!(server.send(None, "{ __typename }", json!({})).await.at("/__typename"), "Query");
}
