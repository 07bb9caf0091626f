//! Deadlines: what an alliance sets, the three clocks, the ledger of their moves, more time, breaches and supervision notices,
//! each of them once, on however many nodes and whatever the clock does.

use chrono::{DateTime, TimeDelta, Utc};
use concord::{
    domain::{
        Ctx,
        calendar::days::{NewDay, import_year},
        list::{
            problem::{self, moves},
            supervision,
        },
    },
    graphql::id,
};
use concord_entities::{
    calendar_day::Kind,
    id::{AccountId, ProblemId},
    problem::{Model, Severity, State},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::problem::{count, pothole, problem_in, show_closure, step, triage, which};

/// An instant as clocks in Beijing show it.
pub fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{text}:00+08:00")).expect("an instant").with_timezone(&Utc)
}

pub fn shown(text: &str) -> Value {
    json!(at(text).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

const SET: &str = "mutation($input: SetDeadlinePolicyInput!) { setDeadlinePolicy(input: $input) {
    alliance { deadlinePolicy { version remindHours replyDays
        rules { clock severity tier isComplex amount unit } levels { afterDays name colour demand } } }
    userErrors { code field message } } }";

pub async fn set(app: &TestApp, who: AccountId, world: &World, more: Value) -> Answer {
    let mut input = json!({ "allianceId": id::encode(world.town) });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        input[name] = value;
    }
    app.client(who).send(SET, json!({ "input": input })).await
}

const SEEN: &str = "query($id: ID!) { problem(id: $id) { state dueOn isOverdue version
    clocks { kind organization { name } dueAt isProvisional pausedAt doneAt isLate }
    deadlineMoves { clock cause dueBefore dueAfter organization { name } }
    breaches { clock round dueAt organization { name } }
    extensions { id state reason askedUntil grantedUntil dueBefore decision askedBy { name } decidedBy { name } version }
    supervisionNotices { id number level name colour demand replyBy isReplyOverdue isAutomatic answer organization { name }
        answeredBy { name } version } } }";

pub async fn see(app: &TestApp, who: AccountId, id: ProblemId) -> Answer {
    app.client(who).send(SEEN, json!({ "id": id::encode(id) })).await.fine()
}

