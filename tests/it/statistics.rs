//! Figures of problems over a period: equal to what the rows say, to the sum of the alliances below, to the rows that they
//! drill down to, and, for New York's service requests, to what an independent script computes from the file.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc};
use concord::{
    domain::{
        governance::{
            alliance::{self, NewAlliance},
            membership::{self, Contact},
            service_team::{self, NewTeam},
        },
        list::problem::{
            self, NewProblem, extend,
            moves::{self, Triage},
            round,
            take_over::{Destination, Origin, SourceProblem},
        },
    },
    graphql::id,
    import::{
        Options, Source,
        problems::{self, Mapping},
    },
};
use concord_entities::{
    id::{AccountId, AllianceId, ProblemId},
    organization,
    problem::{Channel, Column, Entity as Problems, Model, Severity, State, Tier},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    changes::{dashboard_key, write_event},
    problem::{pothole, problem_in, show_closure, which},
};

mod excluded;
mod late;
mod rounds;
mod script;
mod setbacks;

const FIGURES: &str = "fragment F on StatisticsPeriod { from to registered open overdue struckOff closed returned declined
    reopened closureRate { value numerator denominator numeratorMeasure denominatorMeasure excluded { measure count } }
    onTimeRate { value numerator denominator excluded { measure count } } returnRate { numerator denominator }
    reopenRate { numerator denominator } handlingTime { count medianSeconds p90Seconds } }
    query($input: StatisticsInput!) { statistics(input: $input) { allianceCount period { ...F }
        previousPeriod { ...F } samePeriodLastYear { ...F } } }";

/// Every measure of the contract but those of the response.
const MEASURES: [&str; 25] = [
    "REGISTERED",
    "OPEN",
    "OVERDUE",
    "OPEN_IN_PERIOD",
    "STRUCK_OFF",
    "CLOSED",
    "CLOSED_ON_TIME",
    "DUE",
    "CLOSED_WITHOUT_DUE_DATE",
    "REJECTED",
    "WITHDRAWN",
    "RETURNED",
    "JUDGED",
    "DECLINED",
    "REOPENED",
    "STRUCK_OFF_OR_REOPENED",
    "MERGED",
    "EXTENDED",
    "BREACHED",
    "ANSWERED",
    "RESOLVED",
    "SATISFIED",
    "UNREACHABLE",
    "CLOSED_UNASKED",
    "EXCLUDED",
];

fn input(of: Value, from: &str, to: &str) -> Value {
    json!({ "input": { "of": of, "from": from, "to": to } })
}

async fn ask(app: &TestApp, who: AccountId, of: Value, from: &str, to: &str) -> Answer {
    app.client(who).send(FIGURES, input(of, from, to)).await
}

/// Every measure of a period, by name.
async fn counts(app: &TestApp, who: AccountId, of: Value, from: &str, to: &str) -> Vec<i64> {
    let fields: Vec<_> =
        MEASURES.iter().map(|name| format!("{}: count(measure: {name})", name.to_lowercase())).collect();
    let query = format!(
        "query($input: StatisticsInput!) {{ statistics(input: $input) {{ period {{ {} }} }} }}",
        fields.join(" ")
    );
    let answer = app.client(who).send(&query, input(of, from, to)).await;
    let period = answer.at("/statistics/period");
    MEASURES.iter().map(|name| period[name.to_lowercase()].as_i64().expect("a number")).collect()
}

/// The rows behind a measure.
async fn rows(app: &TestApp, who: AccountId, of: Value, days: (&str, &str), measure: &str) -> Answer {
    let query =
        "query($input: StatisticsInput!, $measure: StatisticsMeasure!) { statistics(input: $input) { period {
        rows(measure: $measure, first: 100) { totalCount nodes { number state } } } } }";
    let mut ask = input(of, days.0, days.1);
    ask["measure"] = json!(measure);
    app.client(who).send(query, ask).await
}

fn triage() -> Triage {
    Triage {
        tier: Tier::Small,
        measures: "铺沥青".to_owned(),
        criterion: "路面平整".to_owned(),
        is_complex: false,
    }
}

