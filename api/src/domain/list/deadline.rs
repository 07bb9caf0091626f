//! Deadlines as arithmetic: from an instant and a limit to the instant by which something is due, in the alliance's time
//! zone and by its calendar. Pure.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use concord_entities::problem_responsible::Unit;
use serde::{Deserialize, Serialize};

use crate::domain::{calendar::working_day::Calendar, rotation::slots::local_midnight};

/// So much of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many, from 1.
    pub amount: u32,
    pub unit: Unit,
}

/// An instant by which something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// It is late from this instant on.
    pub at: DateTime<Utc>,
    /// Whether it depends on a year without a published notice: nothing follows from it until that year is known.
    pub is_provisional: bool,
}

/// Where and by which calendar days are counted.
#[derive(Clone, Debug)]
pub struct Place {
    pub zone: Tz,
    pub calendar: Calendar,
}

impl Place {
    /// The day that an instant falls on.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// The instant at which a day is over.
    pub fn end_of(&self, day: NaiveDate) -> DateTime<Utc> {
        local_midnight(day.succ_opt().unwrap_or(day), self.zone)
    }

    /// The last day on which something that is due at an instant is in time.
    pub fn last_day(&self, due_at: DateTime<Utc>) -> NaiveDate {
        self.day(due_at - TimeDelta::microseconds(1))
    }

    /// When something is due that may take `limit` from an instant on. Hours run around the clock; the day of the instant does
    /// not count, and the last day counts whole. Nothing where the calendar ends before.
    pub fn due(&self, from: DateTime<Utc>, limit: Limit) -> Option<Due> {
        match limit.unit {
            Unit::Hours => {
                let at = from.checked_add_signed(TimeDelta::hours(i64::from(limit.amount)))?;
                Some(Due { at, is_provisional: false })
            }
            Unit::Days => {
                let day = self.day(from).checked_add_days(Days::new(u64::from(limit.amount)))?;
                Some(Due { at: self.end_of(day), is_provisional: false })
            }
            Unit::WorkingDays => {
                let day = self.calendar.add_working_days(self.day(from), limit.amount)?;
                Some(Due { at: self.end_of(day.on), is_provisional: day.provisional })
            }
        }
    }

    /// How a clock counts that stood still: from later by so many hours, or by the days that began meanwhile. It keeps them
    /// whatever its limit becomes. Where the later day depends on a year without a published notice its limit is longer instead.
    /// Nothing where the calendar ends before.
    pub fn after_pause(
        &self,
        from: DateTime<Utc>,
        limit: Limit,
        pause: (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<(DateTime<Utc>, Limit)> {
        if limit.unit != Unit::WorkingDays {
            return Some((self.later(from, limit.unit == Unit::Hours, pause)?, limit));
        }
        let (since, until) = self.days_begun(pause);
        let more = self.calendar.working_days_between(since, until).days();
        let began = self.day(from);
        let day = self.calendar.add_working_days(began, more)?;
        Some(if day.provisional {
            (from, Limit { amount: limit.amount.checked_add(more)?, ..limit })
        } else {
            (self.on_day(from, day.on), limit)
        })
    }

    /// An instant later by a pause: by its length, or by the days that began meanwhile.
    fn later(
        &self,
        at: DateTime<Utc>,
        counts_hours: bool,
        pause: (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<DateTime<Utc>> {
        if counts_hours {
            return Some(at + (pause.1 - pause.0).max(TimeDelta::zero()));
        }
        let (since, until) = self.days_begun(pause);
        let more = Days::new(u64::try_from((until - since).num_days()).unwrap_or_default());
        Some(self.on_day(at, self.day(at).checked_add_days(more)?))
    }

    /// The first day that begins within a pause, and the first that begins after it.
    fn days_begun(&self, (since, until): (DateTime<Utc>, DateTime<Utc>)) -> (NaiveDate, NaiveDate) {
        let next = |at| self.day(at).succ_opt().unwrap_or(NaiveDate::MAX);
        (next(since), next(until.max(since)))
    }

    /// The same time of another day.
    fn on_day(&self, at: DateTime<Utc>, day: NaiveDate) -> DateTime<Utc> {
        local_midnight(day, self.zone) + (at - local_midnight(self.day(at), self.zone))
    }

    /// When something is due, after a pause, that no limit gave. The end of a day stays the end of a day, later by those that began
    /// meanwhile; an instant within a day moves by as long as the pause was. Nothing where the calendar ends before.
    pub fn due_after_pause(
        &self,
        due_at: DateTime<Utc>,
        pause: (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<DateTime<Utc>> {
        let ends_a_day = self.end_of(self.last_day(due_at)) == due_at;
        self.later(due_at, !ends_a_day, pause)
    }
}

/// When a reminder goes out: so many hours before, or halfway where the limit is shorter than that.
pub fn remind_at(from: DateTime<Utc>, due_at: DateTime<Utc>, hours: i32) -> DateTime<Utc> {
    (due_at - TimeDelta::hours(i64::from(hours))).max(from + (due_at - from) / 2)
}

#[cfg(test)]
#[path = "deadline_tests.rs"]
mod tests;
