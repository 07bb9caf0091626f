//! Faces of organisations.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use concord_entities::{
    id::{OrganizationId, TypedId},
    membership, organization, priority_task,
};
use uuid::Uuid;

use super::membership::{MembershipConnection, MembershipOrder};
use crate::{
    domain::{
        self, Code, Ctx,
        governance::{
            membership as members,
            organization::{self as verbs, Filter, NewOrganization, OrganizationChange},
        },
        list::task_read,
        page::{Args, List, Order},
    },
    graphql::{
        ahead::{self, Plan},
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        id,
        list::priority_task::{ALONG, PriorityTaskConnection},
        loaders,
        node::Node,
        scalar::DateTime,
        territory::region::Region,
        whistle::call::{WhistleResponseConnection, WhistleResponseFilter, calls_of_units},
    },
    messages,
};

/// What kind of unit an organisation is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::organization::Kind")]
pub enum OrganizationKind {
    /// Government unit.
    GovernmentUnit,
    /// Public institution (事业单位).
    PublicInstitution,
    /// Enterprise.
    Enterprise,
    /// Property-management firm.
    PropertyManagement,
    /// Volunteer group.
    VolunteerGroup,
    /// Social organisation.
    SocialOrganization,
    /// Cooperative.
    Cooperative,
    /// School or hospital.
    SchoolOrHospital,
    /// Station or office of a town (站所).
    StationOrOffice,
    /// Committee of a community or village.
    CommunityCommittee,
    /// Committee of a town or subdistrict.
    TownCommittee,
    /// Military unit; never with its designation.
    MilitaryUnit,
}

/// Something doubtful that was taken all the same.
#[derive(SimpleObject, Clone, Debug)]
pub struct Warning {
    /// What is doubtful; switch on this.
    code: Code,
    /// What is doubtful, in the caller's language.
    message: String,
    /// The field that it concerns.
    field: Option<String>,
}

/// A unit: government unit, enterprise, property firm, volunteer group and so on (成员单位).
#[derive(Clone)]
pub struct Organization(pub organization::Model);

impl From<organization::Model> for Organization {
    fn from(row: organization::Model) -> Self {
        Self(row)
    }
}

impl Node for Organization {
    const NOUN: &'static str = OrganizationId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A unit: government unit, enterprise, property firm, volunteer group and so on (成员单位).
#[Object]
impl Organization {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Full name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Name as used in lists.
    async fn short_name(&self) -> Option<&str> {
        self.0.short_name.as_deref()
    }

    /// What kind of unit it is.
    async fn kind(&self) -> OrganizationKind {
        self.0.kind.into()
    }

    /// Unified social credit code, where it has one.
    async fn credit_code(&self) -> Option<&str> {
        self.0.credit_code.as_deref()
    }

    /// What is doubtful about the record, such as an organisation code that fails its own check.
    async fn warnings(&self, context: &Context<'_>) -> Vec<Warning> {
        let locale = ctx(context).locale;
        verbs::warnings(&self.0)
            .iter()
            .map(|warning| Warning {
                code: warning.code(),
                message: messages::of(warning, locale),
                field: match warning {
                    domain::Error::Refused(refusal) => refusal.field.as_deref().map(str::to_owned),
                    _ => None,
                },
            })
            .collect()
    }

    /// Where it is registered or, for a community, what it governs.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(region) => Ok(loaders::one(context, region).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// Its seats, present and past, in the alliances that the caller may see.
    async fn memberships(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MembershipConnection> {
        let (by, id) = (membership::Column::OrganizationId, membership::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| {
            Ok(List::new(by, id, (members::visible(ctx), MembershipOrder::Newest.of()), &args))
        };
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Open tasks that it leads in the alliances that the caller may see, what is due first comes first.
    async fn open_tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PriorityTaskConnection> {
        let list = open_tasks_of(args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &ALONG, list).await?.into())
    }

    /// Its calls to whistles (吹哨报到) that the caller may see, the latest first.
    async fn whistle_responses(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<WhistleResponseFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WhistleResponseConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let list = calls_of_units(filter, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// When it was first recorded.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Grows by one with every change.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// The open tasks that organisations lead.
fn open_tasks_of(args: Args) -> impl Fn(&Ctx) -> domain::Result<List<priority_task::Entity>> {
    let (by, id) = (priority_task::Column::LeadOrganizationId, priority_task::Column::Id);
    move |ctx| Ok(List::new(by, id, task_read::open_of_leads(ctx), &args))
}

/// The lists below an organisation that the statement of an object above it can read along.
pub const BELOW: [(&str, Plan); 1] =
    [("openTasks", |context| ahead::plan(context, open_tasks_of(ahead::args(context)?), &ALONG, &[]))];

connection!(OrganizationConnection, OrganizationEdge, Organization, organization::Entity);

/// Which organisations a list shows; every condition holds.
#[derive(InputObject, Default)]
pub struct OrganizationFilter {
    /// Only holders of a seat, active or suspended, in this alliance.
    alliance_id: Option<ID>,
    /// Only units of these kinds.
    kind: Option<Vec<OrganizationKind>>,
    /// Only units whose full or short name contains this text.
    name_contains: Option<String>,
    /// Only the unit with this credit code.
    credit_code: Option<String>,
}

/// The order of a list of organisations.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationOrder {
    /// By name.
    Name,
    /// First recorded first.
    Oldest,
    /// Last recorded first.
    Newest,
}

impl OrganizationOrder {
    fn of(self) -> Order<organization::Column> {
        match self {
            Self::Name => Order { column: organization::Column::Name, descending: false },
            Self::Oldest => Order { column: organization::Column::CreatedAt, descending: false },
            Self::Newest => Order { column: organization::Column::CreatedAt, descending: true },
        }
    }
}

#[derive(Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// One organisation; null where there is none or the caller may not see it.
    async fn organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the organisation.")] id: ID,
    ) -> Result<Option<Organization>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(Organization))
    }

