//! The verbs of a branch: established below one of an earlier kind, changed, moved, counted, ended. Every one holds the alliance, so that
//! tree and counts hold together under any concurrency.

use chrono::NaiveDate;
use concord_entities::{
    alliance, branch_host, branch_member_count,
    id::{AllianceId, PartyBranchId},
    party_branch::{self, Column, Entity, Kind, Model},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

use super::{
    NAME, PERSON, PHONE,
    host::{self, NewHost},
    no_earlier, standing, visible,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx,
    fact::erasure::Words,
    governance::alliance::{expect_version, hold},
    privacy::ERASED,
    rotation::timetable::{no_later, today},
    text,
};

/// Most members that a branch counts.
const MOST_MEMBERS: i32 = 1_000_000;

/// The person who leads a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secretary {
    pub name: Option<String>,
    pub phone: Option<String>,
}

impl Secretary {
    fn checked(&self) -> Result<Self> {
        Ok(Self {
            name: text::optional(self.name.as_deref(), "secretaryName", PERSON)?,
            phone: text::optional(self.phone.as_deref(), "secretaryPhone", PHONE)?,
        })
    }
}

/// A branch to establish.
#[derive(Clone, Debug)]
pub struct NewBranch {
    pub kind: Kind,
    pub parent_id: Option<PartyBranchId>,
    pub name: String,
    pub is_temporary: bool,
    /// Where it is at home; a group is where its branch is.
    pub hosts: Vec<NewHost>,
    /// How many members it has, counted on its first day.
    pub member_count: Option<i32>,
    pub secretary: Secretary,
    /// The first day; today where absent.
    pub since: Option<NaiveDate>,
}

/// Establishes a branch. Only the committee may.
pub async fn establish(ctx: &Ctx, alliance_id: AllianceId, new: NewBranch) -> Result<Model> {
    let tx = ctx.begin().await?;
    let alliance = hold(&tx, alliance_id).await?;
    ctx.require(&tx.db, Action::EstablishPartyBranch, Target::alliance(alliance_id)).await?;
    let row = insert(&tx, &alliance, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

async fn insert(tx: &Tx<'_>, alliance: &alliance::Model, new: NewBranch) -> Result<Model> {
    let name = text::required(&new.name, "name", NAME)?;
    let secretary = new.secretary.checked()?;
    let today = today(alliance, tx.ctx.now());
    let since = new.since.unwrap_or(today);
    no_later(since, today, "since")?;
    let count =
        new.member_count.map(|count| text::within(count, "memberCount", 0, MOST_MEMBERS)).transpose()?;
    let parent = below(tx, alliance.id, new.kind, new.parent_id).await?;
    if let Some(parent) = &parent {
        no_earlier(since, parent.since_on, "since")?;
    }
    match (new.kind, new.hosts.is_empty()) {
        (Kind::PartyGroup, false) => {
            return Err(Error::invalid(Code::OutOfRange, "hosts").with("least", 0).with("most", 0));
        }
        (Kind::Committee | Kind::GeneralBranch | Kind::Branch, true) => {
            return Err(Error::invalid(Code::Required, "hosts"));
        }
        _ => {}
    }
    let hosts = host::check(tx, alliance, &new.hosts).await?;
    refuse_namesake(tx, alliance.id, new.parent_id, &name, None).await?;
    if let (Some(parent), Some(count), Kind::PartyGroup) = (&parent, count, new.kind) {
        fits(tx, parent, None, count).await?;
    }
    let row = party_branch::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(alliance.id),
        kind: Set(new.kind),
        parent_id: Set(new.parent_id),
        name: Set(name),
        is_temporary: Set(new.is_temporary),
        member_count: Set(count),
        counted_on: Set(count.map(|_| since)),
        secretary_name: Set(secretary.name),
        secretary_phone: Set(secretary.phone),
        since_on: Set(since),
        until_on: Set(None),
        created_at: Set(tx.ctx.now()),
        created_by: Set(tx.ctx.author()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    host::add(tx, &row, hosts, since).await?;
    if let Some(count) = count {
        keep_count(tx, &row, count, since).await?;
    }
    let fact = fact(Event::PartyBranchEstablished, &row).detail("kind", row.kind.to_value());
    tx.record(fact.detail("since", since.to_string())).await?;
    Ok(row)
}

fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id).alliance(row.alliance_id).detail("name", row.name.clone())
}

/// The kinds below which a branch of a kind may stand.
pub const fn above(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Committee => &[],
        Kind::GeneralBranch => &[Kind::Committee],
        Kind::Branch => &[Kind::Committee, Kind::GeneralBranch],
        Kind::PartyGroup => &[Kind::Branch],
    }
}

