//! Check-ins by the many: batches and single ones, by whom, how many statements, replays and races. Nobody is counted twice.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use concord::{
    domain::{
        Ctx,
        governance::membership as memberships,
        mobilization::{
            self,
            check_in::{self, NewCheckIn},
            order, report,
            unit::{self, WhichUnit},
        },
    },
    graphql::id,
};
use concord_entities::{
    id::{MobilizationShiftId, OrganizationId, RegionId},
    membership, mobilization_check_in, mobilization_transfer,
};
use concord_tests::{TestApp, World};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::{
    mobilization::{assert_counted, code, compound, counted, drafted, issued, person, send, told, which},
    problem::count,
};

fn people(range: std::ops::Range<usize>, place: RegionId) -> Vec<concord::domain::Result<NewCheckIn>> {
    range.map(|number| Ok(person(&format!("V{number:05}"), place))).collect()
}

#[tokio::test]
async fn a_batch_takes_as_many_statements_as_two() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (app.ctx(world.committee), world.communities);
    let row = issued(&app, &world).await;
    let mut taken = Vec::new();
    for range in [0..2, 2..1_000] {
        let items = people(range, one);
        let (came, within) =
            app.statements_within(async || check_in::check_in_many(&committee, row.id, items).await).await;
        assert!(came.expect("done").iter().all(|came| told(came) == "CheckedIn"));
        taken.push(within.len());
    }
    // The order, the caller's seats, the people, the counters, the event.
    assert_eq!(taken, [5, 5]);
    app.advance(TimeDelta::minutes(1));
    // Half of them go elsewhere, the others are sent again: who is there already, where they are, and who moved, come on top.
    let mut items = people(0..500, two);
    items.extend(people(500..1_000, one));
    let (came, within) =
        app.statements_within(async || check_in::check_in_many(&committee, row.id, items).await).await;
    let came: Vec<String> = came.expect("done").iter().map(told).collect();
    assert!(came[..500].iter().all(|outcome| outcome == "Transferred"));
    assert!(came[500..].iter().all(|outcome| outcome == "Duplicate"));
    assert_eq!(within.len(), 8, "{within:#?}");
    assert_eq!((counted(&app, row.id, one).await.1, counted(&app, row.id, two).await.1), (500, 500));
    // One by one: five, and four where nothing changes.
    for (name, expected) in [("W1", 5), ("W1", 4)] {
        let new = person(name, one);
        let (came, within) =
            app.statements_within(async || check_in::check_in(&committee, row.id, new).await).await;
        came.expect("done");
        assert_eq!(within.len(), expected, "{within:#?}");
    }
    // One event for a batch, one for a single one, none for a duplicate.
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'mobilization_checked_in_many'";
    assert_eq!(count(&app, told).await, 3);
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'mobilization_checked_in'";
    assert_eq!(count(&app, told).await, 1);
    assert_counted(&app).await;
}

