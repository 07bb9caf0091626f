//! Faces of what a team does in its turn: checking in, docking, handing over.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    check_in, docking, handover, handover_item,
    id::{CheckInId, DockingId, HandoverId, TypedId},
};
use uuid::Uuid;

use super::{handover_item::HandoverItemConnection, slot::RotationSlot};
use crate::{
    domain::{
        self, Ctx,
        page::List,
        rotation::{
            check_in::{self as check_ins, NewCheckIn},
            docking::{self as dockings, NewDocking},
            handover as handovers, handover_item as items,
        },
    },
    graphql::{
        connection::args,
        ctx,
        error::payload,
        governance::{membership::reads_contacts, organization::Organization, service_team::UnitsOf},
        id, loaders,
        node::Node,
        scalar::DateTime,
        territory::region::Region,
    },
};

/// A team reported for duty (报到): who came, when, where.
#[derive(Clone)]
pub struct CheckIn(pub check_in::Model);

impl From<check_in::Model> for CheckIn {
    fn from(row: check_in::Model) -> Self {
        Self(row)
    }
}

impl Node for CheckIn {
    const NOUN: &'static str = CheckInId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(check_ins::find(ctx, id.into()).await?.map(Self))
    }
}

/// A team reported for duty (报到): who came, when, where.
#[Object]
impl CheckIn {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The turn.
    async fn slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        Ok(loaders::one(context, self.0.slot_id).await?.map(RotationSlot))
    }

    /// When they came.
    async fn came_at(&self) -> DateTime {
        self.0.came_at.into()
    }

    /// Where they reported.
    async fn place(&self) -> &str {
        &self.0.place
    }

    /// How many came.
    async fn head_count(&self) -> i32 {
        self.0.head_count
    }

    /// Who came, as the roll was written; null for viewers who may not read the people of the team.
    async fn attendees(&self, context: &Context<'_>) -> Result<Option<&str>> {
        if self.0.attendees.is_none() {
            return Ok(None);
        }
        let Some(slot) = loaders::one(context, self.0.slot_id).await? else { return Ok(None) };
        let units = loaders::one(context, UnitsOf(slot.team_id)).await?.unwrap_or_default();
        let clear = reads_contacts(context, self.0.alliance_id, &units).await?;
        Ok(self.0.attendees.as_deref().filter(|_| clear))
    }

    /// When it was written down.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}

/// With whom a team meets.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::docking::Counterpart")]
pub enum DockingCounterpart {
    /// The town committee.
    Committee,
    /// A community.
    Community,
    /// The Party branch of a station or office.
    StationBranch,
}

/// A docking meeting (对接会) of the team with the committee, a community or a station's branch.
#[derive(Clone)]
pub struct Docking(pub docking::Model);

impl From<docking::Model> for Docking {
    fn from(row: docking::Model) -> Self {
        Self(row)
    }
}

impl Node for Docking {
    const NOUN: &'static str = DockingId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(dockings::find(ctx, id.into()).await?.map(Self))
    }
}

/// A docking meeting (对接会) of the team with the committee, a community or a station's branch.
#[Object]
impl Docking {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The turn.
    async fn slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        Ok(loaders::one(context, self.0.slot_id).await?.map(RotationSlot))
    }

    /// With whom.
    async fn counterpart(&self) -> DockingCounterpart {
        self.0.counterpart.into()
    }

    /// The community.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(region) => Ok(loaders::one(context, region).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// The station, office or community committee.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.organization_id {
            Some(organization) => Ok(loaders::one(context, organization).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// When it was held.
    async fn held_at(&self) -> DateTime {
        self.0.held_at.into()
    }

    /// Where.
    async fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// What was agreed.
    async fn minutes(&self) -> Option<&str> {
        self.0.minutes.as_deref()
    }

    /// Whether it confirmed the list of priority tasks.
    async fn confirms_tasks(&self) -> bool {
        self.0.confirms_tasks
    }

    /// Whether it confirmed the problem-closure list.
    async fn confirms_problems(&self) -> bool {
        self.0.confirms_problems
    }

    /// When it was written down.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }
}

/// The outgoing team hands its turn to the incoming one (交接), who acknowledges.
#[derive(Clone)]
pub struct Handover(pub handover::Model);

impl From<handover::Model> for Handover {
    fn from(row: handover::Model) -> Self {
        Self(row)
    }
}

impl Node for Handover {
    const NOUN: &'static str = HandoverId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(handovers::find(ctx, id.into()).await?.map(Self))
    }
}

