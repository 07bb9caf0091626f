//! Faces of the two lists.

// priority task
// problem
pub mod evidence;
pub mod person;
pub mod problem;
pub mod problem_counts;
pub mod problem_mutation;
pub mod transition;
