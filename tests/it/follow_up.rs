//! Follow-up: somebody independent asks whoever reported a problem, in person or by a link; a dissatisfied answer brings the
//! problem back, and what was said is erased with the reporter.

use chrono::TimeDelta;
use concord::{
    domain::{
        Ctx,
        chain::{self, Marks},
        governance::alliance::{self, AllianceChange},
        identity::seat::{self, NewSeat},
        list::{
            problem::{self, merge, moves, reporter},
            recount, supervision,
        },
    },
    graphql::id,
};
use concord_entities::{
    follow_up, follow_up_link,
    id::{AccountId, ProblemId},
    problem::State,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    changes::dashboard_key,
    erasure::traces,
    problem::{count, pothole, problem_in, show_closure, which},
    problem_round::finish,
};

const FIELDS: &str = "followUp { id state kind tries solved satisfied words note dueOn round version
    recordedBy { name } recordedAt requestedBy { name } problem { number } reporterProblem { reporterName } }";

async fn send(app: &TestApp, who: AccountId, mutation: &str, input: Value) -> Answer {
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let more = if mutation == "issueFollowUpLink" { "token expiresAt" } else { "" };
    let query = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{ {FIELDS} {more} userErrors {{ code field message }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

async fn requested(app: &TestApp, world: &World, of: ProblemId) -> Value {
    let input = json!({ "problemId": id::encode(of) });
    send(app, world.committee, "requestFollowUp", input)
        .await
        .fine()
        .at("/requestFollowUp/followUp/id")
        .clone()
}

async fn by_link(app: &TestApp, token: &str, satisfied: bool, words: &str) -> Answer {
    let query = "mutation($input: AnswerFollowUpInput!) { answerFollowUp(input: $input) {
        problemNumber problemTitle userErrors { code field message } } }";
    let solved = if satisfied { "YES" } else { "NO" };
    let input = json!({ "token": token, "solved": solved, "satisfied": satisfied, "words": words });
    app.anonymous().send(query, json!({ "input": input })).await
}

async fn token(app: &TestApp, who: AccountId, of: &Value) -> String {
    let made = send(app, who, "issueFollowUpLink", json!({ "followUpId": of })).await.fine();
    made.text("/issueFollowUpLink/token")
}

async fn row(app: &TestApp, of: ProblemId) -> concord_entities::problem::Model {
    problem::find(&app.system(), of).await.expect("a read").expect("a problem")
}

#[tokio::test]
async fn the_policy_asks_reporters_on_submission_and_a_dissatisfied_one_returns_the_problem() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // Without the policy nothing is due, and submitting stays what it was.
    problem_in(&app, &world, State::Submitted).await;
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM follow_up").await, 0);
    let change = AllianceChange { follow_up_on_submission: Some(true), ..AllianceChange::default() };
    alliance::update(&app.ctx(world.committee), world.town, 1, change).await.expect("a policy");
    let problem = problem_in(&app, &world, State::Submitted).await;
    let query = "query($id: ID!) { problem(id: $id) { state returnedCount reason
        followUps { id state dueOn kind requestedBy { name } words } } }";
    let ask = json!({ "id": id::encode(problem.id) });
    let seen = app.client(world.verifier).send(query, ask.clone()).await.fine();
    let due = seen.at("/problem/followUps/0");
    assert_eq!(
        (&due["state"], &due["kind"], &due["dueOn"]),
        (&json!("DUE"), &json!("CALL"), &json!("2026-01-12"))
    );
    assert!(due["requestedBy"].is_null());
    let answer = json!({ "followUpId": due["id"], "solved": "NO", "satisfied": false, "words": "还是坑洼", "note": "电话" });
    let done = send(&app, world.verifier, "recordFollowUp", answer).await.fine();
    let done = done.at("/recordFollowUp/followUp");
    assert_eq!((&done["state"], &done["solved"]), (&json!("ANSWERED"), &json!("NO")));
    assert_eq!((&done["words"], &done["recordedBy"]["name"]), (&json!("还是坑洼"), &json!("verifier")));
    let back = app.client(world.committee).send(query, ask.clone()).await.fine();
    assert_eq!(back.at("/problem/state"), "IN_PROGRESS");
    assert_eq!(back.at("/problem/returnedCount"), 1);
    assert_eq!(back.at("/problem/followUps/0/words"), "还是坑洼");
    // Staff and dashboards read the answer, not the words.
    let key = dashboard_key(&app, world.town).await;
    for client in [app.client(world.staff), app.key(key)] {
        let seen = client.send(query, ask.clone()).await.fine();
        assert_eq!(seen.at("/problem/followUps/0/state"), "ANSWERED");
        assert!(seen.at("/problem/followUps/0/words").is_null());
        assert!(seen.at("/problem/followUps/0/note").is_null());
    }
    let reporter = "query($id: ID!) { problem(id: $id) { reporterName reporterPhone } }";
    let of_key = app.key(key).send(reporter, ask.clone()).await.fine();
    assert!(of_key.at("/problem/reporterName").is_null() && of_key.at("/problem/reporterPhone").is_null());
    let of_staff = app.client(world.staff).send(reporter, ask.clone()).await.fine();
    assert_eq!(of_staff.at("/problem/reporterName"), "张**");
    // Submitted again, the reporter is asked again.
    app.advance(TimeDelta::hours(1));
    show_closure(&app, &world, problem.id).await;
    moves::submit(&app.ctx(world.staff), which(problem.id)).await.expect("submitted");
    let seen = app.client(world.committee).send(query, ask).await.fine();
    assert_eq!(seen.at("/problem/followUps/1/state"), "DUE");
    // Words are in no event.
    app.run_background().await;
    let told = "SELECT COUNT(*) AS n FROM event WHERE payload LIKE '%还是坑洼%'";
    assert_eq!(count(&app, told).await, 0);
    // Nobody reported it: nobody is asked.
    let mut silent = pothole(&world);
    (silent.reporter_name, silent.reporter_phone) = (None, None);
    let silent = problem::register(&app.ctx(world.grid_officer), silent).await.expect("registered");
    let triage = moves::Triage {
        tier: concord_entities::problem::Tier::Small,
        measures: "铺".to_owned(),
        criterion: "平".to_owned(),
        is_complex: false,
    };
    moves::triage(&app.ctx(world.committee), which(silent.id), triage).await.expect("triaged");
    finish(&app, &world, silent.id).await;
    let input = json!({ "problemId": id::encode(silent.id) });
    let refused = send(&app, world.committee, "requestFollowUp", input).await;
    assert_eq!(refused.code().as_deref(), Some("NO_REPORTER"));
}

