//! Task lists from files: what was written comes back in by the same columns as drafts of a month, once, and what is wrong is told
//! by line and column while the rest goes on.

use chrono::NaiveDate;
use concord::{
    domain::{
        Code, Ctx, Error,
        governance::{
            membership::{self, Contact},
            organization::{self, NewOrganization},
        },
        list::{
            carry_over,
            priority_task::{self, NewPriorityTask},
            recount,
            task_list::{self, NewTaskList},
            task_milestone::{self, NewMilestone},
        },
    },
    import::{Options, Report, Source, tasks},
};
use concord_entities::{
    id::TaskListId,
    organization::Kind,
    priority_task::{Entity as Task, Model, State},
    task_milestone::{Column as Milestone, Entity as Milestones},
};
use concord_tests::{TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    ledger::{cell, fetch, path},
    problem::count,
};

/// What an import sets.
const SETTABLE: [&str; 10] = [
    "序号",
    "任务名称",
    "来源(文件/会议/需求)",
    "工作内容",
    "目标/完成标准",
    "牵头单位",
    "配合单位",
    "对接社区",
    "开始/完成时限",
    "当月节点",
];

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

async fn list(ctx: &Ctx, world: &World, month: &str) -> TaskListId {
    let new = NewTaskList {
        alliance_id: world.town,
        month_on: day(&format!("{month}-01")),
        title: "一月清单".to_owned(),
    };
    task_list::create(ctx, new).await.expect("a list").id
}

/// A task with all that a list tells of one.
fn full(world: &World, list: TaskListId, title: &str) -> NewPriorityTask {
    NewPriorityTask {
        task_list_id: list,
        title: title.to_owned(),
        content: "-清理\n背街小巷".to_owned(),
        criterion: Some("@验收合格".to_owned()),
        source: Some("+党工委〔2026〕1号".to_owned()),
        lead_organization_id: world.members[1],
        co_organization_ids: vec![world.members[2], world.members[3]],
        region_id: Some(world.communities[0]),
        starts_on: Some(day("2026-01-06")),
        due_on: day("2026-01-31"),
        responsible_name: Some("张三丰".to_owned()),
        milestones: vec![
            NewMilestone { title: "=开工(一期)".to_owned(), due_on: day("2026-01-10") },
            NewMilestone { title: "验收".to_owned(), due_on: day("2026-01-30") },
        ],
    }
}

async fn try_bring(
    app: &TestApp,
    world: &World,
    month: &str,
    text: &str,
    dry_run: bool,
) -> Result<Report, Error> {
    let source = Source { name: "清单.csv".to_owned(), bytes: text.as_bytes().to_vec() };
    let options = Options { dry_run, ..Options::default() };
    tasks::run(&app.system(), world.town, day(&format!("{month}-01")), &source, options).await
}

async fn bring(app: &TestApp, world: &World, month: &str, text: &str) -> Report {
    try_bring(app, world, month, text, false).await.expect("an import")
}

fn counts(report: &Report) -> (u64, u64, u64, u64) {
    (report.imported, report.unchanged, report.left, report.refused())
}

fn places(report: &Report) -> Vec<(u64, u64, Code)> {
    report.errors.iter().map(|error| (error.line, error.column, error.error.code())).collect()
}

/// The tasks of a month, as the committee reads them, by the columns that an import sets.
async fn settable(app: &TestApp, world: &World, month: &str) -> Vec<Vec<String>> {
    let ask = path("tasks.csv", world.town, &format!("month={month}"));
    let (titles, rows) = fetch(app.ctx(world.committee), &ask).await.table();
    rows.iter()
        .map(|row| SETTABLE.iter().map(|title| cell(&titles, row, title).to_owned()).collect())
        .collect()
}

async fn lists(app: &TestApp) -> i64 {
    count(app, "SELECT COUNT(*) AS n FROM task_list").await
}

