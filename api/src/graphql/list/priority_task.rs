//! Faces of priority tasks.

use async_graphql::{Context, Enum, ID, Object, Result};
use concord_entities::{
    id::{PriorityTaskId, TypedId},
    priority_task, task_list, task_progress,
};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    carry_over,
    cascade::{self, ParentTask, RolledUpProgress, TaskPart},
    facets::PriorityTaskFacets,
    task_input::{
        AcknowledgePriorityTaskInput, AddTaskMilestoneInput, CancelPriorityTaskInput,
        CompletePriorityTaskInput, CreatePriorityTaskInput, PriorityTaskFilter, PublishPriorityTaskInput,
        ReachTaskMilestoneInput, ReportProgressInput, ReturnPriorityTaskInput, SubmitPriorityTaskInput,
        UpdatePriorityTaskInput,
    },
    task_list::TaskList,
    task_parts::{self, LatestProgressOf, MilestonesOf, TaskMilestone, TaskProgress, TaskProgressConnection},
    transition::{self, Names, Transition},
};
use crate::{
    domain::{
        self, Code, Ctx, Error, Target,
        list::{
            due, priority_task as verbs,
            task_milestone::{self as milestones, NewMilestone},
            task_read::{self as reads, TaskOrder},
            task_states,
            transition::{Viewer, offer},
        },
        page::{Along, Kind, List},
    },
    graphql::{
        ahead::Plan,
        at_once::AtOnce,
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        fact::event::{self, EventConnection},
        governance::{alliance::Alliance, organization::Organization},
        id, loaders,
        node::Node,
        scalar::{Date, DateTime},
        territory::region::Region,
    },
};

/// Where a priority task stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::priority_task::State")]
pub enum PriorityTaskState {
    /// Seen by the committee and the approvers only.
    Draft,
    /// Told to the units; the lead has not yet taken it on.
    Published,
    /// The lead unit has taken it on (签收).
    Acknowledged,
    /// Progress has been reported, or it came back for rework.
    InProgress,
    /// The lead unit says that it is done.
    Submitted,
    /// The committee accepted it as done.
    Completed,
    /// The committee gave it up.
    Cancelled,
    /// Its month is over and it goes on on a later list (结转).
    CarriedOver,
}

/// One task of a month's list (重点任务).
#[derive(Clone)]
pub struct PriorityTask(pub priority_task::Model);

impl From<priority_task::Model> for PriorityTask {
    fn from(row: priority_task::Model) -> Self {
        Self(row)
    }
}

impl Node for PriorityTask {
    const NOUN: &'static str = PriorityTaskId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(reads::find(ctx, id.into()).await?.map(Self))
    }
}

