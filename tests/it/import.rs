//! Imports of regions, rosters and calendars: complete, re-runnable, with every bad row told by file, line and column.

use std::sync::atomic::{AtomicU64, Ordering};

use concord::{
    domain::{Code, mobilization::order},
    graphql::id,
    import::{
        Options, Report, Source, calendar,
        members::{self, Roster},
        regions::{self, Register},
    },
};
use concord_tests::{TestApp, World};
use serde_json::{Value, json};

use crate::mobilization::{issued, need, which};

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn counts(report: &Report) -> (u64, u64, u64) {
    (report.imported, report.updated, report.unchanged)
}

fn places(report: &Report) -> Vec<(&str, u64, u64, Code)> {
    let place = |error: &'_ concord::import::RowError| (error.line, error.column, error.error.code());
    report
        .errors
        .iter()
        .map(|error| {
            let (line, column, code) = place(error);
            (error.file.as_str(), line, column, code)
        })
        .collect()
}

const DRY: Options<'static> = Options { dry_run: true, progress: &|_| {} };

async fn count(app: &TestApp, table: &str) -> u64 {
    use sea_orm::{ConnectionTrait, Statement};
    let statement = Statement::from_string(app.app.backend(), format!("SELECT COUNT(*) AS n FROM {table}"));
    let row = app.app.read.query_one_raw(statement).await.expect("the count").expect("a row");
    u64::try_from(row.try_get::<i64>("", "n").expect("a number")).expect("not negative")
}

async fn events(app: &TestApp, kind: &str) -> u64 {
    count(app, &format!("event WHERE kind = '{kind}'")).await
}

/// The register of Haibei that the demo ships with.
fn haibei() -> Register {
    let file = |name: &str, text: &str| source(name, text);
    Register::of([
        file("provinces.csv", include_str!("../../api/src/cli/demo/regions/provinces.csv")),
        file("cities.csv", include_str!("../../api/src/cli/demo/regions/cities.csv")),
        file("areas.csv", include_str!("../../api/src/cli/demo/regions/areas.csv")),
        file("streets.csv", include_str!("../../api/src/cli/demo/regions/streets.csv")),
        file("villages.csv", include_str!("../../api/src/cli/demo/regions/villages.csv")),
    ])
}

#[tokio::test]
async fn a_register_is_imported_once_linked_and_told_by_one_event() {
    let app = TestApp::new().await;
    let last = AtomicU64::new(0);
    let progress = |done| last.store(done, Ordering::Relaxed);
    let register = haibei();
    let dry = regions::run(&app.system(), &register, DRY).await.expect("a dry run");
    assert_eq!(count(&app, "region").await, 0);
    let report = regions::run(&app.system(), &register, Options { dry_run: false, progress: &progress })
        .await
        .expect("the import");
    assert_eq!(places(&report), []);
    assert_eq!(counts(&report), counts(&dry));
    assert_eq!(report.imported, count(&app, "region").await);
    assert_eq!(last.load(Ordering::Relaxed), report.imported);
    assert_eq!(report.imported, register.lines() - 5);
    let again = regions::run(&app.system(), &register, Options::default()).await.expect("the second run");
    assert_eq!(counts(&again), (0, 0, report.imported));
    assert_eq!(events(&app, "regions_imported").await, 1);
    let world = World::build(&app, "999999").await;
    let query = "{ regionByCode(code: \"632223101\") { id name level parent { name parent { name parent { name parent { id } } } }
        children { totalCount } } }";
    let town = app.client(world.stranger).run(query).await.fine();
    assert_eq!(town.text("/regionByCode/name"), "西海镇");
    assert_eq!(town.text("/regionByCode/parent/parent/parent/name"), "青海省");
    assert!(town.at("/regionByCode/parent/parent/parent/parent").is_null());
    assert_eq!(town.at("/regionByCode/children/totalCount"), 4, "the communities of the official register");
    app.run_background().await;
}

