//! Proof of opaque secrets: form, checksum, digests, nothing printed.

use std::{cell::Cell, collections::HashSet};

use proptest::prelude::*;

use super::*;

fn randomness() -> impl Fn(&mut [u8]) {
    let state = Cell::new(0x9e37_79b9_7f4a_7c15_u64);
    move |bytes| {
        for byte in bytes {
            let mut next = state.get();
            next ^= next << 13;
            next ^= next >> 7;
            next ^= next << 17;
            state.set(next);
            *byte = next.to_be_bytes()[0];
        }
    }
}

#[test]
fn every_kind_has_its_form_and_is_read_again() {
    let random = randomness();
    for (kind, length) in [
        (SecretKind::Refresh, 7 + 49),
        (SecretKind::ApiKey, 8 + 8 + 1 + 49),
        (SecretKind::Invitation, 8 + 49),
        (SecretKind::Calendar, 8 + 49),
        (SecretKind::FollowUp, 8 + 49),
    ] {
        let secret = Secret::generate(kind, &random);
        let text = secret.expose();
        assert!(text.starts_with(kind.prefix()));
        assert_eq!(text.len(), length);
        assert_eq!(SecretKind::of(text), Some(kind));
        let read = Presented::parse(kind, text).unwrap();
        assert_eq!(read.digest, secret.digest());
        assert_eq!(read.key_prefix.as_deref(), secret.key_prefix());
        assert_eq!(secret.key_prefix().is_some(), kind == SecretKind::ApiKey);
        for other in SecretKind::ALL.into_iter().filter(|other| *other != kind) {
            assert_eq!(Presented::parse(other, text), Err(Malformed::Kind));
        }
        assert!(!format!("{secret:?}{read:?}").contains(&text[text.len() - 20..]));
    }
    assert_eq!(SecretKind::of("eyJhbGciOi"), None);
}

#[test]
fn base62_keeps_every_bit() {
    assert_eq!(base62(&[0; 32], BODY_LENGTH), "0".repeat(43));
    assert_eq!(base62(&[61], 2), "0z");
    assert_eq!(base62(&[62], 2), "10");
    assert_eq!(base62(&[255; 4], CHECKSUM_LENGTH), "4gfFC3");
    // 62^43 exceeds 2^256, so the largest number still fits and no two numbers share a text.
    let texts: HashSet<String> = (0..256_usize)
        .map(|bit| {
            let mut bytes = [0_u8; 32];
            bytes[bit / 8] = 1 << (bit % 8);
            base62(&bytes, BODY_LENGTH)
        })
        .chain([base62(&[255; 32], BODY_LENGTH)])
        .collect();
    assert_eq!(texts.len(), 257);
}

#[test]
fn a_typo_is_told_apart() {
    let secret = Secret::generate(SecretKind::Refresh, &randomness());
    let text = secret.expose();
    let kind = SecretKind::Refresh;
    for position in kind.prefix().len()..text.len() {
        let old = text.as_bytes()[position];
        let new = if old == b'7' { '8' } else { '7' };
        let mut typo = text.to_owned();
        typo.replace_range(position..=position, &new.to_string());
        assert_eq!(Presented::parse(kind, &typo), Err(Malformed::Checksum), "{position}");
    }
    assert_eq!(Presented::parse(kind, &text[..text.len() - 1]), Err(Malformed::Shape));
    assert_eq!(Presented::parse(kind, &format!("{text}0")), Err(Malformed::Shape));
    assert_eq!(Presented::parse(kind, &format!("{text} ")), Err(Malformed::Shape));
    assert_eq!(Presented::parse(kind, &format!(" {text}")), Err(Malformed::Kind));
    assert_eq!(Presented::parse(kind, kind.prefix()), Err(Malformed::Shape));
    assert_eq!(Presented::parse(SecretKind::ApiKey, "cnc_key_"), Err(Malformed::Shape));
    assert_eq!(Presented::parse(kind, &format!("cnc_rt_{}", "é".repeat(24) + "a")), Err(Malformed::Shape));
}

#[test]
fn a_secret_does_not_change_its_kind() {
    let secret = Secret::generate(SecretKind::Invitation, &randomness());
    let moved = secret.expose().replace("cnc_inv_", "cnc_cal_");
    assert_eq!(Presented::parse(SecretKind::Calendar, &moved), Err(Malformed::Checksum));
    let key = Secret::generate(SecretKind::ApiKey, &randomness());
    let renamed = key.expose().replace(key.key_prefix().unwrap(), "aaaaaaaa");
    assert_eq!(Presented::parse(SecretKind::ApiKey, &renamed), Err(Malformed::Checksum));
}

#[test]
fn digests_are_stored_and_compared() {
    let random = randomness();
    let one = Secret::generate(SecretKind::Refresh, &random);
    let two = Secret::generate(SecretKind::Refresh, &random);
    assert_ne!(one.expose(), two.expose());
    assert_ne!(one.digest(), two.digest());
    assert_eq!(SecretDigest::from_bytes(one.digest().as_bytes()), Some(one.digest()));
    assert_eq!(SecretDigest::from_bytes(&[0; 31]), None);
    let expected: [u8; 32] = Sha256::digest(one.expose()).into();
    assert_eq!(one.digest().as_bytes(), &expected);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(cnc_(rt|key|inv|cal)_)?.{0,80}") {
        for kind in SecretKind::ALL {
            let _ = Presented::parse(kind, &text);
        }
    }
}
