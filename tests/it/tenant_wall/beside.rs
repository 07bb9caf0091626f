//! What is beside queries and mutations: live tails, calendar feeds and files.

use std::time::Duration;

use actix_web::{http::StatusCode, test::TestRequest};
use concord::{
    domain::{
        Ctx,
        list::evidence::{self, NewEvidence, Subject},
        rotation::feed,
    },
    graphql::id,
};
use concord_entities::evidence::Stage;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::*;
use crate::{file, problem::upload};

/// Arguments that make no difference to anybody, and why.
const UNREACHED: [(&str, &str); 0] = [];

/// How long a tail may take on a machine that is busy otherwise.
const PATIENCE: Duration = Duration::from_mins(2);

/// Every subscription: with every identifier, and without any while the alliance works.
pub async fn tails(wall: &Wall, roots: &[Root]) -> Report {
    let app = wall.both.thaw().await;
    let mut report = Report::default();
    for root in roots {
        let selection = wall.contract.selection(wall.contract.named(&root.field["type"]), 1);
        for place in wall.contract.places(root) {
            let noun = place.noun.clone().expect("a subscription names its noun");
            let (own, none) = (wall.there.id(Some(&noun)), wall.nothing.id(Some(&noun)));
            let first = async |who: Who, of: &Objects, id: &str| {
                let mut given = wall.given(root, &place, of, id);
                given.insert("after".to_owned(), json!(0));
                let document = wall.contract.document(root, &given, &selection);
                let mut tail = who.client(&app).subscribe(&document, given.into()).stream();
                let next = tokio::time::timeout(PATIENCE, tail.next()).await;
                next.expect("something is told").expect("an answer")
            };
            let told = first(wall.owners[0].1, &wall.there, &own).await;
            let is_reached = told.0["errors"].is_null() && is_full(&told.0["data"][&root.name]);
            report.reach(&format!("{}({})", root.label(), place.path), is_reached, &UNREACHED);
            for (name, who) in &wall.foreigners {
                let what = format!("{}({}) by {name}", root.label(), place.path);
                let (foreign, missing) =
                    (first(*who, &wall.there, &own).await, first(*who, &wall.there, &none).await);
                report.case("subscriptions", same(&what, (&foreign, &own), (&missing, &none)));
            }
        }
        let ways: Vec<Option<Place>> = match wall.contract.places(root) {
            places if places.is_empty() => vec![None],
            places => places.into_iter().map(Some).collect(),
        };
        for way in ways {
            // Whoever is outside listens to what both alliances share; where that is nothing, there is nothing to listen to.
            let noun = way.as_ref().and_then(|place| place.noun.as_ref());
            if noun.is_none_or(|noun| wall.shared.0.contains_key(noun)) {
                live(wall, root, way.as_ref(), &selection, &mut report).await;
            }
        }
    }
    report
}

/// A tail of what is one's own, the unit that both alliances share among it, stays quiet while the alliance works; its own
/// people's does not.
async fn live(wall: &Wall, root: &Root, way: Option<&Place>, selection: &str, report: &mut Report) {
    let app = wall.both.thaw().await;
    app.run_background().await;
    let committee = wall.owner("committee").client(&app);
    let head = committee.run("{ changes(after: 0) { position } }").await.at("/changes/position").clone();
    // From a position on, so that nothing is missed by whoever begins late.
    let listen = |who: Who, of: &Objects| {
        let wanted = |path: &str, _: &Value| path == "after" || way.is_some_and(|place| place.path == path);
        let mut given = wall.contract.arguments(root, of, &wanted);
        given.insert("after".to_owned(), head.clone());
        let document = wall.contract.document(root, &given, selection);
        let mut tail = who.client(&app).subscribe(&document, given.into()).stream();
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(answer) = tail.next().await {
                if tell.send(answer).is_err() {
                    break;
                }
            }
        });
        told
    };
    let mut owner = listen(wall.owner("staff"), &wall.there);
    let tails: Vec<_> =
        wall.foreigners.iter().map(|(name, who)| (name, listen(*who, &wall.shared))).collect();
    let alliance = wall.there.id(Some("alliance"));
    let input = json!({ "allianceId": alliance, "title": "三月", "month": "2026-03" });
    let list = change(&committee, "createTaskList", "taskList", input).await;
    let input = json!({ "taskListId": list, "title": "植树", "content": "植树", "dueOn": "2026-03-20",
        "leadOrganizationId": wall.there.id(Some("organization")),
        "coOrganizationIds": [wall.shared.id(Some("organization"))] });
    change(&committee, "createPriorityTask", "task", input).await;
    change(&committee, "publishTaskList", "taskList", json!({ "taskListId": list })).await;
    let input = json!({ "mobilizationId": wall.there.id(Some("mobilization")), "person": "V0007",
        "regionId": wall.there.id(Some("region")) });
    change(&committee, "checkInToMobilization", "checkIn", input).await;
    app.run_background().await;
    let told = owner.recv().await.expect("the owner is told");
    assert!(is_full(&told.0["data"][&root.name]), "{}: {}", root.label(), told.0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut listening = 0;
    for (name, mut tail) in tails {
        let mut holds = Ok(());
        let is_open = loop {
            match tail.try_recv() {
                Ok(heard) if heard.0["data"].is_null() => {}
                Ok(heard) => holds = Err(format!("{} tells {name}: {}", root.label(), heard.0)),
                Err(end) => break end == mpsc::error::TryRecvError::Empty,
            }
        };
        listening += usize::from(is_open);
        report.case("live tails", holds);
    }
    assert!(listening >= 5, "{} is listened to by {listening}", root.label());
}

