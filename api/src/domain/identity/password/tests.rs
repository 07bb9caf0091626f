//! Proof of passwords: policy, hashes, equal work for unknown users, bounded concurrency.

use super::*;

fn cheap() -> Settings {
    Settings { memory_kib: 8, iterations: 1, parallelism: 1, concurrency: 2, wait_ms: 5_000 }
}

fn passwords() -> Passwords {
    Passwords::new(&cheap(), [9; SALT_BYTES]).unwrap()
}

#[test]
fn the_policy_counts_characters() {
    assert_eq!(check("九个汉字不够长的呀", "li"), Err(Weakness::TooShort));
    assert_eq!(check("十个汉字正好够长的呀", "li"), Ok(()));
    assert_eq!(check("", "li"), Err(Weakness::TooShort));
    assert_eq!(check(&"ab".repeat(64), "li"), Ok(()));
    assert_eq!(check(&("ab".repeat(64) + "c"), "li"), Err(Weakness::TooLong));
    assert_eq!(check("Zhang.Wei@Town", "zhang.wei@town"), Err(Weakness::Username));
    assert_eq!(check(" zhang.wei@town ", "zhang.wei@town"), Err(Weakness::Username));
    assert_eq!(check("Password123", "li"), Err(Weakness::Common));
    assert_eq!(check("zzzzzzzzzzzz", "li"), Err(Weakness::Common));
    assert_eq!(check("correct horse", "li"), Ok(()));
    for common in COMMON {
        assert_eq!(check(common, "li"), Err(Weakness::Common), "{common}");
    }
}

#[tokio::test]
async fn a_hash_is_a_phc_string_and_compares() {
    let passwords = passwords();
    let hash = passwords.hash("correct horse", [1; SALT_BYTES]).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
    assert_ne!(hash, passwords.hash("correct horse", [2; SALT_BYTES]).await.unwrap());
    assert_eq!(passwords.verify("correct horse", Some(&hash)).await, Ok(Outcome::Match { rehash: false }));
    assert_eq!(passwords.verify("correct horsf", Some(&hash)).await, Ok(Outcome::Mismatch));
    assert_eq!(passwords.verify("", Some(&hash)).await, Ok(Outcome::Mismatch));
}

#[tokio::test]
async fn old_parameters_match_and_ask_for_a_new_hash() {
    let older = Passwords::new(&Settings { iterations: 2, ..cheap() }, [9; SALT_BYTES]).unwrap();
    let hash = older.hash("correct horse", [1; SALT_BYTES]).await.unwrap();
    assert_eq!(passwords().verify("correct horse", Some(&hash)).await, Ok(Outcome::Match { rehash: true }));
    assert_eq!(passwords().verify("wrong", Some(&hash)).await, Ok(Outcome::Mismatch));
    let argon2i: PasswordHash = Argon2::new(Algorithm::Argon2i, Version::V0x13, older.params.clone())
        .hash_password_with_salt(b"correct horse", &[1; SALT_BYTES])
        .unwrap();
    let outcome = older.verify("correct horse", Some(&argon2i.to_string())).await;
    assert_eq!(outcome, Ok(Outcome::Match { rehash: true }));
}

#[tokio::test]
async fn an_unknown_user_costs_one_comparison_and_never_matches() {
    let passwords = passwords();
    assert_eq!(passwords.verify("correct horse", None).await, Ok(Outcome::Mismatch));
    // Nor does an overlong text.
    assert_eq!(passwords.verify(&"\u{7}".repeat(MAX_LENGTH + 1), None).await, Ok(Outcome::Mismatch));
    assert!(passwords.dummy.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
}

#[tokio::test]
async fn an_unknown_user_takes_as_long_as_a_known_one() {
    let passwords = Passwords::new(&Settings { memory_kib: 8_192, ..cheap() }, [9; SALT_BYTES]).unwrap();
    let hash = passwords.hash("correct horse", [1; SALT_BYTES]).await.unwrap();
    // Equal cost is a matter of equal parameters, which no noise of the machine can hide.
    let cost = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cost(&passwords.dummy), cost(&hash));
    assert_eq!(compare(&passwords.params, "wrong password", &passwords.dummy), Ok(Outcome::Mismatch));
    // The clock only has to show that the work is done at all: an answer without it would be a thousand times faster.
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (times, stored) in times.iter_mut().zip([Some(hash.as_str()), None]) {
            let start = std::time::Instant::now();
            passwords.verify("wrong password", stored).await.unwrap();
            times.push(start.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    assert!(known / unknown < 4.0 && unknown / known < 4.0, "{known} {unknown}");
}

#[tokio::test]
async fn an_overlong_password_is_wrong_even_when_its_beginning_is_right() {
    let passwords = passwords();
    let longest = "ab".repeat(64);
    let hash = passwords.hash(&longest, [1; SALT_BYTES]).await.unwrap();
    assert_eq!(passwords.verify(&longest, Some(&hash)).await, Ok(Outcome::Match { rehash: false }));
    assert_eq!(passwords.verify(&(longest + "c"), Some(&hash)).await, Ok(Outcome::Mismatch));
}

#[tokio::test]
async fn a_broken_stored_hash_is_an_error_and_not_a_mismatch() {
    for stored in
        ["", "x", "$argon2id$v=19$m=8,t=1,p=1$", "$argon2id$v=19$m=8,t=1,p=1", "$scrypt$ln=1$AAAA$AAAA"]
    {
        assert_eq!(
            passwords().verify("correct horse", Some(stored)).await,
            Err(Error::StoredHash),
            "{stored}"
        );
    }
}

#[tokio::test]
async fn only_so_many_hashes_run_at_once() {
    let passwords =
        Passwords::new(&Settings { concurrency: 1, wait_ms: 20, ..cheap() }, [9; SALT_BYTES]).unwrap();
    let turn = Arc::clone(&passwords.turns).acquire_owned().await.unwrap();
    assert_eq!(passwords.verify("correct horse", None).await, Err(Error::Busy));
    drop(turn);
    assert_eq!(passwords.verify("correct horse", None).await, Ok(Outcome::Mismatch));
}

#[tokio::test]
async fn a_caller_that_leaves_keeps_its_turn_until_the_work_is_done() {
    let passwords =
        Passwords::new(&Settings { concurrency: 1, wait_ms: 20, ..cheap() }, [9; SALT_BYTES]).unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let runner = passwords.clone();
    let caller = tokio::spawn(async move {
        runner
            .run(move || {
                let _ = wait.recv();
                Ok(())
            })
            .await
    });
    while passwords.turns.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    assert!(caller.await.is_err());
    assert_eq!(passwords.verify("correct horse", None).await, Err(Error::Busy));
    go.send(()).unwrap();
    while passwords.turns.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(passwords.verify("correct horse", None).await, Ok(Outcome::Mismatch));
}

#[test]
fn impossible_settings_are_refused() {
    for settings in [
        Settings { memory_kib: 1, ..cheap() },
        Settings { iterations: 0, ..cheap() },
        Settings { parallelism: 0, ..cheap() },
        Settings { concurrency: 0, ..cheap() },
        Settings { concurrency: usize::MAX, ..cheap() },
    ] {
        assert!(
            matches!(Passwords::new(&settings, [9; SALT_BYTES]), Err(Error::Parameters(_))),
            "{settings:?}"
        );
    }
}
