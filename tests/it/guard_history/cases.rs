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

/// A follow-up that somebody of this name takes out of the rates.
pub fn excluded_by(name: &str) -> String {
    format!(
        "UPDATE follow_up SET excluded_at = '2026-01-05 01:00:00.000000+00:00', exclusion_reason = 'why',
         excluded_by = (SELECT id FROM account WHERE username LIKE '{name}.%')"
    )
}

/// What is refused once every list is closed.
fn closed(trigger: &'static str, violation: &str) -> Case {
    case(trigger, "a closed task list never changes", &[violation])
        .after(&["UPDATE task_list SET state = 'closed'"])
}

/// Every unit that is not responsible worked on the problem before.
const WORKED_ON_IT: &str = "INSERT INTO problem_past_unit (problem_id, round, organization_id)
    SELECT p.id, p.round, o.id FROM problem p, organization o
    WHERE o.id NOT IN (SELECT organization_id FROM problem_responsible)";

pub fn cases() -> Vec<Case> {
    let earned = strike_off("staff", "verifier", "other", "approver");
    let earned = earned.as_str();
    let unearned = "strike-off needs evidence and an independent verifier";
    let answered = by("answered", "verifier");
    let answered = answered.as_str();
    let excluded = excluded_by("approver");
    let excluded = excluded.as_str();
    let excluded_once = |violations: &[&str]| {
        case("follow_up_is_excluded_once", "once, by somebody and with a reason", violations)
    };
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
        case("problem_past_unit_is_kept", "never forgotten", &["DELETE FROM problem_past_unit"])
            .after(&[WORKED_ON_IT]),
        case("problem_past_unit_is_not_edited", "never forgotten", &["UPDATE problem_past_unit SET round = 9"])
            .after(&[WORKED_ON_IT]),
        case("problem_setback_is_kept", "stays on record", &["DELETE FROM problem_setback"]),
        case(
            "problem_setback_is_not_edited",
            "stays on record",
            &["UPDATE problem_setback SET kind = 'other'", "UPDATE problem_setback SET organization_id = problem_id"],
        ),
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
        case("supervision_notice_is_kept", "never deleted", &["DELETE FROM supervision_notice"]),
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
        case(
            "supervision_notice_stays_unanswered",
            "stays on record",
            &[
                "UPDATE supervision_notice SET unanswered_at = NULL",
                "UPDATE supervision_notice SET unanswered_at = '2999-01-01 00:00:00.000000+00:00'",
            ],
        )
        .after(&["UPDATE supervision_notice SET unanswered_at = issued_at"]),
        case(
            "supervision_notice_stays_unanswered",
            "stays on record",
            &["UPDATE supervision_notice SET unanswered_at = answered_at"],
        )
        .after(&["UPDATE supervision_notice SET answered_at = issued_at"]),
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
            "follow_up_is_born_counted",
            "counts before it is taken out",
            &["INSERT INTO follow_up (id, alliance_id, problem_id, round, reporter_problem_id, kind, state, due_on, tries,
                created_at, version, excluded_at) SELECT problem_id, alliance_id, problem_id, round, reporter_problem_id,
                kind, 'due', due_on, tries, created_at, version, created_at FROM follow_up"],
        )
        .after(&[answered]),
        // Not before it is answered, nor by nobody or without a reason.
        excluded_once(&[excluded]),
        excluded_once(&[
            "UPDATE follow_up SET excluded_at = created_at",
            "UPDATE follow_up SET exclusion_reason = 'other'",
            "UPDATE follow_up SET excluded_by = problem_id",
        ])
        .after(&[answered]),
        // Once, and for good.
        excluded_once(&[
            "UPDATE follow_up SET excluded_at = NULL, excluded_by = NULL, exclusion_reason = NULL",
            "UPDATE follow_up SET excluded_at = '2999-01-01 00:00:00.000000+00:00'",
            "UPDATE follow_up SET excluded_by = problem_id",
            "UPDATE follow_up SET exclusion_reason = 'other'",
        ])
        .after(&[answered, excluded]),
        case(
            "follow_up_is_excluded_independently",
            "taken out of the rates by somebody who has no part",
            &[&excluded_by("manager"), &excluded_by("staff")],
        )
        .after(&[answered]),
        case(
            "follow_up_is_excluded_independently",
            "taken out of the rates by somebody who has no part",
            &[excluded],
        )
        .after(&[
            answered,
            "INSERT INTO problem_handler (problem_id, account_id)
             SELECT p.id, a.id FROM problem p, account a WHERE a.username LIKE 'approver.%'",
        ]),
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
        // Nor is a unit that worked on it earlier in the round.
        strike_off_is(&[earned]).after(&[WORKED_ON_IT]),
        strike_off_is(&[earned]).after(&[
            "INSERT INTO evidence (id, alliance_id, problem_id, file_id, stage, round, added_by, added_at)
             SELECT a.id, e.alliance_id, e.problem_id, e.file_id, e.stage, e.round, a.id, e.added_at
             FROM evidence e, account a WHERE a.username LIKE 'verifier.%'",
        ]),
    ]
}
