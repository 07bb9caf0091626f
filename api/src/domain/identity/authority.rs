//! Power over people: which seats a caller looks after, and over whom an action may be done. A person may act in several
//! alliances, so power over one seat is not yet power over the person.

use concord_entities::{
    account,
    id::{AccountId, AllianceId, OrganizationId},
    seat::{self, Role, State},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Query, SimpleExpr},
};

use crate::domain::{
    Action, Actor, Code, Ctx, Error, Result, Standing, Target, Tx,
    policy::{self, Grant, ROLES},
    scope,
};

/// The roles that a member's own manager gives and takes; every other role is the committee's to give.
pub const MEMBER_ROLES: [Role; 2] = [Role::MemberManager, Role::MemberStaff];

fn roles(action: Action, wanted: Grant) -> Vec<Role> {
    ROLES.into_iter().filter(|role| policy::grant(*role, action) == wanted).collect()
}

fn never() -> Condition {
    Condition::all().add(Expr::val(1).eq(0))
}

/// A condition that holds where the caller may do `action` in `alliance`, or to what concerns `organization` there.
pub fn governed(
    ctx: &Ctx,
    action: Action,
    alliance: impl Into<SimpleExpr>,
    organization: Option<SimpleExpr>,
) -> Condition {
    let id = match ctx.actor {
        Actor::System => return Condition::all(),
        Actor::Account { id, .. } => id,
        Actor::Anonymous | Actor::Key(_) => return never(),
    };
    let mine = Alias::new("mine");
    let of = |column: seat::Column| Expr::col((mine.clone(), column));
    let held = |wanted: Grant, place: Condition| {
        let mut select = Query::select();
        select
            .expr(Expr::Constant(1.into()))
            .from_as(seat::Entity, mine.clone())
            .and_where(of(seat::Column::AccountId).eq(id))
            .and_where(of(seat::Column::State).eq(scope::word(State::Active)))
            .and_where(of(seat::Column::Role).is_in(roles(action, wanted).into_iter().map(scope::word)))
            .cond_where(place);
        Expr::exists(select)
    };
    let here = Condition::all().add(of(seat::Column::AllianceId).eq(alliance.into()));
    let mut any = Condition::any().add(held(Grant::Any, here.clone())).add(is_platform_admin(ctx));
    if let Some(organization) = organization {
        any = any.add(held(Grant::Own, here.add(of(seat::Column::OrganizationId).eq(organization))));
    }
    Condition::all().add(any).add(is_active(id))
}

fn is_active(id: AccountId) -> SimpleExpr {
    let select = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::State.into_expr().eq(scope::word(account::State::Active)))
        .into_query();
    // Not correlated: the databases evaluate it once.
    Expr::val(uuid::Uuid::from(id)).in_subquery(select)
}

/// A condition that holds everywhere for a platform administrator and nowhere for others.
pub fn is_platform_admin(ctx: &Ctx) -> Condition {
    let Actor::Account { id, .. } = ctx.actor else {
        return if ctx.actor == Actor::System { Condition::all() } else { never() };
    };
    let select = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::IsPlatformAdmin.into_expr().eq(Expr::Constant(true.into())))
        .filter(account::Column::State.into_expr().eq(scope::word(account::State::Active)))
        .into_query();
    Condition::all().add(Expr::val(uuid::Uuid::from(id)).in_subquery(select))
}

/// Whether the caller is the platform itself or administers it.
pub async fn administers(ctx: &Ctx, db: &impl ConnectionTrait) -> Result<bool> {
    let id = match ctx.actor {
        Actor::System => return Ok(true),
        Actor::Account { id, .. } => id,
        Actor::Anonymous => return Err(Error::Unauthenticated),
        Actor::Key(_) => return Err(Error::Forbidden),
    };
    let row = account::Entity::find_by_id(id).one(db).await?;
    Ok(row.is_some_and(|row| row.is_platform_admin && row.state == account::State::Active))
}

/// Turns away whoever may not do `action` to people in `role` for `organization` in `alliance`.
pub async fn require_for_role(
    tx: &Tx<'_>,
    action: Action,
    alliance: AllianceId,
    role: Role,
    organization: Option<OrganizationId>,
) -> Result<()> {
    if administers(tx.ctx, &tx.db).await? {
        return Ok(());
    }
    let own: Vec<OrganizationId> = organization.into_iter().collect();
    let standing = tx.ctx.require(&tx.db, action, Target::alliance(alliance).of(&own)).await?;
    if reaches(standing, action, role) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Power over one's own organisation ends at the roles that its manager gives: otherwise the manager of the committee's
/// unit could become the committee.
fn reaches(standing: Standing, action: Action, role: Role) -> bool {
    standing.role.is_none_or(|mine| policy::grant(mine, action) == Grant::Any || MEMBER_ROLES.contains(&role))
}

/// Turns away whoever may not do `action` to this person as a whole, and gives the person's active seats.
///
/// It takes power over every one of them: who may set a password holds all that its owner may do.
pub async fn require_over(tx: &Tx<'_>, action: Action, target: &account::Model) -> Result<Vec<seat::Model>> {
    let seats = seat::Entity::find()
        .filter(seat::Column::AccountId.eq(target.id))
        .filter(seat::Column::State.ne(State::Ended))
        .all(&tx.db)
        .await?;
    if administers(tx.ctx, &tx.db).await? {
        return Ok(seats);
    }
    let caller = tx.ctx.account_id()?;
    if target.is_platform_admin || target.id == caller {
        return Err(Error::Forbidden);
    }
    let mine = seat::Entity::find()
        .inner_join(account::Entity)
        .filter(account::Column::State.eq(account::State::Active))
        .filter(seat::Column::AccountId.eq(caller))
        .filter(seat::Column::State.eq(State::Active))
        .all(&tx.db)
        .await?;
    let reached = |theirs: &&seat::Model| {
        let here: Vec<seat::Model> =
            mine.iter().filter(|seat| seat.alliance_id == theirs.alliance_id).cloned().collect();
        let own: Vec<OrganizationId> = theirs.organization_id.into_iter().collect();
        policy::standing(caller, &here, action, Target::alliance(theirs.alliance_id).of(&own))
            .is_some_and(|standing| reaches(standing, action, theirs.role))
    };
    match seats.iter().filter(reached).count() {
        0 => Err(Error::Forbidden),
        count if count == seats.len() => Ok(seats),
        _ => Err(Error::refused(Code::AccountActsElsewhere)),
    }
}
