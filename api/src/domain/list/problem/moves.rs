//! The verbs that move a problem through its states. Each takes the row under a lock, asks the table of states, and
//! writes one event; each runs at most five statements between begin and commit.

use chrono::{Days, NaiveDate};
use concord_entities::{
    account, evidence,
    id::{AccountId, OrganizationId, ProblemId},
    membership,
    problem::{self, Channel, Column, Model, State, Tier},
    problem_handler, problem_past_unit, problem_responsible, problem_sign_off, seat,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, RelationTrait,
    sea_query::{Expr, SelectStatement, UnionType},
};

pub use super::held::Which;
pub(in crate::domain::list) use super::held::{Held, hold, take, take_with};
use super::{
    FREE_TEXT,
    clocks::{self, Clocks},
    escalation, merge,
    parts::{self, Shares},
    tiers::{self, Settled},
};
use crate::domain::{
    Actor, Code, Ctx, Error, Event, Fact, Result, Tx,
    list::{
        deadline_policy::{Terms, Traits},
        follow_up,
        problem_part_states::Joint,
        problem_states::{self as states, Bound},
        supervision,
        transition::Step,
    },
    text,
};

/// What triage sets.
#[derive(Clone, Debug)]
pub struct Triage {
    pub tier: Tier,
    pub measures: String,
    pub criterion: String,
    pub is_complex: bool,
}

/// Judges a problem: who can settle it, what is to be done, and what closure is measured by.
pub async fn triage(ctx: &Ctx, which: Which, triage: Triage) -> Result<Model> {
    triage_by(ctx, which, triage, Settled::default()).await
}

/// The same, where a forum settled the tier. A change of tier wants a reason.
pub async fn triage_by(ctx: &Ctx, which: Which, triage: Triage, settled: Settled) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let held = hold(ctx, which, &states::TRIAGE).await?;
    if held.row.tier != Some(triage.tier) {
        tiers::keep(&held, triage.tier, &settled, "tierReason").await?;
    }
    let judged =
        Traits { severity: held.row.severity, tier: Some(triage.tier), is_complex: triage.is_complex };
    let change = problem::ActiveModel {
        tier: Set(Some(triage.tier)),
        measures: Set(Some(text::required(&triage.measures, "measures", FREE_TEXT)?)),
        criterion: Set(Some(text::required(&triage.criterion, "criterion", FREE_TEXT)?)),
        is_complex: Set(triage.is_complex),
        ..clocks::dispatched_by(&held.tx, &terms, &held.row, judged).await?
    };
    let tier_before = held.row.tier;
    held.settle(&states::TRIAGE, Event::ProblemTriaged, change, |fact, _| {
        fact.detail("tierBefore", serde_json::json!(tier_before))
            .detail("tier", serde_json::json!(triage.tier))
    })
    .await
}

/// Makes an organisation responsible for a problem.
pub async fn assign(
    ctx: &Ctx,
    which: Which,
    lead: OrganizationId,
    due_on: Option<NaiveDate>,
) -> Result<Model> {
    assign_jointly(ctx, which, lead, &[], due_on).await
}

/// Makes organisations responsible for a problem: one that leads, and others that share it.
pub async fn assign_jointly(
    ctx: &Ctx,
    which: Which,
    lead: OrganizationId,
    joint: &[OrganizationId],
    due_on: Option<NaiveDate>,
) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let held = hold(ctx, which, &states::ASSIGN).await?;
    let set_on = due_on.map(|on| due_date(on, held.today)).transpose()?;
    let clocks = Clocks::from_now(&terms, &held.row, set_on, ctx.now())?;
    let due_on = terms.place.last_day(clocks.resolution.due.at);
    let joint = parts::joint_units(lead, joint)?;
    if held.row.lead_organization_id.is_some_and(|named| named != lead) {
        // An imported problem comes with the unit that its source names.
        parts::release(&held.tx, which.id).await?;
    }
    let shares = Shares { lead: Some(lead), joint: &joint };
    let made = parts::make_responsible(&held.tx, &held.row, shares, &clocks).await?;
    if usize::try_from(made).ok() != Some(joint.len() + 1) {
        return Err(parts::not_members(&held.tx, &held.row, lead).await?);
    }
    let change = problem::ActiveModel {
        lead_organization_id: Set(Some(lead)),
        due_on: Set(Some(due_on)),
        due_is_provisional: Set(clocks.resolution.due.is_provisional),
        carried_due_at: Set(None),
        assigned_at: Set(Some(ctx.now())),
        accepted_at: Set(None),
        handler_id: Set(None),
        ..held.row.clone().into_active_model()
    };
    held.settle(&states::ASSIGN, Event::ProblemAssigned, change, |fact, _| {
        let fact = fact.organizations(joint.iter().copied());
        let fact = fact.detail("leadOrganizationId", lead.to_string()).detail("dueOn", due_on.to_string());
        let begun: Vec<_> =
            std::iter::once(&lead).chain(&joint).flat_map(|unit| clocks.moved(*unit)).collect();
        let fact = clocks::told(fact, &begun);
        if joint.is_empty() {
            fact
        } else {
            let joint: Vec<String> = joint.iter().map(ToString::to_string).collect();
            fact.detail("jointOrganizationIds", joint)
        }
    })
    .await
}

