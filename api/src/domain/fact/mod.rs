//! What happened, as people and programs read it: histories, changes by position, live tails, inboxes.

pub mod audience;
pub mod changes;
pub mod erasure;
pub mod follow;
pub mod history;
pub mod inbox;
pub mod inbox_rules;
