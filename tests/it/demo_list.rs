//! What the demo's story shows of the two lists beside their straight way, read from what it left behind.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use chrono_tz::Asia::Shanghai;
use concord::{
    domain::{
        Ctx,
        calendar::store,
        identity::signing::PublicKeys,
        list::{cascade, certificate},
    },
    graphql::id,
};
use concord_entities::{
    account,
    breach::{self, Clock},
    calendar_day, deadline_policy, escalation, event, extension, follow_up, follow_up_link, handover_item,
    id::{AllianceId, PriorityTaskId, ProblemId, TypedId},
    priority_task, problem,
    problem_responsible::{self, Duty, PartState},
    problem_round, problem_sign_off, supervision_notice, task_carry_over, task_part,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::demo::Told;

/// The object that the handout names.
fn named<I: TypedId>(told: &Told, name: &str) -> I {
    id::decode(&told.handout.ids[name].as_str().into(), "id").expect("an id of the handout")
}

async fn problem(told: &Told, name: &str) -> problem::Model {
    let found = problem::Entity::find_by_id(named::<ProblemId>(told, name)).one(&told.app.read).await;
    found.expect("an answer").unwrap_or_else(|| panic!("there is no {name}"))
}

fn day(at: chrono::DateTime<chrono::Utc>) -> NaiveDate {
    at.with_timezone(&Shanghai).date_naive()
}

/// The kinds of a problem's events, in order.
async fn happened(told: &Told, to: ProblemId) -> Vec<String> {
    let events = event::Entity::find()
        .filter(event::Column::SubjectId.eq(to.0))
        .order_by_asc(event::Column::OccurredAt)
        .order_by_asc(event::Column::Id)
        .all(&told.app.read)
        .await
        .expect("events");
    events.into_iter().map(|event| event.kind).collect()
}

/// Asserts that these happened in this order, others between them or not.
#[track_caller]
fn in_order(events: &[String], expected: &[&str]) {
    let mut rest = events.iter();
    for kind in expected {
        assert!(rest.any(|event| event == kind), "{kind} is not in its place: {events:?}");
    }
}

/// What every telling has, whatever day it ends on.
pub async fn assert_every_kind(told: &Told) {
    use follow_up::{Kind, State};
    let db = &told.app.read;
    let requests =
        extension::Entity::find().order_by_asc(extension::Column::AskedAt).all(db).await.expect("requests");
    let states: Vec<_> = requests.iter().map(|request| request.state).collect();
    assert_eq!(states, [extension::State::Granted, extension::State::Refused]);
    let up = escalation::Entity::find().all(db).await.expect("escalations");
    for state in [escalation::State::Open, escalation::State::Resolved, escalation::State::Returned] {
        assert_eq!(up.iter().filter(|one| one.state == state).count(), 1, "{state:?}");
    }
    let asked = follow_up::Entity::find().all(db).await.expect("follow-ups");
    let ways: BTreeSet<_> = asked.iter().map(|one| (one.kind, one.state)).collect();
    let expected = [
        (Kind::Call, State::Answered),
        (Kind::Call, State::Unreachable),
        (Kind::Link, State::Answered),
        (Kind::Visit, State::Answered),
    ];
    assert!(expected.iter().all(|way| ways.contains(way)), "{ways:?}");
    let joint = problem_responsible::Entity::find()
        .filter(problem_responsible::Column::State.eq(PartState::Declined))
        .all(db)
        .await
        .expect("parts");
    assert_eq!(joint.len(), 1);
}

/// What the story of a year whose notice is known has, item by item.
pub async fn assert_content(told: &Told) {
    let town = named::<AllianceId>(told, "alliance");
    town_settles_its_own(told, town).await;
    Box::pin(more_time_and_a_pause(told, town)).await;
    late_and_answered(told, town).await;
    above(told).await;
    several_units(told).await;
    reporters_are_asked(told).await;
    handed_on(told).await;
    certified(told).await;
}

/// Limits in calendar days and in working days, and a day off of the town's own.
async fn town_settles_its_own(told: &Told, town: AllianceId) {
    let db = &told.app.read;
    let set = deadline_policy::Entity::find_by_id(town).one(db).await.expect("an answer").expect("limits");
    assert_eq!((set.remind_hours, set.reply_days, set.version), (48, 2, 1));
    let rules: serde_json::Value = serde_json::from_str(&set.rules).expect("rules");
    let units: Vec<_> = rules.as_array().expect("rules").iter().map(|rule| rule["unit"].clone()).collect();
    assert_eq!(units, ["days", "working_days", "working_days", "working_days", "working_days"]);
    let local = calendar_day::Entity::find().all(db).await.expect("days");
    let [festival] = local.as_slice() else { panic!("one local day: {local:?}") };
    assert_eq!((festival.alliance_id, festival.kind), (Some(town), calendar_day::Kind::Off));
    // The tenth working day of October 2026, whose first seven days are off and whose tenth is worked.
    let tuesday = NaiveDate::from_ymd_opt(2026, 10, 20).expect("a day");
    assert_eq!((festival.day_on, festival.name.as_str()), (tuesday, "西海镇赛马节"));
    let (here, there) = (store::load(db, Some(town)).await, store::load(db, None).await);
    assert!(!here.expect("the town's calendar").is_working(tuesday));
    assert!(there.expect("the national calendar").is_working(tuesday));
}

async fn more_time_and_a_pause(told: &Told, town: AllianceId) {
    let db = &told.app.read;
    let extended = problem(told, "extendedProblem").await;
    let requests = extension::Entity::find()
        .filter(extension::Column::ProblemId.eq(extended.id))
        .order_by_asc(extension::Column::AskedAt)
        .all(db)
        .await
        .expect("requests");
    let [granted, refused] = requests.as_slice() else { panic!("two requests: {requests:?}") };
    let before = day(granted.due_before.expect("a deadline") - chrono::TimeDelta::seconds(1));
    assert_eq!(granted.granted_until, before.checked_add_days(Days::new(10)));
    assert_eq!(refused.asked_until, granted.asked_until + chrono::TimeDelta::days(30));
    assert_eq!((refused.granted_until, extended.due_on), (None, granted.granted_until));
    for request in [granted, refused] {
        assert!(request.decided_by.is_some() && request.decided_by != request.asked_by);
        assert!(request.decided_at > Some(request.asked_at) && request.decision.is_some());
    }
    assert_eq!(extended.state, problem::State::StruckOff);
    let resumed = problem(told, "resumedProblem").await;
    let events = happened(told, resumed.id).await;
    in_order(&events, &["problem_started", "problem_held", "problem_resumed", "problem_struck_off"]);
    assert_eq!((resumed.state, resumed.held_at), (problem::State::StruckOff, None));
    // Ten working days by the town's calendar, longer by as many as it stood still.
    let calendar = store::load(db, Some(town)).await.expect("the town's calendar");
    let plain = calendar.add_working_days(day(resumed.assigned_at.expect("assigned")), 10).expect("a day").on;
    assert!(resumed.due_on > Some(plain), "{:?} is no later than {plain}", resumed.due_on);
}

async fn late_and_answered(told: &Told, town: AllianceId) {
    let db = &told.app.read;
    let breaches = breach::Entity::find().all(db).await.expect("breaches");
    for clock in [Clock::Dispatch, Clock::Response, Clock::Resolution] {
        assert!(breaches.iter().any(|one| one.clock == clock), "nobody was late: {clock:?}");
    }
    assert!(breaches.iter().all(|one| one.organization_id.is_none() == (one.clock == Clock::Dispatch)));
    let supervised = problem(told, "supervisedProblem").await;
    let resolution = breaches
        .iter()
        .find(|one| one.problem_id == supervised.id && one.clock == Clock::Resolution)
        .expect("its limit passed");
    // Three calendar days, the last of them whole.
    let assigned = day(supervised.assigned_at.expect("assigned"));
    assert_eq!(Some(day(resolution.due_at)), assigned.checked_add_days(Days::new(4)));
    let notices = supervision_notice::Entity::find()
        .filter(supervision_notice::Column::AllianceId.eq(town))
        .order_by_asc(supervision_notice::Column::Seq)
        .all(db)
        .await
        .expect("notices");
    assert!(notices.iter().map(|notice| notice.seq).eq(1..=i32::try_from(notices.len()).expect("few")));
    let theirs: Vec<_> = notices.iter().filter(|notice| notice.problem_id == Some(supervised.id)).collect();
    assert!(theirs.iter().any(|notice| notice.breach_id == Some(resolution.id)));
    for notice in theirs {
        assert!(notice.answered_at > Some(notice.issued_at) && notice.answered_by == supervised.handler_id);
        assert!(notice.answer.as_deref().is_some_and(|answer| answer.contains("三日内办结")));
    }
    // Finished later, it stays late; elsewhere a notice still waits.
    assert_eq!(supervised.state, problem::State::StruckOff);
    assert!(supervised.submitted_at > Some(resolution.due_at));
    assert!(notices.iter().any(|notice| notice.answered_at.is_none()));
}

/// What the county settled with two sign-offs, and what it handed back.
async fn above(told: &Told) {
    let db = &told.app.read;
    let counterpart = async |of: ProblemId| {
        let link = escalation::Entity::find().filter(escalation::Column::ProblemId.eq(of)).one(db).await;
        let link = link.expect("an answer").expect("it was handed up");
        let above = problem::Entity::find_by_id(link.parent_problem_id).one(db).await;
        (link.state, above.expect("an answer").expect("a problem of the county"))
    };
    let resolved = problem(told, "resolvedProblem").await;
    let (state, settled) = counterpart(resolved.id).await;
    assert_eq!((state, settled.state), (escalation::State::Resolved, problem::State::StruckOff));
    assert!(settled.number.starts_with("晏联销〔"), "{}", settled.number);
    let signed = problem_sign_off::Entity::find()
        .filter(problem_sign_off::Column::ProblemId.eq(settled.id))
        .all(db)
        .await
        .expect("sign-offs");
    let signers: BTreeSet<_> = signed.iter().map(|one| one.signed_by).chain(settled.approver_id).collect();
    let people = account::Entity::find()
        .filter(account::Column::Username.is_in(["county_approver", "county_leader"]))
        .all(db)
        .await
        .expect("people");
    assert_eq!(signers, people.iter().map(|person| person.id).collect());
    assert_eq!(signers.len(), 2);
    let steps = ["escalated", "escalation_resolved", "assigned", "submitted", "verified", "struck_off"];
    let steps = steps.map(|step| format!("problem_{step}"));
    in_order(&happened(told, resolved.id).await, &steps.each_ref().map(String::as_str));
    let returned = problem(told, "returnedProblem").await;
    let (state, rejected) = counterpart(returned.id).await;
    assert_eq!((state, rejected.state), (escalation::State::Returned, problem::State::Rejected));
    assert_eq!(rejected.reason.as_deref(), Some("属镇级职责，请由镇牵头与养护单位对接解决。"));
    let events = happened(told, returned.id).await;
    in_order(&events, &["problem_escalated", "problem_escalation_returned", "problem_assigned"]);
    assert_eq!(returned.state, problem::State::InProgress);
}

/// A part that its unit declined, and problems that were assigned in one go.
async fn several_units(told: &Told) {
    let db = &told.app.read;
    let joint = problem(told, "jointProblem").await;
    let parts = problem_responsible::Entity::find()
        .filter(problem_responsible::Column::ProblemId.eq(joint.id))
        .filter(problem_responsible::Column::Duty.eq(Duty::Joint))
        .all(db)
        .await
        .expect("parts");
    let mut states: Vec<_> = parts.iter().map(|part| (part.declined_count, part.state)).collect();
    states.sort_by_key(|(declined, _)| *declined);
    assert_eq!(states, [(0, PartState::InProgress), (1, PartState::Declined)]);
    let declined = parts.iter().find(|part| part.declined_count == 1).expect("one declined");
    assert!(declined.reason.as_deref().is_some_and(|reason| reason.contains("产权属小区业主")));
    assert_eq!(joint.state, problem::State::InProgress);
    let together = problem::Entity::find()
        .filter(problem::Column::Title.is_in(["供水井室积水", "绿化带垃圾堆放", "小区围栏破损"]))
        .all(db)
        .await
        .expect("problems");
    assert_eq!(together.len(), 3);
    assert!(together.iter().all(|row| row.state == problem::State::Assigned));
    assert!(together.iter().all(|row| row.assigned_at == together[0].assigned_at), "in one go");
    assert_eq!(together.iter().map(|row| row.lead_organization_id).collect::<BTreeSet<_>>().len(), 3);
}

async fn reporters_are_asked(told: &Told) {
    let db = &told.app.read;
    let of = async |problem: ProblemId| {
        let mut rows = follow_up::Entity::find()
            .filter(follow_up::Column::ProblemId.eq(problem))
            .all(db)
            .await
            .expect("follow-ups");
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    };
    let by_link = of(named(told, "linkedProblem")).await;
    assert_eq!((by_link.kind, by_link.is_satisfied), (follow_up::Kind::Link, Some(true)));
    assert_eq!((by_link.done_by, by_link.words.as_deref()), (None, Some("修得很快，已经好了。")));
    let links = follow_up_link::Entity::find().all(db).await.expect("links");
    assert!(links.iter().all(|link| link.follow_up_id == by_link.id && link.used_at == by_link.done_at));
    assert_eq!(links.len(), 1);
    let visited = of(named(told, "visitedProblem")).await;
    assert_eq!((visited.kind, visited.is_satisfied), (follow_up::Kind::Visit, Some(true)));
    assert_eq!(visited.note.as_deref(), Some("入户走访"));
    assert!(visited.done_by.is_some() && visited.done_by != visited.created_by);
    let unreachable: ProblemId = named(told, "unreachableProblem");
    let called = of(unreachable).await;
    assert_eq!(
        (called.kind, called.state, called.tries),
        (follow_up::Kind::Call, follow_up::State::Unreachable, 3)
    );
    let tries = event::Entity::find()
        .filter(event::Column::SubjectId.eq(unreachable.0))
        .filter(event::Column::Kind.is_in(["follow_up_tried", "follow_up_unreachable"]))
        .all(db)
        .await
        .expect("events");
    assert_eq!(tries.iter().map(|one| day(one.occurred_at)).collect::<BTreeSet<_>>().len(), 3, "three days");
    // Whoever was not satisfied had the problem opened anew, and its first round is kept.
    let dissatisfied = follow_up::Entity::find()
        .filter(follow_up::Column::IsSatisfied.eq(false))
        .one(db)
        .await
        .expect("an answer")
        .expect("somebody was not satisfied");
    let again = problem::Entity::find_by_id(dissatisfied.problem_id).one(db).await.expect("an answer");
    assert_eq!(again.expect("the problem").round, 2);
    let kept = problem_round::Entity::find_by_id((dissatisfied.problem_id, 1)).one(db).await;
    assert!(kept.expect("an answer").expect("the first round").struck_off_at < dissatisfied.done_at);
}

/// Items of handovers, tasks that were carried over, and one that the county decomposed.
async fn handed_on(told: &Told) {
    use handover_item::State;
    let db = &told.app.read;
    let items = handover_item::Entity::find().all(db).await.expect("items");
    let of = |state: State| items.iter().filter(move |item| item.state == state);
    assert!(of(State::Accepted).count() > 7, "{items:?}");
    // What the teams declined the committee gave to a unit, all but the latest.
    for item in of(State::Assigned) {
        assert!(
            item.organization_id.is_some()
                && item.reason.as_deref().is_some_and(|why| why.contains("协调专业力量"))
        );
    }
    assert!(of(State::Assigned).count() >= 3);
    let waiting: Vec<_> = of(State::ToCommittee).collect();
    assert!(waiting.iter().any(|item| item.reason.as_deref().is_some_and(|why| why.contains("专业资质"))));
    assert!(waiting.iter().all(|item| item.organization_id.is_none()));
    let carried = task_carry_over::Entity::find().all(db).await.expect("carried over");
    assert!(!carried.is_empty());
    let parts = task_part::Entity::find().all(db).await.expect("parts");
    let [part] = parts.as_slice() else { panic!("one part: {parts:?}") };
    let task = async |id: PriorityTaskId| {
        priority_task::Entity::find_by_id(id).one(db).await.expect("an answer").expect("a task")
    };
    let (whole, own) = (task(part.parent_task_id).await, task(part.task_id).await);
    assert_eq!((whole.title.as_str(), own.title.as_str()), ("城乡供暖安全排查", "西海镇供暖安全排查"));
    assert_eq!(whole.alliance_id, named::<AllianceId>(told, "countyAlliance"));
    assert_eq!(own.alliance_id, named::<AllianceId>(told, "alliance"));
    // The only part is the whole.
    let tree = cascade::gather(db, &[whole.id]).await.expect("the parts");
    assert_eq!(tree.progress(whole.id).percent(), tree.progress(own.id).percent());
}

/// The certificate that the handout names is issued, says so, and holds by the published keys alone.
async fn certified(told: &Told) {
    let struck_off = problem(told, "certifiedProblem").await;
    assert_eq!(told.handout.certified_number, struck_off.number);
    let page = told.handout.terminal();
    let address = format!("/certificates/{}.pdf", told.handout.ids["certifiedProblem"]);
    assert!(page.contains(&address) && page.contains(&struck_off.number), "{page}");
    let issued = certificate::issue(&Ctx::system(&told.app), struck_off.id).await.expect("vouched for");
    let keys = PublicKeys::parse(told.app.identity.keys.jwks().to_string().as_bytes()).expect("keys");
    let (said, proven) = certificate::check(&issued.document, &keys).expect("it holds");
    assert_eq!((said.number, said.round), (struck_off.number, 1));
    assert_eq!((said.responsible.len(), said.approvers.len()), (1, 1));
    // It was returned once, and shown anew.
    assert!(said.evidence.len() >= 2 && struck_off.returned_count == 1);
    assert_eq!(Some(proven.occurred_at), struck_off.struck_off_at);
}
