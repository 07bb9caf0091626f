//! What files are held against: members and places of an alliance, found by what people call them.

use std::collections::HashMap;

use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, RegionId},
    membership, organization, region,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::csv;
use crate::domain::{Code, Error, Result, Tx, territory::region::below};

/// Endings of official names that people leave out.
const ENDINGS: [&str; 4] = ["居民委员会", "村民委员会", "居委会", "村委会"];

/// The active members of an alliance by full name and credit code, and by short name. Several may have the same.
pub struct Members {
    full: HashMap<String, Vec<OrganizationId>>,
    short: HashMap<String, Vec<OrganizationId>>,
}

impl Members {
    pub async fn load(tx: &Tx<'_>, alliance: AllianceId) -> Result<Self> {
        let rows = membership::Entity::find()
            .find_also_related(organization::Entity)
            .filter(membership::Column::AllianceId.eq(alliance))
            .filter(membership::Column::State.eq(membership::State::Active))
            .all(&tx.db)
            .await?;
        let (mut full, mut short) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for unit in rows.into_iter().filter_map(|(_, unit)| unit) {
            if let Some(name) = unit.short_name {
                short.entry(name).or_default().push(unit.id);
            }
            for name in [Some(unit.name), unit.credit_code].into_iter().flatten() {
                full.entry(name).or_default().push(unit.id);
            }
        }
        Ok(Self { full, short })
    }

    /// The member that a text names. A full name or code wins over somebody else's short name.
    pub fn named(&self, text: &str) -> Result<OrganizationId> {
        match self.full.get(text).or_else(|| self.short.get(text)).map(Vec::as_slice) {
            Some([unit]) => Ok(*unit),
            None | Some([]) => Err(Error::refused(Code::ImportUnknown).with("value", text)),
            Some(_) => Err(Error::refused(Code::ImportAmbiguous).with("value", text)),
        }
    }

    /// The members that a cell names, one or several. A name may hold what stands between names.
    pub fn all_named(&self, text: &str) -> Result<Vec<OrganizationId>> {
        match self.named(text) {
            Ok(unit) => Ok(vec![unit]),
            Err(_) => csv::several(text).map(|name| self.named(name)).collect(),
        }
    }
}

/// A region as one of its names finds it.
#[derive(Clone)]
struct Place {
    id: RegionId,
    path: String,
    /// Whether the name is what people leave of the official one.
    is_short: bool,
}

/// The regions of an alliance's territory by code and by name.
pub struct Places(HashMap<String, Vec<Place>>);

impl Places {
    pub async fn load(tx: &Tx<'_>, alliance: &alliance::Model) -> Result<Self> {
        let mut places: HashMap<String, Vec<Place>> = HashMap::new();
        let top = region::Entity::find_by_id(alliance.region_id).one(&tx.db).await?;
        let Some(top) = top else { return Ok(Self(places)) };
        let within = below(tx.ctx.app.backend(), &top.path);
        let rows = region::Entity::find().filter(within).all(&tx.db).await?;
        for row in std::iter::once(top).chain(rows) {
            let short =
                ENDINGS.iter().find_map(|ending| row.name.strip_suffix(ending)).filter(|it| !it.is_empty());
            let names = [(row.code.as_deref(), false), (Some(row.name.as_str()), false), (short, true)];
            for (name, is_short) in names {
                if let Some(name) = name {
                    let place = Place { id: row.id, path: row.path.clone(), is_short };
                    places.entry(name.to_owned()).or_default().push(place);
                }
            }
        }
        Ok(Self(places))
    }

    /// The region that a text names: by its code, its name, or its name behind that of something above it.
    pub fn named(&self, text: &str) -> Result<RegionId> {
        let unknown = || Error::refused(Code::ImportUnknown).with("value", text);
        let mut found: Option<Vec<Place>> = None;
        for part in text.split(['/', '／']).map(str::trim) {
            let named = self.0.get(part).ok_or_else(unknown)?;
            let within = |place: &&Place| {
                found.as_ref().is_none_or(|above| {
                    above.iter().any(|outer| place.path != outer.path && place.path.starts_with(&outer.path))
                })
            };
            let next = named.iter().filter(within).cloned().collect();
            found = Some(next);
        }
        let mut found = found.unwrap_or_default();
        if found.iter().any(|place| !place.is_short) {
            found.retain(|place| !place.is_short);
        }
        match found.as_slice() {
            [place] => Ok(place.id),
            [] => Err(unknown()),
            _ => Err(Error::refused(Code::ImportAmbiguous).with("value", text)),
        }
    }
}
