//! The roll-up against a recount that knows nothing of it: every task's share of the whole, down to the last.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn id(number: u128) -> PriorityTaskId {
    PriorityTaskId(uuid::Uuid::from_u128(number))
}

fn leaf(state: State, percent: i32, parts: &[(u128, u32)]) -> Leaf {
    let parts = parts.iter().map(|(part, weight)| (id(*part), *weight)).collect();
    Leaf { state, percent, parts, kept: None }
}

fn tree(leaves: Vec<(u128, Leaf)>) -> Tree {
    Tree(leaves.into_iter().map(|(number, leaf)| (id(number), leaf)).collect())
}

fn parts_of(progress: &Progress) -> (String, String, u8) {
    (progress.numerator.to_string(), progress.denominator.to_string(), progress.percent())
}

#[test]
fn parts_count_by_their_weights_and_what_was_given_up_does_not() {
    let of = |third| {
        tree(vec![
            (1, leaf(State::Published, 7, &[(2, 1), (3, 2), (4, 4)])),
            (2, leaf(State::InProgress, 50, &[])),
            (3, leaf(State::Completed, 80, &[])),
            (4, leaf(third, 25, &[])),
        ])
    };
    // (50 + 2 · 100 + 4 · 25) / 7 percent.
    let all = of(State::InProgress).progress(id(1));
    assert_eq!(parts_of(&all), ("1".to_owned(), "2".to_owned(), 50));
    for gone in [State::Cancelled, State::CarriedOver] {
        let rest = of(gone).progress(id(1));
        assert_eq!((parts_of(&rest), rest.parts), (("5".to_owned(), "6".to_owned(), 83), 2));
    }
    assert_eq!(of(State::Draft).progress(id(4)).percent(), 25);
}

#[test]
fn a_task_without_parts_that_count_speaks_for_itself() {
    let alone = tree(vec![(1, leaf(State::InProgress, 40, &[(2, 9)])), (2, leaf(State::Cancelled, 90, &[]))]);
    assert_eq!(alone.progress(id(1)).percent(), 40);
    // Nothing but all of it is 100.
    let nearly = tree(vec![
        (1, leaf(State::InProgress, 0, &[(2, 10_000), (3, 1)])),
        (2, leaf(State::Completed, 0, &[])),
        (3, leaf(State::InProgress, 99, &[])),
    ]);
    assert_eq!(nearly.progress(id(1)).percent(), 99);
    assert_eq!(parts_of(&nearly.progress(id(1))).1, "1000100");
}

#[test]
fn a_circle_ends() {
    let circle = tree(vec![
        (1, leaf(State::InProgress, 10, &[(2, 1), (1, 5)])),
        (2, leaf(State::InProgress, 30, &[(1, 1)])),
    ]);
    assert_eq!(circle.progress(id(1)).percent(), 30);
}

/// A town's task: state, percent, weight; and the villages' below it.
type Town = ((State, i32, u32), Vec<(State, i32, u32)>);

fn state() -> impl Strategy<Value = State> {
    use State::{Acknowledged, Cancelled, CarriedOver, Completed, Draft, InProgress, Published, Submitted};
    prop::sample::select(vec![
        Draft,
        Published,
        Acknowledged,
        InProgress,
        InProgress,
        Submitted,
        Completed,
        Cancelled,
        CarriedOver,
    ])
}

fn task() -> impl Strategy<Value = (State, i32, u32)> {
    (state(), 0..=100_i32, 1..=10_000_u32)
}

fn towns() -> impl Strategy<Value = Vec<Town>> {
    prop::collection::vec((task(), prop::collection::vec(task(), 0..6)), 1..7)
}

/// A fraction of whole numbers that a machine holds, as the recount keeps it.
fn recount(towns: &[Town]) -> Option<(u128, u128)> {
    let counted = |task: &(State, i32, u32)| !matches!(task.0, State::Cancelled | State::CarriedOver);
    let own = |(state, percent, _): &(State, i32, u32)| match state {
        State::Completed => 100,
        _ => u128::try_from(*percent).expect("a percent"),
    };
    let whole: u128 = towns.iter().filter(|town| counted(&town.0)).map(|town| u128::from(town.0.2)).sum();
    if whole == 0 {
        return None;
    }
    // What each last task adds to the whole, over one denominator for all.
    let villages = |town: &Town| -> u128 {
        town.1.iter().filter(|village| counted(village)).map(|village| u128::from(village.2)).sum()
    };
    let is_divided = |town: &Town| town.0.0 != State::Completed && villages(town) > 0;
    let mut common: u128 = 1;
    for town in towns.iter().filter(|town| counted(&town.0) && is_divided(town)) {
        common = common.checked_mul(villages(town))?;
    }
    let mut sum: u128 = 0;
    for town in towns.iter().filter(|town| counted(&town.0)) {
        let share = u128::from(town.0.2).checked_mul(common)?;
        if is_divided(town) {
            for village in town.1.iter().filter(|village| counted(village)) {
                let part = (share / villages(town)).checked_mul(u128::from(village.2))?;
                sum = sum.checked_add(part.checked_mul(own(village))?)?;
            }
        } else {
            sum = sum.checked_add(share.checked_mul(own(&town.0))?)?;
        }
    }
    Some((sum, common.checked_mul(whole)?.checked_mul(100)?))
}

proptest! {
    #[test]
    fn three_levels_of_any_weights_equal_a_recount(towns in towns()) {
        let mut leaves = HashMap::new();
        let mut number = 1_u128;
        let mut below = Vec::new();
        for ((state, percent, weight), villages) in &towns {
            number += 1;
            let town = number;
            let mut parts = Vec::new();
            for (state, percent, weight) in villages {
                number += 1;
                parts.push((number, *weight));
                leaves.insert(id(number), leaf(*state, *percent, &[]));
            }
            leaves.insert(id(town), leaf(*state, *percent, &parts));
            below.push((town, *weight));
        }
        leaves.insert(id(1), leaf(State::InProgress, 0, &below));
        let rolled = Tree(leaves).progress(id(1));
        if let Some((numerator, denominator)) = recount(&towns) {
            let (numerator, denominator) = (BigUint::from(numerator), BigUint::from(denominator));
            prop_assert_eq!(&rolled.numerator * &denominator, &rolled.denominator * &numerator);
            prop_assert_eq!(u32::from(rolled.percent()), u32::try_from(numerator * 100_u32 / denominator).expect("a percent"));
        }
    }
}
