//! The three rates and the monthly ranking: each figure is the number of its rows, over whistles and apart over problems, what is
//! left out is told, and what was taken for a month does not change with what is edited later.

use chrono::TimeDelta;
use concord::{
    domain::{
        list::{
            follow_up::{self, Answer as Answered, NewFollowUp, WhichFollowUp},
            problem::{
                edit::{self, ProblemChange},
                moves,
            },
        },
        whistle::{
            answer::{self, Evaluation},
            ranking,
        },
    },
    graphql::id,
};
use concord_entities::{
    follow_up::{Kind as Asking, Solved as Said},
    id::OrganizationId,
    problem::{Severity, State as Stage},
    whistle::Kind,
    whistle_response::{Solved, State},
};
use concord_tests::{Answer, TestApp, World};
use serde_json::{Value, json};

use crate::{
    problem::{count, problem_in, show_closure, which},
    whistle::{bring, call, here, sounded},
};

const RATES: &str = "responseRate { ...R } resolutionRate { ...R } satisfactionRate { ...R }";
const WHISTLES: [&str; 16] = [
    "CALLED",
    "CALLED_EXCUSED",
    "CALLED_REROUTED",
    "CALLED_PENDING",
    "RESPONSE_DUE",
    "REPORTED_IN_TIME",
    "EVALUATED",
    "RESOLVED",
    "SATISFIED",
    "UNEVALUATED",
    "EXCUSED",
    "RELEASED",
    "RELEASED_IN_TIME",
    "OVERDUE",
    "RESOLUTION_DUE",
    "REFUSED",
];
const PROBLEMS: [&str; 11] = [
    "DISPATCHED",
    "RESPONSE_WITHOUT_DEADLINE",
    "RESPONSE_PENDING",
    "RESPONSE_DUE",
    "ACCEPTED_IN_TIME",
    "ANSWERED",
    "RESOLVED",
    "SATISFIED",
    "UNREACHABLE",
    "CLOSED_UNASKED",
    "EXCLUDED",
];

fn of_unit(unit: OrganizationId) -> Value {
    json!({ "organizationId": id::encode(unit) })
}

async fn rates(app: &TestApp, world: &World, root: &str, of: Value, more: &str, to: &str) -> Answer {
    let rate = if root == "statistics" { "StatisticsRate" } else { "WhistleRate" };
    let query = format!(
        "query($input: StatisticsInput!) {{ {root}(input: $input) {{ period {{ {RATES} {more} }} }} }}
         fragment R on {rate} {{ numerator denominator excluded {{ measure count }} }}"
    );
    let input = json!({ "of": of, "from": "2026-01-01", "to": to });
    app.client(world.committee).send(&query, json!({ "input": input })).await
}

/// The pairs of numerator and denominator of the three rates.
fn shares(answer: &Answer, root: &str) -> [(i64, i64); 3] {
    ["responseRate", "resolutionRate", "satisfactionRate"].map(|rate| {
        let of = |part: &str| answer.at(&format!("/{root}/period/{rate}/{part}")).as_i64().expect("a count");
        (of("numerator"), of("denominator"))
    })
}

/// Every measure counts exactly its rows.
async fn adds_up(app: &TestApp, world: &World, root: &str, measures: &[&str], of: Value) {
    let more: String = measures
        .iter()
        .map(|measure| {
            format!("n{measure}: count(measure: {measure}) r{measure}: rows(measure: {measure}, first: 100) {{ totalCount nodes {{ id }} }} ")
        })
        .collect();
    let answer = rates(app, world, root, of, &more, "2026-01-31").await;
    for measure in measures {
        let count = answer.at(&format!("/{root}/period/n{measure}")).clone();
        assert_eq!(answer.at(&format!("/{root}/period/r{measure}/totalCount")), &count, "{measure}");
        let rows = answer.at(&format!("/{root}/period/r{measure}/nodes")).as_array().expect("rows").len();
        assert_eq!(json!(rows), count, "{measure}");
    }
}