/// A due date lies between today and ten years on.
pub(in crate::domain::list) fn due_date(on: NaiveDate, today: NaiveDate) -> Result<NaiveDate> {
    let most = today.checked_add_days(Days::new(3_660)).unwrap_or(today);
    if (today..=most).contains(&on) {
        Ok(on)
    } else {
        Err(Error::invalid(Code::OutOfRange, "dueOn").with("least", today).with("most", most))
    }
}

/// Takes an assignment on; whoever does so for their unit becomes its handler.
pub async fn accept(ctx: &Ctx, which: Which) -> Result<Model> {
    let held = hold(ctx, which, &states::ACCEPT).await?;
    let handler = held.account()?;
    let change = problem::ActiveModel {
        handler_id: Set(Some(handler)),
        accepted_at: Set(Some(ctx.now())),
        ..held.row.clone().into_active_model()
    };
    held.settle(&states::ACCEPT, Event::ProblemAccepted, change, |fact, _| {
        fact.detail("handlerId", handler.to_string())
    })
    .await
}

/// Hands an assignment back, naming the unit thought right. It counts, and after two the assignment binds.
pub async fn decline(
    ctx: &Ctx,
    which: Which,
    reason: &str,
    proposed: Option<OrganizationId>,
) -> Result<Model> {
    // Read ahead of the unit of work: the proposal binds nobody, so a seat that ends meanwhile does no harm.
    let seated = match proposed {
        Some(unit) => is_seated_with(ctx, which.id, unit).await?,
        None => true,
    };
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let held = hold(ctx, which, &states::DECLINE).await?;
    states::may_decline(held.row.declined_count)?;
    held.policy.may_object(held.row.assigned_at, ctx.now())?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    if !seated {
        return Err(Error::invalid(Code::NotAMember, "proposedOrganizationId"));
    }
    if proposed.is_some() && proposed == held.row.lead_organization_id {
        return Err(Error::invalid(Code::ProposesItself, "proposedOrganizationId"));
    }
    let units = parts::release(&held.tx, which.id).await?;
    supervision::note_freed(&held.tx, &held.row, &units).await?;
    Joint { units: units.len().saturating_sub(1), unfinished: 0 }.may_lead_decline()?;
    let change = problem::ActiveModel {
        // Who quarrels about whose it is does not hold up the clock; the committee has a limit of its own to decide within.
        // A date that nobody knows yet binds nobody else.
        carried_due_at: Set(units
            .iter()
            .find_map(|unit| unit.resolution_due_at.filter(|_| !unit.resolution_is_provisional))),
        lead_organization_id: Set(None),
        proposed_organization_id: Set(proposed),
        due_on: Set(None),
        due_is_provisional: Set(false),
        assigned_at: Set(None),
        reason: Set(Some(reason)),
        declined_count: Set(held.row.declined_count + 1),
        ..clocks::dispatched_anew(&held.tx, &terms, &held.row).await?
    };
    let by = held.row.lead_organization_id;
    held.settle(&states::DECLINE, Event::ProblemDeclined, change, |fact, row| {
        fact.organizations(proposed)
            .reason(row.reason.as_deref())
            .detail("organizationId", by.map(|unit| unit.to_string()))
            .detail("proposedOrganizationId", proposed.map(|unit| unit.to_string()))
            .detail("declinedCount", row.declined_count)
    })
    .await
}

