//! What a turn owes: checking in, docking, handing over; missed turns, by a calendar that knows holidays.

use chrono::{DateTime, TimeZone, Utc};
use concord::{
    domain::{Ctx, rotation::slot},
    graphql::id,
};
use concord_entities::id::AccountId;
use concord_tests::{Answer, TestApp};
use serde_json::{Value, json};

use super::{Town, events};

pub(super) const CHECK_IN: &str = "mutation($input: RecordCheckInInput!) {
    recordCheckIn(input: $input) {
        checkIn { id headCount place attendees slot { state } } userErrors { code field message }
    }
}";

pub(super) const DOCK: &str = "mutation($input: RecordDockingInput!) {
    recordDocking(input: $input) {
        docking { counterpart region { name } slot { state } } userErrors { code field message }
    }
}";

pub(super) const OFFER: &str = "mutation($input: OfferHandoverInput!) {
    offerHandover(input: $input) {
        handover { id nextSlot { number } slot { state } } userErrors { code field }
    }
}";

pub(super) const ACKNOWLEDGE: &str = "mutation($input: AcknowledgeHandoverInput!) {
    acknowledgeHandover(input: $input) {
        handover { acknowledgedAt slot { state } } userErrors { code field }
    }
}";

const EXCUSE: &str = "mutation($input: ExcuseRotationSlotInput!) {
    excuseRotationSlot(input: $input) { rotationSlot { state reason } userErrors { code field } }
}";

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

pub(super) fn came(slot: &str, came_at: &str) -> Value {
    json!({ "input": {
        "slotId": slot, "cameAt": came_at, "place": "镇政府会议室", "headCount": 9, "attendees": "张三、李四",
    } })
}

pub(super) fn met(slot: &str, tasks: bool, problems: bool) -> Value {
    json!({ "input": {
        "slotId": slot, "counterpart": "COMMITTEE", "heldAt": "2026-01-06T02:00:00Z",
        "confirmsTasks": tasks, "confirmsProblems": problems,
    } })
}

pub(super) fn is(answer: &Answer, code: &str) {
    assert_eq!(answer.code().as_deref(), Some(code), "{:#}", answer.0);
}

#[tokio::test]
async fn a_team_checks_in_docks_serves_and_hands_over() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let plan = town.published(&app, "2026-01", 3).await;
    let slot = town.slot(&app, &plan, 1).await;
    let world = &town.world;
    let staff = app.client(world.staff);
    // Another team's people, an observer and a community officer do not check this team in.
    for (who, code) in [
        (world.other_staff, "FORBIDDEN"),
        (world.observer, "FORBIDDEN"),
        (world.officer, "FORBIDDEN"),
        (world.stranger, "NOT_FOUND"),
    ] {
        is(&app.client(who).send(CHECK_IN, came(&slot, "2026-01-05T01:00:00Z")).await, code);
    }
    is(&staff.send(DOCK, met(&slot, true, true)).await, "STATE_REFUSED");
    is(&staff.send(CHECK_IN, came(&slot, "2026-01-05T02:00:00Z")).await, "OUT_OF_RANGE");
    is(&staff.send(CHECK_IN, came(&slot, "2025-12-31T15:59:59Z")).await, "OUT_OF_RANGE");
    let later = town.slot(&app, &plan, 2).await;
    is(
        &app.client(world.other_staff).send(CHECK_IN, came(&later, "2026-01-05T01:00:00Z")).await,
        "SLOT_NOT_BEGUN",
    );
    let done = staff.send(CHECK_IN, came(&slot, "2026-01-05T00:30:00Z")).await.fine();
    assert_eq!(done.text("/recordCheckIn/checkIn/slot/state"), "CHECKED_IN");
    assert_eq!(done.text("/recordCheckIn/checkIn/attendees"), "张三、李四");
    is(&staff.send(CHECK_IN, came(&slot, "2026-01-05T00:30:00Z")).await, "STATE_REFUSED");
    // An observer reads the figures and not the people.
    let query = "query($id: ID!) { node(id: $id) { ... on CheckIn { headCount attendees } } }";
    let check_in = json!({ "id": done.text("/recordCheckIn/checkIn/id") });
    let seen = app.client(world.observer).send(query, check_in).await.fine();
    assert_eq!(seen.at("/node"), &json!({ "headCount": 9, "attendees": null }));

    app.set_now(at("2026-01-07T01:00:00Z"));
    is(&app.client(world.other_staff).send(DOCK, met(&slot, true, true)).await, "FORBIDDEN");
    let first = staff.send(DOCK, met(&slot, true, false)).await.fine();
    assert_eq!(first.text("/recordDocking/docking/slot/state"), "CHECKED_IN");
    is(&staff.send(OFFER, json!({ "input": { "slotId": slot } })).await, "STATE_REFUSED");
    // The community officer writes down the meeting that confirms the other list.
    let mut community = met(&slot, false, true);
    community["input"]["counterpart"] = json!("COMMUNITY");
    let officer = app.client(world.officer);
    is(&officer.send(DOCK, community.clone()).await, "REQUIRED");
    community["input"]["regionId"] = json!(id::encode(world.county_region));
    is(&officer.send(DOCK, community.clone()).await, "NOT_FOUND");
    community["input"]["regionId"] = json!(id::encode(world.communities[0]));
    let second = officer.send(DOCK, community).await.fine();
    assert_eq!(second.text("/recordDocking/docking/slot/state"), "IN_SERVICE");
    assert_eq!(second.text("/recordDocking/docking/region/name"), "第1社区");

    app.set_now(at("2026-01-30T01:00:00Z"));
    let offered = staff.send(OFFER, json!({ "input": { "slotId": slot, "note": "三件未结" } })).await.fine();
    assert_eq!(offered.at("/offerHandover/handover/nextSlot/number"), 2);
    assert_eq!(offered.text("/offerHandover/handover/slot/state"), "HANDING_OVER");
    let take = json!({ "input": { "handoverId": offered.text("/offerHandover/handover/id") } });
    is(&staff.send(ACKNOWLEDGE, take.clone()).await, "FORBIDDEN");
    let taken = app.client(world.other_staff).send(ACKNOWLEDGE, take.clone()).await.fine();
    assert_eq!(taken.text("/acknowledgeHandover/handover/slot/state"), "HANDED_OVER");
    is(&app.client(world.other_staff).send(ACKNOWLEDGE, take).await, "STATE_REFUSED");
    app.run_background().await;
}