/// The outgoing team hands its turn to the incoming one (交接), who acknowledges.
#[Object]
impl Handover {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The outgoing turn.
    async fn slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        Ok(loaders::one(context, self.0.slot_id).await?.map(RotationSlot))
    }

    /// The incoming turn.
    async fn next_slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        Ok(loaders::one(context, self.0.next_slot_id).await?.map(RotationSlot))
    }

    /// What the outgoing team says.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// When it was offered.
    async fn offered_at(&self) -> DateTime {
        self.0.offered_at.into()
    }

    /// When the incoming team acknowledged it.
    async fn acknowledged_at(&self) -> Option<DateTime> {
        self.0.acknowledged_at.map(Into::into)
    }

    /// What is handed on: every task and problem that was open when it was offered.
    async fn items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<HandoverItemConnection> {
        let (by, id) = (handover_item::Column::HandoverId, handover_item::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, items::of_handovers(ctx), &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Grows by one with every change.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// A check-in as it is written down.
#[derive(InputObject)]
pub struct RecordCheckInInput {
    /// The turn.
    slot_id: ID,
    /// When they came: within the turn and not in the future.
    came_at: DateTime,
    /// Where they reported, at most 200 characters.
    place: String,
    /// How many came, 1 to 10,000.
    head_count: i32,
    /// Who came, as the roll was written; at most 4,000 characters.
    attendees: Option<String>,
}

impl RecordCheckInInput {
    fn read(self) -> domain::Result<NewCheckIn> {
        Ok(NewCheckIn {
            slot_id: id::decode(&self.slot_id, "slotId")?,
            came_at: self.came_at.0,
            place: self.place,
            head_count: self.head_count,
            attendees: self.attendees,
        })
    }
}

/// A docking meeting as it is written down.
#[derive(InputObject)]
pub struct RecordDockingInput {
    /// The turn.
    slot_id: ID,
    /// With whom.
    counterpart: DockingCounterpart,
    /// The community, which lies in the alliance's region; needed for a community.
    region_id: Option<ID>,
    /// The station or office, or the community's committee; needed for a station's branch.
    organization_id: Option<ID>,
    /// When it was held: within the turn and not in the future.
    held_at: DateTime,
    /// Where, at most 200 characters.
    place: Option<String>,
    /// What was agreed, at most 8,000 characters.
    minutes: Option<String>,
    /// Whether it confirmed the list of priority tasks.
    #[graphql(default)]
    confirms_tasks: bool,
    /// Whether it confirmed the problem-closure list.
    #[graphql(default)]
    confirms_problems: bool,
}

impl RecordDockingInput {
    fn read(self) -> domain::Result<NewDocking> {
        Ok(NewDocking {
            slot_id: id::decode(&self.slot_id, "slotId")?,
            counterpart: self.counterpart.into(),
            region_id: id::decode_optional(self.region_id.as_ref(), "regionId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "organizationId")?,
            held_at: self.held_at.0,
            place: self.place,
            minutes: self.minutes,
            confirms_tasks: self.confirms_tasks,
            confirms_problems: self.confirms_problems,
        })
    }
}

/// A turn that is handed over.
#[derive(InputObject)]
pub struct OfferHandoverInput {
    /// The outgoing turn.
    slot_id: ID,
    /// What the outgoing team says, at most 4,000 characters.
    note: Option<String>,
}

/// A handover that is taken.
#[derive(InputObject)]
pub struct AcknowledgeHandoverInput {
    /// The handover.
    handover_id: ID,
}

payload!(
    /// What came of checking in.
    CheckInPayload {
        /// The check-in.
        check_in: CheckIn
    }
);

payload!(
    /// What came of a docking meeting.
    DockingPayload {
        /// The meeting.
        docking: Docking
    }
);

payload!(
    /// What came of a handover.
    HandoverPayload {
        /// The handover.
        handover: Handover
    }
);

#[derive(Default)]
pub struct DutyMutation;

#[Object]
impl DutyMutation {
    /// Checks the team of a running turn in. The people of its units and the committee may.
    async fn record_check_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who came, when and where.")] input: RecordCheckInInput,
    ) -> Result<CheckInPayload> {
        let ctx = ctx(context);
        let result = async { check_ins::record(ctx, input.read()?).await }.await;
        CheckInPayload::of(ctx, result).await
    }

    /// Writes a docking meeting down; once meetings have confirmed both lists, the team is in service. The people of its
    /// units, community officers and the committee may.
    async fn record_docking(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "With whom, when, and what it confirmed.")] input: RecordDockingInput,
    ) -> Result<DockingPayload> {
        let ctx = ctx(context);
        let result = async { dockings::record(ctx, input.read()?).await }.await;
        DockingPayload::of(ctx, result).await
    }

    /// Offers a turn in service to the team of the next one. The people of the outgoing team's units and the committee may.
    async fn offer_handover(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which turn, and what is said with it.")] input: OfferHandoverInput,
    ) -> Result<HandoverPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.slot_id, "slotId")?;
            handovers::offer(ctx, id, input.note.as_deref()).await
        }
        .await;
        HandoverPayload::of(ctx, result).await
    }

    /// Takes a turn over, once every item that is still open has an answer; what was declined goes to the committee. The people
    /// of the incoming team's units and the committee may.
    async fn acknowledge_handover(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which handover.")] input: AcknowledgeHandoverInput,
    ) -> Result<HandoverPayload> {
        let ctx = ctx(context);
        let result =
            async { handovers::acknowledge(ctx, id::decode(&input.handover_id, "handoverId")?).await }.await;
        HandoverPayload::of(ctx, result).await
    }
}
