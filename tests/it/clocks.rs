//! What becomes of a clock when a problem is judged anew, comes back or goes elsewhere: from when it counts, which deadline it moves,
//! and that what had passed by then is on record, once.

use chrono::{DateTime, TimeDelta, Utc};
use concord::domain::{
    calendar::days::{NewDay, import_year},
    governance::alliance::{self, AllianceChange},
    list::{
        priority_task::Edit,
        problem::{
            self,
            edit::{self, ProblemChange},
            escalation, extend,
            moves::{self, Triage},
            on_account::{self, NewHold},
            parts, round,
            tiers::{self, Settled},
        },
    },
};
use concord_entities::{
    breach::{self, Clock},
    calendar_day::Kind,
    id::{OrganizationId, ProblemId},
    problem::{Model, Severity, State, Tier},
    problem_responsible,
};
use concord_migration::{Migrator, MigratorTrait};
use concord_tests::{TestApp, World};
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    deadline::{at, see, set, shown},
    problem::{count, problem_in, which},
};

async fn find(app: &TestApp, id: ProblemId) -> Model {
    problem::find(&app.system(), id).await.expect("a read").expect("a problem")
}

/// What is on record against a problem: which clock, whose, and by when it was due.
async fn late(app: &TestApp, of: ProblemId) -> Vec<(Clock, Option<OrganizationId>, DateTime<Utc>)> {
    let of = breach::Entity::find().filter(breach::Column::ProblemId.eq(of)).order_by_asc(breach::Column::Id);
    let rows = of.all(&app.app.read).await.expect("breaches");
    rows.into_iter().map(|row| (row.clock, row.organization_id, row.due_at)).collect()
}

/// By when it was to be assigned, as often as that passed.
async fn dispatched_late(app: &TestApp, of: ProblemId) -> Vec<DateTime<Utc>> {
    let all = late(app, of).await.into_iter().filter(|(clock, ..)| *clock == Clock::Dispatch);
    all.map(|(.., due_at)| due_at).collect()
}

/// Whether every breach is told of, and none is there twice.
async fn assert_noted_once(app: &TestApp) {
    let told = count(app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_breached'").await;
    assert_eq!(told, count(app, "SELECT COUNT(*) AS n FROM breach").await);
    let twice = "SELECT COUNT(*) AS n FROM (SELECT problem_id, clock, organization_id, due_at FROM breach
        GROUP BY problem_id, clock, organization_id, due_at HAVING COUNT(*) > 1) AS twice";
    assert_eq!(count(app, twice).await, 0);
}

fn judged(tier: Tier, is_complex: bool) -> Triage {
    Triage { tier, measures: "铺沥青".to_owned(), criterion: "路面平整".to_owned(), is_complex }
}

fn settled() -> Settled {
    Settled { reason: Some("需议事".to_owned()), ..Settled::default() }
}

async fn edited(app: &TestApp, world: &World, id: ProblemId, change: ProblemChange) -> Model {
    let version = find(app, id).await.version;
    edit::update(&app.ctx(world.committee), id, version, change).await.expect("edited")
}

async fn urgent(app: &TestApp, world: &World, id: ProblemId, severity: Severity) -> Model {
    edited(app, world, id, ProblemChange { severity: Some(severity), ..ProblemChange::default() }).await
}

async fn clocks(app: &TestApp, of: ProblemId, unit: OrganizationId) -> problem_responsible::Model {
    let unit = problem_responsible::Entity::find_by_id((of, unit)).one(&app.app.read).await;
    unit.expect("a read").expect("a unit")
}

async fn town() -> (TestApp, World) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    (app, world)
}

/// A town where hard matters have three days to be accepted, two to be assigned and twenty to be solved; units may decline whenever
/// they like.
async fn lenient_town() -> (TestApp, World) {
    let (app, world) = town().await;
    let rules = json!([
        { "clock": "DISPATCH", "tier": "HARD", "amount": 48, "unit": "HOURS" },
        { "clock": "RESPONSE", "tier": "HARD", "amount": 72, "unit": "HOURS" },
        { "clock": "RESOLUTION", "tier": "HARD", "amount": 20, "unit": "DAYS" },
    ]);
    set(&app, world.committee, &world, json!({ "rules": rules })).await.fine();
    let change = AllianceChange { objection_hours: Some(0), ..AllianceChange::default() };
    alliance::update(&app.ctx(world.committee), world.town, 1, change).await.expect("a policy");
    (app, world)
}

