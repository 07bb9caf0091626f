//! How many members a Party organisation counted on a day. Counts are kept; the latest one stands beside the organisation too.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, AllianceId, BranchMemberCountId, PartyBranchId};

/// How many members a Party organisation counted on a day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "branch_member_count")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BranchMemberCountId,
    /// Whose it is.
    pub alliance_id: AllianceId,
    /// Which one.
    pub branch_id: PartyBranchId,
    /// How many.
    pub member_count: i32,
    /// On which day.
    pub counted_on: Date,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
    /// Who recorded it.
    pub recorded_by: Option<AccountId>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Branch", from = "branch_id", to = "id")]
    pub branch: BelongsTo<super::party_branch::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
