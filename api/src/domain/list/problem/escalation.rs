//! Escalation (提级办理): what an alliance cannot settle is taken up by the alliance above as a problem of its own list. Here the
//! problem stays open as escalated. It comes back triaged, whichever way it ends: also what was struck off above is confirmed
//! here by evidence and by somebody independent, like any other. Neither side learns more of the other through the link than
//! number, state and dates; who reported it stays here.

use concord_entities::{
    alliance,
    breach::Clock,
    escalation,
    id::{AllianceId, ProblemId, RegionId},
    problem::{self, Channel, Column, Model, State},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait,
    IntoActiveModel, JoinType, QueryFilter, QuerySelect, QueryTrait, RelationTrait, Select, sea_query::Expr,
};

use super::{
    FREE_TEXT, Numbers, clocks, fact, merge,
    moves::{Held, Which, hold, struck_off, take_with},
    parts, reporter, round,
};
use crate::domain::{
    Code, Ctx, Error, Event, Fact, Result, Tx,
    fact::erasure::Words,
    list::{
        counts,
        deadline_policy::{self, Terms, Traits},
        due::today,
        problem_states as states, sequence, supervision,
        transition::Step,
    },
    scope,
    territory::region::require_within,
    text,
};

/// Hands a problem up to the alliance above.
pub async fn escalate(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    // Read ahead of the unit of work: an alliance keeps its place, and a region too.
    let above = above(ctx, which.id).await?;
    let held = hold(ctx, which, &states::ESCALATE).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let Above { alliance: above, terms, region } =
        above.ok_or_else(|| Error::refused(Code::NoParentAlliance))?;
    let region = match region {
        Some((id, is_within)) if held.row.region_id == Some(id) => is_within.then_some(id),
        // It was moved meanwhile.
        _ => within(&held.tx.db, held.row.region_id, &above).await,
    };
    let units = parts::release(&held.tx, held.row.id).await?;
    supervision::note_freed(&held.tx, &held.row, &units).await?;
    supervision::note_dispatch(&held.tx, &held.row).await?;
    let change = problem::ActiveModel {
        lead_organization_id: Set(None),
        handler_id: Set(None),
        // Dates that came with it stay, those of an assignment go with it.
        due_on: Set(held.row.due_on.filter(|_| held.row.assigned_at.is_none())),
        due_is_provisional: Set(held.row.due_is_provisional && held.row.assigned_at.is_none()),
        assigned_at: Set(None),
        accepted_at: Set(None),
        // Whom it is for is decided above, by a clock of its own there.
        dispatch_from: Set(None),
        dispatch_due_at: Set(None),
        reason: Set(Some(reason)),
        ..held.row.clone().into_active_model()
    };
    let (fresh, number) = taken_up(&held.tx, &held.row, region, &above, &terms).await?;
    let write = async || {
        held.write(&states::ESCALATE, Event::ProblemEscalated, change, |fact, row| {
            fact.reason(row.reason.as_deref()).detail("parentNumber", number)
        })
        .await
    };
    let insert = async || Ok::<_, Error>(fresh.insert(&held.tx.db).await?);
    // Counters of two alliances are taken in one order.
    let (taken_up, (row, told)) = if above.id < held.row.alliance_id {
        let taken_up = insert().await?;
        (taken_up, write().await?)
    } else {
        let written = write().await?;
        (insert().await?, written)
    };
    link(&held.tx, &taken_up, &row).await?;
    let registered = fact(Event::ProblemRegistered, &taken_up)
        .detail("title", taken_up.title.clone())
        .detail("originNumber", row.number.clone());
    held.tx.record_all([registered, told]).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// What a problem finds above it.
struct Above {
    alliance: alliance::Model,
    /// What deadlines are computed with there.
    terms: Terms,
    /// The problem's region, and whether it lies in the territory there.
    region: Option<(RegionId, bool)>,
}

/// A problem's region, as far as it lies in an alliance's territory.
async fn within(
    db: &impl ConnectionTrait,
    region: Option<RegionId>,
    above: &alliance::Model,
) -> Option<RegionId> {
    let region = region?;
    require_within(db, region, above.region_id).await.is_ok().then_some(region)
}

/// The alliance above that of a problem.
async fn above(ctx: &Ctx, of: ProblemId) -> Result<Option<Above>> {
    let parent = alliance::Entity::find()
        .select_only()
        .column(alliance::Column::ParentId)
        .join_rev(JoinType::InnerJoin, problem::Relation::Alliance.def())
        .filter(Column::Id.eq(of))
        .into_query();
    let select = alliance::Entity::find().filter(alliance::Column::Id.in_subquery(parent));
    let (alliance, policy) = deadline_policy::with_policy(ctx.read(), select).await?;
    let Some(alliance) = alliance else { return Ok(None) };
    let terms = Terms::of(ctx.read(), &alliance, policy).await?;
    let at = problem::Entity::find_by_id(of).select_only().column(Column::RegionId).into_tuple();
    let region = match at.one(ctx.read()).await?.flatten() {
        Some(id) => Some((id, within(ctx.read(), Some(id), &alliance).await.is_some())),
        None => None,
    };
    Ok(Some(Above { alliance, terms, region }))
}

/// Records what became of a problem and of its counterpart, which another alliance counts, and commits.
async fn finish(
    held: Held<'_>,
    row: Model,
    told: impl IntoIterator<Item = Fact>,
    other: AllianceId,
) -> Result<Model> {
    held.tx.record_all(told).await?;
    counts::hold(&held.tx, [row.alliance_id, other]).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// The problem as it is registered on the list of the alliance above, without who reported it, and its number there.
async fn taken_up(
    tx: &Tx<'_>,
    of: &Model,
    region_id: Option<RegionId>,
    above: &alliance::Model,
    terms: &Terms,
) -> Result<(problem::ActiveModel, String)> {
    let numbers = Numbers::of(above);
    let year = numbers.year(tx.ctx.now());
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
        dispatch_from: Set(Some(tx.ctx.now())),
        dispatch_due_at: Set(Some(dispatch.at)),
        dispatch_is_provisional: Set(dispatch.is_provisional),
        ..numbers.blank(tx.ctx, year, seq)
    };
    let number = row.number.clone().take().unwrap_or_default();
    Ok((row, number))
}

/// Links a problem with the one as which it was taken up.
async fn link(tx: &Tx<'_>, above: &Model, of: &Model) -> Result<()> {
    let link = escalation::ActiveModel {
        parent_problem_id: Set(above.id),
        parent_alliance_id: Set(above.alliance_id),
        problem_id: Set(of.id),
        alliance_id: Set(of.alliance_id),
        state: Set(escalation::State::Open),
        escalated_at: Set(tx.ctx.now()),
        escalated_by: Set(tx.ctx.author()),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    escalation::Entity::insert(link).exec_without_returning(&tx.db).await?;
    Ok(())
}

/// A problem that came from below and the one it came from, both under lock.
struct Pair<'ctx> {
    above: Held<'ctx>,
    below: Option<(escalation::Model, Model)>,
    /// What deadlines are computed with below.
    terms: Terms,
}

/// Takes a problem with what it came from, as far as that waits for it.
async fn hold_both<'ctx>(ctx: &'ctx Ctx, which: Which, step: &Step<State>) -> Result<Pair<'ctx>> {
    let links = || escalation::Entity::find().filter(escalation::Column::ParentProblemId.eq(which.id));
    let there = links().select_only().column(escalation::Column::AllianceId).into_query();
    let there = alliance::Entity::find().filter(alliance::Column::Id.in_subquery(there));
    let terms = Terms::read(ctx.read(), there).await?;
    let beside = links()
        .select_only()
        .column(escalation::Column::ProblemId)
        .filter(scope::in_alliances(ctx, escalation::Column::ParentAllianceId))
        .into_query();
    let (above, mut others) = take_with(ctx.begin().await?, which, step.action, Some(beside)).await?;
    step.check(above.row.state)?;
    let below = open_above(&above.tx, which.id).await?.zip(others.pop());
    Ok(Pair { above, below, terms })
}

