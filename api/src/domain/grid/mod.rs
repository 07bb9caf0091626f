//! Grids (网格): networks of cells over an alliance's territory, found and listed. A network is established in `network`; cells are
//! drawn, redrawn and ended in `cell`; who holds them stands in `officer`, who is responsible at a place in `overlay`, what is
//! covered in `report` and, without a database, in `cover`. Everything is dated: a past day answers as it was.

pub mod cell;
pub mod cover;
pub mod network;
pub mod officer;
pub mod overlay;
pub mod report;

use chrono::{Days, NaiveDate};
use concord_entities::{
    alliance,
    grid_cell::{Category, Column, Entity, Model},
    grid_network, grid_officer,
    id::{AllianceId, GridCellId, GridNetworkId, GridOfficerId},
    region,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Select,
};

use crate::domain::{
    Code, Ctx, Error, HELD, Result, Tx,
    page::{self, Order, Page},
    rotation::timetable::no_later,
    scope, text,
};

/// Longest code of a cell.
const CODE: usize = 64;
/// Longest name of a cell.
const NAME: usize = 128;
/// Longest text to look for.
const LOOKED_FOR: usize = 128;

/// The networks that the caller may see.
pub fn visible_networks(ctx: &Ctx) -> Select<grid_network::Entity> {
    grid_network::Entity::find().filter(scope::in_alliances(ctx, grid_network::Column::AllianceId))
}

/// The cells that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// The posts that the caller may see.
pub fn visible_officers(ctx: &Ctx) -> Select<grid_officer::Entity> {
    grid_officer::Entity::find().filter(scope::in_alliances(ctx, grid_officer::Column::AllianceId))
}

/// One network, if the caller may see it.
pub async fn find_network(ctx: &Ctx, id: GridNetworkId) -> Result<Option<grid_network::Model>> {
    Ok(visible_networks(ctx).filter(grid_network::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One cell, if the caller may see it.
pub async fn find(ctx: &Ctx, id: GridCellId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One post, if the caller may see it.
pub async fn find_officer(ctx: &Ctx, id: GridOfficerId) -> Result<Option<grid_officer::Model>> {
    Ok(visible_officers(ctx).filter(grid_officer::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// A condition that holds for what stands on a day.
pub fn stands<C: ColumnTrait>(since: C, until: C, on: NaiveDate) -> Condition {
    Condition::all().add(since.lte(on)).add(from(since, until, on))
}

/// A condition that holds for what stands on a day or after it, perhaps only from later on. What ended on the day on which it began
/// never stood.
fn from<C: ColumnTrait>(since: C, until: C, on: NaiveDate) -> Condition {
    let stood = Condition::all().add(until.gt(on)).add(ExprTrait::gt(until.into_expr(), since.into_expr()));
    Condition::any().add(until.is_null()).add(stood)
}

/// Which cells to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub network_id: Option<GridNetworkId>,
    pub kind: Option<grid_network::Kind>,
    pub level: Option<i32>,
    pub category: Option<Category>,
    /// Standing on this day.
    pub on: Option<NaiveDate>,
    /// Whose code or name contains this.
    pub contains: Option<String>,
}

/// The cells that fit, by their codes.
pub fn listed(ctx: &Ctx, filter: &Filter) -> Result<(Select<Entity>, Order<Column>)> {
    let looked_for = text::optional(filter.contains.as_deref(), "filter.contains", LOOKED_FOR)?;
    let contains = looked_for.map(|part| {
        Condition::any().add(text::contains(Column::Code, &part)).add(text::contains(Column::Name, &part))
    });
    let of_kind = filter.kind.map(|kind| {
        use sea_orm::QueryTrait as _;
        let networks = grid_network::Entity::find()
            .select_only()
            .column(grid_network::Column::Id)
            .filter(grid_network::Column::Kind.eq(kind))
            .into_query();
        Column::NetworkId.in_subquery(networks)
    });
    let wanted = Condition::all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(filter.network_id.map(|id| Column::NetworkId.eq(id)))
        .add_option(of_kind)
        .add_option(filter.level.map(|level| Column::Level.eq(level)))
        .add_option(filter.category.map(|category| Column::Category.eq(category)))
        .add_option(filter.on.map(|on| stands(Column::SinceOn, Column::UntilOn, on)))
        .add_option(contains);
    Ok((visible(ctx).filter(wanted), Order { column: Column::Code, descending: false }))
}

/// The cells that the caller may see, by their codes.
pub async fn list(ctx: &Ctx, filter: &Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = listed(ctx, filter)?;
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// A network under lock: whatever changes in it, changes one after the other.
async fn hold(tx: &Tx<'_>, id: GridNetworkId) -> Result<grid_network::Model> {
    visible_networks(tx.ctx)
        .filter(grid_network::Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("grid_network"))
}

/// A cell with its network under lock.
async fn hold_cell(tx: &Tx<'_>, id: GridCellId) -> Result<Model> {
    let seen = async || -> Result<Model> {
        let row = visible(tx.ctx).filter(Column::Id.eq(id)).one(&tx.db).await?;
        row.ok_or(Error::NotFound("grid_cell"))
    };
    hold(tx, seen().await?.network_id).await?;
    seen().await
}

/// An alliance, and the region that is its territory.
async fn territory(db: &impl ConnectionTrait, id: AllianceId) -> Result<(alliance::Model, region::Model)> {
    let row = alliance::Entity::find_by_id(id).find_also_related(region::Entity).one(db).await?;
    match row {
        Some((alliance, Some(region))) => Ok((alliance, region)),
        _ => Err(Error::NotFound("alliance")),
    }
}

/// Turns away a day earlier than what came before allows.
fn no_earlier(on: NaiveDate, least: NaiveDate, field: &'static str) -> Result<()> {
    if on >= least { Ok(()) } else { Err(Error::invalid(Code::TooEarly, field).with("least", least)) }
}

/// How many days ahead a change may be planned: what is planned cannot be taken back, and a slip in the year would stand long.
const AHEAD: Days = Days::new(366);

/// Turns away a day too far ahead.
pub fn near(on: NaiveDate, today: NaiveDate, field: &'static str) -> Result<()> {
    no_later(on, today.checked_add_days(AHEAD).unwrap_or(today), field)
}

/// The day after.
fn after(on: NaiveDate) -> NaiveDate {
    on.checked_add_days(Days::new(1)).unwrap_or(on)
}

/// Turns away a change of what has an end already.
fn standing(until: Option<NaiveDate>) -> Result<()> {
    match until {
        None => Ok(()),
        Some(_) => Err(Error::refused(Code::StateRefused).with("state", "ended")),
    }
}
