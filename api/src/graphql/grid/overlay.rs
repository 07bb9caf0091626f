//! Face of the overlay: who is responsible at a place, in each network.

use async_graphql::{Context, ID, Object, Result};
use concord_entities::alliance;

use super::{GridNetwork, GridNetworkKind, cell::GridCell, officer::GridOfficer};
use crate::{
    domain::grid::overlay::{self, Overlay, Responsible},
    graphql::{
        ctx, error::OrApiError, governance::alliance::Alliance, grid::cell::PostsOf, id, loaders,
        scalar::Date, territory::region::Region,
    },
};

/// Who is responsible at a place on a day, in each network of an alliance ("fusion" of the grids).
pub struct GridOverlay(Overlay);

/// Who is responsible at a place on a day, in each network of an alliance ("fusion" of the grids).
#[Object]
impl GridOverlay {
    /// The alliance.
    async fn alliance(&self) -> Alliance {
        let row: alliance::Model = self.0.alliance.clone();
        Alliance(row)
    }

    /// The place.
    async fn region(&self) -> Region {
        Region(self.0.region.clone())
    }

    /// The day.
    async fn on(&self) -> Date {
        self.0.on.into()
    }

    /// One for each kind of network, whether the alliance has it or not.
    async fn networks(&self) -> Vec<GridResponsibility> {
        let on = self.0.on;
        self.0.networks.iter().cloned().map(|of| GridResponsibility { of, on }).collect()
    }
}

/// Which cells of one network lie over a place, and who holds them.
pub struct GridResponsibility {
    of: Responsible,
    on: chrono::NaiveDate,
}

/// Which cells of one network lie over a place, and who holds them.
#[Object]
impl GridResponsibility {
    /// The kind of network.
    async fn kind(&self) -> GridNetworkKind {
        self.of.kind.into()
    }

    /// The network; null where the alliance has none of the kind.
    async fn network(&self) -> Option<GridNetwork> {
        self.of.network.clone().map(GridNetwork)
    }

    /// Whether no comprehensive cell of the network lies over the place: a hole.
    async fn is_hole(&self) -> bool {
        use concord_entities::grid_cell::Category;
        self.of.cells.iter().all(|cell| cell.category != Category::Comprehensive)
    }

    /// The cells that lie over the place on the day, the nearest level first; of one level special ones first.
    async fn cells(&self) -> Vec<GridDuty> {
        self.of.cells.iter().cloned().map(|cell| GridDuty { cell: GridCell(cell), on: self.on }).collect()
    }
}

/// A cell that lies over a place, with those who hold it on the day asked for.
pub struct GridDuty {
    cell: GridCell,
    on: chrono::NaiveDate,
}

/// A cell that lies over a place, with those who hold it on the day asked for.
#[Object]
impl GridDuty {
    /// The cell.
    async fn cell(&self) -> GridCell {
        self.cell.clone()
    }

    /// Who holds it on that day: of each role the main one first.
    async fn officers(&self, context: &Context<'_>) -> Result<Vec<GridOfficer>> {
        let mut found = loaders::one(context, PostsOf(self.cell.0.id)).await?.unwrap_or_default();
        found.retain(|row| row.since_on <= self.on && row.until_on.is_none_or(|until| until > self.on));
        found.sort_by_key(|row| (row.role, !row.is_main));
        Ok(found.into_iter().map(GridOfficer).collect())
    }
}

#[derive(Default)]
pub struct GridOverlayQuery;

#[Object]
impl GridOverlayQuery {
    /// Who is responsible at a place on a day: of every network of the alliance the cells whose territory contains it, with their officers of
    /// that day. The place may be anything within the territory, such as a building below a community that is covered; beyond it
    /// the answer is `OUTSIDE_TERRITORY`. Null where there is no such alliance or place, or the caller may not see it.
    async fn grid_overlay(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance whose networks are asked.")] alliance_id: ID,
        #[graphql(desc = "The place, within the alliance's territory.")] region_id: ID,
        #[graphql(desc = "The day; today where absent.")] on: Option<Date>,
    ) -> Result<Option<GridOverlay>> {
        let ctx = ctx(context);
        let found = async {
            let alliance = id::decode(&alliance_id, "allianceId")?;
            overlay::at(ctx, alliance, id::decode(&region_id, "regionId")?, on.map(|on| on.0)).await
        };
        Ok(found.await.or_api_error(ctx)?.map(GridOverlay))
    }
}