/// A published plan of one team a month from October 2026, seen at the plan's beginning.
async fn autumn(app: &TestApp) -> (Town, String) {
    app.set_now(at("2026-09-15T01:00:00Z"));
    let town = Town::build(app, "632223", 3).await;
    let plan = town.published(app, "2026-10", 4).await;
    (town, plan)
}

async fn states(app: &TestApp, town: &Town, plan: &str) -> Vec<String> {
    let slots = town.slots(app, plan).await;
    slots.iter().map(|slot| slot["state"].as_str().expect("a state").to_owned()).collect()
}

#[tokio::test]
async fn nobody_by_the_fifth_working_day_is_a_missed_turn() {
    let app = TestApp::new().await;
    let (town, plan) = autumn(&app).await;
    // The first to the seventh are holidays, Saturday the tenth is worked: the fifth working day is the thirteenth.
    app.set_now(at("2026-10-13T15:59:59Z"));
    app.run_background().await;
    assert_eq!(states(&app, &town, &plan).await[0], "ANNOUNCED");
    app.set_now(at("2026-10-13T16:00:00Z"));
    let ctx = app.system();
    let hand = |ctx: Ctx| async move { slot::mark_missed(&ctx).await.expect("the hand works") };
    let marked = tokio::join!(hand(ctx.clone()), hand(ctx.clone()), hand(ctx));
    assert_eq!(marked.0 + marked.1 + marked.2, 1);
    app.run_background().await;
    assert_eq!(states(&app, &town, &plan).await[..2], ["MISSED", "ANNOUNCED"]);
    assert_eq!(events(&app, "rotation_slot_missed").await, 1);
    // The team comes late; that it missed the day stays.
    let slot = town.slot(&app, &plan, 1).await;
    let late = app.client(town.world.staff).send(CHECK_IN, came(&slot, "2026-10-13T15:00:00Z")).await.fine();
    assert_eq!(late.text("/recordCheckIn/checkIn/slot/state"), "CHECKED_IN");
    let seen = app
        .client(town.world.staff)
        .send("query($id: ID!) { rotationSlot(id: $id) { missedAt } }", json!({ "id": slot }))
        .await
        .fine();
    assert_eq!(seen.text("/rotationSlot/missedAt"), "2026-10-13T16:00:00Z");
}

#[tokio::test]
async fn a_team_that_checked_in_misses_nothing() {
    let app = TestApp::new().await;
    let (town, plan) = autumn(&app).await;
    app.set_now(at("2026-10-08T03:00:00Z"));
    let slot = town.slot(&app, &plan, 1).await;
    app.client(town.world.committee).send(CHECK_IN, came(&slot, "2026-10-08T02:00:00Z")).await.fine();
    app.set_now(at("2026-10-31T01:00:00Z"));
    app.run_background().await;
    assert_eq!(states(&app, &town, &plan).await[0], "CHECKED_IN");
}

#[tokio::test]
async fn an_unpublished_year_misses_nothing() {
    let app = TestApp::new().await;
    let (town, plan) = autumn(&app).await;
    app.set_now(Utc.with_ymd_and_hms(2027, 1, 31, 1, 0, 0).unwrap());
    app.run_background().await;
    // October to December are known; nobody has published the holidays of 2027.
    assert_eq!(states(&app, &town, &plan).await, ["MISSED", "MISSED", "MISSED", "ANNOUNCED"]);
    assert_eq!(events(&app, "rotation_slot_missed").await, 3);
}

