//! Tests of the working calendar against the real notices; they hold no rules of their own.

use super::*;
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn known(on: NaiveDate) -> Option<Dated> {
    Dated { on, provisional: false }.into()
}

fn provisional(on: NaiveDate) -> Option<Dated> {
    Dated { on, provisional: true }.into()
}

#[test]
fn the_shipped_years_have_248_working_days() {
    let calendar = Calendar::shipped();
    assert_eq!(parse_calendar_csv(SHIPPED, Level::National).1, []);
    assert_eq!(calendar.published_years().collect::<Vec<_>>(), [2025, 2026]);
    assert_eq!(calendar.working_days_in_year(2025), Some(DayCount::Known(248)));
    assert_eq!(calendar.working_days_in_year(2026), Some(DayCount::Known(248)));
    assert_eq!(calendar.working_days_in_year(2027), Some(DayCount::Provisional(261)));
    assert_eq!(calendar.working_days_in_year(i32::MAX), None);
}

#[test]
fn days_have_names_and_kinds() {
    let calendar = Calendar::shipped();
    let spring = Some("春节".to_owned());
    // A Saturday that is worked, a Monday that is not, a plain Wednesday, and New Year of a year nobody published.
    let worked = Day { kind: DayKind::Working, known: true, name: spring.clone() };
    assert_eq!(calendar.day(day(2026, 2, 28)), worked);
    assert_eq!(calendar.day(day(2026, 2, 16)), Day { kind: DayKind::Off, known: true, name: spring });
    assert_eq!(calendar.day(day(2026, 11, 18)), Day { kind: DayKind::Working, known: true, name: None });
    assert_eq!(calendar.day(day(2027, 1, 1)), Day { kind: DayKind::Working, known: false, name: None });
    assert!(!calendar.is_working(day(2026, 11, 22)));
}

#[test]
fn make_up_weekends_are_counted() {
    let calendar = Calendar::shipped();
    // Spring festival of 2026: Saturday the 14th is worked, 15th to 23rd are off, Saturday the 28th is worked.
    assert_eq!(calendar.add_working_days(day(2026, 2, 13), 1), known(day(2026, 2, 14)));
    assert_eq!(calendar.add_working_days(day(2026, 2, 13), 2), known(day(2026, 2, 24)));
    assert_eq!(calendar.add_working_days(day(2026, 2, 13), 6), known(day(2026, 2, 28)));
    assert_eq!(calendar.add_working_days(day(2026, 2, 13), 7), known(day(2026, 3, 2)));
    // The fifth working day of October 2026: after the holiday come the 8th, 9th, worked Saturday 10th, 12th, 13th.
    assert_eq!(calendar.nth_working_day_of(day(2026, 10, 1), 5), known(day(2026, 10, 13)));
    assert_eq!(calendar.nth_working_day_of(day(2026, 12, 1), 5), known(day(2026, 12, 7)));
    assert_eq!(calendar.nth_working_day_of(day(2026, 12, 1), 1), known(day(2026, 12, 1)));
    assert_eq!(calendar.working_days_between(day(2026, 10, 1), day(2026, 10, 11)), DayCount::Known(3));
}

#[test]
fn year_ends_make_dates_provisional() {
    let calendar = Calendar::shipped();
    assert_eq!(calendar.add_working_days(day(2025, 12, 31), 1), known(day(2026, 1, 4)));
    assert_eq!(calendar.add_working_days(day(2026, 12, 30), 1), known(day(2026, 12, 31)));
    assert_eq!(calendar.add_working_days(day(2026, 12, 31), 1), provisional(day(2027, 1, 1)));
    assert_eq!(calendar.nth_working_day_of(day(2027, 1, 1), 5), provisional(day(2027, 1, 7)));
    // A known date reached over an unknown year is no more certain than that year.
    assert_eq!(calendar.add_working_days(day(2024, 12, 31), 1), known(day(2025, 1, 2)));
    assert_eq!(calendar.add_working_days(day(2024, 12, 30), 2), provisional(day(2025, 1, 2)));
    assert_eq!(calendar.working_days_between(day(2026, 12, 31), day(2027, 1, 1)), DayCount::Known(1));
    assert_eq!(calendar.working_days_between(day(2026, 12, 31), day(2027, 1, 2)), DayCount::Provisional(2));
    assert_eq!(calendar.working_days_between(day(2027, 1, 2), day(2027, 1, 2)), DayCount::Known(0));
    assert_eq!(calendar.working_days_between(day(2027, 1, 2), day(2026, 1, 2)), DayCount::Known(0));
}

#[test]
fn publishing_a_year_settles_it() {
    let mut entries = shipped_entries();
    let (next, errors) = parse_calendar_csv(
        b"date,name,kind\n2027-01-01,X,off\n2027-02-05,X,off\n2027-05-01,X,off\n2027-10-01,X,off\n",
        Level::National,
    );
    assert_eq!(errors, []);
    // Half a notice publishes nothing, whichever half it is.
    for missing in 0..next.len() {
        let mut half = next.clone();
        half.remove(missing);
        assert_eq!(published_years(&half), BTreeSet::new(), "{half:?}");
    }
    entries.extend(next);
    let calendar = Calendar::from_entries(entries);
    assert_eq!(calendar.add_working_days(day(2026, 12, 31), 1), known(day(2027, 1, 4)));
}

