//! Whistles: a town calls departments, which report in and answer. Tables only; the verbs stand in the `concord` crate.
pub mod ranking;
pub mod ranking_item;
pub mod ranking_place;
pub mod whistle;
pub mod whistle_breach;
pub mod whistle_escalation;
pub mod whistle_response;
pub mod whistle_sequence;
