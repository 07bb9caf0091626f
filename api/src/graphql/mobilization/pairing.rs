//! Faces of what stands before any order: pairings of units with places, and members reported to their home communities.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use concord_entities::{
    id::{AllianceId, PairingId, TypedId},
    pairing,
};
use uuid::Uuid;

use crate::{
    domain::{
        self, Code, Ctx, Error, bulk,
        mobilization::{
            home_report::{self, Counted, NewHomeReport, Reported},
            pairing::{self as verbs, Filter, NewPairing},
        },
        page::{self, List},
    },
    graphql::{
        bulk::outcomes,
        connection::{args, connection},
        ctx,
        error::{OrApiError, UserError, item_error, payload, user_error},
        governance::{alliance::Alliance, organization::Organization},
        id,
        list::person::{Person, person},
        loaders,
        node::Node,
        scalar::{Date, DateTime},
        territory::region::Region,
    },
    messages,
};

/// A pairing (包保): a unit is responsible for a community, compound or building, from one day up to another.
#[derive(Clone)]
pub struct Pairing(pub pairing::Model);

impl From<pairing::Model> for Pairing {
    fn from(row: pairing::Model) -> Self {
        Self(row)
    }
}

impl Node for Pairing {
    const NOUN: &'static str = PairingId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// A pairing (包保): a unit is responsible for a community, compound or building, from one day up to another.
#[Object]
impl Pairing {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance whose member the unit is.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// The unit.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// The place.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region_id).await?.map(Region))
    }

    /// The first day.
    async fn since(&self) -> Date {
        self.0.since_on.into()
    }

    /// The first day on which it no longer holds; null as long as nobody says.
    async fn until(&self) -> Option<Date> {
        self.0.until_on.map(Date)
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }

    /// Who recorded it.
    async fn recorded_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.recorded_by, None).await
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(PairingConnection, PairingEdge, Pairing, pairing::Entity);

/// Which pairings to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct PairingFilter {
    /// Of this organisation.
    organization_id: Option<ID>,
    /// With this region, or with whatever lies in it.
    region_id: Option<ID>,
    /// That stand on this day.
    on: Option<Date>,
}

impl PairingFilter {
    pub async fn read(self, ctx: &Ctx) -> domain::Result<Filter> {
        let within = match id::decode_optional(self.region_id.as_ref(), "filter.regionId")? {
            Some(region) => Some(verbs::path_of(ctx, region).await?),
            None => None,
        };
        Ok(Filter {
            alliance_id: None,
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            within,
            on: self.on.map(|on| on.0),
        })
    }
}

/// The pairings of alliances, or of units.
pub fn pairings_of(
    by: pairing::Column,
    filter: Filter,
    args: page::Args,
) -> impl Fn(&Ctx) -> domain::Result<List<pairing::Entity>> {
    move |ctx| Ok(List::new(by, pairing::Column::Id, verbs::listed(ctx, &filter), &args))
}

#[derive(Default)]
pub struct PairingQuery;

#[Object]
impl PairingQuery {
    /// The pairings (包保) that the caller may see, the latest first.
    async fn pairings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only those of this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "Which ones.")] filter: Option<PairingFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PairingConnection> {
        let ctx = ctx(context);
        let page = async {
            ctx.require_signed_in()?;
            let alliance_id = id::decode_optional(alliance_id.as_ref(), "allianceId")?;
            let filter = Filter { alliance_id, ..filter.unwrap_or_default().read(ctx).await? };
            verbs::list(ctx, &filter, &args(first, after, last, before)).await
        };
        Ok(page.await.or_api_error(ctx)?.into())
    }
}

/// A unit to pair with a place.
#[derive(InputObject)]
pub struct PairOrganizationInput {
    /// The alliance whose member the unit is.
    alliance_id: ID,
    /// The unit: an active member.
    organization_id: ID,
    /// The place: a community, natural village, compound or building within the alliance's territory.
    region_id: ID,
    /// The first day; today by the alliance's calendar where absent.
    since: Option<Date>,
    /// The first day on which it no longer holds, later than the first; open where absent.
    until: Option<Date>,
}

impl PairOrganizationInput {
    fn read(&self) -> domain::Result<NewPairing> {
        Ok(NewPairing {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            organization_id: id::decode(&self.organization_id, "organizationId")?,
            region_id: id::decode(&self.region_id, "regionId")?,
            since: self.since.map(|since| since.0),
            until: self.until.map(|until| until.0),
        })
    }
}

/// Units to pair with places.
#[derive(InputObject)]
pub struct PairOrganizationsInput {
    /// The pairings, 1 to 500; each stands for itself.
    items: Vec<PairOrganizationInput>,
}

