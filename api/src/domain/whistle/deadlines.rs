//! By when a department is to report in and to have resolved the matter: what an alliance sets for the units that it calls, and
//! otherwise the platform's limits. Pure. Whoever calls may name other instants; what runs already keeps its deadlines.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use concord_entities::{problem_responsible, whistle::Kind, whistle_breach::Clock};
use sea_orm::Iterable;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Code, Error, Result,
    calendar::working_day::Calendar,
    list::deadline::{Limit, Place},
};

/// Longest limit, in days.
const MOST_DAYS: u32 = 365;

/// What a limit counts. Working days are not among them: who is called comes, whatever day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Minutes,
    Hours,
    /// Calendar days, to the end of the last.
    Days,
}

impl Unit {
    const fn minutes(self) -> u64 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
            Self::Days => 24 * 60,
        }
    }

    const fn most(self) -> u32 {
        match self {
            Self::Minutes => MOST_DAYS * 24 * 60,
            Self::Hours => MOST_DAYS * 24,
            Self::Days => MOST_DAYS,
        }
    }
}

/// What one deadline of a call is limited by, for the whistles that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub clock: Clock,
    /// Only whistles of this kind.
    pub kind: Option<Kind>,
    pub amount: u32,
    pub unit: Unit,
}

/// The platform's own limits.
const fn default_limit(clock: Clock, kind: Kind) -> (u32, Unit) {
    match (clock, kind) {
        (Clock::ReportIn, Kind::Emergency) => (30, Unit::Minutes),
        (Clock::ReportIn, Kind::Enforcement | Kind::PriorityWork) | (Clock::Resolve, Kind::Emergency) => {
            (24, Unit::Hours)
        }
        (Clock::Resolve, Kind::Enforcement) => (7 * 24, Unit::Hours),
        (Clock::Resolve, Kind::PriorityWork) => (15 * 24, Unit::Hours),
    }
}

/// Which rule says it: that for this kind of whistle, else that for all.
fn rule(rules: &[Rule], clock: Clock, kind: Kind) -> Option<usize> {
    let of = |wanted: Option<Kind>| rules.iter().position(|rule| rule.clock == clock && rule.kind == wanted);
    of(Some(kind)).or_else(|| of(None))
}

/// When a deadline ends of a call that is made at an instant: by the rule for this kind of whistle, else by that for all.
pub fn due(rules: &[Rule], clock: Clock, kind: Kind, from: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let rule = rule(rules, clock, kind).and_then(|index| rules.get(index));
    let (amount, unit) = rule.map_or_else(|| default_limit(clock, kind), |rule| (rule.amount, rule.unit));
    match unit {
        Unit::Minutes => from + TimeDelta::minutes(i64::from(amount)),
        Unit::Hours => from + TimeDelta::hours(i64::from(amount)),
        Unit::Days => {
            let place = Place { zone, calendar: Calendar::default() };
            let limit = Limit { amount, unit: problem_responsible::Unit::Days };
            place.due(from, limit).map_or(from + TimeDelta::days(i64::from(amount)), |due| due.at)
        }
    }
}

/// Rules as an alliance may set them.
pub fn checked(rules: Vec<Rule>) -> Result<Vec<Rule>> {
    for (index, rule) in rules.iter().enumerate() {
        let most = rule.unit.most();
        if !(1..=most).contains(&rule.amount) {
            let field = format!("whistleRules.{index}.amount");
            return Err(Error::invalid(Code::OutOfRange, field).with("least", 1).with("most", most));
        }
        let same = |other: &Rule| (other.clock, other.kind) == (rule.clock, rule.kind);
        if rules.iter().take(index).any(same) {
            return Err(Error::invalid(Code::AlreadyExists, format!("whistleRules.{index}")));
        }
    }
    // Nobody resolves what they have not yet come to.
    let limit = |clock, kind| {
        let of = rule(&rules, clock, kind).and_then(|index| rules.get(index));
        let (amount, unit) = of.map_or_else(|| default_limit(clock, kind), |rule| (rule.amount, rule.unit));
        u64::from(amount) * unit.minutes()
    };
    for kind in Kind::iter() {
        let at_fault = rule(&rules, Clock::Resolve, kind).or_else(|| rule(&rules, Clock::ReportIn, kind));
        if let Some(index) = at_fault.filter(|_| limit(Clock::ReportIn, kind) > limit(Clock::Resolve, kind)) {
            return Err(Error::invalid(Code::ResolvedBeforeReportIn, format!("whistleRules.{index}")));
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    const ZONE: Tz = chrono_tz::Asia::Shanghai;

    #[test]
    fn an_emergency_wants_departments_within_half_an_hour() {
        let now = at("2026-01-05T01:00:00Z");
        let due = |clock, kind| due(&[], clock, kind, now, ZONE) - now;
        assert_eq!(due(Clock::ReportIn, Kind::Emergency), TimeDelta::minutes(30));
        assert_eq!(due(Clock::Resolve, Kind::Enforcement), TimeDelta::days(7));
        assert_eq!(due(Clock::Resolve, Kind::PriorityWork), TimeDelta::days(15));
        for kind in Kind::iter() {
            assert!(due(Clock::ReportIn, kind) < due(Clock::Resolve, kind), "{kind:?}");
        }
    }

    #[test]
    fn the_rule_for_a_kind_decides_before_that_for_all_and_days_end_where_the_alliance_is() {
        let rule = |clock, kind, amount, unit| Rule { clock, kind, amount, unit };
        let rules = [
            rule(Clock::Resolve, None, 2, Unit::Days),
            rule(Clock::Resolve, Some(Kind::Emergency), 90, Unit::Minutes),
            rule(Clock::ReportIn, None, 3, Unit::Hours),
        ];
        let now = at("2026-01-05T01:00:00Z");
        let due = |clock, kind| due(&rules, clock, kind, now, ZONE);
        assert_eq!(due(Clock::Resolve, Kind::Emergency), at("2026-01-05T02:30:00Z"));
        assert_eq!(due(Clock::Resolve, Kind::Enforcement), at("2026-01-07T16:00:00Z"));
        assert_eq!(due(Clock::ReportIn, Kind::Emergency), at("2026-01-05T04:00:00Z"));
    }

    #[test]
    fn rules_are_within_bounds_and_no_two_for_the_same() {
        let rule = |kind, amount, unit| Rule { clock: Clock::ReportIn, kind, amount, unit };
        let code = |rules: &[Rule]| checked(rules.to_vec()).err().map(|error| error.code().text());
        assert_eq!(
            code(&[rule(None, 1, Unit::Minutes), rule(Some(Kind::Emergency), 1, Unit::Minutes)]),
            None
        );
        assert_eq!(code(&[rule(None, 0, Unit::Hours)]), Some("OUT_OF_RANGE"));
        assert_eq!(code(&[rule(None, 366, Unit::Days)]), Some("OUT_OF_RANGE"));
        assert_eq!(code(&[rule(None, 365, Unit::Days)]), Some("RESOLVED_BEFORE_REPORT_IN"));
        let resolve = Rule { clock: Clock::Resolve, kind: None, amount: 365, unit: Unit::Days };
        assert_eq!(code(&[rule(None, 365, Unit::Days), resolve]), None);
        assert_eq!(code(&[rule(None, 1, Unit::Days), rule(None, 2, Unit::Hours)]), Some("ALREADY_EXISTS"));
    }
}
