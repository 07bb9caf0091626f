//! Whose turn it is.
pub mod fair;
mod fair_matching;
mod fair_search;
pub mod ical;
pub mod slots;