fn beijing(day: &str, hour: u32) -> DateTime<Utc> {
    let day: NaiveDate = day.parse().expect("a day");
    chrono_tz::Asia::Shanghai
        .from_local_datetime(&day.and_hms_opt(hour, 0, 0).expect("a time"))
        .single()
        .expect("an instant")
        .to_utc()
}

#[tokio::test]
async fn a_month_is_told_as_it_was_with_the_rows_behind_each_figure() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let new = NewTeam {
        name: "一队".to_owned(),
        lead_organization_id: world.members[1],
        member_organization_ids: vec![world.members[3]],
        captain_name: "李四".to_owned(),
        captain_title: None,
        captain_phone: None,
        liaison_name: None,
        liaison_phone: None,
    };
    let team = service_team::form(&app.system(), world.town, new).await.expect("a team").id;
    let due = |day: &str| Some(day.parse().expect("a day"));
    // Struck off on the last day of January, half an hour before February, in time.
    let in_time = problem_in(&app, &world, State::Triaged).await;
    // Struck off in January, late and after a return.
    let late = problem_in(&app, &world, State::Triaged).await;
    // Open and overdue by the end of January; declined once before.
    let open = problem_in(&app, &world, State::Triaged).await;
    for (row, day) in [(&in_time, "2026-01-31"), (&late, "2026-01-10"), (&open, "2026-01-20")] {
        moves::assign(&app.ctx(world.committee), which(row.id), world.members[1], due(day))
            .await
            .expect("assigned");
    }
    moves::decline(&app.ctx(world.staff), which(open.id), "不属本单位", None).await.expect("declined");
    moves::assign(&app.ctx(world.committee), which(open.id), world.members[2], due("2026-01-20"))
        .await
        .expect("assigned again");
    // Rejected in January; and one that nobody gave a date, struck off in January.
    let rejected = problem_in(&app, &world, State::Registered).await;
    moves::reject(&app.ctx(world.committee), which(rejected.id), "不属实").await.expect("rejected");
    problem_in(&app, &world, State::StruckOff).await;
    let finish = async |row: &Model, returns: bool| {
        moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
        moves::start(&app.ctx(world.staff), which(row.id), None).await.expect("started");
        show_closure(&app, &world, row.id).await;
        moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
        if returns {
            moves::send_back(&app.ctx(world.verifier), which(row.id), "未平整").await.expect("returned");
            show_closure(&app, &world, row.id).await;
            moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
        }
        moves::verify(&app.ctx(world.verifier), which(row.id), "已平整").await.expect("verified");
        moves::strike_off(&app.ctx(world.approver), which(row.id)).await.expect("struck off");
    };
    app.set_now(beijing("2026-01-15", 9));
    finish(&late, true).await;
    app.set_now(beijing("2026-01-31", 23));
    finish(&in_time, false).await;
    app.set_now(beijing("2026-02-01", 0));
    // Registered at Beijing's midnight: February's, although it is January in UTC.
    problem::register(&app.ctx(world.grid_officer), pothole(&world)).await.expect("registered");
    app.set_now(beijing("2026-02-10", 9));

    let town = json!({ "allianceId": id::encode(world.town) });
    let january = ("2026-01-01", "2026-01-31");
    let answer = ask(&app, world.observer, town.clone(), january.0, january.1).await;
    let told = answer.at("/statistics/period");
    let excluded = json!([{ "measure": "REJECTED", "count": 1 }, { "measure": "WITHDRAWN", "count": 0 },
        { "measure": "MERGED", "count": 0 }]);
    let expected = json!({
        "from": "2026-01-01", "to": "2026-01-31", "registered": 5, "open": 1, "overdue": 1, "struckOff": 3, "closed": 3,
        "returned": 1, "declined": 1, "reopened": 0,
        "closureRate": { "value": 0.75, "numerator": 3, "denominator": 4, "numeratorMeasure": "CLOSED",
            "denominatorMeasure": "OPEN_IN_PERIOD", "excluded": excluded },
        "onTimeRate": { "value": 0.5, "numerator": 2, "denominator": 4, "excluded": [
            { "measure": "CLOSED_WITHOUT_DUE_DATE", "count": 0 }, { "measure": "REJECTED", "count": 1 },
            { "measure": "WITHDRAWN", "count": 0 }, { "measure": "MERGED", "count": 0 }] },
        "returnRate": { "numerator": 1, "denominator": 3 },
        "reopenRate": { "numerator": 0, "denominator": 3 },
        // At once, ten days, and twenty-six days with fourteen hours.
        "handlingTime": { "count": 3, "medianSeconds": 864_000, "p90Seconds": 26 * 86_400 + 14 * 3_600 },
    });
    assert_eq!(told, &expected);
    assert_eq!(answer.at("/statistics/allianceCount"), 1);
    assert_eq!(answer.at("/statistics/previousPeriod/from"), "2025-12-01");
    assert_eq!(answer.at("/statistics/previousPeriod/to"), "2025-12-31");
    assert_eq!(answer.at("/statistics/samePeriodLastYear/from"), "2025-01-01");
    assert_eq!(answer.at("/statistics/samePeriodLastYear/registered"), 0);
    // The month of the dashboard says the same.
    let query = "query($id: ID!) { alliance(id: $id) { problemCounts(month: \"2026-01\") {
        closureRate { numerator denominator } } } }";
    let dashboard = app.client(world.observer).send(query, json!({ "id": id::encode(world.town) })).await;
    let rate = json!({ "numerator": 3, "denominator": 4 });
    assert_eq!(dashboard.at("/alliance/problemCounts/closureRate"), &rate);

    // February: two open, one overdue; January is the period before.
    let answer = ask(&app, world.observer, town.clone(), "2026-02-01", "2026-02-28").await;
    let (now, before) = (answer.at("/statistics/period"), answer.at("/statistics/previousPeriod"));
    assert_eq!((&now["registered"], &now["open"], &now["overdue"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!(now["handlingTime"], json!({ "count": 0, "medianSeconds": null, "p90Seconds": null }));
    assert_eq!(now["closureRate"]["value"], 0.0);
    assert_eq!(before, &expected);

    // By unit and team: what they are responsible for; by region: where it lies.
    let unit = |place: usize| json!({ "organizationId": id::encode(world.members[place]) });
    let figures = async |of: Value| {
        let answer = ask(&app, world.observer, of, january.0, january.1).await;
        let told = answer.at("/statistics/period");
        (told["open"].clone(), told["struckOff"].clone())
    };
    assert_eq!(figures(unit(1)).await, (json!(0), json!(3)));
    assert_eq!(figures(unit(2)).await, (json!(1), json!(0)));
    assert_eq!(figures(unit(3)).await, (json!(0), json!(0)));
    assert_eq!(figures(json!({ "serviceTeamId": id::encode(team) })).await, (json!(0), json!(3)));
    let region = |region| json!({ "regionId": id::encode(region) });
    assert_eq!(figures(region(world.town_region)).await, (json!(1), json!(3)));
    assert_eq!(figures(region(world.communities[0])).await, (json!(1), json!(3)));
    assert_eq!(figures(region(world.communities[1])).await, (json!(0), json!(0)));

    // A reopening belongs to the period it falls in.
    round::reopen(&app.ctx(world.committee), which(late.id), "复发").await.expect("reopened");
    let answer = ask(&app, world.observer, town.clone(), "2026-02-01", "2026-02-28").await;
    let rate = json!({ "numerator": 1, "denominator": 1 });
    assert_eq!(answer.at("/statistics/period/reopenRate"), &rate);

    // Every figure is the number of rows behind it.
    for days in [january, ("2026-02-01", "2026-02-28")] {
        let counted = counts(&app, world.observer, town.clone(), days.0, days.1).await;
        for (measure, count) in MEASURES.iter().zip(counted) {
            let answer = rows(&app, world.observer, town.clone(), days, measure).await;
            let listed = answer.at("/statistics/period/rows");
            assert_eq!(listed["totalCount"], count, "{measure}");
            assert_eq!(listed["nodes"].as_array().map(Vec::len), usize::try_from(count).ok(), "{measure}");
        }
    }
    let answer = rows(&app, world.observer, town, january, "CLOSED_ON_TIME").await;
    // The other was struck off on the day it came.
    let at_once = "西海销〔2026〕0005号";
    let expected = json!([
        { "number": in_time.number, "state": "STRUCK_OFF" }, { "number": at_once, "state": "STRUCK_OFF" },
    ]);
    assert_eq!(answer.at("/statistics/period/rows/nodes"), &expected);
}

#[tokio::test]
async fn what_the_caller_may_not_see_is_not_counted_and_bad_periods_are_told() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    problem_in(&app, &world, State::Registered).await;
    let days = ("2026-01-01", "2026-01-31");
    let town = json!({ "allianceId": id::encode(world.town) });
    for who in [there.committee, there.county_committee, world.stranger] {
        let answer = ask(&app, who, town.clone(), days.0, days.1).await;
        assert!(answer.at("/statistics").is_null());
        let unit = json!({ "organizationId": id::encode(world.members[1]) });
        assert!(ask(&app, who, unit, days.0, days.1).await.at("/statistics").is_null());
        // A region is nobody's secret, what lies in it is.
        let region = json!({ "regionId": id::encode(world.town_region) });
        let answer = ask(&app, who, region, days.0, days.1).await;
        assert_eq!(answer.at("/statistics/period/registered"), 0);
        assert_eq!(answer.at("/statistics/allianceCount"), 0);
    }
    let key = dashboard_key(&app, world.town).await;
    let answer = app.key(key).send(FIGURES, input(town.clone(), days.0, days.1)).await;
    assert_eq!(answer.at("/statistics/period/registered"), 1);
    // The platform's administrator sees the alliance; what is on its lists is none of their business.
    let answer = ask(&app, world.admin, town.clone(), days.0, days.1).await;
    assert!(answer.at("/statistics").is_null());
    let unit = json!({ "organizationId": id::encode(world.members[1]) });
    assert!(ask(&app, world.admin, unit.clone(), days.0, days.1).await.at("/statistics").is_null());
    let whistles = "query($input: StatisticsInput!) { whistleStatistics(input: $input) { period { from } } }";
    let answer = app.client(world.admin).send(whistles, input(unit, days.0, days.1)).await;
    assert!(answer.at("/whistleStatistics").is_null(), "{:#}", answer.0);
    // A list and its facets answer them as they answer a stranger.
    let facets = "query($filter: ProblemFilter) { problems(filter: $filter, first: 1) { totalCount nodes { id } facets {
        states { count } tiers { count } severities { count } categories { count } organizations { count } regions { count }
    } } }";
    let filter = json!({ "filter": { "allianceId": id::encode(world.town) } });
    let told = app.client(world.admin).send(facets, filter.clone()).await;
    assert_eq!(told.at("/problems/totalCount"), 0);
    assert_eq!(told, app.client(world.stranger).send(facets, filter).await);
    let answer = app.anonymous().send(FIGURES, input(town.clone(), days.0, days.1)).await;
    assert_eq!(answer.code().as_deref(), Some("UNAUTHENTICATED"));
    for (from, to, code) in [
        ("2026-02-01", "2026-01-31", "OUT_OF_RANGE"),
        ("2026-01-01", "2036-01-02", "OUT_OF_RANGE"),
        ("1970-01-01", "1970-01-31", "OUT_OF_RANGE"),
    ] {
        assert_eq!(ask(&app, world.observer, town.clone(), from, to).await.code().as_deref(), Some(code));
    }
    let wrong = json!({ "allianceId": id::encode(world.members[1]) });
    let answer = ask(&app, world.observer, wrong, days.0, days.1).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    // All three periods: three times figures and handling times, and what is asked for once.
    let client = app.client(world.observer);
    let asked = input(town, days.0, days.1);
    let (_, statements) = app.statements(async || client.send(FIGURES, asked).await.fine()).await;
    assert!(statements.len() <= 9, "{statements:#?}");
}

