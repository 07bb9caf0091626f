//! The clock of the process jumps an hour and a day, forward and back, under load. The library of Debian's `faketime`
//! lies to the process about the time; the product has no setting for it.

use std::path::PathBuf;

use chrono::TimeDelta;
use concord_entities::problem;
use sea_orm::EntityTrait;

use crate::{
    Told, count,
    crash::WRITERS,
    invariants,
    load::{ENOUGH, Load},
    node::{Node, free_address},
    town::Town,
};

/// Where the clock goes, in the library's words.
const JUMPS: [&str; 8] = ["+1h", "+0", "-1h", "+0", "+1d", "+0", "-1d", "+0"];

/// Jumps while writers write and hands seal.
pub async fn the_clock_jumps() -> Told {
    let Some(library) = library() else {
        return Told::Skipped("there is no libfaketime; Debian, Ubuntu: apt-get install faketime".to_owned());
    };
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("clock");
    std::fs::write(&file, "+0").expect("the file is written");
    let environment = [
        ("LD_PRELOAD", library.to_str().expect("a path")),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("a path")),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let node = Node::start_with(&town, free_address(), &environment).await;
    let load = Load::start(&town, &[node.address], WRITERS).await;
    let rounds = count(1, 10);
    for jump in JUMPS.iter().cycle().take(JUMPS.len() * rounds) {
        // In one step: a half-written file would be another time.
        let next = folder.path().join("next");
        std::fs::write(&next, jump).expect("the file is written");
        std::fs::rename(&next, &file).expect("it takes its place");
        load.more(ENOUGH / JUMPS.len() + 5).await;
    }
    let ledger = load.stop().await;
    assert!(ledger.acknowledged.len() >= ENOUGH, "too few acknowledgements to count");
    invariants::hold(&town, &node, &ledger).await;
    let db = town.look().await;
    let recorded = problem::Entity::find().all(&db.read).await.expect("problems");
    let times = || recorded.iter().map(|problem| problem.recorded_at);
    let span = times().max().expect("problems") - times().min().expect("problems");
    assert!(span > TimeDelta::hours(47), "the clock did not jump: {span}");
    Told::Held(format!("{} jumps, {}", JUMPS.len() * rounds, ledger.summary()))
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}
