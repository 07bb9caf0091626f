//! What came of asking a reporter, taken out of the rates: an approver who has no part in the problem does so once, with a reason.
//! The answer stays as it was given, and so does what followed from it; the rates show beside them what they leave out.

use concord_entities::follow_up::{Model, State};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{WhichFollowUp, require_independent, take, told};
use crate::domain::{Action, Code, Ctx, Error, Event, Result, list::problem::FREE_TEXT, text};

/// Takes an answer, or a reporter who was given up, out of the rates.
pub async fn exclude(ctx: &Ctx, which: WhichFollowUp, reason: &str) -> Result<Model> {
    let (held, before) = take(ctx, which, Action::ExcludeFollowUp).await?;
    counts(&before)?;
    require_independent(&held, before.round).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let mut change = before.clone().into_active_model();
    change.excluded_at = Set(Some(ctx.now()));
    change.excluded_by = Set(Some(held.account()?));
    change.exclusion_reason = Set(Some(reason.clone()));
    change.version = Set(before.version + 1);
    let row = change.update(&held.tx.db).await?;
    held.tx.record(told(Event::FollowUpExcluded, &held.row, &row).reason(Some(&reason))).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Whether a follow-up stands in the rates.
fn counts(row: &Model) -> Result<()> {
    let refused = |state| Err(Error::refused(Code::StateRefused).with("state", state));
    match row.state {
        State::Due => refused("due"),
        State::Answered | State::Unreachable if row.excluded_at.is_some() => refused("excluded"),
        State::Answered | State::Unreachable => Ok(()),
    }
}
