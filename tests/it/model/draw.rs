//! What is asked next: mostly something that somebody could do now, told from the model, and else something slightly or
//! wholly wrong.

use concord_entities::{
    escalation,
    evidence::Stage,
    follow_up,
    problem::{State, Tier},
    problem_responsible::PartState,
    seat::Role,
};

use super::{
    list::{At, List},
    town::{COUNTY, Command, Expect, Power, TOWN, UNITS, Verb},
};

/// A stream of choices that one number determines.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let most = u64::try_from(most.max(1)).expect("it fits");
        usize::try_from((mixed ^ (mixed >> 31)) % most).expect("it fits")
    }

    pub fn one_in(&mut self, most: usize) -> bool {
        self.below(most) == 0
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// How often each verb is tried where it can be taken: what leads on comes first.
const WEIGHTS: [(&str, usize); 34] = [
    ("triageProblem", 30),
    ("assignProblem", 40),
    ("recallProblem", 2),
    ("acceptProblem", 30),
    ("declineProblem", 5),
    ("startProblem", 30),
    ("reassignProblem", 3),
    ("holdProblem", 4),
    ("resumeProblem", 20),
    ("moveProblemTier", 2),
    ("submitProblem", 40),
    ("verifyProblem", 40),
    ("returnProblem", 6),
    ("signOffProblem", 40),
    ("strikeOffProblem", 40),
    ("rejectProblem", 1),
    ("withdrawProblem", 1),
    ("reopenProblem", 10),
    ("mergeProblem", 8),
    ("escalateProblem", 4),
    ("recallEscalation", 6),
    ("returnEscalation", 3),
    ("addProblemPart", 5),
    ("removeProblemPart", 4),
    ("acceptProblemPart", 24),
    ("declineProblemPart", 6),
    ("startProblemPart", 24),
    ("finishProblemPart", 30),
    ("reopenProblemPart", 14),
    ("addEvidence", 14),
    ("requestFollowUp", 16),
    ("recordFollowUpTry", 8),
    ("recordFollowUp", 8),
    ("updateProblem", 1),
];

const TIERS: [Tier; 3] = [Tier::Small, Tier::Big, Tier::Hard];

/// A verb of this name, about a problem, with whatever belongs to it; nothing where nothing fits.
fn verb(list: &List, name: &str, on: usize, dice: &mut Dice) -> Option<Verb> {
    let problem = &list.problems[on];
    // Rather one that has people to do the work.
    let staffed: &[usize] = if problem.row.list == COUNTY { &[4] } else { &[1, 2, 3] };
    let unit = |dice: &mut Dice| match dice.below(12) {
        0 => dice.below(UNITS),
        1 | 2 => dice.of(super::town::MEMBERS[problem.row.list]),
        _ => dice.of(staffed),
    };
    let part = |dice: &mut Dice| {
        let parts: Vec<usize> = problem.parts.keys().copied().collect();
        if parts.is_empty() || dice.one_in(12) { dice.below(UNITS) } else { dice.of(&parts) }
    };
    // The unit's own people, most of the time.
    let colleague = |dice: &mut Dice| {
        let all: Vec<usize> = (0..list.people.len())
            .filter(|who| {
                let seats = &list.people[*who].1;
                seats.iter().any(|seat| seat.0 == problem.row.list && seat.2 == problem.row.lead)
            })
            .collect();
        if all.is_empty() || dice.one_in(6) { dice.below(list.people.len()) } else { dice.of(&all) }
    };
    Some(match name {
        "triageProblem" => Verb::Triage { tier: dice.of(&TIERS), reason: !dice.one_in(4) },
        "assignProblem" => {
            let lead = unit(dice);
            let joint = match dice.below(10) {
                0..=4 => Vec::new(),
                5..=8 => vec![unit(dice)],
                _ => vec![unit(dice), unit(dice)],
            };
            let mut joint: Vec<usize> =
                joint.into_iter().filter(|one| *one != lead || dice.one_in(9)).collect();
            joint.sort_unstable();
            joint.dedup();
            Verb::Assign { lead, joint }
        }
        "recallProblem" => Verb::Recall,
        "acceptProblem" => Verb::Accept,
        "declineProblem" => Verb::Decline { proposed: if dice.one_in(2) { Some(unit(dice)) } else { None } },
        "startProblem" => Verb::Start { handler: if dice.one_in(3) { Some(colleague(dice)) } else { None } },
        "reassignProblem" => Verb::Reassign { handler: colleague(dice) },
        "holdProblem" => Verb::Hold { unit: if dice.one_in(2) { Some(unit(dice)) } else { None } },
        "resumeProblem" => Verb::Resume,
        "moveProblemTier" => Verb::MoveTier { tier: dice.of(&TIERS) },
        "submitProblem" => Verb::Submit,
        "verifyProblem" => Verb::Verify,
        "returnProblem" => Verb::Return,
        "signOffProblem" => Verb::SignOff,
        "strikeOffProblem" => Verb::StrikeOff,
        "rejectProblem" => Verb::Reject,
        "withdrawProblem" => Verb::Withdraw,
        "reopenProblem" => Verb::Reopen,
        "mergeProblem" => {
            let fits = |place: &usize| {
                let other = &list.problems[*place].row;
                let goes_on = other.is_open && other.state != State::Escalated;
                *place != on && goes_on && other.list == problem.row.list
            };
            let all: Vec<usize> = (0..list.problems.len()).filter(fits).collect();
            let into = if all.is_empty() || dice.one_in(6) {
                dice.below(list.problems.len())
            } else {
                dice.of(&all)
            };
            Verb::Merge { into }
        }
        "escalateProblem" => Verb::Escalate,
        "recallEscalation" => Verb::RecallEscalation,
        "returnEscalation" => Verb::ReturnEscalation,
        "addProblemPart" => Verb::AddPart { unit: unit(dice) },
        "removeProblemPart" => Verb::RemovePart { unit: part(dice) },
        "acceptProblemPart" => Verb::AcceptPart { unit: part(dice) },
        "declineProblemPart" => Verb::DeclinePart { unit: part(dice) },
        "startProblemPart" => Verb::StartPart { unit: part(dice) },
        "finishProblemPart" => Verb::FinishPart { unit: part(dice) },
        "reopenProblemPart" => Verb::ReopenPart { unit: part(dice) },
        "addEvidence" => Verb::Prove { stage: if dice.one_in(6) { Stage::Progress } else { Stage::Closure } },
        "requestFollowUp" => {
            let reporter = if dice.one_in(2) { Some(dice.below(list.problems.len())) } else { None };
            Verb::Ask { reporter }
        }
        "recordFollowUpTry" | "recordFollowUp" => {
            let due: Vec<usize> = (0..list.asked.len())
                .filter(|place| list.asked[*place].state == follow_up::State::Due)
                .collect();
            let asked =
                if due.is_empty() || dice.one_in(12) { dice.below(list.asked.len()) } else { dice.of(&due) };
            if list.asked.is_empty() {
                return None;
            } else if name == "recordFollowUp" {
                Verb::Answer { asked, satisfied: dice.one_in(3) }
            } else {
                Verb::Try { asked }
            }
        }
        _ => Verb::Rename,
    })
}

fn settle(list: &List, dice: &mut Dice) -> Command {
    let verb = Verb::Settle {
        sign_offs: i32::try_from(dice.below(3)).expect("it fits") + 1,
        objection_hours: dice.of(&[0, 24, 48]),
        asks: dice.one_in(2),
    };
    let who = list.people.iter().position(|(name, _)| *name == "committee").expect("the committee");
    Command { who, on: 0, verb, expect: Expect::Current, said: true }
}

fn register(list: &List, dice: &mut Dice) -> Command {
    let place = if dice.one_in(12) { COUNTY } else { TOWN };
    let verb = Verb::Register { list: place, known: !dice.one_in(4) };
    let may = |who: &usize| {
        let seats = &list.people[*who].1;
        seats.iter().any(|seat| seat.0 == place && verb.power(seat.1) == Power::All)
    };
    let all: Vec<usize> = (0..list.people.len()).filter(may).collect();
    Command { who: dice.of(&all), on: 0, verb, expect: Expect::Nothing, said: true }
}

/// A problem to go on with: rather one that is open, rather the one above than the one that waits for it.
fn problem(list: &List, dice: &mut Dice) -> usize {
    let above = |place: usize| {
        list.links.iter().any(|link| link.above == place && link.state == escalation::State::Open)
    };
    let mut all: Vec<usize> = Vec::new();
    for (place, problem) in list.problems.iter().enumerate() {
        let times = match problem.row.state {
            State::Escalated => 1,
            State::StruckOff => 2,
            _ if above(place) => 12,
            _ if problem.row.is_open => 6,
            _ => 0,
        };
        all.extend(std::iter::repeat_n(place, times));
    }
    if all.is_empty() || dice.one_in(16) { dice.below(list.problems.len()) } else { dice.of(&all) }
}

/// Something that somebody may do now.
fn sensible(list: &List, dice: &mut Dice, now: At) -> Command {
    fitting(list, dice, now, |refusals| refusals.is_empty())
}

/// Something for which only the matter itself is not ready, or the person not the right one.
fn bold(list: &List, dice: &mut Dice, now: At) -> Command {
    let before = |code: &&str| ["FORBIDDEN", "NOT_FOUND", "REQUIRED"].contains(code);
    fitting(list, dice, now, |refusals| !refusals.is_empty() && !refusals.iter().any(before))
}

/// A step that the state of its problem allows, by somebody for whom the model says what is wanted.
fn fitting(list: &List, dice: &mut Dice, now: At, wanted: impl Fn(&[&'static str]) -> bool) -> Command {
    let open = list.problems.iter().filter(|problem| problem.row.is_open).count();
    if open == 0 || (list.problems.len() < 4 && dice.one_in(18)) {
        return register(list, dice);
    }
    for _ in 0..12 {
        let on = problem(list, dice);
        let state = list.problems[on].row.state;
        let has = |name: &str| match name {
            "acceptProblemPart" | "declineProblemPart" | "startProblemPart" | "finishProblemPart"
            | "reopenProblemPart" | "removeProblemPart" => !list.problems[on].parts.is_empty(),
            "recordFollowUpTry" | "recordFollowUp" => !list.asked.is_empty(),
            _ => true,
        };
        let mut all = Vec::new();
        let mut whole = 0;
        for (name, weight) in WEIGHTS.iter().filter(|(name, _)| has(name)) {
            let Some(verb) = verb(list, name, on, dice) else { continue };
            if verb.from().is_none_or(|states| states.contains(&state)) {
                let weight = match (&verb, state) {
                    // What was judged is seldom judged again.
                    (Verb::Triage { .. }, State::Triaged) => 2,
                    // Few problems come so far.
                    (Verb::Merge { .. }, State::Submitted | State::Verified) => 8 * weight,
                    _ => *weight,
                };
                whole += weight;
                all.push((verb, weight));
            }
        }
        let mut place = dice.below(whole);
        let chosen = all.into_iter().find(|(_, weight)| {
            let found = place < *weight;
            place = place.saturating_sub(*weight);
            found
        });
        let Some((verb, _)) = chosen else { continue };
        let expect = if dice.one_in(2) { Expect::Current } else { Expect::Nothing };
        // A part waits for evidence of its own unit.
        let bring = |who: &usize| {
            let parts = &list.problems[on].parts;
            list.people[*who].1.iter().any(|seat| {
                seat.2
                    .and_then(|unit| parts.get(&unit))
                    .is_some_and(|part| part.state == PartState::InProgress)
            })
        };
        let bringers: Vec<usize> = match verb {
            Verb::Prove { .. } => (0..list.people.len()).filter(bring).collect(),
            _ => Vec::new(),
        };
        let first = if bringers.is_empty() || dice.one_in(4) {
            dice.below(list.people.len())
        } else {
            dice.of(&bringers)
        };
        for step in 0..list.people.len() {
            let who = (first + step) % list.people.len();
            let command = Command { who, on, verb: verb.clone(), expect, said: true };
            if wanted(&list.refusals(&command, now)) {
                return command;
            }
        }
    }
    register(list, dice)
}

/// Something with a mistake in it.
fn spoiled(list: &List, dice: &mut Dice, now: At) -> Command {
    let mut command = sensible(list, dice, now);
    match dice.below(4) {
        0 => command.expect = Expect::Stale,
        1 => command.said = false,
        2 if !list.problems.is_empty() => command.on = dice.below(list.problems.len()),
        _ => command.who = dice.below(list.people.len()),
    }
    command
}

/// What is asked next.
pub fn command(list: &List, dice: &mut Dice, now: At) -> Command {
    match dice.below(100) {
        0..=60 => sensible(list, dice, now),
        61 => settle(list, dice),
        62..=78 => bold(list, dice, now),
        79..=89 => spoiled(list, dice, now),
        _ if list.problems.is_empty() => register(list, dice),
        _ => {
            let on = problem(list, dice);
            let (name, _) = dice.of(&WEIGHTS);
            let verb = verb(list, name, on, dice).unwrap_or(Verb::Rename);
            // Somebody whose role has the power, more often than not.
            let mut who = dice.below(list.people.len());
            let may = |who: usize| {
                list.people[who]
                    .1
                    .iter()
                    .any(|(_, role, _): &(usize, Role, _)| verb.power(*role) != Power::Never)
            };
            for _ in 0..6 {
                if !may(who) {
                    who = dice.below(list.people.len());
                }
            }
            let expect = dice.of(&[Expect::Nothing, Expect::Nothing, Expect::Current, Expect::Stale]);
            Command { who, on, verb, expect, said: !dice.one_in(10) }
        }
    }
}
