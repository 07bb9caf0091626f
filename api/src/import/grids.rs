//! `import grids`: the cells of an alliance's grid networks with what they cover and who holds them, in the columns in which clerks
//! keep them. Several rows may tell of one cell, each with another officer. What may be is the domain's own verbs' to say; here texts
//! become values. A second run changes nothing.

mod known;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use concord_entities::{
    grid_cell::{self, Category},
    grid_network::{self, Kind},
    grid_officer::{self, Role},
    id::{AllianceId, OrganizationId, RegionId},
};
use uuid::Uuid;

use self::known::Known;
use super::{
    Options, Report, RowError, Source,
    csv::{Column, Row, Table, optional, required, several},
};
use crate::domain::{
    Action, Code, Ctx, Error, Result, Target, Tx,
    governance::alliance::hold,
    grid::{
        cell::{self, LEVELS, NewCell},
        network,
        officer::{self, NewOfficer},
    },
};

/// Most bytes of a file.
pub const MOST_BYTES: u64 = 16 << 20;
/// Most rows of a file.
const MOST_ROWS: u64 = 50_000;

const NETWORK: usize = 0;
const CODE: usize = 1;
const NAME: usize = 2;
const LEVEL: usize = 3;
const PARENT: usize = 4;
const CATEGORY: usize = 5;
const PLACES: usize = 6;
const OFFICER: usize = 7;
const PHONE: usize = 8;
const UNIT: usize = 9;
const ROLE: usize = 10;
const SINCE: usize = 11;

const COLUMNS: [Column; 12] = [
    required(&["网络", "网格网络", "network"]),
    required(&["网格编码", "编码", "code"]),
    required(&["网格名称", "名称", "name"]),
    required(&["层级", "级别", "level"]),
    optional(&["上级网格", "上级网格编码", "parent"]),
    optional(&["类型", "网格类型", "类型(综合/专属)", "类型（综合/专属）", "category"]),
    required(&["覆盖社区/小区", "覆盖区域", "覆盖范围", "regions"]),
    optional(&["网格员", "姓名", "officer"]),
    optional(&["电话", "联系电话", "phone"]),
    optional(&["单位", "所属单位", "unit"]),
    optional(&["角色", "role"]),
    optional(&["起始日期", "开始日期", "since"]),
];

const NETWORKS: [(&[&str], Kind); 3] = [
    (&["党建网格", "党建", "party"], Kind::Party),
    (&["治理网格", "治理", "综治网格", "综治", "governance"], Kind::Governance),
    (&["警务网格", "警务", "police"], Kind::Police),
];
const CATEGORIES: [(&[&str], Category); 2] = [
    (&["综合", "综合网格", "comprehensive"], Category::Comprehensive),
    (&["专属", "专属网格", "special"], Category::Special),
];
const ROLES: [(&[&str], Role); 6] = [
    (&["网格员", "grid officer"], Role::GridOfficer),
    (&["网格长", "grid head"], Role::GridHead),
    (&["党小组长", "party group head"], Role::PartyGroupHead),
    (&["民警", "社区民警", "police officer"], Role::PoliceOfficer),
    (&["辅警", "auxiliary police"], Role::AuxiliaryPolice),
    (&["治保主任", "security director"], Role::SecurityDirector),
];

/// One row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub line: u64,
    /// The places of the columns in the file.
    columns: [usize; COLUMNS.len()],
    pub network: Kind,
    pub code: String,
    name: Option<String>,
    level: Option<i32>,
    parent: Option<String>,
    category: Option<Category>,
    places: Vec<String>,
    officer: Option<Person>,
    since: Option<NaiveDate>,
}

/// The officer of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Person {
    name: String,
    phone: Option<String>,
    unit: String,
    roles: Vec<Role>,
}

/// Reads a whole file: every row, or what is wrong with it.
pub fn read(source: &Source) -> (Vec<Line>, Vec<RowError>) {
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    let mut table = match Table::open(source, &COLUMNS, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => return (lines, vec![error]),
    };
    let columns: [usize; COLUMNS.len()] = table.all_places();
    loop {
        let (line, read) = match table.next_row() {
            None => return (lines, errors),
            Some(Err(error)) => {
                errors.push(error);
                continue;
            }
            Some(Ok(row)) => (row.line, line(&row, columns)),
        };
        match read {
            Ok(read) => lines.push(read),
            Err((column, error)) => errors.push(table.refusal(line, table.place(column), error)),
        }
    }
}

