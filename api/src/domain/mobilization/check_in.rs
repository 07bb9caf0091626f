//! People check in: one by one or a thousand at once, in one unit of work of few statements, however many they are. Persons are
//! taken in one order, then those who are on the order already, then the counters, so that nobody waits in a circle.

mod leave;
mod look;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use concord_entities::{
    id::{MobilizationCheckInId, MobilizationId, MobilizationShiftId, OrganizationId, RegionId},
    mobilization, mobilization_check_in, mobilization_transfer,
};
use sea_orm::{ActiveEnum, EntityTrait, QueryFilter};

use self::{
    look::{Ahead, Desk},
    store::Kept,
};
use super::{
    come::{Coming, Outcome, Transfer, Whereabouts},
    coverage::{self, Deltas},
    fact, person,
};
use crate::domain::{Code, Ctx, Error, Event, Result, Tx, page};

/// Most check-ins of one request.
pub const MOST: usize = 1_000;

pub use self::{
    leave::check_out,
    look::Caller,
    store::{replayed, sweep},
};

/// Somebody who checks in, as it was asked for.
#[derive(Clone, Debug)]
pub struct NewCheckIn {
    pub person: String,
    pub region_id: RegionId,
    pub organization_id: Option<OrganizationId>,
    /// When the person came; now where absent.
    pub at: Option<DateTime<Utc>>,
    pub shift_id: Option<MobilizationShiftId>,
}

/// What came of one check-in.
pub type Came = Result<(Outcome, MobilizationCheckInId)>;

/// Checks one person in.
pub async fn check_in(ctx: &Ctx, of: MobilizationId, new: NewCheckIn) -> Came {
    let came = carry_out(ctx, of, vec![Ok(new)]).await?;
    came.into_iter().next().unwrap_or_else(|| Err(Error::internal("nothing came of a check-in")))
}

/// Checks up to a thousand people in, in one unit of work; what is wrong with one leaves the others as they are.
pub async fn check_in_many(
    ctx: &Ctx,
    of: MobilizationId,
    items: Vec<Result<NewCheckIn>>,
) -> Result<Vec<Came>> {
    ctx.require_signed_in()?;
    if items.is_empty() {
        return Err(Error::invalid(Code::Required, "items"));
    }
    if items.len() > MOST {
        return Err(Error::invalid(Code::OutOfRange, "items").with("least", 1).with("most", MOST));
    }
    carry_out(ctx, of, items).await
}

/// A person of a request: which items are theirs, in the order given.
struct Person {
    digest: Vec<u8>,
    items: Vec<(usize, Coming)>,
}

/// Somebody's row and where they are by now.
struct Row {
    id: MobilizationCheckInId,
    now: Whereabouts,
}

async fn carry_out(ctx: &Ctx, of: MobilizationId, items: Vec<Result<NewCheckIn>>) -> Result<Vec<Came>> {
    // What does not change is read ahead of the unit of work.
    let ahead = Ahead::read(ctx, of, &items).await?;
    let tx = ctx.begin().await?;
    let Desk { order, salt, caller } = Desk::open(&tx, of).await?;
    let many = items.len() > 1;
    let mut came: Vec<Option<Came>> = Vec::with_capacity(items.len());
    let mut people: BTreeMap<Vec<u8>, Person> = BTreeMap::new();
    for (index, item) in items.into_iter().enumerate() {
        let looked = item.and_then(|new| {
            let person = person::check(&new.person, "person")?;
            let digest = person::digest(&salt, person);
            Ok((digest, look::look(&order, &ahead, &caller, &new, ctx.now())?))
        });
        match looked {
            Ok((digest, coming)) => {
                let fresh = || Person { digest: digest.clone(), items: Vec::new() };
                people.entry(digest.clone()).or_insert_with(fresh).items.push((index, coming));
                came.push(None);
            }
            Err(error) if error.is_failure() => return Err(error),
            Err(error) => came.push(Some(Err(error))),
        }
    }
    if !people.is_empty() {
        let done = settle(&tx, &order, (&ahead, &caller), people, &mut came).await?;
        done.tell(&tx, &order, many, &came).await?;
    }
    let came: Vec<Came> = came
        .into_iter()
        .map(|came| came.unwrap_or_else(|| Err(Error::internal("a check-in was passed over"))))
        .collect();
    // Where all are refused nothing is kept: the same request may be good later.
    if came.iter().any(Result::is_ok) {
        let result = if ctx.idempotency.is_some() { store::keep(&tx, of, &came).await? } else { of.into() };
        tx.commit(result).await?;
    }
    Ok(came)
}

