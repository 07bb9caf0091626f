//! Rotation tables from files: the months that were written come back in as a plan, once; what is over stays as it stands, and what
//! is wrong is told by line and column.

use std::fmt::Write as _;

use chrono::TimeDelta;
use concord::{
    domain::{
        Code,
        governance::service_team::{self, NewTeam},
        rotation::{
            generate,
            plan::{self, NewPlan},
            publish, slot,
        },
    },
    import::{Options, Report, Source, rotation},
};
use concord_entities::{
    id::{RotationPlanId, ServiceTeamId},
    rotation_plan::{self, CadenceUnit, State},
    rotation_slot::{self, Origin},
};
use concord_tests::{TestApp, World};
use sea_orm::{EntityTrait, QueryOrder};

use crate::{
    ledger::{cell, fetch, path},
    problem::count,
    rotation::{Town, events, unit},
};

/// What an import sets, and what follows from it.
const SETTABLE: [&str; 5] = ["期次", "月份(起止)", "服务队", "牵头单位", "调换说明"];
const HEAD: &str = "月份(起止),服务队,调换说明,备注";

/// A town with three teams and one whose name a spreadsheet would calculate.
async fn town(app: &TestApp) -> (Town, ServiceTeamId) {
    let town = Town::build(app, "632223", 3).await;
    let lead = unit(app, &town.world, "机动单位").await;
    let new = NewTeam {
        name: "=机动队".to_owned(),
        lead_organization_id: lead,
        member_organization_ids: vec![lead],
        captain_name: "赵队长".to_owned(),
        captain_title: None,
        captain_phone: None,
        liaison_name: None,
        liaison_phone: None,
    };
    let spare = service_team::form(&app.system(), town.world.town, new).await.expect("a team").id;
    (town, spare)
}

async fn run(app: &TestApp, world: &World, text: &str, dry_run: bool) -> Report {
    let source = Source { name: "轮值表.csv".to_owned(), bytes: text.as_bytes().to_vec() };
    let options = Options { dry_run, ..Options::default() };
    rotation::run(&app.system(), world.town, &source, options).await.expect("an import")
}

async fn bring(app: &TestApp, world: &World, rows: &str) -> Report {
    run(app, world, &format!("{HEAD}\n{rows}"), false).await
}

/// Imported, updated, unchanged, left and refused.
fn counts(report: &Report) -> [u64; 5] {
    [report.imported, report.updated, report.unchanged, report.left, report.refused()]
}

fn places(report: &Report) -> Vec<(u64, u64, Code)> {
    report.errors.iter().map(|error| (error.line, error.column, error.error.code())).collect()
}

fn notes(report: &Report) -> Vec<(u64, u64, Code)> {
    report.notes.iter().map(|note| (note.line, note.column, note.error.code())).collect()
}

/// Months of 2026 with a team each, from the first on.
fn months(first: u32, teams: &[&str]) -> String {
    let mut rows = String::new();
    for (month, team) in (first..).zip(teams) {
        let _ = writeln!(rows, "2026年{month}月,{team},,");
    }
    rows
}

async fn settable(app: &TestApp, world: &World) -> Vec<Vec<String>> {
    let ask = path("rotation.csv", world.town, "year=2026");
    let (titles, rows) = fetch(app.ctx(world.committee), &ask).await.table();
    rows.iter()
        .map(|row| SETTABLE.iter().map(|title| cell(&titles, row, title).to_owned()).collect())
        .collect()
}

async fn plans(app: &TestApp) -> Vec<rotation_plan::Model> {
    let rows =
        rotation_plan::Entity::find().order_by_asc(rotation_plan::Column::AnchorOn).all(&app.app.read).await;
    rows.expect("plans")
}

/// The turns of a plan by number.
async fn turns(app: &TestApp, plan: RotationPlanId) -> Vec<rotation_slot::Model> {
    plan::slots_of(&app.app.read, plan).await.expect("turns")
}