#[tokio::test]
async fn the_rates_over_whistles_count_what_they_say() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, one, two) = (app.ctx(world.committee), world.members[1], world.members[2]);
    let (staff, other) = (app.ctx(world.staff), app.ctx(world.other_staff));
    // In time and well done; in time and badly; refused and re-routed; excused; late; waiting.
    let (_, a) = sounded(&app, &world, Kind::Enforcement, &[one], None).await;
    bring(&app, &staff, &town, a[0].id, State::Released).await;
    let (_, b) = sounded(&app, &world, Kind::Enforcement, &[one, two], None).await;
    bring(&app, &staff, &town, b[0].id, State::ClaimedResolved).await;
    let poor = Evaluation { solved: Solved::Partly, score: 3, words: "未彻底".to_owned() };
    answer::evaluate(&town, call(b[0].id), &poor).await.expect("evaluated");
    answer::refuse(&other, call(b[1].id), "不属", world.members[3]).await.expect("refused");
    answer::reroute(&town, call(b[1].id), Some(world.members[3]), None, None).await.expect("re-routed");
    let (_, c) = sounded(&app, &world, Kind::Enforcement, &[one, two], None).await;
    answer::excuse(&town, call(c[1].id), "误叫").await.expect("excused");
    app.advance(TimeDelta::hours(25));
    answer::report_in(&staff, call(c[0].id), &here()).await.expect("late");
    let (_, _waiting) = sounded(&app, &world, Kind::Enforcement, &[one], None).await;
    let mine = rates(&app, &world, "whistleStatistics", of_unit(one), "", "2026-01-31").await;
    // Of three that were due two in time; the fourth may still report in.
    assert_eq!(shares(&mine, "whistleStatistics"), [(2, 3), (1, 2), (1, 2)]);
    assert!(mine.0.to_string().contains("{\"count\":1,\"measure\":\"CALLED_PENDING\"}"), "{}", mine.0);
    let theirs = rates(&app, &world, "whistleStatistics", of_unit(two), "", "2026-01-31").await;
    assert_eq!(shares(&theirs, "whistleStatistics"), [(0, 0), (0, 0), (0, 0)]);
    for told in ["CALLED_REROUTED", "CALLED_EXCUSED"] {
        assert!(theirs.0.to_string().contains(&format!("{{\"count\":1,\"measure\":\"{told}\"}}")), "{told}");
    }
    // Hiding a late call cannot improve the on-time rate.
    app.advance(TimeDelta::days(8));
    let more = "onTimeRate { ...R }";
    let late = rates(&app, &world, "whistleStatistics", of_unit(one), more, "2026-01-31").await;
    let on_time = late.at("/whistleStatistics/period/onTimeRate").clone();
    assert_eq!((&on_time["numerator"], &on_time["denominator"]), (&json!(1), &json!(3)));
    let all = json!({ "allianceId": id::encode(world.county) });
    let county = app.client(world.county_committee);
    let query = "query($input: StatisticsInput!) { whistleStatistics(input: $input) { period { count(measure: CALLED) } } }";
    let input = json!({ "of": all, "from": "2026-01-01", "to": "2026-01-31" });
    let sum = county.send(query, json!({ "input": input })).await;
    assert_eq!(sum.at("/whistleStatistics/period/count"), 7);
    adds_up(&app, &world, "whistleStatistics", &WHISTLES, json!({ "allianceId": id::encode(world.town) }))
        .await;
}

