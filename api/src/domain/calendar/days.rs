//! Reading and changing the working calendar: whole years of the national notice by the platform, local days by a
//! committee. Dates that were computed provisionally are read anew; nothing here recalculates them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use concord_entities::{
    alliance,
    calendar_day::{self, Kind},
    id::{AllianceId, CalendarDayId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    Select,
};
use uuid::Uuid;

use super::{
    store,
    working_day::{Calendar, Dated, MAX_WORKING_DAYS, is_whole_notice},
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    governance::alliance::{self as alliances, require_platform_admin},
    text,
};

/// Years that a calendar can speak of.
const YEARS: (i32, i32) = (1970, 9999);

/// The calendar of an alliance the caller may see, or the national one.
pub async fn read(ctx: &Ctx, alliance: Option<AllianceId>) -> Result<Calendar> {
    ctx.require_signed_in()?;
    if let Some(alliance) = alliance {
        alliances::find(ctx, alliance).await?.ok_or(Error::NotFound("alliance"))?;
    }
    store::load(ctx.read(), alliance).await
}

/// The `days`-th working day after `from`.
pub async fn working_day(
    ctx: &Ctx,
    alliance: Option<AllianceId>,
    from: NaiveDate,
    days: i32,
) -> Result<Dated> {
    let refused = || Error::invalid(Code::OutOfRange, "days").with("least", 0).with("most", MAX_WORKING_DAYS);
    let days = u32::try_from(days).ok().filter(|days| *days <= MAX_WORKING_DAYS).ok_or_else(refused)?;
    let calendar = read(ctx, alliance).await?;
    let dated = calendar.add_working_days(from, days).ok_or_else(refused)?;
    if dated.on.year() > YEARS.1 { Err(refused()) } else { Ok(dated) }
}

/// A day that differs from the plain week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDay {
    pub on: NaiveDate,
    pub kind: Kind,
    pub name: String,
}

/// What became of the days of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub removed: u64,
}

