//! Who is responsible at a place: the cells of every network that lie over it on a day, the nearest level first.

use chrono::NaiveDate;
use concord_entities::{
    alliance,
    grid_cell::{self, Column},
    grid_cell_region,
    grid_network::{self, Kind},
    id::{AllianceId, RegionId},
    region,
};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{cover::ancestry, stands, visible, visible_networks};
use crate::domain::{Code, Ctx, Error, Result, rotation::timetable::today, scope};

/// Who is responsible at a place on a day.
#[derive(Clone, Debug)]
pub struct Overlay {
    pub alliance: alliance::Model,
    pub region: region::Model,
    pub on: NaiveDate,
    /// One for each kind of network.
    pub networks: Vec<Responsible>,
}

/// The cells of one network that lie over the place.
#[derive(Clone, Debug)]
pub struct Responsible {
    pub kind: Kind,
    /// Absent where the alliance has none of the kind.
    pub network: Option<grid_network::Model>,
    /// The nearest level first.
    pub cells: Vec<grid_cell::Model>,
}

/// Reads who is responsible at a place; nothing where the alliance or the place is not there.
pub async fn at(
    ctx: &Ctx,
    alliance: AllianceId,
    place: RegionId,
    on: Option<NaiveDate>,
) -> Result<Option<Overlay>> {
    use grid_cell_region::Column as Covers;
    ctx.require_signed_in()?;
    let found = alliance::Entity::find()
        .filter(scope::in_alliances(ctx, alliance::Column::Id))
        .filter(alliance::Column::Id.eq(alliance))
        .find_also_related(region::Entity)
        .one(ctx.read())
        .await?;
    let Some((alliance, Some(territory))) = found else { return Ok(None) };
    let Some(region) = region::Entity::find_by_id(place).one(ctx.read()).await? else { return Ok(None) };
    if !region.path.starts_with(&territory.path) {
        return Err(Error::invalid(Code::OutsideTerritory, "regionId"));
    }
    let on = on.unwrap_or_else(|| today(&alliance, ctx.now()));
    let networks = visible_networks(ctx)
        .filter(grid_network::Column::AllianceId.eq(alliance.id))
        .all(ctx.read())
        .await?;
    let around = region::Entity::find()
        .select_only()
        .column(region::Column::Id)
        .filter(region::Column::Path.is_in(ancestry(&region.path)))
        .into_query();
    let covering = grid_cell_region::Entity::find()
        .select_only()
        .column(Covers::CellId)
        .filter(Covers::RegionId.in_subquery(around))
        .filter(stands(Covers::SinceOn, Covers::UntilOn, on))
        .into_query();
    let cells = visible(ctx)
        .filter(Column::AllianceId.eq(alliance.id))
        .filter(Column::Id.in_subquery(covering))
        .filter(stands(Column::SinceOn, Column::UntilOn, on))
        .order_by_desc(Column::Level)
        .order_by_desc(Column::Category)
        .order_by_asc(Column::Code)
        .all(ctx.read())
        .await?;
    let of = |kind: Kind| {
        let network = networks.iter().find(|network| network.kind == kind).cloned();
        let is_of = |cell: &&grid_cell::Model| network.as_ref().is_some_and(|own| own.id == cell.network_id);
        let cells = cells.iter().filter(is_of).cloned().collect();
        Responsible { kind, network, cells }
    };
    let networks = Kind::iter().map(of).collect();
    Ok(Some(Overlay { alliance, region, on, networks }))
}
