//! Model and product side by side: a command to one of the two lists, and whether both say the same of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use concord_entities::{event, extension::State as Asked};
use sea_orm::ActiveEnum;

use super::{
    Tally,
    draw::{self, Dice},
    extension,
    list::{At, List},
    product::{Kept, Product, events},
    same,
    task::{
        self,
        list::{On, Tasks},
    },
    town::{Command, Verb},
};

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Town,
    Problem(usize),
    Tasks(On),
}

type Told = Vec<(&'static str, About)>;

/// Model and product of both lists in one sequence.
pub struct Sides<'a> {
    pub list: List,
    pub product: Product<'a>,
    pub tasks: Tasks,
    pub listed: task::product::Product<'a>,
}

impl Sides<'_> {
    /// The events of an instant, without those of deadlines.
    async fn happened(&self, at: At) -> Told {
        let about = |(kind, row): (&'static str, event::Model)| match (self.listed.about(&row), &row) {
            (Some(on), _) => (kind, About::Tasks(on)),
            (None, row) => (kind, self.product.about(row).map_or(About::Town, About::Problem)),
        };
        let all = events(self.product.app, at).await.into_iter();
        let mut told: Told = all.filter(|(kind, _)| *kind != "problem_breached").map(about).collect();
        told.sort_unstable();
        told
    }

    pub async fn ask_of_problems(
        &mut self,
        dice: &mut Dice,
        number: usize,
        now: At,
        tally: &mut Tally,
        said: &mut String,
    ) -> Result<(), String> {
        let Self { list, product, .. } = self;
        let command = draw::command(list, dice, now);
        let reason = format!("缘由{number}");
        let refusals = list.refusals(&command, now);
        let _ = writeln!(
            said,
            "{number}: {} on {}: {:?}, {:?}{} -> {refusals:?}",
            list.people[command.who].0,
            command.on,
            command.verb,
            command.expect,
            if command.said { "" } else { ", no words" }
        );
        let from = state_before(list, &command);
        let answer = product.ask(list, &command, &reason).await.map_err(|error| error.code().text());
        let mut told = Vec::new();
        if tally.agrees(answer, &refusals)? {
            if let Some(from) = from {
                *tally.steps.entry((command.verb.mutation(), from)).or_default() += 1;
            }
            told = list.apply(&command, &reason, now);
            product.learn(list).await;
        }
        // What it was about, and what else it touched; the rest at the end.
        let touched: BTreeSet<usize> =
            told.iter().filter_map(|(_, on)| *on).chain(about(list, &command)).collect();
        let named = |(kind, on): (_, Option<usize>)| (kind, on.map_or(About::Town, About::Problem));
        let mut told: Told = told.into_iter().map(named).collect();
        told.sort_unstable();
        same("events", &self.happened(now).await, &told)?;
        compare(&self.product, &self.list, &touched).await
    }

    /// Asks for more time, or decides about it.
    pub async fn ask_for_more_time(
        &mut self,
        dice: &mut Dice,
        number: usize,
        now: At,
        tally: &mut Tally,
        said: &mut String,
    ) -> Result<(), String> {
        let Self { list, product, .. } = self;
        let command = extension::command(list, dice, now);
        let refusals = list.refuses(&command, now);
        let _ = writeln!(said, "{number}: {command:?} -> {refusals:?}");
        let (on, from) = (list.asked_of(&command), list.asked_from(&command));
        let answer = product.ask_for_more(list, &command, &format!("理由{number}")).await;
        let mut told = Told::new();
        if tally.agrees(answer.map_err(|error| error.code().text()), &refusals)? {
            *tally.steps.entry((command.verb.mutation(), from)).or_default() += 1;
            let events = list.decide(&command, now);
            told.extend(events.into_iter().map(|(kind, _)| (kind, About::Problem(on))));
        }
        same("events", &self.happened(now).await, &told)?;
        compare(&self.product, &self.list, &BTreeSet::from([on])).await
    }

    pub async fn ask_of_tasks(
        &mut self,
        dice: &mut Dice,
        number: usize,
        now: At,
        tally: &mut Tally,
        said: &mut String,
    ) -> Result<(), String> {
        let Self { list, tasks, listed, .. } = self;
        let command = task::draw::command(tasks, dice, now);
        let reason = format!("事由{number}");
        let refusals = tasks.refusals(&command, now);
        let _ = writeln!(
            said,
            "{number}: {} on task or list {}: {:?}, {:?}{} -> {refusals:?}",
            list.people[command.who].0,
            command.on,
            command.verb,
            command.expect,
            if command.said { "" } else { ", no words" }
        );
        let steps = tasks.steps(&command);
        let answer = listed.ask(tasks, &command, &reason).await.map_err(|error| error.code().text());
        let mut told = Vec::new();
        if tally.agrees(answer, &refusals)? {
            for step in steps {
                *tally.steps.entry(step).or_default() += 1;
            }
            told = tasks.apply(&command, &reason, now);
            listed.learn(tasks).await;
        }
        let mut touched: BTreeSet<On> = told.iter().map(|(_, on)| *on).collect();
        touched.extend(tasks.about(&command));
        let mut told: Told = told.into_iter().map(|(kind, on)| (kind, About::Tasks(on))).collect();
        told.sort_unstable();
        same("events", &self.happened(now).await, &told)?;
        self.compare_rows(&touched).await
    }

    /// Compares the rows of some lists and tasks.
    async fn compare_rows(&self, of: &BTreeSet<On>) -> Result<(), String> {
        let Self { tasks, listed, .. } = self;
        let is_list = |on: &On| matches!(on, On::List(_));
        if of.iter().any(is_list) {
            let months = tasks.months.iter().cloned().enumerate().collect();
            same("lists", &listed.months().await, &months)?;
        }
        let places: BTreeSet<usize> = of
            .iter()
            .filter_map(|on| match on {
                On::Task(place) => Some(*place),
                On::List(_) => None,
            })
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        let rows = places.iter().map(|place| (*place, tasks.tasks[*place].row.clone())).collect();
        same("tasks", &listed.rows(&places).await, &rows)
    }

    /// Compares everything that is kept of the problems.
    pub async fn compare_problems(&self, length: usize) -> Result<(), String> {
        let Self { list, product, .. } = self;
        compare(product, list, &(0..list.problems.len()).collect()).await?;
        same("follow-ups", &product.asked().await, &list.asked)?;
        same("escalations", &product.links().await, &list.links)?;
        same("requests for more time", &product.extensions().await, &list.extensions)?;
        let mut extended = BTreeMap::new();
        for one in list.extensions.iter().filter(|one| one.state == Asked::Granted) {
            *extended.entry((one.on, one.unit)).or_default() += 1;
        }
        same("how often there was more time", &product.extended().await, &extended)?;
        for on in 0..list.problems.len() {
            let problem = &list.problems[on];
            let expected = Kept {
                rounds: problem.rounds.clone(),
                hands: problem.hands.clone(),
                signed: problem.signed.clone(),
                evidence: problem.evidence.len(),
                tier_moves: problem.tier_moves,
            };
            same(&format!("what is kept of {on}"), &product.kept(on).await, &expected)?;
            // And what one of the people is offered.
            let who = (length + on * 7) % list.people.len();
            let offered = list.offered(who, on, product.app.app.now());
            let offered =
                offered.map(|all| all.into_iter().map(|(name, may)| (name.to_owned(), may)).collect());
            let what = format!("what {} is offered on {on}", list.people[who].0);
            same(&what, &product.offered(who, on).await, &offered)?;
        }
        Ok(())
    }

    /// Compares everything that is kept of the lists of the months and their tasks.
    pub async fn compare_tasks(&self, length: usize) -> Result<(), String> {
        let Self { list, tasks, listed, .. } = self;
        if tasks.months.is_empty() {
            return Ok(());
        }
        let lists = (0..tasks.months.len()).map(On::List);
        self.compare_rows(&lists.chain((0..tasks.tasks.len()).map(On::Task)).collect()).await?;
        let kept: Vec<_> = tasks.tasks.iter().map(|task| task.kept.clone()).collect();
        same("what is kept of tasks", &listed.kept().await, &kept)?;
        for on in 0..tasks.tasks.len() {
            let who = (length + on * 5) % list.people.len();
            let what = format!("what {} is offered on task {on}", list.people[who].0);
            let offered = tasks.offered(who, on, listed.app.app.now());
            same(&what, &listed.offered(who, on).await, &offered)?;
        }
        Ok(())
    }
}

