//! Many at once on the same thing: one idempotency key, one object.

use std::time::Instant;

use concord_entities::{alliance, event, problem};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::{
    Told, count, invariants,
    load::{Acknowledged, Client, Ledger, REGISTER, Told as Answer},
    node::Node,
    town::{COMMITTEE, GRID_OFFICER, LATE, Town},
};

const EDIT: &str = "mutation($input: UpdateAllianceInput!) { updateAlliance(input: $input) { alliance { version } userErrors { code message } } }";
const VERSION: &str = "query($id: ID!) { alliance(id: $id) { version } }";
const CLIENTS: usize = 50;

/// The same key fifty times in parallel has one effect, and all are told of the same object.
pub async fn the_same_key_at_once() -> Told {
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let node = Node::start(&town).await;
    let client = Client::new(&[node.address], GRID_OFFICER);
    client.token().await.expect("they sign in");
    let (rounds, mut ledger) = (count(5, 50), Ledger::default());
    for round in 0..rounds {
        let title = format!("第{round}件");
        let input = json!({ "input": {
            "allianceId": town.alliance, "title": title, "description": "同一请求",
            "category": "道路", "channel": "GRID_OFFICER",
        } });
        let key = format!("round-{round}");
        let asked = (0..CLIENTS).map(|_| client.send(REGISTER, input.clone(), Some(&key)));
        let mut numbers: Vec<String> = Vec::new();
        for told in futures_util::future::join_all(asked).await {
            let Answer::Done(data) = told else { panic!("{told:?}") };
            let number = data["registerProblem"]["problem"]["number"].as_str().expect("a number");
            numbers.push(number.to_owned());
        }
        numbers.dedup();
        assert_eq!(numbers.len(), 1, "all are told of the same object");
        ledger.acknowledged.push(Acknowledged { title, number: numbers.remove(0) });
    }
    let db = town.look().await;
    assert_eq!(
        problem::Entity::find().count(&db.read).await.expect("a count"),
        u64::try_from(rounds + LATE).expect("few")
    );
    db.write.close().await.expect("the connection closes");
    invariants::hold(&town, &node, &ledger).await;
    Told::Held(format!("{rounds} keys, {CLIENTS} times each in parallel: one problem each"))
}

/// Fifty people edit one object, each from the version that they read: every acknowledged edit is one version.
pub async fn many_edit_one_object() -> Told {
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let node = Node::start(&town).await;
    let client = Client::new(&[node.address], COMMITTEE);
    client.token().await.expect("they sign in");
    let edits = count(4, 200);
    let before = version(&client, &town).await;
    let started = Instant::now();
    let editors = (0..CLIENTS).map(|editor| edit(&client, &town, editor, edits));
    let outcomes = futures_util::future::join_all(editors).await;
    let took = started.elapsed();
    let (made, conflicts) = outcomes
        .into_iter()
        .fold((0, 0), |(made, conflicts), (more, turned)| (made + more, conflicts + turned));
    let edited = i64::try_from(made).expect("few");
    assert_eq!(version(&client, &town).await, before + edited, "every acknowledged edit is one version");
    assert!(conflicts > 0, "nobody met anybody");
    let db = town.look().await;
    let told = event::Entity::find()
        .filter(event::Column::SubjectId.eq(town.alliance_id.0))
        .filter(event::Column::Kind.eq("alliance_updated"))
        .count(&db.read)
        .await
        .expect("a count");
    assert_eq!(i64::try_from(told).expect("few"), edited, "every edit is one event");
    assert!(alliance::Entity::find_by_id(town.alliance_id).one(&db.read).await.expect("a row").is_some());
    db.write.close().await.expect("the connection closes");
    invariants::hold(&town, &node, &Ledger::default()).await;
    Told::Held(format!(
        "{CLIENTS} clients × {edits} edits: {made} made, {conflicts} told the current version, in {:.1} s",
        took.as_secs_f64()
    ))
}

async fn version(client: &Client, town: &Town) -> i64 {
    match client.send(VERSION, json!({ "id": town.alliance }), None).await {
        Answer::Done(data) => data["alliance"]["version"].as_i64().expect("a version"),
        other => panic!("{other:?}"),
    }
}

/// Edits until `edits` were tried; tells how many were made and how many met a conflict.
async fn edit(client: &Client, town: &Town, editor: usize, edits: usize) -> (usize, usize) {
    let (mut made, mut conflicts) = (0, 0);
    for turn in 0..edits {
        let read = version(client, town).await;
        let input = json!({ "input": {
            "allianceId": town.alliance, "expectedVersion": read, "name": format!("西海镇联盟{editor}-{turn}"),
        } });
        match client.send(EDIT, input, None).await {
            Answer::Done(_) => made += 1,
            Answer::Refused(code) if code == "VERSION_CONFLICT" => conflicts += 1,
            other => panic!("{other:?}"),
        }
    }
    (made, conflicts)
}
