//! One batcher per request, without delay: objects that many others point to are read once, scoped by the caller's rights.

use std::{
    any::{Any, TypeId},
    borrow::Borrow,
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_graphql::{
    Context,
    dataloader::{DataLoader, HashMapCache, Loader},
};
use concord_entities::{
    account, alliance, branch_instructor, grid_cell, grid_network, handover,
    id::{
        AccountId, AllianceId, MembershipId, OrganizationId, PriorityTaskId, RegionId, RotationSwapId,
        SeatId, TaskListId,
    },
    membership, mobilization, mobilization_check_in, organization, party_branch, priority_task, problem,
    region, rotation_swap, seat, task_list, whistle, whistle_response,
};
use sea_orm::{EntityTrait, ModelTrait, QueryFilter, Select};
use uuid::Uuid;

use super::{
    ahead::{self, Plan},
    ctx,
    error::{OrApiError, api_error},
    identity::batch::InClear,
};
use crate::domain::{
    self, Ctx, Error, governance,
    page::{self, Along, List, Page, Related},
};

/// The batcher's context, and what statements brought along before it was asked for.
pub struct Loaders(pub Ctx, Brought);

#[derive(Default)]
struct Brought {
    remembers: bool,
    /// The lists below an object, by field and parent.
    pages: Mutex<HashMap<(usize, Uuid), Box<dyn Any + Send>>>,
    /// Objects by their keys, a map for each type of key.
    objects: Mutex<HashMap<TypeId, Box<dyn Any + Send>>>,
}

impl Loaders {
    fn known<K>(&self, key: &K) -> Option<<Self as Loader<K>>::Value>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Self: Loader<K>,
    {
        let objects = self.1.objects.lock().ok()?;
        let of_kind: &HashMap<K, <Self as Loader<K>>::Value> =
            objects.get(&TypeId::of::<K>())?.downcast_ref()?;
        of_kind.get(key).cloned()
    }
}

/// The batcher of one request. A query reads everything once; a mutation changes what it read, and a subscription lives
/// long, so they ask again.
pub type Batcher = DataLoader<Loaders, HashMapCache>;

/// The batcher of one request, with memory for a query.
pub fn per_request(ctx: &Ctx, remembers: bool) -> Batcher {
    let loaders = Loaders(ctx.clone(), Brought { remembers, ..Brought::default() });
    let batcher = DataLoader::with_cache(loaders, tokio::spawn, HashMapCache::default());
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
    let batcher = context.data_unchecked::<Batcher>();
    if let Some(known) = batcher.loader().known(&key) {
        return Ok(Some(known));
    }
    // The future of an object's field has the size of its largest: what waits for the database waits in a box.
    Box::pin(batcher.load_one(key)).await.map_err(|error| api_error(ctx(context), &error))
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
    let batcher = context.data_unchecked::<Batcher>();
    let mut found = HashMap::new();
    let mut unknown = Vec::new();
    for key in keys {
        match batcher.loader().known(&key) {
            Some(known) => drop(found.insert(key, known)),
            None => unknown.push(key),
        }
    }
    if !unknown.is_empty() {
        let read = Box::pin(batcher.load_many(unknown)).await;
        found.extend(read.map_err(|error| api_error(ctx(context), &error))?);
    }
    Ok(found)
}

/// Keeps what a statement brought along, so that nothing of it is asked for again.
pub fn bring<K>(context: &Context<'_>, objects: impl IntoIterator<Item = (K, <Loaders as Loader<K>>::Value)>)
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Loaders: Loader<K>,
{
    let mut objects = objects.into_iter().peekable();
    let brought = &context.data_unchecked::<Batcher>().loader().1;
    if !brought.remembers || objects.peek().is_none() {
        return;
    }
    if let Ok(mut known) = brought.objects.lock() {
        let of_kind = known
            .entry(TypeId::of::<K>())
            .or_insert_with(|| Box::new(HashMap::<K, <Loaders as Loader<K>>::Value>::new()));
        if let Some(of_kind) = of_kind.downcast_mut::<HashMap<K, <Loaders as Loader<K>>::Value>>() {
            of_kind.extend(objects);
        }
    }
}

/// Keeps what a list read along.
fn feed(context: &Context<'_>, related: Related) {
    bring(context, related.accounts.iter().map(|(row, clear)| (InClear(row.id), *clear)));
    bring(context, related.accounts.into_iter().map(|(row, _)| (row.id, row)));
    bring(context, related.alliances.into_iter().map(|row| (row.id, row)));
    bring(context, related.organizations.into_iter().map(|row| (row.id, row)));
    bring(context, related.regions.into_iter().map(|row| (row.id, row)));
    // A draft is for those who may see drafts, which the loader asks.
    let lists = related.task_lists.into_iter().filter(|list| list.state != task_list::State::Draft);
    bring(context, lists.map(|row| (row.id, row)));
}

/// Reads the list below one object, together with those of its siblings: what every parent asks for with the same field of
/// the document is one statement, and none where the statement of an object above it brought the list along.
pub async fn nested<E>(
    context: &Context<'_>,
    parent: impl Into<Uuid>,
    along: &[(&str, Along<E::Column>)],
    list: impl Fn(&Ctx) -> domain::Result<List<E>> + Send + Sync + 'static,
) -> async_graphql::Result<Page<E>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    let (field, parent) = (ahead::field(context), parent.into());
    if let Some(page) = given(context, parent) {
        return Ok(page);
    }
    let list = Arc::new(Asked { along: asked(context, along), list });
    let key = Nested { field, parent, taken: Arc::default(), list };
    let taken = one(context, key).await?.and_then(|taken| taken.lock().ok()?.take());
    let page = taken.unwrap_or_else(|| Err(Arc::new(Error::internal("a parent without its list"))));
    fed(context, page)
}

/// The list of the present field below `parent`, where the statement of an object above brought it along; whoever asks
/// again reads it anew.
pub fn given<E>(context: &Context<'_>, parent: impl Into<Uuid>) -> Option<Page<E>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    let mut pages = context.data_unchecked::<Batcher>().loader().1.pages.lock().ok()?;
    let page = pages.remove(&(ahead::field(context), parent.into()))?;
    page.downcast().ok().map(|page| *page)
}

/// Keeps what a page read along.
pub fn fed<E: EntityTrait>(
    context: &Context<'_>,
    page: Result<Page<E>, impl Borrow<Error>>,
) -> async_graphql::Result<Page<E>> {
    let mut page = page.map_err(|error| api_error(ctx(context), error.borrow()))?;
    feed(context, std::mem::take(&mut page.related));
    Ok(page)
}

/// A page that goes to the one who asked for it, or what was wrong with asking for it.
type Taken<E> = Arc<Mutex<Option<Result<Page<E>, Arc<Error>>>>>;

/// What is read below an object.
struct Asked<E: EntityTrait, L: ?Sized> {
    along: Vec<Along<E::Column>>,
    list: L,
}

type Listed<E> = dyn Fn(&Ctx) -> domain::Result<List<E>> + Send + Sync;

/// Key of one parent's list.
pub struct Nested<E: EntityTrait> {
    /// The field's place in memory, which tells the fields of one document apart; all arguments of one are the same.
    field: usize,
    parent: Uuid,
    /// Where the answer goes; two who ask for the same list each get their own.
    taken: Taken<E>,
    list: Arc<Asked<E, Listed<E>>>,
}

impl<E: EntityTrait> Clone for Nested<E> {
    fn clone(&self) -> Self {
        let Self { field, parent, taken, list } = self;
        Self { field: *field, parent: *parent, taken: taken.clone(), list: list.clone() }
    }
}

impl<E: EntityTrait> PartialEq for Nested<E> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.taken, &other.taken)
    }
}

