//! `docs/grids.md`, run block by block: what the page sends is sent, what it shows comes back.

use std::collections::BTreeMap;

use concord::graphql::id;
use concord_entities::region::Level;
use concord_tests::{TestApp, World};

use crate::{
    grid::place,
    page::{GRIDS, Runner},
    whistle_page::run,
};

#[tokio::test]
async fn the_page_is_true() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let people = BTreeMap::from([
        ("committee", world.committee),
        ("member", world.other_staff),
        ("county", world.county_committee),
    ]);
    let compound = place(&app, world.communities[0], "东小区", Level::Compound).await;
    let building = place(&app, compound, "3号楼", Level::Building).await;
    let mut kept: BTreeMap<String, String> = [
        ("alliance", id::encode(world.town)),
        ("north", id::encode(world.communities[0])),
        ("south", id::encode(world.communities[1])),
        ("building", id::encode(building)),
        ("station", id::encode(world.members[1])),
    ]
    .into_iter()
    .map(|(name, id)| (name.to_owned(), id.to_string()))
    .collect();
    run(&app, (GRIDS, Runner::Grids), &people, &mut kept).await;
    app.run_background().await;
}
