//! Faces of alliances.

use async_graphql::{Context, ID, InputObject, Object, Result};
use concord_entities::{
    alliance,
    id::{AllianceId, TypedId},
    membership, pairing, service_team,
};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    membership::{MEMBERS_ALONG, MembershipConnection, MembershipFilter, MembershipOrder},
    organization::{self, Organization},
    service_team::{ServiceTeamConnection, ServiceTeamFilter, ServiceTeamOrder},
};
use crate::{
    domain::{
        self, Ctx,
        governance::{
            alliance::{self as verbs, AllianceChange, NewAlliance},
            membership as members, service_team as teams,
        },
        page::{Args, List},
    },
    graphql::{
        ahead::{self, Plan},
        branch::{
            self, PartyBranchConnection, PartyBranchCounts, PartyBranchFilter, branches_of,
            coverage::BranchCoverage,
        },
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        grid::{self, GridNetwork},
        id,
        identity::seat::Role,
        list::{
            counts::{self, ProblemCounts, TaskCounts},
            deadline::{self, DeadlinePolicy},
            transition,
        },
        loaders,
        mobilization::{
            MobilizationConnection, MobilizationFilter, mobilizations_of,
            pairing::{
                HomeReportCount, PairingConnection, PairingFilter, home_report_count, home_reports,
                pairings_of,
            },
        },
        node::Node,
        scalar::{Date, DateTime, YearMonth},
        territory::region::Region,
        whistle::{WhistleConnection, WhistleFilter, whistles_of},
    },
};

/// Organisations that govern one region together (区域化党建联盟).
#[derive(Clone)]
pub struct Alliance(pub alliance::Model);

impl From<alliance::Model> for Alliance {
    fn from(row: alliance::Model) -> Self {
        Self(row)
    }
}

impl Node for Alliance {
    const NOUN: &'static str = AllianceId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// Organisations that govern one region together (区域化党建联盟).
#[Object]
impl Alliance {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Full name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The alliance above this one, where the caller may see it.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        match self.0.parent_id {
            Some(parent) => Ok(loaders::one(context, parent).await?.map(Alliance)),
            None => Ok(None),
        }
    }

