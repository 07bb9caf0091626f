//! Triage tiers: every move between small, big and hard is kept in order, with the forum that settled it and why.

use concord_entities::{
    id::ProblemId,
    problem::{self, Model, Tier},
    problem_tier_move::{self, Forum},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{
    FREE_TEXT,
    clocks::{self, Ahead},
    moves::{Held, Which, hold},
};
use crate::domain::{
    Code, Ctx, Error, Event, Result, Tx,
    fact::erasure::Words,
    list::{
        deadline_policy::{Terms, Traits},
        problem_states as states,
        transition::Step,
    },
    text,
};

/// How a tier was settled.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    pub forum: Forum,
    pub reason: Option<String>,
}

/// Moves a problem to another tier while it is open and not submitted; the state stays.
pub async fn move_tier(ctx: &Ctx, which: Which, tier: Tier, settled: Settled) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let ahead = Ahead::read(ctx, which.id).await?;
    let held = hold(ctx, which, &states::MOVE_TIER).await?;
    if held.row.tier == Some(tier) {
        return Err(Error::invalid(Code::TierUnchanged, "tier"));
    }
    let before = held.row.tier;
    let reason = keep(&held, tier, &settled, "reason").await?;
    // Judged differently, it is due at another time: to be assigned, or to be solved where a limit says when.
    let judged = Traits { tier: Some(tier), ..Traits::of(&held.row) };
    let (base, moved) = if held.row.assigned_at.is_none() {
        (clocks::dispatched_by(&held.tx, &terms, &held.row, judged).await?, Vec::new())
    } else {
        let units = ahead.under(&held.tx, &held.row).await?;
        let moved = clocks::judged_anew(&held.tx, &held.row, &units, judged, &terms).await?;
        let mut base = held.row.clone().into_active_model();
        clocks::put_whole(&mut base, &moved, &terms);
        (base, moved)
    };
    let change = problem::ActiveModel { tier: Set(Some(tier)), ..base };
    let step = Step { to: held.row.state, ..states::MOVE_TIER };
    held.settle(&step, Event::ProblemTierMoved, change, |fact, _| {
        clocks::told(fact, &moved)
            .reason(reason.as_deref())
            .detail("tierBefore", serde_json::json!(before))
            .detail("tier", serde_json::json!(tier))
            .detail("forum", serde_json::json!(settled.forum))
    })
    .await
}

/// Keeps a move of a problem that is about to be written, and gives the reason as kept. Only the first triage goes without
/// one. `field` names the reason's input.
pub(super) async fn keep(
    held: &Held<'_>,
    tier: Tier,
    settled: &Settled,
    field: &'static str,
) -> Result<Option<String>> {
    let reason = text::optional(settled.reason.as_deref(), field, FREE_TEXT)?;
    if reason.is_none() && held.row.tier.is_some() {
        return Err(Error::invalid(Code::Required, field));
    }
    let kept = problem_tier_move::ActiveModel {
        problem_id: Set(held.row.id),
        version: Set(held.row.version + 1),
        from_tier: Set(held.row.tier),
        to_tier: Set(tier),
        forum: Set(settled.forum),
        reason: Set(reason.clone()),
        moved_by: Set(held.tx.ctx.author()),
        moved_at: Set(held.tx.ctx.now()),
    };
    problem_tier_move::Entity::insert(kept).exec_without_returning(&held.tx.db).await?;
    Ok(reason)
}

/// Takes reasons away that name somebody who is erased; what was moved stays.
pub(super) async fn erase(tx: &Tx<'_>, id: ProblemId, words: &Words<'_>) -> Result<()> {
    use problem_tier_move::{Column, Entity};
    let moves = Entity::find()
        .filter(Column::ProblemId.eq(id))
        .filter(Column::Reason.is_not_null())
        .all(&tx.db)
        .await?;
    for kept in moves {
        if kept.reason.as_deref().is_some_and(|reason| words.stand_in(reason)) {
            let mut change = kept.into_active_model();
            change.reason = Set(None);
            Entity::update(change).exec(&tx.db).await?;
        }
    }
    Ok(())
}
