//! Proof of external issuers: their tokens, their keys, and how often we ask.

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaPair, KeySize},
    signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::*;
use crate::outbound::Settings;

const START: i64 = 1_800_000_000;
const ISSUER: &str = "https://login.example";

static RSA: LazyLock<RsaPair> = LazyLock::new(|| RsaPair::generate(KeySize::Rsa2048).unwrap());

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(START, 0).unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// Answers with what the test set last, and counts.
#[derive(Clone)]
struct Keys {
    answer: Arc<RwLock<ResponseTemplate>>,
    asked: Arc<AtomicUsize>,
}

impl Respond for Keys {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer.read().unwrap().clone()
    }
}

struct Fixture {
    set: IssuerSet,
    keys: Keys,
    _server: MockServer,
}

impl Fixture {
    async fn new(keys: Value) -> Self {
        Self::answering(ResponseTemplate::new(200).set_body_json(json!({ "keys": keys })), |_| {}).await
    }

    async fn answering(answer: ResponseTemplate, adapt: impl FnOnce(&mut IssuerSettings)) -> Self {
        let server = MockServer::start().await;
        let keys = Keys { answer: Arc::new(RwLock::new(answer)), asked: Arc::default() };
        Mock::given(any()).respond_with(keys.clone()).mount(&server).await;
        let mut settings = settings(&format!("{}/jwks", server.uri()));
        adapt(&mut settings);
        let set = IssuerSet::new(vec![settings], &client()).unwrap();
        Self { set, keys, _server: server }
    }

    fn answer(&self, answer: ResponseTemplate) {
        *self.keys.answer.write().unwrap() = answer;
    }

    fn answer_keys(&self, keys: Value) {
        self.answer(ResponseTemplate::new(200).set_body_json(json!({ "keys": keys })));
    }

    fn asked(&self) -> usize {
        self.keys.asked.load(Ordering::SeqCst)
    }

    async fn verify(&self, token: &str) -> Result<Verified, Rejection> {
        self.set.verify(token, now()).await
    }
}

fn client() -> Client {
    let settings = Settings {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        allow_http: true,
        total_timeout_ms: 1_500,
        ..Settings::default()
    };
    Client::new(&settings).unwrap()
}

fn settings(jwks_url: &str) -> IssuerSettings {
    serde_json::from_value(json!({
        "issuer": ISSUER, "audience": "concord", "jwks_url": jwks_url,
        "algorithms": ["EdDSA", "ES256", "RS256", "PS256"],
    }))
    .unwrap()
}

fn ed(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn ed_jwk(kid: &str, seed: u8) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": URL_SAFE_NO_PAD.encode(ed(seed).public_key()) })
}

fn rsa_jwk(kid: &str) -> Value {
    let n = RSA.public_key().modulus().big_endian_without_leading_zero().to_vec();
    json!({ "kty": "RSA", "kid": kid, "n": URL_SAFE_NO_PAD.encode(n), "e": "AQAB" })
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "concord", "sub": "person-1", "sid": "s-1", "exp": START + 600, "email": "a@b.example" })
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn ed_token_of(seed: u8, header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(ed(seed).sign(message.as_bytes())))
}

