//! Faces of the cascade: a task's parts, where a part comes from, what the parts come to, and the mutation.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, dataloader::Loader};
use concord_entities::id::PriorityTaskId;

use super::priority_task::{PriorityTask, PriorityTaskState};
use crate::{
    domain::{
        self, Error,
        list::cascade::{self as verbs, NewPart, Origin, Part, Progress},
    },
    graphql::{
        ctx,
        error::payload,
        id,
        loaders::{self, Loaders},
        scalar::Date,
    },
};

/// Key of a task's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartsOf(pub PriorityTaskId);

impl Loader<PartsOf> for Loaders {
    type Value = Vec<Part>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PartsOf]) -> Result<HashMap<PartsOf, Self::Value>, Self::Error> {
        let tasks: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = verbs::parts(&self.0, &tasks).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(task, parts)| (PartsOf(task), parts)).collect())
    }
}

/// Key of where a part comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginOf(pub PriorityTaskId);

impl Loader<OriginOf> for Loaders {
    type Value = Origin;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OriginOf]) -> Result<HashMap<OriginOf, Self::Value>, Self::Error> {
        let tasks: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = verbs::origins(self.0.read(), &tasks).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(task, origin)| (OriginOf(task), origin)).collect())
    }
}

/// Key of what a task has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProgressOf(pub PriorityTaskId);

impl Loader<ProgressOf> for Loaders {
    type Value = Progress;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ProgressOf]) -> Result<HashMap<ProgressOf, Self::Value>, Self::Error> {
        let tasks: Vec<_> = keys.iter().map(|key| key.0).collect();
        let tree = verbs::gather(self.0.read(), &tasks).await.map_err(Arc::new)?;
        Ok(tasks.into_iter().map(|task| (ProgressOf(task), tree.progress(task))).collect())
    }
}

/// What a task has come to, with all that is below it: an exact fraction. A completed task has come to all of it; one with
/// parts to the mean of its parts by their weights, those that were cancelled or carried over left out; every other task to
/// what was last reported.
#[derive(Clone)]
pub struct RolledUpProgress(Progress);

/// What a task has come to, with all that is below it: an exact fraction. A completed task has come to all of it; one with
/// parts to the mean of its parts by their weights, those that were cancelled or carried over left out; every other task to
/// what was last reported.
#[Object]
impl RolledUpProgress {
    /// Whole percents, 0 to 100, rounded down: 100 stands for all of it only.
    async fn percent(&self) -> i32 {
        self.0.percent().into()
    }

    /// Numerator of the fraction in its lowest terms; a whole number of any length.
    async fn numerator(&self) -> String {
        self.0.numerator.to_string()
    }

    /// Denominator of the fraction in its lowest terms; a whole number of any length.
    async fn denominator(&self) -> String {
        self.0.denominator.to_string()
    }

    /// How many parts count; 0 where the task speaks for itself.
    async fn part_count(&self) -> usize {
        self.0.parts
    }
}

/// What a task has come to.
pub async fn progress(context: &Context<'_>, task: PriorityTaskId) -> Result<Option<RolledUpProgress>> {
    Ok(loaders::one(context, ProgressOf(task)).await?.map(RolledUpProgress))
}

/// A part of a task in an alliance below, as it is seen from above.
#[derive(Clone)]
pub struct TaskPart(Part);

/// A part of a task in an alliance below, as it is seen from above.
#[Object]
impl TaskPart {
    /// The alliance whose task it is.
    async fn alliance_name(&self) -> &str {
        &self.0.alliance_name
    }

    /// What it weighs among the parts.
    async fn weight(&self) -> i32 {
        self.0.weight
    }

    /// Where it stands.
    async fn state(&self) -> PriorityTaskState {
        self.0.task.state.into()
    }

    /// Whether it counts: those that were cancelled or carried over are left out.
    async fn counts(&self) -> bool {
        verbs::counts(self.0.task.state)
    }

    /// Last day, by the calendar of its alliance.
    async fn due_on(&self) -> Date {
        self.0.task.due_on.into()
    }

