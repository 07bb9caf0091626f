//! The two lists: priority tasks and the problems of the closure list.

// priority task
// problem
pub mod transition;
