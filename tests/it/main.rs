//! The suite: one binary, one file per capability.

mod alliance;
mod golden;

// identity
// territory
// governance
// calendar
// rotation
// priority task
// problem
// file
// fact
mod chain;
mod changes;
mod history;
mod inbox;
// import
