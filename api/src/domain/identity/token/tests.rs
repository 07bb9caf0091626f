//! Proof of our own tokens: each attack of the security list, with a signature that would otherwise hold.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU8, Ordering};
use tempfile::TempDir;

use super::*;

const START: i64 = 1_800_000_000;

struct Fixture {
    dir: TempDir,
    keys: Arc<KeyRing>,
    tokens: Tokens,
    next: AtomicU8,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(START, 0).unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

impl Fixture {
    fn new(algorithm: Algorithm) -> Self {
        let dir = TempDir::new().unwrap();
        let keys = KeyRing::open(dir.path(), algorithm, now(), &|bytes| bytes.fill(7)).unwrap();
        let keys = Arc::new(keys);
        let tokens = Tokens::new(Arc::clone(&keys), "https://concord.example", "concord-api");
        Self { dir, keys, tokens, next: AtomicU8::new(20) }
    }

    fn issue(&self) -> String {
        self.tokens.issue(TokenKind::Access, &grant(), now()).unwrap().token
    }

    fn verify(&self, token: &str) -> Result<OwnToken, Rejection> {
        self.tokens.verify(TokenKind::Access, token, now())
    }

    fn refused(&self, token: &str) -> Rejection {
        self.verify(token).unwrap_err()
    }

    fn random(&self) -> impl Fn(&mut [u8]) {
        move |bytes| bytes.fill(self.next.fetch_add(1, Ordering::SeqCst))
    }

    fn pem(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join(format!("signing-{}.pem", self.keys.active()))).unwrap()
    }

    /// Signs arbitrary text with the true key, as an attacker with a signing oracle would.
    fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let key = EncodingKey::from_ed_pem(&self.pem()).unwrap();
        let signature = crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    }

    fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": TokenKind::Access.typ(), "kid": self.keys.active() })
    }

    fn with_header(&self, name: &str, value: Value) -> Rejection {
        let mut header = self.header();
        header[name] = value;
        self.refused(&self.sign(&header.to_string(), &claims().to_string()))
    }

    fn with_claim(&self, name: &str, value: Value) -> Rejection {
        let mut claims = claims();
        claims[name] = value;
        self.refused(&self.sign(&self.header().to_string(), &claims.to_string()))
    }

    fn without_claim(&self, name: &str) -> Rejection {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        self.refused(&self.sign(&self.header().to_string(), &claims.to_string()))
    }
}

fn grant() -> Grant<'static> {
    Grant {
        subject: "account-1",
        session: "session-1",
        token_id: "token-1",
        lifetime: TimeDelta::minutes(10),
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://concord.example", "aud": "concord-api", "sub": "account-1", "sid": "session-1",
        "jti": "token-1", "iat": START, "exp": START + 600,
    })
}

#[test]
fn a_token_of_ours_is_accepted() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let fixture = Fixture::new(algorithm);
        let issued = fixture.tokens.issue(TokenKind::Access, &grant(), now()).unwrap();
        assert_eq!(issued.expires_at, after(600));
        let token = fixture.verify(&issued.token).unwrap();
        assert_eq!((token.subject.as_str(), token.session.as_str()), ("account-1", "session-1"));
        assert_eq!((token.issued_at, token.expires_at), (now(), after(600)));
        assert_eq!(claimed_issuer(&issued.token).unwrap(), "https://concord.example");
        assert!(!format!("{issued:?}").contains(&issued.token));
    }
    // The forger's workbench of the other tests makes good tokens too, so what they refuse is their one change.
    let fixture = Fixture::new(Algorithm::EdDsa);
    assert!(fixture.verify(&fixture.sign(&fixture.header().to_string(), &claims().to_string())).is_ok());
}

