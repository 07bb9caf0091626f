//! Accounts of people: invited, disabled and enabled by whoever looks after their seats. Links and passwords stand in
//! `link` and `session`.

use std::collections::{BTreeSet, HashSet};

use concord_entities::{
    account::{self, State},
    account_link::Purpose,
    id::{AccountId, AllianceId, OrganizationId},
    seat::{self, Role},
    session::EndReason,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, IntoSimpleExpr, QueryFilter,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SimpleExpr},
};

use super::{
    authority,
    link::{self, IssuedLink},
    seat::NewSeat,
    session,
};
use crate::domain::{
    Action, Actor, Code, Ctx, Error, Event, Fact, Result, Tx,
    governance::alliance::{expect_version, require_platform_admin},
    idempotency,
    page::{self, Order, Page},
    scope, text,
};

/// The accounts that the caller looks after, and their own; a platform administrator sees all of them. A role that has
/// ended makes its former holder nobody's to look after any more.
pub fn visible(ctx: &Ctx) -> Select<account::Entity> {
    account::Entity::find().filter(seen(ctx))
}

/// A condition that holds for the accounts of `visible`.
pub(super) fn seen(ctx: &Ctx) -> Condition {
    let mut seen = authority::is_platform_admin(ctx);
    if let Actor::Account { id, .. } = ctx.actor {
        let governed = seat::Entity::find()
            .select_only()
            .column(seat::Column::AccountId)
            .filter(seat::Column::State.ne(seat::State::Ended))
            .filter(authority::governed(
                ctx,
                Action::ReadAccounts,
                seat::Column::AllianceId.into_simple_expr(),
                Some(seat::Column::OrganizationId.into_simple_expr()),
            ))
            .into_query();
        seen = Condition::any()
            .add(seen)
            .add(account::Column::Id.eq(id))
            .add(account::Column::Id.in_subquery(governed));
    }
    seen
}

/// One account, if the caller may see it.
pub async fn find(ctx: &Ctx, id: AccountId) -> Result<Option<account::Model>> {
    Ok(visible(ctx).filter(account::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// What a list of accounts is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub role: Option<Role>,
    pub organization_id: Option<OrganizationId>,
}

/// What a list of accounts is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Username,
    CreatedAt,
}

/// The people who hold a seat in an alliance, as far as the caller looks after them.
pub async fn list(
    ctx: &Ctx,
    alliance: AllianceId,
    filter: &Filter,
    (by, descending): (By, bool),
    args: &page::Args,
) -> Result<Page<account::Entity>> {
    ctx.require_signed_in()?;
    let mut seated = seat::Entity::find()
        .select_only()
        .column(seat::Column::AccountId)
        .filter(seat::Column::AllianceId.eq(alliance))
        .filter(seat::Column::State.ne(seat::State::Ended))
        .filter(authority::governed(
            ctx,
            Action::ReadAccounts,
            seat::Column::AllianceId.into_simple_expr(),
            Some(seat::Column::OrganizationId.into_simple_expr()),
        ));
    if let Some(role) = filter.role {
        seated = seated.filter(seat::Column::Role.eq(role));
    }
    if let Some(organization) = filter.organization_id {
        seated = seated.filter(seat::Column::OrganizationId.eq(organization));
    }
    let mut select = account::Entity::find().filter(account::Column::Id.in_subquery(seated.into_query()));
    if let Some(state) = filter.state {
        select = select.filter(account::Column::State.eq(state));
    }
    let column = match by {
        By::Username => account::Column::Username,
        By::CreatedAt => account::Column::CreatedAt,
    };
    page::fetch(ctx, select, Order { column, descending }, account::Column::Id, args).await
}

/// Which of these people the caller may see by full name and number.
pub async fn in_clear(ctx: &Ctx, ids: &[AccountId]) -> Result<HashSet<AccountId>> {
    let seen: Vec<AccountId> = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(page::among(ctx, account::Column::Id, ids.iter().copied()))
        .filter(is_clear(ctx, account::Column::Id.into_expr()))
        .into_tuple()
        .all(ctx.read())
        .await?;
    Ok(seen.into_iter().collect())
}

/// A condition that holds for people whom the caller may see by full name and number: themselves, those who act for the same
/// organisation in the same alliance, and those whom they may call there; a platform administrator sees everybody.
pub fn is_clear(ctx: &Ctx, person: SimpleExpr) -> Condition {
    let Actor::Account { id, .. } = ctx.actor else {
        return Condition::all().add(Expr::val(i32::from(ctx.actor == Actor::System)).eq(1));
    };
    let known = seat::Entity::find()
        .select_only()
        .column(seat::Column::Id)
        .filter(seat::Column::AccountId.into_expr().eq(person.clone()))
        .filter(
            Condition::any()
                .add(
                    scope::acts_for(ctx, seat::Column::AllianceId, seat::Column::OrganizationId)
                        .add(seat::Column::State.into_expr().ne(scope::word(seat::State::Ended))),
                )
                .add(authority::governed(
                    ctx,
                    Action::ReadContacts,
                    seat::Column::AllianceId.into_simple_expr(),
                    None,
                )),
        )
        .into_query();
    Condition::any()
        .add(person.eq(uuid::Uuid::from(id)))
        .add(Expr::exists(known))
        .add(authority::is_platform_admin(ctx))
}

/// What an account is made with.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    pub username: String,
    pub display_name: String,
    pub phone: Option<String>,
    /// PHC string; without one the account waits for its invitation.
    pub password_hash: Option<String>,
    pub is_platform_admin: bool,
}

