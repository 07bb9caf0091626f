//! What an external issuer calls an account: issuer and subject, never an e-mail.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, ExternalIdentityId};

/// What an external issuer calls an account: issuer and subject, never an e-mail.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_identity")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExternalIdentityId,
    /// The account it opens.
    pub account_id: AccountId,
    /// The `iss` of the tokens.
    #[sea_orm(column_type = "String(StringLen::N(256))")]
    pub issuer: String,
    /// The `sub` of the tokens.
    #[sea_orm(column_type = "String(StringLen::N(256))")]
    pub subject: String,
    /// When it was linked.
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<super::account::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
