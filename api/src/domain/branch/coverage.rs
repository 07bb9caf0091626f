//! Coverage of organisation and of work (两个覆盖): which places have a branch, and which of the others a temporary branch or an instructor
//! serves. Every place is counted once, under the best that it has; the same rows are listed.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use concord_entities::{
    alliance, branch_host, branch_instructor, grid_cell, grid_cell_region,
    id::{AllianceId, BranchInstructorId, GridCellId, OrganizationId, PartyBranchId, RegionId},
    membership, organization, party_branch, region,
    region::Level,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::{
    Ctx, Result,
    grid::stands,
    list::statistics::start_of,
    rotation::timetable::{today, zone},
    scope,
    territory::region::below,
};

/// Kinds of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Community,
    GridCell,
    Compound,
    Enterprise,
    Market,
}

/// Every kind of place.
pub const KINDS: [Kind; 5] =
    [Kind::Community, Kind::GridCell, Kind::Compound, Kind::Enterprise, Kind::Market];

/// By what a place is covered: the best that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// A branch of its own.
    Own,
    /// A joint branch.
    Joint,
    /// A temporary branch.
    Temporary,
    /// An instructor.
    Instructor,
    /// Nothing.
    Nothing,
}

/// A place with what serves it.
#[derive(Clone, Debug)]
pub struct Place {
    pub kind: Kind,
    pub by: By,
    /// Orders the places of a kind, each of which has one of its own.
    pub key: String,
    pub name: String,
    pub region: Option<region::Model>,
    pub cell: Option<grid_cell::Model>,
    pub organization: Option<organization::Model>,
    pub branches: Vec<PartyBranchId>,
    pub instructors: Vec<BranchInstructorId>,
}

/// The places of an alliance on a day.
#[derive(Clone, Debug)]
pub struct Coverage {
    pub on: NaiveDate,
    pub places: Vec<Place>,
}

impl Coverage {
    /// The places of a kind, in their order; with `by`, those covered so.
    pub fn of(&self, kind: Kind, by: Option<By>) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(move |place| place.kind == kind && by.is_none_or(|by| place.by == by))
    }

    /// How many they are.
    pub fn count(&self, kind: Kind, by: Option<By>) -> usize {
        self.of(kind, by).count()
    }
}

/// A branch that is at home somewhere on the day.
#[derive(Clone, Copy)]
struct At {
    branch: PartyBranchId,
    by: By,
}

/// What is at home where, and who serves what.
#[derive(Default)]
struct Homes {
    regions: HashMap<RegionId, Vec<At>>,
    /// The same regions by their paths.
    paths: BTreeMap<String, RegionId>,
    cells: HashMap<GridCellId, Vec<At>>,
    organizations: HashMap<OrganizationId, Vec<At>>,
    markets: HashMap<Market, Vec<At>>,
    region_instructors: HashMap<RegionId, Vec<BranchInstructorId>>,
    cell_instructors: HashMap<GridCellId, Vec<BranchInstructorId>>,
    organization_instructors: HashMap<OrganizationId, Vec<BranchInstructorId>>,
    market_instructors: HashMap<Market, Vec<BranchInstructorId>>,
    /// Markets that a host or an instructor has named up to the day.
    known_markets: HashSet<Market>,
}

/// A market by its name, which is its own in each alliance.
type Market = (AllianceId, String);

fn place(
    (kind, key, name): (Kind, String, String),
    at: Vec<At>,
    instructors: Vec<BranchInstructorId>,
) -> Place {
    let by = at.iter().map(|at| at.by).min();
    let by = by.unwrap_or(if instructors.is_empty() { By::Nothing } else { By::Instructor });
    let mut branches: Vec<PartyBranchId> = at.into_iter().map(|at| at.branch).collect();
    branches.sort_unstable();
    branches.dedup();
    Place { kind, by, key, name, region: None, cell: None, organization: None, branches, instructors }
}

/// Reads the coverage of an alliance that the caller may see, on a day. What the alliances below it have covers its places as it covers
/// theirs.
pub async fn of(ctx: &Ctx, alliance: &alliance::Model, on: Option<NaiveDate>) -> Result<Coverage> {
    let on = on.unwrap_or_else(|| today(alliance, ctx.now()));
    let homes = homes(ctx, alliance.id, on).await?;
    let mut places = regions(ctx, alliance, &homes).await?;
    places.extend(cells(ctx, alliance.id, on, &homes).await?);
    places.extend(enterprises(ctx, alliance, on, &homes).await?);
    places.extend(homes.known_markets.iter().map(|market| {
        let at = homes.markets.get(market).cloned().unwrap_or_default();
        let served = homes.market_instructors.get(market).cloned().unwrap_or_default();
        let (alliance, name) = market;
        place((Kind::Market, format!("{name} {alliance}"), name.clone()), at, served)
    }));
    // As cursors compare them, whatever a database takes for the order of letters.
    places.sort_by(|one, other| (one.kind, &one.key).cmp(&(other.kind, &other.key)));
    Ok(Coverage { on, places })
}

