//! The matching of slots to teams with which the fair rotation's search prunes.
//! It sees how often each team may be on duty and every other pair of neighbouring slots; whether all neighbours get on
//! is for the search to settle.

#![expect(clippy::indexing_slicing, reason = "slots and teams are indices into tables made for their number")]

/// Marks a slot without a team.
pub(super) const NONE: usize = usize::MAX;

/// A set of teams.
pub(super) type Teams = u128;

/// The least and the most slots a team may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) least: usize,
    pub(super) most: usize,
}

/// Lists the teams of a set in list order.
pub(super) fn members(set: Teams) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        let team = usize::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0)?;
        rest &= rest - 1;
        Some(team)
    })
}

/// Returns the set of one team.
pub(super) fn only(team: usize) -> Teams {
    1 << team
}

/// Tells whether a team is in a set.
pub(super) fn contains(set: Teams, team: usize) -> bool {
    set >> team & 1 == 1
}

/// An assignment of slots to teams within the bounds, as a flow. Of two neighbouring slots that form a pair for a team,
/// the team can have only one; longer stretches are cut into such pairs, which is exact for how often the team can be
/// on duty in the stretch.
pub(super) struct Matching<'a> {
    domain: &'a [Teams],
    bounds: Bounds,
    /// For each slot, the teams for which it is the second of a pair.
    second: Vec<Teams>,
    /// The team of each slot.
    pub(super) team_of: Vec<usize>,
    count: Vec<usize>,
}

impl<'a> Matching<'a> {
    /// Prepares an empty assignment; `repeat` holds, for each slot, the teams that may follow themselves in the next.
    pub(super) fn new(domain: &'a [Teams], repeat: &[Teams], teams: usize, bounds: Bounds) -> Self {
        let mut second: Vec<Teams> = vec![0; domain.len()];
        for slot in 1..domain.len() {
            second[slot] = domain[slot] & domain[slot - 1] & !repeat[slot - 1] & !second[slot - 1];
        }
        let (team_of, count) = (vec![NONE; domain.len()], vec![0; teams]);
        Self { domain, bounds, second, team_of, count }
    }

    /// Returns the other slot of the team's pair.
    fn partner(&self, slot: usize, team: usize) -> Option<usize> {
        if contains(self.second[slot], team) {
            Some(slot - 1)
        } else {
            Some(slot + 1).filter(|&next| next < self.second.len() && contains(self.second[next], team))
        }
    }

    /// Returns the other slot of the pair when the team already has it.
    fn occupant(&self, slot: usize, team: usize) -> Option<usize> {
        self.partner(slot, team).filter(|&partner| self.team_of[partner] == team)
    }

    /// Assigns all slots within the bounds, beginning with what still holds of an earlier assignment.
    pub(super) fn complete(&mut self, start: Vec<usize>, follow: &[Vec<Teams>]) -> bool {
        for (slot, team) in start.into_iter().enumerate() {
            if team != NONE && contains(self.domain[slot], team) {
                self.take(slot, team);
            }
        }
        for slot in 0..self.domain.len() {
            if self.team_of[slot] != NONE {
                continue;
            }
            let teams = self.count.len();
            let previous = slot.checked_sub(1).map(|slot| self.team_of[slot]);
            let reached =
                previous.map_or(self.domain[slot], |team| self.domain[slot] & follow[slot - 1][team]);
            let top = previous.map_or(0, |team| team + 1);
            if let Some(team) = (top..top + teams)
                .map(|team| team % teams)
                .filter(|&team| contains(reached, team))
                .min_by_key(|&team| self.count[team])
            {
                self.take(slot, team);
            }
            if self.team_of[slot] == NONE && !self.fill(slot) {
                return false;
            }
        }
        (0..self.count.len()).all(|team| {
            while self.count[team] < self.bounds.least {
                if !self.raise(team) {
                    return false;
                }
            }
            true
        })
    }

    /// Assigns a free slot to a team where nothing stands against it.
    fn take(&mut self, slot: usize, team: usize) {
        if self.count[team] < self.bounds.most && self.occupant(slot, team).is_none() {
            self.team_of[slot] = team;
            self.count[team] += 1;
        }
    }

