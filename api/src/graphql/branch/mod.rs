//! Faces of Party branches: the tree, its hosts, its numbers. Hosts and matters stand in `host`, instructors in `instructor`, coverage in
//! `coverage`, the mutations in `mutation`.

pub mod coverage;
pub mod host;
pub mod instructor;
pub mod mutation;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ID, InputObject, MergedObject, Object, OneofObject, Result, SimpleObject,
    dataloader::Loader,
};
use concord_entities::{
    branch_host, branch_member_count,
    id::{AllianceId, PartyBranchId, TypedId},
    party_branch,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use self::host::{BranchHost, BranchMatter, HostsOf, MattersOf};
use super::{
    connection::{args, connection},
    ctx,
    error::OrApiError,
    fact::event::{self, EventConnection},
    governance::{
        alliance::Alliance,
        membership::{ContactPerson, reads_contacts},
    },
    id,
    list::person::{Person, person},
    loaders::{self, Loaders},
    node::Node,
    scalar::{Date, DateTime},
};
use crate::domain::{
    self, Ctx, Error,
    branch::{self as verbs, Filter, matter::Matter},
    page::{self, List},
};

/// What kind of Party organisation one is; each stands below one of an earlier kind.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::party_branch::Kind")]
pub enum PartyBranchKind {
    /// Committee (党委); below none.
    Committee,
    /// General branch (党总支); below a committee, or none.
    GeneralBranch,
    /// Branch (党支部); below a committee or a general branch, or none.
    Branch,
    /// Group (党小组); always below a branch, and at home where that is.
    PartyGroup,
}

/// A Party organisation (党组织) of an alliance: committee, general branch, branch or group. Its members are a number.
#[derive(Clone)]
pub struct PartyBranch(pub party_branch::Model);

impl From<party_branch::Model> for PartyBranch {
    fn from(row: party_branch::Model) -> Self {
        Self(row)
    }
}

impl Node for PartyBranch {
    const NOUN: &'static str = PartyBranchId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

impl PartyBranch {
    async fn hosts_now(&self, context: &Context<'_>) -> Result<Vec<branch_host::Model>> {
        let mut hosts = loaders::one(context, HostsOf(self.0.id)).await?.unwrap_or_default();
        // What has ended was where its last hosts are; those that were replaced on its last day are not among them.
        let last = self.0.until_on;
        hosts.retain(|host| host.until_on == last);
        // What it was given on the very day of its end never hosted it.
        let lasted = |host: &branch_host::Model| Some(host.since_on) != last;
        if hosts.iter().any(lasted) {
            hosts.retain(lasted);
        }
        Ok(hosts)
    }
}

/// How many members a Party organisation counted on a day.
#[derive(SimpleObject)]
pub struct PartyMemberCount {
    /// How many.
    member_count: i32,
    /// On which day.
    counted_on: Date,
    /// When it was recorded.
    recorded_at: DateTime,
}

/// A Party organisation (党组织) of an alliance: committee, general branch, branch or group. Its members are a number.
#[Object]
impl PartyBranch {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Whose it is.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.0.alliance_id).await?.map(Alliance))
    }

    /// What kind it is.
    async fn kind(&self) -> PartyBranchKind {
        self.0.kind.into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The one above it.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<PartyBranch>> {
        match self.0.parent_id {
            Some(id) => Ok(loaders::one(context, id).await?.map(PartyBranch)),
            None => Ok(None),
        }
    }

    /// Those directly below it, by their names; ended ones too unless the filter says otherwise.
    async fn children(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<PartyBranchFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PartyBranchConnection> {
        let filter = filter.unwrap_or_default().read().or_api_error(ctx(context))?;
        let (by, id) = (party_branch::Column::ParentId, party_branch::Column::Id);
        let args = args(first, after, last, before);
        let list = move |ctx: &Ctx| Ok(List::new(by, id, verbs::listed(ctx, &filter)?, &args));
        Ok(loaders::nested(context, self.0.id, &[], list).await?.into())
    }

    /// Where it is at home; of one that has ended, where it was at the end. A group is at home where its branch is, and names none.
    async fn hosts(&self, context: &Context<'_>) -> Result<Vec<BranchHost>> {
        Ok(self.hosts_now(context).await?.into_iter().map(BranchHost).collect())
    }

    /// Whether it has several hosts (联合党支部).
    async fn is_joint(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.hosts_now(context).await?.len() > 1)
    }

    /// Whether it is at home on a ship or in a fleet, and in no region or grid cell.
    async fn is_afloat(&self, context: &Context<'_>) -> Result<bool> {
        let kinds: Vec<_> = self.hosts_now(context).await?.iter().map(|host| host.kind).collect();
        Ok(verbs::is_afloat(&kinds))
    }

    /// Whether it is there for a time only (临时党支部).
    async fn is_temporary(&self) -> bool {
        self.0.is_temporary
    }

    /// How many members it counted last; null where none was ever counted.
    async fn member_count(&self) -> Option<i32> {
        self.0.member_count
    }

    /// On which day they were counted.
    async fn counted_on(&self) -> Option<Date> {
        self.0.counted_on.map(Date)
    }

    /// Members in what stands below it: of each directly below it its own count or, where that is more or it has none, what comes together
    /// below that one.
    async fn members_below(&self, context: &Context<'_>) -> Result<i64> {
        let tree = loaders::one(context, TreeOf(self.0.alliance_id)).await?;
        Ok(tree.and_then(|tree| tree.get(&self.0.id).copied()).unwrap_or_default())
    }

    /// Its counts of members, the latest first, at most 100.
    async fn member_counts(&self, context: &Context<'_>) -> Result<Vec<PartyMemberCount>> {
        let found = loaders::one(context, CountsOf(self.0.id)).await?.unwrap_or_default();
        let face = |row: branch_member_count::Model| PartyMemberCount {
            member_count: row.member_count,
            counted_on: row.counted_on.into(),
            recorded_at: row.recorded_at.into(),
        };
        Ok(found.into_iter().take(MOST_COUNTS).map(face).collect())
    }

    /// Its secretary; name and phone are masked for whoever may not read contacts of a unit that hosts it.
    async fn secretary(&self, context: &Context<'_>) -> Result<Option<ContactPerson>> {
        let units: Vec<_> =
            self.hosts_now(context).await?.iter().filter_map(|host| host.organization_id).collect();
        let clear = reads_contacts(context, self.0.alliance_id, &units).await?;
        let (name, phone) = (self.0.secretary_name.as_deref(), self.0.secretary_phone.as_deref());
        Ok(ContactPerson::new(name, None, phone, clear))
    }

    /// The problems, tasks and whistles that it serves, the earliest first, at most 100.
    async fn matters(&self, context: &Context<'_>) -> Result<Vec<BranchMatter>> {
        let found = loaders::one(context, MattersOf(self.0.id)).await?.unwrap_or_default();
        Ok(found.into_iter().take(MOST_COUNTS).map(BranchMatter).collect())
    }

    /// The first day on which it stands.
    async fn since(&self) -> Date {
        self.0.since_on.into()
    }

    /// The first day on which it stands no more; null while it has no end.
    async fn until(&self) -> Option<Date> {
        self.0.until_on.map(Date)
    }

    /// When it was recorded.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Who recorded it.
    async fn created_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.0.alliance_id, self.0.created_by, None).await
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

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(PartyBranchConnection, PartyBranchEdge, PartyBranch, party_branch::Entity);

