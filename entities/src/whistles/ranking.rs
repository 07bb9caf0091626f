//! The ranking of an alliance's departments for a month, as it was when the month was over: later edits do not change it.

use sea_orm::entity::prelude::*;

use crate::id::{AllianceId, RankingId};

/// The ranking of an alliance's departments for a month, as it was when the month was over.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ranking")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RankingId,
    /// Whose departments.
    pub alliance_id: AllianceId,
    /// First day of the month.
    pub month_on: Date,
    /// When it was taken.
    pub taken_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
