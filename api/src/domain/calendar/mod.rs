//! The working calendar.
pub mod working_day;