/// Makes an account by the platform's own hand.
pub async fn create(ctx: &Ctx, new: NewAccount) -> Result<account::Model> {
    let tx = ctx.begin().await?;
    require_platform_admin(&tx).await?;
    let row = insert(&tx, new).await?;
    tx.record(Fact::of(Event::AccountCreated, row.id)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

async fn insert(tx: &Tx<'_>, new: NewAccount) -> Result<account::Model> {
    let username = username(&new.username)?;
    let display_name = text::required(&new.display_name, "displayName", 128)?;
    let phone = text::optional(new.phone.as_deref(), "phone", 32)?;
    // Looked up last: whatever is refused before does not tell whether somebody bears the name.
    if account::Entity::find().filter(account::Column::Username.eq(&username)).one(&tx.db).await?.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "username"));
    }
    let row = account::ActiveModel {
        id: Set(tx.ctx.new_id()),
        username: Set(username),
        display_name: Set(display_name),
        phone: Set(phone),
        state: Set(if new.password_hash.is_some() { State::Active } else { State::Invited }),
        password_hash: Set(new.password_hash),
        is_platform_admin: Set(new.is_platform_admin),
        failed_attempts: Set(0),
        locked_until_at: Set(None),
        created_at: Set(tx.ctx.now()),
        disabled_at: Set(None),
        erased_at: Set(None),
        version: Set(1),
    };
    Ok(row.insert(&tx.db).await?)
}

/// A sign-in name: lower case, without blanks, so that it can be told over the phone.
pub fn username(name: &str) -> Result<String> {
    let name = text::required(name, "username", 64)?.to_lowercase();
    let fits = |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | '@');
    if name.chars().count() <= 64 && name.chars().all(fits) {
        Ok(name)
    } else {
        Err(Error::invalid(Code::Malformed, "username").with("expected", "zhang.wei"))
    }
}

/// Whom to invite, and into which role.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub username: String,
    pub display_name: String,
    pub phone: Option<String>,
    pub alliance_id: AllianceId,
    pub role: Role,
    pub organization_id: Option<OrganizationId>,
    pub region_id: Option<concord_entities::id::RegionId>,
}

