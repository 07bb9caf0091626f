//! Who there is: the people, their seats, what each role may do, and the verbs with the states they start from. Told from the
//! handbook and `docs/month`, never from the product's tables.

use concord_entities::{
    evidence::Stage,
    problem::{State, Tier},
    problem_responsible::PartState,
    seat::Role,
};

/// The two lists, by place: the town's, and the county's above it.
pub const TOWN: usize = 0;
pub const COUNTY: usize = 1;
/// Units 0 to 6 are members of the town, two of them of the county too; the last is a member of nothing.
pub const UNITS: usize = 8;
pub const MEMBERS: [&[usize]; 2] = [&[0, 1, 2, 3, 4, 5, 6], &[4, 5]];

/// A seat: on which list, in which role, for which unit.
pub type Seat = (usize, Role, Option<usize>);

pub const PEOPLE: [(&str, &[Seat]); 17] = [
    ("committee", &[(TOWN, Role::Committee, Some(0))]),
    ("approver", &[(TOWN, Role::Approver, Some(0))]),
    ("manager", &[(TOWN, Role::MemberManager, Some(1))]),
    ("staff", &[(TOWN, Role::MemberStaff, Some(1))]),
    ("other", &[(TOWN, Role::MemberStaff, Some(2))]),
    ("officer", &[(TOWN, Role::CommunityOfficer, None)]),
    ("grid", &[(TOWN, Role::GridOfficer, None)]),
    ("verifier", &[(TOWN, Role::Verifier, Some(6))]),
    ("observer", &[(TOWN, Role::Observer, None)]),
    ("county", &[(COUNTY, Role::Committee, None)]),
    ("stranger", &[]),
    ("second approver", &[(TOWN, Role::Approver, Some(5))]),
    ("third approver", &[(TOWN, Role::Approver, Some(4))]),
    ("third staff", &[(TOWN, Role::MemberStaff, Some(3))]),
    // Checks for a unit whose affairs they look after too.
    ("both", &[(TOWN, Role::Verifier, Some(2)), (TOWN, Role::MemberStaff, Some(2))]),
    ("county staff", &[(COUNTY, Role::MemberStaff, Some(4))]),
    ("county checker", &[(COUNTY, Role::Verifier, Some(5)), (COUNTY, Role::Approver, Some(5))]),
];
/// Strikes off above what the checker of the county verified.
pub const COUNTY_APPROVER: (&str, Seat) = ("county approver", (COUNTY, Role::Approver, None));

/// Everybody, the last one with the rest.
pub fn people() -> Vec<(&'static str, Vec<Seat>)> {
    let mut all: Vec<_> = PEOPLE.iter().map(|(name, seats)| (*name, seats.to_vec())).collect();
    all.push((COUNTY_APPROVER.0, vec![COUNTY_APPROVER.1]));
    all
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    Register { list: usize, known: bool },
    Triage { tier: Tier, reason: bool },
    Assign { lead: usize, joint: Vec<usize> },
    Recall,
    Accept,
    Decline { proposed: Option<usize> },
    Start { handler: Option<usize> },
    Reassign { handler: usize },
    Hold { unit: Option<usize> },
    Resume,
    MoveTier { tier: Tier },
    Submit,
    Verify,
    Return,
    SignOff,
    StrikeOff,
    Reject,
    Withdraw,
    Reopen,
    Merge { into: usize },
    Escalate,
    RecallEscalation,
    ReturnEscalation,
    AddPart { unit: usize },
    RemovePart { unit: usize },
    AcceptPart { unit: usize },
    DeclinePart { unit: usize },
    StartPart { unit: usize },
    FinishPart { unit: usize },
    ReopenPart { unit: usize },
    Prove { stage: Stage },
    Ask { reporter: Option<usize> },
    Try { asked: usize },
    Answer { asked: usize, satisfied: bool },
    Rename,
    Settle { sign_offs: i32, objection_hours: i32, asks: bool },
}

/// At which version the caller read what they change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expect {
    Nothing,
    Current,
    Stale,
}

