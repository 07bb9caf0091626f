//! Sessions: signing in and out, lockout, refresh tokens that are good once, tokens that end at once.

use std::collections::HashSet;

use chrono::TimeDelta;
use concord::domain::{
    Error, Event,
    identity::{
        parts,
        password::{Passwords, Settings},
    },
};
use concord_entities::{account, event, id::AccountId, refresh_token, session};
use concord_tests::{Answer, Server, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

const SIGN_IN: &str = "mutation($input: SignInInput!) {
    signIn(input: $input) {
        tokens { accessToken accessExpiresAt refreshToken refreshExpiresAt }
        userErrors { code field message }
    }
}";

const REFRESH: &str = "mutation($input: RefreshSessionInput!) {
    refreshSession(input: $input) { tokens { accessToken refreshToken } userErrors { code } }
}";

const SIGN_OUT: &str = "mutation($input: SignOutInput!) {
    signOut(input: $input) { account { id } userErrors { code } }
}";

const CHANGE: &str = "mutation($input: ChangePasswordInput!) {
    changePassword(input: $input) { account { version } userErrors { code field } }
}";

/// A town whose staff member has a password.
async fn town() -> (TestApp, World) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.staff, PASSWORD).await;
    (app, world)
}

async fn try_sign_in(app: &TestApp, username: &str, password: &str) -> Answer {
    let input = json!({ "input": { "username": username, "password": password } });
    app.anonymous().send(SIGN_IN, input).await
}

async fn try_refresh(app: &TestApp, token: &str) -> Answer {
    app.anonymous().send(REFRESH, json!({ "input": { "refreshToken": token } })).await
}

async fn recorded(app: &TestApp, kind: Event) -> u64 {
    event::Entity::find()
        .filter(event::Column::Kind.eq(kind.text()))
        .count(&app.app.read)
        .await
        .expect("a count")
}

async fn refused(app: &TestApp, credential: &str) -> bool {
    matches!(app.bearer(credential).await.err(), Some(Error::Unauthenticated))
}

#[tokio::test]
async fn a_person_signs_in_and_the_token_stands_for_them_until_it_ends() {
    let (app, world) = town().await;
    let answer = try_sign_in(&app, " Staff.632223 ", PASSWORD).await.fine();
    assert_eq!(answer.text("/signIn/tokens/accessExpiresAt"), "2026-01-05T01:05:00Z");
    assert_eq!(answer.text("/signIn/tokens/refreshExpiresAt"), "2026-02-04T01:00:00Z");
    let access = answer.text("/signIn/tokens/accessToken");
    let (found, statements) = app.statements(async || app.bearer(&access).await.is_ok()).await;
    assert!(found);
    assert_eq!(statements.len(), 1, "one look at what ended lately: {statements:?}");
    let other = app.sign_in("staff.632223", PASSWORD).await.access_token;
    let (found, statements) = app.statements(async || app.bearer(&other).await.is_ok()).await;
    assert_eq!((found, statements.len()), (true, 0), "it serves everybody for a second: {statements:?}");
    let client = app.bearer(&access).await.expect("the token is good");
    let me = client
        .run(
            "{ me { id username displayName seats { role state organization { name } alliance { name } } }
               viewer { __typename } }",
        )
        .await;
    assert_eq!(me.text("/me/username"), "staff.632223");
    assert_eq!(me.text("/me/seats/0/role"), "MEMBER_STAFF");
    assert_eq!(me.text("/me/seats/0/organization/name"), "成员单位1-632223");
    assert_eq!(me.text("/viewer/__typename"), "Account");
    assert_eq!(me.text("/me/id"), concord::graphql::id::encode(world.staff).0);
    assert_eq!(recorded(&app, Event::SignedIn).await, 2);
    app.advance(TimeDelta::seconds(299));
    assert!(!refused(&app, &access).await);
    // Clocks may differ by a minute, not more.
    app.advance(TimeDelta::seconds(62));
    assert!(refused(&app, &access).await);
    app.run_background().await;
}

