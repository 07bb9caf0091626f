//! One-time links: an invitation or a reset lets its holder set a password once, in time. Only the hash of the secret is
//! kept; sending the link is left to the person who asked for it.

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    account::{self, State},
    account_link::{self, Purpose},
    id::AccountId,
    session::EndReason,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr,
};

use super::{
    account::visible,
    authority,
    secret::{Presented, Secret, SecretKind},
    session,
};
use crate::domain::{Action, Actor, Code, Ctx, Error, Event, Fact, Result, Tx, idempotency};

/// A link that was just made; its secret is shown once.
#[derive(Clone, Debug)]
pub struct IssuedLink {
    pub secret: String,
    pub purpose: Purpose,
    pub expires_at: DateTime<Utc>,
}

/// Makes a link within a unit of work; the person's earlier ones stop working.
pub(super) async fn issue(tx: &Tx<'_>, account: AccountId, purpose: Purpose) -> Result<IssuedLink> {
    let ctx = tx.ctx;
    void(tx, account).await?;
    let secret = Secret::generate(SecretKind::Invitation, &|bytes| ctx.app.fill_random(bytes));
    let expires_at = ctx.now() + TimeDelta::hours(ctx.app.config.identity.invitation_hours);
    let row = account_link::ActiveModel {
        id: Set(ctx.new_id()),
        account_id: Set(account),
        purpose: Set(purpose),
        hash: Set(secret.digest().as_bytes().to_vec()),
        created_by: Set(ctx.author()),
        created_at: Set(ctx.now()),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    row.insert(&tx.db).await?;
    Ok(IssuedLink { secret: secret.expose().to_owned(), purpose, expires_at })
}

/// Makes a person's unused links useless.
pub(super) async fn void(tx: &Tx<'_>, account: AccountId) -> Result<()> {
    account_link::Entity::update_many()
        .col_expr(account_link::Column::UsedAt, Expr::value(tx.ctx.now()))
        .filter(account_link::Column::AccountId.eq(account))
        .filter(account_link::Column::UsedAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Makes a link by which a person sets a new password, or takes up an invitation that was lost.
pub async fn reset(ctx: &Ctx, id: AccountId) -> Result<(account::Model, IssuedLink)> {
    idempotency::refuse(ctx)?;
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(account::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("account"))?;
    let seats = authority::require_over(&tx, Action::ResetPassword, &row).await?;
    let purpose = match row.state {
        State::Invited => Purpose::Invitation,
        State::Active => Purpose::Reset,
        State::Disabled => return Err(Error::refused(Code::StateRefused).with("state", "disabled")),
    };
    let link = issue(&tx, id, purpose).await?;
    super::account::record(&tx, Event::PasswordLinkIssued, id, &seats, None).await?;
    tx.commit(id).await?;
    Ok((row, link))
}

/// Sets a password by a link, once; every session of the person ends.
pub async fn redeem(ctx: &Ctx, secret: &str, password: &str) -> Result<account::Model> {
    idempotency::refuse(ctx)?;
    // Mistyped, unknown, used and lapsed are told apart nowhere.
    let invalid = || Error::invalid(Code::LinkInvalid, "token");
    let presented = Presented::parse(SecretKind::Invitation, secret.trim()).map_err(|_| invalid())?;
    let (link, account) = account_link::Entity::find()
        .filter(account_link::Column::Hash.eq(presented.digest.as_bytes().to_vec()))
        .filter(account_link::Column::UsedAt.is_null())
        .filter(account_link::Column::ExpiresAt.gt(ctx.now()))
        .find_also_related(account::Entity)
        .one(ctx.read())
        .await?
        .ok_or_else(invalid)?;
    let account = account.ok_or_else(invalid)?;
    let hash = session::hash_new(&ctx.app, &account.username, password, "password").await?;
    let own = Ctx { actor: Actor::Account { id: account.id, session: None }, ..ctx.clone() };
    let tx = own.begin().await?;
    let used = account_link::Entity::update_many()
        .col_expr(account_link::Column::UsedAt, Expr::value(ctx.now()))
        .filter(account_link::Column::Id.eq(link.id))
        .filter(account_link::Column::UsedAt.is_null())
        .exec(&tx.db)
        .await?;
    let row =
        account::Entity::find_by_id(account.id).lock_exclusive().one(&tx.db).await?.ok_or_else(invalid)?;
    let (wanted, event) = match link.purpose {
        Purpose::Invitation => (State::Invited, Event::AccountActivated),
        Purpose::Reset => (State::Active, Event::PasswordReset),
    };
    if used.rows_affected != 1 || row.state != wanted {
        return Err(invalid());
    }
    void(&tx, row.id).await?;
    let row = session::set_password(&tx, row, hash).await?;
    session::end_all(&tx, row.id, EndReason::PasswordChanged, None).await?;
    tx.record(Fact::of(event, row.id)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
