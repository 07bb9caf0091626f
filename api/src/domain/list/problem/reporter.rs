//! Who reported a problem: shown in full only to whoever may know and says why, and every look leaves an event.

use concord_entities::{
    id::ProblemId,
    problem::{Column, Model},
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{FREE_TEXT, fact, visible};
use crate::domain::{Action, Ctx, Error, Event, Result, Target, idempotency, text};

/// Shows a problem with its reporter to somebody who gives a reason.
pub async fn reveal(ctx: &Ctx, id: ProblemId, reason: &str) -> Result<Model> {
    // The answer holds personal data, which must not be given again without a look being recorded.
    idempotency::refuse(ctx)?;
    let tx = ctx.begin().await?;
    let row = visible(ctx).filter(Column::Id.eq(id)).one(&tx.db).await?.ok_or(Error::NotFound("problem"))?;
    ctx.require(&tx.db, Action::ReadReporter, Target::alliance(row.alliance_id)).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    tx.record(fact(Event::ReporterRevealed, &row).reason(Some(&reason))).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