#[tokio::test]
async fn what_came_back_is_assigned_by_a_clock_of_its_own_however_it_is_judged() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let recalled = problem_in(&app, &world, State::InProgress).await.id;
    let reopened = problem_in(&app, &world, State::StruckOff).await.id;
    let escalated = problem_in(&app, &world, State::Triaged).await.id;
    let declined = problem_in(&app, &world, State::Assigned).await.id;
    // All that was assigned was assigned in time.
    app.set_now(at("2026-01-05T10:00"));
    escalation::escalate(&committee, which(escalated), "超出镇级权限").await.expect("escalated");
    app.set_now(at("2026-01-15T10:00"));
    moves::recall(&committee, which(recalled), "改派").await.expect("recalled");
    round::reopen(&committee, which(reopened), "复发").await.expect("reopened");
    escalation::recall(&committee, which(escalated), "自行解决").await.expect("back");
    moves::decline(&app.ctx(world.staff), which(declined), "非本单位", None).await.expect("declined");
    let all = [recalled, reopened, escalated, declined];
    for id in all {
        assert_eq!(find(&app, id).await.dispatch_due_at, Some(at("2026-01-16T10:00")));
        let row = moves::triage(&committee, which(id), judged(Tier::Small, true)).await.expect("triaged");
        assert_eq!(row.dispatch_due_at, Some(at("2026-01-16T10:00")));
        let row = tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
        assert_eq!(row.dispatch_due_at, Some(at("2026-01-17T10:00")));
    }
    app.run_background().await;
    let dispatches = async || -> usize {
        let mut found = 0;
        for id in all {
            found += dispatched_late(&app, id).await.len();
        }
        found
    };
    assert_eq!(dispatches().await, 0);
    tiers::move_tier(&committee, which(recalled), Tier::Small, settled()).await.expect("moved");
    let row = urgent(&app, &world, recalled, Severity::Utilities).await;
    assert_eq!(row.dispatch_due_at, Some(at("2026-01-15T12:00")));
    app.run_background().await;
    assert_eq!(dispatches().await, 0);
    // Whoever lets it lie is late by that clock.
    app.set_now(at("2026-01-15T12:00"));
    app.run_background().await;
    assert_eq!(dispatches().await, 1);
    assert_eq!(dispatched_late(&app, recalled).await, [at("2026-01-15T12:00")]);
    assert_noted_once(&app).await;
}

#[tokio::test]
async fn a_calendar_moves_the_dispatch_of_what_came_back_from_when_it_did() {
    let (app, world) = town().await;
    let rules = json!([{ "clock": "DISPATCH", "amount": 5, "unit": "WORKING_DAYS" }]);
    set(&app, world.committee, &world, json!({ "rules": rules })).await.fine();
    let id = problem_in(&app, &world, State::InProgress).await.id;
    app.set_now(at("2026-12-28T10:00"));
    let row = moves::recall(&app.ctx(world.committee), which(id), "改派").await.expect("recalled");
    assert!(row.dispatch_is_provisional);
    let off =
        |day: &str| NewDay { on: day.parse().expect("a day"), kind: Kind::Off, name: "假日".to_owned() };
    let days = ["2027-01-01", "2027-02-05", "2027-02-06", "2027-05-01", "2027-10-01"].map(off).to_vec();
    import_year(&app.system(), None, 2027, days).await.expect("a year");
    app.run_background().await;
    let row = find(&app, id).await;
    assert_eq!(
        (row.dispatch_due_at, row.dispatch_is_provisional),
        (Some(at("2027-01-06T00:00")), false),
        "three working days of the old year, and the fourth and fifth of January"
    );
    assert!(dispatched_late(&app, id).await.is_empty());
}

