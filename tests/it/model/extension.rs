//! More time: by when each unit is to be done, who asks for longer and who gives it. Told from the handbook and `docs/month`, never
//! from the product's tables. Nobody sets limits of their own here: a matter that is ordinary has seven days.

pub mod product;

use chrono::{Days, NaiveDate, TimeDelta};
use concord_entities::{extension::State, problem::State as ProblemState, seat::Role};
use sea_orm::ActiveEnum;

use super::{
    draw::Dice,
    list::{At, Events, List, Problem},
    town::{Expect, Seat},
};

/// How many days a matter may take.
const DAYS: u64 = 7;
/// How many days ahead a day may lie at most.
const MOST: u64 = 3_660;
/// The states in which somebody works on a problem.
const WORKED_ON: [ProblemState; 3] =
    [ProblemState::Assigned, ProblemState::Accepted, ProblemState::InProgress];

/// The day that it is in the town, and in the county.
pub fn day(at: At) -> NaiveDate {
    (at + TimeDelta::hours(8)).date_naive()
}

/// The instant at which a day is over there.
fn end_of(day: NaiveDate) -> At {
    let next = day.succ_opt().expect("a day");
    next.and_hms_opt(0, 0, 0).expect("midnight").and_utc() - TimeDelta::hours(8)
}

/// By when a unit is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    pub due_at: At,
}

impl Clock {
    /// Of a unit that becomes responsible: the deadline of one that declined, unless that has passed, and else the limit.
    pub fn begin(carried: Option<At>, now: At) -> Self {
        let carried = carried.filter(|due_at| *due_at > now);
        Self { due_at: carried.unwrap_or_else(|| end_of(day(now) + Days::new(DAYS))) }
    }

    /// Once a problem was held: the limit, and a day that was set, get every day back that began meanwhile. What had passed before
    /// stays passed.
    pub fn resumed(self, since: At, now: At) -> Self {
        let more = day(now) - day(since);
        if self.due_at <= since { self } else { Self { due_at: self.due_at + more } }
    }

    pub fn last_day(self) -> NaiveDate {
        day(self.due_at - TimeDelta::microseconds(1))
    }

    /// Why a day cannot be its end instead.
    fn refuses(self, until: NaiveDate, now: At) -> Option<&'static str> {
        let today = day(now);
        if !(today..=today + Days::new(MOST)).contains(&until) {
            Some("OUT_OF_RANGE")
        } else if until <= self.last_day() {
            Some("TOO_EARLY")
        } else {
            None
        }
    }
}

/// A request for more time.
#[derive(Clone, Debug, PartialEq)]
pub struct Extension {
    pub on: usize,
    pub round: i32,
    pub unit: usize,
    pub state: State,
    pub until: NaiveDate,
    pub asked_at: At,
    pub asked_by: Option<usize>,
    pub due_before: Option<At>,
    pub granted_until: Option<NaiveDate>,
    pub decided_at: Option<At>,
    pub decided_by: Option<usize>,
    pub version: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    Request { on: usize, until: NaiveDate },
    Grant { asked: usize, until: Option<NaiveDate> },
    Refuse { asked: usize },
}

#[derive(Clone, Debug)]
pub struct Command {
    pub who: usize,
    pub verb: Verb,
    pub expect: Expect,
    /// Whether words are given where words are wanted.
    pub said: bool,
}

impl Verb {
    pub fn mutation(&self) -> &'static str {
        match self {
            Self::Request { .. } => "requestExtension",
            Self::Grant { .. } => "grantExtension",
            Self::Refuse { .. } => "refuseExtension",
        }
    }
}

/// Every step, with each state that it starts from.
pub fn every_step() -> impl Iterator<Item = (&'static str, String)> {
    let asks = WORKED_ON.map(|state| ("requestExtension", state.to_value()));
    let decides = ["grantExtension", "refuseExtension"].map(|name| (name, State::Asked.to_value()));
    asks.into_iter().chain(decides)
}

fn is_worked_on(problem: &Problem) -> bool {
    WORKED_ON.contains(&problem.row.state)
}

impl List {
    /// The problem that a command is about.
    pub fn asked_of(&self, command: &Command) -> usize {
        match command.verb {
            Verb::Request { on, .. } => on,
            Verb::Grant { asked, .. } | Verb::Refuse { asked } => self.extensions[asked].on,
        }
    }

    /// From which state a step is taken.
    pub fn asked_from(&self, command: &Command) -> String {
        match command.verb {
            Verb::Request { on, .. } => self.problems[on].row.state.to_value(),
            Verb::Grant { asked, .. } | Verb::Refuse { asked } => self.extensions[asked].state.to_value(),
        }
    }