#[tokio::test]
async fn a_table_that_was_written_comes_back_in_by_the_same_columns_as_a_plan() {
    let app = TestApp::new().await;
    let (town, spare) = town(&app).await;
    let committee = app.ctx(town.world.committee);
    let new = NewPlan {
        alliance_id: town.world.town,
        name: "年度轮值".to_owned(),
        anchor_on: "2026-01-01".parse().expect("a day"),
        cadence_unit: CadenceUnit::Month,
        cadence_every: 1,
        slot_count: 8,
        team_ids: [&town.teams[..], &[spare]].concat(),
    };
    let plan = plan::create(&committee, new).await.expect("a plan").id;
    generate::generate(&committee, plan, None).await.expect("generated");
    slot::assign(&committee, plan, 5, spare, Some("+调换"), None).await.expect("assigned");
    publish::publish(&committee, plan, None).await.expect("published");
    let ask = path("rotation.csv", town.world.town, "year=2026");
    let written = fetch(committee.clone(), &ask).await;
    let before = settable(&app, &town.world).await;
    assert_eq!(before[4][2..], ["'=机动队", "机动单位", "'+调换"]);
    assert_eq!(counts(&run(&app, &town.world, &written.body, false).await), [0, 0, 8, 0, 0]);

    // The same teams elsewhere, and no plan.
    let other = TestApp::new().await;
    let (there, _) = self::town(&other).await;
    let dry = run(&other, &there.world, &written.body, true).await;
    assert_eq!((counts(&dry), plans(&other).await.len()), ([8, 0, 0, 0, 0], 0));
    let report = run(&other, &there.world, &written.body, false).await;
    assert_eq!(places(&report), []);
    assert_eq!(counts(&report), [8, 0, 0, 0, 0]);
    assert_eq!(settable(&other, &there.world).await, before);
    let drafted = plans(&other).await;
    let [drafted] = drafted.as_slice() else { panic!("one plan: {drafted:?}") };
    assert_eq!((drafted.name.as_str(), drafted.state), ("2026年1月至2026年8月轮值", State::Draft));
    assert_eq!((drafted.slot_count, events(&other, "rotation_slot_assigned").await), (8, 8));
    assert!(turns(&other, drafted.id).await.iter().all(|turn| turn.origin == Origin::Assigned));
    // Again, and nothing changes, drafted or published.
    assert_eq!(counts(&run(&other, &there.world, &written.body, false).await), [0, 0, 8, 0, 0]);
    publish::publish(&other.ctx(there.world.committee), drafted.id, None).await.expect("it is whole");
    assert_eq!(counts(&run(&other, &there.world, &written.body, false).await), [0, 0, 8, 0, 0]);
    assert_eq!(settable(&other, &there.world).await, before);
    assert_eq!(plans(&other).await.len(), 1);
    other.run_background().await;
    app.run_background().await;
}

#[tokio::test]
async fn what_is_over_stays_and_what_is_to_come_changes_as_the_file_says() {
    let app = TestApp::new().await;
    let (town, _) = town(&app).await;
    let world = &town.world;
    // The sixth of March.
    app.advance(TimeDelta::days(60));
    let [one, two, three] = ["第1服务队", "第2服务队", "第3服务队"];
    // Months that went by before anybody was on duty are left; the numbers are those of the paper all the same.
    let year = months(1, &[one, two, three, one, two, three]);
    let report = bring(&app, world, &year).await;
    assert_eq!(counts(&report), [4, 0, 0, 2, 0]);
    assert_eq!(notes(&report), [(2, 1, Code::SlotBegun), (3, 1, Code::SlotBegun)]);
    let plan = plans(&app).await[0].id;
    let numbers = |turns: &[rotation_slot::Model]| turns.iter().map(|turn| turn.number).collect::<Vec<_>>();
    assert_eq!(numbers(&turns(&app, plan).await), [3, 4, 5, 6]);
    publish::publish(&app.ctx(world.committee), plan, None).await.expect("published");
    assert_eq!(counts(&bring(&app, world, &year).await), [0, 0, 4, 2, 0]);
    // This month has begun; of those to come one changes, to a team that the plan did not have.
    let other = months(1, &[three, two, one, "=机动队", two, three]);
    let report = bring(&app, world, &other).await;
    assert_eq!(counts(&report), [0, 1, 2, 2, 1]);
    assert_eq!(places(&report), [(4, 2, Code::SlotBegun)]);
    let after = settable(&app, world).await;
    let teams: Vec<&str> = after.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(teams, [three, "'=机动队", two, three]);
    assert_eq!(counts(&bring(&app, world, &other).await), [0, 0, 3, 2, 1]);
    // The next months are another plan, beside those that stand.
    let next = months(5, &[two, three, one, two]);
    assert_eq!(counts(&bring(&app, world, &next).await), [2, 0, 2, 0, 0]);
    assert_eq!(counts(&bring(&app, world, &next).await), [0, 0, 4, 0, 0]);
    let rows = plans(&app).await;
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].anchor_on.to_string(), rows[1].slot_count), ("2026-07-01".to_owned(), 2));
    // One that stands otherwise by a plan without the others is told of.
    let crossed = months(6, &[one, one, three]);
    let report = bring(&app, world, &crossed).await;
    assert_eq!(counts(&report), [0, 1, 1, 0, 1], "{:?}", places(&report));
    assert_eq!(places(&report), [(2, 1, Code::RotationOverlaps)]);
    app.run_background().await;
}

