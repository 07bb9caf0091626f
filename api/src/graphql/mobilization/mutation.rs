//! Faces of what is done with orders: one mutation for each verb.

use async_graphql::{Context, ID, InputObject, MergedObject, Object, Result};

use super::{
    Mobilization,
    check_in::{MobilizationCheckIn, MobilizationCheckInPayload, MobilizationCheckInsPayload},
    pairing::PairingMutation,
    unit::MobilizationUnit,
};
use crate::{
    domain::{
        self,
        mobilization::{
            Which,
            check_in::{self, NewCheckIn},
            order::{self, NewMobilization, NewNeed, NewShift, NewUnit},
            unit::{self, WhichUnit},
        },
    },
    graphql::{ctx, error::payload, id, scalar::DateTime},
};

/// How many people a place needs for a kind of work.
#[derive(InputObject)]
pub struct MobilizationNeedInput {
    /// The place: a community, natural village, compound or building within the regions of the order.
    region_id: ID,
    /// How many people, 1 to 100,000. When amended it replaces what was said before for the same place and work, and 0 takes
    /// that back.
    needed: i32,
    /// The kind of work, at most 200 characters.
    work: String,
}

/// A unit to call.
#[derive(InputObject)]
pub struct MobilizationUnitInput {
    /// The unit: an active member of the alliance.
    organization_id: ID,
    /// How many people it is to send, 1 to 100,000.
    quota: i32,
}

/// A shift to set up.
#[derive(InputObject)]
pub struct MobilizationShiftInput {
    /// The place: a community, natural village, compound or building within the regions of the order.
    region_id: ID,
    /// When it begins.
    starts_at: DateTime,
    /// When it ends.
    ends_at: DateTime,
    /// How many people it needs, 1 to 100,000.
    needed: i32,
}

/// An order to draft.
#[derive(InputObject)]
pub struct DraftMobilizationInput {
    /// The alliance that orders it.
    alliance_id: ID,
    /// In a few words, at most 200 characters.
    title: String,
    /// What it is ordered for, at most 4,000 characters.
    reason: String,
    /// The regions over which it is ordered, each with everything below it: 1 to 200 within the alliance's territory.
    region_ids: Vec<ID>,
    /// What places need, at most 2,000; more are added by `amendMobilizationNeeds`.
    #[graphql(default)]
    needs: Vec<MobilizationNeedInput>,
    /// The units that it calls, at most 1,500; more are added by `callMobilizationUnits`.
    #[graphql(default)]
    units: Vec<MobilizationUnitInput>,
}