/// The column at fault among those that are read, and why.
type Fault = (usize, Error);

fn line(row: &Row<'_>, columns: [usize; COLUMNS.len()]) -> Result<Line, Fault> {
    let filled = |column: usize| row.unguarded(column).map(str::to_owned);
    let needed = |column: usize| filled(column).ok_or_else(|| (column, Error::refused(Code::Required)));
    let network = meaning(&needed(NETWORK)?, &NETWORKS).map_err(|error| (NETWORK, error))?;
    let category = filled(CATEGORY)
        .map(|text| meaning(&text, &CATEGORIES))
        .transpose()
        .map_err(|error| (CATEGORY, error))?;
    let level = filled(LEVEL).map(|text| level(&text)).transpose().map_err(|error| (LEVEL, error))?;
    let since = filled(SINCE).map(|text| date(&text)).transpose().map_err(|error| (SINCE, error))?;
    let officer = match filled(OFFICER) {
        None => None,
        Some(name) => {
            let roles = several(&filled(ROLE).unwrap_or_default())
                .map(|text| meaning(text, &ROLES))
                .collect::<Result<Vec<_>>>()
                .map_err(|error| (ROLE, error))?;
            let roles = if roles.is_empty() { vec![Role::GridOfficer] } else { roles };
            Some(Person { name, phone: filled(PHONE), unit: needed(UNIT)?, roles })
        }
    };
    let places = several(&filled(PLACES).unwrap_or_default()).map(str::to_owned).collect();
    Ok(Line {
        line: row.line,
        columns,
        network,
        code: needed(CODE)?,
        name: filled(NAME),
        level,
        parent: filled(PARENT),
        category,
        places,
        officer,
        since,
    })
}

fn meaning<T: Copy>(text: &str, known: &[(&[&str], T)]) -> Result<T> {
    let plain = text.trim().to_lowercase();
    let found = known.iter().find(|(names, _)| names.contains(&plain.as_str()));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let first: Vec<&str> = known.iter().filter_map(|(names, _)| names.first().copied()).collect();
        Error::refused(Code::Malformed).with("expected", first.join("、"))
    })
}

/// A level in figures or in words, such as `3` or `三级`.
fn level(text: &str) -> Result<i32> {
    let bare = text.trim().trim_end_matches('级');
    let level = match bare {
        "一" => 1,
        "二" => 2,
        "三" => 3,
        "四" => 4,
        "五" => 5,
        _ => bare.parse().unwrap_or_default(),
    };
    if (1..=LEVELS).contains(&level) {
        Ok(level)
    } else {
        Err(Error::refused(Code::OutOfRange).with("least", 1).with("most", LEVELS))
    }
}

/// A day as people write it: `2026-01-05`, `2026/1/5`, `2026.1.5` or `2026年1月5日`.
fn date(text: &str) -> Result<NaiveDate> {
    use chrono::Datelike as _;
    let plain = text.replace(['年', '月', '/', '.', '／'], "-");
    let day = NaiveDate::parse_from_str(plain.trim_end_matches('日').trim(), "%Y-%m-%d").ok();
    day.filter(|day| (1970..=9999).contains(&day.year()))
        .ok_or_else(|| Error::refused(Code::Malformed).with("expected", "2026-01-05"))
}

/// The rows about one cell.
struct Group {
    rows: Vec<Line>,
}

impl Group {
    fn first(&self) -> Option<&Line> {
        self.rows.first()
    }
}

/// Cells of a file by network and code, in the order of the file.
fn groups(lines: Vec<Line>) -> Vec<Group> {
    let mut places: HashMap<(Kind, String), usize> = HashMap::new();
    let mut found: Vec<Group> = Vec::new();
    for line in lines {
        let key = (line.network, line.code.clone());
        let place = *places.entry(key).or_insert(found.len());
        match found.get_mut(place) {
            Some(group) => group.rows.push(line),
            None => found.push(Group { rows: vec![line] }),
        }
    }
    found
}

/// How many cells of a circle are named.
const NAMED: usize = 5;