async fn send(app: &TestApp, who: AccountId, mutation: &str, input_type: &str, input: Value) -> Answer {
    let shows = if mutation.contains("Extension") {
        "extension { id state grantedUntil version }"
    } else {
        "supervisionNotice { id number level answer version replyBy }"
    };
    let query = format!(
        "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {shows} userErrors {{ code field }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

#[tokio::test]
async fn an_alliance_sets_its_deadlines_and_what_runs_keeps_its_own() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let before = problem_in(&app, &world, State::Registered).await;
    let read = "query($id: ID!) { alliance(id: $id) { deadlinePolicy { version remindHours rules { amount } levels { name } } } }";
    let seen = app.client(world.observer).send(read, json!({ "id": id::encode(world.town) })).await.fine();
    assert_eq!(seen.at("/alliance/deadlinePolicy/version"), 0);
    assert_eq!(seen.at("/alliance/deadlinePolicy/levels/0/name"), "督办");

    let rules = json!([
        { "clock": "DISPATCH", "amount": 4, "unit": "HOURS" },
        { "clock": "RESOLUTION", "severity": "ORDINARY", "amount": 5, "unit": "WORKING_DAYS" },
        { "clock": "RESOLUTION", "severity": "ORDINARY", "tier": "HARD", "amount": 20, "unit": "DAYS" },
    ]);
    for who in [world.manager, world.approver, world.verifier, world.observer, world.county_committee] {
        let refused = set(&app, who, &world, json!({ "rules": rules })).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"), "{refused:?}");
    }
    assert_eq!(
        set(&app, world.stranger, &world, json!({ "rules": rules })).await.code().as_deref(),
        Some("NOT_FOUND")
    );
    let set_here =
        set(&app, world.committee, &world, json!({ "rules": rules, "remindHours": 24 })).await.fine();
    let policy = set_here.at("/setDeadlinePolicy/alliance/deadlinePolicy");
    assert_eq!((&policy["version"], &policy["remindHours"]), (&json!(1), &json!(24)));
    assert_eq!(policy["rules"][2]["tier"], "HARD");
    let stale = set(&app, world.committee, &world, json!({ "replyDays": 2, "expectedVersion": 0 })).await;
    assert_eq!(stale.code().as_deref(), Some("VERSION_CONFLICT"));

    for (wrong, code, field) in [
        (
            json!({ "rules": [{ "clock": "DISPATCH", "amount": 0, "unit": "HOURS" }] }),
            "OUT_OF_RANGE",
            "input.rules.0.amount",
        ),
        (
            json!({ "rules": [{ "clock": "DISPATCH", "amount": -3, "unit": "DAYS" }] }),
            "OUT_OF_RANGE",
            "input.rules.0.amount",
        ),
        (
            json!({ "rules": [{ "clock": "DISPATCH", "amount": 367, "unit": "DAYS" }] }),
            "OUT_OF_RANGE",
            "input.rules.0.amount",
        ),
        (
            json!({ "rules": [{ "clock": "DISPATCH", "amount": 1, "unit": "DAYS" }, { "clock": "DISPATCH", "amount": 2, "unit": "DAYS" }] }),
            "ALREADY_EXISTS",
            "input.rules.1",
        ),
        (json!({ "levels": [] }), "OUT_OF_RANGE", "input.levels"),
        (
            json!({ "levels": [{ "afterDays": 1, "name": "督办", "colour": "RED", "demand": "办" }] }),
            "OUT_OF_RANGE",
            "input.levels.0.afterDays",
        ),
        (
            json!({ "levels": [{ "afterDays": 0, "name": " ", "colour": "RED", "demand": "办" }] }),
            "REQUIRED",
            "input.levels.0.name",
        ),
        (json!({ "remindHours": -1 }), "OUT_OF_RANGE", "input.remindHours"),
        (json!({ "replyDays": 0 }), "OUT_OF_RANGE", "input.replyDays"),
        (json!({ "taskRemindDays": 91 }), "OUT_OF_RANGE", "input.taskRemindDays"),
    ] {
        let refused = set(&app, world.committee, &world, wrong.clone()).await;
        assert_eq!(refused.code().as_deref(), Some(code), "{wrong}");
        assert_eq!(refused.text("/setDeadlinePolicy/userErrors/0/field"), field, "{wrong}");
    }

    // What began before keeps its 24 hours; what begins now has four.
    let after = problem_in(&app, &world, State::Registered).await;
    assert_eq!(before.dispatch_due_at, Some(at("2026-01-06T09:00")));
    assert_eq!(after.dispatch_due_at, Some(at("2026-01-05T13:00")));
    let assigned = problem_in(&app, &world, State::Assigned).await;
    // Five working days after Monday, 5 January.
    assert_eq!(assigned.due_on.map(|on| on.to_string()).as_deref(), Some("2026-01-12"));
}

#[tokio::test]
async fn a_problem_s_clocks_run_and_every_move_stands_in_its_ledger() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Registered).await;
    app.advance(TimeDelta::hours(3));
    let id = id::encode(row.id);
    step(&app, world.committee, "triageProblem", &json!(id), triage()).await.fine();
    let unit = json!({ "leadOrganizationId": id::encode(world.members[1]) });
    step(&app, world.committee, "assignProblem", &json!(id), unit).await.fine();
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/dueOn"), "2026-01-12");
    let clocks = seen.at("/problem/clocks").as_array().expect("clocks").clone();
    let told: Vec<_> = clocks.iter().map(|clock| (clock["kind"].clone(), clock["dueAt"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!("DISPATCH"), shown("2026-01-06T09:00")),
            (json!("RESPONSE"), shown("2026-01-06T12:00")),
            (json!("RESOLUTION"), shown("2026-01-13T00:00")),
        ]
    );
    assert_eq!(clocks[0]["doneAt"], shown("2026-01-05T12:00"));
    assert_eq!((&clocks[1]["doneAt"], &clocks[1]["isLate"]), (&Value::Null, &json!(false)));
    assert_eq!(clocks[2]["organization"]["name"], "成员单位1-632223");

    // Judged more urgent, it is due sooner; a day that is set replaces the limit.
    app.advance(TimeDelta::minutes(1));
    let update = "mutation($input: UpdateProblemInput!) { updateProblem(input: $input) { problem { dueOn version } userErrors { code } } }";
    let version = seen.at("/problem/version").clone();
    let input = json!({ "problemId": id, "expectedVersion": version, "severity": "UTILITIES" });
    let done = app.client(world.committee).send(update, json!({ "input": input })).await.fine();
    assert_eq!(done.at("/updateProblem/problem/dueOn"), "2026-01-06");
    let version = done.at("/updateProblem/problem/version").clone();
    app.advance(TimeDelta::minutes(1));
    let input = json!({ "problemId": id, "expectedVersion": version, "dueOn": "2026-01-08" });
    app.client(world.committee).send(update, json!({ "input": input })).await.fine();
    let moves = see(&app, world.observer, row.id).await.at("/problem/deadlineMoves").clone();
    let of = |clock: &str| -> Vec<Value> {
        moves.as_array().expect("moves").iter().filter(|one| one["clock"] == clock).cloned().collect()
    };
    let causes = |moves: &[Value]| -> Vec<Value> { moves.iter().map(|one| one["cause"].clone()).collect() };
    let (resolution, response) = (of("RESOLUTION"), of("RESPONSE"));
    assert_eq!(causes(&resolution), ["PROBLEM_ASSIGNED", "PROBLEM_UPDATED", "PROBLEM_UPDATED"]);
    let (before, after) = (&resolution[1]["dueBefore"], &resolution[1]["dueAfter"]);
    assert_eq!((before, after), (&shown("2026-01-13T00:00"), &shown("2026-01-06T12:00")));
    assert_eq!(resolution[2]["dueAfter"], shown("2026-01-09T00:00"));
    // Whoever has not answered yet has less time for that too.
    assert_eq!(causes(&response), ["PROBLEM_ASSIGNED", "PROBLEM_UPDATED"]);
    assert_eq!(response[1]["dueBefore"], shown("2026-01-06T12:00"));
    assert!(response[1]["dueAfter"].as_str() < response[1]["dueBefore"].as_str(), "{response:?}");

    // Whoever declines does not stop the clock for the next.
    step(&app, world.staff, "declineProblem", &json!(id), json!({ "reason": "非我单位职责" })).await.fine();
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(
        seen.at("/problem/clocks/0/dueAt"),
        &shown("2026-01-05T14:02"),
        "two hours for the committee to decide"
    );
    assert_eq!(seen.at("/problem/clocks").as_array().map(Vec::len), Some(1));
    let unit = json!({ "leadOrganizationId": id::encode(world.members[2]) });
    step(&app, world.committee, "assignProblem", &json!(id), unit).await.fine();
    assert_eq!(see(&app, world.observer, row.id).await.at("/problem/dueOn"), "2026-01-08");
}

