//! Problems by the many: a list and a step take a fixed number of statements, whatever they show.

use concord::{domain::list::problem, graphql::id};
use concord_entities::problem::State;
use concord_tests::{TestApp, World};
use sea_orm::DbBackend;
use serde_json::json;

use crate::problem::{pothole, problem_in, show_closure, step, triage};

const PROBLEMS: &str = "query($first: Int) { problems(orderBy: NUMBER, first: $first) {
    totalCount pageInfo { hasNextPage }
    nodes {
        number title state reporterName alliance { name } region { name } leadOrganization { name }
        responsibleOrganizations { name } handler { name } recordedBy { name }
        evidence { sha256 name mediaType size stage url capturedAt }
        availableTransitions { mutation available blockers { code message } }
    }
} }";

#[tokio::test]
async fn twenty_problems_with_all_they_name_take_a_fixed_number_of_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for state in [State::Registered, State::Assigned, State::InProgress, State::Submitted, State::StruckOff] {
        for _ in 0..4 {
            problem_in(&app, &world, state).await;
        }
    }
    let mut counted = Vec::new();
    for first in [1, 20] {
        let client = app.client(world.verifier);
        let ask = json!({ "first": first });
        let (answer, statements) = app.statements(async || client.send(PROBLEMS, ask).await).await;
        let nodes = answer.at("/problems/nodes").as_array().expect("nodes").len();
        assert_eq!(u64::try_from(nodes).ok(), u64::try_from(first).ok());
        counted.push(statements);
    }
    // Problems with their alliances, regions and leads; count, responsible units, past handlers, people, evidence with its files, the units the viewer
    // acts for anywhere, their seats here; and these again for what only some see of the evidence, a level below.
    assert!(counted[1].len() <= 9, "{:#?}", counted[1]);
    assert!(counted[0].len() <= counted[1].len());
    // What a small list shows costs no more than it names.
    let small =
        "{ problems(first: 20) { nodes { number title leadOrganization { name } region { name } } } }";
    let client = app.client(world.staff);
    let (answer, statements) = app.statements(async || client.run(small).await).await;
    assert!(answer.code().is_none());
    assert_eq!(statements.len(), 1, "{statements:#?}");
}

#[tokio::test]
async fn a_problem_with_its_units_and_its_history_is_one_statement() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let ask = json!({ "id": id::encode(row.id) });
    let whole = "query($id: ID!) { problem(id: $id) { number alliance { name } leadOrganization { id }
        responsibleOrganizations { id name } latest: history(first: 3) { pageInfo { hasNextPage } nodes { id kind actorName } }
        history(first: 50, newestFirst: false) { nodes { id kind actorName details { name value } } edges { cursor } } } }";
    let apart = "query($id: ID!) { history(id: $id, first: 50, newestFirst: false) { nodes { id kind actorName details { name value } }
        edges { cursor } } }";
    for who in [world.verifier, world.staff, world.committee] {
        let client = app.client(who);
        let (answer, statements) = app.statements(async || client.send(whole, ask.clone()).await).await;
        let answer = answer.fine();
        // On SQLite the problem, its units and the two histories.
        let most = if app.app.backend() == DbBackend::Postgres { 1 } else { 4 };
        assert_eq!(statements.len(), most, "{statements:#?}");
        let units = answer.at("/problem/responsibleOrganizations");
        assert_eq!(units[0]["id"], *answer.at("/problem/leadOrganization/id"));
        let all = answer.at("/problem/history/nodes").as_array().expect("events").clone();
        assert!(all.len() > 5);
        let latest: Vec<_> = all.iter().rev().take(3).map(|event| event["id"].clone()).collect();
        let three = answer.at("/problem/latest/nodes").as_array().expect("events");
        assert_eq!(three.iter().map(|event| event["id"].clone()).collect::<Vec<_>>(), latest);
        assert_eq!(answer.at("/problem/latest/pageInfo/hasNextPage"), &json!(true));
        // The same as the root field tells.
        let told = client.send(apart, ask.clone()).await.fine();
        assert_eq!(told.at("/history"), answer.at("/problem/history"));
    }
    assert!(app.client(world.stranger).send(whole, ask).await.at("/problem").is_null());
}

#[tokio::test]
async fn every_step_takes_at_most_five_statements() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let lead = json!({ "leadOrganizationId": id::encode(world.members[1]), "dueOn": "2026-01-12" });
    let reason = json!({ "reason": "不实" });
    let proposal = json!({ "reason": "非本单位", "proposedOrganizationId": id::encode(world.members[2]) });
    for (state, who, mutation, more) in [
        (State::Registered, world.committee, "triageProblem", triage()),
        (State::Triaged, world.committee, "assignProblem", lead),
        (State::Assigned, world.staff, "acceptProblem", json!({})),
        (State::Assigned, world.staff, "declineProblem", proposal),
        (State::Accepted, world.staff, "startProblem", json!({ "handlerId": id::encode(world.manager) })),
        (State::Submitted, world.verifier, "verifyProblem", json!({ "verdict": "好" })),
        (State::Submitted, world.verifier, "returnProblem", reason.clone()),
        (State::Verified, world.approver, "strikeOffProblem", json!({})),
        (State::Registered, world.committee, "rejectProblem", reason.clone()),
        (State::Registered, world.grid_officer, "withdrawProblem", reason),
    ] {
        let row = problem_in(&app, &world, state).await;
        let id = json!(id::encode(row.id));
        let (answer, statements) = app.statements(async || step(&app, who, mutation, &id, more).await).await;
        answer.fine();
        // What is read ahead of the unit of work stands before BEGIN.
        let begun = statements.iter().position(|sql| sql.starts_with("BEGIN")).map_or(0, |at| at + 1);
        let within: Vec<_> = statements[begun..]
            .iter()
            .filter(|sql| !sql.starts_with("COMMIT") && !reads_ahead(sql))
            .take_while(|sql| !sql.starts_with("COMMIT"))
            .collect();
        // Naming lead and handler in the answer reads organisations, seats, evidence and people after the commit.
        let writes =
            within.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
        assert!(writes < 5, "{mutation}: {within:#?}");
    }
}

/// Some verbs read something that binds nobody before they begin.
fn reads_ahead(sql: &str) -> bool {
    let proposed = (sql.contains("FROM \"alliance\"") || sql.starts_with("SELECT COUNT(*)"))
        && sql.contains("(SELECT \"problem\".\"alliance_id\" FROM \"problem\"");
    // What the deadlines are computed with.
    proposed || sql.contains("LEFT JOIN \"deadline_policy\"")
}

#[tokio::test]
async fn submitting_takes_at_most_five_statements_and_registering_six() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::Verified).await;
    let back = json!({ "reason": "重拍" });
    let id = json!(id::encode(row.id));
    step(&app, world.approver, "returnProblem", &id, back).await.fine();
    show_closure(&app, &world, row.id).await;
    let (answer, statements) =
        app.statements(async || step(&app, world.staff, "submitProblem", &id, json!({})).await).await;
    answer.fine();
    let event = statements.iter().position(|sql| sql.starts_with("INSERT INTO \"event\"")).expect("an event");
    assert!(event < 5, "{statements:#?}");
    let ctx = app.ctx(world.grid_officer);
    let (registered, statements) =
        app.statements(async || problem::register(&ctx, pothole(&world)).await).await;
    registered.expect("registered");
    // Alliance with its deadlines, seats, region, number, problem, event.
    assert_eq!(statements.len(), 6, "{statements:#?}");
}
