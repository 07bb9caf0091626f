//! The nouns of Concord: one file per table, typed identifiers, no queries and no GraphQL.
pub mod branches;
pub mod calendar;
pub mod fact;
pub mod file;
pub mod governance;
pub mod grids;
pub mod id;
pub mod identity;
pub mod list;
pub mod mobilizations;
pub mod rotation;
pub mod territory;
pub mod whistles;

pub use self::{
    branches::{branch_host, branch_instructor, branch_matter, branch_member_count, party_branch},
    calendar::calendar_day,
    fact::{
        checkpoint, event, event_chain, event_organization, event_pending, event_seal, hand_cursor,
        inbox_entry,
    },
    file::stored_file,
    governance::{alliance, alliance_closure, membership, organization, service_team, service_team_member},
    grids::{grid_cell, grid_cell_region, grid_network, grid_officer},
    identity::{
        account, account_link, api_key, api_key_document, api_key_scope, external_identity, idempotency_key,
        refresh_token, seat, session,
    },
    list::{
        alliance_count, breach, deadline_policy, escalation, evidence, extension, follow_up, follow_up_link,
        month_count, notice_sequence, open_due_count, priority_task, problem, problem_handler,
        problem_past_unit, problem_responsible, problem_round, problem_round_unit, problem_sequence,
        problem_setback, problem_sign_off, problem_tier_move, saved_filter, supervision_notice,
        task_carry_over, task_co_organizer, task_list, task_milestone, task_part, task_progress,
    },
    mobilizations::{
        home_report, mobilization, mobilization_batch, mobilization_check_in, mobilization_coverage,
        mobilization_need, mobilization_region, mobilization_sequence, mobilization_shift,
        mobilization_transfer, mobilization_unit, pairing, person_salt,
    },
    rotation::{
        calendar_feed, check_in, docking, handover, handover_item, rotation_block, rotation_plan,
        rotation_plan_team, rotation_slot, rotation_swap,
    },
    territory::region,
    whistles::{
        ranking, ranking_item, ranking_place, whistle, whistle_breach, whistle_escalation, whistle_response,
        whistle_sequence,
    },
};
