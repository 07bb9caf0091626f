//! What may follow what in a rotation: one pure table per noun, used by the verbs and shown to viewers as what is open to
//! them. Knows no database and decides no rights beyond naming the action that each step needs.

use concord_entities::{rotation_plan, rotation_slot, rotation_swap};
use sea_orm::ActiveEnum;

use crate::domain::{Action, Code, Error, Result, list::transition::Step};

const fn step<S: Copy>(mutation: &'static str, from: &'static [S], to: S, action: Action) -> Step<S> {
    Step { mutation, from, to, action }
}

/// The steps of a plan.
pub const PLAN: &[Step<rotation_plan::State>] = {
    use rotation_plan::State::{Approved, Draft, Ended, Published, Submitted};
    &[
        step("submitRotationPlan", &[Draft], Submitted, Action::ManageRotationPlan),
        step("approveRotationPlan", &[Submitted], Approved, Action::ApproveRotationPlan),
        step("returnRotationPlan", &[Submitted, Approved], Draft, Action::ApproveRotationPlan),
        step("publishRotationPlan", &[Draft, Approved], Published, Action::ManageRotationPlan),
        step("endRotationPlan", &[Published], Ended, Action::ManageRotationPlan),
    ]
};

/// The states in which a plan's teams, length, blocks and turns may change; what was submitted stays as it was submitted.
pub const EDITABLE: [rotation_plan::State; 2] =
    [rotation_plan::State::Draft, rotation_plan::State::Published];

/// The steps of a turn. A team that comes late is still checked in; that it missed the day stays on record.
pub const SLOT: &[Step<rotation_slot::State>] = {
    use rotation_slot::State::{
        Announced, CheckedIn, Excused, HandedOver, HandingOver, InService, Missed, Scheduled,
    };
    &[
        step("publishRotationPlan", &[Scheduled], Announced, Action::ManageRotationPlan),
        step("recordCheckIn", &[Announced, Missed], CheckedIn, Action::RecordCheckIn),
        step("recordDocking", &[CheckedIn], InService, Action::RecordDocking),
        step("offerHandover", &[InService], HandingOver, Action::OfferHandover),
        step("acknowledgeHandover", &[HandingOver], HandedOver, Action::AcknowledgeHandover),
        step("excuseRotationSlot", &[Scheduled, Announced, Missed], Excused, Action::ExcuseRotationSlot),
    ]
};

/// The step that only the platform's own hand takes: from announced to missed.
pub fn miss(state: rotation_slot::State) -> Option<rotation_slot::State> {
    (state == rotation_slot::State::Announced).then_some(rotation_slot::State::Missed)
}

/// The states in which a turn may still change its team.
pub const REASSIGNABLE: [rotation_slot::State; 3] =
    [rotation_slot::State::Scheduled, rotation_slot::State::Announced, rotation_slot::State::Excused];

/// The steps of a swap; `agreeSwap` arrives once the second of the two teams has agreed.
pub const SWAP: &[Step<rotation_swap::State>] = {
    use rotation_swap::State::{Agreed, Approved, Declined, Proposed, Withdrawn};
    &[
        step("agreeSwap", &[Proposed], Agreed, Action::AgreeSwap),
        step("approveSwap", &[Agreed], Approved, Action::ApproveSwap),
        step("declineSwap", &[Proposed, Agreed], Declined, Action::AgreeSwap),
        step("withdrawSwap", &[Proposed, Agreed], Withdrawn, Action::ProposeSwap),
    ]
};

/// The states of a swap that still holds its two slots.
pub const OPEN_SWAP: [rotation_swap::State; 2] =
    [rotation_swap::State::Proposed, rotation_swap::State::Agreed];

/// Where `mutation` leads from `state`, or the refusal that names the state.
pub fn follow<S>(steps: &[Step<S>], mutation: &str, state: S) -> Result<S>
where
    S: ActiveEnum<Value = String> + Copy + PartialEq,
{
    steps
        .iter()
        .find(|step| step.mutation == mutation && step.from.contains(&state))
        .map(|step| step.to)
        .ok_or_else(|| refused(state))
}

/// The refusal that names a state.
pub fn refused<S: ActiveEnum<Value = String>>(state: S) -> Error {
    Error::refused(Code::StateRefused).with("state", text(state))
}

/// A state's name.
pub fn text<S: ActiveEnum<Value = String>>(state: S) -> String {
    state.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rotation_slot::State as Slot;
    use sea_orm::Iterable;

    #[test]
    fn every_turn_can_come_to_its_end() {
        let mut reached = vec![Slot::Scheduled];
        reached.extend(miss(Slot::Announced));
        while let Some(next) = SLOT
            .iter()
            .filter(|step| step.from.iter().any(|from| reached.contains(from)))
            .map(|step| step.to)
            .find(|to| !reached.contains(to))
        {
            reached.push(next);
        }
        assert!(Slot::iter().all(|state| reached.contains(&state)), "{reached:?}");
    }

    #[test]
    fn a_step_out_of_turn_names_the_state() {
        assert_eq!(follow(SLOT, "recordCheckIn", Slot::Announced).unwrap(), Slot::CheckedIn);
        let refusal = follow(SLOT, "recordCheckIn", Slot::Scheduled).unwrap_err();
        let Error::Refused(refusal) = refusal else { panic!("not a refusal") };
        assert_eq!(refusal.args, [("state", "scheduled".to_owned())]);
        for state in [Slot::HandedOver, Slot::Excused] {
            assert!(SLOT.iter().all(|step| follow(SLOT, step.mutation, state).is_err()));
        }
    }

    #[test]
    fn no_state_has_two_ways_by_one_mutation() {
        for state in Slot::iter() {
            for step in SLOT {
                let ways = SLOT.iter().filter(|other| other.mutation == step.mutation);
                assert!(ways.filter(|way| way.from.contains(&state)).count() <= 1);
            }
        }
    }
}