async fn homes(ctx: &Ctx, alliance: AllianceId, on: NaiveDate) -> Result<Homes> {
    use branch_host::Column as Host;
    use branch_instructor::Column as Served;
    let mut homes = Homes::default();
    let rows = branch_host::Entity::find()
        .find_also_related(party_branch::Entity)
        .filter(scope::in_alliances(ctx, Host::AllianceId))
        .filter(scope::at_or_below(Host::AllianceId, alliance))
        .filter(Host::SinceOn.lte(on))
        .order_by_asc(Host::Id)
        .all(ctx.read())
        .await?;
    let holds =
        |since: NaiveDate, until: Option<NaiveDate>| since <= on && until.is_none_or(|until| until > on);
    let stands_now = |host: &branch_host::Model| holds(host.since_on, host.until_on);
    let mut hosts: HashMap<PartyBranchId, usize> = HashMap::new();
    for (host, _) in rows.iter().filter(|(host, _)| stands_now(host)) {
        *hosts.entry(host.branch_id).or_default() += 1;
    }
    let mut named: Vec<RegionId> = Vec::new();
    for (host, branch) in &rows {
        if host.kind == branch_host::Kind::Market {
            homes.known_markets.extend(host.name.clone().map(|name| (host.alliance_id, name)));
        }
        let Some(branch) = branch.as_ref().filter(|branch| holds(branch.since_on, branch.until_on)) else {
            continue;
        };
        if !stands_now(host) || branch.kind == party_branch::Kind::PartyGroup {
            continue;
        }
        let is_joint = hosts.get(&branch.id).is_some_and(|hosts| *hosts > 1);
        let by = match (branch.is_temporary, is_joint) {
            (true, _) => By::Temporary,
            (false, true) => By::Joint,
            (false, false) => By::Own,
        };
        let at = At { branch: branch.id, by };
        if let Some(id) = host.region_id {
            homes.regions.entry(id).or_default().push(at);
            named.push(id);
        }
        if let Some(id) = host.cell_id {
            homes.cells.entry(id).or_default().push(at);
        }
        if let Some(id) = host.organization_id {
            homes.organizations.entry(id).or_default().push(at);
        }
        if let (branch_host::Kind::Market, Some(name)) = (host.kind, &host.name) {
            homes.markets.entry((host.alliance_id, name.clone())).or_default().push(at);
        }
    }
    let rows = branch_instructor::Entity::find()
        .filter(scope::in_alliances(ctx, Served::AllianceId))
        .filter(scope::at_or_below(Served::AllianceId, alliance))
        .filter(Served::SinceOn.lte(on))
        .order_by_asc(Served::Id)
        .all(ctx.read())
        .await?;
    for row in rows {
        let market = row.market.map(|name| (row.alliance_id, name));
        homes.known_markets.extend(market.clone());
        if !holds(row.since_on, row.until_on) {
            continue;
        }
        if let Some(id) = row.region_id {
            homes.region_instructors.entry(id).or_default().push(row.id);
            named.push(id);
        }
        if let Some(id) = row.cell_id {
            homes.cell_instructors.entry(id).or_default().push(row.id);
        }
        if let Some(id) = row.served_organization_id {
            homes.organization_instructors.entry(id).or_default().push(row.id);
        }
        if let Some(market) = market {
            homes.market_instructors.entry(market).or_default().push(row.id);
        }
    }
    let paths: Vec<(RegionId, String)> = region::Entity::find()
        .select_only()
        .columns([region::Column::Id, region::Column::Path])
        .filter(crate::domain::page::among(ctx, region::Column::Id, named))
        .into_tuple()
        .all(ctx.read())
        .await?;
    homes.paths = paths.into_iter().map(|(id, path)| (path, id)).collect();
    Ok(homes)
}

