//! What follows the deadlines of calls: a reminder, and a breach on record once, on however many nodes.

use chrono::TimeDelta;
use concord::domain::whistle::{answer, steps, watch};
use concord_entities::{whistle::Kind, whistle_response::State};
use concord_tests::{TestApp, World};

use crate::{
    problem::count,
    whistle::{bring, call, here, sounded, which},
};

const BREACHES: &str = "SELECT COUNT(*) AS n FROM whistle_breach";
const TOLD: &str = "SELECT COUNT(*) AS n FROM event WHERE kind = 'whistle_breached'";

#[tokio::test]
async fn whoever_comes_too_late_is_on_record_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let units = [world.members[1], world.members[2]];
    let (row, made) = sounded(&app, &world, Kind::Emergency, &units, None).await;
    let (staff, town) = (app.ctx(world.staff), app.ctx(world.committee));
    app.advance(TimeDelta::minutes(30));
    answer::report_in(&staff, call(made[0].id), &here()).await.expect("in the last instant");
    // Two nodes look at once.
    let system = app.system();
    let (one, other) = futures_util::join!(watch::watch(&system), watch::watch(&system));
    one.and(other).expect("both look");
    assert_eq!((count(&app, BREACHES).await, count(&app, TOLD).await), (1, 1));
    app.advance(TimeDelta::minutes(1));
    answer::report_in(&app.ctx(world.other_staff), call(made[1].id), &here()).await.expect("late");
    app.run_background().await;
    let query = "query($id: ID!) { whistle(id: $id) { breaches { clock organization { name } } } }";
    let variables = serde_json::json!({ "id": concord::graphql::id::encode(row.id) });
    let shown = app.client(world.committee).send(query, variables).await;
    assert_eq!(shown.text("/whistle/breaches/0/clock"), "REPORT_IN");
    assert_eq!(shown.text("/whistle/breaches/0/organization/name"), "成员单位2-632223");
    // What is claimed in time waits for the town; returned, it is late, and once.
    bring(&app, &staff, &town, made[0].id, State::ClaimedResolved).await;
    app.advance(TimeDelta::hours(24));
    app.run_background().await;
    assert_eq!(count(&app, BREACHES).await, 2);
    answer::return_claim(&town, call(made[0].id), "未清").await.expect("returned");
    for _ in 0..3 {
        app.run_background().await;
    }
    assert_eq!((count(&app, BREACHES).await, count(&app, TOLD).await), (3, 3));
    steps::call_off(&town, which(row.id), "解除").await.expect("called off");
    app.run_background().await;
    assert_eq!(count(&app, BREACHES).await, 3);
}

#[tokio::test]
async fn a_reminder_comes_once_before_the_time_to_resolve_ends() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let units = [world.members[1], world.members[2]];
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &units, None).await;
    bring(&app, &app.ctx(world.other_staff), &app.ctx(world.committee), made[1].id, State::ClaimedResolved)
        .await;
    answer::report_in(&app.ctx(world.staff), call(made[0].id), &here()).await.expect("reported in");
    app.advance(TimeDelta::days(6) - TimeDelta::seconds(1));
    app.run_background().await;
    let due = "SELECT COUNT(*) AS n FROM event WHERE kind = 'whistle_due'";
    assert_eq!(count(&app, due).await, 0);
    app.advance(TimeDelta::seconds(1));
    for _ in 0..2 {
        app.run_background().await;
    }
    assert_eq!(count(&app, due).await, 1);
    let inbox = app.client(world.staff).run("{ inbox { nodes { kind event { kind } } } }").await;
    assert!(inbox.at("/inbox/nodes").to_string().contains("WHISTLE_DUE"), "{}", inbox.0);
}

#[tokio::test]
async fn a_refusal_in_time_is_a_first_contact_and_its_clock_goes_on() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let refused = answer::refuse(&app.ctx(world.staff), call(made[0].id), "不属我局", world.members[2]).await;
    refused.expect("refused");
    app.advance(TimeDelta::days(2));
    app.run_background().await;
    assert_eq!(count(&app, BREACHES).await, 0);
    let town = app.ctx(world.committee);
    let fresh = answer::reroute(&town, call(made[0].id), Some(world.members[2]), None, None).await;
    assert_eq!(fresh.expect("re-routed").resolve_due_at, made[0].resolve_due_at);
    app.advance(TimeDelta::days(6));
    app.run_background().await;
    // The second unit was late with both.
    assert_eq!(count(&app, BREACHES).await, 2);
}
