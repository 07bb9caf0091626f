//! One time that a whistle was handed up to the alliance above, and how it came back.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, WhistleId};

/// One time that a whistle was handed up to the alliance above.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whistle_escalation")]
pub struct Model {
    /// The whistle.
    #[sea_orm(primary_key, auto_increment = false)]
    pub whistle_id: WhistleId,
    /// From 1, in the order in which they happened.
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i32,
    /// Who handed it up: the town, or the alliance to which it had been handed before.
    pub from_alliance_id: AllianceId,
    /// To whom.
    pub to_alliance_id: AllianceId,
    /// When.
    pub escalated_at: DateTimeUtc,
    /// Who did.
    pub escalated_by: Option<AccountId>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
    /// When it was handed back, if it was.
    pub returned_at: Option<DateTimeUtc>,
    /// Who did.
    pub returned_by: Option<AccountId>,
    /// Why.
    #[sea_orm(column_type = "Text", nullable)]
    pub return_reason: Option<String>,
    #[sea_orm(belongs_to, relation_enum = "Whistle", from = "whistle_id", to = "id")]
    pub whistle: BelongsTo<super::whistle::Entity>,
    #[sea_orm(belongs_to, relation_enum = "FromAlliance", from = "from_alliance_id", to = "id")]
    pub from_alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "ToAlliance", from = "to_alliance_id", to = "id")]
    pub to_alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
