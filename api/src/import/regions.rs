//! Imports the official register of regions: `provinces.csv`, `cities.csv`, `areas.csv`, `streets.csv` and `villages.csv`.
//! Identifiers follow from the codes, so a second run finds what the first one wrote. Regions that left the register stay:
//! records hang on them.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use concord_entities::{
    id::RegionId,
    mobilization, mobilization_coverage, mobilization_region,
    region::{self, Level},
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QuerySelect,
    sea_query::{BinOper, DynIden, Expr, Func, IntoIden, OnConflict, Query},
};
use uuid::Uuid;

use super::{
    Options, Report, Source,
    csv::{Column, Row, Table, required},
};
use crate::domain::{
    Code, Ctx, Error, Event, Fact, Result, Tx,
    governance::alliance::require_platform_admin,
    territory::region::{below_in, id_of_code, level_of_code},
    text,
};

/// Most bytes of a file; the villages of the whole country take 38 MB.
const MOST_BYTES: u64 = 256 << 20;
/// Most rows of a file.
const MOST_ROWS: u64 = 2_000_000;
/// Rows of one statement; SQLite binds at most 32,766 values.
const BATCH: usize = 1_000;
/// Rows of one transaction: few enough that others can write in between.
const TRANSACTION: usize = 50_000;

/// The files, from the root down: name, level, title of the column with the parent's code.
const FILES: [(&str, Level, Option<&[&str]>); 5] = [
    ("provinces.csv", Level::Province, None),
    ("cities.csv", Level::Prefecture, Some(&["provinceCode"])),
    ("areas.csv", Level::County, Some(&["cityCode"])),
    ("streets.csv", Level::Township, Some(&["areaCode"])),
    ("villages.csv", Level::Village, Some(&["streetCode"])),
];

/// A file of a register, or its name and why it could not be read.
type Read = std::result::Result<Source, (String, Error)>;

/// The five files of a register.
#[derive(Debug, Default)]
pub struct Register {
    files: Vec<(Level, Read)>,
}

impl Register {
    /// Reads the files of a folder; what is missing is told by the report.
    pub async fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        for (name, level, _) in FILES {
            let read = Source::read(&folder.join(name), MOST_BYTES).await;
            files.push((level, read.map_err(|error| (name.to_owned(), error))));
        }
        Self { files }
    }

    /// Takes files that are in memory, each under its name in the register.
    pub fn of(sources: impl IntoIterator<Item = Source>) -> Self {
        let mut given: HashMap<String, Source> =
            sources.into_iter().map(|source| (source.name.clone(), source)).collect();
        let missing =
            |name: &str| (name.to_owned(), Error::refused(Code::ImportFileMissing).with("file", name));
        let files = FILES.map(|(name, level, _)| (level, given.remove(name).ok_or_else(|| missing(name))));
        Self { files: files.into() }
    }

    /// About how many rows the files have.
    pub fn lines(&self) -> u64 {
        self.files.iter().filter_map(|(_, file)| file.as_ref().ok()).map(Source::lines).sum()
    }
}

/// A region as a file tells it.
struct Entry {
    id: RegionId,
    parent_id: Option<RegionId>,
    code: String,
    name: String,
    path: String,
}

/// Imports a register.
pub async fn run(ctx: &Ctx, register: &Register, options: Options<'_>) -> Result<Report> {
    require_platform_admin(&ctx.begin().await?).await?;
    let mut work = Work {
        ctx,
        options,
        report: Report::default(),
        paths: standing_paths(ctx).await?,
        seen: HashMap::new(),
        done: 0,
        first: None,
        tx: None,
        in_transaction: 0,
    };
    for ((level, file), (_, _, parent)) in register.files.iter().zip(FILES) {
        match file {
            Ok(source) => work.file(source, *level, parent).await?,
            Err((name, error)) => {
                // The texts of an error cannot be copied out of a borrowed register, its code and values can.
                let error = match error {
                    Error::Refused(refusal) => Error::Refused(refusal.clone()),
                    _ => Error::refused(Code::ImportFileMissing).with("file", name),
                };
                let missing = super::RowError { file: name.clone(), line: 0, column: 0, error };
                work.report.refuse(missing);
            }
        }
    }
    work.finish().await
}

