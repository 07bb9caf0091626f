//! The states of a problem: which verb leads from where to where, which right it takes, and what else it wants. Pure; the
//! verbs check under their locks, `availableTransitions` asks the same rows. Closing at the source is no verb: only the
//! import writes it. Joint handling and holding on account add their rows here.

use std::slice;

use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId},
    problem::{self, Channel, State},
    seat::{self, Role},
};

use crate::domain::{
    Action, Actor, Code, Error, Result, Target,
    list::transition::{self, Step, Transition, Viewer},
    policy::{self, Grant},
};

/// After how many declines an assignment binds.
pub const DECLINES: i32 = 2;

pub const TRIAGE: Step<State> = Step {
    mutation: "triageProblem",
    from: &[State::Registered, State::Triaged],
    to: State::Triaged,
    action: Action::TriageProblem,
};
pub const ASSIGN: Step<State> = Step {
    mutation: "assignProblem",
    from: &[State::Triaged],
    to: State::Assigned,
    action: Action::AssignProblem,
};
pub const RECALL: Step<State> = Step {
    mutation: "recallProblem",
    from: &[State::Assigned, State::Accepted, State::InProgress],
    to: State::Triaged,
    action: Action::RecallProblem,
};
/// Gives the work to a colleague; the state stays.
pub const REASSIGN: Step<State> = Step {
    mutation: "reassignProblem",
    from: &[State::Accepted, State::InProgress],
    to: State::InProgress,
    action: Action::ReassignProblem,
};
pub const ACCEPT: Step<State> = Step {
    mutation: "acceptProblem",
    from: &[State::Assigned],
    to: State::Accepted,
    action: Action::AcceptProblem,
};
pub const DECLINE: Step<State> = Step {
    mutation: "declineProblem",
    from: &[State::Assigned],
    to: State::Triaged,
    action: Action::DeclineProblem,
};
pub const START: Step<State> = Step {
    mutation: "startProblem",
    from: &[State::Accepted],
    to: State::InProgress,
    action: Action::StartProblem,
};
pub const SUBMIT: Step<State> = Step {
    mutation: "submitProblem",
    from: &[State::InProgress],
    to: State::Submitted,
    action: Action::SubmitProblem,
};
pub const VERIFY: Step<State> = Step {
    mutation: "verifyProblem",
    from: &[State::Submitted],
    to: State::Verified,
    action: Action::VerifyProblem,
};
pub const RETURN: Step<State> = Step {
    mutation: "returnProblem",
    from: &[State::Submitted, State::Verified],
    to: State::InProgress,
    action: Action::ReturnProblem,
};
pub const STRIKE_OFF: Step<State> = Step {
    mutation: "strikeOffProblem",
    from: &[State::Verified],
    to: State::StruckOff,
    action: Action::StrikeOffProblem,
};
pub const REJECT: Step<State> = Step {
    mutation: "rejectProblem",
    from: &[State::Registered, State::Triaged],
    to: State::Rejected,
    action: Action::RejectProblem,
};
pub const WITHDRAW: Step<State> = Step {
    mutation: "withdrawProblem",
    from: &[State::Registered, State::Triaged],
    to: State::Withdrawn,
    action: Action::WithdrawProblem,
};
/// Begins the next round of a problem that was struck off.
pub const REOPEN: Step<State> = Step {
    mutation: "reopenProblem",
    from: &[State::StruckOff],
    to: State::Triaged,
    action: Action::ReopenProblem,
};

/// Ends a duplicate; the other one goes on.
pub const MERGE: Step<State> = Step {
    mutation: "mergeProblem",
    from: &[
        State::Registered,
        State::Triaged,
        State::Assigned,
        State::Accepted,
        State::InProgress,
        State::Submitted,
        State::Verified,
    ],
    to: State::Merged,
    action: Action::MergeProblem,
};
/// Hands a problem up; it was judged here first, and so comes back triaged.
pub const ESCALATE: Step<State> = Step {
    mutation: "escalateProblem",
    from: &[State::Triaged, State::Assigned, State::Accepted, State::InProgress],
    to: State::Escalated,
    action: Action::EscalateProblem,
};
pub const RECALL_ESCALATION: Step<State> = Step {
    mutation: "recallEscalation",
    from: &[State::Escalated],
    to: State::Triaged,
    action: Action::RecallEscalation,
};
/// Hands back what came from below.
pub const RETURN_ESCALATION: Step<State> = Step {
    mutation: "returnEscalation",
    from: &[State::Registered, State::Triaged, State::Assigned, State::Accepted, State::InProgress],
    to: State::Rejected,
    action: Action::ReturnEscalation,
};

