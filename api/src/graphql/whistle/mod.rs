//! Faces of whistles: the object, its list, and what a problem, an alliance and an organisation show of them. The calls stand in
//! `call`, the mutations in `mutation`.

pub mod call;
pub mod escalation;
pub mod mutation;
pub mod ranking;
pub mod statistics;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, MergedObject, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{ProblemId, TypedId, WhistleId},
    whistle,
};
use sea_orm::{QueryFilter, QueryOrder};
use uuid::Uuid;

use self::{
    call::{CallsOf, WhistleBreach, WhistleResponse, breaches_of, calls_of, notices_of},
    escalation::{WhistleEscalation, escalations_of, handed_up},
};
use super::{
    connection::{args, connection},
    ctx,
    error::OrApiError,
    fact::event::{self, EventConnection},
    governance::{alliance::Alliance, organization::Organization},
    id,
    list::{
        person::{Person, person},
        problem::Problem,
        supervision::SupervisionNotice,
        transition::{self, Transition},
    },
    loaders::{self, Loaders},
    node::Node,
    scalar::DateTime,
    territory::region::Region,
};
use crate::domain::{
    self, Ctx, Error,
    list::transition::Viewer,
    page::{self, List},
    whistle::{
        self as verbs, Filter,
        states::{self, Circumstances},
    },
};

/// What a whistle is blown for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::whistle::Kind")]
pub enum WhistleKind {
    /// Comprehensive enforcement (综合执法): by default 24 hours to report in and 7 days to resolve.
    Enforcement,
    /// Priority work (重点工作): by default 24 hours to report in and 15 days to resolve.
    PriorityWork,
    /// An emergency (应急处置), which cannot be refused: by default 30 minutes to report in and 24 hours to resolve.
    Emergency,
}

/// Where a whistle stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::whistle::State")]
pub enum WhistleState {
    /// Applied for; the town's leader decides.
    Applied,
    /// Approved, not sounded yet.
    Approved,
    /// Sounded: the departments are called.
    Sounded,
    /// Every department that came is released.
    Released,
    /// The leader rejected the application.
    Rejected,
    /// Withdrawn before it was sounded.
    Withdrawn,
    /// Called off after it was sounded.
    CalledOff,
}

/// A whistle (吹哨报到): a town calls departments for what is beyond its own power; they report in, come, and say when it is done.
/// Only the town that blew evaluates and releases them.
#[derive(Clone)]
pub struct Whistle(pub whistle::Model);

impl From<whistle::Model> for Whistle {
    fn from(row: whistle::Model) -> Self {
        Self(row)
    }
}

impl Node for Whistle {
    const NOUN: &'static str = WhistleId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A whistle (吹哨报到): a town calls departments for what is beyond its own power; they report in, come, and say when it is done.
/// Only the town that blew evaluates and releases them.
#[Object]
impl Whistle {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The town that blows it; null for whoever is only called to it from an alliance above.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Its number, such as 哨〔2026〕0001号; gap-free within alliance and year, never reused.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The year of its number.
    async fn year(&self) -> i32 {
        self.0.year
    }

    /// Its place within that year, from 1.
    async fn sequence(&self) -> i32 {
        self.0.seq
    }

    /// What it is blown for.
    async fn kind(&self) -> WhistleKind {
        self.0.kind.into()
    }

