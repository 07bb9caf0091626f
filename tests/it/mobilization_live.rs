//! What an order covers, as it changes: many watch one board; what came of it stands in the report.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use concord::{
    domain::{
        identity::seat,
        mobilization::{
            check_in::{self, NewCheckIn},
            come::Outcome,
            order::{self, NewShift},
            report,
        },
    },
    graphql::id,
};
use concord_entities::{id::RegionId, mobilization::Model, region::Level, seat as seats};
use concord_tests::{Answer, Answers, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    changes::dashboard_key,
    grid::place,
    mobilization::{assert_counted, code, committee, compound, issued, need, person, which},
};

const WATCH: &str = "subscription($id: ID!, $below: ID, $level: RegionLevel, $after: Int) {
    mobilizationCoverage(mobilizationId: $id, below: $below, level: $level, after: $after) {
        position isWhole rows { region { name } needed present uncovered surplus } } }";

fn rows(answer: &Answer) -> Vec<(String, i64)> {
    let rows = answer.at("/mobilizationCoverage/rows").as_array().expect("rows");
    let row = |row: &Value| {
        (
            row["region"]["name"].as_str().expect("a name").to_owned(),
            row["present"].as_i64().expect("a number"),
        )
    };
    rows.iter().map(row).collect()
}

async fn come(app: &TestApp, world: &World, of: &Model, name: &str, place: RegionId) {
    check_in::check_in(&committee(app, world), of.id, person(name, place)).await.expect("in");
    app.run_background().await;
}

#[tokio::test]
async fn a_board_comes_whole_and_then_as_it_changes() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two] = world.communities;
    let row = issued(&app, &world).await;
    app.run_background().await;
    let ask = json!({ "id": id::encode(row.id) });
    let key = dashboard_key(&app, world.town).await;
    let (staff, dashboard) = (app.client(world.staff), app.key(key));
    let (mut first, mut second) =
        (staff.subscribe(WATCH, ask.clone()), dashboard.subscribe(WATCH, ask.clone()));
    for board in [first.next().await, second.next().await] {
        assert_eq!(board.at("/mobilizationCoverage/isWhole"), true);
        assert_eq!(rows(&board), [("第1社区".to_owned(), 0), ("第2社区".to_owned(), 0)]);
    }
    come(&app, &world, &row, "V1", two).await;
    for tail in [&mut first, &mut second] {
        let delta = tail.next().await;
        assert_eq!(delta.at("/mobilizationCoverage/isWhole"), false);
        assert_eq!(rows(&delta), [("第2社区".to_owned(), 1)]);
        let head = app.client(world.committee).run("{ changes { position } }").await;
        assert_eq!(delta.at("/mobilizationCoverage/position"), head.at("/changes/position"));
    }
    // A hundred at once come as one change, and what changes nothing comes as none.
    let items = (0..100).map(|number| Ok(person(&format!("W{number}"), one))).collect();
    check_in::check_in_many(&committee(&app, &world), row.id, items).await.expect("in");
    come(&app, &world, &row, "V1", one).await;
    let mut last = first.next().await;
    while rows(&last).iter().find(|(name, _)| name == "第1社区").map(|(_, present)| *present) != Some(101)
    {
        last = first.next().await;
    }
    assert!(first.is_quiet().await);
    // Another view of the same order.
    let level = json!({ "id": id::encode(row.id), "level": "TOWNSHIP" });
    let board = app.client(world.county_committee).subscribe(WATCH, level).next().await;
    assert_eq!(rows(&board), [("西海镇".to_owned(), 101)]);
    let below = json!({ "id": id::encode(row.id), "below": id::encode(two) });
    let board = staff.subscribe(WATCH, below).next().await;
    assert_eq!(rows(&board), [("第2社区".to_owned(), 0)]);
}

