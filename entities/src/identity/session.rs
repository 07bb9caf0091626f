//! One sign-in: the family of its refresh tokens.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, SessionId};

/// Why it ended.
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
pub enum EndReason {
    SignedOut,
    Reused,
    PasswordChanged,
    Disabled,
    Revoked,
}

/// One sign-in: the family of its refresh tokens.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Who signed in.
    pub account_id: AccountId,
    /// When.
    pub created_at: DateTimeUtc,
    /// When the family ends whatever happens.
    pub expires_at: DateTimeUtc,
    /// When it was signed out, or ended because a spent token came back.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it ended.
    pub ended_reason: Option<EndReason>,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<super::account::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
