//! Tests of the number pattern; they hold no rules of their own.

use super::*;
use proptest::prelude::*;

#[test]
fn numbers_are_rendered() {
    let pattern = NumberPattern::parse("西海销〔{year}〕{seq:4}号").unwrap();
    assert_eq!(pattern.render(2026, 1), "西海销〔2026〕0001号");
    assert_eq!(pattern.render(2026, 12_345), "西海销〔2026〕12345号");
    assert_eq!(pattern.to_string(), "西海销〔{year}〕{seq:4}号");
    assert_eq!("{seq}/{year}".parse::<NumberPattern>().unwrap().render(2026, 7), "7/2026");
    assert_eq!(NumberPattern::default().render(2027, 3), "〔2027〕0003号");
}

#[test]
fn mistakes_are_named() {
    use NumberPatternError as E;
    let cases = [
        ("", E::MissingYear),
        ("{seq}", E::MissingYear),
        ("{year}号", E::MissingSequence),
        ("{year}{seq}{year}", E::Repeated { position: 12 }),
        ("{year}{seq}{seq:3}", E::Repeated { position: 12 }),
        ("海{yaer}{seq}", E::UnknownPlaceholder { position: 2, name: "yaer".into() }),
        ("{year:2}{seq}", E::UnknownPlaceholder { position: 1, name: "year:2".into() }),
        ("{}{year}{seq}", E::UnknownPlaceholder { position: 1, name: String::new() }),
        ("{year}{seq:0}", E::BadWidth { position: 7 }),
        ("{year}{seq:10}", E::BadWidth { position: 7 }),
        ("{year}{seq:}", E::BadWidth { position: 7 }),
        ("{year}{seq:+4}", E::BadWidth { position: 7 }),
        ("{year}{seq", E::UnbalancedBrace { position: 7 }),
        ("{year}{seq}}", E::UnbalancedBrace { position: 12 }),
        ("{year}\n{seq}", E::ControlCharacter { position: 7 }),
    ];
    for (text, expected) in cases {
        assert_eq!(NumberPattern::parse(text), Err(expected), "{text:?}");
    }
    let long = format!("{{year}}{{seq}}{}", "号".repeat(53));
    assert!(NumberPattern::parse(&long).is_ok_and(|pattern| pattern.as_str().chars().count() == MAX_LENGTH));
    assert_eq!(NumberPattern::parse(&format!("{long}号")), Err(E::TooLong { found: 65 }));
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(\\{year\\}|\\{seq(:[0-9]{0,2})?\\}|[号〔\\{\\}:a-c]|.){0,12}") {
        if let Ok(pattern) = NumberPattern::parse(&text) {
            prop_assert!(pattern.render(2026, 41).contains("2026"));
        }
    }

    #[test]
    fn numbers_of_a_pattern_are_distinct(
        pattern in prop_oneof![Just("{year}{seq}"), Just("{seq}{year}"), Just("1{seq:2}{year}0")],
        one in (2000i32..2100, 1u32..50_000), two in (2000i32..2100, 1u32..50_000),
    ) {
        let pattern = NumberPattern::parse(pattern).unwrap();
        prop_assert_eq!(pattern.render(one.0, one.1) == pattern.render(two.0, two.1), one == two);
    }
}
