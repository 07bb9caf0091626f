//! Faces of calls: one department's answer to a whistle, and the deadlines that passed unmet.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{TypedId, WhistleId, WhistleResponseId},
    supervision_notice, whistle_breach, whistle_response,
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::Whistle;
use crate::{
    domain::{
        self, Ctx, Error,
        list::{problem::zone, transition::Viewer},
        page::{self, List},
        whistle::{self as verbs, CallFilter, states},
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::OrApiError,
        governance::{alliance::Alliance, organization::Organization},
        id,
        list::{
            person::{Person, person},
            supervision::SupervisionNotice,
            transition::{self, Transition},
        },
        loaders::{self, Loaders},
        node::Node,
        scalar::DateTime,
    },
};

/// Where a department's answer to a whistle stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::whistle_response::State")]
pub enum WhistleResponseState {
    /// Called: it is to report in.
    Called,
    /// Reported in (报到).
    ReportedIn,
    /// On site.
    OnSite,
    /// The department says that it is done; the town is to evaluate or to return it.
    ClaimedResolved,
    /// Evaluated by the town.
    Evaluated,
    /// Released by the town.
    Released,
    /// Refused; the town is to re-route it.
    Refused,
    /// Refused, and re-routed to another unit.
    Rerouted,
    /// Excused by the town, or called off with the whistle.
    Excused,
}

/// Whether the town finds the matter of a whistle resolved.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::whistle_response::Solved")]
pub enum WhistleSolved {
    /// It is.
    Yes,
    /// In part.
    Partly,
    /// It is not.
    No,
}

/// Which deadline of a call.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::whistle_breach::Clock")]
pub enum WhistleClock {
    /// To report in.
    ReportIn,
    /// To resolve the matter.
    Resolve,
}

/// A deadline of a call that passed unmet; it stays on record when the unit comes later.
pub struct WhistleBreach(whistle_breach::Model);

/// A deadline of a call that passed unmet; it stays on record when the unit comes later.
#[Object]
impl WhistleBreach {
    /// The unit that was late.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// Which deadline.
    async fn clock(&self) -> WhistleClock {
        self.0.clock.into()
    }

    /// The deadline that passed.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }

    /// When it was noted.
    async fn noted_at(&self) -> DateTime {
        self.0.noted_at.into()
    }
}

/// One department's answer to a whistle: called, reported in, on site, claimed resolved, evaluated, released.
#[derive(Clone)]
pub struct WhistleResponse(pub whistle_response::Model);

impl From<whistle_response::Model> for WhistleResponse {
    fn from(row: whistle_response::Model) -> Self {
        Self(row)
    }
}

impl Node for WhistleResponse {
    const NOUN: &'static str = WhistleResponseId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find_call(ctx, id.into()).await?.map(Self))
    }
}

impl WhistleResponse {
    async fn own(
        &self,
        context: &Context<'_>,
        account: Option<concord_entities::id::AccountId>,
    ) -> Result<Option<Person>> {
        person(context, self.0.member_alliance_id, account, Some(self.0.organization_id)).await
    }
}

/// One department's answer to a whistle: called, reported in, on site, claimed resolved, evaluated, released.
#[Object]
impl WhistleResponse {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The whistle that it answers.
    async fn whistle(&self, context: &Context<'_>) -> Result<Option<Whistle>> {
        Ok(loaders::one(context, self.0.whistle_id).await?.map(Whistle))
    }

