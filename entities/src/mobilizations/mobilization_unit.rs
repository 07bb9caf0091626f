//! A unit that an order calls, with how many people it is to send, and how it answers.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, AllianceId, MobilizationId, MobilizationUnitId, OrganizationId};

/// How far a called unit has come.
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
pub enum State {
    /// Called.
    Called,
    /// It knows of the order.
    Acknowledged,
    /// It has arrived.
    Arrived,
    /// Released by the committee, or with the order.
    Released,
}

/// A unit that an order calls, with how many people it is to send, and how it answers.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mobilization_unit")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MobilizationUnitId,
    /// The order.
    pub mobilization_id: MobilizationId,
    /// The alliance that orders it, for rights.
    pub alliance_id: AllianceId,
    /// The unit.
    pub organization_id: OrganizationId,
    /// How many people it is to send.
    pub quota: i32,
    /// How far it has come.
    pub state: State,
    /// When it was put on the order.
    pub called_at: DateTimeUtc,
    /// Who put it there.
    pub called_by: Option<AccountId>,
    /// When it acknowledged.
    pub acknowledged_at: Option<DateTimeUtc>,
    /// Who acknowledged.
    pub acknowledged_by: Option<AccountId>,
    /// When it arrived.
    pub arrived_at: Option<DateTimeUtc>,
    /// Who said so.
    pub arrived_by: Option<AccountId>,
    /// When it was released.
    pub released_at: Option<DateTimeUtc>,
    /// Who released it.
    pub released_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Mobilization", from = "mobilization_id", to = "id")]
    pub mobilization: BelongsTo<super::mobilization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