/// The cells that stand above each other in a circle, each with the way round.
fn loops(groups: &[Group]) -> HashMap<(Kind, String), String> {
    let parents: HashMap<(Kind, &str), &str> = groups
        .iter()
        .filter_map(Group::first)
        .filter_map(|line| Some(((line.network, line.code.as_str()), line.parent.as_deref()?)))
        .collect();
    let (mut found, mut seen) = (HashMap::new(), HashSet::new());
    for (network, code) in parents.keys() {
        let (mut way, mut next) = (Vec::new(), Some(*code));
        while let Some(at) = next.filter(|at| seen.insert((*network, *at))) {
            way.push(at);
            next = parents.get(&(*network, at)).copied();
        }
        // It closes where the way comes back to itself.
        let Some(begin) = next.and_then(|at| way.iter().position(|one| *one == at)) else { continue };
        let circle = way.split_off(begin);
        for (place, code) in circle.iter().enumerate() {
            let round = circle.iter().skip(place).chain(&circle).take(Ord::min(circle.len(), NAMED));
            let mut told: Vec<&str> = round.copied().collect();
            if circle.len() > NAMED {
                told.push("…");
            }
            told.push(*code);
            found.insert((*network, (*code).to_owned()), told.join(" → "));
        }
    }
    found
}

/// Imports a file of cells in one unit of work. A dry run does the same and takes it all back.
pub async fn run(ctx: &Ctx, alliance: AllianceId, source: &Source, options: Options<'_>) -> Result<Report> {
    let (lines, errors) = read(source);
    let mut report = Report::default();
    for error in errors {
        report.refuse(error);
    }
    let tx = ctx.begin().await?;
    let row = hold(&tx, alliance).await?;
    for action in [
        Action::EstablishGridNetwork,
        Action::DrawGridCell,
        Action::RedrawGridCell,
        Action::AssignGridOfficer,
    ] {
        ctx.require(&tx.db, action, Target::alliance(alliance)).await?;
    }
    let known = Known::load(&tx, &row).await?;
    let mut groups = groups(lines);
    let circles = loops(&groups);
    // Whoever stands above comes first; of one level the order is the file's.
    groups.sort_by_key(|group| group.first().map(|line| (line.network, line.level.unwrap_or_default())));
    let mut work = Work { tx: &tx, alliance, file: &source.name, known, report, done: 0, options };
    for group in &groups {
        let circle = group.first().and_then(|line| circles.get(&(line.network, line.code.clone())).cloned());
        work.take(group, circle.as_deref()).await?;
    }
    let mut report = work.report;
    report.errors.sort_by_key(|error| (error.line, error.column));
    if !options.dry_run {
        tx.commit(Uuid::from(alliance)).await?;
    }
    Ok(report)
}

/// An import under way.
struct Work<'a> {
    tx: &'a Tx<'a>,
    alliance: AllianceId,
    file: &'a str,
    known: Known,
    report: Report,
    done: u64,
    options: Options<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Unchanged,
    Updated,
    Imported,
}

