//! The first tables, as of the foundation. Append a new file for every later change; this one stays as it is.

use sea_orm_migration::prelude::*;

use crate::build::{
    big_integer, boolean, bytes, create, date, double, index, integer, optional, serial, string, text,
    timestamp, unique, uuid,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "account",
            &["id"],
            vec![
                uuid("id"),
                unique(string("username", 64)),
                string("display_name", 128),
                optional(string("phone", 32)),
                optional(string("password_hash", 256)),
                string("state", 24),
                boolean("is_platform_admin"),
                integer("failed_attempts"),
                optional(timestamp("locked_until_at")),
                timestamp("created_at"),
                optional(timestamp("disabled_at")),
                big_integer("version"),
            ],
            &[],
        )
        .await?;
        create(
            manager,
            "external_identity",
            &["id"],
            vec![
                uuid("id"),
                uuid("account_id"),
                string("issuer", 256),
                string("subject", 256),
                timestamp("created_at"),
            ],
            &[("account_id", "account")],
        )
        .await?;
        index(manager, "external_identity", &["issuer", "subject"], true, None).await?;
        create(
            manager,
            "session",
            &["id"],
            vec![
                uuid("id"),
                uuid("account_id"),
                timestamp("created_at"),
                timestamp("expires_at"),
                optional(timestamp("ended_at")),
                optional(string("ended_reason", 24)),
            ],
            &[("account_id", "account")],
        )
        .await?;
        index(manager, "session", &["account_id"], false, None).await?;
        create(
            manager,
            "refresh_token",
            &["id"],
            vec![
                uuid("id"),
                uuid("session_id"),
                unique(bytes("hash", 32)),
                timestamp("issued_at"),
                timestamp("expires_at"),
                optional(timestamp("redeemed_at")),
            ],
            &[("session_id", "session")],
        )
        .await?;
        index(manager, "refresh_token", &["session_id"], false, None).await?;
        create(
            manager,
            "account_link",
            &["id"],
            vec![
                uuid("id"),
                uuid("account_id"),
                string("purpose", 24),
                unique(bytes("hash", 32)),
                optional(uuid("created_by")),
                timestamp("created_at"),
                timestamp("expires_at"),
                optional(timestamp("used_at")),
            ],
            &[("account_id", "account")],
        )
        .await?;
        index(manager, "account_link", &["account_id"], false, None).await?;
        create(
            manager,
            "region",
            &["id"],
            vec![
                uuid("id"),
                optional(uuid("parent_id")),
                unique(optional(string("code", 12))),
                string("name", 128),
                string("level", 24),
                string("path", 400),
                timestamp("created_at"),
            ],
            &[("parent_id", "region")],
        )
        .await?;
        index(manager, "region", &["parent_id"], false, None).await?;
        index(manager, "region", &["path"], false, None).await?;
        create(
            manager,
            "organization",
            &["id"],
            vec![
                uuid("id"),
                string("name", 200),
                optional(string("short_name", 64)),
                string("kind", 24),
                unique(optional(string("credit_code", 18))),
                optional(uuid("region_id")),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[("region_id", "region")],
        )
        .await?;
        index(manager, "organization", &["name"], false, None).await?;
        index(manager, "organization", &["region_id"], false, None).await?;
        create(
            manager,
            "alliance",
            &["id"],
            vec![
                uuid("id"),
                string("name", 200),
                uuid("region_id"),
                optional(uuid("parent_id")),
                optional(uuid("committee_organization_id")),
                optional(uuid("oversight_organization_id")),
                string("time_zone", 64),
                string("number_pattern", 64),
                integer("check_in_working_day"),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[
                ("region_id", "region"),
                ("parent_id", "alliance"),
                ("committee_organization_id", "organization"),
                ("oversight_organization_id", "organization"),
            ],
        )
        .await?;
        index(manager, "alliance", &["parent_id"], false, None).await?;
        index(manager, "alliance", &["region_id"], false, None).await?;
        create(
            manager,
            "seat",
            &["id"],
            vec![
                uuid("id"),
                uuid("account_id"),
                uuid("alliance_id"),
                string("role", 24),
                optional(uuid("organization_id")),
                optional(uuid("region_id")),
                string("state", 24),
                optional(uuid("granted_by")),
                timestamp("granted_at"),
                optional(timestamp("ended_at")),
                big_integer("version"),
            ],
            &[
                ("account_id", "account"),
                ("alliance_id", "alliance"),
                ("organization_id", "organization"),
                ("region_id", "region"),
            ],
        )
        .await?;
        index(manager, "seat", &["account_id", "state"], false, None).await?;
        index(manager, "seat", &["alliance_id", "state"], false, None).await?;
        index(manager, "seat", &["organization_id"], false, None).await?;
        create(
            manager,
            "api_key",
            &["id"],
            vec![
                uuid("id"),
                string("name", 128),
                unique(string("prefix", 16)),
                bytes("hash", 32),
                uuid("alliance_id"),
                optional(uuid("created_by")),
                timestamp("created_at"),
                timestamp("expires_at"),
                optional(timestamp("revoked_at")),
                optional(timestamp("last_used_at")),
            ],
            &[("alliance_id", "alliance")],
        )
        .await?;
        index(manager, "api_key", &["alliance_id"], false, None).await?;
        create(
            manager,
            "api_key_scope",
            &["api_key_id", "alliance_id"],
            vec![uuid("api_key_id"), uuid("alliance_id")],
            &[("api_key_id", "api_key"), ("alliance_id", "alliance")],
        )
        .await?;
        create(
            manager,
            "idempotency_key",
            &["actor", "key"],
            vec![
                string("actor", 64),
                string("key", 255),
                bytes("digest", 32),
                optional(uuid("result_id")),
                timestamp("created_at"),
            ],
            &[],
        )
        .await?;
        index(manager, "idempotency_key", &["created_at"], false, None).await?;
        create(
            manager,
            "alliance_closure",
            &["ancestor_id", "descendant_id"],
            vec![uuid("ancestor_id"), uuid("descendant_id"), integer("depth")],
            &[("ancestor_id", "alliance"), ("descendant_id", "alliance")],
        )
        .await?;
        index(manager, "alliance_closure", &["descendant_id"], false, None).await?;
        create(
            manager,
            "membership",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                uuid("organization_id"),
                string("state", 24),
                optional(string("contact_name", 64)),
                optional(string("contact_title", 64)),
                optional(string("contact_phone", 32)),
                optional(text("reason")),
                timestamp("created_at"),
                optional(timestamp("admitted_at")),
                optional(timestamp("ended_at")),
                big_integer("version"),
            ],
            &[("alliance_id", "alliance"), ("organization_id", "organization")],
        )
        .await?;
        index(manager, "membership", &["alliance_id", "state"], false, None).await?;
        index(manager, "membership", &["organization_id"], false, None).await?;
        index(manager, "membership", &["alliance_id", "organization_id"], true, Some("ended_at IS NULL"))
            .await?;
        create(
            manager,
            "service_team",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                string("name", 128),
                uuid("lead_organization_id"),
                string("captain_name", 64),
                optional(string("captain_title", 64)),
                optional(string("captain_phone", 32)),
                optional(string("liaison_name", 64)),
                optional(string("liaison_phone", 32)),
                timestamp("created_at"),
                optional(timestamp("ended_at")),
                big_integer("version"),
            ],
            &[("alliance_id", "alliance"), ("lead_organization_id", "organization")],
        )
        .await?;
        index(manager, "service_team", &["alliance_id", "name"], true, Some("ended_at IS NULL")).await?;
        create(
            manager,
            "service_team_member",
            &["team_id", "organization_id"],
            vec![uuid("team_id"), uuid("organization_id"), uuid("alliance_id"), timestamp("joined_at")],
            &[("team_id", "service_team"), ("organization_id", "organization"), ("alliance_id", "alliance")],
        )
        .await?;
        index(manager, "service_team_member", &["organization_id"], false, None).await?;
        create(
            manager,
            "rotation_plan",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                string("name", 128),
                date("anchor_on"),
                string("cadence_unit", 24),
                integer("cadence_every"),
                integer("slot_count"),
                string("state", 24),
                optional(uuid("approved_by")),
                optional(timestamp("approved_at")),
                optional(timestamp("published_at")),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[("alliance_id", "alliance")],
        )
        .await?;
        index(manager, "rotation_plan", &["alliance_id"], false, None).await?;
        create(
            manager,
            "rotation_plan_team",
            &["plan_id", "team_id"],
            vec![uuid("plan_id"), uuid("team_id"), integer("place")],
            &[("plan_id", "rotation_plan"), ("team_id", "service_team")],
        )
        .await?;
        index(manager, "rotation_plan_team", &["plan_id", "place"], true, None).await?;
        create(
            manager,
            "rotation_block",
            &["id"],
            vec![
                uuid("id"),
                uuid("plan_id"),
                uuid("team_id"),
                integer("slot_number"),
                text("reason"),
                optional(uuid("created_by")),
                timestamp("created_at"),
            ],
            &[("plan_id", "rotation_plan"), ("team_id", "service_team")],
        )
        .await?;
        index(manager, "rotation_block", &["plan_id", "team_id", "slot_number"], true, None).await?;
        create(
            manager,
            "rotation_slot",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                uuid("plan_id"),
                integer("number"),
                date("starts_on"),
                date("ends_on"),
                uuid("team_id"),
                string("origin", 24),
                string("state", 24),
                optional(text("reason")),
                optional(timestamp("missed_at")),
                timestamp("updated_at"),
                big_integer("version"),
            ],
            &[("alliance_id", "alliance"), ("plan_id", "rotation_plan"), ("team_id", "service_team")],
        )
        .await?;
        index(manager, "rotation_slot", &["plan_id", "number"], true, None).await?;
        index(manager, "rotation_slot", &["alliance_id", "starts_on"], false, None).await?;
        index(manager, "rotation_slot", &["team_id"], false, None).await?;
        create(
            manager,
            "rotation_swap",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                uuid("plan_id"),
                uuid("first_slot_id"),
                uuid("second_slot_id"),
                uuid("first_team_id"),
                uuid("second_team_id"),
                big_integer("first_slot_version"),
                big_integer("second_slot_version"),
                string("state", 24),
                text("reason"),
                optional(uuid("proposed_by")),
                optional(uuid("first_agreed_by")),
                optional(timestamp("first_agreed_at")),
                boolean("first_by_committee"),
                optional(uuid("second_agreed_by")),
                optional(timestamp("second_agreed_at")),
                boolean("second_by_committee"),
                optional(uuid("decided_by")),
                optional(timestamp("decided_at")),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[
                ("alliance_id", "alliance"),
                ("plan_id", "rotation_plan"),
                ("first_slot_id", "rotation_slot"),
                ("second_slot_id", "rotation_slot"),
                ("first_team_id", "service_team"),
                ("second_team_id", "service_team"),
            ],
        )
        .await?;
        index(manager, "rotation_swap", &["alliance_id"], false, None).await?;
        index(manager, "rotation_swap", &["first_slot_id"], false, None).await?;
        index(manager, "rotation_swap", &["second_slot_id"], false, None).await?;
        create(
            manager,
            "check_in",
            &["id"],
            vec![
                uuid("id"),
                uuid("slot_id"),
                uuid("alliance_id"),
                timestamp("came_at"),
                string("place", 200),
                integer("head_count"),
                optional(text("attendees")),
                optional(uuid("recorded_by")),
                timestamp("recorded_at"),
            ],
            &[("slot_id", "rotation_slot"), ("alliance_id", "alliance")],
        )
        .await?;
        index(manager, "check_in", &["slot_id"], false, None).await?;
        create(
            manager,
            "docking",
            &["id"],
            vec![
                uuid("id"),
                uuid("slot_id"),
                uuid("alliance_id"),
                string("counterpart", 24),
                optional(uuid("region_id")),
                optional(uuid("organization_id")),
                timestamp("held_at"),
                optional(string("place", 200)),
                optional(text("minutes")),
                boolean("confirms_tasks"),
                boolean("confirms_problems"),
                optional(uuid("recorded_by")),
                timestamp("recorded_at"),
            ],
            &[
                ("slot_id", "rotation_slot"),
                ("alliance_id", "alliance"),
                ("region_id", "region"),
                ("organization_id", "organization"),
            ],
        )
        .await?;
        index(manager, "docking", &["slot_id"], false, None).await?;
        create(
            manager,
            "handover",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                unique(uuid("slot_id")),
                uuid("next_slot_id"),
                optional(text("note")),
                optional(uuid("offered_by")),
                timestamp("offered_at"),
                optional(uuid("acknowledged_by")),
                optional(timestamp("acknowledged_at")),
                big_integer("version"),
            ],
            &[("alliance_id", "alliance"), ("slot_id", "rotation_slot"), ("next_slot_id", "rotation_slot")],
        )
        .await?;
        create(
            manager,
            "calendar_feed",
            &["id"],
            vec![
                uuid("id"),
                uuid("account_id"),
                uuid("plan_id"),
                unique(bytes("hash", 32)),
                timestamp("created_at"),
                optional(timestamp("revoked_at")),
            ],
            &[("account_id", "account"), ("plan_id", "rotation_plan")],
        )
        .await?;
        index(manager, "calendar_feed", &["account_id"], false, None).await?;
        create(
            manager,
            "calendar_day",
            &["id"],
            vec![
                uuid("id"),
                optional(uuid("alliance_id")),
                date("day_on"),
                string("kind", 24),
                string("name", 64),
            ],
            &[("alliance_id", "alliance")],
        )
        .await?;
        index(manager, "calendar_day", &["day_on"], false, None).await?;
        index(manager, "calendar_day", &["alliance_id", "day_on"], true, None).await?;
        create(
            manager,
            "task_list",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                date("month_on"),
                optional(uuid("slot_id")),
                string("title", 200),
                string("state", 24),
                optional(timestamp("published_at")),
                optional(uuid("created_by")),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[("alliance_id", "alliance"), ("slot_id", "rotation_slot")],
        )
        .await?;
        index(manager, "task_list", &["alliance_id", "month_on"], true, None).await?;
        create(
            manager,
            "priority_task",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                uuid("task_list_id"),
                integer("place"),
                string("title", 200),
                text("content"),
                optional(text("criterion")),
                optional(string("source", 200)),
                uuid("lead_organization_id"),
                optional(uuid("region_id")),
                optional(date("starts_on")),
                date("due_on"),
                string("state", 24),
                boolean("is_open"),
                integer("percent"),
                optional(string("responsible_name", 64)),
                optional(text("reason")),
                integer("returned_count"),
                optional(timestamp("published_at")),
                optional(timestamp("acknowledged_at")),
                optional(timestamp("submitted_at")),
                optional(timestamp("completed_at")),
                optional(uuid("created_by")),
                timestamp("created_at"),
                big_integer("version"),
            ],
            &[
                ("alliance_id", "alliance"),
                ("task_list_id", "task_list"),
                ("lead_organization_id", "organization"),
                ("region_id", "region"),
            ],
        )
        .await?;
        index(manager, "priority_task", &["lead_organization_id", "is_open", "due_on", "id"], false, None)
            .await?;
        index(manager, "priority_task", &["alliance_id", "state"], false, None).await?;
        index(manager, "priority_task", &["alliance_id", "due_on", "id"], false, None).await?;
        index(manager, "priority_task", &["task_list_id", "place"], true, None).await?;
        index(manager, "priority_task", &["is_open", "due_on", "id"], false, None).await?;
        create(
            manager,
            "task_co_organizer",
            &["task_id", "organization_id"],
            vec![uuid("task_id"), uuid("organization_id")],
            &[("task_id", "priority_task"), ("organization_id", "organization")],
        )
        .await?;
        index(manager, "task_co_organizer", &["organization_id"], false, None).await?;
        create(
            manager,
            "task_milestone",
            &["id"],
            vec![
                uuid("id"),
                uuid("task_id"),
                string("title", 200),
                date("due_on"),
                optional(timestamp("reached_at")),
            ],
            &[("task_id", "priority_task")],
        )
        .await?;
        index(manager, "task_milestone", &["task_id"], false, None).await?;
        create(
            manager,
            "task_progress",
            &["id"],
            vec![
                uuid("id"),
                uuid("task_id"),
                optional(uuid("organization_id")),
                optional(integer("percent")),
                text("note"),
                optional(uuid("reported_by")),
                timestamp("reported_at"),
            ],
            &[("task_id", "priority_task"), ("organization_id", "organization")],
        )
        .await?;
        index(manager, "task_progress", &["task_id", "reported_at", "id"], false, None).await?;
        create(
            manager,
            "problem_sequence",
            &["alliance_id", "year"],
            vec![uuid("alliance_id"), integer("year"), integer("last")],
            &[("alliance_id", "alliance")],
        )
        .await?;
        create(
            manager,
            "problem",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                integer("year"),
                integer("seq"),
                big_integer("ordinal"),
                string("number", 96),
                string("title", 200),
                text("description"),
                string("category", 128),
                optional(string("place", 300)),
                optional(uuid("region_id")),
                string("channel", 24),
                optional(string("reporter_name", 64)),
                optional(string("reporter_phone", 32)),
                string("severity", 24),
                optional(string("tier", 24)),
                boolean("is_complex"),
                optional(text("measures")),
                optional(text("criterion")),
                string("state", 24),
                boolean("is_open"),
                integer("round"),
                optional(uuid("lead_organization_id")),
                optional(uuid("handler_id")),
                optional(uuid("proposed_organization_id")),
                optional(date("due_on")),
                optional(text("reason")),
                integer("declined_count"),
                integer("returned_count"),
                optional(timestamp("assigned_at")),
                optional(timestamp("accepted_at")),
                optional(timestamp("submitted_at")),
                optional(uuid("submitted_by")),
                optional(timestamp("verified_at")),
                optional(uuid("verifier_id")),
                optional(uuid("verifier_organization_id")),
                optional(text("verdict")),
                optional(timestamp("struck_off_at")),
                optional(uuid("approver_id")),
                optional(string("external_source", 64)),
                optional(string("external_key", 128)),
                timestamp("occurred_at"),
                timestamp("recorded_at"),
                optional(uuid("recorded_by")),
                optional(timestamp("closed_at")),
                big_integer("version"),
            ],
            &[
                ("alliance_id", "alliance"),
                ("region_id", "region"),
                ("lead_organization_id", "organization"),
                ("proposed_organization_id", "organization"),
                ("verifier_organization_id", "organization"),
            ],
        )
        .await?;
        index(manager, "problem", &["alliance_id", "year", "seq"], true, None).await?;
        index(manager, "problem", &["alliance_id", "external_source", "external_key"], true, None).await?;
        index(manager, "problem", &["lead_organization_id", "is_open", "recorded_at", "id"], false, None)
            .await?;
        index(manager, "problem", &["alliance_id", "ordinal", "id"], false, None).await?;
        index(manager, "problem", &["alliance_id", "state"], false, None).await?;
        index(manager, "problem", &["alliance_id", "recorded_at", "id"], false, None).await?;
        index(manager, "problem", &["region_id"], false, None).await?;
        create(
            manager,
            "problem_responsible",
            &["problem_id", "organization_id"],
            vec![uuid("problem_id"), uuid("organization_id"), string("duty", 24), timestamp("assigned_at")],
            &[("problem_id", "problem"), ("organization_id", "organization")],
        )
        .await?;
        index(manager, "problem_responsible", &["organization_id"], false, None).await?;
        create(
            manager,
            "stored_file",
            &["id"],
            vec![
                uuid("id"),
                string("sha256", 64),
                big_integer("size"),
                string("media_type", 96),
                string("name", 200),
                optional(timestamp("captured_at")),
                optional(double("latitude")),
                optional(double("longitude")),
                optional(string("copy_sha256", 64)),
                optional(uuid("uploaded_by")),
                timestamp("uploaded_at"),
                optional(timestamp("expires_at")),
            ],
            &[],
        )
        .await?;
        index(manager, "stored_file", &["expires_at"], false, None).await?;
        create(
            manager,
            "evidence",
            &["id"],
            vec![
                uuid("id"),
                uuid("alliance_id"),
                optional(uuid("problem_id")),
                optional(uuid("task_id")),
                uuid("file_id"),
                string("stage", 24),
                integer("round"),
                optional(text("note")),
                optional(uuid("organization_id")),
                optional(uuid("added_by")),
                timestamp("added_at"),
            ],
            &[
                ("alliance_id", "alliance"),
                ("problem_id", "problem"),
                ("task_id", "priority_task"),
                ("file_id", "stored_file"),
                ("organization_id", "organization"),
            ],
        )
        .await?;
        index(manager, "evidence", &["problem_id"], false, None).await?;
        index(manager, "evidence", &["task_id"], false, None).await?;
        index(manager, "evidence", &["file_id"], false, None).await?;
        create(
            manager,
            "event",
            &["id"],
            vec![
                uuid("id"),
                optional(uuid("alliance_id")),
                string("kind", 64),
                string("actor_kind", 24),
                optional(uuid("actor_id")),
                string("subject_kind", 32),
                uuid("subject_id"),
                text("organization_ids"),
                timestamp("occurred_at"),
                bytes("digest", 32),
                optional(bytes("salt", 16)),
                optional(text("payload")),
            ],
            &[("alliance_id", "alliance")],
        )
        .await?;
        index(manager, "event", &["subject_id", "occurred_at"], false, None).await?;
        index(manager, "event", &["alliance_id", "occurred_at"], false, None).await?;
        create(
            manager,
            "event_seal",
            &["position"],
            vec![
                big_integer("position"),
                unique(uuid("event_id")),
                uuid("chain_id"),
                big_integer("chain_index"),
                bytes("hash", 32),
                timestamp("sealed_at"),
            ],
            &[("event_id", "event")],
        )
        .await?;
        index(manager, "event_seal", &["chain_id", "chain_index"], true, None).await?;
        index(manager, "event_seal", &["chain_id", "position"], false, None).await?;
        create(
            manager,
            "event_organization",
            &["organization_id", "position"],
            vec![uuid("organization_id"), big_integer("position")],
            &[("organization_id", "organization")],
        )
        .await?;
        create(
            manager,
            "event_chain",
            &["chain_id"],
            vec![uuid("chain_id"), big_integer("length"), bytes("hash", 32)],
            &[],
        )
        .await?;
        create(
            manager,
            "hand_cursor",
            &["name"],
            vec![string("name", 32), big_integer("position"), timestamp("updated_at")],
            &[],
        )
        .await?;
        create(
            manager,
            "inbox_entry",
            &["id"],
            vec![
                uuid("id"),
                uuid("account_id"),
                optional(uuid("alliance_id")),
                uuid("event_id"),
                big_integer("position"),
                string("kind", 24),
                string("subject_kind", 32),
                uuid("subject_id"),
                timestamp("created_at"),
                optional(timestamp("read_at")),
            ],
            &[("account_id", "account"), ("alliance_id", "alliance"), ("event_id", "event")],
        )
        .await?;
        index(manager, "inbox_entry", &["account_id", "event_id"], true, None).await?;
        index(manager, "inbox_entry", &["account_id", "position", "id"], false, None).await?;
        index(manager, "inbox_entry", &["position"], false, None).await?;
        create(
            manager,
            "due_notice",
            &["subject_id", "due_on"],
            vec![uuid("subject_id"), date("due_on"), timestamp("noted_at")],
            &[],
        )
        .await?;
        create(
            manager,
            "event_pending",
            &[],
            vec![serial("seq"), unique(uuid("event_id"))],
            &[("event_id", "event")],
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "event_pending",
            "due_notice",
            "inbox_entry",
            "hand_cursor",
            "event_chain",
            "event_organization",
            "event_seal",
            "event",
            "evidence",
            "stored_file",
            "problem_responsible",
            "problem",
            "problem_sequence",
            "task_progress",
            "task_milestone",
            "task_co_organizer",
            "priority_task",
            "task_list",
            "calendar_day",
            "calendar_feed",
            "handover",
            "docking",
            "check_in",
            "rotation_swap",
            "rotation_slot",
            "rotation_block",
            "rotation_plan_team",
            "rotation_plan",
            "service_team_member",
            "service_team",
            "membership",
            "alliance_closure",
            "idempotency_key",
            "api_key_scope",
            "api_key",
            "seat",
            "alliance",
            "organization",
            "region",
            "account_link",
            "refresh_token",
            "session",
            "external_identity",
            "account",
        ] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