#[tokio::test]
async fn whoever_may_not_see_an_order_watches_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let row = issued(&app, &world).await;
    app.run_background().await;
    let ask = json!({ "id": id::encode(row.id) });
    for (who, expected) in [(other.committee, "NOT_FOUND"), (world.stranger, "NOT_FOUND")] {
        let answer = app.client(who).subscribe(WATCH, ask.clone()).next().await;
        assert_eq!(answer.code().as_deref(), Some(expected));
    }
    let answer = app.anonymous().subscribe(WATCH, ask.clone()).next().await;
    assert_eq!(answer.code().as_deref(), Some("UNAUTHENTICATED"));
    let mut bad = ask.clone();
    for (after, expected) in [(-1, "OUT_OF_RANGE"), (1_000_000, "POSITION_AHEAD")] {
        bad["after"] = json!(after);
        let answer = app.client(world.staff).subscribe(WATCH, bad.clone()).next().await;
        assert_eq!(answer.code().as_deref(), Some(expected));
    }
    let outside = json!({ "id": id::encode(row.id), "below": id::encode(world.county_region) });
    let answer = app.client(world.staff).subscribe(WATCH, outside).next().await;
    assert_eq!(answer.code().as_deref(), Some("OUTSIDE_TERRITORY"));
    // Whose seat ends is told at once, and then nothing more.
    let mut tail = app.client(world.other_staff).subscribe(WATCH, ask);
    tail.next().await;
    let own = seats::Entity::find()
        .filter(seats::Column::AccountId.eq(world.other_staff))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a seat");
    seat::end(&app.system(), own.id).await.expect("ended");
    app.run_background().await;
    assert_eq!(tail.next().await.code().as_deref(), Some("NOT_FOUND"));
    assert!(tail.end().await.is_none());
}

#[tokio::test]
async fn many_watch_at_the_price_of_one() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, _] = world.communities;
    let row = issued(&app, &world).await;
    app.run_background().await;
    let ask = json!({ "id": id::encode(row.id) });
    let mut tails = Vec::new();
    for _ in 0..40 {
        let mut tail = app.client(world.staff).subscribe(WATCH, ask.clone());
        tail.next().await;
        tails.push(tail);
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    let (_, statements) = app
        .statements(async || {
            come(&app, &world, &row, "V1", one).await;
            for tail in &mut tails {
                assert_eq!(rows(&tail.next().await), [("第1社区".to_owned(), 1)]);
            }
        })
        .await;
    let boards =
        statements.iter().filter(|sql| sql.contains("mobilization_coverage") && sql.starts_with("SELECT"));
    assert!((1..=3).contains(&boards.count()), "{statements:#?}");
}

#[tokio::test]
async fn a_report_says_who_came_and_what_was_covered() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    let began = app.app.now();
    let of = |name: &str, place, unit: usize| NewCheckIn {
        organization_id: Some(world.members[unit]),
        ..person(name, place)
    };
    for number in 0..5 {
        check_in::check_in(&committee, row.id, of(&format!("V{number}"), two, 1)).await.expect("in");
    }
    app.advance(TimeDelta::hours(2));
    check_in::check_in(&committee, row.id, person("W1", one)).await.expect("in");
    check_in::check_out(&committee, row.id, "V0", None).await.expect("out");
    app.advance(TimeDelta::hours(1));
    order::stand_down(&committee, which(row.id), "险情解除").await.expect("stood down");
    let query = "query($id: ID!) { mobilization(id: $id) { report { came others present transfers lateCheckIns isFinal
        units { unit { organization { id } quota } came missing } hours { beganAt arrived cumulative present covered }
        places { region { name } needed present uncovered firstCoveredAt } } } }";
    let ask = async || {
        app.client(world.staff)
            .send(query, json!({ "id": id::encode(row.id) }))
            .await
            .at("/mobilization/report")
            .clone()
    };
    let report = ask().await;
    assert_eq!((&report["came"], &report["others"], &report["present"]), (&json!(6), &json!(1), &json!(5)));
    assert_eq!((&report["lateCheckIns"], &report["isFinal"]), (&json!(0), &json!(true)));
    let units: Vec<_> = report["units"]
        .as_array()
        .expect("units")
        .iter()
        .map(|unit| (unit["came"].as_i64(), unit["missing"].as_i64()))
        .collect();
    assert_eq!(units, [(Some(0), Some(4)), (Some(5), Some(3))]);
    let hours: Vec<_> = report["hours"]
        .as_array()
        .expect("hours")
        .iter()
        .map(|hour| ["arrived", "cumulative", "present", "covered"].map(|name| hour[name].as_i64()))
        .collect();
    assert_eq!(hours, [[5, 5, 5, 1], [0, 5, 5, 1], [1, 6, 5, 1]].map(|hour| hour.map(Some)));
    assert_eq!(report["places"][0]["region"]["name"], "第1社区");
    assert_eq!(report["places"][0]["uncovered"], 9);
    assert!(report["places"][0]["firstCoveredAt"].is_null());
    assert_eq!(
        report["places"][1]["firstCoveredAt"],
        json!(began.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    );
    // The next day it is the same, but for what comes in late, which it says.
    app.advance(TimeDelta::hours(20));
    assert_eq!(ask().await, report);
    let late = NewCheckIn { at: Some(began + TimeDelta::hours(1)), ..person("W2", one) };
    check_in::check_in(&committee, row.id, late).await.expect("late");
    let later = ask().await;
    assert_eq!((&later["came"], &later["lateCheckIns"]), (&json!(7), &json!(1)));
    assert_counted(&app).await;
}