#[tokio::test]
async fn what_is_wrong_with_one_leaves_the_others() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let (committee, [one, two]) = (app.ctx(world.committee), world.communities);
    let row = issued(&app, &world).await;
    let now = app.app.now();
    let unit = |name: &str, organization_id| NewCheckIn {
        organization_id: Some(organization_id),
        ..person(name, one)
    };
    let items: Vec<(NewCheckIn, &str)> = vec![
        (person("V1", one), "CheckedIn"),
        (person("V1", one), "Duplicate"),
        (NewCheckIn { at: Some(now + TimeDelta::seconds(1)), ..person("V1", two) }, "Transferred"),
        (person("V2", other.communities[0]), "OUTSIDE_MOBILIZATION"),
        (person("V2", world.town_region), "REGION_ABOVE_COMMUNITY"),
        (person("V2", app.system().new_id()), "NOT_FOUND"),
        (person("", one), "REQUIRED"),
        (person("张三", one), "MALFORMED"),
        (person("13912345678", one), "PERSON_IDENTIFIED"),
        (person("23080019900101123X", one), "PERSON_IDENTIFIED"),
        (unit("V3", world.members[5]), "UNIT_NOT_CALLED"),
        (unit("V3", other.members[1]), "UNIT_NOT_CALLED"),
        (unit("V3", world.members[1]), "CheckedIn"),
        (NewCheckIn { at: Some(now - TimeDelta::seconds(1)), ..person("V4", one) }, "CHECK_IN_BEFORE_ISSUE"),
        (NewCheckIn { at: Some(now + TimeDelta::hours(1)), ..person("V4", one) }, "CHECK_IN_IN_FUTURE"),
        (NewCheckIn { shift_id: Some(app.system().new_id()), ..person("V4", one) }, "NOT_FOUND"),
        (person("V5", two), "CheckedIn"),
    ];
    let given = items.iter().map(|(new, _)| Ok(new.clone())).collect();
    let came = check_in::check_in_many(&committee, row.id, given).await.expect("done");
    let came: Vec<String> = came.iter().map(told).collect();
    let expected: Vec<&str> = items.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(came, expected);
    assert_eq!((counted(&app, row.id, one).await.1, counted(&app, row.id, two).await.1), (1, 2));
    assert_eq!(mobilization_check_in::Entity::find().count(&app.app.read).await.expect("a count"), 3);
    // A whole request that cannot be.
    assert_eq!(code(check_in::check_in_many(&committee, row.id, Vec::new()).await), "REQUIRED");
    assert_eq!(
        code(check_in::check_in_many(&committee, row.id, people(0..1_001, one)).await),
        "OUT_OF_RANGE"
    );
    let draft = drafted(&app, &world).await;
    assert_eq!(code(check_in::check_in_many(&committee, draft.id, people(0..2, one)).await), "STATE_REFUSED");
    order::discard(&committee, which(draft.id), "作废").await.expect("discarded");
    assert_eq!(code(check_in::check_in(&committee, draft.id, person("V9", one)).await), "STATE_REFUSED");
    assert_counted(&app).await;
}

#[tokio::test]
async fn each_checks_in_whom_they_may() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let other = World::build(&app, "632224").await;
    let [one, two] = world.communities;
    let yard = compound(&app, one, "东小区").await;
    let row = issued(&app, &world).await;
    let try_in = async |who, name: &str, place, unit: Option<usize>| {
        let unit = unit.map(|index| world.members[index]);
        told(
            &check_in::check_in(
                &app.ctx(who),
                row.id,
                NewCheckIn { organization_id: unit, ..person(name, place) },
            )
            .await,
        )
    };
    // An officer's seat is for one community, and what lies in it.
    for officer in [world.officer, world.grid_officer] {
        assert_eq!(try_in(officer, "V1", two, None).await, "FORBIDDEN");
    }
    assert_eq!(try_in(world.officer, "V1", one, None).await, "CheckedIn");
    assert_eq!(try_in(world.grid_officer, "V2", yard, Some(2)).await, "CheckedIn");
    // A unit's own people, anywhere in the order.
    assert_eq!(try_in(world.staff, "V3", two, Some(1)).await, "CheckedIn");
    assert_eq!(try_in(world.manager, "V4", one, Some(1)).await, "CheckedIn");
    assert_eq!(try_in(world.staff, "V5", one, Some(2)).await, "FORBIDDEN");
    assert_eq!(try_in(world.staff, "V5", one, None).await, "FORBIDDEN");
    for who in [world.observer, world.approver, world.verifier, world.county_committee] {
        assert_eq!(try_in(who, "V5", one, None).await, "FORBIDDEN");
    }
    for who in [world.stranger, other.committee, other.staff] {
        assert_eq!(try_in(who, "V5", one, None).await, "NOT_FOUND");
    }
    // Of a batch each for itself.
    let items = vec![
        Ok(person("V6", one)),
        Ok(NewCheckIn { organization_id: Some(world.members[1]), ..person("V7", two) }),
    ];
    let came = check_in::check_in_many(&app.ctx(world.staff), row.id, items).await.expect("done");
    assert_eq!(came.iter().map(told).collect::<Vec<_>>(), ["FORBIDDEN", "CheckedIn"]);
    // Whose people a unit does not move, of them it learns nothing: neither that somebody is there nor where.
    for (name, unit) in [("V1", Some(1)), ("V2", Some(1))] {
        assert_eq!(try_in(world.staff, name, two, unit).await, "FORBIDDEN");
    }
    for name in ["V1", "V2", "V8"] {
        let out = check_in::check_out(&app.ctx(world.staff), row.id, name, None).await;
        assert_eq!(code(out), "NOT_CHECKED_IN");
    }
    assert_eq!(try_in(world.staff, "V4", two, Some(1)).await, "Transferred");
    assert_counted(&app).await;
    check_in::check_out(&app.ctx(world.officer), row.id, "V1", None).await.expect("out");
    assert_counted(&app).await;
}

