//! Faces of grid cells: what they cover and who holds them, on whatever day.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, dataloader::Loader};
use concord_entities::{
    grid_cell, grid_cell_region, grid_officer,
    id::{GridCellId, TypedId},
    region,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{GridNetwork, GridNetworkKind, day, officer::GridOfficer};
use crate::{
    domain::{
        self, Ctx, Error,
        grid::{self as verbs, Filter},
        page::{self, List},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::OrApiError,
        fact::event::{self, EventConnection},
        id,
        list::person::{Person, person},
        loaders::{self, Loaders},
        node::Node,
        scalar::{Date, DateTime},
        territory::region::Region,
    },
};

/// Whether a grid cell is there for everything or for one place.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::grid_cell::Category")]
pub enum GridCellCategory {
    /// For everything in its territory (综合网格). On one day no place lies in two of them of one level and network.
    Comprehensive,
    /// For one place such as a market or a school (专属网格); it may lie over a comprehensive one.
    Special,
}

/// A cell of a grid network (网格).
#[derive(Clone)]
pub struct GridCell(pub grid_cell::Model);

impl From<grid_cell::Model> for GridCell {
    fn from(row: grid_cell::Model) -> Self {
        Self(row)
    }
}

impl Node for GridCell {
    const NOUN: &'static str = GridCellId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A cell of a grid network (网格).
#[Object]
impl GridCell {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The network that it is of.
    async fn network(&self, context: &Context<'_>) -> Result<Option<GridNetwork>> {
        Ok(loaders::one(context, self.0.network_id).await?.map(GridNetwork))
    }

    /// Its code; unique among the standing cells of the network.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its level, 1 to 5 (五级网格); 1 is the highest.
    async fn level(&self) -> i32 {
        self.0.level
    }

    /// Whether it is there for everything or for one place.
    async fn category(&self) -> GridCellCategory {
        self.0.category.into()
    }

    /// The cell of the level above.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<GridCell>> {
        match self.0.parent_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(GridCell)),
            None => Ok(None),
        }
    }

    /// The cells of the level below that stand under it, by their codes, present and past.
    async fn children(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<GridCellFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<GridCellConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let (by, id) = (grid_cell::Column::ParentId, grid_cell::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, verbs::listed(ctx, &filter)?, &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// What it covers on a day, each region with all that lies below it; empty where it does not stand on that day.
    async fn territory(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day; today where absent.")] on: Option<Date>,
    ) -> Result<Vec<Region>> {
        let on = day(context, self.0.alliance_id, on).await?;
        let covered = loaders::one(context, CoveredBy(self.0.id)).await?.unwrap_or_default();
        let holds =
            |row: &grid_cell_region::Model| row.since_on <= on && row.until_on.is_none_or(|until| until > on);
        Ok(covered.into_iter().filter(|(row, _)| holds(row)).map(|(_, region)| Region(region)).collect())
    }

    /// Who holds it on a day: of each role the main one first.
    async fn officers(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day; today where absent.")] on: Option<Date>,
    ) -> Result<Vec<GridOfficer>> {
        let on = day(context, self.0.alliance_id, on).await?;
        let holds =
            |row: &grid_officer::Model| row.since_on <= on && row.until_on.is_none_or(|until| until > on);
        let mut found = loaders::one(context, PostsOf(self.0.id)).await?.unwrap_or_default();
        found.retain(holds);
        found.sort_by_key(|row| (row.role, !row.is_main));
        Ok(found.into_iter().map(GridOfficer).collect())
    }

    /// Everybody who holds it, held it or is to hold it, from the first day on.
    async fn officer_history(&self, context: &Context<'_>) -> Result<Vec<GridOfficer>> {
        let found = loaders::one(context, PostsOf(self.0.id)).await?.unwrap_or_default();
        Ok(found.into_iter().map(GridOfficer).collect())
    }

    /// The first day on which it stands.
    async fn since(&self) -> Date {
        self.0.since_on.into()
    }

    /// The first day on which it stands no more; null while it has no end.
    async fn until(&self) -> Option<Date> {
        self.0.until_on.map(Date)
    }

    /// When it was drawn.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who drew it.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.created_by, None).await
    }

    /// What happened to it and to its posts, as far as the caller may see it; the latest comes first.
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

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(GridCellConnection, GridCellEdge, GridCell, grid_cell::Entity);

/// Key of the regions that a cell covers, on whatever day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CoveredBy(pub GridCellId);

/// The cells among these that the caller may see.
fn seen(ctx: &Ctx) -> sea_orm::sea_query::SelectStatement {
    verbs::visible(ctx).select_only().column(grid_cell::Column::Id).into_query()
}

impl Loader<CoveredBy> for Loaders {
    type Value = Vec<(grid_cell_region::Model, region::Model)>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CoveredBy]) -> Result<HashMap<CoveredBy, Self::Value>, Self::Error> {
        use grid_cell_region::Column;
        let rows = grid_cell_region::Entity::find()
            .find_also_related(region::Entity)
            .filter(page::among(&self.0, Column::CellId, keys.iter().map(|key| key.0)))
            .filter(Column::CellId.in_subquery(seen(&self.0)))
            .order_by_asc(region::Column::Path)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<CoveredBy, Self::Value> = HashMap::new();
        for (row, region) in rows {
            if let Some(region) = region {
                found.entry(CoveredBy(row.cell_id)).or_default().push((row, region));
            }
        }
        Ok(found)
    }
}

/// Key of the posts of a cell, on whatever day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostsOf(pub GridCellId);

impl Loader<PostsOf> for Loaders {
    type Value = Vec<grid_officer::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PostsOf]) -> Result<HashMap<PostsOf, Self::Value>, Self::Error> {
        use grid_officer::Column;
        let rows = verbs::visible_officers(&self.0)
            .filter(page::among(&self.0, Column::CellId, keys.iter().map(|key| key.0)))
            .order_by_asc(Column::SinceOn)
            .order_by_asc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<PostsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(PostsOf(row.cell_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// Which grid cells to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct GridCellFilter {
    /// Of this alliance's networks.
    alliance_id: Option<ID>,
    /// Of this network.
    network_id: Option<ID>,
    /// Of networks of this kind.
    kind: Option<GridNetworkKind>,
    /// Of this level, 1 to 5.
    level: Option<i32>,
    /// Of this category.
    category: Option<GridCellCategory>,
    /// Standing on this day; present, past and future ones where absent.
    on: Option<Date>,
    /// Whose code or name contains this text, at most 128 characters.
    contains: Option<String>,
}

impl GridCellFilter {
    pub fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            network_id: id::decode_optional(self.network_id.as_ref(), "filter.networkId")?,
            kind: self.kind.map(Into::into),
            level: self.level,
            category: self.category.map(Into::into),
            on: self.on.map(|on| on.0),
            contains: self.contains,
        })
    }
}

#[derive(Default)]
pub struct GridCellQuery;

#[Object]
impl GridCellQuery {
    /// One grid cell; null where there is none or the caller may not see it.
    async fn grid_cell(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the cell.")] id: ID,
    ) -> Result<Option<GridCell>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(GridCell))
    }

    /// The grid cells of the alliances that the caller reads, by their codes.
    async fn grid_cells(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<GridCellFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<GridCellConnection> {
        let ctx = ctx(context);
        let page = async {
            let filter = filter.unwrap_or_default().read()?;
            verbs::list(ctx, &filter, &args(first, after, last, before)).await
        };
        Ok(page.await.or_api_error(ctx)?.into())
    }
}
