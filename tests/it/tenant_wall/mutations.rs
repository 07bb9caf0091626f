//! Changes: every identifier that a mutation takes, however deep in its input, also of the wrong noun.

use super::*;
use concord_tests::introspection::Shape;

/// Mutations that take no identifier, and why.
const WITHOUT: [(&str, &str); 7] = [
    ("mutation.answerFollowUp", "the link is the credential"),
    ("mutation.changePassword", "one's own password"),
    ("mutation.redeemAccountLink", "the link is the credential"),
    ("mutation.refreshSession", "the token is the credential"),
    ("mutation.saveFilter", "one's own, whatever it names"),
    ("mutation.signIn", "name and password are the credential"),
    ("mutation.signOut", "one's own sessions"),
];

/// Arguments that make no difference to anybody, and why.
const UNREACHED: [(&str, &str); 0] = [];

/// Identifiers that somebody outside may name with success, and why.
const OPEN: [(&str, &str); 1] = [(
    "mutation.applyForMembership(input.allianceId)",
    "one applies from outside, to an alliance that one knows of",
)];

/// Places at which the owner gets past the wall and is turned away behind it, with what code, and why.
const TURNED_AWAY: [(&str, &str, &str); 41] = [
    ("mutation.declineProblem(input.proposedOrganizationId)", "PROPOSES_ITSELF", "there is one unit"),
    ("mutation.approveSwap(input.swapId)", "SWAP_STALE", "the swap's two turns are the one specimen"),
    ("mutation.assignProblem(input.jointOrganizationIds)", "LEAD_IS_JOINT", "there is one unit"),
    ("mutation.assignProblems(input.items.jointOrganizationIds)", "LEAD_IS_JOINT", "there is one unit"),
    ("mutation.carryOverTasks(input.toTaskListId)", "OUT_OF_RANGE", "there is one list"),
    ("mutation.decomposePriorityTask(input.taskId)", "ALLIANCE_NOT_BELOW", "there is one alliance"),
    ("mutation.decomposePriorityTask(input.parts.allianceId)", "ALLIANCE_NOT_BELOW", "the same"),
    ("mutation.decomposePriorityTask(input.parts.leadOrganizationId)", "ALLIANCE_NOT_BELOW", "the same"),
    ("mutation.createPriorityTask(input.coOrganizationIds)", "LEAD_IS_CO_ORGANIZER", "there is one unit"),
    ("mutation.linkExternalIdentity(input.accountId)", "MALFORMED", "the settings name no issuer"),
    (
        "mutation.addMobilizationShifts(input.mobilizationId)",
        "OUT_OF_RANGE",
        "a shift that begins when it ends",
    ),
    ("mutation.addMobilizationShifts(input.shifts.regionId)", "OUT_OF_RANGE", "the same"),
    ("mutation.endHomeReport(input.allianceId)", "NOT_REPORTED_HOME", "the one member has no name"),
    (
        "mutation.pairOrganizations(input.items.allianceId)",
        "ALREADY_PAIRED",
        "there is one unit and one place",
    ),
    ("mutation.pairOrganizations(input.items.organizationId)", "ALREADY_PAIRED", "the same"),
    ("mutation.pairOrganizations(input.items.regionId)", "ALREADY_PAIRED", "the same"),
    ("mutation.callMobilizationUnits(input.mobilizationId)", "ALREADY_ORDERED", "there is one unit"),
    ("mutation.callMobilizationUnits(input.units.organizationId)", "ALREADY_ORDERED", "the same"),
    ("mutation.checkOutOfMobilization(input.mobilizationId)", "NOT_CHECKED_IN", "the one person has no name"),
    ("mutation.discardMobilization(input.mobilizationId)", "STATE_REFUSED", "the one order is issued"),
    ("mutation.issueMobilization(input.mobilizationId)", "STATE_REFUSED", "the one order is issued"),
    ("mutation.mergeProblem(input.duplicateId)", "MERGE_REFUSED", "there is one problem"),
    ("mutation.mergeProblem(input.survivorId)", "MERGE_REFUSED", "there is one problem"),
    ("mutation.recallEscalation(input.problemId)", "NOT_ESCALATED", "the one problem is at both ends"),
    ("mutation.returnEscalation(input.problemId)", "NOT_ESCALATED", "the one problem is at both ends"),
    ("mutation.offerHandover(input.slotId)", "NO_NEXT_SLOT", "there is one turn"),
    ("mutation.proposeSwap(input.firstSlotId)", "SWAP_POINTLESS", "there is one turn"),
    ("mutation.proposeSwap(input.secondSlotId)", "SWAP_POINTLESS", "there is one turn"),
    ("mutation.changePartyBranch(input.parentId)", "BRANCH_KIND_ORDER", "there is one branch to move below"),
    ("mutation.establishPartyBranches(input.items.parentId)", "BRANCH_KIND_ORDER", "the item is a committee"),
    ("mutation.linkBranchMatter(input.branchId)", "ALREADY_EXISTS", "it serves the one problem already"),
    ("mutation.linkBranchMatter(input.matter.problemId)", "ALREADY_EXISTS", "the same"),
    ("mutation.linkBranchMatter(input.matter.taskId)", "ALREADY_EXISTS", "the same of the one task"),
    ("mutation.linkBranchMatter(input.matter.whistleId)", "ALREADY_EXISTS", "the same of the one whistle"),
    ("mutation.redrawGridCell(input.cellId)", "ALREADY_EXISTS", "there is one region"),
    ("mutation.redrawGridCell(input.regionIds)", "ALREADY_EXISTS", "the same"),
    ("mutation.eraseGridOfficer(input.officerId)", "STATE_REFUSED", "the one post stands"),
    ("mutation.eraseBranchInstructor(input.instructorId)", "STATE_REFUSED", "the one service goes on"),
    ("mutation.refuseWhistleCall(input.responseId)", "PROPOSES_ITSELF", "there is one unit"),
    ("mutation.refuseWhistleCall(input.proposedOrganizationId)", "PROPOSES_ITSELF", "the same"),
    ("mutation.updatePriorityTask(input.coOrganizationIds)", "LEAD_IS_CO_ORGANIZER", "there is one unit"),
];

