//! Problems taken over from another system: each once, under a number of ours, its organisation seated if it is not yet.
//! The one way to a problem that is closed at its source, at once or when a later file says so.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId, ProblemId, RegionId},
    membership, organization,
    problem::{self, Channel, Column, Entity, Model, Severity, State, Tier},
    problem_responsible::{self, Duty},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};

use super::{CATEGORY, FREE_TEXT, Numbers, PLACE, TITLE, lock, not_in_the_future};
use crate::domain::{
    Action, Code, Ctx, Error, Event, HELD, Result, Target, Tx,
    governance::{
        self,
        membership::{Contact, seat_at_once},
        organization::{self as organizations, NewOrganization},
    },
    list::sequence,
    text,
};

/// Longest name of a source.
const SOURCE: usize = 64;
/// Longest key.
const KEY: usize = 128;

/// Where problems come from.
#[derive(Clone, Debug)]
pub struct Origin {
    pub source: String,
    /// Kind of organisations that are recorded on the way.
    pub organization_kind: organization::Kind,
}

/// A problem as its source tells it.
#[derive(Clone, Debug)]
pub struct SourceProblem {
    /// The line it stands on.
    pub line: u64,
    pub key: String,
    pub title: String,
    pub description: String,
    pub category: String,
    pub place: Option<String>,
    pub channel: Channel,
    pub severity: Severity,
    pub organization: Option<String>,
    pub organization_short_name: Option<String>,
    pub occurred_at: DateTime<Utc>,
    pub is_closed: bool,
    pub closed_at: Option<DateTime<Utc>>,
}

/// What a source may tell besides, in the words of our own list.
#[derive(Clone, Debug, Default)]
pub struct More {
    pub region_id: Option<RegionId>,
    pub tier: Option<Tier>,
    /// With a tier and a criterion it comes triaged.
    pub measures: Option<String>,
    pub criterion: Option<String>,
    pub due_on: Option<NaiveDate>,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Taken {
    pub imported: u64,
    /// Rows that had been taken over before.
    pub known: u64,
    /// Rows that had been taken over open, and that the source has closed since.
    pub closed: u64,
    /// Rows that the source has closed although they are worked on here, which goes on; with their lines.
    pub left: Vec<(u64, Error)>,
    /// Rows that cannot be problems, with their lines.
    pub refused: Vec<(u64, Error)>,
}

/// The list that problems are taken over to.
pub struct Destination<'ctx> {
    ctx: &'ctx Ctx,
    alliance: AllianceId,
    origin: Origin,
    /// Whether everything is checked and nothing kept.
    dry_run: bool,
    /// Keys of this run, so that a key that stands twice in a file is told.
    seen: HashSet<String>,
}

/// A problem that was taken over before.
struct Known {
    id: ProblemId,
    is_open: bool,
}

impl<'ctx> Destination<'ctx> {
    /// Opens an alliance's list for a source.
    pub async fn open(ctx: &'ctx Ctx, alliance: AllianceId, origin: Origin, dry_run: bool) -> Result<Self> {
        let row = governance::alliance::find(ctx, alliance).await?.ok_or(Error::NotFound("alliance"))?;
        ctx.require(ctx.read(), Action::ImportProblems, Target::alliance(row.id)).await?;
        let source = text::required(&origin.source, "source", SOURCE)?;
        Ok(Self { ctx, alliance, origin: Origin { source, ..origin }, dry_run, seen: HashSet::new() })
    }

    /// Takes a batch over in one unit of work.
    pub async fn take(&mut self, batch: Vec<SourceProblem>) -> Result<Taken> {
        self.take_with(batch.into_iter().map(|row| (row, More::default())).collect()).await
    }

