//! Faces of carrying over: the mutation, and the tasks that come before and after one.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object, Result, dataloader::Loader};
use concord_entities::id::PriorityTaskId;

use super::{priority_task::PriorityTask, task_list::TaskList};
use crate::{
    domain::{Error, list::carry_over as verbs},
    graphql::{
        ctx,
        error::payload,
        id,
        loaders::{self, Loaders},
    },
};

/// Key of the chain of tasks that one stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineageOf(pub PriorityTaskId);

impl Loader<LineageOf> for Loaders {
    type Value = Vec<PriorityTaskId>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LineageOf]) -> Result<HashMap<LineageOf, Self::Value>, Self::Error> {
        let tasks: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = verbs::lineages(self.0.read(), &tasks).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(task, chain)| (LineageOf(task), chain)).collect())
    }
}

/// Key of the task that one was carried from, or to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CarriedOf {
    pub task: PriorityTaskId,
    pub onward: bool,
}

impl Loader<CarriedOf> for Loaders {
    type Value = PriorityTaskId;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CarriedOf]) -> Result<HashMap<CarriedOf, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for onward in [false, true] {
            let tasks: Vec<_> = keys.iter().filter(|key| key.onward == onward).map(|key| key.task).collect();
            if tasks.is_empty() {
                continue;
            }
            let links = verbs::neighbours(self.0.read(), &tasks, onward).await.map_err(Arc::new)?;
            found.extend(links.into_iter().map(|(task, other)| (CarriedOf { task, onward }, other)));
        }
        Ok(found)
    }
}

/// The task that one was carried from, or to, as far as the viewer sees it.
pub async fn carried(
    context: &Context<'_>,
    task: PriorityTaskId,
    onward: bool,
) -> Result<Option<PriorityTask>> {
    match loaders::one(context, CarriedOf { task, onward }).await? {
        Some(other) => Ok(loaders::one(context, other).await?.map(PriorityTask)),
        None => Ok(None),
    }
}

/// The chain that a task stands in, as far as the viewer sees it.
pub async fn lineage(context: &Context<'_>, task: PriorityTaskId) -> Result<Vec<PriorityTask>> {
    let chain = loaders::one(context, LineageOf(task)).await?.unwrap_or_default();
    let mut rows = loaders::many(context, chain.iter().copied()).await?;
    Ok(chain.iter().filter_map(|task| rows.remove(task)).map(PriorityTask).collect())
}

/// The list whose unfinished tasks are carried over.
#[derive(InputObject)]
pub struct CarryOverTasksInput {
    /// The list that ends; it is published, and its month has begun.
    from_task_list_id: ID,
    /// The list on which they go on: of the same alliance and a later month. Where absent, that of the next month, which is
    /// drafted if there is none.
    to_task_list_id: Option<ID>,
}

payload!(
    /// What came of carrying a list's tasks over.
    CarryOverTasksPayload {
        /// The later list.
        task_list: TaskList
    }
);

#[derive(Default)]
pub struct CarryOverMutation;

#[Object]
impl CarryOverMutation {
    /// Carries the unfinished tasks of a month over to a later list (结转), each once, and closes the month's list, which never
    /// changes again: a second call is refused as `STATE_REFUSED`, whichever later list it names, and carries nothing. Only the
    /// committee may.
    ///
    /// A successor takes over title, units, percentage and milestones that were not reached; a due date that lies before the later
    /// month, the task's or a milestone's, moves to the same day of it, or to its last, and no milestone comes after its task. On a
    /// published list it is published at once. Drafts move as they are, their dates likewise.
    async fn carry_over_tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From which list, and to which.")] input: CarryOverTasksInput,
    ) -> Result<CarryOverTasksPayload> {
        let ctx = ctx(context);
        let result = async {
            let from = id::decode(&input.from_task_list_id, "fromTaskListId")?;
            let to = id::decode_optional(input.to_task_list_id.as_ref(), "toTaskListId")?;
            verbs::carry_over(ctx, from, to).await
        }
        .await;
        CarryOverTasksPayload::of(ctx, result).await
    }
}