fn ed_token(kid: &str, seed: u8) -> String {
    ed_token_of(seed, &json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" }), &claims())
}

fn rsa_token(name: &str, encoding: &'static dyn RsaEncoding) -> String {
    let message = message(&json!({ "alg": name, "kid": "r" }), &claims());
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_token_of_a_known_issuer_is_accepted() {
    let fixture = Fixture::new(json!([ed_jwk("a", 1)])).await;
    let verified = fixture.verify(&ed_token("a", 1)).await.unwrap();
    let expected = Verified {
        issuer: ISSUER.into(),
        subject: "person-1".into(),
        expires_at: after(600),
        session: Some("s-1".into()),
    };
    assert_eq!(verified, expected);
    assert!(fixture.set.knows(ISSUER) && !fixture.set.knows("https://other.example"));
    let mut many = claims();
    many["aud"] = json!(["other", "concord"]);
    let token = ed_token_of(1, &json!({ "alg": "EdDSA", "kid": "a" }), &many);
    assert!(fixture.verify(&token).await.is_ok());
}

#[tokio::test]
async fn rsa_keys_verify_both_paddings() {
    let fixture = Fixture::new(json!([rsa_jwk("r")])).await;
    let pkcs1 = rsa_token("RS256", &RSA_PKCS1_SHA256);
    let pss = rsa_token("PS256", &RSA_PSS_SHA256);
    assert!(fixture.verify(&pkcs1).await.is_ok());
    assert!(fixture.verify(&pss).await.is_ok());
    assert_eq!(fixture.verify(&rsa_token("RS256", &RSA_PSS_SHA256)).await, Err(Rejection::Signature));
    // A key that names one algorithm serves no other.
    let mut only_pss = rsa_jwk("r");
    only_pss["alg"] = "PS256".into();
    let fixture = Fixture::new(json!([only_pss])).await;
    assert!(fixture.verify(&pss).await.is_ok());
    assert_eq!(fixture.verify(&pkcs1).await, Err(Rejection::UnknownKey));
}

#[tokio::test]
async fn our_own_kind_of_curve_key_verifies() {
    let dir = tempfile::TempDir::new().unwrap();
    let keys = super::super::signing::KeyRing::open(
        dir.path(),
        super::super::signing::Algorithm::Es256,
        now(),
        &|bytes| bytes.fill(5),
    )
    .unwrap();
    let token = keys.sign_token("at+jwt", &claims()).unwrap();
    let fixture = Fixture::new(keys.jwks()["keys"].clone()).await;
    assert!(fixture.verify(&token).await.is_ok());
}

#[tokio::test]
async fn types_follow_the_policy() {
    let fixture = Fixture::new(json!([ed_jwk("a", 1)])).await;
    let with = |typ: &str| ed_token_of(1, &json!({ "alg": "EdDSA", "kid": "a", "typ": typ }), &claims());
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(fixture.verify(&with(typ)).await.is_ok(), "{typ}");
    }
    for typ in ["", "logout+jwt", "dpop+jwt", "concord-access+jwt", "JOSE", "application/application/jwt"] {
        assert_eq!(fixture.verify(&with(typ)).await, Err(Rejection::Type), "{typ}");
    }
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "keys": [ed_jwk("a", 1)] }));
    let strict =
        Fixture::answering(answer, |settings| settings.types = vec![ExternalType::AccessToken]).await;
    assert!(strict.verify(&with("at+jwt")).await.is_ok());
    assert_eq!(strict.verify(&with("JWT")).await, Err(Rejection::Type));
    let absent = ed_token_of(1, &json!({ "alg": "EdDSA", "kid": "a" }), &claims());
    assert_eq!(strict.verify(&absent).await, Err(Rejection::Type));
}

#[tokio::test]
async fn forged_tokens_are_refused_without_asking_for_keys() {
    let fixture = Fixture::new(json!([ed_jwk("a", 1)])).await;
    let header = |name: &str, value: Value| {
        let mut header = json!({ "alg": "EdDSA", "kid": "a" });
        header[name] = value;
        ed_token_of(1, &header, &claims())
    };
    let claim = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        ed_token_of(1, &json!({ "alg": "EdDSA", "kid": "a" }), &claims)
    };
    for (token, expected) in [
        (header("alg", "none".into()), Rejection::Algorithm),
        (header("alg", "HS256".into()), Rejection::Algorithm),
        (header("alg", "RS512".into()), Rejection::Algorithm),
        (header("kid", Value::Null), Rejection::Header),
        (header("crit", json!(["exp"])), Rejection::Critical),
        (header("jku", "https://evil.example".into()), Rejection::EmbeddedKey),
        (header("jwk", ed_jwk("a", 2)), Rejection::EmbeddedKey),
        (header("x5u", "https://evil.example".into()), Rejection::EmbeddedKey),
        (header("x5c", json!(["AAAA"])), Rejection::EmbeddedKey),
        (claim("iss", "https://evil.example".into()), Rejection::Issuer),
        (claim("iss", "https://login.example/".into()), Rejection::Issuer),
        (claim("aud", "other".into()), Rejection::Audience),
        (claim("aud", json!([])), Rejection::Audience),
        (claim("aud", json!(["concord", 1])), Rejection::Audience),
        (claim("sub", "".into()), Rejection::Claims),
        (claim("sub", 7.into()), Rejection::Claims),
        (claim("sid", 7.into()), Rejection::Claims),
        (claim("exp", json!(f64::from(1_800_000_600_u32))), Rejection::Time),
        (claim("exp", json!(u64::MAX)), Rejection::Time),
        (claim("exp", json!(-1)), Rejection::Time),
        (claim("exp", json!(START - 30)), Rejection::Expired),
        (claim("exp", json!(START + 86_401)), Rejection::TooLong),
        (claim("nbf", json!(START + 31)), Rejection::NotYetValid),
        (claim("iat", json!(START + 31)), Rejection::NotYetValid),
    ] {
        assert_eq!(fixture.verify(&token).await, Err(expected), "{expected:?}");
    }
    assert_eq!(fixture.asked(), 0);
    assert_eq!(fixture.verify(&ed_token("a", 2)).await, Err(Rejection::Signature));
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn an_algorithm_that_is_not_configured_is_refused() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "keys": [rsa_jwk("r"), ed_jwk("a", 1)] }));
    let fixture =
        Fixture::answering(answer, |settings| settings.algorithms = vec![ExternalAlgorithm::EdDsa]).await;
    assert_eq!(fixture.verify(&rsa_token("RS256", &RSA_PKCS1_SHA256)).await, Err(Rejection::Algorithm));
    assert!(fixture.verify(&ed_token("a", 1)).await.is_ok());
}

