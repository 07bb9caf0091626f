//! Who reported a problem: shown in full only to whoever may know and says why, and every look leaves an event; erased when
//! nobody may know any more.

use concord_entities::{
    evidence, extension, handover_item,
    id::ProblemId,
    problem::{Column, Model, State},
    stored_file, supervision_notice,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};

use super::{FREE_TEXT, escalation, fact, lock, moves::Which, parts, round, tiers, visible};
use crate::domain::{
    Action, Ctx, Error, Event, HELD, Result, Target, Tx, fact::erasure::Words,
    governance::alliance::expect_version, idempotency, list::follow_up, text,
};

/// Shows a problem with its reporter to somebody who gives a reason.
pub async fn reveal(ctx: &Ctx, id: ProblemId, reason: &str) -> Result<Model> {
    // The answer holds personal data, which must not be given again without a look being recorded.
    idempotency::refuse(ctx)?;
    let tx = ctx.begin().await?;
    // Under lock, so that a reason that names the reporter is there before an erasure looks for it, or after it.
    let found = visible(ctx).filter(Column::Id.eq(id)).lock(HELD).one(&tx.db).await?;
    let row = found.ok_or(Error::NotFound("problem"))?;
    ctx.require(&tx.db, Action::ReadReporter, Target::alliance(row.alliance_id)).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    tx.record(fact(Event::ReporterRevealed, &row).reason(Some(&reason))).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Erases name and phone of whoever reported a problem, and the words of both wherever they stand literally in the texts of
/// the problem, of its evidence and of its events. Its number, state, counts and judgements stay; nobody asks them any more.
pub async fn erase(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let (tx, before, others) = with_others(ctx, which.id).await?;
    ctx.require(&tx.db, Action::EraseReporter, Target::alliance(before.alliance_id)).await?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, before.version)?;
    }
    let words = Words::of([before.reporter_name.as_deref(), before.reporter_phone.as_deref()]);
    let is_gone = before.reporter_name.is_none() && before.reporter_phone.is_none();
    let is_gone = is_gone && !follow_up::is_left(&tx, before.id).await?;
    let reason = words.reason(reason, is_gone)?;
    let row = without(&words, &before).update(&tx.db).await?;
    round::erase(&tx, &row, &words).await?;
    let elsewhere = follow_up::erase(&tx, &row, others.into.as_ref(), &words).await?;
    erase_from_evidence(&tx, row.id, &words).await?;
    erase_from_papers(&tx, row.id, &words).await?;
    parts::erase(&tx, row.id, &words).await?;
    tiers::erase(&tx, row.id, &words).await?;
    escalation::erase(&tx, &others.above, &words).await?;
    let told_in = std::iter::once(row.id).chain(elsewhere).map(Into::into);
    let events = words.erase_events_about(&tx, told_in).await?.len();
    tx.record(fact(Event::ReporterErased, &row).reason(Some(&reason)).detail("events", events)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// What an erasure reaches beside the problem itself.
struct Others {
    /// All as which it was taken up above.
    above: Vec<Model>,
    /// What it was merged into, where its reporter may be asked.
    into: Option<Model>,
}

/// A problem that the caller may see and what an erasure reaches beside it, under lock in a unit of work.
async fn with_others(ctx: &Ctx, id: ProblemId) -> Result<(Tx<'_>, Model, Others)> {
    loop {
        let tx = ctx.begin().await?;
        let seen = visible(ctx).filter(Column::Id.eq(id)).one(&tx.db).await?;
        let into = seen.ok_or(Error::NotFound("problem"))?.merged_into_id;
        let all = escalation::with_above(&tx, id).await?;
        let mut rows = lock(&tx, all.iter().copied().chain(into)).await?;
        let at = rows.iter().position(|row| row.id == id).ok_or(Error::NotFound("problem"))?;
        let row = rows.remove(at);
        // One that was taken up, or gone on with, while this waited is to be locked in its place.
        if row.merged_into_id == into && escalation::with_above(&tx, id).await?.len() == all.len() {
            let (above, into): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| all.contains(&row.id));
            return Ok((tx, row, Others { above, into: into.into_iter().next() }));
        }
        tx.db.rollback().await?;
    }
}

