//! What set problems back is told of the units whose it was, whoever is responsible since; and what a rate leaves out is counted and
//! listed like everything else.

use concord::domain::list::{
    extension,
    follow_up::{self, NewFollowUp, WhichFollowUp},
    priority_task::Edit,
    problem::{
        edit::{self, ProblemChange},
        extend, merge,
        parts::{self, WhichPart},
        round,
    },
};
use concord_entities::{follow_up::Kind as Asking, problem_setback};

use super::*;

pub(super) const JANUARY: (&str, &str) = ("2026-01-01", "2026-01-31");
const MARCH: (&str, &str) = ("2026-03-01", "2026-03-31");

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub(super) fn unit(world: &World, place: usize) -> Value {
    json!({ "organizationId": id::encode(world.members[place]) })
}

pub(super) fn town(world: &World) -> Value {
    json!({ "allianceId": id::encode(world.town) })
}

/// The numbers of the problems that a measure lists, which are as many as it counts.
pub(super) async fn listed(
    app: &TestApp,
    who: AccountId,
    of: Value,
    days: (&str, &str),
    measure: &str,
) -> Vec<String> {
    let place = MEASURES.iter().position(|known| *known == measure).expect("a measure");
    let counted = counts(app, who, of.clone(), days.0, days.1).await[place];
    let answer = rows(app, who, of.clone(), days, measure).await;
    let told = answer.at("/statistics/period/rows");
    assert_eq!(told["totalCount"], counted, "{measure} of {of}");
    let nodes = told["nodes"].as_array().expect("rows");
    assert_eq!(usize::try_from(counted), Ok(nodes.len()), "{measure} of {of}");
    nodes.iter().map(|node| node["number"].as_str().expect("a number").to_owned()).collect()
}

/// Holds what a measure lists of the town, its county and the units in order against what is expected of these.
async fn hold(app: &TestApp, world: &World, days: (&str, &str), measure: &str, units: [&[&Model]; 4]) {
    let numbers = |rows: &[&Model]| -> Vec<String> { rows.iter().map(|row| row.number.clone()).collect() };
    let mut all: Vec<String> = Vec::new();
    for (place, rows) in units.into_iter().enumerate() {
        let told = listed(app, world.observer, unit(world, place), days, measure).await;
        assert_eq!(told, numbers(rows), "{measure} of unit {place}");
        all.extend(told);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(listed(app, world.observer, town(world), days, measure).await, all, "{measure} of the town");
    let county = json!({ "allianceId": id::encode(world.county) });
    assert_eq!(listed(app, world.county_committee, county, days, measure).await, all, "{measure} above");
}

async fn assigned(app: &TestApp, world: &World, place: usize, due_on: Option<NaiveDate>) -> Model {
    let row = problem_in(app, world, State::Triaged).await;
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[place], due_on)
        .await
        .expect("assigned")
}

#[tokio::test]
async fn a_decline_is_whose_it_was() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    // Declined with another unit proposed, and given to a third.
    let whole = assigned(&app, &world, 1, None).await;
    moves::decline(&app.ctx(world.staff), which(whole.id), "不属本单位", Some(world.members[3]))
        .await
        .expect("declined");
    moves::assign(&committee, which(whole.id), world.members[2], None).await.expect("assigned");
    // A joint unit declines its part, which is taken away; whoever leads declined nothing.
    let part = problem_in(&app, &world, State::Triaged).await;
    let joint = world.members[2];
    moves::assign_jointly(&committee, which(part.id), world.members[1], &[joint], None)
        .await
        .expect("assigned");
    let of = WhichPart { problem: which(part.id), organization: joint };
    parts::decline(&app.ctx(world.other_staff), of, "不属本单位").await.expect("declined");
    parts::remove(&committee, which(part.id), joint, "另派").await.expect("removed");
    hold(&app, &world, JANUARY, "DECLINED", [&[], &[&whole], &[&part], &[]]).await;
    // Also of a team, on its own list.
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
    let of = json!({ "serviceTeamId": id::encode(team) });
    assert_eq!(listed(&app, world.observer, of, JANUARY, "DECLINED").await, [whole.number]);
    // What else that unit is asked about, it is not responsible for any more.
    let open = listed(&app, world.observer, unit(&world, 1), JANUARY, "OPEN").await;
    assert_eq!(open, [part.number]);
}

