//! The verbs that move a whistle as a whole. Each takes it under a lock, asks the table of states, and writes one event.

use concord_entities::{
    alliance,
    id::{AllianceId, OrganizationId},
    membership,
    whistle::{self, Model, State},
    whistle_escalation,
    whistle_response::{self, Column as Call, State as Answer},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, sea_query::Expr,
};

use super::{
    FREE_TEXT, Held, NewCall, Which, allowed,
    call::{self, As},
    fact, hold, record, states,
};
use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, text};

impl Held<'_> {
    /// Writes the change and its event, and commits.
    async fn settle(
        self,
        to: State,
        kind: Event,
        change: whistle::ActiveModel,
        beside: impl IntoIterator<Item = AllianceId>,
        about: impl Fn(Fact) -> Fact,
    ) -> Result<Model> {
        let now = self.tx.ctx.now();
        let row = whistle::ActiveModel {
            state: Set(to),
            ended_at: Set(states::ENDED.contains(&to).then_some(now)),
            version: Set(self.row.version + 1),
            ..change
        };
        let row = row.update(&self.tx.db).await?;
        let (from, to) = (self.row.state.to_value(), row.state.to_value());
        record(&self.tx, kind, &row, beside, |fact| about(fact.moved(from.clone(), to.clone()))).await?;
        self.tx.commit(row.id).await?;
        Ok(row)
    }
}

/// Approves an application, for the town's leader; nobody approves their own.
pub async fn approve(ctx: &Ctx, which: Which) -> Result<Model> {
    let held = hold(ctx, which, &states::APPROVE).await?;
    states::may_approve(&held.row, ctx.author())?;
    let change = whistle::ActiveModel {
        approved_at: Set(Some(ctx.now())),
        approved_by: Set(ctx.author()),
        ..held.row.clone().into_active_model()
    };
    held.settle(State::Approved, Event::WhistleApproved, change, None, |fact| fact).await
}

/// Rejects an application, with the reason why.
pub async fn reject(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::REJECT).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let change = whistle::ActiveModel {
        approved_at: Set(Some(ctx.now())),
        approved_by: Set(ctx.author()),
        reason: Set(Some(reason.clone())),
        ..held.row.clone().into_active_model()
    };
    held.settle(State::Rejected, Event::WhistleRejected, change, None, |fact| fact.reason(Some(&reason)))
        .await
}

/// Withdraws a whistle before it is sounded.
pub async fn withdraw(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::WITHDRAW).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let change =
        whistle::ActiveModel { reason: Set(Some(reason.clone())), ..held.row.clone().into_active_model() };
    held.settle(State::Withdrawn, Event::WhistleWithdrawn, change, None, |fact| fact.reason(Some(&reason)))
        .await
}

/// Sounds an approved whistle: calls its units, and names who takes what nobody accepts.
pub async fn sound(
    ctx: &Ctx,
    which: Which,
    units: &[NewCall],
    backstop: Option<OrganizationId>,
) -> Result<Model> {
    let held = hold(ctx, which, &states::SOUND).await?;
    let town = held.row.alliance_id;
    if let Some(unit) = backstop {
        let seats = membership::Entity::find()
            .filter(membership::Column::AllianceId.eq(town))
            .filter(membership::Column::OrganizationId.eq(unit))
            .filter(membership::Column::State.eq(membership::State::Active));
        if seats.count(&held.tx.db).await? == 0 {
            return Err(Error::invalid(Code::NotAMember, "backstopOrganizationId"));
        }
        let town = alliance::Entity::find_by_id(town).one(&held.tx.db).await?;
        if town.and_then(|town| town.committee_organization_id) == Some(unit) {
            return Err(Error::invalid(Code::CallsItself, "backstopOrganizationId"));
        }
    }
    let how = As { alliance: town, instead_of: None, list: Some("calls") };
    // What the backstop unit is called to binds it, also from the beginning.
    let sounding = whistle::Model { backstop_organization_id: backstop, ..held.row.clone() };
    let called = call::call(&held.tx, &sounding, units, how).await?;
    let change = whistle::ActiveModel {
        backstop_organization_id: Set(backstop),
        sounded_at: Set(Some(ctx.now())),
        sounded_by: Set(ctx.author()),
        ..held.row.clone().into_active_model()
    };
    held.settle(State::Sounded, Event::WhistleSounded, change, None, |fact| with_calls(fact, &called)).await
}

/// What is told of calls.
fn with_calls(fact: Fact, called: &[whistle_response::Model]) -> Fact {
    fact.organizations(called.iter().map(|row| row.organization_id)).detail("calls", called.len())
}

/// Calls more units to a whistle that sounds, as members of the town or of an alliance above that it was escalated to.
pub async fn call_units(
    ctx: &Ctx,
    which: Which,
    alliance: Option<AllianceId>,
    units: &[NewCall],
) -> Result<Model> {
    let held = hold(ctx, which, &states::CALL).await?;
    let alliance = alliance.unwrap_or(held.row.alliance_id);
    call::may_call(&held.tx, &held.row, alliance).await?;
    allowed(ctx, &held.seats, Action::CallWhistleUnits, &[alliance], &[], None)?;
    let how = As { alliance, instead_of: None, list: Some("calls") };
    let called = call::call(&held.tx, &held.row, units, how).await?;
    let change = held.row.clone().into_active_model();
    held.settle(State::Sounded, Event::WhistleUnitsCalled, change, Some(alliance), |fact| {
        with_calls(fact, &called)
    })
    .await
}

