//! The harness: a whole app under a clock that tests move, on a database of its own, with clients by role.
//! Setup goes through verbs, not rows.

mod app;
pub mod contract;
pub mod database;
pub mod introspection;
pub mod process;
pub mod proving;
mod server;
pub mod specimens;
mod world;

pub use self::{
    app::{Answer, Answers, Client, Frozen, TestApp, TestClock},
    server::Server,
    world::World,
};
