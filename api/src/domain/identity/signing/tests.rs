//! Proof of the key ring: files and modes, rotation, retirement, two starts at once, purposes.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicU8, Ordering},
};

use chrono::TimeDelta;
use tempfile::TempDir;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// Gives every call other bytes, the same in every run.
fn randomness(start: u8) -> impl Fn(&mut [u8]) {
    let next = AtomicU8::new(start);
    move |bytes| bytes.fill(next.fetch_add(1, Ordering::SeqCst))
}

fn open(dir: &TempDir, algorithm: Algorithm) -> KeyRing {
    KeyRing::open(&dir.path().join("keys"), algorithm, now(), &randomness(1)).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_thumbprint_is_that_of_the_rfc() {
    // RFC 8037, appendix A.3.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(thumbprint(Algorithm::EdDsa, x, None), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn the_first_start_creates_a_closed_folder_with_one_key() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let dir = TempDir::new().unwrap();
        let ring = open(&dir, algorithm);
        let keys = dir.path().join("keys");
        assert_eq!(mode(&keys), 0o700);
        for file in fs::read_dir(&keys).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
        let jwks = ring.jwks();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
        let jwk = &jwks["keys"][0];
        assert_eq!(jwk["alg"], algorithm.name());
        assert_eq!(jwk["kid"], ring.active());
        assert_eq!(jwk["use"], "sig");
        assert!(jwk.get("d").is_none());
        // A library that reads JWKs comes to the same thumbprint.
        let read: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk.clone()).unwrap();
        assert_eq!(read.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), ring.active());

        let again = open(&dir, algorithm);
        assert_eq!(again.active(), ring.active());
        assert_eq!(again.list(), ring.list());
    }
}

#[test]
fn an_open_folder_is_closed_before_the_first_key() {
    let dir = TempDir::new().unwrap();
    let keys = dir.path().join("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    open(&dir, Algorithm::EdDsa);
    assert_eq!(mode(&keys), 0o700);
}

#[test]
fn the_private_key_is_plain_pkcs8() {
    let dir = TempDir::new().unwrap();
    let ring = open(&dir, Algorithm::EdDsa);
    let pem = fs::read_to_string(dir.path().join(format!("keys/signing-{}.pem", ring.active()))).unwrap();
    // The 48 bytes of RFC 8410: a fixed prefix and the seed.
    assert_eq!(pem.lines().count(), 3);
    assert!(pem.lines().nth(1).unwrap().starts_with("MC4CAQAwBQYDK2VwBCIEI"));
}

#[test]
fn many_first_starts_at_once_agree_on_one_key() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("keys");
    let kids: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8_u8)
            .map(|number| {
                let path = &path;
                scope.spawn(move || {
                    KeyRing::open(path, Algorithm::EdDsa, now(), &randomness(number * 20 + 1))
                        .unwrap()
                        .active()
                })
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
    let private = fs::read_dir(&path)
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "pem"));
    assert_eq!(private.count(), 1);
}

#[test]
fn parallel_rotations_lose_no_key() {
    let dir = TempDir::new().unwrap();
    let ring = open(&dir, Algorithm::EdDsa);
    std::thread::scope(|scope| {
        for number in 0..6_u8 {
            let ring = &ring;
            scope
                .spawn(move || ring.rotate(Algorithm::EdDsa, now(), &randomness(100 + number * 20)).unwrap());
        }
    });
    ring.reload(now()).unwrap();
    assert_eq!(ring.list().len(), 7);
}

#[test]
fn rotation_keeps_the_old_key_until_it_is_retired() {
    let dir = TempDir::new().unwrap();
    let ring = open(&dir, Algorithm::EdDsa);
    let old = ring.active();
    let signed = ring.sign_for("checkpoint", b"head").unwrap();
    let new = ring.rotate(Algorithm::Es256, now(), &randomness(50)).unwrap();
    assert_ne!(old, new);
    assert_eq!(ring.active(), new);
    assert_eq!(ring.jwks()["keys"].as_array().unwrap().len(), 2);
    assert!(matches!(ring.find(&old, now()), Found::Key(Algorithm::EdDsa, _)));
    assert!(matches!(ring.find(&new, now()), Found::Key(Algorithm::Es256, _)));

    assert!(matches!(ring.retire(&new, now()), Err(Error::ActiveKey(_))));
    assert!(matches!(ring.retire("nobody", now()), Err(Error::UnknownKey(_))));
    ring.retire(&old, now()).unwrap();
    ring.retire(&old, now() + TimeDelta::days(1)).unwrap();
    assert_eq!(ring.list()[0].retired_at, Some(now()));
    assert!(matches!(ring.find(&old, now()), Found::Retired));
    assert_eq!(ring.jwks()["keys"].as_array().unwrap().len(), 1);
    assert!(!dir.path().join(format!("keys/signing-{old}.pem")).exists());
    // What it signed while it was active stays verifiable.
    assert!(ring.verify_for("checkpoint", b"head", &signed));
    assert_eq!(open(&dir, Algorithm::EdDsa).active(), new);
}

