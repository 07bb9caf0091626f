//! Histories: what happened to an object, told to whoever may see it, and nobody's accounts to anybody but the committee.

use concord::{
    domain::{
        Event,
        fact::audience::{self, Audience},
        governance::{
            alliance::{self, AllianceChange},
            membership::{self, Contact, Invitee},
        },
        identity::seat::{self, NewSeat},
    },
    graphql::id,
};
use concord_entities::{priority_task, problem::State, seat::Role};
use concord_tests::{TestApp, World};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use serde_json::json;

use crate::{
    changes::{dashboard_key, write_event},
    problem::problem_in,
};

const HISTORY: &str =
    "query($id: ID!, $newestFirst: Boolean) { history(id: $id, newestFirst: $newestFirst, first: 10) {
    totalCount nodes { id kind position actorName actorKind alliance { id } subjectId subject { id } isErased
        organizationIds details { name value } } } }";

#[tokio::test]
async fn a_history_tells_who_did_what_to_an_object() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.advance(chrono::TimeDelta::hours(1));
    let change = AllianceChange { name: Some("西海大联盟".to_owned()), ..AllianceChange::default() };
    alliance::update(&app.ctx(world.committee), world.town, 1, change).await.expect("an update");
    let ask = json!({ "id": id::encode(world.town), "newestFirst": true });
    let fresh = app.client(world.staff).send(HISTORY, ask.clone()).await;
    assert_eq!(fresh.at("/history/totalCount"), 2);
    assert_eq!(fresh.at("/history/nodes/0/kind"), "ALLIANCE_UPDATED");
    assert!(fresh.at("/history/nodes/0/position").is_null(), "it waits for its seal");
    app.run_background().await;
    let told = app.client(world.staff).send(HISTORY, ask).await;
    assert!(told.at("/history/nodes/0/position").is_number());
    assert_eq!(told.text("/history/nodes/0/actorName"), "c********", "the committee is another unit");
    assert_eq!(told.text("/history/nodes/0/subject/id"), id::encode(world.town).as_str());
    assert_eq!(told.at("/history/nodes/1/actorKind"), "SYSTEM");
    assert_eq!(told.at("/history/nodes/1/details/0"), &json!({ "name": "name", "value": "西海镇联盟" }));
    let oldest = app
        .client(world.staff)
        .send(HISTORY, json!({ "id": id::encode(world.town), "newestFirst": false }))
        .await;
    assert_eq!(oldest.at("/history/nodes/0/kind"), "ALLIANCE_FOUNDED");
    let event = told.text("/history/nodes/0/id");
    let node = "query($id: ID!) { node(id: $id) { ... on Event { kind } } }";
    let seen = app.client(world.staff).send(node, json!({ "id": event })).await;
    assert_eq!(seen.at("/node/kind"), "ALLIANCE_UPDATED");
    assert!(app.client(world.stranger).send(node, json!({ "id": event })).await.at("/node").is_null());
}

#[tokio::test]
async fn who_acted_is_named_as_in_the_faces_of_people() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let key = dashboard_key(&app, world.town).await;
    let row = problem_in(&app, &world, State::InProgress).await;
    app.run_background().await;
    let query = "query($id: ID!, $town: ID!) { problem(id: $id) { handler { name } }
        history(id: $id, first: 10) { nodes { kind actorName } }
        changes(allianceId: $town, first: 100) { events { subjectId kind actorName } } }";
    let ask = json!({ "id": id::encode(row.id), "town": id::encode(world.town) });
    let clear = [world.staff, world.manager, world.committee, world.approver, world.officer]
        .map(|who| (app.client(who), "staff"));
    let masked =
        [world.observer, world.verifier, world.other_staff, world.grid_officer, world.county_committee]
            .map(|who| (app.client(who), "s****"));
    let dashboard = [(app.key(key), "s****")];
    for (client, name) in clear.into_iter().chain(masked).chain(dashboard) {
        let told = client.send(query, ask.clone()).await;
        assert_eq!(told.text("/problem/handler/name"), name);
        for list in ["/history/nodes", "/changes/events"] {
            let events = told.at(list).as_array().expect("events").clone();
            let started = events.iter().find(|event| event["kind"] == "PROBLEM_STARTED").expect("the start");
            assert_eq!(started["actorName"], name, "{list}");
        }
        assert!(name == "staff" || !told.0.to_string().contains("\"staff\""));
    }
    // In the tail and in the inbox as well.
    let tail = "subscription($town: ID!) { changes(allianceId: $town, after: 0) { kind actorName } }";
    let mut tail = app.client(world.observer).subscribe(tail, json!({ "town": id::encode(world.town) }));
    loop {
        let next = tail.next().await;
        if next.text("/changes/kind") == "PROBLEM_STARTED" {
            assert_eq!(next.text("/changes/actorName"), "s****");
            break;
        }
    }
    let subject = ("problem", row.id.into());
    write_event(&app, world.town, "problem_submitted", subject, &[world.members[1]], Some(world.staff)).await;
    app.run_background().await;
    let inbox = "{ inbox(first: 1) { nodes { event { kind actorName } } } }";
    let told = app.client(world.verifier).run(inbox).await;
    assert_eq!(told.text("/inbox/nodes/0/event/actorName"), "s****");
}