/// The branch to stand below, where one is named: of the alliance, standing, and of a kind above.
async fn below(
    tx: &Tx<'_>,
    alliance: AllianceId,
    kind: Kind,
    parent: Option<PartyBranchId>,
) -> Result<Option<Model>> {
    let Some(parent) = parent else {
        // A group is always a branch's.
        return if kind == Kind::PartyGroup {
            Err(Error::invalid(Code::Required, "parentId"))
        } else {
            Ok(None)
        };
    };
    let parent = Entity::find_by_id(parent).filter(Column::AllianceId.eq(alliance)).one(&tx.db).await?;
    let parent = parent.ok_or(Error::NotFound("party_branch"))?;
    if parent.until_on.is_some() {
        return Err(Error::invalid(Code::ParentEnded, "parentId"));
    }
    if !above(kind).contains(&parent.kind) {
        return Err(Error::invalid(Code::BranchKindOrder, "parentId"));
    }
    Ok(Some(parent))
}

async fn refuse_namesake(
    tx: &Tx<'_>,
    alliance: AllianceId,
    parent: Option<PartyBranchId>,
    name: &str,
    own: Option<PartyBranchId>,
) -> Result<()> {
    let beside = match parent {
        Some(parent) => Column::ParentId.eq(parent),
        None => Column::ParentId.is_null(),
    };
    let namesake = Entity::find()
        .filter(Column::AllianceId.eq(alliance))
        .filter(beside)
        .filter(Column::UntilOn.is_null())
        .filter(Column::Name.eq(name))
        .one(&tx.db)
        .await?;
    match namesake {
        Some(row) if Some(row.id) != own => Err(Error::invalid(Code::AlreadyExists, "name")),
        _ => Ok(()),
    }
}

/// What the standing groups of a branch count together, leaving one out.
async fn groups(tx: &Tx<'_>, branch: PartyBranchId, own: Option<PartyBranchId>) -> Result<i64> {
    let rows = Entity::find()
        .filter(Column::ParentId.eq(branch))
        .filter(Column::Kind.eq(Kind::PartyGroup))
        .filter(Column::UntilOn.is_null())
        .all(&tx.db)
        .await?;
    let others = rows.iter().filter(|row| Some(row.id) != own);
    Ok(others.map(|row| row.member_count.map_or(0, i64::from)).sum())
}

/// Turns away a group that would make the groups of a branch more than the branch.
async fn fits(tx: &Tx<'_>, branch: &Model, own: Option<PartyBranchId>, count: i32) -> Result<()> {
    let Some(whole) = branch.member_count.map(i64::from) else { return Ok(()) };
    let sum = groups(tx, branch.id, own).await? + i64::from(count);
    if sum <= whole {
        return Ok(());
    }
    Err(Error::invalid(Code::GroupsExceedBranch, "memberCount").with("groups", sum).with("branch", whole))
}

async fn keep_count(tx: &Tx<'_>, row: &Model, count: i32, on: NaiveDate) -> Result<()> {
    let kept = branch_member_count::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(row.alliance_id),
        branch_id: Set(row.id),
        member_count: Set(count),
        counted_on: Set(on),
        recorded_at: Set(tx.ctx.now()),
        recorded_by: Set(tx.ctx.author()),
    };
    branch_member_count::Entity::insert(kept).exec_without_returning(&tx.db).await?;
    Ok(())
}

/// Which branch, and the version at which the caller read it, where they care.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    pub id: PartyBranchId,
    pub expected_version: Option<i64>,
}

/// A standing branch with its alliance under lock, the caller's right checked.
pub(super) async fn open(
    ctx: &Ctx,
    which: Which,
    action: Action,
) -> Result<(Tx<'_>, alliance::Model, Model)> {
    let missing = || Error::NotFound("party_branch");
    // Whose it is never changes, and is read ahead of the unit of work.
    let of = super::find(ctx, which.id).await?.ok_or_else(missing)?.alliance_id;
    let tx = ctx.begin().await?;
    let alliance = hold(&tx, of).await?;
    // Under lock as well: whoever erases a secretary holds the branch alone.
    let row = visible(ctx).filter(Column::Id.eq(which.id)).lock(HELD).one(&tx.db).await?;
    let row = row.ok_or_else(missing)?;
    ctx.require(&tx.db, action, Target::alliance(alliance.id)).await?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, row.version)?;
    }
    standing(row.until_on)?;
    Ok((tx, alliance, row))
}

