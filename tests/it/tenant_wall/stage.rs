//! What the specimens must be for each question to have an answer and each change to come as far as its identifiers.

use concord::domain::list::problem::{self, merge};

use super::*;
use crate::problem::{pothole, which};

/// Rows that mean something together. `{noun}` is the specimen of that noun.
const SETTLED: [&str; 18] = [
    "UPDATE alliance SET oversight_organization_id = {organization} WHERE id = {alliance}",
    "UPDATE seat SET region_id = {region} WHERE id = {seat}",
    "UPDATE organization SET region_id = {region} WHERE id = {organization}",
    "UPDATE membership SET contact_name = '王五', contact_phone = '13900000001' WHERE id = {membership}",
    "UPDATE rotation_plan SET anchor_on = '2026-01-01', cadence_every = 1 WHERE id = {rotation_plan}",
    "UPDATE rotation_slot SET starts_on = '2026-01-01', ends_on = '2026-02-01', state = 'in_service'
        WHERE id = {rotation_slot}",
    "UPDATE rotation_block SET slot_number = 1 WHERE plan_id = {rotation_plan}",
    "UPDATE rotation_plan_team SET place = 1 WHERE plan_id = {rotation_plan}",
    "UPDATE task_list SET month_on = '2026-02-01' WHERE id = {task_list}",
    "UPDATE priority_task SET starts_on = NULL, due_on = '2026-02-10', place = 1 WHERE id = {priority_task}",
    "UPDATE task_milestone SET reached_at = NULL WHERE id = {task_milestone}",
    "UPDATE problem SET declined_count = 0, returned_count = 0, evidence_at_return = 0, handler_id = {account},
        approver_id = {account}, verifier_id = {verifier}, verifier_organization_id = {checker} WHERE id = {problem}",
    "UPDATE inbox_entry SET position = 1, subject_kind = 'problem', subject_id = {problem} WHERE id = {inbox_entry}",
    // Another file, which waits to be attached.
    "INSERT INTO stored_file (id, size, media_type, name, sha256, uploaded_by, uploaded_at, expires_at)
        SELECT {waiting}, size, media_type, name, sha256, uploaded_by, uploaded_at, '2026-01-05T02:00:00+00:00'
        FROM stored_file WHERE id = {stored_file}",
    // A cell below the specimen's.
    "INSERT INTO grid_cell (id, alliance_id, network_id, parent_id, code, name, level, category, since_on, created_at, version)
        SELECT {waiting}, alliance_id, network_id, id, 'Z-9', name, level + 1, category, since_on, created_at, 1
        FROM grid_cell WHERE id = {grid_cell}",
    // A branch below the specimen, and what else it serves.
    "INSERT INTO party_branch (id, alliance_id, kind, parent_id, name, is_temporary, since_on, created_at, version)
        SELECT {waiting}, alliance_id, 'branch', id, name, is_temporary, since_on, created_at, 1
        FROM party_branch WHERE id = {party_branch}",
    "INSERT INTO branch_matter (id, alliance_id, branch_id, task_id, linked_at)
        SELECT {waiting}, alliance_id, branch_id, {priority_task}, linked_at FROM branch_matter WHERE id = {branch_matter}",
    "INSERT INTO branch_matter (id, alliance_id, branch_id, whistle_id, linked_at)
        SELECT {verifier}, alliance_id, branch_id, {whistle}, linked_at FROM branch_matter WHERE id = {branch_matter}",
];

/// Settles the specimens of an alliance, and gives the number of its problem.
pub async fn settle(app: &TestApp, world: &World, objects: &mut Objects) -> String {
    let waiting = app.system().new_id();
    let mut with = objects.clone();
    with.0.extend([
        ("waiting".to_owned(), waiting),
        ("verifier".to_owned(), world.verifier.into()),
        ("checker".to_owned(), world.members[6].into()),
    ]);
    for text in SETTLED {
        assert_eq!(app.sql(&filled(app, &with, text)).await.expect(text), 1, "{text}");
    }
    objects.0.insert("stored_file".to_owned(), waiting);
    let new = NewRegion {
        parent_id: world.communities.first().copied(),
        code: None,
        name: "东小区".to_owned(),
        level: Level::Compound,
    };
    region::record(&app.system(), new).await.expect("a region");
    // A duplicate, which points to the specimen.
    let committee = app.ctx(world.committee);
    let duplicate = problem::register(&committee, pothole(world)).await.expect("a duplicate").id;
    merge::merge(&committee, which(duplicate), objects.0["problem"].into(), "重复").await.expect("merged");
    // Something has happened to each of them.
    for (noun, id) in &objects.0 {
        write_event(app, world.town, "alliance_updated", (noun, *id), &[], Some(world.committee)).await;
    }
    let text = filled(app, objects, "SELECT number FROM problem WHERE id = {problem}");
    let row = app.app.read.query_one_raw(Statement::from_string(app.app.backend(), text)).await;
    row.expect("a query").expect("a row").try_get("", "number").expect("a number")
}