#[tokio::test]
async fn a_dissatisfied_reporter_opens_a_new_round_after_strike_off() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem = problem_in(&app, &world, State::StruckOff).await;
    let asked = requested(&app, &world, problem.id).await;
    let answer = json!({ "followUpId": asked, "solved": "PARTLY", "satisfied": false });
    send(&app, world.officer, "recordFollowUp", answer.clone()).await.fine();
    let after = row(&app, problem.id).await;
    assert_eq!((after.state, after.round, after.is_open), (State::Triaged, 2, true));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_round WHERE reopened_by IS NOT NULL").await, 1);
    let again = send(&app, world.officer, "recordFollowUp", answer).await;
    assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    // A satisfied one moves nothing.
    finish(&app, &world, problem.id).await;
    let asked = requested(&app, &world, problem.id).await;
    let answer = json!({ "followUpId": asked, "solved": "YES", "satisfied": true });
    send(&app, world.verifier, "recordFollowUp", answer).await.fine();
    assert_eq!(row(&app, problem.id).await.state, State::StruckOff);
}

#[tokio::test]
async fn three_tries_in_vain_make_a_reporter_unreachable() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem = problem_in(&app, &world, State::StruckOff).await;
    let asked = requested(&app, &world, problem.id).await;
    for tries in 1..=3 {
        let input =
            json!({ "followUpId": asked, "note": format!("第{tries}次无人接听"), "expectedVersion": tries });
        let done = send(&app, world.verifier, "recordFollowUpTry", input).await.fine();
        let done = done.at("/recordFollowUpTry/followUp").clone();
        assert_eq!(done["tries"], tries);
        assert_eq!(done["state"], if tries == 3 { "UNREACHABLE" } else { "DUE" });
        if tries < 3 {
            // A second later, and at the last minute of that day where the alliance is, it is no other try.
            for until in [TimeDelta::seconds(1), TimeDelta::minutes(15 * 60 - 1) - TimeDelta::seconds(1)] {
                app.advance(until);
                let input = json!({ "followUpId": asked });
                let refused = send(&app, world.verifier, "recordFollowUpTry", input).await;
                assert_eq!(refused.code().as_deref(), Some("TRIED_TODAY"));
                let says = refused.at("/recordFollowUpTry/userErrors/0/message").to_string();
                assert!(says.contains(&format!("2026-01-0{}T00:00:00+08:00", 5 + tries)), "{says}");
            }
            app.advance(TimeDelta::minutes(1) + TimeDelta::hours(9));
        }
    }
    let input = json!({ "followUpId": asked });
    for mutation in ["recordFollowUpTry", "issueFollowUpLink"] {
        let answer = send(&app, world.verifier, mutation, input.clone()).await;
        assert_eq!(answer.code().as_deref(), Some("STATE_REFUSED"), "{mutation}");
    }
    let query = "query($id: ID!) { followUps(filter: { allianceId: $id, state: UNREACHABLE }) { totalCount nodes { tries } } }";
    let seen = app.client(world.observer).send(query, json!({ "id": id::encode(world.town) })).await.fine();
    assert_eq!(seen.at("/followUps"), &json!({ "totalCount": 1, "nodes": [{ "tries": 3 }] }));
}

