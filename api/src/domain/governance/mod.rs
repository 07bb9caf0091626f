//! Who governs together: organisations, alliances, and the seats that members hold in them.

pub mod alliance;
pub mod membership;
pub mod organization;
pub mod service_team;
