//! Instructors (党建指导员): a person of a member unit who serves a place that has no branch, from one day up to another.

use chrono::NaiveDate;
use concord_entities::{
    branch_instructor::{self, Column, Entity, Model},
    id::{AllianceId, BranchInstructorId, OrganizationId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::{
    PERSON, PHONE,
    host::{self, NewHost},
    no_earlier, standing, visible_instructors,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, HELD, Result, Target,
    fact::erasure::Words,
    governance::{
        alliance::{expect_version, hold},
        membership,
    },
    privacy::ERASED,
    rotation::timetable::{no_later, today},
    text,
};

/// An instructor to appoint.
#[derive(Clone, Debug)]
pub struct NewInstructor {
    pub organization_id: OrganizationId,
    pub name: String,
    pub phone: Option<String>,
    /// What is served: a region, a cell, a member, or a market by its name.
    pub place: NewHost,
    /// The first day; today where absent.
    pub since: Option<NaiveDate>,
}

/// Appoints an instructor. Only the committee may.
pub async fn appoint(ctx: &Ctx, alliance_id: AllianceId, new: NewInstructor) -> Result<Model> {
    let tx = ctx.begin().await?;
    let alliance = hold(&tx, alliance_id).await?;
    ctx.require(&tx.db, Action::AppointBranchInstructor, Target::alliance(alliance_id)).await?;
    let name = text::required(&new.name, "name", PERSON)?;
    let phone = text::optional(new.phone.as_deref(), "phone", PHONE)?;
    membership::require_active(&tx.db, alliance_id, new.organization_id, "organizationId").await?;
    let checked = host::check(&tx, &alliance, std::slice::from_ref(&new.place)).await;
    checked.map_err(|error| error.at("place"))?;
    let (mut region, mut cell, mut served, mut market) = (None, None, None, None);
    match new.place {
        NewHost::Region(id) => region = Some(id),
        NewHost::Cell(id) => cell = Some(id),
        NewHost::Organization(id) => served = Some(id),
        NewHost::Place(_, name) => market = Some(name.trim().to_owned()),
    }
    let today = today(&alliance, ctx.now());
    let since = new.since.unwrap_or(today);
    no_later(since, today, "since")?;
    let same = Condition::all()
        .add(Column::AllianceId.eq(alliance_id))
        .add(Column::Name.eq(&name))
        .add(Column::OrganizationId.eq(new.organization_id))
        .add_option(region.map(|id| Column::RegionId.eq(id)))
        .add_option(cell.map(|id| Column::CellId.eq(id)))
        .add_option(served.map(|id| Column::ServedOrganizationId.eq(id)))
        .add_option(market.clone().map(|name| Column::Market.eq(name)))
        .add(Condition::any().add(Column::UntilOn.is_null()).add(Column::UntilOn.gt(since)));
    let beside = Entity::find().filter(same).all(&tx.db).await?;
    if beside.iter().any(|row| row.phone == phone) {
        return Err(Error::invalid(Code::AlreadyExists, "name"));
    }
    let row = branch_instructor::ActiveModel {
        id: Set(ctx.new_id()),
        alliance_id: Set(alliance_id),
        organization_id: Set(new.organization_id),
        name: Set(name),
        phone: Set(phone),
        region_id: Set(region),
        cell_id: Set(cell),
        served_organization_id: Set(served),
        market: Set(market),
        since_on: Set(since),
        until_on: Set(None),
        created_at: Set(ctx.now()),
        created_by: Set(ctx.author()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(fact(Event::BranchInstructorAppointed, &row).detail("since", since.to_string())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Erases name and phone of an instructor whose service has ended, for good; the service stays on record. Only the committee may.
pub async fn erase(
    ctx: &Ctx,
    id: BranchInstructorId,
    expected_version: Option<i64>,
    reason: &str,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let row = visible_instructors(ctx).filter(Column::Id.eq(id)).lock(HELD).one(&tx.db).await?;
    let before = row.ok_or(Error::NotFound("branch_instructor"))?;
    ctx.require(&tx.db, Action::EraseBranchInstructor, Target::alliance(before.alliance_id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, before.version)?;
    }
    if before.until_on.is_none() {
        return Err(Error::refused(Code::StateRefused).with("state", "standing"));
    }
    let words = Words::of([Some(before.name.as_str()), before.phone.as_deref()]);
    let reason = words.reason(reason, before.name == ERASED && before.phone.is_none())?;
    let change = branch_instructor::ActiveModel {
        name: Set(ERASED.to_owned()),
        phone: Set(None),
        version: Set(before.version + 1),
        ..before.clone().into_active_model()
    };
    let row = change.update(&tx.db).await?;
    let events = words.erase_events(&tx, row.id.into()).await?;
    tx.record(fact(Event::BranchInstructorErased, &row).reason(Some(&reason)).detail("events", events))
        .await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// A fact about an instructor; who it is stands nowhere in it.
fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.id).alliance(row.alliance_id).organizations([row.organization_id])
}

/// Ends an instructor's service; it stays on record. Only the committee may.
pub async fn end(
    ctx: &Ctx,
    id: BranchInstructorId,
    expected_version: Option<i64>,
    until: Option<NaiveDate>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let seen = async || -> Result<Model> {
        let row = visible_instructors(ctx).filter(Column::Id.eq(id)).one(&tx.db).await?;
        row.ok_or(Error::NotFound("branch_instructor"))
    };
    let alliance = hold(&tx, seen().await?.alliance_id).await?;
    let row = seen().await?;
    ctx.require(&tx.db, Action::EndBranchInstructor, Target::alliance(alliance.id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, row.version)?;
    }
    standing(row.until_on)?;
    let today = today(&alliance, ctx.now());
    let until = until.unwrap_or(today);
    no_earlier(until, row.since_on, "until")?;
    no_later(until, today, "until")?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.until_on = Set(Some(until));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(fact(Event::BranchInstructorEnded, &row).detail("until", until.to_string())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
