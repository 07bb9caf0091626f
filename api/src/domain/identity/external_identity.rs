//! Links between accounts and what external issuers call them. Issuer and subject decide, never an e-mail address, and
//! nobody is linked by merely coming along with a token.

use concord_entities::{
    account, external_identity,
    id::{AccountId, ExternalIdentityId},
    seat,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ModelTrait, QueryFilter, QuerySelect,
    QueryTrait, Select,
};

use super::{account as accounts, authority};
use crate::domain::{Action, Code, Ctx, Error, Event, Result, Tx, text};

/// The links of the accounts that the caller may see.
pub fn visible(ctx: &Ctx) -> Select<external_identity::Entity> {
    let seen = accounts::visible(ctx).select_only().column(account::Column::Id).into_query();
    external_identity::Entity::find().filter(external_identity::Column::AccountId.in_subquery(seen))
}

/// One link, if the caller may see it.
pub async fn find(ctx: &Ctx, id: ExternalIdentityId) -> Result<Option<external_identity::Model>> {
    Ok(visible(ctx).filter(external_identity::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Whoever opens an account by a link of their making holds all its power, so it takes what a reset takes.
async fn find_account(tx: &Tx<'_>, id: AccountId) -> Result<Vec<seat::Model>> {
    let row = accounts::visible(tx.ctx)
        .filter(account::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("account"))?;
    authority::require_over(tx, Action::ResetPassword, &row).await
}

/// Lets the subject of an external issuer in as this account.
pub async fn link(
    ctx: &Ctx,
    account_id: AccountId,
    issuer: &str,
    subject: &str,
) -> Result<external_identity::Model> {
    let tx = ctx.begin().await?;
    let seats = find_account(&tx, account_id).await?;
    let issuer = text::required(issuer, "issuer", 256)?;
    let subject = text::required(subject, "subject", 256)?;
    if !ctx.app.identity.issuers.knows(&issuer) {
        return Err(Error::invalid(Code::Malformed, "issuer").with("expected", "an issuer of the settings"));
    }
    let standing = external_identity::Entity::find()
        .filter(external_identity::Column::Issuer.eq(&issuer))
        .filter(external_identity::Column::Subject.eq(&subject))
        .one(&tx.db)
        .await?;
    if standing.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "subject"));
    }
    let row = external_identity::ActiveModel {
        id: Set(ctx.new_id()),
        account_id: Set(account_id),
        issuer: Set(issuer),
        subject: Set(subject),
        created_at: Set(ctx.now()),
    };
    let row = row.insert(&tx.db).await?;
    accounts::record(&tx, Event::ExternalIdentityLinked, account_id, &seats, None).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Takes a link away; tokens of that subject are refused at once.
pub async fn unlink(ctx: &Ctx, id: ExternalIdentityId) -> Result<account::Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(external_identity::Column::Id.eq(id))
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("external_identity"))?;
    let seats = find_account(&tx, row.account_id).await?;
    let account =
        account::Entity::find_by_id(row.account_id).one(&tx.db).await?.ok_or(Error::NotFound("account"))?;
    row.delete(&tx.db).await?;
    tx.end_admissions();
    accounts::record(&tx, Event::ExternalIdentityUnlinked, account.id, &seats, None).await?;
    tx.commit(account.id).await?;
    Ok(account)
}
