//! `docs/whistles.md`, run block by block: what the page sends is sent, what it shows comes back.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use concord::graphql::id;
use concord_entities::id::AccountId;
use concord_tests::{TestApp, World};
use serde_json::{Map, Value, json};

use crate::page::{self, Block, Runner, WHISTLES, fits};

/// Who is who on the page.
fn people(world: &World) -> BTreeMap<&'static str, AccountId> {
    BTreeMap::from([
        ("committee", world.committee),
        ("leader", world.approver),
        ("officer", world.officer),
        ("bureau", world.staff),
        ("market", world.other_staff),
        ("county", world.county_committee),
    ])
}

fn minutes(block: &Block) -> i64 {
    block.directive("after").map_or(0, |rest| {
        let number = rest.split(' ').next().expect("a number");
        number.parse().unwrap_or_else(|error| panic!("line {}: {error}", block.line))
    })
}

/// Runs the blocks of a page one after the other: each asked by whoever it says, with what earlier ones kept.
pub async fn tell(
    app: &TestApp,
    (page, runner): (&str, Runner),
    people: &BTreeMap<&'static str, AccountId>,
    mut kept: BTreeMap<String, String>,
) {
    for block in page::blocks_of(page, runner) {
        app.advance(TimeDelta::minutes(minutes(&block)));
        app.run_background().await;
        let who = block.directive("as").unwrap_or_else(|| panic!("line {}: who asks?", block.line));
        let declared = |name: &str| block.text.contains(&format!("${name}:"));
        let variables: Map<String, Value> = kept
            .iter()
            .filter(|(name, _)| declared(name))
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let answer = app.client(people[who]).send(&block.text, variables.into()).await;
        assert!(answer.0["errors"].is_null(), "line {}: {:#}", block.line, answer.0);
        let data = &answer.0["data"];
        let shown = block.shown.as_ref().unwrap_or_else(|| panic!("line {}: no answer", block.line));
        assert!(fits(shown, data), "line {}: shown {shown:#}, found {data:#}", block.line);
        for (_, rest) in block.directives().filter(|(word, _)| *word == "keep") {
            let (name, pointer) = rest.split_once(" = ").expect("keep NAME = POINTER");
            let found = data.pointer(pointer).and_then(Value::as_str);
            let found = found.unwrap_or_else(|| panic!("line {}: no {pointer} in {data:#}", block.line));
            kept.insert(name.to_owned(), found.to_owned());
        }
    }
}

#[tokio::test]
async fn the_page_is_true() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let now: DateTime<Utc> = app.app.now();
    let kept: BTreeMap<String, String> = BTreeMap::from([
        ("alliance".to_owned(), id::encode(world.town).to_string()),
        ("bureau".to_owned(), id::encode(world.members[1]).to_string()),
        ("market".to_owned(), id::encode(world.members[2]).to_string()),
        ("backstop".to_owned(), id::encode(world.members[3]).to_string()),
        ("month".to_owned(), now.format("%Y-%m").to_string()),
    ]);
    tell(&app, (WHISTLES, Runner::Whistles), &people(&world), kept).await;
}
