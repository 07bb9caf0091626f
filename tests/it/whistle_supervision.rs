//! Supervision of whistles: numbered notices about calls, in one list with those about problems; deadlines as each alliance sets
//! them; and what was handed up to the alliance above comes back.

use chrono::TimeDelta;
use concord::{
    domain::{
        governance::membership::{self, Contact},
        list::supervision,
        whistle::{self, NewWhistle, answer, steps, watch},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, WhistleId},
    problem,
    seat::Role,
    supervision_notice,
    whistle::Kind,
    whistle_response::State,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    mobilization_reach::founded,
    problem::{count, problem_in},
    whistle::{bring, call, calls, flood, here, person, plain, send, sounded, well_done, which},
    whistle_call::county_unit,
};

const NOTICES: &str = "SELECT COUNT(*) AS n FROM supervision_notice WHERE whistle_id IS NOT NULL";

async fn notices(app: &TestApp, who: AccountId, of: WhistleId) -> Vec<Value> {
    let query = "query($id: ID!) {
        whistle(id: $id) { supervisionNotices { id number level name isAutomatic answeredAt alliance { name } problem { id }
            organization { name } whistleResponse { id state } } }
        supervisionNotices(filter: { whistleId: $id }) { totalCount nodes { id } } }";
    let found = app.client(who).send(query, json!({ "id": id::encode(of) })).await.fine();
    let shown = found.at("/whistle/supervisionNotices").as_array().expect("notices").clone();
    assert_eq!(found.at("/supervisionNotices/totalCount"), shown.len());
    shown
}

async fn answer_notice(app: &TestApp, who: AccountId, notice: &Value) -> Answer {
    let query = "mutation($input: AnswerSupervisionNoticeInput!) { answerSupervisionNotice(input: $input) {
        supervisionNotice { answer answeredAt } userErrors { code field } } }";
    let input = json!({ "noticeId": notice["id"], "answer": "今日内到场" });
    app.client(who).send(query, json!({ "input": input })).await
}