#[tokio::test]
async fn a_team_that_was_told_late_has_its_days_from_then_on() {
    let app = TestApp::new().await;
    app.set_now(at("2026-01-20T01:00:00Z"));
    let town = Town::build(&app, "632223", 2).await;
    let plan = town.published(&app, "2026-01", 2).await;
    app.run_background().await;
    assert_eq!(states(&app, &town, &plan).await[0], "ANNOUNCED");
    // Tuesday the twentieth counts, Monday the twenty-sixth is the fifth working day.
    app.set_now(at("2026-01-26T15:00:00Z"));
    app.run_background().await;
    assert_eq!(states(&app, &town, &plan).await[0], "ANNOUNCED");
    app.set_now(at("2026-01-26T16:00:00Z"));
    app.run_background().await;
    assert_eq!(states(&app, &town, &plan).await[0], "MISSED");
}

#[tokio::test]
async fn an_excused_team_leaves_a_gap_that_the_committee_fills() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let plan = town.published(&app, "2026-01", 3).await;
    let slot = town.slot(&app, &plan, 2).await;
    let excuse = |who: AccountId, reason: &str| {
        let input = json!({ "input": { "slotId": slot, "reason": reason } });
        let client = app.client(who);
        async move { client.send(EXCUSE, input).await }
    };
    is(&excuse(town.world.manager, "防汛").await, "FORBIDDEN");
    is(&excuse(town.world.committee, " ").await, "REQUIRED");
    let done = excuse(town.world.committee, "防汛").await.fine();
    assert_eq!(done.at("/excuseRotationSlot/rotationSlot"), &json!({ "state": "EXCUSED", "reason": "防汛" }));
    is(&excuse(town.world.committee, "防汛").await, "STATE_REFUSED");
    let report = "query($id: ID!) { rotationPlan(id: $id) { fairnessReport { emptyMonths } } }";
    let seen = app.client(town.world.staff).send(report, json!({ "id": plan })).await.fine();
    assert_eq!(seen.at("/rotationPlan/fairnessReport/emptyMonths"), &json!([2]));
    // Generating leaves it to the committee, and gives the excused team the turn that comes next in fairness.
    town.step(&app, "generateRotation", &plan).await.fine();
    assert_eq!(states(&app, &town, &plan).await[1], "EXCUSED");
    let input = json!({ "planId": plan, "slotNumber": 2, "teamId": town.team(3) });
    app.client(town.world.committee).send(super::ASSIGN, json!({ "input": input })).await.fine();
    assert_eq!(states(&app, &town, &plan).await[1], "ANNOUNCED");
    assert_eq!(town.duty(&app, &plan).await, super::teams(&[1, 3, 2]));
}

#[tokio::test]
async fn the_last_turn_has_nobody_to_hand_over_to() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 1).await;
    let plan = town.published(&app, "2026-01", 1).await;
    let slot = town.slot(&app, &plan, 1).await;
    let committee = app.client(town.world.committee);
    committee.send(CHECK_IN, came(&slot, "2026-01-05T00:30:00Z")).await.fine();
    app.set_now(at("2026-01-07T01:00:00Z"));
    committee.send(DOCK, met(&slot, true, true)).await.fine();
    is(&committee.send(OFFER, json!({ "input": { "slotId": slot } })).await, "NO_NEXT_SLOT");
    // Once the next plan is published there is somebody.
    let next = town.published(&app, "2026-02", 1).await;
    let offered = committee.send(OFFER, json!({ "input": { "slotId": slot } })).await.fine();
    assert_eq!(offered.at("/offerHandover/handover/nextSlot/number"), 1);
    assert_eq!(states(&app, &town, &next).await, ["ANNOUNCED"]);
}

#[tokio::test]
async fn bad_check_ins_are_refused_by_name() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 1).await;
    let plan = town.published(&app, "2026-01", 1).await;
    let slot = town.slot(&app, &plan, 1).await;
    let staff = app.client(town.world.staff);
    for (field, value, code) in [
        ("place", json!(""), "REQUIRED"),
        ("headCount", json!(0), "OUT_OF_RANGE"),
        ("attendees", json!("长".repeat(4001)), "TOO_LONG"),
        ("slotId", json!("!"), "ID_MALFORMED"),
        ("slotId", json!(plan), "NOT_FOUND"),
    ] {
        let mut input = came(&slot, "2026-01-05T00:30:00Z");
        input["input"][field] = value;
        is(&staff.send(CHECK_IN, input).await, code);
    }
    let once = staff.keyed("k", 7).send(CHECK_IN, came(&slot, "2026-01-05T00:30:00Z")).await.fine();
    let again = staff.keyed("k", 7).send(CHECK_IN, came(&slot, "2026-01-05T00:30:00Z")).await.fine();
    assert_eq!(once, again);
    assert_eq!(events(&app, "check_in_recorded").await, 1);
}
