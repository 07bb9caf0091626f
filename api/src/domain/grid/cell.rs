//! The verbs of a cell: it is drawn over places of the territory, redrawn from a day on, and ended. Two comprehensive cells of one level
//! never cover one place on one day; the network's lock makes that so under any concurrency.

use std::collections::HashSet;

use chrono::NaiveDate;
use concord_entities::{
    alliance, branch_host, branch_instructor,
    grid_cell::{self, Category, Column, Entity, Model},
    grid_cell_region, grid_network, grid_officer,
    id::{AllianceId, GridCellId, GridNetworkId, RegionId},
    region::{self, Level},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait,
    IntoActiveModel, JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationTrait, Select,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    CODE, NAME, after,
    cover::{Cover, ancestry},
    from, hold, hold_cell, near, no_earlier, standing, territory,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx, governance,
    governance::alliance::expect_version,
    rotation::timetable::today,
    territory::region::{below, id_of_code},
    text,
};

/// Levels of a network (五级网格).
pub const LEVELS: i32 = 5;
/// Most regions that a cell covers.
const MOST_REGIONS: usize = 200;
/// What a cell may cover.
const COVERED: [Level; 4] = [Level::Village, Level::NaturalVillage, Level::Compound, Level::Building];

/// A cell to draw.
#[derive(Clone, Debug)]
pub struct NewCell {
    /// The cell of the level above.
    pub parent_id: Option<GridCellId>,
    pub code: String,
    pub name: String,
    /// 1 to 5; 1 is the highest.
    pub level: i32,
    pub category: Category,
    /// What it covers.
    pub region_ids: Vec<RegionId>,
    /// The first day; today where absent.
    pub since: Option<NaiveDate>,
}

/// Draws a cell. Only the committee may.
pub async fn draw(ctx: &Ctx, network: GridNetworkId, new: NewCell) -> Result<Model> {
    let tx = ctx.begin().await?;
    let network = hold(&tx, network).await?;
    ctx.require(&tx.db, Action::DrawGridCell, Target::alliance(network.alliance_id)).await?;
    let row = insert(&tx, &network, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Draws a cell within a unit of work whose rights were checked and that holds the network.
pub async fn insert(tx: &Tx<'_>, network: &grid_network::Model, new: NewCell) -> Result<Model> {
    let code = text::required(&new.code, "code", CODE)?;
    let name = text::required(&new.name, "name", NAME)?;
    let level = text::within(new.level, "level", 1, LEVELS)?;
    let (alliance, regions) = regions(tx, network.alliance_id, &new.region_ids).await?;
    let today = today(&alliance, tx.ctx.now());
    let since = new.since.unwrap_or(today);
    near(since, today, "since")?;
    if let Some(parent) = new.parent_id {
        let parent = Entity::find_by_id(parent).filter(Column::NetworkId.eq(network.id)).one(&tx.db).await?;
        let parent = parent.ok_or(Error::NotFound("grid_cell"))?;
        stand_below(&parent, level, since)?;
        lie_in(tx, &parent, &regions, since).await?;
    }
    let namesake = Entity::find()
        .filter(Column::NetworkId.eq(network.id))
        .filter(Column::Code.eq(&code))
        .filter(from(Column::SinceOn, Column::UntilOn, since))
        .one(&tx.db)
        .await?;
    if namesake.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "code"));
    }
    if new.category == Category::Comprehensive {
        refuse_overlap(tx, (network.id, level, None), &regions, since).await?;
    }
    let row = grid_cell::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(network.alliance_id),
        network_id: Set(network.id),
        parent_id: Set(new.parent_id),
        code: Set(code),
        name: Set(name),
        level: Set(level),
        category: Set(new.category),
        since_on: Set(since),
        until_on: Set(None),
        created_at: Set(tx.ctx.now()),
        created_by: Set(tx.ctx.author()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    cover(tx, &row, regions.iter().map(|region| region.id), since).await?;
    let fact = fact(Event::GridCellDrawn, &row).detail("level", row.level).detail("since", since.to_string());
    tx.record(fact.detail("category", row.category.to_value())).await?;
    Ok(row)
}

fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id)
        .alliance(row.alliance_id)
        .detail("code", row.code.clone())
        .detail("name", row.name.clone())
}

/// A cell stands directly below one of the level above, and no earlier than that one.
fn stand_below(parent: &Model, level: i32, since: NaiveDate) -> Result<()> {
    if parent.until_on.is_some() {
        return Err(Error::invalid(Code::ParentEnded, "parentId"));
    }
    if parent.level + 1 != level {
        return Err(Error::invalid(Code::GridLevelJump, "parentId").with("level", parent.level + 1));
    }
    no_earlier(since, parent.since_on, "since")
}