#[tokio::test]
async fn a_replay_answers_the_same_and_a_resend_counts_nobody_twice() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, _] = world.communities;
    let row = issued(&app, &world).await;
    let query =
        "mutation($input: CheckInManyToMobilizationInput!) { checkInManyToMobilization(input: $input) {
        results { index outcome code field message checkInId } userErrors { code } } }";
    let items = json!([
        { "person": "V1", "regionId": id::encode(one) },
        { "person": "V1", "regionId": id::encode(one) },
        { "person": "13912345678", "regionId": id::encode(one) },
        { "person": "V2", "regionId": id::encode(one), "at": "2030-01-01T00:00:00Z" },
    ]);
    let input = json!({ "input": { "mobilizationId": id::encode(row.id), "items": items } });
    let client = app.client(world.committee);
    let first = client.keyed("batch-1", 1).send(query, input.clone()).await.fine_or_told();
    let again = client.keyed("batch-1", 1).send(query, input.clone()).await.fine_or_told();
    assert_eq!(first, again);
    let reused = client.keyed("batch-1", 2).send(query, input.clone()).await;
    assert_eq!(reused.code().as_deref(), Some("IDEMPOTENCY_KEY_REUSED"));
    // Another person's key of the same name is another key.
    let other = app.client(world.officer).keyed("batch-1", 1).send(query, input.clone()).await;
    assert_eq!(other.at("/checkInManyToMobilization/results/0/outcome"), "DUPLICATE");
    let plain = client.send(query, input).await;
    let outcomes: Vec<_> =
        (0..4).map(|at| plain.text(&format!("/checkInManyToMobilization/results/{at}/outcome"))).collect();
    assert_eq!(outcomes, ["DUPLICATE", "DUPLICATE", "REFUSED", "REFUSED"]);
    let single = "mutation($input: CheckInToMobilizationInput!) { checkInToMobilization(input: $input) {
        outcome checkIn { id } userErrors { code } } }";
    let input = json!({ "input": { "mobilizationId": id::encode(row.id), "person": "V3", "regionId": id::encode(one) } });
    let first = client.keyed("one", 1).send(single, input.clone()).await.fine();
    assert_eq!(first.text("/checkInToMobilization/outcome"), "CHECKED_IN");
    assert_eq!(client.keyed("one", 1).send(single, input).await, first);
    // A refusal is not kept: what is sent again once it is good is taken.
    let early = json!({ "input": { "mobilizationId": id::encode(row.id), "person": "V4", "regionId": id::encode(one),
        "at": "2026-01-05T10:00:00Z" } });
    let refused = client.keyed("early", 1).send(single, early.clone()).await;
    assert_eq!(refused.code().as_deref(), Some("CHECK_IN_IN_FUTURE"));
    app.advance(TimeDelta::hours(24));
    let taken = client.keyed("early", 1).send(single, early).await.fine();
    assert_eq!(taken.text("/checkInToMobilization/outcome"), "CHECKED_IN");
    assert_eq!(counted(&app, row.id, one).await.1, 3);
    // What was answered is forgotten with the keys.
    app.advance(TimeDelta::hours(25));
    app.run_background().await;
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM mobilization_batch").await, 0);
    assert_counted(&app).await;
}

