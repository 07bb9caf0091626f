//! The exact search behind the fair rotation.
//! This room proves the plan it returns to be the best, or gives up at a fixed budget; it neither checks the problem
//! nor explains a refusal. Teams are bits of a set, so their number is limited by its width.
//!
//! The fewest back-to-back slots follow from a dynamic programme over the slots, which also leaves only the steps from
//! team to team that some such rotation takes. What remains is a walk through these steps that visits every team
//! between a least and a most number of times. The smallest spread that admits one is found from below, and the walk
//! closest to list order slot by slot, each choice being tested for whether the rest can still be completed.

#![expect(clippy::indexing_slicing, reason = "slots and teams are indices into tables made for their number")]

use std::collections::HashSet;

use super::fair_matching::{Bounds, Matching, NONE, Teams, contains, members, only};

/// How much work proving a rotation may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// The most search nodes spent on one question before the exhaustive walk is asked instead.
    pub(super) branch: usize,
    /// The most search nodes spent on one rotation.
    pub(super) nodes: usize,
    /// The most states the exhaustive walks of one rotation may enter.
    pub(super) states: usize,
}

impl Budget {
    /// Returns the budget of a rotation. A node costs more the larger the rotation is, so that a larger one gets fewer;
    /// even the largest needs only about one node per slot unless it is contrived.
    pub(super) fn of(teams: usize, slots: usize) -> Self {
        let nodes = 72_000_000 / (teams * slots).max(1);
        Self { branch: 200, nodes: nodes.clamp(2_000, 30_000), states: 100_000 }
    }
}

/// Returns the best rotation over the candidates of each slot (none of them empty), or nothing when the budget is
/// spent before the best is proven.
pub(super) fn best(
    teams: usize,
    candidates: &[Vec<usize>],
    before: Option<usize>,
    budget: Budget,
) -> Option<Vec<usize>> {
    if candidates.is_empty() {
        return Some(Vec::new());
    }
    let mut search = Search::new(teams, candidates, before, budget);
    let bounds = search.smallest_spread()?;
    search.closest_to_list_order(bounds, before)
}

/// Whether a beginning can be completed within bounds.
enum Answer {
    Yes(Vec<usize>),
    No,
    Unknown,
}

/// One pair of bounds that may still hold, a rotation within them and the beginnings known to fail.
struct Hope {
    bounds: Bounds,
    witness: Option<Vec<usize>>,
    dead_ends: HashSet<(usize, usize, Vec<u16>)>,
}

struct Search {
    teams: usize,
    slots: usize,
    /// The teams that some rotation with the fewest back-to-back slots has in each slot.
    domain: Vec<Teams>,
    /// For each slot and team, the teams that may follow it in the next slot.
    follow: Vec<Vec<Teams>>,
    /// For each slot, the teams that may follow themselves in the next.
    repeat: Vec<Teams>,
    /// For each slot and team, how often the team can be on duty from that slot on.
    room: Vec<Vec<usize>>,
    /// What is left to spend.
    budget: Budget,
}

impl Search {
    fn new(teams: usize, candidates: &[Vec<usize>], before: Option<usize>, budget: Budget) -> Self {
        let slots = candidates.len();
        let open: Vec<Teams> =
            candidates.iter().map(|found| found.iter().fold(0, |set, &team| set | only(team))).collect();
        let far = slots + 1;
        // The fewest back-to-back slots up to, and after, each slot and team.
        let mut up_to = vec![vec![far; teams]; slots];
        let mut after = vec![vec![far; teams]; slots];
        for team in members(open[0]) {
            up_to[0][team] = usize::from(before == Some(team));
        }
        for team in members(open[slots - 1]) {
            after[slots - 1][team] = 0;
        }
        let cheapest = |costs: &[usize], team: usize| {
            let other = (0..teams).filter(|&other| other != team).map(|other| costs[other]).min();
            other.unwrap_or(far).min(costs[team] + 1)
        };
        for slot in 1..slots {
            for team in members(open[slot]) {
                up_to[slot][team] = cheapest(&up_to[slot - 1], team);
            }
        }
        for slot in (0..slots - 1).rev() {
            for team in members(open[slot]) {
                after[slot][team] = cheapest(&after[slot + 1], team);
            }
        }
        let fewest = up_to[slots - 1].iter().copied().min().unwrap_or(far);
        let domain: Vec<Teams> = (0..slots)
            .map(|slot| {
                members(open[slot])
                    .filter(|&team| up_to[slot][team] + after[slot][team] == fewest)
                    .fold(0, |set, team| set | only(team))
            })
            .collect();
        let mut follow = vec![vec![0; teams]; slots];
        let mut repeat = vec![0; slots];
        for slot in 0..slots - 1 {
            for team in members(domain[slot]) {
                follow[slot][team] = members(domain[slot + 1])
                    .filter(|&next| {
                        up_to[slot][team] + usize::from(next == team) + after[slot + 1][next] == fewest
                    })
                    .fold(0, |set, next| set | only(next));
                repeat[slot] |= follow[slot][team] & only(team);
            }
        }
        let mut room = vec![vec![0; teams]; slots + 1];
        for slot in (0..slots).rev() {
            let further: Vec<usize> = (0..teams)
                .map(|team| match (contains(domain[slot], team), contains(repeat[slot], team)) {
                    (false, _) => room[slot + 1][team],
                    (true, false) if slot + 1 < slots => room[slot + 1][team].max(room[slot + 2][team] + 1),
                    (true, _) => room[slot + 1][team] + 1,
                })
                .collect();
            room[slot] = further;
        }
        Self { teams, slots, domain, follow, repeat, room, budget }
    }

