//! The disk is full: what writes is refused with a code, what reads goes on, and freed space is all that it takes to go on.
//! On SQLite the data folder is on the small disk; on PostgreSQL the database's tables are, and the folder of evidence.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    Told, cluster,
    crash::WRITERS,
    invariants,
    load::{Client, ENOUGH, Load, Told as Answer},
    node::Node,
    town::{GRID_OFFICER, Town, on_postgres},
};

const READ: &str = "query($alliance: ID!) { problems(filter: { allianceId: $alliance }, first: 5) { totalCount nodes { number } } }";
/// How long the node may take to notice that there is room again.
const RECOVERS_WITHIN: Duration = Duration::from_secs(15);

/// A small disk in memory; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, megabytes: u32) -> Result<Self, String> {
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Ok(Self(at.to_owned())),
            Ok(output) => Err(format!("no small disk: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(format!("no small disk: {error}")),
        }
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Writes until there is no room, leaving so many kilobytes.
    fn fill(&self, leave: usize) {
        let mut filler = std::fs::File::create(self.filler()).expect("a file");
        while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
        let size = filler.metadata().expect("its size").len();
        filler.set_len(size.saturating_sub(u64::try_from(leave * 1024).expect("small"))).expect("it shrinks");
    }

    fn free(&self) {
        std::fs::remove_file(self.filler()).expect("the file goes");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// No room, then room again.
pub async fn no_room() -> Told {
    match small_town().await {
        Ok((town, disk)) => full(&town, &disk).await,
        Err(reason) => Told::Skipped(reason),
    }
}

async fn small_town() -> Result<(Town, Disk), String> {
    if !cluster::is_root() {
        return Err("only root may mount a small disk".to_owned());
    }
    if !on_postgres() {
        let mut disk = None;
        let town = Town::build_on(|folder| {
            disk = Some(Disk::mount(folder, 24)?);
            Ok(())
        });
        let town = town.await?;
        return Ok((town, disk.expect("it was mounted")));
    }
    let database = cluster::Cluster::start()?;
    let space = database.data().parent().expect("the cluster's folder").join("small");
    std::fs::create_dir(&space).expect("a folder");
    let disk = Disk::mount(&space, 48)?;
    cluster::own(&space);
    database.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", space.display())).await;
    database.sql("CREATE DATABASE concord TABLESPACE small").await;
    let town = Town::found(Some(database), |_| Ok(())).await?;
    Ok((town, disk))
}

async fn full(town: &Town, disk: &Disk) -> Told {
    let node = Node::start(town).await;
    let load = Load::start_with(town, &[node.address], WRITERS, &"，附近居民出行受阻".repeat(60)).await;
    load.more(ENOUGH).await;
    let client = Client::new(&[node.address], GRID_OFFICER);
    client.token().await.expect("they sign in");
    disk.fill(64);
    let started = Instant::now();
    // The last free pages still take some.
    while load.refused() < WRITERS {
        assert!(started.elapsed() < RECOVERS_WITHIN, "the disk does not fill");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // On PostgreSQL it is the tables that have no room, not the data folder.
    if !town.is_postgres() {
        assert_eq!(node.ready().await, Some(503), "readiness tells that the disk is full");
    }
    match client.send(READ, json!({ "alliance": town.alliance }), None).await {
        Answer::Done(data) => assert!(data["problems"]["totalCount"].as_i64().expect("a count") > 0),
        other => panic!("reads go on: {other:?}"),
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    disk.free();
    let freed = Instant::now();
    load.more(20).await;
    let recovered = freed.elapsed();
    assert!(recovered < RECOVERS_WITHIN, "writes go on once there is room");
    let ledger = load.stop().await;
    assert!(ledger.refused.iter().all(|(_, code)| code == "UNAVAILABLE"), "{}", ledger.summary());
    invariants::hold(town, &node, &ledger).await;
    Told::Held(format!(
        "{}; reads went on meanwhile; writes went on {} ms after space was freed",
        ledger.summary(),
        recovered.as_millis()
    ))
}
