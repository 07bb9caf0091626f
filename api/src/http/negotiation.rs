//! Reads `Accept`, `Content-Type`, `Accept-Language` and `Authorization` as the specifications say.
//!
//! It chooses among what exists; it writes no answers.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::refusal::{DoorCode, Refusal};

pub use crate::messages::Locale;

/// How a single result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status tells how it went.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

impl Media {
    /// The value of `Content-Type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// What the client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The form of a single result, if the client takes one.
    pub single: Option<Media>,
    /// Whether `text/event-stream` was named.
    pub stream: bool,
    /// Whether even a single result should come as an event stream.
    pub prefers_stream: bool,
}

impl Accepted {
    /// The form of an error that is found before anything runs.
    pub fn media(self) -> Media {
        self.single.unwrap_or(Media::Json)
    }
}

/// Chooses by `Accept`; without one it is `application/json`.
pub fn accept(headers: &HeaderMap) -> Result<Accepted, Refusal> {
    let ranges: Vec<Range> = headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Range::parse)
        .collect();
    if ranges.is_empty() {
        return if headers.contains_key(header::ACCEPT)
            && headers.get_all(header::ACCEPT).any(|v| !v.is_empty())
        {
            Err(DoorCode::NotAcceptable.into())
        } else {
            Ok(Accepted { single: Some(Media::Json), stream: false, prefers_stream: false })
        };
    }
    let graphql = quality(&ranges, "application", "graphql-response+json");
    let json = quality(&ranges, "application", "json");
    let stream = quality(&ranges, "text", "event-stream");
    // A bare wildcard means the form that every client reads; the newer one must be named to win a draw.
    let single = match (graphql, json) {
        (Quality { weight: 0, .. }, Quality { weight: 0, .. }) => None,
        (graphql, json) if graphql.weight > json.weight => Some(Media::GraphqlResponse),
        (graphql, json) if graphql.weight == json.weight && graphql.named => Some(Media::GraphqlResponse),
        _ => Some(Media::Json),
    };
    let best = graphql.weight.max(json.weight);
    let accepted = Accepted {
        single,
        stream: stream.named && stream.weight > 0,
        prefers_stream: stream.named && stream.weight > best,
    };
    if accepted.single.is_none() && !accepted.stream {
        return Err(DoorCode::NotAcceptable.into());
    }
    Ok(accepted)
}

struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let mut weight = 1_000;
        for parameter in parts {
            match parameter.split_once('=') {
                Some((name, value)) if name.trim().eq_ignore_ascii_case("q") => {
                    weight = thousandths(value.trim())?;
                }
                // Only UTF-8 can be given.
                Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) => {
                    return None;
                }
                _ => {}
            }
        }
        Some(Self { main, sub, weight })
    }
}

#[derive(Clone, Copy)]
struct Quality {
    weight: u16,
    named: bool,
}

/// The most specific range decides, as in RFC 9110.
fn quality(ranges: &[Range<'_>], main: &str, sub: &str) -> Quality {
    let rank = |range: &Range<'_>| {
        if range.main == "*" && range.sub == "*" {
            Some(0)
        } else if range.main.eq_ignore_ascii_case(main) && range.sub == "*" {
            Some(1)
        } else if range.main.eq_ignore_ascii_case(main) && range.sub.eq_ignore_ascii_case(sub) {
            Some(2)
        } else {
            None
        }
    };
    let best = ranges.iter().filter_map(|range| Some((rank(range)?, range.weight))).max();
    best.map_or(Quality { weight: 0, named: false }, |(rank, weight)| Quality { weight, named: rank == 2 })
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" if fraction.bytes().all(|byte| byte == b'0') => Some(1_000),
        "0" if digits_only => format!("{fraction:0<3}").parse().ok(),
        _ => None,
    }
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Accepts `application/json` in UTF-8 without content coding, and nothing else.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = || Refusal::new(DoorCode::UnsupportedMediaType);
    let mut values = headers.get_all(header::CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else { return Err(refuse()) };
    let mut parts = value.to_str().map_err(|_| refuse())?.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(refuse());
    }
    for parameter in parts {
        match parameter.split_once('=') {
            Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(charset) => {
                return Err(refuse());
            }
            _ => {}
        }
    }
    // Compressed bodies would have to be bounded a second time; nobody needs them for 1 MiB.
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(()),
        Some(_) => Err(refuse()),
    }
}