/// What a request changed.
#[derive(Default)]
struct Done {
    changed: usize,
    /// Duplicates that named the unit or the shift of somebody who had none.
    joined: usize,
    /// Of a single one.
    only: Option<Coming>,
}

/// Folds what was asked over what is known, and writes what comes of it.
async fn settle(
    tx: &Tx<'_>,
    order: &mobilization::Model,
    (ahead, caller): (&Ahead, &Caller),
    people: BTreeMap<Vec<u8>, Person>,
    came: &mut [Option<Came>],
) -> Result<Done> {
    let mut rows: HashMap<Vec<u8>, Row> = HashMap::with_capacity(people.len());
    let fresh: Vec<store::Fresh<'_>> = people
        .values()
        .filter_map(|person| person.items.first().map(|(_, coming)| (person, coming)))
        .map(|(person, coming)| store::Fresh { id: tx.ctx.new_id(), person: &person.digest, coming: *coming })
        .collect();
    let inserted = store::insert(tx, order, &fresh).await?;
    let mut deltas = Deltas::new();
    let mut done = Done::default();
    for row in &fresh {
        if inserted.contains(&row.id) {
            let now = Whereabouts::first(&row.coming);
            coverage::count(&mut deltas, now.region, ahead.path(now.region), 1);
            rows.insert(row.person.to_vec(), Row { id: row.id, now });
            done.changed += 1;
            done.only = Some(row.coming);
        }
    }
    let new: Vec<Vec<u8>> = people.keys().filter(|digest| rows.contains_key(*digest)).cloned().collect();
    let known: Vec<&Vec<u8>> = people.keys().filter(|digest| !rows.contains_key(*digest)).collect();
    if !known.is_empty() {
        for row in store::lock(tx, order.id, &known).await? {
            rows.insert(row.person.clone(), Row { id: row.id, now: whereabouts(&row) });
        }
    }
    let told = told_before(tx, &people, &rows).await?;
    let mut transfers: Vec<(MobilizationCheckInId, Transfer)> = Vec::new();
    let mut moved: Vec<(MobilizationCheckInId, Whereabouts)> = Vec::new();
    for person in people.values() {
        let row = rows.get_mut(&person.digest).ok_or_else(|| Error::internal("a person without a row"))?;
        let before = row.now;
        let mut items = person.items.as_slice();
        if new.binary_search(&person.digest).is_ok()
            && let Some((first, rest)) = items.split_first()
        {
            put(came, first.0, Outcome::CheckedIn, row.id);
            items = rest;
        } else if !caller.moves(before.organization) {
            for (index, _) in items {
                if let Some(place) = came.get_mut(*index) {
                    *place = Some(Err(Error::Forbidden));
                }
            }
            continue;
        }
        for (index, coming) in items {
            let known = (row.now.organization, row.now.shift);
            let (outcome, transfer) = if told.contains(&(row.id, coming.region, coming.at)) {
                row.now.join(coming);
                (Outcome::Duplicate, None)
            } else {
                row.now.come(coming)
            };
            let joined = outcome == Outcome::Duplicate && (row.now.organization, row.now.shift) != known;
            if outcome != Outcome::Duplicate || joined {
                done.changed += 1;
                done.only = Some(*coming);
            }
            done.joined += usize::from(joined);
            transfers.extend(transfer.map(|transfer| (row.id, transfer)));
            put(came, *index, outcome, row.id);
        }
        if row.now != before {
            moved.push((row.id, row.now));
            for (place, by) in [(before.present_at(), -1), (row.now.present_at(), 1)] {
                if let Some(region) = place {
                    coverage::count(&mut deltas, region, ahead.path(region), by);
                }
            }
        }
    }
    if !moved.is_empty() {
        store::update(tx, &moved).await?;
    }
    if !transfers.is_empty() {
        store::note(tx, order.id, &transfers).await?;
    }
    coverage::move_by(tx, order.id, &deltas).await?;
    Ok(done)
}

