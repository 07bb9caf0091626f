//! Faces of service teams.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{OrganizationId, ServiceTeamId, TypedId},
    service_team,
};
use sea_orm::QueryFilter;
use uuid::Uuid;

use super::{
    alliance::Alliance,
    membership::{ContactPerson, change, reads_contacts},
    organization::Organization,
};
use crate::{
    domain::{
        self, Ctx, Error,
        governance::service_team::{self as verbs, Filter, NewTeam, TeamChange},
        page::{self, Order},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, payload},
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::DateTime,
    },
};

/// A team formed by member organisations that takes its turn in the rotation (服务队).
#[derive(Clone)]
pub struct ServiceTeam(pub service_team::Model);

impl From<service_team::Model> for ServiceTeam {
    fn from(row: service_team::Model) -> Self {
        Self(row)
    }
}

impl Node for ServiceTeam {
    const NOUN: &'static str = ServiceTeamId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// Key of the units of a team, the lead first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitsOf(pub ServiceTeamId);

impl Loader<UnitsOf> for Loaders {
    type Value = Vec<OrganizationId>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[UnitsOf]) -> Result<HashMap<UnitsOf, Self::Value>, Self::Error> {
        let teams: Vec<ServiceTeamId> = keys.iter().map(|key| key.0).collect();
        let found = verbs::members(self.0.read(), &teams).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(team, units)| (UnitsOf(team), units)).collect())
    }
}

impl Loader<ServiceTeamId> for Loaders {
    type Value = service_team::Model;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ServiceTeamId]) -> Result<HashMap<ServiceTeamId, Self::Value>, Self::Error> {
        let rows = verbs::visible(&self.0)
            .filter(page::among(&self.0, service_team::Column::Id, keys.iter().copied()))
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl ServiceTeam {
    async fn units(&self, context: &Context<'_>) -> Result<Vec<OrganizationId>> {
        Ok(loaders::one(context, UnitsOf(self.0.id)).await?.unwrap_or_default())
    }

    async fn reads_contacts(&self, context: &Context<'_>) -> Result<bool> {
        let units = self.units(context).await?;
        reads_contacts(context, self.0.alliance_id, &units).await
    }
}

/// A team formed by member organisations that takes its turn in the rotation (服务队).
#[Object]
impl ServiceTeam {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Name, unique among the alliance's standing teams.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The unit that leads it.
    async fn lead_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.lead_organization_id).await?.map(Organization))
    }

    /// Its units, the lead first; at most 200.
    async fn members(&self, context: &Context<'_>) -> Result<Vec<Organization>> {
        let units = self.units(context).await?;
        let found = loaders::many(context, units.iter().copied()).await?;
        Ok(units.iter().filter_map(|unit| found.get(unit).cloned().map(Organization)).collect())
    }

    /// Captain (队长).
    async fn captain(&self, context: &Context<'_>) -> Result<Option<ContactPerson>> {
        let row = &self.0;
        let clear = self.reads_contacts(context).await?;
        Ok(ContactPerson::new(
            Some(&row.captain_name),
            row.captain_title.as_deref(),
            row.captain_phone.as_deref(),
            clear,
        ))
    }

    /// Liaison (联络员).
    async fn liaison(&self, context: &Context<'_>) -> Result<Option<ContactPerson>> {
        let row = &self.0;
        let clear = self.reads_contacts(context).await?;
        Ok(ContactPerson::new(row.liaison_name.as_deref(), None, row.liaison_phone.as_deref(), clear))
    }

    /// When it was formed.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was disbanded; absent while it stands.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(Into::into)
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(ServiceTeamConnection, ServiceTeamEdge, ServiceTeam, service_team::Entity);

/// Which teams a list shows; every condition holds.
#[derive(InputObject, Default)]
pub struct ServiceTeamFilter {
    /// Only teams that this unit is in.
    organization_id: Option<ID>,
    /// Standing teams, or with false disbanded ones.
    standing: Option<bool>,
    /// Only teams whose name contains this text.
    name_contains: Option<String>,
}

impl ServiceTeamFilter {
    /// The filter of one alliance's teams.
    pub fn read(self, alliance: Option<concord_entities::id::AllianceId>) -> domain::Result<Filter> {
        Ok(Filter {
            alliance,
            organization: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            standing: self.standing,
            name_contains: self.name_contains,
        })
    }
}

/// The order of a list of teams.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceTeamOrder {
    /// By name.
    Name,
    /// First formed first.
    Oldest,
    /// Last formed first.
    Newest,
}

impl ServiceTeamOrder {
    /// The order of the table.
    pub fn of(self) -> Order<service_team::Column> {
        match self {
            Self::Name => Order { column: service_team::Column::Name, descending: false },
            Self::Oldest => Order { column: service_team::Column::CreatedAt, descending: false },
            Self::Newest => Order { column: service_team::Column::CreatedAt, descending: true },
        }
    }
}

#[derive(Default)]
pub struct ServiceTeamQuery;