/// Strikes a problem off that came from below, and lets that come back, to be confirmed there.
pub(super) async fn strike_off(ctx: &Ctx, which: Which) -> Result<Model> {
    let Pair { above, below, terms } = hold_both(ctx, which, &states::STRIKE_OFF).await?;
    let (row, told) = struck_off(&above).await?;
    // One that was reopened above came back long ago.
    let Some((link, below)) = below else {
        above.tx.record(told).await?;
        above.tx.commit(row.id).await?;
        return Ok(row);
    };
    let there = below.alliance_id;
    let how = End { state: escalation::State::Resolved, event: Event::ProblemEscalationResolved };
    let back = come_back(&above.tx, link, below, &row, how, None, &terms).await?;
    finish(above, row, [told, back], there).await
}

/// Hands a problem that came from below back, with the reason why; here it ends as rejected.
pub async fn hand_back(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let Pair { above, below, terms } = hold_both(ctx, which, &states::RETURN_ESCALATION).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let (link, below) = below.ok_or_else(|| Error::refused(Code::NotEscalated))?;
    let units = parts::release(&above.tx, above.row.id).await?;
    supervision::note_freed(&above.tx, &above.row, &units).await?;
    let change = problem::ActiveModel {
        lead_organization_id: Set(None),
        handler_id: Set(None),
        reason: Set(Some(reason.clone())),
        ..above.row.clone().into_active_model()
    };
    let (row, told) = above
        .write(&states::RETURN_ESCALATION, Event::ProblemRejected, change, |fact, row| {
            fact.reason(row.reason.as_deref())
        })
        .await?;
    let there = below.alliance_id;
    let how = End { state: escalation::State::Returned, event: Event::ProblemEscalationReturned };
    let back = come_back(&above.tx, link, below, &row, how, Some(reason), &terms).await?;
    let others = merge::told_of_end(&above.tx, &row).await?;
    finish(above, row, [told, back].into_iter().chain(others), there).await
}

