//! What the three rates (三率) of problems are made of. Response: of the parts made responsible in a period whose time to accept
//! has come, how many accepted in time. Resolution and satisfaction: of the reporters who answered in a period, how many say
//! that it is solved, and that they are satisfied, without the answers that an approver took out of the rates. Conditions only;
//! `statistics` counts and lists by them.

use chrono::{DateTime, Utc};
use concord_entities::{
    follow_up::{self, Column as Asked, Solved},
    problem::{Column, Entity},
    problem_responsible::{self as part, Column as Part, Duty},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{CaseStatement, Expr, SelectStatement, SimpleExpr},
};

use super::statistics::{Period, in_period};

/// Whose parts, and when.
#[derive(Clone, Copy)]
pub struct Rates<'a> {
    pub zones: &'a [String],
    pub period: Period,
    /// The units whose parts count; those that lead where nothing is named.
    pub units: Option<&'a SelectStatement>,
    pub now: DateTime<Utc>,
}

impl Rates<'_> {
    /// Problems of which a part was made responsible in the period, as far as something holds of that part.
    fn parts(&self, holds: Condition) -> SimpleExpr {
        let of = match self.units {
            None => Part::Duty.eq(Duty::Lead),
            Some(units) => Part::OrganizationId.in_subquery(units.clone()),
        };
        let parts = part::Entity::find()
            .select_only()
            .column(Part::ProblemId)
            .filter(Expr::col((part::Entity, Part::ProblemId)).eq(Expr::col((Entity, Column::Id))))
            .filter(of)
            .filter(in_period(self.zones, Column::AllianceId, self.period, Part::AssignedAt))
            .filter(holds)
            .into_query();
        Expr::exists(parts)
    }

    pub fn dispatched(&self) -> SimpleExpr {
        self.parts(Condition::all())
    }

    /// Without a deadline to accept, or with one that depends on a year whose holidays nobody knows yet.
    pub fn without_deadline(&self) -> SimpleExpr {
        self.parts(
            Condition::any().add(Part::ResponseDueAt.is_null()).add(Part::ResponseIsProvisional.eq(true)),
        )
    }

    /// Not accepted, and the time to accept goes on.
    pub fn pending(&self) -> SimpleExpr {
        let unknown = self.without_deadline();
        let waits = Condition::all().add(accepted().is_null()).add(Part::ResponseDueAt.gt(self.now));
        Expr::expr(self.parts(waits)).and(unknown.not())
    }

    /// Whose time to accept has come, or which was accepted.
    pub fn due(&self) -> SimpleExpr {
        self.dispatched().and(self.without_deadline().not()).and(self.pending().not())
    }

    pub fn in_time(&self) -> SimpleExpr {
        let due = Expr::col((part::Entity, Part::ResponseDueAt));
        let late = Condition::any().add(accepted().is_null()).add(accepted().gt(due));
        self.due().and(self.parts(late).not())
    }

    fn asked(&self) -> sea_orm::Select<follow_up::Entity> {
        follow_up::Entity::find()
            .select_only()
            .filter(Expr::col((follow_up::Entity, Asked::ProblemId)).eq(Expr::col((Entity, Column::Id))))
            .filter(in_period(self.zones, Asked::AllianceId, self.period, Asked::DoneAt))
    }

    /// Those that were not taken out of the rates.
    fn counted(&self) -> sea_orm::Select<follow_up::Entity> {
        self.asked().filter(Asked::ExcludedAt.is_null())
    }

    fn with(&self, state: follow_up::State) -> SimpleExpr {
        let found = self.counted().column(Asked::Id).filter(Asked::State.eq(state));
        Expr::exists(found.into_query())
    }

    /// Whose reporter was asked in vain or answered, without that counting.
    pub fn excluded(&self) -> SimpleExpr {
        let found = self.asked().column(Asked::Id).filter(Asked::ExcludedAt.is_not_null());
        Expr::exists(found.into_query())
    }

    pub fn answered(&self) -> SimpleExpr {
        self.with(follow_up::State::Answered)
    }

    /// Given up after three tries, or erased before they were asked, and not reached at another time.
    pub fn unreachable(&self) -> SimpleExpr {
        self.with(follow_up::State::Unreachable).and(self.answered().not())
    }

    pub fn resolved(&self) -> SimpleExpr {
        self.last(Asked::Solved).eq(Solved::Yes.to_value())
    }

    pub fn satisfied(&self) -> SimpleExpr {
        self.last(Asked::IsSatisfied).eq(true)
    }

    /// What the last answer of the period says.
    fn last(&self, column: Asked) -> SimpleExpr {
        let last = self
            .counted()
            .column(column)
            .filter(Asked::State.eq(follow_up::State::Answered))
            .order_by_desc(Asked::DoneAt)
            .order_by_desc(Asked::Id)
            .limit(1);
        SimpleExpr::SubQuery(None, Box::new(last.into_query().into()))
    }
}

/// When a part was accepted: the lead's where its problem says so.
fn accepted() -> SimpleExpr {
    CaseStatement::new()
        .case(Part::Duty.eq(Duty::Lead), Expr::col((Entity, Column::AcceptedAt)))
        .finally(Expr::col((part::Entity, Part::AcceptedAt)))
        .into()
}
