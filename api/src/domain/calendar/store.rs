//! The working calendar as the database holds it: national notices over the shipped ones, local overlays over both.

use concord_entities::{
    calendar_day::{self, Kind},
    id::AllianceId,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

use super::working_day::{Calendar, DayKind, Entry, Level, published_years, shipped_entries};
use crate::domain::Result;

/// The calendar that an alliance works by; without an alliance, the national one.
pub async fn load(db: &impl ConnectionTrait, alliance: Option<AllianceId>) -> Result<Calendar> {
    let mut wanted = Condition::any().add(calendar_day::Column::AllianceId.is_null());
    if let Some(alliance) = alliance {
        wanted = wanted.add(calendar_day::Column::AllianceId.eq(alliance));
    }
    let rows = calendar_day::Entity::find().filter(wanted).all(db).await?;
    let imported: Vec<Entry> = rows
        .into_iter()
        .map(|row| Entry {
            date: row.day_on,
            kind: if row.kind == Kind::Off { DayKind::Off } else { DayKind::Working },
            name: Some(row.name),
            level: if row.alliance_id.is_some() { Level::Local } else { Level::National },
        })
        .collect();
    // An imported year replaces the shipped one whole, so that a corrected notice leaves no stale day behind.
    let years = published_years(&imported);
    let mut entries: Vec<Entry> = shipped_entries()
        .into_iter()
        .filter(|entry| !years.contains(&chrono::Datelike::year(&entry.date)))
        .collect();
    entries.extend(imported);
    Ok(Calendar::from_entries(entries))
}
