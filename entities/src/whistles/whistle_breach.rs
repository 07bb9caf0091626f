//! A deadline of a call that passed unmet; it stays on record when the unit comes later.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AllianceId, OrganizationId, WhistleBreachId, WhistleId, WhistleResponseId};

/// Which deadline of a call ran out.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(24))", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// To report in.
    ReportIn,
    /// To resolve the matter.
    Resolve,
}

/// A deadline of a call that passed unmet.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whistle_breach")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WhistleBreachId,
    /// The town that blew.
    pub alliance_id: AllianceId,
    /// The whistle.
    pub whistle_id: WhistleId,
    /// The call.
    pub response_id: WhistleResponseId,
    /// The unit that was late.
    pub organization_id: OrganizationId,
    /// Which deadline.
    pub clock: Clock,
    /// The deadline that passed.
    pub due_at: DateTimeUtc,
    /// When it was noted.
    pub noted_at: DateTimeUtc,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Whistle", from = "whistle_id", to = "id")]
    pub whistle: BelongsTo<super::whistle::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Response", from = "response_id", to = "id")]
    pub response: BelongsTo<super::whistle_response::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