#[tokio::test]
async fn the_hours_count_people_until_they_leave_for_good() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    let come = async |name: &str, place| {
        check_in::check_in(&committee, row.id, person(name, place)).await.expect("in").0
    };
    let leave = async |name: &str| {
        check_in::check_out(&committee, row.id, name, None).await.expect("out");
    };
    for name in ["V1", "V2", "V3"] {
        come(name, one).await;
    }
    app.advance(TimeDelta::hours(1));
    for name in ["V1", "V2", "V3"] {
        leave(name).await;
    }
    app.advance(TimeDelta::hours(2));
    // One is back, one is elsewhere, one is gone.
    assert_eq!(come("V1", one).await, Outcome::Returned);
    assert_eq!(come("V2", two).await, Outcome::Transferred);
    app.advance(TimeDelta::hours(1));
    leave("V1").await;
    let found = report::of(&committee, &row).await.expect("a report");
    let hours: Vec<_> = found.hours.iter().map(|hour| (hour.arrived, hour.present)).collect();
    assert_eq!(hours, [(3, 3), (0, 2), (0, 2), (0, 2), (0, 1)]);
    assert_eq!(found.present, 1);
    assert_counted(&app).await;
}

#[tokio::test]
async fn the_figures_of_a_report_are_of_one_moment() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    let coming = async {
        for batch in 0..12 {
            let items =
                (0..20).map(|number| Ok(person(&format!("V{batch}-{number}"), [one, two][number % 2])));
            check_in::check_in_many(&committee, row.id, items.collect()).await.expect("in");
        }
    };
    let looking = async {
        let query = "query($id: ID!) { mobilization(id: $id) { report { came present hours { cumulative } places { present } } } }";
        let mut seen = std::collections::BTreeSet::new();
        while seen.last() != Some(&240) {
            let answer =
                app.client(world.observer).send(query, json!({ "id": id::encode(row.id) })).await.fine();
            let report = answer.at("/mobilization/report");
            let came = report["came"].as_i64().expect("a number");
            let places = report["places"].as_array().expect("places");
            let there: i64 = places.iter().filter_map(|place| place["present"].as_i64()).sum();
            let hours = report["hours"][0]["cumulative"].as_i64().unwrap_or_default();
            assert_eq!((report["present"].as_i64(), there, hours), (Some(came), came, came));
            seen.insert(came);
        }
    };
    tokio::join!(coming, looking);
}