    /// In a few words.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What the departments are wanted for.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Where, in words.
    async fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// The region it lies in.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// The problem that it serves, where the viewer may see it.
    async fn problem(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        match self.0.problem_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Problem)),
            None => Ok(None),
        }
    }

    /// Where it stands.
    async fn state(&self) -> WhistleState {
        self.0.state.into()
    }

    /// The unit that takes what nobody accepts (兜底单位); named when it is sounded.
    async fn backstop_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.backstop_organization_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The alliance above to which it is escalated, which calls members of its own; null again once it was handed back, and where the viewer may not see that alliance.
    async fn escalated_to(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        match self.0.escalated_to_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(Alliance)),
            None => Ok(None),
        }
    }

    /// When it was last escalated.
    async fn escalated_at(&self) -> Option<DateTime> {
        self.0.escalated_at.map(DateTime)
    }

    /// Why it was last rejected, withdrawn, escalated, handed back or called off.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// How often one of its calls was refused.
    async fn refused_count(&self) -> i32 {
        self.0.refused_count
    }

    /// When it was applied for.
    async fn applied_at(&self) -> DateTime {
        self.0.applied_at.into()
    }

    /// Who applied.
    async fn applied_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.applied_by, None).await
    }

    /// When its application was approved or rejected.
    async fn approved_at(&self) -> Option<DateTime> {
        self.0.approved_at.map(DateTime)
    }

    /// Who decided.
    async fn approved_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.approved_by, None).await
    }

    /// When it was sounded.
    async fn sounded_at(&self) -> Option<DateTime> {
        self.0.sounded_at.map(DateTime)
    }

    /// Who sounded it.
    async fn sounded_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.sounded_by, None).await
    }

    /// When it ended: released, rejected, withdrawn or called off.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Its calls and what became of each, the earliest first; what was re-routed stays beside what came in its place.
    async fn responses(&self, context: &Context<'_>) -> Result<Vec<WhistleResponse>> {
        calls_of(context, self.0.id).await
    }

    /// The deadlines of its calls that passed unmet, the oldest first; they stay on record.
    async fn breaches(&self, context: &Context<'_>) -> Result<Vec<WhistleBreach>> {
        breaches_of(context, self.0.id).await
    }

    /// The supervision notices about its calls, the oldest first.
    async fn supervision_notices(&self, context: &Context<'_>) -> Result<Vec<SupervisionNotice>> {
        notices_of(context, self.0.id).await
    }

    /// How often it was handed up, and handed back, the first time first; both sides see the same.
    async fn escalations(&self, context: &Context<'_>) -> Result<Vec<WhistleEscalation>> {
        escalations_of(context, &self.0).await
    }

    /// What happened to it and to its calls, as far as the caller may see it; the latest comes first.
    async fn history(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether the latest event comes first.", default = true)] newest_first: bool,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<EventConnection> {
        let list = event::history_of(Self::NOUN, newest_first, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &event::ALONG, list).await?.into())
    }

    /// What the viewer can do with it next, and what blocks the rest.
    async fn available_transitions(&self, context: &Context<'_>) -> Result<Vec<Transition>> {
        let actor = ctx(context).actor;
        let mut seats = transition::seats(context, self.0.alliance_id).await?;
        let above = match self.0.escalated_to_id {
            Some(_) => handed_up(context, self.0.id).await?,
            None => Vec::new(),
        };
        for alliance in &above {
            seats.extend(transition::seats(context, *alliance).await?);
        }
        let viewer = Viewer { actor, seats: &seats };
        let calls = loaders::one(context, CallsOf(self.0.id)).await?.unwrap_or_default();
        // Whoever may hand it further up sees the alliance that it is with.
        let with = loaders::one(context, self.0.escalated_to_id.unwrap_or(self.0.alliance_id)).await?;
        let is_at_the_top = with.is_some_and(|alliance| alliance.parent_id.is_none());
        let circumstances = Circumstances { above: &above, calls: &calls, is_at_the_top };
        Ok(transition::faces(context, states::transitions(&self.0, circumstances, viewer)))
    }

    /// Grows by one with every change of its own; give it as `expectedVersion`. Its calls have versions of theirs.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(WhistleConnection, WhistleEdge, Whistle, whistle::Entity);

/// Key of the whistles that serve a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WhistlesOf(pub ProblemId);

impl Loader<WhistlesOf> for Loaders {
    type Value = Vec<whistle::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[WhistlesOf]) -> Result<HashMap<WhistlesOf, Self::Value>, Self::Error> {
        let rows = verbs::visible(&self.0)
            .filter(page::among(&self.0, whistle::Column::ProblemId, keys.iter().map(|key| key.0)))
            .order_by_asc(whistle::Column::AppliedAt)
            .order_by_asc(whistle::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<WhistlesOf, Self::Value> = HashMap::new();
        for row in rows {
            if let Some(problem) = row.problem_id {
                found.entry(WhistlesOf(problem)).or_default().push(row);
            }
        }
        Ok(found)
    }
}

/// The whistles that serve a problem, the earliest first.
pub async fn whistles(context: &Context<'_>, of: ProblemId) -> Result<Vec<Whistle>> {
    let found = loaders::one(context, WhistlesOf(of)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Whistle).collect())
}

/// The whistles of alliances.
pub fn whistles_of(
    filter: Filter,
    args: page::Args,
) -> impl Fn(&Ctx) -> domain::Result<List<whistle::Entity>> {
    let (by, id) = (whistle::Column::AllianceId, whistle::Column::Id);
    move |ctx| Ok(List::new(by, id, verbs::listed(ctx, &filter), &args))
}

/// Which whistles to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct WhistleFilter {
    /// Blown by this alliance.
    alliance_id: Option<ID>,
    /// To which this organisation is called, or was.
    organization_id: Option<ID>,
    /// Serving this problem.
    problem_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<WhistleState>>,
    /// Of this kind.
    kind: Option<WhistleKind>,
    /// Escalated to this alliance.
    escalated_to_alliance_id: Option<ID>,
}

impl WhistleFilter {
    pub fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            problem_id: id::decode_optional(self.problem_id.as_ref(), "filter.problemId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            kind: self.kind.map(Into::into),
            escalated_to_id: id::decode_optional(
                self.escalated_to_alliance_id.as_ref(),
                "filter.escalatedToAllianceId",
            )?,
        })
    }
}

/// Reads of whistles.
#[derive(MergedObject, Default)]
pub struct WhistlesQuery(
    WhistleQuery,
    call::WhistleResponseQuery,
    statistics::WhistleStatisticsQuery,
    ranking::RankingQuery,
);

#[derive(Default)]
pub struct WhistleQuery;

#[Object]
impl WhistleQuery {
    /// One whistle; null where there is none or the caller may not see it.
    async fn whistle(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the whistle.")] id: ID,
    ) -> Result<Option<Whistle>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(Whistle))
    }

    /// The whistles that the caller may see, the latest first: those of the alliances that the caller reads, and those to which
    /// an organisation is called for which the caller acts.
    async fn whistles(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<WhistleFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<WhistleConnection> {
        let ctx = ctx(context);
        let page = async {
            let filter = filter.unwrap_or_default().read()?;
            verbs::list(ctx, &filter, &args(first, after, last, before)).await
        };
        Ok(page.await.or_api_error(ctx)?.into())
    }
}