/// A cell covers nothing that the one above it does not cover, from the day on and as far as is planned.
async fn lie_in(tx: &Tx<'_>, parent: &Model, regions: &[region::Model], since: NaiveDate) -> Result<()> {
    use grid_cell_region::Column as Covers;
    let above: Vec<String> = covered()
        .filter(Covers::CellId.eq(parent.id))
        .filter(Covers::SinceOn.lte(since))
        .filter(Covers::UntilOn.is_null())
        .into_tuple()
        .all(&tx.db)
        .await?;
    let above: Cover = above.into_iter().collect();
    match regions.iter().position(|region| !above.covers(&region.path)) {
        None => Ok(()),
        Some(index) => Err(Error::invalid(Code::GridOutsideParent, format!("regionIds.{index}"))
            .with("cell", format!("{} {}", parent.code, parent.name))),
    }
}

/// What stands below a cell keeps lying in it, from the day on.
async fn hold_those_below(
    tx: &Tx<'_>,
    cell: &Model,
    regions: &[region::Model],
    since: NaiveDate,
) -> Result<()> {
    use grid_cell_region::Column as Covers;
    let mine: Cover = regions.iter().map(|region| region.path.clone()).collect();
    let below: Vec<String> = covered()
        .filter(Column::ParentId.eq(cell.id))
        .filter(from(Covers::SinceOn, Covers::UntilOn, since))
        .into_tuple()
        .all(&tx.db)
        .await?;
    if below.iter().all(|path| mine.covers(path)) {
        Ok(())
    } else {
        Err(Error::invalid(Code::GridOutsideParent, "regionIds")
            .with("cell", format!("{} {}", cell.code, cell.name)))
    }
}

/// The paths of what cells cover.
fn covered() -> Select<grid_cell_region::Entity> {
    grid_cell_region::Entity::find()
        .select_only()
        .column(region::Column::Path)
        .join(JoinType::InnerJoin, grid_cell_region::Relation::Cell.def())
        .join(JoinType::InnerJoin, grid_cell_region::Relation::Region.def())
}

/// The regions to cover, each once and within the territory, and the alliance.
async fn regions(
    tx: &Tx<'_>,
    alliance: AllianceId,
    ids: &[RegionId],
) -> Result<(alliance::Model, Vec<region::Model>)> {
    if ids.is_empty() {
        return Err(Error::invalid(Code::Required, "regionIds"));
    }
    if ids.len() > MOST_REGIONS {
        return Err(Error::invalid(Code::OutOfRange, "regionIds")
            .with("least", 1)
            .with("most", MOST_REGIONS));
    }
    let (alliance, outer) = territory(&tx.db, alliance).await?;
    let found =
        region::Entity::find().filter(region::Column::Id.is_in(ids.iter().copied())).all(&tx.db).await?;
    let mut regions: Vec<region::Model> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let at = || format!("regionIds.{index}");
        let region = found.iter().find(|region| region.id == *id);
        let region = region.ok_or_else(|| Error::NotFound("region").at(at()))?;
        if !region.path.starts_with(&outer.path) {
            return Err(Error::invalid(Code::OutsideTerritory, at()));
        }
        if !COVERED.contains(&region.level) {
            return Err(Error::invalid(Code::RegionAboveCommunity, at()));
        }
        if !regions.contains(region) {
            regions.push(region.clone());
        }
    }
    Ok((alliance, regions))
}

