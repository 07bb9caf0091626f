//! Faces of alliances, organisations, memberships and teams.

pub mod alliance;
pub mod membership;
pub mod organization;
pub mod service_team;

use async_graphql::MergedObject;

/// Reads of alliances and their members.
#[derive(MergedObject, Default)]
pub struct GovernanceQuery(
    alliance::AllianceQuery,
    organization::OrganizationQuery,
    membership::MembershipQuery,
    service_team::ServiceTeamQuery,
);

/// Changes of alliances and their members.
#[derive(MergedObject, Default)]
pub struct GovernanceMutation(
    alliance::AllianceMutation,
    organization::OrganizationMutation,
    membership::MembershipMutation,
    service_team::ServiceTeamMutation,
);
