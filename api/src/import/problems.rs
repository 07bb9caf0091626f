//! `import problems`: the problems of another system, from a CSV file and a mapping of its columns. What a problem may be
//! is `domain::list::problem::take_over`'s to say; here texts become values.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use concord_entities::{
    id::AllianceId,
    organization,
    problem::{Channel, Severity},
};
use serde::{Deserialize, Deserializer};

use super::{
    Options, Report, RowError, Source,
    csv::{self, Row, Table},
};
use crate::domain::{
    Code, Ctx, Error, Result,
    list::problem::take_over::{Destination, Origin, SourceProblem, Taken},
};

/// Rows that are taken over in one unit of work.
const BATCH: usize = 100;
/// Most bytes of a file.
pub const MOST_BYTES: u64 = 256 << 20;
/// Most rows of a file.
const MOST_ROWS: u64 = 1_000_000;

/// One column, or several whose texts are joined.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    One(String),
    Several(Vec<String>),
}

impl Columns {
    fn first(&self) -> Option<&str> {
        self.names().first().map(String::as_str)
    }

    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// Which column holds what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMap {
    /// What makes a row unique in its source.
    pub key: String,
    pub title: Columns,
    pub description: Columns,
    pub category: Columns,
    pub place: Option<Columns>,
    pub channel: String,
    pub severity: Option<String>,
    /// Name of the organisation that the source holds responsible.
    pub organization: Option<String>,
    pub organization_short_name: Option<String>,
    pub state: String,
    pub occurred_at: String,
    pub closed_at: Option<String>,
}

/// What the values of the state column mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateMap {
    pub open: Vec<String>,
    pub closed: Vec<String>,
}

/// How the columns of a file become problems.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the source; with the key it tells what was imported before.
    pub source: String,
    /// IANA name of the zone in which the file's times are told.
    #[serde(deserialize_with = "zone")]
    pub time_zone: Tz,
    /// How times are written, in the signs of `strftime`.
    pub time_format: String,
    /// What stands between the texts of joined columns.
    #[serde(default = "default_separator")]
    pub separator: String,
    pub columns: ColumnMap,
    pub states: StateMap,
    /// Values of the channel column and the channels they mean.
    pub channels: BTreeMap<String, Channel>,
    /// Values of the severity column and what they mean.
    #[serde(default)]
    pub severities: BTreeMap<String, Severity>,
    /// Kind of organisations that are recorded on the way.
    #[serde(default = "default_kind")]
    pub organization_kind: organization::Kind,
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn default_separator() -> String {
    " / ".to_owned()
}

const fn default_kind() -> organization::Kind {
    organization::Kind::GovernmentUnit
}

impl Mapping {
    /// Reads a mapping from its TOML text.
    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            Error::refused(Code::MappingInvalid)
                .with("reason", error.to_string().trim_end().replace('\n', " "))
        })
    }

    /// Every column that is read, each once.
    fn columns(&self) -> Vec<&str> {
        let columns = &self.columns;
        let single = [&columns.key, &columns.channel, &columns.state, &columns.occurred_at];
        let optional =
            [&columns.severity, &columns.organization, &columns.organization_short_name, &columns.closed_at];
        let several = [Some(&columns.title), Some(&columns.description), Some(&columns.category)];
        let several = several.into_iter().chain([columns.place.as_ref()]).flatten();
        let mut names: Vec<&str> = single
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(several.flat_map(Columns::names))
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The columns behind a field that the domain refused.
    fn behind(&self, field: &str) -> Option<&str> {
        let columns = &self.columns;
        let first = Columns::first;
        match field {
            "key" => Some(&columns.key),
            "title" => first(&columns.title),
            "description" => first(&columns.description),
            "category" => first(&columns.category),
            "place" => columns.place.as_ref().and_then(first),
            "organization" => columns.organization.as_deref(),
            "organizationShortName" => columns.organization_short_name.as_deref(),
            "occurredAt" => Some(&columns.occurred_at),
            "closedAt" => columns.closed_at.as_deref(),
            "state" => Some(&columns.state),
            _ => None,
        }
    }
}

/// A value of a row that is refused: the column's place among those that are read, and why.
type Fault = (usize, Error);

/// A mapping with the places of its columns.
struct Reader<'m> {
    mapping: &'m Mapping,
    names: Vec<&'m str>,
}

impl<'m> Reader<'m> {
    fn new(mapping: &'m Mapping) -> Self {
        Self { mapping, names: mapping.columns() }
    }

    fn place(&self, column: &str) -> usize {
        // A name that is not among them has no place in the file either.
        self.names.binary_search(&column).unwrap_or(self.names.len())
    }

    fn value(&self, row: &Row<'_>, column: Option<&str>) -> Option<String> {
        column.and_then(|column| row.filled(self.place(column)))
    }

    fn needed(&self, row: &Row<'_>, column: &str) -> Result<String, Fault> {
        let place = self.place(column);
        row.filled(place).ok_or_else(|| (place, Error::refused(Code::Required)))
    }