/// Hands a whistle up: the alliance above calls members of its own. It stays the town's, which evaluates and releases.
pub async fn escalate(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::ESCALATE).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let top = held.row.escalated_to_id.unwrap_or(held.row.alliance_id);
    let top = alliance::Entity::find_by_id(top).one(&held.tx.db).await?.ok_or(Error::NotFound("alliance"))?;
    let above = top.parent_id.ok_or_else(|| Error::refused(Code::NoParentAlliance))?;
    let change = whistle::ActiveModel {
        escalated_to_id: Set(Some(above)),
        escalated_at: Set(Some(ctx.now())),
        reason: Set(Some(reason.clone())),
        ..held.row.clone().into_active_model()
    };
    let before = whistle_escalation::Entity::find()
        .filter(whistle_escalation::Column::WhistleId.eq(held.row.id))
        .count(&held.tx.db)
        .await?;
    let kept = whistle_escalation::ActiveModel {
        whistle_id: Set(held.row.id),
        place: Set(i32::try_from(before).unwrap_or(i32::MAX).saturating_add(1)),
        from_alliance_id: Set(top.id),
        to_alliance_id: Set(above),
        escalated_at: Set(ctx.now()),
        escalated_by: Set(ctx.author()),
        reason: Set(Some(reason.clone())),
        returned_at: Set(None),
        returned_by: Set(None),
        return_reason: Set(None),
    };
    whistle_escalation::Entity::insert(kept).exec_without_returning(&held.tx.db).await?;
    held.settle(State::Sounded, Event::WhistleEscalated, change, Some(above), |fact| {
        fact.reason(Some(&reason))
    })
    .await
}

/// Hands a whistle back that was handed up, with the reason why: its members are called to it no more. Whom it called it first
/// lets finish.
pub async fn return_escalation(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::RETURN_ESCALATION).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let calls = whistle_response::Entity::find().filter(Call::WhistleId.eq(held.row.id));
    let above = states::may_return(&held.row, &calls.all(&held.tx.db).await?)?;
    let last = whistle_escalation::Entity::find()
        .filter(whistle_escalation::Column::WhistleId.eq(held.row.id))
        .filter(whistle_escalation::Column::ToAllianceId.eq(above))
        .filter(whistle_escalation::Column::ReturnedAt.is_null())
        .one(&held.tx.db)
        .await?
        .ok_or_else(|| Error::internal("an escalation that is not on record"))?;
    let below = last.from_alliance_id;
    let mut back = last.into_active_model();
    back.returned_at = Set(Some(ctx.now()));
    back.returned_by = Set(ctx.author());
    back.return_reason = Set(Some(reason.clone()));
    back.update(&held.tx.db).await?;
    let change = whistle::ActiveModel {
        escalated_to_id: Set(Some(below).filter(|below| *below != held.row.alliance_id)),
        reason: Set(Some(reason.clone())),
        ..held.row.clone().into_active_model()
    };
    held.settle(State::Sounded, Event::WhistleEscalationReturned, change, [above, below], |fact| {
        fact.reason(Some(&reason))
    })
    .await
}

/// Calls a whistle off: what the town has evaluated is released, whoever else is still called is excused.
pub async fn call_off(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::CALL_OFF).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let pending = whistle_response::Entity::find()
        .filter(Call::WhistleId.eq(held.row.id))
        .filter(Call::IsOpen.eq(true).or(Call::State.eq(Answer::Refused)))
        .all(&held.tx.db)
        .await?;
    let own: Vec<_> = held.seats.iter().filter_map(|seat| seat.organization_id).collect();
    states::may_call_off(&pending, &own)?;
    let now = ctx.now();
    for (to, evaluated) in [(Answer::Released, true), (Answer::Excused, false)] {
        let which = |row: &&whistle_response::Model| (row.state == Answer::Evaluated) == evaluated;
        let ids: Vec<_> = pending.iter().filter(which).map(|row| row.id).collect();
        if ids.is_empty() {
            continue;
        }
        let mut update = whistle_response::Entity::update_many()
            .col_expr(Call::State, Expr::value(to))
            .col_expr(Call::IsOpen, Expr::value(false))
            .col_expr(Call::EndedAt, Expr::value(now))
            .col_expr(Call::EndedBy, Expr::value(ctx.author()))
            .col_expr(Call::Version, Expr::col(Call::Version).add(1));
        if !evaluated {
            update = update.col_expr(Call::Reason, Expr::value(reason.clone()));
        }
        update.filter(Call::Id.is_in(ids)).exec(&held.tx.db).await?;
    }
    let change =
        whistle::ActiveModel { reason: Set(Some(reason.clone())), ..held.row.clone().into_active_model() };
    // Units of alliances above are told there.
    let mut above: Vec<AllianceId> = pending.iter().map(|row| row.member_alliance_id).collect();
    above.sort_unstable();
    above.dedup();
    let about =
        |fact: Fact| fact.organizations(pending.iter().map(|row| row.organization_id)).reason(Some(&reason));
    for alliance in above.into_iter().filter(|alliance| *alliance != held.row.alliance_id) {
        held.tx.record(about(fact(Event::WhistleCalledOff, &held.row).alliance(alliance))).await?;
    }
    held.settle(State::CalledOff, Event::WhistleCalledOff, change, None, about).await
}