#[tokio::test]
async fn a_missed_deadline_demands_an_answer_once_a_level() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let about_problem = problem_in(&app, &world, problem::State::InProgress).await;
    let unit = about_problem.lead_organization_id.expect("a unit");
    supervision::issue(&app.ctx(world.committee), about_problem.id, unit, "请说明", None)
        .await
        .expect("a notice about a problem");
    let units = [world.members[1], world.members[2]];
    let (row, made) = sounded(&app, &world, Kind::Emergency, &units, None).await;
    answer::report_in(&app.ctx(world.staff), call(made[0].id), &here()).await.expect("reported in");
    app.advance(TimeDelta::minutes(31));
    // Two nodes look at once.
    let system = app.system();
    let (one, other) = futures_util::join!(watch::watch(&system), watch::watch(&system));
    one.and(other).expect("both look");
    app.run_background().await;
    assert_eq!(count(&app, NOTICES).await, 1);
    let shown = notices(&app, world.committee, row.id).await;
    // One sequence with the notices about problems.
    assert_eq!(shown[0]["number"], "督〔2026〕0002号");
    assert_eq!((&shown[0]["level"], &shown[0]["isAutomatic"]), (&json!(1), &json!(true)));
    assert_eq!(shown[0]["organization"]["name"], "成员单位2-632223");
    assert_eq!(shown[0]["whistleResponse"]["state"], "CALLED");
    assert!(shown[0]["problem"].is_null());
    // The unit is told, and answers, once.
    let inbox = app.client(world.other_staff).run("{ inbox { nodes { event { kind } } } }").await;
    assert!(inbox.at("/inbox/nodes").to_string().contains("SUPERVISION_NOTICE_ISSUED"), "{}", inbox.0);
    for (who, expected) in
        [(world.staff, "FORBIDDEN"), (world.committee, "FORBIDDEN"), (world.stranger, "NOT_FOUND")]
    {
        assert_eq!(answer_notice(&app, who, &shown[0]).await.code().as_deref(), Some(expected));
    }
    answer_notice(&app, world.other_staff, &shown[0]).await.fine();
    let again = answer_notice(&app, world.other_staff, &shown[0]).await;
    assert_eq!(again.code().as_deref(), Some("STATE_REFUSED"));
    let inbox = app.client(world.committee).run("{ inbox { nodes { event { kind } } } }").await;
    assert!(!inbox.at("/inbox/nodes").to_string().contains("SUPERVISION_NOTICE_ANSWERED"));
    app.run_background().await;
    let inbox = app.client(world.committee).run("{ inbox { nodes { event { kind } } } }").await;
    assert!(inbox.at("/inbox/nodes").to_string().contains("SUPERVISION_NOTICE_ANSWERED"));
    // Three days on it has still not come; whoever came has not resolved the matter.
    app.advance(TimeDelta::days(3));
    for _ in 0..3 {
        app.run_background().await;
    }
    let levels = |shown: &[Value]| -> Vec<(String, i64)> {
        let mut all: Vec<_> = shown
            .iter()
            .map(|one| {
                let unit = one["organization"]["name"].as_str().expect("a name").to_owned();
                (unit, one["level"].as_i64().expect("a level"))
            })
            .collect();
        all.sort();
        all
    };
    let (first, second) = ("成员单位1-632223".to_owned(), "成员单位2-632223".to_owned());
    let shown = notices(&app, world.committee, row.id).await;
    // For the second one: late to report in, at two levels, and late to resolve.
    let expected = [(first.clone(), 1), (second.clone(), 1), (second.clone(), 1), (second, 2)];
    assert_eq!(levels(&shown), expected);
    // Whoever is done, or is called no more, is asked for nothing further.
    let town = app.ctx(world.committee);
    bring(&app, &app.ctx(world.staff), &town, made[0].id, State::ClaimedResolved).await;
    answer::excuse(&town, call(made[1].id), "已由他人到场").await.expect("excused");
    app.advance(TimeDelta::days(30));
    for _ in 0..3 {
        app.run_background().await;
    }
    assert_eq!(notices(&app, world.committee, row.id).await.len(), 4);
    // What comes back is not done, and long past the day of every level; each leaves the time to answer it.
    answer::return_claim(&town, call(made[0].id), "未清").await.expect("returned");
    app.run_background().await;
    assert_eq!(notices(&app, world.committee, row.id).await.len(), 5);
    app.advance(TimeDelta::days(30));
    app.run_background().await;
    let shown = notices(&app, world.committee, row.id).await;
    let of_first: Vec<i64> =
        levels(&shown).into_iter().filter(|(unit, _)| *unit == first).map(|(_, level)| level).collect();
    assert_eq!((of_first, shown.len()), (vec![1, 2, 3], 6));
    assert_eq!(count(&app, "SELECT MAX(seq) - COUNT(*) AS n FROM supervision_notice").await, 0);
    let doubled = "SELECT COUNT(*) AS n FROM (SELECT whistle_breach_id, level FROM supervision_notice
        WHERE whistle_id IS NOT NULL GROUP BY whistle_breach_id, level HAVING COUNT(*) > 1) AS twice";
    assert_eq!(count(&app, doubled).await, 0);
}

#[tokio::test]
async fn who_was_called_from_above_answers_there() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    let unit = county_unit(&app, &world, "县住建局").await;
    let bureau = person(&app, "bureau", world.county, Role::MemberStaff, Some(unit)).await;
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await.expect("called");
    app.advance(TimeDelta::hours(25));
    app.run_background().await;
    let shown = notices(&app, world.committee, row.id).await;
    // Each by who called it, under its own numbers; the town sees both.
    let numbers: Vec<_> = shown.iter().map(|one| one["number"].as_str().expect("a number")).collect();
    assert_eq!(numbers, ["督〔2026〕0001号", "督〔2026〕0001号"]);
    assert_eq!(shown.iter().filter(|one| one["alliance"]["name"] == "西海镇联盟").count(), 1);
    let seen = notices(&app, world.county_committee, row.id).await;
    let own = seen.iter().find(|one| one["alliance"]["name"] == "海晏县联盟").expect("the county's");
    assert_eq!(seen.len(), 2);
    assert_eq!(answer_notice(&app, world.staff, own).await.code().as_deref(), Some("FORBIDDEN"));
    assert_eq!(answer_notice(&app, other.committee, own).await.code().as_deref(), Some("NOT_FOUND"));
    answer_notice(&app, bureau, own).await.fine();
    let kinds = "SELECT COUNT(*) AS n FROM event WHERE kind = 'supervision_notice_answered'";
    // In the town's chain and in the county's.
    assert_eq!(count(&app, kinds).await, 2);
}

