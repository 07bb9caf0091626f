//! A private, revocable address of a rotation's iCalendar feed.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, CalendarFeedId, RotationPlanId};

/// A private, revocable address of a rotation's iCalendar feed.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feed")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarFeedId,
    /// Who made it; the feed shows what that person may see.
    pub account_id: AccountId,
    /// The rotation it shows.
    pub plan_id: RotationPlanId,
    /// SHA-256 of the secret in the address.
    #[sea_orm(unique, column_type = "VarBinary(StringLen::N(32))")]
    pub hash: Vec<u8>,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Account", from = "account_id", to = "id")]
    pub account: BelongsTo<crate::identity::account::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Plan", from = "plan_id", to = "id")]
    pub plan: BelongsTo<super::rotation_plan::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
