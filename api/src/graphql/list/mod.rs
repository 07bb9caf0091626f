//! Faces of the two lists.

pub mod counts;
// priority task
pub mod open_item;
pub mod priority_task;
pub mod task_input;
pub mod task_list;
pub mod task_parts;
// problem
pub mod evidence;
pub mod facets;
pub mod person;
pub mod problem;
mod problem_batch;
pub mod problem_mutation;
pub mod saved_filter;
pub mod statistics;
pub mod transition;
