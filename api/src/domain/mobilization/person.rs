//! What an alliance calls a person: a volunteer's number or a token of its choice, never an identity number. Only a keyed digest
//! is stored, under a key of the alliance's own, so that the same person is recognised in every order of it, and in no other.

use chrono::{Datelike, NaiveDate};
use concord_entities::{
    id::AllianceId,
    person_salt::{ActiveModel, Entity},
};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use sha2::{Digest, Sha256};

use crate::domain::{Code, Error, Result, Tx};

/// Longest reference.
const LONGEST: usize = 64;
/// Lengths of identity card numbers, new and old.
const CARD: [usize; 2] = [18, 15];
/// Length of a mobile number.
const MOBILE: usize = 11;
/// Lengths of an area's number, and of a landline's behind it.
const AREA: [usize; 2] = [3, 4];
const LANDLINE: [usize; 2] = [7, 8];

/// Checks what somebody calls a person who may be on record under it.
pub fn known<'a>(person: &'a str, field: &'static str) -> Result<&'a str> {
    if person.is_empty() {
        return Err(Error::invalid(Code::Required, field));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if person.len() > LONGEST || !person.bytes().all(fits) {
        return Err(Error::invalid(Code::Malformed, field).with("expected", "token"));
    }
    Ok(person)
}

/// Checks what somebody calls a person who is put on record under it.
pub fn check<'a>(person: &'a str, field: &'static str) -> Result<&'a str> {
    let person = known(person, field)?;
    if identifies(person) { Err(Error::invalid(Code::PersonIdentified, field)) } else { Ok(person) }
}

/// Whether it looks like a number that tells who somebody is, or holds one as it is mostly written: an identity card's or a mobile
/// phone's, with or without dashes, or a landline's behind its area's.
fn identifies(person: &str) -> bool {
    let bare: Vec<u8> = person.bytes().filter(|byte| !is_separator(*byte)).collect();
    if bare.windows(CARD[0]).any(is_card) {
        return true;
    }
    let Some((last, head)) = bare.split_last() else { return false };
    let digits = head.iter().all(u8::is_ascii_digit);
    let ends_like_a_card = last.is_ascii_digit() || (bare.len() == 18 && last.eq_ignore_ascii_case(&b'x'));
    if digits && ends_like_a_card && CARD.contains(&bare.len()) {
        return true;
    }
    let text = person.as_bytes();
    let goes_on =
        |at: &usize| at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_digit);
    (0..text.len())
        .filter(|at| !goes_on(at))
        .filter_map(|at| text.get(at..))
        .any(|rest| begins_with_mobile(rest) || begins_with_landline(rest))
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

/// Whether a mobile phone's number stands at the beginning, with or without its country, and no further digit right behind it.
fn begins_with_mobile(text: &[u8]) -> bool {
    // Each digit, and whether another follows right behind it.
    let digits: Vec<(u8, bool)> = text
        .iter()
        .enumerate()
        .take_while(|(_, byte)| byte.is_ascii_digit() || is_separator(**byte))
        .filter(|(_, byte)| byte.is_ascii_digit())
        .map(|(at, byte)| (*byte, text.get(at + 1).is_some_and(u8::is_ascii_digit)))
        .collect();
    ["", "0", "86", "0086"].iter().any(|country| {
        let number = digits.get(country.len()..country.len() + MOBILE).unwrap_or_default();
        digits.iter().map(|(digit, _)| *digit).take(country.len()).eq(country.bytes())
            && matches!(number, [(b'1', _), (b'3'..=b'9', _), .., (_, false)])
    })
}

/// Whether a landline's number stands at the beginning: its area's, a separator, and seven or eight digits. Without the separator it is
/// any number that is filled up with zeros.
fn begins_with_landline(text: &[u8]) -> bool {
    AREA.into_iter().filter_map(|length| text.split_at_checked(length)).any(|(area, rest)| {
        let number =
            rest.iter().skip_while(|byte| is_separator(**byte)).take_while(|byte| byte.is_ascii_digit());
        matches!(area, [b'0', b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit))
            && rest.first().is_some_and(|byte| is_separator(*byte))
            && number.clone().next().is_some_and(|first| (b'2'..=b'9').contains(first))
            && LANDLINE.contains(&number.count())
    })
}

/// Whether these are a card's number, which holds a day of birth.
fn is_card(number: &[u8]) -> bool {
    let Some((last, digits)) = number.split_last() else { return false };
    let text = std::str::from_utf8(digits).unwrap_or_default();
    let born = text.get(6..14).and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok());
    digits.iter().all(u8::is_ascii_digit)
        && (last.is_ascii_digit() || last.eq_ignore_ascii_case(&b'x'))
        && born.is_some_and(|day| (1900..2100).contains(&day.year()))
}

