//! A team's place in the order of a plan.

use sea_orm::entity::prelude::*;

use crate::id::{RotationPlanId, ServiceTeamId};

/// A team's place in the order of a plan.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rotation_plan_team")]
pub struct Model {
    /// The plan.
    #[sea_orm(primary_key, auto_increment = false)]
    pub plan_id: RotationPlanId,
    /// The team.
    #[sea_orm(primary_key, auto_increment = false)]
    pub team_id: ServiceTeamId,
    /// 1 for the first.
    pub place: i32,
    #[sea_orm(belongs_to, relation_enum = "Plan", from = "plan_id", to = "id")]
    pub plan: BelongsTo<super::rotation_plan::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Team", from = "team_id", to = "id")]
    pub team: BelongsTo<crate::governance::service_team::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
