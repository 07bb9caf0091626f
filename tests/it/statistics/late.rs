//! What was late stays late, whatever its date is moved to; and nothing is late by a date that nobody knows yet.

use concord::domain::{
    calendar::days::{NewDay, import_year},
    list::{
        counts, extension,
        problem::{
            edit::{self, ProblemChange},
            extend,
            on_account::{self, NewHold},
            round, tiers,
        },
        recount,
    },
};
use concord_entities::calendar_day::Kind;

use super::*;

const JANUARY: (&str, &str) = ("2026-01-01", "2026-01-31");

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Numerator and denominator of the on-time rate, with the figures behind it, which are as many as the rows that each lists.
async fn on_time(app: &TestApp, who: AccountId, of: &Value, days: (&str, &str)) -> [i64; 2] {
    let counted = counts(app, who, of.clone(), days.0, days.1).await;
    for measure in ["CLOSED_ON_TIME", "DUE", "CLOSED_WITHOUT_DUE_DATE", "OVERDUE", "BREACHED"] {
        let listed = rows(app, who, of.clone(), days, measure).await;
        let told = listed.at("/statistics/period/rows");
        if let Some(place) = MEASURES.iter().position(|known| *known == measure) {
            assert_eq!(told["totalCount"], counted[place], "{measure}");
        }
        assert_eq!(
            told["nodes"].as_array().map(Vec::len),
            told["totalCount"].as_u64().and_then(|count| usize::try_from(count).ok())
        );
    }
    let answer = ask(app, who, of.clone(), days.0, days.1).await;
    let rate = answer.at("/statistics/period/onTimeRate");
    [&rate["numerator"], &rate["denominator"]].map(|part| part.as_i64().expect("a number"))
}

/// Problems assigned to `members[1]`, due on the 10th, in the state to which work has brought them.
async fn due_soon(app: &TestApp, world: &World) -> ProblemId {
    let row = problem_in(app, world, State::Triaged).await;
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[1], Some(day("2026-01-10")))
        .await
        .expect("assigned");
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
    moves::start(&app.ctx(world.staff), which(row.id), None).await.expect("started");
    row.id
}

async fn close(app: &TestApp, world: &World, id: ProblemId) {
    show_closure(app, world, id).await;
    moves::submit(&app.ctx(world.staff), which(id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(id), "已平整").await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off");
}

#[tokio::test]
async fn what_was_late_stays_late_when_its_date_moves() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let [extended, asked, edited, retiered, recalled, good] = {
        let mut all = Vec::new();
        for _ in 0..6 {
            all.push(due_soon(&app, &world).await);
        }
        <[ProblemId; 6]>::try_from(all).expect("six")
    };
    let town = json!({ "allianceId": id::encode(world.town) });
    let unit = json!({ "organizationId": id::encode(world.members[1]) });
    let county = json!({ "allianceId": id::encode(world.county) });
    close(&app, &world, good).await;
    // One asks for more time before its date, and is answered after it.
    let wish =
        extension::request(&app.ctx(world.staff), asked, day("2026-01-30"), "材料未到").await.expect("asked");
    app.set_now(beijing("2026-01-12", 9));
    assert_eq!(on_time(&app, world.observer, &town, JANUARY).await, [1, 6]);
    // One of them moves before anybody has looked at what passed; the others after.
    let later = day("2026-01-30");
    extend::extend(&committee, which(extended), later, "材料未到").await.expect("extended");
    app.run_background().await;
    extension::grant(&committee, wish.id, None, None, None).await.expect("granted");
    let version = async |id| problem::find(&app.system(), id).await.expect("a read").expect("a row").version;
    let change = ProblemChange {
        due_on: concord::domain::list::priority_task::Edit::To(later),
        ..ProblemChange::default()
    };
    edit::update(&committee, edited, version(edited).await, change).await.expect("edited");
    let why = tiers::Settled { reason: Some("需议事".to_owned()), ..tiers::Settled::default() };
    tiers::move_tier(&committee, which(retiered), Tier::Hard, why).await.expect("moved");
    moves::recall(&committee, which(recalled), "另派").await.expect("recalled");
    moves::assign(&committee, which(recalled), world.members[2], Some(later)).await.expect("assigned");
    app.run_background().await;
    // None is overdue by date but the one of another tier, whose day a person set; none has left the rate.
    for (who, of) in [(world.observer, &town), (world.county_committee, &county)] {
        assert_eq!(on_time(&app, who, of, JANUARY).await, [1, 6]);
    }
    // Whoever took over was not late themselves; whoever was is asked about what is theirs now.
    let other = json!({ "organizationId": id::encode(world.members[2]) });
    assert_eq!(on_time(&app, world.observer, &other, JANUARY).await, [0, 0]);
    assert_eq!(on_time(&app, world.observer, &unit, JANUARY).await, [1, 5]);
    // Closed by the new date, they were late all the same.
    app.set_now(beijing("2026-01-20", 9));
    for id in [extended, asked, edited] {
        close(&app, &world, id).await;
    }
    app.run_background().await;
    assert_eq!(on_time(&app, world.observer, &town, JANUARY).await, [1, 6]);
    assert_eq!(on_time(&app, world.observer, &unit, JANUARY).await, [1, 5]);
    // A new round begins anew: what was late was the round before.
    round::reopen(&committee, which(extended), "复发").await.expect("reopened");
    moves::assign(&committee, which(extended), world.members[1], Some(day("2026-02-20")))
        .await
        .expect("assigned");
    app.set_now(beijing("2026-02-10", 9));
    assert_eq!(on_time(&app, world.observer, &town, JANUARY).await, [1, 6]);
    let february = ("2026-02-01", "2026-02-28");
    // The two that are open still.
    let [closed_on_time, due] = on_time(&app, world.observer, &town, february).await;
    assert_eq!((closed_on_time, due), (0, 2));
}