/// A pairing to end.
#[derive(InputObject)]
pub struct EndPairingInput {
    /// The pairing.
    pairing_id: ID,
    /// The version that the caller read; where given, a pairing changed since is refused.
    expected_version: Option<i64>,
    /// The first day on which it no longer holds, not before its first; today where absent.
    until: Option<Date>,
}

payload!(
    /// What came of a change to a pairing.
    PairingPayload {
        /// The pairing.
        pairing: Pairing
    }
);

outcomes!(
    /// What came of one pairing; `id` is that of its place.
    PairingOutcome,
    /// What came of many pairings.
    PairingsPayload,
    pairing: Pairing
);

/// How many members of a unit stand reported to a community, or to a place in one (双报到).
#[derive(Clone, Copy)]
pub struct HomeReportCount(home_report::Number);

/// How many members of a unit stand reported to a community, or to a place in one (双报到).
#[Object]
impl HomeReportCount {
    /// The unit that they work for.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Ok(loaders::one(context, self.0.organization_id).await?.map(Organization))
    }

    /// The community, or the place in one.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region_id).await?.map(Region))
    }

    /// How many they are.
    async fn members(&self) -> i64 {
        self.0.members
    }
}

/// The numbers of an alliance.
pub async fn home_reports(
    context: &Context<'_>,
    alliance: AllianceId,
    organization_id: Option<ID>,
    region_id: Option<ID>,
) -> Result<Vec<HomeReportCount>> {
    let ctx = ctx(context);
    let which = counted(alliance, organization_id, region_id).or_api_error(ctx)?;
    let numbers = home_report::numbers(ctx, which).await.or_api_error(ctx)?;
    Ok(numbers.into_iter().map(HomeReportCount).collect())
}

/// How many members they come to.
pub async fn home_report_count(
    context: &Context<'_>,
    alliance: AllianceId,
    organization_id: Option<ID>,
    region_id: Option<ID>,
) -> Result<u64> {
    let ctx = ctx(context);
    let which = counted(alliance, organization_id, region_id).or_api_error(ctx)?;
    home_report::count(ctx, which).await.or_api_error(ctx)
}

fn counted(
    alliance_id: AllianceId,
    organization_id: Option<ID>,
    region_id: Option<ID>,
) -> domain::Result<Counted> {
    Ok(Counted {
        alliance_id,
        organization_id: id::decode_optional(organization_id.as_ref(), "organizationId")?,
        region_id: id::decode_optional(region_id.as_ref(), "regionId")?,
    })
}

/// What came of a home report.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeReportOutcome {
    /// It stands now.
    Reported,
    /// It stood already.
    Duplicate,
    /// One elsewhere, or of another unit, gave way to it.
    Moved,
    /// It was refused; the code says why.
    Refused,
}

impl From<Reported> for HomeReportOutcome {
    fn from(reported: Reported) -> Self {
        match reported {
            Reported::Reported => Self::Reported,
            Reported::Duplicate => Self::Duplicate,
            Reported::Moved => Self::Moved,
        }
    }
}

/// An in-service member who reports to their home community.
#[derive(InputObject)]
pub struct ReportHomeInput {
    /// The alliance.
    alliance_id: ID,
    /// What the alliance calls the person: a volunteer's number or a token of 1 to 64 letters, digits, dashes and underscores. Never a
    /// number of an identity card or a phone. Only a keyed digest of it is stored.
    person: String,
    /// The unit that the member works for: an active member of the alliance.
    organization_id: ID,
    /// The community within the alliance's territory, or a place in it.
    region_id: ID,
}

impl ReportHomeInput {
    fn read(self) -> domain::Result<NewHomeReport> {
        Ok(NewHomeReport {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            organization_id: id::decode(&self.organization_id, "organizationId")?,
            region_id: id::decode(&self.region_id, "regionId")?,
            person: self.person,
        })
    }
}

/// Members who report to their home communities.
#[derive(InputObject)]
pub struct ReportHomesInput {
    /// The reports, 1 to 500; each stands for itself.
    items: Vec<ReportHomeInput>,
}

/// A home report to end.
#[derive(InputObject)]
pub struct EndHomeReportInput {
    /// The alliance.
    alliance_id: ID,
    /// What the alliance calls the person, as when they reported.
    person: String,
}

/// What came of a home report.
#[derive(SimpleObject)]
pub struct HomeReportPayload {
    /// What came of it; null where it was refused.
    outcome: Option<HomeReportOutcome>,
    /// What the caller can mend; empty when it was taken.
    user_errors: Vec<UserError>,
}

/// What came of one of many home reports.
#[derive(SimpleObject)]
pub struct HomeReportResult {
    /// Its place among those given, from 0.
    index: usize,
    /// What came of it.
    outcome: HomeReportOutcome,
    /// Why it was refused; null where it was not.
    code: Option<Code>,
    /// Path of the input at fault, such as `input.items.3.regionId`, if it is one.
    field: Option<String>,
    /// Why it was refused, in the caller's language.
    message: Option<String>,
}

