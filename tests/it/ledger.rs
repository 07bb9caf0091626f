//! The paper ledgers: in the columns that clerks know, as the reader may see them, safe for spreadsheets and browsers, page by
//! page; and the closure ledger back in by the same columns.

use actix_web::{App, body::to_bytes, http::StatusCode, test, web};
use chrono::TimeDelta;
use concord::{
    domain::{
        Code, Ctx,
        list::{
            follow_up::{self, NewFollowUp, WhichFollowUp, exclusion},
            priority_task::Edit,
            problem::{
                self, NewProblem,
                edit::{self, ProblemChange},
                extend,
                moves::{self, Triage},
                on_account::{self, NewHold},
            },
            supervision,
        },
    },
    graphql::id,
    http::ledgers,
    import::{self, Options, Report, Source, problems::Mapping},
};
use concord_entities::{
    follow_up::{Kind, Solved},
    id::AllianceId,
    problem::{Severity, State, Tier},
};
use concord_tests::{Server, TestApp, World};
use serde_json::json;

use crate::{
    priority_task::{key, published, step, task},
    problem::{count, pothole, problem_in, which},
    rotation::Town,
};

/// The columns of the paper, as the domain page lists them.
const PROBLEMS: &str = "序号, 编号, 登记日期, 问题来源, 反映人(脱敏), 社区/网格, 地点, 类别, 问题描述, 难易/紧急, 包联领导, 牵头单位, 配合单位, 责任人, 经办人/电话, 整改措施, 销号标准, 交办日期, 完成时限, 延期, 进展(日期), 佐证材料, 申请销号日期, 核验人/意见, 审批人, 销号日期, 回访结果/满意度, 挂账原因/复核日期, 督办情况, 备注";
const ROTATION: &str = "期次, 月份(起止), 服务队, 牵头单位, 成员单位, 队长/职务, 联络员/电话, 对接镇领导, 对接社区/站所支部, 报到时间/地点/人数, 对接会日期, 重点任务数, 认领/销号问题数, 服务次数, 交接日期/接收队/双方签字, 评价, 调换说明, 备注";
const TASKS: &str = "序号, 编号, 任务名称, 来源(文件/会议/需求), 工作内容, 目标/完成标准, 牵头领导, 牵头单位, 责任人, 配合单位, 对接社区, 开始/完成时限, 当月节点, 进展(日期), 完成率, 问题/需协调事项, 佐证, 验收人, 结果(完成/结转/取消), 备注";

/// What can be set by an import.
const SETTABLE: [&str; 14] = [
    "序号",
    "编号",
    "登记日期",
    "问题来源",
    "社区/网格",
    "地点",
    "类别",
    "问题描述",
    "难易/紧急",
    "牵头单位",
    "整改措施",
    "销号标准",
    "完成时限",
    "销号日期",
];

pub(crate) struct Reply {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect("a header").to_str().expect("a text")
    }

    fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        body["errors"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }

    /// The table: its titles, and its rows.
    pub(crate) fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        let text = self.body.strip_prefix('\u{feff}').expect("a byte-order mark");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut rows = reader
            .records()
            .map(|record| record.expect("a row as wide as its head").iter().map(str::to_owned).collect());
        let titles = rows.next().expect("a head");
        (titles, rows.collect())
    }
}

pub(crate) async fn fetch(ctx: Ctx, path: &str) -> Reply {
    let service = test::init_service(App::new().route(
        "/ledgers/{name}",
        web::get().to(move |request, path| ledgers::download(ctx.clone(), request, path)),
    ))
    .await;
    let response = test::call_service(&service, test::TestRequest::get().uri(path).to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body()).await.expect("a whole body").to_vec();
    Reply { status, headers, body: String::from_utf8(body).expect("UTF-8") }
}

pub(crate) fn path(name: &str, alliance: AllianceId, more: &str) -> String {
    format!("/ledgers/{name}?allianceId={}&{more}", id::encode(alliance).as_str())
}

pub(crate) fn cell<'r>(titles: &[String], row: &'r [String], title: &str) -> &'r str {
    let place = titles.iter().position(|known| known == title).expect("a column");
    &row[place]
}