#[test]
fn algorithm_none_is_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    for name in ["none", "None", "NONE", "nOnE", ""] {
        assert_eq!(fixture.with_header("alg", name.into()), Rejection::Algorithm, "{name}");
    }
    let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": TokenKind::Access.typ() }).to_string());
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    assert_eq!(fixture.refused(&format!("{header}.{body}.")), Rejection::Shape);
    assert_eq!(fixture.refused(&format!("{header}.{body}.AAAA")), Rejection::Algorithm);
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let jwks = fixture.keys.jwks();
    let x = jwks["keys"][0]["x"].as_str().unwrap();
    let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
    let secrets: [&[u8]; 4] =
        [&raw, x.as_bytes(), jwks.to_string().as_bytes(), &fixture.pem()].map(|secret| {
            let secret: &'static [u8] = secret.to_vec().leak();
            secret
        });
    for secret in secrets {
        for (name, algorithm) in [
            ("HS256", jsonwebtoken::Algorithm::HS256),
            ("HS384", jsonwebtoken::Algorithm::HS384),
            ("HS512", jsonwebtoken::Algorithm::HS512),
        ] {
            for named in [name, "EdDSA"] {
                let mut header = fixture.header();
                header["alg"] = named.into();
                let message = format!(
                    "{}.{}",
                    URL_SAFE_NO_PAD.encode(header.to_string()),
                    URL_SAFE_NO_PAD.encode(claims().to_string())
                );
                let key = EncodingKey::from_secret(secret);
                let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
                let expected = if named == "EdDSA" { Rejection::Signature } else { Rejection::Algorithm };
                assert_eq!(fixture.refused(&format!("{message}.{signature}")), expected);
            }
        }
    }
}

#[test]
fn the_algorithm_is_that_of_the_key() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    for name in ["ES256", "RS256", "PS256", "ES384", "Ed25519", "eddsa"] {
        assert_eq!(fixture.with_header("alg", name.into()), Rejection::Algorithm, "{name}");
    }
    assert_eq!(fixture.with_header("alg", json!(["EdDSA"])), Rejection::Algorithm);
}

#[test]
fn another_type_is_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    for typ in
        ["JWT", "at+jwt", "application/concord-access+jwt", "Concord-Access+JWT", "concord-access+jwt ", ""]
    {
        assert_eq!(fixture.with_header("typ", typ.into()), Rejection::Type, "{typ}");
    }
    assert_eq!(fixture.with_header("typ", json!(1)), Rejection::Type);
    let header = json!({ "alg": "EdDSA", "kid": fixture.keys.active() }).to_string();
    assert_eq!(fixture.refused(&fixture.sign(&header, &claims().to_string())), Rejection::Type);
}

#[test]
fn headers_beyond_ours_are_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let jwk = fixture.keys.jwks()["keys"][0].clone();
    assert_eq!(fixture.with_header("crit", json!(["exp"])), Rejection::Critical);
    assert_eq!(fixture.with_header("crit", json!([])), Rejection::Critical);
    assert_eq!(fixture.with_header("jwk", jwk), Rejection::EmbeddedKey);
    assert_eq!(fixture.with_header("jku", "https://concord.example/keys".into()), Rejection::EmbeddedKey);
    assert_eq!(fixture.with_header("x5u", "https://concord.example/keys".into()), Rejection::EmbeddedKey);
    assert_eq!(fixture.with_header("x5c", json!(["AAAA"])), Rejection::EmbeddedKey);
    for name in ["x5t", "x5t#S256", "cty", "b64", "zip", "anything"] {
        assert_eq!(fixture.with_header(name, "a".into()), Rejection::Header, "{name}");
    }
}

#[test]
fn times_that_are_no_seconds_are_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let float = f64::from(1_800_000_600_u32);
    for name in ["exp", "iat", "nbf"] {
        for value in [
            json!(float),
            json!(float + 0.5),
            json!(-1),
            json!(u64::MAX),
            json!(1e300),
            json!("1800000600"),
            Value::Null,
        ] {
            assert_eq!(fixture.with_claim(name, value.clone()), Rejection::Time, "{name} {value}");
        }
    }
    let raw = claims().to_string().replace("1800000600", "1.8000006e9");
    assert_eq!(fixture.refused(&fixture.sign(&fixture.header().to_string(), &raw)), Rejection::Time);
}

