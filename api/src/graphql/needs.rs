//! Which columns a document needs of the tables that lists are read from. A name counts wherever it stands in the document,
//! and a field that is not named here, such as one that decides by the whole row, makes its table be read whole: what is read
//! may be more than is shown, never less.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use concord_entities::{
    account, alliance, event, membership, organization, priority_task, problem, problem_responsible, region,
    task_list,
};
use sea_orm::EntityTrait;

use super::values::Types;
use crate::domain::page::Needs;

/// What a query needs.
pub fn of(types: &Types, document: &ExecutableDocument) -> Needs {
    let mut names = HashSet::new();
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    for set in operations.chain(fragments) {
        gather(set, &mut names);
    }
    let mut needs = Needs::default();
    needs.counts_nothing = !names.contains("totalCount");
    needs.marks_nothing = !["cursor", "startCursor", "endCursor"].iter().any(|name| names.contains(name));
    let mut asked = Asked { types, names, needs };
    asked.accounts();
    asked.alliances();
    asked.events();
    asked.memberships();
    asked.organizations();
    asked.priority_tasks();
    asked.problems();
    asked.regions();
    asked.task_lists();
    // A list of responsible units shows the organisations alone.
    asked.needs.only::<problem_responsible::Entity>(Vec::new());
    asked.needs
}

fn gather<'a>(set: &'a SelectionSet, names: &mut HashSet<&'a str>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                names.insert(field.node.name.node.as_str());
                gather(&field.node.selection_set.node, names);
            }
            Selection::InlineFragment(fragment) => gather(&fragment.node.selection_set.node, names),
            // Fragments are gathered for themselves.
            Selection::FragmentSpread(_) => {}
        }
    }
}

struct Asked<'a> {
    types: &'a Types,
    names: HashSet<&'a str>,
    needs: Needs,
}

/// Declares what the fields of a type show of a row: first what is always read, because others than its fields look at it.
macro_rules! shows {
    ($name:ident, $type:literal, $table:ident, [$($always:ident),*], { $($field:literal: $column:ident,)* }) => {
        fn $name(&mut self) {
            use $table::{Column, Entity};
            self.only::<Entity>($type, &[$(Column::$always),*], &[$(($field, Column::$column)),*]);
        }
    };
}

