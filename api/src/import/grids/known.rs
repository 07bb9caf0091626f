//! What a file of grid cells is held against: what is on record, found by what the file calls it.

use std::collections::{BTreeMap, HashMap, HashSet};

use concord_entities::{
    alliance, grid_cell, grid_cell_region,
    grid_network::{self, Kind},
    grid_officer,
    id::{GridCellId, RegionId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    domain::{Result, Tx},
    import::known::{Members, Places},
};

/// What is on record, found by what a file calls it.
pub struct Known {
    pub networks: BTreeMap<Kind, grid_network::Model>,
    pub cells: HashMap<(Kind, String), grid_cell::Model>,
    pub covered: HashMap<GridCellId, HashSet<RegionId>>,
    pub officers: HashMap<GridCellId, Vec<grid_officer::Model>>,
    pub units: Members,
    pub places: Places,
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
        let units = Members::load(tx, alliance.id).await?;
        let places = Places::load(tx, alliance).await?;
        Ok(Self { networks, cells, covered, officers, units, places })
    }
}