#[tokio::test]
async fn what_passes_unmet_is_noted_once_and_supervised_level_by_level() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // Nobody assigns this one: it is the committee that is late, and nobody to supervise.
    let idle = problem_in(&app, &world, State::Registered).await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let met = problem_in(&app, &world, State::Submitted).await;
    app.run_background().await;
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM breach").await, 0);

    app.set_now(at("2026-01-06T09:01"));
    app.run_background().await;
    let seen = see(&app, world.observer, idle.id).await;
    assert_eq!(
        seen.at("/problem/breaches"),
        &json!([
            { "clock": "DISPATCH", "round": 1, "dueAt": shown("2026-01-06T09:00"), "organization": null }
        ])
    );
    assert_eq!(seen.at("/problem/supervisionNotices"), &json!([]));

    // Reminded three days before, once.
    let rung = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_due'";
    assert_eq!(count(&app, rung).await, 0);
    app.set_now(at("2026-01-10T00:00"));
    app.run_background().await;
    app.run_background().await;
    assert_eq!(count(&app, rung).await, 1, "what is submitted needs no reminder");

    app.set_now(at("2026-01-13T00:00"));
    app.run_background().await;
    app.run_background().await;
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/breaches/0/clock"), "RESOLUTION");
    assert_eq!(seen.at("/problem/breaches/0/organization/name"), "成员单位1-632223");
    let notice = seen.at("/problem/supervisionNotices/0").clone();
    assert_eq!(
        (&notice["number"], &notice["level"], &notice["colour"]),
        (&json!("督〔2026〕0001号"), &json!(1), &json!("YELLOW"))
    );
    assert_eq!((&notice["replyBy"], &notice["isAutomatic"]), (&json!("2026-01-16"), &json!(true)));
    assert_eq!(see(&app, world.observer, met.id).await.at("/problem/breaches"), &json!([]));

    // What comes back after its deadline is late at once: rework is the unit's.
    let back = json!({ "reason": "证据不足" });
    step(&app, world.verifier, "returnProblem", &json!(id::encode(met.id)), back).await.fine();
    app.run_background().await;
    let returned = see(&app, world.observer, met.id).await;
    assert_eq!(returned.at("/problem/supervisionNotices/0/number"), "督〔2026〕0002号");

    // Who it is addressed to answers it, once.
    let answer = json!({ "noticeId": notice["id"], "answer": "材料延误，十五日前办结" });
    let input = "AnswerSupervisionNoticeInput";
    for who in [world.committee, world.other_staff, world.verifier, world.observer] {
        let refused = send(&app, who, "answerSupervisionNotice", input, answer.clone()).await;
        assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"));
    }
    let refused = send(&app, world.stranger, "answerSupervisionNotice", input, answer.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("NOT_FOUND"));
    let mut stale = answer.clone();
    stale["expectedVersion"] = json!(7);
    let refused = send(&app, world.staff, "answerSupervisionNotice", input, stale).await;
    assert_eq!(refused.code().as_deref(), Some("VERSION_CONFLICT"));
    send(&app, world.staff, "answerSupervisionNotice", input, answer.clone()).await.fine();
    let again = send(&app, world.staff, "answerSupervisionNotice", input, answer).await;
    assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));

    // Three days later the next level follows, then the last, and no more.
    for (now, level, name) in [("2026-01-16T00:00", 2, "约谈"), ("2026-01-20T00:00", 3, "通报")] {
        app.set_now(at(now));
        app.run_background().await;
        app.run_background().await;
        let seen = see(&app, world.observer, row.id).await;
        let notices = seen.at("/problem/supervisionNotices").as_array().expect("notices").clone();
        assert_eq!(notices.len(), level);
        assert_eq!(
            (&notices[level - 1]["name"], &notices[level - 1]["level"]),
            (&json!(name), &json!(level))
        );
    }
    app.advance(TimeDelta::days(300));
    app.run_background().await;
    assert_eq!(
        see(&app, world.observer, row.id).await.at("/problem/supervisionNotices").as_array().map(Vec::len),
        Some(3)
    );

    // Finished at last, it was late all the same.
    show_closure(&app, &world, row.id).await;
    moves::submit(&app.ctx(world.staff), which(row.id)).await.expect("submitted");
    app.run_background().await;
    assert_eq!(
        see(&app, world.observer, row.id).await.at("/problem/breaches").as_array().map(Vec::len),
        Some(1)
    );
    let kept = app.sql("DELETE FROM breach").await.expect_err("a breach stays");
    assert!(kept.to_string().contains("a breach stays on record"), "{kept}");
    assert!(app.sql("UPDATE breach SET round = 2").await.is_err());
    // The numbers have no gap.
    let gaps = "SELECT MAX(seq) - COUNT(*) AS n FROM supervision_notice";
    assert_eq!(count(&app, gaps).await, 0);
}

