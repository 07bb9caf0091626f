//! Tests of the credit code; they hold no rules of their own.

use super::*;
use proptest::prelude::*;

const VALID: [&str; 3] = ["11632223DEM000014X", "91230800DEM000022H", "91230800DEM0001100"];

#[test]
fn known_codes_are_valid_and_undoubted() {
    for text in VALID {
        let code = CreditCode::parse(text).unwrap();
        assert_eq!(code.to_string(), text);
        assert_eq!(code.warning(), None);
    }
    assert_eq!(CreditCode::fictitious("632223", 1).unwrap().as_str(), VALID[0]);
    assert_eq!(CreditCode::fictitious_of("91", "230800", 2).unwrap().as_str(), VALID[1]);
    assert_eq!(CreditCode::fictitious_of("91", "230800", 11).unwrap().as_str(), VALID[2]);
    let code: CreditCode = VALID[0].parse().unwrap();
    assert_eq!((code.division(), code.organization_code()), ("632223", "DEM000014"));
}

#[test]
fn weights_are_the_powers_of_three() {
    let mut power = 1;
    for weight in WEIGHTS {
        assert_eq!(weight, power);
        power = power * 3 % 31;
    }
}

#[test]
fn typing_habits_are_put_right() {
    for text in [" 11632223dem000014x\n", "\u{3000}11632223DEM000014X ", "１１６３２２２３ＤＥＭ０００１４ｘ"]
    {
        let expected = if text.contains('Ｄ') {
            Err(CreditCodeError::WrongLength { found: 17 })
        } else {
            Ok(VALID[0].to_owned())
        };
        assert_eq!(CreditCode::parse(text).map(|code| code.to_string()), expected);
    }
    let wide: String = VALID[0].chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
    assert_eq!(CreditCode::parse(&wide).unwrap().as_str(), VALID[0]);
}

#[test]
fn mistakes_are_named() {
    assert_eq!(CreditCode::parse(""), Err(CreditCodeError::WrongLength { found: 0 }));
    assert_eq!(CreditCode::parse("11632223DEM000014"), Err(CreditCodeError::WrongLength { found: 17 }));
    assert_eq!(CreditCode::parse("统一社会信用代码"), Err(CreditCodeError::WrongLength { found: 8 }));
    assert_eq!(
        CreditCode::parse("11632223DEMO00014X"),
        Err(CreditCodeError::BadCharacter { position: 12, character: 'O' })
    );
    assert_eq!(
        CreditCode::parse("1163 223DEM000014X"),
        Err(CreditCodeError::BadCharacter { position: 5, character: ' ' })
    );
    assert_eq!(
        CreditCode::parse("海1632223DEM000014X"),
        Err(CreditCodeError::BadCharacter { position: 1, character: '海' })
    );
    assert_eq!(CreditCode::parse("11632223DEM0000140"), Err(CreditCodeError::BadCheck));
}

#[test]
fn the_organisation_check_only_warns() {
    let stem = "11632223DEM000015";
    let code = CreditCode::parse(&format!("{stem}{}", check_char(stem).unwrap())).unwrap();
    assert_eq!(code.warning(), Some(CreditCodeWarning::OrganizationCheck { expected: '4', found: '5' }));
}

#[test]
fn unknown_first_characters_are_taken() {
    let stem = "Y1632223DEM000014";
    assert!(CreditCode::parse(&format!("{stem}{}", check_char(stem).unwrap())).is_ok());
}

#[test]
fn fictitious_codes_refuse_what_does_not_fit() {
    assert_eq!(CreditCode::fictitious("63222", 1), None);
    assert_eq!(CreditCode::fictitious("63222X", 1), None);
    assert_eq!(CreditCode::fictitious("632223", 100_000), None);
    assert_eq!(CreditCode::fictitious_of("1海", "632223", 1), None);
    assert_eq!(check_char("1163"), None);
}

fn codes() -> impl Strategy<Value = Vec<char>> {
    proptest::collection::vec(0usize..31, 17).prop_map(|values| {
        let stem: String = values.into_iter().map(|value| ALPHABET[value]).collect();
        stem.chars().chain(check_char(&stem)).collect()
    })
}

fn parse(characters: &[char]) -> Result<CreditCode, CreditCodeError> {
    CreditCode::parse(&characters.iter().collect::<String>())
}

proptest! {
    #[test]
    fn any_single_substitution_is_detected(code in codes(), place in 0usize..18, other in 0usize..31) {
        prop_assert!(parse(&code).is_ok());
        let mut wrong = code.clone();
        wrong[place] = ALPHABET[other];
        prop_assert_eq!(parse(&wrong).is_ok(), wrong == code);
    }

    #[test]
    fn any_transposition_but_one_is_detected(code in codes(), a in 0usize..18, b in 0usize..18) {
        let mut wrong = code.clone();
        wrong.swap(a, b);
        // The first position and the check both weigh 1, so the standard cannot see those two exchanged.
        let blind = a.min(b) == 0 && a.max(b) == 17;
        prop_assert_eq!(parse(&wrong).is_ok(), wrong == code || blind);
    }

    #[test]
    fn fictitious_codes_are_valid(division in "[0-9]{6}", serial in 0u32..100_000) {
        let code = CreditCode::fictitious(&division, serial).unwrap();
        prop_assert_eq!(code.division(), division);
        prop_assert_eq!(code.warning(), None);
        prop_assert_eq!(CreditCode::parse(code.as_str()), Ok(code));
    }

    #[test]
    fn any_text_is_answered(text in ".{0,40}") {
        let _ = CreditCode::parse(&text);
    }
}
