//! What is asked next of the lists of the months: mostly something that somebody could do now, and else something slightly or
//! wholly wrong.

use concord_entities::{priority_task::State, task_list::State as Listed};

use super::{
    super::{
        draw::Dice,
        list::At,
        town::{Expect, UNITS},
    },
    Command, Verb,
    list::{FAR, Tasks},
};

/// How many lists and tasks one sequence begins with its own hands.
const LISTS: usize = 3;
const TASKS: usize = 5;

/// Whether the turn is with these lists: more often than not where there is one, and seldom before.
pub fn comes_next(tasks: &Tasks, is_first: bool, dice: &mut Dice) -> bool {
    let share = match (tasks.months.is_empty(), is_first) {
        (false, _) => 60,
        (true, true) => 20,
        (true, false) => 1,
    };
    dice.below(100) < share
}

/// The list of a month near the last one, now and then of one that has not begun.
fn draft(dice: &mut Dice) -> Verb {
    let near = u32::try_from(dice.below(4)).expect("it fits");
    Verb::DraftList { month: if dice.one_in(10) { FAR + near } else { near } }
}

fn write(dice: &mut Dice) -> Verb {
    // Rather a unit that has people to do the work.
    let unit = |dice: &mut Dice| if dice.one_in(12) { dice.below(UNITS) } else { dice.of(&[1, 2, 3]) };
    let lead = unit(dice);
    let joint = if dice.one_in(2) { vec![unit(dice)] } else { Vec::new() };
    let joint = joint.into_iter().filter(|one| *one != lead || dice.one_in(9)).collect();
    // Within the month, or later.
    Verb::Write { lead, joint, due_in: dice.of(&[0, 9, 27, 28, 29, 30, 45]) }
}

fn carry_over(tasks: &Tasks, dice: &mut Dice, on: usize) -> Verb {
    let later = |place: &usize| tasks.months[*place].on > tasks.months[on].on;
    let all: Vec<usize> = (0..tasks.months.len()).filter(later).collect();
    let to = match dice.below(12) {
        0 => Some(dice.below(tasks.months.len())),
        1..=5 if !all.is_empty() => Some(dice.of(&all)),
        _ => None,
    };
    Verb::CarryOver { to }
}

/// A step of a task that starts from this state, with how often it is taken: what leads on comes first.
fn steps(state: State, dice: &mut Dice) -> Vec<(Verb, usize)> {
    let percent = if dice.one_in(3) { None } else { i32::try_from(dice.below(101)).ok() };
    let (report, submit) = (Verb::Report { percent }, Verb::Submit { note: dice.one_in(2) });
    match state {
        State::Draft => vec![(Verb::Publish, 24), (Verb::Rename, 1), (Verb::Cancel, 2)],
        State::Published => vec![(Verb::Acknowledge, 40), (Verb::Rename, 1), (Verb::Cancel, 2)],
        State::Acknowledged => vec![(report, 36), (Verb::Cancel, 4)],
        State::InProgress => vec![(submit, 40), (report, 10), (Verb::Cancel, 8)],
        State::Submitted => vec![(Verb::Complete, 12), (Verb::Return, 14), (Verb::Cancel, 11)],
        State::Completed | State::Cancelled | State::CarriedOver => Vec::new(),
    }
}