/// Most counts and matters of a branch that are shown.
const MOST_COUNTS: usize = 100;

/// Key of the members below every branch of an alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TreeOf(pub AllianceId);

impl Loader<TreeOf> for Loaders {
    type Value = Arc<HashMap<PartyBranchId, i64>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TreeOf]) -> Result<HashMap<TreeOf, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for key in keys {
            let twigs = verbs::twigs(&self.0, key.0).await.map_err(Arc::new)?;
            found.insert(*key, Arc::new(verbs::members_below(&twigs)));
        }
        Ok(found)
    }
}

/// Key of a branch's counts of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountsOf(pub PartyBranchId);

/// The branches that the caller may see, by their identifiers.
fn seen(ctx: &Ctx) -> sea_orm::sea_query::SelectStatement {
    verbs::visible(ctx).select_only().column(party_branch::Column::Id).into_query()
}

impl Loader<CountsOf> for Loaders {
    type Value = Vec<branch_member_count::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CountsOf]) -> Result<HashMap<CountsOf, Self::Value>, Self::Error> {
        use branch_member_count::Column;
        let rows = branch_member_count::Entity::find()
            .filter(page::among(&self.0, Column::BranchId, keys.iter().map(|key| key.0)))
            .filter(Column::BranchId.in_subquery(seen(&self.0)))
            .order_by_desc(Column::CountedOn)
            .order_by_desc(Column::RecordedAt)
            .order_by_desc(Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<CountsOf, Self::Value> = HashMap::new();
        for row in rows {
            found.entry(CountsOf(row.branch_id)).or_default().push(row);
        }
        Ok(found)
    }
}

