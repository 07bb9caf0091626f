//! Tokens of external issuers: they open the linked account and nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use concord::{
    domain::{
        Error,
        identity::{
            issuer::{ExternalAlgorithm, ExternalType, IssuerSettings},
            signing::KeyRing,
        },
    },
    graphql::id,
};
use concord_tests::{TestApp, World};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

const ISSUER: &str = "https://login.example";

const LINK: &str = "mutation($input: LinkExternalIdentityInput!) {
    linkExternalIdentity(input: $input) { externalIdentity { id issuer subject } userErrors { code field } }
}";

const UNLINK: &str = "mutation($input: UnlinkExternalIdentityInput!) {
    unlinkExternalIdentity(input: $input) { account { id externalIdentities { id } } userErrors { code } }
}";

/// An issuer that publishes its keys, and an app that trusts it.
async fn trusting() -> (TestApp, World, KeyRing, tempfile::TempDir, MockServer) {
    let server = MockServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let random = concord::app::seeded_random(9);
    let ring = KeyRing::open(
        &folder.path().join("keys"),
        Default::default(),
        chrono::DateTime::UNIX_EPOCH,
        &|bytes| (random.lock().expect("a generator"))(bytes),
    )
    .expect("keys");
    Mock::given(path("/jwks.json"))
        .respond_with(ResponseTemplate::new(200).set_body_json(ring.jwks()))
        .mount(&server)
        .await;
    let jwks_url = format!("{}/jwks.json", server.uri());
    let app = TestApp::with(|config| {
        config.outbound.allow_http = true;
        config.outbound.allow = vec!["127.0.0.0/8".parse().expect("a network")];
        config.identity.issuers = vec![IssuerSettings {
            issuer: ISSUER.to_owned(),
            audience: "concord".to_owned(),
            jwks_url,
            algorithms: vec![ExternalAlgorithm::EdDsa],
            types: vec![ExternalType::Jwt],
            leeway_seconds: 30,
        }];
    })
    .await;
    let world = World::build(&app, "632223").await;
    (app, world, ring, folder, server)
}

/// A token as the issuer makes it, with some claims changed.
fn token(app: &TestApp, folder: &tempfile::TempDir, ring: &KeyRing, change: Value) -> String {
    let now = app.app.now().timestamp();
    let mut claims = json!({ "iss": ISSUER, "aud": "concord", "sub": "u-1", "iat": now, "exp": now + 600, "email": "admin@town" });
    for (name, value) in change.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    let kid = ring.active();
    let pem = std::fs::read(folder.path().join("keys").join(format!("signing-{kid}.pem"))).expect("a key");
    let header = json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" });
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let key = jsonwebtoken::EncodingKey::from_ed_pem(&pem).expect("a key");
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA);
    format!("{message}.{}", signature.expect("a signature"))
}

#[tokio::test]
async fn a_linked_subject_comes_in_and_an_unlinked_one_does_not() {
    let (app, world, ring, folder, _server) = trusting().await;
    let good = token(&app, &folder, &ring, json!({}));
    let refused = async |text: &str| matches!(app.bearer(text).await.err(), Some(Error::Unauthenticated));
    assert!(refused(&good).await, "a token alone links nobody, whatever e-mail it names");
    let input = |subject: &str, issuer: &str| json!({ "input": { "accountId": id::encode(world.staff), "issuer": issuer, "subject": subject } });
    let committee = app.client(world.committee);
    let linked = committee.send(LINK, input("u-1", ISSUER)).await.fine();
    let linked_client = app.bearer(&good).await.expect("linked");
    let me = linked_client.run("{ me { username externalIdentities { subject } } }").await;
    assert_eq!(me.text("/me/username"), "staff.632223");
    assert_eq!(me.text("/me/externalIdentities/0/subject"), "u-1");
    // There is no session of ours to end, unless all are meant.
    let out = linked_client.run("mutation { signOut(input: {}) { userErrors { code } } }").await;
    assert_eq!(out.code().as_deref(), Some("STATE_REFUSED"));
    for wrong in [
        json!({ "sub": "u-2" }),
        json!({ "iss": "https://other.example" }),
        json!({ "aud": "other" }),
        json!({ "exp": app.app.now().timestamp() - 60 }),
        json!({ "iss": "concord" }),
    ] {
        assert!(refused(&token(&app, &folder, &ring, wrong.clone())).await, "{wrong}");
    }
    // One subject opens one account; issuers that nobody configured open none.
    let twice = committee.send(LINK, input("u-1", ISSUER)).await;
    assert_eq!(twice.code().as_deref(), Some("ALREADY_EXISTS"));
    let unknown = committee.send(LINK, input("u-3", "https://other.example")).await;
    assert_eq!(unknown.code().as_deref(), Some("MALFORMED"));
    let link = json!({ "input": { "externalIdentityId": linked.text("/linkExternalIdentity/externalIdentity/id") } });
    assert_eq!(
        app.client(world.other_staff).send(UNLINK, link.clone()).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    let gone = committee.send(UNLINK, link).await.fine();
    assert!(
        gone.at("/unlinkExternalIdentity/account/externalIdentities").as_array().expect("links").is_empty()
    );
    assert!(refused(&good).await);
    app.run_background().await;
}

#[tokio::test]
async fn linking_takes_the_power_that_a_reset_takes_and_ends_with_the_account() {
    let (app, world, ring, folder, _server) = trusting().await;
    let input =
        json!({ "input": { "accountId": id::encode(world.staff), "issuer": ISSUER, "subject": "u-1" } });
    for (who, code) in
        [(world.staff, "FORBIDDEN"), (world.other_staff, "NOT_FOUND"), (world.stranger, "NOT_FOUND")]
    {
        assert_eq!(app.client(who).send(LINK, input.clone()).await.code().as_deref(), Some(code));
    }
    app.client(world.manager).send(LINK, input).await.fine();
    let good = token(&app, &folder, &ring, json!({}));
    assert!(app.bearer(&good).await.is_ok());
    let system = app.system();
    concord::domain::identity::account::disable(&system, world.staff, None).await.expect("disabled");
    assert!(matches!(app.bearer(&good).await.err(), Some(Error::Unauthenticated)));
}
