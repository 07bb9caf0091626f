//! Stored bytes. Tables only; the verbs stand in the `concord` crate.
pub mod stored_file;
