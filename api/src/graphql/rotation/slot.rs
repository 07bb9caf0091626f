//! Faces of turns.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime as Instant, Utc};
use concord_entities::{
    alliance,
    id::{OrganizationId, RotationSlotId, TypedId},
    rotation_slot,
};
use uuid::Uuid;

use super::{
    batch::{CheckInsOf, DockingsOf, HandoverOf, OpenSwapOf},
    duty::{CheckIn, Docking, Handover},
    plan::RotationPlan,
    swap::RotationSwap,
};
use crate::{
    domain::{
        self, Ctx,
        list::transition::Viewer,
        rotation::{
            slot::{self as verbs, SlotFilter},
            timetable::Turn,
        },
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        governance::{
            alliance::Alliance,
            service_team::{ServiceTeam, UnitsOf},
        },
        id,
        list::transition::{Transition, faces, seats},
        loaders,
        node::Node,
        scalar::{Date, DateTime},
    },
};

/// Where a turn stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::rotation_slot::State")]
pub enum RotationSlotState {
    /// It is planned and nobody was told.
    Scheduled,
    /// The team was told.
    Announced,
    /// The team checked in.
    CheckedIn,
    /// The docking meetings confirmed both lists.
    InService,
    /// The team has offered it to the next one.
    HandingOver,
    /// The next team has taken it over.
    HandedOver,
    /// Nobody checked in by the day the alliance sets.
    Missed,
    /// The team was excused.
    Excused,
}

/// Whether the generator or the committee chose the team.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::rotation_slot::Origin")]
pub enum RotationSlotOrigin {
    /// The generator did.
    Generated,
    /// The committee did, by hand or by approving a swap.
    Assigned,
}

/// One turn: the team on duty from one day up to another.
#[derive(Clone)]
pub struct RotationSlot(pub rotation_slot::Model);

impl From<rotation_slot::Model> for RotationSlot {
    fn from(row: rotation_slot::Model) -> Self {
        Self(row)
    }
}

impl Node for RotationSlot {
    const NOUN: &'static str = RotationSlotId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

impl RotationSlot {
    async fn alliance_row(&self, context: &Context<'_>) -> Result<alliance::Model> {
        let found = loaders::one(context, self.0.alliance_id).await?;
        found.ok_or(domain::Error::NotFound("alliance")).or_api_error(ctx(context))
    }

    async fn turn(&self, context: &Context<'_>) -> Result<Turn> {
        Ok(verbs::turn_of(&self.0, &self.alliance_row(context).await?))
    }

    async fn now_within(&self, context: &Context<'_>) -> Result<(Turn, Instant<Utc>)> {
        Ok((self.turn(context).await?, ctx(context).now()))
    }
}

/// One turn: the team on duty from one day up to another.
#[Object]
impl RotationSlot {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Its plan.
    async fn plan(&self, context: &Context<'_>) -> Result<Option<RotationPlan>> {
        Ok(loaders::one(context, self.0.plan_id).await?.map(RotationPlan))
    }

    /// 1 for the first turn of the plan.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// First day, in the alliance's time zone.
    async fn starts_on(&self) -> Date {
        self.0.starts_on.into()
    }

    /// First day after it.
    async fn ends_on(&self) -> Date {
        self.0.ends_on.into()
    }

    /// The instant it begins.
    async fn starts_at(&self, context: &Context<'_>) -> Result<DateTime> {
        Ok(self.turn(context).await?.starts_at.into())
    }

    /// The instant it ends.
    async fn ends_at(&self, context: &Context<'_>) -> Result<DateTime> {
        Ok(self.turn(context).await?.ends_at.into())
    }

    /// Whether now lies within it.
    async fn is_current(&self, context: &Context<'_>) -> Result<bool> {
        let (turn, now) = self.now_within(context).await?;
        Ok(turn.begun(now) && !turn.ended(now))
    }

    /// The team on duty.
    async fn team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        Ok(loaders::one(context, self.0.team_id).await?.map(ServiceTeam))
    }

    /// Whether the generator or the committee chose the team.
    async fn origin(&self) -> RotationSlotOrigin {
        self.0.origin.into()
    }

    /// Where it stands.
    async fn state(&self) -> RotationSlotState {
        self.0.state.into()
    }

    /// Why it was excused or given by hand.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When it was found missed; stays when the team comes late.
    async fn missed_at(&self) -> Option<DateTime> {
        self.0.missed_at.map(Into::into)
    }

    /// The check-ins of the team.
    async fn check_ins(&self, context: &Context<'_>) -> Result<Vec<CheckIn>> {
        let rows = loaders::one(context, CheckInsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(CheckIn).collect())
    }

    /// The docking meetings, by when they were held.
    async fn dockings(&self, context: &Context<'_>) -> Result<Vec<Docking>> {
        let rows = loaders::one(context, DockingsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Docking).collect())
    }

    /// The handover to the next team.
    async fn handover(&self, context: &Context<'_>) -> Result<Option<Handover>> {
        let rows = loaders::one(context, HandoverOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().next().map(Handover))
    }

    /// The swap that it stands in and that is still open.
    async fn open_swap(&self, context: &Context<'_>) -> Result<Option<RotationSwap>> {
        Ok(loaders::one(context, OpenSwapOf(self.0.id)).await?.map(RotationSwap))
    }

    /// What the caller may do with it next, and what stands in the way.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let alliance = self.alliance_row(context).await?;
        let seats = seats(context, self.0.alliance_id).await?;
        let units = loaders::one(context, UnitsOf(self.0.team_id)).await?.unwrap_or_default();
        let incoming = self.incoming(context).await?;
        let ctx = ctx(context);
        let viewer = Viewer { actor: ctx.actor, seats: &seats };
        Ok(faces(context, verbs::transitions(ctx.now(), &self.0, &alliance, viewer, &units, &incoming)))
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

