//! Accounts of people.

use concord_entities::account::{self, State};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::domain::{
    Code, Ctx, Error, Event, Fact, Result, governance::alliance::require_platform_admin, text,
};

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
    let username = text::required(&new.username, "username", 64)?.to_lowercase();
    if account::Entity::find().filter(account::Column::Username.eq(&username)).one(&tx.db).await?.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "username"));
    }
    let row = account::ActiveModel {
        id: Set(ctx.new_id()),
        username: Set(username),
        display_name: Set(text::required(&new.display_name, "displayName", 128)?),
        phone: Set(text::optional(new.phone.as_deref(), "phone", 32)?),
        state: Set(if new.password_hash.is_some() { State::Active } else { State::Invited }),
        password_hash: Set(new.password_hash),
        is_platform_admin: Set(new.is_platform_admin),
        failed_attempts: Set(0),
        locked_until_at: Set(None),
        created_at: Set(ctx.now()),
        disabled_at: Set(None),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(Fact::of(Event::AccountCreated, row.id)).await?;
    tx.commit(row.id).await?;
    Ok(row)
}
