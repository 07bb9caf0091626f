//! What a file of grid cells is held against: what is on record, found by what the file calls it.

use std::collections::{BTreeMap, HashMap, HashSet};

use concord_entities::{
    alliance, grid_cell, grid_cell_region,
    grid_network::{self, Kind},
    grid_officer,
    id::{GridCellId, OrganizationId, RegionId},
    membership, organization,
    region::{self, Level},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::domain::{Code, Error, Result, Tx, territory::region::below};

/// Endings of official names that people leave out.
const ENDINGS: [&str; 4] = ["居民委员会", "村民委员会", "居委会", "村委会"];

/// What is on record, found by what a file calls it.
pub struct Known {
    pub networks: BTreeMap<Kind, grid_network::Model>,
    pub cells: HashMap<(Kind, String), grid_cell::Model>,
    pub covered: HashMap<GridCellId, HashSet<RegionId>>,
    pub officers: HashMap<GridCellId, Vec<grid_officer::Model>>,
    pub units: HashMap<String, OrganizationId>,
    /// Regions of the territory by code and by name, each with its path.
    places: HashMap<String, Vec<(RegionId, String)>>,
}

impl Known {
    pub async fn load(tx: &Tx<'_>, alliance: &alliance::Model) -> Result<Self> {
        let db = &tx.db;
        let mut networks = BTreeMap::new();
        let rows =
            grid_network::Entity::find().filter(grid_network::Column::AllianceId.eq(alliance.id)).all(db);
        for row in rows.await? {
            networks.insert(row.kind, row);
        }
        let kinds: HashMap<_, Kind> = networks.iter().map(|(kind, row)| (row.id, *kind)).collect();
        let rows = grid_cell::Entity::find()
            .filter(grid_cell::Column::AllianceId.eq(alliance.id))
            .filter(grid_cell::Column::UntilOn.is_null())
            .all(db)
            .await?;
        let kind = |row: &grid_cell::Model| kinds.get(&row.network_id).copied().unwrap_or(Kind::Party);
        let cells = rows.into_iter().map(|row| ((kind(&row), row.code.clone()), row)).collect();
        let rows = grid_cell_region::Entity::find()
            .filter(grid_cell_region::Column::AllianceId.eq(alliance.id))
            .filter(grid_cell_region::Column::UntilOn.is_null())
            .all(db)
            .await?;
        let mut covered: HashMap<GridCellId, HashSet<RegionId>> = HashMap::new();
        for row in rows {
            covered.entry(row.cell_id).or_default().insert(row.region_id);
        }
        let rows = grid_officer::Entity::find()
            .filter(grid_officer::Column::AllianceId.eq(alliance.id))
            .filter(grid_officer::Column::UntilOn.is_null())
            .all(db)
            .await?;
        let mut officers: HashMap<GridCellId, Vec<grid_officer::Model>> = HashMap::new();
        for row in rows {
            officers.entry(row.cell_id).or_default().push(row);
        }
        let rows = membership::Entity::find()
            .find_also_related(organization::Entity)
            .filter(membership::Column::AllianceId.eq(alliance.id))
            .filter(membership::Column::State.eq(membership::State::Active))
            .all(db)
            .await?;
        let mut units = HashMap::new();
        for unit in rows.into_iter().filter_map(|(_, unit)| unit) {
            // A full name or code wins over somebody else's short name.
            if let Some(name) = unit.short_name {
                units.entry(name).or_insert(unit.id);
            }
            for name in [Some(unit.name), unit.credit_code].into_iter().flatten() {
                units.insert(name, unit.id);
            }
        }
        let places = places(tx, alliance).await?;
        Ok(Self { networks, cells, covered, officers, units, places })
    }

    /// The region that a text names: by its code, its name, or its name behind that of something above it.
    pub fn place(&self, text: &str) -> Result<RegionId> {
        let unknown = || Error::refused(Code::ImportUnknown).with("value", text);
        let mut found: Option<Vec<(RegionId, String)>> = None;
        for part in text.split(['/', '／']).map(str::trim) {
            let named = self.places.get(part).ok_or_else(unknown)?;
            let within = |path: &String| {
                found.as_ref().is_none_or(|above| {
                    above.iter().any(|(_, outer)| path != outer && path.starts_with(outer))
                })
            };
            let next = named.iter().filter(|(_, path)| within(path)).cloned().collect();
            found = Some(next);
        }
        match found.unwrap_or_default().as_slice() {
            [(id, _)] => Ok(*id),
            [] => Err(unknown()),
            _ => Err(Error::refused(Code::ImportAmbiguous).with("value", text)),
        }
    }
}

/// The places of an alliance's territory by what people call them.
async fn places(tx: &Tx<'_>, alliance: &alliance::Model) -> Result<HashMap<String, Vec<(RegionId, String)>>> {
    let mut places: HashMap<String, Vec<(RegionId, String)>> = HashMap::new();
    let top = region::Entity::find_by_id(alliance.region_id).one(&tx.db).await?;
    let Some(top) = top else { return Ok(places) };
    let rows = region::Entity::find()
        .filter(below(tx.ctx.app.backend(), &top.path))
        .filter(region::Column::Level.is_in([
            Level::Township,
            Level::Village,
            Level::NaturalVillage,
            Level::Compound,
            Level::Building,
        ]))
        .all(&tx.db)
        .await?;
    for row in rows {
        let short =
            ENDINGS.iter().find_map(|ending| row.name.strip_suffix(ending)).filter(|it| !it.is_empty());
        let names = [row.code.as_deref(), Some(row.name.as_str()), short];
        for name in names.into_iter().flatten() {
            let known = places.entry(name.to_owned()).or_default();
            if known.iter().all(|(id, _)| *id != row.id) {
                known.push((row.id, row.path.clone()));
            }
        }
    }
    Ok(places)
}
