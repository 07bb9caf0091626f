//! Tests of the cadence maths; they hold no rules of their own.

use super::*;
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn months_are_clamped_and_never_drift() {
    let anchor = day(2026, 1, 31);
    assert_eq!(slot_bounds(anchor, Cadence::MONTHLY, 1), Some((anchor, day(2026, 2, 28))));
    assert_eq!(slot_bounds(anchor, Cadence::MONTHLY, 2), Some((day(2026, 2, 28), day(2026, 3, 31))));
    assert_eq!(slot_bounds(anchor, Cadence::MONTHLY, 3), Some((day(2026, 3, 31), day(2026, 4, 30))));
    assert_eq!(slot_bounds(anchor, Cadence::MONTHLY, 26), Some((day(2028, 2, 29), day(2028, 3, 31))));
}

#[test]
fn weeks_and_longer_cadences() {
    let fortnight = Cadence { unit: CadenceUnit::Week, every: 2 };
    assert_eq!(slot_bounds(day(2026, 12, 28), fortnight, 1), Some((day(2026, 12, 28), day(2027, 1, 11))));
    let quarter = Cadence { unit: CadenceUnit::Month, every: 3 };
    assert_eq!(slot_bounds(day(2025, 11, 30), quarter, 2), Some((day(2026, 2, 28), day(2026, 5, 30))));
}

#[test]
fn senseless_slots_are_refused() {
    let never = Cadence { unit: CadenceUnit::Month, every: 0 };
    assert_eq!(slot_bounds(day(2026, 1, 1), never, 1), None);
    assert_eq!(slot_on(day(2026, 1, 1), never, day(2026, 1, 1)), None);
    assert_eq!(slot_bounds(day(2026, 1, 1), Cadence::MONTHLY, 0), None);
    assert_eq!(slot_bounds(day(2026, 1, 1), Cadence::MONTHLY, u32::MAX), None);
    let long = Cadence { unit: CadenceUnit::Week, every: u32::MAX };
    assert_eq!(slot_bounds(day(2026, 1, 1), long, 3), None);
    assert_eq!(slot_on(day(2026, 1, 31), Cadence::MONTHLY, day(2026, 1, 30)), None);
}

#[test]
fn midnight_is_that_of_the_zone() {
    let bounds = (day(2026, 11, 1), day(2026, 12, 1));
    assert_eq!(
        slot_instants(bounds, chrono_tz::Asia::Shanghai),
        (instant("2026-10-31T16:00:00Z"), instant("2026-11-30T16:00:00Z"))
    );
}

#[test]
fn missing_and_doubled_midnights_take_the_earliest_instant() {
    // São Paulo's clocks jumped from 00:00 to 01:00 on 4 November 2018.
    assert_eq!(
        local_midnight(day(2018, 11, 4), chrono_tz::America::Sao_Paulo),
        instant("2018-11-04T03:00:00Z")
    );
    // Havana's clocks go back from 01:00 to 00:00: midnight happens twice.
    assert_eq!(local_midnight(day(2025, 11, 2), chrono_tz::America::Havana), instant("2025-11-02T04:00:00Z"));
    // Samoa left out the whole of 30 December 2011.
    assert_eq!(
        local_midnight(day(2011, 12, 30), chrono_tz::Pacific::Apia),
        local_midnight(day(2011, 12, 31), chrono_tz::Pacific::Apia)
    );
    // The limits of the calendar are answered, not panicked upon.
    let limits = (NaiveDate::MIN, NaiveDate::MAX);
    for zone in [chrono_tz::Asia::Shanghai, chrono_tz::America::Havana, chrono_tz::UTC] {
        let (from, to) = slot_instants(limits, zone);
        assert!(from < to);
    }
}

proptest! {
    #[test]
    fn slots_tile_the_calendar(
        offset in 0u64..1500, unit in prop_oneof![Just(CadenceUnit::Month), Just(CadenceUnit::Week)],
        every in 1u32..14, number in 1u32..200,
    ) {
        let anchor = day(2024, 1, 1) + Days::new(offset);
        let cadence = Cadence { unit, every };
        let (start, end) = slot_bounds(anchor, cadence, number).unwrap();
        let (next, _) = slot_bounds(anchor, cadence, number + 1).unwrap();
        prop_assert!(start < end);
        prop_assert_eq!(end, next);
        prop_assert_eq!(slot_on(anchor, cadence, start), Some(number));
        prop_assert_eq!(slot_on(anchor, cadence, end - Days::new(1)), Some(number));
        prop_assert_eq!(slot_on(anchor, cadence, end), Some(number + 1));
    }

    #[test]
    fn every_slot_has_a_first_instant(days in 0u64..60_000, zone in 0usize..chrono_tz::TZ_VARIANTS.len()) {
        let date = day(1900, 1, 1) + Days::new(days);
        let zone = chrono_tz::TZ_VARIANTS[zone];
        let (from, to) = slot_instants((date, date + Days::new(1)), zone);
        prop_assert!(from <= to);
        let local = from.with_timezone(&zone).date_naive();
        prop_assert!(local >= date);
        // The instant before belongs to an earlier local day: nothing of the day is lost.
        let before = (from - chrono::TimeDelta::seconds(1)).with_timezone(&zone).date_naive();
        prop_assert!(before < local);
    }
}