impl RotationSlot {
    /// The units of the team that it is being handed to.
    async fn incoming(&self, context: &Context<'_>) -> Result<Vec<OrganizationId>> {
        if self.0.state != rotation_slot::State::HandingOver {
            return Ok(Vec::new());
        }
        let handovers = loaders::one(context, HandoverOf(self.0.id)).await?.unwrap_or_default();
        let Some(handover) = handovers.first() else { return Ok(Vec::new()) };
        let Some(next) = loaders::one(context, handover.next_slot_id).await? else { return Ok(Vec::new()) };
        Ok(loaders::one(context, UnitsOf(next.team_id)).await?.unwrap_or_default())
    }
}

connection!(RotationSlotConnection, RotationSlotEdge, RotationSlot, rotation_slot::Entity);

/// What a list of turns is narrowed by.
#[derive(InputObject, Default)]
pub struct RotationSlotFilter {
    /// Only those of this alliance.
    alliance_id: Option<ID>,
    /// Only those of this plan.
    plan_id: Option<ID>,
    /// Only those of this team.
    team_id: Option<ID>,
    /// Only those whose team has this unit.
    organization_id: Option<ID>,
    /// Only those in one of these states.
    states: Option<Vec<RotationSlotState>>,
    /// Only those that end after this day.
    from: Option<Date>,
    /// Only those that begin before this day.
    to: Option<Date>,
}

impl RotationSlotFilter {
    fn read(self) -> domain::Result<SlotFilter> {
        Ok(SlotFilter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            plan_id: id::decode_optional(self.plan_id.as_ref(), "filter.planId")?,
            team_id: id::decode_optional(self.team_id.as_ref(), "filter.teamId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            from: self.from.map(|on| on.0),
            to: self.to.map(|on| on.0),
        })
    }
}

/// How a list of turns is ordered.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationSlotOrder {
    /// The earliest first.
    StartsOnAsc,
    /// The latest first.
    StartsOnDesc,
}

#[derive(Default)]
pub struct RotationSlotQuery;

#[Object]
impl RotationSlotQuery {
    /// One turn; null where there is none or the caller may not see it.
    async fn rotation_slot(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the turn.")] id: ID,
    ) -> Result<Option<RotationSlot>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(RotationSlot))
    }

    /// The turns that the caller may see.
    async fn rotation_slots(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What narrows the list.")] filter: Option<RotationSlotFilter>,
        #[graphql(desc = "Order of the list.", default_with = "RotationSlotOrder::StartsOnAsc")]
        order_by: RotationSlotOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<RotationSlotConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default().read().or_api_error(ctx)?;
        let descending = order_by == RotationSlotOrder::StartsOnDesc;
        let page = verbs::list(ctx, filter, descending, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }

    /// The turn that an alliance is in today; null where its published rotation has none.
    async fn current_duty(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the alliance.")] alliance_id: ID,
    ) -> Result<Option<RotationSlot>> {
        let ctx = ctx(context);
        let id = id::decode(&alliance_id, "allianceId").or_api_error(ctx)?;
        Ok(verbs::current_duty(ctx, id).await.or_api_error(ctx)?.map(RotationSlot))
    }
}

/// A turn that is given by hand.
#[derive(InputObject)]
pub struct AssignRotationSlotInput {
    /// The plan.
    plan_id: ID,
    /// Number of the turn, 1 for the plan's first.
    slot_number: i32,
    /// The team that takes it from now on.
    team_id: ID,
    /// Why, at most 2,000 characters.
    reason: Option<String>,
    /// The version of the turn that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// A team that is excused.
#[derive(InputObject)]
pub struct ExcuseRotationSlotInput {
    /// The turn.
    slot_id: ID,
    /// Why, at most 2,000 characters.
    reason: String,
    /// The version of the turn that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

payload!(
    /// What came of a change to a turn.
    RotationSlotPayload {
        /// The turn.
        rotation_slot: RotationSlot
    }
);

#[derive(Default)]
pub struct RotationSlotMutation;

#[Object]
impl RotationSlotMutation {
    /// Gives a turn to come to a team by hand; the generator leaves it alone from then on. Only the committee may.
    async fn assign_rotation_slot(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which turn to which team.")] input: AssignRotationSlotInput,
    ) -> Result<RotationSlotPayload> {
        let ctx = ctx(context);
        let result = async {
            let plan = id::decode(&input.plan_id, "planId")?;
            let team = id::decode(&input.team_id, "teamId")?;
            let (reason, version) = (input.reason.as_deref(), input.expected_version);
            verbs::assign(ctx, plan, input.slot_number, team, reason, version).await
        }
        .await;
        RotationSlotPayload::of(ctx, result).await
    }

    /// Excuses a team from its turn, before it has checked in. Only the committee may.
    async fn excuse_rotation_slot(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which turn, and why.")] input: ExcuseRotationSlotInput,
    ) -> Result<RotationSlotPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.slot_id, "slotId")?;
            verbs::excuse(ctx, id, &input.reason, input.expected_version).await
        }
        .await;
        RotationSlotPayload::of(ctx, result).await
    }
}