#[tokio::test]
async fn a_row_of_a_table_that_cannot_be_is_told_by_line_and_column_and_the_rest_goes_on() {
    let app = TestApp::new().await;
    let (town, _) = town(&app).await;
    let world = &town.world;
    let rows = format!(
        "2026年2月(2026-02-01至2026-02-28),第1服务队,,已公布\n\
        2026年3月,第9服务队,,\n\
        2026年4月,第2服务队,{},\n\
        2026年5月,,,\n\
        2026年6月,第2服务队,,免轮\n\
        2026年6月,第3服务队,,\n\
        2026年6月,第1服务队,,\n\
        2026年7月,第1服务队,,免轮\n\
        2026年8月,第2服务队,,\n",
        "长".repeat(2001)
    );
    let report = bring(&app, world, &rows).await;
    let expected = [
        (3, 2, Code::ImportUnknown),
        (4, 3, Code::TooLong),
        (5, 2, Code::Required),
        (8, 1, Code::ImportDuplicate),
    ];
    assert_eq!(places(&report), expected);
    assert_eq!(notes(&report), [(6, 4, Code::StateRefused), (9, 4, Code::StateRefused)]);
    assert_eq!(counts(&report), [3, 0, 0, 2, 4]);
    let plan = plans(&app).await[0].clone();
    assert_eq!((plan.anchor_on.to_string(), plan.slot_count), ("2026-02-01".to_owned(), 7));
    let numbers: Vec<i32> = turns(&app, plan.id).await.iter().map(|turn| turn.number).collect();
    assert_eq!(numbers, [1, 5, 7]);
    // Mended, the rest comes to the same plan.
    let mended = months(
        2,
        &["第1服务队", "第1服务队", "第2服务队", "第3服务队", "第3服务队", "第1服务队", "第2服务队"],
    );
    assert_eq!(counts(&bring(&app, world, &mended).await), [4, 0, 3, 0, 0]);
    assert_eq!(plans(&app).await.len(), 1);
    app.run_background().await;
}

#[tokio::test]
async fn a_table_with_a_month_missing_or_no_plan_that_could_be_brings_nothing() {
    let app = TestApp::new().await;
    let (town, _) = town(&app).await;
    let world = &town.world;
    let long: String =
        (0..61).map(|month| format!("{}-{},第1服务队,,\n", 2027 + month / 12, month % 12 + 1)).collect();
    for (rows, expected) in [
        ("2026年2月,第1服务队,,\n2026年4月,第2服务队,,\n", (3, 1, Code::Malformed)),
        ("2026年2月,第1服务队,,\n开春,第2服务队,,\n", (3, 1, Code::Malformed)),
        ("2026年2月,第1服务队,,\n2026年3月(2026-03-02至2026-03-08),第2服务队,,\n", (3, 1, Code::Malformed)),
        ("2026年2月,第1服务队,,\n,第2服务队,,\n", (3, 1, Code::Required)),
        ("2026年2月,第1服务队,,\n2026年3月,第2服务队\n", (3, 3, Code::ImportWrongColumns)),
        (long.as_str(), (0, 0, Code::OutOfRange)),
    ] {
        let report = bring(&app, world, rows).await;
        assert_eq!((places(&report), report.imported), (vec![expected], 0), "{rows}");
    }
    let report = run(&app, world, "期次,服务队\n1,第1服务队\n", false).await;
    assert_eq!(places(&report), [(1, 0, Code::ImportColumnMissing)]);
    assert!(plans(&app).await.is_empty());
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM rotation_slot").await, 0);
    // Nor does one that would lie across what has been announced.
    town.published(&app, "2026-03", 2).await;
    let between = months(2, &["第1服务队", "第1服务队", "第2服务队", "第1服务队"]);
    let report = bring(&app, world, &between).await;
    assert_eq!(plans(&app).await.len(), 1);
    assert_eq!((places(&report), report.imported), (vec![(0, 0, Code::RotationOverlaps)], 0));
    app.run_background().await;
}