/// The communities and compounds of the territory. A place is covered by what is at home in it, itself.
async fn regions(ctx: &Ctx, alliance: &alliance::Model, homes: &Homes) -> Result<Vec<Place>> {
    let Some(top) = region::Entity::find_by_id(alliance.region_id).one(ctx.read()).await? else {
        return Ok(Vec::new());
    };
    let rows = region::Entity::find()
        .filter(below(ctx.app.backend(), &top.path))
        .filter(region::Column::Level.is_in([Level::Village, Level::Compound]))
        .order_by_asc(region::Column::Path)
        .all(ctx.read())
        .await?;
    let face = |region: region::Model| {
        let kind = if region.level == Level::Compound { Kind::Compound } else { Kind::Community };
        let at = homes.regions.get(&region.id).cloned().unwrap_or_default();
        let served = homes.region_instructors.get(&region.id).cloned().unwrap_or_default();
        let place = place((kind, region.path.clone(), region.name.clone()), at, served);
        Place { region: Some(region), ..place }
    };
    Ok(rows.into_iter().map(face).collect())
}

/// The grid cells that stand on the day. A cell is covered by what is at home in it or in a region within its territory.
async fn cells(ctx: &Ctx, alliance: AllianceId, on: NaiveDate, homes: &Homes) -> Result<Vec<Place>> {
    use grid_cell_region::Column as Covers;
    let cells = crate::domain::grid::visible(ctx)
        .filter(scope::at_or_below(grid_cell::Column::AllianceId, alliance))
        .filter(stands(grid_cell::Column::SinceOn, grid_cell::Column::UntilOn, on))
        .order_by_asc(grid_cell::Column::NetworkId)
        .order_by_asc(grid_cell::Column::Code)
        .all(ctx.read())
        .await?;
    let rows = grid_cell_region::Entity::find()
        .find_also_related(region::Entity)
        .filter(scope::in_alliances(ctx, Covers::AllianceId))
        .filter(scope::at_or_below(Covers::AllianceId, alliance))
        .filter(stands(Covers::SinceOn, Covers::UntilOn, on))
        .all(ctx.read())
        .await?;
    let mut territories: HashMap<GridCellId, Vec<String>> = HashMap::new();
    for (row, region) in rows {
        territories.entry(row.cell_id).or_default().extend(region.map(|region| region.path));
    }
    let face = |cell: grid_cell::Model| {
        let mut at = homes.cells.get(&cell.id).cloned().unwrap_or_default();
        let mut served = homes.cell_instructors.get(&cell.id).cloned().unwrap_or_default();
        for outer in territories.get(&cell.id).into_iter().flatten() {
            let within = homes.paths.range(outer.clone()..).take_while(|(path, _)| path.starts_with(outer));
            for (_, region) in within {
                at.extend(homes.regions.get(region).into_iter().flatten());
                served.extend(homes.region_instructors.get(region).into_iter().flatten());
            }
        }
        served.sort_unstable();
        served.dedup();
        let key = format!("{} {}", cell.network_id, cell.code);
        let place = place((Kind::GridCell, key, cell.name.clone()), at, served);
        Place { cell: Some(cell), ..place }
    };
    Ok(cells.into_iter().map(face).collect())
}

/// The enterprises that hold a seat at the end of the day, each once however many alliances it sits in.
async fn enterprises(
    ctx: &Ctx,
    alliance: &alliance::Model,
    on: NaiveDate,
    homes: &Homes,
) -> Result<Vec<Place>> {
    use membership::Column as Seat;
    let end = start_of(zone(alliance), on.succ_opt().unwrap_or(on));
    let rows = membership::Entity::find()
        .find_also_related(organization::Entity)
        .filter(scope::in_alliances(ctx, Seat::AllianceId))
        .filter(scope::at_or_below(Seat::AllianceId, alliance.id))
        .filter(Seat::AdmittedAt.lt(end))
        .filter(Condition::any().add(Seat::EndedAt.is_null()).add(Seat::EndedAt.gte(end)))
        .filter(organization::Column::Kind.eq(organization::Kind::Enterprise))
        .order_by_asc(organization::Column::Name)
        .order_by_asc(organization::Column::Id)
        .all(ctx.read())
        .await?;
    let face = |unit: organization::Model| {
        let at = homes.organizations.get(&unit.id).cloned().unwrap_or_default();
        let served = homes.organization_instructors.get(&unit.id).cloned().unwrap_or_default();
        let key = format!("{} {}", unit.name, unit.id);
        let place = place((Kind::Enterprise, key, unit.name.clone()), at, served);
        Place { organization: Some(unit), ..place }
    };
    let mut units: Vec<_> = rows.into_iter().filter_map(|(_, unit)| unit).collect();
    units.dedup_by_key(|unit| unit.id);
    Ok(units.into_iter().map(face).collect())
}
