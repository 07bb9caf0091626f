//! Imports notices of public holidays and make-up working days, or an alliance's local days: columns `date,name,kind`.
//! A year with one bad row is not imported at all: half a notice would look like a whole one. The days of another year that
//! a notice begins or ends with are laid over that year.

use std::collections::BTreeMap;

use chrono::Datelike;
use concord_entities::{calendar_day::Kind, id::AllianceId};
use uuid::Uuid;

use super::{Options, Report, RowError, Source};
use crate::domain::{
    Code, Ctx, Error, Result,
    calendar::{
        days::{self, NewDay},
        working_day::{DayKind, Level, RowProblem, parse_calendar_csv},
    },
};

/// Most bytes of a file.
pub const MOST_BYTES: u64 = 1 << 20;

/// Replaces every year of which the file has the notice, or the local days; nothing when any row is refused.
pub async fn run(
    ctx: &Ctx,
    alliance: Option<AllianceId>,
    source: &Source,
    options: Options<'_>,
) -> Result<Report> {
    let mut report = Report::default();
    let level = if alliance.is_some() { Level::Local } else { Level::National };
    let (entries, errors) = parse_calendar_csv(&source.bytes, level);
    for error in errors {
        report.refuse(RowError {
            file: source.name.clone(),
            line: u64::try_from(error.line).unwrap_or_default(),
            column: u64::try_from(error.column).unwrap_or_default(),
            error: coded(error.problem),
        });
    }
    if !report.errors.is_empty() {
        return Ok(report);
    }
    let mut years: BTreeMap<i32, Vec<NewDay>> = BTreeMap::new();
    for entry in entries {
        let kind = if entry.kind == DayKind::Off { Kind::Off } else { Kind::Work };
        let day = NewDay { on: entry.date, kind, name: entry.name.unwrap_or_default() };
        years.entry(entry.date.year()).or_default().push(day);
    }
    let tx = ctx.begin().await?;
    days::require_manager(&tx, alliance).await?;
    let mut done = 0;
    for (year, days) in years {
        done += u64::try_from(days.len()).unwrap_or_default();
        let outcome = days::replace_year(&tx, alliance, year, days).await?;
        report.imported += outcome.added;
        report.updated += outcome.changed + outcome.removed;
        report.unchanged += outcome.unchanged;
        (options.progress)(done);
    }
    if !options.dry_run {
        tx.commit(alliance.map(Uuid::from).unwrap_or_default()).await?;
    }
    Ok(report)
}

fn coded(problem: RowProblem) -> Error {
    match problem {
        RowProblem::NotUtf8 => Error::refused(Code::ImportNotUtf8),
        RowProblem::BadHeader => Error::refused(Code::ImportColumnMissing).with("name", "date,name,kind"),
        RowProblem::WrongColumns { found } => {
            Error::refused(Code::ImportWrongColumns).with("found", found).with("expected", 3)
        }
        RowProblem::BadDate { .. } => Error::invalid(Code::Malformed, "date").with("expected", "2026-10-01"),
        RowProblem::UnknownKind { .. } => {
            Error::invalid(Code::Malformed, "kind").with("expected", "off, work")
        }
        RowProblem::LongName => Error::invalid(Code::TooLong, "name").with("most", 64),
        RowProblem::Duplicate { first_line } => {
            Error::refused(Code::ImportDuplicate).with("first", first_line)
        }
        RowProblem::OpenQuote => Error::refused(Code::ImportQuoteOpen),
    }
}
