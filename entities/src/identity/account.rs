//! A person with a login. A person acts in roles and is never a resident on file.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::AccountId;

/// Whether the person may sign in.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Invited,
    Active,
    Disabled,
}

/// A person with a login. A person acts in roles and is never a resident on file.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    /// Sign-in name, lower case.
    #[sea_orm(unique, column_type = "String(StringLen::N(64))")]
    pub username: String,
    /// Name shown to colleagues.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub display_name: String,
    /// Contact number, masked outside the person's own organisation.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub phone: Option<String>,
    /// PHC string of argon2id; absent until the invitation is redeemed.
    #[sea_orm(column_type = "String(StringLen::N(256))", nullable)]
    pub password_hash: Option<String>,
    /// Whether the person may sign in.
    pub state: State,
    /// Whether the person administers the platform itself.
    pub is_platform_admin: bool,
    /// Wrong passwords since the last success.
    pub failed_attempts: i32,
    /// Until when sign-in is refused after too many wrong passwords.
    pub locked_until_at: Option<DateTimeUtc>,
    /// When the account was made.
    pub created_at: DateTimeUtc,
    /// When the account was disabled.
    pub disabled_at: Option<DateTimeUtc>,
    /// When the person's data was erased.
    pub erased_at: Option<DateTimeUtc>,
    /// Grows by one with every change.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