impl Work<'_> {
    /// Takes the rows about one cell: the first draws it, each may bring an officer.
    async fn take(&mut self, group: &Group, circle: Option<&str>) -> Result<()> {
        let Some(first) = group.first() else { return Ok(()) };
        let mut drawn = match circle {
            Some(way) => Err((PARENT, Error::refused(Code::GridLoop).with("value", way))),
            // Of a row whose officer cannot be, the cell is not drawn either.
            None => match self.unit(first) {
                Ok(_) => self.cell(first).await,
                Err(fault) => Err(fault),
            },
        };
        let mut told: HashMap<Told, u64> = HashMap::new();
        for line in &group.rows {
            let fate = match &mut drawn {
                Err((column, error)) if line.line == first.line => {
                    Err((*column, std::mem::replace(error, Error::refused(Code::ImportUnknown))))
                }
                Err(_) => Err((CODE, Error::refused(Code::ImportUnknown).with("value", &line.code))),
                Ok((cell, fate)) => {
                    let cell = cell.clone();
                    let own = if line.line == first.line { *fate } else { Fate::Unchanged };
                    match agrees(line, first) {
                        Err(fault) => Err(fault),
                        Ok(()) => self.officer(&cell, line, &mut told).await.map(|fate| fate.max(own)),
                    }
                }
            };
            self.settle(line, fate)?;
        }
        Ok(())
    }

    fn settle(&mut self, line: &Line, fate: Result<Fate, Fault>) -> Result<()> {
        match fate {
            Ok(Fate::Imported) => self.report.imported += 1,
            Ok(Fate::Updated) => self.report.updated += 1,
            Ok(Fate::Unchanged) => self.report.unchanged += 1,
            Err((column, error @ Error::Refused(_))) => {
                let place = line.columns.get(column).copied().unwrap_or_default();
                self.report.refuse(RowError {
                    file: self.file.to_owned(),
                    line: line.line,
                    column: u64::try_from(place).unwrap_or_default(),
                    error,
                });
            }
            Err((_, error)) => return Err(error),
        }
        self.done += 1;
        (self.options.progress)(self.done);
        Ok(())
    }

    /// The cell of a row, drawn, redrawn or as it is.
    async fn cell(&mut self, line: &Line) -> Result<(grid_cell::Model, Fate), Fault> {
        let plain = |error: Error| (CODE, error);
        let network = self.network(line.network).await.map_err(plain)?;
        let needed = |column: usize| (column, Error::refused(Code::Required));
        let parent = match &line.parent {
            None => None,
            Some(code) => {
                let parent = self.known.cells.get(&(line.network, code.clone()));
                let unknown = || (PARENT, Error::refused(Code::ImportUnknown).with("value", code));
                Some(parent.ok_or_else(unknown)?.id)
            }
        };
        let mut regions = Vec::with_capacity(line.places.len());
        for place in &line.places {
            regions.push(self.known.places.named(place).map_err(|error| (PLACES, error))?);
        }
        let key = (line.network, line.code.clone());
        if let Some(standing) = self.known.cells.get(&key).cloned() {
            let above = self.known.cells.values().find(|cell| standing.parent_id == Some(cell.id));
            differs(line, &standing, above.map(|cell| cell.code.as_str()))?;
            let wanted: HashSet<RegionId> = regions.iter().copied().collect();
            if wanted.is_empty() || self.known.covered.get(&standing.id) == Some(&wanted) {
                return Ok((standing, Fate::Unchanged));
            }
            let row = cell::amend(self.tx, standing, &regions, line.since).await.map_err(placed)?;
            self.known.covered.insert(row.id, wanted);
            self.known.cells.insert(key, row.clone());
            return Ok((row, Fate::Updated));
        }
        let new = NewCell {
            parent_id: parent,
            code: line.code.clone(),
            name: line.name.clone().ok_or_else(|| needed(NAME))?,
            level: line.level.ok_or_else(|| needed(LEVEL))?,
            category: line.category.unwrap_or(Category::Comprehensive),
            region_ids: regions.clone(),
            since: line.since,
        };
        let row = cell::insert(self.tx, &network, new).await.map_err(placed)?;
        self.known.covered.insert(row.id, regions.into_iter().collect());
        self.known.cells.insert(key, row.clone());
        Ok((row, Fate::Imported))
    }

    async fn network(&mut self, kind: Kind) -> Result<grid_network::Model> {
        if let Some(known) = self.known.networks.get(&kind) {
            return Ok(known.clone());
        }
        let row = network::insert(self.tx, self.alliance, kind).await?;
        self.known.networks.insert(kind, row.clone());
        Ok(row)
    }

    /// The unit of a row's officer.
    fn unit(&self, line: &Line) -> Result<Option<OrganizationId>, Fault> {
        let Some(person) = &line.officer else { return Ok(None) };
        self.known.units.named(&person.unit).map(Some).map_err(|error| (UNIT, error))
    }

    /// The officer of a row, in each of the roles; of each role the first one is the main one.
    async fn officer(
        &mut self,
        cell: &grid_cell::Model,
        line: &Line,
        told: &mut HashMap<Told, u64>,
    ) -> Result<Fate, Fault> {
        let (Some(person), Some(organization_id)) = (&line.officer, self.unit(line)?) else {
            return Ok(Fate::Unchanged);
        };
        let mut fate = Fate::Unchanged;
        for role in &person.roles {
            let key = (*role, person.name.clone(), person.phone.clone());
            if let Some(first) = told.insert(key, line.line) {
                return Err((OFFICER, Error::refused(Code::ImportDuplicate).with("first", first)));
            }
            let standing = self.known.officers.entry(cell.id).or_default();
            let is_same = |post: &grid_officer::Model| {
                post.role == *role
                    && post.name == person.name
                    && (person.phone.is_none() || post.phone == person.phone)
            };
            if standing.iter().any(is_same) {
                continue;
            }
            let is_main = !standing.iter().any(|post| post.role == *role && post.is_main);
            let new = NewOfficer {
                organization_id,
                role: *role,
                name: person.name.clone(),
                phone: person.phone.clone(),
                is_main,
                since: Some(line.since.unwrap_or(cell.since_on)),
            };
            let post = officer::insert(self.tx, cell, new).await.map_err(placed)?;
            if let Some(standing) = self.known.officers.get_mut(&cell.id) {
                standing.push(post);
            }
            fate = Fate::Imported;
        }
        Ok(fate)
    }
}

