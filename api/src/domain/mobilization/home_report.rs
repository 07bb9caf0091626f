//! Home reports (双报到): an in-service member reports to their home community, whether or not anything is ordered. To the outside there
//! is a number for each unit and community; who it is, nobody is told.

use concord_entities::{
    alliance,
    home_report::{self, Column, Entity, Model},
    id::{AllianceId, HomeReportId, OrganizationId, RegionId},
    region::{self, Level},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::{
    check_in::Caller,
    pairing::{path_of, within},
    person,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Tx, governance, governance::membership, scope,
    territory::region::require_within,
};

/// Most numbers of an answer.
pub const MOST: u64 = 500;

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It stands now.
    Reported,
    /// It stood already.
    Duplicate,
    /// One elsewhere, or of another unit, gave way to it.
    Moved,
}

/// A member who reports.
#[derive(Clone, Debug)]
pub struct NewHomeReport {
    pub alliance_id: AllianceId,
    pub person: String,
    pub organization_id: OrganizationId,
    pub region_id: RegionId,
}

fn visible(ctx: &Ctx) -> Select<Entity> {
    Entity::find().filter(scope::in_alliances(ctx, Column::AllianceId)).filter(Column::EndedAt.is_null())
}

/// How many members of a unit stand reported to a community, or to a place in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    pub organization_id: OrganizationId,
    pub region_id: RegionId,
    pub members: i64,
}

/// Which reports are counted: those of an alliance, of a unit, at a region or below it.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    pub alliance_id: AllianceId,
    pub organization_id: Option<OrganizationId>,
    pub region_id: Option<RegionId>,
}

async fn counted(ctx: &Ctx, which: Counted) -> Result<Select<Entity>> {
    let mut select = visible(ctx).filter(Column::AllianceId.eq(which.alliance_id));
    if let Some(organization) = which.organization_id {
        select = select.filter(Column::OrganizationId.eq(organization));
    }
    if let Some(region) = which.region_id {
        select = select.filter(within(ctx, Column::RegionId, &path_of(ctx, region).await?));
    }
    Ok(select)
}

/// How many members stand reported.
pub async fn count(ctx: &Ctx, which: Counted) -> Result<u64> {
    Ok(counted(ctx, which).await?.count(ctx.read()).await?)
}

/// How many of each unit at each place, the greatest number first, at most `MOST`.
pub async fn numbers(ctx: &Ctx, which: Counted) -> Result<Vec<Number>> {
    let rows: Vec<(OrganizationId, RegionId, i64)> = counted(ctx, which)
        .await?
        .select_only()
        .columns([Column::OrganizationId, Column::RegionId])
        .expr_as(Column::Id.count(), "members")
        .group_by(Column::OrganizationId)
        .group_by(Column::RegionId)
        .order_by_desc(Column::Id.count())
        .order_by_asc(Column::OrganizationId)
        .order_by_asc(Column::RegionId)
        .limit(MOST)
        .into_tuple()
        .all(ctx.read())
        .await?;
    let number = |(organization_id, region_id, members)| Number { organization_id, region_id, members };
    Ok(rows.into_iter().map(number).collect())
}

/// An alliance under which somebody reports: it gives turns to whoever reports, and its key makes the digest.
async fn begin(ctx: &Ctx, of: AllianceId) -> Result<(Tx<'_>, alliance::Model, Caller)> {
    let tx = ctx.begin().await?;
    let alliance = governance::alliance::visible(ctx).filter(alliance::Column::Id.eq(of));
    let alliance = alliance.lock(HELD).one(&tx.db).await?.ok_or(Error::NotFound("alliance"))?;
    let caller = Caller::find(&tx, alliance.id, Action::ReportHome).await?;
    Ok((tx, alliance, caller))
}

async fn standing(tx: &Tx<'_>, alliance: AllianceId, digest: &[u8]) -> Result<Option<Model>> {
    Ok(Entity::find()
        .filter(Column::AllianceId.eq(alliance))
        .filter(Column::Person.eq(digest.to_vec()))
        .filter(Column::EndedAt.is_null())
        .one(&tx.db)
        .await?)
}