#[tokio::test]
async fn a_renamed_or_moved_region_is_updated_with_what_was_recorded_below_it() {
    let app = TestApp::new().await;
    let provinces = source("provinces.csv", "code,name\n63,青海省\n62,甘肃省\n");
    let cities =
        |parent: &str| source("cities.csv", &format!("code,name,provinceCode\n6322,海北州,{parent}\n"));
    let first =
        regions::run(&app.system(), &Register::of([provinces.clone(), cities("62")]), Options::default())
            .await
            .expect("the import");
    assert_eq!(first.imported, 3);
    let missing = Code::ImportFileMissing;
    assert_eq!(
        places(&first),
        [("areas.csv", 0, 0, missing), ("streets.csv", 0, 0, missing), ("villages.csv", 0, 0, missing)]
    );
    let world = World::build(&app, "999999").await;
    let record = "mutation($input: RecordRegionInput!) { recordRegion(input: $input) { region { id } userErrors { code } } }";
    let prefecture = concord::domain::territory::region::id_of_code("6322");
    let input =
        json!({ "input": { "parentId": id::encode(prefecture), "name": "某小区", "level": "COMPOUND" } });
    app.client(world.admin).send(record, input).await.fine();
    let second = regions::run(&app.system(), &Register::of([provinces, cities("63")]), Options::default())
        .await
        .expect("the second run");
    assert_eq!(counts(&second), (0, 1, 2));
    let query = "query($id: ID!) { regions(filter: { withinId: $id }) { nodes { name } } }";
    let province = concord::domain::territory::region::id_of_code("63");
    let below = app.client(world.stranger).send(query, json!({ "id": id::encode(province) })).await.fine();
    assert_eq!(below.at("/regions/nodes"), &json!([{ "name": "海北州" }, { "name": "某小区" }]));
}

#[tokio::test]
async fn an_issued_order_goes_along_with_a_region_that_moved() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let order = issued(&app, &world).await;
    let query = "query($id: ID!, $below: ID!) { mobilization(id: $id) { regions { name } town: coverage(level: TOWNSHIP) { needed }
        coverage(below: $below) { region { name } needed } } }";
    let ask = async || {
        let given = json!({ "id": id::encode(order.id), "below": id::encode(world.communities[0]) });
        app.client(world.staff).send(query, given).await.fine().at("/mobilization").clone()
    };
    let before = ask().await;
    assert_eq!(before["town"], json!([{ "needed": 15 }]));
    assert_eq!(before["coverage"], json!([{ "region": { "name": "第1社区" }, "needed": 10 }]));
    let register = Register::of([
        source("provinces.csv", "code,name\n63,青海省\n"),
        source("cities.csv", "code,name,provinceCode\n6322,海北州,63\n"),
        source("areas.csv", "code,name,cityCode\n632223,海晏县,6322\n"),
    ]);
    let report = regions::run(&app.system(), &register, Options::default()).await.expect("the import");
    assert_eq!(counts(&report), (2, 1, 0));
    assert_eq!(ask().await, before);
    let needs = [need(world.communities[0], 11)];
    let changed =
        order::amend_needs(&app.ctx(world.committee), which(order.id), &needs).await.expect("amended");
    assert_eq!(changed.territory, "/63/6322/632223/632223100/");
    assert_eq!(ask().await["town"], json!([{ "needed": 16 }]));
}

#[tokio::test]
async fn bad_rows_of_a_register_are_told_by_file_line_and_column_and_the_rest_is_imported() {
    let app = TestApp::new().await;
    let register = Register::of([
        source("provinces.csv", "code,name\n63,青海省\n6,短\n63,重复\n62,\n"),
        source("cities.csv", "code,name,provinceCode\n6322,海北州,63\n6323,黄南州,99\n6321,\"海东"),
        source("areas.csv", "code,title\n632223,海晏县\n"),
        Source {
            name: "streets.csv".to_owned(),
            bytes: b"code,name,areaCode\n632223100,\xff,632223\n632223101,a,6322\n".to_vec(),
        },
        source("villages.csv", "code,name,streetCode\n632223101001,一村\n632223101002,二村,632223101\n"),
    ]);
    let report = regions::run(&app.system(), &register, Options::default()).await.expect("the import");
    assert_eq!(
        places(&report),
        [
            ("provinces.csv", 3, 1, Code::Malformed),
            ("provinces.csv", 4, 1, Code::ImportDuplicate),
            ("provinces.csv", 5, 2, Code::Required),
            ("cities.csv", 3, 3, Code::ImportUnknown),
            ("cities.csv", 4, 2, Code::ImportQuoteOpen),
            ("areas.csv", 1, 0, Code::ImportColumnMissing),
            ("streets.csv", 2, 2, Code::ImportNotUtf8),
            ("villages.csv", 2, 3, Code::ImportWrongColumns),
        ]
    );
    assert_eq!(report.imported, 4);
    assert_eq!(count(&app, "region").await, 4);
}