/// What is stored of a person.
pub fn digest(salt: &[u8], person: &str) -> Vec<u8> {
    Sha256::new().chain_update(salt).chain_update(person).finalize().to_vec()
}

/// The key of an alliance's digests, which is made with the first use of it.
pub async fn salt(tx: &Tx<'_>, alliance: AllianceId) -> Result<Vec<u8>> {
    if let Some(row) = Entity::find_by_id(alliance).one(&tx.db).await? {
        return Ok(row.salt);
    }
    let fresh: [u8; 32] = tx.ctx.app.random_bytes();
    let row = ActiveModel { alliance_id: Set(alliance), salt: Set(fresh.to_vec()) };
    Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    let row = Entity::find_by_id(alliance).one(&tx.db).await?;
    Ok(row.ok_or_else(|| Error::internal("an alliance without its key"))?.salt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_who_somebody_is_is_refused() {
        let cards = ["230800199001011234", "23080019900101123X", "23080019900101123x", "230800900101123"];
        for card in cards.into_iter().chain(["V230800199001011234", "jm-230800-19900101-123X-2"]) {
            assert!(identifies(card), "{card}");
        }
        for phone in [
            "13912345678",
            "013912345678",
            "8613912345678",
            "008613912345678",
            "139-1234-5678",
            "86_13912345678",
        ] {
            assert!(identifies(phone), "{phone}");
        }
        for phone in [
            "13912345678-2",
            "v13912345678",
            "x13912345678y",
            "jm-139-1234-5678-2",
            "V86-13912345678",
            "0971-8612345",
            "010_62345678",
            "tel0971--8612345-12",
        ] {
            assert!(identifies(phone), "{phone}");
        }
        for token in
            ["V000123", "a1b2c3", "10086", "12345678901", "23080019900101123Y", "x", "-", "0123456789012345"]
        {
            assert!(!identifies(token), "{token}");
        }
        // Volunteers' numbers of other lengths, filled up with zeros, behind a town's code or with a part of their own.
        for token in [
            "139123456780",
            "1391234567",
            "V139123456780",
            "09718612345",
            "0971-0000123",
            "0971-861234",
            "0971-861234567",
            "632223100-0001234",
            "632223100-000123-2",
            "2026-0000123",
        ] {
            assert!(!identifies(token), "{token}");
        }
    }

    #[test]
    fn references_are_short_and_plain() {
        assert!(check("V-0001_a", "person").is_ok());
        // Whoever is on record under what is not put on record any more can still be named.
        assert!(known("V13912345678", "person").is_ok() && check("V13912345678", "person").is_err());
        assert!(check(&"a".repeat(64), "person").is_ok());
        for bad in ["", " ", "张三", "a b", &"a".repeat(65), "a\0"] {
            assert!(check(bad, "person").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_same_person_is_another_under_another_key() {
        assert_eq!(digest(&[1; 32], "V1"), digest(&[1; 32], "V1"));
        assert_ne!(digest(&[1; 32], "V1"), digest(&[2; 32], "V1"));
        assert_ne!(digest(&[1; 32], "V1"), digest(&[1; 32], "V2"));
    }
}
