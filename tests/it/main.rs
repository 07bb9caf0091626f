//! The suite: one binary, one file per capability.

mod alliance;

// identity
// territory
// governance
// calendar
// rotation
// priority task
// problem
mod problem;
// file
mod evidence;
mod file;
// fact
// import
mod import_problems;