const UNITS: &str = "\u{FEFF}序号,单位名称,简称,单位类别,统一社会信用代码,区划代码,联络员,职务,电话,备注
1,海北州委组织部,州委组织部,机关,11632223DEM000014X,999999,马建国,主任,13912345678,
2,海晏县农商行,农商行,企业,91230800DEM000022H,,李娜,经理,13812345678,
3,西海志愿服务队,,志愿组织,,999999100001,扎西,,13712345678,无代码
";
const STATIONS: &str = "name,kind,region_code,contact_name,phone
西海派出所,,999999100,才让,0970-8641234
第一社区居委会,社区,999999100001,卓玛,0970-8645678
";
const TEAMS: &str = "服务队,牵头单位,成员单位,队长/职务,联络员/电话
第一服务队,州委组织部,农商行、西海志愿服务队,王强/副部长,赵敏/13612345678
";

fn roster(units: &str, stations: Option<&str>, teams: Option<&str>) -> Roster {
    Roster {
        units: Some(source("units.csv", units)),
        stations: stations.map(|text| source("stations.csv", text)),
        teams: teams.map(|text| source("teams.csv", text)),
    }
}

#[tokio::test]
async fn a_roster_is_imported_from_the_files_of_day_one_and_again_without_duplicates() {
    let app = TestApp::new().await;
    let world = World::build(&app, "999999").await;
    let system = app.system();
    let files = roster(UNITS, Some(STATIONS), Some(TEAMS));
    let before = count(&app, "organization").await;
    let dry = members::run(&system, world.town, &files, DRY).await.expect("a dry run");
    assert_eq!(places(&dry), []);
    assert_eq!(count(&app, "organization").await, before);
    let report = members::run(&system, world.town, &files, Options::default()).await.expect("the import");
    assert_eq!((counts(&report), counts(&dry)), ((6, 0, 0), (6, 0, 0)));
    let again = members::run(&system, world.town, &files, Options::default()).await.expect("the second run");
    assert_eq!(counts(&again), (0, 0, 6));
    assert_eq!(count(&app, "organization").await, before + 5);
    let query = "query($id: ID!) {
        organizations(filter: { allianceId: $id, creditCode: \"11632223DEM000014X\" }) { nodes { name shortName kind region { name } } }
        stations: organizations(filter: { allianceId: $id, kind: [STATION_OR_OFFICE, COMMUNITY_COMMITTEE] }) { totalCount }
        serviceTeams(allianceId: $id) { nodes { name members { name } captain { name title } liaison { name phone } } }
        memberships(allianceId: $id, filter: { nameContains: \"西海派出所\" }) { nodes { state contact { name phone } } } }";
    let seen = app.client(world.committee).send(query, json!({ "id": id::encode(world.town) })).await.fine();
    assert_eq!(
        seen.at("/organizations/nodes/0"),
        &json!({ "name": "海北州委组织部", "shortName": "州委组织部", "kind": "GOVERNMENT_UNIT", "region": { "name": "海晏县" } })
    );
    assert_eq!(seen.at("/stations/totalCount"), 2);
    let team = "/serviceTeams/nodes/0";
    assert_eq!(seen.at(&format!("{team}/captain")), &json!({ "name": "王强", "title": "副部长" }));
    assert_eq!(seen.at(&format!("{team}/liaison")), &json!({ "name": "赵敏", "phone": "13612345678" }));
    assert_eq!(seen.text(&format!("{team}/members/0/name")), "海北州委组织部");
    assert_eq!(seen.at(&format!("{team}/members")).as_array().map(Vec::len), Some(3));
    assert_eq!(seen.text("/memberships/nodes/0/contact/phone"), "0970-8641234");
    // A changed cell changes that row alone.
    let changed =
        roster(&UNITS.replace("13812345678", "13800000000"), None, Some(&TEAMS.replace("王强", "王刚")));
    let report =
        members::run(&system, world.town, &changed, Options::default()).await.expect("the third run");
    assert_eq!(counts(&report), (0, 2, 2));
    app.run_background().await;
}

#[tokio::test]
async fn bad_rows_of_a_roster_are_told_by_line_and_column_and_the_rest_is_imported() {
    let app = TestApp::new().await;
    let world = World::build(&app, "999999").await;
    let units = "单位名称,单位类别,统一社会信用代码,区划代码,电话
甲单位,企业,,,1
,企业,,,
乙单位,外星人,,,
丙单位,企业,11632223DEM00O014X,,
丁单位,企业,,123456789012,
甲单位,企业,,,2
31605部队,部队,,,
戊单位,企业,,,111111111111111111111111111111111
己单位,企业
庚单位,机关,,,
";
    let teams = "team,lead,members,captain
一队,甲单位,庚单位,王强
二队,辛单位,,王强
三队,庚单位,,王强
四队,,,王强
一队,甲单位,庚单位,王强
五队,成员单位1-999999,,
";
    let files = roster(units, None, Some(teams));
    let report =
        members::run(&app.system(), world.town, &files, Options::default()).await.expect("the import");
    assert_eq!(
        places(&report),
        [
            ("units.csv", 3, 1, Code::Required),
            ("units.csv", 4, 2, Code::Malformed),
            ("units.csv", 5, 3, Code::CreditCodeCharacter),
            ("units.csv", 6, 4, Code::ImportUnknown),
            ("units.csv", 7, 1, Code::ImportDuplicate),
            ("units.csv", 8, 1, Code::DesignationRefused),
            ("units.csv", 9, 5, Code::TooLong),
            ("units.csv", 10, 3, Code::ImportWrongColumns),
            ("teams.csv", 3, 2, Code::ImportUnknown),
            ("teams.csv", 4, 3, Code::InAnotherTeam),
            ("teams.csv", 5, 2, Code::Required),
            ("teams.csv", 6, 1, Code::ImportDuplicate),
            ("teams.csv", 7, 4, Code::Required),
        ]
    );
    assert_eq!(counts(&report), (3, 0, 0));
    for file in ["units.csv", "teams.csv"] {
        let headless = roster(
            if file == "units.csv" { "电话\n1\n" } else { units },
            None,
            Some(if file == "teams.csv" { "队长\nx\n" } else { teams }),
        );
        let report = members::run(&app.system(), world.town, &headless, DRY).await.expect("a dry run");
        assert!(places(&report).contains(&(file, 1, 0, Code::ImportColumnMissing)));
    }
}

#[tokio::test]
async fn a_row_with_the_code_of_another_unit_changes_nothing_of_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "999999").await;
    let units = |name: &str, kind: &str, phone: &str| {
        format!("单位名称,单位类别,统一社会信用代码,电话\n{name},{kind},11632223DEM000014X,{phone}\n")
    };
    let run = async |text: String| {
        let files = roster(&text, None, None);
        members::run(&app.system(), world.town, &files, Options::default()).await.expect("the import")
    };
    assert_eq!(counts(&run(units("甲单位", "机关", "1")).await), (1, 0, 0));
    let report = run(units("乙单位", "企业", "2")).await;
    assert_eq!(places(&report), [("units.csv", 2, 3, Code::CreditCodeTaken)]);
    assert_eq!(counts(&report), (0, 0, 0));
    assert_eq!(counts(&run(units("甲单位", "机关", "1")).await), (0, 0, 1), "nothing of it changed");
    assert_eq!(count(&app, "organization WHERE name = '乙单位'").await, 0);
}

#[tokio::test]
async fn a_roster_leaves_alone_what_another_alliance_shares() {
    let app = TestApp::new().await;
    let (here, there) = (World::build(&app, "999999").await, World::build(&app, "999998").await);
    let units =
        |kind: &str| format!("单位名称,单位类别,统一社会信用代码\n共用单位,{kind},11632223DEM000014X\n");
    for world in [&here, &there] {
        let report =
            members::run(&app.system(), world.town, &roster(&units("企业"), None, None), Options::default())
                .await
                .expect("the import");
        assert_eq!(report.imported, 1);
    }
    let report =
        members::run(&app.system(), here.town, &roster(&units("医院"), None, None), Options::default())
            .await
            .expect("the second run");
    assert_eq!(counts(&report), (0, 0, 1));
    assert_eq!(count(&app, "organization WHERE credit_code = '11632223DEM000014X'").await, 1);
    assert_eq!(count(&app, "organization WHERE kind = 'school_or_hospital'").await, 0);
}

#[tokio::test]
async fn a_calendar_replaces_whole_years_and_a_bad_row_stops_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "999999").await;
    let good = source(
        "holidays.csv",
        "# source\ndate,name,kind\n2026-12-31,元旦,off\n2027-01-01,元旦,off\n2027-01-02,元旦,work\n\
         2027-02-05,春节,off\n2027-05-01,劳动节,off\n2027-10-01,国庆节,off\n",
    );
    let dry = calendar::run(&app.system(), None, &good, DRY).await.expect("a dry run");
    assert_eq!((counts(&dry), count(&app, "calendar_day").await), ((6, 0, 0), 0));
    let first = calendar::run(&app.system(), None, &good, Options::default()).await.expect("the import");
    assert_eq!(counts(&first), (6, 0, 0));
    let again = calendar::run(&app.system(), None, &good, Options::default()).await.expect("the second run");
    assert_eq!(counts(&again), (0, 0, 6));
    assert_eq!(events(&app, "calendar_imported").await, 2, "one for each year that changed");
    let query = "{ workingCalendar(year: 2027) { known workingDays } }";
    let known = app.client(world.stranger).run(query).await.fine();
    assert_eq!(known.at("/workingCalendar"), &json!({ "known": true, "workingDays": 259 }));
    let bad = source(
        "holidays.csv",
        "date,name,kind\n2029-01-01,元旦,off\n2029-02-30,x,off\n2029-01-02,x,rest\n2029-01-03\n2029-01-01,y,off\n",
    );
    let report = calendar::run(&app.system(), None, &bad, Options::default()).await.expect("a report");
    assert_eq!(
        places(&report),
        [
            ("holidays.csv", 3, 1, Code::Malformed),
            ("holidays.csv", 4, 3, Code::Malformed),
            ("holidays.csv", 5, 1, Code::ImportWrongColumns),
            ("holidays.csv", 6, 1, Code::ImportDuplicate),
        ]
    );
    assert_eq!(count(&app, "calendar_day").await, 6);
    // An alliance's own days stay its own.
    let local = source("local.csv", "date,name,kind\n2026-07-20,那达慕,off\n");
    let report =
        calendar::run(&app.system(), Some(world.town), &local, Options::default()).await.expect("the import");
    assert_eq!(counts(&report), (1, 0, 0));
    let national =
        app.client(world.stranger).run("{ workingCalendar(year: 2026) { workingDays } }").await.fine();
    assert_eq!(national.at("/workingCalendar/workingDays"), 247, "less the last of December");
}

