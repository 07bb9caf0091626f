//! Every step of a priority task, by everybody, in every state, held against the tables of states and of rights; and the same
//! of whole lists, which carry their tasks over.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};
use concord::{
    domain::{
        Action,
        list::{
            carry_over::{self, CLOSE},
            priority_task::{self as verbs, NewPriorityTask},
            task_list::{self, NewTaskList, PUBLISH},
            task_read,
            task_states::{self, CARRY_OVER},
        },
        policy::{self, Grant},
    },
    graphql::id,
};
use concord_entities::{
    id::{AccountId, TaskListId},
    priority_task::{self, Model, State},
    seat::Role,
    task_list::{Model as List, State as Listed},
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ActiveEnum, EntityTrait, Iterable};
use serde_json::{Value, json};

use crate::{
    transitions::{input_type, people},
    whistle::person,
};

/// The unit that leads and the one beside it, by their places among the members.
const LEAD: usize = 1;
const BESIDE: usize = 2;

type Person = (AccountId, Option<Role>, Option<usize>);

/// Everybody, and somebody of a unit that has nothing to do with the tasks.
async fn everybody(app: &TestApp, world: &World) -> Vec<Person> {
    let unit = 3;
    let other = person(app, "uninvolved", world.town, Role::MemberStaff, Some(world.members[unit])).await;
    people(world).into_iter().chain([(other, Some(Role::MemberStaff), Some(unit))]).collect()
}

/// Whether somebody sees what was never published.
const fn sees_drafts(role: Option<Role>) -> bool {
    matches!(role, Some(Role::Committee | Role::Approver))
}

fn may((_, role, unit): Person, action: Action) -> bool {
    match role.map_or(Grant::Never, |role| policy::grant(role, action)) {
        Grant::Any => true,
        Grant::Never => false,
        Grant::Own => unit == Some(LEAD) || action == Action::ReportProgress && unit == Some(BESIDE),
    }
}

/// The list of a month after January 2020 by so many, drafted.
async fn drafted(app: &TestApp, world: &World, month: u32) -> List {
    let first = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day");
    let new = NewTaskList {
        alliance_id: world.town,
        month_on: first + Months::new(month),
        title: "重点任务".to_owned(),
    };
    task_list::create(&app.ctx(world.committee), new).await.expect("a list")
}

async fn published(app: &TestApp, world: &World, month: u32) -> List {
    let list = drafted(app, world, month).await.id;
    task_list::publish(&app.ctx(world.committee), list, None).await.expect("published")
}

/// A task of a published list brought to a state; where it ends as cancelled or carried over, from before its publication or
/// after it. Carrying over ends the list as well.
async fn task_in(app: &TestApp, world: &World, list: TaskListId, state: State, was_published: bool) -> Model {
    let (committee, staff) = (app.ctx(world.committee), app.ctx(world.staff));
    let new = NewPriorityTask {
        task_list_id: list,
        title: "整治背街小巷".to_owned(),
        content: "清理杂物".to_owned(),
        criterion: None,
        source: None,
        lead_organization_id: world.members[LEAD],
        co_organization_ids: vec![world.members[BESIDE]],
        region_id: None,
        starts_on: None,
        due_on: "2026-01-20".parse().expect("a day"),
        responsible_name: None,
        milestones: Vec::new(),
    };
    let id = verbs::create(&committee, new).await.expect("a task").id;
    if was_published {
        verbs::publish(&committee, id, None).await.expect("published");
    }
    let goes = |least: State| state >= least && state <= State::Completed;
    if goes(State::Acknowledged) {
        verbs::acknowledge(&staff, id, None).await.expect("acknowledged");
    }
    if goes(State::InProgress) {
        verbs::report_progress(&staff, id, None, "清运两车", Some(40)).await.expect("reported");
    }
    if goes(State::Submitted) {
        verbs::submit(&staff, id, None, None).await.expect("submitted");
    }
    match state {
        State::Completed => drop(verbs::complete(&committee, id, None).await.expect("completed")),
        State::Cancelled => drop(verbs::cancel(&committee, id, None, "不再需要").await.expect("cancelled")),
        State::CarriedOver => drop(carry_over::carry_over(&committee, list, None).await.expect("carried")),
        _ => {}
    }
    let row = task_read::find(&app.system(), id).await.expect("a read").expect("a task");
    assert_eq!(row.state, state);
    row
}

