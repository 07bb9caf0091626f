//! Whoever locks several rows does so in one order: verbs that hold more than one problem, and hands that hold many, run at once
//! and wait for each other, never in a circle. On PostgreSQL a circle ends as `UNAVAILABLE` for one of them and is counted.

use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};
use concord::domain::{
    Ctx, Error, Result,
    governance::alliance::{self, AllianceChange},
    list::{
        cascade::{self, NewPart},
        problem::{
            self, escalation, merge, moves, reporter, round,
            take_over::{Destination, Origin, SourceProblem},
        },
        recount, supervision,
    },
};
use concord_entities::{
    id::{AllianceId, PriorityTaskId, ProblemId},
    organization::Kind,
    problem::{Channel, Column, Entity, Model, Severity, State, Tier},
};
use concord_tests::{TestApp, World, database};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, ConnectionTrait, Database, DbBackend, EntityTrait, QueryFilter, Statement};
use tokio::task::JoinHandle;

use crate::{
    cascade::{county, task_under},
    problem::{pothole, problem_in, which},
};

/// How often each circle is tried.
const ROUNDS: usize = 6;

/// Runs a verb beside others; what it comes to is told by its code.
fn run<T: Send + 'static>(
    verb: impl Future<Output = Result<T>> + Send + 'static,
) -> JoinHandle<Option<&'static str>> {
    tokio::spawn(async move { verb.await.err().map(|error: Error| error.code().text()) })
}

/// Waits for all; a refusal by the rules is an answer, a lost fight for rows is none.
async fn none_lost(what: &str, all: Vec<JoinHandle<Option<&'static str>>>) -> usize {
    let mut done = 0;
    for code in join_all(all).await {
        match code.expect("the verb comes to an end") {
            None => done += 1,
            Some(code) => {
                assert!(!["UNAVAILABLE", "INTERNAL", "OUTCOME_UNKNOWN"].contains(&code), "{what}: {code}")
            }
        }
    }
    done
}

async fn registered(app: &TestApp, world: &World) -> ProblemId {
    problem::register(&app.ctx(world.grid_officer), pothole(world)).await.expect("registered").id
}