/// What came of many home reports.
#[derive(SimpleObject)]
pub struct HomeReportsPayload {
    /// What came of each, in the order given.
    results: Vec<HomeReportResult>,
    /// What is wrong with the request as a whole; then no report was taken.
    user_errors: Vec<UserError>,
}

/// Whether a home report was ended.
#[derive(SimpleObject)]
pub struct EndHomeReportPayload {
    /// Whether it ended.
    ended: bool,
    /// What the caller can mend; empty when it ended.
    user_errors: Vec<UserError>,
}

/// A report that is sent again under its key is answered as at first.
async fn reported(ctx: &Ctx, result: domain::Result<Reported>) -> domain::Result<Reported> {
    match result {
        Err(Error::Replayed(id)) => home_report::replayed(ctx, id).await,
        result => result,
    }
}

fn result(ctx: &Ctx, index: usize, came: &domain::Result<Reported>) -> Result<HomeReportResult> {
    let refused = HomeReportOutcome::Refused;
    let none = HomeReportResult { index, outcome: refused, code: None, field: None, message: None };
    let error = match came {
        Ok(reported) => return Ok(HomeReportResult { outcome: (*reported).into(), ..none }),
        Err(error) => error,
    };
    // What nobody can mend is an error of the whole request.
    item_error(ctx, error, index)?;
    let field = error.field().map(|field| format!("input.items.{index}.{field}"));
    let (code, message) = (Some(error.code()), Some(messages::of(error, ctx.locale)));
    Ok(HomeReportResult { code, field, message, ..none })
}

#[derive(Default)]
pub struct PairingMutation;

#[Object]
impl PairingMutation {
    /// Pairs a unit with a place (包保), once at a time. Only the committee may.
    async fn pair_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which unit, and where.")] input: PairOrganizationInput,
    ) -> Result<PairingPayload> {
        let ctx = ctx(context);
        let result = async { verbs::pair(ctx, input.read()?).await }.await;
        PairingPayload::of(ctx, result).await
    }

    /// Pairs units with places, up to 500 at once. Only the committee may.
    async fn pair_organizations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which units, and where.")] input: PairOrganizationsInput,
    ) -> Result<PairingsPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return PairingsPayload::refused(ctx, &error);
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async { verbs::pair(&bulk::item(ctx, index)?, item.read()?).await }.await;
            results.push(PairingOutcome::of(ctx, index, item.region_id, result).await?);
        }
        Ok(PairingsPayload::done(results))
    }

    /// Ends a pairing: it stays on record. Only the committee may.
    async fn end_pairing(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and when.")] input: EndPairingInput,
    ) -> Result<PairingPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.pairing_id, "pairingId")?;
            verbs::end(ctx, id, input.expected_version, input.until.map(|until| until.0)).await
        }
        .await;
        PairingPayload::of(ctx, result).await
    }

    /// Reports an in-service member to their home community (双报到), who is at one at a time. The committee may, officers within the
    /// community of their seat, and managers and staff of the unit.
    async fn report_home(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and where.")] input: ReportHomeInput,
    ) -> Result<HomeReportPayload> {
        let ctx = ctx(context);
        let came = reported(ctx, async { home_report::report(ctx, input.read()?).await }.await).await;
        Ok(match came {
            Ok(reported) => HomeReportPayload { outcome: Some(reported.into()), user_errors: Vec::new() },
            Err(error) => HomeReportPayload { outcome: None, user_errors: vec![user_error(ctx, &error)?] },
        })
    }

    /// Reports members to their home communities, up to 500 at once. The same may as for one.
    async fn report_homes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and where.")] input: ReportHomesInput,
    ) -> Result<HomeReportsPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return Ok(HomeReportsPayload {
                results: Vec::new(),
                user_errors: vec![user_error(ctx, &error)?],
            });
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let came = async { home_report::report(&bulk::item(ctx, index)?, item.read()?).await }.await;
            let came = reported(ctx, came).await;
            results.push(result(ctx, index, &came)?);
        }
        Ok(HomeReportsPayload { results, user_errors: Vec::new() })
    }

    /// Ends a member's report to their home community. The same may as for reporting.
    async fn end_home_report(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose.")] input: EndHomeReportInput,
    ) -> Result<EndHomeReportPayload> {
        let ctx = ctx(context);
        let ended = async {
            let of = id::decode(&input.alliance_id, "allianceId")?;
            home_report::end(ctx, of, &input.person).await
        }
        .await;
        Ok(match ended {
            Ok(()) | Err(Error::Replayed(_)) => EndHomeReportPayload { ended: true, user_errors: Vec::new() },
            Err(error) => EndHomeReportPayload { ended: false, user_errors: vec![user_error(ctx, &error)?] },
        })
    }
}
