//! Faces of swaps.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    id::{RotationSwapId, TypedId},
    rotation_swap,
};
use uuid::Uuid;

use super::{plan::RotationPlan, slot::RotationSlot};
use crate::{
    domain::{
        self, Ctx,
        list::transition::Viewer,
        rotation::swap::{self as verbs, NewSwap, SwapFilter},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        governance::service_team::{ServiceTeam, UnitsOf},
        id,
        list::transition::{Transition, faces, seats},
        loaders,
        node::Node,
        scalar::DateTime,
    },
};

/// Where a swap stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::rotation_swap::State")]
pub enum RotationSwapState {
    /// One team has agreed.
    Proposed,
    /// Both teams have agreed.
    Agreed,
    /// The committee approved it; the turns have changed teams.
    Approved,
    /// It was declined.
    Declined,
    /// It was withdrawn.
    Withdrawn,
}

/// Two turns whose teams change places (调换) once both agree and the committee approves.
#[derive(Clone)]
pub struct RotationSwap(pub rotation_swap::Model);

impl From<rotation_swap::Model> for RotationSwap {
    fn from(row: rotation_swap::Model) -> Self {
        Self(row)
    }
}

impl Node for RotationSwap {
    const NOUN: &'static str = RotationSwapId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// Two turns whose teams change places (调换) once both agree and the committee approves.
#[Object]
impl RotationSwap {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The plan.
    async fn plan(&self, context: &Context<'_>) -> Result<Option<RotationPlan>> {
        Ok(loaders::one(context, self.0.plan_id).await?.map(RotationPlan))
    }

    /// The turn of the team that asked.
    async fn first_slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        Ok(loaders::one(context, self.0.first_slot_id).await?.map(RotationSlot))
    }

    /// The turn that it asked for.
    async fn second_slot(&self, context: &Context<'_>) -> Result<Option<RotationSlot>> {
        Ok(loaders::one(context, self.0.second_slot_id).await?.map(RotationSlot))
    }

    /// The team that asked: the first turn's, when it was asked.
    async fn first_team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        Ok(loaders::one(context, self.0.first_team_id).await?.map(ServiceTeam))
    }

    /// The team that was asked: the second turn's, when it was asked.
    async fn second_team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        Ok(loaders::one(context, self.0.second_team_id).await?.map(ServiceTeam))
    }

    /// Where it stands.
    async fn state(&self) -> RotationSwapState {
        self.0.state.into()
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When the first team agreed.
    async fn first_agreed_at(&self) -> Option<DateTime> {
        self.0.first_agreed_at.map(Into::into)
    }

    /// Whether the committee agreed in the first team's place.
    async fn first_by_committee(&self) -> bool {
        self.0.first_by_committee
    }

    /// When the second team agreed.
    async fn second_agreed_at(&self) -> Option<DateTime> {
        self.0.second_agreed_at.map(Into::into)
    }

    /// Whether the committee agreed in the second team's place.
    async fn second_by_committee(&self) -> bool {
        self.0.second_by_committee
    }

    /// When it was approved, declined or withdrawn.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(Into::into)
    }

    /// When it was proposed.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// What the caller may do with it next, and what stands in the way.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let seats = seats(context, self.0.alliance_id).await?;
        let first = loaders::one(context, UnitsOf(self.0.first_team_id)).await?.unwrap_or_default();
        let second = loaders::one(context, UnitsOf(self.0.second_team_id)).await?.unwrap_or_default();
        let viewer = Viewer { actor: ctx(context).actor, seats: &seats };
        Ok(faces(context, verbs::transitions(&self.0, viewer, [&first, &second])))
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(RotationSwapConnection, RotationSwapEdge, RotationSwap, rotation_swap::Entity);

/// What a list of swaps is narrowed by.
#[derive(InputObject, Default)]
pub struct RotationSwapFilter {
    /// Only those of this alliance.
    alliance_id: Option<ID>,
    /// Only those of this plan.
    plan_id: Option<ID>,
    /// Only those in one of these states.
    states: Option<Vec<RotationSwapState>>,
}

impl RotationSwapFilter {
    fn read(self) -> domain::Result<SwapFilter> {
        Ok(SwapFilter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            plan_id: id::decode_optional(self.plan_id.as_ref(), "filter.planId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
        })
    }
}