#[tokio::test]
async fn the_closure_ledger_is_written_in_its_columns_as_the_reader_may_see_it() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    problem_in(&app, &world, State::StruckOff).await;
    let new = NewProblem {
        title: "=HYPERLINK(\"http://x\")".to_owned(),
        description: "<script>alert(1)</script>，\"引号\"\n第二行".to_owned(),
        place: Some("-1层".to_owned()),
        reporter_name: None,
        ..pothole(&world)
    };
    problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
    let csv = path("problems.csv", world.town, "year=2026");
    let reply = fetch(app.ctx(world.committee), &csv).await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert!(reply.header("content-disposition").starts_with("attachment; filename="));
    assert!(reply.body.contains("\r\n"));
    let (titles, rows) = reply.table();
    assert_eq!(titles.join(", "), PROBLEMS);
    assert_eq!(rows.len(), 2);
    let of = |title: &str| cell(&titles, &rows[0], title).to_owned();
    for (title, expected) in [
        ("序号", "1"),
        ("编号", "西海销〔2026〕0001号"),
        ("登记日期", "2026-01-05"),
        ("问题来源", "网格员"),
        ("反映人(脱敏)", "张**"),
        ("社区/网格", "第1社区"),
        ("地点", "第1社区路口"),
        ("类别", "道路"),
        ("问题描述", "路面坑洼\n第1社区路口路面坑洼，夜间有人摔倒"),
        ("难易/紧急", "小事/一般"),
        ("包联领导", ""),
        ("牵头单位", "成员单位1-632223"),
        ("配合单位", ""),
        ("经办人/电话", "staff"),
        ("整改措施", "铺沥青"),
        ("销号标准", "路面平整"),
        ("交办日期", "2026-01-05"),
        ("完成时限", "2026-01-12"),
        ("进展(日期)", "已销号(2026-01-05)"),
        ("佐证材料", "1件"),
        ("申请销号日期", "2026-01-05"),
        ("核验人/意见", "verifier/已平整"),
        ("审批人", "approver"),
        ("销号日期", "2026-01-05"),
    ] {
        assert_eq!(of(title), expected, "{title}");
    }
    // What a spreadsheet would calculate is a text.
    assert!(cell(&titles, &rows[1], "问题描述").starts_with("'=HYPERLINK"));
    assert_eq!(cell(&titles, &rows[1], "地点"), "'-1层");
    // Whoever has no business with people sees them masked; the reporter nobody sees.
    for (who, handler, verifier) in
        [(world.observer, "s****", "v*******/已平整"), (world.staff, "staff", "v*******/已平整")]
    {
        let (titles, rows) = fetch(app.ctx(who), &csv).await.table();
        assert_eq!(cell(&titles, &rows[0], "经办人/电话"), handler);
        assert_eq!(cell(&titles, &rows[0], "核验人/意见"), verifier);
        assert_eq!(cell(&titles, &rows[0], "反映人(脱敏)"), "张**");
    }
    let board = key(&app, world.town).await;
    let (titles, rows) = fetch(app.key(board).ctx, &csv).await.table();
    assert_eq!(cell(&titles, &rows[0], "审批人"), "a*******");
    // To print: nothing but a table, and nothing that runs.
    let page = fetch(app.ctx(world.committee), &path("problems.html", world.town, "year=2026")).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(
        page.body.contains("size:A4 landscape") && page.body.contains("thead{display:table-header-group}")
    );
    assert!(page.body.contains("<title>西海镇联盟2026年问题销号台账</title>"));
    assert!(page.body.contains("&lt;script&gt;") && !page.body.contains("<script"));
    assert!(page.body.trim_end().ends_with("</html>"));
    assert_eq!(page.body.matches("<tr>").count(), 3);
    // By months, and only what there is.
    let (_, rows) =
        fetch(app.ctx(world.committee), &path("problems.csv", world.town, "month=2026-01")).await.table();
    assert_eq!(rows.len(), 2);
    let (_, rows) =
        fetch(app.ctx(world.committee), &path("problems.csv", world.town, "month=2025-12")).await.table();
    assert!(rows.is_empty());
}

