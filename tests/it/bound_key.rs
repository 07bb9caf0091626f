//! Keys bound to a list of documents: over every transport they run those, by text or by hash, and nothing else.

use chrono::TimeDelta;
use concord::{domain::identity::api_key, graphql::id};
use concord_tests::{Server, TestApp, World};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    door::{ready_socket, receive, send},
    problem::count,
};

const COUNT: &str = "query Open($id: ID!) { alliance(id: $id) { name problemCounts { open } } }";
const FOLLOW: &str = "subscription Follow($id: ID!) { changes(allianceId: $id) { position kind } }";
const WRITE: &str = "mutation { signOut(input: {}) { userErrors { code } } }";
/// Within no list; `{ __typename }` is what anybody may ask.
const OTHERS: [&str; 4] =
    ["{ __typename }", "query Open($id: ID!) { alliance(id: $id) { name } }", "{ me { id } }", ""];

const CREATE: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    apiKey { id documents } secret userErrors { code field message } } }";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_hash(text: &str, variables: &Value) -> Value {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(text) } });
    json!({ "variables": variables, "extensions": extensions })
}

fn by_text(text: &str, variables: &Value) -> Value {
    json!({ "query": text, "variables": variables })
}

struct Town {
    app: TestApp,
    world: World,
    server: Server,
}

impl Town {
    async fn new() -> Self {
        let app = TestApp::with(|config| config.http.batch_operations = 5).await;
        let world = World::build(&app, "632223").await;
        let server = Server::start(app.app.clone());
        Self { app, world, server }
    }

    fn input(&self, documents: Value) -> Value {
        json!({ "input": {
            "name": "大屏", "allianceIds": [id::encode(self.world.town)], "documents": documents,
            "expiresAt": (self.app.app.now() + TimeDelta::days(30)).to_rfc3339(),
        } })
    }

    async fn key(&self, documents: Value) -> String {
        let made = self.app.client(self.world.committee).send(CREATE, self.input(documents)).await.fine();
        made.text("/createApiKey/secret")
    }

    fn variables(&self) -> Value {
        json!({ "id": id::encode(self.world.town) })
    }

