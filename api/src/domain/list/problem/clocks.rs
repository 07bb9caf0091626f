//! A problem's clocks as its rows hold them: dispatching beside the problem, response and resolution beside each responsible
//! unit. Who was late is noted by `list::supervision`.

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    breach::Clock,
    id::{OrganizationId, ProblemId},
    problem,
    problem_responsible::{self, Column, Duty, PartState, Unit},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{CaseStatement, Expr, Value},
};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Ctx, Error, Event, Fact, Result, Tx,
    calendar::{store, working_day::Calendar},
    list::{
        deadline::{Due, Limit},
        deadline_policy::{Running, Terms, Traits},
        supervision,
    },
};

/// The clocks of a unit that becomes responsible.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    pub response: Due,
    pub resolution: Running,
}

impl Clocks {
    /// Those of a lead that becomes responsible now. A day that was set ends its resolution; otherwise the deadline of a unit
    /// that declined does, unless it has passed; otherwise the alliance's limit.
    pub fn from_now(
        terms: &Terms,
        row: &problem::Model,
        set_on: Option<NaiveDate>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let of = Traits::of(row);
        let resolution = match (set_on, row.carried_due_at.filter(|due| *due > now)) {
            (Some(day), _) => terms.until(now, terms.place.end_of(day)),
            (None, Some(carried)) => terms.until(now, carried),
            (None, None) => terms.resolution(of, now)?,
        };
        Ok(Self { response: terms.due(Clock::Response, of, now)?, resolution })
    }

    /// What the unit's row holds of them.
    pub fn columns(&self) -> Vec<(Column, Value)> {
        // Both begin together.
        let mut columns = vec![(Column::ResponseFrom, self.resolution.from.into())];
        columns.extend(response_columns(self.response));
        columns.extend(resolution_columns(&self.resolution));
        columns
    }

    /// What is told of them.
    pub fn moved(&self, unit: OrganizationId) -> [Moved; 2] {
        let begun = |clock, due: Due| Moved {
            unit: Some(unit),
            clock,
            before: None,
            after: Some(due.at),
            is_provisional: due.is_provisional,
        };
        [begun(Clock::Response, self.response), begun(Clock::Resolution, self.resolution.due)]
    }
}

/// Puts a resolution's clock into a unit's row.
pub fn put(change: &mut problem_responsible::ActiveModel, running: &Running) {
    for (column, value) in resolution_columns(running) {
        change.set(column, value);
    }
}

fn response_columns(due: Due) -> [(Column, Value); 3] {
    [
        (Column::ResponseDueAt, due.at.into()),
        (Column::ResponseIsProvisional, due.is_provisional.into()),
        (Column::ResponseSettled, false.into()),
    ]
}

fn resolution_columns(running: &Running) -> [(Column, Value); 7] {
    let amount = running.limit.and_then(|limit| i32::try_from(limit.amount).ok());
    let unit = running.limit.map(|limit| limit.unit.to_value());
    [
        (Column::ResolutionFrom, running.from.into()),
        (Column::ResolutionAmount, amount.into()),
        (Column::ResolutionUnit, unit.into()),
        (Column::ResolutionDueAt, running.due.at.into()),
        (Column::ResolutionIsProvisional, running.due.is_provisional.into()),
        (Column::ResolutionSettled, false.into()),
        (Column::RemindAt, running.remind_at.into()),
    ]
}

/// From when the limit for a problem's assignment counts.
pub fn dispatch_from(row: &problem::Model) -> DateTime<Utc> {
    row.dispatch_from.unwrap_or(row.recorded_at)
}

/// From when the limit for a unit's acceptance counts.
pub fn response_from(unit: &problem_responsible::Model) -> DateTime<Utc> {
    unit.response_from.unwrap_or(unit.assigned_at)
}

/// A problem whose dispatch is due by what it was judged to be, counted from when that clock began.
pub async fn dispatched_by(
    tx: &Tx<'_>,
    terms: &Terms,
    row: &problem::Model,
    of: Traits,
) -> Result<problem::ActiveModel> {
    let due = terms.due(Clock::Dispatch, of, dispatch_from(row))?;
    // What was taken over has no limit.
    if row.dispatch_due_at.is_none_or(|before| before == due.at) {
        return Ok(row.clone().into_active_model());
    }
    dispatched_until(tx, row, due).await
}