/// An answer without errors of the request as a whole.
pub trait Told {
    fn fine_or_told(self) -> Self;
}

impl Told for concord_tests::Answer {
    fn fine_or_told(self) -> Self {
        assert!(self.0["errors"].is_null(), "{:#}", self.0);
        self
    }
}

#[tokio::test]
async fn the_same_person_at_two_places_at_once_is_at_one() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two] = world.communities;
    let row = issued(&app, &world).await;
    let committee = app.ctx(world.committee);
    let one_of = |number: usize| if number.is_multiple_of(2) { one } else { two };
    let tries = (0..20).map(|number| {
        let (ctx, place, of): (Ctx, _, _) = (committee.clone(), one_of(number), row.id);
        tokio::spawn(async move { check_in::check_in(&ctx, of, person("V1", place)).await })
    });
    let came: Vec<String> =
        join_all(tries).await.iter().map(|came| told(came.as_ref().expect("an end"))).collect();
    assert_eq!(came.iter().filter(|outcome| *outcome == "CheckedIn").count(), 1, "{came:?}");
    let known = BTreeSet::from(["CheckedIn", "Duplicate", "Transferred"]);
    assert!(came.iter().all(|outcome| known.contains(outcome.as_str())), "{came:?}");
    let present = counted(&app, row.id, one).await.1 + counted(&app, row.id, two).await.1;
    assert_eq!(present, 1);
    assert_eq!(mobilization_check_in::Entity::find().count(&app.app.read).await.expect("a count"), 1);
    let moved = came.iter().filter(|outcome| *outcome == "Transferred").count();
    let kept = mobilization_transfer::Entity::find().count(&app.app.read).await.expect("a count");
    assert!(kept <= moved as u64);
    assert_counted(&app).await;
}

#[tokio::test]
async fn batches_of_the_same_people_in_other_orders_wait_for_each_other() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two] = world.communities;
    let row = issued(&app, &world).await;
    let committee = app.ctx(world.committee);
    let batches = (0..8).map(|number: usize| {
        let (ctx, of) = (committee.clone(), row.id);
        let mut items = people(0..60, if number.is_multiple_of(2) { one } else { two });
        if number.is_multiple_of(3) {
            items.reverse();
        }
        items.truncate(60 - number);
        tokio::spawn(async move { check_in::check_in_many(&ctx, of, items).await })
    });
    for came in join_all(batches).await {
        let came = came.expect("an end").expect("nobody is turned away");
        assert!(came.iter().all(Result::is_ok));
    }
    let present = counted(&app, row.id, one).await.1 + counted(&app, row.id, two).await.1;
    assert_eq!(present, 60);
    assert_counted(&app).await;
}

#[tokio::test]
async fn needs_change_and_people_come_and_go_at_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two] = world.communities;
    let row = issued(&app, &world).await;
    let committee = app.ctx(world.committee);
    let mut work = Vec::new();
    for number in 0..12_i32 {
        let (ctx, of) = (committee.clone(), row.id);
        work.push(tokio::spawn(async move {
            let needs =
                [crate::mobilization::need(two, number + 1), crate::mobilization::need(one, 20 - number)];
            order::amend_needs(&ctx, which(of), &needs).await.map(drop)
        }));
        let (ctx, of) = (committee.clone(), row.id);
        work.push(tokio::spawn(async move {
            let name = format!("V{}", number % 4);
            let place = if number % 2 == 0 { one } else { two };
            check_in::check_in(&ctx, of, person(&name, place)).await?;
            match check_in::check_out(&ctx, of, &name, None).await {
                Err(error) if error.code().text() == "NOT_CHECKED_IN" => Ok(()),
                done => done.map(drop),
            }
        }));
    }
    for done in join_all(work).await {
        done.expect("an end").expect("nobody is turned away");
    }
    assert_counted(&app).await;
    let input = json!({ "mobilizationId": id::encode(row.id), "reason": "险情解除" });
    send(
        &app,
        world.committee,
        "standDownMobilization",
        "EndMobilizationInput",
        "mobilization { state }",
        input,
    )
    .await
    .fine();
}

