//! Faces of mobilisation: the order and its lists. Called units stand in `unit`, check-ins in `check_in`, what is covered in
//! `coverage` and as it changes in `live`, shifts in `shift`, the report in `report`, what stands before any order in `pairing`, the
//! mutations in `mutation`.

pub mod check_in;
pub mod coverage;
pub mod live;
pub mod mutation;
pub mod pairing;
pub mod report;
pub mod shift;
pub mod unit;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, MergedObject, Object, Result, dataloader::Loader};
use concord_entities::{
    id::{MobilizationId, RegionId, TypedId},
    mobilization, mobilization_check_in, mobilization_need, mobilization_region, mobilization_unit,
};
use sea_orm::{QueryFilter, QueryOrder};
use uuid::Uuid;

use self::{
    check_in::MobilizationCheckInConnection,
    coverage::{CoverageCellsInput, CoverageRow},
    report::MobilizationReport,
    shift::{MobilizationShiftConnection, shifts_of},
    unit::{MobilizationUnitConnection, units_of},
};
use super::{
    connection::{args, connection},
    ctx,
    error::OrApiError,
    fact::event::{self, EventConnection},
    governance::alliance::Alliance,
    id,
    list::{
        person::{Person, person},
        transition::{self, Transition},
    },
    loaders::{self, Loaders},
    node::Node,
    scalar::DateTime,
    territory::region::{Region, RegionLevel},
};
use crate::domain::{
    self, Ctx, Error,
    list::transition::Viewer,
    mobilization::{self as verbs, Filter, states},
    page::{self, List, Order},
};

/// Where an order of mobilisation stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::mobilization::State")]
pub enum MobilizationState {
    /// Being written; only the committee and its approvers see it.
    Draft,
    /// Issued: units are called and people check in.
    Issued,
    /// Stood down. What was captured before still comes in for 24 hours.
    StoodDown,
    /// Discarded before it was issued.
    Discarded,
}

/// A mobilisation (红色动员令): an alliance calls units and people to its communities, and watches what is covered.
#[derive(Clone)]
pub struct Mobilization(pub mobilization::Model);

impl From<mobilization::Model> for Mobilization {
    fn from(row: mobilization::Model) -> Self {
        Self(row)
    }
}

impl Node for Mobilization {
    const NOUN: &'static str = MobilizationId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

impl Mobilization {
    async fn sums(
        &self,
        context: &Context<'_>,
        below: Option<&ID>,
        level: Option<RegionLevel>,
        cells: Option<&CoverageCellsInput>,
    ) -> Result<Vec<verbs::coverage::Sums>> {
        let ctx = ctx(context);
        let sums = async {
            let view = coverage::view(below, level, cells)?;
            verbs::coverage::of(ctx, &self.0, view).await
        };
        sums.await.or_api_error(ctx)
    }
}

/// A mobilisation (红色动员令): an alliance calls units and people to its communities, and watches what is covered.
#[Object]
impl Mobilization {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance that orders it.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Its number, such as 动员令〔2026〕0001号; gap-free within alliance and year, never reused.
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

    /// In a few words.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it is ordered for.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Where it stands.
    async fn state(&self) -> MobilizationState {
        self.0.state.into()
    }

    /// The regions over which it is ordered, each with everything below it.
    async fn regions(&self, context: &Context<'_>) -> Result<Vec<Region>> {
        let ids = loaders::one(context, RegionsOf(self.0.id)).await?.unwrap_or_default();
        let found = loaders::many(context, ids.iter().copied()).await?;
        Ok(ids.iter().filter_map(|id| found.get(id)).cloned().map(Region).collect())
    }

    /// What places need, by kind of work.
    async fn needs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MobilizationNeedConnection> {
        use mobilization_need::Column;
        let args = args(first, after, last, before);
        let order = Order { column: Column::Id, descending: false };
        let list = move |ctx: &Ctx| {
            Ok(List::new(Column::MobilizationId, Column::Id, (verbs::visible_needs(ctx), order), &args))
        };
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// The units that it calls, in the order in which they were put on it.
    async fn units(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MobilizationUnitConnection> {
        let list = units_of(mobilization_unit::Column::MobilizationId, args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Its shifts, the earliest first.
    async fn shifts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MobilizationShiftConnection> {
        let list = shifts_of(args(first, after, last, before));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// What came of it: who came, hour by hour, and what was covered when.
    async fn report(&self, context: &Context<'_>) -> Result<MobilizationReport> {
        let ctx = ctx(context);
        let report = verbs::report::of(ctx, &self.0).await.or_api_error(ctx)?;
        Ok(MobilizationReport::new(report, self.0.state == mobilization::State::StoodDown))
    }

    /// Who came, the latest first: all of them for whoever runs, supervises or receives people in the alliance; a unit sees those
    /// who came with it. Nobody is named, and a dashboard's key sees none.
    async fn check_ins(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MobilizationCheckInConnection> {
        use mobilization_check_in::Column;
        let args = args(first, after, last, before);
        let order = Order { column: Column::RecordedAt, descending: true };
        let list = move |ctx: &Ctx| {
            Ok(List::new(Column::MobilizationId, Column::Id, (verbs::visible_check_ins(ctx), order), &args))
        };
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// How many people the regions directly below one need and have, or those of a level, or the cells of a grid network: the greatest
    /// gap first, then by code; at most 500 of `coverageCount`. A place above that level stands for itself. Whoever reads only alliances that the order
    /// reaches sees what lies in their territories. Exact at every moment.
    async fn coverage(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Within this region; within all that the caller sees of the order where absent.")]
        below: Option<ID>,
        #[graphql(desc = "By regions of this level; by those directly below where absent.")] level: Option<
            RegionLevel,
        >,
        #[graphql(
            desc = "By these grid cells as they stand today, or stood when the order ended, rather than by regions; `level` is then absent. What a community needs as a whole counts in a cell over the community, not in one over a part of it."
        )]
        cells: Option<CoverageCellsInput>,
    ) -> Result<Vec<CoverageRow>> {
        let sums = self.sums(context, below.as_ref(), level, cells.as_ref()).await?;
        Ok(sums.into_iter().take(verbs::coverage::MOST).map(CoverageRow::from).collect())
    }

    /// How many rows `coverage` has for the same arguments; it shows the first 500.
    async fn coverage_count(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "As in `coverage`.")] below: Option<ID>,
        #[graphql(desc = "As in `coverage`.")] level: Option<RegionLevel>,
        #[graphql(desc = "As in `coverage`.")] cells: Option<CoverageCellsInput>,
    ) -> Result<usize> {
        Ok(self.sums(context, below.as_ref(), level, cells.as_ref()).await?.len())
    }

    /// When it was drafted.
    async fn drafted_at(&self) -> DateTime {
        self.0.drafted_at.into()
    }

    /// Who drafted it.
    async fn drafted_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.drafted_by, None).await
    }

    /// When it was issued.
    async fn issued_at(&self) -> Option<DateTime> {
        self.0.issued_at.map(DateTime)
    }

    /// Who issued it.
    async fn issued_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.issued_by, None).await
    }