#[test]
fn a_token_lives_at_most_a_day() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    assert_eq!(fixture.with_claim("exp", json!(START + MAX_LIFETIME_SECONDS + 1)), Rejection::TooLong);
    for seconds in [0, -5, MAX_LIFETIME_SECONDS + 1] {
        let grant = Grant { lifetime: TimeDelta::seconds(seconds), ..grant() };
        let refusal = fixture.tokens.issue(TokenKind::Access, &grant, now());
        assert!(matches!(refusal, Err(IssueError::Lifetime)));
    }
    let grant = Grant { lifetime: TimeDelta::seconds(MAX_LIFETIME_SECONDS), ..grant() };
    let issued = fixture.tokens.issue(TokenKind::Access, &grant, now()).unwrap();
    assert!(fixture.verify(&issued.token).is_ok());
}

#[test]
fn a_token_starts_and_ends() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let token = fixture.issue();
    let at = |moment| fixture.tokens.verify(TokenKind::Access, &token, moment);
    assert_eq!(at(after(-LEEWAY_SECONDS - 1)), Err(Rejection::NotYetValid));
    assert!(at(after(-LEEWAY_SECONDS)).is_ok());
    assert!(at(after(600 + LEEWAY_SECONDS - 1)).is_ok());
    assert_eq!(at(after(600 + LEEWAY_SECONDS)), Err(Rejection::Expired));
    assert_eq!(fixture.with_claim("nbf", json!(START + LEEWAY_SECONDS + 1)), Rejection::NotYetValid);
    const { assert!(LEEWAY_SECONDS <= 60) };
}

#[test]
fn issuer_and_audience_are_exactly_ours() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    for value in [
        json!("https://concord.example/"),
        json!("https://other.example"),
        json!(["https://concord.example"]),
    ] {
        assert_eq!(fixture.with_claim("iss", value), Rejection::Issuer);
    }
    assert_eq!(fixture.without_claim("iss"), Rejection::Issuer);
    for value in
        [json!("other"), json!(["concord-api"]), json!(["concord-api", "other"]), json!(1), Value::Null]
    {
        assert_eq!(fixture.with_claim("aud", value), Rejection::Audience);
    }
    assert_eq!(fixture.without_claim("aud"), Rejection::Audience);
}

#[test]
fn every_claim_is_required() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    for name in ["sub", "sid", "jti", "iat"] {
        assert_eq!(fixture.without_claim(name), Rejection::Claims, "{name}");
    }
    assert_eq!(fixture.without_claim("exp"), Rejection::Time);
    for value in [json!(""), json!(1), json!({}), json!("a".repeat(256)), json!("a\nb")] {
        assert_eq!(fixture.with_claim("sub", value), Rejection::Claims);
    }
    let wrong = Grant { subject: "", ..grant() };
    assert!(matches!(fixture.tokens.issue(TokenKind::Access, &wrong, now()), Err(IssueError::Identifier)));
}

#[test]
fn duplicate_keys_are_refused_even_when_signed() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let header = fixture.header().to_string();
    let double_claim = claims().to_string().replacen('{', r#"{"sub":"admin","#, 1);
    assert_eq!(fixture.refused(&fixture.sign(&header, &double_claim)), Rejection::DuplicateKey);
    let double_header = header.replacen('{', r#"{"alg":"none","#, 1);
    assert_eq!(
        fixture.refused(&fixture.sign(&double_header, &claims().to_string())),
        Rejection::DuplicateKey
    );
}

#[test]
fn an_oversized_token_is_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    assert_eq!(fixture.with_claim("pad", "a".repeat(8_192).into()), Rejection::TooLarge);
}

