//! Faces of problems: the object, its list and its look-ups. The mutations stand in `problem_mutation`.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use concord_entities::{
    id::{AccountId, OrganizationId, ProblemId, TypedId},
    problem, problem_responsible,
};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    deadline::{self, Breach, BreachesOf, DeadlineMove, ExtensionsOf, NoticesOf, ProblemClock},
    escalation::{Escalation, escalation_of, origin_of},
    evidence::{Evidence, EvidenceOf, evidence_of},
    facets::ProblemFacets,
    follow_up::{FollowUp, follow_ups},
    person::{Person, person},
    problem_batch::{HandlersOf, Hands, ResponsibleFor, UNIT_ALONG, UnitsOf, responsible_for},
    problem_decision::{self, ProblemOnAccount, ProblemSignOff, ProblemTierMove},
    problem_filter::{ProblemFilter, ProblemOrder},
    problem_merge::merged_problems,
    problem_part::ProblemPart,
    problem_round::{ProblemRound, rounds},
    supervision::{Extension, SupervisionNotice},
    transition::{self, Transition},
};
use crate::{
    domain::{
        self, Actor, Ctx,
        list::{
            due,
            evidence::Subject,
            problem::{self as verbs, Sort},
            problem_part_states::Joint,
            problem_states::{self, Bound, Circumstances},
            transition::Viewer,
        },
        page::{Along, Kind},
        privacy,
    },
    graphql::{
        ahead::{self, Plan},
        connection::{args, connection},
        ctx,
        error::OrApiError,
        fact::event::{self, EventConnection},
        governance::{alliance::Alliance, organization::Organization},
        id, loaders,
        node::Node,
        scalar::{Date, DateTime},
        territory::region::Region,
        whistle::{self, Whistle},
    },
};

/// Where a problem stands.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem::State")]
pub enum ProblemState {
    /// Registered (登记).
    Registered,
    /// Triaged (研判): measures and closure criterion are set.
    Triaged,
    /// Assigned (交办) to an organisation.
    Assigned,
    /// Accepted (签收) by that organisation.
    Accepted,
    /// In progress (办理中).
    InProgress,
    /// Held on account (挂账): set aside until it is looked at again; still open.
    OnAccount,
    /// Submitted for closure (申请销号).
    Submitted,
    /// Verified (核验通过) by somebody independent.
    Verified,
    /// Struck off (已销号).
    StruckOff,
    /// Rejected (不予受理).
    Rejected,
    /// Withdrawn (撤回).
    Withdrawn,
    /// Closed in the system it was imported from; counted as closed, never as struck off.
    ClosedAtSource,
    /// Merged (并案): a duplicate of another problem, which goes on.
    Merged,
    /// Escalated (提级办理): the alliance above is to settle it; still open and counted here.
    Escalated,
}

/// How a problem came in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem::Channel")]
pub enum ProblemChannel {
    /// A grid officer.
    GridOfficer,
    /// A patrol.
    Patrol,
    /// A resident, in person.
    Resident,
    /// A hotline.
    Hotline,
    /// Online.
    Online,
    /// A member organisation.
    MemberOrganization,
    /// An inspection.
    Inspection,
    /// An import whose source does not say; registrations by hand do not use it.
    Import,
    /// An alliance below that could not settle it (提级办理); registrations by hand do not use it.
    Escalation,
}

/// How urgent a problem is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem::Severity")]
pub enum ProblemSeverity {
    /// Life or property is at risk.
    LifeSafety,
    /// Water, power, heating or another utility.
    Utilities,
    /// Ordinary.
    Ordinary,
}

/// Who can settle a problem.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem::Tier")]
pub enum ProblemTier {
    /// Residents settle it (小事).
    Small,
    /// The property firm settles it (大事).
    Big,
    /// A council deliberates on it (难事).
    Hard,
}

/// A problem on the closure list (问题销号清单), struck off only after its evidence has been verified.
#[derive(Clone)]
pub struct Problem(pub problem::Model);

impl From<problem::Model> for Problem {
    fn from(row: problem::Model) -> Self {
        Self(row)
    }
}

