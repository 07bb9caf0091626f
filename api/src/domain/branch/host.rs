//! Where a branch is at home: a region of the territory, a grid cell, a member unit, or a place that has no record. Two or more make it a
//! joint branch (联合党支部).

use chrono::NaiveDate;
use concord_entities::{
    alliance,
    branch_host::{self, Column, Entity, Kind, Model},
    grid_cell,
    id::{GridCellId, OrganizationId, RegionId},
    party_branch, region,
    region::Level,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::no_earlier;
use crate::domain::{Code, Error, Result, Tx, governance::membership, text};

/// Most hosts of a branch.
const MOST: usize = 50;
/// Longest name of a place.
const NAME: usize = 128;

/// A host as it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewHost {
    Region(RegionId),
    Cell(GridCellId),
    Organization(OrganizationId),
    /// What has no record of its own, by its kind and name.
    Place(Kind, String),
}

/// A host that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    kind: Kind,
    host: NewHost,
}

impl Checked {
    fn is(&self, row: &Model) -> bool {
        match &self.host {
            NewHost::Region(id) => row.region_id == Some(*id),
            NewHost::Cell(id) => row.cell_id == Some(*id),
            NewHost::Organization(id) => row.organization_id == Some(*id),
            NewHost::Place(kind, name) => row.kind == *kind && row.name.as_ref() == Some(name),
        }
    }
}

/// Looks at hosts: each once, within the territory, a member, a standing cell.
pub async fn check(tx: &Tx<'_>, alliance: &alliance::Model, hosts: &[NewHost]) -> Result<Vec<Checked>> {
    if hosts.len() > MOST {
        return Err(Error::invalid(Code::OutOfRange, "hosts").with("least", 1).with("most", MOST));
    }
    let regions: Vec<RegionId> = hosts
        .iter()
        .filter_map(|host| if let NewHost::Region(id) = host { Some(*id) } else { None })
        .chain([alliance.region_id])
        .collect();
    let regions = region::Entity::find().filter(region::Column::Id.is_in(regions)).all(&tx.db).await?;
    let of = |id: RegionId| regions.iter().find(|region| region.id == id);
    let territory = of(alliance.region_id).ok_or_else(|| Error::internal("no territory"))?;
    let mut checked: Vec<Checked> = Vec::with_capacity(hosts.len());
    for (index, host) in hosts.iter().enumerate() {
        let at = || format!("hosts.{index}");
        let (kind, host) = match host {
            NewHost::Region(id) => {
                let region = of(*id).ok_or_else(|| Error::NotFound("region").at(at()))?;
                if !region.path.starts_with(&territory.path) {
                    return Err(Error::invalid(Code::OutsideTerritory, at()));
                }
                let kind = if region.level == Level::Compound { Kind::Compound } else { Kind::Region };
                (kind, host.clone())
            }
            NewHost::Cell(id) => {
                let cell = grid_cell::Entity::find_by_id(*id)
                    .filter(grid_cell::Column::AllianceId.eq(alliance.id))
                    .one(&tx.db)
                    .await?
                    .ok_or_else(|| Error::NotFound("grid_cell").at(at()))?;
                if cell.until_on.is_some() {
                    return Err(Error::invalid(Code::StateRefused, at()).with("state", "ended"));
                }
                (Kind::GridCell, host.clone())
            }
            NewHost::Organization(id) => {
                let member = membership::require_active(&tx.db, alliance.id, *id, "hosts").await;
                member.map_err(|error| error.at(at()))?;
                (Kind::Organization, host.clone())
            }
            NewHost::Place(kind, name) => {
                let name = text::required(name, "name", NAME).map_err(|error| error.at(at()))?;
                (*kind, NewHost::Place(*kind, name))
            }
        };
        let new = Checked { kind, host };
        if checked.contains(&new) {
            return Err(Error::invalid(Code::AlreadyExists, at()));
        }
        checked.push(new);
    }
    Ok(checked)
}

/// Makes a branch at home at these from a day on.
pub async fn add(
    tx: &Tx<'_>,
    branch: &party_branch::Model,
    hosts: impl IntoIterator<Item = Checked>,
    since: NaiveDate,
) -> Result<()> {
    let row = |Checked { kind, host }: Checked| {
        let (mut region_id, mut cell_id, mut organization_id, mut name) = (None, None, None, None);
        match host {
            NewHost::Region(id) => region_id = Some(id),
            NewHost::Cell(id) => cell_id = Some(id),
            NewHost::Organization(id) => organization_id = Some(id),
            NewHost::Place(_, called) => name = Some(called),
        }
        branch_host::ActiveModel {
            id: Set(tx.ctx.new_id()),
            alliance_id: Set(branch.alliance_id),
            branch_id: Set(branch.id),
            kind: Set(kind),
            region_id: Set(region_id),
            cell_id: Set(cell_id),
            organization_id: Set(organization_id),
            name: Set(name),
            since_on: Set(since),
            until_on: Set(None),
        }
    };
    let rows: Vec<_> = hosts.into_iter().map(row).collect();
    if !rows.is_empty() {
        Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    }
    Ok(())
}

/// Gives a branch other hosts from a day on; those that stay, stay as they were.
pub async fn replace(
    tx: &Tx<'_>,
    branch: &party_branch::Model,
    hosts: Vec<Checked>,
    since: NaiveDate,
) -> Result<()> {
    let rows = Entity::find().filter(Column::BranchId.eq(branch.id)).all(&tx.db).await?;
    let last = rows.iter().map(|row| row.since_on.max(row.until_on.unwrap_or(row.since_on))).max();
    no_earlier(since, last.unwrap_or(branch.since_on), "hostsSince")?;
    let now: Vec<&Model> = rows.iter().filter(|row| row.until_on.is_none()).collect();
    let left = now.iter().filter(|row| !hosts.iter().any(|host| host.is(row))).map(|row| row.id);
    let left: Vec<_> = left.collect();
    if !left.is_empty() {
        Entity::update_many()
            .col_expr(Column::UntilOn, Expr::value(since))
            .filter(Column::Id.is_in(left))
            .exec(&tx.db)
            .await?;
    }
    let new = hosts.into_iter().filter(|host| !now.iter().any(|row| host.is(row)));
    add(tx, branch, new, since).await
}