    /// Assigns a free slot by moving others along.
    fn fill(&mut self, slot: usize) -> bool {
        let mut displaced_by = vec![NONE; self.domain.len()];
        let mut seen = vec![false; self.domain.len()];
        let mut seen_teams: Teams = 0;
        let mut queue = vec![slot];
        seen[slot] = true;
        let mut head = 0;
        while let Some(&current) = queue.get(head) {
            head += 1;
            for team in members(self.domain[current]) {
                if team == self.team_of[current] {
                    continue;
                }
                if let Some(partner) = self.occupant(current, team) {
                    if !seen[partner] {
                        seen[partner] = true;
                        displaced_by[partner] = current;
                        queue.push(partner);
                    }
                    continue;
                }
                if contains(seen_teams, team) {
                    continue;
                }
                seen_teams |= only(team);
                if self.count[team] < self.bounds.most {
                    self.count[team] += 1;
                    let (mut moved, mut taken) = (current, team);
                    while moved != NONE {
                        taken = std::mem::replace(&mut self.team_of[moved], taken);
                        moved = displaced_by[moved];
                    }
                    return true;
                }
                for other in 0..self.domain.len() {
                    if self.team_of[other] == team && !seen[other] {
                        seen[other] = true;
                        displaced_by[other] = current;
                        queue.push(other);
                    }
                }
            }
        }
        false
    }

    /// Gives a team one more slot at the cost of one that has more than the least.
    fn raise(&mut self, poor: usize) -> bool {
        let mut new_team = vec![NONE; self.domain.len()];
        let mut moves_after = vec![NONE; self.domain.len()];
        let mut seen_teams = only(poor);
        let mut queue = Vec::new();
        self.takers(poor, NONE, &mut new_team, &mut moves_after, &mut queue);
        let mut head = 0;
        while let Some(&current) = queue.get(head) {
            head += 1;
            let left = self.team_of[current];
            if !contains(seen_teams, left) {
                seen_teams |= only(left);
                if self.count[left] > self.bounds.least {
                    self.count[left] -= 1;
                    self.count[poor] += 1;
                    let mut moved = current;
                    while moved != NONE {
                        self.team_of[moved] = new_team[moved];
                        moved = moves_after[moved];
                    }
                    return true;
                }
                self.takers(left, current, &mut new_team, &mut moves_after, &mut queue);
            }
            if let Some(partner) = self.partner(current, left)
                && new_team[partner] == NONE
                && self.team_of[partner] != left
            {
                new_team[partner] = left;
                moves_after[partner] = current;
                queue.push(partner);
            }
        }
        false
    }

    /// Queues the slots that a team could take over.
    fn takers(
        &self,
        team: usize,
        after: usize,
        new_team: &mut [usize],
        moves_after: &mut [usize],
        queue: &mut Vec<usize>,
    ) {
        for slot in 0..self.domain.len() {
            if new_team[slot] == NONE
                && contains(self.domain[slot], team)
                && self.team_of[slot] != team
                && self.occupant(slot, team).is_none()
            {
                new_team[slot] = team;
                moves_after[slot] = after;
                queue.push(slot);
            }
        }
    }

    /// Removes what clashes between neighbours by exchanging two slots or moving one, as long as that helps.
    pub(super) fn untangle(&mut self, follow: &[Vec<Teams>]) {
        let slots = self.domain.len();
        let clashes = |team_of: &[usize], one: usize, two: usize| {
            let at =
                |slot: usize| slot + 1 < slots && !contains(follow[slot][team_of[slot]], team_of[slot + 1]);
            let places = [one.checked_sub(1), Some(one), two.checked_sub(1), Some(two)];
            (0..places.len())
                .filter(|&index| !places[..index].contains(&places[index]))
                .filter(|&index| places[index].is_some_and(at))
                .count()
        };
        let mut slot = 0;
        while slot < slots {
            let mut helped = false;
            if clashes(&self.team_of, slot, slot) > 0 {
                for other in (0..slots).filter(|&other| other != slot) {
                    let (here, there) = (self.team_of[slot], self.team_of[other]);
                    if here == there
                        || !contains(self.domain[slot], there)
                        || !contains(self.domain[other], here)
                    {
                        continue;
                    }
                    let before = clashes(&self.team_of, slot, other);
                    self.team_of.swap(slot, other);
                    if clashes(&self.team_of, slot, other) < before {
                        helped = true;
                        break;
                    }
                    self.team_of.swap(slot, other);
                }
                let here = self.team_of[slot];
                if !helped && self.count[here] > self.bounds.least {
                    for team in members(self.domain[slot]).filter(|&team| team != here) {
                        let before = clashes(&self.team_of, slot, slot);
                        self.team_of[slot] = team;
                        if self.count[team] < self.bounds.most && clashes(&self.team_of, slot, slot) < before
                        {
                            self.count[here] -= 1;
                            self.count[team] += 1;
                            helped = true;
                            break;
                        }
                        self.team_of[slot] = here;
                    }
                }
            }
            // Every help removes a clash, so going back to the beginning ends.
            slot = if helped { 0 } else { slot + 1 };
        }
    }
}