/// Everything that some list or task allows, with how often it is chosen.
fn all(tasks: &Tasks, dice: &mut Dice) -> Vec<(usize, Verb, usize)> {
    let mut all = Vec::new();
    let few = tasks.tasks.iter().filter(|task| task.kept.carried_from.is_none()).count() < TASKS;
    for (on, month) in tasks.months.iter().enumerate() {
        if month.state == Listed::Draft {
            all.push((on, Verb::PublishList, 12));
        }
        if month.state != Listed::Closed && few {
            all.push((on, write(dice), 6));
        }
        let open = tasks.tasks.iter().filter(|task| task.row.list == on && task.row.is_open);
        // Few tasks come far.
        let ripe = open.map(|task| match task.row.state {
            State::Submitted => 16,
            State::InProgress => 11,
            State::Acknowledged => 5,
            _ => 3,
        });
        if month.state == Listed::Published {
            all.push((on, carry_over(tasks, dice, on), ripe.max().unwrap_or(1)));
        } else if month.state == Listed::Closed {
            all.push((on, carry_over(tasks, dice, on), 1));
        }
    }
    for (on, task) in tasks.tasks.iter().enumerate() {
        all.extend(steps(task.row.state, dice).into_iter().map(|(verb, weight)| (on, verb, weight)));
    }
    if tasks.months.len() < LISTS {
        all.push((0, draft(dice), 3));
    }
    all
}

/// Something of all that by somebody for whom the model says what is wanted.
fn fitting(tasks: &Tasks, dice: &mut Dice, now: At, wanted: impl Fn(&[&'static str]) -> bool) -> Command {
    let people = super::super::town::people().len();
    for _ in 0..12 {
        let all = all(tasks, dice);
        let mut place = dice.below(all.iter().map(|one| one.2).sum());
        let chosen = all.into_iter().find(|(.., weight)| {
            let found = place < *weight;
            place = place.saturating_sub(*weight);
            found
        });
        let Some((on, verb, _)) = chosen else { continue };
        let expect = if dice.one_in(2) { Expect::Current } else { Expect::Nothing };
        let first = dice.below(people);
        for step in 0..people {
            let who = (first + step) % people;
            let command = Command { who, on, verb: verb.clone(), expect, said: true };
            if wanted(&tasks.refusals(&command, now)) {
                return command;
            }
        }
    }
    Command { who: dice.below(people), on: 0, verb: draft(dice), expect: Expect::Nothing, said: true }
}

/// Something that somebody may do now.
fn sensible(tasks: &Tasks, dice: &mut Dice, now: At) -> Command {
    fitting(tasks, dice, now, |refusals| refusals.is_empty())
}

/// Whatever it is, by whomever it is.
fn wild(tasks: &Tasks, dice: &mut Dice) -> Command {
    let state =
        dice.of(&[State::Draft, State::Published, State::Acknowledged, State::InProgress, State::Submitted]);
    let of_task = !tasks.tasks.is_empty() && !dice.one_in(4);
    let (on, verb) = if of_task {
        let all = steps(state, dice);
        let place = dice.below(all.len());
        (dice.below(tasks.tasks.len()), all[place].0.clone())
    } else if tasks.months.is_empty() {
        (0, draft(dice))
    } else {
        let on = dice.below(tasks.months.len());
        let verb = match dice.below(4) {
            0 => Verb::PublishList,
            1 => write(dice),
            2 => draft(dice),
            _ => carry_over(tasks, dice, on),
        };
        (on, verb)
    };
    let who = dice.below(super::super::town::people().len());
    let expect = dice.of(&[Expect::Nothing, Expect::Nothing, Expect::Current, Expect::Stale]);
    Command { who, on, verb, expect, said: !dice.one_in(10) }
}

/// What is asked next.
pub fn command(tasks: &Tasks, dice: &mut Dice, now: At) -> Command {
    match dice.below(100) {
        0..=64 => sensible(tasks, dice, now),
        // Something for which only the matter itself is not ready.
        65..=74 => {
            let before = |code: &&str| ["FORBIDDEN", "NOT_FOUND", "REQUIRED"].contains(code);
            fitting(tasks, dice, now, |refusals| !refusals.is_empty() && !refusals.iter().any(before))
        }
        // Something with a mistake in it.
        75..=87 => {
            let mut command = sensible(tasks, dice, now);
            match dice.below(3) {
                0 => command.expect = Expect::Stale,
                1 => command.said = false,
                _ => command.who = dice.below(super::super::town::people().len()),
            }
            command
        }
        _ => wild(tasks, dice),
    }
}