#[tokio::test]
async fn a_dispatch_is_late_once_however_its_deadline_goes_to_and_fro() {
    let (app, world) = town().await;
    let id = problem_in(&app, &world, State::Registered).await.id;
    app.set_now(at("2026-01-06T09:01"));
    app.run_background().await;
    let due = (Clock::Dispatch, None, at("2026-01-06T09:00"));
    assert_eq!(late(&app, id).await, [due]);
    for _ in 0..2 {
        urgent(&app, &world, id, Severity::Utilities).await;
        app.run_background().await;
        let row = urgent(&app, &world, id, Severity::Ordinary).await;
        assert_eq!(row.dispatch_due_at, Some(due.2));
        app.run_background().await;
    }
    assert_eq!(late(&app, id).await.iter().filter(|one| **one == due).count(), 1);
    assert_noted_once(&app).await;
}

/// Writes every breach once more.
fn again(app: &TestApp) -> String {
    let is_postgres = app.app.backend() == DbBackend::Postgres;
    let fresh = if is_postgres { "gen_random_uuid()" } else { "randomblob(16)" };
    let columns = "alliance_id, problem_id, round, clock, organization_id, is_lead, due_at, noted_at";
    format!("INSERT INTO breach (id, {columns}) SELECT {fresh}, {columns} FROM breach")
}

#[tokio::test]
async fn the_database_holds_no_dispatch_late_twice() {
    let (app, world) = town().await;
    problem_in(&app, &world, State::Registered).await;
    app.set_now(at("2026-01-06T09:01"));
    app.run_background().await;
    // As another node would write it that has not seen the first.
    let again = again(&app);
    assert!(app.sql(&again).await.is_err());
    assert_eq!(app.sql(&format!("{again} WHERE 1 = 1 ON CONFLICT DO NOTHING")).await.expect("nothing"), 0);
    assert_noted_once(&app).await;
}

#[tokio::test]
async fn the_migrations_know_what_came_back_and_keep_one_of_two() {
    let (app, world) = town().await;
    let idle = problem_in(&app, &world, State::Registered).await.id;
    let back = problem_in(&app, &world, State::InProgress).await.id;
    app.set_now(at("2026-01-06T10:00"));
    moves::recall(&app.ctx(world.committee), which(back), "改派").await.expect("recalled");
    app.run_background().await;
    assert_eq!(dispatched_late(&app, idle).await.len(), 1);
    let later = Migrator::migrations().iter().rev().position(|step| step.name().ends_with("_clocks_begin"));
    let steps = u32::try_from(later.expect("it is there") + 1).expect("a few");
    Migrator::down(&app.app.write, Some(steps)).await.expect("back to before it");
    app.sql(&again(&app)).await.expect("twice");
    Migrator::up(&app.app.write, None).await.expect("and forward again");
    assert_eq!(dispatched_late(&app, idle).await.len(), 1);
    assert!(app.sql("DELETE FROM breach").await.is_err(), "it stays on record");
    assert_eq!(find(&app, back).await.dispatch_from, Some(at("2026-01-06T10:00")));
    assert_eq!(find(&app, idle).await.dispatch_from, None, "since its registration");
}

#[tokio::test]
async fn whoever_has_not_accepted_is_to_do_so_by_how_the_problem_is_judged() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let [lead, joint] = [1, 2].map(|unit| world.members[unit]);
    let id = problem_in(&app, &world, State::Triaged).await.id;
    let day = "2026-01-20".parse().ok();
    moves::assign_jointly(&committee, which(id), lead, &[joint], day).await.expect("assigned");
    moves::accept(&app.ctx(world.staff), which(id)).await.expect("accepted");
    app.set_now(at("2026-01-05T10:00"));
    tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
    let usual = Some(at("2026-01-06T09:00"));
    assert_eq!(clocks(&app, id, lead).await.response_due_at, usual, "it has accepted");
    assert_eq!(clocks(&app, id, joint).await.response_due_at, Some(at("2026-01-08T09:00")));
    let moved = see(&app, world.observer, id).await.at("/problem/deadlineMoves").clone();
    let moved = moved.as_array().expect("moves").iter().filter(|one| one["cause"] == "PROBLEM_TIER_MOVED");
    let moved: Vec<Value> = moved.cloned().collect();
    assert_eq!(
        moved,
        [json!({ "clock": "RESPONSE", "cause": "PROBLEM_TIER_MOVED", "dueBefore": shown("2026-01-06T09:00"),
            "dueAfter": shown("2026-01-08T09:00"), "organization": { "name": "成员单位2-632223" } })]
    );
    // It is late by that, not by the limit of before.
    app.set_now(at("2026-01-08T08:59"));
    app.run_background().await;
    assert!(late(&app, id).await.is_empty());
    app.set_now(at("2026-01-08T09:00"));
    app.run_background().await;
    assert_eq!(late(&app, id).await, [(Clock::Response, Some(joint), at("2026-01-08T09:00"))]);
}

