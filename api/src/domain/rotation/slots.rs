//! Where a rotation slot begins and ends.
//! Every boundary is computed from the plan's anchor, never from the slot before it; this room neither stores
//! slots nor knows which team is on duty.

use chrono::{DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// The unit in which a plan's cadence is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CadenceUnit {
    Month,
    Week,
}

/// How long one slot lasts: `every` months or weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cadence {
    pub unit: CadenceUnit,
    pub every: u32,
}

impl Cadence {
    /// Is the cadence of calendar months, the default of a plan.
    pub const MONTHLY: Self = Self { unit: CadenceUnit::Month, every: 1 };

    /// Returns the first day of the slot that follows `steps` earlier ones.
    fn start_after(self, anchor: NaiveDate, steps: u32) -> Option<NaiveDate> {
        let units = steps.checked_mul(self.every)?;
        match self.unit {
            CadenceUnit::Month => anchor.checked_add_months(Months::new(units)),
            CadenceUnit::Week => anchor.checked_add_days(Days::new(u64::from(units) * 7)),
        }
    }
}

/// Returns the first day and the day after the last day of slot `number` (1-based), or nothing for a number or
/// cadence of zero and for dates beyond the calendar.
pub fn slot_bounds(anchor: NaiveDate, cadence: Cadence, number: u32) -> Option<(NaiveDate, NaiveDate)> {
    if cadence.every == 0 {
        return None;
    }
    let earlier = number.checked_sub(1)?;
    Some((cadence.start_after(anchor, earlier)?, cadence.start_after(anchor, number)?))
}

/// Returns the instants at which a slot begins and ends: local midnight in the alliance's time zone.
pub fn slot_instants(bounds: (NaiveDate, NaiveDate), zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    (local_midnight(bounds.0, zone), local_midnight(bounds.1, zone))
}

/// Returns the first instant of a local day: midnight, the earlier of two midnights when the clocks go back, the end
/// of the gap when they go forward over it.
pub fn local_midnight(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.with_timezone(&Utc),
        LocalResult::None => GapInfo::new(&midnight, &zone)
            .and_then(|gap| gap.end)
            // Only at the limits of representable time is there neither a midnight nor an end of a gap.
            .map_or_else(|| midnight.and_utc(), |instant| instant.with_timezone(&Utc)),
    }
}

/// Returns the number (1-based) of the slot that contains a date, or nothing before the anchor.
pub fn slot_on(anchor: NaiveDate, cadence: Cadence, date: NaiveDate) -> Option<u32> {
    if cadence.every == 0 || date < anchor {
        return None;
    }
    let units = match cadence.unit {
        CadenceUnit::Week => u32::try_from((date - anchor).num_days() / 7).ok()?,
        CadenceUnit::Month => whole_months(anchor, date)?,
    };
    (units / cadence.every).checked_add(1)
}

/// Counts the whole months from `anchor` to `date`, an anchor on a day the month lacks falling on the month's end.
fn whole_months(anchor: NaiveDate, date: NaiveDate) -> Option<u32> {
    let years = i64::from(date.year()) - i64::from(anchor.year());
    let months = u32::try_from(years * 12 + i64::from(date.month()) - i64::from(anchor.month())).ok()?;
    if anchor.checked_add_months(Months::new(months)).is_none_or(|reached| reached > date) {
        months.checked_sub(1)
    } else {
        Some(months)
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
