//! Faces of what is covered: sums by region, or by grid cell.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};
use concord_entities::{grid_cell, region};

use crate::{
    domain::{
        self,
        mobilization::{
            cells::Cells,
            coverage::{Of, Sums, View},
            live::Line,
        },
    },
    graphql::{
        grid::cell::GridCell,
        id, loaders,
        territory::region::{Region, RegionLevel},
    },
};

/// How many people a region or a grid cell needs and has. What is missing and what is too many is counted place by place: a community
/// with too many does not make up for one with too few.
#[derive(Clone)]
pub struct CoverageRow {
    sums: Sums,
    region: Option<Arc<region::Model>>,
    cell: Option<Arc<grid_cell::Model>>,
}

impl From<Line> for CoverageRow {
    fn from(line: Line) -> Self {
        Self { sums: line.sums, region: line.region, cell: line.cell }
    }
}

impl From<Sums> for CoverageRow {
    fn from(sums: Sums) -> Self {
        Self { sums, region: None, cell: None }
    }
}

/// How many people a region or a grid cell needs and has. What is missing and what is too many is counted place by place: a community
/// with too many does not make up for one with too few.
#[Object]
impl CoverageRow {
    /// The region; null where sums are asked for by grid cells.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match (&self.region, self.sums.of) {
            (Some(known), _) => Ok(Some(Region(region::Model::clone(known)))),
            (None, Of::Region(region)) => Ok(loaders::one(context, region).await?.map(Region)),
            (None, Of::Cell(_)) => Ok(None),
        }
    }

    /// The grid cell; null where sums are asked for by regions.
    async fn cell(&self, context: &Context<'_>) -> Result<Option<GridCell>> {
        match (&self.cell, self.sums.of) {
            (Some(known), _) => Ok(Some(GridCell(grid_cell::Model::clone(known)))),
            (None, Of::Cell(cell)) => Ok(loaders::one(context, cell).await?.map(GridCell)),
            (None, Of::Region(_)) => Ok(None),
        }
    }

    /// How many people its places need.
    async fn needed(&self) -> i64 {
        self.sums.needed
    }

    /// How many are present.
    async fn present(&self) -> i64 {
        self.sums.present
    }

    /// How many are missing: over its places, what each needs less what it has, where that is more than none.
    async fn uncovered(&self) -> i64 {
        self.sums.uncovered
    }

    /// How many are more than needed, over its places.
    async fn surplus(&self) -> i64 {
        self.sums.surplus
    }
}

/// Which grid cells sums are asked for.
#[derive(InputObject)]
pub struct CoverageCellsInput {
    /// The network: of any alliance that the caller may see and whose territory the order reaches.
    network_id: ID,
    /// Of this level, 1 to 5; of all where absent: a place then counts in a cell of each.
    level: Option<i32>,
}

/// Reads what coverage is asked for.
pub fn view(
    below: Option<&ID>,
    level: Option<RegionLevel>,
    cells: Option<&CoverageCellsInput>,
) -> domain::Result<View> {
    let read = |cells: &CoverageCellsInput| -> domain::Result<Cells> {
        Ok(Cells { network: id::decode(&cells.network_id, "cells.networkId")?, level: cells.level })
    };
    Ok(View {
        below: id::decode_optional(below, "below")?,
        level: level.map(Into::into),
        cells: cells.map(read).transpose()?,
    })
}
