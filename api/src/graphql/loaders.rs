//! One batcher per request, without delay: objects that many others point to are read once, scoped by the caller's rights.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{
    Context,
    dataloader::{DataLoader, HashMapCache, Loader},
};
use concord_entities::{
    account, alliance,
    id::{
        AccountId, AllianceId, MembershipId, OrganizationId, PriorityTaskId, RegionId, RotationSwapId,
        SeatId, TaskListId,
    },
    membership, organization, priority_task, problem, region, rotation_swap, seat, task_list,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{ctx, error::api_error};
use crate::domain::{
    Ctx, Error, governance,
    page::{Along, Related},
};

/// The batcher's context.
pub struct Loaders(pub Ctx);

/// The batcher of one request. A query reads everything once; a mutation changes what it read, and a subscription lives
/// long, so they ask again.
pub type Batcher = DataLoader<Loaders, HashMapCache>;

/// The batcher of one request, with memory for a query.
pub fn per_request(ctx: &Ctx, remembers: bool) -> Batcher {
    let batcher = DataLoader::with_cache(Loaders(ctx.clone()), tokio::spawn, HashMapCache::default());
    batcher.enable_all_cache(remembers);
    batcher.delay(Duration::ZERO)
}

/// Reads one object through the batcher.
pub async fn one<K>(
    context: &Context<'_>,
    key: K,
) -> async_graphql::Result<Option<<Loaders as Loader<K>>::Value>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Arc<Error>>,
{
    let loader = context.data_unchecked::<Batcher>();
    loader.load_one(key).await.map_err(|error| api_error(ctx(context), &error))
}

/// Reads many objects through the batcher.
pub async fn many<K>(
    context: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> async_graphql::Result<HashMap<K, <Loaders as Loader<K>>::Value>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    Loaders: Loader<K, Error = Arc<Error>>,
{
    let loader = context.data_unchecked::<Batcher>();
    loader.load_many(keys).await.map_err(|error| api_error(ctx(context), &error))
}

/// Gives the batcher what a list read along, so that nothing of it is asked for again.
pub async fn feed(context: &Context<'_>, related: Related) {
    let batcher = context.data_unchecked::<Batcher>();
    batcher.feed_many(related.alliances.into_iter().map(|row| (row.id, row))).await;
    batcher.feed_many(related.organizations.into_iter().map(|row| (row.id, row))).await;
    batcher.feed_many(related.regions.into_iter().map(|row| (row.id, row))).await;
    // A draft is for those who may see drafts, which the loader asks.
    let lists = related.task_lists.into_iter().filter(|list| list.state != task_list::State::Draft);
    batcher.feed_many(lists.map(|row| (row.id, row))).await;
}

/// Which of `fields`, named by the schema, the selection of a connection's items asks for.
pub fn asked<C: Copy>(context: &Context<'_>, fields: &[(&str, Along<C>)]) -> Vec<Along<C>> {
    let ahead = context.look_ahead();
    let (nodes, edges) = (ahead.field("nodes"), ahead.field("edges").field("node"));
    fields
        .iter()
        .filter(|(name, _)| nodes.field(name).exists() || edges.field(name).exists())
        .map(|(_, along)| *along)
        .collect()
}

/// Declares a loader by primary key.
macro_rules! loader {
    ($key:ty, $entity:ident, $select:expr) => {
        impl Loader<$key> for Loaders {
            type Value = $entity::Model;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let select: fn(&Ctx) -> sea_orm::Select<$entity::Entity> = $select;
                let rows = select(&self.0)
                    .filter($entity::Column::Id.is_in(keys.iter().copied()))
                    .all(self.0.read())
                    .await
                    .map_err(|error| Arc::new(error.into()))?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    };
}

loader!(AllianceId, alliance, governance::alliance::visible);
// Whoever sees a row sees the names of the organisations, regions and colleagues that it names.
loader!(OrganizationId, organization, |_| organization::Entity::find());

/// Key of an organisation that the viewer may not know: one that was only invited, for instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KnownOrganization(pub OrganizationId);

impl Loader<KnownOrganization> for Loaders {
    type Value = organization::Model;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[KnownOrganization],
    ) -> Result<HashMap<KnownOrganization, Self::Value>, Self::Error> {
        let rows = governance::organization::visible(&self.0)
            .filter(organization::Column::Id.is_in(keys.iter().map(|key| key.0)))
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        Ok(rows.into_iter().map(|row| (KnownOrganization(row.id), row)).collect())
    }
}

loader!(RegionId, region, |_| region::Entity::find());
loader!(AccountId, account, |_| account::Entity::find());

// identity
loader!(SeatId, seat, crate::domain::identity::seat::visible);
// territory
// governance
loader!(MembershipId, membership, governance::membership::visible);
// calendar
// rotation
loader!(RotationSwapId, rotation_swap, crate::domain::rotation::swap::visible);
// priority task
loader!(TaskListId, task_list, crate::domain::list::task_list::visible);
loader!(PriorityTaskId, priority_task, crate::domain::list::task_read::visible);
// problem
loader!(concord_entities::id::ProblemId, problem, crate::domain::list::problem::visible);
// file
// fact
// import
