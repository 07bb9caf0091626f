//! Seats of organisations in alliances: applied for or offered, admitted, suspended, ended. A seat that ended stays on
//! record; whoever comes back gets a new one.
//!
//! Who speaks for an organisation towards an alliance that it is not in: its managers where it has been a member the
//! longest. A seat that another alliance gives has power there alone, so nobody can appoint a speaker for a unit they
//! invited.

use std::collections::HashSet;

use concord_entities::{
    account, alliance, branch_host, branch_instructor, grid_officer, home_report,
    id::{AccountId, AllianceId, MembershipId, OrganizationId, RegionId},
    membership::{self, State},
    mobilization, mobilization_unit,
    organization::{self, Kind},
    pairing, seat, service_team, service_team_member, whistle, whistle_response,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, LockType, Query},
};

use super::{alliance as alliances, alliance::expect_version, organization as organizations};
mod join;
pub mod states;
mod steps;

pub use self::{
    join::{Invitee, admit, apply, invite, seat_at_once},
    steps::{accept, admit_member, decline_application, decline_invitation, end, restore, suspend},
};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, HELD, Result, Target, Tx,
    list::transition::Step,
    page::{self, Order, Page},
    scope, text,
};

/// The memberships of the alliances that the caller may see, and those of the organisations the caller speaks for.
pub fn visible(ctx: &Ctx) -> Select<membership::Entity> {
    let mut seen =
        Condition::any().add(scope::in_alliances(ctx, membership::Column::AllianceId)).add(spoken_for(ctx));
    if let Some(administrator) = alliances::administrator(ctx) {
        seen = seen.add(administrator);
    }
    membership::Entity::find().filter(seen)
}