/// What there is of the object, and what is wrong.
fn selection(wall: &Wall, root: &Root) -> String {
    let of = |field: &Value| wall.contract.named(&field["type"]).to_owned();
    let parts = wall.contract.fields(wall.contract.named(&root.field["type"])).map(|field| {
        let name = field["name"].as_str().expect("a name");
        match wall.contract.kind(&of(field)) {
            _ if of(field) == "UserError" => format!("{name} {{ code field message }}"),
            "SCALAR" | "ENUM" => name.to_owned(),
            // Of many items, what came of each, with what is wrong.
            _ if name == "results" => format!("{name} {}", wall.contract.selection(&of(field), 1)),
            _ => format!("{name} {}", wall.contract.selection(&of(field), 0)),
        }
    });
    format!("{{ {} }}", parts.collect::<Vec<_>>().join(" "))
}

/// What a mutation of this place is asked with.
async fn ask(
    wall: &Wall,
    app: &TestApp,
    root: &Root,
    place: &Place,
    who: Who,
    (of, id): (&Objects, &str),
) -> Answer {
    let given = wall.given(root, place, of, id);
    who.client(app).send(&wall.contract.document(root, &given, &selection(wall, root)), given.into()).await
}

/// Everybody outside tries every identifier; nothing is told and nothing changes.
pub async fn foreign(wall: &Wall, roots: &[Root]) -> Report {
    let app = wall.both.thaw().await;
    // Where a success is no fault, so that it is not taken for a change either.
    let open = wall.both.thaw().await;
    let shape = Shape::read(&app.app.write).await;
    let before = shape.rows(&app.app.write).await;
    let mut report = Report::default();
    for root in roots {
        let places = wall.contract.places(root);
        report.reach(&root.label(), !places.is_empty(), &WITHOUT);
        for place in places {
            let noun = place.noun.clone().expect("a mutation names its noun");
            let (id, none) = (wall.there.id(Some(&noun)), wall.nothing.id(Some(&noun)));
            let is_open = PUBLIC.iter().any(|(public, _)| *public == noun)
                || OPEN.iter().any(|(of, _)| *of == format!("{}({})", root.label(), place.path));
            let is_alone =
                wall.given(root, &place, &wall.there, &id) == wall.given(root, &place, &wall.here, &id);
            for (name, who) in &wall.foreigners {
                for (whose, of) in [("all foreign", &wall.there), ("else their own", &wall.here)] {
                    if is_alone && whose != "all foreign" {
                        continue;
                    }
                    let what = format!("{}({}) by {name}, {whose}", root.label(), place.path);
                    if is_open {
                        let answer = ask(wall, &open, root, &place, *who, (of, &id)).await;
                        report.case("identifiers of mutations", shows_nothing(wall, &what, &answer));
                        continue;
                    }
                    let foreign = ask(wall, &app, root, &place, *who, (of, &id)).await;
                    let missing = ask(wall, &app, root, &place, *who, (of, &none)).await;
                    let holds = match foreign.code() {
                        None => Err(format!("{what} succeeds: {}", foreign.0)),
                        Some(_) => same(&what, (&foreign, &id), (&missing, &none)),
                    };
                    report.case("identifiers of mutations", holds);
                }
            }
        }
    }
    report.faults.extend(changed(&before, &shape.rows(&app.app.write).await));
    report
}

