//! A turn that a team cannot take.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, RotationBlockId, RotationPlanId, ServiceTeamId};

/// A turn that a team cannot take.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rotation_block")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RotationBlockId,
    /// The plan.
    pub plan_id: RotationPlanId,
    /// The team.
    pub team_id: ServiceTeamId,
    /// Which turn.
    pub slot_number: i32,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
    /// Who said so.
    pub created_by: Option<AccountId>,
    /// When.
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Plan", from = "plan_id", to = "id")]
    pub plan: BelongsTo<super::rotation_plan::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Team", from = "team_id", to = "id")]
    pub team: BelongsTo<crate::governance::service_team::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