#[tokio::test]
async fn the_rates_over_problems_take_contact_and_the_reporters_answers() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let one = world.members[1];
    // Accepted in time, answered well; accepted in time, answered badly; late; waiting.
    for (said, satisfied) in [(Said::Yes, true), (Said::Partly, false)] {
        let row = problem_in(&app, &world, Stage::InProgress).await;
        show_closure(&app, &world, row.id).await;
        moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
        let verifier = app.ctx(world.verifier);
        let new = NewFollowUp {
            problem: which(row.id),
            reporter_problem_id: None,
            kind: Asking::Call,
            due_on: None,
        };
        let due = follow_up::request(&verifier, new).await.expect("due");
        let of = WhichFollowUp { id: due.id, expected_version: None };
        let answer = Answered { solved: said, satisfied, words: None, note: None };
        follow_up::record_answer(&verifier, of, answer).await.expect("answered");
    }
    let late = problem_in(&app, &world, Stage::Assigned).await;
    app.advance(TimeDelta::hours(25));
    moves::accept(&app.ctx(world.staff), which(late.id)).await.expect("accepted late");
    problem_in(&app, &world, Stage::Assigned).await;
    for of in [of_unit(one), json!({ "allianceId": id::encode(world.town) })] {
        let found = rates(&app, &world, "statistics", of.clone(), "", "2026-01-31").await;
        assert_eq!(shares(&found, "statistics"), [(2, 3), (1, 2), (1, 2)], "{of}");
        assert!(found.0.to_string().contains("{\"count\":1,\"measure\":\"RESPONSE_PENDING\"}"), "{of}");
        adds_up(&app, &world, "statistics", &PROBLEMS, of).await;
    }
    let none = rates(&app, &world, "statistics", of_unit(world.members[2]), "", "2026-01-31").await;
    assert_eq!(shares(&none, "statistics"), [(0, 0), (0, 0), (0, 0)]);
}

const RANKING: &str = "query($alliance: ID!, $over: RankingOver!) {
    departmentRanking(allianceId: $alliance, month: \"2026-01\", over: $over) { takenAt departmentCount
        departments { nodes { place score organization { name } responseRate { numerator denominator excluded }
            resolutionRate { numerator denominator } whistleResponses(figure: RESPONDED) { nodes { id } }
            problems(figure: RESPONSE_DUE) { nodes { id } } } } } }";

async fn ranked(app: &TestApp, world: &World, over: &str) -> Answer {
    let variables = json!({ "alliance": id::encode(world.town), "over": over });
    app.client(world.committee).send(RANKING, variables).await
}

#[tokio::test]
async fn a_month_is_ranked_once_and_later_edits_do_not_change_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, one, two) = (app.ctx(world.committee), world.members[1], world.members[2]);
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[one, two], None).await;
    bring(&app, &app.ctx(world.staff), &town, made[0].id, State::Released).await;
    let problem = problem_in(&app, &world, Stage::Accepted).await;
    app.advance(TimeDelta::days(20));
    answer::report_in(&app.ctx(world.other_staff), call(made[1].id), &here()).await.expect("late");
    let live = ranked(&app, &world, "WHISTLES").await;
    assert!(live.at("/departmentRanking/takenAt").is_null());
    assert_eq!(live.at("/departmentRanking/departments/nodes/0/place"), 1);
    assert_eq!(live.at("/departmentRanking/departments/nodes/0/score"), 1.0);
    assert_eq!(live.at("/departmentRanking/departments/nodes/1/score"), 0.0);
    assert_eq!(
        live.at("/departmentRanking/departments/nodes/0/whistleResponses/nodes")
            .as_array()
            .expect("rows")
            .len(),
        1
    );
    // Five days after its end the month is taken, once, by however many nodes.
    app.advance(TimeDelta::days(12));
    let system = app.system();
    let (a, b) = futures_util::join!(ranking::take(&system), ranking::take(&system));
    a.and(b).expect("both look");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM ranking").await, 2);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'ranking_taken'").await, 2);
    let taken = [ranked(&app, &world, "WHISTLES").await, ranked(&app, &world, "PROBLEMS").await];
    assert!(!taken[0].at("/departmentRanking/takenAt").is_null());
    let figures = |answer: &Answer| answer.at("/departmentRanking/departments/nodes").clone();
    assert_eq!(figures(&taken[0]), figures(&live));
    assert_eq!(taken[1].at("/departmentRanking/departments/nodes/0/responseRate/numerator"), 1);
    // Whatever is done afterwards, also with what it counted, the ranking of the month stays; the figures drawn anew do not.
    let drawn = async |root: &str| {
        let of = json!({ "allianceId": id::encode(world.town) });
        shares(&rates(&app, &world, root, of, "", "2026-01-31").await, root)
    };
    assert_eq!(drawn("whistleStatistics").await, [(1, 2), (1, 1), (1, 1)]);
    assert_eq!(drawn("statistics").await, [(1, 1), (0, 0), (0, 0)]);
    answer::excuse(&town, call(made[1].id), "事后免责").await.expect("excused");
    let change = ProblemChange {
        title: Some("路面塌陷".to_owned()),
        severity: Some(Severity::LifeSafety),
        ..ProblemChange::default()
    };
    edit::update(&town, problem.id, problem.version, change).await.expect("corrected");
    moves::recall(&town, which(problem.id), "错派").await.expect("recalled");
    assert_eq!(drawn("whistleStatistics").await, [(1, 1), (1, 1), (1, 1)]);
    assert_eq!(drawn("statistics").await, [(0, 0), (0, 0), (0, 0)]);
    app.run_background().await;
    let after = [ranked(&app, &world, "WHISTLES").await, ranked(&app, &world, "PROBLEMS").await];
    assert_eq!(after, taken);
}

