//! The states of a joint unit's part of a problem: which verb leads from where to where, and what else it wants. Pure; the
//! verbs in `problem::parts` check under their lock, `ProblemPart.availableTransitions` asks the same rows. The part of the
//! leading unit is the problem itself.

use chrono::{DateTime, Utc};
use concord_entities::{
    problem::{self, State},
    problem_responsible::{self, Duty, PartState},
};
use sea_orm::ActiveEnum;

use super::{
    problem_states::{self, Policy},
    transition::{self, Step, Transition, Viewer},
};
use crate::domain::{Action, Code, Error, Result, Target};

/// Most joint units of one problem.
pub const JOINT: usize = 20;

pub const ACCEPT: Step<PartState> = Step {
    mutation: "acceptProblemPart",
    from: &[PartState::Assigned],
    to: PartState::Accepted,
    action: Action::AcceptProblemPart,
};
pub const DECLINE: Step<PartState> = Step {
    mutation: "declineProblemPart",
    from: &[PartState::Assigned],
    to: PartState::Declined,
    action: Action::DeclineProblemPart,
};
pub const START: Step<PartState> = Step {
    mutation: "startProblemPart",
    from: &[PartState::Accepted],
    to: PartState::InProgress,
    action: Action::StartProblemPart,
};
pub const FINISH: Step<PartState> = Step {
    mutation: "finishProblemPart",
    from: &[PartState::InProgress],
    to: PartState::Done,
    action: Action::FinishProblemPart,
};
/// What is done is taken up again.
pub const REOPEN: Step<PartState> = Step {
    mutation: "reopenProblemPart",
    from: &[PartState::Done, PartState::Declined],
    to: PartState::InProgress,
    action: Action::ReopenProblemPart,
};

/// Every step, in the order of the work.
pub const STEPS: [Step<PartState>; 5] = [ACCEPT, DECLINE, START, FINISH, REOPEN];

/// Where a reopened part goes: what was done is worked on again, what was declined is to be answered again.
pub const fn reopened(state: PartState) -> PartState {
    match state {
        PartState::Declined => PartState::Assigned,
        _ => PartState::InProgress,
    }
}

/// Parts move while the problem is with its units: from its assignment until it is submitted.
pub fn may_move(problem: State) -> Result<()> {
    if matches!(problem, State::Assigned | State::Accepted | State::InProgress) {
        Ok(())
    } else {
        Err(Error::refused(Code::StateRefused).with("state", problem.to_value()))
    }
}

/// Where the leading unit's part stands, which is where its problem stands.
pub const fn of_lead(state: State) -> PartState {
    match state {
        State::Registered
        | State::Triaged
        | State::Assigned
        | State::Rejected
        | State::Withdrawn
        | State::Merged
        | State::Escalated => PartState::Assigned,
        State::Accepted => PartState::Accepted,
        State::InProgress | State::OnAccount => PartState::InProgress,
        State::Submitted | State::Verified | State::StruckOff | State::ClosedAtSource => PartState::Done,
    }
}

/// The parts of the joint units, as far as the whole depends on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joint {
    /// How many joint units there are.
    pub units: usize,
    /// How many of their parts are not done.
    pub unfinished: usize,
}

impl Joint {
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a problem_responsible::Model>) -> Self {
        let mut found = Self::default();
        for part in parts.into_iter().filter(|part| part.duty == Duty::Joint) {
            found.units += 1;
            found.unfinished += usize::from(part.state != PartState::Done);
        }
        found
    }

    /// The whole is submitted only when every part is done.
    pub fn all_done(self) -> Result<()> {
        if self.unfinished == 0 {
            Ok(())
        } else {
            Err(Error::refused(Code::PartsUnfinished).with("count", self.unfinished))
        }
    }

    /// In a matter of several units the first receiver leads and cannot decline (首接负责制).
    pub fn may_lead_decline(self) -> Result<()> {
        if self.units == 0 { Ok(()) } else { Err(Error::refused(Code::FirstReceiverLeads)) }
    }
}

/// A part is finished with evidence that its own unit brought in this round, and after a reopening with more than before.
pub fn has_evidence(part: &problem_responsible::Model, brought: u64) -> Result<()> {
    let expected = u64::try_from(part.evidence_at_return).unwrap_or_default() + 1;
    if brought >= expected { Ok(()) } else { Err(evidence_missing(part)) }
}

/// The refusal of a part without its evidence.
pub fn evidence_missing(part: &problem_responsible::Model) -> Error {
    Error::refused(Code::PartEvidenceMissing).with("expected", part.evidence_at_return + 1)
}

/// What besides rows and seats decides whether a part can be moved.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// How many pieces of closure evidence of the present round its unit brought.
    pub brought: u64,
    /// What the alliance settles.
    pub policy: Policy,
    pub now: DateTime<Utc>,
}

/// All steps of a joint unit's part as the viewer finds them.
pub fn transitions(
    problem: &problem::Model,
    part: &problem_responsible::Model,
    viewer: Viewer<'_>,
    circumstances: Circumstances,
) -> Vec<Transition> {
    let Circumstances { brought, policy, now } = circumstances;
    let units = [part.organization_id];
    let target = Target::alliance(problem.alliance_id).of(&units);
    let mut steps = STEPS;
    if let Some(reopen) = steps.last_mut() {
        reopen.to = reopened(part.state);
    }
    transition::offer(&steps, part.state, viewer, target, |step| {
        if transition::refusal(viewer, step.action, target).is_some() {
            return Vec::new();
        }
        let missing = match step.action {
            Action::DeclineProblemPart => problem_states::may_decline(part.declined_count)
                .and_then(|()| policy.may_object(Some(part.assigned_at), now)),
            Action::FinishProblemPart => has_evidence(part, brought),
            _ => Ok(()),
        };
        may_move(problem.state).err().into_iter().chain(missing.err()).collect()
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn every_state_of_a_part_leads_on() {
        for state in PartState::iter() {
            assert!(STEPS.iter().any(|step| step.from.contains(&state)), "{state:?}");
        }
    }

    #[test]
    fn what_is_done_is_worked_on_again_and_what_was_declined_answered_again() {
        assert_eq!(reopened(PartState::Done), PartState::InProgress);
        assert_eq!(reopened(PartState::Declined), PartState::Assigned);
    }

    #[test]
    fn one_unfinished_part_holds_the_whole_up_and_one_joint_unit_binds_the_lead() {
        assert!(Joint::default().all_done().is_ok() && Joint::default().may_lead_decline().is_ok());
        let joint = Joint { units: 2, unfinished: 1 };
        assert!(joint.all_done().is_err() && joint.may_lead_decline().is_err());
        assert!(Joint { unfinished: 0, ..joint }.all_done().is_ok());
    }
}