    /// The responsible unit for which somebody asks.
    fn asks_for(&self, who: usize, on: usize) -> Option<usize> {
        let Problem { row, clocks, .. } = &self.problems[on];
        let here = self.people[who].1.iter().filter(|(at, role, _)| {
            *at == row.list && matches!(role, Role::MemberManager | Role::MemberStaff)
        });
        here.filter_map(|(_, _, unit)| *unit).find(|unit| clocks.contains_key(unit))
    }

    /// Whether a request still concerns the assignment that it was made in.
    fn stands(&self, asked: &Extension) -> bool {
        let problem = &self.problems[asked.on];
        let of_lead = problem.row.assigned_at.filter(|_| problem.row.lead == Some(asked.unit));
        let assigned_at = of_lead.or(problem.parts.get(&asked.unit).map(|part| part.assigned_at));
        asked.round == problem.row.round && assigned_at.is_some_and(|at| at <= asked.asked_at)
    }

    /// The request of a unit that is not decided.
    fn open_request(&self, on: usize, unit: usize) -> Option<usize> {
        let is_open = |one: &Extension| (one.on, one.unit, one.state) == (on, unit, State::Asked);
        self.extensions.iter().position(is_open)
    }

    /// Every reason why a command is refused; none where it is accepted.
    pub fn refuses(&self, command: &Command, now: At) -> Vec<&'static str> {
        let (on, who) = (self.asked_of(command), command.who);
        let problem = &self.problems[on];
        if !self.sees(who, problem.row.list) {
            return vec!["NOT_FOUND"];
        }
        let mut found = Vec::new();
        let mut when = |refused: bool, code: &'static str| {
            if refused {
                found.push(code);
            }
        };
        let asked = match command.verb {
            Verb::Request { until, .. } => {
                let Some(unit) = self.asks_for(who, on) else { return vec!["FORBIDDEN"] };
                when(!is_worked_on(problem), "STATE_REFUSED");
                when(!command.said, "REQUIRED");
                let open =
                    self.open_request(on, unit).is_some_and(|open| self.stands(&self.extensions[open]));
                when(open, "ALREADY_EXISTS");
                found.extend(problem.clocks[&unit].refuses(until, now));
                return found;
            }
            Verb::Grant { asked, .. } | Verb::Refuse { asked } => &self.extensions[asked],
        };
        let decides = |(at, role, _): &Seat| *at == problem.row.list && *role == Role::Committee;
        if !self.people[who].1.iter().any(decides) {
            return vec!["FORBIDDEN"];
        }
        // Nobody gives a unit that they act for more time.
        when(self.acts_here(who, problem.row.list, asked.unit), "NOT_INDEPENDENT");
        when(command.expect == Expect::Stale, "VERSION_CONFLICT");
        when(asked.state != State::Asked, "STATE_REFUSED");
        let Verb::Grant { until, .. } = command.verb else {
            when(!command.said, "REQUIRED");
            return found;
        };
        when(!is_worked_on(problem), "STATE_REFUSED");
        // What was asked for an assignment that is over can only be refused.
        let stands = self.stands(asked);
        when(!stands, "NOT_RESPONSIBLE");
        if stands {
            let until = until.unwrap_or(asked.until);
            found.extend(problem.clocks[&asked.unit].refuses(until, now));
        }
        found
    }

    /// Carries out what is not refused.
    pub fn decide(&mut self, command: &Command, now: At) -> Events {
        let (on, by) = (self.asked_of(command), Some(command.who));
        let kind = match command.verb {
            Verb::Request { until, .. } => {
                let unit = self.asks_for(command.who, on).expect("a responsible unit");
                if let Some(open) = self.open_request(on, unit) {
                    // Its assignment is over.
                    self.end(open, State::Lapsed, None, now);
                }
                self.extensions.push(Extension {
                    on,
                    round: self.problems[on].row.round,
                    unit,
                    state: State::Asked,
                    until,
                    asked_at: now,
                    asked_by: by,
                    due_before: None,
                    granted_until: None,
                    decided_at: None,
                    decided_by: None,
                    version: 1,
                });
                "extension_requested"
            }
            Verb::Grant { asked, until } => {
                self.end(asked, State::Granted, by, now);
                let until = until.unwrap_or(self.extensions[asked].until);
                let unit = self.extensions[asked].unit;
                let problem = &mut self.problems[on];
                let granted = Clock { due_at: end_of(until) };
                let before = problem.clocks.insert(unit, granted).expect("a clock");
                // The leading unit's is that of the whole.
                if problem.row.lead == Some(unit) {
                    problem.row.due_on = Some(until);
                }
                problem.row.version += 1;
                let asked = &mut self.extensions[asked];
                (asked.due_before, asked.granted_until) = (Some(before.due_at), Some(until));
                "extension_granted"
            }
            Verb::Refuse { asked } => {
                self.end(asked, State::Refused, by, now);
                "extension_refused"
            }
        };
        vec![(kind, Some(on))]
    }

    /// Ends what units asked for, or one of them, whose assignment ends.
    pub fn lapse(&mut self, on: usize, unit: Option<usize>, now: At) {
        let ends = |one: &Extension| {
            one.on == on && one.state == State::Asked && unit.is_none_or(|unit| one.unit == unit)
        };
        let ending: Vec<usize> =
            (0..self.extensions.len()).filter(|asked| ends(&self.extensions[*asked])).collect();
        for asked in ending {
            self.end(asked, State::Lapsed, None, now);
        }
    }

    fn end(&mut self, asked: usize, state: State, by: Option<usize>, now: At) {
        let asked = &mut self.extensions[asked];
        (asked.state, asked.decided_at, asked.decided_by) = (state, Some(now), by);
        asked.version += 1;
    }
}

