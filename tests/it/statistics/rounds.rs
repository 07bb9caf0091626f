//! Rounds that ended: each counts in its own month, whatever becomes of the next one.

use concord::domain::list::problem::{merge, round};

use super::*;

#[tokio::test]
async fn a_round_that_was_struck_off_counts_in_its_own_month_however_the_problem_goes_on() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let (january, february) = (("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"));
    let march = ("2026-03-01", "2026-03-31");
    let (town, unit) = (
        json!({ "allianceId": id::encode(world.town) }),
        |place: usize| json!({ "organizationId": id::encode(world.members[place]) }),
    );
    let figures = async |of: &Value, days: (&str, &str)| {
        let answer = ask(&app, world.observer, of.clone(), days.0, days.1).await;
        let told = answer.at("/statistics/period");
        assert_eq!(told["handlingTime"]["count"], told["closed"]);
        assert_eq!(told["handlingTime"]["medianSeconds"].is_null(), told["closed"] == 0);
        for measure in ["CLOSED", "OPEN", "OPEN_IN_PERIOD", "CLOSED_ON_TIME"] {
            let listed = rows(&app, world.observer, of.clone(), days, measure).await;
            let counted = counts(&app, world.observer, of.clone(), days.0, days.1).await;
            let place = MEASURES.iter().position(|known| *known == measure).expect("a measure");
            assert_eq!(listed.at("/statistics/period/rows/totalCount"), counted[place], "{measure}");
        }
        [&told["struckOff"], &told["closed"], &told["open"], &told["closureRate"]["denominator"]]
            .map(|figure| figure.as_i64().expect("a number"))
    };
    let before = figures(&town, january).await;
    assert_eq!(before, [1, 1, 0, 1]);
    app.set_now(beijing("2026-03-02", 9));
    round::reopen(&app.ctx(world.committee), which(row.id), "复发").await.expect("reopened");
    // Closed in January, at rest in February, open again in March.
    assert_eq!(figures(&town, january).await, before);
    assert_eq!(figures(&town, february).await, [0, 0, 0, 0]);
    assert_eq!(figures(&town, march).await, [0, 0, 1, 1]);
    // The closure stays that of whoever led the round, also when somebody else takes the next.
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[2], None).await.expect("assigned");
    assert_eq!(figures(&unit(1), january).await, [1, 1, 0, 1]);
    assert_eq!(figures(&unit(2), january).await, [0, 0, 0, 0]);
    assert_eq!(figures(&unit(1), march).await, [0, 0, 0, 0]);
    assert_eq!(figures(&unit(2), march).await, [0, 0, 1, 1]);
    let answer = ask(&app, world.observer, town, january.0, january.1).await;
    assert_eq!(answer.at("/statistics/period/onTimeRate/numerator"), 1);
}

#[tokio::test]
async fn a_round_that_was_struck_off_stays_whatever_becomes_of_the_next() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut ended = Vec::new();
    for _ in 0..3 {
        ended.push(problem_in(&app, &world, State::StruckOff).await);
    }
    let town = json!({ "allianceId": id::encode(world.town) });
    let unit = json!({ "organizationId": id::encode(world.members[1]) });
    let figures = async |of: &Value, from: &str, to: &str| {
        let counted = counts(&app, world.observer, of.clone(), from, to).await;
        for (measure, count) in MEASURES.iter().zip(&counted) {
            let listed = rows(&app, world.observer, of.clone(), (from, to), measure).await;
            assert_eq!(&listed.at("/statistics/period/rows/totalCount").as_i64(), &Some(*count), "{measure}");
        }
        let answer = ask(&app, world.observer, of.clone(), from, to).await;
        let told = answer.at("/statistics/period");
        json!([
            told["struckOff"],
            told["open"],
            told["closureRate"]["denominator"],
            told["onTimeRate"]["numerator"],
            told["onTimeRate"]["denominator"],
            told["handlingTime"]["count"]
        ])
    };
    // Struck off on the 5th of January, and reopened in March.
    app.set_now(beijing("2026-03-02", 9));
    for row in &ended {
        round::reopen(&app.ctx(world.committee), which(row.id), "复发").await.expect("reopened");
    }
    let before = [
        figures(&town, "2026-01-01", "2026-01-31").await,
        figures(&unit, "2026-01-01", "2026-01-31").await,
        figures(&town, "2026-02-01", "2026-02-28").await,
        // Before the day on which they were registered and struck off: nothing.
        figures(&town, "2025-12-01", "2025-12-31").await,
    ];
    assert_eq!(before[0], json!([3, 0, 3, 3, 3, 3]));
    assert_eq!(before[2], json!([0, 0, 0, 0, 0, 0]));
    let survivor = problem_in(&app, &world, State::Registered).await;
    let system = app.system();
    moves::reject(&system, which(ended[0].id), "不属实").await.expect("rejected");
    moves::withdraw(&system, which(ended[1].id), "误报").await.expect("withdrawn");
    merge::merge(&system, which(ended[2].id), survivor.id, "重复").await.expect("merged");
    let after = [
        figures(&town, "2026-01-01", "2026-01-31").await,
        figures(&unit, "2026-01-01", "2026-01-31").await,
        figures(&town, "2026-02-01", "2026-02-28").await,
        figures(&town, "2025-12-01", "2025-12-31").await,
    ];
    assert_eq!(after, before);
    // In March they are left out, each by its reason, and the survivor goes on alone.
    assert_eq!(figures(&town, "2026-03-01", "2026-03-31").await, json!([0, 1, 1, 0, 0, 0]));
    // The county tells the same.
    let county = json!({ "allianceId": id::encode(world.county) });
    let answer = ask(&app, world.county_committee, county, "2026-01-01", "2026-01-31").await;
    assert_eq!(answer.at("/statistics/period/struckOff"), 3);
}

#[tokio::test]
async fn a_round_that_was_open_at_the_end_of_a_month_stays_so_whatever_becomes_of_the_next() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Verified).await;
    app.set_now(beijing("2026-02-10", 9));
    moves::strike_off(&app.ctx(world.approver), which(row.id)).await.expect("struck off");
    app.set_now(beijing("2026-03-02", 9));
    round::reopen(&app.ctx(world.committee), which(row.id), "复发").await.expect("reopened");
    moves::reject(&app.system(), which(row.id), "不属实").await.expect("rejected");
    let town = json!({ "allianceId": id::encode(world.town) });
    for (from, to, open, struck_off) in [
        ("2026-01-01", "2026-01-31", 1, 0),
        ("2026-02-01", "2026-02-28", 0, 1),
        ("2026-03-01", "2026-03-31", 0, 0),
    ] {
        let answer = ask(&app, world.observer, town.clone(), from, to).await;
        let told = answer.at("/statistics/period");
        assert_eq!((&told["open"], &told["struckOff"]), (&json!(open), &json!(struck_off)), "{from}");
        let query = format!(
            "query($id: ID!) {{ alliance(id: $id) {{ problemCounts(month: \"{}\") {{
                closureRate {{ numerator denominator }} }} }} }}",
            &from[..7]
        );
        let dashboard =
            app.client(world.observer).send(&query, json!({ "id": id::encode(world.town) })).await;
        let rate = json!({ "numerator": struck_off, "denominator": open + struck_off });
        assert_eq!(dashboard.at("/alliance/problemCounts/closureRate"), &rate, "{from}");
    }
}