/// One task of a month's list (重点任务).
#[Object]
impl PriorityTask {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance whose task it is.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<AtOnce<Alliance>>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(AtOnce::of))
    }

    /// The list it stands on.
    async fn task_list(&self, context: &Context<'_>) -> Result<Option<AtOnce<TaskList>>> {
        Ok(loaders::one(context, self.0.task_list_id).await?.map(AtOnce::of))
    }

    /// Its row on the list, 1 for the first.
    async fn place(&self) -> i32 {
        self.0.place
    }

    /// What it is called.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What is to be done.
    async fn content(&self) -> &str {
        &self.0.content
    }

    /// When it counts as done.
    async fn criterion(&self) -> Option<&str> {
        self.0.criterion.as_deref()
    }

    /// Document, meeting or demand it comes from.
    async fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// The unit that leads.
    async fn lead_organization(&self, context: &Context<'_>) -> Result<Option<AtOnce<Organization>>> {
        Ok(loaders::one(context, self.0.lead_organization_id).await?.map(AtOnce::of))
    }

    /// The units that work on it beside the lead, by name.
    async fn co_organizations(&self, context: &Context<'_>) -> Result<Vec<Organization>> {
        let units = task_parts::co_organizers(context, self.0.id).await?;
        Ok(units.into_iter().map(Organization::from).collect())
    }

    /// The community it concerns.
    async fn region(&self, context: &Context<'_>) -> Result<Option<AtOnce<Region>>> {
        match self.0.region_id {
            Some(region) => Ok(loaders::one(context, region).await?.map(AtOnce::of)),
            None => Ok(None),
        }
    }

    /// First day of work.
    async fn starts_on(&self) -> Option<Date> {
        self.0.starts_on.map(Date)
    }

    /// Last day, by the alliance's calendar.
    async fn due_on(&self) -> Date {
        self.0.due_on.into()
    }

    /// Where it stands.
    async fn state(&self) -> PriorityTaskState {
        self.0.state.into()
    }

    /// Whether work remains: published and neither completed, cancelled nor carried over.
    async fn is_open(&self) -> bool {
        self.0.is_open
    }

    /// Whether work remains although the due date has passed by the alliance's calendar.
    async fn is_overdue(&self, context: &Context<'_>) -> Result<bool> {
        if !self.0.is_open {
            return Ok(false);
        }
        let alliance = loaders::one(context, self.0.alliance_id).await?;
        let now = ctx(context).now();
        Ok(alliance.is_some_and(|alliance| self.0.due_on < due::today(&alliance.time_zone, now)))
    }

    /// Progress as last reported, 0 to 100; of a task with parts see `rolledUpProgress`.
    async fn percent(&self) -> i32 {
        self.0.percent
    }

    /// Person responsible in the lead unit; masked unless the viewer is of that unit or may read contacts, absent for
    /// dashboard keys.
    async fn responsible_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        let Some(name) = &self.0.responsible_name else { return Ok(None) };
        let names = Names::of(context, self.0.alliance_id, &[self.0.lead_organization_id]).await?;
        Ok(names.show(name))
    }

    /// Why it was last returned, or cancelled.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// How often it was returned for rework.
    async fn returned_count(&self) -> i32 {
        self.0.returned_count
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(DateTime)
    }

    /// When the lead unit acknowledged it.
    async fn acknowledged_at(&self) -> Option<DateTime> {
        self.0.acknowledged_at.map(DateTime)
    }

    /// When it was last submitted.
    async fn submitted_at(&self) -> Option<DateTime> {
        self.0.submitted_at.map(DateTime)
    }

    /// When it was accepted as done.
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(DateTime)
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// Its milestones, by date.
    async fn milestones(&self, context: &Context<'_>) -> Result<Vec<TaskMilestone>> {
        let steps = loaders::one(context, MilestonesOf(self.0.id)).await?.unwrap_or_default();
        Ok(steps.into_iter().map(TaskMilestone).collect())
    }

    /// The latest entry of its progress log; cheap in lists.
    async fn latest_progress(&self, context: &Context<'_>) -> Result<Option<TaskProgress>> {
        Ok(loaders::one(context, LatestProgressOf(self.0.id)).await?.map(TaskProgress::from))
    }

    /// What happened to it, as far as the caller may see it; the latest comes first.
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether the latest event comes first.", default = true)] newest_first: bool,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<EventConnection> {
        let list = event::history_of(Self::NOUN, newest_first, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &event::ALONG, list).await?.into())
    }

    /// Its progress log, the latest entry first.
    async fn progress(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<TaskProgressConnection> {
        let (by, id) = (task_progress::Column::TaskId, task_progress::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, reads::progress(ctx), &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// The unfinished task of an earlier list that it goes on with.
    async fn carried_from(&self, context: &Context<'_>) -> Result<Option<PriorityTask>> {
        carry_over::carried(context, self.0.id, false).await
    }

    /// The task of a later list that goes on with it.
    async fn carried_to(&self, context: &Context<'_>) -> Result<Option<PriorityTask>> {
        carry_over::carried(context, self.0.id, true).await
    }

    /// All the tasks that it was carried over through, the earliest first, itself among them.
    async fn lineage(&self, context: &Context<'_>) -> Result<Vec<PriorityTask>> {
        carry_over::lineage(context, self.0.id).await
    }

    /// Where it comes from, if it is a part of a task above.
    async fn parent_task(&self, context: &Context<'_>) -> Result<Option<ParentTask>> {
        cascade::parent(context, self.0.id).await
    }

    /// Its parts in alliances below, for viewers who read those alliances.
    async fn parts(&self, context: &Context<'_>) -> Result<Vec<TaskPart>> {
        cascade::parts(context, self.0.id).await
    }

    /// What it has come to, with all its parts on all levels.
    async fn rolled_up_progress(&self, context: &Context<'_>) -> Result<Option<RolledUpProgress>> {
        cascade::progress(context, self.0.id).await
    }

    /// What the viewer can do with it next, and what blocks the rest.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        // Asked for at once, so that a list that shows the co-organisers as well reads them only once.
        let (seats, joint) = futures_util::future::try_join(
            transition::seats(context, self.0.alliance_id),
            task_parts::co_organizers(context, self.0.id),
        )
        .await?;
        let joint = task_parts::ids(&joint);
        let listed = match self.0.state {
            priority_task::State::Draft => loaders::one(context, self.0.task_list_id).await?,
            _ => None,
        };
        let unlisted = listed.is_some_and(|list| list.state != task_list::State::Published);
        let viewer = Viewer { actor: ctx(context).actor, seats: &seats };
        let mut found = Vec::with_capacity(task_states::ALL.len());
        for step in &task_states::ALL {
            let units = verbs::acting(&self.0, &joint, step.action);
            let target = Target::alliance(self.0.alliance_id).of(&units);
            found.extend(offer(std::slice::from_ref(step), self.0.state, viewer, target, |step| {
                if unlisted && step.mutation == task_states::PUBLISH.mutation {
                    vec![Error::refused(Code::TaskListNotPublished)]
                } else {
                    Vec::new()
                }
            }));
        }
        Ok(transition::faces(context, found))
    }
}

/// The lists below a task that its statement can read along.
const BELOW: [(&str, Plan); 1] = [("history", |context| event::history_plan(context, PriorityTask::NOUN))];

connection!(
    PriorityTaskConnection,
    PriorityTaskEdge,
    PriorityTask,
    priority_task::Entity,
    PriorityTaskFacets
);

/// What a list of tasks reads along when it is asked for.
pub const ALONG: [(&str, Along<priority_task::Column>); 4] = [
    ("alliance", Along { kind: Kind::Alliance, by: priority_task::Column::AllianceId }),
    ("taskList", Along { kind: Kind::TaskList, by: priority_task::Column::TaskListId }),
    ("leadOrganization", Along { kind: Kind::Organization, by: priority_task::Column::LeadOrganizationId }),
    ("region", Along { kind: Kind::Region, by: priority_task::Column::RegionId }),
];

/// How tasks are sorted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "TaskOrder")]
pub enum PriorityTaskOrder {
    /// What is due first comes first.
    DueOnAsc,
    /// What is due last comes first.
    DueOnDesc,
    /// The oldest first.
    CreatedAtAsc,
    /// The newest first.
    CreatedAtDesc,
    /// By the row on the list.
    PlaceAsc,
}

#[derive(Default)]
pub struct PriorityTaskQuery;

#[Object]
impl PriorityTaskQuery {
    /// One priority task; null where there is none or the caller may not see it.
    async fn priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the task.")] id: ID,
    ) -> Result<Option<PriorityTask>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        let select = reads::visible(ctx).filter(priority_task::Column::Id.eq::<PriorityTaskId>(id));
        Ok(loaders::found(context, select, &ALONG, &BELOW).await?.map(PriorityTask))
    }

    /// The priority tasks that the caller may see.
    async fn priority_tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which tasks; all by default.", default)] filter: PriorityTaskFilter,
        #[graphql(desc = "How they are sorted.", default_with = "PriorityTaskOrder::DueOnAsc")]
        order_by: PriorityTaskOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PriorityTaskConnection> {
        let ctx = ctx(context);
        let filter = filter.read().or_api_error(ctx)?;
        let along = loaders::asked(context, &ALONG);
        let args = args(first, after, last, before);
        let page = reads::list(ctx, filter.clone(), order_by.into(), &args, &along).await;
        Ok(PriorityTaskConnection::from(loaders::fed(context, page)?).with(PriorityTaskFacets(filter)))
    }
}

