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
mod m20261126_000007_member_order;
mod m20261127_000001_checkpoints;
mod m20261127_000002_erasure;
mod m20261127_000003_bound_keys;
mod m20261128_000041_saved_filters;

/// All migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_foundation::Migration),
            Box::new(m20261123_000002_invariants::Migration),
            Box::new(m20261126_000001_independence::Migration),
            Box::new(m20261126_000002_invited_units::Migration),
            Box::new(m20261126_000003_counts::Migration),
            Box::new(m20261126_000004_rework::Migration),
            Box::new(m20261126_000005_ended_sessions::Migration),
            Box::new(m20261126_000006_due_told::Migration),
            Box::new(m20261126_000007_member_order::Migration),
            Box::new(m20261127_000001_checkpoints::Migration),
            Box::new(m20261127_000002_erasure::Migration),
            Box::new(m20261127_000003_bound_keys::Migration),
            Box::new(m20261128_000041_saved_filters::Migration),
        ]
    }
}