/// A problem that came back and is to be assigned anew: its committee's limit begins now.
pub async fn dispatched_anew(
    tx: &Tx<'_>,
    terms: &Terms,
    row: &problem::Model,
) -> Result<problem::ActiveModel> {
    let now = tx.ctx.now();
    let due = terms.due(Clock::Dispatch, Traits::of(row), now)?;
    Ok(problem::ActiveModel { dispatch_from: Set(Some(now)), ..dispatched_until(tx, row, due).await? })
}

async fn dispatched_until(tx: &Tx<'_>, row: &problem::Model, due: Due) -> Result<problem::ActiveModel> {
    supervision::note_dispatch(tx, row).await?;
    Ok(problem::ActiveModel {
        dispatch_due_at: Set(Some(due.at)),
        dispatch_is_provisional: Set(due.is_provisional),
        dispatch_settled: Set(false),
        ..row.clone().into_active_model()
    })
}

/// A unit's row.
pub async fn of_unit(
    tx: &Tx<'_>,
    row: &problem::Model,
    unit: OrganizationId,
) -> Result<Option<problem_responsible::Model>> {
    Ok(problem_responsible::Entity::find_by_id((row.id, unit)).one(&tx.db).await?)
}

/// The units responsible for a problem, read ahead of the unit of work that is to move their deadlines. Every change of such a
/// deadline is a change of its problem, whose version grows, so that the lock of the problem tells whether they still stand.
/// What the hands settle without that stands still while a problem is on account, and is on record once otherwise.
#[derive(Default)]
pub struct Ahead {
    version: i64,
    units: Vec<problem_responsible::Model>,
}

impl Ahead {
    pub async fn read(ctx: &Ctx, of: ProblemId) -> Result<Self> {
        let select = responsible_to(of)
            .inner_join(problem::Entity)
            .column_as(problem::Column::Version, "problem_version")
            .into_query();
        let mut found = Self::default();
        for row in ctx.read().query_all(&select).await? {
            found.version = row.try_get("", "problem_version")?;
            found.units.push(problem_responsible::Model::from_query_result(&row, "")?);
        }
        Ok(found)
    }

    /// The units as they are under the lock of the problem.
    pub async fn under(self, tx: &Tx<'_>, row: &problem::Model) -> Result<Vec<problem_responsible::Model>> {
        if self.version == row.version {
            return Ok(self.units);
        }
        Ok(responsible_to(row.id).all(&tx.db).await?)
    }
}

fn responsible_to(of: ProblemId) -> Select<problem_responsible::Entity> {
    problem_responsible::Entity::find().filter(Column::ProblemId.eq(of)).order_by_asc(Column::OrganizationId)
}

/// Sets a unit's deadline anew, whatever it was.
pub async fn set(tx: &Tx<'_>, problem: ProblemId, unit: OrganizationId, to: Running) -> Result<()> {
    write_all(tx, problem, vec![(unit, resolution_columns(&to).to_vec())]).await
}

/// Writes columns of units, in one statement.
async fn write_all(
    tx: &Tx<'_>,
    problem: ProblemId,
    rows: Vec<(OrganizationId, Vec<(Column, Value)>)>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut update = problem_responsible::Entity::update_many()
        .filter(Column::ProblemId.eq(problem))
        .filter(Column::OrganizationId.is_in(rows.iter().map(|(unit, _)| *unit)));
    let mut columns: Vec<(Column, CaseStatement)> = Vec::new();
    for (unit, values) in rows {
        for (column, value) in values {
            let known = columns.iter().position(|(known, _)| known.as_str() == column.as_str());
            let (_, before) = known.map_or((column, CaseStatement::new()), |at| columns.swap_remove(at));
            columns.push((column, before.case(Column::OrganizationId.eq(unit), Expr::value(value))));
        }
    }
    for (column, case) in columns {
        update = update.col_expr(column, case.finally(Expr::col(column)).into());
    }
    update.exec(&tx.db).await?;
    Ok(())
}

