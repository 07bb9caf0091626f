//! An organisation in a team.

use sea_orm::entity::prelude::*;

use crate::id::{AllianceId, OrganizationId, ServiceTeamId};

/// An organisation in a team.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_team_member")]
pub struct Model {
    /// The team.
    #[sea_orm(primary_key, auto_increment = false)]
    pub team_id: ServiceTeamId,
    /// The unit.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The team's alliance.
    pub alliance_id: AllianceId,
    /// When.
    pub joined_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Team", from = "team_id", to = "id")]
    pub team: BelongsTo<super::service_team::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<super::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<super::alliance::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