#[tokio::test]
async fn what_had_passed_before_it_was_held_stays_passed() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let id = due_soon(&app, &world).await;
    app.set_now(beijing("2026-01-12", 9));
    // Before anybody has looked at it.
    let hold =
        NewHold { reason: "待雨季后".to_owned(), organization_id: None, review_on: day("2026-03-01") };
    on_account::hold(&committee, which(id), hold).await.expect("held");
    app.set_now(beijing("2026-01-25", 9));
    on_account::resume(&committee, which(id)).await.expect("resumed");
    app.run_background().await;
    let town = json!({ "allianceId": id::encode(world.town) });
    assert_eq!(on_time(&app, world.observer, &town, JANUARY).await, [0, 1]);
    close(&app, &world, id).await;
    assert_eq!(on_time(&app, world.observer, &town, JANUARY).await, [0, 1]);
}

/// The numbers of those that each face tells as overdue, which are the same everywhere: by field, by filter and its opposite, by days,
/// by facet, by the dashboard, and by figures with their rows.
async fn overdue(app: &TestApp, world: &World) -> Vec<String> {
    let query = "query($town: ID!) { all: problems(first: 10) { nodes { number isOverdue } }
        late: problems(filter: { overdue: true }, first: 10) { totalCount nodes { number } facets { categories { count } } }
        others: problems(filter: { overdue: false }, first: 10) { totalCount nodes { number } }
        long: problems(filter: { overdueByDays: 1 }, first: 10) { nodes { number } facets { severities { count } } }
        alliance(id: $town) { problemCounts { total overdue } } }";
    let told = app.client(world.observer).send(query, json!({ "town": id::encode(world.town) })).await.fine();
    let numbers = |nodes: &Value, is_asked: &dyn Fn(&Value) -> bool| -> Vec<String> {
        let nodes = nodes.as_array().expect("nodes");
        let mut numbers: Vec<_> = nodes
            .iter()
            .filter(|node| is_asked(node))
            .map(|node| node["number"].as_str().expect("a number").to_owned())
            .collect();
        numbers.sort();
        numbers
    };
    let any = |_: &Value| true;
    let late = numbers(told.at("/all/nodes"), &|node| node["isOverdue"] == true);
    let others = numbers(told.at("/all/nodes"), &|node| node["isOverdue"] == false);
    assert_eq!(numbers(told.at("/late/nodes"), &any), late, "by filter");
    assert_eq!(numbers(told.at("/others/nodes"), &any), others, "by the opposite filter");
    assert_eq!(numbers(told.at("/long/nodes"), &any), late, "by days");
    assert_eq!(told.at("/late/totalCount"), late.len());
    assert_eq!(told.at("/others/totalCount"), others.len());
    for facet in ["/late/facets/categories/0/count", "/long/facets/severities/0/count"] {
        assert!(late.is_empty() || told.at(facet) == late.len(), "{facet}");
    }
    assert_eq!(told.at("/alliance/problemCounts/overdue"), late.len());
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    let town = json!({ "allianceId": id::encode(world.town) });
    on_time(app, world.observer, &town, JANUARY).await;
    let listed = rows(app, world.observer, town, JANUARY, "OVERDUE").await;
    assert_eq!(numbers(listed.at("/statistics/period/rows/nodes"), &any), late, "by figures");
    late
}

