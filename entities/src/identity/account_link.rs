//! A one-time link that sets a password: invitation or reset.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AccountLinkId};

/// What it is for.
#[derive(
    Clone,
    Copy,
    Debug,
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
pub enum Purpose {
    Invitation,
    Reset,
}

/// A one-time link that sets a password: invitation or reset.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_link")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountLinkId,
    /// Whose.
    pub account_id: AccountId,
    /// What it is for.
    pub purpose: Purpose,
    /// SHA-256 of the secret in the link.
    #[sea_orm(unique, column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// Who made it.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it lapses.
    pub expires_at: DateTimeUtc,
    /// When it was redeemed or replaced.
    pub used_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<super::account::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
