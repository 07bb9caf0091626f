//! Certificates of strike-offs: issued to whom they concern once a checkpoint vouches for them, and checked without the platform.

use chrono::TimeDelta;
use concord::{
    domain::{
        chain::proof::Fault,
        identity::signing::PublicKeys,
        list::{
            certificate,
            problem::{moves, reporter},
        },
    },
    graphql::id,
};
use concord_entities::{id::AccountId, problem::State};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use super::problem::{problem_in, which};

async fn ask(app: &TestApp, who: AccountId, problem: &Value) -> Answer {
    let query = "query($id: ID!) { strikeOffCertificate(problemId: $id) }";
    app.client(who).send(query, json!({ "id": problem })).await
}

fn keys(app: &TestApp) -> PublicKeys {
    PublicKeys::parse(app.app.identity.keys.jwks().to_string().as_bytes()).expect("the published keys")
}

#[tokio::test]
async fn a_strike_off_is_certified_to_whom_it_concerns_and_checked_offline() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let open = problem_in(&app, &world, State::Verified).await;
    let problem = json!(id::encode(row.id));
    let early = ask(&app, world.committee, &problem).await;
    assert_eq!(early.code().as_deref(), Some("NOT_VOUCHED_FOR"));
    // Other events follow before the checkpoint.
    problem_in(&app, &world, State::Assigned).await;
    app.advance(TimeDelta::minutes(2));
    app.run_background().await;

    for who in [world.other_staff, world.observer, world.verifier, world.officer, world.county_committee] {
        assert_eq!(ask(&app, who, &problem).await.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(ask(&app, world.stranger, &problem).await.code().as_deref(), Some("NOT_FOUND"));
    let query = "query($id: ID!) { strikeOffCertificate(problemId: $id) }";
    let anonymous = app.anonymous().send(query, json!({ "id": problem })).await;
    assert_eq!(anonymous.code().as_deref(), Some("NOT_FOUND"), "what may not be seen does not exist");
    let unfinished = ask(&app, world.committee, &json!(id::encode(open.id))).await;
    assert_eq!(unfinished.code().as_deref(), Some("STATE_REFUSED"));
    for who in [world.committee, world.approver, world.manager, world.staff] {
        ask(&app, who, &problem).await.fine();
    }

    let document = ask(&app, world.staff, &problem).await.fine().text("/strikeOffCertificate");
    let (said, proven) = certificate::check(document.as_bytes(), &keys(&app)).expect("it holds");
    assert_eq!((said.number.as_str(), said.round), ("西海销〔2026〕0001号", 1));
    assert_eq!(said.responsible[0].name, "成员单位1-632223");
    assert_eq!(said.approvers[0].name, "approver");
    assert_eq!(said.verifier.map(|verifier| verifier.name).as_deref(), Some("verifier"));
    assert_eq!(said.evidence.len(), 1);
    assert_eq!(said.evidence[0].sha256.len(), 64);
    assert_eq!(proven.payload.expect("a payload")["to"], "struck_off");

    // Every other byte of it makes it worthless; so do keys that are not ours.
    let whole: Value = serde_json::from_str(&document).expect("JSON");
    let forged = document.replace("0001号", "0002号");
    assert_eq!(certificate::check(forged.as_bytes(), &keys(&app)).map(drop), Err(Fault::Forged));
    let mut bare = whole.clone();
    bare["signature"] = json!("");
    assert!(certificate::check(bare.to_string().as_bytes(), &keys(&app)).is_err());
    let none = PublicKeys::parse(b"{\"keys\":[]}").expect("no keys");
    assert_eq!(certificate::check(document.as_bytes(), &none).map(drop), Err(Fault::Forged));
    let mut jwks = app.app.identity.keys.jwks();
    jwks["keys"][0]["kid"] = json!("another");
    assert!(PublicKeys::parse(jwks.to_string().as_bytes()).is_err(), "a key is named by its thumbprint");
    assert_eq!(certificate::check(b"{}", &keys(&app)).map(drop), Err(Fault::Unreadable));
}

#[tokio::test]
async fn an_erased_reporter_leaves_a_certificate_that_says_what_is_gone() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Verified).await;
    let problem = json!(id::encode(row.id));
    // Its title names the reporter, and so does the event of its strike-off.
    app.sql("UPDATE problem SET title = '张三丰家门前路面坑洼'").await.expect("named");
    moves::strike_off(&app.ctx(world.approver), which(row.id)).await.expect("struck off");
    app.advance(TimeDelta::minutes(2));
    app.run_background().await;
    let before = ask(&app, world.staff, &problem).await.fine().text("/strikeOffCertificate");
    reporter::erase(&app.ctx(world.committee), which(row.id), "本人要求").await.expect("erased");
    app.advance(TimeDelta::minutes(2));
    app.run_background().await;
    let document = ask(&app, world.staff, &problem).await.fine().text("/strikeOffCertificate");
    assert!(!document.contains("张三丰"), "{document}");
    let (said, proven) = certificate::check(document.as_bytes(), &keys(&app)).expect("it holds");
    assert_eq!(said.number, row.number);
    assert_eq!(proven.payload, None);
    assert_eq!(said.struck_off_at, Some(proven.occurred_at));
    // What was handed out before the erasure holds too.
    let (_, proven) = certificate::check(before.as_bytes(), &keys(&app)).expect("it holds");
    assert!(proven.payload.is_some());
    // Half of it gone is no erasure.
    let mut whole: Value = serde_json::from_str(&document).expect("JSON");
    whole["certificate"]["proof"]["salt"] = json!("00");
    let text = whole["certificate"].to_string();
    let signed = app.app.identity.keys.sign_for("strike-off-certificate", text.as_bytes()).expect("signed");
    let halved = format!(
        "{{\"certificate\":{text},\"kid\":{},\"signature\":{}}}",
        json!(signed.kid),
        json!(signed.signature)
    );
    assert_eq!(certificate::check(halved.as_bytes(), &keys(&app)).map(drop), Err(Fault::Unreadable));
}