#[tokio::test]
async fn files_are_read_from_a_folder_and_a_missing_one_is_named() {
    let app = TestApp::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let refused = Roster::read(folder.path()).await.expect_err("nothing is there");
    assert_eq!(refused.code(), Code::ImportFileMissing);
    std::fs::write(folder.path().join("成员单位.csv"), UNITS).expect("a file");
    let roster = Roster::read(folder.path()).await.expect("a roster");
    assert_eq!((roster.lines(), roster.teams.is_none()), (4, true));
    std::fs::write(folder.path().join("provinces.csv"), "code,name\n63,青海省\n").expect("a file");
    let register = Register::read(folder.path()).await;
    let report = regions::run(&app.system(), &register, Options::default()).await.expect("the import");
    assert_eq!((report.imported, report.refused()), (1, 4));
    let large = Source::read(&folder.path().join("provinces.csv"), 5).await.expect_err("too large");
    assert_eq!(large.code(), Code::ImportTooLarge);
    // Only the platform imports a register.
    let world = World::build(&app, "999999").await;
    let stranger = app.ctx(world.committee);
    let refused =
        regions::run(&stranger, &register, Options::default()).await.expect_err("not a committee's");
    assert_eq!(refused.code(), Code::Forbidden);
}

/// Prints how long a register takes: `CONCORD_TEST_REGISTER` names a folder with the whole country's five files.
#[tokio::test]
async fn the_whole_country_is_imported_when_its_files_are_at_hand() {
    let folder = std::env::var("CONCORD_TEST_REGISTER");
    let register = match &folder {
        Ok(folder) => Register::read(folder.as_ref()).await,
        Err(_) => haibei(),
    };
    let app = TestApp::new().await;
    let (rows, started) = (register.lines() - 5, std::time::Instant::now());
    let report = regions::run(&app.system(), &register, Options::default()).await.expect("the import");
    let first = started.elapsed();
    assert_eq!((counts(&report), places(&report)), ((rows, 0, 0), vec![]));
    let again = regions::run(&app.system(), &register, Options::default()).await.expect("the second run");
    assert_eq!(counts(&again), (0, 0, rows));
    let value: Value =
        json!({ "rows": rows, "first": first.as_secs_f64(), "both": started.elapsed().as_secs_f64() });
    eprintln!("{value}");
}