/// Turns away a territory of which another comprehensive cell of the level covers a part from the day on.
async fn refuse_overlap(
    tx: &Tx<'_>,
    (network, level, own): (GridNetworkId, i32, Option<GridCellId>),
    regions: &[region::Model],
    since: NaiveDate,
) -> Result<()> {
    use grid_cell_region::Column as Covers;
    let others = |place: Condition| {
        grid_cell_region::Entity::find()
            .select_only()
            .columns([region::Column::Path])
            .columns([Column::Code, Column::Name])
            .join(JoinType::InnerJoin, grid_cell_region::Relation::Cell.def())
            .join(JoinType::InnerJoin, grid_cell_region::Relation::Region.def())
            .filter(place)
            .filter(Column::NetworkId.eq(network))
            .filter(Column::Level.eq(level))
            .filter(Column::Category.eq(Category::Comprehensive))
            .filter(Condition::all().add_option(own.map(|own| Column::Id.ne(own))))
            .filter(from(Covers::SinceOn, Covers::UntilOn, since))
            .order_by_asc(Column::Code)
            .into_tuple::<(String, String, String)>()
    };
    let above: HashSet<RegionId> =
        regions.iter().flat_map(|region| ancestry(&region.path)).filter_map(region_of).collect();
    let mut under = Condition::any();
    for region in regions.iter().filter(|region| region.level != Level::Building) {
        under = under.add(below(tx.ctx.app.backend(), &region.path));
    }
    let mut found = others(Condition::all().add(Covers::RegionId.is_in(above))).one(&tx.db).await?;
    if found.is_none() && !under.is_empty() {
        found = others(under).one(&tx.db).await?;
    }
    let Some((path, code, name)) = found else { return Ok(()) };
    let (index, region) = regions
        .iter()
        .enumerate()
        .find(|(_, region)| region.path.starts_with(&path) || path.starts_with(&region.path))
        .ok_or_else(|| Error::internal("an overlap with none of the regions"))?;
    Err(Error::invalid(Code::GridOverlap, format!("regionIds.{index}"))
        .with("cell", format!("{code} {name}"))
        .with("region", &region.name))
}

/// The region at the end of a path: a code's, or one that is told by its identifier.
fn region_of(path: &str) -> Option<RegionId> {
    let step = path.strip_suffix('/')?.rsplit('/').next()?;
    Some(Uuid::try_parse(step).map_or_else(|_| id_of_code(step), RegionId))
}

async fn cover(
    tx: &Tx<'_>,
    cell: &Model,
    regions: impl IntoIterator<Item = RegionId>,
    since: NaiveDate,
) -> Result<()> {
    let rows: Vec<_> = regions
        .into_iter()
        .map(|region| grid_cell_region::ActiveModel {
            cell_id: Set(cell.id),
            region_id: Set(region),
            since_on: Set(since),
            until_on: Set(None),
            alliance_id: Set(cell.alliance_id),
        })
        .collect();
    if !rows.is_empty() {
        grid_cell_region::Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    }
    Ok(())
}

/// Which cell, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    pub id: GridCellId,
    pub expected_version: Option<i64>,
}

/// A standing cell under lock, the caller's right checked.
async fn open(tx: &Tx<'_>, which: Which, action: Action) -> Result<Model> {
    let row = hold_cell(tx, which.id).await?;
    tx.ctx.require(&tx.db, action, Target::alliance(row.alliance_id)).await?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    standing(row.until_on)?;
    Ok(row)
}