#[tokio::test]
async fn whoever_had_a_part_in_the_problem_asks_nobody_about_it() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let problem = problem_in(&app, &world, State::StruckOff).await;
    let asked = requested(&app, &world, problem.id).await;
    let answer = json!({ "followUpId": asked, "solved": "YES", "satisfied": true });
    for who in [world.staff, world.manager, world.other_staff, world.grid_officer, world.observer] {
        let refused = send(&app, who, "recordFollowUp", answer.clone()).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
        let refused =
            send(&app, who, "requestFollowUp", json!({ "problemId": id::encode(problem.id) })).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let foreign = send(&app, there.committee, "recordFollowUp", answer.clone()).await;
    assert_eq!(foreign.code().as_deref(), Some("NOT_FOUND"));
    let twice =
        send(&app, world.committee, "requestFollowUp", json!({ "problemId": id::encode(problem.id) })).await;
    assert_eq!(twice.code().as_deref(), Some("ALREADY_EXISTS"));
    let other = problem_in(&app, &world, State::InProgress).await;
    let early =
        send(&app, world.committee, "requestFollowUp", json!({ "problemId": id::encode(other.id) })).await;
    assert_eq!(early.code().as_deref(), Some("STATE_REFUSED"));
    let past = json!({ "problemId": id::encode(problem.id), "dueOn": "2026-01-04" });
    let past = send(&app, world.committee, "requestFollowUp", past).await;
    assert_eq!(past.code().as_deref(), Some("OUT_OF_RANGE"));
    // A verifier who acts for the responsible unit too is not independent.
    let new = NewSeat {
        account_id: world.verifier,
        alliance_id: world.town,
        role: concord_entities::seat::Role::MemberStaff,
        organization_id: Some(world.members[1]),
        region_id: None,
    };
    seat::grant(&app.system(), new).await.expect("a seat");
    let refused = send(&app, world.verifier, "recordFollowUp", answer.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("NOT_INDEPENDENT"));
    let mut stale = answer.clone();
    stale["expectedVersion"] = json!(7);
    let refused = send(&app, world.approver, "recordFollowUp", stale).await;
    assert_eq!(refused.code().as_deref(), Some("VERSION_CONFLICT"));
    // A request that is sent twice asks once.
    let query = format!(
        "mutation($input: RecordFollowUpInput!) {{ recordFollowUp(input: $input) {{ {FIELDS} userErrors {{ code }} }} }}"
    );
    for _ in 0..2 {
        let client = app.client(world.approver).keyed("once", 3);
        let done = client.send(&query, json!({ "input": answer })).await.fine();
        assert_eq!(done.at("/recordFollowUp/followUp/state"), "ANSWERED");
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'follow_up_answered'").await, 1);
}

#[tokio::test]
async fn a_link_answers_once_and_tells_no_more_than_number_and_title() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem = problem_in(&app, &world, State::StruckOff).await;
    let asked = requested(&app, &world, problem.id).await;
    let first = token(&app, world.verifier, &asked).await;
    let second = token(&app, world.verifier, &asked).await;
    let stored = follow_up_link::Entity::find().all(&app.app.read).await.expect("links");
    assert!(stored.iter().all(|link| !String::from_utf8_lossy(&link.hash).contains("cnc_")));
    let wrong = by_link(&app, "cnc_fol_x", true, "").await;
    assert_eq!(wrong.code().as_deref(), Some("LINK_INVALID"));
    // Replaced, of another kind: all the same.
    for bad in [first.as_str(), "", &second.replace("cnc_fol_", "cnc_inv_")] {
        assert_eq!(by_link(&app, bad, true, "").await, wrong, "{bad}");
    }
    let good = by_link(&app, &second, false, "门口还是积水").await.fine();
    let told = json!({ "problemNumber": problem.number, "problemTitle": "路面坑洼", "userErrors": [] });
    assert_eq!(good.at("/answerFollowUp"), &told);
    assert_eq!(by_link(&app, &second, true, "").await, wrong);
    let after = row(&app, problem.id).await;
    assert_eq!((after.state, after.round), (State::Triaged, 2));
    let answered = follow_up::Entity::find().one(&app.app.read).await.expect("a read").expect("a follow-up");
    assert_eq!((answered.kind, answered.done_by), (follow_up::Kind::Link, None));
    assert_eq!(answered.words.as_deref(), Some("门口还是积水"));
    // One that has lapsed, too.
    finish(&app, &world, problem.id).await;
    let asked = requested(&app, &world, problem.id).await;
    let late = token(&app, world.verifier, &asked).await;
    app.advance(TimeDelta::days(7));
    assert_eq!(by_link(&app, &late, true, "").await, wrong);
    // And one whose follow-up was answered on the phone meanwhile.
    let open = token(&app, world.verifier, &asked).await;
    let answer = json!({ "followUpId": asked, "solved": "YES", "satisfied": true });
    send(&app, world.approver, "recordFollowUp", answer).await.fine();
    assert_eq!(by_link(&app, &open, true, "").await, wrong);
    app.run_background().await;
    let found = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    assert_eq!(found.first_break, None);
}