#[tokio::test]
async fn nobody_comes_for_a_unit_that_is_no_member_any_more() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = issued(&app, &world).await;
    let of_unit = |name: &str| NewCheckIn {
        organization_id: Some(world.members[2]),
        ..person(name, world.communities[0])
    };
    let committee = app.ctx(world.committee);
    assert_eq!(told(&check_in::check_in(&committee, row.id, of_unit("V1")).await), "CheckedIn");
    let seat = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(world.members[2]))
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a membership");
    let suspended = memberships::suspend(&committee, seat.id, None, "停业整顿").await;
    suspended.expect("suspended");
    assert_eq!(told(&check_in::check_in(&committee, row.id, of_unit("V2")).await), "UNIT_NOT_CALLED");
    assert_counted(&app).await;
}

#[tokio::test]
async fn whoever_came_earlier_came_first() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (app.ctx(world.committee), world.communities);
    let row = issued(&app, &world).await;
    let began = app.app.now();
    app.advance(TimeDelta::minutes(30));
    let at =
        |place, minutes| NewCheckIn { at: Some(began + TimeDelta::minutes(minutes)), ..person("V1", place) };
    let first = async || {
        let rows = mobilization_check_in::Entity::find().all(&app.app.read).await.expect("rows");
        (rows[0].first_region_id, rows[0].first_at - began, rows[0].region_id, rows[0].at - began)
    };
    for (place, minutes, outcome, expected) in [
        (one, 20, "CheckedIn", (one, 20, one, 20)),
        // What was captured offline, at the same place and elsewhere.
        (one, 15, "Superseded", (one, 15, one, 20)),
        (two, 10, "Superseded", (two, 10, one, 20)),
        (two, 10, "Duplicate", (two, 10, one, 20)),
        (one, 12, "Duplicate", (two, 10, one, 20)),
    ] {
        let came = check_in::check_in(&committee, row.id, at(place, minutes)).await;
        assert_eq!(told(&came), outcome);
        let (region, first_at, now, now_at) = expected;
        let minutes = TimeDelta::minutes;
        assert_eq!(first().await, (region, minutes(first_at), now, minutes(now_at)));
    }
    // In one batch too, whatever the order.
    let items = [(one, 25), (two, 5)]
        .map(|(place, minutes)| Ok(NewCheckIn { person: "V2".to_owned(), ..at(place, minutes) }));
    let came = check_in::check_in_many(&committee, row.id, items.into()).await.expect("done");
    assert_eq!(came.iter().map(told).collect::<Vec<_>>(), ["CheckedIn", "Superseded"]);
    assert_eq!((counted(&app, row.id, one).await.1, counted(&app, row.id, two).await.1), (2, 0));
    assert_counted(&app).await;
}