#[tokio::test]
async fn two_nodes_and_a_clock_that_jumps_note_each_breach_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut rows: Vec<Model> = Vec::new();
    for _ in 0..12 {
        rows.push(problem_in(&app, &world, State::Assigned).await);
    }
    let hands = async |app: &TestApp| {
        let (one, two): (Ctx, Ctx) = (app.system(), app.system());
        let run = async |ctx: &Ctx| while supervision::watch(ctx).await.expect("the hand works") > 0 {};
        futures_util::join!(run(&one), run(&two));
    };
    // A day ahead and back again, a month ahead and back again.
    for now in
        ["2026-01-06T10:00", "2026-01-05T10:00", "2026-02-05T10:00", "2026-01-05T11:00", "2026-01-13T00:00"]
    {
        app.set_now(at(now));
        hands(&app).await;
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM breach").await, 24, "response and resolution of each");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM supervision_notice WHERE level = 1").await, 24);
    let doubled = "SELECT COUNT(*) AS n FROM (SELECT breach_id, level FROM supervision_notice GROUP BY breach_id, level HAVING COUNT(*) > 1) AS twice";
    assert_eq!(count(&app, doubled).await, 0);
    assert_eq!(count(&app, "SELECT MAX(seq) - COUNT(*) AS n FROM supervision_notice").await, 0);
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_breached'";
    assert_eq!(count(&app, told).await, 24);
}

