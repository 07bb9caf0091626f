//! Problems of the closure list: found, listed, registered under a gap-free number. How they move on stands in `moves`,
//! how units share them in `parts`, how they are counted in `list::counts`, what follows a deadline that passes in
//! `list::supervision`.

pub mod clocks;
pub mod edit;
pub mod escalation;
pub mod extend;
pub mod held;
pub mod merge;
pub mod moves;
pub mod on_account;
pub mod parts;
pub mod reporter;
pub mod round;
pub mod take_over;
pub mod tiers;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use concord_entities::{
    alliance,
    breach::Clock,
    evidence,
    id::{AllianceId, OrganizationId, ProblemId, RegionId, StoredFileId},
    problem::{self, Channel, Column, Entity, Model, Severity, State, Tier},
    problem_responsible, region,
};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::SimpleExpr,
};

use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx, file, governance,
    list::{
        deadline_policy::{self, Terms, Traits},
        due, evidence as evidences,
        search::{self, Window},
        sequence,
    },
    number_pattern::NumberPattern,
    page::{self, Along, Order, Page},
    scope,
    territory::region::require_within,
    text,
};

/// Room for the numbers of one year within an ordinal.
const NUMBERS_A_YEAR: i64 = 10_000_000_000;
/// Longest title.
const TITLE: usize = 200;
/// Longest free text: description, measures, criterion, verdict, reason.
pub(super) const FREE_TEXT: usize = 4_000;
/// Longest category.
const CATEGORY: usize = 128;
/// Longest place.
const PLACE: usize = 300;
/// Longest text to search for.
const SEARCH: usize = 100;

/// The problems of the alliances that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// One problem, if the caller may see it.
pub async fn find(ctx: &Ctx, id: ProblemId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The problem with this number on an alliance's list, if the caller may see it.
pub async fn find_by_number(ctx: &Ctx, alliance: AllianceId, number: &str) -> Result<Option<Model>> {
    let select =
        visible(ctx).filter(Column::AllianceId.eq(alliance)).filter(Column::Number.eq(number.trim()));
    Ok(select.one(ctx.read()).await?)
}

/// Locks problems. Whoever locks several does it like this, once and before any other row but that of an alliance: by
/// identifier, so that nobody waits in a circle.
pub(super) async fn lock(tx: &Tx<'_>, ids: impl IntoIterator<Item = ProblemId>) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::Id.is_in(ids)).order_by_asc(Column::Id).lock(HELD).all(&tx.db).await?)
}

/// Which problems to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub states: Option<Vec<State>>,
    pub open: Option<bool>,
    pub lead_organization_id: Option<OrganizationId>,
    /// Led by this unit, or shared by it.
    pub organization_id: Option<OrganizationId>,
    /// In this region or below it.
    pub region_id: Option<RegionId>,
    pub category: Option<String>,
    pub channel: Option<Channel>,
    pub severity: Option<Severity>,
    pub tier: Option<Tier>,
    pub number: Option<String>,
    pub recorded_from: Option<DateTime<Utc>>,
    pub recorded_to: Option<DateTime<Utc>>,
    pub due_from: Option<NaiveDate>,
    pub due_to: Option<NaiveDate>,
    /// Open although the due date by which it can be overdue has passed where the alliance is, or not.
    pub overdue: Option<bool>,
    /// Held on account although the day of its review has come where the alliance is, or not.
    pub review_due: Option<bool>,
    /// Registered by the caller, or by others.
    pub registered_by_me: Option<bool>,
    pub text: Option<String>,
    pub window: Window,
}

impl Filter {
    /// Checks what the list would refuse, for a filter that is kept for later.
    pub fn check(&self) -> Result<()> {
        text::optional(self.text.as_deref(), "filter.text", SEARCH)?;
        self.window.check()
    }

