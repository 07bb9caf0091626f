//! What an order covers by the cells of a grid network: a place counts in every cell over it, once in each. Cells hold no counters of
//! their own; they are summed up from the places, so that they are as right as these.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use concord_entities::{
    alliance,
    grid_cell::{self, Column, Model},
    grid_cell_region, grid_network,
    id::{GridCellId, GridNetworkId},
    mobilization, region,
};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait};

use super::coverage::{Leaf, Of, Sums};
use crate::domain::{
    Code, Ctx, Error, Result, grid,
    grid::{cell::LEVELS, cover::ancestry},
    page,
    rotation::timetable::today,
    text,
};

/// Which cells: those of a network, of one level where it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cells {
    pub network: GridNetworkId,
    pub level: Option<i32>,
}

impl Cells {
    /// Turns away a network that the caller may not see, and a level that none has.
    pub async fn check(self, ctx: &Ctx) -> Result<()> {
        if let Some(level) = self.level {
            text::within(level, "cells.level", 1, LEVELS)?;
        }
        grid::find_network(ctx, self.network).await?.map(drop).ok_or(Error::NotFound("grid_network"))
    }
}

/// A cell with the paths of what it covers.
pub type Covering = (Model, Vec<String>);

/// The cells as they stand today, or stood on the day on which the order ended.
pub async fn standing(ctx: &Ctx, cells: Cells, order: &mobilization::Model) -> Result<Vec<Covering>> {
    use grid_cell_region::Column as Covers;
    let network = grid::visible_networks(ctx)
        .filter(grid_network::Column::Id.eq(cells.network))
        .find_also_related(alliance::Entity)
        .one(ctx.read())
        .await?;
    let Some((network, Some(alliance))) = network else { return Err(Error::NotFound("grid_network")) };
    let on: NaiveDate = today(&alliance, order.ended_at.unwrap_or_else(|| ctx.now()));
    let mut wanted = grid::visible(ctx).filter(Column::NetworkId.eq(network.id)).filter(grid::stands(
        Column::SinceOn,
        Column::UntilOn,
        on,
    ));
    if let Some(level) = cells.level {
        wanted = wanted.filter(Column::Level.eq(level));
    }
    let found = wanted.all(ctx.read()).await?;
    let paths: Vec<(GridCellId, String)> = grid_cell_region::Entity::find()
        .select_only()
        .column(Covers::CellId)
        .column(region::Column::Path)
        .join(JoinType::InnerJoin, grid_cell_region::Relation::Region.def())
        .filter(page::among(ctx, Covers::CellId, found.iter().map(|cell| cell.id)))
        .filter(grid::stands(Covers::SinceOn, Covers::UntilOn, on))
        .into_tuple()
        .all(ctx.read())
        .await?;
    let mut covered: HashMap<GridCellId, Vec<String>> = HashMap::new();
    for (cell, path) in paths {
        covered.entry(cell).or_default().push(path);
    }
    Ok(found
        .into_iter()
        .map(|cell| {
            let paths = covered.remove(&cell.id).unwrap_or_default();
            (cell, paths)
        })
        .collect())
}

/// Sums up the places below `top` by the cells over them; the greatest gap first, then by code. Pure.
pub fn board(leaves: &[&Leaf], top: &str, cells: &[Covering]) -> Vec<Sums> {
    let mut over: HashMap<&str, Vec<&grid_cell::Model>> = HashMap::new();
    for (cell, paths) in cells {
        for path in paths {
            over.entry(path).or_default().push(cell);
        }
    }
    let mut sums: HashMap<GridCellId, Sums> = HashMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.path.starts_with(top)) {
        // A cell that covers a community and a compound in it counts the compound once.
        let mut seen: HashSet<GridCellId> = HashSet::new();
        for cell in ancestry(&leaf.path).filter_map(|path| over.get(path)).flatten() {
            if seen.insert(cell.id) {
                sums.entry(cell.id).or_insert_with(|| Sums::none(Of::Cell(cell.id), &cell.code)).count(leaf);
            }
        }
    }
    Sums::in_order(sums.into_values())
}

/// Cells and regions are two ways to sum up.
pub fn one_way(cells: Option<Cells>, level: Option<region::Level>) -> Result<()> {
    if cells.is_some() && level.is_some() {
        return Err(Error::invalid(Code::Malformed, "level").with("expected", "null"));
    }
    Ok(())
}
