//! The states of a whistle and of each department's answer to it: which verb leads from where to where, which right it takes,
//! and what else it wants. Pure; the verbs check under their lock, `availableTransitions` asks the same rows.

use std::slice;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId},
    whistle::{self, Kind, State},
    whistle_response::{self, State as Answer},
};
use sea_orm::ActiveEnum;

use crate::domain::{
    Action, Actor, Code, Error, Result, Target,
    list::transition::{self, Step, Transition, Viewer},
};

/// After how many refusals of one matter the next call binds, and the backstop unit is called where the whistle names one.
pub const REFUSALS: i32 = 2;
/// From which score on the town counts as satisfied.
pub const SATISFIED: i32 = 4;

const fn step(mutation: &'static str, from: &'static [State], to: State, action: Action) -> Step<State> {
    Step { mutation, from, to, action }
}

pub const APPROVE: Step<State> =
    step("approveWhistle", &[State::Applied], State::Approved, Action::ApproveWhistle);
pub const REJECT: Step<State> =
    step("rejectWhistle", &[State::Applied], State::Rejected, Action::RejectWhistle);
pub const WITHDRAW: Step<State> =
    step("withdrawWhistle", &[State::Applied, State::Approved], State::Withdrawn, Action::WithdrawWhistle);
pub const SOUND: Step<State> = step("soundWhistle", &[State::Approved], State::Sounded, Action::SoundWhistle);
/// Calls more units; the state stays.
pub const CALL: Step<State> =
    step("callWhistleUnits", &[State::Sounded], State::Sounded, Action::CallWhistleUnits);
/// Lets the alliance above call its own members too; the state stays.
pub const ESCALATE: Step<State> =
    step("escalateWhistle", &[State::Sounded], State::Sounded, Action::EscalateWhistle);
/// Hands a whistle back to those who handed it up; the state stays.
pub const RETURN_ESCALATION: Step<State> =
    step("returnWhistleEscalation", &[State::Sounded], State::Sounded, Action::ReturnWhistleEscalation);
pub const CALL_OFF: Step<State> =
    step("callOffWhistle", &[State::Sounded], State::CalledOff, Action::CallOffWhistle);

/// Every step of a whistle, in the order of the work. It is released with the last of its calls.
pub const STEPS: [Step<State>; 8] =
    [APPROVE, REJECT, WITHDRAW, SOUND, CALL, ESCALATE, RETURN_ESCALATION, CALL_OFF];

const fn answer(mutation: &'static str, from: &'static [Answer], to: Answer, action: Action) -> Step<Answer> {
    Step { mutation, from, to, action }
}

pub const REPORT_IN: Step<Answer> =
    answer("reportInToWhistle", &[Answer::Called], Answer::ReportedIn, Action::ReportInToWhistle);
pub const REFUSE: Step<Answer> =
    answer("refuseWhistleCall", &[Answer::Called], Answer::Refused, Action::RefuseWhistleCall);
pub const ARRIVE: Step<Answer> =
    answer("arriveAtWhistle", &[Answer::ReportedIn], Answer::OnSite, Action::ArriveAtWhistle);
pub const CLAIM: Step<Answer> =
    answer("claimWhistleResolved", &[Answer::OnSite], Answer::ClaimedResolved, Action::ClaimWhistleResolved);
pub const RETURN_CLAIM: Step<Answer> =
    answer("returnWhistleClaim", &[Answer::ClaimedResolved], Answer::OnSite, Action::ReturnWhistleClaim);
pub const EVALUATE: Step<Answer> =
    answer("evaluateWhistleCall", &[Answer::ClaimedResolved], Answer::Evaluated, Action::EvaluateWhistleCall);
pub const RELEASE: Step<Answer> =
    answer("releaseWhistleCall", &[Answer::Evaluated], Answer::Released, Action::ReleaseWhistleCall);
pub const REROUTE: Step<Answer> =
    answer("rerouteWhistleCall", &[Answer::Refused], Answer::Rerouted, Action::RerouteWhistleCall);
pub const EXCUSE: Step<Answer> = answer(
    "excuseWhistleCall",
    &[Answer::Called, Answer::ReportedIn, Answer::OnSite, Answer::Refused],
    Answer::Excused,
    Action::ExcuseWhistleCall,
);

/// Every step of an answer, in the order of the work.
pub const ANSWERS: [Step<Answer>; 9] =
    [REPORT_IN, REFUSE, ARRIVE, CLAIM, RETURN_CLAIM, EVALUATE, RELEASE, REROUTE, EXCUSE];