/// Which order to move.
#[derive(InputObject)]
pub struct MoveMobilizationInput {
    /// The order.
    mobilization_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// Which order to end, and why.
#[derive(InputObject)]
pub struct EndMobilizationInput {
    /// The order.
    mobilization_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters.
    reason: String,
}

/// What places need from now on.
#[derive(InputObject)]
pub struct AmendMobilizationNeedsInput {
    /// The order.
    mobilization_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// What is said, 1 to 2,000; an order holds 20,000.
    needs: Vec<MobilizationNeedInput>,
}

/// Whom else to call.
#[derive(InputObject)]
pub struct CallMobilizationUnitsInput {
    /// The order.
    mobilization_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// The units, 1 to 1,500; an order calls 5,000.
    units: Vec<MobilizationUnitInput>,
}

/// Shifts to set up.
#[derive(InputObject)]
pub struct AddMobilizationShiftsInput {
    /// The order.
    mobilization_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// The shifts, 1 to 500.
    shifts: Vec<MobilizationShiftInput>,
}

/// Which called unit to move.
#[derive(InputObject)]
pub struct MoveMobilizationUnitInput {
    /// The order.
    mobilization_id: ID,
    /// The unit that it calls.
    organization_id: ID,
    /// The version of the called unit that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// Somebody who checks in.
#[derive(InputObject)]
pub struct CheckInToMobilizationInput {
    /// The order.
    mobilization_id: ID,
    /// What the ordering alliance calls the person: a volunteer's number or a token of 1 to 64 letters, digits, dashes and underscores, the same
    /// each time. Never a number of an identity card or a phone. Only a keyed digest of it is stored.
    person: String,
    /// Where: a community, natural village, compound or building within the regions of the order.
    region_id: ID,
    /// The unit that the person comes with: one that the order calls, or that is paired with the place; left out for a volunteer. Of somebody
    /// who was checked in without one it may be told later.
    organization_id: Option<ID>,
    /// When the person came; now where absent. Not before the order was issued, nor more than 2 minutes ahead. After the order was
    /// stood down what happened before is still taken for 24 hours.
    at: Option<DateTime>,
    /// The shift that the person is on, of the same place.
    shift_id: Option<ID>,
}

/// One of many who check in.
#[derive(InputObject)]
pub struct MobilizationCheckInItem {
    /// What the alliance calls the person, as for one check-in.
    person: String,
    /// Where: a community, natural village, compound or building within the regions of the order.
    region_id: ID,
    /// The unit that the person comes with; left out for a volunteer.
    organization_id: Option<ID>,
    /// When the person came; now where absent.
    at: Option<DateTime>,
    /// The shift that the person is on, of the same place.
    shift_id: Option<ID>,
}

/// Many who check in.
#[derive(InputObject)]
pub struct CheckInManyToMobilizationInput {
    /// The order.
    mobilization_id: ID,
    /// The people, 1 to 1,000. They are taken in one unit of work: what is refused is refused alone, and the rest is done.
    items: Vec<MobilizationCheckInItem>,
}

/// Somebody who leaves.
#[derive(InputObject)]
pub struct CheckOutOfMobilizationInput {
    /// The order.
    mobilization_id: ID,
    /// What the alliance calls the person, as when they checked in.
    person: String,
    /// When the person left; now where absent.
    at: Option<DateTime>,
}

payload!(
    /// What came of a change to an order.
    MobilizationPayload {
        /// The order.
        mobilization: Mobilization
    }
);

payload!(
    /// What came of a change to a called unit.
    MobilizationUnitPayload {
        /// The called unit.
        unit: MobilizationUnit
    }
);

payload!(
    /// What came of somebody leaving.
    MobilizationCheckOutPayload {
        /// The person's check-in.
        check_in: MobilizationCheckIn
    }
);

fn which(id: &ID, expected_version: Option<i64>) -> domain::Result<Which> {
    Ok(Which { id: id::decode(id, "mobilizationId")?, expected_version })
}

fn needs(given: Vec<MobilizationNeedInput>) -> domain::Result<Vec<NewNeed>> {
    let read = |(index, need): (usize, MobilizationNeedInput)| {
        Ok(NewNeed {
            region_id: id::decode(&need.region_id, format!("needs.{index}.regionId"))?,
            needed: need.needed,
            work: need.work,
        })
    };
    given.into_iter().enumerate().map(read).collect()
}

fn units(given: &[MobilizationUnitInput]) -> domain::Result<Vec<NewUnit>> {
    let read = |(index, unit): (usize, &MobilizationUnitInput)| {
        Ok(NewUnit {
            organization_id: id::decode(&unit.organization_id, format!("units.{index}.organizationId"))?,
            quota: unit.quota,
        })
    };
    given.iter().enumerate().map(read).collect()
}

fn shifts(given: &[MobilizationShiftInput]) -> domain::Result<Vec<NewShift>> {
    let read = |(index, shift): (usize, &MobilizationShiftInput)| {
        Ok(NewShift {
            region_id: id::decode(&shift.region_id, format!("shifts.{index}.regionId"))?,
            starts_at: shift.starts_at.0,
            ends_at: shift.ends_at.0,
            needed: shift.needed,
        })
    };
    given.iter().enumerate().map(read).collect()
}

impl DraftMobilizationInput {
    fn read(self) -> domain::Result<NewMobilization> {
        Ok(NewMobilization {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            title: self.title,
            reason: self.reason,
            region_ids: id::decode_all(&self.region_ids, "regionIds")?,
            needs: needs(self.needs)?,
            units: units(&self.units)?,
        })
    }
}

impl MoveMobilizationUnitInput {
    fn read(&self) -> domain::Result<WhichUnit> {
        Ok(WhichUnit {
            mobilization_id: id::decode(&self.mobilization_id, "mobilizationId")?,
            organization_id: id::decode(&self.organization_id, "organizationId")?,
            expected_version: self.expected_version,
        })
    }
}

impl MobilizationCheckInItem {
    fn read(self) -> domain::Result<NewCheckIn> {
        Ok(NewCheckIn {
            person: self.person,
            region_id: id::decode(&self.region_id, "regionId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "organizationId")?,
            at: self.at.map(|at| at.0),
            shift_id: id::decode_optional(self.shift_id.as_ref(), "shiftId")?,
        })
    }
}

/// Changes to orders, by their committee and by the units that they call.
#[derive(MergedObject, Default)]
pub struct MobilizationsMutation(OrderMutation, CalledUnitMutation, CheckInMutation, PairingMutation);

#[derive(Default)]
pub struct OrderMutation;

#[Object]
impl OrderMutation {
    /// Drafts an order of mobilisation (红色动员令). One bad item of a list refuses the whole, and is named. Only the committee may.
    async fn draft_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it says.")] input: DraftMobilizationInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result = async { order::draft(ctx, input.read()?).await }.await;
        MobilizationPayload::of(ctx, result).await
    }

    /// Says anew what places need, of a draft or while the order stands. One bad item refuses the whole, and is named. Only the committee
    /// may.
    async fn amend_mobilization_needs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which order, and what is needed.")] input: AmendMobilizationNeedsInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.mobilization_id, input.expected_version)?;
            order::amend_needs(ctx, which, &needs(input.needs)?).await
        }
        .await;
        MobilizationPayload::of(ctx, result).await
    }

