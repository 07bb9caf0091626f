//! The working calendar.
pub mod store;
pub mod working_day;
