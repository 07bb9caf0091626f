//! The working calendar: which days count, with public holidays, make-up working days and local overlays.
//! A year without a published notice is unknown, never "no holidays": there Monday to Friday stand in and every answer
//! says that it is provisional. This room neither imports notices nor recalculates a due date.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Is the most working days a due date may lie ahead.
pub const MAX_WORKING_DAYS: u32 = 3_660;

/// Is the national calendar the program ships with.
const SHIPPED: &[u8] = include_bytes!("holidays-cn.csv");

/// Whether a day is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DayKind {
    Working,
    Off,
}

/// Who set an entry; a local one wins over a national one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    National,
    Local,
}

/// A day that differs from the plain week: a holiday or a make-up working day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub date: NaiveDate,
    pub kind: DayKind,
    pub name: Option<String>,
    pub level: Level,
}

/// What the calendar knows about one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    pub kind: DayKind,
    /// Is false when the notice of the year is not published.
    pub known: bool,
    pub name: Option<String>,
}

/// A computed date, provisional when a day it depends on lies in an unpublished year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    pub on: NaiveDate,
    pub provisional: bool,
}

/// A count of working days, provisional when part of it lies in an unpublished year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayCount {
    Known(u32),
    Provisional(u32),
}

impl DayCount {
    /// Returns the number, known or not.
    pub fn days(self) -> u32 {
        match self {
            Self::Known(days) | Self::Provisional(days) => days,
        }
    }
}

/// The working calendar of an alliance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    entries: BTreeMap<NaiveDate, Entry>,
    published: BTreeSet<i32>,
}

impl Calendar {
    /// Builds a calendar. A local entry wins over a national one of the same day, a later one over an earlier of the
    /// same level; national entries of an unpublished year are left out.
    pub fn new(entries: impl IntoIterator<Item = Entry>, published: impl IntoIterator<Item = i32>) -> Self {
        let mut calendar = Self { entries: BTreeMap::new(), published: published.into_iter().collect() };
        for entry in entries {
            if entry.level == Level::National && !calendar.published.contains(&entry.date.year()) {
                continue;
            }
            if calendar.entries.get(&entry.date).is_none_or(|known| known.level <= entry.level) {
                calendar.entries.insert(entry.date, entry);
            }
        }
        calendar
    }

