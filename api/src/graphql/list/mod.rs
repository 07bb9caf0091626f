//! Faces of the two lists.

pub mod counts;
// priority task
pub mod carry_over;
pub mod cascade;
pub mod open_item;
pub mod priority_task;
pub mod task_input;
pub mod task_list;
pub mod task_parts;
// problem
pub mod deadline;
pub mod escalation;
pub mod evidence;
pub mod facets;
pub mod follow_up;
pub mod person;
pub mod problem;
mod problem_batch;
pub mod problem_decision;
pub mod problem_filter;
pub mod problem_merge;
pub mod problem_mutation;
pub mod problem_part;
pub mod problem_round;
pub mod saved_filter;
pub mod statistics;
pub mod supervision;
pub mod transition;