/// How a list of swaps is ordered.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationSwapOrder {
    /// The oldest first.
    CreatedAtAsc,
    /// The newest first.
    CreatedAtDesc,
}

#[derive(Default)]
pub struct RotationSwapQuery;

#[Object]
impl RotationSwapQuery {
    /// One swap; null where there is none or the caller may not see it.
    async fn rotation_swap(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the swap.")] id: ID,
    ) -> Result<Option<RotationSwap>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(RotationSwap))
    }

    /// The swaps that the caller may see.
    async fn rotation_swaps(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What narrows the list.")] filter: Option<RotationSwapFilter>,
        #[graphql(desc = "Order of the list.", default_with = "RotationSwapOrder::CreatedAtDesc")]
        order_by: RotationSwapOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<RotationSwapConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default().read().or_api_error(ctx)?;
        let descending = order_by == RotationSwapOrder::CreatedAtDesc;
        let page = verbs::list(ctx, filter, descending, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// A swap that is asked for.
#[derive(InputObject)]
pub struct ProposeSwapInput {
    /// The turn of the team that asks.
    first_slot_id: ID,
    /// The turn it asks for, of the same plan.
    second_slot_id: ID,
    /// Why, at most 2,000 characters.
    reason: String,
}

/// A team's word on a swap.
#[derive(InputObject)]
pub struct AgreeSwapInput {
    /// The swap.
    swap_id: ID,
    /// The team that agrees; without it, the one whose word is missing.
    team_id: Option<ID>,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// A swap that is approved.
#[derive(InputObject)]
pub struct ApproveSwapInput {
    /// The swap.
    swap_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

/// A swap that comes to nothing.
#[derive(InputObject)]
pub struct CloseSwapInput {
    /// The swap.
    swap_id: ID,
    /// Why, at most 2,000 characters.
    reason: Option<String>,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

payload!(
    /// What came of a change to a swap.
    RotationSwapPayload {
        /// The swap.
        rotation_swap: RotationSwap
    }
);

#[derive(Default)]
pub struct RotationSwapMutation;

#[Object]
impl RotationSwapMutation {
    /// Proposes that two teams change turns; the first team has thereby agreed. The managers of its units and the committee
    /// may.
    async fn propose_swap(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which turns, and why.")] input: ProposeSwapInput,
    ) -> Result<RotationSwapPayload> {
        let ctx = ctx(context);
        let result = async {
            let new = NewSwap {
                first_slot_id: id::decode(&input.first_slot_id, "firstSlotId")?,
                second_slot_id: id::decode(&input.second_slot_id, "secondSlotId")?,
                reason: input.reason,
            };
            verbs::propose(ctx, new).await
        }
        .await;
        RotationSwapPayload::of(ctx, result).await
    }

    /// Agrees to a swap for a team. The managers of its units may, and the committee in the place of one of the two teams.
    async fn agree_swap(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which swap, for which team.")] input: AgreeSwapInput,
    ) -> Result<RotationSwapPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.swap_id, "swapId")?;
            let team = id::decode_optional(input.team_id.as_ref(), "teamId")?;
            verbs::agree(ctx, id, team, input.expected_version).await
        }
        .await;
        RotationSwapPayload::of(ctx, result).await
    }

    /// Approves a swap that both teams agreed to: the two turns change teams at once. Only the committee may.
    async fn approve_swap(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which swap.")] input: ApproveSwapInput,
    ) -> Result<RotationSwapPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.swap_id, "swapId")?;
            verbs::approve(ctx, id, input.expected_version).await
        }
        .await;
        RotationSwapPayload::of(ctx, result).await
    }

    /// Declines a swap. The managers of the second team's units and the committee may.
    async fn decline_swap(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which swap, and why.")] input: CloseSwapInput,
    ) -> Result<RotationSwapPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.swap_id, "swapId")?;
            verbs::decline(ctx, id, input.reason.as_deref(), input.expected_version).await
        }
        .await;
        RotationSwapPayload::of(ctx, result).await
    }

    /// Withdraws a swap. The managers of the first team's units and the committee may.
    async fn withdraw_swap(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which swap, and why.")] input: CloseSwapInput,
    ) -> Result<RotationSwapPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.swap_id, "swapId")?;
            verbs::withdraw(ctx, id, input.reason.as_deref(), input.expected_version).await
        }
        .await;
        RotationSwapPayload::of(ctx, result).await
    }
}