/// Every step, in the order of the work.
pub const STEPS: [Step<State>; 17] = [
    TRIAGE,
    ASSIGN,
    RECALL,
    ACCEPT,
    DECLINE,
    START,
    SUBMIT,
    VERIFY,
    RETURN,
    STRIKE_OFF,
    REJECT,
    WITHDRAW,
    REOPEN,
    MERGE,
    ESCALATE,
    RECALL_ESCALATION,
    RETURN_ESCALATION,
];

/// Whether a problem in this state still counts as open.
pub const fn is_open(state: State) -> bool {
    !matches!(
        state,
        State::StruckOff | State::Rejected | State::Withdrawn | State::ClosedAtSource | State::Merged
    )
}

/// Whether the step is taken by the organisation that the problem was assigned to.
const fn by_lead(action: Action) -> bool {
    matches!(
        action,
        Action::AcceptProblem
            | Action::DeclineProblem
            | Action::StartProblem
            | Action::ReassignProblem
            | Action::SubmitProblem
    )
}

/// The people and units that a problem concerns, as far as rights go.
#[derive(Clone, Copy, Debug)]
pub struct Concerned<'a> {
    pub alliance: AllianceId,
    pub lead: &'a [OrganizationId],
    pub registrar: Option<AccountId>,
}

impl<'a> Concerned<'a> {
    pub fn of(row: &'a problem::Model) -> Self {
        Self {
            alliance: row.alliance_id,
            lead: row.lead_organization_id.as_slice(),
            registrar: row.recorded_by,
        }
    }

    /// What a step acts on: the assigned unit acts on its own, and a registrar takes back what they raised.
    pub fn target(self, action: Action) -> Target<'a> {
        let target = Target::alliance(self.alliance);
        if by_lead(action) {
            target.of(self.lead)
        } else if matches!(action, Action::WithdrawProblem) {
            target.by(self.registrar)
        } else {
            target
        }
    }
}

/// A decline counts; after the second the assignment binds.
pub fn may_decline(declined_count: i32) -> Result<()> {
    if declined_count < DECLINES { Ok(()) } else { Err(Error::refused(Code::AssignmentBinds)) }
}

/// A verifier sends back what was submitted; what has passed only the approver or the committee sends back.
pub fn may_return(state: State, seats: &[seat::Model]) -> Result<()> {
    let above = seats.iter().any(|seat| {
        seat.role != Role::Verifier && policy::grant(seat.role, Action::ReturnProblem) == Grant::Any
    });
    if state != State::Verified || above { Ok(()) } else { Err(Error::Forbidden) }
}

/// Who is bound up with a problem and so cannot judge it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bound<'a> {
    /// Units responsible for the problem.
    pub responsible: &'a [OrganizationId],
    /// Whoever ever handled it, asked for its closure, or supplied closure evidence.
    pub hands: &'a [AccountId],
}

/// Whether somebody cannot judge a problem: they once had a hand in it, or act for a responsible unit. `own` are all units
/// the person acts for, in whatever alliance, also in a seat that is suspended.
fn is_concerned(row: &problem::Model, account: AccountId, own: &[OrganizationId], bound: Bound<'_>) -> bool {
    bound.hands.contains(&account)
        || own.iter().any(|unit| bound.responsible.contains(unit) || row.lead_organization_id == Some(*unit))
}

/// The unit for which somebody verifies who is not concerned.
pub fn verifying_organization(
    row: &problem::Model,
    account: AccountId,
    seats: &[seat::Model],
    own: &[OrganizationId],
    bound: Bound<'_>,
) -> Result<OrganizationId> {
    seats
        .iter()
        .filter(|seat| policy::grant(seat.role, Action::VerifyProblem) == Grant::Any)
        .find_map(|seat| seat.organization_id)
        .filter(|_| !is_concerned(row, account, own, bound))
        .ok_or_else(|| Error::refused(Code::NotIndependent))
}