#[tokio::test]
async fn that_a_called_unit_did_not_answer_is_on_record_in_both_chains() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    let unit = county_unit(&app, &world, "县住建局").await;
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await.expect("called");
    app.advance(TimeDelta::hours(25));
    app.run_background().await;
    let shown = notices(&app, world.committee, row.id).await;
    assert_eq!(shown.len(), 2);
    // Three days, and the last of them is over.
    app.advance(TimeDelta::days(4));
    for _ in 0..2 {
        app.run_background().await;
    }
    let kinds = "SELECT COUNT(*) AS n FROM event WHERE kind = 'supervision_notice_unanswered'";
    // Of the town's own once, of the county's in both chains.
    assert_eq!(count(&app, kinds).await, 3);
    let noted = "SELECT COUNT(*) AS n FROM supervision_notice WHERE level = 1 AND unanswered_at IS NOT NULL";
    assert_eq!(count(&app, noted).await, 2);
}

#[tokio::test]
async fn whoever_is_called_no_more_owes_no_answer() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let units = [world.members[1], world.members[2]];
    let (_, made) = sounded(&app, &world, Kind::Emergency, &units, None).await;
    app.advance(TimeDelta::minutes(31));
    app.run_background().await;
    assert_eq!(count(&app, NOTICES).await, 2);
    answer::excuse(&app.ctx(world.committee), call(made[0].id), "误叫").await.expect("excused");
    app.advance(TimeDelta::days(10));
    for _ in 0..2 {
        app.run_background().await;
    }
    let noted = async |of: usize| {
        let first = supervision_notice::Entity::find()
            .filter(supervision_notice::Column::ResponseId.eq(made[of].id))
            .filter(supervision_notice::Column::Level.eq(1))
            .order_by_asc(supervision_notice::Column::Id)
            .one(&app.app.read);
        let first = first.await.expect("a read").expect("a notice");
        (first.unanswered_at.is_some(), first.version)
    };
    assert_eq!((noted(0).await.0, noted(1).await.0), (false, true));
    // What is noted is a change like any other.
    assert_eq!(noted(1).await.1, noted(0).await.1 + 1);
}

async fn set(app: &TestApp, world: &World, who: AccountId, change: Value) -> Answer {
    let query = "mutation($input: SetDeadlinePolicyInput!) { setDeadlinePolicy(input: $input) {
        alliance { deadlinePolicy { whistleRules { clock kind amount unit } whistleRemindHours remindHours } }
        userErrors { code field } } }";
    let mut input = json!({ "allianceId": id::encode(world.town) });
    for (name, value) in change.as_object().expect("changes") {
        input[name] = value.clone();
    }
    app.client(who).send(query, json!({ "input": input })).await
}

#[tokio::test]
async fn an_alliance_sets_by_when_departments_come() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let rule = |clock: &str, kind: Option<&str>, amount: i64, unit: &str| json!({ "clock": clock, "kind": kind, "amount": amount, "unit": unit });
    for (rules, code, field) in [
        (json!([rule("REPORT_IN", None, 0, "MINUTES")]), "OUT_OF_RANGE", "whistleRules.0.amount"),
        (json!([rule("RESOLVE", None, -1, "DAYS")]), "OUT_OF_RANGE", "whistleRules.0.amount"),
        (json!([rule("RESOLVE", None, 366, "DAYS")]), "OUT_OF_RANGE", "whistleRules.0.amount"),
        (
            json!([rule("RESOLVE", None, 1, "DAYS"), rule("RESOLVE", None, 2, "HOURS")]),
            "ALREADY_EXISTS",
            "whistleRules.1",
        ),
    ] {
        let refused = set(&app, &world, world.committee, json!({ "whistleRules": rules })).await;
        assert_eq!(refused.code().as_deref(), Some(code), "{rules}");
        assert_eq!(refused.text("/setDeadlinePolicy/userErrors/0/field"), format!("input.{field}"));
    }
    let hours = set(&app, &world, world.committee, json!({ "whistleRemindHours": -1 })).await;
    assert_eq!(hours.text("/setDeadlinePolicy/userErrors/0/field"), "input.whistleRemindHours");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM deadline_policy").await, 0);
    let (_, before) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let rules =
        json!([rule("REPORT_IN", Some("ENFORCEMENT"), 90, "MINUTES"), rule("RESOLVE", None, 2, "DAYS")]);
    let change = json!({ "whistleRules": rules, "whistleRemindHours": 6 });
    assert_eq!(set(&app, &world, world.staff, change.clone()).await.code().as_deref(), Some("FORBIDDEN"));
    let done = set(&app, &world, world.committee, change).await.fine();
    let policy = done.at("/setDeadlinePolicy/alliance/deadlinePolicy");
    assert_eq!((&policy["whistleRules"], &policy["whistleRemindHours"]), (&rules, &json!(6)));
    // The problems' own settings stay as they were.
    assert_eq!(policy["remindHours"], 72);
    // What runs keeps its deadlines.
    assert_eq!(calls(&app, before[0].whistle_id).await, before);
    let (_, made) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    assert_eq!(made[0].report_in_due_at - made[0].called_at, TimeDelta::minutes(90));
    // The day after tomorrow ends at Beijing's midnight.
    assert_eq!(made[0].resolve_due_at.to_rfc3339(), "2026-01-07T16:00:00+00:00");
    assert_eq!(made[0].remind_at.map(|at| made[0].resolve_due_at - at), Some(TimeDelta::hours(6)));
    let (_, made) = sounded(&app, &world, Kind::Emergency, &[world.members[1]], None).await;
    assert_eq!(made[0].report_in_due_at - made[0].called_at, TimeDelta::minutes(30));
}

