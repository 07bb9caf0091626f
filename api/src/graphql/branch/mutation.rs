//! Faces of what is done with Party branches: one mutation for each verb.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use concord_entities::{id::PartyBranchId, party_branch};

use super::{
    BranchMatterInput, PartyBranch, PartyBranchKind, host::BranchHostInput, instructor::BranchInstructor,
};
use crate::{
    domain::{
        self, Ctx,
        branch::{
            host::NewHost,
            instructor::{self, NewInstructor},
            matter,
            steps::{self, BranchChange, NewBranch, Secretary, Which},
        },
        bulk,
    },
    graphql::{
        bulk::replayed,
        ctx,
        error::{UserError, item_error, payload, user_error},
        id,
        scalar::Date,
    },
};

/// A Party organisation to establish.
#[derive(InputObject)]
pub struct EstablishPartyBranchInput {
    /// Whose it is.
    alliance_id: ID,
    /// What kind it is.
    kind: PartyBranchKind,
    /// The one above it, of an earlier kind; a group always stands below a branch.
    parent_id: Option<ID>,
    /// Its name, at most 128 characters; no other that stands beside it has it.
    name: String,
    /// Whether it is there for a time only.
    #[graphql(default = false)]
    is_temporary: bool,
    /// Where it is at home: 1 to 50; several make it a joint branch. A group names none.
    #[graphql(default)]
    hosts: Vec<BranchHostInput>,
    /// How many members it has, 0 to 1,000,000, counted on its first day.
    member_count: Option<i32>,
    /// Its secretary's name, at most 64 characters; shown in full only to whoever may read contacts.
    secretary_name: Option<String>,
    /// The secretary's phone, at most 32 characters; shown in full only to whoever may read contacts.
    secretary_phone: Option<String>,
    /// The first day on which it stands, no earlier than the one above and no later than today, which it is where absent.
    since: Option<Date>,
}

/// Party organisations to establish.
#[derive(InputObject)]
pub struct EstablishPartyBranchesInput {
    /// The Party organisations, 1 to 500; each stands for itself.
    items: Vec<EstablishPartyBranchInput>,
}

/// What changes of a Party organisation; what is absent stays, null clears.
#[derive(InputObject)]
pub struct ChangePartyBranchInput {
    /// The Party organisation.
    branch_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// Its name, at most 128 characters.
    name: Option<String>,
    /// The one to stand below from now on, with all that stands below it.
    parent_id: MaybeUndefined<ID>,
    /// Whether it is there for a time only.
    is_temporary: Option<bool>,
    /// All of its hosts from then on, 1 to 50.
    hosts: Option<Vec<BranchHostInput>>,
    /// From which day on the hosts are these, no earlier than their last change and no later than today, which it is where absent.
    hosts_since: Option<Date>,
    /// Its secretary's name, at most 64 characters.
    secretary_name: MaybeUndefined<String>,
    /// The secretary's phone, at most 32 characters.
    secretary_phone: MaybeUndefined<String>,
}

/// A count of members to record.
#[derive(InputObject)]
pub struct CountPartyMembersInput {
    /// The Party organisation.
    branch_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// How many members it has, 0 to 1,000,000.
    member_count: i32,
    /// On which day, no earlier than its last count; today where absent.
    counted_on: Option<Date>,
}

/// A Party organisation to end.
#[derive(InputObject)]
pub struct EndPartyBranchInput {
    /// The Party organisation.
    branch_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// The first day on which it stands no more, no later than today, which it is where absent.
    until: Option<Date>,
    /// Why, at most 1,000 characters.
    reason: Option<String>,
}

/// A matter that a branch serves.
#[derive(InputObject)]
pub struct LinkBranchMatterInput {
    /// The Party organisation.
    branch_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// The problem, task or whistle of the same alliance.
    matter: BranchMatterInput,
}

/// A matter that a branch serves no more.
#[derive(InputObject)]
pub struct UnlinkBranchMatterInput {
    /// The Party organisation.
    branch_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// The problem, task or whistle that it serves.
    matter: BranchMatterInput,
}

/// Whose secretary to erase, and why.
#[derive(InputObject)]
pub struct EraseBranchSecretaryInput {
    /// The Party organisation.
    branch_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters; it is kept, so it names nobody.
    reason: String,
}

/// Whom to erase, and why.
#[derive(InputObject)]
pub struct EraseBranchInstructorInput {
    /// The instructor, whose service has ended.
    instructor_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters; it is kept, so it names nobody.
    reason: String,
}

/// A place for an instructor to serve: exactly one of these.
#[derive(async_graphql::OneofObject)]
pub enum BranchInstructorPlaceInput {
    /// A community, compound or other region within the territory.
    RegionId(ID),
    /// A standing grid cell of the alliance.
    CellId(ID),
    /// An enterprise or other active member of the alliance.
    OrganizationId(ID),
    /// A market, by its name, at most 128 characters.
    Market(String),
}

