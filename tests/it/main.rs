//! The suite: one binary, one file per capability.

mod alliance;
mod door;
mod server;

// identity
// territory
mod region;
// governance
mod membership;
mod organization;
mod service_team;
// calendar
// rotation
mod rotation;
// priority task
mod priority_task;
mod priority_task_load;
mod task_list;
// problem
// file
// fact
// import