#[test]
fn a_local_overlay_wins_and_publishes_nothing() {
    let local = |date, kind| Entry { date, kind, name: Some("州庆".into()), level: Level::Local };
    let overlay = [
        local(day(2026, 10, 1), DayKind::Working),
        local(day(2026, 12, 31), DayKind::Off),
        local(day(2027, 1, 1), DayKind::Off),
    ];
    let (mut before, mut after) = (overlay.to_vec(), shipped_entries());
    before.extend(shipped_entries());
    after.extend(overlay);
    let calendar = Calendar::from_entries(before);
    assert_eq!(calendar, Calendar::from_entries(after));
    assert!(calendar.is_working(day(2026, 10, 1)));
    assert_eq!(calendar.add_working_days(day(2026, 12, 30), 1), provisional(day(2027, 1, 4)));
    assert_eq!(calendar.working_days_in_year(2026), Some(DayCount::Known(248)));
    assert!(!calendar.is_published(2027));
}

#[test]
fn national_entries_of_an_unpublished_year_are_left_out() {
    let calendar = Calendar::new(shipped_entries(), [2025]);
    assert!(calendar.is_working(day(2026, 10, 1)));
    assert_eq!(calendar.working_days_in_year(2026), Some(DayCount::Provisional(261)));
}

#[test]
fn senseless_counts_are_answered() {
    let calendar = Calendar::shipped();
    assert_eq!(calendar.add_working_days(day(2026, 10, 1), 0), known(day(2026, 10, 1)));
    assert_eq!(calendar.nth_working_day_of(day(2026, 10, 1), 0), None);
    assert_eq!(calendar.add_working_days(day(2026, 10, 1), MAX_WORKING_DAYS + 1), None);
    assert!(
        calendar.add_working_days(day(2026, 10, 1), MAX_WORKING_DAYS).is_some_and(|date| date.provisional)
    );
    assert_eq!(calendar.add_working_days(NaiveDate::MAX, 1), None);
    assert!(calendar.working_days_between(NaiveDate::MIN, NaiveDate::MAX).days() > 0);
}

#[test]
fn rows_are_refused_with_their_place() {
    let text = "\u{feff}# 来源\r\ndate,name,kind\r\n2026-02-30,春节,off\r\n2026-03-01,春节,holiday\r\n\r\n\
                2026-03-02,\"春,节\",off\r\n2026-03-02,春节,work\r\n2026-3-4,春节,off\r\n2026-03-05,off\r\n\
                2026-03-06,\"春,off\r\n2026-03-07,,work\r\n";
    let (entries, errors) = parse_calendar_csv(text.as_bytes(), Level::Local);
    let found: Vec<_> =
        errors.iter().map(|error| (error.line, error.column, error.problem.clone())).collect();
    assert_eq!(
        found,
        [
            (3, 1, RowProblem::BadDate { found: "2026-02-30".into() }),
            (4, 3, RowProblem::UnknownKind { found: "holiday".into() }),
            (7, 1, RowProblem::Duplicate { first_line: 6 }),
            (8, 1, RowProblem::BadDate { found: "2026-3-4".into() }),
            (9, 2, RowProblem::WrongColumns { found: 2 }),
            (10, 1, RowProblem::OpenQuote),
        ]
    );
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].name.as_deref(), Some("春,节"));
    assert_eq!((entries[1].name.as_deref(), entries[1].level), (None, Level::Local));
}

#[test]
fn whole_files_are_refused_with_their_place() {
    let gbk = b"date,name,kind\n2026-01-01,\xd4\xaa\xb5\xa9,off\n";
    let not_utf8 = RowError { line: 2, column: 2, problem: RowProblem::NotUtf8 };
    assert_eq!(parse_calendar_csv(gbk, Level::National), (vec![], vec![not_utf8]));
    let header = |line| (vec![], vec![RowError { line, column: 1, problem: RowProblem::BadHeader }]);
    assert_eq!(parse_calendar_csv(b"", Level::National), header(1));
    assert_eq!(parse_calendar_csv(b"# x\n2026-01-01,x,off\n", Level::National), header(2));
}

proptest! {
    #[test]
    fn counting_agrees_with_walking(from in 0u64..1100, length in 0u64..900) {
        let calendar = Calendar::shipped();
        let from = day(2024, 11, 1) + Days::new(from);
        let to = from + Days::new(length);
        let days: Vec<NaiveDate> = from.iter_days().take_while(|&date| date < to).collect();
        let walked = days.iter().filter(|&&date| calendar.is_working(date)).count();
        let known = days.iter().all(|&date| calendar.day(date).known);
        let counted = calendar.working_days_between(from, to);
        prop_assert_eq!(usize::try_from(counted.days()).unwrap(), walked);
        prop_assert_eq!(matches!(counted, DayCount::Known(_)), known);
    }

    #[test]
    fn adding_undoes_counting(from in 0u64..700, count in 1u32..300) {
        let calendar = Calendar::shipped();
        let from = day(2025, 1, 1) + Days::new(from);
        let reached = calendar.add_working_days(from, count).unwrap();
        prop_assert!(calendar.is_working(reached.on));
        let counted = calendar.working_days_between(from + Days::new(1), reached.on + Days::new(1));
        prop_assert_eq!(counted.days(), count);
        prop_assert_eq!(matches!(counted, DayCount::Provisional(_)), reached.provisional);
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(date,name,kind\n)?.{0,80}") {
        let _ = parse_calendar_csv(&bytes, Level::National);
        let _ = parse_calendar_csv(text.as_bytes(), Level::Local);
    }
}