/// Every state, and whether the task was published on the way there.
fn states() -> impl Iterator<Item = (State, bool)> {
    State::iter().map(|state| (state, state != State::Draft)).chain([(State::Cancelled, false)])
}

/// Asks for a step, of which the schema says what it is asked with.
async fn take(
    app: &TestApp,
    who: AccountId,
    (mutation, of): (&str, &str),
    input: Value,
    shows: &str,
) -> Answer {
    let query = format!(
        "mutation($input: {of}!) {{ {mutation}(input: $input) {{ {shows} userErrors {{ code }} }} }}"
    );
    app.client(who).send(&query, json!({ "input": input })).await
}

#[tokio::test]
async fn every_step_of_a_task_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let everybody = everybody(&app, &world).await;
    let (list, ended) = (published(&app, &world, 0).await.id, published(&app, &world, 2).await.id);
    let sdl = app.schema.sdl();
    let (mut tried, mut taken) = (0, BTreeSet::new());
    for (state, was_published) in states() {
        let on = if state == State::CarriedOver { ended } else { list };
        let mut row = task_in(&app, &world, on, state, was_published).await;
        for step in &task_states::ALL {
            let of = input_type(&sdl, step.mutation);
            for somebody in &everybody {
                let (who, role, _) = *somebody;
                let mut input = json!({ "taskId": id::encode(row.id) });
                match step.mutation {
                    "reportProgress" => input["note"] = json!("清运两车"),
                    "returnPriorityTask" | "cancelPriorityTask" => input["reason"] = json!("情况说明"),
                    _ => {}
                }
                let answer =
                    take(&app, who, (step.mutation, &of), input, "task { state isOpen version }").await;
                let what = format!("{} in {state:?} by {role:?}: {}", step.mutation, answer.0);
                tried += 1;
                let code = answer.code();
                if !was_published && !sees_drafts(role) {
                    assert_eq!(code.as_deref(), Some("NOT_FOUND"), "{what}");
                } else if !may(*somebody, step.action) {
                    assert_eq!(code.as_deref(), Some("FORBIDDEN"), "{what}");
                } else if !step.from.contains(&state) {
                    assert_eq!(code.as_deref(), Some("STATE_REFUSED"), "{what}");
                } else {
                    assert_eq!(code, None, "{what}");
                    let told = json!({
                        "state": step.to.to_value().to_ascii_uppercase(),
                        "isOpen": CARRY_OVER.from.contains(&step.to),
                        "version": row.version + 1,
                    });
                    assert_eq!(answer.at(&format!("/{}/task", step.mutation)), &told, "{what}");
                    taken.insert((step.mutation, state));
                    row = task_in(&app, &world, on, state, was_published).await;
                    continue;
                }
                let now = task_read::find(&app.system(), row.id).await.expect("a read");
                assert_eq!(now.as_ref(), Some(&row), "{what}");
            }
        }
    }
    assert_eq!(tried, 9 * 7 * 11);
    let all = task_states::ALL.iter().flat_map(|step| step.from.iter().map(|from| (step.mutation, *from)));
    assert_eq!(taken, all.collect());
}

/// What is kept of a list and of a task.
async fn kept(app: &TestApp, list: TaskListId, task: Option<&Model>) -> (List, Option<Model>) {
    let found = task_list::find(&app.system(), list).await.expect("a read").expect("a list");
    let task = match task {
        Some(task) => task_read::find(&app.system(), task.id).await.expect("a read"),
        None => None,
    };
    (found, task)
}

/// How many tasks there are.
async fn how_many(app: &TestApp) -> usize {
    priority_task::Entity::find().all(&app.app.read).await.expect("tasks").len()
}

