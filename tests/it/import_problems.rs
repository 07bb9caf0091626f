//! The import of problems: a thousand real service requests of New York City (NYC Open Data, "311 Service Requests"), and
//! files with something wrong in them.

use concord::{
    domain::{
        Code,
        list::problem::{self, moves},
    },
    graphql::id,
    import::{
        Options, Report, Source,
        problems::{self, Mapping},
    },
};
use concord_entities::{
    id::AllianceId,
    problem::{State, Tier},
};
use concord_tests::{TestApp, World};
use serde_json::{Value, json};

use crate::problem::count;

const REQUESTS: &[u8] = include_bytes!("../data/nyc311-requests.csv");
const MAPPING: &str = include_str!("../../docs/examples/nyc311.toml");

const HEADER: &str = "unique_key,created_date,agency,agency_name,complaint_type,descriptor,incident_zip,\
    intersection_street_1,intersection_street_2,status,resolution_description,borough,open_data_channel_type,\
    incident_address,street_name,cross_street_1,cross_street_2,location_type,closed_date";

async fn import(app: &TestApp, alliance: AllianceId, bytes: &[u8]) -> Report {
    let mapping = Mapping::parse(MAPPING).expect("the shipped mapping");
    problems::run(&app.system(), alliance, &mapping, &source(bytes), Options::default())
        .await
        .expect("an import")
}

fn source(bytes: &[u8]) -> Source {
    Source { name: "requests.csv".to_owned(), bytes: bytes.to_vec() }
}

/// A row of the short table.
fn row(key: &str, status: &str, created: &str) -> String {
    format!(
        "{key},{created},DOT,Department of Transportation,Street Condition,Pothole,10033,,,{status},,QUEENS,PHONE,1 MAIN STREET,,,,,"
    )
}

#[tokio::test]
async fn a_thousand_real_requests_all_become_problems_once() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let report = import(&app, world.town, REQUESTS).await;
    let errors: Vec<_> = report.errors.iter().take(3).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!((report.imported, report.unchanged, report.refused()), (1000, 0, 0));

    let client = app.client(world.observer);
    let counts =
        "query($id: ID!) { alliance(id: $id) { problemCounts { total open struckOff closedAtSource } } }";
    let answer = client.send(counts, json!({ "id": id::encode(world.town) })).await;
    let expected = json!({ "total": 1000, "open": 323, "struckOff": 0, "closedAtSource": 677 });
    assert_eq!(answer.at("/alliance/problemCounts"), &expected);

    // The first request of the file, told at 02:08:51 in New York's summer.
    let number = "query($id: ID!, $number: String!) { problemByNumber(allianceId: $id, number: $number) {
        number title category place channel state isOpen occurredAt recordedAt closedAt externalSource externalKey
        leadOrganization { name } responsibleOrganizations { name } } }";
    let ask = json!({ "id": id::encode(world.town), "number": "西海销〔2026〕0001号" });
    let answer = client.send(number, ask).await;
    let first = answer.at("/problemByNumber");
    assert_eq!(first["title"], "Street Condition / Pothole");
    assert_eq!(first["category"], "Street Condition");
    assert_eq!(first["place"], "ST NICHOLAS AVENUE / WEST 178 STREET / MANHATTAN / 10033.0");
    assert_eq!(first["channel"], "IMPORT");
    assert_eq!((&first["state"], &first["isOpen"]), (&json!("REGISTERED"), &json!(true)));
    assert_eq!(first["occurredAt"], "2024-05-27T06:08:51Z");
    assert_eq!(first["recordedAt"], "2026-01-05T01:00:00Z");
    assert_eq!((&first["externalSource"], &first["externalKey"]), (&json!("nyc311"), &json!("61276295")));
    assert_eq!(first["leadOrganization"]["name"], "Department of Transportation");
    assert_eq!(first["responsibleOrganizations"][0]["name"], "Department of Transportation");

    // What the source had closed is closed, and nothing moves it on.
    let closed = "{ problems(filter: { states: [CLOSED_AT_SOURCE] }, first: 1) { totalCount nodes {
        isOpen closedAt availableTransitions { available } } } }";
    let answer = client.run(closed).await;
    assert_eq!(answer.at("/problems/totalCount"), 677);
    let node = answer.at("/problems/nodes/0");
    assert_eq!(node["isOpen"], false);
    assert!(node["closedAt"].as_str().expect("an instant").starts_with("2024-05-2"));
    let transitions = node["availableTransitions"].as_array().expect("a list");
    assert!(transitions.iter().all(|found| found["available"] == false));

    // One event for each, numbers without gaps, every agency once; and the same again changes nothing.
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_imported'").await, 1000);
    assert_eq!(
        count(&app, "SELECT COUNT(DISTINCT seq) AS n FROM problem WHERE seq BETWEEN 1 AND 1000").await,
        1000
    );
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM organization WHERE short_name IS NOT NULL").await, 10);
    let again = import(&app, world.town, REQUESTS).await;
    assert_eq!((again.imported, again.unchanged, again.refused()), (0, 1000, 0));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem").await, 1000);
    app.run_background().await;
}