#[tokio::test]
async fn nobody_in_particular_is_nobody() {
    let (app, _) = town().await;
    let nobody = app.anonymous().run("{ me { id } viewer { __typename } }").await;
    assert!(nobody.at("/me").is_null() && nobody.at("/viewer").is_null());
    for credential in ["", "x", "a.b.c", "cnc_key_", "cnc_rt_abc", "eyJhbGciOiJub25lIn0.e30.", "\u{0}"] {
        assert!(refused(&app, credential).await, "{credential:?}");
    }
    assert!(refused(&app, &"a".repeat(9_000)).await);
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let (app, world) = town().await;
    let wrong = try_sign_in(&app, "staff.632223", "wrong password").await;
    assert_eq!(wrong.code().as_deref(), Some("SIGN_IN_REFUSED"));
    assert!(wrong.at("/signIn/tokens").is_null());
    // Unknown, without a password, disabled.
    app.give_password(world.observer, PASSWORD).await;
    concord::domain::identity::account::disable(&app.system(), world.observer, None).await.expect("disabled");
    for username in ["nobody", "", "manager.632223", "observer.632223"] {
        assert_eq!(try_sign_in(&app, username, PASSWORD).await, wrong, "{username}");
    }
    let long = "长".repeat(5_000);
    assert_eq!(try_sign_in(&app, &long, &long).await, wrong);
    assert_eq!(recorded(&app, Event::SignedIn).await, 0);
}

