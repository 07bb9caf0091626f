//! Rounds of a problem. Reopening (重新立账) keeps the round that ended in a strike-off as it was and begins the next, which is
//! open and counted again. It begins triaged, because measures and criterion still stand; the committee may triage anew.

use concord_entities::{
    id::OrganizationId,
    problem::{self, Model},
    problem_responsible::Duty,
    problem_round,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{
    FREE_TEXT, clocks,
    moves::{Held, Which, hold},
    parts,
};
use crate::domain::{
    Ctx, Error, Event, Fact, Result, Tx,
    fact::erasure::Words,
    list::{deadline_policy::Terms, problem_states as states, supervision},
    text,
};

/// Reopens a struck-off problem as its next round.
pub async fn reopen(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let held = hold(ctx, which, &states::REOPEN).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let (row, told) = begin(&held, &terms, reason).await?;
    held.tx.record(told).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Keeps the round that ended and begins the next, within a unit of work that goes on; gives what is to be recorded of it.
pub(in crate::domain::list) async fn begin(
    held: &Held<'_>,
    terms: &Terms,
    reason: String,
) -> Result<(Model, Fact)> {
    states::REOPEN.check(held.row.state)?;
    let units = parts::freed(&held.tx, held.row.id).await?;
    supervision::note_freed(&held.tx, &held.row, &units).await?;
    let mut joint: Vec<OrganizationId> =
        units.iter().filter(|unit| unit.duty != Duty::Lead).map(|unit| unit.organization_id).collect();
    joint.sort_unstable();
    let ended = problem_round::ActiveModel {
        reopened_at: Set(held.tx.ctx.now()),
        reopened_on: Set(Some(held.today)),
        reopened_by: Set(held.tx.ctx.author()),
        reason: Set(Some(reason.clone())),
        joint_organization_ids: Set(serde_json::to_string(&joint).map_err(Error::internal)?),
        ..of(&held.row).into_active_model().reset_all()
    };
    problem_round::Entity::insert(ended).exec_without_returning(&held.tx.db).await?;
    let change = problem::ActiveModel {
        round: Set(held.row.round + 1),
        lead_organization_id: Set(None),
        handler_id: Set(None),
        proposed_organization_id: Set(None),
        due_on: Set(None),
        due_is_provisional: Set(false),
        reason: Set(Some(reason)),
        declined_count: Set(0),
        returned_count: Set(0),
        evidence_at_return: Set(0),
        assigned_at: Set(None),
        accepted_at: Set(None),
        submitted_at: Set(None),
        submitted_by: Set(None),
        verified_at: Set(None),
        verifier_id: Set(None),
        verifier_organization_id: Set(None),
        verdict: Set(None),
        struck_off_at: Set(None),
        approver_id: Set(None),
        signed_off_by: Set(None),
        signed_off_at: Set(None),
        carried_due_at: Set(None),
        ..clocks::dispatched_anew(&held.tx, terms, &held.row).await?
    };
    held.write(&states::REOPEN, Event::ProblemReopened, change, |fact, row| {
        fact.reason(row.reason.as_deref()).detail("round", row.round)
    })
    .await
}

/// A problem's present round, in the form of one that ended; its joint units are read apart.
pub fn of(row: &Model) -> problem_round::Model {
    problem_round::Model {
        problem_id: row.id,
        round: row.round,
        lead_organization_id: row.lead_organization_id,
        joint_organization_ids: "[]".to_owned(),
        handler_id: row.handler_id,
        measures: row.measures.clone(),
        criterion: row.criterion.clone(),
        due_on: row.due_on,
        due_is_provisional: row.due_is_provisional,
        declined_count: row.declined_count,
        returned_count: row.returned_count,
        assigned_at: row.assigned_at,
        accepted_at: row.accepted_at,
        submitted_at: row.submitted_at,
        rested_on: row.rested_on,
        submitted_by: row.submitted_by,
        verified_at: row.verified_at,
        verifier_id: row.verifier_id,
        verifier_organization_id: row.verifier_organization_id,
        verdict: row.verdict.clone(),
        struck_off_at: row.struck_off_at,
        closed_on: row.closed_on,
        approver_id: row.approver_id,
        reopened_at: row.recorded_at,
        reopened_on: None,
        reopened_by: None,
        reason: None,
    }
}

/// The units that were responsible in a round that ended without leading it.
pub fn joint_of(row: &problem_round::Model) -> Vec<OrganizationId> {
    serde_json::from_str(&row.joint_organization_ids).unwrap_or_default()
}

/// Takes the texts of ended rounds that name somebody away whole: what was judged is never rewritten.
pub(super) async fn erase(tx: &Tx<'_>, row: &Model, words: &Words<'_>) -> Result<()> {
    let ended =
        problem_round::Entity::find().filter(problem_round::Column::ProblemId.eq(row.id)).all(&tx.db).await?;
    for round in ended {
        let left = |text: &Option<String>| text.clone().filter(|text| !words.stand_in(text));
        let mut change = round.clone().into_active_model();
        change.measures.set_if_not_equals(left(&round.measures));
        change.criterion.set_if_not_equals(left(&round.criterion));
        change.verdict.set_if_not_equals(left(&round.verdict));
        change.reason.set_if_not_equals(left(&round.reason));
        if change.is_changed() {
            change.update(&tx.db).await?;
        }
    }
    Ok(())
}
