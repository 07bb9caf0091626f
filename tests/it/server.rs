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
