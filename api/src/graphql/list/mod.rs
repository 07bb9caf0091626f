//! Faces of the two lists.

// priority task
// problem
pub mod transition;
