//! Whose turn it is.
pub mod block;
pub mod check_in;
pub mod docking;
pub mod fair;
mod fair_matching;
mod fair_search;
pub mod feed;
pub mod generate;
pub mod handover;
pub mod handover_item;
pub mod ical;
pub mod plan;
pub mod publish;
pub mod slot;
pub mod slots;
pub mod states;
pub mod swap;
pub mod timetable;
