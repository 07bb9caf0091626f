//! What each trigger of the database refuses.

/// What a trigger is there for: statements that set the stage, then others of which each must be refused, with what is said.
pub struct Case {
    pub trigger: &'static str,
    pub says: &'static str,
    pub stage: Vec<String>,
    pub violations: Vec<String>,
}

pub fn case(trigger: &'static str, says: &'static str, violations: &[&str]) -> Case {
    let violations = violations.iter().map(ToString::to_string).collect();
    Case { trigger, says, stage: Vec::new(), violations }
}

impl Case {
    pub fn after(mut self, stage: &[&str]) -> Self {
        self.stage = stage.iter().map(ToString::to_string).collect();
        self
    }
}

/// A strike-off that has been earned, by people of these names and a verifier of this organisation.
pub fn strike_off(handler: &str, verifier: &str, of: &str, approver: &str) -> String {
    let person = |name: &str| format!("(SELECT id FROM account WHERE username LIKE '{name}.%')");
    let is_responsible = if of == "responsible" { "IN" } else { "NOT IN" };
    let organization = if of.is_empty() {
        "NULL".to_owned()
    } else {
        format!(
            "(SELECT id FROM organization WHERE id {is_responsible} (SELECT organization_id FROM problem_responsible) LIMIT 1)"
        )
    };
    format!(
        "UPDATE problem SET state = 'struck_off', is_open = FALSE, handler_id = {}, submitted_by = {},
         verifier_id = {}, verifier_organization_id = {organization}, approver_id = {}",
        person(handler),
        person("manager"),
        person(verifier),
        person(approver)
    )
}

/// A follow-up that somebody of this name ends.
pub fn by(state: &str, name: &str) -> String {
    format!(
        "UPDATE follow_up SET state = '{state}', solved = 'partly',
         done_by = (SELECT id FROM account WHERE username LIKE '{name}.%')"
    )
}

/// Another cell beside the specimen, with its identifier, parent and level given as expressions of that.
fn cell(id: &str, parent: &str, level: &str) -> String {
    format!(
        "INSERT INTO grid_cell (id, alliance_id, network_id, parent_id, code, name, level, category, since_on, created_at, version)
         SELECT {id}, alliance_id, network_id, {parent}, 'other', name, {level}, category, since_on, created_at, 1
         FROM grid_cell"
    )
}

/// Another pairing of the same unit with the same place.
fn paired(since: &str, until: &str) -> String {
    format!(
        "INSERT INTO pairing (id, alliance_id, organization_id, region_id, since_on, until_on, recorded_at, version)
         SELECT alliance_id, alliance_id, organization_id, region_id, {since}, {until}, recorded_at, 1 FROM pairing"
    )
}

/// An order like the one there is.
fn ordered(state: &str) -> String {
    format!(
        "INSERT INTO mobilization (id, alliance_id, year, seq, ordinal, number, title, reason, state, territory, drafted_at,
             issued_at, version)
         SELECT alliance_id, alliance_id, year, 0, 0, number, title, reason, '{state}', territory, drafted_at, issued_at, 1
         FROM mobilization"
    )
}

/// What is refused once every list is closed.
fn closed(trigger: &'static str, violation: &str) -> Case {
    case(trigger, "a closed task list never changes", &[violation])
        .after(&["UPDATE task_list SET state = 'closed'"])
}

