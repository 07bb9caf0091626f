//! A worker's own connections: what becomes of a read whose connection is gone, or which the database does not end in time.

use concord_tests::{Server, TestApp, World, database};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

const LIST: &str = "{ alliances { nodes { name } } }";

/// Some reads at once, so that every worker opens connections.
async fn read(server: &Server, token: &str) -> Vec<Value> {
    let asking = (0..16).map(|_| server.send(Some(token), LIST, json!({})));
    futures_util::future::join_all(asking).await.into_iter().map(|answer| answer.0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_connection_is_gone_is_asked_again() {
    if database::postgres().is_none() {
        eprintln!("skipped: only PostgreSQL's connections can be ended from outside");
        return;
    }
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.staff, "correct horse battery").await;
    let token = app.sign_in("staff.632223", "correct horse battery").await.access_token;
    let server = Server::start(app.app.clone());
    for _ in 0..3 {
        for answer in read(&server, &token).await {
            assert!(answer["data"]["alliances"]["nodes"][0]["name"].is_string(), "{answer}");
        }
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let ended = app.sql(ended).await.expect("the statement runs");
        assert!(ended > 1, "{ended} connections were open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_takes_too_long_is_ended_and_leaves_its_connection_usable() {
    if database::postgres().is_none() {
        eprintln!("skipped: SQLite's readers wait for nobody");
        return;
    }
    let app = TestApp::with(|config| config.database.statement_timeout_ms = 300).await;
    let world = World::build(&app, "632223").await;
    app.give_password(world.staff, "correct horse battery").await;
    let token = app.sign_in("staff.632223", "correct horse battery").await.access_token;
    let server = Server::start(app.app.clone());
    let holding = app.app.write.begin().await.expect("a transaction");
    holding.execute_unprepared("LOCK TABLE alliance").await.expect("a lock");
    for answer in read(&server, &token).await {
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer}");
    }
    holding.rollback().await.expect("the lock goes");
    for answer in read(&server, &token).await {
        assert!(answer["data"]["alliances"]["nodes"][0]["name"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn sqlite_is_built_as_the_settings_of_the_build_say() {
    if database::postgres().is_some() {
        eprintln!("skipped: it is SQLite's");
        return;
    }
    let app = TestApp::new().await;
    for option in ["ENABLE_QPSG", "DEFAULT_MEMSTATUS=0"] {
        let asked = format!("SELECT sqlite_compileoption_used('{option}') AS n");
        assert_eq!(crate::problem::count(&app, &asked).await, 1, "{option}");
    }
}