#[tokio::test]
async fn keys_that_do_not_fit_are_ignored() {
    let changed = |base: Value, changes: Value| {
        let mut key = base;
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    };
    let ed_token = ed_token("a", 1);
    for changes in [
        json!({ "use": "enc" }),
        json!({ "use": 1 }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "key_ops": "verify" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "HS256" }),
        json!({ "crv": "Ed448" }),
        json!({ "crv": "X25519" }),
        json!({ "kty": "EC" }),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "x": "AAAA" }),
        json!({ "x": "!" }),
        json!({ "kid": "" }),
        json!({ "kid": 1 }),
    ] {
        let fixture =
            Fixture::new(json!([changed(ed_jwk("a", 1), changes.clone()), 1, null, ed_jwk("b", 2)])).await;
        assert_eq!(fixture.verify(&ed_token).await, Err(Rejection::UnknownKey), "{changes}");
    }
    let fixture = Fixture::new(json!([changed(
        ed_jwk("a", 1),
        json!({ "use": "sig", "alg": "EdDSA", "key_ops": ["verify"] })
    )]));
    assert!(fixture.await.verify(&ed_token).await.is_ok());

    let weak = |bytes: usize| {
        let mut n = vec![0xff; bytes];
        n.insert(0, 0);
        json!({ "n": URL_SAFE_NO_PAD.encode(n) })
    };
    let mut barely = vec![0xff_u8; 256];
    barely[0] = 0x7f;
    let barely = json!({ "n": URL_SAFE_NO_PAD.encode(barely) });
    let token = rsa_token("RS256", &RSA_PKCS1_SHA256);
    for changes in [
        weak(128),
        weak(255),
        weak(1_025),
        barely,
        json!({ "n": "" }),
        json!({ "e": "Aw" }),
        json!({ "e": "AQAC" }),
    ] {
        let fixture = Fixture::new(json!([changed(rsa_jwk("r"), changes.clone())])).await;
        assert_eq!(fixture.verify(&token).await, Err(Rejection::UnknownKey), "{changes}");
    }
}

#[tokio::test]
async fn keys_are_asked_for_once_and_again_when_one_is_unknown() {
    let fixture = Fixture::new(json!([ed_jwk("a", 1)])).await;
    for _ in 0..3 {
        assert!(fixture.verify(&ed_token("a", 1)).await.is_ok());
    }
    assert_eq!(fixture.asked(), 1);
    let rotated = ed_token("b", 2);
    fixture.answer_keys(json!([ed_jwk("a", 1), ed_jwk("b", 2)]));
    // Within the interval nobody can make us ask, however many unknown keys they name.
    for number in 0..20 {
        assert_eq!(fixture.verify(&ed_token(&format!("x{number}"), 2)).await, Err(Rejection::UnknownKey));
    }
    assert_eq!(fixture.asked(), 1);
    assert!(fixture.set.verify(&rotated, after(REFETCH_SECONDS)).await.is_ok());
    assert_eq!(fixture.asked(), 2);
    // A withdrawn key is gone with the next answer.
    fixture.answer_keys(json!([ed_jwk("b", 2)]));
    let mut long = claims();
    long["exp"] = json!(START + 80_000);
    let token = ed_token_of(1, &json!({ "alg": "EdDSA", "kid": "a" }), &long);
    let later = after(REFETCH_SECONDS + FRESH_SECONDS);
    assert_eq!(fixture.set.verify(&token, later).await, Err(Rejection::UnknownKey));
    assert_eq!(fixture.asked(), 3);
}