/// An instructor to appoint.
#[derive(InputObject)]
pub struct AppointBranchInstructorInput {
    /// In whose territory.
    alliance_id: ID,
    /// The unit that the person is of; an active member of the alliance.
    organization_id: ID,
    /// Name, at most 64 characters; shown in full only to whoever may read contacts.
    name: String,
    /// Phone, at most 32 characters; shown in full only to whoever may read contacts.
    phone: Option<String>,
    /// What is served.
    place: BranchInstructorPlaceInput,
    /// The first day, no later than today, which it is where absent.
    since: Option<Date>,
}

/// An instructor whose service ends.
#[derive(InputObject)]
pub struct EndBranchInstructorInput {
    /// The instructor.
    instructor_id: ID,
    /// The version that the caller read; where given, one changed since is refused.
    expected_version: Option<i64>,
    /// The first day on which the person serves the place no more, no later than today, which it is where absent.
    until: Option<Date>,
}

payload!(
    /// What came of a change to a Party organisation.
    PartyBranchPayload {
        /// The Party organisation.
        branch: PartyBranch
    }
);

payload!(
    /// What came of a change to an instructor.
    BranchInstructorPayload {
        /// The instructor.
        instructor: BranchInstructor
    }
);

/// What came of one Party organisation of many.
#[derive(SimpleObject)]
pub struct PartyBranchOutcome {
    /// Its place among the items, from 0.
    index: usize,
    /// The Party organisation; null where it was refused.
    branch: Option<PartyBranch>,
    /// Why it was refused; empty where it was established.
    user_errors: Vec<UserError>,
}

/// What came of many Party organisations.
#[derive(SimpleObject)]
pub struct PartyBranchesPayload {
    /// What came of each item, in the order given.
    results: Vec<PartyBranchOutcome>,
    /// What is wrong with the request as a whole; then no item was touched.
    user_errors: Vec<UserError>,
}

fn hosts(given: &[BranchHostInput]) -> domain::Result<Vec<NewHost>> {
    given.iter().enumerate().map(|(index, host)| host.read(&format!("hosts.{index}"))).collect()
}

fn which(id: &ID, expected_version: Option<i64>) -> domain::Result<Which> {
    Ok(Which { id: id::decode(id, "branchId")?, expected_version })
}

impl EstablishPartyBranchInput {
    async fn carry_out(self, ctx: &Ctx) -> domain::Result<party_branch::Model> {
        let alliance = id::decode(&self.alliance_id, "allianceId")?;
        let new = NewBranch {
            kind: self.kind.into(),
            parent_id: id::decode_optional(self.parent_id.as_ref(), "parentId")?,
            hosts: hosts(&self.hosts)?,
            name: self.name,
            is_temporary: self.is_temporary,
            member_count: self.member_count,
            secretary: Secretary { name: self.secretary_name, phone: self.secretary_phone },
            since: self.since.map(|since| since.0),
        };
        steps::establish(ctx, alliance, new).await
    }
}

/// Absent stays, null clears.
fn cleared<T>(given: MaybeUndefined<T>) -> Option<Option<T>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

impl ChangePartyBranchInput {
    async fn carry_out(self, ctx: &Ctx) -> domain::Result<party_branch::Model> {
        let which = which(&self.branch_id, self.expected_version)?;
        let parent_id: Option<Option<PartyBranchId>> = match cleared(self.parent_id) {
            Some(Some(id)) => Some(Some(id::decode(&id, "parentId")?)),
            Some(None) => Some(None),
            None => None,
        };
        let change = BranchChange {
            name: self.name,
            parent_id,
            is_temporary: self.is_temporary,
            hosts: self.hosts.as_deref().map(hosts).transpose()?,
            hosts_since: self.hosts_since.map(|since| since.0),
            secretary_name: cleared(self.secretary_name),
            secretary_phone: cleared(self.secretary_phone),
        };
        steps::change(ctx, which, change).await
    }
}

impl AppointBranchInstructorInput {
    async fn carry_out(self, ctx: &Ctx) -> domain::Result<concord_entities::branch_instructor::Model> {
        use BranchInstructorPlaceInput as Place;
        let alliance = id::decode(&self.alliance_id, "allianceId")?;
        let place = match &self.place {
            Place::RegionId(id) => NewHost::Region(id::decode(id, "place.regionId")?),
            Place::CellId(id) => NewHost::Cell(id::decode(id, "place.cellId")?),
            Place::OrganizationId(id) => NewHost::Organization(id::decode(id, "place.organizationId")?),
            Place::Market(name) => NewHost::Place(concord_entities::branch_host::Kind::Market, name.clone()),
        };
        let new = NewInstructor {
            organization_id: id::decode(&self.organization_id, "organizationId")?,
            name: self.name,
            phone: self.phone,
            place,
            since: self.since.map(|since| since.0),
        };
        instructor::appoint(ctx, alliance, new).await
    }
}