/// The calendar of a plan, by an address that somebody outside holds.
pub async fn feeds(wall: &Wall) -> Report {
    let app = wall.both.thaw().await;
    let mut report = Report::default();
    let staff = wall.owner("staff");
    let document = "mutation($input: CreateCalendarFeedInput!) { createCalendarFeed(input: $input) { path userErrors { code } } }";
    let input = json!({ "input": { "planId": wall.there.id(Some("rotation_plan")) } });
    let path = staff.client(&app).send(document, input).await.text("/createCalendarFeed/path");
    let secret = path.trim_start_matches("/feeds/").trim_end_matches(".ics").to_owned();
    let ctx = app.anonymous().ctx;
    let of = |ctx: Ctx, secret: String| async move { feed::render(&ctx, &secret).await.expect("an answer") };
    let (body, _) = of(ctx.clone(), secret.clone()).await.expect("the owner's calendar");
    assert!(body.contains("BEGIN:VEVENT"), "{body}");
    let missing = of(ctx.clone(), "x".repeat(secret.len())).await;
    for (name, who) in &wall.foreigners {
        let Who::Person(account) = who else { continue };
        let text = format!(
            "UPDATE calendar_feed SET account_id = {} WHERE plan_id = {}",
            specimens::uuid(&app, account.0),
            specimens::uuid(&app, wall.there.0["rotation_plan"])
        );
        app.sql(&text).await.expect("a change");
        let foreign = of(ctx.clone(), secret.clone()).await;
        let holds =
            if foreign == missing { Ok(()) } else { Err(format!("a feed of {name}'s shows {foreign:?}")) };
        report.case("feeds", holds);
    }
    report
}

/// Files that hang on something and files that wait to be attached. Their bytes lie beside the database, so this is an alliance
/// of its own.
pub async fn files() -> Report {
    let app = TestApp::new().await;
    let (far, near) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let problem = problem_in(&app, &far, State::InProgress).await;
    let attached = upload(&app, far.staff, "已铺沥青").await;
    let new = NewEvidence {
        subject: Subject::Problem(problem.id),
        files: vec![attached],
        stage: Stage::Closure,
        note: None,
    };
    evidence::add(&app.ctx(far.staff), new).await.expect("evidence");
    let waiting = upload(&app, far.staff, "未附").await;
    let key = dashboard_key(&app, near.town).await;
    let mut foreigners = siblings(&app, &far).await;
    foreigners.extend(past(&app, &far).await);
    let person = Who::Person;
    foreigners.extend([
        ("anonymous", Who::Nobody),
        ("stranger", person(near.stranger)),
        ("key", Who::Key(key)),
        ("observer", person(near.observer)),
        ("grid_officer", person(near.grid_officer)),
        ("officer", person(near.officer)),
        ("verifier", person(near.verifier)),
        ("staff", person(near.staff)),
        ("manager", person(near.manager)),
        ("approver", person(near.approver)),
        ("committee", person(near.committee)),
        ("county", person(near.county_committee)),
    ]);
    let fetch =
        async |ctx: Ctx, id: &str| file::request(ctx, TestRequest::get().uri(&format!("/files/{id}"))).await;
    let none: concord_entities::id::StoredFileId = app.system().new_id();
    let none = id::encode(none).to_string();
    let mut report = Report::default();
    for file in [attached, waiting] {
        let own = id::encode(file).to_string();
        let reply = fetch(app.ctx(far.staff), &own).await;
        assert_eq!(reply.status, StatusCode::OK, "the owner's file");
        for (name, who) in &foreigners {
            let ctx = who.client(&app).ctx;
            let (foreign, missing) = (fetch(ctx.clone(), &own).await, fetch(ctx, &none).await);
            let strip = |mut reply: file::Reply| {
                let mut body = reply.json();
                body["errors"][0]["extensions"]["requestId"].take();
                reply.body.clear();
                (reply.status, format!("{:?}", reply.headers), body)
            };
            let (foreign, missing) = (strip(foreign), strip(missing));
            let holds = if foreign == missing && foreign.0.is_client_error() {
                Ok(())
            } else {
                Err(format!("a file by {name}: {foreign:?} {missing:?}"))
            };
            report.case("files", holds);
        }
    }
    report
}