/// Whether more time comes up: now and then, where somebody works on something.
pub fn comes_next(list: &List, dice: &mut Dice) -> bool {
    list.problems.iter().any(is_worked_on) && dice.one_in(3)
}

fn request(list: &List, dice: &mut Dice, now: At) -> Command {
    let worked_on: Vec<usize> =
        (0..list.problems.len()).filter(|place| is_worked_on(&list.problems[*place])).collect();
    let on = if worked_on.is_empty() || dice.one_in(10) {
        dice.below(list.problems.len())
    } else {
        dice.of(&worked_on)
    };
    let problem = &list.problems[on];
    let asks: Vec<usize> = (0..list.people.len()).filter(|who| list.asks_for(*who, on).is_some()).collect();
    let who = if asks.is_empty() || dice.one_in(8) { dice.below(list.people.len()) } else { dice.of(&asks) };
    let clock = list.asks_for(who, on).map(|unit| problem.clocks[&unit]);
    let last = clock.map_or(day(now), Clock::last_day).max(day(now));
    let until = match dice.below(16) {
        0 => day(now) - Days::new(1),
        1 => day(now) + Days::new(MOST + 1),
        2 => last,
        _ => last + Days::new(dice.of(&[1, 2, 9, 40])),
    };
    Command { who, verb: Verb::Request { on, until }, expect: Expect::Nothing, said: !dice.one_in(12) }
}

fn decision(list: &List, asked: usize, dice: &mut Dice, now: At) -> Command {
    let of = list.problems[list.extensions[asked].on].row.list;
    let decides =
        |who: &usize| list.people[*who].1.iter().any(|(at, role, _)| *at == of && *role == Role::Committee);
    let all: Vec<usize> = (0..list.people.len()).filter(decides).collect();
    let who = if dice.one_in(8) { dice.below(list.people.len()) } else { dice.of(&all) };
    let until = match dice.below(4) {
        0 => Some(list.extensions[asked].until + Days::new(dice.of(&[3, 30]))),
        1 => Some(day(now) + Days::new(dice.of(&[0, 8, MOST + 1]))),
        _ => None,
    };
    let verb = if dice.one_in(3) { Verb::Refuse { asked } } else { Verb::Grant { asked, until } };
    let expect = dice.of(&[Expect::Nothing, Expect::Current, Expect::Current, Expect::Stale]);
    Command { who, verb, expect, said: !dice.one_in(12) }
}

fn drawn(list: &List, dice: &mut Dice, now: At) -> Command {
    let is_waiting = |place: &usize| list.extensions[*place].state == State::Asked;
    let waiting: Vec<usize> = (0..list.extensions.len()).filter(is_waiting).collect();
    match dice.below(12) {
        0..=6 if !waiting.is_empty() => decision(list, dice.of(&waiting), dice, now),
        7 if !list.extensions.is_empty() => decision(list, dice.below(list.extensions.len()), dice, now),
        _ => request(list, dice, now),
    }
}

/// What is asked next: mostly something that is accepted.
pub fn command(list: &List, dice: &mut Dice, now: At) -> Command {
    let mut command = drawn(list, dice, now);
    if dice.below(10) < 7 {
        for _ in 0..12 {
            if list.refuses(&command, now).is_empty() {
                break;
            }
            command = drawn(list, dice, now);
        }
    }
    command
}
