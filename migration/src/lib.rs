//! The history of Concord's tables: append-only, expand before contract. Never imports the entities.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod build;
mod counted;
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
mod m20261128_000001_clocks;
mod m20261128_000011_joint_parts;
mod m20261128_000012_on_account;
mod m20261128_000013_sign_offs;
mod m20261128_000014_tier_moves;
mod m20261128_000021_rounds;
mod m20261128_000022_follow_up;
mod m20261128_000023_merge;
mod m20261128_000024_escalation;
mod m20261128_000031_carry_over;
mod m20261128_000032_cascade;
mod m20261128_000033_handover_items;
mod m20261128_000041_saved_filters;
mod m20261128_000051_review_told;
mod m20261129_000001_asked_independently;
mod m20261129_000011_tried_at;
mod m20261129_000012_due_told_of_problems;
mod m20261129_000013_closed_rounds;
mod m20261130_000001_whistles;
mod m20261130_000002_rankings;
mod m20261201_000001_mobilizations;
mod m20261202_000001_grids;
mod m20261202_000002_branches;
mod m20261203_000001_whistle_notices;
mod m20261203_000002_whistle_policy;
mod m20261203_000003_whistle_escalations;
mod m20261203_000004_round_units;
mod m20261203_000005_month_rounds;
mod m20261203_000006_follow_up_told;
mod m20261205_000001_counted_from_the_start;
mod m20261205_000002_moved_home;
mod m20261205_000003_matters_taken_back;
mod m20261206_000001_rounds_stay;
mod m20261206_000002_breach_of_lead;
mod m20261206_000003_firm_dates;
mod m20261206_000004_past_units;
mod m20261207_000001_never_stood;
mod m20261207_000011_earlier_firsts;
mod m20261208_000001_clocks_begin;
mod m20261208_000002_late_once;
mod m20261208_000011_setbacks;
mod m20261208_000021_moved_regions;
mod m20261208_000031_excluded_answers;
mod m20261209_000011_task_reminders;
mod m20261209_000012_unanswered_notices;
mod m20261209_000031_last_seen;
mod m20261209_000041_resting_in_time;
mod m20261209_000051_kept_progress;
mod m20261209_000052_kept_notices;
mod m20261210_000001_rounds_rest;
mod m20261210_000002_posts_end_with_their_cell;
mod refusal;

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
            Box::new(m20261128_000001_clocks::Migration),
            Box::new(m20261128_000011_joint_parts::Migration),
            Box::new(m20261128_000012_on_account::Migration),
            Box::new(m20261128_000013_sign_offs::Migration),
            Box::new(m20261128_000014_tier_moves::Migration),
            Box::new(m20261128_000021_rounds::Migration),
            Box::new(m20261128_000022_follow_up::Migration),
            Box::new(m20261128_000023_merge::Migration),
            Box::new(m20261128_000024_escalation::Migration),
            Box::new(m20261128_000031_carry_over::Migration),
            Box::new(m20261128_000032_cascade::Migration),
            Box::new(m20261128_000033_handover_items::Migration),
            Box::new(m20261128_000041_saved_filters::Migration),
            Box::new(m20261128_000051_review_told::Migration),
            Box::new(m20261129_000001_asked_independently::Migration),
            Box::new(m20261129_000011_tried_at::Migration),
            Box::new(m20261129_000012_due_told_of_problems::Migration),
            Box::new(m20261129_000013_closed_rounds::Migration),
            Box::new(m20261130_000001_whistles::Migration),
            Box::new(m20261130_000002_rankings::Migration),
            Box::new(m20261201_000001_mobilizations::Migration),
            Box::new(m20261202_000001_grids::Migration),
            Box::new(m20261202_000002_branches::Migration),
            Box::new(m20261203_000001_whistle_notices::Migration),
            Box::new(m20261203_000002_whistle_policy::Migration),
            Box::new(m20261203_000003_whistle_escalations::Migration),
            Box::new(m20261203_000004_round_units::Migration),
            Box::new(m20261203_000005_month_rounds::Migration),
            Box::new(m20261203_000006_follow_up_told::Migration),
            Box::new(m20261205_000001_counted_from_the_start::Migration),
            Box::new(m20261205_000002_moved_home::Migration),
            Box::new(m20261205_000003_matters_taken_back::Migration),
            Box::new(m20261206_000001_rounds_stay::Migration),
            Box::new(m20261206_000002_breach_of_lead::Migration),
            Box::new(m20261206_000003_firm_dates::Migration),
            Box::new(m20261206_000004_past_units::Migration),
            Box::new(m20261207_000001_never_stood::Migration),
            Box::new(m20261207_000011_earlier_firsts::Migration),
            Box::new(m20261208_000001_clocks_begin::Migration),
            Box::new(m20261208_000002_late_once::Migration),
            Box::new(m20261208_000011_setbacks::Migration),
            Box::new(m20261208_000021_moved_regions::Migration),
            Box::new(m20261208_000031_excluded_answers::Migration),
            Box::new(m20261209_000011_task_reminders::Migration),
            Box::new(m20261209_000012_unanswered_notices::Migration),
            Box::new(m20261209_000031_last_seen::Migration),
            Box::new(m20261209_000041_resting_in_time::Migration),
            Box::new(m20261209_000051_kept_progress::Migration),
            Box::new(m20261209_000052_kept_notices::Migration),
            Box::new(m20261210_000001_rounds_rest::Migration),
            Box::new(m20261210_000002_posts_end_with_their_cell::Migration),
        ]
    }
}
