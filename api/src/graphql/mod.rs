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
// grid
pub mod grid;
// mobilization
pub mod mobilization;
// party branch
pub mod branch;
// file
// fact
pub mod fact;
// import

use async_graphql::{Context, MergedObject, MergedSubscription, Schema, ValidationMode};

use crate::domain::Ctx;

// The rooms group their root fields: the library asks one group after the other, each from within the one before.

/// Reads.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    governance::GovernanceQuery,
    // identity
    identity::IdentityQuery,
    // territory
    territory::region::RegionQuery,
    // governance
    // calendar
    calendar::CalendarQuery,
    // rotation
    rotation::RotationQuery,
    // priority task
    list::TaskQuery,
    // problem
    list::ProblemsQuery,
    // whistle
    whistle::WhistlesQuery,
    // grid
    grid::GridsQuery,
    // mobilization
    mobilization::MobilizationsQuery,
    // party branch
    branch::BranchesQuery,
    // file
    // fact
    fact::event::EventQuery,
    fact::inbox::InboxQuery,
    // import
);

/// Changes.
#[derive(MergedObject, Default)]
pub struct Mutation(
    governance::GovernanceMutation,
    // identity
    identity::IdentityMutation,
    // territory
    territory::region::RegionMutation,
    // governance
    // calendar
    calendar::CalendarMutation,
    // rotation
    rotation::RotationMutation,
    // priority task
    list::TaskMutation,
    // problem
    list::ProblemsMutation,
    list::ProblemCourseMutation,
    bulk::BulkMutation,
    // whistle
    whistle::mutation::WhistleMutation,
    // grid
    grid::mutation::GridMutation,
    // mobilization
    mobilization::mutation::MobilizationsMutation,
    // party branch
    branch::mutation::BranchMutation,
    // file
    // fact
    fact::inbox::InboxMutation,
    // import
);

/// Live tails: each begins after a position, and can be resumed there.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    fact::event::EventSubscription,
    fact::inbox::InboxSubscription,
    mobilization::live::MobilizationSubscription,
);

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
