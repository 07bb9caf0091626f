//! Grids (网格): networks of cells laid over one territory, and who holds each cell. Tables only; the verbs stand in the `concord` crate.
pub mod grid_cell;
pub mod grid_cell_region;
pub mod grid_network;
pub mod grid_officer;
