//! Which events show in whose inbox, as one table without a database: kind of event, why it is shown, and to whom.

use concord_entities::{inbox_entry::Kind, seat::Role};

/// To whom an event is shown; always people with an active seat in its alliance, never whoever did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Managers and staff of the organisations that the event concerns.
    Concerned,
    /// Managers and staff of those organisations; where it names none, of all members.
    ConcernedOrAll,
    /// People of the committee who act for an organisation that the event concerns.
    ConcernedCommittee,
    /// People with this role who do not act for an organisation that the event concerns.
    Independent(Role),
    /// People with this role.
    Everyone(Role),
    /// Whoever registered the problem, or applied for the whistle, that the event is about.
    Registrar,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The kind of event, as stored.
    pub event: &'static str,
    pub why: Kind,
    pub to: &'static [To],
}

const fn rule(event: &'static str, why: Kind, to: &'static [To]) -> Rule {
    Rule { event, why, to }
}

/// The table.
pub const RULES: [Rule; 71] = [
    rule("membership_applied", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("priority_task_published", Kind::Assigned, &[To::Concerned]),
    rule("priority_task_submitted", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("priority_task_returned", Kind::Returned, &[To::Concerned]),
    rule("priority_task_due", Kind::Due, &[To::Concerned]),
    rule("task_list_published", Kind::Published, &[To::ConcernedOrAll]),
    rule("problem_registered", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("problem_assigned", Kind::Assigned, &[To::Concerned]),
    rule("problem_declined", Kind::Returned, &[To::Everyone(Role::Committee), To::Registrar]),
    // Whoever checks a closure must not belong to a responsible unit.
    rule("problem_submitted", Kind::Assigned, &[To::Independent(Role::Verifier)]),
    rule("problem_verified", Kind::Assigned, &[To::Everyone(Role::Approver)]),
    rule("problem_returned", Kind::Returned, &[To::Concerned, To::Registrar]),
    rule("problem_recalled", Kind::Recalled, &[To::Concerned, To::Registrar]),
    rule("problem_rejected", Kind::Closed, &[To::Registrar]),
    rule("problem_struck_off", Kind::Closed, &[To::Registrar]),
    rule("problem_due", Kind::Due, &[To::Concerned]),
    rule("problem_breached", Kind::Due, &[To::Concerned, To::Everyone(Role::Committee)]),
    rule("deadlines_recalculated", Kind::Due, &[To::Concerned]),
    // Where the unit cannot answer, the notice is the committee's.
    rule("supervision_notice_issued", Kind::Assigned, &[To::Concerned, To::ConcernedCommittee]),
    rule("supervision_notice_answered", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("supervision_notice_unanswered", Kind::Due, &[To::Concerned, To::Everyone(Role::Committee)]),
    rule("extension_requested", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("extension_granted", Kind::Due, &[To::Concerned]),
    rule("extension_refused", Kind::Returned, &[To::Concerned]),
    rule("problem_part_added", Kind::Assigned, &[To::Concerned]),
    rule("problem_part_removed", Kind::Recalled, &[To::Concerned]),
    rule("problem_part_declined", Kind::Returned, &[To::Everyone(Role::Committee)]),
    // Whoever leads waits for the last part before the whole is submitted.
    rule("problem_part_finished", Kind::Assigned, &[To::Concerned]),
    rule("problem_review_due", Kind::Due, &[To::Concerned, To::Everyone(Role::Committee)]),
    rule("problem_resumed", Kind::Assigned, &[To::Concerned]),
    rule("problem_signed_off", Kind::Assigned, &[To::Everyone(Role::Approver)]),
    rule("problem_part_reopened", Kind::Returned, &[To::Concerned]),
    rule("problem_merged", Kind::Closed, &[To::Concerned, To::Registrar]),
    // Whoever reported a duplicate, or worked on it, hears what became of the matter.
    rule("problem_survivor_ended", Kind::Closed, &[To::Concerned, To::Registrar]),
    rule("problem_escalation_resolved", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("problem_escalation_returned", Kind::Returned, &[To::Everyone(Role::Committee)]),
    rule("follow_up_overdue", Kind::Due, &[To::Independent(Role::Verifier), To::Everyone(Role::Committee)]),
    rule("follow_up_due", Kind::Assigned, &[To::Independent(Role::Verifier)]),
    // Whoever led the round that ended, and whoever registered it.
    rule("problem_reopened", Kind::Returned, &[To::Concerned, To::Registrar]),
    rule("whistle_applied", Kind::Assigned, &[To::Everyone(Role::Approver)]),
    rule("whistle_approved", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("whistle_rejected", Kind::Returned, &[To::Everyone(Role::Committee), To::Registrar]),
    rule("whistle_sounded", Kind::Assigned, &[To::Concerned]),
    rule("whistle_units_called", Kind::Assigned, &[To::Concerned]),
    rule("whistle_rerouted", Kind::Assigned, &[To::Concerned]),
    rule("whistle_refused", Kind::Returned, &[To::Everyone(Role::Committee)]),
    rule("whistle_claimed", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("whistle_claim_returned", Kind::Returned, &[To::Concerned]),
    rule("whistle_escalated", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("whistle_escalation_returned", Kind::Returned, &[To::Everyone(Role::Committee)]),
    rule("whistle_due", Kind::Due, &[To::Concerned]),
    rule("whistle_breached", Kind::Due, &[To::Concerned, To::Everyone(Role::Committee)]),
    rule("whistle_excused", Kind::Recalled, &[To::Concerned]),
    rule("whistle_called_off", Kind::Recalled, &[To::Concerned]),
    rule("whistle_released", Kind::Closed, &[To::Registrar]),
    // The committees of the towns that an order reaches receive people for it.
    rule("mobilization_issued", Kind::Assigned, &[To::Concerned, To::Everyone(Role::Committee)]),
    rule("mobilization_units_called", Kind::Assigned, &[To::Concerned]),
    rule("mobilization_stood_down", Kind::Closed, &[To::Concerned, To::Everyone(Role::Committee)]),
    rule("rotation_plan_submitted", Kind::Assigned, &[To::Everyone(Role::Approver)]),
    rule("rotation_plan_approved", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("rotation_plan_returned", Kind::Returned, &[To::Everyone(Role::Committee)]),
    rule("rotation_plan_published", Kind::Published, &[To::ConcernedOrAll]),
    rule("rotation_swap_proposed", Kind::Assigned, &[To::Concerned]),
    rule("rotation_swap_agreed", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("rotation_swap_approved", Kind::Swapped, &[To::ConcernedOrAll]),
    rule("handover_offered", Kind::Assigned, &[To::Concerned]),
    rule("handover_items_answered", Kind::Returned, &[To::Concerned]),
    rule("handover_items_to_committee", Kind::Assigned, &[To::Everyone(Role::Committee)]),
    rule("handover_item_assigned", Kind::Assigned, &[To::Concerned]),
    rule("rotation_slot_assigned", Kind::Assigned, &[To::Concerned]),
    rule("rotation_slot_missed", Kind::Returned, &[To::Concerned]),
];

/// The row for a kind of event.
pub fn find(kind: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.event == kind)
}

impl Rule {
    /// Whether somebody is told by any of the ways of this row.
    pub fn tells(&self, role: Role, is_concerned: bool, names_any: bool, is_registrar: bool) -> bool {
        self.to.iter().any(|to| to.reaches(role, is_concerned, names_any, is_registrar))
    }
}

impl To {
    /// Whether somebody with this role is told, who acts for an organisation that is concerned or not, and registered the
    /// problem or not.
    fn reaches(self, role: Role, is_concerned: bool, names_any: bool, is_registrar: bool) -> bool {
        let of_member = matches!(role, Role::MemberManager | Role::MemberStaff);
        match self {
            Self::Concerned => of_member && is_concerned,
            Self::ConcernedOrAll => of_member && (is_concerned || !names_any),
            Self::ConcernedCommittee => role == Role::Committee && is_concerned,
            Self::Independent(wanted) => role == wanted && !is_concerned,
            Self::Everyone(wanted) => role == wanted,
            Self::Registrar => is_registrar,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Event;

    #[test]
    fn each_kind_of_event_has_one_row() {
        for rule in &RULES {
            assert_eq!(RULES.iter().filter(|other| other.event == rule.event).count(), 1, "{}", rule.event);
            assert_eq!(find(rule.event), Some(rule));
            assert!(Event::parse(rule.event).is_some(), "nothing records {}", rule.event);
        }
        assert_eq!(find("alliance_updated"), None);
    }

    fn tells(event: &str, role: Role, is_concerned: bool, names_any: bool, is_registrar: bool) -> bool {
        find(event).expect("a rule").tells(role, is_concerned, names_any, is_registrar)
    }

    #[test]
    fn a_verifier_of_a_responsible_unit_is_not_asked() {
        assert!(tells("problem_submitted", Role::Verifier, false, true, false));
        assert!(!tells("problem_submitted", Role::Verifier, true, true, false));
        assert!(!tells("problem_submitted", Role::MemberStaff, true, true, false));
    }

    #[test]
    fn a_published_list_that_names_nobody_goes_to_all_members() {
        assert!(tells("task_list_published", Role::MemberStaff, false, false, false));
        assert!(!tells("task_list_published", Role::MemberStaff, false, true, false));
        assert!(!tells("task_list_published", Role::Observer, false, false, false));
    }
    #[test]
    fn whoever_registered_a_problem_hears_how_it_ends() {
        for event in [
            "problem_declined",
            "problem_returned",
            "problem_recalled",
            "problem_rejected",
            "problem_struck_off",
        ] {
            assert!(tells(event, Role::GridOfficer, false, true, true), "{event}");
            assert!(!tells(event, Role::GridOfficer, false, true, false), "{event}");
        }
    }
}