#[tokio::test]
async fn where_people_went_is_told_to_those_who_see_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    check_in::check_in(&committee, row.id, person("V1", one)).await.expect("in");
    let began = app.app.now();
    app.advance(TimeDelta::hours(2));
    check_in::check_in(&committee, row.id, person("V1", two)).await.expect("over");
    let earlier = NewCheckIn { at: Some(began + TimeDelta::hours(1)), ..person("V1", one) };
    check_in::check_in(&committee, row.id, earlier).await.expect("told late");
    let query = "query($id: ID!) { mobilization(id: $id) { report { came transfers } checkIns { nodes {
        transfers { origin { name } destination { name } isSuperseded at } } } } }";
    let ask = async |who| {
        let answer = app.client(who).send(query, json!({ "id": id::encode(row.id) })).await.fine();
        answer.at("/mobilization").clone()
    };
    let seen = ask(world.committee).await;
    assert_eq!(seen["report"], json!({ "came": 1, "transfers": 1 }));
    let moved = seen["checkIns"]["nodes"][0]["transfers"].as_array().expect("transfers");
    let moved: Vec<_> = moved
        .iter()
        .map(|one| (&one["origin"]["name"], &one["destination"]["name"], &one["isSuperseded"]))
        .collect();
    let (first, second) = (json!("第1社区"), json!("第2社区"));
    let (late, went) = (json!(true), json!(false));
    assert_eq!(moved, [(&first, &second, &late), (&first, &second, &went)]);
    // Nobody of a unit that sent nobody sees who went where, only how often somebody did.
    let figures = ask(world.staff).await;
    assert_eq!((&figures["report"]["transfers"], &figures["checkIns"]["nodes"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn shifts_are_covered_by_whoever_is_on_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (committee(&app, &world), world.communities);
    let row = issued(&app, &world).await;
    let now = app.app.now();
    let shift = |place, from: i64| NewShift {
        region_id: place,
        starts_at: now + TimeDelta::hours(from),
        ends_at: now + TimeDelta::hours(from + 8),
        needed: 2,
    };
    let with = |change: &dyn Fn(&mut NewShift)| {
        let mut new = shift(one, 0);
        change(&mut new);
        [new]
    };
    for (shifts, expected) in [
        (with(&|new| new.needed = 0), "OUT_OF_RANGE"),
        (with(&|new| new.ends_at = new.starts_at), "OUT_OF_RANGE"),
        (with(&|new| new.ends_at = now + TimeDelta::days(32)), "OUT_OF_RANGE"),
        (with(&|new| (new.starts_at, new.ends_at) = (now - TimeDelta::hours(2), now)), "OUT_OF_RANGE"),
        (with(&|new| new.starts_at = now - TimeDelta::days(32)), "OUT_OF_RANGE"),
        (with(&|new| new.starts_at = now + TimeDelta::days(367)), "OUT_OF_RANGE"),
        (with(&|new| new.region_id = world.town_region), "REGION_ABOVE_COMMUNITY"),
    ] {
        assert_eq!(code(order::add_shifts(&committee, which(row.id), &shifts).await), expected);
    }
    assert_eq!(code(order::add_shifts(&committee, which(row.id), &[]).await), "REQUIRED");
    order::add_shifts(&committee, which(row.id), &[shift(one, 0), shift(one, 8), shift(two, 0)])
        .await
        .expect("set up");
    let query = "query($id: ID!) { mobilization(id: $id) { shifts { nodes { id startsAt needed present uncovered region { name } } } } }";
    let ask = async || {
        app.client(world.staff)
            .send(query, json!({ "id": id::encode(row.id) }))
            .await
            .at("/mobilization/shifts/nodes")
            .clone()
    };
    let found = ask().await;
    let of = |name: &str, from: i64| {
        let starts = (now + TimeDelta::hours(from)).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        let shift = found
            .as_array()
            .expect("shifts")
            .iter()
            .find(|shift| shift["region"]["name"] == name && shift["startsAt"] == json!(starts));
        let text = shift.expect("a shift")["id"].as_str().expect("an identifier").to_owned();
        id::decode(&async_graphql::ID(text), "id").expect("an identifier")
    };
    let (early, late, elsewhere) = (of("第1社区", 0), of("第1社区", 8), of("第2社区", 0));
    let on = |name: &str, shift| NewCheckIn { shift_id: Some(shift), ..person(name, one) };
    check_in::check_in(&committee, row.id, on("V1", early)).await.expect("in");
    check_in::check_in(&committee, row.id, on("V2", early)).await.expect("in");
    assert_eq!(code(check_in::check_in(&committee, row.id, on("V3", elsewhere)).await), "SHIFT_ELSEWHERE");
    app.advance(TimeDelta::hours(8));
    assert_eq!(code(check_in::check_in(&committee, row.id, on("V3", early)).await), "SHIFT_OVER");
    check_in::check_in(&committee, row.id, on("V1", late)).await.expect("the next shift");
    let shown = ask().await;
    let present: Vec<_> = shown
        .as_array()
        .expect("shifts")
        .iter()
        .map(|shift| (shift["present"].as_i64(), shift["uncovered"].as_i64()))
        .collect();
    let mut sorted = present.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [(Some(0), Some(2)), (Some(1), Some(1)), (Some(1), Some(1))]);
    // A person is present once, whatever the shift.
    assert_eq!(crate::mobilization::counted(&app, row.id, one).await.1, 2);
    assert_counted(&app).await;
}

#[tokio::test]
async fn a_level_sums_up_also_what_has_no_official_code() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let village = place(&app, world.town_region, "第3社区", Level::Village).await;
    let yards = [compound(&app, village, "南小区").await, compound(&app, village, "北小区").await];
    let row = issued(&app, &world).await;
    for (name, yard) in [("V1", yards[0]), ("V2", yards[1])] {
        come(&app, &world, &row, name, yard).await;
    }
    let query =
        "query($id: ID!) { mobilization(id: $id) { coverage(level: VILLAGE) { region { name } present } } }";
    let asked = app.client(world.committee).send(query, json!({ "id": id::encode(row.id) })).await;
    let of_query: Vec<Value> = asked.at("/mobilization/coverage").as_array().expect("rows").clone();
    assert!(of_query.contains(&json!({ "region": { "name": "第3社区" }, "present": 2 })), "{of_query:?}");
    assert_eq!(of_query.len(), 3, "every place stands in its village: {of_query:?}");
    let client = app.client(world.committee);
    // Another view of the same room is made first: what it learnt of levels is not all.
    let _other =
        client.subscribe(WATCH, json!({ "id": id::encode(row.id), "level": "COMPOUND" })).next().await;
    let mut board = client.subscribe(WATCH, json!({ "id": id::encode(row.id), "level": "VILLAGE" }));
    let whole = board.next().await;
    assert!(rows(&whole).contains(&("第3社区".to_owned(), 2)), "{:?}", rows(&whole));
    assert_eq!(rows(&whole).len(), 3);
    come(&app, &world, &row, "V3", yards[0]).await;
    assert_eq!(rows(&board.next().await), [("第3社区".to_owned(), 3)]);
}

