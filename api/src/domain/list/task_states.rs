//! The states of a priority task: which step leads from where to where, and the right it takes. No database here.
//! `draft → published → acknowledged → in progress → submitted → completed`; a return leads back into progress.

use concord_entities::priority_task::State;

use super::transition::Step;
use crate::domain::Action;

/// The members see it, and the lead unit has to acknowledge it.
pub const PUBLISH: Step<State> = Step {
    mutation: "publishPriorityTask",
    from: &[State::Draft],
    to: State::Published,
    action: Action::ManageTaskList,
};

/// The lead unit takes it on (签收).
pub const ACKNOWLEDGE: Step<State> = Step {
    mutation: "acknowledgePriorityTask",
    from: &[State::Published],
    to: State::Acknowledged,
    action: Action::AcknowledgePriorityTask,
};

/// Work is reported by the lead unit or a co-organiser; the first report puts the task in progress.
pub const REPORT: Step<State> = Step {
    mutation: "reportProgress",
    from: &[State::Acknowledged, State::InProgress],
    to: State::InProgress,
    action: Action::ReportProgress,
};

/// The lead unit says that it is done.
pub const SUBMIT: Step<State> = Step {
    mutation: "submitPriorityTask",
    from: &[State::InProgress],
    to: State::Submitted,
    action: Action::SubmitPriorityTask,
};

/// The committee accepts it as done.
pub const COMPLETE: Step<State> = Step {
    mutation: "completePriorityTask",
    from: &[State::Submitted],
    to: State::Completed,
    action: Action::CompletePriorityTask,
};

/// The committee wants more; counted.
pub const RETURN: Step<State> = Step {
    mutation: "returnPriorityTask",
    from: &[State::Submitted],
    to: State::InProgress,
    action: Action::ReturnPriorityTask,
};

/// The committee gives it up.
pub const CANCEL: Step<State> = Step {
    mutation: "cancelPriorityTask",
    from: &[State::Draft, State::Published, State::Acknowledged, State::InProgress, State::Submitted],
    to: State::Cancelled,
    action: Action::CancelPriorityTask,
};

/// Its month is over and it goes on on a later list (结转): a step of the whole list, which takes its open tasks along.
pub const CARRY_OVER: Step<State> = Step {
    mutation: "carryOverTasks",
    from: &[State::Published, State::Acknowledged, State::InProgress, State::Submitted],
    to: State::CarriedOver,
    action: Action::ManageTaskList,
};

/// All steps of a task by itself, in the order of a task's life.
pub const ALL: [Step<State>; 7] = [PUBLISH, ACKNOWLEDGE, REPORT, SUBMIT, COMPLETE, RETURN, CANCEL];

/// Whether work remains in `state`.
pub const fn is_open(state: State) -> bool {
    matches!(state, State::Published | State::Acknowledged | State::InProgress | State::Submitted)
}

/// Whether the committee may still change what the task says: once the lead unit has taken it on, it stands.
pub const fn is_editable(state: State) -> bool {
    matches!(state, State::Draft | State::Published)
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn a_task_ends_only_as_completed_cancelled_or_carried_over_and_can_always_get_there() {
        for state in State::iter() {
            let onward = ALL.iter().any(|step| step.from.contains(&state));
            assert_eq!(onward, is_open(state) || state == State::Draft, "{state:?}");
        }
        let mut reached = vec![State::Draft];
        while let Some(step) = ALL
            .iter()
            .chain([&CARRY_OVER])
            .find(|step| !reached.contains(&step.to) && step.from.iter().any(|s| reached.contains(s)))
        {
            reached.push(step.to);
        }
        assert_eq!(reached.len(), State::iter().count());
    }

    #[test]
    fn each_step_has_its_own_mutation() {
        let mut names: Vec<_> = ALL.iter().map(|step| step.mutation).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