#[tokio::test]
async fn a_list_that_was_written_comes_back_in_by_the_same_columns_as_drafts_of_another_month() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let january = list(&committee, &world, "2026-01").await;
    let worked_on =
        priority_task::create(&committee, full(&world, january, "=SUM(A1)")).await.expect("a task");
    let plain = NewPriorityTask {
        criterion: None,
        source: None,
        co_organization_ids: Vec::new(),
        region_id: Some(world.town_region),
        starts_on: None,
        milestones: Vec::new(),
        lead_organization_id: world.members[4],
        ..full(&world, january, "'=撇号")
    };
    priority_task::create(&committee, plain).await.expect("a task");
    let done = full(&world, january, "已取消");
    let done = priority_task::create(&committee, done).await.expect("a task");
    task_list::publish(&committee, january, None).await.expect("published");
    priority_task::cancel(&committee, done.id, None, "不再需要").await.expect("cancelled");
    let staff = app.ctx(world.staff);
    priority_task::acknowledge(&staff, worked_on.id, None).await.expect("acknowledged");
    priority_task::report_progress(&staff, worked_on.id, None, "已开工", Some(40)).await.expect("reported");
    let first = Milestones::find()
        .filter(Milestone::TaskId.eq(worked_on.id))
        .order_by_asc(Milestone::DueOn)
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("a milestone");
    task_milestone::reach(&staff, first.id).await.expect("reached");

    let ask = path("tasks.csv", world.town, "month=2026-01");
    let written = fetch(committee.clone(), &ask).await;
    let before = settable(&app, &world, "2026-01").await;
    assert_eq!(before[0][9], "'=开工(一期)(2026-01-10，已达到)\n验收(2026-01-30)");
    // Nothing of a dry run stays.
    let dry = try_bring(&app, &world, "2026-03", &written.body, true).await.expect("a dry run");
    assert_eq!((counts(&dry), lists(&app).await), ((2, 0, 1, 0), 1));
    let report = bring(&app, &world, "2026-03", &written.body).await;
    assert_eq!(places(&report), []);
    assert_eq!(counts(&report), (2, 0, 1, 0));
    let left: Vec<_> = report.notes.iter().map(|note| (note.line, note.column, note.error.code())).collect();
    // The first task's cells have line breaks of their own.
    assert_eq!(left, [(7, 19, Code::StateRefused)]);
    let mut expected = before;
    expected.truncate(2);
    expected[0][9] = expected[0][9].replace("，已达到", "");
    assert_eq!(settable(&app, &world, "2026-03").await, expected);
    // They are drafts without progress or people, and the committee publishes them with their list.
    let drafts: Vec<Model> = Task::find().all(&app.app.read).await.expect("a read");
    let drafts: Vec<_> = drafts.into_iter().filter(|task| task.task_list_id != january).collect();
    assert!(drafts.iter().all(|task| task.state == State::Draft && task.percent == 0));
    assert!(drafts.iter().all(|task| task.responsible_name.is_none()));
    let march = task_list::find(&committee, drafts[0].task_list_id).await.expect("a read").expect("a list");
    assert_eq!((march.title.as_str(), march.month_on), ("2026年3月重点任务清单", day("2026-03-01")));
    // Again, and nothing changes, published or not.
    assert_eq!(counts(&bring(&app, &world, "2026-03", &written.body).await), (0, 2, 1, 0));
    task_list::publish(&committee, march.id, None).await.expect("published");
    assert_eq!(counts(&bring(&app, &world, "2026-03", &written.body).await), (0, 2, 1, 0));
    assert_eq!(counts(&bring(&app, &world, "2026-01", &written.body).await), (0, 2, 1, 0));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM priority_task").await, 5);
    assert_eq!(recount::first_difference(&app.app.read).await.expect("a recount"), None);
    app.run_background().await;
}

#[tokio::test]
async fn a_row_of_a_list_that_cannot_be_is_told_by_line_and_column_and_the_rest_goes_on() {
    let app = TestApp::new().await;
    let (world, _there) = (World::build(&app, "632223").await, World::build(&app, "632224").await);
    let text = "\u{feff}任务名称,来源,工作内容,牵头单位,配合单位,对接社区,开始/完成时限,当月节点,结果\n\
        清淤,会议,清理河道,成员单位1-632223,成员单位2-632223、成员单位3-632223,第1社区,2026-02-20,,\n\
        绿化,,种树,成员单位1-632224,,,2026-02-20,,\n\
        绿化,,种树,成员单位1-632223,外单位,,2026-02-20,,\n\
        绿化一,,种树,成员单位1-632223,成员单位1-632223,,2026-02-20,,\n\
        绿化二,,种树,成员单位1-632223,,火星,2026-02-20,,\n\
        绿化三,,种树,成员单位1-632223,,海晏县,2026-02-20,,\n\
        绿化四,,种树,成员单位1-632223,,,二月,,\n\
        绿化五,,种树,成员单位1-632223,,,2026-02-20/2026-02-01,,\n\
        绿化六,,种树,成员单位1-632223,,,1926-02-01,,\n\
        绿化七,,种树,成员单位1-632223,,,2026-02-20,开工,\n\
        绿化八,,种树,成员单位1-632223,,,2026-02-20,开工(2026-03-01),\n\
        绿化九,,种树,成员单位1-632223,,,2026-02-20,,快了\n\
        ,,种树,成员单位1-632223,,,2026-02-20,,\n\
        绿化十,,,成员单位1-632223,,,2026-02-20,,\n\
        绿化十,,种树,,,,2026-02-20,,\n\
        清淤,,重复,成员单位1-632223,,,2026-02-21,,\n\
        清淤,,清理,成员单位2-632223,,西海镇/第2社区,2026-02-01/2026-02-20,,\n\
        结转的,,清理,无此单位,,,,,结转\n\
        短一截\n";
    let report = bring(&app, &world, "2026-02", text).await;
    let expected = [
        (3, 4, Code::ImportUnknown),
        (4, 5, Code::ImportUnknown),
        (5, 5, Code::LeadIsCoOrganizer),
        (6, 6, Code::ImportUnknown),
        (7, 6, Code::ImportUnknown),
        (8, 7, Code::Malformed),
        (9, 7, Code::OutOfRange),
        (10, 7, Code::OutOfRange),
        (11, 8, Code::Malformed),
        (12, 8, Code::OutOfRange),
        (13, 9, Code::Malformed),
        (14, 1, Code::Required),
        (15, 3, Code::Required),
        (16, 4, Code::Required),
        (17, 1, Code::ImportDuplicate),
        (20, 2, Code::ImportWrongColumns),
    ];
    assert_eq!(places(&report), expected);
    assert_eq!(counts(&report), (2, 0, 1, 16));
    // Nothing of what was refused is there, not even a part of it.
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM priority_task").await, 2);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM task_milestone").await, 0);
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM task_co_organizer").await, 2);
    app.run_background().await;
}