/// One membership, if the caller may see it.
pub async fn find(ctx: &Ctx, id: MembershipId) -> Result<Option<membership::Model>> {
    Ok(visible(ctx).filter(membership::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which memberships a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub alliance: Option<AllianceId>,
    pub organization: Option<OrganizationId>,
    pub states: Vec<State>,
    pub kinds: Vec<Kind>,
    pub name_contains: Option<String>,
}

/// The memberships that the caller may see.
pub async fn list(
    ctx: &Ctx,
    filter: &Filter,
    order: Order<membership::Column>,
    args: &page::Args,
) -> Result<Page<membership::Entity>> {
    ctx.require_signed_in()?;
    page::fetch(ctx, listed(ctx, filter)?, order, membership::Column::Id, args).await
}

/// What such a list holds.
pub fn listed(ctx: &Ctx, filter: &Filter) -> Result<Select<membership::Entity>> {
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance {
        select = select.filter(membership::Column::AllianceId.eq(alliance));
    }
    if let Some(organization) = filter.organization {
        // A unit that was only invited is not told to be there by its id either.
        let known = organizations::visible(ctx).select_only().column(organization::Column::Id).into_query();
        select = select.filter(membership::Column::OrganizationId.eq(organization)).filter(
            Condition::any()
                .add(membership::Column::IsUnitKnown.eq(true))
                .add(membership::Column::OrganizationId.in_subquery(known)),
        );
    }
    if !filter.states.is_empty() {
        select = select.filter(membership::Column::State.is_in(filter.states.iter().copied()));
    }
    let name = text::optional(filter.name_contains.as_deref(), "filter.nameContains", 200)?;
    if name.is_some() || !filter.kinds.is_empty() {
        // Only units that the caller sees: a filter must not tell what is hidden.
        let mut units = organizations::visible(ctx).select_only().column(organization::Column::Id);
        if !filter.kinds.is_empty() {
            units = units.filter(organization::Column::Kind.is_in(filter.kinds.iter().copied()));
        }
        if let Some(part) = name {
            units = units.filter(
                Condition::any()
                    .add(text::contains(organization::Column::Name, &part))
                    .add(text::contains(organization::Column::ShortName, &part)),
            );
        }
        select = select.filter(membership::Column::OrganizationId.in_subquery(units.into_query()));
    }
    Ok(select)
}

/// The person a member names as liaison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    pub name: Option<String>,
    pub title: Option<String>,
    pub phone: Option<String>,
}

impl Contact {
    /// The contact as it is stored, or what is wrong with it.
    pub fn checked(&self) -> Result<Self> {
        Ok(Self {
            name: text::optional(self.name.as_deref(), "contactName", 64)?,
            title: text::optional(self.title.as_deref(), "contactTitle", 64)?,
            phone: text::optional(self.phone.as_deref(), "contactPhone", 32)?,
        })
    }
}

/// What changes of a contact; absent stays, empty clears.
#[derive(Clone, Debug, Default)]
pub struct ContactChange {
    pub name: Option<Option<String>>,
    pub title: Option<Option<String>>,
    pub phone: Option<Option<String>>,
}

/// Changes the contact that a member names.
pub async fn update_contact(
    ctx: &Ctx,
    id: MembershipId,
    expected: i64,
    change: ContactChange,
) -> Result<membership::Model> {
    let tx = ctx.begin().await?;
    let row = lock(&tx, id).await?;
    let target = Target::alliance(row.alliance_id);
    ctx.require(&tx.db, Action::UpdateMemberContact, target.of(&[row.organization_id])).await?;
    if row.ended_at.is_some() {
        return Err(refused_state(row.state));
    }
    expect_version(expected, row.version)?;
    let given = Contact {
        name: change.name.clone().flatten(),
        title: change.title.clone().flatten(),
        phone: change.phone.clone().flatten(),
    };
    let given = given.checked()?;
    // What stays was checked when it was given.
    let contact = Contact {
        name: change.name.map_or_else(|| row.contact_name.clone(), |_| given.name),
        title: change.title.map_or_else(|| row.contact_title.clone(), |_| given.title),
        phone: change.phone.map_or_else(|| row.contact_phone.clone(), |_| given.phone),
    };
    let row = set_contact(&tx, row, contact).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Writes a contact that was checked, within a unit of work whose rights were.
pub async fn set_contact(tx: &Tx<'_>, row: membership::Model, contact: Contact) -> Result<membership::Model> {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.contact_name = Set(contact.name);
    row.contact_title = Set(contact.title);
    row.contact_phone = Set(contact.phone);
    row.version = Set(version);
    let row = row.update(&tx.db).await?;
    tx.record(
        Fact::of(Event::MembershipContactUpdated, row.id)
            .alliance(row.alliance_id)
            .organizations([row.organization_id]),
    )
    .await?;
    Ok(row)
}

/// Turns away an organisation that is not an active member.
pub async fn require_active(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    organization: OrganizationId,
    field: &'static str,
) -> Result<()> {
    require_all_active(db, alliance, &[organization], field).await
}

/// The same, and holds its membership, so that whoever ends it waits and sees what came of it.
pub async fn hold_active(
    tx: &Tx<'_>,
    alliance: AllianceId,
    organization: OrganizationId,
    field: &'static str,
) -> Result<()> {
    let active = membership::Entity::find()
        .filter(membership::Column::AllianceId.eq(alliance))
        .filter(membership::Column::OrganizationId.eq(organization))
        .filter(membership::Column::State.eq(State::Active))
        .lock(LockType::KeyShare)
        .one(&tx.db)
        .await?;
    active.map(drop).ok_or_else(|| Error::invalid(Code::NotAMember, field))
}

/// Those of these organisations that are active members, each membership held as above.
pub async fn hold_among(
    tx: &Tx<'_>,
    alliance: AllianceId,
    organizations: impl IntoIterator<Item = OrganizationId>,
) -> Result<HashSet<OrganizationId>> {
    let active: Vec<OrganizationId> = membership::Entity::find()
        .select_only()
        .column(membership::Column::OrganizationId)
        .filter(membership::Column::AllianceId.eq(alliance))
        .filter(membership::Column::State.eq(State::Active))
        .filter(page::among(tx.ctx, membership::Column::OrganizationId, organizations))
        .order_by_asc(membership::Column::Id)
        .lock(LockType::KeyShare)
        .into_tuple()
        .all(&tx.db)
        .await?;
    Ok(active.into_iter().collect())
}

/// Turns away organisations that are not all active members, in one statement.
pub async fn require_all_active(
    db: &impl ConnectionTrait,
    alliance: AllianceId,
    organizations: &[OrganizationId],
    field: &'static str,
) -> Result<()> {
    let active = membership::Entity::find()
        .filter(membership::Column::AllianceId.eq(alliance))
        .filter(membership::Column::OrganizationId.is_in(organizations.iter().copied()))
        .filter(membership::Column::State.eq(State::Active))
        .all(db)
        .await?;
    if organizations.iter().all(|wanted| active.iter().any(|seat| seat.organization_id == *wanted)) {
        Ok(())
    } else {
        Err(Error::invalid(Code::NotAMember, field))
    }
}

/// The seats in which a person speaks for organisations towards other alliances: managers' seats where the organisation
/// has been a member the longest. While that alliance suspends it, nobody but the platform speaks for it.
pub async fn speaking_seats(
    db: &impl ConnectionTrait,
    account: AccountId,
    organizations: &[OrganizationId],
) -> Result<Vec<seat::Model>> {
    let own = seat::Column::OrganizationId.is_in(organizations.iter().copied());
    Ok(speaking(account).filter(own).all(db).await?)
}

fn speaking(account: AccountId) -> Select<seat::Entity> {
    let of = |table: &str, column: membership::Column| Expr::col((Alias::new(table), column));
    let standing = |table: &'static str| {
        Query::select()
            .expr(Expr::val(1))
            .from_as(membership::Entity, Alias::new(table))
            .and_where(
                of(table, membership::Column::OrganizationId)
                    .equals((seat::Entity, seat::Column::OrganizationId)),
            )
            .and_where(of(table, membership::Column::State).is_in([State::Active, State::Suspended]))
            .to_owned()
    };
    let mut older = standing("older");
    older.and_where(
        of("older", membership::Column::AdmittedAt).lt(of("home", membership::Column::AdmittedAt)),
    );
    let mut home = standing("home");
    home.and_where(
        of("home", membership::Column::AllianceId).equals((seat::Entity, seat::Column::AllianceId)),
    )
    .and_where(Expr::exists(older).not());
    seat::Entity::find()
        .inner_join(account::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AccountId.eq(account))
        .filter(seat::Column::State.eq(seat::State::Active))
        .filter(seat::Column::Role.eq(seat::Role::MemberManager))
        .filter(Expr::exists(home))
}

/// A condition that holds for memberships of the organisations that the caller speaks for.
fn spoken_for(ctx: &Ctx) -> Condition {
    let Actor::Account { id, .. } = ctx.actor else {
        return Condition::all().add(Expr::val(1).eq(0));
    };
    let units = speaking(id).select_only().column(seat::Column::OrganizationId).into_query();
    Condition::all().add(membership::Column::OrganizationId.in_subquery(units))
}

/// Whether the committee may seat an organisation that it invited without the organisation's own word: one that it knows,
/// and that is a member nowhere else, so that nobody could speak for it.
pub async fn may_seat_invited(db: &impl ConnectionTrait, row: &membership::Model) -> Result<bool> {
    if !row.is_unit_known {
        return Ok(false);
    }
    let elsewhere = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(row.organization_id))
        .filter(membership::Column::AllianceId.ne(row.alliance_id))
        .filter(membership::Column::State.is_in([State::Active, State::Suspended]))
        .count(db)
        .await?;
    Ok(elsewhere == 0)
}

