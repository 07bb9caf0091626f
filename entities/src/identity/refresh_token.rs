//! One single-use refresh token of a session, kept as a hash.

use sea_orm::entity::prelude::*;

use crate::id::{RefreshTokenId, SessionId};

/// One single-use refresh token of a session, kept as a hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RefreshTokenId,
    /// Its family.
    pub session_id: SessionId,
    /// SHA-256 of the token.
    #[sea_orm(unique, column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// When it was given.
    pub issued_at: DateTimeUtc,
    /// When it lapses unused.
    pub expires_at: DateTimeUtc,
    /// When it was spent.
    pub redeemed_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Session", from = "session_id", to = "id")]
    pub session: BelongsTo<super::session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
