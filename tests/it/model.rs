//! The closure list against a model of it in memory. A sequence of commands, most of them sensible, is taken by the product's
//! verbs and by the model; after each, both say the same: accepted or refused and why, the rows, the parts, the follow-ups,
//! the links between lists, the events. At the end of each sequence what is kept is compared too, and every counter.
//! The model does not hold deadlines: `deadline.rs` does.
//!
//! `CONCORD_SEQUENCES` says how many sequences; `SEQUENCES` without it. `CONCORD_SEED` begins elsewhere.

mod apply;
mod draw;
mod list;
mod product;
mod town;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Mutex,
};

use chrono::TimeDelta;
use concord::domain::{
    chain::{self, Marks},
    list::{problem_part_states, problem_states, recount},
};
use concord_entities::problem::State;
use concord_tests::{Frozen, TestApp, World, database};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use sea_orm::ActiveEnum;
use tokio::runtime::{Builder, Runtime};

use self::{
    draw::Dice,
    list::{List, Settled},
    product::{Kept, Names, Product, counted},
    town::{COUNTY, Command, TOWN, Verb},
};
use crate::problem::count;

/// How many sequences where nobody says, on SQLite and on PostgreSQL, whose copies and round trips take longer.
const SEQUENCES: [usize; 2] = [400, 100];
/// In how many threads, each with seed and databases of its own: the same on every machine.
const SHARES: usize = 4;
/// How many sequences one copy of the town's database sees.
const TOGETHER: usize = 40;
/// How long a sequence is.
const LENGTH: std::ops::Range<usize> = 4..56;
/// How often 10,000 sequences take each step from each state it starts from, at the least; fewer take it less often by more
/// than their share.
const EACH: usize = 100;

/// What all sequences came to.
#[derive(Default)]
struct Tally {
    sequences: usize,
    asked: usize,
    accepted: usize,
    /// Steps that were taken, by mutation and the state of the problem, or of the part, they were taken from.
    steps: BTreeMap<(&'static str, String), usize>,
    refused: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.sequences += other.sequences;
        self.asked += other.asked;
        self.accepted += other.accepted;
        for (step, times) in other.steps {
            *self.steps.entry(step).or_default() += times;
        }
        for (code, times) in other.refused {
            *self.refused.entry(code).or_default() += times;
        }
    }

    fn table(&self) -> String {
        let mut text = format!(
            "{} sequences, {} commands, {} accepted ({} %)\n",
            self.sequences,
            self.asked,
            self.accepted,
            self.accepted * 100 / self.asked.max(1)
        );
        for ((mutation, from), times) in &self.steps {
            let _ = writeln!(text, "{mutation:<22} {from:<12} {times:>8}");
        }
        for (code, times) in &self.refused {
            let _ = writeln!(text, "refused: {code:<26} {times:>8}");
        }
        text
    }
}

/// A copy of the town, and what the model knows to stand in it already.
struct Copy {
    app: TestApp,
    used: usize,
    last: [i32; 2],
    town: Settled,
    stands: [(BTreeMap<State, i64>, i64); 2],
}

/// One thread's runs.
struct Runner {
    runtime: Runtime,
    frozen: Frozen,
    names: Names,
    copy: Option<Copy>,
    tally: Tally,
}

impl Runner {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (frozen, names) = runtime.block_on(async {
            let app = TestApp::new().await;
            let world = World::build(&app, "632223").await;
            let names = Names::build(&app, &world).await;
            app.run_background().await;
            (app.freeze().await, names)
        });
        Self { runtime, frozen, names, copy: None, tally: Tally::default() }
    }

    /// One sequence; what went wrong, with everything that led there.
    fn sequence(&mut self, dice: &[u64]) -> Result<(), String> {
        let Self { runtime, frozen, names, copy, tally } = self;
        runtime.block_on(async {
            let used = copy.take();
            let mut here = match used {
                Some(here) if here.used < TOGETHER => here,
                used => {
                    if let Some(here) = used {
                        finish(here).await?;
                    }
                    open(frozen).await
                }
            };
            let mut said = String::new();
            let mut told = Tally { sequences: 1, ..Tally::default() };
            match Box::pin(walk(&mut here, names, dice, &mut told, &mut said)).await {
                Ok(()) => {
                    tally.add(told);
                    here.used += 1;
                    *copy = Some(here);
                    Ok(())
                }
                Err(what) => Err(format!("{said}{what}")),
            }
        })
    }

    /// Whether everything that was done to the last copy is sealed without gaps.
    fn finish(&mut self) -> Result<(), String> {
        let Self { runtime, copy, .. } = self;
        match copy.take() {
            Some(here) => runtime.block_on(finish(here)),
            None => Ok(()),
        }
    }
}