#[tokio::test]
async fn the_closure_ledger_tells_of_more_time_answers_accounts_and_notices() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let day = |text: &str| text.parse().expect("a day");
    let held = problem_in(&app, &world, State::InProgress).await;
    extend::extend(&committee, which(held.id), day("2026-01-20"), "材料未到").await.expect("extended");
    let version = problem::find(&app.system(), held.id).await.expect("a read").expect("a row").version;
    let change = ProblemChange { due_on: Edit::To(day("2026-01-25")), ..ProblemChange::default() };
    edit::update(&committee, held.id, version, change).await.expect("edited");
    supervision::issue(&committee, held.id, world.members[1], "请说明", None).await.expect("a notice");
    let hold =
        NewHold { reason: "待雨季后".to_owned(), organization_id: None, review_on: day("2026-03-01") };
    on_account::hold(&committee, which(held.id), hold).await.expect("held");
    let mut wanted = Vec::new();
    for _ in 0..2 {
        let row = problem_in(&app, &world, State::StruckOff).await;
        let wants = NewFollowUp {
            problem: which(row.id),
            reporter_problem_id: None,
            kind: Kind::default(),
            due_on: None,
        };
        let due = follow_up::request(&committee, wants).await.expect("due");
        wanted.push(WhichFollowUp { id: due.id, expected_version: None });
    }
    let answer = follow_up::Answer { solved: Solved::Partly, satisfied: true, words: None, note: None };
    follow_up::record_answer(&app.ctx(world.verifier), wanted[0], answer).await.expect("answered");
    for _ in 0..3 {
        app.advance(TimeDelta::days(1));
        follow_up::record_try(&app.ctx(world.verifier), wanted[1], None).await.expect("tried");
    }
    let ask = path("problems.csv", world.town, "year=2026");
    let (titles, rows) = fetch(app.ctx(world.committee), &ask).await.table();
    let cells = |title: &str| -> Vec<&str> { rows.iter().map(|row| cell(&titles, row, title)).collect() };
    assert_eq!(cells("完成时限"), ["2026-01-25", "2026-01-12", "2026-01-12"]);
    assert_eq!(cells("延期"), ["2次", "", ""]);
    assert_eq!(cells("回访结果/满意度"), ["", "部分解决/满意", "未联系上"]);
    assert_eq!(cells("挂账原因/复核日期"), ["待雨季后/2026-03-01", "", ""]);
    assert_eq!(cells("督办情况"), ["督〔2026〕0001号", "", ""]);
    assert_eq!(cells("包联领导"), ["", "", ""]);
    assert_eq!(cells("责任人"), ["", "", ""]);
    // What counts no more is marked, and stays as it was given.
    for of in wanted {
        exclusion::exclude(&app.ctx(world.approver), of, "恶意重复投诉").await.expect("excluded");
    }
    let (titles, rows) = fetch(app.ctx(world.committee), &ask).await.table();
    let answers: Vec<&str> = rows.iter().map(|row| cell(&titles, row, "回访结果/满意度")).collect();
    assert_eq!(answers, ["", "部分解决/满意（不计入）", "未联系上（不计入）"]);
}

#[tokio::test]
async fn the_task_ledger_tells_how_each_task_ended() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let goes_on = published(&app, &world).await;
    let committee = app.client(world.committee);
    let query = "query($id: ID!) { priorityTask(id: $id) { taskList { id } } }";
    let list =
        committee.send(query, json!({ "id": goes_on })).await.fine().at("/priorityTask/taskList/id").clone();
    let dropped = task(&app, &world, &list, "已取消", "2026-01-16").await;
    step(&app, world.committee, "publishPriorityTask", &dropped, json!({})).await.fine();
    step(&app, world.committee, "cancelPriorityTask", &dropped, json!({ "reason": "不再需要" })).await.fine();
    let carry =
        "mutation($input: CarryOverTasksInput!) { carryOverTasks(input: $input) { userErrors { code } } }";
    committee.send(carry, json!({ "input": { "fromTaskListId": list } })).await.fine();
    let (titles, rows) =
        fetch(app.ctx(world.committee), &path("tasks.csv", world.town, "month=2026-01")).await.table();
    let ends: Vec<&str> = rows.iter().map(|row| cell(&titles, row, "结果(完成/结转/取消)")).collect();
    assert_eq!(ends, ["结转", "取消"]);
}

