//! Erasing what is known of a person whose access has ended. The account stays as a row without a person, because seats,
//! counts and judgements point to it.

use concord_entities::{
    account::{self, State},
    account_link, external_identity,
    id::AccountId,
    refresh_token, saved_filter, seat, session,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::account::{record, state_name};
use crate::domain::{
    Code, Ctx, Error, Event, Result, Tx, fact::erasure::Words, governance::alliance::require_platform_admin,
    privacy::ERASED, text,
};

/// Longest reason.
const REASON: usize = 4_000;

/// Erases a disabled person's names, number, credentials, links and identities elsewhere, for good. Platform administrators
/// may.
pub async fn erase(ctx: &Ctx, id: AccountId, reason: &str) -> Result<account::Model> {
    let tx = ctx.begin().await?;
    require_platform_admin(&tx).await?;
    let before = account::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("account"))?;
    let reason = text::required(reason, "reason", REASON)?;
    if before.erased_at.is_some() {
        return Err(Error::refused(Code::NothingToErase));
    }
    if before.state != State::Disabled {
        return Err(Error::refused(Code::StateRefused).with("state", state_name(before.state)));
    }
    let known = [Some(before.display_name.as_str()), Some(before.username.as_str()), before.phone.as_deref()];
    let words = Words::of(known);
    if words.stand_in(&reason) {
        return Err(Error::invalid(Code::ReasonNamesErased, "reason"));
    }
    let mut change = before.clone().into_active_model();
    // Unique, of the form of a sign-in name, and nobody's.
    change.username = Set(format!("erased.{}", id.0.simple()));
    change.display_name = Set(ERASED.to_owned());
    change.phone = Set(None);
    change.password_hash = Set(None);
    change.is_platform_admin = Set(false);
    change.failed_attempts = Set(0);
    change.locked_until_at = Set(None);
    change.erased_at = Set(Some(ctx.now()));
    change.version = Set(before.version + 1);
    let row = change.update(&tx.db).await?;
    end_credentials(&tx, id).await?;
    words.erase_events(&tx, id.into()).await?;
    let seats = seat::Entity::find().filter(seat::Column::AccountId.eq(id)).all(&tx.db).await?;
    record(&tx, Event::AccountErased, id, &seats, Some(&reason)).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Sessions ended with the access; they stay as times without tokens, for whoever checks a token that is not yet lapsed.
async fn end_credentials(tx: &Tx<'_>, id: AccountId) -> Result<()> {
    let sessions = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::AccountId.eq(id))
        .into_query();
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.in_subquery(sessions))
        .exec(&tx.db)
        .await?;
    account_link::Entity::delete_many().filter(account_link::Column::AccountId.eq(id)).exec(&tx.db).await?;
    external_identity::Entity::delete_many()
        .filter(external_identity::Column::AccountId.eq(id))
        .exec(&tx.db)
        .await?;
    // What somebody searched for may tell of people.
    saved_filter::Entity::delete_many().filter(saved_filter::Column::AccountId.eq(id)).exec(&tx.db).await?;
    Ok(())
}
