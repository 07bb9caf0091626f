//! Figures of calls to whistles over a period. Each figure is the number of calls that one condition holds for; the same
//! condition lists them. The three rates (三率): response is reporting in in time ÷ called; resolution and satisfaction are
//! the town's evaluation ÷ evaluated. What the town excused or re-routed is left out and shown.

use concord_entities::{
    region, service_team_member,
    whistle::{self, Column as Of},
    whistle_response::{Column, Entity, Solved, State},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Func, SimpleExpr},
};

use super::{states, visible_calls};
use crate::domain::{
    Ctx, Error, Result, governance,
    list::{
        due,
        statistics::{self, Period, in_period, in_zones, start_of},
    },
    page::{self, Order, Page},
    scope,
    territory::region as regions,
};

macro_rules! measures {
    ($($name:ident,)+) => {
        /// What is counted: the number of calls of which something holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Measure { $($name,)+ }

        impl Measure {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }
    };
}

measures! {
    Called, CalledExcused, CalledRerouted, CalledPending, ResponseDue, ReportedInTime, Evaluated, Resolved, Satisfied,
    Unevaluated, Excused, Released, ReleasedInTime, Overdue, ResolutionDue, Refused,
}

/// The calls that figures are made of, within what the caller may see.
#[derive(Clone, Debug)]
pub struct Statistics {
    counted: Condition,
    zones: Vec<String>,
}

/// Opens the figures of something; nothing where it is not there or the caller may not see it.
pub async fn of(ctx: &Ctx, of: statistics::Of) -> Result<Option<Statistics>> {
    ctx.require_signed_in()?;
    let counted = match of {
        statistics::Of::Alliance { id, own_only } => {
            governance::alliance::find_of_reach(ctx, id).await?.map(|alliance| {
                let all = || scope::at_or_below(Column::AllianceId, alliance.id);
                Condition::all().add(if own_only { Column::AllianceId.eq(id) } else { all() })
            })
        }
        statistics::Of::Organization(id) => governance::organization::find_of_reach(ctx, id)
            .await?
            .map(|unit| Condition::all().add(Column::OrganizationId.eq(unit.id))),
        statistics::Of::Team(id) => governance::service_team::find(ctx, id).await?.map(|team| {
            let units = service_team_member::Entity::find()
                .select_only()
                .column(service_team_member::Column::OrganizationId)
                .filter(service_team_member::Column::TeamId.eq(team.id))
                .into_query();
            Condition::all()
                .add(Column::OrganizationId.in_subquery(units))
                .add(Column::AllianceId.eq(team.alliance_id))
        }),
        statistics::Of::Region(id) => regions::find(ctx, id).await?.map(|found: region::Model| {
            let regions = region::Entity::find()
                .select_only()
                .column(region::Column::Id)
                .filter(region::Column::Path.like(format!("{}%", found.path)))
                .into_query();
            let there = whistle::Entity::find()
                .select_only()
                .column(Of::Id)
                .filter(Of::RegionId.in_subquery(regions))
                .into_query();
            Condition::all().add(Column::WhistleId.in_subquery(there))
        }),
    };
    let Some(counted) = counted else { return Ok(None) };
    Ok(Some(Statistics { counted, zones: due::zones(ctx).await? }))
}

/// The figures of a period, one for each measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures(Vec<i64>);

impl Figures {
    pub fn get(&self, measure: Measure) -> i64 {
        let place = Measure::ALL.iter().position(|known| *known == measure);
        place.and_then(|place| self.0.get(place).copied()).unwrap_or_default()
    }
}

impl Statistics {
    /// Counts every measure of a period in one statement.
    pub async fn figures(&self, ctx: &Ctx, period: Period) -> Result<Figures> {
        let mut query = visible_calls(ctx).filter(self.counted.clone()).select_only().into_query();
        for (place, measure) in Measure::ALL.iter().enumerate() {
            let holds = Expr::case(condition(ctx, &self.zones, *measure, period), 1);
            query.expr_as(Func::count(holds), Alias::new(format!("m{place}")));
        }
        let row = ctx.read().query_one(&query).await?.ok_or_else(|| Error::internal("no figures"))?;
        let figures = (0..Measure::ALL.len()).map(|place| row.try_get::<i64>("", &format!("m{place}")));
        Ok(Figures(figures.collect::<Result<_, _>>()?))
    }

