//! Faces of alliances, organisations, memberships and teams.

pub mod alliance;
pub mod membership;
pub mod organization;
pub mod service_team;