    /// What it has come to, with its own parts.
    async fn progress(&self, context: &Context<'_>) -> Result<Option<RolledUpProgress>> {
        progress(context, self.0.task.id).await
    }

    /// The task itself, where the viewer may see it: not while it is a draft of its own alliance.
    async fn task(&self, context: &Context<'_>) -> Result<Option<PriorityTask>> {
        Ok(loaders::one(context, self.0.task.id).await?.map(PriorityTask))
    }
}

/// The parts of a task, as far as the viewer reads the alliances that they are in.
pub async fn parts(context: &Context<'_>, task: PriorityTaskId) -> Result<Vec<TaskPart>> {
    let parts = loaders::one(context, PartsOf(task)).await?.unwrap_or_default();
    Ok(parts.into_iter().map(TaskPart).collect())
}

/// The task above that a part comes from: this and no more.
#[derive(SimpleObject, Clone, Debug)]
pub struct ParentTask {
    /// What it is called.
    title: String,
    /// The alliance whose task it is.
    alliance_name: String,
    /// Its last day.
    due_on: Date,
    /// Document, meeting or demand it comes from.
    source: Option<String>,
}

/// Where a part comes from.
pub async fn parent(context: &Context<'_>, task: PriorityTaskId) -> Result<Option<ParentTask>> {
    Ok(loaders::one(context, OriginOf(task)).await?.map(|origin| ParentTask {
        title: origin.title,
        alliance_name: origin.alliance_name,
        due_on: origin.due_on.into(),
        source: origin.source,
    }))
}

/// A part that a task is given.
#[derive(InputObject)]
pub struct TaskPartInput {
    /// The alliance below the task's own; one part that counts for each.
    alliance_id: ID,
    /// What it weighs among the parts, 1 to 10,000.
    weight: i32,
    /// What it is called, at most 200 characters; as the task itself where absent.
    title: Option<String>,
    /// Last day, not after the task's own, which it has where absent.
    due_on: Option<Date>,
    /// The unit that leads there, an active member of that alliance; its committee where absent.
    lead_organization_id: Option<ID>,
}

impl TaskPartInput {
    fn read(self, index: usize) -> domain::Result<NewPart> {
        let lead = self.lead_organization_id.as_ref();
        Ok(NewPart {
            alliance_id: id::decode(&self.alliance_id, format!("parts.{index}.allianceId"))?,
            weight: self.weight,
            title: self.title,
            due_on: self.due_on.map(|on| on.0),
            lead_organization_id: lead
                .map(|lead| id::decode(lead, format!("parts.{index}.leadOrganizationId")))
                .transpose()?,
        })
    }
}

/// A task, and the parts that it is given.
#[derive(InputObject)]
pub struct DecomposePriorityTaskInput {
    /// The task, not yet submitted.
    task_id: ID,
    /// The version that the caller read, if it matters.
    expected_version: Option<i64>,
    /// Its parts, 1 to 100 at once.
    parts: Vec<TaskPartInput>,
}

payload!(
    /// What came of decomposing a priority task.
    DecomposePriorityTaskPayload {
        /// The task.
        task: PriorityTask
    }
);

#[derive(Default)]
pub struct CascadeMutation;

#[Object]
impl CascadeMutation {
    /// Decomposes a task into tasks of alliances below (分解). Each part goes on its alliance's list of the same month, which is
    /// drafted where it is missing; on a published list it is published at once. Only the committee of the task's alliance may.
    /// A draft is refused (`STATE_REFUSED`): its parts would tell of it below.
    async fn decompose_priority_task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which task, and its parts.")] input: DecomposePriorityTaskInput,
    ) -> Result<DecomposePriorityTaskPayload> {
        let ctx = ctx(context);
        let result = async {
            let task = id::decode(&input.task_id, "taskId")?;
            let parts = input.parts.into_iter().enumerate();
            let parts = parts.map(|(index, part)| part.read(index)).collect::<domain::Result<_>>()?;
            verbs::decompose(ctx, task, input.expected_version, parts).await
        }
        .await;
        DecomposePriorityTaskPayload::of(ctx, result).await
    }
}
