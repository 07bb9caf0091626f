//! Faces of the two lists.

// priority task
pub mod priority_task;
pub mod task_input;
pub mod task_list;
pub mod task_parts;
// problem
pub mod transition;
