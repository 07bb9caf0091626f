//! The harness: a whole app under a clock that tests move, on a database of its own, with clients by role.
//! Setup goes through verbs, not rows.

mod app;
mod database;
pub mod proving;
mod server;
mod world;

pub use self::{
    app::{Answer, Answers, Client, TestApp, TestClock},
    server::Server,
    world::World,
};
