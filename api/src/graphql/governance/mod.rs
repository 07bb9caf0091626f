//! Faces of alliances, organisations, memberships and teams.

pub mod alliance;
pub mod organization;
