//! Rounds that ended: their joint units count in the figures and are bound like the leading one; and the months of the dashboard
//! say of rounds what the figures of the same month say.

use chrono::{NaiveDate, TimeDelta};
use concord::domain::{
    identity::seat::{self, NewSeat},
    list::{
        counts,
        follow_up::{self, NewFollowUp},
        problem::{
            moves,
            parts::{self, WhichPart},
            round,
        },
        recount,
        statistics::{self, Measure, Of, Period},
    },
};
use concord_entities::{
    follow_up::Kind,
    id::{OrganizationId, ProblemId},
    problem::State,
    seat::Role,
};
use concord_tests::{TestApp, World};

use crate::{
    problem::{count, problem_in, show_closure, which},
    problem_part::bring,
    problem_round::finish,
    whistle::person,
};

fn month(on: NaiveDate) -> Period {
    let end = on.checked_add_months(chrono::Months::new(1)).and_then(|next| next.pred_opt());
    Period::new(on, end.expect("a day")).expect("a period")
}

/// A problem that two units share, struck off.
async fn shared(app: &TestApp, world: &World) -> ProblemId {
    let id = problem_in(app, world, State::Triaged).await.id;
    let [lead, joint] = [1, 2].map(|at| world.members[at]);
    let committee = app.ctx(world.committee);
    moves::assign_jointly(&committee, which(id), lead, &[joint], None).await.expect("assigned");
    let (staff, other) = (app.ctx(world.staff), app.ctx(world.other_staff));
    let part = WhichPart { problem: which(id), organization: joint };
    parts::accept(&other, part).await.expect("accepted");
    parts::start(&other, part).await.expect("started");
    bring(app, world.other_staff, id).await;
    parts::finish(&other, part).await.expect("done");
    moves::accept(&staff, which(id)).await.expect("accepted");
    moves::start(&staff, which(id), None).await.expect("started");
    show_closure(app, world, id).await;
    moves::submit(&staff, which(id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(id), "已平整").await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off");
    id
}

async fn closed(app: &TestApp, world: &World, of: Of, on: NaiveDate) -> i64 {
    let ctx = app.ctx(world.committee);
    let figures = statistics::of(&ctx, of).await.expect("a read").expect("figures");
    figures.figures(&ctx, month(on)).await.expect("a count").get(Measure::Closed)
}

#[tokio::test]
async fn joint_units_of_a_round_that_ended_are_known() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let january: NaiveDate = "2026-01-01".parse().expect("a day");
    let id = shared(&app, &world).await;
    let joint = world.members[2];
    assert_eq!(closed(&app, &world, Of::Organization(joint), january).await, 1);
    // Somebody of the joint unit who handled nothing, and is a verifier besides.
    let insider = person(&app, "insider", world.town, Role::MemberStaff, Some(joint)).await;
    let new = NewSeat {
        account_id: insider,
        alliance_id: world.town,
        role: Role::Verifier,
        organization_id: Some(joint),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let wants =
        NewFollowUp { problem: which(id), reporter_problem_id: None, kind: Kind::default(), due_on: None };
    follow_up::request(&app.ctx(world.committee), wants).await.expect("due");
    round::reopen(&app.ctx(world.committee), which(id), "复发").await.expect("reopened");
    let units = "SELECT COUNT(*) AS n FROM problem_round_unit WHERE round = 1";
    assert_eq!(count(&app, units).await, 2);
    assert_eq!(count(&app, &format!("{units} AND is_lead")).await, 1);
    // The round counts for both units in its month, and is nobody's now.
    for unit in [world.members[1], joint] {
        assert_eq!(closed(&app, &world, Of::Organization(unit), january).await, 1);
    }
    assert_eq!(closed(&app, &world, Of::Organization(world.members[3]), january).await, 0);
    moves::assign(&app.ctx(world.committee), which(id), world.members[3], None).await.expect("assigned");
    // The database lets nobody of either unit answer for the reporter of that round.
    let by = |name: &str| {
        format!(
            "UPDATE follow_up SET state = 'answered', solved = 'yes', is_satisfied = TRUE,
             done_by = (SELECT id FROM account WHERE username LIKE '{name}%')"
        )
    };
    for name in ["insider", "manager."] {
        assert!(app.sql(&by(name)).await.is_err(), "{name}");
    }
    app.sql(&by("verifier.")).await.expect("somebody independent");
}

/// What the dashboard and the figures say of a month: open in it, and closed.
async fn both(app: &TestApp, world: &World, on: NaiveDate) -> [(i64, i64); 2] {
    let ctx = app.ctx(world.committee);
    let (_, told) = counts::read(&ctx, &[world.town], [on]).await.expect("counts").remove(0);
    let month_count = told.month(Some(on));
    let of = Of::Alliance { id: world.town, own_only: true };
    let figures = statistics::of(&ctx, of).await.expect("a read").expect("figures");
    let figures = figures.figures(&ctx, month(on)).await.expect("a count");
    [
        (month_count.open, month_count.closed),
        (figures.get(Measure::OpenInPeriod), figures.get(Measure::Closed)),
    ]
}

async fn agree(app: &TestApp, world: &World, when: &str) {
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None, "{when}");
    for on in ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"] {
        let [dashboard, figures] = both(app, world, on.parse().expect("a day")).await;
        // What is yet to come is told by neither.
        if on.parse::<NaiveDate>().expect("a day") <= app.app.now().date_naive() {
            assert_eq!(dashboard, figures, "{when}: {on}");
        }
    }
}

