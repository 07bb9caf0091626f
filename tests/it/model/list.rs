//! The list in memory: what each command does to it, and why it is refused. A refusal names every reason there is; the product
//! gives one of them, and says nothing of an object to whoever may not see or touch it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use concord_entities::{
    escalation,
    evidence::Stage,
    follow_up,
    problem::{State, Tier},
    problem_responsible::PartState,
};

use super::{
    extension::{Clock, Extension},
    town::{COUNTY, Command, Expect, MEMBERS, Power, Seat, TOWN, Verb, people, supervises},
};

pub type At = DateTime<Utc>;

/// Why a problem came back without anybody of the town saying so.
pub const DISSATISFIED: &str = "dissatisfied";

/// A joint unit's part.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub state: PartState,
    pub handler: Option<usize>,
    pub reason: Option<String>,
    pub declined: i32,
    pub evidence_at_return: i32,
    pub assigned_at: At,
    pub accepted_at: Option<At>,
    pub done_at: Option<At>,
}

/// A problem's row, people, units and problems by their places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub list: usize,
    pub seq: i32,
    pub title: String,
    pub tier: Option<Tier>,
    pub state: State,
    pub is_open: bool,
    pub round: i32,
    pub lead: Option<usize>,
    pub handler: Option<usize>,
    pub proposed: Option<usize>,
    pub reason: Option<String>,
    pub declined: i32,
    pub returned: i32,
    pub evidence_at_return: i32,
    pub assigned_at: Option<At>,
    pub accepted_at: Option<At>,
    pub submitted: Option<(At, usize)>,
    pub verified: Option<(At, usize, usize)>,
    pub struck_off: Option<(At, usize)>,
    pub signed_off: Option<(At, usize)>,
    pub held: Option<(At, usize, Option<usize>)>,
    pub recorded_by: Option<usize>,
    pub closed_at: Option<At>,
    pub due_on: Option<NaiveDate>,
    /// Since which day it is submitted or on account, while that stands.
    pub rested_on: Option<NaiveDate>,
    pub merged_into: Option<usize>,
    pub version: i64,
}

/// A round that ended in a strike-off and was followed by another.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    pub round: i32,
    pub lead: Option<usize>,
    pub joint: BTreeSet<usize>,
    pub handler: Option<usize>,
    pub verified: Option<(At, usize, usize)>,
    pub struck_off: Option<(At, usize)>,
    pub declined: i32,
    pub returned: i32,
    pub reopened_by: Option<usize>,
}

#[derive(Clone, Debug, Default)]
pub struct Problem {
    pub row: Row,
    /// Whether it is known who reported it.
    pub known: bool,
    pub parts: BTreeMap<usize, Part>,
    /// By when each responsible unit is to be done.
    pub clocks: BTreeMap<usize, Clock>,
    /// The deadline of a unit that declined, for the next one.
    pub carried: Option<At>,
    /// Units that took it or a part of it on and from which it was taken away, by round.
    pub past: BTreeSet<(i32, usize)>,
    /// Whoever ever had a hand in it.
    pub hands: BTreeSet<usize>,
    /// Whoever brought closure evidence, in whatever round: they are bound too.
    pub bringers: BTreeSet<usize>,
    /// Pieces of evidence: round, unit, stage.
    pub evidence: Vec<(i32, Option<usize>, Stage)>,
    pub rounds: Vec<Ended>,
    /// Signatures, by round and how often it had been returned by then.
    pub signed: BTreeSet<(i32, i32, usize)>,
    pub tier_moves: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub above: usize,
    pub below: usize,
    pub state: escalation::State,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub on: usize,
    pub round: i32,
    pub reporter: usize,
    pub state: follow_up::State,
    pub tries: i32,
    pub tried_at: Option<At>,
    pub satisfied: Option<bool>,
    pub done_by: Option<usize>,
    pub version: i64,
}

#[derive(Clone, Copy, Debug)]
pub struct Settled {
    pub sign_offs: i32,
    pub objection_hours: i32,
    pub asks: bool,
    pub version: i64,
}

