//! The table of states of a membership: what moves a seat from where to where, and who may. Pure; the verbs and the faces
//! both read it.

use concord_entities::membership::State::{self, Active, Applied, Declined, Ended, Invited, Suspended};

use crate::domain::{Action, list::transition::Step};

/// The invited organisation takes its seat.
pub const ACCEPT: Step<State> =
    Step { mutation: "acceptInvitation", from: &[Invited], to: Active, action: Action::AnswerInvitation };
/// The invited organisation declines, or the committee takes its invitation back.
pub const DECLINE_INVITATION: Step<State> =
    Step { mutation: "declineInvitation", from: &[Invited], to: Declined, action: Action::DeclineInvitation };
/// The committee admits an applicant, or an invited organisation for which nobody else can speak.
pub const ADMIT: Step<State> =
    Step { mutation: "admitMember", from: &[Applied, Invited], to: Active, action: Action::AdmitMember };
/// The committee declines an application.
pub const DECLINE_APPLICATION: Step<State> =
    Step { mutation: "declineApplication", from: &[Applied], to: Declined, action: Action::AdmitMember };
/// The committee suspends a seat.
pub const SUSPEND: Step<State> =
    Step { mutation: "suspendMember", from: &[Active], to: Suspended, action: Action::SuspendMember };
/// The committee restores a suspended seat.
pub const RESTORE: Step<State> =
    Step { mutation: "restoreMember", from: &[Suspended], to: Active, action: Action::SuspendMember };
/// The committee ends a seat.
pub const END: Step<State> =
    Step { mutation: "endMembership", from: &[Active, Suspended], to: Ended, action: Action::EndMembership };

/// Every step.
pub const STEPS: [Step<State>; 7] =
    [ACCEPT, DECLINE_INVITATION, ADMIT, DECLINE_APPLICATION, SUSPEND, RESTORE, END];

/// Whether a right is the invited organisation's own, which its speakers and the platform have without a seat in the alliance.
pub const fn answers(action: Action) -> bool {
    matches!(action, Action::AnswerInvitation | Action::DeclineInvitation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_an_ended_or_declined_membership() {
        for step in STEPS {
            assert!(!step.from.contains(&Ended) && !step.from.contains(&Declined), "{}", step.mutation);
            assert!(!step.from.contains(&step.to), "{} leads nowhere", step.mutation);
        }
    }
}
