//! What was late: by the due date, and by the breaches on record, which stay when a due date moves afterwards. A deadline is that of
//! the units that are asked about; where none are, that of whoever led.

use concord_entities::{
    breach::{self, Clock, Column as Breach},
    problem::{Column, Entity},
    problem_round::{self, Column as Round},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, SimpleExpr},
};

use super::{Period, Statistics, days};
use crate::domain::Ctx;

/// Which closings of a period.
#[derive(Clone, Copy)]
pub(super) enum Closing {
    Any,
    /// With a due date, or a deadline that passed before.
    Due,
    /// Of what was submitted after the due date, or was closed after it and submitted by nobody, or after a deadline that passed before.
    Late,
}

impl Statistics {
    /// Problems that were closed in a period, in whatever round.
    pub(super) fn closed(&self, ctx: &Ctx, period: Period, closing: Closing) -> Condition {
        let firm = |due_on: SimpleExpr, provisional: SimpleExpr| -> SimpleExpr {
            Expr::case(provisional.not(), due_on).into()
        };
        let here = firm(Column::DueOn.into_expr(), Column::DueIsProvisional.into_expr());
        let there = firm(Round::DueOn.into_expr(), Round::DueIsProvisional.into_expr());
        // What was submitted in time is in time, however long the others take to verify it and strike it off.
        let by = |rested: SimpleExpr, day| -> SimpleExpr { Func::coalesce([rested, day]).into() };
        let done = by(Expr::col((Entity, Column::RestedOn)), days::day(ctx, days::Day::Closed));
        let was_done = by(Expr::col((problem_round::Entity, Round::RestedOn)), days::round_day(ctx));
        let now = closed_so(closing, here, done, self.was_late());
        let then = closed_so(closing, there, was_done, self.round_was_late());
        let ended = Self::ended_in(ctx, period).add_option(then);
        Condition::any()
            .add(Condition::all().add(self.closed_now(ctx, period)).add_option(now))
            .add(self.round(ended))
    }

    /// Whether a deadline passed unmet by the end of a period, in the round that a problem was in then.
    pub(super) fn is_late_by(&self, ctx: &Ctx, period: Period) -> SimpleExpr {
        let over = problem_round::Entity::find()
            .select_only()
            .column(Round::Round)
            .filter(
                Expr::col((problem_round::Entity, Round::ProblemId))
                    .equals((breach::Entity, Breach::ProblemId)),
            )
            .filter(Expr::col((problem_round::Entity, Round::Round)).equals((breach::Entity, Breach::Round)))
            .filter(days::round_day(ctx).lte(period.to))
            .into_query();
        let by_then = days::in_zones(&self.zones, Breach::AllianceId, |zone| {
            Breach::DueAt.lte(days::start_of(zone, period.end()))
        });
        self.breached(Condition::all().add(by_then).add(Expr::exists(over).not()))
    }

    /// Whether the present round was late.
    fn was_late(&self) -> SimpleExpr {
        let present = Expr::col((breach::Entity, Breach::Round)).equals((Entity, Column::Round));
        self.breached(Condition::all().add(present))
    }

    /// Whether a round that ended was late.
    fn round_was_late(&self) -> SimpleExpr {
        let same = Expr::col((breach::Entity, Breach::Round)).equals((problem_round::Entity, Round::Round));
        self.breached(Condition::all().add(same))
    }

    /// Whether a deadline to solve a problem passed unmet of which something holds.
    fn breached(&self, holds: Condition) -> SimpleExpr {
        let whose = match &self.units {
            None => Breach::IsLead.eq(true),
            Some(units) => Breach::OrganizationId.in_subquery(units.clone()),
        };
        let found = breach::Entity::find()
            .select_only()
            .column(Breach::Id)
            .filter(Expr::col((breach::Entity, Breach::ProblemId)).equals((Entity, Column::Id)))
            .filter(Breach::Clock.eq(Clock::Resolution))
            .filter(whose)
            .filter(holds);
        Expr::exists(found.into_query())
    }
}

/// What holds of a closing that was asked for on a day, where something is due on another or was late already.
fn closed_so(
    closing: Closing,
    due_on: SimpleExpr,
    day: SimpleExpr,
    was_late: SimpleExpr,
) -> Option<Condition> {
    let is_due = due_on.clone().is_not_null();
    match closing {
        Closing::Any => None,
        Closing::Due => Some(Condition::any().add(is_due).add(was_late)),
        Closing::Late => Some(Condition::any().add(is_due.and(day.gt(due_on))).add(was_late)),
    }
}