#[tokio::test]
async fn a_bad_row_is_told_by_line_and_column_and_the_rest_goes_on() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let good = "2024-05-27T02:08:51.000";
    let mut file = format!("\u{feff}{HEADER}\n").into_bytes();
    for text in [
        row("1", "Open", good),
        row("2", "Lost", good),
        row("3", "Open", "yesterday"),
        row("4", "Open", "2033-05-27T02:08:51.000"),
        row("5", "Open", good).replace(",PHONE", ",PIGEON"),
        row("6", "Open", good).replace("Street Condition,Pothole", ","),
        row("1", "Open", good),
        "8,too,short".to_owned(),
        row("", "Open", good),
        row("10", "Closed", good),
        row("14", "Open", good).replace("Department of Transportation", "31605部队"),
        row("15", "Open", good).replace(",DOT,", ",31605部队,"),
    ] {
        file.extend_from_slice(text.as_bytes());
        file.push(b'\n');
    }
    file.extend_from_slice(
        &row("11", "Open", good)
            .into_bytes()
            .iter()
            .map(|byte| if *byte == b'Q' { 0xff } else { *byte })
            .collect::<Vec<_>>(),
    );
    file.extend_from_slice(format!("\n{}\n12,\"cut", row("13", "Open", good)).as_bytes());
    let report = import(&app, world.town, &file).await;
    assert_eq!((report.imported, report.refused()), (3, 12));
    let told: Vec<_> =
        report.errors.iter().map(|error| (error.line, error.column, error.error.code())).collect();
    // Columns count from 1: the state is the tenth, the borough the twelfth.
    let expected = [
        (3, 10, Code::Malformed),
        (4, 2, Code::Malformed),
        (5, 2, Code::OutOfRange),
        (6, 13, Code::Malformed),
        (7, 5, Code::Required),
        (8, 1, Code::AlreadyExists),
        (9, 4, Code::ImportWrongColumns),
        (10, 1, Code::Required),
        (12, 4, Code::DesignationRefused),
        (13, 3, Code::DesignationRefused),
        (14, 12, Code::ImportNotUtf8),
        (16, 2, Code::ImportQuoteOpen),
    ];
    assert_eq!(told, expected);
    // The numbers of the refused rows went to nobody.
    assert_eq!(count(&app, "SELECT CAST(MAX(seq) AS BIGINT) AS n FROM problem").await, 3);
}

/// A row of the short table that the source has closed.
fn closed(key: &str, created: &str, at: &str) -> String {
    format!("{}{at}", row(key, "Closed", created))
}

#[tokio::test]
async fn what_its_source_closes_later_is_closed_unless_it_is_worked_on_here() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (created, done) = ("2024-05-27T02:08:51.000", "2024-06-01T09:00:00.000");
    let file = |rows: &[String]| format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes();
    let open = |key: &str| row(key, "Open", created);
    let first = import(&app, world.town, &file(&[open("1"), open("2"), open("3"), open("4")])).await;
    assert_eq!((first.imported, first.updated), (4, 0));
    let of = async |seq: i32| {
        let number = format!("西海销〔2026〕000{seq}号");
        let found = problem::find_by_number(&app.ctx(world.committee), world.town, &number).await;
        found.expect("an answer").expect("the problem")
    };
    let which = moves::Which { id: of(2).await.id, expected_version: None };
    let triage = moves::Triage {
        tier: Tier::Big,
        measures: "填平".to_owned(),
        criterion: "平整".to_owned(),
        is_complex: false,
    };
    moves::triage(&app.ctx(world.committee), which, triage).await.expect("triaged");
    let which = moves::Which { id: of(4).await.id, expected_version: None };
    moves::reject(&app.ctx(world.committee), which, "不属实").await.expect("rejected");

    let later = file(&[
        closed("1", created, done),
        closed("2", created, done),
        open("3"),
        closed("4", created, done),
    ]);
    let dry = Options { dry_run: true, ..Options::default() };
    let mapping = Mapping::parse(MAPPING).expect("the shipped mapping");
    let rehearsed = problems::run(&app.system(), world.town, &mapping, &source(&later), dry).await;
    assert_eq!(rehearsed.expect("a rehearsal").updated, 1);
    assert_eq!(of(1).await.state, State::Registered);
    let report = import(&app, world.town, &later).await;
    assert_eq!((report.imported, report.updated, report.unchanged, report.left), (0, 1, 2, 1));
    assert_eq!(report.refused(), 0);
    let note = &report.notes[0];
    // The state is the tenth column.
    assert_eq!((note.line, note.column, note.error.code()), (3, 10, Code::StateRefused));
    let states = [of(1).await, of(2).await, of(3).await, of(4).await].map(|row| row.state);
    assert_eq!(states, [State::ClosedAtSource, State::Triaged, State::Registered, State::Rejected]);
    let over = of(1).await;
    assert!(!over.is_open && over.version == 2);
    assert_eq!(over.closed_at.expect("an instant").to_rfc3339(), "2024-06-01T13:00:00+00:00");
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'problem_closed_at_source'";
    assert_eq!(count(&app, told).await, 1);
    let again = import(&app, world.town, &later).await;
    assert_eq!((again.updated, again.unchanged, again.left), (0, 3, 1));
    assert_eq!(count(&app, told).await, 1);
    let counts = "query($id: ID!) { alliance(id: $id) { problemCounts { total open closedAtSource } } }";
    let answer = app.client(world.observer).send(counts, json!({ "id": id::encode(world.town) })).await;
    let expected = json!({ "total": 4, "open": 2, "closedAtSource": 1 });
    assert_eq!(answer.at("/alliance/problemCounts"), &expected);
    app.run_background().await;
}