    /// The territory.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region_id).await?.map(Region))
    }

    /// The committee that runs it (镇党委).
    async fn committee_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.committee_organization_id {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The body that approves rotation and evaluation.
    async fn oversight_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.oversight_organization_id {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The alliances directly below it that the caller may see, by name.
    async fn children(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<AllianceConnection> {
        let (by, id) = (alliance::Column::ParentId, alliance::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, (verbs::visible(ctx), verbs::BY_NAME), &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Its members, present and past.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<MembershipFilter>,
        #[graphql(desc = "In which order.", default_with = "MembershipOrder::Oldest")]
        order_by: MembershipOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MembershipConnection> {
        let filter = filter.unwrap_or_default().read(None).or_api_error(ctx(context))?;
        let list = members_of(filter, order_by, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &MEMBERS_ALONG, list).await?.into())
    }

    /// Its service teams, standing and disbanded.
    async fn service_teams(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<ServiceTeamFilter>,
        #[graphql(desc = "In which order.", default_with = "ServiceTeamOrder::Name")]
        order_by: ServiceTeamOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ServiceTeamConnection> {
        let filter = filter.unwrap_or_default().read(None).or_api_error(ctx(context))?;
        let (by, id) = (service_team::Column::AllianceId, service_team::Column::Id);
        let args = args(first, after, last, before);
        let list =
            move |ctx: &Ctx| Ok(List::new(by, id, (teams::listed(ctx, &filter)?, order_by.of()), &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// The whistles (吹哨报到) that it blew, the latest first.
    async fn whistles(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<WhistleFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WhistleConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let list = whistles_of(filter, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Its grid networks (网格), at most one of each kind.
    async fn grid_networks(&self, context: &Context<'_>) -> Result<Vec<GridNetwork>> {
        grid::networks(context, self.0.id).await
    }

    /// Its orders of mobilisation (红色动员令), the latest first.
    async fn mobilizations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<MobilizationFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MobilizationConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let list = mobilizations_of(filter, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Its Party organisations (党组织), by their names.
    async fn party_branches(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<PartyBranchFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PartyBranchConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let list = branches_of(filter, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// How many Party organisations stand in it and in the alliances below it, by kind, and how many members they have.
    async fn party_branch_counts(&self, context: &Context<'_>) -> Result<PartyBranchCounts> {
        branch::counts(context, self.0.id).await
    }

    /// Coverage of organisation and of work (两个覆盖): which communities, grid cells, compounds, enterprises and markets have a branch, and
    /// which of the others a temporary branch or an instructor serves. What the alliances below it have covers places here as it does there.
    async fn branch_coverage(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day; today where absent.")] on: Option<Date>,
    ) -> Result<BranchCoverage> {
        BranchCoverage::of(context, &self.0, on).await
    }

    /// The pairings (包保) of its members with places, the latest first.
    async fn pairings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<PairingFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PairingConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default().read(ctx).await.or_api_error(ctx)?;
        let list = pairings_of(pairing::Column::AllianceId, filter, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// How many in-service members of each unit stand reported to each community, or place in one (双报到), the greatest numbers first; at
    /// most 500.
    async fn home_reports(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this unit.")] organization_id: Option<ID>,
        #[graphql(desc = "Only those at this region, or below it.")] region_id: Option<ID>,
    ) -> Result<Vec<HomeReportCount>> {
        home_reports(context, self.0.id, organization_id, region_id).await
    }

    /// How many in-service members stand reported, those whom `homeReports` has no place for too.
    async fn home_report_count(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this unit.")] organization_id: Option<ID>,
        #[graphql(desc = "Only those at this region, or below it.")] region_id: Option<ID>,
    ) -> Result<u64> {
        home_report_count(context, self.0.id, organization_id, region_id).await
    }

    /// What the caller may do in it: the roles of the caller's own active seats; empty for whoever supervises from above.
    async fn viewer_roles(&self, context: &Context<'_>) -> Result<Vec<Role>> {
        let mut roles: Vec<_> =
            transition::seats(context, self.0.id).await?.into_iter().map(|seat| seat.role).collect();
        roles.sort_unstable();
        roles.dedup();
        Ok(roles.into_iter().map(Into::into).collect())
    }

    /// IANA name of the time zone that decides where a month and a day begin.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// Pattern of the closure numbers, such as `西海销〔{year}〕{seq:4}号`.
    async fn number_pattern(&self) -> &str {
        &self.0.number_pattern
    }

    /// What it sets for its problems' deadlines and for supervision.
    async fn deadline_policy(&self, context: &Context<'_>) -> Result<DeadlinePolicy> {
        deadline::policy_of(context, self.0.id).await
    }

    /// The working day of a slot by which the team must have checked in, counted from 1.
    async fn check_in_working_day(&self) -> i32 {
        self.0.check_in_working_day
    }

    /// How many approvers sign a verified problem off, 1 to 3; the last of them strikes it off.
    async fn sign_offs(&self) -> i32 {
        self.0.sign_offs
    }

    /// For how many hours after its assignment a problem may be declined (退单异议期); 0 where only its acceptance ends that.
    async fn objection_hours(&self) -> i32 {
        self.0.objection_hours
    }

    /// Whether reporters are asked (回访) once closure of their problem is asked for, or once the leading organisation has let
    /// its resolution limit end without asking.
    async fn follow_up_on_submission(&self) -> bool {
        self.0.follow_up_on_submission
    }

    /// How many of its priority tasks stand where; the alliances below it count for themselves.
    async fn task_counts(&self, context: &Context<'_>) -> Result<TaskCounts> {
        counts::tasks(context, self.0.id).await
    }

    /// When it was founded.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// How many problems stand on its list, by state, and how many a month closed.
    async fn problem_counts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The month of the closure rate; the present one where absent.")] month: Option<
            YearMonth,
        >,
    ) -> Result<ProblemCounts> {
        counts::problems(context, self.0.id, month).await
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// The members of alliances.
fn members_of(
    filter: members::Filter,
    order: MembershipOrder,
    args: Args,
) -> impl Fn(&Ctx) -> domain::Result<List<membership::Entity>> {
    let (by, id) = (membership::Column::AllianceId, membership::Column::Id);
    move |ctx| Ok(List::new(by, id, (members::listed(ctx, &filter)?, order.of()), &args))
}

/// The lists below an alliance that its statement can read along.
const BELOW: [(&str, Plan); 1] = [("members", |context| {
    let filter: Option<MembershipFilter> = ahead::argument(context, "filter", None)?;
    let order = ahead::argument(context, "orderBy", Some(|| MembershipOrder::Oldest))?;
    let list = members_of(filter.unwrap_or_default().read(None).ok()?, order, ahead::args(context)?);
    ahead::plan(context, list, &MEMBERS_ALONG, &[("organization", &organization::BELOW)])
})];

connection!(AllianceConnection, AllianceEdge, Alliance, alliance::Entity);

#[derive(Default)]
pub struct AllianceQuery;

#[Object]
impl AllianceQuery {
    /// One alliance; null where there is none or the caller may not see it.
    async fn alliance(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the alliance.")] id: ID,
    ) -> Result<Option<Alliance>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        if let Some(found) = counts::alliance(context, id).await.or_api_error(ctx)? {
            return Ok(found.map(Alliance));
        }
        let select = verbs::visible(ctx).filter(alliance::Column::Id.eq(id));
        Ok(loaders::found(context, select, &[], &BELOW).await?.map(Alliance))
    }

    /// The alliances that the caller may see, by name.
    async fn alliances(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those directly below this alliance.")] parent_id: Option<ID>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<AllianceConnection> {
        let ctx = ctx(context);
        let parent = id::decode_optional(parent_id.as_ref(), "parentId").or_api_error(ctx)?;
        let page = verbs::list(ctx, parent, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What an alliance is founded with.
#[derive(InputObject)]
pub struct FoundAllianceInput {
    /// Full name, at most 200 characters.
    name: String,
    /// The territory.
    region_id: ID,
    /// The alliance above it.
    parent_id: Option<ID>,
    /// The committee that runs it.
    committee_organization_id: Option<ID>,
    /// The body that approves rotation and evaluation.
    oversight_organization_id: Option<ID>,
    /// IANA time zone.
    #[graphql(default = "Asia/Shanghai")]
    time_zone: String,
    /// Pattern of the closure numbers, with `{year}` and `{seq}` or `{seq:4}`.
    number_pattern: String,
    /// The working day of a slot by which the team must have checked in, 1 to 20.
    #[graphql(default = 5)]
    check_in_working_day: i32,
}

impl FoundAllianceInput {
    fn read(self) -> domain::Result<NewAlliance> {
        Ok(NewAlliance {
            name: self.name,
            region_id: id::decode(&self.region_id, "regionId")?,
            parent_id: id::decode_optional(self.parent_id.as_ref(), "parentId")?,
            committee_organization_id: id::decode_optional(
                self.committee_organization_id.as_ref(),
                "committeeOrganizationId",
            )?,
            oversight_organization_id: id::decode_optional(
                self.oversight_organization_id.as_ref(),
                "oversightOrganizationId",
            )?,
            time_zone: self.time_zone,
            number_pattern: self.number_pattern,
            check_in_working_day: self.check_in_working_day,
        })
    }
}

/// What a committee changes of its alliance; what is absent stays.
#[derive(InputObject)]
pub struct UpdateAllianceInput {
    /// The alliance.
    alliance_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// Full name, at most 200 characters.
    name: Option<String>,
    /// Pattern of the closure numbers, with `{year}` and `{seq}` or `{seq:4}`.
    number_pattern: Option<String>,
    /// The working day of a slot by which the team must have checked in, 1 to 20.
    check_in_working_day: Option<i32>,
    /// How many approvers sign a verified problem off, 1 to 3; it counts from now on, also for what is verified already.
    sign_offs: Option<i32>,
    /// For how many hours after its assignment a problem may be declined, 1 to 720; 0 sets no limit in time.
    objection_hours: Option<i32>,
    /// Whether reporters are asked (回访) once closure of their problem is asked for, or once the leading organisation has let
    /// its resolution limit end without asking.
    follow_up_on_submission: Option<bool>,
}

payload!(
    /// What came of founding an alliance.
    FoundAlliancePayload {
        /// The alliance.
        alliance: Alliance
    }
);

payload!(
    /// What came of changing an alliance.
    UpdateAlliancePayload {
        /// The alliance.
        alliance: Alliance
    }
);

#[derive(Default)]
pub struct AllianceMutation;

#[Object]
impl AllianceMutation {
    /// Founds an alliance. Only a platform administrator may.
    async fn found_alliance(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is founded with.")] input: FoundAllianceInput,
    ) -> Result<FoundAlliancePayload> {
        let ctx = ctx(context);
        let result = async { verbs::found(ctx, input.read()?).await }.await;
        FoundAlliancePayload::of(ctx, result).await
    }

    /// Changes an alliance's settings. Only its committee may.
    async fn update_alliance(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateAllianceInput,
    ) -> Result<UpdateAlliancePayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.alliance_id, "allianceId")?;
            let change = AllianceChange {
                name: input.name,
                number_pattern: input.number_pattern,
                check_in_working_day: input.check_in_working_day,
                sign_offs: input.sign_offs,
                objection_hours: input.objection_hours,
                follow_up_on_submission: input.follow_up_on_submission,
            };
            verbs::update(ctx, id, input.expected_version, change).await
        }
        .await;
        UpdateAlliancePayload::of(ctx, result).await
    }
}