#[tokio::test]
async fn a_month_of_the_dashboard_says_what_the_figures_say() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let reopen = async |id: ProblemId| {
        round::reopen(&committee, which(id), "复发").await.expect("reopened");
    };
    let mut rows = Vec::new();
    for _ in 0..6 {
        rows.push(problem_in(&app, &world, State::StruckOff).await.id);
    }
    problem_in(&app, &world, State::InProgress).await;
    agree(&app, &world, "six struck off, one open").await;
    // Reopened in the month of the strike-off: stays open; closed again; twice reopened.
    for id in &rows[..3] {
        reopen(*id).await;
    }
    agree(&app, &world, "reopened within the month").await;
    finish(&app, &world, rows[1]).await;
    finish(&app, &world, rows[2]).await;
    agree(&app, &world, "closed again within the month").await;
    reopen(rows[2]).await;
    agree(&app, &world, "reopened twice within the month").await;
    // Into February and March: others are reopened only now.
    app.advance(TimeDelta::days(31));
    for id in [rows[1], rows[3], rows[4]] {
        reopen(id).await;
    }
    agree(&app, &world, "reopened in the month after").await;
    app.advance(TimeDelta::days(28));
    finish(&app, &world, rows[3]).await;
    finish(&app, &world, rows[0]).await;
    agree(&app, &world, "closed in the third month").await;
    // One that is rejected in a later round is left out from there on, and so is one that is merged.
    moves::reject(&committee, which(rows[4]), "不属本镇").await.expect("rejected");
    agree(&app, &world, "rejected in a later round").await;
    let into = concord::domain::list::problem::merge::merge(&committee, which(rows[2]), rows[1], "重复");
    into.await.expect("merged");
    agree(&app, &world, "merged in a later round").await;
    reopen(rows[3]).await;
    app.advance(TimeDelta::days(31));
    finish(&app, &world, rows[3]).await;
    agree(&app, &world, "a third round").await;
    // The closings in January, which neither January's own reopening nor what was rejected or merged later took away.
    let [dashboard, _] = both(&app, &world, "2026-01-01".parse().expect("a day")).await;
    assert_eq!(dashboard, (7, 6));
}

/// Units are told apart by their place among the members.
#[tokio::test]
async fn a_round_that_ended_names_its_units_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let id = shared(&app, &world).await;
    round::reopen(&app.ctx(world.committee), which(id), "复发").await.expect("reopened");
    let named: Vec<(OrganizationId, bool)> = {
        use concord_entities::problem_round_unit::{Column, Entity};
        use sea_orm::{EntityTrait, QueryOrder};
        let rows = Entity::find().order_by_desc(Column::IsLead).all(&app.app.read).await.expect("units");
        rows.into_iter().map(|row| (row.organization_id, row.is_lead)).collect()
    };
    assert_eq!(named, [(world.members[1], true), (world.members[2], false)]);
    assert!(
        app.sql(
            "INSERT INTO problem_round_unit SELECT problem_id, round, problem_id, TRUE FROM problem_round"
        )
        .await
        .is_err()
    );
}
