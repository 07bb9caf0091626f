//! `docs/mobilizations.md`, run block by block: what the page sends is sent, what it shows comes back.

use std::collections::BTreeMap;

use concord::graphql::id;
use concord_tests::{TestApp, World};

use crate::{
    page::{MOBILIZATIONS, Runner},
    whistle_page::run,
};

#[tokio::test]
async fn the_page_is_true() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let people = BTreeMap::from([
        ("committee", world.committee),
        ("bureau", world.staff),
        ("county", world.county_committee),
    ]);
    let [community, other] = world.communities;
    let mut kept = BTreeMap::from([
        ("alliance".to_owned(), id::encode(world.town).to_string()),
        ("bureau".to_owned(), id::encode(world.members[1]).to_string()),
        ("town".to_owned(), id::encode(world.town_region).to_string()),
        ("community".to_owned(), id::encode(community).to_string()),
        ("other".to_owned(), id::encode(other).to_string()),
    ]);
    run(&app, (MOBILIZATIONS, Runner::Mobilizations), &people, &mut kept).await;
}