#[tokio::test]
async fn returns_and_reopenings_stay_those_of_the_round_that_they_befell() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Submitted).await;
    moves::send_back(&app.ctx(world.verifier), which(row.id), "未平整").await.expect("returned");
    show_closure(&app, &world, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(row.id), "已平整").await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(row.id)).await.expect("struck off");
    let rate = async |name: &str, place: usize, days: (&str, &str)| {
        let answer = ask(&app, world.observer, unit(&world, place), days.0, days.1).await;
        let told = answer.at(&format!("/statistics/period/{name}"));
        [told["numerator"].clone(), told["denominator"].clone()]
    };
    let january = async || {
        for measure in ["RETURNED", "JUDGED", "STRUCK_OFF"] {
            hold(&app, &world, JANUARY, measure, [&[], &[&row], &[], &[]]).await;
        }
        assert_eq!(rate("returnRate", 1, JANUARY).await, [1, 1]);
    };
    january().await;
    app.set_now(beijing("2026-03-02", 9));
    round::reopen(&app.ctx(world.committee), which(row.id), "复发").await.expect("reopened");
    january().await;
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[2], None).await.expect("assigned");
    january().await;
    // Whose closure did not hold, not who takes the next round.
    for measure in ["REOPENED", "STRUCK_OFF_OR_REOPENED"] {
        hold(&app, &world, MARCH, measure, [&[], &[&row], &[], &[]]).await;
    }
    assert_eq!(rate("reopenRate", 1, MARCH).await, [1, 1]);
    assert_eq!(rate("reopenRate", 2, MARCH).await, [0, 0]);
    hold(&app, &world, JANUARY, "REOPENED", [&[], &[], &[], &[]]).await;
}

#[tokio::test]
async fn a_breach_is_of_whoever_was_late() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let late = assigned(&app, &world, 1, Some(day("2026-01-10"))).await;
    // Nobody is made responsible in time: the committee's own, and no unit's.
    let undispatched = problem_in(&app, &world, State::Registered).await;
    app.set_now(beijing("2026-01-12", 9));
    app.run_background().await;
    moves::recall(&committee, which(late.id), "另派").await.expect("recalled");
    moves::assign(&committee, which(late.id), world.members[2], Some(day("2026-02-20")))
        .await
        .expect("assigned");
    app.run_background().await;
    let breached = async |of: Value| listed(&app, world.observer, of, JANUARY, "BREACHED").await;
    assert_eq!(breached(unit(&world, 1)).await, [late.number.as_str()]);
    for place in [0, 2, 3] {
        assert_eq!(breached(unit(&world, place)).await, Vec::<String>::new(), "unit {place}");
    }
    let all = [late.number, undispatched.number];
    assert_eq!(breached(town(&world)).await, all);
    let county = json!({ "allianceId": id::encode(world.county) });
    assert_eq!(listed(&app, world.county_committee, county, JANUARY, "BREACHED").await, all);
}

