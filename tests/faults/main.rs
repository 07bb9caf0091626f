//! Faults: real `concord` processes under load, killed, cut off, starved and lied to about the time, one fault after the
//! other. What has to hold afterwards stands once, in `invariants.rs`.
//!
//! A short form of each runs with the other tests; `CONCORD_FAULTS=full` asks for the full counts, names of faults for
//! some of them. With `CONCORD_TEST_DATABASE_URL` the processes run on PostgreSQL, on a cluster that belongs to the run.

mod backup;
mod clock;
mod cluster;
mod contention;
mod crash;
mod database;
mod disk;
mod drain;
mod invariants;
mod load;
mod node;
mod socket;
mod sockets;
mod town;

use std::{ffi::OsStr, path::Path, pin::Pin, process::ExitCode, time::Instant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a fault tells when everything held.
pub enum Told {
    /// The figures.
    Held(String),
    /// Why it could not be tried here.
    Skipped(String),
}

type Fault = fn() -> Pin<Box<dyn Future<Output = Told>>>;

/// The faults; each by its name.
macro_rules! faults {
    ($($module:ident::$name:ident,)+) => {
        const FAULTS: &[(&str, Fault)] =
            &[$((concat!(stringify!($module), "::", stringify!($name)), || Box::pin($module::$name())),)+];
    };
}

faults! {
    crash::killed_under_load,
    crash::one_of_two_nodes_killed,
    database::postgres_crashes,
    database::connections_are_cut,
    database::the_primary_is_lost,
    disk::no_room,
    drain::told_to_stop_in_a_burst,
    clock::the_clock_jumps,
    sockets::a_subscriber_stops_reading,
    sockets::many_idle_sockets,
    contention::the_same_key_at_once,
    contention::many_edit_one_object,
    backup::a_backup_taken_while_writing_restores,
}

fn main() -> ExitCode {
    // Called by that name, this is the product: so a test run never meets a binary that was not built with it.
    let called = std::env::args_os().next().unwrap_or_default();
    if Path::new(&called).file_name() == Some(OsStr::new(node::PRODUCT)) {
        return concord::cli::run();
    }
    let names: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let asked = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));
    if std::env::args().any(|arg| arg == "--list") {
        FAULTS.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    node::raise_open_files();
    println!(
        "\nfaults on {}, {}",
        if town::on_postgres() { "PostgreSQL" } else { "SQLite" },
        if is_full() { "at their full counts" } else { "in short; CONCORD_FAULTS=full for all of it" },
    );
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, fault) in FAULTS.iter().filter(|(name, _)| asked(name)) {
        let started = Instant::now();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(Box::pin(fault()))));
        let seconds = started.elapsed().as_secs_f64();
        match outcome {
            Ok(Told::Held(figures)) => {
                passed += 1;
                println!("test {name} ... ok ({seconds:.1} s): {figures}");
            }
            Ok(Told::Skipped(reason)) => {
                skipped += 1;
                println!("test {name} ... SKIPPED: {reason}");
            }
            Err(_) => {
                failed += 1;
                println!("test {name} ... FAILED ({seconds:.1} s)");
            }
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {result}. {passed} passed; {failed} failed; {skipped} ignored");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the full counts are asked for.
pub fn is_full() -> bool {
    std::env::var("CONCORD_FAULTS").is_ok_and(|value| value == "full")
}

/// How often something is done: in the short form, and in full.
pub fn count(short: usize, full: usize) -> usize {
    if is_full() { full } else { short }
}