fn filled(app: &TestApp, objects: &Objects, text: &str) -> String {
    let of = |text: String, (noun, id): (&String, &uuid::Uuid)| {
        text.replace(&format!("{{{noun}}}"), &specimens::uuid(app, *id))
    };
    objects.0.iter().fold(text.to_owned(), of)
}

/// What has to be so for a mutation to go on, where the specimens are otherwise.
const PREPARED: [(&[&str], &str); 56] = [
    // The merger of the stage made it a version younger.
    (&["updateProblem"], "UPDATE problem SET version = 1 WHERE id = {problem}"),
    (
        &["acceptInvitation", "declineInvitation"],
        "UPDATE membership SET state = 'invited' WHERE id = {membership}",
    ),
    (
        &["admitMember", "declineApplication"],
        "UPDATE membership SET state = 'applied' WHERE id = {membership}",
    ),
    (&["restoreMember"], "UPDATE membership SET state = 'suspended' WHERE id = {membership}"),
    (
        &["applyForMembership", "inviteOrganization"],
        "UPDATE membership SET state = 'ended', ended_at = '2026-01-05T01:00:00+00:00' WHERE id = {membership}",
    ),
    (
        &["formServiceTeam"],
        "UPDATE service_team SET ended_at = '2026-01-05T01:00:00+00:00' WHERE id = {service_team}",
    ),
    (
        &["endMembership"],
        "UPDATE service_team SET ended_at = '2026-01-05T01:00:00+00:00' WHERE id = {service_team};
        UPDATE whistle_response SET state = 'excused', is_open = FALSE WHERE id = {whistle_response};
        UPDATE pairing SET until_on = since_on; UPDATE grid_officer SET until_on = since_on;
        UPDATE branch_host SET until_on = since_on; UPDATE branch_instructor SET until_on = since_on;
        UPDATE mobilization_unit SET state = 'released'",
    ),
    (&["disbandServiceTeam"], "UPDATE rotation_slot SET state = 'handed_over' WHERE id = {rotation_slot}"),
    (
        &["acceptProblem", "declineProblem", "recallProblem"],
        "UPDATE problem SET state = 'assigned' WHERE id = {problem}",
    ),
    (&["assignProblem", "assignProblems"], "UPDATE problem SET state = 'triaged' WHERE id = {problem}"),
    (&["startProblem"], "UPDATE problem SET state = 'accepted' WHERE id = {problem}"),
    (
        &["submitProblem", "reassignProblem", "addEvidence", "holdProblem"],
        "UPDATE problem SET state = 'in_progress' WHERE id = {problem}",
    ),
    (
        &["addProblemPart"],
        "DELETE FROM problem_responsible WHERE problem_id = {problem};
        UPDATE problem SET state = 'in_progress' WHERE id = {problem}",
    ),
    (
        &["acceptProblemPart", "declineProblemPart", "removeProblemPart"],
        "UPDATE problem_responsible SET duty = 'joint' WHERE problem_id = {problem};
        UPDATE problem SET state = 'in_progress' WHERE id = {problem}",
    ),
    (
        &["startProblemPart"],
        "UPDATE problem_responsible SET duty = 'joint', state = 'accepted' WHERE problem_id = {problem};
        UPDATE problem SET state = 'in_progress' WHERE id = {problem}",
    ),
    (
        &["finishProblemPart"],
        "UPDATE problem_responsible SET duty = 'joint', state = 'in_progress' WHERE problem_id = {problem};
        UPDATE problem SET state = 'in_progress' WHERE id = {problem}",
    ),
    (
        &["reopenProblemPart"],
        "UPDATE problem_responsible SET duty = 'joint', state = 'done' WHERE problem_id = {problem};
        UPDATE problem SET state = 'in_progress' WHERE id = {problem}",
    ),
    (&["verifyProblem", "returnProblem"], "UPDATE problem SET state = 'submitted' WHERE id = {problem}"),
    (
        &["resumeProblem"],
        "UPDATE problem SET state = 'on_account', handler_id = NULL, held_reason = '待改造', held_by = {account},
            held_organization_id = {organization}, review_on = '2026-06-30' WHERE id = {problem}",
    ),
    (&["moveProblemTier"], "UPDATE problem SET state = 'triaged' WHERE id = {problem}"),
    (
        &["signOffProblem"],
        "UPDATE alliance SET sign_offs = 2 WHERE id = {alliance};
        UPDATE problem SET state = 'verified' WHERE id = {problem}",
    ),
    (&["strikeOffProblem"], "UPDATE problem SET state = 'verified' WHERE id = {problem}"),
    (
        &["escalateProblem"],
        "UPDATE escalation SET state = 'returned' WHERE problem_id = {problem};
        UPDATE problem SET state = 'triaged' WHERE id = {problem}",
    ),
    (&["recallEscalation"], "UPDATE problem SET state = 'escalated' WHERE id = {problem}"),
    (
        &["requestFollowUp"],
        "UPDATE follow_up SET state = 'answered', done_by = NULL WHERE id = {follow_up};
        UPDATE problem SET state = 'submitted' WHERE id = {problem}",
    ),
    (
        &["excludeFollowUp"],
        "UPDATE follow_up SET state = 'answered', done_by = NULL WHERE id = {follow_up}",
    ),
    (
        // The round before is kept already.
        &["reopenProblem"],
        "INSERT INTO evidence (id, alliance_id, problem_id, file_id, stage, round, added_by, added_at)
            SELECT {account}, alliance_id, problem_id, file_id, stage, 2, added_by, added_at
            FROM evidence WHERE id = {evidence};
        UPDATE problem SET round = 2, approver_id = (SELECT id FROM account WHERE username = 'approver.632223')
            WHERE id = {problem};
        UPDATE problem SET state = 'struck_off', is_open = false WHERE id = {problem}",
    ),
    (
        &["completePriorityTask", "returnPriorityTask"],
        "UPDATE priority_task SET state = 'submitted' WHERE id = {priority_task}",
    ),
    (
        &["reachTaskMilestone", "reportProgress", "submitPriorityTask"],
        "UPDATE priority_task SET state = 'in_progress' WHERE id = {priority_task}",
    ),
    (
        &["publishPriorityTask"],
        "UPDATE priority_task SET state = 'draft', is_open = false WHERE id = {priority_task}",
    ),
    (
        &["carryOverTasks"],
        "DELETE FROM task_carry_over WHERE task_id = {priority_task};
        DELETE FROM task_part WHERE task_id = {priority_task};
        UPDATE task_list SET month_on = '2026-01-01' WHERE id = {task_list}",
    ),
    (&["publishTaskList"], "UPDATE task_list SET state = 'draft' WHERE id = {task_list}"),
    (
        &["approveRotationPlan", "returnRotationPlan"],
        "UPDATE rotation_plan SET state = 'submitted' WHERE id = {rotation_plan}",
    ),
    (
        &["publishRotationPlan"],
        "DELETE FROM rotation_block WHERE plan_id = {rotation_plan};
        UPDATE rotation_slot SET state = 'scheduled' WHERE id = {rotation_slot};
        UPDATE rotation_plan SET state = 'approved', slot_count = 1 WHERE id = {rotation_plan}",
    ),
    (
        &["submitRotationPlan", "generateRotation", "assignRotationSlot"],
        "DELETE FROM rotation_block WHERE plan_id = {rotation_plan};
        UPDATE rotation_slot SET state = 'scheduled', starts_on = '2026-03-01', ends_on = '2026-04-01'
            WHERE id = {rotation_slot};
        UPDATE rotation_plan SET state = 'draft', anchor_on = '2026-03-01', slot_count = 1
            WHERE id = {rotation_plan}",
    ),
    (
        &["updateRotationPlan", "blockRotationMonth", "unblockRotationMonth"],
        "UPDATE rotation_plan SET state = 'draft', anchor_on = '2026-03-01' WHERE id = {rotation_plan}",
    ),
    (
        &["requestExtension"],
        "UPDATE problem SET state = 'in_progress' WHERE id = {problem};
        DELETE FROM extension WHERE id = {extension}",
    ),
    (
        &["grantExtension"],
        "UPDATE problem SET state = 'in_progress' WHERE id = {problem};
        UPDATE extension SET asked_at = '2027-01-05 01:00:00.000000+00:00',
            round = (SELECT round FROM problem WHERE id = {problem}) WHERE id = {extension};
        UPDATE problem_responsible SET resolution_due_at = '2026-01-05 01:00:00.000000+00:00' WHERE problem_id = {problem}",
    ),
    (&["approveSwap"], "UPDATE rotation_swap SET state = 'agreed' WHERE id = {rotation_swap}"),
    (
        &["agreeSwap"],
        "UPDATE rotation_swap SET first_agreed_at = NULL, first_agreed_by = NULL WHERE id = {rotation_swap}",
    ),
    (&["enableAccount", "eraseAccount"], "UPDATE account SET state = 'disabled' WHERE id = {account}"),
    (
        &["recordCheckIn", "excuseRotationSlot"],
        "UPDATE rotation_slot SET state = 'announced' WHERE id = {rotation_slot}",
    ),
    (
        &["acknowledgeHandover"],
        "UPDATE rotation_slot SET state = 'handing_over' WHERE id = {rotation_slot};
        UPDATE handover SET acknowledged_at = NULL, acknowledged_by = NULL WHERE id = {handover};
        UPDATE handover_item SET state = 'accepted' WHERE id = {handover_item}",
    ),
    (&["answerHandoverItems"], "UPDATE rotation_slot SET state = 'handing_over' WHERE id = {rotation_slot}"),
    (
        &["assignHandoverItem", "handOverItems"],
        "UPDATE handover_item SET state = 'to_committee' WHERE id = {handover_item}",
    ),
    (
        &["approveWhistle", "rejectWhistle", "withdrawWhistle"],
        "UPDATE whistle SET state = 'applied' WHERE id = {whistle}",
    ),
    (
        &["soundWhistle"],
        "UPDATE whistle SET state = 'approved' WHERE id = {whistle};
        UPDATE whistle_response SET state = 'excused', is_open = FALSE WHERE id = {whistle_response}",
    ),
    (
        &["callWhistleUnits", "returnWhistleEscalation"],
        "UPDATE whistle_response SET state = 'excused', is_open = FALSE WHERE id = {whistle_response}",
    ),
    (&["arriveAtWhistle"], "UPDATE whistle_response SET state = 'reported_in' WHERE id = {whistle_response}"),
    (&["claimWhistleResolved"], "UPDATE whistle_response SET state = 'on_site' WHERE id = {whistle_response}"),
    (
        &["returnWhistleClaim", "evaluateWhistleCall", "evaluateWhistleCalls"],
        "UPDATE whistle_response SET state = 'claimed_resolved' WHERE id = {whistle_response}",
    ),
    (
        &["releaseWhistleCall"],
        "UPDATE whistle_response SET state = 'evaluated', evaluated_at = called_at WHERE id = {whistle_response}",
    ),
    (
        &["rerouteWhistleCall"],
        "UPDATE whistle_response SET state = 'refused', is_open = FALSE WHERE id = {whistle_response}",
    ),
    (&["endGridCell"], "UPDATE grid_cell SET until_on = '2026-01-05' WHERE parent_id = {grid_cell}"),
    (
        &["endPartyBranch"],
        "UPDATE party_branch SET until_on = '2026-01-05' WHERE parent_id = {party_branch}",
    ),
    (&["extendProblems"], "UPDATE problem SET state = 'assigned', due_on = NULL WHERE id = {problem}"),
];

