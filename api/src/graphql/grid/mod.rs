//! Faces of grids: networks, their cells, who holds these, and who is responsible at a place. The mutations stand in `mutation`.

pub mod cell;
pub mod mutation;
pub mod officer;
pub mod overlay;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, MergedObject, Object, Result, SimpleObject, dataloader::Loader};
use chrono::NaiveDate;
use concord_entities::{
    grid_cell, grid_network,
    id::{AllianceId, GridNetworkId, TypedId},
};
use sea_orm::{QueryFilter, QueryOrder};
use uuid::Uuid;

use self::cell::{GridCell, GridCellConnection, GridCellFilter};
use super::{
    connection::{args, held, held_connection},
    ctx,
    error::{OrApiError, api_error},
    governance::alliance::Alliance,
    id,
    list::person::{Person, person},
    loaders::{self, Loaders},
    node::Node,
    scalar::{Date, DateTime},
    territory::region::{Region, RegionConnection},
};
use crate::domain::{
    self, Ctx, Error,
    grid::{self as verbs, report},
    page::{self, List},
    rotation::timetable::today,
};

/// Whose grid a network is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::grid_network::Kind")]
pub enum GridNetworkKind {
    /// The Party's (党建网格).
    Party,
    /// Governance (治理网格).
    Governance,
    /// The police's (警务网格).
    Police,
}

/// The day that is meant: the one given, or today in the alliance.
pub(super) async fn day(context: &Context<'_>, alliance: AllianceId, on: Option<Date>) -> Result<NaiveDate> {
    if let Some(on) = on {
        return Ok(on.0);
    }
    let ctx = ctx(context);
    let row = loaders::one(context, alliance).await?;
    let row = row.ok_or_else(|| api_error(ctx, &Error::NotFound("alliance")))?;
    Ok(today(&row, ctx.now()))
}

/// A network of grid cells (网格) over the territory of an alliance, which has at most one of each kind.
#[derive(Clone)]
pub struct GridNetwork(pub grid_network::Model);

impl From<grid_network::Model> for GridNetwork {
    fn from(row: grid_network::Model) -> Self {
        Self(row)
    }
}

impl Node for GridNetwork {
    const NOUN: &'static str = GridNetworkId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_network(ctx, id.into()).await?.map(Self))
    }
}

/// Two comprehensive cells of one level that cover one place.
#[derive(SimpleObject, Clone)]
pub struct GridOverlap {
    /// The place; where one of the two lies within the other, the smaller one.
    region: Region,
    /// The two cells.
    cells: Vec<GridCell>,
}

impl GridOverlap {
    fn of(found: &report::Overlap) -> Self {
        Self {
            region: Region(found.region.clone()),
            cells: found.cells.iter().cloned().map(GridCell).collect(),
        }
    }
}

/// A network of grid cells (网格) over the territory of an alliance, which has at most one of each kind.
#[Object]
impl GridNetwork {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance over whose territory it lies.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Whose grid it is.
    async fn kind(&self) -> GridNetworkKind {
        self.0.kind.into()
    }

    /// When it was established.
    async fn established_at(&self) -> DateTime {
        self.0.established_at.into()
    }

    /// Who established it.
    async fn established_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.established_by, None).await
    }

    /// Its cells, by their codes.
    async fn cells(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<GridCellFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<GridCellConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let (by, id) = (grid_cell::Column::NetworkId, grid_cell::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, verbs::listed(ctx, &filter)?, &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Its holes on a day, in the order of the register: compounds and natural villages of the alliance's territory that no comprehensive
    /// cell covers, by itself or by what lies above it, and communities of which none covers anything.
    async fn gaps(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day; today where absent.")] on: Option<Date>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<RegionConnection> {
        let on = day(context, self.0.alliance_id, on).await?;
        let ctx = ctx(context);
        let page = report::gaps(ctx, &self.0, on, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }

    /// Places that two comprehensive cells of one level cover on a day, in the order of the tree. Drawing refuses them (`GRID_OVERLAP`);
    /// they arise where the official register moves a region below another one.
    async fn overlaps(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day; today where absent.")] on: Option<Date>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<GridOverlapConnection> {
        let on = day(context, self.0.alliance_id, on).await?;
        let ctx = ctx(context);
        let found = report::overlaps(ctx, &self.0, on).await.or_api_error(ctx)?;
        let args = args(first, after, last, before);
        let page = held(&found, "overlap", |overlap| &overlap.key, &args).or_api_error(ctx)?;
        Ok(page.map(GridOverlap::of).into())
    }
}

held_connection!(GridOverlapConnection, GridOverlapEdge, GridOverlap);

/// Key of the networks of an alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworksOf(pub AllianceId);

impl Loader<NetworksOf> for Loaders {
    type Value = Vec<grid_network::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[NetworksOf]) -> Result<HashMap<NetworksOf, Self::Value>, Self::Error> {
        let rows = verbs::visible_networks(&self.0)
            .filter(page::among(&self.0, grid_network::Column::AllianceId, keys.iter().map(|key| key.0)))
            .order_by_asc(grid_network::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<NetworksOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(NetworksOf(row.alliance_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The networks of an alliance, in the order in which they were established.
pub async fn networks(context: &Context<'_>, of: AllianceId) -> Result<Vec<GridNetwork>> {
    let found = loaders::one(context, NetworksOf(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(GridNetwork).collect())
}

/// Reads of grids.
#[derive(MergedObject, Default)]
pub struct GridsQuery(GridNetworkQuery, cell::GridCellQuery, overlay::GridOverlayQuery);

#[derive(Default)]
pub struct GridNetworkQuery;

#[Object]
impl GridNetworkQuery {
    /// One network of grid cells; null where there is none or the caller may not see it.
    async fn grid_network(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the network.")] id: ID,
    ) -> Result<Option<GridNetwork>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find_network(ctx, id).await.or_api_error(ctx)?.map(GridNetwork))
    }
}
