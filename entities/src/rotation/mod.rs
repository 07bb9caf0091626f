//! Whose month it is: plans, slots, swaps and what a turn owes. Tables only; the verbs stand in the `concord` crate.
pub mod calendar_feed;
pub mod check_in;
pub mod docking;
pub mod handover;
pub mod handover_item;
pub mod rotation_block;
pub mod rotation_plan;
pub mod rotation_plan_team;
pub mod rotation_slot;
pub mod rotation_swap;