#[test]
fn a_key_made_by_another_process_is_found() {
    let dir = TempDir::new().unwrap();
    let here = open(&dir, Algorithm::EdDsa);
    let there = open(&dir, Algorithm::EdDsa);
    let first = here.active();
    let second = there.rotate(Algorithm::EdDsa, now(), &randomness(50)).unwrap();
    assert!(matches!(here.find(&second, now()), Found::Unknown), "not looked for again at once");
    let later = now() + TimeDelta::seconds(RELOAD_UNKNOWN_SECONDS);
    assert!(matches!(here.find(&second, later), Found::Key(..)));
    there.retire(&first, later).unwrap();
    assert!(matches!(here.find(&first, later), Found::Key(..)));
    assert!(matches!(here.find(&first, later + TimeDelta::seconds(RELOAD_SECONDS)), Found::Retired));
}

#[test]
fn a_broken_reload_keeps_the_loaded_keys() {
    let dir = TempDir::new().unwrap();
    let ring = open(&dir, Algorithm::EdDsa);
    fs::write(dir.path().join("keys/keys.json"), "{").unwrap();
    let later = now() + TimeDelta::hours(1);
    assert!(matches!(ring.find(&ring.active(), later), Found::Key(..)));
    assert!(matches!(ring.reload(later), Err(Error::Content { .. })));
}

#[test]
fn purposes_and_messages_are_bound() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let dir = TempDir::new().unwrap();
        let ring = open(&dir, algorithm);
        let signed = ring.sign_for("checkpoint", b"head").unwrap();
        assert!(ring.verify_for("checkpoint", b"head", &signed));
        assert!(!ring.verify_for("checkpoint", b"tail", &signed));
        assert!(!ring.verify_for("other", b"head", &signed));
        assert!(!ring.verify_for("checkpoin", b"t\0head", &signed));
        assert!(!ring.verify_for("checkpoint", b"head", &Signed { kid: "x".into(), ..signed.clone() }));
        assert!(!ring.verify_for("checkpoint", b"head", &Signed { signature: "!".into(), ..signed }));
    }
}

#[test]
fn what_is_wrong_with_the_files_is_told() {
    let dir = TempDir::new().unwrap();
    let keys = dir.path().join("keys");
    assert!(matches!(KeyRing::load(&keys, now()), Err(Error::Missing(_))));
    assert!(!keys.exists());
    let ring = open(&dir, Algorithm::EdDsa);
    let pem = keys.join(format!("signing-{}.pem", ring.active()));
    let manifest = keys.join("keys.json");
    let load = || KeyRing::load(&keys, now()).map(|_| ()).unwrap_err();
    let set_mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    for (path, good) in [(&keys, 0o700), (&manifest, 0o600), (&pem, 0o600)] {
        set_mode(path, good | 0o040);
        let error = load();
        assert!(matches!(error, Error::Permissions { .. }));
        assert!(error.to_string().contains("chmod"), "{error}");
        set_mode(path, good);
    }

    let good = fs::read_to_string(&manifest).unwrap();
    for bad in [
        good.replace(&ring.active(), "../../../../../../../../etc/passwd-12345678"),
        good.replace(&ring.active(), &"A".repeat(43)),
        good.replace("EdDSA", "ES256"),
        good.replace("EdDSA", "none"),
        good.replace("\"keys\"", "\"other\""),
        "{\"keys\":[]}".into(),
        String::new(),
    ] {
        fs::write(&manifest, &bad).unwrap();
        assert!(matches!(load(), Error::Content { .. }), "{bad}");
    }
    fs::write(&manifest, good).unwrap();

    let other = generate(Algorithm::EdDsa, now(), &randomness(90)).unwrap();
    let bytes = fs::read(&pem).unwrap();
    for bad in [other.pem.as_bytes(), b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
    {
        fs::write(&pem, bad).unwrap();
        assert!(matches!(load(), Error::Content { .. }));
    }
    fs::write(&pem, bytes).unwrap();
    assert!(KeyRing::load(&keys, now()).is_ok());
    fs::remove_file(&pem).unwrap();
    assert!(matches!(load(), Error::Io { .. }));
}

#[test]
fn an_unusable_seed_is_replaced_by_the_next() {
    // 0xff… is above the order of P-256, so the second seed makes the key; endless ones end in an error.
    let ring = generate(Algorithm::Es256, now(), &randomness(255));
    // The counter wraps from 255 to 0, and zero is no key either: the third seed is taken.
    assert!(ring.is_ok());
    assert!(matches!(generate(Algorithm::Es256, now(), &|bytes| bytes.fill(0)), Err(Error::Crypto)));
}

#[test]
fn nothing_prints_a_private_key() {
    let dir = TempDir::new().unwrap();
    let ring = open(&dir, Algorithm::EdDsa);
    let text = format!("{ring:?}");
    assert!(text.contains(&ring.active()) && !text.contains("PRIVATE") && !text.contains("private:"));
}
