//! Where: the tree of official regions, down to the building. Tables only; the verbs stand in the `concord` crate.
pub mod region;
