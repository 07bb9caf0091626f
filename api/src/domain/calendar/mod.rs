//! The working calendar.
pub mod days;
pub mod store;
pub mod working_day;
