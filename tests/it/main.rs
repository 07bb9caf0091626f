//! The suite: one binary, one file per capability.

mod alliance;
mod door;
mod server;

// identity
mod account;
mod account_power;
mod api_key;
mod external_identity;
mod session;
// territory
// governance
// calendar
// rotation
// priority task
mod priority_task;
mod priority_task_load;
mod task_list;
// problem
// file
// fact
// import