impl<E: EntityTrait> Eq for Nested<E> {}

impl<E: EntityTrait> Hash for Nested<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parent.hash(state);
    }
}

impl<E> Loader<Nested<E>> for Loaders
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + Send + Sync,
{
    type Value = Taken<E>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[Nested<E>]) -> Result<HashMap<Nested<E>, Taken<E>>, Arc<Error>> {
        let mut fields: HashMap<usize, HashMap<Uuid, Vec<&Nested<E>>>> = HashMap::new();
        for key in keys {
            fields.entry(key.field).or_default().entry(key.parent).or_default().push(key);
        }
        for parents in fields.values() {
            let Some(Asked { along, list }) = parents.values().flatten().next().map(|key| &*key.list) else {
                continue;
            };
            let ids: Vec<Uuid> = parents.keys().copied().collect();
            let pages = match list(&self.0) {
                Ok(list) => page::fetch_each(&self.0, List { along: along.clone(), ..list }, &ids).await,
                Err(error) => Err(error),
            };
            let mut pages = pages.map_err(Arc::new);
            for (parent, asking) in parents {
                for (after, key) in asking.iter().rev().enumerate().rev() {
                    let page = match &mut pages {
                        Ok(pages) if after == 0 => pages.remove(parent).map(Ok),
                        Ok(pages) => pages.get(parent).cloned().map(Ok),
                        Err(error) => Some(Err(error.clone())),
                    };
                    if let Ok(mut taken) = key.taken.lock() {
                        *taken = page;
                    }
                }
            }
        }
        Ok(keys.iter().map(|key| (key.clone(), key.taken.clone())).collect())
    }
}

