//! Faces of rotation plans.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::{
    id::{RotationBlockId, RotationPlanId, TypedId},
    rotation_block, rotation_plan,
};
use uuid::Uuid;

use super::{
    batch::{BlocksOf, SlotsOf, TeamsOf},
    preview::FairnessReport,
    slot::RotationSlot,
};
use crate::{
    domain::{
        self, Code, Ctx, Error,
        rotation::{
            block::{self, Which},
            generate,
            plan::{self as verbs, NewPlan, PlanChange, PlanFilter},
            publish,
        },
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        governance::{alliance::Alliance, service_team::ServiceTeam},
        id,
        list::transition::{Transition, faces, seats},
        loaders,
        node::Node,
        scalar::{Date, DateTime, YearMonth},
    },
};

/// Unit in which the length of a turn is counted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::rotation_plan::CadenceUnit")]
pub enum CadenceUnit {
    /// Calendar months, clamped to the month's end.
    Month,
    /// Weeks.
    Week,
}

/// Where a rotation plan stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::rotation_plan::State")]
pub enum RotationPlanState {
    /// The committee is drafting it.
    Draft,
    /// The oversight body has it.
    Submitted,
    /// The oversight body approved it.
    Approved,
    /// The alliance was told; its turns are duties.
    Published,
    /// Its time is over.
    Ended,
}

/// Which teams take turns (轮值), from when, and how long a turn is.
#[derive(Clone)]
pub struct RotationPlan(pub rotation_plan::Model);

impl From<rotation_plan::Model> for RotationPlan {
    fn from(row: rotation_plan::Model) -> Self {
        Self(row)
    }
}

impl Node for RotationPlan {
    const NOUN: &'static str = RotationPlanId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A turn that a team cannot take.
#[derive(Clone)]
pub struct RotationBlock(pub rotation_block::Model);

/// A turn that a team cannot take.
#[Object]
impl RotationBlock {
    /// Global identifier.
    async fn id(&self) -> ID {
        id::encode::<RotationBlockId>(self.0.id)
    }

    /// The team.
    async fn team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        Ok(loaders::one(context, self.0.team_id).await?.map(ServiceTeam))
    }