/// The problems that a command names.
fn about(list: &List, command: &Command) -> Vec<usize> {
    match command.verb {
        Verb::Register { .. } | Verb::Settle { .. } => Vec::new(),
        Verb::Try { asked } | Verb::Answer { asked, .. } => vec![list.asked[asked].on],
        Verb::Merge { into } => vec![command.on, into],
        _ => vec![command.on],
    }
}

/// From which state a step is taken: the part's, where it moves a part.
fn state_before(list: &List, command: &Command) -> Option<String> {
    if let Some((unit, _)) = command.verb.part() {
        return list.problems[command.on].parts.get(&unit).map(|part| part.state.to_value());
    }
    about(list, command).first().map(|on| list.problems[*on].row.state.to_value())
}

/// Compares the rows of some problems, of their parts, and by when their units are to be done.
async fn compare(product: &Product<'_>, list: &List, of: &BTreeSet<usize>) -> Result<(), String> {
    let told = product.rows(of).await;
    let rows = of.iter().map(|place| (*place, list.problems[*place].row.clone())).collect();
    for ((place, told), (_, row)) in told.iter().zip(&rows) {
        same(&format!("problem {place}"), told, row)?;
    }
    same("problems", &told, &rows)?;
    let (mut parts, mut due) = (BTreeMap::new(), BTreeMap::new());
    for place in of {
        let problem = &list.problems[*place];
        parts.extend(problem.parts.iter().map(|(unit, part)| ((*place, *unit), part.clone())));
        due.extend(problem.clocks.iter().map(|(unit, clock)| ((*place, *unit), Some(clock.due_at))));
    }
    let (told, due_at) = product.units(of).await;
    same("parts", &told, &parts)?;
    same("deadlines", &due_at, &due)
}