/// Whether an organisation is an active member of a problem's alliance.
pub(super) async fn is_seated_with(ctx: &Ctx, id: ProblemId, unit: OrganizationId) -> Result<bool> {
    let of = problem::Entity::find_by_id(id).select_only().column(Column::AllianceId).into_query();
    let found = membership::Entity::find()
        .filter(membership::Column::AllianceId.in_subquery(of))
        .filter(membership::Column::OrganizationId.eq(unit))
        .filter(membership::Column::State.eq(membership::State::Active))
        .count(ctx.read())
        .await?;
    Ok(found > 0)
}

/// Begins the work; `handler` is a colleague who takes it over from whoever accepted.
pub async fn start(ctx: &Ctx, which: Which, handler: Option<AccountId>) -> Result<Model> {
    let held = hold(ctx, which, &states::START).await?;
    if let Some(handler) = handler {
        require_colleague(&held, handler).await?;
    }
    let handler = handler.or(held.row.handler_id);
    let change = problem::ActiveModel { handler_id: Set(handler), ..held.row.clone().into_active_model() };
    held.settle(&states::START, Event::ProblemStarted, change, |fact, _| {
        fact.detail("handlerId", handler.map(|id| id.to_string()))
    })
    .await
}

/// Whoever takes work over acts for the lead unit.
async fn require_colleague(held: &Held<'_>, handler: AccountId) -> Result<()> {
    let lead = held.row.lead_organization_id.ok_or(Error::NotFound("organization"))?;
    let colleague = seat::Entity::find()
        .join(JoinType::InnerJoin, seat::Relation::Account.def())
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AccountId.eq(handler))
        .filter(seat::Column::AllianceId.eq(held.row.alliance_id))
        .filter(seat::Column::OrganizationId.eq(lead))
        .filter(seat::Column::State.eq(seat::State::Active))
        .one(&held.tx.db)
        .await?;
    colleague.map(drop).ok_or(Error::NotFound("account"))
}

/// Gives accepted work to a colleague of the lead unit, such as that of somebody who leaves; the state stays.
pub async fn reassign(ctx: &Ctx, which: Which, handler: AccountId) -> Result<Model> {
    let held = hold(ctx, which, &states::REASSIGN).await?;
    require_colleague(&held, handler).await?;
    let before = held.row.handler_id;
    let change =
        problem::ActiveModel { handler_id: Set(Some(handler)), ..held.row.clone().into_active_model() };
    let step = Step { to: held.row.state, ..states::REASSIGN };
    held.settle(&step, Event::ProblemReassigned, change, |fact, _| {
        fact.detail("fromHandlerId", before.map(|id| id.to_string())).detail("handlerId", handler.to_string())
    })
    .await
}

