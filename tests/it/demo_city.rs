//! The demo's other story: a whole city answers an order. It is told to the end, its people come, its board fills while the page's own
//! command watches; branches are there in their numbers, and a subdistrict sees its own part.

use std::collections::BTreeMap;

use concord::{
    app::SystemClock,
    cli::demo::{self, Arrivals, Which},
    config::Config,
    domain::{context::Clock, mobilization::coverage},
};
use concord_tests::{
    Answer, Server,
    process::{Program, Served},
};
use serde_json::{Value, json};

use crate::page::{self, MOBILIZATIONS, Runner};

/// People of the story who come in this test before the demo is served, and together; the demo lets everybody come from the first on.
const EARLY: std::ops::Range<usize> = 20_000..26_000;
const TOGETHER: usize = 1_000;

fn sum(rows: &[Value], field: &str) -> i64 {
    rows.iter().filter_map(|row| row[field].as_i64()).sum()
}

async fn sign_in(server: &Server, account: &demo::Account) -> String {
    let query = "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } userErrors { code } } }";
    let input = json!({ "input": { "username": account.username, "password": account.password } });
    server.send(None, query, input).await.fine().text("/signIn/tokens/accessToken")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_answers_and_one_watches_the_board_fill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut config = Config::defaults();
    config.data.directory = folder.path().to_owned();
    config.identity.argon2_memory_kib = 64;
    config.identity.argon2_passes = 1;
    let (app, handout) =
        Box::pin(demo::create(config, Which::City, SystemClock.now())).await.expect("the story is told");
    let server = Server::start(app.clone());
    let mut tokens = BTreeMap::new();
    for (part, account) in &handout.accounts {
        tokens.insert(part.as_str(), sign_in(&server, account).await);
    }
    let ids = &handout.ids;
    let ask = async |who: &str, query: &str| -> Answer {
        let filled =
            ids.iter().fold(query.to_owned(), |query, (name, id)| query.replace(&format!("<{name}>"), id));
        server.send(Some(tokens.get(who).unwrap_or(&handout.dashboard_key)), &filled, json!({})).await
    };
    // What stands on the terminal is answered.
    for (part, query) in handout.queries() {
        let answer = ask(part, &query).await;
        assert!(answer.0["errors"].is_null(), "{part}: {query}: {:#}", answer.0);
    }
    branches(&ask("city", BRANCHES).await);
    // People come; every moment equals a recount.
    let arrivals = Arrivals::of(&app).await.expect("the order");
    for first in EARLY.step_by(TOGETHER) {
        arrivals.come(first..first + TOGETHER).await.expect("they come");
        assert_eq!(coverage::first_difference(&app.read).await.expect("a recount"), None);
    }
    let whole = ask(
        "dashboard",
        "{ mobilization(id: \"<mobilization>\") { coverage { needed present uncovered } } }",
    )
    .await;
    let rows = whole.at("/mobilization/coverage").as_array().expect("rows").clone();
    assert_eq!(rows.len(), 10);
    assert_eq!((sum(&rows, "needed"), sum(&rows, "present")), (1_529 * 17, 6_000));
    // A subdistrict sees its own communities alone, and receives people there.
    let own =
        ask("town", "{ mobilization(id: \"<mobilization>\") { coverage { region { name code } present } } }")
            .await;
    let rows = own.at("/mobilization/coverage").as_array().expect("rows").clone();
    assert!(
        rows.len() > 3
            && rows.iter().all(|row| {
                row["region"]["code"].as_str().is_some_and(|code| code.starts_with("230803007"))
            })
    );
    drop(server);
    drop(arrivals);
    app.write.clone().close().await.expect("closed");
    drop(app);
    watched(folder.path(), &handout.dashboard_key).await;
}

const BRANCHES: &str = "{ alliance(id: \"<alliance>\") { homeReportCount
    partyBranchCounts { committees branches groups joint temporary members }
    branchCoverage {
        communities: figures(kind: COMMUNITY) { total own joint temporary instructor uncovered organizationCovered workCovered }
        compounds: figures(kind: COMPOUND) { total own temporary uncovered }
        cells: figures(kind: GRID_CELL) { total organizationCovered }
        markets: figures(kind: MARKET) { total joint } } } }";

/// 674 branches and 4,001 groups, at home in places of several kinds, and what they cover adds up.
fn branches(answer: &Answer) {
    assert_eq!(answer.at("/alliance/homeReportCount"), 200);
    let counts = answer.at("/alliance/partyBranchCounts");
    assert_eq!((&counts["branches"], &counts["groups"]), (&json!(674), &json!(4_001)));
    assert_eq!(counts["members"], 674 * 2 + 4_001 * 6);
    assert!(counts["joint"].as_i64() > Some(100) && counts["temporary"] == 13);
    let figures = answer.at("/alliance/branchCoverage");
    let of = |kind: &str, field: &str| figures[kind][field].as_i64().expect("a number");
    let by = ["own", "joint", "temporary", "instructor", "uncovered"].map(|field| of("communities", field));
    assert_eq!((of("communities", "total"), by.iter().sum()), (1_529, 1_529));
    assert!(by.iter().all(|count| *count > 0), "{by:?}");
    assert_eq!(of("communities", "organizationCovered"), by[0] + by[1]);
    assert_eq!(of("communities", "workCovered"), 1_529 - by[4]);
    // Each compound was recorded for its branch.
    assert_eq!((of("compounds", "total"), of("compounds", "uncovered")), (84, 0));
    assert_eq!(of("cells", "total"), 84);
    // Two of those at markets are there for a time only.
    assert_eq!((of("markets", "total"), of("markets", "joint")), (42, 40));
}

/// The commands of the page, as they are written there: the demo that stands is served, people come, and the board fills.
async fn watched(folder: &std::path::Path, key: &str) {
    let blocks = page::blocks_of(MOBILIZATIONS, Runner::City);
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    let command = blocks[0].text.replace("city-demo", &folder.display().to_string());
    let arguments: Vec<&str> = command.trim().split(' ').skip(1).collect();
    let served = Served::start(&program, &arguments, &[]).await;
    let script = blocks[1]
        .text
        .replace("city-demo", &folder.display().to_string())
        .replace("http://127.0.0.1:8080", &served.url);
    // Watching has no end of its own.
    let output = program.shell(&format!("curl() {{ timeout 8 curl \"$@\" || true; }}\n{script}"), &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut present: BTreeMap<String, i64> = BTreeMap::new();
    let mut seen = Vec::new();
    for line in said.lines().filter_map(|line| line.strip_prefix("data:")) {
        let Ok(told) = serde_json::from_str::<Value>(line.trim()) else { continue };
        let rows = told.pointer("/data/mobilizationCoverage/rows").and_then(Value::as_array);
        for row in rows.into_iter().flatten() {
            let name = row["region"]["name"].as_str().expect("a name").to_owned();
            present.insert(name, row["present"].as_i64().expect("a number"));
        }
        if !present.is_empty() {
            seen.push(present.values().sum::<i64>());
        }
    }
    assert!(seen.len() > 3, "{said}\n{}\n{}", String::from_utf8_lossy(&output.stderr), served.log());
    assert!(seen.is_sorted() && seen[0] >= 6_000 && seen.last() > seen.first(), "{seen:?}");
    assert_eq!(present.len(), 10);
    assert!(!served.log().contains(key));
}
