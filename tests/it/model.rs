//! The two lists against a model of them in memory: the closure list, and the priority tasks of each month. A sequence of
//! commands, most of them sensible, is taken by the product's verbs and by the model; after each, both say the same: accepted or
//! refused and why, the rows, the parts, the deadlines, the follow-ups, the links between lists, the events. At the end of each
//! sequence what is kept is compared too, and every counter. By when each unit is to be done the model holds, with what pauses and
//! more time make of it; who was late, and what follows, `deadline.rs` tries.
//!
//! `CONCORD_SEQUENCES` says how many sequences; `SEQUENCES` without it. `CONCORD_SEED` begins elsewhere.

mod apply;
mod draw;
mod extension;
mod list;
mod product;
mod sides;
mod task;
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
    list::{problem_part_states, problem_states, recount, task_list, task_states},
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
    product::{Names, Product, counted},
    sides::Sides,
    task::list::{Counts, Tasks},
    town::{COUNTY, TOWN},
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
    /// Steps that were taken, by mutation and the state of the problem, of the part or of the task they were taken from.
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

    /// Whether a command was accepted, where product and model say the same of it.
    fn agrees(
        &mut self,
        product: Result<(), &'static str>,
        refusals: &[&'static str],
    ) -> Result<bool, String> {
        self.asked += 1;
        match product {
            Ok(()) if refusals.is_empty() => {
                self.accepted += 1;
                Ok(true)
            }
            Err(code) if refusals.contains(&code) => {
                *self.refused.entry(code).or_default() += 1;
                Ok(false)
            }
            other => Err(format!("the product says {other:?}\n")),
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
    /// The first month without a task list, and what stands in the earlier ones.
    month: u32,
    tasks: Counts,
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
    let (stands, tasks) = (Default::default(), Counts::default());
    Copy { app, used: 0, last: [0; 2], town, stands, month: 0, tasks }
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
    let Copy { app, last, town, stands, month, tasks, .. } = here;
    let mut sides = Sides {
        list: List::new(*last, *town),
        product: Product { app, names, problems: Vec::new(), asked: Vec::new(), extensions: Vec::new() },
        tasks: Tasks::new(*month),
        listed: task::product::Product { app, names, lists: Vec::new(), tasks: Vec::new() },
    };
    for (number, seed) in dice.iter().enumerate() {
        let mut dice = Dice(*seed);
        app.advance(TimeDelta::seconds(1));
        // Now and then a night passes.
        if dice.below(40) == 0 {
            app.advance(TimeDelta::hours(25));
        }
        let (now, is_first) = (app.app.now(), sides.list.problems.is_empty());
        if task::draw::comes_next(&sides.tasks, is_first, &mut dice) {
            sides.ask_of_tasks(&mut dice, number, now, tally, said).await?;
        } else {
            sides.ask_of_problems(&mut dice, number, now, tally, said).await?;
        }
        if extension::comes_next(&sides.list, &mut dice) {
            app.advance(TimeDelta::seconds(1));
            sides.ask_for_more_time(&mut dice, number, app.app.now(), tally, said).await?;
        }
    }
    sides.compare_problems(dice.len()).await?;
    sides.compare_tasks(dice.len()).await?;
    for place in [TOWN, COUNTY] {
        sides.list.tally(place, &mut stands[place]);
        same("counters", &counted(app, names.alliances[place]).await, &stands[place])?;
    }
    sides.tasks.tally(tasks);
    same("counters of tasks", &sides.listed.counted().await, tasks)?;
    same("a recount", &recount::first_difference(&app.app.read).await.expect("a recount"), &None)?;
    (*last, *town, *month) = (sides.list.last, sides.list.settled[TOWN], sides.tasks.after());
    Ok(())
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
    let tasks = task_states::ALL.iter().chain([&task_states::CARRY_OVER]);
    let tasks = tasks
        .flat_map(|step| step.from.iter().map(|from| (step.mutation, from.to_value())).collect::<Vec<_>>());
    let lists = [(task_list::PUBLISH.mutation, concord_entities::task_list::State::Draft.to_value())];
    moves.chain(parts).chain(tasks).chain(lists).chain(extension::every_step()).collect()
}
