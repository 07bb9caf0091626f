//! A team formed by member organisations that takes its turn in the rotation.

use sea_orm::entity::prelude::*;

use crate::id::{AllianceId, OrganizationId, ServiceTeamId};

/// A team formed by member organisations that takes its turn in the rotation.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_team")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceTeamId,
    /// Where.
    pub alliance_id: AllianceId,
    /// Name, unique among the alliance's standing teams.
    #[sea_orm(column_type = "String(StringLen::N(128))")]
    pub name: String,
    /// The unit that leads it.
    pub lead_organization_id: OrganizationId,
    /// Captain.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub captain_name: String,
    /// Post of the captain.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub captain_title: Option<String>,
    /// Phone of the captain.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub captain_phone: Option<String>,
    /// Liaison (联络员).
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub liaison_name: Option<String>,
    /// Phone of the liaison.
    #[sea_orm(column_type = "String(StringLen::N(32))", nullable)]
    pub liaison_phone: Option<String>,
    /// When it was formed.
    pub created_at: DateTimeUtc,
    /// When it was disbanded.
    pub ended_at: Option<DateTimeUtc>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<super::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "LeadOrganization", from = "lead_organization_id", to = "id")]
    pub lead_organization: BelongsTo<super::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
