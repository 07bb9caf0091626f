//! The hand that follows the deadlines of calls: a reminder before the time to resolve the matter ends, and a breach on record with
//! a supervision notice when a deadline passes unmet. Each once, whichever node comes first: the whistle is locked, what waits is looked at again,
//! and what was looked at leaves its index with the same commit.

use chrono::{DateTime, Utc};
use concord_entities::{
    id::{WhistleBreachId, WhistleId},
    whistle,
    whistle_breach::{self, Clock},
    whistle_response::{Column, Entity, Model, State},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait,
    IntoActiveModel, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    record,
    supervision::{self, Passed},
};
use crate::domain::{Ctx, Error, Event, Result, Tx, list::supervision::AllTerms};

/// Most whistles looked at in one unit of work.
const BATCH: u64 = 50;

/// Does once everything that the deadlines of calls have come to by now; tells how much that was.
pub async fn watch(ctx: &Ctx) -> Result<usize> {
    let now = ctx.now();
    let report_in =
        Condition::all().add(Column::ReportInDueAt.lte(now)).add(Column::ReportInSettled.into_expr().not());
    // What was claimed in time waits for the town.
    let in_review = Column::State
        .eq(State::ClaimedResolved)
        .and(Column::ClaimedAt.into_simple_expr().lte(Column::ResolveDueAt.into_simple_expr()));
    let resolve = Condition::all()
        .add(Column::ResolveDueAt.lte(now))
        .add(Column::ResolveSettled.into_expr().not())
        .add(in_review.not());
    let reminder = Condition::all().add(Column::RemindAt.lte(now));
    let mut done = 0;
    for waiting in [report_in, resolve, reminder] {
        let select = Entity::find()
            .select_only()
            .column(Column::WhistleId)
            .filter(waiting.clone())
            .distinct()
            .limit(BATCH);
        let ids: Vec<WhistleId> = select.into_tuple().all(ctx.read()).await?;
        if !ids.is_empty() {
            done += look(ctx, ids, waiting).await?;
        }
    }
    Ok(done + supervision::escalate(ctx).await?)
}

async fn look(ctx: &Ctx, ids: Vec<WhistleId>, waiting: Condition) -> Result<usize> {
    let tx = ctx.begin().await?;
    // All nodes lock in the same order.
    let whistles = whistle::Entity::find()
        .filter(whistle::Column::Id.is_in(ids))
        .order_by_asc(whistle::Column::Id)
        .lock_exclusive()
        .all(&tx.db)
        .await?;
    let calls = Entity::find()
        .filter(Column::WhistleId.is_in(whistles.iter().map(|whistle| whistle.id)))
        .filter(waiting)
        // Numbers of notices are taken alliance by alliance.
        .order_by_asc(Column::MemberAllianceId)
        .order_by_asc(Column::WhistleId)
        .order_by_asc(Column::Id)
        .all(&tx.db)
        .await?;
    let done = calls.len();
    let mut terms = AllTerms::default();
    for row in calls {
        let whistle = whistles.iter().find(|whistle| whistle.id == row.whistle_id);
        settle(&tx, whistle.ok_or_else(|| Error::internal("a call of no whistle"))?, row, &mut terms).await?;
    }
    let first = whistles.first().map_or_else(Uuid::nil, |row| row.id.into());
    tx.commit(first).await?;
    Ok(done)
}

/// When a unit did what a deadline is about, or was no longer asked to. A refusal is a first contact; whose the matter is then
/// is the town's to say.
fn done_at(row: &Model, clock: Clock) -> Option<DateTime<Utc>> {
    let own = match clock {
        Clock::ReportIn => row.reported_in_at,
        Clock::Resolve => row.claimed_at,
    };
    own.or(row.refused_at).or(row.ended_at)
}

/// Looks at everything of one call that has come by now.
async fn settle(tx: &Tx<'_>, whistle: &whistle::Model, row: Model, terms: &mut AllTerms) -> Result<()> {
    let now = tx.ctx.now();
    let mut change = row.clone().into_active_model();
    if row.report_in_due_at <= now && !row.report_in_settled {
        note(tx, whistle, &row, (Clock::ReportIn, row.report_in_due_at), terms).await?;
        change.report_in_settled = Set(true);
    }
    let claimed_in_time = row.claimed_at.is_some_and(|at| at <= row.resolve_due_at);
    let in_review = row.state == State::ClaimedResolved && claimed_in_time;
    if row.resolve_due_at <= now && !row.resolve_settled && !in_review {
        note(tx, whistle, &row, (Clock::Resolve, row.resolve_due_at), terms).await?;
        change.resolve_settled = Set(true);
    }
    if row.remind_at.is_some_and(|at| at <= now) {
        if done_at(&row, Clock::Resolve).is_none() && row.resolve_due_at > now {
            record(tx, Event::WhistleDue, whistle, Some(row.member_alliance_id), |fact| {
                fact.organizations([row.organization_id])
                    .detail("organizationId", row.organization_id.to_string())
                    .detail("dueAt", row.resolve_due_at.to_rfc3339())
            })
            .await?;
        }
        change.remind_at = Set(None);
    }
    change.update(&tx.db).await?;
    Ok(())
}

/// Puts a deadline on record that passed unmet, and demands an answer.
async fn note(
    tx: &Tx<'_>,
    whistle: &whistle::Model,
    row: &Model,
    (clock, due_at): (Clock, DateTime<Utc>),
    terms: &mut AllTerms,
) -> Result<()> {
    if done_at(row, clock).is_some_and(|at| at <= due_at) {
        return Ok(());
    }
    let breach: WhistleBreachId = tx.ctx.new_id();
    let fresh = whistle_breach::ActiveModel {
        id: Set(breach),
        alliance_id: Set(row.alliance_id),
        whistle_id: Set(row.whistle_id),
        response_id: Set(row.id),
        organization_id: Set(row.organization_id),
        clock: Set(clock),
        due_at: Set(due_at),
        noted_at: Set(tx.ctx.now()),
    };
    let insert = whistle_breach::Entity::insert(fresh)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await?;
    if insert == 0 {
        return Ok(());
    }
    record(tx, Event::WhistleBreached, whistle, Some(row.member_alliance_id), |fact| {
        fact.organizations([row.organization_id])
            .detail("organizationId", row.organization_id.to_string())
            .detail("clock", clock.to_value())
            .detail("dueAt", due_at.to_rfc3339())
    })
    .await?;
    supervision::begin(tx, whistle, row, Passed { breach, due_at }, terms).await
}