struct Work<'a> {
    ctx: &'a Ctx,
    options: Options<'a>,
    report: Report,
    /// Paths of every region that can be a parent, by code.
    paths: HashMap<String, String>,
    /// Lines of this file's codes.
    seen: HashMap<String, u64>,
    done: u64,
    first: Option<RegionId>,
    tx: Option<Tx<'a>>,
    in_transaction: usize,
}

impl<'a> Work<'a> {
    async fn file(
        &mut self,
        source: &Source,
        level: Level,
        parent: Option<&'static [&'static str]>,
    ) -> Result<()> {
        let mut columns: Vec<Column> = vec![required(&["code"]), required(&["name"])];
        columns.extend(parent.map(required));
        let mut table = match Table::open(source, &columns, MOST_ROWS) {
            Ok(table) => table,
            Err(error) => {
                self.report.refuse(error);
                return Ok(());
            }
        };
        // A level that is empty so far needs no look at what stands there.
        let standing = region::Entity::find()
            .filter(region::Column::Level.eq(level))
            .filter(region::Column::Code.is_not_null())
            .limit(1)
            .count(self.ctx.read())
            .await?
            > 0;
        self.seen.clear();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let refusal = match table.next_row() {
                None => break,
                Some(Err(error)) => Some(error),
                Some(Ok(row)) => match self.entry(&row, level) {
                    Ok(entry) => {
                        batch.push(entry);
                        None
                    }
                    Err((column, error)) => {
                        let (line, column) = (row.line, row.column(column));
                        Some(super::RowError { file: source.name.clone(), line, column, error })
                    }
                },
            };
            if let Some(refusal) = refusal {
                self.report.refuse(refusal);
            }
            if batch.len() == BATCH {
                self.write(std::mem::take(&mut batch), level, standing).await?;
            }
        }
        self.write(batch, level, standing).await
    }

    /// Reads a row, or names the column that is wrong.
    fn entry(&mut self, row: &Row<'_>, level: Level) -> std::result::Result<Entry, (usize, Error)> {
        let code = row.get(0);
        if level_of_code(code) != Some(level) {
            let digits = match level {
                Level::Province => 2,
                Level::Prefecture => 4,
                Level::County => 6,
                Level::Township => 9,
                _ => 12,
            };
            let expected = format!("{digits} digits");
            return Err((0, Error::invalid(Code::Malformed, "code").with("expected", expected)));
        }
        if let Some(first) = self.seen.get(code) {
            return Err((0, Error::refused(Code::ImportDuplicate).with("first", first)));
        }
        let name = text::required(row.get(1), "name", 128).map_err(|error| (1, error))?;
        let (parent_id, above) = if level == Level::Province {
            (None, "/")
        } else {
            let parent = row.get(2);
            let unknown = || (2, Error::refused(Code::ImportUnknown).with("value", parent));
            // A parent of another level would break the tree.
            let path = self.paths.get(parent).filter(|_| level_of_code(parent) < Some(level));
            (Some(id_of_code(parent)), path.ok_or_else(unknown)?.as_str())
        };
        let path = format!("{above}{code}/");
        self.seen.insert(code.to_owned(), row.line);
        if level != Level::Village {
            self.paths.insert(code.to_owned(), path.clone());
        }
        Ok(Entry { id: id_of_code(code), parent_id, code: code.to_owned(), name, path })
    }

    async fn write(&mut self, mut batch: Vec<Entry>, level: Level, standing: bool) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let rows = batch.len();
        let mut moved = Vec::new();
        if standing {
            let known: HashMap<RegionId, region::Model> = region::Entity::find()
                .filter(region::Column::Id.is_in(batch.iter().map(|entry| entry.id)))
                .all(self.ctx.read())
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect();
            batch.retain(|entry| match known.get(&entry.id) {
                Some(row) if row.name == entry.name && row.path == entry.path && row.level == level => {
                    self.report.unchanged += 1;
                    false
                }
                Some(row) => {
                    self.report.updated += 1;
                    if row.path != entry.path {
                        moved.push((row.path.clone(), entry.path.clone()));
                    }
                    true
                }
                None => {
                    self.report.imported += 1;
                    true
                }
            });
        } else {
            self.report.imported += u64::try_from(rows).unwrap_or_default();
        }
        self.done += u64::try_from(rows).unwrap_or_default();
        if let Some(entry) = batch.first()
            && !self.options.dry_run
        {
            self.first.get_or_insert(entry.id);
            self.upsert(batch, level).await?;
            self.move_below(moved).await?;
        }
        (self.options.progress)(self.done);
        Ok(())
    }

    async fn upsert(&mut self, batch: Vec<Entry>, level: Level) -> Result<()> {
        let (now, rows) = (self.ctx.now(), batch.len());
        let models = batch.into_iter().map(|entry| region::ActiveModel {
            id: Set(entry.id),
            parent_id: Set(entry.parent_id),
            code: Set(Some(entry.code)),
            name: Set(entry.name),
            level: Set(level),
            path: Set(entry.path),
            created_at: Set(now),
        });
        let tx = self.transaction().await?;
        region::Entity::insert_many(models)
            .on_conflict(
                OnConflict::column(region::Column::Id)
                    .update_columns([
                        region::Column::ParentId,
                        region::Column::Name,
                        region::Column::Level,
                        region::Column::Path,
                    ])
                    .to_owned(),
            )
            .exec_without_returning(&tx.db)
            .await?;
        self.in_transaction += rows;
        if self.in_transaction >= TRANSACTION {
            self.commit().await?;
        }
        Ok(())
    }

    /// Takes along what stands below a region that got another parent, since the register repeats the official ones only, and what
    /// mobilisations keep of the paths of both.
    async fn move_below(&mut self, moved: Vec<(String, String)>) -> Result<()> {
        let backend = self.ctx.app.backend();
        for (from, to) in moved {
            let rest = i32::try_from(from.len() + 1).unwrap_or(i32::MAX);
            let tx = self.transaction().await?;
            for (table, column) in paths() {
                let path = Expr::col(column.clone());
                let tail = Func::cust("substr").arg(path.clone()).arg(rest);
                let moving =
                    Condition::any().add(path.clone().eq(from.as_str())).add(below_in(&path, backend, &from));
                let update = Query::update()
                    .table(table)
                    .value(column, Expr::val(to.as_str()).binary(BinOper::Custom("||"), tail))
                    .cond_where(moving)
                    .to_owned();
                tx.db.execute(&update).await?;
            }
        }
        Ok(())
    }

    async fn transaction(&mut self) -> Result<&Tx<'a>> {
        if self.tx.is_none() {
            self.tx = Some(self.ctx.begin().await?);
            self.in_transaction = 0;
        }
        self.tx.as_ref().ok_or_else(|| Error::internal("a unit of work was just opened"))
    }

    async fn commit(&mut self) -> Result<()> {
        match self.tx.take() {
            Some(tx) => tx.commit(Uuid::nil()).await,
            None => Ok(()),
        }
    }

    /// Records one event for the whole import, where it changed anything.
    async fn finish(mut self) -> Result<Report> {
        if let Some(first) = self.first {
            let (imported, updated) = (self.report.imported, self.report.updated);
            let (unchanged, refused) = (self.report.unchanged, self.report.refused());
            let tx = self.transaction().await?;
            tx.record(
                Fact::of(Event::RegionsImported, first)
                    .detail("imported", imported)
                    .detail("updated", updated)
                    .detail("unchanged", unchanged)
                    .detail("refused", refused),
            )
            .await?;
        }
        self.commit().await?;
        Ok(self.report)
    }
}

/// Where paths of regions are kept.
fn paths() -> [(DynIden, DynIden); 4] {
    [
        (region::Entity.into_iden(), region::Column::Path.into_iden()),
        (mobilization::Entity.into_iden(), mobilization::Column::Territory.into_iden()),
        (mobilization_region::Entity.into_iden(), mobilization_region::Column::Path.into_iden()),
        (mobilization_coverage::Entity.into_iden(), mobilization_coverage::Column::Path.into_iden()),
    ]
}

/// The paths of the official regions that stand above villages.
async fn standing_paths(ctx: &Ctx) -> Result<HashMap<String, String>> {
    let levels: HashSet<String> = [Level::Province, Level::Prefecture, Level::County, Level::Township]
        .into_iter()
        .map(|level| level.to_value())
        .collect();
    let rows: Vec<(Option<String>, String)> = region::Entity::find()
        .select_only()
        .column(region::Column::Code)
        .column(region::Column::Path)
        .filter(region::Column::Level.is_in(levels))
        .filter(region::Column::Code.is_not_null())
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(rows.into_iter().filter_map(|(code, path)| Some((code?, path))).collect())
}
