//! What a check-in makes of where a person is: pure, so that a batch folds many of them over each other before anything is written.

use chrono::{DateTime, Utc};
use concord_entities::id::{MobilizationShiftId, OrganizationId, RegionId};
use serde::{Deserialize, Serialize};

/// What came of a check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person is present now and was not on the order before.
    CheckedIn,
    /// It was known already: nothing changed, but that a unit or a shift is known where none was named before, and until when they were
    /// there.
    Duplicate,
    /// The person was elsewhere, or on another shift, and is here now.
    Transferred,
    /// It tells of an earlier time than what is known: the person stays where they are, and came first where that was the earliest.
    Superseded,
    /// The person had left and is back.
    Returned,
}

/// A check-in whose every part has been looked at.
#[derive(Clone, Copy, Debug)]
pub struct Coming {
    pub region: RegionId,
    pub organization: Option<OrganizationId>,
    pub shift: Option<MobilizationShiftId>,
    pub at: DateTime<Utc>,
}

/// Where a person of an order is, and where they came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    pub region: RegionId,
    pub organization: Option<OrganizationId>,
    pub shift: Option<MobilizationShiftId>,
    pub at: DateTime<Utc>,
    /// The latest time at which they are known to have been there.
    pub seen: DateTime<Utc>,
    pub left_at: Option<DateTime<Utc>>,
    pub first: (RegionId, DateTime<Utc>),
}

/// A line of a person's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from: RegionId,
    pub to: RegionId,
    pub at: DateTime<Utc>,
    pub is_superseded: bool,
}

impl Whereabouts {
    /// Where somebody is who comes for the first time.
    pub const fn first(coming: &Coming) -> Self {
        Self {
            region: coming.region,
            organization: coming.organization,
            shift: coming.shift,
            at: coming.at,
            seen: coming.at,
            left_at: None,
            first: (coming.region, coming.at),
        }
    }

    /// The place at which the person counts as present.
    pub const fn present_at(&self) -> Option<RegionId> {
        if self.left_at.is_none() { Some(self.region) } else { None }
    }

    /// Takes the unit of a check-in where none is known: the person came with it, whichever check-in says so.
    pub fn join(&mut self, coming: &Coming) {
        self.organization = self.organization.or(coming.organization);
    }