    /// Calls more units, of a draft or while the order stands. One bad item refuses the whole, and is named. Only the committee may.
    async fn call_mobilization_units(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which order, and whom.")] input: CallMobilizationUnitsInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.mobilization_id, input.expected_version)?;
            order::call_units(ctx, which, &units(&input.units)?).await
        }
        .await;
        MobilizationPayload::of(ctx, result).await
    }

    /// Sets up shifts, of a draft or while the order stands. One bad item refuses the whole, and is named. Only the committee may.
    async fn add_mobilization_shifts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which order, and the shifts.")] input: AddMobilizationShiftsInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.mobilization_id, input.expected_version)?;
            order::add_shifts(ctx, which, &shifts(&input.shifts)?).await
        }
        .await;
        MobilizationPayload::of(ctx, result).await
    }

    /// Issues an order: the units that it calls find it in their inboxes, and people check in. Units that are suspended or no members by
    /// then are left out of it, and the event names them (`leftOutOrganizationIds`); they can be called anew. Only the committee may.
    async fn issue_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: MoveMobilizationInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result =
            async { order::issue(ctx, which(&input.mobilization_id, input.expected_version)?).await }.await;
        MobilizationPayload::of(ctx, result).await
    }

    /// Discards a draft, with the reason why; its number stays used. Only the committee may.
    async fn discard_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: EndMobilizationInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.mobilization_id, input.expected_version)?;
            order::discard(ctx, which, &input.reason).await
        }
        .await;
        MobilizationPayload::of(ctx, result).await
    }

    /// Stands an order down, with the reason why: every unit is released, and nobody checks in any more but for what happened
    /// before, for 24 hours. Only the committee may.
    async fn stand_down_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: EndMobilizationInput,
    ) -> Result<MobilizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.mobilization_id, input.expected_version)?;
            order::stand_down(ctx, which, &input.reason).await
        }
        .await;
        MobilizationPayload::of(ctx, result).await
    }
}

#[derive(Default)]
pub struct CalledUnitMutation;

#[Object]
impl CalledUnitMutation {
    /// Acknowledges an order, for a unit that it calls. Managers and staff of the unit may.
    async fn acknowledge_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which order, and which unit.")] input: MoveMobilizationUnitInput,
    ) -> Result<MobilizationUnitPayload> {
        let ctx = ctx(context);
        let result = async { unit::acknowledge(ctx, input.read()?).await }.await;
        MobilizationUnitPayload::of(ctx, result).await
    }

    /// Says that a called unit has arrived; whoever has not acknowledged does so by it. Managers and staff of the unit may.
    async fn arrive_at_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which order, and which unit.")] input: MoveMobilizationUnitInput,
    ) -> Result<MobilizationUnitPayload> {
        let ctx = ctx(context);
        let result = async { unit::arrive(ctx, input.read()?).await }.await;
        MobilizationUnitPayload::of(ctx, result).await
    }

    /// Releases a called unit before the order is stood down. Only the committee may.
    async fn release_mobilization_unit(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which order, and which unit.")] input: MoveMobilizationUnitInput,
    ) -> Result<MobilizationUnitPayload> {
        let ctx = ctx(context);
        let result = async { unit::release(ctx, input.read()?).await }.await;
        MobilizationUnitPayload::of(ctx, result).await
    }
}

#[derive(Default)]
pub struct CheckInMutation;

#[Object]
impl CheckInMutation {
    /// Checks a person in, once for each order however often it is sent. The committee may, officers within the community of their
    /// seat, and managers and staff of a unit for its own people.
    async fn check_in_to_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, where, and when.")] input: CheckInToMobilizationInput,
    ) -> Result<MobilizationCheckInPayload> {
        let ctx = ctx(context);
        let came = async {
            let of = id::decode(&input.mobilization_id, "mobilizationId")?;
            let CheckInToMobilizationInput { person, region_id, organization_id, at, shift_id, .. } = input;
            let new = MobilizationCheckInItem { person, region_id, organization_id, at, shift_id }.read()?;
            check_in::check_in(ctx, of, new).await
        };
        MobilizationCheckInPayload::of(ctx, came.await).await
    }

    /// Checks up to 1,000 people in at once; what came of each is told in the order given. The same may as for one.
    async fn check_in_many_to_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, where, and when.")] input: CheckInManyToMobilizationInput,
    ) -> Result<MobilizationCheckInsPayload> {
        let ctx = ctx(context);
        let came = async {
            let of = id::decode(&input.mobilization_id, "mobilizationId")?;
            let items = input.items.into_iter().map(MobilizationCheckInItem::read).collect();
            check_in::check_in_many(ctx, of, items).await
        };
        MobilizationCheckInsPayload::of(ctx, came.await).await
    }

    /// Checks a person out who is present: they stay on the order and count as present no longer. The same may as for checking in.
    async fn check_out_of_mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and when.")] input: CheckOutOfMobilizationInput,
    ) -> Result<MobilizationCheckOutPayload> {
        let ctx = ctx(context);
        let result = async {
            let of = id::decode(&input.mobilization_id, "mobilizationId")?;
            check_in::check_out(ctx, of, &input.person, input.at.map(|at| at.0)).await
        }
        .await;
        MobilizationCheckOutPayload::of(ctx, result).await
    }
}
