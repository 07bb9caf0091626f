//! Faces of what happened: histories, changes, inboxes, and their live tails.

pub mod event;
pub mod inbox;
