//! Imports the roster of day one: `units.csv`, `stations.csv` and `teams.csv` of one alliance, with the titles that clerks
//! know or English ones. Units are told by their credit code, without one by their name in the alliance; a second run
//! finds them again. Accounts are not made here.

use std::{collections::HashMap, path::Path};

use concord_entities::{
    id::{AllianceId, OrganizationId},
    membership, organization,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Options, Report, RowError, Source, csv::Table};
use crate::domain::{Action, Code, Ctx, Error, Result, Target, Tx, governance::service_team::lock_alliance};

mod teams;
mod units;

/// Most bytes of a file.
const MOST_BYTES: u64 = 16 << 20;
/// Most rows of a file.
const MOST_ROWS: u64 = 20_000;

/// The files of a roster; each may be absent.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    pub units: Option<Source>,
    pub stations: Option<Source>,
    pub teams: Option<Source>,
}

impl Roster {
    /// Reads the files of a folder, under their English or Chinese names; at least one has to be there.
    pub async fn read(folder: &Path) -> Result<Self> {
        let roster = Self {
            units: one(folder, &["units.csv", "成员单位.csv"]).await?,
            stations: one(folder, &["stations.csv", "站所.csv"]).await?,
            teams: one(folder, &["teams.csv", "服务队.csv"]).await?,
        };
        if roster.units.is_none() && roster.stations.is_none() && roster.teams.is_none() {
            let files = folder.join("units.csv");
            return Err(Error::refused(Code::ImportFileMissing).with("file", files.display()));
        }
        Ok(roster)
    }

    /// About how many rows the files have.
    pub fn lines(&self) -> u64 {
        [&self.units, &self.stations, &self.teams].into_iter().flatten().map(Source::lines).sum()
    }
}

async fn one(folder: &Path, names: &[&str]) -> Result<Option<Source>> {
    for name in names {
        let path = folder.join(name);
        if tokio::fs::try_exists(&path).await.unwrap_or_default() {
            return Source::read(&path, MOST_BYTES).await.map(Some);
        }
    }
    Ok(None)
}

/// Imports a roster in one unit of work. A dry run does the same and takes it all back.
pub async fn run(ctx: &Ctx, alliance: AllianceId, roster: &Roster, options: Options<'_>) -> Result<Report> {
    let tx = ctx.begin().await?;
    lock_alliance(&tx, alliance).await?;
    ctx.require(&tx.db, Action::AdmitMember, Target::alliance(alliance)).await?;
    ctx.require(&tx.db, Action::ManageServiceTeams, Target::alliance(alliance)).await?;
    let known = Members::load(&tx, alliance).await?;
    let mut work =
        Work { tx: &tx, alliance, options, report: Report::default(), done: 0, known, lines: HashMap::new() };
    if let Some(source) = &roster.units {
        units::import(&mut work, source, &units::UNITS, None).await?;
    }
    if let Some(source) = &roster.stations {
        let station = organization::Kind::StationOrOffice;
        units::import(&mut work, source, &units::STATIONS, Some(station)).await?;
    }
    if let Some(source) = &roster.teams {
        teams::import(&mut work, source).await?;
    }
    let report = work.report;
    if !options.dry_run {
        tx.commit(Uuid::from(alliance)).await?;
    }
    Ok(report)
}

/// An import under way.
struct Work<'a> {
    tx: &'a Tx<'a>,
    alliance: AllianceId,
    options: Options<'a>,
    report: Report,
    done: u64,
    known: Members,
    /// Lines of what the current file has brought so far.
    lines: HashMap<Uuid, u64>,
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Imported,
    Updated,
    Unchanged,
}

impl Work<'_> {
    /// Counts a row, or notes what was wrong with it; only what nobody can mend in the file stops the import.
    fn settle(
        &mut self,
        table: &Table<'_>,
        line: u64,
        result: std::result::Result<Fate, (u64, Error)>,
    ) -> Result<()> {
        match result {
            Ok(Fate::Imported) => self.report.imported += 1,
            Ok(Fate::Updated) => self.report.updated += 1,
            Ok(Fate::Unchanged) => self.report.unchanged += 1,
            Err((column, error @ Error::Refused(_))) => {
                self.report.refuse(table.refusal(line, usize::try_from(column).unwrap_or_default(), error));
            }
            Err((_, error)) => return Err(error),
        }
        self.step();
        Ok(())
    }

    fn refuse(&mut self, error: RowError) {
        self.report.refuse(error);
        self.step();
    }

    fn step(&mut self) {
        self.done += 1;
        (self.options.progress)(self.done);
    }

    /// Notes that a row is about this object; an earlier row about the same is named.
    fn once(&mut self, id: impl Into<Uuid>, line: u64) -> Result<()> {
        match self.lines.insert(id.into(), line) {
            Some(first) => Err(Error::refused(Code::ImportDuplicate).with("first", first)),
            None => Ok(()),
        }
    }
}

/// The current members of the alliance, found by whatever a file calls them.
struct Members {
    rows: Vec<(membership::Model, organization::Model)>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<OrganizationId, usize>,
}

impl Members {
    async fn load(tx: &Tx<'_>, alliance: AllianceId) -> Result<Self> {
        let rows = membership::Entity::find()
            .find_also_related(organization::Entity)
            .filter(membership::Column::AllianceId.eq(alliance))
            .filter(membership::Column::EndedAt.is_null())
            .all(&tx.db)
            .await?;
        let mut members = Self { rows: Vec::new(), by_name: HashMap::new(), by_id: HashMap::new() };
        for (row, unit) in rows {
            if let Some(unit) = unit {
                members.put(row, unit);
            }
        }
        Ok(members)
    }

    fn put(&mut self, row: membership::Model, unit: organization::Model) {
        let place = *self.by_id.entry(unit.id).or_insert(self.rows.len());
        for name in
            [Some(&unit.name), unit.short_name.as_ref(), unit.credit_code.as_ref()].into_iter().flatten()
        {
            // A full name or code wins over somebody else's short name.
            if unit.short_name.as_ref() == Some(name) && unit.name != *name {
                self.by_name.entry(name.clone()).or_insert(place);
            } else {
                self.by_name.insert(name.clone(), place);
            }
        }
        match self.rows.get_mut(place) {
            Some(standing) => *standing = (row, unit),
            None => self.rows.push((row, unit)),
        }
    }

    fn named(&self, name: &str) -> Option<&(membership::Model, organization::Model)> {
        self.by_name.get(name).and_then(|place| self.rows.get(*place))
    }

    fn of(&self, id: OrganizationId) -> Option<&(membership::Model, organization::Model)> {
        self.by_id.get(&id).and_then(|place| self.rows.get(*place))
    }
}