/// States in which a whistle has ended.
pub const ENDED: [State; 4] = [State::Released, State::Rejected, State::Withdrawn, State::CalledOff];

/// Whether the unit still has something to do, or the town with what the unit did.
pub const fn is_open(state: Answer) -> bool {
    matches!(
        state,
        Answer::Called | Answer::ReportedIn | Answer::OnSite | Answer::ClaimedResolved | Answer::Evaluated
    )
}

/// Steps that the called unit takes; all others are the town's.
pub const fn by_unit(action: Action) -> bool {
    matches!(
        action,
        Action::ReportInToWhistle
            | Action::ArriveAtWhistle
            | Action::ClaimWhistleResolved
            | Action::RefuseWhistleCall
    )
}

/// Answers move while their whistle sounds.
pub fn sounds(state: State) -> Result<()> {
    if state == State::Sounded {
        Ok(())
    } else {
        Err(Error::refused(Code::StateRefused).with("state", state.to_value()))
    }
}

/// A call is refused in time, and not where it binds.
pub fn may_refuse(kind: Kind, row: &whistle_response::Model, now: DateTime<Utc>, zone: Tz) -> Result<()> {
    if kind == Kind::Emergency {
        return Err(Error::refused(Code::EmergencyBinds));
    }
    if row.is_backstop || row.refusals >= REFUSALS {
        return Err(Error::refused(Code::CallBinds));
    }
    if now > row.report_in_due_at {
        let until = row.report_in_due_at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
        return Err(Error::refused(Code::ObjectionWindowClosed).with("until", until));
    }
    Ok(())
}

/// Nobody approves what they applied for themselves.
pub fn may_approve(row: &whistle::Model, who: Option<AccountId>) -> Result<()> {
    if who.is_some() && who == row.applied_by { Err(Error::refused(Code::NotIndependent)) } else { Ok(()) }
}

/// Whoever evaluates acts for none of the units whose work it is.
pub fn may_judge(row: &whistle_response::Model, own: &[OrganizationId]) -> Result<()> {
    if own.contains(&row.organization_id) { Err(Error::refused(Code::NotIndependent)) } else { Ok(()) }
}

/// The alliances whose seats may give the right to a step of a whistle; those `above` have it handed up to them, or might have.
pub fn whose(row: &whistle::Model, above: &[AllianceId], action: Action) -> Vec<AllianceId> {
    match (action, row.escalated_to_id) {
        // Whoever it may be handed up to is told that it is not.
        (Action::CallWhistleUnits, _) | (Action::ReturnWhistleEscalation, None) => {
            [&[row.alliance_id], above].concat()
        }
        // What was handed up goes further from there, or comes back.
        (Action::EscalateWhistle | Action::ReturnWhistleEscalation, Some(above)) => vec![above],
        _ => vec![row.alliance_id],
    }
}

/// The alliances whose seats may give the right to a step of an answer: the unit acts where it is a member, the town where it
/// blew, and whoever called the unit from above re-routes it.
pub fn whose_answer(row: &whistle_response::Model, action: Action) -> Vec<AllianceId> {
    if by_unit(action) {
        vec![row.member_alliance_id]
    } else if matches!(action, Action::RerouteWhistleCall) && row.member_alliance_id != row.alliance_id {
        vec![row.alliance_id, row.member_alliance_id]
    } else {
        vec![row.alliance_id]
    }
}

/// Only what was handed up is handed back, once nothing waits for a unit that was called from there or for another in its place; gives
/// who hands it back.
pub fn may_return(row: &whistle::Model, calls: &[whistle_response::Model]) -> Result<AllianceId> {
    let above = row.escalated_to_id.ok_or_else(|| Error::refused(Code::NotEscalated))?;
    let waits = |call: &whistle_response::Model| {
        call.member_alliance_id == above && (call.is_open || call.state == Answer::Refused)
    };
    if calls.iter().any(waits) { Err(Error::refused(Code::UnitsStillCalled)) } else { Ok(above) }
}

/// Nobody excuses a unit of their own, in whatever way.
pub fn may_call_off(calls: &[whistle_response::Model], own: &[OrganizationId]) -> Result<()> {
    let is_excused = |call: &&whistle_response::Model| {
        (call.is_open || call.state == Answer::Refused) && call.state != Answer::Evaluated
    };
    calls.iter().filter(is_excused).try_for_each(|call| may_judge(call, own))
}