impl Node for Problem {
    const NOUN: &'static str = ProblemId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

impl Problem {
    async fn organization(
        context: &Context<'_>,
        unit: Option<OrganizationId>,
    ) -> Result<Option<Organization>> {
        match unit {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    async fn someone(
        &self,
        context: &Context<'_>,
        account: Option<AccountId>,
        unit: Option<OrganizationId>,
    ) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, account, unit).await
    }
}

/// A problem on the closure list (问题销号清单), struck off only after its evidence has been verified.
#[Object]
impl Problem {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The alliance on whose list it stands.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// Its number by the alliance's pattern, such as 西海销〔2026〕0001号; gap-free within alliance and year, never reused.
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

    /// What is wrong.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Kind of matter.
    async fn category(&self) -> &str {
        &self.0.category
    }

    /// Where, in words.
    async fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// The region it lies in, often a community.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        match self.0.region_id {
            Some(region) => Ok(loaders::one(context, region).await?.map(Region)),
            None => Ok(None),
        }
    }

    /// How it came in.
    async fn channel(&self) -> ProblemChannel {
        self.0.channel.into()
    }

    /// Who reported it, masked, and nothing for a dashboard key; `revealReporter` shows it in full to whoever may know and says why.
    async fn reporter_name(&self, context: &Context<'_>) -> Option<String> {
        self.0.reporter_name.as_deref().filter(|_| !ctx(context).is_key()).map(privacy::mask_name)
    }

    /// Phone of the reporter, masked, and nothing for a dashboard key; see `reporterName`.
    async fn reporter_phone(&self, context: &Context<'_>) -> Option<String> {
        self.0.reporter_phone.as_deref().filter(|_| !ctx(context).is_key()).map(privacy::mask_phone)
    }

    /// How urgent it is.
    async fn severity(&self) -> ProblemSeverity {
        self.0.severity.into()
    }

    /// Who can settle it; set at triage.
    async fn tier(&self) -> Option<ProblemTier> {
        self.0.tier.map(Into::into)
    }

    /// Whether it takes the longer limit of complex matters.
    async fn is_complex(&self) -> bool {
        self.0.is_complex
    }

    /// What is to be done (整改措施); set at triage.
    async fn measures(&self) -> Option<&str> {
        self.0.measures.as_deref()
    }

    /// What verification checks against (销号标准); set at triage.
    async fn criterion(&self) -> Option<&str> {
        self.0.criterion.as_deref()
    }

    /// Where it stands.
    async fn state(&self) -> ProblemState {
        self.0.state.into()
    }

    /// Whether it still counts as open: neither struck off, rejected, withdrawn, merged nor closed at its source.
    async fn is_open(&self) -> bool {
        self.0.is_open
    }

    /// 1 for the first round; a reopening begins the next.
    async fn round(&self) -> i32 {
        self.0.round
    }

    /// How often it was reopened after strike-off.
    async fn reopened_count(&self) -> i32 {
        self.0.round - 1
    }

    /// All its rounds from the first to the present one; those that ended stay as they were.
    async fn rounds(&self, context: &Context<'_>) -> Result<Vec<ProblemRound>> {
        rounds(context, &self.0).await
    }

    /// The responsible organisation that leads. Absent until it is assigned, but an imported problem comes with the one
    /// that its source names.
    async fn lead_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Self::organization(context, self.0.lead_organization_id).await
    }

    /// The organisations responsible for it, the leading one first.
    async fn responsible_organizations(&self, context: &Context<'_>) -> Result<Vec<Organization>> {
        let units: Vec<_> = match loaders::given::<problem_responsible::Entity>(context, self.0.id) {
            Some(page) => {
                let ids: Vec<_> = page.items.into_iter().map(|(_, row)| row.organization_id).collect();
                let mut units = loaders::many(context, ids.iter().copied()).await?;
                ids.iter().filter_map(|id| units.remove(id)).collect()
            }
            None => {
                let parts = loaders::one(context, ResponsibleFor(self.0.id)).await?.unwrap_or_default();
                parts.into_iter().map(|(_, unit)| unit).collect()
            }
        };
        Ok(units.into_iter().map(Organization).collect())
    }

    /// The part of each responsible organisation, the leading one first: where it stands, who handles it, what they brought.
    async fn parts(&self, context: &Context<'_>) -> Result<Vec<ProblemPart>> {
        let problem = Arc::new(self.0.clone());
        let parts = loaders::one(context, ResponsibleFor(self.0.id)).await?.unwrap_or_default();
        Ok(parts.into_iter().map(|(row, unit)| ProblemPart::new(problem.clone(), row, unit)).collect())
    }

    /// How it is held while it is on account; null otherwise.
    async fn on_account(&self) -> Option<ProblemOnAccount> {
        ProblemOnAccount::of(&self.0)
    }

    /// The sign-offs of its approvers in the order of time, the strike-off among them; those before a return stay on record.
    async fn sign_offs(&self, context: &Context<'_>) -> Result<Vec<ProblemSignOff>> {
        problem_decision::sign_offs(context, &self.0).await
    }

    /// Every move between tiers in order, the first triage among them.
    async fn tier_moves(&self, context: &Context<'_>) -> Result<Vec<ProblemTierMove>> {
        problem_decision::tier_moves(context, &self.0).await
    }

    /// Who handles it in the leading organisation.
    async fn handler(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.someone(context, self.0.handler_id, self.0.lead_organization_id).await
    }

    /// The organisation that the last decliner thinks right.
    async fn proposed_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Self::organization(context, self.0.proposed_organization_id).await
    }

    /// The last day on which the leading organisation's request for closure is in time; absent until it is assigned.
    async fn due_on(&self) -> Option<Date> {
        self.0.due_on.map(Date)
    }

    /// Whether that day depends on a year whose holidays are not published: it is computed Monday to Friday, nothing is late by it,
    /// and it is computed anew once the year is known.
    async fn due_is_provisional(&self) -> bool {
        self.0.due_is_provisional
    }

    /// Whether it is open although its due date, which is not provisional, has passed by the alliance's calendar. What was submitted for
    /// closure or put on account by that date is not overdue until it comes back to work.
    async fn is_overdue(&self, context: &Context<'_>) -> Result<bool> {
        let Some(due_on) = problem_states::overdue_after(&self.0) else {
            return Ok(false);
        };
        let alliance = loaders::one(context, self.0.alliance_id).await?;
        let now = ctx(context).now();
        Ok(alliance.is_some_and(|alliance| due_on < due::today(&alliance.time_zone, now)))
    }

    /// Its clocks: dispatching, and response and resolution of each responsible organisation, the lead's first.
    async fn clocks(&self, context: &Context<'_>) -> Result<Vec<ProblemClock>> {
        deadline::clocks_of(context, &self.0).await
    }

    /// The ledger of its units' deadlines, the oldest entry first: how each began, and every move since.
    async fn deadline_moves(&self, context: &Context<'_>) -> Result<Vec<DeadlineMove>> {
        deadline::moves_of(context, self.0.id).await
    }

    /// The deadlines that passed unmet, the oldest first; they stay on record.
    async fn breaches(&self, context: &Context<'_>) -> Result<Vec<Breach>> {
        let rows = loaders::one(context, BreachesOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Breach).collect())
    }

    /// The requests for more time, the oldest first.
    async fn extensions(&self, context: &Context<'_>) -> Result<Vec<Extension>> {
        let rows = loaders::one(context, ExtensionsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Extension).collect())
    }

    /// The supervision notices about it, the oldest first.
    async fn supervision_notices(&self, context: &Context<'_>) -> Result<Vec<SupervisionNotice>> {
        let rows = loaders::one(context, NoticesOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(SupervisionNotice).collect())
    }

    /// Why it was last declined, returned, rejected, withdrawn or reopened.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// How often an assignment was declined in the present round; after two the next binds.
    async fn declined_count(&self) -> i32 {
        self.0.declined_count
    }

    /// How often it was returned for rework in the present round.
    async fn returned_count(&self) -> i32 {
        self.0.returned_count
    }

    /// When it was noticed.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// When Concord learnt of it.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }

    /// Who registered it.
    async fn recorded_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.someone(context, self.0.recorded_by, None).await
    }

    /// When it was last assigned.
    async fn assigned_at(&self) -> Option<DateTime> {
        self.0.assigned_at.map(DateTime)
    }

    /// When the organisation accepted it.
    async fn accepted_at(&self) -> Option<DateTime> {
        self.0.accepted_at.map(DateTime)
    }

    /// When closure was last asked for.
    async fn submitted_at(&self) -> Option<DateTime> {
        self.0.submitted_at.map(DateTime)
    }

    /// Who asked for closure.
    async fn submitted_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.someone(context, self.0.submitted_by, self.0.lead_organization_id).await
    }

    /// When the evidence passed.
    async fn verified_at(&self) -> Option<DateTime> {
        self.0.verified_at.map(DateTime)
    }

    /// Who passed it.
    async fn verifier(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.someone(context, self.0.verifier_id, self.0.verifier_organization_id).await
    }

    /// For which organisation the verifier acts; never a responsible one.
    async fn verifier_organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        Self::organization(context, self.0.verifier_organization_id).await
    }

    /// What the verifier found.
    async fn verdict(&self) -> Option<&str> {
        self.0.verdict.as_deref()
    }

    /// When it was struck off.
    async fn struck_off_at(&self) -> Option<DateTime> {
        self.0.struck_off_at.map(DateTime)
    }

    /// Who struck it off.
    async fn approver(&self, context: &Context<'_>) -> Result<Option<Person>> {
        self.someone(context, self.0.approver_id, None).await
    }

    /// When it stopped being open; for one closed at its source, when the source says so.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(DateTime)
    }

    /// The system it was imported from.
    async fn external_source(&self) -> Option<&str> {
        self.0.external_source.as_deref()
    }

    /// Its key in that system.
    async fn external_key(&self) -> Option<&str> {
        self.0.external_key.as_deref()
    }

    /// Its evidence, in the order in which it was added.
    async fn evidence(&self, context: &Context<'_>) -> Result<Vec<Evidence>> {
        evidence_of(context, Subject::Problem(self.0.id)).await
    }

    /// The problem that goes on, where this one was a duplicate of it.
    async fn merged_into(&self, context: &Context<'_>) -> Result<Option<Problem>> {
        match self.0.merged_into_id {
            Some(survivor) => Ok(loaders::one(context, survivor).await?.map(Problem)),
            None => Ok(None),
        }
    }

    /// The problems that were merged into it (并案), by number; whoever reported them is asked about this one.
    async fn merged_problems(&self, context: &Context<'_>) -> Result<Vec<Problem>> {
        merged_problems(context, self.0.id).await
    }

    /// How it was last handed up to the alliance above (提级办理), if ever, and what became of it there.
    async fn escalation(&self, context: &Context<'_>) -> Result<Option<Escalation>> {
        escalation_of(context, self.0.id).await
    }

    /// How it came from an alliance below, if it did, and where it stands there.
    async fn origin(&self, context: &Context<'_>) -> Result<Option<Escalation>> {
        origin_of(context, self.0.id).await
    }

    /// When its reporters were asked how it went (回访), or are to be; the earliest comes first.
    async fn follow_ups(&self, context: &Context<'_>) -> Result<Vec<FollowUp>> {
        follow_ups(context, self.0.id).await
    }

    /// The whistles (吹哨报到) that serve it, the earliest first.
    async fn whistles(&self, context: &Context<'_>) -> Result<Vec<Whistle>> {
        whistle::whistles(context, self.0.id).await
    }

    /// What happened to it, as far as the caller may see it; the latest comes first.
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
        let (alliance, subject) = (self.0.alliance_id, EvidenceOf(Subject::Problem(self.0.id)));
        let own = async {
            match actor {
                Actor::Account { id, .. } => loaders::one(context, UnitsOf(id)).await,
                _ => Ok(None),
            }
        };
        let origin = async {
            match self.0.channel {
                problem::Channel::Escalation => origin_of(context, self.0.id).await,
                _ => Ok(None),
            }
        };
        let escalation = async {
            match self.0.state {
                problem::State::Escalated => escalation_of(context, self.0.id).await,
                _ => Ok(None),
            }
        };
        // All at once, so that they join the batches of the fields beside them.
        let (seats, responsible, handlers, shown, own, origin, escalation) = futures_util::try_join!(
            transition::seats(context, alliance),
            loaders::one(context, ResponsibleFor(self.0.id)),
            loaders::one(context, HandlersOf(self.0.id)),
            loaders::one(context, subject),
            own,
            origin,
            escalation,
        )?;
        let responsible = responsible.unwrap_or_default();
        let is_near = |ended_at: &Option<_>| ended_at.is_none_or(|at| at >= self.0.recorded_at);
        let own = own.unwrap_or_default().into_iter().filter(|(_, ended_at)| is_near(ended_at));
        let own: Vec<_> = own.map(|(unit, _)| unit).collect();
        let joint = Joint::of(responsible.iter().map(|(part, _)| part));
        let Hands { people: mut hands, past_units } = handlers.unwrap_or_default();
        let responsible: Vec<_> =
            responsible.iter().map(|(part, _)| part.organization_id).chain(past_units).collect();
        let shown = shown.unwrap_or_default();
        hands.extend(shown.iter().filter_map(Evidence::supplier));
        let settles = problem_decision::settles(context, &self.0, &seats).await?;
        let circumstances = Circumstances {
            bound: Bound { responsible: &responsible, hands: &hands },
            shown: shown.iter().map(|piece| u64::from(piece.closes(self.0.round))).sum(),
            own: &own,
            joint,
            signers: &settles.signers,
            policy: settles.policy,
            is_topmost: settles.is_topmost,
            is_from_below: origin.is_some_and(|origin| origin.is_open()),
            above: escalation.map(|escalation| escalation.stands()),
            now: ctx(context).now(),
        };
        let viewer = Viewer { actor, seats: &seats };
        Ok(transition::faces(context, problem_states::transitions(&self.0, viewer, circumstances)))
    }

    /// Grows by one with every change of the problem; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// The lists below a problem that its statement can read along.
