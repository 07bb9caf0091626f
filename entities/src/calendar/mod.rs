//! Which days are worked. Tables only; the verbs stand in the `concord` crate.
pub mod calendar_day;
