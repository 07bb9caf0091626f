//! A plan's turns in days and instants: the cadence maths of `slots` bound to a plan and the zone of its alliance.
//! Neither reads nor writes anything.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use concord_entities::{
    alliance,
    rotation_plan::{self, CadenceUnit},
};

use super::slots::{self, Cadence};
use crate::domain::{Code, Error, Result};

/// When the turns of a plan begin and end.
#[derive(Clone, Copy, Debug)]
pub struct Timetable {
    pub anchor_on: NaiveDate,
    pub cadence: Cadence,
    pub zone: Tz,
}

/// One turn in days and instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub number: i32,
    pub starts_on: NaiveDate,
    /// The first day after it.
    pub ends_on: NaiveDate,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

impl Turn {
    pub fn begun(&self, now: DateTime<Utc>) -> bool {
        self.starts_at <= now
    }

    pub fn ended(&self, now: DateTime<Utc>) -> bool {
        self.ends_at <= now
    }
}

/// The zone of an alliance; names are checked when they are stored.
pub fn zone(alliance: &alliance::Model) -> Tz {
    alliance.time_zone.parse().unwrap_or(chrono_tz::Asia::Shanghai)
}

/// The day it is in an alliance.
pub fn today(alliance: &alliance::Model, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&zone(alliance)).date_naive()
}

/// Turns away a day later than may be recorded.
pub fn no_later(on: NaiveDate, most: NaiveDate, field: &'static str) -> Result<()> {
    if on <= most { Ok(()) } else { Err(Error::invalid(Code::TooLate, field).with("most", most)) }
}

/// The cadence as the pure maths counts it.
pub fn cadence(unit: CadenceUnit, every: i32) -> Cadence {
    let unit = match unit {
        CadenceUnit::Month => slots::CadenceUnit::Month,
        CadenceUnit::Week => slots::CadenceUnit::Week,
    };
    Cadence { unit, every: u32::try_from(every).unwrap_or_default() }
}

impl Timetable {
    pub fn of(plan: &rotation_plan::Model, alliance: &alliance::Model) -> Self {
        Self {
            anchor_on: plan.anchor_on,
            cadence: cadence(plan.cadence_unit, plan.cadence_every),
            zone: zone(alliance),
        }
    }

    /// One turn; beyond the calendar there is none.
    pub fn turn(&self, number: i32) -> Result<Turn> {
        let bounds = u32::try_from(number)
            .ok()
            .and_then(|number| slots::slot_bounds(self.anchor_on, self.cadence, number))
            .filter(|(_, end)| end.year() <= 9999)
            .ok_or_else(|| {
                Error::invalid(Code::OutOfRange, "anchorOn").with("least", 1970).with("most", 9999)
            })?;
        Ok(turn(number, bounds, self.zone))
    }

    /// A turn as people name it: the month, or its first day where turns are not calendar months.
    pub fn label(&self, starts_on: NaiveDate) -> String {
        label(self.cadence, starts_on)
    }
}

/// A turn whose days are known.
pub fn turn(number: i32, (starts_on, ends_on): (NaiveDate, NaiveDate), zone: Tz) -> Turn {
    let (starts_at, ends_at) = slots::slot_instants((starts_on, ends_on), zone);
    Turn { number, starts_on, ends_on, starts_at, ends_at }
}

fn label(cadence: Cadence, starts_on: NaiveDate) -> String {
    let form =
        if cadence.unit == slots::CadenceUnit::Month && starts_on.day() == 1 { "%Y-%m" } else { "%Y-%m-%d" };
    starts_on.format(form).to_string()
}
