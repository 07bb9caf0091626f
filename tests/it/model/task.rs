//! Priority tasks, the other list: the verbs, the states they start from and who may take them. Told from the handbook and
//! `docs/month`, never from the product's tables. The people are those of the closure list.

pub mod draw;
pub mod list;
pub mod product;

use concord_entities::{priority_task::State, seat::Role};

use super::town::{Expect, Power};

#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Drafts the list of a month, counted from the first one.
    DraftList {
        month: u32,
    },
    PublishList,
    Write {
        lead: usize,
        joint: Vec<usize>,
        due_in: u64,
    },
    Rename,
    Publish,
    Acknowledge,
    Report {
        percent: Option<i32>,
    },
    Submit {
        note: bool,
    },
    Complete,
    Return,
    Cancel,
    CarryOver {
        to: Option<usize>,
    },
}

/// A verb about a list or a task, by its place.
#[derive(Clone, Debug)]
pub struct Command {
    pub who: usize,
    pub on: usize,
    pub verb: Verb,
    pub expect: Expect,
    /// Whether words are given where words are wanted.
    pub said: bool,
}

impl Verb {
    pub fn mutation(&self) -> &'static str {
        match self {
            Self::DraftList { .. } => "createTaskList",
            Self::PublishList => "publishTaskList",
            Self::Write { .. } => "createPriorityTask",
            Self::Rename => "updatePriorityTask",
            Self::Publish => "publishPriorityTask",
            Self::Acknowledge => "acknowledgePriorityTask",
            Self::Report { .. } => "reportProgress",
            Self::Submit { .. } => "submitPriorityTask",
            Self::Complete => "completePriorityTask",
            Self::Return => "returnPriorityTask",
            Self::Cancel => "cancelPriorityTask",
            Self::CarryOver { .. } => "carryOverTasks",
        }
    }

    /// Whether it is about a whole list, or makes one.
    pub fn is_of_list(&self) -> bool {
        matches!(
            self,
            Self::DraftList { .. } | Self::PublishList | Self::Write { .. } | Self::CarryOver { .. }
        )
    }

    /// The states of a task in which it can be taken; nothing where it is not about one.
    pub fn from(&self) -> Option<&'static [State]> {
        use State::*;
        Some(match self {
            // Once the lead unit has taken it on, it stands as it is written.
            Self::Rename => &[Draft, Published],
            Self::Publish => &[Draft],
            Self::Acknowledge => &[Published],
            // The first report puts it in progress.
            Self::Report { .. } => &[Acknowledged, InProgress],
            Self::Submit { .. } => &[InProgress],
            Self::Complete | Self::Return => &[Submitted],
            // Any that is not over, a draft as well.
            Self::Cancel => &[Draft, Published, Acknowledged, InProgress, Submitted],
            _ => return None,
        })
    }

    /// Whether it wants words: a title, a note, a reason.
    pub fn wants_words(&self) -> bool {
        matches!(
            self,
            Self::DraftList { .. }
                | Self::Write { .. }
                | Self::Rename
                | Self::Report { .. }
                | Self::Return
                | Self::Cancel
        )
    }

    /// Whether the caller can say at which version they read what they change.
    pub fn is_versioned(&self) -> bool {
        !matches!(self, Self::DraftList { .. } | Self::Write { .. } | Self::CarryOver { .. })
    }

    /// What the seat must have to do with the task for this role.
    pub fn power(&self, role: Role) -> Power {
        // The committee runs the lists and accepts what is done; the units do the work.
        let work = matches!(self, Self::Acknowledge | Self::Report { .. } | Self::Submit { .. });
        match role {
            Role::Committee if !work => Power::All,
            Role::MemberManager | Role::MemberStaff if work => Power::Own,
            _ => Power::Never,
        }
    }
}

/// Whether work remains on a task in this state.
pub fn is_open(state: State) -> bool {
    matches!(state, State::Published | State::Acknowledged | State::InProgress | State::Submitted)
}