async fn open(frozen: &Frozen) -> Copy {
    let app = frozen.thaw().await;
    if app.app.backend() == sea_orm::DbBackend::Sqlite {
        // Nobody cuts the power here, and syncing takes most of the time.
        app.sql("PRAGMA synchronous = OFF").await.expect("a setting");
    }
    let town = Settled { sign_offs: 1, objection_hours: 24, asks: false, version: 1 };
    Copy { app, used: 0, last: [0; 2], town, stands: Default::default() }
}

async fn finish(here: Copy) -> Result<(), String> {
    here.app.run_background().await;
    let events = count(&here.app, "SELECT COUNT(*) AS n FROM event").await;
    let last = count(&here.app, "SELECT MAX(position) AS n FROM event_seal").await;
    let sealed = chain::verify(&here.app.app.read, &Marks::default()).await.expect("the chain is read");
    same("positions without gaps", &last, &events)?;
    same("the chain is whole", &sealed.first_break, &None)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, product: &T, model: &T) -> Result<(), String> {
    if product == model {
        Ok(())
    } else {
        Err(format!("{what}:\n  product {product:?}\n  model   {model:?}\n"))
    }
}

/// Walks product and model through one sequence.
async fn walk(
    here: &mut Copy,
    names: &Names,
    dice: &[u64],
    tally: &mut Tally,
    said: &mut String,
) -> Result<(), String> {
    let Copy { app, last, town, stands, .. } = here;
    let mut list = List::new(*last, *town);
    let mut product = Product { app, names, problems: Vec::new(), asked: Vec::new() };
    for (number, seed) in dice.iter().enumerate() {
        let mut dice = Dice(*seed);
        app.advance(TimeDelta::seconds(1));
        // Now and then a night passes.
        if dice.below(40) == 0 {
            app.advance(TimeDelta::hours(25));
        }
        let now = app.app.now();
        let command = draw::command(&list, &mut dice, now);
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
        let from = state_before(&list, &command);
        let answer = product.ask(&list, &command, &reason).await.map_err(|error| error.code().text());
        tally.asked += 1;
        let events = match answer {
            Ok(()) if refusals.is_empty() => {
                tally.accepted += 1;
                if let Some(from) = from {
                    *tally.steps.entry((command.verb.mutation(), from)).or_default() += 1;
                }
                let mut events = list.apply(&command, &reason, now);
                product.learn(&list).await;
                events.sort_unstable();
                events
            }
            Err(code) if refusals.contains(&code) => {
                *tally.refused.entry(code).or_default() += 1;
                Vec::new()
            }
            other => return Err(format!("the product says {other:?}\n")),
        };
        same("events", &product.events(now).await, &events)?;
        // What it was about, and what else it touched; the rest at the end.
        let touched = events.iter().filter_map(|(_, on)| *on).chain(about(&list, &command)).collect();
        compare(&product, &list, &touched).await?;
    }
    compare(&product, &list, &(0..list.problems.len()).collect()).await?;
    same("follow-ups", &product.asked().await, &list.asked)?;
    same("escalations", &product.links().await, &list.links)?;
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
        let who = (dice.len() + on * 7) % list.people.len();
        let offered = list.offered(who, on, app.app.now());
        let offered = offered.map(|all| all.into_iter().map(|(name, may)| (name.to_owned(), may)).collect());
        let what = format!("what {} is offered on {on}", list.people[who].0);
        same(&what, &product.offered(who, on).await, &offered)?;
    }
    for place in [TOWN, COUNTY] {
        list.tally(place, &mut stands[place]);
        same("counters", &counted(app, names.alliances[place]).await, &stands[place])?;
    }
    same("a recount", &recount::first_difference(&app.app.read).await.expect("a recount"), &None)?;
    (*last, *town) = (list.last, list.settled[TOWN]);
    Ok(())
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