    /// The texts of several columns, joined; the same text stands once.
    fn text(&self, row: &Row<'_>, columns: &Columns) -> Option<String> {
        let mut texts: Vec<&str> = Vec::new();
        for column in columns.names() {
            let text = row.get(self.place(column));
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        (!texts.is_empty()).then(|| texts.join(&self.mapping.separator))
    }

    /// An instant, told in the file's own zone.
    fn instant(&self, column: &str, text: &str) -> Result<DateTime<Utc>, Fault> {
        let format = &self.mapping.time_format;
        let malformed = || (self.place(column), Error::refused(Code::Malformed).with("expected", format));
        let local = NaiveDateTime::parse_from_str(text, format).map_err(|_| malformed())?;
        // Of an hour that a clock runs through twice, the first is meant.
        let at = local.and_local_timezone(self.mapping.time_zone).earliest().ok_or_else(malformed)?;
        Ok(at.with_timezone(&Utc))
    }

    /// What a value means, by a table of the mapping.
    fn meaning<T: Copy>(
        &self,
        row: &Row<'_>,
        column: &str,
        meanings: &BTreeMap<String, T>,
    ) -> Result<T, Fault> {
        let value = self.needed(row, column)?;
        meanings.get(&value).copied().ok_or_else(|| {
            let known: Vec<&str> = meanings.keys().map(String::as_str).collect();
            (self.place(column), Error::refused(Code::Malformed).with("expected", known.join(", ")))
        })
    }

    /// Whether the source has closed it.
    fn is_closed(&self, row: &Row<'_>) -> Result<bool, Fault> {
        let (column, states) = (&self.mapping.columns.state, &self.mapping.states);
        let state = self.needed(row, column)?;
        if states.closed.contains(&state) {
            Ok(true)
        } else if states.open.contains(&state) {
            Ok(false)
        } else {
            let known = [states.open.join(", "), states.closed.join(", ")].join(", ");
            Err((self.place(column), Error::refused(Code::Malformed).with("expected", known)))
        }
    }

    /// Reads one row.
    fn problem(&self, row: &Row<'_>) -> Result<SourceProblem, Fault> {
        let columns = &self.mapping.columns;
        let is_closed = self.is_closed(row)?;
        let occurred_at = self.needed(row, &columns.occurred_at)?;
        let closed_at = match &columns.closed_at {
            Some(column) if is_closed => {
                row.filled(self.place(column)).map(|text| self.instant(column, &text)).transpose()?
            }
            _ => None,
        };
        Ok(SourceProblem {
            line: row.line,
            key: self.needed(row, &columns.key)?,
            title: self.text(row, &columns.title).unwrap_or_default(),
            description: self.text(row, &columns.description).unwrap_or_default(),
            category: self.text(row, &columns.category).unwrap_or_default(),
            place: columns.place.as_ref().and_then(|place| self.text(row, place)),
            channel: self.meaning(row, &columns.channel, &self.mapping.channels)?,
            severity: match &columns.severity {
                Some(column) => self.meaning(row, column, &self.mapping.severities)?,
                None => Severity::Ordinary,
            },
            organization: self.value(row, columns.organization.as_deref()),
            organization_short_name: self.value(row, columns.organization_short_name.as_deref()),
            occurred_at: self.instant(&columns.occurred_at, &occurred_at)?,
            is_closed,
            closed_at,
        })
    }
}

/// Imports the problems of a file into an alliance's list, each once.
pub async fn run(
    ctx: &Ctx,
    alliance: AllianceId,
    mapping: &Mapping,
    source: &Source,
    options: Options<'_>,
) -> Result<Report> {
    let mut report = Report::default();
    let origin = Origin { source: mapping.source.clone(), organization_kind: mapping.organization_kind };
    let mut destination = Destination::open(ctx, alliance, origin, options.dry_run).await?;
    let reader = Reader::new(mapping);
    let titles: Vec<[&str; 1]> = reader.names.iter().map(|name| [*name]).collect();
    let wanted: Vec<_> = titles.iter().map(|titles| csv::required(titles)).collect();
    let mut table = match Table::open(source, &wanted, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => {
            report.refuse(error);
            return Ok(report);
        }
    };
    let (mut batch, mut done) = (Vec::with_capacity(BATCH), 0);
    while let Some(row) = table.next_row() {
        done += 1;
        let read = row.and_then(|row| {
            reader.problem(&row).map_err(|(place, error)| RowError {
                file: source.name.clone(),
                line: row.line,
                column: row.column(place),
                error,
            })
        });
        match read {
            Ok(problem) => batch.push(problem),
            Err(error) => report.refuse(error),
        }
        if batch.len() == BATCH {
            settle(&mut destination, &table, &reader, std::mem::take(&mut batch), &mut report).await?;
            (options.progress)(done);
        }
    }
    settle(&mut destination, &table, &reader, batch, &mut report).await?;
    (options.progress)(done);
    report.errors.sort_by_key(|error| error.line);
    report.notes.sort_by_key(|note| note.line);
    Ok(report)
}

/// Takes a batch over, and notes what came of it.
async fn settle(
    destination: &mut Destination<'_>,
    table: &Table<'_>,
    reader: &Reader<'_>,
    batch: Vec<SourceProblem>,
    report: &mut Report,
) -> Result<()> {
    let Taken { imported, known, closed, left, refused } = destination.take(batch).await?;
    report.imported += imported;
    report.updated += closed;
    report.unchanged += known;
    let placed = |(line, error): (u64, Error)| {
        let field = match &error {
            Error::Refused(refusal) => refusal.field.as_deref(),
            _ => None,
        };
        let column = field.and_then(|field| reader.mapping.behind(field));
        let place = column.map_or(0, |column| table.place(reader.place(column)));
        table.refusal(line, place, error)
    };
    refused.into_iter().map(placed).for_each(|error| report.refuse(error));
    left.into_iter().map(placed).for_each(|note| report.leave(note));
    Ok(())
}
