//! `docs/branches.md`, run block by block: what the page sends is sent, what it shows comes back.

use std::collections::BTreeMap;

use concord::graphql::id;
use concord_entities::{problem, region::Level};
use concord_tests::{TestApp, World};

use crate::{
    grid::place,
    page::{BRANCHES, Runner},
    problem::problem_in,
    whistle_page::run,
};

#[tokio::test]
async fn the_page_is_true() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let people = BTreeMap::from([("committee", world.committee), ("observer", world.observer)]);
    let compound = place(&app, world.communities[0], "东小区", Level::Compound).await;
    let problem = problem_in(&app, &world, problem::State::Triaged).await;
    let mut kept: BTreeMap<String, String> = [
        ("alliance", id::encode(world.town)),
        ("town", id::encode(world.town_region)),
        ("north", id::encode(world.communities[0])),
        ("south", id::encode(world.communities[1])),
        ("compound", id::encode(compound)),
        ("firm", id::encode(world.members[1])),
        ("problem", id::encode(problem.id)),
    ]
    .into_iter()
    .map(|(name, id)| (name.to_owned(), id.to_string()))
    .collect();
    run(&app, (BRANCHES, Runner::Branches), &people, &mut kept).await;
    app.run_background().await;
}