/// What changes of a branch: absent stays, an inner absence clears.
#[derive(Clone, Debug, Default)]
pub struct BranchChange {
    pub name: Option<String>,
    /// Moves it, with all that stands below it.
    pub parent_id: Option<Option<PartyBranchId>>,
    pub is_temporary: Option<bool>,
    /// All hosts from now on.
    pub hosts: Option<Vec<NewHost>>,
    /// From which day on; today where absent.
    pub hosts_since: Option<NaiveDate>,
    pub secretary_name: Option<Option<String>>,
    pub secretary_phone: Option<Option<String>>,
}

/// Changes or moves a branch. Only the committee may.
pub async fn change(ctx: &Ctx, which: Which, change: BranchChange) -> Result<Model> {
    let (tx, alliance, row) = open(ctx, which, Action::ChangePartyBranch).await?;
    let name = match &change.name {
        Some(name) => text::required(name, "name", NAME)?,
        None => row.name.clone(),
    };
    let parent_id = change.parent_id.unwrap_or(row.parent_id);
    if parent_id != row.parent_id {
        let parent = below(&tx, alliance.id, row.kind, parent_id).await?;
        if let (Some(parent), Some(count), Kind::PartyGroup) = (&parent, row.member_count, row.kind) {
            fits(&tx, parent, Some(row.id), count).await.map_err(|error| error.at("parentId"))?;
        }
    }
    if parent_id != row.parent_id || name != row.name {
        refuse_namesake(&tx, alliance.id, parent_id, &name, Some(row.id)).await?;
    }
    let secretary = Secretary {
        name: change.secretary_name.unwrap_or_else(|| row.secretary_name.clone()),
        phone: change.secretary_phone.unwrap_or_else(|| row.secretary_phone.clone()),
    };
    let secretary = secretary.checked()?;
    if let Some(hosts) = &change.hosts {
        if row.kind == Kind::PartyGroup {
            return Err(Error::invalid(Code::OutOfRange, "hosts").with("least", 0).with("most", 0));
        }
        if hosts.is_empty() {
            return Err(Error::invalid(Code::Required, "hosts"));
        }
        let hosts = host::check(&tx, &alliance, hosts).await?;
        let today = today(&alliance, ctx.now());
        let since = change.hosts_since.unwrap_or(today);
        no_later(since, today, "hostsSince")?;
        host::replace(&tx, &row, hosts, since).await?;
    }
    let (from, version) = (row.parent_id, row.version + 1);
    let is_temporary = change.is_temporary.unwrap_or(row.is_temporary);
    let mut row = row.into_active_model();
    row.name = Set(name);
    row.parent_id = Set(parent_id);
    row.is_temporary = Set(is_temporary);
    row.secretary_name = Set(secretary.name);
    row.secretary_phone = Set(secretary.phone);
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    let mut fact = fact(Event::PartyBranchChanged, &row);
    if from != row.parent_id {
        let named = |id: Option<PartyBranchId>| id.map(|id| id.to_string()).unwrap_or_default();
        fact = fact.detail("fromBranchId", named(from)).detail("toBranchId", named(row.parent_id));
    }
    tx.record(fact).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Erases name and phone of a branch's secretary, for good, and both wherever they stand in its events; the branch may have ended. Only
/// the committee may.
pub async fn erase_secretary(ctx: &Ctx, which: Which, reason: &str) -> Result<Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx).filter(Column::Id.eq(which.id)).lock(HELD).one(&tx.db).await?;
    let before = row.ok_or(Error::NotFound("party_branch"))?;
    ctx.require(&tx.db, Action::EraseBranchSecretary, Target::alliance(before.alliance_id)).await?;
    if let Some(expected) = which.expected_version {
        expect_version(expected, before.version)?;
    }
    let (name, phone) = (before.secretary_name.as_deref(), before.secretary_phone.as_deref());
    let words = Words::of([name, phone]);
    let reason = words.reason(reason, name.is_none_or(|name| name == ERASED) && phone.is_none())?;
    let change = party_branch::ActiveModel {
        secretary_name: Set(Some(ERASED.to_owned())),
        secretary_phone: Set(None),
        version: Set(before.version + 1),
        ..before.clone().into_active_model()
    };
    let row = change.update(&tx.db).await?;
    let events = words.erase_events(&tx, row.id.into()).await?;
    tx.record(fact(Event::BranchSecretaryErased, &row).reason(Some(&reason)).detail("events", events))
        .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Records how many members a branch has on a day; earlier counts stay on record. Only the committee may.