#[tokio::test]
async fn whoever_may_not_see_a_list_gets_no_ledger_and_bad_requests_are_told() {
    let app = TestApp::new().await;
    let (world, there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    problem_in(&app, &world, State::Registered).await;
    let missing: AllianceId = app.system().new_id();
    for name in ["problems.csv", "problems.html", "rotation.csv", "tasks.csv"] {
        let of = |alliance| path(name, alliance, "month=2026-01");
        for who in [there.committee, there.county_committee, world.stranger] {
            let (foreign, none) =
                (fetch(app.ctx(who), &of(world.town)).await, fetch(app.ctx(who), &of(missing)).await);
            assert_eq!((foreign.status, foreign.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
            assert_eq!((none.status, none.code()), (foreign.status, foreign.code()));
        }
        let anonymous = fetch(app.anonymous().ctx, &of(world.town)).await;
        assert_eq!(
            (anonymous.status, anonymous.code().as_str()),
            (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED")
        );
    }
    // The administrator sees that the alliance is there, and nothing of its list.
    let (_, rows) = fetch(app.ctx(world.admin), &path("problems.csv", world.town, "year=2026")).await.table();
    assert!(rows.is_empty());
    // A supervising level reads its town's.
    let (_, rows) =
        fetch(app.ctx(world.county_committee), &path("problems.csv", world.town, "year=2026")).await.table();
    assert_eq!(rows.len(), 1);
    for (name, more, code) in [
        ("problems.csv", "", "REQUIRED"),
        ("problems.csv", "year=soon", "MALFORMED"),
        ("problems.csv", "year=99999", "OUT_OF_RANGE"),
        ("problems.csv", "month=2026-13", "MALFORMED"),
        ("problems.csv", "year=2026&month=2026-01", "MALFORMED"),
        ("problems.csv", "year=2026&sort=up", "MALFORMED"),
        ("tasks.csv", "year=2026", "MALFORMED"),
        ("problems.pdf", "year=2026", "NOT_FOUND"),
        ("people.csv", "year=2026", "NOT_FOUND"),
    ] {
        let reply = fetch(app.ctx(world.committee), &path(name, world.town, more)).await;
        assert_eq!(reply.code(), code, "{name} {more}");
    }
    let reply = fetch(app.ctx(world.committee), "/ledgers/problems.csv?year=2026").await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "REQUIRED"));
}

#[tokio::test]
async fn a_long_ledger_is_read_a_hundred_rows_at_a_time() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let bytes = std::fs::read(format!("{folder}data/nyc311-requests.csv")).expect("the requests");
    let mapping =
        std::fs::read_to_string(format!("{folder}../docs/examples/nyc311.toml")).expect("a mapping");
    let mapping = Mapping::parse(&mapping).expect("the shipped mapping");
    let source = Source { name: "requests.csv".to_owned(), bytes };
    import::problems::run(&app.system(), world.town, &mapping, &source, Options::default())
        .await
        .expect("an import");
    let ask = path("problems.csv", world.town, "year=2026");
    let (reply, statements) = app.statements(async || fetch(app.ctx(world.observer), &ask).await).await;
    let (titles, rows) = reply.table();
    assert_eq!(rows.len(), 1000);
    for (row, number) in rows.iter().zip(1..) {
        assert_eq!(cell(&titles, row, "序号"), number.to_string());
        assert_eq!(cell(&titles, row, "编号"), format!("西海销〔2026〕{number:04}号"));
    }
    let closed = rows.iter().filter(|row| !cell(&titles, row, "销号日期").is_empty()).count();
    assert_eq!(closed, 677);
    // The alliance, the reader's seats, and for each hundred the rows, people, joint units, evidence, extensions, answers and
    // notices.
    assert!(statements.len() <= 2 + 10 * 7, "{}", statements.len());
    let page = fetch(app.ctx(world.observer), &path("problems.html", world.town, "year=2026")).await;
    assert_eq!(page.body.matches("<tr>").count(), 1001);
}

#[tokio::test]
async fn tasks_and_turns_have_their_ledgers() {
    let app = TestApp::new().await;
    let town = Town::build(&app, "632223", 3).await;
    let world = &town.world;
    published(&app, world).await;
    let (titles, rows) =
        fetch(app.ctx(world.committee), &path("tasks.csv", world.town, "month=2026-01")).await.table();
    assert_eq!(titles.join(", "), TASKS);
    assert_eq!(rows.len(), 1);
    assert_eq!(cell(&titles, &rows[0], "任务名称"), "整治背街小巷");
    assert_eq!(cell(&titles, &rows[0], "牵头单位"), "成员单位1-632223");
    assert!(cell(&titles, &rows[0], "开始/完成时限").ends_with("2026-01-20"));
    assert_eq!(cell(&titles, &rows[0], "完成率"), "0%");

    let plan = town.published(&app, "2026-02", 3).await;
    let slot = town.slot(&app, &plan, 1).await;
    app.advance(TimeDelta::days(28));
    let check = "mutation($input: RecordCheckInInput!) { recordCheckIn(input: $input) { userErrors { code field } } }";
    let input =
        json!({ "slotId": slot, "cameAt": "2026-02-02T00:30:00Z", "place": "镇政府", "headCount": 6 });
    let answer = app.client(world.committee).send(check, json!({ "input": input })).await;
    answer.fine();
    let ask = path("rotation.csv", world.town, "year=2026");
    let (titles, rows) = fetch(app.ctx(world.committee), &ask).await.table();
    assert_eq!(titles.join(", "), ROTATION);
    assert_eq!(rows.len(), 3);
    let of = |title: &str| cell(&titles, &rows[0], title).to_owned();
    assert_eq!(of("期次"), "1");
    assert_eq!(of("月份(起止)"), "2026年2月(2026-02-01至2026-02-28)");
    assert_eq!(of("服务队"), "第1服务队");
    assert_eq!(of("牵头单位"), "成员单位1-632223");
    assert_eq!(of("队长/职务"), "王队长");
    assert_eq!(of("报到时间/地点/人数"), "2026-02-02 08:30/镇政府/6人");
    assert_eq!(of("备注"), "已报到");
    let (titles, rows) = fetch(app.ctx(world.observer), &ask).await.table();
    assert_eq!(cell(&titles, &rows[0], "队长/职务"), "王**");
    let page = fetch(app.ctx(world.observer), &path("rotation.html", world.town, "year=2026")).await;
    assert_eq!(page.body.matches("<tr>").count(), 4);
}

async fn bring(app: &TestApp, alliance: AllianceId, text: &str) -> Report {
    let source = Source { name: "台账.csv".to_owned(), bytes: text.as_bytes().to_vec() };
    import::ledger::run(&app.system(), alliance, &source, Options::default()).await.expect("an import")
}

#[tokio::test]
async fn what_was_written_comes_back_in_by_the_same_columns() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    problem_in(&app, &world, State::StruckOff).await;
    let row = problem_in(&app, &world, State::Registered).await;
    let triage = Triage {
        tier: Tier::Hard,
        measures: "+加固".to_owned(),
        criterion: "验收\n合格".to_owned(),
        is_complex: false,
    };
    moves::triage(&app.ctx(world.committee), which(row.id), triage).await.expect("triaged");
    let due = Some("2026-01-20".parse().expect("a day"));
    moves::assign(&app.ctx(world.committee), which(row.id), world.members[2], due).await.expect("assigned");
    for (title, severity) in [("=1+1", Severity::Utilities), ("'=撇号", Severity::LifeSafety)] {
        let new = NewProblem {
            title: title.to_owned(),
            description: title.to_owned(),
            severity,
            place: None,
            region_id: None,
            ..pothole(&world)
        };
        problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
    }
    let ask = |world: &World| path("problems.csv", world.town, "year=2026");
    let written = fetch(app.ctx(world.committee), &ask(&world)).await;
    // Another town's empty list, three days later.
    let other = TestApp::new().await;
    let there = World::build(&other, "632223").await;
    other.advance(TimeDelta::days(3));
    let report = bring(&other, there.town, &written.body).await;
    let errors: Vec<_> = report.errors.iter().take(3).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!((report.imported, report.unchanged, report.left), (4, 0, 0));
    let read = fetch(other.ctx(there.committee), &ask(&there)).await;
    let ((titles, before), (_, after)) = (written.table(), read.table());
    let settable = |rows: &[Vec<String>]| -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| SETTABLE.iter().map(|title| cell(&titles, row, title).to_owned()).collect())
            .collect()
    };
    assert_eq!(settable(&after), settable(&before));
    assert_eq!(cell(&titles, &after[0], "进展(日期)"), "来源已办结(2026-01-05)");
    assert!(cell(&titles, &after[1], "进展(日期)").starts_with("研判"));
    // Again, and nothing changes; what the ledger has closed since is closed.
    let again = bring(&other, there.town, &written.body).await;
    assert_eq!((again.imported, again.updated, again.unchanged), (0, 0, 4));
    assert_eq!(count(&other, "SELECT COUNT(*) AS n FROM problem").await, 4);
    other.run_background().await;
    // Into the list that it was written from it brings nothing.
    let own = bring(&app, world.town, &written.body).await;
    assert_eq!((own.imported, own.updated, own.unchanged), (0, 0, 4));
}