/// Compares the rows of some problems and of their parts.
async fn compare(product: &Product<'_>, list: &List, of: &BTreeSet<usize>) -> Result<(), String> {
    let told = product.rows(of).await;
    let rows = of.iter().map(|place| (*place, list.problems[*place].row.clone())).collect();
    for ((place, told), (_, row)) in told.iter().zip(&rows) {
        same(&format!("problem {place}"), told, row)?;
    }
    same("problems", &told, &rows)?;
    let mut parts = BTreeMap::new();
    for place in of {
        let all = list.problems[*place].parts.iter();
        parts.extend(all.map(|(unit, part)| ((*place, *unit), part.clone())));
    }
    same("parts", &product.parts(of).await, &parts)
}

/// The number that a variable holds.
fn variable(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

fn seed(of: usize) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&of.to_le_bytes());
    seed
}

/// One thread's share of the sequences; the smallest that goes wrong is told.
fn share(sequences: usize, number: usize) -> Result<Tally, String> {
    let config = Config {
        cases: u32::try_from(sequences).expect("it fits"),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let seed = seed(variable("CONCORD_SEED").unwrap_or_default() + number);
    let mut cases = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let sequence = prop::collection::vec(any::<u64>().no_shrink(), LENGTH);
    let runner = RefCell::new(Runner::new());
    let went = cases.run(&sequence, |dice| runner.borrow_mut().sequence(&dice).map_err(TestCaseError::fail));
    let mut runner = runner.into_inner();
    went.map_err(|error| match error {
        TestError::Fail(why, _) => why.to_string(),
        other => other.to_string(),
    })?;
    runner.finish()?;
    Ok(runner.tally)
}

#[test]
fn whatever_is_asked_of_the_list_it_does_what_the_model_does() {
    let default = SEQUENCES[usize::from(database::postgres().is_some())];
    let sequences = variable("CONCORD_SEQUENCES").unwrap_or(default);
    let all = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..SHARES)
            .map(|number| {
                let all = &all;
                scope.spawn(move || {
                    let sequences = sequences / SHARES + usize::from(number < sequences % SHARES);
                    let tally = share(sequences, number).unwrap_or_else(|error| panic!("{error}"));
                    all.lock().expect("no panics while held").add(tally);
                })
            })
            .collect();
        for share in shares {
            share.join().expect("a share without a difference");
        }
    });
    let tally = all.into_inner().expect("no panics while held");
    println!("{}", tally.table());
    assert!(tally.accepted * 10 >= tally.asked * 4, "{}", tally.table());
    let least = if sequences < 10_000 { sequences / 200 } else { EACH };
    for step in every_step() {
        let times = tally.steps.get(&step).copied().unwrap_or_default();
        assert!(times >= least, "{step:?} {times} times\n{}", tally.table());
    }
}

/// Every step of the product's tables, with each state it starts from.
fn every_step() -> BTreeSet<(&'static str, String)> {
    let more = [
        problem_states::REASSIGN,
        problem_states::ADD_PART,
        problem_states::REMOVE_PART,
        problem_states::MOVE_TIER,
    ];
    let moves = problem_states::STEPS.iter().chain(&more);
    let parts = problem_part_states::STEPS.iter();
    let moves = moves
        .flat_map(|step| step.from.iter().map(|from| (step.mutation, from.to_value())).collect::<Vec<_>>());
    let parts = parts
        .flat_map(|step| step.from.iter().map(|from| (step.mutation, from.to_value())).collect::<Vec<_>>());
    moves.chain(parts).collect()
}