/// Takes an escalated problem back, as long as the alliance above has made nobody responsible; there it ends as withdrawn.
pub async fn recall(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let ahead = ahead(ctx, which.id).await?;
    let beside = open_of(which.id)
        .select_only()
        .column(escalation::Column::ParentProblemId)
        .filter(scope::in_alliances(ctx, escalation::Column::AllianceId))
        .into_query();
    let step = &states::RECALL_ESCALATION;
    let (held, others) = take_with(ctx.begin().await?, which, step.action, Some(beside)).await?;
    step.check(held.row.state)?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    // Under the lock once more, in the statement that ends it: it may have come back and gone up anew meanwhile.
    let ended = end_open(&held.tx, which.id, &others).await?;
    let Some(above) = others.into_iter().find(|row| ended == Some(row.id)) else {
        return Err(Error::refused(Code::NotEscalated));
    };
    if states::is_taken(above.state) {
        return Err(Error::refused(Code::EscalationTaken));
    }
    let (there, version) = (above.alliance_id, above.version);
    let zone = ahead.zones.iter().find(|(id, _)| *id == there).map_or("", |(_, zone)| zone);
    let change = problem::ActiveModel {
        reason: Set(Some(reason)),
        ..clocks::dispatched_anew(&held.tx, &terms, &held.row).await?
    };
    let write = async || {
        held.write(step, Event::ProblemEscalationRecalled, change, |fact, row| {
            fact.reason(row.reason.as_deref())
        })
        .await
    };
    // Counters of two alliances are taken in one order.
    let (withdrawn, (row, told)) = if there < held.row.alliance_id {
        let withdrawn = withdraw_above(&held.tx, above, zone).await?;
        (withdrawn, write().await?)
    } else {
        let written = write().await?;
        (withdraw_above(&held.tx, above, zone).await?, written)
    };
    // Whatever is merged into a problem makes its version grow.
    let others = if ahead.above == Some((withdrawn.0.id, version)) {
        merge::told_to(&ahead.merged, &withdrawn.0)
    } else {
        merge::told_of_end(&held.tx, &withdrawn.0).await?
    };
    held.tx.record_all([withdrawn.1, told].into_iter().chain(others)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// The open escalation of a problem.
fn open_of(of: ProblemId) -> Select<escalation::Entity> {
    escalation::Entity::find()
        .filter(escalation::Column::ProblemId.eq(of))
        .filter(escalation::Column::State.eq(escalation::State::Open))
}

/// What a recall reads ahead of the unit of work.
struct Ahead {
    /// The zones of the alliances that the problem was handed up to.
    zones: Vec<(AllianceId, String)>,
    /// The problem as which it is taken up, and its version.
    above: Option<(ProblemId, i64)>,
    /// What was merged into that one.
    merged: Vec<Model>,
}

async fn ahead(ctx: &Ctx, of: ProblemId) -> Result<Ahead> {
    let alliances = escalation::Entity::find()
        .select_only()
        .column(escalation::Column::ParentAllianceId)
        .filter(escalation::Column::ProblemId.eq(of))
        .into_query();
    let zones = alliance::Entity::find()
        .select_only()
        .columns([alliance::Column::Id, alliance::Column::TimeZone])
        .filter(alliance::Column::Id.in_subquery(alliances))
        .into_tuple()
        .all(ctx.read())
        .await?;
    let above = open_of(of).select_only().column(escalation::Column::ParentProblemId).into_query();
    let above = problem::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Version])
        .filter(Column::Id.in_subquery(above))
        .into_tuple()
        .one(ctx.read())
        .await?;
    let merged = match above {
        Some((id, _)) => merge::merged_into(ctx.read(), [id]).await?,
        None => Vec::new(),
    };
    Ok(Ahead { zones, above, merged })
}

