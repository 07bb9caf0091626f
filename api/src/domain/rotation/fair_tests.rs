//! Tests of the fair rotation, most of all against brute force; they hold no rules of their own.

use super::fair_search::Budget;
use super::*;
use proptest::prelude::*;

fn plan(problem: &Problem) -> Plan {
    match generate(problem) {
        Outcome::Plan(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn free(teams: usize, slots: usize) -> Problem {
    Problem { teams, slots, ..Problem::default() }
}

#[test]
fn without_constraints_the_list_is_followed() {
    let found = plan(&free(12, 24));
    assert_eq!(found.assignment, (0..24).map(|slot| slot % 12).collect::<Vec<_>>());
    assert_eq!(found.objective, Objective { back_to_back: 0, spread: 0 });
    let found = plan(&Problem { before: Some(4), ..free(12, 3) });
    assert_eq!(found.assignment, [5, 6, 7]);
}

#[test]
fn degenerate_problems_are_answered() {
    assert_eq!(plan(&free(3, 0)).assignment, Vec::<usize>::new());
    assert_eq!(plan(&free(0, 0)).objective, Objective { back_to_back: 0, spread: 0 });
    let lone = plan(&Problem { before: Some(0), ..free(1, 3) });
    assert_eq!((lone.assignment, lone.objective.back_to_back), (vec![0, 0, 0], 3));
    let nobody = EmptySlot { slot: 0, why: vec![Constraint::NoTeams] };
    assert_eq!(generate(&free(0, 1)), Outcome::Refused(Refusal { months: vec![nobody] }));
    assert_eq!(generate(&free(MAX_TEAMS + 1, 1)), Outcome::TooHard);
    assert_eq!(generate(&free(2, MAX_SLOTS + 1)), Outcome::TooHard);
    assert_eq!(plan(&free(MAX_TEAMS, MAX_SLOTS)).objective, Objective { back_to_back: 0, spread: 1 });
    // Constraints and a predecessor outside the plan say nothing about it.
    let outside = Problem {
        blocked: BTreeSet::from([(9, 0), (0, 9)]),
        fixed: BTreeMap::from([(9, 9)]),
        before: Some(9),
        ..free(2, 2)
    };
    assert_eq!(plan(&outside).assignment, [0, 1]);
}

#[test]
fn empty_months_are_refused_with_what_blocks_them() {
    let problem = Problem {
        blocked: BTreeSet::from([(0, 1), (1, 1), (0, 2), (1, 3)]),
        fixed: BTreeMap::from([(2, 0), (3, 0), (4, 7)]),
        ..free(2, 5)
    };
    let months = vec![
        EmptySlot { slot: 1, why: vec![Constraint::Blocked { team: 0 }, Constraint::Blocked { team: 1 }] },
        EmptySlot { slot: 2, why: vec![Constraint::HandAssignmentBlocked { team: 0 }] },
        EmptySlot { slot: 4, why: vec![Constraint::HandAssignmentUnknownTeam { team: 7 }] },
    ];
    assert_eq!(generate(&problem), Outcome::Refused(Refusal { months }));
}

#[test]
fn fewer_back_to_back_months_go_before_an_even_spread() {
    // Two months each would need team 2 in the first two months, one after the other.
    let early = Problem { blocked: (2..6).map(|slot| (2, slot)).collect(), ..free(3, 6) };
    let found = plan(&early);
    assert_eq!(found.assignment, [0, 2, 0, 1, 0, 1]);
    assert_eq!(found.objective, Objective { back_to_back: 0, spread: 2 });
    // What hand assignments force is taken, and the rest stays even before it stays in list order.
    let forced = Problem { fixed: BTreeMap::from([(1, 0), (2, 0)]), ..free(3, 6) };
    let found = plan(&forced);
    assert_eq!(found.assignment, [1, 0, 0, 2, 1, 2]);
    assert_eq!(found.objective, Objective { back_to_back: 1, spread: 0 });
}

#[test]
fn a_report_measures_gaps() {
    let report = fairness(&[0, 1, 1, 0, 5, 0], 3, Some(0));
    assert_eq!(report.back_to_back, [0, 2]);
    assert_eq!(report.spread, 3);
    let gaps: Vec<_> =
        report.teams.iter().map(|team| (team.slots, team.shortest_gap, team.longest_gap)).collect();
    assert_eq!(gaps, [(3, Some(1), Some(2)), (2, Some(0), Some(0)), (0, None, None)]);
}

/// What a complete plan is compared by: back-to-back slots, spread and steps down the list.
type Judgement = (usize, u32, Vec<usize>);

fn judged(problem: &Problem, assignment: &[usize]) -> Judgement {
    let mut previous = problem.before;
    let mut back_to_back = 0;
    let mut counts = vec![0u32; problem.teams];
    let mut keys = Vec::new();
    for &team in assignment {
        back_to_back += usize::from(previous == Some(team));
        counts[team] += 1;
        keys.push(previous.map_or(team, |previous| {
            let teams = i32::try_from(problem.teams).unwrap();
            let step = i32::try_from(team).unwrap() - i32::try_from(previous).unwrap() - 1;
            usize::try_from(step.rem_euclid(teams)).unwrap()
        }));
        previous = Some(team);
    }
    (back_to_back, counts.iter().max().unwrap() - counts.iter().min().unwrap(), keys)
}

/// Tries every assignment.
fn brute_force(problem: &Problem) -> Option<Vec<usize>> {
    let mut best: Option<(Judgement, Vec<usize>)> = None;
    let total = problem.teams.pow(u32::try_from(problem.slots).unwrap());
    for number in 0..total {
        let mut rest = number;
        let assignment: Vec<usize> = (0..problem.slots)
            .map(|_| {
                let team = rest % problem.teams;
                rest /= problem.teams;
                team
            })
            .collect();
        let allowed = assignment.iter().enumerate().all(|(slot, &team)| {
            !problem.blocked.contains(&(team, slot))
                && problem.fixed.get(&slot).is_none_or(|&fixed| fixed == team)
        });
        if allowed {
            let judgement = judged(problem, &assignment);
            if best.as_ref().is_none_or(|(known, _)| judgement < *known) {
                best = Some((judgement, assignment));
            }
        }
    }
    best.map(|(_, assignment)| assignment)
}

prop_compose! {
    fn problems(most_teams: usize, most_slots: usize)(
        teams in 1..=most_teams, slots in 0..=most_slots, density in 0u8..=9,
        dice in proptest::collection::vec(0u8..10, most_teams * most_slots),
        hands in proptest::collection::vec((0u8..40, 0usize..most_teams), most_slots),
        before in proptest::option::of(0usize..most_teams),
    ) -> Problem {
        let blocked = (0..teams)
            .flat_map(|team| (0..slots).map(move |slot| (team, slot)))
            .filter(|&(team, slot)| dice[team * most_slots + slot] < density)
            .collect();
        let fixed = hands
            .iter()
            .take(slots)
            .enumerate()
            .filter(|(_, (dice, team))| *dice < 4 && *team < teams)
            .map(|(slot, (_, team))| (slot, *team))
            .collect();
        Problem { teams, slots, blocked, fixed, before: before.filter(|&team| team < teams) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    #[test]
    fn small_plans_are_those_of_brute_force(problem in problems(4, 6)) {
        match generate(&problem) {
            Outcome::Plan(plan) => {
                let expected = brute_force(&problem);
                prop_assert_eq!(expected.as_ref(), Some(&plan.assignment));
                let (back_to_back, spread, _) = judged(&problem, &plan.assignment);
                prop_assert_eq!(usize::try_from(plan.objective.back_to_back).unwrap(), back_to_back);
                prop_assert_eq!(plan.objective.spread, spread);
            }
            Outcome::Refused(refusal) => {
                prop_assert_eq!(brute_force(&problem), None);
                // A month is refused exactly when it cannot be filled even alone.
                let alone = |slot: usize| (0..problem.teams).any(|team| {
                    !problem.blocked.contains(&(team, slot))
                        && problem.fixed.get(&slot).is_none_or(|&fixed| fixed == team)
                });
                let empty: Vec<usize> = (0..problem.slots).filter(|&slot| !alone(slot)).collect();
                prop_assert_eq!(refusal.months.iter().map(|month| month.slot).collect::<Vec<_>>(), empty);
                for month in &refusal.months {
                    let expected = match problem.fixed.get(&month.slot) {
                        Some(&team) => vec![Constraint::HandAssignmentBlocked { team }],
                        None => (0..problem.teams).map(|team| Constraint::Blocked { team }).collect(),
                    };
                    prop_assert_eq!(&month.why, &expected);
                }
            }
            Outcome::TooHard => prop_assert!(false, "a small problem was given up"),
        }
    }
}

/// Makes the same awkward problem from the same number.
fn awkward(teams: usize, slots: usize, blocks_of_ten: u64, hands: bool, seed: u64) -> Problem {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut dice = move |sides: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % sides
    };
    let mut problem = free(teams, slots);
    for slot in 0..slots {
        let spared = usize::try_from(dice(u64::try_from(teams).unwrap())).unwrap();
        for team in (0..teams).filter(|&team| team != spared) {
            if dice(10) < blocks_of_ten {
                problem.blocked.insert((team, slot));
            }
        }
        if hands && dice(6) == 0 {
            problem.fixed.insert(slot, spared);
        }
    }
    problem
}

#[test]
fn awkward_plans_are_found_and_respect_what_they_must() {
    for (teams, slots) in [(2, 60), (3, 60), (7, 60), (12, 24), (40, 60)] {
        for blocks in [2, 5, 8, 9] {
            for seed in 1..=4 {
                let problem = awkward(teams, slots, blocks, seed % 2 == 0, seed);
                let found = plan(&problem);
                for (slot, team) in found.assignment.iter().enumerate() {
                    assert!(!problem.blocked.contains(&(*team, slot)));
                    assert!(problem.fixed.get(&slot).is_none_or(|fixed| fixed == team));
                }
                assert_eq!(generate(&problem), Outcome::Plan(found));
            }
        }
    }
}

#[test]
fn both_ways_of_searching_agree() {
    let matching = Budget { branch: 10_000, nodes: 10_000, states: 0 };
    let walking = Budget { branch: 0, nodes: 0, states: 100_000 };
    for (teams, slots) in [(3, 24), (4, 16), (6, 12)] {
        for seed in 1..=40 {
            let problem = awkward(teams, slots, 3 + seed % 6, true, seed);
            let open: Vec<Vec<usize>> = (0..slots).map(|slot| candidates(&problem, slot)).collect();
            let expected = Some(plan(&problem).assignment);
            for budget in [matching, walking] {
                assert_eq!(fair_search::best(teams, &open, problem.before, budget), expected);
            }
        }
    }
}

#[test]
fn a_spent_budget_gives_up_instead_of_guessing() {
    let open = vec![vec![0, 1, 2]; 9];
    for (nodes, states) in [(0, 0), (0, 5), (1, 0)] {
        let budget = Budget { branch: 200, nodes, states };
        let blocked: Vec<Vec<usize>> = open
            .iter()
            .enumerate()
            .map(|(slot, teams)| teams[usize::from(slot % 2 == 0)..].to_vec())
            .collect();
        assert_eq!(fair_search::best(3, &blocked, None, budget), None);
    }
}