/// Makes an account with its first role and a link by which its owner sets the password.
pub async fn invite(ctx: &Ctx, new: Invitation) -> Result<(account::Model, IssuedLink)> {
    idempotency::refuse(ctx)?;
    let tx = ctx.begin().await?;
    super::seat::find_alliance(&tx, new.alliance_id).await?;
    authority::require_for_role(&tx, Action::InviteAccount, new.alliance_id, new.role, new.organization_id)
        .await?;
    super::seat::require_place(&tx, new.alliance_id, new.role, new.organization_id, new.region_id).await?;
    let row = insert(
        &tx,
        NewAccount {
            username: new.username,
            display_name: new.display_name,
            phone: new.phone,
            ..NewAccount::default()
        },
    )
    .await?;
    let seat = NewSeat {
        account_id: row.id,
        alliance_id: new.alliance_id,
        role: new.role,
        organization_id: new.organization_id,
        region_id: new.region_id,
    };
    let seat = super::seat::insert(&tx, seat).await?;
    let link = link::issue(&tx, row.id, Purpose::Invitation).await?;
    record(&tx, Event::AccountInvited, row.id, &[seat], None).await?;
    tx.commit(row.id).await?;
    Ok((row, link))
}

/// Records what happened to a person, once in each alliance where they hold a seat, or for the platform where they hold none.
pub(super) async fn record(
    tx: &Tx<'_>,
    kind: Event,
    id: AccountId,
    seats: &[seat::Model],
    reason: Option<&str>,
) -> Result<()> {
    let mut alliances: Vec<AllianceId> = seats.iter().map(|seat| seat.alliance_id).collect();
    alliances.sort_unstable();
    alliances.dedup();
    if alliances.is_empty() {
        tx.record(Fact::of(kind, id).reason(reason)).await?;
    }
    for alliance in alliances {
        let concerned =
            seats.iter().filter(|seat| seat.alliance_id == alliance).filter_map(|seat| seat.organization_id);
        let fact = Fact::of(kind, id).alliance(alliance).organizations(concerned);
        tx.record(fact.reason(reason)).await?;
    }
    Ok(())
}

/// Ends all access of a person at once; their roles wait until they are enabled again.
pub async fn disable(ctx: &Ctx, id: AccountId, expected_version: Option<i64>) -> Result<account::Model> {
    set_state(ctx, id, expected_version, State::Disabled).await
}

/// Gives a disabled person their access back; without a password they wait for their invitation again.
pub async fn enable(ctx: &Ctx, id: AccountId, expected_version: Option<i64>) -> Result<account::Model> {
    set_state(ctx, id, expected_version, State::Active).await
}

async fn set_state(
    ctx: &Ctx,
    id: AccountId,
    expected_version: Option<i64>,
    to: State,
) -> Result<account::Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(account::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("account"))?;
    let seats = authority::require_over(&tx, Action::DisableAccount, &row).await?;
    if Some(id) == ctx.author() {
        return Err(Error::Forbidden);
    }
    if let Some(expected) = expected_version {
        expect_version(expected, row.version)?;
    }
    let disabling = to == State::Disabled;
    if row.erased_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "erased"));
    }
    if disabling == (row.state == State::Disabled) {
        return Err(Error::refused(Code::StateRefused).with("state", state_name(row.state)));
    }
    let (version, has_password) = (row.version + 1, row.password_hash.is_some());
    let mut change = row.into_active_model();
    change.state = Set(if disabling || has_password { to } else { State::Invited });
    change.disabled_at = Set(disabling.then(|| ctx.now()));
    change.version = Set(version);
    let row = change.update(&tx.db).await?;
    if disabling {
        let runs = |seat: &&seat::Model| seat.role == Role::Committee && seat.state == seat::State::Active;
        // In one order, so that two such changes never wait for each other both.
        let run: BTreeSet<AllianceId> = seats.iter().filter(runs).map(|seat| seat.alliance_id).collect();
        for alliance in run {
            super::seat::keep_a_committee(&tx, alliance).await?;
        }
        session::end_all(&tx, id, EndReason::Disabled, None).await?;
        link::void(&tx, id).await?;
    }
    let kind = if disabling { Event::AccountDisabled } else { Event::AccountEnabled };
    record(&tx, kind, id, &seats, None).await?;
    tx.commit(id).await?;
    Ok(row)
}

pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Invited => "invited",
        State::Active => "active",
        State::Disabled => "disabled",
    }
}