#[tokio::test]
async fn a_response_that_stood_still_is_judged_with_the_time_that_it_got_back() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let [lead, joint] = [1, 2].map(|unit| world.members[unit]);
    let id = problem_in(&app, &world, State::Triaged).await.id;
    moves::assign_jointly(&committee, which(id), lead, &[joint], None).await.expect("assigned");
    moves::accept(&app.ctx(world.staff), which(id)).await.expect("accepted");
    on_account::hold(&committee, which(id), held()).await.expect("held");
    app.advance(TimeDelta::days(5));
    on_account::resume(&committee, which(id)).await.expect("resumed");
    assert_eq!(clocks(&app, id, joint).await.response_due_at, Some(at("2026-01-11T09:00")));
    tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
    assert_eq!(clocks(&app, id, joint).await.response_due_at, Some(at("2026-01-13T09:00")));
    tiers::move_tier(&committee, which(id), Tier::Small, settled()).await.expect("moved");
    assert_eq!(clocks(&app, id, joint).await.response_due_at, Some(at("2026-01-11T09:00")));
}

#[tokio::test]
async fn a_day_that_was_set_ends_with_its_day_however_long_the_pause() {
    let (app, world) = town().await;
    let committee = app.ctx(world.committee);
    let id = problem_in(&app, &world, State::InProgress).await.id;
    let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("a day");
    extend::extend(&committee, which(id), day("2026-01-29"), "材料未到").await.expect("extended");
    let ends = async || {
        let due_at = clocks(&app, id, world.members[1]).await.resolution_due_at;
        (due_at, find(&app, id).await.due_on)
    };
    for (pause, until, last) in [
        (TimeDelta::milliseconds(1_080), "2026-01-30T00:00", "2026-01-29"),
        (TimeDelta::days(5), "2026-02-04T00:00", "2026-02-03"),
    ] {
        on_account::hold(&committee, which(id), held()).await.expect("held");
        app.advance(pause);
        on_account::resume(&committee, which(id)).await.expect("resumed");
        assert_eq!(ends().await, (Some(at(until)), Some(day(last))));
    }
}

#[tokio::test]
async fn a_resolution_that_stood_still_is_judged_with_the_days_that_it_got_back() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let id = problem_in(&app, &world, State::InProgress).await.id;
    let due_at = async || clocks(&app, id, world.members[1]).await.resolution_due_at;
    on_account::hold(&committee, which(id), held()).await.expect("held");
    app.advance(TimeDelta::days(5));
    on_account::resume(&committee, which(id)).await.expect("resumed");
    assert_eq!(due_at().await, Some(at("2026-01-18T00:00")));
    tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
    assert_eq!(due_at().await, Some(at("2026-01-31T00:00")));
    tiers::move_tier(&committee, which(id), Tier::Small, settled()).await.expect("moved");
    assert_eq!(due_at().await, Some(at("2026-01-18T00:00")));
    // By the hour it has them too.
    urgent(&app, &world, id, Severity::Utilities).await;
    assert_eq!(due_at().await, Some(at("2026-01-11T09:00")));
}

#[tokio::test]
async fn a_deadline_that_was_taken_away_stays_away_however_it_is_judged() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let id = problem_in(&app, &world, State::InProgress).await.id;
    let row =
        edited(&app, &world, id, ProblemChange { due_on: Edit::Clear, ..ProblemChange::default() }).await;
    assert_eq!(row.due_on, None);
    tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
    urgent(&app, &world, id, Severity::Utilities).await;
    assert_eq!(find(&app, id).await.due_on, None);
    let unit = clocks(&app, id, world.members[1]).await;
    assert_eq!((unit.resolution_due_at, unit.resolution_amount, unit.remind_at), (None, None, None));
    // A day that is set is one again.
    let due_on = Edit::To("2026-01-20".parse().expect("a day"));
    edited(&app, &world, id, ProblemChange { due_on, ..ProblemChange::default() }).await;
    let unit = clocks(&app, id, world.members[1]).await;
    assert_eq!(unit.resolution_due_at, Some(at("2026-01-21T00:00")));
}

