//! The two lists: priority tasks and the problems of the closure list.

// priority task
// problem
pub mod evidence;
pub mod problem;
pub mod problem_states;
pub mod transition;