/// A problem, a task or a whistle: exactly one of them.
#[derive(OneofObject, Clone)]
pub enum BranchMatterInput {
    /// A problem on the closure list.
    ProblemId(ID),
    /// A priority task.
    TaskId(ID),
    /// A whistle.
    WhistleId(ID),
}

impl BranchMatterInput {
    pub fn read(&self, field: &str) -> domain::Result<Matter> {
        Ok(match self {
            Self::ProblemId(id) => Matter::Problem(id::decode(id, format!("{field}.problemId"))?),
            Self::TaskId(id) => Matter::Task(id::decode(id, format!("{field}.taskId"))?),
            Self::WhistleId(id) => Matter::Whistle(id::decode(id, format!("{field}.whistleId"))?),
        })
    }
}

/// Which Party organisations to list; what is absent does not restrict.
#[derive(InputObject, Default)]
pub struct PartyBranchFilter {
    /// Of this alliance.
    alliance_id: Option<ID>,
    /// Of this kind.
    kind: Option<PartyBranchKind>,
    /// Directly below this one.
    parent_id: Option<ID>,
    /// Below none, or below some.
    top: Option<bool>,
    /// Without an end, or with one.
    standing: Option<bool>,
    /// There for a time only, or not.
    temporary: Option<bool>,
    /// With several hosts, or not.
    joint: Option<bool>,
    /// At home on a ship or in a fleet and in no region or grid cell, or not.
    afloat: Option<bool>,
    /// Whose name contains this text, at most 128 characters.
    name_contains: Option<String>,
    /// That serve this problem, task or whistle.
    matter: Option<BranchMatterInput>,
}

impl PartyBranchFilter {
    pub fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            kind: self.kind.map(Into::into),
            parent_id: id::decode_optional(self.parent_id.as_ref(), "filter.parentId")?,
            is_top: self.top,
            is_standing: self.standing,
            is_temporary: self.temporary,
            is_joint: self.joint,
            is_afloat: self.afloat,
            name_contains: self.name_contains,
            matter: self.matter.map(|matter| matter.read("filter.matter")).transpose()?,
        })
    }
}

/// How many standing Party organisations an alliance has, with those of the alliances below it.
#[derive(SimpleObject)]
pub struct PartyBranchCounts {
    /// Committees.
    committees: i64,
    /// General branches.
    general_branches: i64,
    /// Branches.
    branches: i64,
    /// Groups.
    groups: i64,
    /// Of all of these, those that are there for a time only.
    temporary: i64,
    /// Those with several hosts.
    joint: i64,
    /// Those on a ship or in a fleet and in no region or grid cell.
    afloat: i64,
    /// Members of all of them, each counted once: what comes together in those that stand below none.
    members: i64,
}

/// The counts of an alliance that the caller may see.
pub async fn counts(context: &Context<'_>, of: AllianceId) -> Result<PartyBranchCounts> {
    let ctx = ctx(context);
    let found = verbs::counts(ctx, of).await.or_api_error(ctx)?;
    Ok(PartyBranchCounts {
        committees: found.committees,
        general_branches: found.general_branches,
        branches: found.branches,
        groups: found.groups,
        temporary: found.temporary,
        joint: found.joint,
        afloat: found.afloat,
        members: found.members,
    })
}

/// The branches of alliances.
pub fn branches_of(
    filter: Filter,
    args: page::Args,
) -> impl Fn(&Ctx) -> domain::Result<List<party_branch::Entity>> {
    let (by, id) = (party_branch::Column::AllianceId, party_branch::Column::Id);
    move |ctx| Ok(List::new(by, id, verbs::listed(ctx, &filter)?, &args))
}

/// Reads of Party branches.
#[derive(MergedObject, Default)]
pub struct BranchesQuery(PartyBranchQuery, instructor::BranchInstructorQuery);

#[derive(Default)]
pub struct PartyBranchQuery;

#[Object]
impl PartyBranchQuery {
    /// One Party organisation; null where there is none or the caller may not see it.
    async fn party_branch(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the Party organisation.")] id: ID,
    ) -> Result<Option<PartyBranch>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(PartyBranch))
    }

    /// The Party organisations of the alliances that the caller reads, by their names; with `matter`, those that serve a problem, task or
    /// whistle.
    async fn party_branches(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which ones.")] filter: Option<PartyBranchFilter>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<PartyBranchConnection> {
        let ctx = ctx(context);
        let page = async {
            let filter = filter.unwrap_or_default().read()?;
            verbs::list(ctx, &filter, &args(first, after, last, before)).await
        };
        Ok(page.await.or_api_error(ctx)?.into())
    }
}