impl Asked<'_> {
    fn only<E>(&mut self, name: &str, always: &[E::Column], shown: &[(&str, E::Column)])
    where
        E: EntityTrait<Model: Default + Send + Sync>,
    {
        let mut columns = always.to_vec();
        for field in self.types.fields(name).filter(|field| self.names.contains(field)) {
            match shown.iter().find(|(shown, _)| *shown == field) {
                Some((_, column)) => columns.push(*column),
                None => return,
            }
        }
        self.needs.only::<E>(columns);
    }

    shows!(accounts, "Account", account, [Id, DisplayName], {
        "id": Id,
        "displayName": DisplayName,
        "username": Username,
        "phone": Phone,
        "state": State,
        "isPlatformAdmin": IsPlatformAdmin,
        "seats": Id,
        "externalIdentities": Id,
        "createdAt": CreatedAt,
        "disabledAt": DisabledAt,
        "erasedAt": ErasedAt,
        "version": Version,
    });

    // The time zone tells what is overdue, the other two what blocks the steps of a problem.
    shows!(alliances, "Alliance", alliance, [Id, TimeZone, SignOffs, ObjectionHours], {
        "id": Id,
        "name": Name,
        "parent": ParentId,
        "region": RegionId,
        "committeeOrganization": CommitteeOrganizationId,
        "oversightOrganization": OversightOrganizationId,
        "children": Id,
        "members": Id,
        "serviceTeams": Id,
        "timeZone": TimeZone,
        "numberPattern": NumberPattern,
        "checkInWorkingDay": CheckInWorkingDay,
        "signOffs": SignOffs,
        "objectionHours": ObjectionHours,
        "followUpOnSubmission": FollowUpOnSubmission,
        "taskCounts": Id,
        "problemCounts": Id,
        "createdAt": CreatedAt,
        "version": Version,
    });

    shows!(events, "Event", event, [Id, Kind, ActorId, AllianceId, SubjectKind, SubjectId], {
        "id": Id,
        "kind": Kind,
        "occurredAt": OccurredAt,
        "actorKind": ActorKind,
        "actorName": ActorId,
        "alliance": AllianceId,
        "subjectId": SubjectId,
        "subject": SubjectId,
        "details": Payload,
        "isErased": Payload,
    });

    shows!(memberships, "Membership", membership, [Id, AllianceId, OrganizationId, IsUnitKnown], {
        "id": Id,
        "alliance": AllianceId,
        "allianceName": AllianceId,
        "organization": OrganizationId,
        "state": State,
        "reason": Reason,
        "createdAt": CreatedAt,
        "admittedAt": AdmittedAt,
        "endedAt": EndedAt,
        "version": Version,
    });

    // A membership shows the credit code of a unit that was invited by it.
    shows!(organizations, "Organization", organization, [Id, CreditCode], {
        "id": Id,
        "name": Name,
        "shortName": ShortName,
        "kind": Kind,
        "creditCode": CreditCode,
        "region": RegionId,
        "memberships": Id,
        "openTasks": Id,
        "createdAt": CreatedAt,
        "version": Version,
    });

    shows!(priority_tasks, "PriorityTask", priority_task, [Id, AllianceId, LeadOrganizationId], {
        "id": Id,
        "alliance": AllianceId,
        "taskList": TaskListId,
        "place": Place,
        "title": Title,
        "content": Content,
        "criterion": Criterion,
        "source": Source,
        "leadOrganization": LeadOrganizationId,
        "coOrganizations": Id,
        "region": RegionId,
        "startsOn": StartsOn,
        "dueOn": DueOn,
        "state": State,
        "isOpen": IsOpen,
        "percent": Percent,
        "reason": Reason,
        "returnedCount": ReturnedCount,
        "publishedAt": PublishedAt,
        "acknowledgedAt": AcknowledgedAt,
        "submittedAt": SubmittedAt,
        "completedAt": CompletedAt,
        "createdAt": CreatedAt,
        "version": Version,
        "milestones": Id,
        "latestProgress": Id,
        "carriedFrom": Id,
        "carriedTo": Id,
        "lineage": Id,
        "parentTask": Id,
        "parts": Id,
        "rolledUpProgress": Id,
        "history": Id,
        "progress": Id,
    });

    shows!(problems, "Problem", problem, [Id, AllianceId], {
        "id": Id,
        "alliance": AllianceId,
        "number": Number,
        "year": Year,
        "sequence": Seq,
        "title": Title,
        "description": Description,
        "category": Category,
        "place": Place,
        "region": RegionId,
        "channel": Channel,
        "reporterName": ReporterName,
        "reporterPhone": ReporterPhone,
        "severity": Severity,
        "tier": Tier,
        "isComplex": IsComplex,
        "measures": Measures,
        "criterion": Criterion,
        "state": State,
        "isOpen": IsOpen,
        "round": Round,
        "reopenedCount": Round,
        "followUps": Id,
        "mergedInto": MergedIntoId,
        "mergedProblems": Id,
        "escalation": Id,
        "origin": Id,
        "leadOrganization": LeadOrganizationId,
        "responsibleOrganizations": Id,
        "proposedOrganization": ProposedOrganizationId,
        "dueOn": DueOn,
        "dueIsProvisional": DueIsProvisional,
        "reason": Reason,
        "declinedCount": DeclinedCount,
        "returnedCount": ReturnedCount,
        "occurredAt": OccurredAt,
        "recordedAt": RecordedAt,
        "recordedBy": RecordedBy,
        "assignedAt": AssignedAt,
        "acceptedAt": AcceptedAt,
        "submittedAt": SubmittedAt,
        "verifiedAt": VerifiedAt,
        "verifierOrganization": VerifierOrganizationId,
        "verdict": Verdict,
        "struckOffAt": StruckOffAt,
        "approver": ApproverId,
        "closedAt": ClosedAt,
        "externalSource": ExternalSource,
        "externalKey": ExternalKey,
        "evidence": Id,
        "history": Id,
    });

    shows!(regions, "Region", region, [Id], {
        "id": Id,
        "code": Code,
        "name": Name,
        "level": Level,
        "parent": ParentId,
        "children": Id,
        "createdAt": CreatedAt,
    });

    // Who sees a list, and whether a task of it can be published, goes by its state.
    shows!(task_lists, "TaskList", task_list, [Id, AllianceId, State], {
        "id": Id,
        "alliance": AllianceId,
        "month": MonthOn,
        "slot": SlotId,
        "title": Title,
        "state": State,
        "publishedAt": PublishedAt,
        "createdAt": CreatedAt,
        "version": Version,
        "tasks": Id,
    });
}
