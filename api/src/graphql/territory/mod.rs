//! Faces of regions.

pub mod region;