    /// Finds the smallest spread and all bounds of that spread within which a rotation may exist.
    fn smallest_spread(&mut self) -> Option<Vec<Hope>> {
        let average = self.slots / self.teams;
        for spread in 0..=self.slots {
            let mut hopes = Vec::new();
            let mut proven = false;
            for least in 0..=average {
                let bounds = Bounds { least, most: least + spread };
                if bounds.most * self.teams < self.slots {
                    continue;
                }
                let mut hope = Hope { bounds, witness: None, dead_ends: HashSet::new() };
                match self.completes(&mut hope, &[]) {
                    Answer::Yes(witness) => {
                        proven = true;
                        hope.witness = Some(witness);
                        hopes.push(hope);
                    }
                    Answer::No => {}
                    Answer::Unknown => hopes.push(hope),
                }
            }
            if !hopes.is_empty() {
                return proven.then_some(hopes);
            }
        }
        None
    }

    /// Fixes slot after slot to the first team in list order with which a rotation within some bounds exists.
    fn closest_to_list_order(&mut self, mut hopes: Vec<Hope>, before: Option<usize>) -> Option<Vec<usize>> {
        let mut beginning: Vec<usize> = Vec::with_capacity(self.slots);
        for slot in 0..self.slots {
            let previous = beginning.last().copied();
            let allowed = match previous {
                Some(team) => self.domain[slot] & self.follow[slot - 1][team],
                None => self.domain[slot],
            };
            let top = previous.or(before).map_or(0, |team| team + 1);
            let mut chosen = None;
            let teams = self.teams;
            for team in (top..top + teams).map(|team| team % teams) {
                if !contains(allowed, team) {
                    continue;
                }
                beginning.push(team);
                if self.any_completes(&mut hopes, &beginning)? {
                    chosen = Some(team);
                    break;
                }
                beginning.pop();
            }
            chosen?;
            // Bounds that this choice rules out must not be asked again.
            let mut kept = Vec::with_capacity(hopes.len());
            for mut hope in hopes {
                if hope.witness.as_ref().is_some_and(|witness| witness[..=slot] == beginning) {
                    kept.push(hope);
                    continue;
                }
                match self.completes(&mut hope, &beginning) {
                    Answer::Yes(witness) => kept.push(Hope { witness: Some(witness), ..hope }),
                    Answer::No => {}
                    Answer::Unknown => kept.push(Hope { witness: None, ..hope }),
                }
            }
            hopes = kept;
        }
        Some(beginning)
    }

    /// Tells whether a beginning can be completed within any of the bounds, or nothing when that stays unknown.
    fn any_completes(&mut self, hopes: &mut [Hope], beginning: &[usize]) -> Option<bool> {
        let follows = |hope: &Hope| {
            hope.witness.as_ref().is_some_and(|witness| witness[..beginning.len()] == *beginning)
        };
        if hopes.iter().any(follows) {
            return Some(true);
        }
        let mut unknown = false;
        for hope in hopes {
            match self.completes(hope, beginning) {
                Answer::Yes(witness) => {
                    hope.witness = Some(witness);
                    return Some(true);
                }
                Answer::No => {}
                Answer::Unknown => unknown = true,
            }
        }
        (!unknown).then_some(false)
    }

    /// Tells whether a beginning can be completed within the bounds.
    fn completes(&mut self, hope: &mut Hope, beginning: &[usize]) -> Answer {
        let mut domain = self.domain.clone();
        let mut counts = vec![0u16; self.teams];
        for (slot, &team) in beginning.iter().enumerate() {
            domain[slot] = only(team);
            counts[team] += 1;
        }
        if counts.iter().any(|&count| usize::from(count) > hope.bounds.most) {
            return Answer::No;
        }
        let mut budget = self.budget.branch;
        let start = hope.witness.clone().unwrap_or_else(|| vec![NONE; self.slots]);
        match self.branch(domain, start, hope.bounds, &mut budget) {
            Answer::Unknown => {}
            answer => return answer,
        }
        let mut path = beginning.to_vec();
        match self.walk(&mut path, &mut counts, hope.bounds, &mut hope.dead_ends) {
            Some(true) => Answer::Yes(path),
            Some(false) => Answer::No,
            None => Answer::Unknown,
        }
    }