    async fn post(&self, key: &str, body: &Value) -> (u16, Value) {
        let sent =
            self.server.http.post(self.server.url("/graphql")).bearer_auth(key).json(body).send().await;
        let answer = sent.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn get(&self, key: &str, query: &[(&str, String)]) -> (u16, Value) {
        let sent =
            self.server.http.get(self.server.url("/graphql")).bearer_auth(key).query(query).send().await;
        let answer = sent.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// The first event of a stream: its status where it is refused, and its payload.
    async fn stream(&self, key: &str, body: &Value) -> (u16, Value) {
        let request = self.server.http.post(self.server.url("/graphql")).bearer_auth(key).json(body);
        let mut answer = request.header("Accept", "text/event-stream").send().await.expect("an answer");
        let status = answer.status().as_u16();
        if status != 200 {
            return (status, answer.json().await.expect("JSON"));
        }
        let mut text = String::new();
        while let Some(chunk) = answer.chunk().await.expect("a chunk") {
            text.push_str(&String::from_utf8_lossy(&chunk));
            if let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: {")) {
                return (status, serde_json::from_str(&format!("{{{data}")).expect("JSON"));
            }
        }
        panic!("the stream ended: {text}");
    }
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code in {answer}"))
}

fn is_refused(told: &(u16, Value)) {
    assert_eq!((told.0, code(&told.1)), (403, "DOCUMENT_NOT_STORED"), "{}", told.1);
    assert!(told.1.get("data").is_none(), "{}", told.1);
}

fn is_answered(told: &(u16, Value)) {
    assert_eq!(told.0, 200);
    assert_eq!(told.1["data"]["alliance"]["name"], "西海镇联盟", "{}", told.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_key_runs_its_documents_and_no_others_over_http() {
    let town = Town::new().await;
    let key = town.key(json!([COUNT, FOLLOW, COUNT])).await;
    let free = town.key(Value::Null).await;
    let variables = town.variables();
    // By hash at first: nobody has ever sent the text.
    is_answered(&town.post(&key, &by_hash(COUNT, &variables)).await);
    is_answered(&town.post(&key, &by_text(COUNT, &variables)).await);
    let mut both = by_hash(COUNT, &variables);
    both["query"] = json!(COUNT);
    is_answered(&town.post(&key, &both).await);
    both["query"] = json!("{ __typename }");
    assert_eq!(code(&town.post(&key, &both).await.1), "PERSISTED_QUERY_HASH_MISMATCH");
    // A text that others have made known is still none of its own, by text or by hash.
    let mut known = by_hash(OTHERS[1], &variables);
    known["query"] = json!(OTHERS[1]);
    is_answered(&town.post(&free, &known).await);
    is_answered(&town.post(&free, &by_hash(OTHERS[1], &variables)).await);
    is_refused(&town.post(&key, &known).await);
    for other in OTHERS {
        is_refused(&town.post(&key, &by_text(other, &variables)).await);
        is_refused(&town.post(&key, &by_hash(other, &variables)).await);
    }
    // A blank more is another document.
    is_refused(&town.post(&key, &by_text(&format!("{COUNT} "), &variables)).await);
    // The list is this key's: what is on it does not become known to others by hash.
    assert_eq!(code(&town.post(&free, &by_hash(FOLLOW, &variables)).await.1), "PERSISTED_QUERY_NOT_FOUND");
    let extensions =
        |text| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(text) } }).to_string();
    let asked = |name, value: String| vec![(name, value), ("variables", variables.to_string())];
    is_answered(&town.get(&key, &asked("query", COUNT.to_owned())).await);
    is_answered(&town.get(&key, &asked("extensions", extensions(COUNT))).await);
    is_refused(&town.get(&key, &asked("query", OTHERS[1].to_owned())).await);
    is_refused(&town.get(&key, &asked("extensions", extensions(OTHERS[1]))).await);
    // In a batch each stands for itself.
    let batch =
        json!([by_hash(COUNT, &variables), by_text(OTHERS[0], &json!({})), by_text(COUNT, &variables)]);
    let (status, answers) = town.post(&key, &batch).await;
    assert_eq!(status, 200);
    assert_eq!(answers[0]["data"]["alliance"]["problemCounts"]["open"], 0, "{answers}");
    assert_eq!(code(&answers[1]), "DOCUMENT_NOT_STORED");
    assert_eq!(answers[2]["data"], answers[0]["data"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_key_runs_its_documents_and_no_others_over_streams_and_sockets() {
    let town = Town::new().await;
    let key = town.key(json!([COUNT, FOLLOW])).await;
    let variables = town.variables();
    is_refused(&town.stream(&key, &by_text(OTHERS[0], &json!({}))).await);
    is_refused(&town.stream(&key, &by_hash(OTHERS[1], &variables)).await);
    is_answered(&town.stream(&key, &by_hash(COUNT, &variables)).await);
    let follow = by_hash(FOLLOW, &variables);
    let following = town.stream(&key, &follow);
    // On a busy machine the stream may begin late; it tells of what is recorded after that.
    let recording = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            crate::problem::problem_in(&town.app, &town.world, concord_entities::problem::State::Registered)
                .await;
            town.app.run_background().await;
        }
    };
    let told = tokio::select! {
        told = following => told,
        () = recording => unreachable!("it goes on"),
    };
    assert_eq!(told.1["data"]["changes"]["kind"], "PROBLEM_REGISTERED", "{}", told.1);
    let mut socket =
        ready_socket(town.server.address, json!({ "Authorization": format!("Bearer {key}") })).await;
    for (number, payload) in
        [by_text(OTHERS[0], &json!({})), by_hash(OTHERS[1], &variables), by_text(WRITE, &json!({}))]
            .into_iter()
            .enumerate()
    {
        let id = format!("refused {number}");
        send(&mut socket, &json!({ "id": id, "type": "subscribe", "payload": payload })).await;
        let told = receive(&mut socket).await;
        assert_eq!((&told["type"], &told["id"]), (&json!("error"), &json!(id)), "{told}");
        assert_eq!(told["payload"][0]["extensions"]["code"], "DOCUMENT_NOT_STORED", "{told}");
    }
    for (number, payload) in [by_text(COUNT, &variables), by_hash(COUNT, &variables)].into_iter().enumerate()
    {
        let id = format!("answered {number}");
        send(&mut socket, &json!({ "id": id, "type": "subscribe", "payload": payload })).await;
        let told = receive(&mut socket).await;
        assert_eq!(told["payload"]["data"]["alliance"]["name"], "西海镇联盟", "{told}");
        assert_eq!(receive(&mut socket).await["type"], "complete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_has_no_more_power_than_what_is_sent() {
    let town = Town::new().await;
    let deep = format!("{{ alliance(id: \"x\") {} {{ id }} {} }}", "{ parent".repeat(12), "}".repeat(12));
    let wide = format!("{{ {} }}", (0..40).map(|n| format!("a{n}: __typename ")).collect::<String>());
    let key = town.key(json!([WRITE, "not GraphQL", deep, wide, "{ nothing }"])).await;
    for (text, expected) in [
        (WRITE, "FORBIDDEN"),
        ("not GraphQL", "GRAPHQL_PARSE_FAILED"),
        (&deep, "TOO_DEEP"),
        (&wide, "TOO_MANY_ALIASES"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        for body in [by_text(text, &json!({})), by_hash(text, &json!({}))] {
            let (_, answer) = town.post(&key, &body).await;
            let user = answer["data"]["signOut"]["userErrors"][0]["code"].as_str();
            assert_eq!(user.unwrap_or_else(|| code(&answer)), expected, "{answer}");
        }
    }
    // Revoked, it runs nothing at all.
    let key_id =
        api_key::list(&town.app.ctx(town.world.committee), town.world.town, &Default::default()).await;
    let key_id = key_id.expect("keys").items[0].1.id;
    api_key::revoke(&town.app.ctx(town.world.committee), key_id).await.expect("revoked");
    assert_eq!(code(&town.post(&key, &by_text(WRITE, &json!({}))).await.1), "UNAUTHENTICATED");
}

#[tokio::test]
async fn the_list_is_checked_when_it_is_registered_and_told_by_its_hashes() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let input = |documents: Value| {
        json!({ "input": {
            "name": "大屏", "allianceIds": [id::encode(world.town)], "documents": documents,
            "expiresAt": (app.app.now() + TimeDelta::days(30)).to_rfc3339(),
        } })
    };
    let many: Vec<String> = (0..=100).map(|number| format!("{{ a{number}: __typename }}")).collect();
    for (documents, code, field) in [
        (json!([]), "OUT_OF_RANGE", "input.documents"),
        (json!(many), "OUT_OF_RANGE", "input.documents"),
        (json!([COUNT, " "]), "REQUIRED", "input.documents.1"),
        (json!([COUNT, format!("# {}", "x".repeat(64 * 1024))]), "TOO_LONG", "input.documents.1"),
        (json!(["{ a \u{0} }"]), "MALFORMED", "input.documents.0"),
    ] {
        let answer = app.client(world.committee).send(CREATE, input(documents)).await;
        assert_eq!(answer.code().as_deref(), Some(code), "{answer:?}");
        assert_eq!(answer.at("/createApiKey/userErrors/0/field"), field);
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM api_key").await, 0);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM api_key_document").await, 0);
    let made = app.client(world.committee).send(CREATE, input(json!([COUNT, FOLLOW, COUNT]))).await.fine();
    let mut expected = [hash(COUNT), hash(FOLLOW)];
    expected.sort();
    assert_eq!(*made.at("/createApiKey/apiKey/documents"), json!(expected));
    let free = app.client(world.committee).send(CREATE, input(Value::Null)).await.fine();
    assert!(free.at("/createApiKey/apiKey/documents").is_null());
}