/// The tables that are not as they were.
fn changed(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (table, rows) in after {
        let other = before[table].iter().filter(|row| !rows.contains(row)).map(|row| format!("- {row}"));
        let more = rows.iter().filter(|row| !before[table].contains(row)).map(|row| format!("+ {row}"));
        let lines: Vec<String> = other.chain(more).take(5).collect();
        if !lines.is_empty() {
            found.push(format!("{table} changed:\n    {}", lines.join("\n    ")));
        }
    }
    found
}

/// Somebody inside gets past the wall with every identifier, and nobody with one of the wrong noun.
pub async fn own(wall: &Wall, roots: &[Root]) -> Report {
    // Nobody's answer may depend on what somebody did before.
    let mut fresh: Option<TestApp> = None;
    let untouched = wall.both.thaw().await;
    let mut report = Report::default();
    for root in roots {
        fresh = fresh.filter(|_| !stage::is_prepared(root));
        for place in wall.contract.places(root) {
            let what = format!("{}({})", root.label(), place.path);
            let noun = place.noun.clone().expect("a mutation names its noun");
            let (id, none) = (wall.there.id(Some(&noun)), wall.nothing.id(Some(&noun)));
            let mut reached = None;
            for (_, owner) in &wall.owners {
                let app = match fresh.take() {
                    Some(app) => app,
                    None => stage::prepared(wall, root).await,
                };
                let missing = ask(wall, &app, root, &place, *owner, (&wall.there, &none)).await;
                let own = ask(wall, &app, root, &place, *owner, (&wall.there, &id)).await;
                let code = own.code().unwrap_or_default();
                let is_done = code.is_empty();
                if !is_done && missing.code().is_some() {
                    fresh = Some(app);
                }
                if text(&own, &id) != text(&missing, &none) && !["NOT_FOUND", "FORBIDDEN"].contains(&&*code) {
                    reached = Some((*owner, code, own));
                    if is_done {
                        break;
                    }
                }
            }
            report.reach(&what, reached.is_some(), &UNREACHED);
            if let Some((owner, code, own)) = reached {
                let known = TURNED_AWAY.iter().find(|(of, ..)| *of == what).map_or("", |(_, code, _)| code);
                if code != known {
                    report
                        .faults
                        .push(format!("{what}: \"{code}\" to its owner, not \"{known}\": {}", own.0));
                }
                wrong(wall, &untouched, root, &place, owner, &mut report).await;
            }
        }
        // What was prepared for one is in the way of another.
        fresh = fresh.filter(|_| !stage::is_prepared(root));
    }
    report
}

/// Whoever gets past the wall at a place gets nowhere with an identifier of something else, even their own.
async fn wrong(wall: &Wall, app: &TestApp, root: &Root, place: &Place, owner: Who, report: &mut Report) {
    for noun in wall.there.0.keys().filter(|noun| place.noun.as_ref() != Some(*noun)) {
        let answer = ask(wall, app, root, place, owner, (&wall.there, &wall.there.id(Some(noun)))).await;
        let holds = match answer.code().as_deref() {
            Some("NOT_FOUND") => Ok(()),
            _ => Err(format!("{}({}) takes a {noun}: {}", root.label(), place.path, answer.0)),
        };
        report.case("wrong nouns", holds);
    }
}