#[tokio::test]
async fn the_names_of_a_page_are_read_at_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let subject = ("problem", app.system().new_id::<concord_entities::id::ProblemId>().into());
    let ask = json!({ "id": id::encode_raw("problem", subject.1) });
    let mut counts = Vec::new();
    for actors in [vec![world.staff], vec![world.manager, world.other_staff, world.verifier, world.committee]]
    {
        for actor in actors {
            write_event(&app, world.town, "problem_accepted", subject, &[], Some(actor)).await;
        }
        let query = "query($id: ID!) { history(id: $id, first: 50) { nodes { actorName } } }";
        let observer = app.client(world.observer);
        let (told, statements) = app.statements(async || observer.send(query, ask.clone()).await).await;
        assert!(told.at("/history/nodes/0/actorName").is_string());
        counts.push(statements.len());
    }
    assert_eq!(counts[0], counts[1], "no statement per event");
    assert!(counts[0] <= 3, "{counts:?}");
}

#[tokio::test]
async fn a_stranger_a_neighbour_and_a_passer_by_learn_nothing() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let ask = json!({ "id": id::encode(here.town) });
    for outsider in [here.stranger, there.committee, there.county_committee] {
        let told = app.client(outsider).send(HISTORY, ask.clone()).await;
        assert_eq!(told.at("/history/totalCount"), 0);
        assert_eq!(told.at("/history/nodes"), &json!([]));
    }
    assert_eq!(app.anonymous().send(HISTORY, ask).await.code().as_deref(), Some("UNAUTHENTICATED"));
    let malformed = app.client(here.staff).send(HISTORY, json!({ "id": "nonsense" })).await;
    assert_eq!(malformed.code().as_deref(), Some("ID_MALFORMED"));
    // A history is bound to the noun too: another noun's id with the same bits is another object.
    let other = id::encode_raw("problem", here.town.into());
    assert_eq!(
        app.client(here.staff).send(HISTORY, json!({ "id": other })).await.at("/history/totalCount"),
        0
    );
}

#[tokio::test]
async fn what_tells_of_people_is_for_the_committee_alone() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let new = NewSeat {
        account_id: world.staff,
        alliance_id: world.town,
        role: Role::Observer,
        organization_id: None,
        region_id: None,
    };
    let granted = seat::grant(&app.ctx(world.committee), new).await.expect("a seat");
    let ask = json!({ "id": id::encode(granted.id) });
    let count = async |account| {
        app.client(account).send(HISTORY, ask.clone()).await.at("/history/totalCount").as_u64()
    };
    assert_eq!(count(world.committee).await, Some(1));
    for other in [world.manager, world.staff, world.verifier, world.observer, world.county_committee] {
        assert_eq!(count(other).await, Some(0));
    }
    // The platform's own chain is its administrators' business.
    let account = json!({ "id": id::encode(world.staff) });
    let told = app.client(world.admin).send(HISTORY, account.clone()).await;
    assert_eq!(told.at("/history/nodes/0/kind"), "ACCOUNT_CREATED");
    assert_eq!(app.client(world.committee).send(HISTORY, account).await.at("/history/totalCount"), 0);
}