/// Declares payloads that carry a task.
macro_rules! task_payloads {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        $(payload!(
            $(#[$doc])*
            $name {
                /// The task.
                task: PriorityTask
            }
        );)+
    };
}

task_payloads!(
    /// What came of writing a priority task.
    CreatePriorityTaskPayload,
    /// What came of changing a priority task.
    UpdatePriorityTaskPayload,
    /// What came of publishing a priority task.
    PublishPriorityTaskPayload,
    /// What came of acknowledging a priority task.
    AcknowledgePriorityTaskPayload,
    /// What came of reporting progress.
    ReportProgressPayload,
    /// What came of submitting a priority task.
    SubmitPriorityTaskPayload,
    /// What came of accepting a priority task as done.
    CompletePriorityTaskPayload,
    /// What came of returning a priority task.
    ReturnPriorityTaskPayload,
    /// What came of giving a priority task up.
    CancelPriorityTaskPayload,
    /// What came of setting a task a milestone.
    AddTaskMilestonePayload,
    /// What came of noting that a milestone has been reached.
    ReachTaskMilestonePayload,
);

#[derive(Default)]
pub struct PriorityTaskMutation;

#[Object]
impl PriorityTaskMutation {
    /// Writes a draft task at the end of a list. Only the committee may.
    async fn create_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is written with.")] input: CreatePriorityTaskInput,
    ) -> Result<CreatePriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async { verbs::create(ctx, input.read()?).await }.await;
        CreatePriorityTaskPayload::of(ctx, result).await
    }

    /// Changes a task that its lead unit has not yet acknowledged. Only the committee may.
    async fn update_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdatePriorityTaskInput,
    ) -> Result<UpdatePriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let (id, version) = (id::decode(&input.task_id, "taskId")?, input.expected_version);
            verbs::update(ctx, id, version, input.read()?).await
        }
        .await;
        UpdatePriorityTaskPayload::of(ctx, result).await
    }

    /// Publishes a task that was added to a published list. Only the committee may.
    async fn publish_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task.")] input: PublishPriorityTaskInput,
    ) -> Result<PublishPriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::publish(ctx, id, input.expected_version).await
        }
        .await;
        PublishPriorityTaskPayload::of(ctx, result).await
    }

    /// Takes a published task on (签收). Only the lead unit may.
    async fn acknowledge_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task.")] input: AcknowledgePriorityTaskInput,
    ) -> Result<AcknowledgePriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::acknowledge(ctx, id, input.expected_version).await
        }
        .await;
        AcknowledgePriorityTaskPayload::of(ctx, result).await
    }

    /// Adds to a task's progress log; the first report puts it in progress. The lead unit and the co-organisers may.
    async fn report_progress(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was done.")] input: ReportProgressInput,
    ) -> Result<ReportProgressPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::report_progress(ctx, id, input.expected_version, &input.note, input.percent).await
        }
        .await;
        ReportProgressPayload::of(ctx, result).await
    }

    /// Submits a task as done. Only the lead unit may.
    async fn submit_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task.")] input: SubmitPriorityTaskInput,
    ) -> Result<SubmitPriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::submit(ctx, id, input.expected_version, input.note.as_deref()).await
        }
        .await;
        SubmitPriorityTaskPayload::of(ctx, result).await
    }

    /// Accepts a submitted task as done. Only the committee may.
    async fn complete_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task.")] input: CompletePriorityTaskInput,
    ) -> Result<CompletePriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::complete(ctx, id, input.expected_version).await
        }
        .await;
        CompletePriorityTaskPayload::of(ctx, result).await
    }

    /// Returns a submitted task for rework. Only the committee may.
    async fn return_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task, and why.")] input: ReturnPriorityTaskInput,
    ) -> Result<ReturnPriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::return_for_rework(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        ReturnPriorityTaskPayload::of(ctx, result).await
    }

    /// Gives a task up. Only the committee may.
    async fn cancel_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task, and why.")] input: CancelPriorityTaskInput,
    ) -> Result<CancelPriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            verbs::cancel(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        CancelPriorityTaskPayload::of(ctx, result).await
    }

    /// Sets a task a further milestone. Only the committee may.
    async fn add_task_milestone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The milestone.")] input: AddTaskMilestoneInput,
    ) -> Result<AddTaskMilestonePayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.task_id, "taskId")?;
            let new = NewMilestone { title: input.title, due_on: input.due_on.0 };
            milestones::add(ctx, id, new).await
        }
        .await;
        AddTaskMilestonePayload::of(ctx, result).await
    }

    /// Notes that a milestone has been reached. The lead unit and the co-organisers may.
    async fn reach_task_milestone(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The milestone.")] input: ReachTaskMilestoneInput,
    ) -> Result<ReachTaskMilestonePayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.milestone_id, "milestoneId")?;
            milestones::reach(ctx, id).await
        }
        .await;
        ReachTaskMilestonePayload::of(ctx, result).await
    }
}