#[tokio::test]
async fn too_many_wrong_passwords_pause_signing_in_for_a_while() {
    let (app, _) = town().await;
    for _ in 0..8 {
        try_sign_in(&app, "staff.632223", "wrong password").await;
    }
    assert_eq!(recorded(&app, Event::AccountLocked).await, 0);
    for _ in 0..3 {
        let right = try_sign_in(&app, "staff.632223", PASSWORD).await;
        assert_eq!(right.code().as_deref(), Some("SIGN_IN_REFUSED"));
    }
    assert_eq!(recorded(&app, Event::AccountLocked).await, 1);
    app.advance(TimeDelta::minutes(14));
    assert!(try_sign_in(&app, "staff.632223", PASSWORD).await.code().is_some());
    app.advance(TimeDelta::minutes(1));
    try_sign_in(&app, "staff.632223", PASSWORD).await.fine();
    // A success forgets the wrong ones.
    for _ in 0..7 {
        try_sign_in(&app, "staff.632223", "wrong password").await;
    }
    try_sign_in(&app, "staff.632223", PASSWORD).await.fine();
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_do_not_outrun_the_lock() {
    let (app, _) = town().await;
    // However the guesses overlap, no more than the allowed ones are made: one of the others has locked the account.
    let guesses = (0..64).map(|_| try_sign_in(&app, "staff.632223", "wrong password"));
    for answer in futures_util::future::join_all(guesses).await {
        assert_eq!(answer.code().as_deref(), Some("SIGN_IN_REFUSED"));
    }
    assert_eq!(recorded(&app, Event::AccountLocked).await, 1);
    assert!(try_sign_in(&app, "staff.632223", PASSWORD).await.code().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_at_once_all_sign_in() {
    let (app, world) = town().await;
    let all = (0..20).map(|_| try_sign_in(&app, "staff.632223", PASSWORD));
    for answer in futures_util::future::join_all(all).await {
        answer.fine();
    }
    assert_eq!(recorded(&app, Event::SignedIn).await, 20);
    assert_eq!(recorded(&app, Event::AccountLocked).await, 0);
    let row = account::Entity::find_by_id(world.staff).one(&app.app.read).await.expect("a read");
    assert_eq!(row.expect("the account").failed_attempts, 0);
    // Not even when the first of them stores the password anew, under today's parameters.
    let yesterday = Settings { memory_kib: 128, iterations: 1, ..Settings::default() };
    let yesterday = Passwords::new(&yesterday, [1; 16]).expect("usable settings");
    let hash = yesterday.hash(PASSWORD, [2; 16]).await.expect("a hash");
    app.sql(&format!("UPDATE account SET password_hash = '{hash}' WHERE username = 'staff.632223'"))
        .await
        .expect("the old hash");
    let all = (0..5).map(|_| try_sign_in(&app, "staff.632223", PASSWORD));
    for answer in futures_util::future::join_all(all).await {
        answer.fine();
    }
}

#[tokio::test]
async fn settings_that_would_lock_everybody_out_are_refused() {
    let mut config = concord::config::Config::defaults();
    assert!(parts::check(&config.identity).is_ok());
    config.identity.lockout_minutes = i64::MAX;
    let error = parts::check(&config.identity).expect_err("no lock lasts that long").to_string();
    assert_eq!(error, "[identity] lockout_minutes must lie between 1 and 10080");
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_return_ends_the_family() {
    let (app, _) = town().await;
    let first = app.sign_in("staff.632223", PASSWORD).await;
    app.advance(TimeDelta::minutes(5));
    let second = try_refresh(&app, &first.refresh_token).await.fine();
    let (access, next) = (
        second.text("/refreshSession/tokens/accessToken"),
        second.text("/refreshSession/tokens/refreshToken"),
    );
    assert!(!refused(&app, &access).await);
    assert_ne!(next, first.refresh_token);
    // Two tabs, or a request sent again: refused, but nobody is hurt.
    for seconds in [0, 9] {
        app.advance(TimeDelta::seconds(seconds));
        assert_eq!(try_refresh(&app, &first.refresh_token).await.code().as_deref(), Some("UNAUTHENTICATED"));
    }
    assert_eq!(recorded(&app, Event::RefreshTokenReused).await, 0);
    assert!(!refused(&app, &access).await);
    app.advance(TimeDelta::seconds(1));
    // Whoever brings the spent one back is a thief, or was robbed: nobody goes on.
    assert_eq!(try_refresh(&app, &first.refresh_token).await.code().as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(recorded(&app, Event::RefreshTokenReused).await, 1);
    assert!(refused(&app, &access).await);
    assert_eq!(try_refresh(&app, &next).await.code().as_deref(), Some("UNAUTHENTICATED"));
    // Bringing it again tells nothing new.
    try_refresh(&app, &first.refresh_token).await;
    assert_eq!(recorded(&app, Event::RefreshTokenReused).await, 1);
    let ended = session::Entity::find().one(&app.app.read).await.expect("a read").expect("the session");
    assert_eq!(ended.ended_reason, Some(session::EndReason::Reused));
}

#[tokio::test]
async fn refresh_tokens_lapse_and_malformed_ones_are_refused() {
    let (app, _) = town().await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let mistyped = tokens.refresh_token.replace("cnc_rt_", "cnc_inv_");
    for token in ["", "cnc_rt_", &mistyped, &tokens.access_token, &"x".repeat(10_000)] {
        assert_eq!(try_refresh(&app, token).await.code().as_deref(), Some("UNAUTHENTICATED"));
    }
    app.advance(TimeDelta::days(30));
    assert_eq!(try_refresh(&app, &tokens.refresh_token).await.code().as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(recorded(&app, Event::RefreshTokenReused).await, 0);
}

#[tokio::test]
async fn a_session_ends_for_good_however_often_it_is_refreshed() {
    let (app, _) = town().await;
    let mut token = app.sign_in("staff.632223", PASSWORD).await.refresh_token;
    for _ in 0..7 {
        app.advance(TimeDelta::days(25));
        token = try_refresh(&app, &token).await.fine().text("/refreshSession/tokens/refreshToken");
    }
    app.advance(TimeDelta::days(6));
    assert_eq!(try_refresh(&app, &token).await.code().as_deref(), Some("UNAUTHENTICATED"));
    let remembered = async || {
        app.run_background().await;
        session::Entity::find().count(&app.app.read).await.expect("a count")
            + refresh_token::Entity::find().count(&app.app.read).await.expect("a count")
    };
    assert_eq!(remembered().await, 9);
    app.advance(TimeDelta::days(7));
    assert_eq!(remembered().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_token_redeemed_50_times_at_once_has_one_lineage_that_works() {
    let (app, _) = town().await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let all = (0..50).map(|_| try_refresh(&app, &tokens.refresh_token));
    let answers = futures_util::future::join_all(all).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.code().is_none());
    assert_eq!(won.len(), 1);
    assert!(lost.iter().all(|answer| answer.code().as_deref() == Some("UNAUTHENTICATED")));
    // A straggler that comes once the race is decided harms nobody either.
    assert!(try_refresh(&app, &tokens.refresh_token).await.code().is_some());
    let access = won[0].text("/refreshSession/tokens/accessToken");
    assert!(!refused(&app, &access).await);
    let rows = refresh_token::Entity::find().all(&app.app.read).await.expect("a read");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.iter().filter(|row| row.redeemed_at.is_none()).count(), 1);
    assert_eq!(rows.iter().map(|row| row.session_id).collect::<HashSet<_>>().len(), 1);
    // Later it is the sign of a theft.
    app.advance(TimeDelta::seconds(10));
    assert!(try_refresh(&app, &tokens.refresh_token).await.code().is_some());
    assert!(refused(&app, &access).await);
    assert_eq!(recorded(&app, Event::RefreshTokenReused).await, 1);
}

#[tokio::test]
async fn signing_out_ends_this_session_or_all() {
    let (app, _) = town().await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(app.sign_in("staff.632223", PASSWORD).await);
    }
    let [one, two, three] = sessions.try_into().ok().expect("three");
    let client = app.bearer(&one.access_token).await.expect("good");
    client.send(SIGN_OUT, json!({ "input": {} })).await.fine();
    assert!(refused(&app, &one.access_token).await);
    assert!(try_refresh(&app, &one.refresh_token).await.code().is_some());
    assert!(!refused(&app, &two.access_token).await);
    let client = app.bearer(&two.access_token).await.expect("good");
    client.send(SIGN_OUT, json!({ "input": { "everywhere": true } })).await.fine();
    for tokens in [&two, &three] {
        assert!(refused(&app, &tokens.access_token).await);
    }
    assert_eq!(recorded(&app, Event::SignedOut).await, 2);
    let anonymous = app.anonymous().send(SIGN_OUT, json!({ "input": {} })).await;
    assert_eq!(anonymous.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_session_that_another_node_ends_is_refused_within_a_second() {
    let (app, _) = town().await;
    let one = app.sign_in("staff.632223", PASSWORD).await;
    app.advance(TimeDelta::seconds(1));
    let two = app.sign_in("staff.632223", PASSWORD).await;
    assert!(!refused(&app, &one.access_token).await && !refused(&app, &two.access_token).await);
    // What another node commits.
    let first = "SELECT id FROM session ORDER BY id LIMIT 1";
    let text =
        format!("UPDATE session SET ended_at = created_at, ended_reason = 'signed_out' WHERE id = ({first})");
    assert_eq!(app.sql(&text).await.expect("it ends"), 1);
    app.advance(TimeDelta::milliseconds(1_000));
    assert!(refused(&app, &one.access_token).await);
    assert!(!refused(&app, &two.access_token).await);
    // Nor does a clock that goes back believe what was read before.
    app.advance(TimeDelta::seconds(-30));
    assert!(refused(&app, &one.access_token).await);
}

#[tokio::test]
async fn changing_the_password_keeps_this_session_and_ends_the_others() {
    let (app, _) = town().await;
    let (here, there) =
        (app.sign_in("staff.632223", PASSWORD).await, app.sign_in("staff.632223", PASSWORD).await);
    let client = app.bearer(&here.access_token).await.expect("good");
    let change = async |current: &str, new: &str| {
        let input = json!({ "input": { "currentPassword": current, "newPassword": new } });
        client.send(CHANGE, input).await
    };
    for (current, new, code) in [
        ("wrong password", "another horse", "SIGN_IN_REFUSED"),
        (PASSWORD, "short", "TOO_SHORT"),
        (PASSWORD, "password123", "PASSWORD_WEAK"),
        (PASSWORD, "staff.632223", "PASSWORD_WEAK"),
        (PASSWORD, &"ab".repeat(65), "TOO_LONG"),
        (PASSWORD, PASSWORD, "PASSWORD_UNCHANGED"),
    ] {
        assert_eq!(change(current, new).await.code().as_deref(), Some(code), "{new}");
    }
    change(PASSWORD, "another horse").await.fine();
    assert!(!refused(&app, &here.access_token).await);
    assert!(refused(&app, &there.access_token).await);
    assert!(try_sign_in(&app, "staff.632223", PASSWORD).await.code().is_some());
    try_sign_in(&app, "staff.632223", "another horse").await.fine();
    assert_eq!(recorded(&app, Event::PasswordChanged).await, 1);
}

#[tokio::test]
async fn what_takes_or_gives_secrets_takes_no_idempotency_key() {
    let (app, _) = town().await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let client = app.bearer(&tokens.access_token).await.expect("good").keyed("k", 1);
    let sign_in = json!({ "input": { "username": "staff.632223", "password": PASSWORD } });
    let refresh = json!({ "input": { "refreshToken": tokens.refresh_token } });
    let change = json!({ "input": { "currentPassword": PASSWORD, "newPassword": "another horse" } });
    for (query, input) in [(SIGN_IN, sign_in), (REFRESH, refresh.clone()), (CHANGE, change)] {
        assert_eq!(client.send(query, input).await.code().as_deref(), Some("IDEMPOTENCY_KEY_REFUSED"));
    }
    // Nothing was spent by it.
    app.anonymous().send(REFRESH, refresh).await.fine();
}

#[tokio::test]
async fn secrets_are_kept_as_hashes_only() {
    let (app, world) = town().await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let rows = refresh_token::Entity::find().all(&app.app.read).await.expect("a read");
    assert!(rows.iter().all(|row| row.hash.len() == 32));
    let events = event::Entity::find().all(&app.app.read).await.expect("a read");
    let stored: String = events.iter().filter_map(|event| event.payload.as_deref()).collect();
    for secret in [PASSWORD, &tokens.refresh_token, &tokens.access_token] {
        assert!(!stored.contains(secret));
    }
    let account = concord_entities::account::Entity::find_by_id(world.staff).one(&app.app.read).await;
    let hash = account.expect("a read").expect("the account").password_hash.expect("a hash");
    assert!(hash.starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_new_signing_key_takes_over_and_old_tokens_stand() {
    let (app, _) = town().await;
    let before = app.sign_in("staff.632223", PASSWORD).await;
    let random = concord::app::seeded_random(7);
    let kid = parts::rotate_keys(&app.app.config, app.app.now(), &random, Default::default()).expect("a key");
    app.advance(TimeDelta::seconds(31));
    // Looking at an old token is what makes a running process see the new key.
    assert!(!refused(&app, &before.access_token).await);
    assert_eq!(app.app.identity.keys.active(), kid);
    let after = app.sign_in("staff.632223", PASSWORD).await;
    assert!(!refused(&app, &after.access_token).await);
    let keys = parts::jwks(&app.app);
    assert_eq!(keys["keys"].as_array().expect("keys").len(), 2);
    assert!(!keys.to_string().contains("\"d\""), "no private half is published");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_a_token_works_until_its_owner_is_disabled() {
    let (app, world) = town().await;
    let server = Server::start(app.app.clone());
    let input = json!({ "input": { "username": "staff.632223", "password": PASSWORD } });
    let token = server.send(None, SIGN_IN, input).await.fine().text("/signIn/tokens/accessToken");
    let ask = "{ me { username } }";
    assert_eq!(server.send(Some(&token), ask, json!({})).await.text("/me/username"), "staff.632223");
    let id: AccountId = world.staff;
    concord::domain::identity::account::disable(&app.ctx(world.admin), id, None).await.expect("disabled");
    let after = server.send(Some(&token), ask, json!({})).await;
    assert_eq!(after.code().as_deref(), Some("UNAUTHENTICATED"));
    let keys = server.http.get(server.url("/.well-known/jwks.json")).send().await.expect("an answer");
    assert_eq!(keys.headers()["content-type"], "application/jwk-set+json");
    let keys: serde_json::Value = keys.json().await.expect("JSON");
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
}

#[tokio::test]
async fn a_name_with_nul_is_nobodys_on_either_engine() {
    let app = TestApp::new().await;
    World::build(&app, "632223").await;
    let answer = try_sign_in(&app, "\0", PASSWORD).await;
    let code = answer.code();
    assert!(matches!(code.as_deref(), Some("SIGN_IN_REFUSED" | "MALFORMED")), "{code:?}");
}