fn held() -> NewHold {
    NewHold {
        reason: "等待冻土解冻".to_owned(),
        organization_id: None,
        review_on: "2026-03-01".parse().expect("a day"),
    }
}

#[tokio::test]
async fn what_is_more_urgent_is_to_be_accepted_sooner_whatever_day_is_set() {
    let (app, world) = town().await;
    let lead = world.members[1];
    let id = problem_in(&app, &world, State::Assigned).await.id;
    app.set_now(at("2026-01-05T09:30"));
    let due_on = Edit::To("2026-01-09".parse().expect("a day"));
    let change = ProblemChange { severity: Some(Severity::Utilities), due_on, ..ProblemChange::default() };
    let row = edited(&app, &world, id, change).await;
    assert_eq!(row.due_on, "2026-01-09".parse().ok());
    let unit = clocks(&app, id, lead).await;
    assert_eq!(unit.response_due_at, Some(at("2026-01-05T11:00")));
    assert_eq!(unit.resolution_due_at, Some(at("2026-01-10T00:00")));
    let moved = see(&app, world.observer, id).await.at("/problem/deadlineMoves").clone();
    let moved: Vec<_> = moved
        .as_array()
        .expect("moves")
        .iter()
        .filter(|one| one["cause"] == "PROBLEM_UPDATED")
        .map(|one| (one["clock"].clone(), one["dueAfter"].clone()))
        .collect();
    assert_eq!(
        moved,
        [(json!("RESPONSE"), shown("2026-01-05T11:00")), (json!("RESOLUTION"), shown("2026-01-10T00:00"))]
    );
}

/// What is on record is the same before the hand has looked and after.
async fn assert_late(
    app: &TestApp,
    of: ProblemId,
    expected: &[(Clock, Option<OrganizationId>, DateTime<Utc>)],
) {
    assert_eq!(late(app, of).await, expected);
    app.run_background().await;
    assert_eq!(late(app, of).await, expected);
    assert_noted_once(app).await;
}

#[tokio::test]
async fn a_response_that_passed_before_anybody_looked_stays_on_record() {
    let (app, world) = lenient_town().await;
    let (committee, staff) = (app.ctx(world.committee), app.ctx(world.staff));
    let [lead, joint] = [1, 2].map(|unit| world.members[unit]);
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(problem_in(&app, &world, State::Assigned).await.id);
    }
    let [recalled, declined, escalated, moved, shared, met] = <[_; 6]>::try_from(ids).expect("six");
    parts::add(&committee, which(shared), joint).await.expect("added");
    for id in [shared, met] {
        moves::accept(&staff, which(id)).await.expect("accepted");
    }
    let due = at("2026-01-06T09:00");
    app.set_now(at("2026-01-06T10:00"));
    moves::recall(&committee, which(recalled), "改派").await.expect("recalled");
    moves::decline(&staff, which(declined), "非本单位", None).await.expect("declined");
    escalation::escalate(&committee, which(escalated), "超出镇级权限").await.expect("escalated");
    tiers::move_tier(&committee, which(moved), Tier::Hard, settled()).await.expect("moved");
    parts::remove(&committee, which(shared), joint, "不涉及").await.expect("removed");
    moves::recall(&committee, which(met), "改派").await.expect("recalled");
    for (id, unit) in [(recalled, lead), (declined, lead), (escalated, lead), (moved, lead), (shared, joint)]
    {
        assert_late(&app, id, &[(Clock::Response, Some(unit), due)]).await;
    }
    assert_late(&app, met, &[]).await;
    // What was moved further out is not late for that.
    assert_eq!(clocks(&app, moved, lead).await.response_due_at, Some(at("2026-01-08T09:00")));
}

