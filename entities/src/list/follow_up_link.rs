//! A one-time link by which a reporter answers a follow-up.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, FollowUpId, FollowUpLinkId};

/// A one-time link by which a reporter answers a follow-up.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up_link")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpLinkId,
    /// What it answers.
    pub follow_up_id: FollowUpId,
    /// SHA-256 of the secret in the link.
    #[sea_orm(unique, column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// Who made it.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it lapses.
    pub expires_at: DateTimeUtc,
    /// When it was used or replaced.
    pub used_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "FollowUp", from = "follow_up_id", to = "id")]
    pub follow_up: BelongsTo<super::follow_up::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
