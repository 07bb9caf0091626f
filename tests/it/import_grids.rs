//! Files of grid cells: what clerks write is taken, a second run changes nothing, and what is wrong is told by line and column while
//! the rest goes on.

use std::fmt::Write as _;

use concord::{
    domain::Code,
    graphql::id,
    import::{Options, Report, Source, grids},
};
use concord_entities::{grid_network::Kind, region::Level};
use concord_tests::{TestApp, World, process::Program};
use serde_json::json;

use crate::{
    grid::{network_of, place},
    page::{self, GRIDS, Runner},
    problem::count,
};

const HEAD: &str =
    "网络,网格编码,网格名称,层级,上级网格,类型(综合/专属),覆盖社区/小区,网格员,电话,单位,角色,起始日期";

async fn run(app: &TestApp, world: &World, text: &str, dry_run: bool) -> Report {
    let source = Source { name: "grids.csv".to_owned(), bytes: text.as_bytes().to_vec() };
    let options = Options { dry_run, ..Options::default() };
    grids::run(&app.system(), world.town, &source, options).await.expect("the import runs")
}

fn counts(report: &Report) -> (u64, u64, u64, u64) {
    (report.imported, report.updated, report.unchanged, report.refused())
}

fn places(report: &Report) -> Vec<(u64, u64, Code)> {
    report.errors.iter().map(|error| (error.line, error.column, error.error.code())).collect()
}

async fn rows(app: &TestApp, table: &str) -> i64 {
    count(app, &format!("SELECT COUNT(*) AS n FROM {table}")).await
}

#[tokio::test]
async fn the_file_of_the_page_is_imported_once_and_again_changes_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    place(&app, world.communities[0], "东小区", Level::Compound).await;
    let blocks = page::blocks_of(GRIDS, Runner::GridFile);
    let file = blocks.iter().find(|block| block.text.starts_with("网络,")).expect("a file");
    let text = file.text.replace("派出所", "成员单位1-632223");
    let dry = run(&app, &world, &text, true).await;
    assert_eq!(rows(&app, "grid_network").await, 0);
    let report = run(&app, &world, &text, false).await;
    assert_eq!(places(&report), []);
    assert_eq!(counts(&report), counts(&dry));
    assert_eq!(counts(&report), (6, 0, 0, 0));
    assert_eq!(rows(&app, "grid_network").await, 3);
    assert_eq!(rows(&app, "grid_cell").await, 5);
    assert_eq!(rows(&app, "grid_officer").await, 6);
    let again = run(&app, &world, &text, false).await;
    assert_eq!(counts(&again), (0, 0, 6, 0));
    let query =
        "query($a: ID!) { gridCells(filter: { allianceId: $a, kind: POLICE }) { nodes { code name level since
        parent { code } territory { name } officers { role isMain person { name } since } } } }";
    let shown = app.client(world.committee).send(query, json!({ "a": id::encode(world.town) })).await;
    let cell = shown.at("/gridCells/nodes/0").clone();
    assert_eq!(cell["territory"], json!([{ "name": "第1社区" }, { "name": "第2社区" }]));
    // One person in two roles, as the row says.
    let roles: Vec<_> =
        cell["officers"].as_array().expect("officers").iter().map(|row| &row["role"]).collect();
    assert_eq!(roles, ["POLICE_OFFICER", "AUXILIARY_POLICE", "SECURITY_DIRECTOR"]);
    app.run_background().await;
    // The command of the page, on the same file.
    let home = app.close().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("grids.csv");
    std::fs::write(&path, &text).expect("a file");
    let command = blocks.iter().find(|block| block.text.starts_with("concord ")).expect("a command");
    let script = command
        .text
        .replace("/var/lib/concord", &home.directory.path().display().to_string())
        .replace("grids.csv", &path.display().to_string());
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    let output = program.shell(&script, &home.settings());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("0 imported, 0 updated, 6 unchanged, 0 left, 0 refused"), "{said}");
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_line_and_the_rest_goes_on() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let [north, south] = world.communities;
    for community in [north, south] {
        place(&app, community, "幸福小区", Level::Compound).await;
    }
    network_of(&app, &world, Kind::Party).await;
    let unit = "成员单位1-632223";
    let text = format!(
        "\u{feff}{HEAD}
党建,A,甲,2,B,综合,第1社区,,,,,2026-01-01
党建,B,乙,1,A,综合,第2社区,,,,,2026-01-01
党建,C,丙,三级,,综合,第1社区；第2社区,张三,139,{unit},网格员,2026/1/5
党建,D,丁,3,,综合,第2社区/幸福小区,,,,,2026-01-05
党建,E,戊,4,C,综合,第2社区/幸福小区,李四,138,{unit},网格长,2026-01-04
党建,F,己,5,C,综合,第1社区/幸福小区,,,,,
党建,G,庚,4,X,综合,第1社区/幸福小区,,,,,
党建,H,辛,4,C,综合,幸福小区,,,,,
党建,I,壬,4,C,综合,某小区,,,,,
党建,J,癸,九,,综合,第1社区,,,,,
武警,K,子,3,,综合,第1社区,,,,,
党建,L,丑,3,,一般,第1社区,,,,,
党建,M,寅,3,,专属,第1社区,王五,,,网格员,
党建,N,卯,3,,专属,第1社区,王五,,无此单位,网格员,
党建,O,辰,3,,专属,第1社区,王五,,{unit},厨师,
党建,P,巳,3,,专属,第1社区,,,,,2026-02-30
党建,Q,午,3,,专属,,,,,,
党建,,未,3,,专属,第1社区,,,,,
党建,C,,,,,,张三,139,{unit},网格员,
党建,C,丙丙,,,,,赵六,,{unit},网格员,
党建,C,,,,,,赵六,,{unit},网格员,2026-01-05
治理,S,'=甲,3,,综合,632223100001,,,,,
党建,T
"
    );
    let report = run(&app, &world, &text, false).await;
    assert_eq!(
        places(&report),
        [
            (2, 5, Code::GridLoop),
            (3, 5, Code::GridLoop),
            (5, 7, Code::GridOverlap),
            (6, 12, Code::TooEarly),
            (7, 5, Code::GridLevelJump),
            (8, 5, Code::ImportUnknown),
            (9, 7, Code::ImportAmbiguous),
            (10, 7, Code::ImportUnknown),
            (11, 4, Code::OutOfRange),
            (12, 1, Code::Malformed),
            (13, 6, Code::Malformed),
            (14, 10, Code::Required),
            (15, 10, Code::ImportUnknown),
            (16, 11, Code::Malformed),
            (17, 12, Code::Malformed),
            (18, 7, Code::Required),
            (19, 2, Code::Required),
            (20, 8, Code::ImportDuplicate),
            (21, 3, Code::ImportDiffers),
            (24, 3, Code::ImportWrongColumns),
        ]
    );
    // What was good is there: C with two officers, and S, whose name is text again; nothing of a row that was refused.
    assert_eq!(counts(&report), (3, 0, 0, 20));
    let query = "query($a: ID!) { gridCells(filter: { allianceId: $a }) { nodes { code name officers { isMain person { name } } } } }";
    let shown = app.client(world.committee).send(query, json!({ "a": id::encode(world.town) })).await;
    let found = shown.at("/gridCells/nodes").clone();
    let codes: Vec<_> = found.as_array().expect("cells").iter().map(|cell| cell["code"].clone()).collect();
    assert_eq!(codes, ["C", "S"]);
    assert_eq!(found[1]["name"], "=甲");
    let officers = found[0]["officers"].clone();
    assert_eq!((&officers[0]["isMain"], &officers[1]["isMain"]), (&json!(true), &json!(false)));
    // What a file says otherwise of a cell on record is refused; another territory from a later day on redraws it.
    let other = format!(
        "{HEAD}\n党建,C,丙二,3,,综合,第1社区,,,,,2026-02-01\n治理,S,,,,,第1社区；第2社区,,,,,2026-02-01\n"
    );
    let report = run(&app, &world, &other, false).await;
    assert_eq!(places(&report), [(2, 3, Code::ImportDiffers)]);
    assert_eq!(counts(&report), (0, 1, 0, 1));
    app.run_background().await;
}