/// Asks for closure; evidence of the present round must be there, and after a return some that came since.
pub async fn submit(ctx: &Ctx, which: Which) -> Result<Model> {
    let held = hold(ctx, which, &states::SUBMIT).await?;
    let shown = parts::shown(&held).await?;
    shown.joint.all_done()?;
    states::has_evidence(&held.row, shown.pieces)?;
    let change = problem::ActiveModel {
        submitted_at: Set(Some(ctx.now())),
        submitted_by: Set(Some(held.account()?)),
        ..held.row.clone().into_active_model()
    };
    // A verifier who acts for any responsible unit is not asked.
    let (row, submitted) = held
        .write(&states::SUBMIT, Event::ProblemSubmitted, change, |fact, _| fact.organizations(shown.units))
        .await?;
    let asked = if held.follows_up { follow_up::on_submission(&held).await? } else { Vec::new() };
    held.tx.record_all(std::iter::once(submitted).chain(asked)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Who is bound up with a problem, and who signed it off since it was last returned.
#[derive(Default)]
pub(in crate::domain::list) struct Hands {
    pub responsible: Vec<OrganizationId>,
    people: Vec<AccountId>,
    signers: Vec<AccountId>,
}

impl Hands {
    pub(in crate::domain::list) fn bound(&self) -> Bound<'_> {
        Bound { responsible: &self.responsible, hands: &self.people }
    }
}

/// What the rows of `bound` hold.
const UNIT: i32 = 0;
const HAND: i32 = 1;
const SIGNER: i32 = 2;

/// The units responsible for a problem, now or earlier in its round, everybody who had a hand in it, and its signers, in one
/// statement.
pub(in crate::domain::list) async fn bound(tx: &Tx<'_>, row: &Model) -> Result<Hands> {
    let id = row.id;
    let units = problem_responsible::Entity::find()
        .select_only()
        .column(problem_responsible::Column::OrganizationId)
        .expr_as(Expr::val(UNIT), "kind")
        .filter(problem_responsible::Column::ProblemId.eq(id))
        .into_query();
    let past = problem_past_unit::Entity::find()
        .select_only()
        .column(problem_past_unit::Column::OrganizationId)
        .expr_as(Expr::val(UNIT), "kind")
        .filter(problem_past_unit::Column::ProblemId.eq(id))
        .filter(problem_past_unit::Column::Round.eq(row.round))
        .into_query();
    let handlers = problem_handler::Entity::find()
        .select_only()
        .column(problem_handler::Column::AccountId)
        .expr_as(Expr::val(HAND), "kind")
        .filter(problem_handler::Column::ProblemId.eq(id))
        .into_query();
    let suppliers = evidence::Entity::find()
        .select_only()
        .column(evidence::Column::AddedBy)
        .expr_as(Expr::val(HAND), "kind")
        .filter(evidence::Column::ProblemId.eq(id))
        .filter(evidence::Column::Stage.eq(evidence::Stage::Closure))
        .filter(evidence::Column::AddedBy.is_not_null())
        .into_query();
    let signers = problem_sign_off::Entity::find()
        .select_only()
        .column(problem_sign_off::Column::SignedBy)
        .expr_as(Expr::val(SIGNER), "kind")
        .filter(problem_sign_off::Column::ProblemId.eq(id))
        .filter(problem_sign_off::Column::Round.eq(row.round))
        .filter(problem_sign_off::Column::ReturnedCount.eq(row.returned_count))
        .into_query();
    let all = SelectStatement::clone(&units)
        .union(UnionType::All, past)
        .union(UnionType::All, handlers)
        .union(UnionType::All, suppliers)
        .union(UnionType::All, signers)
        .to_owned();
    let mut found = Hands::default();
    for row in tx.db.query_all(&all).await? {
        let id: uuid::Uuid = row.try_get_by_index(0)?;
        match row.try_get_by_index::<i32>(1)? {
            UNIT => found.responsible.push(OrganizationId(id)),
            SIGNER => found.signers.push(AccountId(id)),
            _ => found.people.push(AccountId(id)),
        }
    }
    Ok(found)
}

/// Takes an assignment back, from a unit that does not answer or has left, or that turned out to be the wrong one; it
/// counts for nobody.
pub async fn recall(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let terms = Terms::of_problem(ctx.read(), which.id).await?;
    let held = hold(ctx, which, &states::RECALL).await?;
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let units = parts::release(&held.tx, which.id).await?;
    supervision::note_freed(&held.tx, &held.row, &units).await?;
    let change = problem::ActiveModel {
        lead_organization_id: Set(None),
        handler_id: Set(None),
        due_on: Set(None),
        due_is_provisional: Set(false),
        assigned_at: Set(None),
        accepted_at: Set(None),
        reason: Set(Some(reason)),
        ..clocks::dispatched_anew(&held.tx, &terms, &held.row).await?
    };
    let by = held.row.lead_organization_id;
    held.settle(&states::RECALL, Event::ProblemRecalled, change, |fact, row| {
        let fact = fact.organizations(units.iter().map(|unit| unit.organization_id));
        fact.reason(row.reason.as_deref()).detail("organizationId", by.map(|unit| unit.to_string()))
    })
    .await
}

/// Passes the evidence against the closure criterion.
pub async fn verify(ctx: &Ctx, which: Which, verdict: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::VERIFY).await?;
    let verifier = held.account()?;
    let hands = bound(&held.tx, &held.row).await?;
    let (seats, own) = (held.seats_here(), held.own_units());
    let unit = states::verifying_organization(&held.row, verifier, &seats, &own, hands.bound())?;
    let verdict = text::required(verdict, "verdict", FREE_TEXT)?;
    let change = problem::ActiveModel {
        verified_at: Set(Some(ctx.now())),
        verifier_id: Set(Some(verifier)),
        verifier_organization_id: Set(Some(unit)),
        verdict: Set(Some(verdict.clone())),
        ..held.row.clone().into_active_model()
    };
    held.settle(&states::VERIFY, Event::ProblemVerified, change, |fact, _| {
        fact.detail("verifierOrganizationId", unit.to_string()).detail("verdict", verdict)
    })
    .await
}

/// Sends a problem back to work; it counts as rework.
pub async fn send_back(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, &states::RETURN).await?;
    if ctx.actor != Actor::System {
        states::may_return(held.row.state, &held.seats_here())?;
    }
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let (row, told) = return_held(&held, reason).await?;
    held.tx.record(told).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Sends a problem back to work within a unit of work that goes on; gives what is to be recorded of it.
