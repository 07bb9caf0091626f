//! Tests of the feed by reading it back; they hold no rules of their own.

use super::*;
use chrono::TimeZone;
use proptest::prelude::*;

/// Undoes the folding and escaping of RFC 5545 and returns name (with parameters) and value of every content line.
fn read(text: &str) -> Vec<(String, String)> {
    assert!(text.ends_with("\r\n"));
    let lines = text.strip_suffix("\r\n").unwrap().split("\r\n");
    let mut unfolded: Vec<String> = Vec::new();
    for line in lines {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.contains(['\r', '\n']), "a bare line break: {line:?}");
        match line.strip_prefix(' ') {
            Some(rest) => unfolded.last_mut().unwrap().push_str(rest),
            None => unfolded.push(line.to_owned()),
        }
    }
    unfolded
        .into_iter()
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), unescape(value))
        })
        .collect()
}

fn unescape(value: &str) -> String {
    let mut plain = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(escaped @ ('\\' | ',' | ';')) => plain.push(escaped),
                other => panic!("a stray escape: {other:?}"),
            },
            ',' | ';' => panic!("an unescaped separator in {value}"),
            _ => plain.push(character),
        }
    }
    plain
}

fn event(summary: &str, description: &str) -> FeedEvent {
    FeedEvent {
        uid: "slot-0198f2c0-3a5e-7000-8000-000000000001@concord".into(),
        sequence: 3,
        summary: summary.into(),
        description: description.into(),
        starts_on: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
        ends_on_exclusive: NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(),
        status: FeedStatus::Confirmed,
        updated_at: Utc.with_ymd_and_hms(2026, 10, 20, 1, 2, 3).unwrap(),
    }
}

fn feed(name: &str, events: Vec<FeedEvent>) -> Feed {
    Feed { name: name.into(), time_zone: chrono_tz::Asia::Shanghai, events }
}

fn value<'a>(lines: &'a [(String, String)], name: &str) -> &'a str {
    let mut found = lines.iter().filter(|(known, _)| known == name);
    let (_, value) = found.next().unwrap_or_else(|| panic!("{name} is missing"));
    assert!(found.next().is_none(), "{name} stands twice");
    value
}

#[test]
fn a_slot_becomes_an_all_day_event() {
    let text =
        render(&feed("西海镇区域化党建联盟；轮值, 2026", vec![event("第一服务队", "牵头：州委办\n联络员")]));
    let lines = read(&text);
    let expected = [
        ("VERSION", "2.0"),
        ("PRODID", PRODUCT),
        ("NAME;VALUE=TEXT", "西海镇区域化党建联盟；轮值, 2026"),
        ("X-WR-CALNAME", "西海镇区域化党建联盟；轮值, 2026"),
        ("X-WR-TIMEZONE", "Asia/Shanghai"),
        ("UID", "slot-0198f2c0-3a5e-7000-8000-000000000001@concord"),
        ("SEQUENCE", "3"),
        ("DTSTART;VALUE=DATE", "20261101"),
        ("DTEND;VALUE=DATE", "20261201"),
        ("DTSTAMP", "20261020T010203Z"),
        ("LAST-MODIFIED", "20261020T010203Z"),
        ("STATUS", "CONFIRMED"),
        ("TRANSP", "TRANSPARENT"),
        ("SUMMARY", "第一服务队"),
        ("DESCRIPTION", "牵头：州委办\n联络员"),
    ];
    for (name, wanted) in expected {
        assert_eq!(value(&lines, name), wanted);
    }
    assert_eq!(lines.first().unwrap(), &("BEGIN".to_owned(), "VCALENDAR".to_owned()));
    assert_eq!(lines.last().unwrap(), &("END".to_owned(), "VCALENDAR".to_owned()));
}

#[test]
fn the_same_rotation_gives_the_same_bytes() {
    let rotation = feed("轮值", vec![event("第一服务队", ""), event("第二服务队", "")]);
    assert_eq!(render(&rotation), render(&rotation));
    let mut changed = rotation.clone();
    changed.events[0].summary = "第十二服务队".into();
    changed.events[0].sequence = 4;
    changed.events[0].status = FeedStatus::Cancelled;
    let uids = |feed: &Feed| -> Vec<_> {
        read(&render(feed)).into_iter().filter(|(name, _)| name == "UID").collect()
    };
    assert_eq!(uids(&rotation), uids(&changed));
    assert!(render(&changed).contains("STATUS:CANCELLED\r\n"));
}

#[test]
fn an_empty_rotation_is_a_calendar() {
    let text = render(&feed("", Vec::new()));
    assert_eq!(read(&text).len(), 9);
}

#[test]
fn control_characters_cannot_break_a_line() {
    let lines = read(&render(&feed("a", vec![event("x\r\nATTENDEE:mailto:a@b\rz\u{0}\u{7f}", "\t")])));
    assert_eq!(value(&lines, "SUMMARY"), "x\nATTENDEE:mailto:a@b\nz");
    assert!(!lines.iter().any(|(name, _)| name == "ATTENDEE"));
}

proptest! {
    #[test]
    fn any_text_survives(
        name in "[ -~一-龥,;:\\\\\n]{0,120}", summary in "[ -~\u{3000}一-龥😀,;\\\\\n]{0,200}",
        description in "[ ,;\\\\\n海]{1,300}",
    ) {
        let lines = read(&render(&feed(&name, vec![event(&summary, &description)])));
        prop_assert_eq!(value(&lines, "X-WR-CALNAME"), name);
        prop_assert_eq!(value(&lines, "SUMMARY"), summary);
        prop_assert_eq!(value(&lines, "DESCRIPTION"), description);
    }
}
