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

pub use super::rows::Fault;
use super::rows::{Row, Rows};
use crate::domain::{
    Code, Ctx, Error, Result,
    list::problem::take_over::{self, Destination, Origin, SourceProblem},
};

/// Rows that are taken over in one unit of work.
const BATCH: usize = 100;
/// Most faults that are told one by one.
pub const MOST_FAULTS: usize = 1_000;

/// One column, or several whose texts are joined.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    One(String),
    Several(Vec<String>),
}

impl Columns {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    fn told(&self) -> String {
        self.names().join(", ")
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

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Tz, D::Error> {
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

    /// Turns away a file that lacks a column which the mapping names.
    fn check(&self, rows: &Rows<'_>) -> Result<()> {
        let columns = &self.columns;
        let single =
            [Some(&columns.key), Some(&columns.channel), Some(&columns.state), Some(&columns.occurred_at)]
                .into_iter()
                .chain([
                    columns.severity.as_ref(),
                    columns.organization.as_ref(),
                    columns.organization_short_name.as_ref(),
                    columns.closed_at.as_ref(),
                ])
                .flatten();
        let several = [
            Some(&columns.title),
            Some(&columns.description),
            Some(&columns.category),
            columns.place.as_ref(),
        ];
        let mut named = single.chain(several.into_iter().flatten().flat_map(Columns::names));
        match named.find(|name| !rows.has(name)) {
            Some(name) => {
                Err(Error::refused(Code::MappingInvalid)
                    .with("reason", format!("the file has no column {name}")))
            }
            None => Ok(()),
        }
    }

    /// The texts of several columns, joined; the same text stands once.
    fn text(&self, row: &Row<'_>, columns: &Columns) -> std::result::Result<Option<String>, Fault> {
        let mut texts: Vec<&str> = Vec::new();
        for column in columns.names() {
            if let Some(text) = row.cell(column)?
                && !texts.contains(&text)
            {
                texts.push(text);
            }
        }
        Ok((!texts.is_empty()).then(|| texts.join(&self.separator)))
    }

    fn needed<'row>(row: &'row Row<'_>, column: &str) -> std::result::Result<&'row str, Fault> {
        row.cell(column)?.ok_or_else(|| row.fault(column, Error::refused(Code::Required)))
    }

    /// An instant, told in the file's own zone.
    fn instant(&self, row: &Row<'_>, column: &str, text: &str) -> std::result::Result<DateTime<Utc>, Fault> {
        let malformed =
            || row.fault(column, Error::refused(Code::Malformed).with("expected", &self.time_format));
        let local = NaiveDateTime::parse_from_str(text, &self.time_format).map_err(|_| malformed())?;
        let at = local.and_local_timezone(self.time_zone).earliest().ok_or_else(malformed)?;
        Ok(at.with_timezone(&Utc))
    }

    /// What a value means, by a table of the mapping.
    fn meaning<T: Copy>(
        row: &Row<'_>,
        column: &str,
        meanings: &BTreeMap<String, T>,
    ) -> std::result::Result<T, Fault> {
        let value = Self::needed(row, column)?;
        meanings.get(value).copied().ok_or_else(|| {
            let known: Vec<&str> = meanings.keys().map(String::as_str).collect();
            row.fault(column, Error::refused(Code::Malformed).with("expected", known.join(", ")))
        })
    }

    /// Reads one row.
    fn problem(&self, row: &Row<'_>) -> std::result::Result<SourceProblem, Fault> {
        let columns = &self.columns;
        let state = Self::needed(row, &columns.state)?;
        let is_closed = self.states.closed.iter().any(|known| known == state);
        if !is_closed && !self.states.open.iter().any(|known| known == state) {
            let known = [self.states.open.join(", "), self.states.closed.join(", ")].join(", ");
            return Err(row.fault(&columns.state, Error::refused(Code::Malformed).with("expected", known)));
        }
        let closed_at = match &columns.closed_at {
            Some(column) if is_closed => match row.cell(column)? {
                Some(text) => Some(self.instant(row, column, text)?),
                None => None,
            },
            _ => None,
        };
        let occurred_at = Self::needed(row, &columns.occurred_at)?;
        Ok(SourceProblem {
            line: row.line,
            key: Self::needed(row, &columns.key)?.to_owned(),
            title: self.text(row, &columns.title)?.unwrap_or_default(),
            description: self.text(row, &columns.description)?.unwrap_or_default(),
            category: self.text(row, &columns.category)?.unwrap_or_default(),
            place: columns.place.as_ref().map(|place| self.text(row, place)).transpose()?.flatten(),
            channel: Self::meaning(row, &columns.channel, &self.channels)?,
            severity: match &columns.severity {
                Some(column) => Self::meaning(row, column, &self.severities)?,
                None => Severity::Ordinary,
            },
            organization: cell(row, columns.organization.as_deref())?,
            organization_short_name: cell(row, columns.organization_short_name.as_deref())?,
            occurred_at: self.instant(row, &columns.occurred_at, occurred_at)?,
            is_closed,
            closed_at,
        })
    }

    /// The column behind a field that the domain refused.
    fn column_of(&self, field: &str) -> Option<String> {
        let columns = &self.columns;
        Some(match field {
            "key" => columns.key.clone(),
            "title" => columns.title.told(),
            "description" => columns.description.told(),
            "category" => columns.category.told(),
            "place" => columns.place.as_ref()?.told(),
            "organization" => columns.organization.clone()?,
            "organizationShortName" => columns.organization_short_name.clone()?,
            "occurredAt" => columns.occurred_at.clone(),
            "closedAt" => columns.closed_at.clone()?,
            _ => return None,
        })
    }
}

fn cell(row: &Row<'_>, column: Option<&str>) -> std::result::Result<Option<String>, Fault> {
    match column {
        Some(column) => Ok(row.cell(column)?.map(str::to_owned)),
        None => Ok(None),
    }
}

/// What came of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Problems taken over.
    pub imported: u64,
    /// Rows that had been taken over before.
    pub known: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// The first of them, one by one.
    pub faults: Vec<Fault>,
}

impl Report {
    fn refuse(&mut self, fault: Fault) {
        self.refused += 1;
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// Imports the problems of `bytes` into an alliance's list; `told` hears after every batch how many rows were read.
pub async fn import(
    ctx: &Ctx,
    alliance: AllianceId,
    mapping: &Mapping,
    bytes: &[u8],
    mut told: impl FnMut(u64),
) -> Result<Report> {
    let mut rows = Rows::open(bytes)?;
    mapping.check(&rows)?;
    let origin = Origin { source: mapping.source.clone(), organization_kind: mapping.organization_kind };
    let mut destination = Destination::open(ctx, alliance, origin).await?;
    let (mut report, mut batch) = (Report::default(), Vec::with_capacity(BATCH));
    while let Some(row) = rows.read()? {
        report.rows += 1;
        match row.and_then(|row| mapping.problem(&row)) {
            Ok(problem) => batch.push(problem),
            Err(fault) => report.refuse(fault),
        }
        if batch.len() == BATCH {
            settle(&mut destination, mapping, std::mem::take(&mut batch), &mut report).await?;
            told(report.rows);
        }
    }
    settle(&mut destination, mapping, batch, &mut report).await?;
    told(report.rows);
    report.faults.sort_by_key(|fault| fault.line);
    Ok(report)
}

async fn settle(
    destination: &mut Destination<'_>,
    mapping: &Mapping,
    batch: Vec<SourceProblem>,
    report: &mut Report,
) -> Result<()> {
    let take_over::Taken { imported, known, refused } = destination.take(batch).await?;
    report.imported += imported;
    report.known += known;
    for (line, error) in refused {
        let column = match &error {
            Error::Refused(refusal) => refusal.field.as_deref().and_then(|field| mapping.column_of(field)),
            _ => None,
        };
        report.refuse(Fault { line, column, error });
    }
    Ok(())
}