    /// Exactly the calls that a measure counts, the latest first.
    pub async fn rows(
        &self,
        ctx: &Ctx,
        measure: Measure,
        period: Period,
        args: &page::Args,
    ) -> Result<Page<Entity>> {
        let select = visible_calls(ctx).filter(self.counted.clone()).filter(condition(
            ctx,
            &self.zones,
            measure,
            period,
        ));
        let order = Order { column: Column::CalledAt, descending: true };
        page::fetch(ctx, select, order, Column::Id, args).await
    }
}

/// What holds of the calls that a measure counts.
pub fn condition(ctx: &Ctx, zones: &[String], measure: Measure, period: Period) -> Condition {
    let is = |state: State| Column::State.eq(state);
    let during = |column: Column| in_period(zones, Column::AllianceId, period, column);
    let of = |measure| condition(ctx, zones, measure, period);
    let all = Condition::all;
    let col = |column: Column| Expr::col((Entity, column));
    // By the end of the period in the town, or by now where it goes on.
    let by_end = |holds: &dyn Fn(chrono::DateTime<chrono::Utc>) -> SimpleExpr| {
        in_zones(zones, Column::AllianceId, |zone| {
            holds(std::cmp::min(start_of(zone, period.end()), ctx.now()))
        })
    };
    match measure {
        Measure::Called => all().add(during(Column::CalledAt)),
        Measure::CalledExcused => of(Measure::Called).add(is(State::Excused)),
        Measure::CalledRerouted => of(Measure::Called).add(is(State::Rerouted)),
        Measure::CalledPending => {
            let waits = is(State::Called).and(Column::ReportInDueAt.gt(ctx.now()));
            of(Measure::Called).add(waits.or(is(State::Refused)))
        }
        Measure::ResponseDue => of(Measure::Called)
            .add(Column::State.is_not_in([State::Excused, State::Rerouted, State::Refused]))
            .add(is(State::Called).and(Column::ReportInDueAt.gt(ctx.now())).not()),
        Measure::ReportedInTime => {
            of(Measure::ResponseDue).add(col(Column::ReportedInAt).lte(col(Column::ReportInDueAt)))
        }
        Measure::Evaluated => all().add(during(Column::EvaluatedAt)),
        Measure::Resolved => of(Measure::Evaluated).add(Column::Solved.eq(Solved::Yes)),
        Measure::Satisfied => of(Measure::Evaluated).add(Column::Score.gte(states::SATISFIED)),
        Measure::Unevaluated => {
            all().add(is(State::ClaimedResolved)).add(by_end(&|end| Column::ClaimedAt.lt(end)))
        }
        Measure::Excused => all().add(is(State::Excused)).add(during(Column::EndedAt)),
        Measure::Released => all().add(is(State::Released)).add(during(Column::EndedAt)),
        Measure::ReleasedInTime => {
            of(Measure::Released).add(col(Column::ClaimedAt).lte(col(Column::ResolveDueAt)))
        }
        Measure::Overdue => {
            let open = by_end(&|end| {
                Column::CalledAt
                    .lt(end)
                    .and(Column::ResolveDueAt.lt(end))
                    .and(Column::EndedAt.is_null().or(Column::EndedAt.gte(end)))
            });
            // What was claimed in time waits for the town; what was refused is nobody's yet.
            let claimed = col(Column::ClaimedAt).lte(col(Column::ResolveDueAt));
            all()
                .add(open)
                .add(Column::RefusedAt.is_null())
                .add(Column::State.ne(State::Excused))
                .add(Column::ClaimedAt.is_null().or(claimed.not()))
        }
        Measure::ResolutionDue => Condition::any().add(of(Measure::Released)).add(of(Measure::Overdue)),
        Measure::Refused => all().add(during(Column::RefusedAt)),
    }
}
