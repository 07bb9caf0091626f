//! The faces: GraphQL shapes over nouns and verbs. A resolver parses, calls one verb and wraps the result; it never decides.

mod ahead;
mod at_once;
pub mod bulk;
pub mod complete;
pub mod connection;
pub mod error;
pub mod governance;
pub mod id;
pub mod loaders;
pub mod needs;
pub mod node;
mod overlap;
pub mod scalar;
pub mod values;

// identity
pub mod identity;
// territory
pub mod territory;
// governance
// calendar
pub mod calendar;
// rotation
pub mod rotation;
// priority task
pub mod list;
// problem
// whistle
pub mod whistle;
// file
// fact
pub mod fact;
// import

use async_graphql::{Context, MergedObject, MergedSubscription, Schema, ValidationMode};

use crate::domain::Ctx;

/// Reads.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    governance::alliance::AllianceQuery,
    // identity
    identity::IdentityQuery,
    // territory
    territory::region::RegionQuery,
    // governance
    governance::organization::OrganizationQuery,
    governance::membership::MembershipQuery,
    governance::service_team::ServiceTeamQuery,
    // calendar
    calendar::CalendarQuery,
    // rotation
    rotation::plan::RotationPlanQuery,
    rotation::preview::RotationPreviewQuery,
    rotation::slot::RotationSlotQuery,
    rotation::handover_item::HandoverItemQuery,
    rotation::swap::RotationSwapQuery,
    rotation::feed::CalendarFeedQuery,
    // priority task
    list::open_item::OpenItemQuery,
    list::task_list::TaskListQuery,
    list::priority_task::PriorityTaskQuery,
    // problem
    list::problem::ProblemQuery,
    list::supervision::SupervisionQuery,
    list::follow_up::FollowUpQuery,
    list::statistics::StatisticsQuery,
    list::saved_filter::SavedFilterQuery,
    // whistle
    whistle::WhistleQuery,
    whistle::call::WhistleResponseQuery,
    whistle::statistics::WhistleStatisticsQuery,
    whistle::ranking::RankingQuery,
    // file
    // fact
    fact::event::EventQuery,
    fact::inbox::InboxQuery,
    // import
);

/// Changes.
#[derive(MergedObject, Default)]
pub struct Mutation(
    governance::alliance::AllianceMutation,
    // identity
    identity::IdentityMutation,
    // territory
    territory::region::RegionMutation,
    // governance
    governance::organization::OrganizationMutation,
    governance::membership::MembershipMutation,
    governance::service_team::ServiceTeamMutation,
    // calendar
    calendar::CalendarMutation,
    // rotation
    rotation::plan::RotationPlanMutation,
    rotation::slot::RotationSlotMutation,
    rotation::duty::DutyMutation,
    rotation::handover_item::HandoverItemMutation,
    rotation::swap::RotationSwapMutation,
    rotation::feed::CalendarFeedMutation,
    // priority task
    list::task_list::TaskListMutation,
    list::priority_task::PriorityTaskMutation,
    list::carry_over::CarryOverMutation,
    list::cascade::CascadeMutation,
    // problem
    list::problem_mutation::ProblemMutation,
    list::deadline::DeadlineMutation,
    list::supervision::SupervisionMutation,
    list::problem_part::ProblemPartMutation,
    list::problem_decision::ProblemDecisionMutation,
    list::problem_round::ProblemRoundMutation,
    list::follow_up::FollowUpMutation,
    list::problem_merge::ProblemMergeMutation,
    list::escalation::EscalationMutation,
    list::evidence::EvidenceMutation,
    bulk::BulkMutation,
    list::saved_filter::SavedFilterMutation,
    // whistle
    whistle::mutation::WhistleMutation,
    // file
    // fact
    fact::inbox::InboxMutation,
    // import
);

/// Live tails: each begins after a position, and can be resumed there.
#[derive(MergedSubscription, Default)]
pub struct Subscription(fact::event::EventSubscription, fact::inbox::InboxSubscription);

/// The schema of the one endpoint.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// Builds the schema. Limits are the door's business, not the library's.
pub fn schema() -> ApiSchema {
    schema_with(ValidationMode::Strict)
}

/// Builds the schema with a mode of validation; `Fast` is for texts that have passed `Strict`.
pub fn schema_with(validation: ValidationMode) -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .validation_mode(validation)
        .disable_suggestions()
        .finish()
}

/// The request's context, which the door puts in.
pub(crate) fn ctx<'a>(context: &'a Context<'_>) -> &'a Ctx {
    context.data_unchecked::<Ctx>()
}

/// The schema in SDL, as committed in `schema.graphql`.
pub fn sdl() -> String {
    schema().sdl_with_options(
        async_graphql::SDLExportOptions::new()
            .sorted_fields()
            .sorted_arguments()
            .sorted_enum_items()
            .include_specified_by(),
    )
}
