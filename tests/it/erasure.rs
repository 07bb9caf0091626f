//! Erasure: who reported a problem, and who an account was, leave no trace; what they did, and every count, stays.

use concord::{
    domain::{
        Error, chain,
        chain::Marks,
        file,
        identity::session,
        list::{
            evidence::{self, NewEvidence, Subject},
            problem::{
                self,
                moves::{self, Triage},
            },
            recount,
        },
    },
    graphql::id,
};
use concord_entities::{
    event,
    evidence::Stage,
    id::AccountId,
    problem::{Model, State, Tier},
};
use concord_tests::{Answer, TestApp, World, introspection::Shape};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};

use crate::{
    changes::dashboard_key,
    problem::{count, pothole, problem_in, which},
};

const NAME: &str = "张三丰";
const PHONE: &str = "13912345678";

const ERASE_REPORTER: &str = "mutation($input: EraseReporterInput!) { eraseReporter(input: $input) {
    problem { number state version title description place measures criterion reason verdict reporterName reporterPhone
        evidence { name note sha256 } }
    userErrors { code field message } } }";

const ERASE_ACCOUNT: &str = "mutation($input: EraseAccountInput!) { eraseAccount(input: $input) {
    account { id username displayName phone state isPlatformAdmin erasedAt disabledAt version seats { role }
        externalIdentities { subject } }
    userErrors { code field message } } }";

/// Every text of every table, each with the place where it stands.
pub async fn texts(app: &TestApp) -> Vec<(String, String)> {
    let db = &app.app.write;
    let mut found = Vec::new();
    for (name, table) in Shape::read(db).await.tables {
        for (column, shape) in &table.columns {
            let kind = shape.kind.to_lowercase();
            if ["blob", "bytea", "uuid"].iter().any(|bytes| kind.contains(bytes)) {
                continue;
            }
            let text = format!("SELECT CAST({column} AS TEXT) AS t FROM {name} WHERE {column} IS NOT NULL");
            let rows = db.query_all_raw(Statement::from_string(app.app.backend(), text)).await;
            let rows = rows.unwrap_or_else(|error| panic!("{name}.{column}: {error}"));
            let text = |row: &sea_orm::QueryResult| row.try_get::<String>("", "t").expect("a text");
            found.extend(rows.iter().map(|row| (format!("{name}.{column}"), text(row))));
        }
    }
    assert!(found.len() > 500, "the tables are read: {}", found.len());
    found
}

/// Where words still stand in the database.
pub async fn traces(app: &TestApp, words: &[&str]) -> Vec<String> {
    let texts = texts(app).await;
    let holds = |(_, text): &&(String, String)| words.iter().any(|word| text.contains(word));
    texts.iter().filter(holds).map(|(place, text)| format!("{place}: {text}")).collect()
}

/// The chain holds, with so many events erased, and the counters equal a recount.
async fn holds_together(app: &TestApp, erased: u64) {
    app.run_background().await;
    let found = chain::verify(&app.app.read, &Marks::default()).await.expect("the walk ends");
    assert_eq!((found.first_break, found.erased), (None, erased));
    assert!(recount::first_difference(&app.app.read).await.expect("a recount").is_none());
}

async fn town() -> (TestApp, World) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    (app, world)
}

