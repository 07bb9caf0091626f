//! Deadlines at the ends of months and years, across make-up weekends, in several zones.

use proptest::prelude::*;

use super::*;
use crate::domain::calendar::working_day::{DayKind, Entry, Level, shipped_entries};

fn beijing() -> Place {
    Place { zone: chrono_tz::Asia::Shanghai, calendar: Calendar::shipped() }
}

/// An instant as clocks in Beijing show it.
fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{text}:00+08:00")).expect("an instant").with_timezone(&Utc)
}

fn due(from: &str, amount: u32, unit: Unit) -> (String, bool) {
    let place = beijing();
    let due = place.due(at(from), Limit { amount, unit }).expect("a deadline");
    (due.at.with_timezone(&place.zone).format("%Y-%m-%dT%H:%M").to_string(), due.is_provisional)
}

fn known(text: &str) -> (String, bool) {
    (text.to_owned(), false)
}

#[test]
fn hours_run_around_the_clock() {
    assert_eq!(due("2026-01-31T23:30", 2, Unit::Hours), known("2026-02-01T01:30"));
    assert_eq!(due("2025-12-31T23:59", 24, Unit::Hours), known("2026-01-01T23:59"));
    assert_eq!(due("2028-02-28T12:00", 24, Unit::Hours), known("2028-02-29T12:00"));
}

#[test]
fn days_end_with_the_last_of_them() {
    assert_eq!(due("2026-01-31T00:00", 1, Unit::Days), known("2026-02-02T00:00"));
    assert_eq!(due("2026-02-22T23:59", 7, Unit::Days), known("2026-03-02T00:00"));
    assert_eq!(due("2025-12-25T09:00", 7, Unit::Days), known("2026-01-02T00:00"));
    assert_eq!(due("2028-02-22T09:00", 7, Unit::Days), known("2028-03-01T00:00"));
}

#[test]
fn working_days_leave_out_holidays_and_count_make_up_days() {
    // Spring Festival 2026 is off from 15 to 23 February; Saturday the 14th and Saturday the 28th are worked.
    assert_eq!(due("2026-02-13T10:00", 1, Unit::WorkingDays), known("2026-02-15T00:00"));
    assert_eq!(due("2026-02-13T10:00", 2, Unit::WorkingDays), known("2026-02-25T00:00"));
    assert_eq!(due("2026-02-13T10:00", 6, Unit::WorkingDays), known("2026-03-01T00:00"));
    // Begun on a day off, the first working day after it is the first.
    assert_eq!(due("2026-02-18T10:00", 1, Unit::WorkingDays), known("2026-02-25T00:00"));
    // National Day 2025 with the Mid-Autumn Festival: 1 to 8 October; Sunday 28 September and Saturday the 11th are worked.
    assert_eq!(due("2025-09-27T10:00", 3, Unit::WorkingDays), known("2025-10-01T00:00"));
    assert_eq!(due("2025-09-27T10:00", 6, Unit::WorkingDays), known("2025-10-12T00:00"));
}

#[test]
fn a_year_without_a_notice_makes_it_provisional() {
    let (text, is_provisional) = due("2026-12-30T10:00", 3, Unit::WorkingDays);
    assert_eq!((text.as_str(), is_provisional), ("2027-01-05T00:00", true));
    assert!(!due("2026-12-30T10:00", 1, Unit::WorkingDays).1);
    assert!(!due("2026-12-30T10:00", 30, Unit::Days).1);
}

#[test]
fn the_last_day_is_the_one_that_the_deadline_ends() {
    let place = beijing();
    for (due_at, last) in [
        ("2026-02-02T00:00", "2026-02-01"),
        ("2026-02-02T00:01", "2026-02-02"),
        ("2026-01-01T00:00", "2025-12-31"),
    ] {
        assert_eq!(place.last_day(at(due_at)).to_string(), last, "{due_at}");
    }
}

#[test]
fn a_day_ends_at_the_alliance_s_midnight() {
    let urumqi = Place { zone: chrono_tz::Asia::Urumqi, calendar: Calendar::default() };
    let from = at("2026-01-31T01:00");
    // In Ürümqi it is still the 30th.
    let due = urumqi.due(from, Limit { amount: 1, unit: Unit::Days }).expect("a deadline");
    assert_eq!(due.at, at("2026-02-01T02:00"));
}