/// What decides over the steps of a whistle beside its own row.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The alliances that it was handed up to and is still with.
    pub above: &'a [AllianceId],
    pub calls: &'a [whistle_response::Model],
    /// Whether there is no alliance above the one that it is with.
    pub is_at_the_top: bool,
}

impl Circumstances<'_> {
    fn missing(
        &self,
        row: &whistle::Model,
        action: Action,
        who: Option<AccountId>,
        own: &[OrganizationId],
    ) -> Result<()> {
        match action {
            Action::CallOffWhistle => may_call_off(self.calls, own),
            Action::EscalateWhistle if self.is_at_the_top => Err(Error::refused(Code::NoParentAlliance)),
            Action::ReturnWhistleEscalation => may_return(row, self.calls).map(drop),
            Action::ApproveWhistle => may_approve(row, who),
            _ => Ok(()),
        }
    }
}

/// All steps of a whistle as the viewer finds them.
pub fn transitions(
    row: &whistle::Model,
    circumstances: Circumstances<'_>,
    viewer: Viewer<'_>,
) -> Vec<Transition> {
    let who = if let Actor::Account { id, .. } = viewer.actor { Some(id) } else { None };
    let own: Vec<OrganizationId> = viewer.seats.iter().filter_map(|seat| seat.organization_id).collect();
    let mut found = Vec::with_capacity(STEPS.len());
    for step in &STEPS {
        let alliances = whose(row, circumstances.above, step.action);
        let alliance = where_allowed(&alliances, viewer, step.action, &[]);
        let target = Target::alliance(alliance).by(row.applied_by);
        let seats = here(viewer, alliance);
        let viewer = Viewer { seats: &seats, ..viewer };
        found.extend(transition::offer(slice::from_ref(step), row.state, viewer, target, |step| {
            circumstances.missing(row, step.action, who, &own).err().into_iter().collect()
        }));
    }
    found
}

/// All steps of an answer as the viewer finds them, times as the zone's clocks show them.
pub fn answers(
    whistle: &whistle::Model,
    row: &whistle_response::Model,
    viewer: Viewer<'_>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Vec<Transition> {
    let units = [row.organization_id];
    let own: Vec<OrganizationId> = viewer.seats.iter().filter_map(|seat| seat.organization_id).collect();
    let mut found = Vec::with_capacity(ANSWERS.len());
    for step in &ANSWERS {
        let alliance = where_allowed(&whose_answer(row, step.action), viewer, step.action, &units);
        let target = Target::alliance(alliance).of(&units);
        let seats = here(viewer, alliance);
        let viewer = Viewer { seats: &seats, ..viewer };
        found.extend(transition::offer(slice::from_ref(step), row.state, viewer, target, |step| {
            if transition::refusal(viewer, step.action, target).is_some() {
                return Vec::new();
            }
            let missing = match step.action {
                Action::RefuseWhistleCall => may_refuse(whistle.kind, row, now, zone),
                Action::EvaluateWhistleCall
                | Action::ReturnWhistleClaim
                | Action::ExcuseWhistleCall
                | Action::RerouteWhistleCall => may_judge(row, &own),
                _ => Ok(()),
            };
            sounds(whistle.state).err().into_iter().chain(missing.err()).collect()
        }));
    }
    found
}

/// The alliance in which the viewer may take a step; the first where they may in none.
fn where_allowed(
    of: &[AllianceId],
    viewer: Viewer<'_>,
    action: Action,
    units: &[OrganizationId],
) -> AllianceId {
    let may = |alliance: &&AllianceId| {
        let seats = here(viewer, **alliance);
        let viewer = Viewer { seats: &seats, ..viewer };
        transition::refusal(viewer, action, Target::alliance(**alliance).of(units)).is_none()
    };
    of.iter().find(may).or(of.first()).copied().unwrap_or_default()
}

fn here(viewer: Viewer<'_>, alliance: AllianceId) -> Vec<concord_entities::seat::Model> {
    viewer.seats.iter().filter(|seat| seat.alliance_id == alliance).cloned().collect()
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn every_state_leads_on_or_ends() {
        for state in State::iter() {
            let leads_on = STEPS.iter().any(|step| step.from.contains(&state));
            assert_eq!(leads_on, !ENDED.contains(&state), "{state:?}");
        }
        for state in Answer::iter() {
            let leads_on = ANSWERS.iter().any(|step| step.from.contains(&state));
            let ends = matches!(state, Answer::Released | Answer::Rerouted | Answer::Excused);
            assert_eq!(leads_on, !ends, "{state:?}");
            assert!(is_open(state) || !leads_on || state == Answer::Refused, "{state:?}");
        }
    }
}