/// Reads one object with what it points to and the lists below it, as far as the selection asks for them.
pub async fn found<E>(
    context: &Context<'_>,
    select: Select<E>,
    along: &[(&str, Along<E::Column>)],
    below: &[(&str, Plan)],
) -> async_graphql::Result<Option<E::Model>>
where
    E: EntityTrait,
{
    let ahead = context.look_ahead();
    let asked = along.iter().filter(|(name, _)| ahead.field(name).exists());
    let along: Vec<_> = asked.map(|(_, along)| *along).collect();
    let children = ahead::below(context, below);
    let found = Box::pin(page::find_below(ctx(context), select, &along, children)).await;
    let found = found.or_api_error(ctx(context))?;
    let Some((row, given)) = found else { return Ok(None) };
    for related in given.related {
        feed(context, related);
    }
    if let Ok(mut pages) = context.data_unchecked::<Batcher>().loader().1.pages.lock() {
        pages.extend(given.pages);
    }
    Ok(Some(row))
}

/// Which of `fields`, named by the schema, the selection of a connection's items asks for; what has no name is always read.
pub fn asked<C: Copy>(context: &Context<'_>, fields: &[(&str, Along<C>)]) -> Vec<Along<C>> {
    let ahead = context.look_ahead();
    let (nodes, edges) = (ahead.field("nodes"), ahead.field("edges").field("node"));
    fields
        .iter()
        .filter(|(name, _)| name.is_empty() || nodes.field(name).exists() || edges.field(name).exists())
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
                    .filter(page::among(&self.0, $entity::Column::Id, keys.iter().copied()))
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
            .filter(page::among(&self.0, organization::Column::Id, keys.iter().map(|key| key.0)))
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
loader!(concord_entities::id::HandoverId, handover, crate::domain::rotation::handover::visible);
// priority task
loader!(TaskListId, task_list, crate::domain::list::task_list::visible);
loader!(PriorityTaskId, priority_task, crate::domain::list::task_read::visible);
// problem
loader!(concord_entities::id::ProblemId, problem, crate::domain::list::problem::visible);
// whistle
loader!(concord_entities::id::WhistleId, whistle, crate::domain::whistle::visible);
loader!(concord_entities::id::WhistleResponseId, whistle_response, crate::domain::whistle::visible_calls);
// grid
loader!(concord_entities::id::GridNetworkId, grid_network, crate::domain::grid::visible_networks);
loader!(concord_entities::id::GridCellId, grid_cell, crate::domain::grid::visible);
// mobilization
loader!(concord_entities::id::MobilizationId, mobilization, crate::domain::mobilization::visible);
loader!(
    concord_entities::id::MobilizationCheckInId,
    mobilization_check_in,
    crate::domain::mobilization::visible_check_ins
);
// party branch
loader!(concord_entities::id::PartyBranchId, party_branch, crate::domain::branch::visible);
loader!(
    concord_entities::id::BranchInstructorId,
    branch_instructor,
    crate::domain::branch::visible_instructors
);
// file
// fact
// import
