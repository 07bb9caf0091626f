//! The paper ledgers that towns keep, written from what is here: the closure ledger (问题销号台账), the task list
//! (重点任务清单) and the rotation table (轮值表), in the columns that clerks know, page by page, so that a long one needs no
//! more memory than a short one. Columns of which nothing is known here stay empty. Names and numbers are shown as the
//! caller may know them; whoever reported a problem is always masked. How a row becomes CSV or HTML stands in `print`.

mod print;
mod problems;
mod tasks;
mod turns;

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use concord_entities::{
    account, alliance,
    id::{AccountId, AllianceId, OrganizationId},
    organization, seat,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub use self::{
    print::{HTML_END, STYLE, csv_line, html_head, html_row, unguarded},
    problems::{channel_of, severity_of, tier_of},
    tasks::{REACHED, result_of},
    turns::EXCUSED,
};
use super::{Action, Actor, Code, Ctx, Error, Result, Target, governance, policy, privacy};

/// Rows that are read at a time.
const AT_ONCE: i32 = 100;

/// Which ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The closure ledger (问题销号台账).
    Problems,
    /// The task list (重点任务清单).
    Tasks,
    /// The rotation table (轮值表).
    Rotation,
}

impl Kind {
    /// What clerks call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Problems => "问题销号台账",
            Self::Tasks => "重点任务清单",
            Self::Rotation => "轮值表",
        }
    }

    /// The titles of its columns.
    pub const fn titles(self) -> &'static [&'static str] {
        match self {
            Self::Problems => &problems::TITLES,
            Self::Tasks => &tasks::TITLES,
            Self::Rotation => &turns::TITLES,
        }
    }
}

/// A calendar year or a month of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Year(i32),
    /// By its first day.
    Month(NaiveDate),
}

impl Span {
    /// Its first day, and the first day after it.
    fn days(self) -> (NaiveDate, NaiveDate) {
        let (from, months) = match self {
            Self::Year(year) => (NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default(), 12),
            Self::Month(first) => (first, 1),
        };
        (from, from.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX))
    }

    /// As clerks write it.
    pub fn name(self) -> String {
        match self {
            Self::Year(year) => format!("{year}年"),
            Self::Month(first) => format!("{}年{}月", first.year(), first.month()),
        }
    }
}

/// A ledger that the caller may read.
pub struct Ledger {
    pub kind: Kind,
    span: Span,
    alliance: alliance::Model,
    zone: Tz,
    viewer: Viewer,
}

/// Where to read on.
#[derive(Clone, Debug, Default)]
pub struct Place {
    after: Option<String>,
    /// Rows read so far.
    rows: usize,
}

/// Rows, and where the next ones begin, unless these were the last.
pub type Rows = (Vec<Vec<String>>, Option<Place>);

impl Ledger {
    /// Opens the ledger of an alliance's own list.
    pub async fn open(ctx: &Ctx, kind: Kind, id: AllianceId, span: Span) -> Result<Self> {
        ctx.require_signed_in()?;
        let alliance = governance::alliance::find(ctx, id).await?.ok_or(Error::NotFound("alliance"))?;
        let (from, _) = span.days();
        if !(1970..=9_998).contains(&from.year()) {
            return Err(Error::invalid(Code::OutOfRange, "year").with("least", 1970).with("most", 9_998));
        }
        let viewer = Viewer::of(ctx, alliance.id).await?;
        let zone = alliance.time_zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
        Ok(Self { kind, span, alliance, zone, viewer })
    }

    /// Its title with the alliance and the span.
    pub fn title(&self) -> String {
        format!("{}{}{}", self.alliance.name, self.span.name(), self.kind.name())
    }

    /// The next rows.
    pub async fn rows(&self, ctx: &Ctx, place: Place) -> Result<Rows> {
        match self.kind {
            Kind::Problems => problems::rows(self, ctx, place).await,
            Kind::Tasks => tasks::rows(self, ctx, place).await,
            Kind::Rotation => turns::rows(self, ctx, place).await,
        }
    }

    fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    fn day_text(&self, at: Option<DateTime<Utc>>) -> String {
        at.map(|at| self.day(at).to_string()).unwrap_or_default()
    }
}

impl Place {
    fn args(&self) -> super::page::Args {
        super::page::Args { first: Some(AT_ONCE), after: self.after.clone(), ..super::page::Args::default() }
    }

    /// The place after some rows, if there are more.
    fn next<M>(&self, items: &[(String, M)], has_next: bool) -> Option<Self> {
        let (cursor, _) = items.last().filter(|_| has_next)?;
        Some(Self { after: Some(cursor.clone()), rows: self.rows + items.len() })
    }
}

/// Who reads, as far as they may know people.
struct Viewer {
    actor: Actor,
    seats: Vec<seat::Model>,
    alliance: AllianceId,
}

impl Viewer {
    async fn of(ctx: &Ctx, alliance: AllianceId) -> Result<Self> {
        let seats = match ctx.actor {
            Actor::Account { id, .. } => policy::active_seats(ctx.read(), id, alliance).await?,
            _ => Vec::new(),
        };
        Ok(Self { actor: ctx.actor, seats, alliance })
    }

    /// Whether they may know people who act for these units.
    fn knows(&self, units: &[OrganizationId]) -> bool {
        match self.actor {
            Actor::System => true,
            Actor::Anonymous | Actor::Key(_) => false,
            Actor::Account { id, .. } => {
                let target = Target::alliance(self.alliance).of(units);
                policy::standing(id, &self.seats, Action::ReadContacts, target).is_some()
            }
        }
    }

    fn name(&self, units: &[OrganizationId], name: &str) -> String {
        if self.knows(units) { name.to_owned() } else { privacy::mask_name(name) }
    }

    fn phone(&self, units: &[OrganizationId], phone: &str) -> String {
        if self.knows(units) { phone.to_owned() } else { privacy::mask_phone(phone) }
    }

    /// Somebody who acted for a unit.
    fn person(
        &self,
        people: &HashMap<AccountId, account::Model>,
        who: Option<AccountId>,
        unit: Option<OrganizationId>,
    ) -> String {
        let Some(row) = who.and_then(|who| people.get(&who)) else { return String::new() };
        let is_self = matches!(self.actor, Actor::Account { id, .. } if id == row.id);
        let units: Vec<OrganizationId> = unit.into_iter().collect();
        if is_self { row.display_name.clone() } else { self.name(&units, &row.display_name) }
    }
}

/// The people behind accounts that the rows of a visible list name.
async fn people(
    ctx: &Ctx,
    ids: impl IntoIterator<Item = Option<AccountId>>,
) -> Result<HashMap<AccountId, account::Model>> {
    let mut ids: Vec<AccountId> = ids.into_iter().flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = account::Entity::find().filter(account::Column::Id.is_in(ids)).all(ctx.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Names of organisations that the rows of a visible list name.
async fn names(
    ctx: &Ctx,
    ids: impl IntoIterator<Item = OrganizationId>,
) -> Result<HashMap<OrganizationId, String>> {
    let mut ids: Vec<OrganizationId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows =
        organization::Entity::find().filter(organization::Column::Id.is_in(ids)).all(ctx.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Parts that are there, with something between them.
fn joined(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// The word for a value; nothing where there is none.
fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], of: T) -> &'static str {
    words.iter().find(|(value, _)| *value == of).map_or("", |(_, word)| word)
}

/// The value that a word means.
fn meant<T: Copy>(words: &[(T, &'static str)], word: &str) -> Option<T> {
    words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
}