#[tokio::test]
async fn more_time_is_asked_for_granted_and_counted() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let ask = |until: &str| json!({ "problemId": id::encode(row.id), "until": until, "reason": "材料未到" });
    let request = async |who, until: &str| {
        send(&app, who, "requestExtension", "RequestExtensionInput", ask(until)).await
    };
    for who in [world.committee, world.other_staff, world.observer, world.verifier] {
        assert_eq!(request(who, "2026-01-20").await.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(request(world.stranger, "2026-01-20").await.code().as_deref(), Some("NOT_FOUND"));
    assert_eq!(request(world.staff, "2026-01-12").await.code().as_deref(), Some("TOO_EARLY"));
    assert_eq!(request(world.staff, "2046-01-12").await.code().as_deref(), Some("OUT_OF_RANGE"));
    let asked = request(world.staff, "2026-01-20").await.fine();
    let extension = asked.at("/requestExtension/extension/id").clone();
    assert_eq!(request(world.manager, "2026-01-22").await.code().as_deref(), Some("ALREADY_EXISTS"));

    let grant = async |who, more: Value| {
        let mut input = json!({ "extensionId": extension });
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            input[name] = value;
        }
        send(&app, who, "grantExtension", "GrantExtensionInput", input).await
    };
    for who in [world.staff, world.manager, world.approver, world.county_committee] {
        assert_eq!(grant(who, json!({})).await.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(
        grant(world.committee, json!({ "until": "2026-01-11" })).await.code().as_deref(),
        Some("TOO_EARLY")
    );
    assert_eq!(
        grant(world.committee, json!({ "expectedVersion": 9 })).await.code().as_deref(),
        Some("VERSION_CONFLICT")
    );
    app.advance(TimeDelta::minutes(1));
    let granted =
        grant(world.committee, json!({ "until": "2026-01-18", "decision": "同意延至十八日" })).await.fine();
    assert_eq!(granted.text("/grantExtension/extension/grantedUntil"), "2026-01-18");
    assert_eq!(grant(world.committee, json!({})).await.code().as_deref(), Some("STATE_REFUSED"));
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/dueOn"), "2026-01-18");
    assert_eq!(seen.at("/problem/clocks/2/dueAt"), &shown("2026-01-19T00:00"));
    assert_eq!(seen.at("/problem/extensions/0/dueBefore"), &shown("2026-01-13T00:00"));
    let moves = seen.at("/problem/deadlineMoves").as_array().expect("moves").clone();
    assert_eq!(moves.last().expect("a move")["cause"], "EXTENSION_GRANTED");

    app.set_now(at("2026-01-13T00:00"));
    app.run_background().await;
    assert_eq!(see(&app, world.observer, row.id).await.at("/problem/breaches"), &json!([]));
    app.set_now(at("2026-01-19T00:00"));
    app.run_background().await;
    assert_eq!(
        see(&app, world.observer, row.id).await.at("/problem/breaches").as_array().map(Vec::len),
        Some(1)
    );

    // A second request, refused with a reason; what was late stays late.
    let asked = request(world.staff, "2026-01-25").await.fine();
    let second = asked.at("/requestExtension/extension/id");
    let no = json!({ "extensionId": second, "reason": "已延期一次" });
    send(&app, world.committee, "refuseExtension", "RefuseExtensionInput", no).await.fine();
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/extensions/1/state"), "REFUSED");
    assert_eq!(seen.at("/problem/extensions/1/decision"), "已延期一次");
    assert_eq!(seen.at("/problem/breaches").as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_request_ends_with_its_assignment_and_nobody_gives_their_own_unit_time() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Assigned).await;
    let id = json!(id::encode(row.id));
    let ask = json!({ "problemId": id, "until": "2026-01-20", "reason": "材料未到" });
    let request = async |who| send(&app, who, "requestExtension", "RequestExtensionInput", ask.clone()).await;
    let old = request(world.staff).await.fine().at("/requestExtension/extension/id").clone();
    app.advance(TimeDelta::minutes(1));
    step(&app, world.committee, "recallProblem", &id, json!({ "reason": "改派" })).await.fine();
    let first = async || see(&app, world.observer, row.id).await.at("/problem/extensions/0/state").clone();
    assert_eq!(first().await, "LAPSED");
    let again = json!({ "leadOrganizationId": id::encode(world.members[1]) });
    step(&app, world.committee, "assignProblem", &id, again).await.fine();
    let grant = json!({ "extensionId": old });
    let stale = send(&app, world.committee, "grantExtension", "GrantExtensionInput", grant).await;
    assert_eq!(stale.code().as_deref(), Some("STATE_REFUSED"));
    request(world.staff).await.fine();
    let seen = see(&app, world.observer, row.id).await;
    let states: Vec<_> = seen
        .at("/problem/extensions")
        .as_array()
        .expect("requests")
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states.iter().filter(|state| *state == "LAPSED").count(), 1, "{states:?}");
    assert_eq!(states.iter().filter(|state| *state == "ASKED").count(), 1, "{states:?}");

    // The committee's own unit leads: nobody of it moves its deadline, by whatever verb.
    let own = problem_in(&app, &world, State::Triaged).await;
    let lead = world.members[0];
    moves::assign(&app.ctx(world.committee), which(own.id), lead, None).await.expect("assigned");
    let (ctx, day) = (app.ctx(world.committee), "2026-02-01".parse().expect("a day"));
    let extended = problem::extend::extend(&ctx, which(own.id), day, "材料未到").await;
    assert!(extended.is_err_and(|error| error.code() == concord::domain::Code::NotIndependent));
    let change = problem::edit::ProblemChange {
        due_on: concord::domain::list::priority_task::Edit::To(day),
        ..problem::edit::ProblemChange::default()
    };
    let version = problem::find(&app.system(), own.id).await.expect("a read").expect("a problem").version;
    let edited = problem::edit::update(&ctx, own.id, version, change).await;
    assert!(edited.is_err_and(|error| error.code() == concord::domain::Code::NotIndependent));
}

#[tokio::test]
async fn a_committee_supervises_by_hand() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    let issue = async |who, unit: usize, more: Value| {
        let mut input = json!({ "problemId": id::encode(row.id), "organizationId": id::encode(world.members[unit]), "demand": "三日内说明进展" });
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            input[name] = value;
        }
        send(&app, who, "issueSupervisionNotice", "IssueSupervisionNoticeInput", input).await
    };
    for who in [world.staff, world.approver, world.verifier, world.county_committee] {
        assert_eq!(issue(who, 1, json!({})).await.code().as_deref(), Some("FORBIDDEN"));
    }
    assert_eq!(issue(world.stranger, 1, json!({})).await.code().as_deref(), Some("NOT_FOUND"));
    let other = issue(world.committee, 2, json!({})).await;
    assert_eq!(other.code().as_deref(), Some("NOT_RESPONSIBLE"));
    assert_eq!(other.text("/issueSupervisionNotice/userErrors/0/field"), "input.organizationId");
    let past = issue(world.committee, 1, json!({ "replyBy": "2026-01-04" })).await;
    assert_eq!(past.text("/issueSupervisionNotice/userErrors/0/field"), "input.replyBy");
    let done = issue(world.committee, 1, json!({ "replyBy": "2026-01-08" })).await.fine();
    assert_eq!(done.text("/issueSupervisionNotice/supervisionNotice/number"), "督〔2026〕0001号");
    // The same again says nothing new, and takes no number.
    let again = issue(world.committee, 1, json!({})).await;
    assert_eq!(again.code().as_deref(), Some("NOTICE_UNANSWERED"));

    let list = "query($filter: SupervisionNoticeFilter) { supervisionNotices(filter: $filter, first: 5) { totalCount nodes { number isReplyOverdue } } }";
    let read =
        async |who, filter: Value| app.client(who).send(list, json!({ "filter": filter })).await.fine();
    app.set_now(at("2026-01-09T00:00"));
    let seen =
        read(world.staff, json!({ "organizationId": id::encode(world.members[1]), "answered": false })).await;
    assert_eq!(seen.at("/supervisionNotices/nodes/0/isReplyOverdue"), true);
    assert_eq!(read(world.staff, json!({ "answered": true })).await.at("/supervisionNotices/totalCount"), 0);
    assert_eq!(read(world.stranger, json!({})).await.at("/supervisionNotices/totalCount"), 0);
    assert_eq!(app.anonymous().send(list, json!({})).await.code().as_deref(), Some("UNAUTHENTICATED"));
    // Answered, the next may follow; on account, nothing is demanded.
    let answer =
        json!({ "noticeId": done.at("/issueSupervisionNotice/supervisionNotice/id"), "answer": "材料已到" });
    let input = "AnswerSupervisionNoticeInput";
    send(&app, world.staff, "answerSupervisionNotice", input, answer).await.fine();
    let next = issue(world.committee, 1, json!({})).await.fine();
    assert_eq!(next.text("/issueSupervisionNotice/supervisionNotice/number"), "督〔2026〕0002号");
    let hold = json!({ "reason": "待雨季后", "reviewOn": "2026-03-01" });
    step(&app, world.committee, "holdProblem", &json!(id::encode(row.id)), hold).await.fine();
    let held = issue(world.committee, 1, json!({})).await;
    assert_eq!(held.code().as_deref(), Some("STATE_REFUSED"));
}