const BELOW: [(&str, Plan); 2] = [
    ("responsibleOrganizations", |context| ahead::plan(context, responsible_for, &[UNIT_ALONG], &[])),
    ("history", |context| event::history_plan(context, Problem::NOUN)),
];

connection!(ProblemConnection, ProblemEdge, Problem, problem::Entity, ProblemFacets);

/// What a list of problems reads along when it is asked for.
pub(in crate::graphql) const ALONG: [(&str, Along<problem::Column>); 3] = [
    ("alliance", Along { kind: Kind::Alliance, by: problem::Column::AllianceId }),
    ("leadOrganization", Along { kind: Kind::Organization, by: problem::Column::LeadOrganizationId }),
    ("region", Along { kind: Kind::Region, by: problem::Column::RegionId }),
];

#[derive(Default)]
pub struct ProblemQuery;

#[Object]
impl ProblemQuery {
    /// One problem; null where there is none or the caller may not see it.
    async fn problem(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the problem.")] id: ID,
    ) -> Result<Option<Problem>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        let select = verbs::visible(ctx).filter(problem::Column::Id.eq::<ProblemId>(id));
        Ok(loaders::found(context, select, &ALONG, &BELOW).await?.map(Problem))
    }

    /// The problem with a number on an alliance's list; null where there is none or the caller may not see it.
    async fn problem_by_number(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance on whose list it stands.")] alliance_id: ID,
        #[graphql(desc = "The number as shown, such as 西海销〔2026〕0001号.")] number: String,
    ) -> Result<Option<Problem>> {
        let ctx = ctx(context);
        let alliance = id::decode(&alliance_id, "allianceId").or_api_error(ctx)?;
        Ok(verbs::find_by_number(ctx, alliance, &number).await.or_api_error(ctx)?.map(Problem))
    }

    /// The certificate of a strike-off (销号证明): a signed JSON document with number, rounds, units, evidence digests and approvers,
    /// and the links from the strike-off's event to the next signed checkpoint. `concord verify --certificate` checks it with the
    /// published keys alone. For the committee, approvers, and the managers and staff of the leading organisation. The same as a
    /// file is `GET /certificates/{problemId}.json`, and to print `GET /certificates/{problemId}.pdf`, which carries the document.
    async fn strike_off_certificate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A problem that is struck off.")] problem_id: ID,
    ) -> Result<String> {
        let ctx = ctx(context);
        let id = id::decode(&problem_id, "problemId").or_api_error(ctx)?;
        let issued = domain::list::certificate::issue(ctx, id).await.or_api_error(ctx)?;
        String::from_utf8(issued.document).map_err(domain::Error::internal).or_api_error(ctx)
    }

    /// The problems that the caller may see, across alliances unless the filter names one.
    async fn problems(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which problems.")] filter: Option<ProblemFilter>,
        #[graphql(desc = "In which order.", default_with = "ProblemOrder::RecordedAt")]
        order_by: ProblemOrder,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ProblemConnection> {
        let ctx = ctx(context);
        let filter = filter.unwrap_or_default().read().or_api_error(ctx)?;
        let along = loaders::asked(context, &ALONG);
        let args = args(first, after, last, before);
        let page = verbs::list(ctx, filter.clone(), Sort::from(order_by), &args, &along).await;
        Ok(ProblemConnection::from(loaders::fed(context, page)?).with(ProblemFacets(filter)))
    }
}
