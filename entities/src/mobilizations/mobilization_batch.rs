//! What a request of check-ins with an idempotency key was answered, so that a replay gets the same; kept as long as the key.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, MobilizationBatchId, MobilizationId};

/// What a request of check-ins with an idempotency key was answered.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_batch")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationBatchId,
    /// The order.
    pub mobilization_id: MobilizationId,
    /// Who asked.
    pub recorded_by: Option<AccountId>,
    /// When.
    pub recorded_at: DateTimeUtc,
    /// What came of each item, as JSON; nothing of persons.
    #[sea_orm(column_type = "Text")]
    pub results: String,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
