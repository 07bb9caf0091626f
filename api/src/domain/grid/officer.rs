//! Who holds a cell: a person of a member unit, in a role, from one day up to another. One person may hold several roles; of each role a
//! cell has one main officer at a time.

use std::collections::HashSet;

use chrono::NaiveDate;
use concord_entities::{
    grid_cell,
    grid_officer::{self, Column, Entity, Model, Role},
    id::{GridCellId, GridOfficerId, OrganizationId},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use super::{from, hold_cell, near, no_earlier, standing, territory, visible_officers};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    fact::erasure::Words,
    governance::{
        alliance::{self, expect_version},
        membership,
    },
    privacy::ERASED,
    rotation::timetable::today,
    text,
};

/// Longest name.
const NAME: usize = 64;
/// Longest phone.
const PHONE: usize = 32;

/// Whom to assign.
#[derive(Clone, Debug)]
pub struct NewOfficer {
    pub organization_id: OrganizationId,
    pub role: Role,
    pub name: String,
    pub phone: Option<String>,
    pub is_main: bool,
    /// The first day; today where absent.
    pub since: Option<NaiveDate>,
}

/// Assigns a person to a cell. Only the committee may.
pub async fn assign(ctx: &Ctx, cell: GridCellId, new: NewOfficer) -> Result<Model> {
    let tx = ctx.begin().await?;
    let cell = hold_cell(&tx, cell).await?;
    ctx.require(&tx.db, Action::AssignGridOfficer, Target::alliance(cell.alliance_id)).await?;
    let row = insert(&tx, &cell, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Assigns a person within a unit of work whose rights were checked and that holds the network.
pub async fn insert(tx: &Tx<'_>, cell: &grid_cell::Model, new: NewOfficer) -> Result<Model> {
    standing(cell.until_on)?;
    let name = text::required(&new.name, "name", NAME)?;
    let phone = text::optional(new.phone.as_deref(), "phone", PHONE)?;
    membership::hold_active(tx, cell.alliance_id, new.organization_id, "organizationId").await?;
    let today = today(&territory(&tx.db, cell.alliance_id).await?.0, tx.ctx.now());
    let since = new.since.unwrap_or(today);
    near(since, today, "since")?;
    no_earlier(since, cell.since_on, "since")?;
    let beside = Entity::find()
        .filter(Column::CellId.eq(cell.id))
        .filter(Column::Role.eq(new.role))
        .filter(from(Column::SinceOn, Column::UntilOn, since))
        .all(&tx.db)
        .await?;
    if beside
        .iter()
        .any(|row| row.name == name && row.phone == phone && row.organization_id == new.organization_id)
    {
        return Err(Error::invalid(Code::AlreadyExists, "name"));
    }
    if let Some(main) = beside.iter().find(|row| new.is_main && row.is_main) {
        return Err(Error::invalid(Code::MainOfficerTaken, "isMain").with("since", main.since_on));
    }
    let row = grid_officer::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(cell.alliance_id),
        cell_id: Set(cell.id),
        organization_id: Set(new.organization_id),
        role: Set(new.role),
        name: Set(name),
        phone: Set(phone),
        is_main: Set(new.is_main),
        since_on: Set(since),
        until_on: Set(None),
        created_at: Set(tx.ctx.now()),
        created_by: Set(tx.ctx.author()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(fact(Event::GridOfficerAssigned, &row).detail("since", since.to_string())).await?;
    Ok(row)
}

/// Erases name and phone of whoever held a post that has ended, for good, and of the same person in other posts of the alliance that have
/// ended, told by name and phone; the posts stay. Only the committee may.
pub async fn erase(
    ctx: &Ctx,
    id: GridOfficerId,
    expected_version: Option<i64>,
    reason: &str,
) -> Result<Model> {
    // Who it is is read ahead of the unit of work; the version tells whether that still stands.
    let before = super::find_officer(ctx, id).await?.ok_or(Error::NotFound("grid_officer"))?;
    let tx = ctx.begin().await?;
    // Several posts change: those of one alliance one after the other.
    alliance::hold(&tx, before.alliance_id).await?;
    ctx.require(&tx.db, Action::EraseGridOfficer, Target::alliance(before.alliance_id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, before.version)?;
    }
    if before.until_on.is_none() {
        return Err(Error::refused(Code::StateRefused).with("state", "standing"));
    }
    let words = Words::of([Some(before.name.as_str()), before.phone.as_deref()]);
    let reason = words.reason(reason, before.name == ERASED && before.phone.is_none())?;
    let mut same = Condition::any().add(Column::Id.eq(id).and(Column::Version.eq(before.version)));
    if let Some(phone) = &before.phone {
        let person = Condition::all()
            .add(Column::AllianceId.eq(before.alliance_id))
            .add(Column::UntilOn.is_not_null())
            .add(Column::Name.eq(&before.name))
            .add(Column::Phone.eq(phone));
        same = same.add(person);
    }
    let rows = Entity::update_many()
        .col_expr(Column::Name, Expr::value(ERASED))
        .col_expr(Column::Phone, Expr::value(Option::<String>::None))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(same)
        .exec_with_returning(&tx.db)
        .await?;
    let cells: HashSet<Uuid> = rows.iter().map(|row| row.cell_id.into()).collect();
    let erased = words.erase_events_about(&tx, cells).await?;
    tx.record_all(rows.iter().map(|row| {
        let events = erased.iter().filter(|cell| **cell == row.cell_id.0).count();
        fact(Event::GridOfficerErased, row).reason(Some(&reason)).detail("events", events)
    }))
    .await?;
    let row = rows.into_iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| Error::refused(Code::VersionConflict).with("current", before.version + 1))?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// A fact about a post, told of its cell. Who holds it is nobody's to read there.
fn fact(kind: Event, row: &Model) -> Fact {
    Fact::of(kind, row.cell_id)
        .alliance(row.alliance_id)
        .organizations([row.organization_id])
        .detail("role", row.role.to_value())
        .detail("officerId", row.id.to_string())
}

/// Ends a post; it stays on record. Only the committee may.
pub async fn end(
    ctx: &Ctx,
    id: GridOfficerId,
    expected_version: Option<i64>,
    until: Option<NaiveDate>,
) -> Result<Model> {
    let tx = ctx.begin().await?;
    let seen = async || -> Result<Model> {
        let row = visible_officers(ctx).filter(Column::Id.eq(id)).one(&tx.db).await?;
        row.ok_or(Error::NotFound("grid_officer"))
    };
    hold_cell(&tx, seen().await?.cell_id).await?;
    let row = seen().await?;
    ctx.require(&tx.db, Action::EndGridOfficer, Target::alliance(row.alliance_id)).await?;
    if let Some(expected) = expected_version {
        expect_version(expected, row.version)?;
    }
    standing(row.until_on)?;
    let today = today(&territory(&tx.db, row.alliance_id).await?.0, ctx.now());
    // Who was to hold it from later on never does.
    let until = until.unwrap_or_else(|| Ord::max(today, row.since_on));
    near(until, today, "until")?;
    no_earlier(until, row.since_on, "until")?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.until_on = Set(Some(until));
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(fact(Event::GridOfficerEnded, &row).detail("until", until.to_string())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
