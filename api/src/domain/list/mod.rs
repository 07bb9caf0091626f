//! The two lists: priority tasks and the problems of the closure list.

pub mod counts;
pub mod facets;
pub mod recount;
pub mod saved_filter;
pub mod search;
pub mod statistics;
// priority task
pub mod carry_over;
pub mod cascade;
pub mod due;
pub mod open_item;
pub mod priority_task;
mod task_checks;
pub mod task_list;
pub mod task_milestone;
pub mod task_read;
pub mod task_states;
// problem
pub mod certificate;
pub mod deadline;
pub mod deadline_policy;
pub mod evidence;
pub mod extension;
pub mod follow_up;
pub mod problem;
pub mod problem_part_states;
pub mod problem_states;
mod rates;
mod recalculation;
pub mod sequence;
pub mod supervision;
pub mod transition;