#[derive(Default)]
pub struct BranchMutation;

#[Object]
impl BranchMutation {
    /// Establishes a Party organisation below one of an earlier kind; another kind above answers `BRANCH_KIND_ORDER`, one that has ended
    /// `PARENT_ENDED`, a group that makes the groups of a branch count more than the branch `GROUPS_EXCEED_BRANCH`. Only the
    /// committee may.
    async fn establish_party_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The Party organisation.")] input: EstablishPartyBranchInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = input.carry_out(ctx).await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Establishes many Party organisations, up to 500 at once, each for itself. Only the committee may.
    async fn establish_party_branches(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The items.")] input: EstablishPartyBranchesInput,
    ) -> Result<PartyBranchesPayload> {
        let ctx = ctx(context);
        if let Err(error) = bulk::begin(ctx, input.items.len()).await {
            return Ok(PartyBranchesPayload {
                results: Vec::new(),
                user_errors: vec![user_error(ctx, &error)?],
            });
        }
        let mut results = Vec::with_capacity(input.items.len());
        for (index, item) in input.items.into_iter().enumerate() {
            let result = async { item.carry_out(&bulk::item(ctx, index)?).await }.await;
            let (branch, user_errors) = match replayed(ctx, result).await {
                Ok(branch) => (Some(branch), Vec::new()),
                Err(error) => (None, vec![item_error(ctx, &error, index)?]),
            };
            results.push(PartyBranchOutcome { index, branch, user_errors });
        }
        Ok(PartyBranchesPayload { results, user_errors: Vec::new() })
    }

    /// Changes a Party organisation, or moves it with all that stands below it. Only the committee may.
    async fn change_party_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: ChangePartyBranchInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = input.carry_out(ctx).await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Records how many members a Party organisation has on a day; earlier counts stay on record. A branch counts no fewer than its groups
    /// together: `GROUPS_EXCEED_BRANCH`. Only the committee may.
    async fn count_party_members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, and when.")] input: CountPartyMembersInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.branch_id, input.expected_version)?;
            steps::count_members(ctx, which, input.member_count, input.counted_on.map(|on| on.0)).await
        }
        .await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Ends a Party organisation; it stays on record. While others stand below it the answer is `OTHERS_STAND_BELOW`. Only the committee may.
    async fn end_party_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, when and why.")] input: EndPartyBranchInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.branch_id, input.expected_version)?;
            steps::end(ctx, which, input.until.map(|until| until.0), input.reason.as_deref()).await
        }
        .await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Says that a Party organisation serves a problem, task or whistle of its alliance. Only the committee may.
    async fn link_branch_matter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and what it serves.")] input: LinkBranchMatterInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.branch_id, input.expected_version)?;
            matter::link(ctx, which, input.matter.read("matter")?).await
        }
        .await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Takes back that a Party organisation serves a problem, task or whistle; that it was said stays on record. What it does not serve
    /// answers `NOT_LINKED`. Only the committee may.
    async fn unlink_branch_matter(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and what it serves no more.")] input: UnlinkBranchMatterInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.branch_id, input.expected_version)?;
            matter::unlink(ctx, which, input.matter.read("matter")?).await
        }
        .await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Erases name and phone of a Party organisation's secretary, for good; one that has ended has them erased too. Only the committee
    /// may.
    async fn erase_branch_secretary(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose secretary, and why.")] input: EraseBranchSecretaryInput,
    ) -> Result<PartyBranchPayload> {
        let ctx = ctx(context);
        let result = async {
            let which = which(&input.branch_id, input.expected_version)?;
            steps::erase_secretary(ctx, which, &input.reason).await
        }
        .await;
        PartyBranchPayload::of(ctx, result).await
    }

    /// Erases name and phone of an instructor whose service has ended, for good; the service stays on record. Only the committee may.
    async fn erase_branch_instructor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: EraseBranchInstructorInput,
    ) -> Result<BranchInstructorPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.instructor_id, "instructorId")?;
            instructor::erase(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        BranchInstructorPayload::of(ctx, result).await
    }

    /// Appoints an instructor (党建指导员), a person of a member unit, for a place that has no branch. Only the committee may.
    async fn appoint_branch_instructor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and for what.")] input: AppointBranchInstructorInput,
    ) -> Result<BranchInstructorPayload> {
        let ctx = ctx(context);
        let result = input.carry_out(ctx).await;
        BranchInstructorPayload::of(ctx, result).await
    }

    /// Ends an instructor's service; it stays on record. Only the committee may.
    async fn end_branch_instructor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and when.")] input: EndBranchInstructorInput,
    ) -> Result<BranchInstructorPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.instructor_id, "instructorId")?;
            instructor::end(ctx, id, input.expected_version, input.until.map(|until| until.0)).await
        }
        .await;
        BranchInstructorPayload::of(ctx, result).await
    }
}
