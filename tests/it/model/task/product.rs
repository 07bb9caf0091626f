//! The same commands at the product: its verbs on a database, and what its rows say afterwards in the model's words.

use std::collections::{BTreeMap, BTreeSet};

use concord::{
    domain::{
        Result,
        list::{
            carry_over,
            priority_task::{self as verbs, NewPriorityTask, PriorityTaskChange},
            task_list::{self, NewTaskList},
        },
    },
    graphql::id,
};
use concord_entities::{
    alliance_count, event,
    id::{AccountId, PriorityTaskId, TaskListId},
    priority_task::{self, State},
    task_carry_over, task_co_organizer, task_list as lists, task_progress,
};
use concord_tests::TestApp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::{
    super::{
        product::Names,
        town::{Expect, TOWN},
    },
    Command, Verb,
    list::{Counts, Entry, Kept, Month, On, Row, Tasks},
};

/// The product's side of one sequence.
pub struct Product<'a> {
    pub app: &'a TestApp,
    pub names: &'a Names,
    pub lists: Vec<TaskListId>,
    pub tasks: Vec<PriorityTaskId>,
}

impl Product<'_> {
    /// Asks the product; a list or a task that comes of it is added.
    pub async fn ask(&mut self, model: &Tasks, command: &Command, reason: &str) -> Result<()> {
        let ctx = self.app.ctx(self.names.people[command.who]);
        let reason = if command.said { reason } else { " " };
        let unit = |place: usize| self.names.units[place];
        let on = command.on;
        let version = if !command.verb.is_versioned() {
            0
        } else if command.verb.is_of_list() {
            model.months[on].version
        } else {
            model.tasks[on].row.version
        };
        let expected = match command.expect {
            Expect::Nothing => None,
            Expect::Current => Some(version),
            Expect::Stale => Some(version - 1),
        };
        match &command.verb {
            Verb::DraftList { month } => {
                let new = NewTaskList {
                    alliance_id: self.names.alliances[TOWN],
                    month_on: model.month_on(*month),
                    title: reason.to_owned(),
                };
                self.lists.push(task_list::create(&ctx, new).await?.id);
                return Ok(());
            }
            Verb::PublishList => return task_list::publish(&ctx, self.lists[on], expected).await.map(drop),
            Verb::Write { lead, joint, due_in } => {
                let new = NewPriorityTask {
                    task_list_id: self.lists[on],
                    title: reason.to_owned(),
                    content: "清理背街小巷".to_owned(),
                    criterion: None,
                    source: None,
                    lead_organization_id: unit(*lead),
                    co_organization_ids: joint.iter().map(|place| unit(*place)).collect(),
                    region_id: None,
                    starts_on: None,
                    due_on: model.months[on].on + chrono::Days::new(*due_in),
                    responsible_name: None,
                    milestones: Vec::new(),
                };
                self.tasks.push(verbs::create(&ctx, new).await?.id);
                return Ok(());
            }
            Verb::CarryOver { to } => {
                let to = to.map(|to| self.lists[to]);
                let later = carry_over::carry_over(&ctx, self.lists[on], to).await?.id;
                // It was missing, and has been drafted.
                if !self.lists.contains(&later) {
                    self.lists.push(later);
                }
                return Ok(());
            }
            _ => {}
        }
        let task = self.tasks[on];
        match &command.verb {
            Verb::Rename => {
                let change =
                    PriorityTaskChange { title: Some(reason.to_owned()), ..PriorityTaskChange::default() };
                verbs::update(&ctx, task, expected.unwrap_or(version), change).await
            }
            Verb::Publish => verbs::publish(&ctx, task, expected).await,
            Verb::Acknowledge => verbs::acknowledge(&ctx, task, expected).await,
            Verb::Report { percent } => verbs::report_progress(&ctx, task, expected, reason, *percent).await,
            Verb::Submit { note } => verbs::submit(&ctx, task, expected, note.then_some(reason)).await,
            Verb::Complete => verbs::complete(&ctx, task, expected).await,
            Verb::Return => verbs::return_for_rework(&ctx, task, expected, reason).await,
            _ => verbs::cancel(&ctx, task, expected, reason).await,
        }
        .map(drop)
    }

    /// Learns which successors belong to the tasks that were carried over.
    pub async fn learn(&mut self, model: &Tasks) {
        for task in &model.tasks[self.tasks.len()..] {
            let from = self.tasks[task.kept.carried_from.expect("a successor")];
            let link = task_carry_over::Entity::find()
                .filter(task_carry_over::Column::FromTaskId.eq(from))
                .one(&self.app.app.read)
                .await
                .expect("a read")
                .expect("the link of a task that was carried over");
            self.tasks.push(link.task_id);
        }
    }

    fn list(&self, id: TaskListId) -> usize {
        self.lists.iter().position(|one| *one == id).expect("a list of this sequence")
    }

    fn task(&self, id: PriorityTaskId) -> usize {
        self.tasks.iter().position(|one| *one == id).expect("a task of this sequence")
    }

    fn person(&self, id: Option<AccountId>) -> Option<usize> {
        id.map(|id| self.names.person(id))
    }

    /// What an event is about, if lists and their tasks are what it is about.
    pub fn about(&self, row: &event::Model) -> Option<On> {
        match row.subject_kind.as_str() {
            "task_list" => Some(On::List(self.list(TaskListId(row.subject_id)))),
            "priority_task" => Some(On::Task(self.task(PriorityTaskId(row.subject_id)))),
            _ => None,
        }
    }

    /// The lists of the sequence.
    pub async fn months(&self) -> BTreeMap<usize, Month> {
        let rows = lists::Entity::find()
            .filter(lists::Column::Id.is_in(self.lists.iter().copied()))
            .all(&self.app.app.read)
            .await
            .expect("lists");
        let told = |row: lists::Model| {
            let month = Month {
                on: row.month_on,
                title: row.title,
                state: row.state,
                published_at: row.published_at,
                created_by: self.person(row.created_by),
                version: row.version,
            };
            (self.list(row.id), month)
        };
        rows.into_iter().map(told).collect()
    }

    /// The rows of some tasks, as the model tells them.
    pub async fn rows(&self, of: &BTreeSet<usize>) -> BTreeMap<usize, Row> {
        let rows = priority_task::Entity::find()
            .filter(priority_task::Column::Id.is_in(of.iter().map(|place| self.tasks[*place])))
            .all(&self.app.app.read)
            .await
            .expect("tasks");
        let told = |row: priority_task::Model| {
            let told = Row {
                list: self.list(row.task_list_id),
                place: row.place,
                title: row.title,
                lead: self.names.unit(row.lead_organization_id),
                due_on: row.due_on,
                state: row.state,
                is_open: row.is_open,
                percent: row.percent,
                reason: row.reason,
                returned: row.returned_count,
                published_at: row.published_at,
                acknowledged_at: row.acknowledged_at,
                submitted_at: row.submitted_at,
                completed_at: row.completed_at,
                created_by: self.person(row.created_by),
                version: row.version,
            };
            (self.task(row.id), told)
        };
        rows.into_iter().map(told).collect()
    }

    /// What is kept of each task besides: units beside the lead, the progress log, where it was carried from.
    pub async fn kept(&self) -> Vec<Kept> {
        let (db, all) = (&self.app.app.read, || self.tasks.iter().copied());
        let mut kept = vec![Kept::default(); self.tasks.len()];
        let joint = task_co_organizer::Entity::find()
            .filter(task_co_organizer::Column::TaskId.is_in(all()))
            .all(db)
            .await
            .expect("co-organisers");
        for row in joint {
            kept[self.task(row.task_id)].joint.insert(self.names.unit(row.organization_id));
        }
        let log = task_progress::Entity::find()
            .filter(task_progress::Column::TaskId.is_in(all()))
            .order_by_asc(task_progress::Column::ReportedAt)
            .all(db)
            .await
            .expect("a log");
        for row in log {
            let entry = Entry {
                at: row.reported_at,
                by: self.person(row.reported_by),
                unit: row.organization_id.map(|unit| self.names.unit(unit)),
                percent: row.percent,
                note: row.note,
            };
            kept[self.task(row.task_id)].log.push(entry);
        }
        let links = task_carry_over::Entity::find()
            .filter(task_carry_over::Column::TaskId.is_in(all()))
            .all(db)
            .await
            .expect("links");
        for row in links {
            kept[self.task(row.task_id)].carried_from = Some(self.task(row.from_task_id));
        }
        kept
    }

    /// What somebody is told they can do with a task next; nothing where they do not see it.
    pub async fn offered(&self, who: usize, on: usize) -> Option<BTreeMap<String, bool>> {
        let query =
            "query($id: ID!) { priorityTask(id: $id) { availableTransitions { mutation available } } }";
        let client = self.app.client(self.names.people[who]);
        let answer = client.send(query, json!({ "id": id::encode(self.tasks[on]) })).await;
        let all = answer.at("/priorityTask/availableTransitions").as_array()?;
        let told = |one: &Value| {
            let mutation = one["mutation"].as_str().expect("a name").to_owned();
            (mutation, one["available"] == true)
        };
        Some(all.iter().map(told).collect())
    }

    /// What the town's counters say of its tasks.
    pub async fn counted(&self) -> Counts {
        let row = alliance_count::Entity::find_by_id(self.names.alliances[TOWN])
            .one(&self.app.app.read)
            .await
            .expect("a read")
            .expect("counters of an alliance");
        let states = [
            (State::Draft, row.task_draft),
            (State::Published, row.task_published),
            (State::Acknowledged, row.task_acknowledged),
            (State::InProgress, row.task_in_progress),
            (State::Submitted, row.task_submitted),
            (State::Completed, row.task_completed),
            (State::Cancelled, row.task_cancelled),
            (State::CarriedOver, row.task_carried_over),
        ];
        let some = states.into_iter().filter(|(_, count)| *count != 0);
        (some.map(|(state, count)| (state, count.into())).collect(), row.task_cancelled_draft.into())
    }
}