#[tokio::test]
async fn more_time_counts_however_it_was_given() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let (soon, later) = (day("2026-01-20"), day("2026-01-30"));
    let update = async |row: &Model, change: ProblemChange| {
        let version = problem::find(&app.system(), row.id).await.expect("a read").expect("a row").version;
        edit::update(&committee, row.id, version, change).await.expect("edited");
    };
    let due = |due_on| ProblemChange { due_on, ..ProblemChange::default() };
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(assigned(&app, &world, 1, Some(soon)).await);
    }
    let [asked, by_hand, moved, taken_away, sooner, refused] = &<[Model; 6]>::try_from(all).expect("six");
    let wish = async |row: &Model| {
        extension::request(&app.ctx(world.staff), row.id, later, "材料未到").await.expect("asked").id
    };
    let (granted, other) = (wish(asked).await, wish(refused).await);
    extension::grant(&committee, granted, None, None, None).await.expect("granted");
    extension::refuse(&committee, other, "不予延期", None).await.expect("refused");
    let extended = extend::extend(&committee, which(by_hand.id), day("2026-01-25"), "材料未到").await;
    extended.expect("extended");
    extend::extend(&committee, which(by_hand.id), later, "材料未到").await.expect("extended again");
    update(moved, due(Edit::To(later))).await;
    update(taken_away, due(Edit::Clear)).await;
    update(sooner, due(Edit::To(day("2026-01-15")))).await;
    // Less urgent, and due later by the limit: judged anew. With a day besides: given more time.
    let mut urgent = Vec::new();
    for _ in 0..2 {
        let new = NewProblem { severity: Severity::LifeSafety, ..pothole(&world) };
        let row = problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
        moves::triage(&committee, which(row.id), triage()).await.expect("triaged");
        urgent
            .push(moves::assign(&committee, which(row.id), world.members[1], None).await.expect("assigned"));
    }
    let calm = ProblemChange { severity: Some(Severity::Ordinary), ..ProblemChange::default() };
    update(&urgent[0], calm.clone()).await;
    update(&urgent[1], ProblemChange { due_on: Edit::To(later), ..calm }).await;
    // A joint unit that is due on the same day is given as much; the problem counts once.
    let shared = problem_in(&app, &world, State::Triaged).await;
    let units = [world.members[1], world.members[2]];
    moves::assign_jointly(&committee, which(shared.id), units[0], &units[1..], Some(soon))
        .await
        .expect("assigned");
    extend::extend(&committee, which(shared.id), later, "材料未到").await.expect("extended");
    // Others are responsible since.
    moves::recall(&committee, which(by_hand.id), "另派").await.expect("recalled");
    moves::assign(&committee, which(by_hand.id), world.members[3], None).await.expect("assigned");
    let expected = [asked, by_hand, moved, taken_away, &urgent[1], &shared];
    hold(&app, &world, JANUARY, "EXTENDED", [&[], &expected, &[&shared], &[]]).await;
    let answer = app
        .client(world.observer)
        .send(
            "query($input: StatisticsInput!) { statistics(input: $input) { period { extended } } }",
            input(town(&world), JANUARY.0, JANUARY.1),
        )
        .await;
    assert_eq!(answer.at("/statistics/period/extended"), 6);
    // In another month nothing was.
    hold(&app, &world, MARCH, "EXTENDED", [&[], &[], &[], &[]]).await;
}

#[tokio::test]
async fn what_was_merged_is_counted_and_listed() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let goes_on = problem_in(&app, &world, State::Registered).await;
    let duplicate = problem_in(&app, &world, State::Registered).await;
    let merged = merge::merge(&app.ctx(world.committee), which(duplicate.id), goes_on.id, "重复").await;
    merged.expect("merged");
    for of in [town(&world), json!({ "ownAllianceId": id::encode(world.town) })] {
        assert_eq!(
            listed(&app, world.observer, of.clone(), JANUARY, "MERGED").await,
            [duplicate.number.as_str()]
        );
        let answer = ask(&app, world.observer, of, JANUARY.0, JANUARY.1).await;
        let rate = answer.at("/statistics/period/closureRate");
        let excluded = json!({ "measure": "MERGED", "count": 1 });
        assert_eq!((&rate["denominator"], &rate["excluded"][2]), (&json!(1), &excluded));
    }
}

