//! Faces of coverage: figures by kind of place, and the places behind each.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result};
use concord_entities::alliance;

use super::{PartyBranch, instructor::BranchInstructor};
use crate::{
    domain::branch::coverage::{self, By, Coverage, Kind, Place},
    graphql::{
        connection::{args, held, held_connection},
        ctx,
        error::OrApiError,
        governance::organization::Organization,
        grid::cell::GridCell,
        loaders,
        scalar::Date,
        territory::region::Region,
    },
};

/// Kinds of places that are looked at.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub enum BranchCoverageKind {
    /// Communities and villages of the territory. A branch is a community's own where that is its host.
    Community,
    /// Grid cells of every network. A branch covers a cell where the cell, or a region within its territory, is its host.
    GridCell,
    /// Compounds of the territory.
    Compound,
    /// Enterprises that hold a seat.
    Enterprise,
    /// Markets, known by the name that a host or an instructor gave up to the day.
    Market,
}

/// By what a place is covered: the best that it has, so that each place counts once.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "By")]
pub enum BranchCoverageBy {
    /// A branch, general branch or committee of its own: it is the only host.
    Own,
    /// A joint branch, of which it is one of several hosts.
    Joint,
    /// A temporary branch.
    Temporary,
    /// An instructor, without any branch.
    Instructor,
    /// Nothing: uncovered.
    Nothing,
}

/// Coverage of organisation and of work (两个覆盖) of an alliance on a day.
pub struct BranchCoverage(Arc<Coverage>);

impl BranchCoverage {
    /// Reads it.
    pub async fn of(context: &Context<'_>, of: &alliance::Model, on: Option<Date>) -> Result<Self> {
        let ctx = ctx(context);
        let found = coverage::of(ctx, of, on.map(|on| on.0)).await.or_api_error(ctx)?;
        Ok(Self(Arc::new(found)))
    }
}

/// Coverage of organisation and of work (两个覆盖) of an alliance on a day.
#[Object]
impl BranchCoverage {
    /// The day.
    async fn on(&self) -> Date {
        self.0.on.into()
    }

    /// The figures, one for each kind of place.
    async fn kinds(&self) -> Vec<BranchCoverageFigures> {
        coverage::KINDS.map(|kind| BranchCoverageFigures { of: self.0.clone(), kind }).into()
    }

    /// The figures of one kind of place.
    async fn figures(
        &self,
        #[graphql(desc = "The kind.")] kind: BranchCoverageKind,
    ) -> BranchCoverageFigures {
        BranchCoverageFigures { of: self.0.clone(), kind: kind.into() }
    }
}

/// How many places of a kind are covered by what; the five of `own` to `uncovered` come to `total`.
pub struct BranchCoverageFigures {
    of: Arc<Coverage>,
    kind: Kind,
}

impl BranchCoverageFigures {
    fn count(&self, by: Option<By>) -> usize {
        self.of.count(self.kind, by)
    }
}

/// How many places of a kind are covered by what; the five of `own` to `uncovered` come to `total`.
#[Object]
impl BranchCoverageFigures {
    /// The kind of place.
    async fn kind(&self) -> BranchCoverageKind {
        self.kind.into()
    }

    /// How many there are.
    async fn total(&self) -> usize {
        self.count(None)
    }

    /// Those with a branch of their own.
    async fn own(&self) -> usize {
        self.count(Some(By::Own))
    }

    /// Those with a joint branch.
    async fn joint(&self) -> usize {
        self.count(Some(By::Joint))
    }

    /// Those with a temporary branch.
    async fn temporary(&self) -> usize {
        self.count(Some(By::Temporary))
    }

    /// Those that an instructor serves.
    async fn instructor(&self) -> usize {
        self.count(Some(By::Instructor))
    }

    /// Those that nothing serves.
    async fn uncovered(&self) -> usize {
        self.count(Some(By::Nothing))
    }

    /// Coverage of organisation (组织覆盖): those with a branch of their own or a joint one, of `total`.
    async fn organization_covered(&self) -> usize {
        self.count(Some(By::Own)) + self.count(Some(By::Joint))
    }

    /// Coverage of work (工作覆盖): those with any branch or an instructor, of `total`.
    async fn work_covered(&self) -> usize {
        self.count(None) - self.count(Some(By::Nothing))
    }

    /// Exactly the places behind a figure, in the order of the register, of codes or of names.
    async fn places(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those covered so; all where absent.")] by: Option<BranchCoverageBy>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<BranchCoveragePlaceConnection> {
        let places: Vec<&Place> = self.of.of(self.kind, by.map(Into::into)).collect();
        let args = args(first, after, last, before);
        let page = held(&places, "place", |place| &place.key, &args).or_api_error(ctx(context))?;
        Ok(page.map(|place| BranchCoveragePlace((*place).clone())).into())
    }
}

held_connection!(BranchCoveragePlaceConnection, BranchCoveragePlaceEdge, BranchCoveragePlace);

/// A place, and what serves it.
#[derive(Clone)]
pub struct BranchCoveragePlace(Place);

/// A place, and what serves it.
#[Object]
impl BranchCoveragePlace {
    /// The kind of place.
    async fn kind(&self) -> BranchCoverageKind {
        self.0.kind.into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// By what it is covered: the best that it has.
    async fn by(&self) -> BranchCoverageBy {
        self.0.by.into()
    }

    /// The region, of a community or compound.
    async fn region(&self) -> Option<Region> {
        self.0.region.clone().map(Region)
    }

    /// The cell, of a grid cell.
    async fn cell(&self) -> Option<GridCell> {
        self.0.cell.clone().map(GridCell)
    }

    /// The organisation, of an enterprise.
    async fn organization(&self) -> Option<Organization> {
        self.0.organization.clone().map(Organization)
    }

    /// Every branch that covers it, also where another covers it better.
    async fn branches(&self, context: &Context<'_>) -> Result<Vec<PartyBranch>> {
        let mut found = loaders::many(context, self.0.branches.iter().copied()).await?;
        let branches = self.0.branches.iter().filter_map(|id| found.remove(id));
        Ok(branches.map(PartyBranch).collect())
    }

    /// The instructors who serve it, also where a branch covers it.
    async fn instructors(&self, context: &Context<'_>) -> Result<Vec<BranchInstructor>> {
        let mut found = loaders::many(context, self.0.instructors.iter().copied()).await?;
        let instructors = self.0.instructors.iter().filter_map(|id| found.remove(id));
        Ok(instructors.map(BranchInstructor).collect())
    }
}
