//! Faces of the territory.

pub mod region;
