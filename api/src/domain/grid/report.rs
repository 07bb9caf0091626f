//! What a network covers of its alliance's territory on a day: holes, and places that two cells of one level cover. Read from the
//! territory's own regions and the network's own cells, however large the register is.

use std::collections::HashMap;

use chrono::NaiveDate;
use concord_entities::{
    alliance,
    grid_cell::{self, Category, Column},
    grid_cell_region, grid_network,
    id::RegionId,
    region::{self, Level},
};
use sea_orm::{
    ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
};

use super::{
    cover::{Cover, nested},
    stands,
};
use crate::domain::{
    Ctx, Error, Result,
    page::{self, Order, Page},
    territory::region::below,
};

/// What the comprehensive cells of a network cover on a day.
fn covered(network: &grid_network::Model, on: NaiveDate) -> Select<grid_cell_region::Entity> {
    use grid_cell_region::Column as Covers;
    grid_cell_region::Entity::find()
        .join(JoinType::InnerJoin, grid_cell_region::Relation::Cell.def())
        .join(JoinType::InnerJoin, grid_cell_region::Relation::Region.def())
        .filter(Column::NetworkId.eq(network.id))
        .filter(Column::Category.eq(Category::Comprehensive))
        .filter(stands(Column::SinceOn, Column::UntilOn, on))
        .filter(stands(Covers::SinceOn, Covers::UntilOn, on))
}

/// The holes of a network on a day: compounds and natural villages that no comprehensive cell covers, and communities of which none
/// covers anything. In the order of the tree.
pub async fn gaps(
    ctx: &Ctx,
    network: &grid_network::Model,
    on: NaiveDate,
    args: &page::Args,
) -> Result<Page<region::Entity>> {
    let territory = alliance::Entity::find_by_id(network.alliance_id)
        .find_also_related(region::Entity)
        .one(ctx.read())
        .await?;
    let top = territory.and_then(|(_, region)| region).ok_or_else(|| Error::internal("no territory"))?;
    let paths: Vec<String> =
        covered(network, on).select_only().column(region::Column::Path).into_tuple().all(ctx.read()).await?;
    let cover: Cover = paths.into_iter().collect();
    let places: Vec<(RegionId, String, Level)> = region::Entity::find()
        .select_only()
        .columns([region::Column::Id, region::Column::Path, region::Column::Level])
        .filter(below(ctx.app.backend(), &top.path))
        .filter(region::Column::Level.is_in([Level::Village, Level::NaturalVillage, Level::Compound]))
        .into_tuple()
        .all(ctx.read())
        .await?;
    let is_hole = |(_, path, level): &(RegionId, String, Level)| {
        !cover.covers(path) && (*level != Level::Village || !cover.touches(path))
    };
    let holes = places.into_iter().filter(is_hole).map(|(id, ..)| id);
    let select = region::Entity::find().filter(page::among(ctx, region::Column::Id, holes));
    let order = Order { column: region::Column::Path, descending: false };
    page::fetch(ctx, select, order, region::Column::Id, args).await
}

/// Two cells of one level that cover one place on a day.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// The smaller of the two places.
    pub region: region::Model,
    pub cells: [grid_cell::Model; 2],
    /// The place's path and the codes of the cells, by which overlaps are sorted.
    pub key: String,
}

/// The overlaps of a network on a day, in the order of the tree, each once. The verbs let none arise; a register that moves a region
/// may.
pub async fn overlaps(ctx: &Ctx, network: &grid_network::Model, on: NaiveDate) -> Result<Vec<Overlap>> {
    let rows = covered(network, on)
        .select_also(grid_cell::Entity)
        .order_by_asc(Column::Code)
        .all(ctx.read())
        .await?;
    let ids = rows.iter().map(|(row, _)| row.region_id);
    let regions = region::Entity::find().filter(page::among(ctx, region::Column::Id, ids)).all(ctx.read());
    let regions: HashMap<RegionId, region::Model> =
        regions.await?.into_iter().map(|region| (region.id, region)).collect();
    let rows: Vec<(grid_cell::Model, &region::Model)> =
        rows.into_iter().filter_map(|(row, cell)| Some((cell?, regions.get(&row.region_id)?))).collect();
    let paths: Vec<&str> = rows.iter().map(|(_, region)| region.path.as_str()).collect();
    let overlaps = nested(&paths).into_iter().filter_map(|(outer, inner)| {
        let ((one, _), (other, region)) = (rows.get(outer)?, rows.get(inner)?);
        let differ = one.id != other.id && one.level == other.level;
        differ.then(|| Overlap {
            region: (*region).clone(),
            cells: [one.clone(), other.clone()],
            key: format!("{} {} {}", region.path, one.code, other.code),
        })
    });
    let mut overlaps: Vec<Overlap> = overlaps.collect();
    overlaps.sort_by(|one, other| one.key.cmp(&other.key));
    overlaps.dedup_by(|one, other| one.key == other.key);
    Ok(overlaps)
}