    /// The organisations that hold or held a seat in an alliance the caller may see.
    async fn organizations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<OrganizationFilter>,
        #[graphql(desc = "In which order.", default_with = "OrganizationOrder::Name")]
        order_by: OrganizationOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<OrganizationConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default();
        let filter = Filter {
            alliance: id::decode_optional(filter.alliance_id.as_ref(), "filter.allianceId")
                .or_api_error(ctx)?,
            kinds: filter.kind.unwrap_or_default().into_iter().map(Into::into).collect(),
            name_contains: filter.name_contains,
            credit_code: filter.credit_code,
        };
        let page = verbs::list(ctx, &filter, order_by.of(), &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What an organisation is recorded with.
#[derive(InputObject)]
pub struct RecordOrganizationInput {
    /// Full name, at most 200 characters; never the designation of a military unit.
    name: String,
    /// Name as used in lists, at most 64 characters.
    short_name: Option<String>,
    /// What kind of unit it is.
    kind: OrganizationKind,
    /// Unified social credit code, where it has one.
    credit_code: Option<String>,
    /// Where it is registered or, for a community, what it governs.
    region_id: Option<ID>,
}

/// What changes of an organisation; what is absent stays.
#[derive(InputObject)]
pub struct UpdateOrganizationInput {
    /// The organisation.
    organization_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// Full name, at most 200 characters; never the designation of a military unit.
    name: Option<String>,
    /// Name as used in lists, at most 64 characters; an empty one is taken away.
    short_name: Option<String>,
    /// What kind of unit it is.
    kind: Option<OrganizationKind>,
    /// Unified social credit code, where it has none yet; one that is there is never replaced.
    credit_code: Option<String>,
    /// Where it is registered or, for a community, what it governs.
    region_id: Option<ID>,
}

payload!(
    /// What came of recording an organisation.
    RecordOrganizationPayload {
        /// The organisation.
        organization: Organization
    }
);

payload!(
    /// What came of changing an organisation.
    UpdateOrganizationPayload {
        /// The organisation.
        organization: Organization
    }
);

#[derive(Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Records an organisation without seating it. Only a platform administrator may; committees use `inviteOrganization`.
    async fn record_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is recorded with.")] input: RecordOrganizationInput,
    ) -> Result<RecordOrganizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let new = NewOrganization {
                name: input.name,
                short_name: input.short_name,
                kind: input.kind.into(),
                credit_code: input.credit_code,
                region_id: id::decode_optional(input.region_id.as_ref(), "regionId")?,
            };
            verbs::record(ctx, new).await
        }
        .await;
        RecordOrganizationPayload::of(ctx, result).await
    }

    /// Changes an organisation's particulars. Its own manager may, where it has been a member the longest, and a platform
    /// administrator; the committee of its alliance as long as it is a member of no other.
    async fn update_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateOrganizationInput,
    ) -> Result<UpdateOrganizationPayload> {
        let ctx = ctx(context);
        let result = async {
            let change = OrganizationChange {
                name: input.name,
                short_name: input.short_name,
                kind: input.kind.map(Into::into),
                credit_code: input.credit_code,
                region_id: id::decode_optional(input.region_id.as_ref(), "regionId")?,
            };
            let id = id::decode(&input.organization_id, "organizationId")?;
            verbs::update(ctx, id, input.expected_version, change).await
        }
        .await;
        UpdateOrganizationPayload::of(ctx, result).await
    }
}
