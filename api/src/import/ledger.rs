//! The closure ledger (问题销号台账) as towns keep it: brought in by the same columns in which it is written, so that one
//! town's ledger, or last year's, becomes a list. What a ledger tells of people and of steps that others took is not taken
//! over: steps are taken here, by those who may.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use concord_entities::{
    alliance,
    id::{AllianceId, RegionId},
    membership, organization,
    problem::{self, Channel, Severity, Tier},
    region,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::{
    Options, Report, RowError, Source,
    csv::{Column, Row, Table, optional, required},
};
use crate::domain::{
    Code, Ctx, Error, Result, governance,
    ledger::{channel_of, severity_of, tier_of, unguarded},
    list::{
        problem::{
            take_over::{Destination, More, Origin, SourceProblem, Taken},
            zone,
        },
        statistics::start_of,
    },
};

/// Most rows of a file.
const MOST_ROWS: u64 = 100_000;
/// Largest file.
pub const MOST_BYTES: u64 = 256 << 20;
/// Rows that are taken over in one unit of work.
const BATCH: usize = 200;
/// The system that a ledger's problems come from, unless the file is said to be of another.
const SOURCE: &str = "ledger";
/// Beginnings of what a row says of its progress, where it was over without having been solved.
const NEVER_SOLVED: [&str; 3] = ["不予受理", "撤回", "并案"];

const NUMBER: usize = 0;
const RECORDED: usize = 1;
const CHANNEL: usize = 2;
const REGION: usize = 3;
const PLACE: usize = 4;
const CATEGORY: usize = 5;
const DESCRIPTION: usize = 6;
const WEIGHT: usize = 7;
const LEAD: usize = 8;
const MEASURES: usize = 9;
const CRITERION: usize = 10;
const DUE: usize = 11;
const PROGRESS: usize = 12;
const CLOSED: usize = 13;

const COLUMNS: [Column<'static>; 14] = [
    required(&["编号"]),
    required(&["登记日期"]),
    optional(&["问题来源"]),
    optional(&["社区/网格"]),
    optional(&["地点"]),
    required(&["类别"]),
    required(&["问题描述"]),
    optional(&["难易/紧急"]),
    optional(&["牵头单位"]),
    optional(&["整改措施"]),
    optional(&["销号标准"]),
    optional(&["完成时限"]),
    optional(&["进展(日期)"]),
    optional(&["销号日期"]),
];

/// The column behind a field at fault.
fn behind(field: &str) -> Option<usize> {
    Some(match field {
        "key" => NUMBER,
        "title" | "description" => DESCRIPTION,
        "category" => CATEGORY,
        "place" => PLACE,
        "organization" => LEAD,
        "measures" => MEASURES,
        "criterion" => CRITERION,
        "occurredAt" => RECORDED,
        "closedAt" => CLOSED,
        _ => return None,
    })
}

type Fault = (usize, Error);

/// What of an alliance the rows name.
struct Reader {
    alliance: alliance::Model,
    /// Names of its members.
    units: Vec<String>,
    /// Regions of its territory by name; nothing for a name that several bear.
    regions: HashMap<String, Option<RegionId>>,
}

impl Reader {
    async fn of(ctx: &Ctx, id: AllianceId) -> Result<Self> {
        let alliance = governance::alliance::find(ctx, id).await?.ok_or(Error::NotFound("alliance"))?;
        let seated = membership::Entity::find()
            .select_only()
            .column(membership::Column::OrganizationId)
            .filter(membership::Column::AllianceId.eq(id))
            .filter(membership::Column::IsUnitKnown.eq(true))
            .filter(membership::Column::EndedAt.is_null())
            .into_query();
        let units = organization::Entity::find()
            .filter(organization::Column::Id.in_subquery(seated))
            .all(ctx.read())
            .await?;
        let mut regions = HashMap::new();
        if let Some(top) = region::Entity::find_by_id(alliance.region_id).one(ctx.read()).await? {
            let below = region::Entity::find().filter(region::Column::Path.like(format!("{}%", top.path)));
            for row in below.all(ctx.read()).await? {
                regions.entry(row.name).and_modify(|known| *known = None).or_insert(Some(row.id));
            }
        }
        Ok(Self { alliance, units: units.into_iter().map(|unit| unit.name).collect(), regions })
    }

