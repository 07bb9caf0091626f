//! Merging (并案): a duplicate ends as merged and points to the problem that goes on; whoever reported it is asked about that
//! one. There are no chains: what was merged into the duplicate moves along.

use concord_entities::{
    follow_up,
    id::ProblemId,
    problem::{self, Column, Entity, Model},
};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{
    FREE_TEXT, escalation, fact,
    moves::{Which, take},
    visible,
};
use crate::domain::{Code, Ctx, Error, Event, Result, Tx, list::problem_states as states, text};

/// Merges a duplicate into the problem that goes on, both open and on the same list.
pub async fn merge(ctx: &Ctx, duplicate: Which, survivor: ProblemId, reason: &str) -> Result<Model> {
    let tx = ctx.begin().await?;
    // Both under lock in one order, whichever way round they are named.
    let both = visible(ctx)
        .filter(Column::Id.is_in([duplicate.id, survivor]))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(&tx.db)
        .await?;
    let into = both.into_iter().find(|row| row.id == survivor).ok_or(Error::NotFound("problem"))?;
    let held = take(tx, duplicate, states::MERGE.action).await?;
    states::MERGE.check(held.row.state)?;
    if escalation::is_from_below(&held.tx, &held.row).await? {
        return Err(Error::refused(Code::EscalatedFromBelow));
    }
    if into.id == held.row.id || into.alliance_id != held.row.alliance_id {
        return Err(Error::invalid(Code::MergeRefused, "survivorId"));
    }
    if !into.is_open {
        return Err(Error::invalid(Code::StateRefused, "survivorId").with("state", into.state.to_value()));
    }
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    move_along(&held.tx, held.row.id, &into).await?;
    let change = problem::ActiveModel {
        merged_into_id: Set(Some(into.id)),
        reason: Set(Some(reason)),
        ..held.row.clone().into_active_model()
    };
    let row = held
        .change(&states::MERGE, Event::ProblemMerged, change, |fact, row| {
            fact.reason(row.reason.as_deref())
                .detail("survivorId", into.id.to_string())
                .detail("survivorNumber", into.number.clone())
        })
        .await?;
    let absorbed = fact(Event::ProblemAbsorbed, &into)
        .detail("duplicateId", row.id.to_string())
        .detail("duplicateNumber", row.number.clone());
    held.tx.record(absorbed).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// What hangs on the duplicate goes on with the other: problems merged into it earlier, and reporters who are to be asked.
/// The other one is seen to have changed.
async fn move_along(tx: &Tx<'_>, duplicate: ProblemId, into: &Model) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::MergedIntoId, Expr::value(into.id))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::MergedIntoId.eq(duplicate))
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
    Entity::update_many()
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(into.id))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// The problems that were merged into one, by number.
pub(in crate::domain::list) async fn merged_into(tx: &Tx<'_>, id: ProblemId) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::MergedIntoId.eq(id)).order_by_asc(Column::Ordinal).all(&tx.db).await?)
}