#[tokio::test]
async fn a_building_counts_for_itself_for_its_compound_and_for_its_community() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, _] = world.communities;
    let yard = compound(&app, one, "东小区").await;
    let towers = [
        place(&app, yard, "1号楼", Level::Building).await,
        place(&app, yard, "2号楼", Level::Building).await,
    ];
    let row = issued(&app, &world).await;
    let needs = [need(yard, 2), need(towers[0], 3)];
    order::amend_needs(&committee(&app, &world), which(row.id), &needs).await.expect("amended");
    let came = [("V1", one), ("V2", yard), ("V3", towers[0]), ("V4", towers[0]), ("V5", towers[1])];
    let items = came.map(|(name, place)| Ok(person(name, place))).into();
    check_in::check_in_many(&committee(&app, &world), row.id, items).await.expect("in");
    app.run_background().await;
    let line = |name: &str, needed: i64, present: i64, uncovered: i64, surplus: i64| {
        json!({ "region": { "name": name }, "needed": needed, "present": present, "uncovered": uncovered,
            "surplus": surplus })
    };
    let two = line("第2社区", 5, 0, 5, 0);
    let query = "query($id: ID!, $level: RegionLevel, $below: ID) { mobilization(id: $id) {
        coverage(level: $level, below: $below) { region { name } needed present uncovered surplus } } }";
    let client = app.client(world.observer);
    let views = [
        // Whom nobody needs in one building is not there for another, nor for the compound around them.
        (
            "BUILDING",
            vec![
                line("第1社区", 10, 1, 9, 0),
                two.clone(),
                line("东小区", 2, 1, 1, 0),
                line("1号楼", 3, 2, 1, 0),
                line("2号楼", 0, 1, 0, 1),
            ],
            line("1号楼", 3, 3, 0, 0),
        ),
        (
            "COMPOUND",
            vec![line("第1社区", 10, 1, 9, 0), two.clone(), line("东小区", 5, 4, 2, 1)],
            line("东小区", 5, 5, 1, 1),
        ),
        ("VILLAGE", vec![line("第1社区", 15, 5, 11, 1), two], line("第1社区", 15, 6, 10, 1)),
    ];
    let mut boards = Vec::new();
    for (level, expected, changed) in &views {
        let ask = json!({ "id": id::encode(row.id), "level": level });
        let asked = client.send(query, ask.clone()).await.fine();
        assert_eq!(asked.at("/mobilization/coverage"), &json!(expected), "{level}");
        let mut board = client.subscribe(WATCH, ask);
        assert_eq!(board.next().await.at("/mobilizationCoverage/rows"), &json!(expected), "{level}");
        boards.push((level, board, changed));
    }
    // Below the compound there are its buildings, and what is in none of them.
    let below = json!({ "id": id::encode(row.id), "below": id::encode(yard) });
    let asked = client.send(query, below).await.fine();
    assert_eq!(asked.at("/mobilization/coverage"), &json!(views[0].1[2..]));
    // Whoever comes to a building is pushed to each level, as what it changes there and nothing else.
    come(&app, &world, &row, "V6", towers[0]).await;
    for (level, mut board, changed) in boards {
        assert_eq!(board.next().await.at("/mobilizationCoverage/rows"), &json!([changed]), "{level}");
    }
    assert_counted(&app).await;
}

