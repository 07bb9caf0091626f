//! Moving the due date of an assigned problem further out, with the reason on record.

use chrono::{Days, NaiveDate};
use concord_entities::problem::{Column, Model};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect,
};

use super::{
    FREE_TEXT, clocks, fact,
    moves::{Which, due_date},
    visible,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Result, Target,
    governance::alliance::expect_version,
    list::{deadline_policy::Terms, extension::require_outsider},
    text,
};

/// Checks why dates are moved, before any is.
pub fn reason(given: &str) -> Result<String> {
    text::required(given, "reason", FREE_TEXT)
}

/// Moves the due date of an open, assigned problem to a later day.
pub async fn extend(ctx: &Ctx, which: Which, due_on: NaiveDate, why: &str) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let tx = ctx.begin().await?;
    let before = visible(ctx)
        .filter(Column::Id.eq(which.id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("problem"))?;
    ctx.require(&tx.db, Action::AssignProblem, Target::alliance(before.alliance_id)).await?;
    expect_version(which.expected_version.unwrap_or(before.version), before.version)?;
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
    let (was, version) = (before.due_on, before.version + 1);
    if let Some(lead) = before.lead_organization_id {
        require_outsider(&tx, before.alliance_id, lead).await?;
    }
    let begun = before.assigned_at.unwrap_or(before.recorded_at);
    let running = terms.until(begun, terms.place.end_of(due_on));
    let moved = clocks::set_for_lead(&tx, &before, Some(running)).await?;
    let mut row = before.into_active_model();
    row.due_on = Set(Some(due_on));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    let told = fact(Event::ProblemUpdated, &row)
        .detail("title", row.title.clone())
        .detail("dueOnBefore", was.map(|on| on.to_string()))
        .detail("dueOn", due_on.to_string())
        .reason(Some(&reason));
    tx.record(clocks::told(told, &moved)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
