//! Proof that only one spelling of a token is read, and nothing that is not JSON as we mean it.

use proptest::prelude::*;

use super::*;

fn token(header: &str, claims: &str) -> String {
    format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims), "AAAA")
}

fn rejected(token: &str) -> Rejection {
    Compact::parse(token).unwrap_err()
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"k"}"#;

#[test]
fn a_plain_token_is_read() {
    let text = token(HEADER, r#"{"iss":"a","aud":["x","y"],"n":{"a":[1,2.5,null,true,-3,{"b":"c"}]}}"#);
    let compact = Compact::parse(&text).unwrap();
    assert_eq!(compact.algorithm(), Ok("EdDSA"));
    assert_eq!(compact.key_id(), Ok("k"));
    assert_eq!(compact.typ(), Ok(None));
    assert_eq!(compact.claims.issuer(), Ok("a"));
    assert!(compact.claims.is_for("y") && !compact.claims.is_for("z") && !compact.claims.is_only_for("x"));
}

#[test]
fn the_size_limit_is_exact() {
    let frame = token(HEADER, r#"{"p":""}"#).len();
    // Three bytes of claims are four characters of base64url.
    let fill = |bytes: usize| token(HEADER, &format!(r#"{{"p":"{}"}}"#, "a".repeat(bytes)));
    let mut bytes = (MAX_TOKEN_BYTES - frame) / 4 * 3;
    while fill(bytes + 1).len() <= MAX_TOKEN_BYTES {
        bytes += 1;
    }
    assert!(Compact::parse(&fill(bytes)).is_ok());
    assert_eq!(rejected(&fill(bytes + 1)), Rejection::TooLarge);
}

#[test]
fn segments_are_three_and_not_empty() {
    let good = token(HEADER, "{}");
    for text in [
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a..b",
        ".a.b",
        "a.b.",
        &format!("{good}.AAAA"),
        &format!(".{good}"),
    ] {
        assert_eq!(rejected(text), Rejection::Shape, "{text}");
    }
}

#[test]
fn whitespace_and_foreign_characters_are_refused() {
    let good = token(HEADER, "{}");
    for text in [
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        good.replacen('.', ". ", 1),
        good.replacen('.', "\t.", 1),
        format!("{good}="),
        format!("{good}+"),
        format!("{good}/"),
        format!("{good}é"),
    ] {
        assert_eq!(rejected(&text), Rejection::Encoding, "{text}");
    }
}

#[test]
fn a_second_spelling_of_the_same_bytes_is_refused() {
    // "AA" is the byte 0; "AB" decodes to it too when the spare bits are ignored.
    let text = token(HEADER, "{}");
    let stem = text.trim_end_matches("AAAA");
    assert!(Compact::parse(&format!("{stem}AA")).is_ok());
    assert_eq!(rejected(&format!("{stem}AB")), Rejection::Encoding);
    assert_eq!(rejected(&format!("{stem}AA==")), Rejection::Encoding);
}

#[test]
fn duplicate_keys_are_refused_at_every_depth() {
    for (header, claims) in [
        (r#"{"alg":"EdDSA","alg":"none","kid":"k"}"#, "{}"),
        (HEADER, r#"{"sub":"a","sub":"b"}"#),
        (HEADER, r#"{"sub":"a","\u0073ub":"b"}"#),
        (HEADER, r#"{"a":{"b":1,"b":1}}"#),
        (HEADER, r#"{"a":[[{"b":1},{"b":1,"c":2,"b":3}]]}"#),
    ] {
        assert_eq!(rejected(&token(header, claims)), Rejection::DuplicateKey, "{header} {claims}");
    }
    assert!(Compact::parse(&token(HEADER, r#"{"a":{"b":1},"c":{"b":1}}"#)).is_ok());
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    for claims in [
        "",
        "1",
        "[]",
        "null",
        "\"a\"",
        "{",
        "{}{}",
        "{} x",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        "{\"a\":\"\\ud800\"}",
    ] {
        let text = token(HEADER, claims);
        let expected = if claims.is_empty() { Rejection::Shape } else { Rejection::Json };
        assert_eq!(rejected(&text), expected, "{claims}");
        if !claims.is_empty() {
            assert_eq!(rejected(&token(claims, "{}")), Rejection::Json, "{claims}");
        }
    }
    let invalid_utf8 =
        format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}"));
    assert_eq!(rejected(&invalid_utf8), Rejection::Json);
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(rejected(&token(HEADER, &format!("{{\"a\":{deep}}}"))), Rejection::Json);
}

#[test]
fn headers_with_surprises_are_refused() {
    for (extra, expected) in [
        (r#""crit":["exp"]"#, Rejection::Critical),
        (r#""crit":["b64"]"#, Rejection::Critical),
        (r#""crit":[]"#, Rejection::Critical),
        (r#""crit":null"#, Rejection::Critical),
        (r#""jwk":{"kty":"OKP"}"#, Rejection::EmbeddedKey),
        (r#""jku":"https://keys.example/"#, Rejection::Json),
        (r#""jku":"https://keys.example/""#, Rejection::EmbeddedKey),
        (r#""x5u":"https://keys.example/""#, Rejection::EmbeddedKey),
        (r#""x5c":["AAAA"]"#, Rejection::EmbeddedKey),
        (r#""b64":false"#, Rejection::Header),
        (r#""zip":"DEF""#, Rejection::Header),
        (r#""enc":"A256GCM""#, Rejection::Header),
        (r#""cty":"JWT""#, Rejection::Header),
    ] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"k",{extra}}}"#);
        assert_eq!(rejected(&token(&header, "{}")), expected, "{extra}");
    }
}

#[test]
fn header_fields_have_their_type() {
    let text = token(r#"{"alg":1,"kid":2,"typ":3}"#, "{}");
    let compact = Compact::parse(&text).unwrap();
    assert_eq!(compact.algorithm(), Err(Rejection::Algorithm));
    assert_eq!(compact.key_id(), Err(Rejection::Header));
    assert_eq!(compact.typ(), Err(Rejection::Type));
    let text = token("{}", "{}");
    assert_eq!(Compact::parse(&text).unwrap().key_id(), Err(Rejection::MissingKeyId));
}

fn times(claims: &str) -> Result<Times, Rejection> {
    let claims = Claims(object(claims.as_bytes()).unwrap());
    claims.check_times(DateTime::from_timestamp(1_000_000, 0).unwrap(), 30)
}

#[test]
fn times_are_whole_numbers_of_this_era() {
    for value in [
        "1000100.0",
        "1000100.5",
        "1.0001e6",
        "1e999999999999",
        "-1",
        "-0",
        "-0.0",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775808",
        "253402300800",
        "\"1000100\"",
        "null",
        "true",
        "[1000100]",
        "{}",
    ] {
        let Ok(claims) = object(format!("{{\"exp\":{value}}}").as_bytes()) else {
            continue;
        };
        let claims = Claims(claims);
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        assert_eq!(claims.check_times(now, 30), Err(Rejection::Time), "{value}");
        for name in ["iat", "nbf"] {
            assert_eq!(
                times(&format!("{{\"exp\":1000100,\"{name}\":{value}}}")),
                Err(Rejection::Time),
                "{name} {value}"
            );
        }
    }
}

#[test]
fn the_limits_of_time_are_exact() {
    assert_eq!(times("{}"), Err(Rejection::Time));
    assert!(times(r#"{"exp":999971}"#).is_ok());
    assert_eq!(times(r#"{"exp":999970}"#), Err(Rejection::Expired));
    assert!(times(r#"{"exp":1086400}"#).is_ok());
    assert_eq!(times(r#"{"exp":1086401}"#), Err(Rejection::TooLong));
    assert_eq!(times(r#"{"exp":253402300799}"#), Err(Rejection::TooLong));
    for name in ["iat", "nbf"] {
        assert!(times(&format!(r#"{{"exp":1000100,"{name}":1000030}}"#)).is_ok());
        assert_eq!(times(&format!(r#"{{"exp":1000100,"{name}":1000031}}"#)), Err(Rejection::NotYetValid));
        assert_eq!(times(&format!(r#"{{"exp":1000100,"{name}":1000100}}"#)), Err(Rejection::Time));
    }
    assert_eq!(times(r#"{"exp":1000100,"iat":1000000}"#).unwrap().expires_at.timestamp(), 1_000_100);
}

#[test]
fn no_setting_widens_the_leeway_beyond_a_minute() {
    let claims = Claims(object(br#"{"exp":999940}"#).unwrap());
    let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
    assert_eq!(claims.check_times(now, i64::MAX), Err(Rejection::Expired));
    let claims = Claims(object(br#"{"exp":999941}"#).unwrap());
    assert!(claims.check_times(now, i64::MAX).is_ok());
    assert_eq!(claims.check_times(now, i64::MIN), Err(Rejection::Expired));
}

#[test]
fn ids_are_texts_of_reasonable_length() {
    let long = "a".repeat(MAX_ID_BYTES);
    let claims = |value: String| Claims(object(format!("{{\"sub\":{value}}}").as_bytes()).unwrap());
    assert!(claims(format!("\"{long}\"")).id("sub").is_ok());
    for value in [
        format!("\"{long}a\""),
        "\"\"".into(),
        "1".into(),
        "null".into(),
        "\"a\\u0000\"".into(),
        "[\"a\"]".into(),
    ] {
        assert_eq!(claims(value.clone()).id("sub"), Err(Rejection::Claims), "{value}");
    }
    assert_eq!(claims("1".into()).id("other"), Err(Rejection::Claims));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,300}") {
        let _ = Compact::parse(&text);
    }

    #[test]
    fn no_json_makes_the_reader_panic(header in "\\{.{0,80}\\}", claims in "\\{.{0,80}\\}") {
        let _ = Compact::parse(&token(&header, &claims));
    }
}
