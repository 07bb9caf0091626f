//! The states of an order and of each called unit: which verb leads from where to where, and which right it takes. Pure.

use concord_entities::{
    mobilization::{Model, State},
    mobilization_unit::{self, State as Answer},
};
use sea_orm::ActiveEnum;

use crate::domain::{
    Action, Code, Error, Result, Target,
    list::transition::{self, Step, Transition, Viewer},
};

const fn step(mutation: &'static str, from: &'static [State], to: State, action: Action) -> Step<State> {
    Step { mutation, from, to, action }
}

/// Says anew what places need; the state stays.
pub const AMEND_DRAFT: Step<State> =
    step("amendMobilizationNeeds", &[State::Draft], State::Draft, Action::AmendMobilizationNeeds);
pub const AMEND: Step<State> =
    step("amendMobilizationNeeds", &[State::Issued], State::Issued, Action::AmendMobilizationNeeds);
/// Calls more units; the state stays.
pub const CALL_IN_DRAFT: Step<State> =
    step("callMobilizationUnits", &[State::Draft], State::Draft, Action::CallMobilizationUnits);
pub const CALL: Step<State> =
    step("callMobilizationUnits", &[State::Issued], State::Issued, Action::CallMobilizationUnits);
/// Sets up shifts; the state stays.
pub const SHIFT_IN_DRAFT: Step<State> =
    step("addMobilizationShifts", &[State::Draft], State::Draft, Action::AddMobilizationShifts);
pub const SHIFT: Step<State> =
    step("addMobilizationShifts", &[State::Issued], State::Issued, Action::AddMobilizationShifts);
pub const ISSUE: Step<State> =
    step("issueMobilization", &[State::Draft], State::Issued, Action::IssueMobilization);
pub const DISCARD: Step<State> =
    step("discardMobilization", &[State::Draft], State::Discarded, Action::DiscardMobilization);
pub const STAND_DOWN: Step<State> =
    step("standDownMobilization", &[State::Issued], State::StoodDown, Action::StandDownMobilization);

/// Every step of an order, in the order of the work.
pub const STEPS: [Step<State>; 9] =
    [AMEND_DRAFT, CALL_IN_DRAFT, SHIFT_IN_DRAFT, ISSUE, DISCARD, AMEND, CALL, SHIFT, STAND_DOWN];

/// States in which an order has ended.
pub const ENDED: [State; 2] = [State::StoodDown, State::Discarded];

const fn answer(mutation: &'static str, from: &'static [Answer], to: Answer, action: Action) -> Step<Answer> {
    Step { mutation, from, to, action }
}

pub const ACKNOWLEDGE: Step<Answer> = answer(
    "acknowledgeMobilization",
    &[Answer::Called],
    Answer::Acknowledged,
    Action::AcknowledgeMobilization,
);
/// Whoever comes without a word has come.
pub const ARRIVE: Step<Answer> = answer(
    "arriveAtMobilization",
    &[Answer::Called, Answer::Acknowledged],
    Answer::Arrived,
    Action::ArriveAtMobilization,
);
pub const RELEASE: Step<Answer> = answer(
    "releaseMobilizationUnit",
    &[Answer::Called, Answer::Acknowledged, Answer::Arrived],
    Answer::Released,
    Action::ReleaseMobilizationUnit,
);

/// Every step of a called unit, in the order of the work.
pub const ANSWERS: [Step<Answer>; 3] = [ACKNOWLEDGE, ARRIVE, RELEASE];

/// Units answer while their order is issued.
pub fn stands(state: State) -> Result<()> {
    if state == State::Issued {
        Ok(())
    } else {
        Err(Error::refused(Code::StateRefused).with("state", state.to_value()))
    }
}

/// All steps of an order as the viewer finds them.
pub fn transitions(row: &Model, viewer: Viewer<'_>) -> Vec<Transition> {
    // What leaves the state as it is, is told once: from where the order is.
    let of_its_state: Vec<Step<State>> = STEPS
        .into_iter()
        .filter(|step| !step.from.contains(&step.to) || step.to == kept_at(row.state))
        .collect();
    transition::offer(&of_its_state, row.state, viewer, Target::alliance(row.alliance_id), |_| Vec::new())
}

fn kept_at(state: State) -> State {
    if state == State::Draft { State::Draft } else { State::Issued }
}

/// All steps of a called unit as the viewer finds them.
pub fn answers(order: &Model, row: &mobilization_unit::Model, viewer: Viewer<'_>) -> Vec<Transition> {
    let units = [row.organization_id];
    let target = Target::alliance(row.alliance_id).of(&units);
    transition::offer(&ANSWERS, row.state, viewer, target, |_| {
        stands(order.state).err().into_iter().collect()
    })
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
            assert_eq!(leads_on, state != Answer::Released, "{state:?}");
        }
    }
}
