//! The restore drill: a backup taken while people write and upload, put back elsewhere, compared with what it was taken from.

use std::{collections::BTreeMap, path::Path, process::Output};

use concord_entities::{evidence, problem, stored_file};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Statement};
use serde_json::{Value, json};

use crate::{
    Told, count,
    crash::WRITERS,
    invariants,
    load::{Acknowledged, Client, ENOUGH, Ledger, Load, REGISTER, Told as Answer},
    node::{self, Node},
    town::{GRID_OFFICER, Town},
};

/// Taken while writing, restored, compared.
pub async fn a_backup_taken_while_writing_restores() -> Told {
    let town = match Town::build().await {
        Ok(town) => town,
        Err(reason) => return Told::Skipped(reason),
    };
    let node = Node::start(&town).await;
    let load = Load::start(&town, &[node.address], WRITERS).await;
    load.more(ENOUGH).await;
    let before = load.stop().await;
    // From here on the town's own problems change no more.
    invariants::deadlines_are_looked_at(&town).await;
    upload(node.address, town.alliance.clone(), 5).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut told = Vec::new();
    for turn in 0..count(1, 5) {
        let into = folder.path().join(format!("{turn}"));
        let load = Load::start(&town, &[node.address], WRITERS).await;
        let uploading = tokio::spawn(upload(node.address, town.alliance.clone(), count(40, 150)));
        load.more(20).await;
        let taken = command(&town, "backup", &into, &[]).await;
        assert!(taken.status.success(), "{}", words(&taken));
        uploading.await.expect("the uploads");
        load.stop().await;
        assert!(!into.join("keys").exists(), "keys are not in a backup unless asked for");
        let restored = restored(&town, &into, &format!("writing_{turn}")).await;
        let (rows, original) = (problems(&restored).await, problems(&town).await);
        for (title, row) in &rows {
            assert_eq!(original.get(title), Some(row), "a restored row is the row that was backed up");
        }
        // What was acknowledged before the backup began is in it; of what was written meanwhile, some is.
        let mut ledger = Ledger {
            acknowledged: before.acknowledged.clone(),
            checked_in: before.checked_in.clone(),
            ..Ledger::default()
        };
        let known = |title: &str| before.acknowledged.iter().any(|write| write.title == title);
        for row in rows.values().filter(|row| !known(&row.title)) {
            let (title, number) = (row.title.clone(), row.number.clone());
            ledger.acknowledged.push(Acknowledged { title, number });
        }
        files_are_there(&restored).await;
        let twin = Node::start(&restored).await;
        invariants::hold(&restored, &twin, &ledger).await;
        told.push(format!("{} of {}", rows.len(), original.len()));
    }
    a_quiet_one_is_equal(&town, folder.path()).await;
    refusals(&town, folder.path()).await;
    Told::Held(format!("restored problems by backup: {}; a quiet one equal in every table", told.join(", ")))
}

/// Nothing is written: every table of the restored database has as many rows, and the keys came along.
async fn a_quiet_one_is_equal(town: &Town, folder: &Path) {
    let into = folder.join("quiet");
    let taken = command(town, "backup", &into, &["--with-keys"]).await;
    assert!(taken.status.success(), "{}", words(&taken));
    let expected = rows(town).await;
    let restored = restored(town, &into, "quiet").await;
    assert_eq!(rows(&restored).await, expected);
    let keys = |town: &Town| {
        let listed = std::fs::read_dir(town.data().join("keys")).expect("keys");
        let mut keys: Vec<_> = listed
            .map(|entry| std::fs::read(entry.expect("a key").path()))
            .map(|key| key.expect("bytes"))
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&restored), keys(town));
}

/// What must not be touched is not.
async fn refusals(town: &Town, folder: &Path) {
    let quiet = folder.join("quiet");
    let again = command(town, "backup", &quiet, &[]).await;
    assert_eq!(again.status.code(), Some(2), "a folder that holds something: {}", words(&again));
    let over = command(town, "restore", &quiet, &[]).await;
    assert_eq!(over.status.code(), Some(2), "a town that lives: {}", words(&over));
    let copy = std::fs::read_dir(&quiet)
        .expect("the backup")
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("concord."));
    let path = copy.expect("the database's copy").path();
    let mut bytes = std::fs::read(&path).expect("its bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("it is altered");
    let elsewhere = elsewhere(town, "altered").await;
    let altered = command(&elsewhere, "restore", &quiet, &[]).await;
    assert_eq!(altered.status.code(), Some(1), "{}", words(&altered));
    assert!(
        !elsewhere.data().join("concord.db").exists(),
        "nothing is touched before the backup is found whole"
    );
}