pub fn cases() -> Vec<Case> {
    let earned = strike_off("staff", "verifier", "other", "approver");
    let earned = earned.as_str();
    let unearned = "strike-off needs evidence and an independent verifier";
    let answered = by("answered", "verifier");
    let answered = answered.as_str();
    let asked_by = |violations: &[&str]| {
        case("follow_up_is_independent", "somebody who has no part in the problem", violations)
    };
    let strike_off_is = |violations: &[&str]| case("problem_strike_off_is_earned", unearned, violations);
    let edits = [
        "kind = 'other'",
        "id = subject_id",
        "subject_id = id",
        "subject_kind = 'other'",
        "organization_ids = '[1]'",
        "actor_kind = 'other'",
        "actor_id = id",
        "occurred_at = '2001-01-01 00:00:00.000000+00:00'",
        "digest = (SELECT hash FROM event_seal LIMIT 1)",
    ];
    // An erasure takes payload and salt together and changes nothing else.
    let mut edits: Vec<String> =
        edits.iter().map(|edit| format!("UPDATE event SET {edit}, payload = NULL, salt = NULL")).collect();
    edits.push(
        "UPDATE event SET alliance_id = NULL, payload = NULL, salt = NULL WHERE alliance_id IS NOT NULL"
            .to_owned(),
    );
    for alone in ["payload = NULL", "salt = NULL", "payload = '{}'"] {
        edits.push(format!("UPDATE event SET {alone}"));
    }
    vec![
        case("event_is_kept", "events are never deleted", &["DELETE FROM event"]),
        Case {
            trigger: "event_is_not_edited",
            says: "events are never edited",
            stage: Vec::new(),
            violations: edits,
        },
        case("event_seal_is_kept", "seals are never deleted", &["DELETE FROM event_seal"]),
        case(
            "event_seal_is_not_edited",
            "seals are never edited",
            &[
                "UPDATE event_seal SET chain_index = chain_index + 1000",
                "UPDATE event_seal SET position = -position",
            ],
        ),
        case("checkpoint_is_kept", "only added to", &["DELETE FROM checkpoint"]),
        case(
            "checkpoint_is_not_edited",
            "only added to",
            &["UPDATE checkpoint SET line = 'other'", "UPDATE checkpoint SET position = position + 1000"],
        ),
        case("task_progress_is_kept", "only appended to", &["DELETE FROM task_progress"]),
        case(
            "task_progress_is_not_edited",
            "only appended to",
            &["UPDATE task_progress SET note = 'other'", "UPDATE task_progress SET percent = 99"],
        ),
        case(
            "priority_task_keeps_its_alliance",
            "a task keeps its alliance",
            &["UPDATE priority_task SET alliance_id =
               (SELECT a.id FROM alliance a WHERE a.id <> priority_task.alliance_id LIMIT 1)"],
        ),
        closed("closed_list_takes_no_task", "INSERT INTO priority_task SELECT * FROM priority_task"),
        closed("closed_list_keeps_its_tasks", "UPDATE priority_task SET title = 'other'"),
        closed("closed_list_loses_no_task", "DELETE FROM priority_task"),
        closed(
            "closed_list_takes_no_co_organizer",
            "INSERT INTO task_co_organizer SELECT * FROM task_co_organizer",
        ),
        closed("closed_list_loses_no_co_organizer", "DELETE FROM task_co_organizer"),
        closed("closed_list_takes_no_milestone", "INSERT INTO task_milestone SELECT * FROM task_milestone"),
        closed("closed_list_keeps_its_milestones", "UPDATE task_milestone SET title = 'other'"),
        closed("closed_list_loses_no_milestone", "DELETE FROM task_milestone"),
        closed("closed_list_takes_no_progress", "INSERT INTO task_progress SELECT * FROM task_progress"),
        closed("closed_list_is_not_edited", "UPDATE task_list SET state = 'published'"),
        closed("closed_list_is_kept", "DELETE FROM task_list"),
        case(
            "task_part_is_born_heavy",
            "a part weighs something",
            &[
                "INSERT INTO task_part (task_id, parent_task_id, weight) SELECT task_id, parent_task_id, 0 FROM task_part",
            ],
        ),
        case("task_part_stays_heavy", "a part weighs something", &["UPDATE task_part SET weight = 0"]),
        case(
            "problem_keeps_its_number",
            "a problem keeps its number",
            &[
                "UPDATE problem SET seq = seq + 1",
                "UPDATE problem SET year = year + 1",
                "UPDATE problem SET number = 'other'",
                "UPDATE problem SET alliance_id = (SELECT a.id FROM alliance a WHERE a.id <> problem.alliance_id LIMIT 1)",
            ],
        ),
        case("problem_is_kept", "problems are never deleted", &["DELETE FROM problem"]),
        case("evidence_is_kept", "never taken away", &["DELETE FROM evidence"]),
        case("evidence_is_not_edited", "never changed", &["UPDATE evidence SET stage = 'progress'"]),
        case(
            "problem_sequence_only_grows",
            "never given back",
            &["UPDATE problem_sequence SET last = last - 1"],
        ),
        case(
            "problem_strike_off_is_kept",
            "stays as it was judged",
            &[
                "UPDATE problem SET verifier_id = submitted_by",
                "UPDATE problem SET approver_id = handler_id",
                "UPDATE problem SET verifier_organization_id = NULL",
                "UPDATE problem SET struck_off_at = '2001-01-01 00:00:00.000000+00:00'",
                "UPDATE problem SET verdict = 'other'",
                "UPDATE problem SET criterion = 'other'",
            ],
        )
        .after(&[earned]),
        case("breach_is_kept", "a breach stays on record", &["DELETE FROM breach"]),
        case(
            "breach_is_not_edited",
            "a breach stays on record",
            &["UPDATE breach SET round = round + 1", "UPDATE breach SET due_at = noted_at"],
        ),
        case(
            "problem_is_submitted_whole",
            "when every part is done",
            &["UPDATE problem SET state = 'submitted'"],
        )
        .after(&["UPDATE problem_responsible SET duty = 'joint', state = 'in_progress'"]),
        case(
            "problem_on_account_is_grounded",
            "held by somebody above its handler",
            &[
                "UPDATE problem SET state = 'on_account', held_organization_id = NULL",
                "UPDATE problem SET state = 'on_account', held_organization_id = id, held_reason = NULL",
                "UPDATE problem SET state = 'on_account', held_organization_id = id, held_by = NULL",
                "UPDATE problem SET state = 'on_account', held_organization_id = id, review_on = NULL",
                "UPDATE problem SET state = 'on_account', held_organization_id = id, handler_id = held_by",
            ],
        ),
        case("problem_strike_off_is_signed", "every sign-off", &[earned])
            .after(&["UPDATE alliance SET sign_offs = 2"]),
        // A signature of somebody who had a part in it is none.
        case("problem_strike_off_is_signed", "every sign-off", &[earned])
            .after(&["UPDATE problem SET signed_off_at = recorded_at,
             signed_off_by = (SELECT id FROM account WHERE username LIKE 'verifier.%')"]),
        case("problem_sign_off_is_kept", "never changed or taken away", &["DELETE FROM problem_sign_off"]),
        case(
            "problem_sign_off_is_not_edited",
            "never changed or taken away",
            &["UPDATE problem_sign_off SET round = round + 1"],
        ),
        case("problem_tier_move_is_kept", "never changed or taken away", &["DELETE FROM problem_tier_move"]),
        case(
            "problem_tier_move_is_not_edited",
            "never changed or taken away",
            &[
                "UPDATE problem_tier_move SET reason = 'other'",
                "UPDATE problem_tier_move SET to_tier = 'hard', reason = NULL",
                "UPDATE problem_tier_move SET forum = 'residents', reason = NULL",
            ],
        ),
        case("problem_handler_is_kept", "never forgotten", &["DELETE FROM problem_handler"]),
        case(
            "problem_handler_is_not_edited",
            "never forgotten",
            &["UPDATE problem_handler SET account_id = problem_id"],
        ),
        case(
            "problem_stays_struck_off",
            "opens only as a new round",
            &[
                "UPDATE problem SET state = 'registered'",
                "UPDATE problem SET state = 'verified', round = round - 1",
            ],
        )
        .after(&[earned]),
        case("problem_round_is_kept", "is kept", &["DELETE FROM problem_round"]),
        case(
            "problem_round_is_not_edited",
            "never changed",
            &[
                "UPDATE problem_round SET verdict = 'other'",
                "UPDATE problem_round SET returned_count = returned_count + 1",
                "UPDATE problem_round SET verifier_id = problem_id",
                "UPDATE problem_round SET joint_organization_ids = '[1]'",
            ],
        ),
        case(
            "problem_round_keeps_its_day",
            "never changed",
            &["UPDATE problem_round SET closed_on = '2020-01-01'"],
        ),
        case(
            "problem_keeps_its_rounds",
            "once the one before is kept",
            &["UPDATE problem SET round = round + 2", "UPDATE problem SET round = round + 1"],
        )
        .after(&[earned, "UPDATE problem SET round = round + 1"]),
        case(
            "problem_is_merged_once",
            "is merged once",
            &[
                "UPDATE problem SET state = 'merged'",
                "UPDATE problem SET merged_into_id = id",
                "UPDATE problem SET state = 'merged', merged_into_id = id",
                "UPDATE problem SET state = 'merged', merged_into_id = alliance_id",
            ],
        ),
        case("escalation_is_kept", "never deleted", &["DELETE FROM escalation"]),
        case(
            "escalation_stays_ended",
            "ends once",
            &["UPDATE escalation SET state = 'open'", "UPDATE escalation SET problem_id = alliance_id"],
        )
        .after(&["UPDATE escalation SET state = 'returned'"]),
        case("ranking_is_kept", "stays as it was taken", &["DELETE FROM ranking"]),
        case("ranking_is_not_edited", "stays as it was taken", &["UPDATE ranking SET month_on = month_on"]),
        case("ranking_place_is_kept", "stays as it was taken", &["DELETE FROM ranking_place"]),
        case("ranking_place_is_not_edited", "stays as it was taken", &["UPDATE ranking_place SET place = 1"]),
        case(
            "ranking_place_is_closed",
            "stays as it was taken",
            &["INSERT INTO ranking_place (ranking_id, noun, organization_id, response_due, responded, answered,
                resolved, satisfied, response_excluded, answer_excluded)
               SELECT r.id, 'whistles', p.organization_id, 1, 1, 1, 1, 1, 1, 1 FROM ranking_place p, ranking r"],
        ),
        case("ranking_item_is_kept", "stays as it was taken", &["DELETE FROM ranking_item"]),
        case(
            "ranking_item_is_not_edited",
            "stays as it was taken",
            &["UPDATE ranking_item SET subject_id = organization_id"],
        ),
        case(
            "ranking_item_is_closed",
            "stays as it was taken",
            &["INSERT INTO ranking_item (ranking_id, noun, figure, organization_id, subject_id)
               SELECT r.id, i.noun, i.figure, i.organization_id, i.subject_id FROM ranking_item i, ranking r"],
        ),
        case("whistle_is_kept", "never deleted", &["DELETE FROM whistle"]),
        case("whistle_response_is_kept", "never deleted", &["DELETE FROM whistle_response"]),
        case(
            "supervision_notice_has_one_matter",
            "is about a problem or about a call",
            &[
                "INSERT INTO supervision_notice (id, alliance_id, year, seq, number, problem_id, organization_id, level, name,
                    colour, demand, reply_by, issued_at, version)
                 SELECT problem_id, alliance_id, year, 0, number, NULL, organization_id, 9, name, colour, demand, reply_by,
                    issued_at, 1 FROM supervision_notice WHERE problem_id IS NOT NULL",
                "INSERT INTO supervision_notice (id, alliance_id, year, seq, number, problem_id, organization_id, level, name,
                    colour, demand, reply_by, issued_at, version, whistle_id, response_id)
                 SELECT n.problem_id, n.alliance_id, n.year, 0, n.number, n.problem_id, n.organization_id, 9, n.name, n.colour,
                    n.demand, n.reply_by, n.issued_at, 1, r.whistle_id, r.id FROM supervision_notice n, whistle_response r
                 WHERE n.problem_id IS NOT NULL",
                "INSERT INTO supervision_notice (id, alliance_id, year, seq, number, organization_id, level, name,
                    colour, demand, reply_by, issued_at, version, whistle_id)
                 SELECT n.problem_id, n.alliance_id, n.year, 0, n.number, n.organization_id, 9, n.name, n.colour,
                    n.demand, n.reply_by, n.issued_at, 1, r.whistle_id FROM supervision_notice n, whistle_response r
                 WHERE n.problem_id IS NOT NULL",
            ],
        ),
        case(
            "supervision_notice_keeps_its_matter",
            "keeps what it is about",
            &[
                "UPDATE supervision_notice SET problem_id = NULL",
                "UPDATE supervision_notice SET whistle_id = (SELECT whistle_id FROM whistle_response)",
                "UPDATE supervision_notice SET response_id = (SELECT id FROM whistle_response)",
                "UPDATE supervision_notice SET organization_id = id",
                "UPDATE supervision_notice SET breach_id = NULL",
                "UPDATE supervision_notice SET whistle_breach_id = (SELECT id FROM whistle_breach)",
                "UPDATE supervision_notice SET level = level + 1",
            ],
        ),
        case("problem_round_unit_is_kept", "never changed", &["DELETE FROM problem_round_unit"]),
        case("problem_round_unit_is_not_edited", "never changed", &["UPDATE problem_round_unit SET is_lead = FALSE"]),
        case(
            "problem_round_unit_is_closed",
            "never changed",
            &["INSERT INTO problem_round_unit (problem_id, round, organization_id, is_lead)
               SELECT p.id, p.round - 1, o.id, FALSE FROM problem p, organization o LIMIT 1"],
        ),
        case(
            "problem_round_keeps_its_end",
            "never changed",
            &["UPDATE problem_round SET reopened_on = NULL", "UPDATE problem_round SET reopened_on = '2027-01-05'"],
        ),
        case("whistle_escalation_is_kept", "never deleted", &["DELETE FROM whistle_escalation"]),
        case(
            "whistle_escalation_comes_back_once",
            "comes back once",
            &[
                "UPDATE whistle_escalation SET place = place + 1",
                "UPDATE whistle_escalation SET reason = NULL",
                "UPDATE whistle_escalation SET from_alliance_id = whistle_id",
                "UPDATE whistle_escalation SET to_alliance_id = whistle_id",
                "UPDATE whistle_escalation SET escalated_at = '2027-01-05 01:00:00.000000+00:00'",
            ],
        ),
        case(
            "whistle_escalation_comes_back_once",
            "comes back once",
            &["UPDATE whistle_escalation SET returned_at = NULL", "UPDATE whistle_escalation SET return_reason = 'other'"],
        )
        .after(&["UPDATE whistle_escalation SET returned_at = escalated_at"]),
        case("whistle_breach_is_kept", "stays on record", &["DELETE FROM whistle_breach"]),
        case("whistle_breach_is_not_edited", "stays on record", &["UPDATE whistle_breach SET clock = 'resolve'"]),
        case(
            "whistle_keeps_its_number",
            "keeps its town, number and kind",
            &[
                "UPDATE whistle SET year = year + 1",
                "UPDATE whistle SET seq = seq + 1",
                "UPDATE whistle SET ordinal = ordinal + 1",
                "UPDATE whistle SET number = 'other'",
                "UPDATE whistle SET kind = 'emergency'",
                "UPDATE whistle SET alliance_id = id",
            ],
        ),
        case("whistle_stays_ended", "ends once", &["UPDATE whistle SET state = 'sounded'"])
            .after(&["UPDATE whistle SET state = 'called_off'"]),
        case(
            "whistle_refusal_is_grounded",
            "has a reason and a right unit",
            &[
                "UPDATE whistle_response SET state = 'refused', is_backstop = TRUE",
                "UPDATE whistle_response SET state = 'refused', reason = NULL",
                "UPDATE whistle_response SET state = 'refused', proposed_organization_id = NULL",
            ],
        ),
        case(
            "whistle_refusal_is_grounded",
            "an emergency is not refused",
            &["UPDATE whistle_response SET state = 'refused', is_backstop = FALSE"],
        )
        .after(&[
            "INSERT INTO whistle (id, alliance_id, year, seq, ordinal, number, kind, title, description, state,
                refused_count, applied_at, version)
             SELECT alliance_id, alliance_id, year, 0, 0, number, 'emergency', title, description, 'sounded', 0,
                applied_at, 1 FROM whistle",
            "UPDATE whistle_response SET whistle_id = alliance_id",
        ]),
        case(
            "whistle_refusal_is_grounded",
            "has a reason and a right unit",
            &["UPDATE whistle_response SET state = 'refused'"],
        )
        .after(&["UPDATE whistle_response SET state = 'on_site', is_backstop = FALSE"]),
        case(
            "whistle_response_is_evaluated",
            "has come, claimed and been evaluated",
            &[
                "UPDATE whistle_response SET state = 'evaluated'",
                "UPDATE whistle_response SET state = 'released'",
                "UPDATE whistle_response SET state = 'evaluated', evaluated_at = called_at, score = 6",
                "UPDATE whistle_response SET state = 'evaluated', evaluated_at = called_at, score = 0",
                "UPDATE whistle_response SET state = 'evaluated', evaluated_at = called_at, solved = NULL",
                "UPDATE whistle_response SET state = 'evaluated', evaluated_at = called_at, claimed_at = NULL",
                "UPDATE whistle_response SET state = 'evaluated', evaluated_at = called_at, reported_in_at = NULL",
            ],
        ),
        case(
            "whistle_response_stays_answered",
            "stay as they were",
            &[
                "UPDATE whistle_response SET score = 5",
                "UPDATE whistle_response SET solved = 'no'",
                "UPDATE whistle_response SET evaluation = 'other'",
                "UPDATE whistle_response SET evaluated_at = NULL",
                "UPDATE whistle_response SET claimed_at = NULL",
                "UPDATE whistle_response SET reported_in_at = NULL",
                "UPDATE whistle_response SET organization_id = id",
                "UPDATE whistle_response SET whistle_id = id",
                "UPDATE whistle_response SET resolve_due_at = '2027-01-05 01:00:00.000000+00:00'",
            ],
        )
        .after(&["UPDATE whistle_response SET evaluated_at = called_at, state = 'evaluated'"]),
        case(
            "whistle_response_stays_answered",
            "stay as they were",
            &["UPDATE whistle_response SET state = 'called'"],
        )
        .after(&["UPDATE whistle_response SET state = 'excused'"]),
        case("grid_network_is_kept", "never deleted", &["DELETE FROM grid_network"]),
        case(
            "grid_network_is_not_edited",
            "keeps its alliance and kind",
            &["UPDATE grid_network SET kind = 'police'"],
        ),
        case("grid_cell_is_kept", "never deleted", &["DELETE FROM grid_cell"]),
        case("grid_cell_region_is_kept", "stays on record", &["DELETE FROM grid_cell_region"]),
        case("grid_officer_is_kept", "stays on record", &["DELETE FROM grid_officer"]),
        case(
            "grid_cell_stands_below_its_parent",
            "below one of the level above",
            &[
                &cell("alliance_id", "id", "level"),
                &cell("alliance_id", "id", "level + 2"),
                &cell("alliance_id", "alliance_id", "level + 1"),
                &cell("alliance_id", "NULL", "6"),
                &cell("alliance_id", "NULL", "0"),
            ],
        ),
        case(
            "grid_cell_keeps_its_place",
            "keeps its place and its days",
            &[
                "UPDATE grid_cell SET level = 4",
                "UPDATE grid_cell SET code = 'other'",
                "UPDATE grid_cell SET category = 'special'",
                "UPDATE grid_cell SET network_id = id",
                "UPDATE grid_cell SET alliance_id = id",
                "UPDATE grid_cell SET parent_id = id",
                "UPDATE grid_cell SET since_on = '2026-02-01'",
                "UPDATE grid_cell SET until_on = '2025-12-31'",
            ],
        ),
        case(
            "grid_cell_keeps_its_place",
            "keeps its place and its days",
            &["UPDATE grid_cell SET until_on = NULL", "UPDATE grid_cell SET until_on = '2026-09-01'"],
        )
        .after(&["UPDATE grid_cell SET until_on = '2026-08-01'"]),
        case(
            "grid_cells_do_not_overlap",
            "of one level cover one place",
            &["INSERT INTO grid_cell_region (cell_id, region_id, since_on, alliance_id)
               SELECT c.id, t.region_id, '2026-05-01', t.alliance_id FROM grid_cell_region t, grid_cell c
               WHERE c.id <> t.cell_id"],
        )
        .after(&[&cell("alliance_id", "NULL", "level")]),
        case(
            "grid_cell_region_is_not_edited",
            "stays on record",
            &[
                "UPDATE grid_cell_region SET cell_id = region_id",
                "UPDATE grid_cell_region SET region_id = cell_id",
                "UPDATE grid_cell_region SET alliance_id = cell_id",
                "UPDATE grid_cell_region SET since_on = '2026-02-01'",
                "UPDATE grid_cell_region SET until_on = '2025-12-31'",
            ],
        ),
        case(
            "grid_cell_region_is_not_edited",
            "stays on record",
            &["UPDATE grid_cell_region SET until_on = NULL"],
        )
        .after(&["UPDATE grid_cell_region SET until_on = '2026-08-01'"]),
        case(
            "grid_officer_is_dated",
            "no earlier than it began",
            &["INSERT INTO grid_officer (id, alliance_id, cell_id, organization_id, role, name, is_main, since_on, until_on,
                created_at, version)
               SELECT alliance_id, alliance_id, cell_id, organization_id, role, name, FALSE, '2026-05-01', '2026-04-30',
                created_at, 1 FROM grid_officer"],
        ),
        case(
            "grid_officer_keeps_the_post",
            "stays on record",
            &[
                "UPDATE grid_officer SET cell_id = id",
                "UPDATE grid_officer SET alliance_id = id",
                "UPDATE grid_officer SET organization_id = id",
                "UPDATE grid_officer SET role = 'grid_head'",
                "UPDATE grid_officer SET is_main = FALSE",
                "UPDATE grid_officer SET since_on = '2026-02-01'",
                "UPDATE grid_officer SET until_on = '2025-12-31'",
            ],
        ),
        case("grid_officer_keeps_the_post", "stays on record", &["UPDATE grid_officer SET until_on = NULL"])
            .after(&["UPDATE grid_officer SET until_on = '2026-08-01'"]),
        case("pairing_is_kept", "never deleted", &["DELETE FROM pairing"]),
        case(
            "pairing_stands_once",
            "once at a time",
            &[&paired("since_on", "NULL"), &paired("since_on", "'9999-01-01'"), &paired("'2000-01-01'", "NULL")],
        ),
        case(
            "pairing_stays_once",
            "once at a time",
            &["UPDATE pairing SET until_on = '2026-02-02' WHERE since_on = '2026-01-01'"],
        )
        .after(&[
            "UPDATE pairing SET since_on = '2026-02-01', until_on = '2026-03-01'",
            &paired("'2026-01-01'", "'2026-02-01'"),
        ]),
        case(
            "pairing_ends_after_it_begins",
            "no earlier than it begins",
            &[&paired("'2000-01-02'", "'2000-01-01'")],
        ),
        case(
            "pairing_is_ended_after_it_begins",
            "no earlier than it begins",
            &["UPDATE pairing SET until_on = '2000-01-01'"],
        ),
        case("home_report_is_kept", "never deleted", &["DELETE FROM home_report"]),
        case("mobilization_is_kept", "never deleted", &["DELETE FROM mobilization"]),
        case(
            "mobilization_keeps_its_number",
            "keeps its alliance and number",
            &[
                "UPDATE mobilization SET number = 'other'",
                "UPDATE mobilization SET seq = seq + 1",
                "UPDATE mobilization SET year = year + 1",
                "UPDATE mobilization SET ordinal = ordinal + 1",
                "UPDATE mobilization SET alliance_id = id",
            ],
        ),
        case(
            "mobilization_ends_once",
            "ends once",
            &["UPDATE mobilization SET state = 'draft'", "UPDATE mobilization SET state = 'discarded'"],
        ),
        case(
            "mobilization_ends_once",
            "ends once",
            &["UPDATE mobilization SET state = 'draft'", "UPDATE mobilization SET ended_at = NULL"],
        )
        .after(&["UPDATE mobilization SET state = 'stood_down', ended_at = issued_at"]),
        case(
            "mobilization_is_issued_over_a_region",
            "issued over a region",
            &["UPDATE mobilization SET state = 'issued' WHERE state = 'draft'"],
        )
        .after(&[&ordered("draft")]),
        case(
            "mobilization_is_issued_over_a_region",
            "issued over a region",
            &["UPDATE mobilization SET state = 'issued', issued_at = NULL WHERE state = 'draft'"],
        )
        .after(&[
            &ordered("draft"),
            "INSERT INTO mobilization_region (mobilization_id, region_id, path)
             SELECT m.id, r.region_id, r.path FROM mobilization m, mobilization_region r WHERE m.state = 'draft'",
        ]),
        case(
            "mobilization_need_is_of_people",
            "1 to 1,000,000 people",
            &[
                "INSERT INTO mobilization_need (id, mobilization_id, region_id, work, needed, set_at)
                 SELECT mobilization_id, mobilization_id, region_id, 'other', 0, set_at FROM mobilization_need",
                "INSERT INTO mobilization_need (id, mobilization_id, region_id, work, needed, set_at)
                 SELECT mobilization_id, mobilization_id, region_id, 'other', 1000001, set_at FROM mobilization_need",
            ],
        ),
        case(
            "mobilization_need_stays_of_people",
            "0 to 1,000,000 people",
            &[
                "UPDATE mobilization_need SET needed = -1",
                "UPDATE mobilization_need SET needed = 1000001",
            ],
        ),
        case(
            "mobilization_unit_has_a_quota",
            "sends somebody",
            &["INSERT INTO mobilization_unit (id, mobilization_id, alliance_id, organization_id, quota, state, called_at, version)
               SELECT mobilization_id, mobilization_id, alliance_id, organization_id, 0, state, called_at, 1
               FROM mobilization_unit"],
        ),
        case(
            "mobilization_unit_stays_called",
            "stays on its order",
            &[
                "UPDATE mobilization_unit SET quota = 0",
                "UPDATE mobilization_unit SET organization_id = id",
                "UPDATE mobilization_unit SET mobilization_id = id",
            ],
        ),
        case(
            "mobilization_unit_stays_called",
            "released once",
            &["UPDATE mobilization_unit SET state = 'arrived'"],
        )
        .after(&["UPDATE mobilization_unit SET state = 'released'"]),
        case(
            "mobilization_shift_lasts",
            "a shift lasts",
            &[
                "INSERT INTO mobilization_shift (id, mobilization_id, region_id, starts_at, ends_at, needed, added_at)
                 SELECT mobilization_id, mobilization_id, region_id, ends_at, ends_at, 5, added_at FROM mobilization_shift",
                "INSERT INTO mobilization_shift (id, mobilization_id, region_id, starts_at, ends_at, needed, added_at)
                 SELECT mobilization_id, mobilization_id, region_id, starts_at, ends_at, 0, added_at FROM mobilization_shift",
            ],
        ),
        case(
            "mobilization_shift_is_not_edited",
            "as it was set up",
            &["UPDATE mobilization_shift SET needed = 3"],
        ),
        case("mobilization_check_in_is_kept", "never deleted", &["DELETE FROM mobilization_check_in"]),
        case(
            "mobilization_check_in_is_ones_own",
            "stays of one person",
            &[
                "UPDATE mobilization_check_in SET mobilization_id = id",
                "UPDATE mobilization_check_in SET alliance_id = id",
                "UPDATE mobilization_check_in SET first_region_id = id",
                "UPDATE mobilization_check_in SET first_at = '2027-01-05 01:00:00.000000+00:00'",
                "UPDATE mobilization_check_in SET recorded_at = '2027-01-05 01:00:00.000000+00:00'",
                "UPDATE mobilization_check_in SET at = '2025-01-05 01:00:00.000000+00:00'",
            ],
        ),
        case("mobilization_transfer_is_kept", "never deleted", &["DELETE FROM mobilization_transfer"]),
        case(
            "mobilization_transfer_is_not_edited",
            "never edited",
            &["UPDATE mobilization_transfer SET is_superseded = TRUE"],
        ),
        case("mobilization_coverage_is_kept", "never deleted", &["DELETE FROM mobilization_coverage"]),
        case(
            "mobilization_coverage_counts_people",
            "nobody or somebody",
            &[
                "UPDATE mobilization_coverage SET present = -1",
                "UPDATE mobilization_coverage SET needed = -1",
                "UPDATE mobilization_coverage SET region_id = mobilization_id",
                "UPDATE mobilization_coverage SET mobilization_id = region_id",
                "UPDATE mobilization_coverage SET path = '/'",
            ],
        ),
        case("follow_up_is_kept", "never deleted", &["DELETE FROM follow_up"]),
        case(
            "follow_up_stays_answered",
            "as it was given",
            &[
                "UPDATE follow_up SET state = 'due'",
                "UPDATE follow_up SET solved = 'no'",
                "UPDATE follow_up SET is_satisfied = NULL",
                "UPDATE follow_up SET words = 'other'",
                "UPDATE follow_up SET done_by = problem_id",
            ],
        )
        .after(&[answered]),
        case(
            "follow_up_is_born_due",
            "due before it is answered",
            &["INSERT INTO follow_up SELECT * FROM follow_up"],
        )
        .after(&[answered]),
        // By the unit's own people, whether or not they handled it, and whatever came of asking.
        asked_by(&[&by("answered", "manager"), &by("unreachable", "staff"), &by("answered", "approver")])
            .after(&["INSERT INTO problem_handler (problem_id, account_id)
             SELECT p.id, a.id FROM problem p, account a WHERE a.username LIKE 'approver.%'"]),
        // A seat that is suspended binds, and one that ended while the problem was there.
        asked_by(&[&by("answered", "manager")]).after(&["UPDATE seat SET state = 'suspended'"]),
        asked_by(&[&by("answered", "manager")])
            .after(&["UPDATE seat SET state = 'ended', ended_at = '2999-01-01 00:00:00.000000+00:00'"]),
        // Who supplied the evidence.
        asked_by(&[&by("answered", "verifier")]).after(&[
            "INSERT INTO evidence (id, alliance_id, problem_id, file_id, stage, round, added_by, added_at)
             SELECT a.id, e.alliance_id, e.problem_id, e.file_id, e.stage, e.round, a.id, e.added_at
             FROM evidence e, account a WHERE a.username LIKE 'verifier.%'",
        ]),
        // Evidence of another round is none of this one.
        strike_off_is(&[earned]).after(&["UPDATE problem SET round = round + 1"]),
        strike_off_is(&[
            &strike_off("verifier", "verifier", "other", "approver"),
            &strike_off("staff", "manager", "other", "approver"),
            &strike_off("staff", "nobody", "other", "approver"),
            &strike_off("staff", "verifier", "responsible", "approver"),
            &strike_off("staff", "verifier", "", "approver"),
            &strike_off("staff", "verifier", "other", "nobody"),
            &strike_off("staff", "verifier", "other", "staff"),
            &strike_off("staff", "verifier", "other", "verifier"),
        ]),
        // Somebody who handled it once, or supplied the evidence, is not independent by another seat.
        strike_off_is(&[earned]).after(&["INSERT INTO problem_handler (problem_id, account_id)
             SELECT p.id, a.id FROM problem p, account a WHERE a.username LIKE 'verifier.%'"]),
        strike_off_is(&[earned]).after(&["INSERT INTO problem_handler (problem_id, account_id)
             SELECT p.id, a.id FROM problem p, account a WHERE a.username LIKE 'approver.%'"]),
        strike_off_is(&[earned]).after(&[
            "INSERT INTO evidence (id, alliance_id, problem_id, file_id, stage, round, added_by, added_at)
             SELECT a.id, e.alliance_id, e.problem_id, e.file_id, e.stage, e.round, a.id, e.added_at
             FROM evidence e, account a WHERE a.username LIKE 'verifier.%'",
        ]),
    ]
}
