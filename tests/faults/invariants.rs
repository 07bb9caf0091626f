//! What holds after every fault, written once. Whoever adds a promise adds its check here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use concord::{
    domain::mobilization::{coverage, person},
    graphql::id,
};
use concord_entities::{
    breach::{self, Clock},
    event, event_pending, event_seal, mobilization_check_in, notice_sequence, person_salt, problem,
    problem_responsible, problem_sequence, supervision_notice,
};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};

use crate::{
    load::Ledger,
    node::{self, Node},
    town::{LATE, LATE_TITLE, Town},
};

/// How long the hands may take to seal what was committed before a fault.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// How long until every deadline of the town's own problems has passed and was looked at.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(20);

/// Checks everything of a town whose node runs, after its writers have stopped.
pub async fn hold(town: &Town, node: &Node, ledger: &Ledger) {
    assert_eq!(node.ready().await, Some(200), "the node answers again\n{}", node::tail(&town.log()));
    deadlines_are_looked_at(town).await;
    let db = town.look().await;
    events_are_sealed(town, &db.read).await;
    let problems = problem::Entity::find().all(&db.read).await.expect("problems");
    writes_are_kept(&problems, ledger);
    numbers_are_gap_free(&db.read, &problems).await;
    changes_have_events(&db.read, &problems).await;
    deadlines_are_noted_once(&db.read, &problems).await;
    people_count_once(town, &db.read, ledger).await;
    db.write.close().await.expect("the connection closes");
    db.read.close().await.expect("the readers close");
    let verified = node::run(town, &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// The hands find every deadline that passed.
pub async fn deadlines_are_looked_at(town: &Town) {
    let (db, started) = (town.look().await, Instant::now());
    let waiting =
        problem_responsible::Entity::find().filter(problem_responsible::Column::ResolutionSettled.eq(false));
    while waiting.clone().count(&db.read).await.expect("a count") > 0 {
        let log = || node::tail(&town.log());
        assert!(started.elapsed() < LOOKED_AT_WITHIN, "deadlines pass unseen\n{}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    db.write.close().await.expect("the connection closes");
    db.read.close().await.expect("the readers close");
}

/// Every event gets its position within seconds.
async fn events_are_sealed(town: &Town, db: &DatabaseConnection) {
    let started = Instant::now();
    while event_pending::Entity::find().count(db).await.expect("a count") > 0 {
        let log = || node::tail(&town.log());
        assert!(started.elapsed() < SETTLES_WITHIN, "events wait for their position\n{}", log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let events = event::Entity::find().count(db).await.expect("a count");
    let seals = event_seal::Entity::find().count(db).await.expect("a count");
    assert_eq!(events, seals, "every event has one position");
}

/// What was acknowledged is there, once and as it was told; what was refused is not.
fn writes_are_kept(problems: &[problem::Model], ledger: &Ledger) {
    let mut found: HashMap<&str, Vec<&str>> = HashMap::new();
    for problem in problems {
        found.entry(&problem.title).or_default().push(&problem.number);
    }
    for write in &ledger.acknowledged {
        let kept = found.get(write.title.as_str()).map(Vec::as_slice);
        assert_eq!(kept, Some([write.number.as_str()].as_slice()), "an acknowledged write");
    }
    for (title, code) in &ledger.refused {
        assert!(!found.contains_key(title.as_str()), "a write refused with {code} was made");
        assert_ne!(code, "INTERNAL", "a fault outside has a code of its own");
    }
    for title in &ledger.unknown {
        assert!(found.get(title.as_str()).is_none_or(|made| made.len() == 1), "a write was made twice");
    }
    let told = ledger.acknowledged.len() + ledger.unknown.len();
    let written = problems.iter().filter(|problem| !is_late(problem)).count();
    assert!(written <= told, "{written} problems, {told} writes");
}

/// Whether a problem is one that the town had before anybody wrote.
fn is_late(problem: &problem::Model) -> bool {
    problem.title.starts_with(LATE_TITLE)
}

/// Closure numbers count from one without a gap, per list and year, and the counter stands at the last.
async fn numbers_are_gap_free(db: &DatabaseConnection, problems: &[problem::Model]) {
    let mut given: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
    for problem in problems {
        let fresh = given.entry((problem.alliance_id, problem.year)).or_default().insert(problem.seq);
        assert!(fresh, "{} was given twice", problem.number);
    }
    let counters = problem_sequence::Entity::find().all(db).await.expect("counters");
    assert_eq!(counters.len(), given.len());
    for counter in counters {
        let numbers = &given[&(counter.alliance_id, counter.year)];
        assert!(numbers.iter().copied().eq(1..=counter.last), "numbers have a gap: {numbers:?}");
    }
}

/// A change and its event were committed together.
async fn changes_have_events(db: &DatabaseConnection, problems: &[problem::Model]) {
    let events = event::Entity::find().all(db).await.expect("events");
    let told: BTreeSet<_> =
        events.iter().filter(|event| event.subject_kind == "problem").map(|event| event.subject_id).collect();
    let made: BTreeSet<_> = problems.iter().map(|problem| problem.id.0).collect();
    assert!(told == made, "{} problems, {} of them with events", made.len(), told.len());
}

/// What an order covers equals a recount of needs and check-ins; whoever was told to be checked in is there exactly once, and nobody
/// is there who was never sent.
async fn people_count_once(town: &Town, db: &DatabaseConnection, ledger: &Ledger) {
    assert_eq!(coverage::first_difference(db).await.expect("a recount"), None);
    let rows = mobilization_check_in::Entity::find().all(db).await.expect("check-ins");
    let salt = person_salt::Entity::find_by_id(town.alliance_id).one(db).await.expect("a read");
    let salt = salt.expect("the key of the alliance's people").salt;
    let mut found: HashMap<&[u8], usize> = HashMap::new();
    for row in &rows {
        let (order, place) = (id::encode(row.mobilization_id), id::encode(row.region_id));
        assert_eq!((order.as_str(), place.as_str()), (town.mobilization.as_str(), town.community.as_str()));
        assert_eq!(row.left_at, None, "nobody was let go");
        *found.entry(&row.person).or_default() += 1;
    }
    for person in &ledger.checked_in {
        let there = found.get(person::digest(&salt, person).as_slice());
        assert_eq!(there, Some(&1), "{person} was told to be checked in");
    }
    // Whose check-in was sent and not acknowledged came once or not at all; each is named after a write that was acknowledged.
    let sent: BTreeSet<Vec<u8>> =
        ledger.acknowledged.iter().map(|write| person::digest(&salt, &write.title)).collect();
    for (person, times) in found {
        assert!(times == 1 && sent.contains(person), "somebody came {times} times, or was never sent");
    }
}

/// A deadline that passed is on record once, with its event; notices about it are numbered without a gap, one a level. Each of the
/// town's own problems was late, so each has its breach and its notice.
async fn deadlines_are_noted_once(db: &DatabaseConnection, problems: &[problem::Model]) {
    let breaches = breach::Entity::find().all(db).await.expect("breaches");
    let once: BTreeSet<_> =
        breaches.iter().map(|one| (one.problem_id, one.clock, one.organization_id, one.due_at)).collect();
    assert_eq!(once.len(), breaches.len(), "a breach was noted twice");
    let notices = supervision_notice::Entity::find().all(db).await.expect("notices");
    let levels: BTreeSet<_> =
        notices.iter().map(|one| (one.breach_id, one.whistle_breach_id, one.level)).collect();
    assert_eq!(levels.len(), notices.len(), "a notice was issued twice");
    let late: Vec<_> = problems.iter().filter(|problem| is_late(problem)).collect();
    assert_eq!(late.len(), LATE);
    for row in late {
        let theirs = |one: &&breach::Model| one.problem_id == row.id && one.clock == Clock::Resolution;
        let noted: Vec<_> = breaches.iter().filter(theirs).collect();
        assert_eq!(noted.len(), 1, "{} was late once", row.number);
        let issued = notices.iter().filter(|notice| notice.breach_id == Some(noted[0].id)).count();
        assert_eq!(issued, 1, "{} brings one notice", row.number);
    }
    let mut given: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
    for notice in &notices {
        let fresh = given.entry((notice.alliance_id, notice.year)).or_default().insert(notice.seq);
        assert!(fresh, "{} was given twice", notice.number);
    }
    let counters = notice_sequence::Entity::find().all(db).await.expect("counters");
    assert_eq!(counters.len(), given.len());
    for counter in counters {
        let numbers = &given[&(counter.alliance_id, counter.year)];
        assert!(numbers.iter().copied().eq(1..=counter.last), "notices have a gap: {numbers:?}");
    }
    let told = async |kind: &str| {
        event::Entity::find().filter(event::Column::Kind.eq(kind)).count(db).await.expect("a count")
    };
    assert_eq!(told("problem_breached").await, u64::try_from(breaches.len()).expect("a count"));
    assert_eq!(told("supervision_notice_issued").await, u64::try_from(notices.len()).expect("a count"));
    let unanswered = notices.iter().filter(|notice| notice.unanswered_at.is_some()).count();
    assert_eq!(told("supervision_notice_unanswered").await, u64::try_from(unanswered).expect("a count"));
    // Whatever was looked at and found late is on record.
    let late = problem::Entity::find()
        .filter(problem::Column::DispatchSettled.eq(true))
        .filter(problem::Column::AssignedAt.is_null())
        .filter(problem::Column::IsOpen.eq(true))
        .all(db)
        .await
        .expect("problems");
    for row in late {
        assert!(breaches.iter().any(|one| one.problem_id == row.id), "{} was late unnoticed", row.number);
    }
}
