//! What clerks search both lists by: words, how near or how long past a due date is, and what is theirs to do. The other
//! filters stand with their nouns.

use chrono::{Days, NaiveDate};
use concord_entities::{priority_task, problem, problem_responsible, task_co_organizer};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::SimpleExpr,
};

use super::due;
use crate::domain::{Ctx, Error, Result, scope, text};

/// Farthest that a window reaches, in days.
const FARTHEST: i32 = 3_660;

/// Whether every word of `words` stands in one of these columns; a word is what blanks separate, so that a Chinese phrase
/// is one and is found anywhere within a text.
pub fn mentions<C: ColumnTrait>(words: &str, columns: &[C]) -> Condition {
    words.split_whitespace().fold(Condition::all(), |all, word| {
        all.add(columns.iter().fold(Condition::any(), |any, column| any.add(text::contains(*column, word))))
    })
}

/// Due dates and owners; what is absent does not restrict.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Open and due from today up to so many days later.
    pub due_within_days: Option<i32>,
    /// Open and due so many days ago or earlier.
    pub overdue_by_days: Option<i32>,
    /// The caller's own, or all others.
    pub mine: Option<bool>,
}

/// The columns of a list that windows look at, and what of it is the caller's own.
#[derive(Clone, Copy)]
pub struct Columns<C> {
    alliance: C,
    is_open: C,
    due_on: C,
    /// What can be overdue, where not all can.
    can_be_overdue: Option<fn() -> Condition>,
    own: fn(&Ctx) -> Result<Condition>,
}

/// Problems: the caller's own are those a unit of theirs is responsible for, and those they handle.
pub const PROBLEM: Columns<problem::Column> = Columns {
    alliance: problem::Column::AllianceId,
    is_open: problem::Column::IsOpen,
    due_on: problem::Column::DueOn,
    can_be_overdue: Some(super::problem::can_be_overdue),
    own: |ctx| {
        use problem_responsible::{Column, Entity};
        let account = ctx.account_id()?;
        let responsible = Entity::find()
            .select_only()
            .column(Column::ProblemId)
            .inner_join(problem::Entity)
            .filter(scope::acts_for(ctx, problem::Column::AllianceId, Column::OrganizationId))
            .into_query();
        // Never null, so that its opposite holds for what nobody handles.
        let handled = problem::Entity::find()
            .select_only()
            .column(problem::Column::Id)
            .filter(problem::Column::HandlerId.eq(account))
            .into_query();
        Ok(Condition::any()
            .add(problem::Column::Id.in_subquery(responsible))
            .add(problem::Column::Id.in_subquery(handled)))
    },
};

/// Tasks: the caller's own are those a unit of theirs leads or co-organises.
pub const TASK: Columns<priority_task::Column> = Columns {
    alliance: priority_task::Column::AllianceId,
    is_open: priority_task::Column::IsOpen,
    due_on: priority_task::Column::DueOn,
    can_be_overdue: None,
    own: |ctx| {
        use task_co_organizer::{Column, Entity};
        ctx.account_id()?;
        let joined = Entity::find()
            .select_only()
            .column(Column::TaskId)
            .inner_join(priority_task::Entity)
            .filter(scope::acts_for(ctx, priority_task::Column::AllianceId, Column::OrganizationId))
            .into_query();
        let led = scope::acts_for(
            ctx,
            priority_task::Column::AllianceId,
            priority_task::Column::LeadOrganizationId,
        );
        Ok(Condition::any().add(led).add(priority_task::Column::Id.in_subquery(joined)))
    },
};

impl Window {
    /// Checks how far it reaches, for a filter that is kept for later.
    pub fn check(&self) -> Result<()> {
        days(self.due_within_days, "filter.dueWithinDays", 0)?;
        days(self.overdue_by_days, "filter.overdueByDays", 1)?;
        Ok(())
    }

    pub async fn condition<E: EntityTrait>(self, ctx: &Ctx, of: Columns<E::Column>) -> Result<Condition> {
        let own = match self.mine {
            Some(true) => Some((of.own)(ctx)?),
            Some(false) => Some((of.own)(ctx)?.not()),
            None => None,
        };
        let whole = Condition::all().add_option(own);
        if self.due_within_days.is_none() && self.overdue_by_days.is_none() {
            return Ok(whole);
        }
        let within = days(self.due_within_days, "filter.dueWithinDays", 0)?;
        let past = days(self.overdue_by_days, "filter.overdueByDays", 1)?;
        let zones = due::zones(ctx).await?;
        let by_zone = |holds: &dyn Fn(NaiveDate) -> SimpleExpr| {
            Condition::all().add(of.is_open.eq(true)).add(due::by_zone(ctx, &zones, of.alliance, holds))
        };
        let soon =
            within.map(|days| by_zone(&|today| of.due_on.gte(today).and(of.due_on.lte(later(today, days)))));
        let late = past.map(|days| {
            by_zone(&|today| of.due_on.lte(earlier(today, days)))
                .add_option(of.can_be_overdue.map(|can_be| can_be()))
        });
        Ok(whole.add_option(soon).add_option(late))
    }
}

fn days(asked: Option<i32>, field: &'static str, least: i32) -> Result<Option<Days>> {
    asked
        .map(|asked| {
            let days = text::within(asked, field, least, FARTHEST)?;
            Ok(Days::new(u64::try_from(days).map_err(Error::internal)?))
        })
        .transpose()
}

fn later(day: NaiveDate, days: Days) -> NaiveDate {
    day.checked_add_days(days).unwrap_or(NaiveDate::MAX)
}

fn earlier(day: NaiveDate, days: Days) -> NaiveDate {
    day.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
}