#[tokio::test]
async fn a_deadline_in_an_unpublished_year_causes_nothing_until_it_is_known() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let rules = json!([{ "clock": "RESOLUTION", "amount": 5, "unit": "WORKING_DAYS" }]);
    set(&app, world.committee, &world, json!({ "rules": rules })).await.fine();
    app.set_now(at("2026-12-28T10:00"));
    let row = problem_in(&app, &world, State::InProgress).await;
    let seen = see(&app, world.observer, row.id).await;
    // 29 to 31 December, then 1 and 4 January by the plain week.
    assert_eq!(seen.at("/problem/clocks/2/dueAt"), &shown("2027-01-05T00:00"));
    assert_eq!(seen.at("/problem/clocks/2/isProvisional"), true);
    app.set_now(at("2027-01-06T10:00"));
    app.run_background().await;
    assert_eq!(see(&app, world.observer, row.id).await.at("/problem/breaches"), &json!([]));

    let off =
        |day: &str| NewDay { on: day.parse().expect("a day"), kind: Kind::Off, name: "假日".to_owned() };
    let days = ["2027-01-01", "2027-02-05", "2027-02-06", "2027-05-01", "2027-10-01"].map(off).to_vec();
    import_year(&app.system(), None, 2027, days).await.expect("a year");
    app.run_background().await;
    let seen = see(&app, world.observer, row.id).await;
    // New Year is off: the fifth working day is the 5th, which ended before the year was known.
    assert_eq!(seen.at("/problem/clocks/2/dueAt"), &shown("2027-01-06T00:00"));
    assert_eq!(seen.at("/problem/dueOn"), "2027-01-05");
    assert_eq!(seen.at("/problem/clocks/2/isProvisional"), false);
    let moves = seen.at("/problem/deadlineMoves").as_array().expect("moves").clone();
    assert_eq!(moves.last().expect("a move")["cause"], "DEADLINES_RECALCULATED");
    assert_eq!(seen.at("/problem/breaches").as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_held_stands_still_and_gets_its_time_back() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::InProgress).await;
    app.set_now(at("2026-01-08T10:00"));
    let hold = problem::on_account::NewHold {
        reason: "等待冻土解冻".to_owned(),
        organization_id: None,
        review_on: "2026-03-01".parse().expect("a day"),
    };
    problem::on_account::hold(&app.ctx(world.committee), which(row.id), hold).await.expect("held");
    app.set_now(at("2026-02-20T10:00"));
    app.run_background().await;
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/clocks/2/pausedAt"), &shown("2026-01-08T10:00"));
    assert_eq!(
        (seen.at("/problem/breaches"), seen.at("/problem/clocks/2/isLate")),
        (&json!([]), &json!(false))
    );
    problem::on_account::resume(&app.ctx(world.committee), which(row.id)).await.expect("resumed");
    let seen = see(&app, world.observer, row.id).await;
    // Forty-three midnights passed meanwhile.
    assert_eq!(seen.at("/problem/clocks/2/dueAt"), &shown("2026-02-25T00:00"));
    assert_eq!(seen.at("/problem/dueOn"), "2026-02-24");
    let moves = seen.at("/problem/deadlineMoves").as_array().expect("moves").clone();
    let last = moves.last().expect("a move");
    assert_eq!((&last["cause"], &last["dueBefore"]), (&json!("PROBLEM_RESUMED"), &shown("2026-01-13T00:00")));
    app.set_now(at("2026-02-25T00:00"));
    app.run_background().await;
    assert_eq!(
        see(&app, world.observer, row.id).await.at("/problem/breaches").as_array().map(Vec::len),
        Some(1)
    );
}

