//! The history of Concord's tables: append-only, expand before contract. Never imports the entities.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod build;
mod m20261123_000001_foundation;
mod m20261123_000002_invariants;
mod m20261126_000001_independence;
mod m20261126_000002_invited_units;
mod m20261126_000003_counts;
mod m20261126_000004_rework;
mod m20261126_000005_ended_sessions;
mod m20261126_000006_due_told;
            Box::new(m20261127_000001_checkpoints::Migration),
            Box::new(m20261127_000002_erasure::Migration),
            Box::new(m20261127_000003_bound_keys::Migration),
