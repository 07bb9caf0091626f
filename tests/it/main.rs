//! The suite: one binary, one file per capability.

mod alliance;
mod door;
mod server;

// identity
// territory
// governance
// calendar
// rotation
// priority task
// problem
// file
// fact
// import
