//! The days of the story, computed back from the moment at which it ends: months of the rotation, working days, office hours.

use chrono::{DateTime, Datelike, Days as Span, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::calendar::working_day::Calendar;

/// The zone in which everything happens.
pub const ZONE: Tz = chrono_tz::Asia::Shanghai;
/// How many months of the rotation lie behind the current one.
pub const MONTHS_BEHIND: u32 = 7;

/// When things happen.
pub struct Days {
    /// The moment at which the story ends and the demo is served.
    pub end: DateTime<Utc>,
    /// First day of the rotation.
    pub anchor: NaiveDate,
    calendar: Calendar,
}

impl Days {
    /// The days of a story that ends now.
    pub fn until(end: DateTime<Utc>) -> Self {
        let today = end.with_timezone(&ZONE).date_naive();
        let this_month = today.with_day(1).unwrap_or(today);
        let anchor = this_month.checked_sub_months(Months::new(MONTHS_BEHIND)).unwrap_or(this_month);
        Self { end, anchor, calendar: Calendar::shipped() }
    }

    /// First day of the month of turn `number`, 1 for the first.
    pub fn month(&self, number: u32) -> NaiveDate {
        self.anchor.checked_add_months(Months::new(number.saturating_sub(1))).unwrap_or(self.anchor)
    }

    /// The `nth` working day of a month.
    pub fn working_day(&self, month: NaiveDate, nth: u32) -> NaiveDate {
        self.calendar.nth_working_day_of(month, nth).map_or(month, |found| found.on)
    }

    /// The last working day before a day.
    pub fn working_day_before(&self, day: NaiveDate) -> NaiveDate {
        let mut before = day;
        while let Some(earlier) = before.pred_opt() {
            before = earlier;
            if self.calendar.is_working(before) {
                break;
            }
        }
        before
    }

    /// When the story begins: the alliance is founded in the month before its first turn.
    pub fn beginning(&self) -> DateTime<Utc> {
        local(self.anchor.checked_sub_days(Span::new(24)).unwrap_or(self.anchor), 9, 0)
    }

    /// A moment moved into the office hours of its own day, unless that lies beyond the end of the story.
    pub fn in_office(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let there = at.with_timezone(&ZONE);
        let (from, to) = (local(there.date_naive(), 9, 0), local(there.date_naive(), 17, 30));
        // Fold what falls outside back into the day by its minutes, so that things do not all happen at nine sharp.
        let minutes = TimeDelta::minutes(there.timestamp().rem_euclid(480 * 60) / 60);
        let moved = if (from..=to).contains(&at) { at } else { from + minutes };
        if moved <= self.end { moved } else { at.min(self.end) }
    }
}

/// A local time of day as an instant.
pub fn local(day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
    // The zone has no gaps in the years of the story.
    ZONE.from_local_datetime(&day.and_time(time))
        .earliest()
        .map_or_else(|| day.and_time(time).and_utc(), |at| at.with_timezone(&Utc))
}