/// An officer as rows tell of one: role, name, phone.
type Told = (Role, String, Option<String>);

/// A later row about a cell says the same of it, or nothing.
fn agrees(line: &Line, first: &Line) -> Result<(), Fault> {
    let other = |value: String| Error::refused(Code::ImportDiffers).with("value", value);
    if line.name.is_some() && line.name != first.name {
        return Err((NAME, other(first.name.clone().unwrap_or_default())));
    }
    if line.level.is_some() && line.level != first.level {
        return Err((LEVEL, other(first.level.map(|level| level.to_string()).unwrap_or_default())));
    }
    if line.parent.is_some() && line.parent != first.parent {
        return Err((PARENT, other(first.parent.clone().unwrap_or_default())));
    }
    if line.category.is_some() && line.category != first.category {
        return Err((CATEGORY, other(name_of(first.category.unwrap_or(Category::Comprehensive)))));
    }
    if !line.places.is_empty() && line.places != first.places {
        return Err((PLACES, other(first.places.join("；"))));
    }
    Ok(())
}

/// A row says of a cell on record what is on record, or nothing.
fn differs(line: &Line, standing: &grid_cell::Model, parent: Option<&str>) -> Result<(), Fault> {
    let other = |value: String| Error::refused(Code::ImportDiffers).with("value", value);
    if line.name.as_ref().is_some_and(|name| *name != standing.name) {
        return Err((NAME, other(standing.name.clone())));
    }
    if line.level.is_some_and(|level| level != standing.level) {
        return Err((LEVEL, other(standing.level.to_string())));
    }
    if line.parent.is_some() && line.parent.as_deref() != parent {
        return Err((PARENT, other(parent.unwrap_or("—").to_owned())));
    }
    if line.category.is_some_and(|category| category != standing.category) {
        return Err((CATEGORY, other(name_of(standing.category))));
    }
    Ok(())
}

fn name_of(category: Category) -> String {
    let found = CATEGORIES.iter().find(|(_, known)| *known == category);
    found.and_then(|(names, _)| names.first()).map(ToString::to_string).unwrap_or_default()
}

/// The column behind an input that the domain refused.
fn placed(error: Error) -> Fault {
    let column = match &error {
        Error::Refused(refusal) => match refusal.field.as_deref() {
            Some("name") if refusal.code == Code::AlreadyExists => OFFICER,
            Some("name") => NAME,
            Some("level") => LEVEL,
            Some("parentId") => PARENT,
            Some("phone") => PHONE,
            Some("organizationId") => UNIT,
            Some("isMain") => ROLE,
            Some("since") => SINCE,
            Some(field) if field.starts_with("regionIds") => PLACES,
            _ => CODE,
        },
        _ => CODE,
    };
    (column, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_levels_are_taken_as_people_write_them() {
        let day = NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day");
        for text in ["2026-01-05", "2026/1/5", "2026.1.5", "2026年1月5日"] {
            assert_eq!(date(text).expect(text), day);
        }
        for text in ["2026-13-05", "5.1.2026", "1912-01-01", "", "明天"] {
            assert!(date(text).is_err(), "{text}");
        }
        assert_eq!([level("3").unwrap(), level("三级").unwrap(), level("5级").unwrap()], [3, 3, 5]);
        for text in ["0", "6", "六级", "级", "99999999999"] {
            assert!(level(text).is_err(), "{text}");
        }
    }

    #[test]
    fn circles_are_found_and_what_hangs_on_them_is_not_one() {
        let text = "网络,网格编码,网格名称,层级,上级网格,覆盖社区/小区\n\
            党建,A,甲,3,B,x\n党建,B,乙,2,A,x\n党建,C,丙,4,A,x\n警务,A,丁,3,,x\n党建,D,戊,1,D,x\n";
        let source = Source { name: "grids.csv".to_owned(), bytes: text.as_bytes().to_vec() };
        let (lines, errors) = read(&source);
        assert!(errors.is_empty() && lines.len() == 5);
        let mut found: Vec<(Kind, String)> = loops(&groups(lines)).into_keys().collect();
        found.sort_unstable();
        assert_eq!(found, ["A", "B", "D"].map(|code| (Kind::Party, code.to_owned())));
    }
}