    /// Builds a calendar in which every year with a whole national notice counts as published.
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let published = published_years(&entries);
        Self::new(entries, published)
    }

    /// Returns the national calendar the program ships with.
    pub fn shipped() -> Self {
        Self::from_entries(shipped_entries())
    }

    /// Returns the years whose notice is published, in order.
    pub fn published_years(&self) -> impl Iterator<Item = i32> + '_ {
        self.published.iter().copied()
    }

    /// Tells whether the notice of the year is published.
    pub fn is_published(&self, year: i32) -> bool {
        self.published.contains(&year)
    }

    /// Returns the days of a year that differ from the plain week or are named, in order.
    pub fn entries_of(&self, year: i32) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(move |entry| entry.date.year() == year)
    }

    /// Returns what is known about a day.
    pub fn day(&self, date: NaiveDate) -> Day {
        let entry = self.entries.get(&date);
        Day {
            kind: entry.map_or_else(|| weekday_kind(date), |entry| entry.kind),
            known: self.is_published(date.year()),
            name: entry.and_then(|entry| entry.name.clone()),
        }
    }

    /// Tells whether a day is worked, as far as is known.
    pub fn is_working(&self, date: NaiveDate) -> bool {
        self.entries.get(&date).map_or_else(|| weekday_kind(date), |entry| entry.kind) == DayKind::Working
    }

    /// Returns the `count`-th working day after `from`, which itself does not count; none is `from` itself. Returns
    /// nothing beyond [`MAX_WORKING_DAYS`] or the end of the calendar.
    pub fn add_working_days(&self, from: NaiveDate, count: u32) -> Option<Dated> {
        if count == 0 {
            return Some(Dated { on: from, provisional: false });
        }
        self.nth_working_day_of(from.succ_opt()?, count)
    }

    /// Returns the `nth` working day from `start` on, `start` included when it is worked. Returns nothing for a `nth`
    /// of zero, beyond [`MAX_WORKING_DAYS`] or at the end of the calendar.
    pub fn nth_working_day_of(&self, start: NaiveDate, nth: u32) -> Option<Dated> {
        if nth == 0 || nth > MAX_WORKING_DAYS {
            return None;
        }
        let mut left = nth;
        let mut provisional = false;
        for on in start.iter_days() {
            provisional |= !self.is_published(on.year());
            if self.is_working(on) {
                left -= 1;
                if left == 0 {
                    return Some(Dated { on, provisional });
                }
            }
        }
        None
    }

    /// Counts the working days from `from` to the day before `to_exclusive`.
    pub fn working_days_between(&self, from: NaiveDate, to_exclusive: NaiveDate) -> DayCount {
        if to_exclusive <= from {
            return DayCount::Known(0);
        }
        let mut days = weekdays_between(from, to_exclusive);
        for (&date, entry) in self.entries.range(from..to_exclusive) {
            match (weekday_kind(date), entry.kind) {
                (DayKind::Working, DayKind::Off) => days -= 1,
                (DayKind::Off, DayKind::Working) => days += 1,
                _ => {}
            }
        }
        let days = u32::try_from(days).unwrap_or_default();
        let last = to_exclusive.pred_opt().unwrap_or(to_exclusive);
        if (from.year()..=last.year()).all(|year| self.is_published(year)) {
            DayCount::Known(days)
        } else {
            DayCount::Provisional(days)
        }
    }

    /// Counts the working days of a year, or returns nothing for a year outside the calendar.
    pub fn working_days_in_year(&self, year: i32) -> Option<DayCount> {
        let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
        let next = NaiveDate::from_ymd_opt(year.checked_add(1)?, 1, 1)?;
        Some(self.working_days_between(first, next))
    }
}

/// Returns the entries of the national calendar the program ships with.
pub fn shipped_entries() -> Vec<Entry> {
    let (entries, errors) = parse_calendar_csv(SHIPPED, Level::National);
    debug_assert!(errors.is_empty(), "the shipped calendar is valid: {errors:?}");
    entries
}

/// Is what every notice gives days off for, each by the first and the last day, as (month, day), around it: New Year, Spring
/// Festival, Labour Day, National Day.
const HOLIDAYS: [[(u32, u32); 2]; 4] =
    [[(1, 1), (1, 3)], [(1, 21), (2, 28)], [(5, 1), (5, 5)], [(10, 1), (10, 7)]];

/// Tells whether the days off of one year make up its notice. Single days do not, such as those of a New Year's holiday
/// that begins in December: they say nothing of the rest of their year.
pub fn is_whole_notice(days_off: &[NaiveDate]) -> bool {
    HOLIDAYS.iter().all(|[first, last]| {
        days_off.iter().any(|date| (*first..=*last).contains(&(date.month(), date.day())))
    })
}

/// Returns the years that entries publish: those of which the national entries are a whole notice.
pub fn published_years(entries: &[Entry]) -> BTreeSet<i32> {
    let mut days_off: BTreeMap<i32, Vec<NaiveDate>> = BTreeMap::new();
    let off = |entry: &&Entry| entry.level == Level::National && entry.kind == DayKind::Off;
    for entry in entries.iter().filter(off) {
        days_off.entry(entry.date.year()).or_default().push(entry.date);
    }
    days_off.into_iter().filter(|(_, days)| is_whole_notice(days)).map(|(year, _)| year).collect()
}

fn weekday_kind(date: NaiveDate) -> DayKind {
    match date.weekday() {
        Weekday::Sat | Weekday::Sun => DayKind::Off,
        _ => DayKind::Working,
    }
}