#[tokio::test]
async fn a_joint_unit_gets_back_the_time_in_which_it_could_not_accept_and_moves_with_the_whole() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Triaged).await;
    let (committee, joint) = (app.ctx(world.committee), [world.members[2]]);
    let due = "2026-01-20".parse().ok();
    moves::assign_jointly(&committee, which(row.id), world.members[1], &joint, due).await.expect("assigned");
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
    let clocks = async || {
        use concord_entities::problem_responsible::Entity;
        let unit = Entity::find_by_id((row.id, world.members[2])).one(&app.app.read).await;
        let unit = unit.expect("a read").expect("a unit");
        (unit.response_due_at.expect("a response"), unit.resolution_due_at.expect("a resolution"))
    };
    let (response, resolution) = clocks().await;
    let hold = problem::on_account::NewHold {
        reason: "等待冻土解冻".to_owned(),
        organization_id: None,
        review_on: "2026-03-01".parse().expect("a day"),
    };
    problem::on_account::hold(&committee, which(row.id), hold).await.expect("held");
    app.advance(TimeDelta::days(5));
    app.run_background().await;
    problem::on_account::resume(&committee, which(row.id)).await.expect("resumed");
    app.run_background().await;
    assert_eq!(clocks().await, (response + TimeDelta::days(5), resolution + TimeDelta::days(5)));
    assert_eq!(see(&app, world.observer, row.id).await.at("/problem/breaches"), &json!([]));
    let later = "2026-02-13".parse().expect("a day");
    problem::extend::extend(&committee, which(row.id), later, "材料未到").await.expect("extended");
    let found = problem::find(&app.system(), row.id).await.expect("a read").expect("a problem");
    let lead = concord_entities::problem_responsible::Entity::find_by_id((row.id, world.members[1]));
    let lead = lead.one(&app.app.read).await.expect("a read").expect("a unit");
    assert_eq!((found.due_on, Some(clocks().await.1)), (Some(later), lead.resolution_due_at));
}