#[derive(Clone, Debug)]
pub struct Command {
    pub who: usize,
    pub on: usize,
    pub verb: Verb,
    pub expect: Expect,
    /// Whether words are given where words are wanted.
    pub said: bool,
}

const WITH_UNITS: &[State] = &[State::Assigned, State::Accepted, State::InProgress];
const JUDGED: &[State] = &[State::Submitted, State::Verified];

impl Verb {
    /// The mutation, for verbs that move a problem or a part.
    pub fn mutation(&self) -> &'static str {
        match self {
            Self::Register { .. } => "registerProblem",
            Self::Triage { .. } => "triageProblem",
            Self::Assign { .. } => "assignProblem",
            Self::Recall => "recallProblem",
            Self::Accept => "acceptProblem",
            Self::Decline { .. } => "declineProblem",
            Self::Start { .. } => "startProblem",
            Self::Reassign { .. } => "reassignProblem",
            Self::Hold { .. } => "holdProblem",
            Self::Resume => "resumeProblem",
            Self::MoveTier { .. } => "moveProblemTier",
            Self::Submit => "submitProblem",
            Self::Verify => "verifyProblem",
            Self::Return => "returnProblem",
            Self::SignOff => "signOffProblem",
            Self::StrikeOff => "strikeOffProblem",
            Self::Reject => "rejectProblem",
            Self::Withdraw => "withdrawProblem",
            Self::Reopen => "reopenProblem",
            Self::Merge { .. } => "mergeProblem",
            Self::Escalate => "escalateProblem",
            Self::RecallEscalation => "recallEscalation",
            Self::ReturnEscalation => "returnEscalation",
            Self::AddPart { .. } => "addProblemPart",
            Self::RemovePart { .. } => "removeProblemPart",
            Self::AcceptPart { .. } => "acceptProblemPart",
            Self::DeclinePart { .. } => "declineProblemPart",
            Self::StartPart { .. } => "startProblemPart",
            Self::FinishPart { .. } => "finishProblemPart",
            Self::ReopenPart { .. } => "reopenProblemPart",
            Self::Prove { .. } => "addEvidence",
            Self::Ask { .. } => "requestFollowUp",
            Self::Try { .. } => "recordFollowUpTry",
            Self::Answer { .. } => "recordFollowUp",
            Self::Rename => "updateProblem",
            Self::Settle { .. } => "updateAlliance",
        }
    }

    /// The states of a problem in which it can be taken at all; all of them where that depends on more.
    pub fn from(&self) -> Option<&'static [State]> {
        use State::*;
        Some(match self {
            // Judged anew until somebody is responsible.
            Self::Triage { .. } => &[Registered, Triaged],
            Self::Assign { .. } => &[Triaged],
            Self::Accept | Self::Decline { .. } => &[Assigned],
            Self::Start { .. } => &[Accepted],
            // What was accepted or is in progress is handed to a colleague, or set aside.
            Self::Reassign { .. } | Self::Hold { .. } => &[Accepted, InProgress],
            Self::Resume => &[OnAccount],
            // Until it is submitted.
            Self::MoveTier { .. } => &[Triaged, Assigned, Accepted, InProgress, OnAccount],
            Self::Recall | Self::AddPart { .. } | Self::RemovePart { .. } => WITH_UNITS,
            Self::Submit => &[InProgress],
            Self::Verify => &[Submitted],
            Self::Return => JUDGED,
            Self::SignOff | Self::StrikeOff => &[Verified],
            // Before anybody was made responsible.
            Self::Reject | Self::Withdraw => &[Registered, Triaged],
            Self::Reopen => &[StruckOff],
            // Any open one that is neither set aside nor handed up.
            Self::Merge { .. } => &[Registered, Triaged, Assigned, Accepted, InProgress, Submitted, Verified],
            Self::Escalate => &[Triaged, Assigned, Accepted, InProgress],
            Self::RecallEscalation => &[Escalated],
            Self::ReturnEscalation => &[Registered, Triaged, Assigned, Accepted, InProgress],
            // While the problem is with its units.
            Self::AcceptPart { .. }
            | Self::DeclinePart { .. }
            | Self::StartPart { .. }
            | Self::FinishPart { .. }
            | Self::ReopenPart { .. } => WITH_UNITS,
            Self::Ask { .. } => &[Submitted, Verified, StruckOff],
            _ => return None,
        })
    }

    /// The states of a part in which its step can be taken.
    pub fn part(&self) -> Option<(usize, &'static [PartState])> {
        use PartState::*;
        Some(match self {
            Self::AcceptPart { unit } | Self::DeclinePart { unit } => (*unit, &[Assigned]),
            Self::StartPart { unit } => (*unit, &[Accepted]),
            Self::FinishPart { unit } => (*unit, &[InProgress]),
            Self::ReopenPart { unit } => (*unit, &[Done, Declined]),
            _ => return None,
        })
    }

    /// Whether it wants words: a reason, a verdict, measures.
    pub fn wants_words(&self) -> bool {
        matches!(
            self,
            Self::Triage { .. }
                | Self::Rename
                | Self::Recall
                | Self::Decline { .. }
                | Self::Hold { .. }
                | Self::MoveTier { .. }
                | Self::Verify
                | Self::Return
                | Self::Reject
                | Self::Withdraw
                | Self::Reopen
                | Self::Merge { .. }
                | Self::Escalate
                | Self::RecallEscalation
                | Self::ReturnEscalation
                | Self::RemovePart { .. }
                | Self::DeclinePart { .. }
                | Self::ReopenPart { .. }
        )
    }

    /// What the seat must have to do with the problem for this role: nothing, its own unit or authorship, or it may never.
    pub fn power(&self, role: Role) -> Power {
        use Power::*;
        match role {
            Role::Committee => match self {
                // The committee neither does the work nor judges it.
                Self::Accept
                | Self::Decline { .. }
                | Self::Start { .. }
                | Self::Submit
                | Self::Verify
                | Self::SignOff
                | Self::StrikeOff
                | Self::AcceptPart { .. }
                | Self::DeclinePart { .. }
                | Self::StartPart { .. }
                | Self::FinishPart { .. } => Never,
                _ => All,
            },
            Role::Approver => match self {
                Self::SignOff
                | Self::StrikeOff
                | Self::Return
                | Self::Hold { .. }
                | Self::Resume
                | Self::Ask { .. }
                | Self::Try { .. }
                | Self::Answer { .. } => All,
                _ => Never,
            },
            Role::Verifier => match self {
                Self::Verify
                | Self::Return
                | Self::Prove { .. }
                | Self::Ask { .. }
                | Self::Try { .. }
                | Self::Answer { .. } => All,
                _ => Never,
            },
            Role::CommunityOfficer | Role::GridOfficer => match self {
                Self::Register { .. } => All,
                Self::Try { .. } | Self::Answer { .. } if role == Role::CommunityOfficer => All,
                Self::Prove { .. } | Self::Rename | Self::Withdraw => Own,
                _ => Never,
            },
            Role::MemberManager | Role::MemberStaff => match self {
                Self::Register { .. } => All,
                Self::Reassign { .. } if role == Role::MemberManager => Own,
                Self::Accept
                | Self::Decline { .. }
                | Self::Start { .. }
                | Self::Submit
                | Self::AcceptPart { .. }
                | Self::DeclinePart { .. }
                | Self::StartPart { .. }
                | Self::FinishPart { .. }
                | Self::Prove { .. }
                | Self::Rename
                | Self::Withdraw => Own,
                _ => Never,
            },
            Role::Observer => Never,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Power {
    Never,
    Own,
    All,
}

/// Whether a problem in this state is still open.
pub fn is_open(state: State) -> bool {
    !matches!(
        state,
        State::StruckOff | State::Rejected | State::Withdrawn | State::Merged | State::ClosedAtSource
    )
}

/// Roles that read the lists below their own.
pub fn supervises(role: Role) -> bool {
    matches!(role, Role::Committee | Role::Approver | Role::Observer)
}
