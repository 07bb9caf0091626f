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

use async_graphql::MergedObject;

/// Reads of priority tasks.
#[derive(MergedObject, Default)]
pub struct TaskQuery(open_item::OpenItemQuery, task_list::TaskListQuery, priority_task::PriorityTaskQuery);

/// Reads of problems.
#[derive(MergedObject, Default)]
pub struct ProblemsQuery(
    problem::ProblemQuery,
    supervision::SupervisionQuery,
    follow_up::FollowUpQuery,
    statistics::StatisticsQuery,
    saved_filter::SavedFilterQuery,
);

/// Changes of priority tasks.
#[derive(MergedObject, Default)]
pub struct TaskMutation(
    task_list::TaskListMutation,
    priority_task::PriorityTaskMutation,
    carry_over::CarryOverMutation,
    cascade::CascadeMutation,
);

/// Changes of problems as they are handled.
#[derive(MergedObject, Default)]
pub struct ProblemsMutation(
    problem_mutation::ProblemMutation,
    deadline::DeadlineMutation,
    supervision::SupervisionMutation,
    problem_part::ProblemPartMutation,
    problem_decision::ProblemDecisionMutation,
    evidence::EvidenceMutation,
);

/// Changes of where problems go on.
#[derive(MergedObject, Default)]
pub struct ProblemCourseMutation(
    problem_round::ProblemRoundMutation,
    follow_up::FollowUpMutation,
    problem_merge::ProblemMergeMutation,
    escalation::EscalationMutation,
    saved_filter::SavedFilterMutation,
);