#[tokio::test]
async fn each_joint_unit_has_clocks_of_its_own_and_a_tier_moves_them() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let rules = json!([{ "clock": "RESOLUTION", "tier": "HARD", "amount": 20, "unit": "DAYS" }]);
    set(&app, world.committee, &world, json!({ "rules": rules })).await.fine();
    let row = problem_in(&app, &world, State::Triaged).await;
    let (lead, joint) = (world.members[1], world.members[2]);
    moves::assign_jointly(&app.ctx(world.committee), which(row.id), lead, &[joint], None)
        .await
        .expect("assigned");
    let seen = see(&app, world.observer, row.id).await;
    let owners: Vec<_> = seen
        .at("/problem/clocks")
        .as_array()
        .expect("clocks")
        .iter()
        .map(|clock| (clock["kind"].clone(), clock["organization"]["name"].clone()))
        .collect();
    let [one, two] = ["成员单位1-632223", "成员单位2-632223"].map(|name| json!(name));
    assert_eq!(
        owners[1..],
        [
            (json!("RESPONSE"), one.clone()),
            (json!("RESOLUTION"), one.clone()),
            (json!("RESPONSE"), two.clone()),
            (json!("RESOLUTION"), two.clone()),
        ]
    );
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("accepted");
    app.set_now(at("2026-01-06T09:01"));
    app.run_background().await;
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/breaches").as_array().map(Vec::len), Some(1));
    assert_eq!(seen.at("/problem/breaches/0/organization/name"), &two, "the lead accepted in time");

    let settled = problem::tiers::Settled {
        reason: Some("需协商".to_owned()),
        ..problem::tiers::Settled::default()
    };
    let hard = concord_entities::problem::Tier::Hard;
    problem::tiers::move_tier(&app.ctx(world.committee), which(row.id), hard, settled).await.expect("moved");
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/dueOn"), "2026-01-25");
    for clock in [2, 4] {
        assert_eq!(seen.at(&format!("/problem/clocks/{clock}/dueAt")), &shown("2026-01-26T00:00"));
    }
}

#[tokio::test]
async fn an_urgent_matter_has_hours() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let new = problem::NewProblem { severity: Severity::LifeSafety, ..pothole(&world) };
    let row = problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
    assert_eq!(row.dispatch_due_at, Some(at("2026-01-05T10:00")));
    let id = json!(id::encode(row.id));
    step(&app, world.committee, "triageProblem", &id, triage()).await.fine();
    let unit = json!({ "leadOrganizationId": id::encode(world.members[1]) });
    step(&app, world.committee, "assignProblem", &id, unit).await.fine();
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/clocks/2/dueAt"), &shown("2026-01-05T11:00"));
    app.set_now(at("2026-01-05T10:00"));
    app.run_background().await;
    // Half of two hours have passed: it is reminded, and it has not been accepted in time.
    let rung = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_due'";
    assert_eq!(count(&app, rung).await, 1);
    let seen = see(&app, world.observer, row.id).await;
    assert_eq!(seen.at("/problem/breaches/0/clock"), "RESPONSE");
}