pub async fn count_members(ctx: &Ctx, which: Which, count: i32, on: Option<NaiveDate>) -> Result<Model> {
    let (tx, alliance, row) = open(ctx, which, Action::CountPartyMembers).await?;
    let count = text::within(count, "memberCount", 0, MOST_MEMBERS)?;
    let today = today(&alliance, ctx.now());
    let on = on.unwrap_or(today);
    no_earlier(on, row.counted_on.unwrap_or(row.since_on), "countedOn")?;
    no_later(on, today, "countedOn")?;
    if row.kind == Kind::Branch {
        let sum = groups(&tx, row.id, None).await?;
        if i64::from(count) < sum {
            let refused = Error::invalid(Code::GroupsExceedBranch, "memberCount");
            return Err(refused.with("groups", sum).with("branch", count));
        }
    }
    if let (Kind::PartyGroup, Some(parent)) = (row.kind, row.parent_id) {
        let parent = Entity::find_by_id(parent).one(&tx.db).await?.ok_or(Error::NotFound("party_branch"))?;
        fits(&tx, &parent, Some(row.id), count).await?;
    }
    keep_count(&tx, &row, count, on).await?;
    let (from, version) = (row.member_count, row.version + 1);
    let mut row = row.into_active_model();
    row.member_count = Set(Some(count));
    row.counted_on = Set(Some(on));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(fact(Event::PartyMembersCounted, &row).moved(from, count).detail("countedOn", on.to_string()))
        .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Ends a branch below which none stands any more. Only the committee may.
pub async fn end(ctx: &Ctx, which: Which, until: Option<NaiveDate>, reason: Option<&str>) -> Result<Model> {
    let (tx, alliance, row) = open(ctx, which, Action::EndPartyBranch).await?;
    let reason = text::optional(reason, "reason", 1_000)?;
    let below = Entity::find().filter(Column::ParentId.eq(row.id)).filter(Column::UntilOn.is_null());
    if let Some(child) = below.clone().order_by_asc(Column::Name).one(&tx.db).await? {
        let more = below.count(&tx.db).await?.saturating_sub(1);
        let name = if more == 0 { child.name } else { format!("{} (+{more})", child.name) };
        return Err(Error::refused(Code::OthersStandBelow).with("name", name));
    }
    let hosts = branch_host::Entity::find()
        .filter(branch_host::Column::BranchId.eq(row.id))
        .filter(branch_host::Column::UntilOn.is_null())
        .all(&tx.db)
        .await?;
    let last_below = Entity::find().filter(Column::ParentId.eq(row.id)).order_by_desc(Column::UntilOn);
    let below_until = last_below.one(&tx.db).await?.and_then(|child| child.until_on);
    let hosted = hosts.iter().map(|host| host.since_on);
    let least = hosted.chain(row.counted_on).chain(below_until).fold(row.since_on, std::cmp::Ord::max);
    let today = today(&alliance, ctx.now());
    let until = until.unwrap_or(today);
    no_earlier(until, least, "until")?;
    no_later(until, today, "until")?;
    branch_host::Entity::update_many()
        .col_expr(branch_host::Column::UntilOn, Expr::value(until))
        .filter(branch_host::Column::BranchId.eq(row.id))
        .filter(branch_host::Column::UntilOn.is_null())
        .exec(&tx.db)
        .await?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.until_on = Set(Some(until));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    let fact = fact(Event::PartyBranchEnded, &row).detail("until", until.to_string());
    tx.record(fact.reason(reason.as_deref())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    #[test]
    fn whatever_stands_above_is_of_an_earlier_kind_so_that_no_circle_closes() {
        for kind in Kind::iter() {
            assert!(above(kind).iter().all(|above| *above < kind), "{kind:?}");
        }
    }
}
