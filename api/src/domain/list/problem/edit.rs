//! Correcting a problem that is still open: what it says, where it lies, how urgent it is, and by when it is to be solved.

use chrono::NaiveDate;
use concord_entities::{
    id::{ProblemId, RegionId},
    problem::{Model, Severity, State},
};
use sea_orm::{ActiveEnum, ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;

use super::{
    CATEGORY, FREE_TEXT, PLACE, TITLE,
    clocks::{self, Ahead},
    fact,
    moves::{Which, due_date, take},
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Result,
    list::{
        deadline_policy::{Terms, Traits},
        priority_task::Edit,
    },
    policy::{self, Grant},
    territory::region::require_in_alliance,
    text,
};

/// What changes of a problem; absent means unchanged.
#[derive(Clone, Debug, Default)]
pub struct ProblemChange {
    pub title: Option<String>,
    pub description: Option<String>,
    pub category: Option<String>,
    pub place: Edit<String>,
    pub region_id: Edit<RegionId>,
    pub severity: Option<Severity>,
    pub due_on: Edit<NaiveDate>,
}

/// Corrects a problem: the committee while it is open, whoever registered it until it is triaged.
pub async fn update(ctx: &Ctx, id: ProblemId, expected: i64, change: ProblemChange) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), id).await?;
    let ahead = Ahead::read(ctx, id).await?;
    let which = Which { id, expected_version: Some(expected) };
    let held = take(ctx.begin().await?, which, Action::UpdateProblem).await?;
    let (tx, before) = (&held.tx, &held.row);
    let is_registrar =
        held.role().is_some_and(|role| policy::grant(role, Action::UpdateProblem) != Grant::Any);
    if !before.is_open || (is_registrar && before.state != State::Registered) {
        return Err(Error::refused(Code::StateRefused).with("state", before.state.to_value()));
    }
    let judged = Traits { severity: change.severity.unwrap_or(before.severity), ..Traits::of(before) };
    let mut moved = Vec::new();
    // What is more urgent is due sooner: to be assigned, or to be solved where a limit says when.
    let mut row = if before.assigned_at.is_none() && judged.severity != before.severity {
        clocks::dispatched_by(tx, &terms, before, judged).await?
    } else {
        before.clone().into_active_model()
    };
    if let Some(title) = change.title {
        row.title.set_if_not_equals(text::required(&title, "title", TITLE)?);
    }
    if let Some(description) = change.description {
        row.description.set_if_not_equals(text::required(&description, "description", FREE_TEXT)?);
    }
    if let Some(category) = change.category {
        row.category.set_if_not_equals(text::required(&category, "category", CATEGORY)?);
    }
    if let Some(place) = change.place.value() {
        row.place.set_if_not_equals(text::optional(place.as_deref(), "place", PLACE)?);
    }
    if let Some(region) = change.region_id.value() {
        if let Some(region) = region.filter(|region| before.region_id != Some(*region)) {
            require_in_alliance(&tx.db, before.alliance_id, Some(region)).await?;
        }
        row.region_id.set_if_not_equals(region);
    }
    if let Some(severity) = change.severity {
        row.severity.set_if_not_equals(severity);
    }
    let due_on = change.due_on.value().filter(|due_on| *due_on != before.due_on);
    let is_judged_anew = judged.severity != before.severity && before.assigned_at.is_some();
    let units = if due_on.is_some() || is_judged_anew { ahead.under(tx, before).await? } else { Vec::new() };
    if is_judged_anew {
        moved = clocks::judged_anew(tx, before, &units, judged, &terms).await?;
        clocks::put_whole(&mut row, &moved, &terms);
    }
    if let Some(due_on) = due_on {
        // Before anybody is responsible there is nobody whom a date could bind; the assignment sets it.
        if before.assigned_at.is_none() {
            return Err(Error::invalid(Code::StateRefused, "dueOn").with("state", before.state.to_value()));
        }
        let due_on = due_on.map(|on| due_date(on, terms.place.day(ctx.now()))).transpose()?;
        held.gives_not_to_own_unit()?;
        row.due_on = Set(due_on);
        row.due_is_provisional = Set(false);
        let running = due_on
            .map(|on| terms.until(before.assigned_at.unwrap_or(before.recorded_at), terms.place.end_of(on)));
        let set = clocks::set_for_whole(tx, before, &units, &terms, running).await?;
        // The day that is set has the last word.
        moved.retain(|one| !set.iter().any(|other| (other.unit, other.clock) == (one.unit, one.clock)));
        moved.extend(set);
    }
    if !row.is_changed() {
        let before = held.row.clone();
        held.tx.commit(id).await?;
        return Ok(before);
    }
    row.version = Set(before.version + 1);
    let after = row.update(&tx.db).await?;
    tx.record(clocks::told(told(before, &after), &moved)).await?;
    held.tx.commit(id).await?;
    Ok(after)
}

/// What tells of a correction: values before and after; of description and place, where people may be named, only that
/// they changed.
fn told(before: &Model, after: &Model) -> crate::domain::Fact {
    let mut fact = fact(Event::ProblemUpdated, after);
    let region = |row: &Model| json!(row.region_id.map(|id| id.to_string()));
    let due = |row: &Model| json!(row.due_on.map(|on| on.to_string()));
    for (name, name_before, old, new) in [
        ("title", "titleBefore", json!(before.title), json!(after.title)),
        ("category", "categoryBefore", json!(before.category), json!(after.category)),
        ("severity", "severityBefore", json!(before.severity), json!(after.severity)),
        ("regionId", "beforeRegionId", region(before), region(after)),
        ("dueOn", "dueOnBefore", due(before), due(after)),
    ] {
        if old != new {
            fact = fact.detail(name_before, old).detail(name, new);
        }
    }
    for (name, changed) in [
        ("descriptionChanged", before.description != after.description),
        ("placeChanged", before.place != after.place),
    ] {
        if changed {
            fact = fact.detail(name, true);
        }
    }
    fact
}