/// What came of a command, and the events that tell of it: kind, and the problem or else the town's alliance.
pub type Events = Vec<(&'static str, Option<usize>)>;

pub struct List {
    pub people: Vec<(&'static str, Vec<Seat>)>,
    pub problems: Vec<Problem>,
    pub links: Vec<Link>,
    pub asked: Vec<Asked>,
    pub extensions: Vec<Extension>,
    /// The last number given on each list.
    pub last: [i32; 2],
    pub settled: [Settled; 2],
}

impl List {
    pub fn new(last: [i32; 2], town: Settled) -> Self {
        let county = Settled { sign_offs: 1, objection_hours: 24, asks: false, version: 1 };
        Self {
            people: people(),
            problems: Vec::new(),
            links: Vec::new(),
            asked: Vec::new(),
            extensions: Vec::new(),
            last,
            settled: [town, county],
        }
    }

    fn seats(&self, who: usize) -> &[Seat] {
        &self.people[who].1
    }

    /// A list is read by whoever has a seat there, and from above by whoever supervises.
    pub fn sees(&self, who: usize, list: usize) -> bool {
        self.seats(who)
            .iter()
            .any(|(at, role, _)| *at == list || (*at == COUNTY && list == TOWN && supervises(*role)))
    }

    fn acts_for(&self, who: usize, unit: usize) -> bool {
        self.seats(who).iter().any(|(_, _, own)| *own == Some(unit))
    }

    pub fn acts_here(&self, who: usize, list: usize, unit: usize) -> bool {
        self.seats(who).iter().any(|(at, _, own)| *at == list && *own == Some(unit))
    }

    /// The seat by which somebody may do this: one with power over all comes first.
    fn standing(&self, command: &Command) -> Option<Seat> {
        let Command { who, verb, .. } = command;
        let list = self.list_of(command);
        let here = || self.seats(*who).iter().filter(|(at, ..)| *at == list);
        if let Some(seat) = here().find(|(_, role, _)| verb.power(*role) == Power::All) {
            return Some(*seat);
        }
        here()
            .find(|(_, role, unit)| {
                verb.power(*role) == Power::Own
                    && (unit.is_some_and(|unit| self.concerns(command, unit)) || self.is_author(command))
            })
            .copied()
    }

    fn list_of(&self, command: &Command) -> usize {
        match command.verb {
            Verb::Register { list, .. } => list,
            Verb::Settle { .. } => TOWN,
            Verb::Try { asked } | Verb::Answer { asked, .. } => self.problems[self.asked[asked].on].row.list,
            _ => self.problems[command.on].row.list,
        }
    }

    fn concerns(&self, command: &Command, unit: usize) -> bool {
        let problem = &self.problems[command.on];
        match command.verb {
            Verb::Prove { .. } => problem.row.lead == Some(unit) || problem.parts.contains_key(&unit),
            Verb::AcceptPart { unit: of }
            | Verb::DeclinePart { unit: of }
            | Verb::StartPart { unit: of }
            | Verb::FinishPart { unit: of } => of == unit,
            Verb::Withdraw | Verb::Rename => false,
            _ => problem.row.lead == Some(unit),
        }
    }

    fn is_author(&self, command: &Command) -> bool {
        matches!(command.verb, Verb::Prove { .. } | Verb::Withdraw | Verb::Rename)
            && self.problems[command.on].row.recorded_by == Some(command.who)
    }

    /// Whoever had no hand in a problem, and acts for none of its units nor for one that worked on it in its round, judges it.
    fn is_independent(&self, who: usize, problem: &Problem) -> bool {
        let past = problem.past.iter().filter(|(round, _)| *round == problem.row.round).map(|(_, unit)| unit);
        let mut units = problem.row.lead.iter().chain(problem.parts.keys()).chain(past);
        !problem.hands.contains(&who)
            && !problem.bringers.contains(&who)
            && !units.any(|unit| self.acts_for(who, *unit))
    }

    /// For which unit somebody verifies.
    pub fn verifies_for(&self, who: usize, on: usize) -> usize {
        let list = self.problems[on].row.list;
        let checks = |(at, role, _): &&Seat| *at == list && Verb::Verify.power(*role) == Power::All;
        self.seats(who).iter().find(checks).and_then(|seat| seat.2).expect("a verifier acts for a unit")
    }

    /// For which unit somebody brings evidence: one of theirs that has to do with the problem, before any other.
    pub fn brings_for(&self, command: &Command) -> Option<usize> {
        let list = self.list_of(command);
        let concerned = |power: Power| {
            let mut here = self.seats(command.who).iter().filter(|(at, ..)| *at == list);
            let is_theirs = |(_, role, unit): &&Seat| {
                command.verb.power(*role) == power && unit.is_some_and(|unit| self.concerns(command, unit))
            };
            here.find(is_theirs).copied()
        };
        let own = concerned(Power::All).or_else(|| concerned(Power::Own));
        own.or_else(|| self.standing(command)).and_then(|seat| seat.2)
    }

    pub fn open_link(&self, find: impl Fn(&Link) -> bool) -> Option<usize> {
        self.links.iter().position(|link| link.state == escalation::State::Open && find(link))
    }

    fn reporters(&self, on: usize) -> Vec<usize> {
        let asks = |place: &usize| {
            (*place == on || self.problems[*place].row.merged_into == Some(on)) && self.problems[*place].known
        };
        (0..self.problems.len()).filter(asks).collect()
    }

    fn is_asked(&self, on: usize, reporter: usize) -> bool {
        self.asked
            .iter()
            .any(|one| one.on == on && one.reporter == reporter && one.state == follow_up::State::Due)
    }

    fn signers(&self, problem: &Problem) -> Vec<usize> {
        let Row { round, returned, .. } = problem.row;
        problem.signed.iter().filter(|one| (one.0, one.1) == (round, returned)).map(|one| one.2).collect()
    }

    /// Closure evidence of the present round, of one unit or of anybody.
    fn shown(&self, problem: &Problem, unit: Option<usize>) -> i32 {
        let counts = |piece: &&(i32, Option<usize>, Stage)| {
            piece.0 == problem.row.round
                && piece.2 == Stage::Closure
                && unit.is_none_or(|unit| piece.1 == Some(unit))
        };
        i32::try_from(problem.evidence.iter().filter(counts).count()).expect("a few")
    }

    /// Every reason why a command is refused; none where it is accepted.
    pub fn refusals(&self, command: &Command, now: At) -> Vec<&'static str> {
        let Command { who, verb, expect, said, .. } = command;
        let list = self.list_of(command);
        if !self.sees(*who, list) {
            return vec!["NOT_FOUND"];
        }
        if let Verb::Register { .. } | Verb::Settle { .. } = verb {
            let mut found = Vec::new();
            if self.standing(command).is_none() {
                found.push("FORBIDDEN");
            } else if matches!(verb, Verb::Settle { .. }) && *expect == Expect::Stale {
                found.push("VERSION_CONFLICT");
            }
            return found;
        }
        let on = match verb {
            Verb::Try { asked } | Verb::Answer { asked, .. } => self.asked[*asked].on,
            _ => command.on,
        };
        let problem = &self.problems[on];
        if let Some((unit, _)) = verb.part()
            && !(problem.parts.contains_key(&unit) || problem.row.lead == Some(unit))
        {
            return vec!["NOT_FOUND"];
        }
        let Some((_, role, _)) = self.standing(command) else { return vec!["FORBIDDEN"] };
        // What has passed, a verifier does not send back.
        if *verb == Verb::Return
            && problem.row.state == State::Verified
            && !self.seats(*who).iter().any(|(at, role, _)| {
                *at == list
                    && verb.power(*role) == Power::All
                    && *role != concord_entities::seat::Role::Verifier
            })
        {
            return vec!["FORBIDDEN"];
        }
        let mut found = Vec::new();
        // Evidence is added at whatever version.
        if *expect == Expect::Stale && !matches!(verb, Verb::Prove { .. }) {
            found.push("VERSION_CONFLICT");
        }
        if verb.from().is_some_and(|states| !states.contains(&problem.row.state)) {
            found.push("STATE_REFUSED");
        }
        if verb.wants_words() && !said {
            found.push("REQUIRED");
        }
        found.extend(self.particulars(command, problem, verb.power(role), now));
        found
    }

    fn particulars(&self, command: &Command, problem: &Problem, power: Power, now: At) -> Vec<&'static str> {
        let Command { who, verb, on, .. } = command;
        let row = &problem.row;
        let mut found = Vec::new();
        let mut when = |refused: bool, code: &'static str| {
            if refused {
                found.push(code);
            }
        };
        let member = |unit: usize| MEMBERS[row.list].contains(&unit);
        let Settled { sign_offs, objection_hours, .. } = self.settled[row.list];
        // An assignment is declined within the window, up to its very end; 0 sets none.
        let late = |at: At| objection_hours > 0 && now > at + TimeDelta::hours(objection_hours.into());
        let from_below = || self.open_link(|link| link.above == *on).is_some();
        match verb {
            Verb::Triage { tier, reason } => {
                when(row.tier.is_some_and(|before| before != *tier) && !reason, "REQUIRED");
            }
            Verb::MoveTier { tier } => when(row.tier == Some(*tier), "TIER_UNCHANGED"),
            Verb::Assign { lead, joint } => {
                when(joint.contains(lead), "LEAD_IS_JOINT");
                when(!member(*lead) || !joint.iter().all(|unit| member(*unit)), "NOT_A_MEMBER");
            }
            Verb::Decline { proposed } => {
                // The first receiver leads and cannot decline; after two the assignment binds.
                when(!problem.parts.is_empty(), "FIRST_RECEIVER_LEADS");
                when(row.declined >= 2, "ASSIGNMENT_BINDS");
                when(row.assigned_at.is_some_and(late), "OBJECTION_WINDOW_CLOSED");
                when(proposed.is_some_and(|unit| !member(unit)), "NOT_A_MEMBER");
                when(proposed.is_some() && *proposed == row.lead, "PROPOSES_ITSELF");
            }
            Verb::Start { handler: Some(handler) } | Verb::Reassign { handler } => {
                let colleague = row.lead.is_some_and(|lead| self.acts_here(*handler, row.list, lead));
                when(!colleague, "NOT_FOUND");
            }
            Verb::Hold { unit } => {
                when(!self.is_independent(*who, problem), "HELD_FROM_ABOVE");
                when(unit.is_some_and(|unit| !member(unit)), "NOT_A_MEMBER");
            }
            Verb::Resume => when(!self.is_independent(*who, problem), "HELD_FROM_ABOVE"),
            Verb::Submit => {
                when(problem.parts.values().any(|part| part.state != PartState::Done), "PARTS_UNFINISHED");
                when(self.shown(problem, None) <= row.evidence_at_return, "EVIDENCE_MISSING");
            }
            Verb::Verify => when(!self.is_independent(*who, problem), "NOT_INDEPENDENT"),
            Verb::SignOff | Verb::StrikeOff => {
                let is_verifier = row.verified.is_some_and(|(_, by, _)| by == *who);
                when(is_verifier || !self.is_independent(*who, problem), "NOT_INDEPENDENT");
                let (signers, before) = (self.signers(problem), sign_offs - 1);
                let complete = i32::try_from(signers.len()).expect("a few") >= before;
                when(*verb == Verb::SignOff && complete, "SIGN_OFFS_COMPLETE");
                when(*verb == Verb::StrikeOff && !complete, "SIGN_OFFS_MISSING");
                when(before > 0 && signers.contains(who), "ALREADY_SIGNED_OFF");
            }
            Verb::Reject | Verb::Withdraw => when(from_below(), "ESCALATED_FROM_BELOW"),
            Verb::Merge { into } => {
                when(from_below(), "ESCALATED_FROM_BELOW");
                let other = &self.problems[*into].row;
                // Of what they may not see, nothing else is told.
                let is_seen = self.sees(*who, other.list);
                when(!is_seen, "NOT_FOUND");
                when(is_seen && (into == on || other.list != row.list), "MERGE_REFUSED");
                when(is_seen && (!other.is_open || other.state == State::Escalated), "STATE_REFUSED");
            }
            Verb::Escalate => when(row.list == COUNTY, "NO_PARENT_ALLIANCE"),
            Verb::RecallEscalation => {
                let above = self.open_link(|link| link.below == *on).map(|link| self.links[link].above);
                let begun = above.is_some_and(|above| {
                    !matches!(self.problems[above].row.state, State::Registered | State::Triaged)
                });
                when(begun, "ESCALATION_TAKEN");
            }
            Verb::ReturnEscalation => when(!from_below(), "NOT_ESCALATED"),
            Verb::AddPart { unit } => {
                let shares = row.lead == Some(*unit) || problem.parts.contains_key(unit);
                when(shares, "ALREADY_EXISTS");
                when(!member(*unit), "NOT_A_MEMBER");
            }
            Verb::RemovePart { unit } if row.lead == Some(*unit) => when(true, "LEAD_HAS_NO_PART"),
            Verb::RemovePart { unit } => when(!problem.parts.contains_key(unit), "NOT_FOUND"),
            Verb::AcceptPart { .. }
            | Verb::DeclinePart { .. }
            | Verb::StartPart { .. }
            | Verb::FinishPart { .. }
            | Verb::ReopenPart { .. } => {
                let (unit, states) = verb.part().expect("a step of a part");
                when(row.lead == Some(unit), "LEAD_HAS_NO_PART");
                if let Some(part) = problem.parts.get(&unit) {
                    when(!states.contains(&part.state), "STATE_REFUSED");
                    if let Verb::DeclinePart { .. } = verb {
                        when(part.declined >= 2, "ASSIGNMENT_BINDS");
                        when(late(part.assigned_at), "OBJECTION_WINDOW_CLOSED");
                    }
                    if let Verb::FinishPart { .. } = verb {
                        let shown = self.shown(problem, Some(unit));
                        when(shown <= part.evidence_at_return, "PART_EVIDENCE_MISSING");
                    }
                }
            }
            Verb::Prove { stage } => {
                let begun = problem.parts.values().any(|part| part.state == PartState::InProgress)
                    && matches!(row.state, State::Assigned | State::Accepted | State::InProgress);
                let takes = match stage {
                    Stage::Closure => matches!(row.state, State::InProgress | State::Submitted) || begun,
                    _ => row.is_open,
                };
                when(!takes, "STATE_REFUSED");
            }
            Verb::Ask { reporter } => {
                let reporter = reporter.unwrap_or(*on);
                when(!self.reporters(*on).contains(&reporter), "NO_REPORTER");
                when(self.is_asked(*on, reporter), "ALREADY_EXISTS");
            }
            Verb::Try { asked } | Verb::Answer { asked, .. } => {
                let asked = &self.asked[*asked];
                when(asked.state != follow_up::State::Due, "STATE_REFUSED");
                // Each try has a day of its own.
                let day = |at: At| (at + TimeDelta::hours(8)).date_naive();
                let is_today = asked.tried_at.is_some_and(|at| day(at) == day(now));
                when(matches!(verb, Verb::Try { .. }) && is_today, "TRIED_TODAY");
                // Nor anybody of the units of the round that is asked about.
                let ended = problem.rounds.iter().find(|ended| ended.round == asked.round);
                let mut units = ended.iter().flat_map(|ended| ended.lead.iter().chain(&ended.joint));
                let then = asked.round != row.round && units.any(|unit| self.acts_for(*who, *unit));
                when(then || !self.is_independent(*who, problem), "NOT_INDEPENDENT");
            }
            // Whoever registered it corrects it until it is judged.
            Verb::Rename => {
                let early = power == Power::All || row.state == State::Registered;
                when(!row.is_open || !early, "STATE_REFUSED");
            }
            _ => {}
        }
        found
    }

    /// What somebody is told they can do with a problem next, whatever else they would have to give; nothing where they do not
    /// see it.
    pub fn offered(&self, who: usize, on: usize, now: At) -> Option<BTreeMap<&'static str, bool>> {
        let row = &self.problems[on].row;
        if !self.sees(who, row.list) {
            return None;
        }
        let mut verbs = vec![
            Verb::Triage { tier: row.tier.unwrap_or_default(), reason: true },
            Verb::Assign { lead: MEMBERS[row.list][0], joint: Vec::new() },
            Verb::Recall,
            Verb::Accept,
            Verb::Decline { proposed: None },
            Verb::Start { handler: None },
            Verb::Hold { unit: None },
            Verb::Resume,
            Verb::Submit,
            Verb::Verify,
            Verb::Return,
            Verb::SignOff,
            Verb::StrikeOff,
            Verb::Reject,
            Verb::Withdraw,
            Verb::Reopen,
            // Into which one is told later.
            Verb::Merge { into: on },
            Verb::Escalate,
            Verb::RecallEscalation,
        ];
        if self.open_link(|link| link.above == on).is_some() {
            verbs.push(Verb::ReturnEscalation);
        }
        let mut found = BTreeMap::new();
        for verb in verbs {
            let mutation = verb.mutation();
            let command = Command { who, on, verb, expect: Expect::Nothing, said: true };
            let mut refusals = self.refusals(&command, now);
            refusals.retain(|code| *code != "MERGE_REFUSED");
            found.insert(mutation, refusals.is_empty());
        }
        Some(found)
    }
}
