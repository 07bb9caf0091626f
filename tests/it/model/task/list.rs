//! The lists of the months in memory: what each command does to them and to their tasks, and why it is refused. A refusal names
//! every reason there is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Months, NaiveDate, TimeDelta};
use concord_entities::{priority_task::State, seat::Role, task_list::State as Listed};
use sea_orm::ActiveEnum;

use super::{
    super::{
        list::At,
        town::{COUNTY, Expect, Power, Seat, TOWN, UNITS, people, supervises},
    },
    Command, Verb, is_open,
};

/// The list of a month.
#[derive(Clone, Debug, PartialEq)]
pub struct Month {
    pub on: NaiveDate,
    pub title: String,
    pub state: Listed,
    pub published_at: Option<At>,
    pub created_by: Option<usize>,
    pub version: i64,
}

/// A task's row, people, units and lists by their places.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub list: usize,
    pub place: i32,
    pub title: String,
    pub lead: usize,
    pub due_on: NaiveDate,
    pub state: State,
    pub is_open: bool,
    pub percent: i32,
    pub reason: Option<String>,
    pub returned: i32,
    pub published_at: Option<At>,
    pub acknowledged_at: Option<At>,
    pub submitted_at: Option<At>,
    pub completed_at: Option<At>,
    pub created_by: Option<usize>,
    pub version: i64,
}

/// An entry of the progress log.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub at: At,
    pub by: Option<usize>,
    pub unit: Option<usize>,
    pub percent: Option<i32>,
    pub note: String,
}

/// What is kept of a task besides its row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    pub joint: BTreeSet<usize>,
    pub log: Vec<Entry>,
    /// The task of an earlier month that it stands for.
    pub carried_from: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub row: Row,
    pub kept: Kept,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    List(usize),
    Task(usize),
}

/// How many tasks are in each state, and how many were cancelled as drafts.
pub type Counts = (BTreeMap<State, i64>, i64);

pub struct Tasks {
    people: Vec<(&'static str, Vec<Seat>)>,
    pub months: Vec<Month>,
    pub tasks: Vec<Task>,
    /// The first month that no earlier sequence has used.
    first: u32,
}

/// From the month that sequences begin with to those that have not begun.
pub const FAR: u32 = 12 * 50;

impl Tasks {
    pub fn new(first: u32) -> Self {
        Self { people: people(), months: Vec::new(), tasks: Vec::new(), first }
    }

    /// The first day of a month, counted from the first of this sequence.
    pub fn month_on(&self, month: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day") + Months::new(self.first + month)
    }

    /// The first month that the next sequence may use.
    pub fn after(&self) -> u32 {
        let number =
            |on: NaiveDate| (u32::try_from(on.year()).expect("after 2000") - 2000) * 12 + on.month0();
        let used = self.months.iter().map(|month| number(month.on) % FAR + 1);
        used.max().unwrap_or_default().max(self.first)
    }

    fn has(&self, who: usize, is: impl Fn(&Seat) -> bool) -> bool {
        self.people[who].1.iter().any(is)
    }

    fn sees(&self, who: usize) -> bool {
        self.has(who, |(at, role, _)| *at == TOWN || (*at == COUNTY && supervises(*role)))
    }

    /// A draft is seen by the committee and the approvers of the town, and by nobody else.
    fn sees_drafts(&self, who: usize) -> bool {
        self.has(who, |(at, role, _)| *at == TOWN && matches!(role, Role::Committee | Role::Approver))
    }

    fn sees_list(&self, who: usize, on: usize) -> bool {
        self.sees_drafts(who) || (self.sees(who) && self.months[on].state != Listed::Draft)
    }

    fn sees_task(&self, who: usize, on: usize) -> bool {
        self.sees_drafts(who) || (self.sees(who) && self.tasks[on].row.published_at.is_some())
    }