/// Memberships that neither ended nor were declined.
pub fn current() -> Select<membership::Entity> {
    membership::Entity::find().filter(membership::Column::EndedAt.is_null())
}

/// Turns away a name that a unit known to one of these alliances bears: within an alliance a name tells who is meant.
pub async fn refuse_namesake(tx: &Tx<'_>, alliances: &[AllianceId], name: &str) -> Result<()> {
    let namesake = current()
        .inner_join(organization::Entity)
        .filter(membership::Column::AllianceId.is_in(alliances.iter().copied()))
        .filter(membership::Column::IsUnitKnown.eq(true))
        .filter(organization::Column::Name.eq(name))
        .one(&tx.db)
        .await?;
    if namesake.is_some() { Err(Error::invalid(Code::AlreadyExists, "name")) } else { Ok(()) }
}

async fn lock(tx: &Tx<'_>, id: MembershipId) -> Result<membership::Model> {
    visible(tx.ctx)
        .filter(membership::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("membership"))
}

async fn finish(
    tx: Tx<'_>,
    row: membership::Model,
    event: Event,
    reason: Option<&str>,
) -> Result<membership::Model> {
    tx.record(fact(event, &row).reason(reason)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

fn fact(event: Event, row: &membership::Model) -> Fact {
    Fact::of(event, row.id).alliance(row.alliance_id).organizations([row.organization_id])
}

fn refused_state(state: State) -> Error {
    use sea_orm::ActiveEnum as _;
    Error::refused(Code::StateRefused).with("state", state.to_value())
}
