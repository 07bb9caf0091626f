//! Where: the tree of regions, official down to the village level, local below it.

pub mod region;
