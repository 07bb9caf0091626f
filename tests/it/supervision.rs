//! Supervision notices (督办单): to whom they go, which level follows, and under which number.

use chrono::NaiveDate;
use concord::{
    domain::{
        Code,
        calendar::days::{NewDay, import_year},
        governance::{
            alliance::{self, NewAlliance},
            membership::{self, Contact},
        },
        list::{
            problem::{self, NewProblem, extend, moves, round},
            supervision,
        },
        whistle::watch,
    },
    graphql::id,
};
use concord_entities::{
    calendar_day::Kind as DayKind,
    id::{AccountId, MembershipId, ProblemId},
    problem::State,
    supervision_notice::{self, Column, Model},
    whistle::Kind,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::{
    deadline::{at, shown},
    problem::{count, pothole, problem_in, which},
    problem_round::finish,
    whistle::sounded,
};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// The notices about a problem, in the order in which they were issued.
async fn notices(app: &TestApp, of: ProblemId) -> Vec<Model> {
    let of = supervision_notice::Entity::find().filter(Column::ProblemId.eq(of)).order_by_asc(Column::Id);
    of.all(&app.app.read).await.expect("notices")
}

async fn membership_of(app: &TestApp, world: &World, unit: usize) -> MembershipId {
    use concord_entities::membership::{Column, Entity};
    let of = Entity::find()
        .filter(Column::AllianceId.eq(world.town))
        .filter(Column::OrganizationId.eq(world.members[unit]));
    of.one(&app.app.read).await.expect("a read").expect("a membership").id
}

async fn answer(app: &TestApp, who: AccountId, notice: &Model) -> Answer {
    let query = "mutation($input: AnswerSupervisionNoticeInput!) { answerSupervisionNotice(input: $input) {
        supervisionNotice { answer } userErrors { code } } }";
    let input = json!({ "noticeId": id::encode(notice.id), "answer": "已改派" });
    app.client(who).send(query, json!({ "input": input })).await
}

#[tokio::test]
async fn what_a_unit_cannot_answer_goes_to_the_committee() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let (whistle, _) = sounded(&app, &world, Kind::Emergency, &[world.members[1]], None).await;
    let seat = membership_of(&app, &world, 1).await;
    membership::suspend(&app.ctx(world.committee), seat, None, "整顿").await.expect("suspended");
    app.advance(chrono::TimeDelta::minutes(31));
    watch::watch(&app.system()).await.expect("the hand looks");
    app.set_now(at("2026-01-13T00:00"));
    app.run_background().await;
    let issued = notices(&app, row.id).await;
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].organization_id, world.members[0]);
    let about_call = supervision_notice::Entity::find()
        .filter(Column::WhistleId.eq(whistle.id))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a notice");
    assert_eq!(about_call.organization_id, world.members[0]);
    // The breach stays that of the unit.
    let breach = "SELECT COUNT(*) AS n FROM breach b JOIN problem p ON p.id = b.problem_id
        WHERE b.organization_id = p.lead_organization_id AND b.clock = 'resolution'";
    assert_eq!(crate::problem::count(&app, breach).await, 1);
    // Nobody there answers; the committee does.
    assert!(answer(&app, world.staff, &issued[0]).await.code().is_some());
    answer(&app, world.committee, &issued[0]).await.fine();
    // The next level goes by the unit's deadline still, and to where it can be answered.
    app.set_now(at("2026-01-16T00:00"));
    app.run_background().await;
    let next = notices(&app, row.id).await;
    assert_eq!(next.iter().map(|one| one.level).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(next[1].organization_id, world.members[0]);
    // By hand nothing is demanded of it.
    let refused =
        supervision::issue(&app.ctx(world.committee), row.id, world.members[1], "请说明", None).await;
    let refused = refused.expect_err("nobody there could answer");
    assert_eq!(refused.code(), Code::NotAMember);
}