#[tokio::test]
async fn what_happens_to_a_draft_shows_once_it_is_published() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let ctx = app.system();
    let list: concord_entities::id::TaskListId = ctx.new_id();
    let task: concord_entities::id::PriorityTaskId = ctx.new_id();
    let month = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    concord_entities::task_list::ActiveModel {
        id: Set(list),
        alliance_id: Set(world.town),
        month_on: Set(month),
        slot_id: Set(None),
        title: Set("一月".to_owned()),
        state: Set(concord_entities::task_list::State::Published),
        published_at: Set(None),
        created_by: Set(None),
        created_at: Set(app.app.now()),
        version: Set(1),
    }
    .insert(&app.app.write)
    .await
    .expect("a list");
    let row = priority_task::ActiveModel {
        id: Set(task),
        alliance_id: Set(world.town),
        task_list_id: Set(list),
        place: Set(1),
        title: Set("整治".to_owned()),
        content: Set("整治".to_owned()),
        criterion: Set(None),
        source: Set(None),
        lead_organization_id: Set(world.members[1]),
        region_id: Set(None),
        starts_on: Set(None),
        due_on: Set(month),
        due_told_on: Set(None),
        state: Set(priority_task::State::Draft),
        is_open: Set(false),
        percent: Set(0),
        responsible_name: Set(None),
        reason: Set(None),
        returned_count: Set(0),
        published_at: Set(None),
        acknowledged_at: Set(None),
        submitted_at: Set(None),
        completed_at: Set(None),
        created_by: Set(None),
        created_at: Set(app.app.now()),
        version: Set(1),
    };
    row.insert(&app.app.write).await.expect("a task");
    write_event(
        &app,
        world.town,
        "priority_task_created",
        ("priority_task", task.into()),
        &[world.members[1]],
        None,
    )
    .await;
    let ask = json!({ "id": id::encode(task) });
    let count = async |account| {
        app.client(account).send(HISTORY, ask.clone()).await.at("/history/totalCount").as_u64()
    };
    assert_eq!((count(world.committee).await, count(world.staff).await), (Some(1), Some(0)));
    app.sql("UPDATE priority_task SET state = 'published'").await.expect("a raw change");
    assert_eq!((count(world.committee).await, count(world.staff).await), (Some(1), Some(1)));
}

#[tokio::test]
async fn an_erased_event_says_so_and_tells_no_details() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.sql("UPDATE event SET payload = NULL, salt = NULL WHERE kind = 'alliance_founded'")
        .await
        .expect("an erasure");
    let told = app.client(world.staff).send(HISTORY, json!({ "id": id::encode(world.town) })).await;
    assert_eq!(told.at("/history/nodes/0/isErased"), true);
    assert_eq!(told.at("/history/nodes/0/details"), &json!([]));
}

#[test]
fn every_kind_of_event_is_written_to_its_audience() {
    let table: Vec<String> =
        Event::ALL.iter().map(|kind| format!("{:<36} {:?}", kind.text(), audience::of(*kind))).collect();
    crate::golden::check("audience.txt", &(table.join("\n") + "\n"));
    // What the golden table cannot say: no kind about people may ever be open to members.
    for kind in Event::ALL {
        let personal = ["account", "seat", "session", "password", "api_key", "token"];
        if personal.iter().any(|word| kind.text().contains(word)) {
            assert_eq!(audience::of(*kind), Audience::Committee, "{}", kind.text());
        }
    }
}

#[tokio::test]
async fn whoever_acts_for_a_unit_elsewhere_reads_no_names_of_its_people_here() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let (unit, system) = (here.members[1], app.system());
    // A foreign alliance takes the unit in by the word of its manager, and lets a man of its own act for it there.
    let offer = membership::invite(&system, there.town, Invitee::Known(unit), Contact::default()).await;
    let offer = offer.expect("an invitation").id;
    app.advance(chrono::TimeDelta::hours(1));
    membership::accept(&app.ctx(here.manager), offer, None).await.expect("accepted");
    let acts = |account_id| NewSeat {
        account_id,
        alliance_id: there.town,
        role: Role::MemberStaff,
        organization_id: Some(unit),
        region_id: None,
    };
    seat::grant(&system, acts(there.stranger)).await.expect("a seat");
    let ask = json!({ "id": id::encode(offer), "newestFirst": true });
    let names = async || {
        let told = app.client(there.stranger).send(HISTORY, ask.clone()).await.fine();
        told.text("/history/nodes/0/actorName")
    };
    assert_eq!(names().await, "m******");
    // A colleague is who acts for the unit in the same alliance, and as long as they do.
    let colleague = seat::grant(&system, acts(here.manager)).await.expect("a seat").id;
    assert_eq!(names().await, "manager");
    seat::end(&system, colleague).await.expect("ended");
    assert_eq!(names().await, "m******");
}
