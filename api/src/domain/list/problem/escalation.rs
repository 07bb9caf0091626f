//! Escalation (提级办理): what an alliance cannot settle is taken up by the alliance above as a problem of its own list. Here the
//! problem stays open as escalated. It comes back triaged, whichever way it ends: also what was struck off above is confirmed
//! here by evidence and by somebody independent, like any other. Neither side learns more of the other through the link than
//! number, state and dates; who reported it stays here.

use std::collections::HashSet;

use concord_entities::{
    alliance,
    breach::Clock,
    escalation,
    id::{AllianceId, ProblemId},
    problem::{self, Channel, Column, Entity, Model, State},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::{
    FREE_TEXT, Numbers, clocks, fact,
    moves::{Which, hold, take},
    parts, reporter, round, visible,
};
use crate::domain::{
    Code, Ctx, Error, Event, Result, Tx,
    fact::erasure::Words,
    list::{
        deadline_policy::{Terms, Traits},
        due::today,
        problem_states as states, sequence,
    },
    territory::region::require_within,
    text,
};

/// Hands a problem up to the alliance above.
pub async fn escalate(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::ESCALATE).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let here = alliance_of(&held.tx, held.row.alliance_id).await?;
    let above = here.parent_id.ok_or_else(|| Error::refused(Code::NoParentAlliance))?;
    let above = alliance_of(&held.tx, above).await?;
    parts::release(&held.tx, held.row.id).await?;
    let change = problem::ActiveModel {
        lead_organization_id: Set(None),
        handler_id: Set(None),
        assigned_at: Set(None),
        accepted_at: Set(None),
        // Whom it is for is decided above, by a clock of its own there.
        dispatch_due_at: Set(None),
        reason: Set(Some(reason)),
        ..held.row.clone().into_active_model()
    };
    let taken_up = take_up(&held.tx, &held.row, &above).await?;
    let row = held
        .change(&states::ESCALATE, Event::ProblemEscalated, change, |fact, row| {
            fact.reason(row.reason.as_deref()).detail("parentNumber", taken_up.number.clone())
        })
        .await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

async fn alliance_of(tx: &Tx<'_>, id: AllianceId) -> Result<alliance::Model> {
    alliance::Entity::find_by_id(id).one(&tx.db).await?.ok_or(Error::NotFound("alliance"))
}

/// Registers the problem on the list of the alliance above, without who reported it, and links the two.
async fn take_up(tx: &Tx<'_>, of: &Model, above: &alliance::Model) -> Result<Model> {
    let region_id = match of.region_id {
        Some(region) if require_within(&tx.db, region, above.region_id).await.is_ok() => Some(region),
        _ => None,
    };
    let numbers = Numbers::of(above);
    let year = numbers.year(tx.ctx.now());
    let terms = Terms::of_alliance(&tx.db, above.id).await?;
    let judged = Traits { severity: of.severity, tier: None, is_complex: false };
    let dispatch = terms.due(Clock::Dispatch, judged, tx.ctx.now())?;
    let seq = sequence::take(tx, sequence::PROBLEMS, above.id, year, 1).await?;
    let row = problem::ActiveModel {
        title: Set(of.title.clone()),
        description: Set(of.description.clone()),
        category: Set(of.category.clone()),
        place: Set(of.place.clone()),
        region_id: Set(region_id),
        channel: Set(Channel::Escalation),
        reporter_name: Set(None),
        reporter_phone: Set(None),
        severity: Set(of.severity),
        occurred_at: Set(of.occurred_at),
        // Nobody of the alliance above wrote it down.
        recorded_by: Set(None),
        dispatch_due_at: Set(Some(dispatch.at)),
        dispatch_is_provisional: Set(dispatch.is_provisional),
        ..numbers.blank(tx.ctx, year, seq)
    };
    let row = row.insert(&tx.db).await?;
    let link = escalation::ActiveModel {
        parent_problem_id: Set(row.id),
        parent_alliance_id: Set(above.id),
        problem_id: Set(of.id),
        alliance_id: Set(of.alliance_id),
        state: Set(escalation::State::Open),
        escalated_at: Set(tx.ctx.now()),
        escalated_by: Set(tx.ctx.author()),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    link.insert(&tx.db).await?;
    let registered = fact(Event::ProblemRegistered, &row)
        .detail("title", row.title.clone())
        .detail("originNumber", of.number.clone());
    tx.record(registered).await?;
    Ok(row)
}

/// Hands a problem that came from below back, with the reason why; here it ends as rejected.
pub async fn hand_back(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::RETURN_ESCALATION).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let link = open_above(&held.tx, held.row.id).await?;
    let link = link.ok_or_else(|| Error::refused(Code::NotEscalated))?;
    parts::release(&held.tx, held.row.id).await?;
    let change = problem::ActiveModel {
        lead_organization_id: Set(None),
        handler_id: Set(None),
        reason: Set(Some(reason.clone())),
        ..held.row.clone().into_active_model()
    };
    let row = held
        .change(&states::RETURN_ESCALATION, Event::ProblemRejected, change, |fact, row| {
            fact.reason(row.reason.as_deref())
        })
        .await?;
    let end = End { state: escalation::State::Returned, event: Event::ProblemEscalationReturned };
    come_back(&held.tx, link, &row, end, Some(reason)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Takes an escalated problem back, as long as the alliance above has made nobody responsible; there it ends as withdrawn.
pub async fn recall(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let tx = ctx.begin().await?;
    // What is above is locked first, as whoever handles it there does; only for a caller who sees what is here.
    let seen = visible(ctx).filter(Column::Id.eq(which.id)).one(&tx.db).await?;
    seen.ok_or(Error::NotFound("problem"))?;
    let link = escalation::Entity::find()
        .filter(escalation::Column::ProblemId.eq(which.id))
        .filter(escalation::Column::State.eq(escalation::State::Open))
        .one(&tx.db)
        .await?;
    let above = match &link {
        Some(link) => Entity::find_by_id(link.parent_problem_id).lock_exclusive().one(&tx.db).await?,
        None => None,
    };
    let held = take(tx, which, states::RECALL_ESCALATION.action).await?;
    states::RECALL_ESCALATION.check(held.row.state)?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let (Some(link), Some(above)) = (link, above) else {
        return Err(Error::refused(Code::NotEscalated));
    };
    if states::is_taken(above.state) {
        return Err(Error::refused(Code::EscalationTaken));
    }
    withdraw_above(&held.tx, above).await?;
    end(&held.tx, link, escalation::State::Recalled).await?;
    let terms = Terms::of_problem(&held.tx.db, held.row.id).await?;
    let change = problem::ActiveModel {
        reason: Set(Some(reason)),
        ..clocks::dispatched_anew(&terms, &held.row, held.tx.ctx.now())?
    };
    let row = held
        .change(&states::RECALL_ESCALATION, Event::ProblemEscalationRecalled, change, |fact, row| {
            fact.reason(row.reason.as_deref())
        })
        .await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Ends what is above; why, only those below know.
async fn withdraw_above(tx: &Tx<'_>, above: Model) -> Result<()> {
    let alliance = alliance_of(tx, above.alliance_id).await?;
    let before = above.state;
    let change = problem::ActiveModel {
        state: Set(State::Withdrawn),
        is_open: Set(false),
        closed_at: Set(Some(tx.ctx.now())),
        closed_on: Set(Some(today(&alliance.time_zone, tx.ctx.now()))),
        version: Set(above.version + 1),
        ..above.into_active_model()
    };
    let row = change.update(&tx.db).await?;
    let told = fact(Event::ProblemWithdrawn, &row)
        .moved(before.to_value(), row.state.to_value())
        .detail("title", row.title.clone());
    tx.record(told).await?;
    Ok(())
}

/// Lets what was struck off above come back to where it came from, to be confirmed there.
pub(super) async fn resolved(tx: &Tx<'_>, above: &Model) -> Result<()> {
    // One that was reopened above came back long ago.
    let Some(link) = open_above(tx, above.id).await? else { return Ok(()) };
    let end = End { state: escalation::State::Resolved, event: Event::ProblemEscalationResolved };
    come_back(tx, link, above, end, None).await
}

/// Whether a problem came from below and is to be handed back there rather than ended here.
pub(super) async fn is_from_below(tx: &Tx<'_>, row: &Model) -> Result<bool> {
    Ok(row.channel == Channel::Escalation && open_above(tx, row.id).await?.is_some())
}

/// The open escalation as which a problem was taken up.
async fn open_above(tx: &Tx<'_>, above: ProblemId) -> Result<Option<escalation::Model>> {
    let found = escalation::Entity::find_by_id(above).one(&tx.db).await?;
    Ok(found.filter(|link| link.state == escalation::State::Open))
}

/// How an escalation ends, and what tells of it below.
struct End {
    state: escalation::State,
    event: Event,
}

async fn end(tx: &Tx<'_>, link: escalation::Model, state: escalation::State) -> Result<()> {
    let mut change = link.into_active_model();
    change.state = Set(state);
    change.ended_at = Set(Some(tx.ctx.now()));
    change.ended_by = Set(tx.ctx.author());
    change.update(&tx.db).await?;
    Ok(())
}

async fn come_back(
    tx: &Tx<'_>,
    link: escalation::Model,
    above: &Model,
    how: End,
    reason: Option<String>,
) -> Result<()> {
    let below = Entity::find_by_id(link.problem_id)
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("problem"))?;
    end(tx, link, how.state).await?;
    let (before, version) = (below.state, below.version + 1);
    let terms = Terms::of_problem(&tx.db, below.id).await?;
    let mut change = clocks::dispatched_anew(&terms, &below, tx.ctx.now())?;
    change.state = Set(State::Triaged);
    change.version = Set(version);
    if reason.is_some() {
        change.reason = Set(reason);
    }
    let row = change.update(&tx.db).await?;
    let told = fact(how.event, &row)
        .moved(before.to_value(), row.state.to_value())
        .detail("title", row.title.clone())
        .detail("parentNumber", above.number.clone());
    let returned = row.reason.as_deref().filter(|_| how.state == escalation::State::Returned);
    tx.record(told.reason(returned)).await?;
    Ok(())
}

/// Erases the words that name a reporter from what was taken up above, however far up.
pub(super) async fn erase(tx: &Tx<'_>, of: ProblemId, words: &Words<'_>) -> Result<()> {
    let mut below = vec![of];
    // Each once, whatever the links say.
    let mut seen = HashSet::from([of]);
    while let Some(id) = below.pop() {
        let links =
            escalation::Entity::find().filter(escalation::Column::ProblemId.eq(id)).all(&tx.db).await?;
        for link in links {
            let above = Entity::find_by_id(link.parent_problem_id).lock_exclusive().one(&tx.db).await?;
            let Some(above) = above else { continue };
            reporter::without(words, &above).update(&tx.db).await?;
            round::erase(tx, &above, words).await?;
            reporter::erase_from_evidence(tx, above.id, words).await?;
            words.erase_events(tx, above.id.into()).await?;
            if seen.insert(above.id) {
                below.push(above.id);
            }
        }
    }
    Ok(())
}