#[test]
fn spellings_of_a_good_token_are_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let token = fixture.issue();
    assert_eq!(fixture.refused(&format!("{token}.AAAA")), Rejection::Shape);
    assert_eq!(fixture.refused(&format!("{token}=")), Rejection::Encoding);
    assert_eq!(fixture.refused(&format!("{token}\n")), Rejection::Encoding);
    assert_eq!(fixture.refused(&format!(" {token}")), Rejection::Encoding);
    // An Ed25519 signature is 64 bytes, so its last character has four spare bits.
    let (stem, last) = token.split_at(token.len() - 1);
    let other = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    assert_eq!(fixture.refused(&format!("{stem}{other}")), Rejection::Encoding);
}

#[test]
fn a_changed_token_is_refused() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let token = fixture.issue();
    let (head, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let forged = URL_SAFE_NO_PAD.encode(claims().to_string().replace("account-1", "account-2"));
    assert_eq!(fixture.refused(&format!("{head}.{forged}.{signature}")), Rejection::Signature);
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(fixture.refused(&format!("{message}.AAAA")), Rejection::Signature);
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    assert_eq!(fixture.refused(&format!("{message}.{zeros}")), Rejection::Signature);
    // The same with the curve where all-zero signatures once passed in a famous library.
    let curve = Fixture::new(Algorithm::Es256);
    let token = curve.issue();
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(curve.refused(&format!("{message}.{zeros}")), Rejection::Signature);
}

#[test]
fn keys_have_to_be_named_known_and_not_retired() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let header = json!({ "alg": "EdDSA", "typ": TokenKind::Access.typ() }).to_string();
    assert_eq!(fixture.refused(&fixture.sign(&header, &claims().to_string())), Rejection::MissingKeyId);
    assert_eq!(fixture.with_header("kid", "unknown".into()), Rejection::UnknownKey);
    assert_eq!(fixture.with_header("kid", "../../etc/passwd".into()), Rejection::UnknownKey);
    assert_eq!(fixture.with_header("kid", json!({})), Rejection::Header);

    let token = fixture.issue();
    let old = fixture.keys.active();
    let new = fixture.keys.rotate(Algorithm::Es256, now(), &fixture.random()).unwrap();
    assert!(fixture.verify(&token).is_ok(), "rotation signs nobody out");
    assert!(fixture.verify(&fixture.issue()).is_ok());
    fixture.keys.retire(&old, now()).unwrap();
    assert_eq!(fixture.refused(&token), Rejection::RetiredKey);
    assert_ne!(old, new);
}

#[test]
fn a_token_of_another_installation_is_refused() {
    let ours = Fixture::new(Algorithm::EdDsa);
    let dir = TempDir::new().unwrap();
    let keys = KeyRing::open(dir.path(), Algorithm::EdDsa, now(), &|bytes| bytes.fill(99)).unwrap();
    let theirs = Tokens::new(Arc::new(keys), "https://concord.example", "concord-api");
    let token = theirs.issue(TokenKind::Access, &grant(), now()).unwrap().token;
    assert_eq!(ours.refused(&token), Rejection::UnknownKey);
}

#[test]
fn a_checkpoint_signature_is_no_token_signature() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let token = fixture.issue();
    let (message, _) = token.rsplit_once('.').unwrap();
    let signed = fixture.keys.sign_for("checkpoint", message.as_bytes()).unwrap();
    assert_eq!(fixture.refused(&format!("{message}.{}", signed.signature)), Rejection::Signature);
}

#[test]
fn any_jwt_library_verifies_our_tokens_by_our_jwks() {
    let fixture = Fixture::new(Algorithm::EdDsa);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(fixture.keys.jwks()).unwrap();
    let key = DecodingKey::from_jwk(set.find(&fixture.keys.active()).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["concord-api"]);
    // The library reads the system's clock, which the tests do not move.
    validation.validate_exp = false;
    let data = jsonwebtoken::decode::<Value>(fixture.issue(), &key, &validation).unwrap();
    assert_eq!(data.claims["sub"], "account-1");
}
