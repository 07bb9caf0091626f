//! The two lists: priority tasks and problems, with their evidence. Tables only; the verbs stand in the `concord` crate.
pub mod alliance_count;
pub mod evidence;
pub mod month_count;
pub mod open_due_count;
pub mod priority_task;
pub mod problem;
pub mod problem_handler;
pub mod problem_responsible;
pub mod problem_sequence;
pub mod saved_filter;
pub mod task_co_organizer;
pub mod task_list;
pub mod task_milestone;
pub mod task_progress;