#[tokio::test]
async fn a_level_follows_only_while_its_deadline_and_its_round_stand() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let [moved, reopened, stands] = {
        let mut rows = Vec::new();
        for _ in 0..3 {
            rows.push(problem_in(&app, &world, State::Triaged).await.id);
        }
        <[ProblemId; 3]>::try_from(rows).expect("three")
    };
    for id in [moved, reopened, stands] {
        moves::assign(&committee, which(id), world.members[1], Some(day("2026-01-10")))
            .await
            .expect("assigned");
        moves::accept(&app.ctx(world.staff), which(id)).await.expect("accepted");
    }
    let levels = async |id| -> Vec<i32> { notices(&app, id).await.iter().map(|one| one.level).collect() };
    app.set_now(at("2026-01-11T00:00"));
    app.run_background().await;
    for id in [moved, reopened, stands] {
        assert_eq!(levels(id).await, [1]);
    }
    // One is given more time; one is struck off and comes back, to the same unit and the same day.
    app.set_now(at("2026-01-12T10:00"));
    extend::extend(&committee, which(moved), day("2026-02-10"), "材料未到").await.expect("extended");
    moves::recall(&committee, which(reopened), "另派").await.expect("recalled");
    finish(&app, &world, reopened).await;
    round::reopen(&committee, which(reopened), "复发").await.expect("reopened");
    moves::assign(&committee, which(reopened), world.members[1], Some(day("2026-03-01")))
        .await
        .expect("assigned");
    moves::accept(&app.ctx(world.staff), which(reopened)).await.expect("accepted");
    // As if its deadline had been that of the round before.
    let same = "UPDATE problem_responsible SET resolution_due_at =
        (SELECT b.due_at FROM breach b WHERE b.problem_id = problem_responsible.problem_id AND b.clock = 'resolution'),
        resolution_settled = TRUE
        WHERE problem_id = (SELECT id FROM problem WHERE round = 2)";
    app.sql(same).await.expect("the same day");
    app.set_now(at("2026-01-14T00:00"));
    app.run_background().await;
    assert_eq!(levels(moved).await, [1], "its deadline moved");
    assert_eq!(levels(reopened).await, [1], "its round ended");
    assert_eq!(levels(stands).await, [1, 2]);
    // A new deadline that is missed begins anew.
    app.set_now(at("2026-02-11T00:00"));
    app.run_background().await;
    assert_eq!(levels(moved).await, [1, 1]);
}

#[tokio::test]
async fn however_late_a_notice_comes_the_next_leaves_time_to_answer() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let levels = async || -> Vec<i32> { notices(&app, row.id).await.iter().map(|one| one.level).collect() };
    // Due by the end of the 12th; nobody looks before February, when all levels are past.
    app.set_now(at("2026-02-01T09:00"));
    app.run_background().await;
    app.run_background().await;
    assert_eq!(levels().await, [1]);
    // Three days are between the first and the second level, seven between the first and the last.
    app.set_now(at("2026-02-04T08:59"));
    app.run_background().await;
    assert_eq!(levels().await, [1]);
    app.set_now(at("2026-02-04T09:00"));
    app.run_background().await;
    assert_eq!(levels().await, [1, 2]);
    app.set_now(at("2026-02-08T08:59"));
    app.run_background().await;
    assert_eq!(levels().await, [1, 2]);
    app.set_now(at("2026-02-08T09:00"));
    app.run_background().await;
    assert_eq!(levels().await, [1, 2, 3]);
}

const UNANSWERED: &str = "SELECT COUNT(*) AS n FROM event WHERE kind = 'supervision_notice_unanswered'";

/// A problem whose unit was given a notice on the 13th, to be answered by the 16th.
async fn demanded(app: &TestApp, world: &World) -> ProblemId {
    let id = problem_in(app, world, State::InProgress).await.id;
    app.set_now(at("2026-01-13T00:00"));
    app.run_background().await;
    assert_eq!(notices(app, id).await[0].reply_by, day("2026-01-16"));
    id
}