/// Sets the deadline of a whole problem to a day, or takes it away: the lead's, and with it those of the units that are due on the same
/// day and not done.
pub async fn set_for_whole(
    tx: &Tx<'_>,
    row: &problem::Model,
    units: &[problem_responsible::Model],
    terms: &Terms,
    to: Option<Running>,
) -> Result<Vec<Moved>> {
    let lead = units.iter().find(|unit| Some(unit.organization_id) == row.lead_organization_id);
    let Some(lead) = lead else { return Ok(Vec::new()) };
    let day = |unit: &problem_responsible::Model| unit.resolution_due_at.map(|at| terms.place.last_day(at));
    let along = |unit: &&problem_responsible::Model| {
        let is_lead = unit.organization_id == lead.organization_id;
        is_lead || (unit.state != PartState::Done && day(unit).is_some() && day(unit) == day(lead))
    };
    let all: Vec<_> = units.iter().filter(along).cloned().collect();
    let columns = |unit: &problem_responsible::Model| match to {
        Some(running) => resolution_columns(&running).to_vec(),
        None if unit.organization_id == lead.organization_id => {
            // No limit gives it one again.
            let none = Value::ChronoDateTimeUtc(None);
            vec![
                (Column::ResolutionDueAt, none.clone()),
                (Column::RemindAt, none),
                (Column::ResolutionAmount, Value::Int(None)),
                (Column::ResolutionUnit, Value::String(None)),
                (Column::ResolutionIsProvisional, false.into()),
            ]
        }
        // Whoever leads has no deadline any more; the others keep theirs.
        None => Vec::new(),
    };
    let moving: Vec<_> = all.iter().filter(|unit| !columns(unit).is_empty()).collect();
    let passed: Vec<_> = moving.iter().map(|unit| (Clock::Resolution, *unit)).collect();
    supervision::note_passed(tx, row, &passed).await?;
    let rows = moving.iter().map(|unit| (unit.organization_id, columns(unit)));
    write_all(tx, row.id, rows.collect()).await?;
    let moved = moving.iter().map(|unit| Moved {
        unit: Some(unit.organization_id),
        clock: Clock::Resolution,
        before: unit.resolution_due_at,
        after: to.map(|running| running.due.at),
        is_provisional: to.is_some_and(|running| running.due.is_provisional),
    });
    Ok(moved.collect())
}

/// Computes the deadlines anew that a limit gave, of units that still work on a problem that is judged differently now; each
/// from when its clock began. A day that somebody set stays, and so does the response of a unit that gave it.
pub async fn judged_anew(
    tx: &Tx<'_>,
    row: &problem::Model,
    units: &[problem_responsible::Model],
    of: Traits,
    terms: &Terms,
) -> Result<Vec<Moved>> {
    let limit = |of| terms.policy.limit(Clock::Response, of);
    let is_answered_otherwise = limit(of) != limit(Traits::of(row));
    // What moves: whose, which clock, to when, and what the unit's row holds of it then.
    let mut moving = Vec::new();
    for unit in units {
        let waits = unit.response_due_at.is_some() && supervision::done_at(row, unit).accepted.is_none();
        if is_answered_otherwise && waits {
            let due = terms.due(Clock::Response, of, response_from(unit))?;
            moving.push((unit, Clock::Response, due, response_columns(due).to_vec()));
        }
        if unit.resolution_amount.is_some() {
            let running = terms.resolution(of, unit.resolution_from.unwrap_or(unit.assigned_at))?;
            moving.push((unit, Clock::Resolution, running.due, resolution_columns(&running).to_vec()));
        }
    }
    let before = |unit: &problem_responsible::Model, clock| match clock {
        Clock::Response => unit.response_due_at,
        _ => unit.resolution_due_at,
    };
    moving.retain(|(unit, clock, due, _)| before(unit, *clock) != Some(due.at));
    let passed: Vec<_> = moving.iter().map(|(unit, clock, ..)| (*clock, *unit)).collect();
    supervision::note_passed(tx, row, &passed).await?;
    let moved = moving.iter().map(|(unit, clock, due, _)| Moved {
        unit: Some(unit.organization_id),
        clock: *clock,
        before: before(unit, *clock),
        after: Some(due.at),
        is_provisional: due.is_provisional,
    });
    let moved = moved.collect();
    let rows = moving.into_iter().map(|(unit, .., columns)| (unit.organization_id, columns));
    write_all(tx, row.id, rows.collect()).await?;
    Ok(moved)
}

/// The limit by which a unit's resolution runs, where no day was set.
pub fn limit_of(unit: &problem_responsible::Model) -> Option<Limit> {
    let amount = u32::try_from(unit.resolution_amount?).ok()?;
    Some(Limit { amount, unit: unit.resolution_unit? })
}

