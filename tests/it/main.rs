//! The suite: one binary, one file per capability.

mod alliance;