impl Outcome {
    /// Whether anything is different now.
    pub fn is_change(self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// Replaces a year: the national notice by a platform administrator, an alliance's overlay by its committee.
pub async fn import_year(
    ctx: &Ctx,
    alliance: Option<AllianceId>,
    year: i32,
    days: Vec<NewDay>,
) -> Result<Outcome> {
    let tx = ctx.begin().await?;
    require_manager(&tx, alliance).await?;
    let outcome = replace_year(&tx, alliance, year, days).await?;
    tx.commit(alliance.map(Uuid::from).unwrap_or_default()).await?;
    Ok(outcome)
}

/// Replaces a year within a unit of work whose rights were checked. National days that are no whole notice are laid over
/// what stands there: they replace nothing, and make no year known.
pub async fn replace_year(
    tx: &Tx<'_>,
    alliance: Option<AllianceId>,
    year: i32,
    days: Vec<NewDay>,
) -> Result<Outcome> {
    text::within(year, "year", YEARS.0, YEARS.1)?;
    // A national year without a single day would stand there as one without holidays.
    if alliance.is_none() && days.is_empty() {
        return Err(Error::invalid(Code::Required, "days"));
    }
    let mut wanted = BTreeMap::new();
    for (index, day) in days.into_iter().enumerate() {
        if day.on.year() != year {
            return Err(Error::invalid(Code::OutOfRange, format!("days.{index}.on"))
                .with("least", format!("{year:04}-01-01"))
                .with("most", format!("{year:04}-12-31")));
        }
        let name = text::optional(Some(&day.name), "days.name", 64)?.unwrap_or_default();
        if wanted.insert(day.on, NewDay { name, ..day }).is_some() {
            return Err(Error::invalid(Code::AlreadyExists, format!("days.{index}.on")));
        }
    }
    let off = wanted.values().filter(|day| day.kind == Kind::Off).map(|day| day.on);
    let replaces = alliance.is_some() || is_whole_notice(&off.collect::<Vec<_>>());
    let standing = of(alliance)
        .filter(calendar_day::Column::DayOn.between(first_of(year)?, last_of(year)?))
        .lock_exclusive()
        .all(&tx.db)
        .await?;
    let mut outcome = Outcome::default();
    for row in standing {
        match wanted.remove(&row.day_on) {
            Some(day) if day.kind == row.kind && day.name == row.name => outcome.unchanged += 1,
            Some(day) => {
                outcome.changed += 1;
                let mut row = row.into_active_model();
                row.kind = Set(day.kind);
                row.name = Set(day.name);
                row.update(&tx.db).await?;
            }
            None if !replaces => {}
            None => {
                outcome.removed += 1;
                calendar_day::Entity::delete_by_id(row.id).exec(&tx.db).await?;
            }
        }
    }
    outcome.added = u64::try_from(wanted.len()).unwrap_or_default();
    let rows: Vec<_> = wanted.into_values().map(|day| fresh(tx, alliance, day)).collect();
    if !rows.is_empty() {
        calendar_day::Entity::insert_many(rows).exec_without_returning(&tx.db).await?;
    }
    if outcome.is_change() {
        let fact = Fact::of(Event::CalendarImported, tx.ctx.new_id::<CalendarDayId>())
            .detail("year", year)
            .detail("added", outcome.added)
            .detail("changed", outcome.changed)
            .detail("removed", outcome.removed);
        tx.record(match alliance {
            Some(alliance) => fact.alliance(alliance),
            None => fact,
        })
        .await?;
    }
    Ok(outcome)
}

/// Sets one day of an alliance's overlay, or with no kind takes it away. Nothing national: a single day would stand for
/// the whole notice of its year.
pub async fn set_local(
    ctx: &Ctx,
    alliance: AllianceId,
    on: NaiveDate,
    kind: Option<Kind>,
    name: Option<&str>,
) -> Result<()> {
    let tx = ctx.begin().await?;
    require_manager(&tx, Some(alliance)).await?;
    text::within(on.year(), "on", YEARS.0, YEARS.1)?;
    let name = text::optional(name, "name", 64)?.unwrap_or_default();
    let standing =
        of(Some(alliance)).filter(calendar_day::Column::DayOn.eq(on)).lock_exclusive().one(&tx.db).await?;
    let id = match (standing, kind) {
        (None, None) => return Err(Error::NotFound("calendar_day")),
        (Some(row), None) => {
            calendar_day::Entity::delete_by_id(row.id).exec(&tx.db).await?;
            row.id
        }
        (Some(row), Some(kind)) => {
            let mut row = row.into_active_model();
            row.kind = Set(kind);
            row.name = Set(name);
            row.update(&tx.db).await?.id
        }
        (None, Some(kind)) => fresh(&tx, Some(alliance), NewDay { on, kind, name }).insert(&tx.db).await?.id,
    };
    let fact = Fact::of(Event::CalendarDaySet, id).alliance(alliance).detail("on", on.to_string());
    tx.record(match kind {
        Some(Kind::Off) => fact.detail("kind", "OFF"),
        Some(Kind::Work) => fact.detail("kind", "WORK"),
        None => fact,
    })
    .await?;
    tx.commit(id).await?;
    Ok(())
}

/// Turns away whoever may not change this calendar.
pub async fn require_manager(tx: &Tx<'_>, alliance: Option<AllianceId>) -> Result<()> {
    let Some(id) = alliance else {
        return require_platform_admin(tx).await;
    };
    // The alliance is held, so that two changes of the same day wait for each other.
    alliances::visible(tx.ctx)
        .filter(alliance::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))?;
    tx.ctx.require(&tx.db, Action::ManageCalendar, Target::alliance(id)).await?;
    Ok(())
}

/// The years that days fall in.
pub fn years(days: &[NewDay]) -> BTreeSet<i32> {
    days.iter().map(|day| day.on.year()).collect()
}

fn of(alliance: Option<AllianceId>) -> Select<calendar_day::Entity> {
    calendar_day::Entity::find().filter(match alliance {
        Some(alliance) => calendar_day::Column::AllianceId.eq(alliance),
        None => calendar_day::Column::AllianceId.is_null(),
    })
}

fn fresh(tx: &Tx<'_>, alliance: Option<AllianceId>, day: NewDay) -> calendar_day::ActiveModel {
    calendar_day::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(alliance),
        day_on: Set(day.on),
        kind: Set(day.kind),
        name: Set(day.name),
    }
}

fn first_of(year: i32) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, 1, 1).ok_or_else(|| Error::internal("a year outside the calendar"))
}

fn last_of(year: i32) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, 12, 31).ok_or_else(|| Error::internal("a year outside the calendar"))
}
