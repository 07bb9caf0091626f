//! Roles that people hold in alliances: given and ended, never deleted.

use concord_entities::{
    account, alliance,
    id::{AccountId, AllianceId, OrganizationId, RegionId, SeatId},
    membership as member,
    seat::{self, Role, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, IntoSimpleExpr,
    PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, Select, sea_query::LockType,
};

use super::authority;
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, Result, Tx,
    governance::{self, membership},
    policy,
    territory::region::require_in_alliance,
};

/// The caller's own seats and those that they look after.
pub fn visible(ctx: &Ctx) -> Select<seat::Entity> {
    let mut seen = Condition::any().add(authority::governed(
        ctx,
        Action::ReadAccounts,
        seat::Column::AllianceId.into_simple_expr(),
        Some(seat::Column::OrganizationId.into_simple_expr()),
    ));
    if let Actor::Account { id, .. } = ctx.actor {
        seen = seen.add(seat::Column::AccountId.eq(id));
    }
    seat::Entity::find().filter(seen)
}

/// One seat, if the caller may see it.
pub async fn find(ctx: &Ctx, id: SeatId) -> Result<Option<seat::Model>> {
    Ok(visible(ctx).filter(seat::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// A role about to be given.
#[derive(Clone, Debug)]
pub struct NewSeat {
    pub account_id: AccountId,
    pub alliance_id: AllianceId,
    pub role: Role,
    pub organization_id: Option<OrganizationId>,
    pub region_id: Option<RegionId>,
}

/// Whom a role is given to, by one of two names. Either finds those alone whom the caller may take in.
#[derive(Clone, Debug)]
pub enum Person {
    Id(AccountId),
    Username(String),
}

/// Gives a person a role.
pub async fn grant(ctx: &Ctx, new: NewSeat) -> Result<seat::Model> {
    let person = Person::Id(new.account_id);
    assign(ctx, &person, new).await
}

/// Gives a role to a person; `new.account_id` is taken from `person`.
pub async fn assign(ctx: &Ctx, person: &Person, new: NewSeat) -> Result<seat::Model> {
    let tx = ctx.begin().await?;
    find_alliance(&tx, new.alliance_id).await?;
    authority::require_for_role(&tx, Action::AssignRole, new.alliance_id, new.role, new.organization_id)
        .await?;
    let named = match person {
        Person::Id(id) => account::Column::Id.eq(*id),
        Person::Username(name) => account::Column::Username.eq(name.trim().to_lowercase()),
    };
    // Locked, so that two roles which exclude each other are not given at once.
    let account = account::Entity::find()
        .filter(named)
        .filter(within_reach(ctx, &new))
        .lock(LockType::NoKeyUpdate)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("account"))?;
    if ctx.author() == Some(account.id) {
        require_first(&tx, new.alliance_id).await?;
    }
    if account.state == account::State::Disabled {
        return Err(Error::refused(Code::StateRefused).with("state", "disabled"));
    }
    let row = insert(&tx, NewSeat { account_id: account.id, ..new }).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Whom the caller may take in: those whom they see already, and for a member of the alliance whoever acts for that very
/// member. A sign-in name alone opens nobody: the role would show their particulars to whoever gave it.
fn within_reach(ctx: &Ctx, new: &NewSeat) -> Condition {
    let seen = super::account::seen(ctx);
    let Some(unit) = new.organization_id else {
        return seen;
    };
    let joined = member::Entity::find()
        .select_only()
        .column(member::Column::OrganizationId)
        .filter(member::Column::AllianceId.eq(new.alliance_id))
        .filter(member::Column::OrganizationId.eq(unit))
        .filter(member::Column::State.eq(member::State::Active))
        .into_query();
    let people = seat::Entity::find()
        .select_only()
        .column(seat::Column::AccountId)
        .filter(seat::Column::State.eq(State::Active))
        .filter(seat::Column::OrganizationId.in_subquery(joined))
        .into_query();
    Condition::any().add(seen).add(account::Column::Id.in_subquery(people))
}

/// Turns away whoever gives a role to themselves: with one more role they would check their own work. An administrator may
/// take the first place in an alliance that nobody runs yet.
async fn require_first(tx: &Tx<'_>, alliance: AllianceId) -> Result<()> {
    if authority::administers(tx.ctx, &tx.db).await? && committees(tx, alliance).await? == 0 {
        Ok(())
    } else {
        Err(Error::Forbidden)
    }
}

/// How many people run an alliance and may sign in.
async fn committees(tx: &Tx<'_>, alliance: AllianceId) -> Result<u64> {
    Ok(seat::Entity::find()
        .inner_join(account::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AllianceId.eq(alliance))
        .filter(seat::Column::Role.eq(Role::Committee))
        .filter(seat::Column::State.eq(State::Active))
        .count(&tx.db)
        .await?)
}

/// Turns away a change after which nobody would run the alliance; only the platform's administrators may leave it so.
/// Called once the change is written.
pub async fn keep_a_committee(tx: &Tx<'_>, alliance: AllianceId) -> Result<()> {
    // Two such changes at once wait for each other here, and the later one sees what the earlier one left.
    alliance::Entity::find_by_id(alliance).lock(LockType::NoKeyUpdate).one(&tx.db).await?;
    if committees(tx, alliance).await? > 0 || authority::administers(tx.ctx, &tx.db).await? {
        Ok(())
    } else {
        Err(Error::refused(Code::LastCommittee))
    }
}

/// The alliance, if the caller may see it.
pub(super) async fn find_alliance(tx: &Tx<'_>, id: AllianceId) -> Result<alliance::Model> {
    governance::alliance::visible(tx.ctx)
        .filter(alliance::Column::Id.eq(id))
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))
}

/// Turns away a role without the unit or the region that it is for.
pub(super) async fn require_place(
    tx: &Tx<'_>,
    alliance: AllianceId,
    role: Role,
    organization: Option<OrganizationId>,
    region: Option<RegionId>,
) -> Result<()> {
    match role {
        Role::MemberManager | Role::MemberStaff | Role::Verifier if organization.is_none() => {
            return Err(Error::invalid(Code::Required, "organizationId"));
        }
        Role::CommunityOfficer | Role::GridOfficer if organization.is_none() && region.is_none() => {
            return Err(Error::invalid(Code::Required, "regionId"));
        }
        _ => {}
    }
    let own: Vec<OrganizationId> = organization.into_iter().collect();
    membership::require_all_active(&tx.db, alliance, &own, "organizationId").await?;
    require_in_alliance(&tx.db, alliance, region).await
}

/// Writes a seat within a unit of work, after the caller's right was checked.
pub(super) async fn insert(tx: &Tx<'_>, new: NewSeat) -> Result<seat::Model> {
    require_place(tx, new.alliance_id, new.role, new.organization_id, new.region_id).await?;
    let standing = seat::Entity::find()
        .filter(seat::Column::AccountId.eq(new.account_id))
        .filter(seat::Column::AllianceId.eq(new.alliance_id))
        .filter(seat::Column::State.ne(State::Ended))
        .all(&tx.db)
        .await?;
    if standing.iter().any(|seat| policy::excludes(seat.role, new.role)) {
        return Err(Error::invalid(Code::RoleConflict, "role"));
    }
    if standing.iter().any(|seat| {
        seat.role == new.role
            && seat.organization_id == new.organization_id
            && seat.region_id == new.region_id
    }) {
        return Err(Error::invalid(Code::AlreadyExists, "role"));
    }
    let row = seat::ActiveModel {
        id: Set(tx.ctx.new_id()),
        account_id: Set(new.account_id),
        alliance_id: Set(new.alliance_id),
        role: Set(new.role),
        organization_id: Set(new.organization_id),
        region_id: Set(new.region_id),
        state: Set(State::Active),
        granted_by: Set(tx.ctx.author()),
        granted_at: Set(tx.ctx.now()),
        ended_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(fact(Event::SeatGranted, &row)).await?;
    Ok(row)
}

fn fact(kind: Event, row: &seat::Model) -> Fact {
    Fact::of(kind, row.id)
        .alliance(row.alliance_id)
        .organizations(row.organization_id)
        .detail("accountId", row.account_id.to_string())
}

/// Ends a role; what was done in it stays. Whoever could give it may, and whoever holds it may lay it down. An alliance
/// keeps somebody who runs it.
pub async fn end(ctx: &Ctx, id: SeatId) -> Result<seat::Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(seat::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("seat"))?;
    if ctx.author() != Some(row.account_id) {
        authority::require_for_role(&tx, Action::AssignRole, row.alliance_id, row.role, row.organization_id)
            .await?;
    }
    if row.state == State::Ended {
        return Err(Error::refused(Code::StateRefused).with("state", "ended"));
    }
    let (version, runs) = (row.version + 1, row.role == Role::Committee && row.state == State::Active);
    let mut change = row.into_active_model();
    change.state = Set(State::Ended);
    change.ended_at = Set(Some(ctx.now()));
    change.version = Set(version);
    let row = change.update(&tx.db).await?;
    if runs {
        keep_a_committee(&tx, row.alliance_id).await?;
    }
    tx.record(fact(Event::SeatEnded, &row)).await?;
    tx.commit(id).await?;
    Ok(row)
}