    fn problem(&self, row: &Row<'_>) -> Result<(SourceProblem, More), Fault> {
        let text = |column: usize| unguarded(row.get(column)).trim();
        let filled = |column: usize| Some(text(column)).filter(|text| !text.is_empty()).map(str::to_owned);
        let malformed =
            |column, expected: &str| (column, Error::refused(Code::Malformed).with("expected", expected));
        let day = |column: usize| -> Result<Option<NaiveDate>, Fault> {
            filled(column).map(|text| text.parse().map_err(|_| malformed(column, "2026-01-31"))).transpose()
        };
        let zone = zone(&self.alliance.time_zone);
        let recorded = day(RECORDED)?.ok_or_else(|| (RECORDED, Error::refused(Code::Required)))?;
        let closed = day(CLOSED)?;
        let (mut tier, mut severity) = (None::<Tier>, None::<Severity>);
        for word in text(WEIGHT).split(['/', '／']).map(str::trim).filter(|word| !word.is_empty()) {
            match (tier_of(word), severity_of(word)) {
                (Some(of), _) => tier = Some(of),
                (None, Some(of)) => severity = Some(of),
                (None, None) => return Err(malformed(WEIGHT, "小事/一般")),
            }
        }
        let channel = match filled(CHANNEL) {
            Some(word) => channel_of(&word).ok_or_else(|| malformed(CHANNEL, "网格员, 热线"))?,
            None => Channel::Import,
        };
        let region_id = match filled(REGION) {
            Some(name) => {
                let known = self.regions.get(&name).copied().flatten();
                Some(known.ok_or_else(|| malformed(REGION, &self.alliance.name))?)
            }
            None => None,
        };
        let organization = filled(LEAD);
        if organization.as_ref().is_some_and(|name| !self.units.contains(name)) {
            return Err(malformed(LEAD, "成员单位"));
        }
        let whole = text(DESCRIPTION);
        let (title, rest) = whole.split_once('\n').unwrap_or((whole, whole));
        let source = SourceProblem {
            line: row.line,
            key: text(NUMBER).to_owned(),
            title: title.trim().to_owned(),
            description: rest.trim().to_owned(),
            category: text(CATEGORY).to_owned(),
            place: filled(PLACE),
            channel,
            severity: severity.unwrap_or(Severity::Ordinary),
            organization,
            organization_short_name: None,
            occurred_at: start_of(zone, recorded),
            is_closed: closed.is_some(),
            closed_at: closed.map(|day| start_of(zone, day)),
        };
        let more = More {
            region_id,
            tier,
            measures: filled(MEASURES),
            criterion: filled(CRITERION),
            due_on: day(DUE)?,
        };
        Ok((source, more))
    }
}

/// Brings the rows of a ledger onto an alliance's list, each once.
pub async fn run(ctx: &Ctx, alliance: AllianceId, source: &Source, options: Options<'_>) -> Result<Report> {
    let mut report = Report::default();
    let origin = Origin { source: SOURCE.to_owned(), organization_kind: organization::Kind::GovernmentUnit };
    let mut destination = Destination::open(ctx, alliance, origin, options.dry_run).await?;
    let reader = Reader::of(ctx, alliance).await?;
    let mut table = match Table::open(source, &COLUMNS, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => {
            report.refuse(error);
            return Ok(report);
        }
    };
    let (mut batch, mut done) = (Vec::with_capacity(BATCH), 0);
    while let Some(row) = table.next_row() {
        done += 1;
        match row {
            Ok(row) => {
                let fault = |(place, error): Fault| RowError {
                    file: source.name.clone(),
                    line: row.line,
                    column: row.column(place),
                    error,
                };
                let over = NEVER_SOLVED.iter().find(|beginning| row.get(PROGRESS).starts_with(**beginning));
                match (over, reader.problem(&row)) {
                    (Some(state), _) => {
                        let left = Error::refused(Code::StateRefused).with("state", state);
                        report.leave(fault((PROGRESS, left)));
                    }
                    (None, Ok(problem)) => batch.push(problem),
                    (None, Err(error)) => report.refuse(fault(error)),
                }
            }
            Err(error) => report.refuse(error),
        }
        if batch.len() == BATCH {
            settle((ctx, alliance), &mut destination, &table, std::mem::take(&mut batch), &mut report)
                .await?;
            (options.progress)(done);
        }
    }
    settle((ctx, alliance), &mut destination, &table, batch, &mut report).await?;
    (options.progress)(done);
    report.errors.sort_by_key(|error| error.line);
    report.notes.sort_by_key(|note| note.line);
    Ok(report)
}

/// Takes a batch over, and notes what came of it. A row that was registered on this very list stands there already.
async fn settle(
    (ctx, list): (&Ctx, AllianceId),
    destination: &mut Destination<'_>,
    table: &Table<'_>,
    mut batch: Vec<(SourceProblem, More)>,
    report: &mut Report,
) -> Result<()> {
    use problem::Column;
    let numbers = batch.iter().map(|(row, _)| row.key.clone()).filter(|number| !number.is_empty());
    // What came from elsewhere goes by its number there, which may be anybody's here.
    let own: HashSet<(String, String)> = problem::Entity::find()
        .select_only()
        .columns([Column::Number, Column::Title])
        .filter(Column::AllianceId.eq(list))
        .filter(Column::ExternalSource.is_null())
        .filter(Column::Number.is_in(numbers))
        .into_tuple()
        .all(ctx.read())
        .await?
        .into_iter()
        .collect();
    let all = batch.len();
    batch.retain(|(row, _)| !own.contains(&(row.key.clone(), row.title.clone())));
    report.unchanged += u64::try_from(all - batch.len()).unwrap_or_default();
    let Taken { imported, known, closed, left, refused } = destination.take_with(batch).await?;
    report.imported += imported;
    report.updated += closed;
    report.unchanged += known;
    let placed = |(line, error): (u64, Error)| {
        let field = match &error {
            Error::Refused(refusal) => refusal.field.as_deref(),
            _ => None,
        };
        let place = field.and_then(behind).map_or(0, |column| table.place(column));
        table.refusal(line, place, error)
    };
    refused.into_iter().map(placed).for_each(|error| report.refuse(error));
    left.into_iter().map(placed).for_each(|note| report.leave(note));
    Ok(())
}
