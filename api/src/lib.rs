//! Concord (合治): the platform on which the organisations that govern one place together coordinate.
//!
//! Arrows: `main -> app -> http -> graphql -> domain -> entities`, `background -> domain`. ARCHITECTURE.md tells the rest.
// The two roots are merged of many parts, one within the other.
#![recursion_limit = "256"]

pub mod app;
pub mod background;
pub mod cli;
pub mod config;
pub mod database;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod import;
pub mod messages;
pub mod outbound;
pub mod storage;
pub mod telemetry;

#[cfg(test)]
mod fuzz;
