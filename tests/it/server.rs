//! The product behind real sockets: routes beside GraphQL, and what the door adds to every answer.

use concord::graphql::id;
use concord_tests::{Server, TestApp, World};
use serde_json::json;

use crate::door::{close_code, ready_socket, receive, send};

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
        "mutation { createRotationPlan(input: { slotCount: 2147483648 }) { userErrors { code } } }",
        "mutation { createRotationPlan(input: { slotCount: 99999999999999999999999 }) { userErrors { code } } }",
        "mutation { createRotationPlan(input: { slotCount: 1e400 }) { userErrors { code } } }",
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

#[tokio::test(flavor = "multi_thread")]
async fn an_open_socket_serves_nobody_who_signed_out() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.staff, "correct horse battery").await;
    let server = Server::start(app.app.clone());
    for (ending, kept) in [
        ("mutation { signOut(input: { everywhere: true }) { userErrors { code } } }", false),
        ("mutation { signOut(input: {}) { userErrors { code } } }", false),
        ("{ me { username } }", true),
    ] {
        let tokens = app.sign_in("staff.632223", "correct horse battery").await;
        let bearer = json!({ "authorization": format!("Bearer {}", tokens.access_token) });
        let mut socket = ready_socket(server.address, bearer).await;
        let ask = |number: u32| json!({ "id": number.to_string(), "type": "subscribe", "payload": { "query": "{ me { username } }" } });
        send(&mut socket, &ask(1)).await;
        assert_eq!(receive(&mut socket).await["payload"]["data"]["me"]["username"], "staff.632223");
        assert_eq!(receive(&mut socket).await["type"], "complete");
        server.send(Some(&tokens.access_token), ending, json!({})).await.fine();
        send(&mut socket, &ask(2)).await;
        if kept {
            assert_eq!(receive(&mut socket).await["payload"]["data"]["me"]["username"], "staff.632223");
        } else {
            assert_eq!(close_code(&mut socket).await, 4403, "{ending}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_is_not_given_is_as_if_it_were_not_there() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.committee, "correct horse battery").await;
    let server = Server::start(app.app.clone());
    let token = app.sign_in("committee.632223", "correct horse battery").await.access_token;
    let ask =
        async |query: &str, variables: serde_json::Value| server.send(Some(&token), query, variables).await;
    let town = json!({ "town": id::encode(world.town) });
    for query in [
        "query($o: ProblemOrder) { problems(first: 1, orderBy: $o) { totalCount } }",
        "query($f: PriorityTaskFilter, $o: PriorityTaskOrder) { priorityTasks(filter: $f, orderBy: $o) { totalCount } }",
        "query($s: [ProblemState!], $t: String) { problems(filter: { states: $s, text: $t }) { totalCount } }",
        "query($town: ID!, $o: MembershipOrder, $n: Int) { alliance(id: $town) { ...F } }
         fragment F on Alliance { members(first: $n, orderBy: $o) { totalCount } }",
    ] {
        // Twice: the second time from the cache.
        for _ in 0..2 {
            ask(query, town.clone()).await.fine();
        }
    }
    // A null that is given is no absence.
    let order = "query($o: ProblemOrder) { problems(first: 1, orderBy: $o) { totalCount } }";
    assert!(ask(order, json!({ "o": null })).await.code().is_some());
    // Defaults count where a field is skipped or included.
    let skipped = ask("query($b: Boolean = true) { me @skip(if: $b) { id } __typename }", json!({})).await;
    assert_eq!(skipped.fine().at(""), &json!({ "__typename": "Query" }));
    let included = ask("query($b: Boolean = true) { me @include(if: $b) { username } }", json!({})).await;
    assert_eq!(included.text("/me/username"), "committee.632223");
    let not = "mutation($b: Boolean = true) { signOut(input: {}) @skip(if: $b) { userErrors { code } } __typename }";
    ask(not, json!({})).await.fine();
    ask("{ me { id } }", json!({})).await.fine();
    // One subscription at a time, and not from a fragment: the library would end it at once.
    for wrong in [
        "subscription { a: inbox { id } b: inbox { id } }",
        "subscription { ... on Subscription { inbox { id } } }",
        "subscription { ...F } fragment F on Subscription { inbox { id } }",
    ] {
        let request = server.http.post(server.url("/graphql")).header("Accept", "text/event-stream");
        let answer =
            request.bearer_auth(&token).json(&json!({ "query": wrong })).send().await.expect("an answer");
        let text = answer.text().await.expect("a text");
        assert!(text.contains("GRAPHQL_VALIDATION_FAILED"), "{wrong}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_is_no_object_stops_what_stands_before_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.committee, "correct horse battery").await;
    let server = Server::start(app.app.clone());
    let token = app.sign_in("committee.632223", "correct horse battery").await.access_token;
    let text = "mutation($a: UpdateAllianceInput!, $b: UpdateAllianceInput!) {
        a: updateAlliance(input: $a) { alliance { version } userErrors { code } }
        b: updateAlliance(input: $b) { alliance { version } userErrors { code } } }";
    let good = json!({ "allianceId": id::encode(world.town), "expectedVersion": 1, "name": "新名" });
    for bad in [json!("x"), json!([good])] {
        let answer = server.send(Some(&token), text, json!({ "a": good, "b": bad })).await;
        assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"));
    }
    let now = "query($id: ID!) { alliance(id: $id) { version } }";
    let answer = server.send(Some(&token), now, json!({ "id": id::encode(world.town) })).await;
    assert_eq!(answer.at("/alliance/version"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_every_key_of_its_selection_in_order_and_null_where_something_failed() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.committee, "correct horse battery").await;
    let token = app.sign_in("committee.632223", "correct horse battery").await.access_token;
    let server = Server::start(app.app.clone());
    let (alliance, region) = (id::encode(world.town).0, id::encode(world.town_region).0);
    // As text, since a map would sort the keys.
    let ask = async |query: String| {
        let request = server.http.post(server.url("/graphql")).header("Accept", "application/json");
        let answer = request.bearer_auth(&token).json(&json!({ "query": query })).send().await;
        answer.expect("an answer").text().await.expect("a text")
    };
    for (query, data) in [
        // Whatever is ready first, and however often it is asked.
        ("{ problems { totalCount } __typename priorityTasks { totalCount } alliances(first: 1) { totalCount } }".to_owned(),
            r#"{"problems":{"totalCount":0},"__typename":"Query","priorityTasks":{"totalCount":0},"alliances":{"totalCount":1}}"#),
        // What failed is null where it may be, and its parent where it may not.
        ("{ node(id: \"bogus\") { id } me { username } }".to_owned(), r#"{"node":null,"me":{"username":"committee.632223"}}"#),
        (format!("{{ alliance(id: \"{alliance}\") {{ name members(first: 1000) {{ totalCount }} timeZone }} }}"),
            r#"{"alliance":null}"#),
        (format!("{{ a: region(id: \"{region}\") {{ name }} b: region(id: \"{region}\") {{ children(first: 1000) {{ totalCount }} }} }}"),
            r#"{"a":{"name":"西海镇"},"b":null}"#),
        // An object of which nothing is shown is an object.
        (format!("{{ alliance(id: \"{alliance}\") {{ name @include(if: false) }} }}"), r#"{"alliance":{}}"#),
        (format!("{{ nodes(ids: [\"{alliance}\"]) {{ ... on PriorityTask {{ title }} }} }}"), r#"{"nodes":[{}]}"#),
        ("{ viewer { __typename ... on Account { username } } viewer { ... on ApiKey { id } } }".to_owned(),
            r#"{"viewer":{"__typename":"Account","username":"committee.632223"}}"#),
    ] {
        for _ in 0..3 {
            let answer = ask(query.clone()).await;
            assert!(answer.contains(&format!("\"data\":{data},\"ext")), "{query}\n{answer}");
        }
    }
}