#[tokio::test]
async fn that_nobody_answered_in_time_is_on_record_once_and_stays() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let id = demanded(&app, &world).await;
    let hands = async || {
        let nodes = [app.system(), app.system(), app.system()];
        for done in futures_util::future::join_all(nodes.iter().map(supervision::watch)).await {
            done.expect("the hand works");
        }
    };
    app.set_now(at("2026-01-16T23:59"));
    hands().await;
    assert_eq!(count(&app, UNANSWERED).await, 0);
    // The day is over where the alliance is; then a clock goes back, and a node begins anew.
    for now in ["2026-01-17T00:00", "2026-01-14T09:00", "2026-01-17T09:00"] {
        app.set_now(at(now));
        hands().await;
        assert_eq!(count(&app, UNANSWERED).await, 1);
    }
    app.run_background().await;
    for who in [world.staff, world.manager, world.committee] {
        let inbox = app.client(who).run("{ inbox { nodes { kind event { kind } } } }").await;
        let told = inbox.at("/inbox/nodes").as_array().expect("entries").clone();
        let told: Vec<_> =
            told.iter().filter(|one| one["event"]["kind"] == "SUPERVISION_NOTICE_UNANSWERED").collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["kind"], "DUE");
    }
    // It can still be answered, and was late.
    let seen = notices(&app, id).await;
    answer(&app, world.staff, &seen[0]).await.fine();
    let query = "query($id: ID!) { node(id: $id) { ... on SupervisionNotice {
        isReplyOverdue unansweredAt answeredAt } } }";
    let late = app.client(world.observer).send(query, json!({ "id": id::encode(seen[0].id) })).await;
    assert_eq!(
        late.at("/node"),
        &json!({ "isReplyOverdue": false, "unansweredAt": shown("2026-01-17T00:00"),
            "answeredAt": shown("2026-01-17T09:00") })
    );
    assert!(app.sql("UPDATE supervision_notice SET unanswered_at = NULL WHERE level = 1").await.is_err());
    hands().await;
    assert_eq!(count(&app, UNANSWERED).await, 1);
}

#[tokio::test]
async fn an_answer_is_late_whether_or_not_anybody_looked() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let id = demanded(&app, &world).await;
    app.set_now(at("2026-01-17T00:00"));
    answer(&app, world.staff, &notices(&app, id).await[0]).await.fine();
    let noted = async || -> Vec<_> { notices(&app, id).await.iter().map(|one| one.unanswered_at).collect() };
    assert_eq!(noted().await, [Some(at("2026-01-17T00:00"))]);
    assert_eq!(count(&app, UNANSWERED).await, 1);
    // The next level follows with a day of its own, on which it is answered in time.
    app.run_background().await;
    app.set_now(at("2026-01-20T23:59"));
    answer(&app, world.staff, &notices(&app, id).await[1]).await.fine();
    app.set_now(at("2026-02-20T09:00"));
    let of_second = async || notices(&app, id).await[1].unanswered_at;
    app.run_background().await;
    assert_eq!(of_second().await, None);
}

