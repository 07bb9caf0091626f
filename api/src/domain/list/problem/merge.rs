//! Merging (并案): a duplicate ends as merged and points to the problem that goes on; whoever reported it is asked about that
//! one. There are no chains: what was merged into the duplicate moves along.

use concord_entities::{
    follow_up,
    id::ProblemId,
    problem::{self, Column, Entity, Model, State},
};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};

use super::{
    FREE_TEXT, escalation, fact,
    moves::{Held, Which, take_with},
    visible,
};
use crate::domain::{Code, Ctx, Error, Event, Fact, Result, Tx, list::problem_states as states, text};

/// Merges a duplicate into the problem that goes on, both open and on the same list.
pub async fn merge(ctx: &Ctx, duplicate: Which, survivor: ProblemId, reason: &str) -> Result<Model> {
    let (held, mut others) = take_all(ctx, duplicate, survivor).await?;
    if survivor == duplicate.id {
        states::MERGE.check(held.row.state)?;
        return Err(Error::invalid(Code::MergeRefused, "survivorId"));
    }
    let at = others.iter().position(|row| row.id == survivor).ok_or(Error::NotFound("problem"))?;
    let into = others.remove(at);
    states::MERGE.check(held.row.state)?;
    if escalation::is_from_below(&held.tx, &held.row).await? {
        return Err(Error::refused(Code::EscalatedFromBelow));
    }
    if into.alliance_id != held.row.alliance_id {
        return Err(Error::invalid(Code::MergeRefused, "survivorId"));
    }
    goes_on(&into)?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    move_along(&held.tx, held.row.id, &into).await?;
    let change = problem::ActiveModel {
        merged_into_id: Set(Some(into.id)),
        reason: Set(Some(reason)),
        ..held.row.clone().into_active_model()
    };
    let (row, merged) = held
        .write(&states::MERGE, Event::ProblemMerged, change, |fact, row| {
            fact.reason(row.reason.as_deref())
                .detail("survivorId", into.id.to_string())
                .detail("survivorNumber", into.number.clone())
        })
        .await?;
    let absorbed = fact(Event::ProblemAbsorbed, &into)
        .detail("duplicateId", row.id.to_string())
        .detail("duplicateNumber", row.number.clone());
    held.tx.record_all([merged, absorbed]).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Takes a duplicate under lock, with the one that goes on and what was merged into the duplicate earlier. Whatever is merged into a
/// problem makes its version grow, so that the lock tells whether all of that was known ahead of it.
async fn take_all(ctx: &Ctx, duplicate: Which, survivor: ProblemId) -> Result<(Held<'_>, Vec<Model>)> {
    loop {
        let seen = visible(ctx).filter(Column::Id.eq(duplicate.id)).select_only().column(Column::Version);
        let version: Option<i64> = seen.into_tuple().one(ctx.read()).await?;
        let either = Condition::any().add(Column::Id.eq(survivor)).add(Column::MergedIntoId.eq(duplicate.id));
        let beside = visible(ctx).filter(either).select_only().column(Column::Id).into_query();
        let (held, others) =
            take_with(ctx.begin().await?, duplicate, states::MERGE.action, Some(beside)).await?;
        if version == Some(held.row.version) {
            return Ok((held, others));
        }
        held.tx.db.rollback().await?;
    }
}

/// Whether others can be merged into a problem: it is open, and in the hands of its own list. Those above take up one matter
/// as it was handed to them, and learn of no other reporter.
fn goes_on(into: &Model) -> Result<()> {
    if into.is_open && into.state != State::Escalated {
        Ok(())
    } else {
        Err(Error::invalid(Code::StateRefused, "survivorId").with("state", into.state.to_value()))
    }
}

/// What hangs on the duplicate goes on with the other: problems merged into it earlier, and reporters who are to be asked.
/// The other one is seen to have changed.
async fn move_along(tx: &Tx<'_>, duplicate: ProblemId, into: &Model) -> Result<()> {
    let goes =
        Expr::case(Column::Id.eq(into.id), Expr::col(Column::MergedIntoId)).finally(Expr::value(into.id));
    let changes = Condition::any().add(Column::Id.eq(into.id)).add(Column::MergedIntoId.eq(duplicate));
    Entity::update_many()
        .col_expr(Column::MergedIntoId, goes.into())
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(changes)
        .exec(&tx.db)
        .await?;
    follow_up::Entity::update_many()
        .col_expr(follow_up::Column::ProblemId, Expr::value(into.id))
        .col_expr(follow_up::Column::Round, Expr::value(into.round))
        .col_expr(follow_up::Column::Version, Expr::col(follow_up::Column::Version).add(1))
        .filter(follow_up::Column::ProblemId.eq(duplicate))
        .filter(follow_up::Column::State.eq(follow_up::State::Due))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// What tells whoever reported it under another number, or worked on it there, that the problem that went on has ended. Why, they
/// read there, where an erasure finds it.
pub(super) async fn told_of_end(tx: &Tx<'_>, row: &Model) -> Result<Vec<Fact>> {
    Ok(told_to(&merged_into(&tx.db, [row.id]).await?, row))
}

/// The same, where it is known what was merged into it.
pub(super) fn told_to(merged: &[Model], row: &Model) -> Vec<Fact> {
    let told = merged.iter().map(|other| {
        fact(Event::ProblemSurvivorEnded, other)
            .detail("survivorId", row.id.to_string())
            .detail("survivorNumber", row.number.clone())
            .detail("to", row.state.to_value())
    });
    told.collect()
}

/// The problems that were merged into some, by number.
pub(in crate::domain::list) async fn merged_into(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = ProblemId>,
) -> Result<Vec<Model>> {
    let merged = Entity::find().filter(Column::MergedIntoId.is_in(ids)).order_by_asc(Column::Ordinal);
    Ok(merged.all(db).await?)
}