/// How often a board is made at most.
const TICK: Duration = Duration::from_millis(250);

/// Follows a board until so many are at its only place that changes; tells how many were there at each change.
async fn follow(mut tail: Answers, until: i64) -> (Answers, Vec<i64>) {
    let mut told = Vec::new();
    while told.last() != Some(&until) {
        let delta = tail.next().await;
        assert_eq!(delta.at("/mobilizationCoverage/isWhole"), false);
        let [(_, present)] = rows(&delta)[..] else { panic!("{delta:?}") };
        told.push(present);
    }
    (tail, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_one_by_one_in_a_burst_is_told_of_together() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, _] = world.communities;
    let row = issued(&app, &world).await;
    app.run_background().await;
    let mut tails = Vec::new();
    for who in [world.staff, world.observer] {
        let mut tail = app.client(who).subscribe(WATCH, json!({ "id": id::encode(row.id) }));
        tail.next().await;
        tails.push(tail);
    }
    let burst = async |tails: Vec<Answers>, people: std::ops::Range<i64>, sealed_each: bool| {
        let following: Vec<_> =
            tails.into_iter().map(|tail| tokio::spawn(follow(tail, people.end))).collect();
        let began = Instant::now();
        let (followed, statements) = app
            .statements(async || {
                for number in people.clone() {
                    // Each in a unit of work of its own.
                    let new = person(&format!("V{number}"), one);
                    check_in::check_in(&committee(&app, &world), row.id, new).await.expect("in");
                    if sealed_each {
                        app.run_background().await;
                    }
                }
                app.run_background().await;
                futures_util::future::join_all(following).await
            })
            .await;
        let is_board = |sql: &&String| sql.contains("mobilization_coverage") && sql.starts_with("SELECT");
        let made = statements.iter().filter(is_board).count();
        let (mut tails, mut counts) = (Vec::new(), Vec::new());
        for (tail, told) in followed.into_iter().map(|done| done.expect("an end")) {
            assert!(told.is_sorted_by(|before, after| before < after), "{told:?}");
            tails.push(tail);
            counts.push(told.len());
        }
        // Both are told of what was read, and neither has it read for itself.
        assert!(counts.iter().all(|count| *count <= made), "{counts:?} of {made}");
        (tails, made, began.elapsed())
    };
    // What becomes known together is told together: boards more may be made as the watchers come, for what is sealed meanwhile, and
    // after a while in which nothing rings.
    let (tails, made, _) = burst(tails, 0..30, false).await;
    assert!(made <= 6, "{made} boards for what became known together");
    // What becomes known one by one comes in no more boards than there were ticks, however many came.
    let (mut tails, made, took) = burst(tails, 30..50, true).await;
    let ticks = usize::try_from(took.as_millis() / TICK.as_millis()).expect("few");
    assert!(made <= ticks + 2, "{made} boards in {took:?}");
    for tail in &mut tails {
        assert!(tail.is_quiet().await);
    }
    assert_eq!(crate::mobilization::counted(&app, row.id, one).await, (10, 50));
    assert_counted(&app).await;
}