    /// Number of the turn, 1 for the plan's first.
    async fn slot_number(&self) -> i32 {
        self.0.slot_number
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When it was said.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// Which teams take turns (轮值), from when, and how long a turn is.
#[Object]
impl RotationPlan {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// First day of the first turn; every boundary is computed from it.
    async fn anchor_on(&self) -> Date {
        self.0.anchor_on.into()
    }

    /// Unit of a turn.
    async fn cadence_unit(&self) -> CadenceUnit {
        self.0.cadence_unit.into()
    }

    /// Units per turn.
    async fn cadence_every(&self) -> i32 {
        self.0.cadence_every
    }

    /// How many turns it has.
    async fn slot_count(&self) -> i32 {
        self.0.slot_count
    }

    /// Where it stands.
    async fn state(&self) -> RotationPlanState {
        self.0.state.into()
    }

    /// Its teams in the order of their turns, at most 60.
    async fn teams(&self, context: &Context<'_>) -> Result<Vec<ServiceTeam>> {
        let places = loaders::one(context, TeamsOf(self.0.id)).await?.unwrap_or_default();
        let found = loaders::many(context, places.iter().map(|place| place.team_id)).await?;
        Ok(places.iter().filter_map(|place| found.get(&place.team_id).cloned().map(ServiceTeam)).collect())
    }

    /// Its turns by number, at most 60; those that are not filled yet are absent.
    async fn slots(&self, context: &Context<'_>) -> Result<Vec<RotationSlot>> {
        let rows = loaders::one(context, SlotsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(RotationSlot).collect())
    }

    /// The turns that teams cannot take, by number.
    async fn blocks(&self, context: &Context<'_>) -> Result<Vec<RotationBlock>> {
        let rows = loaders::one(context, BlocksOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(RotationBlock).collect())
    }

    /// How fair the rotation is as it stands, and where it has gaps.
    async fn fairness_report(&self, context: &Context<'_>) -> Result<FairnessReport> {
        let ctx = ctx(context);
        Ok(FairnessReport(generate::fairness_report(ctx, &self.0).await.or_api_error(ctx)?))
    }

    /// What the caller may do with it next, and what stands in the way.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let seats = seats(context, self.0.alliance_id).await?;
        let ctx = ctx(context);
        let found = publish::transitions(ctx, &self.0, &seats).await.or_api_error(ctx)?;
        Ok(faces(context, found))
    }

    /// When the oversight body approved it.
    async fn approved_at(&self) -> Option<DateTime> {
        self.0.approved_at.map(Into::into)
    }

    /// When the alliance was told.
    async fn published_at(&self) -> Option<DateTime> {
        self.0.published_at.map(Into::into)
    }

    /// When it was drafted.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(RotationPlanConnection, RotationPlanEdge, RotationPlan, rotation_plan::Entity);

/// What a list of plans is narrowed by.
#[derive(InputObject, Default)]
pub struct RotationPlanFilter {
    /// Only those of this alliance.
    alliance_id: Option<ID>,
    /// Only those in one of these states.
    states: Option<Vec<RotationPlanState>>,
}

/// How a list of plans is ordered.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationPlanOrder {
    /// The earliest first day first.
    AnchorOnAsc,
    /// The latest first day first.
    AnchorOnDesc,
}

#[derive(Default)]
pub struct RotationPlanQuery;

#[Object]
impl RotationPlanQuery {
    /// One rotation plan; null where there is none or the caller may not see it.
    async fn rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the plan.")] id: ID,
    ) -> Result<Option<RotationPlan>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(RotationPlan))
    }

    /// The rotation plans that the caller may see.
    async fn rotation_plans(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What narrows the list.")] filter: Option<RotationPlanFilter>,
        #[graphql(desc = "Order of the list.", default_with = "RotationPlanOrder::AnchorOnDesc")]
        order_by: RotationPlanOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<RotationPlanConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default();
        let alliance_id =
            id::decode_optional(filter.alliance_id.as_ref(), "filter.allianceId").or_api_error(ctx)?;
        let states = filter.states.map(|states| states.into_iter().map(Into::into).collect());
        let filter = PlanFilter { alliance_id, states };
        let descending = order_by == RotationPlanOrder::AnchorOnDesc;
        let page = verbs::list(ctx, filter, descending, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What a rotation plan is drafted with. Give either `anchorOn` or `firstMonth`.
#[derive(InputObject)]
pub struct CreateRotationPlanInput {
    /// The alliance.
    alliance_id: ID,
    /// What it is called, at most 128 characters.
    name: String,
    /// First day of the first turn.
    anchor_on: Option<Date>,
    /// Month that the first turn begins with, on its first day.
    first_month: Option<YearMonth>,
    /// Unit of a turn.
    #[graphql(default_with = "CadenceUnit::Month")]
    cadence_unit: CadenceUnit,
    /// Units per turn, 1 to 12.
    #[graphql(default = 1)]
    cadence_every: i32,
    /// How many turns, 1 to 60.
    slot_count: i32,
    /// The teams in the order of their turns, 1 to 60; no unit may sit in two of them.
    team_ids: Vec<ID>,
}

/// Reads the first day, which is given as a day or as a month.
pub(super) fn anchor(on: Option<Date>, month: Option<YearMonth>) -> domain::Result<chrono::NaiveDate> {
    match (on, month) {
        (Some(on), None) => Ok(on.0),
        (None, Some(month)) => Ok(month.0),
        (None, None) => Err(Error::invalid(Code::Required, "anchorOn")),
        (Some(_), Some(_)) => Err(Error::invalid(Code::Malformed, "firstMonth").with("expected", "null")),
    }
}

impl CreateRotationPlanInput {
    fn read(self) -> domain::Result<NewPlan> {
        Ok(NewPlan {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            name: self.name,
            anchor_on: anchor(self.anchor_on, self.first_month)?,
            cadence_unit: self.cadence_unit.into(),
            cadence_every: self.cadence_every,
            slot_count: self.slot_count,
            team_ids: id::decode_all(&self.team_ids, "teamIds")?,
        })
    }
}

/// What changes of a rotation plan; what is absent stays. Name aside, turns past changing stay as they are.
#[derive(InputObject)]
pub struct UpdateRotationPlanInput {
    /// The plan.
    plan_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// What it is called, at most 128 characters.
    name: Option<String>,
    /// First day of the first turn; changes in draft only.
    anchor_on: Option<Date>,
    /// Unit of a turn; changes in draft only.
    cadence_unit: Option<CadenceUnit>,
    /// Units per turn, 1 to 12; changes in draft only.
    cadence_every: Option<i32>,
    /// How many turns, 1 to 60; never fewer than were announced.
    slot_count: Option<i32>,
    /// The teams in the order of their turns, 1 to 60.
    team_ids: Option<Vec<ID>>,
}

impl UpdateRotationPlanInput {
    fn read(self) -> domain::Result<(RotationPlanId, i64, PlanChange)> {
        let change = PlanChange {
            name: self.name,
            anchor_on: self.anchor_on.map(|on| on.0),
            cadence_unit: self.cadence_unit.map(Into::into),
            cadence_every: self.cadence_every,
            slot_count: self.slot_count,
            team_ids: self.team_ids.map(|ids| id::decode_all(&ids, "teamIds")).transpose()?,
        };
        Ok((id::decode(&self.plan_id, "planId")?, self.expected_version, change))
    }
}

/// Turns that a team cannot take. Give either `slotNumber` or `month`.
#[derive(InputObject)]
pub struct BlockRotationMonthInput {
    /// The plan.
    plan_id: ID,
    /// The team.
    team_id: ID,
    /// Number of one turn.
    slot_number: Option<i32>,
    /// All turns that begin in this month.
    month: Option<YearMonth>,
    /// Why, at most 2,000 characters.
    reason: String,
}

/// Turns that a team may take again. Give either `slotNumber` or `month`.
#[derive(InputObject)]
pub struct UnblockRotationMonthInput {
    /// The plan.
    plan_id: ID,
    /// The team.
    team_id: ID,
    /// Number of one turn.
    slot_number: Option<i32>,
    /// All turns that begin in this month.
    month: Option<YearMonth>,
}

fn which(number: Option<i32>, month: Option<YearMonth>) -> domain::Result<Which> {
    match (number, month) {
        (Some(number), None) => Ok(Which::Number(number)),
        (None, Some(month)) => Ok(Which::Month(month.0)),
        (None, None) => Err(Error::invalid(Code::Required, "slotNumber")),
        (Some(_), Some(_)) => Err(Error::invalid(Code::Malformed, "month").with("expected", "null")),
    }
}

/// A step of a rotation plan.
#[derive(InputObject)]
pub struct RotationPlanStepInput {
    /// The plan.
    plan_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
}

impl RotationPlanStepInput {
    fn read(&self) -> domain::Result<(RotationPlanId, Option<i64>)> {
        Ok((id::decode(&self.plan_id, "planId")?, self.expected_version))
    }
}

/// A plan that is sent back.
#[derive(InputObject)]
pub struct ReturnRotationPlanInput {
    /// The plan.
    plan_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 2,000 characters.
    reason: String,
}

/// A plan that ends.
#[derive(InputObject)]
pub struct EndRotationPlanInput {
    /// The plan.
    plan_id: ID,
    /// The version that the caller read; without it the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 2,000 characters.
    reason: Option<String>,
}

payload!(
    /// What came of a change to a rotation plan.
    RotationPlanPayload {
        /// The plan.
        rotation_plan: RotationPlan
    }
);

#[derive(Default)]
pub struct RotationPlanMutation;

#[Object]
impl RotationPlanMutation {
    /// Drafts a rotation plan. Only the committee may.
    async fn create_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is drafted with.")] input: CreateRotationPlanInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async { verbs::create(ctx, input.read()?).await }.await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Changes a plan that is in draft or published; turns past changing keep their teams. Only the committee may.
    async fn update_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateRotationPlanInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let (id, version, change) = input.read()?;
            verbs::update(ctx, id, version, change).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Keeps a team from turns to come; a turn it already has changes when the rotation is generated again. Only the
    /// committee may.
    async fn block_rotation_month(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which team and turns, and why.")] input: BlockRotationMonthInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let plan = id::decode(&input.plan_id, "planId")?;
            let team = id::decode(&input.team_id, "teamId")?;
            block::block(ctx, plan, team, which(input.slot_number, input.month)?, &input.reason).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Lets a team take turns again. Only the committee may.
    async fn unblock_rotation_month(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which team and turns.")] input: UnblockRotationMonthInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let plan = id::decode(&input.plan_id, "planId")?;
            let team = id::decode(&input.team_id, "teamId")?;
            block::unblock(ctx, plan, team, which(input.slot_number, input.month)?).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Fills the turns to come with the fairest rotation; turns given by hand and turns past changing stay. Doing it again
    /// changes nothing. Only the committee may.
    async fn generate_rotation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan.")] input: RotationPlanStepInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let (id, version) = input.read()?;
            generate::generate(ctx, id, version).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Submits a complete draft to the alliance's oversight body. Only the committee may.
    async fn submit_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan.")] input: RotationPlanStepInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let (id, version) = input.read()?;
            publish::submit(ctx, id, version).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Approves a submitted plan. Only an approver may.
    async fn approve_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan.")] input: RotationPlanStepInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let (id, version) = input.read()?;
            publish::approve(ctx, id, version).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Sends a submitted or approved plan back to the committee. Only an approver may.
    async fn return_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan, and why.")] input: ReturnRotationPlanInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.plan_id, "planId")?;
            publish::send_back(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Publishes a plan and announces its turns; where the alliance has an oversight body, once that has approved it. Only
    /// the committee may.
    async fn publish_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan.")] input: RotationPlanStepInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let (id, version) = input.read()?;
            publish::publish(ctx, id, version).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }

    /// Ends a published plan; turns that have not begun are excused. Only the committee may.
    async fn end_rotation_plan(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which plan, and why.")] input: EndRotationPlanInput,
    ) -> Result<RotationPlanPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.plan_id, "planId")?;
            publish::end(ctx, id, input.expected_version, input.reason.as_deref()).await
        }
        .await;
        RotationPlanPayload::of(ctx, result).await
    }
}