#[Object]
impl ServiceTeamQuery {
    /// One service team; null where there is none or the caller may not see it.
    async fn service_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the team.")] id: ID,
    ) -> Result<Option<ServiceTeam>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(ServiceTeam))
    }

    /// The service teams of the alliances that the caller may see.
    async fn service_teams(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "Which ones.")] filter: Option<ServiceTeamFilter>,
        #[graphql(desc = "In which order.", default_with = "ServiceTeamOrder::Name")]
        order_by: ServiceTeamOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ServiceTeamConnection> {
        let ctx = ctx(context);
        let alliance = id::decode_optional(alliance_id.as_ref(), "allianceId").or_api_error(ctx)?;
        let filter = filter.unwrap_or_default().read(alliance).or_api_error(ctx)?;
        let page = verbs::list(ctx, &filter, order_by.of(), &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }
}

/// What a team is formed with.
#[derive(InputObject)]
pub struct FormServiceTeamInput {
    /// The alliance.
    alliance_id: ID,
    /// Name, unique among the standing teams, at most 128 characters.
    name: String,
    /// The unit that leads it.
    lead_organization_id: ID,
    /// Its units, at most 200 with the lead, which may be left out.
    #[graphql(default)]
    member_organization_ids: Vec<ID>,
    /// Name of the captain, at most 64 characters.
    captain_name: String,
    /// Post of the captain, at most 64 characters.
    captain_title: Option<String>,
    /// Phone of the captain, at most 32 characters.
    captain_phone: Option<String>,
    /// Name of the liaison, at most 64 characters.
    liaison_name: Option<String>,
    /// Phone of the liaison, at most 32 characters.
    liaison_phone: Option<String>,
}

/// What changes of a team: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateServiceTeamInput {
    /// The team.
    service_team_id: ID,
    /// The version that the caller read.
    expected_version: i64,
    /// Name, at most 128 characters.
    name: Option<String>,
    /// The unit that leads it.
    lead_organization_id: Option<ID>,
    /// All its units from now on.
    member_organization_ids: Option<Vec<ID>>,
    /// Name of the captain, at most 64 characters.
    captain_name: Option<String>,
    /// Post of the captain, at most 64 characters.
    captain_title: MaybeUndefined<String>,
    /// Phone of the captain, at most 32 characters.
    captain_phone: MaybeUndefined<String>,
    /// Name of the liaison, at most 64 characters.
    liaison_name: MaybeUndefined<String>,
    /// Phone of the liaison, at most 32 characters.
    liaison_phone: MaybeUndefined<String>,
}

/// A team that is disbanded.
#[derive(InputObject)]
pub struct DisbandServiceTeamInput {
    /// The team.
    service_team_id: ID,
    /// The version that the caller read; without one the state alone decides.
    expected_version: Option<i64>,
    /// Why, at most 1,000 characters.
    reason: Option<String>,
}

payload!(
    /// What came of a change to a service team.
    ServiceTeamPayload {
        /// The team.
        service_team: ServiceTeam
    }
);

#[derive(Default)]
pub struct ServiceTeamMutation;

#[Object]
impl ServiceTeamMutation {
    /// Forms a service team of active members. Only the committee may.
    async fn form_service_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is formed with.")] input: FormServiceTeamInput,
    ) -> Result<ServiceTeamPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode(&input.alliance_id, "allianceId")?;
            let new = NewTeam {
                name: input.name,
                lead_organization_id: id::decode(&input.lead_organization_id, "leadOrganizationId")?,
                member_organization_ids: id::decode_all(
                    &input.member_organization_ids,
                    "memberOrganizationIds",
                )?,
                captain_name: input.captain_name,
                captain_title: input.captain_title,
                captain_phone: input.captain_phone,
                liaison_name: input.liaison_name,
                liaison_phone: input.liaison_phone,
            };
            verbs::form(ctx, alliance, new).await
        }
        .await;
        ServiceTeamPayload::of(ctx, result).await
    }

    /// Changes a service team. Only the committee may.
    async fn update_service_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateServiceTeamInput,
    ) -> Result<ServiceTeamPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.service_team_id, "serviceTeamId")?;
            let members = input.member_organization_ids.as_deref();
            let team = TeamChange {
                name: input.name,
                lead_organization_id: id::decode_optional(
                    input.lead_organization_id.as_ref(),
                    "leadOrganizationId",
                )?,
                member_organization_ids: members
                    .map(|ids| id::decode_all(ids, "memberOrganizationIds"))
                    .transpose()?,
                captain_name: input.captain_name,
                captain_title: change(input.captain_title),
                captain_phone: change(input.captain_phone),
                liaison_name: change(input.liaison_name),
                liaison_phone: change(input.liaison_phone),
            };
            verbs::update(ctx, id, input.expected_version, team).await
        }
        .await;
        ServiceTeamPayload::of(ctx, result).await
    }

    /// Disbands a service team that has no turns left in a rotation. Only the committee may.
    async fn disband_service_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which team, and why.")] input: DisbandServiceTeamInput,
    ) -> Result<ServiceTeamPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.service_team_id, "serviceTeamId")?;
            verbs::disband(ctx, id, input.expected_version, input.reason.as_deref()).await
        }
        .await;
        ServiceTeamPayload::of(ctx, result).await
    }
}