    /// Takes a check-in of somebody who is on the order.
    pub fn come(&mut self, coming: &Coming) -> (Outcome, Option<Transfer>) {
        self.join(coming);
        let moves = |is_superseded| {
            let (from, to) =
                if is_superseded { (coming.region, self.region) } else { (self.region, coming.region) };
            Some(Transfer { from, to, at: coming.at, is_superseded })
        };
        let is_here = coming.region == self.region;
        let other_shift = coming.shift.is_some() && coming.shift != self.shift;
        if coming.at < self.first.1 {
            self.first = (coming.region, coming.at);
            // From where they came first to where they are, unless that is the same.
            return (Outcome::Superseded, if is_here { None } else { moves(true) });
        }
        // The end of what is known: whatever is not before that is news.
        let known = self.left_at.unwrap_or(self.seen);
        let is_known = (coming.region, coming.at) == self.first
            || (is_here && (coming.at < known || (self.left_at.is_none() && !other_shift)));
        let (outcome, transfer) = if is_known {
            if is_here && self.left_at.is_none() {
                self.seen = Ord::max(self.seen, coming.at);
                if coming.at >= self.at {
                    self.shift = self.shift.or(coming.shift);
                }
            }
            return (Outcome::Duplicate, None);
        } else if coming.at < known {
            return (Outcome::Superseded, moves(true));
        } else if is_here && self.left_at.is_some() {
            (Outcome::Returned, None)
        } else {
            (Outcome::Transferred, moves(false))
        };
        self.region = coming.region;
        self.at = coming.at;
        self.seen = coming.at;
        self.left_at = None;
        self.organization = coming.organization.or(self.organization);
        // A shift belongs to a place.
        self.shift = if is_here { coming.shift.or(self.shift) } else { coming.shift };
        (outcome, transfer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use proptest::{collection::vec, prelude::*};
    use uuid::Uuid;

    use super::*;

    fn region(number: u128) -> RegionId {
        RegionId(Uuid::from_u128(number))
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn coming(place: u128, minutes: i64) -> Coming {
        Coming { region: region(place), organization: None, shift: None, at: at(minutes) }
    }

    #[test]
    fn the_same_place_again_is_a_duplicate() {
        let mut person = Whereabouts::first(&coming(1, 10));
        for (minutes, seen) in [(10, 10), (20, 20), (15, 20), (20, 20)] {
            assert_eq!(person.come(&coming(1, minutes)), (Outcome::Duplicate, None));
            assert_eq!(person, Whereabouts { seen: at(seen), ..Whereabouts::first(&coming(1, 10)) });
        }
        // Whoever was here until then was elsewhere before.
        assert_eq!(person.come(&coming(2, 15)).0, Outcome::Superseded);
        assert_eq!(person.present_at(), Some(region(1)));
    }

    proptest! {
        #[test]
        fn whatever_is_told_in_whatever_order_ends_where_the_latest_says(
            facts in vec((0..3u128, 0..1_000i64), 1..8).prop_map(distinct).prop_shuffle(),
        ) {
            let Some((first, others)) = facts.split_first() else { return Ok(()) };
            let mut person = Whereabouts::first(first);
            for fact in others {
                person.come(fact);
                // Sent again at once it changes nothing.
                let before = person;
                person.come(fact);
                prop_assert_eq!(person, before);
            }
            let latest = facts.iter().max_by_key(|fact| fact.at).expect("a fact");
            let earliest = facts.iter().min_by_key(|fact| fact.at).expect("a fact");
            prop_assert_eq!((person.region, person.seen), (latest.region, latest.at));
            prop_assert_eq!(person.first, (earliest.region, earliest.at));
        }
    }

    /// Facts of distinct times.
    fn distinct(facts: Vec<(u128, i64)>) -> Vec<Coming> {
        let by_time: BTreeMap<i64, u128> =
            facts.into_iter().map(|(place, minutes)| (minutes, place)).collect();
        by_time.into_iter().map(|(minutes, place)| coming(place, minutes)).collect()
    }

    #[test]
    fn whoever_came_earlier_came_first() {
        let mut person = Whereabouts::first(&coming(1, 10));
        assert_eq!(person.come(&coming(1, 8)), (Outcome::Superseded, None));
        assert_eq!((person.first, person.at), ((region(1), at(8)), at(10)));
        let (outcome, transfer) = person.come(&coming(2, 5));
        assert_eq!(outcome, Outcome::Superseded);
        let earlier = Transfer { from: region(2), to: region(1), at: at(5), is_superseded: true };
        assert_eq!((transfer, person.first), (Some(earlier), (region(2), at(5))));
        assert_eq!(person.present_at(), Some(region(1)));
        // Sent again they are known.
        for known in [coming(2, 5), coming(1, 8), coming(1, 10)] {
            assert_eq!(person.come(&known), (Outcome::Duplicate, None));
        }
    }

    #[test]
    fn later_elsewhere_moves_and_earlier_elsewhere_is_history() {
        let mut person = Whereabouts::first(&coming(1, 10));
        let (outcome, transfer) = person.come(&coming(2, 20));
        assert_eq!(outcome, Outcome::Transferred);
        let moved = Transfer { from: region(1), to: region(2), at: at(20), is_superseded: false };
        assert_eq!((transfer, person.present_at()), (Some(moved), Some(region(2))));
        let (outcome, transfer) = person.come(&coming(3, 15));
        assert_eq!(outcome, Outcome::Superseded);
        let late = Transfer { from: region(3), to: region(2), at: at(15), is_superseded: true };
        assert_eq!((transfer, person.present_at()), (Some(late), Some(region(2))));
        // The first check-in sent again is what is known already.
        assert_eq!(person.come(&coming(1, 10)), (Outcome::Duplicate, None));
        assert_eq!(person.come(&coming(2, 20)), (Outcome::Duplicate, None));
    }

    #[test]
    fn whoever_left_comes_back_or_goes_elsewhere() {
        let left = Whereabouts { left_at: Some(at(30)), ..Whereabouts::first(&coming(1, 10)) };
        assert_eq!(left.present_at(), None);
        let mut person = left;
        assert_eq!(person.come(&coming(1, 20)), (Outcome::Duplicate, None));
        assert_eq!(person.come(&coming(2, 20)).0, Outcome::Superseded);
        assert_eq!(person, left);
        assert_eq!(person.come(&coming(1, 40)), (Outcome::Returned, None));
        assert_eq!(person.present_at(), Some(region(1)));
        let mut person = left;
        assert_eq!(person.come(&coming(2, 40)).0, Outcome::Transferred);
        assert_eq!(person.present_at(), Some(region(2)));
    }

    #[test]
    fn a_unit_that_none_named_before_is_taken_from_whichever_check_in_names_it() {
        let unit = |number: u128| Some(OrganizationId(Uuid::from_u128(number)));
        let of = |number: u128, coming: Coming| Coming { organization: unit(number), ..coming };
        for (named, outcome) in [
            (coming(1, 10), Outcome::Duplicate),
            (coming(1, 20), Outcome::Duplicate),
            (coming(1, 5), Outcome::Superseded),
            (coming(2, 5), Outcome::Superseded),
        ] {
            let mut person = Whereabouts::first(&coming(1, 10));
            assert_eq!(person.come(&of(7, named)).0, outcome);
            assert_eq!(person.organization, unit(7));
            // Sent again with another or with none it takes the unit from nobody.
            for again in [of(8, named), named] {
                assert_eq!(person.come(&again), (Outcome::Duplicate, None));
                assert_eq!(person.organization, unit(7));
            }
        }
        // Whoever goes elsewhere keeps the unit, unless they come with another there.
        let mut person = Whereabouts::first(&of(7, coming(1, 10)));
        person.come(&coming(2, 20));
        assert_eq!(person.organization, unit(7));
        person.come(&of(8, coming(3, 30)));
        assert_eq!(person.organization, unit(8));
    }

    #[test]
    fn another_shift_at_the_same_place_is_a_transfer() {
        let shift = |number: u128| Some(MobilizationShiftId(Uuid::from_u128(number)));
        let mut person = Whereabouts::first(&Coming { shift: shift(1), ..coming(1, 10) });
        let next = Coming { shift: shift(2), ..coming(1, 20) };
        assert_eq!(person.come(&next).0, Outcome::Transferred);
        assert_eq!((person.shift, person.present_at()), (shift(2), Some(region(1))));
        assert_eq!(person.come(&next), (Outcome::Duplicate, None));
        // Elsewhere the shift is left behind.
        assert_eq!(person.come(&coming(2, 30)).0, Outcome::Transferred);
        assert_eq!(person.shift, None);
        // A shift that none named before is taken from whichever check-in of the same stay names it.
        assert_eq!(person.come(&coming(2, 40)).0, Outcome::Duplicate);
        assert_eq!(person.come(&Coming { shift: shift(3), ..coming(2, 29) }).0, Outcome::Duplicate);
        assert_eq!(person.shift, None);
        for named in [3, 4] {
            assert_eq!(person.come(&Coming { shift: shift(named), ..coming(2, 35) }).0, Outcome::Duplicate);
            assert_eq!(person.shift, shift(3));
        }
    }
}