/// Ends the open escalation of a problem, as far as what it was taken up as is locked; gives that.
async fn end_open(tx: &Tx<'_>, of: ProblemId, locked: &[Model]) -> Result<Option<ProblemId>> {
    use escalation::Column as Link;
    let ended = escalation::Entity::update_many()
        .col_expr(Link::State, Expr::value(escalation::State::Recalled.to_value()))
        .col_expr(Link::EndedAt, Expr::value(tx.ctx.now()))
        .col_expr(Link::EndedBy, Expr::value(tx.ctx.author().map(uuid::Uuid::from)))
        .filter(Link::ProblemId.eq(of))
        .filter(Link::State.eq(escalation::State::Open))
        .filter(Link::ParentProblemId.is_in(locked.iter().map(|row| row.id)))
        .exec_with_returning(&tx.db)
        .await?;
    Ok(ended.first().map(|link| link.parent_problem_id))
}

/// Ends what is above, and gives it with what is to be recorded of it; why, only those below know.
async fn withdraw_above(tx: &Tx<'_>, above: Model, zone: &str) -> Result<(Model, Fact)> {
    let (before, version) = (above.state, above.version + 1);
    let mut change = above.into_active_model();
    change.state = Set(State::Withdrawn);
    change.is_open = Set(false);
    change.closed_at = Set(Some(tx.ctx.now()));
    change.closed_on = Set(Some(today(zone, tx.ctx.now())));
    change.version = Set(version);
    let row = change.update(&tx.db).await?;
    let told = fact(Event::ProblemWithdrawn, &row)
        .moved(before.to_value(), row.state.to_value())
        .detail("title", row.title.clone());
    Ok((row, told))
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

/// Lets a problem come back triaged, and gives what is to be recorded of it.
async fn come_back(
    tx: &Tx<'_>,
    link: escalation::Model,
    below: Model,
    above: &Model,
    how: End,
    reason: Option<String>,
    terms: &Terms,
) -> Result<Fact> {
    end(tx, link, how.state).await?;
    let (before, version) = (below.state, below.version + 1);
    let mut change = clocks::dispatched_anew(tx, terms, &below).await?;
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
    Ok(told.reason(returned))
}

/// A problem and all as which it was taken up above, however far up.
pub(super) async fn with_above(tx: &Tx<'_>, of: ProblemId) -> Result<Vec<ProblemId>> {
    let mut all = vec![of];
    let mut next = 0;
    while next < all.len() {
        let above: Vec<ProblemId> = escalation::Entity::find()
            .select_only()
            .column(escalation::Column::ParentProblemId)
            .filter(escalation::Column::ProblemId.is_in(all.iter().skip(next).copied()))
            .into_tuple()
            .all(&tx.db)
            .await?;
        next = all.len();
        // Each once, whatever the links say.
        all.extend(above.into_iter().filter(|id| !all.contains(id)).collect::<Vec<_>>());
    }
    Ok(all)
}

/// Erases the words that name a reporter from what was taken up above, which is locked.
pub(super) async fn erase(tx: &Tx<'_>, above: &[Model], words: &Words<'_>) -> Result<()> {
    for above in above {
        reporter::without(words, above).update(&tx.db).await?;
        round::erase(tx, above, words).await?;
        reporter::erase_from_evidence(tx, above.id, words).await?;
        reporter::erase_from_papers(tx, above.id, words).await?;
        parts::erase(tx, above.id, words).await?;
        let events = words.erase_events(tx, above.id.into()).await?;
        // The chain above loses payloads as well, and has to say so itself; why, only those below know.
        if events > 0 {
            tx.record(fact(Event::ReporterErased, above).detail("events", events)).await?;
        }
    }
    Ok(())
}
