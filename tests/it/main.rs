//! The suite: one binary, one file per capability.

mod alliance;

// identity
// territory
mod region;
// governance
mod membership;
mod organization;
mod service_team;
// calendar
mod calendar;
// rotation
// priority task
// problem
// file
// fact
// import
mod import;