/// A stream of choices that a seed determines.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("it fits") % most
    }
}

async fn found(
    app: &TestApp,
    name: &str,
    region_id: concord_entities::id::RegionId,
    parent: AllianceId,
    zone: &str,
) -> AllianceId {
    let new = NewAlliance {
        name: name.to_owned(),
        region_id,
        parent_id: Some(parent),
        committee_organization_id: None,
        oversight_organization_id: None,
        time_zone: zone.to_owned(),
        number_pattern: format!("{name}〔{{year}}〕{{seq:4}}号"),
        check_in_working_day: 5,
    };
    alliance::found(&app.system(), new).await.expect("an alliance").id
}

/// Some problems of an alliance: registered here and assigned with due dates, declined, given more time, rejected, withdrawn, taken
/// over open and closed.
async fn fill(app: &TestApp, world: &World, list: AllianceId, dice: &mut Dice) {
    let system = app.system();
    for _ in 0..12 {
        let new = NewProblem { alliance_id: list, region_id: None, ..pothole(world) };
        let row = problem::register(&system, new).await.expect("registered");
        app.advance(TimeDelta::hours(dice.below(40)));
        match dice.below(4) {
            0 => drop(moves::reject(&system, which(row.id), "不属实").await.expect("rejected")),
            1 => drop(moves::withdraw(&system, which(row.id), "重复").await.expect("withdrawn")),
            _ => {
                moves::triage(&system, which(row.id), triage()).await.expect("triaged");
                let today = app.app.now().date_naive();
                let due = (dice.below(3) > 0).then(|| today + TimeDelta::days(dice.below(15) + 1));
                moves::assign(&system, which(row.id), world.members[1], due).await.expect("assigned");
                match (dice.below(3), due) {
                    (0, _) => drop(
                        moves::decline(&system, which(row.id), "不属本单位", None).await.expect("declined"),
                    ),
                    (1, Some(due)) => {
                        let later = due + TimeDelta::days(dice.below(9) + 1);
                        extend::extend(&system, which(row.id), later, "材料未到").await.expect("extended");
                    }
                    _ => {}
                }
            }
        }
    }
    let origin = Origin { source: "12345".to_owned(), organization_kind: organization::Kind::GovernmentUnit };
    let mut destination = Destination::open(&system, list, origin, false).await.expect("a list");
    let batch: Vec<_> = (0..15)
        .map(|place| {
            let began = app.app.now() - TimeDelta::minutes(dice.below(120_000));
            let most = (app.app.now() - began).num_minutes() + 1;
            let closed_at = (dice.below(3) > 0).then(|| began + TimeDelta::minutes(dice.below(most)));
            SourceProblem {
                line: 1,
                key: format!("{place}"),
                title: "噪音".to_owned(),
                description: "夜间施工".to_owned(),
                category: "噪音".to_owned(),
                place: None,
                channel: Channel::Import,
                severity: Severity::Ordinary,
                organization: None,
                organization_short_name: None,
                occurred_at: began,
                is_closed: closed_at.is_some(),
                closed_at,
            }
        })
        .collect();
    let taken = destination.take(batch).await.expect("taken over");
    assert_eq!((taken.imported, taken.refused.len()), (15, 0));
}