#[tokio::test]
async fn a_certificate_holds_where_the_clock_runs() {
    let app = TestApp::new().await;
    app.tick();
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    app.advance(TimeDelta::minutes(2));
    app.run_background().await;
    let problem = json!(id::encode(row.id));
    let document = ask(&app, world.committee, &problem).await.fine().text("/strikeOffCertificate");
    let (said, proven) = certificate::check(document.as_bytes(), &keys(&app)).expect("it holds");
    assert_eq!(said.struck_off_at, Some(proven.occurred_at));
}

#[tokio::test]
async fn a_signed_certificate_still_needs_links_that_lead_to_its_checkpoint() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    problem_in(&app, &world, State::Assigned).await;
    app.advance(TimeDelta::minutes(2));
    app.run_background().await;
    let problem = json!(id::encode(row.id));
    let document = ask(&app, world.committee, &problem).await.fine().text("/strikeOffCertificate");
    let whole: Value = serde_json::from_str(&document).expect("JSON");
    // Whoever holds the signing key, but not the chain, signs what they like.
    let resigned = |change: &dyn Fn(&mut Value)| {
        let mut said = whole["certificate"].clone();
        change(&mut said);
        let text = said.to_string();
        let signed =
            app.app.identity.keys.sign_for("strike-off-certificate", text.as_bytes()).expect("signed");
        let document = format!(
            "{{\"certificate\":{text},\"kid\":{},\"signature\":{}}}",
            json!(signed.kid),
            json!(signed.signature)
        );
        certificate::check(document.as_bytes(), &keys(&app)).map(drop)
    };
    assert_eq!(resigned(&|_| {}), Ok(()));
    let links = whole["certificate"]["proof"]["links"].as_array().expect("links").len();
    assert!(links > 2, "{links}");
    for at in 0..links {
        let changed = resigned(&|said| said["proof"]["links"][at]["kind"] = json!("problem_withdrawn"));
        assert_eq!(changed, Err(Fault::Links), "link {at}");
    }
    let dropped = resigned(&|said| {
        said["proof"]["links"].as_array_mut().expect("links").remove(links - 1);
    });
    assert_eq!(dropped, Err(Fault::Links));
    let payload =
        |said: &mut Value| said["proof"]["payload"] = json!("{\"number\":\"西海销〔2026〕0009号\"}");
    assert_eq!(resigned(&payload), Err(Fault::Payload));
    assert_eq!(resigned(&|said| said["number"] = json!("西海销〔2026〕0009号")), Err(Fault::Payload));
    let salt = |said: &mut Value| said["proof"]["salt"] = json!("éé");
    assert_eq!(resigned(&salt), Err(Fault::Unreadable));
    assert_eq!(resigned(&|said| said["proof"]["number"] = json!(i64::MAX)), Err(Fault::Unreadable));
}
