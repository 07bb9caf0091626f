//! Faces of what belongs to a task: its milestones, its progress log, its co-organisers. What a list shows of many tasks is read once for all of them.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, Object, Result, dataloader::Loader};
use concord_entities::{
    account,
    id::{OrganizationId, PriorityTaskId, TaskMilestoneId, TaskProgressId, TypedId},
    organization, task_co_organizer, task_milestone, task_progress,
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::transition::Names;
use crate::{
    domain::{self, Ctx, Error, list::task_read, page},
    graphql::{
        connection::connection,
        governance::organization::Organization,
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::{Date, DateTime},
    },
};

/// A step of a task with its own date.
#[derive(Clone)]
pub struct TaskMilestone(pub task_milestone::Model);

impl Node for TaskMilestone {
    const NOUN: &'static str = TaskMilestoneId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(task_read::find_milestone(ctx, id.into()).await?.map(Self))
    }
}

/// A step of a task with its own date.
#[Object]
impl TaskMilestone {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// What is to be reached.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// By when.
    async fn due_on(&self) -> Date {
        self.0.due_on.into()
    }

    /// When it was reached.
    async fn reached_at(&self) -> Option<DateTime> {
        self.0.reached_at.map(DateTime)
    }
}

/// An entry of a task's progress log, which is only appended to.
#[derive(Clone)]
pub struct TaskProgress {
    row: task_progress::Model,
}

impl From<task_progress::Model> for TaskProgress {
    fn from(row: task_progress::Model) -> Self {
        Self { row }
    }
}

impl Node for TaskProgress {
    const NOUN: &'static str = TaskProgressId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(task_read::find_progress(ctx, id.into()).await?.map(Self::from))
    }
}

/// An entry of a task's progress log, which is only appended to.
#[Object]
impl TaskProgress {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.row.id)
    }

    /// What was done.
    async fn note(&self) -> &str {
        &self.row.note
    }

    /// Progress claimed, 0 to 100, where the report named it.
    async fn percent(&self) -> Option<i32> {
        self.row.percent
    }

    /// The unit that reported.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.row.organization_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Organization::from)),
            None => Ok(None),
        }
    }

    /// Name of the person who reported; masked unless it is a colleague of one's own unit, absent for dashboard keys.
    async fn reported_by_name(&self, context: &Context<'_>) -> Result<Option<String>> {
        let (Some(account), Some(organization)) = (self.row.reported_by, self.row.organization_id) else {
            return Ok(None);
        };
        let Some(task) = loaders::one(context, self.row.task_id).await? else { return Ok(None) };
        let names = Names::of(context, task.alliance_id, &[organization]).await?;
        let account: Option<account::Model> = loaders::one(context, account).await?;
        Ok(account.and_then(|account| names.show(&account.display_name)))
    }

    /// When it was reported.
    async fn reported_at(&self) -> DateTime {
        self.row.reported_at.into()
    }
}

connection!(TaskProgressConnection, TaskProgressEdge, TaskProgress, task_progress::Entity);

/// Key of a task's co-organisers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CoOrganizersOf(pub PriorityTaskId);

impl Loader<CoOrganizersOf> for Loaders {
    type Value = Vec<organization::Model>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[CoOrganizersOf],
    ) -> Result<HashMap<CoOrganizersOf, Self::Value>, Self::Error> {
        // Whoever sees a task sees the names of the units that work on it.
        let rows = task_co_organizer::Entity::find()
            .find_also_related(organization::Entity)
            .filter(page::among(&self.0, task_co_organizer::Column::TaskId, keys.iter().map(|key| key.0)))
            .order_by_asc(organization::Column::Name)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(error.into()))?;
        let mut found: HashMap<_, Self::Value> = HashMap::new();
        for (row, unit) in rows {
            found.entry(CoOrganizersOf(row.task_id)).or_default().extend(unit);
        }
        Ok(found)
    }
}

/// The co-organisers of a task, through the request's batcher.
pub async fn co_organizers(context: &Context<'_>, task: PriorityTaskId) -> Result<Vec<organization::Model>> {
    Ok(loaders::one(context, CoOrganizersOf(task)).await?.unwrap_or_default())
}

/// The identifiers of units.
pub fn ids(units: &[organization::Model]) -> Vec<OrganizationId> {
    units.iter().map(|unit| unit.id).collect()
}

/// Key of a task's milestones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MilestonesOf(pub PriorityTaskId);

impl Loader<MilestonesOf> for Loaders {
    type Value = Vec<task_milestone::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MilestonesOf]) -> Result<HashMap<MilestonesOf, Self::Value>, Self::Error> {
        let rows = task_milestone::Entity::find()
            .filter(page::among(&self.0, task_milestone::Column::TaskId, keys.iter().map(|key| key.0)))
            .order_by_asc(task_milestone::Column::DueOn)
            .order_by_asc(task_milestone::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(error.into()))?;
        let mut found: HashMap<_, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(MilestonesOf(row.task_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// Key of a task's latest report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LatestProgressOf(pub PriorityTaskId);

impl Loader<LatestProgressOf> for Loaders {
    type Value = task_progress::Model;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[LatestProgressOf],
    ) -> Result<HashMap<LatestProgressOf, Self::Value>, Self::Error> {
        let tasks: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = task_read::latest_progress(&self.0, &tasks).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (LatestProgressOf(row.task_id), row)).collect())
    }
}