/// A problem that was struck off, whose reporter is named wherever somebody could write.
async fn named_everywhere(app: &TestApp, world: &World) -> Model {
    let said = |text: &str| format!("{text}，联系{NAME} {PHONE}");
    let [grid, committee, staff] = [world.grid_officer, world.committee, world.staff].map(|id| app.ctx(id));
    let new = problem::NewProblem {
        title: said("路面坑洼"),
        description: said("夜间有人摔倒"),
        place: Some(format!("{NAME}家门口")),
        ..pothole(world)
    };
    let id = problem::register(&grid, new).await.expect("registered").id;
    let triage = Triage {
        tier: Tier::Small,
        measures: said("铺沥青"),
        criterion: format!("{NAME}满意"),
        is_complex: false,
    };
    moves::triage(&committee, which(id), triage).await.expect("triaged");
    for lead in [world.members[1], world.members[1]] {
        moves::assign(&committee, which(id), lead, None).await.expect("assigned");
        let row = problem::find(&committee, id).await.expect("a read").expect("a problem");
        if row.declined_count == 0 {
            moves::decline(&staff, which(id), &said("不归我们"), None).await.expect("declined");
        }
    }
    moves::accept(&staff, which(id)).await.expect("accepted");
    moves::start(&staff, which(id), None).await.expect("started");
    let chunks = futures_util::stream::iter([Ok::<_, std::convert::Infallible>("已铺".as_bytes().to_vec())]);
    let name = format!("{NAME}签字.txt");
    let upload = file::receive(&staff, chunks, Some(&name)).await.expect("a file").id;
    let new = NewEvidence {
        subject: Subject::Problem(id),
        files: vec![upload],
        stage: Stage::Closure,
        note: Some(said("已回访")),
    };
    evidence::add(&staff, new).await.expect("evidence");
    moves::submit(&staff, which(id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(id), &said("已核实")).await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off")
}

async fn erase_reporter(app: &TestApp, who: AccountId, problem: &Model, reason: &str) -> Answer {
    let input = json!({ "input": { "problemId": id::encode(problem.id), "reason": reason } });
    app.client(who).send(ERASE_REPORTER, input).await
}

#[tokio::test]
async fn who_reported_a_problem_leaves_no_trace_and_the_strike_off_stays() {
    let (app, world) = town().await;
    let row = named_everywhere(&app, &world).await;
    app.run_background().await;
    let named = traces(&app, &[NAME, PHONE]).await;
    for place in ["problem.title", "problem.verdict", "evidence.note", "stored_file.name", "event.payload"] {
        assert!(named.iter().any(|trace| trace.starts_with(place)), "{place}: {named:#?}");
    }
    let payloads = named.iter().filter(|trace| trace.starts_with("event.payload")).count();
    let answer = erase_reporter(&app, world.committee, &row, "当事人要求").await.fine();
    assert_eq!(traces(&app, &[NAME, PHONE]).await, Vec::<String>::new());
    let after = answer.at("/eraseReporter/problem").clone();
    let expected = json!({
        "number": row.number, "state": "STRUCK_OFF", "version": row.version + 1, "title": "路面坑洼，联系** **",
        "description": "夜间有人摔倒，联系** **", "place": "**家门口", "measures": "铺沥青，联系** **",
        // What it was judged by is not rewritten: it goes whole.
        "criterion": null, "verdict": null, "reason": after["reason"], "reporterName": null, "reporterPhone": null,
        "evidence": [{ "name": "**签字.txt", "note": null, "sha256": after["evidence"][0]["sha256"] }],
    });
    assert_eq!(after, expected);
    holds_together(&app, payloads as u64).await;
    let kept = problem::find(&app.system(), row.id).await.expect("a read").expect("the problem");
    assert_eq!(
        (kept.verifier_id, kept.approver_id, kept.struck_off_at, kept.declined_count),
        (row.verifier_id, row.approver_id, row.struck_off_at, row.declined_count)
    );
    // The erasure is an event of its own, for the committee to read, with the reason and without the words.
    let told = event::Entity::find().filter(event::Column::Kind.eq("reporter_erased"));
    let told = told.one(&app.app.read).await.expect("a read").expect("an event");
    let details: Value = serde_json::from_str(&told.payload.expect("details")).expect("JSON");
    assert_eq!(details, json!({ "number": row.number, "reason": "当事人要求", "events": payloads }));
    assert_eq!(told.actor_id, Some(world.committee));
    let again = erase_reporter(&app, world.committee, &row, "再来").await;
    assert_eq!(again.code().as_deref(), Some("NOTHING_TO_ERASE"));
}

#[tokio::test]
async fn only_the_committee_erases_a_reporter_with_a_reason_that_names_nobody() {
    let (app, world) = town().await;
    let neighbour = World::build(&app, "632224").await;
    let row = problem_in(&app, &world, State::Assigned).await;
    for who in [
        world.approver,
        world.manager,
        world.staff,
        world.other_staff,
        world.officer,
        world.grid_officer,
        world.verifier,
        world.observer,
    ] {
        assert_eq!(erase_reporter(&app, who, &row, "要求").await.code().as_deref(), Some("FORBIDDEN"));
    }
    for who in [world.stranger, neighbour.committee] {
        assert_eq!(erase_reporter(&app, who, &row, "要求").await.code().as_deref(), Some("NOT_FOUND"));
    }
    let input = json!({ "input": { "problemId": id::encode(row.id), "reason": "要求" } });
    let key = dashboard_key(&app, world.town).await;
    assert_eq!(app.key(key).send(ERASE_REPORTER, input.clone()).await.code().as_deref(), Some("FORBIDDEN"));
    let nobody = app.anonymous().send(ERASE_REPORTER, input).await;
    assert!(["NOT_FOUND", "UNAUTHENTICATED"].contains(&nobody.code().expect("a refusal").as_str()));
    for (reason, code) in
        [(" ", "REQUIRED"), ("张三丰要求", "REASON_NAMES_ERASED"), ("来电13912345678", "REASON_NAMES_ERASED")]
    {
        let answer = erase_reporter(&app, world.committee, &row, reason).await;
        assert_eq!(answer.code().as_deref(), Some(code), "{reason}");
        let error = answer.at("/eraseReporter/userErrors/0");
        assert_eq!(error["field"], "input.reason", "{error}");
    }
    let stale = json!({ "input": {
        "problemId": id::encode(row.id), "reason": "要求", "expectedVersion": row.version - 1,
    } });
    let answer = app.client(world.committee).send(ERASE_REPORTER, stale).await;
    assert_eq!(answer.code().as_deref(), Some("VERSION_CONFLICT"));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem WHERE reporter_name IS NOT NULL").await, 1);
    // An open problem keeps its criterion, which somebody still has to judge by.
    let answer = erase_reporter(&app, world.committee, &row, "要求").await.fine();
    assert_eq!(answer.text("/eraseReporter/problem/criterion"), "路面平整");
    moves::accept(&app.ctx(world.staff), which(row.id)).await.expect("the work goes on");
    holds_together(&app, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_erasures_at_once_one_is_made() {
    let (app, world) = town().await;
    let row = problem_in(&app, &world, State::Registered).await;
    let (one, other) = tokio::join!(
        erase_reporter(&app, world.committee, &row, "要求"),
        erase_reporter(&app, world.committee, &row, "要求")
    );
    let mut codes = [one.code(), other.code()];
    codes.sort();
    assert_eq!(codes, [None, Some("NOTHING_TO_ERASE".to_owned())]);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'reporter_erased'").await, 1);
}

async fn erase_account(app: &TestApp, who: AccountId, account: AccountId, reason: &str) -> Answer {
    let input = json!({ "input": { "accountId": id::encode(account), "reason": reason } });
    app.client(who).send(ERASE_ACCOUNT, input).await
}

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn an_account_keeps_its_deeds_and_loses_its_person() {
    let (app, world) = town().await;
    let admin = app.system();
    app.give_password(world.staff, PASSWORD).await;
    let tokens = app.sign_in("staff.632223", PASSWORD).await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    let link = "INSERT INTO external_identity (id, account_id, issuer, subject, created_at)
        SELECT id, id, 'https://login.example.gov.cn', 'li.staff', created_at FROM account WHERE username = 'staff.632223'";
    assert_eq!(app.sql(link).await.expect("an identity elsewhere"), 1);
    let named =
        "UPDATE account SET display_name = '李雷雷', phone = '13800001111' WHERE username = 'staff.632223'";
    app.sql(named).await.expect("a person");
    // Access ends first.
    let early = erase_account(&app, world.admin, world.staff, "离任").await;
    assert_eq!(early.code().as_deref(), Some("STATE_REFUSED"));
    concord::domain::identity::account::disable(&admin, world.staff, None).await.expect("disabled");
    for who in [world.committee, world.manager, world.staff, world.stranger, world.county_committee] {
        assert_eq!(erase_account(&app, who, world.staff, "离任").await.code().as_deref(), Some("FORBIDDEN"));
    }
    let input = json!({ "input": { "accountId": id::encode(world.staff), "reason": "离任" } });
    let key = dashboard_key(&app, world.town).await;
    assert_eq!(app.key(key).send(ERASE_ACCOUNT, input.clone()).await.code().as_deref(), Some("FORBIDDEN"));
    let nobody = app.anonymous().send(ERASE_ACCOUNT, input).await;
    assert_eq!(nobody.code().as_deref(), Some("UNAUTHENTICATED"));
    for (reason, code) in
        [("", "REQUIRED"), ("李雷雷离任", "REASON_NAMES_ERASED"), ("staff.632223", "REASON_NAMES_ERASED")]
    {
        let answer = erase_account(&app, world.admin, world.staff, reason).await;
        assert_eq!(answer.code().as_deref(), Some(code), "{reason}");
    }
    let unknown = AccountId(row.id.into());
    assert_eq!(erase_account(&app, world.admin, unknown, "离任").await.code().as_deref(), Some("NOT_FOUND"));
    let words = ["李雷雷", "13800001111", "staff.632223", "li.staff"];
    assert!(!traces(&app, &words).await.is_empty());
    let answer = erase_account(&app, world.admin, world.staff, "离任").await.fine();
    assert_eq!(traces(&app, &words).await, Vec::<String>::new());
    let account = answer.at("/eraseAccount/account");
    assert_eq!(account["displayName"], "已注销");
    assert_eq!(account["state"], "DISABLED");
    assert!(account["phone"].is_null() && account["erasedAt"].is_string(), "{account}");
    assert_eq!(account["seats"], json!([{ "role": "MEMBER_STAFF" }]), "roles stay on record");
    assert_eq!(account["externalIdentities"], json!([]));
    for table in ["account_link", "external_identity", "refresh_token"] {
        assert_eq!(count(&app, &format!("SELECT COUNT(*) AS n FROM {table}")).await, 0, "{table}");
    }
    holds_together(&app, 0).await;
    // Their deeds are told of nobody in particular, to those who knew the name and to those who did not.
    let kept = problem::find(&admin, row.id).await.expect("a read").expect("the problem");
    assert_eq!(kept.handler_id, Some(world.staff));
    let query =
        "query($id: ID!) { problem(id: $id) { handler { name } } history(id: $id) { nodes { actorName } } }";
    for client in [app.client(world.committee), app.client(world.observer), app.key(key)] {
        let answer = client.send(query, json!({ "id": id::encode(row.id) })).await.fine();
        assert_eq!(answer.text("/problem/handler/name"), "已注销");
        let names = answer.at("/history/nodes").as_array().expect("events").clone();
        assert!(names.iter().any(|event| event["actorName"] == "已注销"), "{names:?}");
    }
    // For good.
    let enabled = concord::domain::identity::account::enable(&admin, world.staff, None).await;
    assert!(matches!(enabled, Err(Error::Refused(refusal)) if refusal.code.text() == "STATE_REFUSED"));
    let signed_in = session::sign_in(&app.anonymous().ctx, "staff.632223", PASSWORD).await;
    assert!(matches!(signed_in, Err(Error::Refused(refusal)) if refusal.code.text() == "SIGN_IN_REFUSED"));
    assert!(app.bearer(&tokens.access_token).await.is_err(), "a token of before opens nothing");
    let again = erase_account(&app, world.admin, world.staff, "再来").await;
    assert_eq!(again.code().as_deref(), Some("NOTHING_TO_ERASE"));
    let told = "SELECT COUNT(*) AS n FROM event WHERE kind = 'account_erased' AND alliance_id IS NOT NULL AND payload LIKE '%离任%'";
    assert_eq!(count(&app, told).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_erasures_of_an_account_at_once_one_is_made() {
    let (app, world) = town().await;
    concord::domain::identity::account::disable(&app.system(), world.stranger, None).await.expect("disabled");
    let (one, other) = tokio::join!(
        erase_account(&app, world.admin, world.stranger, "离任"),
        erase_account(&app, world.admin, world.stranger, "离任")
    );
    let mut codes = [one.code(), other.code()];
    codes.sort();
    assert_eq!(codes, [None, Some("NOTHING_TO_ERASE".to_owned())]);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM event WHERE kind = 'account_erased'").await, 1);
}