/// Whoever strikes off is not concerned and did not verify the problem.
pub fn may_strike_off(
    row: &problem::Model,
    account: AccountId,
    own: &[OrganizationId],
    bound: Bound<'_>,
) -> Result<()> {
    if row.verifier_id == Some(account) || is_concerned(row, account, own, bound) {
        Err(Error::refused(Code::NotIndependent))
    } else {
        Ok(())
    }
}

/// Whoever asks a reporter has no part in the problem.
pub fn may_follow_up(
    row: &problem::Model,
    account: AccountId,
    own: &[OrganizationId],
    bound: Bound<'_>,
) -> Result<()> {
    if is_concerned(row, account, own, bound) { Err(Error::refused(Code::NotIndependent)) } else { Ok(()) }
}

/// What besides row and seats decides whether a step can be taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    /// Who cannot judge it.
    pub bound: Bound<'a>,
    /// How many pieces of closure evidence of the present round there are.
    pub shown: u64,
    /// All units the viewer acts for.
    pub own: &'a [OrganizationId],
}

/// All steps as the viewer finds them.
pub fn transitions(
    row: &problem::Model,
    viewer: Viewer<'_>,
    circumstances: Circumstances<'_>,
) -> Vec<Transition> {
    let concerned = Concerned::of(row);
    STEPS
        .iter()
        // What came from nowhere goes back to nowhere, so nobody is offered that.
        .filter(|step| step.action != Action::ReturnEscalation || row.channel == Channel::Escalation)
        .flat_map(|step| {
            let target = concerned.target(step.action);
            transition::offer(slice::from_ref(step), row.state, viewer, target, |step| {
                // Who has no right at all is told so once.
                if transition::refusal(viewer, step.action, target).is_some() {
                    Vec::new()
                } else {
                    missing(row, step.action, viewer, circumstances).err().into_iter().collect()
                }
            })
        })
        .collect()
}

fn missing(
    row: &problem::Model,
    action: Action,
    viewer: Viewer<'_>,
    circumstances: Circumstances<'_>,
) -> Result<()> {
    let Actor::Account { id: account, .. } = viewer.actor else {
        return Ok(());
    };
    match action {
        Action::DeclineProblem => may_decline(row.declined_count),
        Action::SubmitProblem => has_evidence(row, circumstances.shown),
        Action::VerifyProblem => {
            verifying_organization(row, account, viewer.seats, circumstances.own, circumstances.bound)
                .map(drop)
        }
        Action::ReturnProblem => may_return(row.state, viewer.seats),
        Action::RejectProblem | Action::WithdrawProblem | Action::MergeProblem
            if row.channel == Channel::Escalation =>
        {
            Err(Error::refused(Code::EscalatedFromBelow))
        }
        Action::StrikeOffProblem => may_strike_off(row, account, circumstances.own, circumstances.bound),
        _ => Ok(()),
    }
}

/// A closure is submitted with evidence of the round, and after a return with more than there was.
pub fn has_evidence(row: &problem::Model, shown: u64) -> Result<()> {
    let expected = u64::try_from(row.evidence_at_return).unwrap_or_default() + 1;
    if shown >= expected {
        Ok(())
    } else {
        Err(Error::refused(Code::EvidenceMissing).with("expected", expected))
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn only_open_states_lead_on_but_for_a_new_round_and_only_the_import_closes_at_the_source() {
        for state in State::iter() {
            let mut leading = STEPS.iter().filter(|step| step.action != Action::ReopenProblem);
            let leads_on = leading.any(|step| step.from.contains(&state));
            assert_eq!(leads_on, is_open(state), "{state:?}");
        }
        assert_eq!(REOPEN.from, [State::StruckOff]);
        assert!(STEPS.iter().all(|step| step.to != State::ClosedAtSource));
        let reached = |state| state == State::Registered || STEPS.iter().any(|step| step.to == state);
        assert!(State::iter().filter(|state| *state != State::ClosedAtSource).all(reached));
    }

    #[test]
    fn striking_off_is_reached_through_verification_alone() {
        let before: Vec<_> = STEPS.iter().filter(|step| step.to == State::StruckOff).collect();
        assert!(before.iter().all(|step| step.from == [State::Verified]));
        let verified: Vec<_> = STEPS.iter().filter(|step| step.to == State::Verified).collect();
        assert!(verified.iter().all(|step| step.from == [State::Submitted]));
    }

    #[test]
    fn the_third_decline_is_refused() {
        assert!(may_decline(0).is_ok() && may_decline(1).is_ok() && may_decline(2).is_err());
    }
}
