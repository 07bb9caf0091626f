//! Which sealed events concern an organisation, so that its changes are found without reading everybody's.

use sea_orm::entity::prelude::*;

use crate::id::OrganizationId;

/// Which sealed events concern an organisation; written by the sealer.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_organization")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The event's position.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
