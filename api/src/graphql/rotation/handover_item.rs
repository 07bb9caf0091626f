//! Faces of what a handover hands on.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    handover_item,
    id::{HandoverItemId, TypedId},
    priority_task,
};
use uuid::Uuid;

use super::duty::{Handover, HandoverPayload};
use crate::{
    domain::{
        self, Ctx,
        rotation::handover_item::{self as verbs, Filter, Reply},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        governance::{alliance::Alliance, organization::Organization},
        id,
        list::{priority_task::PriorityTask, problem::Problem},
        loaders,
        node::Node,
        scalar::DateTime,
    },
};

/// What was said to something that is handed on.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::handover_item::State")]
pub enum HandoverItemState {
    /// The incoming team has not answered yet.
    Pending,
    /// The incoming team accepts it.
    Accepted,
    /// The incoming team declines it, with a reason.
    Declined,
    /// Nobody accepted it: it waits for the committee.
    ToCommittee,
    /// The committee gave it to a unit.
    Assigned,
}

/// A task or problem that is handed on with a turn (交接事项), and what was said to it.
#[derive(Clone)]
pub struct HandoverItem(pub handover_item::Model);

impl From<handover_item::Model> for HandoverItem {
    fn from(row: handover_item::Model) -> Self {
        Self(row)
    }
}

impl Node for HandoverItem {
    const NOUN: &'static str = HandoverItemId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A task or problem that is handed on with a turn (交接事项), and what was said to it.
#[Object]
impl HandoverItem {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// The handover.
    async fn handover(&self, context: &Context<'_>) -> Result<Option<Handover>> {
        Ok(loaders::one(context, self.0.handover_id).await?.map(Handover))
    }

    /// The task, where it is one.
    async fn task(&self, context: &Context<'_>) -> Result<Option<PriorityTask>> {
        match self.0.task_id {
            Some(task) => Ok(loaders::one(context, task).await?.map(PriorityTask)),
            None => Ok(None),
        }
    }

    /// The problem, where it is one.
    async fn problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        match self.0.problem_id {
            Some(problem) => Ok(loaders::one(context, problem).await?.map(Problem)),
            None => Ok(None),
        }
    }

    /// What was said to it.
    async fn state(&self) -> HandoverItemState {
        self.0.state.into()
    }

    /// Whether nothing is left to do on the task or problem: then it needs no answer.
    async fn is_closed(&self, context: &Context<'_>) -> Result<bool> {
        if let Some(task) = self.0.task_id {
            // A draft, which not everybody sees, is what was carried over into a list that is not published yet.
            let closed =
                |task: priority_task::Model| !task.is_open && task.state != priority_task::State::Draft;
            return Ok(loaders::one(context, task).await?.is_some_and(closed));
        }
        match self.0.problem_id {
            Some(problem) => Ok(loaders::one(context, problem).await?.is_none_or(|problem| !problem.is_open)),
            None => Ok(true),
        }
    }

    /// Why it was declined, or what the committee says with it.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The unit that the committee gave it to.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.organization_id {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// When it was last answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.answered_at.map(DateTime)
    }

    /// When it was handed on.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(HandoverItemConnection, HandoverItemEdge, HandoverItem, handover_item::Entity);

/// Which items of handovers to show; what is absent does not narrow.
#[derive(InputObject, Default)]
pub struct HandoverItemFilter {
    /// Only those of this alliance.
    alliance_id: Option<ID>,
    /// Only those of this handover.
    handover_id: Option<ID>,
    /// Only those that the committee gave to this unit.
    organization_id: Option<ID>,
    /// Only those to which this was said; the committee's queue is `TO_COMMITTEE`.
    states: Option<Vec<HandoverItemState>>,
    /// Only those whose task or problem is still open, or only those whose is not.
    open: Option<bool>,
}

impl HandoverItemFilter {
    fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            handover_id: id::decode_optional(self.handover_id.as_ref(), "filter.handoverId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            open: self.open,
        })
    }
}

#[derive(Default)]
pub struct HandoverItemQuery;

#[Object]
impl HandoverItemQuery {
    /// What is handed on in the alliances that the caller may see, the earliest first.
    async fn handover_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which items; all by default.", default)] filter: HandoverItemFilter,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<HandoverItemConnection> {
        let ctx = ctx(context);
        let filter = filter.read().or_api_error(ctx)?;
        let page = verbs::list(ctx, filter, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What the incoming team says to an item.
#[derive(InputObject)]
pub struct HandoverAnswerInput {
    /// The item.
    item_id: ID,
    /// Whether the team accepts it.
    accept: bool,
    /// Why not, at most 1,000 characters; needed where it is declined.
    reason: Option<String>,
}

/// The answers of the incoming team.
#[derive(InputObject)]
pub struct AnswerHandoverItemsInput {
    /// The handover, not yet acknowledged.
    handover_id: ID,
    /// The answers, 1 to 500; all are taken or none.
    items: Vec<HandoverAnswerInput>,
}

/// To whom the committee gives an item.
#[derive(InputObject)]
pub struct AssignHandoverItemInput {
    /// The item, which nobody accepted.
    pub(in crate::graphql) item_id: ID,
    /// The version that the caller read, if it matters.
    pub(in crate::graphql) expected_version: Option<i64>,
    /// The unit, an active member of the alliance.
    pub(in crate::graphql) organization_id: ID,
    /// What is said with it, at most 1,000 characters.
    pub(in crate::graphql) note: Option<String>,
}

impl AssignHandoverItemInput {
    pub(in crate::graphql) async fn carry_out(&self, ctx: &Ctx) -> domain::Result<handover_item::Model> {
        let item = id::decode(&self.item_id, "itemId")?;
        let unit = id::decode(&self.organization_id, "organizationId")?;
        verbs::assign(ctx, item, self.expected_version, unit, self.note.as_deref()).await
    }
}

payload!(
    /// What came of giving an item to a unit.
    AssignHandoverItemPayload {
        /// The item.
        item: HandoverItem
    }
);

#[derive(Default)]
pub struct HandoverItemMutation;

#[Object]
impl HandoverItemMutation {
    /// Accepts or declines what a turn hands on; an answer may change until the handover is acknowledged. The people of the
    /// incoming team's units and the committee may.
    async fn answer_handover_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which handover, and the answers.")] input: AnswerHandoverItemsInput,
    ) -> Result<HandoverPayload> {
        let ctx = ctx(context);
        let result = async {
            let handover = id::decode(&input.handover_id, "handoverId")?;
            let read = |(index, item): (usize, HandoverAnswerInput)| {
                let item_id = id::decode(&item.item_id, format!("items.{index}.itemId"))?;
                Ok(Reply { item_id, accept: item.accept, reason: item.reason })
            };
            let replies = input.items.into_iter().enumerate().map(read).collect::<domain::Result<_>>()?;
            verbs::answer(ctx, handover, replies).await
        }
        .await;
        HandoverPayload::of(ctx, result).await
    }

    /// Gives something that no team accepted to a unit. Only the committee may.
    async fn assign_handover_item(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which item, and to whom.")] input: AssignHandoverItemInput,
    ) -> Result<AssignHandoverItemPayload> {
        let ctx = ctx(context);
        let result = input.carry_out(ctx).await;
        AssignHandoverItemPayload::of(ctx, result).await
    }
}
