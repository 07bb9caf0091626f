//! Faces of what hangs on a branch: where it is at home, and what it serves.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result, dataloader::Loader};
use concord_entities::{branch_host, branch_matter, id::PartyBranchId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::seen;
use crate::{
    domain::{self, Error, branch::host::NewHost, page},
    graphql::{
        governance::organization::Organization,
        grid::cell::GridCell,
        id,
        list::{
            person::{Person, person},
            priority_task::PriorityTask,
            problem::Problem,
        },
        loaders::{self, Loaders},
        scalar::{Date, DateTime},
        territory::region::Region,
        whistle::Whistle,
    },
};

/// What kind of host a branch has.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::branch_host::Kind")]
pub enum BranchHostKind {
    /// A region that is no compound, such as a town, a community or a building.
    Region,
    /// A compound (小区).
    Compound,
    /// A grid cell (网格).
    GridCell,
    /// An organisation.
    Organization,
    /// A market.
    Market,
    /// A ship.
    Ship,
    /// A fleet.
    Fleet,
    /// A courier station.
    CourierStation,
    /// A cooperative.
    Cooperative,
}

/// Kinds of places that have no record of their own, and host a branch by name.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchPlaceKind {
    /// A market.
    Market,
    /// A ship.
    Ship,
    /// A fleet.
    Fleet,
    /// A courier station.
    CourierStation,
    /// A cooperative.
    Cooperative,
}

impl From<BranchPlaceKind> for branch_host::Kind {
    fn from(kind: BranchPlaceKind) -> Self {
        match kind {
            BranchPlaceKind::Market => Self::Market,
            BranchPlaceKind::Ship => Self::Ship,
            BranchPlaceKind::Fleet => Self::Fleet,
            BranchPlaceKind::CourierStation => Self::CourierStation,
            BranchPlaceKind::Cooperative => Self::Cooperative,
        }
    }
}

/// A place that has no record of its own.
#[derive(InputObject, Clone)]
pub struct BranchPlaceInput {
    /// What kind it is.
    kind: BranchPlaceKind,
    /// Its name, at most 128 characters.
    name: String,
}

/// Where a branch is at home: exactly one of these.
#[derive(OneofObject, Clone)]
pub enum BranchHostInput {
    /// A region within the alliance's territory.
    RegionId(ID),
    /// A standing grid cell of the alliance.
    CellId(ID),
    /// An active member of the alliance.
    OrganizationId(ID),
    /// A place that has no record of its own.
    Place(BranchPlaceInput),
}

impl BranchHostInput {
    pub fn read(&self, field: &str) -> domain::Result<NewHost> {
        Ok(match self {
            Self::RegionId(id) => NewHost::Region(id::decode(id, format!("{field}.regionId"))?),
            Self::CellId(id) => NewHost::Cell(id::decode(id, format!("{field}.cellId"))?),
            Self::OrganizationId(id) => {
                NewHost::Organization(id::decode(id, format!("{field}.organizationId"))?)
            }
            Self::Place(place) => NewHost::Place(place.kind.into(), place.name.clone()),
        })
    }
}

/// Where a branch is at home, from one day up to another.
pub struct BranchHost(pub branch_host::Model);

/// Where a branch is at home, from one day up to another.
#[Object]
impl BranchHost {
    /// What kind of host it is.
    async fn kind(&self) -> BranchHostKind {
        self.0.kind.into()
    }

    /// The region, of a region or compound.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// The cell, of a grid cell.
    async fn cell(&self, context: &Context<'_>) -> Result<Option<GridCell>> {
        match self.0.cell_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(GridCell)),
            None => Ok(None),
        }
    }

    /// The organisation, of an organisation.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.organization_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// Its name, of what has no record of its own.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The first day on which it hosts the branch.
    async fn since(&self) -> Date {
        self.0.since_on.into()
    }
}

/// Key of the hosts of a branch, on whatever day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostsOf(pub PartyBranchId);

impl Loader<HostsOf> for Loaders {
    type Value = Vec<branch_host::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[HostsOf]) -> Result<HashMap<HostsOf, Self::Value>, Self::Error> {
        use branch_host::Column;
        let rows = branch_host::Entity::find()
            .filter(page::among(&self.0, Column::BranchId, keys.iter().map(|key| key.0)))
            .filter(Column::BranchId.in_subquery(seen(&self.0)))
            .order_by_asc(Column::SinceOn)
            .order_by_asc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<HostsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(HostsOf(row.branch_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// A problem, task or whistle that a branch serves.
pub struct BranchMatter(pub branch_matter::Model);

/// A problem, task or whistle that a branch serves.
#[Object]
impl BranchMatter {
    /// The problem, if it is one.
    async fn problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        match self.0.problem_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Problem)),
            None => Ok(None),
        }
    }

    /// The task, if it is one.
    async fn task(&self, context: &Context<'_>) -> Result<Option<PriorityTask>> {
        match self.0.task_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(PriorityTask::from)),
            None => Ok(None),
        }
    }

    /// The whistle, if it is one.
    async fn whistle(&self, context: &Context<'_>) -> Result<Option<Whistle>> {
        match self.0.whistle_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Whistle)),
            None => Ok(None),
        }
    }

    /// When it was linked.
    async fn linked_at(&self) -> DateTime {
        self.0.linked_at.into()
    }

    /// Who linked it.
    async fn linked_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.linked_by, None).await
    }
}

/// Key of what a branch serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MattersOf(pub PartyBranchId);

impl Loader<MattersOf> for Loaders {
    type Value = Vec<branch_matter::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MattersOf]) -> Result<HashMap<MattersOf, Self::Value>, Self::Error> {
        use branch_matter::Column;
        let rows = branch_matter::Entity::find()
            .filter(page::among(&self.0, Column::BranchId, keys.iter().map(|key| key.0)))
            .filter(Column::BranchId.in_subquery(seen(&self.0)))
            .filter(Column::UnlinkedAt.is_null())
            .order_by_asc(Column::LinkedAt)
            .order_by_asc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<MattersOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(MattersOf(row.branch_id)).or_default().push(row);
        }
        Ok(found)
    }
}