/// What the rows themselves say: registered, open, overdue, closed, closed on time, and how long the closed ones took.
fn recount(
    rows: &[Model],
    zone: chrono_tz::Tz,
    today: NaiveDate,
    from: NaiveDate,
    to: NaiveDate,
) -> ([i64; 5], Vec<i64>) {
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let mut told = [0; 5];
    let mut times = Vec::new();
    for row in rows {
        let began = if row.external_source.is_some() { row.occurred_at } else { row.recorded_at };
        let ended = row.closed_at.map(day);
        let regular = !matches!(row.state, State::Rejected | State::Withdrawn);
        told[0] += i64::from((from..=to).contains(&day(began)));
        let is_open = regular && day(began) <= to && ended.is_none_or(|on| on > to);
        let rests = |due: NaiveDate| row.rested_on.is_some_and(|rested_on| rested_on <= due);
        let passed =
            row.due_on.is_some_and(|due| due < today.min(to.succ_opt().expect("a day")) && !rests(due));
        told[1] += i64::from(is_open);
        told[2] += i64::from(is_open && passed);
        if regular && ended.is_some_and(|on| (from..=to).contains(&on)) {
            told[3] += 1;
            told[4] += i64::from(row.due_on.is_some_and(|due| ended <= Some(due)));
            times.push((row.closed_at.expect("closed") - began).num_seconds());
        }
    }
    times.sort_unstable();
    (told, times)
}