/// Reports a member to their home community; a report elsewhere gives way.
pub async fn report(ctx: &Ctx, new: NewHomeReport) -> Result<Reported> {
    let (tx, alliance, caller) = begin(ctx, new.alliance_id).await?;
    let digest =
        person::digest(&person::salt(&tx, alliance.id).await?, person::check(&new.person, "person")?);
    require_within(&tx.db, new.region_id, alliance.region_id).await?;
    let place = region::Entity::find_by_id(new.region_id).one(&tx.db).await?;
    let place = place.ok_or(Error::NotFound("region"))?;
    if place.level < Level::Village {
        return Err(Error::invalid(Code::RegionAboveCommunity, "regionId"));
    }
    if !caller.may(Some(new.organization_id), &place.path) {
        return Err(Error::Forbidden);
    }
    membership::require_active(&tx.db, alliance.id, new.organization_id, "organizationId").await?;
    let before = standing(&tx, alliance.id, &digest).await?;
    if before.as_ref().is_some_and(|row| !caller.moves(Some(row.organization_id))) {
        return Err(Error::Forbidden);
    }
    let outcome = match &before {
        Some(row) if row.organization_id == new.organization_id && row.region_id == new.region_id => {
            // Nothing was recorded: under its key stands the alliance alone.
            tx.commit(alliance.id).await?;
            return Ok(Reported::Duplicate);
        }
        Some(row) => {
            leave(&tx, row).await?;
            Reported::Moved
        }
        None => Reported::Reported,
    };
    let row = home_report::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(alliance.id),
        organization_id: Set(new.organization_id),
        region_id: Set(new.region_id),
        person: Set(digest),
        reported_at: Set(ctx.now()),
        reported_by: Set(ctx.author()),
        is_move: Set(outcome == Reported::Moved),
        ended_at: Set(None),
        ended_by: Set(None),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(fact(Event::HomeReported, &row)).await?;
    tx.commit(row.id).await?;
    Ok(outcome)
}

/// What a report was answered that is sent again under its key.
pub async fn replayed(ctx: &Ctx, result: Option<Uuid>) -> Result<Reported> {
    let id = result.ok_or(Error::NotFound("object"))?;
    let row = Entity::find_by_id(HomeReportId(id)).filter(scope::in_alliances(ctx, Column::AllianceId));
    if let Some(row) = row.one(ctx.read()).await? {
        return Ok(if row.is_move { Reported::Moved } else { Reported::Reported });
    }
    let alliance = governance::alliance::find_of_reach(ctx, AllianceId(id)).await?;
    alliance.map(|_| Reported::Duplicate).ok_or(Error::NotFound("object"))
}

async fn leave(tx: &Tx<'_>, row: &Model) -> Result<()> {
    let change = home_report::ActiveModel {
        ended_at: Set(Some(tx.ctx.now())),
        ended_by: Set(tx.ctx.author()),
        ..row.clone().into_active_model()
    };
    change.update(&tx.db).await?;
    Ok(())
}

/// Ends a member's report to their home community.
pub async fn end(ctx: &Ctx, of: AllianceId, person: &str) -> Result<()> {
    let (tx, alliance, caller) = begin(ctx, of).await?;
    let digest = person::digest(&person::salt(&tx, alliance.id).await?, person::known(person, "person")?);
    let row = standing(&tx, alliance.id, &digest).await?;
    let row = row.filter(|row| caller.moves(Some(row.organization_id)));
    let row = row.ok_or_else(|| Error::invalid(Code::NotReportedHome, "person"))?;
    let place = region::Entity::find_by_id(row.region_id).one(&tx.db).await?;
    if !caller.may(Some(row.organization_id), &place.ok_or(Error::NotFound("region"))?.path) {
        return Err(Error::Forbidden);
    }
    leave(&tx, &row).await?;
    tx.record(fact(Event::HomeReportEnded, &row)).await?;
    tx.commit(row.id).await?;
    Ok(())
}

fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id)
        .alliance(row.alliance_id)
        .organizations([row.organization_id])
        .detail("organizationId", row.organization_id.to_string())
        .detail("regionId", row.region_id.to_string())
}