#[tokio::test]
async fn old_keys_outlive_a_silent_issuer_for_a_while() {
    let fixture = Fixture::new(json!([ed_jwk("a", 1)])).await;
    let mut long = claims();
    long["exp"] = json!(START + 80_000);
    let token = ed_token_of(1, &json!({ "alg": "EdDSA", "kid": "a" }), &long);
    assert!(fixture.verify(&token).await.is_ok());
    fixture.answer(ResponseTemplate::new(503));
    assert!(fixture.set.verify(&token, after(FRESH_SECONDS)).await.is_ok());
    assert_eq!(fixture.asked(), 2);
    assert!(fixture.set.verify(&token, after(FRESH_SECONDS + RETRY_SECONDS - 1)).await.is_ok());
    assert_eq!(fixture.asked(), 2);
    assert!(fixture.set.verify(&token, after(STALE_SECONDS - 1)).await.is_ok());
    assert_eq!(fixture.asked(), 3);
    let unavailable = fixture.set.verify(&token, after(STALE_SECONDS + RETRY_SECONDS)).await;
    assert_eq!(unavailable, Err(Rejection::KeysUnavailable));
}

#[tokio::test]
async fn answers_that_are_no_key_set_are_refused() {
    let large = format!("{{\"keys\":[],\"pad\":\"{}\"}}", "a".repeat(MAX_KEY_SET_BYTES));
    for answer in [
        ResponseTemplate::new(404),
        ResponseTemplate::new(302).insert_header("location", "/other"),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string("{}"),
        ResponseTemplate::new(200).set_body_string("{\"keys\":{}}"),
        ResponseTemplate::new(200).set_body_string("{\"keys\":[],\"keys\":[]}"),
        ResponseTemplate::new(200).set_body_string(large),
        ResponseTemplate::new(200).set_delay(Duration::from_secs(6)),
    ] {
        let fixture = Fixture::answering(answer, |_| {}).await;
        assert_eq!(fixture.verify(&ed_token("a", 1)).await, Err(Rejection::KeysUnavailable));
        assert_eq!(fixture.verify(&ed_token("a", 1)).await, Err(Rejection::KeysUnavailable));
        assert_eq!(fixture.asked(), 1, "a failure is not repeated at once");
        fixture.answer_keys(json!([ed_jwk("a", 1)]));
        assert!(fixture.set.verify(&ed_token("a", 1), after(RETRY_SECONDS)).await.is_ok());
    }
}

#[tokio::test]
async fn many_requests_share_one_flight() {
    let keys = json!({ "keys": [ed_jwk("a", 1)] });
    let answer = ResponseTemplate::new(200).set_body_json(keys).set_delay(Duration::from_millis(100));
    let fixture = Fixture::answering(answer, |_| {}).await;
    let token = ed_token("a", 1);
    let all = futures_util::future::join_all((0..50).map(|_| fixture.verify(&token))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_cancel_the_fetch() {
    let keys = json!({ "keys": [ed_jwk("a", 1)] });
    let answer = ResponseTemplate::new(200).set_body_json(keys).set_delay(Duration::from_millis(100));
    let fixture = Fixture::answering(answer, |_| {}).await;
    let token = ed_token("a", 1);
    let left = tokio::time::timeout(Duration::from_millis(30), fixture.verify(&token)).await;
    assert!(left.is_err());
    assert!(fixture.verify(&token).await.is_ok());
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn key_sets_come_only_through_the_outbound_walls() {
    let walled = Client::new(&Settings { allow_http: true, ..Settings::default() }).unwrap();
    let refused = IssuerSet::new(vec![settings("http://127.0.0.1/jwks")], &walled).unwrap_err();
    assert!(refused.reason.starts_with("jwks_url"), "{refused}");
    let set = IssuerSet::new(vec![settings("http://localhost:9/jwks")], &walled).unwrap();
    assert_eq!(set.verify(&ed_token("a", 1), now()).await, Err(Rejection::KeysUnavailable));
}

#[tokio::test]
async fn settings_are_checked() {
    let good = || settings("https://login.example/jwks");
    assert!(IssuerSet::new(vec![good()], &client()).is_ok());
    assert!(IssuerSet::new(vec![good(), good()], &client()).unwrap_err().to_string().contains("twice"));
    for bad in [
        IssuerSettings { issuer: String::new(), ..good() },
        IssuerSettings { audience: String::new(), ..good() },
        IssuerSettings { algorithms: vec![], ..good() },
        IssuerSettings { types: vec![], ..good() },
        IssuerSettings { leeway_seconds: 61, ..good() },
        IssuerSettings { leeway_seconds: -1, ..good() },
        IssuerSettings { jwks_url: "ftp://login.example/".into(), ..good() },
    ] {
        assert!(IssuerSet::new(vec![bad], &client()).is_err());
    }
    let weak = json!({ "issuer": "a", "audience": "b", "jwks_url": "c", "algorithms": ["HS256"] });
    assert!(serde_json::from_value::<IssuerSettings>(weak).is_err());
}
