//! Where a branch is at home stands as long as the branch is there: a grid cell ends after those at home in it, whoever is faster.

use chrono::TimeDelta;
use concord::{
    domain::{
        branch::{
            host::NewHost,
            instructor,
            steps::{self, BranchChange, NewBranch},
        },
        grid::cell::{self, NewCell},
    },
    graphql::id,
};
use concord_entities::{
    grid_cell::{self, Category},
    grid_network,
};
use concord_tests::{TestApp, World};
use serde_json::json;

use crate::{
    branch::{established, new_branch, which},
    branch_coverage::new_instructor,
    grid::{code, day, drawn, network_of, new_cell, which as which_cell},
    problem::count,
};

/// Special cells, so that any number of them lie over one place.
async fn special(
    app: &TestApp,
    world: &World,
    network: &grid_network::Model,
    code: &str,
) -> grid_cell::Model {
    let new = NewCell { category: Category::Special, ..new_cell(code, &[world.communities[0]]) };
    drawn(app, world, network, new).await
}

#[tokio::test]
async fn a_cell_ends_after_the_branches_at_home_in_it_and_the_instructors_who_serve_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let network = network_of(&app, &world, grid_network::Kind::Party).await;
    let cell = special(&app, &world, &network, "D-1").await;
    let north = NewHost::Region(world.communities[0]);
    let hosts = vec![NewHost::Cell(cell.id), north.clone()];
    let branch = established(&app, &world, NewBranch { hosts, ..new_branch(&world, "联合党支部") }).await;
    let new = new_instructor(&world, NewHost::Cell(cell.id));
    let served = instructor::appoint(&committee, world.town, new).await.expect("appointed");
    app.advance(TimeDelta::days(5));
    let mutation = "mutation($input: EndGridCellInput!) { endGridCell(input: $input) {
        cell { until } userErrors { code field message } } }";
    let end = async |until: &str| {
        let input = json!({ "cellId": id::encode(cell.id), "until": until });
        app.client(world.committee).send(mutation, json!({ "input": input })).await
    };
    let before = count(&app, "SELECT COUNT(*) AS n FROM event").await;
    for until in ["2026-01-05", "2026-01-10", "2026-06-01"] {
        let refused = end(until).await;
        assert_eq!(refused.code().as_deref(), Some("HOSTS_BRANCHES"), "{until}");
        let message = refused.text("/endGridCell/userErrors/0/message");
        assert!(message.contains("1 Party organisations") && message.contains("1 instructors"), "{message}");
    }
    // Whoever may not end it learns nothing of who is at home in it.
    assert_eq!(code(cell::end(&app.ctx(world.observer), which_cell(cell.id), None).await), "FORBIDDEN");
    assert_eq!(code(cell::end(&app.ctx(world.stranger), which_cell(cell.id), None).await), "NOT_FOUND");
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event").await, before);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM grid_cell WHERE until_on IS NOT NULL").await, 0);
    let moved = BranchChange { hosts: Some(vec![north]), ..BranchChange::default() };
    steps::change(&committee, which(branch.id), moved).await.expect("moved");
    let message = end("2026-01-10").await.text("/endGridCell/userErrors/0/message");
    assert!(message.contains("0 Party organisations") && message.contains("1 instructors"), "{message}");
    instructor::end(&committee, served.id, None, None).await.expect("ended");
    // No earlier than those who were there left.
    assert_eq!(end("2026-01-09").await.code().as_deref(), Some("HOSTS_BRANCHES"));
    let ended = end("2026-01-10").await.fine();
    assert_eq!(ended.text("/endGridCell/cell/until"), "2026-01-10");
    // From then on nobody comes to it.
    let late = NewBranch { hosts: vec![NewHost::Cell(cell.id)], ..new_branch(&world, "新") };
    assert_eq!(code(steps::establish(&committee, world.town, late).await), "STATE_REFUSED");
    // With a branch its home ends as well.
    let other = special(&app, &world, &network, "D-2").await;
    let new = NewBranch { hosts: vec![NewHost::Cell(other.id)], ..new_branch(&world, "乙") };
    let branch = established(&app, &world, new).await;
    steps::end(&committee, which(branch.id), Some(day("2026-01-08")), None).await.expect("ended");
    cell::end(&committee, which_cell(other.id), Some(day("2026-01-08"))).await.expect("ended");
    app.run_background().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_coming_to_a_cell_and_ending_it_one_wins() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let network = network_of(&app, &world, grid_network::Kind::Party).await;
    let town = world.town;
    for number in 0..8 {
        let name = format!("D-{number}");
        let cell = special(&app, &world, &network, &name).await.id;
        let (coming, ending) = (app.ctx(world.committee), app.ctx(world.committee));
        let new = NewBranch { hosts: vec![NewHost::Cell(cell)], ..new_branch(&world, &name) };
        let serving = new_instructor(&world, NewHost::Cell(cell));
        let came = tokio::spawn(async move {
            if number % 2 == 0 {
                steps::establish(&coming, town, new).await.map(drop)
            } else {
                instructor::appoint(&coming, town, serving).await.map(drop)
            }
        });
        let ended = tokio::spawn(async move { cell::end(&ending, which_cell(cell), None).await.map(drop) });
        match (came.await.expect("no panic"), ended.await.expect("no panic")) {
            (Ok(()), Err(refused)) => assert_eq!(refused.code().text(), "HOSTS_BRANCHES"),
            (Err(refused), Ok(())) => assert_eq!(refused.code().text(), "STATE_REFUSED"),
            other => panic!("not one of two: {other:?}"),
        }
    }
    for of in ["branch_host", "branch_instructor"] {
        let homeless = format!(
            "SELECT COUNT(*) AS n FROM {of} h JOIN grid_cell c ON c.id = h.cell_id
             WHERE c.until_on IS NOT NULL AND h.until_on IS NULL"
        );
        assert_eq!(count(&app, &homeless).await, 0, "{of}");
    }
}
