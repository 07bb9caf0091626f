//! The product behind real sockets: routes beside GraphQL, and what the door adds to every answer.

use concord_tests::{Server, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_routes_beside_graphql_answer() {
    let app = TestApp::new().await;
    let server = Server::start(app.app.clone());
    let get = |path: &str| server.http.get(server.url(path)).send();
    for path in ["/health/live", "/health/ready", "/metrics", "/schema.graphql"] {
        assert_eq!(get(path).await.expect("an answer").status(), 200, "{path}");
    }
    let sdl = get("/schema.graphql").await.expect("an answer");
    let tag = sdl.headers().get("etag").expect("a validator").clone();
    assert_eq!(sdl.text().await.expect("a text"), concord::graphql::sdl());
    let again = server.http.get(server.url("/schema.graphql")).header("If-None-Match", tag).send().await;
    assert_eq!(again.expect("an answer").status(), 304);
    assert_eq!(get("/nothing").await.expect("an answer").status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_unauthenticated_and_messages_follow_the_language() {
    let app = TestApp::new().await;
    let server = Server::start(app.app.clone());
    let forged = server.send(Some("eyJhbGciOiJub25lIn0.e30."), "{ __typename }", json!({})).await;
    assert_eq!(forged.code().as_deref(), Some("UNAUTHENTICATED"));
    let ask = |language: &'static str| {
        let request = server.http.post(server.url("/graphql")).header("Accept-Language", language);
        request.json(&json!({ "query": "{ alliances { totalCount } }" })).send()
    };
    for (language, begins) in [("zh-CN", "请先登录"), ("en", "Sign in first"), ("fr", "请先登录")] {
        let answer: serde_json::Value = ask(language).await.expect("an answer").json().await.expect("JSON");
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with(begins), "{language}: {answer}");
        assert!(answer["errors"][0]["extensions"]["requestId"].is_string(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_no_type_takes_are_refused_before_anything_runs() {
    let app = TestApp::new().await;
    let server = Server::start(app.app.clone());
    let ask = async |query: &str, variables: serde_json::Value| {
        let request = server
            .http
            .post(server.url("/graphql"))
            .header("Accept", "application/graphql-response+json")
            .json(&json!({ "query": query, "variables": variables }));
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let answer: serde_json::Value = response.json().await.expect("JSON");
        assert!(answer.get("data").is_none(), "{query}: {answer}");
        let code = answer["errors"][0]["extensions"]["code"].as_str().expect("a code").to_owned();
        (status, code)
    };
    for literal in [
        "{ region(id: 2147483648) { name } }",
        "mutation { createRotationPlan(input: { slotCount: 2147483648 }) { userErrors { code } } }",
        "mutation { createRotationPlan(input: { slotCount: 99999999999999999999999 }) { userErrors { code } } }",
        "mutation { createRotationPlan(input: { slotCount: 1e400 }) { userErrors { code } } }",
        "{ problem(id: \"nonsense\") { number } }",
        "{ problems(filter: { dueFrom: \"2026-02-30\" }) { totalCount } }",
        "{ problems(filter: { recordedFrom: \"yesterday\" }) { totalCount } }",
        "{ problems(filter: { states: [\"REGISTERED\"] }) { totalCount } }",
        "{ problems(filter: { states: [REGISTERED], dueFrom: 20260101 }) { totalCount } }",
        "query($weight: Int = 4294967296) { __typename }",
    ] {
        // What no number can hold does not even parse.
        let code =
            if literal.contains("1e400") { "GRAPHQL_PARSE_FAILED" } else { "GRAPHQL_VALIDATION_FAILED" };
        assert_eq!(ask(literal, json!({})).await, (400, code.to_owned()), "{literal}");
    }
    let text = "query($filter: ProblemFilter, $first: Int) { problems(filter: $filter, first: $first) { totalCount } }";
    for variables in [
        json!({ "first": 4_294_967_296_i64 }),
        json!({ "filter": { "dueFrom": "2026-02-30" } }),
        json!({ "filter": { "recordedFrom": 7 } }),
    ] {
        assert_eq!(ask(text, variables.clone()).await, (400, "BAD_USER_INPUT".to_owned()), "{variables}");
    }
    // An enum's value in a variable is a string, as JSON has it.
    let fine = server.send(None, text, json!({ "filter": { "states": ["REGISTERED"] } })).await;
    assert_eq!(fine.code().as_deref(), Some("UNAUTHENTICATED"));
}