fn preparation(root: &Root) -> Option<&'static str> {
    PREPARED.iter().find(|(names, _)| names.contains(&root.name.as_str())).map(|(_, text)| *text)
}

/// Whether the specimens have to be brought anywhere for a mutation.
pub fn is_prepared(root: &Root) -> bool {
    preparation(root).is_some()
}

/// The specimens as a mutation wants them.
pub async fn prepared(wall: &Wall, root: &Root) -> TestApp {
    let app = wall.both.thaw().await;
    if let Some(text) = preparation(root) {
        app.sql(&filled(&app, &wall.there, text)).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    app
}

/// Inputs that a mutation, or a place in it, wants beside its identifiers.
const GIVEN: [(&str, &str, &str); 19] = [
    ("blockRotationMonth", "slotNumber", "3"),
    ("holdProblem", "reviewOn", "\"2026-06-30\""),
    ("moveProblemTier", "tier", "\"HARD\""),
    ("createTaskList", "month", "\"2026-07\""),
    ("inviteOrganization(input.allianceId)", "name", "\"西海小学\""),
    ("inviteOrganization(input.allianceId)", "kind", "\"SCHOOL_OR_HOSPITAL\""),
    ("inviteOrganization(input.regionId)", "name", "\"西海小学\""),
    ("inviteOrganization(input.regionId)", "kind", "\"SCHOOL_OR_HOSPITAL\""),
    ("drawGridCell(input.parentId)", "level", "4"),
    ("establishPartyBranch(input.parentId)", "kind", "\"BRANCH\""),
    ("grantExtension", "until", "\"2026-02-01\""),
    ("linkExternalIdentity", "issuer", "\"https://id.example/\""),
    ("pairOrganization", "until", "\"2026-02-01\""),
    ("recordCheckIn", "cameAt", "\"2026-01-05T00:30:00Z\""),
    ("recordDocking", "heldAt", "\"2026-01-05T00:30:00Z\""),
    ("recordDocking(input.regionId)", "counterpart", "\"COMMUNITY\""),
    ("recordDocking(input.organizationId)", "counterpart", "\"STATION_BRANCH\""),
    ("recordRegion(input.parentId)", "level", "\"COMPOUND\""),
    ("setLocalDay", "kind", "\"OFF\""),
];

/// Gives them.
pub fn complete(root: &Root, place: &Place, given: &mut Map<String, Value>) {
    for (of, name, value) in GIVEN {
        if of == root.name || of == format!("{}({})", root.name, place.path) {
            given["input"][name] = serde_json::from_str(value).expect("a value");
        }
    }
}