#[test]
fn a_pause_gives_back_what_it_took() {
    let place = beijing();
    let from = at("2026-02-10T10:00");
    let paused = |unit, amount, since: &str, until: &str| {
        let limit = Limit { amount, unit };
        let (from, limit) = place.after_pause(from, limit, (at(since), at(until))).expect("an instant");
        place.due(from, limit).expect("a deadline").at
    };
    assert_eq!(paused(Unit::Hours, 24, "2026-02-10T12:00", "2026-02-10T15:30"), at("2026-02-11T13:30"));
    // Within a day no day is lost; over one midnight, one is.
    assert_eq!(paused(Unit::Days, 7, "2026-02-11T08:00", "2026-02-11T20:00"), at("2026-02-18T00:00"));
    assert_eq!(paused(Unit::Days, 7, "2026-02-11T23:59", "2026-02-12T00:01"), at("2026-02-19T00:00"));
    // A pause over the Spring Festival takes none of its days off.
    assert_eq!(paused(Unit::WorkingDays, 5, "2026-02-14T20:00", "2026-02-24T08:00"), at("2026-02-26T00:00"));
}

#[test]
fn a_pause_in_a_year_that_is_not_known_is_not_lost_when_it_is() {
    let (plain, mut later) = (beijing(), beijing());
    let new_year = Entry {
        date: NaiveDate::from_ymd_opt(2027, 1, 1).expect("a day"),
        kind: DayKind::Off,
        name: None,
        level: Level::National,
    };
    later.calendar = Calendar::new(shipped_entries().into_iter().chain([new_year]), [2025, 2026, 2027]);
    let limit = Limit { amount: 5, unit: Unit::WorkingDays };
    let (from, limit) = plain
        .after_pause(at("2026-12-30T10:00"), limit, (at("2027-01-04T10:00"), at("2027-01-06T10:00")))
        .expect("an instant");
    assert_eq!((from, limit.amount), (at("2026-12-30T10:00"), 7));
    assert!(plain.due(from, limit).expect("a deadline").is_provisional);
    assert_eq!(later.due(from, limit).expect("a deadline").at, at("2027-01-12T00:00"));
}

#[test]
fn a_day_that_was_set_ends_with_a_day_after_a_pause_too() {
    let place = beijing();
    let paused = |due_at: &str, since: &str, until: &str| {
        place.due_after_pause(at(due_at), (at(since), at(until))).expect("an instant")
    };
    assert_eq!(paused("2026-02-18T00:00", "2026-02-11T08:00", "2026-02-11T20:00"), at("2026-02-18T00:00"));
    assert_eq!(paused("2026-02-18T00:00", "2026-02-11T23:59", "2026-02-13T00:01"), at("2026-02-20T00:00"));
    // What another unit's hours left over is counted by the clock.
    assert_eq!(paused("2026-02-18T13:30", "2026-02-11T08:00", "2026-02-11T20:00"), at("2026-02-19T01:30"));
}

#[test]
fn a_reminder_is_never_before_half_the_time() {
    let from = at("2026-02-10T10:00");
    assert_eq!(remind_at(from, at("2026-02-18T00:00"), 72), at("2026-02-15T00:00"));
    assert_eq!(remind_at(from, at("2026-02-10T12:00"), 72), at("2026-02-10T11:00"));
}

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![Just(Unit::Hours), Just(Unit::Days), Just(Unit::WorkingDays)]
}

proptest! {
    /// More time is never less, a pause never shortens, and two pauses are one of both lengths.
    #[test]
    fn deadlines_grow(
        minutes in 0i64..900_000,
        amount in 1u32..60,
        unit in unit(),
        before in 0i64..20_000,
        length in 0i64..20_000,
    ) {
        let place = beijing();
        let from = at("2025-01-01T00:00") + TimeDelta::minutes(minutes);
        let limit = Limit { amount, unit };
        let first = place.due(from, limit).expect("a deadline").at;
        prop_assert!(first > from);
        let longer = Limit { amount: amount + 1, unit };
        prop_assert!(place.due(from, longer).expect("a deadline").at > first);
        let since = from + TimeDelta::minutes(before);
        let (middle, until) = (since + TimeDelta::minutes(length / 2), since + TimeDelta::minutes(length));
        let paused = |(from, limit), since, until| {
            place.after_pause(from, limit, (since, until)).expect("an instant")
        };
        let moved = paused((from, limit), since, until);
        prop_assert!(place.due(moved.0, moved.1).expect("a deadline").at >= first);
        prop_assert_eq!(paused(paused((from, limit), since, middle), middle, until), moved);
        prop_assert_eq!(paused((from, limit), since, since), (from, limit));
    }
}
