//! Moving the due date of an assigned problem further out, with the reason on record.

use chrono::{Days, NaiveDate};
use concord_entities::problem::Model;
use sea_orm::{ActiveEnum, ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{
    FREE_TEXT,
    clocks::{self, Ahead},
    fact,
    moves::{Which, due_date, take},
};
use crate::domain::{Action, Code, Ctx, Error, Event, Result, list::deadline_policy::Terms, text};

/// Checks why dates are moved, before any is.
pub fn reason(given: &str) -> Result<String> {
    text::required(given, "reason", FREE_TEXT)
}

/// Moves the due date of an open, assigned problem to a later day.
pub async fn extend(ctx: &Ctx, which: Which, due_on: NaiveDate, why: &str) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let ahead = Ahead::read(ctx, which.id).await?;
    let held = take(ctx.begin().await?, which, Action::AssignProblem).await?;
    let before = &held.row;
    // Before anybody is responsible there is nobody whom a date could bind.
    if !before.is_open || before.assigned_at.is_none() {
        return Err(Error::refused(Code::StateRefused).with("state", before.state.to_value()));
    }
    let today = terms.place.day(ctx.now());
    let due_on = due_date(due_on, today)?;
    if let Some(standing) = before.due_on.filter(|standing| due_on <= *standing) {
        let least = standing.checked_add_days(Days::new(1)).unwrap_or(standing);
        let most = today.checked_add_days(Days::new(3_660)).unwrap_or(today);
        return Err(Error::invalid(Code::OutOfRange, "dueOn").with("least", least).with("most", most));
    }
    let reason = reason(why)?;
    held.gives_not_to_own_unit()?;
    let units = ahead.under(&held.tx, before).await?;
    let begun = before.assigned_at.unwrap_or(before.recorded_at);
    let running = terms.until(begun, terms.place.end_of(due_on));
    let moved = clocks::set_for_whole(&held.tx, before, &units, &terms, Some(running)).await?;
    let (was, version) = (before.due_on, before.version + 1);
    let mut row = before.clone().into_active_model();
    row.due_on = Set(Some(due_on));
    row.due_is_provisional = Set(false);
    row.version = Set(version);
    let row = row.update(&held.tx.db).await?;
    let told = fact(Event::ProblemUpdated, &row)
        .detail("title", row.title.clone())
        .detail("dueOnBefore", was.map(|on| on.to_string()))
        .detail("dueOn", due_on.to_string())
        .reason(Some(&reason));
    held.tx.record(clocks::told(told, &moved)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}
