//! What a list of problems is narrowed by, and in which order it comes.

use async_graphql::{Enum, ID, InputObject};

use super::problem::{ProblemChannel, ProblemSeverity, ProblemState, ProblemTier};
use crate::{
    domain::{
        self,
        list::{problem::Filter, search::Window},
    },
    graphql::{
        id,
        scalar::{Date, DateTime},
    },
};

/// Which problems to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct ProblemFilter {
    /// On this alliance's list.
    alliance_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<ProblemState>>,
    /// Open, or no longer open.
    open: Option<bool>,
    /// Led by this organisation.
    lead_organization_id: Option<ID>,
    /// For which this organisation is responsible, leading or sharing.
    organization_id: Option<ID>,
    /// In this region or one below it.
    region_id: Option<ID>,
    /// Of exactly this category.
    category: Option<String>,
    /// That came in this way.
    channel: Option<ProblemChannel>,
    /// Of this urgency.
    severity: Option<ProblemSeverity>,
    /// Of this tier.
    tier: Option<ProblemTier>,
    /// With exactly this number.
    number: Option<String>,
    /// Recorded at this instant or later.
    recorded_from: Option<DateTime>,
    /// Recorded before this instant.
    recorded_to: Option<DateTime>,
    /// Due on this day or later.
    due_from: Option<Date>,
    /// Due on this day or earlier.
    due_to: Option<Date>,
    /// Overdue, as `isOverdue` says, or not: what was submitted for closure or put on account in time is not.
    overdue: Option<bool>,
    /// Held on account although the day of its review has come by the alliance's calendar, or not.
    review_due: Option<bool>,
    /// Registered by the caller, or by others; only for people.
    registered_by_me: Option<bool>,
    /// Whose title, description, place or number mentions all of these words, at most 100 characters; case does not matter.
    text: Option<String>,
    /// Open and due within so many days from today by the alliance's calendar, 0 for today alone; at most 3,660. What is
    /// overdue is not among them.
    due_within_days: Option<i32>,
    /// Overdue, as `isOverdue` says, by so many days or more, 1 to 3,660.
    overdue_by_days: Option<i32>,
    /// For which a unit that the caller acts for is responsible, or which the caller handles; or all others. Only for people.
    mine: Option<bool>,
}

impl ProblemFilter {
    pub(super) fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            open: self.open,
            lead_organization_id: id::decode_optional(
                self.lead_organization_id.as_ref(),
                "filter.leadOrganizationId",
            )?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            region_id: id::decode_optional(self.region_id.as_ref(), "filter.regionId")?,
            category: self.category,
            channel: self.channel.map(Into::into),
            severity: self.severity.map(Into::into),
            tier: self.tier.map(Into::into),
            number: self.number,
            recorded_from: self.recorded_from.map(|at| at.0),
            recorded_to: self.recorded_to.map(|at| at.0),
            due_from: self.due_from.map(|on| on.0),
            due_to: self.due_to.map(|on| on.0),
            overdue: self.overdue,
            review_due: self.review_due,
            registered_by_me: self.registered_by_me,
            text: self.text,
            window: Window {
                due_within_days: self.due_within_days,
                overdue_by_days: self.overdue_by_days,
                mine: self.mine,
            },
        })
    }
}

/// In which order problems are listed.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::list::problem::Sort")]
pub enum ProblemOrder {
    /// By year and number, rising.
    Number,
    /// By when Concord learnt of them, the latest first.
    RecordedAt,
    /// By due date, the nearest first; what has none comes last.
    DueOn,
}