    pub(super) async fn condition(self, ctx: &Ctx) -> Result<Condition> {
        let window = self.window.condition::<Entity>(ctx, search::PROBLEM).await?;
        let responsible = self.organization_id.map(|unit| {
            let shared = problem_responsible::Entity::find()
                .select_only()
                .column(problem_responsible::Column::ProblemId)
                .filter(problem_responsible::Column::OrganizationId.eq(unit))
                .into_query();
            Column::Id.in_subquery(shared)
        });
        let within = match self.region_id {
            Some(id) => {
                let path = region::Entity::find_by_id(id).one(ctx.read()).await?.map(|region| region.path);
                // Of a region that is not there, nothing is listed.
                Some(path.map_or_else(|| Column::RegionId.eq(id), |path| regions_below(&path)))
            }
            None => None,
        };
        let late = match self.overdue {
            Some(wanted) => Some(overdue(ctx, wanted).await?),
            None => None,
        };
        let review = match self.review_due {
            Some(wanted) => Some(review_due(ctx, wanted).await?),
            None => None,
        };
        let mine = match self.registered_by_me {
            Some(true) => Some(Condition::all().add(Column::RecordedBy.eq(ctx.account_id()?))),
            Some(false) => Some(
                Condition::any()
                    .add(Column::RecordedBy.ne(ctx.account_id()?))
                    .add(Column::RecordedBy.is_null()),
            ),
            None => None,
        };
        let search = text::optional(self.text.as_deref(), "filter.text", SEARCH)?;
        Ok(Condition::all()
            .add_option(self.alliance_id.map(|id| Column::AllianceId.eq(id)))
            .add_option(self.states.map(|states| Column::State.is_in(states)))
            .add_option(self.open.map(|open| Column::IsOpen.eq(open)))
            .add_option(self.lead_organization_id.map(|id| Column::LeadOrganizationId.eq(id)))
            .add_option(responsible)
            .add_option(within)
            .add_option(self.category.map(|category| Column::Category.eq(category.trim())))
            .add_option(self.channel.map(|channel| Column::Channel.eq(channel)))
            .add_option(self.severity.map(|severity| Column::Severity.eq(severity)))
            .add_option(self.tier.map(|tier| Column::Tier.eq(tier)))
            .add_option(self.number.map(|number| Column::Number.eq(number.trim())))
            .add_option(self.recorded_from.map(|from| Column::RecordedAt.gte(from)))
            .add_option(self.recorded_to.map(|to| Column::RecordedAt.lt(to)))
            .add_option(self.due_from.map(|on| Column::DueOn.gte(on)))
            .add_option(self.due_to.map(|on| Column::DueOn.lte(on)))
            .add_option(late)
            .add_option(review)
            .add_option(mine)
            .add(window)
            .add_option(search.as_deref().map(|words| search::mentions(words, &SEARCHED))))
    }
}

/// Problems that can be overdue once their due date has passed: it is firm, and they were not submitted or put on account by then.
pub(super) fn can_be_overdue() -> Condition {
    let late = Column::RestedOn.into_expr().gt(Column::DueOn.into_expr());
    Condition::all()
        .add(Column::DueIsProvisional.eq(false))
        .add(Condition::any().add(Column::RestedOn.is_null()).add(late))
}

/// Problems that are open although the due date by which they can be overdue has passed by their alliance's calendar, or all others.
async fn overdue(ctx: &Ctx, wanted: bool) -> Result<Condition> {
    let zones = due::zones(ctx).await?;
    let on_time = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::DueOn.gte(today));
    let late = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::DueOn.lt(today));
    Ok(if wanted {
        Condition::all().add(Column::IsOpen.eq(true)).add(can_be_overdue()).add(late)
    } else {
        Condition::any()
            .add(Column::IsOpen.eq(false))
            .add(Column::DueOn.is_null())
            .add(Column::DueIsProvisional.eq(true))
            .add(Column::RestedOn.into_expr().lte(Column::DueOn.into_expr()))
            .add(on_time)
    })
}

/// Problems on account whose day of review has come by their alliance's calendar, or all others.
async fn review_due(ctx: &Ctx, wanted: bool) -> Result<Condition> {
    let zones = due::zones(ctx).await?;
    let has_come = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::ReviewOn.lte(today));
    let ahead = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::ReviewOn.gt(today));
    Ok(if wanted {
        Condition::all().add(Column::State.eq(State::OnAccount)).add(has_come)
    } else {
        Condition::any().add(Column::State.ne(State::OnAccount)).add(Column::ReviewOn.is_null()).add(ahead)
    })
}

