//! Party branches (党组织) of an alliance: found and listed, and what their tree comes to. They are established, changed, counted and ended in
//! `steps`; where they are at home stands in `host`, what they serve in `matter`, instructors in `instructor`, what is covered in
//! `coverage`. Members are numbers here, never people.

pub mod coverage;
pub mod host;
pub mod instructor;
pub mod matter;
pub mod steps;

use std::collections::HashMap;

use chrono::NaiveDate;
use concord_entities::{
    branch_host, branch_instructor, branch_matter,
    id::{AllianceId, BranchInstructorId, PartyBranchId},
    party_branch::{Column, Entity, Kind, Model},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, SelectStatement},
};

use self::matter::Matter;
use crate::domain::{
    Code, Ctx, Error, Result,
    page::{self, Order, Page},
    scope, text,
};

/// Longest name of a branch.
const NAME: usize = 128;
/// Longest name of a person.
const PERSON: usize = 64;
/// Longest phone.
const PHONE: usize = 32;

/// The branches that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId))
}

/// The instructors that the caller may see.
pub fn visible_instructors(ctx: &Ctx) -> Select<branch_instructor::Entity> {
    branch_instructor::Entity::find().filter(scope::in_alliances(ctx, branch_instructor::Column::AllianceId))
}

/// One branch, if the caller may see it.
pub async fn find(ctx: &Ctx, id: PartyBranchId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One instructor, if the caller may see it.
pub async fn find_instructor(ctx: &Ctx, id: BranchInstructorId) -> Result<Option<branch_instructor::Model>> {
    Ok(visible_instructors(ctx).filter(branch_instructor::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which branches to list; what is absent does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance_id: Option<AllianceId>,
    pub kind: Option<Kind>,
    /// Directly below this one.
    pub parent_id: Option<PartyBranchId>,
    /// Below none, or below some.
    pub is_top: Option<bool>,
    /// Without an end, or with one.
    pub is_standing: Option<bool>,
    pub is_temporary: Option<bool>,
    /// With several hosts, or not.
    pub is_joint: Option<bool>,
    /// On a ship or in a fleet and in no region, or not.
    pub is_afloat: Option<bool>,
    pub name_contains: Option<String>,
    /// That serve this.
    pub matter: Option<Matter>,
}

/// The hosts that a branch has now.
fn hosts_now() -> Select<branch_host::Entity> {
    branch_host::Entity::find()
        .select_only()
        .column(branch_host::Column::BranchId)
        .filter(branch_host::Column::UntilOn.is_null())
}

/// Branches with several hosts.
fn joint() -> SelectStatement {
    let several = Func::count(Expr::col((branch_host::Entity, branch_host::Column::Id)));
    hosts_now().group_by(branch_host::Column::BranchId).having(Expr::expr(several).gt(1)).into_query()
}

/// Kinds of hosts at sea, and those on land that tie a branch to a place.
const AT_SEA: [branch_host::Kind; 2] = [branch_host::Kind::Ship, branch_host::Kind::Fleet];
const ON_LAND: [branch_host::Kind; 3] =
    [branch_host::Kind::Region, branch_host::Kind::Compound, branch_host::Kind::GridCell];

/// Whether hosts of these kinds make a branch afloat: on a ship or in a fleet, and in no region.
pub fn is_afloat(hosts: &[branch_host::Kind]) -> bool {
    hosts.iter().any(|kind| AT_SEA.contains(kind)) && !hosts.iter().any(|kind| ON_LAND.contains(kind))
}

fn afloat() -> Condition {
    let of = |kinds: &[branch_host::Kind]| {
        hosts_now().filter(branch_host::Column::Kind.is_in(kinds.iter().copied())).into_query()
    };
    Condition::all().add(Column::Id.in_subquery(of(&AT_SEA))).add(Column::Id.not_in_subquery(of(&ON_LAND)))
}

/// The branches that fit, by their names.
pub fn listed(ctx: &Ctx, filter: &Filter) -> Result<(Select<Entity>, Order<Column>)> {
    let part = text::optional(filter.name_contains.as_deref(), "filter.nameContains", NAME)?;
    let whether = |wanted: Option<bool>, holds: Condition| {
        wanted.map(|wanted| if wanted { holds } else { holds.not() })
    };
    let all = Condition::all;
    let wanted = all()
        .add_option(filter.alliance_id.map(|id| Column::AllianceId.eq(id)))
        .add_option(filter.kind.map(|kind| Column::Kind.eq(kind)))
        .add_option(filter.parent_id.map(|id| Column::ParentId.eq(id)))
        .add_option(whether(filter.is_top, all().add(Column::ParentId.is_null())))
        .add_option(whether(filter.is_standing, all().add(Column::UntilOn.is_null())))
        .add_option(filter.is_temporary.map(|temporary| Column::IsTemporary.eq(temporary)))
        .add_option(whether(filter.is_joint, all().add(Column::Id.in_subquery(joint()))))
        .add_option(whether(filter.is_afloat, afloat()))
        .add_option(part.map(|part| text::contains(Column::Name, &part)))
        .add_option(filter.matter.map(|matter| {
            let serving = branch_matter::Entity::find()
                .select_only()
                .column(branch_matter::Column::BranchId)
                .filter(matter.is())
                .filter(branch_matter::Column::UnlinkedAt.is_null())
                .into_query();
            Column::Id.in_subquery(serving)
        }));
    Ok((visible(ctx).filter(wanted), Order { column: Column::Name, descending: false }))
}

/// The branches that the caller may see, by their names.
pub async fn list(ctx: &Ctx, filter: &Filter, args: &page::Args) -> Result<Page<Entity>> {
    ctx.require_signed_in()?;
    let (select, order) = listed(ctx, filter)?;
    page::fetch(ctx, select, order, Column::Id, args).await
}

/// A standing branch as its tree needs it.
#[derive(Clone, Copy, Debug)]
pub struct Twig {
    pub id: PartyBranchId,
    pub parent_id: Option<PartyBranchId>,
    pub kind: Kind,
    pub is_temporary: bool,
    pub member_count: Option<i32>,
}

/// The members in what stands below each branch: of each directly below it its own count, or, where that is more or it has none, what comes
/// together below that one. Pure.
pub fn members_below(twigs: &[Twig]) -> HashMap<PartyBranchId, i64> {
    let mut below: HashMap<PartyBranchId, i64> = HashMap::with_capacity(twigs.len());
    let mut order: Vec<&Twig> = twigs.iter().collect();
    // Groups first: whatever stands above another is of an earlier kind.
    order.sort_by_key(|twig| std::cmp::Reverse(twig.kind));
    for twig in order {
        let own = twig.member_count.map_or(0, i64::from);
        let whole = Ord::max(own, below.get(&twig.id).copied().unwrap_or_default());
        if let Some(parent) = twig.parent_id {
            *below.entry(parent).or_default() += whole;
        }
    }
    below
}

/// The standing branches of an alliance and of those below it.
pub async fn twigs(ctx: &Ctx, alliance: AllianceId) -> Result<Vec<Twig>> {
    type Row = (PartyBranchId, Option<PartyBranchId>, Kind, bool, Option<i32>);
    let rows: Vec<Row> = visible(ctx)
        .select_only()
        .columns([Column::Id, Column::ParentId, Column::Kind, Column::IsTemporary, Column::MemberCount])
        .filter(scope::at_or_below(Column::AllianceId, alliance))
        .filter(Column::UntilOn.is_null())
        .into_tuple()
        .all(ctx.read())
        .await?;
    let twig = |(id, parent_id, kind, is_temporary, member_count)| Twig {
        id,
        parent_id,
        kind,
        is_temporary,
        member_count,
    };
    Ok(rows.into_iter().map(twig).collect())
}

/// How many standing branches an alliance and those below it have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub committees: i64,
    pub general_branches: i64,
    pub branches: i64,
    pub groups: i64,
    pub temporary: i64,
    pub joint: i64,
    pub afloat: i64,
    /// Members of all of them, each counted once.
    pub members: i64,
}

/// Counts the standing branches of an alliance and of those below it.
pub async fn counts(ctx: &Ctx, alliance: AllianceId) -> Result<Counts> {
    let twigs = twigs(ctx, alliance).await?;
    let hosts: Vec<(PartyBranchId, branch_host::Kind)> = branch_host::Entity::find()
        .select_only()
        .columns([branch_host::Column::BranchId, branch_host::Column::Kind])
        .filter(scope::in_alliances(ctx, branch_host::Column::AllianceId))
        .filter(scope::at_or_below(branch_host::Column::AllianceId, alliance))
        .filter(branch_host::Column::UntilOn.is_null())
        .into_tuple()
        .all(ctx.read())
        .await?;
    let mut kinds: HashMap<PartyBranchId, Vec<branch_host::Kind>> = HashMap::new();
    for (branch, kind) in hosts {
        kinds.entry(branch).or_default().push(kind);
    }
    let below = members_below(&twigs);
    let mut counts = Counts::default();
    for twig in &twigs {
        match twig.kind {
            Kind::Committee => counts.committees += 1,
            Kind::GeneralBranch => counts.general_branches += 1,
            Kind::Branch => counts.branches += 1,
            Kind::PartyGroup => counts.groups += 1,
        }
        counts.temporary += i64::from(twig.is_temporary);
        let hosts = kinds.get(&twig.id).map(Vec::as_slice).unwrap_or_default();
        counts.joint += i64::from(hosts.len() > 1);
        counts.afloat += i64::from(is_afloat(hosts));
        if twig.parent_id.is_none() {
            let own = twig.member_count.map_or(0, i64::from);
            counts.members += Ord::max(own, below.get(&twig.id).copied().unwrap_or_default());
        }
    }
    Ok(counts)
}

/// Turns away a day earlier than what came before allows.
fn no_earlier(on: NaiveDate, least: NaiveDate, field: &'static str) -> Result<()> {
    if on >= least { Ok(()) } else { Err(Error::invalid(Code::TooEarly, field).with("least", least)) }
}

/// Turns away a change of what has an end already.
fn standing(until: Option<NaiveDate>) -> Result<()> {
    match until {
        None => Ok(()),
        Some(_) => Err(Error::refused(Code::StateRefused).with("state", "ended")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twig(id: u128, parent: u128, kind: Kind, count: Option<i32>) -> Twig {
        let of = |id| PartyBranchId(uuid::Uuid::from_u128(id));
        let parent_id = (parent > 0).then(|| of(parent));
        Twig { id: of(id), parent_id, kind, is_temporary: false, member_count: count }
    }

    #[test]
    fn members_come_together_upwards_and_each_counts_once() {
        let tree = [
            twig(1, 0, Kind::Committee, None),
            twig(2, 1, Kind::GeneralBranch, Some(5)),
            twig(3, 2, Kind::Branch, Some(30)),
            twig(4, 3, Kind::PartyGroup, Some(12)),
            twig(5, 3, Kind::PartyGroup, Some(10)),
            twig(6, 1, Kind::Branch, None),
            twig(7, 6, Kind::PartyGroup, Some(3)),
        ];
        let below = members_below(&tree);
        let of = |id| below.get(&PartyBranchId(uuid::Uuid::from_u128(id))).copied();
        assert_eq!([of(3), of(2), of(1), of(6), of(4)], [Some(22), Some(30), Some(33), Some(3), None]);
    }

    #[test]
    fn a_ship_with_a_community_is_not_afloat() {
        use branch_host::Kind::{Cooperative, Fleet, Market, Region, Ship};
        assert!(is_afloat(&[Fleet]) && is_afloat(&[Ship, Cooperative]));
        assert!(!is_afloat(&[Fleet, Region]) && !is_afloat(&[Market]) && !is_afloat(&[]));
    }
}