#[tokio::test]
async fn a_list_carries_over_what_is_open_on_it_whatever_its_state_and_only_for_the_committee() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let everybody = everybody(&app, &world).await;
    let of = input_type(&app.schema.sdl(), CLOSE.mutation);
    let step = (CLOSE.mutation, of.as_str());
    let mut carried = BTreeSet::new();
    for (month, (state, was_published)) in (0..).step_by(2).zip(states()) {
        let list = published(&app, &world, month).await.id;
        let row = task_in(&app, &world, list, state, was_published).await;
        let input = json!({ "fromTaskListId": id::encode(list) });
        for somebody in everybody.iter().filter(|somebody| !may(**somebody, CLOSE.action)) {
            let before = kept(&app, list, Some(&row)).await;
            let answer = take(&app, somebody.0, step, input.clone(), "").await;
            let what = format!("{state:?} by {:?}: {}", somebody.1, answer.0);
            assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{what}");
            assert_eq!(kept(&app, list, Some(&row)).await, before, "{what}");
        }
        let had = how_many(&app).await;
        let before = kept(&app, list, Some(&row)).await;
        let answer = take(&app, world.committee, step, input, "taskList { month state }").await;
        if state == State::CarriedOver {
            // Its list is closed already.
            assert_eq!(answer.code().as_deref(), Some("STATE_REFUSED"));
            assert_eq!(kept(&app, list, Some(&row)).await, before);
            continue;
        }
        let there = json!({ "month": format!("202{}-{:02}", month / 12, month % 12 + 2), "state": "DRAFT" });
        assert_eq!(answer.fine().at("/carryOverTasks/taskList"), &there);
        let (now, task) = kept(&app, list, Some(&row)).await;
        let task = task.expect("the task");
        assert_eq!(now.state, Listed::Closed);
        let to = carry_over::neighbours(&app.app.read, &[row.id], true).await.expect("a read");
        if CARRY_OVER.from.contains(&state) {
            let ended =
                Model { state: State::CarriedOver, is_open: false, version: row.version + 1, ..row.clone() };
            assert_eq!(task, ended);
            let next = task_read::find(&app.system(), to[&row.id]).await.expect("a read").expect("a task");
            let goes_on = (next.state, next.percent, next.lead_organization_id);
            assert_eq!(goes_on, (State::Draft, row.percent, row.lead_organization_id));
            assert_ne!(next.task_list_id, list);
            assert_eq!(how_many(&app).await, had + 1);
            carried.insert(state);
        } else {
            assert_eq!(how_many(&app).await, had, "{state:?}");
            // Nobody but the committee ever saw a draft: it moves as it is.
            let moves = state == State::Draft;
            assert_eq!(task.task_list_id != list, moves, "{state:?}");
            assert_eq!(task.version, row.version + i64::from(moves), "{state:?}");
            assert_eq!(task.state, state);
        }
    }
    assert_eq!(carried, CARRY_OVER.from.iter().copied().collect());
}

#[tokio::test]
async fn every_step_of_a_list_by_everybody_in_every_state_goes_by_the_tables() {
    let app = TestApp::narrow().await;
    let world = World::build(&app, "632223").await;
    let everybody = everybody(&app, &world).await;
    let sdl = app.schema.sdl();
    let (mut tried, mut taken, mut months) = (0, BTreeSet::new(), (0..).step_by(2));
    for state in Listed::iter() {
        let mut list_in = async || {
            let month = months.next().expect("a month");
            let list = drafted(&app, &world, month).await.id;
            let committee = app.ctx(world.committee);
            if state != Listed::Draft {
                task_list::publish(&committee, list, None).await.expect("published");
            }
            if state == Listed::Closed {
                carry_over::carry_over(&committee, list, None).await.expect("carried over");
            }
            list
        };
        let mut list = list_in().await;
        for step in [PUBLISH, CLOSE] {
            let of = input_type(&sdl, step.mutation);
            for somebody in &everybody {
                let before = kept(&app, list, None).await;
                assert_eq!(before.0.state, state);
                let field = if step.mutation == PUBLISH.mutation { "taskListId" } else { "fromTaskListId" };
                let input = json!({ field: id::encode(list) });
                let answer = take(&app, somebody.0, (step.mutation, &of), input, "").await;
                let what = format!("{} in {state:?} by {:?}: {}", step.mutation, somebody.1, answer.0);
                tried += 1;
                let code = answer.code();
                if state == Listed::Draft && !sees_drafts(somebody.1) {
                    assert_eq!(code.as_deref(), Some("NOT_FOUND"), "{what}");
                } else if !may(*somebody, step.action) {
                    assert_eq!(code.as_deref(), Some("FORBIDDEN"), "{what}");
                } else if step.from.contains(&state) {
                    assert_eq!(code, None, "{what}");
                    assert_eq!(kept(&app, list, None).await.0.state, step.to, "{what}");
                    taken.insert(step.mutation);
                    list = list_in().await;
                    continue;
                } else {
                    assert_eq!(code.as_deref(), Some("STATE_REFUSED"), "{what}");
                }
                assert_eq!(kept(&app, list, None).await, before, "{what}");
            }
        }
    }
    assert_eq!((tried, taken.len()), (3 * 2 * 11, 2));
}
