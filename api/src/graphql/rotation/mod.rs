//! Faces of the rotation: plans, turns, what a turn owes, swaps and calendar feeds.

mod batch;
pub mod duty;
pub mod feed;
pub mod handover_item;
pub mod plan;
pub mod preview;
pub mod slot;
pub mod swap;