#[tokio::test]
async fn whoever_was_told_to_be_still_there_was_elsewhere_before() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, [one, two]) = (app.ctx(world.committee), world.communities);
    let row = issued(&app, &world).await;
    let began = app.app.now();
    app.advance(TimeDelta::minutes(30));
    let at = |minutes| began + TimeDelta::minutes(minutes);
    let facts = [(one, 10), (one, 20), (two, 15)];
    for (number, order) in
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].iter().enumerate()
    {
        let mut who = None;
        for index in order {
            let (place, minutes) = facts[*index];
            let new = NewCheckIn { at: Some(at(minutes)), ..person(&format!("V{number}"), place) };
            who = Some(check_in::check_in(&committee, row.id, new).await.expect("told").1);
        }
        let came = mobilization::find_check_in(&committee, who.expect("somebody")).await;
        let came = came.expect("a read").expect("a row");
        assert_eq!((came.region_id, came.first_region_id, came.first_at), (one, one, at(10)), "{order:?}");
        assert_counted(&app).await;
    }
    // What is sent again in one piece writes nothing.
    let sent = || {
        [(one, 10), (one, 20)]
            .map(|(place, minutes)| Ok(NewCheckIn { at: Some(at(minutes)), ..person("W1", place) }))
    };
    let mut taken = Vec::new();
    for _ in 0..2 {
        let (came, within) = app
            .statements_within(async || check_in::check_in_many(&committee, row.id, sent().into()).await)
            .await;
        came.expect("done");
        taken.push(within.iter().filter(|sql| sql.starts_with("UPDATE mobilization_check_in")).count());
    }
    assert_eq!(taken, [1, 0]);
    // Nobody left before they were told to be there still.
    let early = check_in::check_out(&committee, row.id, "W1", Some(at(15))).await;
    assert_eq!(code(early), "OUT_OF_RANGE");
    let left = check_in::check_out(&committee, row.id, "W1", Some(at(20))).await.expect("left");
    assert_eq!(left.left_at, Some(at(20)));
    assert_counted(&app).await;
}

#[tokio::test]
async fn nobody_comes_for_a_unit_that_was_released_but_who_came_before() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, unit) = (app.ctx(world.committee), world.members[1]);
    let row = issued(&app, &world).await;
    app.advance(TimeDelta::minutes(30));
    let which = WhichUnit { mobilization_id: row.id, organization_id: unit, expected_version: None };
    unit::release(&committee, which).await.expect("released");
    let released = app.app.now();
    app.advance(TimeDelta::minutes(30));
    let of =
        |name: &str, at| NewCheckIn { organization_id: Some(unit), at, ..person(name, world.communities[0]) };
    for (new, expected) in [
        (of("V1", None), "UNIT_RELEASED"),
        (of("V1", Some(released)), "UNIT_RELEASED"),
        (of("V1", Some(released - TimeDelta::seconds(1))), "CheckedIn"),
        // Who came before moves on without it, not with it.
        (NewCheckIn { region_id: world.communities[1], ..of("V1", None) }, "UNIT_RELEASED"),
        (person("V1", world.communities[1]), "Transferred"),
    ] {
        assert_eq!(told(&check_in::check_in(&committee, row.id, new).await), expected);
    }
    // With the order everybody is released, and what was captured before still comes in.
    order::stand_down(&committee, crate::mobilization::which(row.id), "险情解除").await.expect("stood down");
    let late = of("V2", Some(released - TimeDelta::minutes(1)));
    assert_eq!(told(&check_in::check_in(&committee, row.id, late).await), "CheckedIn");
    assert_counted(&app).await;
}

#[tokio::test]
async fn whoever_leaves_leaves_no_earlier_than_they_came_in_five_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, place) = (app.ctx(world.committee), world.communities[0]);
    let row = issued(&app, &world).await;
    // A clock that goes ahead as far as is taken.
    let ahead = app.app.now() + TimeDelta::minutes(2);
    let new = NewCheckIn { at: Some(ahead), ..person("V1", place) };
    check_in::check_in(&committee, row.id, new).await.expect("in");
    let early = check_in::check_out(&committee, row.id, "V1", Some(app.app.now())).await.expect_err("early");
    let concord::domain::Error::Refused(refusal) = &early else { panic!("{early:?}") };
    let bound = |name: &str| {
        let value = refusal.args.iter().find(|(known, _)| *known == name).expect("a bound");
        value.1.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant")
    };
    assert_eq!(early.code().text(), "OUT_OF_RANGE");
    assert!(bound("least") <= bound("most"), "{refusal:?}");
    assert_eq!(counted(&app, row.id, place).await.1, 1);
    let (left, within) =
        app.statements_within(async || check_in::check_out(&committee, row.id, "V1", None).await).await;
    assert_eq!(left.expect("left").left_at, Some(ahead));
    assert_eq!(within.len(), 5, "{within:#?}");
    assert_eq!(code(check_in::check_out(&committee, row.id, "V1", None).await), "NOT_CHECKED_IN");
    assert_eq!(code(check_in::check_out(&app.ctx(world.staff), row.id, "V2", None).await), "NOT_CHECKED_IN");
    assert_eq!(counted(&app, row.id, place).await.1, 0);
    assert_counted(&app).await;
}