    /// The same with what the source tells besides; regions are those of the alliance's territory.
    pub async fn take_with(&mut self, batch: Vec<(SourceProblem, More)>) -> Result<Taken> {
        let mut taken = Taken::default();
        if batch.is_empty() {
            return Ok(taken);
        }
        let now = self.ctx.now();
        let tx = self.ctx.begin().await?;
        // Two imports into one list take turns, so that neither takes over what the other just did. Whoever registers
        // meanwhile only refers to the alliance; to lock its key as well would end in waiting for each other.
        let alliance = alliance::Entity::find_by_id(self.alliance)
            .lock(HELD)
            .one(&tx.db)
            .await?
            .ok_or(Error::NotFound("alliance"))?;
        self.ctx.require(&tx.db, Action::ImportProblems, Target::alliance(alliance.id)).await?;
        let numbers = Numbers::of(&alliance);
        let known = self.known(&tx, &batch).await?;
        let closed = batch.iter().filter(|(row, _)| row.is_closed);
        let closing = closed.filter_map(|(row, _)| known.get(&row.key)).filter(|known| known.is_open);
        let mut open: HashMap<ProblemId, Model> = HashMap::new();
        let closing: Vec<ProblemId> = closing.map(|known| known.id).collect();
        if !closing.is_empty() {
            open.extend(lock(&tx, closing).await?.into_iter().map(|row| (row.id, row)));
        }
        let mut fresh = Vec::with_capacity(batch.len());
        for (row, more) in batch {
            if !self.seen.insert(row.key.clone()) {
                taken.refused.push((row.line, Error::invalid(Code::AlreadyExists, "key")));
                continue;
            }
            let known = known.get(&row.key);
            if known.is_some_and(|problem| !(row.is_closed && problem.is_open)) {
                taken.known += 1;
                continue;
            }
            match (checked(row, more, now), known) {
                (Err(refused), _) => taken.refused.push(refused),
                (Ok(row), None) => fresh.push(row),
                (Ok((row, _)), Some(known)) => {
                    let problem = open.remove(&known.id).ok_or(Error::NotFound("problem"))?;
                    match close(&tx, &numbers, problem, row.closed_at).await? {
                        None => taken.closed += 1,
                        Some(left) => taken.left.push((row.line, left)),
                    }
                }
            }
        }
        if let Some(first) = fresh.first().map(|(row, _)| row.key.clone()) {
            let count = i32::try_from(fresh.len()).map_err(Error::internal)?;
            let units = self.units(&tx, &fresh).await?;
            let year = numbers.year(now);
            let seq = sequence::take(&tx, sequence::PROBLEMS, alliance.id, year, count).await?;
            let rows: Vec<_> = fresh
                .into_iter()
                .zip(seq..)
                .map(|((row, more), seq)| self.active(&numbers, year, seq, (row, more), &units))
                .collect();
            write(&tx, &alliance, rows).await?;
            taken.imported = u64::from(count.unsigned_abs());
            tracing::debug!(problem.key = first, count, "a batch of problems was taken over");
        }
        if self.dry_run {
            tx.db.rollback().await?;
        } else {
            tx.commit(alliance.id).await?;
        }
        Ok(taken)
    }

    /// What of a batch was taken over before, by key.
    async fn known(&self, tx: &Tx<'_>, batch: &[(SourceProblem, More)]) -> Result<HashMap<String, Known>> {
        let rows: Vec<(Option<String>, ProblemId, bool)> = Entity::find()
            .select_only()
            .columns([Column::ExternalKey, Column::Id, Column::IsOpen])
            .filter(Column::AllianceId.eq(self.alliance))
            .filter(Column::ExternalSource.eq(self.origin.source.as_str()))
            .filter(Column::ExternalKey.is_in(batch.iter().map(|(row, _)| row.key.as_str())))
            .into_tuple()
            .all(&tx.db)
            .await?;
        Ok(rows.into_iter().filter_map(|(key, id, is_open)| Some((key?, Known { id, is_open }))).collect())
    }

    /// The organisations that a batch names; those without a seat in the alliance are recorded and admitted.
    async fn units(
        &self,
        tx: &Tx<'_>,
        batch: &[(SourceProblem, More)],
    ) -> Result<HashMap<String, OrganizationId>> {
        let mut named: Vec<(&str, Option<&str>)> = batch
            .iter()
            .filter_map(|(row, _)| {
                Some((row.organization.as_deref()?, row.organization_short_name.as_deref()))
            })
            .collect();
        named.sort_unstable();
        named.dedup_by_key(|(name, _)| *name);
        if named.is_empty() {
            return Ok(HashMap::new());
        }
        // Names are the alliance's own: an equal name elsewhere may be another unit.
        let here = membership::Entity::find()
            .select_only()
            .column(membership::Column::OrganizationId)
            .filter(membership::Column::AllianceId.eq(self.alliance))
            .filter(membership::Column::IsUnitKnown.eq(true))
            .into_query();
        let seated = organization::Entity::find()
            .filter(organization::Column::Id.in_subquery(here))
            .filter(organization::Column::Name.is_in(named.iter().map(|(name, _)| *name)))
            .order_by_asc(organization::Column::Id)
            .all(&tx.db)
            .await?;
        let mut units: HashMap<String, OrganizationId> = HashMap::new();
        for row in seated {
            units.entry(row.name).or_insert(row.id);
        }
        for (name, short_name) in named {
            if !units.contains_key(name) {
                units.insert(name.to_owned(), self.seat(tx, name, short_name).await?);
            }
        }
        Ok(units)
    }

    /// Records an organisation and admits it.
    async fn seat(&self, tx: &Tx<'_>, name: &str, short_name: Option<&str>) -> Result<OrganizationId> {
        let new = NewOrganization {
            name: name.to_owned(),
            short_name: short_name.map(str::to_owned),
            kind: self.origin.organization_kind,
            credit_code: None,
            region_id: None,
        };
        let unit = organizations::insert(tx, new).await?.id;
        seat_at_once(tx, self.alliance, unit, &Contact::default()).await?;
        Ok(unit)
    }