#[tokio::test]
async fn an_erased_reporter_takes_words_and_links_along() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let problem = problem_in(&app, &world, State::StruckOff).await;
    let asked = requested(&app, &world, problem.id).await;
    let words = "我是张三丰，住在原子路";
    let answer = json!({ "followUpId": asked, "solved": "YES", "satisfied": true, "words": words, "note": "张三丰接听" });
    send(&app, world.verifier, "recordFollowUp", answer).await.fine();
    let open = requested(&app, &world, problem.id).await;
    let link = token(&app, world.verifier, &open).await;
    reporter::erase(&app.ctx(world.committee), which(problem.id), "本人要求").await.expect("erased");
    assert_eq!(traces(&app, &["张三丰", "原子路"]).await, Vec::<String>::new());
    assert_eq!(by_link(&app, &link, true, "还在").await.code().as_deref(), Some("LINK_INVALID"));
    let left = follow_up::Entity::find().all(&app.app.read).await.expect("follow-ups");
    assert_eq!(left.iter().filter(|row| row.solved == Some(follow_up::Solved::Yes)).count(), 1);
    app.run_background().await;
    let found = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    assert_eq!(found.first_break, None);
}

#[tokio::test]
async fn nobody_asks_a_reporter_who_was_erased() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [survivor, duplicate] =
        [problem_in(&app, &world, State::Submitted).await, problem_in(&app, &world, State::Registered).await];
    let committee = app.ctx(world.committee);
    merge::merge(&committee, which(duplicate.id), survivor.id, "同一处坑洼").await.expect("merged");
    let own = requested(&app, &world, survivor.id).await;
    let merged = json!({
        "problemId": id::encode(survivor.id), "reporterProblemId": id::encode(duplicate.id),
    });
    let merged = send(&app, world.committee, "requestFollowUp", merged).await.fine();
    let merged = merged.at("/requestFollowUp/followUp/id").clone();
    let link = token(&app, world.verifier, &merged).await;
    reporter::erase(&committee, which(duplicate.id), "本人要求").await.expect("erased");
    // Nobody can be reached any more, whatever is tried; the other reporter is still to be asked.
    let state = "SELECT COUNT(*) AS n FROM follow_up WHERE state = ";
    assert_eq!(count(&app, &format!("{state}'unreachable' AND done_by IS NULL AND tries = 0")).await, 1);
    assert_eq!(count(&app, &format!("{state}'due'")).await, 1);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'follow_up_unreachable'").await, 1);
    let answer = json!({ "followUpId": merged, "solved": "YES", "satisfied": true, "words": "我是张三丰" });
    for (mutation, input) in [
        ("recordFollowUp", answer),
        ("recordFollowUpTry", json!({ "followUpId": merged })),
        ("issueFollowUpLink", json!({ "followUpId": merged })),
    ] {
        let refused = send(&app, world.verifier, mutation, input).await;
        assert_eq!(refused.code().as_deref(), Some("NO_REPORTER"), "{mutation}");
    }
    assert_eq!(by_link(&app, &link, true, "还在").await.code().as_deref(), Some("LINK_INVALID"));
    let again = reporter::erase(&committee, which(duplicate.id), "再来").await.expect_err("nothing is left");
    assert_eq!(again.code().text(), "NOTHING_TO_ERASE");
    // What was written down all the same, by an earlier version, goes with a second erasure.
    let answer = json!({ "followUpId": own, "solved": "YES", "satisfied": true, "words": "我住原子路" });
    send(&app, world.verifier, "recordFollowUp", answer).await.fine();
    app.sql("UPDATE problem SET reporter_name = NULL, reporter_phone = NULL WHERE state = 'submitted'")
        .await
        .expect("no reporter");
    reporter::erase(&committee, which(survivor.id), "本人要求").await.expect("erased");
    assert_eq!(traces(&app, &["原子路"]).await, Vec::<String>::new());
    let again = reporter::erase(&committee, which(survivor.id), "再来").await.expect_err("nothing is left");
    assert_eq!(again.code().text(), "NOTHING_TO_ERASE");
}

