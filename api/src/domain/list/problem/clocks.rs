//! A problem's clocks as its rows hold them: dispatching beside the problem, response and resolution beside each responsible
//! unit. Who was late is noted by `list::supervision`.

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    breach::Clock,
    id::OrganizationId,
    problem,
    problem_responsible::{self, Column, Unit},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, sea_query::Value,
};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Event, Fact, Result, Tx,
    calendar::store,
    list::{
        deadline::{Due, Limit},
        deadline_policy::{Running, Terms, Traits},
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
        let mut columns = vec![
            (Column::ResponseDueAt, self.response.at.into()),
            (Column::ResponseIsProvisional, self.response.is_provisional.into()),
            (Column::ResponseSettled, false.into()),
        ];
        columns.extend(resolution_columns(&self.resolution));
        columns
    }

    /// What is told of them.
    pub fn moved(&self, unit: OrganizationId) -> [Moved; 2] {
        let begun = |clock, due: Due| Moved { unit: Some(unit), clock, before: None, after: Some(due.at) };
        [begun(Clock::Response, self.response), begun(Clock::Resolution, self.resolution.due)]
    }
}

/// Puts a resolution's clock into a unit's row.
pub fn put(change: &mut problem_responsible::ActiveModel, running: &Running) {
    for (column, value) in resolution_columns(running) {
        change.set(column, value);
    }
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

/// A problem whose dispatch is due by what it was judged to be, counted from its registration.
pub fn dispatched_by(terms: &Terms, row: &problem::Model, of: Traits) -> Result<problem::ActiveModel> {
    let due = terms.due(Clock::Dispatch, of, row.recorded_at)?;
    let mut change = row.clone().into_active_model();
    // What came back from a unit is due by the committee's own limit, and what was taken over has none.
    if row.declined_count == 0 && row.dispatch_due_at.is_some_and(|before| before != due.at) {
        set_dispatch(&mut change, due);
    }
    Ok(change)
}

/// A problem that came back and is to be assigned anew: its committee's limit begins now.
pub fn dispatched_anew(
    terms: &Terms,
    row: &problem::Model,
    now: DateTime<Utc>,
) -> Result<problem::ActiveModel> {
    let mut change = row.clone().into_active_model();
    set_dispatch(&mut change, terms.due(Clock::Dispatch, Traits::of(row), now)?);
    Ok(change)
}

fn set_dispatch(change: &mut problem::ActiveModel, due: Due) {
    change.dispatch_due_at = Set(Some(due.at));
    change.dispatch_is_provisional = Set(due.is_provisional);
    change.dispatch_settled = Set(false);
}

/// A unit's row.
pub async fn of_unit(
    tx: &Tx<'_>,
    row: &problem::Model,
    unit: OrganizationId,
) -> Result<Option<problem_responsible::Model>> {
    Ok(problem_responsible::Entity::find_by_id((row.id, unit)).one(&tx.db).await?)
}

/// Sets a unit's deadline anew, whatever it was.
pub async fn set(tx: &Tx<'_>, unit: problem_responsible::Model, to: Option<Running>) -> Result<()> {
    let mut change = unit.into_active_model();
    match to {
        Some(running) => put(&mut change, &running),
        None => {
            change.resolution_due_at = Set(None);
            change.remind_at = Set(None);
        }
    }
    change.update(&tx.db).await?;
    Ok(())
}

/// Sets the lead's deadline to a day, or takes it away.
pub async fn set_for_lead(tx: &Tx<'_>, row: &problem::Model, to: Option<Running>) -> Result<Vec<Moved>> {
    let Some(lead) = row.lead_organization_id else { return Ok(Vec::new()) };
    let Some(unit) = of_unit(tx, row, lead).await? else { return Ok(Vec::new()) };
    let before = unit.resolution_due_at;
    set(tx, unit, to).await?;
    let after = to.map(|running| running.due.at);
    Ok(vec![Moved { unit: Some(lead), clock: Clock::Resolution, before, after }])
}

/// Computes the deadlines anew that a limit gave, of units that still work on a problem that is judged differently now; each
/// from when its clock began. A day that somebody set stays.
pub async fn judged_anew(tx: &Tx<'_>, row: &problem::Model, of: Traits, terms: &Terms) -> Result<Vec<Moved>> {
    let units = problem_responsible::Entity::find()
        .filter(Column::ProblemId.eq(row.id))
        .filter(Column::ResolutionAmount.is_not_null())
        .order_by_asc(Column::OrganizationId)
        .all(&tx.db)
        .await?;
    let mut moved = Vec::with_capacity(units.len());
    for unit in units {
        let (id, before, from) = (unit.organization_id, unit.resolution_due_at, unit.resolution_from);
        let running = terms.resolution(of, from.unwrap_or(unit.assigned_at))?;
        if before != Some(running.due.at) {
            set(tx, unit, Some(running)).await?;
            let after = Some(running.due.at);
            moved.push(Moved { unit: Some(id), clock: Clock::Resolution, before, after });
        }
    }
    Ok(moved)
}

/// The limit by which a unit's resolution runs, where no day was set.
pub fn limit_of(unit: &problem_responsible::Model) -> Option<Limit> {
    let amount = u32::try_from(unit.resolution_amount?).ok()?;
    Some(Limit { amount, unit: unit.resolution_unit? })
}

/// Gives the units of a problem that is taken off account the time that it was held; tells which deadlines moved.
pub async fn resume(tx: &Tx<'_>, row: &problem::Model, terms: &Terms) -> Result<Vec<Moved>> {
    let units = problem_responsible::Entity::find()
        .filter(Column::ProblemId.eq(row.id))
        .order_by_asc(Column::OrganizationId)
        .all(&tx.db)
        .await?;
    let now = tx.ctx.now();
    let since = row.held_at.unwrap_or(now);
    let mut moved = Vec::with_capacity(units.len());
    let mut terms = terms.clone();
    if units.iter().any(|unit| unit.resolution_unit == Some(Unit::WorkingDays)) {
        // A clock of working days runs on when the policy names none any more.
        terms.place.calendar = store::load(&tx.db, Some(row.alliance_id)).await?;
    }
    for unit in units {
        let (id, before, settled) = (unit.organization_id, unit.resolution_due_at, unit.resolution_settled);
        let running = match (before, unit.resolution_from, limit_of(&unit)) {
            // What had passed before the pause stays passed.
            _ if settled => None,
            (Some(_), Some(from), Some(limit)) => {
                let (from, limit) = terms.place.after_pause(from, limit, (since, now));
                Some(terms.within(limit, from)?)
            }
            (Some(due_at), from, _) => Some(terms.until(from.unwrap_or(since), due_at + (now - since))),
            (None, ..) => None,
        };
        if let Some(running) = running {
            moved.push(Moved {
                unit: Some(id),
                clock: Clock::Resolution,
                before,
                after: Some(running.due.at),
            });
            set(tx, unit, Some(running)).await?;
        }
    }
    Ok(moved)
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
