//! The faces: GraphQL shapes over nouns and verbs. A resolver parses, calls one verb and wraps the result; it never decides.

pub mod connection;
pub mod error;
pub mod governance;
pub mod id;
pub mod loaders;
pub mod node;
pub mod scalar;

// identity
// territory
pub mod territory;
// governance
// calendar
pub mod calendar;
// rotation
// priority task
pub mod list;
// problem
// file
// fact
// import

use async_graphql::{Context, MergedObject, Schema};

use crate::domain::Ctx;

/// Reads.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    governance::alliance::AllianceQuery,
    // identity
    // territory
    territory::region::RegionQuery,
    // governance
    governance::organization::OrganizationQuery,
    governance::membership::MembershipQuery,
    governance::service_team::ServiceTeamQuery,
    // calendar
    calendar::CalendarQuery,
    // rotation
    // priority task
    // problem
    // file
    // fact
    // import
);

/// Changes.
#[derive(MergedObject, Default)]
pub struct Mutation(
    governance::alliance::AllianceMutation,
    // identity
    // territory
    territory::region::RegionMutation,
    // governance
    governance::organization::OrganizationMutation,
    governance::membership::MembershipMutation,
    governance::service_team::ServiceTeamMutation,
    // calendar
    calendar::CalendarMutation,
    // rotation
    // priority task
    // problem
    // file
    // fact
    // import
);

/// The schema of the one endpoint.
pub type ApiSchema = Schema<Query, Mutation, async_graphql::EmptySubscription>;

/// Builds the schema. Limits are the door's business, not the library's.
pub fn schema() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), async_graphql::EmptySubscription)
        .disable_suggestions()
        .finish()
}

/// The request's context, which the door puts in.
pub(crate) fn ctx<'a>(context: &'a Context<'_>) -> &'a Ctx {
    context.data_unchecked::<Ctx>()
}