/// The problem without its reporter. What a strike-off was judged by is never rewritten: such a text goes whole.
pub(super) fn without(words: &Words<'_>, before: &Model) -> concord_entities::problem::ActiveModel {
    let struck = |text: &Option<String>| text.as_deref().map(|text| words.struck_from(text));
    let judged = |text: &Option<String>| {
        let goes =
            before.state == State::StruckOff && text.as_deref().is_some_and(|text| words.stand_in(text));
        if goes { None } else { struck(text) }
    };
    let mut row = before.clone().into_active_model();
    row.reporter_name = Set(None);
    row.reporter_phone = Set(None);
    row.title.set_if_not_equals(words.struck_from(&before.title));
    row.description.set_if_not_equals(words.struck_from(&before.description));
    row.category.set_if_not_equals(words.struck_from(&before.category));
    row.place.set_if_not_equals(struck(&before.place));
    row.measures.set_if_not_equals(struck(&before.measures));
    row.reason.set_if_not_equals(struck(&before.reason));
    row.held_reason.set_if_not_equals(struck(&before.held_reason));
    row.criterion.set_if_not_equals(judged(&before.criterion));
    row.verdict.set_if_not_equals(judged(&before.verdict));
    row.version = Set(before.version + 1);
    row
}

/// Takes the words out of what was asked, demanded and answered about a problem: extensions, notices, items handed over.
pub(super) async fn erase_from_papers(tx: &Tx<'_>, id: ProblemId, words: &Words<'_>) -> Result<()> {
    let struck = |text: &Option<String>| text.as_deref().map(|text| words.struck_from(text));
    let asked = extension::Entity::find().filter(extension::Column::ProblemId.eq(id)).all(&tx.db).await?;
    for row in asked {
        let (reason, decision) = (words.struck_from(&row.reason), struck(&row.decision));
        let mut row = row.into_active_model();
        row.reason.set_if_not_equals(reason);
        row.decision.set_if_not_equals(decision);
        if row.is_changed() {
            row.update(&tx.db).await?;
        }
    }
    let issued = supervision_notice::Entity::find()
        .filter(supervision_notice::Column::ProblemId.eq(id))
        .all(&tx.db)
        .await?;
    for row in issued {
        let (demand, answer) = (words.struck_from(&row.demand), struck(&row.answer));
        let mut row = row.into_active_model();
        row.demand.set_if_not_equals(demand);
        row.answer.set_if_not_equals(answer);
        if row.is_changed() {
            row.update(&tx.db).await?;
        }
    }
    let handed =
        handover_item::Entity::find().filter(handover_item::Column::ProblemId.eq(id)).all(&tx.db).await?;
    for row in handed {
        let reason = struck(&row.reason);
        let mut row = row.into_active_model();
        row.reason.set_if_not_equals(reason);
        if row.is_changed() {
            row.update(&tx.db).await?;
        }
    }
    Ok(())
}

/// Takes notes that name the reporter away, and the words out of the names of files. The files themselves stay as received.
pub(super) async fn erase_from_evidence(tx: &Tx<'_>, id: ProblemId, words: &Words<'_>) -> Result<()> {
    let shown = evidence::Entity::find()
        .filter(evidence::Column::ProblemId.eq(id))
        .find_also_related(stored_file::Entity)
        .all(&tx.db)
        .await?;
    for (shown, file) in shown {
        if shown.note.as_deref().is_some_and(|note| words.stand_in(note)) {
            let mut row = shown.into_active_model();
            row.note = Set(None);
            row.update(&tx.db).await?;
        }
        if let Some(file) = file.filter(|file| words.stand_in(&file.name)) {
            let name = words.struck_from(&file.name);
            let mut row = file.into_active_model();
            row.name = Set(name);
            row.update(&tx.db).await?;
        }
    }
    Ok(())
}