#[tokio::test]
async fn a_name_that_several_have_is_told_and_one_may_hold_what_stands_between_names() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let system = app.system();
    for (name, short_name) in
        [("西海镇派出所", "派出所"), ("西海镇交警所", "派出所"), ("市监、城管联合站", "联合站")]
    {
        let new = NewOrganization {
            name: name.to_owned(),
            short_name: Some(short_name.to_owned()),
            kind: Kind::GovernmentUnit,
            credit_code: None,
            region_id: None,
        };
        let unit = organization::record(&system, new).await.expect("an organisation").id;
        membership::admit(&system, world.town, unit, Contact::default()).await.expect("a membership");
    }
    let text = "任务名称,工作内容,牵头单位,配合单位,开始/完成时限\n\
        清淤,清理河道,派出所,,2026-02-20\n\
        巡逻,夜间巡逻,西海镇派出所,派出所,2026-02-20\n\
        除雪,除雪,联合站,,2026-02-20\n\
        检查,检查,西海镇派出所,市监、城管联合站,2026-02-20\n";
    let report = bring(&app, &world, "2026-02", text).await;
    assert_eq!(places(&report), [(2, 3, Code::ImportAmbiguous), (3, 4, Code::ImportAmbiguous)]);
    assert_eq!(counts(&report), (2, 0, 0, 2));
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM task_co_organizer").await, 1);
}

#[tokio::test]
async fn a_closed_list_refuses_and_a_file_that_brings_nothing_drafts_none() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let committee = app.ctx(world.committee);
    let january = list(&committee, &world, "2026-01").await;
    task_list::publish(&committee, january, None).await.expect("published");
    let head = "任务名称,工作内容,牵头单位,完成时限";
    let text = format!("{head}\n清淤,清理河道,成员单位1-632223,2026-01-20\n");
    // Onto a list that is published, tasks come as drafts all the same, each to be published.
    assert_eq!(counts(&bring(&app, &world, "2026-01", &text).await), (1, 0, 0, 0));
    let task = Task::find().one(&app.app.read).await.expect("a read").expect("a task");
    assert_eq!((task.state, task.task_list_id, task.place), (State::Draft, january, 1));
    priority_task::publish(&committee, task.id, None).await.expect("published");
    carry_over::carry_over(&committee, january, None).await.expect("carried over");
    let closed = try_bring(&app, &world, "2026-01", &text, false).await.expect_err("a closed list");
    assert_eq!(closed.code(), Code::TaskListClosed);
    // What was carried over is on the next list.
    assert_eq!(counts(&bring(&app, &world, "2026-02", &text).await), (0, 1, 0, 0));
    let before = lists(&app).await;
    for text in
        [format!("{head}\n"), format!("{head}\n清淤,清理河道,外单位,2026-05-20\n"), "x,y\n".to_owned()]
    {
        assert_eq!(bring(&app, &world, "2026-05", &text).await.imported, 0);
    }
    assert_eq!(lists(&app).await, before);
    let far = try_bring(&app, &world, "1926-01", &text, false).await.expect_err("no month of a list");
    assert_eq!(far.code(), Code::OutOfRange);
    app.run_background().await;
}

#[tokio::test]
async fn a_list_has_its_most_tasks_and_the_row_after_them_is_refused() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = |number: u32| format!("任务{number},清理,成员单位1-632223,2026-02-20\n");
    let rows: String = (1..=501).map(row).collect();
    let report =
        bring(&app, &world, "2026-02", &format!("任务名称,工作内容,牵头单位,完成时限\n{rows}")).await;
    assert_eq!(counts(&report), (500, 0, 0, 1));
    assert_eq!(places(&report), [(502, 1, Code::OutOfRange)]);
}