/// Restores a backup of the town in a new place.
async fn restored(town: &Town, from: &Path, name: &str) -> Town {
    let elsewhere = elsewhere(town, name).await;
    let done = command(&elsewhere, "restore", from, &[]).await;
    assert!(done.status.success(), "{}", words(&done));
    elsewhere
}

async fn elsewhere(town: &Town, name: &str) -> Town {
    let Some(cluster) = &town.cluster else { return town.elsewhere(None) };
    cluster.sql(&format!("CREATE DATABASE {name}")).await;
    town.elsewhere(Some(cluster.url(name)))
}

async fn command(town: &Town, name: &str, folder: &Path, options: &[&str]) -> Output {
    let mut command = node::product(town);
    command.arg(name).arg(folder).args(options);
    tokio::task::spawn_blocking(move || command.output()).await.expect("it runs").expect("it starts")
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn problems(town: &Town) -> BTreeMap<String, problem::Model> {
    let db = town.look().await;
    let rows = problem::Entity::find().all(&db.read).await.expect("problems");
    close(db).await;
    rows.into_iter().map(|row| (row.title.clone(), row)).collect()
}

/// How many rows each table has.
async fn rows(town: &Town) -> BTreeMap<String, i64> {
    let db = town.look().await;
    let list = if town.is_postgres() {
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let mut counted = BTreeMap::new();
    for table in column::<String>(&db.read, list).await {
        // What a running node forgets or adds by itself.
        if ["idempotency_key", "event_pending", "checkpoint"].contains(&table.as_str()) {
            continue;
        }
        let rows = column::<i64>(&db.read, &format!("SELECT count(*) FROM \"{table}\"")).await;
        counted.insert(table, rows[0]);
    }
    close(db).await;
    assert!(counted.len() > 30, "{counted:?}");
    counted
}

async fn column<T: sea_orm::TryGetable>(db: &DatabaseConnection, text: &str) -> Vec<T> {
    let backend: DbBackend = db.get_database_backend();
    let rows = db.query_all_raw(Statement::from_string(backend, text)).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a value")).collect()
}

async fn close(db: concord::database::Connections) {
    db.write.close().await.expect("the connection closes");
    db.read.close().await.expect("the readers close");
}

/// Every file that a row names is in the restored folder, and evidence is among them.
async fn files_are_there(town: &Town) {
    let db = town.look().await;
    let files = stored_file::Entity::find().all(&db.read).await.expect("files");
    for file in &files {
        let place =
            town.data().join("files").join(&file.sha256[..2]).join(&file.sha256[2..4]).join(&file.sha256);
        assert!(place.is_file(), "{} is missing", place.display());
    }
    let shown = evidence::Entity::find().all(&db.read).await.expect("evidence");
    assert!(!shown.is_empty() && shown.len() <= files.len());
    close(db).await;
}

/// Uploads files and registers a problem with each.
async fn upload(address: std::net::SocketAddr, alliance: String, files: usize) {
    let client = Client::new(&[address], GRID_OFFICER);
    let token = client.token().await.expect("they sign in");
    let http = reqwest::Client::new();
    for _ in 0..files {
        let title = uuid::Uuid::new_v4().to_string();
        let sent = http
            .post(format!("http://{address}/files?name=a.pdf"))
            .bearer_auth(&token)
            .header("X-Concord-Upload", "1")
            .body(format!("%PDF-1.4\n% {title}\n%%EOF\n"))
            .send()
            .await
            .expect("an answer");
        let file: Value = sent.json().await.expect("JSON");
        let input = json!({ "input": {
            "allianceId": alliance, "title": title, "description": "附件", "category": "道路",
            "channel": "GRID_OFFICER", "evidenceFileIds": [file["id"]],
        } });
        let mut told = client.send(REGISTER, input.clone(), Some(&title)).await;
        // Whoever gets no answer asks again under the same key.
        for _ in 0..5 {
            if !matches!(told, Answer::Unknown(_)) {
                break;
            }
            told = client.send(REGISTER, input.clone(), Some(&title)).await;
        }
        assert!(matches!(told, Answer::Done(_)), "{told:?} {file}");
    }
}