    /// The seat by which somebody may do this: the unit that leads does the work, and those beside it report too.
    fn standing(&self, command: &Command) -> Option<Seat> {
        let concerns = |unit: usize| {
            let task = &self.tasks[command.on];
            let beside = matches!(command.verb, Verb::Report { .. }) && task.kept.joint.contains(&unit);
            task.row.lead == unit || beside
        };
        let may = |(at, role, unit): &&Seat| {
            *at == TOWN
                && match command.verb.power(*role) {
                    Power::All => true,
                    Power::Own => unit.is_some_and(concerns),
                    Power::Never => false,
                }
        };
        self.people[command.who].1.iter().find(may).copied()
    }

    fn of_month(&self, on: NaiveDate) -> Option<usize> {
        self.months.iter().position(|month| month.on == on)
    }

    /// The list to which another one is carried over.
    fn later(&self, on: usize, to: Option<usize>) -> Option<usize> {
        to.or_else(|| self.of_month(self.months[on].on + Months::new(1)))
    }

    /// Every reason why a command is refused; none where it is accepted.
    pub fn refusals(&self, command: &Command, now: At) -> Vec<&'static str> {
        let Command { who, on, verb, expect, said } = command;
        let is_seen = match verb {
            Verb::DraftList { .. } => self.sees(*who),
            verb if verb.is_of_list() => self.sees_list(*who, *on),
            _ => self.sees_task(*who, *on),
        };
        if !is_seen {
            return vec!["NOT_FOUND"];
        }
        if self.standing(command).is_none() {
            return vec!["FORBIDDEN"];
        }
        let mut found = Vec::new();
        let mut when = |refused: bool, code: &'static str| {
            if refused {
                found.push(code);
            }
        };
        when(*expect == Expect::Stale && verb.is_versioned(), "VERSION_CONFLICT");
        when(verb.wants_words() && !said, "REQUIRED");
        let starts = |states: &[State]| states.contains(&self.tasks[*on].row.state);
        when(verb.from().is_some_and(|states| !starts(states)), "STATE_REFUSED");
        match verb {
            Verb::DraftList { month } => {
                when(self.of_month(self.month_on(*month)).is_some(), "ALREADY_EXISTS");
            }
            Verb::PublishList => when(self.months[*on].state != Listed::Draft, "STATE_REFUSED"),
            Verb::Write { lead, joint, .. } => {
                when(self.months[*on].state == Listed::Closed, "TASK_LIST_CLOSED");
                when(joint.contains(lead), "LEAD_IS_CO_ORGANIZER");
                // The last unit is a member of nothing, and so nobody here knows of it.
                let stray = UNITS - 1;
                when(*lead == stray || joint.contains(&stray), "NOT_FOUND");
            }
            Verb::Publish => {
                let list = self.tasks[*on].row.list;
                when(self.months[list].state != Listed::Published, "TASK_LIST_NOT_PUBLISHED");
            }
            Verb::CarryOver { to } => {
                let from = &self.months[*on];
                // What is closed was carried over, once.
                when(from.state != Listed::Published, "STATE_REFUSED");
                when(to.is_some_and(|to| self.months[to].on <= from.on), "OUT_OF_RANGE");
                when(from.on > (now + TimeDelta::hours(8)).date_naive(), "MONTH_NOT_BEGUN");
                let to = self.later(*on, *to);
                when(to.is_some_and(|to| self.months[to].state == Listed::Closed), "TASK_LIST_CLOSED");
            }
            _ => {}
        }
        found
    }

    /// The list or task that a command names.
    pub fn about(&self, command: &Command) -> Option<On> {
        match &command.verb {
            Verb::DraftList { .. } => None,
            verb if verb.is_of_list() => Some(On::List(command.on)),
            _ => Some(On::Task(command.on)),
        }
    }

    /// The steps that an accepted command takes, and from which state each.
    pub fn steps(&self, command: &Command) -> Vec<(&'static str, String)> {
        let mutation = command.verb.mutation();
        match command.verb {
            Verb::PublishList => vec![(mutation, self.months[command.on].state.to_value())],
            Verb::CarryOver { .. } => {
                let open = self.tasks.iter().filter(|task| task.row.list == command.on && task.row.is_open);
                open.map(|task| (mutation, task.row.state.to_value())).collect()
            }
            _ if command.verb.from().is_some() => {
                vec![(mutation, self.tasks[command.on].row.state.to_value())]
            }
            _ => Vec::new(),
        }
    }

    fn draft(&mut self, on: NaiveDate, title: String, by: usize) -> usize {
        self.months.push(Month {
            on,
            title,
            state: Listed::Draft,
            published_at: None,
            created_by: Some(by),
            version: 1,
        });
        self.months.len() - 1
    }

    fn last_place(&self, list: usize) -> i32 {
        let places = self.tasks.iter().filter(|task| task.row.list == list).map(|task| task.row.place);
        places.max().unwrap_or_default()
    }

    /// Moves a task on.
    fn to(&mut self, on: usize, state: State) -> &mut Row {
        let row = &mut self.tasks[on].row;
        row.state = state;
        row.is_open = is_open(state);
        row.version += 1;
        row
    }

    /// Carries out what is not refused, and gives the events that tell of it.
    pub fn apply(&mut self, command: &Command, reason: &str, now: At) -> Vec<(&'static str, On)> {
        let Command { who, on, verb, said, .. } = command.clone();
        let reason = reason.to_owned();
        let unit = self.standing(command).and_then(|seat| seat.2);
        let log = |percent| Entry { at: now, by: Some(who), unit, percent, note: reason.clone() };
        let kind = match verb {
            Verb::DraftList { month } => {
                let made = self.draft(self.month_on(month), reason, who);
                return vec![("task_list_created", On::List(made))];
            }
            Verb::PublishList => return self.publish_list(on, now),
            Verb::CarryOver { to } => return self.carry_over(on, to, who, now),
            Verb::Write { lead, joint, due_in } => {
                let row = Row {
                    list: on,
                    place: self.last_place(on) + 1,
                    title: reason,
                    lead,
                    due_on: self.months[on].on + chrono::Days::new(due_in),
                    state: State::Draft,
                    is_open: false,
                    percent: 0,
                    reason: None,
                    returned: 0,
                    published_at: None,
                    acknowledged_at: None,
                    submitted_at: None,
                    completed_at: None,
                    created_by: Some(who),
                    version: 1,
                };
                let kept = Kept { joint: joint.into_iter().collect(), ..Kept::default() };
                self.tasks.push(Task { row, kept });
                return vec![("priority_task_created", On::Task(self.tasks.len() - 1))];
            }
            Verb::Rename => {
                let state = self.tasks[on].row.state;
                self.to(on, state).title = reason;
                "priority_task_updated"
            }
            Verb::Publish => {
                self.to(on, State::Published).published_at = Some(now);
                "priority_task_published"
            }
            Verb::Acknowledge => {
                self.to(on, State::Acknowledged).acknowledged_at = Some(now);
                "priority_task_acknowledged"
            }
            Verb::Report { percent } => {
                self.tasks[on].kept.log.push(log(percent));
                let row = self.to(on, State::InProgress);
                // Without a new percentage the last one stands.
                row.percent = percent.unwrap_or(row.percent);
                "priority_task_progress_reported"
            }
            Verb::Submit { note } => {
                if note && said {
                    let percent = self.tasks[on].row.percent;
                    self.tasks[on].kept.log.push(log(Some(percent)));
                }
                self.to(on, State::Submitted).submitted_at = Some(now);
                "priority_task_submitted"
            }
            Verb::Complete => {
                let row = self.to(on, State::Completed);
                (row.percent, row.completed_at) = (100, Some(now));
                "priority_task_completed"
            }
            Verb::Return => {
                let row = self.to(on, State::InProgress);
                row.reason = Some(reason);
                row.returned += 1;
                "priority_task_returned"
            }
            Verb::Cancel => {
                self.to(on, State::Cancelled).reason = Some(reason);
                "priority_task_cancelled"
            }
        };
        vec![(kind, On::Task(on))]
    }

    /// The tasks of a list that are so.
    fn of_list(&self, list: usize, is: impl Fn(&Row) -> bool) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.tasks.len())
            .filter(|place| self.tasks[*place].row.list == list && is(&self.tasks[*place].row))
            .collect();
        all.sort_by_key(|place| self.tasks[*place].row.place);
        all
    }

    fn publish_list(&mut self, on: usize, now: At) -> Vec<(&'static str, On)> {
        let month = &mut self.months[on];
        (month.state, month.published_at) = (Listed::Published, Some(now));
        month.version += 1;
        let mut told = vec![("task_list_published", On::List(on))];
        for place in self.of_list(on, |row| row.state == State::Draft) {
            self.to(place, State::Published).published_at = Some(now);
            told.push(("priority_task_published", On::Task(place)));
        }
        told
    }

    fn carry_over(&mut self, on: usize, to: Option<usize>, who: usize, now: At) -> Vec<(&'static str, On)> {
        let mut told = Vec::new();
        let to = self.later(on, to).unwrap_or_else(|| {
            let next = self.months[on].on + Months::new(1);
            let title = format!("{}年{}月重点任务清单", next.year(), next.month());
            let made = self.draft(next, title, who);
            told.push(("task_list_created", On::List(made)));
            made
        });
        let there = self.months[to].clone();
        let is_told = there.state == Listed::Published;
        // What is open goes on as a successor, with its units and its percentage, to be taken on anew.
        for place in self.of_list(on, |row| row.is_open) {
            let state = if is_told { State::Published } else { State::Draft };
            let Task { row, kept } = self.tasks[place].clone();
            let next = Row {
                list: to,
                place: self.last_place(to) + 1,
                due_on: moved(row.due_on, there.on),
                state,
                is_open: is_told,
                reason: None,
                returned: 0,
                published_at: is_told.then_some(now),
                acknowledged_at: None,
                submitted_at: None,
                completed_at: None,
                created_by: Some(who),
                version: 1,
                ..row
            };
            let kept = Kept { joint: kept.joint, log: Vec::new(), carried_from: Some(place) };
            self.tasks.push(Task { row: next, kept });
            self.to(place, State::CarriedOver);
            told.push(("priority_task_carried_over", On::Task(place)));
            let kind = if is_told { "priority_task_published" } else { "priority_task_created" };
            told.push((kind, On::Task(self.tasks.len() - 1)));
        }
        // Drafts move as they are.
        for place in self.of_list(on, |row| row.state == State::Draft) {
            let last = self.last_place(to);
            let row = self.to(place, State::Draft);
            (row.list, row.place, row.due_on) = (to, last + 1, moved(row.due_on, there.on));
            told.push(("priority_task_updated", On::Task(place)));
        }
        self.months[on].state = Listed::Closed;
        self.months[on].version += 1;
        told.push(("task_list_closed", On::List(on)));
        told
    }

    /// What somebody is told they can do with a task next; nothing where they do not see it.
    pub fn offered(&self, who: usize, on: usize, now: At) -> Option<BTreeMap<String, bool>> {
        if !self.sees_task(who, on) {
            return None;
        }
        let verbs = [
            Verb::Publish,
            Verb::Acknowledge,
            Verb::Report { percent: None },
            Verb::Submit { note: false },
            Verb::Complete,
            Verb::Return,
            Verb::Cancel,
        ];
        let told = |verb: Verb| {
            let mutation = verb.mutation().to_owned();
            let command = Command { who, on, verb, expect: Expect::Nothing, said: true };
            (mutation, self.refusals(&command, now).is_empty())
        };
        Some(verbs.into_iter().map(told).collect())
    }

    /// Adds the tasks of this sequence to what the counters must say.
    pub fn tally(&self, into: &mut Counts) {
        for Task { row, .. } in &self.tasks {
            *into.0.entry(row.state).or_default() += 1;
            into.1 += i64::from(row.state == State::Cancelled && row.published_at.is_none());
        }
    }
}

/// A date before a month moves to the same day of it, or to its last; a later one stays.
fn moved(on: NaiveDate, month: NaiveDate) -> NaiveDate {
    if on >= month {
        return on;
    }
    (0..4).find_map(|less| month.with_day(on.day() - less)).expect("a month has 28 days")
}
