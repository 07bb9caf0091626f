//! Whatever reads bytes from outside, given anything at all: it never panics, and what it takes it can write again.
//!
//! `PROPTEST_CASES` says how many cases each property gets, 256 without it.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use async_graphql::parser::parse_query;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::{collection::vec, prelude::*};
use sea_orm::Value;
use uuid::Uuid;

use crate::{
    domain::{
        calendar::working_day::{Level, parse_calendar_csv},
        credit_code::CreditCode,
        identity::{
            jws::Compact,
            secret::{Presented, Secret, SecretKind},
        },
        number_pattern::NumberPattern,
        page,
    },
    graphql::id,
    http::{
        admission::{self, Documents, IncomingRequest, Limits},
        lexer, negotiation,
        origin::TrustedProxies,
        parameters,
    },
    import::{
        Report, Source,
        csv::{Table, optional, required},
        grids,
        problems::Mapping,
        rotation, tasks,
    },
};

/// Some bytes of a text changed, taken out or put in.
fn spoilt(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    (text, vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..4)).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (place, how, byte) in changes {
            let at = place.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                _ if at == bytes.len() => {}
                1 => bytes[at] = byte,
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

fn spoilt_text(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    spoilt(text).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Anything, or something of the given form with a few mistakes.
fn near(form: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![".{0,120}", spoilt_text(form)]
}

fn one_header(name: HeaderName, value: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(name, value);
    }
    headers
}

const ACCEPT: &str = "((application|text|\\*)/(json|graphql-response\\+json|event-stream|\\*)(; ?q=[01](\\.[0-9]{0,4})?)?(; ?charset=\"?utf-8\"?)?,? ?){0,4}";
const FORWARDED: &str = "((10|192|198|::|fe80::)[0-9a-f.:]{0,12}(, ?)?){0,5}";
const DOCUMENT: &str = "(\\{ ?|\\} ?|\\( ?|\\) ?|[a-z]{1,4} ?|: ?|\\$[a-z] ?|\\.\\.\\. ?|on |@[a-z] ?|\\[ ?|\\] ?|\"[^\"]{0,3}\" ?|-?[0-9]{1,12}(\\.[0-9])?(e[0-9]{1,3})? ?|query |mutation |fragment |# ?\n|= ?|! ?|\"\"\" ?){0,40}";

proptest! {
    #[test]
    fn cursors(text in near("[A-Za-z0-9_-]{0,80}"), inner in spoilt("name\n[tdilsu-][0-9TZ:.-]{0,24}\n[0-9a-f-]{36}")) {
        let encoded = URL_SAFE_NO_PAD.encode(inner);
        for cursor in [text, encoded] {
            if let Some((value, Value::Uuid(Some(id)))) = page::read(&cursor, "name") {
                let again = page::write("name", &value, id);
                prop_assert_eq!(page::read(&again, "name"), Some((value, id.into())));
            }
        }
    }

    #[test]
    fn written_cursors_are_read(number in any::<i32>(), long in any::<i64>(), text in "[^\0]{0,20}", id in any::<u128>()) {
        let id = Uuid::from_u128(id);
        for value in [Value::from(number), Value::from(long), Value::from(text), Value::from(id)] {
            prop_assert_eq!(page::read(&page::write("name", &value, id), "name"), Some((value, id.into())));
        }
    }

    #[test]
    fn global_ids(text in near("[A-Za-z0-9_-]{0,60}"), bytes in vec(any::<u8>(), 0..60), noun in "[a-z_]{1,20}", raw in any::<u128>()) {
        let encoded = URL_SAFE_NO_PAD.encode(bytes);
        for given in [text, encoded] {
            if let Some((noun, raw)) = id::split(&given) {
                prop_assert_eq!(id::encode_raw(&noun, raw).0, given);
            }
        }
        let raw = Uuid::from_u128(raw);
        prop_assert_eq!(id::split(&id::encode_raw(&noun, raw)), Some((noun, raw)));
    }

    #[test]
    fn tables(bytes in prop_oneof![
        vec(any::<u8>(), 0..400),
        spoilt("(\u{feff})?(#[^\n]{0,9}\n)?(name|名称)(,[a-z]{0,5}){0,3}\r?\n((\"[^\"]{0,6}\"|[^,\n\"]{0,6})(,|\n|\r\n)){0,30}"),
    ]) {
        let source = Source { name: "some.csv".to_owned(), bytes };
        let columns = [required(&["name", "名称"]), optional(&["more"])];
        let Ok(mut table) = Table::open(&source, &columns, 20) else { return Ok(()) };
        let mut rows = 0_usize;
        while let Some(row) = table.next_row() {
            rows += 1;
            match row {
                Ok(row) => prop_assert!(row.line > 0 && row.column(0) > 0 && row.get(0).len() <= source.bytes.len()),
                Err(error) => prop_assert!(!error.error.code().text().is_empty()),
            }
            prop_assert!(rows <= source.bytes.len() + 1, "it does not end");
        }
    }

    #[test]
    fn calendars_and_mappings(
        days in spoilt("date,name,kind\n([0-9]{4}-[0-9]{1,2}-[0-9]{1,2},[^,\n]{0,4},(off|work|x)\n){0,6}"),
        mapping in near("(source|time_zone|\\[columns\\]|key|=|\"[a-z/]{0,6}\"|\\[|\\]|\n| ){0,40}"),
    ) {
        let (entries, errors) = parse_calendar_csv(&days, Level::National);
        prop_assert!(entries.len() + errors.len() <= days.len());
        let _ = Mapping::parse(&mapping);
    }

    #[test]
    fn grids_of_a_file(
        bytes in spoilt("(\u{feff})?网络,网格编码,网格名称,层级,上级网格,类型,覆盖社区/小区,网格员,电话,单位,角色,起始日期\n\
            ((党建|警务|x),[A-C]{0,1},[甲乙]{0,2},[0-6一三]{0,2}级?,[A-C]{0,1},(综合|专属|y)?,[甲乙；/]{0,4},[张李]?,[0-9]{0,3},单位?,(网格员|辅警；民警|z)?,(2026(-|/|年)[0-9]{1,2}(-|/|月)[0-9]{1,2}日?)?\n){0,8}"),
    ) {
        let rows = bytes.iter().filter(|byte| [b'\n', b'\r'].contains(byte)).count();
        let source = Source { name: "grids.csv".to_owned(), bytes };
        let (lines, errors) = grids::read(&source);
        prop_assert!(lines.len() + errors.len() <= rows + 2, "no row is told twice");
        prop_assert!(lines.iter().all(|line| line.line > 0 && !line.code.is_empty()));
        prop_assert!(errors.iter().all(|error| !error.error.code().text().is_empty()));
    }

    #[test]
    fn task_lists_of_a_file(
        bytes in spoilt("(\u{feff})?任务名称,来源,工作内容,完成标准,牵头单位,配合单位,对接社区,开始/完成时限,当月节点,结果\n\
            ('?=?[甲乙]{0,2},[丙]?,[清淤]{0,2},[丁]?,单位?,(甲、乙；)?,社区?,(2026-0[1-9]-[0-9]{1,2}/?){0,2},([开工(（]{0,3}2026-01-[0-9]{1,2}(，已达到)?[)）]?){0,2},(完成|结转|取消|x)?\n){0,8}"),
    ) {
        let rows = bytes.iter().filter(|byte| [b'\n', b'\r'].contains(byte)).count();
        let source = Source { name: "tasks.csv".to_owned(), bytes };
        let mut report = Report::default();
        let lines = tasks::read(&source, &mut report);
        prop_assert!(lines.len() + report.errors.len() + report.notes.len() <= rows + 2, "no row is told twice");
        prop_assert!(lines.iter().all(|line| line.line > 0 && !line.title.is_empty()));
        prop_assert!(report.errors.iter().all(|error| !error.error.code().text().is_empty()));
    }

    #[test]
    fn rotation_tables_of_a_file(
        bytes in spoilt("(\u{feff})?期次,月份\\(起止\\),服务队,调换说明,备注\n\
            ([1-9]?,202[67](年|-)[0-9]{1,2}月?((\\(|（)2026-0[1-9]-01至2026-0[1-9]-(28|30|31)(\\)|）))?,(一|二|'=三)?队?,[因公]{0,2},(免轮|已公布)?\n){0,8}"),
    ) {
        let rows = bytes.iter().filter(|byte| [b'\n', b'\r'].contains(byte)).count();
        let source = Source { name: "rotation.csv".to_owned(), bytes };
        let mut report = Report::default();
        let lines = rotation::read(&source, &mut report);
        prop_assert!(lines.len() <= rows + 1, "no row is read twice");
        let follow = |pair: &[rotation::Line]| pair[0].month_on < pair[1].month_on;
        prop_assert!(lines.windows(2).all(follow) && lines.iter().all(|line| !line.team.is_empty()));
        prop_assert!(report.errors.iter().all(|error| !error.error.code().text().is_empty()));
    }

    #[test]
    fn tokens_and_secrets(
        text in near("[A-Za-z0-9_-]{1,60}\\.[A-Za-z0-9_-]{1,60}\\.[A-Za-z0-9_-]{1,60}"),
        header in spoilt("\\{\"alg\":\"(EdDSA|none)\",\"kid\":\"[a-z]{1,5}\"(,\"typ\":\"[a-z+]{0,8}\")?\\}"),
        claims in spoilt("\\{(\"(iss|sub|aud|exp|nbf)\":(\"[a-z]{0,5}\"|-?[0-9]{1,20}|\\[\"a\"\\]),?){0,5}\\}"),
        presented in near("cnc_(rt|key|inv|cal)_[A-Za-z0-9_]{0,60}"), seed in any::<u8>(),
    ) {
        let token = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        for token in [text, token] {
            if let Ok(compact) = Compact::parse(&token) {
                let _ = (compact.algorithm(), compact.typ(), compact.key_id(), compact.require_only(&["alg"]));
            }
        }
        for kind in [
            SecretKind::Refresh,
            SecretKind::ApiKey,
            SecretKind::Invitation,
            SecretKind::Calendar,
            SecretKind::FollowUp,
        ] {
            let _ = Presented::parse(kind, &presented);
            let secret = Secret::generate(kind, &|bytes| bytes.fill(seed));
            prop_assert!(Presented::parse(kind, secret.expose()).is_ok());
        }
    }

    #[test]
    fn number_patterns(text in near("(\\{year\\}|\\{seq(:[0-9]{0,2})?\\}|[号〔\\{\\}:a-c]){0,12}"), sequence in any::<u32>(), number in ".{0,20}") {
        let Ok(pattern) = NumberPattern::parse(&text) else { return Ok(()) };
        prop_assert_eq!(pattern.as_str(), &text);
        prop_assert_eq!(pattern.sequence(2026, &pattern.render(2026, sequence)), Some(sequence));
        let _ = pattern.sequence(2026, &number);
    }

    #[test]
    fn credit_codes(text in near("[0-9A-Z]{17,19}")) {
        if let Ok(code) = CreditCode::parse(&text) {
            prop_assert!(CreditCode::parse(code.as_str()).is_ok_and(|again| again == code));
            let _ = (code.division(), code.organization_code(), code.warning());
        }
    }

    #[test]
    fn headers(
        accept in spoilt(ACCEPT), language in spoilt("((zh|en|fr|\\*)(-[A-Z]{2})?(;q=[01](\\.[0-9]{0,4})?)?,? ?){0,5}"),
        media in spoilt("application/json(; ?charset=\"?[a-z0-9-]{0,8}\"?)?"), bearer in spoilt("[Bb]earer +[!-~]{0,40}"),
        forwarded in spoilt(FORWARDED), networks in vec(near("[0-9a-f.:]{1,20}/[0-9]{1,3}"), 0..3),
    ) {
        if let Ok(accepted) = negotiation::accept(&one_header(header::ACCEPT, &accept)) {
            let media = accepted.media().as_str();
            prop_assert!(media.contains("json") || media.contains("event-stream"));
        }
        let _ = negotiation::locale(&one_header(header::ACCEPT_LANGUAGE, &language));
        let _ = negotiation::check_content_type(&one_header(header::CONTENT_TYPE, &media));
        if let Ok(Some(token)) = negotiation::credential(&one_header(header::AUTHORIZATION, &bearer)) {
            prop_assert_eq!(negotiation::bearer(&format!("Bearer {token}")), Ok(token));
        }
        let _ = TrustedProxies::parse(&networks);
        let proxies = TrustedProxies::parse(&["10.0.0.0/8".to_owned(), "fe80::/10".to_owned()]).unwrap();
        let headers = one_header(HeaderName::from_static("x-forwarded-for"), &forwarded);
        let stranger = "203.0.113.9".parse().unwrap();
        prop_assert_eq!(proxies.client(stranger, &headers), stranger, "a stranger's word counts for nothing");
        let _ = proxies.client("10.1.2.3".parse().unwrap(), &headers);
    }

    #[test]
    fn documents_and_bodies(text in prop_oneof![".{0,200}", DOCUMENT], body in near("\\{(\"(query|variables|extensions|operationName)\": ?(\"[^\"\\\\]{0,9}\"|\\{\\}|null|[0-9]{1,4}|\\[\\]),? ?){0,4}\\}")) {
        let limits = Limits::default();
        if lexer::check_document(&text, limits.tokens, limits.nesting).is_ok() {
            // What the library's parser takes has passed our own look at it, and neither panics.
            let _ = parse_query(&text);
        }
        let request = IncomingRequest { query: text, ..IncomingRequest::default() };
        if let Err(refusal) = admission::admit(&request, &limits, &Documents::default()) {
            prop_assert!(!refusal.code.is_empty());
        }
        let _ = parameters::from_body(body.as_bytes(), &limits, 3);
        let _ = parameters::from_query(vec![("variables".to_owned(), body)], &limits);
    }
}