#[tokio::test]
async fn what_cannot_be_read_in_a_batch_is_told_by_its_place() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = issued(&app, &world).await;
    let place = id::encode(world.communities[0]);
    let nowhere = id::encode(app.system().new_id::<RegionId>());
    let items = json!([
        { "person": "V1", "regionId": place },
        { "person": "V2", "regionId": "nonsense" },
        { "person": "V3", "regionId": id::encode(world.town) },
        { "person": "V4", "regionId": nowhere },
        { "person": "V5", "regionId": place, "shiftId": id::encode(app.system().new_id::<MobilizationShiftId>()) },
        { "person": "V6", "regionId": place },
    ]);
    let ask = async |items: serde_json::Value| {
        let input = json!({ "mobilizationId": id::encode(row.id), "items": items });
        let query =
            "mutation($input: CheckInManyToMobilizationInput!) { checkInManyToMobilization(input: $input) {
            results { outcome code field } userErrors { code field } } }";
        app.client(world.committee).keyed("batch", 1).send(query, json!({ "input": input })).await
    };
    for _ in 0..2 {
        let answer = ask(items.clone()).await;
        let results = answer.at("/checkInManyToMobilization/results").as_array().expect("results").clone();
        let told: Vec<_> = results
            .iter()
            .map(|row| {
                (row["outcome"].as_str().unwrap_or_default(), row["code"].as_str(), row["field"].as_str())
            })
            .collect();
        let refused = |code, field| ("REFUSED", Some(code), Some(field));
        assert_eq!(
            told,
            [
                ("CHECKED_IN", None, None),
                refused("ID_MALFORMED", "input.items.1.regionId"),
                refused("NOT_FOUND", "input.items.2.regionId"),
                refused("NOT_FOUND", "input.items.3.regionId"),
                refused("NOT_FOUND", "input.items.4.shiftId"),
                ("CHECKED_IN", None, None),
            ]
        );
    }
    // Whatever is no object of ours within a list is told by its place, also where the whole is refused.
    let needs = json!([{ "regionId": place, "needed": 3, "work": "值守" }, { "regionId": nowhere, "needed": 3, "work": "值守" }]);
    let input = json!({ "mobilizationId": id::encode(row.id), "needs": needs });
    let query = "mutation($input: AmendMobilizationNeedsInput!) { amendMobilizationNeeds(input: $input) { userErrors { code } } }";
    let answer = app.client(world.committee).send(query, json!({ "input": input })).await;
    assert_eq!(answer.code().as_deref(), Some("NOT_FOUND"));
    assert_eq!(answer.0["errors"][0]["extensions"]["field"], "needs.1.regionId");
}

#[tokio::test]
async fn what_is_sent_again_after_somebody_moved_on_is_known() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [one, two] = world.communities;
    let row = issued(&app, &world).await;
    app.advance(TimeDelta::hours(1));
    let committee = app.ctx(world.committee);
    let minutes = |ago: i64| Some(committee.now() - TimeDelta::minutes(ago) + TimeDelta::nanoseconds(7));
    let sent = || {
        let at = |place, ago| Ok(NewCheckIn { at: minutes(ago), ..person("V1", place) });
        vec![at(one, 40), at(two, 30), at(one, 20), at(two, 35)]
    };
    for outcomes in
        [["CheckedIn", "Transferred", "Transferred", "Superseded"], ["Duplicate"; 4], ["Duplicate"; 4]]
    {
        let came = check_in::check_in_many(&committee, row.id, sent()).await.expect("done");
        assert_eq!(came.iter().map(told).collect::<Vec<_>>(), outcomes);
    }
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM mobilization_transfer").await, 3);
    assert_counted(&app).await;
}