/// The language that the client likes best among ours.
pub fn locale(headers: &HeaderMap) -> Locale {
    let mut best: Option<(u16, Locale)> = None;
    let values = headers.get_all(header::ACCEPT_LANGUAGE).filter_map(|value| value.to_str().ok());
    for part in values.flat_map(|value| value.split(',')) {
        let (tag, weight) = match part.split_once(';') {
            Some((tag, parameter)) => {
                let weight = parameter.trim().strip_prefix("q=").and_then(thousandths);
                (tag.trim(), weight.unwrap_or_default())
            }
            None => (part.trim(), 1_000),
        };
        let primary = tag.split('-').next().unwrap_or_default();
        let locale = match primary {
            "*" => Locale::default(),
            primary if primary.eq_ignore_ascii_case("zh") => Locale::ZhCn,
            primary if primary.eq_ignore_ascii_case("en") => Locale::En,
            _ => continue,
        };
        if weight > 0 && best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, locale));
        }
    }
    best.map_or_else(Locale::default, |(_, locale)| locale)
}

/// The bearer token of the `Authorization` header, or nothing when there is no such header.
pub fn credential(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => bearer(value.to_str().map_err(|_| DoorCode::Unauthenticated)?).map(Some),
        (Some(_), Some(_)) => Err(DoorCode::Unauthenticated.into()),
    }
}

/// The token in a value of the form `Bearer …`.
pub fn bearer(value: &str) -> Result<String, Refusal> {
    let (scheme, token) = value.trim().split_once(' ').ok_or(DoorCode::Unauthenticated)?;
    let token = token.trim_start();
    let well_formed = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if scheme.eq_ignore_ascii_case("bearer") && well_formed {
        Ok(token.to_owned())
    } else {
        Err(DoorCode::Unauthenticated.into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    fn accepted(value: &str) -> Option<(Option<Media>, bool, bool)> {
        let accepted = accept(&headers(header::ACCEPT, value)).ok()?;
        Some((accepted.single, accepted.stream, accepted.prefers_stream))
    }

    #[test]
    fn accept_follows_weights_and_specificity() {
        let (new, old) = (Some(Media::GraphqlResponse), Some(Media::Json));
        for (value, expected) in [
            ("application/json", Some((old, false, false))),
            ("application/graphql-response+json", Some((new, false, false))),
            ("application/graphql-response+json, application/json", Some((new, false, false))),
            ("application/graphql-response+json;q=0.5, application/json;q=0.9", Some((old, false, false))),
            ("application/graphql-response+json;q=0, */*", Some((old, false, false))),
            ("*/*", Some((old, false, false))),
            ("application/*", Some((old, false, false))),
            ("*/*, application/graphql-response+json", Some((new, false, false))),
            ("text/event-stream", Some((None, true, true))),
            ("text/event-stream, application/json;q=0.5", Some((old, true, true))),
            ("application/json, text/event-stream", Some((old, true, false))),
            ("text/html", None),
            ("text/html, */*;q=0", None),
            ("application/json;q=0", None),
            ("application/json; charset=iso-8859-1", None),
            ("APPLICATION/JSON; charset=utf-8", Some((old, false, false))),
            ("nonsense", None),
        ] {
            assert_eq!(accepted(value), expected, "{value}");
        }
        assert!(accept(&HeaderMap::new()).is_ok_and(|accepted| accepted.single == old && !accepted.stream));
    }

    #[test]
    fn only_json_in_utf8_comes_in() {
        for (value, fits) in [
            ("application/json", true),
            ("Application/JSON; Charset=\"UTF-8\"", true),
            ("application/json; charset=utf-16", false),
            ("application/graphql", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("text/plain", false),
        ] {
            assert_eq!(check_content_type(&headers(header::CONTENT_TYPE, value)).is_ok(), fits, "{value}");
        }
        assert!(check_content_type(&HeaderMap::new()).is_err());
        let mut compressed = headers(header::CONTENT_TYPE, "application/json");
        compressed.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(check_content_type(&compressed).is_err());
    }

    #[test]
    fn the_language_liked_best_is_chosen() {
        for (value, expected) in [
            ("en", Locale::En),
            ("zh-TW", Locale::ZhCn),
            ("fr, en;q=0.3", Locale::En),
            ("zh;q=0.2, en-GB;q=0.8", Locale::En),
            ("fr", Locale::ZhCn),
            ("en;q=0", Locale::ZhCn),
            ("*", Locale::ZhCn),
        ] {
            assert_eq!(locale(&headers(header::ACCEPT_LANGUAGE, value)), expected, "{value}");
        }
    }

    #[test]
    fn only_one_well_formed_bearer_is_a_credential() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer a b", None),
        ] {
            assert_eq!(
                credential(&headers(header::AUTHORIZATION, value)).ok().flatten().as_deref(),
                token,
                "{value}"
            );
        }
        assert_eq!(credential(&HeaderMap::new()), Ok(None));
    }
}
