//! Faces of task lists.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    id::{TaskListId, TypedId},
    priority_task, task_list,
};
use uuid::Uuid;

use super::{
    priority_task::{ALONG, PriorityTaskConnection},
    transition::{self, Transition},
};
use crate::{
    domain::{
        self, Ctx, Target,
        list::{
            carry_over,
            task_list::{self as verbs, Filter, NewTaskList},
            task_read,
            transition::{Viewer, offer},
        },
        page::List,
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        governance::alliance::Alliance,
        id, loaders,
        node::Node,
        rotation::slot::RotationSlot,
        scalar::{DateTime, YearMonth},
    },
};

/// Whether the members can see a task list.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::task_list::State")]
pub enum TaskListState {
    /// Seen by the committee and the approvers only.
    Draft,
    /// Seen by all of the alliance.
    Published,
    /// Its unfinished tasks were carried over; nothing on it changes any more.
    Closed,
}

/// The priority tasks of an alliance's month (重点任务清单).
#[derive(Clone)]
pub struct TaskList(pub task_list::Model);

impl From<task_list::Model> for TaskList {
    fn from(row: task_list::Model) -> Self {
        Self(row)
    }
}

impl Node for TaskList {
    const NOUN: &'static str = TaskListId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// The priority tasks of an alliance's month (重点任务清单).
#[Object]
impl TaskList {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance whose list it is.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// The month.
    async fn month(&self) -> YearMonth {
        self.0.month_on.into()
    }

    /// The turn on duty in that month, where the alliance rotates.
    async fn slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        match self.0.slot_id {
            Some(slot) => Ok(loaders::one(context, slot).await?.map(RotationSlot)),
            None => Ok(None),
        }
    }

    /// What it is called.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Whether the members can see it.
    async fn state(&self) -> TaskListState {
        self.0.state.into()
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(DateTime)
    }

    /// When it was drafted.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// Its tasks, by their row on the list.
    async fn tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PriorityTaskConnection> {
        let (by, id) = (priority_task::Column::TaskListId, priority_task::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, task_read::of_lists(ctx), &args));
        Ok(loaders::nested(context, self.0.id, &ALONG, list).await?.into())
    }

    /// What the viewer can do with it next, and what blocks the rest.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let seats = transition::seats(context, self.0.alliance_id).await?;
        let viewer = Viewer { actor: ctx(context).actor, seats: &seats };
        let target = Target::alliance(self.0.alliance_id);
        let steps = [verbs::PUBLISH, carry_over::CLOSE];
        Ok(transition::faces(context, offer(&steps, self.0.state, viewer, target, |_| Vec::new())))
    }
}

connection!(TaskListConnection, TaskListEdge, TaskList, task_list::Entity);

#[derive(Default)]
pub struct TaskListQuery;

#[Object]
impl TaskListQuery {
    /// One task list; null where there is none or the caller may not see it.
    async fn task_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the list.")] id: ID,
    ) -> Result<Option<TaskList>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(TaskList))
    }

    /// The task lists that the caller may see, the latest month first.
    async fn task_lists(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "Only those of this month.")] month: Option<YearMonth>,
        #[graphql(desc = "Only those in this state.")] state: Option<TaskListState>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<TaskListConnection> {
        let ctx = ctx(context);
        let filter = Filter {
            alliance_id: id::decode_optional(alliance_id.as_ref(), "allianceId").or_api_error(ctx)?,
            month_on: month.map(|month| month.0),
            state: state.map(Into::into),
        };
        let page = verbs::list(ctx, filter, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What a task list is drafted with.
#[derive(InputObject)]
pub struct CreateTaskListInput {
    /// The alliance.
    alliance_id: ID,
    /// The month; an alliance has one list a month.
    month: YearMonth,
    /// What it is called, at most 200 characters.
    title: String,
}

/// What changes of a task list.
#[derive(InputObject)]
pub struct UpdateTaskListInput {
    /// The list.
    task_list_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// What it is called, at most 200 characters.
    title: String,
}

/// The task list to publish.
#[derive(InputObject)]
pub struct PublishTaskListInput {
    /// The list.
    task_list_id: ID,
    /// The version that the caller read, if it matters.
    expected_version: Option<i64>,
}

payload!(
    /// What came of drafting a task list.
    CreateTaskListPayload {
        /// The list.
        task_list: TaskList
    }
);

payload!(
    /// What came of changing a task list.
    UpdateTaskListPayload {
        /// The list.
        task_list: TaskList
    }
);

payload!(
    /// What came of publishing a task list.
    PublishTaskListPayload {
        /// The list.
        task_list: TaskList
    }
);

#[derive(Default)]
pub struct TaskListMutation;

#[Object]
impl TaskListMutation {
    /// Drafts the list of an alliance's month. Only its committee may.
    async fn create_task_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is drafted with.")] input: CreateTaskListInput,
    ) -> Result<CreateTaskListPayload> {
        let ctx = ctx(context);
        let result = async {
            let new = NewTaskList {
                alliance_id: id::decode(&input.alliance_id, "allianceId")?,
                month_on: input.month.0,
                title: input.title,
            };
            verbs::create(ctx, new).await
        }
        .await;
        CreateTaskListPayload::of(ctx, result).await
    }

    /// Renames a task list. Only the committee may.
    async fn update_task_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateTaskListInput,
    ) -> Result<UpdateTaskListPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_list_id, "taskListId")?;
            verbs::update(ctx, id, input.expected_version, &input.title).await
        }
        .await;
        UpdateTaskListPayload::of(ctx, result).await
    }

    /// Publishes a task list with all its draft tasks. Only the committee may.
    async fn publish_task_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which list.")] input: PublishTaskListInput,
    ) -> Result<PublishTaskListPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_list_id, "taskListId")?;
            verbs::publish(ctx, id, input.expected_version).await
        }
        .await;
        PublishTaskListPayload::of(ctx, result).await
    }
}