/// A region by its path, and all below it; paths hold no wildcards.
pub(super) fn regions_below(path: &str) -> SimpleExpr {
    let regions = region::Entity::find()
        .select_only()
        .column(region::Column::Id)
        .filter(region::Column::Path.like(format!("{path}%")))
        .into_query();
    Column::RegionId.in_subquery(regions)
}

/// Where a text is searched for.
const SEARCHED: [Column; 4] = [Column::Title, Column::Description, Column::Place, Column::Number];

/// In which order problems are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By year and number, rising.
    Number,
    /// By when Concord learnt of them, the latest first.
    #[default]
    RecordedAt,
    /// By due date, the nearest first; what has none comes last.
    DueOn,
}

/// The problems that the caller may see.
pub async fn list(
    ctx: &Ctx,
    filter: Filter,
    sort: Sort,
    args: &page::Args,
    along: &[Along<Column>],
) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let select = visible(ctx).filter(filter.condition(ctx).await?);
    let order = match sort {
        Sort::Number => Order { column: Column::Ordinal, descending: false },
        Sort::RecordedAt => Order { column: Column::RecordedAt, descending: true },
        Sort::DueOn => Order { column: Column::DueOn, descending: false },
    };
    page::fetch_along(ctx, select, order, Column::Id, args, along).await
}

/// What a problem is registered with.
#[derive(Clone, Debug)]
pub struct NewProblem {
    pub alliance_id: AllianceId,
    pub title: String,
    pub description: String,
    pub category: String,
    pub place: Option<String>,
    pub region_id: Option<RegionId>,
    pub channel: Channel,
    pub reporter_name: Option<String>,
    pub reporter_phone: Option<String>,
    pub severity: Severity,
    /// When it was noticed; now where nobody says.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Uploaded files that show the matter as found.
    pub evidence: Vec<StoredFileId>,
}

/// Registers a problem under the next number of the alliance's year.
pub async fn register(ctx: &Ctx, new: NewProblem) -> Result<Model> {
    // Ahead of the unit of work: an alliance keeps its place, and a region too.
    let alliance = governance::alliance::visible(ctx).filter(alliance::Column::Id.eq(new.alliance_id));
    let (alliance, policy) = deadline_policy::with_policy(ctx.read(), alliance).await?;
    let alliance = alliance.ok_or(Error::NotFound("alliance"))?;
    let within = match new.region_id {
        Some(id) => require_within(ctx.read(), id, alliance.region_id).await,
        None => Ok(()),
    };
    let terms = Terms::of(ctx.read(), &alliance, policy).await?;
    let tx = ctx.begin().await?;
    let standing = ctx.require(&tx.db, Action::RegisterProblem, Target::alliance(alliance.id)).await?;
    if matches!(new.channel, Channel::Import | Channel::Escalation) {
        return Err(Error::invalid(Code::Malformed, "channel").with("expected", "GRID_OFFICER, HOTLINE"));
    }
    let now = ctx.now();
    let occurred_at = not_in_the_future(new.occurred_at.unwrap_or(now), now)?;
    within?;
    let title = text::required(&new.title, "title", TITLE)?;
    let description = text::required(&new.description, "description", FREE_TEXT)?;
    let category = text::required(&new.category, "category", CATEGORY)?;
    let place = text::optional(new.place.as_deref(), "place", PLACE)?;
    let reporter_name = text::optional(new.reporter_name.as_deref(), "reporterName", 64)?;
    let reporter_phone = text::optional(new.reporter_phone.as_deref(), "reporterPhone", 32)?;
    let files = file::attach(&tx, &new.evidence, "evidenceFileIds").await?;
    let numbers = Numbers::of(&alliance);
    let year = numbers.year(now);
    let judged = Traits { severity: new.severity, tier: None, is_complex: false };
    let dispatch = terms.due(Clock::Dispatch, judged, now)?;
    // Taken last: until this unit of work ends, others that register here wait.
    let seq = sequence::take(&tx, sequence::PROBLEMS, alliance.id, year, 1).await?;
    let row = problem::ActiveModel {
        title: Set(title),
        description: Set(description),
        category: Set(category),
        place: Set(place),
        region_id: Set(new.region_id),
        channel: Set(new.channel),
        reporter_name: Set(reporter_name),
        reporter_phone: Set(reporter_phone),
        severity: Set(new.severity),
        occurred_at: Set(occurred_at),
        dispatch_from: Set(Some(now)),
        dispatch_due_at: Set(Some(dispatch.at)),
        dispatch_is_provisional: Set(dispatch.is_provisional),
        ..numbers.blank(ctx, year, seq)
    };
    let row = row.insert(&tx.db).await?;
    evidences::insert_for_problem(&tx, &row, &files, evidence::Stage::Registration, None, standing).await?;
    tx.record(
        fact(Event::ProblemRegistered, &row)
            .detail("title", row.title.clone())
            .detail("evidence", evidences::digests(&files)),
    )
    .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// A fact about a problem, with what every reader of its history wants.
pub(super) fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id)
        .alliance(row.alliance_id)
        .organizations(row.lead_organization_id)
        .detail("number", row.number.clone())
}