#[tokio::test]
async fn what_rests_in_time_is_overdue_only_once_it_comes_back() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, staff, verifier) =
        (app.ctx(world.committee), app.ctx(world.staff), app.ctx(world.verifier));
    let mut all = Vec::new();
    for _ in 0..6 {
        let row = due_soon(&app, &world).await;
        all.push((row, problem::find(&app.system(), row).await.expect("a read").expect("a row").number));
    }
    let number = |places: &[usize]| places.iter().map(|place| all[*place].1.clone()).collect::<Vec<_>>();
    let [held, waiting, returned, held_late, handed_in_late, slow] =
        std::array::from_fn(|place| all[place].0);
    let hold =
        || NewHold { reason: "待雨季后".to_owned(), organization_id: None, review_on: day("2026-03-01") };
    let submit = async |id| {
        show_closure(&app, &world, id).await;
        moves::submit(&staff, which(id)).await.expect("submitted");
    };
    let verify = async |id| moves::verify(&verifier, which(id), "已平整").await.expect("verified");
    let seen = async || overdue(&app, &world).await;
    // The last hour of the due day.
    app.set_now(beijing("2026-01-10", 23));
    on_account::hold(&committee, which(held), hold()).await.expect("held");
    for id in [waiting, returned, slow] {
        submit(id).await;
    }
    assert_eq!(seen().await, number(&[]));
    app.set_now(beijing("2026-01-12", 9));
    assert_eq!(seen().await, number(&[3, 4]));
    // What was late is so still, whoever has it now.
    on_account::hold(&committee, which(held_late), hold()).await.expect("held");
    submit(handed_in_late).await;
    for id in [waiting, handed_in_late, slow] {
        verify(id).await;
    }
    assert_eq!(seen().await, number(&[3, 4]));
    counts::settle(&app.system()).await.expect("settled");
    assert_eq!(seen().await, number(&[3, 4]));
    // Another tier makes no work of it.
    let why = || tiers::Settled { reason: Some("需议事".to_owned()), ..tiers::Settled::default() };
    for id in [held, held_late] {
        tiers::move_tier(&committee, which(id), Tier::Hard, why()).await.expect("moved");
    }
    assert_eq!(seen().await, number(&[3, 4]));
    moves::send_back(&verifier, which(returned), "未平整").await.expect("returned");
    assert_eq!(seen().await, number(&[2, 3, 4]));
    for id in [waiting, handed_in_late] {
        moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off");
    }
    assert_eq!(seen().await, number(&[2, 3]));
    // What was handed in by its date was closed on time, though it was struck off after it.
    let town = json!({ "allianceId": id::encode(world.town) });
    assert_eq!(on_time(&app, world.observer, &town, JANUARY).await, [1, 4]);
    // Handed in again after its day, it is late.
    submit(returned).await;
    assert_eq!(seen().await, number(&[2, 3]));
    // The time that it was held is added to its date.
    app.set_now(beijing("2026-01-20", 9));
    on_account::resume(&committee, which(held)).await.expect("resumed");
    assert_eq!(seen().await, number(&[2, 3]));
    app.set_now(beijing("2026-01-21", 9));
    assert_eq!(seen().await, number(&[0, 2, 3]));
    // With more time, what waits had been handed in by its date.
    extend::extend(&committee, which(held_late), day("2026-01-25"), "材料未到").await.expect("extended");
    app.set_now(beijing("2026-01-28", 9));
    assert_eq!(seen().await, number(&[0, 2]));
    // A new round begins at work.
    round::reopen(&committee, which(waiting), "复发").await.expect("reopened");
    moves::assign(&committee, which(waiting), world.members[1], Some(day("2026-01-29")))
        .await
        .expect("assigned");
    app.set_now(beijing("2026-01-30", 9));
    assert_eq!(seen().await, number(&[0, 1, 2]));
    moves::recall(&committee, which(waiting), "另派").await.expect("recalled");
    // What was struck off since rested in time at the end of January all the same.
    app.set_now(beijing("2026-02-03", 9));
    moves::strike_off(&app.ctx(world.approver), which(slow)).await.expect("struck off");
    assert_eq!(seen().await, number(&[0, 2]));
    // So does the round that another followed, and whatever is struck off later.
    for days in [JANUARY, ("2026-02-01", "2026-02-28")] {
        assert_eq!(on_time(&app, world.observer, &town, days).await[0], 1, "{days:?}");
    }
}