#[tokio::test]
async fn what_was_handed_up_comes_back() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (town, county) = (app.ctx(world.committee), app.ctx(world.county_committee));
    let (row, _) = sounded(&app, &world, Kind::Enforcement, &[world.members[1]], None).await;
    let back = async |who: AccountId, reason: &str| {
        let input = json!({ "whistleId": id::encode(row.id), "reason": reason });
        send(&app, who, "returnWhistleEscalation", "MoveWhistleWithReasonInput", input).await
    };
    let code = |answer: Answer| answer.code();
    for who in [world.committee, world.county_committee] {
        assert_eq!(code(back(who, "退回").await).as_deref(), Some("NOT_ESCALATED"));
    }
    assert_eq!(code(back(world.staff, "退回").await).as_deref(), Some("FORBIDDEN"));
    steps::escalate(&town, which(row.id), "超出镇级权限").await.expect("escalated");
    let shown = async |who: AccountId| {
        let query = "query($id: ID!) { whistle(id: $id) { escalatedTo { name } escalations { state reason returnReason
            returnedAt to { name } } availableTransitions { mutation available blockers { code } } } }";
        app.client(who).send(query, json!({ "id": id::encode(row.id) })).await.fine().at("/whistle").clone()
    };
    let step = |shown: &Value, mutation: &str| {
        let all = shown["availableTransitions"].as_array().expect("transitions");
        all.iter().find(|one| one["mutation"] == mutation).expect("the step").clone()
    };
    let may_return =
        |shown: &Value| step(shown, "returnWhistleEscalation")["available"].as_bool().expect("yes or no");
    let blocked = |code: &str| json!([{ "code": code }]);
    // Nobody is above the county.
    let further = step(&shown(world.county_committee).await, "escalateWhistle");
    assert_eq!(
        (&further["available"], &further["blockers"]),
        (&json!(false), &blocked("NO_PARENT_ALLIANCE"))
    );
    assert!(may_return(&shown(world.county_committee).await) && !may_return(&shown(world.committee).await));
    // The town does not take it back by itself, and nothing is said without a reason.
    assert_eq!(code(back(world.committee, "退回").await).as_deref(), Some("FORBIDDEN"));
    assert_eq!(code(back(world.stranger, "退回").await).as_deref(), Some("NOT_FOUND"));
    let empty = back(world.county_committee, " ").await;
    assert_eq!(empty.text("/returnWhistleEscalation/userErrors/0/field"), "input.reason");
    let unit = county_unit(&app, &world, "县住建局").await;
    let bureau = app.ctx(person(&app, "bureau", world.county, Role::MemberStaff, Some(unit)).await);
    steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await.expect("called");
    let called =
        calls(&app, row.id).await.into_iter().find(|call| call.organization_id == unit).expect("one");
    assert_eq!(code(back(world.county_committee, "退回").await).as_deref(), Some("UNITS_STILL_CALLED"));
    let held_up = shown(world.county_committee).await;
    assert_eq!(step(&held_up, "returnWhistleEscalation")["blockers"], blocked("UNITS_STILL_CALLED"));
    bring(&app, &bureau, &town, called.id, State::Released).await;
    assert!(may_return(&shown(world.county_committee).await));
    back(world.county_committee, "属镇级职责").await.fine();
    for who in [world.committee, world.county_committee] {
        let shown = shown(who).await;
        assert!(shown["escalatedTo"].is_null());
        let first = &shown["escalations"][0];
        assert_eq!((&first["state"], &first["returnReason"]), (&json!("RETURNED"), &json!("属镇级职责")));
        assert_eq!(first["reason"], "超出镇级权限");
    }
    app.run_background().await;
    let inbox = app.client(world.committee).run("{ inbox { nodes { event { kind } } } }").await;
    assert!(inbox.at("/inbox/nodes").to_string().contains("WHISTLE_ESCALATION_RETURNED"), "{}", inbox.0);
    // The county calls nobody any more, and returns nothing twice.
    let again = steps::call_units(&county, which(row.id), Some(world.county), &[plain(unit)]).await;
    assert_eq!(again.expect_err("handed back").code().text(), "FORBIDDEN");
    assert_eq!(code(back(world.county_committee, "退回").await).as_deref(), Some("NOT_ESCALATED"));
    // It may be handed up once more; both times are on record, and of two who end it at once one wins.
    steps::escalate(&town, which(row.id), "仍超出镇级权限").await.expect("escalated again");
    let (one, other) = futures_util::join!(
        steps::return_escalation(&county, which(row.id), "再退回"),
        steps::call_off(&town, which(row.id), "险情解除"),
    );
    assert!(one.is_ok() || other.is_ok());
    let shown = shown(world.committee).await;
    let states: Vec<_> = shown["escalations"]
        .as_array()
        .expect("both")
        .iter()
        .map(|one| one["state"].as_str().expect("a state"))
        .collect();
    assert_eq!(states, ["RETURNED", if one.is_ok() { "RETURNED" } else { "ENDED" }]);
}