#[tokio::test]
async fn a_row_of_a_ledger_that_cannot_be_is_told_by_line_and_column() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let text = "编号,登记日期,类别,问题描述,社区/网格,牵头单位,难易/紧急,完成时限,问题来源,进展(日期),销号日期\n\
        1,2026-01-02,道路,坑洼,第1社区,成员单位1-632223,小事/一般,2026-02-01,网格员,,\n\
        2,昨天,道路,坑洼,,,,,,,\n\
        3,2026-01-02,道路,坑洼,火星,,,,,,\n\
        4,2026-01-02,道路,坑洼,,外单位,,,,,\n\
        5,2026-01-02,道路,坑洼,,,要命,,,,\n\
        6,2026-01-02,道路,坑洼,,,,2月,,,\n\
        7,2026-01-02,道路,坑洼,,,,,飞鸽,,\n\
        8,2026-01-02,道路,坑洼,,,,,,不予受理(2026-01-03),\n\
        8a,2026-01-02,道路,坑洼,,,,,,并案(2026-01-03),\n\
        9,2026-01-02,道路,坑洼,,,,,,,2026-01-01\n\
        ,2026-01-02,道路,坑洼,,,,,,,\n\
        11,2026-01-02,,坑洼,,,,,,,\n\
        1,2026-01-02,道路,坑洼,,,,,,,\n";
    let report = bring(&app, world.town, text).await;
    let told: Vec<_> =
        report.errors.iter().map(|error| (error.line, error.column, error.error.code())).collect();
    let expected = [
        (3, 2, Code::Malformed),
        (4, 5, Code::Malformed),
        (5, 6, Code::Malformed),
        (6, 7, Code::Malformed),
        (7, 8, Code::Malformed),
        (8, 9, Code::Malformed),
        (11, 11, Code::OutOfRange),
        (12, 1, Code::Required),
        (13, 3, Code::Required),
        (14, 1, Code::AlreadyExists),
    ];
    assert_eq!(told, expected);
    // What was over without having been solved is no problem of this list, each told by its line.
    assert_eq!((report.imported, report.left), (1, 2));
    let notes: Vec<_> = report.notes.iter().map(|note| (note.line, note.column, note.error.code())).collect();
    assert_eq!(notes, [(9, 10, Code::StateRefused), (10, 10, Code::StateRefused)]);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem").await, 1);
    // Nothing is recorded on the way that a ledger merely names.
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM organization WHERE name = '外单位'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_served_product_hands_ledgers_out_to_whoever_brings_a_token() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    problem_in(&app, &world, State::Registered).await;
    app.give_password(world.committee, "correct horse battery").await;
    let token = app.sign_in("committee.632223", "correct horse battery").await.access_token;
    let server = Server::start(app.app.clone());
    let url = server.url(&path("problems.csv", world.town, "year=2026"));
    let reply = server.http.get(&url).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(reply.status(), 200);
    let text = reply.text().await.expect("a text");
    assert!(text.contains("西海销〔2026〕0001号"), "{text}");
    assert_eq!(server.http.get(&url).send().await.expect("an answer").status(), 401);
    assert_eq!(server.http.get(&url).bearer_auth("nobody").send().await.expect("an answer").status(), 401);
}