    /// Looks for a rotation within the domains by matching slots to teams and splitting on what the matching, which
    /// sees only every other pair of neighbours, gets wrong.
    fn branch(
        &mut self,
        mut domain: Vec<Teams>,
        start: Vec<usize>,
        bounds: Bounds,
        budget: &mut usize,
    ) -> Answer {
        if *budget == 0 || self.budget.nodes == 0 {
            return Answer::Unknown;
        }
        *budget -= 1;
        self.budget.nodes -= 1;
        if !self.narrow(&mut domain, bounds) {
            return Answer::No;
        }
        let mut matching = Matching::new(&domain, &self.repeat, self.teams, bounds);
        if !matching.complete(start, &self.follow) {
            return Answer::No;
        }
        matching.untangle(&self.follow);
        let clash = (0..self.slots - 1)
            .filter(|&slot| !contains(self.follow[slot][matching.team_of[slot]], matching.team_of[slot + 1]))
            .flat_map(|slot| [slot, slot + 1])
            .filter(|&slot| domain[slot].count_ones() > 1)
            .min_by_key(|&slot| domain[slot].count_ones());
        let team_of = matching.team_of;
        let Some(slot) = clash else {
            // A clash between two decided slots cannot be: narrowing has removed it.
            return Answer::Yes(team_of);
        };
        let team = only(team_of[slot]);
        let mut unknown = false;
        for choice in [domain[slot] & !team, team] {
            let mut narrower = domain.clone();
            narrower[slot] = choice;
            match self.branch(narrower, team_of.clone(), bounds, budget) {
                Answer::No => {}
                Answer::Unknown => unknown = true,
                found @ Answer::Yes(_) => return found,
            }
        }
        if unknown { Answer::Unknown } else { Answer::No }
    }

    /// Removes the teams that no walk through the domains can have; tells whether any walk is left.
    fn narrow(&self, domain: &mut [Teams], bounds: Bounds) -> bool {
        loop {
            for slot in 1..self.slots {
                let reached =
                    members(domain[slot - 1]).fold(0, |set, team| set | self.follow[slot - 1][team]);
                domain[slot] &= reached;
            }
            for slot in (0..self.slots - 1).rev() {
                let next = domain[slot + 1];
                domain[slot] = members(domain[slot])
                    .filter(|&team| self.follow[slot][team] & next != 0)
                    .fold(0, |set, team| set | only(team));
            }
            if domain.contains(&0) {
                return false;
            }
            let mut decided = vec![0; self.teams];
            for set in domain.iter().filter(|set| set.is_power_of_two()) {
                for team in members(*set) {
                    decided[team] += 1;
                }
            }
            if decided.iter().any(|&count| count > bounds.most) {
                return false;
            }
            let full = (0..self.teams)
                .filter(|&team| decided[team] == bounds.most)
                .fold(0, |set, team| set | only(team));
            let mut changed = false;
            for set in domain.iter_mut().filter(|set| !set.is_power_of_two() && **set & full != 0) {
                *set &= !full;
                changed = true;
            }
            if !changed {
                return true;
            }
        }
    }

    /// Walks through the slots and remembers the dead ends by what the rest depends on: slot, team and counts. It is
    /// the method for few teams, where long alternations defeat the matching.
    fn walk(
        &mut self,
        path: &mut Vec<usize>,
        counts: &mut [u16],
        bounds: Bounds,
        dead_ends: &mut HashSet<(usize, usize, Vec<u16>)>,
    ) -> Option<bool> {
        let slot = path.len();
        let left = self.slots - slot;
        let mut owed = 0;
        let mut space = 0;
        for (team, &count) in counts.iter().enumerate() {
            let count = usize::from(count);
            if count + self.room[slot][team] < bounds.least {
                return Some(false);
            }
            owed += bounds.least.saturating_sub(count);
            space += (bounds.most - count).min(self.room[slot][team]);
        }
        if owed > left || space < left {
            return Some(false);
        }
        if left == 0 {
            return Some(true);
        }
        let last = path.last().copied();
        let state = (slot, last.unwrap_or(NONE), counts.to_vec());
        if dead_ends.contains(&state) {
            return Some(false);
        }
        if self.budget.states == 0 {
            return None;
        }
        self.budget.states -= 1;
        let allowed = last.map_or(self.domain[slot], |team| self.domain[slot] & self.follow[slot - 1][team]);
        let mut order: Vec<usize> =
            members(allowed).filter(|&team| usize::from(counts[team]) < bounds.most).collect();
        order.sort_by_key(|&team| self.room[slot][team] + usize::from(counts[team]));
        for team in order {
            path.push(team);
            counts[team] += 1;
            let found = self.walk(path, counts, bounds, dead_ends);
            counts[team] -= 1;
            if found != Some(false) {
                return found;
            }
            path.pop();
        }
        dead_ends.insert(state);
        Some(false)
    }
}
