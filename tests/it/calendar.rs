//! The working calendar: shipped notices, imported years, local days; an unpublished year is unknown.

use concord::graphql::id;
use concord_tests::{Answer, Client, TestApp, World};
use serde_json::{Value, json};

const YEAR: &str = "query($alliance: ID, $year: Int!) {
    workingCalendar(allianceId: $alliance, year: $year) { known provisional workingDays days { on kind name local } } }";
const COUNT: &str = "query($alliance: ID, $from: Date!, $days: Int!) {
    workingDay(allianceId: $alliance, from: $from, days: $days) { on provisional } }";
const IMPORT: &str = "mutation($input: ImportCalendarDaysInput!) { importCalendarDays(input: $input) {
    calendar { known workingDays days { on kind } } userErrors { code field } } }";
const SET: &str = "mutation($input: SetLocalDayInput!) { setLocalDay(input: $input) {
    calendar { workingDays days { on kind name local } } userErrors { code field } } }";

async fn year(client: &Client<'_>, alliance: Value, year: i32) -> Answer {
    client.send(YEAR, json!({ "alliance": alliance, "year": year })).await
}

#[tokio::test]
async fn published_years_are_known_and_others_are_counted_monday_to_friday() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let stranger = app.client(world.stranger);
    for published in [2025, 2026] {
        let answer = year(&stranger, Value::Null, published).await.fine();
        assert_eq!(answer.at("/workingCalendar/known"), true);
        assert_eq!(answer.at("/workingCalendar/workingDays"), 248);
    }
    let unknown = year(&stranger, Value::Null, 2027).await.fine();
    assert_eq!(unknown.at("/workingCalendar/provisional"), true);
    assert_eq!(unknown.at("/workingCalendar/workingDays"), 261);
    assert_eq!(year(&stranger, Value::Null, 99_999).await.code().as_deref(), Some("OUT_OF_RANGE"));
    assert_eq!(year(&app.anonymous(), Value::Null, 2026).await.code().as_deref(), Some("UNAUTHENTICATED"));
    let count =
        async |from: &str, days: i32| stranger.send(COUNT, json!({ "from": from, "days": days })).await;
    // Over the National Day of 2026, seven days off; the weekend after it is worked on Saturday.
    let over = count("2026-09-30", 1).await.fine();
    assert_eq!(over.text("/workingDay/on"), "2026-10-08");
    assert_eq!(over.at("/workingDay/provisional"), false);
    let beyond = count("2026-12-31", 1).await.fine();
    assert_eq!(
        (beyond.text("/workingDay/on").as_str(), beyond.at("/workingDay/provisional")),
        ("2027-01-01", &json!(true))
    );
    assert_eq!(count("2026-09-30", 0).await.text("/workingDay/on"), "2026-09-30");
    for days in [-1, 3_661] {
        assert_eq!(count("2026-09-30", days).await.code().as_deref(), Some("OUT_OF_RANGE"));
    }
}