    /// The alliance as whose member the unit is called: the town, or one above it; null where the viewer may not see that one.
    async fn member_alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.member_alliance_id).await?.map(Alliance))
    }

    /// The unit that is called.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// Where it stands.
    async fn state(&self) -> WhistleResponseState {
        self.0.state.into()
    }

    /// Whether the unit still has something to do, or the town with what the unit did.
    async fn is_open(&self) -> bool {
        self.0.is_open
    }

    /// Whether it is the call of the backstop unit, which takes what nobody accepts and cannot refuse.
    async fn is_backstop(&self) -> bool {
        self.0.is_backstop
    }

    /// The refused call in whose place this one came.
    async fn instead_of(&self, context: &Context<'_>) -> Result<Option<WhistleResponse>> {
        match self.0.from_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(WhistleResponse)),
            None => Ok(None),
        }
    }

    /// How often this matter was refused before it came here; after two the call binds.
    async fn refusals(&self) -> i32 {
        self.0.refusals
    }

    /// When the unit was called.
    async fn called_at(&self) -> DateTime {
        self.0.called_at.into()
    }

    /// Who called it; null where the second refusal of a matter called the backstop unit.
    async fn called_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.called_by, None).await
    }

    /// By when it is to report in.
    async fn report_in_due_at(&self) -> DateTime {
        self.0.report_in_due_at.into()
    }

    /// By when it is to have resolved the matter. A refusal hands the deadline on.
    async fn resolve_due_at(&self) -> DateTime {
        self.0.resolve_due_at.into()
    }

    /// When it reported in.
    async fn reported_in_at(&self) -> Option<DateTime> {
        self.0.reported_in_at.map(DateTime)
    }

    /// Who reported in.
    async fn reported_in_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.own(context, self.0.reported_in_by).await
    }

    /// Where it reported in.
    async fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// How many people it sent.
    async fn head_count(&self) -> Option<i32> {
        self.0.head_count
    }

    /// When it came on site.
    async fn on_site_at(&self) -> Option<DateTime> {
        self.0.on_site_at.map(DateTime)
    }

    /// Who said so.
    async fn on_site_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.own(context, self.0.on_site_by).await
    }

    /// When it last said that it is done; null again once the town returned that.
    async fn claimed_at(&self) -> Option<DateTime> {
        self.0.claimed_at.map(DateTime)
    }

    /// Who said so.
    async fn claimed_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.own(context, self.0.claimed_by).await
    }

    /// What it did, in its own words.
    async fn claim(&self) -> Option<&str> {
        self.0.claim.as_deref()
    }

    /// How often the town returned what was claimed to be done.
    async fn returned_count(&self) -> i32 {
        self.0.returned_count
    }

    /// When the town evaluated it.
    async fn evaluated_at(&self) -> Option<DateTime> {
        self.0.evaluated_at.map(DateTime)
    }

    /// Who evaluated it.
    async fn evaluated_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.evaluated_by, None).await
    }

    /// Whether the town finds the matter resolved.
    async fn solved(&self) -> Option<WhistleSolved> {
        self.0.solved.map(Into::into)
    }

    /// How satisfied the town is, from 1 to 5; from 4 on it counts as satisfied.
    async fn score(&self) -> Option<i32> {
        self.0.score
    }

    /// What the town says of the work.
    async fn evaluation(&self) -> Option<&str> {
        self.0.evaluation.as_deref()
    }

    /// When the unit refused.
    async fn refused_at(&self) -> Option<DateTime> {
        self.0.refused_at.map(DateTime)
    }

    /// Who refused.
    async fn refused_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.own(context, self.0.refused_by).await
    }

    /// Why it was last refused, returned or excused.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The unit that a refusal thinks right.
    async fn proposed_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.proposed_organization_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// When it was released, re-routed or excused.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// What the viewer can do with it next, and what blocks the rest.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let Some(whistle) = loaders::one(context, self.0.whistle_id).await? else {
            return Ok(Vec::new());
        };
        let ctx = ctx(context);
        let mut seats = transition::seats(context, self.0.alliance_id).await?;
        if self.0.member_alliance_id != self.0.alliance_id {
            seats.extend(transition::seats(context, self.0.member_alliance_id).await?);
        }
        let viewer = Viewer { actor: ctx.actor, seats: &seats };
        let alliance = loaders::one(context, self.0.member_alliance_id).await?;
        let zone = zone(alliance.as_ref().map_or("", |alliance| &alliance.time_zone));
        Ok(transition::faces(context, states::answers(&whistle, &self.0, viewer, ctx.now(), zone)))
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(WhistleResponseConnection, WhistleResponseEdge, WhistleResponse, whistle_response::Entity);

/// Key of the calls of a whistle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallsOf(pub WhistleId);

