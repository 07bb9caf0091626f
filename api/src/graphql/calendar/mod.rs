//! Faces of the working calendar.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::Datelike;
use concord_entities::id::AllianceId;

use crate::{
    domain::{
        Code, Ctx, Error,
        calendar::{
            days::{self as verbs, NewDay},
            working_day::{Calendar, DayCount, DayKind, Level},
        },
    },
    graphql::{
        ctx,
        error::{OrApiError, UserError, user_error},
        id,
        scalar::Date,
    },
};

/// Whether a day that departs from the plain week is off or worked.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::calendar_day::Kind")]
pub enum CalendarDayKind {
    /// A holiday.
    Off,
    /// A make-up working day (调休).
    Work,
}

/// A day that departs from the plain week, or that carries a name.
#[derive(SimpleObject, Clone, Debug)]
pub struct CalendarDay {
    /// Which day.
    on: Date,
    /// Off or worked.
    kind: CalendarDayKind,
    /// Name of the holiday.
    name: Option<String>,
    /// Whether the alliance set it, over whatever the national notice says.
    local: bool,
}

/// A year of the working calendar.
#[derive(SimpleObject, Clone, Debug)]
pub struct WorkingCalendar {
    /// The year.
    year: i32,
    /// Whether the national notice of the year is published; if not, its holidays are unknown, not absent.
    known: bool,
    /// Whether dates computed in this year may still change because its notice is not published.
    provisional: bool,
    /// Number of working days; counted Monday to Friday where the year is not known.
    working_days: u32,
    /// The days that depart from the plain week, in order; at most 366.
    days: Vec<CalendarDay>,
}

impl WorkingCalendar {
    fn of(calendar: &Calendar, year: i32) -> Self {
        let known = calendar.is_published(year);
        let days = calendar.entries_of(year).map(|entry| CalendarDay {
            on: entry.date.into(),
            kind: if entry.kind == DayKind::Off { CalendarDayKind::Off } else { CalendarDayKind::Work },
            name: entry.name.clone().filter(|name| !name.is_empty()),
            local: entry.level == Level::Local,
        });
        Self {
            year,
            known,
            provisional: !known,
            working_days: calendar.working_days_in_year(year).map_or(0, DayCount::days),
            days: days.collect(),
        }
    }
}

/// A date counted in working days.
#[derive(SimpleObject, Clone, Debug)]
pub struct WorkingDay {
    /// The date.
    on: Date,
    /// Whether it may still change because a year on the way has no published notice.
    provisional: bool,
}

#[derive(Default)]
pub struct CalendarQuery;

#[Object]
impl CalendarQuery {
    /// A year of the working calendar: an alliance's, or the national one.
    async fn working_calendar(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance whose local days count; the national calendar without one.")]
        alliance_id: Option<ID>,
        #[graphql(desc = "The year, 1970 to 9998.")] year: i32,
    ) -> Result<WorkingCalendar> {
        let ctx = ctx(context);
        let read = async {
            let alliance = id::decode_optional(alliance_id.as_ref(), "allianceId")?;
            if !(1970..=9998).contains(&year) {
                return Err(Error::invalid(Code::OutOfRange, "year").with("least", 1970).with("most", 9998));
            }
            Ok(WorkingCalendar::of(&verbs::read(ctx, alliance).await?, year))
        };
        read.await.or_api_error(ctx)
    }

    /// The date that lies a number of working days after another.
    async fn working_day(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance whose local days count; the national calendar without one.")]
        alliance_id: Option<ID>,
        #[graphql(desc = "The day from which to count; it does not count itself.")] from: Date,
        #[graphql(desc = "How many working days, 0 to 3,660.")] days: i32,
    ) -> Result<WorkingDay> {
        let ctx = ctx(context);
        let read = async {
            let alliance = id::decode_optional(alliance_id.as_ref(), "allianceId")?;
            verbs::working_day(ctx, alliance, from.0, days).await
        };
        let dated = read.await.or_api_error(ctx)?;
        Ok(WorkingDay { on: dated.on.into(), provisional: dated.provisional })
    }
}

/// A day of an imported year.
#[derive(InputObject)]
pub struct CalendarDayInput {
    /// Which day, within the year.
    on: Date,
    /// Off or worked.
    kind: CalendarDayKind,
    /// Name of the holiday, at most 64 characters.
    name: Option<String>,
}

/// A year that is replaced whole.
#[derive(InputObject)]
pub struct ImportCalendarDaysInput {
    /// The alliance whose local days are replaced; without one the national notice, which only a platform administrator imports.
    alliance_id: Option<ID>,
    /// The year.
    year: i32,
    /// All its days that depart from the plain week.
    days: Vec<CalendarDayInput>,
}

/// A local day that is set or taken away.
#[derive(InputObject)]
pub struct SetLocalDayInput {
    /// The alliance.
    alliance_id: ID,
    /// Which day.
    on: Date,
    /// Off or worked; null takes the local day away.
    kind: Option<CalendarDayKind>,
    /// Why it departs, at most 64 characters.
    name: Option<String>,
}

/// What came of a change to the calendar.
#[derive(SimpleObject)]
pub struct WorkingCalendarPayload {
    /// The year as it stands now.
    calendar: Option<WorkingCalendar>,
    /// What the caller can mend; empty when the change was made.
    user_errors: Vec<UserError>,
}

impl WorkingCalendarPayload {
    async fn of(
        ctx: &Ctx,
        result: crate::domain::Result<(Option<AllianceId>, i32, crate::domain::Result<()>)>,
    ) -> Result<Self> {
        let read = async {
            let (alliance, year, changed) = result?;
            match changed {
                // A replayed request reads the year again.
                Ok(()) | Err(Error::Replayed(_)) => {}
                Err(error) => return Err(error),
            }
            Ok(WorkingCalendar::of(&verbs::read(ctx, alliance).await?, year))
        };
        Ok(match read.await {
            Ok(calendar) => Self { calendar: Some(calendar), user_errors: Vec::new() },
            Err(error) => Self { calendar: None, user_errors: vec![user_error(ctx, &error)?] },
        })
    }
}

#[derive(Default)]
pub struct CalendarMutation;

#[Object]
impl CalendarMutation {
    /// Replaces a year of the calendar whole: a committee its local days, a platform administrator the national notice. A
    /// notice is whole with days off at New Year, Spring Festival, Labour Day and National Day; fewer days are laid over
    /// what stands there, and make no year known: `known` of the answer says whether it is.
    async fn import_calendar_days(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which year, with all its days.")] input: ImportCalendarDaysInput,
    ) -> Result<WorkingCalendarPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode_optional(input.alliance_id.as_ref(), "allianceId")?;
            let days = input.days.into_iter().map(|day| NewDay {
                on: day.on.0,
                kind: day.kind.into(),
                name: day.name.unwrap_or_default(),
            });
            let changed = verbs::import_year(ctx, alliance, input.year, days.collect()).await;
            Ok((alliance, input.year, changed.map(|_| ())))
        }
        .await;
        WorkingCalendarPayload::of(ctx, result).await
    }

    /// Sets one local day of an alliance, or takes it away. Only its committee may.
    async fn set_local_day(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which day, and what it becomes.")] input: SetLocalDayInput,
    ) -> Result<WorkingCalendarPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode(&input.alliance_id, "allianceId")?;
            let kind = input.kind.map(Into::into);
            let changed = verbs::set_local(ctx, alliance, input.on.0, kind, input.name.as_deref()).await;
            Ok((Some(alliance), input.on.0.year(), changed))
        }
        .await;
        WorkingCalendarPayload::of(ctx, result).await
    }
}