/// Who came where when, as far as transfers tell it. Read where somebody seems to have been elsewhere before only: who is sent again
/// after they moved on is known.
async fn told_before(
    tx: &Tx<'_>,
    people: &BTreeMap<Vec<u8>, Person>,
    rows: &HashMap<Vec<u8>, Row>,
) -> Result<HashSet<(MobilizationCheckInId, RegionId, DateTime<Utc>)>> {
    let doubtful: Vec<MobilizationCheckInId> = people
        .values()
        .filter_map(|person| rows.get(&person.digest).map(|row| (person, row)))
        .filter(|(person, row)| {
            let mut now = row.now;
            person.items.iter().any(|(_, coming)| now.come(coming).0 == Outcome::Superseded)
        })
        .map(|(_, row)| row.id)
        .collect();
    if doubtful.is_empty() {
        return Ok(HashSet::new());
    }
    let transfers = mobilization_transfer::Entity::find()
        .filter(page::among(tx.ctx, mobilization_transfer::Column::CheckInId, doubtful))
        .all(&tx.db)
        .await?;
    Ok(transfers
        .into_iter()
        .map(|row| {
            (row.check_in_id, if row.is_superseded { row.from_region_id } else { row.to_region_id }, row.at)
        })
        .collect())
}

fn put(came: &mut [Option<Came>], index: usize, outcome: Outcome, id: MobilizationCheckInId) {
    if let Some(place) = came.get_mut(index) {
        *place = Some(Ok((outcome, id)));
    }
}

/// The latest time at which somebody is known to have been where they are.
fn seen(row: &mobilization_check_in::Model) -> DateTime<Utc> {
    // An older version moves people without saying it.
    row.seen_at.map_or(row.at, |seen| Ord::max(seen, row.at))
}

fn whereabouts(row: &mobilization_check_in::Model) -> Whereabouts {
    Whereabouts {
        region: row.region_id,
        organization: row.organization_id,
        shift: row.shift_id,
        at: row.at,
        seen: seen(row),
        left_at: row.left_at,
        first: (row.first_region_id, row.first_at),
    }
}

impl Done {
    /// Tells of it: one event, with counts and nothing of persons; none where nothing changed.
    async fn tell(
        self,
        tx: &Tx<'_>,
        order: &mobilization::Model,
        many: bool,
        came: &[Option<Came>],
    ) -> Result<()> {
        if self.changed == 0 {
            return Ok(());
        }
        let of = |wanted: Outcome| {
            came.iter()
                .flatten()
                .filter(|came| matches!(came, Ok((outcome, _)) if *outcome == wanted))
                .count()
        };
        let told = match self.only {
            Some(coming) if !many => {
                let outcome = came.iter().flatten().find_map(|came| came.as_ref().ok()).map(|came| came.0);
                let outcome = serde_json::to_value(outcome).map_err(Error::internal)?;
                fact(Event::MobilizationCheckedIn, order)
                    .detail("regionId", coming.region.to_string())
                    .detail("organizationId", coming.organization.map(|unit| unit.to_string()))
                    .detail("outcome", outcome)
            }
            _ => fact(Event::MobilizationCheckedInMany, order)
                .detail("checkedIn", of(Outcome::CheckedIn))
                .detail("transferred", of(Outcome::Transferred))
                .detail("returned", of(Outcome::Returned))
                .detail("superseded", of(Outcome::Superseded))
                .detail("joined", self.joined),
        };
        tx.record(told.detail("state", order.state.to_value())).await?;
        Ok(())
    }
}

/// What a request was answered, as it is kept for a replay.
fn kept(came: &[Came]) -> Vec<Kept> {
    came.iter().map(Kept::of).collect()
}