#[tokio::test]
async fn an_administrator_publishes_a_national_year_and_nobody_else_does() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut days = notice(2027);
    days.push(json!({ "on": "2027-01-02", "kind": "WORK" }));
    let input = json!({ "input": { "year": 2027, "days": days } });
    for person in [world.committee, world.stranger] {
        assert_eq!(app.client(person).send(IMPORT, input.clone()).await.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(app.anonymous().send(IMPORT, input.clone()).await.code().as_deref(), Some("UNAUTHENTICATED"));
    let admin = app.client(world.admin);
    let done = admin.keyed("k", 1).send(IMPORT, input.clone()).await.fine();
    assert_eq!(done.at("/importCalendarDays/calendar/known"), true);
    assert_eq!(done.at("/importCalendarDays/calendar/workingDays"), 259);
    assert_eq!(admin.keyed("k", 1).send(IMPORT, input).await.fine(), done);
    // A corrected notice leaves no stale day behind.
    let corrected = json!({ "input": { "year": 2027, "days": notice(2027) } });
    let done = admin.send(IMPORT, corrected).await.fine();
    assert_eq!(done.at("/importCalendarDays/calendar/days").as_array().map(Vec::len), Some(4));
    for (days, code) in [
        (json!([]), "REQUIRED"),
        (json!([{ "on": "2028-01-01", "kind": "OFF" }]), "OUT_OF_RANGE"),
        (
            json!([{ "on": "2027-01-01", "kind": "OFF" }, { "on": "2027-01-01", "kind": "WORK" }]),
            "ALREADY_EXISTS",
        ),
        (json!([{ "on": "2027-01-01", "kind": "OFF", "name": "假".repeat(65) }]), "TOO_LONG"),
    ] {
        let answer = admin.send(IMPORT, json!({ "input": { "year": 2027, "days": days } })).await;
        assert_eq!(answer.code().as_deref(), Some(code));
    }
    assert_eq!(
        year(&admin, Value::Null, 2027).await.at("/workingCalendar/days").as_array().map(Vec::len),
        Some(4)
    );
    app.run_background().await;
}

/// The days off of a short notice: New Year, Spring Festival, Labour Day (a Saturday in 2027), National Day.
fn notice(year: i32) -> Vec<Value> {
    let days = ["01-01", "02-05", "05-01", "10-01"];
    days.iter().map(|day| json!({ "on": format!("{year}-{day}"), "kind": "OFF" })).collect()
}

#[tokio::test]
async fn a_single_day_makes_no_year_known_and_takes_nothing_from_one_that_is() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let admin = app.client(world.admin);
    let import = async |year: i32, days: Vec<Value>| {
        admin.send(IMPORT, json!({ "input": { "year": year, "days": days } })).await.fine()
    };
    let off = |on: &str| vec![json!({ "on": on, "kind": "OFF" })];
    // The last day of this year, from next year's notice; the year's own notice stays.
    let done = import(2026, off("2026-12-31")).await;
    assert_eq!(done.at("/importCalendarDays/calendar/known"), true);
    assert_eq!(done.at("/importCalendarDays/calendar/workingDays"), 247);
    // A day of a year without a notice leaves it unknown, and does not count.
    let done = import(2027, off("2027-01-01")).await;
    assert_eq!(done.at("/importCalendarDays/calendar/known"), false);
    assert_eq!(done.at("/importCalendarDays/calendar/workingDays"), 261);
    let done = import(2027, notice(2027)[1..].to_vec()).await;
    assert_eq!(
        done.at("/importCalendarDays/calendar/known"),
        true,
        "with the day that was there it is whole"
    );
    let done = import(2027, off("2027-06-09")).await;
    assert_eq!(done.at("/importCalendarDays/calendar/days").as_array().map(Vec::len), Some(5));
    let done = import(2027, notice(2027)).await;
    assert_eq!(done.at("/importCalendarDays/calendar/days").as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_committee_sets_local_days_that_only_its_alliance_counts() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let committee = app.client(here.committee);
    let (home, away) = (json!(id::encode(here.town)), json!(id::encode(there.town)));
    let input = |kind: Value| json!({ "input": { "allianceId": home, "on": "2026-07-20", "kind": kind, "name": "那达慕" } });
    for (person, code) in [
        (here.staff, "FORBIDDEN"),
        (here.observer, "FORBIDDEN"),
        (here.county_committee, "FORBIDDEN"),
        (there.committee, "NOT_FOUND"),
    ] {
        assert_eq!(app.client(person).send(SET, input(json!("OFF"))).await.code().as_deref(), Some(code));
    }
    let set = committee.send(SET, input(json!("OFF"))).await.fine();
    assert_eq!(set.at("/setLocalDay/calendar/workingDays"), 247);
    assert_eq!(
        year(&app.client(there.committee), away.clone(), 2026).await.at("/workingCalendar/workingDays"),
        248
    );
    assert_eq!(year(&committee, Value::Null, 2026).await.at("/workingCalendar/workingDays"), 248);
    assert_eq!(year(&committee, away, 2026).await.code().as_deref(), Some("NOT_FOUND"));
    let next =
        committee.send(COUNT, json!({ "alliance": home, "from": "2026-07-17", "days": 1 })).await.fine();
    assert_eq!(next.text("/workingDay/on"), "2026-07-21");
    let cleared = committee.send(SET, input(Value::Null)).await.fine();
    assert_eq!(cleared.at("/setLocalDay/calendar/workingDays"), 248);
    assert_eq!(committee.send(SET, input(Value::Null)).await.code().as_deref(), Some("NOT_FOUND"));
    // A local day makes no unpublished year known.
    let local = json!({ "input": { "allianceId": home, "year": 2027, "days": [{ "on": "2027-07-20", "kind": "OFF" }] } });
    let imported = committee.send(IMPORT, local).await.fine();
    assert_eq!(imported.at("/importCalendarDays/calendar/known"), false);
    let none = json!({ "input": { "allianceId": home, "year": 2027, "days": [] } });
    let emptied = committee.send(IMPORT, none).await.fine();
    assert_eq!(emptied.at("/importCalendarDays/calendar/days"), &json!([]));
}