#[tokio::test]
async fn a_ranking_is_read_page_by_page_to_its_end() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &world.members[1..6], None).await;
    // Two come in time, two not at all, and one is excused.
    answer::report_in(&app.ctx(world.staff), call(made[0].id), &here()).await.expect("in time");
    answer::report_in(&app.ctx(world.other_staff), call(made[1].id), &here()).await.expect("in time");
    answer::excuse(&app.ctx(world.committee), call(made[4].id), "误叫").await.expect("excused");
    let query = "query($a: ID!, $unit: ID, $first: Int, $after: String, $last: Int, $before: String) {
        departmentRanking(allianceId: $a, month: \"2026-01\", over: WHISTLES) { departmentCount
            departments(organizationId: $unit, first: $first, after: $after, last: $last, before: $before) {
                totalCount edges { cursor } nodes { place organization { id } }
                pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    let ask = async |mut given: Value| {
        given["a"] = json!(id::encode(world.town));
        app.client(world.observer).send(query, given).await
    };
    let page = async |given: Value| ask(given).await.at("/departmentRanking/departments").clone();
    // As it stands, and as it was taken.
    for days in [10, 25] {
        app.advance(TimeDelta::days(days));
        app.run_background().await;
        let (mut seen, mut sizes, mut after) = (Vec::new(), Vec::new(), Value::Null);
        loop {
            let some = page(json!({ "first": 2, "after": after })).await;
            assert_eq!(some["totalCount"], 5);
            assert_eq!(some["pageInfo"]["hasPreviousPage"], json!(!after.is_null()));
            let nodes = some["nodes"].as_array().expect("departments");
            assert_eq!(some["edges"].as_array().map(Vec::len), Some(nodes.len()));
            sizes.push(nodes.len());
            seen.extend(nodes.iter().cloned());
            after = some["pageInfo"]["endCursor"].clone();
            if some["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(sizes, [2, 2, 1]);
        // Equal ones share a place on whatever page they stand, and the next is as many further.
        let places: Vec<&Value> = seen.iter().map(|node| &node["place"]).collect();
        assert_eq!(json!(places), json!([1, 1, 3, 3, null]));
        let mut units: Vec<String> = seen.iter().map(|node| node["organization"]["id"].to_string()).collect();
        units.sort_unstable();
        units.dedup();
        assert_eq!(units.len(), 5);
        // Backward from the last, the same in the same order.
        let back = page(json!({ "last": 3, "before": after })).await;
        assert_eq!(back["nodes"], json!(seen[1..4]));
        assert_eq!(back["pageInfo"]["hasPreviousPage"], true);
        let one = page(json!({ "unit": id::encode(world.members[3]) })).await;
        assert_eq!((&one["totalCount"], &one["nodes"][0]["place"]), (&json!(1), &json!(3)));
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM ranking").await, 2);
    for (given, code) in [
        (json!({ "after": "nowhere" }), "CURSOR_MALFORMED"),
        (json!({ "first": 101 }), "PAGE_INVALID"),
        (json!({ "first": 1, "last": 1 }), "PAGE_INVALID"),
    ] {
        assert_eq!(ask(given).await.code().as_deref(), Some(code));
    }
}