/// Closes the app and asks the server how many circles it had to break in its database.
async fn assert_no_deadlock(app: TestApp) {
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    let Some(server) = database::postgres().filter(|_| app.app.backend() == DbBackend::Postgres) else {
        return;
    };
    let name = "SELECT current_database()::text AS name";
    let name = app.app.write.query_one_raw(Statement::from_string(DbBackend::Postgres, name)).await;
    let name: String = name.expect("an answer").expect("a row").try_get("", "name").expect("a name");
    // Sessions hand in their figures when they end.
    let home = app.close().await;
    let admin = Database::connect(server).await.expect("PostgreSQL answers");
    let text = format!("SELECT numbackends, deadlocks FROM pg_stat_database WHERE datname = '{name}'");
    loop {
        let row = admin.query_one_raw(Statement::from_string(DbBackend::Postgres, text.clone())).await;
        let row = row.expect("an answer").expect("a row");
        if row.try_get::<i32>("", "numbackends").expect("a number") == 0 {
            assert_eq!(row.try_get::<i64>("", "deadlocks").expect("a number"), 0);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(home);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merging_in_a_ring_beside_submissions_and_hands_loses_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let change = AllianceChange { follow_up_on_submission: Some(true), ..AllianceChange::default() };
    alliance::update(&app.ctx(world.committee), world.town, 1, change).await.expect("a policy");
    let committee = || app.ctx(world.committee);
    let mut merged = 0;
    for _ in 0..ROUNDS {
        let mut ring = Vec::new();
        for _ in 0..3 {
            let one = problem_in(&app, &world, State::InProgress).await.id;
            crate::problem::show_closure(&app, &world, one).await;
            for _ in 0..2 {
                let duplicate = registered(&app, &world).await;
                merge::merge(&committee(), which(duplicate), one, "重复").await.expect("merged");
            }
            ring.push(one);
        }
        app.advance(TimeDelta::days(8));
        let mut all = Vec::new();
        for (at, one) in ring.iter().copied().enumerate() {
            let (ctx, next, last) = (committee(), ring[(at + 1) % 3], ring[(at + 2) % 3]);
            all.push(run(async move { merge::merge(&ctx, which(one), next, "重复").await }));
            let ctx = committee();
            all.push(run(async move { merge::merge(&ctx, which(one), last, "重复").await }));
            let ctx = app.ctx(world.staff);
            all.push(run(async move { moves::submit(&ctx, which(one)).await }));
            let ctx = app.system();
            all.push(run(async move { supervision::watch(&ctx).await }));
        }
        merged += none_lost("a ring", all).await;
    }
    assert!(merged >= ROUNDS * 3, "{merged}");
    assert_no_deadlock(app).await;
}

/// The problem as which another was taken up above.
async fn above(app: &TestApp, of: ProblemId) -> ProblemId {
    use concord_entities::escalation::{Column, Entity as Link};
    let link = Link::find().filter(Column::ProblemId.eq(of)).one(&app.app.read).await;
    link.expect("a read").expect("a link").parent_problem_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_of_escalations_move_at_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [town, county] = [world.committee, world.county_committee];
    for _ in 0..ROUNDS {
        let mut pairs = Vec::new();
        for _ in 0..4 {
            let below = problem_in(&app, &world, State::Triaged).await.id;
            escalation::escalate(&app.ctx(town), which(below), "超出权限").await.expect("escalated");
            pairs.push((below, above(&app, below).await));
        }
        app.advance(TimeDelta::days(2));
        let mut all = Vec::new();
        for (below, up) in pairs {
            let ctx = app.ctx(town);
            all.push(run(async move { escalation::recall(&ctx, which(below), "自行解决").await }));
            let ctx = app.ctx(county);
            all.push(run(async move { escalation::hand_back(&ctx, which(up), "属镇级事权").await }));
            let ctx = app.ctx(town);
            all.push(run(async move { reporter::erase(&ctx, which(below), "本人要求").await }));
            let ctx = app.ctx(town);
            let other = problem_in(&app, &world, State::Triaged).await.id;
            all.push(run(async move { escalation::escalate(&ctx, which(other), "超出权限").await }));
            let ctx = app.system();
            all.push(run(async move { supervision::watch(&ctx).await }));
            let ctx = app.system();
            all.push(run(async move { concord::domain::list::counts::settle(&ctx).await }));
        }
        none_lost("escalations", all).await;
    }
    assert_no_deadlock(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_waited_for_two_problems_finds_both_as_they_are_by_then() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for _ in 0..ROUNDS {
        let below = problem_in(&app, &world, State::Triaged).await.id;
        escalation::escalate(&app.ctx(world.committee), which(below), "超出权限").await.expect("escalated");
        let up = above(&app, below).await;
        let all = (0..6).map(|_| {
            let ctx = app.ctx(world.county_committee);
            run(async move { escalation::hand_back(&ctx, which(up), "属镇级事权").await })
        });
        let mut codes: Vec<_> = join_all(all).await.into_iter().map(|code| code.expect("an end")).collect();
        codes.sort_unstable();
        assert_eq!((codes[0], codes[1]), (None, Some("STATE_REFUSED")), "{codes:?}");
        assert!(codes[1..].iter().all(|code| *code == codes[1]), "{codes:?}");
    }
    assert_no_deadlock(app).await;
}

fn source(key: String, closed_at: Option<DateTime<Utc>>) -> SourceProblem {
    SourceProblem {
        line: 1,
        key,
        title: "噪音".to_owned(),
        description: "夜间施工".to_owned(),
        category: "噪音".to_owned(),
        place: None,
        channel: Channel::Import,
        severity: Severity::Ordinary,
        organization: None,
        organization_short_name: None,
        occurred_at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
        is_closed: closed_at.is_some(),
        closed_at,
    }
}

async fn import(ctx: Ctx, alliance: AllianceId, rows: Vec<SourceProblem>) -> Result<u64> {
    let origin = Origin { source: "12345".to_owned(), organization_kind: Kind::GovernmentUnit };
    let mut to = Destination::open(&ctx, alliance, origin, false).await?;
    Ok(to.take(rows).await?.closed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_that_close_many_run_beside_hands_and_merges() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for turn in 0..ROUNDS {
        let key = |number: usize| format!("{turn}-{number}");
        let open = (0..12).map(|number| source(key(number), None)).collect();
        import(app.system(), world.town, open).await.expect("imported");
        let kept: Vec<Model> = Entity::find()
            .filter(Column::State.eq(State::Registered))
            .all(&app.app.read)
            .await
            .expect("a read");
        app.advance(TimeDelta::days(2));
        let closed = Some(app.app.now());
        let mut all = Vec::new();
        for back in [false, true] {
            let mut rows: Vec<_> = (0..12).map(|number| source(key(number), closed)).collect();
            if back {
                rows.reverse();
            }
            let (ctx, town) = (app.system(), world.town);
            all.push(run(async move { import(ctx, town, rows).await }));
        }
        for pair in kept.windows(2).take(6) {
            let (ctx, [one, other]) = (app.ctx(world.committee), [pair[0].id, pair[1].id]);
            all.push(run(async move { merge::merge(&ctx, which(one), other, "重复").await }));
            let ctx = app.system();
            all.push(run(async move { supervision::watch(&ctx).await }));
        }
        none_lost("imports", all).await;
    }
    assert_no_deadlock(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cascades_in_opposite_orders_run_beside_escalations() {
    let app = TestApp::new().await;
    let county = county(&app).await;
    let world = &county.world;
    for _ in 0..ROUNDS {
        let mut all = Vec::new();
        for back in [false, true] {
            let task: PriorityTaskId = task_under(&app, &county).await;
            let mut lists = vec![world.town, county.second, county.communities[0], county.communities[1]];
            if back {
                lists.reverse();
            }
            let parts = lists.into_iter().map(|alliance_id| NewPart {
                alliance_id,
                weight: 1,
                title: None,
                due_on: None,
                lead_organization_id: Some(county.unit).filter(|_| alliance_id != world.town),
            });
            let (ctx, parts) = (app.ctx(world.county_committee), parts.collect());
            all.push(run(async move { cascade::decompose(&ctx, task, None, parts).await }));
        }
        for _ in 0..4 {
            let below = problem_in(&app, world, State::Triaged).await.id;
            let ctx = app.ctx(world.committee);
            all.push(run(async move { escalation::escalate(&ctx, which(below), "超出权限").await }));
        }
        let ctx = app.system();
        all.push(run(async move { concord::domain::list::counts::settle(&ctx).await }));
        assert!(none_lost("cascades", all).await >= 6);
        app.advance(TimeDelta::days(1));
    }
    assert_no_deadlock(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_struck_off_above_comes_back_while_the_town_works_on() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let people = crate::escalation::County::build(&app, &world).await;
    for _ in 0..2 {
        let below = problem_in(&app, &world, State::Triaged).await.id;
        escalation::escalate(&app.ctx(world.committee), which(below), "超出权限").await.expect("escalated");
        let up = above(&app, below).await;
        people.verified(&app, &world, up).await;
        let ctx = app.ctx(people.approver);
        let mut all = vec![run(async move { moves::strike_off(&ctx, which(up)).await })];
        let ctx = app.ctx(world.committee);
        all.push(run(async move { reporter::erase(&ctx, which(below), "本人要求").await }));
        let triage = moves::Triage {
            tier: Tier::Hard,
            measures: "重铺".to_owned(),
            criterion: "通车".to_owned(),
            is_complex: false,
        };
        let ctx = app.ctx(world.committee);
        all.push(run(async move { moves::triage(&ctx, which(below), triage).await }));
        let ctx = app.ctx(world.committee);
        all.push(run(async move { round::reopen(&ctx, which(below), "复发").await }));
        none_lost("a strike-off above", all).await;
        let back = problem::find(&app.system(), below).await.expect("a read").expect("a problem");
        assert_eq!(back.state, State::Triaged);
    }
    assert_no_deadlock(app).await;
}