#[tokio::test]
async fn what_went_up_twice_is_called_for_on_each_level_and_comes_back_step_by_step() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    // A town of a county of a city, each with a unit of its own; the county has one more to call later.
    let city = founded(&app, "海北州联盟", world.county_region, None).await;
    let county = founded(&app, "海晏县党建联盟", world.county_region, Some(city)).await;
    let town = founded(&app, "西海镇党建联盟", world.town_region, Some(county)).await;
    let [own, of_county, of_city, later] = [1, 2, 3, 4].map(|place| world.members[place]);
    for (alliance, unit) in [(town, own), (county, of_county), (city, of_city), (county, later)] {
        membership::admit(&app.system(), alliance, unit, Contact::default()).await.expect("a membership");
    }
    let committee = async |name: &str, alliance| {
        let account = person(&app, name, alliance, Role::Committee, None).await;
        (account, app.ctx(account))
    };
    let (below, in_town) = committee("town", town).await;
    let (middle, in_county) = committee("middle", county).await;
    let (top, in_city) = committee("city", city).await;
    let leader = app.ctx(person(&app, "leader", town, Role::Approver, None).await);
    let bureau = app.ctx(person(&app, "bureau", city, Role::MemberStaff, Some(of_city)).await);
    let new = NewWhistle { alliance_id: town, ..flood(&world, Kind::Enforcement) };
    let row = whistle::apply(&in_town, new).await.expect("applied");
    steps::approve(&leader, which(row.id)).await.expect("approved");
    steps::sound(&in_town, which(row.id), &[plain(own)], None).await.expect("sounded");
    let call_up = async |who: AccountId, mutation: &str| {
        let input = json!({ "whistleId": id::encode(row.id), "reason": "超出本级权限" });
        send(&app, who, mutation, "MoveWhistleWithReasonInput", input).await.code()
    };
    let calling = async |who: AccountId, alliance: AllianceId, unit: OrganizationId| {
        let input = json!({ "whistleId": id::encode(row.id), "allianceId": id::encode(alliance),
            "calls": [{ "organizationId": id::encode(unit) }] });
        send(&app, who, "callWhistleUnits", "CallWhistleUnitsInput", input).await.code()
    };
    let refused = |code: &str| Some(code.to_owned());
    // One step up: the county calls its own, and the city neither calls nor is called for.
    assert_eq!(call_up(below, "escalateWhistle").await, None);
    assert_eq!(calling(top, city, of_city).await, refused("FORBIDDEN"));
    assert_eq!(calling(middle, city, of_city).await, refused("NOT_FOUND"));
    assert_eq!(calling(middle, county, of_city).await, refused("NOT_A_MEMBER"));
    assert_eq!(calling(middle, county, of_county).await, None);
    // Two steps up: it goes on from the county alone, and nobody below takes it back.
    assert_eq!(call_up(below, "escalateWhistle").await, refused("FORBIDDEN"));
    assert_eq!(call_up(middle, "escalateWhistle").await, None);
    for who in [below, middle] {
        for step in ["escalateWhistle", "returnWhistleEscalation"] {
            assert_eq!(call_up(who, step).await, refused("FORBIDDEN"), "{step}");
        }
    }
    assert_eq!(call_up(top, "escalateWhistle").await, refused("NO_PARENT_ALLIANCE"));
    // The county between them still calls its own.
    let offered = async |who: AccountId| {
        let query = "query($id: ID!) { whistle(id: $id) { availableTransitions { mutation available } } }";
        let shown = app.client(who).send(query, json!({ "id": id::encode(row.id) })).await.fine();
        let steps = shown.at("/whistle/availableTransitions").as_array().expect("steps").clone();
        let step = steps.into_iter().find(|step| step["mutation"] == "callWhistleUnits").expect("the step");
        step["available"].as_bool().expect("whether")
    };
    assert_eq!([offered(middle).await, offered(top).await, offered(below).await], [true; 3]);
    assert_eq!(calling(middle, county, later).await, None);
    assert_eq!(calling(below, city, of_city).await, refused("FORBIDDEN"));
    app.advance(TimeDelta::minutes(1));
    assert_eq!(calling(top, city, of_city).await, None);
    let of_bureau = calls(&app, row.id).await.pop().expect("the city's");
    assert_eq!((of_bureau.organization_id, of_bureau.member_alliance_id), (of_city, city));
    // Whoever called, the town that blew evaluates and releases.
    assert_eq!(call_up(top, "returnWhistleEscalation").await, refused("UNITS_STILL_CALLED"));
    bring(&app, &bureau, &in_town, of_bureau.id, State::ClaimedResolved).await;
    for above in [&in_county, &in_city] {
        let judged = answer::evaluate(above, call(of_bureau.id), &well_done()).await;
        assert_eq!(judged.expect_err("the town's").code().text(), "FORBIDDEN");
    }
    bring(&app, &bureau, &in_town, of_bureau.id, State::Released).await;
    // One step down, whatever the county's own units still do: the county calls again, the city does not.
    assert_eq!(call_up(top, "returnWhistleEscalation").await, None);
    let at = async || {
        whistle::find(&app.system(), row.id).await.expect("a read").expect("a whistle").escalated_to_id
    };
    assert_eq!(at().await, Some(county));
    assert_eq!(call_up(top, "returnWhistleEscalation").await, refused("FORBIDDEN"));
    assert_eq!(calling(top, city, of_city).await, refused("FORBIDDEN"));
    assert!(!offered(top).await);
    // Both are told that it is the county's again.
    app.run_background().await;
    for who in [below, middle] {
        let inbox = app.client(who).run("{ inbox(first: 1) { nodes { kind } } }").await.fine();
        assert_eq!(inbox.at("/inbox/nodes"), &json!([{ "kind": "RETURNED" }]));
    }
    // And one more, once nobody of the county's is called.
    for unit in [of_county, later] {
        assert_eq!(call_up(middle, "returnWhistleEscalation").await, refused("UNITS_STILL_CALLED"));
        let open = calls(&app, row.id).await.into_iter().find(|call| call.organization_id == unit);
        answer::excuse(&in_town, call(open.expect("a call").id), "无需到场").await.expect("excused");
    }
    assert_eq!(call_up(middle, "returnWhistleEscalation").await, None);
    assert_eq!(at().await, None);
    assert_eq!(calling(middle, county, later).await, refused("FORBIDDEN"));
    let query =
        "query($id: ID!) { whistle(id: $id) { state escalations { from { name } to { name } state } } }";
    let shown = app.client(top).send(query, json!({ "id": id::encode(row.id) })).await.fine();
    let step =
        |from: &str, to: &str| json!({ "from": { "name": from }, "to": { "name": to }, "state": "RETURNED" });
    assert_eq!(
        shown.at("/whistle"),
        &json!({ "state": "SOUNDED", "escalations": [step("西海镇党建联盟", "海晏县党建联盟"),
            step("海晏县党建联盟", "海北州联盟")] })
    );
}