/// Gives the units of a problem that is taken off account the time that it was held; tells which deadlines moved.
pub async fn resume(
    tx: &Tx<'_>,
    row: &problem::Model,
    units: &[problem_responsible::Model],
    mut terms: Terms,
) -> Result<Vec<Moved>> {
    let counts_working_days =
        |unit: &problem_responsible::Model| unit.resolution_unit == Some(Unit::WorkingDays);
    if terms.place.calendar == Calendar::default() && units.iter().any(counts_working_days) {
        // Such a clock runs on when the policy names none any more.
        terms.place.calendar = store::load(&tx.db, Some(row.alliance_id)).await?;
    }
    let now = tx.ctx.now();
    let since = row.held_at.unwrap_or(now);
    let (mut rows, mut told) = (Vec::with_capacity(units.len()), Vec::with_capacity(units.len()));
    // What had passed before the pause stays passed.
    for unit in units {
        let id = unit.organization_id;
        // A unit that had not accepted could not do so meanwhile.
        if let Some(before) = unit.response_due_at.filter(|due| *due > since)
            && unit.accepted_at.is_none()
            && !unit.response_settled
            && (unit.duty == Duty::Joint || row.accepted_at.is_none())
        {
            let after = before + (now - since);
            let from = response_from(unit) + (now - since);
            rows.push((id, vec![(Column::ResponseFrom, from.into()), (Column::ResponseDueAt, after.into())]));
            told.push(Moved {
                unit: Some(id),
                clock: Clock::Response,
                before: Some(before),
                after: Some(after),
                is_provisional: unit.response_is_provisional,
            });
        }
        let has_passed = unit.resolution_due_at.is_some_and(|due| due <= since);
        if unit.resolution_settled || has_passed && !unit.resolution_is_provisional {
            continue;
        }
        let beyond = || Error::internal("a pause beyond the calendar");
        let running = match (unit.resolution_due_at, unit.resolution_from, limit_of(unit)) {
            (Some(_), Some(from), Some(limit)) => {
                let (from, limit) = terms.place.after_pause(from, limit, (since, now)).ok_or_else(beyond)?;
                terms.within(limit, from)?
            }
            (Some(due_at), from, _) => {
                let due_at = terms.place.due_after_pause(due_at, (since, now));
                terms.until(from.unwrap_or(since), due_at.ok_or_else(beyond)?)
            }
            (None, ..) => continue,
        };
        rows.push((id, resolution_columns(&running).to_vec()));
        told.push(Moved {
            unit: Some(id),
            clock: Clock::Resolution,
            before: unit.resolution_due_at,
            after: Some(running.due.at),
            is_provisional: running.due.is_provisional,
        });
    }
    write_all(tx, row.id, rows).await?;
    Ok(told)
}

/// A deadline that moved: the ledger of a problem's deadlines is made of these, as its events hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Absent for the committee's own, with dispatching.
    #[serde(rename = "organizationId")]
    pub unit: Option<OrganizationId>,
    pub clock: Clock,
    pub before: Option<DateTime<Utc>>,
    pub after: Option<DateTime<Utc>>,
    /// Whether it moved to an instant that depends on a year without a published notice.
    #[serde(skip)]
    pub is_provisional: bool,
}

/// Takes over the day to which the lead's deadline to solve a problem moved, where it did: it is that of the whole.
pub fn put_whole(change: &mut problem::ActiveModel, moved: &[Moved], terms: &Terms) {
    let lead = change.lead_organization_id.clone().take().flatten();
    let of_lead = |one: &&Moved| one.unit == lead && lead.is_some() && one.clock == Clock::Resolution;
    if let Some((at, is_provisional)) =
        moved.iter().find(of_lead).and_then(|one| Some((one.after?, one.is_provisional)))
    {
        change.due_on = Set(Some(terms.place.last_day(at)));
        change.due_is_provisional = Set(is_provisional);
    }
}

/// The events that can move deadlines.
pub const MOVERS: [Event; 7] = [
    Event::ProblemAssigned,
    Event::ProblemPartAdded,
    Event::ProblemResumed,
    Event::ProblemTierMoved,
    Event::ProblemUpdated,
    Event::ExtensionGranted,
    Event::DeadlinesRecalculated,
];

/// Where an event holds them.
const MOVED: &str = "deadlines";

/// Tells of deadlines that moved.
pub fn told(fact: Fact, moved: &[Moved]) -> Fact {
    if moved.is_empty() { fact } else { fact.detail(MOVED, serde_json::json!(moved)) }
}

/// The deadlines that an event moved, by its payload.
pub fn moved_by(payload: &serde_json::Value) -> Vec<Moved> {
    payload.get(MOVED).and_then(|moved| Vec::deserialize(moved).ok()).unwrap_or_default()
}