/// Something noticed cannot lie ahead.
fn not_in_the_future(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if at <= now && at.year() >= 1970 {
        Ok(at)
    } else {
        Err(Error::invalid(Code::OutOfRange, "occurredAt")
            .with("least", "1970-01-01")
            .with("most", now.to_rfc3339()))
    }
}

/// How an alliance numbers its problems.
pub(crate) struct Numbers {
    alliance: AllianceId,
    zone: Tz,
    pattern: NumberPattern,
}

impl Numbers {
    pub(crate) fn of(alliance: &alliance::Model) -> Self {
        Self {
            alliance: alliance.id,
            zone: zone(&alliance.time_zone),
            pattern: NumberPattern::parse(&alliance.number_pattern).unwrap_or_default(),
        }
    }

    /// The year that an instant falls in, where the alliance is.
    pub(crate) fn year(&self, at: DateTime<Utc>) -> i32 {
        self.day(at).year()
    }

    /// The day that an instant falls on, where the alliance is.
    fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// A problem just registered under a number, its contents left to the caller.
    pub(crate) fn blank(&self, ctx: &Ctx, year: i32, seq: i32) -> problem::ActiveModel {
        let now = ctx.now();
        problem::ActiveModel {
            id: Set(ctx.new_id()),
            alliance_id: Set(self.alliance),
            year: Set(year),
            seq: Set(seq),
            ordinal: Set(i64::from(year) * NUMBERS_A_YEAR + i64::from(seq)),
            number: Set(self.pattern.render(year, u32::try_from(seq).unwrap_or_default())),
            tier: Set(None),
            is_complex: Set(false),
            measures: Set(None),
            criterion: Set(None),
            state: Set(State::Registered),
            is_open: Set(true),
            round: Set(1),
            lead_organization_id: Set(None),
            handler_id: Set(None),
            proposed_organization_id: Set(None),
            due_on: Set(None),
            due_is_provisional: Set(false),
            dispatch_from: Set(None),
            dispatch_due_at: Set(None),
            dispatch_is_provisional: Set(false),
            dispatch_settled: Set(false),
            carried_due_at: Set(None),
            reason: Set(None),
            declined_count: Set(0),
            returned_count: Set(0),
            evidence_at_return: Set(0),
            assigned_at: Set(None),
            accepted_at: Set(None),
            submitted_at: Set(None),
            submitted_by: Set(None),
            verified_at: Set(None),
            verifier_id: Set(None),
            verifier_organization_id: Set(None),
            verdict: Set(None),
            struck_off_at: Set(None),
            approver_id: Set(None),
            external_source: Set(None),
            external_key: Set(None),
            recorded_at: Set(now),
            recorded_on: Set(Some(self.day(now))),
            recorded_by: Set(ctx.author()),
            closed_at: Set(None),
            closed_on: Set(None),
            merged_into_id: Set(None),
            version: Set(1),
            ..problem::ActiveModel::new()
        }
    }
}

/// An alliance's time zone; one that cannot be read counts as Beijing's.
pub(crate) fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(chrono_tz::Asia::Shanghai)
}