/// Counts Mondays to Fridays without walking over the days.
fn weekdays_between(from: NaiveDate, to_exclusive: NaiveDate) -> i64 {
    let weeks = (to_exclusive - from).num_days() / 7;
    let rest = (to_exclusive - from).num_days() % 7;
    let ragged = (0..rest)
        .filter_map(|days| from.checked_add_days(Days::new(u64::try_from(days).ok()?)))
        .filter(|&date| weekday_kind(date) == DayKind::Working)
        .count();
    weeks * 5 + i64::try_from(ragged).unwrap_or_default()
}

/// What is wrong with a row of an imported calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("the header is not date,name,kind")]
    BadHeader,
    #[error("the row has {found} columns instead of 3")]
    WrongColumns { found: usize },
    #[error("{found:?} is not a date such as 2026-10-01")]
    BadDate { found: String },
    #[error("{found:?} is neither off nor work")]
    UnknownKind { found: String },
    #[error("the name has more than 64 characters")]
    LongName,
    #[error("the date already stands on line {first_line}")]
    Duplicate { first_line: usize },
    #[error("the quotation mark is not closed")]
    OpenQuote,
}

/// A refused row: its line and column (the field), both counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    pub line: usize,
    pub column: usize,
    pub problem: RowProblem,
}

/// Reads a calendar of the columns date, name and kind (`off` or `work`), as entries of the given level. Comment lines
/// begin with `#`; every refused row is reported, the others are returned.
pub fn parse_calendar_csv(bytes: &[u8], level: Level) -> (Vec<Entry>, Vec<RowError>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let row = valid.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
            let line = valid.split(|&byte| byte == b'\n').count();
            let column = row.split(|&byte| byte == b',').count();
            return (Vec::new(), vec![RowError { line, column, problem: RowProblem::NotUtf8 }]);
        }
    };
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    let mut first_lines: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    let mut rows = text
        .lines()
        .zip(1..)
        .map(|(row, line)| (row.trim(), line))
        .filter(|(row, _)| !row.is_empty() && !row.starts_with('#'));
    let header = rows.next();
    if header.and_then(|(row, _)| split_row(row)).is_none_or(|fields| fields != ["date", "name", "kind"]) {
        let line = header.map_or(1, |(_, line)| line);
        return (entries, vec![RowError { line, column: 1, problem: RowProblem::BadHeader }]);
    }
    for (row, line) in rows {
        let outcome = parse_row(row, level).and_then(|entry| match first_lines.get(&entry.date) {
            Some(&first_line) => Err((1, RowProblem::Duplicate { first_line })),
            None => Ok(entry),
        });
        match outcome {
            Ok(entry) => {
                first_lines.insert(entry.date, line);
                entries.push(entry);
            }
            Err((column, problem)) => errors.push(RowError { line, column, problem }),
        }
    }
    (entries, errors)
}

/// Reads one row, or names the column that is wrong.
fn parse_row(row: &str, level: Level) -> Result<Entry, (usize, RowProblem)> {
    let fields = split_row(row).ok_or((1, RowProblem::OpenQuote))?;
    let [date, name, kind] = fields.as_slice() else {
        return Err((fields.len().min(4), RowProblem::WrongColumns { found: fields.len() }));
    };
    let date = Some(date)
        .filter(|date| date.len() == 10 && date.starts_with(|first: char| first.is_ascii_digit()))
        .and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok())
        .ok_or_else(|| (1, RowProblem::BadDate { found: clipped(date) }))?;
    if name.chars().count() > 64 {
        return Err((2, RowProblem::LongName));
    }
    let kind = match kind.as_str() {
        "off" => DayKind::Off,
        "work" => DayKind::Working,
        _ => return Err((3, RowProblem::UnknownKind { found: clipped(kind) })),
    };
    Ok(Entry { date, kind, name: Some(name.clone()).filter(|name| !name.is_empty()), level })
}

/// Splits a row at its commas outside quotation marks, or returns nothing when a quotation is left open.
fn split_row(row: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = row.chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(character),
        }
    }
    (!quoted).then(|| fields.iter().map(|field| field.trim().to_owned()).collect())
}

/// Shortens a value that is quoted back in an error.
fn clipped(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
#[path = "working_day_tests.rs"]
mod tests;