pub(in crate::domain::list) async fn return_held(held: &Held<'_>, reason: String) -> Result<(Model, Fact)> {
    let shown = parts::shown(held).await?;
    if shown.joint.units > 0 {
        parts::resume(&held.tx, held.row.id).await?;
    }
    let pieces = i32::try_from(shown.pieces).map_err(Error::internal)?;
    let change = problem::ActiveModel {
        reason: Set(Some(reason)),
        returned_count: Set(held.row.returned_count + 1),
        evidence_at_return: Set(pieces),
        verified_at: Set(None),
        verifier_id: Set(None),
        verifier_organization_id: Set(None),
        verdict: Set(None),
        // What was signed stays on record and counts no more.
        signed_off_by: Set(None),
        signed_off_at: Set(None),
        ..held.row.clone().into_active_model()
    };
    held.write(&states::RETURN, Event::ProblemReturned, change, |fact, row| {
        let fact = fact.organizations(shown.units);
        fact.reason(row.reason.as_deref()).detail("returnedCount", row.returned_count)
    })
    .await
}

/// Signs a verified problem off where the alliance wants more than one sign-off; the last is the strike-off.
pub async fn sign_off(ctx: &Ctx, which: Which) -> Result<Model> {
    let held = hold(ctx, which, &states::SIGN_OFF).await?;
    let approver = held.account()?;
    let hands = bound(&held.tx, &held.row).await?;
    states::may_strike_off(&held.row, approver, &held.own_units(), hands.bound())?;
    held.policy.may_sign_off(&hands.signers, approver)?;
    let change = problem::ActiveModel {
        signed_off_by: Set(Some(approver)),
        signed_off_at: Set(Some(ctx.now())),
        ..held.row.clone().into_active_model()
    };
    let wanted = held.policy.sign_offs;
    held.settle(&states::SIGN_OFF, Event::ProblemSignedOff, change, |fact, _| {
        fact.detail("signOffs", hands.signers.len() + 1).detail("signOffsWanted", wanted)
    })
    .await
}

/// Strikes a verified problem off the list.
pub async fn strike_off(ctx: &Ctx, which: Which) -> Result<Model> {
    let held = hold(ctx, which, &states::STRIKE_OFF).await?;
    if held.row.channel == Channel::Escalation {
        // What it came from comes back with it: both are locked anew, in one order.
        held.tx.db.rollback().await?;
        return escalation::strike_off(ctx, which).await;
    }
    let (row, told) = struck_off(&held).await?;
    held.tx.record(told).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}

/// Strikes a problem under lock off, and gives what is to be recorded of it.
pub(super) async fn struck_off(held: &Held<'_>) -> Result<(Model, Fact)> {
    let approver = held.account()?;
    let hands = bound(&held.tx, &held.row).await?;
    states::may_strike_off(&held.row, approver, &held.own_units(), hands.bound())?;
    held.policy.is_signed(&hands.signers, approver)?;
    let change = problem::ActiveModel {
        struck_off_at: Set(Some(held.tx.ctx.now())),
        approver_id: Set(Some(approver)),
        ..held.row.clone().into_active_model()
    };
    held.write(&states::STRIKE_OFF, Event::ProblemStruckOff, change, |fact, _| fact).await
}

/// Refuses a problem that is no matter for this list.
pub async fn reject(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    end(ctx, which, &states::REJECT, Event::ProblemRejected, reason).await
}

/// Takes a problem back before anybody was made responsible.
pub async fn withdraw(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    end(ctx, which, &states::WITHDRAW, Event::ProblemWithdrawn, reason).await
}

async fn end(ctx: &Ctx, which: Which, step: &Step<State>, event: Event, reason: &str) -> Result<Model> {
    let held = hold(ctx, which, step).await?;
    if escalation::is_from_below(&held.tx, &held.row).await? {
        return Err(Error::refused(Code::EscalatedFromBelow));
    }
    let reason = text::required(reason, "reason", FREE_TEXT)?;
    let change = problem::ActiveModel { reason: Set(Some(reason)), ..held.row.clone().into_active_model() };
    let (row, ended) =
        held.write(step, event, change, |fact, row| fact.reason(row.reason.as_deref())).await?;
    let others = merge::told_of_end(&held.tx, &row).await?;
    held.tx.record_all(std::iter::once(ended).chain(others)).await?;
    held.tx.commit(row.id).await?;
    Ok(row)
}