#[tokio::test]
async fn a_duplicate_that_names_a_unit_where_none_was_counts_for_it_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (committee, one) = (app.ctx(world.committee), world.communities[0]);
    let [first, other] = [1, 2].map(|at| world.members[at]);
    let row = issued(&app, &world).await;
    let with =
        |name: &str, unit: Option<OrganizationId>| NewCheckIn { organization_id: unit, ..person(name, one) };
    let try_in = async |new| {
        let (came, within) =
            app.statements_within(async || check_in::check_in(&committee, row.id, new).await).await;
        (told(&came), within.len())
    };
    let came_with = async || {
        let order = mobilization::find(&committee, row.id).await.expect("a read").expect("an order");
        let found = report::of(&committee, &order).await.expect("a report");
        let of =
            |unit| found.units.iter().find(|sent| sent.unit.organization_id == unit).expect("the unit").came;
        (of(first), of(other), found.others)
    };
    try_in(with("V1", None)).await;
    assert_eq!(came_with().await, (0, 0, 1));
    // The order, the seats, the person, where they are, the unit, the event.
    assert_eq!(try_in(with("V1", Some(first))).await, ("Duplicate".to_owned(), 6));
    assert_eq!(came_with().await, (1, 0, 0));
    let events = "SELECT COUNT(*) AS n FROM event WHERE kind = 'mobilization_checked_in'";
    assert_eq!(count(&app, events).await, 2);
    // It stays, whatever is sent again: nothing is written any more.
    for unit in [Some(first), Some(other), None] {
        assert_eq!(try_in(with("V1", unit)).await, ("Duplicate".to_owned(), 4));
    }
    assert_eq!((came_with().await, count(&app, events).await), ((1, 0, 0), 2));
    // In a batch, within one request and after it.
    let send = async |items: Vec<NewCheckIn>| {
        let items = items.into_iter().map(Ok).collect();
        let came = check_in::check_in_many(&committee, row.id, items).await.expect("done");
        came.iter().map(told).collect::<Vec<_>>()
    };
    let came =
        send(vec![with("V2", None), with("V2", Some(other)), with("V3", None), with("V4", None)]).await;
    assert_eq!(came, ["CheckedIn", "Duplicate", "CheckedIn", "CheckedIn"]);
    assert_eq!(came_with().await, (1, 1, 2));
    let came = send(vec![with("V1", Some(other)), with("V3", Some(first)), with("V3", Some(other))]).await;
    assert_eq!(came, ["Duplicate"; 3]);
    assert_eq!(came_with().await, (2, 1, 1));
    // Whoever does not move people without a unit gives them none, and a unit that was released takes nobody.
    let staff = app.ctx(world.staff);
    assert_eq!(told(&check_in::check_in(&staff, row.id, with("V4", Some(first))).await), "FORBIDDEN");
    let which = WhichUnit { mobilization_id: row.id, organization_id: other, expected_version: None };
    unit::release(&committee, which).await.expect("released");
    assert_eq!(try_in(with("V4", Some(other))).await.0, "UNIT_RELEASED");
    assert_eq!(came_with().await, (2, 1, 1));
    // Told late of an earlier time, of somebody who is elsewhere by now.
    let began = app.app.now();
    app.advance(TimeDelta::minutes(30));
    for (unit, place, minutes, outcome) in
        [(None, one, 20, "CheckedIn"), (Some(first), world.communities[1], 10, "Superseded")]
    {
        let at = Some(began + TimeDelta::minutes(minutes));
        let new = NewCheckIn { at, region_id: place, ..with("V5", unit) };
        assert_eq!(try_in(new).await.0, outcome);
    }
    assert_eq!(came_with().await, (3, 1, 1));
    assert_eq!(counted(&app, row.id, one).await.1, 5);
    assert_counted(&app).await;
}