#[tokio::test]
async fn of_a_long_circle_a_few_are_named_and_names_are_one_line() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut text = format!("{HEAD}\n");
    for number in 0..200 {
        let above = (number + 1) % 200;
        let _ = writeln!(text, "党建,R-{number},环{number},3,R-{above},综合,第1社区,,,,,2026-01-01");
    }
    text.push_str("党建,\"D\t1\",甲,3,,综合,第1社区,,,,,2026-01-01\n党建,D-2,\"甲\n乙\",3,,综合,第1社区,,,,,2026-01-01\n");
    let report = run(&app, &world, &text, false).await;
    let (circle, others) = report.errors.split_at(200);
    for error in circle {
        let told = format!("{:?}", error.error);
        assert_eq!(error.error.code(), Code::GridLoop);
        assert!(told.matches("R-").count() == 6 && told.contains('…'), "{told}");
    }
    let others: Vec<_> = others.iter().map(|error| (error.column, error.error.code())).collect();
    assert_eq!(others, [(2, Code::Malformed), (3, Code::Malformed)]);
    assert_eq!(rows(&app, "grid_cell").await, 0);
    app.run_background().await;
}

#[tokio::test]
async fn a_city_s_file_is_imported_in_one_go() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let mut text = format!("{HEAD}\n");
    for number in 0..120 {
        let name = format!("{number}号小区");
        place(&app, world.communities[number % 2], &name, Level::Compound).await;
        let _ = writeln!(text, "治理,Z-{number},{name}网格,4,Z,综合,{name},甲{number},,成员单位1-632223,,");
    }
    let _ = writeln!(text, "治理,Z,全镇,3,,综合,第1社区；第2社区,,,,,");
    let report = run(&app, &world, &text, false).await;
    assert_eq!(counts(&report), (121, 0, 0, 0), "{:?}", places(&report));
    let gaps = "query($a: ID!) { alliance(id: $a) { gridNetworks { kind gaps { totalCount } } } }";
    let shown = app.client(world.observer).send(gaps, json!({ "a": id::encode(world.town) })).await;
    assert_eq!(
        shown.at("/alliance/gridNetworks"),
        &json!([{ "kind": "GOVERNANCE", "gaps": { "totalCount": 0 } }])
    );
}
