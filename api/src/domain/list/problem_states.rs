//! The states of a problem: which verb leads from where to where, which right it takes, and what else it wants. Pure; the
//! verbs check under their locks, `availableTransitions` asks the same rows. Closing at the source is no verb: only the
//! import writes it. The parts of joint units have a table of their own, `problem_part_states`.

use std::slice;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use concord_entities::{
    alliance,
    id::{AccountId, AllianceId, OrganizationId},
    problem::{self, State},
    seat::{self, Role},
};

use crate::domain::{
    Action, Actor, Code, Error, Result, Target,
    list::{
        problem_part_states::Joint,
        transition::{self, Step, Transition, Viewer},
    },
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
/// Gives one more unit a part; the state stays.
pub const ADD_PART: Step<State> = Step {
    mutation: "addProblemPart",
    from: &[State::Assigned, State::Accepted, State::InProgress],
    to: State::InProgress,
    action: Action::AddProblemPart,
};
/// Takes a joint unit's part away; the state stays.
pub const REMOVE_PART: Step<State> =
    Step { mutation: "removeProblemPart", action: Action::RemoveProblemPart, ..ADD_PART };
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
/// Puts work that cannot go on now on account (挂账); it stays open and counted.
pub const HOLD: Step<State> = Step {
    mutation: "holdProblem",
    from: &[State::Accepted, State::InProgress],
    to: State::OnAccount,
    action: Action::HoldProblem,
};
pub const RESUME: Step<State> = Step {
    mutation: "resumeProblem",
    from: &[State::OnAccount],
    to: State::InProgress,
    action: Action::ResumeProblem,
};
/// Moves a triaged problem to another tier; the state stays.
pub const MOVE_TIER: Step<State> = Step {
    mutation: "moveProblemTier",
    from: &[State::Triaged, State::Assigned, State::Accepted, State::InProgress, State::OnAccount],
    to: State::InProgress,
    action: Action::MoveProblemTier,
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
/// One sign-off of several; the last is the strike-off.
pub const SIGN_OFF: Step<State> = Step {
    mutation: "signOffProblem",
    from: &[State::Verified],
    to: State::Verified,
    action: Action::SignOffProblem,
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
pub const STEPS: [Step<State>; 20] = [
    TRIAGE,
    ASSIGN,
    RECALL,
    ACCEPT,
    DECLINE,
    START,
    HOLD,
    RESUME,
    SUBMIT,
    VERIFY,
    RETURN,
    SIGN_OFF,
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

/// Since which day a problem rests that is moved today: submitted, or on account. What comes back to work does not.
pub fn rested_on(before: &problem::Model, to: State, today: NaiveDate) -> Option<NaiveDate> {
    match to {
        _ if to == before.state => before.rested_on,
        State::Submitted | State::OnAccount => Some(today),
        // It is known of later, too: at the end of an earlier period the problem was open.
        State::Verified | State::StruckOff => before.rested_on,
        _ => None,
    }
}

/// The day after which a problem is overdue, if it can be: its due date, where that is firm and it did not come to rest by it.
pub fn overdue_after(row: &problem::Model) -> Option<NaiveDate> {
    let in_time = |due_on: &NaiveDate| row.rested_on.is_some_and(|rested_on| rested_on <= *due_on);
    row.due_on.filter(|due_on| row.is_open && !row.due_is_provisional && !in_time(due_on))
}

/// Whether an alliance that was handed a problem has made somebody responsible, so that it is not taken back any more.
pub const fn is_taken(above: State) -> bool {
    !matches!(above, State::Registered | State::Triaged)
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

    /// What a step acts on: the assigned unit acts on its own, and a registrar corrects and takes back what they raised.
    pub fn target(self, action: Action) -> Target<'a> {
        let target = Target::alliance(self.alliance);
        if by_lead(action) {
            target.of(self.lead)
        } else if matches!(action, Action::WithdrawProblem | Action::UpdateProblem) {
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

/// What an alliance settles for the steps of its problems.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How many approvers sign off before and with the strike-off.
    pub sign_offs: i32,
    /// For how many hours an assignment may be declined; 0 sets no limit.
    pub objection_hours: i32,
    /// The zone in which times are told.
    pub zone: Tz,
}

impl Default for Policy {
    fn default() -> Self {
        Self { sign_offs: 1, objection_hours: 0, zone: Tz::UTC }
    }
}

impl Policy {
    pub fn of(alliance: &alliance::Model) -> Self {
        Self {
            sign_offs: alliance.sign_offs,
            objection_hours: alliance.objection_hours,
            zone: super::problem::zone(&alliance.time_zone),
        }
    }

    /// An assignment is declined within the objection window (退单异议期), up to its very end.
    pub fn may_object(self, assigned_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<()> {
        let window = TimeDelta::hours(self.objection_hours.into());
        match assigned_at.and_then(|at| at.checked_add_signed(window)) {
            Some(until) if self.objection_hours > 0 && now > until => {
                let until = until.with_timezone(&self.zone).format("%Y-%m-%d %H:%M");
                Err(Error::refused(Code::ObjectionWindowClosed).with("until", until))
            }
            _ => Ok(()),
        }
    }

    /// How many sign-offs there must be before the strike-off, which is the last one.
    fn before_the_last(self) -> usize {
        usize::try_from(self.sign_offs - 1).unwrap_or_default()
    }

    /// Whether somebody may sign off who has not, and whose sign-off is not the last.
    pub fn may_sign_off(self, signers: &[AccountId], account: AccountId) -> Result<()> {
        if signers.len() >= self.before_the_last() {
            Err(Error::refused(Code::SignOffsComplete))
        } else if signers.contains(&account) {
            Err(Error::refused(Code::AlreadySignedOff))
        } else {
            Ok(())
        }
    }

    /// Whether every sign-off but the last is there, and the last is somebody else's.
    pub fn is_signed(self, signers: &[AccountId], account: AccountId) -> Result<()> {
        if signers.len() < self.before_the_last() {
            Err(Error::refused(Code::SignOffsMissing)
                .with("expected", self.sign_offs)
                .with("found", signers.len()))
        } else if signers.contains(&account) && self.before_the_last() > 0 {
            Err(Error::refused(Code::AlreadySignedOff))
        } else {
            Ok(())
        }
    }
}

/// What is held is held from above: by nobody who handles it or acts for a responsible unit.
pub fn may_hold(
    row: &problem::Model,
    account: AccountId,
    own: &[OrganizationId],
    bound: Bound<'_>,
) -> Result<()> {
    if is_concerned(row, account, own, bound) { Err(Error::refused(Code::HeldFromAbove)) } else { Ok(()) }
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
    /// Units responsible for the problem, and those that worked on it earlier in its round.
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
    /// The parts of the joint units.
    pub joint: Joint,
    /// Who signed it off since it was last returned.
    pub signers: &'a [AccountId],
    /// What its alliance settles.
    pub policy: Policy,
    /// Whether its alliance has none above.
    pub is_topmost: bool,
    /// Whether an alliance below waits for it.
    pub is_from_below: bool,
    /// Where it was handed up, where it stands there.
    pub above: Option<State>,
    pub now: DateTime<Utc>,
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
        .filter(|step| step.action != Action::ReturnEscalation || circumstances.is_from_below)
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
        Action::DeclineProblem => {
            let Circumstances { joint, policy, now, .. } = circumstances;
            joint
                .may_lead_decline()
                .and_then(|()| may_decline(row.declined_count))
                .and_then(|()| policy.may_object(row.assigned_at, now))
        }
        Action::SubmitProblem => {
            circumstances.joint.all_done().and_then(|()| has_evidence(row, circumstances.shown))
        }
        Action::VerifyProblem => {
            verifying_organization(row, account, viewer.seats, circumstances.own, circumstances.bound)
                .map(drop)
        }
        Action::ReturnProblem => may_return(row.state, viewer.seats),
        Action::HoldProblem | Action::ResumeProblem => {
            may_hold(row, account, circumstances.own, circumstances.bound)
        }
        Action::SignOffProblem => may_strike_off(row, account, circumstances.own, circumstances.bound)
            .and_then(|()| circumstances.policy.may_sign_off(circumstances.signers, account)),
        Action::StrikeOffProblem => may_strike_off(row, account, circumstances.own, circumstances.bound)
            .and_then(|()| circumstances.policy.is_signed(circumstances.signers, account)),
        Action::RejectProblem | Action::WithdrawProblem | Action::MergeProblem
            if circumstances.is_from_below =>
        {
            Err(Error::refused(Code::EscalatedFromBelow))
        }
        Action::EscalateProblem if circumstances.is_topmost => Err(Error::refused(Code::NoParentAlliance)),
        Action::RecallEscalation if circumstances.above.is_some_and(is_taken) => {
            Err(Error::refused(Code::EscalationTaken))
        }
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
        // A sign-off leaves it where it is.
        assert!(verified.iter().all(|step| [State::Submitted, State::Verified].contains(&step.from[0])));
        assert!(
            verified.iter().all(|step| step.mutation == SIGN_OFF.mutation || step.from == [State::Submitted])
        );
    }

    #[test]
    fn an_assignment_is_declined_up_to_the_end_of_its_window() {
        let policy = Policy { objection_hours: 24, ..Policy::default() };
        let assigned = DateTime::UNIX_EPOCH;
        let end = assigned + TimeDelta::hours(24);
        assert!(policy.may_object(Some(assigned), end).is_ok());
        assert!(policy.may_object(Some(assigned), end + TimeDelta::seconds(1)).is_err());
        assert!(policy.may_object(None, end + TimeDelta::days(9)).is_ok());
        let never = Policy { objection_hours: 0, ..policy };
        assert!(never.may_object(Some(assigned), end + TimeDelta::days(999)).is_ok());
    }

    #[test]
    fn the_strike_off_is_the_last_of_the_sign_offs() {
        let [first, second, third] = [1, 2, 3].map(|number| AccountId(uuid::Uuid::from_u128(number)));
        let wants = |sign_offs| Policy { sign_offs, ..Policy::default() };
        // One: nobody signs before.
        assert!(wants(1).may_sign_off(&[], first).is_err() && wants(1).is_signed(&[], first).is_ok());
        // Three: two others sign before, each once.
        assert!(wants(3).is_signed(&[], third).is_err() && wants(3).is_signed(&[first], third).is_err());
        assert!(
            wants(3).may_sign_off(&[first], first).is_err()
                && wants(3).may_sign_off(&[first], second).is_ok()
        );
        assert!(wants(3).may_sign_off(&[first, second], third).is_err());
        assert!(wants(3).is_signed(&[first, second], second).is_err());
        assert!(wants(3).is_signed(&[first, second], third).is_ok());
    }

    #[test]
    fn the_third_decline_is_refused() {
        assert!(may_decline(0).is_ok() && may_decline(1).is_ok() && may_decline(2).is_err());
    }
}