#[tokio::test]
async fn a_dispatch_that_passed_before_anybody_looked_stays_on_record() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let triaged = problem_in(&app, &world, State::Registered).await.id;
    let moved = problem_in(&app, &world, State::Triaged).await.id;
    let urged = problem_in(&app, &world, State::Registered).await.id;
    let escalated = problem_in(&app, &world, State::Triaged).await.id;
    let recalled = problem_in(&app, &world, State::Triaged).await.id;
    let in_time = problem_in(&app, &world, State::Assigned).await.id;
    let due = at("2026-01-06T09:00");
    app.set_now(at("2026-01-06T10:00"));
    moves::triage(&committee, which(triaged), judged(Tier::Hard, false)).await.expect("triaged");
    tiers::move_tier(&committee, which(moved), Tier::Hard, settled()).await.expect("moved");
    urgent(&app, &world, urged, Severity::Utilities).await;
    escalation::escalate(&committee, which(escalated), "超出镇级权限").await.expect("escalated");
    // Assigned too late, and by the right unit only then.
    moves::assign(&committee, which(recalled), world.members[2], None).await.expect("assigned");
    moves::recall(&committee, which(recalled), "改派").await.expect("recalled");
    moves::recall(&committee, which(in_time), "改派").await.expect("recalled");
    for id in [triaged, moved, urged, escalated, recalled] {
        assert_eq!(dispatched_late(&app, id).await, [due]);
    }
    assert!(dispatched_late(&app, in_time).await.is_empty());
    app.run_background().await;
    for id in [triaged, moved, escalated, recalled] {
        assert_eq!(dispatched_late(&app, id).await, [due]);
    }
    assert!(dispatched_late(&app, in_time).await.is_empty());
    assert_noted_once(&app).await;
}

#[tokio::test]
async fn what_ended_late_before_anybody_looked_stays_on_record_when_it_is_reopened() {
    let (app, world) = town().await;
    let row = problem_in(&app, &world, State::InProgress).await;
    app.set_now(at("2026-01-14T09:00"));
    crate::problem::show_closure(&app, &world, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(row.id), "已平整").await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(row.id)).await.expect("struck off");
    round::reopen(&app.ctx(world.committee), which(row.id), "复发").await.expect("reopened");
    let due = (Clock::Resolution, Some(world.members[1]), at("2026-01-13T00:00"));
    assert_late(&app, row.id, &[due]).await;
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM breach WHERE round = 1 AND is_lead").await, 1);
}

#[tokio::test]
async fn what_had_passed_before_it_was_held_is_on_record_when_it_is_judged_anew() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let late_one = problem_in(&app, &world, State::InProgress).await.id;
    app.set_now(at("2026-01-09T09:00"));
    let other = problem_in(&app, &world, State::InProgress).await.id;
    app.set_now(at("2026-01-13T09:00"));
    for id in [late_one, other] {
        on_account::hold(&committee, which(id), held()).await.expect("held");
    }
    // The other one's week is over as well, but it stands still.
    app.set_now(at("2026-01-20T09:00"));
    for id in [late_one, other] {
        tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
    }
    let due = (Clock::Resolution, Some(world.members[1]), at("2026-01-13T00:00"));
    assert_late(&app, late_one, &[due]).await;
    assert_late(&app, other, &[]).await;
}

#[tokio::test]
async fn a_deadline_that_a_judgement_leaves_where_it_is_stays_the_hand_s() {
    let (app, world) = lenient_town().await;
    let committee = app.ctx(world.committee);
    let id = problem_in(&app, &world, State::Triaged).await.id;
    let day = "2026-01-10".parse().ok();
    moves::assign(&committee, which(id), world.members[1], day).await.expect("assigned");
    moves::accept(&app.ctx(world.staff), which(id)).await.expect("accepted");
    app.set_now(at("2026-01-11T09:00"));
    tiers::move_tier(&committee, which(id), Tier::Hard, settled()).await.expect("moved");
    app.run_background().await;
    assert_eq!(late(&app, id).await, [(Clock::Resolution, Some(world.members[1]), at("2026-01-11T00:00"))]);
    // Who is late is told so.
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM supervision_notice").await, 1);
}