#[tokio::test]
async fn what_was_closed_before_it_was_noticed_is_refused_by_line_and_column() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let (created, before) = ("2024-05-27T02:08:51.000", "2024-05-27T02:08:50.000");
    let file = |rows: &[String]| format!("{HEADER}\n{}\n", rows.join("\n")).into_bytes();
    let rows = [
        closed("1", created, before),
        closed("2", created, created),
        closed("3", created, "2033-01-01T00:00:00.000"),
        row("4", "Open", created),
    ];
    let report = import(&app, world.town, &file(&rows)).await;
    let told = |report: &Report| -> Vec<_> {
        report.errors.iter().map(|error| (error.line, error.column, error.error.code())).collect()
    };
    assert_eq!(report.imported, 2);
    assert_eq!(told(&report), [(2, 19, Code::OutOfRange), (4, 19, Code::OutOfRange)]);
    // Nor does such a row close what was open.
    let report = import(&app, world.town, &file(&[closed("4", created, before)])).await;
    assert_eq!((report.updated, told(&report)), (0, vec![(2, 19, Code::OutOfRange)]));
}

#[tokio::test]
async fn a_mapping_that_does_not_fit_changes_nothing() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    for bytes in [&b"a,b\n1,2\n"[..], &b""[..], &b"\xff\xfe,a\n"[..]] {
        let report = import(&app, world.town, bytes).await;
        assert_eq!((report.imported, report.refused()), (0, 1));
        assert_eq!(report.errors[0].line, 1);
    }
    for text in
        ["source = 1", &MAPPING.replace("America/New_York", "Mars/Olympus"), &format!("{MAPPING}\nx = 1")]
    {
        assert_eq!(Mapping::parse(text).expect_err("refused").code(), Code::MappingInvalid);
    }
    let file = format!("{HEADER}\n{}\n", row("1", "Open", "2024-05-27T02:08:51.000"));
    let mapping = Mapping::parse(MAPPING).expect("the shipped mapping");
    for (who, code) in [(world.staff, Code::Forbidden), (world.stranger, Code::NotFound)] {
        let source = source(file.as_bytes());
        let refused = problems::run(&app.ctx(who), world.town, &mapping, &source, Options::default()).await;
        assert_eq!(refused.expect_err("refused").code(), code);
    }
    let dry = Options { dry_run: true, ..Options::default() };
    let report = problems::run(&app.system(), world.town, &mapping, &source(file.as_bytes()), dry).await;
    assert_eq!(report.expect("a rehearsal").imported, 1);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem").await, 0);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem_sequence").await, 0);
}

#[tokio::test]
async fn an_imported_problem_goes_on_like_any_other() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let file = format!("{HEADER}\n{}\n", row("1", "Open", "2024-05-27T02:08:51.000"));
    assert_eq!(import(&app, world.town, file.as_bytes()).await.imported, 1);
    let found = problem::find_by_number(&app.ctx(world.committee), world.town, "西海销〔2026〕0001号").await;
    let row = found.expect("an answer").expect("the problem");
    let which = moves::Which { id: row.id, expected_version: None };
    let triage = moves::Triage {
        tier: Tier::Big,
        measures: "填平".to_owned(),
        criterion: "平整".to_owned(),
        is_complex: false,
    };
    moves::triage(&app.ctx(world.committee), which, triage).await.expect("triaged");
    // The committee gives it to another unit than the source named, which is then responsible alone.
    let lead = world.members[1];
    let row = moves::assign(&app.ctx(world.committee), which, lead, None).await.expect("assigned");
    assert_eq!((row.state, row.lead_organization_id), (State::Assigned, Some(lead)));
    let query = "query($id: ID!) { problem(id: $id) { responsibleOrganizations { name } } }";
    let answer = app.client(world.committee).send(query, json!({ "id": id::encode(row.id) })).await;
    let units: &Value = answer.at("/problem/responsibleOrganizations");
    assert_eq!(units, &json!([{ "name": "成员单位1-632223" }]));
}