    /// When it was stood down or discarded.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// Who stood it down or discarded it.
    async fn ended_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.ended_by, None).await
    }

    /// Why it was stood down or discarded.
    async fn end_reason(&self) -> Option<&str> {
        self.0.end_reason.as_deref()
    }

    /// What happened to it and to the units that it calls, as far as the caller may see it; the latest comes first. Check-ins stand
    /// there as counts.
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
        let seats = transition::seats(context, self.0.alliance_id).await?;
        let viewer = Viewer { actor: ctx(context).actor, seats: &seats };
        Ok(transition::faces(context, states::transitions(&self.0, viewer)))
    }

    /// Grows by one with every change of its own; give it as `expectedVersion`. Check-ins and answers of units leave it.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(MobilizationConnection, MobilizationEdge, Mobilization, mobilization::Entity);

/// How many people a place needs for a kind of work.
#[derive(Clone)]
pub struct MobilizationNeed(mobilization_need::Model);

impl From<mobilization_need::Model> for MobilizationNeed {
    fn from(row: mobilization_need::Model) -> Self {
        Self(row)
    }
}

/// How many people a place needs for a kind of work.
#[Object]
impl MobilizationNeed {
    /// The place: a community, natural village, compound or building.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region_id).await?.map(Region))
    }

    /// The kind of work.
    async fn work(&self) -> &str {
        &self.0.work
    }

    /// How many people it needs.
    async fn needed(&self) -> i32 {
        self.0.needed
    }

    /// When it was last said.
    async fn set_at(&self) -> DateTime {
        self.0.set_at.into()
    }
}

connection!(MobilizationNeedConnection, MobilizationNeedEdge, MobilizationNeed, mobilization_need::Entity);

/// Key of the regions over which an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegionsOf(pub MobilizationId);

impl Loader<RegionsOf> for Loaders {
    type Value = Vec<RegionId>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[RegionsOf]) -> Result<HashMap<RegionsOf, Self::Value>, Self::Error> {
        let of = mobilization_region::Column::MobilizationId;
        let rows = verbs::visible_regions(&self.0)
            .filter(page::among(&self.0, of, keys.iter().map(|key| key.0)))
            .order_by_asc(mobilization_region::Column::Path)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<RegionsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(RegionsOf(row.mobilization_id)).or_default().push(row.region_id);
        }
        Ok(found)
    }
}

/// The orders of alliances.
pub fn mobilizations_of(
    filter: Filter,
    args: page::Args,
) -> impl Fn(&Ctx) -> domain::Result<List<mobilization::Entity>> {
    let (by, id) = (mobilization::Column::AllianceId, mobilization::Column::Id);
    move |ctx| Ok(List::new(by, id, verbs::listed(ctx, &filter), &args))
}

/// Which orders to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct MobilizationFilter {
    /// Of this alliance.
    alliance_id: Option<ID>,
    /// That call this organisation.
    organization_id: Option<ID>,
    /// In one of these states.
    states: Option<Vec<MobilizationState>>,
}

impl MobilizationFilter {
    pub fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
        })
    }
}

/// Reads of mobilisation.
#[derive(MergedObject, Default)]
pub struct MobilizationsQuery(MobilizationQuery, pairing::PairingQuery);

#[derive(Default)]
pub struct MobilizationQuery;

#[Object]
impl MobilizationQuery {
    /// One order of mobilisation; null where there is none or the caller may not see it.
    async fn mobilization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the order.")] id: ID,
    ) -> Result<Option<Mobilization>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(Mobilization))
    }

    /// The orders of mobilisation that the caller may see, the latest first; drafts only for the committee and its approvers.
    async fn mobilizations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<MobilizationFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<MobilizationConnection> {
        let ctx = ctx(context);
        let page = async {
            let filter = filter.unwrap_or_default().read()?;
            verbs::list(ctx, &filter, &args(first, after, last, before)).await
        };
        Ok(page.await.or_api_error(ctx)?.into())
    }
}