impl Loader<CallsOf> for Loaders {
    type Value = Vec<whistle_response::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CallsOf]) -> Result<HashMap<CallsOf, Self::Value>, Self::Error> {
        let rows = verbs::visible_calls(&self.0)
            .filter(page::among(&self.0, whistle_response::Column::WhistleId, keys.iter().map(|key| key.0)))
            .order_by_asc(whistle_response::Column::CalledAt)
            .order_by_asc(whistle_response::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<CallsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(CallsOf(row.whistle_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// The calls of a whistle, the earliest first.
pub async fn calls_of(context: &Context<'_>, of: WhistleId) -> Result<Vec<WhistleResponse>> {
    let found = loaders::one(context, CallsOf(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(WhistleResponse).collect())
}

/// Key of the deadlines of a whistle's calls that passed unmet. Whoever sees the whistle sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BreachesOf(pub WhistleId);

impl Loader<BreachesOf> for Loaders {
    type Value = Vec<whistle_breach::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[BreachesOf]) -> Result<HashMap<BreachesOf, Self::Value>, Self::Error> {
        let rows = whistle_breach::Entity::find()
            .filter(page::among(&self.0, whistle_breach::Column::WhistleId, keys.iter().map(|key| key.0)))
            .order_by_asc(whistle_breach::Column::DueAt)
            .order_by_asc(whistle_breach::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<BreachesOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(BreachesOf(row.whistle_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// Key of the supervision notices about a whistle's calls. Whoever sees the whistle sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoticesOfWhistle(pub WhistleId);

impl Loader<NoticesOfWhistle> for Loaders {
    type Value = Vec<supervision_notice::Model>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[NoticesOfWhistle],
    ) -> Result<HashMap<NoticesOfWhistle, Self::Value>, Self::Error> {
        use supervision_notice::{Column, Entity};
        let rows = Entity::find()
            .filter(page::among(&self.0, Column::WhistleId, keys.iter().map(|key| key.0)))
            .order_by_asc(Column::IssuedAt)
            .order_by_asc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<NoticesOfWhistle, Self::Value> = HashMap::new();
        for row in rows {
            if let Some(whistle) = row.whistle_id {
                found.entry(NoticesOfWhistle(whistle)).or_default().push(row);
            }
        }
        Ok(found)
    }
}

/// The supervision notices about a whistle's calls, the oldest first.
pub async fn notices_of(context: &Context<'_>, of: WhistleId) -> Result<Vec<SupervisionNotice>> {
    let found = loaders::one(context, NoticesOfWhistle(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(SupervisionNotice).collect())
}

/// The deadlines of a whistle's calls that passed unmet, the oldest first.
pub async fn breaches_of(context: &Context<'_>, of: WhistleId) -> Result<Vec<WhistleBreach>> {
    let found = loaders::one(context, BreachesOf(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(WhistleBreach).collect())
}

/// The calls of organisations.
pub fn calls_of_units(
    filter: CallFilter,
    args: page::Args,
) -> impl Fn(&Ctx) -> domain::Result<List<whistle_response::Entity>> {
    let (by, id) = (whistle_response::Column::OrganizationId, whistle_response::Column::Id);
    move |ctx| Ok(List::new(by, id, verbs::listed_calls(ctx, &filter), &args))
}

/// Which calls to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct WhistleResponseFilter {
    /// To whistles that this alliance blew.
    alliance_id: Option<ID>,
    /// Of this organisation.
    organization_id: Option<ID>,
    /// To this whistle.
    whistle_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<WhistleResponseState>>,
    /// Open, or not.
    open: Option<bool>,
}

impl WhistleResponseFilter {
    pub fn read(self) -> domain::Result<CallFilter> {
        Ok(CallFilter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            whistle_id: id::decode_optional(self.whistle_id.as_ref(), "filter.whistleId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            open: self.open,
        })
    }
}

#[derive(Default)]
pub struct WhistleResponseQuery;

#[Object]
impl WhistleResponseQuery {
    /// The calls to whistles that the caller may see, the latest first.
    async fn whistle_responses(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<WhistleResponseFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WhistleResponseConnection> {
        let ctx = ctx(context);
        let page = async {
            let filter = filter.unwrap_or_default().read()?;
            verbs::list_calls(ctx, &filter, &args(first, after, last, before)).await
        };
        Ok(page.await.or_api_error(ctx)?.into())
    }
}