/// Gives a cell another territory from a day on; up to then it stays what it was. Only the committee may.
pub async fn redraw(
    ctx: &Ctx,
    which: Which,
    region_ids: &[RegionId],
    since: Option<NaiveDate>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let row = open(&tx, which, Action::RedrawGridCell).await?;
    let row = amend(&tx, row, region_ids, since).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Gives a cell another territory within a unit of work whose rights were checked and that holds the network.
pub async fn amend(
    tx: &Tx<'_>,
    row: Model,
    region_ids: &[RegionId],
    since: Option<NaiveDate>,
) -> Result<Model> {
    use grid_cell_region::Column as Covers;
    let (alliance, regions) = regions(tx, row.alliance_id, region_ids).await?;
    let today = today(&alliance, tx.ctx.now());
    let since = since.unwrap_or(today);
    near(since, today, "since")?;
    let covered = grid_cell_region::Entity::find().filter(Covers::CellId.eq(row.id)).all(&tx.db).await?;
    let changes = covered.iter().flat_map(|row| [Some(row.since_on), row.until_on]);
    let last = changes.flatten().max();
    no_earlier(since, after(last.unwrap_or(row.since_on)), "since")?;
    let now: HashSet<RegionId> =
        covered.iter().filter(|row| row.until_on.is_none()).map(|row| row.region_id).collect();
    let wanted: HashSet<RegionId> = regions.iter().map(|region| region.id).collect();
    if now == wanted {
        return Err(Error::invalid(Code::AlreadyExists, "regionIds"));
    }
    if let Some(parent) = row.parent_id {
        let parent = Entity::find_by_id(parent).one(&tx.db).await?.ok_or(Error::NotFound("grid_cell"))?;
        lie_in(tx, &parent, &regions, since).await?;
    }
    hold_those_below(tx, &row, &regions, since).await?;
    if row.category == Category::Comprehensive {
        refuse_overlap(tx, (row.network_id, row.level, Some(row.id)), &regions, since).await?;
    }
    let given_up = now.difference(&wanted).copied();
    grid_cell_region::Entity::update_many()
        .col_expr(Covers::UntilOn, Expr::value(since))
        .filter(Covers::CellId.eq(row.id))
        .filter(Covers::UntilOn.is_null())
        .filter(Covers::RegionId.is_in(given_up))
        .exec(&tx.db)
        .await?;
    let added = regions.iter().map(|region| region.id).filter(|id| !now.contains(id));
    cover(tx, &row, added, since).await?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(fact(Event::GridCellRedrawn, &row).detail("since", since.to_string())).await?;
    Ok(row)
}

/// Ends a cell below which none stands any more and in which no branch is at home, and with it who holds it. Only the committee may.
pub async fn end(ctx: &Ctx, which: Which, until: Option<NaiveDate>) -> Result<Model> {
    use grid_cell_region::Column as Covers;
    use grid_officer::Column as Post;
    // Whose it is never changes, and is read ahead of the unit of work.
    let of = super::find(ctx, which.id).await?.ok_or(Error::NotFound("grid_cell"))?.alliance_id;
    let tx = ctx.begin().await?;
    // Branches and instructors come to a cell under the lock of the alliance.
    let alliance = governance::alliance::hold(&tx, of).await?;
    let row = open(&tx, which, Action::EndGridCell).await?;
    let covered = grid_cell_region::Entity::find().filter(Covers::CellId.eq(row.id)).all(&tx.db).await?;
    // What was planned is on record: a place that is given up later on would outlive the cell.
    let planned = covered.iter().flat_map(|row| [Some(row.since_on), row.until_on]).flatten();
    let last = planned.max().unwrap_or(row.since_on);
    let today = today(&alliance, ctx.now());
    let until = until.unwrap_or(today);
    near(until, today, "until")?;
    no_earlier(until, last, "until")?;
    let child = Entity::find()
        .filter(Column::ParentId.eq(row.id))
        .filter(from(Column::SinceOn, Column::UntilOn, until))
        .order_by_asc(Column::Code)
        .one(&tx.db)
        .await?;
    if let Some(child) = child {
        let name = format!("{} {}", child.code, child.name);
        return Err(Error::refused(Code::OthersStandBelow).with("name", name));
    }
    refuse_home(&tx, &row, until).await?;
    grid_cell_region::Entity::update_many()
        .col_expr(Covers::UntilOn, Expr::value(until))
        .filter(Covers::CellId.eq(row.id))
        .filter(Covers::UntilOn.is_null())
        .exec(&tx.db)
        .await?;
    // Whoever was to hold it from later on never does, and nobody does for longer.
    let ends = Expr::case(Expr::col(Post::SinceOn).gt(until), Expr::col(Post::SinceOn)).finally(until);
    grid_officer::Entity::update_many()
        .col_expr(Post::UntilOn, ends.into())
        .col_expr(Post::Version, Expr::col(Post::Version).add(1))
        .filter(Post::CellId.eq(row.id))
        .filter(Post::UntilOn.is_null().or(Post::UntilOn.gt(until)))
        .exec(&tx.db)
        .await?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.until_on = Set(Some(until));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(fact(Event::GridCellEnded, &row).detail("until", until.to_string())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// No cell ends while branches are at home in it or instructors serve it, who would be nowhere from then on.
async fn refuse_home(tx: &Tx<'_>, cell: &Model, until: NaiveDate) -> Result<()> {
    let branches = {
        use branch_host::{Column, Entity, Kind};
        Entity::find()
            .filter(Column::AllianceId.eq(cell.alliance_id))
            .filter(Column::Kind.eq(Kind::GridCell))
            .filter(Column::CellId.eq(cell.id))
            .filter(from(Column::SinceOn, Column::UntilOn, until))
            .count(&tx.db)
            .await?
    };
    let instructors = {
        use branch_instructor::{Column, Entity};
        Entity::find()
            .filter(Column::AllianceId.eq(cell.alliance_id))
            .filter(Column::CellId.eq(cell.id))
            .filter(from(Column::SinceOn, Column::UntilOn, until))
            .count(&tx.db)
            .await?
    };
    if branches + instructors == 0 {
        return Ok(());
    }
    Err(Error::refused(Code::HostsBranches).with("branches", branches).with("instructors", instructors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_a_path_names_its_region() {
        assert_eq!(region_of("/63/6322/"), Some(id_of_code("6322")));
        let id = Uuid::from_u128(7);
        assert_eq!(region_of(&format!("/63/{}/", id.simple())), Some(RegionId(id)));
        assert_eq!(region_of("63"), None);
    }
}