    fn active(
        &self,
        numbers: &Numbers,
        year: i32,
        seq: i32,
        (row, more): (SourceProblem, More),
        units: &HashMap<String, OrganizationId>,
    ) -> problem::ActiveModel {
        let now = self.ctx.now();
        let closed_at = row.is_closed.then(|| row.closed_at.unwrap_or(now));
        let is_triaged = more.tier.is_some() && more.measures.is_some() && more.criterion.is_some();
        let open = if is_triaged { State::Triaged } else { State::Registered };
        problem::ActiveModel {
            title: Set(row.title),
            description: Set(row.description),
            category: Set(row.category),
            place: Set(row.place),
            region_id: Set(more.region_id),
            tier: Set(more.tier),
            measures: Set(more.measures),
            criterion: Set(more.criterion),
            due_on: Set(more.due_on),
            channel: Set(row.channel),
            reporter_name: Set(None),
            reporter_phone: Set(None),
            severity: Set(row.severity),
            state: Set(if row.is_closed { State::ClosedAtSource } else { open }),
            is_open: Set(!row.is_closed),
            lead_organization_id: Set(row.organization.and_then(|name| units.get(&name).copied())),
            external_source: Set(Some(self.origin.source.clone())),
            external_key: Set(Some(row.key)),
            occurred_at: Set(row.occurred_at),
            closed_at: Set(closed_at),
            closed_on: Set(closed_at.map(|at| numbers.day(at))),
            ..numbers.blank(self.ctx, year, seq)
        }
    }
}

/// Checks what the columns hold; a refusal carries the line.
fn checked(
    row: SourceProblem,
    more: More,
    now: DateTime<Utc>,
) -> std::result::Result<(SourceProblem, More), (u64, Error)> {
    let line = row.line;
    let check = || -> Result<(SourceProblem, More)> {
        let occurred_at = not_in_the_future(row.occurred_at, now)?;
        if row.closed_at.is_some_and(|at| !(occurred_at..=now).contains(&at)) {
            return Err(Error::invalid(Code::OutOfRange, "closedAt")
                .with("least", occurred_at.to_rfc3339())
                .with("most", now.to_rfc3339()));
        }
        let more = More {
            measures: text::optional(more.measures.as_deref(), "measures", FREE_TEXT)?,
            criterion: text::optional(more.criterion.as_deref(), "criterion", FREE_TEXT)?,
            ..more
        };
        let row = SourceProblem {
            key: text::required(&row.key, "key", KEY)?,
            title: text::required(&row.title, "title", TITLE)?,
            description: text::required(&row.description, "description", FREE_TEXT)?,
            category: text::required(&row.category, "category", CATEGORY)?,
            place: text::optional(row.place.as_deref(), "place", PLACE)?,
            organization: text::optional(row.organization.as_deref(), "organization", 200)?
                .map(|name| organizations::name(&name).map_err(|error| error.at("organization")))
                .transpose()?,
            organization_short_name: organizations::short_name(row.organization_short_name.as_deref())
                .map_err(|error| error.at("organizationShortName"))?,
            occurred_at,
            ..row
        };
        Ok((row, more))
    };
    check().map_err(|error| (line, error))
}

/// Closes what its source has closed since, or tells why it is left: once somebody has touched it here, the source does not
/// end it.
async fn close(
    tx: &Tx<'_>,
    numbers: &Numbers,
    row: Model,
    closed_at: Option<DateTime<Utc>>,
) -> Result<Option<Error>> {
    if row.state != State::Registered || row.version != 1 {
        return Ok(Some(Error::invalid(Code::StateRefused, "state").with("state", row.state.to_value())));
    }
    let (before, version) = (row.state, row.version + 1);
    let closed_at = closed_at.unwrap_or_else(|| tx.ctx.now());
    let mut change = row.into_active_model();
    change.state = Set(State::ClosedAtSource);
    change.is_open = Set(false);
    change.closed_at = Set(Some(closed_at));
    change.closed_on = Set(Some(numbers.day(closed_at)));
    change.version = Set(version);
    let row = change.update(&tx.db).await?;
    tx.record(
        super::fact(Event::ProblemClosedAtSource, &row)
            .moved(before.to_value(), row.state.to_value())
            .detail("title", row.title.clone()),
    )
    .await?;
    Ok(None)
}

/// Writes the problems, who is responsible for them, and an event for each.
async fn write(tx: &Tx<'_>, alliance: &alliance::Model, rows: Vec<problem::ActiveModel>) -> Result<()> {
    let rows = Entity::insert_many(rows).exec_with_returning(&tx.db).await?;
    let responsible: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            Some(problem_responsible::ActiveModel {
                problem_id: Set(row.id),
                organization_id: Set(row.lead_organization_id?),
                duty: Set(Duty::Lead),
                assigned_at: Set(row.recorded_at),
                ..Default::default()
            })
        })
        .collect();
    if !responsible.is_empty() {
        problem_responsible::Entity::insert_many(responsible).exec_without_returning(&tx.db).await?;
    }
    let imported = rows.iter().map(|row| {
        super::fact(Event::ProblemImported, row)
            .alliance(alliance.id)
            .detail("title", row.title.clone())
            .detail("source", row.external_source.clone())
            .detail("key", row.external_key.clone())
            .detail("open", row.is_open)
    });
    tx.record_all(imported).await
}