#[tokio::test]
async fn a_setback_is_noted_once_for_each_of_its_units() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let subject = ("problem", problem_in(&app, &world, State::Registered).await.id.into());
    let noted = async || {
        let rows = problem_setback::Entity::find().all(&app.app.read).await.expect("setbacks");
        rows.len()
    };
    let two = &world.members[1..3];
    write_event(&app, world.town, "problem_returned", subject, two, None).await;
    assert_eq!(noted().await, 2);
    // The payload that names the unit is gone: the first of a whole, the last of a part.
    write_event(&app, world.town, "problem_declined", subject, two, None).await;
    write_event(&app, world.town, "problem_part_declined", subject, two, None).await;
    assert_eq!(noted().await, 4);
    hold_declined(&app, &world).await;
    // What concerns no unit, or tells of something else, is noted of none.
    write_event(&app, world.town, "problem_returned", subject, &[], None).await;
    write_event(&app, world.town, "problem_declined", subject, &[], None).await;
    write_event(&app, world.town, "problem_updated", subject, two, None).await;
    write_event(&app, world.town, "problem_accepted", subject, two, None).await;
    assert_eq!(noted().await, 4);
}

async fn hold_declined(app: &TestApp, world: &World) {
    for (place, count) in [(1, 1), (2, 1), (3, 0)] {
        let told = listed(app, world.observer, unit(world, place), JANUARY, "DECLINED").await;
        assert_eq!(told.len(), count, "unit {place}");
    }
}

#[tokio::test]
async fn reporters_who_were_not_reached_or_not_asked_are_left_out_and_listed() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let verifier = app.ctx(world.verifier);
    // One reporter answers, one is not reached three times, one is never asked; all three problems are closed.
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(problem_in(&app, &world, State::StruckOff).await);
    }
    let [answered, unreached, unasked] = &<[Model; 3]>::try_from(all).expect("three");
    let request = async |row: &Model| {
        let wants = NewFollowUp {
            problem: which(row.id),
            reporter_problem_id: None,
            kind: Asking::default(),
            due_on: None,
        };
        let due = follow_up::request(&app.ctx(world.committee), wants).await.expect("due");
        WhichFollowUp { id: due.id, expected_version: None }
    };
    let (good, silent) = (request(answered).await, request(unreached).await);
    let answer = follow_up::Answer {
        solved: concord_entities::follow_up::Solved::Yes,
        satisfied: true,
        words: None,
        note: None,
    };
    follow_up::record_answer(&verifier, good, answer).await.expect("answered");
    for hours in [1, 24, 24] {
        app.advance(TimeDelta::hours(hours));
        follow_up::record_try(&app.ctx(world.verifier), silent, None).await.expect("tried");
    }
    let figures = async |of: Value, who: AccountId, name: &str| {
        let query = format!(
            "query($input: StatisticsInput!) {{ statistics(input: $input) {{ period {{ {name} {{
                numerator denominator excluded {{ measure count }} }} }} }} }}"
        );
        let answer = app.client(who).send(&query, input(of, JANUARY.0, JANUARY.1)).await;
        answer.at(&format!("/statistics/period/{name}")).clone()
    };
    let expected = json!({ "numerator": 1, "denominator": 1, "excluded": [
        { "measure": "UNREACHABLE", "count": 1 }, { "measure": "CLOSED_UNASKED", "count": 1 },
        { "measure": "EXCLUDED", "count": 0 }] });
    let county = json!({ "allianceId": id::encode(world.county) });
    for (of, who) in
        [(town(&world), world.observer), (unit(&world, 1), world.observer), (county, world.county_committee)]
    {
        for rate in ["resolutionRate", "satisfactionRate"] {
            assert_eq!(figures(of.clone(), who, rate).await, expected, "{rate} of {of}");
        }
        for (measure, row) in [
            ("ANSWERED", answered),
            ("RESOLVED", answered),
            ("SATISFIED", answered),
            ("UNREACHABLE", unreached),
            ("CLOSED_UNASKED", unasked),
        ] {
            assert_eq!(listed(&app, who, of.clone(), JANUARY, measure).await, [row.number.as_str()]);
        }
    }
    // Whoever was not asked about a round that was struck off was not, however the problem goes on.
    app.set_now(beijing("2026-03-02", 9));
    round::reopen(&app.ctx(world.committee), which(unasked.id), "复发").await.expect("reopened");
    moves::assign(&app.ctx(world.committee), which(unasked.id), world.members[2], None)
        .await
        .expect("assigned");
    hold(&app, &world, JANUARY, "CLOSED_UNASKED", [&[], &[unasked], &[], &[]]).await;
}
