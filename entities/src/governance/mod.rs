//! Who governs together: organisations, alliances, their members and teams. Tables only; the verbs stand in the `concord` crate.
pub mod alliance;
pub mod alliance_closure;
pub mod membership;
pub mod organization;
pub mod service_team;
pub mod service_team_member;