#[tokio::test]
async fn a_supervising_level_tells_the_sum_of_its_towns() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let town = found(&app, "三角城镇联盟", world.county_region, world.county, "Asia/Shanghai").await;
    let below = [
        found(&app, "第一社区联盟", world.communities[0], world.town, "Asia/Shanghai").await,
        // Not where anybody would be: another calendar under the same county.
        found(&app, "第二社区联盟", world.communities[1], world.town, "America/New_York").await,
        found(&app, "第三社区联盟", world.communities[1], town, "Asia/Shanghai").await,
    ];
    let lists = [world.county, world.town, town, below[0], below[1], below[2]];
    let mut dice = Dice(7);
    for list in lists {
        if list != world.town {
            membership::admit(&app.system(), list, world.members[1], Contact::default())
                .await
                .expect("a membership");
        }
        fill(&app, &world, list, &mut dice).await;
    }
    problem_in(&app, &world, State::StruckOff).await;
    problem_in(&app, &world, State::Submitted).await;
    let county = world.county_committee;
    let now = app.app.now();
    let (this, first) = (now.date_naive(), now.date_naive().with_day(1).expect("a first day"));
    let mut set_back = [0; 2];
    for (from, to) in [
        (first, this),
        (first - chrono::Months::new(1), first.pred_opt().expect("a day")),
        (first - chrono::Months::new(3), this + TimeDelta::days(40)),
        (this - TimeDelta::days(3), this - TimeDelta::days(2)),
    ] {
        let (from_text, to_text) = (from.to_string(), to.to_string());
        let of = async |key: &str, list: AllianceId| {
            counts(&app, county, json!({ key: id::encode(list) }), &from_text, &to_text).await
        };
        let mut own = Vec::new();
        for list in lists {
            own.push(of("ownAllianceId", list).await);
        }
        let sum = |places: &[usize]| -> Vec<i64> {
            (0..MEASURES.len()).map(|measure| places.iter().map(|place| own[*place][measure]).sum()).collect()
        };
        assert_eq!(of("allianceId", world.county).await, sum(&[0, 1, 2, 3, 4, 5]), "county, {from} to {to}");
        for (told, name) in set_back.iter_mut().zip(["DECLINED", "EXTENDED"]) {
            let place = MEASURES.iter().position(|known| *known == name).expect("a measure");
            *told += own.iter().map(|figures| figures[place]).sum::<i64>();
        }
        assert_eq!(of("allianceId", world.town).await, sum(&[1, 3, 4]), "town, {from} to {to}");
        assert_eq!(of("allianceId", town).await, sum(&[2, 5]), "the other town, {from} to {to}");
        // Each list for itself is what its rows say, and the whole takes as long as all of them.
        let mut all_times = Vec::new();
        for (place, list) in lists.iter().enumerate() {
            let zone =
                if *list == below[1] { chrono_tz::America::New_York } else { chrono_tz::Asia::Shanghai };
            let found = Problems::find().filter(Column::AllianceId.eq(*list)).all(&app.app.read).await;
            let today = now.with_timezone(&zone).date_naive();
            let (told, times) = recount(&found.expect("problems"), zone, today, from, to);
            let figures = &own[place];
            assert_eq!([figures[0], figures[1], figures[2], figures[5], figures[6]], told, "list {place}");
            all_times.extend(times);
        }
        all_times.sort_unstable();
        let of = json!({ "allianceId": id::encode(world.county) });
        let answer = ask(&app, county, of, &from_text, &to_text).await;
        let rank = |tenths: usize| all_times.get((all_times.len() * tenths).div_ceil(10).wrapping_sub(1));
        let expected = json!({ "count": all_times.len(), "medianSeconds": rank(5), "p90Seconds": rank(9) });
        assert_eq!(answer.at("/statistics/period/handlingTime"), &expected);
        assert_eq!(answer.at("/statistics/allianceCount"), 6);
    }
    assert!(set_back.iter().all(|told| *told > 0), "{set_back:?}");
    // Whoever does not supervise sees their own list alone.
    let of = json!({ "allianceId": id::encode(world.town) });
    let answer = ask(&app, world.staff, of, "2026-01-01", "2026-12-31").await;
    assert_eq!(answer.at("/statistics/allianceCount"), 1);
}
