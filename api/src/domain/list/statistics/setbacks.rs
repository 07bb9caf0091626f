//! What set problems back in a period: returns, declines, more time, reopenings and breaches. Where units are asked about, what was
//! theirs when it happened, whoever is responsible since; what the committee itself was late with is no unit's.

use concord_entities::{
    breach::{self, Column as Breach},
    problem::Column,
    problem_round::Column as Round,
    problem_setback::{self, Column as Setback, Kind},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SimpleExpr,
};

use super::{Period, Statistics, days};

impl Statistics {
    /// Problems that were returned, declined or given more time in a period, at least once.
    pub(super) fn set_back(&self, kind: Kind, period: Period) -> SimpleExpr {
        let within = days::in_period(&self.zones, Setback::AllianceId, period, Setback::OccurredAt);
        Column::Id.in_subquery(self.setbacks().filter(Setback::Kind.eq(kind)).filter(within).into_query())
    }

    /// Problems that were reopened in a period, at least once.
    pub(super) fn reopened(&self, period: Period) -> SimpleExpr {
        self.round(days::in_period(&self.zones, Column::AllianceId, period, Round::ReopenedAt))
    }

    /// Problems of which a deadline passed unmet that ended on a day of a period, whenever it was noted.
    pub(super) fn breached_in(&self, period: Period) -> SimpleExpr {
        // What ends with a day is late from the next on.
        let within = days::in_zones(&self.zones, Breach::AllianceId, |zone| {
            let begins = |day| days::start_of(zone, day);
            Breach::DueAt.gt(begins(period.from)).and(Breach::DueAt.lte(begins(period.end())))
        });
        Column::Id.in_subquery(self.breaches().filter(within).into_query())
    }

    /// Problems to which any of this happened.
    pub(super) fn ever_set_back(&self) -> Condition {
        Condition::any()
            .add(Column::Id.in_subquery(self.setbacks().into_query()))
            .add(Column::Id.in_subquery(self.breaches().into_query()))
            .add(self.round(Condition::all()))
    }

    fn setbacks(&self) -> Select<problem_setback::Entity> {
        let theirs = self.units.clone().map(|units| Setback::OrganizationId.in_subquery(units));
        let here = self.within.map(|alliance| Setback::AllianceId.eq(alliance));
        problem_setback::Entity::find()
            .select_only()
            .column(Setback::ProblemId)
            .filter(Condition::all().add_option(theirs).add_option(here))
    }

    fn breaches(&self) -> Select<breach::Entity> {
        let theirs = self.units.clone().map(|units| Breach::OrganizationId.in_subquery(units));
        let here = self.within.map(|alliance| Breach::AllianceId.eq(alliance));
        breach::Entity::find()
            .select_only()
            .column(Breach::ProblemId)
            .filter(Condition::all().add_option(theirs).add_option(here))
    }
}
