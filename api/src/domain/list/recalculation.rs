//! Deadlines that lay in a year without a published notice, computed anew once it is known. Until then they cause nothing.

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    breach::Clock,
    id::ProblemId,
    problem,
    problem_responsible::{self as responsible, Column as Unit},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::{
    deadline_policy::{Terms, Traits},
    problem::{
        self as problems,
        clocks::{self, Moved},
    },
    supervision,
};
use crate::domain::{Ctx, Event, Result, Tx, calendar::store};

/// Most problems in one go.
const BATCH: u64 = 50;

/// Computes anew what the calendar now knows; tells how many problems that concerned.
pub async fn recalculate(ctx: &Ctx) -> Result<usize> {
    let of_units = Condition::any()
        .add(Unit::ResponseIsProvisional.eq(true))
        .add(Unit::ResolutionIsProvisional.eq(true));
    let any = responsible::Entity::find().filter(of_units).limit(1).one(ctx.read()).await?.is_some()
        || problem::Entity::find()
            .filter(problem::Column::DispatchIsProvisional.eq(true))
            .limit(1)
            .one(ctx.read())
            .await?
            .is_some();
    if !any {
        return Ok(0);
    }
    // A year that nobody has published can have made nothing known.
    let national = store::load(ctx.read(), None).await?;
    let last = national.published_years().last().and_then(|year| NaiveDate::from_ymd_opt(year + 1, 1, 1));
    let Some(known) = last.map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc()) else { return Ok(0) };
    let (mut changed, mut after) = (0, None);
    // What stays unknown holds up nothing behind it.
    loop {
        let ids = candidates(ctx, known, after).await?;
        let Some(last) = ids.last().copied() else { return Ok(changed) };
        for id in ids {
            changed += usize::from(one(ctx, id).await?);
        }
        after = Some(last);
    }
}

/// The next problems with a deadline that may be known now, by identifier, so that all nodes go in the same order.
async fn candidates(ctx: &Ctx, known: DateTime<Utc>, after: Option<ProblemId>) -> Result<Vec<ProblemId>> {
    let response =
        Condition::all().add(Unit::ResponseIsProvisional.eq(true)).add(Unit::ResponseDueAt.lt(known));
    let resolution =
        Condition::all().add(Unit::ResolutionIsProvisional.eq(true)).add(Unit::ResolutionDueAt.lt(known));
    let mut ids: Vec<ProblemId> = responsible::Entity::find()
        .select_only()
        .column(Unit::ProblemId)
        .filter(Condition::any().add(response).add(resolution))
        .filter(Condition::all().add_option(after.map(|id| Unit::ProblemId.gt(id))))
        .order_by_asc(Unit::ProblemId)
        .distinct()
        .limit(BATCH)
        .into_tuple()
        .all(ctx.read())
        .await?;
    let dispatches: Vec<ProblemId> = problem::Entity::find()
        .select_only()
        .column(problem::Column::Id)
        .filter(problem::Column::DispatchIsProvisional.eq(true))
        .filter(problem::Column::DispatchDueAt.lt(known))
        .filter(Condition::all().add_option(after.map(|id| problem::Column::Id.gt(id))))
        .order_by_asc(problem::Column::Id)
        .limit(BATCH)
        .into_tuple()
        .all(ctx.read())
        .await?;
    ids.extend(dispatches);
    ids.sort_unstable();
    ids.dedup();
    // Each half has the first of its own, so that the first of both are all there.
    ids.truncate(usize::try_from(BATCH).unwrap_or(usize::MAX));
    Ok(ids)
}

/// Computes the deadlines of one problem anew; false where nothing became known.
async fn one(ctx: &Ctx, id: ProblemId) -> Result<bool> {
    let mut terms = Terms::of_problem(ctx.read(), id).await?;
    let tx = ctx.begin().await?;
    let Some(row) = problems::lock(&tx, [id]).await?.pop() else { return Ok(false) };
    terms.place.calendar = store::load(&tx.db, Some(row.alliance_id)).await?;
    let mut moved = Vec::new();
    for unit in supervision::units(&tx, std::slice::from_ref(&row)).await?.remove(&id).unwrap_or_default() {
        moved.extend(unit_anew(&tx, &row, &terms, unit).await?);
    }
    let mut change = row.clone().into_active_model();
    clocks::put_whole(&mut change, &moved, &terms);
    if row.dispatch_is_provisional {
        let due = terms.due(Clock::Dispatch, Traits::of(&row), clocks::dispatch_from(&row))?;
        if !due.is_provisional {
            let (before, after) = (row.dispatch_due_at, Some(due.at));
            moved.push(Moved { unit: None, clock: Clock::Dispatch, before, after, is_provisional: false });
            change.dispatch_due_at = Set(after);
            change.dispatch_is_provisional = Set(false);
        }
    }
    if moved.is_empty() {
        return Ok(false);
    }
    change.version = Set(row.version + 1);
    let row = change.update(&tx.db).await?;
    // Everybody whose deadline moved is told, not only whoever leads.
    let fact = problems::fact(Event::DeadlinesRecalculated, &row)
        .organizations(moved.iter().filter_map(|one| one.unit))
        .detail("title", row.title.clone());
    tx.record(clocks::told(fact, &moved)).await?;
    tx.commit(row.id).await?;
    Ok(true)
}

/// Computes a unit's deadlines anew.
async fn unit_anew(
    tx: &Tx<'_>,
    row: &problem::Model,
    terms: &Terms,
    unit: responsible::Model,
) -> Result<Vec<Moved>> {
    let mut moved = Vec::new();
    let id = Some(unit.organization_id);
    let (response_before, resolution_before) = (unit.response_due_at, unit.resolution_due_at);
    let response = if unit.response_is_provisional {
        Some(terms.due(Clock::Response, Traits::of(row), clocks::response_from(&unit))?)
    } else {
        None
    };
    let resolution = match (unit.resolution_is_provisional, unit.resolution_from, clocks::limit_of(&unit)) {
        (true, Some(from), Some(limit)) => Some(terms.within(limit, from)?),
        _ => None,
    };
    let mut change = unit.into_active_model();
    if let Some(due) = response.filter(|due| !due.is_provisional) {
        change.response_due_at = Set(Some(due.at));
        change.response_is_provisional = Set(false);
        let (before, after) = (response_before, Some(due.at));
        moved.push(Moved { unit: id, clock: Clock::Response, before, after, is_provisional: false });
    }
    if let Some(running) = resolution.filter(|running| !running.due.is_provisional) {
        let (before, after) = (resolution_before, Some(running.due.at));
        moved.push(Moved { unit: id, clock: Clock::Resolution, before, after, is_provisional: false });
        clocks::put(&mut change, &running);
    }
    if !moved.is_empty() {
        change.update(&tx.db).await?;
    }
    Ok(moved)
}