#[tokio::test]
async fn a_limit_that_ends_lets_the_reporters_be_asked_once_on_two_nodes_and_by_a_clock_that_jumps() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let due = "SELECT COUNT(*) AS n FROM follow_up WHERE state = 'due'";
    let hands = async || {
        let (one, two) = (app.system(), app.system());
        let run = async |ctx: &Ctx| while supervision::watch(ctx).await.expect("the hand works") > 0 {};
        futures_util::join!(run(&one), run(&two));
    };
    // An alliance that does not want it asks nobody.
    problem_in(&app, &world, State::InProgress).await;
    app.advance(TimeDelta::days(8));
    hands().await;
    assert_eq!(count(&app, due).await, 0);

    let change = AllianceChange { follow_up_on_submission: Some(true), ..AllianceChange::default() };
    alliance::update(&app.ctx(world.committee), world.town, 1, change).await.expect("a policy");
    let late = problem_in(&app, &world, State::InProgress).await;
    let duplicate = problem_in(&app, &world, State::Registered).await;
    merge::merge(&app.ctx(world.committee), which(duplicate.id), late.id, "重复").await.expect("merged");
    // What is submitted in time is asked about then.
    problem_in(&app, &world, State::Submitted).await;
    assert_eq!(count(&app, due).await, 1);
    for days in [6, 2, -5, 5, 30, -30] {
        app.advance(TimeDelta::days(days));
        hands().await;
    }
    assert_eq!(count(&app, due).await, 3, "both reporters of what is late, once");
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'follow_up_due'";
    assert_eq!(count(&app, told).await, 3);
    let query = "query($id: ID!) { problem(id: $id) { state followUps { id kind state requestedBy { name } reporterProblem { number } } } }";
    let ask = json!({ "id": id::encode(late.id) });
    let seen = app.client(world.verifier).send(query, ask.clone()).await.fine();
    let asked = seen.at("/problem/followUps").as_array().expect("follow-ups").clone();
    let numbers: Vec<_> = asked.iter().map(|one| one["reporterProblem"]["number"].clone()).collect();
    assert!(numbers.contains(&json!(late.number)) && numbers.contains(&json!(duplicate.number)), "{asked:?}");
    assert!(asked.iter().all(|one| one["requestedBy"].is_null() && one["kind"] == "CALL"));
    // What a reporter says while it is worked on is kept, and moves nothing.
    let answer = json!({ "followUpId": asked[0]["id"], "solved": "NO", "satisfied": false });
    send(&app, world.verifier, "recordFollowUp", answer).await.fine();
    let seen = app.client(world.verifier).send(query, ask.clone()).await.fine();
    assert_eq!(seen.at("/problem/state"), "IN_PROGRESS");
    // On submission whoever was answered for is asked again, the other one is waited for.
    show_closure(&app, &world, late.id).await;
    moves::submit(&app.ctx(world.staff), which(late.id)).await.expect("submitted");
    assert_eq!(count(&app, due).await, 3);
    let seen = app.client(world.verifier).send(query, ask).await.fine();
    assert_eq!(seen.at("/problem/followUps").as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn whoever_nobody_asked_in_time_is_told_of_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let late = problem_in(&app, &world, State::StruckOff).await;
    let asked = problem_in(&app, &world, State::StruckOff).await;
    let of_late = requested(&app, &world, late.id).await;
    let of_asked = requested(&app, &world, asked.id).await;
    let answer = json!({ "followUpId": of_asked, "solved": "YES", "satisfied": true, "words": "好" });
    send(&app, world.verifier, "recordFollowUp", answer).await.fine();
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'follow_up_overdue'";
    // The last day on which it is in time ends at Beijing's midnight.
    app.set_now("2026-01-12T15:59:59Z".parse().expect("an instant"));
    app.run_background().await;
    assert_eq!(count(&app, told).await, 0);
    app.advance(TimeDelta::seconds(1));
    let system = app.system();
    let (one, other) = futures_util::join!(supervision::watch(&system), supervision::watch(&system));
    one.and(other).expect("both look");
    for _ in 0..3 {
        app.run_background().await;
        app.advance(TimeDelta::days(2));
    }
    assert_eq!(count(&app, told).await, 1);
    let inbox = async |who: AccountId| {
        let seen = app.client(who).run("{ inbox(first: 100) { nodes { event { kind subjectId } } } }").await;
        seen.at("/inbox/nodes").to_string().contains("FOLLOW_UP_OVERDUE")
    };
    // Who should ask, and the committee; not the unit whose work it was.
    assert!(inbox(world.verifier).await && inbox(world.committee).await);
    assert!(!inbox(world.staff).await && !inbox(world.manager).await);
    // It can still be asked.
    let answer = json!({ "followUpId": of_late, "solved": "YES", "satisfied": true, "words": "好" });
    send(&app, world.verifier, "recordFollowUp", answer).await.fine();
}