#[tokio::test]
async fn numbers_are_of_the_year_that_it_is_where_the_alliance_is() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let new = NewAlliance {
        name: "远方联盟".to_owned(),
        region_id: world.communities[0],
        parent_id: Some(world.town),
        committee_organization_id: None,
        oversight_organization_id: None,
        time_zone: "America/New_York".to_owned(),
        number_pattern: "远〔{year}〕{seq:4}号".to_owned(),
        check_in_working_day: 5,
    };
    let far = alliance::found(&app.system(), new).await.expect("an alliance").id;
    membership::admit(&app.system(), far, world.members[1], Contact::default()).await.expect("a membership");
    let system = app.system();
    // Problems of both lists, and a notice about each, by hand: what is demanded is answered at once.
    let both = async || -> [[String; 2]; 2] {
        let mut told = Vec::new();
        for list in [world.town, far] {
            let new = NewProblem { alliance_id: list, region_id: None, ..pothole(&world) };
            let row = problem::register(&system, new).await.expect("registered");
            moves::triage(
                &system,
                which(row.id),
                moves::Triage {
                    tier: concord_entities::problem::Tier::Small,
                    measures: "铺沥青".to_owned(),
                    criterion: "路面平整".to_owned(),
                    is_complex: false,
                },
            )
            .await
            .expect("triaged");
            moves::assign(&system, which(row.id), world.members[1], None).await.expect("assigned");
            let notice = supervision::issue(&system, row.id, world.members[1], "请说明", None).await;
            told.push([row.number, notice.expect("issued").number]);
        }
        <[[String; 2]; 2]>::try_from(told).expect("two lists")
    };
    let expected = |here: (i32, i32), there: (i32, i32)| {
        [
            [format!("西海销〔{}〕{:04}号", here.0, here.1), format!("督〔{}〕{:04}号", here.0, here.1)],
            [format!("远〔{}〕{:04}号", there.0, there.1), format!("督〔{}〕{:04}号", there.0, there.1)],
        ]
    };
    app.set_now(at("2026-12-31T23:59"));
    assert_eq!(both().await, expected((2026, 1), (2026, 1)));
    // Midnight in Beijing is before noon of the last day in New York.
    app.set_now(at("2027-01-01T00:00"));
    assert_eq!(both().await, expected((2027, 1), (2026, 2)));
    app.set_now(at("2027-01-01T12:59"));
    assert_eq!(both().await, expected((2027, 2), (2026, 3)));
    app.set_now(at("2027-01-01T13:00"));
    assert_eq!(both().await, expected((2027, 3), (2027, 1)));
    for table in ["problem", "supervision_notice"] {
        let gaps = format!(
            "SELECT COUNT(*) AS n FROM (SELECT alliance_id, year FROM {table} GROUP BY alliance_id, year
             HAVING MAX(seq) <> COUNT(*)) AS gap"
        );
        assert_eq!(crate::problem::count(&app, &gaps).await, 0, "{table}");
    }
}

#[tokio::test]
async fn everybody_whose_deadline_a_calendar_moves_is_told() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let policy = "mutation($input: SetDeadlinePolicyInput!) { setDeadlinePolicy(input: $input) { userErrors { code } } }";
    let rules = json!([{ "clock": "RESOLUTION", "amount": 5, "unit": "WORKING_DAYS" }]);
    let of = json!({ "input": { "allianceId": id::encode(world.town), "rules": rules } });
    app.client(world.committee).send(policy, of).await.fine();
    app.set_now(at("2026-12-28T10:00"));
    for _ in 0..55 {
        let row = problem_in(&app, &world, State::Triaged).await;
        let [lead, joint] = [1, 2].map(|unit| world.members[unit]);
        moves::assign_jointly(&app.ctx(world.committee), which(row.id), lead, &[joint], None)
            .await
            .expect("assigned");
    }
    // More than one look takes lie in a year that stays unknown, before the others.
    let far = "UPDATE problem_responsible SET resolution_from = '2028-02-25 00:00:00.000000+00:00',
             resolution_due_at = '2028-03-04 00:00:00.000000+00:00'
         WHERE problem_id IN (SELECT id FROM problem WHERE seq <= 52)";
    app.sql(far).await.expect("far away");
    let off =
        |day: &str| NewDay { on: day.parse().expect("a day"), kind: DayKind::Off, name: "假日".to_owned() };
    for year in [2027, 2029] {
        let days =
            ["01-01", "02-05", "02-06", "05-01", "10-01"].map(|day| off(&format!("{year}-{day}"))).to_vec();
        import_year(&app.system(), None, year, days).await.expect("a year");
    }
    app.run_background().await;
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'deadlines_recalculated'";
    assert_eq!(crate::problem::count(&app, told).await, 3);
    // Whoever shares a problem as well as whoever leads it, of each that moved.
    for who in [world.staff, world.manager, world.other_staff] {
        let inbox = app.client(who).run("{ inbox(first: 100) { nodes { event { kind } } } }").await;
        let nodes = inbox.at("/inbox/nodes").as_array().expect("entries").clone();
        let moved = nodes.iter().filter(|node| node["event"]["kind"] == "DEADLINES_RECALCULATED").count();
        assert_eq!(moved, 3);
    }
    let still = "SELECT COUNT(*) AS n FROM problem_responsible WHERE resolution_is_provisional";
    assert_eq!(crate::problem::count(&app, still).await, 104);
}