#[tokio::test]
async fn a_breach_belongs_to_when_it_was_due() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    due_soon(&app, &world).await;
    // Nobody looked until February.
    app.set_now(beijing("2026-02-05", 9));
    app.run_background().await;
    let town = json!({ "allianceId": id::encode(world.town) });
    let breached = async |days: (&str, &str)| {
        let query = "query($input: StatisticsInput!) { statistics(input: $input) { period { breached } } }";
        let answer = app.client(world.observer).send(query, input(town.clone(), days.0, days.1)).await;
        let listed = rows(&app, world.observer, town.clone(), days, "BREACHED").await;
        let count = answer.at("/statistics/period/breached").clone();
        assert_eq!(listed.at("/statistics/period/rows/totalCount"), &count);
        count
    };
    assert_eq!(breached(JANUARY).await, 1);
    assert_eq!(breached(("2026-01-10", "2026-01-10")).await, 1);
    assert_eq!(breached(("2026-01-11", "2026-02-28")).await, 0);
}

#[tokio::test]
async fn nothing_is_overdue_by_a_date_that_is_not_firm() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let policy = "mutation($input: SetDeadlinePolicyInput!) { setDeadlinePolicy(input: $input) { userErrors { code } } }";
    let rules = json!([{ "clock": "RESOLUTION", "amount": 5, "unit": "WORKING_DAYS" }]);
    let of = json!({ "input": { "allianceId": id::encode(world.town), "rules": rules } });
    app.client(world.committee).send(policy, of).await.fine();
    app.set_now(beijing("2026-12-28", 10));
    let row = problem_in(&app, &world, State::InProgress).await;
    let closed = problem_in(&app, &world, State::InProgress).await;
    let town = json!({ "allianceId": id::encode(world.town) });
    let seen = async || {
        let query = "query($id: ID!, $town: ID!) { problem(id: $id) { dueOn dueIsProvisional isOverdue }
            alliance(id: $town) { problemCounts { overdue } }
            late: problems(filter: { overdue: true }) { totalCount }
            others: problems(filter: { overdue: false }) { totalCount }
            long: problems(filter: { overdueByDays: 1 }) { totalCount } }";
        let ask = json!({ "id": id::encode(row.id), "town": id::encode(world.town) });
        let told = app.client(world.observer).send(query, ask).await.fine();
        let answer = ask_january(&app, &world, &town).await;
        assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
        json!([
            told.at("/problem/dueIsProvisional"),
            told.at("/problem/isOverdue"),
            told.at("/alliance/problemCounts/overdue"),
            told.at("/late/totalCount"),
            told.at("/others/totalCount"),
            told.at("/long/totalCount"),
            answer[0],
            answer[1],
            answer[2],
        ])
    };
    // Computed Monday to Friday: the 4th of January.
    app.set_now(beijing("2027-01-08", 10));
    close(&app, &world, closed.id).await;
    app.run_background().await;
    counts::settle(&app.system()).await.expect("settled");
    assert_eq!(seen().await, json!([true, false, 0, 0, 2, 0, 0, 0, 1]));
    // Once the year is published it is the 5th, which has passed.
    let off =
        |day: &str| NewDay { on: day.parse().expect("a day"), kind: Kind::Off, name: "假日".to_owned() };
    let days = ["2027-01-01", "2027-02-05", "2027-02-06", "2027-05-01", "2027-10-01"].map(off).to_vec();
    import_year(&app.system(), None, 2027, days).await.expect("a year");
    app.run_background().await;
    counts::settle(&app.system()).await.expect("settled");
    assert_eq!(seen().await, json!([false, true, 1, 1, 1, 1, 1, 2, 0]));
}

/// Overdue, and the on-time rate's denominator and what it leaves out for want of a date, of January 2027.
async fn ask_january(app: &TestApp, world: &World, town: &Value) -> [Value; 3] {
    let days = ("2027-01-01", "2027-01-31");
    on_time(app, world.observer, town, days).await;
    let answer = ask(app, world.observer, town.clone(), days.0, days.1).await;
    let told = answer.at("/statistics/period");
    let rate = &told["onTimeRate"];
    [told["overdue"].clone(), rate["denominator"].clone(), rate["excluded"][0]["count"].clone()]
}
