//! The suite: one binary, one file per capability.

mod alliance;
mod demo;
mod door;
mod golden;
mod guard_architecture;
mod guard_contract;
mod guard_history;
mod guard_policy;
mod server;

// identity
mod account;
mod account_power;
mod api_key;
mod external_identity;
mod session;
// territory
mod region;
// governance
mod membership;
mod organization;
mod service_team;
// calendar
mod calendar;
// rotation
mod counts;
mod rotation;
// priority task
mod open_item;
mod priority_task;
mod priority_task_load;
mod task_list;
// problem
mod problem;
mod problem_load;
// file
mod evidence;
mod file;
// fact
mod chain;
mod changes;
mod history;
mod inbox;
// import
mod import;
mod import_problems;
