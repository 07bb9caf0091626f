//! The fair rotation: which team takes which slot, and how fair an assignment is.
//! This room states the problem, refuses what cannot be filled and measures plans; the exact search stands beside it.
//! It saves nothing and knows no dates: a slot is its place in the plan.

use std::collections::{BTreeMap, BTreeSet};

use super::fair_search;

/// Is the most teams a plan can be generated for.
pub const MAX_TEAMS: usize = 128;
/// Is the most slots that can be generated at once.
pub const MAX_SLOTS: usize = 520;

/// What a rotation has to respect; teams and slots are counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// How many teams take turns, in list order.
    pub teams: usize,
    pub slots: usize,
    /// The pairs of team and slot that cannot be.
    pub blocked: BTreeSet<(usize, usize)>,
    /// The team of a slot assigned by hand or already past.
    pub fixed: BTreeMap<usize, usize>,
    /// The team on duty right before the first slot, if it is one of the list.
    pub before: Option<usize>,
}

/// What a plan is judged by, after having no empty slot and before list order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objective {
    /// How many slots have the team of the slot before them.
    pub back_to_back: u32,
    /// The difference between the most and the fewest slots per team.
    pub spread: u32,
}

/// A complete rotation: the team of every slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub assignment: Vec<usize>,
    pub objective: Objective,
}

/// One reason why a slot stays empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// The plan has no team at all.
    NoTeams,
    /// The slot is blocked for the team.
    Blocked { team: usize },
    /// The slot is assigned by hand to a team for which it is blocked.
    HandAssignmentBlocked { team: usize },
    /// The slot is assigned by hand to a team that is not in the list.
    HandAssignmentUnknownTeam { team: usize },
}

/// A slot that no team can take, and every constraint that keeps it empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptySlot {
    pub slot: usize,
    pub why: Vec<Constraint>,
}

/// The slots that would stay empty, for which no plan is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub months: Vec<EmptySlot>,
}

/// What generating a rotation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The best plan, proven to be so.
    Plan(Plan),
    /// Some slot would stay empty.
    Refused(Refusal),
    /// The problem is too large, or its best plan could not be proven within the search budget.
    TooHard,
}

/// Generates the fair rotation. The same problem always has the same outcome.
///
/// Among the complete plans that respect blocks and fixed slots it takes the one with the fewest back-to-back slots,
/// then the smallest spread, then the one closest to list order: the smallest sequence of steps down the list.
pub fn generate(problem: &Problem) -> Outcome {
    let months: Vec<EmptySlot> = (0..problem.slots)
        .filter_map(|slot| Some(EmptySlot { slot, why: obstacles(problem, slot)? }))
        .collect();
    if !months.is_empty() {
        return Outcome::Refused(Refusal { months });
    }
    if problem.teams > MAX_TEAMS || problem.slots > MAX_SLOTS {
        return Outcome::TooHard;
    }
    let before = known_before(problem);
    let candidates: Vec<Vec<usize>> = (0..problem.slots).map(|slot| candidates(problem, slot)).collect();
    let budget = fair_search::Budget::of(problem.teams, problem.slots);
    match fair_search::best(problem.teams, &candidates, before, budget) {
        Some(assignment) => {
            let report = fairness(&assignment, problem.teams, before);
            let back_to_back = u32::try_from(report.back_to_back.len()).unwrap_or(u32::MAX);
            Outcome::Plan(Plan { assignment, objective: Objective { back_to_back, spread: report.spread } })
        }
        None => Outcome::TooHard,
    }
}

fn known_before(problem: &Problem) -> Option<usize> {
    problem.before.filter(|&team| team < problem.teams)
}

/// Returns the teams that can take a slot.
fn candidates(problem: &Problem, slot: usize) -> Vec<usize> {
    match problem.fixed.get(&slot) {
        Some(&team) => vec![team],
        None => (0..problem.teams).filter(|&team| !problem.blocked.contains(&(team, slot))).collect(),
    }
}

/// Returns what keeps a slot empty, or nothing when a team can take it.
fn obstacles(problem: &Problem, slot: usize) -> Option<Vec<Constraint>> {
    if let Some(&team) = problem.fixed.get(&slot) {
        return if team >= problem.teams {
            Some(vec![Constraint::HandAssignmentUnknownTeam { team }])
        } else if problem.blocked.contains(&(team, slot)) {
            Some(vec![Constraint::HandAssignmentBlocked { team }])
        } else {
            None
        };
    }
    if problem.teams == 0 {
        return Some(vec![Constraint::NoTeams]);
    }
    // With no limit on the slots of a team, a slot is empty only when it is blocked for all of them.
    (0..problem.teams)
        .all(|team| problem.blocked.contains(&(team, slot)))
        .then(|| (0..problem.teams).map(|team| Constraint::Blocked { team }).collect())
}

/// How the duties of one team lie in a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TeamFairness {
    pub slots: u32,
    /// The fewest slots off duty between two duties, for a team with at least two.
    pub shortest_gap: Option<u32>,
    /// The most slots off duty between two duties, for a team with at least two.
    pub longest_gap: Option<u32>,
}

/// How fair a rotation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FairnessReport {
    /// One entry per team, in list order.
    pub teams: Vec<TeamFairness>,
    /// The slots whose team was on duty in the slot before.
    pub back_to_back: Vec<usize>,
    pub spread: u32,
}

/// Measures a rotation; `before` is the team on duty right before it. Teams outside the list are not counted.
pub fn fairness(assignment: &[usize], teams: usize, before: Option<usize>) -> FairnessReport {
    let mut measured = vec![TeamFairness::default(); teams];
    let mut last_duty: Vec<Option<usize>> = vec![None; teams];
    let mut back_to_back = Vec::new();
    let mut previous = before;
    for (slot, &team) in assignment.iter().enumerate() {
        if previous == Some(team) {
            back_to_back.push(slot);
        }
        previous = Some(team);
        let (Some(found), Some(last)) = (measured.get_mut(team), last_duty.get_mut(team)) else { continue };
        found.slots += 1;
        if let Some(last) = last.replace(slot) {
            let gap = u32::try_from(slot - last - 1).unwrap_or(u32::MAX);
            found.shortest_gap = Some(found.shortest_gap.map_or(gap, |shortest| shortest.min(gap)));
            found.longest_gap = Some(found.longest_gap.map_or(gap, |longest| longest.max(gap)));
        }
    }
    let counts = || measured.iter().map(|team| team.slots);
    let spread = counts().max().unwrap_or(0) - counts().min().unwrap_or(0);
    FairnessReport { teams: measured, back_to_back, spread }
}

#[cfg(test)]
#[path = "fair_tests.rs"]
mod tests;
